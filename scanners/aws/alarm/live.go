// Package alarm reads who is told when a trail is stopped or deleted: alarms on what metric filters count in the log of a
// trail, and rules of EventBridge. What GuardDuty reports by itself belongs to its detector.
package alarm

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"lookback/evidence"
	trails "lookback/scanners/aws/cloudtrail"
	"lookback/scanners/aws/scope"
)

// The permissions of the calls.
const (
	describeMetricFilters = "logs:DescribeMetricFilters"
	describeAlarms        = "cloudwatch:DescribeAlarms"
	listRules             = "events:ListRules"
	listTargets           = "events:ListTargetsByRule"
	listSubscriptions     = "sns:ListSubscriptionsByTopic"
	describeTrails        = "cloudtrail:DescribeTrails"
)

// Service reads alarms.
func Service() scope.Service {
	return scope.Service{
		Name: "alarm",
		Calls: []scope.Call{
			{Service: cloudwatchlogs.ServiceID, Op: "DescribeMetricFilters", Action: describeMetricFilters, Per: "region", Fills: "Alarm.On, Asset.Alarmed"},
			{Service: cloudwatch.ServiceID, Op: "DescribeAlarms", Action: describeAlarms, Per: "region", Fills: "Alarm.Enabled, Asset.Alarmed"},
			{Service: eventbridge.ServiceID, Op: "ListRules", Action: listRules, Per: "region", Fills: "Alarm.Enabled, Asset.Alarmed"},
			{
				Service: eventbridge.ServiceID, Op: "ListTargetsByRule", Action: listTargets, Per: "rule that hears of StopLogging or DeleteTrail",
				Fills: "Alarm.Reaches", Perhaps: "where there are such rules",
			},
			{
				Service: sns.ServiceID, Op: "ListSubscriptionsByTopic", Action: listSubscriptions, Per: "topic that is told of StopLogging or DeleteTrail",
				Fills: "Alarm.Reaches", Perhaps: "where there are such topics",
			},
		},
		Region: readRegion,
		Account: func(_ context.Context, s *scope.Scope) {
			s.After(func(ctx context.Context) { join(ctx, s) })
		},
	}
}

// readRegion collects what a region has. What it is on is known when all regions are read.
func readRegion(ctx context.Context, s *scope.Scope) {
	var r region
	// missed keeps why a list is not whole.
	missed := func(what string, err error, at evidence.Origin) {
		if err != nil {
			s.Missed(s.Home(), what, err, at)
			if r.err == nil {
				r.err, r.at = err, at
			}
		}
	}
	metrics, err := metricsOf(ctx, s)
	missed("metric filters", err, s.At(describeMetricFilters, ""))
	found, err := alarmsOf(ctx, s, metrics)
	missed("alarms", err, s.At(describeAlarms, ""))
	r.alarms = append(r.alarms, found...)
	found, err = rulesOf(ctx, s)
	missed("event rules", err, s.At(listRules, ""))
	r.alarms = append(r.alarms, found...)
	accountOf(s).add(s.Region, r)
}

