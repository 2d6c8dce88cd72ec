package watched_test

import (
	"testing"

	"lookback/checks"
	"lookback/checks/watched"
	"lookback/evidence"
)

// TestAnAgentThatAServiceWaitsFor is no fixture: those have files, and this is what a call told.
func TestAnAgentThatAServiceWaitsFor(t *testing.T) {
	at := evidence.Origin{Call: "guardduty:ListCoverage", Of: "eu-west-1"}
	for note, want := range map[string]string{
		"no VPC endpoint": `GuardDuty's agent does not report from EC2 instance "i-1": no VPC endpoint`,
		"":                `GuardDuty's agent does not report from EC2 instance "i-1"`,
	} {
		set := &evidence.Set{}
		set.Record(&evidence.Asset{
			Subject: evidence.Subject{ID: "aws:1/eu-west-1//instance/i-1", Kind: "EC2 instance", Name: "i-1", At: at},
			Looked:  map[evidence.Activity]evidence.Value[bool]{evidence.Process: evidence.Known(true, at)},
		})
		set.Record(&evidence.LogSource{
			Subject:  evidence.Subject{ID: "aws:1/eu-west-1//guardduty/runtime/i-1#process", Name: "GuardDuty's agent", At: at},
			Activity: evidence.Process, Records: "runtime monitoring", Covers: []evidence.ID{"aws:1/eu-west-1//instance/i-1"},
			Enabled: evidence.Known(false, at.WithNote(note)),
		})
		set.Sort()
		rs := checks.Run(set, []*checks.Check{watched.Processes}, checks.DefaultPolicy(), nil).All
		if len(rs) != 1 || rs[0].Outcome != checks.Fail || rs[0].Message != want {
			t.Errorf("got %+v, want %q", rs, want)
		}
	}
}
