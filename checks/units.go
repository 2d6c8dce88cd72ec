package checks

import (
	"cmp"
	"hash/maphash"
	"math"
	"slices"
	"strings"

	"lookback/evidence"
)

// A Source gives the records of a scan that is too large for memory: a unit at a time, as often as they are asked for. A unit
// has all IDs of an [evidence.ID.Unit]; what belongs to no account, such as a place in a bucket, is best a unit by itself: see
// nameOf.
type Source interface {
	// Head is everything but Records and Gaps.
	Head() *evidence.Set
	// Units is how many units there are. Unit returns the records of one, in order; one unit after the other gives all of
	// them in order. The caller may change what it gets.
	Units() int
	Unit(n int) ([]evidence.Record, error)
}

// RunUnits judges a source a unit or a few at a time, and hands out the results of these, with the set of their records: what
// comes out is what Run gives for all at once. Idle and Expired waivers it returns at the end.
//
// What belongs to no account and has to do with one alone is judged with that: see homes. Otherwise a record that names another
// unit, or is named by one, is held in memory for all of them: see keeper.
func RunUnits(src Source, all []*Check, p Policy, waivers []evidence.Waiver, each func(*Results, *evidence.Set) error) (idle, expired []evidence.Waiver, err error) {
	k, err := keep(src)
	if err != nil {
		return nil, nil, err
	}
	v := k.view(p)
	others, err := k.failures(v, all)
	if err != nil {
		return nil, nil, err
	}
	head := src.Head()
	w := newWaiving(slices.Concat(head.Waivers, waivers), head.Ended)
	named := map[evidence.ID]bool{}
	err = k.together(k.groups(nil), func(units []int, records [][]evidence.Record) error {
		set := *head
		set.Records, set.Gaps = nil, nil
		leave := k.enter(v, units, records, &set)
		defer leave()
		out := judge(v, all)
		out.Gaps = v.unscanned(named)
		out.order()
		out.follow(v, others)
		w.waive(out.All)
		return each(out, &set)
	})
	return w.idle(), w.expired, err
}

func every(src Source) []int {
	out := make([]int, src.Units())
	for i := range out {
		out[i] = i
	}
	return out
}

// together reads groups of units, and hands out the records of each group.
func (k *keeper) together(groups [][]int, do func(units []int, records [][]evidence.Record) error) error {
	var got [][]evidence.Record
	return ahead(k.src, slices.Concat(groups...), func(_ int, records []evidence.Record) error {
		if got = append(got, records); len(got) < len(groups[0]) {
			return nil
		}
		units, all := groups[0], got
		groups, got = groups[1:], nil
		return do(units, all)
	})
}

// ahead reads units, each while the one before it is worked on.
func ahead(src Source, units []int, do func(n int, records []evidence.Record) error) error {
	type unit struct {
		records []evidence.Record
		err     error
	}
	read, stop := make(chan unit), make(chan struct{})
	defer close(stop)
	go func() {
		for _, n := range units {
			records, err := src.Unit(n)
			select {
			case read <- unit{records, err}:
			case <-stop:
				return
			}
		}
	}()
	for _, n := range units {
		u := <-read
		if u.err != nil {
			return u.err
		}
		if err := do(n, u.records); err != nil {
			return err
		}
	}
	return nil
}

// A keeper finds the records that units have in common, so that a View of one unit and of these gives the answers of a
// View of everything. What is at home in one place counts as one unit. It keeps
//
//   - what covers, watches or writes to something of another unit, for that is asked from there
//   - what any record names in another unit: what it lies in, rests on or is about, what is covered and written to; also by a
//     name that it has in another unit
//   - what something kept names: what holds it, what it covers, the stores that it delivers to, what they rest on
//   - what delivers to a store that something kept names: who writes to it is asked from other units
//   - what covers, or has an alarm on, an asset that holds something of another unit, or under which a store of another
//     unit is read: it is asked with that
//
// until nothing is added. In an organisation these are the organisation, the accounts and regions that its trail covers, the
// trail, the central buckets, and whatever delivers to the same place in one as others do.
type keeper struct {
	homes
	src     Source
	named   map[uint64]struct{} // hashes of IDs: one too many only keeps a record too many
	held    map[uint64]struct{} // of assets that hold something of another unit, by all their names
	read    map[uint64]struct{} // of assets of which is asked what was looked for on them
	alias   map[uint64][]int    // units with assets that go by a name in another one, by the hash of that name
	units   map[uint64]int      // which unit a name lies in
	names   [][]name            // the names that lie in a unit, which are several where "a-b" lies among "a"
	kept    []map[int]evidence.Record
	at      map[evidence.Record]int64
	strings map[string]string // those of kept assets
	now     int               // counts what was named
	changed map[uint64]int    // when something was named, by where it is at home
	looked  []int             // when a unit was looked at
}

