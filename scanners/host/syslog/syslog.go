// Package syslog reads where rsyslog and syslog-ng bring what is said on a host: into which files, and to which other
// machines. What it does not understand in their configuration is unknown, and never nothing.
package syslog

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/journald"
	"lookback/scanners/host/logrotate"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/unit"
)

// whole is how long the longest records are that a sensor says through syslog: one event of Sysmon may take 64 KiB.
const whole = 64 << 10

// A product is a syslog service.
type product struct {
	name    string
	program []string
	conf    string
	units   []string
	parse   func(s *scope.Scope, conf string) (*config, error)
}

var products = []product{
	{"rsyslog", []string{"usr/sbin/rsyslogd", "sbin/rsyslogd", "usr/bin/rsyslogd"}, "etc/rsyslog.conf", []string{"rsyslog.service"}, parseRsyslog},
	{"syslog-ng", []string{"usr/sbin/syslog-ng", "sbin/syslog-ng", "usr/bin/syslog-ng"}, "etc/syslog-ng/syslog-ng.conf", []string{"syslog-ng.service", "syslog-ng@default.service"}, parseSyslogNG},
}

func parseRsyslog(s *scope.Scope, conf string) (*config, error) {
	r := &rsyslog{}
	r.read, r.glob = files(s)
	return &r.config, r.parse(conf)
}

func parseSyslogNG(s *scope.Scope, conf string) (*config, error) {
	n := &syslogNG{}
	n.read, n.glob = files(s)
	return &n.config, n.parse(conf)
}

// files are those of the host. What cannot be read is a gap, too.
func files(s *scope.Scope) (read func(string) ([]byte, error), glob func(string) ([]string, error)) {
	read = func(name string) ([]byte, error) { return s.Read(name, evidence.System, evidence.Login) }
	glob = func(pattern string) ([]string, error) {
		names, err := s.Root.Glob(pattern)
		if err != nil {
			s.Missed("the files "+strings.TrimPrefix(pattern, "/"), err, scope.At(path.Dir(pattern), 0), evidence.System, evidence.Login)
		}
		return slices.DeleteFunc(names, func(name string) bool {
			info, err := s.Root.Stat(name)
			return err == nil && !info.Mode().IsRegular()
		}), err
	}
	return read, glob
}

// A service is a syslog service that was found.
type service struct {
	product
	*config
	enabled evidence.Value[bool] // whether anything that is said on the machine comes to it
	err     error                // why its configuration is not known
}

// found returns the syslog services of a host.
func found(s *scope.Scope) []*service {
	return scope.Memo(s, "syslog", func() []*service {
		var out []*service
		for _, p := range products {
			program := ""
			for _, name := range p.program {
				if program == "" && s.Has(name, evidence.System, evidence.Login) {
					program = name
				}
			}
			conf := s.Has(p.conf, evidence.System, evidence.Login)
			if program == "" && (!conf || s.Has("usr/sbin")) {
				continue // a configuration may outlive its package
			}
			c := &service{product: p, config: &config{at: scope.At(p.conf, 0)}}
			if conf {
				c.config, c.err = p.parse(s, p.conf)
			} else {
				c.err = fmt.Errorf("there is no %s", p.conf)
			}
			if c.err != nil && conf {
				s.Missed("the configuration of "+p.name, c.err, c.at, evidence.System, evidence.Login)
			}
			c.enabled = c.runs(s)
			out = append(out, c)
		}
		return out
	})
}

// runs says whether a service starts with the machine, and whether what is said there reaches it.
func (c *service) runs(s *scope.Scope) evidence.Value[bool] {
	var on evidence.Value[bool]
	for i, name := range c.units {
		u := unit.Find(s, name, evidence.System, evidence.Login)
		v := u.Enabled
		if s.Live {
			v = u.Running
		}
		if i == 0 || isTrue(v) || isFalse(on) && !isFalse(v) {
			on = v
		}
	}
	if !isTrue(on) || c.err != nil {
		return on
	}
	journal := journald.Enabled(s)
	switch {
	case c.journal:
		if is, known := journal.Get(); known && is || !c.socket {
			return and(on, journal)
		}
	case !c.socket && c.open == nil:
		return evidence.Known(false, c.at.WithNote(c.name+" has no input for what is said on this machine"))
	case !c.socket:
		return evidence.Unknown[bool](evidence.Unfamiliar, c.at.WithNote(c.open.Error()))
	case !isFalse(journal):
		// The journal holds the socket of syslog; what it does not hand on does not come.
		return and(on, journald.ForwardsToSyslog(s))
	}
	return on
}

