// Package cloudtrail reads what records the calls to AWS itself: trails, event data stores, and the event history that
// every region has.
package cloudtrail

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"lookback/evidence"
	"lookback/scanners/aws/kms"
	"lookback/scanners/aws/scope"
)

// The permissions of the calls.
const (
	describeTrails      = "cloudtrail:DescribeTrails"
	getTrailStatus      = "cloudtrail:GetTrailStatus"
	getEventSelectors   = "cloudtrail:GetEventSelectors"
	listEventDataStores = "cloudtrail:ListEventDataStores"
	getEventDataStore   = "cloudtrail:GetEventDataStore"
)

// Service reads the trails and event data stores of a region.
func Service() scope.Service {
	return scope.Service{
		Name: "cloudtrail",
		Calls: []scope.Call{
			{Service: cloudtrail.ServiceID, Op: "DescribeTrails", Action: describeTrails, Per: "region", Fills: "Asset.Looked, LogSource.Covers, LogSource.To, Delivery.Validated"},
			{
				Service: cloudtrail.ServiceID, Op: "GetTrailStatus", Action: getTrailStatus, Per: "trail",
				Fills: "LogSource.Enabled, LogSource.Since, Delivery.Last, Delivery.Error, Delivery.Validated", Perhaps: "where there are trails",
			},
			{
				Service: cloudtrail.ServiceID, Op: "GetEventSelectors", Action: getEventSelectors, Per: "trail",
				Fills: "LogSource.Enabled, LogSource.Parts", Perhaps: "where there are trails; of an organisation's trail in a member account, only when it has selectors of its own",
			},
			{Service: cloudtrail.ServiceID, Op: "ListEventDataStores", Action: listEventDataStores, Per: "region", Fills: "Asset.Looked"},
			{
				Service: cloudtrail.ServiceID, Op: "GetEventDataStore", Action: getEventDataStore, Per: "event data store",
				Fills: "LogSource.Enabled, LogSource.Since, LogSource.Parts, LogStore.Kept, LogStore.Encrypted", Perhaps: "where there are event data stores",
			},
		},
		Region: read,
	}
}

// errEmpty is for an answer that says nothing.
var errEmpty = errors.New("the answer is empty")

func read(ctx context.Context, s *scope.Scope) {
	observeHistory(s)
	lost := readStores(ctx, s)
	at := s.At(describeTrails, "")
	trails, err := Trails(ctx, s)
	s.Listed("trails", err)
	switch {
	case err != nil:
		s.Blind("trails", err, at, scope.Unseen{Activities: []evidence.Activity{evidence.CloudAPI, evidence.CloudData}, On: s.Home()})
		s.Look(s.Home(), evidence.CloudAPI, scope.Unknown[bool](err, at))
		return
	case lost != nil: // an event data store may record what no trail does
		s.Look(s.Home(), evidence.CloudAPI, scope.Unknown[bool](lost, s.At(listEventDataStores, "")))
	default:
		s.Look(s.Home(), evidence.CloudAPI, evidence.Known(true, at))
	}
	s.Each(len(trails), func(i int) { readTrail(ctx, s, trails[i]) })
}

// Trails lists the trails that a region has or hears of. It asks once a region, whoever calls it.
func Trails(ctx context.Context, s *scope.Scope) ([]types.Trail, error) {
	type answer struct {
		trails []types.Trail
		err    error
	}
	a := scope.Memo(s, "trails "+s.Region, func() answer {
		out, err := cloudtrail.NewFromConfig(s.Config).DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(true)})
		if err != nil {
			return answer{err: err}
		}
		return answer{trails: out.TrailList}
	})
	return a.trails, a.err
}

// homeOf is the scope of a thing that is listed in other regions and accounts than its own: it is asked, and named, where it
// is at home.
func homeOf(s *scope.Scope, account, region string) *scope.Scope {
	home := *s
	home.Account, home.Region = account, region
	home.Config = s.Config.Copy()
	home.Config.Region = region
	return &home
}

