// Package flow reads the networks of a region and their flow logs: which traffic is written down, where it goes, and
// whether it arrives there.
package flow

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// Service reads the VPCs of a region and its flow logs. NAT gateways are not asked for: what goes through one is in the
// flow logs of its subnet and of its VPC.
func Service() scope.Service {
	return scope.Service{
		Name: "flow",
		Calls: []scope.Call{
			{Service: ec2.ServiceID, Op: "DescribeVpcs", Action: "ec2:DescribeVpcs", Per: "region", Fills: "Asset.ID, Asset.In"},
			{
				Service: ec2.ServiceID, Op: "DescribeFlowLogs", Action: "ec2:DescribeFlowLogs", Per: "region",
				Fills: "LogSource.Enabled, LogSource.Since, LogSource.Parts, Delivery.Error",
			},
			{
				Service: ec2.ServiceID, Op: "DescribeSubnets", Action: "ec2:DescribeSubnets", Per: "region",
				Fills: "LogSource.Covers, LogSource.Parts", Perhaps: "where a subnet has a flow log",
			},
			{
				Service: ec2.ServiceID, Op: "DescribeNetworkInterfaces", Action: "ec2:DescribeNetworkInterfaces", Per: "VPC, and 200 network interfaces",
				Fills: "LogSource.Covers, LogSource.Parts", Perhaps: "only for a VPC of which nothing has a flow log, and for network interfaces that have one",
			},
		},
		Region: read,
	}
}

func read(ctx context.Context, s *scope.Scope) {
	client := ec2.NewFromConfig(s.Config)
	e := estate{subnets: map[string][]string{}, interfaces: map[string][]string{}}
	e.networks, e.networksErr = networks(ctx, s, client)
	if e.networksErr != nil {
		s.Blind("VPCs", e.networksErr, s.At("ec2:DescribeVpcs", ""), scope.Unseen{Activities: []evidence.Activity{evidence.NetworkFlow, evidence.DNS}})
	}
	e.logs, e.logsErr = flowLogs(ctx, s, client)
	if e.logsErr != nil {
		s.Blind("flow logs", e.logsErr, s.At("ec2:DescribeFlowLogs", ""), scope.Unseen{Activities: []evidence.Activity{evidence.NetworkFlow}, On: s.Home()})
	}
	if len(e.on("subnet-")) > 0 {
		e.subnetsErr = subnets(ctx, client, e.subnets)
	}
	if some := e.on("eni-"); len(some) > 0 {
		e.interfacesErr = interfaces(ctx, client, some, e.interfaces)
	}
	bare := e.bare(s.Account)
	s.Each(len(bare), func(i int) { bare[i].used = used(ctx, s, client, bare[i].id) })
	observe(s, e)
}

func networks(ctx context.Context, s *scope.Scope, client *ec2.Client) (out []network, err error) {
	pages := ec2.NewDescribeVpcsPaginator(client, &ec2.DescribeVpcsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return out, err
		}
		for _, v := range page.Vpcs {
			id := aws.ToString(v.VpcId)
			out = append(out, network{id: id, name: named(v.Tags, id), owner: aws.ToString(v.OwnerId), at: s.At("ec2:DescribeVpcs", id)})
		}
	}
	return out, nil
}

func flowLogs(ctx context.Context, s *scope.Scope, client *ec2.Client) (out []flowLog, err error) {
	pages := ec2.NewDescribeFlowLogsPaginator(client, &ec2.DescribeFlowLogsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return out, err
		}
		for _, l := range page.FlowLogs {
			out = append(out, describe(s, l))
		}
	}
	slices.SortFunc(out, func(a, b flowLog) int { return strings.Compare(a.id, b.id) })
	return out, nil
}

func describe(s *scope.Scope, l types.FlowLog) flowLog {
	id := aws.ToString(l.FlowLogId)
	at := s.At("ec2:DescribeFlowLogs", id)
	out := flowLog{id: id, name: named(l.Tags, id), resource: aws.ToString(l.ResourceId), traffic: l.TrafficType, to: destination(s, l), at: at}
	if format := aws.ToString(l.LogFormat); format != "" {
		from := strings.Contains(format, "${srcaddr}") || strings.Contains(format, "${pkt-srcaddr}")
		to := strings.Contains(format, "${dstaddr}") || strings.Contains(format, "${pkt-dstaddr}")
		out.nameless = !from || !to
	}
	// The API knows the one state ACTIVE; see the type FlowLog of the EC2 API.
	if status := aws.ToString(l.FlowLogStatus); status == "ACTIVE" {
		out.enabled = evidence.Known(true, at)
	} else {
		out.enabled = evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("its status is "+status))
	}
	if l.CreationTime != nil {
		out.since = evidence.Known(l.CreationTime.UTC(), at)
	} else {
		out.since = evidence.Unknown[time.Time](evidence.Unfamiliar, at.WithNote("AWS does not say when it was created"))
	}
	switch status := aws.ToString(l.DeliverLogsStatus); {
	case status == "SUCCESS":
		out.failure = evidence.Known("", at)
	case status == "FAILED" && aws.ToString(l.DeliverLogsErrorMessage) != "":
		out.failure = evidence.Known(aws.ToString(l.DeliverLogsErrorMessage), at)
	case status == "FAILED":
		out.failure = evidence.Known("the delivery fails, and AWS gives no reason", at)
	default:
		out.failure = evidence.Unknown[string](evidence.Unfamiliar, at.WithNote("AWS does not say whether its records arrive"))
	}
	return out
}

