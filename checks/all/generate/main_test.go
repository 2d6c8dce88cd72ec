package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

const checksDir = "../.."

func TestGeneratedFilesAreCurrent(t *testing.T) {
	want, err := generate(os.DirFS(checksDir))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(checksDir, filepath.FromSlash(name)))
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s is stale (%v); run \"go generate ./checks/...\"", name, err)
		}
	}
	lying, err := fs.Glob(os.DirFS(checksDir), "*/generated_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range lying {
		if want[name] == nil {
			t.Errorf("%s is of no chapter; delete it", name)
		}
	}
}

func TestRunWritesWhereTheCheckIs(t *testing.T) {
	var names []string
	err := run(checksDir, func(name string, _ []byte, _ fs.FileMode) error {
		names = append(names, filepath.ToSlash(name))
		return nil
	})
	if err != nil || len(names) < 2 {
		t.Fatalf("wrote %q, %v", names, err)
	}
	if err := run(checksDir, func(string, []byte, fs.FileMode) error { return fs.ErrPermission }); err == nil {
		t.Error("an error of writing is lost")
	}
}

const oneCheck = "package timed\n\nimport \"lookback/checks\"\n\nvar Guarded = &checks.Check{ID: \"timed-guarded\"}\n"

func TestGenerate(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	for name, tt := range map[string]struct {
		tree fstest.MapFS
		want string // in the error, or in what is generated
		bad  bool
	}{
		"a check and its fixture": {
			tree: fstest.MapFS{"timed/guarded.go": file(oneCheck), "timed/testdata/guarded.yaml": file("")},
			want: "func TestGuarded(t *testing.T) { checktest.Run(t, \"testdata/guarded.yaml\", Guarded) }",
		},
		"a helper beside it is no check": {
			tree: fstest.MapFS{
				"timed/guarded.go": file(oneCheck), "timed/testdata/guarded.yaml": file(""),
				"timed/helper.go":  file("package timed\n\nvar Number, other = 1, 2\nvar Text = \"\"\nvar hidden = &checks.Check{}\nvar P = &Number\nvar Q = &[]int{}\nfunc f() {}\nconst X = 1\n"),
				"timed/x_test.go":  file("not Go"),
				"elsewhere/bad.go": file("not Go"),
			},
			want: "TestGuarded",
		},
		"a check without a fixture": {
			tree: fstest.MapFS{"timed/guarded.go": file(oneCheck)},
			want: "timed/guarded.go has no fixture", bad: true,
		},
		"a fixture without a check": {
			tree: fstest.MapFS{"timed/doc.go": file("package timed"), "timed/testdata/gone.yaml": file("")},
			want: "timed/testdata/gone.yaml belongs to no check", bad: true,
		},
		"two checks in one file": {
			tree: fstest.MapFS{"timed/guarded.go": file(oneCheck + "var Two = &checks.Check{ID: \"timed-two\"}\n")},
			want: "holds two checks", bad: true,
		},
		"an ID that is put together": {
			tree: fstest.MapFS{"timed/guarded.go": file("package timed\n\nvar Guarded = &checks.Check{Title: \"\", ID: \"timed\" + x}\n")},
			want: "the ID of Guarded is no plain string", bad: true,
		},
		"a check without names for its fields": {
			tree: fstest.MapFS{"timed/guarded.go": file("package timed\n\nvar Guarded = &checks.Check{\"timed-guarded\"}\n")},
			want: "the ID of Guarded is no plain string", bad: true,
		},
		"a file that is no Go": {
			tree: fstest.MapFS{"timed/guarded.go": file("nothing")},
			want: "reading checks", bad: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			files, err := generate(tt.tree)
			switch {
			case tt.bad != (err != nil):
				t.Fatalf("got error %v", err)
			case tt.bad && !strings.Contains(err.Error(), tt.want):
				t.Errorf("got %q, want %q", err, tt.want)
			case !tt.bad && !strings.Contains(string(files["timed/generated_test.go"]), tt.want):
				t.Errorf("got\n%s\nwant %s", files["timed/generated_test.go"], tt.want)
			}
		})
	}
}

func TestGenerateTwiceGivesTheSame(t *testing.T) {
	one, err := generate(os.DirFS(checksDir))
	if err != nil {
		t.Fatal(err)
	}
	two, _ := generate(os.DirFS(checksDir))
	for name := range one {
		if !bytes.Equal(one[name], two[name]) {
			t.Errorf("%s differs between two runs", name)
		}
	}
}
