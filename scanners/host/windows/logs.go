package windows

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"lookback/evidence"
	"lookback/scanners/host/scope"
)

// A log is a channel of the service EventLog and the file behind it.
type log struct {
	name    string                // "Security"
	file    string                // below the root; "" where it lies on another disk
	on      evidence.Value[bool]  // the channel is
	size    evidence.Value[int64] // bytes
	retain  evidence.Value[bool]  // what is there is not overwritten when it is full
	archive evidence.Value[bool]  // then it is put aside, and a new file is begun
	seen    evidence.Value[span]
	away    evidence.Value[bool] // nothing takes the records away
	at      evidence.Origin
}

// A logs is the channels that are read, by name.
type logs struct {
	list []*log
}

func (l logs) get(name string) *log {
	i := slices.IndexFunc(l.list, func(one *log) bool { return one.name == name })
	if i < 0 {
		return nil
	}
	return l.list[i]
}

// Channels with a meaning here.
const (
	logApplication = "Application"
	logSecurity    = "Security"
	logSystem      = "System"
	logPowerShell  = "Microsoft-Windows-PowerShell/Operational"
	logSysmon      = "Microsoft-Windows-Sysmon/Operational"
)

// Sizes of channels for which none is set. That of the Security log is the text of its policy:
// https://learn.microsoft.com/windows/client-management/mdm/policy-csp-eventlogservice; that of Sysmon's stands in
// manifest.tt of https://github.com/Sysinternals/SysmonCommon. Others set theirs when Windows is installed.
const (
	sizeSecurity = 20 << 20
	sizeSysmon   = 64 << 20
)

func readLogs(ctx context.Context, s *scope.Scope, r *registry) (out logs) {
	on := evidence.Known(true, r.controls.h.at(r.controls.path+`\Services\EventLog`))
	if v, ok := r.service("EventLog"); ok && v.off() {
		on = evidence.Known(false, note(v.start.At(), "the service EventLog is disabled"))
	} else if r.failed != nil {
		on = scope.Unknown[bool](r.failed, on.At())
	}
	away := r.shippers(s)
	for _, name := range []string{logApplication, logSecurity, logSystem} {
		out.list = append(out.list, r.classic(name, on))
	}
	for _, name := range []string{logPowerShell, logSysmon} {
		if l := r.channel(name, on); l != nil {
			out.list = append(out.list, l)
		}
	}
	for _, l := range out.list {
		l.away = away
		if ctx.Err() == nil {
			l.seen = l.look(s)
		}
	}
	return out
}

// classic reads one of the logs that Windows had before its channels. Size, retention and place are those of
// https://learn.microsoft.com/windows/win32/eventlog/eventlog-key; a policy comes first, and counts in kilobytes.
func (r *registry) classic(name string, on evidence.Value[bool]) *log {
	k := r.controls.key("Services", "EventLog", name)
	p := r.software.key("Policies", "Microsoft", "Windows", "EventLog", name)
	l := &log{name: name, on: on, at: k.h.at(k.path)}
	kilobytes := as(p.number("MaxSize"), func(n int64) (int64, error) { return n << 10, nil })
	l.size = first(kilobytes, k.number("MaxSize"))
	if name == logSecurity {
		l.size = or(l.size, sizeSecurity, "the default of Windows")
	}
	l.on = r.silenced(name, on)
	l.retain = as(or(first(p.number("Retention"), k.number("Retention")), 0, "the default of Windows"), retained)
	l.archive = set(or(first(p.number("AutoBackupLogFiles"), k.number("AutoBackupLogFiles")), 0, "the default of Windows"))
	l.file = logFolder + name + ".evtx"
	if file, known := first(p.text("File"), k.text("File")).Get(); known {
		l.file = below(file)
	}
	return l
}

// retained reads Retention: 0, the oldest is overwritten; 1 (of a policy) and 0xFFFFFFFF, nothing is. Of others, which are
// seconds, later Windows has no word.
func retained(n int64) (bool, error) {
	switch n {
	case 0:
		return false, nil
	case 1, 1<<32 - 1, -1:
		return true, nil
	}
	return false, fmt.Errorf("a retention of %d is not known", n)
}

