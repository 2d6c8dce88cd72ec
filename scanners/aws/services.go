package aws

import (
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"lookback/scanners/aws/alarm"
	"lookback/scanners/aws/apigateway"
	"lookback/scanners/aws/cloudfront"
	"lookback/scanners/aws/cloudtrail"
	"lookback/scanners/aws/config"
	"lookback/scanners/aws/contact"
	"lookback/scanners/aws/ecr"
	"lookback/scanners/aws/ecs"
	"lookback/scanners/aws/eks"
	"lookback/scanners/aws/elb"
	"lookback/scanners/aws/firehose"
	"lookback/scanners/aws/firewall"
	"lookback/scanners/aws/flow"
	"lookback/scanners/aws/guardduty"
	"lookback/scanners/aws/iam"
	"lookback/scanners/aws/instance"
	"lookback/scanners/aws/kms"
	"lookback/scanners/aws/lambda"
	"lookback/scanners/aws/logs"
	"lookback/scanners/aws/opensearch"
	"lookback/scanners/aws/rds"
	"lookback/scanners/aws/redshift"
	"lookback/scanners/aws/resolver"
	"lookback/scanners/aws/s3"
	"lookback/scanners/aws/scope"
	"lookback/scanners/aws/securityhub"
	"lookback/scanners/aws/securitylake"
	"lookback/scanners/aws/vended"
	"lookback/scanners/aws/vpn"
	"lookback/scanners/aws/waf"
)

// Services lists the readers, in order of name. A test holds that each folder that has one is here.
func Services() []scope.Service {
	return []scope.Service{
		alarm.Service(),
		apigateway.Service(),
		cloudfront.Service(),
		cloudtrail.Service(),
		config.Service(),
		contact.Service(),
		ecr.Service(),
		ecs.Service(),
		eks.Service(),
		elb.Service(),
		firehose.Service(),
		firewall.Service(),
		flow.Service(),
		guardduty.Service(),
		iam.Service(),
		instance.Service(),
		kms.Service(),
		lambda.Service(),
		logs.Service(),
		opensearch.Service(),
		rds.Service(),
		redshift.Service(),
		resolver.Service(),
		s3.Service(),
		securityhub.Service(),
		securitylake.Service(),
		vended.Service(),
		vpn.Service(),
		waf.Service(),
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
	{Service: organizations.ServiceID, Op: "ListDelegatedAdministrators", Action: "organizations:ListDelegatedAdministrators", Per: "organisation", Fills: "LogSource.Enabled", Perhaps: "where its management account is scanned, or the whole of it"},
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
