package awstest

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"lookback/scanners/aws/scope"
)

// TestAnEmptyAccountAnswers holds the fake against the SDK's decoders, one operation for each protocol.
func TestAnEmptyAccountAnswers(t *testing.T) {
	calls := 0
	check := func(what string, err error) {
		calls++
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	Scan(t, func(string, any) (any, error) { return nil, nil }, nil, scope.Service{
		Name: "test",
		Calls: []scope.Call{
			{Service: cloudtrail.ServiceID, Op: "DescribeTrails"},
			{Service: ec2.ServiceID, Op: "DescribeVpcs"},
			{Service: eks.ServiceID, Op: "ListClusters"},
			{Service: rds.ServiceID, Op: "DescribeDBInstances"},
			{Service: s3.ServiceID, Op: "ListBuckets"},
			{Service: s3.ServiceID, Op: "GetBucketLogging"},
			{Service: cloudwatch.ServiceID, Op: "DescribeAlarms"},
		},
		Region: func(ctx context.Context, s *scope.Scope) {
			_, err := cloudtrail.NewFromConfig(s.Config).DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{})
			check("json", err)
			_, err = ec2.NewFromConfig(s.Config).DescribeVpcs(ctx, &ec2.DescribeVpcsInput{})
			check("ec2", err)
			_, err = eks.NewFromConfig(s.Config).ListClusters(ctx, &eks.ListClustersInput{})
			check("rest-json", err)
			_, err = rds.NewFromConfig(s.Config).DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{})
			check("query", err)
			_, err = s3.NewFromConfig(s.Config).ListBuckets(ctx, &s3.ListBucketsInput{})
			check("rest-xml", err)
			_, err = cloudwatch.NewFromConfig(s.Config).DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
			check("cbor", err)
			name := "b"
			_, err = s3.NewFromConfig(s.Config).GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: &name})
			check("rest-xml, a bucket", err)
		},
	})
	if calls != 7 {
		t.Errorf("%d calls were made", calls)
	}
}
