package acquirable

import (
	"lookback/checks"
	"lookback/evidence"
)

// SessionRecorded checks that sessions leave a record.
var SessionRecorded = &checks.Check{
	ID:       "acquirable-session-recorded",
	Title:    "What is typed into a shell is recorded",
	Severity: checks.Medium,
	Doc: `A session through the platform leaves one line: that it was opened. What was typed is written down only where somebody
asked for it, and without that nobody can tell the responder's work from the intruder's.

Cure, AWS: in the preferences of Session Manager, send session logs to a bucket or a log group; for ECS, name either in
the cluster's "executeCommandConfiguration".`,
	Judge: has(evidence.MeansShell, recorded, ways{
		no:   "what is typed into %s is not recorded",
		many: "what is typed into %d shells is not recorded",
		yes:  "what is typed into %s is recorded",
	}),
}
