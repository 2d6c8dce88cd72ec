package root

import (
	"archive/tar"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// image writes what an image may hold, next to a file of the examiner's that nothing may lead to.
func image(t *testing.T) (dir string) {
	t.Helper()
	top := t.TempDir()
	dir = filepath.Join(top, "image")
	write := func(name, text string) {
		t.Helper()
		at := filepath.Join(top, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	write("secret", "the examiner's own")
	write("image/usr/share/zone", "UTC")
	write("image/usr/lib/a.conf", "a")
	write("image/usr/lib/b.conf", "b")
	write("image/Windows/System32/Config/SYSTEM", "hive")
	if err := os.Mkdir(filepath.Join(dir, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	link("usr/lib", "lib")
	link("/usr/share/zone", "etc/localtime")
	link("../../../../usr/share/zone", "etc/above")
	link(filepath.Join(top, "secret"), "etc/absolute")
	link("../../secret", "etc/relative")
	link("/../secret", "etc/dots")
	link("/etc/circle-b", "etc/circle-a")
	link("circle-a", "etc/circle-b")
	link("../lib/a.conf", "etc/through")
	link("nowhere", "etc/dangling")
	return dir
}

// packed returns a folder as a tar.
func packed(t *testing.T, dir string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "image.tar")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(f)
	if err := errors.Join(w.AddFS(linked{os.DirFS(dir), dir}), w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return name
}

// linked is a file system whose links can be read: AddFS asks for them.
type linked struct {
	fs.FS
	dir string
}

func (l linked) ReadLink(name string) (string, error) { return os.Readlink(filepath.Join(l.dir, name)) }

func (l linked) Lstat(name string) (fs.FileInfo, error) {
	return os.Lstat(filepath.Join(l.dir, name))
}

func opened(t *testing.T, name string) *Root {
	t.Helper()
	r, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestLinksAreResolvedInsideTheRoot(t *testing.T) {
	dir := image(t)
	for kind, r := range map[string]*Root{"folder": opened(t, dir), "tar": opened(t, packed(t, dir))} {
		t.Run(kind, func(t *testing.T) {
			for name, want := range map[string]string{
				"etc/localtime": "UTC", "/etc/above": "UTC", "etc/through": "a", "lib/b.conf": "b", "etc/../usr/./lib//a.conf": "a", "../../usr/lib/a.conf": "a",
			} {
				if got, err := r.ReadFile(name); err != nil || string(got) != want {
					t.Errorf("%s: %q, %v", name, got, err)
				}
			}
			for name, want := range map[string]error{
				"etc/absolute": fs.ErrNotExist, "etc/relative": fs.ErrNotExist, "etc/dots": fs.ErrNotExist, "../secret": fs.ErrNotExist,
				"etc/dangling": fs.ErrNotExist, "etc/circle-a": ErrLinks, "usr/lib": ErrNotRegular, "etc/localtime/x": fs.ErrNotExist, "a\x00b": fs.ErrInvalid,
			} {
				_, err := r.ReadFile(name)
				var at *fs.PathError
				if !errors.Is(err, want) || !errors.As(err, &at) || at.Path != name {
					t.Errorf("%s: %v, want %v", name, err, want)
				}
			}
			if got, err := r.Glob("lib/*.conf"); fmt.Sprint(got) != "[lib/a.conf lib/b.conf]" || err != nil {
				t.Errorf("Glob: %q, %v", got, err)
			}
			if got, err := r.Glob("*/circle-a"); fmt.Sprint(got) != "[etc/circle-a]" || err != nil {
				t.Errorf("Glob of a circle: %q, %v", got, err)
			}
			if got, err := r.Glob("etc/circle-*/x"); len(got) != 0 || !errors.Is(err, ErrLinks) {
				t.Errorf("Glob within a circle: %q, %v", got, err)
			}
			if got, err := r.Glob("opt/*/x"); len(got) != 0 || err != nil {
				t.Errorf("Glob of a folder that is not there: %q, %v", got, err)
			}
			if got, err := r.Readlink("etc/localtime"); got != "/usr/share/zone" || err != nil {
				t.Errorf("Readlink: %q, %v", got, err)
			}
			if got, err := r.Resolve("etc/through"); got != "usr/lib/a.conf" || err != nil {
				t.Errorf("Resolve: %q, %v", got, err)
			}
			if _, err := r.ReadFile("windows/system32/config/system"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("case made no difference: %v", err)
			}
			if got, err := r.Fold().ReadFile("windows/system32/CONFIG/system"); string(got) != "hive" || err != nil {
				t.Errorf("folded: %q, %v", got, err)
			}
			if got, err := r.Tail("usr/share/zone", 2); string(got) != "TC" || err != nil {
				t.Errorf("Tail: %q, %v", got, err)
			}
			if got, err := r.Head("usr/share/zone", 2); string(got) != "UT" || err != nil {
				t.Errorf("Head: %q, %v", got, err)
			}
		})
	}
}

func TestALargeFileIsReadInPiecesAlone(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("end"), 2<<30); err != nil {
		t.Skip("the file system has no sparse files:", err)
	}
	f.Close()
	r := opened(t, dir)
	if _, err := r.ReadFile("log"); !errors.Is(err, ErrTooLarge) {
		t.Errorf("read as a whole: %v", err)
	}
	if got, err := r.Tail("log", 3); string(got) != "end" || err != nil {
		t.Errorf("Tail: %q, %v", got, err)
	}
}

func TestAFolderOfTooManyNamesIsNotListed(t *testing.T) {
	dir := t.TempDir()
	for i := range MaxEntries + 1 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := opened(t, dir).ReadDir("."); !errors.Is(err, ErrTooMany) {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNeitherAFolderNorATarIsRefused(t *testing.T) {
	name := filepath.Join(t.TempDir(), "disk.raw")
	if err := os.WriteFile(name, []byte(strings.Repeat("\x00\x01", 4096)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(name); err == nil || !strings.Contains(err.Error(), "mount the image") {
		t.Errorf("got %v", err)
	}
}

func TestOneFolderThatCannotBeListedHidesNoOther(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"home/a/x/conf", "home/c/x/conf"} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755), os.WriteFile(filepath.Join(dir, name), nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	many := filepath.Join(dir, "home/b/x")
	if err := os.MkdirAll(many, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range MaxEntries + 1 {
		if err := os.WriteFile(filepath.Join(many, fmt.Sprint(i)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := opened(t, dir).Glob("home/*/x/con*")
	if fmt.Sprint(got) != "[home/a/x/conf home/c/x/conf]" || !errors.Is(err, ErrTooMany) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestATarMayNotGrowInMemory(t *testing.T) {
	name := filepath.Join(t.TempDir(), "image.tar")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(f)
	for i := range 40 { // names of half a million folders each
		h := &tar.Header{Typeflag: tar.TypeReg, Name: fmt.Sprint(i) + strings.Repeat("/a", 500_000), Format: tar.FormatPAX}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	for _, uid := range []int{0, 7, -1, 1 << 32} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: fmt.Sprint("etc/of", uid), Uid: uid, Format: tar.FormatGNU}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	var start, end runtime.MemStats
	runtime.ReadMemStats(&start)
	r := opened(t, name)
	runtime.ReadMemStats(&end)
	if heap := (end.TotalAlloc - start.TotalAlloc) >> 20; heap > 400 {
		t.Errorf("%d MB were allocated", heap)
	}
	if list, err := r.ReadDir("."); len(list) != 1 || err != nil {
		t.Errorf("it holds %v, %v", list, err)
	}
	for name, want := range map[string]bool{"etc/of0": true, "etc/of7": false, "etc/of-1": false, "etc/of4294967296": false} {
		info, err := r.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if uid, known := Owner(info); !known || (uid == 0) != want {
			t.Errorf("%s belongs to %d", name, uid)
		}
	}
}

func TestASecondNameOfWhatTheTarLeavesOutIsThere(t *testing.T) {
	at := filepath.Join(t.TempDir(), "image.tar")
	f, err := os.Create(at)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(f)
	if err := errors.Join(w.WriteHeader(&tar.Header{Typeflag: tar.TypeLink, Name: "etc/chrony.conf", Linkname: "ostree/1.file", Mode: 0o644}), w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	r, err := Open(at)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.ReadFile("etc/chrony.conf"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
