package clock

import (
	"slices"
	"strings"
	"testing"

	"lookback/evidence"
	"lookback/scanners/host/hosttest"
)

const stock = "[Service]\nExecStart=/x\n[Install]\nWantedBy=multi-user.target\n"

// sources is what the clock of an image takes the time from: "ntp.a, ntp.b (several) at etc/chrony/chrony.conf:1".
func sources(t *testing.T, files map[string]string) string {
	t.Helper()
	set := hosttest.Scan(t, files, Read)
	for _, r := range set.Records {
		c, ok := r.(*evidence.Clock)
		if !ok {
			continue
		}
		if !c.Synchronised.IsUnknown() || c.Synchronised.Why() != evidence.Elsewhere {
			t.Error("a disk told whether the clock is synchronised")
		}
		list, known := c.Sources.Get()
		if !known {
			return "unknown: " + c.Sources.Why().String()
		}
		var names []string
		for _, s := range list {
			name := s.Address
			if s.Several {
				name += " (several)"
			}
			if s.Platform {
				name += " (platform)"
			}
			names = append(names, name)
		}
		return strings.Join(names, ", ")
	}
	return "no clock"
}

func TestWhatTheTimeIsTakenFrom(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  string
	}{
		"nothing is installed": {map[string]string{"etc/hostname": "x"}, ""},
		"chrony as Debian ships it": {hosttest.Service("chrony.service", "/x", map[string]string{
			"etc/chrony/chrony.conf": "# Welcome\nconfdir /etc/chrony/conf.d\npool 2.debian.pool.ntp.org iburst\nsourcedir /run/chrony-dhcp\nsourcedir /etc/chrony/sources.d\nkeyfile /etc/chrony/chrony.keys\n",
		}), "2.debian.pool.ntp.org (several)"},
		"chrony with drop-ins, an include and comments": {hosttest.Service("chronyd.service", "/x", map[string]string{
			"etc/chrony.conf":                "! server no.example\nserver a.example iburst\ninclude /etc/chrony.more\nsourcedir /etc/chrony/sources.d /nowhere\nrefclock PHC /dev/ptp0 poll 3\n",
			"etc/chrony.more":                "SERVER b.example\n  # pool no.example\ninclude /etc/chrony.conf\n",
			"etc/chrony/sources.d/x.sources": "server 169.254.169.123\n", "etc/chrony/sources.d/x.conf": "server no.example\n",
		}), "169.254.169.123 (platform), PHC /dev/ptp0 (platform), a.example, b.example"},
		"chrony without a server": {hosttest.Service("chrony.service", "/x", map[string]string{"etc/chrony/chrony.conf": "driftfile /x\n"}), ""},
		"a service that is not enabled says nothing": {map[string]string{
			"usr/lib/systemd/system/chrony.service": stock, "etc/chrony/chrony.conf": "server a.example\n",
		}, ""},
		"timesyncd as it is built": {hosttest.Service("systemd-timesyncd.service", "/x", map[string]string{"etc/systemd/timesyncd.conf": "[Time]\n#NTP=\n#FallbackNTP=0.debian.pool.ntp.org\n"}), "the distribution's own servers (several)"},
		"timesyncd with a server in a drop-in": {hosttest.Service("systemd-timesyncd.service", "/x", map[string]string{
			"etc/systemd/timesyncd.conf":               "[Time]\nNTP=a.example b.example\n",
			"usr/lib/systemd/timesyncd.conf.d/10.conf": "[Time]\nNTP=hidden.example\n",
			"etc/systemd/timesyncd.conf.d/10.conf":     "[Time]\nNTP=\nNTP=c.example\n[Other]\nNTP=d.example\n",
		}), "c.example"},
		"timesyncd with fallbacks alone": {hosttest.Service("systemd-timesyncd.service", "/x", map[string]string{"etc/systemd/timesyncd.conf": "[Time]\nFallbackNTP=f.example\n"}), "f.example"},
		"ntpsec": {hosttest.Service("ntpsec.service", "/x", map[string]string{
			"etc/ntpsec/ntp.conf": "pool 0.debian.pool.ntp.org iburst\nserver -4 a.example\nserver 127.127.1.0\n", "etc/ntp.conf": "server no.example\n",
		}), "0.debian.pool.ntp.org (several), a.example"},
		"openntpd":                            {hosttest.Service("openntpd.service", "/x", map[string]string{"etc/openntpd/ntpd.conf": "servers pool.ntp.org\nserver a.example\n"}), "a.example, pool.ntp.org (several)"},
		"a configuration that cannot be read": {hosttest.Service("chrony.service", "/x", map[string]string{"etc/chrony/chrony.conf/": ""}), "unknown: failed"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := sources(t, test.files); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAClockIsGuardedWhereOnlyRootChangesItAndAChangeIsRecorded(t *testing.T) {
	rules := "-a always,exit -F arch=b64 -S adjtimex,settimeofday,clock_settime -F key=time-change\n" +
		"-a always,exit -F arch=b32 -S adjtimex,settimeofday,clock_settime,stime -F key=time-change\n-w /etc/localtime -p wa -k time-change\n"
	with := func(mode, rules string) map[string]string {
		files := hosttest.Service("chrony.service", "/x", map[string]string{"etc/chrony/chrony.conf": "mode " + mode + "\nserver a.example\n"})
		if rules != "" {
			for k, v := range hosttest.Service("auditd.service", "/x", map[string]string{"etc/audit/auditd.conf": "log_file = /var/log/audit/audit.log\n", "etc/audit/audit.rules": rules}) {
				files[k] = v
			}
		}
		return files
	}
	for name, test := range map[string]struct {
		files map[string]string
		want  string
	}{
		"both":                   {with("644", rules), "pass timed-guarded"},
		"anybody may write":      {with("666", rules), "fail timed-guarded"},
		"no change is recorded":  {with("644", "-D\n"), "fail timed-guarded"},
		"there is no audit rule": {with("644", ""), "fail timed-guarded"},
	} {
		t.Run(name, func(t *testing.T) {
			lines := hosttest.Judge(hosttest.Run(t, hosttest.Tar(t, test.files), nil, Read))
			if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, test.want) }) {
				t.Errorf("no line %q in\n%s", test.want, strings.Join(lines, "\n"))
			}
		})
	}
}
