package recorded

import (
	"lookback/checks"
	"lookback/evidence"
)

// Configuration checks that the history of settings is recorded.
var Configuration = &checks.Check{
	ID:       "recorded-configuration",
	Title:    "It is recorded how settings change over time",
	Severity: checks.Medium,
	Doc: `"Was this bucket public in March?" A record of calls answers after days of reading, where it reaches back at all. A
history of settings answers at once, and for what was deleted too.

Cure, AWS: turn on the recorder of AWS Config in every region, for all types of resource, in one region with the global
ones.`,
	Judge: checks.About(evidence.Configuration, configuration),
}

func configuration(_ *checks.View, region evidence.Asset, sources []evidence.LogSource) checks.Verdict {
	unseen := func(because evidence.Fact) checks.Verdict {
		return checks.Failed(because, "how settings change in %s is not recorded", region.Name).
			Many("how settings change in %d regions is not recorded")
	}
	if len(sources) == 0 {
		return unseen(region.Looked[evidence.Configuration])
	}
	return checks.Best(sources, func(s evidence.LogSource) checks.Verdict {
		extent, known := s.Parts[evidence.PartEveryKind].Get()
		switch {
		case checks.Off(s):
			return unseen(s.Enabled)
		case s.Enabled.IsUnknown():
			return checks.NotKnown(s.Enabled)
		case !known:
			return checks.NotKnown(s.Parts[evidence.PartEveryKind])
		case extent.Grade != evidence.All:
			return checks.Failed(s.Parts[evidence.PartEveryKind], "how settings change in %s is recorded only in part: %s", region.Name, extent.But).As(checks.Low)
		}
		return checks.Passed(s.Enabled, "%s records how settings change in %s", checks.Named(s.Subject), region.Name)
	})
}
