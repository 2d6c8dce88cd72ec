//go:build linux || darwin

// Command aws measures "lookback scan aws" against a simulated organisation on this machine: whole processes, over HTTP,
// with the latency, the pages and the limits of AWS. See the README one folder up.
//
//	go run ./benchmarks/aws [-accounts N] [-regions 17] [-groups 500] [-clusters 5] [-buckets 300] [-latency 50ms] [-runs N]
//	go run ./benchmarks/aws -serve 127.0.0.1:4599      only the organisation, for other programs
package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"lookback/benchmarks/aws/organisation"
	"lookback/scanners/aws/scope"
)

func main() {
	var e organisation.Estate
	flag.IntVar(&e.Accounts, "accounts", 1, "accounts of the organisation; with 1, its own account alone is scanned")
	flag.IntVar(&e.Regions, "regions", 17, "regions of each account")
	flag.IntVar(&e.Groups, "groups", 500, "log groups of a region")
	flag.IntVar(&e.Clusters, "clusters", 5, "EKS clusters of a region")
	flag.IntVar(&e.Buckets, "buckets", 300, "buckets of an account")
	flag.DurationVar(&e.Latency, "latency", 50*time.Millisecond, "of each answer")
	flag.Float64Var(&e.Rates, "rates", 1, "limits on calls, of those that AWS documents; 0 for none")
	serve := flag.String("serve", "", "only answer calls, at this `address`, until standard input ends")
	program := flag.String("program", "", "`path` of a lookback to measure; else one is built as it is released")
	runs := flag.Int("runs", 3, "measured runs")
	verbose := flag.Bool("verbose", false, "tell what was called, how often")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if *serve != "" {
		err = answer(*serve, e, os.Stdin, os.Stdout)
	} else {
		err = benchmark(ctx, os.Stdout, e, *program, *runs, *verbose)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "aws:", err)
		os.Exit(1)
	}
}

// answer runs a server until the input ends. It writes its address first, and last what it was asked, each on a line.
func answer(address string, e organisation.Estate, in io.Reader, out io.Writer) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	s := organisation.New(e, time.Now())
	fmt.Fprintf(out, "http://%s\n", listener.Addr())
	served := make(chan error, 1)
	go func() { served <- (&http.Server{Handler: s, ReadHeaderTimeout: time.Minute}).Serve(listener) }()
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, in)
		ended <- err
	}()
	select {
	case err := <-served:
		return err
	case err := <-ended:
		return errors.Join(err, json.NewEncoder(out).Encode(s.Stats()))
	}
}

// A usage is what one scan took.
type usage struct {
	wall           time.Duration
	cpu, serverCPU time.Duration // user and system
	peak           int64         // bytes resident at most
	results        int64         // bytes written
	stats          organisation.Stats
}

// bound is the least time that a scan with so many calls can take: as many as are allowed are always in flight.
func (u usage) bound(latency time.Duration) time.Duration {
	return time.Duration(u.stats.Requests) * latency / scope.InFlight
}

func benchmark(ctx context.Context, w io.Writer, e organisation.Estate, program string, runs int, verbose bool) error {
	dir, err := os.MkdirTemp("", "lookback-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if program == "" {
		program = filepath.Join(dir, "lookback")
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "./cmd/lookback")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("building lookback: %w\n%s", err, out)
		}
	}
	if program, err = filepath.Abs(program); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s/%s, %d CPUs, %s; %d accounts of %d regions, %d log groups and %d clusters a region, %d buckets an account; latency %s\n\n",
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), e.Accounts, e.Regions, e.Groups, e.Clusters, e.Buckets, e.Latency)
	var taken []usage
	for range runs {
		u, err := measure(ctx, dir, program, e)
		if err != nil {
			return err
		}
		taken = append(taken, u)
	}
	fmt.Fprintf(w, "| accounts | calls | throttled | in flight at most | wall s | range | bound s | wall, of the bound | user+sys s | of the simulation | peak MB | results MB |\n"+
		"|--:|--:|--:|--:|--:|---|--:|--:|--:|--:|--:|--:|\n")
	by := func(a, b usage) int { return cmp.Compare(a.wall, b.wall) }
	slices.SortFunc(taken, by)
	u := taken[(len(taken)-1)/2] // one run, whole: its numbers belong together
	fmt.Fprintf(w, "| %d | %d | %d | %d | %.2f | %.2f to %.2f | %.2f | %.2f | %.2f | %.2f | %.1f | %.1f |\n",
		e.Accounts, u.stats.Requests, u.stats.Throttled, u.stats.MostAtATime, u.wall.Seconds(), taken[0].wall.Seconds(), taken[len(taken)-1].wall.Seconds(),
		u.bound(e.Latency).Seconds(), float64(u.wall)/float64(u.bound(e.Latency)), u.cpu.Seconds(), u.serverCPU.Seconds(), float64(u.peak)/1e6, float64(u.results)/1e6)
	if verbose {
		var lines []string
		for op, n := range u.stats.Operations {
			lines = append(lines, fmt.Sprintf("%7d %s", n, op))
		}
		slices.Sort(lines)
		fmt.Fprintln(w, "\n"+strings.Join(lines, "\n"))
	}
	return nil
}

