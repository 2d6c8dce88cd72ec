package sysmon

import (
	"lookback/evidence"
)

// Parts are the classes as parts of what a log source sees, with all that lists leave out as [evidence.PartEveryEvent].
// Origin is given the place of each.
func (c Classes) Parts(origin func(Setting) evidence.Origin) map[evidence.Part]evidence.Value[evidence.Extent] {
	parts := map[evidence.Part]evidence.Value[evidence.Extent]{}
	every := evidence.Everything(origin(Setting{Line: c.Line}))
	filtered := false
	for _, a := range asked {
		s, known := c.Of[a.class]
		if !known {
			continue
		}
		at := origin(s)
		at.Note = s.Note
		if old, ok := parts[a.part].Get(); !ok || worth(s.Extent) > worth(old) {
			parts[a.part] = evidence.Known(s.Extent, at)
		}
		if !filtered && s.Extent.But != "" {
			filtered = true
			every = evidence.Known(evidence.Extent{Grade: evidence.Some, But: string(a.class) + " " + s.Extent.But}, at)
		}
	}
	parts[evidence.PartEveryEvent] = every
	return parts
}

// worth puts extents in order: nothing, what a list names, all but what a list leaves out, everything.
func worth(e evidence.Extent) int {
	switch {
	case e.Grade == evidence.None:
		return 0
	case e.Grade == evidence.Some:
		return 1
	case e.But != "":
		return 2
	}
	return 3
}

// ofFiles are the parts that tell of changes to files.
func ofFiles(parts map[evidence.Part]evidence.Value[evidence.Extent]) map[evidence.Part]evidence.Value[evidence.Extent] {
	out := map[evidence.Part]evidence.Value[evidence.Extent]{}
	for _, p := range []evidence.Part{evidence.PartFileWrites, evidence.PartFileDeletes, evidence.PartFileTimes} {
		if v, ok := parts[p]; ok {
			out[p] = v
		}
	}
	return out
}
