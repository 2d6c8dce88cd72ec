package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	fenceRE    = regexp.MustCompile("(?ms)^```[a-z]*\n(.*?)^```")
	asideRE    = regexp.MustCompile(`\s{3,}.*`)            // what a line of a listing says of its command
	settingRE  = regexp.MustCompile(`^(?:[A-Z_]+=\S* +)+`) // SOURCE_DATE_EPOCH=0 in front of a command
	separateRE = regexp.MustCompile(`\s*(?:&&|\|)\s*`)
)

// TestDocumentsNameRealCommands holds that every "lookback ..." line in a code block of a document is a command that
// there is, with flags that there are.
func TestDocumentsNameRealCommands(t *testing.T) {
	names, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range append(names, "../../README.md", "../../benchmarks/README.md") {
		text, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range fenceRE.FindAllSubmatch(text, -1) {
			for _, line := range strings.Split(string(block[1]), "\n") {
				for _, command := range separateRE.Split(asideRE.ReplaceAllString(line, ""), -1) {
					command = settingRE.ReplaceAllString(strings.Replace(command, "go run ./cmd/lookback", "lookback", 1), "")
					args, ok := strings.CutPrefix(strings.TrimSpace(command), "lookback ")
					if !ok {
						continue
					}
					found++
					if err := parses(strings.Fields(args)); err != nil {
						t.Errorf("%s: %q: %v", filepath.Base(name), command, err)
					}
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("found %d commands; README.md alone has more", found)
	}
}

// parses is an error where the program would not take the arguments. It runs nothing.
func parses(args []string) error {
	e := &env{getenv: func(string) string { return "" }}
	c, rest, err := newRoot(e).Find(args)
	if err != nil {
		return err
	}
	if err := c.ParseFlags(rest); err != nil {
		return err
	}
	if err := c.ValidateArgs(c.Flags().Args()); err != nil {
		return err
	}
	outputs, err := c.Flags().GetStringArray("output")
	if err != nil {
		return nil // it has none
	}
	for _, o := range outputs {
		if _, err := parseOutput(o); err != nil {
			return err
		}
	}
	return nil
}

func TestCommandThatDoesNotParse(t *testing.T) {
	for _, line := range []string{"sacn .", "scan --no-such-flag", "scan -o report.pdf", "list nothing", "explain"} {
		if parses(strings.Fields(line)) == nil {
			t.Errorf("%q parses", line)
		}
	}
}

func TestClock(t *testing.T) {
	for value, want := range map[string]string{"0": "1970-01-01T00:00:00Z", "1767225600": "2026-01-01T00:00:00Z"} {
		if got := clock(func(string) string { return value })().Format("2006-01-02T15:04:05Z07:00"); got != want {
			t.Errorf("SOURCE_DATE_EPOCH=%s is %s, want %s", value, got, want)
		}
	}
	for _, value := range []string{"", "soon", "-1", "999999999999999"} {
		if year := clock(func(string) string { return value })().Year(); year < 2026 || year > 9999 {
			t.Errorf("SOURCE_DATE_EPOCH=%s gives the year %d", value, year)
		}
	}
}