func keep(src Source) (*keeper, error) {
	n := src.Units()
	k := &keeper{
		homes: homes{seed: maphash.MakeSeed(), owner: map[uint64]uint64{}, up: map[uint64]uint64{}, below: map[uint64][]uint64{}},
		src:   src, named: map[uint64]struct{}{}, held: map[uint64]struct{}{}, read: map[uint64]struct{}{}, strings: map[string]string{}, alias: map[uint64][]int{}, units: map[uint64]int{},
		names: make([][]name, n), kept: make([]map[int]evidence.Record, n), at: map[evidence.Record]int64{},
		changed: map[uint64]int{}, looked: make([]int, n),
	}
	k.moved = k.touch
	k.brought()
	err := ahead(src, every(src), func(n int, records []evidence.Record) error {
		k.meet(n, records)
		if len(records) > 0 && k.names[n][0].free {
			k.looked[n] = -1 // for where it is at home is not known yet
		} else {
			k.look(n, records)
		}
		return nil
	})
	for err == nil {
		k.brought()
		again := slices.DeleteFunc(every(src), func(n int) bool { return !k.stale(n) })
		if len(again) == 0 {
			break
		}
		err = ahead(src, again, func(n int, records []evidence.Record) error {
			k.look(n, records)
			return nil
		})
	}
	for n := range k.names { // what is at home with names of which there is no record
		for _, one := range k.names[n] {
			if home := k.home(one); !k.lies(home) {
				k.units[home] = n
			}
		}
	}
	return k, err
}

// brought takes in what the records name that were brought along, which are all kept.
func (k *keeper) brought() {
	for n := -1; n < len(k.named)+len(k.held); {
		n = len(k.named) + len(k.held)
		for _, r := range k.src.Head().With {
			k.take(r)
		}
	}
}

// meet takes in which names lie in a unit, and what has to do with what.
func (k *keeper) meet(n int, records []evidence.Record) {
	last := ""
	for _, r := range records {
		id := r.Self().ID
		text, free := nameOf(id)
		if text != last {
			last = text
			one := k.name(id)
			k.units[one.hash] = n
			k.names[n] = append(k.names[n], one)
			k.link(records[0].Self().ID, id)
		}
		refers(r, func(other evidence.ID, how reference) {
			if how.asked() {
				k.link(id, other)
			}
		})
		switch r := r.(type) {
		case *evidence.Asset:
			for _, also := range r.Also {
				k.link(id, also)
			}
		case *evidence.LogSource:
			if free { // the first source that names a store which nobody scanned tells of it
				k.own(k.top(k.name(id).hash), 0)
			}
		}
	}
}

// look keeps what is to be kept of a unit, until nothing is added.
func (k *keeper) look(n int, records []evidence.Record) {
	for again := true; again; again = k.stale(n) {
		k.looked[n] = k.now
		for i, r := range records {
			k.aliases(n, r)
			had := k.kept[n][i]
			if had == nil && !k.wants(r) {
				k.note(r)
				continue
			}
			if a, ok := r.(*evidence.Asset); ok && !k.whole(a) {
				if had == nil {
					had = k.lean(a)
				}
				r = had
			}
			if k.kept[n] == nil {
				k.kept[n] = map[int]evidence.Record{}
			}
			k.kept[n][i] = r
			k.take(r)
		}
	}
}

