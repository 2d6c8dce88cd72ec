package shipper

import (
	"fmt"
	"slices"
	"strings"
)

// Destination drivers of syslog-ng:
// https://syslog-ng.github.io/admin-guide/070_Destinations/README
var syslogNGSinks = map[string]sink{
	"file": {kind: sinkLocal}, "pipe": {kind: sinkLocal}, "stdout": {kind: sinkLocal}, "usertty": {kind: sinkLocal},
	"unix-stream": {kind: sinkLocal}, "unix-dgram": {kind: sinkLocal}, "null": {kind: sinkLocal}, "pseudofile": {kind: sinkLocal},
	"pacct": {kind: sinkLocal},

	"network": {keys: []string{""}, port: "port"}, "syslog": {keys: []string{""}, port: "port"},
	"tcp": {keys: []string{""}, port: "port"}, "tcp6": {keys: []string{""}, port: "port"},
	"udp": {keys: []string{""}, port: "port", udp: true}, "udp6": {keys: []string{""}, port: "port", udp: true},
	"http": {keys: []string{"url"}}, "elasticsearch-http": {keys: []string{"url"}}, "opensearch": {keys: []string{"url"}},
	"elasticsearch-datastream": {keys: []string{"url"}}, "loki": {keys: []string{"url"}}, "splunk-hec": {keys: []string{"url"}},
	"splunk-hec-event": {keys: []string{"url"}}, "splunk-hec-raw": {keys: []string{"url"}},
	"opentelemetry": {keys: []string{"url"}}, "syslog-ng-otlp": {keys: []string{"url"}}, "clickhouse": {keys: []string{"url", "server-url"}},
	"kafka": {keys: []string{"bootstrap-servers"}}, "kafka-c": {keys: []string{"bootstrap-servers"}},
	"mongodb": {keys: []string{"uri"}, def: "127.0.0.1:27017"}, "redis": {keys: []string{"host"}, port: "port", def: "127.0.0.1:6379"},
	"mqtt": {keys: []string{"address"}}, "amqp": {keys: []string{"host"}, port: "port", def: "127.0.0.1:5672"},
	"graylog2": {keys: []string{""}, port: "port"}, "relp": {keys: []string{""}, port: "port"},
	"sql": {keys: []string{"host"}}, "stomp": {keys: []string{"host"}, def: "127.0.0.1:61613"},

	"s3": {kind: sinkCloud, keys: []string{"url"}}, "loggly": {kind: sinkCloud}, "logmatic": {kind: sinkCloud},
	"sumologic-http": {kind: sinkCloud}, "sumologic-syslog": {kind: sinkCloud}, "google-pubsub": {kind: sinkCloud},
	"bigquery": {kind: sinkCloud, keys: []string{"url"}}, "azure-monitor": {kind: sinkCloud}, "logscale": {kind: sinkCloud, keys: []string{"url"}},
}

// A call is "name(argument option(value) ...)".
type call struct {
	name string
	args []string
	opts []call
	line int
}

func (c call) get(key string) []string {
	if key == "" {
		return c.args[:min(1, len(c.args))]
	}
	for _, o := range c.opts {
		if o.name == key {
			return o.args
		}
	}
	return nil
}

type syslogNG struct {
	*reading
	cur   cursor
	defs  map[string]string
	g     *graph
	dests map[string][]int // outputs of each destination
	logs  []logPath
	count int
}

// A logPath is a log statement.
type logPath struct {
	sources []string
	dests   []string
	some    bool
}

