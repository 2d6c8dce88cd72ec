// Package firewall reads what AWS Network Firewall logs.
package firewall

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/networkfirewall"
	"github.com/aws/aws-sdk-go-v2/service/networkfirewall/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// The permissions of the calls.
const (
	listFirewalls = "network-firewall:ListFirewalls"
	readLogging   = "network-firewall:DescribeLoggingConfiguration"
)

// Service reads Network Firewall.
func Service() scope.Service {
	return scope.Service{
		Name: "firewall",
		Calls: []scope.Call{
			{Service: networkfirewall.ServiceID, Op: "ListFirewalls", Action: listFirewalls, Per: "region", Fills: "Asset.ID"},
			{Service: networkfirewall.ServiceID, Op: "DescribeLoggingConfiguration", Action: readLogging, Per: "firewall", Fills: "LogSource.Enabled, LogSource.To, LogSource.Parts"},
		},
		Region: read,
	}
}

func read(ctx context.Context, s *scope.Scope) {
	client := networkfirewall.NewFromConfig(s.Config)
	var found []types.FirewallMetadata
	for p := networkfirewall.NewListFirewallsPaginator(client, &networkfirewall.ListFirewallsInput{}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			s.Blind("network firewalls", err, s.At(listFirewalls, ""), scope.Unseen{Activities: []evidence.Activity{evidence.Edge}})
			break
		}
		found = append(found, page.Firewalls...)
	}
	s.Each(len(found), func(i int) {
		name := aws.ToString(found[i].FirewallName)
		f := firewall{name: name, at: s.At(listFirewalls, name)}
		at := s.At(readLogging, name)
		out, err := client.DescribeLoggingConfiguration(ctx, &networkfirewall.DescribeLoggingConfigurationInput{FirewallArn: found[i].FirewallArn})
		switch {
		case scope.Is(err, "ResourceNotFoundException"):
			return // it was deleted since it was listed
		case err != nil:
			f.logs = scope.Unknown[[]types.LogDestinationConfig](err, at)
		case out.LoggingConfiguration == nil: // none was ever made
			f.logs = evidence.Known([]types.LogDestinationConfig(nil), at.WithNote("AWS default"))
		default:
			f.logs = evidence.Known(out.LoggingConfiguration.LogDestinationConfigs, at)
		}
		observe(s, f)
	})
}
