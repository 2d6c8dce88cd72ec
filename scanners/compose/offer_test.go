package compose

import (
	"errors"
	"fmt"
	"testing"

	"lookback/scanners/tree"
)

func TestKeysTwice(t *testing.T) {
	for name, c := range map[string]struct {
		content, want string
	}{
		"a key of a service": {"services:\n  web:\n    image: a\n    image: b\n", `line 4: the key "image" is there twice`},
		"a service":          {"services:\n  web: {image: a}\n  web: {image: b}\n", `line 3: the key "web" is there twice`},
		"merges":             {"x-a: &a {image: a}\nservices:\n  web:\n    <<: *a\n    command: b\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := parse("compose.yaml", []byte(c.content), nil)
			if got := fmt.Sprint(f.err); c.want == "" && f.err != nil || c.want != "" && got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestOffer(t *testing.T) {
	const plain = "services:\n  web:\n    image: x\n"
	for _, c := range []struct {
		name, file, content string
		err                 error
		want                bool
	}{
		{"the standard name", "compose.yaml", plain, nil, true},
		{"capitals", "Docker-Compose.Prod.YML", plain, nil, true},
		{"any name", "deploy/stack.yml", plain, nil, true},
		{"any name, a byte order mark", "stack.yml", "\ufeff" + plain, nil, true},
		{"any name, quoted keys", "stack.yml", "\"services\" :\n  web: {build: .}\n", nil, true},
		{"flow style", "stack.yml", "# x\n---\nversion: '3'\nservices: {web: {image: x}}\n", nil, true},
		{"braces", "stack.yml", "{services: {web: {image: x}}}", nil, true},
		{"JSON", "stack.json", "\n{\n\t\"services\": {\"web\": {\"image\": \"x\"}}}", nil, true},
		{"standard input", "-", plain, nil, true},
		{"include alone, by name", "compose.yaml", "include: [a.yml]\n", nil, true},
		{"include alone, another name", "stack.yml", "include: [a.yml]\n", nil, false},
		{"services without an image", "stack.yml", "services:\n  web: {command: x}\n", nil, false},
		{"services that are none", "stack.yml", "services:\n  - web\n", nil, false},
		{"a key that Compose does not know", "stack.yml", plain + "stages: []\n", nil, false},
		{"an extension", "stack.yml", plain + "x-stages: []\n", nil, true},
		{"a Kubernetes object", "compose.yaml", "apiVersion: v1\nkind: Pod\n" + plain, nil, false},
		{"unreadable, by name", "compose.yaml", "", errors.New("permission denied"), true},
		{"unreadable, another name", "stack.yml", "", errors.New("permission denied"), false},
		{"broken, by name", "docker-compose.yml", plain + " x", nil, true},
		{"broken, another name", "stack.yml", plain + " x", nil, false},
		{"a word that begins so", "composer.yaml", "services: [\n", nil, false},
		{"another ending", "compose.txt", plain, nil, true}, // it is the walk that asks for endings
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Scanner{}.Offer(tree.File{Name: c.file, Content: []byte(c.content), Err: c.err})
			if (got != nil) != c.want {
				t.Errorf("kept: %t, want %t", got != nil, c.want)
			}
		})
	}
}
