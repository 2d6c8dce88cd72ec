package aws

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
)

// whole scans an estate with all readers.
func whole(t *testing.T, answer func(awstest.Call) (any, error), f Filter) *evidence.Set {
	t.Helper()
	s := newScan(awstest.Config(answer), Options{Now: awstest.Now, Filter: f})
	set := &evidence.Set{Started: awstest.Now, Ended: awstest.Now}
	if err := s.Run(t.Context(), func(part *evidence.Set) error {
		set.Records = append(set.Records, part.Records...)
		set.Gaps = append(set.Gaps, part.Gaps...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	set.Sort()
	return set
}

// notes keeps which operations were called.
type notes struct {
	mu  sync.Mutex
	ops map[string]int
}

func (n *notes) note(answer func(awstest.Call) (any, error)) func(awstest.Call) (any, error) {
	n.ops = map[string]int{}
	return func(c awstest.Call) (any, error) {
		n.mu.Lock()
		n.ops[c.Op]++
		n.mu.Unlock()
		return answer(c)
	}
}

func TestEveryCallThatIsDeclaredIsMade(t *testing.T) {
	var n notes
	answer := n.note(estate{}.answer)
	whole(t, answer, Filter{})
	ops := n.ops
	answer = n.note(world(nil))
	whole(t, answer, Filter{Organization: true, Units: []string{"ou-top"}})
	maps.Copy(ops, n.ops)
	answer = n.note(world(nil))
	whole(t, answer, Filter{Organization: true, Tags: []string{"env"}})
	maps.Copy(ops, n.ops)
	for _, c := range Calls() {
		if ops[c.Service+"."+c.Op] == 0 {
			t.Errorf("%s.%s is declared, and the estate does not make a scan call it", c.Service, c.Op)
		}
	}
}

func TestThePolicyIsAllThatAScanNeeds(t *testing.T) {
	allowed := Actions(false)
	action := map[string][]string{}
	for _, c := range Calls() {
		action[c.Service+"."+c.Op] = append([]string{c.Action}, c.With...)
	}
	confined := func(c awstest.Call) (any, error) {
		for _, a := range action[c.Op] {
			if a != "sts:GetCallerIdentity" && !slices.Contains(allowed, a) {
				return nil, awstest.Denied()
			}
		}
		return estate{}.answer(c)
	}
	set := whole(t, confined, Filter{})
	for _, g := range set.Gaps {
		t.Errorf("gap: %s: %s %s %s", g.Asked, g.Why, g.Err, g.At.Call)
	}
	if text := written(t, set); strings.Contains(text, `"denied"`) {
		t.Error("a fact is unknown because a call was denied")
	}
}

func written(t *testing.T, set *evidence.Set) string {
	t.Helper()
	var b bytes.Buffer
	if err := evidence.Write(&b, set); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTheOrderOfAnswersDoesNotMatterToAnEstate(t *testing.T) {
	for name, e := range map[string]estate{"healthy": {}, "weak": {weak: true}} {
		t.Run(name, func(t *testing.T) {
			first := written(t, whole(t, e.answer, Filter{}))
			for range 8 {
				slow := func(c awstest.Call) (any, error) {
					time.Sleep(time.Duration(rand.IntN(1500)) * time.Microsecond)
					return e.answer(c)
				}
				if got := written(t, whole(t, slow, Filter{})); got != first {
					t.Fatalf("two scans of the same account differ:\n%s", difference(first, got))
				}
			}
		})
	}
}

// difference shows the lines in which two texts differ.
func difference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	var out []string
	for _, l := range x {
		if !slices.Contains(y, l) {
			out = append(out, "- "+l)
		}
	}
	for _, l := range y {
		if !slices.Contains(x, l) {
			out = append(out, "+ "+l)
		}
	}
	return strings.Join(out, "\n")
}
