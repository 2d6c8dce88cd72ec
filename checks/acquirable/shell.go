package acquirable

import (
	"lookback/checks"
	"lookback/evidence"
)

// Shell checks that a responder can get into what runs.
var Shell = &checks.Check{
	ID:       "acquirable-shell",
	Title:    "A responder can open a shell, or run commands",
	Severity: checks.Medium,
	Doc: `The first hour is for questions that only the running machine answers: who is on it, what runs, what talks to whom.
Whoever has to ask for a key, or for a new deployment, asks them an hour late. Opening a way in during an incident
changes the evidence.

Cure, AWS: the agent of Systems Manager and a role that lets it register; for a container of ECS,
"enableExecuteCommand".

The same shell serves an intruder: see acquirable-session-recorded.`,
	Judge: has(evidence.MeansShell, allowed, ways{
		no:   "%s cannot be opened",
		many: "%d shells cannot be opened",
		yes:  "%s can be opened",
	}),
}
