package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"lookback/evidence"
	"lookback/report"
	"lookback/report/json"
	"lookback/spool"
)

// What was learned is a set in memory or, of a large scan, a file.
type learned struct {
	*evidence.Set             // nil where there is a file
	file          *spool.File // nil where there is a set
	spool         *spool.Spool
}

// close removes the files of a large scan.
func (l *learned) close() {
	if l.file != nil {
		_ = l.file.Close()
	}
	if l.spool != nil {
		_ = l.spool.Close()
	}
}

// join ends a scan that gave parts to the spool: what else was learned goes with them.
func (l *learned) join() error {
	set, file, err := l.spool.Join(l.Set)
	if err != nil {
		return err
	}
	l.Set, l.file = set, file
	return nil
}

// openEvidence opens saved evidence: what is small is read, anything else stays in its file.
func openEvidence(path string) (*learned, error) {
	info, err := os.Stat(path)
	if err != nil || info.Size() <= spool.Small {
		set, err := readEvidence(path)
		return &learned{Set: set}, err
	}
	l := &learned{}
	l.file, err = spool.Open(path)
	if errors.Is(err, spool.ErrOrder) {
		l.spool = spool.New("")
		l.file, err = l.spool.Sort(path)
	}
	if err != nil {
		l.close()
		return nil, fmt.Errorf("%s: %w", path, newer(path, err))
	}
	return l, nil
}

// save writes the evidence.
func (l *learned) save(w io.Writer) error {
	if l.file != nil {
		return l.file.CopyTo(w)
	}
	return evidence.Write(w, l.Set)
}

// A scratch holds the three lists of results.json while a large scan is judged.
type scratch struct {
	*json.Stream
	files [3]*os.File
}

// newScratch makes the files beside the one that they will go into.
func newScratch(beside string, known map[string]bool) (*scratch, error) {
	dir := ""
	if beside != "-" {
		dir = filepath.Dir(beside)
	}
	s := &scratch{}
	for i := range s.files {
		f, err := os.CreateTemp(dir, ".lookback-results-*")
		if err != nil {
			s.close()
			return nil, fmt.Errorf("writing results: %w", cause(err))
		}
		s.files[i] = f
		_ = os.Remove(f.Name()) // where a file may be removed that is open, nothing of it is ever left
	}
	s.Stream = json.NewStream(known, s.files[0], s.files[1], s.files[2])
	return s, nil
}

func (s *scratch) close() {
	for _, f := range s.files {
		if f != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}
}

// render writes results.json.
func (s *scratch) render(w io.Writer, r *report.Report) error {
	var lists [3]io.Reader
	for i, f := range s.files {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		lists[i] = bufio.NewReaderSize(f, 1<<20)
	}
	return json.Finish(w, r, lists[0], lists[1], lists[2])
}

// memory is how much a scan of many accounts is to take, if what is in use leaves room for it: see limitMemory.
const memory = 160 << 20

// judge makes the report, and puts into outputs what writes the results of a large scan.
func (l *learned) judge(e *env, o report.Options, outputs []output) (r *report.Report, done func(), err error) {
	done = func() {}
	if l.file == nil {
		hash := sha256.New()
		if err := evidence.Write(hash, l.Set); err != nil {
			return nil, done, err
		}
		o.Evidence = hex.EncodeToString(hash.Sum(nil))
		return report.New(l.Set, o), done, nil
	}
	collectGarbage(e, 50)
	defer limitMemory(e, memory)()
	o.Evidence = l.file.SHA256()
	var sink report.Sink
	var s *scratch
	for i := range outputs {
		if outputs[i].name != "json" {
			continue
		}
		if s == nil {
			if s, err = newScratch(outputs[i].path, o.Known); err != nil {
				return nil, done, err
			}
			sink, done = s, s.close
		}
		outputs[i].render = s.render
	}
	if r, err = report.NewLarge(l.file, o, sink); err != nil {
		return nil, done, newer(l.file.Path(), err)
	}
	if s != nil {
		err = s.Flush()
	}
	return r, done, err
}
