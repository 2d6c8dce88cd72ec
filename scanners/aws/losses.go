package aws

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// unsaid adds a gap for each action that brought nothing in a region, and that neither a gap nor an unknown fact of a set
// names: the readers did without it, or know less than they could.
func unsaid(set *evidence.Set, a account, more ...evidence.Record) {
	if a.lost == nil {
		return
	}
	lost := a.lost()
	if len(lost) == 0 {
		return
	}
	said := map[string]bool{}
	for _, g := range set.Gaps {
		said[g.At.Call] = true
	}
	for _, r := range slices.Concat(set.Records, more) {
		data, err := json.Marshal(r)
		if err != nil || !strings.Contains(string(data), `"unknown"`) {
			continue
		}
		var any any
		if json.Unmarshal(data, &any) == nil {
			unknowns(any, said)
		}
	}
	for _, l := range slices.SortedFunc(maps.Keys(lost), func(a, b scope.Loss) int { return strings.Compare(a.Action+a.Region, b.Action+b.Region) }) {
		if said[l.Action] {
			continue
		}
		gap := evidence.Gap{
			In: scope.AccountID(a.id), Asked: fmt.Sprintf("what %s tells", l.Action), Why: scope.Why(lost[l]), At: evidence.Origin{Call: l.Action, Of: l.Region},
		}
		if gap.Why != evidence.Denied {
			gap.Err = scope.Brief(lost[l])
		}
		set.Gap(gap)
	}
}

// unknowns adds the calls that unknown facts name.
func unknowns(v any, to map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		if at, ok := v["at"].(map[string]any); ok && v["unknown"] != nil {
			if call, ok := at["call"].(string); ok {
				to[call] = true
			}
		}
		for _, one := range v {
			unknowns(one, to)
		}
	case []any:
		for _, one := range v {
			unknowns(one, to)
		}
	}
}
