package apigateway

import (
	"maps"
	"slices"
	"strings"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
	"lookback/scanners/aws/vended"
)

// A stage is what a deployed API logs.
type stage struct {
	api, apiName, name string
	at                 evidence.Origin
	access             string            // the ARN of the log group or stream that access logs go to; "" where there are none
	levels             map[string]string // of the execution log, by method: INFO, ERROR, OFF or ""
	executionGroup     string
}

// everyMethod is the key of a setting that holds for all methods which have none of their own.
const everyMethod = "*/*"

// observe turns a stage into records.
func observe(s *scope.Scope, st stage) {
	thing := "apigateway/" + st.api + "/" + st.name
	asset := &evidence.Asset{
		Subject: evidence.Subject{ID: s.ID(thing), Kind: "API stage", Name: st.apiName + "/" + st.name, At: st.at},
		In:      s.In(st.at), Lasting: true,
		Looked: map[evidence.Activity]evidence.Value[bool]{evidence.Edge: evidence.Known(true, st.at)},
	}
	s.Record(asset)

	l := s.Source(thing, evidence.Edge, "access log", asset.Name, st.at)
	l.Records, l.Covers = "requests", []evidence.ID{asset.ID}
	l.Enabled = evidence.Known(st.access != "", st.at)
	l.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{evidence.PartTraffic: evidence.Everything(st.at)}
	if to, ok := vended.Store(s, st.access, ""); ok {
		l.To = []evidence.Delivery{evidence.EverythingTo(to, st.at)}
		vended.Groups(s, l)
	}
	s.Record(l)

	if traced, ok := st.traced(); ok {
		l := s.Source(thing+"/execution", evidence.Edge, "execution log", asset.Name, st.at)
		l.Records, l.Covers = "traces of requests", []evidence.ID{asset.ID}
		l.Enabled = evidence.Known(true, st.at)
		l.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{evidence.PartEveryEvent: evidence.Known(traced, st.at), evidence.PartTraffic: evidence.Known(traced, st.at)}
		l.To = []evidence.Delivery{evidence.EverythingTo(s.GroupID(st.executionGroup), st.at)}
		s.Record(l)
	}
}

// traced says how much of what a stage is asked its execution log traces. At the level ERROR it traces errors alone, which
// leaves out the requests of an intruder that worked: "Choose ERROR to write only error-level entries", the SDK on
// MethodSetting.LoggingLevel.
func (st stage) traced() (evidence.Extent, bool) {
	var full, not []string
	for _, method := range slices.Sorted(maps.Keys(st.levels)) {
		switch {
		case method == everyMethod:
		case st.levels[method] == "INFO":
			full = append(full, method)
		default:
			not = append(not, method)
		}
	}
	const but = "how the API handled them, not always who asked"
	switch {
	case st.levels[everyMethod] == "INFO" && len(not) == 0:
		return evidence.Extent{Grade: evidence.Some, But: but}, true
	case st.levels[everyMethod] == "INFO":
		return evidence.Extent{Grade: evidence.Some, But: but + "; not " + strings.Join(not, ", ")}, true
	case len(full) > 0:
		return evidence.Extent{Grade: evidence.Some, But: but + "; only " + strings.Join(full, ", ")}, true
	}
	return evidence.Extent{}, false
}
