package iam

import (
	"net/url"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
)

func attached(arn string) []types.AttachedPolicy {
	return []types.AttachedPolicy{{PolicyArn: aws.String(arn), PolicyName: aws.String(arn)}}
}

func policy(arn, text string) types.ManagedPolicyDetail {
	return types.ManagedPolicyDetail{Arn: aws.String(arn), PolicyName: aws.String(arn), PolicyVersionList: []types.PolicyVersion{
		{IsDefaultVersion: false, Document: aws.String("{old")},
		{IsDefaultVersion: true, Document: aws.String(url.PathEscape(text))},
	}}
}

func written(text string) []types.PolicyDetail {
	return []types.PolicyDetail{{PolicyName: aws.String("inline"), PolicyDocument: aws.String(url.PathEscape(text))}}
}

const (
	admin    = `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	readOnly = `{"Statement":[{"Effect":"Allow","Action":["cloudtrail:Get*","logs:Describe*"],"Resource":"*"}]}`
	noStop   = `{"Statement":[{"Effect":"Deny","Action":["cloudtrail:*","logs:*","s3:Put*"],"Resource":"*"}]}`
)

func hands(t *testing.T, first, second *iam.GetAccountAuthorizationDetailsOutput, err error) evidence.Value[[]string] {
	t.Helper()
	set := awstest.Scan(t, func(_ string, input any) (any, error) {
		if in, ok := input.(*iam.GetAccountAuthorizationDetailsInput); ok {
			switch {
			case in.Marker != nil && err != nil:
				return nil, err
			case in.Marker != nil:
				return second, nil
			}
			if second != nil || err != nil {
				first.IsTruncated, first.Marker = true, aws.String("more")
			}
			return first, nil
		}
		return nil, nil
	}, nil, Service())
	for _, r := range set.Records {
		if a, ok := r.(*evidence.Asset); ok && a.Kind == "account" {
			return a.Hands
		}
	}
	t.Fatal("there is no account")
	return evidence.Value[[]string]{}
}

func TestWhoMayStopRecordsIsNamed(t *testing.T) {
	got, known := hands(t, &iam.GetAccountAuthorizationDetailsOutput{
		Policies: []types.ManagedPolicyDetail{policy("admin", admin), policy("read", readOnly), policy("nostop", noStop)},
		UserDetailList: []types.UserDetail{
			{UserName: aws.String("ada"), GroupList: []string{"admins"}},
			{UserName: aws.String("bob"), AttachedManagedPolicies: attached("read")},
			{UserName: aws.String("eve"), AttachedManagedPolicies: append(attached("admin"), attached("nostop")...)},
		},
	}, &iam.GetAccountAuthorizationDetailsOutput{
		GroupDetailList: []types.GroupDetail{{GroupName: aws.String("admins"), AttachedManagedPolicies: attached("admin")}},
		RoleDetailList: []types.RoleDetail{
			{RoleName: aws.String("linked"), Path: aws.String("/aws-service-role/x/"), AttachedManagedPolicies: attached("admin")},
			{RoleName: aws.String("bounded"), AttachedManagedPolicies: attached("admin"), PermissionsBoundary: &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: aws.String("read")}},
			{RoleName: aws.String("trail"), RolePolicyList: written(`{"Statement":[{"Effect":"Allow","Action":"CloudTrail:Stop?ogging","Resource":"arn:aws:cloudtrail:*:*:trail/*"}]}`)},
			{RoleName: aws.String("all but iam"), RolePolicyList: written(`{"Statement":[{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}]}`)},
			{RoleName: aws.String("anything with an ARN"), RolePolicyList: written(`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:*"}]}`)},
			{RoleName: aws.String("a bucket"), RolePolicyList: written(`{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/*"]}]}`)},
			{RoleName: aws.String("objects alone"), RolePolicyList: written(`{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::app/*"}]}`)},
			{RoleName: aws.String("elsewhere"), RolePolicyList: written(`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:sqs:*:*:q"}]}`)},
			{RoleName: aws.String("with a condition on its denial"), AttachedManagedPolicies: attached("admin"), RolePolicyList: written(`{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}]}`)},
		},
	}, nil).Get()
	want := []string{"role/a bucket", "role/all but iam", "role/anything with an ARN", "role/trail", "role/with a condition on its denial", "user/ada"}
	if !known || !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNobodyIsAKnownAnswer(t *testing.T) {
	if got, known := hands(t, &iam.GetAccountAuthorizationDetailsOutput{}, nil, nil).Get(); !known || len(got) != 0 {
		t.Errorf("got %q, known %v", got, known)
	}
}

func TestAPageThatIsRefusedLeavesItOpen(t *testing.T) {
	v := hands(t, &iam.GetAccountAuthorizationDetailsOutput{}, nil, awstest.Denied())
	if v.Why() != evidence.Denied || v.At().Call != action {
		t.Errorf("because %s, %+v", v.Why(), v.At())
	}
}

func TestAPolicyThatCannotBeReadLeavesItOpen(t *testing.T) {
	for name, text := range map[string]string{"no JSON": "{", "no statement": "{}", "an action that is a number": `{"Statement":{"Effect":"Allow","Action":7}}`} {
		v := hands(t, &iam.GetAccountAuthorizationDetailsOutput{RoleDetailList: []types.RoleDetail{{RoleName: aws.String("r"), RolePolicyList: written(text)}}}, nil, nil)
		if v.Why() != evidence.Unfamiliar {
			t.Errorf("%s: because %s", name, v.Why())
		}
	}
	v := hands(t, &iam.GetAccountAuthorizationDetailsOutput{RoleDetailList: []types.RoleDetail{{RoleName: aws.String("r"), AttachedManagedPolicies: attached("gone")}}}, nil, nil)
	if v.Why() != evidence.Unfamiliar {
		t.Errorf("a policy that is not listed: because %s", v.Why())
	}
}

func FuzzPolicy(f *testing.F) {
	for _, text := range []string{admin, readOnly, noStop, "", "{", `{"Statement":[]}`, "%7B%7D", `{"Statement":null}`} {
		f.Add(text)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		d := parse("p", text)
		decides([]document{d}, "cloudtrail:StopLogging")
	})
}
