package unit_test

import (
	"context"
	"maps"
	"strings"
	"testing"

	"lookback/evidence"
	"lookback/scanners/host/hosttest"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/unit"
)

const service = "[Unit]\nDescription=x\n[Service]\nExecStart=/sbin/auditd \\\n  -n\n[Install]\nWantedBy=multi-user.target\n"

// say is a fact in a word, and where it was seen.
func say(v evidence.Value[bool]) string {
	on, known := v.Get()
	switch {
	case !known:
		return "unknown: " + string(v.Why())
	case on:
		return "yes"
	}
	return "no"
}

func find(t *testing.T, files map[string]string, name string, prepare func(*scope.Scope)) (unit.State, *evidence.Set) {
	t.Helper()
	var st unit.State
	set := hosttest.Run(t, hosttest.Image(t, files), prepare, func(_ context.Context, s *scope.Scope) {
		st = unit.Find(s, name, evidence.Process)
	})
	return st, set
}

func TestStatesOfAUnit(t *testing.T) {
	const wants = "etc/systemd/system/multi-user.target.wants/a.service"
	for name, c := range map[string]struct {
		files                      map[string]string
		installed, enabled, masked string
		exec, at                   string
	}{
		"a unit without a file is not there": {
			files: map[string]string{wants: "-> /lib/systemd/system/a.service"}, installed: "no", enabled: "no", masked: "no", at: "etc/systemd/system",
		},
		"a unit that no target wants is off": {
			files: map[string]string{"usr/lib/systemd/system/a.service": service}, installed: "yes", enabled: "no", masked: "no",
			exec: "/sbin/auditd    -n", at: "usr/lib/systemd/system/a.service",
		},
		"a link from a target turns it on": {
			files:     map[string]string{"usr/lib/systemd/system/a.service": service, wants: "-> /usr/lib/systemd/system/a.service"},
			installed: "yes", enabled: "yes", masked: "no", exec: "/sbin/auditd    -n", at: "usr/lib/systemd/system/a.service",
		},
		"a link of the package's own counts as well": {
			files: map[string]string{
				"lib/systemd/system/a.service": service, "lib/systemd/system/sysinit.target.wants/a.service": "-> ../a.service",
			},
			installed: "yes", enabled: "yes", masked: "no", exec: "/sbin/auditd    -n", at: "lib/systemd/system/a.service",
		},
		"a link to nothing takes back the package's own": {
			files: map[string]string{
				"lib/systemd/system/a.service": service, "lib/systemd/system/multi-user.target.wants/a.service": "-> ../a.service",
				wants: "-> /dev/null",
			},
			installed: "yes", enabled: "no", masked: "no", exec: "/sbin/auditd    -n", at: "lib/systemd/system/a.service",
		},
		"a link of a target that only repairs does not": {
			files: map[string]string{
				"lib/systemd/system/a.service": service, "etc/systemd/system/rescue.target.wants/a.service": "-> /lib/systemd/system/a.service",
			},
			installed: "yes", enabled: "no", masked: "no", exec: "/sbin/auditd    -n", at: "lib/systemd/system/a.service",
		},
		"a masked unit is installed and never starts": {
			files: map[string]string{
				"lib/systemd/system/a.service": service, wants: "-> /lib/systemd/system/a.service", "etc/systemd/system/a.service": "-> ../../../dev/null",
			},
			installed: "yes", enabled: "no", masked: "yes", exec: "/sbin/auditd    -n", at: "etc/systemd/system/a.service",
		},
		"an empty file masks too": {
			files:     map[string]string{"lib/systemd/system/a.service": service, "etc/systemd/system/a.service": ""},
			installed: "yes", enabled: "no", masked: "yes", exec: "/sbin/auditd    -n", at: "etc/systemd/system/a.service",
		},
		"the administrator's file goes before a mask of the package's": {
			files: map[string]string{
				"lib/systemd/system/a.service": "-> /dev/null", "etc/systemd/system/a.service": service, wants: "-> ../a.service",
			},
			installed: "yes", enabled: "yes", masked: "no", exec: "/sbin/auditd    -n", at: "etc/systemd/system/a.service",
		},
		"an alias is what it leads to": {
			files: map[string]string{
				"lib/systemd/system/real.service": service, "etc/systemd/system/a.service": "-> /lib/systemd/system/real.service",
				"etc/systemd/system/multi-user.target.wants/real.service": "-> /lib/systemd/system/real.service",
			},
			installed: "yes", enabled: "yes", masked: "no", exec: "/sbin/auditd    -n", at: "etc/systemd/system/a.service",
		},
		"a drop-in replaces the command": {
			files: map[string]string{
				"lib/systemd/system/a.service": service, wants: "-> /lib/systemd/system/a.service",
				"etc/systemd/system/a.service.d/x.conf": "[Service]\nExecStart=\nExecStart=-/opt/a -c /etc/a\n",
				"lib/systemd/system/a.service.d/x.conf": "[Service]\nExecStart=\nExecStart=/never\n",
			},
			installed: "yes", enabled: "yes", masked: "no", exec: "/opt/a -c /etc/a", at: "lib/systemd/system/a.service",
		},
		"a socket that is on starts its service": {
			files: map[string]string{
				"lib/systemd/system/a.service": service, "lib/systemd/system/a.socket": "[Install]\nWantedBy=sockets.target\n",
				"etc/systemd/system/sockets.target.wants/a.socket": "-> /lib/systemd/system/a.socket",
			},
			installed: "yes", enabled: "yes", masked: "no", exec: "/sbin/auditd    -n", at: "lib/systemd/system/a.service",
		},
		"a unit that only others pull in may start": {
			files:     map[string]string{"lib/systemd/system/a.service": "[Service]\nExecStart=/a\n"},
			installed: "yes", enabled: "unknown: elsewhere", masked: "no", exec: "/a", at: "lib/systemd/system/a.service",
		},
		"a script of System V counts where no unit hides it": {
			files:     map[string]string{"etc/init.d/a": "#!/bin/sh\n", "etc/rc2.d/S01a": "-> ../init.d/a"},
			installed: "yes", enabled: "yes", masked: "no", at: "etc/init.d/a",
		},
		"a script of System V without a start link is off": {
			files:     map[string]string{"etc/init.d/a": "#!/bin/sh\n", "etc/rc2.d/K01a": "-> ../init.d/a"},
			installed: "yes", enabled: "no", masked: "no", at: "etc/init.d/a",
		},
		"a unit does not count under another init": {
			files: map[string]string{
				"lib/systemd/system/a.service": service, wants: "-> /lib/systemd/system/a.service", "sbin/init": "binary", "etc/rc2.d/K01a": "",
			},
			installed: "yes", enabled: "no", masked: "no", exec: "/sbin/auditd    -n", at: "lib/systemd/system/a.service",
		},
	} {
		t.Run(name, func(t *testing.T) {
			st, _ := find(t, c.files, "a.service", nil)
			for what, pair := range map[string][2]string{
				"installed": {say(st.Installed), c.installed}, "enabled": {say(st.Enabled), c.enabled}, "masked": {say(st.Masked), c.masked},
				"exec": {st.Exec, c.exec}, "at": {st.At.File, c.at}, "running": {say(st.Running), "unknown: elsewhere"},
			} {
				if pair[0] != pair[1] {
					t.Errorf("%s: got %q, want %q", what, pair[0], pair[1])
				}
			}
		})
	}
}

