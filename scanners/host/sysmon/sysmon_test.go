package sysmon_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/host/hosttest"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/sysmon"
	"lookback/scanners/tree"
)

const (
	unitFile = "[Service]\nExecStart=/opt/sysmon/sysmon -i /opt/sysmon/config.xml -service\n[Install]\nWantedBy=multi-user.target\n"
	wants    = "etc/systemd/system/multi-user.target.wants/sysmon.service"
)

func testdata(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func sources(set *evidence.Set) map[string]*evidence.LogSource {
	out := map[string]*evidence.LogSource{}
	for _, r := range set.Records {
		if l, ok := r.(*evidence.LogSource); ok {
			out[string(l.Activity)] = l
		}
	}
	return out
}

// part is a part in a line: its grade, what it leaves out, and where that stands.
func part(l *evidence.LogSource, p evidence.Part) string {
	v := l.Parts[p]
	e, known := v.Get()
	if !known {
		return "unknown: " + string(v.Why())
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s", e.Grade, e.But)) + fmt.Sprintf(" (%s:%d)", v.At().File, v.At().Line)
}

func fact(v evidence.Value[bool]) string {
	b, known := v.Get()
	if !known {
		return "unknown: " + string(v.Why())
	}
	return fmt.Sprint(b)
}

func TestAHostWithoutSysmonHasNoSourceOfIt(t *testing.T) {
	set := hosttest.Scan(t, map[string]string{"etc/": "", "opt/": ""}, sysmon.Read)
	if got := sources(set); len(got) != 0 || len(set.Gaps) != 0 {
		t.Errorf("got %v, gaps %v", got, set.Gaps)
	}
}

func TestAPackageThatWasNeverInstalledAsAServiceRecordsNothing(t *testing.T) {
	set := hosttest.Scan(t, map[string]string{"usr/bin/sysmon": "binary"}, sysmon.Read)
	for _, a := range []string{"process", "file-change"} {
		if l := sources(set)[a]; l == nil || fact(l.Enabled) != "false" {
			t.Errorf("%s: %+v", a, l)
		}
	}
}

func TestWhatSysmonForLinuxRecords(t *testing.T) {
	set := hosttest.Scan(t, map[string]string{
		"opt/sysmon/sysmon": "binary", "opt/sysmon/config.xml": testdata(t, "linux.xml"),
		"etc/systemd/system/sysmon.service": unitFile, wants: "-> /etc/systemd/system/sysmon.service",
	}, sysmon.Read)
	l := sources(set)["process"]
	if fact(l.Enabled) != "true" {
		t.Errorf("enabled %s", fact(l.Enabled))
	}
	for p, want := range map[evidence.Part]string{
		evidence.PartProcessStart:  "all (opt/sysmon/config.xml:5)",
		evidence.PartConnections:   "all not what 1 rule leaves out (opt/sysmon/config.xml:8)",
		evidence.PartFileWrites:    "some only what 1 rule names (opt/sysmon/config.xml:13)",
		evidence.PartRawReads:      "none (opt/sysmon/config.xml:18)",
		evidence.PartFileDeletes:   "none (opt/sysmon/config.xml:0)",
		evidence.PartProcessEnd:    "all (opt/sysmon/config.xml:0)",
		evidence.PartProcessAccess: "none (opt/sysmon/config.xml:0)",
		evidence.PartEveryEvent:    "some NetworkConnect not what 1 rule leaves out (opt/sysmon/config.xml:8)",
	} {
		if got := part(l, p); got != want {
			t.Errorf("%s: got %q, want %q", p, got, want)
		}
	}
	for _, p := range []evidence.Part{evidence.PartDriverLoads, evidence.PartFileTimes} {
		if _, named := l.Parts[p]; named {
			t.Errorf("%s does not exist on Linux", p)
		}
	}
	if files := sources(set)["file-change"]; len(files.Parts) != 3 {
		t.Errorf("file-change has %d parts with every-node", len(files.Parts))
	}
}

func TestADisabledServiceRecordsNothing(t *testing.T) {
	set := hosttest.Scan(t, map[string]string{
		"opt/sysmon/sysmon": "binary", "opt/sysmon/config.xml": testdata(t, "linux.xml"), "etc/systemd/system/sysmon.service": unitFile,
	}, sysmon.Read)
	if got := fact(sources(set)["process"].Enabled); got != "false" {
		t.Errorf("enabled %s", got)
	}
}

func TestARunningMachineTellsWhetherSysmonRuns(t *testing.T) {
	for populated, want := range map[string]string{"populated 1\n": "true", "populated 0\n": "false"} {
		r := hosttest.Image(t, map[string]string{
			"opt/sysmon/sysmon": "binary", "opt/sysmon/config.xml": testdata(t, "linux.xml"),
			"etc/systemd/system/sysmon.service": unitFile, wants: "-> /etc/systemd/system/sysmon.service",
			"sys/fs/cgroup/system.slice/sysmon.service/cgroup.events": populated,
		})
		set := hosttest.Run(t, r, func(s *scope.Scope) { s.Live = true }, sysmon.Read)
		if got := fact(sources(set)["process"].Enabled); got != want {
			t.Errorf("%q: enabled %s, want %s", populated, got, want)
		}
	}
}

func TestAConfigurationThatCannotBeReadLeavesThePartsUnknown(t *testing.T) {
	for name, c := range map[string]struct {
		config, why string
		gaps        int
	}{
		"absent":     {"", "unknown: elsewhere", 0},
		"broken":     {"<Sysmon schemaversion=\"4.81\"><EventFiltering>", "unknown: failed", 1},
		"not theirs": {"hello", "unknown: failed", 1},
		"unreadable": {"-> config.xml", "unknown: failed", 1},
	} {
		files := map[string]string{
			"opt/sysmon/sysmon": "binary", "etc/systemd/system/sysmon.service": unitFile, wants: "-> /etc/systemd/system/sysmon.service",
		}
		if c.config != "" {
			files["opt/sysmon/config.xml"] = c.config
		}
		set := hosttest.Scan(t, files, sysmon.Read)
		if got := part(sources(set)["process"], evidence.PartProcessStart); got != c.why || len(set.Gaps) != c.gaps {
			t.Errorf("%s: got %q, gaps %v", name, got, set.Gaps)
		}
	}
}

func scan(t *testing.T, files map[string]string) *evidence.Set {
	t.Helper()
	set := &evidence.Set{Started: hosttest.Now, Ended: hosttest.Now}
	var kept []any
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if k := (sysmon.Scanner{}).Offer(tree.File{Name: name, Content: []byte(files[name])}); k != nil {
			kept = append(kept, k)
		}
	}
	if err := (sysmon.Scanner{}).Scan(t.Context(), scanners.Target{}, kept, set); err != nil {
		t.Fatal(err)
	}
	set.Sort()
	return set
}

func TestAConfigurationInARepositoryIsGradedWithItsLines(t *testing.T) {
	set := scan(t, map[string]string{
		"sysmon/config.xml": testdata(t, "windows.xml"), "pom.xml": "<project/>", "a.yaml": "<Sysmon schemaversion=\"4\"/>",
		"about.xml": "<doc>see <Sysmon></doc>",
	})
	l := sources(set)["process"]
	if l == nil || l.ID != "sysmon:sysmon/config.xml//sysmon#process" || fact(l.Enabled) != "unknown: elsewhere" {
		t.Fatalf("got %+v", l)
	}
	for p, want := range map[evidence.Part]string{
		evidence.PartProcessStart:  "all not what 3 rules leave out (sysmon/config.xml:7)",
		evidence.PartFileTimes:     "some only what 1 rule names (sysmon/config.xml:17)",
		evidence.PartConnections:   "some only what 2 rules name, without what 1 rule leaves out (sysmon/config.xml:22)",
		evidence.PartProcessEnd:    "some only what 1 rule names (sysmon/config.xml:33)",
		evidence.PartDriverLoads:   "all not what 1 rule leaves out (sysmon/config.xml:38)",
		evidence.PartRawReads:      "none (sysmon/config.xml:43)",
		evidence.PartProcessAccess: "none (sysmon/config.xml:48)",
		evidence.PartFileWrites:    "some only what 2 rules name (sysmon/config.xml:51)",
		evidence.PartFileDeletes:   "none (sysmon/config.xml:2)",
	} {
		if got := part(l, p); got != want {
			t.Errorf("%s: got %q, want %q", p, got, want)
		}
	}
	want := "fail watched-event-classes sysmon:sysmon/config.xml//host: Sysmon does not record: file-deletes, raw-disk-reads, " +
		"process-access; Sysmon records only in part: connections, file-writes, process-end, file-times"
	if got := hosttest.Judge(set); !slices.Contains(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestABrokenConfigurationInARepositoryIsAGap(t *testing.T) {
	set := scan(t, map[string]string{"x.xml": "<Sysmon schemaversion=\"4.50\"><EventFiltering>"})
	if len(set.Records) != 0 || len(set.Gaps) != 1 || !set.Gaps[0].Bad {
		t.Errorf("records %v, gaps %v", set.Records, set.Gaps)
	}
}

func TestItsRecordsGoToTheSystemLog(t *testing.T) {
	set := hosttest.Scan(t, map[string]string{
		"opt/sysmon/sysmon": "binary", "opt/sysmon/config.xml": testdata(t, "linux.xml"),
		"etc/systemd/system/sysmon.service": unitFile, wants: "-> /etc/systemd/system/sysmon.service",
		"usr/lib/systemd/systemd-journald": "binary", "var/log/journal/": "", "usr/sbin/rsyslogd": "binary",
		"lib/systemd/system/rsyslog.service":                         "[Service]\nExecStart=/usr/sbin/rsyslogd -n\n[Install]\nWantedBy=multi-user.target\n",
		"etc/systemd/system/multi-user.target.wants/rsyslog.service": "-> /lib/systemd/system/rsyslog.service",
		"etc/rsyslog.conf": "module(load=\"imuxsock\")\nuser.* /var/log/user.log\nauth.* /var/log/auth.log\n",
	}, sysmon.Read)
	var got []string
	for _, by := range sources(set)["process"].To {
		got = append(got, string(by.To)+" whole "+fact(by.Whole))
	}
	want := []string{"host:web-1//journal whole true", "host:web-1//var/log/user.log whole false"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
