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

	set     *evidence.Set                   // what is asked about
	assets  map[evidence.ID]*evidence.Asset // also by other names
	stores  map[evidence.ID]*evidence.LogStore
	covers  map[evidence.ID][]*evidence.LogSource
	writers map[evidence.ID][]*evidence.LogSource
	alarms  map[evidence.ID][]*evidence.Alarm
	lasts   map[evidence.ID]evidence.Value[bool] // see Lasts, as far as somebody asked
	last    lastReached
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
		lasts:   map[evidence.ID]evidence.Value[bool]{},
	}
	v.join(slices.Concat(set.Records, set.With), nil)
	return v
}

// join adds records. Before says which of two stands before the other, where those that were joined already are not all
// before these; it may be nil. What it returns takes the records out again.
func (v *View) join(records []evidence.Record, before func(a, b evidence.Record) int) (leave func()) {
	v.last = lastReached{}
	assets, stores := change[*evidence.Asset]{in: v.assets}, change[*evidence.LogStore]{in: v.stores}
	covers, writers := change[[]*evidence.LogSource]{in: v.covers}, change[[]*evidence.LogSource]{in: v.writers}
	alarms := change[[]*evidence.Alarm]{in: v.alarms}
	var sources []*evidence.LogSource
	var alerts []*evidence.Alarm
	for _, r := range records {
		switch r := r.(type) {
		case *evidence.Asset:
			assets.put(r.ID, r)
			for _, also := range r.Also {
				assets.put(also, r)
			}
		case *evidence.LogStore:
			stores.put(r.ID, r)
		case *evidence.LogSource:
			sources = append(sources, r)
		case *evidence.Alarm:
			alerts = append(alerts, r)
		}
	}
	watch := map[evidence.ID][]*evidence.Alarm{}
	for _, a := range alerts {
		for _, id := range a.On {
			id = v.name(id)
			watch[id] = append(watch[id], a)
		}
	}
	cover, write := map[evidence.ID][]*evidence.LogSource{}, map[evidence.ID][]*evidence.LogSource{}
	for _, s := range sources {
		for _, id := range s.Covers {
			id = v.name(id)
			cover[id] = append(cover[id], s)
		}
		for _, d := range v.Reached(*s) {
			if to := write[d.Store.ID]; len(to) == 0 || to[len(to)-1] != s {
				write[d.Store.ID] = append(to, s)
			}
		}
	}
	mix(&alarms, watch, before)
	mix(&covers, cover, before)
	mix(&writers, write, before)
	v.last = lastReached{} // what writes was not known
	return func() {
		v.last = lastReached{}
		assets.undo()
		stores.undo()
		covers.undo()
		writers.undo()
		alarms.undo()
		for id := range v.lasts {
			if v.stores[id] == nil {
				delete(v.lasts, id)
			}
		}
	}
}

// A change is what was put into a map, and what was there before.
type change[V any] struct {
	in  map[evidence.ID]V
	was []struct {
		id  evidence.ID
		had bool
		V   V
	}
}

func (c *change[V]) put(id evidence.ID, to V) {
	was, had := c.in[id]
	c.was = append(c.was, struct {
		id  evidence.ID
		had bool
		V   V
	}{id, had, was})
	c.in[id] = to
}

func (c *change[V]) undo() {
	for _, w := range slices.Backward(c.was) {
		if w.had {
			c.in[w.id] = w.V
		} else {
			delete(c.in, w.id)
		}
	}
}

// mix adds lists to those that are there, in order.
func mix[R evidence.Record](c *change[[]R], lists map[evidence.ID][]R, before func(a, b evidence.Record) int) {
	for id, list := range lists {
		if had := c.in[id]; len(had) > 0 {
			list = slices.Concat(had, list)
			if before != nil {
				slices.SortStableFunc(list, func(a, b R) int { return before(a, b) })
			}
		}
		c.put(id, list)
	}
}

