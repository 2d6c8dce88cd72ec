package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"lookback/checks"
	"lookback/evidence"
)

var at = evidence.Origin{File: "compose.yaml", Line: 1}

func line1(n int) evidence.Origin { return evidence.Origin{File: "compose.yaml", Line: n} }

// store is one on the machine, scanned in full, that keeps records for days and is bounded by nothing else.
func store(id evidence.ID, days int, change ...func(*evidence.LogStore)) *evidence.LogStore {
	s := &evidence.LogStore{
		Subject: evidence.Subject{ID: "t//" + id, Name: string(id)}, On: evidence.Known([]evidence.ID{"t//host"}, at),
		Kept: evidence.Known(days, line1(30)), Bytes: evidence.Moot[int64](at), ColdAfter: evidence.Moot[int](at),
		Restore: evidence.Moot[int64](at), Complete: evidence.Known(true, at),
	}
	for _, c := range change {
		c(s)
	}
	return s
}

func cold(after int, restore evidence.Value[int64]) func(*evidence.LogStore) {
	return func(s *evidence.LogStore) { s.ColdAfter, s.Restore = evidence.Known(after, at), restore }
}

func copies(to ...evidence.ID) func(*evidence.LogStore) {
	return func(s *evidence.LogStore) {
		for _, id := range to {
			s.To = append(s.To, all("t//"+id))
		}
	}
}

func inside(s *evidence.LogStore)  { s.On = evidence.Known([]evidence.ID{"t//web"}, line1(31)) }
func bounded(s *evidence.LogStore) { s.Bytes = evidence.Known(int64(50<<20), line1(32)) }

func all(to evidence.ID) evidence.Delivery {
	return evidence.Delivery{To: to, Extent: evidence.Known(evidence.Extent{Grade: evidence.All}, line1(20)), Lossless: evidence.Known(true, at)}
}

func grade(to evidence.ID, g evidence.Grade) evidence.Delivery {
	d := all("t//" + to)
	d.Extent = evidence.Known(evidence.Extent{Grade: g}, line1(21))
	return d
}

// writes is a source of the container that is on, in nobody's way, and known in full.
func writes(to ...evidence.Delivery) *evidence.LogSource {
	return &evidence.LogSource{
		Subject:  evidence.Subject{ID: "t//web/out#application", Name: "its output", At: at},
		Activity: evidence.Application, Covers: []evidence.ID{"t//web"}, Enabled: evidence.Known(true, line1(10)),
		Hidden: evidence.Known(evidence.HiddenNot, at), Complete: evidence.Known(true, line1(11)), To: to,
	}
}

func to(ids ...evidence.ID) []evidence.Delivery {
	var out []evidence.Delivery
	for _, id := range ids {
		out = append(out, all("t//"+id))
	}
	return out
}

func but(s *evidence.LogSource, change func(*evidence.LogSource)) *evidence.LogSource {
	change(s)
	return s
}

func web(change ...func(*evidence.Asset)) *evidence.Asset {
	a := &evidence.Asset{
		Subject: evidence.Subject{ID: "t//web", Kind: "service", Name: "web"}, In: evidence.Known[evidence.ID]("t//host", at),
		Looked: map[evidence.Activity]evidence.Value[bool]{evidence.Application: evidence.Known(true, line1(2))},
	}
	for _, c := range change {
		c(a)
	}
	return a
}

var host = &evidence.Asset{Subject: evidence.Subject{ID: "t//host", Kind: "machine"}, In: evidence.Moot[evidence.ID](at), Host: true}

// rows judges records and writes each row down: how far back, why, and where that was seen.
func rows(records ...evidence.Record) []string {
	set := &evidence.Set{Records: records}
	set.Sort()
	var out []string
	for _, r := range New(set, Options{Policy: checks.DefaultPolicy()}).Horizon {
		out = append(out, strings.TrimSuffix(fmt.Sprintf("%s: %s; %s", r.Back(), r.Ends, Where(r.Because)), "; "))
	}
	return out
}

