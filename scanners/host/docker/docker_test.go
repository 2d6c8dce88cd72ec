package docker_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/compose"
	"lookback/scanners/host/docker"
	"lookback/scanners/host/hosttest"
	"lookback/scanners/host/root"
	"lookback/scanners/tree"
)

const (
	id   = "48a705b5a3c2add15c312d15aef5c08941ae3761ec4343b8b8f7064102ec394d"
	data = "var/lib/docker/containers/" + id + "/"
	sha  = "sha256:da74f39c1e8830f9973fa767bde614e5f15e3edde913d85671b5524623405040"
)

// config is a config.v2.json as Docker 20.10 writes it, shortened.
func config(more string) string {
	return `{"State":{"Running":true,"StartedAt":"2026-05-01T08:00:00Z","FinishedAt":"0001-01-01T00:00:00Z"},"ID":"` + id + `",
"Path":"/docker-entrypoint.sh","Args":["nginx"],"Config":{"Env":["TOKEN=s3cret"],"Image":"nginx:1.27","Labels":{}},
"Image":"` + sha + `","NetworkSettings":{"Networks":{"shop":{"Aliases":["web"]}}},"Name":"/web","Driver":"overlay2","MountPoints":{}` + more + `}`
}

func hostConfig(driver, options, more string) string {
	return `{"Binds":null,"LogConfig":{"Type":"` + driver + `","Config":` + options + `},"NetworkMode":"shop","AutoRemove":false` + more + `}`
}

// judged returns the lines of verdicts on one subject.
func judged(set *evidence.Set, check string) (out []string) {
	for _, line := range hosttest.Judge(set) {
		if strings.Contains(line, " "+check+" ") {
			out = append(out, line)
		}
	}
	return out
}

func want(t *testing.T, got []string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, w) }) {
			t.Errorf("no verdict says %q in:\n%s", w, strings.Join(got, "\n"))
		}
	}
}

func TestAHostWithoutDockerHasNoContainers(t *testing.T) {
	set := hosttest.Scan(t, map[string]string{"etc/hostname": "web-1"}, docker.Read)
	if len(set.Records) != 1 || len(set.Gaps) != 0 {
		t.Errorf("got\n%s", hosttest.Dump(set))
	}
}

func TestAFreshDaemonKeepsOutputInFilesThatEndWithTheContainer(t *testing.T) {
	set := hosttest.Scan(t, map[string]string{"var/lib/docker/containers/": ""}, docker.Read)
	s := hosttest.Record[*evidence.LogSource](t, set, "host:web-1//docker/output#application")
	if s.Kind != scanners.KindContainerOutput || !slices.Equal(s.Covers, []evidence.ID{"host:web-1//docker/container"}) {
		t.Errorf("got a %s that covers %q", s.Kind, s.Covers)
	}
	store := hosttest.Record[*evidence.LogStore](t, set, s.To[0].To)
	if kept, known := store.Kept.Get(); !known || kept != evidence.Forever || !store.Bytes.IsMoot() {
		t.Errorf("kept %v %v, bytes %v; want no bound", kept, known, store.Bytes)
	}
	want(t, judged(set, "shipped-off-asset"), `fail shipped-off-asset host:web-1//docker/output#application: the output of new containers is left to the daemon`)
	if len(set.Records) != 4 { // the host, the container to come, its output, its files
		t.Errorf("got\n%s", hosttest.Dump(set))
	}
}

