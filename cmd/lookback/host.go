package main

import (
	"context"
	"strings"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/host"
)

// hostTarget names this machine, and with ":" and a path an image of another one; a folder of that name is "./host".
const hostTarget = "host"

// isHost reports whether a target is a host, and which folder or tar holds its disk: "" for this machine.
func isHost(target string) (path string, ok bool) {
	if target == hostTarget {
		return "", true
	}
	path, ok = strings.CutPrefix(target, hostTarget+":")
	return path, ok && path != ""
}

// scanHost reads this machine, or the disk of another one.
func scanHost(ctx context.Context, e *env, path string, declared scanners.Declared, set *evidence.Set) error {
	return host.Scan(ctx, host.Options{Path: path, Now: e.now(), Declared: declared}, set)
}
