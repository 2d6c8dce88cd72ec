package shipper

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A graph says which part of a pipeline takes records from which: Vector, Alloy, OpenTelemetry, syslog-ng.
type graph struct {
	parts map[string]*part
	edges int
}

type part struct {
	from  []string
	some  bool // drops some records, or may
	stop  bool // lets no record through
	input int  // an index into Config.Inputs, or -1
}

const maxEdges = 50_000

func newGraph() *graph { return &graph{parts: map[string]*part{}} }

func (g *graph) add(id string, p part) error {
	if len(g.parts) >= 4*maxParts {
		return fmt.Errorf("%d parts: %w", len(g.parts), ErrTooLarge)
	}
	if g.edges += len(p.from); g.edges > maxEdges {
		return fmt.Errorf("%d links: %w", g.edges, ErrTooLarge)
	}
	if old := g.parts[id]; old != nil {
		old.from = append(old.from, p.from...)
		old.some = old.some || p.some
		return nil
	}
	g.parts[id] = &p
	return nil
}

// feeds returns the inputs of which something with the given sources gets all records, and those of which it gets some.
// An unknown source is no input.
func (g *graph) feeds(sources []string) (from, some []int) {
	type step struct {
		id   string
		some bool
	}
	seen := map[step]bool{}
	var todo []step
	push := func(ids []string, some bool) {
		for _, id := range ids {
			if s := (step{id, some}); !seen[s] && !seen[step{id, false}] {
				seen[s] = true
				todo = append(todo, s)
			}
		}
	}
	push(sources, false)
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		p := g.parts[s.id]
		switch {
		case p == nil || p.stop:
		case p.input >= 0 && !s.some && !p.some:
			from = append(from, p.input)
		case p.input >= 0:
			some = append(some, p.input)
		default:
			push(p.from, s.some || p.some)
		}
	}
	slices.Sort(from)
	slices.Sort(some)
	from = slices.Compact(from)
	some = slices.DeleteFunc(slices.Compact(some), func(i int) bool { return slices.Contains(from, i) })
	return from, some
}

// A pattern matches tags. What the tag of an input does not say is written "*" in it, so that only a star of the
// pattern covers it.
// The zero pattern may match anything.
type pattern struct {
	whole  *regexp.Regexp
	before []string // what a tag must begin with, one for each alternative
}

// anything is the tag of records whose sender chooses it.
const anything = "*"

// fluentBitPattern reads a Match: "*" is any run of characters.
func fluentBitPattern(match string) (pattern, error) {
	if len(match) > 512 {
		return pattern{}, fmt.Errorf("a match of %d characters: %w", len(match), ErrTooLarge)
	}
	expr := strings.ReplaceAll(regexp.QuoteMeta(match), `\*`, `.*`)
	re, err := regexp.Compile(`(?s)^(?:` + expr + `)$`)
	if err != nil {
		return pattern{}, err
	}
	before, _, _ := strings.Cut(match, "*")
	return pattern{re, []string{before}}, nil
}

// fluentdPattern reads the patterns of a match or filter: "*" is one part of a tag, "**" any number of them, "{a,b}"
// either; several patterns stand side by side. See https://docs.fluentd.org/configuration/config-file, "How do the match
// patterns work".
func fluentdPattern(match string) (pattern, error) {
	if len(match) > 512 || strings.Count(match, "{") > 8 {
		return pattern{}, fmt.Errorf("a pattern of %d characters: %w", len(match), ErrTooLarge)
	}
	if strings.Contains(match, unresolved) {
		return pattern{}, nil // touches everything, covers nothing
	}
	var exprs, before []string
	for _, m := range strings.Fields(match) {
		lead := m
		if cut := strings.IndexAny(m, "*{"); cut >= 0 {
			lead = m[:cut]
		}
		var b strings.Builder
		braces := 0
		for i := 0; i < len(m); {
			switch {
			case strings.HasPrefix(m[i:], ".**") && i+3 == len(m):
				b.WriteString(`(?:\..*)?`)
				lead = strings.TrimSuffix(lead, ".")
				i += 3
			case strings.HasPrefix(m[i:], "**."):
				b.WriteString(`(?:.*\.)?`)
				i += 3
			case strings.HasPrefix(m[i:], "**"):
				b.WriteString(`.*`)
				i += 2
			case m[i] == '*':
				b.WriteString(`[^.*]+`)
				i++
			case m[i] == '{':
				b.WriteString(`(?:`)
				braces++
				i++
			case m[i] == '}' && braces > 0:
				b.WriteString(`)`)
				braces--
				i++
			case m[i] == ',' && braces > 0:
				b.WriteString(`|`)
				i++
			default:
				b.WriteString(regexp.QuoteMeta(m[i : i+1]))
				i++
			}
		}
		if braces > 0 {
			return pattern{}, fmt.Errorf("pattern %.60q: a brace does not close", m)
		}
		exprs, before = append(exprs, b.String()), append(before, lead)
	}
	re, err := regexp.Compile(`(?s)^(?:` + strings.Join(exprs, "|") + `)$`)
	if err != nil {
		return pattern{}, fmt.Errorf("pattern %.60q: %w", match, err)
	}
	return pattern{re, before}, nil
}

// covers reports whether every record with the tag matches.
func (p pattern) covers(tag string) bool {
	return p.whole != nil && !strings.Contains(tag, unresolved) && p.whole.MatchString(tag)
}

// touches reports whether a record with the tag may match. It errs on the side of yes.
func (p pattern) touches(tag string) bool {
	lead, open := tag, false
	if cut := strings.IndexAny(tag, "*"+unresolved); cut >= 0 {
		lead, open = tag[:cut], true
	}
	if !open {
		return p.whole == nil || p.whole.MatchString(tag)
	}
	if p.whole == nil {
		return true
	}
	for _, b := range p.before {
		if strings.HasPrefix(b, lead) || strings.HasPrefix(lead, b) {
			return true
		}
	}
	return false
}
