package lambda

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// A function is what Lambda says of one.
type function struct {
	name      string
	at        evidence.Origin
	latest    bool  // whether its own entry was listed, and not its versions alone
	missed    error // why not all of its versions were, nil where they were
	role      string
	group     string // the log group that it writes to
	level     types.ApplicationLogLevel
	system    types.SystemLogLevel // of what Lambda itself writes
	image     bool                 // whether it runs a container image
	code      string               // the hash of what $LATEST runs
	published string               // the hash of what $LATEST.PUBLISHED runs, which goes before $LATEST where it is there
	versions  map[string]bool      // the hashes of what its numbered versions run
	writes    evidence.Value[bool]
	creates   evidence.Value[bool] // whether its role may make the log group
}

// observe turns a function into records. It comes and goes, and does not end by itself.
func observe(s *scope.Scope, f *function) {
	thing := "lambda/" + f.name
	asset := &evidence.Asset{
		Subject: evidence.Subject{ID: s.ID(thing), Kind: "Lambda function", Name: f.name, At: f.at},
		In:      s.In(f.at), Lingers: evidence.Moot[int64](f.at),
		Looked: map[evidence.Activity]evidence.Value[bool]{evidence.Application: evidence.Known(true, f.at)},
	}
	s.Record(asset)
	if !f.image { // an image is fetched from its registry, and which one ran is asked there
		s.Record(&evidence.Access{
			Subject: evidence.Subject{ID: s.ID(thing + "/code"), Kind: "code", Name: "the code of " + f.name, At: f.at},
			Of:      asset.ID, Means: evidence.MeansCode, Allowed: f.kept(),
		})
	}
	out := s.Source(thing, evidence.Application, "function log", "the output of "+f.name, f.at)
	// "Lambda automatically captures logs for all function invocations": the developer guide, as above.
	out.Records, out.Covers, out.Enabled = "its invocations and its output", []evidence.ID{asset.ID}, f.writes
	to := evidence.EverythingTo(s.GroupID(f.group), f.at)
	if but := f.filtered(); but != "" {
		to.Extent = evidence.Known(evidence.Extent{Grade: evidence.Some, But: but}, f.at)
	}
	out.To = []evidence.Delivery{to}
	s.After(func(context.Context) {
		_, exists := s.Group(f.group)
		switch there, known := exists.Get(); {
		case !known && isTrue(f.writes) && !isTrue(f.creates): // where there is none, nothing is written
			out.Enabled = evidence.Unknown[bool](exists.Why(), exists.At())
		case known && !there:
			notYet(s, f, out, exists.At())
		}
		s.Record(out)
	})
}

// filtered says what the levels of a function keep out of its log. INFO is the default of both, and at that level Lambda
// writes when an invocation began and ended: the developer guide, "Log-level filtering".
func (f *function) filtered() string {
	var but []string
	switch f.level {
	case types.ApplicationLogLevelWarn, types.ApplicationLogLevelError, types.ApplicationLogLevelFatal:
		but = append(but, "only lines of level "+string(f.level)+" and above")
	}
	if f.system == types.SystemLogLevelWarn {
		but = append(but, "not when an invocation began and ended: Lambda itself writes only lines of level WARN")
	}
	return strings.Join(but, "; ")
}

// notYet says what it means that a function has no log group: Lambda makes one for the first record, if the role may.
func notYet(s *scope.Scope, f *function, out *evidence.LogSource, at evidence.Origin) {
	if creates, known := f.creates.Get(); isTrue(f.writes) && (!known || !creates) {
		out.Enabled = f.creates
	}
	at = at.WithNote(fmt.Sprintf("log group %q does not exist: the function has not run yet, or its output is lost", f.group))
	scope.Memo(s, "lambda: no log group "+string(s.GroupID(f.group)), func() struct{} {
		store := s.Store(s.GroupID(f.group), "log group", f.group, at)
		store.Kept = evidence.Unknown[int](evidence.Elsewhere, at)
		s.Record(store)
		return struct{}{}
	})
}

func isTrue(v evidence.Value[bool]) bool {
	is, known := v.Get()
	return known && is
}

// kept says whether the code that runs today can be had once it was replaced: an update overwrites $LATEST, and a published
// version stays as it is if it has a number.
func (f *function) kept() evidence.Value[bool] {
	code := cmp.Or(f.published, f.code)
	switch {
	case code != "" && f.versions[code]:
		return evidence.Known(true, f.at)
	case f.missed != nil:
		return scope.Unknown[bool](f.missed, f.at)
	case len(f.versions) == 0:
		return evidence.Known(false, f.at.WithNote("no version of it is published: the next update overwrites its code"))
	}
	return evidence.Unknown[bool](evidence.Elsewhere, f.at.WithNote("no published version holds the code of $LATEST; which of them is called is decided elsewhere"))
}
