package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"lookback/config"
	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/compose"
	"lookback/scanners/host/sysmon"
	"lookback/scanners/kubernetes"
	"lookback/scanners/tree"
)

// manifests lists the scanners that share one walk of a tree.
func manifests() []scanners.Scanner {
	return []scanners.Scanner{compose.Scanner{}, &kubernetes.Scanner{}, sysmon.Scanner{}}
}

// gather learns what there is to learn about the targets.
func gather(ctx context.Context, e *env, f scanFlags, targets []string) (what *learned, cfg *config.Config, err error) {
	cfg, err = loadConfig(e, f, targets[0])
	if err != nil {
		return nil, nil, err
	}
	if slices.Contains(targets, hostTarget+":") {
		return nil, nil, errors.New(`host: names no folder; "host" is this machine, "host:/mnt/image" the disk of another one`)
	}
	if i := slices.IndexFunc(targets, isEvidence); i >= 0 {
		switch {
		case len(targets) > 1:
			return nil, nil, fmt.Errorf("%s is saved evidence, which is judged by itself; scan it alone, or let it answer for manifests: --with %[1]s", targets[i])
		case len(f.with) > 0:
			return nil, nil, fmt.Errorf("--with answers for manifests while they are read; %s was saved without them: scan the manifests again", targets[i])
		}
		what, err = openEvidence(targets[0])
		return what, cfg, err
	}
	set := &evidence.Set{Tool: "lookback " + version, Started: e.now(), Targets: shown(targets), Counted: map[string]int{}}
	what = &learned{Set: set}
	defer func() {
		if err != nil {
			what.close()
		}
	}()
	declared := cfg.Declared
	for _, path := range f.with {
		with, err := readEvidence(path)
		if err != nil {
			return what, nil, fmt.Errorf("--with %w", err)
		}
		set.With = append(set.With, with.Records...)
		declared.Answer(with)
	}
	collectGarbage(e, 200)
	files, err := scanTargets(ctx, e, f, targets, declared, what)
	if err != nil {
		return what, nil, err
	}
	if len(set.Records)+len(set.Gaps)+len(set.Counted) == 0 && what.spool == nil {
		return what, nil, fmt.Errorf("nothing to scan in %s: no Compose file, no Kubernetes manifest and no Sysmon configuration among %s", strings.Join(targets, ", "), manifestFiles(files))
	}
	if files >= manyFiles {
		debug.FreeOSMemory() // what the scanners kept, before the checks need as much
	}
	set.Ended = e.now()
	set.Sort()
	if what.spool != nil {
		err = what.join()
	}
	return what, cfg, err
}

// scanTargets scans one target after the other until an interrupt, after which what was learned is judged. It returns how many
// files it read.
func scanTargets(ctx context.Context, e *env, f scanFlags, targets []string, declared scanners.Declared, what *learned) (files int, err error) {
	top := ""
	if len(targets) > 1 {
		top = above(targets)
	}
	places := resolved(targets)
	for i, target := range targets {
		one := &evidence.Set{Counted: map[string]int{}}
		n := 0
		rest := what.Targets[i]
		if path, ok := isHost(target); ok {
			if twice(targets, i) {
				continue
			}
			err = scanHost(ctx, e, path, declared, what.Set, one)
		} else if target == awsTarget {
			rest = "AWS"
			err = scanAWS(ctx, e, f, what)
		} else {
			n, err = scanTree(ctx, e, top, target, declared, one)
		}
		files += n
		join(what.Set, one, slices.ContainsFunc(places[:i], func(p string) bool { return overlaps(p, places[i]) }))
		if errors.Is(err, context.Canceled) {
			what.Partial = true
			what.Gap(evidence.Gap{Asked: "the rest of " + rest, Why: evidence.Failed, Err: "the scan was interrupted", Bad: true})
			return files, nil
		}
		if err != nil {
			return files, err
		}
	}
	return files, nil
}

