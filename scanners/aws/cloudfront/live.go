// Package cloudfront reads what distributions log: standard logs to a bucket, the newer ones that CloudWatch Logs delivers,
// and real-time logs.
package cloudfront

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
	"lookback/scanners/aws/vended"
)

// The permissions of the calls.
const (
	listDistributions = "cloudfront:ListDistributions"
	readConfig        = "cloudfront:GetDistributionConfig"
	listRealtime      = "cloudfront:ListRealtimeLogConfigs"
)

// Service reads CloudFront.
func Service() scope.Service {
	return scope.Service{
		Name: "cloudfront",
		Calls: []scope.Call{
			{Service: cloudfront.ServiceID, Op: "ListDistributions", Action: listDistributions, Per: "account", Fills: "Asset.ID"},
			{Service: cloudfront.ServiceID, Op: "GetDistributionConfig", Action: readConfig, Per: "distribution", Fills: "LogSource.Enabled, LogSource.To"},
			{Service: cloudfront.ServiceID, Op: "ListRealtimeLogConfigs", Action: listRealtime, Per: "account", Fills: "LogSource.To, LogSource.Parts", Perhaps: "where a distribution has real-time logs"},
		},
		Account: read,
	}
}

var errNothing = errors.New("the answer is empty")

func read(ctx context.Context, s *scope.Scope) {
	if s.Partition == "aws-us-gov" { // the SDK knows no endpoint of CloudFront there: a distribution before it is one of another account
		return
	}
	client := cloudfront.NewFromConfig(s.Config)
	var found []types.DistributionSummary
	for p := cloudfront.NewListDistributionsPaginator(client, &cloudfront.ListDistributionsInput{}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			s.Blind("CloudFront distributions", err, s.At(listDistributions, ""), scope.Unseen{Activities: []evidence.Activity{evidence.Edge}})
			break
		}
		if page.DistributionList == nil {
			break
		}
		for _, d := range page.DistributionList.Items {
			if d.Enabled == nil || *d.Enabled { // nothing comes through one that is disabled
				found = append(found, d)
			}
		}
	}
	s.Each(len(found), func(i int) {
		one := found[i]
		id := aws.ToString(one.Id)
		d := distribution{id: id, name: id, at: s.At(listDistributions, id)}
		var err error
		if d.standard, err = standard(ctx, client, id, s.At(readConfig, id)); scope.Is(err, "NoSuchDistribution") {
			return // it was deleted since it was listed
		}
		d.vended = vended.Of(ctx, s, aws.ToString(one.ARN), "ACCESS_LOGS")
		if one.Aliases != nil && len(one.Aliases.Items) > 0 {
			d.name = slices.Min(one.Aliases.Items)
		}
		d.realtime = realtimeOf(ctx, s, client, one)
		observe(s, d)
	})
}

// standard reads where a distribution's standard log goes, which the list of distributions does not say.
func standard(ctx context.Context, client *cloudfront.Client, id string, at evidence.Origin) (log, error) {
	out, err := client.GetDistributionConfig(ctx, &cloudfront.GetDistributionConfigInput{Id: &id})
	if err == nil && out.DistributionConfig == nil {
		err = errNothing
	}
	if err != nil {
		return log{on: scope.Unknown[bool](err, at)}, err
	}
	set := out.DistributionConfig.Logging
	if set == nil {
		return log{on: evidence.Known(false, at.WithNote("AWS default"))}, nil
	}
	return log{on: evidence.Known(aws.ToBool(set.Enabled), at), bucket: aws.ToString(set.Bucket), prefix: aws.ToString(set.Prefix)}, nil
}

// realtimeOf reads what a distribution logs in real time; nil where it is nothing.
func realtimeOf(ctx context.Context, s *scope.Scope, client *cloudfront.Client, d types.DistributionSummary) *realtime {
	out := realtime{at: s.At(listDistributions, aws.ToString(d.Id)), all: true}
	arns := []string{""}
	if d.DefaultCacheBehavior != nil {
		arns[0] = aws.ToString(d.DefaultCacheBehavior.RealtimeLogConfigArn)
	}
	if d.CacheBehaviors != nil {
		for _, b := range d.CacheBehaviors.Items {
			arns = append(arns, aws.ToString(b.RealtimeLogConfigArn))
		}
	}
	slices.Sort(arns)
	for _, arn := range slices.Compact(arns) {
		if arn == "" {
			out.all = false
			continue
		}
		listed := scope.Memo(s, "cloudfront real-time logs", func() configs { return realtimeConfigs(ctx, s, client) })
		if c, ok := listed.by[arn]; ok {
			out.configs = append(out.configs, c)
		} else {
			out.unseen = cmp.Or(listed.err, errNothing)
		}
	}
	if len(out.configs) == 0 && out.unseen == nil {
		return nil
	}
	return &out
}

// configs are the settings of real-time logs, by ARN, and what kept the rest of them from being listed.
type configs struct {
	by  map[string]types.RealtimeLogConfig
	err error
}

func realtimeConfigs(ctx context.Context, s *scope.Scope, client *cloudfront.Client) configs {
	all := configs{by: map[string]types.RealtimeLogConfig{}}
	for marker := (*string)(nil); ; {
		out, err := client.ListRealtimeLogConfigs(ctx, &cloudfront.ListRealtimeLogConfigsInput{Marker: marker})
		if err != nil {
			s.Missed(s.Home(), "where real-time logs of distributions go", err, s.At(listRealtime, ""))
			all.err = err
			return all
		}
		if out.RealtimeLogConfigs == nil {
			return all
		}
		for _, c := range out.RealtimeLogConfigs.Items {
			all.by[aws.ToString(c.ARN)] = c
		}
		next := out.RealtimeLogConfigs.NextMarker
		if aws.ToString(next) == "" || aws.ToString(next) == aws.ToString(marker) {
			return all
		}
		marker = next
	}
}
