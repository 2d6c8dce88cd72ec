// Package spool keeps evidence that is too large for memory in files: it takes the parts of a scan in any order, joins
// them in order of ID, and reads saved evidence a unit at a time.
//
// What it writes is what [evidence.Write] would write of all at once, byte for byte.
package spool

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"lookback/evidence"
)

// Small is how many bytes of evidence are judged at once. As long as there are no more than held, they are in memory too.
const (
	Small = 64 << 20
	held  = 16 << 20
)

// A Spool takes the parts of a scan, such as its accounts. Parts are held in memory as long as they are few; from
// then on they are files in a folder of its own that nobody else may read, each of them evidence that is read by itself and
// says that it is partial.
// It may be used by several goroutines.
type Spool struct {
	parent string
	small  int64

	mu      sync.Mutex
	dir     string // empty as long as everything is in memory
	files   int
	size    int64
	parts   []*part
	counted map[string]int
}

// A part is evidence in order, in memory or in a file.
type part struct {
	text []byte // nil once it is in a file
	path string
	size int64
	// Where its records (and the waivers after its gaps) begin and end, and where its gaps do. Both are read apart, so
	// that no file is open before its turn.
	streams []stream
}

// A stream is a run of lines of a part.
type stream struct {
	part       *part
	start, end int64
	first      evidence.Line
}

// New returns an empty spool. Its files, if there are any, will lie in a new folder below dir, or below the system's folder
// for temporary files where dir is empty. Close removes them.
func New(dir string) *Spool {
	return &Spool{parent: dir, small: Small, counted: map[string]int{}}
}

// Add adds a part: the Records, With, Gaps, Waivers and Counted of a set. It is written at once, so that nothing of it stays in
// memory once many parts are there. It sorts the set.
func (s *Spool) Add(set *evidence.Set) error {
	set.Sort()
	p := &part{}
	path, err := s.file()
	if err != nil {
		return fmt.Errorf("keeping evidence: %w", err)
	}
	if path == "" {
		var buf bytes.Buffer
		if err := p.write(&buf, set); err != nil {
			return fmt.Errorf("keeping evidence: %w", err)
		}
		p.text = buf.Bytes()
	} else {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("keeping evidence: %w", err)
		}
		if err := errors.Join(p.write(f, set), f.Close()); err != nil {
			return fmt.Errorf("keeping evidence: %w", err)
		}
		p.path = path
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for kind, n := range set.Counted {
		s.counted[kind] += n
	}
	s.parts = append(s.parts, p)
	s.size += p.size
	if s.size <= min(held, s.small) {
		return nil
	}
	for _, p := range s.parts {
		if err := s.spill(p); err != nil {
			return fmt.Errorf("keeping evidence: %w", err)
		}
	}
	return nil
}

// write writes a part, and finds its streams.
func (p *part) write(to io.Writer, set *evidence.Set) error {
	c := &cutter{part: p, last: evidence.SectionHeader}
	out := bufio.NewWriterSize(io.MultiWriter(to, c), 64<<10)
	if err := evidence.Write(out, &evidence.Set{
		Tool: set.Tool, Started: set.Started, Targets: set.Targets, Ended: set.Ended,
		Records: set.Records, With: set.With, Gaps: set.Gaps, Waivers: set.Waivers, Counted: set.Counted,
		Partial: true, // as long as it lies alone, so that nobody takes it for a whole scan after a kill
	}); err != nil {
		return err
	}
	return out.Flush()
}

// A cutter finds the streams of a part that is written to it.
type cutter struct {
	*part
	last evidence.Section
	rest []byte // the begin of a line
}

func (c *cutter) Write(data []byte) (int, error) {
	n := len(data)
	for {
		i := bytes.IndexByte(data, '\n')
		if i < 0 {
			c.rest = append(c.rest, data...)
			return n, nil
		}
		text := data[:i]
		if len(c.rest) > 0 {
			c.rest = append(c.rest, text...)
			text = c.rest
		}
		line, err := evidence.ParseLine(text)
		if err != nil {
			return 0, err
		}
		c.add(line)
		c.rest, data = c.rest[:0], data[i+1:]
	}
}

func (c *cutter) add(line evidence.Line) {
	if line.Section != c.last {
		if n := len(c.streams); n > 0 && c.streams[n-1].end == 0 {
			c.streams[n-1].end = c.size
		}
		if line.Section != evidence.SectionEnd {
			first := line
			first.Text = bytes.Clone(line.Text)
			c.streams = append(c.streams, stream{part: c.part, start: c.size, first: first})
		}
		c.last = line.Section
	}
	c.size += int64(len(line.Text)) + 1
}

var newline = []byte{'\n'}

// file is where the next part is to be written: nowhere as long as parts are held in memory.
func (s *Spool) file() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" {
		return "", nil
	}
	return s.path()
}

// path names a new file.
func (s *Spool) path() (string, error) {
	if s.dir == "" {
		var err error
		if s.dir, err = os.MkdirTemp(s.parent, "lookback-"); err != nil {
			return "", err
		}
	}
	s.files++
	return filepath.Join(s.dir, fmt.Sprintf("%06d.jsonl", s.files)), nil
}

