package host_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookback/evidence"
	"lookback/scanners/host"
	"lookback/scanners/host/hosttest"
)

// scan reads an image.
func scan(t *testing.T, at string) *evidence.Set {
	t.Helper()
	set := &evidence.Set{Tool: "lookback test", Started: hosttest.Now, Ended: hosttest.Now, Counted: map[string]int{}}
	if err := host.Scan(t.Context(), host.Options{Path: at, Now: hosttest.Now}, set); err != nil {
		t.Fatal(err)
	}
	set.Sort()
	return set
}

// written is a set as it is saved.
func written(t *testing.T, set *evidence.Set) string {
	t.Helper()
	var b bytes.Buffer
	if err := evidence.Write(&b, set); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAHostIsCalledByItsOwnNameElseByItsFolder(t *testing.T) {
	for _, c := range []struct {
		hostname string // of the image, in a folder called "disk-1"
		taken    []string
		want     string
	}{
		{hostname: "web-1\n", want: "web-1"},
		{hostname: "web-1\n", taken: []string{"web-2"}, want: "web-1"},
		{hostname: "web-1\n", taken: []string{"web-1"}, want: "web-1-disk-1"},
		{hostname: "web-1\n", taken: []string{"web-1", "web-1-disk-1"}, want: "web-1-disk-1-2"},
		{hostname: "", want: "disk-1"},
		{hostname: "", taken: []string{"disk-1"}, want: "disk-1-2"},
		{hostname: "web\x1b[2J", want: "disk-1"},
		{hostname: "../../etc", want: "disk-1"},
		{hostname: strings.Repeat("x", 300), want: "disk-1"},
	} {
		dir := filepath.Join(t.TempDir(), "disk-1")
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, "etc"), 0o755), os.WriteFile(filepath.Join(dir, "etc/hostname"), []byte(c.hostname), 0o644)); err != nil {
			t.Fatal(err)
		}
		taken := map[string]bool{}
		for _, name := range c.taken {
			taken[name] = true
		}
		set := &evidence.Set{}
		if err := host.Scan(t.Context(), host.Options{Path: dir, Now: hosttest.Now, Taken: taken}, set); err != nil {
			t.Fatal(err)
		}
		if got := set.Records[0].Self(); got.Name != c.want || got.ID != evidence.ID("host:"+c.want+"//host") {
			t.Errorf("hostname %q, taken %v: it is called %q, %s; want %q", c.hostname, c.taken, got.Name, got.ID, c.want)
		}
	}
}

