package evidence

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// readFast reads a record or a gap in the very form in which Write writes it: the fields in order, no space, no field
// that Write would leave out. It takes about a tenth of the time of encoding/json. Anything else is left to that: ok is
// then false. So what it takes is, byte for byte, what Write makes of what it returns.
func readFast(text []byte) (l line, ok bool) {
	p := &reader{s: string(text)}
	p.need("{")
	switch {
	case p.take(`"asset":`):
		l.Asset = p.asset()
	case p.take(`"log_source":`):
		l.LogSource = p.logSource()
	case p.take(`"log_store":`):
		l.LogStore = p.logStore()
	case p.take(`"access":`):
		l.Access = p.access()
	case p.take(`"alarm":`):
		l.Alarm = p.alarm()
	case p.take(`"clock":`):
		l.Clock = p.clock()
	case p.take(`"gap":`):
		l.Gap = p.gap()
	default:
		return line{}, false
	}
	l.With = p.take(`,"with":true`)
	p.need("}")
	if p.bad || p.i != len(p.s) || l.With && l.Gap != nil {
		return line{}, false
	}
	return l, true
}

// A reader reads the JSON of one line. Once it met what it does not expect it is bad, and what it returns is worth
// nothing.
type reader struct {
	s     string
	i     int
	bad   bool
	first bool // the next field is the first of its object
	// html is set within a Value, where encoding/json writes "<" as an escape.
	html bool
}

func (p *reader) take(text string) bool {
	if !strings.HasPrefix(p.s[p.i:], text) {
		return false
	}
	p.i += len(text)
	return true
}

func (p *reader) need(text string) {
	if !p.take(text) {
		p.fail()
	}
}

func (p *reader) fail() { p.bad, p.i = true, len(p.s) }

// object reads an object, whose fields are read by fields.
func (p *reader) object(fields func()) {
	p.need("{")
	p.first = true
	fields()
	p.first = false
	p.need("}")
}

// field reports whether the next field has a name, and goes on to its value.
func (p *reader) field(name string) bool {
	rest := p.s[p.i:]
	n := 0
	if !p.first {
		n = 1
		if rest == "" || rest[0] != ',' {
			return false
		}
	}
	if len(rest) < n+len(name)+3 || rest[n] != '"' || rest[n+1:n+1+len(name)] != name || rest[n+1+len(name)] != '"' || rest[n+2+len(name)] != ':' {
		return false
	}
	p.i += n + len(name) + 3
	p.first = false
	return true
}

// must is a field that is always there.
func (p *reader) must(name string) {
	if !p.field(name) {
		p.fail()
	}
}

// text reads a string.
func (p *reader) text() string {
	start := p.i
	p.need(`"`)
	plain, ascii := true, true
	for p.i < len(p.s) {
		switch c := p.s[p.i]; {
		case c == '"':
			p.i++
			out := p.s[start+1 : p.i-1]
			if plain && (ascii || utf8.ValidString(out) && !strings.Contains(out, "\u2028") && !strings.Contains(out, "\u2029")) {
				return out
			}
			return p.escaped(p.s[start:p.i])
		case c == '\\':
			plain = false
			p.i++
		case c < ' ', p.html && (c == '<' || c == '>' || c == '&'):
			plain = false
		case c >= utf8.RuneSelf:
			ascii = false
		}
		p.i++
	}
	p.fail()
	return ""
}

// escaped reads a string that does not mean what stands there, and wants it written as Write does.
func (p *reader) escaped(literal string) string {
	var out string
	var again bytes.Buffer
	enc := json.NewEncoder(&again)
	enc.SetEscapeHTML(p.html)
	if json.Unmarshal([]byte(literal), &out) != nil || enc.Encode(out) != nil || strings.TrimSuffix(again.String(), "\n") != literal {
		p.fail()
		return ""
	}
	return out
}

// some reads a string that is left out when it is empty.
func (p *reader) some() string {
	s := p.text()
	if s == "" {
		p.fail()
	}
	return s
}

func (p *reader) yes() bool {
	p.need("true")
	return true
}

func (p *reader) bool() bool {
	if p.take("true") {
		return true
	}
	p.need("false")
	return false
}

