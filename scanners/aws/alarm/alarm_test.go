package alarm

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trails "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	events "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	topics "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	reader "lookback/scanners/aws/cloudtrail"
	"lookback/scanners/aws/scope"
)

const (
	accountID = "aws:111122223333//account"
	regionID  = "aws:111122223333/eu-west-1//region"
	topic     = "arn:aws:sns:eu-west-1:111122223333:security"
)

// A fake answers for a region.
type fake struct {
	filters       []logs.MetricFilter
	alarms        []cloudwatchtypes.MetricAlarm
	composites    []cloudwatchtypes.CompositeAlarm
	logAlarms     []cloudwatchtypes.LogAlarm
	rules         []events.Rule
	targets       []string
	subscriptions []string
	trails        []trails.Trail
	fail          map[string]error // by operation

	mu    sync.Mutex
	calls map[string]int
}

// page returns item i alone, and the token of the next.
func page[T any](all []T, token *string) (one []T, next *string) {
	i := 0
	if token != nil {
		i, _ = strconv.Atoi(*token)
	}
	if i < len(all) {
		one = all[i : i+1]
	}
	if i+1 < len(all) {
		next = aws.String(fmt.Sprint(i + 1))
	}
	return one, next
}

func (f *fake) answer(_ string, input any) (any, error) {
	op := strings.TrimSuffix(strings.SplitN(fmt.Sprintf("%T", input), ".", 2)[1], "Input")
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls == nil {
		f.calls = map[string]int{}
	}
	f.calls[op]++
	if err := f.fail[op]; err != nil {
		return nil, err
	}
	switch in := input.(type) {
	case *cloudwatchlogs.DescribeMetricFiltersInput:
		one, next := page(f.filters, in.NextToken)
		return &cloudwatchlogs.DescribeMetricFiltersOutput{MetricFilters: one, NextToken: next}, nil
	case *cloudwatch.DescribeAlarmsInput:
		if slices.Contains(in.AlarmTypes, cloudwatchtypes.AlarmTypeLogAlarm) {
			return &cloudwatch.DescribeAlarmsOutput{LogAlarms: f.logAlarms}, f.fail["log alarms"]
		}
		one, next := page(f.alarms, in.NextToken)
		return &cloudwatch.DescribeAlarmsOutput{MetricAlarms: one, CompositeAlarms: f.composites, NextToken: next}, nil
	case *eventbridge.ListRulesInput:
		one, next := page(f.rules, in.NextToken)
		return &eventbridge.ListRulesOutput{Rules: one, NextToken: next}, nil
	case *eventbridge.ListTargetsByRuleInput:
		one, next := page(f.targets, in.NextToken)
		out := &eventbridge.ListTargetsByRuleOutput{NextToken: next}
		for _, arn := range one {
			out.Targets = append(out.Targets, events.Target{Arn: aws.String(arn)})
		}
		return out, nil
	case *sns.ListSubscriptionsByTopicInput:
		one, next := page(f.subscriptions, in.NextToken)
		out := &sns.ListSubscriptionsByTopicOutput{NextToken: next}
		for _, arn := range one {
			out.Subscriptions = append(out.Subscriptions, topics.Subscription{SubscriptionArn: aws.String(arn)})
		}
		return out, nil
	case *cloudtrail.DescribeTrailsInput:
		return &cloudtrail.DescribeTrailsOutput{TrailList: f.trails}, nil
	}
	return nil, awstest.Error("Unexpected")
}

// scan returns the alarms by name, and what is said of the account.
func scan(t *testing.T, f *fake) (map[string]*evidence.Alarm, evidence.Value[bool], *evidence.Set) {
	t.Helper()
	set := awstest.Scan(t, f.answer, nil, Service(), scope.Service{Name: "cloudtrail", Calls: reader.Service().Calls})
	alarms := map[string]*evidence.Alarm{}
	var alarmed evidence.Value[bool]
	for _, r := range set.Records {
		switch r := r.(type) {
		case *evidence.Alarm:
			alarms[r.Name] = r
		case *evidence.Asset:
			if r.ID == accountID {
				alarmed = r.Alarmed
			}
		}
	}
	return alarms, alarmed, set
}

