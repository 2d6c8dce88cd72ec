package retained

import (
	"lookback/checks"
	"lookback/evidence"
)

// LongEnough checks that records are kept as long as the policy asks.
var LongEnough = &checks.Check{
	ID:       "retained-long-enough",
	Title:    "Records are kept as long as the policy asks",
	Severity: checks.Medium,
	After:    []string{"recorded-application", "shipped-off-asset"},
	Doc: `Intruders are found late: in one well documented case the theft was known 117 days after it began, when every log with a
30-day default had gone three times over. PCI DSS 4.0.1, 10.5.1 asks for twelve months.

Cure, Linux: send the records to a server that keeps them (rsyslog with TLS, systemd-journal-upload, a shipper) and
scan that server too; on the machine, logrotate with "rotate" and a period that come to the days asked for.
Cure, Windows: forward the events to a collector (Windows Event Forwarding, an agent) that keeps them.
Cure, kube-apiserver: --audit-log-maxage=365, on a disk that can hold it, or a webhook to a store that does.
Cure, AWS: a retention of the log group of 365 days or more; no lifecycle rule on the bucket that expires records before
that.
Cure, containers: send the records to a store that keeps them, and scan that store too.

The number is "retain" under "policy:" in lookback.yaml (365 days unless set).`,
	Judge: checks.Each(longEnough),
}

func longEnough(v *checks.View, store evidence.LogStore) checks.Verdict {
	return kept(v, store, func(_ evidence.LogSource, s evidence.LogStore) checks.Verdict { return promised(v, s) })
}

func promised(v *checks.View, s evidence.LogStore) checks.Verdict {
	days, known := s.Kept.Get()
	switch {
	case !known:
		return checks.NotKnown(s.Kept)
	case days < v.Policy.Retain:
		return checks.Failed(s.Kept, "%s promises %s; policy asks %s", checks.Named(s.Subject), checks.Days(days), checks.Days(v.Policy.Retain))
	}
	return checks.Passed(s.Kept, "%s keeps records %s", checks.Named(s.Subject), checks.Days(days))
}
