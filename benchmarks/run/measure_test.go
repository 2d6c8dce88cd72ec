//go:build linux || darwin

package main

import (
	"strings"
	"testing"
	"time"
)

func TestMeasureTellsWhatAProcessTook(t *testing.T) {
	got, err := measure(t.Context(), program{"sh", []string{"sh", "-c", "sleep 0.05; exit 1"}, []int{0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	if got.wall < 50*time.Millisecond || got.cpu > got.wall || got.peak < 100_000 {
		t.Errorf("a shell that sleeps 50 ms took %+v", got)
	}
}

func TestARunThatDidNotDoItsWorkIsNoResult(t *testing.T) {
	for name, p := range map[string]program{
		"an exit code that is not expected": {"sh", []string{"sh", "-c", "echo broken >&2; exit 2"}, []int{0, 1}},
		"a program that does not exist":     {"none", []string{"/nonexistent/none"}, []int{0}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := measure(t.Context(), p); err == nil {
				t.Errorf("measured %+v", got)
			}
		})
	}
}

func TestMiddle(t *testing.T) {
	got := middle([]usage{{3, 30, 100}, {1, 20, 300}, {2, 10, 200}})
	if want := (usage{2, 20, 200}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestARaceNamesWhoIsMissing(t *testing.T) {
	var out strings.Builder
	r := race{"a race", 2, []program{
		{"ours", []string{"true"}, []int{0}},
		{"theirs", []string{"/nonexistent/theirs"}, []int{0}},
	}}
	if err := r.run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"### a race", "theirs is not installed", "| ours | ", " | 1.00 |", "Medians of 2 runs"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "| theirs |") {
		t.Errorf("a row for a program that did not run:\n%s", out.String())
	}
}
