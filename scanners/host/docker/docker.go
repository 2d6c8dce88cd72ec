// Package docker reads what a Docker daemon left on the disk of its host: how it is configured, and for each container that
// is still there its own log driver, its log files and what it mounts. A change of the configuration does not change the
// containers that are there.
package docker

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/host/adopt"
	"lookback/scanners/host/logfile"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/syslog"
	"lookback/scanners/workload"
)

// A host is one with a Docker daemon.
type host struct {
	*scope.Scope
	daemon
	images images
	pruned evidence.Origin // the job that removes ended containers; zero where none was seen
	// unrouted says that a container sends to a syslog service of the host of which nothing is known.
	unrouted bool
	left     int // bytes that may still be read of the files of containers
}

// Read reads the Docker daemon of a host and its containers.
func Read(ctx context.Context, s *scope.Scope) {
	rootless(s)
	d, ok := readDaemon(s)
	if !ok {
		return
	}
	h := &host{Scope: s, daemon: d, images: readImages(s, d.root), left: maxRead}
	h.pruned, _ = prune(s)
	containers := h.containers()
	if ctx.Err() != nil {
		return
	}
	h.observe(containers)
}

// anyContainer stands for any container that the daemon will make of a manifest that names no log driver.
const anyContainer = "docker/container"

// observe turns containers into records. What they mean is known to package workload, as for manifests.
func (h *host) observe(containers []*container) {
	byID := map[evidence.ID]*container{}
	future := &workload.Container{
		Asset:    evidence.Asset{Subject: evidence.Subject{ID: h.ID(anyContainer), Kind: "any container", Name: "any new container", At: h.at}, In: h.In(h.at)},
		Workload: "container", Units: []string{"docker"}, Pod: evidence.ID(h.Host().Target()), Image: evidence.Unknown[string](evidence.Elsewhere, h.at),
		Log: workload.Log{Runtime: workload.Docker, Driver: h.driver, Options: h.options, At: h.at},
	}
	all := []*workload.Container{future}
	for _, c := range containers {
		byID[c.Asset.ID] = c
		all = append(all, c.Container)
	}
	to := adopt.Sink{
		Scope: h.Scope,
		Name: func(id evidence.ID) evidence.ID {
			switch id {
			case h.Host() + "/journal":
				return h.ID("journal")
			case h.ID(anyContainer + "/stdout#application"):
				return h.ID("docker/output#application")
			}
			return id
		},
		Keep: func(r evidence.Record) bool {
			switch r := r.(type) {
			case *evidence.Asset:
				return h.asset(r, byID[r.ID])
			case *evidence.LogSource:
				return h.source(r, byID)
			case *evidence.LogStore:
				return h.store(r, byID)
			case *evidence.Access:
				return h.access(r, byID[r.Of])
			}
			return true
		},
	}
	workload.Observe(all, h.platform(), to)
	for _, c := range containers {
		if c.exited() {
			h.Record(h.layer(c))
		}
	}
}

// platform is what the owner declared, without what the daemon itself says.
func (h *host) platform() scanners.Declared {
	d := h.Declared
	if d.Docker != nil {
		d.Docker = &scanners.Platform{To: d.Docker.To}
	}
	return d
}

// asset says how long a container can be looked at after it ended.
func (h *host) asset(a *evidence.Asset, c *container) bool {
	if a.ID == h.Host() {
		return false
	}
	if a.ID == h.ID(anyContainer) {
		a.Looked = nil // whatever it will be, it is not there
	}
	if c != nil {
		if gone, _ := c.AutoRemove.Get(); gone {
			a.Lingers = evidence.Known(int64(0), c.AutoRemove.At().WithNote("--rm removes it as soon as it ends"))
			return true
		}
	}
	if h.pruned != (evidence.Origin{}) && (c != nil || a.ID == h.ID(anyContainer)) {
		a.Lingers = evidence.Known(int64(0), h.pruned.WithNote("removes every container that has ended"))
	}
	return true
}

// source lets through what is no part of a container that is not there.
func (h *host) source(s *evidence.LogSource, byID map[evidence.ID]*container) bool {
	if stdout, ok := strings.CutSuffix(string(s.ID), "/stdout#application"); ok && byID[evidence.ID(stdout)] != nil {
		s.To = h.routed(s.To, byID[evidence.ID(stdout)].Log.Options)
	}
	if s.ID == h.ID("docker/output#application") {
		s.Kind, s.Name, s.Records = scanners.KindContainerOutput, "the output of new containers", "output"
		s.Enabled = evidence.Moot[bool](h.at)
		s.To = h.routed(s.To, h.options)
		return true
	}
	delete(s.Parts, evidence.PartEveryNode) // this is one machine
	return s.ID != h.ID(anyContainer)+"/files#application"
}

