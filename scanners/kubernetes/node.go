package kubernetes

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"lookback/evidence"
)

// maxAliases bounds how many nodes of one file are visited through aliases: a small file can make many of them.
const maxAliases = 100_000

// maxDepth bounds how deep a document may be nested. Real ones stay under 30.
const maxDepth = 1000

// errTooMuch is what is wrong with a file that would take too long to read.
var errTooMuch = errors.New("its aliases or its nesting make too much of it")

// A reader reads one file.
type reader struct {
	file    *file
	aliases int   // how many nodes may still be visited through aliases
	err     error // the document cannot be read
}

// parse reads the documents in doc, which begins after line lines of the file, and hands each to use. Kind is that of
// the document as far as it is known.
func (r *reader) parse(doc []byte, line int, kind string, use func(doc []byte, line int, root field)) {
	nodes, err := parseYAML(doc)
	if err != nil && bytes.Contains(doc, []byte(`\u`)) {
		// JSON writes what lies beyond 16 bits as two surrogates, which YAML does not know.
		nodes, err = parseYAML(withoutSurrogates(doc))
	}
	if err != nil {
		r.broken(doc, line, kind, err)
		return
	}
	for _, n := range nodes {
		shift(n, line)
		r.err = nil
		use(doc, line, field{n: n, at: r.origin(n), r: r})
		if r.err != nil {
			r.bad(r.origin(n), fmt.Sprintf("line %d: %v", n.Line, r.err))
		}
	}
}

// parseYAML returns the root of each document.
func parseYAML(doc []byte) (roots []*yaml.Node, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the parser gave up: %v", v)
		}
	}()
	for dec := yaml.NewDecoder(bytes.NewReader(doc)); ; {
		var n yaml.Node
		if err := dec.Decode(&n); errors.Is(err, io.EOF) {
			return roots, nil
		} else if err != nil {
			return nil, err
		}
		if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
			roots = append(roots, n.Content[0])
		}
	}
}

// withoutSurrogates replaces surrogates by the mark of an unknown character, and keeps all places.
func withoutSurrogates(doc []byte) []byte {
	doc = bytes.Clone(doc)
	for i := 0; i+6 <= len(doc); i++ {
		if doc[i] != '\\' {
			continue
		}
		if doc[i+1] == 'u' && (doc[i+2] == 'd' || doc[i+2] == 'D') && strings.IndexByte("89abcdefABCDEF", doc[i+3]) >= 0 {
			copy(doc[i+2:], "fffd")
		}
		i++
	}
	return doc
}

// broken notes a document that does not parse.
func (r *reader) broken(doc []byte, line int, kind string, err error) {
	if bytes.Contains(doc, []byte("{{")) {
		r.file.template = true
		return
	}
	at := evidence.Origin{File: r.file.name, Line: line + 1}
	text := err.Error()
	var load *yaml.LoadError
	if errors.As(err, &load) {
		at.Line, at.Col = line+max(load.Mark.Line, 1), load.Mark.Column
		text = load.Message
	}
	text = fmt.Sprintf("line %d: %s", at.Line, text)
	if kind != "" {
		text += " (in a " + kind + ")"
	}
	r.bad(at, text)
}

// bad adds a gap for input that ought to have been read.
func (r *reader) bad(at evidence.Origin, text string) {
	r.file.gaps = append(r.file.gaps, evidence.Gap{
		In: targetOf(r.file.folder()), Asked: "the file " + r.file.name, Why: evidence.Failed, Err: text, At: at, Bad: true,
	})
}

// shift moves a document to its place in the file.
func shift(n *yaml.Node, lines int) {
	if lines == 0 {
		return
	}
	n.Line += lines
	for _, c := range n.Content {
		shift(c, lines)
	}
}

func (r *reader) origin(n *yaml.Node) evidence.Origin {
	return evidence.Origin{File: r.file.name, Line: n.Line, Col: n.Column}
}

// A field is a place in a document where something may be written. A field without a node is absent; its place is then
// the nearest that is written above it.
type field struct {
	n  *yaml.Node
	at evidence.Origin
	r  *reader
}

// node follows aliases. It is nil for what is absent or null.
func (f field) node() *yaml.Node {
	n := f.n
	for hops := 0; n != nil && n.Kind == yaml.AliasNode; hops++ {
		if !f.r.spend() || hops > maxDepth {
			return nil
		}
		n = n.Alias
	}
	if n == nil || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return nil
	}
	return n
}

func (r *reader) spend() bool {
	if r.aliases--; r.aliases < 0 {
		r.err = errTooMuch
		return false
	}
	return true
}

func (f field) present() bool { return f.node() != nil }

// get goes down a path of keys. Of a key that is written twice, the last counts, as for the API server.
func (f field) get(keys ...string) field {
	for _, key := range keys {
		f = f.child(key, 0)
	}
	return f
}

func (f field) child(key string, depth int) field {
	absent := field{at: f.at, r: f.r}
	n := f.node()
	if n == nil || n.Kind != yaml.MappingNode || depth > 20 {
		return absent
	}
	for i := len(n.Content) - 2; i >= 0; i -= 2 {
		if n.Content[i].Value == key && n.Content[i].Kind == yaml.ScalarNode {
			return f.of(n.Content[i], n.Content[i+1])
		}
	}
	for _, merged := range f.merged(n) {
		if !f.r.spend() {
			return absent
		}
		if c := merged.child(key, depth+1); c.n != nil {
			return c
		}
	}
	return absent
}

// of returns the field of a key. A value of several lines stands where its key does.
func (f field) of(key, value *yaml.Node) field {
	at := f.r.origin(key)
	if value.Kind == yaml.ScalarNode {
		at = f.r.origin(value)
	}
	return field{n: value, at: at, r: f.r}
}

