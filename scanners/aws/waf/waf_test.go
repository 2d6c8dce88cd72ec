package waf

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"
	"github.com/aws/aws-sdk-go-v2/service/wafv2/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/awstest/sourcetest"
	"lookback/scanners/aws/scope"
)

const (
	arn   = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/"
	group = "arn:aws:logs:eu-west-1:111122223333:log-group:aws-waf-logs-x"
)

func log(name, to string, filter *types.LoggingFilter) types.LoggingConfiguration {
	return types.LoggingConfiguration{ResourceArn: aws.String(arn + name), LogDestinationConfigs: []string{to}, LoggingFilter: filter}
}

func filter(standard, behavior types.FilterBehavior, conditions ...types.Condition) *types.LoggingFilter {
	return &types.LoggingFilter{DefaultBehavior: standard, Filters: []types.Filter{{Behavior: behavior, Conditions: conditions, Requirement: types.FilterRequirementMeetsAny}}}
}

func action(a types.ActionValue) types.Condition {
	return types.Condition{ActionCondition: &types.ActionCondition{Action: a}}
}

// estate has web ACLs in a region, and one before CloudFront.
func estate(region string, input any) (any, error) {
	switch in := input.(type) {
	case *wafv2.ListWebACLsInput:
		if in.Scope == types.ScopeCloudfront {
			if region != "us-east-1" {
				return nil, awstest.Error("WAFInvalidParameterException")
			}
			return &wafv2.ListWebACLsOutput{WebACLs: []types.WebACLSummary{{Name: aws.String("cdn"), ARN: aws.String(arn + "cdn")}}}, nil
		}
		var out []types.WebACLSummary
		names, next := []string{"all", "blocked", "label"}, aws.String("label")
		if in.NextMarker != nil {
			names, next = []string{"none", "off", "quiet", "lake"}, nil
		}
		for _, n := range names {
			out = append(out, types.WebACLSummary{Name: aws.String(n), ARN: aws.String(arn + n)})
		}
		return &wafv2.ListWebACLsOutput{WebACLs: out, NextMarker: next}, nil
	case *wafv2.ListLoggingConfigurationsInput:
		switch {
		case in.LogScope == types.LogScopeCloudwatchTelemetryRuleManaged:
			return nil, awstest.Error("WAFInvalidParameterException") // a partition that does not know it
		case in.LogScope == types.LogScopeSecurityLake && in.Scope == types.ScopeRegional:
			lake := log("lake", "arn:aws:s3:::aws-security-data-lake", nil)
			lake.LogScope = types.LogScopeSecurityLake
			return &wafv2.ListLoggingConfigurationsOutput{LoggingConfigurations: []types.LoggingConfiguration{lake}}, nil
		case in.LogScope != types.LogScopeCustomer || in.Scope == types.ScopeCloudfront:
			return nil, nil
		case in.NextMarker == nil:
			all := log("all", "arn:aws:s3:::aws-waf-logs-edge/deep", nil)
			all.RedactedFields = []types.FieldToMatch{{UriPath: &types.UriPath{}}, {SingleHeader: &types.SingleHeader{Name: aws.String("cookie")}}}
			return &wafv2.ListLoggingConfigurationsOutput{NextMarker: aws.String("more"), LoggingConfigurations: []types.LoggingConfiguration{
				all, log("blocked", group, filter(types.FilterBehaviorDrop, types.FilterBehaviorKeep, action(types.ActionValueBlock), action(types.ActionValueCount))),
			}}, nil
		}
		label := types.Condition{LabelNameCondition: &types.LabelNameCondition{LabelName: aws.String("bot")}}
		return &wafv2.ListLoggingConfigurationsOutput{LoggingConfigurations: []types.LoggingConfiguration{
			log("label", "arn:aws:firehose:eu-west-1:111122223333:deliverystream/aws-waf-logs-y", filter(types.FilterBehaviorKeep, types.FilterBehaviorDrop, label)),
			log("none", group, &types.LoggingFilter{DefaultBehavior: types.FilterBehaviorDrop}),
			log("quiet", group, filter(types.FilterBehaviorKeep, types.FilterBehaviorKeep, label)),
		}}, nil
	}
	return nil, nil
}

