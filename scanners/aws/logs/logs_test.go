package logs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	metrics "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	keys "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/kms"
	"lookback/scanners/aws/scope"
)

const (
	keyARN    = "arn:aws:kms:eu-west-1:111122223333:key/k1"
	streamARN = "arn:aws:firehose:eu-west-1:444455556666:deliverystream/archive"
)

// A region answers for CloudWatch Logs.
type fake struct {
	groups    []types.LogGroup
	filters   map[string][]types.SubscriptionFilter
	policies  []types.AccountPolicy
	received  []string
	forwarded map[string]string // group to filter
	key       keys.KeyMetadata
	deny      string // an operation

	mu    sync.Mutex
	calls map[string]int
	asked []string
}

func (f *fake) answer(_ string, input any) (any, error) {
	op := strings.TrimSuffix(strings.SplitN(fmt.Sprintf("%T", input), ".", 2)[1], "Input")
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls == nil {
		f.calls = map[string]int{}
	}
	f.calls[op]++
	if op == f.deny {
		return nil, awstest.Denied()
	}
	switch in := input.(type) {
	case *cloudwatchlogs.DescribeLogGroupsInput:
		// three a page
		from := 0
		if in.NextToken != nil {
			from, _ = strconv.Atoi(*in.NextToken)
		}
		out := &cloudwatchlogs.DescribeLogGroupsOutput{LogGroups: f.groups[from:min(from+3, len(f.groups))]}
		if from+3 < len(f.groups) {
			out.NextToken = aws.String(fmt.Sprint(from + 3))
			if f.deny == "page 2" {
				f.deny = "DescribeLogGroups"
			}
		}
		return out, nil
	case *cloudwatchlogs.DescribeAccountPoliciesInput:
		return &cloudwatchlogs.DescribeAccountPoliciesOutput{AccountPolicies: f.policies}, nil
	case *cloudwatchlogs.DescribeSubscriptionFiltersInput:
		f.asked = append(f.asked, *in.LogGroupName)
		return &cloudwatchlogs.DescribeSubscriptionFiltersOutput{SubscriptionFilters: f.filters[*in.LogGroupName]}, nil
	case *cloudwatch.ListMetricsInput:
		out := &cloudwatch.ListMetricsOutput{}
		if *in.MetricName == "IncomingLogEvents" {
			out.Metrics = append(out.Metrics, metric("IncomingLogEvents")) // of the account as a whole
			for _, g := range f.received {
				out.Metrics = append(out.Metrics, metric("IncomingLogEvents", "LogGroupName", g))
			}
		} else {
			for g, name := range f.forwarded {
				out.Metrics = append(out.Metrics, metric("ForwardedLogEvents", "LogGroupName", g, "DestinationType", "Firehose", "FilterName", name))
			}
		}
		return out, nil
	case *awskms.DescribeKeyInput:
		return &awskms.DescribeKeyOutput{KeyMetadata: &f.key}, nil
	}
	return nil, awstest.Error("Unexpected")
}

func metric(name string, dimensions ...string) metrics.Metric {
	m := metrics.Metric{Namespace: aws.String("AWS/Logs"), MetricName: aws.String(name)}
	for i := 0; i < len(dimensions); i += 2 {
		m.Dimensions = append(m.Dimensions, metrics.Dimension{Name: aws.String(dimensions[i]), Value: aws.String(dimensions[i+1])})
	}
	return m
}

func logGroup(name string, days int32) types.LogGroup {
	g := types.LogGroup{
		LogGroupName: aws.String(name), CreationTime: aws.Int64(1_700_000_000_000),
		Arn: aws.String("arn:aws:logs:eu-west-1:111122223333:log-group:" + name + ":*"), LogGroupClass: types.LogGroupClassStandard,
	}
	if days > 0 {
		g.RetentionInDays = aws.Int32(days)
	}
	return g
}

func scan(t *testing.T, f *fake) (*evidence.Set, map[string]*evidence.LogStore) {
	t.Helper()
	set := awstest.Scan(t, f.answer, nil, Service(), kms.Service())
	stores := map[string]*evidence.LogStore{}
	for _, r := range set.Records {
		if s, ok := r.(*evidence.LogStore); ok {
			stores[s.Name] = s
		}
	}
	return set, stores
}

