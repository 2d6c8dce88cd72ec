package sarif_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"lookback/checks"
	"lookback/evidence"
	"lookback/report"
	"lookback/report/json/object"
	"lookback/report/reporttest"
	"lookback/report/sarif"
)

var update = flag.Bool("update", false, "write the golden files")

// log is what a reader of the file would see.
type log struct {
	Runs []struct {
		Tool struct {
			Driver struct {
				Name, Version string
				Rules         []struct {
					ID               string
					ShortDescription struct{ Text string }
					FullDescription  struct{ Text string }
					Help             struct{ Text, Markdown string }
					Properties       struct {
						Tags     []string
						Severity string `json:"security-severity"`
					}
				}
			}
		}
		Invocations []struct {
			ExecutionSuccessful        bool
			ToolExecutionNotifications []struct {
				Level     string
				Message   struct{ Text string }
				Locations []place
			}
		}
		Properties map[string]any
		Results    []result
	}
}

type result struct {
	RuleID              string
	RuleIndex           int
	Level               string
	Message             struct{ Text string }
	Locations           []place
	PartialFingerprints map[string]string
	BaselineState       string
}

type place struct {
	PhysicalLocation struct {
		ArtifactLocation struct{ URI string }
		Region           *struct{ StartLine, StartColumn int }
	}
}

// uri returns where a result is shown.
func (r result) uri() string { return r.Locations[0].PhysicalLocation.ArtifactLocation.URI }

func render(t testing.TB, r *report.Report) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := sarif.Render(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func read(t testing.TB, r *report.Report) log {
	t.Helper()
	var l log
	if err := json.Unmarshal(render(t, r), &l); err != nil {
		t.Fatal(err)
	}
	if len(l.Runs) != 1 {
		t.Fatalf("got %d runs, want 1", len(l.Runs))
	}
	return l
}

// find returns the results of a check whose message holds a text.
func find(l log, check, text string) []result {
	var out []result
	for _, r := range l.Runs[0].Results {
		if r.RuleID == check && strings.Contains(r.Message.Text, text) {
			out = append(out, r)
		}
	}
	return out
}

func TestGolden(t *testing.T) {
	const golden = "testdata/sample.sarif"
	got := render(t, reporttest.Sample(t))
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			t.Fatalf("%s:%d differs (-update writes it anew)\ngot  %s\nwant %s", golden, i+1, gotLines[i], wantLines[i])
		}
	}
	if len(gotLines) != len(wantLines) {
		t.Fatalf("%s: got %d lines, want %d (-update writes it anew)", golden, len(gotLines), len(wantLines))
	}
}

func TestSameBytes(t *testing.T) {
	first := render(t, reporttest.Sample(t))
	for range 20 {
		if again := render(t, reporttest.Sample(t)); !bytes.Equal(first, again) {
			t.Fatal("the same report gives other bytes")
		}
	}
}

func compile(t testing.TB) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif-schema-2.1.0.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestSchema(t *testing.T) {
	schema := compile(t)
	verbose := reporttest.Sample(t)
	verbose.Verbose, verbose.Partial, verbose.Known = true, true, nil
	noDoc := reporttest.Sample(t)
	for i := range noDoc.Results {
		c := *noDoc.Results[i].Check
		c.Doc = ""
		noDoc.Results[i].Check = &c
	}
	noFact := reporttest.Sample(t)
	noFact.Results = []checks.Result{{Check: noFact.Results[0].Check, Verdict: checks.Verdict{Outcome: checks.Fail}}}
	for name, r := range map[string]*report.Report{
		"every kind of row":           reporttest.Sample(t),
		"verbose and partial":         verbose,
		"checks without a Doc":        noDoc,
		"a failure without a fact":    noFact,
		"nothing found":               reporttest.Empty(t),
		"3,000 subjects in one cause": reporttest.Many(t, 3000, "app"),
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(render(t, r)))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(doc); err != nil {
				t.Error(err)
			}
		})
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(render(t, reporttest.Sample(t))))
	if err != nil {
		t.Fatal(err)
	}
	run := doc.(map[string]any)["runs"].([]any)[0].(map[string]any)
	run["results"].([]any)[0].(map[string]any)["level"] = "high"
	if err := schema.Validate(doc); err == nil {
		t.Error("the schema accepts a level that is none: it proves nothing")
	}
}