func filterOn(group, pattern string) logs.MetricFilter {
	return logs.MetricFilter{
		FilterName: aws.String("trail-changes"), LogGroupName: aws.String(group), FilterPattern: aws.String(pattern),
		MetricTransformations: []logs.MetricTransformation{{MetricName: aws.String("TrailChanges"), MetricNamespace: aws.String("CIS"), MetricValue: aws.String("1")}},
	}
}

func alarmOn(name string, actions ...string) cloudwatchtypes.MetricAlarm {
	return cloudwatchtypes.MetricAlarm{
		AlarmName: aws.String(name), ActionsEnabled: aws.Bool(true), AlarmActions: actions,
		MetricName: aws.String("TrailChanges"), Namespace: aws.String("CIS"), Statistic: cloudwatchtypes.StatisticSum, EvaluationPeriods: aws.Int32(1),
		Threshold: aws.Float64(1), ComparisonOperator: cloudwatchtypes.ComparisonOperatorGreaterThanOrEqualToThreshold,
	}
}

func trailAt(home, owner string, everywhere, organization bool) trails.Trail {
	return trails.Trail{
		Name: aws.String("main"), TrailARN: aws.String("arn:aws:cloudtrail:" + home + ":" + owner + ":trail/main"), HomeRegion: aws.String(home),
		IsMultiRegionTrail: aws.Bool(everywhere), IsOrganizationTrail: aws.Bool(organization),
		CloudWatchLogsLogGroupArn: aws.String("arn:aws:logs:" + home + ":" + owner + ":log-group:trail:*"),
	}
}

// good is the set-up of the CIS benchmark.
func good() *fake {
	return &fake{
		filters:       []logs.MetricFilter{filterOn("app", "ERROR"), filterOn("trail", cis)},
		alarms:        []cloudwatchtypes.MetricAlarm{{AlarmName: aws.String("cpu"), Namespace: aws.String("AWS/EC2"), MetricName: aws.String("CPUUtilization")}, alarmOn("trail-changes", topic)},
		subscriptions: []string{"PendingConfirmation", topic + ":1"},
		trails:        []trails.Trail{trailAt("eu-west-1", "111122223333", true, false)},
		fail:          map[string]error{},
	}
}

// rule is a rule in the home region of a trail over all regions.
func rule(pattern string) *fake {
	return &fake{
		rules: []events.Rule{
			{Name: aws.String("nightly"), ScheduleExpression: aws.String("rate(1 day)"), State: events.RuleStateEnabled},
			{Name: aws.String("managed"), EventPattern: aws.String(`{"source":["aws.cloudtrail"]}`), ManagedBy: aws.String("securityhub.amazonaws.com"), State: events.RuleStateEnabled},
			{Name: aws.String("stop"), EventPattern: aws.String(pattern), State: events.RuleStateEnabled},
		},
		targets:       []string{"arn:aws:logs:eu-west-1:111122223333:log-group:/aws/events/x", topic},
		subscriptions: []string{topic + ":1"},
		trails:        []trails.Trail{trailAt("eu-west-1", "111122223333", true, false)},
		fail:          map[string]error{},
	}
}

func holds(t *testing.T, what string, v evidence.Value[bool], want bool) {
	t.Helper()
	if got, ok := v.Get(); !ok || got != want {
		t.Errorf("%s: got %t (known %t, %s, %+v), want %t", what, got, ok, v.Why(), v.At(), want)
	}
}

func unknown(t *testing.T, what string, v evidence.Value[bool], why evidence.Reason, call string) {
	t.Helper()
	if !v.IsUnknown() || v.Why() != why || v.At().Call != call {
		t.Errorf("%s: got %+v, want unknown, %s, %s", what, v, why, call)
	}
}

func on(t *testing.T, a *evidence.Alarm, want ...evidence.ID) {
	t.Helper()
	if a == nil || !slices.Equal(a.On, want) {
		t.Errorf("got %+v, want it on %v", a, want)
	}
}

