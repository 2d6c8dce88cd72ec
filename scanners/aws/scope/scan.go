package scope

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"lookback/evidence"
)

// A Scan is what the accounts of one scan share. It may be used by several goroutines.
type Scan struct {
	mu     sync.Mutex
	shared map[string]sharedRecord
	places map[Place]bool // whether it was returned by Buckets
	owners map[string]owner
}

type sharedRecord struct {
	evidence.Record
	rank, by string
}

type owner struct {
	account *Account
	region  string
}

// NewScan returns a scan in which nothing was read.
func NewScan() *Scan {
	return &Scan{shared: map[string]sharedRecord{}, places: map[Place]bool{}, owners: map[string]owner{}}
}

func (s *Scan) share(r evidence.Record, owner, by string) {
	rank := "1"
	if owner == by {
		rank = "0"
	}
	key := string(r.Self().ID)
	s.mu.Lock()
	defer s.mu.Unlock()
	had, ok := s.shared[key]
	if !ok || cmp.Or(strings.Compare(rank, had.rank), strings.Compare(by, had.by)) < 0 {
		s.shared[key] = sharedRecord{r, rank, by}
	}
}

func (s *Scan) place(p Place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.places[p]; !known {
		s.places[p] = false
	}
}

func (s *Scan) own(a *Account, regions map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, region := range regions {
		s.owners[name] = owner{a, region}
	}
}

// Shared returns the records that several accounts saw, each once, in order of ID.
func (s *Scan) Shared() []evidence.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []evidence.Record
	for _, key := range slices.Sorted(maps.Keys(s.shared)) {
		out = append(out, s.shared[key].Record)
	}
	return out
}

// A Bucket is one that takes logs and whose owner is scanned, with what was said of it.
type Bucket struct {
	Name   string
	Places []Place // in order
	// In is the scope of the bucket's region in its owner's account.
	In *Scope
}

// Buckets returns the buckets that take logs, whose owner was scanned, and that it did not return before, in order of name,
// and what takes what is found there: it belongs to no account. Reading them may find more, to which they are copied.
func (s *Scan) Buckets() (buckets []Bucket, take func() *evidence.Set) {
	s.mu.Lock()
	defer s.mu.Unlock()
	by := map[string][]Place{}
	for p, returned := range s.places {
		if !returned {
			by[p.Bucket] = append(by[p.Bucket], p)
			s.places[p] = true
		}
	}
	late := map[*Account]*Account{}
	for _, name := range slices.Sorted(maps.Keys(by)) {
		o, ok := s.owners[name]
		if !ok {
			continue
		}
		if late[o.account] == nil {
			late[o.account] = s.NewAccount(o.account.base)
		}
		places := by[name]
		slices.SortFunc(places, func(a, b Place) int {
			return cmp.Or(cmp.Compare(a.Prefix, b.Prefix), cmp.Compare(a.Key, b.Key), cmp.Compare(a.KeyAccount, b.KeyAccount), cmp.Compare(a.KeyRegion, b.KeyRegion))
		})
		buckets = append(buckets, Bucket{name, places, late[o.account].InRegion(o.region)})
	}
	return buckets, func() *evidence.Set {
		all := &evidence.Set{}
		for _, a := range late {
			one := a.Take()
			all.Records = append(all.Records, one.Records...)
			all.Gaps = append(all.Gaps, one.Gaps...)
		}
		all.Sort()
		return all
	}
}

// An Account is one account while it is read: it collects what its services find.
type Account struct {
	scan  *Scan
	base  Scope
	mu    sync.Mutex
	set   evidence.Set
	told  map[evidence.ID][]func(*evidence.Asset)
	after []func(context.Context)
	areas map[string]*region
	memo  sync.Map
	// shared is what the account gave to [Scope.Shared].
	shared []evidence.Record
}

type region struct {
	groups map[string]Group
	listed map[string]error
}

// NewAccount begins to read an account. Base is its scope in the region that answers for what belongs to no region.
func (s *Scan) NewAccount(base Scope) *Account {
	return &Account{scan: s, base: base, told: map[evidence.ID][]func(*evidence.Asset){}, areas: map[string]*region{}}
}

// Whole is the scope of what belongs to no region.
func (a *Account) Whole() *Scope {
	s := a.base
	s.account, s.Global = a, true
	return &s
}

// InRegion is the scope of a region.
func (a *Account) InRegion(name string) *Scope {
	s := a.base
	s.account, s.Global, s.Region = a, false, name
	s.Config = a.base.Config.Copy()
	s.Config.Region = name
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.areas[name] == nil {
		a.areas[name] = &region{listed: map[string]error{}}
	}
	s.region = a.areas[name]
	return &s
}

// RunAfter runs what services left for the end.
func (a *Account) RunAfter(ctx context.Context) {
	var wg sync.WaitGroup
	for _, do := range a.after {
		wg.Go(func() { do(ctx) })
	}
	wg.Wait()
	a.after = nil
}

// Shared returns what the account said of what several see, whoever else said more.
func (a *Account) Shared() []evidence.Record {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.shared)
}

// Take returns what was found, and forgets it.
func (a *Account) Take() *evidence.Set {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.set.Records {
		if asset, ok := r.(*evidence.Asset); ok {
			for _, change := range a.told[asset.ID] {
				change(asset)
			}
		}
	}
	set := a.set
	set.Sort()
	set.Records = append(set.Records, led(set.Records)...)
	set.Sort()
	a.set, a.told = evidence.Set{}, map[evidence.ID][]func(*evidence.Asset){}
	a.areas = map[string]*region{}
	a.memo.Clear()
	a.shared = nil
	return &set
}

func (a *Account) record(r evidence.Record) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.set.Record(r)
}

func (a *Account) gap(g evidence.Gap) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.set.Gap(g)
}

func (a *Account) look(id evidence.ID, change func(*evidence.Asset)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told[id] = append(a.told[id], change)
}

func (a *Account) later(do func(context.Context)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.after = append(a.after, do)
}
