//go:build linux || darwin

// Command run measures lookback beside what does comparable work on the same files: whole processes, taken in turn, so
// that what else the machine does falls on all of them alike. See the README one folder up.
//
//	go run ./benchmarks/run [-install] [-small] [-runs N] [-keep FOLDER] [-system FOLDER] [-only TITLE]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// The peers, at the versions that the results in the README are of.
const (
	kubeScore = "github.com/zegl/kube-score/cmd/kube-score@v1.20.0"
	dclint    = "dclint@3.1.0"
)

// cache is where programs and corpora go, below the checkout; git ignores it.
const cache = ".cache/bench"

func main() {
	install := flag.Bool("install", false, "first install the peers below "+cache+": kube-score with go, dclint with npm")
	small := flag.Bool("small", false, "a few files and one run of each: to try the benchmark itself, not to quote")
	runs := flag.Int("runs", 7, "measured runs of each program, after one to warm up")
	keep := flag.String("keep", "", "write the corpora to this new `folder` and leave them there")
	system := flag.String("system", "", "also scan the disk of a system in this `folder`: what debootstrap makes, or a mounted image")
	only := flag.String("only", "", "leave out comparisons whose `title` has not this in it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := benchmark(ctx, os.Stdout, *install, *small, *runs, *keep, *system, *only); err != nil {
		fmt.Fprintln(os.Stderr, "run:", err)
		os.Exit(1)
	}
}

// A program is one contender in a race.
type program struct {
	name string
	args []string
	// codes are the exit codes of a run that did its work: linters exit with 1 when they found something.
	codes []int
}

// A race is programs over the same files.
type race struct {
	title    string
	runs     int
	programs []program // the first is ours
}

