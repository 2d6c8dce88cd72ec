package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"lookback/checks"
	"lookback/evidence"
)

// A Reach says how far back one can see: for every moment of the last Total days each event that the sources are
// documented to write was enabled, delivered and can be had now.
type Reach struct {
	// Total is in days; evidence.Forever where nothing deletes the records. Hot is the part of it that is at hand, which
	// means: had back within Policy.RestoreWithin.
	Total, Hot int
	// AtLeast says that something unknown could reach further than Total; HotAtLeast, further than Hot.
	AtLeast, HotAtLeast bool
	// Partly says that what sets Total is known to be filtered, sampled or lossy: that an event is there proves it, that it
	// is absent proves nothing. What nobody knows to lose records does not make it so; arriving-lossless tells.
	Partly bool
	// Seen is how many whole days lay between the oldest and the newest record of a store that bytes bound, if WasSeen. That
	// is no promise, and no part of Total.
	Seen    int
	WasSeen bool
	// Ends is the fact that set Total, in words. Like is the same with the kind of the store for its name, if one is in it.
	Ends, Like string
}

// alike is the same for what reaches equally far and differs in no more than the name of a store.
func (r Reach) alike() Reach {
	if r.Like != "" {
		r.Ends = ""
	}
	return r
}

// Back writes how far back it reaches: "at least 365 days, 90 days of it at hand, partly". Where no time is promised it
// writes what was seen: "9 days seen at the scan, a flood shortens it".
func (r Reach) Back() string {
	text := Days(r.Total, r.AtLeast)
	switch {
	case r.Total == 0 && r.WasSeen:
		seen := "less than a day"
		if r.Seen > 0 {
			seen = Days(r.Seen, false)
		}
		seen += " seen at the scan, a flood shortens it"
		if !r.AtLeast {
			return seen
		}
		return text + "; " + seen
	case r.Hot >= r.Total:
	case r.HotAtLeast && r.Hot == 0:
		text += ", at hand not assessed"
	default:
		text += ", " + Days(r.Hot, r.HotAtLeast) + " of it at hand"
	}
	if r.Partly {
		text += ", partly"
	}
	return text
}

// A Row of the horizon says how far back one activity on one asset can be seen: the furthest over every source that
// covers the asset and every store that its records come to and that outlives what writes to it.
//
// A source that nobody can turn on or off (redis, a log shipper) counts as one that is on, as soon as its output goes
// anywhere; without a store it has nothing to say, and an asset with no other source has no row. A row may rest on the
// owner's word: the note of Because says so.
type Row struct {
	Asset    evidence.Subject
	Activity evidence.Activity
	Reach
	// Because is where the fact was seen that set Total.
	Because evidence.Origin
	// Development marks what never runs in production.
	Development bool
}

// horizon asks About each activity, which says with whom somebody looked, and where a source may have been missed. Its
// rows stand in order of asset and activity.
func horizon(set *evidence.Set, v *checks.View) []Row {
	activities := map[evidence.Activity]bool{}
	for _, r := range set.Records {
		if asset, ok := r.(*evidence.Asset); ok {
			for a := range asset.Looked {
				activities[a] = true
			}
		}
	}
	h := surveyor{v}
	var rows []Row
	for a := range activities {
		var asset evidence.Asset
		var ways []way
		survey := checks.About(a, func(_ *checks.View, about evidence.Asset, sources []evidence.LogSource) checks.Verdict {
			asset, ways = about, nil
			for _, s := range sources {
				ways = append(ways, h.ways(s)...)
			}
			looked := about.Looked[a]
			if len(sources) == 0 && checks.True(looked) {
				ways = append(ways, way{ends: "nothing is written", at: looked.At()})
			}
			return checks.Verdict{Outcome: checks.Fail, Because: looked} // stands unless a source may have been missed
		})
		survey(v, func(_ evidence.Subject, verdict checks.Verdict) {
			if verdict.Outcome == checks.NotAssessed {
				ways = append(ways, unsure(evidence.Forever, verdict.Message, verdict.Because))
			}
			if len(ways) == 0 {
				return
			}
			row := furthest(ways)
			row.Asset, row.Activity, row.Development = asset.Subject, a, asset.Development
			rows = append(rows, row)
		})
	}
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Asset.ID, b.Asset.ID), cmp.Compare(a.Activity, b.Activity))
	})
	return rows
}

