package s3

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// The trail of an organisation shares a bucket with what AWS writes of single accounts.
func TestRulesForOtherLogsAreNotOnesForTheTrailOfAnOrganisation(t *testing.T) {
	forever := fmt.Sprint(evidence.Forever)
	for _, c := range []struct{ place, prefix, want string }{
		{"AWSLogs/", "AWSLogs/111122223333/elasticloadbalancing/", forever},
		{"AWSLogs/", "AWSLogs/111122223333/vpcflowlogs/", forever},
		{"AWSLogs/", "AWSLogs/1", forever},
		{"AWSLogs/", "AWSLogs/aws-account-id=111122223333/", forever},
		{"AWSLogs/", "AWSLogs/o-abcdef/111122223333/Config/", forever},
		{"AWSLogs/", "AWSLogs/o-abcdef/111122223333/CloudTrail-Digest/", forever},
		{"AWSLogs/", "AWSLogs/o-abcdef/111122223333/CloudTrail-Insight/", forever},
		{"AWSLogs/", "AWSLogs/o-abcdef/111122223333/CloudTrail/", "30"},
		{"AWSLogs/", "AWSLogs/o-abcdef/111122223333/CloudTrail", "30"},
		{"AWSLogs/", "AWSLogs/o-abcdef/111122223333/C", "30"},
		{"AWSLogs/", "AWSLogs/o-abcdef/111122223333/", "30"},
		{"AWSLogs/", "AWSLogs/o-abcdef/", "30"},
		{"AWSLogs/", "AWSLogs/o", "30"},
		{"AWSLogs/", "AWSLogs/", "30"},
		{"AWSLogs/", "AWSLogs", "30"},
		{"audit/AWSLogs/", "audit/AWSLogs/111122223333/Config/", forever},
		{"audit/AWSLogs/", "audit/AWSLogs/o-abcdef/111122223333/CloudTrail/eu-west-1/", "30"},
	} {
		set := scan(t, but(func(*s3.GetBucketLifecycleConfigurationInput) (any, error) {
			return &s3.GetBucketLifecycleConfigurationOutput{Rules: []types.LifecycleRule{below(c.prefix, expires(30))}}, nil
		}), scope.Place{Bucket: "logs", Prefix: c.place})
		kept, _ := store(t, set, scope.PlaceID("logs", c.place)).Kept.Get()
		if fmt.Sprint(kept) != c.want {
			t.Errorf("%s in %s: kept %d, want %s", c.prefix, c.place, kept, c.want)
		}
	}
}
