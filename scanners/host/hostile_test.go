//go:build linux

package host_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"lookback/checks"
	"lookback/checks/all"
	"lookback/evidence"
	"lookback/report"
	"lookback/report/text"
	"lookback/scanners/host/hosttest"
)

// canary stands in a file of the examiner's, outside of every image.
const canary = "hunter2-canary"

// groups are the files of [image] that are put out of order at once. Those of the second name those of the first, or say
// whether they count: where they cannot be read, the others are not asked for.
func groups() map[string][]string {
	first := []string{"var/log/wtmp", "var/log/btmp", "var/log/journal/" + machineID + "/system.journal"}
	var second []string
	for name, content := range image() {
		switch {
		case strings.HasPrefix(content, "-> "), strings.HasSuffix(name, "/"), content == "":
		case strings.HasPrefix(name, "var/lib/docker/containers/") && !slices.Contains(odd, name):
		case name == "etc/hostname", name == "etc/machine-id":
		case path.Ext(name) == ".service", name == "etc/logrotate.conf", name == "etc/rsyslog.conf", name == "etc/audit/auditd.conf":
			second = append(second, name)
		default:
			first = append(first, name)
		}
	}
	slices.Sort(first)
	slices.Sort(second)
	return map[string][]string{"leaves": first, "roots": second}
}

// odd are files of three containers, of which there are four.
var odd = []string{
	container('a') + "config.v2.json", container('b') + "hostconfig.json", container('c') + strings.Repeat("c", 64) + "-json.log",
}

// A trick puts something into the place of a file.
type trick struct {
	name string
	do   func(t *testing.T, outside, at string) error
	// opaque says that nothing can be read then, so that each file is to be named.
	opaque bool
	// heap is how many bytes the scan may allocate in all; 0 is 64 MB.
	heap uint64
}

func write(content string) func(*testing.T, string, string) error {
	return func(_ *testing.T, _, at string) error { return os.WriteFile(at, []byte(content), 0o644) }
}

func link(to func(outside, at string) string) func(*testing.T, string, string) error {
	return func(_ *testing.T, outside, at string) error { return os.Symlink(to(outside, at), at) }
}

// aliases is YAML that would be as many as 10^9 values.
func aliases() string {
	var b strings.Builder
	b.WriteString("a: &a [x, x, x, x, x, x, x, x, x, x]\n")
	for c := 'b'; c < 'k'; c++ {
		fmt.Fprintf(&b, "%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", c-1), 10), ", "))
	}
	return b.String()
}

func tricks() []trick {
	bomb := strings.Repeat(gz(strings.Repeat("\x00", 1<<20)), 256)
	return []trick{
		{name: "absolute link out", do: link(func(outside, _ string) string { return outside })},
		{name: "relative link out", do: link(func(outside, at string) string {
			rel, _ := filepath.Rel(filepath.Dir(at), outside)
			return rel
		})},
		{name: "link through proc", do: link(func(outside, _ string) string { return "/proc/self/root" + outside })},
		{name: "link far up", do: link(func(outside, _ string) string { return strings.Repeat("../", 60) + outside[1:] })},
		{name: "circle", do: link(func(_, at string) string { return filepath.Base(at) }), opaque: true},
		{name: "pipe", do: func(_ *testing.T, _, at string) error { return syscall.Mkfifo(at, 0o644) }, opaque: true},
		{name: "device", do: func(t *testing.T, _, at string) error {
			if os.Getuid() != 0 {
				t.Skip("SKIPPED: only root can make a device; run the tests as root")
			}
			return syscall.Mknod(at, syscall.S_IFCHR|0o644, 1<<8|5) // /dev/zero, which never ends
		}, opaque: true},
		{name: "folder", do: func(_ *testing.T, _, at string) error { return os.Mkdir(at, 0o755) }, opaque: true},
		{name: "denied", do: func(t *testing.T, _, at string) error {
			if os.Getuid() == 0 {
				t.Skip("SKIPPED: root reads everything; run the tests as another user")
			}
			return os.WriteFile(at, []byte("x"), 0)
		}, opaque: true},
		{name: "2 GB of holes", do: func(_ *testing.T, _, at string) error {
			return errors.Join(os.WriteFile(at, nil, 0o644), os.Truncate(at, 2<<30))
		}},
		{name: "escape codes", do: write("\x1b[2J\x1b]0;owned\x07\u202e\u200f server \x9b31m = \x1b[31m\n\"\x1b[1m\": \x1b\n")},
		{name: "not UTF-8", do: write("\xff\xfe\x00\xd8\xc0\x80 [\xff] = \xff\n")},
		{name: "aliases", do: write(aliases())},
		{name: "deep YAML", do: write(strings.Repeat("[", 1<<18)), heap: 300 << 20},
		{name: "deep maps", do: write(strings.Repeat("{a: ", 1<<17)), heap: 300 << 20},
		{name: "deep JSON", do: write(strings.Repeat(`{"a":[`, 1<<17)), heap: 300 << 20},
		{name: "deep XML", do: write("<Sysmon>" + strings.Repeat("<a>", 1<<17)), heap: 300 << 20},
		{name: "entities", do: write("<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>\n<Sysmon>&b;</Sysmon>\n")},
		{name: "one long line", do: write(strings.Repeat("x", 1<<20)), heap: 300 << 20},
		{name: "many lines", do: write(strings.Repeat("a = b\n", 1<<17)), heap: 300 << 20},
		{name: "gzip", do: write(bomb)},
		{name: "nothing", do: write("")},
	}
}

