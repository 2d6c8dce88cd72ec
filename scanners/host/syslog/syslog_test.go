package syslog

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"lookback/evidence"
	"lookback/scanners/host/hosttest"
	"lookback/scanners/host/journald"
	"lookback/scanners/host/scope"
)

func data(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// host is a machine with systemd, logrotate and rsyslog.
func host(t testing.TB, conf string, more ...string) map[string]string {
	t.Helper()
	files := map[string]string{
		"usr/sbin/rsyslogd": "", "etc/rsyslog.conf": conf, "usr/sbin/logrotate": "", "etc/cron.daily/logrotate": "/usr/sbin/logrotate /etc/logrotate.conf",
		"etc/logrotate.conf":                                         "include /etc/logrotate.d\n",
		"etc/logrotate.d/rsyslog":                                    data(t, "logrotate-rsyslog"),
		"usr/sbin/init":                                              "-> ../lib/systemd/systemd",
		"usr/lib/systemd/systemd":                                    "",
		"usr/lib/systemd/systemd-journald":                           "",
		"etc/systemd/journald.conf":                                  "[Journal]\n#ForwardToSyslog=yes\n",
		"usr/lib/systemd/system/rsyslog.service":                     "[Service]\nExecStart=/usr/sbin/rsyslogd\n[Install]\nWantedBy=multi-user.target\n",
		"usr/lib/systemd/system/multi-user.target":                   "",
		"usr/lib/systemd/system/default.target":                      "-> multi-user.target",
		"etc/systemd/system/multi-user.target.wants/rsyslog.service": "-> /usr/lib/systemd/system/rsyslog.service",
	}
	for i := 0; i < len(more); i += 2 {
		if files[more[i]] = more[i+1]; more[i+1] == "-" {
			delete(files, more[i])
		}
	}
	return files
}

// ng is such a machine with syslog-ng.
func ng(t testing.TB, conf string, more ...string) map[string]string {
	files := host(t, "", "usr/sbin/rsyslogd", "-", "etc/rsyslog.conf", "-")
	files["usr/sbin/syslog-ng"], files["etc/syslog-ng/syslog-ng.conf"] = "", conf
	files["usr/lib/systemd/system/syslog-ng.service"] = "[Install]\nWantedBy=multi-user.target\n"
	files["etc/systemd/system/multi-user.target.wants/syslog-ng.service"] = "-> /usr/lib/systemd/system/syslog-ng.service"
	for i := 0; i < len(more); i += 2 {
		files[more[i]] = more[i+1]
	}
	return files
}

func say[T any](v evidence.Value[T]) string {
	return strings.TrimSpace(strings.Trim(hosttest.Say(v), "{}"))
}

// sources are what an activity's sources say, a line each: "syslog on: var/log/auth.log all".
func sources(set *evidence.Set, a evidence.Activity) []string {
	var out []string
	for _, r := range set.Records {
		if l, ok := r.(*evidence.LogSource); ok && l.Activity == a {
			line := strings.TrimSuffix(l.ID.Thing(), "#"+string(a)) + " " + say(l.Enabled)
			if say(l.Complete) != "true" {
				line += " open"
			}
			for _, d := range l.To {
				line += "; " + strings.TrimPrefix(string(d.To), "host:web-1//") + " " + say(d.Extent)
				if !d.Lossless.IsMoot() {
					line += " lossless " + say(d.Lossless)
				}
			}
			out = append(out, line)
		}
	}
	return out
}

func stores(set *evidence.Set) map[string]*evidence.LogStore {
	out := map[string]*evidence.LogStore{}
	for _, r := range set.Records {
		if s, ok := r.(*evidence.LogStore); ok {
			out[s.ID.Thing()] = s
		}
	}
	return out
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestDebiansOwnRsyslog(t *testing.T) {
	files := host(t, data(t, "debian/etc/rsyslog.conf"), "var/log/auth.log", "2026-05-30T00:00:00Z web-1 sshd[1]: x\n", "var/log/auth.log.1", "2026-05-01T00:00:00Z web-1 x\n")
	set := hosttest.Scan(t, files, Read)
	same(t, sources(set, evidence.Login), []string{"syslog true; var/log/auth.log all"})
	same(t, sources(set, evidence.System), []string{"syslog true; var/log/syslog all"})
	if stores(set)["var/log/kern.log"] == nil {
		t.Error("there is no store of kern.log")
	}
	auth := stores(set)["var/log/auth.log"]
	if say(auth.Kept) != "28" || !auth.Bytes.IsMoot() || say(auth.Dropped) != "false" || !strings.HasPrefix(say(auth.Oldest), "2026-05-01") {
		t.Errorf("auth.log is kept %s, its oldest record is of %s", say(auth.Kept), say(auth.Oldest))
	}
	if len(set.Gaps) > 0 {
		t.Errorf("gaps: %v", set.Gaps)
	}
}

func TestWhatIsReadFromTheJournal(t *testing.T) {
	set := hosttest.Scan(t, host(t, data(t, "rhel9-rsyslog.conf"), "etc/systemd/journald.conf", "[Journal]\nForwardToSyslog=no\n"), Read)
	same(t, sources(set, evidence.Login), []string{
		"syslog true; var/log/messages all lossless false",
		"syslog/authpriv true; var/log/secure all lossless false",
	})
	same(t, sources(set, evidence.System), []string{
		"syslog true; var/log/messages all lossless false",
		"syslog/cron true; var/log/cron all lossless false",
	})
}

func TestADropInThatDivertsItsOwnTakesNothingAway(t *testing.T) {
	set := hosttest.Scan(t, host(t, "module(load=\"imuxsock\")\n$IncludeConfig /etc/rsyslog.d/*.conf\n", "etc/rsyslog.d/20-cloud.conf", data(t, "ubuntu-50-default.conf")), Read)
	same(t, sources(set, evidence.Login), []string{"syslog true; var/log/auth.log all"})
}

func TestWhetherAnythingComes(t *testing.T) {
	const conf = "module(load=\"imuxsock\")\n*.* /var/log/all\n"
	const link = "etc/systemd/system/multi-user.target.wants/rsyslog.service"
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"it starts":                            {host(t, conf), "syslog true; var/log/all all"},
		"it does not start":                    {host(t, conf, link, "-"), "syslog false; var/log/all all"},
		"it is masked":                         {host(t, conf, "etc/systemd/system/rsyslog.service", "-> /dev/null"), "syslog false; var/log/all all"},
		"the journal forwards nothing":         {host(t, conf, "etc/systemd/journald.conf", "[Journal]\nForwardToSyslog=no\n"), "syslog false; var/log/all all"},
		"nobody says whether it forwards":      {host(t, conf, "etc/systemd/journald.conf", ""), "syslog elsewhere; var/log/all all"},
		"there is no journal":                  {host(t, conf, "etc/systemd/journald.conf", "-", "usr/lib/systemd/systemd-journald", "-"), "syslog true; var/log/all all"},
		"it reads the journal":                 {host(t, "module(load=\"imjournal\" ratelimit.interval=\"0\")\n*.* /var/log/all", "etc/systemd/journald.conf", "[Journal]\nForwardToSyslog=no\n"), "syslog true; var/log/all all"},
		"it has no input":                      {host(t, "*.* /var/log/all"), "syslog false; var/log/all all"},
		"it has no input that we read":         {host(t, "*.* /var/log/all\nforeach x\n"), "syslog unfamiliar open; var/log/all all"},
		"the configuration outlived it":        {host(t, conf, "usr/sbin/rsyslogd", "-"), ""},
		"the configuration is gone":            {host(t, conf, "etc/rsyslog.conf", "-"), "syslog true open"},
		"the configuration breaks off":         {host(t, conf+"if $msg contains 'x' then {"), "syslog true open"},
		"only its configuration was collected": {map[string]string{"etc/rsyslog.conf": conf}, "syslog false; var/log/all all"},
	} {
		t.Run(name, func(t *testing.T) {
			set := hosttest.Scan(t, c.files, Read)
			var want []string
			if c.want != "" {
				want = []string{c.want}
			}
			same(t, sources(set, evidence.System), want)
		})
	}
}

func TestWhereRsyslogBringsRecords(t *testing.T) {
	for conf, want := range map[string]string{
		"*.* /var/log/all":    "var/log/all all",
		"*.* -/var/log/all;T": "var/log/all all",
		"*.info;auth.none\t/var/log/a\nauth.=info /var/log/b": "var/log/a all",
		"authpriv.none;*.* /var/log/all":                      "var/log/all all",
		"*.*;authpriv.none /var/log/a":                        "",
		"authpriv.warning /var/log/a":                         "var/log/a some only some messages of authpriv",
		"authpriv.!=debug;authpriv.info /var/log/a":           "var/log/a all",
		"auth,authpriv.* @@logs.example.net:6514":             "syslog:logs.example.net:6514// all lossless false",
		"*.* @192.0.2.1":                                      "syslog:192.0.2.1// all lossless false",
		"*.* :omrelp:logs.example.net:2514":                   "syslog:logs.example.net:2514// all lossless false",
		"$ActionQueueType LinkedList\n$ActionQueueFileName q\n$ActionResumeRetryCount -1\n*.* @@logs.example.net\n*.* @@b.example.net":                                                               "syslog:logs.example.net// all lossless true; syslog:b.example.net// all lossless false",
		`action(type="omfwd" target="logs.example.net" port="6514" protocol="tcp" StreamDriver="gtls" StreamDriverMode="1" queue.type="LinkedList" queue.filename="q" action.resumeRetryCount="-1")`: "syslog:logs.example.net:6514// all lossless true",
		`action(type="omfwd" target="logs.example.net" protocol="tcp" queue.filename="q")`:                                                                                                           "syslog:logs.example.net// all lossless false",
		`action(type="omfwd" target="127.0.0.1" port="1514" protocol="tcp")`:                                                                                                                         "rsyslog/omfwd all",
		`action(type="omelasticsearch" server="es.example.net" serverport="9200")`:                                                                                                                   "omelasticsearch:es.example.net:9200// all lossless false",
		`action(type="omnew" to="x")`:                                         "rsyslog/omnew all",
		"*.* action(type=\"omfile\"\n  file=\"/var/log/x\")":                  "var/log/x all",
		"*.* :omusrmsg:*\n*.* |/dev/xconsole\n*.* /dev/console\n*.* root,bob": "",
		"*.* ^/usr/local/bin/x":                                               "rsyslog/ all",
		"$template T,\"/var/log/%HOSTNAME%/x.log\"\n*.* ?T":                   "var/log/%HOSTNAME%/x.log all",
		"template(name=\"T\" type=\"string\" string=\"/var/log/%HOSTNAME%/y.log\")\naction(type=\"omfile\" dynaFile=\"T\")": "var/log/%HOSTNAME%/y.log all",
		"*.* /run/log/x": "run/log/x all",
		"if $syslogfacility-text == 'authpriv' then /var/log/a": "var/log/a all",
		"if $syslogfacility-text == 'auth' or $syslogfacility-text == [\"cron\",\"authpriv\"] then {\naction(type=\"omfile\" file=\"/var/log/a\")\nstop\n}\n*.* /var/log/b": "var/log/a all",
		"if not ($syslogfacility-text == 'authpriv') then stop\n*.* /var/log/b":                                                                                             "var/log/b all",
		"if $syslogfacility == 10 and $syslogseverity <= 6 then { /var/log/a\n}":                                                                                            "var/log/a all",
		"if $syslogseverity <= 3 then /var/log/a":                                                                                                                           "var/log/a some only some messages of authpriv",
		"if prifilt(\"authpriv.*\") then { call out }\nruleset(name=\"out\") { action(type=\"omfile\" file=\"/var/log/a\") }":                                               "var/log/a all",
		"if $msg contains 'then' then { /var/log/a\n} else { /var/log/b\n}":                                                                                                 "var/log/a some only some messages of authpriv; var/log/b some only some messages of authpriv",
		"if re_match($msg, 'x(') then /var/log/a":                                                                                                                           "var/log/a unfamiliar",
		"if $msg contains 'noise' then stop\n*.* /var/log/a":                                                                                                                "var/log/a some only some messages of authpriv",
		":msg, contains, \"noise\" ~\n*.* /var/log/a":                                                                                                                       "var/log/a some only some messages of authpriv",
		":programname, isequal, \"noise\" /var/log/n\n& ~\n*.* /var/log/a":                                                                                                  "var/log/n some only some messages of authpriv; var/log/a all",
		":programname, !isequal, \"x\" stop\n*.* /var/log/a":                                                                                                                "var/log/a some only some messages of authpriv",
		"authpriv.* stop\n*.* /var/log/a":                                                                                                                                   "",
		"authpriv.* /var/log/a\n& stop\n*.* /var/log/b":                                                                                                                     "var/log/a all",
		"if $fromhost-ip != '127.0.0.1' then { /var/log/remote\nstop\n}\n*.* /var/log/a":                                                                                    "var/log/a all",
		"ruleset(name=\"remote\") { *.* /var/log/remote\n}\n*.* /var/log/a":                                                                                                 "var/log/a all",
		"$RuleSet remote\n*.* /var/log/remote\n$RuleSet RSYSLOG_DefaultRuleset\n*.* /var/log/a":                                                                             "var/log/a all",
		"module(load=\"imuxsock\" ruleset=\"r\")\nruleset(name=\"r\") {\n*.* /var/log/r\n}\n*.* /var/log/a":                                                                 "var/log/r all",
		"set $.x = 1;\n*.* /var/log/a":                                                                                                                                      "var/log/a all",
		"/* *.* /var/log/no */\n# *.* /var/log/no\n*.* /var/log/a":                                                                                                          "var/log/a all",
		"*.*;\\\n  auth.none  /var/log/a":                                                                                                                                   "var/log/a all",
		"authpriv.* {\n/var/log/x\n*.* /var/log/a\n}":                                                                                                                       "var/log/x all; var/log/a all",
		"include(file=\"/etc/rsyslog.d/*.conf\")":                                                                                                                           "var/log/included all",
		"if $syslogfacility-text == 'authpriv' then {\ninclude(file=\"/etc/rsyslog.d/*.conf\")\n}":                                                                          "var/log/included all",
		"frobnicate\n*.* /var/log/a":                                                                                                                                        "open var/log/a all",
		"!sshd\n*.* /var/log/a":                                                                                                                                             "open var/log/a all",
		"call nothing\n*.* /var/log/a":                                                                                                                                      "open var/log/a all",
	} {
		t.Run("", func(t *testing.T) {
			set := hosttest.Scan(t, host(t, "module(load=\"imuxsock\")\n"+conf+"\n", "etc/rsyslog.d/x.conf", "*.* /var/log/included"), func(_ context.Context, s *scope.Scope) {
				var got []string
				c := found(s)[0]
				if c.err != nil {
					t.Fatal(c.err)
				}
				for _, d := range Routes(s, "authpriv", "")[1:] {
					line := strings.TrimPrefix(string(d.To), "host:web-1//") + " " + say(d.Extent)
					if !d.Lossless.IsMoot() {
						line += " lossless " + say(d.Lossless)
					}
					got = append(got, line)
				}
				line := strings.Join(got, "; ")
				if c.open != nil {
					line = "open " + line
				}
				if line != want {
					t.Errorf("%s\ngot  %s\nwant %s", conf, line, want)
				}
			})
			_ = set
		})
	}
}

func TestDebiansOwnSyslogNG(t *testing.T) {
	set := hosttest.Scan(t, ng(t, data(t, "debian/etc/syslog-ng/syslog-ng.conf"), "etc/systemd/journald.conf", "[Journal]\nForwardToSyslog=no\n"), Read)
	login := sources(set, evidence.Login)
	if len(login) != 1 || !strings.HasPrefix(login[0], "syslog true; var/log/auth.log all") {
		t.Errorf("got %q", login)
	}
	system := sources(set, evidence.System)
	if len(system) != 1 || system[0] != "syslog true; var/log/syslog all" {
		t.Errorf("got %q", system)
	}
	if len(set.Gaps) > 0 {
		t.Errorf("gaps: %v", set.Gaps)
	}
}

func TestWhereSyslogNGBringsRecords(t *testing.T) {
	const head = "@version: 4.2\n@include \"scl.conf\"\nsource s { system(); internal(); };\ndestination a { file(\"/var/log/a\"); };\ndestination b { file(\"/var/log/b\"); };\n"
	for conf, want := range map[string]string{
		"log { source(s); destination(a); };": "var/log/a all",
		"log { source(s); filter(f); destination(a); };\nfilter f { facility(auth, authpriv) and level(debug..emerg); };":                                                      "var/log/a all",
		"filter f { facility(mail) or not facility(authpriv); };\nlog { source(s); filter(f); destination(a); };":                                                              "",
		"filter f { level(err..emerg); };\nlog { source(s); filter(f); destination(a); };":                                                                                     "var/log/a some only some messages of authpriv",
		"filter f { facility(10); };\nlog { source(s); filter(f); destination(a); };":                                                                                          "var/log/a all",
		"filter f { program(\"^noise$\"); };\nlog { source(s); filter(f); destination(a); flags(final); };\nlog { source(s); destination(b); };":                               "var/log/a some only some messages of authpriv; var/log/b all",
		"filter f { message(\"noise\"); };\nlog { source(s); filter(f); flags(final); };\nlog { source(s); destination(b); };":                                                 "var/log/b some only some messages of authpriv",
		"log { source(s); filter { facility(authpriv); }; destination(a); flags(final); };\nlog { source(s); destination(b); };":                                               "var/log/a all",
		"filter f { host(\"web\"); };\nlog { source(s); filter(f); destination(a); };":                                                                                         "var/log/a unfamiliar",
		"filter f { filter(g); }; filter g { filter(f); };\nlog { source(s); filter(f); destination(a); };":                                                                    "var/log/a unfamiliar",
		"log { source(s); filter(none); destination(a); };":                                                                                                                    "var/log/a unfamiliar",
		"log { source(none); destination(a); };":                                                                                                                               "var/log/a unfamiliar",
		"source net { network(port(514)); };\nlog { source(net); destination(a); };":                                                                                           "",
		"log { source { unix-dgram(\"/dev/log\"); }; destination { file(\"/var/log/c\"); }; };":                                                                                "var/log/c all",
		"log { source(s); if (match(\"x\")) { destination(a); } else { destination(b); }; };":                                                                                  "var/log/a unfamiliar; var/log/b unfamiliar",
		"log { source(s); log { filter { facility(authpriv); }; destination(a); }; log { filter { facility(mail); }; destination(b); }; };":                                    "var/log/a all",
		"destination n { network(\"logs.example.net\" port(6514) transport(\"tls\") disk_buffer(disk-buf-size(10000) reliable(yes))); };\nlog { source(s); destination(n); };": "syslog:logs.example.net:6514// all lossless true",
		"destination n { syslog(\"logs.example.net\"); udp(\"192.0.2.1\"); };\nlog { source(s); destination(n); };":                                                            "syslog:logs.example.net// all lossless false; syslog:192.0.2.1// all lossless false",
		"destination n { http(url(\"https://in.example.net/x\")); };\nlog { source(s); destination(n); };":                                                                     "http:in.example.net// all lossless false",
		"destination n { frobnicate(\"x\"); };\nlog { source(s); destination(n); };":                                                                                           "syslog-ng/frobnicate all",
		"destination n { file(\"/var/log/$HOST/x\"); usertty(\"root\"); pipe(\"/dev/xconsole\"); };\nlog { source(s); destination(n); };":                                      "var/log/$HOST/x all",
		"@include \"conf.d/*.conf\"":                           "var/log/a all",
		"@include \"`mine`/*.conf\"":                           "open ",
		"@define x \"y\"\nlog { source(s); destination(a); };": "open var/log/a all",
		"parser p { csv-parser(columns(\"a;b\")); }; rewrite r { set(\"}\", value(\"x\")); };\nlog { source(s); parser(p); rewrite(r); destination(a); };": "var/log/a all",
	} {
		t.Run("", func(t *testing.T) {
			hosttest.Scan(t, ng(t, head+conf+"\n", "etc/syslog-ng/conf.d/x.conf", "log { source(s); destination(a); };\n"), func(_ context.Context, s *scope.Scope) {
				c := found(s)[0]
				if c.err != nil {
					t.Fatal(conf, c.err)
				}
				var got []string
				for _, d := range Routes(s, "authpriv", "")[1:] {
					line := strings.TrimPrefix(string(d.To), "host:web-1//") + " " + say(d.Extent)
					if !d.Lossless.IsMoot() {
						line += " lossless " + say(d.Lossless)
					}
					got = append(got, line)
				}
				line := strings.Join(got, "; ")
				if c.open != nil {
					line = "open " + line
				}
				if line != want {
					t.Errorf("%s\ngot  %s\nwant %s", conf, line, want)
				}
			})
		})
	}
}

func TestRoutesOfASensor(t *testing.T) {
	routes := func(files map[string]string) (out []string) {
		hosttest.Scan(t, files, journald.Read, func(_ context.Context, s *scope.Scope) {
			for _, d := range Routes(s, "user", "sysmon") {
				out = append(out, fmt.Sprintf("%s %s whole %s", strings.TrimPrefix(string(d.To), "host:web-1//"), say(d.Extent), say(d.Whole)))
			}
		})
		return out
	}
	same(t, routes(host(t, data(t, "debian/etc/rsyslog.conf"))), []string{
		"journal all whole true", "var/log/syslog all whole false", "var/log/user.log all whole false",
	})
	same(t, routes(host(t, "$MaxMessageSize 64k\nmodule(load=\"imuxsock\")\n:programname, isequal, \"sysmon\" /var/log/sysmon.log\n& stop\n*.* /var/log/all")), []string{
		"journal all whole true", "var/log/sysmon.log all whole true",
	})
	same(t, routes(host(t, "global(maxMessageSize=\"much\")\nmodule(load=\"imuxsock\")\n*.* /var/log/all", "etc/systemd/journald.conf", "[Journal]\nForwardToSyslog=no\n")), []string{
		"journal all whole true",
	})
	same(t, routes(host(t, "global(maxMessageSize=\"much\")\nmodule(load=\"imuxsock\")\n*.* /var/log/all")), []string{
		"journal all whole true", "var/log/all all whole unfamiliar",
	})
	same(t, routes(ng(t, "options { log_msg_size(8192); };\nsource s { system(); };\ndestination d { file(\"/var/log/all\"); };\nlog { source(s); destination(d); };")), []string{
		"journal all whole true", "var/log/all all whole false",
	})
	same(t, routes(map[string]string{"etc/hostname": "x"}), nil)
	same(t, routes(host(t, "ruleset(", "etc/systemd/journald.conf", "-", "usr/lib/systemd/systemd-journald", "-")), []string{"rsyslog failed whole unasked"})
}

func TestOtherServicesAreNotReadAndSaidToBe(t *testing.T) {
	set := hosttest.Scan(t, map[string]string{"sbin/syslogd": ""}, Read)
	for _, r := range set.Records {
		if a, ok := r.(*evidence.Asset); ok && a.Looked[evidence.Login].Why() != evidence.Unfamiliar {
			t.Errorf("looked: %v", a.Looked)
		}
	}
}

func TestVerdicts(t *testing.T) {
	look := func(_ context.Context, s *scope.Scope) {
		s.Look(evidence.System, evidence.Known(true, evidence.Origin{}))
		s.Look(evidence.Login, evidence.Known(true, evidence.Origin{}))
	}
	got := hosttest.Judge(hosttest.Scan(t, host(t, data(t, "debian/etc/rsyslog.conf")), Read, look))
	got = append(got, hosttest.Judge(hosttest.Scan(t, host(t, data(t, "debian/etc/rsyslog.conf")+"*.* @@logs.example.net:6514\n"), Read, look))...)
	for _, want := range []string{
		"fail retained-long-enough host:web-1//var/log/auth.log: /var/log/auth.log promises 28 days; policy asks 365 days",
		"fail shipped-off-host host:web-1//syslog#login",
		"fail arriving-lossless host:web-1//syslog#login",
		"pass shipped-off-host host:web-1//syslog#login",
		"pass recorded-login host:web-1//host",
	} {
		if !slices.ContainsFunc(got, func(line string) bool { return strings.HasPrefix(line, want) }) {
			t.Errorf("no verdict %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
}

// reads gives one file its text, and makes all that it includes empty.
func reads(text string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if name == "x" {
			return []byte(text), nil
		}
		return nil, nil
	}
}

func FuzzRsyslog(f *testing.F) {
	f.Add(data(f, "debian/etc/rsyslog.conf"))
	f.Add(data(f, "rhel9-rsyslog.conf"))
	f.Add("if $msg contains 'x' then { stop } else { call a }\nruleset(name=\"a\") { call a }\n:msg, contains, \"x\" ~\n& stop")
	f.Fuzz(func(t *testing.T, text string) {
		r := &rsyslog{read: reads(text), glob: func(string) ([]string, error) { return []string{"y"}, nil }}
		if r.parse("x") == nil {
			r.follow("auth", "")
			r.follow("user", "sysmon")
		}
	})
}

func FuzzSyslogNG(f *testing.F) {
	f.Add(data(f, "debian/etc/syslog-ng/syslog-ng.conf"))
	f.Add("filter a { not (filter(a) or level(1..3)); };\nlog { source { system(); }; if { } log { filter(a); destination { file('/x'); }; }; flags(final); };\n@include \"x\"")
	f.Fuzz(func(t *testing.T, text string) {
		n := &syslogNG{read: reads(text), glob: func(string) ([]string, error) { return []string{"y"}, nil }}
		if n.parse("x") == nil {
			n.follow("auth", "")
			n.follow("user", "sysmon")
		}
	})
}

func TestWhatComesToTheJournalGoesWhereSyslogBringsIt(t *testing.T) {
	for forward, want := range map[string]bool{"yes": true, "no": false} {
		set := hosttest.Scan(t, host(t, "module(load=\"imuxsock\")\n*.* @@logs.example.net:514\n",
			"etc/systemd/journald.conf", "[Journal]\nForwardToSyslog="+forward+"\n",
			"usr/lib/systemd/system/systemd-journald.service", "[Service]\nExecStart=/usr/lib/systemd/systemd-journald\n"), journald.Read, Read)
		source := hosttest.Record[*evidence.LogSource](t, set, "host:web-1//journald#login")
		away := slices.ContainsFunc(source.To, func(d evidence.Delivery) bool { return strings.Contains(string(d.To), "logs.example.net") })
		if away != want {
			t.Errorf("ForwardToSyslog=%s: it goes to %v", forward, source.To)
		}
	}
}

func TestWhetherRecordsCrossTheNetworkEncrypted(t *testing.T) {
	for conf, want := range map[string]string{
		"*.* @@logs.example.net:6514": "false",
		"*.* @logs.example.net":       "false",
		"$DefaultNetstreamDriver gtls\n$ActionSendStreamDriverMode 1\n*.* @@logs.example.net:6514":                                 "true",
		"$DefaultNetstreamDriver gtls\n*.* @@logs.example.net:6514":                                                                "false",
		"$ActionSendStreamDriver ossl\n$ActionSendStreamDriverMode 1\n*.* @@logs.example.net:6514":                                 "true",
		"$ActionSendStreamDriverMode 1\n*.* @@logs.example.net:6514":                                                               "false",
		`action(type="omfwd" target="logs.example.net" protocol="tcp" StreamDriver="gtls" StreamDriverMode="1")`:                   "true",
		`action(type="omfwd" target="logs.example.net" protocol="tcp" StreamDriver="gtls")`:                                        "false",
		`global(DefaultNetstreamDriver="ossl") action(type="omfwd" target="logs.example.net" protocol="tcp" StreamDriverMode="1")`: "true",
		`module(load="omrelp") action(type="omrelp" target="logs.example.net" tls="on")`:                                           "true",
		`module(load="omrelp") action(type="omrelp" target="logs.example.net")`:                                                    "false",
	} {
		set := hosttest.Scan(t, host(t, "module(load=\"imuxsock\")\n"+conf+"\n"), journald.Read, Read)
		encrypted(t, conf, set, want)
	}
	for conf, want := range map[string]string{
		`network("logs.example.net" port(6514) transport("tls") tls(ca-dir("/etc/ssl/certs")))`: "true",
		`network("logs.example.net" port(514))`:                                                 "false",
		`syslog("logs.example.net" transport("udp"))`:                                           "false",
		`tcp("logs.example.net" port(514))`:                                                     "false",
	} {
		text := "@version: 3.38\nsource s { system(); internal(); };\ndestination n { " + conf + "; };\nlog { source(s); destination(n); };\n"
		encrypted(t, conf, hosttest.Scan(t, ng(t, text), journald.Read, Read), want)
	}
}

// encrypted wants every delivery to another machine to say whether it is encrypted.
func encrypted(t *testing.T, conf string, set *evidence.Set, want string) {
	t.Helper()
	away := 0
	for _, r := range set.Records {
		source, ok := r.(*evidence.LogSource)
		if !ok {
			continue
		}
		for _, d := range source.To {
			if !strings.Contains(string(d.To), "logs.example.net") {
				continue
			}
			away++
			if got := hosttest.Say(d.Encrypted); got != want {
				t.Errorf("%s: got %s, want %s", conf, got, want)
			}
		}
	}
	if away == 0 {
		t.Errorf("%s: nothing goes away", conf)
	}
}

func TestFilesOfOtherProgramsThatAreSentOn(t *testing.T) {
	const file = "/var/log/audit/audit.log"
	modern := `module(load="imfile")
input(type="imfile" File="` + file + `" Tag="audit:" Facility="local6")
`
	for name, c := range map[string]struct{ conf, want string }{
		"all":                {modern + "*.* @@far:6514", "syslog:far:6514//"},
		"their facility":     {modern + "local6.* @@far:6514", "syslog:far:6514//"},
		"another facility":   {modern + "local5.* @@far:6514", ""},
		"their tag":          {modern + `if $programname == "audit" then @@far:6514`, "syslog:far:6514//"},
		"ended before":       {modern + "local6.* stop\n*.* @@far:6514", ""},
		"a part":             {modern + `:msg, contains, "EXECVE" @@far:6514`, "open"},
		"a set of their own": {`input(type="imfile" file="/var/log/audit/*.log" tag="a" ruleset="r")` + "\nruleset(name=\"r\") {\n@@far:6514\n}\nlocal0.* stop", "syslog:far:6514//"},
		"another file":       {`input(type="imfile" file="/var/log/x.log" tag="a")` + "\n*.* @@far:6514", ""},
		"the old style":      {"$ModLoad imfile\n$InputFileName " + file + "\n$InputFileTag a:\n$InputFileFacility local6\n$InputRunFileMonitor\nlocal6.* @@far:6514", "syslog:far:6514//"},
	} {
		t.Run(name, func(t *testing.T) {
			var store *evidence.LogStore
			hosttest.Scan(t, host(t, "module(load=\"imuxsock\")\n"+c.conf+"\n"), journald.Read, Read, func(_ context.Context, s *scope.Scope) {
				store = s.DiskStore(s.ID(file), "log files", file, evidence.Origin{})
				s.Record(store)
				Copy(s)
			})
			got := ""
			for _, d := range store.To {
				got += string(d.To)
			}
			if store.Complete.IsUnknown() {
				got += "open"
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
