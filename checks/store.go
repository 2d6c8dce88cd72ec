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
// records from going there. Anything else is not asked of a source that is known to write nothing, and not assessed
// where something that nobody saw may take the records away after all.
func Decided(v Verdict, s evidence.LogSource) Verdict {
	switch {
	case v.Outcome == Pass && s.Hidden.IsUnknown():
		return NotKnown(s.Hidden)
	case v.Outcome == Pass, v.Outcome == NotApplicable:
		return v
	case Off(s):
		return Unasked()
	case !True(s.Complete):
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
