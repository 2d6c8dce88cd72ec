package alarm

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	cloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	logs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// An alarm tells of calls that stop a trail, in the region that s reads.
type alarm struct {
	s              *scope.Scope
	thing          string // "alarm/NAME"
	kind, name     string
	at             evidence.Origin
	enabled, tells evidence.Value[bool]
	missing        []string      // watched calls that it does not tell of
	groups         []evidence.ID // the log groups in which it looks; none for an event rule, which hears of calls of its region
}

// A region is what was found in one.
type region struct {
	alarms []alarm
	err    error // why not all of them could be listed
	at     evidence.Origin
}

// An account collects the regions.
type account struct {
	mu      sync.Mutex
	regions map[string]region
}

func accountOf(s *scope.Scope) *account {
	return scope.Memo(s, "alarms", func() *account { return &account{regions: map[string]region{}} })
}

func (a *account) add(name string, r region) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.regions[name] = r
}

// A trail is what an alarm may watch over.
type trail struct {
	name, account, home string
	group               evidence.ID // the log group that it delivers to
	everywhere          bool
	organization        bool
}

func trailOf(s *scope.Scope, t types.Trail) trail {
	arn, _ := scope.ParseARN(aws.ToString(t.TrailARN))
	out := trail{
		name: cmp.Or(aws.ToString(t.Name), arn.Name()), account: cmp.Or(arn.Account, s.Account),
		home:       cmp.Or(aws.ToString(t.HomeRegion), arn.Region),
		everywhere: aws.ToBool(t.IsMultiRegionTrail), organization: aws.ToBool(t.IsOrganizationTrail),
	}
	if g := aws.ToString(t.CloudWatchLogsLogGroupArn); g != "" {
		out.group = s.GroupID(g)
	}
	return out
}

// covers lists the assets whose records the trail holds.
func (t trail) covers() []evidence.ID {
	var out []evidence.ID
	if t.organization {
		out = append(out, scope.OrganizationID(t.account))
	}
	if t.everywhere {
		return append(out, scope.AccountID(t.account))
	}
	return append(out, scope.RegionID(t.account, t.home))
}

// observe records the alarms of an account and says whether they are all that there are.
//
// An alarm is on what the trails record that it watches over. A metric filter sees the calls that a trail delivers to its
// log group, whatever their region. An event rule hears of the calls of its own region, and StopLogging and DeleteTrail
// can only be made in the home region of a trail: see the SDK on StopLogging. So the set-up of the CIS benchmark, and a
// rule in the home region of a trail over all regions, are on the account; a rule elsewhere is on its region alone. Where
// trails could not be listed, an alarm may be on the account.
func (a *account) observe(s *scope.Scope, trails []trail, err error, at evidence.Origin) {
	names := slices.Sorted(maps.Keys(a.regions))
	all := evidence.Known(true, s.At("logs:DescribeMetricFilters", ""))
	for _, t := range trails {
		_, read := a.regions[t.home]
		switch {
		case t.account != s.Account:
			all = evidence.Unknown[bool](evidence.Elsewhere, at.WithNote(fmt.Sprintf("the trail %q is that of account %s, and so are the alarms on it", t.name, t.account)))
		case t.everywhere && !read && !all.IsUnknown():
			all = evidence.Unknown[bool](evidence.Elsewhere, at.WithNote(fmt.Sprintf("the trail %q is at home in %s, which was not scanned", t.name, t.home)))
		}
	}
	for _, name := range slices.Backward(names) { // so that the first one stands
		if r := a.regions[name]; r.err != nil {
			all = scope.Unknown[bool](r.err, r.at)
		}
	}
	if err != nil {
		all = scope.Unknown[bool](err, at)
	}
	s.Tell(s.AccountID(), func(asset *evidence.Asset) { asset.Alarmed = all })
	var found []alarm
	var records []*evidence.Alarm
	for _, name := range names {
		for _, one := range a.regions[name].alarms {
			found, records = append(found, one), append(records, one.observe(trails, err, at))
		}
	}
	alone := make([]string, len(found))
	for i, one := range found {
		alone[i] = leaves(slices.DeleteFunc(slices.Clone(one.missing), func(call string) bool { return elsewhere(call, records[i], found, records) }))
	}
	for i, one := range found {
		if on, known := records[i].Enabled.Get(); known && on && alone[i] != "" {
			records[i].Enabled = evidence.Known(false, records[i].Enabled.At().WithNote(alone[i]))
		}
		one.s.Record(records[i])
	}
}

// elsewhere reports whether another alarm, on something that this one is on as well, tells of a call: two alarms may share
// the calls that stop a trail.
func elsewhere(call string, this *evidence.Alarm, found []alarm, records []*evidence.Alarm) bool {
	for i, r := range records {
		on, _ := r.Enabled.Get()
		tells, _ := r.Reaches.Get()
		if on && tells && !slices.Contains(found[i].missing, call) && slices.ContainsFunc(r.On, func(id evidence.ID) bool { return slices.Contains(this.On, id) }) {
			return true
		}
	}
	return false
}

