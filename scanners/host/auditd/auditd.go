// Package auditd reads the Linux audit daemon: what its rules make the kernel record, how long its files are kept, what
// becomes of records when the disk is full, and where its plug-ins send them.
package auditd

import (
	"context"
	"debug/elf"
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/logfile"
	"lookback/scanners/host/logrotate"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/unit"
)

const (
	configFile = "etc/audit/auditd.conf"
	rulesFile  = "etc/audit/audit.rules"
	rulesDir   = "etc/audit/rules.d"
)

// activities are those that auditd is a source of.
var activities = []evidence.Activity{evidence.Process, evidence.FileChange, evidence.Login, evidence.System}

// A daemon is what is known of auditd on a host.
type daemon struct {
	at      evidence.Origin
	enabled evidence.Value[bool] // it records at all
	conf    map[string]value
	confErr error
	refused int // the line of its configuration that keeps it from starting; 0 for none
	rules   *ruleset
	fixed   evidence.Value[bool]
	parts   map[evidence.Part]evidence.Value[evidence.Extent]
	control evidence.Value[evidence.Extent]
	logons  evidence.Value[evidence.Extent]
}

// Read reads auditd.
func Read(_ context.Context, s *scope.Scope) {
	if d := find(s); d != nil {
		d.observe(s)
	}
}

// TimeChanges says how much is recorded of changes of the time.
func TimeChanges(s *scope.Scope) evidence.Value[evidence.Extent] {
	d := find(s)
	if d == nil {
		return evidence.Nothing(evidence.Origin{File: "etc/audit", Note: "no audit daemon is installed"})
	}
	if on, known := d.enabled.Get(); !known {
		return evidence.Unknown[evidence.Extent](d.enabled.Why(), d.enabled.At())
	} else if !on {
		return evidence.Nothing(d.enabled.At())
	}
	return d.parts[evidence.PartTimeChanges]
}

// find reads all that says what auditd does; nil where it is not installed.
func find(s *scope.Scope) *daemon {
	return scope.Memo(s, "auditd", func() *daemon {
		u := unit.Find(s, "auditd.service", activities...)
		d := &daemon{at: u.At}
		if installed, known := u.Installed.Get(); known && !installed {
			program := ""
			for _, p := range []string{"usr/sbin/auditd", "sbin/auditd", "usr/bin/auditd"} {
				if program == "" && s.Has(p, activities...) {
					program = p
				}
			}
			if program == "" {
				return nil
			}
			d.at = scope.At(program, 0)
		}
		d.enabled = u.Works()
		if on, known := d.enabled.Get(); known && !on {
			d.enabled = d.instead(s)
		}
		d.readConf(s)
		d.readRules(s)
		if at, off := d.off(s); off {
			d.enabled = evidence.Known(false, at)
		} else if runs, _ := u.Running.Get(); d.refused > 0 && !runs {
			d.enabled = evidence.Known(false, scope.At(configFile, d.refused).WithNote("auditd does not start: a line must be a name, a blank, =, a blank and a value"))
		}
		return d
	})
}

// instead says what becomes of the kernel's records where auditd is off: journald takes them from a socket of its own, and
// since version 4 another unit loads the rules.
func (d *daemon) instead(s *scope.Scope) evidence.Value[bool] {
	for _, name := range []string{"audit-rules.service", "systemd-journald-audit.socket"} {
		if on, known := unit.Find(s, name, activities...).Enabled.Get(); !known || !on {
			return d.enabled
		}
	}
	return evidence.Unknown[bool](evidence.Unfamiliar, d.enabled.At().WithNote("auditd is off; journald may write down what the rules record"))
}

func (d *daemon) readConf(s *scope.Scope) {
	data, err := s.Read(configFile, activities...)
	d.conf, d.confErr, d.refused = settings(configFile, data), err, broken(data)
}

// off reports whether something keeps auditd from recording though it runs.
func (d *daemon) off(s *scope.Scope) (evidence.Origin, bool) {
	if at, off := disabled(s); off {
		return at.WithNote("the kernel starts with audit=0"), true
	}
	if d.rules != nil && d.rules.enabled.n == 0 {
		return d.rules.enabled.at.WithNote("-e 0 turns auditing off"), true
	}
	if v := d.conf["local_events"]; v.text == "no" {
		return v.at.WithNote("local_events = no: it takes only what other machines send"), true
	}
	return evidence.Origin{}, false
}