func days(t *testing.T, v evidence.Value[int], want int, note string) {
	t.Helper()
	if got, ok := v.Get(); !ok || got != want || v.At().Note != note {
		t.Errorf("got %d (known %t, note %q), want %d (%q)", got, ok, v.At().Note, want, note)
	}
}

func holds(t *testing.T, what string, v evidence.Value[bool], want bool) {
	t.Helper()
	if got, ok := v.Get(); !ok || got != want {
		t.Errorf("%s: got %t (known %t, %s, %+v), want %t", what, got, ok, v.Why(), v.At(), want)
	}
}

func unknown[T any](t *testing.T, what string, v evidence.Value[T], why evidence.Reason, call string) {
	t.Helper()
	if !v.IsUnknown() || v.Why() != why || v.At().Call != call {
		t.Errorf("%s: got %+v, want unknown, %s, %s", what, v, why, call)
	}
}

func TestALogGroupKeepsWhatItsRetentionSays(t *testing.T) {
	delivery := logGroup("handed-on", 0)
	delivery.LogGroupClass = types.LogGroupClassDelivery
	forever := logGroup("by-policy", 0)
	forever.RetentionPolicyName = aws.String("all")
	cheap := logGroup("cheap", 400)
	cheap.LogGroupClass = types.LogGroupClassInfrequentAccess
	strange := logGroup("strange", 0)
	strange.RetentionInDays = aws.Int32(0)
	_, stores := scan(t, &fake{groups: []types.LogGroup{
		logGroup("short", 30), logGroup("never", 0), delivery, forever, cheap, strange, {},
	}})
	if len(stores) != 6 {
		t.Fatalf("got %d stores", len(stores))
	}
	days(t, stores["short"].Kept, 30, "")
	days(t, stores["never"].Kept, evidence.Forever, "AWS default")
	days(t, stores["by-policy"].Kept, evidence.Forever, "")
	days(t, stores["cheap"].Kept, 400, "")
	if got, ok := stores["handed-on"].Kept.Get(); !ok || got != 1 {
		t.Errorf("a group that only hands on keeps %d days", got)
	}
	unknown(t, "0 days", stores["strange"].Kept, evidence.Unfamiliar, "logs:DescribeLogGroups")
	if at := stores["short"].Kept.At(); at.Call != "logs:DescribeLogGroups" || at.Of != "eu-west-1/short" {
		t.Errorf("the origin is %+v", at)
	}
	if id := stores["short"].ID; id != "aws:111122223333/eu-west-1//logs/short" {
		t.Errorf("the ID is %s", id)
	}
	if !stores["short"].ColdAfter.IsMoot() || !stores["short"].Private.IsZero() {
		t.Error("a log group does not go cold, and nobody asks who reads it")
	}
}

func TestAKeyAndAProtectionSayWhatTheyMean(t *testing.T) {
	own, plain := logGroup("own", 30), logGroup("plain", 30)
	own.KmsKeyId = aws.String(keyARN)
	plain.DeletionProtectionEnabled = aws.Bool(true)
	f := &fake{groups: []types.LogGroup{own, plain}, key: keys.KeyMetadata{KeyState: keys.KeyStateEnabled, KeyManager: keys.KeyManagerTypeCustomer}}
	_, stores := scan(t, f)
	holds(t, "encrypted", stores["own"].Encrypted, true)
	holds(t, "readable", stores["own"].Readable, true)
	holds(t, "encrypted by default", stores["plain"].Encrypted, false)
	if !stores["plain"].Readable.IsMoot() {
		t.Error("who has no key cannot lose it")
	}
	days(t, stores["own"].Locked, 0, "a log group cannot be locked")
	days(t, stores["plain"].Locked, 0, "deletion protection keeps the group, and not its records from a shorter retention")

	f.key.KeyState = keys.KeyStatePendingDeletion
	_, stores = scan(t, f)
	holds(t, "a key that goes away", stores["own"].Readable, false)

	f.deny = "DescribeKey"
	_, stores = scan(t, f)
	unknown(t, "encrypted", stores["own"].Encrypted, evidence.Denied, "kms:DescribeKey")
	unknown(t, "readable", stores["own"].Readable, evidence.Denied, "kms:DescribeKey")
}

