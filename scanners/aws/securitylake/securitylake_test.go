package securitylake

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securitylake"
	"github.com/aws/aws-sdk-go-v2/service/securitylake/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/awstest/sourcetest"
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