func TestTheDaemonIsConfiguredByItsFileAndItsFlags(t *testing.T) {
	const unitFile = "[Service]\nExecStart=/usr/sbin/dockerd -H fd:// $DOCKER_OPTS\n[Install]\nWantedBy=multi-user.target\n"
	for name, c := range map[string]struct {
		files map[string]string
		to    string // where output goes
		at    string // what is cited
		gap   string
	}{
		"journald": {map[string]string{"etc/docker/daemon.json": "{\n  \"log-driver\": \"journald\"\n}"}, "host:web-1//journal", "etc/docker/daemon.json:2", ""},
		"syslog over TLS": {
			map[string]string{"etc/docker/daemon.json": `{"log-driver": "syslog", "log-opts": {"syslog-address": "tcp+tls://logs.example.net:6514"}}`},
			"syslog:logs.example.net:6514//", "etc/docker/daemon.json:1", "",
		},
		"flags": {
			map[string]string{"usr/lib/systemd/system/docker.service": unitFile, "etc/default/docker": "# DOCKER_OPTS=\"--log-driver none\"\nDOCKER_OPTS=\"--log-driver=gelf --log-opt gelf-address=udp://192.0.2.1:12201\"\n"},
			"gelf:192.0.2.1:12201//", "usr/lib/systemd/system/docker.service:0", "",
		},
		"bad JSON":   {map[string]string{"etc/docker/daemon.json": `{"log-driver": }`}, "host:web-1//docker/container/stdout", "etc/docker/daemon.json:0", "the file etc/docker/daemon.json"},
		"unreadable": {map[string]string{"etc/docker/daemon.json/x": "a folder"}, "host:web-1//docker/container/stdout", "etc/docker/daemon.json:0", "the file etc/docker/daemon.json"},
		"a unit that is unreadable": {
			map[string]string{"var/lib/docker/": "", "usr/lib/systemd/system/docker.service": "-> docker.service"},
			"host:web-1//docker/container/stdout", "etc/systemd/system:0", "the unit file usr/lib/systemd/system/docker.service",
		},
		"a number for an option": {map[string]string{"etc/docker/daemon.json": `{"log-driver": "local", "log-opts": {"max-file": 3}}`}, "host:web-1//docker/container/stdout", "etc/docker/daemon.json:1", `the log option "max-file"`},
		"the snap":               {map[string]string{"var/snap/docker/current/config/daemon.json": `{"log-driver": "journald"}`}, "host:web-1//journal", "var/snap/docker/current/config/daemon.json:1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			set := hosttest.Scan(t, c.files, docker.Read)
			s := hosttest.Record[*evidence.LogSource](t, set, "host:web-1//docker/output#application")
			if len(s.To) != 1 || string(s.To[0].To) != c.to {
				t.Errorf("it goes to %v, want %s", s.To, c.to)
			}
			if at := s.Complete.At(); fmt.Sprintf("%s:%d", at.File, at.Line) != c.at {
				t.Errorf("cited %s:%d, want %s", at.File, at.Line, c.at)
			}
			var gaps []string
			for _, g := range set.Gaps {
				gaps = append(gaps, g.Asked)
			}
			if got := strings.Join(gaps, ", "); got != c.gap {
				t.Errorf("gaps %q, want %q", got, c.gap)
			}
			for _, line := range hosttest.Judge(set) {
				if strings.HasPrefix(line, "pass") && c.gap != "" {
					t.Error("a pass of what was not read:", line)
				}
			}
		})
	}
}

