package main

import (
	"testing"
	"time"

	"lookback/checks/all"
	"lookback/report"
)

// TestExamples holds what the examples are there to show.
func TestExamples(t *testing.T) {
	for _, c := range []struct {
		name  string
		ready float64
		high  int
	}{
		{"web-syslog", 100, 0},
		{"tomcat-shipped", 100, 0},
		{"filebeat", 100, 0},
		{"hidden-logs", -1, 1},
		{"naive", -1, 0},
		{"cluster-addons", -1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := &env{now: func() time.Time { return time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC) }, getenv: func(string) string { return "" }}
			set, cfg, err := gather(t.Context(), e, scanFlags{}, []string{"../../examples/" + c.name})
			if err != nil {
				t.Fatal(err)
			}
			r := report.New(set.Set, report.Options{Checks: all.All(), Policy: cfg.Policy, Waivers: cfg.Waivers})
			if c.ready >= 0 && r.Score.Ready != c.ready {
				t.Errorf("ready %g %%, want %g", r.Score.Ready, c.ready)
			}
			if c.ready < 0 && r.Score.Ready == 100 {
				t.Error("ready 100 %, though it is there to show what is missing")
			}
			if r.Score.HighFailures != c.high {
				t.Errorf("%d high failures, want %d", r.Score.HighFailures, c.high)
			}
		})
	}
}
