package sealed

import (
	"lookback/checks"
	"lookback/evidence"
)

// Private checks that strangers cannot read records.
var Private = &checks.Check{
	ID:       "sealed-private",
	Title:    "Strangers cannot read the records",
	Severity: checks.High,
	Doc: `Logs tell who has access to what, which machines there are and what is watched: a map for the next intruder, and often
personal data. Whoever can read them also learns whether they were seen.

Cure, AWS: block public access on the bucket and on the account; take grants to everyone out of its policy and its
access control list.`,
	Judge: checks.Each(private),
}

func private(_ *checks.View, store evidence.LogStore) checks.Verdict {
	closed, known := store.Private.Get()
	name := checks.Named(store.Subject)
	switch {
	case store.Private.IsZero():
		return checks.Unasked()
	case !known:
		return checks.NotKnown(store.Private)
	case !closed:
		return checks.Failed(store.Private, "strangers can read %s%s", name, checks.Why(store.Private)).
			Many("strangers can read %d stores")
	}
	return checks.Passed(store.Private, "strangers cannot read %s", name)
}
