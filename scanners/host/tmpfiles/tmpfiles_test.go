package tmpfiles_test

import (
	"context"
	"fmt"
	"maps"
	"testing"

	"lookback/evidence"
	"lookback/scanners/host/hosttest"
	"lookback/scanners/host/logrotate"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/tmpfiles"
)

const (
	timer = "usr/lib/systemd/system/timers.target.wants/systemd-tmpfiles-clean.timer"
	file  = "usr/lib/systemd/system/systemd-tmpfiles-clean.timer"
)

// age says how many days a file is left alone: "30", "never" where nothing deletes it.
func age(t *testing.T, files map[string]string, name string) (said string, set *evidence.Set) {
	t.Helper()
	all := map[string]string{file: "[Timer]\nOnUnitActiveSec=1d\n", timer: "-> ../systemd-tmpfiles-clean.timer"}
	maps.Copy(all, files)
	set = hosttest.Scan(t, all, func(_ context.Context, s *scope.Scope) {
		said = "never"
		if days, deleted := tmpfiles.Age(s, name); deleted {
			said = hosttest.Say(days)
		}
	})
	return said, set
}

func TestHowLongAFileIsLeftAlone(t *testing.T) {
	const log = "var/log/audit/audit.log"
	for text, want := range map[string]string{
		"d /var/log/audit 0700 root root 30d":                                     "30",
		"e /var/log/audit - - - 2w":                                               "14",
		"v /var/log 0755 root root 12h\n":                                         "0",
		"q /var/log/* - - - 30d":                                                  "never",
		"e /var/log/* - - - bmA:30d":                                              "30",
		"d  \"/var/log/audit/\" 0700 root root 30d -":                             "30",
		"d /var/log/audit 0700 root root -":                                       "never",
		"d /var/log 0755 root root 30d\nd /var/log/audit 0700 root root -":        "never",
		"d /var/log 0755 root root 30d\nf /var/log/audit/audit.log":               "never",
		"d /var/log 0755 root root 30d\nx /var/log/audit*":                        "never",
		"d /var/log 0755 root root 30d\nX /var/log/audit":                         "30",
		"d /var/log 0755 root root 30d\nX /var/log/audit/audit.log":               "never",
		"d /var/log/audit 0700 root root ~30d":                                    "never",
		"d /var/log 0700 root root ~30d":                                          "30",
		"d /var/log/audit 0700 root root 9d\nd /var/log/audit 0700 root root 30d": "9",
		"d /var/log/audit 0700 root root -\ne /var/log/audit - - - 30d":           "30",
		"d! /var/log/audit 0700 root root 30d":                                    "never",
		"D! /var/log/audit 0700 root root -":                                      "0",
		"R /var/log/audit/*":                                                      "0",
		"d /var/log/audit 0700 root root soon":                                    "failed",
		"# d /var/log/audit 0700 root root 30d":                                   "never",
		"d /var/log/auditor 0700 root root 30d":                                   "never",
		"d":                                                                       "never",
	} {
		if got, _ := age(t, map[string]string{"etc/tmpfiles.d/x.conf": text}, log); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestWhichFileSaysIt(t *testing.T) {
	const line = "d /var/log/audit 0700 root root 30d\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"the package's":                  {map[string]string{"usr/lib/tmpfiles.d/a.conf": line}, "30"},
		"the administrator's goes first": {map[string]string{"usr/lib/tmpfiles.d/a.conf": line, "etc/tmpfiles.d/a.conf": "d /var/log/audit 0700 root root 9d\n"}, "9"},
		"an earlier name goes first":     {map[string]string{"usr/lib/tmpfiles.d/a.conf": line, "etc/tmpfiles.d/b.conf": "d /var/log/audit 0700 root root 9d\n"}, "30"},
		"a masked file says nothing":     {map[string]string{"usr/lib/tmpfiles.d/a.conf": line, "etc/tmpfiles.d/a.conf": "-> /dev/null"}, "never"},
		"another suffix":                 {map[string]string{"usr/lib/tmpfiles.d/a.conf.bak": line}, "never"},
		"without the timer":              {map[string]string{"usr/lib/tmpfiles.d/a.conf": line, "etc/systemd/system/systemd-tmpfiles-clean.timer": "-> /dev/null"}, "never"},
		"a timer that may be pulled in":  {map[string]string{"usr/lib/tmpfiles.d/a.conf": line, timer: "-> /dev/null"}, "elsewhere"},
	} {
		if got, set := age(t, c.files, "var/log/audit/audit.log"); got != c.want || len(set.Gaps) > 0 {
			t.Errorf("%s: %s, want %s; gaps %v", name, got, c.want, set.Gaps)
		}
	}
	got, set := age(t, map[string]string{"etc/tmpfiles.d/a.conf": "-> a.conf"}, "var/log/audit/audit.log")
	if got != "failed" || len(set.Gaps) != 1 {
		t.Errorf("a file that cannot be read: %s, gaps %v", got, set.Gaps)
	}
}

func TestALogBelowAnAgeIsNotKeptUntilSomebodyDeletesIt(t *testing.T) {
	for name, c := range map[string]struct{ lines, rotation, want string }{
		"nothing rotates it":              {"d /var/log 0755 root root 30d", "", "30"},
		"a line of its own, as stock has": {"d /var/log 0755 root root 30d\nf /var/log/wtmp 0664 root utmp -", "", fmt.Sprint(evidence.Forever)},
		"what it was rotated into":        {"d /var/log 0755 root root 30d\nf /var/log/wtmp 0664 root utmp -", "/var/log/wtmp {\n monthly\n rotate 12\n}\n", "30"},
		"rotation is sooner":              {"d /var/log 0755 root root 30d", "/var/log/wtmp {\n daily\n rotate 7\n}\n", "7"},
		"stock":                           {"d /var/log 0755 - - -\nf /var/log/wtmp 0664 root utmp -", "", fmt.Sprint(evidence.Forever)},
	} {
		hosttest.Scan(t, map[string]string{
			file: "[Timer]\n", timer: "-> ../systemd-tmpfiles-clean.timer", "usr/lib/tmpfiles.d/var.conf": c.lines,
			"usr/sbin/logrotate": "", "etc/logrotate.conf": c.rotation, "etc/cron.daily/logrotate": "logrotate",
		}, func(_ context.Context, s *scope.Scope) {
			if kept, _ := logrotate.Of(s, "var/log/wtmp"); hosttest.Say(kept) != c.want {
				t.Errorf("%s: %v, want %s", name, kept, c.want)
			}
		})
	}
}
