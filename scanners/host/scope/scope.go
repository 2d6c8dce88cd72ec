// Package scope is what the reader of one subject of a host sees: its file system, whether it runs, and where to put what
// it finds.
package scope

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/host/root"
)

// A Scope is a host to be read. Readers are called one after the other.
type Scope struct {
	Root *root.Root
	// Name is the name of the host.
	Name string
	// Live says that the host is the machine that we run on: /proc, /sys and /run then tell what goes on.
	Live bool
	// Windows says that the file system is one of Windows. Names in Root are then told apart without their case.
	Windows bool
	// Now is the start of the scan.
	Now time.Time
	// InMemory are folders that lie in memory, or may.
	InMemory map[string]evidence.Value[bool]
	// Declared is what the owner said in lookback.yaml.
	Declared scanners.Declared

	set     *evidence.Set
	host    *evidence.Asset
	stores  map[evidence.ID]*evidence.LogStore
	sources map[evidence.ID]*evidence.LogSource
	memo    map[string]any
}

// New returns a scope whose findings go to a set. The host itself is recorded in it.
func New(r *root.Root, name string, set *evidence.Set) *Scope {
	s := &Scope{
		Root: r, Name: name, set: set,
		stores: map[evidence.ID]*evidence.LogStore{}, sources: map[evidence.ID]*evidence.LogSource{}, memo: map[string]any{},
	}
	at := evidence.Origin{Note: "the root of the scan"}
	s.host = &evidence.Asset{
		Subject: evidence.Subject{ID: s.Host(), Kind: "host", Name: name, At: at},
		In:      evidence.Moot[evidence.ID](at),
		Host:    true,
		Looked:  map[evidence.Activity]evidence.Value[bool]{},
		Lingers: evidence.Moot[int64](at),
	}
	set.Record(s.host)
	return s
}

// Host is the ID of the host as an asset: "host:web-1//host".
func (s *Scope) Host() evidence.ID { return s.ID("host") }

// ID names a thing of the host: "host:web-1//journal".
func (s *Scope) ID(thing string) evidence.ID {
	return evidence.ID("host:" + s.Name + "//" + strings.TrimPrefix(thing, "/"))
}

// SourceID names a log source: a thing, and its activity.
func (s *Scope) SourceID(thing string, a evidence.Activity) evidence.ID {
	return s.ID(thing) + evidence.ID("#"+string(a))
}

// At is a place in a file: its name below the root, and a line from 1, or 0 for the whole of it.
func At(file string, line int) evidence.Origin {
	return evidence.Origin{File: strings.TrimPrefix(path.Clean("/"+file), "/"), Line: line}
}

// In is the fact that a thing lies on this host.
func (s *Scope) In(at evidence.Origin) evidence.Value[evidence.ID] {
	return evidence.Known(s.Host(), at)
}

// Record takes a record. A store and a source can be had back with [Scope.Store] and [Scope.Sources] until the scan ends.
// The second record of one ID is dropped: the first reader that knows a thing says what it is.
func (s *Scope) Record(r evidence.Record) {
	switch r := r.(type) {
	case *evidence.LogStore:
		if s.stores[r.ID] != nil {
			return
		}
		if in, _ := r.Memory.Get(); in { // whatever its settings say
			r.Kept = evidence.Known(0, r.Memory.At())
		} else if r.Memory.IsUnknown() && !r.Memory.IsZero() && !r.Kept.IsUnknown() {
			r.Kept = evidence.Unknown[int](r.Memory.Why(), r.Memory.At())
		}
		s.stores[r.ID] = r
	case *evidence.LogSource:
		if s.sources[r.ID] != nil {
			return
		}
		s.sources[r.ID] = r
	}
	s.set.Record(r)
}

// Store returns the record of a store that a reader made before; nil where none did.
func (s *Scope) Store(id evidence.ID) *evidence.LogStore { return s.stores[id] }

// Stores returns the stores that were recorded so far, in order of ID. A shipper adds its copies to them.
func (s *Scope) Stores() []*evidence.LogStore { return sorted(s.stores) }

// Sources returns the log sources that were recorded so far, in order of ID.
func (s *Scope) Sources() []*evidence.LogSource { return sorted(s.sources) }

// Look says whether every source of an activity on the host is in the set. What was once unknown stays so: one reader that
// could not look is enough to have missed a source.
func (s *Scope) Look(a evidence.Activity, all evidence.Value[bool]) {
	if old, ok := s.host.Looked[a]; !ok || !old.IsUnknown() {
		s.host.Looked[a] = all
	}
}

// Tell changes the record of the host itself.
func (s *Scope) Tell(change func(*evidence.Asset)) { change(s.host) }

