package workload

import (
	"strings"
	"testing"

	"lookback/evidence"
)

func known(s string) evidence.Value[string] { return evidence.Known(s, evidence.Origin{}) }

func TestSplitAddress(t *testing.T) {
	for _, c := range []struct{ address, scheme, server string }{
		{"tcp+tls://logs.example.net:6514", "tcp+tls", "logs.example.net:6514"},
		{"udp://[2001:db8::1]:514", "udp", "[2001:db8::1]:514"},
		{"localhost:24224", "tcp", "localhost:24224"},
		{"https://user:secret@loki.example.net/push?token=secret", "https", "loki.example.net"},
		{"unix:///dev/log", "unix", ""},
		{"tcp://user:se%zzcret@logs.example.net:1/x", "tcp", "logs.example.net:1"},
		{"user:secret@logs.example.net:24224", "tcp", "logs.example.net:24224"},
	} {
		scheme, server := splitAddress(c.address)
		if scheme != c.scheme || server != c.server {
			t.Errorf("splitAddress(%q) = %q, %q; want %q, %q", c.address, scheme, server, c.scheme, c.server)
		}
	}
}

func FuzzSplitAddress(f *testing.F) {
	f.Add("tcp://a:b@c:1/d")
	f.Add("://@")
	f.Fuzz(func(t *testing.T, address string) {
		if _, server := splitAddress("tcp://user:hunter2@" + address); strings.Contains(server, "hunter2") {
			t.Errorf("the password is in %q", server)
		}
	})
}

func TestLoopback(t *testing.T) {
	for _, c := range []struct {
		scheme, server string
		want           bool
	}{
		{"tcp", "localhost:514", true},
		{"tcp", "127.0.0.53:514", true},
		{"tcp", "[::1]:514", true},
		{"tcp", "0.0.0.0:514", true},
		{"tcp", "172.17.0.1:514", true},
		{"tcp", "host.docker.internal:514", true},
		{"unixgram", "", true},
		{"tcp", "logs.example.net:514", false},
		{"tcp", "10.0.0.5:514", false},
		{"udp", "localhost.example.net:514", false},
	} {
		if got := loopback(c.scheme, c.server); got != c.want {
			t.Errorf("loopback(%q, %q) = %v", c.scheme, c.server, got)
		}
	}
}

func TestRotation(t *testing.T) {
	at := evidence.Origin{File: "compose.yaml", Line: 3}
	for _, c := range []struct {
		name, driver string
		options      map[string]string
		kept         int
		bytes        int64 // -1: moot
	}{
		{"json-file grows without end", "json-file", nil, evidence.Forever, -1},
		{"max-file alone has no effect", "json-file", map[string]string{"max-file": "3"}, evidence.Forever, -1},
		{"max-size alone keeps one file", "json-file", map[string]string{"max-size": "10m"}, 0, 10_000_000},
		{"three files", "json-file", map[string]string{"max-size": "10m", "max-file": "3"}, 0, 30_000_000},
		{"local by itself", "local", nil, 0, 100 << 20},
		{"local with a size", "local", map[string]string{"max-size": "1g"}, 0, 5_000_000_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := map[string]evidence.Value[string]{}
			for k, v := range c.options {
				options[k] = evidence.Known(v, at)
			}
			kept, bytes := rotation(c.driver, options, at)
			if days, ok := kept.Get(); !ok || days != c.kept {
				t.Errorf("kept %d, %v; want %d", days, ok, c.kept)
			}
			if n, ok := bytes.Get(); c.bytes < 0 != bytes.IsMoot() || c.bytes >= 0 && (!ok || n != c.bytes) {
				t.Errorf("bytes %d, %v; want %d", n, ok, c.bytes)
			}
		})
	}
	for _, size := range []string{"", "x", "-5", "99999999999999999999g", "\x00"} {
		kept, bytes := rotation("json-file", map[string]evidence.Value[string]{"max-size": evidence.Known(size, at)}, at)
		if !kept.IsUnknown() || !bytes.IsUnknown() {
			t.Errorf("max-size %q is a size: %v, %v", size, kept, bytes)
		}
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, ref string
		want         bool
	}{
		{"ghcr.io/acme/*", "ghcr.io/acme/shop:1.4@sha256:aa", true},
		{"ghcr.io/acme/*", "ghcr.io/acme/shop/api:1", true},
		{"ghcr.io/acme/*", "ghcr.io/acmeevil/shop", false},
		{"ghcr.io/acme/shop", "ghcr.io/acme/shop", true},
		{"ghcr.io/acme/shop", "ghcr.io/acme/shopper", false},
		{"localhost:5000/shop", "localhost:5000/shop:2", true},
		{"[", "[", true},
	} {
		if got := matches(c.pattern, c.ref); got != c.want {
			t.Errorf("matches(%q, %q) = %v", c.pattern, c.ref, got)
		}
	}
}

