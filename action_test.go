//go:build unix

package lookback_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

type step struct {
	ID   string            `yaml:"id"`
	Name string            `yaml:"name"`
	Uses string            `yaml:"uses"`
	Run  string            `yaml:"run"`
	Env  map[string]string `yaml:"env"`
}

func steps(t *testing.T, path string) []step {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Runs struct{ Steps []step }
		Jobs map[string]struct{ Steps []step }
	}
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	all := file.Runs.Steps
	for _, job := range file.Jobs {
		all = append(all, job.Steps...)
	}
	if len(all) == 0 {
		t.Fatalf("%s has no step", path)
	}
	return all
}

func TestStepsArePinnedAndTakeInputsByTheEnvironment(t *testing.T) {
	paths, err := filepath.Glob(".github/workflows/*.yml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no workflow: %v", err)
	}
	pinned := regexp.MustCompile(`^(\./|[\w.-]+/[\w./-]+@[0-9a-f]{40}$)`)
	for _, path := range append(paths, "action.yml") {
		for _, s := range steps(t, path) {
			if s.Uses != "" && !pinned.MatchString(s.Uses) {
				t.Errorf("%s: %s is not pinned by a commit", path, s.Uses)
			}
			if strings.Contains(s.Run, "${{") {
				t.Errorf("%s: an expression in a script, where its value would be run as one:\n%s", path, s.Run)
			}
		}
	}
}

// runner runs the steps of the action as GitHub's runner does: bash with its flags, the environment of each step, and a
// file for outputs.
type runner struct {
	steps     []step
	workspace string
	temp      string
	action    string
}

func newRunner(t *testing.T) *runner {
	t.Helper()
	action, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	return &runner{steps: steps(t, "action.yml"), workspace: t.TempDir(), temp: t.TempDir(), action: action}
}

func (r *runner) run(t *testing.T, name string, inputs map[string]string) (said string, outputs map[string]string, code int) {
	t.Helper()
	var s *step
	for i := range r.steps {
		if r.steps[i].Name == name {
			s = &r.steps[i]
		}
	}
	if s == nil {
		t.Fatalf("action.yml has no step %q", name)
	}
	output := filepath.Join(t.TempDir(), "output")
	c := exec.Command("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", s.Run)
	c.Dir = r.workspace
	c.Env = append(os.Environ(), "RUNNER_TEMP="+r.temp, "GITHUB_OUTPUT="+output)
	values := map[string]string{"github.action_path": r.action, "github.action_ref": "v9.8.7"}
	for key, value := range inputs {
		values["inputs."+key] = value
	}
	expression := regexp.MustCompile(`^\$\{\{ ([\w.-]+) \}\}$`)
	for key, value := range s.Env {
		if m := expression.FindStringSubmatch(value); m != nil {
			known := false
			if value, known = values[m[1]]; !known {
				t.Fatalf("step %q asks for %s", name, m[1])
			}
		}
		c.Env = append(c.Env, key+"="+value)
	}
	out, err := c.CombinedOutput()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		t.Fatal(err)
	}
	outputs = map[string]string{}
	written, err := os.ReadFile(output)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(written)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		outputs[key] = value
	}
	return string(out), outputs, c.ProcessState.ExitCode()
}

func TestTheAction(t *testing.T) {
	r := newRunner(t)
	if said, _, code := r.run(t, "Build lookback", nil); code != 0 {
		t.Fatalf("building: exit code %d: %s", code, said)
	}
	version, err := exec.Command(filepath.Join(r.temp, "lookback", "lookback"), "--version").CombinedOutput()
	if err != nil || !strings.Contains(string(version), "v9.8.7") {
		t.Errorf("--version: %s, %v", version, err)
	}
	for name, content := range map[string]string{
		".git/HEAD":                   "ref: refs/heads/main\n", // the paths of results are those of the repository
		"bad/compose.yaml":            "services:\n  web:\n    image: nginx:1.27\n    logging: {driver: none}\n",
		"other folder/compose.yaml":   "services:\n  cache:\n    image: redis:7\n    logging: {driver: none}\n",
		"empty/readme.txt":            "nothing\n",
		"$(touch pwned)/compose.yaml": "services:\n  web:\n    image: nginx:1.27\n    logging: {driver: none}\n",
		"--help/compose.yaml":         "services:\n  web:\n    image: nginx:1.27\n    logging: {driver: none}\n",
		"earlier/scan.sarif":          "of another day\n",
	} {
		path := filepath.Join(r.workspace, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name                        string
		path, failOn, config, sarif string
		code                        int
		output, inSARIF, notInSARIF string
	}{
		{"a failure fails the step and leaves the file", "bad", "high", "", "lookback.sarif", 1, "lookback.sarif", "bad/compose.yaml", "other folder"},
		{"never does not fail", "bad", "never", "", "lookback.sarif", 0, "lookback.sarif", "bad/compose.yaml", ""},
		{"two paths, one with a space, in a file of another name", "bad\nother folder\n", "high", "", "out put.txt", 1, "out put.txt", "other%20folder/compose.yaml", ""},
		{"a path that is a command is a path", "$(touch pwned)", "high", "", "lookback.sarif", 1, "lookback.sarif", "results", ""},
		{"a path that is a flag is a path", "--help", "high", "", "lookback.sarif", 1, "lookback.sarif", "results", ""},
		{"a configuration that is not there", "bad", "high", "$(touch pwned)", "lookback.sarif", 2, "", "", ""},
		{"a severity that there is not", "bad", "high; touch pwned", "", "lookback.sarif", 2, "", "", ""},
		{"an earlier file is no result", "empty", "high", "", "earlier/scan.sarif", 2, "", "", ""},
		{"a line break in the name of the file", "bad", "high", "", "a\nexit-code=0", 2, "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			said, outputs, code := r.run(t, "Scan", map[string]string{"path": c.path, "fail-on": c.failOn, "config": c.config, "sarif": c.sarif})
			if code != c.code || outputs["sarif"] != c.output {
				t.Errorf("exit code %d and SARIF file %q, want %d and %q; it said:\n%s", code, outputs["sarif"], c.code, c.output, said)
			}
			if told, ok := outputs["exit-code"]; ok && told != fmt.Sprint(code) {
				t.Errorf("output exit-code is %s, the step exited with %d", told, code)
			}
			if _, err := os.Stat(filepath.Join(r.workspace, "pwned")); err == nil {
				t.Error("an input was run as a command")
			}
			if c.output == "" {
				return
			}
			sarif, err := os.ReadFile(filepath.Join(r.workspace, c.output))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(sarif), c.inSARIF) || (c.notInSARIF != "" && strings.Contains(string(sarif), c.notInSARIF)) {
				t.Errorf("SARIF wants %q and not %q:\n%s", c.inSARIF, c.notInSARIF, sarif)
			}
		})
	}
}
