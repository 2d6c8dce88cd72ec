package html

import "strings"

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
