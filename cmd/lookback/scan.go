package main

import (
	"cmp"
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"lookback/checks"
	"lookback/checks/all"
	"lookback/config"
	"lookback/evidence"
	"lookback/report"
	"lookback/report/json"
	"lookback/report/text"
)

// scanFlags are the flags of "lookback scan".
type scanFlags struct {
	outputs         []string
	failOn          string
	requireAssessed bool
	baseline        string
	with            []string
	save            string
	config          string
	verbose         bool
	quiet           bool
	aws             awsFlags
}

func newScan(e *env) *cobra.Command {
	var f scanFlags
	c := &cobra.Command{
		Use:   "scan [TARGET...]",
		Short: "Judge what would be left for an investigator",
		Long: `Judge what would be left for an investigator.

A TARGET is a file or a folder with Compose files, Kubernetes manifests or configurations of Sysmon, found by what is in
them; "-" for one on standard input; "aws" for the AWS account of the current credentials; "host" for this machine,
"host:PATH" for a folder in which the disk of another one is mounted, or a tar of it; or evidence that an earlier scan
saved. Without one, the current folder is scanned.

Exit code: 0 ready; 1 a check failed at or above --fail-on; 2 bad usage, or a file that could not be read (everything
else is judged all the same; of a host, what is denied or damaged is not assessed instead); 3 something could not be
assessed, with --require-assessed.`,
		Example: `  lookback scan
  lookback scan -o report.html -o findings.sarif deploy/
  lookback scan --save evidence.jsonl . && lookback scan evidence.jsonl
  helm template ./chart | lookback scan -
  lookback scan aws --organization --role-name lookback -o report.html
  sudo lookback scan host --save node.jsonl && lookback scan --with node.jsonl deploy/
  lookback scan host:/mnt/image -o report.html`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.aws.check(c, args); err != nil {
				return err
			}
			return scan(c.Context(), e, f, args)
		},
	}
	fl := c.Flags()
	fl.StringArrayVarP(&f.outputs, "output", "o", nil, "write a report to `FILE`: .html, .sarif, .json or .txt; FORMAT:- for standard output (repeatable)")
	fl.StringVar(&f.failOn, "fail-on", "high", "exit with 1 for failures of this `severity` or worse: high, medium, low or never")
	fl.BoolVar(&f.requireAssessed, "require-assessed", false, "exit with 3 when something could not be assessed")
	fl.StringVar(&f.baseline, "baseline", "", "an earlier results.json: only failures that are not in this `FILE` gate")
	fl.StringArrayVar(&f.with, "with", nil, "saved evidence `FILE` of the Docker daemon or the cluster, to answer for the manifests (repeatable)")
	fl.StringVar(&f.save, "save", "", "save what was learned to `FILE` (.jsonl), to be judged again without the sources")
	fl.StringVar(&f.config, "config", "", "use this `FILE` instead of the nearest lookback.yaml ($LOOKBACK_CONFIG)")
	fl.BoolVarP(&f.verbose, "verbose", "v", false, "show every place, and checks that are shown only on demand")
	fl.BoolVarP(&f.quiet, "quiet", "q", false, "print no report; write files and set the exit code")
	f.aws.add(c)
	_ = c.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions([]string{"high", "medium", "low", "never"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func scan(ctx context.Context, e *env, f scanFlags, args []string) error {
	if f.failOn != "never" && checks.Severity(f.failOn).Rank() == 0 {
		return fmt.Errorf("--fail-on %s: use high, medium, low or never", f.failOn)
	}
	var outputs []output
	for _, arg := range f.outputs {
		o, err := parseOutput(arg)
		if err != nil {
			return err
		}
		outputs = append(outputs, o)
	}
	if f.save == "-" {
		return errors.New("--save -: evidence goes to a file; name one that ends in .jsonl")
	}
	if err := errors.Join(distinct(outputs, f.save), writable(outputs, f.save)); err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	var known map[string]bool
	if f.baseline != "" {
		var err error
		if known, err = readBaseline(f.baseline); err != nil {
			return err
		}
	}
	what, cfg, err := gather(ctx, e, f, args)
	if err != nil {
		return err
	}
	defer what.close()
	var failed []error
	if f.save != "" {
		failed = append(failed, writeFile(f.save, what.save))
	}
	r, done, err := what.judge(e, report.Options{
		Checks: all.All(), Policy: cfg.Policy, Waivers: cfg.Waivers, Known: known, Verbose: f.verbose,
	}, outputs)
	defer done()
	if err != nil {
		return errors.Join(append(failed, err)...)
	}
	terminal := text.Options{Width: e.terminal.width, Color: e.terminal.out && e.getenv("NO_COLOR") == "" && e.getenv("TERM") != "dumb"}
	if !slices.ContainsFunc(outputs, func(o output) bool { return o.path == "-" }) && !f.quiet {
		outputs = append([]output{{path: "-"}}, outputs...)
	}
	for _, o := range outputs {
		render := o.render
		if render == nil {
			render = terminal.Renderer()
		}
		if o.path == "-" {
			failed = append(failed, render(e.stdout, r))
			continue
		}
		failed = append(failed, writeFile(o.path, func(w io.Writer) error { return render(w, r) }))
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	if code := r.Exit(checks.Severity(f.failOn), f.requireAssessed); code != exitReady {
		return exit(code)
	}
	return nil
}

func readBaseline(path string) (map[string]bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the baseline %s: %w", path, cause(err))
	}
	defer file.Close()
	known, err := json.Keys(file)
	if err != nil {
		return nil, fmt.Errorf("reading the baseline %s: %w", path, err)
	}
	return known, nil
}

// loadConfig finds the configuration: the one that was named, or the nearest above the first target.
func loadConfig(e *env, f scanFlags, target string) (*config.Config, error) {
	var ids []string
	for _, c := range all.All() {
		ids = append(ids, c.ID)
	}
	if path := cmp.Or(f.config, e.getenv("LOOKBACK_CONFIG")); path != "" {
		return config.Load(path, config.Options{Checks: ids})
	}
	dir := target
	if info, err := os.Stat(target); target == "-" || err != nil {
		dir = "."
	} else if !info.IsDir() {
		dir = filepath.Dir(target)
	}
	path, root, err := config.Find(dir)
	if err != nil || path == "" {
		return config.Default(), err
	}
	return config.Load(path, config.Options{Checks: ids, Root: root, Confined: true})
}

// isEvidence reports whether a file is saved evidence, by how it begins.
func isEvidence(path string) bool {
	// Opening a pipe waits for who writes to it, so look before.
	if info, err := os.Stat(path); path == "-" || err != nil || !info.Mode().IsRegular() {
		return false
	}
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	head := make([]byte, len(evidenceHead))
	n, _ := io.ReadFull(file, head)
	return strings.HasPrefix(string(head[:n]), evidenceHead)
}

const evidenceHead = `{"header":{"schema":"lookback-`

func readEvidence(path string) (*evidence.Set, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, cause(err))
	}
	defer file.Close()
	set, err := evidence.Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, newer(path, err))
	}
	return set, nil
}

// newer says of an error of saved evidence who wrote that, where a newer version may have: one that knows more fields.
func newer(path string, err error) error {
	if by := writer(path); by != "" && (strings.Contains(err.Error(), "unknown field") || errors.Is(err, evidence.ErrNotEvidence)) {
		return fmt.Errorf("%w; %q wrote it, which may be newer than this, lookback %s: judge it with that version, or scan again", err, by, version)
	}
	return err
}

// writer is what wrote saved evidence, as its first line says; "" where that says nothing.
func writer(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	var first struct{ Header struct{ Schema, Tool string } }
	if stdjson.NewDecoder(io.LimitReader(file, evidence.MaxLine)).Decode(&first) != nil || first.Header.Schema != evidence.Schema {
		return ""
	}
	return fmt.Sprintf("%.60s", first.Header.Tool)
}
