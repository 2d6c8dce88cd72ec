// Command lookback tells an organisation, before a breach, what an investigator could still see, how far back, and who
// could wipe it.
package main

//go:generate go test -run TestManPages -update .

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// version is set by the release build.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the first signal ends the scan in good order, a second one ends the program
	code := run(ctx, env{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, now: clock(os.Getenv), getenv: os.Getenv, terminal: terminal(),
	}, os.Args[1:])
	stop()
	os.Exit(code)
}

// An env is what the program sees of the world besides files.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time
	getenv         func(string) string
	terminal       screen
}

// Exit codes.
const (
	exitReady       = 0
	exitFailed      = 1 // a check failed at or above --fail-on
	exitBad         = 2 // bad usage, or input that could not be read
	exitNotAssessed = 3 // --require-assessed, and something could not be assessed
)

// An exit is an error that carries an exit code and that has been told already.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// run is the program: a function of what it is given. It returns the exit code.
func run(ctx context.Context, e env, args []string) int {
	root := newRoot(&e)
	root.SetArgs(args)
	root.SetIn(e.stdin)
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	err := root.ExecuteContext(ctx)
	var code exit
	switch {
	case err == nil:
		return exitReady
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintf(e.stderr, "lookback: %v\n", err)
	return exitBad
}

func newRoot(e *env) *cobra.Command {
	root := &cobra.Command{
		Use:   "lookback",
		Short: "What could you still see, how far back, and who could wipe it?",
		Long: `lookback is a forensic readiness scanner. It reads the manifests that containers are deployed from, cloud accounts, hosts and
images of their disks, and says what an investigator could still see after a breach, how far back, and who could wipe it.

  lookback scan                      judge the current folder
  lookback scan aws                  judge an AWS account
  sudo lookback scan host            judge this machine
  lookback scan host:/mnt/image      judge the disk of another one
  lookback scan -o report.html .     and write a report for an auditor
  lookback explain CHECK             why a check asks, and how to mend a failure`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	// Cobra's own flag says more than "lookback 1.2.3", and to be told otherwise it needs a template: see TestNoTemplates.
	told := root.Flags().BoolP("version", "v", false, "version for lookback")
	root.RunE = func(c *cobra.Command, _ []string) error {
		if !*told {
			return c.Help()
		}
		_, err := fmt.Fprintln(e.stdout, "lookback", version)
		return err
	}
	root.AddCommand(newScan(e), newExplain(e), newList(e), newPermissions(e))
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w; see \"%s --help\"", err, c.CommandPath())
	})
	return root
}

// one takes one argument: of those that a command completes to, where it lists them.
func one(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 || len(c.ValidArgs) > 0 && !slices.Contains(c.ValidArgs, args[0]) {
			return fmt.Errorf("%s takes one argument: %s", c.CommandPath(), what)
		}
		return nil
	}
}

// clock tells the time, in UTC and to the second, so that saved evidence and reports carry no more than is useful.
// $SOURCE_DATE_EPOCH, in seconds since 1970, stands for it where a report is to be made again byte for byte.
func clock(getenv func(string) string) func() time.Time {
	if s, err := strconv.ParseInt(getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil && s >= 0 && s <= lastSecond {
		at := time.Unix(s, 0).UTC()
		return func() time.Time { return at }
	}
	return func() time.Time { return time.Now().UTC().Truncate(time.Second) }
}

// lastSecond is the last second of the year 9999, after which a time has no form in JSON.
const lastSecond = 253402300799
