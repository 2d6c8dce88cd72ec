//go:build unix

package config

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestPipesAreNotOpened(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "lookback.yaml")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	for _, confined := range []bool{false, true} {
		_, err := Load(path, Options{Root: dir, Confined: confined})
		if err == nil || !strings.Contains(err.Error(), "it is not a regular file") {
			t.Errorf("got %v", err)
		}
	}
}
