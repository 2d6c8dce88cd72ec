package hosttest

import (
	"os"
	"os/exec"
	"testing"
)

// Tool returns the path of a program that says the same as a reader, or should. Without it the test is skipped, and where
// LOOKBACK_REQUIRE_TOOLS is set, as in CI, it fails.
func Tool(t *testing.T, name, debian string) string {
	t.Helper()
	program, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("LOOKBACK_REQUIRE_TOOLS") != "":
		t.Fatalf("%s is not installed: apt-get install %s", name, debian)
	default:
		t.Skipf("SKIPPED: %s is not installed: apt-get install %s", name, debian)
	}
	return program
}