// readSyslogNG reads https://syslog-ng.github.io/admin-guide/050_The_configuration_file/README
func readSyslogNG(r *reading) error {
	s := &syslogNG{reading: r, defs: map[string]string{}, g: newGraph(), dests: map[string][]int{}}
	if err := r.roots(func(f File) error { return s.file(f, 0) }); err != nil {
		return err
	}
	for _, l := range s.logs {
		from, part := s.g.feeds(l.sources)
		if l.some {
			from, part = nil, append(from, part...)
		}
		for _, d := range l.dests {
			for _, i := range s.dests[d] {
				o := &r.cfg.Outputs[i]
				o.From, o.Part = merge(o.From, from), merge(o.Part, part)
			}
		}
	}
	for i := range r.cfg.Outputs {
		o := &r.cfg.Outputs[i]
		o.Part = without(o.Part, o.From)
	}
	return nil
}

func (s *syslogNG) file(f File, depth int) error {
	if depth > 10 {
		return fmt.Errorf("including %s: %w", f.Name, ErrTooLarge)
	}
	// Pragmas stand on lines of their own; the rest is read as one text with empty lines in their place.
	var rest strings.Builder
	for line := range strings.Lines(string(f.Text)) {
		one := strings.TrimSpace(line)
		if !strings.HasPrefix(one, "@") {
			rest.WriteString(s.backticks(line))
			continue
		}
		rest.WriteString("\n")
		command, arg, _ := strings.Cut(one[1:], " ")
		arg = strings.TrimSpace(arg)
		switch command {
		case "define":
			name, value, _ := strings.Cut(arg, " ")
			s.defs[name] = strings.Trim(strings.TrimSpace(value), `"'`)
		case "include":
			name := strings.Trim(s.backticks(arg), `"'`)
			if name == "scl.conf" {
				continue // its own library: definitions only
			}
			files, err := s.include(f.Name, name)
			if err != nil {
				return err
			}
			for _, inner := range files {
				if err := s.file(inner, depth+1); err != nil {
					return fmt.Errorf("%s: %w", inner.Name, err)
				}
			}
		}
	}
	toks, err := lex(rest.String(), "#", "_-.:/*+%$\x00")
	if err != nil {
		return err
	}
	s.cur = cursor{toks: toks}
	for s.cur.more() {
		if err := s.statement(f); err != nil {
			return err
		}
	}
	return nil
}

// backticks replaces `NAME` by what @define or the environment says.
func (s *syslogNG) backticks(line string) string {
	parts := strings.Split(line, "`")
	if len(parts)%2 == 0 {
		return line
	}
	for i := 1; i < len(parts); i += 2 {
		if v, ok := s.defs[parts[i]]; ok {
			parts[i] = v
		} else {
			parts[i] = s.value(parts[i])
		}
	}
	return strings.Join(parts, "")
}

func (s *syslogNG) statement(f File) error {
	t := s.cur.next()
	switch {
	case t.is(";"):
		return nil
	case t.is("source"), t.is("destination"):
		name := s.cur.next().text
		calls, err := s.braces(0)
		if err != nil {
			return err
		}
		if t.is("source") {
			return s.source(f, name, calls)
		}
		return s.destination(f, name, calls)
	case t.is("log"):
		return s.log(f, logPath{}, 0)
	case t.is("include"):
		name := s.cur.next().text
		s.cfg.Includes = append(s.cfg.Includes, name)
		return nil
	}
	// options, filter, parser, rewrite, template, block: over to the end of it
	depth := 0
	for s.cur.more() {
		switch t := s.cur.next(); {
		case t.is("{") || t.is("("):
			depth++
		case t.is("}") || t.is(")"):
			depth--
		case t.is(";") && depth <= 0:
			return nil
		}
	}
	return nil
}

// braces reads "{ call(...); ... }".
func (s *syslogNG) braces(depth int) ([]call, error) {
	if depth > maxDepth {
		return nil, ErrTooLarge
	}
	if err := s.cur.want("{"); err != nil {
		return nil, err
	}
	var out []call
	for !s.cur.accept("}") {
		switch {
		case !s.cur.more():
			return nil, fmt.Errorf("a brace does not close")
		case s.cur.accept(";"):
		case s.cur.peek().is("channel") || s.cur.peek().is("log") || s.cur.peek().is("junction"):
			s.cfg.Open = true // a pipeline within a definition: there, not read
			s.cur.next()
			s.skip()
		default:
			c, err := s.call(depth + 1)
			if err != nil {
				return nil, err
			}
			out = append(out, c)
		}
	}
	return out, nil
}

