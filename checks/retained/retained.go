package retained

import (
	"lookback/checks"
	"lookback/evidence"
)

// kept asks how long the records of each source that writes to a store are kept: there, in its copies, or in whatever
// else the source reaches; one place that keeps them is enough. What ends with its asset keeps nothing. What only
// another scan could tell is no result where the store at hand is a stop on the way, and not assessed where it is an
// archive of its own.
func kept(v *checks.View, store evidence.LogStore, ask func(evidence.LogSource, evidence.LogStore) checks.Verdict) checks.Verdict {
	return checks.Whoever(v, store, func(w evidence.LogSource) checks.Verdict {
		var elsewhere *checks.Reached
		verdict := checks.Best(v.Reached(w), func(r checks.Reached) checks.Verdict {
			comes := checks.Vouches(v, w, store, r)
			lives := v.Lasts(r.Store)
			outlives, known := lives.Get()
			switch {
			case comes.Outcome != checks.Pass:
				return comes
			case !r.Scanned:
				elsewhere = &r
				return checks.Unasked()
			case !known:
				return checks.NotKnown(lives)
			case !outlives:
				return checks.Failed(r.Store.On, "%s ends with what writes it", checks.Named(r.Store.Subject))
			case r.Store.Kept.Why() == evidence.Elsewhere:
				elsewhere = &r
				return checks.Unasked()
			}
			return ask(w, r.Store)
		})
		if verdict.Outcome == checks.Fail && elsewhere != nil {
			if !checks.True(v.Lasts(store)) {
				return checks.Unasked()
			}
			verdict = checks.NotKnown(elsewhere.Store.Kept)
		}
		return verdict
	})
}
