// Package waf reads what web ACLs log.
package waf

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"
	"github.com/aws/aws-sdk-go-v2/service/wafv2/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// The permissions of the calls.
const (
	listACLs = "wafv2:ListWebACLs"
	listLogs = "wafv2:ListLoggingConfigurations"
)

// Service reads AWS WAF. What protects CloudFront belongs to no region.
func Service() scope.Service {
	return scope.Service{
		Name: "waf",
		Calls: []scope.Call{
			{Service: wafv2.ServiceID, Op: "ListWebACLs", Action: listACLs, Per: "region, and account", Fills: "Asset.ID"},
			{Service: wafv2.ServiceID, Op: "ListLoggingConfigurations", Action: listLogs, Per: "region, and account, for each kind of owner", Fills: "LogSource.Enabled, LogSource.To, LogSource.Parts", Perhaps: "where there is a web ACL"},
		},
		Region:  func(ctx context.Context, s *scope.Scope) { read(ctx, s, types.ScopeRegional) },
		Account: func(ctx context.Context, s *scope.Scope) { read(ctx, s, types.ScopeCloudfront) },
	}
}

func read(ctx context.Context, s *scope.Scope, of types.Scope) {
	if of == types.ScopeCloudfront && s.Partition == "aws-us-gov" { // which has no CloudFront
		return
	}
	cfg := s.Config.Copy()
	cfg.Region = s.Region // "For all calls, use the Region endpoint us-east-1": the SDK on CloudFront's scope
	client := wafv2.NewFromConfig(cfg)
	var found []types.WebACLSummary
	for marker := (*string)(nil); ; {
		out, err := client.ListWebACLs(ctx, &wafv2.ListWebACLsInput{Scope: of, NextMarker: marker})
		if err != nil {
			s.Blind("web ACLs", err, s.At(listACLs, ""), scope.Unseen{Activities: []evidence.Activity{evidence.Edge}})
			break
		}
		found = append(found, out.WebACLs...)
		if last(&marker, out.NextMarker) {
			break
		}
	}
	if len(found) == 0 {
		return
	}
	logs, whole := logging(ctx, s, client, of)
	for _, a := range found {
		name := aws.ToString(a.Name)
		observe(s, acl{name: name, at: s.At(listACLs, name), logs: logs[aws.ToString(a.ARN)], whole: whole})
	}
}

// logging returns the logs of web ACLs, by ARN, and false where these are all: what is not there is not logged. Security
// Lake and the telemetry rules of CloudWatch have logs of their own, which the owner's list leaves out: the SDK on LogScope.
func logging(ctx context.Context, s *scope.Scope, client *wafv2.Client, of types.Scope) (map[string][]types.LoggingConfiguration, evidence.Value[bool]) {
	logs := map[string][]types.LoggingConfiguration{}
	at := s.At(listLogs, "")
	whole := evidence.Known(false, at)
	for _, owner := range []types.LogScope{types.LogScopeCustomer, types.LogScopeSecurityLake, types.LogScopeCloudwatchTelemetryRuleManaged} {
		for marker := (*string)(nil); ; {
			out, err := client.ListLoggingConfigurations(ctx, &wafv2.ListLoggingConfigurationsInput{Scope: of, LogScope: owner, NextMarker: marker})
			if owner != types.LogScopeCustomer && scope.Is(err, "WAFInvalidParameterException") { // not to be had here
				break
			}
			if err != nil {
				s.Missed(s.Home(), "logs of web ACLs", err, at)
				whole = scope.Unknown[bool](err, at)
				break
			}
			for _, c := range out.LoggingConfigurations {
				arn := aws.ToString(c.ResourceArn)
				logs[arn] = append(logs[arn], c)
			}
			if last(&marker, out.NextMarker) {
				break
			}
		}
	}
	return logs, whole
}

// last moves on to the next page, and reports whether there is none.
func last(marker **string, next *string) bool {
	if aws.ToString(next) == "" || aws.ToString(next) == aws.ToString(*marker) {
		return true
	}
	*marker = next
	return false
}
