package acquirable

import (
	"lookback/checks"
	"lookback/evidence"
)

// DeletionGuard checks that ending a machine does not end its disk.
var DeletionGuard = &checks.Check{
	ID:       "acquirable-deletion-guard",
	Title:    "The disk outlasts the machine",
	Severity: checks.Low,
	Doc: `Ending the machine is the quickest way to end an incident, and to end the evidence: its disk is deleted in the same
second. A group that scales does it by itself as soon as a check of health fails.

Cure, AWS: "DeleteOnTermination": false for the volumes of what matters, or a lifecycle hook that makes an Auto
Scaling group wait before it ends a machine.`,
	Judge: has(evidence.MeansDisk, guarded, ways{
		no:   "%s is deleted with its machine",
		many: "%d disks are deleted with their machine",
		yes:  "%s outlasts its machine",
	}),
}
