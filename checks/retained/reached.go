package retained

import (
	"slices"
	"time"

	"lookback/checks"
	"lookback/evidence"
)

// Reached checks that a store really goes back as far as the policy asks.
var Reached = &checks.Check{
	ID:       "retained-reached",
	Title:    "The records that are there go back as far as the policy asks",
	Severity: checks.Medium,
	After:    []string{"recorded-application", "shipped-off-asset", "retained-long-enough", "retained-searchable"},
	Doc: `A setting says what ought to be kept; the oldest record says what is. A journal of 4 GiB may hold a year on a quiet
machine and nine days on a busy one, and whoever floods it makes that an hour. A store that has thrown nothing away
yet is only young, and is not assessed.

Cure, Linux: give the journal room ("SystemMaxUse=" in journald.conf) and auditd more files ("num_logs",
"max_log_file"), and send the records to a store that keeps them by time.
Cure, Windows: raise the maximum size of the log (the Security log holds 20 MB unless set), and forward its events.
Cure, a cloud VM: let an agent send the records to a log group or bucket with a retention of 365 days.

Asked of stores that a scan could look into. Where the records also come to a place that promises as long as policy
asks, "searchable" days are enough here. The numbers are "retain" and "searchable" under "policy:" in lookback.yaml.`,
	Judge: checks.Each(reached),
}

func reached(v *checks.View, store evidence.LogStore) checks.Verdict {
	if store.Oldest.IsZero() {
		return checks.Unasked()
	}
	return kept(v, store, func(w evidence.LogSource, s evidence.LogStore) checks.Verdict {
		if s.Oldest.IsZero() { // nobody looked into it: its promise counts
			promise := archived(v, s)
			if hot := atHand(v, s); promise.Outcome == checks.Pass && hot.Outcome != checks.Pass {
				promise = hot
			}
			if promise.Outcome == checks.Fail {
				return checks.Unasked()
			}
			return promise
		}
		oldest, known := s.Oldest.Get()
		newest, ended := s.Newest.Get()
		dropped, sure := s.Dropped.Get()
		days, need := int(newest.Sub(oldest)/(24*time.Hour)), v.Policy.Retain
		if slices.ContainsFunc(v.Reached(w), func(r checks.Reached) bool { return r.Store.ID != s.ID && archive(v, r) }) {
			need = v.Policy.Searchable
		}
		name, back := checks.Named(s.Subject), "less than a day"
		if days > 0 {
			back = checks.Days(days)
		}
		switch {
		case !known:
			return checks.NotKnown(s.Oldest)
		case !ended:
			return checks.NotKnown(s.Newest)
		case days >= need:
			return checks.Passed(s.Oldest, "%s went back %s at the scan", name, back)
		case !sure:
			return checks.NotKnown(s.Dropped)
		case !dropped:
			return checks.Undecided(s.Dropped, "%s holds %s so far, and has thrown nothing away", name, back)
		}
		return checks.Failed(s.Oldest, "%s went back %s at the scan, and older records were thrown away; a flood shortens it; policy asks %s",
			name, back, checks.Days(need))
	})
}

// archive reports whether records also come to a place that nobody looked into and that promises as long as policy asks.
func archive(v *checks.View, r checks.Reached) bool {
	return r.Scanned && r.Store.Oldest.IsZero() && checks.Arrives(r).Outcome == checks.Pass && checks.True(v.Lasts(r.Store)) &&
		archived(v, r.Store).Outcome == checks.Pass
}

// archived asks whether a store promises as long as policy asks, and bytes do not shorten that.
func archived(v *checks.View, s evidence.LogStore) checks.Verdict {
	promise := promised(v, s)
	_, bounded := s.Bytes.Get()
	switch {
	case promise.Outcome != checks.Pass:
		return promise
	case bounded:
		return checks.Failed(s.Bytes, "bytes bound %s", checks.Named(s.Subject))
	case !s.Bytes.IsMoot():
		return checks.NotKnown(s.Bytes)
	}
	return promise
}
