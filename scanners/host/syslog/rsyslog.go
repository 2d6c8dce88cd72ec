package syslog

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/scope"
	"lookback/scanners/shipper"
)

// An rsyslog reads both styles of rsyslog's configuration:
// https://docs.rsyslog.com/doc/configuration/basic_structure.html
type rsyslog struct {
	config
	sets   map[string][]node // rules by the name of their set
	set    string            // which what follows belongs to
	from   map[string]string // which set takes what an input reads, where it is not the default one
	main   string            // the default one
	shapes map[string]string // names of files by the name of their template
	next   map[string]string // settings of the old style that hold for the next action
	sticky map[string]string // those that hold from where they stand
	driver string            // of network streams, where an action names none
	last   filter            // of the last line of the old style, for "&"
	files  int
	bytes  int
	nodes  int
	depth  int

	read func(name string) ([]byte, error)
	glob func(pattern string) ([]string, error)
}

// A node is a statement.
type node struct {
	when   filter
	target *target
	end    bool
	call   string
	within []node
	set    string // of a statement that stands in no block
	at     evidence.Origin
}

const defaultSet = "RSYSLOG_DefaultRuleset"

var errTooLarge = errors.New("more than any real configuration holds")

// parse reads a file and all that it includes.
func (r *rsyslog) parse(name string) error {
	r.sets, r.from, r.shapes, r.next = map[string][]node{}, map[string]string{}, map[string]string{}, map[string]string{}
	r.sticky = map[string]string{}
	r.set, r.main = defaultSet, defaultSet
	r.at = scope.At(name, 0)
	r.size = evidence.Known(int64(8<<10), r.at.WithNote("default of rsyslog"))
	nodes, err := r.file(name, 0)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		r.sets[n.set] = append(r.sets[n.set], n)
	}
	start := r.main
	for _, input := range []string{"imjournal", "imuxsock"} {
		if set, ok := r.from[input]; ok && (input == "imjournal" && r.journal || input == "imuxsock" && r.socket && !r.journal) {
			start = set
		}
	}
	for i := range r.taken {
		t := &r.taken[i]
		if err := r.flatten(cmp.Or(t.set, r.main), always(yes), 0); err != nil {
			return err
		}
		t.steps, r.steps = r.steps, nil
	}
	return r.flatten(start, always(yes), 0)
}

// flatten makes steps of a set of rules.
func (r *rsyslog) flatten(set string, when filter, depth int) error {
	if _, ok := r.sets[set]; !ok && set != defaultSet {
		r.open = fmt.Errorf("there is no ruleset %q", set)
		return nil
	}
	return r.nest(r.sets[set], when, depth)
}

