package shipped

import (
	"time"

	"lookback/checks"
	"lookback/evidence"
)

// AfterExit checks that records of what ended can be looked at for a while.
var AfterExit = &checks.Check{
	ID:       "shipped-after-exit",
	Title:    "The records stay for a while after the work has ended",
	Severity: checks.Medium,
	After:    []string{"recorded-application"},
	Doc: `A job that ran for a minute is a good place to hide. When it is deleted the moment it ends (a short
ttlSecondsAfterFinished, failedJobsHistoryLimit: 0, a hook that deletes itself), its pod and its log are gone before an
alert is read. An anonymous Docker volume has no name by which anyone would find it: it is lost with
"docker compose down -v", with --rm and at the next prune.

Cure, Kubernetes: let finished jobs stay for a day (ttlSecondsAfterFinished: 86400) or ship their output.
Cure, Compose: give the volume a name.`,
	Judge: checks.Each(afterExit),
}

func afterExit(v *checks.View, s evidence.LogSource) checks.Verdict {
	stays, asks := v.Stays(s), v.Fleeting(s)
	if asks.IsMoot() || asks.IsUnknown() && !stays.IsMoot() {
		asks = stays
	}
	if checks.Lost(s) || asks.IsMoot() {
		return checks.Unasked()
	}
	verdict := checks.Best(v.Reached(s), func(r checks.Reached) checks.Verdict {
		if a := checks.Arrives(r); a.Outcome != checks.Pass {
			return a
		}
		lives := v.Outlives(r.Store, s)
		outlives, known := lives.Get()
		until, at := r.Store.Lingers, checks.Cite(v, r, r.Store.On)
		switch {
		case !known:
			return checks.NotKnown(lives)
		case outlives && (!r.Scanned || until.IsMoot()):
			return checks.Passed(at, "%s goes to %s", s.Name, r.Store.Name)
		case !outlives:
			until = stays
		}
		seconds, known := until.Get()
		switch least := int64(v.Policy.FinishedStays / time.Second); {
		case until.IsMoot():
			return checks.Passed(at, "%s stays until somebody deletes it", s.Name)
		case !known:
			return checks.NotKnown(until)
		case seconds >= least:
			return checks.Passed(until, "%s stays for %s", s.Name, checks.Span(seconds))
		case outlives:
			return checks.Failed(until, "%s lies in %s, which has no name to find it by", s.Name, r.Store.Name)
		default:
			return checks.Failed(until, "%s can be looked at for %s after the end; policy asks %s", s.Name, checks.Span(seconds), checks.Span(least))
		}
	})
	if verdict.Outcome == checks.Pass && asks.IsUnknown() { // it may not go at all
		verdict = checks.NotKnown(asks)
	}
	return checks.Decided(verdict, s)
}
