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
		return Failed(r.By.Extent, "%s lets nothing through", r.Store.Name)
	}
	return Passed(r.By.Extent, "%s takes it", r.Store.Name)
}

// Decided turns a failure into not assessed where something that nobody saw may take the records away after all.
func Decided(v Verdict, s evidence.LogSource) Verdict {
	if v.Outcome != Pass && s.Complete.IsUnknown() {
		return NotKnown(s.Complete)
	}
	return v
}

// Cite returns the fact that a verdict about a store rests on: where the store was scanned, the given one; else the
// delivery that names it.
func Cite(r Reached, fact evidence.Fact) evidence.Fact {
	if r.Scanned {
		return fact
	}
	return r.By.Extent
}