func isTrue(v evidence.Value[bool]) bool {
	is, known := v.Get()
	return known && is
}

func isFalse(v evidence.Value[bool]) bool {
	is, known := v.Get()
	return known && !is
}

// and is true where both are; what decides is cited.
func and(a, b evidence.Value[bool]) evidence.Value[bool] {
	if isFalse(a) || isTrue(b) {
		return a
	}
	return b
}

// Read reads the syslog services of a host.
func Read(_ context.Context, s *scope.Scope) {
	for _, c := range found(s) {
		c.observe(s)
	}
	for _, name := range []string{"usr/sbin/syslogd", "sbin/syslogd", "usr/sbin/metalog"} {
		if len(found(s)) == 0 && s.Has(name) {
			at := scope.At(name, 0).WithNote(path.Base(name) + " is a syslog service whose configuration is not read")
			s.Look(evidence.System, evidence.Unknown[bool](evidence.Unfamiliar, at))
			s.Look(evidence.Login, evidence.Unknown[bool](evidence.Unfamiliar, at))
		}
	}
}

// asked are the facilities that an activity is spoken of in.
var asked = []struct {
	activity   evidence.Activity
	records    string
	facilities []string
}{
	{evidence.System, "messages of the kernel, services and scheduled jobs", []string{"kern", "daemon", "cron", "user", "syslog"}},
	{evidence.Login, "what sshd, login, sudo and su say through syslog", []string{"auth", "authpriv"}},
}

// observe turns what was found into records: the one place that knows what a route means.
func (c *service) observe(s *scope.Scope) {
	thing := "syslog"
	if found(s)[0] != c { // two services on one host
		thing += "/" + c.name
	}
	for _, a := range asked {
		comes := map[string]map[string]answer{} // by target and facility
		var targets []*target
		for _, f := range a.facilities {
			for _, sh := range c.follow(f, "") {
				key := sh.target.key()
				if comes[key] == nil {
					comes[key] = map[string]answer{}
					targets = append(targets, sh.target)
				}
				comes[key][f] = sh.how
			}
		}
		for i, group := range together(a.facilities, targets, comes) {
			source := s.Source(thing, a.activity, "syslog service", scope.Of(c.name, a.activity), c.at)
			source.Records = a.records
			if i > 0 {
				source.ID = s.SourceID(thing+"/"+group[0], a.activity)
				source.Name += ", " + strings.Join(group, ", ")
			}
			if len(group) < len(a.facilities) {
				source.Records = "what is said through syslog as " + strings.Join(group, ", ")
			}
			source.Enabled = c.enabled
			switch {
			case c.err != nil:
				source.Complete = scope.Unknown[bool](c.err, c.at)
			case c.open != nil:
				source.Complete = evidence.Unknown[bool](evidence.Unfamiliar, c.at.WithNote(c.open.Error()))
			}
			if a.activity == evidence.Login {
				source.Parts[evidence.PartLogons] = evidence.Everything(c.at)
			} else {
				source.Parts[evidence.PartLogControl] = evidence.Known(evidence.Extent{Grade: evidence.Some, But: "services that start and stop, not files that are deleted or settings that change"}, c.at)
			}
			all := slices.ContainsFunc(targets, func(t *target) bool {
				return t.file != "" && grade(extent(comes[t.key()], group, t.at)) == evidence.All
			})
			for _, t := range targets {
				d := c.delivery(s, t)
				d.Extent = extent(comes[t.key()], group, t.at)
				// A file that holds a part of what another one holds is a second view of it: its store is there, so that a
				// shipper that reads it finds it, and nobody asks how long it keeps its part.
				if g := grade(d.Extent); g == evidence.None || g == evidence.Some && all && t.host == "" {
					continue
				}
				source.To = append(source.To, d)
			}
			s.Record(source)
			if len(group) == len(a.facilities) {
				c.passOn(s, source)
			}
		}
	}
}

