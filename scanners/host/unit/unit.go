// Package unit tells which services of a host are installed, start with it, and run: as systemd has it, with the scripts of
// System V beside. The rules are those of the manual page systemd.unit(5).
package unit

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/scope"
)

// A State is what is known of a unit.
type State struct {
	// Installed says whether there is a file of it, masked or not.
	Installed evidence.Value[bool]
	// Enabled says whether it starts with the machine, or as soon as its socket, timer or path asks for it. It is unknown
	// for a unit that other units may pull in and no link does.
	Enabled evidence.Value[bool]
	// Masked says whether it is kept from ever starting.
	Masked evidence.Value[bool]
	// Met says whether the conditions hold under which it starts.
	Met evidence.Value[bool]
	// Running says whether it has processes; of an image nobody can tell.
	Running evidence.Value[bool]
	// Exec is the command that it runs, drop-ins taken into account; "" where that is not known.
	Exec string
	// Where and Type are those of a mount unit: the folder, and the kind of file system, "" where it is not written.
	Where, Type string
	// At is its file.
	At evidence.Origin
}

// dirs is the load path of the system's units, the first first: systemd.unit(5), "Load path when running in system mode".
// The last one is /usr/lib/systemd/system where /usr is not merged.
var dirs = []string{
	"etc/systemd/system.control", "run/systemd/system.control", "run/systemd/transient", "run/systemd/generator.early",
	"etc/systemd/system", "etc/systemd/system.attached", "run/systemd/system", "run/systemd/system.attached",
	"run/systemd/generator", "usr/local/lib/systemd/system", "usr/lib/systemd/system", "lib/systemd/system",
	"run/systemd/generator.late",
}

// aside lists what no ordinary start of the machine reaches: systemd.special(7).
var aside = []string{
	"rescue.target", "emergency.target", "shutdown.target", "reboot.target", "poweroff.target", "halt.target",
	"kexec.target", "final.target", "suspend.target", "hibernate.target", "sleep.target", "initrd.target",
	"initrd-switch-root.target", "system-update.target",
}

// Find looks for a unit, "auditd.service". What cannot be read is a gap, and may hide sources of the activities.
func Find(s *scope.Scope, name string, of ...evidence.Activity) State {
	key := "unit " + name
	for _, a := range of {
		key += " " + string(a)
	}
	return scope.Memo(s, key, func() State { return find(s, name, of) })
}

