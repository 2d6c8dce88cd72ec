// Package resolver reads which names the machines of a VPC ask the Route 53 Resolver for are written down.
package resolver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53resolver"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// Service reads the query log configurations of a region and the VPCs that they are associated with. The VPCs themselves
// are recorded by the reader of flow logs, which is told under "resolver query logs" whether all were seen.
func Service() scope.Service {
	return scope.Service{
		Name: "resolver",
		Calls: []scope.Call{
			{
				Service: route53resolver.ServiceID, Op: "ListResolverQueryLogConfigs", Action: "route53resolver:ListResolverQueryLogConfigs",
				Per: "region", Fills: "LogSource.To, Delivery.Error",
			},
			{
				Service: route53resolver.ServiceID, Op: "ListResolverQueryLogConfigAssociations",
				Action: "route53resolver:ListResolverQueryLogConfigAssociations", Per: "region", Fills: "LogSource.Covers, LogSource.Enabled, LogSource.Since",
			},
		},
		Region: read,
	}
}

// errUnlisted is why the associations are not the whole answer: the Route 53 developer guide, "Managing Resolver query
// logging configurations", also knows profiles, which apply a configuration to the VPCs that they belong to.
var errUnlisted = errors.New("query log configurations could not be listed; a Route 53 profile, which is not read, may apply one")

func read(ctx context.Context, s *scope.Scope) {
	client := route53resolver.NewFromConfig(s.Config)
	configs, missed := configurations(ctx, s, client)
	if missed != nil {
		s.Missed(s.Home(), "destinations of DNS query logs", missed, s.At("route53resolver:ListResolverQueryLogConfigs", ""))
	}
	associated := map[string]bool{}
	profiles := map[string]bool{} // of configurations by name, those that are associated with another thing than a VPC
	pages := route53resolver.NewListResolverQueryLogConfigAssociationsPaginator(client, &route53resolver.ListResolverQueryLogConfigAssociationsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			s.Blind("DNS query logs", err, s.At("route53resolver:ListResolverQueryLogConfigAssociations", ""), scope.Unseen{Activities: []evidence.Activity{evidence.DNS}, On: s.Home()})
			s.Listed("resolver query logs", err)
			return
		}
		for _, a := range page.ResolverQueryLogConfigAssociations {
			id := aws.ToString(a.ResolverQueryLogConfigId)
			associated[id] = true
			if !strings.HasPrefix(aws.ToString(a.ResourceId), "vpc-") {
				profiles[cmp.Or(configs[id].name, id)] = true
				continue
			}
			observe(s, associate(s, a, configs, missed))
		}
	}
	var doubt error
	if missed != nil {
		doubt = errUnlisted // not the error itself: it is of another call
	}
	for id, c := range configs {
		if !associated[id] && c.unexplained() {
			profiles[cmp.Or(c.name, id)] = true
		}
	}
	if names := slices.Sorted(maps.Keys(profiles)); len(names) > 0 {
		doubt = fmt.Errorf("no VPC is known to have the query log configuration %s; a Route 53 profile, which is not read, may apply it", strings.Join(names, ", "))
	}
	s.Listed("resolver query logs", doubt)
}

func configurations(ctx context.Context, s *scope.Scope, client *route53resolver.Client) (map[string]configuration, error) {
	out := map[string]configuration{}
	pages := route53resolver.NewListResolverQueryLogConfigsPaginator(client, &route53resolver.ListResolverQueryLogConfigsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return out, err
		}
		for _, c := range page.ResolverQueryLogConfigs {
			id := aws.ToString(c.Id)
			out[id] = configuration{
				shared: c.ShareStatus, vpcs: c.AssociationCount, name: aws.ToString(c.Name), status: c.Status, destination: aws.ToString(c.DestinationArn), at: s.At("route53resolver:ListResolverQueryLogConfigs", id),
			}
		}
	}
	return out, nil
}
