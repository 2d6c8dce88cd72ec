package checks

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"lookback/evidence"
)

// A memory is a source that lies in memory: each name that IDs are judged by is a unit.
type memory struct {
	head  evidence.Set
	units [][]evidence.Record
	fails int // the unit that cannot be read
}

func (m memory) Head() *evidence.Set { return &m.head }
func (m memory) Units() int          { return len(m.units) }
func (m memory) Unit(n int) ([]evidence.Record, error) {
	if n+1 == m.fails {
		return nil, errors.New("the disk is gone")
	}
	return slices.Clone(m.units[n]), nil
}

func sourceOf(set *evidence.Set) memory {
	return cut(set, func(id evidence.ID) string {
		name, _ := nameOf(id)
		return name
	})
}

// cut makes a source whose units have what is named alike.
func cut(set *evidence.Set, name func(evidence.ID) string) memory {
	m := memory{head: *set}
	m.head.Records, m.head.Gaps = nil, nil
	last := ""
	for _, r := range set.Records {
		if unit := name(r.Self().ID); unit != last {
			m.units, last = append(m.units, nil), unit
		}
		m.units[len(m.units)-1] = append(m.units[len(m.units)-1], r)
	}
	return m
}

// nosy are checks whose verdicts say everything that a View can tell of a record.
func nosy() []*Check {
	ids := func(sources []evidence.LogSource) string {
		text := ""
		for _, s := range sources {
			text += string(s.ID) + ";"
		}
		return text
	}
	say := func(id evidence.ID, format string, args ...any) Verdict {
		at := evidence.Known(true, evidence.Origin{Of: string(id)})
		verdict := Failed(at, "%s", fmt.Sprintf(format, args...))
		if len(verdict.Message)%3 == 0 {
			verdict.Outcome = Pass
		}
		if len(verdict.Message)%7 == 0 {
			return NotKnown(evidence.Unknown[bool](evidence.Failed, evidence.Origin{}))
		}
		return verdict
	}
	source := func(v *View, s evidence.LogSource) Verdict {
		text := ""
		for _, r := range v.Reached(s) {
			text += fmt.Sprintf("%s %v written %s lasts %v outlives %v leaves %v fleeting %v;", r.Store.ID, r.Scanned, ids(v.Writers(r.Store.ID)), v.Lasts(r.Store),
				v.Outlives(r.Store, s), v.Leaves(r.Store, s), v.Fleeting(s))
		}
		return say(s.ID, "%s stays %v ends %v %v", text, v.Stays(s), v.CanEnd(s), v.OnMachine(s))
	}
	return []*Check{
		{ID: "recorded-about", Severity: High, Judge: About(evidence.Application, func(v *View, a evidence.Asset, sources []evidence.LogSource) Verdict {
			alarms, end := v.Alarms(a.ID)
			text := ""
			for _, one := range alarms {
				text += string(one.ID) + ";"
			}
			for _, s := range sources {
				text += source(v, s).Message
			}
			return say(a.ID, "%s is recorded by %s, alarms %s, %v", a.ID, ids(sources), text, end)
		})},
		{ID: "recorded-source", Severity: Low, After: []string{"recorded-about"}, Judge: Each(source)},
		{ID: "retained-store", Severity: Medium, After: []string{"recorded-source", "recorded-about"}, Judge: Each(func(v *View, s evidence.LogStore) Verdict {
			text := ""
			for _, w := range v.Writers(s.ID) {
				text += source(v, w).Message
			}
			as := ""
			if s.As != "" {
				answer := v.About(s.As, evidence.Application, func(a evidence.Asset, sources []evidence.LogSource) Verdict {
					as = fmt.Sprintf("as %s: %s", a.ID, ids(sources))
					return Failed(evidence.Known(true, evidence.Origin{}), "it was looked for")
				})
				as += answer.Message + " " + answer.Outcome.String()
			}
			return say(s.ID, as+"%s is written by %s, lasts %v, stands %v", s.ID, text, v.Lasts(s), v.Stands(s))
		})},
		{ID: "acquirable-access", Severity: Low, Judge: Each(func(_ *View, a evidence.Access) Verdict { return say(a.ID, "%s", a.Of) })},
		{ID: "timed-clock", Severity: Low, Judge: Each(func(_ *View, c evidence.Clock) Verdict { return say(c.ID, "%s", c.Of) })},
		{ID: "sealed-nothing", Severity: Low, Judge: Each(func(*View, evidence.Alarm) Verdict { return Unasked() })},
	}
}

