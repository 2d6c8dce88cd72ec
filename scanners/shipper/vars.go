package shipper

import "strings"

// unresolved stands in a text for what a variable without a known value would put there. Configuration files hold no
// such byte; one that does is unresolved there, which is the safe way round.
const unresolved = "\x00"

// value returns the value of a variable, or unresolved.
func (r *reading) value(name string) string {
	v, known := r.vars(name)
	if !known {
		return unresolved
	}
	return v
}

// A dialect says how a format writes variables.
type dialect struct {
	def     string // what stands between name and default in ${NAME:-default}; "" where there are no defaults
	prefix  string // "env:", which may stand before the name
	bare    bool   // $NAME works too
	dollars bool   // $$ is a dollar
}

// expand replaces the variables of s.
func (r *reading) expand(s string, d dialect) string {
	if !strings.Contains(s, "$") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '$' || i+1 == len(s) {
			b.WriteByte(s[i])
			i++
			continue
		}
		switch next := s[i+1]; {
		case next == '$' && d.dollars:
			b.WriteByte('$')
			i += 2
		case next == '{':
			end := strings.IndexByte(s[i:], '}')
			if end < 0 {
				b.WriteString(unresolved)
				return b.String()
			}
			b.WriteString(r.variable(s[i+2:i+end], d))
			i += end + 1
		case d.bare && (next == '_' || next >= 'a' && next <= 'z' || next >= 'A' && next <= 'Z'):
			end := i + 2
			for end < len(s) && word(s[end]) {
				end++
			}
			b.WriteString(r.value(s[i+1 : end]))
			i = end
		default:
			b.WriteByte('$')
			i++
		}
	}
	return b.String()
}

func (r *reading) variable(inner string, d dialect) string {
	inner = strings.TrimPrefix(inner, d.prefix)
	name, def, hasDefault := inner, "", false
	if d.def != "" {
		name, def, hasDefault = strings.Cut(inner, d.def)
	}
	if d.def == ":-" && !hasDefault {
		if name, _, hasDefault = strings.Cut(inner, ":?"); hasDefault {
			def = "?" // an error, where it is not set
		} else {
			name, def, hasDefault = strings.Cut(inner, "-")
		}
	}
	if r.p.root != "" && (name == "path.config" || name == "path.home") {
		return r.p.root
	}
	for i := range len(name) {
		if !word(name[i]) && name[i] != '.' {
			return unresolved // ${file:...}, a nested variable
		}
	}
	v := r.value(name)
	if v == "" && hasDefault {
		if strings.HasPrefix(def, "?") || strings.ContainsAny(def, "${") {
			return unresolved
		}
		return strings.Trim(def, `"'`)
	}
	return v
}

func word(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// on reports whether a setting says yes.
func on(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "on", "true", "yes", "1", "y", "t":
		return true
	}
	return false
}

// off reports whether a setting says no.
func off(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "off", "false", "no", "0", "n", "f":
		return true
	}
	return false
}