// A way is one on which records may be had back. Days are those that are promised, and the most that it can come to once
// what is unknown is known.
type way struct {
	days, most   int
	hot, mostHot int
	partly       bool
	seen         int
	wasSeen      bool
	gets         stage
	ends, like   string
	at           evidence.Origin
}

// A stage is how far records get that promise no time: the furthest of them explains a horizon of 0 days.
type stage int

const (
	notWritten stage = iota
	nowhere
	thrownAway
	endsWithIt
	held
)

// unsure is a way that promises nothing, and of which nobody knows that it does not reach so many days. A call that gave no
// answer is named before anything else.
func unsure(most int, ends string, because evidence.Fact) way {
	switch at := because.At(); {
	case because.Why() == evidence.Denied:
		ends = checks.NotKnown(because).Message
	case because.Why() == evidence.Failed && at.Call != "":
		ends = fmt.Sprintf("%s failed: %s", at.Call, cmp.Or(at.Note, noReason))
	}
	return way{most: most, mostHot: most, gets: held, ends: ends, at: because.At()}
}

// furthest sums ways up.
func furthest(ways []way) Row {
	best, open := ways[0], ways[0]
	row := Row{}
	mostHot := 0
	for _, w := range ways {
		if c := cmp.Or(cmp.Compare(w.days, best.days), -compareBool(w.partly, best.partly), cmp.Compare(w.gets, best.gets), cmp.Compare(w.seen, best.seen)); c > 0 {
			best = w
		}
		if w.most > open.most {
			open = w
		}
		row.Hot, mostHot = max(row.Hot, w.hot), max(mostHot, w.mostHot)
		row.Seen, row.WasSeen = max(row.Seen, w.seen), row.WasSeen || w.wasSeen
	}
	row.Total, row.AtLeast, row.HotAtLeast = best.days, open.most > best.days, mostHot > row.Hot
	row.Partly = best.partly && best.days > 0
	row.Ends, row.Like, row.Because = best.ends, best.like, best.at
	if row.Total == 0 && row.AtLeast {
		row.Ends, row.Like, row.Because = open.ends, open.like, open.at
	}
	return row
}

type surveyor struct{ *checks.View }

func (h surveyor) ways(s evidence.LogSource) []way {
	switch {
	case s.Enabled.IsMoot() && len(s.To) == 0:
		return nil
	case checks.Off(s):
		return []way{{ends: "nothing is written", at: s.Enabled.At()}}
	case checks.Lost(s):
		return []way{{gets: nowhere, ends: "a mount keeps the records away", at: s.Hidden.At()}}
	}
	var ways []way
	for _, d := range s.To {
		one := s
		one.To = []evidence.Delivery{d}
		for _, r := range h.Reached(one) {
			ways = append(ways, h.way(s, d, r))
		}
	}
	switch whole, known := s.Complete.Get(); {
	case s.Enabled.Why() == evidence.Denied && !whole:
		ways = append(ways, unsure(evidence.Forever, "", s.Enabled))
	case s.Complete.IsUnknown() || known && !whole:
		ways = append(ways, unsure(evidence.Forever, "something outside of what was scanned may keep it", s.Complete))
	case len(s.To) == 0:
		ways = append(ways, way{gets: nowhere, ends: "the records go nowhere", at: s.Complete.At()})
	default:
		if copies := checks.Copied(h.View, s); copies.IsUnknown() {
			ways = append(ways, unsure(evidence.Forever, "copies that were not seen may be kept longer", copies))
		}
	}
	return ways
}

// way is the one to a store, by the first delivery on it.
func (h surveyor) way(s evidence.LogSource, first evidence.Delivery, r checks.Reached) way {
	w := h.found(s, first, r)
	if name := checks.Named(r.Store.Subject); name != "" && strings.Contains(w.ends, name) {
		w.like = strings.ReplaceAll(w.ends, name, r.Store.Kind)
	}
	return w
}

