package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"lookback/scanners/aws/kms"
	"lookback/scanners/aws/scope"
)

// Services lists the readers, in order of name. A test holds that each folder that has one is here.
func Services() []scope.Service {
	return []scope.Service{
		kms.Service(),
	}
}

// own are the calls that find accounts and regions.
var own = []scope.Call{
	{Service: sts.ServiceID, Op: "GetCallerIdentity", Action: "sts:GetCallerIdentity", Per: "scan", Fills: "Asset.ID"},
	{Service: ec2.ServiceID, Op: "DescribeRegions", Action: "ec2:DescribeRegions", Per: "account", Fills: "Asset.In"},
	{Service: organizations.ServiceID, Op: "DescribeOrganization", Action: "organizations:DescribeOrganization", Per: "account", Fills: "Asset.In"},
	{Service: organizations.ServiceID, Op: "ListAccounts", Action: "organizations:ListAccounts", Per: "organisation", Fills: "Asset.ID", Perhaps: "with --organization"},
	{Service: organizations.ServiceID, Op: "ListAccountsForParent", Action: "organizations:ListAccountsForParent", Per: "organizational unit", Fills: "Asset.ID", Perhaps: "with --ou"},
	{Service: organizations.ServiceID, Op: "ListOrganizationalUnitsForParent", Action: "organizations:ListOrganizationalUnitsForParent", Per: "organizational unit", Fills: "Asset.ID", Perhaps: "with --ou"},
	{Service: organizations.ServiceID, Op: "ListTagsForResource", Action: "organizations:ListTagsForResource", Per: "account", Fills: "Asset.ID", Perhaps: "with --tag"},
}

// Calls lists every call that a scan may make.
func Calls() []scope.Call {
	calls := append([]scope.Call{}, own...)
	for _, s := range Services() {
		calls = append(calls, s.Calls...)
	}
	return calls
}

func readBucket(context.Context, scope.Bucket) {}
