package recorded

import (
	"lookback/checks"
	"lookback/evidence"
)

// LogAccess checks that reading the records is itself recorded.
var LogAccess = &checks.Check{
	ID:       "recorded-log-access",
	Title:    "Who reads the records is itself written down",
	Severity: checks.Low,
	Doc: `An intruder who reads the logs knows what was seen of them. PCI DSS 4.0.1, 10.2.1.3 asks that all access to audit logs
is recorded.

Cure, AWS: data events for the bucket that takes logs, in a trail; or its server access logs, into another bucket.`,
	Judge: checks.Each(logAccess),
}

func logAccess(v *checks.View, store evidence.LogStore) checks.Verdict {
	if store.As == "" { // reading it is not the business of anything that could be scanned
		return checks.Unasked()
	}
	name := checks.Named(store.Subject)
	return v.About(store.As, evidence.CloudData, func(as evidence.Asset, sources []evidence.LogSource) checks.Verdict {
		if len(sources) == 0 {
			return checks.Failed(as.Looked[evidence.CloudData], "who reads %s is not written down", name).
				Many("who reads them is not written down for %d stores")
		}
		return checks.Best(sources, func(s evidence.LogSource) checks.Verdict {
			reads := s.Parts[evidence.PartDataReads]
			extent, known := reads.Get()
			switch {
			case checks.Off(s):
				return checks.Failed(s.Enabled, "who reads %s is not written down: %s is off", name, checks.Named(s.Subject))
			case s.Enabled.IsUnknown():
				return checks.NotKnown(s.Enabled)
			case !known:
				return checks.NotKnown(reads)
			case extent.Grade != evidence.All:
				return checks.Failed(reads, "who reads %s is not written down, or only in part", name)
			}
			return checks.Passed(reads, "who reads %s is written down", name)
		})
	})
}
