package journald

import (
	"compress/gzip"
	"context"
	"encoding/binary"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"lookback/evidence"
	"lookback/scanners/host/hosttest"
	"lookback/scanners/host/scope"
)

const id = "3d1219c7c4c5404aaa1f6d2a48adfda4"

// real returns a journal file that systemd wrote.
func real(t testing.TB) string {
	t.Helper()
	f, err := os.Open("testdata/system.journal.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// patched returns a journal file in whose header a number is another one.
func patched(file string, at int, n uint64) string {
	data := []byte(file)
	binary.LittleEndian.PutUint64(data[at:], n)
	return string(data)
}

func stock(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/debian12.conf")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// debian is a host with Debian's own configuration.
func debian(t *testing.T, more map[string]string) map[string]string {
	files := map[string]string{
		"usr/lib/systemd/systemd": "", "usr/lib/systemd/systemd-journald": "", "usr/sbin/init": "-> ../lib/systemd/systemd",
		"usr/lib/systemd/system/systemd-journald.service": "[Service]\nExecStart=/usr/lib/systemd/systemd-journald\n",
		"etc/systemd/journald.conf":                       stock(t),
		"etc/machine-id":                                  id + "\n",
	}
	for name, text := range more {
		if files[name] = text; text == "-" {
			delete(files, name)
		}
	}
	return files
}

func with(conf string, more ...string) map[string]string {
	files := map[string]string{"etc/systemd/journald.conf.d/50-x.conf": "[Journal]\n" + conf}
	for i := 0; i < len(more); i += 2 {
		files[more[i]] = more[i+1]
	}
	return files
}

// say is a fact in one word.
func say[T any](v evidence.Value[T]) string {
	got, _ := v.Get()
	if at, ok := any(got).(time.Time); ok && !at.IsZero() {
		return at.Format(time.RFC3339)
	}
	return hosttest.Say(v)
}

// facts are what the records say of the journal, a word each.
func facts(set *evidence.Set) map[string]string {
	out := map[string]string{}
	for _, r := range set.Records {
		switch r := r.(type) {
		case *evidence.LogStore:
			out["memory"], out["kept"], out["bytes"] = say(r.Memory), say(r.Kept), say(r.Bytes)
			out["oldest"], out["newest"], out["dropped"] = say(r.Oldest), say(r.Newest), say(r.Dropped)
			out["complete"] = say(r.Complete)
			for _, d := range r.To {
				out["to"] += string(d.To) + " " + say(d.Extent)
			}
			out["seen"] = r.Oldest.At().Note
		case *evidence.LogSource:
			out["enabled"] = say(r.Enabled)
			for _, d := range r.To {
				out["lossless"], out["sealed"], out["whole"], out["extent"] = say(d.Lossless), say(d.Validated), say(d.Whole), say(d.Extent)
			}
		}
	}
	return out
}

func TestWhatTheJournalKeeps(t *testing.T) {
	file := real(t)
	dir := "var/log/journal/" + id + "/"
	for name, c := range map[string]struct {
		files map[string]string
		want  string // word=value, separated by semicolons
	}{
		"Debian's own, in memory":                {nil, "memory=true; kept=0; bytes=4294967296; oldest=elsewhere; dropped=elsewhere; enabled=true; lossless=false; sealed=false; extent={all }; whole=unasked; complete=true"},
		"the folder makes it lasting":            {map[string]string{dir: ""}, "memory=false; oldest=elsewhere; enabled=true"},
		"with records":                           {map[string]string{dir + "system.journal": file}, "memory=false; oldest=2026-05-20T08:00:00Z; newest=2026-05-28T12:00:00Z; dropped=false; seen=8 days in 8MiB"},
		"with records thrown away":               {map[string]string{dir + "system.journal": patched(patched(file, 168, 1000), 160, 1049)}, "dropped=true; oldest=2026-05-20T08:00:00Z"},
		"in several files":                       {map[string]string{dir + "system.journal": patched(patched(file, 168, 51), 160, 100), dir + "system@1.journal": patched(file, 184, 1778000000000000)}, "dropped=false; oldest=2026-05-05T16:53:20Z; newest=2026-05-28T12:00:00Z"},
		"of another machine beside":              {map[string]string{dir + "system.journal": file, "var/log/journal/0123456789abcdef0123456789abcdef/system.journal": patched(file, 184, 1778000000000000)}, "oldest=2026-05-20T08:00:00Z"},
		"without an ID of the machine":           {map[string]string{dir + "system.journal": file, "etc/machine-id": "uninitialized\n"}, "oldest=2026-05-20T08:00:00Z"},
		"an empty file":                          {map[string]string{dir + "system.journal": patched(file, 152, 0)}, "oldest=elsewhere; dropped=elsewhere"},
		"a damaged file":                         {map[string]string{dir + "system.journal": file[:5000]}, "oldest=failed; newest=failed; dropped=failed"},
		"a damaged file beside":                  {map[string]string{dir + "system.journal": file, dir + "user-1000.journal": "LPKSHHRH"}, "oldest=2026-05-20T08:00:00Z"},
		"a file that is none":                    {map[string]string{dir + "x.journal": strings.Repeat("x", 500), dir + "notes.txt": "x"}, "oldest=failed"},
		"Storage=persistent":                     {with("Storage=persistent"), "memory=false"},
		"Storage=volatile":                       {with("Storage=volatile", dir+"system.journal", file), "memory=true; oldest=elsewhere"},
		"Storage=none":                           {with("Storage=none"), "enabled=false; extent={none Storage=none}"},
		"limits":                                 {with("SystemMaxUse=20G\nMaxRetentionSec=1year\nRateLimitIntervalSec=0", dir, ""), "bytes=21474836480; kept=0; lossless=true"},
		"limits in memory":                       {with("SystemMaxUse=20G\nRuntimeMaxUse=50M\nRateLimitBurst=0\nMaxRetentionSec=90day"), "bytes=52428800; kept=0; lossless=true"},
		"limits that are none":                   {with("SystemMaxUse=lots\nMaxRetentionSec=soon\nRateLimitIntervalSec=often", dir, ""), "bytes=4294967296; kept=0; lossless=false"},
		"a level":                                {with("MaxLevelStore=warning"), "extent={some nothing below the level warning}"},
		"sealed":                                 {with("Seal=yes", dir+"fss", "key"), "sealed=true"},
		"with a key and without seals":           {with("Seal=no", dir+"fss", "key"), "sealed=false"},
		"a drop-in of the vendor that is hidden": {with("", "usr/lib/systemd/journald.conf.d/60-v.conf", "[Journal]\nStorage=persistent\n", "etc/systemd/journald.conf.d/60-v.conf", "-> /dev/null"), "memory=true"},
		"drop-ins in order of name, whatever their folder": {with("", "usr/lib/systemd/journald.conf.d/60-v.conf", "[Journal]\nStorage=persistent\n", "etc/systemd/journald.conf.d/10-a.conf", "[Journal]\nStorage=volatile\n"), "memory=false"},
		"a setting that is taken back":                     {with("Storage=persistent\nStorage=\n"), "memory=true"},
		"another section":                                  {with("[Other]\nStorage=persistent\n"), "memory=true"},
		"the vendor's main file":                           {map[string]string{"etc/systemd/journald.conf": "-", "usr/lib/systemd/journald.conf": "[Journal]\nStorage=\\\n persistent\n"}, "memory=false"},
		"masked":                                           {map[string]string{"etc/systemd/system/systemd-journald.service": "-> /dev/null"}, "enabled=false"},
		"a condition keeps it from starting":               {map[string]string{"etc/systemd/system/systemd-journald.service.d/x.conf": "[Unit]\nConditionPathExists=/nonexist\n", "usr/lib/systemd/system/systemd-journald.service": "[Service]\n"}, "enabled=false"},
		"another init":                                     {map[string]string{"usr/sbin/init": "-> ../bin/sysvinit", "usr/bin/sysvinit": ""}, "enabled=false"},
		"no init, and records":                             {map[string]string{"usr/sbin/init": "-", dir + "system.journal": file}, "enabled=true"},
		"no init":                                          {map[string]string{"usr/sbin/init": "-"}, "enabled=elsewhere"},
		"a configuration that cannot be read":              {map[string]string{"etc/systemd/journald.conf": "-", "etc/systemd/journald.conf/x": "", "etc/systemd/journald.conf.d/a.conf": strings.Repeat("#", 5<<20)}, "memory=failed; kept=failed; bytes=failed; lossless=failed; sealed=failed; extent=failed; complete=failed"},
		"taken away": {
			with("", "etc/systemd/journal-upload.conf", "[Upload]\nURL=https://bob:secret@logs.example.net\n", "usr/lib/systemd/system/systemd-journal-upload.service", "[Install]\nWantedBy=multi-user.target\n",
				"etc/systemd/system/multi-user.target.wants/systemd-journal-upload.service", "-> /usr/lib/systemd/system/systemd-journal-upload.service", "usr/lib/systemd/system/multi-user.target", "", "usr/lib/systemd/system/default.target", "-> multi-user.target"),
			"to=journal-upload:logs.example.net:19532// {all }",
		},
		"taken away by a service that is off": {with("", "etc/systemd/journal-upload.conf", "[Upload]\nURL=logs.example.net:1\n", "usr/lib/systemd/system/systemd-journal-upload.service", "[Install]\nWantedBy=multi-user.target\n"), "to="},
		"taken away by a socket":              {with("ForwardToSocket=192.0.2.1:514"), "to=journald:192.0.2.1:514// {all }"},
	} {
		t.Run(name, func(t *testing.T) {
			set := hosttest.Scan(t, debian(t, c.files), Read)
			got := facts(set)
			for want := range strings.SplitSeq(c.want, "; ") {
				key, value, _ := strings.Cut(want, "=")
				if got[key] != value {
					t.Errorf("%s is %q, want %q", key, got[key], value)
				}
			}
			if broken := strings.Contains(c.want, "failed") || strings.Contains(name, "damaged"); broken != (len(set.Gaps) > 0) {
				t.Errorf("the gaps are %v", set.Gaps)
			}
		})
	}
}

func TestAHostWithoutSystemdHasNoJournal(t *testing.T) {
	set := hosttest.Scan(t, map[string]string{"etc/hostname": "web-1"}, Read, func(_ context.Context, s *scope.Scope) {
		if Deliveries(s) != nil {
			t.Error("something is delivered to a journal that is not there")
		}
		if on, known := Enabled(s).Get(); on || !known {
			t.Errorf("enabled is %v", Enabled(s))
		}
	})
	if len(set.Records) != 1 || len(set.Gaps) > 0 {
		t.Errorf("got %v", set.Records)
	}
}

func TestWhoForwardsToSyslog(t *testing.T) {
	for conf, want := range map[string]string{
		stock(t):                           "true", // Debian's remark
		"[Journal]\n#ForwardToSyslog=no\n": "false",
		"[Journal]\nForwardToSyslog=no\n":  "false",
		"[Journal]\nForwardToSyslog=yes\n": "true",
		"[Journal]\n":                      "elsewhere",
		"[Journal]\n#ForwardToSyslog=yes\nMaxLevelSyslog=err\n": "unfamiliar",
	} {
		hosttest.Scan(t, debian(t, map[string]string{"etc/systemd/journald.conf": conf}), func(_ context.Context, s *scope.Scope) {
			if got := say(ForwardsToSyslog(s)); got != want {
				t.Errorf("%q: %s, want %s", conf, got, want)
			}
		})
	}
}

func TestARunningMachineTellsItself(t *testing.T) {
	file := real(t)
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"running, in memory": {map[string]string{"sys/fs/cgroup/system.slice/systemd-journald.service/cgroup.procs": "212\n", "run/log/journal/" + id + "/system.journal": file, "run/systemd/system/": ""}, "true 2026-05-20T08:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			set := hosttest.Run(t, hosttest.Image(t, debian(t, c.files)), func(s *scope.Scope) { s.Live = true }, Read)
			if got := facts(set); got["enabled"]+" "+got["oldest"] != c.want {
				t.Errorf("got %s %s", got["enabled"], got["oldest"])
			}
		})
	}
}

func TestAFolderThatCannotBeLookedIntoIsNotTheDefaults(t *testing.T) {
	root := hosttest.Image(t, debian(t, map[string]string{"etc/": "", "etc/systemd/journald.conf": "-", "etc/machine-id": "-", "usr/lib/systemd/journald.conf": "[Journal]\n#ForwardToSyslog=no\n"}))
	set := hosttest.Run(t, root.Without([]string{"/etc"}), nil, Read, func(_ context.Context, s *scope.Scope) {
		if to := ForwardsToSyslog(s); !to.IsUnknown() {
			t.Errorf("forwards %v", to)
		}
	})
	for _, line := range hosttest.Judge(set) {
		if !strings.HasPrefix(line, "not-assessed") {
			t.Error(line)
		}
	}
}

func TestVerdicts(t *testing.T) {
	got := hosttest.Judge(hosttest.Scan(t, debian(t, nil), Read, look))
	for _, want := range []string{
		"fail arriving-lossless host:web-1//journald#login",
		"fail retained-long-enough host:web-1//journal",
	} {
		if !slices.ContainsFunc(got, func(line string) bool { return strings.HasPrefix(line, want) }) {
			t.Errorf("no verdict %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
}

func look(_ context.Context, s *scope.Scope) {
	s.Look(evidence.System, evidence.Known(true, evidence.Origin{}))
	s.Look(evidence.Login, evidence.Known(true, evidence.Origin{}))
}

func TestSizesAndSpans(t *testing.T) {
	for text, want := range map[string]int64{"1": 1, "512M": 512 << 20, "1.5G": 3 << 29, "10K": 10 << 10, "2 T": 2 << 40, "1E": 1 << 60, "5B": 5, "": -1, "10%": -1, "1Z": -1, "-1": -1, "99E": -1, "KM": -1, "1KM": -1} {
		if got, err := size(text); got != max(want, 0) || (err != nil) != (want < 0) {
			t.Errorf("%q is %d, %v", text, got, err)
		}
	}
	for text, want := range map[string]time.Duration{"30": 30 * time.Second, "1month": 2629800 * time.Second, "1year 2weeks": (31557600 + 1209600) * time.Second, "2d12h": 60 * time.Hour, "infinity": math.MaxInt64, "90 day": 90 * 24 * time.Hour, "999999year": math.MaxInt64, "soon": -1, "1x": -1, "": -1, "1 2 x": -1} {
		if got, err := Span(text); got != max(want, 0) || (err != nil) != (want < 0) {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
}

func TestTheHeaderSaysWhatJournalctlSays(t *testing.T) {
	file := real(t)
	h, err := parse([]byte(file), int64(len(file)), hosttest.Now)
	if err != nil || h.entries != 50 || h.firstNo != 1 || h.lastNo != 50 || h.sealed ||
		!h.first.Equal(time.Date(2026, 5, 20, 8, 0, 0, 0, time.UTC)) || !h.last.Equal(time.Date(2026, 5, 28, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("got %+v, %v", h, err)
	}
	for name, broken := range map[string]string{
		"no signature": "x" + file[1:], "a short header": patched(file, 88, 100), "a long header": patched(file, 88, 1<<40), "a large arena": patched(file, 96, math.MaxUint64),
		"no first number": patched(file, 168, 0), "numbers turned around": patched(file, 168, 60), "more entries than numbers": patched(file, 152, 51),
		"before there was a journal": patched(file, 184, 1), "after the scan": patched(file, 192, 1<<51), "a time beyond all": patched(file, 192, math.MaxUint64),
	} {
		if h, err := parse([]byte(broken)[:headerSize], int64(len(file)), hosttest.Now); err == nil {
			t.Errorf("%s: %+v", name, h)
		}
	}
}

func FuzzHeader(f *testing.F) {
	file := real(f)[:300]
	f.Add([]byte(file), int64(8<<20))
	f.Add([]byte(patched(file, 168, 9)), int64(1<<40))
	f.Fuzz(func(t *testing.T, data []byte, size int64) {
		h, err := parse(data, size, hosttest.Now)
		if err != nil || h.entries == 0 {
			return
		}
		if h.first.After(h.last) || h.last.After(hosttest.Now.Add(48*time.Hour)) || h.firstNo > h.lastNo || h.firstNo == 0 {
			t.Errorf("%x gives %+v", data, h)
		}
	})
}

func FuzzConf(f *testing.F) {
	f.Add("[Journal]\nStorage=auto\n#Seal=yes\nSystemMaxUse=1G\\\n", "1year 2w")
	f.Fuzz(func(t *testing.T, text, value string) {
		c := conf{set: map[string]setting{}, remarked: map[string]string{}}
		c.parse(text, "x", "Journal", true)
		if d, err := Span(value); err == nil && d < 0 {
			t.Errorf("%q is %s", value, d)
		}
		if n, err := size(value); err == nil && n < 0 {
			t.Errorf("%q is %d", value, n)
		}
	})
}