// silenced says whether a log is kept from being written beside the service that writes it: ATT&CK, T1562.002, names the
// session that feeds it and the key that makes Windows take itself for its own setup.
func (r *registry) silenced(name string, on evidence.Value[bool]) evidence.Value[bool] {
	if running, known := on.Get(); known && !running {
		return on
	}
	start := r.controls.key("Control", "WMI", "Autologger", "EventLog-"+name).number("Start")
	if n, known := start.Get(); known && n == 0 {
		return evidence.Known(false, note(start.At(), "the session that feeds the log does not start"))
	}
	setup := r.controls.key("Control", "MiniNt").there()
	if is, _ := setup.Get(); is && name == logSecurity {
		return evidence.Known(false, note(setup.At(), "Windows takes itself for its own setup, and writes no Security log"))
	}
	channel := r.software.key("Microsoft", "Windows", "CurrentVersion", "WINEVT", "Channels", name).number("Enabled")
	if n, known := channel.Get(); known && n == 0 {
		return evidence.Unknown[bool](evidence.Unfamiliar, note(channel.At(), "its channel is switched off; whether Windows heeds that for this log is not known"))
	}
	return on
}

// channel reads a log that came with a manifest; nil where it is known that there is none.
func (r *registry) channel(name string, service evidence.Value[bool]) *log {
	k := r.software.key("Microsoft", "Windows", "CurrentVersion", "WINEVT", "Channels", name)
	l := &log{name: name, on: service, at: k.h.at(k.path)}
	there, known := k.there().Get()
	switch runs, sure := service.Get(); {
	case known && !there:
		return nil
	case sure && runs:
		l.on = set(k.number("Enabled"))
	}
	// What a channel shares a session with stands in its manifest: https://learn.microsoft.com/windows/win32/wes/eventmanifestschema-channeltype-complextype.
	for isolation, shared := range []string{logApplication, logSystem} {
		start := r.controls.key("Control", "WMI", "Autologger", "EventLog-"+shared).number("Start")
		n, written := start.Get()
		with, _ := k.number("Isolation").Get()
		if on, known := l.on.Get(); written && n == 0 && int(with) == isolation && !(known && !on) {
			l.on = evidence.Unknown[bool](evidence.Unfamiliar, note(start.At(), "the session that may feed the channel does not start"))
		}
	}
	l.size = k.number("MaxSize")
	if name == logSysmon {
		l.on = or(l.on, true, "the default of Sysmon's manifest")
		l.size = or(l.size, sizeSysmon, "the default of Sysmon's manifest")
	}
	if l.on.IsMoot() {
		l.on = evidence.Unknown[bool](evidence.Unfamiliar, note(l.on.At(), "whether the channel is on is not set"))
	}
	l.retain = as(or(k.number("Retention"), 0, "the default of Windows"), retained)
	l.archive = set(or(k.number("AutoBackup"), 0, "the default of Windows"))
	l.file = logFolder + strings.ReplaceAll(name, "/", "%4") + ".evtx"
	if file, known := k.text("File").Get(); known {
		l.file = below(file)
	}
	return l
}

func set(n evidence.Value[int64]) evidence.Value[bool] {
	return as(n, func(n int64) (bool, error) { return n != 0, nil })
}

const logFolder = "Windows/System32/winevt/Logs/"