func TestTheLogOfAWebACLAndItsFilter(t *testing.T) {
	set := awstest.Scan(t, estate, nil, Service(), sourcetest.Groups("aws-waf-logs-x"))
	const at = " (wafv2:ListLoggingConfigurations eu-west-1/"
	sourcetest.Want(t, "sources", sourcetest.Sources(set),
		"waf/cdn#edge: off (wafv2:ListLoggingConfigurations 111122223333)",
		"waf/all/customer#edge: on"+at+"all, left out: the path, the header cookie) -> s3/aws-waf-logs-edge/deep/AWSLogs/111122223333/WAFLogs",
		"waf/blocked/customer#edge: on"+at+"blocked) -> logs/aws-waf-logs-x; every-event some: only action BLOCK or action COUNT",
		"waf/label/customer#edge: on"+at+"label) -> firehose/aws-waf-logs-y; every-event some: not label bot",
		"waf/lake/security_lake#edge: on"+at+"lake) -> s3/aws-security-data-lake",
		"waf/none/customer#edge: off"+at+"none) -> logs/aws-waf-logs-x; every-event none: its filter drops all",
		"waf/off#edge: off (wafv2:ListLoggingConfigurations eu-west-1)",
		"waf/quiet/customer#edge: on"+at+"quiet) -> logs/aws-waf-logs-x",
	)
	const part = "records only a part of what comes through web ACL"
	sourcetest.Want(t, "verdicts", sourcetest.Edge(set),
		`fail waf/cdn: web ACL "cdn" does not record what comes through it`,
		`pass waf/all: web ACL log "all" records what comes through web ACL "all"`,
		`fail waf/blocked: web ACL log "blocked" `+part+` "blocked": only action BLOCK or action COUNT`,
		`fail waf/label: web ACL log "label" `+part+` "label": not label bot`,
		`pass waf/lake: web ACL log "lake" records what comes through web ACL "lake"`,
		`fail waf/none: web ACL "none" does not record what comes through it`,
		`fail waf/off: web ACL "off" does not record what comes through it`,
		`pass waf/quiet: web ACL log "quiet" records what comes through web ACL "quiet"`,
	)
	sourcetest.Want(t, "gaps", sourcetest.Gaps(set))
	if cdn := sourcetest.Record[*evidence.Asset](t, set, "waf/cdn"); cdn.ID != "aws:111122223333//waf/cdn" || !cdn.Lasting {
		t.Errorf("the asset is %+v", cdn)
	}
}

func TestALogThatMayBeMissingIsNotCalledOff(t *testing.T) {
	set := awstest.Scan(t, func(region string, input any) (any, error) {
		if in, ok := input.(*wafv2.ListLoggingConfigurationsInput); ok && in.NextMarker != nil {
			return nil, awstest.Denied()
		}
		return estate(region, input)
	}, nil, Service())
	const denied = ": denied (wafv2:ListLoggingConfigurations eu-west-1)"
	got := sourcetest.Sources(set)
	sourcetest.Want(t, "sources", got[len(got)-3:], "waf/none#edge"+denied, "waf/off#edge"+denied, "waf/quiet#edge"+denied)
	sourcetest.Want(t, "gaps", sourcetest.Gaps(set), "aws:111122223333/eu-west-1//region: logs of web ACLs: denied")
}

func TestARefusedCallPassesNothing(t *testing.T) {
	sourcetest.DenyEach(t, estate, Service())
}

func TestGovCloudHasNoWebACLsBeforeCloudFront(t *testing.T) {
	gov := Service()
	gov.Account = func(ctx context.Context, s *scope.Scope) {
		in := *s
		in.Partition, in.Region = "aws-us-gov", "us-gov-west-1"
		Service().Account(ctx, &in)
	}
	set := awstest.Scan(t, estate, nil, gov, sourcetest.Groups("aws-waf-logs-x"))
	sourcetest.Want(t, "gaps", sourcetest.Gaps(set))
	for _, line := range sourcetest.Sources(set) {
		if strings.Contains(line, "unseen/") {
			t.Errorf("got %s", line)
		}
	}
}

func TestAnEmptyAccountHasNoWebACLs(t *testing.T) {
	set := awstest.Scan(t, func(string, any) (any, error) { return nil, nil }, nil, Service())
	if len(set.Records) != 2 || len(set.Gaps) != 0 {
		t.Errorf("it wrote %v, %v", set.Records, set.Gaps)
	}
}