func (p *reader) int64() int64 {
	start := p.i
	for p.i < len(p.s) && (p.s[p.i] == '-' || '0' <= p.s[p.i] && p.s[p.i] <= '9') {
		p.i++
	}
	n, err := strconv.ParseInt(p.s[start:p.i], 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != p.s[start:p.i] {
		p.fail()
	}
	return n
}

func (p *reader) int() int {
	n := p.int64()
	if int64(int(n)) != n {
		p.fail()
	}
	return int(n)
}

func (p *reader) time() time.Time {
	start := p.i
	p.text()
	var t time.Time
	text := p.s[start:p.i]
	if p.bad || t.UnmarshalJSON([]byte(text)) != nil {
		p.fail()
		return t
	}
	if again, err := t.MarshalJSON(); err != nil || string(again) != text {
		p.fail()
	}
	return t
}

// list reads a list.
func list[T any](p *reader, item func() T) []T {
	p.need("[")
	out := []T{}
	for !p.bad && !p.take("]") {
		if len(out) > 0 {
			p.need(",")
		}
		out = append(out, item())
	}
	return out
}

// items reads a list that is left out when it is empty.
func items[T any](p *reader, item func() T) []T {
	out := list(p, item)
	if len(out) == 0 {
		p.fail()
	}
	return out
}

// dict reads an object of facts by name, in order of name.
func dict[K ~string, T any](p *reader, value func() Value[T]) map[K]Value[T] {
	out := map[K]Value[T]{}
	last := ""
	p.need("{")
	for !p.bad && !p.take("}") {
		if len(out) > 0 {
			p.need(",")
		}
		name := p.text()
		if len(out) > 0 && name <= last {
			p.fail()
		}
		last = name
		p.need(":")
		out[K(name)] = value()
	}
	if len(out) == 0 {
		p.fail()
	}
	return out
}

// value reads a fact.
func value[T any](p *reader, known func() T) Value[T] {
	var v Value[T]
	p.html = true
	p.object(func() {
		switch {
		case p.field("value"):
			v = Known(known(), Origin{})
		case p.field("unknown"):
			v.why = Reason(p.text())
			if !v.why.valid() {
				p.fail()
			}
		case p.field("moot"):
			p.yes()
			v = Moot[T](Origin{})
		default:
			p.fail()
		}
		if p.field("at") {
			if v.at = p.origin(); v.at == (Origin{}) {
				p.fail()
			}
		}
	})
	p.html = false
	return v
}

// fact reads one that is left out when nobody looked.
func fact[T any](p *reader, known func() T) Value[T] {
	v := value(p, known)
	if v.IsZero() {
		p.fail()
	}
	return v
}

func text[T ~string](p *reader) func() T { return func() T { return T(p.text()) } }

func (p *reader) origin() (o Origin) {
	p.object(func() {
		if p.field("file") {
			o.File = p.some()
		}
		for _, n := range []struct {
			name string
			to   *int
		}{{"line", &o.Line}, {"col", &o.Col}} {
			if p.field(n.name) {
				if *n.to = p.int(); *n.to == 0 {
					p.fail()
				}
			}
		}
		if p.field("call") {
			o.Call = p.some()
		}
		if p.field("of") {
			o.Of = p.some()
		}
		if p.field("note") {
			o.Note = p.some()
		}
		if p.field("fix") {
			o.Fix = p.some()
		}
	})
	return o
}

func (p *reader) subject() (s Subject) {
	p.must("id")
	s.ID = ID(p.text())
	p.must("kind")
	s.Kind = p.text()
	p.must("name")
	s.Name = p.text()
	p.must("at")
	s.At = p.origin()
	return s
}

func (p *reader) extent() (e Extent) {
	p.object(func() {
		p.must("grade")
		e.Grade = Grade(p.text())
		if p.field("but") {
			e.But = p.some()
		}
	})
	return e
}

func (p *reader) delivery() (d Delivery) {
	p.object(func() {
		p.must("to")
		d.To = ID(p.text())
		if p.field("extent") {
			d.Extent = fact(p, p.extent)
		}
		if p.field("lossless") {
			d.Lossless = fact(p, p.bool)
		}
		if p.field("whole") {
			d.Whole = fact(p, p.bool)
		}
		if p.field("encrypted") {
			d.Encrypted = fact(p, p.bool)
		}
		if p.field("buffer") {
			d.Buffer = fact(p, p.int64)
		}
		if p.field("last") {
			d.Last = fact(p, p.time)
		}
		if p.field("error") {
			d.Error = fact(p, p.text)
		}
		if p.field("validated") {
			d.Validated = fact(p, p.bool)
		}
	})
	return d
}

func (p *reader) asset() *Asset {
	a := &Asset{}
	p.object(func() {
		a.Subject = p.subject()
		if p.field("in") {
			a.In = fact(p, text[ID](p))
		}
		if p.field("host") {
			a.Host = p.yes()
		}
		if p.field("lasting") {
			a.Lasting = p.yes()
		}
		if p.field("looked") {
			a.Looked = dict[Activity](p, func() Value[bool] { return value(p, p.bool) })
		}
		if p.field("alarmed") {
			a.Alarmed = fact(p, p.bool)
		}
		if p.field("hands") {
			a.Hands = fact(p, func() []string { return list(p, p.text) })
		}
		if p.field("lingers") {
			a.Lingers = fact(p, p.int64)
		}
		if p.field("development") {
			a.Development = p.yes()
		}
		if p.field("also") {
			a.Also = items(p, text[ID](p))
		}
		if p.field("places") {
			a.Places = items(p, p.origin)
		}
	})
	return a
}

func (p *reader) logSource() *LogSource {
	s := &LogSource{}
	p.object(func() {
		s.Subject = p.subject()
		p.must("activity")
		s.Activity = Activity(p.text())
		if p.field("records") {
			s.Records = p.some()
		}
		if p.field("covers") {
			s.Covers = items(p, text[ID](p))
		}
		if p.field("enabled") {
			s.Enabled = fact(p, p.bool)
		}
		if p.field("since") {
			s.Since = fact(p, p.time)
		}
		if p.field("fixed") {
			s.Fixed = fact(p, p.bool)
		}
		if p.field("floor") {
			s.Floor = p.yes()
		}
		if p.field("hidden") {
			s.Hidden = fact(p, text[Hiding](p))
		}
		if p.field("parts") {
			s.Parts = dict[Part](p, func() Value[Extent] { return value(p, p.extent) })
		}
		if p.field("to") {
			s.To = items(p, p.delivery)
		}
		if p.field("complete") {
			s.Complete = fact(p, p.bool)
		}
	})
	return s
}

func (p *reader) logStore() *LogStore {
	s := &LogStore{}
	p.object(func() {
		s.Subject = p.subject()
		if p.field("on") {
			s.On = fact(p, func() []ID { return list(p, text[ID](p)) })
		}
		if p.field("memory") {
			s.Memory = fact(p, p.bool)
		}
		if p.field("kept") {
			s.Kept = fact(p, p.int)
		}
		if p.field("bytes") {
			s.Bytes = fact(p, p.int64)
		}
		if p.field("oldest") {
			s.Oldest = fact(p, p.time)
		}
		if p.field("newest") {
			s.Newest = fact(p, p.time)
		}
		if p.field("dropped") {
			s.Dropped = fact(p, p.bool)
		}
		if p.field("cold_after") {
			s.ColdAfter = fact(p, p.int)
		}
		if p.field("restore") {
			s.Restore = fact(p, p.int64)
		}
		if p.field("lingers") {
			s.Lingers = fact(p, p.int64)
		}
		if p.field("locked") {
			s.Locked = fact(p, p.int)
		}
		for _, f := range []struct {
			name string
			to   *Value[bool]
		}{
			{"encrypted", &s.Encrypted}, {"readable", &s.Readable}, {"private", &s.Private},
		} {
			if p.field(f.name) {
				*f.to = fact(p, p.bool)
			}
		}
		if p.field("as") {
			s.As = ID(p.text())
		}
		if p.field("to") {
			s.To = items(p, p.delivery)
		}
		if p.field("complete") {
			s.Complete = fact(p, p.bool)
		}
	})
	return s
}

func (p *reader) access() *Access {
	a := &Access{}
	p.object(func() {
		a.Subject = p.subject()
		p.must("of")
		a.Of = ID(p.text())
		p.must("means")
		a.Means = Means(p.text())
		for _, f := range []struct {
			name string
			to   *Value[bool]
		}{{"exact", &a.Exact}, {"allowed", &a.Allowed}, {"recorded", &a.Recorded}, {"guarded", &a.Guarded}} {
			if p.field(f.name) {
				*f.to = fact(p, p.bool)
			}
		}
	})
	return a
}

func (p *reader) alarm() *Alarm {
	a := &Alarm{}
	p.object(func() {
		a.Subject = p.subject()
		if p.field("on") {
			a.On = items(p, text[ID](p))
		}
		if p.field("enabled") {
			a.Enabled = fact(p, p.bool)
		}
		if p.field("reaches") {
			a.Reaches = fact(p, p.bool)
		}
	})
	return a
}

func (p *reader) clock() *Clock {
	c := &Clock{}
	p.object(func() {
		c.Subject = p.subject()
		p.must("of")
		c.Of = ID(p.text())
		if p.field("synchronised") {
			c.Synchronised = fact(p, p.bool)
		}
		if p.field("sources") {
			c.Sources = fact(p, func() []TimeSource { return list(p, p.timeSource) })
		}
		if p.field("guarded") {
			c.Guarded = fact(p, p.bool)
		}
	})
	return c
}

func (p *reader) timeSource() (s TimeSource) {
	p.object(func() {
		p.must("address")
		s.Address = p.text()
		if p.field("platform") {
			s.Platform = p.yes()
		}
		if p.field("several") {
			s.Several = p.yes()
		}
	})
	return s
}

func (p *reader) gap() *Gap {
	g := &Gap{}
	p.object(func() {
		p.must("in")
		g.In = ID(p.text())
		p.must("asked")
		g.Asked = p.text()
		p.must("why")
		g.Why = Reason(p.text())
		if p.field("err") {
			g.Err = p.some()
		}
		if p.field("at") {
			if g.At = p.origin(); g.At == (Origin{}) {
				p.fail()
			}
		}
		if p.field("bad") {
			g.Bad = p.yes()
		}
	})
	return g
}