func TestResults(t *testing.T) {
	r := reporttest.Sample(t)
	l := read(t, r)
	run := l.Runs[0]
	var expected int
	for _, c := range r.Causes(report.Failure) {
		expected += len(c.Places)
	}
	if len(run.Results) != expected || expected == 0 {
		t.Errorf("got %d results, want %d: one a cause and target", len(run.Results), expected)
	}
	levels := []string{"error", "warning", "note"}
	loudest := 0
	fingerprints := map[string]bool{}
	for _, res := range run.Results {
		if run.Tool.Driver.Rules[res.RuleIndex].ID != res.RuleID {
			t.Errorf("ruleIndex %d is not that of %s", res.RuleIndex, res.RuleID)
		}
		if i := slices.Index(levels, res.Level); i < loudest {
			t.Errorf("%s comes after %s", res.Level, levels[loudest])
		} else {
			loudest = i
		}
		if len(res.Locations) == 0 || res.uri() == "" {
			t.Errorf("%s has no location", res.Message.Text)
		}
		fingerprints[res.PartialFingerprints["lookback/v1"]] = true
	}
	if loudest != 2 {
		t.Error("not all levels are there")
	}
	if len(fingerprints) != len(run.Results) {
		t.Errorf("%d fingerprints for %d results", len(fingerprints), len(run.Results))
	}

	// One line a project, with the places of all its services; none for what is waived, follows or is for development.
	project := find(l, "shipped-off-asset", "3 services leave the log driver to the daemon")
	if len(project) != 1 {
		t.Fatalf("got %d results for the services of one project, want 1", len(project))
	}
	if lines := startLines(project[0]); !slices.Equal(lines, []int{10, 30, 40}) {
		t.Errorf("got lines %v, want those of api, web and worker", lines)
	}
	if project[0].uri() != "apps/shop/compose.yaml" || project[0].Locations[0].PhysicalLocation.Region.StartColumn != 3 {
		t.Errorf("got %+v", project[0].Locations[0])
	}
	for _, text := range []string{"cache", "debug", "db's output", "stays on the machine", "change under its tag"} {
		for _, res := range run.Results {
			if strings.Contains(res.Message.Text, text) {
				t.Errorf("%q is a result", res.Message.Text)
			}
		}
	}
	want := map[string]any{
		"waived": 1.0, "notAssessed": float64(r.Score.NotAssessed), "pass": float64(r.Score.Pass), "fail": float64(r.Score.Fail),
		"consequences": float64(r.Score.Consequences), "development": float64(r.Score.Development),
		"ready": r.Score.Ready, "upTo": r.Score.UpTo, "gaps": float64(len(r.Gaps)), "resultsLeftOut": 0.0,
	}
	for name, value := range want {
		if run.Properties[name] != value {
			t.Errorf("property %s is %v, want %v", name, run.Properties[name], value)
		}
	}
}

func startLines(r result) []int {
	var out []int
	for _, p := range r.Locations {
		if p.PhysicalLocation.Region == nil {
			out = append(out, 0)
			continue
		}
		out = append(out, p.PhysicalLocation.Region.StartLine)
	}
	return out
}

func TestOnDemandIsShownWhenAsked(t *testing.T) {
	r := reporttest.Sample(t)
	r.Verbose = true
	if got := find(read(t, r), "acquirable-container-image", "1 image is not pinned"); len(got) != 1 {
		t.Errorf("got %d results, want 1", len(got))
	}
}

func TestLiveScanHasAnArtificialLocation(t *testing.T) {
	got := find(read(t, reporttest.Sample(t)), "recorded-cloud-api", `trail "main" is off`)
	if len(got) != 1 {
		t.Fatalf("got %d results, want 1", len(got))
	}
	if got[0].uri() != "aws/111122223333/eu-west-1/cloudtrail/main" || got[0].Locations[0].PhysicalLocation.Region != nil {
		t.Errorf("got location %+v", got[0].Locations[0])
	}
	if f := got[0].PartialFingerprints; f["primaryLocationLineHash"] == "" || f["primaryLocationLineHash"] != f["lookback/v1"] {
		t.Errorf("nobody can compute the fingerprint from a file, and none is given: %v", f)
	}
}

