package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"lookback/checks"
	"lookback/evidence"
	"lookback/report"
	"lookback/report/html"
	"lookback/report/reporttest"
	"lookback/report/sarif"
)

// hosts is evidence of hosts whose files have the same names.
func hosts(names ...string) *evidence.Set {
	set := &evidence.Set{Tool: "lookback 0.1.0", Targets: []string{"host:a", "host:b"}}
	for _, name := range names {
		at := evidence.Origin{File: "etc/audit/rules.d", Line: 3}
		set.Record(&evidence.Asset{Subject: evidence.Subject{ID: evidence.ID("host:" + name + "//host"), Kind: "host", Name: name, At: at}})
		set.Gap(evidence.Gap{In: evidence.ID("host:" + name), Asked: "rules", Why: evidence.Failed, At: evidence.Origin{File: "etc/torn"}, Bad: true})
	}
	set.Sort()
	return set
}

func off() []*checks.Check {
	return []*checks.Check{{ID: "watched-all", Severity: checks.High, Judge: checks.Each(func(_ *checks.View, a evidence.Asset) checks.Verdict {
		return checks.Failed(evidence.Known(false, a.At), "it is off")
	})}}
}

func TestOfSeveralHostsAPlaceNamesWhich(t *testing.T) {
	o := report.Options{Checks: off()}
	for name, make := range map[string]func(*evidence.Set) *report.Report{
		"small": func(s *evidence.Set) *report.Report { return report.New(s, o) },
		"large": func(s *evidence.Set) *report.Report {
			r, _ := large(t, s, o)
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			for want, set := range map[string]*evidence.Set{"a/etc/audit/rules.d b/etc/audit/rules.d": hosts("a", "b"), "etc/audit/rules.d": hosts("a")} {
				if got := strings.Join(uris(t, make(set)), " "); got != want {
					t.Errorf("SARIF: got %s, want %s", got, want)
				}
			}
			page := rendered(t, html.Render, make(hosts("a", "b")))
			for _, want := range []string{"<code>a/etc/audit/rules.d:3</code>", "<code>b/etc/audit/rules.d:3</code>", "<code>b/etc/torn</code>"} {
				if !strings.Contains(page, want) {
					t.Errorf("no %q in the page", want)
				}
			}
			if got := rendered(t, sarif.Render, make(hosts("a", "b"))); !strings.Contains(got, `"b/etc/torn"`) {
				t.Errorf("the notification does not say of which host the file is:\n%s", got)
			}
		})
	}
}

// uris are the places of results in SARIF.
func uris(t *testing.T, r *report.Report) []string {
	t.Helper()
	var out bytes.Buffer
	if err := sarif.Render(&out, r); err != nil {
		t.Fatal(err)
	}
	var file struct {
		Runs []struct {
			Results []struct {
				Locations []struct {
					PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
				}
			}
		}
	}
	if err := json.Unmarshal(out.Bytes(), &file); err != nil {
		t.Fatal(err)
	}
	var uris []string
	for _, res := range file.Runs[0].Results {
		for _, l := range res.Locations {
			uris = append(uris, l.PhysicalLocation.ArtifactLocation.URI)
		}
	}
	return uris
}

func TestOf(t *testing.T) {
	for want, r := range map[string]*report.Report{
		"":                                 {},
		"account 111122223333, host web-1": {Accounts: []string{"111122223333"}, Hosts: []string{"web-1"}},
		"hosts a, b and c":                 {Hosts: []string{"a", "b", "c"}},
		"4 accounts":                       {Accounts: []string{"1", "2", "3", "4"}},
		"account 111122223333":             reporttest.Sample(t),
	} {
		if got := r.Of(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	page := rendered(t, html.Render, reporttest.Sample(t))
	if want := "<code>aws</code>: account 111122223333</h1>"; !strings.Contains(page, want) {
		t.Errorf("no %q in the page", want)
	}
}

func TestHeadlineOfAScanThatWasCutShort(t *testing.T) {
	r := reporttest.Sample(t)
	whole := r.Headline()
	r.Partial = true
	if got, want := r.Headline(), "of what was read until then: "+whole; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	page := rendered(t, html.Render, r)
	for _, want := range []string{">of what was read until then: ready ", "This scan was cut short, and has no score of the whole: "} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in the page", want)
		}
	}
	empty := reporttest.Empty(t)
	if empty.Partial = true; empty.Headline() != "nothing here could be asked about" {
		t.Errorf("got %q", empty.Headline())
	}
}
