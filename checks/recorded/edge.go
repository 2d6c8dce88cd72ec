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

Cure, AWS: access logs of each load balancer, distribution and API stage; logging of each web ACL, Network Firewall and
Client VPN endpoint.`,
	Judge: checks.About(evidence.Edge, edge),
}

func edge(_ *checks.View, door evidence.Asset, sources []evidence.LogSource) checks.Verdict {
	return written(door, evidence.Edge, sources, "what comes through", func(because evidence.Fact) checks.Verdict {
		return checks.Failed(because, "%s does not record what comes through it", checks.Named(door.Subject)).
			Many("%d load balancers, gateways and the like do not record what comes through them")
	})
}
