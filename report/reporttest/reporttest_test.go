package reporttest_test

import (
	"math"
	"strings"
	"testing"

	"lookback/checks"
	"lookback/evidence"
	"lookback/report"
	"lookback/report/reporttest"
)

// TestSample proves that the sample shows what its comment promises: a renderer that is tested on it has seen all rows.
func TestSample(t *testing.T) {
	r := reporttest.Sample(t)
	results := map[string]func(checks.Result) bool{
		"a high failure":           func(x checks.Result) bool { return report.Failure(x) && x.Severity == checks.High },
		"a medium failure":         func(x checks.Result) bool { return report.Failure(x) && x.Severity == checks.Medium },
		"a low failure":            func(x checks.Result) bool { return report.Failure(x) && x.Severity == checks.Low },
		"a failure without a file": func(x checks.Result) bool { return report.Failure(x) && x.Because.At().File == "" },
		"a pass":                   func(x checks.Result) bool { return x.Outcome == checks.Pass },
		"a pass that is declared": func(x checks.Result) bool {
			return x.Outcome == checks.Pass && x.Because.At().Note == evidence.NoteDeclared
		},
		"denied":                          func(x checks.Result) bool { return report.Open(x) && x.Because.Why() == evidence.Denied },
		"failed":                          func(x checks.Result) bool { return report.Open(x) && x.Because.Why() == evidence.Failed },
		"unresolved":                      func(x checks.Result) bool { return report.Open(x) && x.Because.Why() == evidence.Unresolved },
		"elsewhere":                       func(x checks.Result) bool { return report.Open(x) && x.Because.Why() == evidence.Elsewhere },
		"nobody looked":                   func(x checks.Result) bool { return report.Open(x) && x.Because.Why() == evidence.NobodyLooked },
		"a waived failure":                func(x checks.Result) bool { return x.Outcome == checks.Waived },
		"a consequence":                   func(x checks.Result) bool { return x.Outcome == checks.Fail && x.Follows != "" },
		"a failure of development":        func(x checks.Result) bool { return x.Outcome == checks.Fail && x.Development },
		"a failure on demand":             func(x checks.Result) bool { return x.Outcome == checks.Fail && x.Check.OnDemand },
		"a failure that a baseline knows": func(x checks.Result) bool { return report.Failure(x) && r.Known[report.Key(x.Check.ID, x.Subject.ID)] },
		"a failure with a hostile name": func(x checks.Result) bool {
			return report.Failure(x) && strings.Contains(x.Message, reporttest.Hostile)
		},
		"a failure of several with one group": func(x checks.Result) bool { return report.Failure(x) && x.Plural },
	}
	for name, is := range results {
		found := false
		for _, x := range r.Results {
			found = found || is(x)
		}
		if !found {
			t.Errorf("no result is %s", name)
		}
	}
	rows := map[string]func(report.Row) bool{
		"a number":    func(x report.Row) bool { return x.Total > 0 && x.Total < evidence.Forever && !x.AtLeast },
		"at least":    func(x report.Row) bool { return x.AtLeast },
		"no end":      func(x report.Row) bool { return x.Total == evidence.Forever },
		"nothing":     func(x report.Row) bool { return x.Total == 0 && !x.AtLeast },
		"development": func(x report.Row) bool { return x.Development },
	}
	for name, is := range rows {
		found := false
		for _, x := range r.Horizon {
			found = found || is(x)
		}
		if !found {
			t.Errorf("no row of the horizon shows %s", name)
		}
	}
	bad := 0
	for _, g := range r.Gaps {
		if g.Bad {
			bad++
		}
	}
	if bad == 0 || bad == len(r.Gaps) {
		t.Errorf("%d of %d gaps are bad input, want some", bad, len(r.Gaps))
	}
	if len(r.Idle) == 0 || len(r.Expired) == 0 || len(r.Unasked) == 0 || len(r.Counted) == 0 {
		t.Errorf("idle %v, expired %v, unasked %v, counted %v, want some of each", r.Idle, r.Expired, r.Unasked, r.Counted)
	}
	if s := r.Score; s.Ready <= 0 || s.UpTo <= s.Ready || math.IsNaN(s.Ready) || s.Declared == 0 || s.Consequences == 0 || s.Development == 0 {
		t.Errorf("the score shows too little: %+v", s)
	}
	places := 0
	for _, c := range r.Causes(report.Failure) {
		places = max(places, len(c.Places))
	}
	if places < 2 {
		t.Errorf("no cause lies in more than one target")
	}
}
