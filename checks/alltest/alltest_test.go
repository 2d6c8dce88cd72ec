package alltest

import (
	"slices"
	"testing"

	"lookback/evidence"
)

func TestALineForEachResult(t *testing.T) {
	at := evidence.Origin{File: "etc/chrony.conf"}
	clock := &evidence.Clock{
		Subject: evidence.Subject{ID: "host:a//clock", Name: "the clock of a"}, Of: "host:a//host", Synchronised: evidence.Known(false, at),
		Sources: evidence.Known([]evidence.TimeSource{{Address: "ntp.example.net"}}, at),
	}
	want := []string{
		"fail timed-synchronised host:a//clock: the clock of a is not synchronised",
		"fail timed-two-sources host:a//clock: the clock of a takes the time from ntp.example.net alone (follows timed-synchronised)",
	}
	if got := Judge(&evidence.Set{Records: []evidence.Record{clock}}); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
