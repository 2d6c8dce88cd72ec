package watched

import (
	"lookback/checks"
	"lookback/evidence"
)

// DetectionsKept checks that what a detector reported can be looked up later.
var DetectionsKept = &checks.Check{
	ID:       "watched-detections-kept",
	Title:    "What the detector reported is kept as long as the policy asks",
	Severity: checks.Low,
	After:    []string{"watched-detector"},
	Doc: `The finding that nobody understood in spring is the first page of the report in autumn. GuardDuty keeps its findings for
90 days, and then they are gone, however long the records are kept that they were made of.

Cure, AWS: export findings to a bucket (a publishing destination), or let a rule of EventBridge hand them to a store
that keeps them.`,
	Judge: checks.About(evidence.Detection, detectionsKept),
}

func detectionsKept(v *checks.View, region evidence.Asset, detectors []evidence.LogSource) checks.Verdict {
	if len(detectors) == 0 {
		return checks.Failed(region.Looked[evidence.Detection], "no detector watches %s", region.Name)
	}
	return checks.Best(detectors, func(d evidence.LogSource) checks.Verdict {
		switch {
		case checks.Off(d):
			return checks.Failed(d.Enabled, "no detector watches %s", region.Name)
		case d.Enabled.IsUnknown():
			return checks.NotKnown(d.Enabled)
		case len(d.To) == 0:
			return checks.Decided(checks.Failed(d.Complete, "what %s reports goes nowhere", checks.Named(d.Subject)), d)
		}
		verdict := checks.Decided(checks.Best(v.Reached(d), func(r checks.Reached) checks.Verdict {
			if comes := checks.Arrives(r); comes.Outcome != checks.Pass {
				return comes
			}
			if comes := checks.Delivers(v, d, r.By); comes.Outcome == checks.Fail || comes.Outcome == checks.NotAssessed {
				return comes
			}
			days, known := r.Store.Kept.Get()
			switch {
			case !known:
				return checks.NotKnown(r.Store.Kept)
			case days < v.Policy.Retain:
				return checks.Failed(r.Store.Kept, "findings of %s are kept %s; policy asks %s", region.Name, checks.Days(days), checks.Days(v.Policy.Retain)).
					Many("findings of %d regions are kept for less time than policy asks")
			}
			return checks.Passed(r.Store.Kept, "findings of %s are kept in %s, %s", region.Name, checks.Named(r.Store.Subject), checks.Days(days))
		}), d)
		if copies := checks.Copied(v, d); verdict.Outcome == checks.Fail && copies.IsUnknown() {
			return checks.NotKnown(copies)
		}
		return verdict
	})
}
