package firehose

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/scope"
)

const stream evidence.ID = "aws:111122223333/eu-west-1//firehose/flow"

// with answers for one stream with a destination.
func with(d types.DestinationDescription) awstest.Answer {
	return described(&types.DeliveryStreamDescription{DeliveryStreamStatus: types.DeliveryStreamStatusActive, Destinations: []types.DestinationDescription{d}}, nil)
}

func described(d *types.DeliveryStreamDescription, err error) awstest.Answer {
	return func(_ string, input any) (any, error) {
		switch input.(type) {
		case *firehose.ListDeliveryStreamsInput:
			return &firehose.ListDeliveryStreamsOutput{DeliveryStreamNames: []string{"flow"}}, nil
		case *firehose.DescribeDeliveryStreamInput:
			return &firehose.DescribeDeliveryStreamOutput{DeliveryStreamDescription: d}, err
		}
		return nil, nil
	}
}

// writer stands for a reader whose source sends to the stream; vault records the bucket behind it.
func writer(_ context.Context, s *scope.Scope) {
	at := s.At("ec2:DescribeFlowLogs", "fl-1")
	source := s.Source("flow/fl-1", evidence.NetworkFlow, "flow log", "fl-1", at)
	source.Covers = []evidence.ID{s.Home()}
	source.Enabled = evidence.Known(true, at)
	source.To = []evidence.Delivery{evidence.EverythingTo(stream, at)}
	s.Record(source)
}

func scan(t *testing.T, answer awstest.Answer) *evidence.Set {
	t.Helper()
	return awstest.Scan(t, answer, nil, Service(), scope.Service{Name: "flow", Region: writer})
}

func find(t *testing.T, set *evidence.Set) *evidence.LogStore {
	t.Helper()
	for _, r := range set.Records {
		if s, ok := r.(*evidence.LogStore); ok && s.ID == stream {
			return s
		}
	}
	t.Fatalf("no stream among %d records", len(set.Records))
	return nil
}

func text(s string) *string { return aws.String(s) }

func s3(bucket, prefix string) *types.S3DestinationDescription {
	return &types.S3DestinationDescription{BucketARN: text("arn:aws:s3:::" + bucket), Prefix: text(prefix)}
}