// tangle makes a set in which anything may name anything.
func tangle(r *rand.Rand) *evidence.Set {
	set := &evidence.Set{Ended: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}
	units := 2 + r.IntN(4)
	free := r.IntN(3) // how many of five things belong to no unit
	id := func(kind string) evidence.ID {
		if r.IntN(5) < free {
			return evidence.ID(fmt.Sprintf("w://%s/%d", kind, r.IntN(4)) + []string{"", "/a", "/b"}[r.IntN(3)])
		}
		return evidence.ID(fmt.Sprintf("u%d//%s%d", r.IntN(units), kind, r.IntN(5)))
	}
	pick := func(kind string, most int) []evidence.ID {
		var out []evidence.ID
		for range r.IntN(most + 1) {
			out = append(out, id(kind))
		}
		return out
	}
	near := r.IntN(4) // how often something names what is not near
	of := func(home evidence.ID, ids []evidence.ID) []evidence.ID {
		for i, one := range ids {
			if r.IntN(4) >= near {
				ids[i] = evidence.ID(home.Unit()) + "//" + evidence.ID(one.Thing())
			}
		}
		return ids
	}
	fact := func() evidence.Value[bool] {
		switch r.IntN(5) {
		case 0:
			return evidence.Unknown[bool](evidence.Denied, evidence.Origin{})
		case 1:
			return evidence.Known(false, evidence.Origin{})
		}
		return evidence.Known(true, evidence.Origin{})
	}
	to := func(home evidence.ID) []evidence.Delivery {
		var out []evidence.Delivery
		for _, store := range of(home, pick("store", 2)) {
			d := evidence.Delivery{To: store, Extent: evidence.Known(evidence.Extent{Grade: []evidence.Grade{evidence.All, evidence.Some}[r.IntN(2)]}, evidence.Origin{})}
			if r.IntN(3) == 0 {
				d.Extent = evidence.Known(evidence.Extent{Grade: evidence.All}, evidence.Origin{Of: string(id("asset"))})
			}
			out = append(out, d)
		}
		return out
	}
	used := map[evidence.ID]bool{}
	fresh := func(kind string) evidence.ID {
		for {
			if one := id(kind); !used[one] {
				used[one] = true
				return one
			}
			kind += "x"
		}
	}
	for range r.IntN(5 * units) {
		home := fresh("asset")
		a := &evidence.Asset{
			Subject: evidence.Subject{ID: home}, Lasting: r.IntN(4) == 0, Host: r.IntN(5) == 0, Development: r.IntN(3) == 0,
			Looked: map[evidence.Activity]evidence.Value[bool]{evidence.Application: fact()}, Lingers: evidence.Known(int64(r.IntN(9)), evidence.Origin{}),
		}
		if r.IntN(3) > 0 {
			a.In = evidence.Known(of(home, []evidence.ID{id("asset")})[0], evidence.Origin{})
		} else if r.IntN(2) == 0 {
			a.In = evidence.Moot[evidence.ID](evidence.Origin{})
		}
		if r.IntN(4) == 0 {
			if also := of(home, []evidence.ID{id("asset")})[0]; !used[also] {
				used[also] = true
				a.Also = []evidence.ID{also}
			}
		}
		set.Record(a)
	}
	for range r.IntN(4 * units) {
		home := fresh("source")
		set.Record(&evidence.LogSource{
			Subject: evidence.Subject{ID: home}, Activity: evidence.Application, Covers: of(home, pick("asset", 2)),
			Enabled: evidence.Known(true, evidence.Origin{Of: string(of(home, []evidence.ID{id("asset")})[0])}), To: to(home),
		})
	}
	for range r.IntN(4 * units) {
		home := fresh("store")
		s := &evidence.LogStore{Subject: evidence.Subject{ID: home}, On: evidence.Known(of(home, pick("asset", 2)), evidence.Origin{}), To: to(home)}
		if r.IntN(3) == 0 {
			s.As = of(home, []evidence.ID{id("asset")})[0]
		}
		if r.IntN(3) == 0 {
			s.Kept = evidence.Unknown[int](evidence.Elsewhere, evidence.Origin{})
		}
		set.Record(s)
	}
	for range r.IntN(2 * units) {
		home := fresh("alarm")
		set.Record(&evidence.Alarm{Subject: evidence.Subject{ID: home}, On: of(home, pick("asset", 2))})
		home = fresh("clock")
		set.Record(&evidence.Clock{Subject: evidence.Subject{ID: home}, Of: of(home, []evidence.ID{id("asset")})[0]})
		home = fresh("access")
		set.Record(&evidence.Access{Subject: evidence.Subject{ID: home}, Of: of(home, []evidence.ID{id("asset")})[0]})
	}
	for range r.IntN(3) {
		switch home := fresh("with"); r.IntN(3) {
		case 0:
			set.With = append(set.With, &evidence.Asset{Subject: evidence.Subject{ID: fresh("asset")}, In: evidence.Known(id("asset"), evidence.Origin{})})
		case 1:
			set.With = append(set.With, &evidence.LogSource{Subject: evidence.Subject{ID: home}, Activity: evidence.Application, Covers: pick("asset", 3), To: to(home)})
		default:
			set.With = append(set.With, &evidence.LogStore{Subject: evidence.Subject{ID: fresh("store")}, To: to(home)})
		}
	}
	buckets(r, set, units)
	set.Waivers = []evidence.Waiver{
		{Check: "retained-*", Subject: string(id("store")), Reason: "one"},
		{Check: "*", Subject: "w://s3/u1*", Reason: "buckets"},
		{Check: "*", Subject: "u1//*", Reason: "a unit"},
		{Check: "none", Subject: "*", Reason: "idle"},
		{Check: "*", Subject: "*", Reason: "over", Until: "2020-01-01"},
	}
	set.Sort()
	return set
}

