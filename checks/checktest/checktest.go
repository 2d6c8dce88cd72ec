// Package checktest runs a check over a fixture: evidence in YAML with want comments.
//
//	- asset: {id: compose:shop//web, kind: service, name: web, in: compose:shop//host, looked: {application: true}}
//	- log-source:
//	    id: compose:shop//web/stdout#application
//	    enabled: false # want fail `does not write`
//
// A fact is written as its value, as {unknown: denied, note: ...}, as {moot: true}, or as {value: v, note: ...}. What is
// not written is unknown. A want comment stands on the line of the fact that decides, or, where that has no line, on the
// line of the subject's id. Every result must be wanted.
package checktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"lookback/checks"
	"lookback/evidence"
)

// Now is the moment for which fixtures are judged.
var Now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

var wantRE = regexp.MustCompile("(pass|fail|not-assessed)(?: (low|medium|high))? `([^`]*)`")

// Run judges the fixtures of a folder that are named after a check ("testdata/off_asset.yaml") and compares what comes
// out with what they want. The fixture must show a pass, a failure, and something that is not assessed.
func Run(t *testing.T, fixture string, check *checks.Check) {
	t.Helper()
	data, err := os.ReadFile(fixture)
	if err != nil {
		t.Fatal(err)
	}
	set, err := Load(fixture, data)
	if err != nil {
		t.Fatal(err)
	}
	got := map[int][]checks.Result{}
	shown := map[checks.Outcome]bool{}
	for _, r := range checks.Run(set, []*checks.Check{check}, checks.DefaultPolicy(), nil).All {
		line := r.Subject.At.Line
		if at := r.Because.At(); at.File == fixture && at.Line > 0 {
			line = at.Line
		}
		got[line] = append(got[line], r)
		shown[r.Outcome] = true
	}
	for i, text := range strings.Split(string(data), "\n") {
		_, comment, _ := strings.Cut(text, "# want ")
		for _, want := range wantRE.FindAllStringSubmatch(comment, -1) {
			i, matched := i+1, false
			for j, r := range got[i] {
				re, err := regexp.Compile(want[3])
				if err != nil {
					t.Fatalf("%s:%d: %v", fixture, i, err)
				}
				if r.Outcome.String() == want[1] && re.MatchString(r.Message) && (want[2] == "" || want[2] == string(r.Severity)) {
					got[i] = slices.Delete(got[i], j, j+1)
					matched = true
					break
				}
			}
			if !matched {
				t.Errorf("%s:%d: want %s %s %q, and there is none", fixture, i, want[1], want[2], want[3])
			}
		}
	}
	for line, rs := range got {
		for _, r := range rs {
			t.Errorf("%s:%d: unwanted %s %s `%s` of %s", fixture, line, r.Outcome, r.Severity, r.Message, r.Subject.ID)
		}
	}
	for _, o := range []checks.Outcome{checks.Pass, checks.Fail, checks.NotAssessed} {
		if !shown[o] {
			t.Errorf("%s shows no %s", fixture, o)
		}
	}
}

// recordTypes are the records of a fixture, by the name under which evidence is saved.
var recordTypes = map[string]reflect.Type{
	"asset":      reflect.TypeFor[evidence.Asset](),
	"log_source": reflect.TypeFor[evidence.LogSource](),
	"log_store":  reflect.TypeFor[evidence.LogStore](),
	"access":     reflect.TypeFor[evidence.Access](),
}

// Load reads a fixture. The origin of every fact is its line.
func Load(name string, data []byte) (*evidence.Set, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	line := func(v any) {
		if err := enc.Encode(v); err != nil {
			panic(err) // of maps and scalars
		}
	}
	line(map[string]any{"header": map[string]any{"schema": evidence.Schema, "tool": "checktest", "started": Now, "targets": []string{name}}})
	l := loader{name}
	for _, item := range doc.Content[0].Content {
		key := strings.ReplaceAll(item.Content[0].Value, "-", "_")
		typ, ok := recordTypes[key]
		if !ok {
			return nil, fmt.Errorf("%s:%d: %q is no record", name, item.Line, key)
		}
		record, err := l.value(item.Content[1], typ)
		if err != nil {
			return nil, err
		}
		fields := record.(map[string]any)
		fields["at"] = l.at(item.Content[1].Content[0], "")
		line(map[string]any{key: fields})
	}
	line(map[string]any{"end": map[string]any{"ended": Now}})
	return evidence.Read(&out)
}

type loader struct{ file string }

func (l loader) at(n *yaml.Node, note string) map[string]any {
	return map[string]any{"file": l.file, "line": n.Line, "col": n.Column, "note": note}
}

var factType = reflect.TypeFor[evidence.Fact]()

// value turns a node into what the JSON of evidence wants for a type.
func (l loader) value(n *yaml.Node, typ reflect.Type) (any, error) {
	switch {
	case typ.Implements(factType):
		return l.fact(n, typ)
	case typ.Kind() == reflect.Struct && n.Kind == yaml.MappingNode:
		fields := map[string]reflect.Type{}
		for _, f := range reflect.VisibleFields(typ) {
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			fields[tag] = f.Type
		}
		out := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			key := strings.ReplaceAll(n.Content[i].Value, "-", "_")
			if fields[key] == nil || key == "" {
				return nil, fmt.Errorf("%s:%d: %s has no field %q", l.file, n.Content[i].Line, typ.Name(), key)
			}
			v, err := l.value(n.Content[i+1], fields[key])
			if err != nil {
				return nil, err
			}
			out[key] = v
		}
		return out, nil
	case typ.Kind() == reflect.Map && n.Kind == yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			v, err := l.value(n.Content[i+1], typ.Elem())
			if err != nil {
				return nil, err
			}
			out[n.Content[i].Value] = v
		}
		return out, nil
	case typ.Kind() == reflect.Slice && n.Kind == yaml.SequenceNode:
		out := []any{}
		for _, item := range n.Content {
			v, err := l.value(item, typ.Elem())
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	}
	var out any
	if err := n.Decode(&out); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", l.file, n.Line, err)
	}
	return out, nil
}

func (l loader) fact(n *yaml.Node, typ reflect.Type) (any, error) {
	var note, unknown string
	var moot bool
	value := n
	if n.Kind == yaml.MappingNode {
		for i := 0; i < len(n.Content); i += 2 {
			switch v := n.Content[i+1]; n.Content[i].Value {
			case "note":
				note = v.Value
			case "unknown":
				unknown, value = v.Value, nil
			case "moot":
				moot, value = true, nil
			case "value":
				value = v
			}
		}
	}
	out := map[string]any{"at": l.at(n, note)}
	switch {
	case moot:
		out["moot"] = true
	case value == nil:
		out["unknown"] = unknown
	default:
		inner, _ := typ.FieldByName("value")
		v, err := l.value(value, inner.Type)
		if err != nil {
			return nil, err
		}
		out["value"] = v
	}
	return out, nil
}
