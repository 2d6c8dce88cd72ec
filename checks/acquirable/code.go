package acquirable

import (
	"lookback/checks"
	"lookback/evidence"
)

// Code checks that the code of a function is kept by version.
var Code = &checks.Check{
	ID:       "acquirable-code",
	Title:    "The code of a function can be had as it ran",
	Severity: checks.Low,
	Doc: `A function has no disk to copy. If its code is replaced, by an intruder or by the next deployment, only a version that
was published before shows what ran.

Cure, AWS: publish a version with each deployment, and let the alias point at it.`,
	Judge: has(evidence.MeansCode, allowed, ways{
		no:   "%s cannot be had as it ran",
		many: "the code of %d functions cannot be had as it ran",
		yes:  "%s can be had as it ran",
	}),
}
