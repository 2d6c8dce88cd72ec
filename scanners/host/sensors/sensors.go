// Package sensors reads which sensors a host has, beside auditd and Sysmon: that one is there, and whether it records, are
// two questions.
package sensors

import (
	"context"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"

	"lookback/evidence"
	"lookback/scanners/host/logfile"
	"lookback/scanners/host/logrotate"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/syslog"
	"lookback/scanners/host/unit"
	"lookback/scanners/locate"
)

// A sensor is a product as packages install it on a host.
type sensor struct {
	name  string
	units []string // it runs as any of them
	// read finds out what it records; nil for a product whose console decides.
	read   func(*scope.Scope, *found)
	source string // the documentation that the row was read from; "" where its unit's name is known from hearsay alone
}

// found is a sensor that is installed.
type found struct {
	sensor
	state unit.State
	// on says whether it records anything, where its configuration tells.
	on    evidence.Value[bool]
	what  string // what it writes down, for a sentence
	parts map[evidence.Part]evidence.Value[evidence.Extent]
	to    []evidence.Delivery
	whole evidence.Value[bool] // whether to is all
	of    []evidence.Activity
}

// Read records each sensor that is installed, once for each activity that it watches. It goes after auditd and Sysmon, and
// says that all sensors were looked for.
func Read(_ context.Context, s *scope.Scope) {
	for _, one := range products {
		st, there := one.find(s)
		if !there {
			continue
		}
		f := found{sensor: one, state: st, what: "what happens on the machine", parts: map[evidence.Part]evidence.Value[evidence.Extent]{}, of: []evidence.Activity{evidence.Process}}
		if one.read != nil {
			one.read(s, &f)
		} else {
			at := st.At.WithNote(one.name + " is installed; what it records is decided in its vendor's console")
			f.on, f.whole = evidence.Unknown[bool](evidence.Elsewhere, at), evidence.Unknown[bool](evidence.Elsewhere, at)
		}
		observe(s, f)
	}
	at := evidence.Origin{Note: fmt.Sprintf("%d products were looked for, beside auditd and Sysmon", len(products))}
	s.Look(evidence.Process, evidence.Known(true, at))
	s.Look(evidence.FileChange, evidence.Known(true, at))
}

// find returns the unit that a sensor runs as. A package may bring several, of which one is switched on: a unit that works
// goes before one of which nobody can tell, and that before one that does not.
func (one sensor) find(s *scope.Scope) (best unit.State, there bool) {
	rank := func(st unit.State) int {
		switch works, known := st.Works().Get(); {
		case !known:
			return 1
		case works:
			return 2
		}
		return 0
	}
	for _, name := range one.units {
		st := unit.Find(s, name, evidence.Process, evidence.FileChange)
		if installed, _ := st.Installed.Get(); installed && (!there || rank(st) > rank(best)) {
			best, there = st, true
		}
	}
	return best, there
}

// observe is the only place that knows what it means.
func observe(s *scope.Scope, f found) {
	enabled := f.on
	works := f.state.Works()
	switch on, known := works.Get(); {
	case known && !on && f.state.Running.IsUnknown():
		enabled = evidence.Known(false, works.At().WithNote(f.name+" is installed, and does not start with the machine"))
	case known && !on:
		enabled = evidence.Known(false, works.At().WithNote(f.name+" is installed, and does not run"))
	case !known:
		if records, sure := f.on.Get(); !sure || records { // what records nothing does not when it runs, either
			enabled = works
		}
	}
	for _, activity := range f.of {
		source := s.Source("sensor/"+strings.ReplaceAll(f.name, " ", "-"), activity, "sensor", f.name, f.state.At)
		source.Records, source.Enabled, source.To, source.Complete = f.what, enabled, f.to, f.whole
		for part, extent := range f.parts {
			source.Parts[part] = extent
		}
		source.Parts[evidence.PartEveryNode] = evidence.Moot[evidence.Extent](f.state.At)
		s.Record(source)
	}
}

// A settings file is YAML that was read, and where.
type settings struct {
	name string
	root *yaml.Node
	over []settings // that come after it, and hold before it; the last first
}

// config reads a YAML file. Where there is none it is empty; where it cannot be read, what the sensor does is unknown.
func (f *found) config(s *scope.Scope, name string) (settings, bool) {
	c := settings{name: name}
	data, err := s.Read(name, f.of...)
	if err == nil && data != nil {
		var doc yaml.Node
		if err = yaml.Unmarshal(data, &doc); err != nil {
			s.Missed("the file "+name, err, scope.At(name, 0), f.of...)
		}
		c.root = &doc
	}
	if err != nil {
		f.on, f.whole = scope.Unknown[bool](err, scope.At(name, 0)), scope.Unknown[bool](err, scope.At(name, 0))
		return c, false
	}
	return c, true
}

// get returns the text of a setting, and where it is written; "" and the file where it is not.
func (c settings) get(path ...string) (string, evidence.Origin) {
	for _, o := range c.over {
		if text, at := o.get(path...); text != "" {
			return text, at
		}
	}
	at := scope.At(c.name, 0)
	if c.root == nil {
		return "", at
	}
	place, value, n := locate.Find(c.root, path...)
	if n < len(path) || value == nil || value.Kind != yaml.ScalarNode {
		return "", at
	}
	return value.Value, scope.At(c.name, place.Line)
}

// yes reports whether a setting is on, and where that is written or holds by default.
func (c settings) yes(byDefault bool, path ...string) (bool, evidence.Origin) {
	value, at := c.get(path...)
	switch strings.ToLower(value) {
	case "true", "yes", "on", "1":
		return true, at
	case "":
		return byDefault, at.WithNote("default of " + strings.Join(path, "."))
	}
	return false, at
}

func some(but string, at evidence.Origin) evidence.Value[evidence.Extent] {
	return evidence.Known(evidence.Extent{Grade: evidence.Some, But: but}, at)
}

// file returns a delivery to a file of the host's, whose store is recorded if no other reader knows it. Bytes is the most
// that it keeps, 0 for no bound that is known.
func file(s *scope.Scope, name string, bytes int64, at evidence.Origin) evidence.Delivery {
	name = strings.TrimPrefix(name, "/")
	store := s.DiskStore(s.ID(name), "log file", name, at)
	if bytes > 0 {
		store.Kept, store.Bytes = evidence.Known(0, at), evidence.Known(bytes, at)
		span := logfile.Measure(s, logfile.Series(s, name))
		store.Oldest, store.Newest = span.Oldest, span.Newest
	} else {
		logrotate.Fill(s, store, name)
	}
	s.Record(store)
	return evidence.EverythingTo(store.ID, at)
}

// journal is where the standard output of a service goes.
func journal(s *scope.Scope, at evidence.Origin) []evidence.Delivery {
	if s.Store(s.ID("journal")) == nil {
		return nil
	}
	return []evidence.Delivery{evidence.EverythingTo(s.ID("journal"), at)}
}

func toSyslog(s *scope.Scope, program string) []evidence.Delivery {
	return syslog.Routes(s, "user", program)
}
