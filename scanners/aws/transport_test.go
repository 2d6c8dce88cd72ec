package aws

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// opened returns a scan whose calls go to a server, through the SDK as it is in use.
func opened(t *testing.T, server string, key aws.Credentials, o Options) *Scan {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server, "AWS_ACCESS_KEY_ID": key.AccessKeyID, "AWS_SECRET_ACCESS_KEY": key.SecretAccessKey, "AWS_SESSION_TOKEN": "", "AWS_REGION": "us-east-1",
		"AWS_PROFILE": "", "AWS_CONFIG_FILE": "testdata/none", "AWS_SHARED_CREDENTIALS_FILE": "testdata/none",
	} {
		t.Setenv(name, value)
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// anybody is a key that a server takes which asks for none in particular.
var anybody = aws.Credentials{AccessKeyID: "test", SecretAccessKey: "secret"}

// protocols are calls, one for each way in which the SDK and AWS talk.
var protocols = map[string]func(context.Context, aws.Config) error{
	"ec2": func(ctx context.Context, c aws.Config) error {
		_, err := ec2.NewFromConfig(c).DescribeVpcs(ctx, nil)
		return err
	},
	"query": func(ctx context.Context, c aws.Config) error {
		_, err := rds.NewFromConfig(c).DescribeDBInstances(ctx, nil)
		return err
	},
	"json": func(ctx context.Context, c aws.Config) error {
		_, err := cloudtrail.NewFromConfig(c).DescribeTrails(ctx, nil)
		return err
	},
	"rest-json": func(ctx context.Context, c aws.Config) error {
		_, err := eks.NewFromConfig(c).ListClusters(ctx, nil)
		return err
	},
	"rest-xml": func(ctx context.Context, c aws.Config) error {
		_, err := s3.NewFromConfig(c).ListBuckets(ctx, nil)
		return err
	},
	"cbor": func(ctx context.Context, c aws.Config) error {
		_, err := cloudwatch.NewFromConfig(c).DescribeAlarms(ctx, nil)
		return err
	},
}

// TestAnAnswerThatIsNoneOfTheProtocolIsNotAskedForAgain: a proxy's page, or a server that does not know an operation, says
// the same each time.
func TestAnAnswerThatIsNoneOfTheProtocolIsNotAskedForAgain(t *testing.T) {
	const page = "<!doctype html>\n<html lang=en>\n<title>Not Found</title>\n<p>It&nbsp;is not here."
	for _, status := range []int{http.StatusOK, http.StatusForbidden, http.StatusNotFound, http.StatusInternalServerError} {
		for body, text := range map[string]string{"a page": page, "no encoding": "\xff\xffnothing"} {
			var asked atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				w.WriteHeader(status)
				fmt.Fprint(w, text)
			}))
			base := opened(t, server.URL, anybody, Options{}).base
			for protocol, call := range protocols {
				t.Run(fmt.Sprintf("%d %s as %s", status, body, protocol), func(t *testing.T) {
					asked.Store(0)
					err := call(t.Context(), base)
					if want := fmt.Sprintf("the answer was not understood (HTTP %d)", status); scope.Brief(err) != want || asked.Load() != 1 {
						t.Errorf("asked %d times; %q of %v", asked.Load(), scope.Brief(err), err)
					}
				})
			}
			server.Close()
		}
	}
}

// TestAnAnswerOfSomebodyElseIsNoEmptyAccount: what says 200 and is not of AWS would otherwise decode as "there is nothing".
func TestAnAnswerOfSomebodyElseIsNoEmptyAccount(t *testing.T) {
	for name, answer := range map[string]struct{ kind, body string }{
		"nothing at all":             {"", ""},
		"blanks":                     {"text/plain", " \r\n"},
		"a page":                     {"text/html", "<!DOCTYPE html><html><head><title>Sign in</title></head><body></body></html>"},
		"a page that is XML":         {"text/html; charset=utf-8", "<html xmlns='http://www.w3.org/1999/xhtml'><body><p>Sign in</p></body></html>"},
		"a page that says otherwise": {"application/xml", "<?xml version='1.0'?>\n<!-- x -->\n<HTML><BODY/></HTML>"},
		"a text":                     {"text/plain", "please sign in"},
		"a number":                   {"application/json", "1"},
		"null":                       {"application/json", "null"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", answer.kind)
			fmt.Fprint(w, answer.body)
		}))
		base := opened(t, server.URL, anybody, Options{}).base
		for protocol, call := range protocols {
			t.Run(name+" as "+protocol, func(t *testing.T) {
				if err := call(t.Context(), base); scope.Brief(err) != "the answer was not understood (HTTP 200)" || scope.Why(err) != evidence.Failed {
					t.Errorf("%q of %v", scope.Brief(err), err)
				}
			})
		}
		server.Close()
	}
}

