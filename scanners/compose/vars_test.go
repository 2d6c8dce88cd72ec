package compose

import (
	"maps"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/template"
)

func TestExpand(t *testing.T) {
	v := vars{"TAG": "1.27", "EMPTY": "", "NEST": "${TAG}"}
	for _, c := range []struct{ name, in, want string }{
		{"plain text", "nginx:1.27", "nginx:1.27"},
		{"a name", "nginx:$TAG-alpine", "nginx:1.27-alpine"},
		{"a name in braces", "nginx:${TAG}alpine", "nginx:1.27alpine"},
		{"a value is not expanded again", "${NEST}", "${TAG}"},
		{"two dollars are one", "$$TAG $${TAG}", "$TAG ${TAG}"},
		{"a dollar before no name", "a$ b$1 $(date) $", "a$ b$1 $(date) $"},
		{"no value", "nginx:${MISSING}", "nginx:" + unresolved("${MISSING}")},
		{"no value, without braces", "$MISSING/x", unresolved("${MISSING}") + "/x"},
		{"a required value that is not there", "${MISSING:?set it}", unresolved("${MISSING}")},
		{"a required value that is empty", "${EMPTY:?set it}", unresolved("${EMPTY}")},
		{"a required value that may be empty", "${EMPTY?set it}", ""},
		{"a default", "${MISSING:-1.0}", "1.0"},
		{"a default for what is set", "${TAG:-1.0}", "1.27"},
		{"a default for what is empty", "${EMPTY:-1.0}", "1.0"},
		{"a default for what is unset alone", "${EMPTY-1.0}", ""},
		{"a default with a variable", "${MISSING:-v$TAG}", "v1.27"},
		{"a default whose variable has no value", "${MISSING:-${OTHER}}", unresolved("${OTHER}")},
		{"a default with braces", `${MISSING:-{"a":1}}`, `{"a":1}`},
		{"two in one text", "${MISSING:-a}/${TAG}", "a/1.27"},
		{"instead, when set", "${TAG:+yes}", "yes"},
		{"instead, when unset", "${MISSING:+yes}", ""},
		{"a template of Docker's is plain text", "{{.Name}}/{{.ID}}", "{{.Name}}/{{.ID}}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := v.expand(c.in)
			if err != nil || got != c.want {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestExpandErrors(t *testing.T) {
	for _, c := range []struct{ name, in string }{
		{"a brace that does not close", "${TAG"},
		{"no name", "${}"},
		{"a digit", "${1}"},
		{"an operator that there is not", "${TAG!x}"},
		{"a colon alone", "${TAG:}"},
		{"nested without end", strings.Repeat("${A:-", 30) + strings.Repeat("}", 30)},
		{"grows without end", strings.Repeat("$BIG", 100)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := (vars{"BIG": strings.Repeat("x", 1<<10)}).expand(c.in); err == nil {
				t.Errorf("got %.80q, want an error", got)
			}
		})
	}
}

func TestParseEnv(t *testing.T) {
	for _, c := range []struct {
		name, file string
		outer      vars
		want       vars
	}{
		{"plain", "A=1\n# no\nexport B=two # three\nC='x # y'\n", nil, vars{"A": "1", "B": "two", "C": "x # y"}},
		{"uses another", "A=1\nB=${A}2\nC=\"$B 3\"\n", nil, vars{"A": "1", "B": "12", "C": "12 3"}},
		{"single quotes keep a dollar", "A=1\nB='$A'\n", nil, vars{"A": "1", "B": "$A"}},
		{"an escaped dollar", "A=1\nB=\"\\$A\"\nC=$$A\n", nil, vars{"A": "1", "B": "$A", "C": "$A"}},
		{"no value", "A=${HOME}/x\n", nil, vars{"A": unresolved("${HOME}") + "/x"}},
		{"a default", "A=${B:-x}\n", nil, vars{"A": "x"}},
		{"the project's go before", "A=1\nB=$A\n", vars{"A": "2"}, vars{"A": "1", "B": "2"}},
		{"a name alone takes the project's", "A\nB\nC=1\n", vars{"A": "2"}, vars{"A": "2", "B": unresolved("${B}"), "C": "1"}},
		{"names that lead back", "A=$B\nB=$A\n", nil, vars{"A": unresolved("${A}"), "B": unresolved("${A}")}},
		{"our own marks", "A=x\ue000y\ue001\ue002\n", nil, vars{"A": "xy"}},
		{"a digit in front", "1A=x\n", nil, vars{}},
		{"windows", "\ufeffA=1\r\nB=2\r\n", nil, vars{"A": "1", "B": "2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseEnv([]byte(c.file), c.outer)
			if err != nil || !maps.Equal(got, c.want) {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestParseEnvErrors(t *testing.T) {
	for _, c := range []struct{ name, file string }{
		{"no end of a quote", "A=\"x\n"},
		{"a name with a sign", "A{=x\n"},
		{"binary", "A=\x00\n"},
		{"too large", strings.Repeat("#\n", maxEnv)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := parseEnv([]byte(c.file), nil); err == nil {
				t.Errorf("got %q, want an error", got)
			}
		})
	}
}

func TestParseEnvDoesNotGrow(t *testing.T) {
	var b strings.Builder
	b.WriteString("A=xxxxxxxxxx\n")
	for c := 'B'; c <= 'Z'; c++ {
		b.WriteString(string(c) + "=" + strings.Repeat("$"+string(c-1), 10) + "\n")
	}
	got, err := parseEnv([]byte(b.String()), nil)
	if err != nil || len(got["C"]) != 1000 || resolved(got["Z"]) {
		t.Errorf("C has %d bytes, Z is %.20q: %v", len(got["C"]), got["Z"], err)
	}
}

// FuzzExpand holds expand against what Docker Compose uses, on texts whose variables have values or defaults.
func FuzzExpand(f *testing.F) {
	for _, s := range []string{"${A:-x}/$B", "$$", "${A?${B}}", "${C:+{a}}x", "${Z-${A}}", "a}{${B}"} {
		f.Add(s)
	}
	v := vars{"A": "1", "B": "", "C": "x y"}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := v.expand(clean(s))
		// The other one takes a line break for the end of a text, and letters of other cases that fold to ours.
		// Of braces that open no variable, and of those in the message of "?", it takes some for the end of one.
		if strings.Count(s, "{") != strings.Count(s, "${") || strings.Contains(s, "$${") || strings.ContainsAny(s, "?") || strings.Contains(s, "${}") {
			return
		}
		if err != nil || !resolved(got) || strings.ContainsAny(s, "\n") || strings.ContainsFunc(s, func(r rune) bool { return r > 127 }) {
			return
		}
		want, err := template.SubstituteWithOptions(s, func(name string) (string, bool) { x, ok := v[name]; return x, ok }, template.WithoutLogging)
		if err == nil && got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	})
}
