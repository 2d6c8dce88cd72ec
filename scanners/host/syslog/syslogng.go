package syslog

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/scope"
	"lookback/scanners/shipper"
)

// A syslogNG reads the configuration of syslog-ng:
// https://syslog-ng.github.io/admin-guide/050_The_configuration_file/README
type syslogNG struct {
	config
	sources map[string]bool // whether one reads what is said on this machine
	targets map[string][]*target
	filters map[string]filter
	unnamed int
	files   int
	bytes   int
	logs    bool // that log paths are read now, and no longer what they name

	read func(name string) ([]byte, error)
	glob func(pattern string) ([]string, error)
}

// A piece is a file's tokens.
type piece struct {
	*syslogNG
	cursor
	name string
}

// A call is "name(argument option(value) ...)".
type call struct {
	name string
	args []string
	opts map[string][]string
	line int
}

func (c call) get(key string) []string {
	if key == "" {
		return c.args[:min(1, len(c.args))]
	}
	return c.opts[key]
}

func (c call) first(key string) string {
	if v := c.get(key); len(v) > 0 {
		return v[0]
	}
	return ""
}

func (n *syslogNG) parse(name string) error {
	n.sources, n.targets, n.filters = map[string]bool{}, map[string][]*target{}, map[string]filter{}
	n.at = scope.At(name, 0)
	n.size = evidence.Known(int64(64<<10), n.at.WithNote("default of syslog-ng"))
	if err := n.file(name, 0); err != nil {
		return err
	}
	// A log path may stand before what it names.
	n.logs, n.files, n.bytes = true, 0, 0
	return n.file(name, 0)
}

// file reads a file. Includes are read where they stand.
func (n *syslogNG) file(name string, depth int) error {
	if n.files++; depth > maxIncludes || n.files > maxFiles {
		return errTooLarge
	}
	text, err := n.read(name)
	if err != nil {
		n.open = err
		return nil
	}
	if n.bytes += len(text); n.bytes > maxText {
		return errTooLarge
	}
	// Lines that begin with "@" are for the preprocessor.
	lines := strings.Split(string(text), "\n")
	var plain []string
	from := 1
	flush := func() error {
		toks, err := lex(strings.Join(plain, "\n"), from)
		if err != nil {
			return fmt.Errorf("%s: %w", strings.TrimPrefix(name, "/"), err)
		}
		p := &piece{syslogNG: n, cursor: cursor{toks: toks}, name: name}
		for p.more() {
			if err := p.statement(); err != nil {
				return fmt.Errorf("%s: line %d: %w", strings.TrimPrefix(name, "/"), p.peek().line, err)
			}
		}
		return nil
	}
	for i, line := range lines {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "@include")
		switch {
		case ok:
			if err := flush(); err != nil {
				return err
			}
			plain, from = nil, i+2
			if err := n.include(strings.Trim(strings.TrimSpace(rest), `"'`), depth); err != nil {
				return err
			}
		case strings.HasPrefix(strings.TrimSpace(line), "@"):
			plain = append(plain, "")
			if strings.HasPrefix(strings.TrimSpace(line), "@define") {
				n.open = fmt.Errorf("@define of line %d is not read", i+1)
			}
		default:
			plain = append(plain, line)
		}
	}
	return flush()
}

// library is what comes with syslog-ng itself: it defines words, and reads nothing by itself.
var library = []string{"scl.conf", "scl/*", "scl/*/*.conf", "`scl-root`/*"}