func TestAMetricFilterWithAnAlarmThatSomebodyHears(t *testing.T) {
	f := good()
	alarms, alarmed, set := scan(t, f)
	if len(alarms) != 1 || len(set.Gaps) != 0 {
		t.Fatalf("got %v and %v", alarms, set.Gaps)
	}
	a := alarms["trail-changes"]
	if a.ID != "aws:111122223333/eu-west-1//alarm/trail-changes" || a.Kind != "metric alarm" {
		t.Errorf("got %+v", a.Subject)
	}
	on(t, a, accountID)
	holds(t, "enabled", a.Enabled, true)
	holds(t, "reaches", a.Reaches, true)
	holds(t, "alarmed", alarmed, true)
	if f.calls["ListSubscriptionsByTopic"] != 2 || f.calls["DescribeTrails"] != 1 || f.calls["DescribeMetricFilters"] != 2 {
		t.Errorf("the calls are %v", f.calls)
	}
	if at := a.Reaches.At(); at.Call != "sns:ListSubscriptionsByTopic" || at.Of != "eu-west-1/security" {
		t.Errorf("the origin is %+v", at)
	}
}

func TestNobodyHears(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*fake)
		want   string
	}{
		"a subscription that waits": {func(f *fake) { f.subscriptions = []string{"PendingConfirmation", "Deleted"} }, "no subscription of the topic is confirmed"},
		"no subscription":           {func(f *fake) { f.subscriptions = nil }, "no subscription of the topic is confirmed"},
		"no topic":                  {func(f *fake) { f.fail["ListSubscriptionsByTopic"] = awstest.Error("NotFound") }, "the topic does not exist"},
		"no action":                 {func(f *fake) { f.alarms[1].AlarmActions = nil }, "it tells nobody"},
		"an action on a machine":    {func(f *fake) { f.alarms[1].AlarmActions = []string{"arn:aws:automate:eu-west-1:ec2:stop"} }, "it acts on machines and tells nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			f := good()
			c.change(f)
			alarms, alarmed, _ := scan(t, f)
			a := alarms["trail-changes"]
			holds(t, "reaches", a.Reaches, false)
			if a.Reaches.At().Note != c.want {
				t.Errorf("got %+v", a.Reaches.At())
			}
			holds(t, "alarmed", alarmed, true)
		})
	}
}

func TestAnAlarmThatIsOff(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*cloudwatchtypes.MetricAlarm)
		want   answer
	}{
		"as it is": {func(*cloudwatchtypes.MetricAlarm) {}, yes},
		"more than none": {func(a *cloudwatchtypes.MetricAlarm) {
			a.Threshold = aws.Float64(0)
			a.ComparisonOperator = cloudwatchtypes.ComparisonOperatorGreaterThanThreshold
		}, yes},
		"the average":      {func(a *cloudwatchtypes.MetricAlarm) { a.Statistic = cloudwatchtypes.StatisticAverage }, yes},
		"actions not said": {func(a *cloudwatchtypes.MetricAlarm) { a.ActionsEnabled = nil }, yes},
		"actions off":      {func(a *cloudwatchtypes.MetricAlarm) { a.ActionsEnabled = aws.Bool(false) }, no},
		"five calls":       {func(a *cloudwatchtypes.MetricAlarm) { a.Threshold = aws.Float64(5) }, no},
		"fewer than": {func(a *cloudwatchtypes.MetricAlarm) {
			a.ComparisonOperator = cloudwatchtypes.ComparisonOperatorLessThanThreshold
		}, maybe},
		"three periods": {func(a *cloudwatchtypes.MetricAlarm) { a.EvaluationPeriods = aws.Int32(3) }, maybe},
		"one period of three": {func(a *cloudwatchtypes.MetricAlarm) {
			a.EvaluationPeriods = aws.Int32(3)
			a.DatapointsToAlarm = aws.Int32(1)
		}, yes},
		"a percentile": {func(a *cloudwatchtypes.MetricAlarm) { a.Statistic = ""; a.ExtendedStatistic = aws.String("p90") }, maybe},
		"an expression over it": {func(a *cloudwatchtypes.MetricAlarm) {
			a.Metrics = []cloudwatchtypes.MetricDataQuery{{}, {MetricStat: &cloudwatchtypes.MetricStat{Metric: &cloudwatchtypes.Metric{Namespace: a.Namespace, MetricName: a.MetricName}}}}
			a.Namespace, a.MetricName = nil, nil
		}, maybe},
	} {
		t.Run(name, func(t *testing.T) {
			f := good()
			c.change(&f.alarms[1])
			alarms, _, _ := scan(t, f)
			a := alarms["trail-changes"]
			if a == nil {
				t.Fatal("there is no alarm")
			}
			if c.want == maybe {
				unknown(t, "enabled", a.Enabled, evidence.Unfamiliar, "cloudwatch:DescribeAlarms")
				return
			}
			holds(t, "enabled", a.Enabled, c.want == yes)
		})
	}
}