// note takes in what a record that is not kept names in other units.
func (k *keeper) note(r evidence.Record) {
	id := r.Self().ID
	refers(r, func(other evidence.ID, how reference) {
		if !k.foreign(id, other, how) {
			return
		}
		k.add(k.named, other)
		if how == lies || how == readAs {
			k.add(k.held, other)
		}
		if how == readAs {
			k.add(k.read, other)
		}
	})
}

// whole reports whether more is asked of a kept asset than what a lean one says.
func (k *keeper) whole(a *evidence.Asset) bool {
	return k.has(k.read, a.ID) || slices.ContainsFunc(a.Also, func(id evidence.ID) bool { return k.has(k.read, id) })
}

// lean is an asset as it is kept, which may be of every region of every account: without what was looked for on it, and
// without the line of text that its strings are a part of.
func (k *keeper) lean(a *evidence.Asset) *evidence.Asset {
	text := func(s string) string {
		own, ok := k.strings[s]
		if !ok {
			own = strings.Clone(s)
			k.strings[own] = own
		}
		return own
	}
	origin := func(o evidence.Origin) evidence.Origin {
		o.File, o.Call, o.Of, o.Note, o.Fix = text(o.File), text(o.Call), text(o.Of), text(o.Note), text(o.Fix)
		return o
	}
	out := &evidence.Asset{
		Subject: evidence.Subject{ID: evidence.ID(text(string(a.ID))), Kind: text(a.Kind), Name: text(a.Name), At: origin(a.At)},
		Host:    a.Host, Lasting: a.Lasting, Development: a.Development,
		In:      at(a.In, origin, func(id evidence.ID) evidence.ID { return evidence.ID(text(string(id))) }),
		Lingers: at(a.Lingers, origin, func(n int64) int64 { return n }),
	}
	for _, id := range a.Also {
		out.Also = append(out.Also, evidence.ID(text(string(id))))
	}
	return out
}

// at changes the text of a fact.
func at[T any](v evidence.Value[T], origin func(evidence.Origin) evidence.Origin, change func(T) T) evidence.Value[T] {
	is, known := v.Get()
	switch {
	case v.IsZero():
		return v
	case known:
		return evidence.Known(change(is), origin(v.At()))
	case v.IsMoot():
		return evidence.Moot[T](origin(v.At()))
	default:
		return evidence.Unknown[T](v.Why(), origin(v.At()))
	}
}

// aliases takes in the names that an asset has in other units.
func (k *keeper) aliases(n int, r evidence.Record) {
	a, ok := r.(*evidence.Asset)
	if !ok {
		return
	}
	for _, also := range a.Also {
		if !k.apart(a.ID, also) {
			continue
		}
		hash := maphash.String(k.seed, string(also))
		if !slices.Contains(k.alias[hash], n) {
			k.alias[hash] = append(k.alias[hash], n)
			k.touch(k.of(also)) // what it names may be in another unit after all
		}
	}
}

// touch has what is at home in a place looked at again: something of it was named, or it is not the same place.
func (k *keeper) touch(home uint64) {
	k.now++
	k.changed[home] = k.now
}

// stale reports whether a unit is to be looked at again.
func (k *keeper) stale(n int) bool {
	return slices.ContainsFunc(k.names[n], func(one name) bool { return k.changed[k.home(one)] > k.looked[n] })
}

func (k *keeper) lies(home uint64) bool {
	_, ok := k.units[home]
	return ok
}

// wants reports whether a record is to be kept.
func (k *keeper) wants(r evidence.Record) bool {
	id := r.Self().ID
	if k.has(k.named, id) {
		return true
	}
	is := func(set map[uint64]struct{}) func(evidence.ID) bool {
		return func(id evidence.ID) bool { return k.has(set, id) }
	}
	to := func(d evidence.Delivery) bool { return k.has(k.named, d.To) }
	switch r := r.(type) {
	case *evidence.Asset:
		if slices.ContainsFunc(r.Also, is(k.named)) {
			return true
		}
	case *evidence.LogSource:
		if slices.ContainsFunc(r.To, to) || slices.ContainsFunc(r.Covers, is(k.held)) {
			return true
		}
	case *evidence.LogStore:
		if slices.ContainsFunc(r.To, to) {
			return true
		}
	case *evidence.Alarm:
		if slices.ContainsFunc(r.On, is(k.held)) {
			return true
		}
	}
	foreign := false
	refers(r, func(other evidence.ID, how reference) {
		foreign = foreign || how.asked() && k.foreign(id, other, how)
	})
	return foreign
}

