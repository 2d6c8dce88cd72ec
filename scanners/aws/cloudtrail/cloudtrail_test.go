package cloudtrail

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	sdkkms "github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	sdks3 "github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/kms"
	"lookback/scanners/aws/s3"
	"lookback/scanners/aws/scope"
	"lookback/scanners/aws/vended"
)

const (
	home       = awstest.Account + "/" + awstest.Region
	management = "100000000000"
	mainAPI    = "aws:" + home + "//cloudtrail/main#cloud-api"
	mainData   = "aws:" + home + "//cloudtrail/main#cloud-data"
)

// An estate answers for an account. What is nil is not there.
type estate struct {
	trails    []types.Trail
	status    map[string]*cloudtrail.GetTrailStatusOutput    // by the trail's name
	selectors map[string]*cloudtrail.GetEventSelectorsOutput // by the trail's name
	stores    []*cloudtrail.GetEventDataStoreOutput
	buckets   map[string]string // of the account, by region
	fails     map[string]error  // by operation, or by operation and name: "GetTrailStatus main"

	mu    sync.Mutex
	asked []string // operation, region and what it was about
}

func (e *estate) answer(region string, input any) (any, error) {
	op := strings.TrimSuffix(fmt.Sprintf("%T", input)[len("*cloudtrail."):], "Input")
	of := ""
	switch in := input.(type) {
	case *cloudtrail.GetTrailStatusInput:
		of = last(aws.ToString(in.Name))
	case *cloudtrail.GetEventSelectorsInput:
		of = last(aws.ToString(in.TrailName))
	case *cloudtrail.GetEventDataStoreInput:
		of = last(aws.ToString(in.EventDataStore))
	case *cloudtrail.ListEventDataStoresInput:
		of = aws.ToString(in.NextToken)
	}
	e.mu.Lock()
	e.asked = append(e.asked, strings.TrimSpace(op+" "+region+" "+of))
	e.mu.Unlock()
	for _, key := range []string{op, op + " " + of} {
		if err := e.fails[key]; err != nil {
			return nil, err
		}
	}
	switch in := input.(type) {
	case *cloudtrail.DescribeTrailsInput:
		return &cloudtrail.DescribeTrailsOutput{TrailList: e.trails}, nil
	case *cloudtrail.GetTrailStatusInput:
		if out := e.status[of]; out != nil {
			return out, nil
		}
		return running(), nil
	case *cloudtrail.GetEventSelectorsInput:
		if out := e.selectors[of]; out != nil {
			return out, nil
		}
	case *cloudtrail.ListEventDataStoresInput:
		out := &cloudtrail.ListEventDataStoresOutput{}
		n := 0
		if in.NextToken != nil {
			n = len(*in.NextToken)
		}
		if n < len(e.stores) { // a page for each
			out.EventDataStores = []types.EventDataStore{{EventDataStoreArn: e.stores[n].EventDataStoreArn, Name: e.stores[n].Name}}
		}
		if n+1 < len(e.stores) {
			out.NextToken = aws.String(strings.Repeat("x", n+1))
		}
		return out, nil
	case *cloudtrail.GetEventDataStoreInput:
		for _, d := range e.stores {
			if aws.ToString(d.EventDataStoreArn) == aws.ToString(in.EventDataStore) {
				return d, nil
			}
		}
	}
	return nil, nil
}

func last(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

func (e *estate) scan(t *testing.T) *evidence.Set {
	t.Helper()
	return awstest.Scan(t, func(region string, input any) (any, error) {
		if _, ok := input.(*sdkkms.DescribeKeyInput); ok {
			return &sdkkms.DescribeKeyOutput{KeyMetadata: &kmstypes.KeyMetadata{KeyManager: kmstypes.KeyManagerTypeCustomer, KeyState: kmstypes.KeyStateEnabled}}, nil
		}
		switch input.(type) {
		case *sdks3.ListBucketsInput:
			out := &sdks3.ListBucketsOutput{}
			for name, region := range e.buckets {
				out.Buckets = append(out.Buckets, s3types.Bucket{Name: aws.String(name), BucketRegion: aws.String(region)})
			}
			return out, e.fails["ListBuckets"]
		case *sdks3.GetBucketLoggingInput, *cloudwatchlogs.DescribeDeliverySourcesInput:
			return nil, nil
		}
		return e.answer(region, input)
	}, nil, Service(), kms.Service(), s3.Service(), vended.Service())
}

func ago(d time.Duration) *time.Time { return aws.Time(awstest.Now.Add(-d)) }

// trailOf is a trail over all regions of this account, with validation, into a bucket.
func trailOf(name string, change ...func(*types.Trail)) types.Trail {
	t := types.Trail{
		Name: aws.String(name), TrailARN: aws.String("arn:aws:cloudtrail:" + awstest.Region + ":" + awstest.Account + ":trail/" + name),
		HomeRegion: aws.String(awstest.Region), IsMultiRegionTrail: aws.Bool(true), IsOrganizationTrail: aws.Bool(false),
		IncludeGlobalServiceEvents: aws.Bool(true), HasCustomEventSelectors: aws.Bool(false), LogFileValidationEnabled: aws.Bool(true),
		S3BucketName: aws.String("logs"),
	}
	for _, do := range change {
		do(&t)
	}
	return t
}

func running() *cloudtrail.GetTrailStatusOutput {
	return &cloudtrail.GetTrailStatusOutput{
		IsLogging: aws.Bool(true), StartLoggingTime: ago(500 * 24 * time.Hour),
		LatestDeliveryTime: ago(5 * time.Minute), LatestDigestDeliveryTime: ago(time.Hour),
	}
}

func custom(t *types.Trail) { t.HasCustomEventSelectors = aws.Bool(true) }
func oneRegion(t *types.Trail) {
	t.IsMultiRegionTrail, t.IncludeGlobalServiceEvents = aws.Bool(false), aws.Bool(false)
}

func ofOrganization(t *types.Trail) {
	t.IsOrganizationTrail, t.HomeRegion = aws.Bool(true), aws.String("us-east-1")
	t.TrailARN = aws.String("arn:aws:cloudtrail:us-east-1:" + management + ":trail/" + *t.Name)
}

func basic(s ...types.EventSelector) *cloudtrail.GetEventSelectorsOutput {
	return &cloudtrail.GetEventSelectorsOutput{EventSelectors: s}
}

// advanced makes a selector from "field operator value,value".
func advanced(selectors ...[]string) *cloudtrail.GetEventSelectorsOutput {
	return &cloudtrail.GetEventSelectorsOutput{AdvancedEventSelectors: advancedSelectors(selectors...)}
}

func advancedSelectors(selectors ...[]string) []types.AdvancedEventSelector {
	var out []types.AdvancedEventSelector
	for _, lines := range selectors {
		var one types.AdvancedEventSelector
		for _, line := range lines {
			f := strings.SplitN(line, " ", 3)
			field := types.AdvancedFieldSelector{Field: aws.String(f[0])}
			values := strings.Split(f[2], ",")
			switch f[1] {
			case "=":
				field.Equals = values
			case "!=":
				field.NotEquals = values
			case "^":
				field.StartsWith = values
			case "!^":
				field.NotStartsWith = values
			case "$":
				field.EndsWith = values
			case "!$":
				field.NotEndsWith = values
			}
			one.FieldSelectors = append(one.FieldSelectors, field)
		}
		out = append(out, one)
	}
	return out
}

func find[R evidence.Record](t *testing.T, set *evidence.Set, id string) R {
	t.Helper()
	r, ok := has[R](set, id)
	if !ok {
		t.Fatalf("no record %s", id)
	}
	return r
}

func has[R evidence.Record](set *evidence.Set, id string) (R, bool) {
	for _, r := range set.Records {
		if one, ok := r.(R); ok && string(r.Self().ID) == id {
			return one, true
		}
	}
	var none R
	return none, false
}

// say writes a fact in a word: "true", "some: not kms.amazonaws.com", "moot", "denied cloudtrail:GetTrailStatus eu-west-1/main".
func say[T any](v evidence.Value[T]) string {
	got, known := v.Get()
	switch {
	case v.IsMoot():
		return "moot"
	case !known && v.Why() == evidence.Denied:
		return "denied " + v.At().Call + " " + v.At().Of
	case !known:
		return string(v.Why()) + ": " + v.At().Note
	}
	switch x := any(got).(type) {
	case evidence.Extent:
		if x.But != "" {
			return string(x.Grade) + ": " + x.But
		}
		return string(x.Grade)
	case time.Time:
		if x.IsZero() {
			return "never"
		}
		return x.UTC().Format(time.RFC3339)
	}
	return fmt.Sprint(got)
}

func equal(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s\n got %s\nwant %s", what, got, want)
	}
}