func TestAnotherMetricIsNoAlarm(t *testing.T) {
	for _, change := range []func(*cloudwatchtypes.MetricAlarm){
		func(a *cloudwatchtypes.MetricAlarm) { a.Namespace = aws.String("Other") },
		func(a *cloudwatchtypes.MetricAlarm) {
			a.Dimensions = []cloudwatchtypes.Dimension{{Name: aws.String("a"), Value: aws.String("b")}}
		},
	} {
		f := good()
		change(&f.alarms[1])
		alarms, alarmed, _ := scan(t, f)
		if len(alarms) != 0 {
			t.Errorf("got %v", alarms)
		}
		holds(t, "alarmed", alarmed, true)
	}
}

func TestACompositeAlarmMayTellForAnother(t *testing.T) {
	f := good()
	f.alarms[1].AlarmActions = nil
	f.composites = []cloudwatchtypes.CompositeAlarm{
		{AlarmName: aws.String("other"), AlarmRule: aws.String(`ALARM("trail-changes-2")`)},
		{AlarmName: aws.String("all"), AlarmRule: aws.String(`ALARM("x") OR ALARM("trail-changes")`)},
	}
	alarms, _, _ := scan(t, f)
	unknown(t, "reaches", alarms["trail-changes"].Reaches, evidence.Unfamiliar, "cloudwatch:DescribeAlarms")
	f.alarms[1].ActionsEnabled = aws.Bool(false)
	alarms, _, _ = scan(t, f)
	unknown(t, "enabled", alarms["trail-changes"].Enabled, evidence.Unfamiliar, "cloudwatch:DescribeAlarms")
}

func TestALogGroupThatNoTrailOfTheAccountDeliversTo(t *testing.T) {
	f := good()
	f.filters[1].LogGroupName = aws.String("old-trail")
	alarms, alarmed, _ := scan(t, f)
	on(t, alarms["trail-changes"], regionID)
	holds(t, "alarmed", alarmed, true)

	f = good()
	f.trails = []trails.Trail{trailAt("eu-west-1", "111122223333", false, false)}
	alarms, _, _ = scan(t, f)
	on(t, alarms["trail-changes"], regionID)
}

func TestTheOrganisationsTrailIsWatchedOverByItsOwner(t *testing.T) {
	f := good()
	f.trails = []trails.Trail{trailAt("eu-west-1", "111122223333", true, true)}
	alarms, alarmed, _ := scan(t, f)
	on(t, alarms["trail-changes"], accountID, "aws:111122223333//organization")
	holds(t, "alarmed", alarmed, true)

	f.trails = []trails.Trail{trailAt("eu-west-1", "999988887777", true, true)}
	alarms, alarmed, _ = scan(t, f)
	on(t, alarms["trail-changes"], regionID)
	unknown(t, "alarmed", alarmed, evidence.Elsewhere, "cloudtrail:DescribeTrails")
}

