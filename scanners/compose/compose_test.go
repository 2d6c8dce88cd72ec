package compose

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/tree"
	"lookback/scanners/workload"
)

var update = flag.Bool("update", false, "write what was found into testdata")

// TestProjects holds what is found in the files of each archive against the archive's "want": every fact with its place.
// Lines "read SERVICE PATH" at the top of an archive ask for a file of a container.
func TestProjects(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) < 15 {
		t.Fatalf("%d archives: %v", len(names), err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			archive, want, _ := strings.Cut(string(raw), "-- want --\n")
			dir := t.TempDir()
			head := unpack(t, archive, dir)
			var reads [][2]string
			for line := range strings.Lines(head) {
				if f := strings.Fields(line); len(f) == 3 && f[0] == "read" {
					reads = append(reads, [2]string{f[1], f[2]})
				}
			}
			got := dump(t, dir, reads)
			if got == want {
				return
			}
			if !*update {
				t.Errorf("%s:\n%s", name, diff(want, got))
				return
			}
			if err := os.WriteFile(name, []byte(archive+"-- want --\n"+got), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}

var section = regexp.MustCompile(`(?m)^-- (.+) --\n`)

// unpack writes the files of a txtar archive into a folder and returns what stands before them.
func unpack(t testing.TB, archive, dir string) string {
	t.Helper()
	at := section.FindAllStringSubmatchIndex(archive, -1)
	if at == nil {
		t.Fatal("no files")
	}
	for i, m := range at {
		end := len(archive)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		write(t, filepath.Join(dir, archive[m[2]:m[3]]), archive[m[1]:end])
	}
	return archive[:at[0][0]]
}

func write(t testing.TB, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// projects returns what is in a folder.
func projects(t testing.TB, dir string) ([]*project, *evidence.Set) {
	t.Helper()
	root, err := tree.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	kept, _, err := tree.Collect(context.Background(), root, tree.Options{}, func(f tree.File) any { return Scanner{}.Offer(f) })
	if err != nil {
		t.Fatal(err)
	}
	set := &evidence.Set{}
	found := read(newScan(scanners.Target{Tree: root}, set), kept)
	for _, p := range found {
		if p.load() {
			p.waivers()
		}
	}
	return found, set
}

func dump(t testing.TB, dir string, reads [][2]string) string {
	found, set := projects(t, dir)
	var b strings.Builder
	for _, p := range found {
		fmt.Fprintf(&b, "project %s: %s\n", p.target, strings.Join(p.files, " + "))
		for _, s := range p.services {
			if s.same {
				fmt.Fprintf(&b, "  %s: as in the base\n", s.name)
				continue
			}
			dumpContainer(&b, s.c)
			for _, r := range reads {
				if r[0] == s.name {
					fmt.Fprintf(&b, "    file %s: %s\n", r[1], fact(s.c.File(r[1])))
				}
			}
		}
	}
	for _, g := range set.Gaps {
		bad := ""
		if g.Bad {
			bad = "bad "
		}
		fmt.Fprintf(&b, "%sgap in %s: %s: %s: %s%s\n", bad, g.In, g.Asked, g.Why, g.Err, place(g.At))
	}
	for _, w := range set.Waivers {
		fmt.Fprintf(&b, "waiver of %s for %s: %s%s\n", w.Check, w.Subject, w.Reason, place(w.At))
	}
	return b.String()
}

func dumpContainer(b *strings.Builder, c *workload.Container) {
	fmt.Fprintf(b, "  %s%s", c.Asset.ID.Thing(), place(c.Asset.At))
	if c.Asset.Development {
		fmt.Fprint(b, " development")
	}
	fmt.Fprintf(b, "\n    image: %s\n", fact(c.Image))
	if len(c.Names) > 1 {
		fmt.Fprintf(b, "    names: %s\n", strings.Join(c.Names, ", "))
	}
	for _, v := range c.Args {
		fmt.Fprintf(b, "    arg: %s\n", fact(v))
	}
	facts := func(what string, m map[string]evidence.Value[string]) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			fmt.Fprintf(b, "    %s %s: %s\n", what, key, fact(m[key]))
		}
	}
	facts("env", c.Env)
	if whole, _ := c.EnvWhole.Get(); !whole {
		fmt.Fprintf(b, "    more env: %s\n", fact(c.EnvWhole))
	}
	facts("label", c.Annotations)
	for _, m := range c.Mounts {
		fmt.Fprintf(b, "    mount %s: %s %s", m.Path, m.Kind, m.Volume.Thing())
		if m.Name != "" {
			fmt.Fprintf(b, " name=%s", m.Name)
		}
		if m.HostPath != "" && m.HostPath != m.Name {
			fmt.Fprintf(b, " host=%s", m.HostPath)
		}
		if m.ReadOnly {
			fmt.Fprint(b, " read-only")
		}
		if m.NoCopy {
			fmt.Fprint(b, " nocopy")
		}
		if !m.OffHost.IsZero() {
			fmt.Fprintf(b, " off host: %s", fact(m.OffHost))
		}
		fmt.Fprintf(b, "%s\n", place(m.At))
	}
	for _, p := range c.Ports {
		fmt.Fprintf(b, "    port %d: %d\n", p.Host, p.Container)
	}
	if _, whole := c.PortsWhole.Get(); !whole {
		fmt.Fprintf(b, "    more ports: %s\n", fact(c.PortsWhole))
	}
	if c.HostNetwork {
		fmt.Fprint(b, "    on the host's network\n")
	}
	if c.ReadOnlyRoot.At().Written() {
		fmt.Fprintf(b, "    read-only root: %s\n", fact(c.ReadOnlyRoot))
	}
	fmt.Fprintf(b, "    log%s", place(c.Log.At))
	if !c.Log.Driver.IsZero() {
		fmt.Fprintf(b, " driver: %s", fact(c.Log.Driver))
	}
	fmt.Fprintln(b)
	facts("log option", c.Log.Options)
}

func place(at evidence.Origin) string {
	if at.File == "" {
		return ""
	}
	s := fmt.Sprintf(" @%s", at.File)
	if at.Line > 0 {
		s += fmt.Sprintf(":%d", at.Line)
	}
	if at.Col > 0 {
		s += fmt.Sprintf(":%d", at.Col)
	}
	if at.Note != "" {
		s += " (" + at.Note + ")"
	}
	return s
}

func fact[T any](v evidence.Value[T]) string {
	value, known := v.Get()
	switch {
	case known:
		return strings.ReplaceAll(strings.TrimSuffix(fmt.Sprint(value), "\n"), "\n", `\n`) + place(v.At())
	case v.IsMoot():
		return "moot" + place(v.At())
	}
	return "unknown, " + v.Why().String() + place(v.At())
}

// diff shows the lines that differ.
func diff(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	var b strings.Builder
	for _, line := range w {
		if !slices.Contains(g, line) {
			fmt.Fprintf(&b, "- %s\n", line)
		}
	}
	for _, line := range g {
		if !slices.Contains(w, line) {
			fmt.Fprintf(&b, "+ %s\n", line)
		}
	}
	if b.Len() == 0 {
		return "the order of lines differs, got:\n" + got
	}
	return b.String()
}