// passOn says that what comes to the journal comes to the targets of a syslog service too: with a journal, the service has
// it from there.
func (c *service) passOn(s *scope.Scope, source *evidence.LogSource) {
	on := and(journald.Enabled(s), c.enabled)
	if store := s.Store(s.ID(journald.Thing)); store != nil && on.IsUnknown() && !store.Complete.IsUnknown() {
		store.Complete = on
	}
	for _, journal := range s.Sources() {
		switch {
		case isFalse(on) || journal.ID != s.SourceID("journald", source.Activity):
		case isTrue(on):
			journal.To = append(journal.To, source.To...)
		default:
			journal.Complete = on
		}
	}
}

func grade(v evidence.Value[evidence.Extent]) evidence.Grade {
	e, _ := v.Get()
	return e.Grade
}

// together parts facilities into groups, each of which lies together in one place if there is such a place: Red Hat writes
// "auth" into one file and "authpriv" into another.
func together(facilities []string, targets []*target, comes map[string]map[string]answer) [][]string {
	var out [][]string
	for left := facilities; len(left) > 0; {
		var best []string
		for _, t := range targets {
			var all []string
			for _, f := range left {
				if comes[t.key()][f] == yes {
					all = append(all, f)
				}
			}
			if len(all) > len(best) {
				best = all
			}
		}
		if best == nil {
			return append(out, left)
		}
		out = append(out, best)
		left = slices.DeleteFunc(slices.Clone(left), func(f string) bool { return slices.Contains(best, f) })
	}
	return out
}

// extent is how much of several facilities comes to a target.
func extent(got map[string]answer, of []string, at evidence.Origin) evidence.Value[evidence.Extent] {
	var full, part []string
	for _, f := range of {
		switch got[f] {
		case strange:
			return evidence.Unknown[evidence.Extent](evidence.Unfamiliar, at.WithNote("what it gets is decided by a condition that we do not read"))
		case yes:
			full = append(full, f)
		case some:
			part = append(part, f)
		}
	}
	but := ""
	switch {
	case len(full) == len(of):
		return evidence.Everything(at)
	case len(full)+len(part) == 0:
		return evidence.Nothing(at)
	case len(full) == 0:
		but = "only some messages of " + strings.Join(part, ", ")
	default:
		but = "only " + strings.Join(full, ", ")
		if len(part) > 0 {
			but += ", and some messages of " + strings.Join(part, ", ")
		}
	}
	return evidence.Known(evidence.Extent{Grade: evidence.Some, But: but}, at)
}

// delivery brings records to a target, whose store it records where that lies on the host.
func (c *service) delivery(s *scope.Scope, t *target) evidence.Delivery {
	d := evidence.EverythingTo(c.store(s, t), t.at)
	if t.host != "" {
		d.Encrypted = t.tls
	}
	switch {
	case t.host == "":
	case t.udp:
		d.Lossless = evidence.Known(false, t.at.WithNote("UDP loses what does not arrive"))
	case !t.disk || !t.again:
		// https://www.rsyslog.com/actions-with-directives: nothing is lost with a queue on disk and endless retries.
		why := "what waits for the server lies in memory alone: there is no queue on disk"
		if t.disk {
			why = "it gives up on a server that is away: there are no endless retries"
		}
		d.Lossless = evidence.Known(false, t.at.WithNote(why))
	default:
		d.Lossless = evidence.Known(true, t.at)
		if t.buffer > 0 {
			d.Buffer = evidence.Known(t.buffer, t.at)
		}
	}
	if limited, _ := c.limited.Get(); limited && !isFalse(d.Lossless) {
		d.Lossless = evidence.Known(false, c.limited.At())
	}
	return d
}

// maxName is the longest name of a file, PATH_MAX of Linux.
const maxName = 4096

// spoken are the ways out that speak syslog: a server has one name, whoever sends to it.
var spoken = []string{"omfwd", "omrelp", "network", "syslog", "tcp", "tcp6", "udp", "udp6", "relp"}

