package waf

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/wafv2/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
	"lookback/scanners/aws/vended"
)

// An acl is what a web ACL logs.
type acl struct {
	name  string
	at    evidence.Origin
	logs  []types.LoggingConfiguration
	whole evidence.Value[bool] // false where the logs are all; unknown where some may be missing
}

// observe turns a web ACL into records: a log of its own for each owner of one, since each has its own filter.
func observe(s *scope.Scope, a acl) {
	thing := "waf/" + a.name
	asset := &evidence.Asset{
		Subject: evidence.Subject{ID: s.ID(thing), Kind: "web ACL", Name: a.name, At: a.at},
		In:      s.In(a.at), Lasting: true,
		Looked: map[evidence.Activity]evidence.Value[bool]{evidence.Edge: evidence.Known(true, a.at)},
	}
	s.Record(asset)
	source := func(thing string, on evidence.Value[bool]) *evidence.LogSource {
		l := s.Source(thing, evidence.Edge, "web ACL log", a.name, on.At())
		l.Records, l.Covers, l.Enabled = "requests", []evidence.ID{asset.ID}, on
		return l
	}
	if len(a.logs) == 0 || a.whole.IsUnknown() {
		s.Record(source(thing, a.whole))
	}
	seen := map[types.LogScope]bool{}
	for _, c := range a.logs {
		owner := c.LogScope
		if owner == "" {
			owner = types.LogScopeCustomer
		}
		if seen[owner] { // a list that takes no heed of the owner names each log again
			continue
		}
		seen[owner] = true
		at := s.At(listLogs, a.name)
		if fields := redacted(c.RedactedFields); fields != "" {
			at = at.WithNote("left out: " + fields)
		}
		l := source(thing+"/"+strings.ToLower(string(owner)), evidence.Known(true, at))
		l.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{evidence.PartTraffic: evidence.Everything(at)}
		if kept, filtered := extent(c.LoggingFilter); filtered {
			l.Enabled = evidence.Known(kept.Grade != evidence.None, at)
			l.Parts[evidence.PartEveryEvent], l.Parts[evidence.PartTraffic] = evidence.Known(kept, at), evidence.Known(kept, at)
		}
		// bucket[/prefix]/AWSLogs/account-id/WAFLogs/: the WAF developer guide, "Sending traffic logs to an S3 bucket". Others
		// than the owner choose a place of their own.
		below := ""
		if owner == types.LogScopeCustomer {
			below = "AWSLogs/" + s.Account + "/WAFLogs"
		}
		for _, arn := range c.LogDestinationConfigs {
			if to, ok := vended.Store(s, arn, below); ok {
				l.To = append(l.To, evidence.EverythingTo(to, at))
			}
		}
		vended.Groups(s, l)
		s.Record(l)
	}
}

// redacted names what is kept out of the log.
func redacted(fields []types.FieldToMatch) string {
	var out []string
	for _, f := range fields {
		switch {
		case f.SingleHeader != nil:
			out = append(out, "the header "+aws.ToString(f.SingleHeader.Name))
		case f.UriPath != nil:
			out = append(out, "the path")
		case f.QueryString != nil:
			out = append(out, "the query")
		case f.Method != nil:
			out = append(out, "the method")
		}
	}
	return strings.Join(out, ", ")
}

// extent says what a filter leaves, and whether there is one that leaves something out.
func extent(f *types.LoggingFilter) (evidence.Extent, bool) {
	if f == nil {
		return evidence.Extent{}, false
	}
	var keeps, drops []string
	for _, one := range f.Filters {
		if one.Behavior == types.FilterBehaviorKeep {
			keeps = append(keeps, words(one))
		} else {
			drops = append(drops, words(one))
		}
	}
	switch {
	case f.DefaultBehavior == types.FilterBehaviorDrop && len(keeps) == 0:
		return evidence.Extent{Grade: evidence.None, But: "its filter drops all"}, true
	case f.DefaultBehavior == types.FilterBehaviorDrop:
		return evidence.Extent{Grade: evidence.Some, But: "only " + strings.Join(keeps, "; ")}, true
	case len(drops) == 0:
		return evidence.Extent{}, false
	}
	return evidence.Extent{Grade: evidence.Some, But: "not " + strings.Join(drops, "; ")}, true
}

// words tells what a filter is about: "action BLOCK or label bad-bot".
func words(f types.Filter) string {
	var out []string
	for _, c := range f.Conditions {
		if c.ActionCondition != nil {
			out = append(out, "action "+string(c.ActionCondition.Action))
		}
		if c.LabelNameCondition != nil {
			out = append(out, "label "+aws.ToString(c.LabelNameCondition.LabelName))
		}
	}
	slices.Sort(out)
	join := " or "
	if f.Requirement == types.FilterRequirementMeetsAll {
		join = " and "
	}
	return strings.Join(out, join)
}
