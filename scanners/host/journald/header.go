package journald

import (
	"encoding/binary"
	"errors"
	"time"
)

// headerSize is how much of a journal file the fields that we read take; the whole header is longer in younger versions.
const headerSize = 208

// A header is what the first bytes of a journal file say of the records in it: systemd's
// src/libsystemd/sd-journal/journal-def.h, whose layout has only grown since 2012.
//
// We read it ourselves: the library that people use, go-systemd, needs cgo and the libsystemd of the machine that runs us,
// and opens files by itself, past the root of an image. Of all that is in a journal we need these few numbers.
type header struct {
	entries   uint64
	firstNo   uint64 // the sequence number of the first record: 1 in the first file of a journal
	lastNo    uint64
	first     time.Time
	last      time.Time
	sequence  [16]byte // which count the sequence numbers belong to
	sealed    bool     // records are followed by tags that show whether somebody altered them
	machineID [16]byte
}

var (
	errNoJournal = errors.New("not a journal file")
	errDamaged   = errors.New("the header of the journal file contradicts itself")
)

// parse reads the head of a file of a given size, at a given time of the scan.
func parse(data []byte, size int64, now time.Time) (header, error) {
	if len(data) < headerSize || string(data[:8]) != "LPKSHHRH" {
		return header{}, errNoJournal
	}
	number := func(at int) uint64 { return binary.LittleEndian.Uint64(data[at:]) }
	h := header{
		sealed:  binary.LittleEndian.Uint32(data[8:])&1 != 0, // HEADER_COMPATIBLE_SEALED
		entries: number(152),
		lastNo:  number(160),
		firstNo: number(168),
	}
	copy(h.machineID[:], data[40:])
	copy(h.sequence[:], data[72:])
	length, arena := number(88), number(96)
	if length < headerSize || length > 1<<16 || size < 0 || arena > uint64(size)-min(length, uint64(size)) {
		return header{}, errDamaged
	}
	if h.entries == 0 {
		return h, nil
	}
	first, last := number(184), number(192) // microseconds since 1970
	const most = 1 << 53
	if first > most || last > most || h.firstNo == 0 || h.firstNo > h.lastNo || h.lastNo-h.firstNo < h.entries-1 {
		return header{}, errDamaged
	}
	h.first, h.last = time.UnixMicro(int64(first)).UTC(), time.UnixMicro(int64(last)).UTC()
	for _, t := range []time.Time{h.first, h.last} {
		// A clock that was set while it wrote may turn the two around; neither lies before there was a journal, or ahead.
		if t.Year() < 2011 || !now.IsZero() && t.After(now.Add(48*time.Hour)) {
			return header{}, errDamaged
		}
	}
	if h.last.Before(h.first) {
		h.first, h.last = h.last, h.first
	}
	return h, nil
}