// Names lists the units of a kind, ".mount", that have a file, in order of name. A folder that cannot be listed has none.
func Names(s *scope.Scope, kind string) []string {
	found := map[string]bool{}
	for _, dir := range dirs {
		list, _ := s.Root.ReadDir(dir)
		for _, e := range list {
			if path.Ext(e.Name()) == kind {
				found[e.Name()] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func find(s *scope.Scope, name string, of []evidence.Activity) State {
	f := finder{Scope: s, of: of}
	u := f.load(name)
	if f.err != nil {
		return State{
			Installed: scope.Unknown[bool](f.err, u.at), Enabled: scope.Unknown[bool](f.err, u.at),
			Masked: scope.Unknown[bool](f.err, u.at), Met: scope.Unknown[bool](f.err, u.at), Running: f.running(u), At: u.at,
		}
	}
	st := State{
		Installed: evidence.Known(u.file != "", u.at), Masked: evidence.Known(u.mask.File != "", u.at), Exec: u.exec, Where: u.where, Type: u.kind,
		At: u.at, Running: f.running(u), Met: f.met(u, evidence.Known(true, u.at)),
	}
	if u.mask.File != "" {
		st.Masked = evidence.Known(true, u.mask)
	}
	if st.Enabled = f.met(u, f.enabled(u)); f.err != nil {
		st.Enabled = scope.Unknown[bool](f.err, u.at)
	}
	return st
}

// A unit is what its files say.
type unit struct {
	names   []string // its own name and those that it is an alias of
	file    string   // "" where there is none
	at      evidence.Origin
	mask    evidence.Origin
	script  bool // of System V
	install bool // it says what pulls it in, once it is enabled
	exec    string
	slice   string
	where   string // of a mount unit
	kind    string
	asked   []condition
}

type finder struct {
	*scope.Scope
	of  []evidence.Activity
	err error // the first thing that could not be read
}

func (f *finder) missed(name string, err error) {
	if f.err == nil {
		f.err = err
		f.Missed("the unit file "+name, err, scope.At(name, 0), f.of...)
	}
}

// load reads the files of a unit.
func (f *finder) load(name string) unit {
	u := unit{names: []string{name}, at: evidence.Origin{File: "etc/systemd/system", Note: "no unit file of " + name}}
	for _, n := range []string{name, template(name)} {
		for _, dir := range dirs {
			if n != "" && (u.file == "") {
				f.consider(&u, path.Join(dir, n))
			}
		}
	}
	if u.file == "" {
		if script := "etc/init.d/" + strings.TrimSuffix(name, ".service"); f.exists(script) {
			u.file, u.at, u.script = script, scope.At(script, 0), true
		}
		return u
	}
	f.parse(&u, u.file)
	for _, file := range f.dropIns(u.names) {
		f.parse(&u, file)
	}
	return u
}

// consider takes a file as that of the unit. A mask hides those that come after it, which are looked for all the same: the
// unit is installed.
func (f *finder) consider(u *unit, file string) {
	info, err := f.Root.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		f.missed(file, err)
		return
	}
	null, to := f.null(file, info)
	switch {
	case null && u.mask.File == "":
		u.mask = scope.At(file, 0)
		u.at = u.mask
	case !null && f.exists(file):
		u.file = file
		if u.mask.File == "" {
			u.at = scope.At(file, 0)
		}
		if to != "" && path.Base(to) != path.Base(file) {
			u.names = append(u.names, path.Base(to))
		}
	}
}

// null reports whether a file is empty or leads to /dev/null: then it masks. To is where a link leads.
func (f *finder) null(file string, info fs.FileInfo) (null bool, to string) {
	for range 8 {
		if info.Mode()&fs.ModeSymlink == 0 {
			return info.Mode().IsRegular() && info.Size() == 0, to
		}
		link, err := f.Root.Readlink(file)
		if err != nil {
			return false, to
		}
		if !path.IsAbs(link) {
			link = path.Join("/", path.Dir(file), link)
		}
		if to = path.Clean(link); to == "/dev/null" {
			return true, to
		}
		if info, err = f.Root.Lstat(to); err != nil {
			return false, to
		}
		file = to
	}
	return false, to
}

func (f *finder) exists(name string) bool {
	ok, err := f.Root.Exists(name)
	if err != nil {
		f.missed(name, err)
	}
	return ok
}

// parse takes from a unit file, or a drop-in, what later ones do not take back: an empty ExecStart= starts the list anew.
func (f *finder) parse(u *unit, file string) {
	data, err := f.Root.ReadFile(file)
	if err != nil {
		f.missed(file, err)
		return
	}
	section := ""
	joined := strings.NewReplacer("\\\r\n", " ", "\\\n", " ").Replace(string(data))
	for line := range strings.Lines(joined) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = line
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case section == "[Install]" && slices.Contains([]string{"WantedBy", "RequiredBy", "UpheldBy", "Alias", "Also"}, key):
			u.install = true
		case section == "[Service]" && key == "ExecStart" && (value == "" || u.exec == ""):
			u.exec = strings.TrimLeft(value, "-@:+!|")
		case section == "[Service]" && key == "Slice":
			u.slice = value
		case section == "[Unit]" && (strings.HasPrefix(key, "Condition") || strings.HasPrefix(key, "Assert")), key == "ExecCondition":
			c := condition{key, value, file}
			switch {
			case value == "": // takes back all of its kind
				u.asked = slices.DeleteFunc(u.asked, func(o condition) bool { return o.kind() == c.kind() })
			case len(u.asked) == maxConditions:
				f.missed(file, fmt.Errorf("more than %d conditions", maxConditions))
			default:
				u.asked = append(u.asked, c)
			}
		case section == "[Mount]" && key == "Where":
			u.where = value
		case section == "[Mount]" && key == "Type":
			u.kind = value
		}
	}
}

// dropIns lists the drop-ins of a unit in the order in which they count. Of two of one name the one of the earlier folder
// holds.
func (f *finder) dropIns(names []string) []string {
	byName := map[string]string{}
	for _, dir := range dirs {
		for _, n := range names {
			for _, d := range []string{n, template(n), strings.TrimPrefix(path.Ext(n), ".")} {
				if d == "" {
					continue
				}
				list, err := f.Root.ReadDir(path.Join(dir, d+".d"))
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					f.missed(path.Join(dir, d+".d"), err)
				}
				for _, e := range list {
					if _, taken := byName[e.Name()]; !taken && strings.HasSuffix(e.Name(), ".conf") {
						byName[e.Name()] = path.Join(dir, d+".d", e.Name())
					}
				}
			}
		}
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		file := byName[name]
		if info, err := f.Root.Lstat(file); err == nil {
			if null, _ := f.null(file, info); null {
				continue
			}
		}
		out = append(out, file)
	}
	return out
}

