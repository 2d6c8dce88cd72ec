package timed

import (
	"lookback/checks"
	"lookback/evidence"
)

// Guarded checks that nobody changes the time unseen.
var Guarded = &checks.Check{
	ID:       "timed-guarded",
	Title:    "Only an administrator may change where the time comes from, and a change of the time is written down",
	Severity: checks.Low,
	Doc: `Who sets the clock back before they work, and forward afterwards, moves their traces to another day. That is found
when the change itself left a record. PCI DSS 4.0.1, 10.6.3 asks that time settings are protected, and changes to them
logged.

Cure, Linux: the file of the time service belongs to root and nobody else may write to it; audit rules for adjtimex,
settimeofday, clock_settime and writes to /etc/localtime, with a key.
Cure, Windows: the audit policy "Security State Change" (event 4616), and the right "Change the system time" for
administrators and LOCAL SERVICE alone.
Cure, a cloud VM: as for its system.`,
	Judge: checks.Each(guarded),
}

func guarded(_ *checks.View, clock evidence.Clock) checks.Verdict {
	holds, known := clock.Guarded.Get()
	name := checks.Named(clock.Subject)
	switch {
	case clock.Guarded.IsZero():
		return checks.Unasked()
	case !known:
		return checks.NotKnown(clock.Guarded)
	case !holds:
		return checks.Failed(clock.Guarded, "%s can be changed without a trace, or by more than administrators%s", name, checks.Why(clock.Guarded)).
			Many("%d clocks can be changed without a trace, or by more than administrators")
	}
	return checks.Passed(clock.Guarded, "%s cannot be changed without a trace", name)
}