// verdict returns the line of a check on a subject, "" where there is none.
func verdict(set *evidence.Set, check, subject string) string {
	for _, line := range awstest.Judge(set) {
		if strings.Contains(line, " "+check+" "+subject+": ") {
			return line
		}
	}
	return ""
}

const (
	regionID = "aws:" + home + "//region"
	recorded = "recorded-cloud-api"
	complete = "recorded-cloud-api-complete"
)

func begins(t *testing.T, what, got, want string) {
	t.Helper()
	if !strings.HasPrefix(got, want) {
		t.Errorf("%s\n got %q\nwant %q", what, got, want)
	}
}

func TestATrailOverAllRegionsCoversTheAccount(t *testing.T) {
	e := &estate{trails: []types.Trail{trailOf("main", func(t *types.Trail) {
		t.S3KeyPrefix, t.KmsKeyId = aws.String("audit"), aws.String("arn:aws:kms:eu-west-1:111122223333:key/k")
		t.CloudWatchLogsLogGroupArn = aws.String("arn:aws:logs:eu-west-1:111122223333:log-group:trail:*")
	})}}
	set := e.scan(t)
	api := find[*evidence.LogSource](t, set, mainAPI)
	equal(t, "kind", api.Kind+" "+api.Name, "trail main")
	equal(t, "covers", fmt.Sprint(api.Covers), "[aws:111122223333//account]")
	equal(t, "enabled", say(api.Enabled), "true")
	equal(t, "since", say(api.Since), awstest.Now.AddDate(0, 0, -500).Format(time.RFC3339))
	for _, part := range []evidence.Part{evidence.PartReads, evidence.PartWrites, evidence.PartGlobal} {
		equal(t, string(part), say(api.Parts[part]), "all")
	}
	if len(api.To) != 2 {
		t.Fatalf("it delivers to %d stores", len(api.To))
	}
	bucket, group := api.To[0], api.To[1]
	equal(t, "bucket", string(bucket.To), "aws://s3/logs/audit/AWSLogs/111122223333/CloudTrail")
	equal(t, "last", say(bucket.Last), "2026-06-01T11:55:00Z")
	equal(t, "error", say(bucket.Error), "")
	equal(t, "validated", say(bucket.Validated), "true")
	equal(t, "group", string(group.To), "aws:111122223333/eu-west-1//logs/trail")
	equal(t, "last of the group", say(group.Last), "never")
	equal(t, "validated in the group", say(group.Validated), "moot")
	equal(t, "origin", api.Enabled.At().Call+" "+api.Enabled.At().Of, "cloudtrail:GetEventSelectors eu-west-1/main")
	if _, ok := has[*evidence.LogSource](set, mainData); ok {
		t.Error("a trail without data events has a source of them")
	}
	begins(t, "verdict", verdict(set, recorded, regionID), `pass recorded-cloud-api `+regionID+`: trail "main" records calls in eu-west-1`)
	begins(t, "verdict", verdict(set, complete, regionID), "pass ")
	slices.Sort(e.asked)
	equal(t, "asked", strings.Join(e.asked, ", "), "DescribeTrails eu-west-1, GetEventSelectors eu-west-1 main, GetTrailStatus eu-west-1 main, ListEventDataStores eu-west-1")
}

func TestWithoutATrailOnlyTheEventHistoryIsThere(t *testing.T) {
	set := awstest.Scan(t, func(string, any) (any, error) { return nil, nil }, nil, Service(), kms.Service())
	history := find[*evidence.LogSource](t, set, "aws:"+home+"//event-history#cloud-api")
	store := find[*evidence.LogStore](t, set, "aws:"+home+"//cloudtrail/event-history")
	equal(t, "floor", fmt.Sprint(history.Floor, " ", history.Covers, " ", history.To[0].To), "true [aws:"+home+"//region] "+string(store.ID))
	equal(t, "parts", say(history.Parts[evidence.PartReads])+" "+say(history.Parts[evidence.PartWrites])+" "+say(history.Parts[evidence.PartGlobal]), "all all moot")
	equal(t, "kept, locked", say(store.Kept)+" "+say(store.Locked), "90 90")
	equal(t, "looked", say(find[*evidence.Asset](t, set, regionID).Looked[evidence.CloudAPI]), "true")
	begins(t, "verdict", verdict(set, recorded, regionID), "fail recorded-cloud-api "+regionID+": only the platform's own history of 90 days")
}

func TestAStoppedTrailIsOff(t *testing.T) {
	set := (&estate{
		trails: []types.Trail{trailOf("main")},
		status: map[string]*cloudtrail.GetTrailStatusOutput{"main": {IsLogging: aws.Bool(false), StartLoggingTime: ago(99 * time.Hour), StopLoggingTime: ago(time.Hour), LatestDeliveryTime: ago(time.Hour)}},
	}).scan(t)
	api := find[*evidence.LogSource](t, set, mainAPI)
	equal(t, "enabled", say(api.Enabled)+" "+api.Enabled.At().Call, "false cloudtrail:GetTrailStatus")
	begins(t, "verdict", verdict(set, recorded, regionID), `fail recorded-cloud-api `+regionID+`: trail "main" is off`)
}

func TestATrailTurnedOnAgainBeginsAnew(t *testing.T) {
	status := running()
	status.StartLoggingTime, status.StopLoggingTime = ago(12*24*time.Hour), ago(20*24*time.Hour)
	set := (&estate{trails: []types.Trail{trailOf("main")}, status: map[string]*cloudtrail.GetTrailStatusOutput{"main": status}}).scan(t)
	since := find[*evidence.LogSource](t, set, mainAPI).Since
	equal(t, "since", say(since), "2026-05-20T12:00:00Z")
	equal(t, "note", since.At().Note, "it was stopped before, from 2026-05-12")
}

func TestDeliveryThatFailsOrStopsIsSaid(t *testing.T) {
	long := aws.Time(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC))
	for _, c := range []struct {
		name              string
		last              *time.Time
		failure           *string
		began             *time.Time
		wantLast, wantErr string
		outcome           string // of the check; "" where it does not ask
	}{
		{"the bucket is gone", long, aws.String("NoSuchBucket"), long, "2025-01-01T00:00:00Z", "NoSuchBucket", "fail"},
		{"stale, and no error", long, nil, long, "2025-01-01T00:00:00Z", "", "fail"},
		{"never", nil, nil, long, "never", "", "fail"},
		{"just turned on", nil, nil, ago(time.Minute), "never", "", ""},
		{"fresh", ago(time.Minute), nil, long, "2026-06-01T11:59:00Z", "", "pass"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status := running()
			status.LatestDeliveryTime, status.LatestDeliveryError, status.StartLoggingTime = c.last, c.failure, c.began
			set := (&estate{trails: []types.Trail{trailOf("main")}, status: map[string]*cloudtrail.GetTrailStatusOutput{"main": status}}).scan(t)
			to := find[*evidence.LogSource](t, set, mainAPI).To[0]
			equal(t, "last", say(to.Last), c.wantLast)
			equal(t, "error", say(to.Error), c.wantErr)
			outcome, _, _ := strings.Cut(verdict(set, "arriving-recently", mainAPI), " ")
			equal(t, "outcome", outcome, c.outcome)
		})
	}
}

