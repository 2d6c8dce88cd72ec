package syslog

import (
	"slices"
	"strconv"
	"strings"
)

// A message is what a filter is asked about. An empty facility or program stands for each of them.
type message struct {
	facility string
	severity int // 0 is emerg, 7 is debug
	program  string
}

// An answer says how much of what a message stands for a filter lets through.
type answer int8

const (
	no      answer = iota
	some           // it depends on what the message says
	strange        // we do not know what the filter means
	yes
)

// A filter answers for a message.
type filter func(message) answer

func always(a answer) filter { return func(message) answer { return a } }

func (f filter) and(g filter) filter {
	return func(m message) answer { return both(f(m), func() answer { return g(m) }) }
}

func (f filter) not() filter {
	return func(m message) answer { return opposite(f(m)) }
}

func (f filter) or(g filter) filter { return f.not().and(g.not()).not() }

// cached returns a filter that answers once for a message that is asked about again and again. One that comes to ask itself
// is strange.
func (f filter) cached() filter {
	var last message
	answered, busy := false, false
	var a answer
	return func(m message) answer {
		switch {
		case busy:
			return strange
		case answered && m == last:
			return a
		}
		busy = true
		a, last, answered = f(m), m, true
		busy = false
		return a
	}
}

// both is what two filters let through, the second of which is asked only where it matters.
func both(a answer, second func() answer) answer {
	if a == no {
		return no
	}
	b := second()
	switch {
	case b == no:
		return no
	case a == yes:
		return b
	case b == yes:
		return a
	}
	return max(a, b)
}

func opposite(a answer) answer {
	switch a {
	case yes:
		return no
	case no:
		return yes
	}
	return a
}

// facilities are those of syslog(3), by their numbers.
var facilities = []string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

// severities are those of syslog(3), by their numbers.
var severities = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

func facilityOf(word string) string {
	if word = strings.ToLower(word); word == "security" { // its name before POSIX
		return "auth"
	}
	return word
}

func severityOf(word string) int {
	word = strings.ToLower(word)
	if old, ok := map[string]string{"error": "err", "warn": "warning", "panic": "emerg", "critical": "crit", "informational": "info"}[word]; ok {
		word = old
	}
	if n, err := strconv.Atoi(word); err == nil && n >= 0 && n < 8 {
		return n
	}
	return slices.Index(severities, word)
}

// selector reads "*.*;auth,authpriv.none": syslog.conf(5). Of several for one facility the later ones change what the earlier
// ones chose.
func selector(text string) (filter, bool) {
	chosen := map[string]int{} // a bit a severity
	for one := range strings.SplitSeq(text, ";") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		names, level, ok := strings.Cut(one, ".")
		if !ok {
			return nil, false
		}
		exclude := strings.HasPrefix(level, "!")
		level = strings.TrimPrefix(level, "!")
		only := strings.HasPrefix(level, "=")
		level = strings.ToLower(strings.TrimPrefix(level, "="))
		bits := 0
		n := severityOf(level)
		switch {
		case level == "none":
			bits, exclude = 0xff, !exclude
		case level == "*":
			bits = 0xff
		case n < 0:
			return nil, false
		case only:
			bits = 1 << n
		default:
			bits = 1<<(n+1) - 1
		}
		for name := range strings.SplitSeq(names, ",") {
			name = facilityOf(strings.TrimSpace(name))
			list := []string{name}
			if n, err := strconv.Atoi(name); err == nil && n >= 0 && n < len(facilities) {
				list = facilities[n : n+1]
			} else if name == "*" {
				list = facilities
			} else if !slices.Contains(facilities, name) {
				return nil, false
			}
			for _, f := range list {
				if exclude {
					chosen[f] &^= bits
				} else {
					chosen[f] |= bits
				}
			}
		}
	}
	return func(m message) answer {
		if m.facility == "" {
			return some
		}
		if chosen[m.facility]&(1<<m.severity) != 0 {
			return yes
		}
		return no
	}, len(text) > 0
}

func boolean(b bool) answer {
	if b {
		return yes
	}
	return no
}

// compare is a comparison of a property of a message with a word or a number.
func compare(property, op, value string) filter {
	property = strings.ToLower(strings.TrimPrefix(property, "$"))
	op = strings.ToLower(op)
	if op == "isequal" {
		op = "=="
	}
	if op == "<>" || op == "!=" {
		return compare(property, "==", value).not()
	}
	text := func(got string) answer {
		switch op {
		case "==":
			return boolean(got == value)
		case "startswith":
			return boolean(strings.HasPrefix(got, value))
		case "startswith_i":
			return boolean(strings.HasPrefix(strings.ToLower(got), strings.ToLower(value)))
		case "contains":
			return boolean(strings.Contains(got, value))
		case "contains_i":
			return boolean(strings.Contains(strings.ToLower(got), strings.ToLower(value)))
		case "endswith":
			return boolean(strings.HasSuffix(got, value))
		case "isempty":
			return boolean(got == "")
		}
		return strange
	}
	number := func(got int) answer {
		want, err := strconv.Atoi(value)
		switch {
		case err != nil || got < 0:
			return strange
		case op == "==":
			return boolean(got == want)
		case op == "<":
			return boolean(got < want)
		case op == "<=":
			return boolean(got <= want)
		case op == ">":
			return boolean(got > want)
		case op == ">=":
			return boolean(got >= want)
		}
		return strange
	}
	return func(m message) answer {
		switch property {
		case "programname", "app-name":
			if m.program == "" {
				return some
			}
			return text(m.program)
		case "syslogtag": // "sshd[212]:"
			name, _, _ := strings.Cut(strings.TrimSuffix(value, ":"), "[")
			switch {
			case m.program == "":
				return some
			case op == "==" && name == m.program: // one process of it
				return some
			case op == "startswith" && name == m.program:
				return yes
			}
			return text(m.program)
		case "syslogfacility-text", "syslogfacility", "syslogpriority-text", "syslogseverity-text", "syslogpriority", "syslogseverity":
			if strings.HasPrefix(property, "syslogfacility") && m.facility == "" {
				return some
			}
			switch property {
			case "syslogfacility-text":
				return text(m.facility)
			case "syslogfacility":
				return number(slices.Index(facilities, m.facility))
			case "syslogseverity-text", "syslogpriority-text":
				return text(severities[m.severity])
			}
			return number(m.severity)
		case "fromhost-ip": // what is said on this machine
			return text("127.0.0.1")
		case "msg", "rawmsg", "rawmsg-after-pri", "pri-text", "timegenerated", "timereported", "timestamp", "procid", "msgid":
			return some
		}
		return strange
	}
}