// foreign reports whether what a record names lies in another unit.
func (k *keeper) foreign(id, other evidence.ID, how reference) bool {
	return k.apart(id, other) || how.asset() && len(k.elsewhere(other)) > 0
}

// elsewhere returns the units that have an asset with this name, which lies in another one.
func (k *keeper) elsewhere(id evidence.ID) []int {
	if len(k.alias) == 0 {
		return nil
	}
	return k.alias[maphash.String(k.seed, string(id))]
}

// take takes in what a record that is kept names, and what it holds.
func (k *keeper) take(r evidence.Record) {
	id := r.Self().ID
	k.add(k.named, id)
	refers(r, func(other evidence.ID, how reference) {
		k.add(k.named, other)
		if how == readAs {
			k.add(k.held, other) // what covers it is asked with the store
			k.add(k.read, other)
		}
	})
	a, ok := r.(*evidence.Asset)
	if !ok {
		return
	}
	for _, also := range a.Also {
		k.add(k.named, also)
	}
	in, known := a.In.Get()
	if known && k.apart(in, id) {
		k.add(k.held, in)
	}
	if k.has(k.held, id) || slices.ContainsFunc(a.Also, func(also evidence.ID) bool { return k.has(k.held, also) || k.apart(also, id) }) {
		k.add(k.held, id)
		for _, also := range a.Also {
			k.add(k.held, also)
		}
		if known {
			k.add(k.held, in)
		}
	}
}

func (k *keeper) has(set map[uint64]struct{}, id evidence.ID) bool {
	if len(set) == 0 {
		return false
	}
	_, ok := set[maphash.String(k.seed, string(id))]
	return ok
}

// add adds an ID to a set. What has to do with it is looked at again, if it is new.
func (k *keeper) add(set map[uint64]struct{}, id evidence.ID) {
	hash := maphash.String(k.seed, string(id))
	if _, ok := set[hash]; ok {
		return
	}
	set[hash] = struct{}{}
	k.touch(k.of(id))
	for _, n := range k.alias[hash] {
		for _, one := range k.names[n] {
			k.touch(k.home(one))
		}
	}
}

// A reference is how a record names something.
type reference int

const (
	covers reference = iota // or watches: an asset, of which it is asked by what
	writes                  // a store, of which it is asked by what
	lies                    // in an asset
	readAs                  // an asset, of which more is asked with a store
	about                   // an asset, or resting on one
)

// asked reports whether it is asked, of what is named, what names it.
func (how reference) asked() bool { return how == covers || how == writes }
func (how reference) asset() bool { return how != writes }

// refers hands out every ID that a record refers to. The other names of an asset are its own.
func refers(r evidence.Record, name func(evidence.ID, reference)) {
	assets := func(how reference, ids ...evidence.ID) {
		for _, id := range ids {
			name(id, how)
		}
	}
	to := func(ds []evidence.Delivery) {
		for i := range ds {
			name(ds[i].To, writes)
		}
	}
	switch r := r.(type) {
	case *evidence.Asset:
		if in, known := r.In.Get(); known {
			name(in, lies)
		}
	case *evidence.LogSource:
		assets(covers, r.Covers...)
		to(r.To)
	case *evidence.LogStore:
		on, _ := r.On.Get()
		assets(about, on...)
		if r.As != "" {
			name(r.As, readAs)
		}
		to(r.To)
	case *evidence.Access:
		name(r.Of, about)
	case *evidence.Alarm:
		assets(covers, r.On...)
	case *evidence.Clock:
		name(r.Of, about)
	}
}

