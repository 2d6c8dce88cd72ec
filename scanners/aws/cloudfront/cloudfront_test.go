package cloudfront

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/awstest/sourcetest"
	"lookback/scanners/aws/scope"
	"lookback/scanners/aws/vended"
)

const (
	arn         = "arn:aws:cloudfront::111122223333:distribution/"
	realtimeARN = "arn:aws:cloudfront::111122223333:realtime-log-config/live"
	target      = "arn:aws:logs:us-east-1:111122223333:delivery-destination:"
)

func one(id string) types.DistributionSummary {
	return types.DistributionSummary{Id: aws.String(id), ARN: aws.String(arn + id), Enabled: aws.Bool(true)}
}

func source(name, id string) logtypes.DeliverySource {
	return logtypes.DeliverySource{Name: aws.String(name), LogType: aws.String("ACCESS_LOGS"), ResourceArns: []string{arn + id}}
}

func delivery(id, source, to string) logtypes.Delivery {
	return logtypes.Delivery{Id: aws.String(id), DeliverySourceName: aws.String(source), DeliveryDestinationArn: aws.String(to)}
}

// estate has distributions that log in every way.
func estate(region string, input any) (any, error) {
	switch in := input.(type) {
	case *cloudfront.ListDistributionsInput:
		if in.Marker == nil {
			named := one("STD")
			named.Aliases = &types.Aliases{Items: []string{"www.example.com", "example.com"}}
			off := one("DISABLED")
			off.Enabled = aws.Bool(false)
			return &cloudfront.ListDistributionsOutput{DistributionList: &types.DistributionList{
				Items: []types.DistributionSummary{named, off}, IsTruncated: aws.Bool(true), NextMarker: aws.String("more"),
			}}, nil
		}
		live := one("LIVE")
		live.DefaultCacheBehavior = &types.DefaultCacheBehavior{RealtimeLogConfigArn: aws.String(realtimeARN)}
		live.CacheBehaviors = &types.CacheBehaviors{Items: []types.CacheBehavior{{}}}
		return &cloudfront.ListDistributionsOutput{DistributionList: &types.DistributionList{
			Items: []types.DistributionSummary{one("OFF"), one("V2"), one("FAR"), live}, IsTruncated: aws.Bool(false),
		}}, nil
	case *cloudfront.GetDistributionConfigInput:
		config := &types.DistributionConfig{Logging: &types.LoggingConfig{Enabled: aws.Bool(false)}}
		if *in.Id == "STD" {
			config.Logging = &types.LoggingConfig{Enabled: aws.Bool(true), Bucket: aws.String("my.s3.logs.s3.amazonaws.com"), Prefix: aws.String("cdn/")}
		}
		return &cloudfront.GetDistributionConfigOutput{DistributionConfig: config}, nil
	case *cloudfront.ListRealtimeLogConfigsInput:
		if in.Marker == nil {
			return &cloudfront.ListRealtimeLogConfigsOutput{RealtimeLogConfigs: &types.RealtimeLogConfigs{NextMarker: aws.String("n")}}, nil
		}
		return &cloudfront.ListRealtimeLogConfigsOutput{RealtimeLogConfigs: &types.RealtimeLogConfigs{Items: []types.RealtimeLogConfig{{
			ARN: aws.String(realtimeARN), Name: aws.String("live"), SamplingRate: aws.Int64(5),
			EndPoints: []types.EndPoint{{KinesisStreamConfig: &types.KinesisStreamConfig{StreamARN: aws.String("arn:aws:kinesis:us-east-1:111122223333:stream/cdn")}}},
		}}}}, nil
	case *cloudwatchlogs.DescribeDeliverySourcesInput:
		if region != "us-east-1" {
			return nil, awstest.Error("wrong region")
		}
		if in.NextToken == nil {
			return &cloudwatchlogs.DescribeDeliverySourcesOutput{NextToken: aws.String("n"), DeliverySources: []logtypes.DeliverySource{source("v2", "V2"), source("far", "FAR")}}, nil
		}
		gone := source("gone", "OFF")
		gone.Status = logtypes.DeliverySourceStatusInactive
		return &cloudwatchlogs.DescribeDeliverySourcesOutput{DeliverySources: []logtypes.DeliverySource{gone}}, nil
	case *cloudwatchlogs.DescribeDeliveriesInput:
		return &cloudwatchlogs.DescribeDeliveriesOutput{Deliveries: []logtypes.Delivery{
			delivery("d1", "v2", target+"bucket"), delivery("d2", "v2", target+"stream"), delivery("d4", "gone", target+"bucket"),
			delivery("d3", "far", "arn:aws:logs:us-east-1:222222222222:delivery-destination:archive"),
		}}, nil
	case *cloudwatchlogs.DescribeDeliveryDestinationsInput:
		to := func(name, arn string) logtypes.DeliveryDestination {
			return logtypes.DeliveryDestination{Arn: aws.String(target + name), DeliveryDestinationConfiguration: &logtypes.DeliveryDestinationConfiguration{DestinationResourceArn: aws.String(arn)}}
		}
		return &cloudwatchlogs.DescribeDeliveryDestinationsOutput{DeliveryDestinations: []logtypes.DeliveryDestination{
			to("bucket", "arn:aws:s3:::edge-logs/v2"), to("stream", "arn:aws:firehose:us-east-1:111122223333:deliverystream/edge"),
		}}, nil
	}
	return nil, nil
}

