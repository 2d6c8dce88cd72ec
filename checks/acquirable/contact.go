package acquirable

import (
	"lookback/checks"
	"lookback/evidence"
)

// Contact checks that the platform has somebody to tell.
var Contact = &checks.Check{
	ID:       "acquirable-contact",
	Title:    "The platform knows whom to call",
	Severity: checks.Low,
	Doc: `When a key of yours turns up on the internet, the platform often knows first. It writes to the address that it has: a
mailbox of whoever opened the account, years ago.

Cure, AWS: set the alternate contact for security, to an address that several people read, on every account.`,
	Judge: has(evidence.MeansContact, allowed, ways{
		no:   "%s names no security contact",
		many: "%d accounts name no security contact",
		yes:  "%s names a security contact",
		of:   "account",
	}),
}
