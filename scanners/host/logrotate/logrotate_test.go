package logrotate

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lookback/evidence"
	"lookback/scanners/host/hosttest"
	"lookback/scanners/host/scope"
)

// debian is a host with Debian's own files, the program and its timer.
func debian(t *testing.T, more map[string]string) map[string]string {
	t.Helper()
	files := map[string]string{
		"usr/sbin/logrotate":                                     "",
		"usr/lib/systemd/systemd":                                "",
		"usr/lib/systemd/system/logrotate.timer":                 "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n",
		"usr/lib/systemd/system/logrotate.service":               "[Service]\nExecStart=/usr/sbin/logrotate /etc/logrotate.conf\n",
		"usr/lib/systemd/system/timers.target":                   "[Unit]\n",
		"usr/lib/systemd/system/basic.target":                    "[Unit]\nWants=timers.target\n",
		"usr/lib/systemd/system/multi-user.target":               "[Unit]\nRequires=basic.target\n",
		"etc/systemd/system/timers.target.wants/logrotate.timer": "-> /usr/lib/systemd/system/logrotate.timer",
	}
	dir := os.DirFS("testdata/debian")
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(dir, name)
		files[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range more {
		if files[name] = text; text == "-" {
			delete(files, name)
		}
	}
	return files
}

// says is what a host keeps of a log: "28 days", "0 days, 400 bytes", "forever", "failed".
func says(t *testing.T, files map[string]string, log string) (said string, set *evidence.Set) {
	t.Helper()
	set = hosttest.Scan(t, files, func(_ context.Context, s *scope.Scope) {
		kept, bytes := Of(s, log)
		days, known := kept.Get()
		switch n, bounded := bytes.Get(); {
		case !known:
			said = kept.Why().String()
		case days == evidence.Forever:
			said = "forever"
		case bounded:
			said = fmt.Sprintf("%d days, %d bytes", days, n)
		default:
			said = fmt.Sprintf("%d days", days)
		}
		if again, _ := Of(s, "/"+log); again != kept {
			t.Errorf("asked again, it says %v", again)
		}
	})
	return said, set
}

func TestWhatDebianKeeps(t *testing.T) {
	for log, want := range map[string]string{
		"var/log/auth.log": "28 days", "var/log/syslog": "28 days", "var/log/wtmp": "28 days", "var/log/btmp": "28 days",
		"var/log/daemon.log": "forever",
	} {
		got, set := says(t, debian(t, nil), log)
		if got != want {
			t.Errorf("%s is kept %s, want %s", log, got, want)
		}
		if len(set.Gaps) > 0 {
			t.Errorf("gaps: %v", set.Gaps)
		}
	}
}

func TestHowLongALogIsKept(t *testing.T) {
	const log = "var/log/x.log"
	for text, want := range map[string]string{
		"/var/log/x.log { daily\nrotate 90\n}":                        "90 days",
		"/var/log/*.log { monthly\nrotate 12\n}":                      "365 days",
		"/var/log/*.log { monthly\nrotate 3\n}":                       "89 days",
		"/var/log/x.log {\nyearly\nrotate 2\n}":                       "730 days",
		"/var/log/x.log {\nhourly\nrotate 47\n}":                      "1 days",
		"/var/log/x.log {\nrotate 0\n}":                               "0 days",
		"/var/log/x.log {\nrotate -1\n}":                              "forever",
		"/var/log/x.log {\nrotate -1\nmaxage 400\n}":                  "400 days",
		"/var/log/x.log {\nrotate 52\nmaxage 90\n}":                   "90 days",
		"/var/log/x.log {\nsize 100k\nrotate 3\n}":                    "0 days, 409600 bytes",
		"/var/log/x.log {\nsize=5M\n}":                                "0 days, 26214400 bytes",
		"/var/log/x.log {\nsize 5M\ndaily\n}":                         "4 days",
		"/var/log/x.log {\nmaxsize 1G\n}":                             "0 days, 5368709120 bytes",
		"/var/log/x.log {\nminsize 1G\n}":                             "28 days",
		"/var/log/y.log /var/log/x.log\n{\nrotate 5\n}":               "35 days",
		"\"/var/log/x.log\" {\nrotate 5\n}":                           "35 days",
		"/var/log/x.log {\n}\n/var/log/x.log {\nrotate 9\n}":          "28 days",
		"rotate 9\n/var/log/x.log {\n}":                               "63 days",
		"/var/log/x.log {\n}\nrotate 9":                               "28 days",
		"/var/log/x.log {\npostrotate\n}\nendscript\nrotate 9\n}":     "63 days",
		"/var/log/x.log {\nrotate nine\n}":                            "failed",
		"/var/log/x.log {\nrotate 9 }\n/var/log/y.log {\n}":           "failed",
		"/var/log/x.log {\nfrobnicate 9\n}":                           "28 days",
		"/var/log/x.log {\n":                                          "28 days",
		"= {\n}":                                                      "failed",
		"/var/log/y.log {\n}\n}":                                      "failed",
		"# /var/log/x.log {\n":                                        "forever",
		"/var/log/z/*.log {\n}":                                       "forever",
		"tabooext + .off\ninclude /etc/more\n":                        "42 days",
		"tabooext + .on\ninclude /etc/more\n":                         "49 days",
		"include /etc/none\n":                                         "forever",
		"include /etc/logrotate.d\n":                                  "failed",
		"/var/log/x.log {\nweekly 7\nmissingok\ncompress rotate 3\n}": "21 days",
	} {
		files := debian(t, map[string]string{
			"etc/logrotate.d/x": text, "etc/more/a.on": "/var/log/x.log {\nrotate 6\n}", "etc/more/b.off": "/var/log/x.log {\nrotate 7\n}",
			"etc/logrotate.d/y.dpkg-old": "/var/log/x.log {\nrotate 99\n}",
		})
		if got, _ := says(t, files, log); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestOnlyALogrotateThatRunsThrowsAway(t *testing.T) {
	const timer = "etc/systemd/system/timers.target.wants/logrotate.timer"
	for name, c := range map[string]struct {
		more map[string]string
		want string
	}{
		"with its timer": {nil, "28 days"},
		"by cron alone":  {map[string]string{timer: "-", "usr/lib/systemd/systemd": "-"}, "28 days"},
		"by a script for cron that leaves it to a timer that is off": {map[string]string{timer: "-"}, "elsewhere"},
		"by nothing":                     {map[string]string{timer: "-", "etc/cron.daily/logrotate": "-"}, "elsewhere"},
		"which is not installed":         {map[string]string{"usr/sbin/logrotate": "-"}, "forever"},
		"without configuration":          {map[string]string{"etc/logrotate.conf": "-"}, "forever"},
		"with SUSE's own":                {map[string]string{"etc/logrotate.conf": "-", "usr/etc/logrotate.conf": "daily\nrotate 9\ninclude /etc/logrotate.d"}, "28 days"},
		"whose configuration is no file": {map[string]string{"etc/logrotate.conf": "-", "etc/logrotate.conf/x": ""}, "failed"},
	} {
		if got, _ := says(t, debian(t, c.more), "var/log/auth.log"); got != c.want {
			t.Errorf("logrotate %s: %s, want %s", name, got, c.want)
		}
	}
}

func TestAFileThatCannotBeReadIsAGap(t *testing.T) {
	got, set := says(t, debian(t, map[string]string{"etc/logrotate.d/big": strings.Repeat("#", 5<<20)}), "var/log/x")
	if got != "failed" || len(set.Gaps) != 1 {
		t.Errorf("got %s and the gaps %v", got, set.Gaps)
	}
	// What the other files say holds all the same.
	if got, _ := says(t, debian(t, map[string]string{"etc/logrotate.d/big": strings.Repeat("#", 5<<20)}), "var/log/auth.log"); got != "28 days" {
		t.Errorf("got %s", got)
	}
	if _, set := says(t, debian(t, map[string]string{"etc/loop": "include /etc/loop", "etc/logrotate.d/x": "include /etc/loop"}), "var/log/x"); len(set.Gaps) == 0 {
		t.Error("an include that includes itself is no gap")
	}
}

func TestAStoreIsFilled(t *testing.T) {
	files := debian(t, map[string]string{
		"var/log/auth.log": "2026-05-30T00:00:00Z web-1 sshd: x\n", "var/log/auth.log.1": "2026-05-20T00:00:00Z a\n",
		"var/log/auth.log.2.gz": "", "var/log/auth.log.3.gz": "", "var/log/auth.log.4.gz": "",
		"etc/logrotate.d/app": "/var/log/app {\nolddir old\nrotate 3\n}", "var/log/app": "", "var/log/old/app.1": "2026-05-21T00:00:00Z a\n",
	})
	hosttest.Scan(t, files, func(_ context.Context, s *scope.Scope) {
		var auth, app, none evidence.LogStore
		Fill(s, &auth, "var/log/auth.log")
		Fill(s, &app, "var/log/app")
		Fill(s, &none, "var/log/none")
		if at, _ := auth.Oldest.Get(); at.Day() != 20 {
			t.Errorf("the oldest record is of %v", auth.Oldest)
		}
		if at, _ := app.Newest.Get(); at.Day() != 21 {
			t.Errorf("the newest record is of %v", app.Newest)
		}
		for name, c := range map[string]struct {
			store evidence.LogStore
			want  bool
		}{"auth": {auth, true}, "app": {app, false}, "none": {none, false}} {
			if got, known := c.store.Dropped.Get(); got != c.want || !known {
				t.Errorf("%s: dropped is %v", name, c.store.Dropped)
			}
		}
		if !none.Oldest.IsUnknown() {
			t.Errorf("a log that is not there has an oldest record: %v", none.Oldest)
		}
	})
}

// logrotate -d tells what it makes of its configuration.
func TestTheRealLogrotateSaysTheSame(t *testing.T) {
	program := hosttest.Tool(t, "logrotate", "logrotate")
	head := regexp.MustCompile(`(?s)rotating pattern: (.*?)  ?(weekly|monthly|yearly|hourly|after 1 days|\d+ bytes) \((no old logs will be kept|-?\d+ rotations)\)\n([^\n]*)`)
	for _, text := range []string{
		"DIR/a {\n}\n",
		"weekly\nrotate 4\nDIR/a {\nsize 100k\nrotate 3\npostrotate\nkill {\nendscript\n}\nDIR/b {\n}\n",
		"weekly\nrotate 4 # four\nDIR/a {\n}\n",
		"DIR/a {\nrotate -1\nrotate 3 }\nDIR/b {\nrotate 7\n}\nDIR/c {\ndaily\n}\n",
		"DIR/a\nDIR/b\n{\nrotate 12\nmonthly }\nDIR/c { weekly 7\nsize 1G\nmaxsize 3M\nmaxage 5\n}\n",
		"rotate 5\nDIR/a {\nsize=5M\nyearly\nmonthly\n}\nDIR/b {\nhourly\nrotate 0\n}\n",
		"DIR/a {\nfrobnicate 3\ndaily\nrotate 7\n}\nrotate 9\nDIR/a DIR/b {\ndaily\n}\n",
		"daily\nrotate 2\ninclude DIR/d\nDIR/a {\n}\n",
		"DIR/a {\ncompress rotate 3\ndaily rotate 4\n}\n",
		"DIR/a {\ndaily\nrotate 3",
		"DIR/a {\ndaily\nrotate 3\n}\n}\n",
		"DIR/a {\ndaily\nrotate 3\n}\n}\nDIR/b {\nweekly\n}\nrotate 9\nDIR/c {\n}\n",
		"DIR/a {\ndaily\nrotate 3\n}\nrotate nine\nDIR/b {\nweekly\n}\n",
		"rotate 3\n\nfrobnicate\n= 3\nDIR/a {\ndaily\n}\n",
		"tabooext .x\nrotate 1\ninclude DIR/d\nDIR/a { daily\n}\n",
		"'DIR/a' \"DIR/b\" {\nmaxage -5\n}\nDIR/c {\nmaxage 5\nrotate 3\nweekly\n}\n",
		"DIR/a {\nsize 10x\n}\nDIR/b {\nsize\n}\nDIR/c {\nrotate\n}\nDIR/d {\n}\n",
	} {
		t.Run("", func(t *testing.T) {
			dir := t.TempDir()
			text := strings.ReplaceAll(text, "DIR", dir)
			write := func(name, text string) {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for _, log := range []string{"a", "b", "c"} {
				write(log, "")
			}
			write("d/1", "rotate 8\n")
			write("d/2", dir+"/c {\nmonthly\n}\n")
			write("d/3.x", "rotate 11\n")
			write("d/4.dpkg-old", "rotate 12\n")
			write("conf", text)
			out, _ := exec.Command(program, "-d", "-s", filepath.Join(dir, "state"), filepath.Join(dir, "conf")).CombinedOutput()
			want := map[string]string{}
			for _, m := range head.FindAllStringSubmatch(string(out), -1) {
				rotations := strings.TrimSuffix(m[3], " rotations")
				if rotations == "no old logs will be kept" {
					rotations = "0"
				}
				for _, name := range words(m[1]) {
					if want[name] == "" {
						want[name] = m[2] + " x " + rotations
					}
				}
			}
			p := newParser()
			p.missed = func(string, error) {}
			p.read = os.ReadFile
			p.include = func(name string, taboo []string) ([]string, error) {
				var names []string
				list, err := os.ReadDir(name)
				for _, e := range list {
					left := false
					for _, pattern := range taboo {
						ok, _ := filepath.Match(pattern, e.Name())
						left = left || ok
					}
					if !left {
						names = append(names, filepath.Join(name, e.Name()))
					}
				}
				return names, err
			}
			if err := p.file(filepath.Join(dir, "conf"), 0); err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, log := range []string{"a", "b", "c"} {
				name := filepath.Join(dir, log)
				if r, ok := match(p.blocks, strings.TrimPrefix(name, "/")); ok && r.broken == nil {
					when := r.period
					if when == "" {
						when = fmt.Sprintf("%d bytes", r.size)
					} else if when == "daily" {
						when = "after 1 days"
					}
					got[name] = fmt.Sprintf("%s x %d", when, r.count)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s\nwe read %v\nlogrotate %v\n%s", text, got, want, out)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"weekly\n/a {\nsize 1k\nrotate 3\n}", "include /x\n\"a b\" 'c' {", "postrotate\nx\nendscript\n}", "tabooext + a,b\n~ {\\"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := newParser()
		p.missed = func(string, error) {}
		p.read = func(string) ([]byte, error) { return []byte(text), nil }
		p.include = func(name string, _ []string) ([]string, error) { return []string{name}, nil }
		_ = p.file("x", 0)
		if r, ok := match(p.blocks, "a"); ok {
			if kept, _ := r.keeps(); kept.IsUnknown() {
				t.Errorf("%q keeps something unknown", text)
			}
		}
	})
}