const (
	effort = "; every-event some: AWS delivers them as best effort"
	asked  = " (cloudfront:GetDistributionConfig 111122223333/"
)

func TestADistributionLogsInAnyOfThreeWays(t *testing.T) {
	set := awstest.Scan(t, estate, nil, Service(), vended.Service())
	sourcetest.Want(t, "sources", sourcetest.Sources(set),
		"cloudfront/FAR#edge: on (logs:DescribeDeliveries us-east-1/d3) -> delivery-destination/archive"+effort,
		"cloudfront/LIVE#edge: off (cloudfront:GetDistributionConfig 111122223333/LIVE)"+effort,
		"cloudfront/LIVE/real-time#edge: on (cloudfront:ListDistributions 111122223333/LIVE) -> kinesis/cdn"+effort+"; not of every path; 5 in 100 requests",
		"cloudfront/OFF#edge: off (cloudfront:GetDistributionConfig 111122223333/OFF)"+effort,
		"cloudfront/STD#edge: on (cloudfront:GetDistributionConfig 111122223333/STD) -> s3/my.s3.logs/cdn"+effort,
		"cloudfront/V2#edge: on (logs:DescribeDeliveries us-east-1/d1) -> s3/edge-logs/v2 -> firehose/edge"+effort,
	)
	sourcetest.Want(t, "gaps", sourcetest.Gaps(set))
	std := sourcetest.Record[*evidence.Asset](t, set, "cloudfront/STD")
	if std.ID != "aws:111122223333//cloudfront/STD" || std.Name != "example.com" || !std.Lasting {
		t.Errorf("the asset is %+v", std)
	}
	if far := sourcetest.Record[*evidence.LogSource](t, set, "cloudfront/FAR#edge"); far.To[0].To != "aws:222222222222/us-east-1//delivery-destination/archive" {
		t.Errorf("what another account takes goes to %s", far.To[0].To)
	}
}

func TestASampleIsNotTheWholeLog(t *testing.T) {
	set := awstest.Scan(t, func(region string, input any) (any, error) {
		out, err := estate(region, input)
		if sources, ok := out.(*cloudwatchlogs.DescribeDeliverySourcesOutput); ok {
			for i := range sources.DeliverySources {
				sources.DeliverySources[i].DeliverySourceConfiguration = map[string]string{"samplingRate": "50"}
			}
		}
		return out, err
	}, nil, Service(), vended.Service())
	for _, to := range sourcetest.Record[*evidence.LogSource](t, set, "cloudfront/V2#edge").To {
		if got, _ := to.Extent.Get(); got != (evidence.Extent{Grade: evidence.Some, But: "a sample of 50 in 100"}) {
			t.Errorf("%s gets %+v", to.To, got)
		}
	}
	part := `: access log "V2" records only a part of what comes through CloudFront distribution "V2": a sample of 50 in 100`
	if got := sourcetest.Edge(set); !slices.Contains(got, "fail cloudfront/V2"+part) {
		t.Errorf("got %q", got)
	}
}

