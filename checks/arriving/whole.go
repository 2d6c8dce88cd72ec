package arriving

import (
	"lookback/checks"
	"lookback/evidence"
)

// Whole checks that long records are not cut.
var Whole = &checks.Check{
	ID:       "arriving-whole",
	Title:    "The longest records arrive uncut",
	Severity: checks.Medium,
	After:    []string{"recorded-application"},
	Doc: `The record of a program start holds all its arguments, and the ones that matter are long: an encoded command, a script
in one line. A way that cuts after one or eight kilobytes leaves the harmless beginning. UDP cuts at the size of a
packet.

Cure, rsyslog: $MaxMessageSize, or global(maxMessageSize="64k"), before any module is loaded, on both ends.
Cure, syslog-ng: log-msg-size(65536) in options.
Cure, a cloud VM or Windows: a limit of 64 kB or more in its agent and in the store that takes the records.`,
	Judge: checks.Each(whole),
}

// A hop is one delivery on the way of records, and what comes to where it begins.
type hop struct {
	evidence.Delivery
	comes evidence.Value[evidence.Extent]
}

func whole(v *checks.View, s evidence.LogSource) checks.Verdict {
	if checks.Lost(s) || checks.Off(s) {
		return checks.Unasked()
	}
	ask := func(h hop) checks.Verdict {
		uncut, known := h.Whole.Get()
		to, _ := v.Store(h.To)
		switch {
		case h.Whole.IsZero(), nothing(h.comes), nothing(h.Extent):
			return checks.Unasked()
		case h.comes.IsUnknown():
			return checks.NotKnown(h.comes)
		case h.Extent.IsUnknown():
			return checks.NotKnown(h.Extent)
		case !known:
			return checks.NotKnown(h.Whole)
		case !uncut:
			return checks.Failed(h.Whole, "long records of %s are cut on the way to %s%s", s.Name, to.Name, checks.Why(h.Whole))
		}
		return checks.Passed(h.Whole, "records of %s come to %s uncut", s.Name, to.Name)
	}
	var hops []hop
	for _, d := range s.To {
		hops = append(hops, hop{d, d.Extent})
	}
	best := checks.Best(hops, ask)
	for _, r := range v.Reached(s) {
		for _, d := range r.Store.To {
			hops = append(hops, hop{d, r.By.Extent})
		}
	}
	verdict := checks.Worst(hops, ask) // of a copy nobody can say whether it was cut before
	if best.Outcome == checks.Pass || best.Outcome == checks.NotAssessed && verdict.Outcome == checks.Fail {
		verdict = best
	}
	return checks.Decided(verdict, s)
}

func nothing(extent evidence.Value[evidence.Extent]) bool {
	e, _ := extent.Get()
	return e.Grade == evidence.None
}
