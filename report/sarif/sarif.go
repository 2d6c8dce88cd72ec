// Package sarif writes SARIF 2.1.0, for code scanning on GitHub and for editors.
//
// The format allows much that its readers do not. What we know of them, and what follows:
//
//   - GitHub shows every result as an alert, also one of kind "pass" (github.com/microsoft/PSRule, issue 955) and one with
//     suppressions. So only failures that count become results; the rest is counted in the properties of the run. A
//     failure that a baseline knows stays a result: GitHub ignores baselineState, and would close its alert otherwise.
//   - A result without a location is refused (github.com/github/codeql-action, issue 2459). A fact that was seen by a call
//     has no file; its location is a path made from the ID of its subject: aws/111122223333/eu-west-1/cloudtrail/main.
//   - Over a limit the whole file is refused: 10 MB when compressed, 25,000 results a run (the 5,000 most severe are
//     kept), 1,000 locations a result (the first gets the annotation), 20 tags a rule. See "SARIF support for code
//     scanning", https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support, also for
//     the rest of this list.
//   - A relative URI is read from the root of the repository; no uriBaseId is needed. The files of a host lie in none; of
//     several hosts they begin with the name of theirs.
//   - A rule needs short and full descriptions of at most 1,024 characters, and help. security-severity, a number in a
//     string, orders alerts. Line breaks in help.markdown become line breaks on the page, so paragraphs are one line.
//   - In the text of a message Markdown is taken out, all but links. Names come from strangers: they make no links.
//   - Alerts are matched by ruleId and the fingerprint primaryLocationLineHash, and by no other one. Where there is a
//     file the upload action computes it from the text of the line, and warns about each that differs from its own
//     (src/fingerprints.ts of github.com/github/codeql-action); so we leave it out there, and give it where there is none.
//   - With executionSuccessful false GitHub refuses the file and keeps the alerts as they were
//     (github.com/github/codeql-action, issue 1316 and pull request 1393): right for a scan that was cut short, and for
//     nothing else.
package sarif

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"lookback/checks"
	"lookback/evidence"
	"lookback/report"
	"lookback/report/json/object"
)

// The limits that we keep. The number of locations in the whole file, beyond the first of each result, keeps it well
// under 10 MB when compressed.
const (
	maxResults       = 25_000
	maxLocations     = 1_000
	maxMoreLocations = 100_000
	maxNotifications = 1_000
	maxText          = 1_000 // characters; descriptions may have 1,024
)

type message struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type configuration struct {
	Level string `json:"level"`
}

type rule struct {
	ID               string         `json:"id"`
	ShortDescription message        `json:"shortDescription"`
	FullDescription  message        `json:"fullDescription"`
	Help             message        `json:"help"`
	Default          configuration  `json:"defaultConfiguration"`
	Properties       ruleProperties `json:"properties"`
}

type ruleProperties struct {
	Tags             []string `json:"tags"`
	SecuritySeverity string   `json:"security-severity"`
}

type driver struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Rules   []rule `json:"rules"`
}

type tool struct {
	Driver driver `json:"driver"`
}

type result struct {
	RuleID        string            `json:"ruleId"`
	RuleIndex     int               `json:"ruleIndex"`
	Level         string            `json:"level"`
	Message       message           `json:"message"`
	Locations     []location        `json:"locations"`
	Fingerprints  map[string]string `json:"partialFingerprints"`
	BaselineState string            `json:"baselineState,omitempty"`
}

type location struct {
	Physical physical `json:"physicalLocation"`
}

type physical struct {
	Artifact artifact `json:"artifactLocation"`
	Region   *region  `json:"region,omitempty"`
}

type artifact struct {
	URI string `json:"uri"`
}

type region struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
}

type notification struct {
	Level     string     `json:"level"`
	Message   message    `json:"message"`
	Locations []location `json:"locations,omitempty"`
}

type invocation struct {
	Successful    bool           `json:"executionSuccessful"`
	Started       string         `json:"startTimeUtc"`
	Ended         string         `json:"endTimeUtc"`
	Notifications []notification `json:"toolExecutionNotifications,omitempty"`
}

// properties holds what is no result: see results.json for all of it.
type properties struct {
	Evidence     string  `json:"evidenceSHA256,omitempty"`
	Ready        float64 `json:"ready"`
	UpTo         float64 `json:"upTo"`
	HighFailures int     `json:"highFailures"`
	Fail         int     `json:"fail"`
	Pass         int     `json:"pass"`
	Waived       int     `json:"waived"`
	NotAssessed  int     `json:"notAssessed"`
	Consequences int     `json:"consequences"`
	Development  int     `json:"development"`
	Gaps         int     `json:"gaps"`
	LeftOut      int     `json:"resultsLeftOut"`
}

