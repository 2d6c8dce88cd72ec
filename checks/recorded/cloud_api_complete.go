package recorded

import (
	"lookback/checks"
	"lookback/evidence"
)

// CloudAPIComplete checks that no kind of call is left out of the record.
var CloudAPIComplete = &checks.Check{
	ID:       "recorded-cloud-api-complete",
	Title:    "The record of calls holds reads, writes and calls of global services",
	Severity: checks.Medium,
	After:    []string{"recorded-cloud-api"},
	Doc: `Before an intruder changes anything they look around: list users, buckets, secrets. A record of writes alone begins
when the damage is done. Users, roles and keys belong to no region: a trail of one region alone misses the account that
was made to come back with.

Cure, AWS: record management events of both kinds, read and write, without excluded sources; include global service
events. One trail may hold what another leaves out.`,
	Judge: checks.About(evidence.CloudAPI, cloudAPIComplete),
}

var cloudAPIParts = []evidence.Part{evidence.PartReads, evidence.PartWrites, evidence.PartGlobal}

func cloudAPIComplete(v *checks.View, region evidence.Asset, sources []evidence.LogSource) checks.Verdict {
	if len(sources) == 0 {
		return checks.Failed(region.Looked[evidence.CloudAPI], "nothing records calls in %s", region.Name)
	}
	return checks.Worst(cloudAPIParts, func(part evidence.Part) checks.Verdict {
		calls := map[evidence.Part]string{
			evidence.PartReads:  "calls that only look",
			evidence.PartWrites: "calls that change something",
			evidence.PartGlobal: "calls of global services",
		}[part]
		return checks.Best(chosen(sources), func(s evidence.LogSource) checks.Verdict {
			extent, known := s.Parts[part].Get()
			name := checks.Named(s.Subject)
			switch {
			case s.Parts[part].IsMoot(): // another region has these calls
				return checks.Unasked()
			case checks.Off(s):
				return checks.Failed(s.Enabled, "%s is off and records no calls in %s", name, region.Name)
			case s.Enabled.IsUnknown():
				return checks.NotKnown(s.Enabled)
			case !known: // another region may have these calls
				return checks.NotKnown(s.Parts[part])
			case s.Floor:
				if kept := floor(v, s, region.Name); kept.Outcome != checks.Pass {
					return kept
				}
			}
			switch {
			case extent.Grade == evidence.None:
				return checks.Failed(s.Parts[part], "%s leaves %s out in %s", name, calls, region.Name)
			case extent.Grade != evidence.All:
				return checks.Failed(s.Parts[part], "%s records %s in %s only in part: %s", name, calls, region.Name, extent.But)
			}
			return checks.Passed(s.Parts[part], "%s records %s in %s", name, calls, region.Name)
		})
	})
}
