package sealed

import (
	"lookback/checks"
	"lookback/evidence"
)

// Validated checks that records can be proved unaltered.
var Validated = &checks.Check{
	ID:       "sealed-validated",
	Title:    "What was recorded can be proved unaltered",
	Severity: checks.Medium,
	Doc: `A record that somebody could have edited proves little. Digests that are written beside the records, and signed, show
afterwards whether a file was changed, deleted or added. They cannot be made later for what is there already.

Cure, Linux: "journalctl --setup-keys" makes sealing keys for the journal; keep the verification key off the machine.
Cure, AWS: turn on log file validation of the trail ("EnableLogFileValidation"). Files that are moved away from their
place can no longer be validated with the command line of AWS.`,
	Judge: checks.Each(validated),
}

func validated(v *checks.View, s evidence.LogSource) checks.Verdict {
	if checks.Lost(s) || checks.Off(s) {
		return checks.Unasked()
	}
	return checks.Decided(checks.Best(s.To, func(d evidence.Delivery) checks.Verdict {
		valid, known := d.Validated.Get()
		name := checks.Named(s.Subject)
		switch {
		case d.Validated.IsZero():
			return checks.Unasked()
		case !known:
			return checks.NotKnown(d.Validated)
		case !valid:
			return checks.Failed(d.Validated, "nothing proves that what %s wrote is unaltered", name)
		}
		return checks.Passed(d.Validated, "what %s wrote can be proved unaltered", name)
	}), s)
}
