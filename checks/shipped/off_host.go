package shipped

import (
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
too. Volumes, bind mounts, hostPath and the journal are all on the machine. PCI DSS 10.3.3 asks for prompt copies on a
central server for this reason.

Cure, Compose: a log driver that sends to another machine, or a collector in the project whose output does.
Cure, Kubernetes: a collector that sends away; a storage class whose volumes are not on the node.`,
	Judge: checks.Each(offHost),
}

func offHost(v *checks.View, s evidence.LogSource) checks.Verdict {
	if checks.Off(s) || checks.Lost(s) || len(s.Covers) == 0 {
		return checks.Unasked()
	}
	host, ok := v.Host(s.Covers[0])
	if !ok {
		return checks.Unasked()
	}
	return checks.Decided(checks.Best(v.Reached(s), func(r checks.Reached) checks.Verdict {
		if a := checks.Arrives(r); a.Outcome != checks.Pass {
			return a
		}
		lives := v.Survives(r.Store, host)
		away, known := lives.Get()
		switch {
		case !known:
			return checks.NotKnown(lives)
		case !away:
			return checks.Failed(checks.Cite(r, r.Store.On), "%s stays on the machine, in %s", s.Name, r.Store.Name)
		}
		return checks.Passed(checks.Cite(r, r.Store.On), "%s goes to %s", s.Name, r.Store.Name)
	}), s)
}
