package shipper

import (
	"fmt"
	"strings"
)

// Output modules of rsyslog that are actions: https://docs.rsyslog.com/doc/configuration/modules/idx_output.html
var rsyslogSinks = map[string]sink{
	"omfile": {kind: sinkLocal}, "omstdout": {kind: sinkLocal}, "omusrmsg": {kind: sinkLocal}, "ompipe": {kind: sinkLocal},
	"omuxsock": {kind: sinkLocal}, "omjournal": {kind: sinkLocal}, "ombuiltin": {kind: sinkLocal},

	"omfwd":   {keys: []string{"target"}, port: "port", udp: true},
	"omrelp":  {keys: []string{"target"}, port: "port"},
	"omkafka": {keys: []string{"broker"}, def: "localhost:9092"}, "omelasticsearch": {keys: []string{"server"}, port: "serverport", def: "localhost:9200"},
	"omhttp": {keys: []string{"server"}, port: "serverport", def: "localhost:443"}, "omclickhouse": {keys: []string{"server"}, port: "port", def: "localhost:8123"},
	"ommysql": {keys: []string{"server"}, port: "serverport"}, "ompgsql": {keys: []string{"server"}, port: "port"},
	"omhiredis": {keys: []string{"server"}, port: "serverport", def: "127.0.0.1:6379"}, "omgelf": {keys: []string{"target"}, port: "port", udp: true},
	"ommongodb": {keys: []string{"uristr", "server"}}, "omrabbitmq": {keys: []string{"host"}, port: "port"},
}

// maxLine is what rsyslog itself takes as a line of the old style, and more.
const maxLine = 8 << 10

type rsyslog struct {
	*reading
	some  bool // what follows stands under a condition, or behind a stop
	depth int
	disk  bool // a setting of the old style that holds for the next action
}

// readRsyslog reads both styles of https://docs.rsyslog.com/doc/configuration/basic_structure.html
func readRsyslog(r *reading) error {
	s := &rsyslog{reading: r}
	if err := r.roots(func(f File) error { return s.read(f, 0) }); err != nil {
		return err
	}
	part := map[int]bool{}
	for i, o := range r.cfg.Outputs {
		part[i] = len(o.Part) > 0
		r.cfg.Outputs[i].Part = nil
	}
	r.feedAll(false)
	for i := range r.cfg.Outputs {
		if o := &r.cfg.Outputs[i]; part[i] {
			o.From, o.Part = nil, o.From
		}
	}
	return nil
}

func (s *rsyslog) read(f File, depth int) error {
	if depth > 10 {
		return fmt.Errorf("including %s: %w", f.Name, ErrTooLarge)
	}
	text := string(f.Text)
	line := 1
	for i := 0; i < len(text); {
		start := i
		// A statement of the new style runs to the parenthesis that closes it; one of the old style to the end of the
		// line, or further where the line ends in a backslash.
		end := strings.IndexByte(text[i:], '\n')
		if end < 0 {
			end = len(text)
		} else {
			end += i
		}
		one := strings.TrimSpace(text[i:end])
		if object, rest := rsyslogObject(one); object != "" {
			at := i + strings.Index(text[i:end], one) + len(one) - len(rest)
			closed, err := parenthesis(text[at:])
			if err != nil {
				return fmt.Errorf("line %d: %w", line, err)
			}
			if err := s.object(f, object, rsyslogParams(text[at:at+closed]), line, depth); err != nil {
				return err
			}
			i = at + closed
		} else {
			for strings.HasSuffix(strings.TrimRight(text[i:end], " \t\r"), `\`) && end < len(text) {
				next := strings.IndexByte(text[end+1:], '\n')
				if next < 0 {
					next = len(text) - end - 1
				}
				one = strings.TrimSuffix(strings.TrimSpace(one), `\`) + strings.TrimSpace(text[end+1:end+1+next])
				i, end = end+1, end+1+next
				if len(one) > maxLine {
					break
				}
			}
			if len(one) > maxLine {
				return fmt.Errorf("line %d: %w", line, ErrTooLarge)
			}
			i = min(end+1, len(text))
			used, err := s.legacy(f, one, line, depth)
			if err != nil {
				return err
			}
			if at := strings.Index(text[start:end], one); used > 0 && at >= 0 {
				i = start + at + used // the rest of the line is a statement of its own
			}
		}
		line += strings.Count(text[start:i], "\n")
	}
	return nil
}

// rsyslogObject returns the name of a statement of the new style and what follows its parenthesis.
func rsyslogObject(line string) (name, rest string) {
	for _, object := range []string{"action", "input", "module", "include", "global", "template", "main_queue", "parser", "lookup_table", "timezone", "dyn_stats"} {
		if after, ok := strings.CutPrefix(line, object); ok {
			trimmed := strings.TrimLeft(after, " \t")
			if strings.HasPrefix(trimmed, "(") {
				return object, trimmed[1:]
			}
		}
	}
	return "", ""
}

// parenthesis returns how far it is to behind the parenthesis that is open.
func parenthesis(s string) (int, error) {
	depth := 1
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"', '\'', '`':
			end := closing(s[i+1:], s[i:i+1], true)
			if end < 0 {
				return 0, fmt.Errorf("a string does not end")
			}
			i += end + 1
		case '#':
			end := strings.IndexByte(s[i:], '\n')
			if end < 0 {
				return 0, fmt.Errorf("a parenthesis does not close")
			}
			i += end
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1, nil
			}
		}
	}
	return 0, fmt.Errorf("a parenthesis does not close")
}

