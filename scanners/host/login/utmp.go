package login

import (
	"encoding/binary"
	"errors"
	"time"
)

// A layout is how a machine writes struct utmp: utmp(5). Where the size of a long differs, glibc has two.
type layout struct {
	size int
	time int  // where the seconds since 1970 lie
	wide bool // in eight bytes, and not in four
}

var layouts = []layout{
	{size: 384, time: 340},             // x86, 64-bit x86, 32-bit ARM
	{size: 400, time: 344, wide: true}, // 64-bit ARM
}

// maxKind is the last of the kinds of record: ACCOUNTING.
const maxKind = 9

var errNoRecords = errors.New("not a file of login records")

// when returns the time of one record, which is zero for an empty one.
func (l layout) when(record []byte, now time.Time) (at time.Time, ok bool) {
	kind := binary.LittleEndian.Uint16(record)
	seconds := int64(binary.LittleEndian.Uint32(record[l.time:]))
	if l.wide {
		seconds = int64(binary.LittleEndian.Uint64(record[l.time:]))
	}
	if kind > maxKind || kind == 0 && seconds != 0 && seconds < 1<<20 {
		return time.Time{}, false
	}
	if seconds == 0 { // an empty slot, or a clock that was not set yet
		return time.Time{}, true
	}
	at = time.Unix(seconds, 0).UTC()
	if seconds < 0 || at.Year() < 1991 || at.Year() > 2200 || !now.IsZero() && at.After(now.Add(48*time.Hour)) {
		return time.Time{}, false
	}
	return at, true
}

// ends returns the times of the first and of the last record with one, from the head and the tail of a file: whole records
// from its beginning, and to its end. They are zero where no record has a time.
func ends(head, tail []byte, size int64, now time.Time) (first, last time.Time, err error) {
	if size == 0 {
		return first, last, nil
	}
	for _, l := range layouts {
		if size%int64(l.size) != 0 || len(tail)%l.size != 0 || len(head)%l.size != 0 {
			continue
		}
		first, ok := l.find(head, false, now)
		last, also := l.find(tail, true, now)
		if ok && also {
			return first, last, nil
		}
	}
	return first, last, errNoRecords
}

// find returns the first time, or the last one. All records on the way to it must make sense.
func (l layout) find(data []byte, backwards bool, now time.Time) (time.Time, bool) {
	n := len(data) / l.size
	for i := range n {
		if backwards {
			i = n - 1 - i
		}
		at, ok := l.when(data[i*l.size:(i+1)*l.size], now)
		if !ok || !at.IsZero() {
			return at, ok
		}
	}
	return time.Time{}, true
}
