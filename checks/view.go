package checks

import (
	"time"

	"lookback/evidence"
)

// A View joins the records of a set by ID. It has no way to range over them: a check sees its subject and what the
// subject refers to.
type View struct {
	Policy Policy
	Now    time.Time // the moment for which to judge: the end of the scan

	set     *evidence.Set
	assets  map[evidence.ID]*evidence.Asset // also by other names
	stores  map[evidence.ID]*evidence.LogStore
	covers  map[evidence.ID][]*evidence.LogSource
	writers map[evidence.ID][]*evidence.LogSource
}

// NewView joins a set.
func NewView(set *evidence.Set, p Policy) *View {
	v := &View{
		Policy: p, Now: set.Ended, set: set,
		assets:  map[evidence.ID]*evidence.Asset{},
		stores:  map[evidence.ID]*evidence.LogStore{},
		covers:  map[evidence.ID][]*evidence.LogSource{},
		writers: map[evidence.ID][]*evidence.LogSource{},
	}
	var sources []*evidence.LogSource
	for _, rs := range [][]evidence.Record{set.Records, set.With} {
		for _, r := range rs {
			switch r := r.(type) {
			case *evidence.Asset:
				v.assets[r.ID] = r
				for _, also := range r.Also {
					v.assets[also] = r
				}
			case *evidence.LogStore:
				v.stores[r.ID] = r
			case *evidence.LogSource:
				sources = append(sources, r)
				for _, id := range r.Covers {
					v.covers[id] = append(v.covers[id], r)
				}
			}
		}
	}
	for _, s := range sources {
		for _, reached := range v.Reached(*s) {
			v.writers[reached.Store.ID] = append(v.writers[reached.Store.ID], s)
		}
	}
	return v
}

// Asset returns an asset by its ID or by another of its names.
func (v *View) Asset(id evidence.ID) (evidence.Asset, bool) {
	if a, ok := v.assets[id]; ok {
		return *a, true
	}
	return evidence.Asset{}, false
}

// holders returns id and what holds it, from the inside out, as far as that is known, and the fact that ended the walk:
// moot where nothing holds the last one, unknown where a separate thing lies at a place that we could not see.
func (v *View) holders(id evidence.ID) (chain []evidence.ID, end evidence.Value[evidence.ID]) {
	seen := map[evidence.ID]bool{}
	for !seen[id] {
		seen[id] = true
		chain = append(chain, id)
		a, ok := v.assets[id]
		if !ok {
			return chain, evidence.Unknown[evidence.ID](evidence.Elsewhere, evidence.Origin{})
		}
		in, known := a.In.Get()
		if !known {
			return chain, a.In
		}
		id = in
	}
	return chain, evidence.Unknown[evidence.ID](evidence.Failed, evidence.Origin{Note: "it lies within itself"})
}

// Sources returns every source of an activity that covers an asset: its own, and those of whatever holds it.
func (v *View) Sources(asset evidence.ID, a evidence.Activity) []evidence.LogSource {
	var out []evidence.LogSource
	chain, _ := v.holders(asset)
	for _, id := range chain {
		for _, s := range v.covers[id] {
			if s.Activity == a {
				out = append(out, *s)
			}
		}
	}
	return out
}

// Store returns a store. One that is named and that nobody scanned rests on the target that its ID names; the rest of
// it is unknown, elsewhere.
func (v *View) Store(id evidence.ID) (s evidence.LogStore, scanned bool) {
	if s, ok := v.stores[id]; ok {
		return *s, true
	}
	name := id.Target()
	if thing := id.Thing(); thing != "" {
		name = thing
	}
	elsewhere := evidence.Origin{Note: "it is kept by " + name + ", which was not scanned"}
	return evidence.LogStore{
		Subject:   evidence.Subject{ID: id, Kind: "remote store", Name: name},
		On:        evidence.Known([]evidence.ID{evidence.ID(id.Target())}, evidence.Origin{}),
		Memory:    evidence.Unknown[bool](evidence.Elsewhere, elsewhere),
		Kept:      evidence.Unknown[int](evidence.Elsewhere, elsewhere),
		Bytes:     evidence.Unknown[int64](evidence.Elsewhere, elsewhere),
		ColdAfter: evidence.Unknown[int](evidence.Elsewhere, elsewhere),
	}, false
}

// A Reached is a store that records of a source come to, and the delivery that brings them: the first one on the way
// whose extent is not known to be all, or else the last.
type Reached struct {
	Store   evidence.LogStore
	Scanned bool // false for a store that is named and that nobody scanned
	By      evidence.Delivery
}

// Reached returns every store that the records of a source come to: copies, and copies of copies, included.
func (v *View) Reached(s evidence.LogSource) []Reached {
	return v.follow(s.To, map[evidence.ID]bool{}, nil, nil)
}

func (v *View) follow(to []evidence.Delivery, seen map[evidence.ID]bool, narrow *evidence.Delivery, out []Reached) []Reached {
	for _, d := range to {
		if seen[d.To] {
			continue
		}
		seen[d.To] = true
		by := d
		if narrow != nil {
			by = *narrow
		}
		store, scanned := v.Store(d.To)
		out = append(out, Reached{Store: store, Scanned: scanned, By: by})
		next := narrow
		if e, known := d.Extent.Get(); next == nil && (!known || e.Grade != evidence.All) {
			next = &d
		}
		out = v.follow(store.To, seen, next, out)
	}
	return out
}