// join asks which trails there are: in a region that answered, since a trail over all regions is listed in each.
func join(ctx context.Context, s *scope.Scope) {
	found := accountOf(s)
	if len(found.regions) == 0 {
		return
	}
	in := *s
	var names []string
	for name, r := range found.regions {
		if r.err == nil {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		in.Region = slices.Min(names)
	}
	in.Global = false
	in.Config = s.Config.Copy()
	in.Config.Region = in.Region
	at := in.At(describeTrails, "")
	listed, err := trails.Trails(ctx, &in)
	var all []trail
	for _, t := range listed {
		all = append(all, trailOf(&in, t))
	}
	found.observe(s, all, err, at)
}

// metricsOf lists the metrics in which metric filters of the region count calls that stop a trail.
func metricsOf(ctx context.Context, s *scope.Scope) ([]metric, error) {
	var found []metric
	pages := cloudwatchlogs.NewDescribeMetricFiltersPaginator(cloudwatchlogs.NewFromConfig(s.Config), &cloudwatchlogs.DescribeMetricFiltersInput{Limit: aws.Int32(50)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return found, err
		}
		for _, f := range out.MetricFilters {
			certain, missing := toldByFilter(aws.ToString(f.FilterPattern))
			if certain == no {
				continue
			}
			if aws.ToString(f.FieldSelectionCriteria) != "" || f.ApplyOnTransformedLogs {
				certain = maybe
			}
			for _, t := range f.MetricTransformations {
				found = append(found, metric{t, s.GroupID(aws.ToString(f.LogGroupName)), certain, missing})
			}
		}
	}
	return found, nil
}

// alarmsOf lists the alarms on those metrics, and those on queries that name the calls.
func alarmsOf(ctx context.Context, s *scope.Scope, metrics []metric) ([]alarm, error) {
	var found []alarm
	tells := func(actions []string) evidence.Value[bool] { return reaches(ctx, s, actions, s.At(describeAlarms, "")) }
	out, err := list(ctx, s, cloudwatchtypes.AlarmTypeLogAlarm)
	if scope.Is(err, "ValidationError", "ValidationException", "InvalidParameterValue") {
		err = nil // a region that has no such alarms does not know their name
	}
	for _, a := range out.LogAlarms {
		if q := a.ScheduledQueryConfiguration; q != nil && mentions(aws.ToString(q.QueryString)) {
			name := aws.ToString(a.AlarmName)
			at := s.At(describeAlarms, name)
			one := alarm{
				s: s, thing: "alarm/" + name, kind: "log alarm", name: name, at: at, groups: []evidence.ID{},
				enabled: evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("what its query finds is not something that we can follow")),
				tells:   tells(a.AlarmActions),
			}
			if a.ActionsEnabled != nil && !*a.ActionsEnabled {
				one.enabled = evidence.Known(false, at.WithNote("its actions are turned off"))
			}
			for _, g := range q.LogGroupIdentifiers {
				one.groups = append(one.groups, s.GroupID(g))
			}
			found = append(found, one)
		}
	}
	if err != nil || len(metrics) == 0 {
		return found, err
	}
	out, err = list(ctx, s, cloudwatchtypes.AlarmTypeMetricAlarm, cloudwatchtypes.AlarmTypeCompositeAlarm)
	for _, a := range out.MetricAlarms {
		if one, ok := metricAlarm(s, a, metrics, out.CompositeAlarms, tells); ok {
			found = append(found, one)
		}
	}
	return found, err
}

// list lists alarms of some types, as far as it comes.
func list(ctx context.Context, s *scope.Scope, kinds ...cloudwatchtypes.AlarmType) (all cloudwatch.DescribeAlarmsOutput, err error) {
	pages := cloudwatch.NewDescribeAlarmsPaginator(cloudwatch.NewFromConfig(s.Config), &cloudwatch.DescribeAlarmsInput{
		AlarmTypes: kinds, MaxRecords: aws.Int32(100),
	})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return all, err
		}
		all.MetricAlarms = append(all.MetricAlarms, out.MetricAlarms...)
		all.CompositeAlarms = append(all.CompositeAlarms, out.CompositeAlarms...)
		all.LogAlarms = append(all.LogAlarms, out.LogAlarms...)
	}
	return all, nil
}

