package recorded

import (
	"lookback/checks"
	"lookback/evidence"
)

// System checks that a machine leaves a record of what its system does.
var System = &checks.Check{
	ID:       "recorded-system",
	Title:    "What the kernel and the services of a machine do is recorded",
	Severity: checks.Medium,
	Doc: `A service that an intruder installs to stay, a job that runs at night, a driver that was loaded, a disk that was taken
away, a machine that started again at an odd hour: all of that stands in the log of the system, or nowhere.

Cure, Linux: let systemd-journald store ("Storage=persistent", or "auto" with the folder /var/log/journal), or run
rsyslog beside it.
Cure, Windows: leave the System log and the service EventLog on; add the audit policy "Security System Extension"
(event 4697, a service was installed).
Cure, a cloud VM: as for its system. A console output of the platform keeps only the last start.`,
	Judge: checks.About(evidence.System, system),
}

func system(_ *checks.View, machine evidence.Asset, sources []evidence.LogSource) checks.Verdict {
	return written(machine, evidence.System, sources, "what the system does on", func(because evidence.Fact) checks.Verdict {
		return checks.Failed(because, "what the system does on %s is not recorded", checks.Named(machine.Subject)).
			Many("what the system does is not recorded on %d machines")
	})
}
