package spool

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"os"
	"strings"

	"lookback/evidence"
)

// A File is saved evidence that stays in its file: it gives the records of one unit at a time.
type File struct {
	f    *os.File
	path string
	*index
}

// ErrOrder is returned for evidence that is not in order of ID, which [Sort] mends.
var ErrOrder = errors.New("reading evidence: the records are not in order")

// Open reads saved evidence once, to know where its units lie.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	index := newIndex()
	if _, err := io.CopyBuffer(struct{ io.Writer }{index}, f, make([]byte, 1<<20)); err != nil {
		return nil, err
	}
	return index.open(path)
}

// Sort puts saved evidence in order, as a file in the spool.
func (s *Spool) Sort(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const run = 20_000
	head, part := &evidence.Set{Partial: true}, &evidence.Set{}
	sc := scan(f, 0, math.MaxInt64)
	s.small = 0
	for n := 1; sc.Scan(); n++ {
		line, err := evidence.ParseLine(sc.Bytes())
		if err == nil && (line.Section == evidence.SectionHeader || line.Section == evidence.SectionEnd) {
			err = line.AddTo(head)
		} else if err == nil {
			err = line.AddTo(part)
		}
		if err != nil {
			return nil, fmt.Errorf("reading evidence: line %d: %w", n, err)
		}
		if n%run == 0 {
			if err := s.Add(part); err != nil {
				return nil, err
			}
			part = &evidence.Set{}
		}
	}
	if sc.Err() != nil {
		return nil, fmt.Errorf("reading evidence: %w", sc.Err())
	}
	if err := s.Add(part); err != nil {
		return nil, err
	}
	if head.Ended.IsZero() {
		head.Ended = head.Started
	}
	_, file, err := s.Join(head)
	return file, err
}

// Close closes the file. It stays where it is.
func (f *File) Close() error { return f.f.Close() }

// Path is where the file lies.
func (f *File) Path() string { return f.path }

// Head is what stands around the records: Tool, Started, Ended, Targets, Partial, Counted, With and Waivers.
func (f *File) Head() *evidence.Set { return &f.head }

// SHA256 is the hash of the file, in hex.
func (f *File) SHA256() string { return f.sum }

// Units is how many units there are.
func (f *File) Units() int { return len(f.units) }

// Unit reads the records of a unit, in order.
func (f *File) Unit(n int) ([]evidence.Record, error) {
	u := f.units[n]
	out := make([]evidence.Record, 0, u.lines)
	err := f.read(u.start, u.end, u.line, func(line evidence.Line) error {
		r, err := line.Record()
		out = append(out, r)
		return err
	})
	return out, err
}

// Gaps hands out the gaps, in order.
func (f *File) Gaps(take func(evidence.Gap) error) error {
	return f.read(f.gaps.start, f.gaps.end, f.gaps.line, func(line evidence.Line) error {
		var one evidence.Set
		if err := line.AddTo(&one); err != nil {
			return err
		}
		for _, g := range one.Gaps {
			if err := take(g); err != nil {
				return err
			}
		}
		return nil
	})
}

// CopyTo writes the file as it is.
func (f *File) CopyTo(w io.Writer) error {
	_, err := io.Copy(w, io.NewSectionReader(f.f, 0, f.size))
	if err == nil {
		_, err = w.Write(f.tail)
	}
	return err
}

func (f *File) read(start, end int64, number int, take func(evidence.Line) error) error {
	sc := scan(f.f, start, end)
	for ; sc.Scan(); number++ {
		line, err := evidence.ParseLine(sc.Bytes())
		if err == nil {
			err = take(line)
		}
		if err != nil {
			return fmt.Errorf("reading evidence: line %d: %w", number, err)
		}
	}
	if sc.Err() != nil {
		return fmt.Errorf("reading evidence: line %d: %w", number, sc.Err())
	}
	return nil
}

// An index knows where the units of a file lie. The file is written to it.
type index struct {
	head  evidence.Set
	units []span
	gaps  span
	sum   string
	size  int64 // up to the end of the last whole line

	hash  hash.Hash
	rest  []byte // the begin of a line
	last  evidence.Line
	lines int
	named map[string]int // units, by name
	tail  []byte         // what a file lacks that was cut short
}

// A span is a run of lines.
type span struct {
	start, end  int64
	line, lines int // the number of the first, and how many
}

func newIndex() *index {
	return &index{head: evidence.Set{Partial: true}, hash: sha256.New(), named: map[string]int{}, last: evidence.Line{Section: -1}}
}