// skip goes behind the brace that closes the next one.
func (s *syslogNG) skip() {
	for depth := 0; s.cur.more(); {
		switch t := s.cur.next(); {
		case t.is("{"):
			depth++
		case t.is("}"):
			if depth--; depth <= 0 {
				return
			}
		}
	}
}

func (s *syslogNG) call(depth int) (call, error) {
	if depth > maxDepth {
		return call{}, ErrTooLarge
	}
	if s.count++; s.count > maxNodes {
		return call{}, ErrTooLarge
	}
	t := s.cur.next()
	c := call{name: strings.ReplaceAll(t.text, "_", "-"), line: t.line}
	if !s.cur.accept("(") {
		return c, nil
	}
	for !s.cur.accept(")") {
		if !s.cur.more() {
			return c, fmt.Errorf("the parenthesis of line %d does not close", t.line)
		}
		arg := s.cur.peek()
		if !arg.quoted && s.cur.pos+1 < len(s.cur.toks) && s.cur.toks[s.cur.pos+1].is("(") && word(arg.text[0]) {
			o, err := s.call(depth + 1)
			if err != nil {
				return c, err
			}
			c.opts = append(c.opts, o)
			continue
		}
		s.cur.next()
		if arg.quoted || arg.text != "," {
			c.args = append(c.args, arg.text)
		}
	}
	return c, nil
}

func (s *syslogNG) source(f File, name string, calls []call) error {
	for n, c := range calls {
		in := Input{Name: c.name, File: f.Name, Line: c.line}
		switch c.name {
		case "file", "wildcard-file":
			in.Kind, in.Paths = Files, c.get("")
			if dir := c.get("base-dir"); len(dir) > 0 {
				pattern := "*"
				if p := c.get("filename-pattern"); len(p) > 0 {
					pattern = p[0]
				}
				in.Paths = []string{strings.TrimSuffix(dir[0], "/") + "/" + pattern}
			}
		case "network", "syslog", "tcp", "tcp6", "udp", "udp6", "default-network-drivers", "relp":
			in.Kind, in.Proto = Listen, "syslog"
			in.Port = map[string]int{"network": 514, "syslog": 601, "default-network-drivers": 514}[c.name]
			if strings.HasPrefix(c.name, "tcp") || strings.HasPrefix(c.name, "udp") {
				in.Port = 514
			}
			if p := append(c.get("port"), c.get("localport")...); len(p) > 0 {
				in.Port = port(p[0])
			}
		case "unix-stream", "unix-dgram":
			in.Kind, in.Proto, in.Paths = Listen, "syslog", c.get("")
		case "system", "systemd-journal", "systemd-syslog":
			in.Kind = Journal
		case "opentelemetry", "syslog-ng-otlp", "axosyslog-otlp":
			in.Kind, in.Proto, in.Port = Listen, "otlp", 4317
			if p := c.get("port"); len(p) > 0 {
				in.Port = port(p[0])
			}
		case "kubernetes":
			in.Kind, in.Paths = Containers, []string{"/var/log/containers/*.log"}
			if dir := c.get("base-dir"); len(dir) > 0 {
				in.Paths = []string{strings.TrimSuffix(dir[0], "/") + "/*.log"}
			}
		case "internal", "stdin":
			in.Kind = Nothing
		}
		i, err := s.input(in)
		if err != nil {
			return err
		}
		id := fmt.Sprintf("%s#%d#%d", name, n, i)
		if err := s.g.add(id, part{input: i}); err != nil {
			return err
		}
		if err := s.g.add(name, part{input: -1, from: []string{id}}); err != nil {
			return err
		}
	}
	return nil
}