func TestValidationHoldsWhileDigestsArrive(t *testing.T) {
	for _, c := range []struct {
		name, want, note string
		asked            *bool
		change           func(*cloudtrail.GetTrailStatusOutput)
	}{
		{"they do", "true", "", aws.Bool(true), func(*cloudtrail.GetTrailStatusOutput) {}},
		{"nobody asked", "false", "", aws.Bool(false), func(*cloudtrail.GetTrailStatusOutput) {}},
		{"it is not said", "failed: the answer does not say", "the answer does not say", nil, func(*cloudtrail.GetTrailStatusOutput) {}},
		{"an error", "false", "digests do not arrive: AccessDenied", aws.Bool(true), func(s *cloudtrail.GetTrailStatusOutput) { s.LatestDigestDeliveryError = aws.String("AccessDenied") }},
		{"the last is old", "false", "the last digest came on 2026-05-30", aws.Bool(true), func(s *cloudtrail.GetTrailStatusOutput) { s.LatestDigestDeliveryTime = ago(48 * time.Hour) }},
		{"the last is as old as the trail's end", "true", "", aws.Bool(true), func(s *cloudtrail.GetTrailStatusOutput) {
			s.IsLogging, s.LatestDigestDeliveryTime = aws.Bool(false), ago(48*time.Hour)
		}},
		{"none ever came", "failed: no digest was ever delivered", "no digest was ever delivered", aws.Bool(true), func(s *cloudtrail.GetTrailStatusOutput) {
			s.LatestDigestDeliveryTime = nil
		}},
		{"none came, since when is not said", "failed: no digest was ever delivered", "no digest was ever delivered", aws.Bool(true), func(s *cloudtrail.GetTrailStatusOutput) {
			s.LatestDigestDeliveryTime, s.StartLoggingTime = nil, nil
		}},
		{"none came to a trail of today", "true", "", aws.Bool(true), func(s *cloudtrail.GetTrailStatusOutput) {
			s.LatestDigestDeliveryTime, s.StartLoggingTime = nil, ago(time.Hour)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			status := running()
			c.change(status)
			set := (&estate{
				trails: []types.Trail{trailOf("main", func(t *types.Trail) { t.LogFileValidationEnabled = c.asked })},
				status: map[string]*cloudtrail.GetTrailStatusOutput{"main": status},
			}).scan(t)
			got := find[*evidence.LogSource](t, set, mainAPI).To[0].Validated
			equal(t, "validated", say(got), c.want)
			equal(t, "note", got.At().Note, c.note)
		})
	}
}

func TestOneDeniedTrailLeavesTheOthersAlone(t *testing.T) {
	set := (&estate{
		trails: []types.Trail{trailOf("first"), trailOf("main"), trailOf("other")},
		fails:  map[string]error{"GetTrailStatus first": awstest.Denied()},
	}).scan(t)
	first := find[*evidence.LogSource](t, set, "aws:"+home+"//cloudtrail/first#cloud-api")
	for what, got := range map[string]string{
		"enabled": say(first.Enabled), "since": say(first.Since), "last": say(first.To[0].Last), "error": say(first.To[0].Error), "validated": say(first.To[0].Validated),
	} {
		equal(t, what, got, "denied cloudtrail:GetTrailStatus eu-west-1/first")
	}
	for _, name := range []string{"main", "other"} {
		equal(t, name, say(find[*evidence.LogSource](t, set, "aws:"+home+"//cloudtrail/"+name+"#cloud-api").Enabled), "true")
	}
	begins(t, "verdict", verdict(set, recorded, regionID), "pass ")
}

func TestNothingFailsBecauseACallIsDenied(t *testing.T) {
	for _, op := range []string{"DescribeTrails", "GetTrailStatus", "GetEventSelectors", "ListEventDataStores"} {
		for _, trails := range [][]types.Trail{nil, {trailOf("main", custom)}} {
			t.Run(fmt.Sprint(op, " with ", len(trails), " trails"), func(t *testing.T) {
				set := (&estate{trails: trails, fails: map[string]error{op: awstest.Denied()}}).scan(t)
				got := verdict(set, recorded, regionID)
				switch {
				case op == "ListEventDataStores" && trails != nil:
					begins(t, "a trail is enough", got, "pass ")
				case trails == nil && strings.HasPrefix(op, "Get"):
					begins(t, "there is no trail to ask of", got, "fail ")
				default:
					equal(t, "verdict", got, "not-assessed recorded-cloud-api "+regionID+": we may not call cloudtrail:"+op)
				}
				if (op == "DescribeTrails" || op == "ListEventDataStores") && len(set.Gaps) != 1 {
					t.Errorf("gaps: %v", set.Gaps)
				}
			})
		}
	}
}

func TestAnEmptyStatusIsNotAnswer(t *testing.T) {
	set := (&estate{trails: []types.Trail{trailOf("main")}, status: map[string]*cloudtrail.GetTrailStatusOutput{"main": {}}}).scan(t)
	api := find[*evidence.LogSource](t, set, mainAPI)
	equal(t, "enabled", say(api.Enabled), "failed: the answer is empty")
	equal(t, "last", say(api.To[0].Last), "failed: the answer is empty")
}

func TestWhatATrailTakesOfCalls(t *testing.T) {
	for _, c := range []struct {
		name                            string
		selectors                       *cloudtrail.GetEventSelectorsOutput
		enabled, reads, writes, globals string
	}{
		{"nobody chose", basic(), "true", "all", "all", "all"},
		{"defaults of a selector", basic(types.EventSelector{}), "true", "all", "all", "all"},
		{"writes alone", basic(types.EventSelector{ReadWriteType: types.ReadWriteTypeWriteOnly}), "true", "none", "all", "all"},
		{"reads and writes in two selectors", basic(types.EventSelector{ReadWriteType: types.ReadWriteTypeWriteOnly}, types.EventSelector{ReadWriteType: types.ReadWriteTypeReadOnly}), "true", "all", "all", "all"},
		{"without KMS", basic(types.EventSelector{ExcludeManagementEventSources: []string{"kms.amazonaws.com"}}), "true", "some: not kms.amazonaws.com", "some: not kms.amazonaws.com", "all"},
		{"a type that we do not know", basic(types.EventSelector{ReadWriteType: "Deletes"}), "unfamiliar: it takes events of the type Deletes", "unfamiliar: it takes events of the type Deletes", "unfamiliar: it takes events of the type Deletes", "unfamiliar: it takes events of the type Deletes"},
		{"advanced, all calls", advanced([]string{"eventCategory = Management"}), "true", "all", "all", "all"},
		{"advanced, reads alone", advanced([]string{"eventCategory = Management", "readOnly = true"}), "true", "all", "none", "all"},
		{"advanced, without two sources", advanced([]string{"eventCategory = Management", "eventSource != kms.amazonaws.com,rdsdata.amazonaws.com"}), "true", "some: not kms.amazonaws.com, not rdsdata.amazonaws.com", "some: not kms.amazonaws.com, not rdsdata.amazonaws.com", "all"},
		{"advanced, writes in full and reads without KMS", advanced([]string{"eventCategory = Management", "readOnly = false"}, []string{"eventCategory = Management", "eventSource != kms.amazonaws.com"}), "true", "some: not kms.amazonaws.com", "all", "all"},
		{"advanced, filters that overlap", advanced([]string{"eventCategory = Management", "eventSource != kms.amazonaws.com"}, []string{"eventCategory = Management", "eventSource = kms.amazonaws.com"}), "unfamiliar: it has several filters: not kms.amazonaws.com; only kms.amazonaws.com", "unfamiliar: it has several filters: not kms.amazonaws.com; only kms.amazonaws.com", "unfamiliar: it has several filters: not kms.amazonaws.com; only kms.amazonaws.com", "all"},
		{"advanced, without one user", advanced([]string{"eventCategory = Management", "userIdentity.arn !^ arn:aws:sts::1:assumed-role/bot"}), "true", "some: not userIdentity.arn arn:aws:sts::1:assumed-role/bot...", "some: not userIdentity.arn arn:aws:sts::1:assumed-role/bot...", "some: not userIdentity.arn arn:aws:sts::1:assumed-role/bot..."},
		{"advanced, by name", advanced([]string{"eventCategory = Management", "eventName = RunInstances"}), "unfamiliar: it takes some events by name: only eventName RunInstances", "unfamiliar: it takes some events by name: only eventName RunInstances", "unfamiliar: it takes some events by name: only eventName RunInstances", "unfamiliar: it takes some events by name: only eventName RunInstances"},
		{"advanced, writes by name", advanced([]string{"eventCategory = Management", "readOnly = false", "eventName $ Instances"}), "true", "none", "some: only eventName ...Instances", "some: only eventName ...Instances"},
		{"advanced, a field that we do not know", advanced([]string{"eventCategory = Management", "moonPhase = full"}), "unfamiliar: it has a filter on moonPhase, which we do not know", "unfamiliar: it has a filter on moonPhase, which we do not know", "unfamiliar: it has a filter on moonPhase, which we do not know", "unfamiliar: it has a filter on moonPhase, which we do not know"},
		{"advanced, an operator that we do not know", advanced([]string{"eventCategory = Management", "eventType ~ x"}), "unfamiliar: it has a filter on eventType that we do not know", "unfamiliar: it has a filter on eventType that we do not know", "unfamiliar: it has a filter on eventType that we do not know", "unfamiliar: it has a filter on eventType that we do not know"},
		{"advanced, a filter on readOnly that says nothing", advanced([]string{"eventCategory = Management", "readOnly != true"}), "unfamiliar: it has a filter on readOnly that we do not know", "unfamiliar: it has a filter on readOnly that we do not know", "unfamiliar: it has a filter on readOnly that we do not know", "unfamiliar: it has a filter on readOnly that we do not know"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := (&estate{trails: []types.Trail{trailOf("main", custom)}, selectors: map[string]*cloudtrail.GetEventSelectorsOutput{"main": c.selectors}}).scan(t)
			api := find[*evidence.LogSource](t, set, mainAPI)
			equal(t, "enabled", say(api.Enabled), c.enabled)
			equal(t, "reads", say(api.Parts[evidence.PartReads]), c.reads)
			equal(t, "writes", say(api.Parts[evidence.PartWrites]), c.writes)
			equal(t, "global", say(api.Parts[evidence.PartGlobal]), c.globals)
		})
	}
}