// view joins what is kept.
func (k *keeper) view(p Policy) *View {
	head := k.src.Head()
	v := NewView(&evidence.Set{Ended: head.Ended}, p)
	var all []evidence.Record
	for n, kept := range k.kept {
		for i, r := range kept {
			k.at[r] = place(n, i)
			all = append(all, r)
		}
	}
	for i, r := range head.With {
		k.at[r] = place(math.MaxInt32, i)
		all = append(all, r)
	}
	slices.SortFunc(all, k.before)
	v.join(all, nil)
	return v
}

// place is where a record stands among all.
func place(unit, i int) int64 { return int64(unit)<<32 | int64(i) }

func (k *keeper) before(a, b evidence.Record) int { return cmp.Compare(k.at[a], k.at[b]) }

// groups are the units that are judged together, in order: those of which any is wanted, or all. One is judged in the place of
// the unit of an account in it.
func (k *keeper) groups(wanted map[int]bool) [][]int {
	by := make([][]int, len(k.names))
	for n, names := range k.names {
		if len(names) > 0 {
			home := k.units[k.home(names[0])]
			by[home] = append(by[home], n)
		}
	}
	out := by[:0]
	for n, units := range by {
		if len(units) > 0 && (wanted == nil || wanted[n]) {
			out = append(out, units)
		}
	}
	return out
}

// enter puts the records of units that are judged together into a set, adds them to the view, and has it asked about them.
func (k *keeper) enter(v *View, units []int, records [][]evidence.Record, set *evidence.Set) (leave func()) {
	var own []evidence.Record
	for g, n := range units {
		own = slices.Grow(own, len(records[g]))
		for i, r := range records[g] {
			switch r.(type) {
			case *evidence.Asset: // in the place of a lean one
			case *evidence.LogSource, *evidence.Alarm:
				if k.kept[n][i] != nil {
					continue
				}
				k.at[r] = place(n, i)
			default:
				if k.kept[n][i] != nil {
					continue
				}
			}
			own = append(own, r)
		}
	}
	set.Records = slices.Concat(records...)
	was := v.set
	v.set = set
	out := v.join(own, k.before)
	return func() {
		out()
		v.set = was
		for _, r := range own {
			delete(k.at, r)
		}
	}
}

// failures are those of what is kept that may explain a failure in another unit: of a source that writes to a store there,
// and of the assets that it covers.
func (k *keeper) failures(v *View, all []*Check) (failures, error) {
	var before []*Check
	for _, c := range all {
		if slices.ContainsFunc(all, func(d *Check) bool { return slices.Contains(d.After, c.ID) }) {
			before = append(before, c)
		}
	}
	out := failures{}
	if len(before) == 0 {
		return out, nil
	}
	wanted, groups := map[evidence.ID]bool{}, map[int]bool{}
	want := func(id evidence.ID) {
		wanted[id] = true
		if n, ok := k.units[k.of(id)]; ok {
			groups[n] = true
		}
	}
	for store, writers := range v.writers {
		if !k.lies(k.of(store)) {
			continue
		}
		for _, w := range writers {
			if k.lies(k.of(w.ID)) && !k.apart(w.ID, store) && !slices.ContainsFunc(w.Covers, func(id evidence.ID) bool { return k.apart(id, store) }) {
				continue
			}
			want(w.ID)
			for _, id := range w.Covers {
				want(id)
			}
		}
	}
	for _, kept := range k.kept {
		for _, r := range kept { // a source is explained by what it covers, wherever that is
			if s, ok := r.(*evidence.LogSource); ok {
				for _, id := range s.Covers {
					if k.apart(id, s.ID) {
						want(id)
					}
				}
			}
		}
	}
	if len(groups) == 0 {
		return out, nil
	}
	err := k.together(k.groups(groups), func(units []int, records [][]evidence.Record) error {
		set := &evidence.Set{}
		leave := k.enter(v, units, records, set)
		defer leave()
		set.Records = slices.DeleteFunc(set.Records, func(r evidence.Record) bool { return !wanted[r.Self().ID] })
		for _, c := range before {
			c.Judge(v, func(s evidence.Subject, verdict Verdict) {
				if verdict = c.settle(verdict); verdict.Outcome == Fail {
					out.add(c.ID, s.ID, verdict.Because.At())
				}
			})
		}
		return nil
	})
	return out, err
}
