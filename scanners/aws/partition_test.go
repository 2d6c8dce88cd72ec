package aws

import "testing"

func TestWhatBelongsToNoRegionIsAskedForInThePartitionOfTheCaller(t *testing.T) {
	for region, want := range map[string]string{
		"eu-west-1": "us-east-1", "cn-north-1": "cn-northwest-1", "us-gov-east-1": "us-gov-west-1", "eusc-de-east-1": "eusc-de-east-1",
		"us-iso-west-1": "us-iso-east-1", "us-isob-west-1": "us-isob-east-1", "eu-isoe-west-1": "eu-isoe-west-1", "us-isof-east-1": "us-isof-south-1",
	} {
		if got := globalRegion(t.Context(), region); got != want {
			t.Errorf("in %s: %s, want %s", region, got, want)
		}
	}
}