// readTrail reads a trail once an account. All regions list a trail over all regions, and so do all accounts that of
// their organisation.
func readTrail(ctx context.Context, s *scope.Scope, t types.Trail) {
	arn, ok := scope.ParseARN(aws.ToString(t.TrailARN))
	if !ok {
		arn.Account, arn.Region = s.Account, s.Region
	}
	home := homeOf(s, arn.Account, cmp.Or(aws.ToString(t.HomeRegion), arn.Region))
	name := cmp.Or(aws.ToString(t.Name), arn.Name())
	scope.Memo(s, "trail "+home.Account+" "+home.Region+" "+name, func() bool {
		described := home.At(describeTrails, name)
		one := trail{
			name: name, at: described,
			organization: aws.ToBool(t.IsOrganizationTrail), everywhere: aws.ToBool(t.IsMultiRegionTrail),
			bucket: aws.ToString(t.S3BucketName), prefix: aws.ToString(t.S3KeyPrefix), key: aws.ToString(t.KmsKeyId),
			group:  aws.ToString(t.CloudWatchLogsLogGroupArn),
			global: said(t.IncludeGlobalServiceEvents, described),
		}
		client := cloudtrail.NewFromConfig(home.Config)
		id := aws.String(cmp.Or(aws.ToString(t.TrailARN), name))
		out, err := client.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: id})
		if err == nil && out.IsLogging == nil {
			err = errEmpty
		}
		own := home.Account == s.Account
		one.status(out, err, own, home.At(getTrailStatus, name))
		one.validated = validated(said(t.LogFileValidationEnabled, described), one.logging, out, err, own, home.At(getTrailStatus, name), s.Now)
		one.selection = selectors(ctx, s, client, home, t, id, name)
		observeTrail(s, home, one)
		return true
	})
}

// said is what a trail's description says.
func said(b *bool, at evidence.Origin) evidence.Value[bool] {
	if b == nil {
		return evidence.Unknown[bool](evidence.Failed, at.WithNote("the answer does not say"))
	}
	return evidence.Known(*b, at)
}

// notTold is for what only the account is told that a trail belongs to, and who administers it: the status that another
// member of the organisation gets lacks how its deliveries fare (issue 201 of aws-samples/service-screener-v2).
const notTold = "only the account that it belongs to may be told how it delivers"

func (t *trail) status(out *cloudtrail.GetTrailStatusOutput, err error, own bool, at evidence.Origin) {
	if err != nil {
		t.logging, t.since = scope.Unknown[bool](err, at), scope.Unknown[time.Time](err, at)
		t.toBucket = arrival{scope.Unknown[time.Time](err, at), scope.Unknown[string](err, at)}
		t.toGroup = t.toBucket
		return
	}
	t.logging = evidence.Known(*out.IsLogging, at)
	began, stopped := out.StartLoggingTime, out.StopLoggingTime
	switch {
	case began == nil:
		t.since = evidence.Unknown[time.Time](evidence.Elsewhere, at.WithNote("when it was turned on is not said"))
	case stopped != nil && stopped.Before(*began):
		t.since = evidence.Known(*began, at.WithNote("it was stopped before, from "+stopped.UTC().Format(time.DateOnly)))
	default:
		t.since = evidence.Known(*began, at)
	}
	fares := func(last *time.Time, failed *string) arrival {
		if !own && last == nil && failed == nil {
			return arrival{evidence.Unknown[time.Time](evidence.Elsewhere, at.WithNote(notTold)), evidence.Unknown[string](evidence.Elsewhere, at.WithNote(notTold))}
		}
		return arrival{evidence.Known(aws.ToTime(last), at), evidence.Known(aws.ToString(failed), at)}
	}
	t.toBucket = fares(out.LatestDeliveryTime, out.LatestDeliveryError)
	t.toGroup = fares(out.LatestCloudWatchLogsDeliveryTime, out.LatestCloudWatchLogsDeliveryError)
}

// validated says whether log files can be proved unaltered: digests are asked for, and come. They come every hour, with or
// without log files; see the CloudTrail user guide, "CloudTrail digest file structure".
func validated(asked, logging evidence.Value[bool], out *cloudtrail.GetTrailStatusOutput, err error, own bool, at evidence.Origin, now time.Time) evidence.Value[bool] {
	on, known := asked.Get()
	running, _ := logging.Get()
	const late = 24 * time.Hour
	switch {
	case !known || !on:
		return asked
	case err != nil:
		return scope.Unknown[bool](err, at)
	case aws.ToString(out.LatestDigestDeliveryError) != "":
		return evidence.Known(false, at.WithNote("digests do not arrive: "+*out.LatestDigestDeliveryError))
	case !own && out.LatestDigestDeliveryTime == nil:
		return evidence.Unknown[bool](evidence.Elsewhere, at.WithNote(notTold))
	case running && out.LatestDigestDeliveryTime == nil && (out.StartLoggingTime == nil || now.Sub(*out.StartLoggingTime) > late):
		// Not false: validation may have been turned on within the hour.
		return evidence.Unknown[bool](evidence.Failed, at.WithNote("no digest was ever delivered"))
	case running && out.LatestDigestDeliveryTime != nil && now.Sub(*out.LatestDigestDeliveryTime) > late:
		return evidence.Known(false, at.WithNote("the last digest came on "+out.LatestDigestDeliveryTime.UTC().Format(time.DateOnly)))
	}
	return asked
}

