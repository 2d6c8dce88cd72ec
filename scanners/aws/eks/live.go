// Package eks reads the clusters of Elastic Kubernetes Service: whether they write an audit log, and where to.
package eks

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// Service reads the clusters of a region.
func Service() scope.Service {
	return scope.Service{
		Name: "eks",
		Calls: []scope.Call{
			{Service: eks.ServiceID, Op: "ListClusters", Action: "eks:ListClusters", Per: "region", Fills: "Asset.Looked"},
			{
				Service: eks.ServiceID, Op: "DescribeCluster", Action: "eks:DescribeCluster", Per: "EKS cluster",
				Fills: "LogSource.Enabled, LogSource.Parts, Delivery.Error", Perhaps: "where there are EKS clusters",
			},
		},
		Region: read,
	}
}

// Answers that say too little.
var (
	errEmpty  = errors.New("the answer is empty")
	errUnsaid = errors.New("the answer does not say whether the audit log is on")
)

func read(ctx context.Context, s *scope.Scope) {
	client := eks.NewFromConfig(s.Config)
	var names []string
	pages := eks.NewListClustersPaginator(client, &eks.ListClustersInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			s.Blind("EKS clusters", err, s.At("eks:ListClusters", ""), scope.Unseen{Activities: []evidence.Activity{evidence.KubernetesAPI}})
			break
		}
		names = append(names, page.Clusters...)
	}
	s.Each(len(names), func(i int) {
		at := s.At("eks:DescribeCluster", names[i])
		out, err := client.DescribeCluster(ctx, &eks.DescribeClusterInput{Name: aws.String(names[i])})
		if scope.Is(err, "ResourceNotFoundException") || err == nil && out.Cluster != nil && out.Cluster.Status == types.ClusterStatusDeleting {
			return // it was deleted since it was listed, or is about to be gone
		}
		c := cluster{name: names[i], at: at}
		if err == nil {
			c.audit, err = audits(out.Cluster, at)
		}
		if err != nil {
			c.audit = scope.Unknown[bool](err, at)
			s.Stand("audit log of EKS cluster "+names[i], err, at, scope.Unseen{Activities: []evidence.Activity{evidence.KubernetesAPI}, On: s.ID("eks/" + names[i])})
		}
		observe(s, c)
	})
}

// audits says whether the audit log is among what a cluster sends to CloudWatch Logs, in whichever of its setups. Each type
// of log is off until it is turned on; see the EKS user guide, "Send control plane logs to CloudWatch Logs".
func audits(c *types.Cluster, at evidence.Origin) (evidence.Value[bool], error) {
	if c == nil {
		return evidence.Value[bool]{}, errEmpty
	}
	said := map[bool]bool{}
	if c.Logging != nil {
		for _, setup := range c.Logging.ClusterLogging {
			if slices.Contains(setup.Types, types.LogTypeAudit) {
				if setup.Enabled == nil {
					return evidence.Value[bool]{}, errUnsaid
				}
				said[*setup.Enabled] = true
			}
		}
	}
	switch {
	case said[true] && said[false]:
		return evidence.Value[bool]{}, errUnsaid
	case said[true]:
		return evidence.Known(true, at), nil
	}
	return evidence.Known(false, at.WithNote("EKS writes no control plane logs unless asked")), nil
}
