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
	records := make(map[evidence.ID]evidence.Record, len(set.Records))
	for _, r := range set.Records {
		records[r.Self().ID] = r
	}
	out := &Results{View: v, Unasked: map[string]int{}, Gaps: v.unscanned()}
	for _, c := range all {
		c.Judge(v, func(s evidence.Subject, verdict Verdict) {
			switch {
			case verdict.Outcome == NotApplicable:
				out.Unasked[c.ID]++
				return
			case verdict.Because == nil:
				verdict = NotKnown(evidence.Value[bool]{})
			case verdict.Outcome != NotAssessed && verdict.Because.IsUnknown():
				verdict = NotKnown(verdict.Because)
			}
			if verdict.Severity == "" {
				verdict.Severity = c.Severity
			}
			out.All = append(out.All, Result{Check: c, Subject: s, Verdict: verdict, Development: v.Development(records[s.ID])})
		})
	}
	out.order()
	out.follow(v, records)
	out.waive(slices.Concat(set.Waivers, waivers), set.Ended)
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

// follow marks failures that are the consequence of another check's failure: of the same subject, of a source that writes
// to the same store, or of an asset for a reason that lies in the source at hand.
func (rs *Results) follow(v *View, records map[evidence.ID]evidence.Record) {
	failed := map[string]map[evidence.ID]evidence.Origin{} // where the fact that decided was seen
	for _, r := range rs.All {
		if r.Outcome == Fail {
			if failed[r.Check.ID] == nil {
				failed[r.Check.ID] = map[evidence.ID]evidence.Origin{}
			}
			failed[r.Check.ID][r.Subject.ID] = r.Because.At()
		}
	}
	for i := range rs.All {
		r := &rs.All[i]
		if r.Outcome != Fail {
			continue
		}
		for _, after := range r.Check.After {
			if v.explained(records[r.Subject.ID], failed[after]) {
				r.Follows = after
				break
			}
		}
	}
}

// explained reports whether one of the failures explains one of r.
func (v *View) explained(r evidence.Record, failed map[evidence.ID]evidence.Origin) bool {
	if _, ok := failed[r.Self().ID]; ok {
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
		if _, ok := failed[s.ID]; ok {
			return true
		}
		return slices.ContainsFunc(s.Covers, func(asset evidence.ID) bool {
			at, ok := failed[asset]
			return ok && (at == s.Enabled.At() || slices.ContainsFunc(s.To, func(d evidence.Delivery) bool { return at == d.Extent.At() }))
		})
	})
}

func (rs *Results) waive(waivers []evidence.Waiver, now time.Time) {
	today := now.UTC().Format(time.DateOnly)
	for i := range waivers {
		w := &waivers[i]
		if w.Until != "" && w.Until < today {
			rs.Expired = append(rs.Expired, *w)
			continue
		}
		used := false
		for j := range rs.All {
			r := &rs.All[j]
			if !Glob(w.Check, r.Check.ID) || !Glob(w.Subject, string(r.Subject.ID)) && !Glob(w.Subject+"/*", string(r.Subject.ID)) {
				continue
			}
			if r.Outcome == Fail {
				r.Outcome, r.Waiver = Waived, w
			}
			used = used || r.Outcome == Waived
		}
		if !used {
			rs.Idle = append(rs.Idle, *w)
		}
	}
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

// unscanned returns a gap for each store that records come to and whose retention only another scan could tell.
func (v *View) unscanned() []evidence.Gap {
	var out []evidence.Gap
	named := map[evidence.ID]bool{}
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
