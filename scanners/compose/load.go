package compose

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/override"
	composetree "github.com/compose-spec/compose-go/v2/tree"
	"go.yaml.in/yaml/v4"

	"lookback/evidence"
	"lookback/scanners/locate"
	"lookback/scanners/tree"
)

// Docker Compose's own loader reads include, extends and env files by itself, wherever they lead, and forgets where a
// key came from. So files are found, read and taken apart here, each key of a project becomes a stack of the layers
// that write it, and compose-go does what it must not do differently from Docker: it merges the layers of a stack, and
// decodes the result.

// Limits of one project.
const (
	maxIncludes = 500 // files, counted as often as they are included
	maxExtends  = 100 // services that extend one another in a row
	maxServices = 2_000
	maxWork     = 4_000_000 // see (*project).afford
)

// A layer is one place that writes a service, a volume, a config or a secret.
type layer struct {
	file      string
	key, node *yaml.Node
	vars      vars
	value     map[string]any // paths in it start from the project's folder
	resets    [][]string
	size      int  // nodes in value
	extended  bool // brought by "extends": another service's
}

// A stack is what all files of a project say about one thing, the file that yields to the others first.
type stack struct {
	layers []layer
	// lost says which keys could hold more than the layers do; "" is all of them.
	lost map[string]evidence.Value[bool]
}

func (s *stack) lose(key string, why evidence.Reason, at evidence.Origin) {
	if s.lost == nil {
		s.lost = map[string]evidence.Value[bool]{}
	}
	if _, lost := s.lost[key]; !lost {
		s.lost[key] = evidence.Unknown[bool](why, at)
	}
}

// over puts the layers of another stack upon those of s.
func (s *stack) over(o *stack) {
	s.layers = append(s.layers, o.layers...)
	for _, key := range slices.Sorted(maps.Keys(o.lost)) {
		s.lose(key, o.lost[key].Why(), o.lost[key].At())
	}
}

// missing returns why a key may hold more than is known.
func (s *stack) missing(key string) (evidence.Value[bool], bool) {
	if v, ok := s.lost[key]; ok {
		return v, true
	}
	v, ok := s.lost[""]
	return v, ok
}

// at returns where the path is written: in the last file that writes it. Where none does, it is the nearest thing above
// it that is written, and at last the key of the thing itself, where it first stands.
func (s *stack) at(path ...string) evidence.Origin {
	deepest := 0
	at := s.self()
	for i := len(s.layers) - 1; i >= 0; i-- {
		l := s.layers[i]
		place, value, found := locate.Find(l.node, path...)
		if found > deepest {
			deepest, at = found, locate.Origin(l.file, place)
		}
		// What is no mapping, or says so, goes before all of what the files below say.
		if found == len(path) || found > 0 && (value.Kind != yaml.MappingNode || value.Tag == "!override") {
			return at
		}
	}
	return at
}

// self returns where the thing itself is declared.
func (s *stack) self() evidence.Origin {
	for _, l := range s.layers {
		if !l.extended {
			return locate.Origin(l.file, l.key)
		}
	}
	return evidence.Origin{}
}

// item returns where the item of a list, or the key of a mapping, is written that is meant. Items are given with their
// variables replaced; an item that is a mapping is given by the named key of it.
func (s *stack) item(list, key string, meant func(string) bool) evidence.Origin {
	for i := len(s.layers) - 1; i >= 0; i-- {
		l := s.layers[i]
		_, n := locate.Child(l.node, list)
		if n == nil {
			continue
		}
		if n.Kind == yaml.MappingNode {
			if place, _ := locate.Child(n, key); place != nil {
				return locate.Origin(l.file, place)
			}
			continue
		}
		items := n.Content
		if n.Kind == yaml.ScalarNode {
			items = []*yaml.Node{n}
		}
		for _, item := range slices.Backward(items) {
			place := item
			if item = locate.Content(item); item.Kind == yaml.MappingNode {
				if _, item = locate.Child(item, key); item == nil {
					continue
				}
			}
			if s, err := l.vars.expand(clean(item.Value)); err == nil && meant(s) {
				return locate.Origin(l.file, place)
			}
		}
	}
	return s.at(list)
}

