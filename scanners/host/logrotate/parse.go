package logrotate

import (
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A rule is what logrotate does with a log.
type rule struct {
	period  string // hourly, daily, weekly, monthly, yearly; "" where size alone decides
	size    int64  // bytes, where period is ""
	minSize int64
	maxSize int64
	count   int // rotated files that are kept; -1 for all
	maxAge  int // days; 0 where age does not matter
	oldDir  string
	line    int    // of the block
	file    string // that the block is in
	broken  error  // why logrotate leaves the block out
}

// A block is a rule and the files that it is for, as globs.
type block struct {
	rule
	patterns []string
}

// Limits that no real configuration reaches.
const (
	maxBlocks  = 4096
	maxReads   = 1024    // files
	maxText    = 8 << 20 // bytes of them all
	maxInclude = 16      // files within files
)

var errTooLarge = errors.New("more than any real configuration holds")

// A parser reads configuration as logrotate.conf(5) says. Values run to the end of their line: a remark may not follow them.
type parser struct {
	blocks []block
	rule   rule     // what holds for the blocks that follow
	taboo  []string // globs of files that a folder's include leaves out
	reads  int
	size   int

	// include reads what an include directive names: a file, or all of a folder that taboo lets through, in order of name.
	include func(name string, taboo []string) (names []string, err error)
	read    func(name string) ([]byte, error)
	missed  func(name string, err error) // told of a file that logrotate leaves out
}

// tabooExt is what a folder's include leaves out until it is told otherwise: logrotate(8), tabooext.
var tabooExt = []string{
	",v", ".cfsaved", ".disabled", ".dpkg-bak", ".dpkg-del", ".dpkg-dist", ".dpkg-new", ".dpkg-old", ".rhn-cfg-tmp-*",
	".rpmnew", ".rpmorig", ".rpmsave", ".swp", ".ucf-dist", ".ucf-new", ".ucf-old", "~",
}

func newParser() *parser {
	p := &parser{rule: rule{size: 1 << 20}} // config.c: without any word, at 1 MiB, and nothing is kept
	for _, ext := range tabooExt {
		p.taboo = append(p.taboo, "*"+ext)
	}
	return p
}

// file reads a file, and what it includes. After an error logrotate leaves out what follows in the file, and goes on with
// the next one as if this one had set nothing.
func (p *parser) file(name string, depth int) error {
	if p.reads++; depth > maxInclude || p.reads > maxReads {
		return errTooLarge
	}
	text, err := p.read(name)
	if err != nil {
		p.missed(name, err)
		return nil
	}
	if p.size += len(text); p.size > maxText {
		return errTooLarge
	}
	rule, taboo := p.rule, slices.Clone(p.taboo)
	if err := p.text(string(text), name, depth); err != nil {
		if errors.Is(err, errTooLarge) {
			return err
		}
		p.missed(name, err)
		p.rule, p.taboo = rule, taboo
	}
	return nil
}

// flags lists the words that take no value, so that others may follow on their line.
var flags = []string{
	"compress", "nocompress", "copy", "nocopy", "copytruncate", "nocopytruncate", "renamecopy", "norenamecopy", "create", "nocreate",
	"createolddir", "nocreateolddir", "dateext", "nodateext", "datehourago", "dateyesterday", "delaycompress", "nodelaycompress", "ifempty", "notifempty", "ignoreduplicates",
	"mailfirst", "maillast", "nomail", "missingok", "nomissingok", "noolddir", "sharedscripts", "nosharedscripts", "shred", "noshred", "allowhardlink", "noallowhardlink",
	"hourly", "daily", "weekly", "monthly", "yearly",
}

var scripts = []string{"prerotate", "postrotate", "preremove", "firstaction", "lastaction"}

func (p *parser) text(text, file string, depth int) error {
	var within *block
	line := 1
	// cut takes what stands before any of the given characters, and counts lines.
	cut := func(stops string) string {
		end := strings.IndexAny(text, stops)
		if end < 0 {
			end = len(text)
		}
		piece := text[:end]
		text = text[end:]
		line += strings.Count(piece, "\n")
		return piece
	}
	for {
		trimmed := strings.TrimLeft(text, " \t\r\n\f\v")
		line += strings.Count(text[:len(text)-len(trimmed)], "\n")
		if text = trimmed; text == "" {
			break
		}
		switch c := text[0]; {
		case c == '#':
			cut("\n")
		case c == '}':
			if text = text[1:]; within == nil {
				return fmt.Errorf("line %d: a brace closes that none opened", line)
			}
			p.blocks = append(p.blocks, *within)
			within = nil
		case c == '/' || c == '"' || c == '\'' || c == '~':
			at := line
			names := cut("{")
			if text == "" || within != nil {
				return fmt.Errorf("line %d: a file name where none is expected", at)
			}
			text = text[1:]
			if len(p.blocks) >= maxBlocks {
				return errTooLarge
			}
			within = &block{rule: p.rule, patterns: words(names)}
			within.file, within.line = file, at
		default:
			at := line
			key := cut(" \t\r\n={}")
			if key == "" {
				return fmt.Errorf("line %d: unexpected %q", at, text[:1])
			}
			text = strings.TrimPrefix(strings.TrimLeft(text, " \t"), "=")
			text = strings.TrimLeft(text, " \t")
			value := ""
			if !slices.Contains(flags, key) || strings.HasPrefix(key, "create") || text != "" && text[0] >= '0' && text[0] <= '9' {
				value = strings.TrimRight(cut("\n"), " \t\r")
			}
			if slices.Contains(scripts, key) {
				for text != "" {
					text = strings.TrimPrefix(text, "\n")
					line++
					if strings.TrimSpace(cut("\n")) == "endscript" {
						break
					}
				}
				continue
			}
			target := &p.rule
			if within != nil {
				target = &within.rule
			}
			err := p.set(target, key, value, depth)
			switch {
			case errors.Is(err, errTooLarge):
				return err
			case err != nil && within == nil:
				return fmt.Errorf("line %d: %w", at, err)
			case err != nil: // the block is left out, over to the next brace
				within.broken = fmt.Errorf("line %d: %w", at, err)
				cut("}")
			}
		}
	}
	if within != nil { // the end of the file closes it
		p.blocks = append(p.blocks, *within)
	}
	return nil
}

func (p *parser) set(r *rule, key, value string, depth int) (err error) {
	if value == "" && strings.HasSuffix(key, "size") {
		return nil // config.c goes on without it
	}
	switch key {
	case "hourly", "daily", "weekly", "monthly", "yearly":
		r.period = key // the last of these and of size counts
	case "size":
		r.period = ""
		r.size, err = bytes(value)
	case "minsize":
		r.minSize, err = bytes(value)
	case "maxsize":
		r.maxSize, err = bytes(value)
	case "rotate":
		r.count, err = strconv.Atoi(value)
		if r.count < -1 || r.count > math.MaxInt32 {
			err = fmt.Errorf("bad rotation count %q", value)
		}
	case "maxage":
		r.maxAge, err = strconv.Atoi(value)
		if r.maxAge < 0 || r.maxAge > math.MaxInt32 {
			err = fmt.Errorf("bad maximum age %q", value)
		}
	case "olddir":
		r.oldDir = value
	case "noolddir":
		r.oldDir = ""
	case "tabooext", "taboopat":
		list, more := strings.CutPrefix(value, "+")
		if !more {
			kind := func(pattern string) bool { return strings.HasPrefix(pattern, "*") == (key == "tabooext") }
			p.taboo = slices.DeleteFunc(p.taboo, kind)
		}
		for _, one := range strings.FieldsFunc(list, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' }) {
			if key == "tabooext" {
				one = "*" + one
			}
			if len(p.taboo) < maxReads {
				p.taboo = append(p.taboo, one)
			}
		}
	case "include":
		if p.include == nil {
			return nil
		}
		names, err := p.include(value, p.taboo)
		if err != nil {
			p.missed(value, err)
		}
		for _, name := range names {
			if err := p.file(name, depth+1); err != nil {
				return err
			}
		}
	}
	return err
}

// bytes reads "100", "100k", "100M" or "100G".
func bytes(text string) (int64, error) {
	unit := int64(1)
	if n := strings.IndexAny(text, "kMG"); n >= 0 && n == len(text)-1 {
		unit = map[byte]int64{'k': 1 << 10, 'M': 1 << 20, 'G': 1 << 30}[text[n]]
		text = text[:n]
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > 1<<50/unit {
		return 0, fmt.Errorf("bad size %q", text)
	}
	return n * unit, nil
}

// words splits file names as a shell does: at blanks that stand in no quotes.
func words(text string) []string {
	var out []string
	word, open := strings.Builder{}, byte(0)
	some := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == open && c != 0:
			open = 0
		case open == 0 && (c == '"' || c == '\''):
			open, some = c, true
		case c == '\\' && i+1 < len(text) && open != '\'':
			i++
			word.WriteByte(text[i])
			some = true
		case open == 0 && strings.IndexByte(" \t\r\n", c) >= 0:
			if some {
				out = append(out, word.String())
			}
			word.Reset()
			some = false
		default:
			word.WriteByte(c)
			some = true
		}
	}
	if some {
		out = append(out, word.String())
	}
	return out
}

