package main

import (
	"os"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The program runs in scripts as "lookback", at a fixed time, so that what it writes can be compared byte for byte.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lookback": func() {
		clock := func() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }
		os.Exit(run(interruptible(), env{
			stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, now: clock, getenv: os.Getenv,
		}, os.Args[1:]))
	}})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exitcode": exitCode,
		},
	})
}
