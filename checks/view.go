package checks

import (
	"slices"
	"strings"
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
	alarms  map[evidence.ID][]*evidence.Alarm
}

// NewView joins a set.
func NewView(set *evidence.Set, p Policy) *View {
	v := &View{
		Policy: p, Now: set.Ended, set: set,
		assets:  map[evidence.ID]*evidence.Asset{},
		stores:  map[evidence.ID]*evidence.LogStore{},
		covers:  map[evidence.ID][]*evidence.LogSource{},
		writers: map[evidence.ID][]*evidence.LogSource{},
		alarms:  map[evidence.ID][]*evidence.Alarm{},
	}
	var sources []*evidence.LogSource
	var alarms []*evidence.Alarm
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
			case *evidence.Alarm:
				alarms = append(alarms, r)
			}
		}
	}
	for _, a := range alarms {
		for _, id := range a.On {
			id = v.name(id)
			v.alarms[id] = append(v.alarms[id], a)
		}
	}
	for _, s := range sources {
		for _, id := range s.Covers {
			id = v.name(id)
			v.covers[id] = append(v.covers[id], s)
		}
		for _, reached := range v.Reached(*s) {
			if to := v.writers[reached.Store.ID]; len(to) == 0 || to[len(to)-1] != s {
				v.writers[reached.Store.ID] = append(to, s)
			}
		}
	}
	return v
}

// name returns the ID under which an asset is recorded, which may go by others.
func (v *View) name(id evidence.ID) evidence.ID {
	if a, ok := v.assets[id]; ok {
		return a.ID
	}
	return id
}

