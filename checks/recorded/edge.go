package recorded

import (
	"lookback/checks"
	"lookback/evidence"
)

// Edge checks that what comes in from outside is recorded where it comes in.
var Edge = &checks.Check{
	ID:       "recorded-edge",
	Title:    "What comes in from outside is recorded where it comes in",
	Severity: checks.Medium,
	Doc: `The first request of a break-in comes through a load balancer, a gateway, a distribution or a VPN. Its log has the
address and the path even when the machine behind it is gone, or lies. Such logs are off by default almost everywhere.

A filter that keeps what was blocked leaves out the request that got through, and a sample leaves out almost all. That a
platform promises best effort alone is not held against it: nobody can have more.

Cure, AWS: access logs of each load balancer, distribution and API stage; logging of each web ACL, Network Firewall and
Client VPN endpoint. Leave out no request by a filter or a sampling rate; a log of connections, or of alerts, stands
beside the one of requests, or of flows.`,
	Judge: checks.About(evidence.Edge, edge),
}

func edge(_ *checks.View, door evidence.Asset, sources []evidence.LogSource) checks.Verdict {
	const records = "what comes through"
	nothing := func(because evidence.Fact) checks.Verdict {
		return checks.Failed(because, "%s does not record what comes through it", checks.Named(door.Subject)).
			Many("%d load balancers, gateways and the like do not record what comes through them")
	}
	if len(sources) == 0 {
		return nothing(door.Looked[evidence.Edge])
	}
	return checks.Best(sources, func(s evidence.LogSource) checks.Verdict {
		on := written(door, evidence.Edge, []evidence.LogSource{s}, records, nothing)
		if on.Outcome != checks.Pass {
			return on
		}
		whole := func(e evidence.Value[evidence.Extent]) checks.Verdict {
			extent, known := e.Get()
			switch {
			case !known:
				return checks.NotKnown(e)
			case extent.Grade == evidence.None:
				return nothing(e)
			case extent.Grade != evidence.All:
				return checks.Failed(e, "%s records only a part of what comes through %s: %s", checks.Named(s.Subject), checks.Named(door.Subject), extent.But).
					As(checks.Low).Many("%d load balancers, gateways and the like record only a part of what comes through them")
			}
			return on
		}
		brought := checks.Best(s.To, func(d evidence.Delivery) checks.Verdict { return whole(d.Extent) })
		return checks.Worst([]checks.Verdict{whole(s.Parts[evidence.PartTraffic]), brought}, func(v checks.Verdict) checks.Verdict { return v })
	})
}
