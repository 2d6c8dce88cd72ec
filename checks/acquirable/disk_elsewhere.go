package acquirable

import (
	"lookback/checks"
	"lookback/evidence"
)

// DiskElsewhere checks that a copy of a disk can be brought out of an intruder's reach.
var DiskElsewhere = &checks.Check{
	ID:       "acquirable-disk-elsewhere",
	Title:    "A copy of the disk can be taken to another account",
	Severity: checks.Low,
	Doc: `A copy that lies in the account of the intruder is theirs too: they can delete it, and watch who looks at it. It belongs
in an account for investigations. A snapshot that is encrypted with the default key of AWS cannot be shared with any.

Cure, AWS: encrypt volumes with a customer managed key, and let its policy allow an account for investigations to use
it.`,
	Judge: has(evidence.MeansDiskElsewhere, allowed, ways{
		no:   "%s cannot be copied to another account",
		many: "%d disks cannot be copied to another account",
		yes:  "%s can be copied to another account",
	}),
}
