//go:build linux

package host_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"lookback/evidence"
	"lookback/scanners/host/hosttest"
	"lookback/scanners/host/root"
)

// TestAMillionSmallFiles makes fewer: as many as tell bounded from unbounded.
func TestAMillionSmallFiles(t *testing.T) {
	top := hosttest.Folder(t, image())
	dirs := map[string]int{
		"var/log": 50_000, "var/lib/docker/containers": 50_000, "var/log/pods": root.MaxEntries, "etc/rsyslog.d": root.MaxEntries, "etc/systemd/system": root.MaxEntries,
	}
	for dir, many := range dirs {
		first := filepath.Join(top, dir, "0")
		if err := os.WriteFile(first, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		for i := range many { // further names of one file are made faster than files
			if err := os.Link(first, filepath.Join(top, dir, fmt.Sprintf("%06d", i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	var start, end runtime.MemStats
	runtime.ReadMemStats(&start)
	set := scan(t, top)
	runtime.ReadMemStats(&end)
	if heap := (end.TotalAlloc - start.TotalAlloc) >> 20; heap > 200 {
		t.Errorf("%d MB were allocated", heap)
	}
	for dir := range dirs {
		if !slices.ContainsFunc(set.Gaps, func(g evidence.Gap) bool { return g.At.File == dir }) {
			t.Errorf("no gap names %s:\n%s", dir, strings.Join(asked(set), "\n"))
		}
	}
	shown(t, set)
}

// evil is what no terminal may ever get: codes that clear it, name it and turn the writing around, and bytes of no text.
const evil = "\x1b[2J\x1b]0;x\x07\u202e\x9b\xff\nfail"

func TestNamesWithEscapeCodesReachNoTerminal(t *testing.T) {
	quoted := strings.NewReplacer("\x1b", `\u001b`, "\x07", `\u0007`, "\n", `\n`, "\xff", `\u0085`, "\x9b", `\u009b`).Replace(evil)
	line := strings.ReplaceAll(evil, "\n", "")
	files := image()
	for name, text := range map[string]string{
		"etc/hostname": "web-1" + line,
		"var/lib/docker/containers/" + evil + "/config.v2.json": "{",
		container('a') + "config.v2.json":                       `{"Name":"/` + quoted + `","Driver":"` + quoted + `","Config":{"Image":"` + quoted + `","Labels":{"com.docker.compose.service":"` + quoted + `"}},"State":{"FinishedAt":"2026-05-01T00:00:00Z"},"MountPoints":{"/` + quoted + `":{"Type":"bind","Source":"/` + quoted + `","Destination":"/` + quoted + `"}}}`,
		container('b') + "hostconfig.json":                      `{"LogConfig":{"Type":"` + quoted + `","Config":{"` + quoted + `":"` + quoted + `"}}}`,
		container('c') + "hostconfig.json":                      `{"LogConfig":{"Type":"syslog","Config":{"syslog-address":"tcp://` + quoted + `:1"}}}`,
		"etc/docker/daemon.json":                                `{"log-driver": "fluentd", "log-opts": {"fluentd-address": "` + quoted + `", "` + quoted + `": 1}}`,
		"var/log/syslog.1" + evil:                               "x",
		"var/log/syslog-20260101" + evil + ".gz":                "x",
		"var/log/pods/" + evil + "/" + evil + "/0.log":          "x",
		"etc/rsyslog.d/" + evil + ".conf":                       "*.* /var/log/" + line + "\n*.* @@" + line + ":514\n:fromhost, " + line + "\n",
		"etc/logrotate.d/" + evil:                               "/var/log/" + line + " {\n" + line + "\n",
		"etc/audit/rules.d/" + evil + ".rules":                  line + "\n",
		"etc/audit/auditd.conf":                                 "log_file = /var/log/" + line + "\nmax_log_file_action = " + line + "\n",
		"etc/audit/plugins.d/" + evil + ".conf":                 "active = yes\npath = /sbin/" + line + "\n",
		"etc/systemd/system/" + evil + ".timer":                 "[Timer]\n" + line,
		"etc/systemd/system/auditd.service.d/" + evil + ".conf": "[Service]\nExecStart=" + line,
		"etc/systemd/system/" + evil + ".wants/auditd.service":  "-> " + evil,
		"etc/systemd/journald.conf.d/" + evil + ".conf":         "[Journal]\nStorage=" + line + "\nSystemMaxUse=" + line + "\nForwardToSocket=" + line + "\n",
		"etc/chrony/chrony.conf":                                "server " + line + "\nrefclock " + line + " " + line + "\n",
		"etc/falco/falco.yaml":                                  "file_output: {enabled: true, filename: \"/var/log/" + quoted + "\"}\nhttp_output: {enabled: true, url: \"http://" + quoted + "/\"}\n",
		"etc/fluent-bit/fluent-bit.conf":                        "[INPUT]\n  Name tail\n  Path /var/log/syslog\n[OUTPUT]\n  Name " + line + "\n  Match *\n  Host " + line + "\n",
		"etc/kubernetes/manifests/" + evil + ".yaml":            "apiVersion: v1\nkind: Pod\nmetadata: {name: \"" + quoted + "\"}\nspec: {containers: [{name: \"" + quoted + "\", image: \"" + quoted + "\"}]}\n",
		"var/lib/kubelet/config.yaml":                           "containerLogMaxSize: \"" + quoted + "\"\nstaticPodPath: /etc/kubernetes/manifests\n",
		"boot/config-" + evil:                                   "CONFIG_PROC_KCORE=n\n",
		"home/" + evil + "/.config/docker/daemon.json":          "{}",
		"var/lib/nerdctl/1/containers/" + evil + "/x":           "",
	} {
		files[name] = text
	}
	dir := filepath.Join(t.TempDir(), evil)
	if err := os.Rename(hosttest.Folder(t, files), dir); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{dir, hosttest.Pack(t, dir)} {
		set := scan(t, at)
		if text := shown(t, set); !strings.Contains(text, `\x1b[2J`) {
			t.Error("nothing of it was to be seen")
		}
		again, err := evidence.Read(strings.NewReader(written(t, set)))
		if err != nil {
			t.Fatal(err)
		}
		if shown(t, again) != shown(t, set) {
			t.Error("judged again it is not the same")
		}
	}
}
