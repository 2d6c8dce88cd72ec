package kubernetes

import (
	"bytes"
	"strings"
)

// A head is what a look at the top of a document tells: its kind, when that can be had without parsing.
type head struct {
	kind, version string
	odd           bool // only a parser can tell
}

// manifest reads a file of one or more documents.
func (r *reader) manifest(content []byte) {
	for line := 0; len(content) > 0; {
		doc := content[:documentEnd(content)]
		content = content[len(doc):]
		if text := bytes.TrimLeft(doc, " \t\r\n"); len(text) > 0 && text[0] == '{' {
			r.objects(doc, line)
		} else {
			r.document(doc, line, lookAt(doc))
		}
		line += bytes.Count(doc, []byte("\n"))
	}
}

// documentEnd returns where the first document ends: before the next line that begins with "---". Such a line ends a
// document even in the middle of a block scalar.
func documentEnd(content []byte) int {
	for from := 0; ; {
		i := bytes.Index(content[from:], []byte("\n---"))
		if i < 0 {
			return len(content)
		}
		from += i + 1
		if rest := content[from+3:]; len(rest) == 0 || isSpace(rest[0]) {
			return from
		}
	}
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\r' || b == '\n' }

// document reads one document of which the head is known.
func (r *reader) document(doc []byte, line int, h head) {
	switch {
	case h.odd:
		if bytes.Contains(doc, []byte("kind")) && bytes.Contains(doc, []byte("apiVersion")) {
			r.parse(doc, line, "", r.object)
		}
	case h.kind == "" || h.version == "":
	case strings.HasPrefix(h.version, "skaffold/"):
		r.parse(doc, line, "", r.skaffold)
	case asked(h.kind, h.version):
		r.parse(doc, line, h.kind, r.object)
	default:
		r.count(h.kind)
	}
}

func (r *reader) count(kind string) {
	if r.file.counted == nil {
		r.file.counted = map[string]int{}
	}
	r.file.counted[strings.Clone(kind)]++
}

// lookAt finds the kind of a YAML document at the start of its lines.
func lookAt(doc []byte) head {
	kind, oddKind := topLevel(doc, "kind")
	if kind == "" && !oddKind {
		// No key "kind" at the start of a line: the document is indented, tagged or in flow style, or no manifest.
		first := firstByte(doc)
		return head{odd: first != 0 && strings.IndexByte(" \t{!&?", first) >= 0}
	}
	version, oddVersion := topLevel(doc, "apiVersion")
	return head{kind: kind, version: version, odd: oddKind || oddVersion}
}

// topLevel returns the plain value of a key that begins a line; odd says that the value takes a parser to read.
func topLevel(doc []byte, key string) (value string, odd bool) {
	for from := 0; ; {
		i := bytes.Index(doc[from:], []byte(key))
		if i < 0 {
			return "", false
		}
		start, end := from+i, from+i+len(key)
		from = end
		if start > 0 && (doc[start-1] == '"' || doc[start-1] == '\'') && end < len(doc) && doc[end] == doc[start-1] {
			start, end = start-1, end+1
		}
		if start > 0 && doc[start-1] != '\n' {
			continue
		}
		rest := bytes.TrimLeft(doc[end:], " \t")
		if len(rest) < 2 || rest[0] != ':' || !isSpace(rest[1]) {
			continue
		}
		rest, _, _ = bytes.Cut(rest[1:], []byte("\n"))
		rest, _, _ = bytes.Cut(rest, []byte(" #"))
		rest = bytes.TrimSpace(rest)
		if len(rest) == 0 || strings.IndexByte("&!*|>{[?%@`#", rest[0]) >= 0 || bytes.ContainsAny(rest, "\\") {
			return "", true
		}
		return strings.Trim(string(rest), `"'`), false
	}
}

// firstByte returns the first byte of the first line with something in it that is no comment, marker or directive.
func firstByte(doc []byte) byte {
	for len(doc) > 0 {
		line, rest, _ := bytes.Cut(doc, []byte("\n"))
		doc = rest
		if after, ok := bytes.CutPrefix(line, []byte("---")); ok {
			line = bytes.TrimLeft(after, " \t")
		}
		text := bytes.TrimSpace(line)
		if len(text) > 0 && text[0] != '#' && line[0] != '%' {
			return line[0]
		}
	}
	return 0
}

// objects reads JSON: an object, or several one after the other.
func (r *reader) objects(doc []byte, line int) {
	for {
		skipped := len(doc) - len(bytes.TrimLeft(doc, " \t\r\n"))
		line += bytes.Count(doc[:skipped], []byte("\n"))
		doc = doc[skipped:]
		if len(doc) == 0 {
			return
		}
		h, end := lookAtJSON(doc)
		if end == 0 { // YAML in flow style, or broken
			h.odd = h.odd || h.kind == ""
			end = len(doc)
		}
		r.document(doc[:end], line, h)
		line += bytes.Count(doc[:end], []byte("\n"))
		doc = doc[end:]
	}
}

// lookAtJSON finds the kind of the JSON object that begins the text, and where the object ends: 0 when it does not, or
// is not JSON.
func lookAtJSON(text []byte) (h head, end int) {
	if text[0] != '{' {
		return head{odd: true}, 0
	}
	depth, key := 0, ""
	var last string // the last string at the top level
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{', '[':
			depth++
			key = ""
		case '}', ']':
			if depth--; depth == 0 {
				return h, i + 1
			}
		case ':':
			if depth == 1 {
				key, last = last, ""
			}
		case ',':
			if depth == 1 {
				key, last = "", ""
			}
		case '"':
			start := i + 1
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if depth != 1 || i >= len(text) {
				continue
			}
			s := text[start:i]
			switch {
			case len(s) > 256:
				last = ""
			case key == "kind":
				h.kind = string(s)
			case key == "apiVersion":
				h.version = string(s)
			default:
				last = string(s)
			}
		case ' ', '\t', '\r', '\n':
		default:
			if strings.IndexByte("-+.0123456789truefalsnE", text[i]) < 0 {
				h.odd = true
				return h, 0
			}
		}
	}
	return h, 0
}
