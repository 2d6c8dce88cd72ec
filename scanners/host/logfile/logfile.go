// Package logfile measures log files as an examiner finds them: which files a log has been rotated into, when the oldest and
// the newest record in them were written, how many bytes they are. It reads the head of one file and the tail of another,
// never a whole log.
package logfile

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"lookback/evidence"
	"lookback/scanners/host/root"
	"lookback/scanners/host/scope"
)

// Limits of what is read of one file.
const (
	window   = 256 << 10 // bytes at the head, and at the tail, in which a record with a time is looked for
	maxPlain = 64 << 20  // bytes that a compressed file is unpacked to, to find its last record
	maxTried = 8         // files that are opened to find one with a time
	maxLines = 256       // lines of one file in which a time is looked for
)

// A Span says how far back a log reaches, as it was seen.
type Span struct {
	// Oldest and Newest are the times of the first and of the last record. They are unknown where there is none, where the
	// files cannot be read, and where nothing in them reads as a time.
	Oldest, Newest evidence.Value[time.Time]
	Bytes          int64 // on the disk, compressed as they are
	Files          int
}

// Series lists a log and the files that it was rotated into, newest first: x, x.1, x.2.gz; x, x-20260102.gz,
// x-20260101.gz. What is not there is not listed. Logs that are rotated into other folders are looked for there too.
func Series(s *scope.Scope, name string, folders ...string) []string {
	name = strings.Trim(path.Clean("/"+name), "/")
	var out []string
	// One that we may not look at is there as far as we know: to read it fails, which is not the same as nothing to read.
	if info, err := s.Root.Stat(name); err == nil && info.Mode().IsRegular() || err != nil && !errors.Is(err, fs.ErrNotExist) {
		out = append(out, name)
	}
	var old []rotated
	dirs := append([]string{path.Dir(name)}, folders...)
	for i, dir := range dirs {
		if slices.Contains(dirs[:i], dir) {
			continue
		}
		list, err := s.Root.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.Missed("the rotated files of "+name, err, scope.At(dir, 0))
		}
		for _, e := range list {
			if r, ok := rotatedFrom(path.Base(name), e.Name()); ok && e.Type().IsRegular() {
				r.name = strings.TrimPrefix(path.Join(dir, r.name), "/")
				old = append(old, r)
			}
		}
	}
	slices.SortStableFunc(old, func(a, b rotated) int {
		return cmp.Or(cmp.Compare(a.number, b.number), -strings.Compare(a.date, b.date), strings.Compare(a.name, b.name))
	})
	for _, r := range old {
		out = append(out, r.name)
	}
	return out
}

// A rotated file has a number, 1 for the youngest, or a date.
type rotated struct {
	name   string
	number int
	date   string
}

var packed = []string{".gz", ".bz2", ".xz", ".zst", ".lz4", ".Z", ".lzma"}

// rotatedFrom reports whether a file is what a log was rotated into: "x.N" or "x-DATE", compressed or not. With
// logrotate's "extension", what stands after the last point of the log's name comes last: x.log, x-20260101.log.
func rotatedFrom(log, name string) (rotated, bool) {
	plain := name
	for _, suffix := range packed {
		if cut, ok := strings.CutSuffix(name, suffix); ok {
			plain = cut
			break
		}
	}
	ext := path.Ext(log)
	for _, form := range [][2]string{{log, ""}, {strings.TrimSuffix(log, ext), ext}} {
		rest, ok := strings.CutPrefix(plain, form[0])
		if ok {
			rest, ok = strings.CutSuffix(rest, form[1])
		}
		if !ok || len(rest) < 2 {
			continue
		}
		if n, err := strconv.Atoi(rest[1:]); rest[0] == '.' && err == nil && n >= 0 && n < 1e6 && rest[1] != '+' && rest[1] != '-' {
			return rotated{name: name, number: n}, true
		}
		// YYYYMMDD is logrotate's own format; %Y-%m-%d, %Y%m%d-%H and %Y%m%d-%s are common ones. All sort as text.
		if (rest[0] == '-' || rest[0] == '.' || rest[0] == '_') && len(rest) >= 9 && strings.Trim(rest[1:], "0123456789-_.:T") == "" &&
			(strings.HasPrefix(rest[1:], "19") || strings.HasPrefix(rest[1:], "20")) {
			return rotated{name: name, date: rest[1:]}, true
		}
	}
	return rotated{}, false
}

