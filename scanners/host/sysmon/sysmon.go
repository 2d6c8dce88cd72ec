// Package sysmon reads Sysmon: its configuration on either system, and Sysmon for Linux on a host.
package sysmon

import (
	"context"
	"maps"

	"lookback/evidence"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/syslog"
	"lookback/scanners/host/unit"
)

// Where Sysmon for Linux lies: sysmon_defs.h and makePackages.sh of github.com/Sysinternals/SysmonForLinux. The package
// brings the first; "sysmon -i" copies it to a folder of its own, with the configuration, and makes the unit.
const (
	packaged = "usr/bin/sysmon"
	program  = "opt/sysmon/sysmon"
	config   = "opt/sysmon/config.xml"
	service  = "sysmon.service"
)

// A sensor is what is known of Sysmon on a host.
type sensor struct {
	at      evidence.Origin
	enabled evidence.Value[bool]
	parts   map[evidence.Part]evidence.Value[evidence.Extent]
}

// Read reads Sysmon for Linux.
func Read(_ context.Context, s *scope.Scope) {
	of := []evidence.Activity{evidence.Process, evidence.FileChange}
	if !s.Has(program, of...) {
		if s.Has(packaged, of...) {
			at := scope.At(packaged, 0).WithNote("the program is there; it was never installed as a service (sysmon -i)")
			at.Fix = "run sysmon -accepteula -i with a configuration"
			observe(s, sensor{at: at, enabled: evidence.Known(false, at)})
		}
		return
	}
	n := sensor{at: scope.At(program, 0), enabled: unit.Find(s, service, of...).Works()}
	data, err := s.Read(config, of...)
	switch {
	case err != nil:
		n.parts = unknownParts(scope.Unknown[evidence.Extent](err, scope.At(config, 0)))
	case data == nil:
		at := scope.At(config, 0).WithNote("no configuration file; what it records stands in a binary file of its own")
		n.parts = unknownParts(evidence.Unknown[evidence.Extent](evidence.Elsewhere, at))
	default:
		c, err := Grade(data, Linux)
		if err != nil {
			s.Missed("the configuration of Sysmon", err, scope.At(config, 0))
			n.parts = unknownParts(scope.Unknown[evidence.Extent](err, scope.At(config, 0)))
			break
		}
		n.parts = c.Parts(func(set Setting) evidence.Origin {
			at := scope.At(config, set.Line)
			at.Col = set.Col
			return at
		})
	}
	observe(s, n)
}

// unknownParts are the parts of a sensor whose configuration could not be had.
func unknownParts(v evidence.Value[evidence.Extent]) map[evidence.Part]evidence.Value[evidence.Extent] {
	parts := map[evidence.Part]evidence.Value[evidence.Extent]{}
	for _, a := range asked {
		if a.linux {
			parts[a.part] = v
		}
	}
	return parts
}

// observe records a log source for each activity that Sysmon watches. It writes with syslog(3) as "sysmon", facility user.
func observe(s *scope.Scope, n sensor) {
	to := syslog.Routes(s, "user", "sysmon")
	for a, parts := range map[evidence.Activity]map[evidence.Part]evidence.Value[evidence.Extent]{
		evidence.Process: n.parts, evidence.FileChange: ofFiles(n.parts),
	} {
		source := s.Source("sysmon", a, "sensor", "Sysmon", n.at)
		source.Records = "what Sysmon sees"
		source.Enabled = n.enabled
		source.To = to
		maps.Copy(source.Parts, parts)
		source.Parts[evidence.PartEveryNode] = evidence.Moot[evidence.Extent](n.at)
		s.Record(source)
	}
}
