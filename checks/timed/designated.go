package timed

import (
	"slices"

	"lookback/checks"
	"lookback/evidence"
)

// Designated checks that a clock takes the time from the servers that the owner named.
var Designated = &checks.Check{
	ID:       "timed-designated",
	Title:    "The clock takes the time from the designated servers alone",
	Severity: checks.Medium,
	After:    []string{"timed-synchronised"},
	Doc: `Whoever gives a machine the time decides what stands in its records. A source that nobody chose (the default of a
distribution, an address of DHCP, a leftover) may be wrong, or belong to a stranger. PCI DSS 4.0.1, 10.6.2 asks for
designated servers, and that machines inside take the time from those alone.

Not asked where lookback.yaml names none: list them under "time:", your platform's own server included if you allow
it.

Cure, Linux: name these servers alone in chrony.conf, ntp.conf or timesyncd.conf; in the latter clear "FallbackNTP="
too.
Cure, Windows: a group policy for the time service ("Configure Windows NTP Client"), or the domain.
Cure, a cloud VM: its image brings a pool of its distribution along; take the line out.
Cure, a time server: it takes the time from elsewhere by its nature; waive it.`,
	Judge: checks.Each(designated),
}

func designated(v *checks.View, clock evidence.Clock) checks.Verdict {
	sources, known := clock.Sources.Get()
	name := checks.Named(clock.Subject)
	strange := slices.DeleteFunc(slices.Clone(sources), func(s evidence.TimeSource) bool {
		return slices.ContainsFunc(v.Policy.TimeSources, func(of string) bool { return plain(of) == plain(s.Address) })
	})
	switch {
	case len(v.Policy.TimeSources) == 0, clock.Sources.IsZero():
		return checks.Unasked()
	case !known:
		return checks.NotKnown(clock.Sources)
	case len(sources) == 0: // timed-two-sources says so
		return checks.Unasked()
	case len(strange) > 0:
		return checks.Failed(clock.Sources, "%s takes the time from %s, which policy does not name", name, list(strange)).
			Many("%d clocks take the time from what policy does not name")
	}
	return checks.Passed(clock.Sources, "%s takes the time from %s, as policy asks", name, list(sources))
}