func TestATrailOfDataEventsAloneIsNoTrailOfCallsThatIsOff(t *testing.T) {
	for name, chosen := range map[string]*cloudtrail.GetEventSelectorsOutput{
		"basic":                  basic(types.EventSelector{IncludeManagementEvents: aws.Bool(false), DataResources: []types.DataResource{{Type: aws.String(s3Object), Values: []string{"arn:aws:s3"}}}}),
		"advanced":               advanced([]string{"eventCategory = Data", "resources.type = " + s3Object}),
		"network activity alone": advanced([]string{"eventCategory = NetworkActivity", "eventSource = ec2.amazonaws.com"}),
	} {
		t.Run(name, func(t *testing.T) {
			set := (&estate{trails: []types.Trail{trailOf("main", custom)}, selectors: map[string]*cloudtrail.GetEventSelectorsOutput{"main": chosen}}).scan(t)
			for _, r := range set.Records {
				if r.Self().ID == mainAPI {
					t.Error("it is a source of calls")
				}
			}
			begins(t, "verdict", verdict(set, recorded, regionID), "fail "+recorded+" "+regionID+": only the platform's own history")
		})
	}
}

func TestWhatATrailTakesOfObjects(t *testing.T) {
	data := func(more ...string) []string {
		return append([]string{"eventCategory = Data", "resources.type = " + s3Object}, more...)
	}
	objects := func(kind types.ReadWriteType, values ...string) types.EventSelector {
		return types.EventSelector{ReadWriteType: kind, DataResources: []types.DataResource{{Type: aws.String(s3Object), Values: values}}}
	}
	const all = "aws:" + awstest.Account + "//account"
	for _, c := range []struct {
		name      string
		selectors *cloudtrail.GetEventSelectorsOutput
		want      []string // thing: covers: reads: writes
	}{
		{"every bucket", basic(objects("", "arn:aws:s3")), []string{"main: [" + all + "]: all: all"}},
		{"every bucket, older form", basic(objects(types.ReadWriteTypeWriteOnly, "arn:aws:s3:::")), []string{"main: [" + all + "]: none: all"}},
		{"two buckets", basic(objects("", "arn:aws:s3:::b/", "arn:aws:s3:::a/")), []string{"main: [aws://s3/a aws://s3/b]: all: all"}},
		{"a folder", basic(objects("", "arn:aws:s3:::a/img/")), []string{"main: [aws://s3/a]: some: only img/...: some: only img/..."}},
		{"a bucket, and writes of every one", basic(objects("", "arn:aws:s3:::a/"), objects(types.ReadWriteTypeWriteOnly, "arn:aws:s3")), []string{"main/2: [aws://s3/a]: all: all", "main: [" + all + "]: none: all"}},
		{"a name that is not whole", basic(objects("", "arn:aws:s3:::prod")), []string{"main: [aws://s3/prod-1 aws://s3/prod-2]: unfamiliar: it takes objects by name: only arn:aws:s3:::prod...: unfamiliar: it takes objects by name: only arn:aws:s3:::prod..."}},
		{"a bucket of another account", basic(objects("", "arn:aws:s3:::foreign/")), []string{"main: [aws://s3/foreign]: some: only what account 111122223333 does: some: only what account 111122223333 does"}},
		{"two folders", basic(objects("", "arn:aws:s3:::a/img/", "arn:aws:s3:::a/doc/")), []string{"main: [aws://s3/a]: some: only img/... or doc/...: some: only img/... or doc/..."}},
		{"functions alone", basic(types.EventSelector{DataResources: []types.DataResource{{Type: aws.String("AWS::Lambda::Function"), Values: []string{"arn:aws:lambda"}}}}), nil},
		{"advanced, every bucket", advanced(data()), []string{"main: [" + all + "]: all: all"}},
		{"advanced, writes", advanced(data("readOnly = false")), []string{"main: [" + all + "]: none: all"}},
		{"advanced, from S3", advanced(data("eventSource = s3.amazonaws.com")), []string{"main: [" + all + "]: all: all"}},
		{"advanced, two buckets", advanced(data("resources.ARN ^ arn:aws:s3:::b/,arn:aws:s3:::a/")), []string{"main: [aws://s3/a aws://s3/b]: all: all"}},
		{"advanced, a bucket and not a folder of it", advanced(data("resources.ARN ^ arn:aws:s3:::a/", "readOnly = true")), []string{"main: [aws://s3/a]: all: none"}},
		{"advanced, one object", advanced(data("resources.ARN = arn:aws:s3:::a/x")), []string{"main: [aws://s3/a]: some: only x: some: only x"}},
		{"advanced, a bucket as if it were an object", advanced(data("resources.ARN = arn:aws:s3:::a/")), []string{"main: [aws://s3/a]: unfamiliar: it takes objects by name: only arn:aws:s3:::a/: unfamiliar: it takes objects by name: only arn:aws:s3:::a/"}},
		{"advanced, every bucket but one", advanced(data("resources.ARN !^ arn:aws:s3:::logs/")), []string{"main: [aws://s3/a aws://s3/b aws://s3/north aws://s3/prod-1 aws://s3/prod-2]: all: all"}},
		{"advanced, every bucket but those that begin alike", advanced(data("resources.ARN !^ arn:aws:s3:::prod,arn:aws:s3:::logs")), []string{"main: [aws://s3/a aws://s3/b aws://s3/north]: all: all"}},
		{"advanced, reads of every bucket but one", advanced(data("resources.ARN !^ arn:aws:s3:::logs/", "readOnly = true")), []string{"main: [aws://s3/a aws://s3/b aws://s3/north aws://s3/prod-1 aws://s3/prod-2]: all: none"}},
		{"advanced, every bucket but a folder of one", advanced(data("resources.ARN !^ arn:aws:s3:::logs/AWSLogs/")), []string{
			"main/2: [aws://s3/logs]: some: not AWSLogs/...: some: not AWSLogs/...", "main: [aws://s3/a aws://s3/b aws://s3/north aws://s3/prod-1 aws://s3/prod-2]: all: all",
		}},
		{"advanced, every bucket but one object", advanced(data("resources.ARN != arn:aws:s3:::a/x")), []string{
			"main/2: [aws://s3/b aws://s3/logs aws://s3/north aws://s3/prod-1 aws://s3/prod-2]: all: all", "main: [aws://s3/a]: some: not x: some: not x",
		}},
		{"advanced, every bucket but one that is written as if it were an object", advanced(data("resources.ARN != arn:aws:s3:::logs/")), []string{
			"main/2: [aws://s3/logs]: unfamiliar: it takes objects by name: not arn:aws:s3:::logs/: unfamiliar: it takes objects by name: not arn:aws:s3:::logs/",
			"main: [aws://s3/a aws://s3/b aws://s3/north aws://s3/prod-1 aws://s3/prod-2]: all: all",
		}},
		{"advanced, every bucket but one, and writes to that one", advanced(data("resources.ARN !^ arn:aws:s3:::logs/"), data("resources.ARN ^ arn:aws:s3:::logs/", "readOnly = false")), []string{
			"main/2: [aws://s3/logs]: none: all", "main: [aws://s3/a aws://s3/b aws://s3/north aws://s3/prod-1 aws://s3/prod-2]: all: all",
		}},
		{"advanced, buckets that begin alike", advanced(data("resources.ARN ^ arn:aws:s3:::prod")), []string{"main: [aws://s3/prod-1 aws://s3/prod-2]: all: all"}},
		{"advanced, by the end of names", advanced(data("resources.ARN $ .pdf")), []string{"main: [" + all + "]: some: only ....pdf: some: only ....pdf"}},
		{"advanced, not by the end of names", advanced(data("resources.ARN !$ .tmp")), []string{"main: [" + all + "]: some: not ....tmp: some: not ....tmp"}},
		{"advanced, without one user", advanced(data("userIdentity.arn != arn:aws:iam::111122223333:role/backup")), []string{"main: [" + all + "]: some: not userIdentity.arn arn:aws:iam::111122223333:role/backup: some: not userIdentity.arn arn:aws:iam::111122223333:role/backup"}},
		{"advanced, reads by name", advanced(data("readOnly = true", "eventName = GetObject")), []string{"main: [" + all + "]: some: only eventName GetObject: none"}},
		{"advanced, some by name", advanced(data("eventName = PutObject,DeleteObject")), []string{"main: [" + all + "]: some: only eventName PutObject or DeleteObject: some: only eventName PutObject or DeleteObject"}},
		{"advanced, two filters on names", advanced(data("resources.ARN !^ arn:aws:s3:::logs/", "resources.ARN !$ .tmp")), []string{"main: [" + all + "]: unfamiliar: it takes objects by name, in several filters: unfamiliar: it takes objects by name, in several filters"}},
		{"advanced, a filter on names that we do not know", advanced(data("resources.ARN ~ x")), []string{"main: [" + all + "]: unfamiliar: it has a filter on resources.ARN that we do not know: unfamiliar: it has a filter on resources.ARN that we do not know"}},
		{"advanced, functions alone", advanced([]string{"eventCategory = Data", "resources.type = AWS::Lambda::Function"}), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := (&estate{trails: []types.Trail{trailOf("main", custom)}, buckets: someBuckets(), selectors: map[string]*cloudtrail.GetEventSelectorsOutput{"main": c.selectors}}).scan(t)
			var got []string
			for _, r := range set.Records {
				if l, ok := r.(*evidence.LogSource); ok && l.Activity == evidence.CloudData {
					thing := strings.TrimSuffix(strings.TrimPrefix(l.ID.Thing(), "cloudtrail/"), "#cloud-data")
					got = append(got, fmt.Sprintf("%s: %v: %s: %s", thing, l.Covers, say(l.Parts[evidence.PartDataReads]), say(l.Parts[evidence.PartDataWrites])))
				}
			}
			slices.Sort(got)
			equal(t, "sources", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		})
	}
}

