package main

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"lookback/checks"
	"lookback/checks/all"
	"lookback/report"
)

// TestCases scans each folder and file of testdata/cases and compares what comes out with the want comments in it:
//
//	logging: {driver: none} # want fail high recorded-application
//
// Every failure that counts must be wanted on the line of the fact that decided it; passes and what is not assessed may
// be. "want nothing" on a line says that no failure stands there.
func TestCases(t *testing.T) {
	kinds, err := os.ReadDir("testdata/cases")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds {
		cases, err := os.ReadDir(filepath.Join("testdata/cases", kind.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			path := filepath.Join("testdata/cases", kind.Name(), c.Name())
			t.Run(kind.Name()+"/"+c.Name(), func(t *testing.T) { runCase(t, path) })
		}
	}
}

var wantRE = regexp.MustCompile(`(fail (?:high|medium|low)|pass|not-assessed) ([a-z-]+)`)

func runCase(t *testing.T, path string) {
	e := &env{now: func() time.Time { return time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC) }, getenv: func(string) string { return "" }}
	set, cfg, err := gather(t.Context(), e, scanFlags{}, []string{path})
	if err != nil {
		t.Fatal(err)
	}
	r := report.New(set.Set, report.Options{Checks: all.All(), Policy: cfg.Policy, Waivers: cfg.Waivers})
	got := map[string][]string{} // by place
	for _, res := range r.Results {
		if !report.Counts(res) {
			continue
		}
		word := res.Outcome.String()
		if res.Outcome == checks.Fail {
			word += " " + string(res.Severity)
		}
		at := place(res)
		got[at] = append(got[at], word+" "+res.Check.ID)
	}
	for _, g := range r.Gaps {
		if g.Bad {
			t.Errorf("%s:%d: %s", g.At.File, g.At.Line, g.Err)
		}
	}
	wanted := wants(t, path)
	for _, at := range slices.Sorted(maps.Keys(wanted)) {
		for _, want := range wanted[at] {
			if i := slices.Index(got[at], want); i >= 0 {
				got[at] = slices.Delete(got[at], i, i+1)
			} else {
				t.Errorf("%s: want %s, got %q", at, want, got[at])
			}
		}
	}
	for _, at := range slices.Sorted(maps.Keys(got)) {
		for _, g := range got[at] {
			if strings.HasPrefix(g, "fail") {
				t.Errorf("%s: unwanted %s", at, g)
			}
		}
	}
}

func place(r checks.Result) string {
	at := r.Because.At()
	if at.File == "" {
		at = r.Subject.At
	}
	return fmt.Sprintf("%s:%d", filepath.Base(at.File), at.Line)
}

func wants(t *testing.T, path string) map[string][]string {
	out := map[string][]string{}
	err := filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(data), "\n") {
			_, comment, _ := strings.Cut(line, "# want ")
			if _, below, ok := strings.Cut(line, "# below want "); ok { // where a line of its own is all that a format has
				comment, i = below, i+1
			}
			for _, m := range wantRE.FindAllStringSubmatch(comment, -1) {
				at := fmt.Sprintf("%s:%d", d.Name(), i+1)
				out[at] = append(out[at], m[1]+" "+m[2])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
