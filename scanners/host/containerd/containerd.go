// Package containerd reads how containerd keeps the output of containers that a kubelet asks it for, and names what other
// engines keep on the host and is not read.
package containerd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"

	"lookback/evidence"
	"lookback/scanners/host/scope"
)

const configFile = "etc/containerd/config.toml"

// A config is what is asked of config.toml. The plug-in of the kubelet has a name of its own in each version of the file:
// https://github.com/containerd/containerd/blob/main/docs/cri/config.md.
type config struct {
	Plugins map[string]struct {
		Limit *int64 `toml:"max_container_log_line_size"`
	}
}

// lineLimit is containerd's own limit of a line in bytes: DefaultConfig of its CRI plug-in.
const lineLimit = 16 << 10

// Uncut says whether lines of any length arrive whole in the files of the kubelet. A line that is longer than the limit is
// split, and its parts are marked: nothing is lost.
func Uncut(s *scope.Scope) evidence.Value[bool] {
	return scope.Memo(s, "containerd lines", func() evidence.Value[bool] {
		at := scope.At(configFile, 0)
		data, err := s.Read(configFile)
		var c config
		if err == nil {
			if _, err = toml.Decode(string(data), &c); err != nil {
				s.Missed("the file "+configFile, err, at)
			}
		}
		if err != nil {
			return scope.Unknown[bool](err, at)
		}
		limit := int64(lineLimit)
		for name, p := range c.Plugins {
			if p.Limit != nil && (name == "cri" || strings.HasPrefix(name, "io.containerd.") && strings.Contains(name, ".cri")) {
				limit = *p.Limit
			}
		}
		if limit < 0 {
			return evidence.Known(true, at.WithNote("no line is split"))
		}
		return evidence.Known(true, at.WithNote(fmt.Sprintf("lines of more than %d bytes are split, and their parts marked", limit)))
	})
}

// Read names the containers of engines that are not read.
func Read(_ context.Context, s *scope.Scope) {
	if s.Has(configFile) {
		Uncut(s)
	}
	for _, e := range []struct{ pattern, name string }{
		// DataStore of https://github.com/containerd/nerdctl/blob/main/docs/dir.md.
		{"var/lib/nerdctl/*/containers/*/*", "nerdctl"},
		// Podman and CRI-O: "Overlay" of https://github.com/containers/storage/blob/main/docs/containers-storage.md.
		{"var/lib/containers/storage/overlay-containers/*/userdata", "Podman or CRI-O"},
		{"home/*/.local/share/containers/storage/overlay-containers/*/userdata", "a user's own Podman"},
	} {
		if found := s.Glob(e.pattern); len(found) > 0 {
			s.Missed(fmt.Sprintf("the containers of %s (%d)", e.name, len(found)), errOther, scope.At(found[0], 0))
		}
	}
}

var errOther = errors.New("containers of this engine are not read")
