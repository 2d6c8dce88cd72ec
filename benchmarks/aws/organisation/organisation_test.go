package organisation_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"lookback/benchmarks/aws/organisation"
	"lookback/evidence"
	awsscanner "lookback/scanners/aws"
)

// serve starts an organisation.
func serve(t *testing.T, e organisation.Estate) (*organisation.Server, string) {
	t.Helper()
	s := organisation.New(e, time.Now())
	over := httptest.NewServer(s)
	t.Cleanup(over.Close)
	return s, over.URL
}

// TestScanFindsTheWholeEstate reads an organisation through the SDK: everything that is in it is found, nothing is left open
// that the estate does not leave open, and no answer is one that the SDK cannot read.
func TestScanFindsTheWholeEstate(t *testing.T) {
	const accounts, regions, groups, clusters, buckets = 21, 2, 140, 3, 5 // accounts and groups come on several pages
	server, url := serve(t, organisation.Estate{Accounts: accounts, Regions: regions, Groups: groups, Clusters: clusters, Buckets: buckets})
	t.Setenv("HOME", t.TempDir())
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": organisation.Key(organisation.Account(0)),
		"AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	scan, err := awsscanner.Open(context.Background(), awsscanner.Options{Filter: awsscanner.Filter{Organization: true}, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	err = scan.Run(context.Background(), func(set *evidence.Set) error {
		for _, r := range set.Records {
			kinds[r.Self().Kind]++
		}
		for _, g := range set.Gaps {
			if g.Why != evidence.Elsewhere {
				t.Errorf("a gap: %+v", g)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]int{
		"account": accounts, "region": accounts * regions, "VPC": accounts * regions, "flow log": accounts * regions,
		"log group": accounts * regions * groups, "EKS cluster": accounts * regions * clusters, "organisation trail": 1,
		"GuardDuty detector": accounts * regions,
	} {
		if kinds[kind] != want {
			t.Errorf("%d records of the kind %s, want %d", kinds[kind], kind, want)
		}
	}
	stats := server.Stats()
	if stats.Requests != scan.Made()+accounts-1 || stats.Throttled != 0 || stats.Last <= 0 {
		t.Errorf("the organisation counts %+v; the scan, %d calls beside those for %d roles", stats, scan.Made(), accounts-1)
	}
}

// TestThrottlesInTheFormOfEachProtocol turns away every call, and the SDK reads each as a call that came too fast.
func TestThrottlesInTheFormOfEachProtocol(t *testing.T) {
	server, url := serve(t, organisation.Estate{Accounts: 1, Regions: 1, Rates: 1e-9})
	cfg := aws.Config{
		Region: "us-east-1", BaseEndpoint: &url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(organisation.Key(organisation.Account(0)), "secret", ""),
	}
	for name, ask := range map[string]func(context.Context) error{
		"query": func(ctx context.Context) error {
			_, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil)
			return err
		},
		"EC2": func(ctx context.Context) error {
			_, err := ec2.NewFromConfig(cfg).DescribeRegions(ctx, nil)
			return err
		},
		"JSON": func(ctx context.Context) error {
			_, err := cloudwatchlogs.NewFromConfig(cfg).DescribeLogGroups(ctx, nil)
			return err
		},
		"REST with JSON": func(ctx context.Context) error {
			_, err := eks.NewFromConfig(cfg).ListClusters(ctx, nil)
			return err
		},
		"REST with XML": func(ctx context.Context) error {
			_, err := s3.NewFromConfig(cfg).ListBuckets(ctx, nil)
			return err
		},
		"CBOR": func(ctx context.Context) error {
			_, err := cloudwatch.NewFromConfig(cfg).ListMetrics(ctx, nil)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := ask(context.Background()); err != nil {
				t.Fatalf("the first call: %v", err) // of each action one is let through
			}
			var api smithy.APIError
			if err := ask(context.Background()); !errors.As(err, &api) || !strings.Contains("Throttling ThrottlingException RequestLimitExceeded SlowDown", api.ErrorCode()) {
				t.Errorf("the second call: %v", err)
			}
		})
	}
	if n := server.Stats().Throttled; n != 6 {
		t.Errorf("%d calls were turned away, want 6", n)
	}
}

func TestWaitsBeforeItAnswers(t *testing.T) {
	const latency = 30 * time.Millisecond
	_, url := serve(t, organisation.Estate{Accounts: 1, Regions: 1, Latency: latency})
	cfg := aws.Config{
		Region: "us-east-1", BaseEndpoint: &url,
		Credentials: credentials.NewStaticCredentialsProvider(organisation.Key(organisation.Account(0)), "secret", ""),
	}
	begun := time.Now()
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(context.Background(), nil)
	if err != nil || aws.ToString(out.Account) != organisation.Account(0) {
		t.Fatalf("got %v, %v", out, err)
	}
	if took := time.Since(begun); took < latency {
		t.Errorf("the answer came after %s, want %s at least", took, latency)
	}
}
