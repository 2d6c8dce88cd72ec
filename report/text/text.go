// Package text renders a report for a terminal: what an engineer reads in ten seconds.
//
// The rules: the number first, then what it means, then what to do. One line a cause, then its places. Colour is a second
// signal, never the only one. Nothing from input reaches the terminal unescaped.
package text

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"lookback/checks"
	"lookback/evidence"
	"lookback/report"
)

// Options say what the terminal can do.
type Options struct {
	Width int  // columns; 0 does not fold lines
	Color bool // whether colour may be used
}

// Renderer returns a renderer for a terminal.
func (o Options) Renderer() report.Renderer {
	return func(w io.Writer, r *report.Report) error {
		p := &printer{Options: o, w: bufio.NewWriter(w), r: r}
		p.report()
		return p.w.Flush() // the writer keeps its first error
	}
}

// Render writes a report without colour and without folding: for a file.
func Render(w io.Writer, r *report.Report) error { return Options{}.Renderer()(w, r) }

// maxPlaces is how many targets are listed under a cause unless everything is asked for; maxNames how many subjects.
const (
	maxPlaces = 6
	maxNames  = 6
	// maxReasons is how many reasons for not assessing are told.
	maxReasons = 12
	// maxStretches is how many lines the horizon has.
	maxStretches = 24
)

type printer struct {
	Options
	w *bufio.Writer
	r *report.Report
}

func (p *printer) report() {
	if p.r.Partial {
		p.line(0, p.paint(red, "partial: the scan was cut short; what follows is what was learned until then"))
		p.line(0, "")
	}
	p.line(0, p.paint(bold, p.r.Headline()))
	p.counts()
	p.horizon()
	p.failures()
	p.unread()
	p.unknowns(p.r.Unknowns())
	p.gaps()
	p.waived()
	p.tail()
}

// counts says what the score is made of.
func (p *printer) counts() {
	s := p.r.Score
	if !s.Asked() {
		return
	}
	text := fmt.Sprintf("%s: %d pass, %d fail", count(s.Pass+s.Fail+s.Waived+s.NotAssessed, "answer"), s.Pass, s.Fail)
	if s.Waived > 0 {
		text += fmt.Sprintf(", %d waived", s.Waived)
	}
	if s.NotAssessed > 0 {
		text += fmt.Sprintf(`, %d not assessed; "up to" is the score if all of those pass`, s.NotAssessed)
	}
	p.hang(0, 2, text)
}

func (p *printer) horizon() {
	stretches := p.r.Stretches()
	if len(stretches) == 0 {
		return
	}
	p.head("If it happened today")
	counts, days := 0, 0
	for _, s := range stretches {
		counts = max(counts, utf8.RuneCountInString(p.who(s)))
		days = max(days, utf8.RuneCountInString(s.Back()))
	}
	for i, s := range stretches {
		if i == maxStretches && !p.r.Verbose {
			p.line(2, fmt.Sprintf("... and %d more; --verbose shows them", len(stretches)-i))
			break
		}
		if p.Width > 0 && counts+days > p.Width/2 {
			p.hang(2, 4, fmt.Sprintf("%s: %s; %s", p.who(s), s.Back(), report.Clean(s.Ends)))
			continue
		}
		p.hang(2, counts+days+6, fmt.Sprintf("%-*s  %-*s  %s", counts, p.who(s), days, s.Back(), report.Clean(s.Ends)))
	}
}

// who names the assets of a stretch: "12 services", or the one by its name.
func (p *printer) who(s report.Stretch) string {
	if len(s.Unseen) > 0 {
		return "what we could not list"
	}
	what := ""
	if s.Activity != evidence.Application {
		what = ", " + string(s.Activity)
	}
	return report.Clean(count(s.Assets, s.Kind) + what)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %s", n, report.Plural(noun))
}

func (p *printer) failures() {
	causes := p.r.Causes(func(r checks.Result) bool {
		return report.Failure(r) || p.r.Verbose && r.Check.OnDemand && report.Failure(counted(r))
	})
	if len(causes) == 0 {
		return
	}
	p.head("Failures")
	for _, c := range causes {
		p.cause(c)
	}
	p.hang(2, 4, p.paint(dim, "lookback explain CHECK says why a check asks, and what else mends it"))
}

