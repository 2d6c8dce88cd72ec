// Package checks says what a check is and how checks run. A check is a pure function from evidence to verdicts; each
// lies in the folder of the question that it asks.
package checks

import (
	"fmt"
	"strconv"
	"strings"

	"lookback/evidence"
)

// A Check asks one question of the evidence.
type Check struct {
	ID       string   // "retained-long-enough": stable; the folder's name comes first
	Title    string   // what holds when it passes, without a full stop
	Doc      string   // why a responder cares; how to mend it; which rules of other tools the cure trips
	Severity Severity // the usual one, and its weight in the score; a verdict may say its own
	After    []string // checks whose failure on the same source makes a failure of this one a consequence
	Judge    Judge
	// OnDemand keeps its results out of the score and out of short reports: they are shown when asked for.
	OnDemand bool
}

// Chapter returns the folder of the check: the question of an investigator under which it is reported.
func (c *Check) Chapter() string {
	chapter, _, _ := strings.Cut(c.ID, "-")
	return chapter
}

// A Cure is one way to mend a failure.
type Cure struct {
	For  string // "Compose", "PostgreSQL"; empty for all
	Text string
}

// Cures returns the paragraphs of the Doc that begin with "Cure:" or "Cure, Compose:".
func (c *Check) Cures() []Cure {
	var out []Cure
	open := false
	for line := range strings.Lines(c.Doc) {
		line = strings.TrimSpace(line)
		head, text, found := strings.Cut(line, ": ")
		if kind, _ := strings.CutPrefix(head, "Cure, "); found && (head == "Cure" || kind != head) {
			out = append(out, Cure{For: strings.TrimPrefix(kind, "Cure"), Text: text})
			open = true
			continue
		}
		if open = open && line != ""; open {
			out[len(out)-1].Text += " " + line
		}
	}
	return out
}

// A Chapter is one of the questions that an investigator asks, and the folder of the checks that answer it.
type Chapter struct{ Name, Question string }

// Chapters lists the questions in the order of a report.
var Chapters = []Chapter{
	{"recorded", "Is it written down at all, and in full?"},
	{"arriving", "Do the records arrive, undiverted and without loss?"},
	{"shipped", "Do they outlive the thing that wrote them?"},
	{"retained", "Are they kept, and searchable, long enough?"},
	{"sealed", "Could an intruder alter, delete or stop them?"},
	{"watched", "Does a sensor see what happens inside, everywhere?"},
	{"timed", "Do the clocks agree?"},
	{"acquirable", "Could a responder still take a disk, memory, a shell, the image?"},
}

// Severity says how loudly a failure is reported.
type Severity string

// The severities.
const (
	Low    Severity = "low"    // the evidence is weaker
	Medium Severity = "medium" // evidence is lost by omission, and the cure is here
	High   Severity = "high"   // something written makes it worse than the default: it destroys, diverts or stops evidence
)

// Rank orders severities: Low is 1, High is 3, anything else 0.
func (s Severity) Rank() int {
	switch s {
	case Low:
		return 1
	case Medium:
		return 2
	case High:
		return 3
	}
	return 0
}

// Outcome is what became of a question. The zero Outcome is NotAssessed.
type Outcome uint8

// The outcomes.
const (
	NotAssessed   Outcome = iota // nobody could tell
	Pass                         // it holds
	Fail                         // it does not
	NotApplicable                // the question has no meaning here: dropped, and counted
	Waived                       // it fails, and the owner accepts that
)

// String returns the outcome as results.json writes it.
func (o Outcome) String() string {
	return [...]string{"not-assessed", "pass", "fail", "not-applicable", "waived"}[o]
}

// A Verdict is an outcome and the fact that decided it.
type Verdict struct {
	Outcome  Outcome
	Severity Severity // of a failure; empty for the check's own
	Message  string   // what is, in the owner's words; lower case, no full stop
	// Group is the same for all verdicts that are one line in a report: the format string of the message, or a plural
	// form with one %d for the number of subjects, when Plural is set.
	Group   string
	Plural  bool
	Because evidence.Fact
}

