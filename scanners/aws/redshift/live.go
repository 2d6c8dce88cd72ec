// Package redshift reads what Redshift clusters log of who connects.
package redshift

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	"github.com/aws/aws-sdk-go-v2/service/redshift/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// The permissions of the calls.
const (
	listClusters = "redshift:DescribeClusters"
	readLogging  = "redshift:DescribeLoggingStatus"
)

// Service reads Redshift. Its serverless workgroups are not read.
func Service() scope.Service {
	return scope.Service{
		Name: "redshift",
		Calls: []scope.Call{
			{Service: redshift.ServiceID, Op: "DescribeClusters", Action: listClusters, Per: "region", Fills: "Asset.ID"},
			{Service: redshift.ServiceID, Op: "DescribeLoggingStatus", Action: readLogging, Per: "cluster", Fills: "LogSource.Enabled, LogSource.To, Delivery.Last, Delivery.Error"},
		},
		Region: read,
	}
}

func read(ctx context.Context, s *scope.Scope) {
	client := redshift.NewFromConfig(s.Config)
	var found []types.Cluster
	for p := redshift.NewDescribeClustersPaginator(client, &redshift.DescribeClustersInput{}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			s.Blind("Redshift clusters", err, s.At(listClusters, ""), scope.Unseen{Activities: []evidence.Activity{evidence.Database}})
			break
		}
		found = append(found, page.Clusters...)
	}
	s.Each(len(found), func(i int) {
		name := aws.ToString(found[i].ClusterIdentifier)
		c := cluster{name: name, at: s.At(listClusters, name), paused: aws.ToString(found[i].ClusterStatus) == "paused"}
		at := s.At(readLogging, name)
		out, err := client.DescribeLoggingStatus(ctx, &redshift.DescribeLoggingStatusInput{ClusterIdentifier: &name})
		if scope.Is(err, "ClusterNotFound") {
			return // it was deleted since it was listed
		}
		if c.on = scope.Unknown[bool](err, at); err == nil {
			c.on = evidence.Known(aws.ToBool(out.LoggingEnabled), at)
			c.toGroups = out.LogDestinationType == types.LogDestinationTypeCloudwatch
			c.bucket, c.prefix, c.exports = aws.ToString(out.BucketName), aws.ToString(out.S3KeyPrefix), out.LogExports
			c.delivered, c.failed, c.message = instant(out.LastSuccessfulDeliveryTime), instant(out.LastFailureTime), aws.ToString(out.LastFailureMessage)
		}
		observe(s, c)
	})
}

func instant(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
