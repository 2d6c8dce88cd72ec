package report

import (
	"cmp"
	"fmt"
	"slices"

	"lookback/checks"
	"lookback/evidence"
)

// A Row of the horizon says how far back one activity on one asset can be seen: for every moment of the last Total days
// each event that its sources are documented to write was enabled, delivered and can be had now.
type Row struct {
	Asset    evidence.Subject
	Activity evidence.Activity
	// Total is in days; evidence.Forever where nothing deletes the records. Hot is the part of it that is at hand.
	Total, Hot int
	// AtLeast says that something unknown could reach further.
	AtLeast bool
	// Ends is the fact that set Total, in words.
	Ends string
	// Because is where that fact was seen.
	Because evidence.Origin
	// Development marks what never runs in production.
	Development bool
}

func horizon(set *evidence.Set, p checks.Policy) []Row {
	v := checks.NewView(set, p)
	var rows []Row
	for _, r := range set.Records {
		asset, ok := r.(*evidence.Asset)
		if !ok {
			continue
		}
		activities := make([]evidence.Activity, 0, len(asset.Looked))
		for a := range asset.Looked {
			activities = append(activities, a)
		}
		slices.Sort(activities)
		for _, a := range activities {
			row := reach(v, asset.ID, a)
			row.Asset, row.Activity, row.Development = asset.Subject, a, asset.Development
			if row.Ends != "" {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

// reach takes the furthest over every source that covers an asset and every store that its records come to and that
// outlives it.
func reach(v *checks.View, asset evidence.ID, a evidence.Activity) Row {
	var row Row
	note := func(ends string, at evidence.Origin) {
		if row.Ends == "" {
			row.Ends, row.Because = ends, at
		}
	}
	open := func(ends string, at evidence.Origin) {
		if !row.AtLeast && row.Total == 0 {
			row.Ends, row.Because = ends, at
		}
		row.AtLeast = true
	}
	for _, s := range v.Sources(asset, a) {
		if s.Enabled.IsMoot() {
			continue
		}
		if checks.Off(s) {
			note("nothing is written", s.Enabled.At())
			continue
		}
		if checks.Lost(s) {
			continue
		}
		for _, r := range v.Reached(s) {
			lives := v.Outlives(r.Store, s)
			outlives, known := lives.Get()
			extent, extentKnown := r.By.Extent.Get()
			kept, keptKnown := r.Store.Kept.Get()
			switch {
			case extentKnown && extent.Grade == evidence.None:
				note("the output is thrown away", r.By.Extent.At())
			case known && !outlives:
				note("records end with what writes them", r.Store.On.At())
			case !known || !extentKnown || !s.Enabled.IsUnknown() && !keptKnown:
				open("kept by "+r.Store.Name+", for a time that was not scanned", cmp.Or(r.Store.On.At(), r.By.Extent.At()))
			case s.Enabled.IsUnknown():
				open("what the program records is not known", s.Enabled.At())
			case kept > row.Total || row.Ends == "":
				row.Total, row.Hot, row.Ends, row.Because = kept, kept, "kept by "+r.Store.Name, r.Store.Kept.At()
				if cold, goes := r.Store.ColdAfter.Get(); goes {
					row.Hot = min(kept, cold)
				}
			}
		}
		if s.Complete.IsUnknown() {
			open("something outside of what was scanned may keep it", s.Complete.At())
		}
	}
	return row
}

// A Stretch is what one line of a report says of the horizon: assets that look equally far back, for the same reason.
type Stretch struct {
	Activity evidence.Activity
	Total    int
	Hot      int
	AtLeast  bool
	Ends     string
	Rows     []Row
}

// Stretches groups the rows of what runs in production, the shortest look back first.
func (r *Report) Stretches() []Stretch {
	var out []Stretch
	for _, row := range r.Horizon {
		if row.Development {
			continue
		}
		i := slices.IndexFunc(out, func(s Stretch) bool {
			return s.Activity == row.Activity && s.Total == row.Total && s.Hot == row.Hot && s.AtLeast == row.AtLeast && s.Ends == row.Ends
		})
		if i < 0 {
			i = len(out)
			out = append(out, Stretch{row.Activity, row.Total, row.Hot, row.AtLeast, row.Ends, nil})
		}
		out[i].Rows = append(out[i].Rows, row)
	}
	slices.SortStableFunc(out, func(a, b Stretch) int {
		return cmp.Or(cmp.Compare(a.Total, b.Total), compareBool(a.AtLeast, b.AtLeast), cmp.Compare(len(b.Rows), len(a.Rows)))
	})
	return out
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// Days writes how far back a row or stretch reaches: "0 days", "at least 30 days", "until somebody deletes it".
func Days(total int, atLeast bool) string {
	days := fmt.Sprintf("%d days", total)
	switch total {
	case 1:
		days = "1 day"
	case evidence.Forever:
		return "as long as nobody deletes it"
	}
	switch {
	case atLeast && total == 0:
		return "not known"
	case atLeast:
		return "at least " + days
	}
	return days
}