// resolved returns where each target lies, through links; "" for standard input and what is not there.
func resolved(targets []string) []string {
	out := make([]string, len(targets))
	for i, t := range targets {
		if _, ok := isHost(t); ok {
			continue
		}
		if abs, err := filepath.Abs(t); err == nil && t != "-" {
			out[i], _ = filepath.EvalSymlinks(abs)
		}
	}
	return out
}

// overlaps reports whether one of two places is the other or holds it.
func overlaps(a, b string) bool {
	holds := func(a, b string) bool {
		rel, err := filepath.Rel(a, b)
		return err == nil && filepath.IsLocal(rel)
	}
	return a != "" && b != "" && (holds(a, b) || holds(b, a))
}

// join adds what was learned of one target. What is new of a target that overlaps with an earlier one is added alone, so
// that nothing counts twice.
func join(set, one *evidence.Set, again bool) {
	key := func(r evidence.Record) string { return fmt.Sprintf("%T %s %v", r, r.Self().ID, r.Self().At) }
	seen := map[string]bool{}
	if again {
		for _, r := range set.Records {
			seen[key(r)] = true
		}
	}
	for _, r := range one.Records {
		if !seen[key(r)] {
			set.Record(r)
		}
	}
	set.Gaps = append(set.Gaps, one.Gaps...) // Sort takes out what stands twice
	for _, w := range one.Waivers {
		if !again || !slices.Contains(set.Waivers, w) {
			set.Waiver(w)
		}
	}
	for kind, n := range one.Counted {
		if again {
			set.Counted[kind] = max(set.Counted[kind], n)
		} else {
			set.Counted[kind] += n
		}
	}
}

// above returns the folder that holds all targets, so that those of no repository have names that tell them apart; "" where
// there is none.
func above(targets []string) string {
	common := ""
	for _, t := range targets {
		abs, err := filepath.Abs(t)
		if _, ok := isHost(t); ok || err != nil || t == "-" || t == awsTarget {
			continue
		}
		if info, err := os.Stat(abs); err != nil || !info.IsDir() {
			abs = filepath.Dir(abs)
		}
		if common == "" {
			common = abs
		}
		for common != abs && !strings.HasPrefix(abs, strings.TrimSuffix(common, string(filepath.Separator))+string(filepath.Separator)) {
			common = filepath.Dir(common)
		}
	}
	return common
}

func manifestFiles(n int) string {
	if n == 1 {
		return "1 YAML, JSON or XML file"
	}
	return fmt.Sprintf("%d YAML, JSON and XML files", n)
}

// shown are the targets as a report names them: what lies outside of the current folder goes by its last element, so that
// no report tells where on a machine it was made.
func shown(targets []string) []string {
	out := make([]string, len(targets))
	for i, t := range targets {
		kind := ""
		if path, ok := isHost(t); ok && path != "" {
			kind, t = hostTarget+":", path
		}
		out[i] = kind + filepath.ToSlash(filepath.Clean(t))
		if filepath.IsAbs(t) {
			out[i] = kind + filepath.Base(t)
		}
	}
	return out
}

