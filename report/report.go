// Package report turns results into what is read: a score, causes, gaps and a horizon. Renderers lie in the folders
// below it and add nothing of their own.
package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"lookback/checks"
	"lookback/evidence"
)

// A Renderer writes a report in one format. The same report gives the same bytes.
type Renderer func(w io.Writer, r *Report) error

// A Report is one scan, judged.
type Report struct {
	Tool    string // "lookback 0.1.0"
	Started time.Time
	Ended   time.Time
	Targets []string // as the user named them
	// Hosts and Accounts are the names of those that results and gaps are of, in order.
	Hosts, Accounts []string
	Partial         bool // the scan was cut short
	// Evidence is the SHA-256 of the saved evidence that was judged, in hex.
	Evidence string
	Policy   checks.Policy

	Score Score
	// Results holds every result, consequences and those of development files included; of a large scan, examples, and
	// Rest counts the others.
	Results []checks.Result
	Rest    []Rest
	// Known holds the keys of results that a baseline already had; see Key.
	Known map[string]bool
	// Unasked counts, per check, the subjects to which its question does not apply.
	Unasked map[string]int
	Gaps    []evidence.Gap
	Horizon []Row
	// RestGaps and RestRows count what is left out of Gaps and of Horizon in a large scan.
	RestGaps []RestGaps
	RestRows []RestRows
	spreads  spreads // of all results and gaps, in a large scan
	// Idle lists waivers that match nothing; Expired, those whose last day has passed.
	Idle, Expired []evidence.Waiver
	// Counted says how many objects of other kinds were seen and not asked about, per kind.
	Counted map[string]int

	// Verbose asks a renderer for reading to show what is shown only on demand, and every place.
	Verbose bool
}

// Options say how a set is judged and shown.
type Options struct {
	Checks   []*checks.Check
	Policy   checks.Policy
	Waivers  []evidence.Waiver
	Evidence string
	Known    map[string]bool
	Verbose  bool
}

// New judges a sorted set.
func New(set *evidence.Set, o Options) *Report {
	rs := checks.Run(set, o.Checks, o.Policy, o.Waivers)
	r := newReport(set, o)
	r.Results, r.Unasked, r.Idle, r.Expired = rs.All, rs.Unasked, rs.Idle, rs.Expired
	r.Gaps, r.Horizon = slices.Concat(set.Gaps, rs.Gaps), horizon(set, rs.View)
	sortGaps(r.Gaps)
	for _, res := range r.Results {
		r.name(res.Subject.ID)
	}
	for _, g := range r.Gaps {
		r.name(g.In)
	}
	r.Score = score(rs.All)
	return r
}

func newReport(set *evidence.Set, o Options) *Report {
	return &Report{
		Tool: set.Tool, Started: set.Started, Ended: set.Ended, Targets: set.Targets, Partial: set.Partial, Counted: set.Counted,
		Evidence: o.Evidence, Policy: o.Policy, Known: o.Known, Verbose: o.Verbose,
	}
}

func sortGaps(gaps []evidence.Gap) {
	slices.SortStableFunc(gaps, func(a, b evidence.Gap) int {
		return cmp.Or(cmp.Compare(a.In.Target(), b.In.Target()), cmp.Compare(a.Asked, b.Asked))
	})
}

// Headline is the score in one line. A scan that was cut short has none of the whole.
func (r *Report) Headline() string {
	if r.Partial && r.Score.Asked() {
		return "of what was read until then: " + r.Score.Headline()
	}
	return r.Score.Headline()
}

// ByUnit puts results that are in order of chapter, check and subject in the order in which a large scan gives them: one
// unit after the other, each in that order. (A bucket that has to do with one account alone comes with that account there.)
func ByUnit(results []checks.Result) {
	first := map[string]evidence.ID{} // of a unit
	for _, res := range results {
		unit := res.Subject.ID.Unit()
		if id, ok := first[unit]; !ok || res.Subject.ID < id {
			first[unit] = res.Subject.ID
		}
	}
	slices.SortStableFunc(results, func(a, b checks.Result) int {
		return cmp.Compare(first[a.Subject.ID.Unit()], first[b.Subject.ID.Unit()])
	})
}

// Key is the identity of a result, from one scan to the next: its check and its subject.
func Key(check string, subject evidence.ID) string {
	return check + " " + strings.ToValidUTF8(string(subject), "\uFFFD")
}

