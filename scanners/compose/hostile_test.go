package compose

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/tree"
)

// TestHostile gives files that want to hang, to crash or to be let out. Each ends in a gap that names the place, and
// the service beside it is judged.
func TestHostile(t *testing.T) {
	var bomb strings.Builder
	bomb.WriteString("x-a0: &a0 {k: v}\n")
	for i := 1; i < 12; i++ {
		item := fmt.Sprintf("*a%d, ", i-1)
		fmt.Fprintf(&bomb, "x-a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(item, 10), ", "))
	}
	bomb.WriteString("services:\n  ok: {image: redis}\n  web:\n    image: nginx\n    labels: {a: *a11}\n")
	chain := "services:\n  ok: {image: redis}\n"
	for i := range 300 {
		chain += fmt.Sprintf("  s%d: {extends: s%d}\n", i, i+1)
	}
	chain += "  s300: {image: x}\n"
	for _, c := range []struct {
		name    string
		content string
		gap     string // part of a gap
		line    int
		judged  bool // the service "ok" is
	}{
		{"alias bomb", bomb.String(), "aliases stand for more than", 17, true},
		{"cyclic anchor", "services:\n  ok: {image: redis}\n  web:\n    image: x\n    labels: &l\n      a: *l\n", "nested more than", 5, true},
		{"cyclic merge", "services:\n  ok: {image: redis}\n  web:\n    image: x\n    labels: &l\n      <<: *l\n", "aliases stand for more", 5, true},
		{"10,000 deep", "services:\n  ok: {image: redis}\n  web:\n    labels: " + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "\n", "nested more than", 4, true},
		{"100,000 deep", "services:\n  web:\n    labels: " + strings.Repeat("[", 100_000) + "\n", "depth", 3, false},
		{"500 deep", "services:\n  ok: {image: redis}\n  web:\n    image: x\n    labels: " + strings.Repeat("[", 500) + strings.Repeat("]", 500) + "\n", "nested more than", 5, true},
		{"binary", "services:\n  web:\n    image: \x00\n", "not a text", 0, false},
		{"invalid UTF-8", "services:\n  web:\n    image: \"\xff\xfe\"\n", "UTF-8", 0, false},
		{"too large", "services:\n" + strings.Repeat("#\n", maxFile/2), "the limit is", 0, false},
		{"a long command", "services:\n  ok: {image: redis}\n  web: {image: x, command: " + strings.Repeat("x ", 1<<19) + "}\n", "too long", 3, true},
		{"a text that grows", "services:\n  ok: {image: redis}\n  web:\n    image: \"" + strings.Repeat("${A:-"+strings.Repeat("x", 999)+"}", 100) + "\"\n", "bytes", 4, true},
		{"250,000 services", "services:\n  ok: {image: redis}\n" + lines(250_000, "  s%d: {}\n"), "more than 2000 services", 2002, true},
		{"250,000 variables", "services:\n  ok: {image: redis}\n  web:\n    image: x\n    environment:\n" + lines(250_000, "      A%d:\n"), "more than 1000 entries", 5, true},
		{"mistakes without end", "services:\n  ok: {image: redis}\n  web:\n    image: x\n    labels:\n" + lines(900, "      a%d: ${\n"), "more than 200 things", 0, true},
		{"much to merge", "services:\n  ok: {image: redis}\n  s0:\n    environment: &e\n" + lines(900, "      A%d: x\n") +
			lines(90, "  s%[2]d: {extends: s%[1]d, environment: *e}\n") + lines(500, "  t%d: {extends: s90}\n"), "too much is merged", 0, true},
		{"300 that extend one another", chain, "more than 100 services extend", 3, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "compose.yaml"), c.content)
			start := time.Now()
			found, set := projects(t, dir)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %s", took)
			}
			i := slices.IndexFunc(set.Gaps, func(g evidence.Gap) bool { return strings.Contains(g.Err, c.gap) })
			if i < 0 {
				t.Fatalf("no gap about %q in %.300v", c.gap, set.Gaps)
			}
			if g := set.Gaps[i]; !g.Bad || g.At.File != "compose.yaml" || c.line > 0 && g.At.Line != c.line {
				t.Errorf("gap %+v, want a bad one on line %d", g, c.line)
			}
			judged := slices.ContainsFunc(found[0].services, func(s *service) bool {
				image, _ := s.c.Image.Get()
				return s.name == "ok" && image == "redis"
			})
			if judged != c.judged {
				t.Errorf("the service beside it is judged: %t, want %t", judged, c.judged)
			}
		})
	}
}

// lines returns n lines of a format that takes a number, and the number after it.
func lines(n int, format string) string {
	var b strings.Builder
	for i := range n {
		if strings.Contains(format, "[2]") {
			fmt.Fprintf(&b, format, i, i+1)
		} else {
			fmt.Fprintf(&b, format, i)
		}
	}
	return b.String()
}

// TestIncludeBomb includes two files twice on each of 30 levels.
func TestIncludeBomb(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "compose.yaml"), "include: [l0.yml, l0.yml]\n")
	for i := range 30 {
		write(t, filepath.Join(dir, fmt.Sprintf("l%d.yml", i)), fmt.Sprintf("include: [l%d.yml, l%d.yml]\nservices: {s%d: {image: x}}\n", i+1, i+1, i))
	}
	_, set := projects(t, dir)
	if !slices.ContainsFunc(set.Gaps, func(g evidence.Gap) bool { return g.Bad && strings.Contains(g.Err, "more than 500 files") }) {
		t.Errorf("no gap about the number of files in %d gaps", len(set.Gaps))
	}
}

