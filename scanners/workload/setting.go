package workload

import (
	"path"
	"slices"
	"strings"

	"lookback/evidence"
)

// state says whether a setting is on, as far as flags, environment and mounted configuration files tell. What is mounted
// on one of the data folders is data, and no configuration.
func (s *Setting) state(c *Container, data []string) evidence.Value[bool] {
	var open evidence.Value[bool] // the first thing that might turn it on and that we could not read
	unread := func(why evidence.Reason, at evidence.Origin, note string) {
		if open.IsZero() {
			open = evidence.Unknown[bool](why, at.WithNote(note))
		}
	}
	found := s.flags(c, unread)
	for _, sw := range s.On {
		if sw.Env == "" {
			continue
		}
		v, written := c.Env[sw.Env]
		value, known := v.Get()
		switch {
		case !written && c.EnvWhole.IsUnknown():
			unread(c.EnvWhole.Why(), c.EnvWhole.At(), "some variables of its environment were not seen")
		case !written:
		case !known:
			unread(v.Why(), v.At(), "the variable "+sw.Env+" has no value that we know")
		case found.IsZero() || !isOn(found):
			found = evidence.Known(sw.accepts(value), v.At())
		}
	}
	if isOn(found) {
		return found
	}
	for _, file := range s.configs(c, data) {
		text, known := file.Get()
		if !known {
			unread(file.Why(), file.At(), "its configuration file was not read")
			continue
		}
		if on, line := s.lines(text); line > 0 && (found.IsZero() || on) {
			at := file.At()
			at.Line, at.Col = at.Line+line-1, 0
			found = evidence.Known(on, at)
		}
	}
	at := c.Image.At()
	switch {
	case isOn(found):
		return found
	case s.Running:
		return evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("only the running system can tell whether "+s.What+" is on"))
	case s.Paid && found.IsZero():
		return evidence.Unknown[bool](evidence.Elsewhere, at.WithNote(s.What+" needs a subscription, of which nothing is written here"))
	case !open.IsZero():
		return open
	case !found.IsZero():
		return found
	}
	at = at.WithNote(s.What + " is off until it is turned on")
	at.Fix = s.fix()
	return evidence.Known(false, at)
}

// fix says how to turn a setting on: by its first switch, which is the usual one.
func (s *Setting) fix() string {
	if len(s.On) == 0 {
		return ""
	}
	sw := s.On[0]
	value := "on"
	if len(sw.Values) > 0 {
		value = sw.Values[0]
	}
	switch {
	case sw.Env != "":
		return "set " + sw.Env + "=" + value + " in its environment"
	case sw.Line != "":
		return "add \"" + sw.Line + "\" to its configuration"
	case sw.Bare:
		return "add " + sw.Flag + " to its command"
	}
	return "add " + sw.Flag + "=" + value + " to its command"
}

func isOn(v evidence.Value[bool]) bool {
	on, known := v.Get()
	return known && on
}

// flags looks through the command line: the last flag that says something decides.
func (s *Setting) flags(c *Container, unread func(evidence.Reason, evidence.Origin, string)) (found evidence.Value[bool]) {
	for i, arg := range c.Args {
		text, known := arg.Get()
		if !known {
			unread(arg.Why(), arg.At(), "a part of its command has no value that we know")
			continue
		}
		if i == 0 && strings.HasSuffix(text, ".sh") {
			unread(evidence.Unfamiliar, arg.At(), "a script starts it")
		}
		var next string
		if i+1 < len(c.Args) {
			next, _ = c.Args[i+1].Get()
		}
		words := []string{text, next}
		if strings.ContainsAny(text, " \t\n") { // sh -c "postgres -c log_connections=on"
			words = append(strings.Fields(text), "")
		}
		for j := range len(words) - 1 {
			for _, sw := range s.On {
				if on, said := sw.flag(words[j], words[j+1]); said {
					found = evidence.Known(on, arg.At())
				}
			}
		}
	}
	return found
}

