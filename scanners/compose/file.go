package compose

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"lookback/evidence"
	"lookback/scanners/locate"
	"lookback/scanners/tree"
)

// Limits of one file.
const (
	maxFile    = 4 << 20 // bytes; the largest of public repositories stay under a tenth of it
	maxDepth   = 100     // of the nodes of a value
	maxAliased = 100_000 // nodes that are reached through aliases, in one project
	maxNodes   = 2 << 20 // nodes in all, in one project
	maxEntries = 1_000   // of a list or a mapping in a service
)

// A file is one Compose file, parsed: its documents, each a mapping, or why it cannot be read.
type file struct {
	name string
	docs []*yaml.Node
	err  error
}

// topLevel lists the keys of a Compose file, beside "x-...".
var topLevel = []string{"version", "name", "include", "services", "jobs", "networks", "volumes", "configs", "secrets", "models"}

// composeName matches the names by which Docker Compose, and those who write for it, call their files.
var composeName = regexp.MustCompile(`(?i)^(docker-)?compose([.\-_].*)?\.ya?ml$`)

// offered returns the file when it is a Compose file: by its name, or because services with an image or a build stand
// in it and nothing that Compose does not know.
func offered(name string, content []byte, err error) *file {
	named := composeName.MatchString(path.Base(name))
	if !named && (err != nil || len(content) > maxFile || !mayHoldServices(name, content)) {
		return nil
	}
	f := parse(name, content, err)
	if f.err != nil {
		if named {
			return f
		}
		return nil
	}
	if slices.ContainsFunc(f.docs, func(doc *yaml.Node) bool { return has(doc, "apiVersion") && has(doc, "kind") }) {
		return nil
	}
	if named && !old(f) {
		return f
	}
	if named {
		f.err = errors.New(`line 1: services stand at the top level, a format that Docker Compose no longer reads; move them under "services:"`)
		return f
	}
	if len(f.docs) == 0 || !slices.ContainsFunc(f.docs, hasContainers) {
		return nil
	}
	for _, doc := range f.docs {
		for i := 0; i < len(doc.Content); i += 2 {
			if key := doc.Content[i].Value; !slices.Contains(topLevel, key) && !strings.HasPrefix(key, "x-") {
				return nil
			}
		}
	}
	return f
}

// mayHoldServices is a cheap look at what is worth parsing.
func mayHoldServices(name string, content []byte) bool {
	if start := bytes.TrimLeft(content, " \t\r\n\ufeff"); path.Ext(name) == ".json" || bytes.HasPrefix(start, []byte("{")) {
		return bytes.HasPrefix(start, []byte("{")) && bytes.Contains(content, []byte("services"))
	}
	for from := 0; ; {
		i := bytes.Index(content[from:], []byte("services"))
		if i < 0 {
			return false
		}
		at := from + i
		from = at + len("services")
		rest := bytes.TrimLeft(content[from:], `"' `)
		start := bytes.LastIndexByte(content[:at], '\n') + 1
		if bytes.HasPrefix(rest, []byte(":")) && len(bytes.Trim(content[start:at], "\"'\ufeff")) == 0 {
			return true
		}
	}
}

// hasContainers reports whether a document has a service with an image or a build.
func hasContainers(doc *yaml.Node) bool {
	_, services := locate.Child(doc, "services")
	if services == nil || services.Kind != yaml.MappingNode {
		return false
	}
	for i := 1; i < len(services.Content); i += 2 {
		if has(services.Content[i], "image") || has(services.Content[i], "build") {
			return true
		}
	}
	return false
}

// old reports whether a file is of the format without "services:".
func old(f *file) bool {
	for _, doc := range f.docs {
		if has(doc, "services") || has(doc, "include") {
			return false
		}
		for i := 0; i+1 < len(doc.Content); i += 2 {
			if key := doc.Content[i].Value; !slices.Contains(topLevel, key) && !strings.HasPrefix(key, "x-") &&
				(has(doc.Content[i+1], "image") || has(doc.Content[i+1], "build")) {
				return true
			}
		}
	}
	return false
}

func has(n *yaml.Node, key string) bool {
	_, value := locate.Child(n, key)
	return value != nil
}

// parse returns the file with what is in it.
func parse(name string, content []byte, err error) *file {
	f := &file{name: name, err: err}
	switch {
	case err != nil:
		return f
	case len(content) > maxFile:
		f.err = &tree.TooLargeError{Size: int64(len(content)), Limit: maxFile}
		return f
	case tree.Binary(content):
		f.err = errors.New("not a text")
		return f
	}
	dec := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return f
		}
		if err != nil {
			f.err = yamlError(err)
			return f
		}
		top := locate.Content(&doc)
		switch {
		case top == nil || top.Kind == yaml.ScalarNode && top.ShortTag() == "!!null":
		case top.Kind != yaml.MappingNode:
			f.err = fmt.Errorf("line %d: not a mapping", top.Line)
			return f
		default:
			if f.err = twice(top, 4); f.err != nil {
				return f
			}
			f.docs = append(f.docs, top)
		}
	}
}

