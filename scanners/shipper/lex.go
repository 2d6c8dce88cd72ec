package shipper

import (
	"fmt"
	"strings"
)

// A token is a word, a quoted string or a sign of a configuration language.
type token struct {
	text   string
	line   int
	quoted bool
	raw    bool // in backquotes
}

func (t token) is(sign string) bool { return !t.quoted && t.text == sign }

// lex cuts a text into tokens. Words are runs of letters, digits and what wordChars holds; comments begin with what
// comment says, or are "/* */".
func lex(text, comment, wordChars string) ([]token, error) {
	var out []token
	line := 1
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\n':
			line++
			i++
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case strings.HasPrefix(text[i:], comment):
			end := strings.IndexByte(text[i:], '\n')
			if end < 0 {
				return out, nil
			}
			i += end
		case comment == "//" && strings.HasPrefix(text[i:], "/*"):
			end := strings.Index(text[i+2:], "*/")
			if end < 0 {
				return nil, fmt.Errorf("line %d: a comment does not end", line)
			}
			line += strings.Count(text[i:i+2+end], "\n")
			i += end + 4
		case c == '"' || c == '\'' || c == '`':
			end := closing(text[i+1:], text[i:i+1], c == '"')
			if end < 0 {
				return nil, fmt.Errorf("line %d: a string does not end", line)
			}
			s := text[i+1 : i+1+end]
			t := token{text: s, line: line, quoted: true, raw: c == '`'}
			if c == '"' {
				t.text = unescape(s)
			}
			out = append(out, t)
			line += strings.Count(s, "\n")
			i += end + 2
		case c == '/' && len(out) > 0 && (out[len(out)-1].is("=~") || out[len(out)-1].is("!~")):
			end := closing(text[i+1:], "/", true)
			if end < 0 {
				return nil, fmt.Errorf("line %d: a pattern does not end", line)
			}
			line += strings.Count(text[i:i+1+end], "\n")
			i += end + 2
			out = append(out, token{text: "", line: line, quoted: true})
		case word(c) || c >= 0x80 || strings.IndexByte(wordChars, c) >= 0:
			end := i + 1
			for end < len(text) && (word(text[end]) || text[end] >= 0x80 || strings.IndexByte(wordChars, text[end]) >= 0) {
				end++
			}
			out = append(out, token{text: text[i:end], line: line})
			i = end
		default:
			n := 1
			for _, two := range []string{"=>", "=~", "!~", "==", "!=", "<=", ">=", "&&", "||"} {
				if strings.HasPrefix(text[i:], two) {
					n = 2
				}
			}
			out = append(out, token{text: text[i : i+n], line: line})
			i += n
		}
	}
	return out, nil
}

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n", `\t`, "\t").Replace(s)
}

// A cursor goes through tokens.
type cursor struct {
	toks []token
	pos  int
}

func (c *cursor) peek() token {
	if c.pos < len(c.toks) {
		return c.toks[c.pos]
	}
	return token{quoted: true}
}

func (c *cursor) more() bool { return c.pos < len(c.toks) }

func (c *cursor) next() token {
	t := c.peek()
	c.pos++
	return t
}

func (c *cursor) accept(sign string) bool {
	if c.more() && c.peek().is(sign) {
		c.pos++
		return true
	}
	return false
}

func (c *cursor) want(sign string) error {
	if !c.accept(sign) {
		if !c.more() {
			return fmt.Errorf("the text ends before %q", sign)
		}
		return fmt.Errorf("line %d: %.40q where %q belongs", c.peek().line, c.peek().text, sign)
	}
	return nil
}