// merged returns what the layers of a stack make together. Kind is "services" or another key of the top level.
func (s *stack) merged(kind string) (map[string]any, error) {
	var out any = map[string]any{}
	for _, l := range s.layers {
		for _, reset := range l.resets {
			remove(out.(map[string]any), reset)
		}
		var err error
		if out, err = override.MergeYaml(out, clone(l.value), composetree.NewPath(kind, "x")); err != nil {
			return nil, err
		}
	}
	unique, err := override.EnforceUnicity(map[string]any{kind: map[string]any{"x": out}})
	if err != nil {
		return nil, err
	}
	return unique[kind].(map[string]any)["x"].(map[string]any), nil
}

func remove(from map[string]any, path []string) {
	for len(path) > 1 {
		next, ok := from[path[0]].(map[string]any)
		if !ok {
			return
		}
		from, path = next, path[1:]
	}
	if len(path) == 1 {
		delete(from, path[0])
	}
}

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, v := range v {
			out[key] = clone(v)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, v := range v {
			out[i] = clone(v)
		}
		return out
	}
	return v
}

// decode puts a merged mapping into one of compose-go's types.
func decode(m map[string]any, into any) error { return loader.Transform(m, into) }

// A model is what one or more Compose files say.
type model struct {
	services, volumes, configs, secrets map[string]*stack
	order                               []string // of the services, as they are written
}

func newModel() *model {
	return &model{map[string]*stack{}, map[string]*stack{}, map[string]*stack{}, map[string]*stack{}, nil}
}

func (m *model) over(o *model) {
	for _, name := range o.order {
		if m.services[name] == nil {
			m.services[name] = &stack{}
			m.order = append(m.order, name)
		}
		m.services[name].over(o.services[name])
	}
	for _, kind := range [][2]map[string]*stack{{m.volumes, o.volumes}, {m.configs, o.configs}, {m.secrets, o.secrets}} {
		for _, name := range slices.Sorted(maps.Keys(kind[1])) {
			if kind[0][name] == nil {
				kind[0][name] = &stack{}
			}
			kind[0][name].over(kind[1][name])
		}
	}
}

// A loading makes the model of one project.
type loading struct {
	scan   *scan
	target evidence.ID
	dir    string // the project's folder, from the tree's root
	vars   vars   // of the project
	shapes map[string]shape
	left   *budget
	files  int
	scopes map[string]scope
}

// A scope is the services of one file as they stand there, before they are extended.
type scope struct {
	file     string
	services map[string]*stack
	err      error
}

var errRemote = errors.New("read from another machine when the project starts")

// remote matches what Docker Compose fetches from elsewhere.
var remote = regexp.MustCompile(`^([a-z0-9+.\-]+://|git@|github\.com/)`)

