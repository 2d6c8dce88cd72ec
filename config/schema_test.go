package config

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

func compiled(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("lookback.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("lookback.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plain turns a node into what an editor validates: YAML 1.2 knows no dates, so they are text.
func plain(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, plain(c))
		}
		return list
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return f
		}
	}
	return n.Value
}

// verdicts returns what the loader and the schema say of a document; files that it extends are not there to read.
func verdicts(t testing.TB, schema *jsonschema.Schema, text string) (loader, valid error) {
	t.Helper()
	loader = parse(text)
	var doc yaml.Node
	if err := yaml.Load([]byte(text), &doc); err != nil {
		return loader, err
	}
	return loader, schema.Validate(plain(doc.Content[0]))
}

// parse loads a text. All files that it extends are empty.
func parse(text string) error {
	l := &loader{options: Options{Checks: checkIDs}, config: &Config{}}
	l.read = func(path string) ([]byte, error) {
		if path == "/lookback.yaml" {
			return []byte(text), nil
		}
		return nil, nil
	}
	_, err := l.load("/lookback.yaml")
	return err
}

func TestSchemaAndLoaderAgree(t *testing.T) {
	schema := compiled(t)
	waiver := func(more string) string {
		return "waivers: [{check: shipped-off-host, subject: a, reason: b" + more + "}]"
	}
	for _, c := range []struct {
		text string
		good bool
	}{
		{"{}", true},
		{"extends: a.yaml", true},
		{"extends: [a.yaml, b.yaml]", true},
		{"extends: []", true},
		{"policy: {retain: 365 days, searchable: 90, restore-within: 1h, finished-job-stays: 1 day, buffer: 25 MB, fresh: 1 day, hands: 10}", true},
		{"policy: {fresh: 90m, hands: \"3\"}", true},
		{"policy: {retain: 1 day, restore-within: 90 minutes, finished-job-stays: 24 hours, buffer: 1 GiB}", true},
		{"policy: {retain: \"99999\"}", true},
		{"policy: {}", true},
		{"exclude: [\"legacy/**\", \"/x\", \"*.gen.yaml\", \"a b\", \"a!b#c\"]", true},
		{"development: []", true},
		{"time: []", true},
		{"time: [ntp.corp.example, 10.0.0.5, \"fd00::123\", /dev/ptp0]", true},
		{waiver(""), true},
		{waiver(", who: ann, until: 2027-01-31"), true},
		{waiver(", until: \"2028-02-29\""), true},
		{"platform: {docker: {driver: syslog, options: {a: b, c: 3, d: true, e: 1.5, f: \"\"}, ships-to: nowhere}, kubernetes: {ships-to: [a, \"b:514\"]}}", true},
		{"platform: {docker: {}, kubernetes: {}, shippers: []}", true},
		{"platform: {shippers: [{image: a, ships-to: nowhere}, {image: \"b/*\", ships-to: [c]}]}", true},
		{"platform: {kubernetes: {ships-to: localhost-logs.example.net}}", true},
		{"platform: {kubernetes: {ships-to: \"[2001:db8::1]:514\"}}", true},
		{"images: {\"localhost:5000/a\": {stdout: true}, \"b/*\": {stdout: false, files: []}, c: {stdout: true, files: [/var/log/, /a b]}}", true},

		{"a: 1", false},
		{"[]", false},
		{"text", false},
		{"extends: \"\"", false},
		{"extends: [3]", false},
		{"extends: null", false},
		{"policy: 3", false},
		{"policy: {retain: 0}", false},
		{"policy: {retain: -1}", false},
		{"policy: {retain: 1.5}", false},
		{"policy: {retain: 100000}", false},
		{"policy: {retain: 0 days}", false},
		{"policy: {retain: 12 months}", false},
		{"policy: {retain: null}", false},
		{"policy: {retain: [1]}", false},
		{"policy: {restore-within: 1}", false},
		{"policy: {restore-within: 1h30m}", false},
		{"policy: {finished-job-stays: 0h}", false},
		{"policy: {fresh: 24}", false},
		{"policy: {fresh: 0h}", false},
		{"policy: {hands: 0}", false},
		{"policy: {hands: 3 hands}", false},
		{"policy: {hands: 1.5}", false},
		{"policy: {hands: 100000}", false},
		{"policy: {buffer: 25}", false},
		{"policy: {buffer: 25 mb}", false},
		{"policy: {buffer: 0 MB}", false},
		{"exclude: a", false},
		{"exclude: [1]", false},
		{"exclude: [\"\"]", false},
		{"exclude: [\"!a\"]", false},
		{"exclude: [\"#a\"]", false},
		{"exclude: [/]", false},
		{"exclude: [\"[a]\"]", false},
		{"development: [\"a\\\\b\"]", false},
		{"development: {a: b}", false},
		{"time: ntp.corp.example", false},
		{"time: [\"ntp://10.0.0.5\"]", false},
		{"time: [\"ntp.corp.example:123\"]", false},
		{"time: [\"\"]", false},
		{"waivers: {}", false},
		{"waivers: [a]", false},
		{"waivers: [{subject: a, reason: b}]", false},
		{"waivers: [{check: shipped-off-host, reason: b}]", false},
		{"waivers: [{check: shipped-off-host, subject: b}]", false},
		{"waivers: [{check: shipped-off-host, subject: b, reason: \" \"}]", false},
		{waiver(", until: tomorrow"), false},
		{waiver(", until: 2027-02-30"), false},
		{waiver(", until: 2027-2-3"), false},
		{waiver(", until: 20270203"), false},
		{waiver(", who: 3"), false},
		{waiver(", what: x"), false},
		{"platform: []", false},
		{"platform: {nomad: {}}", false},
		{"platform: {docker: {options: {a: b}}}", false},
		{"platform: {docker: {driver: \"\"}}", false},
		{"platform: {docker: {driver: a, options: {b: [c]}}}", false},
		{"platform: {docker: {driver: a, options: {b: null}}}", false},
		{"platform: {docker: {ships-to: null}}", false},
		{"platform: {docker: {ships-to: \"\"}}", false},
		{"platform: {docker: {ships-to: https://a}}", false},
		{"platform: {docker: {ships-to: ann@a}}", false},
		{"platform: {docker: {ships-to: a/b}}", false},
		{"platform: {docker: {ships-to: 127.0.0.1}}", false},
		{"platform: {docker: {ships-to: \"[::1]:514\"}}", false},
		{"platform: {kubernetes: {driver: a}}", false},
		{"platform: {kubernetes: {ships-to: []}}", false},
		{"platform: {kubernetes: {ships-to: [nowhere]}}", false},
		{"platform: {kubernetes: {ships-to: [a, localhost]}}", false},
		{"platform: {shippers: {}}", false},
		{"platform: {shippers: [{image: a}]}", false},
		{"platform: {shippers: [{ships-to: a}]}", false},
		{"platform: {shippers: [{image: \"a:3\", ships-to: a}]}", false},
		{"images: []", false},
		{"images: {a: true}", false},
		{"images: {a: {}}", false},
		{"images: {a: {stdout: 1}}", false},
		{"images: {a: {stdout: yes}}", false},
		{"images: {a: {stdout: true, files: /a}}", false},
		{"images: {a: {stdout: true, files: [a]}}", false},
		{"images: {a: {stdout: true, files: [/]}}", false},
		{"images: {a: {stdout: true, files: [\"/a/*\"]}}", false},
		{"images: {\"a:3\": {stdout: true}}", false},
		{"images: {\"a@b\": {stdout: true}}", false},
		{"images: {\"\": {stdout: true}}", false},
		{"images: {\"a b\": {stdout: true}}", false},
	} {
		t.Run(c.text, func(t *testing.T) {
			loader, valid := verdicts(t, schema, c.text)
			if (loader == nil) != c.good || (valid == nil) != c.good {
				t.Errorf("want good %v\nloader: %v\nschema: %v", c.good, loader, valid)
			}
		})
	}
}

