// Package clock reads what a Linux host takes the time from: chrony, systemd-timesyncd, ntpd and openntpd.
package clock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/auditd"
	"lookback/scanners/host/root"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/unit"
)

// A service keeps the clock of a host.
type service struct {
	name  string
	units []string // the first that is installed counts
	read  func(*scope.Scope) settings
}

// settings are what the configuration of a service says.
type settings struct {
	sources []evidence.TimeSource
	files   []string // that decide it, and are there
	missed  error    // why some of it could not be read
	at      evidence.Origin
}

var services = []service{
	{"chrony", []string{"chrony.service", "chronyd.service"}, chrony},
	{"systemd-timesyncd", []string{"systemd-timesyncd.service"}, timesyncd},
	{"ntpd", []string{"ntpsec.service", "ntp.service", "ntpd.service"}, ntpd},
	{"openntpd", []string{"openntpd.service"}, openntpd},
}

// Read records the clock of a host, by the service that is enabled.
func Read(_ context.Context, s *scope.Scope) {
	c := state{at: evidence.Origin{Note: "none of chrony, systemd-timesyncd, ntpd and openntpd is enabled"}}
	for _, one := range services {
		for _, name := range one.units {
			u := unit.Find(s, name)
			if on, known := u.Enabled.Get(); known && on {
				c.names = append(c.names, one.name)
				c.settings = append(c.settings, one.read(s))
			} else if !known && !u.Enabled.IsMoot() {
				c.open = append(c.open, u.Enabled)
			}
			if there, _ := u.Installed.Get(); there {
				break // the others are other names of it
			}
		}
	}
	s.Record(observe(s, c))
}

// state is what was found out about a clock.
type state struct {
	names    []string
	settings []settings
	open     []evidence.Value[bool] // of services that may be enabled
	at       evidence.Origin
}

// observe is the only place that knows what it means.
func observe(s *scope.Scope, c state) *evidence.Clock {
	at := c.at
	if len(c.settings) > 0 {
		at = c.settings[0].at
	}
	clock := &evidence.Clock{
		Subject: evidence.Subject{ID: s.ID("clock"), Kind: "clock", Name: "the clock of " + s.Name, At: at},
		Of:      s.Host(), Synchronised: synchronised(s, at),
	}
	sources := []evidence.TimeSource{}
	var files []string
	var missed error
	for _, one := range c.settings {
		sources = append(sources, one.sources...)
		files = append(files, one.files...)
		missed = errors.Join(missed, one.missed)
	}
	slices.SortFunc(sources, func(a, b evidence.TimeSource) int { return strings.Compare(a.Address, b.Address) })
	sources = slices.Compact(sources)
	switch {
	case missed != nil:
		clock.Sources = scope.Unknown[[]evidence.TimeSource](missed, at)
	case len(c.settings) == 0 && len(c.open) > 0:
		clock.Sources = evidence.Unknown[[]evidence.TimeSource](c.open[0].Why(), c.open[0].At())
	default:
		clock.Sources = evidence.Known(sources, at)
	}
	clock.Guarded = guarded(s, files, at)
	return clock
}

// guarded says whether only the administrator may change the files, and whether a change of the time is recorded.
func guarded(s *scope.Scope, files []string, at evidence.Origin) evidence.Value[bool] {
	for _, name := range files {
		here := scope.At(name, 0)
		info, err := s.Root.Stat(name)
		if err != nil {
			return scope.Unknown[bool](err, here)
		}
		switch owner, known := root.Owner(info); {
		case info.Mode().Perm()&0o022 != 0:
			return evidence.Known(false, note(here, fmt.Sprintf("others than root may write to it: mode %#o", info.Mode().Perm())))
		case !known:
			return evidence.Unknown[bool](evidence.Elsewhere, here.WithNote("who owns it cannot be told here"))
		case owner != 0:
			return evidence.Known(false, note(here, fmt.Sprintf("it belongs to user %d", owner)))
		}
	}
	changes := auditd.TimeChanges(s)
	extent, known := changes.Get()
	switch {
	case !known:
		return evidence.Unknown[bool](changes.Why(), changes.At())
	case extent.Grade != evidence.All:
		return evidence.Known(false, note(changes.At(), "a change of the time is not recorded"))
	}
	return evidence.Known(true, at)
}

func note(at evidence.Origin, text string) evidence.Origin {
	if at.Note != "" {
		text = at.Note + "; " + text
	}
	return at.WithNote(text)
}

// synchronised asks the kernel of the machine that we run on.
func synchronised(s *scope.Scope, at evidence.Origin) evidence.Value[bool] {
	if !s.Live {
		return scope.NotRunning[bool](at)
	}
	said := evidence.Origin{Note: "the kernel says so (adjtimex)"}
	ok, err := kernel()
	if err != nil {
		return scope.Unknown[bool](err, said)
	}
	return evidence.Known(ok, said)
}

// absent reports whether an error is that there is no such file.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) }
