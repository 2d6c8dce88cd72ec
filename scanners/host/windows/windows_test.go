package windows

import (
	"context"
	"fmt"
	"maps"
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

// A machine is an image that a test writes. What it names comes on top of a Windows as it is installed.
type machine struct {
	system, software, security values
	files                      map[string]string
	without                    []string
}

const (
	set1     = `ControlSet001\`
	svc      = set1 + `Services\`
	channels = `Microsoft\Windows\CurrentVersion\WINEVT\Channels\`
	policies = `Policies\Microsoft\Windows\`
	winlogs  = "Windows/System32/winevt/Logs/"
)

// stock is a Windows Server 2022 as it is installed: its audit policy records logons and changes of the policy, and no
// programs; all logs overwrite; the small dump is automatic.
func stock() machine {
	m := machine{
		system: values{
			`Select|Current`: 1,
			set1 + `Control\ComputerName\ComputerName|ComputerName`: "web-1",
			set1 + `Control\CrashControl|CrashDumpEnabled`:          7,
			svc + `EventLog|Start`:                                  2,
			svc + `Sense|Start`:                                     3,
			svc + `WinDefend|Start`:                                 2,
			svc + `W32Time|Start`:                                   3,
			svc + `W32Time\Parameters|Type`:                         "NTP",
			svc + `W32Time\Parameters|NtpServer`:                    "time.windows.com,0x9",
			svc + `W32Time\TimeProviders\NtpClient|Enabled`:         1,
			svc + `W32Time\TimeProviders\VMICTimeProvider|Enabled`:  1,
		},
		software: values{
			channels + logPowerShell + `|Enabled`: 1,
			channels + logPowerShell + `|MaxSize`: 15 << 20,
			`Policies\Microsoft`:                  nil,
		},
		security: values{`Policy\PolAdtEv|`: auditData(counts["Windows 1607"], map[auditSetting]uint16{
			logon: 3, policyChange: 1, securityStateChange: 1, userAccounts: 1, groups: 1,
		})},
		files: map[string]string{
			winlogs + "Security.evtx":                                  full(20<<20, 5001, day(20)),
			winlogs + "System.evtx":                                    eventLog([]testRecord{{1, day(1)}, {2, day(28)}}),
			winlogs + "Application.evtx":                               eventLog(),
			winlogs + "Microsoft-Windows-PowerShell%4Operational.evtx": eventLog([]testRecord{{70, day(10)}, {71, day(11)}}),
			"pagefile.sys":                                             "",
		},
	}
	for _, name := range []string{"Application", "Security", "System"} {
		m.system[svc+`EventLog\`+name+`|MaxSize`] = 20 << 20
		m.system[svc+`EventLog\`+name+`|Retention`] = 0
		m.system[svc+`EventLog\`+name+`|File`] = `%SystemRoot%\System32\winevt\Logs\` + name + `.evtx`
	}
	return m
}

// full is a log that has as many bytes as it may have.
func full(size int, first uint64, oldest time.Time) string {
	data := eventLog([]testRecord{{first, oldest}, {first + 1, oldest.Add(9 * 24 * time.Hour)}})
	return data + strings.Repeat("\x00", size-len(data))
}

func (m machine) image(t *testing.T) *root.Root {
	base := stock()
	files := base.files
	maps.Copy(base.system, m.system)
	maps.Copy(base.software, m.software)
	maps.Copy(base.security, m.security)
	files[config+"SYSTEM"], files[config+"SOFTWARE"], files[config+"SECURITY"] = base.system.hive(t), base.software.hive(t), base.security.hive(t)
	maps.Copy(files, m.files)
	for _, name := range m.without {
		delete(files, name)
	}
	return hosttest.Image(t, files)
}

func (m machine) scan(t *testing.T) *evidence.Set {
	t.Helper()
	return scan(t, m.image(t))
}

func scan(t *testing.T, r *root.Root) *evidence.Set {
	t.Helper()
	return hosttest.Run(t, r, func(s *scope.Scope) { s.Root, s.Windows = s.Root.Fold(), true }, Read)
}

const id = "host:web-1//"

func record[R evidence.Record](t *testing.T, set *evidence.Set, thing string) R {
	t.Helper()
	for _, r := range set.Records {
		if one, ok := r.(R); ok && r.Self().ID == evidence.ID(id+thing) {
			return one
		}
	}
	var none R
	t.Fatalf("no %T %s", none, thing)
	return none
}

func has(set *evidence.Set, thing string) bool {
	return slices.ContainsFunc(set.Records, func(r evidence.Record) bool { return r.Self().ID == evidence.ID(id+thing) })
}

// show writes a fact as a test reads it.
func show[T any](v evidence.Value[T]) string {
	is, known := v.Get()
	switch {
	case v.IsMoot():
		return "moot"
	case !known:
		return "unknown: " + v.Why().String()
	}
	return fmt.Sprint(is)
}

func equal(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

func judged(t *testing.T, set *evidence.Set, want ...string) {
	t.Helper()
	got := hosttest.Judge(set)
	for _, w := range want {
		no := strings.HasPrefix(w, "not ")
		w = strings.TrimPrefix(w, "not ")
		if slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, w) }) == no {
			t.Errorf("%q: present is %t, in\n%s", w, no, strings.Join(got, "\n"))
		}
	}
}

func TestWindowsAsItIsInstalled(t *testing.T) {
	set := machine{}.scan(t)
	for _, g := range set.Gaps {
		t.Errorf("a gap: %+v", g)
	}
	security := record[*evidence.LogStore](t, set, "evtx/Security")
	equal(t, "bytes", show(security.Bytes), "20971520")
	equal(t, "kept", show(security.Kept), "0")
	equal(t, "oldest", show(security.Oldest), "2026-05-20 10:00:00 +0000 UTC")
	equal(t, "newest", show(security.Newest), "2026-05-29 10:00:00 +0000 UTC")
	equal(t, "dropped", show(security.Dropped), "true")
	equal(t, "complete", show(security.Complete), "true")
	equal(t, "of a log that was cleared", show(record[*evidence.LogStore](t, set, "evtx/"+logPowerShell).Dropped), "unknown: elsewhere")
	equal(t, "of an empty log", show(record[*evidence.LogStore](t, set, "evtx/Application").Oldest), "unknown: elsewhere")
	equal(t, "of a young log", show(record[*evidence.LogStore](t, set, "evtx/System").Dropped), "false")

	login := record[*evidence.LogSource](t, set, "evtx/Security#login")
	equal(t, "logons", show(login.Parts[evidence.PartLogons]), "{all }")
	equal(t, "identities", show(login.Parts[evidence.PartIdentityFiles]), "{all }")
	equal(t, "programs", show(record[*evidence.LogSource](t, set, "evtx/Security#process").Enabled), "false")
	equal(t, "scripts", show(record[*evidence.LogSource](t, set, "powershell#process").Parts[evidence.PartScripts]),
		"{some only what PowerShell takes for suspicious}")
	if has(set, "sysmon#process") || has(set, "sensor/Microsoft-Defender-for-Endpoint#process") {
		t.Error("a sensor that is not there")
	}
	clock := record[*evidence.Clock](t, set, "clock")
	equal(t, "sources", show(clock.Sources), "[{time.windows.com false false}]")
	equal(t, "synchronised", show(clock.Synchronised), "unknown: elsewhere")
	equal(t, "guarded", show(clock.Guarded), "unknown: unfamiliar")
	equal(t, "memory", show(record[*evidence.Access](t, set, "memory").Allowed), "unknown: elsewhere")

	judged(t, set,
		"pass recorded-login", "pass recorded-system", "pass recorded-log-control",
		"fail watched-processes host:web-1//host: the log Security is there, and the recording of program starts is off", "fail timed-two-sources", "not-assessed timed-synchronised", "not-assessed acquirable-memory",
		"fail retained-reached host:web-1//evtx/Security: event log \"Security\" went back 9 days at the scan",
		"not fail retained-reached host:web-1//evtx/System", "fail shipped-off-host host:web-1//evtx/Security#login")
}

func TestAHardenedWindows(t *testing.T) {
	set := machine{
		system: values{
			svc + `SysmonDrv|Start`:                        0,
			svc + `SysmonDrv\Parameters|Rules`:             rulesBlob(testGroup{1, true, 0}, testGroup{3, true, 0}, testGroup{11, true, 0}, testGroup{2, true, 0}, testGroup{6, true, 2}, testGroup{9, true, 0}, testGroup{10, false, 3}, testGroup{26, true, 0}),
			svc + `SysmonDrv\Parameters|HashingAlgorithm`:  uint32(0x80000004),
			svc + `SysmonDrv\Parameters|ConfigFile`:        `C:\sysmon.xml`,
			svc + `SysmonDrv\Parameters|ConfigHash`:        `SHA256=00FF`,
			svc + `Sysmon64|Start`:                         2,
			svc + `W32Time\Parameters|NtpServer`:           "ntp1.corp.example,0x8 ntp2.corp.example,0x8",
			set1 + `Control\CrashControl|CrashDumpEnabled`: 1,
			svc + `CSFalconService|Start`:                  2,
		},
		software: values{
			channels + logSysmon + `|Enabled`:                                                              1,
			channels + logSysmon + `|MaxSize`:                                                              uint32(1 << 30),
			policies + `EventLog\Security|MaxSize`:                                                         uint32(4 << 20), // kilobytes
			policies + `EventLog\System|Retention`:                                                         "1",
			policies + `EventLog\System|AutoBackupLogFiles`:                                                "1",
			policies + `PowerShell\ScriptBlockLogging|EnableScriptBlockLogging`:                            1,
			`Microsoft\Windows\CurrentVersion\Policies\System\Audit|ProcessCreationIncludeCmdLine_Enabled`: 1,
			`Microsoft\Windows Advanced Threat Protection\Status|OnboardingState`:                          1,
		},
		security: values{`Policy\PolAdtEv|`: auditData(counts["Windows 1607"], map[auditSetting]uint16{
			logon: 3, policyChange: 3, securityStateChange: 3, userAccounts: 3, groups: 3, processCreation: 1, processTermination: 1,
			connections: 3, connectionsToo: 3, fileSystem: 3,
		})},
		files: map[string]string{winlogs + "Microsoft-Windows-Sysmon%4Operational.evtx": eventLog([]testRecord{{1, day(2)}, {2, day(27)}})},
	}.scan(t)
	sysmon := record[*evidence.LogSource](t, set, "sysmon#process")
	equal(t, "Sysmon", show(sysmon.Enabled), "true")
	if note := sysmon.At.Note; !strings.Contains(note, `C:\sysmon.xml, SHA256=00FF`) {
		t.Errorf("its configuration: %q", note)
	}
	for part, want := range map[evidence.Part]string{
		evidence.PartProcessStart: "{all }", evidence.PartConnections: "{all }", evidence.PartFileWrites: "{all }",
		evidence.PartProcessEnd: "{all }", evidence.PartFileDeletes: "{all }", evidence.PartFileTimes: "{all }", evidence.PartRawReads: "{all }",
		evidence.PartDriverLoads: "{all not what 2 rules leave out}", evidence.PartProcessAccess: "{some only what 3 rules name}",
	} {
		equal(t, string(part), show(sysmon.Parts[part]), want)
	}
	equal(t, "Sysmon's log", show(record[*evidence.LogStore](t, set, "evtx/"+logSysmon).Bytes), "1073741824")
	equal(t, "the Security log", show(record[*evidence.LogStore](t, set, "evtx/Security").Bytes), "4294967296")
	system := record[*evidence.LogStore](t, set, "evtx/System")
	equal(t, "the System log", show(system.Kept)+", "+show(system.Bytes), fmt.Sprint(evidence.Forever)+", moot")
	process := record[*evidence.LogSource](t, set, "evtx/Security#process")
	equal(t, "4688", show(process.Parts[evidence.PartProcessStart]), "{all }")
	equal(t, "5156", show(process.Parts[evidence.PartConnections]), "{all }")
	equal(t, "4689", show(process.Parts[evidence.PartProcessEnd]), "{all }")
	equal(t, "scripts", show(record[*evidence.LogSource](t, set, "powershell#process").Parts[evidence.PartScripts]), "{all }")
	equal(t, "CrowdStrike", show(record[*evidence.LogSource](t, set, "sensor/CrowdStrike-Falcon#process").Enabled), "unknown: elsewhere")
	equal(t, "Defender", show(record[*evidence.LogSource](t, set, "sensor/Microsoft-Defender-for-Endpoint#process").Enabled), "unknown: elsewhere")
	judged(t, set, "pass watched-processes", "not nobody looked", "not-assessed watched-event-classes", "pass timed-two-sources", "pass acquirable-memory", "pass recorded-log-control", "not fail arriving-lossless")
}

func TestASensorThatLeavesOutWhatAnInvestigationNeeds(t *testing.T) {
	set := machine{system: values{
		svc + `SysmonDrv|Start`: 0, svc + `SysmonDrv\Parameters|Rules`: rulesBlob(testGroup{1, true, 4}, testGroup{3, false, 5}), svc + `Sysmon64|Start`: 2,
	}, software: values{channels + logSysmon + `|Enabled`: 1}}.scan(t)
	judged(t, set, "fail watched-event-classes", "not nobody looked")
	for _, thing := range []string{"evtx/Security#process", "powershell#process"} {
		equal(t, thing, show(record[*evidence.LogSource](t, set, thing).Parts[evidence.PartRawReads]), "{none }")
	}
}

func TestSysmonUnderOtherNames(t *testing.T) {
	renamed := func(service values) machine {
		m := machine{system: values{
			svc + `Quiet|Start`: 0, svc + `Quiet\Parameters|Rules`: rulesBlob(testGroup{1, true, 0}), svc + `Quiet\Parameters|HashingAlgorithm`: 1,
		}, software: values{channels + logSysmon + `|Enabled`: 1}}
		maps.Copy(m.system, service)
		return m
	}
	for name, c := range map[string]struct {
		m    machine
		want string
	}{
		"with its service":     {renamed(values{svc + `Helper|Start`: 2, svc + `Helper\Parameters|DriverName`: "quiet"}), "true"},
		"its service disabled": {renamed(values{svc + `Helper|Start`: 4, svc + `Helper\Parameters|DriverName`: "Quiet"}), "false"},
		"its service waits":    {renamed(values{svc + `Helper|Start`: 3, svc + `Helper\Parameters|DriverName`: "quiet"}), "unknown: elsewhere"},
		"without its service":  {renamed(nil), "unknown: unfamiliar"},
		"its driver disabled":  {renamed(values{svc + `Quiet|Start`: 4, svc + `Sysmon|Start`: 2}), "false"},
		"its channel is off": {machine{
			system:   renamed(values{svc + `Sysmon|Start`: 2}).system,
			software: values{channels + logSysmon + `|Enabled`: 0},
		}, "false"},
		"a service and no driver": {machine{system: values{svc + `Sysmon64|Start`: 2}, software: values{channels + logSysmon + `|Enabled`: 1}}, "unknown: unfamiliar"},
		"a channel alone":         {machine{software: values{channels + logSysmon + `|Enabled`: 1}}, "unknown: unfamiliar"},
		"no channel":              {machine{system: renamed(values{svc + `Sysmon|Start`: 2}).system}, "unknown: unfamiliar"},
	} {
		t.Run(name, func(t *testing.T) {
			set := c.m.scan(t)
			equal(t, "enabled", show(record[*evidence.LogSource](t, set, "sysmon#process").Enabled), c.want)
			if has(set, "evtx/"+logSysmon) {
				equal(t, "the size by the manifest", show(record[*evidence.LogStore](t, set, "evtx/"+logSysmon).Bytes), "67108864")
			}
		})
	}
}

func TestSysmonRulesThatCannotBeReadGiveNoVerdict(t *testing.T) {
	for name, rules := range map[string]any{"of another layout": []byte("0123456789"), "none": nil, "cut": rulesBlob(testGroup{1, true, 0})[:40]} {
		set := machine{system: values{
			svc + `SysmonDrv|Start`: 0, svc + `SysmonDrv\Parameters|Rules`: rules, svc + `Sysmon64|Start`: 2,
		}, software: values{channels + logSysmon + `|Enabled`: 1}}.scan(t)
		src := record[*evidence.LogSource](t, set, "sysmon#process")
		equal(t, name+": enabled", show(src.Enabled), "true")
		want := map[string]string{"of another layout": "unknown: unfamiliar", "none": "{all }", "cut": "unknown: unfamiliar"}[name]
		equal(t, name, show(src.Parts[evidence.PartProcessStart]), want)
	}
}

func TestSettingsThatWeakenALog(t *testing.T) {
	set := machine{
		system: values{
			svc + `EventLog\Security|Retention`: uint32(0xFFFFFFFF), svc + `EventLog\System|File`: `D:\Logs\System.evtx`,
			svc + `EventLog\Application|MaxSize`: nil, svc + `EventLog\Application|File`: `C:\Windows\System32\winevt\Logs\Application.evtx`,
		},
		software: values{channels + logPowerShell + `|Enabled`: 0},
	}.scan(t)
	security := record[*evidence.LogStore](t, set, "evtx/Security")
	equal(t, "not overwritten", show(security.Kept)+", "+show(security.Bytes), fmt.Sprint(evidence.Forever)+", moot")
	equal(t, "and loses what is new", show(record[*evidence.LogSource](t, set, "evtx/Security#login").To[0].Lossless), "false")
	system := record[*evidence.LogStore](t, set, "evtx/System")
	equal(t, "on another disk", show(system.On)+", "+show(system.Oldest), "unknown: elsewhere, unknown: elsewhere")
	equal(t, "no size", show(record[*evidence.LogStore](t, set, "evtx/Application").Bytes), "unknown: unfamiliar")
	equal(t, "a channel that is off", show(record[*evidence.LogSource](t, set, "powershell#process").Enabled), "false")

	set = machine{system: values{svc + `EventLog|Start`: 4}}.scan(t)
	for _, thing := range []string{"evtx/Security#login", "evtx/System#system", "powershell#process"} {
		equal(t, "without its service, "+thing, show(record[*evidence.LogSource](t, set, thing).Enabled), "false")
	}
	judged(t, set, "fail recorded-login", "fail recorded-system")
}

func TestAnAuditPolicyThatRecordsLess(t *testing.T) {
	with := func(set map[auditSetting]uint16, software values) machine {
		return machine{security: values{`Policy\PolAdtEv|`: auditData(counts["Windows 1607"], set)}, software: software}
	}
	for name, c := range map[string]struct {
		m                               machine
		logons, starts, control, guards string
	}{
		"nothing": {with(nil, nil), "{none }", "{none }", "{some that a log was cleared, and not that the audit policy was changed}", "false"},
		"who came in alone": {
			with(map[auditSetting]uint16{logon: 1, processCreation: 1, policyChange: 1}, nil),
			"{some not who was turned away}", "{some without arguments}", "{all }", "false",
		},
		"who was turned away alone": {
			with(map[auditSetting]uint16{logon: 2, processCreation: 2, policyChange: 2, securityStateChange: 1}, nil),
			"{some only who was turned away}", "{none }", "{some that a log was cleared, and not that the audit policy was changed}", "unknown: unfamiliar",
		},
		"a layout that is not known": {
			machine{security: values{`Policy\PolAdtEv|`: []byte("what is it")}},
			"unknown: unfamiliar", "unknown: unfamiliar", "unknown: unfamiliar", "unknown: unfamiliar",
		},
		"none at all": {
			machine{security: values{`Policy\PolAdtEv|`: nil, `Policy\X|Y`: 1}},
			"unknown: unfamiliar", "unknown: unfamiliar", "unknown: unfamiliar", "unknown: unfamiliar",
		},
	} {
		t.Run(name, func(t *testing.T) {
			set := c.m.scan(t)
			equal(t, "logons", show(record[*evidence.LogSource](t, set, "evtx/Security#login").Parts[evidence.PartLogons]), c.logons)
			equal(t, "programs", show(record[*evidence.LogSource](t, set, "evtx/Security#process").Parts[evidence.PartProcessStart]), c.starts)
			equal(t, "control", show(record[*evidence.LogSource](t, set, "evtx/Security#system").Parts[evidence.PartLogControl]), c.control)
			equal(t, "guarded", show(record[*evidence.Clock](t, set, "clock").Guarded), c.guards)
		})
	}
}

func TestWhereEventsAreForwarded(t *testing.T) {
	for name, m := range map[string]machine{
		"by Windows":      {software: values{policies + `EventLog\EventForwarding\SubscriptionManager|1`: "Server=http://wec.corp.example:5985/wsman/SubscriptionManager/WEC"}},
		"by winlogbeat":   {system: values{svc + `winlogbeat|Start`: 2}},
		"by an extension": {files: map[string]string{"Packages/Plugins/Microsoft.Azure.Monitor.AzureMonitorWindowsAgent/": ""}},
	} {
		t.Run(name, func(t *testing.T) {
			set := m.scan(t)
			equal(t, "complete", show(record[*evidence.LogStore](t, set, "evtx/Security").Complete), "unknown: elsewhere")
			judged(t, set, "not fail shipped-off-host", "not-assessed shipped-off-host")
		})
	}
	set := machine{system: values{svc + `winlogbeat|Start`: 4}}.scan(t)
	equal(t, "a shipper that is disabled", show(record[*evidence.LogStore](t, set, "evtx/Security").Complete), "true")
}

func TestFromWhomTheTimeComes(t *testing.T) {
	time := svc + `W32Time\`
	for name, c := range map[string]struct {
		system   values
		software values
		want     string
	}{
		"nobody":                      {system: values{time + `Parameters|Type`: "NoSync"}, want: "[]"},
		"the domain":                  {system: values{time + `Parameters|Type`: "NT5DS"}, want: "unknown: elsewhere"},
		"the domain and servers":      {system: values{time + `Parameters|Type`: "AllSync"}, want: "unknown: elsewhere"},
		"a type that is not known":    {system: values{time + `Parameters|Type`: "Sundial"}, want: "unknown: unfamiliar"},
		"no type":                     {system: values{time + `Parameters|Type`: nil}, want: "unknown: unfamiliar"},
		"a service that is off":       {system: values{`ControlSet001\Services\W32Time|Start`: 4}, want: "[]"},
		"another service":             {system: values{`ControlSet001\Services\W32Time|Start`: 4, svc + `NTP|Start`: 2}, want: "unknown: unfamiliar"},
		"a client that is off":        {system: values{time + `TimeProviders\NtpClient|Enabled`: 0}, want: "[]"},
		"a policy":                    {software: values{`Policies\Microsoft\W32Time\Parameters|NtpServer`: "a.example,0x8 b.example,0x8"}, want: "[{a.example false false} {b.example false false}]"},
		"the hypervisor and a server": {system: values{set1 + `Control\SystemInformation|SystemManufacturer`: "Microsoft Corporation", set1 + `Control\SystemInformation|SystemProductName`: "Virtual Machine"}, want: "[{Hyper-V true false} {time.windows.com false false}]"},
	} {
		t.Run(name, func(t *testing.T) {
			set := machine{system: c.system, software: c.software}.scan(t)
			equal(t, "sources", show(record[*evidence.Clock](t, set, "clock").Sources), c.want)
		})
	}
}

func TestProductsThatAreOff(t *testing.T) {
	set := machine{system: values{svc + `CSFalconService|Start`: 4, svc + `osqueryd|Start`: 3}}.scan(t)
	equal(t, "disabled", show(record[*evidence.LogSource](t, set, "sensor/CrowdStrike-Falcon#process").Enabled), "false")
	equal(t, "by hand", show(record[*evidence.LogSource](t, set, "sensor/osquery#process").Enabled), "unknown: elsewhere")
}

func TestHivesThatCannotBeRead(t *testing.T) {
	sound := machine{}.image(t)
	hives := map[string]string{}
	for _, name := range []string{"SYSTEM", "SOFTWARE", "SECURITY"} {
		data, err := sound.ReadFile(config + name)
		if err != nil {
			t.Fatal(err)
		}
		hives[name] = string(data)
	}
	for name, how := range map[string]func(string) string{
		"broken":      func(string) string { return strings.Repeat("regf", 3000) },
		"cut":         func(s string) string { return s[:6000] },
		"a link away": func(string) string { return "-> /no/such/file" },
		"zeros":       func(s string) string { return s[:4096] + strings.Repeat("\x00", len(s)-4096) },
	} {
		for hive, data := range hives {
			t.Run(name+" "+hive, func(t *testing.T) {
				set := machine{files: map[string]string{config + hive: how(data)}}.scan(t)
				if len(set.Gaps) == 0 {
					t.Error("no gap")
				}
				record[*evidence.LogSource](t, set, "evtx/Security#login")
				switch hive {
				case "SYSTEM":
					judged(t, set, "not fail watched-", "not fail timed-", "not fail shipped-", "not pass recorded-")
				case "SOFTWARE":
					judged(t, set, "not fail watched-event-classes", "not fail shipped-")
				case "SECURITY":
					judged(t, set, "not-assessed recorded-login", "not fail recorded-", "not fail timed-guarded")
				}
			})
		}
	}
	t.Run("absent", func(t *testing.T) {
		set := machine{without: []string{config + "SYSTEM", config + "SOFTWARE", config + "SECURITY"}}.scan(t)
		if len(set.Gaps) < 3 {
			t.Errorf("%d gaps", len(set.Gaps))
		}
		judged(t, set, "not fail ", "not pass recorded-", "not pass watched-")
	})
}

func TestAMachineThatWasNotShutDown(t *testing.T) {
	hive, err := machine{}.image(t).ReadFile(config + "SECURITY")
	if err != nil {
		t.Fatal(err)
	}
	hive[4]++
	set := machine{files: map[string]string{config + "SECURITY": string(checked(hive[:4096])) + string(hive[4096:])}}.scan(t)
	logons := record[*evidence.LogSource](t, set, "evtx/Security#login").Parts[evidence.PartLogons]
	equal(t, "logons", show(logons), "{all }")
	if note := logons.At().Note; !strings.Contains(note, "what its .LOG1 and .LOG2 add is not in it") {
		t.Errorf("%q", note)
	}
}

func TestAHiveThatMayNotBeRead(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read everything")
	}
	r := machine{files: map[string]string{config + "SECURITY": "mode 000\n"}}.image(t)
	if why := record[*evidence.LogSource](t, scan(t, r), "evtx/Security#login").Enabled.Why(); why != evidence.Denied {
		t.Errorf("%v", why)
	}
}

func TestLogsThatCannotBeRead(t *testing.T) {
	set := machine{files: map[string]string{winlogs + "Security.evtx": "not a log"}, without: []string{winlogs + "System.evtx"}}.scan(t)
	equal(t, "broken", show(record[*evidence.LogStore](t, set, "evtx/Security").Oldest), "unknown: failed")
	equal(t, "absent", show(record[*evidence.LogStore](t, set, "evtx/System").Oldest), "unknown: elsewhere")
	if len(set.Gaps) != 1 {
		t.Errorf("%+v", set.Gaps)
	}
}

func TestAnImageOfManyServicesIsReadInTimeAndUnchanged(t *testing.T) {
	m := machine{system: values{}, software: values{}}
	for i := range 900 {
		m.system[fmt.Sprintf(svc+`Service%d\Parameters|ServiceDll`, i)] = "x.dll"
		m.software[fmt.Sprintf(channels+`Vendor-%d/Operational|Enabled`, i)] = 1
	}
	r := m.image(t)
	start := time.Now()
	set := scan(t, r)
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("%v", took)
	}
	if len(set.Gaps) > 0 {
		t.Errorf("%+v", set.Gaps)
	}
}

func TestAScanThatIsCutShort(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := machine{}.image(t)
	set := &evidence.Set{}
	s := scope.New(r.Fold(), "web-1", set)
	Read(ctx, s)
	equal(t, "oldest", fmt.Sprint(record[*evidence.LogStore](t, set, "evtx/Security").Oldest.IsZero()), "true")
}

func TestNoFileOfWindowsIsOpenedOutsideOfTheRoot(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "SYSTEM")
	if err := os.WriteFile(outside, []byte(values{`Select|Current`: 1, set1 + `Control\ComputerName\ComputerName|ComputerName`: "examiner"}.hive(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	r := hosttest.Image(t, map[string]string{config + "SYSTEM": "-> " + outside})
	if name := Name(r); name != "" {
		t.Errorf("it is %q", name)
	}
}

func TestLogsThatAreKeptFromBeingWritten(t *testing.T) {
	for name, c := range map[string]struct {
		machine
		security, system string
	}{
		"nothing":            {machine{}, "true", "true"},
		"its session":        {machine{system: values{set1 + `Control\WMI\Autologger\EventLog-Security|Start`: 0}}, "false", "true"},
		"a session that is":  {machine{system: values{set1 + `Control\WMI\Autologger\EventLog-Security|Start`: 1}}, "true", "true"},
		"its own setup":      {machine{system: values{set1 + `Control\MiniNt|x`: 1}}, "false", "true"},
		"a channel":          {machine{software: values{channels + `System|Enabled`: 0}}, "true", "unknown: unfamiliar"},
		"a channel that is":  {machine{software: values{channels + `System|Enabled`: 1}}, "true", "true"},
		"the whole service":  {machine{system: values{svc + `EventLog|Start`: 4, set1 + `Control\MiniNt|x`: 1}}, "false", "false"},
		"the other's parent": {machine{system: values{set1 + `Control\WMI\Autologger\EventLog-Application|Start`: 0}}, "true", "true"},
	} {
		set := c.scan(t)
		equal(t, name+": Security", show(record[*evidence.LogSource](t, set, "evtx/Security#login").Enabled), c.security)
		equal(t, name+": System", show(record[*evidence.LogSource](t, set, "evtx/System#system").Enabled), c.system)
	}
}

func TestAChannelIsFedByTheSessionOfALog(t *testing.T) {
	const session = set1 + `Control\WMI\Autologger\EventLog-`
	for name, c := range map[string]struct {
		machine
		want string
	}{
		"that of Application, by default": {machine{system: values{session + `Application|Start`: 0}}, "unknown: unfamiliar"},
		"that of System":                  {machine{system: values{session + `System|Start`: 0}, software: values{channels + logSysmon + `|Isolation`: 1}}, "unknown: unfamiliar"},
		"that of another":                 {machine{system: values{session + `System|Start`: 0}}, "true"},
		"its own":                         {machine{system: values{session + `Application|Start`: 0}, software: values{channels + logSysmon + `|Isolation`: 2}}, "true"},
		"one that starts":                 {machine{system: values{session + `Application|Start`: 1}}, "true"},
	} {
		if c.software == nil {
			c.software = values{}
		}
		c.software[channels+logSysmon+`|Enabled`] = 1
		maps.Copy(c.system, values{svc + `SysmonDrv|Start`: 0, svc + `SysmonDrv\Parameters|Rules`: rulesBlob(testGroup{1, true, 0}), svc + `Sysmon64|Start`: 2})
		equal(t, name, show(record[*evidence.LogSource](t, c.scan(t), "sysmon#process").Enabled), c.want)
	}
}

func TestHowARetentionIsRead(t *testing.T) {
	for n, want := range map[uint32]string{0: "0", 1<<32 - 1: fmt.Sprint(evidence.Forever), 604800: "unknown: unfamiliar"} {
		set := machine{system: values{svc + `EventLog\Security|Retention`: n}}.scan(t)
		equal(t, fmt.Sprint(n), show(record[*evidence.LogStore](t, set, "evtx/Security").Kept), want)
	}
}

func TestPowerShell7HasAPolicyOfItsOwn(t *testing.T) {
	const some = "{some not those of PowerShell 7, which has a policy of its own}"
	for _, c := range []struct {
		own  values
		file string
		want string
	}{
		{nil, "Windows/x", "{all }"},
		{nil, "Program Files/PowerShell/7/pwsh.exe", some},
		{values{`Policies\Microsoft\PowerShellCore\ScriptBlockLogging|EnableScriptBlockLogging`: 1}, "Program Files/PowerShell/7/pwsh.exe", "{all }"},
		{values{`Policies\Microsoft\PowerShellCore\ScriptBlockLogging|EnableScriptBlockLogging`: 0}, "Program Files/PowerShell/7/pwsh.exe", some},
		{values{`Policies\Microsoft\PowerShellCore\ScriptBlockLogging|UseWindowsPowerShellPolicySetting`: 1}, "Program Files/PowerShell/7/pwsh.exe", "{all }"},
	} {
		software := values{policies + `PowerShell\ScriptBlockLogging|EnableScriptBlockLogging`: 1}
		maps.Copy(software, c.own)
		set := machine{software: software, files: map[string]string{c.file: "x"}}.scan(t)
		equal(t, c.file+fmt.Sprint(c.own), show(record[*evidence.LogSource](t, set, "powershell#process").Parts[evidence.PartScripts]), c.want)
	}
}