// unknowns writes what nobody could tell: one line a reason, the checks that it blinds, its places. Where a call gave no
// answer is in its line already. What would have to be allowed comes last.
func (p *printer) unknowns(unknowns []report.Unknown) {
	if len(unknowns) == 0 {
		return
	}
	p.head("Not assessed")
	for i, u := range unknowns {
		if i == maxReasons && !p.r.Verbose {
			p.line(2, fmt.Sprintf("... and %s more; --verbose shows them", count(len(unknowns)-i, "reason")))
			break
		}
		p.hang(2, 4, p.paint(yellow, report.Clean(u.Text)))
		if len(u.Checks) > 0 {
			p.hang(4, 6, p.paint(dim, p.several(u.Checks)))
		}
		switch {
		case p.r.Verbose:
			p.blinded(4, u)
		case u.Call == "":
			if !p.calls(4, u.Places, u.Subjects) {
				p.places(4, u.Places, 0)
				p.elsewhere(4, u.More)
			}
		}
	}
	if grants := report.Grants(unknowns); len(grants) > 0 {
		p.line(2, "To have these answered, allow")
		p.hang(4, 4, report.Clean(strings.Join(grants, ", ")))
		if slices.ContainsFunc(p.r.Results, func(r checks.Result) bool { return strings.HasPrefix(string(r.Subject.ID), "aws:") }) {
			p.hang(2, 4, p.paint(dim, "lookback permissions aws prints all that a scan needs"))
		}
	}
}

// several writes the first of some names, or all of them if everything is asked for.
func (p *printer) several(names []string) string {
	if len(names) <= maxNames || p.r.Verbose {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNames], ", "), len(names)-maxNames)
}

// blinded writes everything that nobody could tell for one reason: a line a subject.
func (p *printer) blinded(indent int, u report.Unknown) {
	for _, place := range u.Places {
		by := map[string][]string{}
		var order []string
		for _, r := range place.Results {
			line := p.where(r) + report.Clean(subject(r))
			if by[line] == nil {
				order = append(order, line)
			}
			if !slices.Contains(by[line], r.Check.ID) {
				by[line] = append(by[line], r.Check.ID)
			}
		}
		for _, line := range order {
			p.hang(indent, indent+2, line+": "+strings.Join(by[line], ", "))
		}
	}
	p.elsewhere(indent, u.More)
}

// elsewhere says how many results of a large scan are not here.
func (p *printer) elsewhere(indent, n int) {
	if n > 0 {
		p.line(indent, fmt.Sprintf("... and %d more in results.json", n))
	}
}

// counted is a result of a check that is shown only on demand, as if it counted.
func counted(r checks.Result) checks.Result {
	c := *r.Check
	c.OnDemand = false
	r.Check = &c
	return r
}

func (p *printer) cause(c report.Cause) {
	label := fmt.Sprintf("%-6s  ", c.Severity)
	indent := 2 + len(label)
	p.hang(2, indent, p.paint(severityColor[c.Severity], label)+p.paint(bold, report.Clean(c.Text)))
	p.line(indent, p.paint(dim, c.Check.ID))
	if p.r.Verbose || !p.calls(indent, c.Places, c.Subjects) {
		p.places(indent, c.Places, c.More)
	}
	for _, cure := range c.Cures() {
		text := cure.Text
		if cure.For != "" {
			text = cure.For + ": " + text
		}
		p.hang(indent, indent+2, "> "+report.Clean(text))
	}
}

// calls writes what calls told of so many subjects: a line a call. It reports whether calls told everything.
func (p *printer) calls(indent int, places []report.Place, subjects int) bool {
	var calls []string
	things := map[string][]string{}
	left := subjects
	for _, place := range places {
		for _, r := range place.Results {
			at := report.Cite(r)
			if at.File != "" || at.Call == "" {
				return false
			}
			if things[at.Call] == nil {
				calls = append(calls, at.Call)
			}
			if name := p.thing(r, at); !slices.Contains(things[at.Call], name) {
				things[at.Call] = append(things[at.Call], name)
			}
			left--
		}
	}
	for i, call := range calls {
		if i == maxPlaces {
			p.line(indent, fmt.Sprintf("... and what %s told; --verbose shows it", count(len(calls)-i, "more call")))
			break
		}
		p.hang(indent, indent+2, report.Clean(call+"  "+p.several(things[call])))
	}
	p.elsewhere(indent, left)
	return true
}

// thing names what a result of a live scan is about, as its call does: "eu-west-1/main". Of several accounts it names that
// as well.
func (p *printer) thing(r checks.Result, at evidence.Origin) string {
	name := at.Of
	if name == "" {
		_, name, _ = strings.Cut(r.Subject.ID.Target(), "/")
	}
	if what := subject(r); !strings.Contains(name, "/") && what != r.Subject.Kind {
		name += "/" + what
	}
	if _, account, _ := strings.Cut(r.Subject.ID.Unit(), ":"); len(p.r.Accounts) > 1 && account != "" && !strings.HasPrefix(name, account) {
		name = account + "/" + name
	}
	return strings.Trim(name, "/")
}

