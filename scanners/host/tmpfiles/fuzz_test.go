package tmpfiles

import (
	"testing"

	"lookback/evidence"
	"lookback/scanners/host/root"
	"lookback/scanners/host/scope"
)

func FuzzLines(f *testing.F) {
	f.Add("d /var/log/audit 0700 root root 30d\nx /var/log/*\ne! /var/log - - - bmA:~1w2d")
	f.Add("R /var/log/[\nD\n! - - - - : ~")
	r, err := root.Open(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := scope.New(r, "web-1", &evidence.Set{})
		c := read(s)
		c.parse("etc/tmpfiles.d/x.conf", text)
		for _, name := range []string{"var/log/audit/audit.log", "", "/"} {
			if days, deleted := Age(s, name); deleted && days.IsZero() {
				t.Errorf("%q is deleted, and nobody says when", name)
			}
		}
	})
}
