package logfile

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"lookback/scanners/host/scope"
)

// A reading knows what a line leaves out: the year, and the time zone.
type reading struct {
	zone    *time.Location
	written time.Time // when the file was last written: no record in it is younger
	now     time.Time
}

// zone is the local time of the host, in which syslog writes unless it is told otherwise; UTC where it cannot be read.
func zone(s *scope.Scope) *time.Location {
	return scope.Memo(s, "logfile.zone", func() *time.Location {
		data, err := s.Root.Head("etc/localtime", 64<<10)
		if err != nil {
			return time.UTC
		}
		loc, err := time.LoadLocationFromTZData("the host's", data)
		if err != nil {
			return time.UTC
		}
		return loc
	})
}

// layouts are times as lines begin with them. Those without a zone are local.
var layouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999-0700",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999-07:00",
	"2006-01-02 15:04:05.999999999 -0700",
	"2006-01-02 15:04:05.999999999",
	"2006/01/02 15:04:05.999999999",
	"2006 Jan 02 15:04:05",
	"02/Jan/2006:15:04:05 -0700",
	"Mon Jan _2 15:04:05 2006",
	"Mon Jan _2 15:04:05.999999999 2006",
	"Jan _2 15:04:05 2006",
	"Jan _2 2006 15:04:05",
}

// time returns when a record was written. It knows syslog's own form (RFC 3164, whose year is that of the file), RFC 3339
// and RFC 5424, the audit log, the common forms of web servers, and JSON with a time in it. A record of a file that goes
// back more than a year and whose lines name none is taken for younger than it is.
func (r reading) time(line string) (time.Time, bool) {
	if line[0] == '{' {
		return r.json(line)
	}
	if _, rest, ok := strings.Cut(line, "msg=audit("); ok { // type=SYSCALL msg=audit(1767225600.123:456): ...
		return r.epoch(rest)
	}
	if line[0] == '<' { // a priority, and in RFC 5424 the version: "<34>1 2026-..."
		if end := strings.IndexByte(line, '>'); end > 0 && end < 5 {
			line = strings.TrimPrefix(line[end+1:], "1 ")
		}
	}
	if at := strings.IndexByte(line, '['); at >= 0 && at < 256 { // 192.0.2.1 - bob [02/Jan/2026:15:04:05 +0000]
		if end := strings.IndexByte(line[at:], ']'); end > 0 {
			if t, ok := r.parse(line[at+1 : at+end]); ok {
				return t, true
			}
		}
	}
	return r.parse(line)
}

// parse reads a time at the beginning of a text.
func (r reading) parse(text string) (time.Time, bool) {
	if t, err := time.ParseInLocation(time.Stamp, head(text, len(time.Stamp)), r.zone); err == nil {
		return r.year(t)
	}
	text = strings.ReplaceAll(head(text, 40), ",", ".")
	fields := strings.SplitAfterN(text, " ", 6)
	// How many words a time takes depends on its form: try the longest first.
	for n := min(5, len(fields)); n > 0; n-- {
		word := strings.TrimRight(strings.Join(fields[:n], ""), " :.")
		for _, layout := range layouts {
			if strings.Count(strings.ReplaceAll(layout, "_", ""), " ") > n {
				continue
			}
			if t, err := time.ParseInLocation(layout, word, r.zone); err == nil {
				return r.sane(t)
			}
		}
	}
	return time.Time{}, false
}

func head(text string, n int) string { return text[:min(n, len(text))] }

// year gives a time the last year in which it is not after the file.
func (r reading) year(t time.Time) (time.Time, bool) {
	if r.written.IsZero() {
		return time.Time{}, false
	}
	// Clocks are put right, and files copied, within a day.
	latest := r.written.Add(24 * time.Hour)
	for y := latest.In(r.zone).Year(); y > latest.Year()-5; y-- { // the 29th of February needs up to four
		at := time.Date(y, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, r.zone)
		if at.Month() == t.Month() && !at.After(latest) {
			return r.sane(at)
		}
	}
	return time.Time{}, false
}

// epoch reads seconds since 1970, as in "1767225600.123:456".
func (r reading) epoch(text string) (time.Time, bool) {
	end := strings.IndexFunc(text, func(c rune) bool { return c != '.' && (c < '0' || c > '9') })
	if end >= 0 {
		text = text[:end]
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || seconds > math.MaxInt32*4 {
		return time.Time{}, false
	}
	return r.sane(time.UnixMilli(int64(math.Round(seconds * 1000))).UTC())
}

// json reads the time of a record that is one line of JSON. "ID" is that of laurel, which rewrites the audit log:
// https://github.com/threathunters-io/laurel#json-format
func (r reading) json(line string) (time.Time, bool) {
	var record map[string]json.RawMessage
	if json.Unmarshal([]byte(line), &record) != nil {
		return time.Time{}, false
	}
	for _, key := range []string{"time", "timestamp", "@timestamp", "ts", "date", "ID"} {
		var v any
		if json.Unmarshal(record[key], &v) != nil {
			continue
		}
		switch v := v.(type) {
		case string:
			if t, ok := r.parse(v); ok {
				return t, true
			}
			if t, ok := r.epoch(v); ok && key == "ID" {
				return t, true
			}
		case float64:
			for v > 1e11 && v < 1e20 { // milliseconds, microseconds, nanoseconds
				v /= 1000
			}
			if t, ok := r.epoch(strconv.FormatFloat(v, 'f', 3, 64)); ok {
				return t, true
			}
		}
	}
	return time.Time{}, false
}

// sane refuses what cannot be the time of a record: before there was Linux, or after the scan.
func (r reading) sane(t time.Time) (time.Time, bool) {
	if t.Year() < 1991 || t.Year() > 2200 || !r.now.IsZero() && t.After(r.now.Add(48*time.Hour)) {
		return time.Time{}, false
	}
	return t, true
}