func TestAContainerKeepsTheDriverThatItWasMadeWith(t *testing.T) {
	set := hosttest.Scan(t, map[string]string{
		"etc/docker/daemon.json":                          `{"log-driver": "syslog", "log-opts": {"syslog-address": "tcp://logs.example.net:601"}}`,
		data + "config.v2.json":                           config(""),
		data + "hostconfig.json":                          hostConfig("json-file", `{"max-size":"10m","max-file":"3"}`, ""),
		data + id + "-json.log":                           `{"log":"a\n","stream":"stdout","time":"2026-05-30T10:00:00.5Z"}` + "\n",
		data + id + "-json.log.1":                         `{"log":"a\n","stream":"stdout","time":"2026-05-20T10:00:00.5Z"}` + "\n",
		data + id + "-json.log.2":                         `{"log":"s3cret in a line\n","stream":"stdout","time":"2026-05-10T10:00:00.5Z"}` + "\n",
		"var/lib/docker/image/overlay2/repositories.json": `{"Repositories":{"nginx":{"nginx:1.27":"` + sha + `","nginx@sha256:` + strings.Repeat("a", 64) + `":"` + sha + `"}}}`,
	}, docker.Read)
	store := hosttest.Record[*evidence.LogStore](t, set, "host:web-1//docker/containers/web/stdout")
	if n, _ := store.Bytes.Get(); n != 30_000_000 {
		t.Errorf("it holds %d bytes, want 30000000", n)
	}
	oldest, _ := store.Oldest.Get()
	newest, _ := store.Newest.Get()
	if got := oldest.Format("01-02") + " " + newest.Format("01-02"); got != "05-10 05-30" {
		t.Errorf("it reaches from %s", got)
	}
	if lost, known := store.Dropped.Get(); !lost || !known {
		t.Errorf("dropped is %v, %v: all of its three files are there", lost, known)
	}
	if exact, known := hosttest.Record[*evidence.Access](t, set, "host:web-1//docker/containers/web/image").Exact.Get(); !exact || !known {
		t.Error("the digest of its image is on the host")
	}
	want(t, judged(set, "shipped-off-asset"),
		"fail shipped-off-asset host:web-1//docker/containers/web/stdout#application: the output of web is kept in Docker's json-file log, which ends with it",
		"pass shipped-off-asset host:web-1//docker/output#application")
	want(t, judged(set, "recorded-application"), "pass recorded-application host:web-1//docker/containers/web:")
	for _, r := range set.Records {
		if strings.Contains(fmt.Sprintf("%+v", r), "s3cret") {
			t.Errorf("%s holds a secret", r.Self().ID)
		}
	}
}

func TestAnImageIsCalledByItsName(t *testing.T) {
	const repositories = "var/lib/docker/image/overlay2/repositories.json"
	named := `{"Repositories":{"nginx":{"nginx:1.27":"` + sha + `"}}}`
	for name, c := range map[string]struct {
		asked, repositories string
		knows               bool // that the image is nginx
		exact               string
	}{
		"by its name":              {"nginx:1.27", "", true, "false true false"},
		"by its digest":            {"nginx@sha256:" + strings.Repeat("a", 64), "", true, "true true false"},
		"by its ID":                {sha, named, true, "false false true"},
		"by a short ID":            {"da74f39c1e88", named, true, "false false true"},
		"by an ID without a name":  {"da74f39c1e88", `{"Repositories":{}}`, false, "false false false"},
		"built here":               {"nginx:1.27", named, true, "false false true"},
		"by a name that has moved": {"nginx:1.27", strings.Replace(named, "da74", "ffff", 1), true, "false true false"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{
				data + "config.v2.json":  strings.Replace(config(""), `"Image":"nginx:1.27"`, `"Image":"`+c.asked+`"`, 1),
				data + "hostconfig.json": hostConfig("local", "{}", ""),
			}
			if c.repositories != "" {
				files[repositories] = c.repositories
			}
			set := hosttest.Scan(t, files, docker.Read)
			on, known := hosttest.Record[*evidence.LogSource](t, set, "host:web-1//docker/containers/web/stdout#application").Enabled.Get()
			if on != c.knows || known != c.knows {
				t.Errorf("whether it records is %v, %v", on, known)
			}
			exact := hosttest.Record[*evidence.Access](t, set, "host:web-1//docker/containers/web/image").Exact
			pinned, known := exact.Get()
			if got := fmt.Sprint(pinned, known, exact.IsMoot()); got != c.exact {
				t.Errorf("exact is %s, want %s", got, c.exact)
			}
		})
	}
}