func TestAStreamTakesRecordsToItsDestination(t *testing.T) {
	function := &types.ProcessingConfiguration{Enabled: aws.Bool(true), Processors: []types.Processor{{Type: types.ProcessorTypeLambda}}}
	idle := &types.ProcessingConfiguration{Enabled: aws.Bool(false), Processors: []types.Processor{{Type: types.ProcessorTypeLambda}}}
	unpack := &types.ProcessingConfiguration{Enabled: aws.Bool(true), Processors: []types.Processor{{Type: types.ProcessorTypeDecompression}}}
	key := &types.EncryptionConfiguration{KMSEncryptionConfig: &types.KMSEncryptionConfig{AWSKMSKeyARN: text("arn:aws:kms:eu-west-1:111122223333:key/a")}}
	const all, unknown, some = "all", "unknown", "some"
	for _, c := range []struct {
		name string
		to   types.DestinationDescription
		want []string
	}{
		{"a bucket", types.DestinationDescription{ExtendedS3DestinationDescription: &types.ExtendedS3DestinationDescription{
			BucketARN: text("arn:aws:s3:::vault"), Prefix: text("flow/"), EncryptionConfiguration: key,
		}}, []string{"aws://s3/vault/flow " + all}},
		{"both forms of the same bucket", types.DestinationDescription{
			ExtendedS3DestinationDescription: &types.ExtendedS3DestinationDescription{BucketARN: text("arn:aws:s3:::vault")},
			S3DestinationDescription:         s3("vault", ""),
		}, []string{"aws://s3/vault " + all}},
		{"the old form", types.DestinationDescription{S3DestinationDescription: s3("vault", "old/")}, []string{"aws://s3/vault/old " + all}},
		{"a prefix with expressions", types.DestinationDescription{ExtendedS3DestinationDescription: &types.ExtendedS3DestinationDescription{
			BucketARN: text("arn:aws:s3:::vault"), Prefix: text("flow/!{timestamp:yyyy}/x"), ProcessingConfiguration: unpack,
		}}, []string{"aws://s3/vault/flow " + all}},
		{"a function, with a copy of what came in", types.DestinationDescription{ExtendedS3DestinationDescription: &types.ExtendedS3DestinationDescription{
			BucketARN: text("arn:aws:s3:::vault"), ProcessingConfiguration: function,
			S3BackupMode: types.S3BackupModeEnabled, S3BackupDescription: s3("raw", ""),
		}}, []string{"aws://s3/vault " + unknown, "aws://s3/raw " + all}},
		{"a function and a copy that are off", types.DestinationDescription{ExtendedS3DestinationDescription: &types.ExtendedS3DestinationDescription{
			BucketARN: text("arn:aws:s3:::vault"), ProcessingConfiguration: idle,
			S3BackupMode: types.S3BackupModeDisabled, S3BackupDescription: s3("raw", ""),
		}}, []string{"aws://s3/vault " + all}},
		{"Redshift", types.DestinationDescription{RedshiftDestinationDescription: &types.RedshiftDestinationDescription{
			ClusterJDBCURL: text("jdbc:redshift://dw.example.eu-west-1.redshift.amazonaws.com:5439/logs"), S3DestinationDescription: s3("staging", ""),
			S3BackupMode: types.RedshiftS3BackupModeEnabled, S3BackupDescription: s3("raw", ""),
		}}, []string{"redshift:dw.example.eu-west-1.redshift.amazonaws.com// " + all, "aws://s3/staging " + all, "aws://s3/raw " + all}},
		{"Splunk, with what failed", types.DestinationDescription{SplunkDestinationDescription: &types.SplunkDestinationDescription{
			HECEndpoint: text("https://hec.example.com:8088"), S3BackupMode: types.SplunkS3BackupModeFailedEventsOnly, S3DestinationDescription: s3("failed", ""),
		}}, []string{"splunk:hec.example.com// " + all, "aws://s3/failed " + some}},
		{"Splunk, with everything", types.DestinationDescription{SplunkDestinationDescription: &types.SplunkDestinationDescription{
			HECEndpoint: text("https://hec.example.com:8088"), S3BackupMode: types.SplunkS3BackupModeAllEvents, S3DestinationDescription: s3("raw", ""),
		}}, []string{"splunk:hec.example.com// " + all, "aws://s3/raw " + all}},
		{"an endpoint", types.DestinationDescription{HttpEndpointDestinationDescription: &types.HttpEndpointDestinationDescription{
			EndpointConfiguration: &types.HttpEndpointDescription{Url: text("https://logs.example.net/in")}, S3BackupMode: types.HttpEndpointS3BackupModeAllData, S3DestinationDescription: s3("raw", ""),
		}}, []string{"http:logs.example.net// " + all, "aws://s3/raw " + all}},
		{"an endpoint of which nothing is said", types.DestinationDescription{HttpEndpointDestinationDescription: &types.HttpEndpointDestinationDescription{}}, []string{"http:// " + all}},
		{"an OpenSearch domain", types.DestinationDescription{AmazonopensearchserviceDestinationDescription: &types.AmazonopensearchserviceDestinationDescription{
			DomainARN: text("arn:aws:es:eu-west-1:111122223333:domain/siem"), S3BackupMode: types.AmazonopensearchserviceS3BackupModeFailedDocumentsOnly, S3DestinationDescription: s3("failed", ""),
		}}, []string{"aws:111122223333/eu-west-1//opensearch/siem " + all, "aws://s3/failed " + some}},
		{"an Elasticsearch cluster", types.DestinationDescription{ElasticsearchDestinationDescription: &types.ElasticsearchDestinationDescription{
			ClusterEndpoint: text("https://es.example.com"), S3BackupMode: types.ElasticsearchS3BackupModeAllDocuments, S3DestinationDescription: s3("raw", ""),
		}}, []string{"opensearch:es.example.com// " + all, "aws://s3/raw " + all}},
		{"a serverless collection", types.DestinationDescription{AmazonOpenSearchServerlessDestinationDescription: &types.AmazonOpenSearchServerlessDestinationDescription{
			CollectionEndpoint: text("https://c.aoss.amazonaws.com"), ProcessingConfiguration: function,
		}}, []string{"opensearch:c.aoss.amazonaws.com// " + unknown}},
		{"Snowflake", types.DestinationDescription{SnowflakeDestinationDescription: &types.SnowflakeDestinationDescription{
			AccountUrl: text("acme.snowflakecomputing.com"), S3BackupMode: types.SnowflakeS3BackupModeFailedDataOnly, S3DestinationDescription: s3("failed", ""),
		}}, []string{"snowflake:acme.snowflakecomputing.com// " + all, "aws://s3/failed " + some}},
		{
			"Iceberg",
			types.DestinationDescription{IcebergDestinationDescription: &types.IcebergDestinationDescription{S3DestinationDescription: s3("failed", "")}},
			[]string{"aws:111122223333/eu-west-1//iceberg " + all, "aws://s3/failed " + some},
		},
	} {
		s := find(t, scan(t, with(c.to)))
		var got []string
		for _, d := range s.To {
			grade := unknown
			if e, known := d.Extent.Get(); known {
				grade = string(e.Grade)
			}
			got = append(got, fmt.Sprintf("%s %s", d.To, grade))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		if days, known := s.Kept.Get(); !known || days != 0 {
			t.Errorf("%s: got %+v", c.name, s.Kept)
		}
	}
}

// judged runs the checks with a bucket behind the stream that keeps records for some days.
func judged(t *testing.T, answer awstest.Answer, days int) []string {
	t.Helper()
	set := awstest.Scan(t, answer, nil, Service(), scope.Service{Name: "flow", Region: func(ctx context.Context, s *scope.Scope) {
		writer(ctx, s)
		at := s.At("s3:GetLifecycleConfiguration", "vault")
		vault := s.Store("aws://s3/vault/flow", "bucket", "s3://vault/flow", at)
		vault.Kept = evidence.Known(days, at)
		s.Record(vault)
	}})
	return awstest.Judge(set)
}

func outcome(lines []string, check string) string {
	for _, line := range lines {
		if f := strings.Fields(line); f[1] == check && f[2] == string(stream)+":" {
			return f[0]
		}
	}
	return ""
}

func TestAStreamIsAsGoodAsWhatIsBehindIt(t *testing.T) {
	bucket := with(types.DestinationDescription{S3DestinationDescription: s3("vault", "flow/")})
	empty := &types.DeliveryStreamDescription{Destinations: []types.DestinationDescription{{}}}
	broken := &types.DeliveryStreamDescription{DeliveryStreamStatus: types.DeliveryStreamStatusCreatingFailed, Destinations: []types.DestinationDescription{{S3DestinationDescription: s3("vault", "flow/")}}}
	in := func(state types.DeliveryStreamStatus) awstest.Answer {
		d := *broken
		d.DeliveryStreamStatus = state
		return described(&d, nil)
	}
	more := &types.DeliveryStreamDescription{Destinations: []types.DestinationDescription{{S3DestinationDescription: s3("other", "")}}, HasMoreDestinations: aws.Bool(true)}
	for _, c := range []struct {
		name   string
		answer awstest.Answer
		days   int
		want   string
	}{
		{"a bucket that keeps", bucket, 400, "pass"},
		{"a bucket that does not", bucket, 7, "fail"},
		{"a server that nobody scanned", with(types.DestinationDescription{SplunkDestinationDescription: &types.SplunkDestinationDescription{HECEndpoint: text("https://hec.example.com")}}), 400, "not-assessed"},
		{"a destination of tomorrow", described(empty, nil), 400, "not-assessed"},
		{"one more that was not said", described(more, nil), 400, "not-assessed"},
		{"a stream that was never made", described(broken, nil), 400, "fail"},
		{"a stream that is made right now", in(types.DeliveryStreamStatusCreating), 400, "pass"},
		{"a stream that is being deleted", in(types.DeliveryStreamStatusDeleting), 400, "fail"},
		{"a stream that could not be deleted", in(types.DeliveryStreamStatusDeletingFailed), 400, "not-assessed"},
		{"a stream that nobody may see", described(nil, awstest.Denied()), 400, "not-assessed"},
		{"an empty answer", described(nil, nil), 400, "not-assessed"},
	} {
		lines := judged(t, c.answer, c.days)
		if got := outcome(lines, "retained-long-enough"); got != c.want {
			t.Errorf("%s: got %q, want %q: %q", c.name, got, c.want, lines)
		}
	}
}

func TestADeniedStreamNamesThePermission(t *testing.T) {
	s := find(t, scan(t, described(nil, awstest.Denied())))
	want := evidence.Origin{Call: "firehose:DescribeDeliveryStream", Of: "eu-west-1/flow"}
	if s.Kept.Why() != evidence.Denied || s.Kept.At() != want || s.Complete.Why() != evidence.Denied {
		t.Errorf("got %+v and %+v", s.Kept, s.Complete)
	}
}

func TestAStreamThatIsGoneMeanwhileIsNotThere(t *testing.T) {
	set := awstest.Scan(t, described(nil, awstest.Error("ResourceNotFoundException")), nil, Service())
	if len(set.Records) != 2 || len(set.Gaps) != 0 { // account and region
		t.Errorf("got %v and %v", set.Records, set.Gaps)
	}
}

func TestStreamsOfAllPagesAreRead(t *testing.T) {
	const region = "aws:111122223333/eu-west-1//"
	for _, second := range []error{nil, awstest.Denied()} {
		set := scan(t, func(_ string, input any) (any, error) {
			switch in := input.(type) {
			case *firehose.ListDeliveryStreamsInput:
				if in.ExclusiveStartDeliveryStreamName == nil {
					return &firehose.ListDeliveryStreamsOutput{DeliveryStreamNames: []string{"a", "flow"}, HasMoreDeliveryStreams: aws.Bool(true)}, nil
				}
				if aws.ToString(in.ExclusiveStartDeliveryStreamName) != "flow" {
					t.Errorf("got %+v", in)
				}
				return &firehose.ListDeliveryStreamsOutput{DeliveryStreamNames: []string{"z"}, HasMoreDeliveryStreams: aws.Bool(false)}, second
			case *firehose.DescribeDeliveryStreamInput:
				return &firehose.DescribeDeliveryStreamOutput{DeliveryStreamDescription: &types.DeliveryStreamDescription{}}, nil
			}
			return nil, nil
		})
		var stores []evidence.ID
		for _, r := range set.Records {
			if _, ok := r.(*evidence.LogStore); ok {
				stores = append(stores, r.Self().ID)
			}
		}
		want := []evidence.ID{region + "firehose/a", region + "firehose/flow", region + "firehose/z"}
		if second != nil { // what stands for the streams of the page that was refused
			want[2] = region + "unseen/Firehose-streams/records"
		}
		if !slices.Equal(stores, want) {
			t.Errorf("got %v, want %v", stores, want)
		}
		find(t, set)
		switch {
		case second == nil && len(set.Gaps) != 0,
			second != nil && (len(set.Gaps) != 1 || set.Gaps[0].Why != evidence.Denied || set.Gaps[0].At.Call != "firehose:ListDeliveryStreams"):
			t.Errorf("gaps: %v", set.Gaps)
		}
	}
}

func TestARegionWithoutStreamsHasNothingToSay(t *testing.T) {
	set := awstest.Scan(t, func(string, any) (any, error) { return nil, nil }, nil, Service())
	if len(set.Records) != 2 || len(set.Gaps) != 0 { // account and region
		t.Errorf("got %v and %v", set.Records, set.Gaps)
	}
}
