package windows

import (
	"fmt"
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/scope"
)

// dumps are the values of CrashDumpEnabled:
// https://learn.microsoft.com/troubleshoot/windows-server/performance/memory-dump-file-options
var dumps = map[int64]string{
	0: "no dump",
	1: "a complete dump",
	2: "a dump of the kernel's memory",
	3: "a small dump",
	7: "an automatic dump, of the kernel's memory",
}

// memory says what a responder could still take. A tool that reads memory brings a driver; whether it may be loaded, the disk
// does not tell.
func (r *registry) memory(s *scope.Scope) *evidence.Access {
	k := r.controls.key("Control", "CrashControl")
	a := &evidence.Access{
		Subject: evidence.Subject{ID: s.ID("memory"), Kind: "memory", Name: "the memory of " + s.Name, At: k.h.at(k.path)},
		Of:      s.Host(), Means: evidence.MeansMemory,
	}
	dump := k.number("CrashDumpEnabled")
	kind, known := dump.Get()
	what, familiar := dumps[kind]
	if !known || !familiar {
		what = "a dump of a kind that is not known"
	}
	say := []string{"a crash leaves " + what}
	hibernates := r.controls.key("Control", "Power").number("HibernateEnabled")
	if on, known := hibernates.Get(); known {
		say = append(say, map[bool]string{true: "hibernation is on", false: "hibernation is off"}[on != 0])
	}
	for _, name := range []string{"hiberfil.sys", "pagefile.sys", "swapfile.sys", "Windows/MEMORY.DMP"} {
		if exists(s, name) {
			say = append(say, fmt.Sprintf("%s is there", name))
		}
	}
	switch {
	case !known && !dump.IsMoot():
		a.Allowed = evidence.Unknown[bool](dump.Why(), dump.At())
	case known && kind == 1:
		a.Allowed = evidence.Known(true, note(dump.At(), strings.Join(say, ", ")))
	default:
		a.Allowed = evidence.Unknown[bool](evidence.Elsewhere, note(dump.At(), strings.Join(append(say, "whether a tool may load its driver is not told by the disk"), ", ")))
	}
	return a
}