func TestAGroupThatReceivesAndDoesNotForwardHasNoCopies(t *testing.T) {
	f := &fake{
		groups:    []types.LogGroup{logGroup("busy", 30), logGroup("copied", 30)},
		received:  []string{"busy", "copied"},
		forwarded: map[string]string{"copied": "to-archive"},
		filters: map[string][]types.SubscriptionFilter{"copied": {
			{FilterName: aws.String("to-archive"), DestinationArn: aws.String(streamARN), FilterPattern: aws.String(" ")},
			{FilterName: aws.String("errors"), DestinationArn: aws.String("arn:aws:lambda:eu-west-1:111122223333:function:alert:live"), FilterPattern: aws.String("ERROR")},
		}},
	}
	_, stores := scan(t, f)
	holds(t, "busy", stores["busy"].Complete, true)
	if at := stores["busy"].Complete.At(); at.Call != "cloudwatch:ListMetrics" || len(stores["busy"].To) != 0 {
		t.Errorf("got %+v from %+v", stores["busy"].To, at)
	}
	holds(t, "copied", stores["copied"].Complete, true)
	if !slices.Equal(f.asked, []string{"copied"}) {
		t.Errorf("asked %v", f.asked)
	}
	to := stores["copied"].To
	if len(to) != 2 || to[0].To != "aws:444455556666/eu-west-1//firehose/archive" || to[1].To != "aws:111122223333/eu-west-1//function/alert" {
		t.Fatalf("got %+v", to)
	}
	if e, _ := to[0].Extent.Get(); e.Grade != evidence.All {
		t.Errorf("a blank pattern lets everything through, and not %+v", e)
	}
	if e, _ := to[1].Extent.Get(); e.Grade != evidence.Some || e.But != "only what matches ERROR" {
		t.Errorf("got %+v", e)
	}
}

func TestQuietGroupsAreAskedWhileTheyAreFew(t *testing.T) {
	f := &fake{}
	for i := range oneByOne {
		f.groups = append(f.groups, logGroup(fmt.Sprintf("g%03d", i), 30))
	}
	_, stores := scan(t, f)
	holds(t, "one of a few", stores["g000"].Complete, true)
	if len(f.asked) != oneByOne || f.calls["DescribeLogGroups"] != 17 {
		t.Errorf("%d were asked, after %d pages", len(f.asked), f.calls["DescribeLogGroups"])
	}
	f.groups = append(f.groups, logGroup("one-more", 30))
	f.asked = nil
	_, stores = scan(t, f)
	unknown(t, "one of many", stores["g000"].Complete, evidence.Elsewhere, "logs:DescribeSubscriptionFilters")
	if len(f.asked) != 0 {
		t.Errorf("%d of many were asked", len(f.asked))
	}
	f.deny = "ListMetrics"
	_, stores = scan(t, f)
	unknown(t, "without metrics", stores["g000"].Complete, evidence.Denied, "cloudwatch:ListMetrics")
}

func TestTheAccountsFilterCopiesAllGroupsButThoseItNames(t *testing.T) {
	f := &fake{
		groups:    []types.LogGroup{logGroup("a", 30), logGroup("loop", 30)},
		received:  []string{"a", "loop"},
		forwarded: map[string]string{"a": "all"},
		policies: []types.AccountPolicy{{
			PolicyName: aws.String("all"), PolicyDocument: aws.String(`{"DestinationArn":"` + streamARN + `","FilterPattern":"","Distribution":"Random"}`),
			SelectionCriteria: aws.String(`LogGroupName  NOT IN ["loop"]`),
		}},
	}
	_, stores := scan(t, f)
	if len(stores["a"].To) != 1 || stores["a"].To[0].To != "aws:444455556666/eu-west-1//firehose/archive" || len(stores["loop"].To) != 0 {
		t.Errorf("got %+v and %+v", stores["a"].To, stores["loop"].To)
	}
	if len(f.asked) != 0 {
		t.Errorf("asked %v, which the account's filter explains", f.asked)
	}
	holds(t, "a", stores["a"].Complete, true)

	for _, p := range []types.AccountPolicy{
		{PolicyName: aws.String("all"), PolicyDocument: aws.String("{")},
		{PolicyName: aws.String("all"), PolicyDocument: f.policies[0].PolicyDocument, SelectionCriteria: aws.String(`LogGroupNamePrefix IN ["x"]`)},
	} {
		f.policies = []types.AccountPolicy{p}
		_, stores = scan(t, f)
		unknown(t, "a filter that we cannot follow", stores["a"].Complete, evidence.Unfamiliar, "logs:DescribeAccountPolicies")
		if len(stores["a"].To) != 0 {
			t.Errorf("got %+v", stores["a"].To)
		}
	}
}

