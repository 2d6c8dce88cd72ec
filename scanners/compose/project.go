package compose

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/locate"
	"lookback/scanners/workload"
)

// mentioned returns the files that a document includes or whose services it extends, as they are written.
func mentioned(doc *yaml.Node) []string {
	var out []string
	add := func(n *yaml.Node) {
		if n = locate.Content(n); n != nil && n.Kind == yaml.ScalarNode {
			out = append(out, clean(n.Value))
		}
	}
	if _, list := locate.Child(doc, "include"); list != nil {
		for _, item := range list.Content {
			if _, p := locate.Child(item, "path"); p != nil {
				item = p
			}
			add(item)
			if item = locate.Content(item); item.Kind == yaml.SequenceNode {
				for _, p := range item.Content {
					add(p)
				}
			}
		}
	}
	if _, all := locate.Child(doc, "services"); all != nil {
		for i := 1; i < len(all.Content); i += 2 {
			if _, p, found := locate.Find(all.Content[i], "extends", "file"); found == 2 {
				add(p)
			}
		}
	}
	return out
}

// load makes the project's containers and reports whether there is anything in it to judge.
func (p *project) load() bool {
	p.left = &budget{maxAliased, maxNodes, maxWork}
	l := &loading{scan: p.scan, target: p.target, dir: p.dir, vars: p.vars, shapes: serviceShapes(), left: p.left, scopes: map[string]scope{}}
	p.model = l.load(p.files, p.dir, p.vars, nil)
	p.byName = map[string]*service{}
	for i, name := range p.model.order {
		st := p.model.services[name]
		if i == maxServices {
			l.gap("the services", st.self(), fmt.Errorf("more than %d in one project", maxServices), true)
			break
		}
		s, err := p.container(name, st)
		if err != nil {
			l.gap(fmt.Sprintf("service %q", name), st.self(), fmt.Errorf("%s", written(err.Error())), true)
			continue
		}
		if s != nil {
			p.services = append(p.services, s)
			p.byName[name] = s
		}
	}
	p.takeOver()
	differs := p.base == nil
	for _, s := range p.services {
		if p.base != nil && p.base.byName[s.name] != nil {
			s.same = describe(p.base.byName[s.name].c) == describe(s.c)
		}
		differs = differs || !s.same
	}
	return differs
}

// afford reports whether a service is small enough to be put together. Merging costs as much as there is to merge, and
// finding the places of what was merged costs, at worst, the square of it.
func (p *project) afford(st *stack) bool {
	n := 0
	for _, l := range st.layers {
		n += l.size + 1
	}
	p.left.work -= n + n*n/1000
	return p.left.work >= 0
}

func (p *project) containers() []*workload.Container {
	out := make([]*workload.Container, len(p.services))
	for i, s := range p.services {
		out[i] = s.c
	}
	return out
}

// sink returns where the project's evidence goes: of an overlay, what is about services that it does not change, and
// about volumes that only those use, is left out, for the base says it.
func (p *project) sink() scanners.Sink {
	if p.base == nil {
		return p.scan.sink
	}
	d := differing{p.scan.sink, p.target, map[string]bool{}, map[evidence.ID]bool{}}
	for _, s := range p.services {
		same := s.same
		d.same[s.name] = same
		for _, m := range s.c.Mounts {
			before, seen := d.volumes[m.Volume]
			d.volumes[m.Volume] = same && (before || !seen)
		}
	}
	return d
}

type differing struct {
	scanners.Sink
	target  evidence.ID
	same    map[string]bool      // services that the base runs just so
	volumes map[evidence.ID]bool // volumes that only such services use
}

func (d differing) Record(r evidence.Record) {
	id := r.Self().ID
	service, _, _ := strings.Cut(id.Thing(), "/")
	service, _, _ = strings.Cut(service, "#")
	volume := evidence.ID(strings.TrimSuffix(string(id), "/files"))
	if id.Target() != string(d.target) || !d.same[service] && !d.volumes[volume] {
		d.Sink.Record(r)
	}
}

// waiver is what a comment begins with that accepts a failure.
const waiver = "lookback:waive"

// waivers sends the waivers that stand in comments of the project's services.
func (p *project) waivers() {
	for _, s := range p.services {
		if s.same {
			continue
		}
		for _, l := range s.stack.layers {
			for _, c := range comments(l.key, l.node) {
				p.waive(s, l.file, c)
			}
		}
	}
}

// A comment is one line of a comment.
type comment struct {
	text string
	line int
}

// comments returns the comments in and on nodes, line by line. They do not follow aliases: what is written elsewhere
// was not said about this service.
func comments(nodes ...*yaml.Node) []comment {
	var out []comment
	for _, n := range nodes {
		if n.HeadComment == "" && n.LineComment == "" && n.FootComment == "" && len(n.Content) == 0 {
			continue
		}
		head := strings.Split(n.HeadComment, "\n")
		for i, text := range head {
			out = append(out, comment{text, n.Line - len(head) + i})
		}
		out = append(out, comment{n.LineComment, n.Line})
		out = append(out, comments(n.Content...)...)
		for i, text := range strings.Split(n.FootComment, "\n") {
			out = append(out, comment{text, lastLine(n) + 1 + i})
		}
	}
	return slices.DeleteFunc(out, func(c comment) bool { return !strings.Contains(c.text, waiver) })
}

func lastLine(n *yaml.Node) int {
	for len(n.Content) > 0 {
		n = n.Content[len(n.Content)-1]
	}
	return n.Line
}

func (p *project) waive(s *service, file string, c comment) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(c.text), "#")), waiver)
	if !ok || rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return
	}
	at := evidence.Origin{File: file, Line: c.line}
	check, reason, _ := strings.Cut(strings.TrimSpace(clean(rest)), " ")
	if reason = strings.TrimSpace(reason); reason == "" {
		p.gap(evidence.Gap{In: p.target, Asked: "a waiver", Why: evidence.Failed, Err: fmt.Sprintf("line %d: a waiver needs a check and a reason: %s CHECK REASON", c.line, "# "+waiver), At: at, Bad: true})
		return
	}
	p.waiver(evidence.Waiver{Check: check, Subject: string(s.c.Asset.ID), Reason: reason, At: at})
}
