package sealed

import (
	"lookback/checks"
	"lookback/evidence"
)

// Locked checks that records cannot be deleted before their time.
var Locked = &checks.Check{
	ID:       "sealed-locked",
	Title:    "Nobody, the owner included, can delete the records before their time",
	Severity: checks.Low,
	Doc: `Whoever holds the keys of an administrator deletes the record of how they came by them. A lock on time holds against
everybody: until a record is as old as the lock says, neither its owner nor who acts in their name can alter it.

Cure, Linux: copies in a store that locks what it holds (object storage with retention in compliance mode).
Cure, Windows: copies in a store that locks what it holds (object storage with retention in compliance mode).
Cure, AWS: S3 Object Lock with a default retention in compliance mode, as long as the policy asks, on the bucket of the
trail or on a bucket that it is replicated to. Governance mode holds only against who may not bypass it. An event data
store cannot be locked: who may update it can shorten how long it keeps events, protection against termination or not;
have a trail write the same events to a locked bucket as well.

Asked of audit trails: calls, data, networks, detections; not of what applications and load balancers write. A lock on
the store, on a copy, or on any other store that gets the same records, is enough.`,
	Judge: checks.Each(locked),
}

func locked(v *checks.View, store evidence.LogStore) checks.Verdict {
	return audited(v, store, func(_ evidence.LogSource, r checks.Reached) checks.Verdict {
		days, known := r.Store.Locked.Get()
		name := checks.Named(r.Store.Subject)
		switch {
		case r.Store.Locked.IsZero():
			return checks.Unasked()
		case !known:
			return checks.NotKnown(r.Store.Locked)
		case days >= v.Policy.Retain:
			return checks.Passed(r.Store.Locked, "nobody can delete records of %s for %s", name, checks.Days(days))
		case days == 0:
			return checks.Failed(r.Store.Locked, "records of %s can be deleted at any time", name).
				Many("the records of %d stores can be deleted at any time")
		}
		return checks.Failed(r.Store.Locked, "records of %s are locked for %s; policy asks %s", name, checks.Days(days), checks.Days(v.Policy.Retain))
	})
}
