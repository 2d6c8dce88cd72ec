// Package guardduty reads whether a region is watched by GuardDuty, what becomes of its findings, and on which machines
// its agent runs.
package guardduty

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/guardduty"
	"github.com/aws/aws-sdk-go-v2/service/guardduty/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

const (
	list         = "guardduty:ListDetectors"
	get          = "guardduty:GetDetector"
	destinations = "guardduty:ListPublishingDestinations"
	destination  = "guardduty:DescribePublishingDestination"
	coverage     = "guardduty:ListCoverage"
	manager      = "guardduty:GetAdministratorAccount"
)

// Service reads the detector of each region.
func Service() scope.Service {
	call := func(op, action, per, fills, perhaps string) scope.Call {
		return scope.Call{Service: guardduty.ServiceID, Op: op, Action: action, Per: per, Fills: fills, Perhaps: perhaps}
	}
	const ifAny = "where there is a detector"
	return scope.Service{
		Name: "guardduty",
		Calls: []scope.Call{
			call("ListDetectors", list, "region", "Asset.Looked", ""),
			call("GetDetector", get, "detector", "LogSource.Enabled, LogSource.Since", ifAny),
			call("ListPublishingDestinations", destinations, "detector", "LogSource.To", ifAny),
			call("DescribePublishingDestination", destination, "destination of findings", "LogSource.To, Delivery.Error", "where findings are exported"),
			call("GetAdministratorAccount", manager, "detector", "LogSource.Complete", ifAny),
			call("ListCoverage", coverage, "detector", "LogSource.Enabled, LogSource.Parts", "where runtime monitoring is on"),
		},
		Region: read,
	}
}

func read(ctx context.Context, s *scope.Scope) {
	client := guardduty.NewFromConfig(s.Config)
	at := s.At(list, "")
	var ids []string
	pages := guardduty.NewListDetectorsPaginator(client, &guardduty.ListDetectorsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			s.Look(s.Home(), evidence.Detection, scope.Unknown[bool](err, at))
			unseen(s, "GuardDuty detectors", err, at)
			return
		}
		ids = append(ids, page.DetectorIds...)
	}
	s.Look(s.Home(), evidence.Detection, evidence.Known(true, at))
	for _, id := range ids { // a region has one at most
		d := detector{id: id, at: s.At(get, id)}
		out, err := client.GetDetector(ctx, &guardduty.GetDetectorInput{DetectorId: aws.String(id)})
		if err != nil {
			d.on = scope.Unknown[bool](err, d.at)
			unseen(s, "GuardDuty agents", err, d.at)
		} else {
			d.on = enabled(out.Status, d.at)
			d.created = aws.ToString(out.CreatedAt)
		}
		d.exports = exports(ctx, s, client, id)
		if whole, _ := d.exports.whole.Get(); whole {
			d.exports.whole = alone(ctx, s, client, id)
		}
		if err == nil && hasAgent(out.Features) {
			d.covered, d.coverage = covered(ctx, s, client, id), s.At(coverage, id)
		}
		s.After(func(context.Context) { observe(s, d) })
	}
}

// unseen records that nobody could tell what GuardDuty watches: its agent may run on every machine.
func unseen(s *scope.Scope, what string, err error, at evidence.Origin) {
	s.Blind(what, err, at, scope.Unseen{Activities: []evidence.Activity{evidence.Detection, evidence.Process}, On: s.Home()})
}

func enabled(status types.DetectorStatus, at evidence.Origin) evidence.Value[bool] {
	switch status {
	case types.DetectorStatusEnabled:
		return evidence.Known(true, at)
	case types.DetectorStatusDisabled:
		return evidence.Known(false, at)
	}
	return evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("its status is "+strconv.Quote(string(status))))
}

