package json_test

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"lookback/checks"
	"lookback/evidence"
	"lookback/report"
	"lookback/report/json"
	"lookback/report/json/object"
	"lookback/report/reporttest"
)

var update = flag.Bool("update", false, "write the golden files")

func render(t testing.TB, r *report.Report) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := json.Render(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func compile(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(json.JSONSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("results.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("results.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestGolden(t *testing.T) {
	const golden = "testdata/sample.json"
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
	for i := range max(len(gotLines), len(wantLines)) {
		if i >= len(gotLines) || i >= len(wantLines) || gotLines[i] != wantLines[i] {
			t.Fatalf("%s:%d differs (-update writes it anew)\ngot  %.400s\nwant %.400s", golden, i+1,
				strings.Join(gotLines[min(i, len(gotLines)):], "\n"), strings.Join(wantLines[min(i, len(wantLines)):], "\n"))
		}
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

func TestSchemaAcceptsOutput(t *testing.T) {
	verbose := reporttest.Sample(t)
	verbose.Verbose, verbose.Partial = true, true
	noFact := reporttest.Sample(t)
	noFact.Results = append(noFact.Results, checks.Result{Check: noFact.Results[0].Check, Subject: evidence.Subject{ID: "a//b"}})
	for name, r := range map[string]*report.Report{
		"every kind of row":           reporttest.Sample(t),
		"verbose and partial":         verbose,
		"nothing found":               reporttest.Empty(t),
		"3,000 subjects in one cause": reporttest.Many(t, 3000, "app"),
		"a result without a fact":     noFact,
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(render(t, r)))
			if err != nil {
				t.Fatal(err)
			}
			if err := compile(t).Validate(doc); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSchemaRefuses proves that the schema is no rubber stamp: each change to real output makes it invalid.
func TestSchemaRefuses(t *testing.T) {
	object := func(v any) map[string]any { return v.(map[string]any) }
	first := func(doc map[string]any, list string) map[string]any { return object(doc[list].([]any)[0]) }
	for name, change := range map[string]func(doc map[string]any){
		"another format":              func(d map[string]any) { d["schema"] = "lookback-results/2" },
		"a key that is not ours":      func(d map[string]any) { d["more"] = true },
		"a list that is missing":      func(d map[string]any) { delete(d, "gaps") },
		"an outcome that is none":     func(d map[string]any) { first(d, "results")["outcome"] = "not-applicable" },
		"a severity that is none":     func(d map[string]any) { first(d, "results")["severity"] = "" },
		"a result with another key":   func(d map[string]any) { first(d, "results")["why"] = "denied" },
		"a subject without an ID":     func(d map[string]any) { delete(object(first(d, "results")["subject"]), "id") },
		"a subject with another key":  func(d map[string]any) { object(first(d, "results")["subject"])["line"] = 1 },
		"a fact with another key":     func(d map[string]any) { object(first(d, "results")["because"])["value"] = 1 },
		"line 0":                      func(d map[string]any) { object(first(d, "results")["because"])["line"] = 0 },
		"waived without a waiver":     func(d map[string]any) { first(d, "results")["outcome"] = "waived" },
		"a waiver on a pass":          func(d map[string]any) { first(d, "results")["waiver"] = map[string]any{"reason": "so"} },
		"a score with another key":    func(d map[string]any) { object(d["score"])["grade"] = "A" },
		"more than 100 %":             func(d map[string]any) { object(d["score"])["ready"] = 100.1 },
		"a time that is none":         func(d map[string]any) { object(d["scan"])["ended"] = "yesterday" },
		"a gap for another reason":    func(d map[string]any) { first(d, "gaps")["why"] = "tired" },
		"an activity that is none":    func(d map[string]any) { first(d, "horizon")["activity"] = "sleep" },
		"a horizon without a number":  func(d map[string]any) { first(d, "horizon")["total_days"] = nil },
		"an idle waiver with a key":   func(d map[string]any) { first(object(d["waivers"]), "idle")["used"] = false },
		"a count that is no number":   func(d map[string]any) { object(d["counted"])["ConfigMap"] = "4" },
		"a count of no check at all":  func(d map[string]any) { object(d["unasked"])["A check"] = 4 },
		"a policy with another key":   func(d map[string]any) { object(d["policy"])["keep"] = 1 },
		"a tool with another key":     func(d map[string]any) { object(d["tool"])["home"] = "x" },
		"an asset with another key":   func(d map[string]any) { object(first(d, "horizon")["asset"])["path"] = "x" },
		"a scan with another key":     func(d map[string]any) { object(d["scan"])["host"] = "x" },
		"a hash that is none":         func(d map[string]any) { object(d["scan"])["evidence_sha256"] = "x" },
		"a fingerprint that is none":  func(d map[string]any) { first(d, "results")["fingerprint"] = "x" },
		"development that is not one": func(d map[string]any) { first(d, "results")["development"] = false },
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(render(t, reporttest.Sample(t))))
			if err != nil {
				t.Fatal(err)
			}
			schema := compile(t)
			if err := schema.Validate(doc); err != nil {
				t.Fatalf("before the change: %v", err)
			}
			change(object(doc))
			if err := schema.Validate(doc); err == nil {
				t.Error("the schema accepts it")
			}
		})
	}
}

// TestEveryKeyIsDescribed proves that whoever reads the schema is told about every member at the top.
func TestEveryKeyIsDescribed(t *testing.T) {
	var doc struct {
		Properties map[string]struct{ Description string }
	}
	if err := stdjson.Unmarshal([]byte(json.JSONSchema()), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Properties) == 0 {
		t.Fatal("the schema names no member")
	}
	for name, p := range doc.Properties {
		if p.Description == "" {
			t.Errorf("%s has no description", name)
		}
	}
}

// results is what a program that uses the file would see.
type results struct {
	Score   report.Score
	Results []struct {
		Check, Outcome, Severity, Message, Follows, Fingerprint string
		Development, Baseline                                   bool
		Waiver                                                  *struct{ Reason, Who, Until, File string }
		Subject                                                 struct{ ID, Name string }
	}
	Horizon []struct {
		Asset struct{ ID string }
		Total *int `json:"total_days"`
		Hot   *int `json:"hot_days"`
		Kept  bool `json:"kept_until_deleted"`
	}
}

func TestResults(t *testing.T) {
	r := reporttest.Sample(t)
	out := render(t, r)
	var got results
	if err := stdjson.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Results) != len(r.Results) {
		t.Fatalf("got %d results, want one for each of %d", len(got.Results), len(r.Results))
	}
	fingerprints := map[string]bool{}
	seen := map[string]bool{}
	inOrder := slices.Clone(r.Results)
	report.ByUnit(inOrder)
	for i, res := range got.Results {
		want := inOrder[i]
		if res.Check != want.Check.ID || res.Outcome != want.Outcome.String() || res.Severity == "" || res.Follows != want.Follows ||
			res.Development != want.Development {
			t.Errorf("result %d: got %+v, want %+v", i, res, want)
		}
		fingerprints[res.Fingerprint] = true
		seen["consequence"] = seen["consequence"] || res.Follows != ""
		seen["development"] = seen["development"] || res.Development
		seen["on demand"] = seen["on demand"] || res.Check == "acquirable-container-image" && res.Outcome == "fail"
		seen["baseline"] = seen["baseline"] || res.Baseline && res.Subject.ID == "compose:apps/blog//cms/stdout#application"
		seen["waiver"] = seen["waiver"] || res.Waiver != nil && res.Waiver.Reason == "holds nothing but a cache" && res.Waiver.File == "lookback.yaml"
		seen["hostile"] = seen["hostile"] || res.Subject.Name == strings.ToValidUTF8(reporttest.Hostile, "\uFFFD")
	}
	for _, want := range []string{"consequence", "development", "on demand", "baseline", "waiver", "hostile"} {
		if !seen[want] {
			t.Errorf("no result shows: %s", want)
		}
	}
	if len(fingerprints) != len(got.Results) {
		t.Errorf("%d fingerprints for %d results", len(fingerprints), len(got.Results))
	}
	for _, h := range got.Horizon {
		if strings.HasSuffix(h.Asset.ID, "/pod/new") && (h.Total != nil || h.Hot != nil || !h.Kept) {
			t.Errorf("what nothing deletes has a number of days: %+v", h)
		}
		if strings.HasSuffix(h.Asset.ID, "/pod/old") && (h.Total == nil || *h.Total != 30 || h.Kept) {
			t.Errorf("got %+v, want 30 days", h)
		}
	}
	if bytes.Contains(out, []byte("2147483647")) {
		t.Error("the number that stands for no end is written")
	}
}

func TestHostileNames(t *testing.T) {
	out := render(t, reporttest.Sample(t))
	if i := bytes.IndexFunc(bytes.ReplaceAll(out, []byte("\n"), nil), object.Acts); i >= 0 {
		t.Errorf("a character that acts is written raw, at byte %d", i)
	}
	if !bytes.Equal(out, bytes.ToValidUTF8(out, nil)) {
		t.Error("it is not UTF-8")
	}
}

func TestDiskFull(t *testing.T) {
	if err := json.Render(full{}, reporttest.Sample(t)); !errors.Is(err, errFull) {
		t.Errorf("got %v, want the error of the disk", err)
	}
}

type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestKeysOfOutput(t *testing.T) {
	r := reporttest.Sample(t)
	got, err := json.Keys(bytes.NewReader(render(t, r)))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, res := range r.Results {
		if res.Outcome == checks.Fail || res.Outcome == checks.Waived {
			// A byte that is no UTF-8 comes back as the character for that.
			want[strings.ToValidUTF8(report.Key(res.Check.ID, res.Subject.ID), "\uFFFD")] = true
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %d keys, want %d:\n%q\n%q", len(got), len(want), slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

func TestKeys(t *testing.T) {
	const head = `{"schema": "lookback-results/1", `
	for name, c := range map[string]struct {
		in   string
		want []string
		err  string
	}{
		"a failure and a waived one": {in: head + `"results": [
			{"check": "a-b", "outcome": "fail", "subject": {"id": "x//y"}},
			{"check": "a-c", "outcome": "waived", "subject": {"id": "x//y"}}]}`, want: []string{"a-b x//y", "a-c x//y"}},
		"what did not fail": {in: head + `"results": [
			{"check": "a-b", "outcome": "pass", "subject": {"id": "x//y"}},
			{"check": "a-b", "outcome": "not-assessed", "subject": {"id": "x//z"}}]}`},
		"lists around it":             {in: head + `"gaps": [{"a": [1, {}]}], "results": [], "horizon": [[]], "n": null}`},
		"no results at all":           {in: head + `"gaps": []}`, err: "it is no results.json"},
		"an empty file":               {in: "", err: "unexpected EOF"},
		"another file":                {in: `{"version": "2.1.0", "runs": []}`, err: "it is no results.json"},
		"a list":                      {in: `[]`, err: "it is no results.json"},
		"no JSON":                     {in: `schema: 1`, err: "invalid character"},
		"a newer format":              {in: `{"schema": "lookback-results/2", "results": []}`, err: `"lookback-results/2" is not a format that this version reads; it reads "lookback-results/1"`},
		"a format that is a number":   {in: `{"schema": 1}`, err: `"1" is not a format`},
		"a long format":               {in: `{"schema": "` + strings.Repeat("x", 1000) + `"}`, err: `x" is not a format`},
		"cut short in the results":    {in: head + `"results": [{"check": "a-b", "outcome": "fail", "subject": {"id": "x//y"}}`, err: "EOF"},
		"cut short in a result":       {in: head + `"results": [{"check": "a-b", "outc`, err: "result 1"},
		"cut short after the results": {in: head + `"results": []`, err: "unexpected EOF"},
		"cut short before":            {in: head + `"gaps": [`, err: "EOF"},
		"cut short in the format":     {in: `{"schema"`, err: "EOF"},
		"results that are no list":    {in: head + `"results": {}}`, err: "it is no results.json"},
		"a result without a subject":  {in: head + `"results": [{"check": "a-b", "outcome": "fail"}]}`, err: "result 1 lacks"},
		"a result that is a number":   {in: head + `"results": [7]}`, err: "result 1"},
		"two files in one":            {in: head + `"results": []} {}`, err: "more after the end"},
		"deep nesting":                {in: head + `"gaps": ` + strings.Repeat("[", 1_000_000), err: "nested more than 100 deep"},
		"deep nesting in a result":    {in: head + `"results": [` + strings.Repeat("[", 1_000_000), err: "result 1"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.Keys(strings.NewReader(c.in))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("got %v, want an error with %q", err, c.err)
				}
				if len(err.Error()) > 300 {
					t.Errorf("the error is %d characters long", len(err.Error()))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, c.want) {
				t.Errorf("got %q, want %q", keys, c.want)
			}
		})
	}
}

func FuzzKeys(f *testing.F) {
	var out bytes.Buffer
	if err := json.Render(&out, reporttest.Sample(f)); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add([]byte(`{"schema": "lookback-results/1", "results": [{"check": "a-b", "outcome": "fail", "subject": {"id": "x//y"}}]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := json.Keys(bytes.NewReader(in))
		if err != nil && got != nil {
			t.Error("keys with an error")
		}
		for key := range got {
			if check, id, ok := strings.Cut(key, " "); !ok || check == "" && id == "" {
				t.Errorf("%q is no key", key)
			}
		}
	})
}

func TestWhatWasSeenIsToldApartFromWhatIsPromised(t *testing.T) {
	of := func(row report.Row) string {
		r := *reporttest.Sample(t)
		r.Horizon = []report.Row{row}
		return string(render(t, &r))
	}
	seen := of(report.Row{Reach: report.Reach{Seen: 9, WasSeen: true}})
	if !strings.Contains(seen, `"total_days":0,`) || !strings.Contains(seen, `"seen_days":9,`) {
		t.Errorf("9 days seen: %s", seen)
	}
	if strings.Contains(of(report.Row{}), "seen_days") {
		t.Error("what nobody looked at was seen")
	}
}
