package commandline_test

import (
	"context"
	"testing"

	"lookback/scanners/host/commandline"
	"lookback/scanners/host/hosttest"
	"lookback/scanners/host/scope"
)

func TestFlagsOfAService(t *testing.T) {
	files := map[string]string{
		"usr/lib/systemd/system/x.service":        "[Service]\nEnvironment=\"A=--one=1\"\nEnvironment=B=--two\n",
		"etc/systemd/system/x.service.d/10.conf":  "[Service]\nEnvironment=A=--one=drop-in\n",
		"etc/default/x":                           "# C=--three=no\nexport C='--three 3 --four'\nD=\n",
		"etc/systemd/system/y.service.d/10.conf":  "[Service]\nEnvironment=A=--one=other\n",
		"etc/systemd/system/x.service.d/10.other": "[Service]\nEnvironment=A=--one=other\n",
	}
	hosttest.Scan(t, files, func(_ context.Context, s *scope.Scope) {
		f := commandline.Read(`/usr/bin/x run $A ${B} $C $D $NONE -g /data --last=1 --last "--last=2"`, commandline.Env(s, "x.service", "etc/default/x", "etc/none"))
		for name, want := range map[string]string{"one": "drop-in", "two": "", "three": "3", "four": "", "g": "/data", "last": "2", "none": ""} {
			if got := f.Last(name); got != want {
				t.Errorf("--%s is %q, want %q", name, got, want)
			}
		}
		if _, written := f["two"]; !written {
			t.Error("--two is written")
		}
	})
}

func FuzzFlags(f *testing.F) {
	f.Add("x --a=$B ${C} --d", "--e=1")
	f.Fuzz(func(_ *testing.T, command, value string) {
		commandline.Read(command, map[string]string{"B": value, "C": value})
	})
}