func TestWhatAContainerMountsIsJudgedAsInAManifest(t *testing.T) {
	mount := func(kind, name, source string) string {
		return fmt.Sprintf(`,"MountPoints":{"/var/log/nginx":{"Type":"%s","Source":"%s","Destination":"/var/log/nginx","Name":"%s","Driver":"local","RW":true}}`, kind, source, name)
	}
	for name, c := range map[string]struct {
		mounts, opts string
		hidden       evidence.Hiding
		on           evidence.ID // what the files in the mount rest on; "" where there are none
	}{
		"a folder of the host":  {mount("bind", "", "/srv/logs"), "", evidence.HiddenDiverted, "host:web-1//host"},
		"a volume with links":   {mount("volume", "logs", "/var/lib/docker/volumes/logs/_data"), "", evidence.HiddenNot, "host:web-1//host"},
		"memory":                {mount("tmpfs", "", ""), "", evidence.HiddenDiverted, "host:web-1//docker/containers/web"},
		"a volume in memory":    {mount("volume", "logs", ""), `{"MountType":"tmpfs","MountOpts":"","MountDevice":"tmpfs"}`, evidence.HiddenDiverted, "host:web-1//docker/containers/web"},
		"a volume elsewhere":    {mount("volume", "logs", ""), `{"MountType":"nfs","MountOpts":"addr=192.0.2.9","MountDevice":":/x"}`, evidence.HiddenNot, "host:web-1//docker/volume/logs"},
		"a volume with no name": {mount("volume", strings.Repeat("0a", 32), ""), "", evidence.HiddenNot, "host:web-1//host"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{data + "config.v2.json": config(c.mounts), data + "hostconfig.json": hostConfig("none", "null", "")}
			if c.opts != "" {
				files["var/lib/docker/volumes/logs/opts.json"] = c.opts
			}
			set := hosttest.Scan(t, files, docker.Read)
			out := hosttest.Record[*evidence.LogSource](t, set, "host:web-1//docker/containers/web/stdout#application")
			if hidden, _ := out.Hidden.Get(); hidden != c.hidden {
				t.Errorf("the output is hidden: %q, want %q", hidden, c.hidden)
			}
			file := hosttest.Record[*evidence.LogSource](t, set, "host:web-1//docker/containers/web/file/var/log/nginx#application")
			if on, _ := hosttest.Record[*evidence.LogStore](t, set, file.To[0].To).On.Get(); !slices.Equal(on, []evidence.ID{c.on}) {
				t.Errorf("the files rest on %q, want %q", on, c.on)
			}
		})
	}
}

func TestTheSyslogServiceOfTheHostDecides(t *testing.T) {
	files := map[string]string{
		"etc/docker/daemon.json": `{"log-driver": "syslog"}`,
		data + "config.v2.json":  config(""),
		data + "hostconfig.json": hostConfig("syslog", `{"syslog-facility":"local3","mode":"non-blocking"}`, ""),
	}
	set := hosttest.Scan(t, files, docker.Read)
	const web = "host:web-1//docker/containers/web/stdout#application"
	if to := hosttest.Record[*evidence.LogSource](t, set, web).To; len(to) != 1 || to[0].To != "host:web-1//host/syslog/" {
		t.Errorf("it goes to %v", to)
	}
	hosttest.Record[*evidence.LogStore](t, set, "host:web-1//host/syslog/")

	files["usr/lib/systemd/system/rsyslog.service"] = "[Service]\nExecStart=/usr/sbin/rsyslogd -n\n[Install]\nWantedBy=multi-user.target\n"
	files["etc/systemd/system/multi-user.target.wants/rsyslog.service"] = "-> /usr/lib/systemd/system/rsyslog.service"
	files["usr/sbin/rsyslogd"] = "mode 755\n"
	files["etc/rsyslog.conf"] = "module(load=\"imuxsock\")\ndaemon.* /var/log/daemon.log\nlocal3.* @@logs.example.net:601\n"
	set = hosttest.Scan(t, files, docker.Read)
	goes := func(id evidence.ID) (out []string) {
		for _, d := range hosttest.Record[*evidence.LogSource](t, set, id).To {
			safe, known := d.Lossless.Get()
			out = append(out, fmt.Sprintf("%s %v %v", d.To, safe, known))
		}
		return out
	}
	if got := goes(web); !slices.Equal(got, []string{"syslog:logs.example.net:601// false true"}) {
		t.Errorf("facility local3 goes to %q", got)
	}
	if got := goes("host:web-1//docker/output#application"); len(got) != 1 || !strings.HasPrefix(got[0], "host:web-1//var/log/daemon.log ") {
		t.Errorf("facility daemon goes to %q", got)
	}
	for _, r := range set.Records {
		if r.Self().ID == "host:web-1//host/syslog/" {
			t.Error("the service is known, and stands there as one that is not")
		}
	}
}