func TestLocations(t *testing.T) {
	check := &checks.Check{ID: "sealed-locked", Title: "Locked", Severity: checks.Low}
	for name, c := range map[string]struct {
		id     evidence.ID
		fact   evidence.Origin
		at     evidence.Origin
		uri    string
		line   int
		column int
	}{
		"a place in a file":        {id: "a//b", fact: evidence.Origin{File: "x/y.yaml", Line: 3, Col: 2}, uri: "x/y.yaml", line: 3, column: 2},
		"a line without a column":  {id: "a//b", fact: evidence.Origin{File: "y.yaml", Line: 3}, uri: "y.yaml", line: 3},
		"a whole file":             {id: "a//b", fact: evidence.Origin{File: "y.yaml", Col: 3}, uri: "y.yaml"},
		"odd characters":           {id: "a//b", fact: evidence.Origin{File: "a b/ü%:?#[\x1b\xff.yaml"}, uri: "a%20b/%C3%BC%25%3A%3F%23%5B%1B%FF.yaml"},
		"what looks like a scheme": {id: "a//b", fact: evidence.Origin{File: "javascript:alert(1)"}, uri: "javascript%3Aalert%281%29"},
		"only the subject's file":  {id: "a//b", fact: evidence.Origin{Call: "x:Y"}, at: evidence.Origin{File: "z.tf", Line: 9}, uri: "z.tf", line: 9},
		"no file":                  {id: "gcp:p1//bucket/logs#cloud-data", fact: evidence.Origin{Call: "x"}, uri: "gcp/p1/bucket/logs"},
		"no file, a line":          {id: "gcp:p1//b", fact: evidence.Origin{Line: 3}, uri: "gcp/p1/b"},
		"a # that is no activity":  {id: "gcp:p1//b#1/c", uri: "gcp/p1/b%231/c"},
		"an ID that climbs":        {id: "host:../../etc//./passwd", uri: "host/etc/passwd"},
		"an ID of nothing":         {id: "//", uri: "unnamed"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &report.Report{Results: []checks.Result{{
				Check:   check,
				Subject: evidence.Subject{ID: c.id, At: c.at},
				Verdict: checks.Failed(evidence.Known(true, c.fact), "not locked"),
			}}}
			got := read(t, r).Runs[0].Results[0].Locations
			if len(got) != 1 {
				t.Fatalf("got %d locations, want 1", len(got))
			}
			p := got[0].PhysicalLocation
			if p.ArtifactLocation.URI != c.uri {
				t.Errorf("got %s, want %s", p.ArtifactLocation.URI, c.uri)
			}
			if u, err := url.Parse(p.ArtifactLocation.URI); err != nil || u.IsAbs() || u.Host != "" {
				t.Errorf("%s is no relative URI: %v", p.ArtifactLocation.URI, err)
			}
			switch {
			case c.line == 0 && p.Region != nil:
				t.Errorf("got region %+v, want none", *p.Region)
			case c.line > 0 && (p.Region == nil || p.Region.StartLine != c.line || p.Region.StartColumn != c.column):
				t.Errorf("got region %+v, want %d:%d", p.Region, c.line, c.column)
			}
		})
	}
}

func TestHostileNames(t *testing.T) {
	r := reporttest.Sample(t)
	link := "[pay here](https://evil.example)"
	for i := range r.Results {
		if report.Failure(r.Results[i]) && !r.Results[i].Plural {
			r.Results[i].Message += reporttest.Hostile + link
			break
		}
	}
	r.Gaps = append(r.Gaps, evidence.Gap{Asked: reporttest.Hostile, Err: link, Bad: true, At: evidence.Origin{File: reporttest.Hostile}})
	r.Tool = "look\x1bback 0.1\x9b"
	out := render(t, r)
	if !bytes.Equal(out, bytes.ToValidUTF8(out, nil)) {
		t.Error("it is not UTF-8")
	}
	if i := bytes.IndexFunc(bytes.ReplaceAll(out, []byte("\n"), nil), object.Acts); i >= 0 {
		t.Errorf("a character that acts is written raw, at byte %d", i)
	}
	// Neither may one come out of the file once it is read.
	var doc any
	if err := json.Unmarshal(out, &doc); err != nil {
		t.Fatal(err)
	}
	found := false
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, one := range v {
				if name != "help" { // ours, with its paragraphs
					walk(one)
				}
			}
		case []any:
			for _, one := range v {
				walk(one)
			}
		case string:
			found = found || strings.Contains(v, "gnp.exe")
			if strings.ContainsFunc(v, object.Acts) || strings.Contains(v, "](") {
				t.Errorf("%q reaches a reader", v)
			}
		}
	}
	walk(doc)
	if !found {
		t.Error("the hostile name is not there at all: nothing is proved")
	}
}

