package shipped

import (
	"cmp"
	"slices"

	"lookback/checks"
	"lookback/evidence"
)

// OffHost checks that records leave the machine they were written on.
var OffHost = &checks.Check{
	ID:       "shipped-off-host",
	Title:    "The records leave the machine",
	Severity: checks.Medium,
	After:    []string{"recorded-application", "shipped-off-asset"},
	Doc: `Whoever breaks out of a container, or gets root on the host, can delete every log on it; a disk that dies takes them
too. Volumes, bind mounts, hostPath and the journal are all on the machine. PCI DSS 4.0.1, 10.3.3 asks for prompt copies
on a central server for this reason.

Cure, Linux: rsyslog with an omfwd action over TLS and a queue on disk, systemd-journal-upload, or a shipper that
reads the files; for auditd, audisp-remote, or its plugin to syslog.
Cure, Windows: Windows Event Forwarding, or an agent that takes the channels away.
Cure, Compose: a log driver that sends to another machine, or a collector in the project whose output does.
Cure, Kubernetes: a collector that sends away; a storage class whose volumes are not on the node.

Other tools: see shipped-off-asset for the rules that a collector's mounts trip.`,
	Judge: checks.Each(offHost),
}

func offHost(v *checks.View, s evidence.LogSource) checks.Verdict {
	if checks.Lost(s) || len(s.Covers) > 0 && !v.OnMachine(s) { // what no machine of its own runs leaves none
		return checks.Unasked()
	}
	if len(s.To) == 0 {
		return checks.Decided(checks.Failed(s.Complete, "%s goes nowhere", s.Name), s)
	}
	reached := v.Reached(s)
	slices.SortStableFunc(reached, func(a, b checks.Reached) int { // what outlives the container is the better witness
		return cmp.Compare(lasting(v, b, s), lasting(v, a, s))
	})
	return checks.Decided(checks.Best(reached, func(r checks.Reached) checks.Verdict {
		if a := checks.Arrives(r); a.Outcome != checks.Pass {
			return a
		}
		leaves := v.Leaves(r.Store, s)
		away, known := leaves.Get()
		switch {
		case !known:
			return checks.NotKnown(leaves)
		case !away && checks.True(r.Store.Memory):
			fail := checks.Failed(r.Store.Memory, "%s stays in the memory of the machine, in %s, and is gone with its next start", s.Name, r.Store.Name)
			if r.Store.Memory.At().Written() && checks.True(s.Enabled) {
				return fail.As(checks.High)
			}
			return fail
		case !away:
			return checks.Failed(checks.Cite(v, r, r.Store.On), "%s stays on the machine, in %s", s.Name, r.Store.Name)
		}
		return checks.Passed(checks.Cite(v, r, r.Store.On), "%s goes to %s", s.Name, r.Store.Name)
	}), s)
}

func lasting(v *checks.View, r checks.Reached, s evidence.LogSource) int {
	if checks.True(v.Outlives(r.Store, s)) {
		return 1
	}
	return 0
}