// disabled looks for audit=0 among the parameters of the kernel: kernel-parameters.txt. The last one counts.
func disabled(s *scope.Scope) (at evidence.Origin, off bool) {
	if s.Live {
		if data, err := s.Root.ReadFile("proc/cmdline"); err == nil {
			return scope.At("proc/cmdline", 1), parameter(string(data), false)
		}
	}
	// What the machine starts with; where no such file tells, what the next one is made from.
	for _, f := range []string{"boot/grub/grub.cfg", "boot/grub2/grub.cfg", "boot/extlinux/extlinux.conf", "boot/firmware/cmdline.txt", "boot/cmdline.txt"} {
		data, err := s.Read(f)
		if err != nil || data == nil {
			continue
		}
		for _, l := range split(f, data) {
			word, _, _ := strings.Cut(strings.ReplaceAll(l.text, "\t", " "), " ")
			if word = strings.ToLower(word); word == "linux" || word == "linux16" || word == "linuxefi" || word == "append" || strings.HasSuffix(f, "cmdline.txt") {
				return l.at(), parameter(l.text, false) // that of the first entry
			}
		}
	}
	files := append([]string{"etc/default/grub"}, s.Glob("etc/default/grub.d/*.cfg")...)
	files = append(append(files, "etc/kernel/cmdline", "boot/grub2/grubenv"), s.Glob("boot/loader/entries/*.conf")...)
	for _, f := range files {
		data, err := s.Read(f)
		if err != nil || data == nil {
			continue
		}
		for _, l := range split(f, data) {
			key, _, assigned := strings.Cut(l.text, "=")
			if assigned && (strings.HasPrefix(key, "GRUB_CMDLINE_LINUX") || key == "kernelopts") || strings.HasPrefix(l.text, "options ") || f == "etc/kernel/cmdline" {
				if now := parameter(l.text, off); now != off {
					at, off = l.at(), now
				}
			}
		}
	}
	return at, off
}

func parameter(text string, off bool) bool {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\n\"'", r) }) {
		word = word[strings.LastIndex(word, `=audit=`)+1:]
		switch word {
		case "audit=0", "audit=off":
			off = true
		case "audit=1", "audit=on":
			off = false
		}
	}
	return off
}

// readRules reads the rules: what augenrules made of rules.d when auditd last started, else what it would make of it.
func (d *daemon) readRules(s *scope.Scope) {
	var sources [][]line
	names := s.Glob(rulesDir+"/*.rules", activities...)
	slices.SortFunc(names, func(a, b string) int { return natural(path.Base(a), path.Base(b)) })
	var failed error
	at := evidence.Origin{File: rulesDir}
	for _, n := range names {
		data, err := s.Read(n, activities...)
		if err != nil && failed == nil {
			failed, at = err, scope.At(n, 0)
		}
		sources = append(sources, split(n, data))
	}
	compiled := compile(sources)
	data, err := s.Read(rulesFile, activities...)
	if err != nil && failed == nil {
		failed, at = err, scope.At(rulesFile, 0)
	}
	if failed != nil {
		d.fixed = scope.Unknown[bool](failed, at)
		d.parts = map[evidence.Part]evidence.Value[evidence.Extent]{}
		none := func(string) bool { return false }
		lost := scope.Unknown[evidence.Extent](failed, at)
		for p := range (&ruleset{}).parts(machine{there: none, seen: none}) {
			d.parts[p] = lost
		}
		d.control, d.logons = lost, lost
		return
	}
	loaded := split(rulesFile, data)
	m := machine{
		architecture(s),
		func(name string) bool { ok, err := s.Root.Exists(name); return ok || err != nil },
		func(name string) bool { ok, _ := s.Root.Exists(name); return ok },
	}
	stale := ""
	switch same := slices.EqualFunc(loaded, compiled, func(a, b line) bool { return a.text == b.text }); {
	case data == nil || len(compiled) > 0 && same:
		loaded = compiled // with the lines of the files that people write
	case len(compiled) > 0:
		stale = rulesFile + " was loaded last; " + rulesDir + " says something else, and is loaded at the next start"
	}
	at = evidence.Origin{File: rulesDir}
	if data != nil && (len(compiled) == 0 || stale != "") {
		at.File = rulesFile
	}
	// Since version 4 a unit of its own loads the rules.
	if loads := unit.Find(s, "audit-rules.service", activities...); loads.Masked.At().File != "" {
		if masked, _ := loads.Masked.Get(); masked {
			loaded, stale, at = nil, "", loads.Masked.At().WithNote("audit-rules.service, which loads the rules, is masked")
		}
	}
	rs := load(loaded, at, m)
	d.judge(rs, m)
	if rs.end != nil {
		d.cut(load(loaded[:rs.end.index], at, m), rs.end, m)
	}
	if stale != "" {
		next := load(compiled, evidence.Origin{File: rulesDir}, m)
		for p, v := range next.parts(m) {
			now, sure := d.parts[p].Get()
			then, known := v.Get()
			if known && sure && now.Grade != then.Grade {
				d.parts[p] = evidence.Known(now, d.parts[p].At().WithNote(stale))
			}
		}
		if on, known := d.fixed.Get(); known && next.enabled.n != rs.enabled.n {
			d.fixed = evidence.Known(on, d.fixed.At().WithNote(stale))
		}
	}
	for _, l := range rs.strange[:min(len(rs.strange), 20)] {
		s.Missed("an audit rule", errors.New("it is not understood"), l.at())
	}
}

