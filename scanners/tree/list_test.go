package tree

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestReadDir(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "root/conf/b.conf", "", "root/conf/a.conf", "", "root/conf/below/c.conf", "", "outside/secret.conf", "")
	for link, to := range map[string]string{"root/conf/link.conf": "a.conf", "root/out": "../outside"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := Open(filepath.Join(dir, "root"))
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	got, err := tree.ReadDir("conf")
	if want := []string{"conf/a.conf", "conf/b.conf"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	for _, name := range []string{"out", "../outside", "/etc"} {
		if _, err := tree.ReadDir(name); !errors.Is(err, ErrLeadsOut) {
			t.Errorf("ReadDir(%q): %v; want %v", name, err, ErrLeadsOut)
		}
	}
	if _, err := tree.ReadDir("conf/a.conf"); err == nil {
		t.Error("a file is listed")
	}
	for i := range maxList + 1 {
		write(t, dir, fmt.Sprintf("root/many/%d", i), "")
	}
	if _, err := tree.ReadDir("many"); err == nil {
		t.Errorf("%d files are listed", maxList+1)
	}
}