// buckets adds things whose records go by names that belong to no unit, as those of buckets do. A unit has a bucket that takes
// the access logs of its others; most of them have to do with nothing else.
func buckets(r *rand.Rand, set *evidence.Set, units int) {
	fact := func(of evidence.ID) evidence.Value[bool] {
		return evidence.Known(true, evidence.Origin{Of: string(of)})
	}
	central := evidence.ID("w://s3/central/logs")
	if r.IntN(2) == 0 {
		set.Record(&evidence.LogStore{Subject: evidence.Subject{ID: central}, On: evidence.Known([]evidence.ID{"u0//account"}, evidence.Origin{}), As: "w://s3/central"})
		set.Record(&evidence.Asset{Subject: evidence.Subject{ID: "u0//s3/central"}, Also: []evidence.ID{"w://s3/central"}, In: evidence.Known(evidence.ID("u0//account"), evidence.Origin{})})
	}
	for u := range units {
		if r.IntN(4) == 0 {
			continue
		}
		account := evidence.ID(fmt.Sprintf("u%d//account", u))
		set.Record(&evidence.Asset{Subject: evidence.Subject{ID: account}, Lasting: true, In: evidence.Moot[evidence.ID](evidence.Origin{})})
		logs := evidence.ID(fmt.Sprintf("w://s3/u%d0/access", u))
		for b := range 1 + r.IntN(3) {
			bucket, also := evidence.ID(fmt.Sprintf("u%d//s3/%d", u, b)), evidence.ID(fmt.Sprintf("w://s3/u%d%d", u, b))
			in := evidence.Known(account, evidence.Origin{})
			if r.IntN(5) == 0 {
				in = evidence.Unknown[evidence.ID](evidence.Denied, evidence.Origin{})
			}
			set.Record(&evidence.Asset{
				Subject: evidence.Subject{ID: bucket}, Also: []evidence.ID{also}, In: in, Lasting: r.IntN(3) > 0, Development: r.IntN(4) == 0,
				Looked: map[evidence.Activity]evidence.Value[bool]{evidence.Application: fact(bucket)},
			})
			to := []evidence.Delivery{{To: logs, Extent: evidence.Known(evidence.Extent{Grade: evidence.All}, evidence.Origin{Of: string(bucket)})}}
			switch r.IntN(12) {
			case 0:
				to[0].To = central
			case 1:
				to[0].To = evidence.ID(fmt.Sprintf("w://s3/u%d0/access", r.IntN(units))) // perhaps that of another
			case 2:
				to[0].To = "w://s3/nobody/has/it"
			}
			set.Record(&evidence.LogSource{
				Subject: evidence.Subject{ID: bucket + "/access"}, Activity: evidence.Application, Covers: []evidence.ID{[]evidence.ID{bucket, also}[r.IntN(2)]}, Enabled: fact(bucket), To: to,
			})
		}
		s := &evidence.LogStore{Subject: evidence.Subject{ID: logs}, On: evidence.Known([]evidence.ID{account}, evidence.Origin{}), As: logs[:len(logs)-len("/access")]}
		switch r.IntN(12) {
		case 0:
			s.To = []evidence.Delivery{{To: central}}
		case 1:
			s.To = []evidence.Delivery{{To: evidence.ID(fmt.Sprintf("w://s3/u%d1/copies", u))}} // which nobody scanned, or the next
			set.Record(&evidence.LogStore{Subject: evidence.Subject{ID: evidence.ID(fmt.Sprintf("w://s3/u%d1/copies", r.IntN(units)))}, Kept: evidence.Unknown[int](evidence.Elsewhere, evidence.Origin{})})
		case 2:
			s.On = evidence.Known([]evidence.ID{"u9//account"}, evidence.Origin{}) // of whom there is nothing else
		case 3:
			set.With = append(set.With, &evidence.LogSource{Subject: evidence.Subject{ID: evidence.ID(fmt.Sprintf("x//source%d", u))}, Activity: evidence.Application, To: []evidence.Delivery{{To: logs}}})
		case 4:
			set.Record(&evidence.Alarm{Subject: evidence.Subject{ID: logs + "/alarm"}, On: []evidence.ID{account}})
		}
		set.Record(s)
	}
	// A place that has to do with nobody but an account of whom there is nothing.
	set.Record(&evidence.LogStore{Subject: evidence.Subject{ID: "w://s3/lonely/access"}, To: []evidence.Delivery{{To: "u9//archive"}}})
}