func TestWhatIsLeftOfContainersThatEnded(t *testing.T) {
	ended := strings.NewReplacer(`"Running":true`, `"Running":false`, `"FinishedAt":"0001-01-01`, `"FinishedAt":"2026-05-02`).Replace(config(""))
	files := map[string]string{
		data + "config.v2.json":  ended,
		data + "hostconfig.json": hostConfig("local", "{}", ""),
		"var/lib/docker/image/overlay2/layerdb/mounts/" + id + "/mount-id": "5ac8",
		"var/lib/docker/overlay2/5ac8/diff/tmp/x":                          "",
	}
	const web = "host:web-1//docker/containers/web"
	set := hosttest.Scan(t, files, docker.Read)
	if a := hosttest.Record[*evidence.Asset](t, set, web); a.Kind != "exited container" || !a.Lingers.IsMoot() {
		t.Errorf("got a %s that lingers %v", a.Kind, a.Lingers)
	}
	want(t, judged(set, "acquirable-disk"), "pass acquirable-disk "+web+"/layer: the file system of web (ended 2026-05-02) can be copied")

	delete(files, "var/lib/docker/overlay2/5ac8/diff/tmp/x")
	files["etc/cron.daily/cleanup"] = "#!/bin/sh\n# docker system prune\ndocker  system prune -af\n"
	set = hosttest.Scan(t, files, docker.Read)
	a := hosttest.Record[*evidence.Asset](t, set, web)
	if seconds, known := a.Lingers.Get(); !known || seconds != 0 || a.Lingers.At().File != "etc/cron.daily/cleanup" || a.Lingers.At().Line != 3 {
		t.Errorf("it lingers %v", a.Lingers)
	}
	want(t, judged(set, "acquirable-disk"), "fail acquirable-disk "+web+"/layer: ")

	delete(files, "etc/cron.daily/cleanup")
	files[data+"hostconfig.json"] = strings.Replace(hostConfig("local", "{}", ""), `"AutoRemove":false`, `"AutoRemove":true`, 1)
	set = hosttest.Scan(t, files, docker.Read)
	want(t, judged(set, "shipped-after-exit"), "fail shipped-after-exit "+web+"/stdout#application: the output of web can be looked at for 0 seconds after the end")
}

func TestATimerThatPrunesCountsWhileItIsOn(t *testing.T) {
	files := map[string]string{
		"var/lib/docker/containers/":           "",
		"etc/systemd/system/docker-gc.timer":   "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n",
		"etc/systemd/system/docker-gc.service": "[Service]\nExecStart=/usr/bin/docker container prune -f\n",
	}
	if a := hosttest.Record[*evidence.Asset](t, hosttest.Scan(t, files, docker.Read), "host:web-1//docker/container"); !a.Lingers.IsMoot() {
		t.Errorf("nothing starts the timer, and it lingers %v", a.Lingers)
	}
	files["etc/systemd/system/timers.target.wants/docker-gc.timer"] = "-> ../docker-gc.timer"
	a := hosttest.Record[*evidence.Asset](t, hosttest.Scan(t, files, docker.Read), "host:web-1//docker/container")
	if _, known := a.Lingers.Get(); !known || a.Lingers.At().File != "etc/systemd/system/docker-gc.service" {
		t.Errorf("it lingers %v", a.Lingers)
	}
}