func TestARuleInTheHomeRegionOfTheTrail(t *testing.T) {
	f := rule(`{"source":["aws.cloudtrail"],"detail":{"eventName":["StopLogging","DeleteTrail"]}}`)
	alarms, alarmed, _ := scan(t, f)
	if len(alarms) != 1 {
		t.Fatalf("got %v", alarms)
	}
	a := alarms["stop"]
	if a.ID != "aws:111122223333/eu-west-1//rule/stop" || a.Kind != "event rule" {
		t.Errorf("got %+v", a.Subject)
	}
	on(t, a, accountID)
	holds(t, "enabled", a.Enabled, true)
	holds(t, "reaches", a.Reaches, true)
	holds(t, "alarmed", alarmed, true)
	if f.calls["ListTargetsByRule"] != 2 || f.calls["DescribeAlarms"] != 1 {
		t.Errorf("the calls are %v", f.calls)
	}

	f.rules[2].State = events.RuleStateDisabled
	alarms, _, _ = scan(t, f)
	holds(t, "disabled", alarms["stop"].Enabled, false)

	f = rule(`{"source":["aws.cloudtrail"],"detail":{"eventName":["StopLogging"],"userIdentity":{"type":["Root"]}}}`)
	alarms, _, _ = scan(t, f)
	unknown(t, "a pattern that we cannot follow", alarms["stop"].Enabled, evidence.Unfamiliar, "events:ListRules")
}

func TestAnAlarmForOneWayToStopATrailLeavesTheOtherOpen(t *testing.T) {
	for stays, goes := range map[string]string{"StopLogging": "DeleteTrail", "DeleteTrail": "StopLogging"} {
		f := rule(`{"source":["aws.cloudtrail"],"detail":{"eventName":["` + stays + `"]}}`)
		alarms, _, _ := scan(t, f)
		holds(t, stays+" alone", alarms["stop"].Enabled, false)
		if note := alarms["stop"].Enabled.At().Note; note != "it does not tell of "+goes {
			t.Errorf("the note is %q", note)
		}

		other := f.rules[2]
		other.Name = aws.String("other")
		other.EventPattern = aws.String(`{"source":["aws.cloudtrail"],"detail":{"eventName":["` + goes + `"]}}`)
		f.rules = append(f.rules, other)
		alarms, _, _ = scan(t, f)
		holds(t, stays+" beside the other", alarms["stop"].Enabled, true)
		holds(t, goes+" beside the other", alarms["other"].Enabled, true)

		f.rules[3].State = events.RuleStateDisabled
		alarms, _, _ = scan(t, f)
		holds(t, stays+" beside one that is off", alarms["stop"].Enabled, false)
	}
}

func TestTwoFiltersMayCountIntoOneMetric(t *testing.T) {
	f := good()
	f.filters = []logs.MetricFilter{filterOn("trail", `{ $.eventName = StopLogging }`)}
	alarms, _, _ := scan(t, f)
	holds(t, "one filter", alarms["trail-changes"].Enabled, false)
	f.filters = append(f.filters, filterOn("trail", `{ $.eventName = DeleteTrail }`))
	alarms, _, _ = scan(t, f)
	holds(t, "two filters", alarms["trail-changes"].Enabled, true)
}

func TestARuleElsewhereIsOnItsRegionAlone(t *testing.T) {
	f := rule(`{"source":["aws.cloudtrail"]}`)
	f.trails = []trails.Trail{trailAt("us-east-1", "111122223333", true, false)}
	alarms, alarmed, _ := scan(t, f)
	on(t, alarms["stop"], regionID)
	unknown(t, "the trail's home was not scanned", alarmed, evidence.Elsewhere, "cloudtrail:DescribeTrails")
}

func TestWhatARuleTells(t *testing.T) {
	for target, want := range map[string]answer{
		"arn:aws:lambda:eu-west-1:111122223333:function:page":         yes,
		"arn:aws:sqs:eu-west-1:111122223333:siem":                     yes,
		"arn:aws:ssm-incidents::111122223333:response-plan/x":         yes,
		"arn:aws:logs:eu-west-1:111122223333:log-group:x":             no,
		"arn:aws:events:us-east-1:999988887777:event-bus/central":     maybe,
		"arn:aws:firehose:eu-west-1:111122223333:deliverystream/siem": maybe,
		"not a name": maybe,
	} {
		f := rule(`{"source":["aws.cloudtrail"]}`)
		f.targets = []string{target}
		alarms, _, _ := scan(t, f)
		v := alarms["stop"].Reaches
		if want == maybe {
			if !v.IsUnknown() {
				t.Errorf("%s: got %+v", target, v)
			}
			continue
		}
		holds(t, target, v, want == yes)
	}
}

