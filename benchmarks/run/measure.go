//go:build linux || darwin

package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A usage is what one process took.
type usage struct {
	wall time.Duration
	cpu  time.Duration // user and system, of all its threads
	peak int64         // bytes resident at most
}

// measure runs a program once. What it prints goes to the null device, through no pipe of ours.
func measure(ctx context.Context, p program) (usage, error) {
	c := exec.CommandContext(ctx, p.args[0], p.args[1:]...)
	var said bytes.Buffer
	c.Stderr = &said
	start := time.Now()
	err := c.Run()
	wall := time.Since(start)
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		return usage{}, fmt.Errorf("running %s: %w", p.name, err)
	}
	if code := c.ProcessState.ExitCode(); !slices.Contains(p.codes, code) {
		return usage{}, fmt.Errorf("%s exited with %d, want one of %v: %s", p.name, code, p.codes, strings.TrimSpace(said.String()))
	}
	rusage, ok := c.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return usage{}, errors.New("this system tells nothing of the memory of a process")
	}
	// Linux counts from the memory of the process that started it, which here is a few MB: the least that is told.
	peak := rusage.Maxrss
	if runtime.GOOS == "linux" {
		peak *= 1024 // kilobytes there, bytes on macOS
	}
	return usage{wall, c.ProcessState.UserTime() + c.ProcessState.SystemTime(), peak}, nil
}

// middle is the median of each measure by itself.
func middle(of []usage) usage {
	return usage{
		wall: median(of, func(u usage) time.Duration { return u.wall }),
		cpu:  median(of, func(u usage) time.Duration { return u.cpu }),
		peak: median(of, func(u usage) int64 { return u.peak }),
	}
}

// median is the one in the middle; of an even number, the lower of the two.
func median[T cmp.Ordered](of []usage, what func(usage) T) T {
	all := make([]T, len(of))
	for i, u := range of {
		all[i] = what(u)
	}
	slices.Sort(all)
	return all[(len(all)-1)/2]
}

func bounds(of []usage) (lo, hi time.Duration) {
	by := func(a, b usage) int { return cmp.Compare(a.wall, b.wall) }
	return slices.MinFunc(of, by).wall, slices.MaxFunc(of, by).wall
}

// machine says what the numbers were taken on.
func machine() string {
	parts := []string{fmt.Sprintf("%s/%s, %d CPUs, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())}
	if model := field("/proc/cpuinfo", "model name"); model != "" {
		parts = append(parts, model)
	}
	if memory := field("/proc/meminfo", "MemTotal"); memory != "" {
		parts = append(parts, memory+" of memory")
	}
	return strings.Join(parts, "; ")
}

// field reads "key : value" from a file of /proc; "" where there is none.
func field(path, key string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(content)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
