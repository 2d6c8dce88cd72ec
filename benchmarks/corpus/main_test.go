package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v4"
)

func TestSameBytesEachTime(t *testing.T) {
	s := size{apps: 8, bundles: 1, compose: 11}
	one, other := filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "other")
	files, size, err := write(one, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := write(other, s); err != nil {
		t.Fatal(err)
	}
	seen, sum := 0, 0
	for name, content := range read(t, one) {
		again, err := os.ReadFile(filepath.Join(other, name))
		if err != nil || !bytes.Equal(content, again) {
			t.Errorf("%s differs between two runs: %v", name, err)
		}
		seen++
		sum += len(content)
	}
	if seen != files || sum != size {
		t.Errorf("write says %d files of %d bytes; there are %d of %d", files, size, seen, sum)
	}
}

func TestWhatIsWrittenIsYAML(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "corpus")
	if _, _, err := write(dir, size{apps: 20, bundles: 1, compose: 11}); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for name, content := range read(t, dir) {
		for dec := yaml.NewDecoder(bytes.NewReader(content)); ; {
			var doc struct {
				Kind     string         `yaml:"kind"`
				Services map[string]any `yaml:"services"`
			}
			err := dec.Decode(&doc)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			kinds[doc.Kind]++
			if doc.Kind == "" && len(doc.Services) != 3 {
				t.Errorf("%s: neither an object nor three services", name)
			}
		}
	}
	want := map[string]int{
		"Deployment": 20, "Service": 20, "ConfigMap": 20, "Ingress": 20, "Kustomization": 5,
		"CustomResourceDefinition": definitions, "": 11,
	}
	for kind, n := range want {
		if kinds[kind] != n {
			t.Errorf("%d documents of kind %q, want %d", kinds[kind], kind, n)
		}
	}
	if len(kinds) != len(want) {
		t.Errorf("kinds %v, want %v", kinds, want)
	}
}

func TestAFolderThatIsThereIsRefused(t *testing.T) {
	if _, _, err := write(t.TempDir(), size{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v, want an error that says that it exists", err)
	}
}

func read(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		files[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
