// Package login reads the records of who came in that the system keeps beside its logs: wtmp, of sessions, and btmp, of
// attempts that were refused.
//
// The history of a shell is never evidence, and no record is made of it: whoever typed it can delete it, turn it off with
// one variable, or write what they like into it. Neither is lastlog, in which every login overwrites the one before.
package login

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"time"

	"lookback/evidence"
	"lookback/scanners/host/logrotate"
	"lookback/scanners/host/scope"
)

// window is how much of a file's head and of its tail is read: whole records of each layout.
const window = 9600 * 8

// A file is one of login records.
type file struct {
	thing   string
	name    string
	kind    string
	records string
	but     string
}

var files = []file{
	{"wtmp", "var/log/wtmp", "wtmp", "sessions that began and ended", "not who was turned away"},
	{"btmp", "var/log/btmp", "btmp", "logins that were refused", "only who was turned away"},
}

// databases took the place of these files in Debian 13: wtmpdb(8).
var databases = []string{"var/lib/wtmpdb/wtmp.db", "var/log/wtmp.db"}

// Read reads the login records of a host. It comes after the journal and syslog, and says that nobody else writes down
// logins, or what the system does.
func Read(_ context.Context, s *scope.Scope) {
	if s.Windows {
		return
	}
	if !s.Has("var/log", evidence.Login, evidence.System) {
		at := scope.At("var/log", 0).WithNote("there is no such folder: its file system was not mounted, or not collected")
		s.Look(evidence.Login, evidence.Unknown[bool](evidence.Elsewhere, at))
		s.Look(evidence.System, evidence.Unknown[bool](evidence.Elsewhere, at))
		return
	}
	for _, f := range files {
		if f.thing == "wtmp" && database(s) {
			continue
		}
		f.read(s)
	}
	at := scope.At("var/log", 0)
	s.Look(evidence.Login, evidence.Known(true, at))
	s.Look(evidence.System, evidence.Known(true, at))
}

// read records one file. Programs add to it where it is, and none of them creates it: without it nothing is written.
func (f file) read(s *scope.Scope) {
	at := scope.At(f.name, 0)
	source := s.Source(f.thing, evidence.Login, f.kind, "/"+f.name, at)
	source.Records = f.records
	source.Parts[evidence.PartLogons] = evidence.Known(evidence.Extent{Grade: evidence.Some, But: f.but}, at)
	info, err := s.Root.Stat(f.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		source.Enabled = evidence.Known(false, at.WithNote("there is no such file, and what would write to it does not create it"))
	case err != nil:
		s.Missed("the file "+f.name, err, at, evidence.Login)
		source.Enabled = scope.Unknown[bool](err, at)
	default:
		source.Enabled = evidence.Known(info.Mode().IsRegular(), at)
	}
	source.To = []evidence.Delivery{scope.To(s.ID(f.name), at)}
	s.Record(source)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			store := s.DiskStore(s.ID(f.name), "log file", "/"+f.name, at)
			store.Kept, store.Bytes = logrotate.Of(s, f.name)
			s.Record(store)
		}
		return
	}
	store := s.DiskStore(s.ID(f.name), "log file", "/"+f.name, at)
	store.Kept, store.Bytes = logrotate.Of(s, f.name)
	series := logrotate.Files(s, f.name)
	store.Dropped = logrotate.Dropped(s, f.name, series)
	store.Oldest, store.Newest = reach(s, series)
	s.Record(store)
}

// reach returns the times of the oldest and of the newest record in files that are listed newest first.
func reach(s *scope.Scope, series []string) (oldest, newest evidence.Value[time.Time]) {
	nothing := evidence.Unknown[time.Time](evidence.Elsewhere, evidence.Origin{Note: "nothing is written there yet"})
	oldest, newest = nothing, nothing
	slices.Reverse(series)
	var trouble error
	for _, name := range series {
		at := scope.At(name, 0)
		first, last, err := times(s, name)
		if err != nil {
			s.Missed("the file "+name, err, at)
			trouble = err
			continue
		}
		if _, known := oldest.Get(); !known && !first.IsZero() {
			oldest = evidence.Known(first, at)
		}
		if !last.IsZero() {
			newest = evidence.Known(last, at)
		}
	}
	if _, known := oldest.Get(); !known && trouble != nil {
		at := scope.At(series[len(series)-1], 0)
		return scope.Unknown[time.Time](trouble, at), scope.Unknown[time.Time](trouble, at)
	}
	return oldest, newest
}

// times returns those of the first and of the last record of a file.
func times(s *scope.Scope, name string) (first, last time.Time, err error) {
	if path.Ext(name) == ".gz" {
		f, err := s.Root.Open(name)
		if err != nil {
			return first, last, err
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			return first, last, err
		}
		head, err := io.ReadAll(io.LimitReader(z, window))
		if err != nil {
			return first, last, err
		}
		// Its end is not needed: it is older than what is not compressed.
		return ends(head, head, int64(len(head)), s.Now)
	}
	info, err := s.Root.Stat(name)
	if err != nil {
		return first, last, err
	}
	head, err := s.Root.Head(name, window)
	if err != nil {
		return first, last, err
	}
	tail, err := s.Root.Tail(name, window)
	if err != nil {
		return first, last, err
	}
	return ends(head, tail, info.Size(), s.Now)
}

// database records sessions that are kept in a database; false where there is none.
func database(s *scope.Scope) bool {
	for _, name := range databases {
		if !s.Has(name, evidence.Login) {
			continue
		}
		at := scope.At(name, 0)
		source := s.Source("wtmp", evidence.Login, "wtmpdb", "/"+name, at)
		source.Records = files[0].records
		source.Enabled = evidence.Known(true, at)
		source.Parts[evidence.PartLogons] = evidence.Known(evidence.Extent{Grade: evidence.Some, But: files[0].but}, at)
		source.To = []evidence.Delivery{scope.To(s.ID(name), at)}
		s.Record(source)
		store := s.DiskStore(s.ID(name), "database", "/"+name, at)
		why := at.WithNote("when wtmpdb moves its oldest entries elsewhere is not read")
		store.Kept, store.Bytes = evidence.Unknown[int](evidence.Unfamiliar, why), evidence.Unknown[int64](evidence.Unfamiliar, why)
		s.Record(store)
		return true
	}
	return false
}