// Counts reports whether a result counts: in the score, as a failure, at the gate.
func Counts(r checks.Result) bool {
	return r.Follows == "" && !r.Development && !r.Check.OnDemand
}

// Gates reports whether a result is a failure that counts at or above a severity and that no baseline knows.
func (r *Report) Gates(res checks.Result, failOn checks.Severity) bool {
	return gates(res, failOn) && !r.known(res)
}

func gates(res checks.Result, failOn checks.Severity) bool {
	return Failure(res) && failOn.Rank() > 0 && res.Severity.Rank() >= failOn.Rank()
}

func (r *Report) known(res checks.Result) bool { return r.Known[Key(res.Check.ID, res.Subject.ID)] }

// Exit returns the exit code: 0 ready; 1 a failure at or above failOn ("never" is no severity, and never gates); 2 input
// that could not be read; 3 something that could not be assessed, where that is asked for: a result, a gap, or the rest of a
// scan that was cut short. 2 goes before 1, 1 before 3.
func (r *Report) Exit(failOn checks.Severity, requireAssessed bool) int {
	if slices.ContainsFunc(r.Gaps, func(g evidence.Gap) bool { return g.Bad }) {
		return 2
	}
	if slices.ContainsFunc(r.Results, func(res checks.Result) bool { return r.Gates(res, failOn) }) ||
		slices.ContainsFunc(r.Rest, func(rest Rest) bool { return rest.New > 0 && gates(rest.Like, failOn) }) {
		return 1
	}
	if requireAssessed && (r.Partial || len(r.Gaps) > 0 || slices.ContainsFunc(r.Results, func(res checks.Result) bool {
		return res.Outcome == checks.NotAssessed && Counts(res)
	})) {
		return 3
	}
	return 0
}

// A Cause is what one line of a report stands for: results of one check, outcome and group.
type Cause struct {
	Check    *checks.Check
	Outcome  checks.Outcome
	Severity checks.Severity
	Text     string // for all of it
	Places   []Place
	More     int // places that are left out in a large scan
	Subjects int // how many results
}

// A Place is the part of a cause that lies in one target.
type Place struct {
	Target  string
	Text    string // for this target
	Results []checks.Result
	Left    int // how many more results there are, in a large scan
	New     int // how many of these no baseline knows
	things  int // what they are about
}

// Total is how many results the place has.
func (p Place) Total() int { return len(p.Results) + p.Left }

// Causes groups the results that keep says belong, the loudest first. Of a large scan it may look at no more of a result
// than Rest says those have in common that it counts.
func (r *Report) Causes(keep func(checks.Result) bool) []Cause {
	type key struct {
		check, group string
		outcome      checks.Outcome
		severity     checks.Severity
	}
	index := map[key]int{}
	places := map[spot]int{}
	var causes []Cause
	var beyond []int // what the places that are left out are about
	find := func(res checks.Result) int {
		k := key{res.Check.ID, res.Group, res.Outcome, res.Severity}
		if res.Outcome == checks.NotAssessed {
			k.severity = ""
		}
		i, ok := index[k]
		if !ok {
			i = len(causes)
			index[k] = i
			causes = append(causes, Cause{Check: res.Check, Outcome: res.Outcome, Severity: res.Severity})
			beyond = append(beyond, 0)
		}
		return i
	}
	for _, res := range r.Results {
		if keep(res) {
			i := find(res)
			causes[i].Places = add(causes[i].Places, places, i, Place{Target: res.Subject.ID.Target(), Results: []checks.Result{res}})
		}
	}
	for _, rest := range r.Rest {
		if !keep(rest.Like) {
			continue
		}
		i := find(rest.Like)
		if rest.Target != "" {
			causes[i].Places = add(causes[i].Places, places, i, Place{Target: rest.Target, Left: rest.Results, New: rest.New, things: rest.Things})
			continue
		}
		causes[i].More += rest.Targets
		causes[i].Subjects += rest.Results
		beyond[i] += rest.Things
	}
	for i := range causes {
		c := &causes[i]
		about := beyond[i]
		for j := range c.Places {
			p := &c.Places[j]
			all := make([]*checks.Result, len(p.Results))
			for n := range all {
				all[n] = &p.Results[n]
			}
			p.things += things(all)
			p.Text = line(p.Results[0], p.Total(), p.things)
			c.Subjects += p.Total()
			about += p.things
		}
		c.Text = line(c.Places[0].Results[0], c.Subjects, about)
	}
	slices.SortStableFunc(causes, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(b.Severity.Rank(), a.Severity.Rank()), cmp.Compare(b.Subjects, a.Subjects))
	})
	return causes
}

