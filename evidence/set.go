package evidence

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

// A Set is what one scan learned.
type Set struct {
	Tool    string    // "lookback 0.1.0"
	Started time.Time // in UTC, to the second
	Ended   time.Time // the moment for which checks judge
	Targets []string  // what was asked for, as the user named it

	Records []Record // in order of ID, see Sort
	// With holds records of other places that were brought to answer for this one. They join, and are not judged.
	With    []Record
	Gaps    []Gap
	Waivers []Waiver

	// Counted says how many objects of other kinds were seen, per kind, and not asked about.
	Counted map[string]int

	// Partial says that the scan was cut short.
	Partial bool
}

// Record adds a record.
func (s *Set) Record(r Record) { s.Records = append(s.Records, r) }

// Gap adds a gap.
func (s *Set) Gap(g Gap) { s.Gaps = append(s.Gaps, g) }

// Waiver adds a waiver.
func (s *Set) Waiver(w Waiver) { s.Waivers = append(s.Waivers, w) }

// Sort puts everything in the order in which it is saved and judged, whatever the order in which it was found.
func (s *Set) Sort() {
	for _, rs := range [][]Record{s.Records, s.With} {
		slices.SortStableFunc(rs, func(a, b Record) int {
			if c := compareRecords(a, b); c != 0 || a == b {
				return c
			}
			return bytes.Compare(textOf(a), textOf(b)) // two that say different things of one place
		})
	}
	slices.SortStableFunc(s.Gaps, compareGaps)
	s.Gaps = slices.Compact(s.Gaps)
	slices.SortStableFunc(s.Waivers, compareWaivers)
}

func compareRecords(a, b Record) int {
	x, y := a.Self(), b.Self()
	return cmp.Or(cmp.Compare(x.ID, y.ID), cmp.Compare(recordType(a), recordType(b)), compareOrigins(x.At, y.At))
}

// textOf is a record as Write has it.
func textOf(r Record) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(recordLine(r, false)) // what cannot be written is refused when it is saved
	return out.Bytes()
}

func compareGaps(a, b Gap) int {
	bad := func(g Gap) int {
		if g.Bad {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(a.In, b.In), compareOrigins(a.At, b.At), cmp.Compare(a.Asked, b.Asked), cmp.Compare(a.Err, b.Err), cmp.Compare(a.Why, b.Why), bad(a)-bad(b))
}

func compareWaivers(a, b Waiver) int {
	return cmp.Or(
		compareOrigins(a.At, b.At), cmp.Compare(a.Check, b.Check), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Reason, b.Reason),
		cmp.Compare(a.Who, b.Who), cmp.Compare(a.Until, b.Until),
	)
}

func compareOrigins(a, b Origin) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Call, b.Call), cmp.Compare(a.Of, b.Of), cmp.Compare(a.Note, b.Note), cmp.Compare(a.Fix, b.Fix))
}
