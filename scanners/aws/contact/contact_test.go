package contact

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/account"

	"lookback/scanners/aws/awstest"
)

func TestTheSecurityContact(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"there":  {nil, "pass acquirable-contact"},
		"not":    {awstest.Error("ResourceNotFoundException"), "fail acquirable-contact"},
		"denied": {awstest.Denied(), "not-assessed acquirable-contact"},
	} {
		set := awstest.Scan(t, func(_ string, input any) (any, error) {
			if _, ok := input.(*account.GetAlternateContactInput); ok {
				return nil, test.err
			}
			return nil, nil
		}, nil, Service())
		if got := strings.Join(awstest.Judge(set), "\n"); !strings.Contains(got, test.want) {
			t.Errorf("%s: want %s in\n%s", name, test.want, got)
		}
	}
}
