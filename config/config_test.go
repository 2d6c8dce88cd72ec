package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"lookback/checks"
	"lookback/evidence"
	"lookback/scanners"
)

var checkIDs = []string{"shipped-off-host", "shipped-off-asset", "retained-long-enough"}

// write fills a folder with files; names have forward slashes.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// load reads lookback.yaml out of a repository with the given files.
func load(t *testing.T, files map[string]string) (*Config, error) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, files)
	return Load(filepath.Join(dir, "lookback.yaml"), Options{Root: dir, Checks: checkIDs})
}

func declared(line, col int) evidence.Origin {
	return evidence.Origin{File: "lookback.yaml", Line: line, Col: col, Note: "declared"}
}

func delivery(host string, at evidence.Origin) evidence.Delivery {
	return evidence.Delivery{
		To: evidence.ID("server:" + host + "//"), Extent: evidence.Known(evidence.Extent{Grade: evidence.All}, at), Lossless: evidence.Moot[bool](at),
	}
}

func TestEverythingHasItsLine(t *testing.T) {
	got, err := load(t, map[string]string{"lookback.yaml": `policy:
  retain: 400 days
  searchable: 30
  restore-within: 90m
  finished-job-stays: 2 days
  buffer: 16 MiB
exclude: ["legacy/**", "*.gen.yaml"]
development: ["**/e2e/**"]
waivers:
  - check: shipped-*
    subject: "compose:apps/shop//*"
    reason: >
      the shop's host is
      rebuilt every hour
    who: ann@shop.example
    until: 2027-01-31
  - {check: retained-long-enough, subject: "*", reason: é}
platform:
  docker:
    driver: syslog
    options: {syslog-address: "tcp://logs.example.net:601", max-file: 3}
    ships-to: nowhere
  kubernetes:
    ships-to: [logs.example.net, "[2001:db8::1]:514"]
  shippers:
    - image: docker.elastic.co/beats/filebeat
      ships-to: elastic.example.net:9200
    - image: fluent/*
      ships-to: nowhere
images:
  "é/x": {stdout: true}
  ghcr.io/acme/*:
    stdout: True
    files: [/var/log/app, /srv/audit.log]
  ghcr.io/acme/batch: {stdout: false}
  ghcr.io/acme/shop-*: {stdout: true}
  ghcr.io/acme/b: {stdout: true}
`})
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Policy: checks.Policy{Retain: 400, Searchable: 30, RestoreWithin: 90 * time.Minute, FinishedStays: 48 * time.Hour, Buffer: 16 << 20, Fresh: 24 * time.Hour, Hands: 10},
		Waivers: []evidence.Waiver{
			{
				Check: "shipped-*", Subject: "compose:apps/shop//*", Reason: "the shop's host is rebuilt every hour",
				Who: "ann@shop.example", Until: "2027-01-31", At: declared(10, 5),
			},
			{Check: "retained-long-enough", Subject: "*", Reason: "é", At: declared(17, 5)},
		},
		Declared: scanners.Declared{
			Docker: &scanners.Platform{
				Driver: evidence.Known("syslog", declared(20, 13)),
				Options: map[string]evidence.Value[string]{
					"syslog-address": evidence.Known("tcp://logs.example.net:601", declared(21, 31)),
					"max-file":       evidence.Known("3", declared(21, 71)),
				},
				To: evidence.Known([]evidence.Delivery{}, declared(22, 15)),
			},
			Kubernetes: &scanners.Platform{
				To: evidence.Known([]evidence.Delivery{
					delivery("logs.example.net", declared(24, 16)), delivery("[2001:db8::1]:514", declared(24, 34)),
				}, declared(24, 5)),
			},
			Shippers: []scanners.Shipper{
				{Image: "docker.elastic.co/beats/filebeat", To: evidence.Known([]evidence.ID{"server:elastic.example.net:9200//"}, declared(27, 17))},
				{Image: "fluent/*", To: evidence.Known([]evidence.ID{}, declared(29, 17))},
			},
			Images: []scanners.Image{
				{Image: "ghcr.io/acme/batch", Stdout: evidence.Known(false, declared(35, 32))},
				{Image: "ghcr.io/acme/b", Stdout: evidence.Known(true, declared(37, 28))},
				{Image: "é/x", Stdout: evidence.Known(true, declared(31, 19))},
				{Image: "ghcr.io/acme/shop-*", Stdout: evidence.Known(true, declared(36, 33))},
				{Image: "ghcr.io/acme/*", Stdout: evidence.Known(true, declared(33, 13)), Files: []string{"/var/log/app", "/srv/audit.log"}},
			},
			Exclude: []string{"legacy/**", "*.gen.yaml"}, Development: []string{"**/e2e/**"},
		},
		Files: []string{"lookback.yaml"},
	}
	same(t, got, want)
}

