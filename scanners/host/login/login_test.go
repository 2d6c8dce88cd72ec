package login

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"lookback/evidence"
	"lookback/scanners/host/hosttest"
	"lookback/scanners/host/scope"
)

// records are login records of a layout, one a time; a zero time is an empty one.
func records(l layout, times ...time.Time) string {
	var b bytes.Buffer
	for _, t := range times {
		one := make([]byte, l.size)
		if !t.IsZero() {
			binary.LittleEndian.PutUint16(one, 7) // USER_PROCESS
			binary.LittleEndian.PutUint32(one[4:], 212)
			copy(one[8:], "pts/0")
			copy(one[40:], "ts/0")
			copy(one[44:], "bob")
			copy(one[76:], "192.0.2.7")
			binary.LittleEndian.PutUint32(one[l.time:], uint32(t.Unix()))
		}
		b.Write(one)
	}
	return b.String()
}

func day(d int) time.Time { return time.Date(2026, 5, d, 8, 0, 0, 0, time.UTC) }

func say[T any](v evidence.Value[T]) string {
	got, _ := v.Get()
	if at, ok := any(got).(time.Time); ok && !at.IsZero() {
		return at.Format("Jan 2")
	}
	return hosttest.Say(v)
}

// facts are what was found: "wtmp true, var/log/wtmp May 1 to May 9".
func facts(set *evidence.Set) string {
	var out []string
	looked := ""
	for _, r := range set.Records {
		switch r := r.(type) {
		case *evidence.LogSource:
			part, _ := r.Parts[evidence.PartLogons].Get()
			out = append(out, r.ID.Thing()+" "+say(r.Enabled)+" "+string(part.Grade))
		case *evidence.LogStore:
			out = append(out, fmt.Sprintf("%s %s to %s, dropped %s", r.ID.Thing(), say(r.Oldest), say(r.Newest), say(r.Dropped)))
		case *evidence.Asset:
			looked = "looked " + say(r.Looked[evidence.Login])
		}
	}
	return strings.Join(append([]string{looked}, out...), "; ")
}

func TestLoginRecords(t *testing.T) {
	intel, arm := layouts[0], layouts[1]
	for name, c := range map[string]struct {
		files map[string]string
		want  string
		gaps  int
	}{
		"of nobody":         {map[string]string{"var/log/": ""}, "looked true; wtmp#login false some", 0},
		"not collected":     {map[string]string{"etc/hostname": "x"}, "looked elsewhere", 0},
		"empty":             {map[string]string{"var/log/wtmp": "", "var/log/btmp": ""}, "looked true; btmp#login true some; var/log/btmp elsewhere to elsewhere, dropped false; var/log/wtmp elsewhere to elsewhere, dropped false; wtmp#login true all", 0},
		"of sessions":       {map[string]string{"var/log/wtmp": records(intel, time.Time{}, day(3), day(9))}, "looked true; var/log/wtmp May 3 to May 9, dropped false; wtmp#login true some", 0},
		"on ARM":            {map[string]string{"var/log/wtmp": records(arm, day(3), day(9), time.Time{})}, "looked true; var/log/wtmp May 3 to May 9, dropped false; wtmp#login true some", 0},
		"of ambiguous size": {map[string]string{"var/log/wtmp": strings.Repeat(records(arm, day(4)), 24), "var/log/btmp": strings.Repeat(records(intel, day(4)), 25)}, "looked true; btmp#login true some; var/log/btmp May 4 to May 4, dropped false; var/log/wtmp May 4 to May 4, dropped false; wtmp#login true all", 0},
		"of many sessions":  {map[string]string{"var/log/wtmp": records(intel, day(2)) + strings.Repeat(records(intel, day(5)), 1000) + records(intel, day(8))}, "looked true; var/log/wtmp May 2 to May 8, dropped false; wtmp#login true some", 0},
		"rotated": {map[string]string{
			"var/log/wtmp": records(intel, day(9)), "var/log/wtmp.1": records(intel, day(1), day(2)), "usr/sbin/logrotate": "",
			"etc/logrotate.conf": "/var/log/wtmp {\nmonthly\nrotate 1\n}\n", "etc/cron.daily/logrotate": "logrotate",
		}, "looked true; var/log/wtmp May 1 to May 9, dropped true; wtmp#login true some", 0},
		"rotated and compressed": {map[string]string{"var/log/wtmp": "", "var/log/wtmp.1.gz": hosttest.Gzip(records(intel, day(1), day(2)))}, "looked true; var/log/wtmp May 1 to May 2, dropped false; wtmp#login true some", 0},
		"that are none":          {map[string]string{"var/log/wtmp": "hello"}, "looked true; var/log/wtmp failed to failed, dropped false; wtmp#login true some", 1},
		"of the future":          {map[string]string{"var/log/wtmp": records(intel, day(9).AddDate(1, 0, 0))}, "looked true; var/log/wtmp failed to failed, dropped false; wtmp#login true some", 1},
		"some of which are none": {map[string]string{"var/log/wtmp": records(intel, day(9)), "var/log/wtmp.1": "hello", "var/log/wtmp.2.gz": "hello"}, "looked true; var/log/wtmp May 9 to May 9, dropped false; wtmp#login true some", 2},
		"that lead nowhere":      {map[string]string{"var/log/wtmp": "-> wtmp"}, "looked failed; var/log/wtmp failed to failed, dropped false; wtmp#login failed some", 1},
		"in a database":          {map[string]string{"var/log/": "", "var/lib/wtmpdb/wtmp.db": "SQLite format 3"}, "looked true; var/lib/wtmpdb/wtmp.db unasked to unasked, dropped unasked; wtmp#login true some", 0},
	} {
		t.Run(name, func(t *testing.T) {
			set := hosttest.Scan(t, c.files, Read)
			if got := facts(set); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if len(set.Gaps) != c.gaps {
				t.Errorf("gaps: %v", set.Gaps)
			}
		})
	}
}

