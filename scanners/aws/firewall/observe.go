package firewall

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/networkfirewall/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
	"lookback/scanners/aws/vended"
)

// A firewall is what one logs: each type of log to a place of its own.
type firewall struct {
	name string
	at   evidence.Origin
	logs evidence.Value[[]types.LogDestinationConfig]
}

// holds says what each type of log holds. That of flows is all that a firewall can log: "Firewall logging is only available for traffic that you forward to the stateful
// rules engine": the developer guide, "Logging network traffic".
var holds = [...]struct {
	kind   types.LogType
	extent evidence.Extent
}{
	{types.LogTypeFlow, evidence.Extent{Grade: evidence.Some, But: "only what is forwarded to the stateful engine"}},
	{types.LogTypeAlert, evidence.Extent{Grade: evidence.Some, But: "alerts alone: what a rule drops, rejects or alerts on"}},
	{types.LogTypeTls, evidence.Extent{Grade: evidence.Some, But: "events of TLS inspection alone"}},
}

// observe turns a firewall into records.
func observe(s *scope.Scope, f firewall) {
	thing := "firewall/" + f.name
	asset := &evidence.Asset{
		Subject: evidence.Subject{ID: s.ID(thing), Kind: "network firewall", Name: f.name, At: f.at},
		In:      s.In(f.at), Lasting: true,
		Looked: map[evidence.Activity]evidence.Value[bool]{evidence.Edge: evidence.Known(true, f.at)},
	}
	s.Record(asset)
	logs, known := f.logs.Get()
	at := f.logs.At()
	logged := false
	for _, h := range holds {
		l := s.Source(thing+"/"+strings.ToLower(string(h.kind)), evidence.Edge, strings.ToLower(string(h.kind))+" log", f.name, at)
		l.Records, l.Covers, l.Enabled = "traffic", []evidence.ID{asset.ID}, evidence.Known(true, at)
		traffic := h.extent
		if h.kind == types.LogTypeFlow {
			traffic = evidence.Extent{Grade: evidence.All}
		}
		l.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{evidence.PartEveryEvent: evidence.Known(h.extent, at), evidence.PartTraffic: evidence.Known(traffic, at)}
		on := false
		for _, c := range logs {
			if c.LogType != h.kind {
				continue
			}
			on = true
			if to, ok := store(s, c, f.name); ok {
				l.To = append(l.To, evidence.EverythingTo(to, at))
			}
		}
		if on {
			logged = true
			vended.Groups(s, l)
			s.Record(l)
		}
	}
	if logged {
		return
	}
	l := s.Source(thing, evidence.Edge, "log", f.name, at)
	l.Records, l.Covers, l.Enabled = "traffic", []evidence.ID{asset.ID}, evidence.Known(false, at)
	if !known {
		l.Enabled = evidence.Unknown[bool](f.logs.Why(), at)
	}
	s.Record(l)
}

// store names where a log goes. The keys are those that the SDK lists at LogDestinationConfig.LogDestination; in a bucket
// it goes to [prefix/]AWSLogs/account-id/network-firewall/log-type/Region/firewall-name/: the developer guide, "Sending
// logs to Amazon S3".
func store(s *scope.Scope, c types.LogDestinationConfig, name string) (evidence.ID, bool) {
	group, stream, bucket := c.LogDestination["logGroup"], c.LogDestination["deliveryStream"], c.LogDestination["bucketName"]
	switch {
	case c.LogDestinationType == types.LogDestinationTypeCloudwatchLogs && group != "":
		return s.GroupID(group), true
	case c.LogDestinationType == types.LogDestinationTypeKinesisDataFirehose && stream != "":
		return s.ID("firehose/" + stream), true
	case c.LogDestinationType == types.LogDestinationTypeS3 && bucket != "":
		below := "AWSLogs/" + s.Account + "/network-firewall/" + strings.ToLower(string(c.LogType)) + "/" + s.Region + "/" + name
		return s.Bucket(scope.Place{Bucket: bucket, Prefix: vended.Under(c.LogDestination["prefix"], below)}), true
	}
	return "", false
}
