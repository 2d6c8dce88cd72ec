package auditd_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"lookback/evidence"
	"lookback/scanners/host/auditd"
	"lookback/scanners/host/hosttest"
	"lookback/scanners/host/scope"
)

const unitFile = "[Service]\nExecStart=/sbin/auditd\n[Install]\nWantedBy=multi-user.target\n"

func testdata(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// debian is a host with the package as it is installed, and rules. A name that ends in ".rules" is one of testdata.
func debian(t *testing.T, rules ...string) map[string]string {
	t.Helper()
	files := map[string]string{
		"lib/systemd/system/auditd.service":                         unitFile,
		"etc/systemd/system/multi-user.target.wants/auditd.service": "-> /lib/systemd/system/auditd.service",
		"etc/audit/auditd.conf":                                     testdata(t, "auditd.conf"),
	}
	for _, name := range []string{"passwd", "shadow", "group", "gshadow", "sudoers", "sudoers.d/", "security/", "selinux/", "NetworkManager/"} {
		files["etc/"+name] = "x"
	}
	files["usr/sbin/"], files["var/log/audit/"] = "", ""
	for i, r := range rules {
		if strings.HasSuffix(r, ".rules") {
			files["etc/audit/rules.d/"+r] = testdata(t, r)
			continue
		}
		files[fmt.Sprintf("etc/audit/rules.d/%d-own.rules", 90+i)] = r + "\n"
	}
	return files
}

func with(files map[string]string, more ...string) map[string]string {
	files = maps.Clone(files)
	for i := 0; i+1 < len(more); i += 2 {
		files[more[i]] = more[i+1]
	}
	return files
}

func source(set *evidence.Set, a evidence.Activity) *evidence.LogSource {
	for _, r := range set.Records {
		if l, ok := r.(*evidence.LogSource); ok && l.Activity == a {
			return l
		}
	}
	return nil
}

func store(set *evidence.Set) *evidence.LogStore {
	for _, r := range set.Records {
		if l, ok := r.(*evidence.LogStore); ok {
			return l
		}
	}
	return nil
}

func fact[T any](v evidence.Value[T]) string {
	x, known := v.Get()
	switch {
	case v.IsMoot():
		return "moot"
	case !known:
		return "unknown: " + string(v.Why())
	}
	return strings.TrimSpace(strings.Trim(fmt.Sprint(x), "{}"))
}

func TestAHostWithoutAuditdHasNoSourceOfIt(t *testing.T) {
	var changes evidence.Value[evidence.Extent]
	set := hosttest.Scan(t, map[string]string{"etc/passwd": ""}, auditd.Read, func(_ context.Context, s *scope.Scope) { changes = auditd.TimeChanges(s) })
	if source(set, evidence.Process) != nil || len(set.Gaps) != 0 || fact(changes) != "none" {
		t.Errorf("got %v, %v, %s", set.Records, set.Gaps, fact(changes))
	}
}

func TestThePackageAsItIsInstalledRecordsLoginsAndNoPrograms(t *testing.T) {
	set := hosttest.Scan(t, debian(t, "10-base-config.rules"), auditd.Read)
	for a, want := range map[evidence.Activity]string{
		evidence.Process: "false", evidence.FileChange: "false", evidence.Login: "true", evidence.System: "true",
	} {
		l := source(set, a)
		if l == nil || fact(l.Enabled) != want {
			t.Errorf("%s: %+v", a, l)
		}
	}
	if got := fact(source(set, evidence.System).Parts[evidence.PartLogControl]); got != "all not who wipes its files" {
		t.Errorf("log control %q", got)
	}
	st := store(set)
	if st.ID != "host:web-1//var/log/audit/audit.log" || fact(st.Kept) != "0" || fact(st.Bytes) != fmt.Sprint(40<<20) {
		t.Errorf("store %s, kept %s, bytes %s", st.ID, fact(st.Kept), fact(st.Bytes))
	}
	lossless := source(set, evidence.Process).To[0].Lossless
	if fact(lossless) != "false" || lossless.At().File != "etc/audit/auditd.conf" || lossless.At().Line != 23 {
		t.Errorf("lossless %s at %v", fact(lossless), lossless.At())
	}
}

// parts are what rules say of each part.
func parts(set *evidence.Set) map[evidence.Part]string {
	out := map[evidence.Part]string{}
	for p, v := range source(set, evidence.Process).Parts {
		if p != evidence.PartEveryNode {
			out[p] = fact(v)
		}
	}
	return out
}

func TestWhatTheExampleRulesRecord(t *testing.T) {
	const named, users = "only where auid>=1000 and auid!=unset", "only where uid!=euid and euid=0"
	for name, c := range map[string]struct {
		rules []string
		want  map[evidence.Part]string
	}{
		"STIG": {[]string{"10-base-config.rules", "30-stig.rules"}, map[evidence.Part]string{
			evidence.PartProcessStart: "none", evidence.PartConnections: "none", evidence.PartDriverLoads: "none",
			evidence.PartFileDeletes: "some " + named, evidence.PartFileWrites: "some only what 14 rules name",
			evidence.PartTimeChanges: "all", evidence.PartIdentityFiles: "all",
		}},
		"PCI DSS": {[]string{"10-base-config.rules", "30-pci-dss-v31.rules"}, map[evidence.Part]string{
			evidence.PartProcessStart: "some " + users, evidence.PartConnections: "none", evidence.PartDriverLoads: "none",
			evidence.PartFileDeletes: "none", evidence.PartFileWrites: "some only what 9 rules name",
			evidence.PartTimeChanges: "all", evidence.PartIdentityFiles: "all",
		}},
		"modules and connections": {[]string{"43-module-load.rules", "71-networking.rules"}, map[evidence.Part]string{
			evidence.PartProcessStart: "none", evidence.PartConnections: "some not by programs of 32 bits", evidence.PartDriverLoads: "all",
			evidence.PartFileDeletes: "none", evidence.PartFileWrites: "none", evidence.PartTimeChanges: "none", evidence.PartIdentityFiles: "none",
		}},
		"a rule that lets chrony be": {[]string{"22-ignore-chrony.rules", "30-stig.rules"}, map[evidence.Part]string{
			evidence.PartTimeChanges: "all not what 1 rule leaves out",
		}},
		"no audit": {[]string{"10-no-audit.rules", "30-stig.rules", "43-module-load.rules"}, map[evidence.Part]string{
			evidence.PartDriverLoads: "none", evidence.PartTimeChanges: "none", evidence.PartIdentityFiles: "none", evidence.PartFileWrites: "none",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got := parts(hosttest.Scan(t, debian(t, c.rules...), auditd.Read))
			for p, want := range c.want {
				if got[p] != want {
					t.Errorf("%s: got %q, want %q", p, got[p], want)
				}
			}
		})
	}
}

func TestHowMuchARuleRecords(t *testing.T) {
	const exec64, exec32 = "-a always,exit -F arch=b64 -S execve,execveat -k x\n", "-a always,exit -F arch=b32 -S execve,execveat -k x\n"
	for name, c := range map[string]struct {
		rules string
		part  evidence.Part
		want  string
	}{
		"every program":                      {exec64 + exec32, evidence.PartProcessStart, "all"},
		"only programs of 64 bits":           {exec64, evidence.PartProcessStart, "all not what programs of 32 bits start"},
		"every call of 32 bits":              {exec64 + "-a always,exit -F arch=b32 -S all", evidence.PartProcessStart, "all"},
		"the older order of list and action": {"-a exit,always -F arch=b64 -S execve -S execveat\n-a exit,always -F arch=b32 -S execve", evidence.PartProcessStart, "all"},
		"programs of people who logged in": {
			"-a always,exit -F arch=b64 -S execve -F auid!=unset\n-a always,exit -F arch=b32 -S execve -F auid!=unset",
			evidence.PartProcessStart, "some only where auid!=unset",
		},
		"programs of root or of people": {
			"-a always,exit -F arch=b64 -S execve -F euid=0\n-a always,exit -F arch=b64 -S execve -F auid>=1000\n" + exec32,
			evidence.PartProcessStart, "some only where euid=0, or auid>=1000",
		},
		"a rule without filters after one with":     {"-a always,exit -S execve -F euid=0\n" + exec64 + exec32, evidence.PartProcessStart, "all"},
		"what succeeded is what happened":           {"-a always,exit -F arch=b64 -S execve,execveat -F success=1\n" + exec32, evidence.PartProcessStart, "all"},
		"a never rule that comes first":             {"-a never,exit -F arch=b64 -S execve\n" + exec64, evidence.PartProcessStart, "none"},
		"a never rule that comes too late":          {exec64 + exec32 + "-a never,exit -S all", evidence.PartProcessStart, "all"},
		"a never rule that is put in front":         {exec64 + exec32 + "-A never,exit -S execve", evidence.PartProcessStart, "none"},
		"one program is left out":                   {"-a never,exit -S execve -F exe=/usr/bin/date\n" + exec64 + exec32, evidence.PartProcessStart, "all not what 1 rule leaves out"},
		"all services are left out":                 {"-a never,exit -S execve -F auid=unset\n" + exec64 + exec32, evidence.PartProcessStart, "some not where auid=unset"},
		"nobody is looked at":                       {exec64 + exec32 + "-a never,task", evidence.PartProcessStart, "none"},
		"all rules are deleted again":               {exec64 + exec32 + "-D -k x", evidence.PartProcessStart, "none"},
		"a rule is taken back":                      {exec64 + "-d always,exit -F arch=b64 -S execve,execveat -k x", evidence.PartProcessStart, "none"},
		"the arguments are left out":                {exec64 + exec32 + "-a always,exclude -F msgtype=EXECVE", evidence.PartProcessStart, "some not their arguments"},
		"calls are left out":                        {exec64 + exec32 + "-a never,exclude -F msgtype=SYSCALL", evidence.PartProcessStart, "none"},
		"the folder of work is no loss":             {exec64 + exec32 + "-a never,exclude -F msgtype=CWD", evidence.PartProcessStart, "all"},
		"a number is not understood":                {"-a always,exit -S 59", evidence.PartProcessStart, "unknown: unfamiliar"},
		"execve alone":                              {"-a always,exit -S execve -F arch=b64\n-a always,exit -S execve -F arch=b32", evidence.PartProcessStart, "all not what execveat starts"},
		"failures alone, said in another way":       {"-a always,exit -S execve -F success!=1\n-a always,exit -S execve -F exit<0", evidence.PartProcessStart, "none"},
		"a first argument of nothing":               {"-a always,exit -S execve -F a0=0", evidence.PartProcessStart, "some only where a0=0"},
		"a connect that waits":                      {"-a always,exit -F arch=b64 -S connect -F success=1\n-a always,exit -F arch=b32 -S connect -F success=1", evidence.PartConnections, "some only where success=1"},
		"connections without addresses":             {"-a always,exit -F arch=b64 -S connect\n-a always,exit -F arch=b32 -S connect\n-a always,exclude -F msgtype=SOCKADDR", evidence.PartConnections, "some not their addresses"},
		"the arguments are left out by number":      {exec64 + exec32 + "-a always,exclude -F msgtype=1309", evidence.PartProcessStart, "some not their arguments"},
		"all of the kernel is left out":             {exec64 + exec32 + "-a always,exclude -F msgtype>=1300 -F msgtype<=1399", evidence.PartProcessStart, "none"},
		"two types at once are none":                {exec64 + exec32 + "-a always,exclude -F msgtype=EXECVE -F msgtype=CWD", evidence.PartProcessStart, "all"},
		"the arguments of services are left out":    {exec64 + exec32 + "-a always,exclude -F msgtype=EXECVE -F auid=unset", evidence.PartProcessStart, "some not their arguments where auid=unset"},
		"what services do is left out":              {exec64 + exec32 + "-a always,exclude -F auid=unset", evidence.PartProcessStart, "some not where auid=unset"},
		"what one program says is left out":         {exec64 + exec32 + "-a never,exclude -F exe=/usr/bin/x", evidence.PartProcessStart, "all not what 1 rule leaves out"},
		"the web server is not looked at":           {exec64 + exec32 + "-a never,task -F uid=www-data", evidence.PartProcessStart, "some not where uid=www-data"},
		"programs of 32 bits, by what they are not": {exec64 + "-a always,exit -F arch!=b64 -S all", evidence.PartProcessStart, "all"},
		"a folder of programs is left out":          {"-a never,exit -F dir=/run/agent -F perm=x\n" + exec64 + exec32, evidence.PartProcessStart, "all not what 1 rule leaves out"},
		"all programs of the system are left out":   {"-a never,exit -F dir=/usr -F perm=x\n" + exec64 + exec32, evidence.PartProcessStart, "some not where path=/usr"},
		"people are left out by their label":        {"-a never,exit -S execve -S execveat -F subj_type=unconfined_t\n" + exec64 + exec32, evidence.PartProcessStart, "some not where subj_type=unconfined_t"},
		"a folder alone":                            {"-a always,exit -F path=/etc -F perm=wa", evidence.PartIdentityFiles, "none"},
		"watches for programs of 64 bits":           {"-a always,exit -F arch=b64 -F dir=/etc -F perm=wa", evidence.PartIdentityFiles, "some not by programs of 32 bits"},
		"watches as rules for both widths":          {"-a always,exit -F arch=b64 -F dir=/etc -F perm=wa\n-a always,exit -F arch=b32 -F dir=/etc -F perm=wa", evidence.PartIdentityFiles, "all"},
		"a watch that is taken back":                {"-w /etc -p wa -k i\n-W /etc -p wa -k i", evidence.PartIdentityFiles, "none"},
		"a watch of another key is not taken back":  {"-w /etc -p wa -k i\n-W /etc -p wa", evidence.PartIdentityFiles, "all"},
		"the program that keeps the time": {
			"-a never,exit -F arch=b64 -S adjtimex -F auid=unset -F uid=_chrony\n-a always,exit -F arch=b64 -S adjtimex,settimeofday,clock_settime\n-a always,exit -F arch=b32 -S adjtimex,settimeofday,clock_settime\n-w /etc/localtime -p wa",
			evidence.PartTimeChanges, "all not what 1 rule leaves out",
		},
		"the clock that CIS names": {
			"-a always,exit -F arch=b64 -S adjtimex,settimeofday,clock_settime -F a0=0x0\n-a always,exit -F arch=b32 -S adjtimex,settimeofday,clock_settime -F a0=0x0",
			evidence.PartTimeChanges, "some only where a0=0x0",
		},
		"one folder for all identity files":        {"-w /etc -p wa", evidence.PartIdentityFiles, "all"},
		"some identity files":                      {"-w /etc/passwd -p wa\n-w /etc/shadow -p wa\n-w /etc/group -p wa\n-w /etc/gshadow -p wa", evidence.PartIdentityFiles, "some not /etc/sudoers, /etc/sudoers.d"},
		"reads alone are no changes":               {"-w /etc -p r", evidence.PartIdentityFiles, "none"},
		"failures alone are nothing that happened": {"-a always,exit -S all -F exit=-EINVAL", evidence.PartProcessStart, "none"},
		"a watch for some":                         {"-a always,exit -F dir=/etc -F perm=wa -F auid>=1000", evidence.PartIdentityFiles, "some only where auid>=1000"},
		"time without the time zone": {
			"-a always,exit -F arch=b64 -S adjtimex,settimeofday,clock_settime\n-a always,exit -F arch=b32 -S adjtimex -S settimeofday -S clock_settime",
			evidence.PartTimeChanges, "all not the time zone (/etc/localtime)",
		},
		"time, but by the program that keeps it": {
			"-a always,exit -F arch=b64 -F uid!=ntp -S adjtimex -S settimeofday -S clock_settime -k time\n-a always,exit -F arch=b32 -S all\n-w /etc/localtime -p wa",
			evidence.PartTimeChanges, "all",
		},
		"programs, but of a user that keeps the time": {"-a always,exit -F arch=b64 -F uid!=ntp -S execve\n-a always,exit -F arch=b32 -F uid!=ntp -S execve", evidence.PartProcessStart, "some only where uid!=ntp"},
		"time in part":       {"-a always,exit -F arch=b64 -S adjtimex\n-a always,exit -F arch=b32 -S adjtimex", evidence.PartTimeChanges, "some not settimeofday, clock_settime"},
		"one program traces": {"-a always,exit -F arch=b64 -S ptrace\n-a always,exit -F arch=b32 -S ptrace", evidence.PartProcessAccess, "all"},
	} {
		t.Run(name, func(t *testing.T) {
			got := parts(hosttest.Scan(t, debian(t, c.rules), auditd.Read))
			if got[c.part] != c.want {
				t.Errorf("got %q, want %q", got[c.part], c.want)
			}
		})
	}
}

func TestAMessageThatComesWithoutARuleIsLeftOut(t *testing.T) {
	for rules, want := range map[string]string{
		"-a always,exclude -F msgtype=USER_LOGIN":             "some not USER_LOGIN",
		"-a always,exclude -F msgtype>=1100 -F msgtype<=1199": "some not USER_LOGIN",
		"-a never,user":                                                           "some not USER_LOGIN",
		"-a always,exclude -F uid=0":                                              "some not USER_LOGIN where uid=0",
		"-a never,user -F subj_type=crond_t":                                      "all not USER_LOGIN where subj_type=crond_t",
		"-a never,user -F exe=/usr/sbin/sshd":                                     "some not USER_LOGIN where exe=/usr/sbin/sshd",
		"-a always,exclude -F msgtype=CRYPTO_KEY_USER":                            "all",
		"-a always,exclude -F msgtype=CWD\n-a never,filesystem -F fstype=debugfs": "all",
	} {
		l := source(hosttest.Scan(t, debian(t, rules), auditd.Read), evidence.Login)
		if got := fact(l.Parts[evidence.PartLogons]); got != want {
			t.Errorf("%s: got %q, want %q", rules, got, want)
		}
	}
}

func TestALineThatAuditctlRefusesEndsTheLoad(t *testing.T) {
	const watch = "-w /etc -p wa -k identity"
	arm := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x03\x00\xb7\x00"
	for name, c := range map[string]struct{ before, fixed, identity, auditctl string }{
		"all is well":                     {"-w /etc/hosts -p wa", "true", "all", ""},
		"the same rule twice":             {"-w /etc/hosts -p wa -k h\n-w /etc/hosts  -p wa -k h", "false", "none", ""},
		"twice with another key":          {"-w /etc/hosts -p wa -k h\n-w /etc/hosts -p wa -k i", "true", "all", ""},
		"twice, and it was deleted":       {"-w /etc/hosts -p wa -k h\n-D -k h\n-w /etc/hosts -p wa -k h", "true", "all", ""},
		"twice, after -c":                 {"-c\n-w /etc/hosts -p wa\n-w /etc/hosts -p wa", "true", "all", ""},
		"twice, before -i":                {"-w /etc/hosts -p wa\n-w /etc/hosts -p wa\n-i", "false", "none", ""},
		"a remark behind a rule":          {"-w /etc/hosts -p wa # hosts", "unknown: unfamiliar", "unknown: unfamiliar", ""},
		"a folder that is not there":      {"-a always,exit -F dir=/etc/sysconfig/ -F perm=wa", "unknown: unfamiliar", "unknown: unfamiliar", ""},
		"a file in such a folder":         {"-w /etc/sysconfig/network -p wa", "unknown: unfamiliar", "unknown: unfamiliar", ""},
		"a file that is not there":        {"-w /etc/issue -p wa", "true", "all", ""},
		"a folder of another partition":   {"-w /var/log/tallylog/x -p wa\n-w /run/faillock/x -p wa", "true", "all", ""},
		"a call that the machine has":     {"-a always,exit -F arch=b64 -S unlink", "true", "all", ""},
		"a call that the machine has not": {"-a always,exit -F arch=b64 -S unlink", "false", "none", arm},
		"a call of programs of 32 bits":   {"-a always,exit -F arch=b32 -S unlink", "true", "all", arm},
	} {
		files := debian(t, c.before+"\n"+watch, "-e 2")
		if c.auditctl != "" {
			files["usr/sbin/auditctl"] = c.auditctl
		}
		set := hosttest.Scan(t, files, auditd.Read)
		fixed, identity := source(set, evidence.System).Fixed, source(set, evidence.Process).Parts[evidence.PartIdentityFiles]
		if fact(fixed) != c.fixed || fact(identity) != c.identity {
			t.Errorf("%s: fixed %s, identity files %s", name, fact(fixed), fact(identity))
		}
		if c.fixed != "true" && !strings.Contains(fixed.At().Note, "is loaded") {
			t.Errorf("%s: it is not said why: %v", name, fixed.At())
		}
	}
}

func TestRulesThatNobodyLoads(t *testing.T) {
	files := with(debian(t, "-w /etc -p wa", "-e 2"), "lib/systemd/system/audit-rules.service", unitFile, "etc/systemd/system/audit-rules.service", "-> /dev/null")
	set := hosttest.Scan(t, files, auditd.Read)
	if v := source(set, evidence.Process).Parts[evidence.PartIdentityFiles]; fact(v) != "none" || !strings.Contains(v.At().Note, "rule") {
		t.Errorf("got %s, %v", fact(v), v.At())
	}
	if fixed := source(set, evidence.System).Fixed; fact(fixed) != "false" {
		t.Errorf("fixed %s", fact(fixed))
	}
}

func TestDockerIsAskedForWhereItIs(t *testing.T) {
	const watches = "-w /usr/bin/dockerd -k docker\n-w /var/lib/docker -k docker"
	if _, named := parts(hosttest.Scan(t, debian(t, watches), auditd.Read))[evidence.PartContainerRuntime]; named {
		t.Error("a host without Docker is asked for it")
	}
	files := with(debian(t, watches), "usr/bin/dockerd", "x", "var/lib/docker/", "")
	if got := parts(hosttest.Scan(t, files, auditd.Read))[evidence.PartContainerRuntime]; got != "all" {
		t.Errorf("got %q", got)
	}
	files["etc/docker/daemon.json"] = "{}"
	if got := parts(hosttest.Scan(t, files, auditd.Read))[evidence.PartContainerRuntime]; got != "some not /etc/docker" {
		t.Errorf("got %q", got)
	}
}

func TestAMachineWithoutProgramsOf32BitsIsNotAskedForThem(t *testing.T) {
	arm := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x03\x00\xb7\x00"
	files := with(debian(t, "-a always,exit -F arch=b64 -S connect\n-a always,exit -F arch=b64 -S unlinkat,renameat"), "usr/sbin/auditctl", arm)
	got := parts(hosttest.Scan(t, files, auditd.Read))
	if got[evidence.PartConnections] != "all" || got[evidence.PartFileDeletes] != "all" {
		t.Errorf("got %v", got)
	}
}

func TestRulesThatAreFixedUntilTheNextStart(t *testing.T) {
	set := hosttest.Scan(t, debian(t, "-e 2", "-w /etc/passwd -p wa -k identity"), auditd.Read)
	fixed := source(set, evidence.System).Fixed
	if at := fixed.At(); fact(fixed) != "true" || at.File != "etc/audit/rules.d/90-own.rules" || at.Line != 1 {
		t.Errorf("fixed %s at %v", fact(fixed), at)
	}
	if fact(source(set, evidence.Process).Parts[evidence.PartIdentityFiles]) == "none" {
		t.Error("augenrules moves -e to the end")
	}
}

func TestWhatKeepsARunningDaemonFromRecording(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		file  string
	}{
		"-e 0":          {debian(t, "-e 0"), "etc/audit/rules.d/90-own.rules"},
		"the kernel":    {with(debian(t), "etc/default/grub", "GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX=\"quiet audit=0\"\n"), "etc/default/grub"},
		"what starts":   {with(debian(t), "etc/default/grub", "GRUB_CMDLINE_LINUX=quiet\n", "boot/grub/grub.cfg", "menuentry 'x' {\n\tlinux\t/vmlinuz root=/dev/sda1 ro quiet audit=0\n}\n"), "boot/grub/grub.cfg"},
		"the variables": {with(debian(t), "boot/grub2/grubenv", "kernelopts=root=/dev/sda1 ro audit=0\n"), "boot/grub2/grubenv"},
		"no blanks":     {with(debian(t), "etc/audit/auditd.conf", "max_log_file = 8\nnum_logs=5\n"), "etc/audit/auditd.conf"},
		"no value":      {with(debian(t), "etc/audit/auditd.conf", "max_log_file = 8\nnum_logs =\n"), "etc/audit/auditd.conf"},
		"local events":  {with(debian(t), "etc/audit/auditd.conf", "local_events = no\n"), "etc/audit/auditd.conf"},
		"a unit masked": {with(debian(t), "etc/systemd/system/auditd.service", "-> /dev/null"), "etc/systemd/system/auditd.service"},
	} {
		l := source(hosttest.Scan(t, c.files, auditd.Read), evidence.Login)
		if fact(l.Enabled) != "false" || l.Enabled.At().File != c.file {
			t.Errorf("%s: enabled %s at %v", name, fact(l.Enabled), l.Enabled.At())
		}
	}
	files := with(debian(t), "etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=\"audit=1\"\n")
	if l := source(hosttest.Scan(t, files, auditd.Read), evidence.Login); fact(l.Enabled) != "true" {
		t.Errorf("audit=1: enabled %s", fact(l.Enabled))
	}
}

