package auditd

import (
	"fmt"
	"slices"
	"strings"

	"lookback/evidence"
)

// A kernel says which system calls a machine has.
type kernel struct {
	narrow bool // it also runs programs of 32 bits
	legacy bool // it has calls that newer architectures left out: unlink, rename
}

// identity are the files that say who there is and who may act as administrator.
var identity = []string{"/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/sudoers", "/etc/sudoers.d"}

// runtime is what runs containers: programs, and the folders that hold its settings and all it stores.
var runtime = []struct {
	path    string
	program bool
}{
	{"/usr/bin/dockerd", true},
	{"/usr/bin/containerd", true},
	{"/var/lib/docker", false},
	{"/etc/docker", false},
	{"/etc/containerd", false},
}

// controls are the messages of starting, stopping and changing the recording, which come without any rule: auditd(8).
var controls = []string{"CONFIG_CHANGE", "DAEMON_START", "DAEMON_END", "DAEMON_CONFIG", "DAEMON_ABORT", "SERVICE_STOP", "SERVICE_START"}

// logons are the messages that PAM and sshd send without any rule.
var logons = []string{"USER_LOGIN", "USER_AUTH", "USER_ACCT", "USER_START", "USER_END", "CRED_ACQ", "LOGIN"}

// parts says what rules record.
func (rs *ruleset) parts(m machine) map[evidence.Part]evidence.Value[evidence.Extent] {
	out := map[evidence.Part]evidence.Value[evidence.Extent]{}
	put := func(p evidence.Part, a answer) { out[p] = rs.value(a) }
	k, there := m.kernel, m.there

	exec := rs.calls(k, "execve")
	if exec.Grade == evidence.Some && exec.But == not32 { // the first one is started by a program of 64 bits
		exec.Extent = evidence.Extent{Grade: evidence.All, But: "not what programs of 32 bits start"}
	}
	if exec.Grade == evidence.All && exec.But == "" && rs.ask(event{syscall: "execveat"}).Grade == evidence.None {
		exec.But = "not what execveat starts"
	}
	put(evidence.PartProcessStart, rs.arguments(exec))
	put(evidence.PartConnections, rs.without(rs.calls(k, "connect"), "SOCKADDR", "not their addresses"))
	put(evidence.PartDriverLoads, rs.calls(k, "init_module", "finit_module"))
	gone := []string{"unlinkat", "renameat"}
	if k.legacy {
		gone = append(gone, "unlink", "rename")
	}
	put(evidence.PartFileDeletes, rs.calls(k, gone...))
	put(evidence.PartFileWrites, rs.writes(k))
	put(evidence.PartTimeChanges, rs.time(k))
	put(evidence.PartIdentityFiles, rs.files(k, identity, there))
	if r, any := rs.runtime(k, m.seen); any {
		put(evidence.PartContainerRuntime, r)
	}
	// What few ask of auditd is told where a rule names it.
	for p, call := range map[evidence.Part]string{
		evidence.PartProcessAccess: "ptrace", evidence.PartEBPFLoads: "bpf", evidence.PartFileTimes: "utimensat", evidence.PartProcessEnd: "exit_group",
	} {
		if slices.ContainsFunc(rs.exit, func(r rule) bool { return r.action == "always" && slices.Contains(r.syscalls, call) }) {
			put(p, rs.calls(k, call))
		}
	}
	return out
}

// value is an answer as a fact. Where a line was not understood, it may be the one that records what no other does.
func (rs *ruleset) value(a answer) evidence.Value[evidence.Extent] {
	if odd := slices.Concat(rs.strange, rs.numbered); a.Grade == evidence.None && len(odd) > 0 && rs.never == nil {
		return evidence.Unknown[evidence.Extent](evidence.Unfamiliar, odd[0].at().WithNote("a rule that is not understood"))
	}
	return evidence.Known(a.Extent, a.at)
}

const not32 = "not by programs of 32 bits"

// calls asks for system calls of which each is needed.
func (rs *ruleset) calls(k kernel, names ...string) answer {
	var all []named
	for _, name := range names {
		a := rs.ask(event{syscall: name})
		if k.narrow && a.Grade != evidence.None {
			if b := rs.ask(event{syscall: name, narrow: true}); b.Grade == evidence.None && a.Grade == evidence.All {
				a.Extent = evidence.Extent{Grade: evidence.Some, But: not32}
			} else if a.Grade == evidence.All && b.Grade == evidence.Some {
				a = b
			}
		}
		all = append(all, named{name, a})
	}
	return each(all)
}

// named is an answer about one of several things that are asked for.
type named struct {
	name string
	answer
}

// each joins answers about things of which all are needed.
func each(all []named) answer {
	var worst *named
	var missing []string
	for i, a := range all {
		if a.Grade == evidence.None {
			missing = append(missing, a.name)
		} else if worst == nil || worst.Grade == evidence.All && (a.Grade == evidence.Some || worst.But == "") {
			worst = &all[i]
		}
	}
	switch {
	case worst == nil:
		return all[0].answer
	case len(missing) > 0:
		return answer{evidence.Extent{Grade: evidence.Some, But: "not " + strings.Join(missing, ", ")}, worst.at}
	}
	return worst.answer
}

