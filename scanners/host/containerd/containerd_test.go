package containerd_test

import (
	"context"
	"strings"
	"testing"

	"lookback/evidence"
	"lookback/scanners/host/containerd"
	"lookback/scanners/host/hosttest"
	"lookback/scanners/host/scope"
)

func TestLongLinesAreSplitAndNotLost(t *testing.T) {
	for name, c := range map[string]struct{ file, note string }{
		"nothing written": {"version = 2\n", "lines of more than 16384 bytes"},
		"version 1":       {"[plugins.cri]\n  max_container_log_line_size = 1024\n", "lines of more than 1024 bytes"},
		"version 2":       {"version = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\n  max_container_log_line_size = 2048\n  [plugins.\"io.containerd.grpc.v1.cri\".containerd]\n    snapshotter = \"overlayfs\"\n", "lines of more than 2048 bytes"},
		"version 3":       {"version = 3\n[plugins.'io.containerd.cri.v1.runtime']\n  max_container_log_line_size = -1\n", "no line is split"},
	} {
		t.Run(name, func(t *testing.T) {
			hosttest.Scan(t, map[string]string{"etc/containerd/config.toml": c.file}, func(_ context.Context, s *scope.Scope) {
				v := containerd.Uncut(s)
				if whole, known := v.Get(); !whole || !known || !strings.HasPrefix(v.At().Note, c.note) {
					t.Errorf("got %v", v)
				}
			})
		})
	}
}

func TestWhatIsNotReadIsAGap(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"nothing":         {map[string]string{"etc/hostname": ""}, ""},
		"broken":          {map[string]string{"etc/containerd/config.toml": "version = \n"}, "the file etc/containerd/config.toml"},
		"another type":    {map[string]string{"etc/containerd/config.toml": "[plugins.cri]\nmax_container_log_line_size = \"x\"\n"}, "the file etc/containerd/config.toml"},
		"unreadable":      {map[string]string{"etc/containerd/config.toml/x": ""}, "the file etc/containerd/config.toml"},
		"nerdctl":         {map[string]string{"var/lib/nerdctl/1935db59/containers/default/aa/x": "", "var/lib/nerdctl/1935db59/containers/k8s.io/bb/x": ""}, "the containers of nerdctl (2)"},
		"Podman":          {map[string]string{"var/lib/containers/storage/overlay-containers/aa/userdata/config.json": ""}, "the containers of Podman or CRI-O (1)"},
		"somebody's own":  {map[string]string{"home/alice/.local/share/containers/storage/overlay-containers/aa/userdata/x": ""}, "the containers of a user's own Podman (1)"},
		"a configuration": {map[string]string{"etc/containerd/config.toml": "disabled_plugins = [\"cri\"]\n"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			set := hosttest.Scan(t, c.files, containerd.Read)
			got := ""
			for _, g := range set.Gaps {
				got += g.Asked
				if g.Why != evidence.Failed {
					t.Errorf("the reason is %q", g.Why)
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
