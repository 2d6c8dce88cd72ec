package checks

import (
	"time"

	"lookback/evidence"
)

// Lost reports whether a mount keeps the records of a source from the place that it is judged by: they lie in the mount,
// which is a source of its own, or nowhere.
func Lost(s evidence.LogSource) bool {
	h, known := s.Hidden.Get()
	return known && h != evidence.HiddenNot
}

// Why writes the note of a fact behind what a sentence says: ": the key is disabled"; nothing where there is none.
func Why(f evidence.Fact) string {
	if note := f.At().Note; note != "" {
		return ": " + note
	}
	return ""
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

// Vouches returns the verdict on a place that a source comes to, as one that keeps its records for a store: what does not
// come there today, or is stopped on the way, is kept in no place but the store itself. Of the store itself,
// arriving-recently asks that.
func Vouches(v *View, s evidence.LogSource, store evidence.LogStore, r Reached) Verdict {
	comes := Arrives(r)
	if comes.Outcome != Pass || r.Store.ID == store.ID {
		return comes
	}
	way := r.way
	if way == nil {
		way = []*evidence.Delivery{&r.By}
	}
	for _, d := range way {
		if d.To == store.ID { // r is a copy of the store
			continue
		}
		switch brings := Delivers(v, s, *d); brings.Outcome {
		case Fail:
			return Unasked()
		case NotAssessed:
			return brings
		}
	}
	return comes
}

// Delivers returns the verdict on whether a delivery of a source brings records today. It does not apply where nobody can
// tell, or where nothing is due yet.
func Delivers(v *View, s evidence.LogSource, d evidence.Delivery) Verdict {
	store, _ := v.Store(d.To)
	name := Named(store.Subject)
	wrong, tried := d.Error.Get()
	last, seen := d.Last.Get()
	since, begun := s.Since.Get()
	late := seen && v.Now.Sub(last) > v.Policy.Fresh
	switch {
	case tried && wrong != "":
		return Failed(d.Error, "delivery to %s fails: %s", name, wrong)
	case late && begun && v.Now.Sub(since) <= v.Policy.Fresh: // nothing is due yet
		return Unasked()
	case late && s.Enabled.IsUnknown() && !s.Enabled.IsZero(): // it may write nothing that is due
		return NotKnown(s.Enabled)
	case late && !begun && !s.Since.IsZero():
		return NotKnown(s.Since)
	case late && last.IsZero():
		return Failed(d.Last, "nothing has ever arrived in %s", name)
	case late:
		return Failed(d.Last, "nothing has arrived in %s since %s", name, last.UTC().Format(time.DateOnly))
	case d.Error.IsUnknown() && !d.Error.IsZero():
		return NotKnown(d.Error)
	case d.Last.IsUnknown() && !d.Last.IsZero():
		return NotKnown(d.Last)
	case seen:
		return Passed(d.Last, "records arrived in %s on %s", name, last.UTC().Format(time.DateOnly))
	case tried:
		return Passed(d.Error, "delivery to %s works", name)
	}
	return Unasked() // nobody can tell that of a container's file
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

// Whoever asks for each source whose records come to a store, where one place of all that they come to may be enough: what
// a mount keeps away, and what the platform keeps by itself, is not asked. A store that no source is known to write to is
// asked by itself, with its copies, where it rests on what lasts.
//
// A failure is not assessed where something that nobody saw may keep the records after all.
func Whoever(v *View, store evidence.LogStore, ask func(evidence.LogSource) Verdict) Verdict {
	writers := v.Writers(store.ID)
	if len(writers) == 0 {
		stands := v.Stands(store)
		switch {
		case stands.IsUnknown():
			return NotKnown(stands)
		case !True(stands):
			return Unasked()
		}
		everything := evidence.Known(evidence.Extent{Grade: evidence.All}, store.At)
		writers = []evidence.LogSource{{
			Subject: store.Subject, Hidden: evidence.Moot[evidence.Hiding](store.At), Complete: evidence.Known(true, store.At),
			To: []evidence.Delivery{{To: store.ID, Extent: everything}},
		}}
	}
	return Worst(writers, func(w evidence.LogSource) Verdict {
		if Lost(w) || w.Floor {
			return Unasked()
		}
		verdict := Decided(ask(w), w)
		if more := Copied(v, w); verdict.Outcome == Fail && more.IsUnknown() {
			return NotKnown(more)
		}
		return verdict
	})
}

// Copied says whether the stores that a source reaches have copies that nobody saw: unknown where they may, moot where no
// scanner asks.
func Copied(v *View, s evidence.LogSource) evidence.Value[bool] {
	for _, r := range v.Reached(s) {
		if whole := r.Store.Complete; !whole.IsZero() && whole.IsUnknown() {
			return whole
		}
	}
	return evidence.Moot[bool](s.At)
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