func TestLogFolder(t *testing.T) {
	for p, want := range map[string]bool{
		"/var/log": true, "/var/log/shop": true, "/app/logs": true, "/data/app.log": true, "/srv/shop-logs": true, "/opt/App/Logs": true,
		"/var/lib/catalog": false, "/login": false, "/blog": false, "/etc/logrotate.d": false, "/": false,
	} {
		if got := logFolder(p); got != want {
			t.Errorf("logFolder(%q) = %v", p, got)
		}
	}
}

func TestLinesOfConfiguration(t *testing.T) {
	general := &Setting{On: []Switch{{Line: "general_log"}}}
	access := &Setting{On: []Switch{{Line: "accessLog", Bare: true}}}
	nested := &Setting{On: []Switch{{Line: "auditLog.destination", Values: []string{"file"}}}}
	for _, c := range []struct {
		name     string
		setting  *Setting
		text     string
		on, said bool
	}{
		{"key and value", general, "[mysqld]\ngeneral-log = ON\n", true, true},
		{"commented out", general, "#general_log=1\n; general_log=1\n", false, false},
		{"written off", general, "general_log = 0\n", false, true},
		{"a comment behind it", general, "general_log = 1 # costs much\n", true, true},
		{"a key alone", access, "entryPoints:\n  web: {}\naccessLog: {}\n", true, true},
		{"a table alone", access, "[accessLog]\n", true, true},
		{"a table and a comment", access, "[accessLog] # costs little\n", true, true},
		{"a longer key", access, "accessLogFile: x\n", false, false},
		{"nested", nested, "auditLog:\n   destination: file\n", true, true},
		{"nested, another value", nested, "auditLog:\n   destination: null\n", false, true},
		{"the same key elsewhere", nested, "systemLog:\n   destination: file\n", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			on, line := c.setting.lines(c.text)
			if said := line > 0; on != c.on || said != c.said {
				t.Errorf("on %v, said %v; want %v, %v", on, said, c.on, c.said)
			}
		})
	}
}

func FuzzLinesOfConfiguration(f *testing.F) {
	f.Add("a: b\n[c]\nd = e")
	f.Fuzz(func(_ *testing.T, text string) {
		(&Setting{On: []Switch{{Line: "a.b"}, {Line: "c", Bare: true}}}).lines(text)
	})
}

func TestFlags(t *testing.T) {
	connections := Switch{Flag: "-c log_connections"}
	access := Switch{Flag: "--accesslog", Bare: true}
	for _, c := range []struct {
		name     string
		sw       Switch
		args     []string
		on, said bool
	}{
		{"two words", connections, []string{"postgres", "-c", "log_connections=on"}, true, true},
		{"one word", connections, []string{"postgres", "-clog_connections=all"}, true, true},
		{"the last one decides", connections, []string{"-c", "log_connections=on", "-c", "log_connections=off"}, false, true},
		{"another setting", connections, []string{"-c", "log_disconnections=on"}, false, false},
		{"bare", access, []string{"--accesslog"}, true, true},
		{"with a value", access, []string{"--accesslog=false"}, false, true},
		{"a longer flag", access, []string{"--accesslog.format=json"}, false, false},
		{"in a shell", connections, []string{"sh", "-c", "exec postgres -c log_connections=on"}, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			box := &Container{}
			for _, a := range c.args {
				box.Args = append(box.Args, known(a))
			}
			found := (&Setting{On: []Switch{c.sw}}).flags(box, func(evidence.Reason, evidence.Origin, string) {})
			if on, said := found.Get(); on != c.on || said != c.said {
				t.Errorf("on %v, said %v; want %v, %v", on, said, c.on, c.said)
			}
		})
	}
}

func TestGlobWithin(t *testing.T) {
	for _, c := range []struct {
		glob, folder string
		want         bool
	}{
		{"/logs/*.txt", "/logs", true},
		{"/logs/a.log", "/logs", true},
		{"/var/log/*/*.log", "/var/log/tomcat", true},
		{"/var/log/other/*.log", "/var/log/tomcat", false},
		{"/logsother/*.log", "/logs", false},
	} {
		if got := globWithin(c.glob, c.folder); got != c.want {
			t.Errorf("globWithin(%q, %q) = %v", c.glob, c.folder, got)
		}
	}
}
