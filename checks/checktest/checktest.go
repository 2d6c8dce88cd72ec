// Package checktest runs a check over a fixture: evidence in YAML with want comments.
//
//   - asset: {id: compose:shop//web, kind: service, name: web, in: compose:shop//host, looked: {application: true}}
//   - log-source:
//     id: compose:shop//web/stdout#application
//     enabled: false # want fail `does not write`
//
// A fact is written as its value, as {unknown: denied, note: ...}, as {moot: true}, or as {value: v, note: ...}. What is
// not written is unknown. A want comment stands on the line of the fact that decides, or, where that has no line, on the
// line of the subject's id. Every result must be wanted.
package checktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
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

// Policy returns what fixtures are judged by: the default, and two designated time servers.
func Policy() checks.Policy {
	p := checks.DefaultPolicy()
	p.TimeSources = []string{"ntp.corp.example", "10.0.0.5"}
	return p
}

var wantRE = regexp.MustCompile("(pass|fail|not-assessed)(?: (low|medium|high))? `([^`]*)`")

// Run judges the fixture of a check ("testdata/off_asset.yaml") and compares what comes out with what it wants. The
// fixture must show a pass, a failure, and something that is not assessed.
func Run(t *testing.T, fixture string, check *checks.Check) {
	t.Helper()
	data, err := os.ReadFile(fixture)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := compare(fixture, data, check)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wrong {
		t.Error(w)
	}
}

// compare returns in what the results of a check differ from what a fixture wants.
func compare(fixture string, data []byte, check *checks.Check) (wrong []string, err error) {
	set, err := Load(fixture, data)
	if err != nil {
		return nil, err
	}
	got := map[int][]checks.Result{}
	shown := map[checks.Outcome]bool{}
	for _, r := range checks.Run(set, []*checks.Check{check}, Policy(), nil).All {
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
			re, err := regexp.Compile(want[3])
			if err != nil {
				return nil, fmt.Errorf("reading %s: line %d: %w", fixture, i+1, err)
			}
			j := slices.IndexFunc(got[i+1], func(r checks.Result) bool {
				return r.Outcome.String() == want[1] && re.MatchString(r.Message) && (want[2] == "" || want[2] == string(r.Severity))
			})
			if j < 0 {
				wrong = append(wrong, fmt.Sprintf("%s:%d: want %s %s `%s`, and there is none", fixture, i+1, want[1], want[2], want[3]))
				continue
			}
			got[i+1] = slices.Delete(got[i+1], j, j+1)
		}
	}
	for _, line := range slices.Sorted(maps.Keys(got)) {
		for _, r := range got[line] {
			wrong = append(wrong, fmt.Sprintf("%s:%d: unwanted %s %s `%s` of %s", fixture, line, r.Outcome, r.Severity, r.Message, r.Subject.ID))
		}
	}
	for _, o := range []checks.Outcome{checks.Pass, checks.Fail, checks.NotAssessed} {
		if !shown[o] {
			wrong = append(wrong, fmt.Sprintf("%s shows no %s", fixture, o))
		}
	}
	return wrong, nil
}

// recordTypes are the records of a fixture, by the name under which evidence is saved.
var recordTypes = map[string]reflect.Type{
	"asset":      reflect.TypeFor[evidence.Asset](),
	"log_source": reflect.TypeFor[evidence.LogSource](),
	"log_store":  reflect.TypeFor[evidence.LogStore](),
	"access":     reflect.TypeFor[evidence.Access](),
	"alarm":      reflect.TypeFor[evidence.Alarm](),
	"clock":      reflect.TypeFor[evidence.Clock](),
}

// Load reads a fixture. The origin of every fact is its line.
func Load(name string, data []byte) (*evidence.Set, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(doc.Content) == 0 {
		return nil, fmt.Errorf("%s is empty", name)
	}
	lines := []any{map[string]any{"header": map[string]any{"schema": evidence.Schema, "tool": "checktest", "started": Now, "targets": []string{name}}}}
	l := loader{name}
	for _, item := range doc.Content[0].Content {
		if item.Kind != yaml.MappingNode || len(item.Content) != 2 || item.Content[1].Kind != yaml.MappingNode || len(item.Content[1].Content) == 0 {
			return nil, fmt.Errorf("%s:%d: want one record", name, item.Line)
		}
		key := strings.ReplaceAll(item.Content[0].Value, "-", "_")
		typ, ok := recordTypes[key]
		if !ok {
			return nil, fmt.Errorf("%s:%d: %q is no record", name, item.Line, key)
		}
		fields, err := l.fields(item.Content[1], typ)
		if err != nil {
			return nil, err
		}
		fields["at"] = l.at(item.Content[1].Content[0], "")
		lines = append(lines, map[string]any{key: fields})
	}
	lines = append(lines, map[string]any{"end": map[string]any{"ended": Now}})
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	for _, line := range lines {
		if err := enc.Encode(line); err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
	}
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
		return l.fields(n, typ)
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

func (l loader) fields(n *yaml.Node, typ reflect.Type) (map[string]any, error) {
	types := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(typ) {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		types[tag] = f.Type
	}
	out := map[string]any{}
	for i := 0; i < len(n.Content); i += 2 {
		key := strings.ReplaceAll(n.Content[i].Value, "-", "_")
		if types[key] == nil || key == "" {
			return nil, fmt.Errorf("%s:%d: %s has no field %q", l.file, n.Content[i].Line, typ.Name(), key)
		}
		v, err := l.value(n.Content[i+1], types[key])
		if err != nil {
			return nil, err
		}
		out[key] = v
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
