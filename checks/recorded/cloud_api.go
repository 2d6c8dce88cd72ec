package recorded

import (
	"lookback/checks"
	"lookback/evidence"
)

// CloudAPI checks that calls to the cloud's own API are recorded, in every region.
var CloudAPI = &checks.Check{
	ID:       "recorded-cloud-api",
	Title:    "Calls to the cloud's API are recorded in every region",
	Severity: checks.High,
	Doc: `Whoever holds a stolen key works through the cloud's API: lists what there is, starts machines, copies disks, makes
users. Only the record of these calls says what they did. An intruder likes the region that nobody uses, since nobody
watches it. What the platform keeps by itself (AWS: 90 days of event history) is gone before many intruders are found.

Cure, AWS: one organisation trail over all regions ("IsMultiRegionTrail") into a bucket of an account for logs; or a
trail over all regions in each account.

What the platform keeps by itself counts once it is kept as long as "retain" under "policy:" in lookback.yaml asks.`,
	Judge: checks.About(evidence.CloudAPI, cloudAPI),
}

func cloudAPI(v *checks.View, region evidence.Asset, sources []evidence.LogSource) checks.Verdict {
	if len(sources) == 0 {
		return checks.Failed(region.Looked[evidence.CloudAPI], "nothing records calls in %s", region.Name).
			Many("nothing records calls in %d regions")
	}
	return checks.Best(chosen(sources), func(s evidence.LogSource) checks.Verdict {
		on, known := s.Enabled.Get()
		switch {
		case !known:
			return checks.NotKnown(s.Enabled)
		case !on:
			return checks.Failed(s.Enabled, "%s is off and records no calls in %s", checks.Named(s.Subject), region.Name)
		case s.Floor:
			return floor(v, s, region.Name)
		}
		return checks.Passed(s.Enabled, "%s records calls in %s", checks.Named(s.Subject), region.Name)
	})
}
