// Package logs reads the log groups of CloudWatch Logs: how long each keeps its records, with which key it is encrypted,
// and where copies go.
package logs

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"lookback/evidence"
	"lookback/scanners/aws/kms"
	"lookback/scanners/aws/scope"
)

// page is how many log groups, or filters, come with one call; AWS gives no more.
const page = 50

// oneByOne is how many quiet log groups of a region are asked one by one for their subscription filters; where there are
// more, none of them is. AWS grants few such calls a second: hundreds of groups would take minutes.
const oneByOne = 50

// Service reads CloudWatch Logs.
//
// No call lists the subscription filters of a region; they are asked for group by group, at a low rate. So the metrics
// that CloudWatch Logs writes about itself go first, which come 500 a call: they name each group that received records
// within two weeks, and each group of which a filter forwarded some. A group that received and did not forward has no
// copy. Only the others are asked: those that forward, and, while they are few, those in which nothing moved.
//
// Of n groups, a of which received records lately, f forwarded some and q were quiet, that is
//
//	n/50 + 1 + a/500 + f/500 + f + (q where q is at most 50)
//
// calls a region, and one for each key.
func Service() scope.Service {
	return scope.Service{
		Name: "logs",
		Calls: []scope.Call{
			{
				Service: cloudwatchlogs.ServiceID, Op: "DescribeLogGroups", Action: "logs:DescribeLogGroups", Per: "region",
				Fills: "LogStore.Kept, LogStore.Locked, LogStore.Encrypted, LogStore.Readable",
			},
			{
				Service: cloudwatchlogs.ServiceID, Op: "DescribeAccountPolicies", Action: "logs:DescribeAccountPolicies", Per: "region",
				With: []string{"logs:DescribeSubscriptionFilters"}, Fills: "LogStore.To, LogStore.Complete", Perhaps: "where the region has log groups",
			},
			{
				Service: cloudwatch.ServiceID, Op: "ListMetrics", Action: "cloudwatch:ListMetrics", Per: "region",
				Fills: "LogStore.Complete", Perhaps: "where the region has log groups",
			},
			{
				Service: cloudwatchlogs.ServiceID, Op: "DescribeSubscriptionFilters", Action: "logs:DescribeSubscriptionFilters", Per: "log group that forwards records",
				Fills: "LogStore.To, LogStore.Complete", Perhaps: "for log groups that forwarded records within two weeks, and for quiet ones while a region has at most 50",
			},
		},
		Region: region,
	}
}

func region(ctx context.Context, s *scope.Scope) {
	client := cloudwatchlogs.NewFromConfig(s.Config)
	// Without IncludeLinkedAccounts the answer holds the groups of this account alone, also where it monitors others.
	found, err := groups(ctx, client)
	known := map[string]scope.Group{}
	for _, g := range found {
		known[aws.ToString(g.LogGroupName)] = scope.Group{Created: millis(g.CreationTime)}
	}
	s.SetGroups(known, err)
	if err != nil {
		s.Blind("log groups", err, s.At("logs:DescribeLogGroups", ""), scope.Unseen{Store: true})
	}
	if len(found) == 0 {
		return
	}
	policy := policyOf(ctx, s, client)
	seen := trafficOf(ctx, s)
	var quiet int
	for _, g := range found {
		if seen.quiet(aws.ToString(g.LogGroupName)) {
			quiet++
		}
	}
	s.Each(len(found), func(i int) {
		g := read(s, found[i])
		if key := aws.ToString(found[i].KmsKeyId); key != "" {
			described := kms.Describe(ctx, s, key)
			g.key = &described
		}
		idle := seen.quiet(g.name)
		switch {
		case seen.forwards(g.name, policy.name) || g.class == types.LogGroupClassDelivery || idle && quiet <= oneByOne:
			g.filters, g.asked = filters(ctx, s, client, g.name)
		case idle && seen.err != nil:
			g.asked = scope.Unknown[bool](seen.err, seen.at)
		case idle:
			g.asked = evidence.Unknown[bool](evidence.Elsewhere, s.At("logs:DescribeSubscriptionFilters", g.name).
				WithNote("too many log groups were quiet for two weeks to ask each for its subscription filters"))
		default:
			g.asked = evidence.Known(true, seen.at.WithNote("it received records within two weeks, and no subscription filter forwarded any"))
		}
		g.policy = policy
		s.Record(g.observe(s))
	})
}

// groups lists the log groups that have a name.
func groups(ctx context.Context, client *cloudwatchlogs.Client) ([]types.LogGroup, error) {
	var found []types.LogGroup
	pages := cloudwatchlogs.NewDescribeLogGroupsPaginator(client, &cloudwatchlogs.DescribeLogGroupsInput{Limit: aws.Int32(page)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return found, err
		}
		for _, g := range out.LogGroups {
			if aws.ToString(g.LogGroupName) != "" {
				found = append(found, g)
			}
		}
	}
	return found, nil
}