func (a alarm) observe(trails []trail, err error, at evidence.Origin) *evidence.Alarm {
	out := &evidence.Alarm{
		Subject: evidence.Subject{ID: a.s.ID(a.thing), Kind: a.kind, Name: a.name, At: a.at},
		Enabled: a.enabled, Reaches: a.tells,
	}
	if on, known := a.enabled.Get(); err != nil && (on || !known) {
		out.On, out.Enabled = []evidence.ID{a.s.AccountID()}, scope.Unknown[bool](err, at)
		return out
	}
	for _, t := range trails {
		if t.account != a.s.Account || t.group == "" && a.groups != nil {
			continue
		}
		if a.groups == nil && t.home == a.s.Region || slices.Contains(a.groups, t.group) {
			out.On = append(out.On, t.covers()...)
		}
	}
	if len(out.On) == 0 { // a trail of that region alone may still be there
		out.On = []evidence.ID{a.s.Home()}
	}
	slices.Sort(out.On)
	out.On = slices.Compact(out.On)
	return out
}

// A metric is what a metric filter counts calls in that stop a trail.
type metric struct {
	logs.MetricTransformation
	group   evidence.ID
	certain answer
	missing []string
}

// metricAlarm says what an alarm on metrics tells, if it is on one of those.
func metricAlarm(s *scope.Scope, a cloudwatch.MetricAlarm, metrics []metric, composites []cloudwatch.CompositeAlarm, tells func([]string) evidence.Value[bool]) (alarm, bool) {
	name := aws.ToString(a.AlarmName)
	at := s.At("cloudwatch:DescribeAlarms", name)
	out := alarm{s: s, thing: "alarm/" + name, kind: "metric alarm", name: name, at: at, groups: []evidence.ID{}}
	best := answer(-1)
	for _, m := range metrics {
		answers, reads := fires(a, m)
		if !reads {
			continue
		}
		out.groups = append(out.groups, m.group)
		if answers == yes && best == yes { // several filters may count into one metric
			out.missing = slices.DeleteFunc(slices.Clone(out.missing), func(call string) bool { return !slices.Contains(m.missing, call) })
		}
		if answers <= best {
			continue
		}
		best = answers
		switch best {
		case yes:
			out.enabled, out.missing = evidence.Known(true, at), m.missing
		case maybe:
			out.enabled = evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("whether one call sets it off is not something that we can follow"))
		default:
			out.enabled = evidence.Known(false, at.WithNote("one call does not reach its threshold"))
		}
	}
	if best < no {
		return alarm{}, false
	}
	acts := a.ActionsEnabled == nil || *a.ActionsEnabled // "The default is TRUE": the SDK on PutMetricAlarm
	if !acts {
		out.enabled = evidence.Known(false, at.WithNote("its actions are turned off"))
	}
	out.tells = tells(a.AlarmActions)
	for _, c := range composites {
		if rule := aws.ToString(c.AlarmRule); !strings.Contains(rule, strconv.Quote(name)) && !strings.Contains(rule, "("+name+")") &&
			(aws.ToString(a.AlarmArn) == "" || !strings.Contains(rule, *a.AlarmArn)) {
			continue
		}
		may := evidence.Unknown[bool](evidence.Unfamiliar, s.At("cloudwatch:DescribeAlarms", aws.ToString(c.AlarmName)).
			WithNote("the composite alarm "+strconv.Quote(aws.ToString(c.AlarmName))+" may tell of it"))
		if reached, _ := out.tells.Get(); !reached || !acts {
			out.tells = may
			if !acts && best == yes {
				out.enabled = may
			}
		}
	}
	return out, true
}

// fires says whether one call sets an alarm off, and whether the alarm reads the metric at all.
func fires(a cloudwatch.MetricAlarm, m metric) (how answer, reads bool) {
	same := func(namespace, name *string) bool {
		return aws.ToString(namespace) == aws.ToString(m.MetricNamespace) && aws.ToString(name) == aws.ToString(m.MetricName)
	}
	for _, q := range a.Metrics {
		if q.MetricStat != nil && q.MetricStat.Metric != nil && same(q.MetricStat.Metric.Namespace, q.MetricStat.Metric.MetricName) {
			return maybe, true
		}
	}
	// With dimensions, or without them, it is another metric.
	if len(a.Metrics) > 0 || !same(a.Namespace, a.MetricName) || len(a.Dimensions) == 0 != (len(m.Dimensions) == 0) {
		return no, false
	}
	value, err := strconv.ParseFloat(aws.ToString(m.MetricValue), 64)
	periods := aws.ToInt32(cmp.Or(a.DatapointsToAlarm, a.EvaluationPeriods))
	plain := a.Statistic == cloudwatch.StatisticSum || a.Statistic == cloudwatch.StatisticMaximum ||
		m.DefaultValue == nil && (a.Statistic == cloudwatch.StatisticAverage || a.Statistic == cloudwatch.StatisticMinimum)
	if err != nil || a.Threshold == nil || periods > 1 || len(a.Dimensions) > 0 || !plain {
		return maybe, true
	}
	switch a.ComparisonOperator {
	case cloudwatch.ComparisonOperatorGreaterThanOrEqualToThreshold:
		return min(m.certain, sure(value >= *a.Threshold)), true
	case cloudwatch.ComparisonOperatorGreaterThanThreshold:
		return min(m.certain, sure(value > *a.Threshold)), true
	}
	return maybe, true
}

// leaves says which calls go unnoticed.
func leaves(missing []string) string {
	if len(missing) == 0 {
		return ""
	}
	return "it does not tell of " + strings.Join(missing, ", ")
}
