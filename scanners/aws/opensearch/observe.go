package opensearch

import (
	"lookback/evidence"
	"lookback/scanners/aws/scope"
	"lookback/scanners/aws/vended"
)

// A domain is what is set for its audit log.
type domain struct {
	name      string
	at        evidence.Origin
	published evidence.Value[bool]
	group     string // the ARN of the log group
}

// observe turns a domain into records.
func observe(s *scope.Scope, d domain) {
	thing := "opensearch/" + d.name
	asset := &evidence.Asset{
		Subject: evidence.Subject{ID: s.ID(thing), Kind: "OpenSearch domain", Name: d.name, At: d.at},
		In:      s.In(d.at), Lasting: true,
		Looked: map[evidence.Activity]evidence.Value[bool]{evidence.Database: evidence.Known(true, d.at)},
	}
	s.Record(asset)
	l := s.Source(thing, evidence.Database, "audit log", d.name, d.at)
	l.Records, l.Covers, l.Enabled = "its audit log", []evidence.ID{asset.ID}, d.published
	if on, _ := d.published.Get(); on {
		// "Enabling audit logs on the domain" is the first of two steps, "Turn on audit logging in OpenSearch Dashboards" the
		// second: the developer guide, "Monitoring audit logs". No call of AWS tells of the second.
		l.Enabled = evidence.Unknown[bool](evidence.Elsewhere, d.published.At().WithNote("it is published, but whether it is written is set inside, in OpenSearch Dashboards"))
		if to, ok := vended.Store(s, d.group, ""); ok {
			l.To = []evidence.Delivery{evidence.EverythingTo(to, d.published.At())}
			vended.Groups(s, l)
		}
	}
	s.Record(l)
}
