//go:build unix

package compose

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"lookback/evidence"
)

// TestNothingOutsideIsRead has every key that names a file lead out through a link, and to a named pipe.
func TestNothingOutsideIsRead(t *testing.T) {
	top := t.TempDir()
	outside, dir := filepath.Join(top, "outside"), filepath.Join(top, "repo")
	write(t, filepath.Join(outside, "c.yml"), "services: {secret: {image: outside}}\n")
	write(t, filepath.Join(outside, "x.env"), "SECRET=outside\n")
	write(t, filepath.Join(outside, "Dockerfile"), "FROM outside\n")
	write(t, filepath.Join(dir, "compose.yaml"), `include: [link/c.yml, pipe]
services:
  extends: {image: x, extends: {file: link/c.yml, service: secret}}
  env: {image: x, env_file: link/x.env}
  labels: {image: x, label_file: link/x.env}
  pipe: {image: x, env_file: pipe}
  build: {build: link}
  bind: {image: x, volumes: ["./link:/etc/l", "../outside:/etc/o", "./pipe:/etc/p"]}
  config: {image: x, configs: [c]}
configs: {c: {file: link/x.env}}
`)
	write(t, filepath.Join(dir, "sub/compose.yaml"), "services: {web: {image: x}}\n")
	for _, err := range []error{
		os.Symlink(outside, filepath.Join(dir, "link")),
		os.Symlink(filepath.Join(outside, "x.env"), filepath.Join(dir, ".env")),
		syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600),
		syscall.Mkfifo(filepath.Join(dir, "sub/.env"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	found, set := projects(t, dir)
	var all strings.Builder
	all.WriteString(dump(t, dir, [][2]string{{"bind", "/etc/l/x.env"}, {"bind", "/etc/o/x.env"}, {"bind", "/etc/p"}, {"config", "/c"}}))
	if strings.Contains(all.String(), "SECRET") || strings.Contains(all.String(), ": outside") || strings.Contains(all.String(), top) {
		t.Errorf("outside was read, or is named:\n%s", all.String())
	}
	if n := len(found[0].services); n != 7 {
		t.Errorf("%d services, want 7", n)
	}
	for _, want := range []struct {
		line int
		err  string
	}{
		{1, "leads out"}, {1, "a named pipe"}, {3, "leads out"}, {4, "leads out"}, {5, "leads out"}, {6, "a named pipe"},
	} {
		if !slices.ContainsFunc(set.Gaps, func(g evidence.Gap) bool {
			return g.Bad && g.At.File == "compose.yaml" && g.At.Line == want.line && strings.Contains(g.Err, want.err)
		}) {
			t.Errorf("no bad gap %q on line %d in %+v", want.err, want.line, set.Gaps)
		}
	}
	for _, name := range []string{".env", "sub/.env"} {
		if !slices.ContainsFunc(set.Gaps, func(g evidence.Gap) bool { return g.Bad && g.At.File == name }) {
			t.Errorf("no bad gap about %s in %+v", name, set.Gaps)
		}
	}
}