// someBuckets are those of the account, one of them in another region.
func someBuckets() map[string]string {
	return map[string]string{"a": awstest.Region, "b": awstest.Region, "logs": awstest.Region, "north": "eu-north-1", "prod-1": awstest.Region, "prod-2": awstest.Region}
}

func TestWhatANameTakesOfABucket(t *testing.T) {
	const a = "arn:aws:s3:::a/"
	list := func(of string) []string { return strings.Fields(of) }
	for _, c := range []struct {
		name                 string
		of                   types.AdvancedFieldSelector
		inA, inAB, elsewhere string
	}{
		{"nothing said", types.AdvancedFieldSelector{}, "all", "all", "all"},
		{"a bucket", types.AdvancedFieldSelector{StartsWith: list(a)}, "all", "none", "none"},
		{"a bucket without a folder", types.AdvancedFieldSelector{StartsWith: list(a), NotStartsWith: list(a + "tmp/")}, "some: not tmp/...", "none", "none"},
		{"a folder of what is left out", types.AdvancedFieldSelector{StartsWith: list(a + "img/"), NotStartsWith: list(a)}, "none", "none", "none"},
		{"a folder, and another that is left out", types.AdvancedFieldSelector{StartsWith: list(a + "img/"), NotStartsWith: list(a + "tmp/")}, "some: only img/...", "none", "none"},
		{"a folder without a folder of it", types.AdvancedFieldSelector{StartsWith: list(a + "img/"), NotStartsWith: list(a + "img/s/")}, "some: only img/..., not img/s/...", "none", "none"},
		{"an object that is left out", types.AdvancedFieldSelector{Equals: list(a + "x"), NotEquals: list(a + "x")}, "none", "none", "none"},
		{"an object whose end is left out", types.AdvancedFieldSelector{Equals: list(a + "x.tmp " + a + "y"), NotEndsWith: list(".tmp")}, "some: only y, not ....tmp", "none", "none"},
		{"an object, and some by their end", types.AdvancedFieldSelector{Equals: list(a + "x"), EndsWith: list(".pdf")}, "some: only x or ....pdf", "some: only ....pdf", "some: only ....pdf"},
		{"an end that is left out", types.AdvancedFieldSelector{EndsWith: list("x.pdf"), NotEndsWith: list(".pdf")}, "none", "none", "none"},
		{"a bucket, and some by their end", types.AdvancedFieldSelector{StartsWith: list(a), EndsWith: list(".pdf")}, "all", "some: only ....pdf", "some: only ....pdf"},
		{"all but what begins alike", types.AdvancedFieldSelector{NotStartsWith: list("arn:aws:s3:::a")}, "none", "none", "all"},
		{"all but one bucket", types.AdvancedFieldSelector{NotStartsWith: list(a)}, "none", "all", "all"},
		{"all of S3 but one bucket", types.AdvancedFieldSelector{StartsWith: list("arn:aws:s3:::"), NotStartsWith: list(a)}, "none", "all", "all"},
		{"all but one bucket and an end", types.AdvancedFieldSelector{NotStartsWith: list(a), NotEndsWith: list(".tmp")}, "none", "some: not ....tmp", "some: not ....tmp"},
		{"all but an object", types.AdvancedFieldSelector{NotEquals: list(a + "x")}, "some: not x", "all", "all"},
		{"all but a bucket by its name", types.AdvancedFieldSelector{NotEquals: list("arn:aws:s3:::a")}, "unfamiliar: it takes objects by name: not arn:aws:s3:::a", "all", "all"},
		{"another partition", types.AdvancedFieldSelector{StartsWith: list("arn:aws-cn:s3:::a/")}, "none", "none", "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			takes := selection{objects: []objects{{filter: filter{reads: true, writes: true}, named: c.of}}}
			for bucket, want := range map[string]string{"a": c.inA, "ab": c.inAB, "z": c.elsewhere} {
				equal(t, bucket, say(takes.of("aws", bucket).reads), want)
			}
		})
	}
}

// butLogs are data events of every bucket but the one that takes them.
func butLogs() map[string]*cloudtrail.GetEventSelectorsOutput {
	return map[string]*cloudtrail.GetEventSelectorsOutput{"main": advanced(
		[]string{"eventCategory = Management"}, []string{"eventCategory = Data", "resources.type = " + s3Object, "resources.ARN !^ arn:aws:s3:::logs/"},
	)}
}