// TestHorizonOfWhatWasSeen is about stores that bytes bound, and into which somebody looked.
func TestHorizonOfWhatWasSeen(t *testing.T) {
	known := func(t time.Time) evidence.Value[time.Time] { return evidence.Known(t, line1(12)) }
	newest := time.Date(2026, 6, 1, 11, 0, 0, 0, time.UTC)
	from := func(oldest time.Time) func(*evidence.LogStore) {
		return func(s *evidence.LogStore) { s.Oldest, s.Newest = known(oldest), known(newest) }
	}
	nine := from(newest.Add(-(9*24 + 10) * time.Hour))
	half := func(s *evidence.LogStore) { s.Oldest = known(newest.AddDate(0, 0, -9)) }
	const why = ": kept by log; bytes bound it, to 50 MiB; compose.yaml:32"
	for name, tt := range map[string]struct {
		records []evidence.Record
		want    string
	}{
		"nine days and a half":   {[]evidence.Record{store("log", 0, bounded, nine), writes(to("log")...)}, "9 days seen at the scan, a flood shortens it" + why},
		"one day":                {[]evidence.Record{store("log", 0, bounded, from(newest.AddDate(0, 0, -1))), writes(to("log")...)}, "1 day seen at the scan, a flood shortens it" + why},
		"an hour":                {[]evidence.Record{store("log", 0, bounded, from(newest.Add(-time.Hour))), writes(to("log")...)}, "less than a day seen at the scan, a flood shortens it" + why},
		"a clock that went back": {[]evidence.Record{store("log", 0, bounded, from(newest.AddDate(0, 0, 9))), writes(to("log")...)}, "less than a day seen at the scan, a flood shortens it" + why},
		"nobody looked":          {[]evidence.Record{store("log", 0, bounded), writes(to("log")...)}, "0 days" + why},
		"only one end was seen":  {[]evidence.Record{store("log", 0, bounded, half), writes(to("log")...)}, "0 days" + why},
		"bytes do not bound it":  {[]evidence.Record{store("log", 30, nine), writes(to("log")...)}, "30 days: kept by log; compose.yaml:30"},
		"a time is promised too": {[]evidence.Record{store("log", 30, bounded, nine), writes(to("log")...)}, "30 days: kept by log, unless bytes bound it sooner; compose.yaml:30"},
		"a copy promises longer": {[]evidence.Record{store("log", 0, bounded, nine, copies("far")), store("far", 400), writes(to("log")...)}, "400 days: kept by far; compose.yaml:30"},
		"the longest of two":     {[]evidence.Record{store("log", 0, bounded, nine), store("new", 0, bounded, from(newest)), writes(to("new", "log")...)}, "9 days seen at the scan, a flood shortens it: kept by log; bytes bound it, to 50 MiB; compose.yaml:32"},
		"an unknown stays one":   {[]evidence.Record{store("log", 0, bounded, nine), writes(to("log", "far")...)}, "not assessed; 9 days seen at the scan, a flood shortens it: kept by remote store \"far\", for a time that was not scanned; compose.yaml:20"},
		"not what ends with it":  {[]evidence.Record{store("log", 0, bounded, nine, inside), writes(to("log")...)}, "0 days: records end with what writes them; compose.yaml:31"},
		"not what may be hidden": {[]evidence.Record{store("log", 0, bounded, nine), but(writes(to("log")...), func(s *evidence.LogSource) { s.Hidden = evidence.Unknown[evidence.Hiding](evidence.Failed, at) })}, "0 days: a mount may keep the records away; compose.yaml:1"},
	} {
		t.Run(name, func(t *testing.T) {
			got := rows(append(tt.records, web(), host)...)
			if len(got) != 1 || got[0] != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestHorizonOfTime is about when records began to be written, and when they last arrived.
func TestHorizonOfTime(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	known := func(t time.Time) evidence.Value[time.Time] { return evidence.Known(t, line1(12)) }
	denied := evidence.Unknown[time.Time](evidence.Denied, evidence.Origin{Call: "cloudtrail:GetTrailStatus"})
	since := func(v evidence.Value[time.Time]) func(*evidence.LogSource) {
		return func(s *evidence.LogSource) { s.Since = v }
	}
	last := func(v evidence.Value[time.Time]) func(*evidence.LogSource) {
		return func(s *evidence.LogSource) { s.To[0].Last = v }
	}
	failing := func(v evidence.Value[string]) func(*evidence.LogSource) {
		return func(s *evidence.LogSource) { s.To[0].Error = v }
	}
	year := func(change ...func(*evidence.LogStore)) *evidence.LogStore { return store("log", 365, change...) }
	readable := func(v evidence.Value[bool]) func(*evidence.LogStore) {
		return func(s *evidence.LogStore) { s.Readable = v }
	}
	unseen := func(v evidence.Value[bool]) func(*evidence.LogStore) {
		return func(s *evidence.LogStore) { s.Complete = v }
	}
	for name, tt := range map[string]struct {
		source func(*evidence.LogSource)
		store  *evidence.LogStore
		want   string
	}{
		"since twelve days":            {since(known(now.AddDate(0, 0, -12))), year(), "12 days: records only since 2026-05-20; compose.yaml:12"},
		"since less than a whole day":  {since(known(now.Add(-23 * time.Hour))), year(), "0 days: records only since 2026-05-31; compose.yaml:12"},
		"since longer than it is kept": {since(known(now.AddDate(-2, 0, 0))), year(), "365 days: kept by log; compose.yaml:30"},
		"since tomorrow":               {since(known(now.AddDate(0, 0, 1))), year(), "0 days: records only since 2026-06-02; compose.yaml:12"},
		"nobody asks since when":       {since(evidence.Value[time.Time]{}), year(), "365 days: kept by log; compose.yaml:30"},
		"no meaning":                   {since(evidence.Moot[time.Time](at)), year(), "365 days: kept by log; compose.yaml:30"},
		"nobody may see since when":    {since(denied), year(), "not assessed: we may not call cloudtrail:GetTrailStatus; cloudtrail:GetTrailStatus"},
		"nobody could see since when":  {since(evidence.Unknown[time.Time](evidence.Failed, line1(12))), year(), "not assessed: since when it records is not known; compose.yaml:12"},
		"since then, in a cold store":  {since(known(now.AddDate(0, 0, -12))), year(cold(3, evidence.Known[int64](86400, at))), "12 days, 3 days of it at hand: records only since 2026-05-20; compose.yaml:12"},
		"how long it is kept is not known": {
			since(known(now.AddDate(0, 0, -12))), year(func(s *evidence.LogStore) { s.Kept = evidence.Unknown[int](evidence.Failed, line1(30)) }),
			"not assessed: kept by log, for a time that was not scanned; compose.yaml:30",
		},

		"it arrived today":               {last(known(now.Add(-time.Hour))), year(), "365 days: kept by log; compose.yaml:30"},
		"it arrived last in January":     {last(known(now.AddDate(0, -5, 0))), year(), "0 days: nothing has arrived in log since 2026-01-01; compose.yaml:12"},
		"nobody may see when":            {last(denied), year(), "not assessed: we may not call cloudtrail:GetTrailStatus; cloudtrail:GetTrailStatus"},
		"the last attempt worked":        {failing(evidence.Known("", line1(13))), year(), "365 days: kept by log; compose.yaml:30"},
		"the last attempt failed":        {failing(evidence.Known("NoSuchBucket", line1(13))), year(), "0 days: delivery to log fails: NoSuchBucket; compose.yaml:13"},
		"whether it worked is not known": {failing(evidence.Unknown[string](evidence.Failed, line1(13))), year(), "not assessed: whether records arrive in log is not known; compose.yaml:13"},

		"its key is in force":                   {func(*evidence.LogSource) {}, year(readable(evidence.Known(true, line1(33)))), "365 days: kept by log; compose.yaml:30"},
		"it has no key":                         {func(*evidence.LogSource) {}, year(readable(evidence.Moot[bool](line1(33)))), "365 days: kept by log; compose.yaml:30"},
		"its key is disabled":                   {func(*evidence.LogSource) {}, year(readable(evidence.Known(false, line1(33)))), "0 days: log cannot be read; compose.yaml:33"},
		"whether its key is in force is hidden": {func(*evidence.LogSource) {}, year(readable(evidence.Unknown[bool](evidence.Failed, line1(33)))), "not assessed: whether log can be read is not known; compose.yaml:33"},
		"copies that nobody saw":                {func(*evidence.LogSource) {}, year(unseen(evidence.Unknown[bool](evidence.Failed, line1(34)))), "at least 365 days: kept by log; compose.yaml:30"},
	} {
		t.Run(name, func(t *testing.T) {
			set := &evidence.Set{Ended: now, Records: []evidence.Record{host, web(), but(writes(to("log")...), tt.source), tt.store}}
			set.Sort()
			var got []string
			for _, r := range New(set, Options{Policy: checks.DefaultPolicy()}).Horizon {
				got = append(got, fmt.Sprintf("%s: %s; %s", r.Back(), r.Ends, Where(r.Because)))
			}
			if len(got) != 1 || got[0] != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// TestHorizonOfAnAccount has what a platform keeps by itself beside a trail that was turned on last week.
func TestHorizonOfAnAccount(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	account := &evidence.Asset{Subject: evidence.Subject{ID: "aws:1//account", Kind: "account"}, In: evidence.Moot[evidence.ID](at), Lasting: true}
	region := &evidence.Asset{
		Subject: evidence.Subject{ID: "aws:1/eu-west-1//region", Kind: "region"}, In: evidence.Known(account.ID, at), Lasting: true,
		Looked: map[evidence.Activity]evidence.Value[bool]{evidence.CloudAPI: evidence.Known(true, at), evidence.Detection: evidence.Known(true, at)},
	}
	on := func(id evidence.ID, covers evidence.ID, to evidence.ID) *evidence.LogSource {
		return &evidence.LogSource{
			Subject: evidence.Subject{ID: id + "#cloud-api"}, Activity: evidence.CloudAPI, Covers: []evidence.ID{covers},
			Enabled: evidence.Known(true, at), Hidden: evidence.Moot[evidence.Hiding](at), Complete: evidence.Known(true, at), To: []evidence.Delivery{all(to)},
		}
	}
	history, trail := on("aws:1/eu-west-1//event-history", region.ID, "aws:1/eu-west-1//event-history"), on("aws:1//trail/main", account.ID, "aws://s3/trails")
	history.Floor = true
	trail.Since = evidence.Known(now.AddDate(0, 0, -7), at)
	rests := func(id evidence.ID, name string, days int) *evidence.LogStore {
		return store("", days, func(s *evidence.LogStore) {
			s.ID, s.Name, s.On = id, name, evidence.Known([]evidence.ID{account.ID}, at)
		})
	}
	set := &evidence.Set{Ended: now, Records: []evidence.Record{
		account, region, history, trail, rests("aws:1/eu-west-1//event-history", "history", 90), rests("aws://s3/trails", "trails", evidence.Forever),
	}}
	set.Sort()
	var got []string
	for _, r := range New(set, Options{Policy: checks.DefaultPolicy()}).Horizon {
		got = append(got, fmt.Sprintf("%s %s %s: %s", r.Asset.ID, r.Activity, r.Back(), r.Ends))
	}
	want := []string{
		"aws:1/eu-west-1//region cloud-api 90 days: kept by history",
		"aws:1/eu-west-1//region detection 0 days: nothing is written",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestHorizon(t *testing.T) {
	unknown := evidence.Unknown[bool]
	for name, tt := range map[string]struct {
		records []evidence.Record
		want    string // "" is no row
	}{
		// What sets the number.
		"kept for a time":             {[]evidence.Record{web(), writes(to("log")...), store("log", 30)}, "30 days: kept by log; compose.yaml:30"},
		"kept for a day":              {[]evidence.Record{web(), writes(to("log")...), store("log", 1)}, "1 day: kept by log; compose.yaml:30"},
		"nothing deletes it":          {[]evidence.Record{web(), writes(to("log")...), store("log", evidence.Forever)}, "as long as nobody deletes it: kept by log; compose.yaml:30"},
		"the furthest of two stores":  {[]evidence.Record{web(), writes(to("log", "bucket")...), store("log", 30), store("bucket", 365)}, "365 days: kept by bucket; compose.yaml:30"},
		"in either order":             {[]evidence.Record{web(), writes(to("bucket", "log")...), store("log", 30), store("bucket", 365)}, "365 days: kept by bucket; compose.yaml:30"},
		"the furthest of two sources": {[]evidence.Record{web(), writes(to("log")...), but(writes(to("bucket")...), func(s *evidence.LogSource) { s.ID = "t//a#application" }), store("log", 30), store("bucket", 365)}, "365 days: kept by bucket; compose.yaml:30"},
		"a copy of a copy":            {[]evidence.Record{web(), writes(to("json")...), store("json", 0, inside, copies("log")), store("log", 30, copies("bucket")), store("bucket", 365)}, "365 days: kept by bucket; compose.yaml:30"},
		"a circle of copies":          {[]evidence.Record{web(), writes(to("log")...), store("log", 30, copies("bucket")), store("bucket", 365, copies("log", "bucket"))}, "365 days: kept by bucket; compose.yaml:30"},
		"a source of what holds it":   {[]evidence.Record{web(), but(writes(to("log")...), func(s *evidence.LogSource) { s.Covers = []evidence.ID{"t//host"} }), store("log", 30)}, "30 days: kept by log; compose.yaml:30"},
		"another activity":            {[]evidence.Record{web(), but(writes(to("log")...), func(s *evidence.LogSource) { s.Activity = evidence.DNS }), store("log", 30)}, "0 days: nothing is written; compose.yaml:2"},
		"a number of days below zero": {[]evidence.Record{web(), writes(to("log")...), store("log", -5)}, "0 days: log promises no time; compose.yaml:30"},
		"more days than there are":    {[]evidence.Record{web(), writes(to("log")...), store("log", math.MaxInt)}, "as long as nobody deletes it: kept by log; compose.yaml:30"},

		// Bytes alone promise nothing.
		"bytes bound it":           {[]evidence.Record{web(), writes(to("log")...), store("log", 0, bounded)}, "0 days: kept by log; bytes bound it, to 50 MiB; compose.yaml:32"},
		"bytes nobody knows":       {[]evidence.Record{web(), writes(to("log")...), store("log", 0, func(s *evidence.LogStore) { s.Bytes = evidence.Value[int64]{} })}, "0 days: kept by log; bytes bound it; compose.yaml:30"},
		"no bound promises a time": {[]evidence.Record{web(), writes(to("log")...), store("log", 0)}, "0 days: log promises no time; compose.yaml:30"},
		"time and bytes bound it":  {[]evidence.Record{web(), writes(to("log")...), store("log", 30, bounded)}, "30 days: kept by log, unless bytes bound it sooner; compose.yaml:30"},
		"forever, within bytes":    {[]evidence.Record{web(), writes(to("log")...), store("log", evidence.Forever, bounded)}, "0 days: kept by log; bytes bound it, to 50 MiB; compose.yaml:32"},

		// What keeps nothing.
		"a source that is off":            {[]evidence.Record{web(), but(writes(to("log")...), func(s *evidence.LogSource) { s.Enabled = evidence.Known(false, line1(12)) }), store("log", 30)}, "0 days: nothing is written; compose.yaml:12"},
		"off, whatever else may take it":  {[]evidence.Record{web(), but(writes(), func(s *evidence.LogSource) { s.Enabled, s.Complete = evidence.Known(false, line1(12)), unknown("", at) })}, "0 days: nothing is written; compose.yaml:12"},
		"no source at all":                {[]evidence.Record{web()}, "0 days: nothing is written; compose.yaml:2"},
		"it ends with the container":      {[]evidence.Record{web(), writes(to("json")...), store("json", 30, inside)}, "0 days: records end with what writes them; compose.yaml:31"},
		"thrown away":                     {[]evidence.Record{web(), writes(grade("log", evidence.None)), store("log", 30)}, "0 days: the output is thrown away; compose.yaml:21"},
		"it goes nowhere":                 {[]evidence.Record{web(), writes()}, "0 days: the records go nowhere; compose.yaml:11"},
		"diverted into a mount":           {[]evidence.Record{web(), but(writes(to("log")...), func(s *evidence.LogSource) { s.Hidden = evidence.Known(evidence.HiddenDiverted, line1(13)) }), store("log", 30)}, "0 days: a mount keeps the records away; compose.yaml:13"},
		"a volume that keeps nothing":     {[]evidence.Record{web(), but(writes(to("log")...), func(s *evidence.LogSource) { s.Hidden = evidence.Known(evidence.HiddenNothing, line1(13)) }), store("log", 30)}, "0 days: a mount keeps the records away; compose.yaml:13"},
		"a mount that keeps what it took": {[]evidence.Record{web(), but(writes(to("log")...), func(s *evidence.LogSource) { s.Hidden = evidence.Known(evidence.HiddenDiverted, line1(13)) }), but(writes(to("bind")...), func(s *evidence.LogSource) { s.ID = "t//web/file#application" }), store("log", 365), store("bind", 30)}, "30 days: kept by bind; compose.yaml:30"},
		"a sensor's log in its container": {[]evidence.Record{
			&evidence.Asset{Subject: host.Subject, In: host.In, Host: true, Looked: map[evidence.Activity]evidence.Value[bool]{evidence.Process: here}},
			writes(to("json")...), web(func(a *evidence.Asset) { a.Looked = nil }), store("json", 30, inside),
			but(writes(to("json")...), func(s *evidence.LogSource) {
				s.ID, s.Activity, s.Covers = "t//host#process", evidence.Process, []evidence.ID{"t//host"}
			}),
		}, "0 days: records end with what writes them; compose.yaml:31"},
		"of several, what came furthest": {[]evidence.Record{
			web(), writes(grade("log", evidence.None)), store("log", 30), store("journal", 0, bounded),
			but(writes(to("json")...), func(s *evidence.LogSource) { s.ID = "t//b#application" }), store("json", 0, inside),
			but(writes(to("journal")...), func(s *evidence.LogSource) { s.ID = "t//c#application" }),
			but(writes(), func(s *evidence.LogSource) {
				s.ID, s.Enabled = "t//a#application", evidence.Known(false, at)
			}),
		}, "0 days: kept by journal; bytes bound it, to 50 MiB; compose.yaml:32"},

		// What is at hand.
		"cold before the end":            {[]evidence.Record{web(), writes(to("log")...), store("log", 365, cold(90, evidence.Known(int64(43200), at)))}, "365 days, 90 days of it at hand: kept by log; compose.yaml:30"},
		"back within the hour":           {[]evidence.Record{web(), writes(to("log")...), store("log", 365, cold(90, evidence.Known(int64(3600), at)))}, "365 days: kept by log; compose.yaml:30"},
		"back a second after the hour":   {[]evidence.Record{web(), writes(to("log")...), store("log", 365, cold(90, evidence.Known(int64(3601), at)))}, "365 days, 90 days of it at hand: kept by log; compose.yaml:30"},
		"back after a very long time":    {[]evidence.Record{web(), writes(to("log")...), store("log", 365, cold(90, evidence.Known(int64(math.MaxInt64), at)))}, "365 days, 90 days of it at hand: kept by log; compose.yaml:30"},
		"nobody knows how fast":          {[]evidence.Record{web(), writes(to("log")...), store("log", 365, cold(90, evidence.Value[int64]{}))}, "365 days, at least 90 days of it at hand: kept by log; compose.yaml:30"},
		"nobody knows when":              {[]evidence.Record{web(), writes(to("log")...), store("log", 365, func(s *evidence.LogStore) { s.ColdAfter = evidence.Value[int]{} })}, "365 days, at hand not assessed: kept by log; compose.yaml:30"},
		"cold at once":                   {[]evidence.Record{web(), writes(to("log")...), store("log", 365, cold(0, evidence.Known(int64(43200), at)))}, "365 days, 0 days of it at hand: kept by log; compose.yaml:30"},
		"cold before there was anything": {[]evidence.Record{web(), writes(to("log")...), store("log", 365, cold(-3, evidence.Known(int64(43200), at)))}, "365 days, 0 days of it at hand: kept by log; compose.yaml:30"},
		"cold after it is gone":          {[]evidence.Record{web(), writes(to("log")...), store("log", 30, cold(90, evidence.Known(int64(43200), at)))}, "30 days: kept by log; compose.yaml:30"},
		"cold, and nothing deletes it":   {[]evidence.Record{web(), writes(to("log")...), store("log", evidence.Forever, cold(90, evidence.Known(int64(43200), at)))}, "as long as nobody deletes it, 90 days of it at hand: kept by log; compose.yaml:30"},
		"an archive beside what is warm": {[]evidence.Record{web(), writes(to("log", "bucket")...), store("log", 90), store("bucket", 365, cold(0, evidence.Known(int64(43200), at)))}, "365 days, 90 days of it at hand: kept by bucket; compose.yaml:30"},
		"what is warm is not known":      {[]evidence.Record{web(), writes(all("syslog:x//"), all("t//log")), store("log", 365, cold(90, evidence.Known(int64(43200), at)))}, "at least 365 days, at least 90 days of it at hand: kept by log; compose.yaml:30"},

		// Filters, samples, ways that drop.
		"a filter":                        {[]evidence.Record{web(), writes(grade("log", evidence.Some)), store("log", 30)}, "30 days, partly: kept by log; compose.yaml:30"},
		"a grade that is none":            {[]evidence.Record{web(), writes(grade("log", "")), store("log", 30)}, "30 days, partly: kept by log; compose.yaml:30"},
		"a filter before a copy":          {[]evidence.Record{web(), writes(grade("log", evidence.Some)), store("log", 30, copies("bucket")), store("bucket", 365)}, "365 days, partly: kept by bucket; compose.yaml:30"},
		"a filter in between":             {[]evidence.Record{web(), writes(to("log")...), store("log", 30, func(s *evidence.LogStore) { s.To = []evidence.Delivery{grade("bucket", evidence.Some)} }), store("bucket", 365)}, "365 days, partly: kept by bucket; compose.yaml:30"},
		"a way that drops":                {[]evidence.Record{web(), writes(evidence.Delivery{To: "t//log", Extent: all("").Extent, Lossless: evidence.Known(false, at)}), store("log", 30)}, "30 days, partly: kept by log; compose.yaml:30"},
		"a way that drops before a copy":  {[]evidence.Record{web(), writes(evidence.Delivery{To: "t//log", Extent: all("").Extent, Lossless: evidence.Known(false, at)}), store("log", 30, copies("bucket")), store("bucket", 365)}, "365 days, partly: kept by bucket; compose.yaml:30"},
		"nobody knows whether it drops":   {[]evidence.Record{web(), writes(evidence.Delivery{To: "t//log", Extent: all("").Extent}), store("log", 30)}, "30 days: kept by log; compose.yaml:30"},
		"a part that is left out":         {[]evidence.Record{web(), but(writes(to("log")...), parts(evidence.None)), store("log", 30)}, "30 days, partly: kept by log; compose.yaml:30"},
		"all of a part":                   {[]evidence.Record{web(), but(writes(to("log")...), parts(evidence.All)), store("log", 30)}, "30 days: kept by log; compose.yaml:30"},
		"some for long, all for the same": {[]evidence.Record{web(), writes(grade("a", evidence.Some), all("t//b")), store("a", 30), store("b", 30)}, "30 days: kept by b; compose.yaml:30"},
		"some for longer":                 {[]evidence.Record{web(), writes(grade("a", evidence.Some), all("t//b")), store("a", 31), store("b", 30)}, "31 days, partly: kept by a; compose.yaml:30"},
		"a part of nothing is no part":    {[]evidence.Record{web(), writes(grade("log", evidence.Some)), store("log", 0)}, "0 days: log promises no time; compose.yaml:30"},

		// What nobody could tell.
		"a store that nobody scanned":    {[]evidence.Record{web(), writes(all("syslog:logs.example.net//"))}, "not assessed: kept by logs.example.net (syslog), for a time that was not scanned; compose.yaml:20"},
		"beside one that somebody did":   {[]evidence.Record{web(), writes(all("syslog:logs.example.net//"), all("t//log")), store("log", 30)}, "at least 30 days: kept by log; compose.yaml:30"},
		"beside one that keeps for good": {[]evidence.Record{web(), writes(all("syslog:logs.example.net//"), all("t//log")), store("log", evidence.Forever)}, "as long as nobody deletes it: kept by log; compose.yaml:30"},
		"how long a volume keeps":        {[]evidence.Record{web(), writes(to("log")...), store("log", 0, func(s *evidence.LogStore) { s.Kept = evidence.Unknown[int](evidence.Elsewhere, line1(33)) })}, "not assessed: kept by log, for a time that was not scanned; compose.yaml:33"},
		"what the program writes":        {[]evidence.Record{web(), but(writes(to("log")...), func(s *evidence.LogSource) { s.Enabled = unknown(evidence.Unfamiliar, line1(12)) }), store("log", 30)}, "not assessed: what the program records is not known; compose.yaml:12"},
		"whether a mount is in the way":  {[]evidence.Record{web(), but(writes(to("log")...), func(s *evidence.LogSource) { s.Hidden = unknownHiding() }), store("log", 30)}, "not assessed: a mount may keep the records away; compose.yaml:13"},
		"whether anything comes":         {[]evidence.Record{web(), writes(evidence.Delivery{To: "t//log", Extent: evidence.Unknown[evidence.Extent](evidence.Unresolved, line1(22))}), store("log", 30)}, "not assessed: whether records come to log is not known; compose.yaml:22"},
		"what a store rests on":          {[]evidence.Record{web(), writes(to("log")...), store("log", 30, func(s *evidence.LogStore) { s.On = evidence.Unknown[[]evidence.ID](evidence.Unresolved, line1(31)) })}, "not assessed: whether log outlives what writes to it is not known; compose.yaml:31"},
		"who takes it":                   {[]evidence.Record{web(), but(writes(to("json")...), func(s *evidence.LogSource) { s.Complete = unknown(evidence.Elsewhere, line1(11)) }), store("json", 0, inside)}, "not assessed: something outside of what was scanned may keep it; compose.yaml:11"},
		"that somebody takes it":         {[]evidence.Record{web(), but(writes(to("json")...), func(s *evidence.LogSource) { s.Complete = evidence.Known(false, line1(11)) }), store("json", 0, inside)}, "not assessed: something outside of what was scanned may keep it; compose.yaml:11"},
		"who else takes it":              {[]evidence.Record{web(), but(writes(to("log")...), func(s *evidence.LogSource) { s.Complete = unknown(evidence.Elsewhere, line1(11)) }), store("log", 30)}, "at least 30 days: kept by log; compose.yaml:30"},
		"a call that was refused": {[]evidence.Record{web(), but(writes(), func(s *evidence.LogSource) {
			s.Enabled, s.Complete = unknown(evidence.Denied, evidence.Origin{Call: "x:Get"}), unknown("", at)
		})}, "not assessed: we may not call x:Get; x:Get"},
		"no longer than what is known":  {[]evidence.Record{web(), writes(all("t//log")), but(writes(to("short")...), func(s *evidence.LogSource) { s.ID, s.Enabled = "t//b#application", unknown(evidence.Unfamiliar, at) }), store("log", 30), store("short", 30)}, "30 days: kept by log; compose.yaml:30"},
		"perhaps longer than what is":   {[]evidence.Record{web(), writes(all("t//log")), but(writes(to("long")...), func(s *evidence.LogSource) { s.ID, s.Enabled = "t//b#application", unknown(evidence.Unfamiliar, at) }), store("log", 30), store("long", 31)}, "at least 30 days: kept by log; compose.yaml:30"},
		"perhaps, but it ends anyway":   {[]evidence.Record{web(), but(writes(to("json")...), func(s *evidence.LogSource) { s.Enabled = unknown(evidence.Unfamiliar, at) }), store("json", 30, inside)}, "0 days: records end with what writes them; compose.yaml:31"},
		"a source may have been missed": {[]evidence.Record{web(looked(unknown(evidence.Denied, evidence.Origin{Call: "x:List"}))), writes(to("log")...), store("log", 30)}, "at least 30 days: kept by log; compose.yaml:30"},
		"every source may have been":    {[]evidence.Record{web(looked(unknown(evidence.Denied, evidence.Origin{Call: "x:List"})))}, "not assessed: we may not call x:List; x:List"},
		"missed, and kept for good":     {[]evidence.Record{web(looked(unknown(evidence.Denied, at))), writes(to("log")...), store("log", evidence.Forever)}, "as long as nobody deletes it: kept by log; compose.yaml:30"},
		"what holds it was not read": {[]evidence.Record{web(func(a *evidence.Asset) {
			a.In = evidence.Unknown[evidence.ID](evidence.Denied, evidence.Origin{Call: "x:In"})
		})}, "not assessed: we may not call x:In; x:In"},
		"an asset within itself":          {[]evidence.Record{web(func(a *evidence.Asset) { a.In = evidence.Known[evidence.ID]("t//web", at) })}, "not assessed: it lies within itself"},
		"an activity that it cannot have": {[]evidence.Record{web(looked(evidence.Moot[bool](at)))}, ""},
		"nobody looked":                   {[]evidence.Record{web(func(a *evidence.Asset) { a.Looked = nil }), writes(to("log")...), store("log", 30)}, ""},

		// What nobody can turn on (redis).
		"nothing to turn on, kept":         {[]evidence.Record{web(), but(writes(to("log")...), moot), store("log", 30)}, "30 days: kept by log; compose.yaml:30"},
		"nothing to turn on, lost":         {[]evidence.Record{web(), but(writes(to("json")...), moot), store("json", 0, inside)}, "0 days: records end with what writes them; compose.yaml:31"},
		"nothing to turn on, thrown away":  {[]evidence.Record{web(), but(writes(grade("log", evidence.None)), moot), store("log", 30)}, "0 days: the output is thrown away; compose.yaml:21"},
		"nothing to turn on, and no store": {[]evidence.Record{web(), but(writes(), moot)}, ""},

		// The owner's word.
		"declared": {[]evidence.Record{web(), writes(to("log")...), store("log", 30, func(s *evidence.LogStore) {
			s.Kept = evidence.Known(30, evidence.Origin{File: "lookback.yaml", Line: 3, Note: evidence.NoteDeclared})
		})}, "30 days: kept by log; lookback.yaml:3"},
	} {
		t.Run(name, func(t *testing.T) {
			records := tt.records
			if !slices.ContainsFunc(records, func(r evidence.Record) bool { return r.Self().ID == host.ID }) {
				records = append(records, host)
			}
			var want []string
			if tt.want != "" {
				want = []string{tt.want}
			}
			if got := rows(records...); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func moot(s *evidence.LogSource) { s.Enabled = evidence.Moot[bool](at) }

func looked(v evidence.Value[bool]) func(*evidence.Asset) {
	return func(a *evidence.Asset) { a.Looked[evidence.Application] = v }
}

func parts(g evidence.Grade) func(*evidence.LogSource) {
	return func(s *evidence.LogSource) {
		s.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{
			evidence.PartExec: evidence.Known(evidence.Extent{Grade: g}, at), evidence.PartAttach: {},
		}
	}
}

func unknownHiding() evidence.Value[evidence.Hiding] {
	return evidence.Unknown[evidence.Hiding](evidence.Unfamiliar, line1(13))
}

func TestTheNoteOfARowSaysThatTheOwnerSaidSo(t *testing.T) {
	s := store("log", 30)
	s.Kept = evidence.Known(30, evidence.Origin{File: "lookback.yaml", Note: evidence.NoteDeclared})
	set := &evidence.Set{Records: []evidence.Record{host, web(func(a *evidence.Asset) { a.Development = true }), writes(to("log")...), s}}
	row := New(set, Options{}).Horizon[0]
	if row.Because.Note != evidence.NoteDeclared || !row.Development || row.Asset.Name != "web" || row.Activity != evidence.Application {
		t.Errorf("got %+v", row)
	}
}

func TestRowsStandInOrder(t *testing.T) {
	set := &evidence.Set{}
	for _, id := range []evidence.ID{"b//1", "a//1", "c//1"} {
		set.Record(&evidence.Asset{Subject: evidence.Subject{ID: id}, In: evidence.Moot[evidence.ID](at), Looked: map[evidence.Activity]evidence.Value[bool]{
			evidence.System: here, evidence.DNS: here, evidence.Application: here,
		}})
	}
	set.Sort()
	for range 20 { // maps have no order
		var got []string
		for _, r := range New(set, Options{}).Horizon {
			got = append(got, r.Asset.ID.Target()+" "+string(r.Activity))
		}
		want := []string{"a application", "a dns", "a system", "b application", "b dns", "b system", "c application", "c dns", "c system"}
		if !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

func TestThePolicySaysWhatIsAtHand(t *testing.T) {
	set := &evidence.Set{Records: []evidence.Record{host, web(), writes(to("log")...), store("log", 365, cold(90, evidence.Known(int64(43200), at)))}}
	p := checks.DefaultPolicy()
	if got := New(set, Options{Policy: p}).Horizon[0].Hot; got != 90 {
		t.Errorf("within an hour %d days", got)
	}
	p.RestoreWithin = 12 * time.Hour
	if got := New(set, Options{Policy: p}).Horizon[0].Hot; got != 365 {
		t.Errorf("within twelve hours %d days", got)
	}
}

func TestNothingIsPromisedThatNobodySaw(t *testing.T) {
	whole := func() (*evidence.Asset, *evidence.LogSource, *evidence.LogStore) {
		return web(), writes(to("log")...), store("log", 30)
	}
	for name, blind := range map[string]func(*evidence.LogSource, *evidence.LogStore){
		"enabled":  func(s *evidence.LogSource, _ *evidence.LogStore) { s.Enabled = evidence.Value[bool]{} },
		"hidden":   func(s *evidence.LogSource, _ *evidence.LogStore) { s.Hidden = evidence.Value[evidence.Hiding]{} },
		"extent":   func(s *evidence.LogSource, _ *evidence.LogStore) { s.To[0].Extent = evidence.Value[evidence.Extent]{} },
		"on":       func(_ *evidence.LogSource, s *evidence.LogStore) { s.On = evidence.Value[[]evidence.ID]{} },
		"kept":     func(_ *evidence.LogSource, s *evidence.LogStore) { s.Kept = evidence.Value[int]{} },
		"delivery": func(s *evidence.LogSource, _ *evidence.LogStore) { s.To, s.Complete = nil, evidence.Value[bool]{} },
	} {
		t.Run(name, func(t *testing.T) {
			asset, source, store := whole()
			blind(source, store)
			row := New(&evidence.Set{Records: []evidence.Record{host, asset, source, store}}, Options{}).Horizon[0]
			if row.Total != 0 || row.Hot != 0 || !row.AtLeast || row.Back() != "not assessed" {
				t.Errorf("got %+v", row)
			}
		})
	}
}

func TestStretches(t *testing.T) {
	row := func(name string, a evidence.Activity, r Reach) Row {
		return Row{Asset: evidence.Subject{Name: name}, Activity: a, Reach: r}
	}
	app, month := evidence.Application, Reach{Total: 30, Hot: 30, Ends: "kept by log"}
	nothing := Reach{Ends: "nothing is written"}
	with := func(r Reach, change func(*Reach)) Reach {
		change(&r)
		return r
	}
	dev := row("dev", app, nothing)
	dev.Development = true
	r := &Report{Horizon: []Row{
		row("forever", app, Reach{Total: evidence.Forever, Hot: evidence.Forever}),
		row("a", app, month), dev, row("hot", app, with(month, func(r *Reach) { r.Hot = 7 })), row("b", app, month),
		row("partly", app, with(month, func(r *Reach) { r.Partly = true })), row("api", evidence.KubernetesAPI, month),
		row("more", app, with(month, func(r *Reach) { r.AtLeast = true })), row("other", app, with(month, func(r *Reach) { r.Ends = "kept by x" })),
		row("open", app, with(nothing, func(r *Reach) { r.AtLeast = true })), row("off", app, nothing),
	}}
	var got []string
	for _, s := range r.Stretches() {
		var names []string
		for _, row := range s.Rows {
			names = append(names, row.Asset.Name)
		}
		got = append(got, fmt.Sprintf("%s, %s: %s", strings.Join(names, " "), s.Activity, s.Back()))
	}
	want := []string{
		"off, application: 0 days", "open, application: not assessed",
		"a b, application: 30 days", "hot, application: 30 days, 7 days of it at hand", "partly, application: 30 days, partly",
		"api, kubernetes-api: 30 days", "other, application: 30 days", "more, application: at least 30 days",
		"forever, application: as long as nobody deletes it",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestStretchesThatReadAlikeAreOne has stores of one kind, and lists that could not be had.
func TestStretchesThatReadAlikeAreOne(t *testing.T) {
	row := func(id evidence.ID, kind string, r Reach) Row {
		return Row{Asset: evidence.Subject{ID: id, Kind: kind}, Activity: evidence.Application, Reach: r}
	}
	kept := func(name string) Reach {
		return Reach{Total: 30, Hot: 30, Ends: "kept by " + name, Like: "kept by log group"}
	}
	r := &Report{Horizon: []Row{
		row("a//1", "function", kept("x")), row("a//2", "function", kept("y")), row("a//3", "task", kept("z")),
		row("a//unseen/tasks", "tasks", Reach{AtLeast: true, Ends: "denied"}), row("b//unseen/functions", "functions", Reach{AtLeast: true}),
		row("c//unseen/tasks", "tasks", Reach{AtLeast: true}),
	}}
	var got []string
	for _, s := range r.Stretches() {
		got = append(got, fmt.Sprintf("%d %s %q: %s; %s", s.Assets, s.Kind, s.Unseen, s.Back(), s.Ends))
	}
	want := []string{
		`3 list ["functions" "tasks"]: not assessed; functions, tasks`,
		`2 function []: 30 days; kept by x, and others like it`, `1 task []: 30 days; kept by z`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestManyStretchesAndPlaces(t *testing.T) {
	const n = 100_000 // compared with each other, these take minutes
	r := &Report{}
	unknown := checks.NotKnown(evidence.Value[bool]{})
	for i := range n {
		r.Horizon = append(r.Horizon, Row{Reach: Reach{Ends: fmt.Sprint(i)}})
		v := unknown
		v.Group = fmt.Sprint(i / 2)
		r.Results = append(r.Results, about(evidence.ID(fmt.Sprintf("t%d//x", i)), medium, v), about(evidence.ID(fmt.Sprintf("t%d//y", i)), low, unknown))
	}
	if got := len(r.Stretches()); got != n {
		t.Errorf("%d stretches", got)
	}
	if got := len(r.Unknowns()); got != n/2+1 {
		t.Errorf("%d unknowns", got)
	}
}

func TestManyWritersOfOneStore(t *testing.T) {
	const n = 20_000 // each against each, these take minutes
	set := &evidence.Set{Records: []evidence.Record{host, store("log", 30)}}
	for i := range n {
		a, s := web(), writes(to("log")...)
		a.ID = evidence.ID(fmt.Sprintf("t//web%d", i))
		s.ID, s.Covers = a.ID+"/out#application", []evidence.ID{a.ID}
		set.Record(a)
		set.Record(s)
	}
	set.Sort()
	r := New(set, Options{})
	if s := r.Stretches(); len(r.Horizon) != n || len(s) != 1 || s[0].Total != 30 {
		t.Errorf("%d rows in %d stretches", len(r.Horizon), len(s))
	}
}

func TestDays(t *testing.T) {
	for _, tt := range []struct {
		total   int
		atLeast bool
		want    string
	}{
		{0, false, "0 days"},
		{0, true, "not assessed"},
		{1, false, "1 day"},
		{1, true, "at least 1 day"},
		{30, false, "30 days"},
		{30, true, "at least 30 days"},
		{evidence.Forever, false, "as long as nobody deletes it"},
		{evidence.Forever, true, "as long as nobody deletes it"},
	} {
		if got := Days(tt.total, tt.atLeast); got != tt.want {
			t.Errorf("%d, %v: got %q, want %q", tt.total, tt.atLeast, got, tt.want)
		}
	}
}