// TestAnEmptyAnswerOfAWSIsUnderstood: some outputs have no members, and then some have no body.
func TestAnEmptyAnswerOfAWSIsUnderstood(t *testing.T) {
	long := "<!--" + strings.Repeat("x", 2*looked) + "-->"
	for protocol, answers := range map[string][]string{
		"ec2":       {"<DescribeVpcsResponse/>", "\xef\xbb\xbf<?xml version=\"1.0\"?>\n<DescribeVpcsResponse xmlns=\"x\"></DescribeVpcsResponse>", long + "<DescribeVpcsResponse/>"},
		"query":     {"<DescribeDBInstancesResponse><DescribeDBInstancesResult/></DescribeDBInstancesResponse>"},
		"json":      {"{}", "\n {}"},
		"rest-json": {"{}", ""},
		"rest-xml":  {"<ListAllMyBucketsResult/>", ""},
		"cbor":      {"\xa0"},
	} {
		for _, body := range answers {
			for _, status := range []int{http.StatusOK, http.StatusAccepted, http.StatusNoContent} {
				if body != "" && status == http.StatusNoContent {
					continue
				}
				t.Run(fmt.Sprintf("%d %.20q as %s", status, body, protocol), func(t *testing.T) {
					server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
						w.Header().Set("x-amzn-RequestId", "1")
						w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
						w.WriteHeader(status)
						fmt.Fprint(w, body)
					}))
					defer server.Close()
					if err := protocols[protocol](t.Context(), opened(t, server.URL, anybody, Options{}).base); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

// TestWhatFailsForAMomentIsAskedAgain: a gateway's page is none of AWS either, and goes away.
func TestWhatFailsForAMomentIsAskedAgain(t *testing.T) {
	for name, test := range map[string]struct {
		status      int
		body, brief string
	}{
		"a gateway": {http.StatusBadGateway, "<html>Bad Gateway</html>", "the answer was not understood (HTTP 502)"},
		"throttled": {http.StatusBadRequest, `{"__type":"ThrottlingException"}`, "ThrottlingException"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if asked.Add(1) > 1 {
					fmt.Fprint(w, "{}")
					return
				}
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.body)
			}))
			defer server.Close()
			if err := protocols["json"](t.Context(), opened(t, server.URL, anybody, Options{}).base); err != nil || asked.Load() != 2 {
				t.Errorf("asked %d times: %v", asked.Load(), err)
			}
			asked.Store(0)
			err := protocols["json"](t.Context(), opened(t, server.URL, anybody, Options{Attempts: 1}).base)
			if scope.Brief(err) != test.brief {
				t.Errorf("%q", scope.Brief(err))
			}
		})
	}
}

// TestWhereNobodyAnswersFewCallsAreMade: a scan of an account whose region is cut off must end, and soon.
func TestWhereNobodyAnswersFewCallsAreMade(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	s := opened(t, closed.URL, anybody, Options{})
	cfg, _, done := s.guard.Account(s.base)
	defer done()
	for range 3 {
		_, err := cloudtrail.NewFromConfig(cfg).DescribeTrails(t.Context(), nil)
		if scope.Why(err) != evidence.Failed || scope.Brief(err) != "no connection" && scope.Brief(err) != "the region does not answer" {
			t.Errorf("%q of %v", scope.Brief(err), err)
		}
	}
	if s.Made() != 3 { // of the first call; the others are not sent
		t.Errorf("asked %d times", s.Made())
	}
}
