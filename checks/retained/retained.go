package retained

import (
	"lookback/checks"
	"lookback/evidence"
)

// kept asks how long records are kept, of a store, its copies, and whatever else its sources reach: one that keeps them
// is enough. What ends with its asset keeps nothing; what only another scan could tell is no result of this one where
// the store at hand is a stop on the way, and not assessed where it is an archive of its own.
func kept(v *checks.View, store evidence.LogStore, ask func(evidence.LogStore) checks.Verdict) checks.Verdict {
	writers := v.Writers(store.ID)
	if len(writers) == 0 {
		return checks.Unasked()
	}
	var elsewhere *checks.Reached
	verdict := checks.Best(v.Copies(store), func(r checks.Reached) checks.Verdict {
		if !r.Scanned {
			elsewhere = &r
			return checks.Unasked()
		}
		for _, w := range writers {
			lives := v.Outlives(r.Store, w)
			outlives, known := lives.Get()
			if !known {
				return checks.NotKnown(lives)
			}
			if !outlives {
				return checks.Failed(r.Store.On, "%s ends with what writes it", r.Store.Name)
			}
		}
		if r.Store.Kept.Why() == evidence.Elsewhere {
			return checks.Unasked()
		}
		return ask(r.Store)
	})
	if verdict.Outcome == checks.Fail && elsewhere != nil {
		if lives := v.Outlives(store, writers[0]); !checks.True(lives) {
			return checks.Unasked()
		}
		return checks.NotKnown(elsewhere.Store.Kept)
	}
	for _, w := range writers {
		if decided := checks.Decided(verdict, w); verdict.Outcome == checks.Fail && decided.Outcome != checks.Fail {
			return decided
		}
	}
	return verdict
}