func linesOf(all []Result, unasked map[string]int, gaps []evidence.Gap, idle, expired []evidence.Waiver) []string {
	var out []string
	for _, r := range all {
		waiver := ""
		if r.Waiver != nil {
			waiver = r.Waiver.Reason
		}
		out = append(out, fmt.Sprintf("%s of %s: %s %s, follows %q, waived %q, development %v, because of %+v: %s", r.Check.ID, r.Subject.ID, r.Outcome, r.Severity,
			r.Follows, waiver, r.Development, r.Because.At(), r.Message))
	}
	for id, n := range unasked {
		for range n {
			out = append(out, "unasked "+id)
		}
	}
	for _, g := range gaps {
		out = append(out, fmt.Sprintf("gap %+v", g))
	}
	for _, w := range idle {
		out = append(out, "idle "+w.Reason)
	}
	for _, w := range expired {
		out = append(out, "expired "+w.Reason)
	}
	slices.Sort(out)
	return out
}

func unitByUnit(src Source) ([]string, error) {
	var all []Result
	var gaps []evidence.Gap
	unasked := map[string]int{}
	idle, expired, err := RunUnits(src, nosy(), DefaultPolicy(), nil, func(r *Results, set *evidence.Set) error {
		if len(set.Records) == 0 {
			return errors.New("an empty unit")
		}
		all, gaps = append(all, r.All...), append(gaps, r.Gaps...)
		for id, n := range r.Unasked {
			unasked[id] += n
		}
		return nil
	})
	return linesOf(all, unasked, gaps, idle, expired), err
}

