// Package all lists every check.
package all

import "lookback/checks"

//go:generate go run ./generate

// Find returns the check with an ID.
func Find(id string) (*checks.Check, bool) {
	for _, c := range All() {
		if c.ID == id {
			return c, true
		}
	}
	return nil, false
}