// Lasts says whether a store is still there once whatever writes to it has ended: a sensor's records of a node lie in the
// log of its container.
func (v *View) Lasts(s evidence.LogStore) evidence.Value[bool] {
	if lives, ok := v.lasts[s.ID]; ok {
		return lives
	}
	lives := evidence.Known(true, s.On.At())
	for _, w := range v.writers[s.ID] {
		if lives = v.Outlives(s, *w); !True(lives) {
			break
		}
	}
	v.lasts[s.ID] = lives
	return lives
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
func separate(why evidence.Reason) bool {
	switch why {
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
		Locked:    evidence.Unknown[int](evidence.Elsewhere, elsewhere),
	}, false
}

// A Reached is a store that records of a source come to, and the delivery that brings them: the first one on the way
// whose extent is not known to be all, or else the last.
type Reached struct {
	Store   evidence.LogStore
	Scanned bool // false for a store that is named and that nobody scanned
	By      evidence.Delivery
	way     []*evidence.Delivery // all that bring them, from the source on; nil where it is By alone
}

// Reached returns every store that the records of a source come to: copies, and copies of copies, included. One that
// they come to in several ways is there once for each grade of what comes.
func (v *View) Reached(s evidence.LogSource) []Reached {
	if len(s.To) == 0 {
		return nil
	}
	if l := &v.last; l.to != &s.To[0] || l.n != len(s.To) {
		var seen []arrival
		*l = lastReached{&s.To[0], len(s.To), v.follow(s.To, &seen, nil, nil, make([]Reached, 0, len(s.To)))}
	}
	return v.last.reached
}

// A lastReached is what was last asked: every check of a store asks it several times in a row.
type lastReached struct {
	to      *evidence.Delivery // the first of its deliveries, which tells a source from any other
	n       int
	reached []Reached
}

// An arrival is a way to come to a store: a store is visited once for each.
type arrival struct {
	at    evidence.ID
	grade evidence.Grade // empty where it is not known
}

func (v *View) follow(to []evidence.Delivery, seen *[]arrival, narrow *evidence.Delivery, way []*evidence.Delivery, out []Reached) []Reached {
	for i := range to {
		d := &to[i]
		by := d
		if narrow != nil {
			by = narrow
		}
		extent, _ := by.Extent.Get()
		if slices.Contains(*seen, arrival{d.To, extent.Grade}) {
			continue
		}
		*seen = append(*seen, arrival{d.To, extent.Grade})
		store, scanned := v.Store(d.To)
		r := Reached{Store: store, Scanned: scanned, By: *by}
		if len(way) > 0 {
			r.way = append(way[:len(way):len(way)], d)
		}
		out = append(out, r)
		if len(store.To) == 0 {
			continue
		}
		next := narrow
		if next == nil && extent.Grade != evidence.All {
			next = by
		}
		out = v.follow(store.To, seen, next, append(way[:len(way):len(way)], d), out)
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
		case recorded && (machine || !separate(end.Why())):
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

// Stands says whether everything that a store rests on lasts, as an account does: then it is there whoever writes to it.
// It is moot where nobody could see what it rests on; where the look was denied or failed, it is unknown.
func (v *View) Stands(s evidence.LogStore) evidence.Value[bool] {
	on, known := s.On.Get()
	switch {
	case !known && (s.On.IsMoot() || s.On.Why() == evidence.NobodyLooked || separate(s.On.Why())):
		return evidence.Moot[bool](s.On.At())
	case !known:
		return evidence.Unknown[bool](s.On.Why(), s.On.At())
	}
	lasts := func(id evidence.ID) bool { a, ok := v.assets[id]; return ok && a.Lasting }
	return evidence.Known(len(on) > 0 && !slices.ContainsFunc(on, func(id evidence.ID) bool { return !lasts(id) }), s.On.At())
}

// Apart says whether a store rests on what other hands hold than what a source covers: on another account. Things whose
// targets begin alike are in the same hands, as the regions of an account are.
func (v *View) Apart(s evidence.LogStore, source evidence.LogSource) evidence.Value[bool] {
	on, known := s.On.Get()
	if !known {
		return evidence.Unknown[bool](s.On.Why(), s.On.At())
	}
	apart := evidence.Known(true, s.On.At())
	if len(source.Covers) == 0 {
		apart = evidence.Unknown[bool](evidence.NobodyLooked, source.At)
	}
	for _, asset := range source.Covers {
		chain, end := v.holders(asset)
		near := func(id evidence.ID) bool { return slices.Contains(chain, v.name(id)) || hands(id) == hands(asset) }
		lasts := func(id evidence.ID) bool { a, ok := v.assets[id]; return ok && a.Lasting }
		switch {
		case slices.ContainsFunc(on, near):
			return evidence.Known(false, s.On.At())
		case end.IsUnknown() && !slices.ContainsFunc(chain, lasts): // it may lie in whatever the store rests on
			apart = evidence.Unknown[bool](end.Why(), end.At())
		}
	}
	return apart
}

// hands returns the part of a target that says in whose hands it is: "aws:111122223333" of "aws:111122223333/eu-west-1".
func hands(id evidence.ID) string {
	account, _, _ := strings.Cut(id.Target(), "/")
	return account
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
		if r.Scanned && !r.Store.Lingers.IsZero() { // of what no scanner asks, nothing is asked
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
	case *evidence.Clock:
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