func (s *syslogNG) destination(f File, name string, calls []call) error {
	for _, c := range calls {
		out := SyslogNGDestination(c.name, c.get)
		out.File, out.Line = f.Name, c.line
		for _, o := range c.opts {
			if o.name == "disk-buffer" {
				out.Buffer = BufferDisk
			}
		}
		if _, err := s.output(out); err != nil {
			return err
		}
		s.dests[name] = append(s.dests[name], len(s.cfg.Outputs)-1)
	}
	return nil
}

// log reads a log statement. What stands in it under a condition, and a log within a log, gets a part of the records.
func (s *syslogNG) log(f File, outer logPath, depth int) error {
	if depth > maxDepth {
		return ErrTooLarge
	}
	if err := s.cur.want("{"); err != nil {
		return err
	}
	l := logPath{sources: append([]string(nil), outer.sources...), some: outer.some}
	for !s.cur.accept("}") {
		if !s.cur.more() {
			return fmt.Errorf("a log statement does not close")
		}
		t := s.cur.next()
		inline := s.cur.peek().is("{")
		switch {
		case t.is(";"):
		case (t.is("source") || t.is("destination")) && inline:
			if s.count++; s.count > maxNodes {
				return ErrTooLarge
			}
			name := fmt.Sprintf("inline %d", s.count)
			calls, err := s.braces(depth + 1)
			if err != nil {
				return err
			}
			if t.is("source") {
				l.sources = append(l.sources, name)
				err = s.source(f, name, calls)
			} else {
				l.dests = append(l.dests, name)
				err = s.destination(f, name, calls)
			}
			if err != nil {
				return err
			}
		case t.is("source"), t.is("destination"):
			s.cur.pos--
			c, err := s.call(depth + 1)
			if err != nil {
				return err
			}
			if t.is("source") {
				l.sources = append(l.sources, c.args...)
			} else {
				l.dests = append(l.dests, c.args...)
			}
		case t.is("log"):
			if err := s.log(f, l, depth+1); err != nil {
				return err
			}
		case t.is("if") || t.is("elif") || t.is("else") || t.is("junction") || t.is("channel"):
			for s.cur.more() && !s.cur.peek().is("{") {
				s.cur.next()
			}
			if err := s.log(f, logPath{sources: l.sources, some: true}, depth+1); err != nil {
				return err
			}
			l.some = true
		default:
			l.some = l.some || t.is("filter") || t.is("throttle")
			if inline {
				s.skip()
			} else if s.cur.peek().is("(") {
				s.cur.pos--
				if _, err := s.call(depth + 1); err != nil {
					return err
				}
			}
		}
	}
	if len(s.logs) >= 4*maxParts || len(l.sources)+len(l.dests) > maxParts {
		return ErrTooLarge
	}
	s.logs = append(s.logs, l)
	return nil
}

func merge(a, b []int) []int {
	for _, i := range b {
		if !slices.Contains(a, i) {
			a = append(a, i)
		}
	}
	return a
}

func without(a, b []int) []int {
	var out []int
	for _, i := range a {
		if !slices.Contains(b, i) {
			out = append(out, i)
		}
	}
	return out
}

// SyslogNGDestination says where a destination driver of syslog-ng sends. Get returns the arguments of one of its options,
// and its own for "".
func SyslogNGDestination(driver string, get func(option string) []string) Output {
	out := Output{Name: driver}
	if to, known := syslogNGSinks[driver]; known {
		out.Host, out.Reach = to.to(func(key string) []string {
			v := get(key)
			if strings.HasPrefix(key, "bootstrap") && len(v) > 0 {
				return splitList(v[0])
			}
			return v
		})
		transport := strings.Join(get("transport"), "")
		out.UDP = out.Reach != Local && (to.udp && transport == "" || strings.HasPrefix(transport, "udp"))
	}
	if get("disk-buffer") != nil {
		out.Buffer = BufferDisk
	}
	return out
}