// TestUnitByUnitIsAllAtOnce judges tangles of records both ways, with checks that ask for everything that a View tells.
func TestUnitByUnitIsAllAtOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	follows, results, together := 0, 0, 0
	for i := range 2000 {
		set := tangle(r)
		rs := Run(set, nosy(), DefaultPolicy(), nil)
		want := linesOf(rs.All, rs.Unasked, rs.Gaps, rs.Idle, rs.Expired)
		src := sourceOf(set)
		if i%8 == 0 { // what belongs to no unit is all in one
			src = cut(set, evidence.ID.Unit)
		}
		got, err := unitByUnit(src)
		if err != nil {
			t.Fatal(err)
		}
		if k, err := keep(src); err == nil {
			together += len(src.units) - len(k.groups(nil))
		}
		for _, res := range rs.All {
			if results++; res.Follows != "" {
				follows++
			}
		}
		if !slices.Equal(got, want) {
			for j := range min(len(got), len(want)) {
				if got[j] != want[j] {
					t.Errorf("unit by unit\n%s\nall at once\n%s", got[j], want[j])
					break
				}
			}
			t.Fatalf("tangle %d: %d lines unit by unit, %d all at once", i, len(got), len(want))
		}
	}
	if follows < 100 || results < 10_000 || together < 1000 {
		t.Errorf("only %d results, %d of them follow from another; %d units are judged with others", results, follows, together)
	}
}

// TestUnitsNeedWhatTheyShare judges without what the units share, and wants to see that.
func TestUnitsNeedWhatTheyShare(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	differs := 0
	for range 100 {
		set := tangle(r)
		rs := Run(set, nosy(), DefaultPolicy(), nil)
		var alone []Result
		src := sourceOf(set)
		for _, records := range src.units {
			alone = append(alone, Run(&evidence.Set{Records: records, Ended: set.Ended}, nosy(), DefaultPolicy(), set.Waivers).All...)
		}
		if !slices.Equal(linesOf(alone, nil, nil, nil, nil), linesOf(rs.All, nil, nil, nil, nil)) {
			differs++
		}
	}
	if differs < 50 {
		t.Errorf("only %d of 100 differ", differs)
	}
}

// A tired is a source that can be read so many times.
type tired struct {
	memory
	left int
}

func (s *tired) Unit(n int) ([]evidence.Record, error) {
	if s.left--; s.left < 0 {
		return nil, errors.New("the disk is gone")
	}
	return s.memory.Unit(n)
}

// TestUnitsThatCannotBeReadAgain takes the source away at every read in turn: each unit is read several times.
func TestUnitsThatCannotBeReadAgain(t *testing.T) {
	src := sourceOf(tangle(rand.New(rand.NewPCG(9, 9))))
	for reads := 0; ; reads++ {
		_, err := unitByUnit(&tired{src, reads})
		if err == nil {
			if reads < 2*len(src.units) {
				t.Errorf("%d units were judged with %d reads", len(src.units), reads)
			}
			return
		}
		if err.Error() != "the disk is gone" {
			t.Errorf("after %d reads: %v", reads, err)
		}
	}
}

// TestUnitsOfChecksWithoutConsequences has no failure of another unit to look for.
func TestUnitsOfChecksWithoutConsequences(t *testing.T) {
	set, judged := tangle(rand.New(rand.NewPCG(9, 9))), 0
	lonely := []*Check{{ID: "sealed-lonely", Severity: Low, Judge: Each(func(*View, evidence.Asset) Verdict { return Failed(evidence.Known(true, here), "it is") })}}
	_, _, err := RunUnits(sourceOf(set), lonely, DefaultPolicy(), nil, func(r *Results, _ *evidence.Set) error {
		judged += len(r.All)
		return nil
	})
	if want := len(Run(set, lonely, DefaultPolicy(), nil).All); err != nil || judged != want {
		t.Errorf("judged %d, %v; want %d", judged, err, want)
	}
}

func TestUnitsThatCannotBeRead(t *testing.T) {
	set := tangle(rand.New(rand.NewPCG(9, 9)))
	src := sourceOf(set)
	for n := range src.units {
		src.fails = n + 1
		if _, err := unitByUnit(src); err == nil || err.Error() != "the disk is gone" {
			t.Errorf("unit %d: %v", n, err)
		}
	}
	src.fails = 0
	stop := errors.New("enough")
	if _, _, err := RunUnits(src, nosy(), DefaultPolicy(), nil, func(*Results, *evidence.Set) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}
