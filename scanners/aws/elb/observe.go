package elb

import (
	"lookback/evidence"
	"lookback/scanners/aws/scope"
	"lookback/scanners/aws/vended"
)

// A balancer is what is set for the logs of a load balancer.
type balancer struct {
	thing, kind, name string
	at                evidence.Origin
	access            log // its own access log
	connections       log // its own connection log, which only an application load balancer has
	// vended and vendedConnections are the same logs, delivered by CloudWatch Logs.
	vended, vendedConnections vended.Delivered
	// tls says how many of its listeners take TLS; moot where it logs what comes to any of them.
	tls evidence.Value[evidence.Extent]
}

// A log is one that a load balancer writes to a bucket.
type log struct {
	on             evidence.Value[bool]
	bucket, prefix string
}

// bestEffort is what Elastic Load Balancing promises for every kind of load balancer: "We recommend that you use access
// logs to understand the nature of the requests, not as a complete accounting of all requests", its user guides under
// "Access logs".
const bestEffort = "AWS delivers them as best effort"

// observe turns a load balancer into records.
func observe(s *scope.Scope, b balancer) {
	// "Access logs are created only if the load balancer has a TLS listener, and the logs contain information about TLS
	// requests only": the guide for Network Load Balancers, for both ways of delivery. Without one there is no log to turn on.
	tls, known := b.tls.Get()
	if known && tls.Grade == evidence.None {
		return
	}
	asset := &evidence.Asset{
		Subject: evidence.Subject{ID: s.ID(b.thing), Kind: b.kind, Name: b.name, At: b.at},
		In:      s.In(b.at), Lasting: true,
		Looked: map[evidence.Activity]evidence.Value[bool]{evidence.Edge: evidence.Known(true, b.at)},
	}
	s.Record(asset)

	l := source(s, asset, b.thing, "access log", b.access, b.vended)
	l.Records = "requests"
	but := bestEffort
	if tls.But != "" {
		but = tls.But + "; " + but
	}
	l.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{
		evidence.PartEveryEvent: evidence.Known(evidence.Extent{Grade: evidence.Some, But: but}, l.Enabled.At()),
		evidence.PartTraffic:    evidence.Everything(l.Enabled.At()), // it could log no more
	}
	if b.tls.IsUnknown() { // it may have nothing that it could log
		l.Enabled = evidence.Unknown[bool](b.tls.Why(), b.tls.At())
	}
	s.Record(l)

	// A log of connections says who came, not what they asked for: it stands beside the access log where it is on.
	l = source(s, asset, b.thing+"/connections", "connection log", b.connections, b.vendedConnections)
	if on, known := l.Enabled.Get(); on || !known && !l.Enabled.IsMoot() && !l.Enabled.IsZero() {
		l.Records = "connections"
		const but = "connections alone, not the requests"
		l.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{
			evidence.PartEveryEvent: evidence.Known(evidence.Extent{Grade: evidence.Some, But: but + "; " + bestEffort}, l.Enabled.At()),
			evidence.PartTraffic:    evidence.Known(evidence.Extent{Grade: evidence.Some, But: but}, l.Enabled.At()),
		}
		s.Record(l)
	}
}

// source puts the two ways together on which a log leaves a load balancer.
func source(s *scope.Scope, asset *evidence.Asset, thing, kind string, own log, also vended.Delivered) *evidence.LogSource {
	l := s.Source(thing, evidence.Edge, kind, asset.Name, asset.At)
	l.Covers = []evidence.ID{asset.ID}
	l.Enabled = vended.Either(own.on, also.On)
	if on, _ := own.on.Get(); on && own.bucket != "" {
		// bucket[/prefix]/AWSLogs/aws-account-id/elasticloadbalancing/region/: the user guides, "Access log files".
		place := scope.Place{Bucket: own.bucket, Prefix: vended.Under(own.prefix, "AWSLogs/"+s.Account+"/elasticloadbalancing/"+s.Region)}
		l.To = append(l.To, evidence.EverythingTo(s.Bucket(place), own.on.At()))
	}
	l.To = append(l.To, also.To...)
	for _, fact := range []evidence.Value[bool]{own.on, also.Whole} {
		if fact.IsUnknown() {
			l.Complete = evidence.Unknown[bool](fact.Why(), fact.At())
		}
	}
	vended.Groups(s, l)
	return l
}
