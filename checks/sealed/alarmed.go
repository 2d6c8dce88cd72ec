package sealed

import (
	"lookback/checks"
	"lookback/evidence"
)

// Alarmed checks that somebody is told when records are stopped.
var Alarmed = &checks.Check{
	ID:       "sealed-alarmed",
	Title:    "Somebody is told when records are stopped or altered",
	Severity: checks.Medium,
	Doc: `Turning the records off is one of the first things that an intruder does, and the last one that is recorded. It is also
almost never done by right: an alarm for it is quiet, and when it rings it is worth waking up for. PCI DSS 4.0.1, 10.7.2
asks that failures of audit logging are detected and alerted.

Cure, AWS: a metric filter on the trail's log group for StopLogging, DeleteTrail, UpdateTrail and PutEventSelectors with
an alarm that has an action; or a rule of EventBridge for these calls with a target that tells somebody.`,
	Judge: checks.Each(alarmed),
}

func alarmed(v *checks.View, asset evidence.Asset) checks.Verdict {
	if asset.Alarmed.IsZero() {
		return checks.Unasked()
	}
	name := checks.Named(asset.Subject)
	alarms, end := v.Alarms(asset.ID)
	best := checks.Best(alarms, func(a evidence.Alarm) checks.Verdict {
		on, known := a.Enabled.Get()
		tells, sure := a.Reaches.Get()
		switch {
		case known && !on:
			return checks.Failed(a.Enabled, "the alarm %q of %s stays silent%s", a.Name, name, checks.Why(a.Enabled))
		case sure && !tells:
			return checks.Failed(a.Reaches, "the alarm %q of %s tells nobody", a.Name, name)
		case !known:
			return checks.NotKnown(a.Enabled)
		case !sure:
			return checks.NotKnown(a.Reaches)
		}
		return checks.Passed(a.Reaches, "the alarm %q tells when records of %s are stopped", a.Name, name)
	})
	switch {
	case best.Outcome == checks.Pass:
		return best
	case !checks.True(asset.Alarmed): // there may be one that nobody saw
		return checks.NotKnown(asset.Alarmed)
	case end.Why() == evidence.Denied, end.Why() == evidence.Failed: // what holds it may have one
		return checks.NotKnown(end)
	case best.Outcome == checks.NotApplicable:
		return checks.Failed(asset.Alarmed, "nobody is told when records of %s are stopped or altered", name).
			Many("of %d accounts nobody is told when records are stopped or altered")
	}
	return best
}