func TestLongMessage(t *testing.T) {
	r := &report.Report{Results: []checks.Result{{
		Check:   &checks.Check{ID: "sealed-locked", Title: strings.Repeat("T", 5000), Severity: checks.Low, Doc: strings.Repeat("é", 5000)},
		Verdict: checks.Failed(evidence.Known(true, evidence.Origin{}), "%s", strings.Repeat("é", 5000)),
	}}}
	run := read(t, r).Runs[0]
	rule := run.Tool.Driver.Rules[0]
	for name, text := range map[string]string{
		"message": run.Results[0].Message.Text, "short": rule.ShortDescription.Text, "full": rule.FullDescription.Text,
	} {
		if n := len([]rune(text)); n > 1024 || n < 1000 {
			t.Errorf("the %s text has %d characters, want about 1,000 and at most 1,024", name, n)
		}
	}
}

func TestManyPlaces(t *testing.T) {
	for name, c := range map[string]struct {
		n, listed int
		says      string
	}{
		"just the most that may be listed": {n: 1000, listed: 1000},
		"one more":                         {n: 1001, listed: 1000, says: "(1 more places than are listed here)"},
		"3,000":                            {n: 3000, listed: 1000, says: "(2000 more places than are listed here)"},
	} {
		t.Run(name, func(t *testing.T) {
			got := find(read(t, reporttest.Many(t, c.n, "app")), "shipped-off-asset", fmt.Sprintf("%d services leave", c.n))
			if len(got) != 1 {
				t.Fatalf("got %d results, want 1", len(got))
			}
			if len(got[0].Locations) != c.listed {
				t.Errorf("got %d locations, want %d", len(got[0].Locations), c.listed)
			}
			if !strings.HasSuffix(got[0].Message.Text, cmp.Or(c.says, "as the container")) {
				t.Errorf("got %q, want it to end in %q", got[0].Message.Text, c.says)
			}
		})
	}
}

