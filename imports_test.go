package lookback_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A source is one Go file of the module that is no test.
type source struct {
	name    string // from the module's root
	folder  string
	imports []string
	file    *ast.File
	fset    *token.FileSet
}

// sources parses every Go file of the module, whatever the system that it is built for.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			if base := e.Name(); name != "." && (base[0] == '.' || base[0] == '_') || base == "testdata" || base == "node_modules" || base == "vendor" {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		s := source{name: name, folder: path.Dir(name), fset: token.NewFileSet()}
		if s.file, err = parser.ParseFile(s.fset, name, nil, parser.SkipObjectResolution); err != nil {
			return err
		}
		for _, i := range s.file.Imports {
			text, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, text)
		}
		out = append(out, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 50 {
		t.Fatalf("found only %d files", len(out))
	}
	return out
}

// in reports whether a folder is one of some, or lies below one.
func in(folder string, some ...string) bool {
	return slices.ContainsFunc(some, func(s string) bool { return folder == s || strings.HasPrefix(folder, s+"/") })
}

// ours returns the folder of a package of this module.
func ours(imported string) (folder string, ok bool) {
	return strings.CutPrefix(imported, "lookback/")
}

func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".") && first != "lookback"
}

// pure are the packages that learn everything from what they are given. These are exempt, with the reason.
var (
	pure   = []string{"evidence", "checks", "frameworks", "report"}
	exempt = map[string]string{
		"checks/checktest":    "it reads fixtures, for tests",
		"checks/all/generate": "it writes lists, when a check is added",
		"report/reporttest":   "it reads golden files, for tests",
	}
)

func isPure(folder string) bool {
	_, out := exempt[folder]
	return in(folder, pure...) && !out
}

// forbidden are imports that a pure package has no use for, with the reason.
var forbidden = map[string]string{
	"os":       "what it says must not depend on the machine that it runs on",
	"os/exec":  "it starts nothing; scanners look, and checks judge",
	"net":      "it asks nobody; scanners look, and checks judge",
	"net/http": "it asks nobody; scanners look, and checks judge",
	"syscall":  "what it says must not depend on the machine that it runs on",
	"unsafe":   "nothing here is worth it",
	"log":      "only cmd prints",
}

func TestPurePackagesImportNothingThatLooks(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sources(t) {
		if !isPure(s.folder) {
			continue
		}
		top, _, _ := strings.Cut(s.folder, "/")
		seen[top] = true
		for _, i := range s.imports {
			_, own := ours(i)
			switch {
			case forbidden[i] != "":
				t.Errorf("%s imports %s: %s", s.name, i, forbidden[i])
			case s.folder == "frameworks" && strings.HasPrefix(i, "go.yaml.in/yaml/"): // it holds its catalogues as YAML
			case !own && !isStandard(i):
				t.Errorf("%s imports %s: what judges and renders stays small enough to trust, on the standard library alone", s.name, i)
			}
		}
	}
	for _, want := range []string{"evidence", "checks", "report"} {
		if !seen[want] {
			t.Errorf("no file of %s was looked at", want)
		}
	}
}

func TestPurePackagesDoNotAskTheTime(t *testing.T) {
	for _, s := range sources(t) {
		if !isPure(s.folder) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" && slices.Contains([]string{"Now", "Since", "Until"}, sel.Sel.Name) {
				t.Errorf("%s: time.%s: the time of a judgement is the end of the scan, so that saved evidence gives the same bytes for good",
					s.fset.Position(sel.Pos()), sel.Sel.Name)
			}
			return true
		})
	}
}

func TestEvidenceStandsAlone(t *testing.T) {
	for _, s := range sources(t) {
		if !in(s.folder, "evidence") {
			continue
		}
		for _, i := range s.imports {
			switch {
			case !isStandard(i):
				t.Errorf("%s imports %s: the vocabulary depends on nothing, so that anybody can write and read it", s.name, i)
			case strings.HasPrefix(i, "encoding/") && i != "encoding/json":
				t.Errorf("%s imports %s: evidence has one form, JSON", s.name, i)
			}
		}
	}
}

func TestNoTemplates(t *testing.T) {
	for _, s := range sources(t) {
		for _, i := range s.imports {
			if i == "text/template" || i == "html/template" {
				t.Errorf("%s imports %s: a template can call any method by its name, so the linker keeps every method of every library, and the program is four times the size",
					s.name, i)
			}
		}
	}
}

// directions lists which folders of this module may import which, the first that fits a file.
var directions = []struct {
	from   string
	allows []string
	why    string
}{
	{"evidence", nil, "the vocabulary knows nobody"},
	{"checks/all/generate", []string{"checks"}, "it lists checks"},
	{"checks", []string{"evidence", "checks"}, "checks read evidence; they never see a scanner, a framework or a report"},
	{"frameworks", []string{"evidence", "checks", "frameworks"}, "a framework maps controls to checks"},
	{"report", []string{"evidence", "checks", "frameworks", "report"}, "a report renders verdicts; it never sees a scanner"},
	{"scanners/aws/awstest", []string{"evidence", "checks", "scanners"}, "it is for tests, and judges what readers find"},
	{"scanners/host/hosttest", []string{"evidence", "checks", "scanners"}, "it is for tests, and judges what readers find"},
	{"scanners", []string{"evidence", "scanners"}, "scanners write evidence; they never see a check"},
	{"spool", []string{"evidence", "spool"}, "it keeps evidence in files for cmd, which hands it on; what judges never sees a file"},
	{"config", []string{"evidence", "checks", "scanners", "frameworks", "config"}, "the configuration hands out policies, waivers and declarations"},
}

func TestImportsRunOneWay(t *testing.T) {
	for _, s := range sources(t) {
		for _, i := range s.imports {
			to, own := ours(i)
			if !own {
				continue
			}
			if in(to, "cmd") {
				t.Errorf("%s imports %s: nothing sees cmd", s.name, i)
			}
			if in(to, "config") && !in(s.folder, "cmd", "config") {
				t.Errorf("%s imports %s: only cmd sees the configuration; others are given what they need", s.name, i)
			}
			for _, tests := range []string{"scanners/aws/awstest", "scanners/host/hosttest", "scanners/workload/dockertest"} {
				if in(to, tests) && !in(s.folder, tests) {
					t.Errorf("%s imports %s outside of a test", s.name, i)
				}
			}
			if to == "checks/alltest" && !in(s.folder, "scanners/aws/awstest", "scanners/host/hosttest") {
				t.Errorf("%s imports %s outside of a test", s.name, i)
			}
			if reason, no := exempt[to]; no && s.folder != to {
				t.Errorf("%s imports %s outside of a test: %s", s.name, i, reason)
			}
			for _, d := range directions {
				if in(s.folder, d.from) {
					if !in(to, d.allows...) {
						t.Errorf("%s imports %s: %s", s.name, i, d.why)
					}
					break
				}
			}
		}
	}
}

func TestNoInitAndNoPanic(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: func init: what a package does when it is imported is hidden from who imports it", s.fset.Position(f.Pos()))
			}
		}
		if s.folder == "checks/all/generate" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if f, ok := call.Fun.(*ast.Ident); ok && f.Name == "panic" {
				t.Errorf("%s: panic: input is hostile, and a scan of a thousand files must survive one of them", s.fset.Position(call.Pos()))
			}
			return true
		})
	}
}
