package securitylake

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securitylake"
	"github.com/aws/aws-sdk-go-v2/service/securitylake/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/awstest/sourcetest"
	"lookback/scanners/aws/scope"
)

func scan(t *testing.T, lakesErr, sourcesErr error) *evidence.Set {
	t.Helper()
	return scanLake(t, "", lakesErr, sourcesErr)
}

func scanLake(t *testing.T, status types.DataLakeStatus, lakesErr, sourcesErr error) *evidence.Set {
	t.Helper()
	return awstest.Scan(t, func(_ string, input any) (any, error) {
		switch input.(type) {
		case *securitylake.ListDataLakesInput:
			return &securitylake.ListDataLakesOutput{DataLakes: []types.DataLakeResource{
				{CreateStatus: status, Region: aws.String(awstest.Region), S3BucketArn: aws.String("arn:aws:s3:::aws-security-data-lake-x"), EncryptionConfiguration: &types.DataLakeEncryptionConfiguration{KmsKeyId: aws.String("S3_MANAGED_KEY")}},
			}}, lakesErr
		case *securitylake.ListLogSourcesInput:
			source := func(name types.AwsLogSourceName) types.LogSourceResource {
				return &types.LogSourceResourceMemberAwsLogSource{Value: types.AwsLogSourceResource{SourceName: name}}
			}
			return &securitylake.ListLogSourcesOutput{Sources: []types.LogSource{
				{Account: aws.String(awstest.Account), Region: aws.String(awstest.Region), Sources: []types.LogSourceResource{source("CLOUD_TRAIL_MGMT"), source("SH_FINDINGS")}},
				{Account: aws.String("999999999999"), Region: aws.String(awstest.Region), Sources: []types.LogSourceResource{source("VPC_FLOW")}},
			}}, sourcesErr
		}
		return nil, nil
	}, nil, Service())
}

func TestWhatTheLakeTakesOfThisAccountIsRecorded(t *testing.T) {
	set := scan(t, nil, nil)
	if got := sourcetest.Sources(set); len(got) != 1 {
		t.Errorf("got %q", got)
	}
	got := sourcetest.Record[*evidence.LogSource](t, set, "securitylake/CLOUD_TRAIL_MGMT#cloud-api")
	if on, _ := got.Enabled.Get(); !on || got.Activity != evidence.CloudAPI || got.To[0].To != "aws://s3/aws-security-data-lake-x" {
		t.Errorf("got %+v", got)
	}
}

func TestALakeThatIsNotThereYetProvesNothing(t *testing.T) {
	for status, want := range map[types.DataLakeStatus]evidence.Value[bool]{
		types.DataLakeStatusCompleted: evidence.Known(true, evidence.Origin{Call: sources, Of: "eu-west-1"}),
		types.DataLakeStatusFailed:    evidence.Unknown[bool](evidence.Unfamiliar, evidence.Origin{Call: lakes, Of: "eu-west-1", Note: "the creation of the data lake is failed"}),
		types.DataLakeStatusPending:   evidence.Unknown[bool](evidence.Unfamiliar, evidence.Origin{Call: lakes, Of: "eu-west-1", Note: "the creation of the data lake is pending"}),
	} {
		set := scanLake(t, status, nil, nil)
		if got := sourcetest.Record[*evidence.LogSource](t, set, "securitylake/CLOUD_TRAIL_MGMT#cloud-api").Enabled; got != want {
			t.Errorf("%s: got %+v, want %+v", status, got, want)
		}
	}
}

// region reads an account of an organisation. The lake takes VPC_FLOW of others, by region and account.
func region(t *testing.T, s scope.Scope, others map[string]string, err error) *evidence.Set {
	t.Helper()
	answer := func(c awstest.Call) (any, error) {
		switch in := c.Input.(type) {
		case *securitylake.ListDataLakesInput:
			if others == nil {
				return nil, awstest.Error("ResourceNotFoundException")
			}
			return &securitylake.ListDataLakesOutput{DataLakes: []types.DataLakeResource{{Region: &c.Region, S3BucketArn: aws.String("arn:aws:s3:::aws-security-data-lake-x")}}}, nil
		case *securitylake.ListLogSourcesInput:
			out := &securitylake.ListLogSourcesOutput{}
			for account, where := range others {
				if len(in.Accounts) == 0 || in.Accounts[0] == account {
					out.Sources = append(out.Sources, types.LogSource{Account: &account, Region: &where, Sources: []types.LogSourceResource{
						&types.LogSourceResourceMemberAwsLogSource{Value: types.AwsLogSourceResource{SourceName: types.AwsLogSourceNameVpcFlow}},
					}})
				}
			}
			return out, err
		}
		return nil, nil
	}
	s.Partition, s.Account, s.Region, s.Now, s.Config = "aws", awstest.Account, "us-east-1", awstest.Now, awstest.Config(answer)
	account := scope.NewScan().NewAccount(s)
	Service().Region(t.Context(), account.InRegion(awstest.Region))
	return account.Take()
}

const (
	shop = "222222222222"
	bank = "333333333333"
)

