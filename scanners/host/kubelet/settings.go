package kubelet

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"path"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"lookback/evidence"
	"lookback/scanners/host/commandline"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/unit"
)

// Where kubeadm puts what the kubelet reads:
// https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/kubelet-integration/.
const (
	configFile = "var/lib/kubelet/config.yaml"
	flagsFile  = "var/lib/kubelet/kubeadm-flags.env"
	manifests  = "etc/kubernetes/manifests"
)

// noteDefault is the note of what nobody wrote.
const noteDefault = "kubelet default"

// settings are what a kubelet makes of the output of containers. Their defaults are those of KubeletConfiguration:
// https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/.
type settings struct {
	logSize   evidence.Value[int64] // bytes of one file of a container's output
	logFiles  evidence.Value[int64] // how many of them
	dead      evidence.Value[int64] // how many ended containers of each container of a pod are kept
	imageHigh evidence.Value[int64] // per cent of the disk from which on unused images are removed
	static    evidence.Value[string]
	runtime   string // the socket of the container runtime; "" where it is not written
	at        evidence.Origin
}

// readSettings reads the kubelet's files and flags; false where there is none on the host.
func readSettings(s *scope.Scope) (settings, bool) {
	service := unit.Find(s, "kubelet.service")
	env := commandline.Env(s, "kubelet.service", flagsFile, "etc/default/kubelet", "etc/sysconfig/kubelet")
	flags := commandline.Read(service.Exec, env)
	file := configFile
	if named := flags.Last("config"); named != "" {
		file = strings.TrimPrefix(path.Clean("/"+named), "/")
	}
	installed, _ := service.Installed.Get()
	if !installed && !s.Has(file) {
		return settings{}, false
	}
	r := reader{at: scope.At(file, 0)}
	r.read(s, file)
	if dir := flags.Last("config-dir"); dir != "" { // drop-ins, in order of name
		for _, more := range s.Glob(path.Join(dir, "*.conf")) {
			r.read(s, more)
		}
	}
	written := func(flag, key string) evidence.Value[string] {
		if _, ok := flags[flag]; ok { // a flag goes before the file
			return evidence.Known(flags.Last(flag), service.At)
		}
		return r.get(key)
	}
	return settings{
		logSize:   number(written("container-log-max-size", "containerLogMaxSize"), 10<<20, quantity),
		logFiles:  number(written("container-log-max-files", "containerLogMaxFiles"), 5, whole),
		dead:      number(written("maximum-dead-containers-per-container", ""), 1, whole),
		imageHigh: number(written("image-gc-high-threshold", "imageGCHighThresholdPercent"), 85, whole),
		static:    written("pod-manifest-path", "staticPodPath"),
		runtime:   text(written("container-runtime-endpoint", "containerRuntimeEndpoint")),
		at:        r.at,
	}, true
}

// A reader reads files of the kind KubeletConfiguration, of which the last that says something counts.
type reader struct {
	values map[string]evidence.Value[string] // of scalars, by key
	err    error
	at     evidence.Origin
}

func (r *reader) read(s *scope.Scope, file string) {
	data, err := s.Read(file)
	var root *yaml.Node
	if err == nil {
		if root, err = parse(data); err != nil {
			s.Missed("the file "+file, err, scope.At(file, 0))
		}
	}
	if err != nil && r.err == nil {
		r.err, r.at = err, scope.At(file, 0)
	}
	if root == nil || root.Kind != yaml.MappingNode {
		return
	}
	if r.values == nil {
		r.values = map[string]evidence.Value[string]{}
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if v := root.Content[i+1]; v.Kind == yaml.ScalarNode {
			r.values[root.Content[i].Value] = evidence.Known(v.Value, scope.At(file, v.Line))
		}
	}
}

// get returns what is written under a key, known and empty where nothing is.
func (r *reader) get(key string) evidence.Value[string] {
	if v, ok := r.values[key]; ok {
		return v
	}
	if r.err != nil && key != "" {
		return scope.Unknown[string](r.err, r.at)
	}
	return evidence.Known("", r.at.WithNote(noteDefault))
}

// parse returns the root of the first document.
func parse(data []byte) (root *yaml.Node, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the parser gave up: %v", v)
		}
	}()
	var n yaml.Node
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, nil
	}
	if err := yaml.Unmarshal(data, &n); err != nil {
		return nil, err
	}
	if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		return n.Content[0], nil
	}
	return nil, errors.New("not an object")
}

func text(v evidence.Value[string]) string {
	t, _ := v.Get()
	return t
}

// number reads a setting that is a number; otherwise is what holds where nobody wrote one, or 0.
func number(v evidence.Value[string], otherwise int64, read func(string) (int64, bool)) evidence.Value[int64] {
	t, known := v.Get()
	switch {
	case !known:
		return evidence.Unknown[int64](v.Why(), v.At())
	case t == "":
		return evidence.Known(otherwise, v.At())
	}
	n, ok := read(t)
	if !ok {
		return evidence.Unknown[int64](evidence.Unfamiliar, v.At().WithNote("not a number that we read"))
	}
	return evidence.Known(n, v.At())
}

func whole(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 32)
	return n, err == nil
}

// quantity reads a number of bytes as Kubernetes has it, "10Mi":
// https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/.
func quantity(text string) (int64, bool) {
	end := strings.IndexFunc(text, func(c rune) bool { return c != '.' && (c < '0' || c > '9') })
	unit := 1.0
	if end >= 0 {
		units := map[string]float64{"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}
		var ok bool
		if unit, ok = units[text[end:]]; !ok {
			return 0, false
		}
		text = text[:end]
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n*unit > math.MaxInt64/4 {
		return 0, false
	}
	return int64(n * unit), true
}
