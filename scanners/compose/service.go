package compose

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/transform"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"

	"lookback/evidence"
	"lookback/scanners/locate"
	"lookback/scanners/workload"
)

// A service is one service of a project while its container is filled in.
type service struct {
	*project
	name  string
	stack *stack
	config
	c *workload.Container
	// copied lists what a Dockerfile puts over the files of its base image.
	copied []string
	build  evidence.Origin
	// same says that the base of an overlay runs the same container.
	same bool
	// settings are the configs and secrets, by their path in the container.
	settings map[string]evidence.Value[string]
}

// A config is what matters here of compose-go's types.ServiceConfig, in the same words: to decode all of it takes three
// times as long.
type config struct {
	Build         *types.BuildConfig                     `yaml:"build"`
	Command       types.ShellCommand                     `yaml:"command"`
	Configs       []types.ServiceConfigObjConfig         `yaml:"configs"`
	ContainerName string                                 `yaml:"container_name"`
	Entrypoint    types.ShellCommand                     `yaml:"entrypoint"`
	EnvFiles      []types.EnvFile                        `yaml:"env_file"`
	Environment   types.MappingWithEquals                `yaml:"environment"`
	Hostname      string                                 `yaml:"hostname"`
	Image         string                                 `yaml:"image"`
	LabelFiles    []string                               `yaml:"label_file"`
	Labels        types.Labels                           `yaml:"labels"`
	Logging       *types.LoggingConfig                   `yaml:"logging"`
	NetworkMode   string                                 `yaml:"network_mode"`
	Networks      map[string]*types.ServiceNetworkConfig `yaml:"networks"`
	Ports         []string                               `yaml:"ports"`
	Profiles      []string                               `yaml:"profiles"`
	Secrets       []types.ServiceSecretConfig            `yaml:"secrets"`
	Tmpfs         types.StringList                       `yaml:"tmpfs"`
	Volumes       []types.ServiceVolumeConfig            `yaml:"volumes"`
	VolumesFrom   []string                               `yaml:"volumes_from"`
}

// container returns what a service runs; nil for one that runs nothing: it is scaled to zero, or somebody else provides
// it. Mounts that it takes over from other services are not in it yet.
func (p *project) container(name string, st *stack) (*service, error) {
	if !p.afford(st) {
		return nil, errors.New("too much is merged in this project")
	}
	merged, err := st.merged("services")
	if err != nil {
		return nil, err
	}
	if _, provided := merged["provider"]; provided || off(merged) {
		return nil, nil
	}
	delete(merged, "extends")
	delete(merged, "deploy")
	delete(merged, "scale")
	readOnly := merged["read_only"]
	delete(merged, "read_only")
	if err := canonical(name, merged); err != nil {
		return nil, err
	}
	s := &service{project: p, name: name, stack: st}
	if err := decode(merged, &s.config); err != nil {
		return nil, err
	}
	at := st.self()
	s.c = &workload.Container{
		Asset: evidence.Asset{
			Subject:     evidence.Subject{ID: p.target + "//" + evidence.ID(name), Kind: "service", Name: name, At: at},
			In:          evidence.Known(p.host(), at),
			Looked:      map[evidence.Activity]evidence.Value[bool]{evidence.Application: evidence.Known(true, at)},
			Development: p.development || p.profiled(s.Profiles),
		},
		Workload:    "service",
		Units:       []string{string(p.target)},
		Pod:         p.target,
		Names:       s.names(),
		Annotations: map[string]evidence.Value[string]{},
		File:        s.file,
	}
	s.readOnly(readOnly)
	s.image()
	s.args()
	s.env()
	s.labels()
	s.log()
	s.ports()
	for _, v := range s.Volumes {
		s.mount(v)
	}
	s.tmpfs()
	s.refer(s.Configs, p.model.configs, "config", "/")
	secrets := make([]types.ServiceConfigObjConfig, len(s.Secrets))
	for i, ref := range s.Secrets {
		secrets[i] = types.ServiceConfigObjConfig(ref)
	}
	s.refer(secrets, p.model.secrets, "secret", "/run/secrets/")
	return s, nil
}

