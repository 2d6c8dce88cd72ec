package watched

import (
	"slices"
	"strings"

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

What else a sensor of the machine knows (drivers loaded, files deleted, scripts, one program that reads the memory of
another, ...) is asked too, where its settings say whether it is on.

Cure, Linux: auditd rules for execve, connect and writes, and for the parts that the message names (the rules of
auditd's own examples have them); or Sysmon with those events switched on.
Cure, Windows: a Sysmon configuration in which the events that the message names are excluded by few rules, not included
by few: an empty include list logs nothing.
Cure, Sysmon: exclude by few rules, rather than include by few, the events that the message names.
Cure, Tetragon: it records program starts by itself; add tracing policies for connections and files.
Cure, Falco: it alerts, and does not record; keep a second source for program starts (auditd, Tetragon).
Cure, AWS: GuardDuty's agent reports what it finds suspicious, and nothing else; keep a second source on the machines
and nodes that records everything (auditd, Sysmon, Tetragon), and let it send to a log group or bucket.`,
	Judge: checks.About(evidence.Process, eventClasses),
}

// basicParts are asked of every sensor, and moreParts where one of an asset's sensors names them.
var (
	basicParts = []evidence.Part{evidence.PartProcessStart, evidence.PartConnections, evidence.PartFileWrites}
	moreParts  = []evidence.Part{
		evidence.PartProcessEnd, evidence.PartFileDeletes, evidence.PartFileTimes, evidence.PartRawReads, evidence.PartDriverLoads,
		evidence.PartEBPFLoads, evidence.PartProcessAccess, evidence.PartScripts, evidence.PartIdentityFiles, evidence.PartTimeChanges,
		evidence.PartContainerRuntime, evidence.PartLogons, evidence.PartLogControl,
	}
)

func eventClasses(_ *checks.View, _ evidence.Asset, sensors []evidence.LogSource) checks.Verdict {
	if on := slices.DeleteFunc(slices.Clone(sensors), checks.Off); len(on) > 0 {
		sensors = on
	}
	parts := slices.Clone(basicParts)
	for _, part := range moreParts {
		if slices.ContainsFunc(sensors, func(s evidence.LogSource) bool { _, named := s.Parts[part]; return named }) {
			parts = append(parts, part)
		}
	}
	var off, partly []string
	worst := checks.Worst(parts, func(part evidence.Part) checks.Verdict {
		best := checks.Best(sensors, func(s evidence.LogSource) checks.Verdict { return eventClass(s, part) })
		switch {
		case best.Outcome != checks.Fail:
		case slices.ContainsFunc(sensors, func(s evidence.LogSource) bool { return some(s, part) }):
			partly = append(partly, string(part))
		default:
			off = append(off, string(part))
		}
		return best
	})
	if len(off)+len(partly) < 2 || checks.Off(sensors[0]) { // it says it all
		return worst
	}
	who, misses, half := sensors[0].Name, " does not record: ", " records only in part: "
	if len(sensors) > 1 {
		who, misses, half = "no sensor", " records: ", " records in full: "
	}
	var said []string
	if len(off) > 0 {
		said = append(said, who+misses+strings.Join(off, ", "))
	}
	if len(partly) > 0 {
		said = append(said, who+half+strings.Join(partly, ", "))
	}
	return checks.Failed(worst.Because, "%s", strings.Join(said, "; "))
}

// some reports whether a sensor is known to record a part of a part.
func some(s evidence.LogSource, part evidence.Part) bool {
	extent, known := s.Parts[part].Get()
	return known && extent.Grade == evidence.Some
}

func eventClass(s evidence.LogSource, part evidence.Part) checks.Verdict {
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
}