// enabled says whether a unit starts with the machine.
func (f *finder) enabled(u unit) evidence.Value[bool] {
	switch {
	case u.file == "" || u.mask.File != "":
		return evidence.Known(false, u.at)
	case u.script || f.sysv():
		return f.script(strings.TrimSuffix(u.names[0], ".service"), u.at)
	}
	wanted := f.wanted()
	for _, n := range u.names {
		if at, ok := wanted[n]; ok {
			return evidence.Known(true, at)
		}
	}
	for _, n := range u.names {
		base, service := strings.CutSuffix(n, ".service")
		for _, by := range []string{".socket", ".timer", ".path"} {
			if !service {
				continue
			}
			if on, known := Find(f.Scope, base+by, f.of...).Enabled.Get(); known && on {
				return evidence.Known(true, u.at.WithNote("started by "+base+by))
			}
		}
	}
	if !u.install {
		return evidence.Unknown[bool](evidence.Elsewhere, u.at.WithNote("no link starts it; another unit may"))
	}
	return evidence.Known(false, u.at.WithNote("no target wants it"))
}

// wanted lists the units that a link in a *.wants, *.requires or *.upholds folder of the load path starts. A link to
// /dev/null takes back one of the same name in a later folder.
func (f *finder) wanted() map[string]evidence.Origin {
	type links struct {
		at  map[string]evidence.Origin
		err error
	}
	l := scope.Memo(f.Scope, "unit links", func() links {
		found := links{at: map[string]evidence.Origin{}}
		g := finder{Scope: f.Scope, of: f.of}
		seen := map[string]bool{}
		for _, dir := range dirs {
			list, err := g.Root.ReadDir(dir)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				g.missed(dir, err)
			}
			for _, e := range list {
				of := e.Name()
				ext := path.Ext(of)
				if ext != ".wants" && ext != ".requires" && ext != ".upholds" || slices.Contains(aside, strings.TrimSuffix(of, ext)) {
					continue
				}
				units, err := g.Root.ReadDir(path.Join(dir, of))
				if err != nil {
					g.missed(path.Join(dir, of), err)
				}
				for _, e := range units {
					link := path.Join(of, e.Name())
					if seen[link] {
						continue
					}
					seen[link] = true
					info, err := g.Root.Lstat(path.Join(dir, link))
					if err != nil {
						continue
					}
					if null, _ := g.null(path.Join(dir, link), info); !null {
						found.at[e.Name()] = scope.At(path.Join(dir, link), 0)
					}
				}
			}
		}
		found.err = g.err
		return found
	})
	if f.err == nil {
		f.err = l.err
	}
	return l.at
}

// sysv reports whether something other than systemd starts the machine. Where there is no /sbin/init at all, as in an image
// that was put together from packages, systemd is taken to.
func (f *finder) sysv() bool {
	to, err := f.Root.Resolve("sbin/init")
	return err == nil && path.Base(to) != "systemd"
}

// script says whether links of System V, or of OpenRC, start a script.
func (f *finder) script(name string, at evidence.Origin) evidence.Value[bool] {
	for _, pattern := range []string{"etc/rc[2-5].d/S[0-9][0-9]" + name, "etc/rcS.d/S[0-9][0-9]" + name, "etc/rc.d/rc[2-5].d/S[0-9][0-9]" + name, "etc/runlevels/*/" + name} {
		found, err := f.Root.Glob(pattern)
		if err != nil {
			f.missed(pattern, err)
		}
		if len(found) > 0 {
			return evidence.Known(true, scope.At(found[0], 0))
		}
	}
	return evidence.Known(false, at.WithNote("no run level starts it"))
}

