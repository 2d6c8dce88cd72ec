package aws

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/securitylake"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/scope"
	lakes "lookback/scanners/aws/securitylake"
)

// TestALakeElsewhereLeavesOpenWhatItMayTake holds what each account is told of the Security Lake of its organisation, which
// another account may keep.
func TestALakeElsewhereLeavesOpenWhatItMayTake(t *testing.T) {
	const nobody, denied = "", "denied"
	member := func(c awstest.Call) (any, error) { // who scans is no management account
		if _, ok := c.Input.(*organizations.DescribeOrganizationInput); ok {
			return &organizations.DescribeOrganizationOutput{Organization: &orgtypes.Organization{Id: aws.String("o-abc"), MasterAccountId: aws.String(bank)}}, nil
		}
		return nil, nil
	}
	alone := func(c awstest.Call) (any, error) {
		if _, ok := c.Input.(*organizations.DescribeOrganizationInput); ok {
			return nil, awstest.Error("AWSOrganizationsNotInUseException")
		}
		return nil, nil
	}
	noRole := func(c awstest.Call) (any, error) {
		if c.Op == "STS.AssumeRole" {
			return nil, awstest.Denied()
		}
		return nil, nil
	}
	noRegions := func(c awstest.Call) (any, error) {
		if c.Op == "EC2.DescribeRegions" && c.Account == shop {
			return nil, awstest.Denied()
		}
		return nil, nil
	}
	everybody := Filter{Organization: true}
	for name, test := range map[string]struct {
		filter Filter
		keeper string
		first  func(awstest.Call) (any, error)
		asked  bool
		open   []string // by what unknown sources cover
	}{
		"an account in no organisation":                {Filter{}, shop, alone, false, nil},
		"a member alone":                               {Filter{}, nobody, member, false, []string{"111122223333/eu-west-1//region", "111122223333/us-east-1//region"}},
		"the management account, and nobody keeps one": {Filter{}, nobody, nil, true, nil},
		"the management account alone":                 {Filter{}, shop, nil, true, []string{"111122223333/eu-west-1//region", "111122223333/us-east-1//region"}},
		"the management account, which may not ask":    {Filter{}, denied, nil, true, []string{"111122223333/eu-west-1//region", "111122223333/us-east-1//region"}},
		"everybody, and nobody keeps one":              {everybody, nobody, nil, true, nil},
		"everybody":                                    {everybody, shop, nil, true, nil},
		"everybody, but who keeps it lets nobody in":   {everybody, shop, noRole, true, []string{"111122223333//organization"}},
		"everybody, but not its regions":               {everybody, shop, noRegions, true, []string{"111122223333//organization"}},
	} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan bool, 100)
			set, err := read(t, awstest.Config(world(func(c awstest.Call) (any, error) {
				switch in := c.Input.(type) {
				case *organizations.ListDelegatedAdministratorsInput:
					asked <- true
					switch {
					case aws.ToString(in.ServicePrincipal) != "securitylake.amazonaws.com", test.keeper == denied:
						return nil, awstest.Denied()
					case test.keeper == nobody:
						return &organizations.ListDelegatedAdministratorsOutput{}, nil
					}
					return &organizations.ListDelegatedAdministratorsOutput{DelegatedAdministrators: []orgtypes.DelegatedAdministrator{
						{Id: &test.keeper, Arn: aws.String("arn:aws:organizations::" + management + ":account/o-abc/" + test.keeper)},
					}}, nil
				case *securitylake.ListDataLakesInput:
					return nil, awstest.Error("ResourceNotFoundException")
				}
				if test.first != nil {
					return test.first(c)
				}
				return nil, nil
			})), Options{Filter: test.filter}, lakes.Service())
			if err != nil {
				t.Fatal(err)
			}
			if (len(asked) > 0) != test.asked || len(asked) > 1 {
				t.Errorf("it was asked %d times", len(asked))
			}
			var open []string
			for _, r := range set.Records {
				if l, ok := r.(*evidence.LogSource); ok && l.Activity == evidence.DNS && !strings.HasPrefix(l.ID.Thing(), "unseen/") {
					for _, id := range l.Covers {
						open = append(open, strings.TrimPrefix(string(id), "aws:"))
					}
					if !l.Enabled.IsUnknown() {
						t.Errorf("%s is known", l.ID)
					}
				}
			}
			if slices.Sort(open); !slices.Equal(open, test.open) {
				t.Errorf("open are %q, want %q", open, test.open)
			}
			if test.keeper == shop && test.filter.Organization && len(test.open) == 0 && !slices.ContainsFunc(set.Records, func(r evidence.Record) bool { return r.Self().ID == scope.RegionID(shop, "eu-west-1") }) {
				t.Error("who keeps it was not read")
			}
		})
	}
}
