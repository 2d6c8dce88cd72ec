package scope

import (
	"testing"

	"lookback/evidence"
)

func TestWhatLiesInARegionThatWasLeftOutIsElsewhere(t *testing.T) {
	region := NewScan().NewAccount(Scope{Account: "111122223333", Unread: []string{"eu-west-1"}}).InRegion("us-east-1")
	for _, c := range []struct {
		region, note string
		want         evidence.Reason
	}{
		{"eu-west-1", "the region was not scanned", evidence.Elsewhere},
		{"us-east-1", "it was not listed", evidence.Failed},
	} {
		got := Unknown[bool](region.WasListed(c.region, "trails"), evidence.Origin{})
		if got.Why() != c.want || got.At().Note != c.note {
			t.Errorf("%s: got %v, %q, want %v, %q", c.region, got.Why(), got.At().Note, c.want, c.note)
		}
	}
}
