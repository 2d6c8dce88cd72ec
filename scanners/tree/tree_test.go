package tree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// write writes files, given as names and contents, below dir.
func write(tb testing.TB, dir string, files ...string) {
	tb.Helper()
	for i := 0; i < len(files); i += 2 {
		name := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(files[i+1]), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
}

// link makes symbolic links, given as targets and names, below dir.
func link(t *testing.T, dir string, links ...string) {
	t.Helper()
	for i := 0; i < len(links); i += 2 {
		if err := os.Symlink(filepath.FromSlash(links[i]), filepath.Join(dir, links[i+1])); err != nil {
			t.Skipf("NOT TESTED: no symbolic links here: %v", err)
		}
	}
}

func TestOpen(t *testing.T) {
	for _, c := range []struct {
		name    string
		files   []string
		open    string
		within  string
		handed  []string
		exclude []string
	}{
		{
			name:   "the root is the repository above the folder",
			files:  []string{".git/HEAD", "apps/shop/compose.yaml", "apps/bank/compose.yaml"},
			open:   "apps/shop",
			within: "apps/shop",
			handed: []string{"apps/shop/compose.yaml"},
		},
		{
			name:   "the nearest of two repositories",
			files:  []string{".git/HEAD", "apps/shop/.git", "apps/shop/k8s/pod.yaml"},
			open:   "apps/shop/k8s",
			within: "k8s",
			handed: []string{"k8s/pod.yaml"},
		},
		{
			name:   "no repository: the folder itself",
			files:  []string{"shop/compose.yaml", "bank/compose.yaml"},
			open:   "shop",
			handed: []string{"compose.yaml"},
		},
		{
			name:   "no repository: the folder of the file",
			files:  []string{"shop/compose.yaml", "shop/other.yaml"},
			open:   "shop/compose.yaml",
			within: "compose.yaml",
			handed: []string{"compose.yaml"},
		},
		{
			name:   "a file of any name",
			files:  []string{".git/HEAD", "shop/audit-policy"},
			open:   "shop/audit-policy",
			within: "shop/audit-policy",
			handed: []string{"shop/audit-policy"},
		},
		{
			name:    "a file that git ignores and that is excluded",
			files:   []string{".git/HEAD", ".gitignore=shop/\n", "shop/pod.yaml"},
			open:    "shop/pod.yaml",
			within:  "shop/pod.yaml",
			handed:  []string{"shop/pod.yaml"},
			exclude: []string{"*.yaml"},
		},
		{
			name:   "a folder that git ignores: its own rules hold, and others of the root",
			files:  []string{".git/HEAD", ".gitignore=out/**\ntmp-*\n", "out/a/.gitignore=b.yaml\n", "out/a/a.yaml", "out/a/b.yaml", "out/a/tmp-c.yaml", "out/a/d/e.yaml"},
			open:   "out/a",
			within: "out/a",
			handed: []string{"out/a/a.yaml", "out/a/d/e.yaml"},
		},
		{
			name:    "a folder that is excluded",
			files:   []string{"examples/a.yaml", "examples/a.test.yaml", "examples/b/a.yaml", ".git/HEAD"},
			open:    "examples",
			within:  "examples",
			handed:  []string{"examples/a.yaml", "examples/b/a.yaml"},
			exclude: []string{"/examples/", "*.test.yaml"},
		},
		{
			name:   "a folder in vendor",
			files:  []string{".git/HEAD", "vendor/a/a.yaml", "vendor/a/vendor/b.yaml"},
			open:   "vendor/a",
			within: "vendor/a",
			handed: []string{"vendor/a/a.yaml"},
		},
		{
			name:   "the root's rules hold in a folder below it",
			files:  []string{".git/HEAD", ".git/info/exclude=mine.yaml\n", ".gitignore=secret.yaml\n", "a/.gitignore=!secret.yaml\n", "a/b/secret.yaml", "a/b/mine.yaml"},
			open:   "a/b",
			within: "a/b",
			handed: []string{"a/b/secret.yaml"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, f := range c.files {
				name, content, _ := strings.Cut(f, "=")
				write(t, dir, name, content)
			}
			tree := openTree(t, filepath.Join(dir, c.open))
			if tree.Within() != c.within {
				t.Errorf("within %q, want %q", tree.Within(), c.within)
			}
			if got := names(t, tree, Options{Exclude: c.exclude}); !slices.Equal(got, c.handed) {
				t.Errorf("handed out %q, want %q", got, c.handed)
			}
		})
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "outside.yaml", "a", "repo/.git/HEAD", "", "repo/a.yaml", "a")
	link(t, dir, "../outside.yaml", "repo/out.yaml", "nowhere.yaml", "repo/dangling.yaml")
	for _, c := range []struct {
		name, open, says string
		is               error
	}{
		{"nothing there", "repo/none", "no such file", fs.ErrNotExist},
		{"a dangling link", "repo/dangling.yaml", "no such file", fs.ErrNotExist},
		{"a link out of the repository", "repo/out.yaml", "name the file that it leads to", ErrLeadsOut},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Open(filepath.Join(dir, c.open))
			if !errors.Is(err, c.is) {
				t.Fatalf("got %v, want %v", err, c.is)
			}
			if !strings.Contains(err.Error(), c.says) && runtime.GOOS != "windows" {
				t.Errorf("got %q, want it to say %q", err, c.says)
			}
		})
	}
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "outside.yaml", "outside", "repo/.git/HEAD", "", "repo/a/b.yaml", "b", "repo/.gitignore", "b.yaml")
	link(t, dir, "a/b.yaml", "repo/in.yaml", "../outside.yaml", "repo/out.yaml", "..", "repo/up", "loop.yaml", "repo/loop.yaml",
		"none.yaml", "repo/dangling.yaml", filepath.Join(dir, "outside.yaml"), "repo/absolute.yaml")
	sparse(t, filepath.Join(dir, "repo/huge.yaml"), 1<<40)
	sparse(t, filepath.Join(dir, "repo/over.yaml"), MaxFile+1)
	sparse(t, filepath.Join(dir, "repo/limit.yaml"), MaxFile)
	tree := openTree(t, filepath.Join(dir, "repo"))
	for _, c := range []struct {
		name, file, want, says string
		is                     error
	}{
		{name: "a file that git ignores", file: "a/b.yaml", want: "b"},
		{name: "a link inside the root", file: "in.yaml", want: "b"},
		{name: "up and down again", file: "a/../a/b.yaml", want: "b"},
		{name: "a link out of the root", file: "out.yaml", is: ErrLeadsOut},
		{name: "an absolute link", file: "absolute.yaml", is: ErrLeadsOut},
		{name: "a folder that is a link out of the root", file: "up/outside.yaml", is: ErrLeadsOut},
		{name: "up out of the root", file: "../outside.yaml", is: ErrLeadsOut, says: "reading ../outside.yaml: leads out of the scanned folder"},
		{name: "up, out and in again", file: "../repo/a/b.yaml", is: ErrLeadsOut},
		{name: "an absolute path", file: "/etc/passwd", is: ErrLeadsOut},
		{name: "a dangling link", file: "dangling.yaml", is: fs.ErrNotExist},
		{name: "nothing there", file: "none.yaml", is: fs.ErrNotExist},
		{name: "no name", file: "", is: ErrLeadsOut},
		{name: "a folder", file: "a", is: ErrNotRegular, says: "reading a: not a regular file but a folder"},
		{name: "a link to itself", file: "loop.yaml", says: "reading loop.yaml: "},
		{name: "a NUL in the name", file: "a\x00.yaml", says: "invalid argument"},
		{name: "a huge file", file: "huge.yaml", says: "1099511627776 bytes, the limit is 67108864"},
		{name: "a byte over the limit", file: "over.yaml", says: "67108865 bytes, the limit is 67108864"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := tree.ReadFile(c.file)
			if c.is == nil && c.says == "" {
				if string(got) != c.want || err != nil {
					t.Errorf("got %q, %v", got, err)
				}
				return
			}
			if err == nil || got != nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %q, %v; want error %v, %q", got, err, c.is, c.says)
			}
			if strings.Contains(err.Error(), dir) {
				t.Errorf("%q shows where the root lies", err)
			}
		})
	}
	if got, err := tree.ReadFile("limit.yaml"); len(got) != MaxFile || err != nil {
		t.Errorf("a file at the limit: got %d bytes, %v", len(got), err)
	}
}