func (c *service) store(s *scope.Scope, t *target) evidence.ID {
	switch {
	case t.host != "":
		driver := t.driver
		if slices.Contains(spoken, driver) {
			driver = "syslog"
		}
		return evidence.ID(driver + ":" + t.host + "//")
	case t.here:
		store := s.DiskStore(s.ID(c.name+"/"+t.driver), "service", "what "+c.name+" hands on by "+t.driver, t.at)
		why := t.at.WithNote("it goes to another program on this machine, or to a place that we do not know")
		store.Memory = evidence.Unknown[bool](evidence.Elsewhere, why)
		store.Kept, store.Bytes = evidence.Unknown[int](evidence.Elsewhere, why), evidence.Unknown[int64](evidence.Elsewhere, why)
		store.Complete = evidence.Unknown[bool](evidence.Elsewhere, why)
		s.Record(store)
		return store.ID
	case t.shaped:
		name := t.file
		if name == "" || len(name) > maxName {
			name = c.name + "/files"
		}
		store := s.DiskStore(s.ID(strings.Trim(path.Clean("/"+name), "/")), "log files", "log files of "+c.name, t.at)
		why := t.at.WithNote("the names of its files depend on what is in the records")
		store.Kept, store.Bytes = evidence.Unknown[int](evidence.Unfamiliar, why), evidence.Unknown[int64](evidence.Unfamiliar, why)
		s.Record(store)
		return store.ID
	}
	store := s.DiskStore(s.ID(t.file), "log file", "/"+t.file, t.at)
	if s.Store(store.ID) == nil {
		logrotate.Fill(s, store, t.file)
		if strings.HasPrefix(t.file, "run/") || strings.HasPrefix(t.file, "dev/shm/") || strings.HasPrefix(t.file, "var/run/") {
			store.Memory = evidence.Known(true, t.at)
		}
		s.Record(store)
	}
	return store.ID
}

// Copy adds to the stores of other programs where the lines of their files are sent on. It goes after all that records stores.
func Copy(s *scope.Scope) {
	for _, c := range found(s) {
		for _, t := range c.taken {
			for _, store := range s.Stores() {
				if ok, _ := path.Match(t.pattern, "/"+store.ID.Thing()); ok && !isFalse(c.enabled) {
					c.copy(s, store, t)
				}
			}
		}
	}
}

func (c *service) copy(s *scope.Scope, store *evidence.LogStore, t taken) {
	doubt := evidence.Value[bool]{}
	if c.enabled.IsUnknown() {
		doubt = c.enabled
	}
	for _, sh := range (&config{steps: t.steps}).follow(t.facility, t.program) {
		switch {
		case sh.target.host == "":
		case sh.how == yes && doubt.IsZero():
			store.To = append(store.To, c.delivery(s, sh.target))
		case sh.how != no && doubt.IsZero():
			doubt = evidence.Unknown[bool](evidence.Unfamiliar, sh.target.at.WithNote("a filter decides what "+c.name+" sends on"))
		}
	}
	if !doubt.IsZero() && !store.Complete.IsUnknown() {
		store.Complete = doubt
	}
}

// Routes says where records come that a program writes to syslog under its name and a facility: to the journal, to files, to
// other machines. It is empty where neither a journal nor a syslog service runs. Whether records arrive whole is asked: a
// syslog service cuts what is longer than its limit.
func Routes(s *scope.Scope, facility, program string) []evidence.Delivery {
	out := journald.Deliveries(s)
	for _, c := range found(s) {
		if isFalse(c.enabled) {
			continue
		}
		if c.err != nil {
			out = append(out, evidence.Delivery{To: s.ID(c.name), Extent: scope.Unknown[evidence.Extent](c.err, c.at), Lossless: scope.Unknown[bool](c.err, c.at)})
			continue
		}
		for _, sh := range c.follow(facility, program) {
			d := c.delivery(s, sh.target)
			d.Extent = extent(map[string]answer{facility: sh.how}, []string{facility}, sh.target.at)
			if c.enabled.IsUnknown() {
				d.Extent = evidence.Unknown[evidence.Extent](c.enabled.Why(), c.enabled.At())
			}
			d.Whole = c.whole()
			out = append(out, d)
		}
	}
	return out
}

// whole says whether a record of 64 KiB passes.
func (c *service) whole() evidence.Value[bool] {
	n, known := c.size.Get()
	if !known {
		return evidence.Unknown[bool](c.size.Why(), c.size.At())
	}
	at := c.size.At()
	if n < whole {
		at.Note = fmt.Sprintf("%s cuts what is longer than %d bytes", c.name, n)
	}
	return evidence.Known(n >= whole, at)
}
