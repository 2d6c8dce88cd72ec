package docker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/commandline"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/unit"
)

// A daemon is what is configured of a Docker daemon: what it does with the output of containers that are made from now on,
// and where it keeps everything.
type daemon struct {
	driver  evidence.Value[string]
	options map[string]evidence.Value[string]
	root    string // the data root, without a slash in front
	at      evidence.Origin
}

// configFile and dataRoot are where dockerd looks unless it is told otherwise: "Daemon configuration file" and --data-root
// of https://docs.docker.com/reference/cli/dockerd/.
const (
	configFile = "etc/docker/daemon.json"
	dataRoot   = "var/lib/docker"
)

// The snap of Docker has places of its own: https://github.com/canonical/docker-snap, "Configuration".
const (
	snapConfig = "var/snap/docker/current/config/daemon.json"
	snapRoot   = "var/snap/docker/common/var-lib-docker"
)

// readDaemon reads the configuration of the daemon; false where there is none, and no trace of one.
func readDaemon(s *scope.Scope) (daemon, bool) {
	service := unit.Find(s, "docker.service")
	// DOCKER_OPTS is of /etc/default/docker in Debian's docker.service, OPTIONS of /etc/sysconfig/docker in Fedora's.
	flags := commandline.Read(service.Exec, commandline.Env(s, "docker.service", "etc/default/docker", "etc/sysconfig/docker"))
	file, root := configFile, dataRoot
	installed, _ := service.Installed.Get()
	if !installed && !s.Has(dataRoot) && !s.Has(configFile) {
		if !s.Has(snapRoot) && !s.Has(snapConfig) {
			return daemon{}, false
		}
		file, root = snapConfig, snapRoot
	}
	if named := flags.Last("config-file"); named != "" {
		file = named
	}
	d := parse(s, file)
	if at := flags.Last("g", "graph", "data-root"); at != "" {
		d.root = at
	}
	if d.root == "" {
		d.root = root
	}
	d.root = strings.TrimPrefix(path.Clean("/"+d.root), "/")
	if service.Installed.IsUnknown() && d.driver.At().Note == evidence.NoteDockerDefault { // its flags may say another one
		d.driver = evidence.Unknown[string](service.Installed.Why(), service.Installed.At())
	}
	if name := flags.Last("log-driver"); name != "" {
		d.driver = evidence.Known(name, service.At)
	}
	for _, opt := range flags["log-opt"] {
		key, value, _ := strings.Cut(opt, "=")
		d.options[key] = evidence.Known(value, service.At)
	}
	return d, true
}

// parse reads daemon.json. A file that is not there leaves Docker's own defaults; one that cannot be read leaves nothing.
func parse(s *scope.Scope, file string) daemon {
	at := scope.At(file, 0)
	d := daemon{at: at, options: map[string]evidence.Value[string]{}}
	data, err := s.Read(file)
	var written struct {
		Driver  *string                    `json:"log-driver"`
		Options map[string]json.RawMessage `json:"log-opts"`
		Root    string                     `json:"data-root"`
		Graph   string                     `json:"graph"` // its name before Docker 17.05
	}
	if err == nil && len(bytes.TrimSpace(data)) > 0 {
		if err = json.Unmarshal(bytes.TrimPrefix(data, []byte("\ufeff")), &written); err != nil {
			s.Missed("the file "+at.File, err, at)
		}
	}
	if err != nil {
		d.driver = scope.Unknown[string](err, at.WithNote("the configuration of the Docker daemon was not read"))
		return d
	}
	d.root = written.Root
	if d.root == "" {
		d.root = written.Graph
	}
	d.driver = evidence.Known("json-file", at.WithNote(evidence.NoteDockerDefault))
	if written.Driver != nil && *written.Driver != "" {
		d.driver = evidence.Known(*written.Driver, scope.At(file, lineOf(data, "log-driver")))
	}
	for key, raw := range written.Options {
		at := scope.At(file, lineOf(data, key))
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			// https://docs.docker.com/engine/logging/configure/: "provided as strings", or dockerd does not start.
			text = string(raw)
			s.Missed(fmt.Sprintf("the log option %q", key), fmt.Errorf("%s is not a string, with which dockerd does not start", text), at)
		}
		d.options[key] = evidence.Known(text, at)
	}
	return d
}

// lineOf is the line on which a key of a JSON file stands first.
func lineOf(data []byte, key string) int {
	i := bytes.Index(data, []byte(`"`+key+`"`))
	if i < 0 {
		return 0
	}
	return bytes.Count(data[:i], []byte("\n")) + 1
}

// rootless names the daemons that users run for themselves, which are not read:
// https://docs.docker.com/engine/security/rootless/.
func rootless(s *scope.Scope) {
	seen := map[string]bool{}
	for _, pattern := range []string{"home/*/.local/share/docker/containers", "home/*/.config/docker/daemon.json", "root/.local/share/docker/containers"} {
		for _, found := range s.Glob(pattern) {
			home, _, _ := strings.Cut(found, "/.")
			if !seen[home] {
				seen[home] = true
				s.Missed("the containers of "+path.Base(home)+"'s own Docker daemon", errRootless, scope.At(found, 0))
			}
		}
	}
}

var errRootless = errors.New("a rootless daemon is not read")