// selectors asks which events a trail takes. A member account is refused those of its organisation's trail, but is told
// whether anybody chose them.
func selectors(ctx context.Context, s *scope.Scope, client *cloudtrail.Client, home *scope.Scope, t types.Trail, id *string, name string) selection {
	asked := home.At(getEventSelectors, name)
	chosen := said(t.HasCustomEventSelectors, home.At(describeTrails, name))
	custom, known := chosen.Get()
	if known && !custom && home.Account != s.Account {
		return everyCall(chosen.At())
	}
	out, err := client.GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: id})
	switch {
	case err != nil:
		return unselected(scope.Unknown[bool](err, asked))
	case len(out.EventSelectors)+len(out.AdvancedEventSelectors) == 0:
		return everyCall(asked)
	}
	return selected(out.EventSelectors, out.AdvancedEventSelectors, asked)
}

// readStores reads the event data stores of a region, and says why they could not be listed.
func readStores(ctx context.Context, s *scope.Scope) error {
	client := cloudtrail.NewFromConfig(s.Config)
	var listed []types.EventDataStore
	var lost error
	pages := cloudtrail.NewListEventDataStoresPaginator(client, &cloudtrail.ListEventDataStoresInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if absent(err) {
			break
		}
		if err != nil {
			s.Blind("event data stores", err, s.At(listEventDataStores, ""), scope.Unseen{Activities: []evidence.Activity{evidence.CloudAPI, evidence.CloudData}, On: s.Home(), Store: true})
			lost = err
			break
		}
		listed = append(listed, page.EventDataStores...)
	}
	s.Each(len(listed), func(i int) {
		arn, _ := scope.ParseARN(aws.ToString(listed[i].EventDataStoreArn))
		name := cmp.Or(aws.ToString(listed[i].Name), arn.Name())
		home := homeOf(s, cmp.Or(arn.Account, s.Account), s.Region)
		asked := home.At(getEventDataStore, name)
		out, err := client.GetEventDataStore(ctx, &cloudtrail.GetEventDataStoreInput{EventDataStore: listed[i].EventDataStoreArn})
		if scope.Is(err, "EventDataStoreNotFoundException") {
			return // it was deleted since it was listed
		}
		if err == nil && (out.Status == "" || out.RetentionPeriod == nil) {
			err = errEmpty
		}
		one := dataStore{name: name, at: asked}
		if err != nil {
			one.collecting, one.kept = scope.Unknown[bool](err, asked), scope.Unknown[int](err, asked)
			one.since = scope.Unknown[time.Time](err, asked)
			one.encrypted, one.readable = scope.Unknown[bool](err, asked), scope.Unknown[bool](err, asked)
			one.selection = unselected(scope.Unknown[bool](err, asked))
			one.unseen, one.everywhere = true, true // what it covers is not known: it may be all
			observeStore(s, home, one)
			return
		}
		one.organization, one.everywhere = aws.ToBool(out.OrganizationEnabled), aws.ToBool(out.MultiRegionEnabled)
		one.collecting = collecting(out.Status, asked)
		one.kept = evidence.Known(int(*out.RetentionPeriod), asked)
		if out.Status == types.EventDataStoreStatusPendingDeletion {
			one.kept = evidence.Known(pendingDays, asked.WithNote("it is about to be deleted"))
		}
		one.since = evidence.Unknown[time.Time](evidence.Elsewhere, asked.WithNote("when it was made is not said"))
		if out.CreatedTimestamp != nil {
			one.since = evidence.Known(*out.CreatedTimestamp, asked.WithNote("when it was made; pauses since then are not told"))
		}
		one.encrypted, one.readable = evidence.Known(false, asked), evidence.Moot[bool](asked)
		if key := aws.ToString(out.KmsKeyId); key != "" {
			k := kms.Describe(ctx, s, key)
			one.encrypted, one.readable = k.Own, k.InForce
		}
		one.selection = selected(nil, out.AdvancedEventSelectors, asked)
		observeStore(s, home, one)
	})
	return lost
}

// pendingDays is how long an event data store that was deleted can still be restored: the SDK on DeleteEventDataStore.
const pendingDays = 7

// absent reports whether an error says that the region has no event data stores at all.
func absent(err error) bool {
	var response *smithyhttp.ResponseError
	return scope.Is(err, "UnsupportedOperationException", "UnknownOperationException") ||
		errors.As(err, &response) && response.HTTPStatusCode() == http.StatusNotImplemented
}

func collecting(status types.EventDataStoreStatus, at evidence.Origin) evidence.Value[bool] {
	switch status {
	case types.EventDataStoreStatusEnabled, types.EventDataStoreStatusStartingIngestion:
		return evidence.Known(true, at)
	case types.EventDataStoreStatusStoppingIngestion, types.EventDataStoreStatusStoppedIngestion, types.EventDataStoreStatusPendingDeletion:
		return evidence.Known(false, at)
	}
	return evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("its status is "+string(status)))
}
