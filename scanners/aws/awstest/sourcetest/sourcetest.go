// Package sourcetest helps the tests of readers whose things have one log each, or few.
package sourcetest

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/scope"
)

// Groups stands for the reader of CloudWatch Logs: these groups exist.
func Groups(names ...string) scope.Service {
	return scope.Service{Name: "groups", Region: func(_ context.Context, s *scope.Scope) {
		all := map[string]scope.Group{}
		for _, n := range names {
			all[n] = scope.Group{}
		}
		s.SetGroups(all, nil)
	}}
}

// Sources tells of every log source, a line for each: "elb/web#edge: on (elasticloadbalancing:... eu-west-1/web) -> s3/logs".
// How much of the traffic it records, [Edge] tells.
func Sources(set *evidence.Set) []string {
	var out []string
	for _, r := range set.Records {
		l, ok := r.(*evidence.LogSource)
		if !ok {
			continue
		}
		line := l.ID.Thing() + ": " + switched(l.Enabled) + " (" + place(l.Enabled.At()) + ")"
		for _, d := range l.To {
			line += " -> " + d.To.Thing()
			if text, known := d.Error.Get(); known && text != "" {
				line += " (" + text + ")"
			}
		}
		for _, part := range slices.Sorted(maps.Keys(l.Parts)) {
			if part == evidence.PartTraffic {
				continue
			}
			e, _ := l.Parts[part].Get()
			line += fmt.Sprintf("; %s %s: %s", part, e.Grade, e.But)
		}
		if l.Complete.IsUnknown() {
			line += "; perhaps elsewhere: " + l.Complete.Why().String()
		}
		out = append(out, line)
	}
	return out
}

// Edge tells what comes of the question whether what comes in is recorded, a line for each door: "fail elb/web: ...".
func Edge(set *evidence.Set) []string {
	var out []string
	for _, line := range awstest.Judge(set) {
		outcome, rest, _ := strings.Cut(line, " ")
		if of, ok := strings.CutPrefix(rest, "recorded-edge "); ok {
			out = append(out, outcome+" "+of[strings.Index(of, "//")+2:])
		}
	}
	return out
}

func switched(v evidence.Value[bool]) string {
	on, known := v.Get()
	switch {
	case !known:
		return v.Why().String()
	case on:
		return "on"
	}
	return "off"
}

func place(at evidence.Origin) string {
	text := at.Call + " " + at.Of
	if at.Note != "" {
		text += ", " + at.Note
	}
	return text
}

// Want compares what a test is about, line by line.
func Want(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// Gaps tells of every gap: "aws:111122223333/eu-west-1//region: web ACLs: denied".
func Gaps(set *evidence.Set) []string {
	var out []string
	for _, g := range set.Gaps {
		out = append(out, string(g.In)+": "+g.Asked+": "+g.Why.String())
	}
	slices.Sort(out)
	return out
}

// Record returns a record by what its ID says of the thing.
func Record[R evidence.Record](t *testing.T, set *evidence.Set, thing string) R {
	t.Helper()
	var none R
	for _, r := range set.Records {
		if r, ok := r.(R); ok && r.Self().ID.Thing() == thing {
			return r
		}
	}
	t.Fatalf("there is no record of %s", thing)
	return none
}

// Passes lists what a set passes.
func Passes(set *evidence.Set) []string {
	var out []string
	for _, line := range awstest.Judge(set) {
		if id, _, ok := strings.Cut(line, ": "); ok && strings.HasPrefix(id, "pass ") {
			out = append(out, id)
		}
	}
	return out
}

// DenyEach reads an estate once for each kind of call that it takes, with that one refused. Nothing may pass that did not
// pass before, and somebody must be told.
func DenyEach(t *testing.T, answer awstest.Answer, services ...scope.Service) {
	t.Helper()
	made := make(chan string, 10_000)
	before := Passes(awstest.Scan(t, func(region string, input any) (any, error) {
		made <- reflect.TypeOf(input).String()
		return answer(region, input)
	}, nil, services...))
	close(made)
	kinds := map[string]bool{}
	for kind := range made {
		kinds[kind] = true
	}
	if len(kinds) == 0 {
		t.Error("nothing was called")
	}
	for kind := range kinds {
		set := awstest.Scan(t, func(region string, input any) (any, error) {
			if reflect.TypeOf(input).String() == kind {
				return nil, awstest.Denied()
			}
			return answer(region, input)
		}, nil, services...)
		for _, p := range Passes(set) {
			if !slices.Contains(before, p) {
				t.Errorf("with %s refused, this is new: %s", kind, p)
			}
		}
		if !told(set) {
			t.Errorf("that %s is refused, nobody is told", kind)
		}
	}
}

// told reports whether a set says that something was refused.
func told(set *evidence.Set) bool {
	for _, g := range set.Gaps {
		if g.Why == evidence.Denied {
			return true
		}
	}
	for _, r := range set.Records {
		l, ok := r.(*evidence.LogSource)
		if !ok {
			continue
		}
		refused := func(d evidence.Delivery) bool { return d.Extent.Why() == evidence.Denied }
		if l.Enabled.Why() == evidence.Denied || l.Complete.Why() == evidence.Denied || slices.ContainsFunc(l.To, refused) {
			return true
		}
	}
	return false
}
