package checks

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"lookback/evidence"
)

// A Result is what became of one check of one subject.
type Result struct {
	Check   *Check
	Subject evidence.Subject
	Verdict
	// Follows names the check of whose failure this one is a consequence: it is kept, and neither counts nor gates.
	Follows string
	// Waiver is why a failure is waived.
	Waiver *evidence.Waiver
	// Development marks a result about what never runs in production: it is shown apart, and neither counts nor gates.
	Development bool
}

// Results is what a run of checks gives.
type Results struct {
	View *View    // what they were judged by
	All  []Result // in order of chapter, check and subject
	// Unasked counts, per check, the subjects to which its question does not apply.
	Unasked map[string]int
	// Gaps are the stores to which records go and that nobody scanned.
	Gaps []evidence.Gap
	// Idle lists waivers that match nothing; Expired, those whose last day has passed.
	Idle, Expired []evidence.Waiver
}

// Run judges a set. It holds the third law: a pass or a failure that cites no fact, or an unknown one, is not assessed.
func Run(set *evidence.Set, all []*Check, p Policy, waivers []evidence.Waiver) *Results {
	v := NewView(set, p)
	out := judge(v, all)
	out.Gaps = v.unscanned(map[evidence.ID]bool{})
	out.order()
	out.follow(v, nil)
	w := newWaiving(slices.Concat(set.Waivers, waivers), set.Ended)
	w.waive(out.All)
	out.Expired, out.Idle = w.expired, w.idle()
	return out
}

// judge asks about everything in the set of a view.
func judge(v *View, all []*Check) *Results {
	out := &Results{View: v, Unasked: map[string]int{}}
	records := v.records()
	for _, c := range all {
		c.Judge(v, func(s evidence.Subject, verdict Verdict) {
			if verdict = c.settle(verdict); verdict.Outcome == NotApplicable {
				out.Unasked[c.ID]++
				return
			}
			out.All = append(out.All, Result{Check: c, Subject: s, Verdict: verdict, Development: v.Development(records[s.ID])})
		})
	}
	return out
}

// settle is where the third law is held.
func (c *Check) settle(v Verdict) Verdict {
	switch {
	case v.Outcome == NotApplicable:
		return v
	case v.Because == nil:
		v = NotKnown(evidence.Value[bool]{})
	case v.Outcome != NotAssessed && v.Because.IsUnknown():
		v = NotKnown(v.Because)
	}
	if v.Severity == "" {
		v.Severity = c.Severity
	}
	return v
}

// records are those that are asked about, by ID.
func (v *View) records() map[evidence.ID]evidence.Record {
	out := make(map[evidence.ID]evidence.Record, len(v.set.Records))
	for _, r := range v.set.Records {
		out[r.Self().ID] = r
	}
	return out
}

func (rs *Results) order() {
	chapter := map[string]int{}
	for i, c := range Chapters {
		chapter[c.Name] = i
	}
	slices.SortStableFunc(rs.All, func(a, b Result) int {
		return cmp.Or(
			cmp.Compare(chapter[a.Check.Chapter()], chapter[b.Check.Chapter()]),
			cmp.Compare(a.Check.ID, b.Check.ID),
			cmp.Compare(a.Subject.ID, b.Subject.ID),
		)
	})
}

// A failures says, per check and subject, where the fact was seen that decided.
type failures map[string]map[evidence.ID]evidence.Origin

func (f failures) add(check string, subject evidence.ID, at evidence.Origin) {
	if f[check] == nil {
		f[check] = map[evidence.ID]evidence.Origin{}
	}
	f[check][subject] = at
}

// follow marks failures that are the consequence of another check's failure: of the same subject, of a source that writes
// to the same store, or of an asset for a reason that lies in the source at hand. Others are failures of what is not
// asked about here, and joins.
func (rs *Results) follow(v *View, others failures) {
	failed := failures{}
	for _, r := range rs.All {
		if r.Outcome == Fail {
			failed.add(r.Check.ID, r.Subject.ID, r.Because.At())
		}
	}
	records := v.records()
	for i := range rs.All {
		r := &rs.All[i]
		if r.Outcome != Fail {
			continue
		}
		for _, after := range r.Check.After {
			if v.explained(records[r.Subject.ID], failed[after], others[after]) {
				r.Follows = after
				break
			}
		}
	}
}

