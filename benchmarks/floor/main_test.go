package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestEveryFileIsParsed(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"two.yaml":    "a: 1\n---\nb: [x, y]\n",
		"one.json":    `{"a": 1}`,
		"note.txt":    "no: yaml",
		"sub/one.yml": "a\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := parse(dir)
	// A mapping of one scalar is four nodes: document, mapping, key, value.
	if want := (count{files: 3, documents: 4, nodes: 4 + 6 + 4 + 2}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestAFileThatDoesNotParseIsAnError(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bad.yaml"), []byte("a: [\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := parse(dir); err == nil {
		t.Error("no error for a file that does not parse")
	}
}