func TestEveryBucketButThatOfTheLogsIsJudgedBucketByBucket(t *testing.T) {
	const check = "recorded-cloud-data"
	set := (&estate{trails: []types.Trail{trailOf("main", custom)}, buckets: someBuckets(), selectors: butLogs()}).scan(t)
	begins(t, "a bucket", verdict(set, check, "aws:"+home+"//s3/a"), `pass recorded-cloud-data aws:`+home+`//s3/a: trail "main" records`)
	begins(t, "in another region", verdict(set, check, "aws:"+awstest.Account+"/eu-north-1//s3/north"), "pass ")
	begins(t, "the one of the logs", verdict(set, check, "aws:"+home+"//s3/logs"), "fail ")

	set = (&estate{trails: []types.Trail{trailOf("main", custom, oneRegion)}, buckets: someBuckets(), selectors: butLogs()}).scan(t)
	begins(t, "in the trail's region", verdict(set, check, "aws:"+home+"//s3/a"), "pass ")
	begins(t, "in another region than the trail's", verdict(set, check, "aws:"+awstest.Account+"/eu-north-1//s3/north"), "not-assessed ")

	set = (&estate{trails: []types.Trail{trailOf("main", custom, ofOrganization)}, buckets: someBuckets(), selectors: butLogs()}).scan(t)
	begins(t, "of an organisation", verdict(set, check, "aws:"+home+"//s3/a"), "pass ")
	begins(t, "of an organisation, the one of the logs", verdict(set, check, "aws:"+home+"//s3/logs"), "not-assessed ")
	wide := find[*evidence.LogSource](t, set, "aws:"+management+"/us-east-1//cloudtrail/main#cloud-data")
	equal(t, "of other accounts", say(wide.Parts[evidence.PartDataReads]), "unfamiliar: it takes objects by name: not arn:aws:s3:::logs/...")
}

func TestBucketsThatCouldNotBeListedLeaveDataOpen(t *testing.T) {
	for name, chosen := range map[string]*cloudtrail.GetEventSelectorsOutput{
		"all but one": butLogs()["main"],
		"one":         advanced([]string{"eventCategory = Data", "resources.type = " + s3Object, "resources.ARN ^ arn:aws:s3:::a/"}),
	} {
		t.Run(name, func(t *testing.T) {
			e := &estate{
				trails: []types.Trail{trailOf("main", custom)}, selectors: map[string]*cloudtrail.GetEventSelectorsOutput{"main": chosen},
				fails: map[string]error{"ListBuckets": awstest.Denied()},
			}
			equal(t, "reads", say(find[*evidence.LogSource](t, e.scan(t), mainData).Parts[evidence.PartDataReads]), "denied s3:ListAllMyBuckets 111122223333")
		})
	}
}

func TestSelectorsThatWeMayNotReadLeaveDataOpen(t *testing.T) {
	set := (&estate{trails: []types.Trail{trailOf("main")}, fails: map[string]error{"GetEventSelectors": awstest.Denied()}}).scan(t)
	data := find[*evidence.LogSource](t, set, mainData)
	equal(t, "enabled", say(data.Enabled), "denied cloudtrail:GetEventSelectors eu-west-1/main")
	equal(t, "covers", fmt.Sprint(data.Covers), "[aws:111122223333//account]")
}

func TestATrailOfDataAloneMayBeQuiet(t *testing.T) {
	set := (&estate{
		trails:    []types.Trail{trailOf("main", custom)},
		selectors: map[string]*cloudtrail.GetEventSelectorsOutput{"main": advanced([]string{"eventCategory = Data", "resources.type = AWS::S3::Object"})},
	}).scan(t)
	equal(t, "last", say(find[*evidence.LogSource](t, set, mainData).To[0].Last), "moot")
	equal(t, "enabled", say(find[*evidence.LogSource](t, set, mainData).Enabled), "true")
	begins(t, "verdict", verdict(set, recorded, regionID), "fail ")
}

func TestATrailOfOneRegionCoversIt(t *testing.T) {
	set := (&estate{
		trails:    []types.Trail{trailOf("main", oneRegion, custom)},
		selectors: map[string]*cloudtrail.GetEventSelectorsOutput{"main": basic(types.EventSelector{DataResources: []types.DataResource{{Type: aws.String(s3Object), Values: []string{"arn:aws:s3:::a/"}}}})},
	}).scan(t)
	api := find[*evidence.LogSource](t, set, mainAPI)
	equal(t, "covers", fmt.Sprint(api.Covers), "["+regionID+"]")
	equal(t, "global", say(api.Parts[evidence.PartGlobal]), "moot")
	equal(t, "a bucket", fmt.Sprint(find[*evidence.LogSource](t, set, mainData).Covers), "[aws:"+home+"//s3/a]")
	begins(t, "verdict", verdict(set, recorded, regionID), "pass ")
}

func TestWhereCallsOfGlobalServicesAreRecorded(t *testing.T) {
	at := evidence.Origin{Call: describeTrails}
	for _, c := range []struct {
		partition, region string
		everywhere        bool
		global            evidence.Value[bool]
		want              string
	}{
		{"aws", "us-east-1", false, evidence.Known(true, at), "all"},
		{"aws", "us-east-1", false, evidence.Known(false, at), "none"},
		{"aws", "eu-west-1", false, evidence.Known(true, at), "moot"},
		{"aws", "eu-west-1", true, evidence.Known(false, at), "none"},
		{"aws", "eu-west-1", true, said(nil, at), "failed: the answer does not say"},
		{"aws-cn", "cn-north-1", false, evidence.Known(true, at), "all"},
	} {
		got := globalCalls(c.partition, c.region, trail{everywhere: c.everywhere, global: c.global, selection: everyCall(at)})
		equal(t, c.partition+" "+c.region, say(got), c.want)
	}
}

func TestAMemberIsCoveredByTheTrailOfItsOrganisation(t *testing.T) {
	e := &estate{trails: []types.Trail{trailOf("main", ofOrganization)}, fails: map[string]error{"GetEventSelectors": awstest.Error("TrailNotFoundException")}}
	set := e.scan(t)
	api := find[*evidence.LogSource](t, set, "aws:"+management+"/us-east-1//cloudtrail/main#cloud-api")
	equal(t, "covers", fmt.Sprint(api.Covers), "[aws:100000000000//organization]")
	equal(t, "bucket", string(api.To[0].To), "aws://s3/logs/AWSLogs")
	equal(t, "enabled", say(api.Enabled), "true")
	equal(t, "origin", api.Since.At().Of, "us-east-1/main")
	equal(t, "the account lies in", say(find[*evidence.Asset](t, set, "aws:111122223333//account").In), "aws:100000000000//organization")
	begins(t, "verdict", verdict(set, recorded, regionID), `pass recorded-cloud-api `+regionID+`: organisation trail "main" records calls in eu-west-1`)
	if !slices.Contains(e.asked, "GetTrailStatus us-east-1 main") {
		t.Errorf("it was not asked where it is at home: %v", e.asked)
	}
}

func TestAMemberThatMayNotSeeWhatWasChosenCannotTell(t *testing.T) {
	set := (&estate{trails: []types.Trail{trailOf("main", ofOrganization, custom)}, fails: map[string]error{"GetEventSelectors": awstest.Error("TrailNotFoundException")}}).scan(t)
	begins(t, "verdict", verdict(set, recorded, regionID), "not-assessed ")
}

func TestAnOrganisationsTrailOfOneRegionIsThatOfEachAccount(t *testing.T) {
	set := (&estate{trails: []types.Trail{trailOf("main", ofOrganization, oneRegion, func(t *types.Trail) { t.HomeRegion = aws.String(awstest.Region) })}}).scan(t)
	api := find[*evidence.LogSource](t, set, mainAPI)
	equal(t, "covers", fmt.Sprint(api.Kind, api.Covers), "organisation trail["+regionID+"]")
}

