package recorded

import (
	"lookback/checks"
	"lookback/evidence"
)

// NetworkFlow checks that a network records who talked to whom.
var NetworkFlow = &checks.Check{
	ID:       "recorded-network-flow",
	Title:    "The network records who talked to whom",
	Severity: checks.Medium,
	Doc: `Flow records show where data went, which machine spoke to which, and since when: they hold what no program on a machine
that an intruder owns can be trusted to tell. Many records keep only what was turned away, which is noise: the theft is
in the traffic that was let through.

Cure, AWS: a flow log on the VPC for all traffic ("TrafficType": "ALL").

A flow log of a subnet or of a network interface counts for that part alone. A network that nothing is in fails as
well, only less loudly: no traffic is lost today, and regions that nobody uses are where intruders like to start
machines.`,
	Judge: checks.About(evidence.NetworkFlow, networkFlow),
}

var flowParts = []evidence.Part{evidence.PartAccepted, evidence.PartRejected}

func networkFlow(_ *checks.View, network evidence.Asset, sources []evidence.LogSource) checks.Verdict {
	name := checks.Named(network.Subject)
	unseen := func(because evidence.Fact) checks.Verdict {
		return checks.Failed(because, "the traffic of %s is not recorded", name).Many("the traffic of %d networks is not recorded")
	}
	if len(sources) == 0 {
		return unseen(network.Looked[evidence.NetworkFlow])
	}
	return checks.Worst(flowParts, func(part evidence.Part) checks.Verdict {
		return checks.Best(sources, func(s evidence.LogSource) checks.Verdict {
			extent, known := s.Parts[part].Get()
			switch {
			case checks.Off(s) && s.Parts[part].IsMoot(): // what comes in tomorrow is not recorded either
				return checks.Failed(s.Parts[part], "no flow log records %s, and nothing is in it today", name).
					Many("%d networks have no flow log, and nothing is in them today").As(checks.Low)
			case checks.Off(s):
				return unseen(s.Enabled)
			case s.Enabled.IsUnknown():
				return checks.NotKnown(s.Enabled)
			case !known:
				return checks.NotKnown(s.Parts[part])
			case extent.Grade == evidence.None && part == evidence.PartAccepted:
				return checks.Failed(s.Parts[part], "of %s no traffic that was let through is recorded", name)
			case extent.Grade == evidence.None:
				return checks.Failed(s.Parts[part], "of %s no traffic that was turned away is recorded", name).As(checks.Low)
			case extent.Grade != evidence.All:
				return checks.Failed(s.Parts[part], "the traffic of %s is recorded only in part: %s", name, extent.But).As(checks.Low)
			}
			return checks.Passed(s.Parts[part], "%s records the traffic of %s", checks.Named(s.Subject), name)
		})
	})
}
