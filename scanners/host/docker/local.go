package docker

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"time"

	"lookback/evidence"
	"lookback/scanners/host/scope"
)

// maxEntry is more than one record of the driver takes: Docker cuts lines at 16 KiB.
const maxEntry = 1 << 20

var errEntry = errors.New("no record of the local log driver")

// localSpan reads the times of the first and the last record in files of the log driver "local", newest first. A record is
// its length, a protobuf message and its length again, so that it can be read from both ends: daemon/logger/local/read.go
// and api/types/plugins/logdriver/entry.proto of https://github.com/moby/moby.
func localSpan(s *scope.Scope, files []string) (oldest, newest evidence.Value[time.Time]) {
	nothing := evidence.Unknown[time.Time](evidence.Elsewhere, evidence.Origin{Note: "nothing is written there yet"})
	if len(files) == 0 {
		return nothing, nothing
	}
	read := func(name string, what func(*scope.Scope, string) (time.Time, error)) evidence.Value[time.Time] {
		switch t, err := what(s, name); {
		case errors.Is(err, io.EOF):
			return nothing
		case err == nil && t.After(s.Now.Add(48*time.Hour)):
			return scope.Unknown[time.Time](errEntry, scope.At(name, 0))
		case err != nil:
			return scope.Unknown[time.Time](err, scope.At(name, 0))
		default:
			return evidence.Known(t, scope.At(name, 0))
		}
	}
	oldest, newest = read(files[len(files)-1], firstEntry), read(files[0], lastEntry)
	return oldest, newest
}

func firstEntry(s *scope.Scope, name string) (time.Time, error) {
	f, err := s.Root.Open(name)
	if err != nil {
		return time.Time{}, err
	}
	defer func() { _ = f.Close() }()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return time.Time{}, err
		}
	}
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return time.Time{}, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxEntry {
		return time.Time{}, errEntry
	}
	message, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err != nil {
		return time.Time{}, err
	}
	return entryTime(message)
}

// lastEntry reads the file that is written to, which is not compressed.
func lastEntry(s *scope.Scope, name string) (time.Time, error) {
	tail, err := s.Root.Tail(name, maxEntry+8)
	switch {
	case err != nil:
		return time.Time{}, err
	case len(tail) == 0:
		return time.Time{}, io.EOF
	case len(tail) < 8 || strings.HasSuffix(name, ".gz"):
		return time.Time{}, errEntry
	}
	end := len(tail) - 4
	n := int(binary.BigEndian.Uint32(tail[end:]))
	if n > end-4 || n < 0 {
		return time.Time{}, errEntry
	}
	return entryTime(tail[end-n : end])
}

// entryTime returns field 2 of a LogEntry: nanoseconds since 1970.
func entryTime(message []byte) (time.Time, error) {
	for r := bytes.NewReader(message); r.Len() > 0; {
		key, err := binary.ReadUvarint(r)
		if err != nil {
			return time.Time{}, errEntry
		}
		n, err := binary.ReadUvarint(r) // all of its fields have a number, or a length and as many bytes
		switch {
		case err != nil || key&7 != 0 && key&7 != 2:
			return time.Time{}, errEntry
		case key == 2<<3:
			if t := time.Unix(0, int64(n)).UTC(); t.Year() >= 2013 && t.Year() < 2200 { // there was no Docker before
				return t, nil
			}
			return time.Time{}, errEntry
		case key&7 == 2:
			if n > uint64(r.Len()) {
				return time.Time{}, errEntry
			}
			if _, err := r.Seek(int64(n), io.SeekCurrent); err != nil {
				return time.Time{}, errEntry
			}
		}
	}
	return time.Time{}, errEntry
}
