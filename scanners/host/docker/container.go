package docker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"lookback/evidence"
	"lookback/scanners/host/scope"
	"lookback/scanners/workload"
)

// A config is what is asked of config.v2.json, Docker's own record of a container: type Container in container/container.go
// of https://github.com/moby/moby.
type config struct {
	Name  string
	Path  string
	Args  []string
	Image string // the ID of the image
	State struct {
		Running    bool
		FinishedAt time.Time
	}
	Config struct {
		Image  string // as it was asked for
		Env    []string
		Labels map[string]string
	}
	NetworkSettings struct {
		Networks map[string]struct{ Aliases []string }
	}
	Driver      string // of its file system: overlay2
	MountPoints map[string]mountPoint
}

type mountPoint struct {
	Type, Source, Destination, Name, Driver string
	RW                                      bool
	Spec                                    struct {
		VolumeOptions *struct{ NoCopy bool }
	}
}

// A hostConfig is what is asked of hostconfig.json: type HostConfig in api/types/container of moby.
type hostConfig struct {
	Binds     []string
	LogConfig struct {
		Type   string
		Config map[string]string
	}
	NetworkMode    string
	PortBindings   map[string][]struct{ HostPort string }
	AutoRemove     bool
	ReadonlyRootfs bool
	Tmpfs          map[string]string
}

// A container is one that Docker has not removed: it may run, or have ended long ago.
type container struct {
	*workload.Container
	folder string // of its files
	of     config
}

// exited reports whether it ran and has ended.
func (c *container) exited() bool { return !c.of.State.Running && c.of.State.FinishedAt.Year() > 1 }

