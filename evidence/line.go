package evidence

import (
	"bytes"
	"cmp"
	"errors"
	"strings"
)

// Unit names what is judged at a time in a large scan: the target up to its first "/", which is an account of a cloud with
// all its regions ("aws:111122223333"), or the whole ID where it has none.
func (id ID) Unit() string {
	unit, _, _ := strings.Cut(string(id), "/")
	return unit
}

// A Section is a part of saved evidence, in the order in which they stand.
type Section int

// The sections.
const (
	SectionHeader Section = iota
	SectionRecords
	SectionWith
	SectionGaps
	SectionWaivers
	SectionEnd
)

// MaxLine bounds one line of saved evidence, in bytes.
const MaxLine = maxLine

// A Line is one line of saved evidence, of which no more is read than it takes to put lines in order. Its Text belongs
// to whoever read it.
type Line struct {
	Section Section
	ID      ID // of a record
	Text    []byte
	kind    int // of a record, see recordType
}

// ParseLine reads a line without its end. That all of it is sound shows only when it is read as what it holds.
func ParseLine(text []byte) (Line, error) {
	for kind, begin := range lineBegins {
		rest, ok := bytes.CutPrefix(text, begin)
		if !ok {
			continue
		}
		id, after, ok := bytes.Cut(rest, []byte{'"'})
		if ok && !bytes.ContainsRune(id, '\\') && bytes.HasPrefix(after, []byte(`,"kind":`)) {
			l := Line{Section: SectionRecords, ID: ID(id), Text: text, kind: kind}
			if bytes.HasSuffix(text, []byte(`,"with":true}`)) {
				l.Section = SectionWith
			}
			return l, nil
		}
	}
	l, err := readLine(text)
	if err == nil && l.fields() > 1 {
		err = errSeveral
	}
	if err != nil {
		return Line{}, err
	}
	out := Line{Text: text}
	switch r := l.record(); {
	case r != nil:
		out.Section, out.ID, out.kind = SectionRecords, r.Self().ID, recordType(r)
		if l.With {
			out.Section = SectionWith
		}
	case l.Header != nil:
		out.Section = SectionHeader
	case l.Gap != nil:
		out.Section = SectionGaps
	case l.Waiver != nil:
		out.Section = SectionWaivers
	case l.End != nil:
		out.Section = SectionEnd
	default:
		return Line{}, errNothing
	}
	return out, nil
}

var (
	errSeveral = errors.New("it holds several records")
	errNothing = errors.New("it holds nothing that belongs there")
)

// lineBegins are the ways in which a record begins, by its type.
var lineBegins = [...][]byte{
	[]byte(`{"asset":{"id":"`), []byte(`{"log_source":{"id":"`), []byte(`{"log_store":{"id":"`), []byte(`{"access":{"id":"`), []byte(`{"alarm":{"id":"`),
	[]byte(`{"clock":{"id":"`),
}

// Compare orders lines as Write does: by section, and within one as Sort orders what they hold. Lines that hold the same
// are equal.
func (l Line) Compare(m Line) int {
	if c := cmp.Or(cmp.Compare(l.Section, m.Section), cmp.Compare(l.ID, m.ID), cmp.Compare(l.kind, m.kind)); c != 0 || bytes.Equal(l.Text, m.Text) {
		return c
	}
	a, err := readLine(l.Text)
	b, err2 := readLine(m.Text)
	switch {
	case err != nil || err2 != nil:
	case a.record() != nil && b.record() != nil:
		return cmp.Or(compareRecords(a.record(), b.record()), bytes.Compare(l.Text, m.Text))
	case a.Gap != nil && b.Gap != nil:
		return compareGaps(*a.Gap, *b.Gap)
	case a.Waiver != nil && b.Waiver != nil:
		return compareWaivers(*a.Waiver, *b.Waiver)
	}
	return bytes.Compare(l.Text, m.Text)
}

// Record reads the record of a line.
func (l Line) Record() (Record, error) {
	one, err := readLine(l.Text)
	if err != nil {
		return nil, err
	}
	if r := one.record(); r != nil && one.fields() == 1 {
		return r, nil
	}
	return nil, errNothing
}

// AddTo adds what a line holds to a set. A header and an end fill in what they say of it; a header of another format is
// an error.
func (l Line) AddTo(s *Set) error {
	one, err := readLine(l.Text)
	if err != nil {
		return err
	}
	if one.fields() > 1 {
		return errSeveral
	}
	switch r := one.record(); {
	case r != nil && one.With:
		s.With = append(s.With, r)
	case r != nil:
		s.Record(r)
	case one.Header != nil && one.Header.Schema != Schema:
		return otherSchema(one.Header.Schema)
	case one.Header != nil:
		s.Tool, s.Started, s.Targets = one.Header.Tool, one.Header.Started, one.Header.Targets
	case one.Gap != nil:
		s.Gap(*one.Gap)
	case one.Waiver != nil:
		s.Waiver(*one.Waiver)
	case one.End != nil:
		s.Ended, s.Counted, s.Partial = one.End.Ended, one.End.Counted, one.End.Partial
	default:
		return errNothing
	}
	return nil
}
