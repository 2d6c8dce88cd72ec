// Package logrotate says how long the files that logrotate looks after are kept: how many days until the oldest record of a
// log is gone, or how many bytes bound it. The rules are those of the manual page logrotate(8); tests hold them against
// what the real program says.
package logrotate

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/logfile"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/tmpfiles"
	"lookback/scanners/host/unit"
)

// A config is what logrotate does on a host.
type config struct {
	blocks []block
	err    error // a file of it could not be read, so that a log that has no rule may have one after all
	at     evidence.Origin
	there  evidence.Value[bool] // it is installed
	runs   evidence.Value[bool] // something starts it
}

// conf lists where the configuration lies: on openSUSE below /usr, where the administrator has not replaced it.
var conf = []string{"etc/logrotate.conf", "usr/etc/logrotate.conf"}

// binaries lists where the program lies.
var binaries = []string{"usr/sbin/logrotate", "usr/bin/logrotate", "sbin/logrotate"}

func read(s *scope.Scope) *config {
	return scope.Memo(s, "logrotate", func() *config {
		c := &config{at: scope.At(conf[0], 0)}
		c.there = evidence.Known(false, evidence.Origin{File: binaries[0], Note: "logrotate is not installed"})
		for _, name := range binaries {
			ok, err := s.Root.Exists(name)
			if ok {
				c.there = evidence.Known(true, scope.At(name, 0))
				break
			} else if err != nil {
				c.there = scope.Unknown[bool](err, scope.At(name, 0))
			}
		}
		c.runs = runs(s)
		p := newParser()
		p.missed = func(name string, err error) {
			if !errors.Is(err, fs.ErrNotExist) { // a folder that is not there holds no rules
				s.Missed("the rotation of logs in "+strings.TrimPrefix(name, "/"), err, scope.At(name, 0))
				c.err = err
			}
		}
		p.read = s.Root.ReadFile
		p.include = func(name string, taboo []string) ([]string, error) { return included(s, name, taboo) }
		for _, name := range conf {
			if !s.Has(name) {
				continue
			}
			c.at = scope.At(name, 0)
			if err := p.file(name, 0); err != nil {
				p.missed(name, err)
			}
			break
		}
		c.blocks = p.blocks
		return c
	})
}

// included lists the files of an include directive.
func included(s *scope.Scope, name string, taboo []string) ([]string, error) {
	info, err := s.Root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{name}, nil
	}
	list, err := s.Root.ReadDir(name)
	var names []string
	for _, e := range list {
		left := slices.ContainsFunc(taboo, func(pattern string) bool {
			ok, _ := path.Match(pattern, e.Name())
			return ok
		})
		file := path.Join(name, e.Name())
		if info, err := s.Root.Stat(file); left || err == nil && !info.Mode().IsRegular() {
			continue
		}
		names = append(names, file)
	}
	return names, err
}

// runs says whether something starts logrotate: its timer, or cron. Debian's script for cron leaves the work to the timer
// where systemd runs.
func runs(s *scope.Scope) evidence.Value[bool] {
	timer := unit.Find(s, "logrotate.timer")
	if on, known := timer.Enabled.Get(); known && on {
		return timer.Enabled
	}
	for _, name := range []string{"etc/cron.hourly/logrotate", "etc/cron.daily/logrotate", "etc/cron.weekly/logrotate"} {
		text, _ := s.Read(name)
		if text == nil {
			continue
		}
		if strings.Contains(string(text), "/run/systemd/system") && s.Has("usr/lib/systemd/systemd") {
			continue
		}
		return evidence.Known(true, scope.At(name, 0))
	}
	if timer.Enabled.IsUnknown() {
		return timer.Enabled
	}
	return evidence.Unknown[bool](evidence.Elsewhere, timer.At.WithNote("nothing that we know starts logrotate"))
}

// Of says how many days a log is kept before its oldest record is thrown away, 0 where bytes alone bound it, and how many
// bytes it holds by then. What logrotate does not look after is kept until somebody deletes it, or systemd-tmpfiles does.
func Of(s *scope.Scope, name string) (kept evidence.Value[int], bytes evidence.Value[int64]) {
	name = strings.Trim(path.Clean("/"+name), "/")
	kept, bytes = of(s, name)
	rotated, old := kept.Get()
	if _, ok := match(read(s).blocks, name); ok { // a line that spares the log does not spare what it is rotated into
		name += ".1"
	}
	if age, deleted := tmpfiles.Age(s, name); deleted {
		if days, known := age.Get(); old && (!known || days < rotated) {
			kept = age
		}
	}
	return kept, bytes
}

