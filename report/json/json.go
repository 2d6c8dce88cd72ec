// Package json writes results.json: all results of a scan, one a subject, for programs. [JSONSchema] describes it.
package json

import (
	"crypto/sha256"
	_ "embed" // for the schema
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"lookback/checks"
	"lookback/evidence"
	"lookback/report"
	"lookback/report/json/object"
)

// Schema names the format. It changes when a program that reads an older one could misread a newer one.
const Schema = "lookback-results/1"

//go:embed results.schema.json
var schema string

// JSONSchema returns the JSON Schema, draft 2020-12, of what Render writes.
func JSONSchema() string { return schema }

type tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type scan struct {
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended"`
	Targets  []string  `json:"targets"`
	Evidence string    `json:"evidence_sha256"`
	Partial  bool      `json:"partial"`
}

type policy struct {
	Retain        int      `json:"retain_days"`
	Searchable    int      `json:"searchable_days"`
	RestoreWithin int64    `json:"restore_within_seconds"`
	FinishedStays int64    `json:"finished_stays_seconds"`
	Buffer        int64    `json:"buffer_bytes"`
	Fresh         int64    `json:"fresh_seconds"`
	Hands         int      `json:"hands"`
	TimeSources   []string `json:"time_sources,omitempty"`
}

type score struct {
	Ready        float64 `json:"ready"`
	UpTo         float64 `json:"up_to"`
	Assessed     float64 `json:"assessed"`
	HighFailures int     `json:"high_failures"`
	Pass         int     `json:"pass"`
	Fail         int     `json:"fail"`
	Waived       int     `json:"waived"`
	NotAssessed  int     `json:"not_assessed"`
	Consequences int     `json:"consequences"`
	Development  int     `json:"development"`
	Declared     int     `json:"declared"`
}

type result struct {
	Check       string   `json:"check"`
	Outcome     string   `json:"outcome"`
	Severity    string   `json:"severity"`
	Message     string   `json:"message"`
	Group       string   `json:"group"`
	Follows     string   `json:"follows,omitempty"`
	Development bool     `json:"development,omitempty"`
	Baseline    bool     `json:"baseline,omitempty"`
	Waiver      *reasons `json:"waiver,omitempty"`
	Fingerprint string   `json:"fingerprint"`
	Subject     subject  `json:"subject"`
	Because     because  `json:"because"`
}

type thing struct {
	ID   evidence.ID `json:"id"`
	Kind string      `json:"kind"`
	Name string      `json:"name"`
}

type subject struct {
	thing
	Path string `json:"path,omitempty"`
}

type because struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Call   string `json:"call,omitempty"`
	Of     string `json:"of,omitempty"`
	Note   string `json:"note,omitempty"`
}

type reasons struct {
	Reason string `json:"reason"`
	Who    string `json:"who,omitempty"`
	Until  string `json:"until,omitempty"`
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
}

type waiver struct {
	Check   string `json:"check"`
	Subject string `json:"subject"`
	reasons
}

type gap struct {
	In    evidence.ID `json:"in"`
	Asked string      `json:"asked"`
	Why   string      `json:"why"`
	Error string      `json:"error,omitempty"`
	Bad   bool        `json:"bad"`
	File  string      `json:"file,omitempty"`
	Line  int         `json:"line,omitempty"`
	Call  string      `json:"call,omitempty"`
	Of    string      `json:"of,omitempty"`
}

type row struct {
	Asset            thing             `json:"asset"`
	Activity         evidence.Activity `json:"activity"`
	Total            *int              `json:"total_days"`
	Hot              *int              `json:"hot_days"`
	AtLeast          bool              `json:"at_least"`
	HotAtLeast       bool              `json:"hot_at_least"`
	Partly           bool              `json:"partly"`
	KeptUntilDeleted bool              `json:"kept_until_deleted"`
	Seen             *int              `json:"seen_days,omitempty"`
	Ends             string            `json:"ends"`
	Development      bool              `json:"development,omitempty"`
	Because          because           `json:"because"`
}

// Render writes results.json, results a line: one unit after the other, and within one in order of chapter, check and
// subject. Of a large scan a [Stream] writes it, for the report does not hold all of it.
func Render(w io.Writer, r *report.Report) error {
	results := slices.Clone(r.Results)
	report.ByUnit(results)
	return render(w, r, func(o *object.Writer) {
		object.List(o, "results", results, func(res checks.Result) any { return one(r.Known, res) })
		object.List(o, "gaps", r.Gaps, gapOf)
		object.List(o, "horizon", r.Horizon, rowOf)
	})
}

