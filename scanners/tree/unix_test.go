//go:build unix

package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestSpecialFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", "a")
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir) // the path of a socket is short
	socket, err := net.Listen("unix", "socket.json")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	tree := openTree(t, dir)
	got, _, err := Collect(t.Context(), tree, Options{}, func(f File) string { return fmt.Sprint(f.Name, " ", f.Err) })
	want := []string{"a.yaml <nil>", "pipe.yaml not a regular file but a named pipe", "socket.json not a regular file but a socket"}
	if !slices.Equal(got, want) || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := tree.ReadFile("pipe.yaml"); !errors.Is(err, ErrNotRegular) {
		t.Errorf("reading the pipe: got %v", err)
	}
	if _, err := Open("pipe.yaml"); !errors.Is(err, ErrNotRegular) || !strings.Contains(err.Error(), "standard input") {
		t.Errorf("opening the pipe: got %v", err)
	}
	// A file that became a pipe after it was looked at.
	if _, err := read(tree.root, "pipe.yaml", nil, MaxFile); !errors.Is(err, ErrNotRegular) {
		t.Errorf("reading the pipe unseen: got %v", err)
	}
}

// A file of /proc says that it has no bytes, and has some.
func TestFileThatHidesItsSize(t *testing.T) {
	want, err := os.ReadFile("/proc/self/cmdline")
	if err != nil {
		t.Skipf("NOT TESTED: no /proc here: %v", err)
	}
	tree := openTree(t, "/proc/self")
	if got, err := tree.ReadFile("cmdline"); string(got) != string(want) || err != nil {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if _, err := read(tree.root, "cmdline", nil, 2); !errors.As(err, new(*TooLargeError)) {
		t.Errorf("over a limit of two bytes: got %v", err)
	}
}

func TestNoRights(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("NOT TESTED: root may read everything; run as another user")
	}
	dir := t.TempDir()
	write(t, dir, "a.yaml", "a", "locked.yaml", "", "folder/a.yaml", "", "x/.gitignore", "*", "x/a.yaml", "x")
	for _, name := range []string{"locked.yaml", "folder", "x/.gitignore"} {
		if err := os.Chmod(filepath.Join(dir, name), 0); err != nil {
			t.Fatal(err)
		}
	}
	defer os.Chmod(filepath.Join(dir, "folder"), 0o755)
	tree := openTree(t, dir)
	got, _, err := Collect(t.Context(), tree, Options{}, func(f File) string { return fmt.Sprint(f.Name, " ", f.Err) })
	want := []string{
		"a.yaml <nil>", "folder permission denied", "locked.yaml permission denied",
		"x/.gitignore permission denied", "x/a.yaml <nil>",
	}
	if !slices.Equal(got, want) || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := tree.ReadFile("locked.yaml"); !errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
}

func TestStrangeNames(t *testing.T) {
	dir := t.TempDir()
	want := []string{"\x1b[31m.yaml", "a\nb/c\r.yaml", "b\xff.yaml", "c d.yaml", "é.yaml"}
	for _, name := range want {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Skipf("NOT TESTED: the file system takes no such name: %v", err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644); err != nil {
			t.Skipf("NOT TESTED: the file system takes no such name: %v", err)
		}
	}
	write(t, dir, ".gitignore", "*\xfe.yaml\n")
	tree := openTree(t, dir)
	if got := names(t, tree, Options{}); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, name := range want {
		if got, err := tree.ReadFile(name); string(got) != name || err != nil {
			t.Errorf("%q: got %q, %v", name, got, err)
		}
	}
}

// Paths are limited to a few thousand bytes, so this is near the deepest that anyone can check out.
func TestDeepFolders(t *testing.T) {
	dir := t.TempDir()
	deep := strings.Repeat("d/", 1500) + "a.yaml"
	write(t, dir, deep, "")
	if got := names(t, openTree(t, dir), Options{}); !slices.Equal(got, []string{deep}) {
		t.Errorf("got %d names", len(got))
	}
}

// A walk holds a few folders open, however many there are.
func TestOpenFolders(t *testing.T) {
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Skipf("NOT TESTED: %v", err)
	}
	dir := generate(t, 4000)
	few := old
	few.Cur = 64
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
		t.Skipf("NOT TESTED: %v", err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old)
	if got := names(t, openTree(t, dir), Options{}); len(got) != 4000 {
		t.Errorf("got %d files", len(got))
	}
}