// holders returns id and what holds it, from the inside out, as far as that is known, and the fact that ended the walk:
// moot where nothing holds the last one, unknown where a separate thing lies at a place that we could not see.
func (v *View) holders(id evidence.ID) (chain []evidence.ID, end evidence.Value[evidence.ID]) {
	seen := map[evidence.ID]bool{}
	for {
		id = v.name(id)
		if seen[id] {
			return chain, evidence.Unknown[evidence.ID](evidence.Failed, evidence.Origin{Note: "it lies within itself"})
		}
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
}

// separate reports whether what ended a walk to the holders of a recorded thing is that it is a thing of its own, whose
// place was looked for and not seen. Where the look itself was refused, or never taken, it may lie within anything.
func separate(end evidence.Value[evidence.ID]) bool {
	switch end.Why() {
	case evidence.Elsewhere, evidence.Unfamiliar, evidence.Unresolved:
		return true
	}
	return false
}

// Sources returns every source of an activity that covers an asset: its own, and those of whatever holds it.
func (v *View) Sources(asset evidence.ID, a evidence.Activity) []evidence.LogSource {
	out, _ := v.sources(asset, a)
	return out
}

// sources also returns the fact that kept it from finding what holds the asset.
func (v *View) sources(asset evidence.ID, a evidence.Activity) (out []evidence.LogSource, end evidence.Value[evidence.ID]) {
	chain, end := v.holders(asset)
	for _, id := range chain {
		for _, s := range v.covers[id] {
			if s.Activity == a {
				out = append(out, *s)
			}
		}
	}
	return out, end
}

// Store returns a store. One that is named and that nobody scanned rests on the target that its ID names; the rest of
// it is unknown, elsewhere.
func (v *View) Store(id evidence.ID) (s evidence.LogStore, scanned bool) {
	if s, ok := v.stores[id]; ok {
		return *s, true
	}
	name := id.Target()
	if kind, server, ok := strings.Cut(name, ":"); ok && server != "" {
		name = server + " (" + kind + ")"
	}
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

// Reached returns every store that the records of a source come to: copies, and copies of copies, included. One that
// they come to in several ways is there once for each grade of what comes.
func (v *View) Reached(s evidence.LogSource) []Reached {
	return v.follow(s.To, map[arrival]bool{}, nil, nil)
}

// An arrival is a way to come to a store: a store is visited once for each.
type arrival struct {
	at    evidence.ID
	grade evidence.Grade // empty where it is not known
}

func (v *View) follow(to []evidence.Delivery, seen map[arrival]bool, narrow *evidence.Delivery, out []Reached) []Reached {
	for _, d := range to {
		by := &d
		if narrow != nil {
			by = narrow
		}
		extent, _ := by.Extent.Get()
		if seen[arrival{d.To, extent.Grade}] {
			continue
		}
		seen[arrival{d.To, extent.Grade}] = true
		store, scanned := v.Store(d.To)
		out = append(out, Reached{Store: store, Scanned: scanned, By: *by})
		next := narrow
		if next == nil && extent.Grade != evidence.All {
			next = by
		}
		out = v.follow(store.To, seen, next, out)
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

// Alarms returns every alarm on an asset and on what holds it, and the fact that ended the walk to its holders.
func (v *View) Alarms(asset evidence.ID) (out []evidence.Alarm, end evidence.Value[evidence.ID]) {
	chain, end := v.holders(asset)
	for _, id := range chain {
		for _, a := range v.alarms[id] {
			out = append(out, *a)
		}
	}
	return out, end
}

// ends returns the assets that end together with one: itself and what holds it, up to the machine, or up to what lasts;
// and the machine, moot where none holds it.
func (v *View) ends(asset evidence.ID) (with []evidence.ID, machine evidence.Value[evidence.ID]) {
	chain, end := v.holders(asset)
	for i, id := range chain {
		switch a, ok := v.assets[id]; {
		case ok && a.Host:
			return chain[:i], evidence.Known(id, a.At)
		case ok && a.Lasting:
			return chain[:i], evidence.Moot[evidence.ID](a.At)
		}
	}
	return chain, end
}

// Survives says whether a store is still there once an asset is gone. A thing of its own at a place that we could not
// see does not end with a container, and may end with a machine.
func (v *View) Survives(s evidence.LogStore, asset evidence.ID) evidence.Value[bool] {
	asset = v.name(asset)
	on, known := s.On.Get()
	if !known {
		return evidence.Unknown[bool](s.On.Why(), s.On.At())
	}
	for _, id := range on {
		chain, end := v.holders(id)
		if slices.Contains(chain, asset) {
			return evidence.Known(false, s.On.At())
		}
		last := chain[len(chain)-1]
		machine := v.assets[asset] != nil && v.assets[asset].Host
		switch recorded := v.assets[last] != nil; {
		case !end.IsUnknown():
		case recorded && (machine || !separate(end)):
			return evidence.Unknown[bool](end.Why(), end.At())
		case !recorded && last.Target() == asset.Target() && last.Thing() != "": // a part of the same target that nobody saw
			return evidence.Unknown[bool](evidence.Elsewhere, s.On.At())
		}
	}
	return evidence.Known(true, s.On.At())
}

// Outlives says whether a store is still there once every asset that a source covers has ended.
func (v *View) Outlives(s evidence.LogStore, source evidence.LogSource) evidence.Value[bool] {
	for _, asset := range source.Covers {
		ends, machine := v.ends(asset)
		for _, id := range ends {
			if lives := v.Survives(s, id); !True(lives) {
				return lives
			}
		}
		if !machine.IsUnknown() {
			continue
		}
		on, _ := s.On.Get()
		for _, id := range on { // it may rest on what holds the asset and was not seen
			if a, ok := v.assets[id]; ok && !a.Host {
				return evidence.Unknown[bool](machine.Why(), machine.At())
			}
		}
	}
	return evidence.Known(true, s.On.At())
}

// Leaves says whether a store is still there once the machines are gone that run what a source covers; moot where no
// machine of its own runs it.
func (v *View) Leaves(s evidence.LogStore, source evidence.LogSource) evidence.Value[bool] {
	leaves := evidence.Moot[bool](source.At)
	for _, asset := range source.Covers {
		_, machine := v.ends(asset)
		id, known := machine.Get()
		switch {
		case known:
			leaves = v.Survives(s, id)
		case machine.IsUnknown():
			leaves = evidence.Unknown[bool](machine.Why(), machine.At())
		}
		if !leaves.IsMoot() && !True(leaves) {
			return leaves
		}
	}
	return leaves
}

// True reports whether a fact is known to hold.
func True(v evidence.Value[bool]) bool {
	is, known := v.Get()
	return known && is
}

// CanEnd reports whether a source belongs to something that ends before the machine does.
func (v *View) CanEnd(s evidence.LogSource) bool {
	return slices.ContainsFunc(s.Covers, func(asset evidence.ID) bool {
		ends, _ := v.ends(asset)
		return len(ends) > 0
	})
}

// OnMachine reports whether a machine of its own runs what a source covers, as far as anybody could see.
func (v *View) OnMachine(s evidence.LogSource) bool {
	return slices.ContainsFunc(s.Covers, func(asset evidence.ID) bool {
		_, machine := v.ends(asset)
		return !machine.IsMoot()
	})
}

// Stays says how many seconds the assets that a source covers can be looked at after they ended: the least, unknown
// where one of them is; moot where none of them goes by itself.
func (v *View) Stays(s evidence.LogSource) evidence.Value[int64] {
	least := evidence.Moot[int64](s.At)
	for _, asset := range s.Covers {
		ends, machine := v.ends(asset)
		for _, id := range ends {
			if a := v.assets[id]; a != nil {
				least = sooner(least, a.Lingers)
			}
		}
		if machine.IsUnknown() {
			least = sooner(least, evidence.Unknown[int64](machine.Why(), machine.At()))
		}
	}
	return least
}

// Fleeting says how many seconds the stores stay that a source writes to, once what fills them has ended: the least,
// unknown where one of them is; moot where all of them stay.
func (v *View) Fleeting(s evidence.LogSource) evidence.Value[int64] {
	least := evidence.Moot[int64](s.At)
	for _, r := range v.Reached(s) {
		if r.Scanned {
			least = sooner(least, r.Store.Lingers)
		}
	}
	return least
}

func sooner(a, b evidence.Value[int64]) evidence.Value[int64] {
	m, known := a.Get()
	n, _ := b.Get()
	switch {
	case b.IsMoot() || a.IsUnknown():
		return a
	case b.IsUnknown() || !known || n < m:
		return b
	}
	return a
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
