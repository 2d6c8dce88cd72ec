package acquirable

import (
	"lookback/checks"
	"lookback/evidence"
)

// Disk checks that a responder can take a copy of a disk.
var Disk = &checks.Check{
	ID:       "acquirable-disk",
	Title:    "A responder can copy the disk",
	Severity: checks.Medium,
	Doc: `A copy of the disk is where most investigations of a machine begin: programs that were dropped, logs that were not sent,
what was deleted and not yet overwritten. It is of use only if it can be read: a key that is disabled, or a disk that
dies with its machine, leaves nothing to copy.

Cure, AWS: keep what matters on EBS volumes, whose snapshots can be taken while the machine runs; keep the keys in force
that they are encrypted with.`,
	Judge: has(evidence.MeansDisk, allowed, ways{
		no:   "%s cannot be copied",
		many: "%d disks cannot be copied",
		yes:  "%s can be copied",
	}),
}
