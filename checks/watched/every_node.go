package watched

import (
	"lookback/checks"
	"lookback/evidence"
)

// EveryNode checks that a sensor runs on every node.
var EveryNode = &checks.Check{
	ID:       "watched-every-node",
	Title:    "The sensor runs on every node",
	Severity: checks.Medium,
	Doc: `A DaemonSet does not run on nodes whose taints it does not tolerate, nor on those its selector leaves out. The nodes
that are missed most often are the control plane's: the ones an intruder wants.

Cure: tolerate every taint (a toleration with "operator: Exists" and no key), and take the node selector away.`,
	Judge: checks.About(evidence.Process, everyNode),
}

func everyNode(_ *checks.View, _ evidence.Asset, sensors []evidence.LogSource) checks.Verdict {
	return checks.Best(sensors, func(s evidence.LogSource) checks.Verdict {
		extent, known := s.Parts[evidence.PartEveryNode].Get()
		switch {
		case !known: // moot on a single machine
			return checks.NotKnown(s.Parts[evidence.PartEveryNode])
		case extent.Grade != evidence.All:
			return checks.Failed(s.Parts[evidence.PartEveryNode], "%s does not run on %s", s.Name, extent.But)
		}
		return checks.Passed(s.Parts[evidence.PartEveryNode], "%s runs on every node", s.Name)
	})
}
