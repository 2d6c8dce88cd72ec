package evidence

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Schema names the format of saved evidence. It changes when an older lookback could misread a newer file.
const Schema = "lookback-evidence/1"

const schemaName = "lookback-evidence/"

func otherSchema(name string) error {
	return fmt.Errorf("reading evidence: %q is not a format that this version reads; it reads %q", name, Schema)
}

// maxLine bounds one line of saved evidence, in bytes.
const maxLine = 8 << 20

// ErrNotEvidence is returned by Read for a file whose first line is no header of saved evidence.
var ErrNotEvidence = errors.New("not saved evidence")

// line is one line of saved evidence: exactly one of its fields is set. With goes beside a record.
type line struct {
	Header    *header    `json:"header,omitempty"`
	Asset     *Asset     `json:"asset,omitempty"`
	LogSource *LogSource `json:"log_source,omitempty"`
	LogStore  *LogStore  `json:"log_store,omitempty"`
	Access    *Access    `json:"access,omitempty"`
	Alarm     *Alarm     `json:"alarm,omitempty"`
	Clock     *Clock     `json:"clock,omitempty"`
	Gap       *Gap       `json:"gap,omitempty"`
	Waiver    *Waiver    `json:"waiver,omitempty"`
	End       *end       `json:"end,omitempty"`
	With      bool       `json:"with,omitempty"`
}

type header struct {
	Schema  string    `json:"schema"`
	Tool    string    `json:"tool"`
	Started time.Time `json:"started"`
	Targets []string  `json:"targets"`
}

type end struct {
	Ended   time.Time      `json:"ended"`
	Counted map[string]int `json:"counted,omitempty"`
	Partial bool           `json:"partial,omitempty"`
}

// recordType orders records of one ID.
func recordType(r Record) int {
	switch r.(type) {
	case *Asset:
		return 0
	case *LogSource:
		return 1
	case *LogStore:
		return 2
	case *Access:
		return 3
	case *Alarm:
		return 4
	}
	return 5
}

func recordLine(r Record, with bool) line {
	l := line{With: with}
	switch r := r.(type) {
	case *Asset:
		l.Asset = r
	case *LogSource:
		l.LogSource = r
	case *LogStore:
		l.LogStore = r
	case *Access:
		l.Access = r
	case *Alarm:
		l.Alarm = r
	case *Clock:
		l.Clock = r
	}
	return l
}

// Write saves a sorted set as JSON lines: a header, the records in order of ID, gaps, waivers, and a last line that
// says that nothing is missing. The same set gives the same bytes.
func Write(w io.Writer, s *Set) error {
	buf := bufio.NewWriter(w)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	var err error
	put := func(l line) {
		if err == nil {
			err = enc.Encode(l)
		}
	}
	put(line{Header: &header{Schema: Schema, Tool: s.Tool, Started: s.Started, Targets: s.Targets}})
	for _, r := range s.Records {
		put(recordLine(r, false))
	}
	for _, r := range s.With {
		put(recordLine(r, true))
	}
	for i := range s.Gaps {
		put(line{Gap: &s.Gaps[i]})
	}
	for i := range s.Waivers {
		put(line{Waiver: &s.Waivers[i]})
	}
	put(line{End: &end{Ended: s.Ended, Counted: s.Counted, Partial: s.Partial}})
	if err != nil {
		return fmt.Errorf("saving evidence: %w", err)
	}
	if err := buf.Flush(); err != nil {
		return fmt.Errorf("saving evidence: %w", err)
	}
	return nil
}

// Read loads saved evidence. A file that ends before its last line is Partial. Its error names the line.
func Read(r io.Reader) (*Set, error) {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, 64<<10), maxLine)
	s := &Set{Partial: true}
	n, ended := 0, false
	var cut error // of the last line: a file that was cut short in the middle of it is partial, not bad
	for sc.Scan() {
		n++
		if cut != nil {
			return nil, cut
		}
		if ended {
			return nil, fmt.Errorf("reading evidence: line %d: more after the end", n)
		}
		l, err := readLine(sc.Bytes())
		if n == 1 && (err != nil || l.Header == nil) {
			var newer struct{ Header struct{ Schema string } }
			if json.Unmarshal(sc.Bytes(), &newer) == nil && strings.HasPrefix(newer.Header.Schema, schemaName) && newer.Header.Schema != Schema {
				return nil, otherSchema(newer.Header.Schema)
			}
			return nil, ErrNotEvidence
		}
		if err != nil {
			cut = fmt.Errorf("reading evidence: line %d: %w", n, err)
			continue
		}
		if l.fields() > 1 {
			return nil, fmt.Errorf("reading evidence: line %d holds several records", n)
		}
		switch {
		case n == 1:
			if l.Header.Schema != Schema {
				return nil, otherSchema(l.Header.Schema)
			}
			s.Tool, s.Started, s.Targets = l.Header.Tool, l.Header.Started, l.Header.Targets
		case l.record() != nil && l.With:
			s.With = append(s.With, l.record())
		case l.record() != nil:
			s.Record(l.record())
		case l.Gap != nil:
			s.Gap(*l.Gap)
		case l.Waiver != nil:
			s.Waiver(*l.Waiver)
		case l.End != nil:
			ended = true
			s.Ended, s.Counted, s.Partial = l.End.Ended, l.End.Counted, l.End.Partial
		default:
			return nil, fmt.Errorf("reading evidence: line %d holds nothing", n)
		}
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("reading evidence: line %d: %w", n+1, err)
	}
	if n == 0 {
		return nil, ErrNotEvidence
	}
	if !ended {
		s.Ended = s.Started
	}
	s.Sort()
	return s, nil
}

// readLine reads one line, and refuses what it does not know.
func readLine(text []byte) (line, error) {
	if l, ok := readFast(text); ok {
		return l, nil
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var l line
	err := dec.Decode(&l)
	if err == nil && dec.More() {
		err = errors.New("more than one value")
	}
	return l, err
}

// fields counts what a line holds.
func (l line) fields() int {
	n := 0
	for _, there := range []bool{
		l.Header != nil, l.Asset != nil, l.LogSource != nil, l.LogStore != nil, l.Access != nil, l.Alarm != nil, l.Clock != nil, l.Gap != nil, l.Waiver != nil, l.End != nil,
	} {
		if there {
			n++
		}
	}
	return n
}

// record is the one that a line holds; nil where it holds something else.
func (l line) record() Record {
	switch {
	case l.Asset != nil:
		return l.Asset
	case l.LogSource != nil:
		return l.LogSource
	case l.LogStore != nil:
		return l.LogStore
	case l.Access != nil:
		return l.Access
	case l.Alarm != nil:
		return l.Alarm
	case l.Clock != nil:
		return l.Clock
	}
	return nil
}
