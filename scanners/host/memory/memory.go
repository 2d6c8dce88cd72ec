// Package memory tells whether a responder could still take the memory of a Linux host, as far as its disk shows it.
package memory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/unit"
)

// A kernel is one that the host may start.
type kernel struct {
	version string
	kcore   evidence.Value[bool] // /proc/kcore shows all memory to the administrator: CONFIG_PROC_KCORE
	forced  evidence.Value[bool] // lockdown is built in at its highest level: CONFIG_LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY
	symbols bool                 // its debug symbols are on the disk, which an analysis needs
}

// state is what was found out about a host.
type state struct {
	kernels  []kernel
	lockdown evidence.Value[string] // "none", "integrity" or "confidentiality": of the machine, or of its boot loader's settings
	dump     evidence.Value[bool]   // a crash leaves a dump: kdump is enabled, and memory is reserved for it
}

// Read records the ways to the memory of a host.
func Read(_ context.Context, s *scope.Scope) {
	st := state{kernels: kernels(s), dump: evidence.Known(false, evidence.Origin{Note: "kdump is not enabled"})}
	line, at, err := cmdline(s)
	st.lockdown = lockdown(s, line, at, err)
	for _, name := range []string{"kdump-tools.service", "kdump.service"} {
		if on, _ := unit.Find(s, name).Enabled.Get(); !on {
			continue
		}
		switch {
		case err != nil:
			st.dump = scope.Unknown[bool](err, at)
		case strings.Contains(line, "crashkernel="):
			st.dump = evidence.Known(true, at.WithNote("crashkernel= reserves memory for "+name))
		default:
			st.dump = evidence.Known(false, at.WithNote(name+" is enabled, and no crashkernel= reserves memory for it"))
		}
		break
	}
	s.Record(observe(s, st))
}

// observe is the only place that knows what it means. Tools such as AVML read /proc/kcore, which lockdown closes at its
// level "confidentiality" alone (man kernel_lockdown, and LOCKDOWN_KCORE in the kernel's security.h). LiME, a module, needs
// more: the same kernel's headers, and a signature where those are asked for.
func observe(s *scope.Scope, st state) *evidence.Access {
	a := &evidence.Access{
		Subject: evidence.Subject{ID: s.ID("memory"), Kind: "memory", Name: "the memory of " + s.Name, At: st.lockdown.At()},
		Of:      s.Host(), Means: evidence.MeansMemory,
	}
	level, known := st.lockdown.Get()
	dumps, _ := st.dump.Get()
	var open, shut, unsure []evidence.Origin
	for _, k := range st.kernels {
		kcore, sure := k.kcore.Get()
		forced, _ := k.forced.Get()
		switch {
		case !sure:
			unsure = append(unsure, k.kcore.At())
		case !kcore:
			shut = append(shut, k.kcore.At().WithNote("kernel "+k.version+" has no /proc/kcore"))
		case forced:
			shut = append(shut, k.forced.At().WithNote("kernel "+k.version+" is locked down for confidentiality"))
		default:
			note := fmt.Sprintf("/proc/kcore of kernel %s; its debug symbols, which an analysis needs, are not on the disk", k.version)
			if k.symbols {
				note = fmt.Sprintf("/proc/kcore of kernel %s, with its debug symbols on the disk", k.version)
			}
			open = append(open, k.kcore.At().WithNote(note))
		}
	}
	switch {
	case dumps:
		a.Allowed = evidence.Known(true, st.dump.At())
	case known && level == "confidentiality":
		a.Allowed = evidence.Known(false, st.lockdown.At().WithNote("lockdown=confidentiality closes /proc/kcore, and no crash dump is set up"))
	case len(shut) > 0 && len(open)+len(unsure) == 0:
		a.Allowed = evidence.Known(false, shut[0])
	case !known:
		a.Allowed = evidence.Unknown[bool](st.lockdown.Why(), st.lockdown.At())
	case len(open) > 0 && len(shut)+len(unsure) == 0:
		a.Allowed = evidence.Known(true, open[len(open)-1])
	case len(st.kernels) == 0:
		a.Allowed = evidence.Unknown[bool](evidence.Elsewhere, scope.At("boot", 0).WithNote("no kernel's configuration is on this disk"))
	default:
		a.Allowed = evidence.Unknown[bool](evidence.Elsewhere, scope.At("boot", 0).WithNote("it depends on which of the kernels is started"))
	}
	return a
}