func TestEachDeniedCallIsNamed(t *testing.T) {
	f := &fake{groups: []types.LogGroup{logGroup("a", 30), logGroup("b", 30), logGroup("c", 30), logGroup("d", 30)}}

	names := func(stores map[string]*evidence.LogStore) string {
		return strings.Join(slices.Sorted(maps.Keys(stores)), ", ")
	}
	const rest = "the log groups of eu-west-1" // what stands for those that did not come

	f.deny = "DescribeLogGroups"
	set, stores := scan(t, f)
	if names(stores) != rest || len(set.Gaps) != 1 || set.Gaps[0].Why != evidence.Denied || set.Gaps[0].In != "aws:111122223333/eu-west-1//region" {
		t.Errorf("got %s and %+v", names(stores), set.Gaps)
	}
	unknown(t, "complete", stores[rest].Complete, evidence.Denied, "logs:DescribeLogGroups")
	unknown(t, "kept", stores[rest].Kept, evidence.Denied, "logs:DescribeLogGroups")
	unknown(t, "encrypted", stores[rest].Encrypted, evidence.Denied, "logs:DescribeLogGroups")

	f.deny = "page 2"
	set, stores = scan(t, f)
	if names(stores) != "a, b, c, "+rest || len(set.Gaps) != 1 {
		t.Errorf("what came before an error is kept: got %s and %+v", names(stores), set.Gaps)
	}
	days(t, stores["a"].Kept, 30, "")
	unknown(t, "kept", stores[rest].Kept, evidence.Denied, "logs:DescribeLogGroups")

	f.deny = "DescribeAccountPolicies"
	_, stores = scan(t, f)
	unknown(t, "the account's filter", stores["a"].Complete, evidence.Denied, "logs:DescribeAccountPolicies")

	f.deny = "DescribeSubscriptionFilters"
	_, stores = scan(t, f)
	unknown(t, "the group's filters", stores["a"].Complete, evidence.Denied, "logs:DescribeSubscriptionFilters")
}

func TestOthersCanAskForAGroup(t *testing.T) {
	var found, missing evidence.Value[bool]
	var created time.Time
	f := &fake{groups: []types.LogGroup{logGroup("a", 30)}}
	run := func() {
		awstest.Scan(t, f.answer, nil, Service(), kms.Service(), asker(func(s *scope.Scope) {
			var g scope.Group
			g, found = s.Group("a")
			created = g.Created
			_, missing = s.Group("b")
		}))
	}
	run()
	holds(t, "a", found, true)
	holds(t, "b", missing, false)
	if !created.Equal(time.UnixMilli(1_700_000_000_000)) {
		t.Errorf("created %s", created)
	}
	f.deny = "DescribeLogGroups"
	run()
	unknown(t, "b", missing, evidence.Denied, "logs:DescribeLogGroups")
}

// asker is a reader of another service that asks at the end.
func asker(ask func(*scope.Scope)) scope.Service {
	return scope.Service{Name: "asker", Region: func(_ context.Context, s *scope.Scope) {
		s.After(func(context.Context) { ask(s) })
	}}
}

func TestAnEmptyRegionTakesOneCall(t *testing.T) {
	f := &fake{}
	set, _ := scan(t, f)
	if len(set.Gaps) != 0 || len(f.calls) != 1 || f.calls["DescribeLogGroups"] != 1 {
		t.Errorf("got %+v and %+v", f.calls, set.Gaps)
	}
}
