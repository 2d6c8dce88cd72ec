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

// Files of login records.
const (
	wtmp = "var/log/wtmp" // sessions that began and ended
	btmp = "var/log/btmp" // logins that were refused
)

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
	observe(s)
	at := scope.At("var/log", 0)
	s.Look(evidence.Login, evidence.Known(true, at))
	s.Look(evidence.System, evidence.Known(true, at))
}

// observe records what the files, or the database in their place, hold. Programs add to a file where it is, and none of them
// creates it: without it nothing is written.
func observe(s *scope.Scope) {
	at := scope.At(wtmp, 0)
	source := s.Source("wtmp", evidence.Login, "login records", "/"+wtmp, at)
	source.Records = "sessions that began and ended"
	refused := evidence.Extent{Grade: evidence.All}
	turned := store(s, btmp)
	if on, known := turned.Get(); known && !on {
		refused = evidence.Extent{Grade: evidence.Some, But: "not who was turned away: there is no /" + btmp}
	}
	source.Parts[evidence.PartLogons] = evidence.Known(refused, at)
	if turned.IsUnknown() {
		source.Parts[evidence.PartLogons] = evidence.Unknown[evidence.Extent](turned.Why(), turned.At())
	}
	name := database(s)
	if name != "" {
		source.Name, source.Enabled = "/"+name, evidence.Known(true, scope.At(name, 0))
	} else {
		name, source.Enabled = wtmp, store(s, wtmp)
	}
	s.Record(into(s, source, name))

	// Who was turned away is not among the sessions: the one file is no copy of the other.
	if on, known := turned.Get(); known && !on {
		return
	}
	at = scope.At(btmp, 0)
	others := s.Source("btmp", evidence.Login, "login records", "/"+btmp, at)
	others.Records, others.Enabled = "logins that were refused", turned
	others.Parts[evidence.PartLogons] = evidence.Known(evidence.Extent{Grade: evidence.Some, But: "only who was turned away"}, at)
	s.Record(into(s, others, btmp))
}

// into delivers what a source writes to its file, unless there is none.
func into(s *scope.Scope, source *evidence.LogSource, name string) *evidence.LogSource {
	if on, known := source.Enabled.Get(); on || !known {
		source.To = []evidence.Delivery{evidence.EverythingTo(s.ID(name), source.At)}
	}
	return source
}

// store records a file, and says whether it is there.
func store(s *scope.Scope, name string) evidence.Value[bool] {
	at := scope.At(name, 0)
	there := evidence.Known(true, at)
	switch _, err := s.Root.Stat(name); {
	case errors.Is(err, fs.ErrNotExist):
		return evidence.Known(false, at.WithNote("there is no such file, and what would write to it does not create it"))
	case err != nil:
		there = scope.Unknown[bool](err, at)
		s.Look(evidence.Login, there)
	}
	store := s.DiskStore(s.ID(name), "log file", "/"+name, at)
	store.Kept, store.Bytes = logrotate.Of(s, name)
	if why := there.Why(); there.IsUnknown() { // nothing is known of a file that may not be there
		store.On, store.Locked = evidence.Unknown[[]evidence.ID](why, at), evidence.Unknown[int](why, at)
		store.Kept, store.Bytes = evidence.Unknown[int](why, at), evidence.Unknown[int64](why, at)
	}
	series := logrotate.Files(s, name)
	store.Dropped = logrotate.Dropped(s, name, series)
	store.Oldest, store.Newest = reach(s, series)
	s.Record(store)
	return there
}

// reach returns the times of the oldest and of the newest record in files that are listed newest first.
func reach(s *scope.Scope, series []string) (oldest, newest evidence.Value[time.Time]) {
	nothing := evidence.Unknown[time.Time](evidence.Elsewhere, evidence.Origin{Note: "nothing is written there yet"})
	oldest, newest = nothing, nothing
	series = slices.Clone(series)
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

// database records the store of sessions that are kept in a database, and returns its name; "" where there is none.
func database(s *scope.Scope) string {
	for _, name := range databases {
		if !s.Has(name, evidence.Login) {
			continue
		}
		at := scope.At(name, 0)
		store := s.DiskStore(s.ID(name), "database", "/"+name, at)
		why := at.WithNote("when wtmpdb moves its oldest entries elsewhere is not read")
		store.Kept, store.Bytes = evidence.Unknown[int](evidence.Unfamiliar, why), evidence.Unknown[int64](evidence.Unfamiliar, why)
		s.Record(store)
		return name
	}
	return ""
}
