package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// fill sets every field of a record, and of what it is made of, to something that is not zero.
func fill(v reflect.Value, n *int, r *rand.Rand) {
	*n++
	texts := []string{"plain", "a/b:c#d", "with \"quotes\" & <tags>", "tab\tline\nend", "übel 漢 \u2028 \u007f", `back\slash`}
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = time.Date(2026, 6, 1, 12, 0, 0, r.IntN(2)*r.IntN(1e9), time.UTC)
		return
	case *Reason:
		*x = []Reason{Denied, Failed, Unresolved}[r.IntN(3)]
		return
	}
	if value, ok := v.Addr().Interface().(interface{ fillWith(*int, *rand.Rand) }); ok {
		value.fillWith(n, r)
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("%s %d", texts[r.IntN(len(texts))], *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(1 + r.IntN(1e6)))
	case reflect.Slice:
		s := reflect.MakeSlice(v.Type(), 1+r.IntN(3), 3)
		for i := range s.Len() {
			fill(s.Index(i), n, r)
		}
		v.Set(s)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 1 + r.IntN(3) {
			key, one := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(key, n, r)
			fill(one, n, r)
			v.SetMapIndex(key, one)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n, r)
		}
	}
}

// fillWith makes a fact: known, unknown or moot.
func (v *Value[T]) fillWith(n *int, r *rand.Rand) {
	var at Origin
	if r.IntN(4) > 0 {
		fill(reflect.ValueOf(&at).Elem(), n, r)
	}
	switch r.IntN(4) {
	case 0:
		*v = Unknown[T](Denied, at)
	case 1:
		*v = Moot[T](at)
	default:
		var of T
		fill(reflect.ValueOf(&of).Elem(), n, r)
		*v = Known(of, at)
	}
}

// TestFastReadsEveryField fills every field of every record, so that one that is new and not read fast is noticed: without
// it saved evidence would be read right, and ten times slower.
func TestFastReadsEveryField(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		records := []Record{&Asset{}, &LogSource{}, &LogStore{}, &Access{}, &Alarm{}, &Clock{}}
		var gap Gap
		n := 0
		fill(reflect.ValueOf(&gap).Elem(), &n, r)
		lines := []line{{Gap: &gap}}
		for _, record := range records {
			fill(reflect.ValueOf(record).Elem(), &n, r)
			lines = append(lines, recordLine(record, r.IntN(5) == 0))
		}
		for _, l := range lines {
			var text bytes.Buffer
			enc := json.NewEncoder(&text)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(l); err != nil {
				t.Fatal(err)
			}
			got, ok := readFast(bytes.TrimSuffix(text.Bytes(), []byte("\n")))
			if !ok {
				t.Fatalf("it is not read fast: %s", text.Bytes())
			}
			if !reflect.DeepEqual(got, l) {
				t.Fatalf("%s is read as %+v", text.Bytes(), got)
			}
		}
	}
}

// sameLine wants that what is read fast is what encoding/json reads, and is written again as it was.
func sameLine(t *testing.T, text []byte) {
	t.Helper()
	fast, ok := readFast(text)
	if !ok {
		return
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var slow line
	if err := dec.Decode(&slow); err != nil || dec.More() {
		t.Fatalf("%s is read fast, and is no line: %v", text, err)
	}
	if !reflect.DeepEqual(fast, slow) {
		t.Fatalf("%s\nis read as\n%+v\nand fast as\n%+v", text, slow, fast)
	}
	var again bytes.Buffer
	enc := json.NewEncoder(&again)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(fast); err != nil || !bytes.Equal(bytes.TrimSuffix(again.Bytes(), []byte("\n")), text) {
		t.Fatalf("%s\nis read fast, and written as\n%s (%v)", text, again.Bytes(), err)
	}
}

// TestFastIsAsStrict changes lines, a byte or a run of bytes at a time.
func TestFastIsAsStrict(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	s := whole()
	s.Sort()
	text := written(t, s)
	for name, one := range map[string]string{
		"false that is left out":   `{"asset":{"id":"a","kind":"","name":"","at":{},"host":false}}`,
		"a list that is left out":  `{"alarm":{"id":"a","kind":"","name":"","at":{},"on":[]}}`,
		"a fact that is left out":  `{"alarm":{"id":"a","kind":"","name":"","at":{},"enabled":{"unknown":""}}}`,
		"a place that is left out": `{"alarm":{"id":"a","kind":"","name":"","at":{},"enabled":{"value":true,"at":{}}}}`,
		"parts out of order":       `{"log_source":{"id":"a","kind":"","name":"","at":{},"activity":"x","parts":{"b":{"unknown":""},"a":{"unknown":""}}}}`,
		"a part twice":             `{"log_source":{"id":"a","kind":"","name":"","at":{},"activity":"x","parts":{"b":{"unknown":""},"b":{"unknown":""}}}}`,
		"a number with a zero":     `{"log_store":{"id":"a","kind":"","name":"","at":{},"kept":{"value":007}}}`,
		"a number below zero":      `{"log_store":{"id":"a","kind":"","name":"","at":{},"kept":{"value":-0}}}`,
		"a large number":           `{"log_store":{"id":"a","kind":"","name":"","at":{},"bytes":{"value":99999999999999999999}}}`,
		"nothing":                  `{"log_store":{"id":"a","kind":"","name":"","at":{},"on":{"value":null}}}`,
		"a needless escape":        `{"alarm":{"id":"\u0061","kind":"","name":"","at":{}}}`,
		"no reason":                `{"alarm":{"id":"a","kind":"","name":"","at":{},"enabled":{"unknown":"tired"}}}`,
		"bytes that are no text":   "{\"alarm\":{\"id\":\"\xff\",\"kind\":\"\",\"name\":\"\",\"at\":{}}}",
		"fields out of order":      `{"alarm":{"kind":"","id":"a","name":"","at":{}}}`,
		"a field twice":            `{"alarm":{"id":"a","kind":"","kind":"","name":"","at":{}}}`,
		"a gap that joins":         `{"gap":{"in":"","asked":"","why":""},"with":true}`,
	} {
		if _, ok := readFast([]byte(one)); ok {
			t.Errorf("%s is read fast", name)
		}
		sameLine(t, []byte(one))
	}
	bytesToTry := []byte(`"\{}[]:,0123456789-+.eEtrufalsn <>&` + "\x00\x1f\x7f\x80\xff")
	for line := range bytes.Lines(text) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		sameLine(t, line)
		for range 3000 {
			other := bytes.Clone(line)
			i := r.IntN(len(other))
			switch r.IntN(4) {
			case 0:
				other[i] = bytesToTry[r.IntN(len(bytesToTry))]
			case 1:
				other = append(other[:i], other[min(len(other), i+1+r.IntN(12)):]...)
			case 2:
				other = append(other[:i], append([]byte{bytesToTry[r.IntN(len(bytesToTry))]}, other[i:]...)...)
			default:
				j := r.IntN(len(other))
				other = append(other, other[min(i, j):max(i, j)]...)
				copy(other[i:], other[j:])
			}
			sameLine(t, other)
		}
	}
}

