package text_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"lookback/checks"
	"lookback/evidence"
	"lookback/report"
	"lookback/report/reporttest"
	"lookback/report/text"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func render(t *testing.T, o text.Options, r *report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := o.Renderer()(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	verbose := reporttest.Sample(t)
	verbose.Verbose = true
	for _, c := range []struct {
		name string
		text string
	}{
		{"sample.txt", render(t, text.Options{}, reporttest.Sample(t))},
		{"narrow.txt", render(t, text.Options{Width: 60}, reporttest.Sample(t))},
		{"colour.txt", render(t, text.Options{Width: 100, Color: true}, reporttest.Sample(t))},
		{"verbose.txt", render(t, text.Options{}, verbose)},
	} {
		t.Run(c.name, func(t *testing.T) {
			golden := filepath.Join("testdata", c.name)
			if *update {
				if err := os.WriteFile(golden, []byte(c.text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if c.text != string(want) {
				t.Errorf("differs from %s; rewrite it with -update and look at the change:\n%s", golden, c.text)
			}
		})
	}
}

func TestNothingHostileReachesTheTerminal(t *testing.T) {
	for _, o := range []text.Options{{}, {Width: 80}} {
		got := render(t, o, reporttest.Sample(t))
		if !utf8.ValidString(got) {
			t.Error("the output is not UTF-8")
		}
		if i := strings.IndexFunc(got, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r == '\u202e' }); i >= 0 {
			t.Errorf("a control character at %q", got[i:min(i+20, len(got))])
		}
	}
}

// TestWhatACallToldIsOneLine reads what a live scan of two accounts found.
func TestWhatACallToldIsOneLine(t *testing.T) {
	var results []checks.Result
	check := &checks.Check{ID: "recorded-calls", Severity: checks.Medium}
	add := func(id evidence.ID, kind, call, of string, v func(evidence.Fact) checks.Verdict) {
		fact := evidence.Known(false, evidence.Origin{Call: call, Of: of})
		results = append(results, checks.Result{Check: check, Subject: evidence.Subject{ID: id, Kind: kind}, Verdict: v(fact)})
	}
	bad := func(f evidence.Fact) checks.Verdict { return checks.Failed(f, "it is off").As(checks.Medium) }
	for _, account := range []evidence.ID{"1", "2"} {
		add("aws:"+account+"//account", "account", "iam:List", string(account), bad)
		for _, region := range []evidence.ID{"a", "b", "c", "d"} {
			add("aws:"+account+"/"+region+"//region", "region", "ec2:List", string(region), bad)
		}
		add("aws:"+account+"/a//vpc/v", "VPC", "ec2:Get", "a", bad)
		add("aws:"+account+"/a//trail/t", "trail", "trail:Get", "a/t", bad)
	}
	for i := range 8 {
		refused := func(evidence.Fact) checks.Verdict {
			return checks.NotKnown(evidence.Unknown[bool](evidence.Denied, evidence.Origin{Call: "eks:List", Of: fmt.Sprint("r-", i)}))
		}
		add(evidence.ID(fmt.Sprintf("aws:1/r-%d//unseen/clusters", i)), "clusters", "", "", refused)
	}
	got := render(t, text.Options{}, &report.Report{Results: results, Accounts: []string{"1", "2"}})
	for _, want := range []string{
		"  iam:List  1, 2\n", "  ec2:List  1/a, 1/b, 1/c, 1/d, 2/a, 2/b and 2 more\n", "  ec2:Get  1/a/vpc/v, 2/a/vpc/v\n", "  trail:Get  1/a/t, 2/a/t\n",
		"  we may not call eks:List in 8 regions: 1 check not answered\n    recorded-calls\n  To have these answered, allow\n    eks:List\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestOfSeveralHostsEachIsNamed(t *testing.T) {
	check := &checks.Check{ID: "watched-processes", Severity: checks.Medium}
	on := func(host evidence.ID, at evidence.Origin) checks.Result {
		return checks.Result{Check: check, Subject: evidence.Subject{ID: "host:" + host + "//host", Kind: "host"}, Verdict: checks.Failed(evidence.Known(false, at), "it is off").As(checks.Medium)}
	}
	rules := evidence.Origin{File: "etc/audit/rules.d"}
	got := render(t, text.Options{}, &report.Report{Results: []checks.Result{on("a", rules), on("b", rules), on("c", evidence.Origin{})}, Hosts: []string{"a", "b", "c"}})
	for _, want := range []string{" a/etc/audit/rules.d  host\n", " b/etc/audit/rules.d  host\n", " c  host\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	for at, want := range map[evidence.Origin]string{rules: "\n          etc/audit/rules.d  host\n", {}: "\n          host\n"} {
		if got := render(t, text.Options{}, &report.Report{Results: []checks.Result{on("a", at)}, Hosts: []string{"a"}}); !strings.Contains(got, want) {
			t.Errorf("one host: no %q in\n%s", want, got)
		}
	}
}

func TestWidth(t *testing.T) {
	for _, line := range strings.Split(render(t, text.Options{Width: 72}, reporttest.Sample(t)), "\n") {
		if words := strings.Fields(line); utf8.RuneCountInString(line) > 72 && len(words) > 2 {
			t.Errorf("%d columns: %q", utf8.RuneCountInString(line), line)
		}
	}
}

func TestAScanThatWasCutShortHasNoScoreOfTheWhole(t *testing.T) {
	r := reporttest.Sample(t)
	r.Partial = true
	if got, want := render(t, text.Options{}, r), "\nof what was read until then: ready "; !strings.Contains(got, want) {
		t.Errorf("no %q in\n%s", want, got)
	}
}