// Passed is the verdict that the claim holds because of a fact.
func Passed(because evidence.Fact, format string, args ...any) Verdict {
	return Verdict{Outcome: Pass, Message: fmt.Sprintf(format, args...), Group: format, Because: because}
}

// Failed is the verdict that the claim does not hold because of a fact.
func Failed(because evidence.Fact, format string, args ...any) Verdict {
	return Verdict{Outcome: Fail, Message: fmt.Sprintf(format, args...), Group: format, Because: because}
}

// NotKnown is the verdict that nobody could tell, because a fact is unknown. Of a moot fact there is nothing to tell, so
// that the question has no meaning.
func NotKnown(because evidence.Fact) Verdict {
	at := because.At()
	msg := at.Note
	switch {
	case because.IsMoot():
		return Unasked()
	case because.Why() == evidence.Denied && at.Call != "":
		msg = "we may not call " + at.Call
	case because.Why() == evidence.Denied:
		msg = "we may not read it"
	case msg != "":
	case because.Why() == evidence.Unresolved:
		msg = "a variable has no value"
	case because.Why() == evidence.Unfamiliar:
		msg = "it is not one that we know"
	case because.Why() == evidence.Elsewhere:
		msg = "it is decided outside of what was scanned"
	case because.Why() == evidence.Failed:
		msg = "reading it failed"
	default:
		msg = "nobody looked"
	}
	return Verdict{Message: msg, Group: msg, Because: because}
}

// Undecided is the verdict that what was seen decides nothing yet.
func Undecided(because evidence.Fact, format string, args ...any) Verdict {
	msg := fmt.Sprintf(format, args...)
	return Verdict{Message: msg, Group: msg, Because: because} // reasons are listed by their group
}

// Unasked is the verdict that the question has no meaning here.
func Unasked() Verdict { return Verdict{Outcome: NotApplicable} }

// As returns the verdict with a severity of its own.
func (v Verdict) As(s Severity) Verdict {
	v.Severity = s
	return v
}

// Many gives the line that stands for all verdicts of its kind in a report; it has one %d for their number.
func (v Verdict) Many(plural string) Verdict {
	v.Group, v.Plural = plural, true
	return v
}

// Best returns the verdict that counts where one of several is enough: a pass, else one that nobody could tell, else the
// mildest failure. Verdicts that do not apply are passed over; of none at all the question does not apply.
func Best[T any](of []T, ask func(T) Verdict) Verdict {
	best := Unasked()
	for _, one := range of {
		v := ask(one)
		switch {
		case v.Outcome == Pass:
			return v
		case v.Outcome == NotApplicable:
		case best.Outcome == NotApplicable,
			best.Outcome == Fail && (v.Outcome == NotAssessed || v.rank() < best.rank()):
			best = v
		}
	}
	return best
}

// Worst returns the verdict that counts where each of several is needed: the most severe failure, else one that nobody
// could tell, else a pass.
func Worst[T any](of []T, ask func(T) Verdict) Verdict {
	worst := Unasked()
	for _, one := range of {
		v := ask(one)
		switch {
		case v.Outcome == NotApplicable:
		case worst.Outcome == NotApplicable,
			v.Outcome == Fail && (worst.Outcome != Fail || v.rank() > worst.rank()),
			v.Outcome == NotAssessed && worst.Outcome == Pass:
			worst = v
		}
	}
	return worst
}

// rank orders failures. One without a severity of its own counts as medium, which is what checks are whose failures have
// several.
func (v Verdict) rank() int {
	if v.Severity == "" {
		return Medium.Rank()
	}
	return v.Severity.Rank()
}

// Size writes a number of bytes for a sentence: "25 MB", and "4 MiB" where that is what was written.
func Size(bytes int64) string {
	switch {
	case bytes >= 1<<30 && bytes%(1<<30) == 0:
		return strconv.FormatInt(bytes>>30, 10) + " GiB"
	case bytes >= 1<<20 && bytes%(1<<20) == 0:
		return strconv.FormatInt(bytes>>20, 10) + " MiB"
	case bytes >= 1e9:
		return strconv.FormatFloat(float64(bytes)/1e9, 'g', 3, 64) + " GB"
	case bytes >= 1e6:
		return strconv.FormatFloat(float64(bytes)/1e6, 'g', 3, 64) + " MB"
	case bytes >= 1e3:
		return strconv.FormatFloat(float64(bytes)/1e3, 'g', 3, 64) + " kB"
	}
	return strconv.FormatInt(bytes, 10) + " bytes"
}