// flag says what a word of a command line, and the one after it, say of a switch.
func (sw Switch) flag(word, next string) (on, said bool) {
	flag, key, two := strings.Cut(sw.Flag, " ")
	switch {
	case sw.Flag == "":
		return false, false
	case two && word == flag: // -c log_connections=on
		word, flag = next, key
	case two: // -clog_connections=on
		flag += key
	}
	name, value, written := strings.Cut(word, "=")
	if !sameKey(name, flag) {
		return false, false
	}
	switch {
	case written:
		return sw.accepts(value), true
	case sw.Bare:
		return true, true
	case two:
		return false, false
	}
	return sw.accepts(next), true
}

// sameKey compares names of settings, in which "-" and "_" are one.
func sameKey(a, b string) bool {
	return strings.EqualFold(strings.ReplaceAll(a, "_", "-"), strings.ReplaceAll(b, "_", "-"))
}

// accepts reports whether a value turns the switch on.
func (sw Switch) accepts(value string) bool {
	value = strings.ToLower(strings.Trim(strings.TrimSpace(value), `"';`))
	if len(sw.Values) > 0 {
		return slices.Contains(sw.Values, value)
	}
	return !slices.Contains([]string{"", "off", "false", "no", "0", "none", "null", "disabled"}, value)
}

// configs returns the configuration files that mounts bring: those that the image reads by itself, and those that a
// flag names.
func (s *Setting) configs(c *Container, data []string) []evidence.Value[string] {
	names := slices.Clone(s.Files)
	for _, arg := range c.Args {
		text, _ := arg.Get()
		if _, value, ok := strings.Cut(text, "="); ok {
			text = value
		}
		if path.IsAbs(text) && path.Ext(text) != "" && path.Ext(text) != ".sh" {
			names = append(names, text)
		}
	}
	var out []evidence.Value[string]
	for _, name := range names {
		m, mounted := c.over(name)
		switch {
		case mounted && (!m.settings() || isData(m.Path, data)):
			continue
		case !mounted && !c.mountsBelow(name):
			continue
		}
		if c.File != nil {
			if v := c.File(name); !v.IsMoot() {
				out = append(out, v)
			}
		}
	}
	return out
}

func isData(mount string, data []string) bool {
	return slices.ContainsFunc(data, func(d string) bool { return Within(d, mount) || Within(mount, d) && mount == d })
}

// lines looks for the keys of a setting in the text of a configuration file. It returns the line that decides, from 1; 0
// where none speaks of it.
func (s *Setting) lines(text string) (on bool, line int) {
	for _, sw := range s.On {
		if sw.Line == "" {
			continue
		}
		parents := strings.Split(sw.Line, ".")
		key, parents := parents[len(parents)-1], parents[:len(parents)-1]
		depth, n := 0, 0
		for text := range strings.Lines(text) {
			n++
			text = strings.TrimSpace(text)
			if text == "" || strings.HasPrefix(text, "#") || strings.HasPrefix(text, ";") || strings.HasPrefix(text, "//") {
				continue
			}
			name, value := keyValue(text)
			switch {
			case sameKey(name, sw.Line), depth == len(parents) && sameKey(name, key):
				on, line = sw.accepts(value), n
				if sw.Bare {
					on = !slices.Contains([]string{"off", "false", "no", "0"}, strings.ToLower(value))
				}
			case depth < len(parents) && sameKey(name, parents[depth]):
				depth++
			}
		}
		if on {
			return on, line
		}
	}
	return on, line
}

// keyValue cuts "key = value", "key: value", "key value", "[key]" and "<key>", with a comment behind it.
func keyValue(line string) (key, value string) {
	if table, _, ok := strings.Cut(line, "]"); ok && strings.HasPrefix(table, "[") {
		line = table // [accessLog] # a comment
	}
	line = strings.Trim(line, "-[]<> \t")
	i := strings.IndexAny(line, "=: \t<>")
	if i < 0 {
		return strings.Trim(line, `"'`), ""
	}
	key, value = strings.Trim(line[:i], `"'`), strings.Trim(line[i:], "=:<> \t")
	if i := strings.Index(value, " #"); i >= 0 {
		value = strings.TrimSpace(value[:i])
	}
	if i := strings.IndexByte(value, '<'); i >= 0 { // <console>1</console>
		value = value[:i]
	}
	return key, strings.Trim(value, `"',;`)
}
