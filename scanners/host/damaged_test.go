package host_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"lookback/scanners/host/hosttest"
)

// TestDamagedFilesAreJudgedAllTheSame cuts off, and writes over, files that only a program can read.
func TestDamagedFilesAreJudgedAllTheSame(t *testing.T) {
	packed, err := os.Open("journald/testdata/system.journal.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	journal, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	linux, windows := image(), map[string]string{"Windows/System32/config/": "", "Windows/System32/winevt/Logs/": ""}
	hive := append([]byte("regf"), make([]byte, 4092)...)
	hive = append(append(hive, "hbin"...), make([]byte, 8188)...)
	binary.LittleEndian.PutUint32(hive[36:], 32)   // where the first key lies
	binary.LittleEndian.PutUint32(hive[40:], 8192) // how long the bins are
	log := append([]byte("ElfFile\x00"), make([]byte, 1<<16)...)
	copy(log[4096:], "ElfChnk\x00")
	for _, of := range []struct {
		image map[string]string
		name  string
		whole []byte
	}{
		{linux, "var/log/journal/" + machineID + "/system.journal", journal},
		{linux, "var/log/wtmp", make([]byte, 384*20)},
		{linux, "var/log/syslog.2.gz", []byte(gz(strings.Repeat("2026-05-10T10:00:00+00:00 web-1 cron: hello\n", 1000)))},
		{linux, container('c') + strings.Repeat("c", 64) + "-json.log.1.gz", []byte(gz("{}\n"))},
		{windows, "Windows/System32/config/SYSTEM", hive},
		{windows, "Windows/System32/config/SOFTWARE", hive},
		{windows, "Windows/System32/config/SECURITY", hive},
		{windows, "Windows/System32/winevt/Logs/Security.evtx", log},
	} {
		t.Run(filepath.Base(of.name), func(t *testing.T) {
			dir := hosttest.Folder(t, of.image)
			r := rand.New(rand.NewPCG(1, uint64(len(of.whole))))
			for n := range 24 {
				data := bytes.Clone(of.whole)
				switch {
				case n%3 == 0:
					data = data[:r.IntN(len(data))]
				case n%3 == 1:
					for range 1 + r.IntN(64) {
						data[r.IntN(min(len(data), 8192))] = byte(r.Uint32())
					}
				default:
					at := r.IntN(len(data))
					for i := range data[at:min(len(data), at+512)] {
						data[at+i] = 0xff
					}
				}
				at := filepath.Join(dir, of.name)
				if err := os.WriteFile(at, data, 0o644); err != nil {
					t.Fatal(err)
				}
				var start, end runtime.MemStats
				runtime.ReadMemStats(&start)
				set := scan(t, dir)
				runtime.ReadMemStats(&end)
				if heap := (end.TotalAlloc - start.TotalAlloc) >> 20; heap > 64 {
					t.Errorf("%d: %d MB were allocated", n, heap)
				}
				if len(set.Records) == 0 {
					t.Errorf("%d: nothing was judged", n)
				}
			}
		})
	}
}