// spill writes a part that is held in memory to a file.
func (s *Spool) spill(p *part) error {
	if p.path != "" {
		return nil
	}
	path, err := s.path()
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, p.text, 0o600); err != nil {
		return err
	}
	p.path, p.text = path, nil
	return nil
}

// Close removes what the spool holds. Joined evidence that lies in it is gone with it.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts, s.size = nil, 0
	if s.dir == "" {
		return nil
	}
	dir := s.dir
	s.dir = ""
	return os.RemoveAll(dir)
}

// Join puts everything together, in order of ID, with what head says of the whole scan: Tool, Started, Targets, Ended, Partial,
// and its own Gaps and Waivers. What is small comes back as a set, and file is nil; anything else as a file in the spool, and
// set is nil.
func (s *Spool) Join(head *evidence.Set) (set *evidence.Set, file *File, err error) {
	own := &evidence.Set{Records: head.Records, With: head.With, Gaps: head.Gaps, Waivers: head.Waivers, Counted: head.Counted}
	if err := s.Add(own); err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	whole := &evidence.Set{Tool: head.Tool, Started: head.Started, Targets: head.Targets, Ended: head.Ended, Partial: head.Partial, Counted: s.counted}
	if s.size <= s.small {
		var text bytes.Buffer
		if err := s.write(&text, whole); err != nil {
			return nil, nil, err
		}
		s.gone()
		set, err := evidence.Read(&text)
		return set, nil, err
	}
	path := filepath.Join(s.dir, "evidence.jsonl")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("joining evidence: %w", err)
	}
	index := newIndex()
	if err := errors.Join(s.write(io.MultiWriter(f, index), whole), f.Close()); err != nil {
		return nil, nil, fmt.Errorf("joining evidence: %w", err)
	}
	s.gone()
	file, err = index.open(path)
	return nil, file, err
}

// gone removes parts that are joined: they go with the folder anyway, and this makes room.
func (s *Spool) gone() {
	for _, p := range s.parts {
		if p.path != "" {
			_ = os.Remove(p.path)
		}
	}
	s.parts = nil
}

// write writes the whole: header and end of a set, and between them the lines of all parts in order.
func (s *Spool) write(w io.Writer, whole *evidence.Set) error {
	var frame bytes.Buffer
	if err := evidence.Write(&frame, whole); err != nil {
		return err
	}
	header, end, _ := bytes.Cut(frame.Bytes(), newline)
	out := bufio.NewWriterSize(w, 1<<20)
	put := func(text []byte) error {
		if _, err := out.Write(text); err != nil {
			return err
		}
		return out.WriteByte('\n')
	}
	if err := put(header); err != nil {
		return err
	}
	var streams []stream
	for _, p := range s.parts {
		streams = append(streams, p.streams...)
	}
	if err := merge(streams, put); err != nil {
		return err
	}
	if _, err := out.Write(end); err != nil {
		return err
	}
	return out.Flush()
}

// merge hands out the lines of streams in order; a gap that several of them have, once.
func merge(streams []stream, put func(text []byte) error) error {
	var open []*lines // a heap: the first is the least
	for i := range streams {
		open = append(open, &lines{stream: &streams[i], Line: streams[i].first})
	}
	slices.SortFunc(open, func(a, b *lines) int { return a.Compare(b.Line) })
	defer func() {
		for _, l := range open {
			l.close()
		}
	}()
	var last []byte // a gap
	for len(open) > 0 {
		least := open[0]
		if least.Section != evidence.SectionGaps || !bytes.Equal(last, least.Text) {
			if err := put(least.Text); err != nil {
				return err
			}
		}
		if least.Section == evidence.SectionGaps {
			last = append(last[:0], least.Text...)
		}
		more, err := least.next()
		if err != nil {
			return err
		}
		if !more {
			least.close()
			open[0] = open[len(open)-1]
			open = open[:len(open)-1]
		}
		sink(open)
	}
	return nil
}

// sink puts the first of a heap where it belongs.
func sink(heap []*lines) {
	for i := 0; ; {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(heap) && heap[child].Compare(heap[least].Line) < 0 {
				least = child
			}
		}
		if least == i {
			return
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
}

// A lines is a stream that is read: its Line is the current one.
type lines struct {
	*stream
	evidence.Line
	file io.Closer
	sc   *bufio.Scanner
}

// next goes on to the next line. The file is opened when its second line is asked for: the first is known.
func (l *lines) next() (more bool, err error) {
	if l.sc == nil {
		var r io.ReaderAt = bytes.NewReader(l.part.text)
		if l.part.text == nil {
			f, err := os.Open(l.part.path)
			if err != nil {
				return false, err
			}
			r, l.file = f, f
		}
		l.sc = scan(r, l.start, l.end)
		l.sc.Scan()
	}
	if !l.sc.Scan() {
		return false, l.sc.Err()
	}
	l.Line, err = evidence.ParseLine(l.sc.Bytes())
	return true, err
}

func (l *lines) close() {
	if l.file != nil {
		_ = l.file.Close()
		l.file = nil
	}
}

// scan reads the lines from one place to another.
func scan(r io.ReaderAt, start, end int64) *bufio.Scanner {
	sc := bufio.NewScanner(io.NewSectionReader(r, start, end-start))
	sc.Buffer(make([]byte, 0, 1+min(64<<10-1, end-start)), evidence.MaxLine)
	return sc
}