// match returns the rule for a log. Where several blocks name it, logrotate takes the first.
func match(blocks []block, name string) (rule, bool) {
	for _, b := range blocks {
		for _, pattern := range b.patterns {
			if ok, _ := path.Match(path.Clean(pattern), "/"+name); ok {
				return b.rule, true
			}
		}
	}
	return rule{}, false
}

// days is how long logrotate promises to keep a record, counted from the worst moment: one that is written just before a
// rotation is thrown away with the file that it ends. Months are the shortest that follow each other.
func (r rule) days() int {
	if r.count <= 0 {
		return 0
	}
	per := map[string]float64{"hourly": 1.0 / 24, "daily": 1, "weekly": 7, "yearly": 365}
	if n, ok := per[r.period]; ok {
		return int(math.Min(float64(r.count)*n, math.MaxInt32))
	}
	length := []int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	least := 365
	for first := range length {
		sum := 0
		for i := range r.count % 12 {
			sum += length[(first+i)%12]
		}
		least = min(least, sum)
	}
	return min(r.count/12*365+least, math.MaxInt32)
}

// says is the rule in words: "weekly, rotate 4".
func (r rule) says() string {
	var out []string
	if r.period == "" {
		out = append(out, fmt.Sprintf("size %d", r.size))
	} else {
		out = append(out, r.period)
	}
	out = append(out, fmt.Sprintf("rotate %d", r.count))
	if r.maxSize > 0 {
		out = append(out, fmt.Sprintf("maxsize %d", r.maxSize))
	}
	if r.maxAge > 0 {
		out = append(out, fmt.Sprintf("maxage %d", r.maxAge))
	}
	return strings.Join(out, ", ")
}