func (h surveyor) found(s evidence.LogSource, first evidence.Delivery, r checks.Reached) way {
	lives := h.Lasts(r.Store)
	outlives, known := lives.Get()
	extent, comes := r.By.Extent.Get()
	if comes && extent.Grade == evidence.None {
		return way{gets: thrownAway, ends: "the output is thrown away", at: r.By.Extent.At()}
	}
	if known && !outlives {
		return way{gets: endsWithIt, ends: "records end with what writes them", at: r.Store.On.At()}
	}
	days, timed := r.Store.Kept.Get()
	bytes, bounded := r.Store.Bytes.Get()
	if days >= evidence.Forever && bounded { // bytes alone promise no time
		days = 0
	}
	days = min(max(days, 0), evidence.Forever)
	kept, young := days, false
	since, begun := s.Since.Get()
	if begun {
		days = min(days, max(int(h.Now.Sub(since)/(24*time.Hour)), 0))
		young = days < kept
	}
	most := evidence.Forever
	if timed {
		most = days
	}
	name := checks.Named(r.Store.Subject)
	works := checks.Worst([]evidence.Delivery{first, r.By}, func(d evidence.Delivery) checks.Verdict { return checks.Delivers(h.View, s, d) })
	readable, asked := r.Store.Readable.Get()
	switch {
	case s.Enabled.IsUnknown():
		return unsure(most, "what the program records is not known", s.Enabled)
	case s.Hidden.IsUnknown():
		return unsure(most, "a mount may keep the records away", s.Hidden)
	case !comes:
		return unsure(most, "whether records come to "+name+" is not known", r.By.Extent)
	case !known:
		return unsure(most, "whether "+name+" outlives what writes to it is not known", lives)
	case works.Outcome == checks.Fail:
		return way{gets: nowhere, ends: works.Message, at: works.Because.At()}
	case works.Outcome == checks.NotAssessed:
		return unsure(most, "whether records arrive in "+name+" is not known", works.Because)
	case asked && !readable:
		return way{gets: nowhere, ends: name + " cannot be read", at: r.Store.Readable.At()}
	case !r.Store.Readable.IsZero() && r.Store.Readable.IsUnknown():
		return unsure(most, "whether "+name+" can be read is not known", r.Store.Readable)
	case !s.Since.IsZero() && s.Since.IsUnknown():
		return unsure(most, "since when it records is not known", s.Since)
	case !timed && !r.Scanned:
		return unsure(most, "kept by "+name+", for a time that was not scanned", r.By.Extent)
	case !timed:
		return unsure(most, "kept by "+name+", for a time that was not scanned", r.Store.Kept)
	}
	w := way{days: days, most: days, gets: held, ends: "kept by " + name, at: r.Store.Kept.At(), partly: lossy(s, first, r.By)}
	switch {
	case young:
		w.ends, w.at = "records only since "+since.UTC().Format(time.DateOnly), s.Since.At()
	case days == 0 && bounded:
		w.ends, w.at = fmt.Sprintf("kept by %s; bytes bound it, to %s", name, checks.Size(bytes)), r.Store.Bytes.At()
	case days == 0 && r.Store.Bytes.IsMoot():
		w.ends = name + " promises no time"
	case days == 0:
		w.ends += "; bytes bound it"
	case bounded:
		w.ends += ", unless bytes bound it sooner"
	}
	w.hot, w.mostHot = h.hot(r.Store, days)
	if bounded {
		w.seen, w.wasSeen = seen(r.Store)
	}
	return w
}

// seen returns how many whole days lie between the oldest and the newest record that were seen in a store.
func seen(s evidence.LogStore) (days int, known bool) {
	oldest, begins := s.Oldest.Get()
	newest, ends := s.Newest.Get()
	if !begins || !ends {
		return 0, false
	}
	return max(int(newest.Sub(oldest)/(24*time.Hour)), 0), true
}

