package watched

import (
	"lookback/checks"
	"lookback/evidence"
)

// Detector checks that a detector looks at what happens in a region.
var Detector = &checks.Check{
	ID:       "watched-detector",
	Title:    "A detector watches every region",
	Severity: checks.Medium,
	Doc: `Records that nobody reads tell nothing until somebody else does: the bank, the press, the one who asks for money. A
detector of the platform reads along, also in the region that nobody uses: an investigation often starts from its first
finding.

Cure, AWS: turn on GuardDuty in every region, by a delegated administrator of the organisation.`,
	Judge: checks.About(evidence.Detection, detector),
}

func detector(_ *checks.View, region evidence.Asset, detectors []evidence.LogSource) checks.Verdict {
	unwatched := func(because evidence.Fact) checks.Verdict {
		return checks.Failed(because, "no detector watches %s", region.Name).Many("no detector watches %d regions")
	}
	if len(detectors) == 0 {
		return unwatched(region.Looked[evidence.Detection])
	}
	return checks.Best(detectors, func(d evidence.LogSource) checks.Verdict {
		on, known := d.Enabled.Get()
		switch {
		case !known:
			return checks.NotKnown(d.Enabled)
		case !on:
			return unwatched(d.Enabled)
		}
		return checks.Passed(d.Enabled, "%s watches %s", checks.Named(d.Subject), region.Name)
	})
}
