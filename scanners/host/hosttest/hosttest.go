// Package hosttest runs the readers of a host over files that a test writes, as over the root of a mounted image.
package hosttest

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lookback/checks"
	"lookback/checks/all"
	"lookback/evidence"
	"lookback/scanners/host/root"
	"lookback/scanners/host/scope"
)

// Now is the start, and the end, of a scan.
var Now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// A Reader reads one subject of a host.
type Reader = func(context.Context, *scope.Scope)

// Image writes files into a folder of the test's and opens it. A name that ends in "/" is a folder; a text that begins
// with "-> " is a link, one that begins with "mode 600\n" a file of that mode.
func Image(t *testing.T, files map[string]string) *root.Root {
	t.Helper()
	dir := Folder(t, files)
	r, err := root.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// Folder writes files as [Image] does and returns the path of the folder.
func Folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o644)
		if rest, ok := strings.CutPrefix(text, "mode "); ok {
			line, body, _ := strings.Cut(rest, "\n")
			if _, err := fmt.Sscanf(line, "%o", &mode); err != nil {
				t.Fatal(err)
			}
			text = body
		}
		var err error
		if to, ok := strings.CutPrefix(text, "-> "); ok {
			err = os.Symlink(to, at)
		} else if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(at, 0o755)
		} else if err = os.WriteFile(at, []byte(text), 0o644); err == nil {
			err = os.Chmod(at, mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Tar packs files as [Image] writes them, all of them root's, and opens the tar.
func Tar(t *testing.T, files map[string]string) *root.Root {
	t.Helper()
	dir := Folder(t, files)
	name := filepath.Join(t.TempDir(), "image.tar")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(f)
	err = filepath.WalkDir(dir, func(at string, e fs.DirEntry, err error) error {
		if err != nil || at == dir {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		link, _ := os.Readlink(at)
		h, err := tar.FileInfoHeader(info, link)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, at)
		if err != nil {
			return err
		}
		h.Name, h.Uid, h.Gid, h.Uname, h.Gname = filepath.ToSlash(rel), 0, 0, "root", "root"
		if err := w.WriteHeader(h); err != nil || !info.Mode().IsRegular() {
			return err
		}
		data, err := os.ReadFile(at)
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	})
	if err = errors.Join(err, w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	r, err := root.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// Scan runs readers over an image whose host is called "web-1".
func Scan(t *testing.T, files map[string]string, readers ...Reader) *evidence.Set {
	t.Helper()
	return Run(t, Image(t, files), nil, readers...)
}

// Run runs readers over a root. Prepare, where it is not nil, changes the scope first: to one that runs, or of Windows.
func Run(t *testing.T, r *root.Root, prepare func(*scope.Scope), readers ...Reader) *evidence.Set {
	t.Helper()
	set := &evidence.Set{Started: Now, Ended: Now}
	s := scope.New(r, "web-1", set)
	s.Now = Now
	if prepare != nil {
		prepare(s)
	}
	for _, read := range readers {
		read(t.Context(), s)
	}
	set.Sort()
	return set
}

// Judge runs all checks over a set and returns what came out, a line for each result: "fail retained-reached ID: message".
func Judge(set *evidence.Set) []string {
	var out []string
	for _, r := range checks.Run(set, all.All(), checks.DefaultPolicy(), nil).All {
		out = append(out, fmt.Sprintf("%s %s %s: %s", r.Outcome, r.Check.ID, r.Subject.ID, r.Message))
	}
	return out
}