// kernels reads the configuration of each kernel that is installed; of a machine that runs, that of the one that does.
func kernels(s *scope.Scope) (out []kernel) {
	running := ""
	if s.Live {
		release, _ := s.Root.Head("proc/sys/kernel/osrelease", 256)
		running = strings.TrimSpace(string(release))
		at := scope.At("proc/kcore", 0)
		switch info, err := s.Root.Stat(at.File); {
		case err == nil && info.Mode().IsRegular(): // where it is hidden from a container, a device lies over it
			return []kernel{{version: running, kcore: evidence.Known(true, at), symbols: symbols(s, running)}}
		case errors.Is(err, fs.ErrNotExist) && running != "":
			return []kernel{{version: running, kcore: evidence.Known(false, at)}}
		}
	}
	for _, name := range append(s.Glob("boot/config-*"), s.Glob("usr/lib/modules/*/config")...) {
		version := strings.TrimPrefix(path.Base(name), "config-")
		if path.Base(name) == "config" {
			version = path.Base(path.Dir(name))
		}
		if running != "" && version != running {
			continue
		}
		k := kernel{version: version}
		data, err := s.Root.ReadFile(name)
		if err != nil {
			s.Missed("the configuration of kernel "+version, err, scope.At(name, 0))
			k.kcore = scope.Unknown[bool](err, scope.At(name, 0))
			out = append(out, k)
			continue
		}
		k.kcore, k.forced = option(data, "CONFIG_PROC_KCORE", name), option(data, "CONFIG_LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY", name)
		k.symbols = symbols(s, version)
		out = append(out, k)
	}
	return out
}

// symbols reports whether the debug symbols of a kernel are on the disk, where distributions put them.
func symbols(s *scope.Scope, version string) bool {
	for _, at := range []string{"usr/lib/debug/boot/vmlinux-" + version, "usr/lib/debug/lib/modules/" + version + "/vmlinux"} {
		if ok, _ := s.Root.Exists(at); ok {
			return true
		}
	}
	return false
}

// option says whether a kernel was built with an option; one that its configuration does not set is off.
func option(config []byte, name, file string) evidence.Value[bool] {
	n := 0
	for line := range strings.Lines(string(config)) {
		n++
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+"="); ok {
			return evidence.Known(value == "y", scope.At(file, n))
		}
	}
	return evidence.Known(false, scope.At(file, 0))
}

// cmdline returns what the kernel is started with: of the machine that runs, else as the boot loader has it.
func cmdline(s *scope.Scope) (line string, at evidence.Origin, err error) {
	if s.Live {
		data, err := s.Root.Head("proc/cmdline", 1<<16)
		return string(data), scope.At("proc/cmdline", 0), err
	}
	names := append(s.Glob("boot/loader/entries/*.conf"), "boot/grub/grub.cfg", "boot/grub2/grub.cfg", "etc/kernel/cmdline", "etc/default/grub")
	for _, name := range names {
		data, err := s.Read(name)
		if err != nil {
			return "", scope.At(name, 0), err
		}
		var found strings.Builder
		for line := range strings.Lines(string(data)) {
			words := strings.Fields(line)
			if len(words) == 0 || strings.HasPrefix(words[0], "#") {
				continue
			}
			switch {
			case words[0] == "linux", words[0] == "linuxefi", words[0] == "options", strings.HasPrefix(words[0], "GRUB_CMDLINE_LINUX"), name == "etc/kernel/cmdline":
				found.WriteString(line)
			}
		}
		if found.Len() > 0 {
			return found.String(), scope.At(name, 0), nil
		}
	}
	return "", scope.At("boot", 0).WithNote("the boot loader's settings are not on this disk"), nil
}

// lockdown is the level of the kernel: as it is, or as it is asked for at start. Secure Boot makes some distributions'
// kernels choose "integrity", which leaves /proc/kcore open.
func lockdown(s *scope.Scope, line string, at evidence.Origin, err error) evidence.Value[string] {
	if s.Live {
		name := "sys/kernel/security/lockdown"
		if data, err := s.Root.Head(name, 256); err == nil { // "none [integrity] confidentiality"
			if _, rest, ok := strings.Cut(string(data), "["); ok {
				level, _, _ := strings.Cut(rest, "]")
				return evidence.Known(level, scope.At(name, 0))
			}
		}
	}
	if err != nil {
		return scope.Unknown[string](err, at)
	}
	if line == "" {
		return evidence.Unknown[string](evidence.Elsewhere, at)
	}
	level := "none"
	for word := range strings.FieldsSeq(strings.NewReplacer(`"`, " ", "'", " ").Replace(line)) {
		if value, ok := strings.CutPrefix(word, "lockdown="); ok {
			level = value
		}
	}
	return evidence.Known(level, at)
}