// TestLimits proves that the file of a very large estate would not be refused.
func TestLimits(t *testing.T) {
	check := &checks.Check{ID: "sealed-locked", Title: "Locked", Severity: checks.Low, Doc: "Lock it."}
	loud := &checks.Check{ID: "sealed-private", Title: "Private", Severity: checks.High, Doc: "Close it."}
	fail := func(c *checks.Check, target, thing int) checks.Result {
		return checks.Result{
			Check:   c,
			Subject: evidence.Subject{ID: evidence.ID(fmt.Sprintf("compose:t%d//s%d", target, thing))},
			Verdict: checks.Failed(evidence.Known(true, evidence.Origin{File: fmt.Sprintf("t%d/compose.yaml", target), Line: thing + 1}), "no").As(c.Severity),
		}
	}
	t.Run("more results than a run may have", func(t *testing.T) {
		r := &report.Report{}
		for i := range 25_010 {
			r.Results = append(r.Results, fail(check, i, 0))
		}
		r.Results = append(r.Results, fail(loud, 1, 0))
		run := read(t, r).Runs[0]
		if len(run.Results) != 25_000 || run.Properties["resultsLeftOut"] != 11.0 {
			t.Errorf("got %d results and %v left out, want 25000 and 11", len(run.Results), run.Properties["resultsLeftOut"])
		}
		if run.Results[0].RuleID != loud.ID {
			t.Errorf("the loudest is not the first: %s", run.Results[0].RuleID)
		}
	})
	t.Run("more places than 10 MB hold", func(t *testing.T) {
		r := &report.Report{}
		for i := range 300 {
			for j := range 1000 {
				r.Results = append(r.Results, fail(check, i, j))
			}
		}
		out := render(t, r)
		var l log
		if err := json.Unmarshal(out, &l); err != nil {
			t.Fatal(err)
		}
		places := 0
		for _, res := range l.Runs[0].Results {
			places += len(res.Locations)
			if len(res.Locations) == 0 {
				t.Fatal("a result has no location")
			}
			if len(res.Locations) < 1000 && !strings.Contains(res.Message.Text, fmt.Sprintf("(%d more places", 1000-len(res.Locations))) {
				t.Fatalf("%d locations, and the message says %q", len(res.Locations), res.Message.Text)
			}
		}
		if len(l.Runs[0].Results) != 300 || places != 100_300 {
			t.Errorf("got %d results with %d places, want 300 with 100300", len(l.Runs[0].Results), places)
		}
		var small bytes.Buffer
		z := gzip.NewWriter(&small)
		if _, err := z.Write(out); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if small.Len() > 10<<20 {
			t.Errorf("it is %d bytes when compressed", small.Len())
		}
	})
	t.Run("more bad files than anybody reads", func(t *testing.T) {
		r := &report.Report{}
		for range 3000 {
			r.Gaps = append(r.Gaps, evidence.Gap{Asked: "what runs here", Bad: true})
		}
		run := read(t, r).Runs[0]
		if n := len(run.Invocations[0].ToolExecutionNotifications); n != 1000 || run.Properties["gaps"] != 3000.0 {
			t.Errorf("got %d notifications of %v gaps, want 1000 of 3000", n, run.Properties["gaps"])
		}
	})
}

// TestFingerprints proves what makes an alert the same one in the next scan, and what does not.
func TestFingerprints(t *testing.T) {
	check := &checks.Check{ID: "sealed-locked", Title: "Locked", Severity: checks.Low}
	fail := func(id evidence.ID, line int, format string) checks.Result {
		return checks.Result{
			Check:   check,
			Subject: evidence.Subject{ID: id},
			Verdict: checks.Failed(evidence.Known(true, evidence.Origin{File: "compose.yaml", Line: line}), format, line).As(checks.Low),
		}
	}
	before := []checks.Result{fail("a//x", 1, "no %d"), fail("a//y", 2, "no %d")}
	for name, c := range map[string]struct {
		before, after []checks.Result
		same          bool
	}{
		"other lines":                {before, []checks.Result{fail("a//x", 11, "no %d"), fail("a//y", 12, "no %d")}, true},
		"one more of its kind":       {before, append(slices.Clone(before), fail("a//z", 3, "no %d")), true},
		"another target":             {before, []checks.Result{fail("b//x", 1, "no %d"), fail("b//y", 2, "no %d")}, false},
		"another group":              {before, []checks.Result{fail("a//x", 1, "none %d"), fail("a//y", 2, "none %d")}, false},
		"a single one on other line": {before[:1], []checks.Result{fail("a//x", 11, "no %d")}, true},
		"a single other one":         {before[:1], before[1:], false},
	} {
		t.Run(name, func(t *testing.T) {
			identify := func(rs []checks.Result) string {
				res := read(t, &report.Report{Results: rs}).Runs[0].Results
				if len(res) != 1 {
					t.Fatalf("got %d results, want 1", len(res))
				}
				if _, ours := res[0].PartialFingerprints["primaryLocationLineHash"]; ours {
					t.Error("a fingerprint that the upload action makes from the file is given")
				}
				return res[0].PartialFingerprints["lookback/v1"]
			}
			if one, other := identify(c.before), identify(c.after); (one == other) != c.same || one == "" {
				t.Errorf("got %q and %q, want the same: %v", one, other, c.same)
			}
		})
	}
}

