// Package tmpfiles says what systemd-tmpfiles deletes of a folder: what is older than the age in a line of tmpfiles.d, and, when
// the machine starts, what lies where a line says that nothing stays. The rules are those of the manual page tmpfiles.d(5).
package tmpfiles

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"lookback/evidence"
	"lookback/scanners/host/journald"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/unit"
)

// dirs lists where the files lie. Of two of one name that of the first folder holds.
var dirs = []string{"etc/tmpfiles.d", "run/tmpfiles.d", "usr/local/lib/tmpfiles.d", "usr/lib/tmpfiles.d", "lib/tmpfiles.d"}

// maxLines is the most lines that are kept.
const maxLines = 1 << 14

// Of each of these groups of types one path can have one line, the first: takes_ownership and needs_glob in systemd's tmpfiles.c.
const (
	plain    = "fFdDvqQpLcbC"
	patterns = "wexXrR"
)

// A line is what is said of a path.
type line struct {
	pattern string // "/var/log/audit"
	kind    byte
	age     string // "", "30d", "~30d", "bmA:30d"
	at      evidence.Origin
}

type config struct {
	lines []line
	err   error
}

func read(s *scope.Scope) *config {
	return scope.Memo(s, "tmpfiles.d", func() *config {
		c := &config{}
		first := map[string]string{}
		for _, dir := range dirs {
			names, err := s.Root.Glob(path.Join(dir, "*.conf"))
			if err != nil {
				c.missed(s, dir, err)
			}
			for _, name := range names {
				if _, taken := first[path.Base(name)]; !taken {
					first[path.Base(name)] = name
				}
			}
		}
		for _, base := range slices.Sorted(maps.Keys(first)) {
			if to, err := s.Root.Readlink(first[base]); err == nil && to == "/dev/null" {
				continue
			}
			data, err := s.Root.ReadFile(first[base])
			if err != nil {
				c.missed(s, first[base], err)
			}
			c.parse(first[base], string(data))
		}
		return c
	})
}

func (c *config) missed(s *scope.Scope, name string, err error) {
	s.Missed("what systemd-tmpfiles deletes, in "+name, err, scope.At(name, 0))
	c.err = err
}

func (c *config) parse(name, text string) {
	no := 0
	for l := range strings.Lines(text) {
		no++
		f := strings.Fields(l)
		if len(f) < 2 || f[0][0] == '#' || len(c.lines) == maxLines {
			continue
		}
		one := line{pattern: path.Clean(strings.Trim(f[1], `"'`)), kind: f[0][0], at: scope.At(name, no)}
		if len(f) > 5 && f[5] != "-" {
			one.age = f[5]
		}
		if strings.ContainsRune(f[0], '!') && !strings.ContainsRune("DR", rune(one.kind)) {
			continue // at the start alone, when nothing is cleaned by age
		}
		taken := func(group string) bool {
			return slices.ContainsFunc(c.lines, func(o line) bool { return o.pattern == one.pattern && in(o, group) })
		}
		if in(one, plain) && taken(plain) || in(one, patterns) && taken(patterns) {
			continue
		}
		c.lines = append(c.lines, one)
	}
}

func in(l line, group string) bool { return strings.IndexByte(group, l.kind) >= 0 }

// Age says how many days a file is left alone; false where nothing says that it is ever deleted. A line of its own keeps a
// file, or a folder, from what is said of the folders above it.
func Age(s *scope.Scope, name string) (days evidence.Value[int], deleted bool) {
	c := read(s)
	own := "/" + strings.Trim(path.Clean("/"+name), "/")
	for at := own; at != "/"; at = path.Dir(at) {
		named := false
		for _, l := range c.lines {
			if ok, _ := path.Match(l.pattern, at); l.pattern != at && (!ok || in(l, plain)) {
				continue
			}
			switch {
			case l.kind == 'R', l.kind == 'D' && at != own:
				return evidence.Known(0, l.at.WithNote("systemd-tmpfiles removes what is in "+at+" when the machine starts")), true
			case l.age != "" && at != own && !(strings.Contains(l.age, "~") && at == path.Dir(own)):
				return l.days(s, at)
			}
			named = named || l.kind != 'X' || at == own
		}
		if named {
			break
		}
	}
	if c.err != nil {
		return scope.Unknown[int](c.err, evidence.Origin{File: dirs[0], Note: "a file of tmpfiles.d could not be read"}), true
	}
	return days, false
}

// days reads an age, where something cleans.
func (l line) days(s *scope.Scope, dir string) (evidence.Value[int], bool) {
	timer := unit.Find(s, "systemd-tmpfiles-clean.timer").Enabled
	if on, known := timer.Get(); !known {
		return evidence.Unknown[int](timer.Why(), timer.At()), true
	} else if !on {
		return evidence.Value[int]{}, false
	}
	text := l.age[strings.IndexByte(l.age, ':')+1:]
	span, err := journald.Span(strings.TrimPrefix(text, "~"))
	if err != nil {
		return evidence.Unknown[int](evidence.Failed, l.at.WithNote("the age "+l.age+" is not understood")), true
	}
	note := fmt.Sprintf("systemd-tmpfiles deletes what is older than %s in %s", strings.TrimPrefix(text, "~"), dir)
	return evidence.Known(int(span/(24*time.Hour)), l.at.WithNote(note)), true
}
