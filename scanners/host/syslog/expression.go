package syslog

import (
	"errors"
	"fmt"
	"strings"
)

// A token is a word, a quoted text or a sign.
type token struct {
	text   string
	quoted bool
	line   int
}

func (t token) is(text string) bool { return !t.quoted && t.text == text }

var errOpen = errors.New("a text in quotes does not end")

// maxDepth is how deep expressions and blocks may lie in each other.
const maxDepth = 64

// lex cuts a text that begins on a line into tokens; "#" begins a remark.
func lex(text string, line int) ([]token, error) {
	var out []token
	word := func(c byte) bool {
		return c == '_' || c == '-' || c == '.' || c == '$' || c == '!' || c == '*' || c == '/' || c == ':' || c == '@' || c == '%' || c == '+' ||
			c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
	}
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '\n':
			line++
			i++
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case c == '#':
			end := strings.IndexByte(text[i:], '\n')
			if end < 0 {
				return out, nil
			}
			i += end
		case c == '"' || c == '\'' || c == '`':
			var b strings.Builder
			from := line
			i++
			for ; i < len(text) && text[i] != c; i++ {
				if text[i] == '\\' && c == '"' && i+1 < len(text) {
					i++
				}
				if text[i] == '\n' {
					line++
				}
				b.WriteByte(text[i])
			}
			if i >= len(text) {
				return nil, fmt.Errorf("line %d: %w", from, errOpen)
			}
			i++
			out = append(out, token{b.String(), true, from})
		case strings.HasPrefix(text[i:], "!=") || strings.HasPrefix(text[i:], "==") || strings.HasPrefix(text[i:], "<=") || strings.HasPrefix(text[i:], ">=") || strings.HasPrefix(text[i:], "<>") || strings.HasPrefix(text[i:], ".."):
			out = append(out, token{text[i : i+2], false, line})
			i += 2
		case word(c):
			end := i + 1
			for end < len(text) && word(text[end]) && !strings.HasPrefix(text[end:], "..") && !strings.HasPrefix(text[end:], "!=") {
				end++
			}
			out = append(out, token{text[i:end], false, line})
			i = end
		default:
			out = append(out, token{text[i : i+1], false, line})
			i++
		}
	}
	return out, nil
}

// A cursor goes through tokens.
type cursor struct {
	toks  []token
	pos   int
	depth int
}

func (c *cursor) more() bool { return c.pos < len(c.toks) }

func (c *cursor) peek() token {
	if c.more() {
		return c.toks[c.pos]
	}
	return token{}
}

func (c *cursor) next() token {
	t := c.peek()
	c.pos++
	return t
}

func (c *cursor) accept(text string) bool {
	if c.more() && c.peek().is(text) {
		c.pos++
		return true
	}
	return false
}

// skip goes behind what closes the parenthesis, bracket or brace that was just opened.
func (c *cursor) skip() {
	for depth := 1; c.more() && depth > 0; {
		switch t := c.next(); {
		case t.is("("), t.is("{"), t.is("["):
			depth++
		case t.is(")"), t.is("}"), t.is("]"):
			depth--
		}
	}
}

// expression reads what "or", "and" and "not" join of the terms that term reads.
func (c *cursor) expression(term func(*cursor) filter) filter {
	if c.depth++; c.depth > maxDepth {
		c.pos = len(c.toks)
		return always(strange)
	}
	defer func() { c.depth-- }()
	f := c.conjunction(term)
	for c.accept("or") {
		f = f.or(c.conjunction(term))
	}
	return f
}

func (c *cursor) conjunction(term func(*cursor) filter) filter {
	f := c.factor(term)
	for c.accept("and") {
		f = f.and(c.factor(term))
	}
	return f
}

func (c *cursor) factor(term func(*cursor) filter) filter {
	negated := false
	for c.accept("not") || c.accept("!") {
		negated = !negated
	}
	var f filter
	if c.accept("(") {
		if f = c.expression(term); !c.accept(")") {
			f = always(strange)
			c.skip()
		}
	} else {
		f = term(c)
	}
	if negated {
		return f.not()
	}
	return f
}

// script reads a condition of rsyslog's own language:
// https://docs.rsyslog.com/doc/rainerscript/expressions.html
func script(text string) filter {
	toks, err := lex(text, 1)
	if err != nil || len(toks) > maxTokens {
		return always(strange)
	}
	c := &cursor{toks: toks}
	f := c.expression(scriptTerm)
	if c.more() {
		return always(strange)
	}
	return f
}

func scriptTerm(c *cursor) filter {
	t := c.next()
	if c.accept("(") { // a function
		arg := c.peek()
		c.skip()
		if t.text == "prifilt" && arg.quoted {
			if f, ok := selector(arg.text); ok {
				return f
			}
		}
		if c.comparison() != "" {
			c.operand()
		}
		return always(strange)
	}
	op := c.comparison()
	if op == "" {
		return always(strange)
	}
	value, ok := c.operand()
	if !ok || t.quoted || !strings.HasPrefix(t.text, "$") {
		return always(strange)
	}
	if values := strings.Split(value, "\x00"); len(values) > 1 { // any of a list
		if op == "!=" || op == "<>" {
			return always(strange)
		}
		f := compare(t.text, op, values[0])
		for _, v := range values[1:] {
			f = f.or(compare(t.text, op, v))
		}
		return f
	}
	return compare(t.text, op, value)
}

// comparison reads an operator.
func (c *cursor) comparison() string {
	switch t := c.peek(); {
	case t.quoted:
	case t.text == "==" || t.text == "!=" || t.text == "<>" || t.text == "<" || t.text == "<=" || t.text == ">" || t.text == ">=",
		strings.HasPrefix(t.text, "contains"), strings.HasPrefix(t.text, "startswith"), t.text == "endswith":
		c.pos++
		return t.text
	}
	return ""
}

// operand reads a word, a number, or a list of words, which come back with zeros between them.
func (c *cursor) operand() (string, bool) {
	if c.accept("[") {
		var list []string
		for c.more() && !c.accept("]") {
			if t := c.next(); t.quoted {
				list = append(list, t.text)
			} else if t.text != "," {
				return "", false
			}
		}
		return strings.Join(list, "\x00"), len(list) > 0 && len(list) < maxList
	}
	t := c.next()
	if c.accept("(") {
		c.skip()
		return "", false
	}
	return strings.ReplaceAll(t.text, "\x00", ""), t.quoted || t.text != "" && t.text[0] >= '0' && t.text[0] <= '9'
}

// Limits that no real condition reaches.
const (
	maxList   = 256 // words that one comparison names
	maxTokens = 4096
)