// judge says what rules make the kernel do.
func (d *daemon) judge(rs *ruleset, m machine) {
	d.rules, d.parts = rs, rs.parts(m)
	d.fixed = evidence.Known(false, rs.at.WithNote("no -e 2 among the rules"))
	if rs.enabled.n == 2 {
		d.fixed = evidence.Known(true, rs.enabled.at)
	}
	d.control, d.logons = rs.value(rs.control()), rs.value(rs.messages(logons))
}

// cut takes back what stands after a line that ends the load, or leaves open what differs with it.
func (d *daemon) cut(before *ruleset, end *refusal, m machine) {
	at := end.at().WithNote(end.note())
	at.Fix = `put "-c" on a line of its own before the first rule, so that auditctl reads on; and mend this line`
	whole := *d
	d.judge(before, m)
	pick := func(with, without evidence.Value[evidence.Extent]) evidence.Value[evidence.Extent] {
		a, sure := with.Get()
		b, known := without.Get()
		switch {
		case sure && known && a == b:
			return with
		case end.sure && known:
			return evidence.Known(b, at)
		}
		return evidence.Unknown[evidence.Extent](evidence.Unfamiliar, at)
	}
	for p, with := range whole.parts {
		without, ok := d.parts[p]
		if !ok {
			without = evidence.Nothing(at)
		}
		d.parts[p] = pick(with, without)
	}
	d.control, d.logons = pick(whole.control, d.control), pick(whole.logons, d.logons)
	switch {
	case before.enabled.n == whole.rules.enabled.n:
		d.fixed = whole.fixed
	case end.sure:
		d.fixed = evidence.Known(false, at)
	default:
		d.fixed = evidence.Unknown[bool](evidence.Unfamiliar, at)
	}
	if !end.sure {
		d.rules = whole.rules
	}
}

// control says how much of starting, stopping and changing the recording is itself written down. All of it is, without a
// rule, but for the files: who wipes them is seen by a watch alone.
func (rs *ruleset) control() answer {
	a := rs.messages(controls)
	if a.Grade == evidence.All && a.But == "" && rs.ask(event{path: "/var/log/audit/audit.log", perm: 'w'}).Grade == evidence.None {
		a.But = "not who wipes its files"
	}
	return a
}

// architecture tells the kind of a machine from a program of the machine. Where it cannot be told, it is taken for an x86-64.
func architecture(s *scope.Scope) kernel {
	k := kernel{narrow: true, legacy: true}
	for _, name := range []string{"usr/sbin/auditctl", "sbin/auditctl", "usr/sbin/auditd", "sbin/auditd"} {
		head, err := s.Root.Head(name, 20)
		if err != nil || len(head) < 20 || string(head[:4]) != elf.ELFMAG {
			continue
		}
		switch elf.Machine(uint16(head[18]) | uint16(head[19])<<8) {
		case elf.EM_AARCH64, elf.EM_RISCV, elf.EM_LOONGARCH:
			return kernel{}
		}
		return k
	}
	return k
}

