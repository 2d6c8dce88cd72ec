//go:build linux

package root

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestPipesAndDevicesAreNeverOpened(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	names := []string{"pipe"}
	if err := syscall.Mknod(filepath.Join(dir, "zero"), syscall.S_IFCHR|0o644, 1<<8|5); err == nil {
		names = append(names, "zero")
	}
	r := opened(t, dir)
	for _, name := range names {
		if _, err := r.Open(name); !errors.Is(err, ErrNotRegular) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadingLeavesTheTimeOfLastAccess(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "log")
	long := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := errors.Join(os.WriteFile(name, []byte("x"), 0o644), os.Chtimes(name, long, long)); err != nil {
		t.Fatal(err)
	}
	r := opened(t, dir)
	if _, err := r.ReadFile("log"); err != nil {
		t.Fatal(err)
	}
	var st syscall.Stat_t
	if err := syscall.Stat(name, &st); err != nil {
		t.Fatal(err)
	}
	if got := time.Unix(st.Atim.Unix()).UTC(); !got.Equal(long) {
		t.Errorf("last access %v", got)
	}
}
