package spool

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lookback/evidence"
)

// parts makes what a few accounts give: some of it twice, some of it in an order of its own.
func parts(r *rand.Rand) []*evidence.Set {
	var out []*evidence.Set
	for n := range 3 + r.IntN(5) {
		set := &evidence.Set{Counted: map[string]int{"queue": n}}
		for i := range r.IntN(20) {
			unit := []string{fmt.Sprintf("aws:%d", n), "aws:", "aws:1-b", "a \"quoted\" name"}[max(0, r.IntN(12)-8)]
			at := evidence.Origin{Call: "s3:Get", Of: fmt.Sprint(r.IntN(2))}
			id := evidence.ID(fmt.Sprintf("%s%s//%d", unit, []string{"", "/eu"}[r.IntN(2)], r.IntN(6)))
			switch r.IntN(9) {
			case 0:
				id = evidence.ID(unit)
			case 1, 2: // a bucket
				id = evidence.ID("aws://s3/" + []string{"logs", "logs-b", "logs/a", "logs/a/b", "other/a"}[r.IntN(5)])
			}
			switch r.IntN(3) {
			case 0:
				set.Record(&evidence.Asset{Subject: evidence.Subject{ID: id, Name: "<a>", At: at}, Lasting: i%2 == 0})
			case 1:
				set.Record(&evidence.LogStore{Subject: evidence.Subject{ID: id, At: at}, Kept: evidence.Known(r.IntN(3), at)})
			default:
				set.Record(&evidence.Alarm{Subject: evidence.Subject{ID: id, At: at}})
			}
		}
		for range r.IntN(4) {
			set.Gap(evidence.Gap{In: evidence.ID(fmt.Sprintf("aws:%d", r.IntN(3))), Asked: "buckets", Bad: r.IntN(2) == 0})
		}
		if r.IntN(3) == 0 {
			set.Waiver(evidence.Waiver{Check: fmt.Sprint(n), Subject: "*", Reason: "r"})
		}
		out = append(out, set)
	}
	return out
}

func head() *evidence.Set {
	return &evidence.Set{
		Tool: "lookback 0.1.0", Started: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), Ended: time.Date(2026, 6, 1, 12, 9, 0, 0, time.UTC), Targets: []string{"aws"},
		With:    []evidence.Record{&evidence.Asset{Subject: evidence.Subject{ID: "docker:x//host"}}},
		Gaps:    []evidence.Gap{{Asked: "the rest of AWS", Bad: true}},
		Waivers: []evidence.Waiver{{Check: "0", Subject: "*", Reason: "a"}}, Counted: map[string]int{"queue": 1},
	}
}

// whole is everything at once.
func whole(ps []*evidence.Set) *evidence.Set {
	set := head()
	for _, p := range ps {
		set.Records, set.Gaps, set.Waivers = append(set.Records, p.Records...), append(set.Gaps, p.Gaps...), append(set.Waivers, p.Waivers...)
		for kind, n := range p.Counted {
			set.Counted[kind] += n
		}
	}
	set.Sort()
	return set
}

func written(t *testing.T, set *evidence.Set) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := evidence.Write(&out, set); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// spooled adds parts in any order, several at a time.
func spooled(t *testing.T, ps []*evidence.Set, small int64) (*evidence.Set, *File) {
	t.Helper()
	s := New(t.TempDir())
	s.small = small
	t.Cleanup(func() { _ = s.Close() })
	var wg sync.WaitGroup
	for _, p := range ps {
		wg.Go(func() {
			if err := s.Add(p); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	set, file, err := s.Join(head())
	if err != nil {
		t.Fatal(err)
	}
	if file != nil {
		t.Cleanup(func() { _ = file.Close() })
	}
	return set, file
}

func TestPartsAreWhatAllAtOnceIs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		ps := parts(r)
		want := written(t, whole(ps))
		set, file := spooled(t, ps, Small)
		if file != nil {
			t.Fatal("a small scan became a file")
		}
		if got := written(t, set); !bytes.Equal(got, want) {
			t.Fatalf("in memory:\n%s\nwant\n%s", got, want)
		}
		for _, small := range []int64{0, int64(len(want) / 2)} {
			set, file = spooled(t, ps, small)
			if set != nil {
				t.Fatal("a large scan is in memory")
			}
			var got bytes.Buffer
			if err := file.CopyTo(&got); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Fatalf("%d: as files:\n%s\nwant\n%s", i, got.Bytes(), want)
			}
			holds(t, file, want)
		}
	}
}

// holds wants a file to give what evidence.Read does.
func holds(t *testing.T, file *File, text []byte) {
	t.Helper()
	want, err := evidence.Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	got := *file.Head()
	seen := map[string]int{}
	for n := range file.Units() {
		records, err := file.Unit(n)
		if err != nil {
			t.Fatal(err)
		}
		if len(records) == 0 {
			t.Errorf("unit %d is empty", n)
		}
		for _, r := range records {
			name := r.Self().ID.Unit()
			if strings.HasPrefix(string(r.Self().ID), "aws://") {
				name = string(r.Self().ID)
			}
			if m, ok := seen[name]; ok && m != n {
				t.Errorf("%s lies in units %d and %d", name, m, n)
			}
			seen[name] = n
		}
		got.Records = append(got.Records, records...)
	}
	if err := file.Gaps(func(g evidence.Gap) error { got.Gap(g); return nil }); err != nil {
		t.Fatal(err)
	}
	again := written(t, &got)
	if !bytes.Equal(again, written(t, want)) {
		t.Fatalf("a file gives\n%s\nwant\n%s", again, written(t, want))
	}
	sum := sha256.Sum256(again)
	if file.SHA256() != hex.EncodeToString(sum[:]) {
		t.Error("the hash is not that of the evidence")
	}
}

