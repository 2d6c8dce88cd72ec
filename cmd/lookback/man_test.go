package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

var update = flag.Bool("update", false, "rewrite generated files")

// TestManPages holds that docs/man is current. The generator is no part of the program: "go generate ./cmd/lookback" runs
// this test with -update.
func TestManPages(t *testing.T) {
	root := newRoot(&env{})
	root.InitDefaultHelpCmd()
	root.DisableAutoGenTag = true
	date := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var want []string
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Name() == "help" || c.Name() == "completion" || c.Hidden {
			return
		}
		c.DisableAutoGenTag = true
		var page bytes.Buffer
		if err := doc.GenMan(c, &doc.GenManHeader{Section: "1", Date: &date, Source: "lookback", Manual: "lookback"}, &page); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join("../../docs/man", manName(c))
		want = append(want, filepath.Base(name))
		if *update {
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, page.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(got, page.Bytes()) {
			t.Errorf("%s is stale; run \"go generate ./cmd/lookback\"", name)
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	have, err := os.ReadDir("../../docs/man")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range have {
		if !slices.Contains(want, f.Name()) {
			t.Errorf("docs/man/%s is of no command", f.Name())
		}
	}
}

// manName is "lookback-scan.1" for "lookback scan".
func manName(c *cobra.Command) string {
	return strings.ReplaceAll(c.CommandPath(), " ", "-") + ".1"
}
