package compose

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"

	"lookback/evidence"
)

// What a variable without a value would have brought stands between these two, as the owner wrote it: "${TAG}". They
// are taken out of all input, so that nothing else can bring them, and of all output.
const (
	open = '\uE000'
	shut = '\uE001'
)

// dollar and literal stand for "$" while compose-go takes an env file apart: what it would do with a variable that has
// no value is print a warning and go on with nothing. The first is expanded afterwards, the second stays.
const (
	dollar  = '\uE002'
	literal = '\uE003'
)

// Limits of what variables may do to one text.
const (
	maxText   = 64 << 10 // bytes of a text after its variables are replaced
	maxNested = 20       // "${A:-${B:-...}}"
	maxEnv    = 1 << 20  // bytes of an env file
)

var errFormat = errors.New(`invalid use of a variable; write "$$" for a dollar sign`)

// clean takes the runes that have a meaning here out of a text of the input.
func clean(s string) string {
	if !strings.ContainsFunc(s, private) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if private(r) {
			return -1
		}
		return r
	}, s)
}

func private(r rune) bool { return r >= open && r <= literal }

// unresolved marks what the owner wrote as a text without a value.
func unresolved(s string) string { return string(open) + s + string(shut) }

// resolved reports whether a text holds no variable without a value.
func resolved(s string) bool { return !strings.ContainsRune(s, open) }

// written returns a text as the owner wrote it where a variable has no value.
func written(s string) string { return clean(s) }

// text returns a text as a fact.
func text(s string, at evidence.Origin) evidence.Value[string] {
	if !resolved(s) {
		return evidence.Unknown[string](evidence.Unresolved, at)
	}
	return evidence.Known(s, at)
}

// vars are the variables of a project. The environment of this process is none of them: a scan says the same wherever
// it runs.
type vars map[string]string

// expand replaces the variables of a text as Docker Compose does
// (https://docs.docker.com/reference/compose-file/interpolation/), but for those without a value: they are marked.
func (v vars) expand(s string) (string, error) {
	return expand(s, func(name string) (string, bool) { value, ok := v[name]; return value, ok }, 0)
}

func expand(s string, lookup func(string) (string, bool), depth int) (string, error) {
	if depth > maxNested {
		return "", fmt.Errorf("variables are nested more than %d deep", maxNested)
	}
	var out strings.Builder
	for {
		if out.Len() > maxText {
			return "", fmt.Errorf("variables make more than %d bytes of it", maxText)
		}
		before, rest, found := strings.Cut(s, "$")
		out.WriteString(before)
		switch {
		case !found:
			return out.String(), nil
		case strings.HasPrefix(rest, "$"):
			out.WriteByte('$')
			s = rest[1:]
		case strings.HasPrefix(rest, "{"):
			end := closing(rest)
			if end < 0 {
				return "", errFormat
			}
			value, err := braced(rest[1:end], lookup, depth)
			if err != nil {
				return "", err
			}
			out.WriteString(value)
			s = rest[end+1:]
		default:
			name := rest[:nameLen(rest)]
			if name == "" {
				out.WriteByte('$')
			} else if value, ok := lookup(name); ok {
				out.WriteString(value)
			} else {
				out.WriteString(unresolved("${" + name + "}"))
			}
			s = rest[len(name):]
		}
	}
}

// closing returns where the brace closes with which s begins, -1 where it does not.
func closing(s string) int {
	open := 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			open++
		case '}':
			if open--; open == 0 {
				return i
			}
		}
	}
	return -1
}

func nameLen(s string) int {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return i
		}
	}
	return len(s)
}

// braced returns what stands for "${body}".
func braced(body string, lookup func(string) (string, bool), depth int) (string, error) {
	name := body[:nameLen(body)]
	if name == "" {
		return "", errFormat
	}
	op, colon := strings.CutPrefix(body[len(name):], ":")
	value, set := lookup(name)
	if op == "" && !colon {
		if !set {
			return unresolved("${" + name + "}"), nil
		}
		return value, nil
	}
	if op == "" {
		return "", errFormat
	}
	there := set && (!colon || value != "")
	switch op[0] {
	case '-':
		if !there {
			return expand(op[1:], lookup, depth+1)
		}
	case '+':
		if there {
			return expand(op[1:], lookup, depth+1)
		}
	case '?':
		if !there {
			return unresolved("${" + name + "}"), nil
		}
	default:
		return "", errFormat
	}
	return value, nil
}

// parseEnv reads an env file. Its variables may use those of outer, which go before its own, and each other.
func parseEnv(content []byte, outer vars) (vars, error) {
	if len(content) > maxEnv {
		return nil, fmt.Errorf("%d bytes, the limit is %d", len(content), maxEnv)
	}
	if bytes.IndexByte(content, 0) >= 0 {
		return nil, errors.New("not a text")
	}
	raw, err := dotenv.ParseWithLookup(strings.NewReader(hideDollars(clean(string(content)))), func(name string) (string, bool) {
		if value, ok := outer[name]; ok {
			return value, true
		}
		return unresolved(string(literal) + "{" + name + "}"), true
	})
	if err != nil {
		return nil, err
	}
	out := make(vars, len(raw))
	busy := map[string]bool{}
	var own, lookup func(name string) (string, bool)
	own = func(name string) (string, bool) {
		if value, done := out[name]; done {
			return value, true
		}
		value, ok := raw[name]
		if !ok || busy[name] || len(busy) > maxNested {
			return "", false
		}
		busy[name] = true
		defer delete(busy, name)
		value = strings.ReplaceAll(value, `\`+string(dollar), string(literal))
		value, err := expand(strings.ReplaceAll(value, string(dollar), "$"), lookup, 0)
		if err != nil {
			value = unresolved(clean(raw[name]))
		}
		out[name] = strings.ReplaceAll(value, string(literal), "$")
		return out[name], true
	}
	lookup = func(name string) (string, bool) {
		if value, ok := outer[name]; ok {
			return value, true
		}
		return own(name)
	}
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		own(name)
	}
	maps.DeleteFunc(out, func(name, _ string) bool {
		return name == "" || name[0] >= '0' && name[0] <= '9' // compose-go leaves them out, too
	})
	return out, nil
}

// quoted is a line of an env file whose value stands in single quotes, up to the end of the value.
var quoted = regexp.MustCompile(`(?m)^[ \t]*(?:export[ \t]+)?[\w.\-\[\]]+[ \t]*[=:][ \t]*'(?:[^'\\]|\\[^\n])*'`)

func hideDollars(env string) string {
	env = quoted.ReplaceAllStringFunc(env, func(line string) string {
		return strings.ReplaceAll(line, "$", string(literal))
	})
	return strings.ReplaceAll(env, "$", string(dollar))
}
