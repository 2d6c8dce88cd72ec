package sealed

import (
	"strings"

	"lookback/checks"
	"lookback/evidence"
)

// FewHands checks that few can do away with the records.
var FewHands = &checks.Check{
	ID:       "sealed-few-hands",
	Title:    "Few users and roles may stop, shorten or delete the records",
	Severity: checks.Low,
	Doc: `Each user, role or group that may stop a trail or empty its bucket is one more way for an intruder to do so: it takes
one stolen key of any of them. Rights to everything ("*") are where these come from.

Cure, AWS: deny cloudtrail:StopLogging, cloudtrail:DeleteTrail, logs:DeleteLogGroup, s3:DeleteObject on log buckets and
the like to all but one role, in a policy of the organisation or a boundary.

How many are few: "hands" under "policy:" in lookback.yaml (10).`,
	Judge: checks.Each(fewHands),
}

const namedHands = 3

func fewHands(v *checks.View, asset evidence.Asset) checks.Verdict {
	hands, known := asset.Hands.Get()
	name := checks.Named(asset.Subject)
	switch {
	case asset.Hands.IsZero():
		return checks.Unasked()
	case !known:
		return checks.NotKnown(asset.Hands)
	case len(hands) > v.Policy.Hands:
		some := strings.Join(hands[:min(namedHands, len(hands))], ", ")
		return checks.Failed(asset.Hands, "%d users, roles and groups may stop or delete records of %s, among them %s; policy allows %d",
			len(hands), name, some, v.Policy.Hands).
			Many("of %d accounts more users, roles and groups may stop or delete records than policy allows")
	}
	return checks.Passed(asset.Hands, "%d users, roles and groups may stop or delete records of %s", len(hands), name)
}
