package config

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// defaultKept is how many days AWS Config keeps history where nobody says: 7 years, the most that may be said. Developer
// guide, "Deleting AWS Config data".
const defaultKept = 2557

// A recorder is what a region answered.
type recorder struct {
	recorders []types.ConfigurationRecorder
	statuses  map[string]types.ConfigurationRecorderStatus
	channels  []types.DeliveryChannel
	delivered []types.DeliveryChannelStatus
	kept      evidence.Value[int]

	statusErr, channelErr, deliveredErr error
}

func observe(s *scope.Scope, r recorder) {
	store := s.Store(s.ID("config/history"), "history of AWS Config", "the history of AWS Config in "+s.Region, s.At(recorders, ""))
	store.Kept = r.kept
	s.Record(store)
	for _, one := range r.recorders {
		name := aws.ToString(one.Name)
		at := s.At(statuses, name)
		source := s.Source("config/"+name, evidence.Configuration, "configuration recorder", name, s.At(recorders, name))
		source.Records, source.Covers = "how settings change", []evidence.ID{s.Home()}
		status, ok := r.statuses[name]
		var failing evidence.Value[string]
		switch {
		case r.statusErr != nil:
			source.Enabled, failing = scope.Unknown[bool](r.statusErr, at), scope.Unknown[string](r.statusErr, at)
		case !ok:
			none := at.WithNote("no status was given for it")
			source.Enabled, failing = evidence.Unknown[bool](evidence.Failed, none), evidence.Unknown[string](evidence.Failed, none)
		default:
			source.Enabled = evidence.Known(status.Recording, at)
			source.Since = evidence.Unknown[time.Time](evidence.Elsewhere, at.WithNote("when it was started is not said"))
			if status.LastStartTime != nil {
				source.Since = evidence.Known(status.LastStartTime.UTC().Truncate(time.Second), at)
			}
			failing = went(string(status.LastStatus), status.LastErrorCode, status.LastErrorMessage, at)
		}
		source.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{evidence.PartEveryKind: allKinds(s, one)}
		if mode := one.RecordingMode; mode != nil && mode.RecordingFrequency == types.RecordingFrequencyDaily {
			source.Parts[evidence.PartEveryEvent] = evidence.Known(evidence.Extent{Grade: evidence.Some, But: "one state a day"}, s.At(recorders, name))
		}
		history := evidence.EverythingTo(store.ID, at)
		history.Error, history.Last = failing, evidence.Moot[time.Time](at) // where nothing changes, nothing is written
		source.To = []evidence.Delivery{history}
		if r.channelErr != nil {
			source.Complete = scope.Unknown[bool](r.channelErr, s.At(channels, ""))
		}
		for _, c := range r.channels {
			if bucket := aws.ToString(c.S3BucketName); bucket != "" {
				source.To = append(source.To, r.toBucket(s, c, bucket))
			}
		}
		s.Record(source)
	}
}

func (r recorder) toBucket(s *scope.Scope, c types.DeliveryChannel, bucket string) evidence.Delivery {
	prefix := "AWSLogs/" + s.Account + "/Config/"
	if p := aws.ToString(c.S3KeyPrefix); p != "" {
		prefix = p + "/" + prefix
	}
	at := s.At(delivered, aws.ToString(c.Name))
	d := evidence.EverythingTo(s.Bucket(scope.Place{Bucket: bucket, Prefix: prefix, Key: aws.ToString(c.S3KmsKeyArn)}), s.At(channels, aws.ToString(c.Name)))
	d.Last = evidence.Moot[time.Time](at)
	d.Error = evidence.Unknown[string](evidence.Failed, at.WithNote("no status was given for it"))
	if r.deliveredErr != nil {
		d.Error = scope.Unknown[string](r.deliveredErr, at)
	}
	for _, status := range r.delivered {
		info := cmp.Or(status.ConfigHistoryDeliveryInfo, status.ConfigSnapshotDeliveryInfo)
		if aws.ToString(status.Name) == aws.ToString(c.Name) && info != nil {
			d.Error = went(string(info.LastStatus), info.LastErrorCode, info.LastErrorMessage, at)
		}
	}
	return d
}

// went says how the last attempt went. AWS answers in capitals ("SUCCESS"), where the SDK's constants are not: see the
// examples of "describe-configuration-recorder-status" in the command line's reference.
func went(status string, code, message *string, at evidence.Origin) evidence.Value[string] {
	switch strings.ReplaceAll(strings.ToUpper(status), "_", "") {
	case "SUCCESS":
		return evidence.Known("", at)
	case "FAILURE":
		return evidence.Known(because(code, message), at)
	case "NOTAPPLICABLE":
		return evidence.Moot[string](at)
	}
	return evidence.Unknown[string](evidence.Failed, at.WithNote("how the last attempt went is not said"))
}

// allKinds says of which kinds of resource changes are written down, by a recorder or, of identities, by one of another
// region.
func allKinds(s *scope.Scope, one types.ConfigurationRecorder) evidence.Value[evidence.Extent] {
	at := s.At(recorders, aws.ToString(one.Name))
	own := kinds(one.RecordingGroup, at)
	if extent, _ := own.Get(); extent.Grade != evidence.All || s.Region != identityRegion || writesIdentities(one.RecordingGroup) {
		return own
	}
	written := identitiesOf(s).somewhere(s)
	switch yes, known := written.Get(); {
	case !known:
		return evidence.Unknown[evidence.Extent](written.Why(), written.At())
	case !yes:
		return evidence.Known(evidence.Extent{Grade: evidence.Some, But: "not IAM users, groups, roles and policies, which no region records"}, at)
	}
	return own
}

// kinds says of which kinds of resource changes are written down.
func kinds(g *types.RecordingGroup, at evidence.Origin) evidence.Value[evidence.Extent] {
	some := func(format string, args ...any) evidence.Value[evidence.Extent] {
		return evidence.Known(evidence.Extent{Grade: evidence.Some, But: fmt.Sprintf(format, args...)}, at)
	}
	switch {
	case g == nil || g.AllSupported: // without a group it is all that are supported: the API's reference, RecordingGroup
		return evidence.Everything(at)
	case g.RecordingStrategy != nil && g.RecordingStrategy.UseOnly == types.RecordingStrategyTypeExclusionByResourceTypes:
		var not []string
		if g.ExclusionByResourceTypes != nil {
			for _, t := range g.ExclusionByResourceTypes.ResourceTypes {
				not = append(not, string(t))
			}
		}
		if len(not) == 0 {
			return evidence.Everything(at)
		}
		return some("not %s", few(not))
	case len(g.ResourceTypes) == 0:
		return evidence.Known(evidence.Extent{Grade: evidence.None, But: "of no kind of resource"}, at)
	}
	var only []string
	for _, t := range g.ResourceTypes {
		only = append(only, string(t))
	}
	return some("only %s", few(only))
}

func few(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more kinds", strings.Join(names[:3], ", "), len(names)-3)
	}
	return strings.Join(names, ", ")
}

func because(code, message *string) string {
	if text := strings.TrimSuffix(aws.ToString(code)+": "+aws.ToString(message), ": "); text != "" {
		return text
	}
	return "the last attempt failed"
}