// observe is the only place that knows what the settings mean.
func (d *daemon) observe(s *scope.Scope) {
	to, complete := d.deliveries(s)
	source := func(a evidence.Activity, records string, enabled evidence.Value[bool]) *evidence.LogSource {
		l := s.Source("auditd", a, "sensor", scope.Of("auditd", a), d.at)
		l.Records, l.Enabled, l.To, l.Complete = records, enabled, to, complete
		l.Parts[evidence.PartEveryNode] = evidence.Moot[evidence.Extent](d.at)
		return l
	}
	process := source(evidence.Process, "the record of programs that start", d.enabledFor(evidence.PartProcessStart))
	for p, v := range d.parts {
		process.Parts[p] = v
	}
	files := source(evidence.FileChange, "the record of files that change", d.enabledFor(evidence.PartFileWrites, evidence.PartFileDeletes, evidence.PartIdentityFiles))
	for _, p := range []evidence.Part{evidence.PartFileWrites, evidence.PartFileDeletes, evidence.PartFileTimes, evidence.PartIdentityFiles} {
		if v, ok := d.parts[p]; ok {
			files.Parts[p] = v
		}
	}
	login := source(evidence.Login, "the record of logins", d.enabled)
	login.Parts[evidence.PartLogons] = d.logons
	system := source(evidence.System, "the record of services", d.enabled)
	system.Parts[evidence.PartLogControl] = d.control
	system.Fixed = d.fixed // asked once, of the source that is on whatever the rules are
	if d.enabled.IsUnknown() {
		system.Fixed = d.enabled
	}
	for _, l := range []*evidence.LogSource{process, files, login, system} {
		s.Record(l)
	}
}

// enabledFor says whether auditd records any of some parts: without a rule it runs and writes nothing of them.
func (d *daemon) enabledFor(parts ...evidence.Part) evidence.Value[bool] {
	if on, known := d.enabled.Get(); known && !on {
		return d.enabled
	}
	for _, p := range parts {
		if e, known := d.parts[p].Get(); !known || e.Grade != evidence.None {
			return d.enabled
		}
	}
	return evidence.Known(false, d.parts[parts[0]].At())
}

// deliveries are where records go: the files, and what plug-ins take. To what an auditd that is off once wrote, nothing is added,
// and nobody is asked how long it stays; where it may be off, nobody can tell.
func (d *daemon) deliveries(s *scope.Scope) (to []evidence.Delivery, complete evidence.Value[bool]) {
	if on, known := d.enabled.Get(); known && !on {
		return nil, evidence.Known(true, d.enabled.At())
	}
	if d.confErr != nil {
		return nil, scope.Unknown[bool](d.confErr, scope.At(configFile, 0))
	}
	complete = evidence.Known(true, scope.At(configFile, 0))
	if d.conf["write_logs"].text != "no" && d.conf["log_format"].text != "nolog" {
		store := d.store(s)
		s.Record(store)
		by := evidence.EverythingTo(store.ID, store.At)
		by.Lossless = d.lossless()
		to = append(to, by)
	}
	more, doubt := d.plugins(s)
	if !doubt.IsZero() {
		complete = doubt
	}
	to = append(to, more...)
	for i := range to {
		if d.enabled.IsUnknown() {
			to[i].Extent = evidence.Unknown[evidence.Extent](d.enabled.Why(), d.enabled.At())
		}
	}
	return to, complete
}

// store is the log file with those that it was rotated into.
func (d *daemon) store(s *scope.Scope) *evidence.LogStore {
	name, at := "var/log/audit/audit.log", scope.At(configFile, 0).WithNote("the place by default")
	if v, ok := d.conf["log_file"]; ok && v.raw != "" {
		name, at = strings.TrimPrefix(path.Clean("/"+v.raw), "/"), v.at
	}
	store := s.DiskStore(s.ID(name), "log files", "/"+name, at)
	store.Kept, store.Bytes = d.kept()
	if forever(store.Kept) { // unless somebody else makes room
		if days, bytes := logrotate.Of(s, name); !forever(days) {
			store.Kept, store.Bytes = days, bytes
		}
	}
	files := logfile.Series(s, name)
	span := logfile.Measure(s, files)
	store.Oldest, store.Newest = span.Oldest, span.Newest
	logs, err := strconv.Atoi(d.conf["num_logs"].text)
	switch {
	case store.Oldest.IsUnknown(): // the files that are there may not be all
		store.Dropped = evidence.Unknown[bool](store.Oldest.Why(), store.Oldest.At())
	case d.conf["max_log_file_action"].text == "rotate" && err == nil && logs >= 2:
		store.Dropped = evidence.Known(len(files) >= logs, d.conf["num_logs"].at)
	default:
		store.Dropped = evidence.Known(false, at)
	}
	return store
}