// sparse makes a file that takes no room on the disk.
func sparse(t *testing.T, name string, size int64) {
	t.Helper()
	write(t, filepath.Dir(name), filepath.Base(name), "")
	if err := os.Truncate(name, size); err != nil {
		t.Skipf("NOT TESTED: no sparse files here: %v", err)
	}
}

func TestStdin(t *testing.T) {
	broken := errors.New("the pipe broke")
	for _, c := range []struct {
		name string
		in   io.Reader
		want string
		says string
	}{
		{"text", strings.NewReader("kind: Pod"), "kind: Pod", ""},
		{"nothing", strings.NewReader(""), "", ""},
		{"without end", endless{}, "", "more than 67108864 bytes, the limit"},
		{"an error", io.MultiReader(strings.NewReader("kind"), iotest.ErrReader(broken)), "", "the pipe broke"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := OpenStdin(c.in)
			defer tree.Close()
			if tree.Within() != "-" {
				t.Errorf("within %q", tree.Within())
			}
			var err error
			got, _, walkErr := Collect(t.Context(), tree, Options{Exclude: []string{"*"}}, func(f File) string {
				err = f.Err
				return f.Name + " " + string(f.Content)
			})
			if !slices.Equal(got, []string{"- " + c.want}) || walkErr != nil || (err == nil) != (c.says == "") {
				t.Fatalf("got %q, %v, %v", got, err, walkErr)
			}
			content, readErr := tree.ReadFile("-")
			if string(content) != c.want {
				t.Errorf("reading it by name: got %q, %v", content, readErr)
			}
			if c.says != "" && (!strings.Contains(fmt.Sprint(err), c.says) || !strings.Contains(fmt.Sprint(readErr), c.says)) {
				t.Errorf("got %v and %v, want %q", err, readErr, c.says)
			}
			if _, err := tree.ReadFile("a.yaml"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("another file: got %v", err)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestBinary(t *testing.T) {
	text := bytes.Repeat([]byte("a"), 8<<10)
	for _, c := range []struct {
		name    string
		content []byte
		want    bool
	}{
		{"nothing", nil, false},
		{"text that is no UTF-8", []byte("caf\xe9"), false},
		{"a NUL", []byte("a\x00b"), true},
		{"a NUL as the last byte looked at", append(bytes.Clone(text[1:]), 0), true},
		{"a NUL after that", append(bytes.Clone(text), 0), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Binary(c.content); got != c.want {
				t.Errorf("got %t, want %t", got, c.want)
			}
		})
	}
}

func TestWalk(t *testing.T) {
	dir := t.TempDir()
	write(t, dir,
		"outside/a.yaml", "",
		"repo/.git/config.yaml", "", "repo/.git/info/exclude", "private.yaml\n",
		"repo/.gitignore", "generated/\n*.local.yaml\n/top.json\n",
		"repo/a.yaml", "12345", "repo/b.yml", "1", "repo/c.json", "", "repo/readme.md", "", "repo/Dockerfile", "123",
		"repo/private.yaml", "", "repo/a.local.yaml", "", "repo/top.json", "",
		"repo/x/top.json", "", "repo/x/.gitignore", "!keep.local.yaml\n/y.yaml\n", "repo/x/keep.local.yaml", "", "repo/x/y.yaml", "", "repo/x/y/y.yaml", "",
		"repo/x/generated/a.yaml", "", "repo/vendor/a.yaml", "", "repo/x/node_modules/a.yaml", "", "repo/x/.hidden/a.yaml", "",
		"repo/excluded/a.yaml", "", "repo/x/a.test.yaml", "", "repo/file/vendor", "", "repo/.yaml", "",
	)
	link(t, dir, "a.yaml", "repo/linked.yaml", "../outside", "repo/out", "..", "repo/x/loop", "../../outside/a.yaml", "repo/x/out.yaml")
	tree := openTree(t, filepath.Join(dir, "repo"))
	got, stats, err := Collect(t.Context(), tree, Options{Names: []string{"dockerfile"}, Exclude: []string{"/excluded/", "*.test.yaml"}}, func(f File) string {
		if f.Err != nil {
			t.Errorf("%s: %v", f.Name, f.Err)
		}
		return f.Name
	})
	want := []string{".yaml", "Dockerfile", "a.yaml", "b.yml", "c.json", "x/.hidden/a.yaml", "x/keep.local.yaml", "x/top.json", "x/y/y.yaml"}
	if !slices.Equal(got, want) || err != nil {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	// .git, vendor, x/node_modules, x/generated, excluded; private, a.local, top.json, x/y.yaml, x/a.test; two links.
	if (stats != Stats{Files: 9, Bytes: 9, Skipped: 12}) {
		t.Errorf("got %+v", stats)
	}
}

func TestWalkHandsOutErrors(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", "a", ".gitignore", strings.Repeat("a.yaml\n", 1+maxIgnore/7))
	sparse(t, filepath.Join(dir, "huge.yaml"), MaxFile+1)
	got, _, err := Collect(t.Context(), openTree(t, dir), Options{}, func(f File) string {
		return fmt.Sprintf("%s %s %v", f.Name, f.Content, f.Err)
	})
	want := []string{
		".gitignore  262150 bytes, the limit is 262144", // and so a.yaml is not ignored
		"a.yaml a <nil>",
		"huge.yaml  67108865 bytes, the limit is 67108864",
	}
	if !slices.Equal(got, want) || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWalkFollowsNoLinkToRules(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", "", "rules", "*")
	link(t, dir, "rules", ".gitignore")
	if got := names(t, openTree(t, dir), Options{}); !slices.Equal(got, []string{"a.yaml"}) {
		t.Errorf("got %q", got)
	}
}

func TestWalkRefusesABadPattern(t *testing.T) {
	called := false
	_, err := openTree(t, t.TempDir()).Walk(t.Context(), Options{Exclude: []string{"a[.yaml"}}, func(File) error {
		called = true
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), `exclude pattern "a[.yaml"`) || called {
		t.Errorf("got %v", err)
	}
}

func TestOrderAndContentDoNotDependOnTiming(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for i := range 300 {
		name := fmt.Sprintf("%d/%d/%d.yaml", i%3, i%7, i)
		write(t, dir, name, strings.Repeat(name, 1+i*7%50))
		want = append(want, name+" "+strings.Repeat(name, 1+i*7%50))
	}
	slices.Sort(want)
	for _, procs := range []int{1, 8, 8, 8} {
		t.Run(fmt.Sprintf("%d at a time", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			got, stats, err := Collect(t.Context(), openTree(t, dir), Options{}, func(f File) string {
				first := string(f.Content)
				runtime.Gosched()
				if first != string(f.Content) {
					t.Errorf("%s changed during the call", f.Name)
				}
				return f.Name + " " + first
			})
			if !slices.Equal(got, want) || err != nil || stats.Files != 300 {
				t.Errorf("got %d results, %+v, %v", len(got), stats, err)
			}
		})
	}
}

func TestOneFolderIsSharedOut(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	dir := t.TempDir()
	for i := range 2 * batchSize {
		write(t, dir, fmt.Sprintf("%d.yaml", i), "")
	}
	// Each call waits for one that runs at the same time.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	met := make(chan bool)
	_, err := openTree(t, dir).Walk(ctx, Options{}, func(f File) error {
		select {
		case met <- true:
		case <-met:
		case <-ctx.Done():
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWalkStops(t *testing.T) {
	dir := generate(t, 2000)
	enough := errors.New("enough")
	for _, c := range []struct {
		name string
		want error
		stop func(context.CancelFunc) error
	}{
		{"when the context ends", context.Canceled, func(cancel context.CancelFunc) error { cancel(); return nil }},
		{"when visit says so", enough, func(context.CancelFunc) error { return enough }},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			stats, err := openTree(t, dir).Walk(ctx, Options{}, func(File) error { return c.stop(cancel) })
			if !errors.Is(err, c.want) || stats.Files > runtime.GOMAXPROCS(0) {
				t.Errorf("got %v after %d files", err, stats.Files)
			}
		})
	}
	t.Run("with what was collected until then", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		results, _, err := Collect(ctx, openTree(t, dir), Options{}, func(File) int { cancel(); return 1 })
		if !errors.Is(err, context.Canceled) || len(results) == 0 || len(results) > runtime.GOMAXPROCS(0) {
			t.Errorf("got %d results, %v", len(results), err)
		}
	})
	t.Run("before it starts", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, tree := range []*Tree{openTree(t, dir), OpenStdin(strings.NewReader("a"))} {
			if stats, err := tree.Walk(ctx, Options{}, func(File) error { return nil }); !errors.Is(err, context.Canceled) || stats.Files > 0 {
				t.Errorf("got %v, %+v", err, stats)
			}
		}
	})
}

// TestMemoryIsFlat reads 400 MB and looks at what lives on the heap meanwhile.
func TestMemoryIsFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT TESTED: reads 400 MB")
	}
	dir := t.TempDir()
	for i := range 200 {
		sparse(t, filepath.Join(dir, fmt.Sprintf("%d.yaml", i)), 2<<20)
	}
	tree := openTree(t, dir)
	most := make(chan uint64, 200)
	stats, err := tree.Walk(t.Context(), Options{}, func(f File) error {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most <- m.HeapAlloc
		return f.Err
	})
	if err != nil || stats.Bytes != 400<<20 {
		t.Fatal(stats, err)
	}
	close(most)
	for live := range most {
		if limit := uint64(16<<20 + runtime.GOMAXPROCS(0)*4<<20); live > limit {
			t.Fatalf("%d bytes live, want under %d", live, limit)
		}
	}
}
