package report

import (
	"cmp"
	"slices"

	"lookback/checks"
	"lookback/evidence"
)

// How much is kept in memory of a large scan: examples, of which each class of results (see Rest) has at least one.
const (
	mostResults  = 20_000 // in all
	mostOfClass  = 300
	mostOfTarget = 10   // of a class in one target
	mostClasses  = 1000 // of one check and outcome; beyond that, results of other groups are one class
	mostGaps     = 2000
	mostRows     = 5000
)

// others stands for the groups, and the reasons, beyond those of which each is kept apart.
const others = "and others, each with a reason of its own"

// Rest counts results of a large scan that are not among its Results: those of one check, outcome, group and severity or, if
// they are not assessed, reason. All of them are consequences, or none is; then all lie in development files, or none does.
type Rest struct {
	Like    checks.Result // one of Results that has all this in common with them
	Target  string        // the one in which they lie, and of which Results has some; empty for all other targets
	Targets int           // how many targets these are
	Results int
	Things  int // what they are about, as a plural line counts
	New     int // those that no baseline knows
}

// RestGaps counts gaps that are not among the Gaps: those that read like one.
type RestGaps struct {
	Like evidence.Gap
	Gaps int
}

// RestRows counts rows that are not in the Horizon: those of one activity that reach as far back as one, for its reason.
type RestRows struct {
	Like Row
	Rows int
	Kind string // of their assets; empty for several
	// Several says that they end in several places of one kind.
	Several bool
}

// A Source is evidence that is too large for memory.
type Source interface {
	checks.Source
	// Gaps hands out the gaps, in order.
	Gaps(take func(evidence.Gap) error) error
}

// A Sink takes everything that a large scan gives, as it comes. An error stops the scan.
type Sink interface {
	Result(checks.Result) error
	Gap(evidence.Gap) error
	Row(Row) error
}

// NewLarge judges a source unit by unit, gives everything to a sink, which may be nil, and keeps counts and examples.
func NewLarge(src Source, o Options, sink Sink) (*Report, error) {
	head := src.Head()
	f := &folder{
		r: newReport(head, o), sink: sink,
		results: sample[class]{all: mostResults, each: mostOfClass}, firsts: map[class]checks.Result{}, beyond: map[class]int{}, groups: map[class]int{},
		gaps: sample[evidence.Gap]{all: mostGaps, each: mostOfTarget}, restGaps: map[evidence.Gap]int{},
		rows: sample[rowClass]{all: mostRows, each: mostOfClass}, restRows: map[rowClass]int{},
	}
	f.r.Unasked, f.r.spreads = map[string]int{}, spreads{}
	if err := src.Gaps(f.gap); err != nil {
		return nil, err
	}
	var err error
	f.r.Idle, f.r.Expired, err = checks.RunUnits(src, o.Checks, o.Policy, o.Waivers, f.unit)
	if err != nil {
		return nil, err
	}
	f.r.Score = f.scorer.score()
	sortGaps(f.r.Gaps)
	chapter := map[string]int{}
	for i, c := range checks.Chapters {
		chapter[c.Name] = i
	}
	slices.SortStableFunc(f.r.Results, func(a, b checks.Result) int {
		return cmp.Or(cmp.Compare(chapter[a.Check.Chapter()], chapter[b.Check.Chapter()]), cmp.Compare(a.Check.ID, b.Check.ID), cmp.Compare(a.Subject.ID, b.Subject.ID))
	})
	return f.r, nil
}

// A folder folds what a large scan gives.
type folder struct {
	r      *Report
	sink   Sink
	scorer scorer

	results sample[class]
	firsts  map[class]checks.Result
	beyond  map[class]int // where in Rest the other targets of a class are
	groups  map[class]int // how many groups there are, by class without its group

	gaps     sample[evidence.Gap]
	restGaps map[evidence.Gap]int

	rows     sample[rowClass]
	restRows map[rowClass]int
}

// A class is what results have in common that one Rest counts.
type class struct {
	check                *checks.Check
	outcome              checks.Outcome
	severity             checks.Severity
	group                string
	reason               reason // of what is not assessed
	follows, development bool
}

type rowClass struct {
	activity    evidence.Activity
	reach       Reach
	unseen      string
	development bool
}

// A sample says how many of what comes are kept.
type sample[K comparable] struct {
	all, each int
	total     int
	kept      map[K]int
}

// room takes some of n, and says how many: of each class at least one.
func (s *sample[K]) room(of K, n, most int) int {
	if s.kept == nil {
		s.kept = map[K]int{}
	}
	n = min(n, most, s.each-s.kept[of], s.all-s.total)
	if s.kept[of] == 0 {
		n = max(n, 1)
	}
	n = max(n, 0)
	s.kept[of] += n
	s.total += n
	return n
}

// full reports whether there are so many classes that no other is kept apart.
func (s *sample[K]) full(of K, most int) bool {
	_, ok := s.kept[of]
	return !ok && len(s.kept) >= most
}