func (n *syslogNG) include(pattern string, depth int) error {
	if n.files++; n.files > maxFiles {
		return errTooLarge
	}
	if pattern == "scl.conf" || slices.ContainsFunc(library, func(l string) bool { ok, _ := path.Match(l, pattern); return ok }) {
		return nil
	}
	if strings.Contains(pattern, "`") || pattern == "" {
		n.open = errors.New("an include without a name that we know")
		return nil
	}
	if !path.IsAbs(pattern) {
		pattern = path.Join("/etc/syslog-ng", pattern)
	}
	names, err := n.glob(pattern)
	if err != nil {
		n.open = err
	}
	for _, name := range names {
		if err := n.file(name, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (p *piece) statement() error {
	t := p.next()
	switch {
	case t.is(";"):
		return nil
	case !p.logs && (t.is("source") || t.is("destination") || t.is("filter")):
		return p.define(t.text, p.next().text)
	case p.logs && t.is("log"):
		return p.log(always(yes), false, nil, 0)
	case t.is("options"):
		if !p.accept("{") {
			return errors.New("options without a block")
		}
		calls, err := p.calls()
		for _, c := range calls {
			if n, bad := strconv.ParseInt(c.first(""), 10, 64); c.name == "log-msg-size" && bad == nil {
				p.size = evidence.Known(n, scope.At(p.name, c.line))
			}
		}
		return err
	}
	// parser, rewrite, template, block: over to the end of it
	for p.more() {
		switch t := p.next(); {
		case t.is("{"), t.is("("), t.is("["):
			p.skip()
		case t.is(";"):
			return nil
		}
	}
	return nil
}

// define reads a source, a destination or a filter, behind its name.
func (p *piece) define(kind, name string) error {
	if !p.accept("{") {
		return fmt.Errorf("the %s %q has no block", kind, name)
	}
	if len(p.sources)+len(p.targets)+len(p.filters) > maxSteps {
		return errTooLarge
	}
	if kind == "filter" {
		f := p.expression(p.term)
		p.accept(";")
		if !p.accept("}") {
			f = always(strange)
			p.skip()
		}
		p.filters[name] = f.cached()
		return nil
	}
	if kind == "source" {
		p.sources[name] = false
	}
	calls, err := p.calls()
	if err != nil {
		return err
	}
	for _, c := range calls {
		switch kind {
		case "source":
			if p.source(c) {
				p.sources[name] = true
			}
		case "destination":
			if t := p.destination(c); !t.nothing() {
				p.targets[name] = append(p.targets[name], t)
			}
		}
	}
	return nil
}

// source reports whether a driver reads what is said on this machine.
func (p *piece) source(c call) bool {
	switch c.name {
	case "system", "systemd-journal": // "system" is the journal where systemd runs
		p.journal = true
		return true
	case "systemd-syslog":
		p.socket = true
		return true
	case "unix-stream", "unix-dgram":
		p.socket = true
		return c.first("") == "/dev/log"
	case "channel":
		p.open = fmt.Errorf("the channel of line %d is not read", c.line)
		return true
	}
	return false
}

func (p *piece) destination(c call) *target {
	out := shipper.SyslogNGDestination(c.name, c.get)
	t := &target{driver: out.Name, udp: out.UDP, disk: out.Buffer == shipper.BufferDisk, again: true, at: scope.At(p.name, c.line)}
	switch c.name {
	case "network", "syslog", "tcp", "udp", "tcp6", "udp6":
		t.tls = evidence.Known(strings.Contains(c.first("transport"), "tls"), t.at)
	}
	switch c.name {
	case "file":
		if name := c.first(""); strings.Contains(name, "$") {
			t.shaped, t.file = true, name
		} else if name != "" {
			t.write(name)
		}
	case "pipe", "stdout", "usertty", "unix-stream", "unix-dgram", "null", "pseudofile", "getvirtconsole":
	default:
		t.send(out)
	}
	if t.nothing() && !slices.Contains([]string{"pipe", "file", "stdout", "usertty", "null", "pseudofile", "getvirtconsole"}, c.name) {
		t.here = true
	}
	return t
}

// calls reads "call(...); ... }".
func (p *piece) calls() ([]call, error) {
	var out []call
	for !p.accept("}") {
		if !p.more() {
			return nil, errors.New("a brace does not close")
		}
		if p.accept(";") {
			continue
		}
		t := p.next()
		c := call{name: dashed(t.text), opts: map[string][]string{}, line: t.line}
		switch {
		case p.accept("("):
			p.arguments(&c, 0)
		case p.accept("{"):
			p.skip()
		}
		if out = append(out, c); len(out) > maxSteps {
			return nil, errTooLarge
		}
	}
	return out, nil
}

func dashed(word string) string { return strings.ReplaceAll(word, "_", "-") }

// arguments reads to the parenthesis that closes. Options of options count as such, too.
func (p *piece) arguments(c *call, depth int) {
	for p.more() && !p.accept(")") {
		t := p.next()
		if !t.quoted && p.accept("(") {
			if depth > maxDepth {
				p.skip()
				continue
			}
			inner := call{opts: c.opts}
			p.arguments(&inner, depth+1)
			if len(c.opts) < maxSteps {
				c.opts[dashed(t.text)] = append([]string{}, inner.args...)
			}
			continue
		}
		if t.quoted || t.text != "," {
			c.args = append(c.args, t.text)
		}
	}
}

// log reads a log path: the filters in it hold for its destinations, and for the paths within it.
func (p *piece) log(when filter, local bool, inherited []string, depth int) error {
	if depth > maxDepth || len(p.steps) > maxSteps {
		return errTooLarge
	}
	if !p.accept("{") {
		return errors.New("a log path without a block")
	}
	at := scope.At(p.name, p.peek().line)
	var sources, targets []string
	sources = append(sources, inherited...)
	final := false
	for !p.accept("}") {
		if !p.more() {
			return errors.New("a log path does not close")
		}
		t := p.next()
		switch {
		case t.is(";"):
		case (t.is("source") || t.is("destination") || t.is("filter")) && p.peek().is("{"):
			p.unnamed++
			name := fmt.Sprintf("\x00%d", p.unnamed)
			if err := p.define(t.text, name); err != nil {
				return err
			}
			switch t.text {
			case "source":
				sources = append(sources, name)
			case "destination":
				targets = append(targets, name)
			default:
				when = when.and(p.filters[name])
			}
		case t.is("log"), t.is("if"), t.is("elif"), t.is("else"), t.is("junction"), t.is("channel"):
			inner := when
			if !t.is("log") {
				inner = when.and(always(strange)) // which way a record takes is not followed
				for p.more() && !p.peek().is("{") {
					p.next()
				}
			}
			if err := p.log(inner, local, sources, depth+1); err != nil {
				return err
			}
			if !t.is("log") {
				when = when.and(always(strange))
			}
		case p.accept("("):
			c := call{name: t.text, opts: map[string][]string{}, line: t.line}
			p.arguments(&c, 0)
			switch c.name {
			case "source":
				sources = append(sources, c.args...)
			case "destination":
				targets = append(targets, c.args...)
			case "filter":
				for _, name := range c.args {
					when = when.and(p.named(name))
				}
			case "flags":
				final = final || slices.Contains(c.args, "final")
				if slices.Contains(c.args, "fallback") {
					when = when.and(always(strange))
				}
				local = local || slices.Contains(c.args, "catchall")
			}
		case p.accept("{"):
			p.skip()
		}
		if len(sources)+len(targets) > maxSteps {
			return errTooLarge
		}
	}
	for _, name := range sources {
		here, known := p.sources[name]
		if !known { // it may read what is said on this machine
			when = when.and(always(strange))
		}
		local = local || here || !known
	}
	when = when.cached()
	if !local {
		return nil
	}
	kept := false
	for _, name := range targets {
		for _, t := range p.targets[name] {
			p.steps = append(p.steps, step{when: when, target: t, at: at})
			kept = kept || t.lasting()
		}
	}
	if final {
		p.steps = append(p.steps, step{when: when, kept: kept, at: at})
	}
	return nil
}

// term reads a function of a filter.
func (p *piece) term(c *cursor) filter {
	t := c.next()
	if !c.accept("(") {
		return always(strange)
	}
	from := c.pos
	c.skip()
	args := c.toks[from:max(from, c.pos-1)]
	var f filter
	for i := 0; i < len(args); i++ {
		if args[i].is(",") {
			continue
		}
		one := args[i].text
		var g filter
		switch t.text {
		case "facility":
			g = compare("syslogfacility-text", "==", facilityOf(one))
			if _, err := strconv.Atoi(one); err == nil {
				g = compare("syslogfacility", "==", one)
			}
		case "level", "severity", "priority":
			low := severityOf(one)
			high := low
			if i+2 < len(args) && args[i+1].is("..") {
				high = severityOf(args[i+2].text)
				i += 2
			}
			if low < 0 || high < 0 {
				return always(strange)
			}
			g = compare("syslogseverity", ">=", strconv.Itoa(min(low, high))).and(compare("syslogseverity", "<=", strconv.Itoa(max(low, high))))
		case "filter":
			g = p.named(one)
		case "program":
			g = program(one)
		case "message", "match":
			return always(some)
		default: // host, netmask, tags, in-list: what they leave out is not said in these files
			return always(strange)
		}
		if f == nil {
			f = g
		} else {
			f = f.or(g)
		}
		if i > maxList {
			return always(strange)
		}
	}
	if f == nil {
		return always(strange)
	}
	return f
}

// named is a filter that may be defined further down.
func (n *syslogNG) named(name string) filter {
	return func(m message) answer {
		if f := n.filters[name]; f != nil {
			return f(m)
		}
		return strange
	}
}

// program is a pattern of the name of a program: a word without signs is found anywhere in it.
func program(pattern string) filter {
	name := strings.TrimSuffix(strings.TrimPrefix(pattern, "^"), "$")
	if name == "" || strings.ContainsAny(name, `.*+?()[]{}|\^$`) {
		return func(m message) answer {
			if m.program == "" {
				return some
			}
			return strange
		}
	}
	op := map[[2]bool]string{{true, true}: "==", {true, false}: "startswith", {false, true}: "endswith", {false, false}: "contains"}[[2]bool{strings.HasPrefix(pattern, "^"), strings.HasSuffix(pattern, "$")}]
	return compare("programname", op, name)
}
