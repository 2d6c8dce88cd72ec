package report

import (
	"math/rand/v2"
	"slices"
	"testing"

	"lookback/checks"
	"lookback/evidence"
)

var (
	high   = &checks.Check{ID: "recorded-high", Severity: checks.High}
	medium = &checks.Check{ID: "recorded-medium", Severity: checks.Medium}
	low    = &checks.Check{ID: "retained-low", Severity: checks.Low}
	asked  = &checks.Check{ID: "acquirable-image", Severity: checks.Low, OnDemand: true}
)

// some returns n results of a check.
func some(n int, c *checks.Check, o checks.Outcome) []checks.Result {
	out := make([]checks.Result, n)
	for i := range out {
		out[i] = checks.Result{Check: c, Verdict: checks.Verdict{Outcome: o, Severity: c.Severity, Because: evidence.Known(true, evidence.Origin{})}}
	}
	return out
}

// changed returns results, each of them changed.
func changed(rs []checks.Result, change func(*checks.Result)) []checks.Result {
	for i := range rs {
		change(&rs[i])
	}
	return rs
}

func TestScore(t *testing.T) {
	follows := func(r *checks.Result) { r.Follows = "recorded-high" }
	development := func(r *checks.Result) { r.Development = true }
	declared := func(r *checks.Result) {
		r.Because = evidence.Known(true, evidence.Origin{File: "lookback.yaml", Note: evidence.NoteDeclared})
	}
	for name, tt := range map[string]struct {
		results []checks.Result
		want    Score
		line    string
	}{
		"a trail off in 17 of 17 regions beside 300 good containers": {
			slices.Concat(some(17, high, checks.Fail), some(300, medium, checks.Pass), some(300, low, checks.Pass)),
			Score{Ready: 30.8, UpTo: 30.8, Assessed: 100, Pass: 600, Fail: 17, HighFailures: 17},
			"ready 30.8 %, up to 30.8 %; 17 high failures",
		},
		"five of ten pass and the calls of the other five are denied": {
			slices.Concat(some(5, high, checks.Pass), some(5, high, checks.NotAssessed)),
			Score{Ready: 50, UpTo: 100, Assessed: 50, Pass: 5, NotAssessed: 5},
			"ready 50 %, up to 100 %; no high failures",
		},
		"no rights at all": {
			slices.Concat(some(17, high, checks.NotAssessed), some(3, low, checks.NotAssessed)),
			Score{Ready: 0, UpTo: 100, Assessed: 0, NotAssessed: 20},
			"ready 0 %, up to 100 %; no high failures",
		},
		"nothing asked": {nil, Score{Ready: 0, UpTo: 100, Assessed: 0}, "nothing here could be asked about"},
		"only what does not count": {
			slices.Concat(some(2, asked, checks.Fail), changed(some(1, high, checks.Fail), development)),
			Score{UpTo: 100, Development: 1},
			"nothing here could be asked about",
		},
		"a waived failure counts against it, and apart": {
			slices.Concat(some(3, high, checks.Pass), some(1, high, checks.Waived)),
			Score{Ready: 75, UpTo: 75, Assessed: 100, Pass: 3, Waived: 1},
			"ready 75 %, up to 75 %; no high failures",
		},
		"a consequence does not count": {
			slices.Concat(some(1, high, checks.Pass), changed(some(4, high, checks.Fail), follows)),
			Score{Ready: 100, UpTo: 100, Assessed: 100, Pass: 1, Consequences: 4},
			"ready 100 %, up to 100 %; no high failures",
		},
		"a consequence in development counts once": {
			changed(changed(some(1, high, checks.Fail), development), follows),
			Score{UpTo: 100, Consequences: 1},
			"nothing here could be asked about",
		},
		"what is shown on demand does not count": {
			slices.Concat(some(1, high, checks.Pass), some(4, asked, checks.Fail), some(4, asked, checks.NotAssessed)),
			Score{Ready: 100, UpTo: 100, Assessed: 100, Pass: 1},
			"ready 100 %, up to 100 %; no high failures",
		},
		"the check's own severity weighs, the result's is counted": {
			slices.Concat(changed(some(1, low, checks.Fail), func(r *checks.Result) { r.Severity = checks.High }), some(1, medium, checks.Pass)),
			Score{Ready: 75, UpTo: 75, Assessed: 100, Pass: 1, Fail: 1, HighFailures: 1},
			"ready 75 %, up to 75 %; 1 high failure",
		},
		"a pass on the owner's word": {
			slices.Concat(changed(some(2, high, checks.Pass), declared), changed(some(1, high, checks.Fail), declared), some(1, high, checks.Pass)),
			Score{Ready: 75, UpTo: 75, Assessed: 100, Pass: 3, Fail: 1, HighFailures: 1, Declared: 2},
			"ready 75 %, up to 75 %; 1 high failure",
		},
		"one of a hundred thousand fails": {
			slices.Concat(some(99_999, high, checks.Pass), some(1, high, checks.Fail)),
			Score{Ready: 99.9, UpTo: 99.9, Assessed: 100, Pass: 99_999, Fail: 1, HighFailures: 1},
			"ready 99.9 %, up to 99.9 %; 1 high failure",
		},
		"one of a hundred thousand is not assessed": {
			slices.Concat(some(99_999, high, checks.Pass), some(1, high, checks.NotAssessed)),
			Score{Ready: 99.9, UpTo: 100, Assessed: 99.9, Pass: 99_999, NotAssessed: 1},
			"ready 99.9 %, up to 100 %; no high failures",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := score(tt.results)
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if line := got.Headline(); line != tt.line {
				t.Errorf("got %q, want %q", line, tt.line)
			}
		})
	}
}

