package securitylake

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securitylake"
	"github.com/aws/aws-sdk-go-v2/service/securitylake/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
)

func scan(t *testing.T, lakesErr, sourcesErr error) (out []*evidence.LogSource) {
	t.Helper()
	set := awstest.Scan(t, func(_ string, input any) (any, error) {
		switch input.(type) {
		case *securitylake.ListDataLakesInput:
			return &securitylake.ListDataLakesOutput{DataLakes: []types.DataLakeResource{
				{Region: aws.String(awstest.Region), S3BucketArn: aws.String("arn:aws:s3:::aws-security-data-lake-x"), EncryptionConfiguration: &types.DataLakeEncryptionConfiguration{KmsKeyId: aws.String("S3_MANAGED_KEY")}},
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
	for _, r := range set.Records {
		if s, ok := r.(*evidence.LogSource); ok {
			out = append(out, s)
		}
	}
	return out
}

func TestWhatTheLakeTakesOfThisAccountIsRecorded(t *testing.T) {
	got := scan(t, nil, nil)
	if len(got) != 1 || got[0].Activity != evidence.CloudAPI || got[0].To[0].To != "aws://s3/aws-security-data-lake-x" {
		t.Fatalf("got %+v", got)
	}
}

func TestNoLakeIsNoSource(t *testing.T) {
	if got := scan(t, awstest.Error("ResourceNotFoundException"), nil); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestWhatTheLakeMayTakeIsOpenWhereNobodyMayLook(t *testing.T) {
	for name, errs := range map[string][2]error{"lakes": {awstest.Denied(), nil}, "sources": {nil, awstest.Denied()}} {
		got := scan(t, errs[0], errs[1])
		if len(got) != len(meaning) {
			t.Fatalf("%s: got %d sources", name, len(got))
		}
		for _, s := range got {
			if s.Enabled.Why() != evidence.Denied {
				t.Errorf("%s: %s is %s", name, s.ID, s.Enabled.Why())
			}
		}
	}
}