func TestHostileFiles(t *testing.T) {
	for group, names := range groups() {
		for _, tr := range tricks() {
			t.Run(tr.name+"/"+group, func(t *testing.T) {
				top := t.TempDir()
				outside := filepath.Join(top, "shadow")
				secret := fmt.Sprintf("server %s.example.net\nlog_file = /%[1]s\n[Journal]\nSystemMaxUse=%[1]s\n*.* @@%[1]s.example.net\n# {\"log-driver\": \"%[1]s\"}\n", canary)
				dir := filepath.Join(top, "image")
				if err := errors.Join(os.WriteFile(outside, []byte(secret), 0o644), os.Rename(hosttest.Folder(t, image()), dir)); err != nil {
					t.Fatal(err)
				}
				for _, name := range names {
					at := filepath.Join(dir, name)
					if err := errors.Join(os.RemoveAll(at), tr.do(t, outside, at)); err != nil {
						t.Fatal(err)
					}
				}
				survives(t, tr, names, dir)
				if tr.name != "denied" && group == "leaves" {
					survives(t, tr, names, hosttest.Pack(t, dir))
				}
			})
		}
	}
}

// survives scans an image and says what should not have come of it.
func survives(t *testing.T, tr trick, names []string, at string) {
	t.Helper()
	before := fingerprint(t, at)
	var start, end runtime.MemStats
	runtime.ReadMemStats(&start)
	set := scan(t, at)
	runtime.ReadMemStats(&end)
	if heap, most := end.TotalAlloc-start.TotalAlloc, max(tr.heap, 64<<20); heap > most {
		t.Errorf("%s: %d MB were allocated, more than %d", at, heap>>20, most>>20)
	}
	if after := fingerprint(t, at); after != before {
		t.Errorf("the scan changed the image:\n%s\n%s", before, after)
	}
	saved := written(t, set)
	if strings.Contains(saved, canary) {
		t.Errorf("what lies outside of the image was read:\n%s", saved)
	}
	again, err := evidence.Read(strings.NewReader(saved))
	if err != nil {
		t.Fatal(err)
	}
	if shown(t, set) != shown(t, again) {
		t.Error("judged again it is not the same")
	}
	for _, name := range names {
		if !tr.opaque || passedOver(tr.name, name) {
			continue
		}
		named := 0
		for _, g := range set.Gaps {
			if g.At.File == name {
				named++
			}
		}
		// A log that cannot be read is what is not known of the store.
		cited := regexp.MustCompile(`"unknown":"(failed|denied)","at":{"file":"` + regexp.QuoteMeta(name)).MatchString(saved)
		if named > 1 || named == 0 && !(cited && (path.Ext(name) == ".log" || strings.HasPrefix(name, "var/log/"))) {
			t.Errorf("%s: %s is named in %d gaps", filepath.Base(at), name, named)
		}
	}
	if !slices.ContainsFunc(set.Records, func(r evidence.Record) bool { return r.Self().ID == "host:web-1//docker/containers/db/stdout" }) {
		t.Error("the container that is in order was not read")
	}
	if t.Failed() {
		t.Logf("gaps:\n%s", strings.Join(asked(set), "\n"))
	}
}

// passedOver reports whether nothing has to be said of a file. Of a log with those that it was rotated into, the first that
// cannot be read is named; a pipe holds no records. The programs themselves take no notice of what is no file: logrotate and
// rsyslog in their folders, the kubelet and cron of folders; that of Fluent Bit may be one.
func passedOver(trick, name string) bool {
	strange := trick == "pipe" || trick == "device" || trick == "folder"
	switch path.Dir(name) {
	case "etc/logrotate.d", "etc/rsyslog.d":
		return strange
	case "etc/kubernetes/manifests", "etc", "etc/fluent-bit":
		return trick == "folder"
	case "var/log/journal/" + machineID:
		return strange || trick == "circle"
	case "var/log/pods/default_web-n1_1/web":
		return true
	}
	rotated := name == "var/log/syslog.1" || path.Ext(name) == ".gz"
	return rotated || strange && (strings.HasPrefix(name, "var/log/") || path.Ext(name) == ".log")
}

// shown renders a report as a terminal has it, in which nothing of a stranger's may do anything but be read.
func shown(t *testing.T, set *evidence.Set) string {
	t.Helper()
	var b bytes.Buffer
	if err := text.Render(&b, report.New(set, report.Options{Checks: all.All(), Policy: checks.DefaultPolicy(), Verbose: true})); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.String() {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			t.Errorf("the report holds %q", r)
			break
		}
	}
	return b.String()
}

// fingerprint is what reading could change of an image: all that is there, when it was changed and when last read.
func fingerprint(t *testing.T, path string) string {
	t.Helper()
	sum := sha256.New()
	err := filepath.WalkDir(path, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st syscall.Stat_t
		if err := syscall.Lstat(name, &st); err != nil {
			return err
		}
		switch {
		case !e.Type().IsRegular(): // to walk here, and to see where a link leads, is to read it
			st.Atim = syscall.Timespec{}
		case st.Size < 16<<20 && st.Mode&0o400 != 0:
			f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOATIME, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			if _, err := io.Copy(sum, f); err != nil {
				return err
			}
		}
		fmt.Fprintln(sum, name, st.Ino, st.Mode, st.Uid, st.Gid, st.Size, st.Mtim, st.Ctim, st.Atim)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}