func (f *folder) unit(rs *checks.Results, set *evidence.Set) error {
	for check, n := range rs.Unasked {
		f.r.Unasked[check] += n
	}
	type spot struct {
		class
		target string
	}
	var order []spot
	by := map[spot][]*checks.Result{}
	for i := range rs.All {
		res := rs.All[i]
		f.scorer.add(res)
		f.r.name(res.Subject.ID)
		f.r.spreads.result(res)
		if f.sink != nil {
			if err := f.sink.Result(res); err != nil {
				return err
			}
		}
		at := spot{f.classOf(&res), res.Subject.ID.Target()}
		if by[at] == nil {
			order = append(order, at)
		}
		rs.All[i].Group, rs.All[i].Plural = res.Group, res.Plural
		by[at] = append(by[at], &rs.All[i])
	}
	for _, at := range order {
		f.place(at.class, at.target, by[at])
	}
	for _, g := range rs.Gaps {
		if err := f.gap(g); err != nil {
			return err
		}
	}
	for _, row := range horizon(set, rs.View) {
		if err := f.row(row); err != nil {
			return err
		}
	}
	return nil
}

// classOf says which class a result belongs to. Where there are too many groups it changes the result's.
func (f *folder) classOf(res *checks.Result) class {
	c := class{check: res.Check, outcome: res.Outcome, severity: res.Severity, follows: res.Follows != "", development: res.Development && res.Follows == ""}
	if c.outcome == checks.NotAssessed {
		c.severity = ""
	}
	whole := c
	whole.group = res.Group
	if c.outcome == checks.NotAssessed {
		whole.reason = reasonOf(*res)
	}
	if _, ok := f.results.kept[whole]; !ok {
		if f.groups[c] >= mostClasses {
			res.Group, res.Plural, whole.group = others, false, others
		} else {
			f.groups[c]++
			if f.results.kept == nil {
				f.results.kept = map[class]int{}
			}
			f.results.kept[whole] = 0
		}
	}
	return whole
}

// place takes the results of a class in one target.
func (f *folder) place(c class, target string, all []*checks.Result) {
	n := f.results.room(c, len(all), mostOfTarget)
	for _, res := range all[:n] {
		f.r.Results = append(f.r.Results, *res)
	}
	if _, ok := f.firsts[c]; !ok {
		f.firsts[c] = *all[0]
	}
	left := Rest{Like: f.firsts[c], Target: target, Targets: 1, Results: len(all) - n, Things: things(all) - things(all[:n])}
	if left.Results == 0 {
		return
	}
	for _, res := range all[n:] {
		if !f.r.known(*res) {
			left.New++
		}
	}
	if n > 0 {
		f.r.Rest = append(f.r.Rest, left)
		return
	}
	i, ok := f.beyond[c]
	if !ok {
		i = len(f.r.Rest)
		f.beyond[c] = i
		f.r.Rest = append(f.r.Rest, Rest{Like: left.Like})
	}
	rest := &f.r.Rest[i]
	rest.Targets++
	rest.Results += left.Results
	rest.Things += left.Things
	rest.New += left.New
}

func (f *folder) gap(g evidence.Gap) error {
	f.r.spreads.gap(g)
	f.r.name(g.In)
	if f.sink != nil {
		if err := f.sink.Gap(g); err != nil {
			return err
		}
	}
	like := evidence.Gap{Asked: g.Asked, Why: g.Why, Err: g.Err, Bad: g.Bad}
	if Refused(g) {
		like.At.Call = g.At.Call
	}
	if f.gaps.full(like, mostClasses) {
		g.Err, like = others, evidence.Gap{Why: g.Why, Err: others, Bad: g.Bad}
	}
	if f.gaps.room(like, 1, 1) == 1 {
		f.r.Gaps = append(f.r.Gaps, g)
		return nil
	}
	i, ok := f.restGaps[like]
	if !ok {
		i = len(f.r.RestGaps)
		f.restGaps[like] = i
		f.r.RestGaps = append(f.r.RestGaps, RestGaps{Like: g})
	}
	f.r.RestGaps[i].Gaps++
	return nil
}

func (f *folder) row(row Row) error {
	if f.sink != nil {
		if err := f.sink.Row(row); err != nil {
			return err
		}
	}
	like := rowClass{row.Activity, row.Reach.alike(), unseen(row), row.Development}
	if f.rows.full(like, mostClasses) {
		row.Ends, row.Like = others, ""
		like.reach = row.Reach
	}
	if f.rows.room(like, 1, 1) == 1 {
		f.r.Horizon = append(f.r.Horizon, row)
		return nil
	}
	i, ok := f.restRows[like]
	if !ok {
		i = len(f.r.RestRows)
		f.restRows[like] = i
		f.r.RestRows = append(f.r.RestRows, RestRows{Like: row, Kind: row.Asset.Kind})
	}
	rest := &f.r.RestRows[i]
	rest.Rows++
	rest.Several = rest.Several || row.Ends != rest.Like.Ends
	if rest.Kind != row.Asset.Kind {
		rest.Kind = ""
	}
	return nil
}