func (r *rsyslog) nest(nodes []node, when filter, depth int) error {
	if depth > maxDepth {
		return errTooLarge
	}
	for i, n := range nodes {
		if r.nodes++; r.nodes > 4*maxSteps {
			return errTooLarge
		}
		this := when.and(n.when).cached()
		var err error
		switch {
		case n.call != "":
			err = r.flatten(n.call, this, depth+1)
		case n.within != nil:
			err = r.nest(n.within, this, depth+1)
		default:
			// What ends right behind what wrote it is not lost.
			kept := n.end && i > 0 && nodes[i-1].target != nil && nodes[i-1].target.lasting()
			r.steps = append(r.steps, step{when: this, target: n.target, kept: kept, at: n.at})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lasting reports whether a target is a file or another machine.
func (t *target) lasting() bool { return t.file != "" || t.shaped || t.host != "" }

// file returns the statements of a file, with those of the files that it includes where they are included.
func (r *rsyslog) file(name string, depth int) ([]node, error) {
	if r.files++; depth > maxIncludes || r.files > maxFiles {
		return nil, errTooLarge
	}
	text, err := r.read(name)
	if err != nil {
		r.open = err
		return nil, nil
	}
	if r.bytes += len(text); r.bytes > maxText {
		return nil, errTooLarge
	}
	b := &body{rsyslog: r, name: name, text: string(text), line: 1, includes: depth}
	nodes, err := b.statements(false)
	if err != nil {
		return nil, fmt.Errorf("%s: line %d: %w", strings.TrimPrefix(name, "/"), b.line, err)
	}
	return nodes, nil
}

// A body is the text of one file.
type body struct {
	*rsyslog
	name     string
	text     string
	line     int
	includes int
}

// take cuts off the first n bytes.
func (b *body) take(n int) string {
	piece := b.text[:n]
	b.text = b.text[n:]
	b.line += strings.Count(piece, "\n")
	return piece
}

func (b *body) here() evidence.Origin { return scope.At(b.name, b.line) }

// blank skips spaces and remarks.
func (b *body) blank() {
	for {
		b.take(len(b.text) - len(strings.TrimLeft(b.text, " \t\r\n\f\v")))
		switch {
		case strings.HasPrefix(b.text, "#"):
			b.take(b.until("\n"))
		case strings.HasPrefix(b.text, "/*"):
			if end := strings.Index(b.text, "*/"); end >= 0 {
				b.take(end + 2)
			} else {
				b.take(len(b.text))
			}
		default:
			return
		}
	}
}

func (b *body) until(stop string) int {
	if n := strings.Index(b.text, stop); n >= 0 {
		return n
	}
	return len(b.text)
}

// statements reads until the end of the text, or of the block.
func (b *body) statements(block bool) ([]node, error) {
	if b.depth++; b.depth > maxDepth {
		return nil, errTooLarge
	}
	defer func() { b.depth-- }()
	var out []node
	for {
		b.blank()
		switch {
		case b.text == "" && block:
			return nil, errors.New("a brace does not close")
		case b.text == "":
			return out, nil
		case b.text[0] == '}':
			if b.take(1); block {
				return out, nil
			}
			continue
		}
		nodes, err := b.statement()
		if err != nil {
			return nil, err
		}
		for _, n := range nodes {
			if n.set == "" {
				n.set = b.set
			}
			out = append(out, n)
		}
	}
}

// word is what stands before any other sign.
func word(text string) string {
	end := strings.IndexFunc(text, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_'
	})
	if end < 0 {
		end = len(text)
	}
	return text[:end]
}

func (b *body) statement() ([]node, error) {
	if b.nodes++; b.nodes > maxSteps {
		return nil, errTooLarge
	}
	at := b.here()
	object, rest := shipper.RsyslogStatement(b.text)
	first := word(b.text)
	if after := strings.TrimLeft(b.text[len(first):], " \t"); first == "ruleset" && strings.HasPrefix(after, "(") {
		object, rest = first, after[1:]
	}
	if object != "" {
		b.take(len(b.text) - len(rest))
		params, length, err := shipper.RsyslogParams(b.text)
		if err != nil {
			return nil, err
		}
		b.take(length)
		return b.object(object, params, at)
	}
	switch first {
	case "if":
		return b.condition(at)
	case "stop", "continue":
		b.take(len(first))
		if first == "continue" {
			return nil, nil
		}
		return []node{{when: always(yes), end: true, at: at}}, nil
	case "call":
		name := word(strings.TrimLeft(b.text[4:], " \t"))
		b.take(min(len(b.text), strings.Index(b.text, name)+len(name)))
		if name == "" {
			b.open = errors.New("a call without a name")
			return nil, nil
		}
		return []node{{when: always(yes), call: name, at: at}}, nil
	case "set", "unset", "reset":
		b.take(b.until(";"))
		b.take(min(1, len(b.text)))
		return nil, nil
	case "foreach", "call_indirect":
		b.open = fmt.Errorf("%s of line %d is not read", first, b.line)
		b.take(b.until("\n"))
		return nil, nil
	}
	if b.text[0] == '{' {
		b.take(1)
		nodes, err := b.statements(true)
		return []node{{when: always(yes), within: nodes, at: at}}, err
	}
	return b.old(at)
}

// condition reads "if ... then ... else ...".
func (b *body) condition(at evidence.Origin) ([]node, error) {
	b.take(2)
	end, quote := -1, byte(0)
	for i := 0; i < len(b.text) && end < 0; i++ {
		switch c := b.text[i]; {
		case quote != 0 && c == '\\':
			i++
		case c == quote:
			quote = 0
		case quote != 0:
		case c == '"' || c == '\'':
			quote = c
		case i > 0 && word(b.text[i:]) == "then" && strings.IndexByte(" \t\r\n)", b.text[i-1]) >= 0:
			end = i
		}
	}
	if end < 0 {
		return nil, errors.New("an if without a then")
	}
	when := script(b.text[:end])
	b.take(end + 4)
	yes, err := b.branch()
	if err != nil {
		return nil, err
	}
	out := []node{{when: when, within: yes, at: at}}
	b.blank()
	if word(b.text) == "else" {
		b.take(4)
		no, err := b.branch()
		if err != nil {
			return nil, err
		}
		out = append(out, node{when: when.not(), within: no, at: at})
	}
	return out, nil
}

// branch reads a block or one statement.
func (b *body) branch() ([]node, error) {
	if b.depth++; b.depth > maxDepth {
		return nil, errTooLarge
	}
	defer func() { b.depth-- }()
	b.blank()
	if b.text == "" {
		return nil, errors.New("a condition of nothing")
	}
	nodes, err := b.statement()
	if nodes == nil {
		nodes = []node{}
	}
	return nodes, err
}

func (b *body) object(kind string, params map[string][]string, at evidence.Origin) ([]node, error) {
	one := func(key string) string {
		if v := params[key]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	switch kind {
	case "include":
		if one("text") != "" {
			b.open = fmt.Errorf("an include of a text in line %d is not read", b.line)
		}
		return b.include(one("file"))
	case "module":
		b.input(one("load"), params, at)
	case "input":
		b.input(one("type"), params, at)
	case "global":
		b.limit(one("maxmessagesize"), at)
		b.driver = cmp.Or(one("defaultnetstreamdriver"), b.driver)
	case "template":
		b.shape(one("name"), one("string"))
	case "ruleset":
		b.blank()
		if b.text == "" || b.text[0] != '{' {
			return nil, errors.New("a ruleset without a block")
		}
		b.take(1)
		nodes, err := b.statements(true)
		b.sets[one("name")] = append(b.sets[one("name")], nodes...)
		return nil, err
	case "action":
		out := shipper.RsyslogAction(params)
		t := &target{driver: out.Name, udp: out.UDP, disk: out.Buffer == shipper.BufferDisk, again: one("action.resumeretrycount") == "-1", at: at}
		t.buffer, _ = sizeOf(one("queue.maxdiskspace"))
		switch strings.ToLower(one("type")) {
		case "omfwd":
			t.tls = evidence.Known(encrypts(one("streamdrivermode"), cmp.Or(one("streamdriver"), one("streamdriver.name"), b.driver)), at)
		case "omrelp":
			t.tls = evidence.Known(strings.EqualFold(one("tls"), "on"), at)
		}
		switch {
		case out.Name == "omfile" && one("file") != "":
			t.write(one("file"))
		case out.Name == "omfile":
			t.shaped, t.file = true, b.shapes[one("dynafile")]
		default:
			t.send(out)
		}
		if t.nothing() {
			return nil, nil
		}
		return []node{{when: always(yes), target: t, at: at}}, nil
	}
	return nil, nil
}

// encrypts reports whether a driver of network streams encrypts: mode 1 of the drivers that can. Source: rsyslog's
// documentation of omfwd, "StreamDriverMode", and of its drivers.
func encrypts(mode, driver string) bool {
	switch strings.ToLower(driver) {
	case "gtls", "ossl", "mbedtls":
		return mode == "1"
	}
	return false
}

// write makes a target of a file. What is written to a device is kept by nobody.
func (t *target) write(name string) {
	switch {
	case strings.ContainsAny(name, "%\x00"), len(name) > maxName:
		t.shaped = true
	case !strings.HasPrefix(name, "/dev/") || strings.HasPrefix(name, "/dev/shm/"):
		t.file = strings.Trim(path.Clean("/"+name), "/")
	}
}

// quiet are ways out that keep nothing: a terminal, a pipe. What is written back to the journal lies there already.
var quiet = map[string]bool{"omusrmsg": true, "ompipe": true, "omstdout": true, "omjournal": true, "": true}

func (t *target) send(out shipper.Output) {
	switch {
	case out.Reach == shipper.Away && out.Host != "":
		t.host = out.Host
	case !quiet[out.Name] && out.Name != "omfile":
		t.here = true
	}
}

// nothing reports whether a target keeps no records.
func (t *target) nothing() bool { return t.file == "" && !t.shaped && t.host == "" && !t.here }

func (b *body) shape(name, text string) {
	if len(b.shapes) < maxSteps {
		b.shapes[name] = text
	}
}

// input notes how records come in.
func (b *body) input(kind string, params map[string][]string, at evidence.Origin) {
	one := func(key string) string {
		if v := params[key]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	if set := one("ruleset"); set != "" {
		b.from[kind] = set
	}
	switch kind {
	case "imfile":
		b.takes(one("file"), one("tag"), one("facility"), one("ruleset"), at)
	case "imjournal":
		b.journal = true
		// https://www.rsyslog.com/doc/reference/parameters/imjournal-ratelimit-interval.html: 20000 in 600 s by default.
		if one("ratelimit.interval") != "0" {
			b.limited = evidence.Known(true, at.WithNote("imjournal drops what exceeds its rate limit, by default 20000 records in 600 s"))
		}
	case "imuxsock":
		if !strings.EqualFold(one("syssock.use"), "off") {
			b.socket = true
		}
		if n := one("syssock.ratelimit.interval"); n != "" && n != "0" && !b.journal {
			b.limited = evidence.Known(true, at)
		}
	}
}

// takes notes a file that is read as messages: https://www.rsyslog.com/doc/configuration/modules/imfile.html. Their facility is
// local0 where none is written.
func (b *body) takes(file, tag, facility, set string, at evidence.Origin) {
	if file == "" || len(b.taken) >= maxFiles {
		return
	}
	program, _, _ := strings.Cut(strings.TrimSuffix(tag, ":"), "[")
	b.taken = append(b.taken, taken{pattern: file, facility: facilityOf(cmp.Or(facility, "local0")), program: program, set: set, at: at})
}

func (b *body) limit(text string, at evidence.Origin) {
	if text == "" {
		return
	}
	n, err := sizeOf(text)
	if err != nil {
		b.size = evidence.Unknown[int64](evidence.Unfamiliar, at)
		return
	}
	b.size = evidence.Known(n, at)
}

// sizeOf reads "64k": https://docs.rsyslog.com/doc/configuration/conf_formats.html, sizes in units of 1024.
func sizeOf(text string) (int64, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	unit := int64(1)
	if n := len(text) - 1; n > 0 {
		if power := strings.IndexByte("kmgt", text[n]); power >= 0 {
			unit <<= 10 * (power + 1)
			text = text[:n]
		}
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(text, ",", ""), 10, 64)
	if err != nil || n < 0 || n > (1<<60)/unit {
		return 0, fmt.Errorf("%q is no size", text)
	}
	return n * unit, nil
}

// include reads what a pattern names, in order of name. A folder stands for all that lies in it.
func (b *body) include(pattern string) ([]node, error) {
	if pattern == "" || strings.ContainsRune(pattern, 0) {
		b.open = errors.New("an include without a name that we know")
		return nil, nil
	}
	if strings.HasSuffix(pattern, "/") {
		pattern += "*"
	}
	names, err := b.glob(pattern)
	if err != nil {
		b.open = err
	}
	var out []node
	for _, name := range names {
		nodes, err := b.file(name, b.includes+1)
		if err != nil {
			return nil, err
		}
		out = append(out, nodes...)
	}
	return out, nil
}

// old reads a line of the old style.
func (b *body) old(at evidence.Origin) ([]node, error) {
	line := b.take(b.until("\n"))
	for strings.HasSuffix(strings.TrimRight(line, " \t\r"), `\`) && b.text != "" {
		b.take(1)
		line = strings.TrimSuffix(strings.TrimRight(line, " \t\r"), `\`) + strings.TrimLeft(b.take(b.until("\n")), " \t")
	}
	if line = strings.TrimSpace(line); line == "" {
		return nil, nil
	}
	if line[0] == '$' {
		return b.directive(line[1:], at)
	}
	if line[0] == '!' || line[0] == '+' || line[0] == '-' && !strings.HasPrefix(line, "-/") {
		b.open = fmt.Errorf("a block of the BSD kind in line %d is not read", at.Line)
		return nil, nil
	}
	var when filter
	act := ""
	switch {
	case line[0] == '&':
		when, act = b.last, line[1:]
	case strings.IndexByte("/@?|^", line[0]) >= 0 || strings.HasPrefix(line, "-/") || strings.HasPrefix(line, ":om"):
		when, act = always(yes), line // an action by itself, under a condition
	case line[0] == ':':
		when, act = property(line[1:])
	default:
		chosen, rest, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
		f, ok := selector(chosen)
		if !ok {
			// Not a line that we know: what follows may depend on it.
			b.open = fmt.Errorf("line %d of %s is not read", at.Line, at.File)
			return nil, nil
		}
		when, act = f, line[len(line)-len(rest):]
	}
	if when == nil {
		when = always(strange)
	}
	b.last = when
	act = strings.TrimSpace(act)
	if object, _ := shipper.RsyslogStatement(act); object != "" || strings.HasPrefix(act, "{") || word(act) == "if" || word(act) == "call" {
		// The action is in the new style, and may go on in the lines that follow.
		b.text, b.line = act+b.text, at.Line
		nodes, err := b.branch()
		return []node{{when: when, within: nodes, at: at}}, err
	}
	if act == "stop" || act == "~" {
		return []node{{when: when, end: true, at: at}}, nil
	}
	t := b.target(act, at)
	if t.nothing() {
		return nil, nil
	}
	return []node{{when: when, target: t, at: at}}, nil
}

// property reads ":programname, !isequal, "x"  action" behind its colon.
func property(line string) (filter, string) {
	name, rest, ok := strings.Cut(line, ",")
	op, rest, ok2 := strings.Cut(rest, ",")
	rest = strings.TrimSpace(rest)
	if !ok || !ok2 || rest == "" || rest[0] != '"' {
		return always(strange), ""
	}
	value := strings.Builder{}
	for i := 1; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '\\' && i+1 < len(rest):
			i++
			value.WriteByte(rest[i])
		case c == '"':
			op, negated := strings.CutPrefix(strings.TrimSpace(op), "!")
			f := compare(strings.TrimSpace(name), op, value.String())
			if negated {
				f = f.not()
			}
			return f, rest[i+1:]
		default:
			value.WriteByte(c)
		}
	}
	return always(strange), ""
}

// target is where an action of the old style writes.
func (b *body) target(act string, at evidence.Origin) *target {
	queue := b.next
	b.next = map[string]string{}
	act, _, _ = strings.Cut(act, ";") // a template
	act = strings.TrimSpace(act)
	name := strings.TrimPrefix(act, "-")
	out := shipper.RsyslogOldAction(act)
	t := &target{
		driver: out.Name, udp: out.UDP, at: at, again: queue["actionresumeretrycount"] == "-1",
		disk: queue["actionqueuefilename"] != "" || strings.EqualFold(queue["actionqueuetype"], "disk"),
	}
	t.buffer, _ = sizeOf(queue["actionqueuemaxdiskspace"])
	if strings.HasPrefix(act, "@") {
		t.tls = evidence.Known(encrypts(b.sticky["actionsendstreamdrivermode"], cmp.Or(b.sticky["actionsendstreamdriver"], b.driver)), at)
	}
	switch {
	case strings.HasPrefix(name, "/"):
		t.write(name)
	case strings.HasPrefix(name, "?"):
		t.shaped, t.file = true, b.shapes[name[1:]]
	case strings.HasPrefix(name, ":omfile:"): // a channel of "$outchannel", with a size and a command of its own
		t.shaped = true
	default:
		t.send(out)
		if out.Name == "" && (name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.,* ") != "") {
			t.here = true // not the names of users on whose terminals it is shown
		}
	}
	return t
}

// directive reads a line that begins with a dollar sign.
func (b *body) directive(line string, at evidence.Origin) ([]node, error) {
	name, value, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
	value, _, _ = strings.Cut(value, " #")
	name, value = strings.ToLower(name), strings.TrimSpace(value)
	switch {
	case name == "includeconfig":
		return b.include(value)
	case name == "modload":
		b.input(strings.TrimSuffix(path.Base(value), ".so"), nil, at)
	case strings.HasPrefix(name, "inputfile") && len(b.next) < 64:
		b.next[name] = value
	case name == "inputrunfilemonitor":
		b.takes(b.next["inputfilename"], b.next["inputfiletag"], b.next["inputfilefacility"], "", at)
	case name == "maxmessagesize":
		b.limit(value, at)
	case name == "omitlocallogging":
		b.socket = !strings.EqualFold(value, "on")
	case name == "imjournalratelimitinterval" && value == "0":
		b.limited = evidence.Value[bool]{}
	case name == "ruleset":
		b.set = value
	case name == "defaultruleset":
		b.main = value
	case name == "template":
		if key, text, ok := strings.Cut(value, ","); ok {
			b.shape(strings.TrimSpace(key), strings.Trim(text, `" `))
		}
	case name == "defaultnetstreamdriver":
		b.driver = value
	case name == "actionsendstreamdrivermode", name == "actionsendstreamdriver":
		b.sticky[name] = value
	case strings.HasPrefix(name, "action") && len(b.next) < 64:
		b.next[name] = value
	}
	return nil, nil
}