// same compares field by field, so that a difference is readable.
func same(t *testing.T, got, want *Config) {
	t.Helper()
	fields := func(c *Config) []any {
		return []any{c.Policy, c.Waivers, c.Declared.Docker, c.Declared.Kubernetes, c.Declared.Shippers, c.Declared.Images, c.Declared.Exclude, c.Declared.Development, c.Files}
	}
	for i, w := range fields(want) {
		if g := fields(got)[i]; !reflect.DeepEqual(g, w) {
			t.Errorf("got  %+v\nwant %+v", g, w)
		}
	}
}

func TestDefaults(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "comments only": "# nothing yet\n", "an empty document": "---\n", "no keys": "{}\n"} {
		t.Run(name, func(t *testing.T) {
			got, err := load(t, map[string]string{"lookback.yaml": text})
			if err != nil {
				t.Fatal(err)
			}
			if want := Default(); !reflect.DeepEqual(got.Policy, want.Policy) || !reflect.DeepEqual(got.Declared, want.Declared) || got.Waivers != nil {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestPolicy(t *testing.T) {
	def := checks.DefaultPolicy()
	for _, c := range []struct {
		name, text string
		want       func(p *checks.Policy)
	}{
		{"one day", "retain: 1 day\n  searchable: 1 day", func(p *checks.Policy) { p.Retain, p.Searchable = 1, 1 }},
		{"a number in quotes", `retain: "100"`, func(p *checks.Policy) { p.Retain = 100 }},
		{"kept for less than the default of searchable", "retain: 30 days", func(p *checks.Policy) { p.Retain, p.Searchable = 30, 30 }},
		{"seconds", "restore-within: 30s", func(p *checks.Policy) { p.RestoreWithin = 30 * time.Second }},
		{"minutes in words", "restore-within: 5 minutes", func(p *checks.Policy) { p.RestoreWithin = 5 * time.Minute }},
		{"hours", "finished-job-stays: 24h", func(p *checks.Policy) { p.FinishedStays = 24 * time.Hour }},
		{"the longest time", "finished-job-stays: 99999 days", func(p *checks.Policy) { p.FinishedStays = 99999 * 24 * time.Hour }},
		{"kilobytes", "buffer: 64 kB", func(p *checks.Policy) { p.Buffer = 64000 }},
		{"fresh for an hour", "fresh: 1h", func(p *checks.Policy) { p.Fresh = time.Hour }},
		{"a few hands", "hands: 3", func(p *checks.Policy) { p.Hands = 3 }},
		{"a number of hands in quotes", `hands: "3"`, func(p *checks.Policy) { p.Hands = 3 }},
		{"the largest buffer", "buffer: 999999 GiB", func(p *checks.Policy) { p.Buffer = 999999 << 30 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := load(t, map[string]string{"lookback.yaml": "policy:\n  " + c.text + "\n"})
			if err != nil {
				t.Fatal(err)
			}
			want := def
			c.want(&want)
			if !reflect.DeepEqual(got.Policy, want) {
				t.Errorf("got %+v, want %+v", got.Policy, want)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string // parts of the lines of the error, in order
	}{
		{"not YAML", "policy:\n  retain: [", []string{"lookback.yaml:3: this is not YAML"}},
		{"not a mapping", "- retain", []string{"lookback.yaml:1: lookback.yaml is a mapping"}},
		{"two documents", "exclude: []\n---\nexclude: []\n", []string{"lookback.yaml:2: a second document"}},
		{"a key that is not known", "polcy: {}", []string{`lookback.yaml:1: "polcy" is not a key of lookback.yaml, whose keys are: extends, policy`}},
		{"a key that is not known below", "policy:\n  retian: 1", []string{`lookback.yaml:2: "retian" is not a key of policy, whose keys are: retain`}},
		{"a key twice", "exclude: []\npolicy: {}\nexclude: []", []string{`lookback.yaml:3: "exclude" is already on line 1`}},
		{"an image twice", "images:\n  a: {stdout: true}\n  a: {stdout: false}", []string{`lookback.yaml:3: "a" is already on line 2`}},
		{"a shipper twice", "platform: {shippers: [{image: a, ships-to: b},\n{image: a, ships-to: c}]}", []string{`lookback.yaml:2: the shipper "a" is already on line 1`}},
		{"a number as key", "images:\n  1: {stdout: true}", []string{"lookback.yaml:2: a key of images is text; put it in quotes"}},
		{"a list as key", "? [a]\n: b", []string{"lookback.yaml:1: a key of lookback.yaml is text"}},
		{"a merge key", "policy:\n  <<: {retain: 3}", []string{"lookback.yaml:2: a key of policy is text"}},
		{"an alias", "exclude: &x [a]\ndevelopment: *x", []string{"lookback.yaml:2: the alias *x is not read here; write its value out"}},
		{"no value", "exclude:\npolicy: {retain: 3}", []string{"lookback.yaml:1: exclude is a list"}},
		{"zero days", "policy: {retain: 0}", []string{"lookback.yaml:1: retain is a number of days from 1"}},
		{"days below zero", "policy: {retain: -3 days}", []string{"lookback.yaml:1: retain"}},
		{"months", "policy: {retain: 12 months}", []string{`lookback.yaml:1: retain is a number of days from 1 to 99999; write "365 days"`}},
		{"too many days", "policy: {retain: 100000}", []string{"lookback.yaml:1: retain"}},
		{"a time without a unit", "policy: {restore-within: 3}", []string{`lookback.yaml:1: restore-within is a time with its unit`}},
		{"no time at all", "policy: {finished-job-stays: 0h}", []string{"lookback.yaml:1: finished-job-stays"}},
		{"a size without a unit", "policy: {buffer: 25}", []string{`lookback.yaml:1: buffer is a size with its unit`}},
		{"a time without a unit, of what arrives", "policy: {fresh: 24}", []string{"lookback.yaml:1: fresh is a time with its unit"}},
		{"no hands", "policy: {hands: 0}", []string{"lookback.yaml:1: hands is a number from 1 to 99999; write 10"}},
		{"a list for a number", "policy: {buffer: [25 MB]}", []string{`lookback.yaml:1: buffer`}},
		{"searchable for longer than kept", "policy:\n  retain: 30 days\n  searchable: 60 days", []string{"lookback.yaml:3: records cannot be searchable for 60 days when they are kept for 30"}},
		{"searchable for longer than the default", "policy:\n  searchable: 400", []string{"lookback.yaml:2: records cannot be searchable for 400 days when they are kept for 365"}},
		{"a pattern with brackets", "exclude: [\"[ab].yaml\"]", []string{"lookback.yaml:1: a pattern names files"}},
		{"a pattern that takes back", "exclude:\n  - a\n  - \"!b\"", []string{"lookback.yaml:3: a pattern names files"}},
		{"a time server with its port", "time:\n  - ntp.corp.example\n  - 10.0.0.5:123", []string{"lookback.yaml:3: time names servers, without scheme and port"}},
		{"one time server without a list", "time: ntp.corp.example", []string{"lookback.yaml:1: time is a list"}},
		{"an empty pattern", "development: [\"\"]", []string{"lookback.yaml:1: a pattern names files"}},
		{
			"a waiver without anything", "waivers:\n  - {}",
			[]string{"lookback.yaml:2: a waiver needs a check; add check", "lookback.yaml:2: a waiver needs a subject; add subject", "lookback.yaml:2: a waiver needs a reason; add reason"},
		},
		{"a waiver with an empty reason", "waivers:\n  - check: shipped-off-host\n    subject: \"*\"\n    reason: \" \"", []string{"lookback.yaml:4: a waiver needs a reason; say why"}},
		{"a waiver of no check", "waivers:\n  - check: shiped-*\n    subject: \"*\"\n    reason: x", []string{`lookback.yaml:2: "shiped-*" matches no check; "lookback list checks" names them`}},
		{"a day that is not", "waivers: [{check: shipped-off-host, subject: x, reason: y,\n until: 2027-02-30}]", []string{"lookback.yaml:2: until is the last day"}},
		{"a moment for a day", "waivers: [{check: shipped-off-host, subject: x, reason: y,\n until: 2027-02-03T10:00:00Z}]", []string{"lookback.yaml:2: until is the last day"}},
		{"a waiver as text", "waivers: [shipped-off-host]", []string{"lookback.yaml:1: a waiver is a mapping"}},
		{"options without a driver", "platform:\n  docker:\n    options: {a: b}", []string{"lookback.yaml:3: options belong to a log driver; add driver"}},
		{"an option as a list", "platform: {docker: {driver: a, options: {b: [c]}}}", []string{"lookback.yaml:1: an option of the log driver is text"}},
		{"an option without a value", "platform: {docker: {driver: a, options: {b: }}}", []string{"lookback.yaml:1: an option of the log driver is text"}},
		{"a number as driver", "platform: {docker: {driver: 3}}", []string{"lookback.yaml:1: driver is the log driver"}},
		{"nothing to ship to", "platform: {kubernetes: {ships-to: []}}", []string{"lookback.yaml:1: ships-to is empty; write nowhere"}},
		{"nowhere in a list", "platform: {kubernetes: {ships-to: [a, nowhere]}}", []string{"lookback.yaml:1: nowhere cannot stand in a list"}},
		{"the machine itself", "platform: {kubernetes: {ships-to: \"localhost:514\"}}", []string{"lookback.yaml:1: localhost:514 is the machine itself"}},
		{"a URL", "platform: {kubernetes: {ships-to: \"https://logs.example.net\"}}", []string{"lookback.yaml:1: ships-to names another machine"}},
		{"a shipper without anything", "platform: {shippers: [{}]}", []string{"lookback.yaml:1: a shipper needs an image", "lookback.yaml:1: a shipper needs a place that it ships to; add ships-to"}},
		{"an image with a tag", "images: {\"a/b:3\": {stdout: true}}", []string{"lookback.yaml:1: an image is named without tag and digest"}},
		{"an image with a digest", "images: {\"a@sha256:00\": {stdout: true}}", []string{"lookback.yaml:1: an image is named without tag and digest"}},
		{"an image about which nobody says whether it prints", "images:\n  a:\n    files: [/x]", []string{"lookback.yaml:3: an image needs to say whether it logs to standard output; add stdout"}},
		{"text for a yes or no", "images: {a: {stdout: \"true\"}}", []string{"lookback.yaml:1: stdout says whether"}},
		{"a path that is not whole", "images: {a: {stdout: true, files: [var/log]}}", []string{"lookback.yaml:1: files are folders or files in the container"}},
		{"a pattern for a path", "images: {a: {stdout: true, files: [/var/log/*.log]}}", []string{"lookback.yaml:1: files are folders or files in the container"}},
		{"extends that is no text", "extends: 3", []string{"lookback.yaml:1: extends names a file"}},
		{"a tag of its own", "exclude: !secret [a]", []string{"lookback.yaml:1: exclude is a list"}},
		{
			"in order of line", "images: {a: {}}\nwaivers: 3\npolicy: {x: 1}\nexclude: 4",
			[]string{"lookback.yaml:1: an image needs", "lookback.yaml:2: waivers is a list", "lookback.yaml:3: \"x\" is not", "lookback.yaml:4: exclude is a list"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := load(t, map[string]string{"lookback.yaml": c.text})
			wantLines(t, got, err, c.want)
		})
	}
}

func wantLines(t *testing.T, got *Config, err error, want []string) {
	t.Helper()
	if err == nil || got != nil {
		t.Fatalf("got %+v, %v; want an error", got, err)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Fatalf("got %d errors, want %d:\n%v", len(lines), len(want), err)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, want[i]) {
			t.Errorf("got  %s\nwant %s", line, want[i])
		}
	}
}

func TestHostile(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"larger than the limit", "#" + strings.Repeat("x", maxSize), "reading lookback.yaml: it is larger than 1 MiB"},
		{"lists within lists", "exclude: " + strings.Repeat("[", maxSize/2), "lookback.yaml:1: this is not YAML that we read: exceeded max depth"},
		{"mappings within mappings", strings.Repeat("{a: ", maxSize/5), "lookback.yaml:1: this is not YAML that we read: exceeded max depth"},
		{
			"aliases of aliases", "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n",
			"lookback.yaml:2: the alias *a is not read here",
		},
		{"an alias of itself", "a: &a [*a]", "lookback.yaml:1: the alias *a"},
		{"no characters", "exclude: [\"\xff\xfe\"]", "lookback.yaml:1: this is not YAML that we read"},
		{"a zero byte", "exclude: [\"\x00\"]", "lookback.yaml:1: this is not YAML that we read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			_, err := load(t, map[string]string{"lookback.yaml": c.text})
			if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %.200v, want %s", err, c.want)
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
	t.Run("a hundred thousand errors", func(t *testing.T) {
		_, err := load(t, map[string]string{"lookback.yaml": "exclude:\n" + strings.Repeat("- 1\n", 100_000)})
		if err == nil {
			t.Fatal("no error")
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != maxProblems+1 || lines[maxProblems] != "and 99950 more" {
			t.Errorf("got %d lines, the last %q", len(lines), lines[len(lines)-1])
		}
	})
}

func TestExtends(t *testing.T) {
	got, err := load(t, map[string]string{
		"lookback.yaml": `extends: [team.yaml, shared/platform.yaml]
policy: {retain: 100 days}
exclude: [own]
waivers: [{check: "*", subject: own, reason: x}]
platform:
  docker: {driver: journald}
  shippers: [{image: a, ships-to: own}]
images: {x: {stdout: true}}
`,
		"team.yaml": `extends: shared/base.yaml
policy: {retain: 200 days, searchable: 20 days}
time: [ntp.team.example]
exclude: [team]
waivers: [{check: "*", subject: team, reason: x}]
platform:
  docker: {driver: json-file, options: {max-size: 1m}}
  kubernetes: {ships-to: team}
images: {x: {stdout: false}, team/y: {stdout: false}}
`,
		"shared/base.yaml": `extends: platform.yaml
policy: {buffer: 1 MB, hands: 4}
time: ["2001:db8::7b", /dev/ptp0]
exclude: [base]
`,
		"shared/platform.yaml": `policy: {searchable: 10 days, restore-within: 2h, fresh: 6h, hands: 9}
exclude: [platform]
platform:
  docker: {driver: syslog, options: {a: b}, ships-to: platform}
  kubernetes: {ships-to: nowhere}
  shippers: [{image: a, ships-to: nowhere}, {image: b, ships-to: nowhere}]
`,
	})
	if err != nil {
		t.Fatal(err)
	}
	at := func(file string, line, col int) evidence.Origin {
		return evidence.Origin{File: file, Line: line, Col: col, Note: "declared"}
	}
	same(t, got, &Config{
		Policy: checks.Policy{Retain: 100, Searchable: 20, RestoreWithin: 2 * time.Hour, FinishedStays: 24 * time.Hour, Buffer: 1e6, Fresh: 6 * time.Hour, Hands: 4, TimeSources: []string{"ntp.team.example", "2001:db8::7b", "/dev/ptp0"}},
		Waivers: []evidence.Waiver{
			{Check: "*", Subject: "own", Reason: "x", At: at("lookback.yaml", 4, 11)},
			{Check: "*", Subject: "team", Reason: "x", At: at("team.yaml", 5, 11)},
		},
		Declared: scanners.Declared{
			Docker: &scanners.Platform{ // the nearer driver does not take options of the farther one
				Driver: evidence.Known("journald", at("lookback.yaml", 6, 20)),
				To:     evidence.Known([]evidence.Delivery{delivery("platform", at("shared/platform.yaml", 4, 55))}, at("shared/platform.yaml", 4, 55)),
			},
			Kubernetes: &scanners.Platform{
				To: evidence.Known([]evidence.Delivery{delivery("team", at("team.yaml", 8, 26))}, at("team.yaml", 8, 26)),
			},
			Shippers: []scanners.Shipper{
				{Image: "a", To: evidence.Known([]evidence.ID{"server:own//"}, at("lookback.yaml", 7, 35))},
				{Image: "b", To: evidence.Known([]evidence.ID{}, at("shared/platform.yaml", 6, 66))},
			},
			Images: []scanners.Image{
				{Image: "team/y", Stdout: evidence.Known(false, at("team.yaml", 9, 47))},
				{Image: "x", Stdout: evidence.Known(true, at("lookback.yaml", 8, 22))},
			},
			Exclude: []string{"own", "team", "base", "platform"},
		},
		// platform.yaml is extended twice, and read once.
		Files: []string{"lookback.yaml", "team.yaml", "shared/base.yaml", "shared/platform.yaml"},
	})
}

func TestExtendsErrors(t *testing.T) {
	deep := map[string]string{"lookback.yaml": "extends: 1.yaml"}
	for i := 1; i < 10; i++ {
		deep[fmt.Sprintf("%d.yaml", i)] = fmt.Sprintf("extends: %d.yaml", i+1)
	}
	deep["10.yaml"] = ""
	wide := map[string]string{"lookback.yaml": "extends:\n"}
	for i := range 40 {
		wide["lookback.yaml"] += fmt.Sprintf("- %d.yaml\n", i)
		wide[fmt.Sprintf("%d.yaml", i)] = ""
	}
	tooMany := []string{}
	for i := maxFiles; i <= 40; i++ {
		tooMany = append(tooMany, fmt.Sprintf("lookback.yaml:%d: more than 32 files are extended", i+1))
	}
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"itself", map[string]string{"lookback.yaml": "\nextends: lookback.yaml"}, []string{`lookback.yaml:2: extends "lookback.yaml" leads back`}},
		{
			"a circle",
			map[string]string{"lookback.yaml": "extends: a/x.yaml", "a/x.yaml": "extends: y.yaml", "a/y.yaml": "policy: {}\nextends: ../lookback.yaml"},
			[]string{`a/y.yaml:2: extends "../lookback.yaml" leads back`},
		},
		{"too deep", deep, []string{"7.yaml:1: more than 8 files extend each other in a row"}},
		{"too many", wide, tooMany},
		{"a file that is not there", map[string]string{"lookback.yaml": "extends: x.yaml"}, []string{`lookback.yaml:1: extends "x.yaml": no such file or directory`}},
		{"a folder", map[string]string{"lookback.yaml": "extends: x", "x/y.yaml": ""}, []string{`lookback.yaml:1: extends "x": it is not a regular file`}},
		{
			"errors of several files, the nearest first",
			map[string]string{"lookback.yaml": "extends: [x.yaml, y.yaml]\nexclude: 1", "x.yaml": "a: 1", "y.yaml": "\n\nwaivers: 1"},
			[]string{"lookback.yaml:2: exclude", `x.yaml:1: "a"`, "y.yaml:3: waivers"},
		},
		{
			"numbers that do not agree across files",
			map[string]string{"lookback.yaml": "extends: x.yaml\npolicy: {retain: 30}", "x.yaml": "\npolicy: {searchable: 60 days}"},
			[]string{"x.yaml:2: records cannot be searchable for 60 days when they are kept for 30"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := load(t, c.files)
			wantLines(t, got, err, c.want)
		})
	}
}

func TestOnlyTheOwnersFileMayLeaveTheRepository(t *testing.T) {
	outer := t.TempDir()
	write(t, outer, map[string]string{
		"platform/lookback.yaml":   "exclude: [platform]",
		"repo/lookback.yaml":       "extends: ../platform/lookback.yaml",
		"repo/inside.yaml":         "extends: sub/x.yaml",
		"repo/sub/x.yaml":          "exclude: [inside]",
		"repo/by-link.yaml":        "extends: link.yaml",
		"repo/by-folder-link.yaml": "extends: linked/lookback.yaml",
		"repo/by-absolute.yaml":    "extends: " + filepath.ToSlash(filepath.Join(outer, "platform", "lookback.yaml")),
	})
	repo := filepath.Join(outer, "repo")
	for from, to := range map[string]string{
		"link.yaml": "../platform/lookback.yaml", "linked": "../platform", "itself-a-link.yaml": "../platform/lookback.yaml", "within.yaml": "sub/x.yaml",
	} {
		if err := os.Symlink(filepath.FromSlash(to), filepath.Join(repo, from)); err != nil {
			t.Skip(err)
		}
	}
	const outside = "it lies outside of the repository"
	for _, c := range []struct {
		file, confined string // what is wrong when it is confined
		exclude        string
		shown          []string
	}{
		{"lookback.yaml", "lookback.yaml:1: extends \"../platform/lookback.yaml\": " + outside, "platform", []string{"lookback.yaml", "lookback.yaml"}},
		{"inside.yaml", "", "inside", []string{"inside.yaml", "sub/x.yaml"}},
		{"by-link.yaml", "by-link.yaml:1: extends \"link.yaml\": " + outside, "platform", []string{"by-link.yaml", "link.yaml"}},
		{"by-folder-link.yaml", "by-folder-link.yaml:1: extends \"linked/lookback.yaml\": " + outside, "platform", []string{"by-folder-link.yaml", "lookback.yaml"}},
		{"by-absolute.yaml", "by-absolute.yaml:1: extends ", "platform", []string{"by-absolute.yaml", "lookback.yaml"}},
		{"itself-a-link.yaml", "reading itself-a-link.yaml: " + outside, "platform", []string{"itself-a-link.yaml"}},
		{"within.yaml", "", "inside", []string{"within.yaml"}},
		{"../platform/lookback.yaml", "reading lookback.yaml: " + outside, "platform", []string{"lookback.yaml"}},
	} {
		t.Run(c.file, func(t *testing.T) {
			path := filepath.Join(repo, filepath.FromSlash(c.file))
			got, err := Load(path, Options{Root: repo})
			if err != nil || !slices.Equal(got.Declared.Exclude, []string{c.exclude}) || !slices.Equal(got.Files, c.shown) {
				t.Errorf("named by the owner: got %+v, %v", got, err)
			}
			got, err = Load(path, Options{Root: repo, Confined: true})
			if c.confined == "" {
				if err != nil || !slices.Equal(got.Declared.Exclude, []string{c.exclude}) {
					t.Errorf("found by search: got %+v, %v", got, err)
				}
			} else if err == nil || !strings.HasPrefix(err.Error(), c.confined) || !strings.Contains(err.Error(), outside) {
				t.Errorf("found by search: got %+v, %v; want %s", got, err, c.confined)
			}
		})
	}
}

func TestNamesAreNeverAbsolute(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a/lookback.yaml": "waivers: [{check: \"*\", subject: x, reason: y}]"})
	for _, c := range []struct{ name, root, want string }{
		{"below the root", dir, "a/lookback.yaml"},
		{"elsewhere", filepath.Join(dir, "..", filepath.Base(dir), "a", "."), "lookback.yaml"},
		{"beside the root", t.TempDir(), "lookback.yaml"},
		{"no root", "", "lookback.yaml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Load(filepath.Join(dir, "a", "lookback.yaml"), Options{Root: c.root, Checks: checkIDs})
			if err != nil || got.Files[0] != c.want || got.Waivers[0].At.File != c.want {
				t.Errorf("got %+v, %v; want %s", got, err, c.want)
			}
		})
	}
}

func TestNoFile(t *testing.T) {
	for _, o := range []Options{{Root: t.TempDir()}, {Root: t.TempDir(), Confined: true}, {Root: "/no/such/folder"}, {Confined: true}} {
		got, err := Load(filepath.Join(o.Root, "nowhere", "lookback.yaml"), o)
		if err == nil || got != nil || !strings.HasPrefix(err.Error(), "reading ") {
			t.Errorf("%+v: got %+v, %v; want an error", o, got, err)
		}
	}
}

func TestFind(t *testing.T) {
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	write(t, top, map[string]string{
		"lookback.yaml":                   "",
		"repo/.git/HEAD":                  "",
		"repo/lookback.yml":               "",
		"repo/sub/deep/x":                 "",
		"repo/own/lookback.yaml":          "",
		"repo/own/lookback.yml":           "",
		"repo/own/deep/x":                 "",
		"repo/folder/lookback.yaml/x.txt": "",
		"bare/.git":                       "gitdir: elsewhere",
		"bare/sub/x":                      "",
		"plain/sub/x":                     "",
	})
	for _, c := range []struct{ name, from, path, root string }{
		{"in the folder", "repo/own", "repo/own/lookback.yaml", "repo"},
		{"above the folder", "repo/own/deep", "repo/own/lookback.yaml", "repo"},
		{"above a file", "repo/own/deep/x", "repo/own/lookback.yaml", "repo"},
		{"in the repository's root, by its other name", "repo/sub/deep", "repo/lookback.yml", "repo"},
		{"a folder of that name", "repo/folder", "repo/lookback.yml", "repo"},
		{"not beyond the repository's root", "bare/sub", "", "bare"},
		{"no repository", "plain/sub", "lookback.yaml", "."},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, root, err := Find(filepath.Join(top, c.from))
			want := ""
			if c.path != "" {
				want = filepath.Join(top, c.path)
			}
			if err != nil || path != want || root != filepath.Join(top, c.root) {
				t.Errorf("got %q, %q, %v; want %q, %q", path, root, err, want, filepath.Join(top, c.root))
			}
		})
	}
	if _, _, err := Find(filepath.Join(top, "none")); err == nil {
		t.Error("a folder that is not there: no error")
	}
}
