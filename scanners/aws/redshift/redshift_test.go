package redshift

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/redshift/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/awstest/sourcetest"
)

func ago(hours int) *time.Time {
	return aws.Time(awstest.Now.Add(-time.Duration(hours) * time.Hour))
}

var status = map[string]*redshift.DescribeLoggingStatusOutput{
	"bucket": {LoggingEnabled: aws.Bool(true), BucketName: aws.String("audit"), S3KeyPrefix: aws.String("dw/"), LastSuccessfulDeliveryTime: ago(1), LastFailureTime: ago(9), LastFailureMessage: aws.String("it was")},
	"failed": {LoggingEnabled: aws.Bool(true), BucketName: aws.String("audit"), LastSuccessfulDeliveryTime: ago(900), LastFailureTime: ago(1), LastFailureMessage: aws.String("Access Denied")},
	"groups": {LoggingEnabled: aws.Bool(true), LogDestinationType: types.LogDestinationTypeCloudwatch, LogExports: []string{"connectionlog", "userlog"}},
	"off":    {LoggingEnabled: aws.Bool(false)},
	"paused": {LoggingEnabled: aws.Bool(true), BucketName: aws.String("audit")},
	"users":  {LoggingEnabled: aws.Bool(true), LogDestinationType: types.LogDestinationTypeCloudwatch, LogExports: []string{"useractivitylog"}},
}

func estate(_ string, input any) (any, error) {
	switch in := input.(type) {
	case *redshift.DescribeClustersInput:
		names, next := []string{"bucket", "failed", "groups"}, aws.String("more")
		if in.Marker != nil {
			names, next = []string{"off", "paused", "users"}, nil
		}
		out := &redshift.DescribeClustersOutput{Marker: next}
		for _, n := range names {
			c := types.Cluster{ClusterIdentifier: aws.String(n), ClusterStatus: aws.String("available")}
			if n == "paused" {
				c.ClusterStatus = aws.String("paused")
			}
			out.Clusters = append(out.Clusters, c)
		}
		return out, nil
	case *redshift.DescribeLoggingStatusInput:
		return status[*in.ClusterIdentifier], nil
	}
	return nil, nil
}

func TestAClusterLogsConnectionsToABucketOrToLogGroups(t *testing.T) {
	set := awstest.Scan(t, estate, nil, Service())
	const at = " (redshift:DescribeLoggingStatus eu-west-1/"
	const place = "/AWSLogs/111122223333/redshift/eu-west-1"
	sourcetest.Want(t, "sources", sourcetest.Sources(set),
		"redshift/bucket#database: on"+at+"bucket) -> s3/audit/dw"+place,
		"redshift/failed#database: on"+at+"failed) -> s3/audit"+place+" (Access Denied)",
		"redshift/groups#database: on"+at+"groups) -> logs//aws/redshift/cluster/groups/connectionlog",
		"redshift/off#database: off"+at+"off)",
		"redshift/paused#database: on"+at+"paused) -> s3/audit"+place,
		"redshift/users#database: off"+at+"users, only useractivitylog goes to CloudWatch Logs)",
	)
	last := func(name string) evidence.Value[time.Time] {
		return sourcetest.Record[*evidence.LogSource](t, set, "redshift/"+name+"#database").To[0].Last
	}
	if when, known := last("failed").Get(); !known || !when.Equal(*ago(900)) {
		t.Errorf("records last came at %v", when)
	}
	if !last("paused").IsMoot() || !last("groups").IsMoot() {
		t.Error("a paused cluster is quiet, and nobody tells when log groups were last written")
	}
	if c := sourcetest.Record[*evidence.Asset](t, set, "redshift/off"); c.Kind != "Redshift cluster" || !c.Lasting {
		t.Errorf("the asset is %+v", c)
	}
}

func TestARefusedCallLeavesTheQuestionOpen(t *testing.T) {
	set := awstest.Scan(t, func(region string, input any) (any, error) {
		switch in := input.(type) {
		case *redshift.DescribeLoggingStatusInput:
			return nil, awstest.Denied()
		case *redshift.DescribeClustersInput:
			if in.Marker != nil {
				return nil, awstest.Denied()
			}
		}
		return estate(region, input)
	}, nil, Service())
	const denied = "#database: denied (redshift:DescribeLoggingStatus eu-west-1/"
	sourcetest.Want(t, "sources", sourcetest.Sources(set),
		"redshift/bucket"+denied+"bucket)", "redshift/failed"+denied+"failed)", "redshift/groups"+denied+"groups)",
		"unseen/Redshift-clusters#database: denied (redshift:DescribeClusters eu-west-1) -> unseen/Redshift-clusters/records; perhaps elsewhere: denied",
		"unseen/redshift:DescribeLoggingStatus#database: denied (redshift:DescribeLoggingStatus eu-west-1) -> unseen/redshift:DescribeLoggingStatus; perhaps elsewhere: denied",
	)
	sourcetest.Want(t, "gaps", sourcetest.Gaps(set), "aws:111122223333/eu-west-1//region: Redshift clusters: denied")
	sourcetest.DenyEach(t, estate, Service())
}

func TestAClusterThatIsGoneMeanwhileIsNotThere(t *testing.T) {
	set := awstest.Scan(t, func(region string, input any) (any, error) {
		if _, ok := input.(*redshift.DescribeLoggingStatusInput); ok {
			return nil, awstest.Error("ClusterNotFound")
		}
		return estate(region, input)
	}, nil, Service())
	if len(set.Records) != 2 || len(set.Gaps) != 0 {
		t.Errorf("it wrote %v, %v", set.Records, set.Gaps)
	}
}

func TestAnEmptyAccountHasNoClusters(t *testing.T) {
	set := awstest.Scan(t, func(string, any) (any, error) { return nil, nil }, nil, Service())
	if len(set.Records) != 2 || len(set.Gaps) != 0 {
		t.Errorf("it wrote %v, %v", set.Records, set.Gaps)
	}
}