// places writes the places of a cause; more of them are not here, in a large scan.
func (p *printer) places(indent int, places []report.Place, more int) {
	for i, place := range places {
		if i == maxPlaces && !p.r.Verbose {
			p.line(indent, fmt.Sprintf("... and %s more; --verbose shows %s", count(len(places)-i+more, "place"), which(more)))
			return
		}
		p.place(indent, place)
	}
	if more > 0 {
		p.line(indent, fmt.Sprintf("... and %s more in results.json", count(more, "place")))
	}
}

func which(more int) string {
	if more > 0 {
		return "some of them, results.json all"
	}
	return "them"
}

// place writes the subjects of a cause in one target, with where the first of them is seen.
func (p *printer) place(indent int, place report.Place) {
	if p.r.Verbose {
		for _, r := range place.Results {
			p.hang(indent, indent+2, p.where(r)+report.Clean(r.Message))
		}
		if place.Left > 0 {
			p.line(indent, fmt.Sprintf("... and %d more in results.json", place.Left))
		}
		return
	}
	var names []string
	for _, r := range place.Results {
		if name := subject(r); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	more := ""
	if n := len(names) + place.Left; n > maxNames {
		names = names[:min(len(names), maxNames)]
		more = fmt.Sprintf(" and %d more", n-len(names))
	}
	p.hang(indent, indent+2, p.where(place.Results[0])+report.Clean(strings.Join(names, ", "))+more)
}

// subject names what a result is about: the first part of what stands in its target.
func subject(r checks.Result) string {
	thing := r.Subject.ID.Thing()
	if kind, _, _ := strings.Cut(string(r.Subject.ID), ":"); kind == "compose" {
		thing, _, _ = strings.Cut(thing, "/")
	}
	thing, _, _ = strings.Cut(thing, "#")
	for _, suffix := range []string{"/stdout", "/files", "/image", "/connections", "/events"} {
		thing = strings.TrimSuffix(thing, suffix)
	}
	return cmp.Or(thing, r.Subject.Name)
}

// where is the place that decided a result, to stand in front of what it is about.
func (p *printer) where(r checks.Result) string {
	at := report.Where(p.r.Cite(r))
	if at == "" {
		return ""
	}
	return at + "  "
}

func (p *printer) unread() {
	var bad []evidence.Gap
	for _, g := range p.r.Gaps {
		if g.Bad {
			bad = append(bad, g)
		}
	}
	more := 0
	for _, rest := range p.r.RestGaps {
		if rest.Like.Bad {
			more += rest.Gaps
		}
	}
	if len(bad) == 0 {
		return
	}
	p.head("Could not be read")
	for _, g := range bad {
		p.hang(2, 4, p.paint(red, cmp.Or(report.Where(p.r.At(g.In, g.At)), report.Clean(g.Asked)))+"  "+report.Clean(strings.TrimPrefix(cmp.Or(g.Err, g.Asked), fmt.Sprintf("line %d: ", g.At.Line))))
	}
	if more > 0 {
		p.line(2, fmt.Sprintf("... and %d more in results.json", more))
	}
}

func (p *printer) gaps() {
	type key struct{ asked, err string }
	var order []key
	times := map[key]int{}
	for _, g := range p.r.Gaps {
		if g.Bad || report.Refused(g) {
			continue
		}
		k := key{g.Asked, g.Err}
		if times[k]++; times[k] == 1 {
			order = append(order, k)
		}
	}
	for _, rest := range p.r.RestGaps {
		if k := (key{rest.Like.Asked, rest.Like.Err}); !rest.Like.Bad && times[k] > 0 {
			times[k] += rest.Gaps
		}
	}
	if len(order) == 0 {
		return
	}
	p.head("Outside of what was scanned")
	for i, k := range order {
		if i == 2*maxPlaces && !p.r.Verbose {
			p.line(2, fmt.Sprintf("... and %d more; --verbose shows them", len(order)-i))
			break
		}
		text := report.Clean(k.asked)
		if times[k] > 1 {
			text += fmt.Sprintf(" (%d)", times[k])
		}
		if k.err != "" {
			text += ": " + report.Clean(k.err)
		}
		p.hang(2, 4, text)
	}
}

func (p *printer) waived() {
	if p.r.Score.Waived+len(p.r.Idle)+len(p.r.Expired) == 0 {
		return
	}
	p.head("Waived")
	for _, r := range p.r.Results {
		if r.Outcome != checks.Waived {
			continue
		}
		text := fmt.Sprintf("%s%s: %s", p.where(r), r.Check.ID, r.Message)
		text += "; " + r.Waiver.Reason
		if r.Waiver.Who != "" {
			text += " (" + r.Waiver.Who + ")"
		}
		if r.Waiver.Until != "" {
			text += ", until " + r.Waiver.Until
		}
		p.hang(2, 4, report.Clean(text))
	}
	more := 0
	for _, rest := range p.r.Rest {
		if rest.Like.Outcome == checks.Waived {
			more += rest.Results
		}
	}
	if more > 0 {
		p.line(2, fmt.Sprintf("... and %d more in results.json", more))
	}
	for _, w := range p.r.Expired {
		p.hang(2, 4, report.Clean(fmt.Sprintf("%s  the waiver of %s for %s expired on %s", report.Where(w.At), w.Check, w.Subject, w.Until)))
	}
	for _, w := range p.r.Idle {
		p.hang(2, 4, report.Clean(fmt.Sprintf("%s  the waiver of %s for %s matches nothing", report.Where(w.At), w.Check, w.Subject)))
	}
}

// tail says what was left out, so that nothing is silently gone.
func (p *printer) tail() {
	s := p.r.Score
	parts := []string{count(s.Pass, "pass")}
	add := func(n int, one, many string) {
		switch {
		case n == 1:
			parts = append(parts, "1 "+one)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", n, many))
		}
	}
	add(s.Declared, "of them rests on a declaration", "of them rest on a declaration")
	add(s.Consequences, "failure that follows from another one", "failures that follow from another one")
	add(s.Development, "failure in development files", "failures in development files")
	add(p.known(), "failure was known before", "failures were known before")
	p.line(0, "")
	p.hang(0, 0, p.paint(dim, "Not shown: "+strings.Join(parts, ", ")+"."))
	if n := p.objects(); n > 0 {
		p.hang(0, 0, p.paint(dim, fmt.Sprintf("%s of %s were not asked: they write no records of their own.",
			count(n, "object"), count(len(p.r.Counted), "other kind"))))
	}
}

// known counts the failures that the baseline had.
func (p *printer) known() int {
	n := 0
	for _, r := range p.r.Results {
		if report.Failure(r) && p.r.Known[report.Key(r.Check.ID, r.Subject.ID)] {
			n++
		}
	}
	for _, rest := range p.r.Rest {
		if report.Failure(rest.Like) {
			n += rest.Results - rest.New
		}
	}
	return n
}

func (p *printer) objects() int {
	n := 0
	for _, k := range p.r.Counted {
		n += k
	}
	return n
}

const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	yellow = "33"
	cyan   = "36"
)

