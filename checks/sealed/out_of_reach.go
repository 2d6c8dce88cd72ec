package sealed

import (
	"lookback/checks"
	"lookback/evidence"
)

// OutOfReach checks that whoever takes over an account does not hold its records too.
var OutOfReach = &checks.Check{
	ID:       "sealed-out-of-reach",
	Title:    "Who controls what is recorded does not control the record",
	Severity: checks.Medium,
	Doc: `An intruder who becomes administrator of an account administers its log buckets too. Records that lie in another
account, with other administrators, are still there when everything in the first one is lost. PCI DSS 4.0.1, 10.3.3 asks
for prompt copies at a place that is hard to alter.

Cure, Linux: send the records to another machine, as they are written, where those who run this one cannot delete them.
Cure, Windows: forward the events, as they are written, to a collector that the domain's administrators of this
machine do not run.
Cure, AWS: a trail of the organisation into a bucket of an account that holds logs and nothing else; for what lies in
log groups, a subscription or an export to such a bucket.

Asked of the same stores as sealed-locked; a lock as long as the policy asks is as good. The account that manages an
organisation is no such place for the trail of that organisation.`,
	Judge: checks.Each(outOfReach),
}

func outOfReach(v *checks.View, store evidence.LogStore) checks.Verdict {
	return audited(v, store, func(w evidence.LogSource, r checks.Reached) checks.Verdict {
		days, timed := r.Store.Locked.Get()
		apart := v.Apart(r.Store, w)
		other, known := apart.Get()
		name := checks.Named(r.Store.Subject)
		switch {
		case !r.Scanned: // whose it is, its name does not say
			return checks.NotKnown(r.Store.Locked)
		case timed && days >= v.Policy.Retain:
			return checks.Passed(r.Store.Locked, "nobody can delete records of %s for %s", name, checks.Days(days))
		case known && other:
			return checks.Passed(apart, "%s is in other hands than what it records", name)
		case !known:
			return checks.NotKnown(apart)
		case r.Store.Locked.IsUnknown() && !r.Store.Locked.IsZero():
			return checks.NotKnown(r.Store.Locked)
		}
		return checks.Failed(apart, "who takes over what %s records can delete its records too", name).
			Many("who takes over what %d stores record can delete their records too")
	})
}
