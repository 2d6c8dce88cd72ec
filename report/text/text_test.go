package text_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

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

func TestWidth(t *testing.T) {
	for _, line := range strings.Split(render(t, text.Options{Width: 72}, reporttest.Sample(t)), "\n") {
		if words := strings.Fields(line); utf8.RuneCountInString(line) > 72 && len(words) > 2 {
			t.Errorf("%d columns: %q", utf8.RuneCountInString(line), line)
		}
	}
}