// A line is what becomes one result: the part of a cause that lies in one target.
type line struct {
	cause *report.Cause
	place *report.Place
}

// Render writes one result a cause and target, the loudest first, with all its places.
func Render(w io.Writer, r *report.Report) error {
	causes := r.Causes(func(res checks.Result) bool {
		return res.Outcome == checks.Fail && res.Follows == "" && !res.Development && (r.Verbose || !res.Check.OnDemand)
	})
	var lines []line
	for i := range causes {
		for j := range causes[i].Places {
			lines = append(lines, line{&causes[i], &causes[i].Places[j]})
		}
	}
	leftOut := max(0, len(lines)-maxResults)
	lines = lines[:len(lines)-leftOut]
	for _, c := range causes {
		leftOut += c.More
	}
	gaps := len(r.Gaps)
	for _, rest := range r.RestGaps {
		gaps += rest.Gaps
	}

	index := map[string]int{}
	rules := []rule{}
	for _, l := range lines {
		if _, ok := index[l.cause.Check.ID]; !ok {
			index[l.cause.Check.ID] = len(rules)
			rules = append(rules, ruleOf(l.cause.Check))
		}
	}

	if _, err := io.WriteString(w, `{"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [`); err != nil {
		return err
	}
	run := object.New(w)
	name, version, _ := strings.Cut(r.Tool, " ")
	run.Member("tool", tool{driver{clean(name), clean(version), rules}})
	run.Member("columnKind", "unicodeCodePoints")
	run.Member("invocations", []invocation{invoked(r)})
	run.Member("properties", properties{
		Evidence: r.Evidence, Ready: r.Score.Ready, UpTo: r.Score.UpTo, HighFailures: r.Score.HighFailures,
		Fail: r.Score.Fail, Pass: r.Score.Pass, Waived: r.Score.Waived, NotAssessed: r.Score.NotAssessed,
		Consequences: r.Score.Consequences, Development: r.Score.Development, Gaps: gaps, LeftOut: leftOut,
	})
	more := maxMoreLocations
	object.List(run, "results", lines, func(l line) any {
		out := resultOf(r, l, min(maxLocations, 1+more))
		out.RuleIndex = index[out.RuleID]
		more -= len(out.Locations) - 1
		return out
	})
	if err := run.Close(); err != nil {
		return err
	}
	_, err := io.WriteString(w, "]}\n")
	return err
}

func ruleOf(c *checks.Check) rule {
	doc := paragraphs(c.Doc)
	if len(doc) == 0 {
		doc = []string{c.Title}
	}
	help := strings.Join(doc, "\n\n")
	return rule{
		ID:               c.ID,
		ShortDescription: message{Text: clean(c.Title)},
		FullDescription:  message{Text: clean(doc[0])},
		Help:             message{help, markdown(help)},
		Default:          configuration{level(c.Severity)},
		Properties:       ruleProperties{[]string{"forensic-readiness", c.Chapter()}, securitySeverity(c.Severity)},
	}
}

func resultOf(r *report.Report, l line, most int) result {
	places, beyond := locations(r, l.place.Results, most)
	beyond += l.place.Left
	text := clean(l.place.Text)
	if beyond > 0 {
		text += fmt.Sprintf(" (%d more places than are listed here)", beyond)
	}
	id := fingerprint(l)
	out := result{
		RuleID: l.cause.Check.ID, Level: level(l.cause.Severity), Message: message{Text: text},
		Locations: places, Fingerprints: map[string]string{"lookback/v1": id},
	}
	if seenAt(l.place.Results[0]).File == "" {
		out.Fingerprints["primaryLocationLineHash"] = id
	}
	if r.Known != nil {
		out.BaselineState = "unchanged"
		for _, res := range l.place.Results {
			if !r.Known[report.Key(res.Check.ID, res.Subject.ID)] {
				out.BaselineState = "new"
			}
		}
		if l.place.New > 0 {
			out.BaselineState = "new"
		}
	}
	return out
}

// fingerprint names a result from one scan to the next, whatever its lines in the file: a single failure by its subject,
// what stands for several by target and group, so that one more service does not make another alert of it.
func fingerprint(l line) string {
	first := l.place.Results[0]
	name := report.Key(first.Check.ID, first.Subject.ID)
	if l.place.Total() > 1 || first.Plural {
		name = first.Check.ID + "\n" + l.place.Target + "\n" + string(l.cause.Severity) + "\n" + first.Group
	}
	hash := sha256.Sum256([]byte(name))
	return hex.EncodeToString(hash[:16])
}