func TestConditionsKeepAUnitFromStarting(t *testing.T) {
	for text, want := range map[string]string{ // of a drop-in of the administrator's
		"":                                 "yes",
		"ConditionPathExists=/nonexist":    "no",
		"ConditionPathExists=!/nonexist":   "yes",
		"ConditionPathExists=!/sbin/a":     "no",
		"ConditionPathExists=/sbin/../etc": "yes",
		"AssertPathExists=/nonexist":       "no",
		"ConditionPathExists=/run/x":       "unknown: elsewhere",
		"ConditionPathExists=/etc/%i":      "unknown: elsewhere",
		"ConditionPathExists=/etc/circle":  "unknown: failed",
		"ConditionPathExists=/etc/circle\nConditionPathExists=/nonexist": "no",
		"ConditionPathExists=/nonexist\nConditionPathIsDirectory=":       "yes",
		"ConditionPathExists=/nonexist\nAssertPathExists=":               "no",
		"ConditionPathExists=|/nonexist\nConditionPathExists=|/sbin/a":   "yes",
		"ConditionPathExists=|/nonexist\nConditionPathExists=|!/sbin/a":  "no",
		"ConditionPathExists=|/nonexist\nConditionUser=|root":            "unknown: elsewhere",
		"ConditionUser=|root\nConditionPathExists=|/sbin/a":              "yes",
		"ConditionPathExistsGlob=/sbin/?":                                "yes",
		"ConditionPathExistsGlob=/sbin/b*":                               "no",
		"ConditionPathIsDirectory=/sbin/a":                               "no",
		"ConditionPathIsSymbolicLink=/etc/circle":                        "yes",
		"ConditionDirectoryNotEmpty=/sbin":                               "yes",
		"ConditionDirectoryNotEmpty=/etc/empty":                          "no",
		"ConditionFileNotEmpty=/sbin/a":                                  "yes",
		"ConditionFileIsExecutable=/sbin/a":                              "no",
		"ConditionVirtualization=!container":                             "unknown: elsewhere",
		"ConditionKernelCommandLine=nothing":                             "unknown: elsewhere",
		"[Service]\nExecCondition=/bin/false":                            "unknown: elsewhere",
		"[Service]\nExecCondition=/bin/false\nExecCondition=":            "yes",
	} {
		files := hosttest.Service("a.service", "/sbin/a", map[string]string{
			"sbin/a": "program", "etc/empty/": "", "etc/circle": "-> circle", "etc/systemd/system/a.service.d/x.conf": "[Unit]\n" + text + "\n",
		})
		if st, _ := find(t, files, "a.service", nil); say(st.Enabled) != want {
			t.Errorf("%q: %s, want %s", text, say(st.Enabled), want)
		}
	}
}

