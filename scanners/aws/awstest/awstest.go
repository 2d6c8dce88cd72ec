// Package awstest runs the readers of AWS services against answers in the SDK's own types, without a network.
//
// It is a fake: it stands where no real server can be had (throttling, partial failure, what moto lacks). That its
// answers have the vendor's shape, the compiler holds.
package awstest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"lookback/checks/alltest"
	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// Now is the start, and the end, of a scan.
var Now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// Account and Region are what is read.
const (
	Account = "111122223333"
	Region  = "eu-west-1"
)

// An Answer answers a call by its input, such as *cloudtrail.DescribeTrailsInput, with the output of the SDK's type or
// an error. A nil output and a nil error stand for what an account says in which there is nothing.
type Answer func(region string, input any) (output any, err error)

// Denied is the error of a call that is refused.
func Denied() error {
	return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized to perform it", Fault: smithy.FaultClient}
}

// Error is an error with which AWS answers.
func Error(code string) error {
	return &smithy.GenericAPIError{Code: code, Message: code, Fault: smithy.FaultClient}
}

// A Call is one that a fake is to answer.
type Call struct {
	Op      string // "CloudTrail.DescribeTrails"
	Account string // whose credentials sign it
	Region  string
	Input   any // *cloudtrail.DescribeTrailsInput
}

// Key is the access key of an account, as the fake knows it.
func Key(account string) string { return "AKIA" + account }

// Config returns the configuration of an account that a fake answers for. What is built upon it, roles that are assumed
// and calls that are counted, works as against AWS; a nil output stands for an account in which there is nothing.
func Config(answer func(Call) (output any, err error)) aws.Config {
	cfg := aws.Config{
		Region:      Region,
		Credentials: credentials.NewStaticCredentialsProvider(Key(Account), "secret", ""),
		HTTPClient:  nothing{},
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		if err := stack.Initialize.Add(middleware.InitializeMiddlewareFunc("awstest.input", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(middleware.WithStackValue(ctx, inputKey{}, in.Parameters), in)
		}), middleware.After); err != nil {
			return err
		}
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("awstest.answer", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			call := Call{
				Op:     awsmiddleware.GetServiceID(ctx) + "." + awsmiddleware.GetOperationName(ctx),
				Region: awsmiddleware.GetRegion(ctx), Input: middleware.GetStackValue(ctx, inputKey{}),
			}
			if r, ok := in.Request.(*smithyhttp.Request); ok {
				_, key, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=AKIA")
				call.Account, _, _ = strings.Cut(key, "/")
			}
			out, err := answer(call)
			if err == nil && out == nil {
				return next.HandleFinalize(ctx, in)
			}
			return middleware.FinalizeOutput{Result: out}, middleware.Metadata{}, err
		}), "Signing", middleware.After)
	})
	return cfg
}

type inputKey struct{}

// Scan runs services over answers, in one region, and then reads the buckets that take logs with places, which may be nil.
// It returns all records, sorted. A call that no service declares is an error of the test.
func Scan(t *testing.T, answer Answer, places func(context.Context, scope.Bucket), services ...scope.Service) *evidence.Set {
	t.Helper()
	return ScanRegions(t, []string{Region}, answer, places, services...)
}

// ScanRegions is Scan of several regions.
func ScanRegions(t *testing.T, regions []string, answer Answer, places func(context.Context, scope.Bucket), services ...scope.Service) *evidence.Set {
	t.Helper()
	declared := map[string]bool{}
	for _, s := range services {
		for _, c := range s.Calls {
			declared[c.Service+"."+c.Op] = true
		}
	}
	cfg := Config(func(call Call) (any, error) {
		if !declared[call.Op] {
			t.Errorf("%s is called and not declared", call.Op)
		}
		return answer(call.Region, call.Input)
	})
	scan := scope.NewScan()
	account := scan.NewAccount(scope.Scope{
		Partition: "aws", Account: Account, Region: "us-east-1", Now: Now, Config: cfg,
		Organization: evidence.Moot[string](evidence.Origin{Call: "organizations:DescribeOrganization"}),
	})
	whole := account.Whole()
	whole.Record(&evidence.Asset{
		Subject: evidence.Subject{ID: whole.AccountID(), Kind: "account", Name: Account, At: whole.At("sts:GetCallerIdentity", "")},
		In:      evidence.Moot[evidence.ID](whole.At("organizations:DescribeOrganization", "")), Lasting: true,
	})
	var wg sync.WaitGroup
	for _, s := range services {
		if s.Account != nil {
			wg.Go(func() { s.Account(t.Context(), whole) })
		}
	}
	for _, name := range regions {
		region := account.InRegion(name)
		region.Record(&evidence.Asset{
			Subject: evidence.Subject{ID: region.Home(), Kind: "region", Name: name, At: region.At("ec2:DescribeRegions", "")},
			In:      evidence.Known(region.AccountID(), region.At("ec2:DescribeRegions", "")), Lasting: true,
		})
		for _, s := range services {
			if s.Region != nil {
				wg.Go(func() { s.Region(t.Context(), region) })
			}
		}
	}
	wg.Wait()
	account.RunAfter(t.Context())
	set := account.Take()
	if places != nil {
		for buckets, take := scan.Buckets(); len(buckets) > 0; buckets, take = scan.Buckets() {
			for _, b := range buckets {
				places(t.Context(), b)
			}
			taken := take()
			set.Records = append(set.Records, taken.Records...)
			set.Gaps = append(set.Gaps, taken.Gaps...)
		}
	}
	set.Records = append(set.Records, scan.Shared()...)
	set.Started, set.Ended = Now, Now
	set.Sort()
	return set
}

// nothing is an HTTP client that answers every call as an account does in which there is nothing.
type nothing struct{}

func (nothing) Do(r *http.Request) (*http.Response, error) {
	var body string
	form, header := "", http.Header{}
	if r.Body != nil {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		form = string(data)
	}
	switch kind := r.Header.Get("Content-Type"); {
	case strings.Contains(kind, "x-www-form-urlencoded"): // the query protocols
		values, err := url.ParseQuery(form)
		if err != nil {
			return nil, err
		}
		op := values.Get("Action")
		body = fmt.Sprintf("<%[1]sResponse><%[1]sResult></%[1]sResult></%[1]sResponse>", op)
	case strings.Contains(kind, "xml") || strings.Contains(r.URL.Host, "s3") || strings.Contains(r.URL.Host, "cloudfront") || strings.Contains(r.URL.Host, "route53."):
		body = "<Nothing></Nothing>"
	case strings.Contains(kind, "cbor"):
		body = "\xa0" // an empty map
		header.Set("Smithy-Protocol", r.Header.Get("Smithy-Protocol"))
	default:
		body = "{}"
	}
	return &http.Response{StatusCode: 200, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// Judge returns what all checks say of a set: see [alltest.Judge].
func Judge(set *evidence.Set) []string { return alltest.Judge(set) }