func TestALogAlarmMayWatchOver(t *testing.T) {
	f := good()
	f.alarms = nil
	f.logAlarms = []cloudwatchtypes.LogAlarm{
		{AlarmName: aws.String("errors"), ScheduledQueryConfiguration: &cloudwatchtypes.ScheduledQueryConfiguration{QueryString: aws.String("filter @message like /ERROR/")}},
		{AlarmName: aws.String("stops"), AlarmActions: []string{topic}, ScheduledQueryConfiguration: &cloudwatchtypes.ScheduledQueryConfiguration{
			QueryString: aws.String(`filter eventName = "StopLogging"`), LogGroupIdentifiers: []string{"trail"},
		}},
	}
	alarms, _, _ := scan(t, f)
	if len(alarms) != 1 {
		t.Fatalf("got %v", alarms)
	}
	on(t, alarms["stops"], accountID)
	unknown(t, "enabled", alarms["stops"].Enabled, evidence.Unfamiliar, "cloudwatch:DescribeAlarms")
	holds(t, "reaches", alarms["stops"].Reaches, true)
	f.logAlarms[1].ActionsEnabled = aws.Bool(false)
	alarms, _, _ = scan(t, f)
	holds(t, "enabled", alarms["stops"].Enabled, false)

	f = good()
	f.fail["log alarms"] = awstest.Error("ValidationError")
	_, alarmed, set := scan(t, f)
	holds(t, "a region without such alarms", alarmed, true)
	if len(set.Gaps) != 0 {
		t.Errorf("got %+v", set.Gaps)
	}
}

func TestEachDeniedCallIsNamedAndWinsNothing(t *testing.T) {
	calls := map[string]string{
		"DescribeMetricFilters": "logs:DescribeMetricFilters", "DescribeAlarms": "cloudwatch:DescribeAlarms",
		"ListRules": "events:ListRules", "DescribeTrails": "cloudtrail:DescribeTrails",
	}
	for op, call := range calls {
		f := good()
		f.fail[op] = awstest.Denied()
		alarms, alarmed, set := scan(t, f)
		unknown(t, op, alarmed, evidence.Denied, call)
		if op != "DescribeTrails" && (len(set.Gaps) != 1 || set.Gaps[0].At.Call != call || set.Gaps[0].In != regionID) {
			t.Errorf("%s: got %+v", op, set.Gaps)
		}
		switch a := alarms["trail-changes"]; op {
		case "ListRules":
			holds(t, "an alarm that was found", a.Enabled, true)
		case "DescribeTrails":
			on(t, a, accountID)
			unknown(t, op, a.Enabled, evidence.Denied, call)
		default:
			if a != nil {
				t.Errorf("%s: got %+v", op, a)
			}
		}
	}
	f := good()
	f.fail["ListSubscriptionsByTopic"] = awstest.Denied()
	alarms, _, _ := scan(t, f)
	unknown(t, "the topic", alarms["trail-changes"].Reaches, evidence.Denied, "sns:ListSubscriptionsByTopic")

	f = rule(`{"source":["aws.cloudtrail"]}`)
	f.fail["ListTargetsByRule"] = awstest.Denied()
	alarms, _, _ = scan(t, f)
	unknown(t, "the targets", alarms["stop"].Reaches, evidence.Denied, "events:ListTargetsByRule")
}

func TestAnAccountWithoutAlarms(t *testing.T) {
	f := &fake{}
	alarms, alarmed, set := scan(t, f)
	if len(alarms) != 0 || len(set.Gaps) != 0 {
		t.Errorf("got %v and %v", alarms, set.Gaps)
	}
	holds(t, "alarmed", alarmed, true)
	if f.calls["DescribeMetricFilters"] != 1 || f.calls["DescribeAlarms"] != 1 || f.calls["ListRules"] != 1 || f.calls["DescribeTrails"] != 1 || len(f.calls) != 4 {
		t.Errorf("the calls are %v", f.calls)
	}
}
