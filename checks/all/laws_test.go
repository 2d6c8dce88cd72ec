package all

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"lookback/checks"
	"lookback/checks/checktest"
	"lookback/evidence"
)

// A saved is evidence in the form in which it is saved, so that a test can change each fact of it.
type saved []any

// fixtures returns the evidence of every fixture.
func fixtures(t *testing.T) map[string]saved {
	t.Helper()
	names, err := filepath.Glob("../*/testdata/*.yaml")
	if err != nil || len(names) < len(All()) {
		t.Fatalf("found %d fixtures, %v", len(names), err)
	}
	all := map[string]saved{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		set, err := checktest.Load(name, data)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := evidence.Write(&text, set); err != nil {
			t.Fatal(err)
		}
		var s saved
		for line := range bytes.Lines(text.Bytes()) {
			var v any
			if err := json.Unmarshal(line, &v); err != nil {
				t.Fatal(err)
			}
			s = append(s, v)
		}
		all[name] = s
	}
	return all
}

// judge returns the outcome of every check of every subject.
func (s saved) judge(t *testing.T) map[string]checks.Result {
	t.Helper()
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	for _, line := range s {
		if err := enc.Encode(line); err != nil {
			t.Fatal(err)
		}
	}
	set, err := evidence.Read(&text)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]checks.Result{}
	for _, r := range checks.Run(set, All(), checktest.Policy(), nil).All {
		out[r.Check.ID+" of "+string(r.Subject.ID)] = r
	}
	return out
}

// A fact is a place in saved evidence at which a fact is written.
type fact struct {
	name string // the field, or the part
	at   map[string]any
}

func (s saved) facts() []fact {
	var out []fact
	var walk func(name string, v any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case map[string]any:
			_, isKnown := v["value"]
			_, isUnknown := v["unknown"]
			_, isMoot := v["moot"]
			if isKnown || isUnknown || isMoot {
				out = append(out, fact{name, v})
				return
			}
			for _, key := range slices.Sorted(maps.Keys(v)) {
				walk(key, v[key])
			}
		case []any:
			for _, item := range v {
				walk(name, item)
			}
		}
	}
	for _, line := range s {
		walk("", line)
	}
	return out
}

// become replaces what is written of a fact, and returns what undoes that.
func (f fact) become(other map[string]any) (undo func()) {
	before := maps.Clone(f.at)
	clear(f.at)
	maps.Copy(f.at, other)
	return func() {
		clear(f.at)
		maps.Copy(f.at, before)
	}
}

func TestNothingIsJudgedOfWhatNobodyLookedAt(t *testing.T) {
	judged := 0
	for name, s := range fixtures(t) {
		for _, f := range s.facts() {
			f.become(map[string]any{"unknown": ""})
		}
		for of, r := range s.judge(t) {
			judged++
			if r.Outcome != checks.NotAssessed {
				t.Errorf("%s: with every fact unknown, %s is %s: %s", name, of, r.Outcome, r.Message)
			}
		}
	}
	if judged == 0 {
		t.Error("nothing was judged")
	}
}

// TestADeniedFactMakesNothingBetter takes away each fact in turn. Nothing may pass that did not, nor fail that passed or
// was not asked, and nothing that failed or was open may go out of sight: the score rises only by looking or mending.
//
// One failure may be new. A source that is known to write nothing, or whose records a mount diverts, is not asked where
// they come to rest. Once nobody knows that, it is judged like any other: of an image that we do not know the log driver
// decides. That makes nothing better, and its pass is held back.
func TestADeniedFactMakesNothingBetter(t *testing.T) {
	tried := 0
	for name, s := range fixtures(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			before := s.judge(t)
			for i, f := range s.facts() {
				undo := f.become(map[string]any{"unknown": "denied", "at": map[string]any{"call": fmt.Sprintf("fact %d: %s", i, f.name)}})
				after := s.judge(t)
				undo()
				tried++
				for of, now := range after {
					was, asked := before[of]
					notAsked := !asked && (f.name == "enabled" || f.name == "hidden")
					switch {
					case now.Outcome == checks.Pass && (!asked || was.Outcome != checks.Pass):
						t.Errorf("without %s, %s passes: %s", f.name, of, now.Message)
					case now.Outcome == checks.Fail && !notAsked && (!asked || was.Outcome == checks.Pass):
						t.Errorf("without %s, %s fails: %s", f.name, of, now.Message)
					}
				}
				for of, was := range before {
					if _, still := after[of]; !still && was.Outcome != checks.Pass {
						t.Errorf("without %s, %s is no longer asked; it was %s: %s", f.name, of, was.Outcome, was.Message)
					}
				}
			}
		})
	}
	if tried < 500 {
		t.Errorf("only %d facts were denied", tried)
	}
}

// TestEveryOutcomeCitesAFact holds the third law over the fixtures.
func TestEveryOutcomeCitesAFact(t *testing.T) {
	for name, s := range fixtures(t) {
		for of, r := range s.judge(t) {
			switch {
			case r.Because == nil:
				t.Errorf("%s: %s cites nothing", name, of)
			case r.Outcome != checks.NotAssessed && r.Because.IsUnknown():
				t.Errorf("%s: %s is %s because of what is unknown", name, of, r.Outcome)
			case r.Message == "" || r.Group == "":
				t.Errorf("%s: %s says nothing", name, of)
			}
		}
	}
}
