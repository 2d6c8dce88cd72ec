package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAnInterruptedScanOfAHostOrAFolderIsPartial(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "etc"), 0o755), os.WriteFile(filepath.Join(dir, "compose.yaml"), []byte("services: {}\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, target := range []string{dir, "host:" + dir} {
		var out, told bytes.Buffer
		saved := filepath.Join(t.TempDir(), "evidence.jsonl")
		e := env{stdout: &out, stderr: &told, now: time.Now, getenv: func(string) string { return "" }}
		if code := run(ctx, e, []string{"scan", "--save", saved, target}); code != exitBad || told.Len() > 0 {
			t.Errorf("%s: exit %d: %s", target, code, told.String())
		}
		if text := out.String(); !strings.Contains(text, "partial: the scan was cut short") || strings.Contains(text, filepath.Dir(dir)) {
			t.Errorf("%s:\n%s", target, text)
		}
		if set, err := readEvidence(saved); err != nil || !set.Partial {
			t.Errorf("%s: %v", target, err)
		}
	}
}