// locations lists the places of results, each once, and says how many there are beyond the most that may be listed.
func locations(r *report.Report, results []checks.Result, most int) (list []location, beyond int) {
	type key struct {
		uri    string
		region region
	}
	seen := map[key]bool{}
	for _, res := range results {
		at := seenAt(res)
		k := key{uri(r.At(res.Subject.ID, at).File), regionOf(at)}
		if at.File == "" {
			k.uri = artificial(res.Subject.ID)
		}
		switch {
		case seen[k]:
		case len(list) == most:
			beyond++
		default:
			list = append(list, place(k.uri, k.region))
		}
		seen[k] = true
	}
	return list, beyond
}

// seenAt is where the fact was seen that decided, or, where that was no file, where the subject is declared.
func seenAt(res checks.Result) evidence.Origin {
	if res.Because != nil && res.Because.At().File != "" {
		return res.Because.At()
	}
	return res.Subject.At
}

func regionOf(at evidence.Origin) region {
	if at.File == "" || at.Line < 1 {
		return region{}
	}
	return region{at.Line, max(0, at.Col)}
}

func place(uri string, r region) location {
	out := location{physical{Artifact: artifact{uri}}}
	if r.StartLine > 0 {
		out.Physical.Region = &r
	}
	return out
}

func invoked(r *report.Report) invocation {
	const format = "2006-01-02T15:04:05Z"
	out := invocation{Successful: !r.Partial, Started: r.Started.UTC().Format(format), Ended: r.Ended.UTC().Format(format)}
	for _, g := range r.Gaps {
		if !g.Bad || len(out.Notifications) == maxNotifications {
			continue
		}
		n := notification{Level: "error", Message: message{Text: clean(strings.TrimSuffix(g.Asked+": "+g.Err, ": "))}}
		if g.At.File != "" {
			n.Locations = []location{place(uri(r.At(g.In, g.At).File), regionOf(g.At))}
		}
		out.Notifications = append(out.Notifications, n)
	}
	return out
}

func level(s checks.Severity) string {
	switch s {
	case checks.High:
		return "error"
	case checks.Medium:
		return "warning"
	}
	return "note"
}

// securitySeverity is the middle of what GitHub calls high (7.0 to 8.9), medium (4.0 to 6.9) and low.
func securitySeverity(s checks.Severity) string {
	switch s {
	case checks.High:
		return "8.0"
	case checks.Medium:
		return "5.0"
	}
	return "2.0"
}

// uri encodes a path. It leaves only what no reader can take for anything else: a colon is not one of these, for it
// would make a scheme of what stands before it.
func uri(path string) string {
	var out strings.Builder
	for i := range len(path) {
		c := path[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~/", c) >= 0:
			out.WriteByte(c)
		default:
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}

// artificial makes a path of an ID: "aws:1/eu-west-1//cloudtrail/main#cloud-api" is aws/1/eu-west-1/cloudtrail/main.
func artificial(id evidence.ID) string {
	s := string(id)
	if i := strings.LastIndexByte(s, '#'); i > strings.LastIndexByte(s, '/') {
		s = s[:i]
	}
	var parts []string
	for part := range strings.SplitSeq(strings.Replace(s, ":", "/", 1), "/") {
		if part != "" && part != "." && part != ".." {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return "unnamed"
	}
	return uri(strings.Join(parts, "/"))
}

// clean makes a line of text out of what may hold anything.
func clean(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "](", "] (")
	text = strings.Map(func(c rune) rune {
		switch {
		case c == '\n', c == '\t', c == '\u2028', c == '\u2029':
			return ' '
		case object.Acts(c):
			return '\uFFFD'
		}
		return c
	}, text)
	if utf8.RuneCountInString(text) > maxText {
		text = string([]rune(text)[:maxText]) + "…"
	}
	return text
}

// paragraphs returns a Doc with its lines joined; "Cure" begins a paragraph of its own.
func paragraphs(doc string) []string {
	var out []string
	open := false
	for text := range strings.SplitSeq(doc, "\n") {
		text = strings.TrimSpace(text)
		switch {
		case text == "":
			open = false
			continue
		case open && !strings.HasPrefix(text, "Cure"):
			out[len(out)-1] += " " + text
		default:
			out = append(out, text)
		}
		open = true
	}
	return out
}

// markdown keeps text as it is where Markdown is read: "<YOUR-IMAGE>" is no element, "*" no emphasis.
func markdown(text string) string {
	var out strings.Builder
	for _, c := range text {
		if strings.ContainsRune("\\`*_<>[]#~|&", c) {
			out.WriteByte('\\')
		}
		out.WriteRune(c)
	}
	return out.String()
}
