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
	Doc: `A job that ran for a minute is a good place to hide. When it is deleted the moment it ends (a short
ttlSecondsAfterFinished, failedJobsHistoryLimit: 0, a hook that deletes itself), its pod and its log are gone before an
alert is read. An anonymous Docker volume has no name by which anyone would find it: it is lost with "docker compose down
-v", with --rm and at the next prune.

Cure, Kubernetes: let finished jobs stay for a day (ttlSecondsAfterFinished: 86400) or ship their output.
Cure, Compose: give the volume a name.`,
	Judge: checks.Each(afterExit),
}

func afterExit(v *checks.View, s evidence.LogSource) checks.Verdict {
	if checks.Off(s) || checks.Lost(s) {
		return checks.Unasked()
	}
	stays := v.Stays(s)
	if stays.IsMoot() && !v.Fleeting(s) {
		return checks.Unasked()
	}
	return checks.Decided(checks.Best(v.Reached(s), func(r checks.Reached) checks.Verdict {
		if a := checks.Arrives(r); a.Outcome != checks.Pass {
			return a
		}
		lives := v.Outlives(r.Store, s)
		outlives, known := lives.Get()
		until, at := r.Store.Lingers, checks.Cite(r, r.Store.On)
		switch {
		case !known:
			return checks.NotKnown(lives)
		case outlives && (!r.Scanned || until.IsMoot()):
			return checks.Passed(at, "%s goes to %s", s.Name, r.Store.Name)
		case !outlives:
			until = stays
		}
		seconds, known := until.Get()
		switch stay := time.Duration(seconds) * time.Second; {
		case until.IsMoot():
			return checks.Passed(at, "%s stays until somebody deletes it", s.Name)
		case !known:
			return checks.NotKnown(until)
		case stay >= v.Policy.FinishedStays:
			return checks.Passed(until, "%s stays for %s", s.Name, stay)
		case outlives:
			return checks.Failed(until, "%s lies in %s, which has no name to find it by", s.Name, r.Store.Name)
		default:
			return checks.Failed(until, "%s can be looked at for %s after the end; policy asks %s", s.Name, stay, v.Policy.FinishedStays)
		}
	}), s)
}
