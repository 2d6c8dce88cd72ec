package main

import (
	"context"
	"path/filepath"
	"slices"
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

// scanHost reads this machine, or the disk of another one, of which others in a set may have the name.
func scanHost(ctx context.Context, e *env, path string, declared scanners.Declared, others, set *evidence.Set) error {
	collectGarbage(e, 50) // the table of contents of a tar may be large
	taken := map[string]bool{}
	for _, r := range others.Records {
		if name, ok := strings.CutPrefix(r.Self().ID.Target(), "host:"); ok {
			taken[name] = true
		}
	}
	return host.Scan(ctx, host.Options{Path: path, Now: e.now(), Declared: declared, Taken: taken}, set)
}

// twice reports whether a target is a host that was named before.
func twice(targets []string, i int) bool {
	path, ok := isHost(targets[i])
	return ok && slices.ContainsFunc(targets[:i], func(t string) bool {
		other, ok := isHost(t)
		return ok && (path == "") == (other == "") && placeOf(path) == placeOf(other)
	})
}

// placeOf is where a path leads.
func placeOf(path string) string {
	abs, err := filepath.Abs(path)
	if to, also := filepath.EvalSymlinks(abs); err == nil && also == nil {
		return to
	}
	return path
}