// rulesOf lists the rules that hear of the calls: events of AWS come to the default bus.
func rulesOf(ctx context.Context, s *scope.Scope) ([]alarm, error) {
	client := eventbridge.NewFromConfig(s.Config)
	in := &eventbridge.ListRulesInput{Limit: aws.Int32(100)}
	var found []alarm
	for {
		out, err := client.ListRules(ctx, in)
		if err != nil {
			return found, err
		}
		for _, rule := range out.Rules {
			if aws.ToString(rule.ManagedBy) != "" || aws.ToString(rule.EventPattern) == "" {
				continue // it serves a service of AWS, or a clock
			}
			certain, missing := toldByRule(aws.ToString(rule.EventPattern), s.Account, s.Region)
			if certain == no {
				continue
			}
			name := aws.ToString(rule.Name)
			at := s.At(listRules, name)
			one := alarm{s: s, thing: "rule/" + name, kind: "event rule", name: name, at: at}
			switch {
			case rule.State == types.RuleStateDisabled:
				one.enabled = evidence.Known(false, at.WithNote("it is disabled"))
			case certain == maybe:
				one.enabled = evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("its pattern is not one that we can follow"))
			default: // ENABLED leaves out calls that only read; see the EventBridge user guide, "Receiving read-only management events"
				one.enabled, one.missing = evidence.Known(true, at), missing
			}
			targets, err := targetsOf(ctx, client, name)
			at = s.At(listTargets, name)
			one.tells = reaches(ctx, s, targets, at)
			if reached, _ := one.tells.Get(); err != nil && !reached {
				one.tells = scope.Unknown[bool](err, at)
			}
			found = append(found, one)
		}
		if aws.ToString(out.NextToken) == "" {
			return found, nil
		}
		in.NextToken = out.NextToken
	}
}

// targetsOf lists what a rule hands events to.
func targetsOf(ctx context.Context, client *eventbridge.Client, rule string) ([]string, error) {
	in := &eventbridge.ListTargetsByRuleInput{Rule: aws.String(rule), Limit: aws.Int32(100)}
	var found []string
	for {
		out, err := client.ListTargetsByRule(ctx, in)
		if err != nil {
			return found, err
		}
		for _, t := range out.Targets {
			found = append(found, aws.ToString(t.Arn))
		}
		if aws.ToString(out.NextToken) == "" {
			return found, nil
		}
		in.NextToken = out.NextToken
	}
}

// reaches says whether one of some actions or targets tells anybody.
func reaches(ctx context.Context, s *scope.Scope, targets []string, at evidence.Origin) evidence.Value[bool] {
	best := evidence.Known(false, at.WithNote("it tells nobody"))
	for _, target := range targets {
		one := reached(ctx, s, target, at)
		if tells, _ := one.Get(); tells {
			return one
		}
		if !best.IsUnknown() {
			best = one
		}
	}
	return best
}

func reached(ctx context.Context, s *scope.Scope, target string, at evidence.Origin) evidence.Value[bool] {
	arn, ok := scope.ParseARN(target)
	switch {
	case !ok:
		return evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("what it tells has no name that we know"))
	case arn.Service == "sns":
		return subscribed(ctx, s, arn)
	case arn.Service == "logs":
		return evidence.Known(false, at.WithNote("it only writes to a log group"))
	case arn.Service == "events" || arn.Service == "firehose":
		return evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("it hands on to "+arn.Resource+", and what that does was not scanned"))
	case arn.Service == "automate" || arn.Service == "autoscaling" || arn.Service == "swf": // alarm actions on machines
		return evidence.Known(false, at.WithNote("it acts on machines and tells nobody"))
	}
	return evidence.Known(true, at)
}

// subscribed says whether a topic has a subscription that was confirmed. It asks once an account.
func subscribed(ctx context.Context, s *scope.Scope, topic scope.ARN) evidence.Value[bool] {
	return scope.Memo(s, "sns "+topic.String(), func() evidence.Value[bool] {
		cfg := s.Config.Copy()
		cfg.Region = topic.Region
		at := evidence.Origin{Call: listSubscriptions, Of: topic.Region + "/" + topic.Resource}
		pages := sns.NewListSubscriptionsByTopicPaginator(sns.NewFromConfig(cfg), &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(topic.String())})
		for pages.HasMorePages() {
			out, err := pages.NextPage(ctx)
			if scope.Is(err, "NotFound", "NotFoundException") {
				return evidence.Known(false, at.WithNote("the topic does not exist"))
			}
			if err != nil {
				return scope.Unknown[bool](err, at)
			}
			for _, sub := range out.Subscriptions {
				// "PendingConfirmation" and "Deleted" stand in the place of an ARN where nobody receives anything.
				if strings.HasPrefix(aws.ToString(sub.SubscriptionArn), "arn:") {
					return evidence.Known(true, at)
				}
			}
		}
		return evidence.Known(false, at.WithNote("no subscription of the topic is confirmed"))
	})
}
