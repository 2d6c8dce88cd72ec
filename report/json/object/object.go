// Package object writes one large JSON object as a stream: a member a line, and lists an element a line, so that two
// files compare well and nothing is held in memory.
package object

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

// A Writer writes an object. The first error stops it, and Close returns it.
type Writer struct {
	out   *bufio.Writer
	comma string
	err   error
}

// New begins an object.
func New(w io.Writer) *Writer {
	o := &Writer{out: bufio.NewWriter(w)}
	o.raw("{")
	return o
}

// Member writes a member, as encoding/json has it.
func (o *Writer) Member(name string, value any) {
	o.name(name)
	o.value(value)
}

// List writes a member that is a list, with what row makes of each element.
func List[T any](o *Writer, name string, of []T, row func(T) any) {
	o.name(name)
	o.raw("[")
	for i, one := range of {
		if o.err != nil {
			return
		}
		if i > 0 {
			o.raw(",")
		}
		o.raw("\n")
		o.value(row(one))
	}
	if len(of) > 0 {
		o.raw("\n")
	}
	o.raw("]")
}

// Close ends the object.
func (o *Writer) Close() error {
	o.raw("\n}\n")
	if err := o.out.Flush(); o.err == nil {
		o.err = err
	}
	return o.err
}

func (o *Writer) name(name string) {
	o.raw(o.comma + "\n")
	o.comma = ","
	o.value(name)
	o.raw(": ")
}

func (o *Writer) raw(s string) {
	if o.err == nil {
		_, o.err = o.out.WriteString(s)
	}
}

func (o *Writer) value(v any) {
	if o.err != nil {
		return
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		o.err = fmt.Errorf("writing JSON: %w", err)
		return
	}
	_, o.err = o.out.Write(escape(bytes.TrimSuffix(buf.Bytes(), []byte("\n"))))
}

// escape writes characters that act on a terminal or turn text around as \u escapes. JSON has them only within strings,
// and encoding/json leaves DEL, the C1 controls and the direction marks as they are.
func escape(text []byte) []byte {
	if !bytes.ContainsFunc(text, Acts) {
		return text
	}
	var out []byte
	for _, c := range string(text) {
		if Acts(c) {
			out = fmt.Appendf(out, `\u%04x`, c) // none lies beyond U+FFFF
			continue
		}
		out = utf8.AppendRune(out, c)
	}
	return out
}

// Acts reports whether a character does something where it is shown: a control, or one that changes the direction.
func Acts(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) }