func (x *index) Write(data []byte) (int, error) {
	n := len(data)
	for {
		i := bytes.IndexByte(data, '\n')
		if i < 0 {
			break
		}
		line := data[:i]
		if len(x.rest) > 0 {
			x.rest = append(x.rest, line...)
			line = x.rest
		}
		if err := x.add(line); err != nil {
			return 0, err
		}
		x.rest = x.rest[:0]
		data = data[i+1:]
	}
	if x.rest = append(x.rest, data...); len(x.rest) > evidence.MaxLine {
		return 0, fmt.Errorf("reading evidence: line %d has more than %d bytes", x.lines+1, evidence.MaxLine)
	}
	return n, nil
}

// add takes a line in.
func (x *index) add(text []byte) error {
	x.lines++
	line, err := evidence.ParseLine(text)
	switch {
	case x.lines == 1 && (err != nil || line.Section != evidence.SectionHeader):
		if _, err := evidence.Read(bytes.NewReader(text)); err != nil { // which knows what else it can be
			return err
		}
		return evidence.ErrNotEvidence
	case err != nil:
		return fmt.Errorf("reading evidence: line %d: %w", x.lines, err)
	case x.last.Section == evidence.SectionEnd:
		return fmt.Errorf("reading evidence: line %d: more after the end", x.lines)
	case line.Section == evidence.SectionHeader && x.lines > 1:
		return fmt.Errorf("reading evidence: line %d holds nothing", x.lines)
	case x.last.Compare(line) > 0:
		return ErrOrder
	}
	start := x.size
	x.size += int64(len(text)) + 1
	x.hash.Write(text)
	x.hash.Write(newline)
	switch line.Section {
	case evidence.SectionRecords:
		x.unit(line, start)
	case evidence.SectionGaps:
		if x.gaps.lines == 0 {
			x.gaps.start, x.gaps.line = start, x.lines
		}
		x.gaps.end, x.gaps.lines = x.size, x.gaps.lines+1
	default:
		if err := line.AddTo(&x.head); err != nil {
			return fmt.Errorf("reading evidence: line %d: %w", x.lines, err)
		}
	}
	line.Text = append(x.last.Text[:0], text...)
	x.last = line
	return nil
}

// unit puts a record's line into its unit. A unit that goes on after another one began takes that one in: "a", "a-b//x",
// "a//x" is the order of IDs. What belongs to no account ("aws://s3/NAME/PREFIX") is a unit by itself: of this an organisation may
// have more than goes into memory.
func (x *index) unit(line evidence.Line, start int64) {
	name := line.ID.Unit()
	var n int
	if strings.HasSuffix(name, ":") && strings.HasPrefix(string(line.ID[len(name):]), "//") {
		if n = len(x.units) - 1; line.ID != x.last.ID {
			n++
			x.units = append(x.units, span{start: start, line: x.lines})
		}
	} else {
		var ok bool
		if n, ok = x.named[name]; !ok {
			n = len(x.units)
			x.named[name] = n
			x.units = append(x.units, span{start: start, line: x.lines})
		}
	}
	if n < len(x.units)-1 {
		for _, u := range x.units[n+1:] {
			x.units[n].lines += u.lines
		}
		x.units = x.units[:n+1]
		for other, i := range x.named {
			x.named[other] = min(i, n)
		}
	}
	u := &x.units[n]
	u.end, u.lines = x.size, u.lines+1
}

// open ends the index, and opens the file that it is of.
func (x *index) open(path string) (*File, error) {
	if len(x.rest) > 0 {
		// The end of the file is no end of a line: either the last line is whole, or it was cut.
		if line, err := evidence.ParseLine(x.rest); err == nil && line.AddTo(&evidence.Set{}) == nil {
			if err := x.add(x.rest); err != nil {
				return nil, err
			}
			x.size, x.tail = x.size-1, newline
		}
	}
	if x.lines == 0 {
		return nil, evidence.ErrNotEvidence
	}
	if x.last.Section != evidence.SectionEnd {
		x.head.Ended = x.head.Started
		var frame bytes.Buffer
		if err := evidence.Write(&frame, &evidence.Set{Started: x.head.Started, Ended: x.head.Ended, Partial: true}); err != nil {
			return nil, err
		}
		_, end, _ := bytes.Cut(frame.Bytes(), newline)
		x.tail = append(bytes.Clone(x.tail), end...)
		x.hash.Write(end)
	}
	x.sum = hex.EncodeToString(x.hash.Sum(nil))
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &File{f, path, x}, nil
}
