package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxShown bounds a name or message of a stranger's in a report, in bytes.
const maxShown = 2000

// Clean makes a string of a stranger's fit for a reader: control characters, marks that turn the direction of writing
// and bytes that are no UTF-8 are shown as escapes, and what would then be longer than 2,000 bytes is cut. What is clean
// stays as it is.
func Clean(s string) string {
	if len(s) <= maxShown && !strings.ContainsFunc(s, hostile) {
		return s
	}
	const more = "…"
	var b strings.Builder
	fits := 0 // bytes of b that leave room for more
	for i, r := range s {
		_, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size > 1: // it was written so
			b.WriteRune(r)
		case r == utf8.RuneError:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case hostile(r) && r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case hostile(r) && r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		case hostile(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		if b.Len() > maxShown {
			return b.String()[:fits] + more
		}
		if b.Len() <= maxShown-len(more) {
			fits = b.Len()
		}
	}
	return b.String()
}

func hostile(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) ||
		r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Co, r)
}