// watched asks for writes to a file, by programs of either width.
func (rs *ruleset) watched(k kernel, name string) answer {
	a := rs.ask(event{path: name, perm: 'w'})
	if k.narrow && a.Grade == evidence.All {
		if b := rs.ask(event{path: name, perm: 'w', narrow: true}); b.Grade == evidence.None {
			a.Extent = evidence.Extent{Grade: evidence.Some, But: not32}
		} else if b.Grade == evidence.Some {
			a = b
		}
	}
	return a
}

// files asks for watches on files of which each is needed, as far as they are there.
func (rs *ruleset) files(k kernel, paths []string, there func(string) bool) answer {
	var all []named
	for _, p := range paths {
		if there(p) {
			all = append(all, named{p, rs.watched(k, p)})
		}
	}
	if len(all) == 0 { // an image without users: ask for all the same
		for _, p := range paths {
			all = append(all, named{p, rs.watched(k, p)})
		}
	}
	return rs.without(each(all), "PATH", "not the names of files")
}

// runtime asks for what of Docker and containerd lies on the machine, if anything.
func (rs *ruleset) runtime(k kernel, there func(string) bool) (a answer, found bool) {
	exec := rs.calls(k, "execve")
	var all []named
	for _, r := range runtime {
		if !there(r.path) {
			continue
		}
		perm := byte('w')
		if r.program {
			perm = 'x'
		}
		a := rs.ask(event{path: r.path, perm: perm})
		if r.program && worth(exec) > worth(a) {
			a = exec
		}
		all = append(all, named{r.path, a})
	}
	if len(all) == 0 {
		return answer{}, false
	}
	return each(all), true
}

func worth(a answer) int {
	return slices.Index([]evidence.Grade{evidence.None, evidence.Some, evidence.All}, a.Grade)
}

// time asks for the calls that set the clock.
func (rs *ruleset) time(k kernel) answer {
	a := rs.calls(k, "adjtimex", "settimeofday", "clock_settime")
	if a.Grade == evidence.All && a.But == "" && rs.ask(event{path: "/etc/localtime", perm: 'w'}).Grade == evidence.None {
		a.But = "not the time zone (/etc/localtime)"
	}
	return a
}

// writes asks for files that are written. A rule without a path is about all; watches are about what they name.
func (rs *ruleset) writes(k kernel) answer {
	if a := rs.calls(k, "openat"); a.Grade == evidence.All {
		return a
	}
	n, at := 0, evidence.Origin{}
	for _, r := range rs.exit {
		written := strings.Contains(r.perm, "w") || r.perm == "" && (len(r.syscalls) == 0 || slices.ContainsFunc(r.syscalls, func(c string) bool { return perms[c] == 'w' }))
		if r.action == "always" && r.path != "" && written && !slices.ContainsFunc(r.filters, filter.fails) {
			if n++; n == 1 {
				at = r.at()
			}
		}
	}
	switch a := rs.calls(k, "openat"); {
	case rs.never != nil || n == 0:
		return a
	case n == 1:
		return answer{evidence.Extent{Grade: evidence.Some, But: "only what 1 rule names"}, at}
	default:
		return answer{evidence.Extent{Grade: evidence.Some, But: fmt.Sprintf("only what %d rules name", n)}, at}
	}
}

// arguments takes from programs started what is lost without the message EXECVE.
func (rs *ruleset) arguments(a answer) answer { return rs.without(a, "EXECVE", "not their arguments") }

// without takes from an answer what is lost when rules drop a message that belongs to it.
func (rs *ruleset) without(a answer, message, but string) answer {
	for _, r := range rs.exclude {
		if a.Grade == evidence.None || !r.drops(types[message]) || len(r.types) == 0 {
			continue
		}
		switch {
		case len(r.filters) == 0:
			return answer{evidence.Extent{Grade: evidence.Some, But: but}, r.at()}
		case !slices.ContainsFunc(r.filters, filter.exact):
			return answer{evidence.Extent{Grade: evidence.Some, But: but + " where " + words(r.filters)}, r.at()}
		}
	}
	return a
}

// messages says how much of messages is recorded that come without a rule.
func (rs *ruleset) messages(names []string) answer {
	out := answer{evidence.Extent{Grade: evidence.All}, rs.at.WithNote("it comes without a rule")}
	for _, r := range rs.exclude {
		for _, t := range names {
			switch {
			case !r.drops(types[t]):
				continue
			case len(r.filters) == 0:
				return answer{evidence.Extent{Grade: evidence.Some, But: "not " + t}, r.at()}
			case !slices.ContainsFunc(r.filters, filter.harmless):
				return answer{evidence.Extent{Grade: evidence.Some, But: "not " + t + " where " + words(r.filters)}, r.at()}
			case out.But == "":
				out = answer{evidence.Extent{Grade: evidence.All, But: "not " + t + " where " + words(r.filters)}, r.at()}
			}
		}
	}
	return out
}

// harmless reports whether a field picks one program, and none by which people come in.
func (f filter) harmless() bool {
	return f.exact() && !slices.ContainsFunc([]string{"sshd", "login", "/su", "sudo", "gdm", "lightdm", "sddm", "systemd-executor"},
		func(door string) bool { return strings.Contains(f.value, door) })
}