func TestTheLakeOfAnOrganisationTakesTheLogsOfItsMembers(t *testing.T) {
	asked := evidence.Origin{Call: "organizations:ListDelegatedAdministrators", Of: shop}
	keeps := scope.Scope{
		Organization: evidence.Known(shop, evidence.Origin{}), Lake: evidence.Known(awstest.Account, asked), Accounts: []string{awstest.Account, bank, shop},
	}
	set := region(t, keeps, map[string]string{awstest.Account: awstest.Region, bank: awstest.Region, shop: "eu-north-1", "999999999999": awstest.Region}, nil)
	if got := sourcetest.Sources(set); len(got) != 2 {
		t.Errorf("got %q", got)
	}
	got := sourcetest.Record[*evidence.LogSource](t, set, "securitylake/VPC_FLOW/members#network-flow")
	if on, _ := got.Enabled.Get(); !on || !slices.Equal(got.Covers, []evidence.ID{scope.RegionID(bank, awstest.Region)}) || len(got.To) != 1 {
		t.Errorf("got %+v", got)
	}

	t.Run("the list broke off", func(t *testing.T) {
		got := sourcetest.Record[*evidence.LogSource](t, region(t, keeps, map[string]string{}, awstest.Denied()), "securitylake#network-flow")
		if got.Enabled.Why() != evidence.Denied || len(got.Covers) != 3 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("it names none of them", func(t *testing.T) {
		got := sourcetest.Record[*evidence.LogSource](t, region(t, keeps, map[string]string{awstest.Account: awstest.Region}, nil), "securitylake/members#dns")
		if got.Enabled.Why() != evidence.Unfamiliar || !slices.Equal(got.Covers, []evidence.ID{scope.RegionID(bank, awstest.Region), scope.RegionID(shop, awstest.Region)}) {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("there is no lake in the region", func(t *testing.T) {
		if got := sourcetest.Sources(region(t, keeps, nil, nil)); len(got) != 0 {
			t.Errorf("got %q", got)
		}
	})
}

func TestWhatALakeThatIsNotSeenMayTakeIsOpen(t *testing.T) {
	in := evidence.Known(shop, evidence.Origin{})
	at := evidence.Origin{Call: "organizations:ListDelegatedAdministrators", Of: shop}
	for name, test := range map[string]struct {
		scope scope.Scope
		open  bool
		why   evidence.Reason
	}{
		"in no organisation":                {scope.Scope{Organization: evidence.Moot[string](at)}, false, ""},
		"nobody keeps a lake":               {scope.Scope{Organization: in, Lake: evidence.Moot[string](at)}, false, ""},
		"it keeps the lake":                 {scope.Scope{Organization: in, Lake: evidence.Known(awstest.Account, at), Accounts: []string{awstest.Account}}, false, ""},
		"who keeps it is scanned":           {scope.Scope{Organization: in, Lake: evidence.Known(bank, at), Accounts: []string{awstest.Account, bank}}, false, ""},
		"who keeps it is not scanned":       {scope.Scope{Organization: in, Lake: evidence.Known(bank, at), Accounts: []string{awstest.Account}}, true, evidence.Elsewhere},
		"who keeps it may not be asked":     {scope.Scope{Organization: in, Lake: evidence.Unknown[string](evidence.Denied, at)}, true, evidence.Denied},
		"a member cannot tell who keeps it": {scope.Scope{Organization: in, Lake: evidence.Unknown[string](evidence.Elsewhere, at)}, true, evidence.Elsewhere},
	} {
		t.Run(name, func(t *testing.T) {
			for lake, others := range map[string]map[string]string{"without a lake of its own": nil, "with one": {awstest.Account: awstest.Region}} {
				set := region(t, test.scope, others, nil)
				var got []string
				for _, r := range set.Records {
					if l, ok := r.(*evidence.LogSource); ok && l.Enabled.IsUnknown() && !strings.HasPrefix(l.ID.Thing(), "unseen/") {
						if got = append(got, string(l.Activity)); l.Enabled.Why() != test.why || !slices.Equal(l.Covers, []evidence.ID{scope.RegionID(awstest.Account, awstest.Region)}) {
							t.Errorf("%s: %+v", lake, l)
						}
					}
				}
				want := []string{"cloud-api", "cloud-data", "dns", "kubernetes-api", "network-flow"}
				if others != nil { // which takes the flow logs for certain
					want = want[:4]
				}
				if !test.open {
					want = nil
				}
				if slices.Sort(got); !slices.Equal(got, want) {
					t.Errorf("%s: open are %q, want %q", lake, got, want)
				}
			}
		})
	}
}

func TestNoLakeIsNoSource(t *testing.T) {
	if got := sourcetest.Sources(scan(t, awstest.Error("ResourceNotFoundException"), nil)); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}

func TestWhatTheLakeMayTakeIsOpenWhereNobodyMayLook(t *testing.T) {
	for call, errs := range map[string][2]error{lakes: {awstest.Denied(), nil}, sources: {nil, awstest.Denied()}} {
		var want []string
		activities := []evidence.Activity{evidence.CloudAPI, evidence.CloudData, evidence.DNS, evidence.KubernetesAPI, evidence.NetworkFlow}
		for _, a := range activities {
			want = append(want, fmt.Sprintf("securitylake#%s: denied (%s eu-west-1); perhaps elsewhere: denied", a, call))
		}
		for _, a := range activities { // and what stands for the store that they would go to
			want = append(want, fmt.Sprintf("unseen/%[2]s#%[1]s: denied (%[2]s eu-west-1) -> unseen/%[2]s; perhaps elsewhere: denied", a, call))
		}
		sourcetest.Want(t, call, sourcetest.Sources(scan(t, errs[0], errs[1])), want...)
	}
}
