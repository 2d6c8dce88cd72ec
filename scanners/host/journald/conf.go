package journald

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"lookback/evidence"
	"lookback/scanners/host/scope"
)

// A setting is what somebody wrote, and where.
type setting struct {
	text string
	at   evidence.Origin
}

// A conf is a configuration of systemd's: its main file and all drop-ins, joined.
type conf struct {
	set map[string]setting // by name; what was set empty is not there
	// remarked holds what the main file has behind a "#": its vendor writes the defaults of the program there.
	remarked map[string]string
	at       evidence.Origin // the main file
	there    bool
	err      error // a file that could not be read
}

// read joins a main file with its drop-ins.
func read(s *scope.Scope, name, section string, of ...evidence.Activity) *conf {
	c := &conf{set: map[string]setting{}, remarked: map[string]string{}, at: scope.At("etc/systemd/"+name, 0)}
	main, dropIns, err := s.Systemd(name, of...)
	c.err = err
	if main != "" {
		c.at = scope.At(main, 0)
		dropIns = append([]string{main}, dropIns...)
	}
	for _, file := range dropIns {
		text, err := s.Read(file, of...)
		if err != nil {
			c.err = err
		}
		c.there = true
		c.parse(string(text), file, section, file == main)
	}
	return c
}

func (c *conf) parse(text, file, section string, main bool) {
	within := false
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		at := scope.At(file, i+1)
		line := strings.TrimSpace(lines[i])
		if line == "" || line[0] == ';' || line[0] == '#' {
			if key, value, ok := strings.Cut(strings.TrimLeft(line, "#; "), "="); ok && within && main {
				c.remarked[key] = value
			}
			continue
		}
		for strings.HasSuffix(line, `\`) && i+1 < len(lines) {
			i++
			line = strings.TrimSuffix(line, `\`) + " " + strings.TrimSpace(lines[i])
		}
		if line[0] == '[' {
			within = line == "["+section+"]"
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || !within {
			continue
		}
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if value == "" {
			delete(c.set, key) // back to the default
			continue
		}
		c.set[key] = setting{value, at}
	}
}

// get is a setting that may be anything, known or by default.
func (c *conf) get(key, def string) (text string, at evidence.Origin) {
	if s, ok := c.set[key]; ok {
		return s.text, s.at
	}
	return def, c.at.WithNote("default")
}

var errStrange = errors.New("not a value that systemd reads")

// size reads "512M": units of 1024, as in systemd's parse_size.
func size(text string) (int64, error) {
	number := strings.TrimRight(text, "BKMGTPE ")
	unit := strings.TrimSuffix(strings.TrimSpace(text[len(number):]), "B")
	power := strings.Index("KMGTPE", unit) + 1
	if unit == "" {
		power = 0
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	n *= math.Pow(1024, float64(power))
	if err != nil || len(unit) > 1 || !(n >= 0 && n < math.MaxInt64) {
		return 0, errStrange
	}
	return int64(n), nil
}

// spans are units of time: systemd.time(7).
var spans = map[string]float64{
	"": 1, "s": 1, "sec": 1, "second": 1, "seconds": 1,
	"us": 1e-6, "µs": 1e-6, "usec": 1e-6, "ms": 1e-3, "msec": 1e-3, "ns": 1e-9, "nsec": 1e-9,
	"m": 60, "min": 60, "minute": 60, "minutes": 60, "h": 3600, "hr": 3600, "hour": 3600, "hours": 3600,
	"d": 86400, "day": 86400, "days": 86400, "w": 604800, "week": 604800, "weeks": 604800,
	"M": 2629800, "month": 2629800, "months": 2629800, "y": 31557600, "year": 31557600, "years": 31557600,
}

// Span reads "1year 2weeks" or a number of seconds: systemd.time(7).
func Span(text string) (time.Duration, error) {
	if text == "infinity" {
		return math.MaxInt64, nil
	}
	sum := 0.0
	for rest := strings.TrimSpace(text); ; {
		digits := strings.IndexFunc(rest, func(c rune) bool { return c != '.' && (c < '0' || c > '9') })
		if digits < 0 {
			digits = len(rest)
		}
		n, err := strconv.ParseFloat(rest[:digits], 64)
		if err != nil {
			return 0, errStrange
		}
		rest = strings.TrimLeft(rest[digits:], " ")
		word := strings.IndexAny(rest, "0123456789. ")
		if word < 0 {
			word = len(rest)
		}
		unit, ok := spans[rest[:word]]
		if !ok {
			return 0, errStrange
		}
		sum += n * unit
		if rest = strings.TrimLeft(rest[word:], " "); rest == "" {
			break
		}
	}
	if sum > math.MaxInt64/1e9 {
		return math.MaxInt64, nil
	}
	return time.Duration(sum * 1e9), nil
}

// boolean reads systemd's words for yes and no.
func boolean(text string) (on, ok bool) {
	switch strings.ToLower(text) {
	case "1", "yes", "y", "true", "t", "on":
		return true, true
	case "0", "no", "n", "false", "f", "off":
		return false, true
	}
	return false, false
}
