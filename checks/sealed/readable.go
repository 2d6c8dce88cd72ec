package sealed

import (
	"lookback/checks"
	"lookback/evidence"
)

// Readable checks that the keys are in force that records are encrypted with.
var Readable = &checks.Check{
	ID:       "sealed-readable",
	Title:    "The keys that records are encrypted with are in force",
	Severity: checks.High,
	Doc: `Deleting the key deletes every record that was encrypted with it, at once and for good, and leaves the files where they
are: whoever counts them sees nothing amiss. A key that is disabled stops reading, and often writing, until somebody
enables it.

Cure, AWS: cancel the deletion (kms:CancelKeyDeletion), enable the key, and find out who asked for it. Deny
kms:ScheduleKeyDeletion and kms:DisableKey for keys of logs in a policy of the organisation.`,
	Judge: checks.Each(readable),
}

func readable(_ *checks.View, store evidence.LogStore) checks.Verdict {
	inForce, known := store.Readable.Get()
	name := checks.Named(store.Subject)
	switch {
	case store.Readable.IsZero():
		return checks.Unasked()
	case !known:
		return checks.NotKnown(store.Readable)
	case !inForce:
		return checks.Failed(store.Readable, "%s cannot be read, or not for long%s", name, checks.Why(store.Readable))
	}
	return checks.Passed(store.Readable, "the key of %s is in force", name)
}