func TestATrailIsAskedOnceAnAccountWhoeverSeesIt(t *testing.T) {
	e := &estate{trails: []types.Trail{trailOf("main", func(t *types.Trail) {
		t.HomeRegion, t.TrailARN = aws.String("eu-north-1"), aws.String("arn:aws:cloudtrail:eu-north-1:111122223333:trail/main")
	})}}
	e.trails = append(e.trails, e.trails[0])
	set := e.scan(t)
	find[*evidence.LogSource](t, set, "aws:111122223333/eu-north-1//cloudtrail/main#cloud-api")
	slices.Sort(e.asked)
	equal(t, "asked", strings.Join(e.asked, ", "), "DescribeTrails eu-west-1, GetEventSelectors eu-north-1 main, GetTrailStatus eu-north-1 main, ListEventDataStores eu-west-1")
	begins(t, "verdict", verdict(set, recorded, regionID), "pass ")
}

func TestATrailWithoutNames(t *testing.T) {
	(&estate{trails: []types.Trail{{}}}).scan(t) // does not panic
}

func lake(name string, change ...func(*cloudtrail.GetEventDataStoreOutput)) *cloudtrail.GetEventDataStoreOutput {
	d := &cloudtrail.GetEventDataStoreOutput{
		Name: aws.String(name), EventDataStoreArn: aws.String("arn:aws:cloudtrail:eu-west-1:111122223333:eventdatastore/" + name),
		Status: types.EventDataStoreStatusEnabled, RetentionPeriod: aws.Int32(2557), MultiRegionEnabled: aws.Bool(true),
		CreatedTimestamp:       ago(1000 * 24 * time.Hour),
		AdvancedEventSelectors: advancedSelectors([]string{"eventCategory = Management"}),
	}
	for _, do := range change {
		do(d)
	}
	return d
}

func TestAnEventDataStoreRecordsAndKeeps(t *testing.T) {
	set := (&estate{stores: []*cloudtrail.GetEventDataStoreOutput{
		lake("settings", func(d *cloudtrail.GetEventDataStoreOutput) {
			d.AdvancedEventSelectors = advancedSelectors([]string{"eventCategory = ConfigurationItem"})
		}),
		lake("all", func(d *cloudtrail.GetEventDataStoreOutput) {
			d.KmsKeyId = aws.String("arn:aws:kms:eu-west-1:111122223333:key/k")
		}),
	}}).scan(t)
	const id = "aws:" + home + "//cloudtrail/event-data-store/all"
	api, store := find[*evidence.LogSource](t, set, id+"#cloud-api"), find[*evidence.LogStore](t, set, id)
	equal(t, "source", say(api.Enabled)+" "+fmt.Sprint(api.Covers)+" "+say(api.Parts[evidence.PartGlobal]), "true [aws:111122223333//account] all")
	equal(t, "to", string(api.To[0].To), id)
	equal(t, "since", say(api.Since), "2023-09-05T12:00:00Z")
	equal(t, "kept, locked", say(store.Kept)+" "+say(store.Locked), "2557 0")
	equal(t, "encrypted, readable", say(store.Encrypted)+" "+say(store.Readable), "true true")
	if _, ok := has[*evidence.LogStore](set, "aws:"+home+"//cloudtrail/event-data-store/settings"); ok {
		t.Error("a store of settings is recorded as one of calls")
	}
	begins(t, "verdict", verdict(set, recorded, regionID), `pass recorded-cloud-api `+regionID+`: event data store "all"`)
}

func TestEventDataStoresThatSayLess(t *testing.T) {
	for _, c := range []struct {
		name, covers, enabled string
		change                func(*cloudtrail.GetEventDataStoreOutput)
		fails                 map[string]error
	}{
		{"of one region", "[" + regionID + "]", "true", func(d *cloudtrail.GetEventDataStoreOutput) { d.MultiRegionEnabled = aws.Bool(false) }, nil},
		{"of the organisation", "[aws:111122223333//organization]", "true", func(d *cloudtrail.GetEventDataStoreOutput) { d.OrganizationEnabled = aws.Bool(true) }, nil},
		{"stopped", "[aws:111122223333//account]", "false", func(d *cloudtrail.GetEventDataStoreOutput) { d.Status = types.EventDataStoreStatusStoppedIngestion }, nil},
		{"in a state that we do not know", "[aws:111122223333//account]", "unfamiliar: its status is RESTING", func(d *cloudtrail.GetEventDataStoreOutput) { d.Status = "RESTING" }, nil},
		{"of which we may not ask", "[aws:111122223333//organization aws:111122223333//account]", "denied cloudtrail:GetEventDataStore eu-west-1/all", func(*cloudtrail.GetEventDataStoreOutput) {}, map[string]error{"GetEventDataStore": awstest.Denied()}},
		{"that says nothing", "[aws:111122223333//organization aws:111122223333//account]", "failed: the answer is empty", func(d *cloudtrail.GetEventDataStoreOutput) {
			*d = cloudtrail.GetEventDataStoreOutput{Name: d.Name, EventDataStoreArn: d.EventDataStoreArn}
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := (&estate{stores: []*cloudtrail.GetEventDataStoreOutput{lake("all", c.change)}, fails: c.fails}).scan(t)
			api := find[*evidence.LogSource](t, set, "aws:"+home+"//cloudtrail/event-data-store/all#cloud-api")
			equal(t, "covers", fmt.Sprint(api.Covers), c.covers)
			equal(t, "enabled", say(api.Enabled), c.enabled)
		})
	}
}

func TestAStoreThatWasDeletedSinceIsPassedOver(t *testing.T) {
	set := (&estate{stores: []*cloudtrail.GetEventDataStoreOutput{lake("all")}, fails: map[string]error{"GetEventDataStore": awstest.Error("EventDataStoreNotFoundException")}}).scan(t)
	if _, ok := has[*evidence.LogSource](set, "aws:"+home+"//cloudtrail/event-data-store/all#cloud-api"); ok {
		t.Error("it is recorded")
	}
}

func TestARegionWithoutLakeHasNoEventDataStores(t *testing.T) {
	set := (&estate{fails: map[string]error{"ListEventDataStores": awstest.Error("UnsupportedOperationException")}}).scan(t)
	equal(t, "looked", say(find[*evidence.Asset](t, set, regionID).Looked[evidence.CloudAPI]), "true")
	if len(set.Gaps) > 0 {
		t.Errorf("gaps: %v", set.Gaps)
	}
}

func TestBucketsOfTrailsAreRead(t *testing.T) {
	read := false
	owner := scope.Service{Name: "owner", Account: func(_ context.Context, s *scope.Scope) { s.OwnBuckets(map[string]string{"logs": awstest.Region}) }}
	e := &estate{trails: []types.Trail{trailOf("main", func(t *types.Trail) { t.KmsKeyId = aws.String("arn:aws:kms:eu-west-1:111122223333:key/k") })}}
	awstest.Scan(t, e.answer, func(_ context.Context, b scope.Bucket) {
		read = true
		equal(t, "places", fmt.Sprint(b.Places), "[{logs AWSLogs/111122223333/CloudTrail/ arn:aws:kms:eu-west-1:111122223333:key/k 111122223333 eu-west-1}]")
	}, Service(), owner)
	if !read {
		t.Error("the bucket was not read")
	}
}

func TestAPageThatFailsLeavesWhatWasListed(t *testing.T) {
	set := (&estate{
		stores: []*cloudtrail.GetEventDataStoreOutput{lake("all"), lake("more")},
		fails:  map[string]error{"ListEventDataStores x": awstest.Error("ThrottlingException")},
	}).scan(t)
	find[*evidence.LogSource](t, set, "aws:"+home+"//cloudtrail/event-data-store/all#cloud-api")
	equal(t, "looked", say(find[*evidence.Asset](t, set, regionID).Looked[evidence.CloudAPI]), "failed: ThrottlingException")
	if len(set.Gaps) != 1 {
		t.Errorf("gaps: %v", set.Gaps)
	}
}

