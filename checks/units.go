package checks

import (
	"cmp"
	"hash/maphash"
	"math"
	"slices"

	"lookback/evidence"
)

// A Source gives the records of a scan that is too large for memory: a unit at a time, which is a part of it in which all
// IDs have their [evidence.ID.Unit] to themselves, as often as they are asked for.
type Source interface {
	// Head is everything but Records and Gaps.
	Head() *evidence.Set
	// Units is how many units there are. Unit returns the records of one, in order; one unit after the other gives all of
	// them in order.
	Units() int
	Unit(n int) ([]evidence.Record, error)
}

// RunUnits judges a source one unit at a time, and hands out the results of each, with the set of its records: what comes
// out is what Run gives for all at once, unit by unit. Idle and Expired waivers it returns at the end.
//
// A record that names another unit, or is named by one, is held in memory for all of them: see keeper.
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
	err = ahead(src, every(src), func(n int, records []evidence.Record) error {
		set := *head
		set.Records, set.Gaps = records, nil
		leave := k.enter(v, n, &set)
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
// View of everything. It keeps
//
//   - what names another unit, and what is named by a name that it has in another unit
//   - what something kept names: what holds it, what it covers, the stores that it delivers to, what they rest on
//   - what delivers to a store that something kept names: who writes to it is asked from other units
//   - what covers, or has an alarm on, an asset that holds something of another unit, or under which a store of another
//     unit is read: it is asked with that
//
// until nothing is added. In an organisation these are the organisation, the accounts and regions that its trail covers, the
// trail, the central buckets, and whatever delivers to them.
type keeper struct {
	src   Source
	seed  maphash.Seed
	named map[uint64]struct{} // hashes of IDs: one too many only keeps a record too many
	held  map[uint64]struct{} // of assets that hold something of another unit, by all their names
	units map[string]int      // which unit an ID lies in, by its Unit
	kept  map[int]map[int]evidence.Record
	dirty map[int]bool            // units for which something was named since they were looked at
	alias map[string]map[int]bool // units with assets that go by a name in another one, by that other one
	unit  int                     // the one that is looked at
	grown bool                    // something was named since it was
	at    map[evidence.Record]int64
}

func keep(src Source) (*keeper, error) {
	k := &keeper{
		src: src, seed: maphash.MakeSeed(), named: map[uint64]struct{}{}, held: map[uint64]struct{}{}, units: map[string]int{},
		kept: map[int]map[int]evidence.Record{}, dirty: map[int]bool{}, alias: map[string]map[int]bool{}, unit: -1, at: map[evidence.Record]int64{},
	}
	k.with()
	err := ahead(src, every(src), func(n int, records []evidence.Record) error {
		last := ""
		for _, r := range records {
			unit := r.Self().ID.Unit()
			if unit != last {
				k.units[unit], last = n, unit
			}
			if a, ok := r.(*evidence.Asset); ok {
				for _, also := range a.Also {
					if other := also.Unit(); other != unit {
						if k.alias[other] == nil {
							k.alias[other] = map[int]bool{}
							if m, ok := k.units[other]; ok { // what it names may be in another unit after all
								k.stale(m)
							}
						}
						k.alias[other][n] = true
					}
				}
			}
		}
		k.look(n, records)
		return nil
	})
	for k.with(); err == nil && len(k.dirty) > 0; k.with() {
		var again []int
		for n := range k.dirty {
			again = append(again, n)
		}
		slices.Sort(again)
		clear(k.dirty)
		err = ahead(src, again, func(n int, records []evidence.Record) error {
			k.look(n, records)
			return nil
		})
	}
	return k, err
}

// with takes in what the records name that were brought along, which are all kept.
func (k *keeper) with() {
	for n := -1; n < len(k.named)+len(k.held); {
		n = len(k.named) + len(k.held)
		for _, r := range k.src.Head().With {
			k.names(r)
		}
	}
}

// look keeps what is to be kept of a unit, until nothing is added.
func (k *keeper) look(n int, records []evidence.Record) {
	delete(k.dirty, n)
	k.unit = n
	for k.grown = true; k.grown; {
		k.grown = false
		for i, r := range records {
			if had := k.kept[n][i]; had != nil {
				k.names(had)
				continue
			}
			if !k.wants(r) {
				continue
			}
			if k.kept[n] == nil {
				k.kept[n] = map[int]evidence.Record{}
			}
			k.kept[n][i] = r
			k.names(r)
		}
	}
	k.unit = -1
}

// wants reports whether a record is to be kept.
func (k *keeper) wants(r evidence.Record) bool {
	id := r.Self().ID
	home := id.Unit()
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
	refers(r, func(id evidence.ID, asset bool) {
		foreign = foreign || id.Unit() != home || asset && len(k.alias[home]) > 0
	})
	return foreign
}

// names takes in what a record that is kept names, and what it holds.
func (k *keeper) names(r evidence.Record) {
	id := r.Self().ID
	k.add(k.named, id)
	refers(r, func(id evidence.ID, asset bool) {
		if k.add(k.named, id) && asset {
			for n := range k.alias[id.Unit()] {
				k.stale(n)
			}
		}
	})
	if store, ok := r.(*evidence.LogStore); ok && store.As != "" {
		k.add(k.held, store.As) // what covers it is asked with the store
	}
	a, ok := r.(*evidence.Asset)
	if !ok {
		return
	}
	for _, also := range a.Also {
		k.add(k.named, also)
	}
	in, known := a.In.Get()
	if known && in.Unit() != id.Unit() {
		k.add(k.held, in)
	}
	if k.has(k.held, id) || slices.ContainsFunc(a.Also, func(also evidence.ID) bool { return k.has(k.held, also) || also.Unit() != id.Unit() }) {
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

// add reports whether an ID is new to a set.
func (k *keeper) add(set map[uint64]struct{}, id evidence.ID) bool {
	hash := maphash.String(k.seed, string(id))
	if _, ok := set[hash]; ok {
		return false
	}
	set[hash] = struct{}{}
	if n, ok := k.units[id.Unit()]; ok {
		k.stale(n)
	}
	return true
}

// stale has a unit looked at again: something in it was named since it was.
func (k *keeper) stale(n int) {
	if n == k.unit {
		k.grown = true
	} else {
		k.dirty[n] = true
	}
}

// refers hands out every ID that a record refers to, and whether it is that of an asset. The other names of an asset are
// its own.
func refers(r evidence.Record, name func(id evidence.ID, asset bool)) {
	assets := func(ids ...evidence.ID) {
		for _, id := range ids {
			name(id, true)
		}
	}
	to := func(ds []evidence.Delivery) {
		for i := range ds {
			name(ds[i].To, false)
		}
	}
	switch r := r.(type) {
	case *evidence.Asset:
		if in, known := r.In.Get(); known {
			assets(in)
		}
	case *evidence.LogSource:
		assets(r.Covers...)
		to(r.To)
	case *evidence.LogStore:
		on, _ := r.On.Get()
		assets(on...)
		if r.As != "" {
			assets(r.As)
		}
		to(r.To)
	case *evidence.Access:
		assets(r.Of)
	case *evidence.Alarm:
		assets(r.On...)
	case *evidence.Clock:
		assets(r.Of)
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

// enter adds the records of a unit to the view, and has it asked about them.
func (k *keeper) enter(v *View, n int, set *evidence.Set) (leave func()) {
	own := make([]evidence.Record, 0, len(set.Records))
	for i, r := range set.Records {
		if kept := k.kept[n][i]; kept != nil {
			set.Records[i] = kept
			continue
		}
		switch r.(type) {
		case *evidence.LogSource, *evidence.Alarm:
			k.at[r] = place(n, i)
		}
		own = append(own, r)
	}
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
	wanted := map[evidence.ID]bool{}
	units := map[int]bool{}
	want := func(id evidence.ID) {
		wanted[id] = true
		if n, ok := k.units[id.Unit()]; ok {
			units[n] = true
		}
	}
	for store, writers := range v.writers {
		home, ok := k.units[store.Unit()]
		if !ok {
			continue
		}
		for _, w := range writers {
			n, ok := k.units[w.ID.Unit()]
			if ok && n == home && !slices.ContainsFunc(w.Covers, func(id evidence.ID) bool { return k.units[id.Unit()] != home }) {
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
					if id.Unit() != s.ID.Unit() {
						want(id)
					}
				}
			}
		}
	}
	var look []int
	for n := range units {
		look = append(look, n)
	}
	slices.Sort(look)
	err := ahead(k.src, look, func(n int, records []evidence.Record) error {
		set := &evidence.Set{Records: records}
		leave := k.enter(v, n, set)
		defer leave()
		set.Records = slices.DeleteFunc(slices.Clone(set.Records), func(r evidence.Record) bool { return !wanted[r.Self().ID] })
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