// hot returns how many of the days that a store keeps are at hand: those that are promised, and the most that it can be.
func (h surveyor) hot(s evidence.LogStore, days int) (least, most int) {
	cold, goes := s.ColdAfter.Get()
	restore, timed := s.Restore.Get()
	before := min(days, max(cold, 0))
	switch {
	case s.ColdAfter.IsMoot(), timed && goes && restore <= int64(h.Policy.RestoreWithin/time.Second):
		return days, days
	case !goes:
		return 0, days
	case timed:
		return before, before
	}
	return before, days
}

// lossy reports whether not every event is known to come: a filter, a sensor that takes some, a way that drops.
func lossy(s evidence.LogSource, ways ...evidence.Delivery) bool {
	for _, d := range ways {
		safe, known := d.Lossless.Get()
		extent, comes := d.Extent.Get()
		if known && !safe || comes && extent.Grade != evidence.All {
			return true
		}
	}
	for _, p := range s.Parts {
		if extent, known := p.Get(); known && extent.Grade != evidence.All {
			return true
		}
	}
	return false
}

// A Stretch is what one line of a report says of the horizon: assets that look equally far back, for the same reason.
type Stretch struct {
	Activity evidence.Activity // empty for the lists of Unseen
	Reach
	Rows   []Row    // of a large scan, examples
	Assets int      // how many there are
	Kind   string   // of the assets; "asset" where there are several
	Unseen []string // lists of things that could not be had, instead of assets
}

// unseen returns what is in the list that could not be had, of a row of what stands for that.
func unseen(row Row) string {
	if strings.HasPrefix(row.Asset.ID.Thing(), "unseen/") {
		return row.Asset.Kind
	}
	return ""
}

// Stretches groups the rows of what runs in production: the shortest look back first, then the one of most assets. Those
// that end in several stores of one kind are one, and so are all lists that could not be had.
func (r *Report) Stretches() []Stretch {
	type key struct {
		activity evidence.Activity
		reach    Reach
		kind     string
		unseen   bool
	}
	var out []Stretch
	several := map[int]bool{}
	index := map[key]int{}
	add := func(row Row, n int, kind string, many bool) *Stretch {
		k := key{activity: row.Activity, reach: row.Reach.alike()}
		s := Stretch{Activity: row.Activity, Reach: row.Reach, Kind: kind}
		list := unseen(row)
		if list != "" {
			k = key{unseen: true}
			s = Stretch{Reach: Reach{AtLeast: true}, Kind: "list"}
		} else if row.Like != "" {
			k.kind = kind
		}
		i, ok := index[k]
		if !ok {
			i = len(out)
			index[k] = i
			out = append(out, s)
		}
		to := &out[i]
		to.Assets += n
		switch {
		case list != "" && !slices.Contains(to.Unseen, list):
			to.Unseen = append(to.Unseen, list)
		case list == "" && to.Kind != kind:
			to.Kind = "asset"
		}
		several[i] = several[i] || list == "" && (many || to.Ends != row.Ends)
		return to
	}
	for _, row := range r.Horizon {
		if !row.Development {
			s := add(row, 1, row.Asset.Kind, false)
			s.Rows = append(s.Rows, row)
		}
	}
	for _, rest := range r.RestRows {
		if !rest.Like.Development {
			add(rest.Like, rest.Rows, rest.Kind, rest.Several)
		}
	}
	for i := range out {
		switch s := &out[i]; {
		case len(s.Unseen) > 0:
			slices.Sort(s.Unseen)
			s.Ends = strings.Join(s.Unseen, ", ")
		case several[i]:
			s.Ends += ", and others like it"
		}
	}
	slices.SortStableFunc(out, func(a, b Stretch) int {
		return cmp.Or(cmp.Compare(a.Total, b.Total), compareBool(a.AtLeast, b.AtLeast), cmp.Compare(b.Assets, a.Assets))
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

// Days writes how far back a row or stretch reaches: "0 days", "at least 30 days", "as long as nobody deletes it"; "not
// assessed" where nothing is promised and something unknown could reach further.
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
		return "not assessed"
	case atLeast:
		return "at least " + days
	}
	return days
}
