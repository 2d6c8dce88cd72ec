// Package vpn reads the doors of virtual private networks: who came in through a Client VPN endpoint, and what the tunnels
// of a site-to-site connection did.
package vpn

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// Service reads the VPNs of a region.
func Service() scope.Service {
	return scope.Service{
		Name: "vpn",
		Calls: []scope.Call{
			{
				Service: ec2.ServiceID, Op: "DescribeClientVpnEndpoints", Action: "ec2:DescribeClientVpnEndpoints", Per: "region",
				Fills: "LogSource.Enabled, LogSource.To",
			},
			{
				Service: ec2.ServiceID, Op: "DescribeVpnConnections", Action: "ec2:DescribeVpnConnections", Per: "region",
				Fills: "LogSource.Enabled, LogSource.To",
			},
		},
		Region: read,
	}
}

func read(ctx context.Context, s *scope.Scope) {
	client := ec2.NewFromConfig(s.Config)
	endpoints(ctx, s, client)
	// The answer also holds keys of the tunnels. Nothing of it is kept but what is taken here.
	out, err := client.DescribeVpnConnections(ctx, &ec2.DescribeVpnConnectionsInput{})
	if err != nil {
		s.Blind("VPN connections", err, s.At("ec2:DescribeVpnConnections", ""), scope.Unseen{Activities: []evidence.Activity{evidence.Edge}})
		return
	}
	for _, c := range out.VpnConnections {
		if c.State == types.VpnStateDeleted || c.State == types.VpnStateDeleting {
			continue
		}
		connection(s, c)
	}
}

func endpoints(ctx context.Context, s *scope.Scope, client *ec2.Client) {
	pages := ec2.NewDescribeClientVpnEndpointsPaginator(client, &ec2.DescribeClientVpnEndpointsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			s.Blind("Client VPN endpoints", err, s.At("ec2:DescribeClientVpnEndpoints", ""), scope.Unseen{Activities: []evidence.Activity{evidence.Edge}})
			return
		}
		for _, e := range page.ClientVpnEndpoints {
			if e.Status != nil && (e.Status.Code == types.ClientVpnEndpointStatusCodeDeleted || e.Status.Code == types.ClientVpnEndpointStatusCodeDeleting) {
				continue
			}
			endpoint(s, e)
		}
	}
}

func endpoint(s *scope.Scope, e types.ClientVpnEndpoint) {
	id := aws.ToString(e.ClientVpnEndpointId)
	at := s.At("ec2:DescribeClientVpnEndpoints", id)
	d := door{
		thing: "client-vpn/" + id, kind: "Client VPN endpoint", name: named(e.Tags, id), at: at,
		logKind: "connection log", records: "who connected, from where and how long", enabled: evidence.Known(false, at),
	}
	if l := e.ConnectionLogOptions; l != nil && aws.ToBool(l.Enabled) {
		d.enabled = evidence.Known(true, at)
		d.groups = append(d.groups, aws.ToString(l.CloudwatchLogGroup))
	}
	observe(s, d)
}

func connection(s *scope.Scope, c types.VpnConnection) {
	id := aws.ToString(c.VpnConnectionId)
	at := s.At("ec2:DescribeVpnConnections", id)
	d := door{
		thing: "vpn/" + id, kind: "VPN connection", name: named(c.Tags, id), at: at,
		logKind: "tunnel log", records: "the negotiations and failures of its tunnels",
	}
	if c.Options == nil || len(c.Options.TunnelOptions) == 0 {
		d.enabled = evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("AWS does not name its tunnels"))
		observe(s, d)
		return
	}
	for _, t := range c.Options.TunnelOptions {
		d.tunnels++
		if t.LogOptions == nil || t.LogOptions.CloudWatchLogOptions == nil {
			continue
		}
		if l := t.LogOptions.CloudWatchLogOptions; aws.ToBool(l.LogEnabled) {
			d.logging = append(d.logging, aws.ToString(t.OutsideIpAddress))
			d.groups = append(d.groups, aws.ToString(l.LogGroupArn))
		}
	}
	d.enabled = evidence.Known(len(d.logging) > 0, at)
	observe(s, d)
}

func named(tags []types.Tag, id string) string {
	for _, t := range tags {
		if aws.ToString(t.Key) == "Name" && aws.ToString(t.Value) != "" {
			return aws.ToString(t.Value)
		}
	}
	return id
}