func of(s *scope.Scope, name string) (kept evidence.Value[int], bytes evidence.Value[int64]) {
	c := read(s)
	switch there, known := c.there.Get(); {
	case !known:
		at := c.there.At().WithNote("whether logrotate is installed is not known")
		return evidence.Unknown[int](c.there.Why(), at), evidence.Unknown[int64](c.there.Why(), at)
	case !there:
		return forever(c.there.At())
	}
	r, ok := match(c.blocks, name)
	switch {
	case ok && r.broken != nil:
		at := scope.At(r.file, r.line).WithNote("logrotate leaves this block out: " + r.broken.Error())
		return evidence.Unknown[int](evidence.Failed, at), evidence.Unknown[int64](evidence.Failed, at)
	case !ok && c.err != nil:
		at := c.at.WithNote("a file of logrotate's configuration could not be read")
		return scope.Unknown[int](c.err, at), scope.Unknown[int64](c.err, at)
	case !ok:
		return forever(c.at.WithNote("logrotate does not name it: it is kept until somebody deletes it, or the disk is full"))
	case c.runs.IsUnknown():
		at := scope.At(r.file, r.line).WithNote("whether anything starts logrotate is not known")
		return evidence.Unknown[int](c.runs.Why(), at), evidence.Unknown[int64](c.runs.Why(), at)
	}
	return r.keeps()
}

func forever(at evidence.Origin) (evidence.Value[int], evidence.Value[int64]) {
	return evidence.Known(evidence.Forever, at), evidence.Moot[int64](at)
}

// keeps is the one place that knows what the words of a block mean for a record.
func (r rule) keeps() (kept evidence.Value[int], bytes evidence.Value[int64]) {
	at := scope.At(r.file, r.line).WithNote("logrotate: " + r.says())
	bound := r.size
	if r.period != "" {
		bound = r.maxSize
	}
	switch {
	case r.count < 0 && r.maxAge > 0: // the age of a file is that of its last record
		return evidence.Known(r.maxAge, at), evidence.Moot[int64](at)
	case r.count < 0:
		return forever(at)
	case bound > 0 || r.period == "":
		if r.count >= 1<<20 || bound > 1<<42 {
			return forever(at)
		}
		// The size is looked at when logrotate runs, once a day as a rule: the files may be larger by a day's records.
		return evidence.Known(0, at), evidence.Known(bound*int64(r.count+1), at)
	}
	days := r.days()
	if r.maxAge > 0 {
		days = min(days, r.maxAge)
	}
	return evidence.Known(days, at), evidence.Moot[int64](at)
}

// Fill says of a store that is a log file how long it is kept, how many bytes it holds, and how far back it reached at the
// scan.
func Fill(s *scope.Scope, store *evidence.LogStore, name string) {
	name = strings.Trim(path.Clean("/"+name), "/")
	store.Kept, store.Bytes = Of(s, name)
	files := Files(s, name)
	span := logfile.Measure(s, files)
	store.Oldest, store.Newest = span.Oldest, span.Newest
	store.Dropped = Dropped(s, name, files)
}

// Files lists a log and what logrotate made of it, newest first.
func Files(s *scope.Scope, name string) []string {
	if r, ok := match(read(s).blocks, name); ok && r.oldDir != "" {
		dir := r.oldDir
		if !path.IsAbs(dir) {
			dir = path.Join(path.Dir(name), dir)
		}
		return logfile.Series(s, name, strings.Trim(path.Clean(dir), "/"))
	}
	return logfile.Series(s, name)
}

// Dropped says whether logrotate has thrown away records of a log: it has when there are as many rotated files as it keeps.
func Dropped(s *scope.Scope, name string, files []string) evidence.Value[bool] {
	c := read(s)
	r, ok := match(c.blocks, name)
	there, _ := c.there.Get()
	at := scope.At(r.file, r.line)
	switch {
	case c.there.IsUnknown():
		return evidence.Unknown[bool](c.there.Why(), c.there.At())
	case there && ok && r.broken == nil:
	case there && c.err != nil:
		return scope.Unknown[bool](c.err, c.at)
	default:
		return evidence.Known(false, c.at.WithNote("nothing rotates it"))
	}
	rotated := len(files)
	if rotated > 0 && files[0] == name {
		rotated--
	}
	switch {
	case r.count > 0 && rotated >= r.count:
		return evidence.Known(true, at)
	case r.count == 0 || r.maxAge > 0:
		return evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("what logrotate deletes leaves no trace"))
	}
	return evidence.Known(false, at)
}