// TestSchemaAndLoaderKnowTheSameKeys puts a key that nobody knows into each mapping of the schema: the loader must then
// list the keys that the schema has.
func TestSchemaAndLoaderKnowTheSameKeys(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	mappings := 0
	var walk func(schema map[string]any, within func(inner string) string)
	walk = func(schema map[string]any, within func(inner string) string) {
		if items, ok := schema["items"].(map[string]any); ok {
			walk(items, func(inner string) string { return within("[" + inner + "]") })
		}
		if more, ok := schema["additionalProperties"].(map[string]any); ok {
			walk(more, func(inner string) string { return within("{name: " + inner + "}") })
		}
		properties, ok := schema["properties"].(map[string]any)
		if !ok {
			return
		}
		mappings++
		text := within("{unheard-of: 1}")
		want := slices.Sorted(maps.Keys(properties))
		_, list, _ := strings.Cut(firstLine(parse(text)), "whose keys are: ")
		if got := slices.Sorted(slices.Values(strings.Split(list, ", "))); !slices.Equal(got, want) {
			t.Errorf("%s: the loader knows %q, the schema %q", text, got, want)
		}
		for name, property := range properties {
			p := property.(map[string]any)
			if p["description"] == nil {
				t.Errorf("%s: %s has no description", text, name)
			}
			walk(p, func(inner string) string { return within("{" + name + ": " + inner + "}") })
		}
	}
	walk(doc.(map[string]any), func(inner string) string { return inner })
	if mappings != 8 {
		t.Errorf("walked %d mappings; there are 8: the file, policy, a waiver, platform, docker, kubernetes, a shipper, an image", mappings)
	}
}

