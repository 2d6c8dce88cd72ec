package watched

import (
	"lookback/checks"
	"lookback/evidence"
)

// EventClasses checks that a sensor records the kinds of event that an investigation starts from.
var EventClasses = &checks.Check{
	ID:       "watched-event-classes",
	Title:    "The sensor records programs started, connections and files written",
	Severity: checks.Medium,
	After:    []string{"watched-processes"},
	Doc: `A detector that writes down only what its rules find suspicious leaves nothing to look back on when the rule for this
intruder did not exist yet. An investigation needs every program start with its arguments, and then connections and
writes to files.

Cure, Tetragon: it records program starts by itself; add tracing policies for connections and files.
Cure, Falco: it alerts, and does not record; keep a second source for program starts (auditd, Tetragon).`,
	Judge: checks.About(evidence.Process, eventClasses),
}

var eventParts = []evidence.Part{evidence.PartProcessStart, evidence.PartConnections, evidence.PartFileWrites}

func eventClasses(_ *checks.View, _ evidence.Asset, sensors []evidence.LogSource) checks.Verdict {
	return checks.Worst(eventParts, func(part evidence.Part) checks.Verdict {
		return checks.Best(sensors, func(s evidence.LogSource) checks.Verdict {
			extent, known := s.Parts[part].Get()
			switch {
			case checks.Off(s):
				return checks.Failed(s.Enabled, "%s records nothing", s.Name)
			case !known:
				return checks.NotKnown(s.Parts[part])
			case extent.Grade == evidence.None:
				return checks.Failed(s.Parts[part], "%s does not record %s", s.Name, part)
			case extent.Grade != evidence.All:
				return checks.Failed(s.Parts[part], "%s records %s only in part: %s", s.Name, part, extent.But)
			case s.Enabled.IsUnknown():
				return checks.NotKnown(s.Enabled)
			}
			return checks.Passed(s.Parts[part], "%s records %s", s.Name, part)
		})
	})
}