// explained reports whether one of the failures explains one of r.
func (v *View) explained(r evidence.Record, failed ...map[evidence.ID]evidence.Origin) bool {
	find := func(id evidence.ID) (evidence.Origin, bool) {
		for _, f := range failed {
			if at, ok := f[id]; ok {
				return at, true
			}
		}
		return evidence.Origin{}, false
	}
	if _, ok := find(r.Self().ID); ok {
		return true
	}
	var sources []*evidence.LogSource
	switch r := r.(type) {
	case *evidence.LogSource:
		sources = []*evidence.LogSource{r}
	case *evidence.LogStore:
		sources = v.writers[r.ID]
	}
	return slices.ContainsFunc(sources, func(s *evidence.LogSource) bool {
		if _, ok := find(s.ID); ok {
			return true
		}
		return slices.ContainsFunc(s.Covers, func(asset evidence.ID) bool {
			at, ok := find(asset)
			return ok && (at == s.Enabled.At() || slices.ContainsFunc(s.To, func(d evidence.Delivery) bool { return at == d.Extent.At() }))
		})
	})
}

// A waiving marks failures as waived, and remembers which waivers were of use.
type waiving struct {
	waivers []evidence.Waiver // that hold
	used    []bool
	expired []evidence.Waiver
}

func newWaiving(waivers []evidence.Waiver, now time.Time) *waiving {
	today := now.UTC().Format(time.DateOnly)
	w := &waiving{}
	for _, one := range waivers {
		if one.Until != "" && one.Until < today {
			w.expired = append(w.expired, one)
		} else {
			w.waivers = append(w.waivers, one)
		}
	}
	w.used = make([]bool, len(w.waivers))
	return w
}

func (w *waiving) waive(results []Result) {
	for i := range w.waivers {
		one := &w.waivers[i]
		for j := range results {
			r := &results[j]
			if !Glob(one.Check, r.Check.ID) || !Glob(one.Subject, string(r.Subject.ID)) && !Glob(one.Subject+"/*", string(r.Subject.ID)) {
				continue
			}
			if r.Outcome == Fail {
				r.Outcome, r.Waiver = Waived, one
			}
			w.used[i] = w.used[i] || r.Outcome == Waived
		}
	}
}

// idle are the waivers that matched nothing.
func (w *waiving) idle() []evidence.Waiver {
	var out []evidence.Waiver
	for i, one := range w.waivers {
		if !w.used[i] {
			out = append(out, one)
		}
	}
	return out
}

// Glob reports whether s matches a pattern in which "*" stands for any run of characters, "/" included.
func Glob(pattern, s string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !strings.HasPrefix(s, head) {
		return false
	}
	if !star {
		return s == head
	}
	s = s[len(head):]
	for {
		middle, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(s, middle)
		}
		i := strings.Index(s, middle)
		if i < 0 {
			return false
		}
		s, rest = s[i+len(middle):], after
	}
}

// unscanned returns a gap for each store that records come to and whose retention only another scan could tell. Named are
// those that were named already.
func (v *View) unscanned(named map[evidence.ID]bool) []evidence.Gap {
	var out []evidence.Gap
	name := func(s evidence.LogStore, in evidence.ID, at evidence.Origin) {
		if named[s.ID] {
			return
		}
		named[s.ID] = true
		out = append(out, evidence.Gap{
			In: in, Asked: "retention of " + s.Name, Why: evidence.Elsewhere, Err: "scan the place that keeps it", At: at,
		})
	}
	for _, r := range v.set.Records {
		switch r := r.(type) {
		case *evidence.LogSource:
			for _, reached := range v.Reached(*r) {
				if e, known := reached.By.Extent.Get(); !reached.Scanned && known && e.Grade != evidence.None {
					name(reached.Store, r.ID, reached.By.Extent.At())
				}
			}
		case *evidence.LogStore:
			lasts := func(w *evidence.LogSource) bool { return True(v.Outlives(*r, *w)) }
			if r.Kept.Why() == evidence.Elsewhere && slices.ContainsFunc(v.writers[r.ID], lasts) {
				name(*r, r.ID, r.At)
			}
		}
	}
	return out
}