func TestWhatCannotBeReadIsNotJudged(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"broken":     {data + "config.v2.json": `{"State":`, data + "hostconfig.json": hostConfig("local", "{}", "")},
		"cut off":    {data + "config.v2.json": config(""), data + "hostconfig.json": `{"LogConfig":{"Type":"loc`},
		"half there": {data + "config.v2.json": config("")},
		"unreadable": {data + "config.v2.json/x": "a folder", data + "hostconfig.json": hostConfig("local", "{}", "")},
	} {
		t.Run(name, func(t *testing.T) {
			set := hosttest.Scan(t, files, docker.Read)
			hosttest.Record[*evidence.Asset](t, set, "host:web-1//docker/containers/48a705b5a3c2")
			want(t, judged(set, "recorded-application"), "not-assessed recorded-application host:web-1//docker/containers/48a705b5a3c2")
			if len(set.Gaps) != 1 || set.Gaps[0].Asked != "the container 48a705b5a3c2" {
				t.Errorf("got\n%s", hosttest.Dump(set))
			}
		})
	}
	set := hosttest.Scan(t, map[string]string{"var/lib/docker/containers": "a file"}, docker.Read)
	want(t, judged(set, "recorded-application"), "not-assessed recorded-application host:web-1//docker/containers:")
	set = hosttest.Scan(t, map[string]string{"home/alice/.local/share/docker/containers/": ""}, docker.Read)
	if len(set.Gaps) != 1 || set.Gaps[0].Asked != "the containers of alice's own Docker daemon" {
		t.Errorf("got\n%s", hosttest.Dump(set))
	}
}

func TestWhatIsRootsIsNotAssessed(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	top := hosttest.Folder(t, map[string]string{data + "config.v2.json": config(""), data + "hostconfig.json": hostConfig("none", "{}", "")})
	closed := filepath.Join(top, "var/lib/docker")
	if err := os.Chmod(closed, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(closed, 0o755) })
	r, err := root.Open(top)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	set := hosttest.Run(t, r, nil, docker.Read)
	want(t, judged(set, "recorded-application"), "not-assessed recorded-application host:web-1//docker/containers:")
	for _, g := range set.Gaps {
		if g.Why != evidence.Denied {
			t.Errorf("%s: %s", g.Asked, g.Why)
		}
	}
}

func TestSensorsAndShippersInContainersCount(t *testing.T) {
	falco := "var/lib/docker/containers/" + strings.Repeat("f", 64) + "/"
	const mounts = `"MountPoints":{"/logs":{"Type":"bind","Source":"/var/lib/docker/containers","Destination":"/logs"},
"/fluent-bit/etc/fluent-bit.conf":{"Type":"bind","Source":"/srv/bit.conf","Destination":"/fluent-bit/etc/fluent-bit.conf"}}`
	bit := "var/lib/docker/containers/" + strings.Repeat("b", 64) + "/"
	set := hosttest.Scan(t, map[string]string{
		data + "config.v2.json":   config(""),
		data + "hostconfig.json":  hostConfig("json-file", "{}", ""),
		falco + "config.v2.json":  strings.NewReplacer("nginx:1.27", "falcosecurity/falco:0.40.0", "/web", "/falco").Replace(config("")),
		falco + "hostconfig.json": hostConfig("json-file", "{}", ""),
		bit + "config.v2.json":    strings.NewReplacer("nginx:1.27", "fluent/fluent-bit:3.2", "/web", "/bit", `"MountPoints":{}`, mounts).Replace(config("")),
		bit + "hostconfig.json":   hostConfig("json-file", "{}", ""),
		"srv/bit.conf":            "[INPUT]\n    Name tail\n    Path /logs/*/*.log\n    Tag docker\n[OUTPUT]\n    Name forward\n    Match *\n    Host logs.example.net\n",
	}, docker.Read)
	s := hosttest.Record[*evidence.LogSource](t, set, "host:web-1//docker/containers/falco/events#process")
	if !slices.Equal(s.Covers, []evidence.ID{"host:web-1//host"}) {
		t.Errorf("the sensor covers %q", s.Covers)
	}
	if _, asked := s.Parts[evidence.PartEveryNode]; asked {
		t.Error("one machine has no nodes")
	}
	want(t, judged(set, "shipped-off-host"),
		"pass shipped-off-host host:web-1//docker/containers/web/stdout#application", "pass shipped-off-host host:web-1//docker/output#application")
}

