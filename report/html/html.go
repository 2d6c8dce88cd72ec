// Package html writes a report as one HTML page that stands alone: no script, nothing loaded from anywhere, everything
// in it that other renderers have, with where each fact was seen.
package html

import (
	"bufio"
	"crypto/sha256"
	_ "embed" // the style
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"lookback/checks"
	"lookback/evidence"
	"lookback/report"
)

// How many results one list shows; the rest is counted, and stands in results.json.
const (
	mostPasses = 500
	mostOthers = 2000
	// mostStretches is how many lines the horizon has; the table of each asset has all.
	mostStretches = 50
)

// short is how many results are shown without unfolding.
const short = 12

//go:embed page.css
var style string

// Render writes a report as HTML.
func Render(w io.Writer, r *report.Report) error {
	page := writer{newPage(r), bufio.NewWriter(w)}
	page.write()
	if err := page.end(); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

// A page is a report, arranged for reading.
type page struct {
	*report.Report
	// StyleHash lets the page's own content policy admit its style and nothing else.
	StyleHash string
	Bar       []segment

	Stretches     []report.Stretch
	MoreStretches int
	Rows          int // of the horizon
	MoreRows      int // of these, in results.json alone

	MoreUnread, MoreUnanswered int

	Causes, Development, Consequences []cause
	Open                              []unknown
	Grants                            []string // actions that would have to be allowed
	Unread, Unanswered                []evidence.Gap
	Waived                            list
	Chapters                          []chapter
	Kinds                             []string // of objects that were seen and not asked about
}

// A segment of the bar, in percent.
type segment struct {
	Class, Text string
	From, Width float64
}

// A cause is a report.Cause, cut to what a page can hold.
type cause struct {
	report.Cause
	Places []place
	More   int
	Fold   bool
	Each   bool // its results have something of their own to say
	Cures  []checks.Cure
	See    string // the check whose cure stands further up
}

// An unknown is a report.Unknown, cut to what a page can hold.
type unknown struct {
	report.Unknown
	Places []blinded
	More   int // results
}

// A blinded place is a target with what could not be told of the subjects in it: those that read alike are one.
type blinded struct {
	Target   string
	Subjects []*subject
}

type subject struct {
	first  checks.Result
	checks []string
}

type place struct {
	Target  string
	Total   int
	Results []checks.Result
}

// A list is a part of the results of one check, cut to what a page can hold.
type list struct {
	Title   string
	Results []checks.Result
	More    int
	Open    bool // unfolded
}

type chapter struct {
	checks.Chapter
	Checks []*tested
}

// A tested check has results.
type tested struct {
	*checks.Check
	Pass, Fail, Waived, NotAssessed int // results that count, or that would if the check were not on demand
	Unasked                         int
	Consequences, Development       int // results that do not count
	Shown                           bool
	Lists                           []list
	Story                           []string // the whole Doc
}

func newPage(r *report.Report) *page {
	hash := sha256.Sum256([]byte(style))
	p := &page{
		Report:    r,
		StyleHash: "sha256-" + base64.StdEncoding.EncodeToString(hash[:]),
		Bar:       bar(r.Score),
		Stretches: r.Stretches(),
		Causes:    causes(r, report.Failure, true),
		Development: causes(r, func(res checks.Result) bool {
			return res.Outcome == checks.Fail && res.Development && res.Follows == ""
		}, false),
		Consequences: causes(r, func(res checks.Result) bool { return res.Outcome == checks.Fail && res.Follows != "" }, false),
		Chapters:     chapters(r),
	}
	unknowns := r.Unknowns()
	p.Grants = report.Grants(unknowns)
	for _, u := range unknowns {
		p.Open = append(p.Open, cut(u))
	}
	if n := len(p.Stretches); n > mostStretches {
		p.Stretches, p.MoreStretches = p.Stretches[:mostStretches], n-mostStretches
	}
	for _, g := range r.Gaps {
		switch {
		case report.Refused(g): // it stands with what it blinds
		case g.Bad:
			p.Unread = append(p.Unread, g)
		default:
			p.Unanswered = append(p.Unanswered, g)
		}
	}
	for _, rest := range r.RestGaps {
		switch {
		case report.Refused(rest.Like):
		case rest.Like.Bad:
			p.MoreUnread += rest.Gaps
		default:
			p.MoreUnanswered += rest.Gaps
		}
	}
	for _, rest := range r.RestRows {
		p.MoreRows += rest.Rows
	}
	p.Rows = len(r.Horizon) + p.MoreRows
	for _, res := range r.Results {
		if res.Outcome == checks.Waived {
			p.Waived.add(res)
		}
	}
	for _, rest := range r.Rest {
		if rest.Like.Outcome == checks.Waived {
			p.Waived.More += rest.Results
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Counted)) {
		p.Kinds = append(p.Kinds, fmt.Sprintf("%s (%d)", kind, r.Counted[kind]))
	}
	return p
}

func (l *list) add(res checks.Result) {
	most := mostOthers
	if res.Outcome == checks.Pass {
		most = mostPasses
	}
	if len(l.Results) == most {
		l.More++
		return
	}
	l.Results = append(l.Results, res)
}

func causes(r *report.Report, keep func(checks.Result) bool, advise bool) []cause {
	told := map[string]bool{}
	all := r.Causes(keep)
	out := make([]cause, 0, len(all))
	for _, c := range all {
		first := c.Places[0].Results[0]
		one := cause{
			Cause: c, More: c.Subjects, Fold: c.Subjects > short,
			Each: c.Subjects > 1 && !first.Plural && first.Message != first.Group,
		}
		shown := 0
		for _, p := range c.Places {
			n := min(len(p.Results), mostOthers-shown)
			if n == 0 {
				break
			}
			one.Places = append(one.Places, place{Target: p.Target, Total: p.Total(), Results: p.Results[:n]})
			shown += n
		}
		one.More -= shown
		switch {
		case !advise:
		case told[c.Check.ID]:
			one.See = c.Check.ID
		default:
			told[c.Check.ID] = true
			one.Cures = c.Cures()
		}
		out = append(out, one)
	}
	return out
}

// cut arranges what is not assessed for one reason: by target, and there by subject.
func cut(u report.Unknown) unknown {
	out := unknown{Unknown: u, More: u.More}
	shown := 0
	for _, p := range u.Places {
		n := min(len(p.Results), mostOthers-shown)
		out.More += len(p.Results) - n
		if n == 0 {
			continue
		}
		shown += n
		b := blinded{Target: p.Target}
		type key struct {
			name string
			at   evidence.Origin
		}
		by := map[key]*subject{}
		for _, res := range p.Results[:n] {
			k := key{res.Subject.Name, report.Cite(res)}
			if by[k] == nil {
				by[k] = &subject{first: res}
				b.Subjects = append(b.Subjects, by[k])
			}
			if !slices.Contains(by[k].checks, res.Check.ID) {
				by[k].checks = append(by[k].checks, res.Check.ID)
			}
		}
		out.Places = append(out.Places, b)
	}
	return out
}

// chapters arranges every result under its question. A check of a chapter that is not on the list gets one of its own.
func chapters(r *report.Report) []chapter {
	out := make([]chapter, 0, len(checks.Chapters))
	index := map[string]int{}
	for i, c := range checks.Chapters {
		out, index[c.Name] = append(out, chapter{Chapter: c}), i
	}
	lists := map[string]*[4]list{}
	byID := map[string]*tested{}
	for _, res := range r.Results {
		id := res.Check.ID
		t := byID[id]
		if t == nil {
			name := res.Check.Chapter()
			i, ok := index[name]
			if !ok {
				i = len(out)
				out, index[name] = append(out, chapter{Chapter: checks.Chapter{Name: name, Question: name}}), i
			}
			t = &tested{Check: res.Check, Unasked: r.Unasked[id], Shown: !res.Check.OnDemand || r.Verbose}
			t.Story = paragraphs(res.Check.Doc)
			byID[id], lists[id] = t, &[4]list{}
			out[i].Checks = append(out[i].Checks, t)
		}
		switch {
		case res.Follows != "":
			t.Consequences++
		case res.Development:
			t.Development++
		default:
			*t.tally(res.Outcome)++
			lists[id][place4(res.Outcome)].add(res)
		}
	}
	for _, rest := range r.Rest {
		t := byID[rest.Like.Check.ID]
		switch {
		case rest.Like.Follows != "":
			t.Consequences += rest.Results
		case rest.Like.Development:
			t.Development += rest.Results
		default:
			*t.tally(rest.Like.Outcome) += rest.Results
			lists[rest.Like.Check.ID][place4(rest.Like.Outcome)].More += rest.Results
		}
	}
	for id, t := range byID {
		for i, word := range [4]string{"fail", "not assessed", "waived", "pass"} {
			l := lists[id][i]
			if n := len(l.Results) + l.More; n > 0 {
				l.Title = fmt.Sprintf("%d %s", n, word)
				l.Open = n <= short && word != "pass"
				t.Lists = append(t.Lists, l)
			}
		}
	}
	return slices.DeleteFunc(out, func(c chapter) bool { return len(c.Checks) == 0 })
}

// place4 is where an outcome stands among the lists of a check: failures first.
func place4(o checks.Outcome) int {
	switch o {
	case checks.Fail:
		return 0
	case checks.Waived:
		return 2
	case checks.Pass:
		return 3
	}
	return 1
}

func (t *tested) tally(o checks.Outcome) *int {
	return [4]*int{&t.Fail, &t.NotAssessed, &t.Waived, &t.Pass}[place4(o)]
}

// bar is empty where nothing counts.
func bar(s report.Score) []segment {
	if !s.Asked() {
		return nil
	}
	open, rest := max(s.UpTo-s.Ready, 0), max(100-s.UpTo, 0)
	return []segment{
		{"ready", report.Percent(s.Ready) + " % ready", 0, s.Ready},
		{"open", report.Percent(open) + " % not assessed: could be ready", s.Ready, open},
		{"rest", report.Percent(rest) + " % failed or waived", s.UpTo, rest},
	}
}

func count(n int, one, many string) string {
	switch n {
	case 0:
		return "no " + many
	case 1:
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func days(n int) string { return report.Days(n, false) }

// span writes a duration of whole hours or minutes.
func span(d time.Duration) string {
	switch {
	case d > 0 && d%(24*time.Hour) == 0:
		return days(int(d / (24 * time.Hour)))
	case d > 0 && d%time.Hour == 0:
		return count(int(d/time.Hour), "hour", "hours")
	case d > 0 && d%time.Minute == 0:
		return count(int(d/time.Minute), "minute", "minutes")
	}
	return d.String()
}

// note returns what the origin of the deciding fact adds to what was said already.
func note(res checks.Result, said string) string {
	if res.Because == nil || strings.Contains(said, res.Because.At().Note) {
		return ""
	}
	return res.Because.At().Note
}

// outcome writes an outcome for a reader, with the severity of a failure.
func outcome(res checks.Result) string {
	switch res.Outcome {
	case checks.Fail:
		return "fail, " + string(res.Severity)
	case checks.NotAssessed:
		return "not assessed"
	}
	return res.Outcome.String()
}
