package retained

import (
	"time"

	"lookback/checks"
	"lookback/evidence"
)

// Searchable checks that recent records are at hand.
var Searchable = &checks.Check{
	ID:       "retained-searchable",
	Title:    "Recent records are at hand without a restore",
	Severity: checks.Medium,
	After:    []string{"recorded-application", "shipped-off-asset", "retained-long-enough"},
	Doc: `In the first hours of an investigation every question is about the last weeks. Records that have to come back from an
archive tier first answer a day later. PCI DSS 4.0.1, 10.5.1 asks that three months are immediately available.

Cure, Linux: send the records to a server that keeps them where they can be searched.
Cure, Windows: forward the events to a collector that keeps them where they can be searched.
Cure, kube-apiserver: --audit-log-maxage of 90 or more.
Cure, AWS: let the lifecycle of the bucket move records to Glacier after 90 days, not before; "Instant Retrieval" stays
at hand.
Cure, an archive: let records go to the cold tier after 90 days, not before.

The numbers are "searchable" and "restore-within" under "policy:" in lookback.yaml (90 days, one hour).`,
	Judge: checks.Each(searchable),
}

func searchable(v *checks.View, store evidence.LogStore) checks.Verdict {
	return kept(v, store, func(_ evidence.LogSource, s evidence.LogStore) checks.Verdict { return atHand(v, s) })
}

func atHand(v *checks.View, s evidence.LogStore) checks.Verdict {
	days, known := s.Kept.Get()
	cold, goesCold := s.ColdAfter.Get()
	restore, timed := s.Restore.Get()
	switch {
	case !known:
		return checks.NotKnown(s.Kept)
	case days < v.Policy.Searchable:
		return checks.Failed(s.Kept, "%s promises %s; policy asks %s at hand", checks.Named(s.Subject), checks.Days(days), checks.Days(v.Policy.Searchable))
	case goesCold && cold < v.Policy.Searchable && !timed:
		return checks.NotKnown(s.Restore)
	case goesCold && cold < v.Policy.Searchable && restore > int64(v.Policy.RestoreWithin/time.Second):
		return checks.Failed(s.ColdAfter, "%s goes cold after %s, and takes %s to come back; policy asks %s at hand",
			checks.Named(s.Subject), checks.Days(cold), checks.Span(restore), checks.Days(v.Policy.Searchable))
	case !goesCold && !s.ColdAfter.IsMoot():
		return checks.NotKnown(s.ColdAfter)
	}
	return checks.Passed(s.Kept, "%s keeps records at hand", checks.Named(s.Subject))
}