// Missed records a gap: something that ought to have been read and could not be. The activities are those whose sources may
// have been missed with it.
func (s *Scope) Missed(asked string, err error, at evidence.Origin, of ...evidence.Activity) {
	gap := evidence.Gap{In: s.Host(), Asked: asked, Why: Why(err), Err: Brief(err), At: at}
	var away root.NotMounted
	if !errors.As(err, &away) {
		s.set.Gap(gap)
	} else if key := "away " + string(away); s.memo[key] == nil { // one gap, whatever would lie there
		s.memo[key] = true
		gap.Asked, gap.At = "what lies in /"+string(away), At(string(away), 0)
		s.set.Gap(gap)
	}
	for _, a := range of {
		s.Look(a, Unknown[bool](err, at))
	}
}

// Read returns a file of configuration, and nil without an error where there is none. When it cannot be read, a gap says so.
func (s *Scope) Read(name string, of ...evidence.Activity) (data []byte, err error) {
	data, err = s.Root.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		s.Missed("the file "+strings.TrimPrefix(name, "/"), err, At(name, 0), of...)
	}
	return data, err
}

// Has reports whether something lies under a name. Where it cannot be told, a gap says so, and it is taken as absent.
func (s *Scope) Has(name string, of ...evidence.Activity) bool {
	ok, err := s.Root.Exists(name)
	if err != nil {
		s.Missed("whether there is "+strings.TrimPrefix(name, "/"), err, At(name, 0), of...)
	}
	return ok
}

// Glob lists what matches a pattern, in order of name. What cannot be listed is a gap.
func (s *Scope) Glob(pattern string, of ...evidence.Activity) []string {
	names, err := s.Root.Glob(pattern)
	if err != nil {
		s.Missed("the files "+strings.TrimPrefix(pattern, "/"), err, At(path.Dir(pattern), 0), of...)
	}
	return names
}

// Memo returns what make returned when it was first called for a key.
func Memo[T any](s *Scope, key string, make func() T) T {
	if v, ok := s.memo[key].(T); ok {
		return v
	}
	v := make()
	s.memo[key] = v
	return v
}

// Source returns a log source of a program on the host that covers the host: nothing can hide what it writes, and its
// deliveries are all that there are.
func (s *Scope) Source(thing string, a evidence.Activity, kind, name string, at evidence.Origin) *evidence.LogSource {
	return &evidence.LogSource{
		Subject:  evidence.Subject{ID: s.SourceID(thing, a), Kind: kind, Name: name, At: at},
		Activity: a,
		Covers:   []evidence.ID{s.Host()},
		Hidden:   evidence.Moot[evidence.Hiding](at),
		Parts:    map[evidence.Part]evidence.Value[evidence.Extent]{},
		Complete: evidence.Known(true, at),
	}
}

// Of names a program that records several activities in one of them: "auditd (login)", and "auditd" for programs that run.
func Of(name string, a evidence.Activity) string {
	if a == evidence.Process {
		return name
	}
	return name + " (" + string(a) + ")"
}

// DiskStore returns a store of files on the host's disk: its owner can wipe it, nothing goes cold. How long it keeps what
// it holds, and how many bytes, is left to the caller.
func (s *Scope) DiskStore(id evidence.ID, kind, name string, at evidence.Origin) *evidence.LogStore {
	return &evidence.LogStore{
		Subject:   evidence.Subject{ID: id, Kind: kind, Name: name, At: at},
		On:        evidence.Known([]evidence.ID{s.Host()}, at),
		Memory:    s.Memory(id.Thing(), at),
		ColdAfter: evidence.Moot[int](at),
		Restore:   evidence.Moot[int64](at),
		Lingers:   evidence.Moot[int64](at),
		Locked:    evidence.Known(0, at.WithNote("the administrator of a machine can delete its files")),
		Complete:  evidence.Known(true, at),
	}
}

// Memory says whether a file lies in memory, and is gone with the next start.
func (s *Scope) Memory(name string, at evidence.Origin) evidence.Value[bool] {
	for dir := strings.Trim(name, "/"); dir != "." && dir != ""; dir = path.Dir(dir) {
		if in, ok := s.InMemory[dir]; ok {
			return in
		}
	}
	return evidence.Known(false, at)
}

// NotRunning is a fact that only a running system tells, asked of its disk.
func NotRunning[T any](at evidence.Origin) evidence.Value[T] {
	return evidence.Unknown[T](evidence.Elsewhere, at.WithNote("only the running machine can tell"))
}

// Unknown is a fact that an error kept from us.
func Unknown[T any](err error, at evidence.Origin) evidence.Value[T] {
	return evidence.Unknown[T](Why(err), at)
}

// Why says which reason an error is.
func Why(err error) evidence.Reason {
	var away root.NotMounted
	switch {
	case errors.Is(err, fs.ErrPermission):
		return evidence.Denied
	case errors.As(err, &away):
		return evidence.Elsewhere
	}
	return evidence.Failed
}

// Brief is an error for a reader, without the name that it happened to.
func Brief(err error) string {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Sprint(err)
}
