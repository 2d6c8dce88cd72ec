//go:build linux || darwin

// Command aws measures "lookback scan aws" against a simulated organisation on this machine: whole processes, over HTTP,
// with the latency, the pages and the limits of AWS. See the README one folder up.
//
//	go run ./benchmarks/aws [-accounts 1,100,1000] [-regions 17] [-groups 500] [-clusters 5] [-buckets 300] [-latency 50ms] [-runs N]
//	go run ./benchmarks/aws -small                                  a few small accounts: only to see that it works
//	go run ./benchmarks/aws -serve 127.0.0.1:4599 -accounts 100     only the organisation, for other programs
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
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"lookback/benchmarks/aws/organisation"
	"lookback/scanners/aws/scope"
)

// An option says what is measured.
type option struct {
	organisation.Estate
	accounts []int // of each organisation
	program  string
	runs     int
	verbose  bool
}

// enough is how long one organisation is measured again and again; the run that is under way is the last.
const enough = 10 * time.Minute

func main() {
	var o option
	accounts := flag.String("accounts", "1,100,1000", "accounts of each organisation; of 1, its own account alone is scanned")
	flag.IntVar(&o.Regions, "regions", 17, "regions of each account")
	flag.IntVar(&o.Groups, "groups", 500, "log groups of a region")
	flag.IntVar(&o.Clusters, "clusters", 5, "EKS clusters of a region")
	flag.IntVar(&o.Buckets, "buckets", 300, "buckets of an account")
	flag.DurationVar(&o.Latency, "latency", 50*time.Millisecond, "of each answer")
	flag.Float64Var(&o.Rates, "rates", 1, "limits on calls, of those that AWS documents; 0 for none")
	serve := flag.String("serve", "", "only answer calls, at this `address`, until standard input ends")
	flag.StringVar(&o.program, "program", "", "`path` of a lookback to measure; else one is built as it is released")
	flag.IntVar(&o.runs, "runs", 5, "measured runs of each organisation; none begins after ten minutes")
	flag.BoolVar(&o.verbose, "verbose", false, "tell what was called, how often")
	small := flag.Bool("small", false, "a few small accounts, one run: only to see that it works")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *small {
		*accounts, o.runs = "1,3", 1
		o.Regions, o.Groups, o.Clusters, o.Buckets, o.Latency = 2, 140, 2, 5, 5*time.Millisecond
	}
	err := o.read(*accounts)
	switch {
	case err != nil:
	case *serve != "":
		o.Accounts = o.accounts[0]
		err = answer(*serve, o.Estate, os.Stdin, os.Stdout)
	default:
		err = o.benchmark(ctx, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "aws:", err)
		os.Exit(1)
	}
}

// read reads the list of accounts.
func (o *option) read(accounts string) error {
	for one := range strings.SplitSeq(accounts, ",") {
		n, err := strconv.Atoi(one)
		if err != nil || n < 1 {
			return fmt.Errorf("-accounts %s: write numbers, as in 1,100", accounts)
		}
		o.accounts = append(o.accounts, n)
	}
	if o.runs < 1 {
		return fmt.Errorf("-runs %d: at least one", o.runs)
	}
	return nil
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

// reading is how long calls were made; what is left of the wall time is start-up, judging and writing.
func (u usage) reading() time.Duration { return u.stats.Last }

func (o option) benchmark(ctx context.Context, w io.Writer) error {
	dir, err := os.MkdirTemp("", "lookback-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.program == "" {
		o.program = filepath.Join(dir, "lookback")
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", o.program, "./cmd/lookback")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("building lookback: %w\n%s", err, out)
		}
	}
	if o.program, err = filepath.Abs(o.program); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s/%s, %d CPUs, %s; %d regions, %d log groups and %d clusters a region, %d buckets an account; latency %s\n\n",
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), o.Regions, o.Groups, o.Clusters, o.Buckets, o.Latency)
	if err := o.startUp(ctx, w); err != nil {
		return err
	}
	fmt.Fprint(w, "| accounts | runs | calls | throttled | in flight at most | wall s, least | median | most | of it reading | bound s | reading, of the bound | user+sys s | of the simulation | peak MB | results MB |\n"+
		"|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	operations := map[string]int64{}
	for _, o.Accounts = range o.accounts {
		var taken []usage
		for begun := time.Now(); len(taken) < o.runs && (len(taken) == 0 || time.Since(begun) < enough); {
			u, err := measure(ctx, dir, o.program, o.Estate)
			if err != nil {
				return err
			}
			taken = append(taken, u)
		}
		slices.SortFunc(taken, func(a, b usage) int { return cmp.Compare(a.wall, b.wall) })
		u := taken[(len(taken)-1)/2] // one run, whole: its numbers belong together
		bound := u.bound(o.Latency)
		fmt.Fprintf(w, "| %d | %d | %d | %d | %d | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %.1f | %.1f |\n",
			o.Accounts, len(taken), u.stats.Requests, u.stats.Throttled, u.stats.MostAtATime, taken[0].wall.Seconds(), u.wall.Seconds(), taken[len(taken)-1].wall.Seconds(),
			u.reading().Seconds(), bound.Seconds(), float64(u.reading())/float64(bound), u.cpu.Seconds(), u.serverCPU.Seconds(), float64(u.peak)/1e6, float64(u.results)/1e6)
		operations = u.stats.Operations
	}
	if o.verbose {
		fmt.Fprintln(w, "\nCalls of the last run:")
		for _, op := range slices.Sorted(maps.Keys(operations)) {
			fmt.Fprintf(w, "%8d %s\n", operations[op], op)
		}
	}
	return nil
}

// startUp tells how long the program takes to do nothing, and how large it is.
func (o option) startUp(ctx context.Context, w io.Writer) error {
	info, err := os.Stat(o.program)
	if err != nil {
		return err
	}
	var taken []time.Duration
	for range 21 {
		begun := time.Now()
		if err := exec.CommandContext(ctx, o.program, "--version").Run(); err != nil {
			return fmt.Errorf("starting lookback: %w", err)
		}
		taken = append(taken, time.Since(begun))
	}
	slices.Sort(taken)
	_, err = fmt.Fprintf(w, "start-up: %.1f ms, the median of %d from %.1f to %.1f; program: %.1f MB\n\n",
		taken[len(taken)/2].Seconds()*1e3, len(taken), taken[0].Seconds()*1e3, taken[len(taken)-1].Seconds()*1e3, float64(info.Size())/1e6)
	return err
}

// measure scans once. The organisation is a process of its own, so that its memory is not counted, and that its processor
// time is told apart.
func measure(ctx context.Context, dir, program string, e organisation.Estate) (u usage, err error) {
	self, err := os.Executable()
	if err != nil {
		return u, err
	}
	server := exec.CommandContext(ctx, self, "-serve=127.0.0.1:0", "-accounts="+strconv.Itoa(e.Accounts), fmt.Sprint("-regions=", e.Regions), fmt.Sprint("-groups=", e.Groups),
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
