package sealed

import (
	"lookback/checks"
	"lookback/evidence"
)

// InTransit checks that records cross the network encrypted.
var InTransit = &checks.Check{
	ID:       "sealed-in-transit",
	Title:    "Records cross the network encrypted",
	Severity: checks.Low,
	Doc: `Plain syslog can be read by whoever is on the way, passwords that were typed into the wrong field included, and anybody
who reaches the server's port can write records of any machine: what such a server holds proves little.

Cure, Linux: in rsyslog StreamDriver="gtls" StreamDriverMode="1" for the omfwd action, with StreamDriverAuthMode; in
syslog-ng transport("tls") with a tls() block. The server then listens on 6514.`,
	Judge: checks.Each(inTransit),
}

func inTransit(v *checks.View, s evidence.LogSource) checks.Verdict {
	if checks.Lost(s) || checks.Off(s) {
		return checks.Unasked()
	}
	return checks.Decided(checks.Worst(s.To, func(d evidence.Delivery) checks.Verdict {
		secret, known := d.Encrypted.Get()
		extent, comes := d.Extent.Get()
		to, _ := v.Store(d.To)
		switch {
		case d.Encrypted.IsZero(), comes && extent.Grade == evidence.None:
			return checks.Unasked()
		case !comes:
			return checks.NotKnown(d.Extent)
		case !known:
			return checks.NotKnown(d.Encrypted)
		case !secret:
			return checks.Failed(d.Encrypted, "%s goes to %s in the clear%s", s.Name, to.Name, checks.Why(d.Encrypted))
		}
		return checks.Passed(d.Encrypted, "%s goes to %s encrypted", s.Name, to.Name)
	}), s)
}
