package html

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	nethtml "golang.org/x/net/html"

	"lookback/checks"
	"lookback/evidence"
	"lookback/report"
	"lookback/report/reporttest"
)

var update = flag.Bool("update", false, "write golden files anew")

func render(t testing.TB, r *report.Report) string {
	t.Helper()
	var buf bytes.Buffer
	if err := Render(&buf, r); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestGolden(t *testing.T) {
	verbose := reporttest.Sample(t)
	verbose.Verbose, verbose.Partial, verbose.Evidence = true, true, ""
	for name, r := range map[string]*report.Report{"sample": reporttest.Sample(t), "verbose": verbose, "empty": reporttest.Empty(t)} {
		t.Run(name, func(t *testing.T) {
			got := render(t, r)
			file := filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the page differs from %s at byte %d; look at it and run with -update", file, differ(got, string(want)))
			}
		})
	}
}

func differ(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func TestSameReportGivesSameBytes(t *testing.T) {
	first := render(t, reporttest.Sample(t))
	for range 5 {
		if again := render(t, reporttest.Sample(t)); again != first {
			t.Fatalf("differs at byte %d", differ(again, first))
		}
	}
}

// TestPageIsSound reads pages with a parser that repairs nothing: every element is closed, nothing runs, nothing loads,
// and every link leads to a place on the page.
func TestPageIsSound(t *testing.T) {
	partial := reporttest.Sample(t)
	partial.Partial, partial.Verbose = true, true
	for name, r := range map[string]*report.Report{
		"every kind of row": reporttest.Sample(t), "verbose and cut short": partial,
		"nothing found": reporttest.Empty(t), "folded": reporttest.Many(t, 3000, "apps/a", "apps/b"), "hostile": hostile(t),
	} {
		t.Run(name, func(t *testing.T) {
			for _, fault := range faults(render(t, r)) {
				t.Error(fault)
			}
		})
	}
}

// TestFaultsAreSeen holds the test above to seeing what it looks for.
func TestFaultsAreSeen(t *testing.T) {
	for name, page := range map[string]string{
		"an element that stays open":    `<p><b>x</p>`,
		"an element that nobody opened": `<p>x</p></div>`,
		"a script":                      `<script>x</script>`,
		"an image":                      `<p><img src="x"></p>`,
		"a handler":                     `<p onclick="x">x</p>`,
		"a link to elsewhere":           `<p><a href="https://example.com">x</a></p>`,
		"a link to nowhere":             `<p><a href="#x">x</a></p>`,
		"two elements with one id":      `<p id="x">x</p><p id="x">x</p>`,
		"a style of an element's own":   `<p style="color: red">x</p>`,
		"text that turns":               "<p>\u202E</p>",
		"bytes that are no text":        "<p>\xff</p>",
		"an escape sequence":            "<p>\x1b[2J</p>",
	} {
		t.Run(name, func(t *testing.T) {
			if len(faults(page)) == 0 {
				t.Errorf("nothing found in %q", page)
			}
		})
	}
}

func faults(page string) []string {
	var out []string
	fault := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if !utf8.ValidString(page) {
		fault("the page is no UTF-8")
	}
	for i, r := range page {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			fault("byte %d: %U does not print", i, r)
		}
	}
	allowed := strings.Fields("html head meta title style body a header h1 h2 h3 h4 p strong b dl div dt dd time code nav ul li main section " +
		"svg rect article span table caption thead tbody tr th td details summary bdi pre footer")
	var open, targets []string
	ids := map[string]bool{}
	z := nethtml.NewTokenizer(strings.NewReader(page))
	for {
		kind := z.Next()
		if kind == nethtml.ErrorToken {
			if !errors.Is(z.Err(), io.EOF) {
				fault("%v", z.Err())
			}
			break
		}
		token := z.Token()
		switch kind {
		case nethtml.StartTagToken, nethtml.SelfClosingTagToken:
			if !slices.Contains(allowed, token.Data) {
				fault("<%s> has no business here", token.Data)
			}
			if token.Data != "meta" {
				open = append(open, token.Data)
			}
			for _, a := range token.Attr {
				switch {
				case a.Key == "id" && ids[a.Val]:
					fault("two elements have the id %q", a.Val)
				case a.Key == "id":
					ids[a.Val] = true
				case a.Key == "href" && strings.HasPrefix(a.Val, "#"):
					targets = append(targets, a.Val[1:])
				case a.Key == "href", a.Key == "src", a.Key == "srcset", a.Key == "style", strings.HasPrefix(a.Key, "on"):
					fault("<%s> has %s=%q", token.Data, a.Key, a.Val)
				}
			}
		case nethtml.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				fault("</%s> closes %v", token.Data, open)
				return out
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		fault("%v stay open", open)
	}
	for _, target := range targets {
		if !ids[target] {
			fault("a link leads to %q, which is not there", target)
		}
	}
	if strings.Contains(style, "url(") || strings.Contains(style, "@import") {
		fault("the style loads something")
	}
	return out
}

// hostile returns a report in which every text that can come from input is hostile, or without end.
func hostile(t testing.TB) *report.Report {
	t.Helper()
	r := reporttest.Sample(t)
	bad, long := reporttest.Hostile, strings.Repeat("name", 2500)
	at := evidence.Origin{File: bad, Line: 1, Col: 2, Call: bad, Note: bad}
	r.Tool, r.Targets, r.Evidence = bad, []string{bad, long}, bad
	r.Counted = map[string]int{bad: 1, long: 2}
	r.Gaps = []evidence.Gap{{In: evidence.ID(bad), Asked: bad, Why: evidence.Failed, Err: bad, At: at, Bad: true}, {In: evidence.ID(long), Asked: long, Err: long}}
	w := evidence.Waiver{Check: bad, Subject: bad, Reason: bad, Who: bad, Until: bad, At: at}
	r.Idle, r.Expired = []evidence.Waiver{w}, []evidence.Waiver{w, {Check: long, Subject: long, Reason: long, Who: long}}
	for i := range r.Results {
		name := bad
		if i%2 == 0 {
			name = long
		}
		res := &r.Results[i]
		res.Subject = evidence.Subject{ID: evidence.ID(name + "//" + name), Kind: name, Name: name, At: at}
		res.Message, res.Because = name, evidence.Known(true, at)
		if res.Waiver != nil {
			res.Waiver = &w
		}
	}
	for i := range r.Horizon {
		r.Horizon[i].Asset.ID, r.Horizon[i].Asset.Kind, r.Horizon[i].Ends, r.Horizon[i].Because = evidence.ID(bad), bad, long, at
	}
	return r
}

func TestHostileTextIsShownAsText(t *testing.T) {
	page := render(t, hostile(t))
	for _, want := range []string{
		`\x1b[31mil\x07 &#34;quoted&#34; &#39;single&#39; &lt;/script&gt;&lt;img src=x onerror=alert(1)&gt; a\x0d\x0ab \u009b2J \u202egnp.exe \xff %n | `,
		"namen…", // at 2,000 bytes, the mark included
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %s", want)
		}
	}
}

