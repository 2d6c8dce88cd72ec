package tree

import (
	"bytes"
	"fmt"
	"path"
	"strings"
)

// Patterns of .gitignore files, after https://git-scm.com/docs/gitignore. The matcher of go-git v5.19.3 was tried
// first, beside git 2.39: of 36 small cases it differed in ten, and three of those left out files that git keeps ("a/**"
// with "!a/keep.yaml", "[!a]*.yaml"). This one is compared with the git of the machine by a test. It does not know named
// classes ("[[:alpha:]]") nor brackets with a slash in them: such a pattern ignores nothing, as a malformed one does.

// A rule is one line of a .gitignore file.
type rule struct {
	parts    []part
	anywhere bool // no slash: the last element of a path is what counts
	negated  bool
	folders  bool // matches folders only
}

// A part is what a rule says about one element of a path.
type part struct {
	glob    string // for path.Match
	plain   string // where exact or suffix: the text
	how     matching
	anyDeep bool // "**": any number of elements, also none
}

type matching uint8

const (
	byGlob matching = iota
	exact
	suffix // "*.log"
)

// parseRule returns the rule of one line, and false where the line holds none.
func parseRule(line string) (rule, bool, error) {
	line = trimRight(line)
	if line == "" || line[0] == '#' {
		return rule{}, false, nil
	}
	var r rule
	line, r.negated = strings.CutPrefix(line, "!")
	line, r.folders = strings.CutSuffix(line, "/")
	r.anywhere = !strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if line == "" {
		return rule{}, false, nil
	}
	for elem := range strings.SplitSeq(line, "/") {
		if len(elem) > 1 && strings.Trim(elem, "*") == "" && !r.anywhere {
			r.parts = append(r.parts, part{anyDeep: true})
			continue
		}
		p, err := parsePart(elem)
		if err != nil {
			return rule{}, false, err
		}
		r.parts = append(r.parts, p)
	}
	// "a/**" is what lies in a, not a itself.
	if r.parts[len(r.parts)-1].anyDeep {
		r.parts = append(r.parts, part{how: suffix})
	}
	return r, true, nil
}

// trimRight cuts spaces off the end that no backslash protects.
func trimRight(line string) string {
	end := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case ' ':
			continue
		case '\\':
			i++
		}
		end = min(i+1, len(line))
	}
	return line[:end]
}

func parsePart(elem string) (part, error) {
	if !strings.ContainsAny(elem, `*?[\`) {
		return part{how: exact, plain: elem}, nil
	}
	if rest := strings.TrimLeft(elem, "*"); !strings.ContainsAny(rest, `*?[\`) && rest != elem {
		return part{how: suffix, plain: rest}, nil
	}
	glob, err := goGlob(elem)
	if err == nil {
		_, err = path.Match(glob, "")
	}
	if err != nil {
		return part{}, fmt.Errorf("%w: %s", err, elem)
	}
	return part{glob: glob}, nil
}

// goGlob writes a pattern of git for path.Match. They differ within brackets only: git also negates with "!", and takes
// for themselves a "]" that comes first and a "-" that comes first or last.
func goGlob(elem string) (string, error) {
	var out strings.Builder
	in := []rune(elem)
	for i := 0; i < len(in); i++ {
		out.WriteRune(in[i])
		switch in[i] {
		case '\\':
			if i++; i < len(in) {
				out.WriteRune(in[i])
			}
		case '[':
			if i+1 < len(in) && (in[i+1] == '!' || in[i+1] == '^') {
				out.WriteByte('^')
				i++
			}
			first := i + 1
			for i++; i < len(in) && (in[i] != ']' || i == first); i++ {
				last := i+1 < len(in) && in[i+1] == ']'
				switch {
				case in[i] == '[' && i+1 < len(in) && in[i+1] == ':':
					return "", path.ErrBadPattern
				case in[i] == '-' && i != first && !last:
					out.WriteByte('-')
					continue
				case in[i] == '\\' && i+1 < len(in):
					i++
				}
				out.WriteByte('\\')
				out.WriteRune(in[i])
			}
			if i < len(in) {
				out.WriteByte(']')
			}
		}
	}
	return out.String(), nil
}

func (p part) match(elem string) bool {
	switch p.how {
	case exact:
		return elem == p.plain
	case suffix:
		return strings.HasSuffix(elem, p.plain)
	}
	ok, err := path.Match(p.glob, elem)
	return ok && err == nil
}

// match reports whether the rule speaks of the path, taken from the folder of the rule's file.
func (r rule) match(name string, folder bool) bool {
	if r.folders && !folder {
		return false
	}
	if r.anywhere {
		return r.parts[0].match(name[strings.LastIndexByte(name, '/')+1:])
	}
	// As with "*" in a glob, going back to the last "**" is enough.
	parts, left := r.parts, name
	var again []part // after the last "**"
	var from string  // what was left there
	for {
		if len(parts) > 0 && parts[0].anyDeep {
			parts = parts[1:]
			again, from = parts, left
			continue
		}
		if left == "" {
			return len(parts) == 0
		}
		if len(parts) > 0 {
			elem, rest, _ := strings.Cut(left, "/")
			if parts[0].match(elem) {
				parts, left = parts[1:], rest
				continue
			}
		}
		if _, from, _ = strings.Cut(from, "/"); from == "" {
			return false
		}
		parts, left = again, from
	}
}

// A ruleset is the rules of one file, with those of the files above it, which yield to them.
type ruleset struct {
	dir   string // the file's folder with a slash at its end, "" for the root
	rules []rule
	above *ruleset
}

// ignores reports whether the last rule that speaks of the path, from the nearest file on, says to ignore it.
func (s *ruleset) ignores(name string, folder bool) bool {
	for ; s != nil; s = s.above {
		rel := name[len(s.dir):]
		for i := len(s.rules) - 1; i >= 0; i-- {
			if s.rules[i].match(rel, folder) {
				return !s.rules[i].negated
			}
		}
	}
	return false
}

// Match reports whether patterns, written like lines of a .gitignore file in the root, speak for a file or for a folder
// that it lies in.
func Match(patterns []string, name string) bool {
	rules := parseRules("", []byte(strings.Join(patterns, "\n")), nil)
	for i := range len(name) {
		if name[i] == '/' && rules.ignores(name[:i], true) {
			return true
		}
	}
	return rules.ignores(name, false)
}

// unless returns the set without the rules for which the folder at name would be ignored.
func (s *ruleset) unless(name string) *ruleset {
	if s == nil || !s.ignores(name, true) {
		return s
	}
	out := &ruleset{dir: s.dir, above: s.above.unless(name)}
	for _, r := range s.rules {
		if r.negated || !r.match(name[len(s.dir):], true) {
			out.rules = append(out.rules, r)
		}
	}
	return out
}

// parseRules reads a .gitignore file of the folder.
func parseRules(dir string, content []byte, above *ruleset) *ruleset {
	s := &ruleset{dir: dir, above: above}
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if r, ok, err := parseRule(line); ok && err == nil {
			s.rules = append(s.rules, r)
		}
	}
	if len(s.rules) == 0 {
		return above
	}
	return s
}