// merged returns what a mapping takes in with "<<", first the one that counts first.
func (f field) merged(n *yaml.Node) []field {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != "<<" || n.Content[i].Kind != yaml.ScalarNode {
			continue
		}
		v := f.of(n.Content[i], n.Content[i+1])
		if t := v.node(); t != nil && t.Kind == yaml.SequenceNode {
			return v.items()
		}
		return []field{v}
	}
	return nil
}

// items returns the elements of a sequence.
func (f field) items() []field {
	n := f.node()
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	fields := make([]field, len(n.Content))
	for i, c := range n.Content {
		fields[i] = field{n: c, at: f.r.origin(c), r: f.r}
	}
	return fields
}

// each calls use for every key of a mapping, merged ones first, so that the mapping's own come last and count.
func (f field) each(use func(key string, value field)) { f.eachKey(use, 0) }

func (f field) eachKey(use func(key string, value field), depth int) {
	n := f.node()
	if n == nil || n.Kind != yaml.MappingNode || depth > 20 || !f.r.spendMerged(depth, len(n.Content)) {
		return
	}
	for _, merged := range slices.Backward(f.merged(n)) {
		merged.eachKey(use, depth+1)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; key.Kind == yaml.ScalarNode && key.Value != "<<" {
			use(key.Value, f.of(key, n.Content[i+1]))
		}
	}
}

func (r *reader) spendMerged(depth, nodes int) bool {
	if depth == 0 {
		return true
	}
	r.aliases -= nodes
	return r.spend()
}

// text returns a scalar as written, "" where there is none.
func (f field) text() string {
	if n := f.node(); n != nil && n.Kind == yaml.ScalarNode {
		return n.Value
	}
	return ""
}

// value returns a scalar as a fact, the zero Value where it is absent.
func (f field) value() evidence.Value[string] {
	n := f.node()
	switch {
	case n == nil:
		return evidence.Value[string]{}
	case n.Kind != yaml.ScalarNode:
		return evidence.Unknown[string](evidence.Failed, f.at)
	}
	return evidence.Known(n.Value, f.at)
}

// number returns a whole number as a fact, the zero Value where it is absent.
func (f field) number() evidence.Value[int64] { return number(f.value()) }

func number(v evidence.Value[string]) evidence.Value[int64] {
	text, known := v.Get()
	if v.IsZero() {
		return evidence.Value[int64]{}
	}
	if !known {
		return evidence.Unknown[int64](v.Why(), v.At())
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(strings.TrimSpace(text), "_", ""), 10, 64)
	if err != nil {
		return evidence.Unknown[int64](unreadable(text), v.At())
	}
	return evidence.Known(n, v.At())
}

// boolean returns a yes or no as a fact, the zero Value where it is absent.
func (f field) boolean() evidence.Value[bool] {
	v := f.value()
	text, known := v.Get()
	switch {
	case v.IsZero():
		return evidence.Value[bool]{}
	case !known:
		return evidence.Unknown[bool](v.Why(), v.At())
	}
	switch text {
	case "true", "True", "TRUE":
		return evidence.Known(true, f.at)
	case "false", "False", "FALSE":
		return evidence.Known(false, f.at)
	}
	return evidence.Unknown[bool](unreadable(text), f.at)
}

// unreadable says why a value that ought to be a number or a yes or no is none.
func unreadable(text string) evidence.Reason {
	if isPlaceholder(text) {
		return evidence.Unresolved
	}
	return evidence.Failed
}

// isPlaceholder reports whether something is still to be put in: "${X}", "$(X)", "<X>", "{{ X }}", "__X__".
func isPlaceholder(text string) bool {
	return strings.Contains(text, "${") || strings.Contains(text, "$(") || strings.Contains(text, "{{") ||
		strings.HasPrefix(text, "<") || strings.HasPrefix(text, "__") || strings.HasPrefix(text, "%")
}

// fingerprint returns a hash of what the fields say, whatever their places, comments and order of keys.
func (r *reader) fingerprint(fields ...field) string {
	h := sha256.New()
	for _, f := range fields {
		r.hash(h, f.n, 0)
	}
	return string(h.Sum(nil))
}

func (r *reader) hash(h hash.Hash, n *yaml.Node, depth int) {
	if depth > maxDepth {
		r.err = errTooMuch
	}
	if n == nil || r.err != nil {
		return
	}
	switch n.Kind {
	case yaml.AliasNode:
		if r.spend() {
			// What lies behind it is charged in full, for the same node may lie behind many aliases.
			r.aliases -= size(n.Alias, maxAliases)
			r.hash(h, n.Alias, depth+1)
		}
	case yaml.MappingNode:
		keys := make([]int, 0, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			keys = append(keys, i)
		}
		slices.SortStableFunc(keys, func(a, b int) int { return strings.Compare(n.Content[a].Value, n.Content[b].Value) })
		fmt.Fprintf(h, "{%d", len(keys))
		for _, i := range keys {
			r.hash(h, n.Content[i], depth+1)
			r.hash(h, n.Content[i+1], depth+1)
		}
	case yaml.SequenceNode:
		fmt.Fprintf(h, "[%d", len(n.Content))
		for _, c := range n.Content {
			r.hash(h, c, depth+1)
		}
	default:
		fmt.Fprintf(h, "s%d:%s", len(n.Value), n.Value)
	}
}

// size counts the nodes of a tree without following aliases, up to a limit.
func size(n *yaml.Node, limit int) int {
	count := 1
	for _, c := range n.Content {
		if count >= limit {
			break
		}
		count += size(c, limit-count)
	}
	return count
}
