package acquirable

import (
	"lookback/checks"
	"lookback/evidence"
)

// ImageKept checks that a registry does not throw away what ran.
var ImageKept = &checks.Check{
	ID:       "acquirable-image-kept",
	Title:    "The registry keeps the images that ran",
	Severity: checks.Low,
	Doc: `A digest names an image for good, and is worth nothing when the registry no longer has it. Rules that expire untagged
images after two weeks throw away exactly those that were replaced: the ones that an investigation asks for.

Cure, AWS: take rules that expire untagged images out of the lifecycle policy of the repository, or let them count in
months, not in days.`,
	Judge: has(evidence.MeansImage, guarded, ways{
		no:   "%s may be gone when they are asked for",
		many: "the images of %d repositories may be gone when they are asked for",
		yes:  "%s are kept",
	}),
}
