package windows

import (
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lookback/scanners/host/hosttest"
)

// A testRecord is a record of an event log that a test writes.
type testRecord struct {
	id   uint64
	when time.Time
}

// eventLog writes an event log of chunks of records, with the checksums that it has when it was closed.
func eventLog(chunks ...[]testRecord) string {
	last := uint64(0)
	var body []byte
	for _, records := range chunks {
		body = append(body, eventChunk(records)...)
		for _, r := range records {
			last = max(last, r.id)
		}
	}
	head := slices.Concat([]byte("ElfFile\x00"), u64(0, uint64(max(len(chunks), 1)-1), last+1), u32(128), u16(1), u16(3), u16(4096),
		u16(uint16(len(chunks))))
	head = append(head, make([]byte, 4096-len(head))...)
	copy(head[124:], u32(crc32.ChecksumIEEE(head[:120])))
	return string(head) + string(body)
}

func eventChunk(records []testRecord) []byte {
	chunk := make([]byte, evtxChunk)
	at, end := evtxRecord, evtxRecord
	for _, r := range records {
		const size = 24 + 8 + 4
		end = at
		at += copy(chunk[at:], slices.Concat([]byte("\x2a\x2a\x00\x00"), u32(size), u64(r.id, windowsTime(r.when)),
			[]byte("\x0f\x01\x01\x00\x00\x00\x00\x00"), u32(size)))
	}
	if len(records) > 0 {
		low, high := records[0].id, records[len(records)-1].id
		copy(chunk, slices.Concat([]byte("ElfChnk\x00"), u64(low, high, low, high), u32(128, uint32(end), uint32(at))))
		copy(chunk[52:], u32(crc32.ChecksumIEEE(chunk[evtxRecord:at])))
		sum := crc32.NewIEEE()
		sum.Write(chunk[:120])
		sum.Write(chunk[128:512])
		copy(chunk[124:], u32(sum.Sum32()))
	}
	return chunk
}

func windowsTime(t time.Time) uint64 {
	return uint64(t.Unix()+11644473600)*1e7 + uint64(t.Nanosecond()/100)
}

// day is a day of May 2026.
func day(n int) time.Time { return time.Date(2026, 5, n, 10, 0, 0, 0, time.UTC) }

func TestHowFarBackAnEventLogReaches(t *testing.T) {
	round := eventLog( // the third chunk was overwritten last, and the fourth is the oldest
		[]testRecord{{401, day(20)}, {402, day(21)}}, []testRecord{{403, day(22)}}, []testRecord{{404, day(23)}, {405, day(24)}}, []testRecord{{301, day(3)}, {302, day(4)}})
	late := []byte(eventLog([]testRecord{{1, day(1)}, {2, day(2)}, {3, day(3)}}))
	copy(late[4096+16:], u64(2)) // the header of the chunk is behind, as it is while the log is open
	for name, c := range map[string]struct {
		data           string
		oldest, newest time.Time
		first          uint64
		fails          string
	}{
		"one chunk":              {data: eventLog([]testRecord{{1, day(1)}, {2, day(2)}}), oldest: day(1), newest: day(2), first: 1},
		"overwritten in circles": {data: round, oldest: day(3), newest: day(24), first: 301},
		"not closed":             {data: string(late), oldest: day(1), newest: day(3), first: 1},
		"empty":                  {data: eventLog()},
		"a chunk not used yet":   {data: eventLog([]testRecord{{1, day(1)}}, nil), oldest: day(1), newest: day(1), first: 1},
		"cut within a chunk":     {data: round[:4096+65536+600], oldest: day(20), newest: day(21), first: 401},
		"something else":         {data: strings.Repeat("x", 5000), fails: "not an event log"},
		"nothing":                {data: "", fails: "not an event log"},
		"no records where they ought to be": {data: func() string {
			bad := []byte(eventLog([]testRecord{{1, day(1)}}))
			copy(bad[4096+512:], "xxxx")
			return string(bad)
		}(), fails: "no record can be read"},
	} {
		got, err := measure(strings.NewReader(c.data), int64(len(c.data)))
		if c.fails != "" {
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || !got.oldest.Equal(c.oldest) || !got.newest.Equal(c.newest) || got.first != c.first {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestAnotherReaderReadsTheEventLogsOfTheseTests(t *testing.T) {
	tool := hosttest.Tool(t, "evtxinfo", "libevtx-utils")
	file := filepath.Join(t.TempDir(), "Security.evtx")
	if err := os.WriteFile(file, []byte(eventLog([]testRecord{{301, day(3)}, {302, day(4)}}, []testRecord{{303, day(5)}})), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool, file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Number of records\t\t: 3") || strings.Contains(string(out), "corrupted") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestAVeryLargeEventLogIsMeasuredInPieces(t *testing.T) {
	r := &hole{head: eventLog([]testRecord{{1, day(1)}}), size: 8 << 30}
	got, err := measure(r, r.size)
	if err != nil || got.first != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := measure(r, 64<<30); err == nil {
		t.Error("64 GiB are measured")
	}
}

// A hole is a file with nothing behind its head.
type hole struct {
	head string
	size int64
}

func (h *hole) ReadAt(to []byte, at int64) (int, error) {
	clear(to)
	if at < int64(len(h.head)) {
		copy(to, h.head[at:])
	}
	return len(to), nil
}

func FuzzEventLog(f *testing.F) {
	f.Add([]byte(eventLog([]testRecord{{1, day(1)}, {2, day(2)}})))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := measure(strings.NewReader(string(data)), int64(len(data)))
		if err == nil && s.first > 0 && s.oldest.IsZero() {
			t.Error(fmt.Sprint(s))
		}
	})
}