// Span writes a number of seconds for a sentence, in its largest whole unit: "10 minutes".
func Span(seconds int64) string {
	n, unit := seconds, "second"
	for _, u := range []struct {
		seconds int64
		name    string
	}{{24 * 60 * 60, "day"}, {60 * 60, "hour"}, {60, "minute"}} {
		if seconds != 0 && seconds%u.seconds == 0 {
			n, unit = seconds/u.seconds, u.name
			break
		}
	}
	if n != 1 {
		unit += "s"
	}
	return strconv.FormatInt(n, 10) + " " + unit
}

// Days writes a number of days for a sentence: "90 days"; what nothing deletes is there "until somebody deletes them".
func Days(n int) string {
	switch n {
	case 0:
		return "no time"
	case 1:
		return "1 day"
	case evidence.Forever:
		return "until somebody deletes them"
	}
	return strconv.Itoa(n) + " days"
}

// Named names a thing in a sentence: by its kind and name (log group "payments"), or by a name that says it all (the
// kubelet's log file, /var/log/audit.log).
func Named(s evidence.Subject) string {
	if s.Kind == "" || strings.HasPrefix(s.Name, "/") || strings.Contains(s.Name, " ") {
		return s.Name
	}
	return s.Kind + " " + strconv.Quote(s.Name)
}

// A Judge asks a question of everything that a View holds and hands out a verdict for each subject.
type Judge func(v *View, verdict func(evidence.Subject, Verdict))

// Each asks of every record of one type.
func Each[R any, P interface {
	*R
	evidence.Record
}](ask func(*View, R) Verdict,
) Judge {
	return func(v *View, verdict func(evidence.Subject, Verdict)) {
		for _, r := range v.set.Records {
			if r, ok := r.(P); ok {
				verdict(r.Self(), ask(v, *r))
			}
		}
	}
}

// About asks of one asset, by any of its names, what the function About asks of each. Where nobody scanned it, or looked for
// the activity, nobody can tell.
func (v *View) About(id evidence.ID, a evidence.Activity, ask func(evidence.Asset, []evidence.LogSource) Verdict) Verdict {
	asset, ok := v.assets[id]
	if !ok {
		return NotKnown(evidence.Unknown[bool](evidence.Elsewhere, evidence.Origin{}))
	}
	return v.about(*asset, a, asset.Looked[a], func(_ *View, asset evidence.Asset, sources []evidence.LogSource) Verdict {
		return ask(asset, sources)
	})
}

func (v *View) about(asset evidence.Asset, a evidence.Activity, whole evidence.Value[bool], ask func(*View, evidence.Asset, []evidence.LogSource) Verdict) Verdict {
	sources, holder := v.sources(asset.ID, a)
	answer := ask(v, asset, sources)
	switch {
	case answer.Outcome == Pass:
	case !True(whole):
		answer = NotKnown(whole)
	case holder.Why() == evidence.Denied, holder.Why() == evidence.Failed: // what it has may cover this one too
		answer = NotKnown(holder)
	}
	return answer
}

// About asks once for each asset on which somebody looked for the activity, with every source that covers it: its own
// and those of whatever holds it. Where some source may have been missed, only a pass stands.
func About(a evidence.Activity, ask func(*View, evidence.Asset, []evidence.LogSource) Verdict) Judge {
	return func(v *View, verdict func(evidence.Subject, Verdict)) {
		for _, r := range v.set.Records {
			if asset, ok := r.(*evidence.Asset); ok {
				whole, looked := asset.Looked[a]
				if !looked {
					continue
				}
				verdict(asset.Subject, v.about(*asset, a, whole, ask))
			}
		}
	}
}
