package shipper

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"go.yaml.in/yaml/v4"
)

// maxNodes bounds a tree after its aliases were followed.
const maxNodes = 100_000

// A node is a value of a YAML, JSON or TOML text. The nil node is one that is not there; it answers every question.
type node struct {
	text  string
	items []*node
	keys  []string
	vals  map[string]*node
	line  int
}

// at follows keys down.
func (n *node) at(keys ...string) *node {
	for _, k := range keys {
		if n == nil {
			return nil
		}
		n = n.vals[k]
	}
	return n
}

func (n *node) str() string {
	if n == nil {
		return ""
	}
	return n.text
}

// strs returns the texts of a list, or the one text of a scalar.
func (n *node) strs() []string {
	if n == nil {
		return nil
	}
	if n.text != "" {
		return []string{n.text}
	}
	var out []string
	for _, item := range n.items {
		if item.text != "" {
			out = append(out, item.text)
		}
	}
	return out
}

func (n *node) lineOr(def int) int {
	if n == nil || n.line == 0 {
		return def
	}
	return n.line
}

// each returns the items of a list, or a single mapping as a list of one.
func (n *node) each() []*node {
	switch {
	case n == nil:
		return nil
	case n.vals != nil:
		return []*node{n}
	}
	return n.items
}

// dotted puts keys like "output.elasticsearch" where they mean to be.
func (n *node) dotted() *node {
	if n == nil {
		return nil
	}
	for _, item := range n.items {
		item.dotted()
	}
	for _, k := range slices.Clone(n.keys) {
		v := n.vals[k].dotted()
		parts := strings.Split(k, ".")
		if len(parts) == 1 || len(parts) > maxDepth {
			continue
		}
		to := n
		for _, p := range parts[:len(parts)-1] {
			next := to.vals[p]
			if next == nil || next.vals == nil {
				next = &node{vals: map[string]*node{}, line: v.line}
				to.set(p, next)
			}
			to = next
		}
		last := parts[len(parts)-1]
		if old := to.vals[last]; old != nil && old.vals != nil && v.vals != nil {
			for _, k := range v.keys {
				old.set(k, v.vals[k])
			}
			continue
		}
		to.set(last, v)
	}
	return n
}

func (n *node) set(key string, v *node) {
	if _, there := n.vals[key]; !there {
		n.keys = append(n.keys, key)
	}
	n.vals[key] = v
}

// fromYAML reads the first document of a YAML or JSON text, with expand over every scalar.
func fromYAML(text []byte, expand func(string) string) (*node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	left := maxNodes
	return grow(doc.Content[0], expand, &left, 0)
}

func grow(y *yaml.Node, expand func(string) string, left *int, depth int) (*node, error) {
	if *left--; *left < 0 || depth > maxDepth {
		return nil, fmt.Errorf("line %d: %w", y.Line, ErrTooLarge)
	}
	n := &node{line: y.Line}
	switch y.Kind {
	case yaml.AliasNode:
		return grow(y.Alias, expand, left, depth+1)
	case yaml.ScalarNode:
		if y.Tag != "!!null" {
			n.text = expand(y.Value)
		}
	case yaml.SequenceNode:
		for _, c := range y.Content {
			item, err := grow(c, expand, left, depth+1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
	case yaml.MappingNode:
		n.vals = map[string]*node{}
		for i := 0; i+1 < len(y.Content); i += 2 {
			key := y.Content[i]
			v, err := grow(y.Content[i+1], expand, left, depth+1)
			if err != nil {
				return nil, err
			}
			if key.Value == "<<" {
				for _, m := range v.each() {
					for _, k := range m.keys {
						if n.vals[k] == nil {
							n.set(k, m.vals[k])
						}
					}
				}
				continue
			}
			v.line = key.Line
			if key.Kind == yaml.ScalarNode {
				n.set(key.Value, v)
			}
		}
	}
	return n, nil
}

// fromTOML reads a TOML text. The lines of its nodes are those of the table headers.
func fromTOML(text []byte, expand func(string) string) (*node, error) {
	if err := shallow(text); err != nil {
		return nil, err
	}
	var m map[string]any
	if err := toml.Unmarshal(text, &m); err != nil {
		return nil, err
	}
	lines := map[string]int{}
	no := 0
	for line := range strings.Lines(string(text)) {
		no++
		line = strings.TrimSpace(line)
		if end := strings.IndexByte(line, ']'); strings.HasPrefix(line, "[") && end > 0 {
			name := strings.Map(func(c rune) rune {
				if strings.ContainsRune("[]\"' \t", c) {
					return -1
				}
				return c
			}, line[:end])
			if lines[name] == 0 {
				lines[name] = no
			}
		}
	}
	left := maxNodes
	return plant(m, "", lines, expand, &left, 0)
}

func plant(v any, name string, lines map[string]int, expand func(string) string, left *int, depth int) (*node, error) {
	if *left--; *left < 0 || depth > maxDepth {
		return nil, ErrTooLarge
	}
	n := &node{line: lines[name]}
	switch v := v.(type) {
	case map[string]any:
		n.vals = map[string]*node{}
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			full := k
			if name != "" {
				full = name + "." + k
			}
			child, err := plant(v[k], full, lines, expand, left, depth+1)
			if err != nil {
				return nil, err
			}
			n.set(k, child)
		}
	case []any:
		for _, item := range v {
			child, err := plant(item, name, lines, expand, left, depth+1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, child)
		}
	case []map[string]any:
		for _, item := range v {
			child, err := plant(item, name, lines, expand, left, depth+1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, child)
		}
	case string:
		n.text = expand(v)
	case time.Time:
		n.text = v.Format(time.RFC3339)
	default:
		n.text = fmt.Sprint(v)
	}
	return n, nil
}

// shallow refuses TOML that nests so deep, or has keys of so many parts, that reading it would take long. It walks over
// strings and comments as TOML has them.
func shallow(text []byte) error {
	s := string(text)
	depth, dots, line := 0, 0, 1
	for i := 0; i < len(s); {
		switch c := s[i]; c {
		case '"', '\'':
			quote := s[i : i+1]
			if triple := strings.Repeat(quote, 3); strings.HasPrefix(s[i:], triple) {
				end := closing(s[i+3:], triple, c == '"')
				if end < 0 {
					return fmt.Errorf("line %d: a string does not end", line)
				}
				line += strings.Count(s[i:i+3+end], "\n")
				i += 3 + end
				for i < len(s) && s[i] == c { // up to two quotes may stand before the closing three
					i++
				}
				continue
			}
			end := closing(s[i+1:], quote, c == '"')
			if end < 0 || strings.Contains(s[i+1:i+1+end], "\n") {
				return fmt.Errorf("line %d: a string does not end", line)
			}
			i += 1 + end + 1
			continue
		case '#':
			end := strings.IndexByte(s[i:], '\n')
			if end < 0 {
				return nil
			}
			i += end
			continue
		case '[', '{':
			depth, dots = depth+1, 0
		case ']', '}':
			depth, dots = max(0, depth-1), 0
		case '\n':
			line++
			dots = 0
		case ',', '=':
			dots = 0
		case '.':
			dots++
		}
		if depth > maxDepth || dots > maxDepth {
			return fmt.Errorf("line %d: %w", line, ErrTooLarge)
		}
		i++
	}
	return nil
}

// closing returns where the closing quotes start, or -1.
func closing(s, quotes string, escapes bool) int {
	for i := 0; i < len(s); i++ {
		if escapes && s[i] == '\\' {
			i++
			continue
		}
		if strings.HasPrefix(s[i:], quotes) {
			return i
		}
	}
	return -1
}