// alone says whether nobody else may export the findings of a detector: the administrator of a member account sees its
// findings, and where they are sent is set there.
func alone(ctx context.Context, s *scope.Scope, client *guardduty.Client, id string) evidence.Value[bool] {
	at := s.At(manager, id)
	out, err := client.GetAdministratorAccount(ctx, &guardduty.GetAdministratorAccountInput{DetectorId: aws.String(id)})
	if err != nil {
		return scope.Unknown[bool](err, at)
	}
	if a := out.Administrator; a != nil && administers(*a, s.Account) {
		return evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("account "+aws.ToString(a.AccountId)+" administers GuardDuty, and may export its findings"))
	}
	return evidence.Known(true, s.At(destinations, id))
}

// administers says whether an administrator other than the account itself may be in charge. One of which the answer does not
// say how it stands to the account may be.
func administers(a types.Administrator, account string) bool {
	id, relationship := aws.ToString(a.AccountId), aws.ToString(a.RelationshipStatus)
	if relationship == "" {
		return id != "" && id != account
	}
	return strings.EqualFold(relationship, "enabled") && id != account
}

func hasAgent(features []types.DetectorFeatureConfigurationResult) bool {
	for _, f := range features {
		switch f.Name {
		case types.DetectorFeatureResultRuntimeMonitoring, types.DetectorFeatureResultEksRuntimeMonitoring:
			if f.Status == types.FeatureStatusEnabled {
				return true
			}
		}
	}
	return false
}

func exports(ctx context.Context, s *scope.Scope, client *guardduty.Client, id string) (out exported) {
	at := s.At(destinations, id)
	pages := guardduty.NewListPublishingDestinationsPaginator(client, &guardduty.ListPublishingDestinationsInput{DetectorId: aws.String(id)})
	out.whole = evidence.Known(true, at)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			out.whole = scope.Unknown[bool](err, at)
			return out
		}
		for _, d := range page.Destinations {
			one := s.At(destination, aws.ToString(d.DestinationId))
			full, err := client.DescribePublishingDestination(ctx, &guardduty.DescribePublishingDestinationInput{DetectorId: aws.String(id), DestinationId: d.DestinationId})
			if err != nil {
				out.whole = scope.Unknown[bool](err, one)
				continue
			}
			var to types.DestinationProperties
			if full.DestinationProperties != nil {
				to = *full.DestinationProperties
			}
			arn, ok := scope.ParseARN(aws.ToString(to.DestinationArn))
			if !ok {
				out.whole = evidence.Unknown[bool](evidence.Unfamiliar, one.WithNote("it names no bucket"))
				continue
			}
			bucket, prefix, _ := strings.Cut(arn.Resource, "/")
			out.to = append(out.to, target{
				place: scope.Place{Bucket: bucket, Prefix: prefix, Key: aws.ToString(to.KmsKeyArn)}, status: full.Status, at: one,
			})
		}
	}
	return out
}

// A cover is a machine or cluster that runtime monitoring is meant for.
type cover struct {
	instance, cluster string
	healthy           bool
	issue             string
	nodes, reporting  *int64 // of a cluster; how many of its nodes are healthy
}

type coverResult struct {
	covers []cover
	err    error
}

func covered(ctx context.Context, s *scope.Scope, client *guardduty.Client, id string) (out coverResult) {
	pages := guardduty.NewListCoveragePaginator(client, &guardduty.ListCoverageInput{DetectorId: aws.String(id)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			out.err = err
			return out
		}
		for _, r := range page.Resources {
			c := cover{healthy: r.CoverageStatus == types.CoverageStatusHealthy, issue: aws.ToString(r.Issue)}
			if account := aws.ToString(r.AccountId); r.ResourceDetails == nil || account != "" && account != s.Account {
				continue // an administrator is told of the members' too: the SDK, ListCoverage
			}
			if d := r.ResourceDetails.Ec2InstanceDetails; d != nil {
				c.instance = aws.ToString(d.InstanceId)
			}
			if d := r.ResourceDetails.EksClusterDetails; d != nil {
				c.cluster = aws.ToString(d.ClusterName)
				c.nodes, c.reporting = d.CompatibleNodes, d.CoveredNodes
			}
			if c.instance != "" || c.cluster != "" {
				out.covers = append(out.covers, c)
			}
		}
	}
	return out
}