// resolve returns the name, from the tree's root, of a file that is written in a folder.
func resolve(dir, p string) (string, error) {
	switch {
	case !resolved(p):
		return "", fmt.Errorf("%w: %s", errUnresolved, written(p))
	case remote.MatchString(p):
		return "", errRemote
	case absolute(p):
		return "", tree.ErrLeadsOut
	}
	name := path.Join(dir, strings.ReplaceAll(p, `\`, "/"))
	if !fs.ValidPath(name) {
		return "", tree.ErrLeadsOut
	}
	return name, nil
}

var errUnresolved = errors.New("its name holds a variable without a value")

// absolute reports whether a path names a place of the machine, not one beside the file.
func absolute(p string) bool {
	return strings.HasPrefix(p, "/") || strings.HasPrefix(p, "~") || strings.HasPrefix(p, `\`) ||
		len(p) > 1 && p[1] == ':' && (p[0]|0x20 >= 'a' && p[0]|0x20 <= 'z')
}

// gap reports what could not be read. Bad is for what the project cannot start without.
func (l *loading) gap(asked string, at evidence.Origin, err error, bad bool) evidence.Reason {
	why := evidence.Failed
	switch {
	case errors.Is(err, errUnresolved):
		why, bad = evidence.Unresolved, false
	case errors.Is(err, errRemote):
		why, bad = evidence.Elsewhere, false
	case !bad:
		why = evidence.Elsewhere
	}
	msg := err.Error()
	if at.Line > 0 && !strings.HasPrefix(msg, "line ") {
		msg = fmt.Sprintf("line %d: %s", at.Line, msg)
	}
	l.scan.gap(evidence.Gap{In: l.target, Asked: asked, Why: why, Err: msg, At: at, Bad: bad})
	return why
}

// load returns the model of some files that are used together, each upon the one before. Paths in them start from dir;
// within lists the files that include them.
func (l *loading) load(names []string, dir string, v vars, within []string) *model {
	m := newModel()
	for _, name := range names {
		f := l.scan.file(name)
		if f.err != nil {
			l.scan.gap(evidence.Gap{In: l.target, Asked: "the file " + f.name, Why: evidence.Failed, Err: f.err.Error(), At: f.at(), Bad: true})
			continue
		}
		for _, doc := range f.docs {
			m.over(l.document(f, doc, dir, v, within))
		}
	}
	return m
}

func (l *loading) document(f *file, doc *yaml.Node, dir string, v vars, within []string) *model {
	m := l.included(f, doc, dir, v, within)
	own := l.things(f, doc, dir, v)
	m.over(own)
	// A service may extend one that an included file brings.
	here := scope{file: f.name, services: maps.Clone(m.services)}
	for _, name := range own.order {
		base, err := l.extended(here, name, dir, nil)
		if err != nil {
			at := own.services[name].at("extends")
			l.gap(fmt.Sprintf("what service %q extends", name), at, err, true)
		}
		if base != nil {
			base.over(m.services[name])
			m.services[name] = base
		}
	}
	return m
}

// included returns the model of what a document includes.
func (l *loading) included(f *file, doc *yaml.Node, dir string, v vars, within []string) *model {
	m := newModel()
	_, list := locate.Child(doc, "include")
	if list == nil {
		return m
	}
	d := l.decoder(f, v)
	value, err := d.value(list, nil)
	at := locate.Origin(f.name, list)
	items, ok := value.([]any)
	if err == nil && !ok {
		err = errors.New("include is not a list")
	}
	if err != nil {
		l.gap("what is included", at, err, true)
		return m
	}
	for i, item := range items {
		at := locate.At(f.name, list, fmt.Sprint(i))
		inc, err := includeOf(item)
		if err != nil {
			l.gap("what is included", at, err, true)
			continue
		}
		m.over(l.include(inc, at, dir, v, append(slices.Clone(within), f.name)))
	}
	return m
}

// An include is one entry of "include:".
type include struct {
	paths, envFiles []string
	dir             string
}

func includeOf(item any) (include, error) {
	if s, ok := item.(string); ok {
		return include{paths: []string{s}}, nil
	}
	v, err := fields(map[string]shape{"path": texts, "env_file": texts, "project_directory": text1})(item)
	if err != nil {
		return include{}, fmt.Errorf("an entry of include is %w", err)
	}
	var inc include
	m := v.(map[string]any)
	inc.paths, inc.envFiles = strs(m["path"]), strs(m["env_file"])
	inc.dir, _ = m["project_directory"].(string)
	if len(inc.paths) == 0 {
		return include{}, errors.New("an entry of include without a path")
	}
	return inc, nil
}

func strs(v any) []string {
	items, _ := v.([]any)
	var out []string
	for _, item := range items {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func (l *loading) include(inc include, at evidence.Origin, dir string, v vars, within []string) *model {
	var names []string
	for _, p := range inc.paths {
		asked := fmt.Sprintf("the included file %q", written(p))
		name, err := resolve(dir, p)
		if err == nil && slices.Contains(within, name) {
			err = errors.New("the files include each other")
		}
		if l.files++; err == nil && l.files > maxIncludes {
			err = fmt.Errorf("more than %d files are included", maxIncludes)
		}
		if err == nil {
			err = l.scan.file(name).readErr()
		}
		if err != nil {
			l.gap(asked, at, err, true)
			continue
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return newModel()
	}
	from := path.Dir(names[0])
	if inc.dir != "" {
		if p, err := resolve(dir, inc.dir); err == nil {
			from = p
		}
	}
	env := maps.Clone(v)
	if env == nil {
		env = vars{}
	}
	files := []string{path.Join(from, ".env")}
	if len(inc.envFiles) > 0 {
		files = nil
	}
	for _, p := range inc.envFiles {
		name, err := resolve(dir, p)
		if p != "/dev/null" && err != nil {
			l.gap(fmt.Sprintf("the env file %q", written(p)), at, err, true)
		} else if err == nil {
			files = append(files, name)
		}
	}
	for _, name := range files {
		own, err := l.scan.env(name, v)
		if err != nil && (len(inc.envFiles) > 0 || !errors.Is(err, fs.ErrNotExist)) {
			l.gap(fmt.Sprintf("the env file %q", name), at, err, !errors.Is(err, fs.ErrNotExist))
		}
		for key, value := range own {
			if _, set := v[key]; !set {
				env[key] = value // the project's own go before
			}
		}
	}
	return l.load(names, from, env, within)
}

func (l *loading) decoder(f *file, v vars) *decoder {
	return &decoder{vars: v, left: l.left, bad: func(n *yaml.Node, err error) {
		l.gap("the file "+f.name, locate.Origin(f.name, n), err, true)
	}}
}

// things returns what a document itself says.
func (l *loading) things(f *file, doc *yaml.Node, dir string, v vars) *model {
	m := newModel()
	for _, of := range []struct {
		kind   string
		into   map[string]*stack
		shapes map[string]shape
	}{{"services", m.services, l.shapes}, {"volumes", m.volumes, volumeShapes()}, {"configs", m.configs, fileShapes()}, {"secrets", m.secrets, fileShapes()}} {
		kind, into := of.kind, of.into
		place, all := locate.Child(doc, kind)
		if all == nil || all.Kind == yaml.ScalarNode && all.ShortTag() == "!!null" {
			continue
		}
		if all.Kind != yaml.MappingNode {
			l.gap("the file "+f.name, locate.Origin(f.name, place), fmt.Errorf("%s is not a mapping", kind), true)
			continue
		}
		for _, e := range entries(all) {
			key, node := e[0], e[1]
			name := clean(locate.Content(key).Value)
			if l.left.nodes <= 0 || len(into) == maxServices {
				err := errNodes
				if l.left.nodes > 0 {
					err = fmt.Errorf("more than %d %s in one file", maxServices, kind)
				}
				l.gap("the file "+f.name, locate.Origin(f.name, key), err, true)
				break
			}
			if !validName.MatchString(name) {
				l.gap("the file "+f.name, locate.Origin(f.name, key), fmt.Errorf("%.80q is no name that Docker Compose takes", name), true)
				continue
			}
			if into[name] != nil {
				continue
			}
			if st := l.thing(f, key, node, kind, of.shapes, dir, v); st != nil {
				into[name] = st
				if kind == "services" {
					m.order = append(m.order, name)
				}
			}
		}
	}
	return m
}

// entries returns the keys of a mapping, each with its value, also those that merge keys bring.
func entries(n *yaml.Node) [][2]*yaml.Node {
	var out [][2]*yaml.Node
	seen := map[*yaml.Node]bool{}
	var add func(n *yaml.Node)
	add = func(n *yaml.Node) {
		if seen[n] || n.Kind != yaml.MappingNode {
			return
		}
		seen[n] = true
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !locate.IsMerge(n.Content[i]) {
				out = append(out, [2]*yaml.Node{n.Content[i], locate.Content(n.Content[i+1])})
			}
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if locate.IsMerge(n.Content[i]) {
				for _, from := range locate.Merged(n.Content[i+1]) {
					add(from)
				}
			}
		}
	}
	add(n)
	return out
}

var validName = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)

// thing returns the stack of one layer of a service, volume, config or secret; nil where it is not there at all.
func (l *loading) thing(f *file, key, node *yaml.Node, kind string, shapes map[string]shape, dir string, v vars) *stack {
	st := &stack{layers: []layer{{file: f.name, key: key, node: node, vars: v, value: map[string]any{}}}}
	at := locate.Origin(f.name, key)
	asked := fmt.Sprintf("%s %q", strings.TrimSuffix(kind, "s"), key.Value)
	if node.Kind != yaml.MappingNode {
		if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" && kind != "services" {
			return st
		}
		l.gap(asked, at, errors.New("not a mapping"), true)
		return nil
	}
	d := l.decoder(f, v)
	value := st.layers[0].value
	before := l.left.nodes
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		place, child := locate.Child(node, name)
		if child == nil {
			continue
		}
		v, err := d.value(child, []string{name})
		if err == nil && v != nil {
			v, err = shapes[name](v)
		}
		if err != nil {
			at := locate.Origin(f.name, place)
			l.gap(asked+", "+name, at, err, true)
			st.lose(name, evidence.Failed, at)
			continue
		}
		if v != nil {
			value[name] = v
		}
	}
	st.layers[0].resets, st.layers[0].size = d.resets, before-l.left.nodes
	l.rebase(value, kind, dir)
	return st
}

// rebase makes paths that start from one folder start from the project's.
func (l *loading) rebase(value map[string]any, kind, dir string) {
	if dir == l.dir {
		return
	}
	move := func(p string) string {
		if p == "" || absolute(p) || remote.MatchString(p) || !resolved(p) && !strings.HasPrefix(p, ".") {
			return p
		}
		return relative(l.dir, path.Join(dir, p))
	}
	in := func(v any, key string) {
		if m, ok := v.(map[string]any); ok {
			if s, ok := m[key].(string); ok {
				m[key] = move(s)
			}
		}
	}
	if kind != "services" {
		in(value, "file")
		return
	}
	in(value["build"], "context")
	if b, ok := value["build"].(map[string]any); ok && b["context"] == nil {
		b["context"] = move(".")
	}
	for _, key := range []string{"env_file", "label_file"} {
		items, _ := value[key].([]any)
		for i, item := range items {
			in(item, "path")
			if s, ok := item.(string); ok {
				items[i] = move(s)
			}
		}
	}
	items, _ := value["volumes"].([]any)
	for i, item := range items {
		if m, ok := item.(map[string]any); ok && m["type"] == "bind" {
			in(item, "source")
		}
		if s, ok := item.(string); ok && strings.HasPrefix(s, ".") {
			if source, rest, found := strings.Cut(s, ":"); found {
				items[i] = move(source) + ":" + rest
			}
		}
	}
}

// relative returns the path from one folder to a place, both from the tree's root, as Compose files write it.
func relative(from, to string) string {
	var up []string
	for from != "." && to != from && !strings.HasPrefix(to, from+"/") {
		if from == ".." || strings.HasSuffix(from, "/..") {
			return to
		}
		up = append(up, "..")
		from = path.Dir(from)
	}
	rest := strings.TrimPrefix(strings.TrimPrefix(to, from), "/")
	if from == "." {
		rest = to
	}
	p := path.Join(append(up, rest)...)
	if len(up) == 0 && !strings.HasPrefix(p, "..") {
		return "./" + p
	}
	return p
}

// extended returns the layers that "extends" puts under a service, nil where there are none.
func (l *loading) extended(from scope, name, dir string, via []string) (*stack, error) {
	st := from.services[name]
	if st == nil {
		return nil, fmt.Errorf("there is no service %q in %s", name, from.file)
	}
	ref := from.file + "//" + name
	if slices.Contains(via, ref) {
		return nil, errors.New("services extend each other in a circle")
	}
	if via = append(slices.Clone(via), ref); len(via) > maxExtends {
		return nil, fmt.Errorf("more than %d services extend each other", maxExtends)
	}
	// What an included file or another document brings has been extended there.
	top := st.layers[len(st.layers)-1]
	ext, ok := top.value["extends"].(map[string]any)
	if !ok {
		return nil, nil
	}
	out := &stack{}
	fail := func(err error) (*stack, error) {
		why := evidence.Failed
		if errors.Is(err, errUnresolved) {
			why = evidence.Unresolved
		} else if errors.Is(err, errRemote) {
			why = evidence.Elsewhere
		}
		place, _, _ := locate.Find(top.node, "extends")
		out.lose("", why, locate.Origin(top.file, place))
		return out, err
	}
	base := from
	if p, ok := ext["file"].(string); ok {
		file, err := resolve(dir, p)
		if err != nil {
			return fail(fmt.Errorf("%q: %w", written(p), err))
		}
		if base = l.scope(file); base.err != nil {
			return fail(fmt.Errorf("%q: %w", written(p), base.err))
		}
		dir = path.Dir(file)
	}
	service, _ := ext["service"].(string)
	if !resolved(service) {
		return fail(errUnresolved)
	}
	under, err := l.extended(base, service, dir, via)
	if under != nil {
		out.over(under)
	}
	if b := base.services[service]; b != nil && (err == nil || under != nil) {
		out.over(b)
	}
	out.layers = slices.Clone(out.layers)
	for i := range out.layers {
		out.layers[i].extended = true
	}
	if err != nil {
		return fail(err)
	}
	return out, nil
}

// scope returns the services of a file that another one extends. What that file includes is not seen, as in Docker
// Compose.
func (l *loading) scope(name string) scope {
	if s, ok := l.scopes[name]; ok {
		return s
	}
	s := scope{file: name, services: map[string]*stack{}}
	f := l.scan.file(name)
	if s.err = f.readErr(); s.err == nil {
		for _, doc := range f.docs {
			for service, st := range l.things(f, doc, path.Dir(name), l.vars).services {
				if s.services[service] == nil {
					s.services[service] = &stack{}
				}
				s.services[service].over(st)
			}
		}
	}
	l.scopes[name] = s
	return s
}

// readErr returns why the file cannot be used, for a sentence about who asked for it.
func (f *file) readErr() error {
	if f.err != nil && f.at().Line > 0 {
		return fmt.Errorf("its %w", f.err)
	}
	return f.err
}
