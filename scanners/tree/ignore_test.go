package tree

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestIgnores(t *testing.T) {
	for _, c := range []struct {
		name, rules, path string
		want              bool
	}{
		{"a name, in any folder", "a.yaml", "x/y/a.yaml", true},
		{"a name is no prefix", "a.yaml", "a.yaml.yaml", false},
		{"a slash in front ties it to the folder", "/a.yaml", "x/a.yaml", false},
		{"a slash in the middle ties it to the folder", "x/a.yaml", "y/x/a.yaml", false},
		{"a slash at the end asks for a folder", "a.yaml/", "a.yaml", false},
		{"an ignored folder takes all with it", "x/", "x/y/a.yaml", true},
		{"nothing in an ignored folder comes back", "x/\n!x/a.yaml", "x/a.yaml", true},
		{"the content of a folder may come back", "x/*\n!x/a.yaml", "x/a.yaml", false},
		{"the content at any depth may come back", "x/**\n!x/a.yaml", "x/a.yaml", false},
		{"the rest of that content does not", "x/**\n!x/a.yaml", "x/y/a.yaml", true},
		{"a folder brought back brings no files back", "*.yaml\n!x/", "x/a.yaml", true},
		{"all but one folder, the one", "/*\n!/x", "x/a.yaml", false},
		{"all but one folder, another", "/*\n!/x", "y/a.yaml", true},
		{"the last rule decides", "!a.yaml\na.yaml", "a.yaml", true},
		{"a star stays in its folder", "x/*.yaml", "x/y/a.yaml", false},
		{"two stars as an element are any folders", "x/**/a.yaml", "x/y/z/a.yaml", true},
		{"two stars as an element are also no folder", "x/**/a.yaml", "x/a.yaml", true},
		{"two stars go back when they stopped too early", "**/x/a.yaml", "x/y/x/a.yaml", true},
		{"two stars within a name are one", "x**z/a.yaml", "xyz/a.yaml", true},
		{"two stars alone", "**", "x/a.yaml", true},
		{"three stars are two", "x/***/a.yaml", "x/y/z/a.yaml", true},
		{"two stars and a slash are folders only", "**/", "a.yaml", false},
		{"a question mark is one character", "?.yaml", "ab.yaml", false},
		{"a range", "[a-c].yaml", "b.yaml", true},
		{"a range negated by an exclamation mark, outside", "[!a-c].yaml", "d.yaml", true},
		{"a range negated by an exclamation mark, inside", "[!a-c].yaml", "b.yaml", false},
		{"a range negated by a caret", "[^a-c].yaml", "b.yaml", false},
		{"a closing bracket that comes first", "[]x].yaml", "].yaml", true},
		{"a dash that comes last", "[x-].yaml", "-.yaml", true},
		{"a dash that comes first", "[-x].yaml", "-.yaml", true},
		{"a bracket that does not close", "[a.yaml", "[a.yaml", false},
		{"a backslash takes a star for itself", `\*.yaml`, "a.yaml", false},
		{"a backslash takes a mark for itself", `\!a.yaml`, "!a.yaml", true},
		{"a backslash takes a hash for itself", `\#a.yaml`, "#a.yaml", true},
		{"a backslash at the end", `a.yaml\`, "a.yaml", false},
		{"a comment", "#a.yaml", "#a.yaml", false},
		{"spaces at the end", "a.yaml  ", "a.yaml", true},
		{"a space at the end behind a backslash", `a\ `, "a /b.yaml", true},
		{"a space in front counts", " a.yaml", "a.yaml", false},
		{"a line that ends as on Windows", "a.yaml\r\nb.yaml\r\n", "a.yaml", true},
		{"a byte order mark", "\ufeffa.yaml", "a.yaml", true},
		{"a slash alone", "/", "a.yaml", false},
		{"an empty element", "x//a.yaml", "x/a.yaml", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := parseRules("", []byte(c.rules), nil)
			got := false
			for i, b := range []byte(c.path) {
				got = got || b == '/' && set.ignores(c.path[:i], true)
			}
			got = got || set.ignores(c.path, false)
			if got != c.want {
				t.Errorf("%q ignores %q: %t, want %t", c.rules, c.path, got, c.want)
			}
		})
	}
}

// TestIgnoresAsGitDoes makes .gitignore files by chance, nested ones too, and compares what a walk hands out with what
// git lists.
func TestIgnoresAsGitDoes(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("NOT COMPARED: there is no git on this machine")
	}
	dir := t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "HOME="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	git("init", "-q")

	chance := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[chance.IntN(len(of))] }
	rules := func() string {
		var out strings.Builder
		for range 1 + chance.IntN(5) {
			out.WriteString(pick("", "", "", "!", "!", "/", "!/", "#", "\\", " "))
			for range 1 + chance.IntN(3) {
				out.WriteString(pick("a", "b", "a", "b", "*", "**", "?", "[ab]", "[!a]", "[^b]", "[]a]", "[a-b]", "]", "a*", "*b", `\a`, `\*`, "-"))
				out.WriteString(pick("", "/", "/", "/**/", "//", "/*/", ".yaml", "*.yaml", ".y*"))
			}
			out.WriteString(pick("\n", "\n", "\n", "/\n", " \n", "\\ \n", "\r\n", "**\n", "/**\n", "*\n", ".yaml\n"))
		}
		return out.String()
	}
	write(t, dir, ".git/info/exclude", "/case-1*/b/\n!/case-11/b\n")
	asked := map[string]string{}
	for i := range 200 {
		at := fmt.Sprintf("case-%d/", i)
		asked[at] = rules()
		write(t, dir, at+".gitignore", asked[at])
		if chance.IntN(3) == 0 {
			inner := rules()
			asked[at] += "in a: " + inner
			write(t, dir, at+"a/.gitignore", inner)
		}
		for _, name := range []string{"a.yaml", "b.yaml", "ab.yaml", "-.yaml", "].yaml", "a/a.yaml", "a/b.yaml", "a/b/a.yaml", "a/b/b/ab.yaml", "b/a.yaml", "b/a/b.yaml", "b/b.yaml", "ab/a.yaml", "ab/b/a.yaml"} {
			write(t, dir, at+name, "")
		}
	}
	var want []string
	for name := range strings.SplitSeq(git("ls-files", "--others", "--exclude-standard", "-z"), "\x00") {
		if strings.HasSuffix(name, ".yaml") {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	got := names(t, openTree(t, dir), Options{})
	if ignored := 200*14 - len(want); ignored < 200 || len(want) < 500 {
		t.Fatalf("git ignores %d files and keeps %d: the cases ask too little", ignored, len(want))
	}
	for _, name := range got {
		if _, found := slices.BinarySearch(want, name); !found {
			t.Errorf("git ignores %s, we do not; rules %q", name, asked[name[:strings.Index(name, "/")+1]])
		}
	}
	for _, name := range want {
		if _, found := slices.BinarySearch(got, name); !found {
			t.Errorf("we ignore %s, git does not; rules %q", name, asked[name[:strings.Index(name, "/")+1]])
		}
	}
}

// TestCostOfHostileRules holds patterns that are known to make matchers slow against long names.
func TestCostOfHostileRules(t *testing.T) {
	for name, pattern := range map[string]string{
		"stars in a name":   strings.Repeat("*a", 200) + "b",
		"stars as elements": strings.Repeat("**/a/", 400) + "b",
	} {
		t.Run(name, func(t *testing.T) {
			set := parseRules("", []byte(pattern), nil)
			start := time.Now()
			for range 10 {
				if set.ignores(strings.Repeat("a/", 500)+strings.Repeat("a", 255), false) {
					t.Fatal("ignored")
				}
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("ten paths took %v", took)
			}
		})
	}
}

func FuzzIgnores(f *testing.F) {
	f.Add("a/**\n!a/[!b-c].yaml\r\n", "a/b.yaml")
	f.Add("[]-a\\", "x")
	f.Fuzz(func(t *testing.T, rules, name string) {
		name = strings.Trim(filepath.ToSlash(filepath.Clean("/"+name)), "/")
		if name == "" {
			return
		}
		set := parseRules("", []byte(rules), nil)
		set.ignores(name, false)
		if set.ignores(name, true) && set.unless(name).ignores(name, true) {
			t.Errorf("%q ignores %q after it was named", rules, name)
		}
	})
}

func openTree(t *testing.T, path string) *Tree {
	t.Helper()
	tree, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tree.Close() })
	return tree
}

// names returns the names of the files that a walk hands out; each must be without error.
func names(t *testing.T, tree *Tree, opt Options) []string {
	t.Helper()
	got, _, err := Collect(context.Background(), tree, opt, func(f File) string {
		if f.Err != nil {
			t.Errorf("%s: %v", f.Name, f.Err)
		}
		return f.Name
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}
