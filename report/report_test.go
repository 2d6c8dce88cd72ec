package report

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"lookback/checks"
	"lookback/evidence"
)

func TestExit(t *testing.T) {
	fail := func(s checks.Severity) checks.Result {
		r := some(1, medium, checks.Fail)[0]
		r.Severity, r.Subject.ID = s, "compose:shop//web"
		return r
	}
	with := func(r checks.Result, change func(*checks.Result)) []checks.Result {
		return changed([]checks.Result{r}, change)
	}
	open := some(1, medium, checks.NotAssessed)
	gap, bad := evidence.Gap{Asked: "trails"}, evidence.Gap{Asked: "a file", Bad: true}
	for name, tt := range map[string]struct {
		report   Report
		failOn   checks.Severity
		assessed bool
		want     int
	}{
		"nothing at all":                  {Report{}, checks.High, true, 0},
		"all pass":                        {Report{Results: some(3, high, checks.Pass)}, checks.Low, true, 0},
		"a failure above":                 {Report{Results: []checks.Result{fail(checks.High)}}, checks.Medium, false, 1},
		"a failure at":                    {Report{Results: []checks.Result{fail(checks.Medium)}}, checks.Medium, false, 1},
		"a failure below":                 {Report{Results: []checks.Result{fail(checks.Low)}}, checks.Medium, false, 0},
		"medium by default is below high": {Report{Results: []checks.Result{fail(checks.Medium)}}, checks.High, false, 0},
		"never":                           {Report{Results: []checks.Result{fail(checks.High)}}, "never", false, 0},
		"never, and something is open":    {Report{Results: append([]checks.Result{fail(checks.High)}, open...)}, "never", true, 3},
		"bad input before a failure":      {Report{Results: []checks.Result{fail(checks.High)}, Gaps: []evidence.Gap{gap, bad}}, checks.High, true, 2},
		"bad input, never":                {Report{Gaps: []evidence.Gap{bad}}, "never", false, 2},
		"a failure before what is open":   {Report{Results: append(slices.Clone(open), fail(checks.High))}, checks.High, true, 1},
		"open":                            {Report{Results: open}, checks.High, true, 3},
		"open, and nobody asks":           {Report{Results: open}, checks.Low, false, 0},
		"a gap":                           {Report{Gaps: []evidence.Gap{gap}}, checks.High, true, 3},
		"a gap, and nobody asks":          {Report{Gaps: []evidence.Gap{gap}}, checks.High, false, 0},
		"cut short":                       {Report{Partial: true}, checks.High, true, 3},
		"cut short, and nobody asks":      {Report{Partial: true}, checks.High, false, 0},
		"waived":                          {Report{Results: some(1, high, checks.Waived)}, checks.Low, true, 0},
		"in development":                  {Report{Results: with(fail(checks.High), func(r *checks.Result) { r.Development = true })}, checks.Low, true, 0},
		"a consequence":                   {Report{Results: with(fail(checks.High), func(r *checks.Result) { r.Follows = "recorded-x" })}, checks.Low, true, 0},
		"on demand":                       {Report{Results: some(1, asked, checks.Fail)}, checks.Low, true, 0},
		"open in development":             {Report{Results: changed(slices.Clone(open), func(r *checks.Result) { r.Development = true })}, checks.Low, true, 0},
		"open on demand":                  {Report{Results: some(1, asked, checks.NotAssessed)}, checks.Low, true, 0},
		"in the baseline":                 {Report{Results: []checks.Result{fail(checks.High)}, Known: map[string]bool{Key(medium.ID, "compose:shop//web"): true}}, checks.Low, true, 0},
		"another check in the baseline":   {Report{Results: []checks.Result{fail(checks.High)}, Known: map[string]bool{Key(high.ID, "compose:shop//web"): true}}, checks.Low, true, 1},
		"another subject in the baseline": {Report{Results: []checks.Result{fail(checks.High)}, Known: map[string]bool{Key(medium.ID, "compose:shop//api"): true}}, checks.Low, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tt.report.Exit(tt.failOn, tt.assessed); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestKeyOfABadName(t *testing.T) {
	if got, want := Key("a", "x\xff"), Key("a", "x\uFFFD"); got != want { // JSON writes it so
		t.Errorf("got %q, want %q", got, want)
	}
}

// about is a result on a subject.
func about(id evidence.ID, c *checks.Check, v checks.Verdict) checks.Result {
	if v.Severity == "" {
		v.Severity = c.Severity
	}
	return checks.Result{Check: c, Subject: evidence.Subject{ID: id}, Verdict: v}
}

var here = evidence.Known(true, evidence.Origin{})

// lines writes causes down.
func lines(causes []Cause) []string {
	var out []string
	for _, c := range causes {
		out = append(out, fmt.Sprintf("%s %s %s %d: %s", c.Check.ID, c.Outcome, c.Severity, c.Subjects, c.Text))
		for _, p := range c.Places {
			ids := make([]string, 0, len(p.Results))
			for _, r := range p.Results {
				ids = append(ids, r.Subject.ID.Thing())
			}
			out = append(out, fmt.Sprintf("  %s [%s] %s", p.Target, strings.Join(ids, " "), p.Text))
		}
	}
	return out
}

func TestCauses(t *testing.T) {
	const many = "%d services leave it; the daemon keeps their output"
	left := func(name string) checks.Verdict { return checks.Failed(here, "%s is left", name).Many(many) }
	kept := func(name string) checks.Verdict { return checks.Failed(here, "%s ends with it", name) }
	loud := func(name string) checks.Verdict { return kept(name).As(checks.High) }
	same := checks.Failed(here, "nothing is written")
	for name, tt := range map[string]struct {
		results []checks.Result
		want    []string
	}{
		"nothing": {nil, nil},
		"a plural form, for many and for one": {
			[]checks.Result{about("a//1", medium, left("1")), about("a//2", medium, left("2")), about("b//1", medium, left("1"))},
			[]string{
				"recorded-medium fail medium 3: 3 services leave it; the daemon keeps their output",
				"  a [1 2] 2 services leave it; the daemon keeps their output",
				"  b [1] 1 service leaves it; the daemon keeps its output",
			},
		},
		"eleven are not one": {
			slices.Repeat([]checks.Result{about("a//1", medium, left("1"))}, 11),
			[]string{
				"recorded-medium fail medium 11: 11 services leave it; the daemon keeps their output",
				"  a [1 1 1 1 1 1 1 1 1 1 1] 11 services leave it; the daemon keeps their output",
			},
		},
		"one by its message": {
			[]checks.Result{about("a//1", medium, kept("web"))},
			[]string{"recorded-medium fail medium 1: web ends with it", "  a [1] web ends with it"},
		},
		"several that read alike": {
			[]checks.Result{about("a//1", medium, kept("web")), about("b//1", medium, kept("api")), about("b//2", medium, kept("db"))},
			[]string{
				"recorded-medium fail medium 3: web ends with it (and 2 more like it)",
				"  a [1] web ends with it", "  b [1 2] api ends with it (and 1 more like it)",
			},
		},
		"several that say the same": {
			[]checks.Result{about("a//1", medium, same), about("a//2", medium, same)},
			[]string{"recorded-medium fail medium 2: nothing is written (2)", "  a [1 2] nothing is written (2)"},
		},
		"the loudest first, then the largest, then as they come": {
			[]checks.Result{
				about("a//1", low, kept("1")), about("a//2", medium, kept("2")), about("a//3", medium, same), about("a//4", medium, same),
				about("a//5", medium, left("5")), about("a//6", medium, loud("6")),
			},
			[]string{
				"recorded-medium fail high 1: 6 ends with it", "  a [6] 6 ends with it",
				"recorded-medium fail medium 2: nothing is written (2)", "  a [3 4] nothing is written (2)",
				"recorded-medium fail medium 1: 2 ends with it", "  a [2] 2 ends with it",
				"recorded-medium fail medium 1: 1 service leaves it; the daemon keeps its output",
				"  a [5] 1 service leaves it; the daemon keeps its output",
				"retained-low fail low 1: 1 ends with it", "  a [1] 1 ends with it",
			},
		},
		"a target between the two halves of another": {
			[]checks.Result{about("a", medium, same), about("a-b//1", medium, same), about("a//1", medium, same)},
			[]string{
				"recorded-medium fail medium 3: nothing is written (3)", "  a [ 1] nothing is written (2)", "  a-b [1] nothing is written",
			},
		},
		"outcomes and checks apart": {
			[]checks.Result{
				about("a//1", medium, same), about("a//1", low, same),
				about("a//2", medium, checks.Verdict{Outcome: checks.Waived, Message: "nothing is written", Group: "nothing is written"}),
			},
			[]string{
				"recorded-medium fail medium 1: nothing is written", "  a [1] nothing is written",
				"recorded-medium waived medium 1: nothing is written", "  a [2] nothing is written",
				"retained-low fail low 1: nothing is written", "  a [1] nothing is written",
			},
		},
		"a format that holds a percent sign": {
			[]checks.Result{about("a//1", medium, checks.Failed(here, "%s holds it", "100%d"))},
			[]string{"recorded-medium fail medium 1: 100%d holds it", "  a [1] 100%d holds it"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := &Report{Results: tt.results}
			if got := lines(r.Causes(func(checks.Result) bool { return true })); !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

func TestCausesKeepsWhatItIsTold(t *testing.T) {
	r := &Report{Results: []checks.Result{
		about("a//1", medium, checks.Failed(here, "x")), about("a//2", medium, checks.Passed(here, "x")), about("a//3", asked, checks.Failed(here, "x")),
	}}
	if got, want := lines(r.Causes(Failure)), []string{"recorded-medium fail medium 1: x", "  a [1] x"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUnknowns(t *testing.T) {
	denied := checks.NotKnown(evidence.Unknown[bool](evidence.Denied, evidence.Origin{Call: "s3:Get"}))
	image := checks.NotKnown(evidence.Unknown[bool](evidence.Unfamiliar, evidence.Origin{}))
	r := &Report{Results: []checks.Result{
		about("a//1", medium, image),
		about("a//2", medium, denied), about("b//1", medium, denied.As(checks.High)), about("a//2", low, denied),
		about("a//3", asked, denied), about("a//4", medium, checks.Failed(here, "x")),
	}}
	var got []string
	for _, u := range r.Unknowns() {
		got = append(got, fmt.Sprintf("%s %d %v", u.Text, u.Subjects, u.Checks))
		for _, p := range u.Places {
			got = append(got, fmt.Sprintf("  %s %d", p.Target, len(p.Results)))
		}
	}
	want := []string{
		"we may not call s3:Get: 2 checks not answered 3 [recorded-medium retained-low]", "  a 2", "  b 1",
		"it is not one that we know 1 [recorded-medium]", "  a 1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestACallThatGaveNoAnswerIsOneReason(t *testing.T) {
	call := func(why evidence.Reason, call, of, note string) checks.Verdict {
		return checks.NotKnown(evidence.Unknown[bool](why, evidence.Origin{Call: call, Of: of, Note: note}))
	}
	gap := func(in evidence.ID, asked string, why evidence.Reason, call, of string) evidence.Gap {
		return evidence.Gap{In: in, Asked: asked, Why: why, Err: "no connection", At: evidence.Origin{Call: call, Of: of}}
	}
	r := &Report{
		Results: []checks.Result{
			about("aws:1/eu-west-1//a", medium, call(evidence.Denied, "eks:List", "eu-west-1", "")),
			about("aws:1/eu-west-2//a", medium, call(evidence.Denied, "eks:List", "eu-west-2/a", "")),
			about("aws:2/eu-west-2//a", low, call(evidence.Denied, "eks:List", "", "")),
			about("aws:1/eu-west-1//b", low, call(evidence.Failed, "logs:List", "eu-west-1", "")),
			about("aws:1/eu-west-1//c", low, call(evidence.Failed, "logs:List", "eu-west-1", "no connection")),
			about("aws:1//account", low, call(evidence.Elsewhere, "org:List", "1", "it is another's")),
		},
		Gaps: []evidence.Gap{
			gap("aws:1/eu-west-1//region", "clusters", evidence.Denied, "eks:List", "eu-west-1"),
			gap("aws:1//account", "users", evidence.Denied, "iam:List", "1/x"), gap("aws:2//account", "roles", evidence.Denied, "iam:List", "2/x"),
			gap("aws:1//account", "what cloudwatch:ListMetrics tells", evidence.Denied, "cloudwatch:ListMetrics", "eu-west-1"),
			{In: "x", Asked: "left out", Why: evidence.Elsewhere, At: evidence.Origin{Call: "ec2:List"}},
			{In: "x", Asked: "a file", Why: evidence.Failed, At: evidence.Origin{File: "x"}},
		},
	}
	var got []string
	for _, u := range r.Unknowns() {
		got = append(got, fmt.Sprintf("%s (%d)", u.Text, len(u.Gaps)))
	}
	want := []string{
		"we may not call eks:List in 2 regions of 2 accounts: 2 checks not answered (1)",
		"logs:List failed in eu-west-1: no connection; 1 check not answered (0)",
		"it is another's (0)",
		"we may not call iam:List in 2 accounts: not known: roles, users (2)",
		"we may not call cloudwatch:ListMetrics in eu-west-1: no check waits for it, and what it alone shows is missing (1)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := Grants(r.Unknowns()); !slices.Equal(got, []string{"cloudwatch:ListMetrics", "eks:List", "iam:List"}) {
		t.Errorf("grants %q", got)
	}
}

func TestPlural(t *testing.T) {
	for one, many := range map[string]string{"region": "regions", "proxy": "proxies", "key": "keys", "log files": "log files", "address": "addresses", "batch": "batches"} {
		if got := Plural(one); got != many {
			t.Errorf("%s: %s, want %s", one, got, many)
		}
	}
}

func TestCiteAndWhere(t *testing.T) {
	at := evidence.Origin{File: "compose.yaml", Line: 12, Col: 5}
	subject := evidence.Subject{At: evidence.Origin{File: "compose.yaml", Line: 2}}
	for name, tt := range map[string]struct {
		because evidence.Fact
		want    string
	}{
		"a line and a column":         {evidence.Known(true, at), "compose.yaml:12:5"},
		"a line":                      {evidence.Known(true, evidence.Origin{File: "f", Line: 1}), "f:1"},
		"a file":                      {evidence.Known(true, evidence.Origin{File: "f", Col: 3}), "f"},
		"numbers that are none":       {evidence.Known(true, evidence.Origin{File: "f", Line: -1, Col: -1}), "f"},
		"a call":                      {evidence.Unknown[bool](evidence.Denied, evidence.Origin{Call: "s3:Get"}), "s3:Get"},
		"a note alone is no place":    {evidence.Known(true, evidence.Origin{Note: "declared"}), "compose.yaml:2"},
		"nobody looked":               {evidence.Value[bool]{}, "compose.yaml:2"},
		"no fact":                     {nil, "compose.yaml:2"},
		"a hostile file keeps a line": {evidence.Known(true, evidence.Origin{File: "\x1b" + strings.Repeat("x", 3000), Line: 7}), `\x1b` + strings.Repeat("x", 1993) + "…:7"},
		"a hostile call":              {evidence.Known(true, evidence.Origin{Call: "a\nb"}), `a\x0ab`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Where(Cite(checks.Result{Subject: subject, Verdict: checks.Verdict{Because: tt.because}})); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if got := Where(evidence.Origin{}); got != "" {
		t.Errorf("no place is %q", got)
	}
}

func TestNew(t *testing.T) {
	waiver := evidence.Waiver{Check: "none", Subject: "*"}
	set := &evidence.Set{
		Tool: "lookback 0.1.0", Targets: []string{"."}, Partial: true, Counted: map[string]int{"ConfigMap": 2},
		Records: []evidence.Record{
			&evidence.Asset{Subject: evidence.Subject{ID: "a//web"}, In: evidence.Moot[evidence.ID](evidence.Origin{}), Looked: map[evidence.Activity]evidence.Value[bool]{evidence.Application: here}},
			&evidence.LogSource{
				Subject: evidence.Subject{ID: "a//web/out#application"}, Activity: evidence.Application, Covers: []evidence.ID{"a//web"}, Enabled: here,
				To: []evidence.Delivery{{To: "syslog:x//", Extent: evidence.Known(evidence.Extent{Grade: evidence.All}, evidence.Origin{})}},
			},
		},
		Gaps: []evidence.Gap{{In: "z//1", Asked: "b"}, {In: "a//2", Asked: "z"}},
	}
	check := &checks.Check{ID: "recorded-x", Severity: checks.High, Judge: checks.Each(func(*checks.View, evidence.LogSource) checks.Verdict {
		return checks.Passed(here, "yes")
	})}
	policy := checks.DefaultPolicy()
	known := map[string]bool{"x": true}
	r := New(set, Options{Checks: []*checks.Check{check}, Policy: policy, Waivers: []evidence.Waiver{waiver}, Evidence: "9f", Known: known, Verbose: true})
	if len(r.Results) != 1 || r.Score.Ready != 100 || len(r.Horizon) != 1 || !slices.Equal(r.Idle, []evidence.Waiver{waiver}) {
		t.Errorf("got %+v", r)
	}
	var gaps []string
	for _, g := range r.Gaps {
		gaps = append(gaps, g.In.Target()+" "+g.Asked)
	}
	if want := []string{"a retention of x (syslog)", "a z", "z b"}; !slices.Equal(gaps, want) {
		t.Errorf("gaps %q, want %q", gaps, want)
	}
	if r.Tool != set.Tool || !r.Partial || r.Evidence != "9f" || !reflect.DeepEqual(r.Policy, policy) || !r.Verbose || !r.Known["x"] ||
		!reflect.DeepEqual(r.Counted, set.Counted) || !slices.Equal(r.Targets, set.Targets) {
		t.Errorf("got %+v", r)
	}
}

func TestCures(t *testing.T) {
	check := &checks.Check{ID: "c", Doc: "Why.\n\nCure: for all.\nCure, Compose: for Compose.\nCure, MySQL: for MySQL."}
	other := &checks.Check{ID: "o", Doc: "Why.\n\nCure, MySQL: for MySQL."}
	system := &checks.Check{ID: "s", Doc: "Why.\n\nCure, Linux: for Linux.\nCure, Windows: for Windows."}
	host := func(file string) checks.Result {
		return checks.Result{
			Subject: evidence.Subject{ID: "host:a//x"}, Verdict: checks.Verdict{Because: evidence.Known(false, evidence.Origin{File: file})},
		}
	}
	result := func(target, fix string) checks.Result {
		return checks.Result{
			Subject: evidence.Subject{ID: evidence.ID(target + "//x")},
			Verdict: checks.Verdict{Because: evidence.Known(false, evidence.Origin{Fix: fix})},
		}
	}
	for _, c := range []struct {
		name  string
		check *checks.Check
		of    checks.Result
		want  []checks.Cure
	}{
		{"the very edit", check, result("compose:a", "add --x"), []checks.Cure{{Text: "add --x"}}},
		{"for all and for the target", check, result("compose:a", ""), []checks.Cure{{Text: "for all."}, {Text: "for Compose."}}},
		{"for all", check, result("kubernetes:a", ""), []checks.Cure{{Text: "for all."}}},
		{"for the system of a host", system, host("etc/chrony.conf"), []checks.Cure{{Text: "for Linux."}}},
		{"for the system of another host", system, host("Windows/System32/config/SYSTEM"), []checks.Cure{{Text: "for Windows."}}},
		{"for something else", other, result("compose:a", ""), []checks.Cure{{For: "MySQL", Text: "for MySQL."}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cause := Cause{Check: c.check, Places: []Place{{Target: c.of.Subject.ID.Target(), Results: []checks.Result{c.of}}}}
			if got := cause.Cures(); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestOfOneThingTheSentenceIsItsOwn(t *testing.T) {
	for _, tt := range []struct {
		message, group string
		things         int
		want           string
	}{
		{"the traffic of VPC \"a\" is not recorded", "the traffic of %d networks is not recorded", 1, "the traffic of VPC \"a\" is not recorded"},
		{"the traffic of VPC \"a\" is not recorded", "the traffic of %d networks is not recorded", 2, "the traffic of 2 networks is not recorded"},
		{"web leaves it", "%d services leave the log driver to the daemon", 1, "1 service leaves the log driver to the daemon"},
	} {
		r := checks.Result{Verdict: checks.Verdict{Message: tt.message, Group: tt.group, Plural: true}}
		if got := line(r, tt.things, tt.things); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
