package aws

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/s3"

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