// canonical brings the keys of a service that may be written in several ways into the one that can be decoded. The
// others are kept from compose-go, which holds each value against everything that it knows of Compose.
func canonical(name string, merged map[string]any) error {
	short := map[string]any{}
	for _, key := range []string{"configs", "env_file", "networks", "secrets", "volumes"} {
		if v, ok := merged[key]; ok {
			short[key] = v
		}
	}
	if len(short) == 0 {
		return nil
	}
	out, err := transform.Canonical(map[string]any{"services": map[string]any{name: short}}, false)
	if err != nil {
		return err
	}
	maps.Copy(merged, out["services"].(map[string]any)[name].(map[string]any))
	return nil
}

// off reports whether a service is scaled to zero.
func off(merged map[string]any) bool {
	deploy, _ := merged["deploy"].(map[string]any)
	return merged["scale"] == "0" || merged["scale"] == nil && deploy["replicas"] == "0"
}

// profiled reports whether a service has profiles, none of which the project's defaults switch on.
func (p *project) profiled(profiles []string) bool {
	return len(profiles) > 0 && !slices.Contains(p.profiles, "*") &&
		!slices.ContainsFunc(profiles, func(name string) bool { return slices.Contains(p.profiles, name) })
}

func (s *service) names() []string {
	names := []string{s.name}
	add := func(name string) {
		if name != "" && resolved(name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	add(s.ContainerName)
	add(s.Hostname)
	for _, network := range slices.Sorted(maps.Keys(s.Networks)) {
		if n := s.Networks[network]; n != nil {
			for _, alias := range n.Aliases {
				add(alias)
			}
		}
	}
	return names
}

func (s *service) readOnly(v any) {
	at := s.stack.at("read_only")
	switch written, isText := v.(string); {
	case isText && !resolved(written):
		s.c.ReadOnlyRoot = evidence.Unknown[bool](evidence.Unresolved, at)
	case isText:
		if b, known := truth(written); known {
			s.c.ReadOnlyRoot = evidence.Known(b, at)
		} else {
			s.c.ReadOnlyRoot = evidence.Unknown[bool](evidence.Failed, at)
		}
	default:
		s.c.ReadOnlyRoot = evidence.Known(false, at.WithNote("Docker default"))
		if lost, ok := s.stack.missing("read_only"); ok {
			s.c.ReadOnlyRoot = lost
		}
	}
}

// image fills in the image. What "build:" makes is the owner's own, whatever it is called, unless the Dockerfile adds
// nothing to another image that could change what runs and where it logs.
func (s *service) image() {
	switch {
	case s.Build != nil:
		s.build = s.stack.at("build")
		s.c.Image = evidence.Unknown[string](evidence.Elsewhere, s.build)
		if resolved(s.Image) {
			s.c.BuiltAs = s.Image
		}
		s.built()
	case s.Image != "":
		s.c.Image = text(s.Image, s.stack.at("image"))
	default:
		s.c.Image = evidence.Unknown[string](evidence.Elsewhere, s.stack.self())
	}
	// Volumes that we cannot see may lie over any folder, so nothing can be said about the image's files.
	for _, key := range []string{"image", "build", "volumes", "tmpfs", "volumes_from"} {
		if lost, ok := s.stack.missing(key); ok {
			s.c.Image = evidence.Unknown[string](lost.Why(), lost.At())
			return
		}
	}
}

// built looks into the Dockerfile.
func (s *service) built() {
	b := s.Build
	content := b.DockerfileInline
	origin := s.stack.at("build", "dockerfile_inline")
	if content == "" {
		dir, err := resolve(s.dir, b.Context)
		if err != nil {
			return
		}
		name := b.Dockerfile
		if name == "" {
			name = "Dockerfile"
		}
		if name, err = resolve(dir, name); err != nil {
			return
		}
		raw, err := s.scan.read(name)
		if err != nil {
			return
		}
		content, origin = raw, evidence.Origin{File: name, Line: 1, Col: 1}
	} else if n := s.stack.node("build", "dockerfile_inline"); n != nil && n.Style&yaml.LiteralStyle != 0 {
		origin = locate.Origin(origin.File, n)
		origin.Line, origin.Col = origin.Line+1, 0
	}
	if !resolved(content) || !resolved(b.Target) {
		return
	}
	made := readDockerfile(content, b.Target, b.Args)
	if made.base == "" {
		return
	}
	origin.Line += made.line - 1
	s.c.Image = text(made.base, origin)
	s.copied = made.copied
	if made.env {
		s.stack.lose("environment", evidence.Elsewhere, origin)
	}
}

// args fills in the entrypoint and the command.
func (s *service) args() {
	for _, of := range []struct {
		key   string
		words []string
	}{{"entrypoint", s.Entrypoint}, {"command", s.Command}} {
		if lost, ok := s.stack.lost[of.key]; ok {
			s.c.Args = append(s.c.Args, evidence.Unknown[string](lost.Why(), lost.At()))
			continue
		}
		if lost, ok := s.stack.missing(of.key); ok && of.words == nil {
			s.c.Args = append(s.c.Args, evidence.Unknown[string](lost.Why(), lost.At()))
		}
		for i, word := range of.words {
			s.c.Args = append(s.c.Args, text(word, s.stack.at(of.key, fmt.Sprint(i))))
		}
	}
}

// env fills in the environment: what the files say, and over it what the service says itself.
func (s *service) env() {
	s.c.Env = map[string]evidence.Value[string]{}
	s.c.EnvWhole = evidence.Known(true, s.stack.at("environment"))
	for _, f := range s.EnvFiles {
		at := s.stack.item("env_file", "path", func(p string) bool { return path.Base(p) == path.Base(f.Path) })
		name, own := s.scan.envAt(s.project, f.Path)
		if own.err != nil {
			s.c.EnvWhole = evidence.Unknown[bool](s.unread("env file", f.Path, at, own.err, !bool(f.Required)), at)
			continue
		}
		for key, value := range own.vars {
			s.c.Env[key] = text(value, own.at(name, key))
		}
	}
	for key, value := range s.Environment {
		at := s.stack.item("environment", key, func(item string) bool { return item == key || strings.HasPrefix(item, key+"=") })
		if value == nil {
			own, ok := s.vars[key]
			if !ok {
				s.c.Env[key] = evidence.Unknown[string](evidence.Unresolved, at)
				continue
			}
			value = &own
		}
		s.c.Env[key] = text(*value, at)
	}
	for _, key := range []string{"environment", "env_file"} {
		if lost, ok := s.stack.missing(key); ok {
			s.c.EnvWhole = lost
		}
	}
}

// unread reports a file that a service names and that cannot be read, and returns why. A file that is not there is
// often made when the project is set up: that is no mistake, and worth no word where it may be absent.
func (s *service) unread(what, p string, at evidence.Origin, err error, optional bool) evidence.Reason {
	absent := errors.Is(err, fs.ErrNotExist) || absolute(p)
	if optional && absent {
		return evidence.Elsewhere
	}
	l := loading{scan: s.scan, target: s.target}
	return l.gap(fmt.Sprintf("the %s %q of service %q", what, written(p), s.name), at, err, !absent)
}

func (s *service) labels() {
	for _, p := range s.LabelFiles {
		at := s.stack.item("label_file", "", func(item string) bool { return path.Base(item) == path.Base(p) })
		name, own := s.scan.envAt(s.project, p)
		if own.err != nil {
			s.unread("label file", p, at, own.err, false)
			continue
		}
		for key, value := range own.vars {
			s.c.Annotations[key] = text(value, own.at(name, key))
		}
	}
	for key, value := range s.Labels {
		at := s.stack.item("labels", key, func(item string) bool { return item == key || strings.HasPrefix(item, key+"=") })
		s.c.Annotations[key] = text(value, at)
	}
}

func (s *service) log() {
	log := &s.c.Log
	log.Runtime = workload.Docker
	log.At = s.stack.at("logging")
	log.Options = map[string]evidence.Value[string]{}
	if s.Logging != nil {
		if s.Logging.Driver != "" {
			log.Driver = text(s.Logging.Driver, s.stack.at("logging", "driver"))
		}
		for key, value := range s.Logging.Options {
			log.Options[key] = text(value, s.stack.at("logging", "options", key))
		}
	}
	if lost, ok := s.stack.missing("logging"); ok && (s.Logging == nil || s.Logging.Driver == "") {
		log.Driver = evidence.Unknown[string](lost.Why(), lost.At())
	}
}

// ports fills in what the service publishes on its machine.
func (s *service) ports() {
	at := s.stack.at("ports")
	s.c.PortsWhole = evidence.Known(true, at)
	for _, entry := range s.Ports {
		ports, read := portsOf(entry)
		switch {
		case !resolved(entry):
			s.c.PortsWhole = evidence.Unknown[bool](evidence.Unresolved, at)
		case !read || len(s.c.Ports)+len(ports) > maxEntries:
			s.c.PortsWhole = evidence.Unknown[bool](evidence.Failed, at)
		default:
			s.c.Ports = append(s.c.Ports, ports...)
		}
	}
	for _, key := range []string{"ports", "network_mode"} {
		if lost, ok := s.stack.missing(key); ok {
			s.c.PortsWhole = lost
		}
	}
	at = s.stack.at("network_mode")
	switch mode := s.NetworkMode; {
	case mode == "host":
		s.c.HostNetwork = true
	case mode == "none":
		s.c.Ports = nil
	case !resolved(mode):
		s.c.Ports, s.c.PortsWhole = nil, evidence.Unknown[bool](evidence.Unresolved, at)
	case mode == notRead, strings.Contains(mode, ":"): // another container's network, with the ports that one publishes
		s.c.Ports, s.c.PortsWhole = nil, evidence.Unknown[bool](evidence.Elsewhere, at)
	}
}

// portsOf reads an entry of "ports:" in the short syntax, [[IP:]HOST:]CONTAINER[/PROTOCOL], where both may be ranges. A
// port that Docker picks by chance is none that a log driver could name.
func portsOf(entry string) (ports []workload.Port, ok bool) {
	entry, _, _ = strings.Cut(entry, "/")
	i := strings.LastIndexByte(entry, ':')
	host := entry[:max(i, 0)]
	host = host[strings.LastIndexByte(host, ':')+1:]
	first, n := portRange(entry[i+1:])
	if host == "" || host == "0" {
		return nil, n > 0
	}
	from, hosts := portRange(host)
	if n == 0 || n > maxEntries || n != hosts { // of more ports than it needs, Docker takes one that is free
		return nil, false
	}
	for i := range n {
		ports = append(ports, workload.Port{Host: from + i, Container: first + i})
	}
	return ports, true
}

// portRange reads "24224" or "24224-24225"; of what is neither, it returns a length of 0.
func portRange(s string) (first, n int) {
	low, high, isRange := strings.Cut(s, "-")
	if !isRange {
		high = low
	}
	from, err := strconv.ParseUint(low, 10, 16)
	to, err2 := strconv.ParseUint(high, 10, 16)
	if err != nil || err2 != nil || from == 0 || to < from {
		return 0, 0
	}
	return int(from), int(to-from) + 1
}

// node returns the node of a path in the last file that writes it.
func (s *stack) node(path ...string) *yaml.Node {
	for _, l := range slices.Backward(s.layers) {
		if _, n, found := locate.Find(l.node, path...); found == len(path) {
			return n
		}
	}
	return nil
}