func TestBaseline(t *testing.T) {
	r := reporttest.Sample(t)
	l := read(t, r)
	if got := find(l, "shipped-off-asset", "2 services leave"); len(got) != 1 || got[0].BaselineState != "new" {
		t.Errorf("a cause of which the baseline knows one of two: got %+v, want it new", got)
	}
	r.Known[report.Key("shipped-off-asset", "compose:apps/blog//proxy/stdout#application")] = true
	all := read(t, r)
	if got := find(all, "shipped-off-asset", "2 services leave"); len(got) != 1 || got[0].BaselineState != "unchanged" {
		t.Errorf("a cause that the baseline knows: got %+v, want it unchanged", got)
	}
	if len(all.Runs[0].Results) != len(l.Runs[0].Results) {
		t.Error("what a baseline knows is left out: its alerts would close")
	}
	r.Known = nil
	for _, res := range read(t, r).Runs[0].Results {
		if res.BaselineState != "" {
			t.Errorf("without a baseline, got state %q", res.BaselineState)
		}
	}
}

func TestInvocation(t *testing.T) {
	r := reporttest.Sample(t)
	whole := read(t, r).Runs[0].Invocations[0]
	if !whole.ExecutionSuccessful {
		t.Error("a file that does not parse makes GitHub refuse the whole scan")
	}
	if len(whole.ToolExecutionNotifications) != 1 {
		t.Fatalf("got %d notifications, want one for the bad file", len(whole.ToolExecutionNotifications))
	}
	n := whole.ToolExecutionNotifications[0]
	if n.Level != "error" || n.Message.Text != "what runs here: line 3: did not find expected key" || len(n.Locations) != 1 ||
		n.Locations[0].PhysicalLocation.ArtifactLocation.URI != "apps/broken/compose.yaml" {
		t.Errorf("got %+v", n)
	}
	r.Partial = true
	if read(t, r).Runs[0].Invocations[0].ExecutionSuccessful {
		t.Error("a scan that was cut short would close alerts")
	}
}

func TestRules(t *testing.T) {
	r := reporttest.Sample(t)
	driver := read(t, r).Runs[0].Tool.Driver
	if driver.Name != "lookback" || driver.Version != "0.1.0" {
		t.Errorf("got %s %s", driver.Name, driver.Version)
	}
	severities := map[string]string{}
	for _, rule := range driver.Rules {
		severities[rule.ID] = rule.Properties.Severity
		chapter, _, _ := strings.Cut(rule.ID, "-")
		if !slices.Equal(rule.Properties.Tags, []string{"forensic-readiness", chapter}) {
			t.Errorf("%s has tags %v", rule.ID, rule.Properties.Tags)
		}
		if rule.ID != "shipped-off-asset" {
			continue
		}
		const text = "Containers are replaced many times a day, and their log files are deleted with them. If the service is replaced before anyone looks, nothing shows what ran."
		if rule.FullDescription.Text != text {
			t.Errorf("got full description %q", rule.FullDescription.Text)
		}
		if !strings.HasPrefix(rule.Help.Text, text+"\n\nCure, Compose: a log driver") || !strings.Contains(rule.Help.Text, `<html> & "quotes"`) {
			t.Errorf("got help %q", rule.Help.Text)
		}
		if !strings.Contains(rule.Help.Markdown, `\<html\> \& "quotes"`) {
			t.Errorf("got Markdown %q", rule.Help.Markdown)
		}
	}
	want := map[string]string{
		"recorded-application": "5.0", "recorded-cloud-api": "8.0", "shipped-off-asset": "5.0", "retained-long-enough": "5.0", "retained-by-time": "2.0",
	}
	for id, severity := range want {
		if severities[id] != severity {
			t.Errorf("%s has security-severity %q, want %q", id, severities[id], severity)
		}
	}
	if len(severities) != len(want) {
		t.Errorf("got rules %v, want only those of results", severities)
	}
}

// full is a disk with room for some bytes.
type full struct{ left int }

var errFull = errors.New("disk full")

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestDiskFull(t *testing.T) {
	r := reporttest.Sample(t)
	size := len(render(t, r))
	for _, room := range []int{0, 200, size - 2} {
		if err := sarif.Render(&full{room}, r); !errors.Is(err, errFull) {
			t.Errorf("room for %d bytes of %d: got %v, want the error of the disk", room, size, err)
		}
	}
	if err := sarif.Render(&full{size}, r); err != nil {
		t.Error(err)
	}
}