// rsyslogParams reads key="value" key=["a","b"].
func rsyslogParams(s string) map[string][]string {
	out := map[string][]string{}
	toks, err := lex(s, "#", "_-.")
	if err != nil {
		return out
	}
	key := ""
	for i, t := range toks {
		switch {
		case !t.quoted && i+1 < len(toks) && toks[i+1].is("="):
			key = strings.ToLower(t.text)
		case t.quoted && key != "":
			if t.raw {
				// `echo $NAME` is the one thing that backticks do: https://docs.rsyslog.com/doc/rainerscript/constant_strings.html
				name, isEcho := strings.CutPrefix(t.text, "echo $")
				if !isEcho {
					name = ""
				}
				t.text = unresolved + strings.TrimSpace(name)
			}
			out[key] = append(out[key], t.text)
		}
	}
	return out
}

func (s *rsyslog) object(f File, object string, params map[string][]string, line, depth int) error {
	for _, list := range params {
		for i, v := range list {
			if name, ok := strings.CutPrefix(v, unresolved); ok && name != "" {
				list[i] = s.value(name)
			}
		}
	}
	one := func(key string) string {
		if v := params[key]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	switch object {
	case "include":
		if one("text") != "" {
			s.cfg.Open = true
		}
		return s.includes(f, one("file"), depth)
	case "module":
		if one("load") == "imuxsock" || one("load") == "imjournal" {
			return s.source(f, one("load"), params, line)
		}
	case "input":
		return s.source(f, one("type"), params, line)
	case "action":
		out := RsyslogAction(params)
		out.File, out.Line = f.Name, line
		return s.action(out)
	}
	return nil
}

// RsyslogStatement returns the name of an object of rsyslog's new style that a text begins with, "action", and what follows
// its parenthesis; "" for any other text.
func RsyslogStatement(text string) (name, rest string) { return rsyslogObject(text) }

// RsyslogParams returns the parameters of an object, by their names in small letters, from what follows its parenthesis, and
// how far it is to behind the one that closes it.
func RsyslogParams(text string) (params map[string][]string, length int, err error) {
	if length, err = parenthesis(text); err != nil {
		return nil, 0, err
	}
	return rsyslogParams(text[:length]), length, nil
}

// RsyslogAction says where an action(...) with the given parameters sends.
func RsyslogAction(params map[string][]string) Output {
	one := func(key string) string {
		if v := params[key]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	out := Output{Name: one("type")}
	if to, known := rsyslogSinks[out.Name]; known {
		out.Host, out.Reach = to.to(func(key string) []string { return params[key] })
		// https://docs.rsyslog.com/doc/configuration/modules/omfwd.html: its protocol is UDP unless TCP is written.
		out.UDP = to.udp && out.Reach != Local && !strings.EqualFold(one("protocol"), "tcp")
	}
	if one("queue.filename") != "" || strings.EqualFold(one("queue.type"), "disk") {
		out.Buffer = BufferDisk
	} else if one("queue.type") != "" {
		out.Buffer = BufferMemory
	}
	return out
}

func (s *rsyslog) includes(f File, pattern string, depth int) error {
	files, err := s.include(f.Name, pattern)
	if err != nil {
		return err
	}
	for _, inner := range files {
		if err := s.read(inner, depth+1); err != nil {
			return fmt.Errorf("%s: %w", inner.Name, err)
		}
	}
	return nil
}

func (s *rsyslog) source(f File, kind string, params map[string][]string, line int) error {
	in := Input{Name: kind, File: f.Name, Line: line}
	switch kind {
	case "imfile":
		in.Kind, in.Paths = Files, params["file"]
	case "imtcp", "imptcp", "imudp", "imrelp", "imgssapi":
		in.Kind, in.Proto = Listen, "syslog"
		if p := params["port"]; len(p) > 0 {
			in.Port = port(p[0])
		}
	case "imuxsock":
		in.Kind, in.Proto, in.Paths = Listen, "syslog", []string{"/dev/log"}
		if p := append(params["socket"], params["syssock.name"]...); len(p) > 0 {
			in.Paths = p
		}
	case "imjournal":
		in.Kind = Journal
	case "impstats", "immark", "imklog":
		in.Kind = Nothing
	}
	_, err := s.input(in)
	return err
}

func (s *rsyslog) action(out Output) error {
	o, err := s.output(out)
	if err == nil && (s.some || s.depth > 0) {
		o.Part = []int{0} // a mark, until the inputs are known
	}
	return err
}

// legacy reads a line of the old style, or a piece of a script. It returns how much of the line it used, where the rest
// is a statement of its own, or 0.
func (s *rsyslog) legacy(f File, line string, no, depth int) (used int, err error) {
	switch {
	case line == "" || line[0] == '#':
		return 0, nil
	case line[0] == '$':
		name, value, _ := strings.Cut(line[1:], " ")
		value = strings.TrimSpace(value)
		in := map[string][]string{"port": {value}, "file": {value}}
		switch strings.ToLower(name) {
		case "includeconfig":
			return 0, s.includes(f, value, depth)
		case "modload":
			if value = strings.TrimSuffix(value, ".so"); value == "imuxsock" || value == "imjournal" {
				return 0, s.source(f, value, nil, no)
			}
		case "inputtcpserverrun", "inputptcpserverrun":
			return 0, s.source(f, "imtcp", in, no)
		case "udpserverrun":
			return 0, s.source(f, "imudp", in, no)
		case "inputrelpserverrun":
			return 0, s.source(f, "imrelp", in, no)
		case "inputfilename":
			return 0, s.source(f, "imfile", in, no)
		case "actionqueuefilename":
			s.disk = value != ""
		}
		return 0, nil
	}
	// Braces: what stands in them stands under a condition.
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"' || c == '\'':
			if end := closing(line[i+1:], line[i:i+1], true); end >= 0 {
				i += end + 1
			}
		case c == '{':
			s.depth++
			if rest := strings.TrimSpace(line[i+1:]); rest != "" {
				return i + 1, nil
			}
			return 0, nil
		case c == '}':
			s.depth = max(0, s.depth-1)
			if rest := strings.TrimSpace(line[i+1:]); rest != "" {
				return i + 1, nil
			}
			return 0, nil
		case c == '#':
			return 0, nil
		case strings.HasPrefix(line[i:], " then"):
			if rest := strings.TrimSpace(line[i+5:]); rest != "" && rest[0] != '{' {
				s.some = true // one statement under a condition; what follows it is taken for conditional too
				return i + 5, nil
			}
		case strings.HasPrefix(line[i:], "action(") && i > 0:
			s.some = s.some || !strings.HasPrefix(strings.TrimSpace(line), "*.*")
			return i, nil
		}
	}
	if line == "stop" || line == "~" {
		s.some = true
		return 0, nil
	}
	// "selector  action"
	selector, act := line, ""
	if line[0] == ':' { // a filter by a property: ":msg, contains, "x"  action"
		rest := line
		if end := strings.LastIndexByte(line, '"'); end >= 0 {
			rest = line[end+1:]
		}
		act = strings.TrimSpace(rest)
	} else if cut := strings.IndexAny(line, " \t"); cut >= 0 {
		selector, act = line[:cut], strings.TrimSpace(line[cut:])
		if !strings.Contains(selector, ".") && !strings.HasPrefix(selector, "@") && selector != "&" {
			return 0, nil // call, set, unset, reset: nothing leaves by them
		}
	} else if line[0] != '@' && line[0] != '/' && line[0] != '-' {
		return 0, nil
	} else {
		act = line
	}
	return 0, s.selected(f, selector, act, no)
}