func TestNobodyIsAskedOfWhatAnAuditdThatIsOffOnceWrote(t *testing.T) {
	passes := func(name, unit string) (out []string) {
		files := with(debian(t), "etc/audit/auditd.conf", "max_log_file_action = keep_logs\n", "var/log/audit/audit.log", "type=SYSCALL msg=audit(1780000000.123:456): arch=c000003e\n")
		for _, line := range hosttest.Judge(hosttest.Scan(t, with(files, name, unit), auditd.Read)) {
			if strings.HasPrefix(line, "pass ") {
				out = append(out, line)
			}
		}
		return out
	}
	if on := passes("etc/hostname", "web-1\n"); !strings.Contains(strings.Join(on, "\n"), "pass retained-long-enough") {
		t.Errorf("on: %q", on)
	}
	const unit = "etc/systemd/system/auditd.service"
	for name, text := range map[string]string{"off": "-> /dev/null", "unreadable": "-> auditd.service"} {
		if got := passes(unit, text); len(got) > 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
	if fixed := source(hosttest.Scan(t, with(debian(t, "-e 2"), unit, "-> auditd.service"), auditd.Read), evidence.System).Fixed; !fixed.IsUnknown() {
		t.Errorf("unreadable: fixed %v", fixed)
	}
}

func TestAuditdIsOffAndJournaldListens(t *testing.T) {
	files := debian(t)
	delete(files, "etc/systemd/system/multi-user.target.wants/auditd.service")
	if l := source(hosttest.Scan(t, files, auditd.Read), evidence.Login); fact(l.Enabled) != "false" {
		t.Errorf("without either: %s", fact(l.Enabled))
	}
	files = with(files, "lib/systemd/system/audit-rules.service", unitFile, "etc/systemd/system/sysinit.target.wants/audit-rules.service", "-> /lib/systemd/system/audit-rules.service",
		"lib/systemd/system/systemd-journald-audit.socket", "[Socket]\n", "lib/systemd/system/sockets.target.wants/systemd-journald-audit.socket", "-> ../systemd-journald-audit.socket")
	if l := source(hosttest.Scan(t, files, auditd.Read), evidence.Login); fact(l.Enabled) != "unknown: unfamiliar" {
		t.Errorf("with both: %s", fact(l.Enabled))
	}
}

func TestHowLongTheFilesAreKept(t *testing.T) {
	forever := fmt.Sprint(evidence.Forever)
	for conf, want := range map[string]string{
		"max_log_file_action = ROTATE\nmax_log_file = 100\nnum_logs = 99": "0 " + fmt.Sprint(9900<<20),
		"max_log_file_action = ROTATE\nmax_log_file = 8\nnum_logs = 1":    forever + " moot",
		"max_log_file_action = ROTATE\nmax_log_file = x\nnum_logs = 3":    "0 unknown: failed",
		"max_log_file_action = keep_logs":                                 forever + " moot",
		"max_log_file_action = keep_logs\nspace_left_action = rotate":     "0 unknown: elsewhere",
		"max_log_file_action = IGNORE":                                    forever + " moot",
		"":                                                                forever + " moot", // auditd-config.c: it ignores what is not set
		"max_log_file_action = whatever":                                  "unknown: unfamiliar unknown: unfamiliar",
	} {
		st := store(hosttest.Scan(t, with(debian(t), "etc/audit/auditd.conf", conf), auditd.Read))
		if got := fact(st.Kept) + " " + fact(st.Bytes); got != want {
			t.Errorf("%q: got %s, want %s", conf, got, want)
		}
	}
}

func TestWhatLogrotateThrowsAwayIsNotKept(t *testing.T) {
	files := with(debian(t), "etc/audit/auditd.conf", "max_log_file_action = ignore\n", "usr/sbin/logrotate", "x",
		"etc/logrotate.conf", "include /etc/logrotate.d\n", "etc/logrotate.d/audit", "/var/log/audit/*.log {\n  daily\n  rotate 7\n}\n",
		"lib/systemd/system/logrotate.timer", "[Timer]\n[Install]\nWantedBy=timers.target\n", "etc/systemd/system/timers.target.wants/logrotate.timer", "-> /lib/systemd/system/logrotate.timer")
	if st := store(hosttest.Scan(t, files, auditd.Read)); fact(st.Kept) != "7" {
		t.Errorf("kept %s, %v", fact(st.Kept), st.Kept.At())
	}
}

func TestWhetherRecordsAreDropped(t *testing.T) {
	const strict = "max_log_file_action = keep_logs\nspace_left_action = email\nadmin_space_left_action = halt\ndisk_full_action = HALT\ndisk_error_action = SINGLE\n"
	for name, c := range map[string]struct{ conf, rules, want string }{
		"a machine that rather halts":      {strict, "-f 2", "true"},
		"a full disk stops the recording":  {strict + "disk_full_action = SUSPEND", "", "false"},
		"an error stops the recording":     {strict + "disk_error_action = ignore", "", "false"},
		"a full file stops the recording":  {strict + "max_log_file_action = suspend", "", "false"},
		"a rate":                           {strict, "-r 100", "false"},
		"nobody waits":                     {strict, "--backlog_wait_time 0", "false"},
		"the kernel says nothing":          {strict, "-f 0", "false"},
		"a script decides":                 {strict + "disk_full_action = exec /x", "", "unknown: unfamiliar"},
		"nothing is said of the full disk": {"max_log_file_action = rotate", "", "false"},
	} {
		set := hosttest.Scan(t, with(debian(t, c.rules), "etc/audit/auditd.conf", c.conf), auditd.Read)
		if got := fact(source(set, evidence.Login).To[0].Lossless); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestHowFarBackTheFilesReach(t *testing.T) {
	record := func(at int) string { return fmt.Sprintf("type=LOGIN msg=audit(%d.123:7): pid=1\n", at) }
	files := with(debian(t), "var/log/audit/audit.log", record(1780000000), "var/log/audit/audit.log.1", record(1779000000))
	st := store(hosttest.Scan(t, files, auditd.Read))
	oldest, _ := st.Oldest.Get()
	newest, _ := st.Newest.Get()
	if oldest.Unix() != 1779000000 || newest.Unix() != 1780000000 || fact(st.Dropped) != "false" {
		t.Errorf("oldest %v, newest %v, dropped %s", oldest, newest, fact(st.Dropped))
	}
	for i := 2; i < 5; i++ {
		files[fmt.Sprintf("var/log/audit/audit.log.%d", i)] = record(1778000000)
	}
	if st = store(hosttest.Scan(t, files, auditd.Read)); fact(st.Dropped) != "true" {
		t.Errorf("five of five files: dropped %s", fact(st.Dropped))
	}
}

func TestRulesThatWereChangedAndNotLoaded(t *testing.T) {
	files := with(debian(t, "-w /etc -p wa"), "etc/audit/audit.rules", "## This file is automatically generated from /etc/audit/rules.d\n-D\n\n-w /etc/hosts -p wa\n")
	l := source(hosttest.Scan(t, files, auditd.Read), evidence.Process)
	v := l.Parts[evidence.PartIdentityFiles]
	if fact(v) != "none" || !strings.Contains(v.At().Note, "next start") {
		t.Errorf("got %s, %q", fact(v), v.At().Note)
	}
	files["etc/audit/audit.rules"] = "## generated\n\n\n\n-w /etc -p wa\n\n"
	v = source(hosttest.Scan(t, files, auditd.Read), evidence.Process).Parts[evidence.PartIdentityFiles]
	if fact(v) != "all" || v.At().File != "etc/audit/rules.d/90-own.rules" {
		t.Errorf("got %s at %v", fact(v), v.At())
	}
}

func TestWherePluginsSendRecords(t *testing.T) {
	remote := strings.Replace(testdata(t, "au-remote.conf"), "active = no", "active = yes", 1)
	server := strings.Replace(testdata(t, "audisp-remote.conf"), "remote_server = ", "remote_server = Audit.example.net", 1)
	for name, c := range map[string]struct {
		files []string
		want  []string
	}{
		"off": {[]string{"etc/audit/plugins.d/au-remote.conf", testdata(t, "au-remote.conf"), "etc/audit/audisp-remote.conf", server}, []string{"complete true"}},
		"on":  {[]string{"etc/audit/plugins.d/au-remote.conf", remote, "etc/audit/audisp-remote.conf", server}, []string{"auditd:audit.example.net:60// lossless false", "complete true"}},
		"on disk first": {
			[]string{"etc/audit/plugins.d/au-remote.conf", remote, "etc/audit/audisp-remote.conf", strings.Replace(server, "immediate", "forward", 1)},
			[]string{"auditd:audit.example.net:60// lossless true", "complete true"},
		},
		"on without a server": {[]string{"etc/audit/plugins.d/au-remote.conf", remote, "etc/audit/audisp-remote.conf", testdata(t, "audisp-remote.conf")}, []string{"complete true"}},
		"laurel": {
			[]string{
				"etc/audit/plugins.d/laurel.conf", "active = yes\npath = /usr/local/sbin/laurel\nargs = --config /etc/laurel/config.toml\n",
				"etc/laurel/config.toml", "directory = \"/var/log/laurel\"\n[auditlog]\nfile = \"audit.log\" # JSON\nsize = 5_000_000\ngenerations = 10\n",
			},
			[]string{"host:web-1//var/log/laurel/audit.log lossless moot", "complete true"},
		},
		"SELinux's":  {[]string{"etc/audit/plugins.d/sedispatch.conf", "active = yes\ndirection = out\npath = /usr/sbin/sedispatch\ntype = always\nformat = string\n"}, []string{"complete true"}},
		"a stranger": {[]string{"etc/audit/plugins.d/x.conf", "active = yes\npath = /opt/x\n"}, []string{"complete unknown: unfamiliar"}},
	} {
		l := source(hosttest.Scan(t, with(debian(t), c.files...), auditd.Read), evidence.Login)
		var got []string
		for _, by := range l.To[1:] {
			got = append(got, string(by.To)+" lossless "+fact(by.Lossless))
		}
		if got = append(got, "complete "+fact(l.Complete)); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestNothingIsWrittenWhereAllIsSentOn(t *testing.T) {
	set := hosttest.Scan(t, with(debian(t), "etc/audit/auditd.conf", "write_logs = no\n"), auditd.Read)
	if store(set) != nil || len(source(set, evidence.Login).To) != 0 {
		t.Error("write_logs = no writes no file")
	}
}

func TestWhatCannotBeReadIsUnknown(t *testing.T) {
	set := hosttest.Scan(t, with(debian(t), "etc/audit/rules.d/x.rules", "-> x.rules"), auditd.Read)
	l := source(set, evidence.Process)
	if fact(l.Parts[evidence.PartProcessStart]) != "unknown: failed" || fact(source(set, evidence.System).Fixed) != "unknown: failed" || fact(l.Enabled) != "true" || len(set.Gaps) == 0 {
		t.Errorf("got %s, gaps %v", fact(l.Parts[evidence.PartProcessStart]), set.Gaps)
	}
	files := debian(t)
	files["etc/audit/auditd.conf"] = "-> auditd.conf"
	set = hosttest.Scan(t, files, auditd.Read)
	if l := source(set, evidence.Login); len(l.To) != 0 || fact(l.Complete) != "unknown: failed" || len(set.Gaps) != 1 {
		t.Errorf("complete %s, gaps %v", fact(l.Complete), set.Gaps)
	}
}

func TestVerdictsOfTheStockAndTheHardenedMachine(t *testing.T) {
	look := func(_ context.Context, s *scope.Scope) {
		for _, a := range []evidence.Activity{evidence.Process, evidence.Login, evidence.System} {
			s.Look(a, evidence.Known(true, evidence.Origin{Note: "test"}))
		}
	}
	hardened := with(debian(t, "10-base-config.rules", "30-stig.rules", "43-module-load.rules",
		"-a always,exit -F arch=b64 -S execve,connect\n-a always,exit -F arch=b32 -S execve,connect", "-w /var/log/audit -p wa", "-e 2"),
		"etc/audit/auditd.conf", "max_log_file_action = keep_logs\ndisk_full_action = halt\ndisk_error_action = halt\n")
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"stock": {debian(t, "10-base-config.rules"), []string{
			"fail watched-processes", "pass recorded-login", "pass recorded-log-control", "fail sealed-unstoppable", "fail arriving-lossless",
		}},
		"hardened": {hardened, []string{
			"pass watched-processes", "pass recorded-login", "pass recorded-log-control", "pass sealed-unstoppable", "pass arriving-lossless",
			"fail watched-event-classes host:web-1//host: auditd records only in part: file-writes, file-deletes",
		}},
	} {
		got := hosttest.Judge(hosttest.Scan(t, c.files, auditd.Read, look))
		for _, want := range c.want {
			if !slices.ContainsFunc(got, func(l string) bool { return strings.HasPrefix(l, want) }) {
				t.Errorf("%s: want %q among\n%s", name, want, strings.Join(got, "\n"))
			}
		}
	}
}

func TestThePluginForSyslogGoesWhereSyslogGoes(t *testing.T) {
	files := with(debian(t), "etc/audit/plugins.d/syslog.conf", "active = yes\npath = /sbin/audisp-syslog\nargs = LOG_INFO LOG_LOCAL6\n",
		"usr/sbin/rsyslogd", "binary", "etc/rsyslog.conf", "module(load=\"imuxsock\")\nlocal6.* @@logs.example.net:6514\n",
		"lib/systemd/system/rsyslog.service", unitFile, "etc/systemd/system/multi-user.target.wants/rsyslog.service", "-> /lib/systemd/system/rsyslog.service")
	l := source(hosttest.Scan(t, files, auditd.Read), evidence.Login)
	if len(l.To) != 2 || !strings.Contains(string(l.To[1].To), "logs.example.net") {
		t.Errorf("got %v", l.To)
	}
}