func TestTheEventHistoryHasCallsOfGlobalServicesWhereTheyHappen(t *testing.T) {
	for _, c := range []struct{ partition, region, want string }{
		{"aws", "us-east-1", "all"}, {"aws", "eu-west-1", "moot"}, {"aws-cn", "cn-north-1", ": "},
	} {
		account := scope.NewScan().NewAccount(scope.Scope{Partition: c.partition, Account: awstest.Account})
		observeHistory(account.InRegion(c.region))
		l := find[*evidence.LogSource](t, account.Take(), "aws:111122223333/"+c.region+"//event-history#cloud-api")
		equal(t, c.region, say(l.Parts[evidence.PartGlobal]), c.want)
	}
}

func TestAQuietTrailWhoseSelectorsAreDeniedDoesNotFail(t *testing.T) {
	quiet := running()
	quiet.LatestDeliveryTime = ago(90 * 24 * time.Hour) // it may take data events alone
	e := &estate{
		trails: []types.Trail{trailOf("main", custom)},
		status: map[string]*cloudtrail.GetTrailStatusOutput{"main": quiet},
		fails:  map[string]error{"GetEventSelectors": awstest.Denied()},
	}
	begins(t, "verdict", verdict(e.scan(t), "arriving-recently", mainAPI), "not-assessed arriving-recently "+mainAPI+": we may not call cloudtrail:GetEventSelectors")
}

func TestOfDataThatATrailMayNotTakeNothingPasses(t *testing.T) {
	set := (&estate{trails: []types.Trail{trailOf("main")}, fails: map[string]error{"GetEventSelectors": awstest.Denied()}}).scan(t)
	for _, line := range awstest.Judge(set) {
		if strings.HasPrefix(line, "pass ") && strings.Contains(line, " "+mainData+": ") {
			t.Error(line)
		}
	}
}

func TestATrailThatNamesNoPlaceMayDeliverSomewhere(t *testing.T) {
	set := (&estate{trails: []types.Trail{trailOf("main", func(t *types.Trail) { t.S3BucketName = nil })}}).scan(t)
	api := find[*evidence.LogSource](t, set, mainAPI)
	equal(t, "complete", say(api.Complete), "failed: the answer does not say where it delivers")
	begins(t, "verdict", verdict(set, recorded, regionID), "pass ")
}

func TestAKeyThatIsNoARNIsThatOfTheTrailsHome(t *testing.T) {
	var got []scope.Place
	e := &estate{trails: []types.Trail{trailOf("main", func(t *types.Trail) {
		t.HomeRegion, t.KmsKeyId = aws.String("eu-north-1"), aws.String("alias/trail")
		t.TrailARN = aws.String("arn:aws:cloudtrail:eu-north-1:111122223333:trail/main")
	})}}
	got = places(t, e)
	if len(got) != 1 || got[0].KeyRegion != "eu-north-1" || got[0].KeyAccount != awstest.Account {
		t.Errorf("got %+v", got)
	}
}

func TestTheBucketOfAnOrganisationsTrailIsOutOfReachOfIt(t *testing.T) {
	// The one account that is scanned owns the bucket; the trail is another's.
	set := (&estate{trails: []types.Trail{trailOf("main", ofOrganization)}}).scan(t)
	at := evidence.Origin{Call: "s3:ListAllMyBuckets"}
	set.Record(&evidence.LogStore{
		Subject: evidence.Subject{ID: "aws://s3/logs/AWSLogs", Kind: "bucket", Name: "s3://logs/AWSLogs", At: at},
		On:      evidence.Known([]evidence.ID{"aws:111122223333//account"}, at), Memory: evidence.Known(false, at),
		Kept: evidence.Known(evidence.Forever, at), Locked: evidence.Known(0, at), Complete: evidence.Known(true, at),
	})
	set.Sort()
	begins(t, "verdict", verdict(set, "sealed-out-of-reach", "aws://s3/logs/AWSLogs"), "pass ")
	begins(t, "recorded", verdict(set, recorded, regionID), "pass ")
}

func TestWhatAMemberMaySeeGoesBeforeWhatAnotherMayNot(t *testing.T) {
	trail := trailOf("main", ofOrganization, custom)
	for _, blind := range []string{"111111111111", "999999999999"} {
		scan := scope.NewScan()
		for _, account := range []string{blind, "444455556666"} {
			e := &estate{trails: []types.Trail{trail}, selectors: map[string]*cloudtrail.GetEventSelectorsOutput{"main": basic(types.EventSelector{})}}
			if account == blind {
				e.fails = map[string]error{"GetEventSelectors": awstest.Error("TrailNotFoundException")}
			}
			cfg := awstest.Config(func(c awstest.Call) (any, error) { return e.answer(c.Region, c.Input) })
			one := scan.NewAccount(scope.Scope{Partition: "aws", Account: account, Region: "us-east-1", Now: awstest.Now, Config: cfg})
			Service().Region(t.Context(), one.InRegion(awstest.Region))
		}
		for _, r := range scan.Shared() {
			if l, ok := r.(*evidence.LogSource); ok && l.Activity == evidence.CloudAPI {
				equal(t, "reads, beside "+blind, say(l.Parts[evidence.PartReads]), "all")
			}
		}
	}
}

func TestAMemberIsNotToldHowItsOrganisationsTrailDelivers(t *testing.T) {
	trail := trailOf("main", ofOrganization)
	silent := &cloudtrail.GetTrailStatusOutput{IsLogging: aws.Bool(true), StartLoggingTime: ago(500 * 24 * time.Hour)}
	const api = "aws:" + management + "/us-east-1//cloudtrail/main#cloud-api"
	set := (&estate{trails: []types.Trail{trail}, status: map[string]*cloudtrail.GetTrailStatusOutput{"main": silent}}).scan(t)
	to := find[*evidence.LogSource](t, set, api).To[0]
	for what, got := range map[string]string{"last": say(to.Last), "error": say(to.Error), "validated": say(to.Validated)} {
		equal(t, what, got, "elsewhere: "+notTold)
	}
	for _, check := range []string{"arriving-recently", "sealed-validated"} {
		begins(t, check, verdict(set, check, api), "not-assessed ")
	}
	scan := scope.NewScan() // who is told goes first
	for _, account := range []string{"111111111111", management} {
		e := &estate{trails: []types.Trail{trail}}
		if account != management {
			e.status = map[string]*cloudtrail.GetTrailStatusOutput{"main": silent}
		}
		cfg := awstest.Config(func(c awstest.Call) (any, error) { return e.answer(c.Region, c.Input) })
		one := scan.NewAccount(scope.Scope{Partition: "aws", Account: account, Region: "us-east-1", Now: awstest.Now, Config: cfg})
		Service().Region(t.Context(), one.InRegion(awstest.Region))
	}
	for _, r := range scan.Shared() {
		if l, ok := r.(*evidence.LogSource); ok && l.Activity == evidence.CloudAPI {
			equal(t, "validated, beside a member", say(l.To[0].Validated), "true")
		}
	}
}

func TestAnEventDataStoreThatWasOnlyMadeMayNotCollect(t *testing.T) {
	equal(t, "created", say(collecting(types.EventDataStoreStatusCreated, evidence.Origin{})), "unfamiliar: its status is CREATED")
}

// places are those of the buckets that are to be read.
func places(t *testing.T, e *estate) (out []scope.Place) {
	t.Helper()
	owner := scope.Service{Name: "owner", Account: func(_ context.Context, s *scope.Scope) { s.OwnBuckets(map[string]string{"logs": awstest.Region}) }}
	awstest.Scan(t, e.answer, func(_ context.Context, b scope.Bucket) { out = append(out, b.Places...) }, Service(), owner)
	return out
}

func TestAnEventDataStoreThatIsDeletedKeepsAWeek(t *testing.T) {
	set := (&estate{stores: []*cloudtrail.GetEventDataStoreOutput{lake("all", func(d *cloudtrail.GetEventDataStoreOutput) {
		d.Status = types.EventDataStoreStatusPendingDeletion
	})}}).scan(t)
	store := find[*evidence.LogStore](t, set, "aws:"+home+"//cloudtrail/event-data-store/all")
	if days, known := store.Kept.Get(); !known || days != 7 {
		t.Errorf("kept: %d days, known %t", days, known)
	}
}