// named is the form of a container's name: names.RestrictedNamePattern of moby.
var named = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,252}$`)

// Limits of what is read of all containers: a machine has some hundreds, and some kilobytes are written of each.
const (
	maxContainers = 20_000
	maxRead       = 256 << 20
)

var errMany = fmt.Errorf("more than %d containers, or %d bytes written of them", maxContainers, maxRead)

// containers reads what Docker keeps of its containers.
func (h *host) containers() []*container {
	dir := path.Join(h.root, "containers")
	list, err := h.Root.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if len(list) > maxContainers {
		list, err = list[:maxContainers], errMany
	}
	if err != nil {
		h.blind("docker/containers", "the containers of Docker", err, scope.At(dir, 0))
	}
	var out []*container
	taken := map[string]bool{}
	for _, e := range list {
		if !e.IsDir() {
			continue
		}
		short := e.Name()[:min(12, len(e.Name()))]
		c, at, err := h.container(path.Join(dir, e.Name()))
		if errors.Is(err, errMany) {
			h.blind("docker/containers", "the containers of Docker", err, scope.At(dir, 0))
			break
		}
		if err != nil {
			h.blind("docker/containers/"+short, "the container "+short, err, at)
			continue
		}
		name := strings.TrimPrefix(c.of.Name, "/")
		if !named.MatchString(name) || taken[name] {
			name = short
		}
		taken[name] = true
		h.fill(c, name, at)
		out = append(out, c)
	}
	return out
}

// blind stands for containers that could not be read.
func (h *host) blind(thing, name string, err error, at evidence.Origin) {
	h.Missed(name, err, at)
	h.Record(&evidence.Asset{
		Subject: evidence.Subject{ID: h.ID(thing), Kind: "container", Name: name, At: at},
		In:      h.In(at), Lingers: scope.Unknown[int64](err, at),
		Looked: map[evidence.Activity]evidence.Value[bool]{evidence.Application: scope.Unknown[bool](err, at)},
	})
}

// container reads the files of one container. At is the one that could not be read, or the one that says how it logs.
func (h *host) container(folder string) (c *container, at evidence.Origin, err error) {
	c = &container{folder: folder, Container: &workload.Container{}}
	var own hostConfig
	for _, part := range []struct {
		file string
		into any
	}{{"config.v2.json", &c.of}, {"hostconfig.json", &own}} {
		file := path.Join(folder, part.file)
		at = scope.At(file, 0)
		data, err := h.Root.ReadFile(file)
		if h.left -= len(data); err == nil && h.left < 0 {
			err = errMany
		}
		if err == nil {
			err = json.Unmarshal(data, part.into)
		}
		if err != nil {
			return nil, at, err
		}
	}
	c.Log = workload.Log{Runtime: workload.Docker, At: at, Driver: evidence.Known(own.LogConfig.Type, at), Options: known(own.LogConfig.Config, at)}
	if own.LogConfig.Type == "" {
		c.Log.Driver = evidence.Unknown[string](evidence.Unfamiliar, at.WithNote("no log driver is written"))
	}
	c.AutoRemove = evidence.Known(own.AutoRemove, at)
	c.ReadOnlyRoot = evidence.Known(own.ReadonlyRootfs, at)
	c.HostNetwork = own.NetworkMode == "host"
	c.PortsWhole = evidence.Known(true, at)
	for inside, to := range own.PortBindings {
		number, _, _ := strings.Cut(inside, "/")
		for _, b := range to {
			in, wrong := strconv.Atoi(number)
			out, also := strconv.Atoi(b.HostPort)
			if wrong == nil && also == nil {
				c.Ports = append(c.Ports, workload.Port{Host: out, Container: in})
			}
		}
	}
	slices.SortFunc(c.Ports, func(a, b workload.Port) int { return (a.Host-b.Host)*1<<16 + a.Container - b.Container })
	for p := range own.Tmpfs {
		if c.of.MountPoints == nil {
			c.of.MountPoints = map[string]mountPoint{}
		}
		c.of.MountPoints[p] = mountPoint{Type: "tmpfs", Destination: p, RW: true}
	}
	for p, m := range c.of.MountPoints {
		if slices.ContainsFunc(own.Binds, func(b string) bool { return noCopy(b, m.Name) }) {
			m.Spec.VolumeOptions = &struct{ NoCopy bool }{true}
			c.of.MountPoints[p] = m
		}
	}
	return c, at, nil
}

// noCopy reports whether a bind, "volume:/path:options", says that a volume is not filled from the image.
func noCopy(bind, volume string) bool {
	name, rest, _ := strings.Cut(bind, ":")
	_, options, _ := strings.Cut(rest, ":")
	return volume != "" && name == volume && slices.Contains(strings.Split(options, ","), "nocopy")
}

func known(from map[string]string, at evidence.Origin) map[string]evidence.Value[string] {
	out := make(map[string]evidence.Value[string], len(from))
	for key, v := range from {
		out[key] = evidence.Known(v, at)
	}
	return out
}

// fill says what a container is in the words of a manifest.
func (h *host) fill(c *container, name string, at evidence.Origin) {
	config := scope.At(path.Join(c.folder, "config.v2.json"), 0)
	kind := "container"
	if c.exited() {
		kind = "exited container"
	}
	c.Asset = evidence.Asset{Subject: evidence.Subject{ID: h.ID("docker/containers/" + name), Kind: kind, Name: name, At: at}, In: h.In(at)}
	c.Workload, c.Units, c.Pod = "container", []string{"docker"}, evidence.ID(h.Host().Target())
	c.Names = []string{name}
	for _, n := range c.of.NetworkSettings.Networks {
		c.Names = append(c.Names, n.Aliases...)
	}
	if service := c.of.Config.Labels["com.docker.compose.service"]; service != "" {
		c.Names = append(c.Names, service)
	}
	slices.Sort(c.Names[1:])
	c.Image = h.images.name(c.of, config)
	for _, arg := range append([]string{c.of.Path}, c.of.Args...) {
		c.Args = append(c.Args, evidence.Known(arg, config))
	}
	c.Env, c.EnvWhole = map[string]evidence.Value[string]{}, evidence.Known(true, config)
	for _, v := range c.of.Config.Env {
		key, value, _ := strings.Cut(v, "=")
		c.Env[key] = evidence.Known(value, config)
	}
	c.Annotations = known(c.of.Config.Labels, config)
	if c.of.State.Running {
		c.Every = &workload.Every{At: config} // a sensor on this machine watches all of it
	}
	var sources []source
	for _, p := range sortedKeys(c.of.MountPoints) {
		m, from := h.mount(c, c.of.MountPoints[p], config)
		c.Mounts, sources = append(c.Mounts, m), append(sources, source{m.Path, from})
	}
	c.File = func(name string) evidence.Value[string] { return h.file(sources, name, config) }
}

// mount says what a mount is, and where on the host its files lie; "" where that is not to be read.
func (h *host) mount(c *container, p mountPoint, at evidence.Origin) (m workload.Mount, from string) {
	m = workload.Mount{Path: path.Clean("/" + p.Destination), Name: p.Name, ReadOnly: !p.RW, NoCopy: p.Spec.VolumeOptions != nil && p.Spec.VolumeOptions.NoCopy, At: at}
	m.Volume = c.Asset.ID + evidence.ID("/mount"+m.Path)
	switch p.Type {
	case "bind":
		m.Kind, m.HostPath = workload.Bind, path.Clean("/"+p.Source)
		m.Name, m.Volume = m.HostPath, h.ID(m.HostPath)
		return m, m.HostPath
	case "tmpfs":
		m.Kind = workload.Tmpfs
		return m, ""
	case "volume", "":
	default: // image, cluster, npipe
		m.Kind, m.OffHost = workload.Plugin, evidence.Unknown[bool](evidence.Unfamiliar, at)
		return m, ""
	}
	m.Volume = h.ID("docker/volume/" + p.Name)
	if p.Driver != "" && p.Driver != "local" {
		m.Kind, m.OffHost = workload.Plugin, evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("where the volume driver "+p.Driver+" keeps its files is up to it"))
		return m, ""
	}
	m.Kind = workload.NamedVolume
	if anonymous.MatchString(p.Name) {
		m.Kind = workload.AnonymousVolume
	}
	if !named.MatchString(p.Name) {
		return m, ""
	}
	// The options of the local driver: optsFilePath in volume/local/local.go of moby.
	file := path.Join(h.root, "volumes", p.Name, "opts.json")
	data, err := h.Read(file)
	var o struct{ MountType, MountOpts, MountDevice string }
	if err == nil && data != nil {
		err = json.Unmarshal(data, &o)
	}
	kind := strings.ToLower(o.MountType)
	switch {
	case err != nil:
		m.Kind, m.OffHost = workload.Plugin, scope.Unknown[bool](err, scope.At(file, 0))
		return m, ""
	case strings.HasPrefix(kind, "nfs"), kind == "cifs", kind == "smb3", strings.Contains(","+o.MountOpts, ",addr="):
		m.Kind, m.OffHost = workload.Remote, evidence.Known(true, scope.At(file, 0))
		return m, ""
	case kind == "tmpfs":
		m.Kind = workload.Tmpfs
		return m, ""
	case o.MountDevice != "" && strings.Contains(","+o.MountOpts+",", "bind,"):
		m.HostPath = path.Clean("/" + o.MountDevice)
		return m, m.HostPath
	}
	return m, path.Join(h.root, "volumes", p.Name, "_data")
}

// anonymous is the form of the name that Docker gives to a volume without one.
var anonymous = regexp.MustCompile(`^[0-9a-f]{64}$`)

// A source is where on the host the files of a mount lie.
type source struct{ path, from string }

// Limits of what is read of one mount, to see how a program is configured.
const (
	maxText  = 256 << 10
	maxFiles = 64
)

// file reads a file of a container, or the files of a folder, where a mount brings it.
func (h *host) file(mounts []source, name string, at evidence.Origin) evidence.Value[string] {
	name = path.Clean("/" + name)
	var over *source
	for i, m := range mounts {
		if workload.Within(name, m.path) && (over == nil || len(m.path) >= len(over.path)) {
			over = &mounts[i]
		}
	}
	if over == nil {
		i := slices.IndexFunc(mounts, func(m source) bool { return workload.Within(m.path, name) }) // a file in a folder
		if i < 0 {
			return evidence.Moot[string](at)
		}
		over, name = &mounts[i], mounts[i].path
	}
	if over.from == "" {
		return evidence.Unknown[string](evidence.Elsewhere, at)
	}
	if ok, err := h.Root.Exists(over.from); err == nil && !ok {
		return evidence.Unknown[string](evidence.Elsewhere, at.WithNote(over.from+" is not on this disk"))
	}
	from := path.Join(over.from, strings.TrimPrefix(name, over.path))
	info, err := h.Root.Stat(from)
	files := []string{from}
	if err == nil && info.IsDir() {
		var list []fs.DirEntry
		list, err = h.Root.ReadDir(from)
		files = nil
		for _, e := range list[:min(len(list), maxFiles)] {
			if e.Type().IsRegular() {
				files = append(files, path.Join(from, e.Name()))
			}
		}
	}
	var text []string
	for _, f := range files {
		if err == nil {
			var data []byte
			data, err = h.Root.Head(f, maxText)
			text = append(text, string(data))
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return evidence.Known("", at.WithNote("not in what is mounted"))
	case err != nil:
		return scope.Unknown[string](err, scope.At(from, 0))
	}
	origin := scope.At(from, 1)
	if len(files) == 1 {
		origin = scope.At(files[0], 1)
	}
	return evidence.Known(strings.Join(text, "\n"), origin)
}
