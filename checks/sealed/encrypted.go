package sealed

import (
	"lookback/checks"
	"lookback/evidence"
)

// Encrypted checks that records are encrypted with a key of their owner.
var Encrypted = &checks.Check{
	ID:       "sealed-encrypted",
	Title:    "Records are encrypted with a key that their owner controls",
	Severity: checks.Low,
	Doc: `With a key of one's own, reading the records takes two rights, and each use of the key is written down: a wrong bucket
policy alone gives nothing away. The key is then part of the evidence: who deletes it deletes the records.

Cure, AWS: a customer managed key of KMS for the trail, the bucket or the log group. See sealed-readable before you
plan to delete one.`,
	Judge: checks.Each(encrypted),
}

func encrypted(_ *checks.View, store evidence.LogStore) checks.Verdict {
	own, known := store.Encrypted.Get()
	name := checks.Named(store.Subject)
	switch {
	case store.Encrypted.IsZero():
		return checks.Unasked()
	case !known:
		return checks.NotKnown(store.Encrypted)
	case !own:
		return checks.Failed(store.Encrypted, "%s is not encrypted with a key of its owner", name).
			Many("%d stores are not encrypted with a key of their owner")
	}
	return checks.Passed(store.Encrypted, "%s is encrypted with a key of its owner", name)
}
