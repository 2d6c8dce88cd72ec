package docker

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"testing"
	"time"

	"lookback/evidence"
	"lookback/scanners/host/hosttest"
	"lookback/scanners/host/scope"
)

// entry is a record as the driver "local" writes it: source, time, line.
func entry(at time.Time, line string) string {
	message := append([]byte{1<<3 | 2, 6}, "stdout"...)
	message = binary.AppendUvarint(append(message, 2<<3), uint64(at.UnixNano()))
	message = binary.AppendUvarint(append(message, 3<<3|2), uint64(len(line)))
	message = append(message, line...)
	size := binary.BigEndian.AppendUint32(nil, uint32(len(message)))
	return string(size) + string(message) + string(size)
}

func TestTheLogOfTheLocalDriverIsReadFromBothEnds(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 5, n, 10, 0, 0, 0, time.UTC) }
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(entry(day(1), "a") + entry(day(2), "b")))
	_ = z.Close()
	const name = "container.log"
	for what, c := range map[string]struct {
		files          map[string]string
		oldest, newest string
	}{
		"one file":           {map[string]string{name: entry(day(3), "a") + entry(day(4), "b")}, "2026-05-03", "2026-05-04"},
		"rotated":            {map[string]string{name: entry(day(3), "a"), name + ".1.gz": packed.String()}, "2026-05-01", "2026-05-03"},
		"empty":              {map[string]string{name: ""}, "elsewhere", "elsewhere"},
		"cut off":            {map[string]string{name: entry(day(3), "a")[:9]}, "failed", "failed"},
		"another format":     {map[string]string{name: `{"log":"a\n","time":"2026-05-03T10:00:00Z"}`}, "failed", "failed"},
		"after the scan":     {map[string]string{name: entry(hosttest.Now.AddDate(1, 0, 0), "a")}, "failed", "failed"},
		"before there was":   {map[string]string{name: entry(time.Unix(1, 0), "a")}, "failed", "failed"},
		"no archive":         {map[string]string{name: entry(day(3), "a"), name + ".1.gz": "x"}, "failed", "2026-05-03"},
		"nothing is written": {map[string]string{"x": ""}, "elsewhere", "elsewhere"},
	} {
		t.Run(what, func(t *testing.T) {
			hosttest.Scan(t, c.files, func(_ context.Context, s *scope.Scope) {
				var files []string
				for _, f := range []string{name, name + ".1.gz"} {
					if s.Has(f) {
						files = append(files, f)
					}
				}
				oldest, newest := localSpan(s, files)
				if says(oldest) != c.oldest || says(newest) != c.newest {
					t.Errorf("it reaches from %s to %s, want %s to %s", says(oldest), says(newest), c.oldest, c.newest)
				}
			})
		})
	}
}

func says(v evidence.Value[time.Time]) string {
	if t, known := v.Get(); known {
		return t.Format(time.DateOnly)
	}
	return v.Why().String()
}

func FuzzLocalEntry(f *testing.F) {
	f.Add([]byte(entry(time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), "x"))[4:])
	f.Add([]byte{2<<3 | 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, message []byte) {
		if at, err := entryTime(message); err == nil && (at.Year() < 2013 || at.Year() >= 2200) {
			t.Errorf("nobody believes %s", at)
		}
	})
}