// Cures returns how to mend a cause: the very edits, where scanners know them; else what the check says for all and for
// the kinds of target at hand; else everything that it says.
func (c Cause) Cures() []checks.Cure {
	var edits, fit []checks.Cure
	kinds := map[string]bool{"": true}
	for _, place := range c.Places {
		kind, _, _ := strings.Cut(place.Target, ":")
		kinds[strings.ToLower(kind)] = true
		for _, r := range place.Results {
			if kind == "host" {
				kinds[system(r.Because.At())] = true
			}
			edit := checks.Cure{Text: r.Because.At().Fix}
			if edit.Text != "" && !slices.Contains(edits, edit) {
				edits = append(edits, edit)
			}
		}
	}
	if len(edits) > 0 {
		return edits
	}
	all := c.Check.Cures()
	for _, cure := range all {
		if kinds[strings.ToLower(cure.For)] {
			cure.For = ""
			fit = append(fit, cure)
		}
	}
	if len(fit) > 0 {
		return fit
	}
	return all
}

// system is that of the host on which a fact was seen: the files that tell of a Windows lie in its own folder.
func system(at evidence.Origin) string {
	if file := strings.ToLower(at.File); strings.HasPrefix(file, "windows/") {
		return "windows"
	}
	return "linux"
}

// A spot is a target within a cause or an unknown, by its number.
type spot struct {
	of     int
	target string
}

// add puts a place to those that are there; index knows where one of its target is.
func add(places []Place, index map[spot]int, of int, p Place) []Place {
	i, ok := index[spot{of, p.Target}]
	if !ok {
		index[spot{of, p.Target}] = len(places)
		p.Results = slices.Clip(p.Results)
		return append(places, p)
	}
	places[i].Results = append(places[i].Results, p.Results...)
	places[i].Left += p.Left
	places[i].New += p.New
	places[i].things += p.things
	return places
}

// line is the sentence that stands for n results of one group, about so many things.
func line(first checks.Result, n, things int) string {
	switch {
	case first.Plural && things == 1 && plural(first.Group, 1) == fmt.Sprintf(first.Group, 1): // its words are for several
		return first.Message
	case first.Plural:
		return plural(first.Group, things)
	case n == 1:
		return first.Message
	case first.Message == first.Group:
		return fmt.Sprintf("%s (%d)", first.Message, n)
	}
	return fmt.Sprintf("%s (and %d more like it)", first.Message, n-1)
}

// things counts what results are about: a database's output and its log of connections are one service's.
func things(rs []*checks.Result) int {
	if len(rs) == 1 {
		return 1
	}
	seen := map[evidence.Origin]bool{}
	n := 0
	for _, r := range rs {
		at := r.Subject.At
		if at == (evidence.Origin{}) || !seen[at] {
			seen[at] = true
			n++
		}
	}
	return n
}

// plural fills a plural form in, and mends its first words for a single one: "1 service leaves".
func plural(format string, n int) string {
	text := fmt.Sprintf(format, n)
	if n != 1 {
		return text
	}
	return strings.NewReplacer("1 services leave", "1 service leaves", "their output", "its output", "1 images are", "1 image is", "their digest", "its digest").Replace(text)
}

// Plural is the plural of a kind of thing: "2 proxies", "2 log files".
func Plural(noun string) string {
	switch {
	case strings.HasSuffix(noun, "ss"), strings.HasSuffix(noun, "ch"), strings.HasSuffix(noun, "x"):
		return noun + "es"
	case strings.HasSuffix(noun, "s"):
		return noun
	case strings.HasSuffix(noun, "y") && !strings.HasSuffix(noun, "ay") && !strings.HasSuffix(noun, "ey"):
		return strings.TrimSuffix(noun, "y") + "ies"
	}
	return noun + "s"
}

// Failure reports whether a result is a failure that counts.
func Failure(r checks.Result) bool { return r.Outcome == checks.Fail && Counts(r) }

// Open reports whether nobody could tell, of a result that counts.
func Open(r checks.Result) bool { return r.Outcome == checks.NotAssessed && Counts(r) }
