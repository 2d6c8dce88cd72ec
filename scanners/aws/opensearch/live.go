// Package opensearch reads where the audit logs of OpenSearch and Elasticsearch domains go.
package opensearch

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/opensearch"
	"github.com/aws/aws-sdk-go-v2/service/opensearch/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// The permissions of the calls.
const (
	listDomains = "es:ListDomainNames"
	readDomains = "es:DescribeDomains"
)

// atOnce is how many domains one call describes.
const atOnce = 5

// Service reads OpenSearch Service.
func Service() scope.Service {
	return scope.Service{
		Name: "opensearch",
		Calls: []scope.Call{
			{Service: opensearch.ServiceID, Op: "ListDomainNames", Action: listDomains, Per: "region", Fills: "Asset.ID"},
			{Service: opensearch.ServiceID, Op: "DescribeDomains", Action: readDomains, Per: "five domains", Fills: "LogSource.Enabled, LogSource.To"},
		},
		Region: read,
	}
}

func read(ctx context.Context, s *scope.Scope) {
	client := opensearch.NewFromConfig(s.Config)
	out, err := client.ListDomainNames(ctx, &opensearch.ListDomainNamesInput{})
	if err != nil {
		s.Blind("OpenSearch domains", err, s.At(listDomains, ""), scope.Unseen{Activities: []evidence.Activity{evidence.Database}})
		return
	}
	var names []string
	for _, d := range out.DomainNames {
		names = append(names, aws.ToString(d.DomainName))
	}
	batches := slices.Collect(slices.Chunk(names, atOnce))
	s.Each(len(batches), func(i int) {
		out, err := client.DescribeDomains(ctx, &opensearch.DescribeDomainsInput{DomainNames: batches[i]})
		described := map[string]types.DomainStatus{}
		if err == nil {
			for _, d := range out.DomainStatusList {
				described[aws.ToString(d.DomainName)] = d
			}
		}
		for _, name := range batches[i] {
			at := s.At(readDomains, name)
			d, ok := described[name]
			one := domain{name: name, at: s.At(listDomains, name)}
			switch {
			case err != nil:
				one.published = scope.Unknown[bool](err, at)
			case !ok || aws.ToBool(d.Deleted): // it went in between
				continue
			default:
				set := d.LogPublishingOptions[string(types.LogTypeAuditLogs)]
				one.published = evidence.Known(aws.ToBool(set.Enabled), at)
				one.group = aws.ToString(set.CloudWatchLogsLogGroupArn)
			}
			observe(s, one)
		}
	})
}
