package sealed

import (
	"lookback/checks"
	"lookback/evidence"
)

// audited asks of a store that takes an audit trail, and of its copies and whatever else the trail comes to, whether one of
// them holds. What a program or a load balancer writes is no audit trail, and is not asked.
func audited(v *checks.View, store evidence.LogStore, ask func(evidence.LogSource, checks.Reached) checks.Verdict) checks.Verdict {
	if store.Locked.IsZero() || len(v.Writers(store.ID)) == 0 { // nobody asks that of a file on a machine
		return checks.Unasked()
	}
	return checks.Whoever(v, store, func(w evidence.LogSource) checks.Verdict {
		if w.Activity == evidence.Application || w.Activity == evidence.Edge {
			return checks.Unasked()
		}
		return checks.Best(v.Reached(w), func(r checks.Reached) checks.Verdict {
			if comes := checks.Vouches(v, w, store, r); comes.Outcome != checks.Pass {
				return comes
			}
			return ask(w, r)
		})
	})
}
