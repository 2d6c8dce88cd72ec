package recorded

import (
	"lookback/checks"
	"lookback/evidence"
)

// LogControl checks that the end of the records is itself on record.
var LogControl = &checks.Check{
	ID:       "recorded-log-control",
	Title:    "Stopping, clearing or changing the recording is itself written down",
	Severity: checks.Medium,
	After:    []string{"recorded-system"},
	Doc: `An intruder who clears a log hopes that an empty one looks like a quiet one. One record of "cleared", with a name and
a time, turns the gap into evidence; without it nobody can tell a gap from a quiet night. PCI DSS 4.0.1, 10.2.1.6 asks
for it.

Cure, Linux: audit rules (-w, or -F path=) on /etc/audit, /var/log/audit, /etc/rsyslog.conf,
/etc/systemd/journald.conf and their .d folders, and on the programs auditctl and auditd.
Cure, Windows: the audit policy "Audit Policy Change" (event 4719); 1102 and 104, a log was cleared, come by
themselves while the service runs.
Cure, a cloud VM: as for its system, and send the records away: what cleared the log cannot clear the copy.`,
	Judge: checks.About(evidence.System, logControl),
}

func logControl(_ *checks.View, machine evidence.Asset, sources []evidence.LogSource) checks.Verdict {
	name := checks.Named(machine.Subject)
	return checks.Best(sources, func(s evidence.LogSource) checks.Verdict {
		part, named := s.Parts[evidence.PartLogControl]
		extent, known := part.Get()
		fail := func(because evidence.Fact) checks.Verdict {
			return checks.Failed(because, "who stops or changes the recording of %s is not written down", name).
				Many("who stops or changes the recording is not written down on %d machines")
		}
		switch {
		case !named: // of a kind that no scanner asks
			return checks.Unasked()
		case checks.Off(s):
			return fail(s.Enabled)
		case s.Enabled.IsUnknown():
			return checks.NotKnown(s.Enabled)
		case !known:
			return checks.NotKnown(part)
		case extent.Grade == evidence.None:
			return fail(part)
		case extent.Grade != evidence.All:
			return checks.Failed(part, "who stops or changes the recording of %s is written down only in part: %s", name, extent.But)
		}
		return checks.Passed(part, "%s records who stops or changes the recording of %s", checks.Named(s.Subject), name)
	})
}