func TestAFolderWithoutASystemIsRefusedWithTheCure(t *testing.T) {
	top := t.TempDir()
	file := func(name, text string) string {
		at := filepath.Join(top, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, c := range []struct{ at, want string }{
		{filepath.Join(top, "nowhere"), "no such file"},
		{filepath.Dir(file("empty/readme", "")), "name the folder in which the system's partition is mounted"},
		{file("disk.raw", strings.Repeat("\x00", 1<<16)), "mount the image read-only"},
		{file("root.tar.gz", "\x1f\x8b\x08\x00"), "unpack it"},
		{file("nothing", ""), "not an uncompressed tar"},
		{filepath.Dir(file("windows/Windows/System32/drivers/etc/hosts", "")), "no system in"},
	} {
		err := host.Scan(t.Context(), host.Options{Path: c.at, Now: hosttest.Now}, &evidence.Set{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q in it", filepath.Base(c.at), err, c.want)
		}
	}
}

func TestACancelledScanKeepsWhatItLearned(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	set := &evidence.Set{}
	err := host.Scan(ctx, host.Options{Path: hosttest.Folder(t, map[string]string{"etc/hostname": "web-1"}), Now: hosttest.Now}, set)
	if !errors.Is(err, context.Canceled) || len(set.Records) != 1 {
		t.Errorf("%v, with %d records", err, len(set.Records))
	}
}

// A dying context is cancelled once it was asked some times whether it is.
type dying struct {
	context.Context
	left int
}

func (d *dying) Err() error {
	if d.left--; d.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestAScanThatIsCutShortAsksTheSameOfTheHostAndDecidesNothingElse(t *testing.T) {
	dir := hosttest.Folder(t, image())
	whole := map[string]bool{} // "pass recorded-login host:web-1//host"
	var asked []string         // of the host itself: "recorded-login host:web-1//host"
	for _, line := range hosttest.Judge(scan(t, dir)) {
		verdict, _, _ := strings.Cut(line, ": ")
		whole[verdict] = true
		if f := strings.Fields(line); strings.TrimSuffix(f[2], ":") == "host:web-1//host" {
			asked = append(asked, " "+f[1]+" "+f[2]+" ")
		}
	}
	if len(asked) < 4 {
		t.Fatal(asked)
	}
	for n := 0; ; n++ {
		set := &evidence.Set{Started: hosttest.Now, Ended: hosttest.Now}
		err := host.Scan(&dying{t.Context(), n}, host.Options{Path: dir, Now: hosttest.Now}, set)
		if err == nil {
			return
		}
		set.Sort()
		got := hosttest.Judge(set)
		for _, line := range got {
			if verdict, _, _ := strings.Cut(line, ": "); !strings.HasPrefix(verdict, "not-assessed") && !whole[verdict] {
				t.Errorf("cut at %d: %s", n, line)
			}
		}
		for _, question := range asked {
			if !strings.Contains(strings.Join(got, "\n"), question) {
				t.Errorf("cut at %d: nobody asks%s", n, question)
			}
		}
	}
}

func TestTwoScansOfOneImageGiveTheSameBytes(t *testing.T) {
	dir := hosttest.Folder(t, image())
	first := written(t, scan(t, dir))
	for range 3 {
		if again := written(t, scan(t, dir)); again != first {
			t.Fatalf("first\n%s\nthen\n%s", first, again)
		}
	}
}

func TestWhatLiesOnAFileSystemThatIsNotMountedIsNotAbsent(t *testing.T) {
	verdicts := func(empty string) (out []string) {
		files := image()
		delete(files, "etc/systemd/journald.conf")
		delete(files, "etc/systemd/journald.conf.d/size.conf")
		for name := range files {
			if strings.HasPrefix(name, empty) {
				delete(files, name)
			}
		}
		files[empty], files["etc/fstab"] = "", "# root\n/dev/a / ext4 defaults 0 1\n/dev/b /"+empty+" ext4 defaults 0 2\ntmpfs /var/tmp tmpfs defaults 0 0\n"
		set := scan(t, hosttest.Folder(t, files))
		gaps := 0
		for _, g := range set.Gaps {
			if g.Asked == "what lies in /"+strings.Trim(empty, "/") {
				gaps++
			}
		}
		if gaps != 1 {
			t.Errorf("%s: %d gaps", empty, gaps)
		}
		return hosttest.Judge(set)
	}
	for _, line := range verdicts("var/log/") {
		if strings.Contains(line, "gone with its next start") || strings.Contains(line, "tmp") && !strings.HasPrefix(line, "not-assessed") {
			t.Error(line)
		}
	}
	for _, line := range verdicts("usr/") {
		if strings.HasPrefix(line, "pass") && strings.Contains(line, "retained-") || strings.HasPrefix(line, "fail") && strings.Contains(line, "journald#") {
			t.Error(line)
		}
	}
}

func TestLogsInMemoryAreGoneWithTheNextStart(t *testing.T) {
	const mount = "[Unit]\nBefore=local-fs.target\n[Mount]\nWhat=tmpfs\nWhere=/var/log\nType=tmpfs\n"
	for name, c := range map[string]struct {
		files      map[string]string
		memory, at string
	}{
		"fstab":                          {map[string]string{"etc/fstab": "tmpfs /var/log tmpfs defaults,size=100M 0 0\n"}, "true", "etc/fstab"},
		"a mount unit":                   {map[string]string{"etc/systemd/system/var-log.mount": mount, "etc/systemd/system/local-fs.target.wants/var-log.mount": "-> ../var-log.mount"}, "true", "etc/systemd/system/var-log.mount"},
		"a mount unit without a link":    {map[string]string{"usr/lib/systemd/system/var-log.mount": mount}, "elsewhere", "usr/lib/systemd/system/var-log.mount"},
		"a mount unit of a folder above": {map[string]string{"etc/systemd/system/var.mount": strings.Replace(mount, "/log", "", 1), "etc/systemd/system/local-fs.target.requires/var.mount": "-> ../var.mount"}, "true", "etc/systemd/system/var.mount"},
	} {
		files := image()
		maps.Copy(files, c.files)
		set := scan(t, hosttest.Folder(t, files))
		for _, r := range set.Records {
			s, ok := r.(*evidence.LogStore)
			if !ok || !strings.HasPrefix(s.ID.Thing(), "var/log/") && s.ID.Thing() != "journal" {
				continue
			}
			if hosttest.Say(s.Memory) != c.memory || s.Memory.At().File != c.at {
				t.Errorf("%s: %s: in memory %v", name, s.ID, s.Memory)
			}
		}
		for _, line := range hosttest.Judge(set) {
			if strings.HasPrefix(line, "pass retained-") {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
	files := image()
	files["usr/lib/systemd/system/var-log.mount"], files["etc/systemd/system/var-log.mount"] = mount, "-> /dev/null"
	if log := hosttest.Record[*evidence.LogStore](t, scan(t, hosttest.Folder(t, files)), "host:web-1//var/log/wtmp"); hosttest.Say(log.Memory) != "false" {
		t.Errorf("masked: in memory %v", log.Memory)
	}
}

func TestAMountUnitSaysThatAFileSystemIsNotMounted(t *testing.T) {
	set := scan(t, hosttest.Folder(t, map[string]string{
		"etc/hostname": "web-1\n", "var/": "", "usr/lib/systemd/systemd-journald": "", "sbin/init": "-> ../usr/lib/systemd/systemd", "usr/lib/systemd/systemd": "",
		"etc/systemd/system/var.mount": "[Mount]\nWhat=/dev/b\nWhere=/var\n",
	}))
	if got := asked(set); len(got) != 1 || !strings.HasPrefix(got[0], "what lies in /var: ") {
		t.Error(got)
	}
	for _, r := range set.Records {
		if strings.HasPrefix(r.Self().ID.Thing(), "pods") {
			t.Error(r.Self().ID)
		}
	}
}

func TestWhatAnInitrdMountsIsNotAbsent(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		away  string
	}{
		"the root of Flatcar": {map[string]string{
			"etc/hostname": "web-1\n", "usr/": "", "sbin": "-> usr/sbin", "lib": "-> usr/lib", "var/log/wtmp": "", "var/log/journal/" + machineID + "/": "",
			"var/lib/docker/": "", "etc/audit/rules.d/99.rules": "-D\n",
		}, "usr"},
		"the root of Bottlerocket": {map[string]string{
			"etc/": "", "var/": "", "usr/lib/systemd/systemd": "", "usr/lib/systemd/systemd-journald": "", "usr/sbin/init": "-> ../lib/systemd/systemd", "sbin": "-> usr/sbin",
			"usr/bin/kubelet": "", "usr/bin/containerd": "", "usr/lib/systemd/system/kubelet.service": "[Service]\nExecStart=/usr/bin/kubelet\n",
		}, "var"},
	} {
		set := scan(t, hosttest.Folder(t, c.files))
		if got := asked(set); !slices.ContainsFunc(got, func(g string) bool { return strings.HasPrefix(g, "what lies in /"+c.away+": ") }) {
			t.Errorf("%s: gaps %q", name, got)
		}
		for _, line := range hosttest.Judge(set) {
			f := strings.Fields(line)
			if f[0] == "fail" && !strings.Contains(line, "wtmp") || f[0] == "pass" && !strings.Contains(line, "recorded-login") {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
}

// image is a host with something of every subject, all of it in order. Where a program comes with a log, it has some.
func image() map[string]string {
	service := func(exec string) string {
		return "[Service]\nExecStart=" + exec + "\n[Install]\nWantedBy=multi-user.target\n"
	}
	files := map[string]string{
		"etc/hostname":   "web-1\n",
		"etc/machine-id": machineID + "\n",
		"etc/crontab":    "0 3 * * * root true\n",

		"sbin/init":                             "-> /usr/lib/systemd/systemd",
		"usr/lib/systemd/systemd":               "",
		"usr/lib/systemd/systemd-journald":      "",
		"etc/systemd/journald.conf":             "[Journal]\nStorage=persistent\nSystemMaxUse=1G\n",
		"etc/systemd/journald.conf.d/size.conf": "[Journal]\nMaxRetentionSec=400day\n",
		"var/log/journal/" + machineID + "/":    "",

		"usr/sbin/rsyslogd":       "",
		"etc/rsyslog.conf":        "module(load=\"imuxsock\")\n$IncludeConfig /etc/rsyslog.d/*.conf\nauth,authpriv.* /var/log/auth.log\n*.* /var/log/syslog\n",
		"etc/rsyslog.d/away.conf": "*.* @@logs.example.net:6514\n",
		"var/log/syslog":          "2026-05-30T10:00:00+00:00 web-1 cron: hello\n",
		"var/log/syslog.1":        "2026-05-20T10:00:00+00:00 web-1 cron: hello\n",
		"var/log/syslog.2.gz":     gz("2026-05-10T10:00:00+00:00 web-1 cron: hello\n"),
		"var/log/btmp.1.gz":       gz(""),
		"var/log/auth.log":        "2026-05-30T10:00:00+00:00 web-1 sshd: hello\n",
		"var/log/wtmp":            "",
		"var/log/btmp":            "",

		"usr/sbin/logrotate":       "",
		"etc/logrotate.conf":       "weekly\nrotate 4\ninclude /etc/logrotate.d\n",
		"etc/logrotate.d/rsyslog":  "/var/log/syslog /var/log/auth.log {\n rotate 400\n daily\n}\n",
		"etc/cron.daily/logrotate": "#!/bin/sh\n/usr/sbin/logrotate /etc/logrotate.conf\n",

		"usr/sbin/auditd":                "",
		"etc/audit/auditd.conf":          "log_file = /var/log/audit/audit.log\nmax_log_file = 8\nnum_logs = 5\nmax_log_file_action = rotate\ndisk_full_action = halt\n",
		"etc/audit/rules.d/10.rules":     "-D\n-a always,exit -F arch=b64 -S execve -k exec\n",
		"etc/audit/audit.rules":          "-D\n-a always,exit -F arch=b64 -S execve -k exec\n",
		"etc/audit/plugins.d/away.conf":  "active = no\n",
		"var/log/audit/audit.log":        "type=SYSCALL msg=audit(1780000000.123:456): arch=c000003e\n",
		"etc/chrony/chrony.conf":         "pool ntp.example.net iburst\n",
		"etc/systemd/timesyncd.conf":     "[Time]\nNTP=ntp.example.net\n",
		"opt/sysmon/sysmon":              "",
		"opt/sysmon/config.xml":          "<Sysmon schemaversion=\"4.81\"><EventFiltering><ProcessCreate onmatch=\"exclude\"/></EventFiltering></Sysmon>\n",
		"etc/falco/falco.yaml":           "file_output:\n  enabled: true\n  filename: /var/log/falco.log\n",
		"etc/fluent-bit/fluent-bit.conf": "[INPUT]\n  Name tail\n  Path /var/log/syslog\n[OUTPUT]\n  Name forward\n  Match *\n  Host logs.example.net\n",

		"etc/docker/daemon.json":                          `{"log-driver": "journald"}`,
		"var/lib/docker/image/overlay2/repositories.json": `{"Repositories": {}}`,
		"etc/containerd/config.toml":                      "version = 2\n",
		"var/lib/kubelet/config.yaml":                     "containerLogMaxSize: 20Mi\n",
		"etc/kubernetes/manifests/web.yaml":               "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: httpd:2.4}]}\n",
		"var/log/pods/default_web-n1_1/web/0.log":         "2026-05-30T10:00:00Z stdout F hello\n",

		"boot/config-6.1.0":  "CONFIG_PROC_KCORE=y\n",
		"boot/grub/grub.cfg": "linux /vmlinuz-6.1.0 quiet\n",
	}
	for name, exec := range map[string]string{
		"auditd": "/usr/sbin/auditd", "rsyslog": "/usr/sbin/rsyslogd -n", "chrony": "/usr/sbin/chronyd", "systemd-timesyncd": "/usr/lib/systemd/systemd-timesyncd",
		"sysmon": "/opt/sysmon/sysmon -service", "falco": "/usr/bin/falco", "fluent-bit": "/opt/fluent-bit/bin/fluent-bit -c /etc/fluent-bit/fluent-bit.conf",
		"docker": "/usr/bin/dockerd", "kubelet": "/usr/bin/kubelet", "systemd-journald": "/usr/lib/systemd/systemd-journald",
	} {
		files["usr/lib/systemd/system/"+name+".service"] = service(exec)
		files["etc/systemd/system/multi-user.target.wants/"+name+".service"] = "-> /usr/lib/systemd/system/" + name + ".service"
	}
	for i, name := range []string{"api", "job", "web", "db"} {
		dir := container(rune('a' + i))
		id := path.Base(dir)
		files[dir+"config.v2.json"] = `{"ID":"` + id + `","Name":"/` + name + `","Driver":"overlay2","Config":{"Image":"httpd:2.4"},"State":{"Running":true}}`
		files[dir+"hostconfig.json"] = `{"LogConfig":{"Type":"json-file","Config":{"max-size":"10m","max-file":"3"}}}`
		files[dir+id+"-json.log"] = `{"log":"hello\n","stream":"stdout","time":"2026-05-30T10:00:00Z"}` + "\n"
	}
	return files
}

// gz is a text as gzip has it.
func gz(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

// container is the folder of a container whose ID is one digit.
func container(digit rune) string {
	return "var/lib/docker/containers/" + strings.Repeat(string(digit), 64) + "/"
}

const machineID = "0123456789abcdef0123456789abcdef"

func TestAnImageInOrderHasNoGap(t *testing.T) {
	for name, set := range map[string]*evidence.Set{
		"folder": scan(t, hosttest.Folder(t, image())),
		"tar":    scan(t, hosttest.Pack(t, hosttest.Folder(t, image()))),
	} {
		for _, g := range set.Gaps {
			t.Errorf("%s: %s: %s", name, g.Asked, g.Err)
		}
		seen := map[string]int{}
		for _, r := range set.Records {
			seen[r.Self().ID.Thing()]++
		}
		for _, want := range []string{
			"journal", "auditd#process", "sysmon#process", "sensor/Falco#process", "var/log/syslog", "var/log/audit/audit.log",
			"clock", "memory", "docker/containers/web", "docker/containers/db/stdout", "docker/output#application", "pods",
		} {
			if seen[want] == 0 {
				t.Errorf("%s: there is no %s", name, want)
			}
		}
		if t.Failed() {
			t.Log(written(t, set))
		}
	}
}

// asked are what gaps name, in order.
func asked(set *evidence.Set) []string {
	var out []string
	for _, g := range set.Gaps {
		out = append(out, g.Asked+": "+g.Err)
	}
	slices.Sort(out)
	return out
}