// Copies returns a store, its copies, and whatever stores each source that writes to it also reaches: where one of them
// keeps the records, they are kept.
func (v *View) Copies(s evidence.LogStore) []Reached {
	out := []Reached{{Store: s, Scanned: true, By: evidence.Delivery{To: s.ID, Extent: evidence.Known(evidence.Extent{Grade: evidence.All}, s.At)}}}
	seen := map[evidence.ID]bool{s.ID: true}
	out = v.follow(s.To, seen, nil, out)
	for _, w := range v.writers[s.ID] {
		out = v.follow(w.To, seen, nil, out)
	}
	return out
}

// Writers returns the sources whose records come to a store.
func (v *View) Writers(store evidence.ID) []evidence.LogSource {
	var out []evidence.LogSource
	for _, w := range v.writers[store] {
		out = append(out, *w)
	}
	return out
}

// Ends returns the assets that end together with one: itself and what holds it, up to the machine.
func (v *View) Ends(asset evidence.ID) []evidence.ID {
	chain, _ := v.holders(asset)
	for i, id := range chain {
		if a, ok := v.assets[id]; ok && a.Host {
			return chain[:i]
		}
	}
	return chain
}

// Host returns the machine that an asset runs on, or is.
func (v *View) Host(asset evidence.ID) (evidence.ID, bool) {
	chain, _ := v.holders(asset)
	for _, id := range chain {
		if a, ok := v.assets[id]; ok && a.Host {
			return id, true
		}
	}
	return "", false
}

// Survives says whether a store is still there once an asset is gone. Of a machine it is unknown for a store that rests
// on a separate thing at a place that we could not see; anything else does not take a separate thing with it.
func (v *View) Survives(s evidence.LogStore, asset evidence.ID) evidence.Value[bool] {
	on, known := s.On.Get()
	if !known {
		return evidence.Unknown[bool](s.On.Why(), s.On.At())
	}
	machine := v.assets[asset] != nil && v.assets[asset].Host
	for _, id := range on {
		chain, end := v.holders(id)
		for _, holder := range chain {
			if holder == asset {
				return evidence.Known(false, s.On.At())
			}
		}
		_, recorded := v.assets[chain[len(chain)-1]]
		if machine && recorded && end.IsUnknown() {
			return evidence.Unknown[bool](end.Why(), end.At())
		}
		if machine && !recorded && id.Target() == asset.Target() && id.Thing() != "" {
			return evidence.Unknown[bool](evidence.Elsewhere, s.On.At())
		}
	}
	return evidence.Known(true, s.On.At())
}

// Outlives says whether a store is still there once every asset that a source covers has ended.
func (v *View) Outlives(s evidence.LogStore, source evidence.LogSource) evidence.Value[bool] {
	for _, asset := range source.Covers {
		for _, id := range v.Ends(asset) {
			if lives := v.Survives(s, id); !True(lives) {
				return lives
			}
		}
	}
	return evidence.Known(true, s.On.At())
}

// True reports whether a fact is known to hold.
func True(v evidence.Value[bool]) bool {
	is, known := v.Get()
	return known && is
}

// CanEnd reports whether a source belongs to something that ends before the machine does.
func (v *View) CanEnd(s evidence.LogSource) bool {
	for _, asset := range s.Covers {
		if len(v.Ends(asset)) > 0 {
			return true
		}
	}
	return false
}

// Stays says how many seconds the assets that a source covers can be looked at after they ended: the least of what is
// known; moot where none of them goes by itself.
func (v *View) Stays(s evidence.LogSource) evidence.Value[int64] {
	least := evidence.Moot[int64](s.At)
	for _, asset := range s.Covers {
		for _, id := range v.Ends(asset) {
			a := v.assets[id]
			if a == nil || a.Lingers.IsMoot() {
				continue
			}
			seconds, known := a.Lingers.Get()
			if soFar, _ := least.Get(); !known || least.IsMoot() || seconds < soFar {
				least = a.Lingers
			}
			if !known {
				return least
			}
		}
	}
	return least
}

// Fleeting reports whether a source writes to a store that goes some time after what fills it.
func (v *View) Fleeting(s evidence.LogSource) bool {
	for _, r := range v.Reached(s) {
		if r.Scanned && !r.Store.Lingers.IsMoot() {
			return true
		}
	}
	return false
}

// Development reports whether everything that a record is about never runs in production.
func (v *View) Development(r evidence.Record) bool {
	switch r := r.(type) {
	case *evidence.Asset:
		return r.Development
	case *evidence.LogSource:
		return v.allDevelopment(r.Covers)
	case *evidence.Access:
		return v.allDevelopment([]evidence.ID{r.Of})
	}
	writers := v.writers[r.Self().ID]
	for _, w := range writers {
		if !v.allDevelopment(w.Covers) {
			return false
		}
	}
	return len(writers) > 0
}

func (v *View) allDevelopment(ids []evidence.ID) bool {
	for _, id := range ids {
		if a, ok := v.assets[id]; !ok || !a.Development {
			return false
		}
	}
	return len(ids) > 0
}