var severityColor = map[checks.Severity]string{checks.High: red, checks.Medium: yellow, checks.Low: cyan}

func (p *printer) paint(code, s string) string {
	if !p.Color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p *printer) head(title string) {
	p.line(0, "")
	p.line(0, p.paint(bold, title))
}

func (p *printer) line(indent int, s string) {
	if s == "" {
		p.w.WriteByte('\n')
		return
	}
	fmt.Fprintf(p.w, "%*s%s\n", indent, "", s)
}

// hang writes a line, folded at the width; what is folded is indented by more.
func (p *printer) hang(indent, more int, s string) {
	if p.Width == 0 {
		p.line(indent, s)
		return
	}
	line, used, first := strings.Builder{}, 0, true
	flush := func() {
		by := indent
		if !first {
			by = more
		}
		p.line(by, strings.TrimRight(line.String(), " "))
		line.Reset()
		used, first = 0, false
	}
	for _, word := range strings.SplitAfter(s, " ") {
		room := p.Width - indent
		if !first {
			room = p.Width - more
		}
		n := utf8.RuneCountInString(unpaint(strings.TrimRight(word, " ")))
		if used > 0 && used+n > max(room, 20) {
			flush()
		}
		line.WriteString(word)
		used += utf8.RuneCountInString(unpaint(word))
	}
	flush()
}

// unpaint takes our own colour codes out; input has none, see report.Clean.
func unpaint(s string) string {
	for {
		start := strings.Index(s, "\x1b[")
		if start < 0 {
			return s
		}
		end := strings.IndexByte(s[start:], 'm')
		if end < 0 {
			return s
		}
		s = s[:start] + s[start+end+1:]
	}
}
