package arriving

import (
	"slices"

	"lookback/checks"
	"lookback/evidence"
)

// Recently checks that records arrive today, and not only when somebody set it up.
var Recently = &checks.Check{
	ID:       "arriving-recently",
	Title:    "Records arrive, and did lately",
	Severity: checks.High,
	Doc: `A trail can be on, in every region, and write to a bucket that was deleted a year ago. Nothing turns red: the setting
still says "logging". The gap is found on the day that somebody needs the records.

Cure, AWS: mend what the error names. "NoSuchBucket": the bucket is gone. "AccessDenied": its policy, or that of the
key, no longer lets the service write. Then look again after an hour.

How long ago is still lately: "fresh" under "policy:" in lookback.yaml (one day). Where another store gets everything,
the failure is low.`,
	Judge: checks.Each(recently),
}

func recently(v *checks.View, s evidence.LogSource) checks.Verdict {
	if checks.Lost(s) || checks.Off(s) {
		return checks.Unasked()
	}
	ask := func(d evidence.Delivery) checks.Verdict { return checks.Delivers(v, s, d) }
	verdict := checks.Worst(s.To, ask)
	elsewhere := slices.ContainsFunc(s.To, func(d evidence.Delivery) bool {
		extent, _ := d.Extent.Get()
		return extent.Grade == evidence.All && ask(d).Outcome == checks.Pass
	})
	if verdict.Outcome == checks.Fail && elsewhere {
		verdict = verdict.As(checks.Low)
	}
	return checks.Decided(verdict, s)
}
