package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sizeBudget is the most bytes of the released binary for linux/amd64. A library that makes the linker keep what nobody
// calls shows here first. Raise it knowingly, to a tenth above what is measured.
const sizeBudget = 40_000_000

func TestReleasedBinaryStaysSmallAndStarts(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "lookback.exe") // a name that runs on every system
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -X main.version=v9.8.7", "-o", bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	out, err := exec.Command(bin, "--version").CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "lookback v9.8.7" {
		t.Errorf("--version says %q, %v", out, err)
	}
	info, err := os.Stat(bin)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", info.Size())
	if info.Size() > sizeBudget {
		t.Errorf("the binary has %d bytes, the budget is %d", info.Size(), sizeBudget)
	}
}