// TestARealTimeLogCountsAsFarAsItGoes: where the standard log is off.
func TestARealTimeLogCountsAsFarAsItGoes(t *testing.T) {
	for name, test := range map[string]struct {
		rate  int64
		every bool // every path has it
		err   error
		want  string
	}{
		"all":           {100, true, nil, `pass cloudfront/LIVE: real-time log "LIVE" records what comes through CloudFront distribution "LIVE"`},
		"a sample":      {1, true, nil, `fail cloudfront/LIVE: real-time log "LIVE" records only a part of what comes through CloudFront distribution "LIVE": 1 in 100 requests`},
		"some paths":    {100, false, nil, `fail cloudfront/LIVE: real-time log "LIVE" records only a part of what comes through CloudFront distribution "LIVE": not of every path`},
		"nobody may":    {100, true, awstest.Denied(), `not-assessed cloudfront/LIVE: we may not call ` + listRealtime},
		"both, unknown": {100, false, awstest.Denied(), `fail cloudfront/LIVE: real-time log "LIVE" records only a part of what comes through CloudFront distribution "LIVE": not of every path`},
	} {
		t.Run(name, func(t *testing.T) {
			set := awstest.Scan(t, func(region string, input any) (any, error) {
				out, err := estate(region, input)
				switch out := out.(type) {
				case *cloudfront.ListDistributionsOutput:
					for _, d := range out.DistributionList.Items {
						if test.every && d.CacheBehaviors != nil {
							d.CacheBehaviors.Items = nil
						}
					}
				case *cloudfront.ListRealtimeLogConfigsOutput:
					for i := range out.RealtimeLogConfigs.Items {
						out.RealtimeLogConfigs.Items[i].SamplingRate = &test.rate
					}
					return out, test.err
				}
				return out, err
			}, nil, Service(), vended.Service())
			if got := sourcetest.Edge(set); !slices.Contains(got, test.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// refuse answers with an error where the input is of one type.
func refuse[In any](err error) awstest.Answer {
	return func(region string, input any) (any, error) {
		if _, ok := input.(In); ok {
			return nil, err
		}
		return estate(region, input)
	}
}

func TestARefusedCallLeavesWhatItWouldHaveSaidOpen(t *testing.T) {
	set := awstest.Scan(t, refuse[*cloudfront.GetDistributionConfigInput](awstest.Denied()), nil, Service(), vended.Service())
	sourcetest.Want(t, "sources without a configuration", sourcetest.Sources(set)[3:5],
		"cloudfront/OFF#edge: denied"+asked+"OFF)"+effort+"; perhaps elsewhere: denied",
		"cloudfront/STD#edge: denied"+asked+"STD)"+effort+"; perhaps elsewhere: denied",
	)
	set = awstest.Scan(t, refuse[*cloudwatchlogs.DescribeDeliveriesInput](awstest.Denied()), nil, Service(), vended.Service())
	sourcetest.Want(t, "sources without deliveries", sourcetest.Sources(set),
		"cloudfront/FAR#edge: denied (logs:DescribeDeliveries us-east-1)"+effort+"; perhaps elsewhere: denied",
		"cloudfront/LIVE#edge: off (cloudfront:GetDistributionConfig 111122223333/LIVE)"+effort,
		"cloudfront/LIVE/real-time#edge: on (cloudfront:ListDistributions 111122223333/LIVE) -> kinesis/cdn"+effort+"; not of every path; 5 in 100 requests",
		"cloudfront/OFF#edge: off (cloudfront:GetDistributionConfig 111122223333/OFF)"+effort,
		"cloudfront/STD#edge: on (cloudfront:GetDistributionConfig 111122223333/STD) -> s3/my.s3.logs/cdn"+effort,
		"cloudfront/V2#edge: denied (logs:DescribeDeliveries us-east-1)"+effort+"; perhaps elsewhere: denied",
		"unseen/logs:DescribeDeliveries#edge: denied (logs:DescribeDeliveries ) -> unseen/logs:DescribeDeliveries; perhaps elsewhere: denied",
	)
	set = awstest.Scan(t, refuse[*cloudfront.ListRealtimeLogConfigsInput](awstest.Denied()), nil, Service(), vended.Service())
	sourcetest.Want(t, "real-time logs without their settings", sourcetest.Sources(set)[2:3],
		"cloudfront/LIVE/real-time#edge: on (cloudfront:ListDistributions 111122223333/LIVE)"+effort+"; not of every path; perhaps elsewhere: denied",
	)
	sourcetest.Want(t, "gaps", sourcetest.Gaps(set), "aws:111122223333//account: where real-time logs of distributions go: denied")
}

func TestADistributionThatIsGoneMeanwhileIsNotThere(t *testing.T) {
	set := awstest.Scan(t, func(region string, input any) (any, error) {
		if _, ok := input.(*cloudfront.GetDistributionConfigInput); ok {
			return nil, awstest.Error("NoSuchDistribution")
		}
		return estate(region, input)
	}, nil, Service(), vended.Service())
	if len(set.Records) != 2 || len(set.Gaps) != 0 {
		t.Errorf("it wrote %v, %v", set.Records, set.Gaps)
	}
}

func TestARefusedCallPassesNothing(t *testing.T) {
	sourcetest.DenyEach(t, estate, Service(), vended.Service())
}

func TestGovCloudHasNoCloudFront(t *testing.T) {
	gov := Service()
	gov.Account = func(ctx context.Context, s *scope.Scope) {
		in := *s
		in.Partition = "aws-us-gov"
		Service().Account(ctx, &in)
	}
	set := awstest.Scan(t, func(string, any) (any, error) { return nil, errors.New("no such host") }, nil, gov, vended.Service())
	if len(set.Records) != 2 || len(set.Gaps) != 0 {
		t.Errorf("it wrote %v, %v", set.Records, set.Gaps)
	}
}

func TestAnEmptyAccountHasNoDistributions(t *testing.T) {
	set := awstest.Scan(t, func(string, any) (any, error) { return nil, nil }, nil, Service(), vended.Service())
	if len(set.Records) != 2 || len(set.Gaps) != 0 {
		t.Errorf("it wrote %v, %v", set.Records, set.Gaps)
	}
}

func TestABucketIsNamedByItsAddress(t *testing.T) {
	for address, want := range map[string]string{
		"logs.s3.amazonaws.com": "logs", "logs.s3.eu-west-1.amazonaws.com": "logs", "logs.s3-us-west-2.amazonaws.com": "logs",
		"logs.s3.cn-north-1.amazonaws.com.cn": "logs", "a.b.s3.amazonaws.com": "a.b", "logs": "logs", "": "", ".s3.amazonaws.com": "",
	} {
		if got, ok := bucketOf(address); got != want || ok != (want != "") {
			t.Errorf("%q is the bucket %q, %v; want %q", address, got, ok, want)
		}
	}
}