// parserAt is where the YAML parser says that it stopped: "... at L2.C3-L4.C4: did not find expected key".
var parserAt = regexp.MustCompile(`(?s)^.* at (?:L\d+\.C\d+-)?L(\d+)\.C\d+: (.*)$`)

// twice returns an error for a key that a mapping holds twice, which Compose refuses: in the file, and in what lies up to
// depth mappings below it.
func twice(n *yaml.Node, depth int) error {
	if n.Kind != yaml.MappingNode || depth == 0 {
		return nil
	}
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind == yaml.ScalarNode && !locate.IsMerge(key) && seen[key.Value] {
			return fmt.Errorf("line %d: the key %q is there twice", key.Line, clean(key.Value))
		}
		seen[key.Value] = true
		if err := twice(n.Content[i+1], depth-1); err != nil {
			return err
		}
	}
	return nil
}

// yamlError returns what the parser said, as "line 4: ...".
func yamlError(err error) error {
	msg := clean(strings.TrimPrefix(err.Error(), "yaml: "))
	if m := parserAt.FindStringSubmatch(msg); m != nil {
		msg = "line " + m[1] + ": " + m[2]
	}
	return errors.New(msg)
}

var errLine = regexp.MustCompile(`^line (\d+)`)

// at returns where the file's error is.
func (f *file) at() evidence.Origin {
	o := evidence.Origin{File: f.name}
	if f.err == nil {
		return o
	}
	if found := errLine.FindAllStringSubmatch(f.err.Error(), -1); found != nil {
		o.Line, _ = strconv.Atoi(found[len(found)-1][1])
	}
	return o
}

// A decoder turns nodes of one file into plain values: mappings, lists, texts and nil. Every scalar is a text, as it is
// written, with its variables replaced.
type decoder struct {
	vars    vars
	left    *budget
	inAlias int
	// resets are the paths of what "!reset" and "!override" take away from the files below.
	resets [][]string
	bad    func(n *yaml.Node, err error)
}

// A budget is what a project may still take.
type budget struct {
	aliased, nodes int
	work           int // see (*project).afford
}

var errNodes = fmt.Errorf("more than %d values in one project", maxNodes)

var errAliases = fmt.Errorf("aliases stand for more than %d nodes", maxAliased)

func (d *decoder) value(n *yaml.Node, at []string) (any, error) {
	if len(at) > maxDepth {
		return nil, fmt.Errorf("nested more than %d deep", maxDepth)
	}
	if n.Kind == yaml.AliasNode {
		d.inAlias++
		defer func() { d.inAlias-- }()
		n = locate.Content(n)
	}
	if err := d.spend(); err != nil {
		return nil, err
	}
	switch n.Tag {
	case "!reset":
		d.reset(at)
		return nil, nil
	case "!override":
		d.reset(at)
	}
	switch n.Kind {
	case yaml.MappingNode:
		out := make(map[string]any, min(len(n.Content)/2, maxEntries))
		return out, d.fill(out, n, at)
	case yaml.SequenceNode:
		out := make([]any, 0, min(len(n.Content), maxEntries))
		for _, item := range n.Content {
			v, err := d.value(item, append(at, "[]"))
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	case yaml.ScalarNode:
		if n.ShortTag() == "!!null" {
			return nil, nil
		}
		s, err := d.vars.expand(clean(n.Value))
		if err != nil {
			d.bad(n, err)
			s = unresolved(clean(n.Value))
		}
		return s, nil
	}
	return nil, nil
}

// spend counts a node.
func (d *decoder) spend() error {
	if d.left.nodes--; d.left.nodes < 0 {
		return errNodes
	}
	if d.inAlias > 0 {
		if d.left.aliased--; d.left.aliased < 0 {
			return errAliases
		}
	}
	return nil
}

func (d *decoder) reset(at []string) {
	d.resets = append(d.resets, slices.DeleteFunc(slices.Clone(at), func(name string) bool { return name == "<<" }))
}

// fill puts what a mapping holds into out, where that does not hold it yet.
func (d *decoder) fill(out map[string]any, n *yaml.Node, at []string) error {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if locate.IsMerge(key) {
			continue
		}
		name := clean(locate.Content(key).Value)
		if _, done := out[name]; done {
			continue
		}
		v, err := d.value(n.Content[i+1], append(at, name))
		if err != nil {
			return err
		}
		if value := locate.Content(n.Content[i+1]); v != nil || value.Tag != "!reset" {
			out[name] = v
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !locate.IsMerge(n.Content[i]) {
			continue
		}
		d.inAlias++
		for _, from := range locate.Merged(n.Content[i+1]) {
			err := d.spend()
			if err == nil && len(at) > maxDepth {
				err = errAliases
			}
			if err == nil {
				err = d.fill(out, from, append(at, "<<"))
			}
			if err != nil {
				d.inAlias--
				return err
			}
		}
		d.inAlias--
	}
	return nil
}