// routed puts what the host's syslog service does in the place of a delivery to it. The options and their defaults are those
// of https://docs.docker.com/engine/logging/drivers/syslog/.
func (h *host) routed(to []evidence.Delivery, options map[string]evidence.Value[string]) (out []evidence.Delivery) {
	option := func(name string) string { text, _ := options[name].Get(); return text }
	address := option("syslog-address")
	for _, d := range to {
		var routes []evidence.Delivery
		if d.To == h.syslog() && (address == "" || address == "unix:///dev/log") {
			program := option("tag")
			if program = cmp.Or(program, option("syslog-tag")); strings.Contains(program, "{{") {
				program = "" // the ID of the container, or another name that the template makes
			}
			routes = syslog.Routes(h.Scope, cmp.Or(option("syslog-facility"), "daemon"), program)
		}
		if len(routes) == 0 {
			h.unrouted = h.unrouted || d.To == h.syslog()
			out = append(out, d)
		}
		for _, r := range routes {
			if safe, known := d.Lossless.Get(); known && !safe { // Docker itself does not wait
				r.Lossless, r.Buffer = d.Lossless, d.Buffer
			}
			out = append(out, r)
		}
	}
	return out
}

// syslog is the store of a syslog service of the host, as package workload names it.
func (h *host) syslog() evidence.ID { return h.Host() + "/syslog/" }

// access says whether the image of a container can be had again.
func (h *host) access(a *evidence.Access, c *container) bool {
	if c == nil {
		return false
	}
	pinned, _ := a.Exact.Get()
	if exact := h.images.exact(c.of.Image); !pinned && !exact.IsZero() {
		a.Exact = exact
	}
	return true
}

// store adds what was seen of the log files of a container.
func (h *host) store(s *evidence.LogStore, byID map[evidence.ID]*container) bool {
	if s.ID == h.syslog() {
		return h.unrouted
	}
	if s.ID == h.ID("journal") && h.Store(s.ID) != nil {
		h.Store(s.ID).To = append(h.Store(s.ID).To, s.To...)
		return false
	}
	c := byID[evidence.ID(strings.TrimSuffix(string(s.ID), "/stdout"))]
	if c == nil {
		return true
	}
	var files []string
	switch s.Kind {
	case "json-file log":
		files = logfile.Series(h.Scope, path.Join(c.folder, path.Base(c.folder)+"-json.log"))
		span := logfile.Measure(h.Scope, files)
		s.Oldest, s.Newest = span.Oldest, span.Newest
	case "local log":
		files = logfile.Series(h.Scope, path.Join(c.folder, "local-logs/container.log"))
		s.Oldest, s.Newest = localSpan(h.Scope, files)
	default:
		return true
	}
	s.Dropped = dropped(c, s, len(files))
	return true
}

// dropped says whether Docker has begun to throw away a container's records: the last of the files that it may keep is there.
func dropped(c *container, s *evidence.LogStore, files int) evidence.Value[bool] {
	at := s.Bytes.At()
	if s.Bytes.IsMoot() {
		return evidence.Known(false, at)
	}
	most := 1
	if s.Kind == "local log" {
		most = 5
	}
	if v, written := c.Log.Options["max-file"]; written {
		text, _ := v.Get()
		most, _ = strconv.Atoi(text)
	}
	switch {
	case most < 1 || s.Bytes.IsUnknown():
		return evidence.Unknown[bool](evidence.Unfamiliar, at)
	case most == 1: // the one file is emptied
		return evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("nothing tells whether the one file was emptied before"))
	}
	return evidence.Known(files >= most, at)
}

// layerID is the form of the name of a layer.
var layerID = regexp.MustCompile(`^[0-9a-zA-Z-]{1,128}$`)

// layer says whether what an exited container wrote to its file system is still there. Where it lies is in
// image/DRIVER/layerdb/mounts/ID/mount-id: layer/filestore.go of moby.
func (h *host) layer(c *container) *evidence.Access {
	at := scope.At(path.Join(h.root, "image", c.of.Driver, "layerdb/mounts", path.Base(c.folder), "mount-id"), 0)
	a := &evidence.Access{
		Subject: evidence.Subject{ID: c.Asset.ID + "/layer", Kind: "file system", Name: "the file system of " + c.Asset.Name + " (ended " + c.of.State.FinishedAt.UTC().Format(time.DateOnly) + ")", At: c.Asset.At},
		Of:      c.Asset.ID, Means: evidence.MeansDisk,
	}
	var dir string
	switch c.of.Driver {
	case "overlay2", "fuse-overlayfs":
		dir = "diff"
	case "vfs":
	default:
		a.Allowed = evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("where the storage driver "+c.of.Driver+" keeps it is not read"))
		return a
	}
	id, err := h.Root.Head(at.File, 256)
	name := strings.TrimSpace(string(id))
	folder := path.Join(h.root, c.of.Driver, name, dir)
	if c.of.Driver == "vfs" {
		folder = path.Join(h.root, "vfs/dir", name)
	}
	there := false
	if err == nil && layerID.MatchString(name) {
		at = scope.At(folder, 0)
		there, err = h.Root.Exists(folder)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.Allowed = scope.Unknown[bool](err, at)
		return a
	}
	a.Allowed = evidence.Known(there, at)
	if !there {
		a.Allowed = evidence.Known(false, at.WithNote("its layer is gone"))
	}
	return a
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
