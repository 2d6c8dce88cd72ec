package windows

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// The layout of an event log, from https://github.com/libyal/libevtx, "Windows XML Event Log (EVTX) format": a header,
// then chunks of records. A log that overwrites its oldest records does so by the chunk, at its place in the file.
//
// Velocidex's evtx module is not to be had through the proxy of Go modules; others parse the XML of each record, of which
// nothing is needed here: the number and the time of the first and of the last record stand before it.
const (
	evtxHeader = 4096
	evtxChunk  = 65536
	evtxRecord = 512 // where the first record of a chunk begins
	maxChunks  = 1 << 17
)

// A span is what an event log reaches over.
type span struct {
	oldest, newest time.Time // the zero time where there is no record
	first          uint64    // the number of the oldest record, from 1
	bytes          int64     // of the file
}

// measure reads the first and the last record of an event log. Chunks that are damaged are passed over.
func measure(f io.ReaderAt, size int64) (s span, err error) {
	s.bytes = size
	var head [evtxHeader]byte
	if _, err := f.ReadAt(head[:128], 0); err != nil && !errors.Is(err, io.EOF) {
		return s, err
	}
	if string(head[:8]) != "ElfFile\x00" {
		return s, errors.New("not an event log")
	}
	chunks := (size - evtxHeader) / evtxChunk
	if chunks > maxChunks {
		return s, fmt.Errorf("more than %d chunks", maxChunks)
	}
	low, high := int64(-1), int64(-1)
	var lowest, highest uint64
	for n := range chunks {
		var c [32]byte
		if _, err := f.ReadAt(c[:], evtxHeader+n*evtxChunk); err != nil && !errors.Is(err, io.EOF) {
			return s, err
		}
		from, to := binary.LittleEndian.Uint64(c[8:]), binary.LittleEndian.Uint64(c[16:])
		// A chunk that was made and not used yet counts from 0 or from the highest number.
		if string(c[:8]) != "ElfChnk\x00" || from == 0 || from > to || to-from > evtxChunk {
			continue
		}
		if low < 0 || from < lowest {
			low, lowest = n, from
		}
		if high < 0 || to > highest {
			high, highest = n, to
		}
	}
	if low < 0 {
		return s, nil
	}
	if s.oldest, _, s.first, err = records(f, low); err != nil {
		return s, err
	}
	_, s.newest, _, err = records(f, high)
	return s, err
}

// records walks over the records of a chunk. Its header is not believed: it is behind while the log is open.
func records(f io.ReaderAt, chunk int64) (oldest, newest time.Time, first uint64, err error) {
	data := make([]byte, evtxChunk)
	if n, err := f.ReadAt(data, evtxHeader+chunk*evtxChunk); err != nil && !errors.Is(err, io.EOF) {
		return oldest, newest, 0, err
	} else {
		data = data[:n]
	}
	for at := evtxRecord; at+24 <= len(data) && string(data[at:at+4]) == "\x2a\x2a\x00\x00"; {
		size := int64(binary.LittleEndian.Uint32(data[at+4:]))
		if size < 24 || size > int64(len(data)-at) {
			break
		}
		when := filetime(binary.LittleEndian.Uint64(data[at+16:]))
		if oldest.IsZero() {
			oldest, first = when, binary.LittleEndian.Uint64(data[at+8:])
		}
		newest = when
		at += int(size)
	}
	if oldest.IsZero() {
		return oldest, newest, 0, fmt.Errorf("no record can be read in chunk %d", chunk)
	}
	return oldest, newest, first, nil
}

// filetime reads a time of Windows: steps of 100 nanoseconds since 1601. A time that no log has is the zero time.
func filetime(t uint64) time.Time {
	const since1970 = 11644473600
	if t > 1<<62 {
		return time.Time{}
	}
	at := time.Unix(int64(t/1e7)-since1970, int64(t%1e7)*100).UTC()
	if at.Year() < 1990 || at.Year() > 2200 {
		return time.Time{}
	}
	return at
}
