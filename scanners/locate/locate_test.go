package locate

import (
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

const shop = `x-log: &log
  driver: syslog
  options:
    tag: shop
services:
  web:
    image: nginx
    logging: *log
    volumes:
      - a:/a
      - {source: b,
         target: /b}
  db:
    <<: [*log, {driver: second, extra: "é", last: x}]
    options: {é: 1, own: 2}
  "<<": plain
`

func parse(t *testing.T, text string) *yaml.Node {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	return &doc
}

func TestAt(t *testing.T) {
	doc := parse(t, shop)
	for _, c := range []struct{ name, path, want string }{
		{"a key", "services.web.image", "7:5"},
		{"a list item", "services.web.volumes.0", "10:9"},
		{"a key in a list item", "services.web.volumes.1.target", "12:10"},
		{"what an alias brings, where it is written", "services.web.logging.driver", "2:3"},
		{"the key that holds the alias", "services.web.logging", "8:5"},
		{"what a merge key brings", "services.db.driver", "2:3"},
		{"what only the second merged mapping has", "services.db.extra", "14:33"},
		{"written goes before merged", "services.db.options.own", "15:21"},
		{"columns count characters", "services.db.last", "14:45"},
		{"a quoted << is a key as any other", "services.<<", "16:3"},
		{"absent: the nearest above", "services.web.logging.options.labels", "3:3"},
		{"absent from the root: the file's first node", "nothing.here", "1:1"},
		{"an index behind the end: the list", "services.web.volumes.2", "9:5"},
		{"an index that is none", "services.web.volumes.-1", "9:5"},
		{"a name below a scalar", "services.web.image.x", "7:5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := At("f.yaml", doc, strings.Split(c.path, ".")...)
			if got := fmt.Sprintf("%d:%d", at.Line, at.Col); got != c.want || at.File != "f.yaml" {
				t.Errorf("%s is at %s:%s, want %s", c.path, at.File, got, c.want)
			}
		})
	}
}

func TestFind(t *testing.T) {
	doc := parse(t, shop)
	_, value, found := Find(doc, "services", "db", "driver", "x")
	if found != 3 || value.Value != "syslog" {
		t.Errorf("found %d of the path, %q; want 3, syslog", found, value.Value)
	}
	if _, value, found := Find(nil, "a"); value != nil || found != 0 {
		t.Errorf("found %v in nothing", value)
	}
}

func TestMergesThatLeadBackEnd(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 {x: 1}\n")
	for i := 1; i < 40; i++ {
		fmt.Fprintf(&b, "a%d: &a%d {<<: [%s]}\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	b.WriteString("back: &back {<<: *back}\n")
	doc := parse(t, b.String())
	if _, _, found := Find(doc, "a39", "y"); found != 1 {
		t.Errorf("found %d, want 1", found)
	}
	if at := At("f", doc, "a39", "x"); at.Line != 1 {
		t.Errorf("x is on line %d, want 1", at.Line)
	}
	if _, _, found := Find(doc, "back", "y"); found != 1 {
		t.Errorf("found %d, want 1", found)
	}
}