// running says whether the control group of a service has processes.
func (f *finder) running(u unit) evidence.Value[bool] {
	name := u.names[len(u.names)-1]
	if !f.Live || !strings.HasSuffix(name, ".service") {
		return scope.NotRunning[bool](u.at)
	}
	slice := "system.slice"
	if prefix := template(name); prefix != "" { // systemd.resource-control(5), Slice=
		slice = "system-" + strings.ReplaceAll(strings.TrimSuffix(prefix, "@.service"), "-", `\x2d`) + ".slice"
	}
	if u.slice != "" {
		slice = u.slice
	}
	// Version 2 alone, both versions beside each other, version 1: systemd's CGROUP_DELEGATION page.
	for _, top := range []string{"sys/fs/cgroup", "sys/fs/cgroup/unified", "sys/fs/cgroup/systemd"} {
		if ok, err := f.Root.Exists(path.Join(top, "system.slice")); err != nil || !ok {
			continue
		}
		group := path.Join(top, slicePath(slice), name)
		at := scope.At(group, 0)
		if data, err := f.Root.ReadFile(path.Join(group, "cgroup.events")); err == nil {
			return evidence.Known(strings.Contains(string(data), "populated 1"), at)
		}
		data, err := f.Root.ReadFile(path.Join(group, "cgroup.procs"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return scope.Unknown[bool](err, at)
		}
		return evidence.Known(len(data) > 0, at)
	}
	return f.process(u)
}

// process says whether a process has the name of the program that a service would start, where systemd does not tell.
func (f *finder) process(u unit) evidence.Value[bool] {
	const proc = "proc"
	// A name has 15 bytes at most: TASK_COMM_LEN in proc_pid_comm(5).
	program, _, _ := strings.Cut(u.exec, " ")
	program = path.Base(program)
	program = program[:min(len(program), 15)]
	type processes struct {
		names map[string]bool
		err   error
	}
	all := scope.Memo(f.Scope, "processes", func() (p processes) {
		p.names = map[string]bool{}
		var list []fs.DirEntry
		list, p.err = f.Root.ReadDir(proc)
		for _, e := range list {
			if n := e.Name(); n[0] >= '1' && n[0] <= '9' {
				name, _ := f.Root.Head(path.Join(proc, n, "comm"), 64) // of one that ended meanwhile there is none
				p.names[strings.TrimSpace(string(name))] = true
			}
		}
		return p
	})
	at := evidence.Origin{File: proc, Note: "no control groups of systemd are in sight, and no process is called " + program}
	switch {
	case errors.Is(all.err, fs.ErrNotExist):
		return evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("no processes are in sight"))
	case all.err != nil:
		return scope.Unknown[bool](all.err, at.WithNote(""))
	case u.exec == "" || strings.Contains(program, "$"):
		return evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("no control groups of systemd are in sight, and which program the service would start is not known"))
	case all.names[program]:
		at.Note = "a process is called " + program
	}
	return evidence.Known(all.names[program], at)
}

// slicePath is where the group of a slice lies: "a-b.slice" within "a.slice".
func slicePath(slice string) string {
	name := strings.TrimSuffix(slice, ".slice")
	var out []string
	for i := range len(name) {
		if name[i] == '-' {
			out = append(out, name[:i]+".slice")
		}
	}
	return path.Join(append(out, name+".slice")...)
}

// template is the name of the file that an instance is made from: "getty@.service" of "getty@tty1.service".
func template(name string) string {
	before, after, ok := strings.Cut(name, "@")
	if !ok || strings.HasPrefix(after, ".") {
		return ""
	}
	return before + "@" + path.Ext(name)
}

// Works says whether a service does its work: whether it runs where that can be told, else whether it starts with the
// machine.
func (st State) Works() evidence.Value[bool] {
	runs, known := st.Running.Get()
	if !known {
		return st.Enabled
	}
	at := st.Running.At()
	if on, ok := st.Enabled.Get(); ok && on != runs {
		at.Note = map[bool]string{true: "it runs, and does not start with the machine", false: "it starts with the machine, and does not run"}[runs]
	}
	return evidence.Known(runs, at)
}