// measure scans once. The organisation is a process of its own, so that its memory is not counted, and that its processor
// time is told apart.
func measure(ctx context.Context, dir, program string, e organisation.Estate) (u usage, err error) {
	self, err := os.Executable()
	if err != nil {
		return u, err
	}
	server := exec.CommandContext(ctx, self, "-serve=127.0.0.1:0", fmt.Sprint("-accounts=", e.Accounts), fmt.Sprint("-regions=", e.Regions), fmt.Sprint("-groups=", e.Groups),
		fmt.Sprint("-clusters=", e.Clusters), fmt.Sprint("-buckets=", e.Buckets), fmt.Sprint("-latency=", e.Latency), fmt.Sprint("-rates=", e.Rates))
	server.Stderr = os.Stderr
	end, err := server.StdinPipe()
	if err != nil {
		return u, err
	}
	said, err := server.StdoutPipe()
	if err != nil {
		return u, err
	}
	if err := server.Start(); err != nil {
		return u, err
	}
	lines := bufio.NewReader(said)
	address, err := lines.ReadString('\n')
	if err == nil {
		u, err = scan(ctx, dir, program, strings.TrimSpace(address), e)
	}
	_ = end.Close() // the server then ends
	if err == nil {
		err = json.NewDecoder(lines).Decode(&u.stats)
	}
	if waited := server.Wait(); err == nil {
		err = waited
	}
	u.serverCPU = server.ProcessState.UserTime() + server.ProcessState.SystemTime()
	return u, err
}

// scan runs lookback. What it prints goes to the null device; its results, to a file.
func scan(ctx context.Context, dir, program, address string, e organisation.Estate) (u usage, err error) {
	results := filepath.Join(dir, "results.json")
	args := []string{"scan", "aws", "-o", results}
	if e.Accounts > 1 {
		args = append(args, "--organization")
	}
	c := exec.CommandContext(ctx, program, args...)
	c.Dir = dir
	c.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir(), "AWS_ENDPOINT_URL=" + address, "AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=" + organisation.Key(organisation.Account(0)), "AWS_SECRET_ACCESS_KEY=secret", "AWS_EC2_METADATA_DISABLED=true",
	}
	for _, name := range []string{"GOGC", "GOMEMLIMIT", "GODEBUG"} {
		if v, ok := os.LookupEnv(name); ok {
			c.Env = append(c.Env, name+"="+v)
		}
	}
	var complaint strings.Builder
	c.Stderr = &complaint
	begun := time.Now()
	err = c.Run()
	u.wall = time.Since(begun)
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		return u, err
	}
	if code := c.ProcessState.ExitCode(); code != 0 && code != 1 {
		return u, fmt.Errorf("lookback exited with %d: %s", code, complaint.String())
	}
	u.cpu = c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	if rusage, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		if u.peak = rusage.Maxrss; runtime.GOOS == "linux" {
			u.peak *= 1024 // kilobytes there, bytes on macOS
		}
	}
	if info, err := os.Stat(results); err == nil {
		u.results = info.Size()
	}
	return u, nil
}
