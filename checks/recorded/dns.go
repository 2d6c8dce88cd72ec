package recorded

import (
	"lookback/checks"
	"lookback/evidence"
)

// DNS checks that the names are recorded that machines ask for.
var DNS = &checks.Check{
	ID:       "recorded-dns",
	Title:    "The names that machines ask for are recorded",
	Severity: checks.Low,
	Doc: `An implant calls home by name. The record of names asked for finds every other machine that asked for the same one,
also where the traffic is encrypted, and shows data that leaves inside of the names. Flow records of a VPC leave the
traffic to Amazon's own resolver out.

Cure, AWS: a query log configuration of the Route 53 Resolver, associated with the VPC.`,
	Judge: checks.About(evidence.DNS, dns),
}

func dns(_ *checks.View, network evidence.Asset, sources []evidence.LogSource) checks.Verdict {
	return written(network, evidence.DNS, sources, "the names asked for in", func(because evidence.Fact) checks.Verdict {
		return checks.Failed(because, "the names asked for in %s are not recorded", checks.Named(network.Subject)).
			Many("the names asked for in %d networks are not recorded")
	})
}
