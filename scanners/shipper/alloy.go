package shipper

import (
	"fmt"
	"strings"
)

// A block is "name "label" { ... }" of an Alloy configuration.
type block struct {
	name, label string
	attrs       map[string]expr
	inner       []*block
	line        int
}

// maxString is where a sum of strings is cut: no path and no address is as long.
const maxString = 4 << 10

// An expr is what we need of an expression: its texts, and the components that it names.
type expr struct {
	texts []string
	pairs map[string][]string // the texts that stand behind a key in an object
	refs  []string            // "loki.write.default.receiver"
	line  int
}

// readAlloy reads https://grafana.com/docs/alloy/latest/get-started/configuration-syntax/
func readAlloy(r *reading) error {
	a := &alloy{reading: r, g: newGraph(), blocks: map[string]*block{}}
	err := r.roots(func(f File) error {
		toks, err := lex(string(f.Text), "//", "_.")
		if err != nil {
			return err
		}
		a.cur = cursor{toks: toks}
		list, err := a.body(0)
		if err != nil {
			return err
		}
		if a.cur.more() {
			return fmt.Errorf("line %d: a brace closes nothing", a.cur.peek().line)
		}
		for _, b := range list {
			if strings.HasPrefix(b.name, "import.") || b.name == "declare" || b.name == "remotecfg" {
				r.cfg.Open = true
			}
			a.all = append(a.all, b)
			a.files = append(a.files, f.Name)
			a.blocks[b.id()] = b
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.settle()
}

func (b *block) id() string {
	if b.label == "" {
		return b.name
	}
	return b.name + "." + b.label
}

type alloy struct {
	*reading
	cur    cursor
	g      *graph
	all    []*block
	files  []string
	blocks map[string]*block
	count  int
}

// body reads blocks and attributes up to a closing brace or the end. Attributes of the top are dropped.
func (a *alloy) body(depth int) ([]*block, error) {
	top := &block{attrs: map[string]expr{}}
	if err := a.into(top, depth); err != nil {
		return nil, err
	}
	return top.inner, nil
}

func (a *alloy) into(b *block, depth int) error {
	if depth > maxDepth {
		return ErrTooLarge
	}
	for a.cur.more() && !a.cur.peek().is("}") {
		name := a.cur.next()
		if name.quoted || !word(name.text[0]) {
			return fmt.Errorf("line %d: %.40q where a name belongs", name.line, name.text)
		}
		if a.cur.accept("=") {
			e, err := a.expr(name.line)
			if err != nil {
				return err
			}
			b.attrs[name.text] = e
			continue
		}
		if a.count++; a.count > 8*maxParts {
			return ErrTooLarge
		}
		inner := &block{name: name.text, attrs: map[string]expr{}, line: name.line}
		if a.cur.peek().quoted && a.cur.more() {
			inner.label = a.cur.next().text
		}
		if err := a.cur.want("{"); err != nil {
			return err
		}
		if err := a.into(inner, depth+1); err != nil {
			return err
		}
		if err := a.cur.want("}"); err != nil {
			return err
		}
		b.inner = append(b.inner, inner)
	}
	return nil
}

// expr reads an expression: up to the end of a line on which nothing is open. Of its functions we know sys.env; a sum of
// strings is one string; what else is computed is unresolved.
func (a *alloy) expr(line int) (expr, error) {
	e := expr{pairs: map[string][]string{}, line: line}
	depth, key, glue := 0, "", false
	last := line
	text := func(s string) {
		if glue && len(e.texts) > 0 && len(e.texts[len(e.texts)-1]) < maxString {
			e.texts[len(e.texts)-1] += s
			if list := e.pairs[key]; key != "" && len(list) > 0 {
				list[len(list)-1] += s
			}
			glue = false
			return
		}
		e.texts = append(e.texts, s)
		if key != "" {
			e.pairs[key] = append(e.pairs[key], s)
		}
	}
	for first := true; a.cur.more(); first = false {
		t := a.cur.peek()
		if depth == 0 && !first && !glue && (t.line > last || t.is("}")) && !t.is("+") && !t.is("||") {
			return e, nil
		}
		a.cur.next()
		last = t.line + strings.Count(t.text, "\n")
		switch {
		case t.quoted:
			if a.cur.peek().is("=") {
				a.cur.next()
				key = t.text
				continue
			}
			text(t.text)
		case t.is("(") || t.is("[") || t.is("{"):
			depth++
		case t.is(")") || t.is("]") || t.is("}"):
			if depth--; depth < 0 {
				return e, fmt.Errorf("line %d: %q closes nothing", t.line, t.text)
			}
			key = ""
		case t.is(","):
			key = ""
		case t.is("+"):
			glue = true
		case a.cur.peek().is("(") && word(t.text[0]):
			a.cur.next()
			arg := a.cur.peek()
			if (t.text == "sys.env" || t.text == "env") && arg.quoted && a.cur.pos+1 < len(a.cur.toks) && a.cur.toks[a.cur.pos+1].is(")") {
				a.cur.pos += 2
				text(a.value(arg.text))
				continue
			}
			if t.text == "array.concat" || t.text == "concat" {
				depth++
				continue
			}
			if err := a.skip(); err != nil {
				return e, err
			}
			text(unresolved)
		case a.cur.peek().is("="):
			a.cur.next()
			key = t.text
		case word(t.text[0]):
			if strings.Contains(t.text, ".") {
				e.refs = append(e.refs, t.text)
				if key != "" {
					e.pairs[key] = append(e.pairs[key], unresolved)
				}
				if glue {
					text(unresolved)
				}
			} else {
				text(t.text)
			}
		}
	}
	if depth > 0 {
		return e, fmt.Errorf("the expression of line %d does not end", line)
	}
	return e, nil
}

// skip goes behind the parenthesis that is open.
func (a *alloy) skip() error {
	for depth := 1; depth > 0; {
		if !a.cur.more() {
			return fmt.Errorf("the text ends in an expression")
		}
		switch t := a.cur.next(); {
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		}
	}
	return nil
}

func (b *block) one(attr string) string {
	e := b.attrs[attr]
	switch {
	case len(e.texts) > 0:
		return e.texts[0]
	case len(e.refs) > 0:
		return unresolved
	}
	return ""
}

// component cuts "loki.write.default.receiver" down to the block's id.
func (a *alloy) component(ref string) string {
	for id := ref; id != ""; {
		if a.blocks[id] != nil {
			return id
		}
		cut := strings.LastIndexByte(id, '.')
		if cut < 0 {
			return ref
		}
		id = id[:cut]
	}
	return ref
}

func (a *alloy) settle() error {
	type end struct {
		b    *block
		file string
	}
	var ends []end
	for i, b := range a.all {
		file := a.files[i]
		to := b.attrs["forward_to"].refs
		for _, inner := range b.inner {
			if inner.name == "output" { // otelcol: output { logs = [...] }
				to = append(to, inner.attrs["logs"].refs...)
			}
		}
		p := part{input: -1}
		switch {
		case strings.HasPrefix(b.name, "loki.source.") || strings.HasPrefix(b.name, "otelcol.receiver."):
			in := a.source(b)
			in.File, in.Line = file, b.line
			n, err := a.input(in)
			if err != nil {
				return err
			}
			p.input = n
		case b.name == "loki.process":
			p.some = alloyDrops(b, 0)
		case b.name == "loki.relabel":
			for _, rule := range b.inner {
				p.some = p.some || rule.one("action") == "drop" || rule.one("action") == "keep"
			}
		case b.name == "loki.write" || strings.HasPrefix(b.name, "otelcol.exporter."):
			ends = append(ends, end{b, file})
			if b.name == "otelcol.exporter.loki" {
				ends = ends[:len(ends)-1] // it hands records over to loki.write
			}
		case strings.HasPrefix(b.name, "otelcol.processor."):
			p.some = !otelPasses[strings.ReplaceAll(strings.TrimPrefix(b.name, "otelcol.processor."), "_", "")] &&
				!otelPasses[strings.TrimPrefix(b.name, "otelcol.processor.")]
		case b.name == "loki.echo":
			ends = append(ends, end{b, file})
		case strings.HasPrefix(b.name, "loki.") || strings.HasPrefix(b.name, "otelcol.connector."):
			p.some = true
		}
		if err := a.g.add(b.id(), p); err != nil {
			return err
		}
		for _, ref := range to {
			if err := a.g.add(a.component(ref), part{input: -1, from: []string{b.id()}}); err != nil {
				return err
			}
		}
	}
	for _, e := range ends {
		feeds := func(out Output) error {
			out.From, out.Part = a.g.feeds([]string{e.b.id()})
			out.Name, out.File = e.b.name, e.file
			_, err := a.output(out)
			return err
		}
		n := 0
		for _, inner := range e.b.inner {
			if e.b.name == "loki.write" && inner.name != "endpoint" || e.b.name != "loki.write" && inner.name != "client" {
				continue
			}
			n++
			attr := "url"
			if inner.name == "client" {
				attr = "endpoint"
			}
			host, reach := place(inner.one(attr))
			out := Output{Host: host, Reach: reach, Line: inner.line}
			if err := feeds(out); err != nil {
				return err
			}
		}
		if n > 0 {
			continue
		}
		out := Output{Line: e.b.line}
		kind := strings.TrimPrefix(e.b.name, "otelcol.exporter.")
		if to, known := otelSinks[kind]; known {
			out.Host, out.Reach = to.to(func(key string) []string {
				if v := e.b.one(key); v != "" {
					return []string{v}
				}
				return nil
			})
		}
		if e.b.name == "loki.echo" {
			out.Reach = Local
		}
		if err := feeds(out); err != nil {
			return err
		}
	}
	return nil
}

func alloyDrops(b *block, depth int) bool {
	for _, inner := range b.inner {
		switch inner.name {
		case "stage.drop", "stage.sampling", "stage.limit":
			return true
		case "stage.match":
			if inner.one("action") == "drop" || depth < maxDepth && alloyDrops(inner, depth+1) {
				return true
			}
		}
	}
	return false
}

// source reads https://grafana.com/docs/alloy/latest/reference/components/loki/
func (a *alloy) source(b *block) Input {
	in := Input{Name: b.name}
	listen := func(proto string, attr string, def int) {
		in.Kind, in.Proto, in.Port = Listen, proto, def
		for _, inner := range append([]*block{b}, b.inner...) {
			if p := port(inner.one(attr)); p != 0 {
				in.Port = p
				return
			}
		}
	}
	switch b.name {
	case "loki.source.file":
		in.Kind = Files
		in.Paths, in.Exclude = a.targets(b.attrs["targets"], 0)
		if len(in.Paths) == 0 {
			in.Paths = []string{unresolved}
		}
	case "loki.source.docker":
		in.Kind, in.Paths = Containers, []string{dockerSocket}
		if h := b.one("host"); h != "" {
			in.Paths = []string{strings.TrimPrefix(h, "unix://")}
		}
	case "loki.source.kubernetes", "loki.source.podlogs":
		in.Kind = Containers // through the API server: no file of the node is read
	case "loki.source.journal":
		in.Kind = Journal
		if p := b.one("path"); p != "" {
			in.Paths = []string{p}
		}
	case "loki.source.syslog":
		listen("syslog", "address", 0)
	case "loki.source.api":
		listen("http", "listen_port", 0)
	case "loki.source.gelf":
		listen("gelf", "listen_address", 12201)
	case "otelcol.receiver.otlp":
		listen("otlp", "endpoint", 4317)
	case "otelcol.receiver.filelog":
		in.Kind, in.Paths, in.Exclude = Files, b.attrs["include"].texts, b.attrs["exclude"].texts
	case "otelcol.receiver.prometheus":
		in.Kind = Nothing
	}
	return in
}

// targets follows what a list of targets names to the paths that stand behind it.
func (a *alloy) targets(e expr, depth int) (paths, exclude []string) {
	paths, exclude = e.pairs["__path__"], e.pairs["__path_exclude__"]
	if depth > 8 {
		return paths, exclude
	}
	for _, ref := range e.refs {
		b := a.blocks[a.component(ref)]
		if b == nil {
			continue
		}
		switch b.name {
		case "discovery.kubernetes", "discovery.kubelet":
			paths = append(paths, podFiles)
			continue
		case "discovery.docker":
			paths = append(paths, dockerFiles)
			continue
		}
		for _, attr := range []string{"path_targets", "targets"} {
			if next, ok := b.attrs[attr]; ok {
				p, x := a.targets(next, depth+1)
				if len(paths)+len(p) > maxParts {
					return paths, exclude
				}
				paths, exclude = append(paths, p...), append(exclude, x...)
			}
		}
	}
	return paths, exclude
}

// alloyFlags reads "run /etc/alloy/config.alloy": the file or folder behind run. See
// https://grafana.com/docs/alloy/latest/reference/cli/run/
func alloyFlags(_ *reading, args []string) (files []string, err error) {
	run := false
	for flag, value := range pairs(args, "--storage.path --server.http.listen-addr --config.format --stability.level --cluster.join-addresses --server.http.ui-path-prefix --cluster.advertise-address --cluster.name --cluster.node-name") {
		switch {
		case flag == "" && value == "run":
			run = true
		case flag == "" && run:
			files = append(files, value)
		}
	}
	return files, nil
}
