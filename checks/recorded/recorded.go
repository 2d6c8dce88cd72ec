package recorded

import (
	"cmp"
	"slices"

	"lookback/checks"
	"lookback/evidence"
)

// written asks whether one of the sources of an activity on an asset is on. Records is what they write down; missing is
// the verdict where nothing does, because of the fact that says so.
func written(asset evidence.Asset, a evidence.Activity, sources []evidence.LogSource, records string, missing func(evidence.Fact) checks.Verdict) checks.Verdict {
	if len(sources) == 0 {
		return missing(asset.Looked[a])
	}
	return checks.Best(sources, func(s evidence.LogSource) checks.Verdict {
		on, known := s.Enabled.Get()
		switch {
		case !known:
			return checks.NotKnown(s.Enabled)
		case !on:
			return missing(s.Enabled)
		}
		return checks.Passed(s.Enabled, "%s records %s %s", checks.Named(s.Subject), records, checks.Named(asset.Subject))
	})
}

// chosen puts what the owner set up before what the platform does by itself: a failure names the first.
func chosen(sources []evidence.LogSource) []evidence.LogSource {
	out := slices.Clone(sources)
	slices.SortStableFunc(out, func(a, b evidence.LogSource) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

func rank(s evidence.LogSource) int {
	if s.Floor {
		return 1
	}
	return 0
}

// floor asks whether what the platform records by itself is kept as long as the policy asks; then it is as good as what an
// owner sets up.
func floor(v *checks.View, s evidence.LogSource, where string) checks.Verdict {
	return checks.Best(v.Reached(s), func(r checks.Reached) checks.Verdict {
		if comes := checks.Arrives(r); comes.Outcome != checks.Pass {
			return comes
		}
		days, known := r.Store.Kept.Get()
		switch {
		case !known:
			return checks.NotKnown(r.Store.Kept)
		case days < v.Policy.Retain:
			return checks.Failed(r.Store.Kept, "only the platform's own history of %s records calls in %s; policy asks %s",
				checks.Days(days), where, checks.Days(v.Policy.Retain)).
				Many("in %d regions only the platform's own history records calls, for less time than policy asks")
		}
		return checks.Passed(r.Store.Kept, "the platform's own history of %s records calls in %s", checks.Days(days), where)
	})
}