func firstLine(err error) string {
	if err == nil {
		return ""
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// TestReferencePage holds that the page's examples load, and that it names every key.
func TestReferencePage(t *testing.T) {
	page, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```yaml\n(# lookback.yaml.*?)```").FindAllSubmatch(page, -1)
	if len(examples) < 2 {
		t.Fatalf("found %d examples", len(examples))
	}
	schema := compiled(t)
	for _, e := range examples {
		if loader, valid := verdicts(t, schema, string(e[1])); loader != nil || valid != nil {
			t.Errorf("%s\nloader: %v\nschema: %v", e[1], loader, valid)
		}
	}
	for _, name := range regexp.MustCompile(`"([a-z-]+)": \{\n\s+"description"`).FindAllSubmatch(Schema, -1) {
		if !bytes.Contains(page, append(append([]byte("`"), name[1]...), '`')) {
			t.Errorf("the page does not name `%s`", name[1])
		}
	}
}

func FuzzLoad(f *testing.F) {
	schema := compiled(f)
	for _, seed := range []string{
		"", "{}", "extends: [a, ../b]", "policy: {retain: 365 days, searchable: 90, restore-within: 1h, finished-job-stays: 1 day, buffer: 25 MB, fresh: 6h, hands: 4}",
		"time: [ntp.corp.example, \"::1\"]", "exclude: [\"a/**\"]\ndevelopment:\n- b", "waivers:\n- {check: \"*\", subject: x, reason: |\n  y\n}",
		"waivers:\n- check: \"*\"\n  subject: x\n  reason: y\n  until: 2027-01-31\n",
		"platform: {docker: {driver: a, options: {b: 3}, ships-to: [c]}, kubernetes: {ships-to: nowhere}, shippers: [{image: d, ships-to: e}]}",
		"images: {\"a/*\": {stdout: true, files: [/b]}}", "a: &a [*a]", "<<: {a: b}", "!!binary x: !!set {y}", "%YAML 1.1\n---\n- é",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l := &loader{options: Options{Checks: checkIDs}, config: &Config{}}
		l.read = func(string) ([]byte, error) { return nil, errors.New("not there") }
		l.file("/lookback.yaml", []byte(text))
		l.finish()
		if len(l.problems) > 0 {
			if l.err() == nil {
				t.Error("problems without an error")
			}
			for _, p := range l.problems {
				if p.line < 1 || p.line > strings.Count(text, "\n")+strings.Count(text, "\r")+strings.Count(text, "\u0085")+strings.Count(text, "\u2028")+strings.Count(text, "\u2029")+2 {
					t.Errorf("line %d: %v", p.line, p.err)
				}
			}
			return
		}
		p := l.config.Policy
		if p.Retain <= 0 || p.Searchable <= 0 || p.Searchable > p.Retain || p.RestoreWithin <= 0 || p.FinishedStays <= 0 || p.Buffer <= 0 || p.Fresh <= 0 || p.Hands <= 0 {
			t.Errorf("policy %+v", p)
		}
		for _, w := range l.config.Waivers {
			if w.Check == "" || w.Subject == "" || w.Reason == "" || w.At.File != "lookback.yaml" || w.At.Line < 1 || w.At.Col < 1 {
				t.Errorf("waiver %+v", w)
			}
		}
		for _, i := range l.config.Declared.Images {
			if _, known := i.Stdout.Get(); !known || i.Image == "" {
				t.Errorf("image %+v", i)
			}
		}
		for _, s := range l.config.Declared.Shippers {
			if _, known := s.To.Get(); !known || s.Image == "" {
				t.Errorf("shipper %+v", s)
			}
		}
		// What the loader takes, the schema takes. (It may take more: it cannot see that a key stands twice.)
		if _, valid := verdicts(t, schema, text); valid != nil && strings.TrimSpace(text) != "" && !strings.Contains(valid.Error(), "no documents") {
			t.Errorf("the loader takes %q, the schema says %v", text, valid)
		}
	})
}