// TestLargeReport holds a page of 20,000 results to what a reader can open.
func TestLargeReport(t *testing.T) {
	r := reporttest.Many(t, 1000, "apps/a", "apps/b", "apps/c", "apps/d")
	if len(r.Results) < 20_000 {
		t.Fatalf("got %d results, want 20,000 at least", len(r.Results))
	}
	page := render(t, r)
	if len(page) > 8_000_000 {
		t.Errorf("the page has %d bytes", len(page))
	}
	if n := strings.Count(page, `<span class="o pass">`); n != mostPasses {
		t.Errorf("got %d passes, want %d", n, mostPasses)
	}
	if n := strings.Count(page, `<span class="o fail">`); n != mostOthers {
		t.Errorf("got %d failures of the one check that fails and counts, want %d", n, mostOthers)
	}
	for _, more := range []string{"and 3500 more in results.json", "and 2000 more in results.json"} {
		if !strings.Contains(page, more) {
			t.Errorf("the page does not say %q", more)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	r := reporttest.Many(b, 2500, "apps/a", "apps/b", "apps/c", "apps/d")
	for b.Loop() {
		if err := Render(io.Discard, r); err != nil {
			b.Fatal(err)
		}
	}
}

// TestNothingIsLost counts: every result is in the counts of a check, or said not to count.
func TestNothingIsLost(t *testing.T) {
	r := reporttest.Sample(t)
	var onPage, apart int
	for _, c := range chapters(r) {
		for _, one := range c.Checks {
			apart += one.Consequences + one.Development
			onPage += one.Pass + one.Fail + one.Waived + one.NotAssessed
			listed := 0
			for _, l := range one.Lists {
				listed += len(l.Results) + l.More
			}
			if listed != one.Pass+one.Fail+one.Waived+one.NotAssessed {
				t.Errorf("%s lists %d results and counts others", one.ID, listed)
			}
		}
	}
	if apart == 0 || onPage+apart != len(r.Results) {
		t.Errorf("got %d counted and %d apart, want %d", onPage, apart, len(r.Results))
	}
}

func TestResultOfAnUnknownChapterIsShown(t *testing.T) {
	r := reporttest.Empty(t)
	r.Results = []checks.Result{{
		Check: &checks.Check{ID: "other-thing", Title: "Another thing holds"}, Subject: evidence.Subject{ID: "a//b"},
		Verdict: checks.Verdict{Outcome: checks.Pass, Message: "it holds"},
	}}
	if page := render(t, r); !strings.Contains(page, "it holds") {
		t.Error("the result is not on the page")
	}
}

func TestANoteIsSaidOnce(t *testing.T) {
	fact := evidence.Known(false, evidence.Origin{Call: "s3:GetBucketAcl", Note: "its list lets strangers in"})
	check := &checks.Check{ID: "sealed-private", Title: "Private", Severity: checks.Medium}
	of := func(id evidence.ID) checks.Result {
		return checks.Result{Check: check, Subject: evidence.Subject{ID: id, Kind: "bucket", Name: string(id)}, Verdict: checks.Failed(fact, "%s is open: its list lets strangers in", id).As(checks.Medium)}
	}
	r := reporttest.Empty(t)
	for _, rs := range [][]checks.Result{{of("aws://s3/a")}, {of("aws://s3/a"), of("aws://s3/b")}} {
		r.Results = rs
		page := render(t, r)
		if strings.Contains(page, "(its list lets strangers in)") {
			t.Errorf("of %d results the note stands behind the message that holds it", len(rs))
		}
	}
	for i := range r.Results {
		r.Results[i].Verdict = r.Results[i].Many("%d buckets are open")
	}
	if page := render(t, r); strings.Count(page, "(its list lets strangers in)") != 2 {
		t.Error("of results that are one line the notes are missing")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteErrorIsTold(t *testing.T) {
	if err := Render(broken{}, reporttest.Empty(t)); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("got %v, want the error of the writer", err)
	}
}

func TestDocIsUnwrapped(t *testing.T) {
	got := paragraphs(`Containers are replaced many times a day, and their log files are deleted with them: Docker's json-file and local
drivers keep output only as long as the container is there.

Cure, Compose: a log driver.
If the daemon ships: say so.`)
	want := []string{
		"Containers are replaced many times a day, and their log files are deleted with them: Docker's json-file and local drivers keep output only as long as the container is there.",
		"Cure, Compose: a log driver.", "If the daemon ships: say so.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{span(time.Hour), "1 hour"},
		{span(24 * time.Hour), "1 day"},
		{span(90 * time.Minute), "90 minutes"},
		{span(90 * time.Second), "1m30s"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