func benchmark(ctx context.Context, w io.Writer, install, small bool, runs int, keep, system, only string) error {
	// Every path handed to a program is absolute: each runs in the corpus.
	bin, err := filepath.Abs(filepath.Join(cache, "bin"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	for _, pkg := range []string{"./cmd/lookback", "./benchmarks/floor", "./benchmarks/corpus"} {
		if err := command(ctx, "", "go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin+"/", pkg); err != nil {
			return err
		}
	}
	if install {
		if err := command(ctx, bin, "go", "install", kubeScore); err != nil {
			fmt.Fprintln(w, "not installed:", err)
		}
		if err := command(ctx, "", "npm", "install", "--no-audit", "--no-fund", "--prefix", cache, dclint); err != nil {
			fmt.Fprintln(w, "not installed:", err)
		}
	}
	dir := keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "lookback-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	} else if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	apps, bundles, projects, scale, logs := 500, 8, 200, 20, int64(1e9)
	if small {
		apps, bundles, projects, scale, logs, runs = 4, 1, 2, 2, 1e6, 1
	}
	corpora := map[string][]string{
		"small-files": {"-bundles=0", fmt.Sprint("-apps=", apps)},
		"tree":        {fmt.Sprint("-apps=", apps), fmt.Sprint("-bundles=", bundles)},
		"large":       {fmt.Sprint("-apps=", apps), fmt.Sprint("-bundles=", bundles), fmt.Sprint("-scale=", scale)},
		"compose":     {"-apps=0", "-bundles=0", fmt.Sprint("-compose=", projects)},
		"one":         {"-apps=1", "-bundles=0"},
	}
	sizes := map[string]string{}
	for name, flags := range corpora {
		path := filepath.Join(dir, name)
		if err := command(ctx, "", filepath.Join(bin, "corpus"), append(flags, path)...); err != nil {
			return err
		}
		if sizes[name], err = sizeOf(path); err != nil {
			return err
		}
	}
	for name, size := range map[string]int64{"host": logs / 100, "host-large": logs} {
		at := filepath.Join(dir, name)
		if err := writeHost(at, size); err != nil {
			return err
		}
		if sizes[name], err = sizeOf(at); err != nil {
			return err
		}
	}
	if system != "" {
		if system, err = filepath.Abs(system); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "%s\n\n", machine())
	for _, r := range append(races(bin, dir, sizes, runs, scale), hostRaces(bin, dir, sizes, runs, system)...) {
		if !strings.Contains(r.title, only) {
			continue
		}
		if err := r.run(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// races are the comparisons. The scan writes every result to a file and a report to standard output, as a user's would.
func races(bin, dir string, sizes map[string]string, runs, scale int) []race {
	at := func(corpus string) string { return filepath.Join(dir, corpus) }
	scan := func(corpus string) program {
		return program{"lookback", []string{filepath.Join(bin, "lookback"), "scan", "-o", filepath.Join(dir, "results.json"), at(corpus)}, []int{0, 1}}
	}
	floor := func(corpus string) program {
		return program{"floor", []string{filepath.Join(bin, "floor"), at(corpus)}, []int{0}}
	}
	score := func(corpus string) program {
		return program{"kube-score", append([]string{filepath.Join(bin, "kube-score"), "score", "--output-format", "json"}, files(at(corpus))...), []int{0, 1}}
	}
	lint := program{"dclint", []string{filepath.Join(filepath.Dir(bin), "node_modules", ".bin", "dclint"), "-r", at("compose")}, []int{0, 1}}
	return []race{
		{"Kubernetes tree, " + sizes["tree"], runs, []program{scan("tree"), floor("tree"), score("tree")}},
		{"The same without resource definitions, " + sizes["small-files"], runs, []program{scan("small-files"), floor("small-files"), score("small-files")}},
		{fmt.Sprintf("Kubernetes tree, %d times as large, %s", scale, sizes["large"]), min(runs, 3), []program{scan("large"), floor("large")}},
		{"Compose projects, " + sizes["compose"], runs, []program{scan("compose"), floor("compose"), lint}},
		{"Start-up: --version", 3 * runs, []program{{"lookback", []string{filepath.Join(bin, "lookback"), "--version"}, []int{0}}, {"true", []string{"true"}, []int{0}}}},
		{"Start-up: one application, " + sizes["one"], 3 * runs, []program{scan("one"), floor("one")}},
	}
}

// run measures the programs in turn (A B C A B C) and prints a row for each.
func (r race) run(ctx context.Context, w io.Writer) error {
	fmt.Fprintf(w, "### %s\n\n", r.title)
	var entered []program
	for _, p := range r.programs {
		if _, err := exec.LookPath(p.args[0]); err != nil {
			fmt.Fprintf(w, "%s is not installed (-install): not compared\n\n", p.name)
			continue
		}
		entered = append(entered, p)
	}
	taken := make([][]usage, len(entered))
	for round := range r.runs + 1 {
		for i, p := range entered {
			u, err := measure(ctx, p)
			if err != nil {
				return err
			}
			if round > 0 { // the first warms caches up
				taken[i] = append(taken[i], u)
			}
		}
	}
	fmt.Fprintf(w, "| program | wall ms | range | user+sys ms | peak MB | wall, of lookback's |\n|---|--:|--:|--:|--:|--:|\n")
	ours := middle(taken[0])
	for i, p := range entered {
		u := middle(taken[i])
		lo, hi := bounds(taken[i])
		fmt.Fprintf(w, "| %s | %s | %s to %s | %s | %.1f | %.2f |\n", p.name, ms(u.wall), ms(lo), ms(hi), ms(u.cpu),
			float64(u.peak)/1e6, float64(u.wall)/float64(ours.wall))
	}
	_, err := fmt.Fprintf(w, "\nMedians of %d runs.\n\n", r.runs)
	return err
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }

// command runs a tool and tells what it said when it goes wrong. gobin is where "go install" puts a program.
func command(ctx context.Context, gobin, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	if gobin != "" {
		c.Env = append(os.Environ(), "GOBIN="+gobin)
	}
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("running %s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return nil
}

// files lists what is below a folder: kube-score takes files, no folders.
func files(dir string) []string {
	var out []string
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			out = append(out, path)
		}
		return nil
	})
	return out
}

func sizeOf(dir string) (string, error) {
	n, bytes := 0, int64(0)
	for _, path := range files(dir) {
		info, err := os.Stat(path)
		if err != nil {
			return "", err
		}
		n++
		bytes += info.Size()
	}
	if bytes < 1e6 {
		return fmt.Sprintf("%d files, %.1f kB", n, float64(bytes)/1e3), nil
	}
	return fmt.Sprintf("%d files, %.1f MB", n, float64(bytes)/1e6), nil
}