func FuzzLine(f *testing.F) {
	s := whole()
	s.Sort()
	for line := range bytes.Lines(written(f, s)) {
		f.Add(bytes.TrimSuffix(line, []byte("\n")))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !bytes.ContainsRune(text, '\n') {
			sameLine(t, text)
		}
	})
}

func TestUnit(t *testing.T) {
	for id, want := range map[ID]string{
		"aws:111122223333/eu-west-1//eks/batch": "aws:111122223333", "aws:111122223333//account": "aws:111122223333", "aws://s3/logs": "aws:",
		"syslog:logs.example.net:6514": "syslog:logs.example.net:6514", "compose:apps/shop//web": "compose:apps", "": "",
	} {
		if got := id.Unit(); got != want {
			t.Errorf("the unit of %q is %q, want %q", id, got, want)
		}
	}
}

// TestLinesStandAsSortPutsThem orders the lines of saved evidence by themselves.
func TestLinesStandAsSortPutsThem(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	s := whole()
	n := 0
	for range 200 {
		for _, record := range []Record{&Asset{}, &LogSource{}, &LogStore{}, &Access{}, &Alarm{}, &Clock{}} {
			fill(reflect.ValueOf(record).Elem(), &n, r)
			id := ID([]string{"a", "a//b", "a-b//c", `odd "id"`}[r.IntN(4)])
			reflect.ValueOf(record).Elem().FieldByName("ID").SetString(string(id))
			if r.IntN(2) == 0 {
				reflect.ValueOf(record).Elem().FieldByName("At").SetZero()
			}
			if r.IntN(9) == 0 {
				s.With = append(s.With, record)
			} else {
				s.Record(record)
			}
		}
		s.Gap(Gap{In: "a", Asked: fmt.Sprint(r.IntN(5)), Bad: r.IntN(2) == 0})
		s.Waiver(Waiver{Check: fmt.Sprint(r.IntN(5)), Until: fmt.Sprint(r.IntN(5))})
	}
	s.Sort()
	var last Line
	for text := range bytes.Lines(written(t, s)) {
		line, err := ParseLine(bytes.TrimSuffix(text, []byte("\n")))
		if err != nil {
			t.Fatal(err)
		}
		if last.Text != nil && (last.Compare(line) > 0 || line.Compare(last) < 0) {
			t.Fatalf("%s\nstands before\n%s", last.Text, line.Text)
		}
		last = line
	}
	if last.Section != SectionEnd {
		t.Errorf("the last line is of section %d", last.Section)
	}
}

func TestLineRefuses(t *testing.T) {
	for _, text := range []string{"", "{}", "x", `{"asset":{"id":"a"},"gap":{"in":"b"}}`, `{"hour":{}}`} {
		if l, err := ParseLine([]byte(text)); err == nil {
			t.Errorf("%q is read as %+v", text, l)
		}
	}
	for _, text := range []string{`{"gap":{"in":"x","asked":"y","why":""}}`, `{"asset":{"id":"a","kind":"`} {
		if r, err := (Line{Text: []byte(text)}).Record(); err == nil {
			t.Errorf("%q holds the record %+v", text, r)
		}
	}
	for _, text := range []string{"x", "{}", `{"header":{"schema":"lookback-evidence/9"}}`, `{"asset":{"id":"a","at":{}},"gap":{"in":"b"}}`} {
		if err := (Line{Text: []byte(text)}).AddTo(&Set{}); err == nil {
			t.Errorf("%q is added", text)
		}
	}
}