// TestBucketsAreUnits has no place in a bucket lie in memory because others do.
func TestBucketsAreUnits(t *testing.T) {
	set := head()
	for _, id := range []evidence.ID{"aws:", "aws://s3/a/x", "aws://s3/a/y", "aws://s3/b", "aws://s3/b/x", "aws://s3/c-d/x", "aws://s3/c/x", "aws:1//a", "aws:1/eu//a"} {
		set.Record(&evidence.Asset{Subject: evidence.Subject{ID: id}})
	}
	_, file := spooled(t, []*evidence.Set{set}, 0)
	var got []int
	for n := range file.Units() {
		records, err := file.Unit(n)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, len(records))
	}
	if want := []int{1, 1, 1, 1, 1, 1, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("units of %d records, want %d", got, want)
	}
}

// TestFilesThatWereCut opens evidence that ends anywhere: the lines that are whole are there, and it is partial.
func TestFilesThatWereCut(t *testing.T) {
	text := written(t, whole(parts(rand.New(rand.NewPCG(3, 4)))))
	first := bytes.IndexByte(text, '\n') + 1
	path := filepath.Join(t.TempDir(), "evidence.jsonl")
	for cut := first; cut <= len(text); cut += 1 + cut%5 {
		if err := os.WriteFile(path, text[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := Open(path)
		if err != nil {
			t.Fatalf("cut after %d bytes: %v", cut, err)
		}
		if file.Head().Partial != (cut < len(text)-1) {
			t.Errorf("cut after %d of %d bytes it is partial: %v", cut, len(text), file.Head().Partial)
		}
		holds(t, file, text[:cut])
		var copied bytes.Buffer
		if err := file.CopyTo(&copied); err != nil {
			t.Fatal(err)
		}
		holds(t, file, copied.Bytes())
		_ = file.Close()
	}
}

func TestOpenRefuses(t *testing.T) {
	text := string(written(t, whole(parts(rand.New(rand.NewPCG(3, 4))))))
	lines := strings.SplitAfter(text, "\n")
	path := filepath.Join(t.TempDir(), "evidence.jsonl")
	for name, c := range map[string]struct{ text, want string }{
		"nothing":              {"", "not saved evidence"},
		"something else":       {"services:\n  web: {}\n", "not saved evidence"},
		"another version":      {strings.Replace(text, "evidence/1", "evidence/9", 1), `"lookback-evidence/9" is not a format`},
		"a second header":      {lines[0] + text, "line 2 holds nothing"},
		"more after the end":   {text + lines[1], "more after the end"},
		"garbage":              {lines[0] + "garbage\n" + text[len(lines[0]):], "line 2: invalid character"},
		"a line without end":   {lines[0] + strings.Repeat("x", 9<<20), "line 2 has more than"},
		"out of order":         {lines[0] + lines[3] + lines[1] + lines[len(lines)-2], ErrOrder.Error()},
		"a waiver that is bad": {lines[0] + `{"waiver":{"check":1}}` + "\n", "line 2"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(path); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	if _, err := Open(path + ".gone"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestRecordsThatAreBad are found when their unit is read, with their line.
func TestRecordsThatAreBad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "evidence.jsonl")
	text := string(written(t, head()))
	header, end, _ := strings.Cut(text, "\n")
	bad := header + "\n" + `{"asset":{"id":"a","kind":"","name":"","at":{}}}` + "\n" + `{"asset":{"id":"b","kind":"","nme":"","at":{}}}` + "\n" + end
	if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Unit(0); err != nil {
		t.Error(err)
	}
	if _, err := file.Unit(1); err == nil || !strings.Contains(err.Error(), `line 3: json: unknown field "nme"`) {
		t.Errorf("got %v", err)
	}
}

func TestSortMendsTheOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	set := whole(parts(r))
	want := written(t, set)
	lines := bytes.SplitAfter(want, []byte("\n"))
	body := lines[1 : len(lines)-2]
	r.Shuffle(len(body), func(i, j int) { body[i], body[j] = body[j], body[i] })
	path := filepath.Join(t.TempDir(), "evidence.jsonl")
	if err := os.WriteFile(path, slices.Concat(lines...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrOrder) {
		t.Fatalf("got %v", err)
	}
	s := New(t.TempDir())
	defer s.Close()
	file, err := s.Sort(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	holds(t, file, want)
}

// TestPartsAreEvidence looks at what lies in the folder when the program is killed.
func TestPartsAreEvidence(t *testing.T) {
	dir := t.TempDir()
	s := New(dir)
	s.small = 0
	ps := parts(rand.New(rand.NewPCG(7, 8)))
	for _, p := range ps {
		if err := s.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "lookback-*", "*.jsonl"))
	if err != nil || len(files) != len(ps) {
		t.Fatalf("%d files for %d parts, %v", len(files), len(ps), err)
	}
	for i, path := range files {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		set, err := evidence.Read(bytes.NewReader(text))
		if err != nil || len(set.Records) != len(ps[i].Records) || !set.Partial {
			t.Errorf("%s: %d records of %d, partial %t, %v", path, len(set.Records), len(ps[i].Records), set.Partial, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%d files are left", len(left))
	}
}

func TestAPartThatCannotBeWritten(t *testing.T) {
	s := New(filepath.Join(t.TempDir(), "gone"))
	s.small = 0
	if err := s.Add(&evidence.Set{}); err == nil || !strings.Contains(err.Error(), "keeping evidence") {
		t.Errorf("got %v", err)
	}
}
