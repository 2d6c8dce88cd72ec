package checktest

import (
	"slices"
	"strings"
	"testing"

	"lookback/checks"
	"lookback/evidence"
)

var switchedOn = &checks.Check{ID: "recorded-on", Severity: checks.Medium, Judge: checks.Each(func(_ *checks.View, s evidence.LogSource) checks.Verdict {
	on, known := s.Enabled.Get()
	switch {
	case !known:
		return checks.NotKnown(s.Enabled)
	case !on:
		return checks.Failed(s.Enabled, "%s is off", s.ID).As(checks.High)
	}
	return checks.Passed(s.Enabled, "%s is on", s.ID)
})}

const allThree = `- log-source: {id: a, enabled: true} # want pass ` + "`a is on`" + `
- log-source:
    id: b
    enabled: false # want fail high ` + "`b is off`" + `
- log-source:
    id: c # want not-assessed ` + "`nobody looked`" + `
`

func TestCompare(t *testing.T) {
	for name, tt := range map[string]struct {
		fixture string
		want    []string // in what is wrong, in order
	}{
		"everything is wanted":      {allThree, nil},
		"a want that nothing meets": {allThree + "# want fail `x`\n", []string{"f.yaml:7: want fail  `x`, and there is none"}},
		"a result that nobody wants": {
			allThree + "- log-source: {id: d, enabled: true}\n", []string{"f.yaml:7: unwanted pass medium `d is on` of d"},
		},
		"another severity": {strings.Replace(allThree, "fail high", "fail low", 1), []string{"want fail low", "unwanted fail high"}},
		"another outcome":  {strings.Replace(allThree, "want pass", "want fail", 1), []string{"want fail", "unwanted pass"}},
		"another message":  {strings.Replace(allThree, "`a is on`", "`^is on`", 1), []string{"want pass", "unwanted pass"}},
		"another line":     {strings.Replace(allThree, "    enabled: false #", "    enabled: false\n    #", 1), []string{"f.yaml:5: want", "f.yaml:4: unwanted"}},
		"a fixture that shows one outcome": {
			"- log-source: {id: a, enabled: true} # want pass `on`\n", []string{"shows no fail", "shows no not-assessed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := compare("f.yaml", []byte(tt.fixture), switchedOn)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(tt.want) || !slices.EqualFunc(got, tt.want, strings.Contains) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLoadNamesWhatIsWrong(t *testing.T) {
	for name, tt := range map[string]struct{ fixture, want string }{
		"nothing":                   {"# only a comment\n", "is empty"},
		"no YAML":                   {"- [", "reading f.yaml"},
		"no record":                 {"- log-surce: {id: a}\n", `f.yaml:1: "log_surce" is no record`},
		"a word":                    {"- log-source\n", "f.yaml:1: want one record"},
		"two records in one":        {"- log-source: {id: a}\n  asset: {id: b}\n", "f.yaml:1: want one record"},
		"a field that is none":      {"- log-source:\n    id: a\n    enbled: true\n", `f.yaml:3: LogSource has no field "enbled"`},
		"a field of a list":         {"- log-source: {id: a, to: [{to: b, extnt: 1}]}\n", `Delivery has no field "extnt"`},
		"a field of a map":          {"- log-source: {id: a, parts: {exec: {grad: all}}}\n", `Extent has no field "grad"`},
		"a fact of another type":    {"- log-source: {id: a, enabled: maybe}\n", "cannot unmarshal"},
		"no such reason":            {"- log-source: {id: a, enabled: {unknown: tired}}\n", `"tired" is not a reason`},
		"an alias to nowhere":       {"- log-source: {id: a, enabled: *x}\n", "reading f.yaml"},
		"a want that is no pattern": {"- log-source: {id: a} # want pass `[`\n", "error parsing regexp"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := compare("f.yaml", []byte(tt.fixture), switchedOn)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestFactsOfAFixture(t *testing.T) {
	set, err := Load("f.yaml", []byte(`- log-store:
    id: a
    on: []
    kept: {value: 30, note: declared}
    bytes: {moot: true}
    cold-after: {unknown: denied, note: asked twice}
    memory: false
`))
	if err != nil {
		t.Fatal(err)
	}
	s := set.Records[0].(*evidence.LogStore)
	if on, known := s.On.Get(); !known || on == nil || len(on) != 0 {
		t.Errorf("a known empty list is %v, %v", on, known)
	}
	if kept, known := s.Kept.Get(); !known || kept != 30 || s.Kept.At().Note != "declared" || s.Kept.At().Line != 4 {
		t.Errorf("kept is %v, %v at %+v", kept, known, s.Kept.At())
	}
	if !s.Bytes.IsMoot() || s.ColdAfter.Why() != evidence.Denied || s.ColdAfter.At().Note != "asked twice" || !s.Lingers.IsZero() {
		t.Errorf("got %+v", s)
	}
	if s.At.File != "f.yaml" || s.At.Line != 2 {
		t.Errorf("the record is at %+v", s.At)
	}
}
