package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"lookback/checks"
	"lookback/evidence"
)

// A Score says how ready an organisation is, in percent with one decimal. It rises only by looking or by mending:
// what nobody could tell counts against Ready and for UpTo.
type Score struct {
	Ready    float64 // the weighted share of questions that pass
	UpTo     float64 // the same if all that is not assessed passed
	Assessed float64 // 100 - (UpTo - Ready), rounded once; only what is assessed in full is 100

	Pass, Fail, Waived, NotAssessed int // results that count
	HighFailures                    int
	Consequences                    int // failures that follow from another
	Development                     int // failures in what never runs in production
	Declared                        int // passes that rest on a word of the owner
}

var weight = map[checks.Severity]float64{checks.High: 9, checks.Medium: 3, checks.Low: 1}

// score weighs each check by its own severity, over the subjects that count:
//
//	share = pass / (pass + fail + waived + not assessed)
//	ready = sum(weight x share) / sum(weight)
func score(results []checks.Result) Score {
	var s scorer
	for _, r := range results {
		s.add(r)
	}
	return s.score()
}

// A scorer counts results, one at a time.
type scorer struct {
	Score
	tallies map[*checks.Check]*tally
}

type tally struct{ pass, open, all int }

func (s *scorer) add(r checks.Result) {
	if r.Outcome == checks.Fail && r.Follows != "" {
		s.Consequences++
	}
	if r.Outcome == checks.Fail && r.Development && r.Follows == "" {
		s.Development++
	}
	if !Counts(r) {
		return
	}
	if s.tallies == nil {
		s.tallies = map[*checks.Check]*tally{}
	}
	t := s.tallies[r.Check]
	if t == nil {
		t = &tally{}
		s.tallies[r.Check] = t
	}
	t.all++
	switch r.Outcome {
	case checks.Pass:
		t.pass++
		s.Pass++
		if r.Because.At().Note == evidence.NoteDeclared {
			s.Declared++
		}
	case checks.Fail:
		s.Fail++
		if r.Severity == checks.High {
			s.HighFailures++
		}
	case checks.Waived:
		s.Waived++
	case checks.NotAssessed:
		t.open++
		s.NotAssessed++
	}
}

func (s *scorer) score() Score {
	order := slices.SortedFunc(maps.Keys(s.tallies), func(a, b *checks.Check) int { return cmp.Compare(a.ID, b.ID) }) // sums of floats depend on it
	var ready, upTo, all float64
	for _, c := range order {
		t, w := s.tallies[c], weight[c.Severity]
		ready += w * float64(t.pass) / float64(t.all)
		upTo += w * float64(t.pass+t.open) / float64(t.all)
		all += w
	}
	out := s.Score
	if all == 0 {
		out.UpTo = 100
		return out
	}
	out.Ready, out.UpTo = rounded(ready/all), rounded(upTo/all)
	out.Assessed = rounded((all - upTo + ready) / all)
	return out
}

// Asked reports whether anything that counts was asked.
func (s Score) Asked() bool { return s.Pass+s.Fail+s.Waived+s.NotAssessed > 0 }

// Headline is the score in one line: "ready 30.8 %, up to 100 %; 1 high failure".
func (s Score) Headline() string {
	high := fmt.Sprintf("%d high failures", s.HighFailures)
	switch {
	case !s.Asked():
		return "nothing here could be asked about"
	case s.HighFailures == 0:
		high = "no high failures"
	case s.HighFailures == 1:
		high = "1 high failure"
	}
	return fmt.Sprintf("ready %s %%, up to %s %%; %s", Percent(s.Ready), Percent(s.UpTo), high)
}

// Percent writes a percentage with at most one decimal: "30.8", "100".
func Percent(p float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", p), ".0") }

// rounded gives a share in percent with one decimal; only the whole is 100.
func rounded(share float64) float64 {
	p := math.Round(share*1000) / 10
	if p == 100 && share < 1-1e-9 {
		return 99.9
	}
	return p
}