func TestTheScoreRisesOnlyByLookingOrMending(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	all := []*checks.Check{high, medium, low, asked, {ID: "shipped-high", Severity: checks.High}, {ID: "shipped-low", Severity: checks.Low}}
	outcomes := []checks.Outcome{checks.Pass, checks.Pass, checks.Fail, checks.Waived, checks.NotAssessed}
	perfect := 0
	for range 2000 {
		var rs []checks.Result
		good := rnd.IntN(8) == 0
		for range 1 + rnd.IntN(40) {
			r := some(1, all[rnd.IntN(len(all))], outcomes[rnd.IntN(len(outcomes))])[0]
			if good {
				r.Outcome = checks.Pass
			}
			r.Development = rnd.IntN(9) == 0
			if r.Outcome == checks.Fail && rnd.IntN(5) == 0 {
				r.Follows = "recorded-high"
			}
			rs = append(rs, r)
		}
		before := score(rs)
		whole := before.Fail+before.Waived+before.NotAssessed == 0 && before.Pass > 0
		if (before.Ready == 100) != whole {
			t.Fatalf("ready %v of %+v", before.Ready, before)
		}
		if (before.UpTo == 100) != (before.Fail+before.Waived == 0) {
			t.Fatalf("up to %v of %+v", before.UpTo, before)
		}
		if whole {
			perfect++
		}
		for i := range rs {
			was := rs[i]
			if was.Outcome != checks.Pass && was.Outcome != checks.Fail {
				continue
			}
			rs[i].Outcome, rs[i].Follows = checks.NotAssessed, was.Follows
			after := score(rs)
			rs[i] = was
			if after.Ready > before.Ready || after.UpTo < before.UpTo || after.Assessed > before.Assessed {
				t.Fatalf("with a %s of %s not assessed, %+v becomes %+v", was.Outcome, was.Check.ID, before, after)
			}
		}
	}
	if perfect == 0 {
		t.Error("no set of results was perfect")
	}
}

func TestPercent(t *testing.T) {
	for p, want := range map[float64]string{0: "0", 0.1: "0.1", 30.8: "30.8", 50: "50", 99.9: "99.9", 100: "100"} {
		if got := Percent(p); got != want {
			t.Errorf("%v is written %q, want %q", p, got, want)
		}
	}
}