// destination names where a flow log sends its records; "" where AWS names nothing that we know.
func destination(s *scope.Scope, l types.FlowLog) evidence.ID {
	to := aws.ToString(l.LogDestination)
	arn, isARN := scope.ParseARN(to)
	switch {
	case isARN && arn.Service == "s3":
		bucket, prefix, _ := strings.Cut(arn.Resource, "/")
		return s.Bucket(scope.Place{Bucket: bucket, Prefix: folder(s, strings.Trim(prefix, "/"), l.DestinationOptions)})
	case isARN && arn.Service == "firehose":
		return evidence.ID("aws:" + arn.Account + "/" + arn.Region + "//firehose/" + arn.Name())
	case isARN && arn.Service == "logs":
		return s.GroupID(to)
	case aws.ToString(l.LogGroupName) != "":
		return s.GroupID(aws.ToString(l.LogGroupName))
	}
	return ""
}

// folder is where in a bucket the files of a flow log lie; see the Amazon VPC user guide, "Flow log files".
func folder(s *scope.Scope, prefix string, o *types.DestinationOptionsResponse) string {
	if prefix != "" {
		prefix += "/"
	}
	if o != nil && aws.ToBool(o.HiveCompatiblePartitions) {
		return prefix + "AWSLogs/aws-account-id=" + s.Account + "/aws-service=vpcflowlogs/aws-region=" + s.Region + "/"
	}
	return prefix + "AWSLogs/" + s.Account + "/vpcflowlogs/" + s.Region + "/"
}

// subnets fills in the subnets of each VPC.
func subnets(ctx context.Context, client *ec2.Client, of map[string][]string) error {
	pages := ec2.NewDescribeSubnetsPaginator(client, &ec2.DescribeSubnetsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, n := range page.Subnets {
			vpc := aws.ToString(n.VpcId)
			of[vpc] = append(of[vpc], aws.ToString(n.SubnetId))
		}
	}
	return nil
}

// atOnce is how many values a filter of the EC2 API takes; see the Amazon EC2 user guide, "Filter resources".
const atOnce = 200

// fewest is the shortest page of network interfaces; see the EC2 API, DescribeNetworkInterfaces.
const fewest = 5

// interfaces fills in which of some network interfaces belong to each VPC. It filters by id and does not ask for ids: an
// interface that is gone would be an error.
func interfaces(ctx context.Context, client *ec2.Client, some []string, of map[string][]string) error {
	for ids := range slices.Chunk(some, atOnce) {
		pages := ec2.NewDescribeNetworkInterfacesPaginator(client, &ec2.DescribeNetworkInterfacesInput{
			Filters: []types.Filter{{Name: aws.String("network-interface-id"), Values: ids}},
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, n := range page.NetworkInterfaces {
				vpc := aws.ToString(n.VpcId)
				of[vpc] = append(of[vpc], aws.ToString(n.NetworkInterfaceId))
			}
		}
	}
	return nil
}

// used says whether a VPC has a network interface: whatever sends or takes a packet in it has one. One is enough to know.
func used(ctx context.Context, s *scope.Scope, client *ec2.Client, vpc string) evidence.Value[bool] {
	at := s.At("ec2:DescribeNetworkInterfaces", vpc)
	pages := ec2.NewDescribeNetworkInterfacesPaginator(client, &ec2.DescribeNetworkInterfacesInput{
		Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{vpc}}}, MaxResults: aws.Int32(fewest),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return scope.Unknown[bool](err, at)
		}
		if len(page.NetworkInterfaces) > 0 {
			return evidence.Known(true, at)
		}
	}
	return evidence.Known(false, at)
}

func named(tags []types.Tag, id string) string {
	for _, t := range tags {
		if aws.ToString(t.Key) == "Name" && aws.ToString(t.Value) != "" {
			return aws.ToString(t.Value)
		}
	}
	return id
}