// read takes over what the list says of a group.
func read(s *scope.Scope, g types.LogGroup) group {
	name := aws.ToString(g.LogGroupName)
	return group{
		name:      name,
		at:        s.At("logs:DescribeLogGroups", name),
		class:     g.LogGroupClass,
		days:      g.RetentionInDays,
		byPolicy:  aws.ToString(g.RetentionPolicyName) != "",
		protected: aws.ToBool(g.DeletionProtectionEnabled),
	}
}

// filters asks a group for its subscription filters, and says whether all of them came.
func filters(ctx context.Context, s *scope.Scope, client *cloudwatchlogs.Client, name string) ([]filter, evidence.Value[bool]) {
	at := s.At("logs:DescribeSubscriptionFilters", name)
	var found []filter
	pages := cloudwatchlogs.NewDescribeSubscriptionFiltersPaginator(client, &cloudwatchlogs.DescribeSubscriptionFiltersInput{
		LogGroupName: aws.String(name), Limit: aws.Int32(page),
	})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if scope.Is(err, "ResourceNotFoundException") { // it was deleted since the list
			return found, evidence.Known(true, at)
		}
		if err != nil {
			return found, scope.Unknown[bool](err, at)
		}
		for _, f := range out.SubscriptionFilters {
			found = append(found, filter{
				to: aws.ToString(f.DestinationArn), pattern: aws.ToString(f.FilterPattern), fields: aws.ToString(f.FieldSelectionCriteria), at: at,
			})
		}
	}
	return found, evidence.Known(true, at)
}

// policyOf asks for the subscription filter of all groups of the region, of which there can be one.
func policyOf(ctx context.Context, s *scope.Scope, client *cloudwatchlogs.Client) policy {
	at := s.At("logs:DescribeAccountPolicies", "")
	in := &cloudwatchlogs.DescribeAccountPoliciesInput{PolicyType: types.PolicyTypeSubscriptionFilterPolicy}
	p := policy{at: at, asked: evidence.Known(true, at)}
	for {
		out, err := client.DescribeAccountPolicies(ctx, in)
		if err != nil {
			p.asked = scope.Unknown[bool](err, at)
			return p
		}
		for _, found := range out.AccountPolicies {
			p.name = aws.ToString(found.PolicyName)
			p.at = s.At("logs:DescribeAccountPolicies", p.name)
			p.parse(aws.ToString(found.PolicyDocument), aws.ToString(found.SelectionCriteria))
		}
		if aws.ToString(out.NextToken) == "" {
			return p
		}
		in.NextToken = out.NextToken
	}
}

// A traffic says what moved in the log groups of a region within two weeks.
type traffic struct {
	received  map[string]bool
	forwarded map[string][]string // the names of the filters
	err       error               // why not all of it could be seen
	at        evidence.Origin
}

// quiet reports whether nothing is known to have moved in a group.
func (t traffic) quiet(group string) bool {
	return t.err != nil || !t.received[group] && len(t.forwarded[group]) == 0
}

// forwards reports whether a filter of the group's own forwarded records: one that does not have the name of the policy
// for all groups.
func (t traffic) forwards(group, policy string) bool {
	for _, name := range t.forwarded[group] {
		if policy == "" || name != policy {
			return true
		}
	}
	return false
}

// trafficOf reads which groups have metrics. CloudWatch Logs writes IncomingLogEvents for a group, and ForwardedLogEvents
// for a group and a filter; see the CloudWatch Logs User Guide, "Monitoring with CloudWatch metrics". CloudWatch lists a
// metric that had data within two weeks; see its ListMetrics.
func trafficOf(ctx context.Context, s *scope.Scope) traffic {
	t := traffic{received: map[string]bool{}, forwarded: map[string][]string{}, at: s.At("cloudwatch:ListMetrics", "AWS/Logs")}
	client := cloudwatch.NewFromConfig(s.Config)
	for _, metric := range []string{"ForwardedLogEvents", "IncomingLogEvents"} {
		pages := cloudwatch.NewListMetricsPaginator(client, &cloudwatch.ListMetricsInput{
			Namespace: aws.String("AWS/Logs"), MetricName: aws.String(metric),
		})
		for pages.HasMorePages() {
			out, err := pages.NextPage(ctx)
			if err != nil {
				t.err = err
				return t
			}
			for _, m := range out.Metrics {
				var group, filter string
				for _, d := range m.Dimensions {
					switch aws.ToString(d.Name) {
					case "LogGroupName":
						group = aws.ToString(d.Value)
					case "FilterName":
						filter = aws.ToString(d.Value)
					}
				}
				switch aws.ToString(m.MetricName) {
				case "ForwardedLogEvents":
					t.forwarded[group] = append(t.forwarded[group], filter)
				case "IncomingLogEvents":
					t.received[group] = true
				}
			}
		}
	}
	return t
}

func millis(at *int64) time.Time {
	if at == nil {
		return time.Time{}
	}
	return time.UnixMilli(*at).UTC()
}
