// Package alltest judges what a scanner found, for its tests.
package alltest

import (
	"fmt"

	"lookback/checks"
	"lookback/checks/all"
	"lookback/evidence"
)

// Judge runs all checks over a set and returns what came out, a line for each result: "fail recorded-cloud-api ID: message".
func Judge(set *evidence.Set) []string {
	var out []string
	for _, r := range checks.Run(set, all.All(), checks.DefaultPolicy(), nil).All {
		line := fmt.Sprintf("%s %s %s: %s", r.Outcome, r.Check.ID, r.Subject.ID, r.Message)
		if r.Follows != "" {
			line += " (follows " + r.Follows + ")"
		}
		out = append(out, line)
	}
	return out
}
