package report

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"nothing":                         {"", ""},
		"plain text":                      {`web "1" <b>\x1b`, `web "1" <b>\x1b`},
		"text of other languages":         {"Größe 日本 עברית 😀", "Größe 日本 עברית 😀"},
		"an escape sequence":              {"a\x1b[31mb", `a\x1b[31mb`},
		"line ends, a tab, a nul":         {"a\r\nb\tc\x00", `a\x0d\x0ab\x09c\x00`},
		"delete":                          {"\x7f", `\x7f`},
		"a C1 control":                    {"\u009b2J\u0085", `\u009b2J\u0085`},
		"text that runs backwards":        {"\u202egnp.exe\u202c", `\u202egnp.exe\u202c`},
		"isolates and marks of direction": {"\u2066a\u2069\u200e\u200f\u061c", `\u2066a\u2069\u200e\u200f\u061c`},
		"what has no width":               {"a\u200bb\u200dc\ufeffd\u00ad", `a\u200bb\u200dc\ufeffd\u00ad`},
		"separators of lines":             {"a\u2028b\u2029", `a\u2028b\u2029`},
		"private use":                     {"\ue000\U000f0000", `\ue000\U000f0000`},
		"a tag beyond four digits":        {"\U000e0041", `\U000e0041`},
		"bytes that are no UTF-8":         {"a\xff\xc3(\xed\xa0\x80", `a\xff\xc3(\xed\xa0\x80`},
		"a replacement character":         {"a\uFFFDb", "a\uFFFDb"},
		"one beside a bad byte":           {"\uFFFD\xff\uFFFD", "\uFFFD\\xff\uFFFD"},
		"as long as may be":               {strings.Repeat("x", 2000), strings.Repeat("x", 2000)},
		"one more":                        {strings.Repeat("x", 2001), strings.Repeat("x", 1997) + "…"},
		"not in the middle of a letter":   {strings.Repeat("é", 1001), strings.Repeat("é", 998) + "…"},
		"nor of an escape":                {strings.Repeat("\x1b", 501), strings.Repeat(`\x1b`, 499) + "…"},
		"long by its escapes":             {strings.Repeat("\u202e", 400), strings.Repeat(`\u202e`, 332) + "…"},
		"nothing but cut letters":         {strings.Repeat("\x80", 3000), strings.Repeat(`\x80`, 499) + "…"},
		"long enough with its escapes":    {strings.Repeat("\x1b", 500), strings.Repeat(`\x1b`, 500)},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Clean(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{"", "web", "a\x1b[31m\u202e\xff\uFFFD", strings.Repeat("\x80é", 900), strings.Repeat("\U000e0041", 300)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		if !utf8.ValidString(got) {
			t.Errorf("%q is no UTF-8", got)
		}
		if i := strings.IndexFunc(got, func(r rune) bool {
			return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp)
		}); i >= 0 {
			t.Errorf("%q holds a character that does not print, at byte %d", got, i)
		}
		if len(got) > 2000 {
			t.Errorf("%d bytes", len(got))
		}
		if again := Clean(got); again != got {
			t.Errorf("cleaned again, %q is %q", got, again)
		}
	})
}