// Measure reads how far back files reach that [Series] listed, newest first.
func Measure(s *scope.Scope, files []string) Span {
	span := Span{Files: len(files)}
	for _, f := range files {
		if info, err := s.Root.Stat(f); err == nil {
			span.Bytes += info.Size()
		}
	}
	span.Newest = seen(s, files, false)
	span.Oldest = seen(s, backwards(files), true)
	return span
}

func backwards(files []string) []string {
	files = slices.Clone(files)
	slices.Reverse(files)
	return files
}

// seen returns the time of the first, or of the last, record in the first file that has one.
func seen(s *scope.Scope, files []string, first bool) evidence.Value[time.Time] {
	if len(files) == 0 {
		return evidence.Unknown[time.Time](evidence.Elsewhere, evidence.Origin{Note: "nothing is written there yet"})
	}
	var trouble error
	strange := ""
	for _, f := range files[:min(len(files), maxTried)] {
		lines, at, err := part(s, f, first)
		if errors.Is(err, errPacked) && first && !at.IsZero() {
			// It was last written to when it was rotated, so that what is in it is older.
			return evidence.Known(at, scope.At(f, 0).WithNote("when the file was last written; how it is compressed is not read"))
		}
		if err != nil {
			trouble = cmp.Or(trouble, fmt.Errorf("%s: %w", f, err))
			continue
		}
		if !first {
			slices.Reverse(lines)
		}
		clock := reading{zone: zone(s), written: at, now: s.Now}
		for _, line := range lines[:min(len(lines), maxLines)] {
			if t, ok := clock.time(line); ok {
				return evidence.Known(t, scope.At(f, 0))
			}
		}
		if len(lines) > 0 && strange == "" {
			strange = f
		}
	}
	at := scope.At(files[0], 0)
	switch {
	case trouble != nil:
		return scope.Unknown[time.Time](trouble, at)
	case strange != "":
		return evidence.Unknown[time.Time](evidence.Unfamiliar, scope.At(strange, 0).WithNote("no line of it begins with a time that we can read"))
	}
	return evidence.Unknown[time.Time](evidence.Elsewhere, at.WithNote("nothing is written there yet"))
}

// errPacked is why a file is not read that is compressed in a way that the standard library does not know.
var errPacked = errors.New("compressed in a way that is not read")

// part returns the lines of the head, or of the tail, of a file that are whole, and when the file was last written.
func part(s *scope.Scope, name string, head bool) (lines []string, written time.Time, err error) {
	f, err := s.Root.Open(name)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, time.Time{}, err
	}
	var data []byte
	cut := false // where the data begins within a line
	in, err := unpack(name, f)
	switch {
	case err != nil:
		return nil, info.ModTime(), err
	case in == nil && head:
		data, err = io.ReadAll(io.NewSectionReader(f, 0, window))
	case in == nil:
		start := max(0, info.Size()-window)
		cut = start > 0
		data, err = io.ReadAll(io.NewSectionReader(f, start, window))
	case head:
		data, err = io.ReadAll(io.LimitReader(in, window))
	default:
		data, cut, err = last(io.LimitReader(in, maxPlain))
	}
	if err != nil && len(data) == 0 && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, info.ModTime(), err // a file that breaks off still has a beginning
	}
	if cut {
		_, data, _ = bytes.Cut(data, []byte("\n"))
	}
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		// A log that was emptied while a program wrote to it begins with a hole, which reads as zeros.
		if line = bytes.Trim(line, "\x00\r \t"); len(line) > 0 {
			lines = append(lines, string(line))
		}
	}
	return lines, info.ModTime(), nil
}

// unpack returns the plain text of a compressed file, nil where it is not compressed.
func unpack(name string, f root.File) (io.Reader, error) {
	switch ext := path.Ext(name); {
	case ext == ".gz":
		return gzip.NewReader(bufio.NewReader(f))
	case ext == ".bz2":
		return bzip2.NewReader(bufio.NewReader(f)), nil
	case slices.Contains(packed, ext):
		return nil, errPacked
	}
	return nil, nil
}

// last returns the last bytes of what is read, and whether it is less than all.
func last(r io.Reader) (data []byte, cut bool, err error) {
	var before []byte
	now := make([]byte, window)
	for {
		n, err := io.ReadFull(r, now)
		if err != nil {
			return append(before, now[:n]...), cut, err
		}
		cut = cut || before != nil
		before = append(before[:0], now...)
	}
}