func TestWindowsHasNone(t *testing.T) {
	set := hosttest.Run(t, hosttest.Image(t, map[string]string{"var/log/wtmp": ""}), func(s *scope.Scope) { s.Windows = true }, Read)
	if got := facts(set); got != "looked unasked" {
		t.Error(got)
	}
}

func TestAHistoryOfAShellIsNoRecord(t *testing.T) {
	set := hosttest.Scan(t, map[string]string{"var/log/": "", "root/.bash_history": "rm -rf /\n"}, Read, func(context.Context, *scope.Scope) {})
	for _, r := range set.Records {
		if strings.Contains(string(r.Self().ID), "history") {
			t.Errorf("a record: %v", r)
		}
	}
}

// utmpdump writes records from text: those of this machine's own layout.
func TestRecordsOfUtmpdumpAreRead(t *testing.T) {
	program := hosttest.Tool(t, "utmpdump", "util-linux-extra")
	cmd := exec.Command(program, "-r")
	cmd.Stdin = strings.NewReader(
		"[7] [00212] [ts/0] [bob     ] [pts/0       ] [192.0.2.7           ] [192.0.2.7      ] [2026-05-03T08:00:00,000000+00:00]\n" +
			"[8] [00212] [ts/0] [        ] [pts/0       ] [                    ] [0.0.0.0        ] [2026-05-09T08:00:00,000000+00:00]\n")
	data, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	first, last, err := ends(data, data, int64(len(data)), hosttest.Now)
	if err != nil || !first.Equal(day(3)) || !last.Equal(day(9)) {
		t.Errorf("got %s, %s, %v of %d bytes", first, last, err, len(data))
	}
}

func FuzzEnds(f *testing.F) {
	f.Add([]byte(records(layouts[0], day(1), time.Time{})))
	f.Add([]byte(records(layouts[1], day(1))))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, last, err := ends(data, data, int64(len(data)), hosttest.Now)
		if err == nil && (first.After(hosttest.Now.Add(48*time.Hour)) || last.After(hosttest.Now.Add(48*time.Hour))) {
			t.Errorf("%x gives %s and %s", data, first, last)
		}
	})
}

// TestNothingIsSaidOfAFileThatMayNotBeThere holds that what could not be looked at neither passes nor fails.
func TestNothingIsSaidOfAFileThatMayNotBeThere(t *testing.T) {
	set := hosttest.Scan(t, map[string]string{"var/log/wtmp": "-> wtmp", "var/log/btmp": "-> btmp"}, Read)
	for _, line := range hosttest.Judge(set) {
		if !strings.HasPrefix(line, "not-assessed") && strings.Contains(line, "tmp") {
			t.Error(line)
		}
	}
}