func (s *rsyslog) selected(f File, selector, act string, no int) error {
	act, _, _ = strings.Cut(act, ";") // a template
	act = strings.TrimSpace(act)
	if act == "" || act == "stop" || act == "~" {
		s.some = true
		return nil
	}
	out := RsyslogOldAction(act)
	out.File, out.Line = f.Name, no
	if s.disk {
		out.Buffer, s.disk = BufferDisk, false
	}
	was := s.some
	s.some = s.some || selector != "*.*" && selector != "*.debug" && selector != "&"
	err := s.action(out)
	s.some = was
	return err
}

// RsyslogOldAction says where the action of a line of the old style sends: "@@logs.example.net:6514".
func RsyslogOldAction(act string) Output {
	var out Output
	act, _, _ = strings.Cut(act, ";") // a template
	act = strings.TrimSpace(act)
	switch {
	case strings.HasPrefix(act, "@"):
		out.Name = "omfwd"
		host := strings.TrimLeft(act, "@")
		out.UDP = !strings.HasPrefix(act, "@@")
		if strings.HasPrefix(host, "(") {
			if end := strings.IndexByte(host, ')'); end >= 0 {
				host = host[end+1:]
			}
		}
		out.Host, out.Reach = hostPort(host)
	case strings.HasPrefix(act, ":omrelp:"):
		out.Name = "omrelp"
		out.Host, out.Reach = hostPort(strings.TrimPrefix(act, ":omrelp:"))
	case strings.HasPrefix(act, ":omusrmsg:") || act == "*":
		out.Name, out.Reach = "omusrmsg", Local
	case strings.HasPrefix(act, ":"):
		out.Name, _, _ = strings.Cut(act[1:], ":")
		if to := rsyslogSinks[out.Name]; to.kind == sinkLocal && out.Name != "" {
			out.Reach = Local
		}
	case strings.HasPrefix(act, "/") || strings.HasPrefix(act, "-/") || strings.HasPrefix(act, "?") || strings.HasPrefix(act, "-?") || strings.HasPrefix(act, "|"):
		out.Name, out.Reach = "omfile", Local
	default:
		out.Name = "" // a user's name, a program, a module that we do not know
	}
	return out
}