// kept says how long the files are kept: auditd.conf(5), max_log_file_action.
func (d *daemon) kept() (days evidence.Value[int], bytes evidence.Value[int64]) {
	action := d.conf["max_log_file_action"]
	at := action.at
	forever := func(note string) (evidence.Value[int], evidence.Value[int64]) {
		for _, key := range []string{"space_left_action", "admin_space_left_action", "disk_full_action"} {
			if v := d.conf[key]; v.text == "rotate" {
				return evidence.Known(0, v.at.WithNote(key+" = rotate throws away the oldest when the disk fills up")),
					evidence.Unknown[int64](evidence.Elsewhere, v.at.WithNote("as much as the disk holds"))
			}
		}
		return evidence.Known(evidence.Forever, at.WithNote(note)), evidence.Moot[int64](at)
	}
	switch action.text {
	case "rotate":
		size, err1 := strconv.ParseInt(d.conf["max_log_file"].text, 10, 32)
		logs, err2 := strconv.ParseInt(d.conf["num_logs"].text, 10, 32)
		switch {
		case d.conf["num_logs"].text == "" || err2 == nil && logs < 2:
			return forever("num_logs is less than 2: nothing is rotated")
		case err1 != nil || err2 != nil || size <= 0:
			return evidence.Known(0, at), evidence.Unknown[int64](evidence.Failed, d.conf["max_log_file"].at.WithNote("not a number"))
		}
		return evidence.Known(0, at), evidence.Known(size<<20*logs, d.conf["max_log_file"].at)
	case "keep_logs":
		return forever("all are kept until the disk is full")
	case "", "ignore", "syslog": // clear_config in auditd-config.c: SZ_IGNORE
		if action.text == "" {
			at = scope.At(configFile, 0)
		}
		return forever("one file grows until the disk is full")
	case "suspend":
		return evidence.Known(evidence.Forever, at.WithNote("it stops writing when the file is full")), evidence.Moot[int64](at)
	}
	at = at.WithNote("max_log_file_action is not understood")
	return evidence.Unknown[int](evidence.Unfamiliar, at), evidence.Unknown[int64](evidence.Unfamiliar, at)
}

// lossless says whether records are never dropped on their way to the file: neither by the kernel, nor when the disk is full.
func (d *daemon) lossless() evidence.Value[bool] {
	for _, k := range []struct {
		key  string
		lose []string
	}{
		{"max_log_file_action", []string{"suspend"}},
		{"space_left_action", []string{"suspend"}},
		{"admin_space_left_action", []string{"suspend"}},
		{"disk_full_action", []string{"suspend", "ignore", "syslog"}},
		{"disk_error_action", []string{"suspend", "ignore"}},
	} {
		if v := d.conf[k.key]; slices.Contains(k.lose, v.text) {
			return evidence.Known(false, v.at.WithNote(k.key+" = "+v.text+": from then on nothing is recorded, and nobody has to notice"))
		}
	}
	if rs := d.rules; rs != nil {
		switch {
		case rs.rate.n > 0:
			return evidence.Known(false, rs.rate.at.WithNote("-r drops what comes faster"))
		case rs.wait.at.File != "" && rs.wait.n == 0:
			return evidence.Known(false, rs.wait.at.WithNote("the kernel does not wait for auditd when its queue is full"))
		case rs.failure.at.File != "" && rs.failure.n == 0:
			return evidence.Known(false, rs.failure.at.WithNote("-f 0 drops records without a word"))
		}
	}
	full := d.conf["disk_full_action"]
	switch full.text {
	case "": // clear_config in auditd-config.c: FA_IGNORE
		return evidence.Known(false, scope.At(configFile, 0).WithNote("disk_full_action is not set: when the disk is full, what comes is thrown away"))
	case "halt", "single", "rotate":
		return evidence.Known(true, full.at)
	}
	return evidence.Unknown[bool](evidence.Unfamiliar, scope.At(configFile, full.at.Line).WithNote("what it does when the disk is full (disk_full_action) is decided by a script, or not understood"))
}

func forever(days evidence.Value[int]) bool {
	n, known := days.Get()
	return known && n == evidence.Forever
}
