package guardduty

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/guardduty/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
	"lookback/scanners/aws/securityhub"
)

// A detector is what a region answered about one.
type detector struct {
	id, created string
	at          evidence.Origin
	on          evidence.Value[bool]
	exports     exported
	covered     coverResult
	coverage    evidence.Origin // zero where runtime monitoring is off
}

type exported struct {
	to    []target
	whole evidence.Value[bool]
}

type target struct {
	place  scope.Place
	status types.PublishingStatus
	at     evidence.Origin
}

// kept is how many days GuardDuty keeps findings: its user guide, "Retention".
const kept = 90

func observe(s *scope.Scope, d detector) {
	store := s.Store(s.ID("guardduty/findings"), "findings of GuardDuty", "GuardDuty's store of findings in "+s.Region, d.at)
	store.Kept = evidence.Known(kept, d.at.WithNote("GuardDuty keeps findings for 90 days"))
	s.Record(store)

	source := s.Source("guardduty", evidence.Detection, "GuardDuty detector", "GuardDuty in "+s.Region, d.at)
	source.Records, source.Covers, source.Enabled = "what it finds suspicious", []evidence.ID{s.Home()}, d.on
	source.Since = evidence.Unknown[time.Time](evidence.Elsewhere, d.at.WithNote("when it was made is not said"))
	if created, err := time.Parse(time.RFC3339, d.created); err == nil {
		source.Since = evidence.Known(created.UTC().Truncate(time.Second), d.at)
	}
	source.To = append(source.To, evidence.EverythingTo(store.ID, d.at))
	source.Complete = d.exports.whole
	for _, t := range d.exports.to {
		delivery := evidence.EverythingTo(s.Bucket(t.place), t.at)
		delivery.Last = evidence.Moot[time.Time](t.at) // no finding is good news
		switch {
		case d.on.IsUnknown():
			delivery.Error = evidence.Unknown[string](d.on.Why(), d.on.At())
		case t.status == types.PublishingStatusPublishing:
			delivery.Error = evidence.Known("", t.at)
		case t.status == types.PublishingStatusPendingVerification:
			delivery.Error = evidence.Unknown[string](evidence.Failed, t.at.WithNote("GuardDuty still verifies the destination"))
		default:
			delivery.Error = evidence.Known("GuardDuty cannot publish to it: "+string(t.status), t.at)
		}
		source.To = append(source.To, delivery)
	}
	switch hub := securityhub.Enabled(s); {
	case hub.IsUnknown():
		source.Complete = evidence.Unknown[bool](hub.Why(), hub.At())
	default:
		if is, _ := hub.Get(); is { // GuardDuty sends to it as soon as both are on
			source.To = append(source.To, evidence.EverythingTo(securityhub.StoreID(s), hub.At()))
		}
	}
	s.Record(source)
	runtime(s, d, source)
}

// runtime records on what the agent of GuardDuty runs: a sensor that reports what it finds, with the other findings, and
// keeps nothing else.
func runtime(s *scope.Scope, d detector, findings *evidence.LogSource) {
	if d.coverage == (evidence.Origin{}) {
		return
	}
	sensor := func(thing, name string, on evidence.ID, enabled evidence.Value[bool], everywhere evidence.Value[evidence.Extent]) {
		source := s.Source(thing, evidence.Process, "GuardDuty runtime monitoring", name, d.coverage)
		source.Records, source.Covers, source.Enabled = "runtime monitoring", []evidence.ID{on}, enabled
		only := evidence.Known(evidence.Extent{Grade: evidence.Some, But: "only what it finds suspicious"}, d.coverage)
		source.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{
			evidence.PartProcessStart: only, evidence.PartConnections: only, evidence.PartFileWrites: only, evidence.PartEveryNode: everywhere,
		}
		if source.To, source.Complete = slices.Clone(findings.To), findings.Complete; enabled.IsUnknown() {
			source.To = nil // it may not run at all
		}
		s.Record(source)
	}
	if d.covered.err != nil {
		sensor("guardduty/runtime", "GuardDuty's agent", s.Home(), scope.Unknown[bool](d.covered.err, d.coverage), scope.Unknown[evidence.Extent](d.covered.err, d.coverage))
		return
	}
	for _, c := range d.covered.covers {
		thing, on := "guardduty/runtime/"+c.instance, s.ID("instance/"+c.instance)
		if c.instance == "" {
			thing, on = "guardduty/runtime/eks/"+c.cluster, s.ID("eks/"+c.cluster)
			s.Look(on, evidence.Process, evidence.Known(true, d.coverage))
		}
		at := d.coverage
		if !c.healthy {
			at = at.WithNote(c.issue)
		}
		// A cluster is unhealthy as soon as one node is; the others are watched all the same.
		watching := c.healthy || c.reporting != nil && *c.reporting > 0
		sensor(thing, "GuardDuty's agent", on, evidence.Known(watching, at), everyNode(c, at))
	}
}

// everyNode says on how many nodes of a cluster the agent reports; moot of a machine.
func everyNode(c cover, at evidence.Origin) evidence.Value[evidence.Extent] {
	switch {
	case c.instance != "":
		return evidence.Moot[evidence.Extent](at)
	case c.nodes == nil || c.reporting == nil:
		return evidence.Unknown[evidence.Extent](evidence.Elsewhere, at.WithNote("GuardDuty does not say how many nodes the cluster has"))
	case *c.reporting < *c.nodes:
		return evidence.Known(evidence.Extent{Grade: evidence.Some, But: fmt.Sprintf("%d of %d nodes", *c.nodes-*c.reporting, *c.nodes)}, at)
	}
	return evidence.Everything(at)
}
