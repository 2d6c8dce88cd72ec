package html

import (
	"bufio"
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	nethtml "golang.org/x/net/html"

	"lookback/report/reporttest"
)

// TestNothingReachesThePageUnescaped reads the source: all that is written goes through put, as a literal with arguments.
func TestNothingReachesThePageUnescaped(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	puts := 0
	for _, name := range files {
		if name == "markup.go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				if slices.Contains([]string{"markup", "clean", "escaper", "to"}, n.Name) {
					t.Errorf("%s: %s is for markup.go alone", fset.Position(n.Pos()), n.Name)
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "put" {
					return true
				}
				puts++
				literal, ok := n.Args[0].(*ast.BasicLit)
				if !ok {
					t.Errorf("%s: what is put is no literal", fset.Position(n.Pos()))
					return true
				}
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				if fault := misput(text, len(n.Args)-1); fault != "" {
					t.Errorf("%s: %s", fset.Position(n.Pos()), fault)
				}
			}
			return true
		})
	}
	if puts < 100 {
		t.Errorf("found only %d calls of put", puts)
	}
}

var (
	tag = regexp.MustCompile(`<[^<>]*>`)
	// quoted are the attributes that an argument may stand in.
	quoted = regexp.MustCompile(` (id|class|aria-labelledby|datetime|content|x|width)="[^"{}]*\{\}[^"{}]*"| href="#\{\}"`)
)

// misput says why arguments may not be put into a literal; empty where they may.
func misput(literal string, args int) string {
	switch {
	case strings.Count(literal, "{}") != args:
		return "there is not one {} for each argument"
	case strings.ContainsAny(tag.ReplaceAllString(literal, ""), "<>"):
		return "a tag begins or ends elsewhere"
	}
	for _, one := range tag.FindAllString(literal, -1) {
		if strings.Contains(quoted.ReplaceAllString(one, ""), "{}") {
			return "in " + one + " no argument may stand"
		}
	}
	if _, inside, _ := strings.Cut(literal, "<style>"); strings.Contains(inside, "{}") {
		return "an argument stands in the style"
	}
	return ""
}

func TestMisplacedArgumentsAreSeen(t *testing.T) {
	for literal, args := range map[string]int{
		`<p>{}</p>`: 2, `<p>{}{}</p>`: 1, `<{}>`: 1, `<p {}>`: 1, `<p class={}>`: 1, `<a href="{}">`: 1, `<a href="#x{}">`: 1, `<a href='#{}'>`: 1,
		`<p onclick="{}">`: 1, `<p style="{}">`: 1, `<img src="{}">`: 1, `<p class="`: 0, `">`: 0, `<style>{}`: 1,
	} {
		if misput(literal, args) == "" {
			t.Errorf("nothing is wrong with %s and %d arguments", literal, args)
		}
	}
}

// TestArgumentsStayText reads back with a browser's parser what was put between tags and in an attribute.
func TestArgumentsStayText(t *testing.T) {
	for text, want := range map[string]string{
		`&<>"'+`:              `&<>"'+`,
		`&amp;`:               `&amp;`,
		`</p><script>`:        `</p><script>`,
		`"><img src=x>`:       `"><img src=x>`,
		`{}`:                  `{}`,
		"\x00\xff":            `\x00\xff`,
		reporttest.Hostile:    `ev\x1b[31mil\x07 "quoted" 'single' </script><img src=x onerror=alert(1)> a\x0d\x0ab \u009b2J \u202egnp.exe \xff %n | ` + "`tick` ]]>",
		"<!-- x --> <![CDATA": "<!-- x --> <![CDATA",
	} {
		var buf bytes.Buffer
		w := writer{to: bufio.NewWriter(&buf)}
		w.put(`<p class="{}">{}</p>`, text, text)
		if err := w.end(); err != nil {
			t.Fatal(err)
		}
		z := nethtml.NewTokenizer(&buf)
		var kinds []nethtml.TokenType
		for z.Next() != nethtml.ErrorToken {
			token := z.Token()
			kinds = append(kinds, token.Type)
			switch token.Type {
			case nethtml.StartTagToken:
				if len(token.Attr) != 1 || token.Attr[0].Val != want {
					t.Errorf("%q in an attribute gives %q", text, token.Attr)
				}
			case nethtml.TextToken:
				if token.Data != want {
					t.Errorf("%q gives %q, want %q", text, token.Data, want)
				}
			}
		}
		if !slices.Equal(kinds, []nethtml.TokenType{nethtml.StartTagToken, nethtml.TextToken, nethtml.EndTagToken}) {
			t.Errorf("%q gives the tokens %v", text, kinds)
		}
	}
}

// TestEscapes holds to the very bytes that html/template wrote.
func TestEscapes(t *testing.T) {
	if got, want := escaper.Replace("&<>\"'+\x00`=/"), "&amp;&lt;&gt;&#34;&#39;&#43;\uFFFD`=/"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestLongPlaceKeepsItsLine holds that what is clean in its parts is not cut as a whole.
func TestLongPlaceKeepsItsLine(t *testing.T) {
	r := reporttest.Sample(t)
	r.Expired[0].At.File, r.Expired[0].At.Line, r.Expired[0].At.Col = strings.Repeat("dir/", 600), 1234, 0
	if page := render(t, r); !strings.Contains(page, "…:1234</code>") {
		t.Error("the line of a long place is lost")
	}
}
