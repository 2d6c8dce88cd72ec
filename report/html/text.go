package html

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longest is how many characters of one text a page shows.
const longest = 300

// show makes a text from input fit to be read: what does not print (control characters, marks that turn the direction of
// writing, zero-width characters, bytes that are no UTF-8) is written as its code, and a text without end is cut.
// Escaping for HTML is the template's work.
func show(v any) string {
	s := fmt.Sprint(v)
	if plain(s) {
		return s
	}
	var b strings.Builder
	n := 0
	for i, r := range s {
		if n++; n > longest {
			fmt.Fprintf(&b, "… (and %d more characters)", utf8.RuneCountInString(s[i:]))
			break
		}
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n':
			b.WriteByte(' ')
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

func plain(s string) bool {
	if len(s) > longest {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// An advice is a paragraph of a cure, with the words that say to whom it speaks: "Cure, Compose:".
type advice struct{ To, Text string }

// doc takes the Doc of a check apart: the story, and from the first line that begins with "Cure" on, the cure.
func doc(text string) (story []string, cure []advice) {
	for _, p := range paragraphs(text) {
		if len(cure) == 0 && !strings.HasPrefix(p, "Cure") {
			story = append(story, p)
			continue
		}
		to, rest, ok := strings.Cut(p, ": ")
		if !ok || !strings.HasPrefix(p, "Cure") {
			to, rest = "", p
		} else {
			to += ":"
		}
		cure = append(cure, advice{to, rest})
	}
	return story, cure
}

// full is from how many characters on a line of a Doc counts as broken because the next word would not fit.
const full = 108

// paragraphs joins lines that were only broken to fit; a line that ends early ends its paragraph.
func paragraphs(text string) []string {
	var out []string
	joined := false
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			joined = false
			continue
		}
		if joined && !strings.HasPrefix(line, "Cure") {
			out[len(out)-1] += " " + line
		} else {
			out = append(out, line)
		}
		joined = len(line) >= full
	}
	return out
}
