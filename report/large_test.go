package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"lookback/checks"
	"lookback/evidence"
	"lookback/report"
	"lookback/report/html"
	"lookback/report/json"
	"lookback/report/reporttest"
	"lookback/report/sarif"
	"lookback/report/text"
)

// large judges a set unit by unit, and returns the report and its results.json.
func large(t testing.TB, set *evidence.Set, o report.Options) (*report.Report, []byte) {
	t.Helper()
	var results, gaps, rows, out bytes.Buffer
	s := json.NewStream(o.Known, &results, &gaps, &rows)
	r, err := report.NewLarge(reporttest.Large{Set: set}, o, s)
	if err := errors.Join(err, s.Flush(), json.Finish(&out, r, &results, &gaps, &rows)); err != nil {
		t.Fatal(err)
	}
	return r, out.Bytes()
}

func rendered(t testing.TB, render report.Renderer, r *report.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := render(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestALargeScanReadsLikeASmallOne renders what is below every bound both ways.
func TestALargeScanReadsLikeASmallOne(t *testing.T) {
	set, o := reporttest.SampleSet()
	for _, verbose := range []bool{false, true} {
		o.Verbose = verbose
		small := report.New(set, o)
		r, _ := large(t, set, o)
		if len(r.Rest)+len(r.RestGaps)+len(r.RestRows) > 0 {
			t.Fatalf("left out: %v %v %v", r.Rest, r.RestGaps, r.RestRows)
		}
		for name, render := range map[string]report.Renderer{"text": text.Render, "html": html.Render, "sarif": sarif.Render} {
			if got, want := rendered(t, render, r), rendered(t, render, small); got != want {
				t.Errorf("%s differs: %s", name, difference(got, want))
			}
		}
	}
}

func difference(got, want string) string {
	a, b := bytes.Split([]byte(got), []byte("\n")), bytes.Split([]byte(want), []byte("\n"))
	for i := range min(len(a), len(b)) {
		if !bytes.Equal(a[i], b[i]) {
			return fmt.Sprintf("line %d: got\n%s\nwant\n%s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(a), len(b))
}

// crowd is a scan beyond every bound: failures, passes, consequences and development files in 60 projects.
func crowd() (*evidence.Set, report.Options) {
	var targets []string
	for i := range 60 {
		targets = append(targets, fmt.Sprintf("app%02d/x", i))
	}
	set, o := reporttest.ManySet(60, targets...)
	for i, r := range set.Records {
		switch r := r.(type) {
		case *evidence.Asset:
			r.Development = i%11 == 0 && !r.Host
		case *evidence.LogSource:
			switch i % 7 {
			case 0:
				r.To[0].Extent = evidence.Known(evidence.Extent{Grade: evidence.None}, r.At)
			case 1:
				r.To[0].To = "syslog:logs.example.net:6514"
			case 2:
				r.Enabled = evidence.Unknown[bool](evidence.Failed, evidence.Origin{Note: fmt.Sprintf("line %d is odd", i)})
			case 3:
				r.To[0].Extent = evidence.Unknown[evidence.Extent](evidence.Denied, evidence.Origin{Call: "s3:Get"})
			}
		}
	}
	for i := range 5000 {
		in := evidence.ID(fmt.Sprintf("compose:app%02d/x", i%60))
		set.Gap(evidence.Gap{In: in, Asked: "buckets", Why: evidence.Denied, Bad: i%50 == 0, At: evidence.Origin{Line: i}})
		set.Gap(evidence.Gap{In: in, Asked: "keys", Why: evidence.Denied, Err: fmt.Sprintf("caller %d may not", i), At: evidence.Origin{Call: "kms:ListKeys", Of: fmt.Sprintf("eu-west-%d", i%3)}})
		set.Gap(evidence.Gap{In: in, Asked: fmt.Sprintf("the file %d", i), Why: evidence.Failed, At: evidence.Origin{Line: i}})
	}
	set.Waivers = []evidence.Waiver{
		{Check: "shipped-off-asset", Subject: "compose:app01/*", Reason: "a"},
		{Check: "*", Subject: "compose:app5*", Reason: "b"},
		{Check: "*", Subject: "nothing", Reason: "c"},
		{Check: "*", Subject: "*", Reason: "d", Until: "2020-01-01"},
	}
	set.Sort()
	return set, o
}

func TestALargeScanCountsEverything(t *testing.T) {
	set, o := crowd()
	for name, known := range map[string]func(i int) bool{
		"no baseline": nil, "some are known": func(i int) bool { return i%3 == 0 }, "all are known": func(int) bool { return true },
	} {
		t.Run(name, func(t *testing.T) {
			o.Known = nil
			small := report.New(set, o)
			if known != nil {
				o.Known = map[string]bool{}
				for i, res := range small.Results {
					if known(i) {
						o.Known[report.Key(res.Check.ID, res.Subject.ID)] = true
					}
				}
				small = report.New(set, o)
			}
			r, out := large(t, set, o)
			if r.Score != small.Score {
				t.Errorf("score %+v, want %+v", r.Score, small.Score)
			}
			if n := len(r.Results); n > 20_000 || n >= len(small.Results) {
				t.Errorf("%d results of %d are in memory", n, len(small.Results))
			}
			for _, failOn := range []checks.Severity{"never", checks.High, checks.Medium, checks.Low} {
				for _, assessed := range []bool{false, true} {
					if got, want := r.Exit(failOn, assessed), small.Exit(failOn, assessed); got != want {
						t.Errorf("--fail-on %s: exit %d, want %d", failOn, got, want)
					}
					without := *r
					without.Gaps, without.RestGaps = nil, nil
					wanted := *small
					wanted.Gaps = nil
					if got, want := without.Exit(failOn, assessed), wanted.Exit(failOn, assessed); got != want {
						t.Errorf("--fail-on %s, all read: exit %d, want %d", failOn, got, want)
					}
				}
			}
			for what, keep := range map[string]func(checks.Result) bool{
				"failures": report.Failure, "development": func(res checks.Result) bool {
					return res.Outcome == checks.Fail && res.Development && res.Follows == ""
				},
				"consequences": func(res checks.Result) bool { return res.Follows != "" }, "waived": func(res checks.Result) bool { return res.Outcome == checks.Waived },
			} {
				if got, want := sums(r, keep), sums(small, keep); !slices.Equal(got, want) {
					t.Errorf("%s:\n%q\nwant\n%q", what, got, want)
				}
			}
			if got, want := refusals(r), refusals(small); len(got) == 0 || !slices.Equal(got, want) {
				t.Errorf("refused\n%q\nwant\n%q", got, want)
			}
			open := 0
			for _, u := range r.Unknowns() {
				open += u.Subjects
			}
			if open != small.Score.NotAssessed {
				t.Errorf("%d are not assessed, want %d", open, small.Score.NotAssessed)
			}
			if got, want := reaches(r), reaches(small); !slices.Equal(got, want) {
				t.Errorf("horizon\n%q\nwant\n%q", got, want)
			}
			gaps := len(r.Gaps)
			for _, rest := range r.RestGaps {
				gaps += rest.Gaps
			}
			if gaps != len(small.Gaps) || len(r.Gaps) > 3000 {
				t.Errorf("%d gaps, %d of them in memory, want %d", gaps, len(r.Gaps), len(small.Gaps))
			}
			if fmt.Sprint(r.Unasked, r.Idle, r.Expired) != fmt.Sprint(small.Unasked, small.Idle, small.Expired) {
				t.Errorf("got %v %v %v, want %v %v %v", r.Unasked, r.Idle, r.Expired, small.Unasked, small.Idle, small.Expired)
			}
			if got, want := lists(out), lists([]byte(rendered(t, json.Render, small))); !slices.Equal(got, want) {
				t.Errorf("results.json has other lines: %d, want %d", len(got), len(want))
			}
			for name, render := range map[string]report.Renderer{"text": text.Render, "html": html.Render} {
				if !bytes.Contains([]byte(rendered(t, render, r)), []byte("more")) {
					t.Errorf("%s does not say what is left out", name)
				}
			}
			if err := sarif.Render(io.Discard, r); err != nil {
				t.Error(err)
			}
		})
	}
}

// refusals are what calls that gave no answer blind.
func refusals(r *report.Report) []string {
	var out []string
	for _, u := range r.Unknowns() {
		if u.Call != "" {
			slices.Sort(u.Checks)
			out = append(out, fmt.Sprintf("%s %d %d %v", u.Text, u.Subjects, len(u.Gaps)+u.MoreGaps, u.Checks))
		}
	}
	slices.Sort(out)
	return append(out, report.Grants(r.Unknowns())...)
}

func sums(r *report.Report, keep func(checks.Result) bool) []string {
	var out []string
	for _, c := range r.Causes(keep) {
		out = append(out, fmt.Sprintf("%s %s %s %q: %d in %d", c.Check.ID, c.Outcome, c.Severity, c.Text, c.Subjects, len(c.Places)+c.More))
	}
	slices.Sort(out)
	return out
}

func reaches(r *report.Report) []string {
	var out []string
	for _, s := range r.Stretches() {
		out = append(out, fmt.Sprintf("%d %ss, %s: %s, %s", s.Assets, s.Kind, s.Activity, s.Back(), s.Ends))
	}
	slices.Sort(out)
	return out
}

// lists returns the lines of results.json, whatever their order: a large scan hands its gaps out as they come.
func lists(out []byte) []string {
	var all []string
	for line := range bytes.Lines(out) {
		all = append(all, string(bytes.TrimRight(line, ",\n")))
	}
	slices.Sort(all)
	return all
}

// TestResultsOfALargeScanStandInOneOrder holds the results of results.json to one order, however they were judged.
func TestResultsOfALargeScanStandInOneOrder(t *testing.T) {
	set, o := crowd()
	_, out := large(t, set, o)
	results := func(out []byte) []byte {
		_, rest, _ := bytes.Cut(out, []byte(`"results": [`))
		list, _, _ := bytes.Cut(rest, []byte("\n]"))
		return list
	}
	got, want := results(out), results([]byte(rendered(t, json.Render, report.New(set, o))))
	if !bytes.Equal(got, want) {
		t.Errorf("the results differ: %s", difference(string(got), string(want)))
	}
}

type full struct{ results, gaps, rows int }

var errFull = errors.New("the disk is full")

func count(n *int) error {
	if *n--; *n < 0 {
		return errFull
	}
	return nil
}

func (f *full) Result(checks.Result) error { return count(&f.results) }
func (f *full) Gap(evidence.Gap) error     { return count(&f.gaps) }
func (f *full) Row(report.Row) error       { return count(&f.rows) }

func TestALargeScanEndsWhenNothingCanBeWritten(t *testing.T) {
	set, o := reporttest.SampleSet()
	const enough = 1 << 30
	for _, sink := range []*full{{10, enough, enough}, {enough, 1, enough}, {enough, 3, enough}, {enough, enough, 2}} {
		if _, err := report.NewLarge(reporttest.Large{Set: set}, o, sink); !errors.Is(err, errFull) {
			t.Errorf("got %v", err)
		}
	}
}
