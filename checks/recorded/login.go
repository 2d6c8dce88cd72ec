package recorded

import (
	"lookback/checks"
	"lookback/evidence"
)

// Login checks that a machine leaves a record of who came in.
var Login = &checks.Check{
	ID:       "recorded-login",
	Title:    "Who logged in, and who was turned away, is recorded",
	Severity: checks.Medium,
	Doc: `Who came in, from where, under which name, and how often the password was wrong before it was right: with this every
investigation of a machine begins. PCI DSS 4.0.1, 10.2.1.4 and 10.2.2 ask for it.

Cure, Linux: keep "LogLevel INFO" or more in sshd_config and the facility authpriv in the journal or rsyslog; lastlog
alone is overwritten by the next login.
Cure, Windows: the audit policy "Logon", for success and failure (events 4624 and 4625), and "Special Logon" (4672).
Cure, a cloud VM: as for its system; who used the console of the cloud stands in the cloud's own records.`,
	Judge: checks.About(evidence.Login, login),
}

func login(_ *checks.View, machine evidence.Asset, sources []evidence.LogSource) checks.Verdict {
	return written(machine, evidence.Login, sources, "who logs in to", func(because evidence.Fact) checks.Verdict {
		return checks.Failed(because, "who logs in to %s is not recorded", checks.Named(machine.Subject)).
			Many("who logs in is not recorded on %d machines")
	})
}
