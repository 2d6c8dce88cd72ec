package vpn

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// A door is a Client VPN endpoint or a site-to-site connection.
type door struct {
	thing, kind, name string
	logKind, records  string
	enabled           evidence.Value[bool]
	groups            []string // log groups, by name or ARN
	tunnels           int      // of a connection
	logging           []string // the addresses of those that log
	at                evidence.Origin
}

func observe(s *scope.Scope, d door) {
	asset := &evidence.Asset{
		Subject: evidence.Subject{ID: s.ID(d.thing), Kind: d.kind, Name: d.name, At: d.at}, In: s.In(d.at), Lasting: true,
		Looked: map[evidence.Activity]evidence.Value[bool]{evidence.Edge: evidence.Known(true, d.at)},
	}
	s.Record(asset)
	source := s.Source(d.thing, evidence.Edge, d.logKind, d.name, d.at)
	source.Covers, source.Records, source.Enabled = []evidence.ID{asset.ID}, d.records, d.enabled
	every := evidence.Extent{Grade: evidence.All}
	if len(d.logging) > 0 && len(d.logging) < d.tunnels {
		every = evidence.Extent{Grade: evidence.Some, But: fmt.Sprintf("only tunnel %s of %d tunnels", strings.Join(d.logging, ", "), d.tunnels)}
	}
	source.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{evidence.PartTraffic: evidence.Known(every, d.at)}
	if len(d.logging) > 0 {
		source.Parts[evidence.PartEveryEvent] = evidence.Known(every, d.at)
	}
	slices.Sort(d.groups)
	groups := slices.Compact(d.groups)
	s.After(func(context.Context) {
		for _, group := range groups {
			if group == "" {
				source.Complete = evidence.Unknown[bool](evidence.Unfamiliar, d.at.WithNote("AWS does not name its log group"))
				continue
			}
			source.To = append(source.To, delivery(s, group, d.at))
		}
		s.Record(source)
	})
}

func delivery(s *scope.Scope, group string, at evidence.Origin) evidence.Delivery {
	to := evidence.EverythingTo(s.GroupID(group), at)
	to.Last = evidence.Moot[time.Time](at.WithNote("a door that nobody uses writes nothing"))
	if to.To.Target() == s.Home().Target() { // a log group of this region
		_, exists := s.Group(strings.TrimPrefix(to.To.Thing(), "logs/"))
		switch there, known := exists.Get(); {
		case !known:
			to.Error = evidence.Unknown[string](exists.Why(), exists.At())
		case !there:
			to.Error = evidence.Known("its log group does not exist", exists.At())
		}
	}
	return to
}