// TestSameInSameOut scans one tree many times: what is sent, and its order, depends on the input alone.
func TestSameInSameOut(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"variables", "extends-lost", "include-lost", "volumes", "broken", "override"} {
		raw, err := os.ReadFile(filepath.Join("testdata", name+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		archive, _, _ := strings.Cut(string(raw), "-- want --\n")
		unpack(t, archive, filepath.Join(dir, name))
	}
	first := ""
	for range 20 {
		var out bytes.Buffer
		if err := evidence.Write(&out, scanAll(t, dir)); err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = out.String()
		}
		if out.String() != first {
			t.Fatalf("two scans differ:\n%s", diff(first, out.String()))
		}
	}
	if strings.ContainsFunc(first, private) {
		t.Error("a mark of ours is in the evidence")
	}
	if !strings.Contains(first, "postgres") && !strings.Contains(first, `"ok"`) {
		t.Errorf("no service was recorded:\n%.500s", first)
	}
}

// scanAll returns everything that Scan sends, in that order.
func scanAll(t testing.TB, dir string) *evidence.Set {
	t.Helper()
	root, err := tree.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	kept, _, err := tree.Collect(context.Background(), root, tree.Options{}, func(f tree.File) any { return Scanner{}.Offer(f) })
	if err != nil {
		t.Fatal(err)
	}
	set := &evidence.Set{}
	if err := (Scanner{}).Scan(context.Background(), scanners.Target{Tree: root}, kept, set); err != nil {
		t.Fatal(err)
	}
	return set
}

// TestOverlayRecords holds that an overlay sends what it changes, and what its base says only once.
func TestOverlayRecords(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "compose.yaml"), `services:
  web: {image: "tomcat:10", volumes: ["weblogs:/usr/local/tomcat/logs"]}
  db: {image: "tomcat:9", volumes: ["dblogs:/usr/local/tomcat/logs"]}
`)
	write(t, filepath.Join(dir, "compose.prod.yaml"), "services:\n  web: {logging: {driver: syslog}}\n")
	var about []string
	for _, r := range scanAll(t, dir).Records {
		if id := r.Self().ID; strings.HasPrefix(string(id), "compose:compose.prod.yaml//") {
			about = append(about, id.Thing())
		}
	}
	has := func(part string) bool {
		return slices.ContainsFunc(about, func(thing string) bool { return strings.HasPrefix(thing, part) })
	}
	if !has("web") || !has("host") || !has("volume/weblogs") || has("db") || has("volume/dblogs") {
		t.Errorf("the overlay sends %q", about)
	}
}

func TestCancelled(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "compose.yaml"), "services: {web: {image: x}}\n")
	root, err := tree.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	kept := []any{Scanner{}.Offer(tree.File{Name: "compose.yaml", Content: []byte("services: {web: {image: x}}\n")})}
	if err := (Scanner{}).Scan(ctx, scanners.Target{Tree: root}, kept, &evidence.Set{}); err == nil {
		t.Error("no error")
	}
}

// FuzzLoad gives two files that may extend and include each other.
func FuzzLoad(f *testing.F) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || names == nil {
		f.Fatal(names, err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		archive, _, _ := strings.Cut(string(raw), "-- want --\n")
		parts := section.Split(archive, -1)
		for i := 1; i+1 < len(parts); i++ {
			f.Add([]byte(parts[i]), []byte(parts[i+1]))
		}
		f.Add([]byte(parts[1]), []byte(nil))
	}
	f.Add([]byte("include: [common.yml]\nservices: {a: {extends: {file: common.yml, service: b}}}\n"), []byte("services: {b: {image: x, logging: !reset {}}}\n"))
	f.Fuzz(func(t *testing.T, base, common []byte) {
		if len(base)+len(common) > 16<<10 {
			return
		}
		slow := time.AfterFunc(10*time.Second, func() { panic("took more than 10 seconds") })
		defer slow.Stop()
		set := &evidence.Set{}
		var kept []any
		for name, content := range map[string][]byte{"compose.yaml": base, "common.yml": common} {
			if k := (Scanner{}).Offer(tree.File{Name: name, Content: content}); k != nil {
				kept = append(kept, k)
			}
		}
		s := newScan(scanners.Target{Tree: tree.OpenStdin(bytes.NewReader(nil))}, set)
		s.files.byName["common.yml"] = parse("common.yml", common, nil)
		for _, p := range read(s, kept) {
			p.load()
			p.waivers()
			for _, c := range p.containers() {
				text := describe(c)
				if strings.ContainsFunc(text, private) {
					t.Errorf("a mark of ours is in %q", text)
				}
				if c.Asset.At.Line == 0 || c.Log.At.Line == 0 || c.Image.At().Line == 0 {
					t.Errorf("a place is missing: %+v", c)
				}
				c.File("/etc/x/y.conf")
			}
		}
		for _, g := range set.Gaps {
			if g.Err == "" || strings.ContainsFunc(g.Err+g.Asked, private) {
				t.Errorf("gap %+v", g)
			}
		}
	})
}

// BenchmarkScan scans all archives of testdata, or the folder that COMPOSE_CORPUS names.
func BenchmarkScan(b *testing.B) {
	dir := os.Getenv("COMPOSE_CORPUS")
	if dir == "" {
		dir = b.TempDir()
		names, err := filepath.Glob("testdata/*.txtar")
		if err != nil {
			b.Fatal(err)
		}
		for _, name := range names {
			raw, err := os.ReadFile(name)
			if err != nil {
				b.Fatal(err)
			}
			archive, _, _ := strings.Cut(string(raw), "-- want --\n")
			unpack(b, archive, filepath.Join(dir, filepath.Base(name)))
		}
	}
	for b.Loop() {
		if set := scanAll(b, dir); len(set.Records) == 0 {
			b.Fatal("nothing found")
		}
	}
}
