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
	l := Elements{o: o}
	for _, one := range of {
		if o.err != nil {
			return
		}
		_ = l.Add(row(one)) // o keeps the error for Close
	}
	if len(of) > 0 {
		o.raw("\n")
	}
	o.raw("]")
}

// Copy writes a member that is a list, of the elements that were written before as [Elements].
func (o *Writer) Copy(name string, elements io.Reader) {
	o.name(name)
	o.raw("[")
	if o.err == nil {
		var n int64
		if n, o.err = io.Copy(o.out, elements); n > 0 {
			o.raw("\n")
		}
	}
	o.raw("]")
}

// Elements writes the elements of a list, to be copied into an object later.
type Elements struct {
	o    *Writer
	more bool
}

// NewElements begins with none.
func NewElements(w io.Writer) *Elements {
	return &Elements{o: &Writer{out: bufio.NewWriterSize(w, 64<<10)}}
}

// Add writes one more, as encoding/json has it.
func (l *Elements) Add(value any) error {
	if l.more {
		l.o.raw(",")
	}
	l.more = true
	l.o.raw("\n")
	l.o.value(value)
	return l.o.err
}

// Flush ends the elements.
func (l *Elements) Flush() error {
	if err := l.o.out.Flush(); l.o.err == nil {
		l.o.err = err
	}
	return l.o.err
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
	plain := true
	for _, c := range text {
		if c < ' ' || c >= 0x7f {
			plain = false
			break
		}
	}
	if plain || !bytes.ContainsFunc(text, Acts) {
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
