package sealed

import (
	"lookback/checks"
	"lookback/evidence"
)

// Unstoppable checks that the recording cannot be stopped unseen.
var Unstoppable = &checks.Check{
	ID:       "sealed-unstoppable",
	Title:    "Nobody can stop or weaken the recording without a restart",
	Severity: checks.Low,
	Doc: `Whoever is root takes the audit rules out with one command, works, and puts them back. When the rules are fixed until
the next start, the machine has to go down first, which somebody sees.

Cure, Linux: "-e 2" as the last line of the rules of auditd (/etc/audit/rules.d/99-finalize.rules). New rules then need
a restart.
Cure, Windows: run the Sysmon or EDR agent as a protected process, and keep its settings in a group policy.
Cure, a cloud VM: as for its system; send the records away as they are written.`,
	Judge: checks.Each(unstoppable),
}

func unstoppable(_ *checks.View, s evidence.LogSource) checks.Verdict {
	fixed, known := s.Fixed.Get()
	name := checks.Named(s.Subject)
	switch {
	case s.Fixed.IsZero() || checks.Off(s):
		return checks.Unasked()
	case !known:
		return checks.NotKnown(s.Fixed)
	case !fixed:
		return checks.Failed(s.Fixed, "%s can be stopped or weakened at any time%s", name, checks.Why(s.Fixed)).
			Many("%d recorders can be stopped or weakened at any time")
	}
	return checks.Passed(s.Fixed, "%s cannot be stopped without a restart", name)
}
