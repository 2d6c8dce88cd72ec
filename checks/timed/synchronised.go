package timed

import (
	"lookback/checks"
	"lookback/evidence"
)

// Synchronised checks that a clock agrees with its source.
var Synchronised = &checks.Check{
	ID:       "timed-synchronised",
	Title:    "The clock is synchronised",
	Severity: checks.Medium,
	Doc: `A timeline is put together from the records of many machines by their time. A clock that is five minutes off turns
cause and effect around, and nobody can correct for it later: how far it was off at that hour is written nowhere. PCI
DSS 4.0.1, 10.6.1 asks for synchronised clocks. A disk image cannot tell; scan the machine while it runs.

Cure, Linux: install chrony, or enable systemd-timesyncd; "chronyc sources" or "timedatectl timesync-status" names
what keeps it away.
Cure, Windows: start the service W32Time, let it start by itself, and look at "w32tm /query /status".
Cure, a cloud VM: let UDP 123 out, or take the time from the platform's own server.`,
	Judge: checks.Each(synchronised),
}

func synchronised(_ *checks.View, clock evidence.Clock) checks.Verdict {
	agrees, known := clock.Synchronised.Get()
	name := checks.Named(clock.Subject)
	switch {
	case clock.Synchronised.IsZero():
		return checks.Unasked()
	case !known:
		return checks.NotKnown(clock.Synchronised)
	case !agrees:
		return checks.Failed(clock.Synchronised, "%s is not synchronised%s", name, checks.Why(clock.Synchronised)).
			Many("%d clocks are not synchronised")
	}
	return checks.Passed(clock.Synchronised, "%s is synchronised", name)
}
