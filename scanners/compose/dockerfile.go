package compose

import (
	"path"
	"regexp"
	"strings"
)

// A built is what a Dockerfile makes, as far as it can be told without building it.
type built struct {
	base string // the image that the last stage starts from; "" where the Dockerfile decides itself what runs
	line int    // of its FROM
	// copied lists what is put over files of that image: folders and files, absolute.
	copied []string
	env    bool // it sets variables
}

var (
	fromLine = regexp.MustCompile(`(?i)^FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?\s*$`)
	heredoc  = regexp.MustCompile(`<<-?["']?([A-Za-z_][A-Za-z0-9_]*)["']?`)
	// touchesLogs is what a command may do to what the base image logs.
	touchesLogs = regexp.MustCompile(`(?i)log|/dev/std`)
)

const maxStages = 200

type stage struct {
	from  string // an image, as written
	under int    // the stage that it starts from; -1 for an image
	line  int
	// own says that the stage decides what runs or where it logs.
	own    bool
	env    bool
	copied []string
}

// readDockerfile follows the stages of a Dockerfile (https://docs.docker.com/reference/dockerfile/) down from the one
// that is built: the last, or target. Args are those that the Compose file gives, nil for one without a value.
func readDockerfile(content, target string, args map[string]*string) built {
	known := map[string]string{}
	var stages []stage
	names := map[string]int{}
	dir := "/"
	lookup := func(name string) (string, bool) { v, ok := known[name]; return v, ok }
	for number, line := range logicalLines(content) {
		word, rest, _ := strings.Cut(line, " ")
		rest = strings.TrimSpace(rest)
		word = strings.ToUpper(word)
		switch {
		case word == "ARG" && len(stages) == 0:
			name, value, set := strings.Cut(rest, "=")
			if given, ok := args[name]; ok && given != nil {
				value, set = *given, true
			}
			if set {
				known[name] = strings.Trim(value, `"'`)
			}
			continue
		case word == "FROM":
			m := fromLine.FindStringSubmatch(line)
			if m == nil || len(stages) == maxStages {
				return built{}
			}
			image, err := expand(clean(m[1]), lookup, 0)
			if err != nil {
				image = unresolved(m[1])
			}
			s := stage{from: image, under: -1, line: number}
			if i, ok := names[strings.ToLower(image)]; ok {
				s.under = i
			}
			if m[2] != "" {
				names[strings.ToLower(m[2])] = len(stages)
			}
			stages = append(stages, s)
			dir = "/"
			continue
		case len(stages) == 0:
			continue
		}
		s := &stages[len(stages)-1]
		switch word {
		case "CMD", "ENTRYPOINT", "ONBUILD":
			s.own = true
		case "RUN", "VOLUME":
			s.own = s.own || touchesLogs.MatchString(rest)
		case "ENV":
			s.env = true
		case "WORKDIR":
			dir = path.Join(dir, rest)
			if path.IsAbs(rest) {
				dir = path.Clean(rest)
			}
		case "COPY", "ADD":
			to := strings.Trim(rest[strings.LastIndexAny(rest, " \t,")+1:], `"'] `)
			if !path.IsAbs(to) {
				to = path.Join(dir, to)
			}
			if strings.Contains(to, "$") || strings.Contains(rest, "<<") {
				to = "/"
			}
			s.copied = append(s.copied, path.Clean(to))
		}
	}
	i := len(stages) - 1
	if target != "" {
		var ok bool
		if i, ok = names[strings.ToLower(target)]; !ok {
			return built{}
		}
	}
	var out built
	for i >= 0 {
		s := stages[i]
		if s.own {
			return built{}
		}
		out.copied = append(out.copied, s.copied...)
		out.env = out.env || s.env
		if s.under < 0 {
			if s.from != "scratch" {
				out.base, out.line = s.from, s.line
			}
			return out
		}
		i = s.under // always an earlier one
	}
	return out
}

// logicalLines yields the instructions of a Dockerfile, each with the number of its first line.
func logicalLines(content string) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		var line strings.Builder
		start, number, until := 0, 0, ""
		for text := range strings.Lines(content) {
			number++
			text = strings.TrimRight(text, "\r\n")
			trimmed := strings.TrimSpace(text)
			if until != "" { // within a here-document
				if strings.TrimLeft(text, "\t") == until {
					until = ""
					if !yield(start, line.String()) {
						return
					}
					line.Reset()
				} else if line.Len() < maxText {
					line.WriteString(" " + text)
				}
				continue
			}
			if strings.HasPrefix(trimmed, "#") || trimmed == "" {
				continue
			}
			if line.Len() == 0 {
				start = number
			}
			more, continued := strings.CutSuffix(trimmed, `\`)
			if line.Len() < maxText {
				line.WriteString(more + " ")
			}
			if continued {
				continue
			}
			instruction := strings.TrimSpace(strings.ReplaceAll(line.String(), "\t", " "))
			word, _, _ := strings.Cut(instruction, " ")
			if m := heredoc.FindStringSubmatch(instruction); m != nil && (strings.EqualFold(word, "RUN") || strings.EqualFold(word, "COPY") || strings.EqualFold(word, "ADD")) {
				until = m[1]
				continue
			}
			if !yield(start, instruction) {
				return
			}
			line.Reset()
		}
		if line.Len() > 0 {
			yield(start, strings.TrimSpace(line.String()))
		}
	}
}
