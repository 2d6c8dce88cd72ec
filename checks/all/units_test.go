package all

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookback/checks"
	"lookback/checks/checktest"
	"lookback/evidence"
)

// A memory is a source whose units are cut out of a set.
type memory struct {
	*evidence.Set
	units [][]evidence.Record
}

func (m memory) Head() *evidence.Set {
	head := *m.Set
	head.Records, head.Gaps = nil, nil
	return &head
}

func (m memory) Units() int                            { return len(m.units) }
func (m memory) Unit(n int) ([]evidence.Record, error) { return slices.Clone(m.units[n]), nil }

// units cuts a sorted set as the reader of saved evidence does.
func units(set *evidence.Set) memory {
	m := memory{Set: set}
	named := map[string]int{}
	for _, r := range set.Records {
		name := r.Self().ID.Unit()
		if bucket, ok := strings.CutPrefix(string(r.Self().ID), "aws://s3/"); ok {
			name, _, _ = strings.Cut(bucket, "/")
		}
		n, ok := named[name]
		if !ok {
			n = len(m.units)
			named[name] = n
			m.units = append(m.units, nil)
		}
		if n < len(m.units)-1 {
			m.units[n] = slices.Concat(m.units[n:]...)
			m.units = m.units[:n+1]
			for other, i := range named {
				named[other] = min(i, n)
			}
		}
		m.units[n] = append(m.units[n], r)
	}
	return m
}

// lines writes down everything that a run gives.
func lines(rs ...*checks.Results) []string {
	var out []string
	for _, all := range rs {
		for _, r := range all.All {
			waiver := ""
			if r.Waiver != nil {
				waiver = r.Waiver.Reason
			}
			out = append(out, fmt.Sprintf("%s %s %s %s %q %q %q %v waived %q because %+v", r.Check.ID, r.Subject.ID, r.Outcome, r.Severity, r.Message, r.Group,
				r.Follows, r.Development, waiver, r.Because.At()))
		}
		for id, n := range all.Unasked {
			for range n {
				out = append(out, "unasked "+id)
			}
		}
		for _, g := range all.Gaps {
			out = append(out, fmt.Sprintf("gap %+v", g))
		}
		for _, w := range all.Idle {
			out = append(out, "idle "+w.Reason)
		}
		for _, w := range all.Expired {
			out = append(out, "expired "+w.Reason)
		}
	}
	slices.Sort(out)
	return out
}

// apart judges unit by unit.
func apart(t *testing.T, src checks.Source) []string {
	t.Helper()
	var parts []*checks.Results
	idle, expired, err := checks.RunUnits(src, All(), checktest.Policy(), nil, func(r *checks.Results, _ *evidence.Set) error {
		parts = append(parts, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines(append(parts, &checks.Results{Idle: idle, Expired: expired})...)
}

// scatter gives every ID of saved evidence another unit, one of a few, so that what joins lies apart.
func (s saved) scatter(salt, parts int) *evidence.Set {
	known := map[string]bool{}
	var ids func(key string, v any)
	ids = func(key string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, one := range v {
				if k == "value" {
					k = key
				}
				ids(k, one)
			}
		case []any:
			for _, one := range v {
				ids(key, one)
			}
		case string:
			switch key {
			case "id", "in", "covers", "to", "on", "also", "of":
				known[v] = true
			}
		}
	}
	for _, line := range s {
		ids("", line)
	}
	var move func(v any) any
	move = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			out := map[string]any{}
			for k, one := range v {
				out[k] = move(one)
			}
			return out
		case []any:
			out := make([]any, len(v))
			for i, one := range v {
				out[i] = move(one)
			}
			return out
		case string:
			if known[v] {
				hash := fnv.New32a()
				fmt.Fprint(hash, salt, v)
				if salt%3 > 0 && hash.Sum32()%5 < 2 { // as a bucket, which belongs to no unit
					return fmt.Sprintf("aws://s3/%d/%s", hash.Sum32()%4, v)
				}
				return fmt.Sprintf("part%d-%s", int(hash.Sum32())%parts, v)
			}
		}
		return v
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	for _, line := range s {
		_ = enc.Encode(move(line))
	}
	set, err := evidence.Read(&text)
	if err != nil {
		return nil
	}
	return set
}

// TestUnitByUnitIsAllAtOnce judges every fixture both ways: as it is, and with its records thrown apart.
func TestUnitByUnitIsAllAtOnce(t *testing.T) {
	tried := 0
	for name, s := range fixtures(t) {
		for salt := range 30 {
			set := s.scatter(salt, 2+salt%7)
			if set == nil {
				t.Fatalf("%s: not read", name)
			}
			src := units(set)
			tried += len(src.units)
			same(t, fmt.Sprintf("%s, thrown apart %d", filepath.Base(name), salt), set, src)
		}
	}
	if tried < 1000 {
		t.Errorf("only %d units", tried)
	}
}

func same(t *testing.T, name string, set *evidence.Set, src checks.Source) {
	t.Helper()
	want := lines(checks.Run(set, All(), checktest.Policy(), nil))
	got := apart(t, src)
	if !slices.Equal(got, want) {
		t.Errorf("%s: unit by unit it is not the same", name)
		for _, l := range got {
			if !slices.Contains(want, l) {
				t.Log("only unit by unit: ", l)
			}
		}
		for _, l := range want {
			if !slices.Contains(got, l) {
				t.Log("only all at once: ", l)
			}
		}
	}
}
