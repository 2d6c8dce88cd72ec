package retained

import (
	"lookback/checks"
	"lookback/evidence"
)

// ByTime checks that records are thrown away by age, and not by how many there are.
var ByTime = &checks.Check{
	ID:       "retained-by-time",
	Title:    "Records are kept by time, not by size",
	Severity: checks.Low,
	After:    []string{"recorded-application", "shipped-off-asset"},
	Doc: `"Ten files of 100 MB" promises no time at all: a busy day, or an intruder who writes noise on purpose, pushes last
week out in an hour. Only a limit by age can be held against a policy.

Cure, Linux: send the records to a store with a retention; a size limit on the machine is then only a buffer.
Cure, Windows: forward the events to a store with a retention; the size of a channel is then only a buffer.
Cure, kube-apiserver: --audit-log-maxage in days, and no --audit-log-maxbackup that bites before it.
Cure, containers: send the records to a store with a retention; a size limit on the local file is then only a buffer.`,
	Judge: checks.Each(byTime),
}

func byTime(v *checks.View, store evidence.LogStore) checks.Verdict {
	return kept(v, store, func(_ evidence.LogSource, s evidence.LogStore) checks.Verdict {
		days, known := s.Kept.Get()
		bytes, bounded := s.Bytes.Get()
		switch {
		case !known:
			return checks.NotKnown(s.Kept)
		case bounded:
			return checks.Failed(s.Bytes, "%s holds %s at most, whatever its age", checks.Named(s.Subject), checks.Size(bytes))
		case !s.Bytes.IsMoot():
			return checks.NotKnown(s.Bytes)
		case days == 0:
			return checks.Failed(s.Kept, "%s promises no time", checks.Named(s.Subject))
		}
		return checks.Passed(s.Kept, "%s keeps records %s", checks.Named(s.Subject), checks.Days(days))
	})
}