// below is a path of Windows as a name below the root, which is the disk of the system; "" on another disk.
func below(path string) string {
	path = strings.ReplaceAll(strings.Trim(path, `" `), `\`, "/")
	for _, of := range []string{"%systemroot%/", "%windir%/", "/systemroot/"} {
		if len(path) > len(of) && strings.EqualFold(path[:len(of)], of) {
			return "Windows/" + path[len(of):]
		}
	}
	for _, of := range []string{"c:/", "%systemdrive%/"} {
		if len(path) > len(of) && strings.EqualFold(path[:len(of)], of) {
			return path[len(of):]
		}
	}
	return ""
}

// look measures the file of a log.
func (l *log) look(s *scope.Scope) evidence.Value[span] {
	at := scope.At(l.file, 0)
	if l.file == "" {
		return evidence.Unknown[span](evidence.Elsewhere, note(l.at, "its file lies on another disk"))
	}
	f, err := s.Root.Open(l.file)
	if errors.Is(err, fs.ErrNotExist) {
		return evidence.Unknown[span](evidence.Elsewhere, at.WithNote("there is no such file"))
	}
	var found span
	if err == nil {
		defer f.Close()
		info, e := f.Stat()
		if err = e; err == nil {
			found, err = measure(f, info.Size())
		}
	}
	if err != nil {
		s.Missed("the records of the log "+l.name, err, at)
		return scope.Unknown[span](err, at)
	}
	return evidence.Known(found, at)
}

// thing is how a log is called in an ID.
func (l *log) thing() string { return "evtx/" + l.name }

// store is the only place that knows what the settings of a log mean.
func (l *log) store(s *scope.Scope) *evidence.LogStore {
	store := s.DiskStore(s.ID(l.thing()), "event log", l.name, l.at)
	store.Complete = l.away
	if l.file == "" {
		store.On = evidence.Unknown[[]evidence.ID](evidence.Elsewhere, note(l.at, "its file lies on another disk"))
	}
	retain, known := l.retain.Get()
	archive, sure := l.archive.Get()
	switch {
	case !known:
		store.Kept, store.Bytes = evidence.Unknown[int](l.retain.Why(), l.retain.At()), evidence.Unknown[int64](l.retain.Why(), l.retain.At())
	case retain:
		why := note(l.retain.At(), "it is not overwritten when it is full: new records are lost until somebody clears it")
		if sure && archive {
			why = note(l.archive.At(), "when it is full it is put aside, and a new file is begun")
		}
		store.Kept, store.Bytes = evidence.Known(evidence.Forever, why), evidence.Moot[int64](why)
	case l.size.IsMoot():
		store.Kept = evidence.Known(0, l.retain.At())
		store.Bytes = evidence.Unknown[int64](evidence.Unfamiliar, note(l.size.At(), "no size is set, and its default is not known"))
	default:
		store.Kept, store.Bytes = evidence.Known(0, l.retain.At()), l.size
	}
	store.Oldest = when(l.seen, func(s span) time.Time { return s.oldest })
	store.Newest = when(l.seen, func(s span) time.Time { return s.newest })
	store.Dropped = l.dropped()
	return store
}

func when(seen evidence.Value[span], which func(span) time.Time) evidence.Value[time.Time] {
	found, known := seen.Get()
	switch {
	case !known && seen.At() == evidence.Origin{}: // the scan was cut short
		return evidence.Value[time.Time]{}
	case !known:
		return evidence.Unknown[time.Time](seen.Why(), seen.At())
	case which(found).IsZero():
		return evidence.Unknown[time.Time](evidence.Elsewhere, seen.At().WithNote("it holds no record"))
	}
	return evidence.Known(which(found), seen.At())
}

// dropped says whether records are gone. The numbers of records go on when a log is cleared, so that a number above 1
// tells of room that was made only where the log is full.
func (l *log) dropped() evidence.Value[bool] {
	found, known := l.seen.Get()
	size, sized := l.size.Get()
	switch {
	case !known && l.seen.At() == evidence.Origin{}:
		return evidence.Value[bool]{}
	case !known:
		return evidence.Unknown[bool](l.seen.Why(), l.seen.At())
	case found.first <= 1:
		return evidence.Known(false, l.seen.At())
	case sized && found.bytes >= size-2*evtxChunk:
		return evidence.Known(true, l.seen.At().WithNote(fmt.Sprintf("its first record is number %d", found.first)))
	}
	return evidence.Unknown[bool](evidence.Elsewhere, l.seen.At().WithNote(
		fmt.Sprintf("its first record is number %d, and it is not full: it was cleared, or made larger", found.first)))
}

// source is what a log records of one activity.
func (l *log) source(s *scope.Scope, a evidence.Activity, records string) *evidence.LogSource {
	src := s.Source(l.thing(), a, "event log", "the log "+l.name, l.at)
	src.Records, src.Enabled, src.Complete = records, l.on, l.away
	to := evidence.EverythingTo(s.ID(l.thing()), l.at)
	if retain, _ := l.retain.Get(); retain {
		if archive, _ := l.archive.Get(); !archive {
			to.Lossless = evidence.Known(false, note(l.retain.At(), "when it is full, new records are lost"))
		}
	}
	src.To = []evidence.Delivery{to}
	if a == evidence.Process {
		src.Parts[evidence.PartEveryNode] = evidence.Moot[evidence.Extent](l.at)
	}
	return src
}

// recordLogs is the only place that knows what the audit policy means.
func recordLogs(s *scope.Scope, r *registry, all logs, policy evidence.Value[auditPolicy]) {
	security := all.get(logSecurity)

	login := security.source(s, evidence.Login, "who logs in")
	login.Parts[evidence.PartLogons] = as(audited(policy, logon), func(is uint16) (evidence.Extent, error) {
		switch is {
		case auditSuccess:
			return evidence.Extent{Grade: evidence.Some, But: "not who was turned away"}, nil
		case auditFailure:
			return evidence.Extent{Grade: evidence.Some, But: "only who was turned away"}, nil
		}
		return wholly(is != 0), nil
	})
	login.Enabled = also(security.on, as(audited(policy, logon), nonzero))
	changes := as(audited(policy, userAccounts), nonzero)
	if members, known := audited(policy, groups).Get(); known && members&auditSuccess == 0 {
		changes = evidence.Known(false, audited(policy, groups).At())
	}
	if yes, _ := changes.Get(); yes {
		login.Parts[evidence.PartIdentityFiles] = evidence.Known(wholly(true), changes.At())
	}
	s.Record(login)

	process := security.source(s, evidence.Process, "the recording of program starts")
	process.Enabled = also(security.on, as(audited(policy, processCreation), success))
	process.Parts[evidence.PartProcessStart] = r.starts(audited(policy, processCreation))
	process.Parts[evidence.PartConnections] = flows(policy)
	files := as(audited(policy, fileSystem), func(is uint16) (evidence.Extent, error) {
		if is&auditSuccess == 0 {
			return wholly(false), nil
		}
		return evidence.Extent{Grade: evidence.Some, But: "only files that carry an audit entry of their own"}, nil
	})
	process.Parts[evidence.PartFileWrites], process.Parts[evidence.PartFileDeletes] = files, files
	if ends, _ := as(audited(policy, processTermination), success).Get(); ends {
		process.Parts[evidence.PartProcessEnd] = evidence.Known(wholly(true), audited(policy, processTermination).At())
	}
	s.Record(process)

	// 1102 (the Security log was cleared) and 104 (another one was) come by themselves; 4719 (the audit policy was changed)
	// only where it is asked for.
	control := security.source(s, evidence.System, "changes of the audit policy")
	control.Parts[evidence.PartLogControl] = as(audited(policy, policyChange), func(is uint16) (evidence.Extent, error) {
		if is&auditSuccess == 0 {
			return evidence.Extent{Grade: evidence.Some, But: "that a log was cleared, and not that the audit policy was changed"}, nil
		}
		return wholly(true), nil
	})
	if set, _ := as(audited(policy, securityStateChange), success).Get(); set {
		control.Parts[evidence.PartTimeChanges] = evidence.Known(wholly(true), audited(policy, securityStateChange).At())
	}
	s.Record(control)

	system := all.get(logSystem)
	src := system.source(s, evidence.System, "what services and drivers report")
	src.Parts[evidence.PartLogControl] = evidence.Known(
		evidence.Extent{Grade: evidence.Some, But: "that a log was cleared, and not that the audit policy was changed"}, system.at)
	s.Record(src)
	s.Record(all.get(logApplication).source(s, evidence.Application, "what programs report"))
	if l := all.get(logPowerShell); l != nil {
		s.Record(r.scripts(s, l))
	}
}

func wholly(yes bool) evidence.Extent {
	if yes {
		return evidence.Extent{Grade: evidence.All}
	}
	return evidence.Extent{Grade: evidence.None}
}

func nonzero(is uint16) (bool, error) { return is != 0, nil }
func success(is uint16) (bool, error) { return is&auditSuccess != 0, nil }

// also holds where both do: the second is asked only where the first is on.
func also(log, setting evidence.Value[bool]) evidence.Value[bool] {
	if on, known := log.Get(); !known || !on {
		if off, sure := setting.Get(); !known && sure && !off {
			return setting
		}
		return log
	}
	return setting
}

// starts grades the event 4688. Its command line has a switch of its own:
// https://learn.microsoft.com/windows-server/identity/ad-ds/manage/component-updates/command-line-process-auditing
func (r *registry) starts(audit evidence.Value[uint16]) evidence.Value[evidence.Extent] {
	line := set(or(r.software.key("Microsoft", "Windows", "CurrentVersion", "Policies", "System", "Audit").
		number("ProcessCreationIncludeCmdLine_Enabled"), 0, "the default of Windows"))
	is, known := audit.Get()
	with, sure := line.Get()
	switch {
	case !known:
		return evidence.Unknown[evidence.Extent](audit.Why(), audit.At())
	case is&auditSuccess == 0:
		return evidence.Known(wholly(false), audit.At())
	case !sure:
		return evidence.Unknown[evidence.Extent](line.Why(), line.At())
	case !with:
		return evidence.Known(evidence.Extent{Grade: evidence.Some, But: "without arguments"}, line.At())
	}
	return evidence.Known(wholly(true), line.At())
}

// flows grades the event 5156. Its place in the audit policy is told by what the two places that it may have agree on.
func flows(policy evidence.Value[auditPolicy]) evidence.Value[evidence.Extent] {
	one, two := as(audited(policy, connections), success), as(audited(policy, connectionsToo), success)
	is, known := one.Get()
	too, sure := two.Get()
	switch {
	case !known:
		return evidence.Unknown[evidence.Extent](one.Why(), one.At())
	case !sure || is != too:
		return evidence.Unknown[evidence.Extent](evidence.Unfamiliar, two.At().WithNote("where the audit policy of connections stands differs between versions"))
	}
	return evidence.Known(wholly(is), one.At())
}

// scripts is PowerShell's own record of what it runs. Where nobody decides, it writes down what it takes for suspicious; set
// to 0, nothing: LogScriptBlockCreation in CompiledScriptBlock.cs of https://github.com/PowerShell/PowerShell.
func (r *registry) scripts(s *scope.Scope, l *log) *evidence.LogSource {
	src := l.source(s, evidence.Process, "the recording of scripts")
	src.ID, src.Kind, src.Name = s.SourceID("powershell", evidence.Process), "log", "PowerShell"
	src.Parts[evidence.PartProcessStart] = evidence.Nothing(l.at)
	asked := r.software.key("Policies", "Microsoft", "Windows", "PowerShell", "ScriptBlockLogging").number("EnableScriptBlockLogging")
	n, known := asked.Get()
	switch {
	case asked.IsMoot():
		at := note(asked.At(), "script block logging is not set: only what PowerShell takes for suspicious is written")
		src.Parts[evidence.PartScripts] = evidence.Known(evidence.Extent{Grade: evidence.Some, But: "only what PowerShell takes for suspicious"}, at)
		src.Enabled = also(l.on, evidence.Known(false, at))
	case !known:
		src.Parts[evidence.PartScripts] = evidence.Unknown[evidence.Extent](asked.Why(), asked.At())
		src.Enabled = also(l.on, evidence.Unknown[bool](asked.Why(), asked.At()))
	case n != 0 && r.seven(s):
		src.Parts[evidence.PartScripts] = evidence.Known(evidence.Extent{Grade: evidence.Some, But: "not those of PowerShell 7, which has a policy of its own"}, asked.At())
		src.Enabled = l.on
	default:
		src.Parts[evidence.PartScripts] = evidence.Known(wholly(n != 0), asked.At())
		src.Enabled = also(l.on, evidence.Known(n != 0, asked.At()))
	}
	return src
}

// seven reports whether PowerShell 7 is installed and nothing makes it write down its scripts:
// https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_group_policy_settings
func (r *registry) seven(s *scope.Scope) bool {
	if !exists(s, "Program Files/PowerShell/7/pwsh.exe") {
		return false
	}
	k := r.software.key("Policies", "Microsoft", "PowerShellCore", "ScriptBlockLogging")
	for _, name := range []string{"EnableScriptBlockLogging", "UseWindowsPowerShellPolicySetting"} {
		if n := k.number(name); n.IsUnknown() {
			return false
		} else if is, _ := n.Get(); is != 0 {
			return false
		}
	}
	return true
}