func render(w io.Writer, r *report.Report, lists func(*object.Writer)) error {
	o := object.New(w)
	o.Member("schema", Schema)
	name, version, _ := strings.Cut(r.Tool, " ")
	o.Member("tool", tool{name, version})
	o.Member("scan", scan{r.Started.UTC(), r.Ended.UTC(), append([]string{}, r.Targets...), r.Evidence, r.Partial})
	o.Member("policy", policy{
		r.Policy.Retain, r.Policy.Searchable, int64(r.Policy.RestoreWithin / time.Second),
		int64(r.Policy.FinishedStays / time.Second), r.Policy.Buffer, int64(r.Policy.Fresh / time.Second), r.Policy.Hands, r.Policy.TimeSources,
	})
	s := r.Score
	o.Member("score", score{
		s.Ready, s.UpTo, s.Assessed, s.HighFailures, s.Pass, s.Fail, s.Waived, s.NotAssessed,
		s.Consequences, s.Development, s.Declared,
	})
	lists(o)
	o.Member("waivers", map[string][]waiver{"idle": waivers(r.Idle), "expired": waivers(r.Expired)})
	o.Member("unasked", counts(r.Unasked))
	o.Member("counted", counts(r.Counted))
	return o.Close()
}

// A Stream is the [report.Sink] that writes results.json of a large scan: its three lists as they come, each to a writer,
// and in the end all of it.
type Stream struct {
	known                  map[string]bool
	results, gaps, horizon *object.Elements
}

// NewStream begins; known are the results that a baseline had.
func NewStream(known map[string]bool, results, gaps, horizon io.Writer) *Stream {
	return &Stream{known, object.NewElements(results), object.NewElements(gaps), object.NewElements(horizon)}
}

// Result writes a result.
func (s *Stream) Result(res checks.Result) error { return s.results.Add(one(s.known, res)) }

// Gap writes a gap.
func (s *Stream) Gap(g evidence.Gap) error { return s.gaps.Add(gapOf(g)) }

// Row writes a row of the horizon.
func (s *Stream) Row(h report.Row) error { return s.horizon.Add(rowOf(h)) }

// Flush ends the lists.
func (s *Stream) Flush() error {
	return errors.Join(s.results.Flush(), s.gaps.Flush(), s.horizon.Flush())
}

// Finish writes results.json of a report from the lists that were written.
func Finish(w io.Writer, r *report.Report, results, gaps, horizon io.Reader) error {
	return render(w, r, func(o *object.Writer) {
		o.Copy("results", results)
		o.Copy("gaps", gaps)
		o.Copy("horizon", horizon)
	})
}

func gapOf(g evidence.Gap) any {
	return gap{g.In, g.Asked, g.Why.String(), g.Err, g.Bad, g.At.File, g.At.Line, g.At.Call, g.At.Of}
}

func rowOf(h report.Row) any {
	var seen *int
	if h.WasSeen {
		seen = &h.Seen
	}
	return row{
		Asset: thing{h.Asset.ID, h.Asset.Kind, h.Asset.Name}, Activity: h.Activity,
		Total: days(h.Total), Hot: days(h.Hot), AtLeast: h.AtLeast, HotAtLeast: h.HotAtLeast, Partly: h.Partly, KeptUntilDeleted: h.Total == evidence.Forever,
		Seen: seen, Ends: h.Ends, Development: h.Development, Because: at(h.Because),
	}
}

func one(known map[string]bool, res checks.Result) result {
	key := report.Key(res.Check.ID, res.Subject.ID)
	hash := sha256.Sum256([]byte(key))
	out := result{
		Check: res.Check.ID, Outcome: res.Outcome.String(), Severity: string(res.Severity),
		Message: res.Message, Group: res.Group, Follows: res.Follows, Development: res.Development, Baseline: known[key],
		Fingerprint: hex.EncodeToString(hash[:16]),
		Subject:     subject{thing{res.Subject.ID, res.Subject.Kind, res.Subject.Name}, res.Subject.At.File},
	}
	if out.Severity == "" {
		out.Severity = string(res.Check.Severity)
	}
	if res.Because != nil {
		out.Because = at(res.Because.At())
	}
	if res.Waiver != nil {
		why := reasonsOf(*res.Waiver)
		out.Waiver = &why
	}
	return out
}

func at(o evidence.Origin) because { return because{o.File, o.Line, o.Col, o.Call, o.Of, o.Note} }

func reasonsOf(w evidence.Waiver) reasons {
	return reasons{w.Reason, w.Who, w.Until, w.At.File, w.At.Line}
}

func waivers(ws []evidence.Waiver) []waiver {
	out := []waiver{}
	for _, w := range ws {
		out = append(out, waiver{w.Check, w.Subject, reasonsOf(w)})
	}
	return out
}

// days returns nil for a time without an end, which no number stands for.
func days(n int) *int {
	if n == evidence.Forever {
		return nil
	}
	return &n
}

func counts(of map[string]int) map[string]int {
	if of == nil {
		return map[string]int{}
	}
	return of
}
