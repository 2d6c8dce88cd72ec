package acquirable

import (
	"lookback/checks"
	"lookback/evidence"
)

// Memory checks that a responder can take a copy of the memory.
var Memory = &checks.Check{
	ID:       "acquirable-memory",
	Title:    "A responder can take the memory of a running machine",
	Severity: checks.Low,
	Doc: `What never touches the disk is in memory alone: keys, a shell without a file, the connections of this minute. It is gone
when the machine is stopped, which is what most people do first.

Cure, Linux: leave /proc/kcore open (no "lockdown=confidentiality"), or set up kdump with "crashkernel=" so that a crash
on purpose leaves a dump; keep the debug symbols of the kernels that run.
Cure, Windows: complete memory dumps, and a page file that can hold one.
Cure, AWS: let Systems Manager reach the machine, so that a responder can run a tool that takes memory, and has
somewhere to put what it took.`,
	Judge: has(evidence.MeansMemory, allowed, ways{
		no:   "%s cannot be taken",
		many: "the memory of %d machines cannot be taken",
		yes:  "%s can be taken",
	}),
}
