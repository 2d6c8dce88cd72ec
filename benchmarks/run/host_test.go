//go:build linux || darwin

package main

import (
	"testing"

	"lookback/evidence"
	"lookback/scanners/host"
)

func TestTheDiskOfAHostIsOne(t *testing.T) {
	dir := t.TempDir()
	if err := writeHost(dir, 3000); err != nil {
		t.Fatal(err)
	}
	set := &evidence.Set{}
	if err := host.Scan(t.Context(), host.Options{Path: dir}, set); err != nil || len(set.Gaps) > 0 {
		t.Fatalf("%v, gaps %v", err, set.Gaps)
	}
	seen := 0
	for _, r := range set.Records {
		if s, ok := r.(*evidence.LogStore); ok {
			if _, known := s.Oldest.Get(); known {
				seen++
			}
		}
	}
	if seen != len(hostLogs) {
		t.Errorf("the beginning of %d logs was seen, want %d", seen, len(hostLogs))
	}
}
