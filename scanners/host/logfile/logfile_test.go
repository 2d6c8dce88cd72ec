package logfile

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lookback/evidence"
	"lookback/scanners/host/hosttest"
	"lookback/scanners/host/root"
	"lookback/scanners/host/scope"
)

// in runs a function over an image whose files were written on the 20th of May 2026.
func in(t *testing.T, files map[string]string, run func(*scope.Scope)) {
	t.Helper()
	dir := hosttest.Folder(t, files)
	written := time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)
	for name := range files {
		if err := os.Chtimes(filepath.Join(dir, name), written, written); err != nil {
			t.Fatal(err)
		}
	}
	r, err := root.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	hosttest.Run(t, r, nil, func(_ context.Context, s *scope.Scope) { run(s) })
}

func TestASeriesIsNewestFirst(t *testing.T) {
	files := map[string]string{
		"var/log/x": "", "var/log/x.1": "", "var/log/x.2.gz": "", "var/log/x.10.gz": "", "var/log/x-20260101": "", "var/log/x-20260108.xz": "",
		"var/log/x.log": "", "var/log/xy.1": "", "var/log/x.1.bak": "", "var/log/x.save": "", "var/log/x-other": "", "var/log/old/x.3": "",
		"var/log/x.4": "-> x.1", "var/log/app.log": "", "var/log/app-20260102.log.gz": "", "var/log/app-20260103.log.gz": "", "var/log/app.log.1": "",
	}
	r := hosttest.Image(t, files)
	hosttest.Run(t, r, nil, func(_ context.Context, s *scope.Scope) {
		got := Series(s, "/var/log/x", "var/log/old")
		want := []string{"var/log/x", "var/log/x-20260108.xz", "var/log/x-20260101", "var/log/x.1", "var/log/x.2.gz", "var/log/old/x.3", "var/log/x.10.gz"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q\nwant %q", got, want)
		}
		got = Series(s, "var/log/app.log")
		want = []string{"var/log/app.log", "var/log/app-20260103.log.gz", "var/log/app-20260102.log.gz", "var/log/app.log.1"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q\nwant %q", got, want)
		}
		if got := Series(s, "var/log/none/x"); got != nil {
			t.Errorf("got %q of a folder that is not there", got)
		}
	})
}

func TestASpanIsReadFromTheOldestHeadAndTheNewestTail(t *testing.T) {
	long := strings.Repeat("May 19 03:00:00 web-1 kernel: filler\n", 20000) // more than is read at once
	for name, c := range map[string]struct {
		files          map[string]string
		oldest, newest string
	}{
		"RFC 3164, with the year of the file": {map[string]string{"x": "May  1 00:00:01 web-1 sshd[1]: a\n", "x.1": "Dec 30 10:00:00 web-1 sshd[1]: b\n"}, "2025-12-30T10:00:00Z", "2026-05-01T00:00:01Z"},
		"RFC 3339":                            {map[string]string{"x": "2026-03-01T10:00:00.123456+02:00 web-1 sshd: a\n2026-05-19T10:00:00Z web-1 b\n"}, "2026-03-01T08:00:00Z", "2026-05-19T10:00:00Z"},
		"RFC 5424":                            {map[string]string{"x": "<34>1 2026-03-01T10:00:00Z web-1 su - - - a\n"}, "2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z"},
		"the audit log":                       {map[string]string{"x": "type=DAEMON_START msg=audit(1767225600.123:456): op=start\nnode=a type=CWD msg=audit(1777225600.123:457): x\n"}, "2026-01-01T00:00:00Z", "2026-04-26T17:46:40Z"},
		"JSON":                                {map[string]string{"x": `{"log":"\"time\":\"no","time":"2026-01-02T03:04:05Z"}` + "\n" + `{"ts":1777225600.5}` + "\n"}, "2026-01-02T03:04:05Z", "2026-04-26T17:46:40Z"},
		"laurel":                              {map[string]string{"x": `{"ID":"1767225600.000:5","SYSCALL":{}}`}, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"},
		"nanoseconds":                         {map[string]string{"x": `{"timestamp":1767225600000000000}`}, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"},
		"a web server":                        {map[string]string{"x": "192.0.2.1 - bob [02/Jan/2026:15:04:05 +0000] \"GET /\"\n[Wed May 20 11:00:00.5 2026] [error]\n"}, "2026-01-02T15:04:05Z", "2026-05-20T11:00:00Z"},
		"dpkg":                                {map[string]string{"x": "2026-01-02 15:04:05 startup archives unpack\n2026-01-03 15:04:05,123 INFO y\n"}, "2026-01-02T15:04:05Z", "2026-01-03T15:04:05Z"},
		"compressed":                          {map[string]string{"x": "May  1 00:00:01 a\n", "x.2.gz": hosttest.Gzip("Jan  1 00:00:01 a\n" + long)}, "2026-01-01T00:00:01Z", "2026-05-01T00:00:01Z"},
		"compressed, and nothing since":       {map[string]string{"x": "", "x.2.gz": hosttest.Gzip("Jan  1 00:00:01 a\n" + long + "May 19 23:00:00 z\n")}, "2026-01-01T00:00:01Z", "2026-05-19T23:00:00Z"},
		"large":                               {map[string]string{"x": "Jan  1 00:00:01 a\n" + long + "May 19 23:00:00 z\n"}, "2026-01-01T00:00:01Z", "2026-05-19T23:00:00Z"},
		"holes":                               {map[string]string{"x": strings.Repeat("\x00", 5000) + "Jan  1 00:00:01 a\nno time\n"}, "2026-01-01T00:00:01Z", "2026-01-01T00:00:01Z"},
		"one that breaks off":                 {map[string]string{"x": "May  1 00:00:01 a\n", "x.1.gz": hosttest.Gzip("Jan  1 00:00:01 a\n" + long)[:400]}, "2026-01-01T00:00:01Z", "2026-05-01T00:00:01Z"},
		"one that is no archive":              {map[string]string{"x": "May  1 00:00:01 a\n", "x.1.gz": "nonsense"}, "2026-05-01T00:00:01Z", "2026-05-01T00:00:01Z"},
		"a format that is not read":           {map[string]string{"x": "May 19 00:00:01 a\n", "x.1.zst": "\x28\xb5\x2f\xfd"}, "2026-05-20T12:00:00Z", "2026-05-19T00:00:01Z"},
		"a leap day":                          {map[string]string{"x": "Feb 29 00:00:01 a\n"}, "2024-02-29T00:00:01Z", "2024-02-29T00:00:01Z"},
		"a time after the scan":               {map[string]string{"x": "2126-01-01T00:00:00Z a\n2026-01-01T00:00:00Z a\n"}, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"},
		"words":                               {map[string]string{"x": "hello\nworld\n"}, "unfamiliar", "unfamiliar"},
		"nothing":                             {map[string]string{"x": ""}, "elsewhere", "elsewhere"},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, c.files, func(s *scope.Scope) {
				span := Measure(s, Series(s, "x"))
				if got := says(span.Oldest); got != c.oldest {
					t.Errorf("the oldest is %s, want %s", got, c.oldest)
				}
				if got := says(span.Newest); got != c.newest {
					t.Errorf("the newest is %s, want %s", got, c.newest)
				}
				if span.Files != len(c.files) {
					t.Errorf("%d files, want %d", span.Files, len(c.files))
				}
			})
		})
	}
}

