package timed

import (
	"slices"
	"strings"

	"lookback/checks"
	"lookback/evidence"
)

// TwoSources checks that a clock can tell when a source is wrong.
var TwoSources = &checks.Check{
	ID:       "timed-two-sources",
	Title:    "The clock has two sources, or the platform's own",
	Severity: checks.Low,
	After:    []string{"timed-synchronised"},
	Doc: `With one source a clock is as right as that one, and stops being right on the day that it goes. Two show that one of
them is wrong; with four, a clock finds out which. What a cloud or a hypervisor gives to its own machines is enough by
itself.

Cure, Linux: with chrony several "server" lines, or a "pool", which stands for several servers; with systemd-timesyncd
several names in "NTP=" of /etc/systemd/timesyncd.conf: it takes the next where one is silent.
Cure, Windows: w32tm /config /manualpeerlist:"one,0x8 two,0x8" /syncfromflags:manual /update; members of a domain take
it from there.
Cure, a cloud VM: the platform's own server: 169.254.169.123 on AWS, metadata.google.internal on Google Cloud,
/dev/ptp_hyperv on Azure.`,
	Judge: checks.Each(twoSources),
}

func twoSources(_ *checks.View, clock evidence.Clock) checks.Verdict {
	sources, known := clock.Sources.Get()
	name := checks.Named(clock.Subject)
	addresses := map[string]bool{}
	for _, s := range sources {
		addresses[plain(s.Address)] = true
	}
	enough := func(s evidence.TimeSource) bool { return s.Platform || s.Several }
	switch {
	case clock.Sources.IsZero():
		return checks.Unasked()
	case !known:
		return checks.NotKnown(clock.Sources)
	case len(sources) == 0:
		return checks.Failed(clock.Sources, "%s takes the time from nowhere", name).Many("%d clocks take the time from nowhere")
	case len(addresses) == 1 && !slices.ContainsFunc(sources, enough):
		return checks.Failed(clock.Sources, "%s takes the time from %s alone", name, sources[0].Address).
			Many("%d clocks take the time from one source alone")
	}
	return checks.Passed(clock.Sources, "%s takes the time from %s", name, list(sources))
}

// plain is an address as it is compared.
func plain(address string) string { return strings.ToLower(strings.TrimSuffix(address, ".")) }

// shown is how many sources a message names.
const shown = 4

func list(sources []evidence.TimeSource) string {
	var names []string
	for i, s := range sources {
		if i == shown {
			names = append(names, "...")
			break
		}
		names = append(names, s.Address)
	}
	return strings.Join(names, ", ")
}