func TestConditionsOfAVendorsUnitAreThoseOfTheMachineItIsMadeFor(t *testing.T) {
	const wants = "etc/systemd/system/sysinit.target.wants/a.service"
	const stock = "[Unit]\nConditionCapability=CAP_SYS_TIME\nConditionVirtualization=!container\nConditionKernelCommandLine=!audit=0\nConditionPathExists=!/run/x\n" + service
	const others = "usr/lib/systemd/system/a.service.d/disable-with-time-daemon.conf"
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"its own":                        {map[string]string{}, "yes"},
		"linked to":                      {map[string]string{"etc/systemd/system/a.service": "-> /usr/lib/systemd/system/a.service"}, "yes"},
		"copied by the administrator":    {map[string]string{"etc/systemd/system/a.service": stock}, "unknown: elsewhere"},
		"another program is in its way":  {map[string]string{others: "[Unit]\nConditionFileIsExecutable=!/usr/sbin/ntpd\n", "usr/sbin/ntpd": "mode 755\nprogram"}, "no"},
		"no other program is in its way": {map[string]string{others: "[Unit]\nConditionFileIsExecutable=!/usr/sbin/ntpd\n"}, "yes"},
		"a unit that is off stays off":   {map[string]string{wants: "-> /dev/null", others: "[Unit]\nConditionUser=x\n"}, "no"},
	} {
		files := map[string]string{"usr/lib/systemd/system/a.service": stock, wants: "-> /usr/lib/systemd/system/a.service"}
		maps.Copy(files, c.files)
		if st, _ := find(t, files, "a.service", nil); say(st.Enabled) != c.want {
			t.Errorf("%s: %s, want %s", name, say(st.Enabled), c.want)
		}
	}
}

func TestAnInstanceHasTheFileOfItsTemplate(t *testing.T) {
	st, _ := find(t, map[string]string{
		"lib/systemd/system/a@.service":                       service,
		"etc/systemd/system/getty.target.wants/a@one.service": "-> /lib/systemd/system/a@.service",
	}, "a@one.service", nil)
	if say(st.Enabled) != "yes" || st.At.File != "lib/systemd/system/a@.service" {
		t.Errorf("enabled %s at %s", say(st.Enabled), st.At.File)
	}
}

func TestARunningUnitHasProcesses(t *testing.T) {
	live := func(s *scope.Scope) { s.Live = true }
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"populated":             {map[string]string{"sys/fs/cgroup/system.slice/a.service/cgroup.events": "populated 1\nfrozen 0\n"}, "yes"},
		"empty":                 {map[string]string{"sys/fs/cgroup/system.slice/a.service/cgroup.events": "populated 0\nfrozen 0\n"}, "no"},
		"no group":              {map[string]string{"sys/fs/cgroup/system.slice/": ""}, "no"},
		"version 1":             {map[string]string{"sys/fs/cgroup/systemd/system.slice/a.service/cgroup.procs": "12\n"}, "yes"},
		"no systemd":            {map[string]string{"sys/fs/cgroup/": ""}, "unknown: elsewhere"},
		"by its process":        {map[string]string{"proc/1/comm": "init\n", "proc/12/comm": "auditd\n"}, "yes"},
		"without its process":   {map[string]string{"proc/1/comm": "init\n", "proc/12/comm": "auditdispd\n", "proc/self/comm": "auditd\n"}, "no"},
		"in a slice of its own": {map[string]string{"sys/fs/cgroup/system.slice/": "", "sys/fs/cgroup/x.slice/x-y.slice/a.service/cgroup.procs": "1\n"}, "yes"},
	} {
		t.Run(name, func(t *testing.T) {
			text := service
			if strings.Contains(name, "slice") {
				text += "[Service]\nSlice=x-y.slice\n"
			}
			c.files["lib/systemd/system/a.service"] = text
			if st, _ := find(t, c.files, "a.service", live); say(st.Running) != c.want {
				t.Errorf("got %s, want %s", say(st.Running), c.want)
			}
		})
	}
}

func TestWhatCannotBeReadIsAGap(t *testing.T) {
	st, set := find(t, map[string]string{"lib/systemd/system/a.service": service, "etc/systemd/system/a.service": "-> b.service", "etc/systemd/system/b.service": "-> a.service"}, "a.service", nil)
	if say(st.Enabled) != "unknown: failed" || len(set.Gaps) != 1 {
		t.Errorf("enabled %s, gaps %v", say(st.Enabled), set.Gaps)
	}
}
