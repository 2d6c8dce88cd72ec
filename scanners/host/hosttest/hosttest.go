// Package hosttest runs the readers of a host over files that a test writes, as over the root of a mounted image.
package hosttest

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lookback/checks/alltest"
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

// Service returns the files of a service that starts with the host and runs a command, and more.
func Service(name, command string, more map[string]string) map[string]string {
	out := map[string]string{
		"usr/lib/systemd/system/" + name:                     "[Service]\nExecStart=" + command + "\n[Install]\nWantedBy=multi-user.target\n",
		"etc/systemd/system/multi-user.target.wants/" + name: "-> /usr/lib/systemd/system/" + name,
	}
	maps.Copy(out, more)
	return out
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

// Judge returns what all checks say of a set: see [alltest.Judge].
func Judge(set *evidence.Set) []string { return alltest.Judge(set) }
