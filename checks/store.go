package checks

import "lookback/evidence"

// Lost reports whether a mount keeps the records of a source from the place that it is judged by: they lie in the mount,
// which is a source of its own, or nowhere.
func Lost(s evidence.LogSource) bool {
	h, known := s.Hidden.Get()
	return known && h != evidence.HiddenNot
}

// Off reports whether a source is known to write nothing.
func Off(s evidence.LogSource) bool {
	on, known := s.Enabled.Get()
	return known && !on
}

// Arrives returns the verdict on a store that hangs on how records come to it: a pass where all of them do.
func Arrives(r Reached) Verdict {
	extent, known := r.By.Extent.Get()
	switch {
	case !known:
		return NotKnown(r.By.Extent)
	case extent.Grade == evidence.None:
		return Failed(r.By.Extent, "nothing comes to %s", r.Store.Name)
	case extent.Grade != evidence.All:
		return Failed(r.By.Extent, "not everything comes to %s: %s", r.Store.Name, extent.But)
	}
	return Passed(r.By.Extent, "everything comes to %s", r.Store.Name)
}

// Decided closes a verdict about where the records of a source come to. A pass stands unless a mount may keep the
// records from going there. Anything else is not asked of a source that is known to write nothing; a failure is not assessed
// where something that nobody saw may take the records away after all.
func Decided(v Verdict, s evidence.LogSource) Verdict {
	switch {
	case v.Outcome == Pass && s.Hidden.IsUnknown():
		return NotKnown(s.Hidden)
	case v.Outcome != Fail:
		return v
	case Off(s):
		return Unasked()
	case !True(s.Complete):
		return NotKnown(s.Complete)
	}
	return v
}

// Remains says whether anything of what a source writes is still there once its asset has ended: known true where one
// store survives, known false where all are known to end with it.
func Remains(v *View, s evidence.LogSource) evidence.Value[bool] {
	remains := evidence.Known(false, s.At)
	for _, r := range v.Reached(s) {
		lives := v.Outlives(r.Store, s)
		if True(lives) {
			return lives
		}
		if lives.IsUnknown() {
			remains = lives
		}
	}
	return remains
}

// Cite returns the fact that a verdict about a store rests on: where the store was scanned, and the source is the only
// one that writes to it, the given one; else the delivery, which is the source's own.
func Cite(v *View, r Reached, fact evidence.Fact) evidence.Fact {
	if r.Scanned && len(v.writers[r.Store.ID]) < 2 {
		return fact
	}
	return r.By.Extent
}