func says(v evidence.Value[time.Time]) string {
	if t, known := v.Get(); known {
		return t.UTC().Truncate(time.Second).Format(time.RFC3339)
	}
	return v.Why().String()
}

func TestNoFilesAreNoSpan(t *testing.T) {
	in(t, map[string]string{}, func(s *scope.Scope) {
		if span := Measure(s, nil); !span.Oldest.IsUnknown() || !span.Newest.IsUnknown() || span.Bytes != 0 {
			t.Errorf("got %+v", span)
		}
	})
}

func TestLinesWithoutAZoneAreInTheLocalTimeOfTheHost(t *testing.T) {
	zone, err := os.ReadFile("/usr/share/zoneinfo/America/New_York")
	if err != nil {
		t.Skip("no time zones on this machine:", err)
	}
	files := map[string]string{"usr/share/zoneinfo/America/New_York": string(zone), "x": "May  1 00:00:01 a\n"}
	dir := hosttest.Folder(t, files)
	if err := os.MkdirAll(filepath.Join(dir, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/usr/share/zoneinfo/America/New_York", filepath.Join(dir, "etc/localtime")); err != nil {
		t.Fatal(err)
	}
	r, err := root.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	hosttest.Run(t, r, nil, func(_ context.Context, s *scope.Scope) {
		got, _ := Measure(s, []string{"x"}).Oldest.Get()
		if _, offset := got.Zone(); offset != -4*3600 {
			t.Errorf("got %s", got)
		}
	})
}

func TestAFileThatMayNotBeReadIsUnknown(t *testing.T) {
	if os.Getuid() == 0 {
		// Root may read everything: a device stands for what cannot be read.
		hosttest.Run(t, hosttest.Image(t, map[string]string{"x": "-> y", "y/z": ""}), nil, func(_ context.Context, s *scope.Scope) {
			if got := says(Measure(s, []string{"x"}).Oldest); got != "failed" {
				t.Errorf("got %s", got)
			}
		})
		return
	}
	in(t, map[string]string{"x": "mode 0\nMay  1 00:00:01 a\n"}, func(s *scope.Scope) {
		if got := says(Measure(s, Series(s, "x")).Oldest); got != "denied" {
			t.Errorf("got %s", got)
		}
	})
}

func FuzzTime(f *testing.F) {
	for _, line := range []string{"May  1 00:00:01 a", "2026-03-01T10:00:00Z a", "<1>1 ", `{"ts":1e300}`, "msg=audit(1.2:3)", "[02/Jan/2026:15:04:05 +0000]", "<", "{"} {
		f.Add(line)
	}
	r := reading{zone: time.UTC, written: hosttest.Now, now: hosttest.Now}
	f.Fuzz(func(t *testing.T, line string) {
		if line == "" {
			return
		}
		if at, ok := r.time(line); ok && at.After(hosttest.Now.Add(48*time.Hour)) {
			t.Errorf("%q is after the scan: %s", line, at)
		}
	})
}