// TestAScanOfTheHostAnswersForManifests is "lookback scan host --save node.jsonl", then "lookback scan --with node.jsonl".
func TestAScanOfTheHostAnswersForManifests(t *testing.T) {
	const manifest = "services:\n  web:\n    image: httpd:2.4\n"
	for name, c := range map[string]struct{ daemon, says string }{
		"nothing written": {`{}`, "fail shipped-off-asset compose:.//web/stdout#application: the output of web is left to the daemon; Docker's own default keeps it only as long as the container"},
		"files":           {`{"log-driver": "local"}`, "fail shipped-off-asset compose:.//web/stdout#application: the output of web is kept in Docker's local log, which ends with it"},
		"the journal":     {`{"log-driver": "journald"}`, "pass shipped-off-asset compose:.//web/stdout#application: the output of web goes to the journal of the host"},
		"a server":        {`{"log-driver": "syslog", "log-opts": {"syslog-address": "tcp://logs.example.net:601"}}`, "pass shipped-off-host compose:.//web/stdout#application: the output of web goes to logs.example.net:601 (syslog)"},
	} {
		t.Run(name, func(t *testing.T) {
			with := hosttest.Scan(t, map[string]string{"etc/docker/daemon.json": c.daemon}, docker.Read)
			var declared scanners.Declared
			declared.Answer(with)
			set := scanCompose(t, manifest, declared)
			set.With = with.Records
			got := hosttest.Judge(set)
			want(t, got, c.says)
			for _, line := range got {
				if strings.Contains(line, "host:web-1") {
					t.Errorf("the host itself is judged: %s", line)
				}
			}
		})
	}
}

func scanCompose(t *testing.T, manifest string, declared scanners.Declared) *evidence.Set {
	t.Helper()
	tr, err := tree.Open(hosttest.Folder(t, map[string]string{"compose.yaml": manifest}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	set := &evidence.Set{Started: hosttest.Now, Ended: hosttest.Now}
	c := &compose.Scanner{}
	kept := c.Offer(tree.File{Name: "compose.yaml", Content: []byte(manifest)})
	if err := c.Scan(t.Context(), scanners.Target{Tree: tr, Declared: declared}, []any{kept}, set); err != nil {
		t.Fatal(err)
	}
	set.Sort()
	return set
}

func TestHostileFilesEndInGaps(t *testing.T) {
	set := hosttest.Scan(t, map[string]string{
		"var/lib/docker/containers/\x1b[31m/config.v2.json":  strings.Replace(config(""), "/web", `/\u001b[31m../../x`, 1),
		"var/lib/docker/containers/\x1b[31m/hostconfig.json": hostConfig("json-file", `{"max-size":"-9999999999999999999g","max-file":"0"}`, `,"Tmpfs":{"../..":""}`),
		data + "config.v2.json":                              "-> /etc/shadow",
		data + "hostconfig.json":                             "-> hostconfig.json",
		"etc/docker/daemon.json":                             `{"data-root": "../../var/lib/docker", "log-opts": {"a": {"b": []}}}`,
	}, docker.Read)
	ids := map[evidence.ID]int{}
	for _, r := range set.Records {
		ids[r.Self().ID]++
	}
	for id := range maps.Keys(ids) {
		if strings.Contains(string(id), "..") {
			t.Errorf("the ID %q was taken from what a container calls itself", id)
		}
	}
	hosttest.Judge(set)
}
