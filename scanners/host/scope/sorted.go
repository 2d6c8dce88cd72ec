package scope

import (
	"maps"
	"slices"

	"lookback/evidence"
)

func sorted[R any](records map[evidence.ID]R) []R {
	out := make([]R, 0, len(records))
	for _, id := range slices.Sorted(maps.Keys(records)) {
		out = append(out, records[id])
	}
	return out
}
