package html

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lookback/report"
	"lookback/report/reporttest"
)

const install = "to install: apt-get install chromium poppler-utils nodejs npm; npm ci --ignore-scripts --prefix report/html/browser"

// browser runs the check of a page in a real Chromium; see browser/check.mjs. Without what it needs the test is skipped,
// and fails where LOOKBACK_REQUIRE_BROWSER is 1.
func browser(t *testing.T, page string) (said string, holds bool) {
	t.Helper()
	if os.Getenv("LOOKBACK_REQUIRE_BROWSER") != "1" {
		t.Skip("NOT CHECKED IN A BROWSER: set LOOKBACK_REQUIRE_BROWSER=1; " + install)
	}
	chromium := os.Getenv("CHROMIUM")
	if chromium == "" {
		chromium = "/usr/bin/chromium"
	}
	for _, need := range []string{"node", "pdftotext", chromium} {
		if _, err := exec.LookPath(need); err != nil {
			t.Fatalf("%v; %s", err, install)
		}
	}
	if _, err := os.Stat(filepath.Join("browser", "node_modules", "axe-core")); err != nil {
		t.Fatalf("%v; %s", err, install)
	}
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", filepath.Join("browser", "check.mjs"), file, t.TempDir()).CombinedOutput()
	return string(out), err == nil
}

func TestPageHoldsInABrowser(t *testing.T) {
	everything := reporttest.Sample(t)
	everything.Verbose, everything.Partial, everything.Evidence = true, true, ""
	for name, r := range map[string]*report.Report{
		"every kind of row": everything, "hostile": hostile(t), "folded": reporttest.Many(t, 8, "apps/a", "apps/b"), "nothing found": reporttest.Empty(t),
	} {
		t.Run(name, func(t *testing.T) {
			if said, holds := browser(t, render(t, r)); !holds {
				t.Error(said)
			}
		})
	}
}

// TestBrowserSeesFaults breaks a page in each way that the check looks for, and wants each named.
func TestBrowserSeesFaults(t *testing.T) {
	page := render(t, reporttest.Sample(t))
	broken := strings.NewReplacer(
		style, strings.NewReplacer("details::details-content {", "details::nothing {", "#54595f", "#d0d0d0", "--paper: #fff", "--paper: #ffe").Replace(style),
		`<html lang="en">`, `<html>`,
		`style-src '`+newPage(reporttest.Sample(t)).StyleHash+`'`, `style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src *`,
		`<main id="main" tabindex="-1">`, `<main id="main" tabindex="-1"><img src="pixel.png"><div style="width: 2000px">wide</div><script>document.write("<p>written")</script>`,
	).Replace(page)
	said, holds := browser(t, broken)
	if holds {
		t.Fatal("a broken page holds")
	}
	for _, want := range []string{
		"axe color-contrast", "axe html-has-lang", "axe image-alt", "it scrolls sideways", "it asks for file://", "folded parts are not on paper",
		"dark mode prints on", "html-validate", "it holds a script",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("the check does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(said)
	}
}
