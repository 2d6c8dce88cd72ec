package html

import (
	"bufio"
	"fmt"
	"strings"

	"lookback/evidence"
	"lookback/report"
)

// markup is HTML of our own. Only what stands written in this package is markup: Go makes a constant into it by itself, and
// a test holds that nobody makes anything else into it.
type markup string

// clean is text of which every part has passed report.Clean already, so that its end is not cut off.
type clean string

// where writes where a fact was seen; empty where nobody says.
func where(at evidence.Origin) clean { return clean(report.Where(at)) }

// escaper makes text fit to stand between tags and in a quoted attribute.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", "+", "&#43;", "\x00", "\uFFFD")

// A writer writes a page. It keeps the first error for its end, as bufio does.
type writer struct {
	*page
	to *bufio.Writer // for this file alone
}

// put writes markup, and in it an argument for each {}. This is the one way onto the page: whatever the argument is, it is
// made fit to be read, and escaped. So a {} stands between tags or within a quoted attribute. A URL never begins with one:
// every link on the page is a # and an ID.
//
// It is no template of the standard library, because one that can call any method by its name makes the linker keep every
// method of every library.
func (w *writer) put(m markup, args ...any) {
	rest := string(m)
	for _, arg := range args {
		before, after, _ := strings.Cut(rest, "{}")
		w.to.WriteString(before)
		text, ok := arg.(clean)
		if !ok {
			text = clean(report.Clean(fmt.Sprint(arg)))
		}
		_, _ = escaper.WriteString(w.to, string(text)) // to keeps the error
		rest = after
	}
	w.to.WriteString(rest)
}

// style writes the style, which is ours.
func (w *writer) style() { w.put(markup(style)) }

// end writes what is left, and returns the first error.
func (w *writer) end() error { return w.to.Flush() }