// scanTree reads one file or folder and adds what was found to the set. It returns how many files it read.
func scanTree(ctx context.Context, e *env, top, target string, declared scanners.Declared, set *evidence.Set) (int, error) {
	var t *tree.Tree
	if target == "-" {
		var err error
		if t, err = openStdin(ctx, e.stdin); err != nil {
			return 0, err
		}
	} else {
		var err error
		if t, err = tree.OpenBelow(top, target); err != nil {
			return 0, err
		}
	}
	defer t.Close()

	kinds := manifests()
	var seen atomic.Int64
	stop := progress(e, &seen)
	options := tree.Options{Exclude: declared.Exclude}
	for _, s := range kinds {
		if n, ok := s.(interface{ Names() []string }); ok {
			options.Names = append(options.Names, n.Names()...)
		}
	}
	kept, stats, err := tree.Collect(ctx, t, options,
		func(f tree.File) []any {
			if seen.Add(1) == manyFiles {
				collectGarbage(e, 50)
			}
			if f.Err != nil {
				return []any{evidence.Gap{
					Asked: "the file " + f.Name, Why: evidence.Failed, Err: f.Err.Error(), At: evidence.Origin{File: f.Name}, Bad: true,
				}}
			}
			out := make([]any, len(kinds))
			for i, s := range kinds {
				out[i] = s.Offer(f)
			}
			return out
		})
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		return stats.Files, fmt.Errorf("reading %s: %w", target, err)
	}
	interrupted := err
	offered := make([][]any, len(kinds))
	for _, k := range kept {
		for i, one := range k {
			if gap, ok := one.(evidence.Gap); ok {
				set.Gap(gap)
			} else if one != nil {
				offered[i] = append(offered[i], one)
			}
		}
	}
	for i, s := range kinds {
		// What was offered before an interrupt is still judged.
		if err := s.Scan(context.WithoutCancel(ctx), scanners.Target{Tree: t, Declared: declared}, offered[i], lean{set}); err != nil {
			return stats.Files, fmt.Errorf("reading %s: %w", target, err)
		}
		offered[i] = nil // the next scanner may need the room
		if c, ok := s.(interface{ Counted() map[string]int }); ok {
			for kind, n := range c.Counted() {
				set.Counted[kind] += n
			}
		}
	}
	return stats.Files, interrupted
}

// manyFiles make a tree large.
const manyFiles = 5000

// collectGarbage sets how much memory may be wasted before it is collected, in percent of what is in use; Go's own is
// 100. A small tree, which is most of them, takes less than 60 MB at 200, and less time; a large one is worth the time
// that 50 takes. Who sets GOGC knows better.
func collectGarbage(e *env, percent int) {
	if e.getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

// limitMemory has garbage collected before the program takes more than so many bytes, if what is in use leaves room for it. The
// limit gives way to what is in use: near one, garbage is collected all the time, and a scan would take several times as long.
// Who sets GOMEMLIMIT knows better.
func limitMemory(e *env, limit int64) (lift func()) {
	if e.getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	debug.SetMemoryLimit(limit)
	lifted, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		heap := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/goal:bytes"}} // after the last collection, and at the next
		for {
			select {
			case <-lifted:
				debug.SetMemoryLimit(math.MaxInt64)
				return
			case <-tick.C:
				if metrics.Read(heap); heap[0].Value.Kind() != metrics.KindUint64 || heap[1].Value.Kind() != metrics.KindUint64 {
					continue
				}
				live, goal := int64(heap[0].Value.Uint64()), int64(heap[1].Value.Uint64())
				if goal < live+live/5 {
					limit += live/3 - (goal - live)
					debug.SetMemoryLimit(limit)
				}
			}
		}
	}()
	return func() { close(lifted); <-ended }
}

// A lean sink keeps an asset as a copy. Scanners send one as a part of all that they know of a container, which would
// stay in memory as long as the asset does.
type lean struct{ *evidence.Set }

func (l lean) Record(r evidence.Record) {
	if a, ok := r.(*evidence.Asset); ok {
		own := *a
		r = &own
	}
	l.Set.Record(r)
}

// openStdin reads standard input until its end or an interrupt.
func openStdin(ctx context.Context, r io.Reader) (*tree.Tree, error) {
	read := make(chan *tree.Tree, 1)
	go func() { read <- tree.OpenStdin(r) }()
	select {
	case t := <-read:
		return t, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("reading standard input: %w", ctx.Err())
	}
}

// progress tells on a terminal how many files were read, when a scan takes longer than a moment.
func progress(e *env, seen *atomic.Int64) (stop func()) {
	if !e.terminal.err {
		return func() {}
	}
	return ticking(func() string { return fmt.Sprintf("%d files read", seen.Load()) }, e.stderr)
}

// ticking keeps a line of a terminal current until it is stopped, which takes the line away.
func ticking(line func() string, w io.Writer) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		shown := false
		for {
			select {
			case <-done:
				if shown {
					fmt.Fprint(w, "\r\x1b[K")
				}
				return
			case <-tick.C:
				shown = true
				fmt.Fprint(w, "\r\x1b[K"+line())
			}
		}
	}()
	return func() { close(done); <-ended }
}
