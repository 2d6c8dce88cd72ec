package object_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"unicode"

	"lookback/report/json/object"
)

func TestWriter(t *testing.T) {
	var out strings.Builder
	o := object.New(&out)
	o.Member("one", map[string]int{"b": 2, "a": 1})
	object.List(o, "none", []int{}, func(i int) any { return i })
	object.List(o, "two", []int{1, 2}, func(i int) any { return i * 10 })
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	want := "{\n\"one\": {\"a\":1,\"b\":2},\n\"none\": [],\n\"two\": [\n10,\n20\n]\n}\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// TestEscape proves that no character that acts gets through raw, and that a reader still gets each of them.
func TestEscape(t *testing.T) {
	var all strings.Builder
	for c := range rune(unicode.MaxRune) {
		if object.Acts(c) {
			all.WriteRune(c)
		}
	}
	name := "<b> & é 漢 😀 " + all.String()
	var out strings.Builder
	o := object.New(&out)
	o.Member(name, name)
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexFunc(strings.ReplaceAll(out.String(), "\n", ""), object.Acts); i >= 0 {
		t.Errorf("a character that acts is written raw: %q", out.String())
	}
	if !strings.Contains(out.String(), "<b> & é 漢 😀 ") {
		t.Errorf("ordinary text is escaped: %q", out.String())
	}
	var back map[string]string
	if err := json.Unmarshal([]byte(out.String()), &back); err != nil {
		t.Fatal(err)
	}
	if back[name] != name {
		t.Errorf("got %q back, want %q", back, name)
	}
}

type full struct{ left int }

var errFull = errors.New("disk full")

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestErrors(t *testing.T) {
	rows := make([]string, 10_000)
	o := object.New(&full{left: 5000})
	written := 0
	object.List(o, "rows", rows, func(string) any { written++; return "a row" })
	if err := o.Close(); !errors.Is(err, errFull) {
		t.Errorf("got %v, want the error of the disk", err)
	}
	if written == len(rows) {
		t.Errorf("rows were made after the disk was full")
	}

	o = object.New(&full{left: 5000})
	o.Member("a number that JSON has not", math.NaN())
	o.Member("another", 1)
	if err := o.Close(); err == nil {
		t.Errorf("got no error for a value that JSON cannot hold")
	}
}
