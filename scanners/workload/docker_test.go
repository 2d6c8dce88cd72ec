//go:build linux

package workload_test

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/workload"
	"lookback/scanners/workload/dockertest"
)

const (
	web       evidence.ID = "compose:shop//web"
	host      evidence.ID = "compose:shop//host"
	accessLog             = "/var/log/nginx/access.log"
	line                  = "GET /login" // what the writer writes
)

// here is where everything that Observe is told is written.
func here() evidence.Origin { return evidence.Origin{File: "compose.yaml", Line: 1} }

// TestDocker holds what Observe says of a container against what a real Docker daemon does with one. The container has
// our own image, with the links of nginx; Observe is told that it is nginx.
func TestDocker(t *testing.T) {
	folder := dockertest.Folder(t)
	image := dockertest.WriterImage(t)
	d := dockertest.New(t, folder, `{}`, image)

	t.Run("mounts", func(t *testing.T) { dockerMounts(t, d) })
	t.Run("log files", func(t *testing.T) { dockerLogFiles(t, d) })
	t.Run("volumes", func(t *testing.T) { dockerVolumes(t, d) })
	t.Run("no driver", func(t *testing.T) { dockerNone(t, d) })
	t.Run("rotation", func(t *testing.T) { dockerRotation(t, d) })
	t.Run("buffers", func(t *testing.T) { dockerBuffers(t, d) })
	t.Run("syslog", func(t *testing.T) { dockerSyslog(t, d) })
	t.Run("defaults of the daemon", func(t *testing.T) {
		dockerDefaults(t, dockertest.New(t, folder, `{"log-driver": "local", "log-opts": {"max-size": "10k", "max-file": "3"}}`, image))
	})
}

// observed is what Observe says of one container.
type observed struct {
	*evidence.Set
	out evidence.LogSource // its standard output
}

func observe(t *testing.T, log workload.Log, declared scanners.Declared, mounts ...workload.Mount) observed {
	t.Helper()
	log.Runtime, log.At = workload.Docker, here()
	o := observed{Set: &evidence.Set{}}
	workload.Observe([]*workload.Container{{
		Asset:    evidence.Asset{Subject: evidence.Subject{ID: web, Kind: "container", Name: "web", At: here()}, In: evidence.Known(host, here())},
		Workload: "service", Units: []string{"shop"}, Pod: "compose:shop", Names: []string{"web"},
		Image: evidence.Known("nginx:1.27", here()), Mounts: mounts, Log: log,
	}}, declared, o)
	for _, r := range o.Records {
		if s, ok := r.(*evidence.LogSource); ok && s.ID == web+"/stdout#application" {
			o.out = *s
			return o
		}
	}
	t.Fatal("no record of the standard output")
	return o
}

// files returns the log files that the container is said to write.
func (o observed) files() (files []*evidence.LogSource) {
	for _, r := range o.Records {
		s, ok := r.(*evidence.LogSource)
		if !ok || s.Kind != "log files" {
			continue
		}
		if on, known := s.Enabled.Get(); known && on {
			files = append(files, s)
		}
	}
	return files
}

// store returns the one store of a source.
func (o observed) store(t *testing.T, s evidence.LogSource) *evidence.LogStore {
	t.Helper()
	if len(s.To) != 1 {
		t.Fatalf("%s goes to %d stores, want one", s.ID, len(s.To))
	}
	for _, r := range o.Records {
		if store, ok := r.(*evidence.LogStore); ok && store.ID == s.To[0].To {
			return store
		}
	}
	t.Fatalf("no record of the store %s", s.To[0].To)
	return nil
}

func restsOn(t *testing.T, s *evidence.LogStore, want evidence.ID) {
	t.Helper()
	if on, known := s.On.Get(); !known || !slices.Equal(on, []evidence.ID{want}) {
		t.Errorf("%s rests on %q, %v; want %q", s.Name, on, known, want)
	}
}

func driver(name string, options map[string]string) workload.Log {
	l := workload.Log{Options: values(options)}
	if name != "" {
		l.Driver = evidence.Known(name, here())
	}
	return l
}

func values(options map[string]string) map[string]evidence.Value[string] {
	known := map[string]evidence.Value[string]{}
	for k, v := range options {
		known[k] = evidence.Known(v, here())
	}
	return known
}

// flags returns the flags of "docker run" for a log driver.
func flags(name string, options map[string]string) (args []string) {
	if name != "" {
		args = append(args, "--log-driver", name)
	}
	for _, k := range slices.Sorted(maps.Keys(options)) {
		args = append(args, "--log-opt", k+"="+options[k])
	}
	return args
}

func dockerMounts(t *testing.T, d *dockertest.Daemon) {
	d.Docker(t, "volume", "create", "--opt", "type=tmpfs", "--opt", "device=tmpfs", "memory")
	folder, one := t.TempDir(), filepath.Join(t.TempDir(), "access.log")
	if err := os.WriteFile(one, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const (
		nothing, links, file = "nothing", "links", "a file"
		logs                 = "/var/log/nginx"
	)
	mount := func(path string, kind workload.MountKind) []workload.Mount {
		return []workload.Mount{{Path: path, Kind: kind, Volume: "compose:shop//volume/logs", Name: "logs", At: here()}}
	}
	nocopy := mount(logs, workload.NamedVolume)
	nocopy[0].NoCopy = true
	for _, c := range []struct {
		name    string
		args    []string
		mounts  []workload.Mount
		arrives bool   // the line reaches the log driver
		holds   string // what is in the mount
	}{
		{"no mount", nil, nil, true, nothing},
		{"named volume", []string{"-v", "logs:" + logs}, mount(logs, workload.NamedVolume), true, links},
		{"anonymous volume", []string{"-v", logs}, mount(logs, workload.AnonymousVolume), true, links},
		{"named volume above", []string{"-v", "above:/var/log"}, mount("/var/log", workload.NamedVolume), true, links},
		{"anonymous volume above", []string{"-v", "/var/log"}, mount("/var/log", workload.AnonymousVolume), true, links},
		{"named volume, not filled", []string{"-v", "empty:" + logs + ":nocopy"}, nocopy, false, file},
		{"bind mount", []string{"-v", folder + ":" + logs}, mount(logs, workload.Bind), false, file},
		{"bind mount of one file", []string{"-v", one + ":" + accessLog}, mount(accessLog, workload.Bind), false, file},
		{"tmpfs", []string{"--tmpfs", logs}, mount(logs, workload.Tmpfs), false, file},
		{"named volume in memory", []string{"-v", "memory:" + logs}, mount(logs, workload.Tmpfs), false, file},
		{"tmpfs on another folder below", []string{"--tmpfs", logs + "/cache"}, mount(logs+"/cache", workload.Tmpfs), true, nothing},
		{"named volume on another folder below", []string{"-v", "cache:" + logs + "/cache"}, mount(logs+"/cache", workload.NamedVolume), true, nothing},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := d.Run(t, append(c.args, flags("json-file", nil)...), "write", accessLog)
			stdout, stderr := d.Logs(t, id)
			if got := strings.Contains(stdout, line); got != c.arrives {
				t.Errorf("Docker: the line arrives: %v, want %v", got, c.arrives)
			}
			holds := nothing
			switch {
			case c.mounts == nil:
			case c.mounts[0].Kind == workload.Tmpfs: // only the container sees it; of this folder the writer spoke
				if c.mounts[0].Path == logs {
					holds = strings.TrimSpace(stderr)
				}
			default:
				holds = inside(t, d.Docker(t, "inspect", "-f", "{{range .Mounts}}{{.Source}}{{end}}", id))
			}
			if holds != c.holds {
				t.Errorf("Docker: the mount holds %s, want %s", holds, c.holds)
			}

			o := observe(t, driver("json-file", nil), scanners.Declared{}, c.mounts...)
			want := evidence.HiddenDiverted
			if c.arrives {
				want = evidence.HiddenNot
			}
			if hidden, known := o.out.Hidden.Get(); !known || hidden != want {
				t.Errorf("Observe: standard output is hidden: %q, %v; want %q", hidden, known, want)
			}
			holds = nothing
			for _, f := range o.files() {
				holds = file
				if hidden, known := f.Hidden.Get(); known && hidden == evidence.HiddenNothing {
					holds = links
				}
			}
			if holds != c.holds {
				t.Errorf("Observe: the mount holds %s, want %s", holds, c.holds)
			}
		})
	}
}

// inside says what is in a folder of the host, or in a file.
func inside(t *testing.T, folder string) string {
	t.Helper()
	holds := "nothing"
	err := filepath.WalkDir(folder, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		is, err := e.Info()
		switch {
		case err != nil:
			return err
		case is.Mode().IsRegular() && is.Size() > 0:
			holds = "a file"
			return fs.SkipAll
		case is.Mode()&fs.ModeSymlink != 0:
			holds = "links"
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return holds
}

func exists(t *testing.T, name string) bool {
	t.Helper()
	is, err := os.Stat(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil && is.Size() > 0
}

func dockerLogFiles(t *testing.T, d *dockertest.Daemon) {
	for _, name := range []string{"json-file", "local"} {
		t.Run(name+" goes with its container", func(t *testing.T) {
			id := d.Run(t, flags(name, nil), "write", accessLog)
			file := filepath.Join(d.Data, "containers", id, "local-logs", "container.log")
			if name == "json-file" {
				file = d.Docker(t, "inspect", "-f", "{{.LogPath}}", id)
			}
			if !exists(t, file) {
				t.Fatalf("Docker: nothing in %s", file)
			}
			d.Docker(t, "rm", id)
			if exists(t, file) {
				t.Error("Docker: the log file is still there when the container is gone")
			}

			o := observe(t, driver(name, nil), scanners.Declared{})
			restsOn(t, o.store(t, o.out), web)
		})
	}
}

func dockerVolumes(t *testing.T, d *dockertest.Daemon) {
	for _, c := range []struct {
		name  string
		kind  workload.MountKind
		mount string
		rm    bool // removed by itself at its end, else by hand with "rm -v"
		stays bool
	}{
		{"named volume, removed by hand", workload.NamedVolume, "kept:/srv/logs", false, true},
		{"named volume, removed at the end", workload.NamedVolume, "kept:/srv/logs", true, true},
		{"anonymous volume, removed by hand", workload.AnonymousVolume, "/srv/logs", false, false},
		{"anonymous volume, removed at the end", workload.AnonymousVolume, "/srv/logs", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := strings.ReplaceAll(c.name, " ", "-")
			there := func() bool {
				found, err := filepath.Glob(filepath.Join(d.Data, "volumes", "*", "_data", name))
				if err != nil {
					t.Fatal(err)
				}
				return len(found) > 0
			}
			if c.rm {
				d.Docker(t, "run", "--rm", "--network", "none", "-v", c.mount, "writer", "write", "/srv/logs/"+name)
			} else {
				id := d.Run(t, []string{"-v", c.mount}, "write", "/srv/logs/"+name)
				if !there() {
					t.Fatal("Docker: the file is not in the volume")
				}
				d.Docker(t, "rm", "-v", id)
			}
			if there() != c.stays {
				t.Errorf("Docker: the file outlives the container: %v, want %v", there(), c.stays)
			}

			o := observe(t, driver("json-file", nil), scanners.Declared{}, workload.Mount{Path: "/srv/logs", Kind: c.kind, Volume: "compose:shop//volume/kept", At: here()})
			for _, r := range o.Records {
				if s, ok := r.(*evidence.LogStore); ok && s.ID == "compose:shop//volume/kept" {
					restsOn(t, s, host)
					if seconds, known := s.Lingers.Get(); s.Lingers.IsMoot() != c.stays || !c.stays && (!known || seconds != 0) {
						t.Errorf("Observe: it lingers %d, %v; the file outlives the container: %v", seconds, known, c.stays)
					}
					return
				}
			}
			t.Error("Observe: no record of the volume")
		})
	}
}

func dockerNone(t *testing.T, d *dockertest.Daemon) {
	id := d.Run(t, flags("none", nil), "write", accessLog)
	if stdout, stderr, err := d.Try(nil, "logs", id); err == nil || strings.Contains(stdout, line) {
		t.Errorf("Docker: logs are there: %q, %q", stdout, stderr)
	}
	o := observe(t, driver("none", nil), scanners.Declared{})
	if extent, known := o.out.To[0].Extent.Get(); !known || extent.Grade != evidence.None {
		t.Errorf("Observe: the driver lets %q through, %v; want %q", extent.Grade, known, evidence.None)
	}
}

func dockerRotation(t *testing.T, d *dockertest.Daemon) {
	const entry = 300 // more than a line of 100 bytes takes in any driver's file
	for _, c := range []struct {
		name, driver string
		options      map[string]string
		lines, size  int
		files        int64 // how many it keeps; 0 is one that grows without end
	}{
		{"json-file by itself", "json-file", nil, 2000, 100, 0},
		{"max-file alone has no effect", "json-file", map[string]string{"max-file": "3"}, 2000, 100, 0},
		{"max-size alone", "json-file", map[string]string{"max-size": "10k"}, 2000, 100, 1},
		{"both", "json-file", map[string]string{"max-size": "10k", "max-file": "3"}, 2000, 100, 3},
		{"local, both", "local", map[string]string{"max-size": "10k", "max-file": "3"}, 2000, 100, 3},
		{"local with a size", "local", map[string]string{"max-size": "10k"}, 2000, 100, 5},
		{"local by itself", "local", nil, 18000, 8000, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := d.Run(t, flags(c.driver, c.options), "count", strconv.Itoa(c.lines), strconv.Itoa(c.size))
			o := observe(t, driver(c.driver, c.options), scanners.Declared{})
			store := o.store(t, o.out)
			kept, known := store.Kept.Get()
			stdout, _ := d.Logs(t, id)
			all := strings.HasPrefix(stdout, "0000000 ")
			if c.files == 0 {
				if !all || strings.Count(stdout, "\n") != c.lines {
					t.Errorf("Docker: %d lines are left of %d", strings.Count(stdout, "\n"), c.lines)
				}
				if !known || kept != evidence.Forever || !store.Bytes.IsMoot() {
					t.Errorf("Observe: kept %d days, %v, bytes %v; want no bound", kept, known, store.Bytes)
				}
				return
			}
			if all {
				t.Error("Docker: the first line is still there")
			}
			if !known || kept != 0 {
				t.Errorf("Observe: kept %d days, %v; want 0, as only bytes bound it", kept, known)
			}
			bytes, _ := store.Bytes.Get()
			each := bytes / c.files
			rotated := rotatedFiles(t, filepath.Join(d.Data, "containers", id))
			if c.files > 1 && int64(len(rotated)) != c.files-1 {
				t.Errorf("Docker: %d files beside the one that it writes, want %d", len(rotated), c.files-1)
			}
			for name, size := range rotated {
				if size < each || size >= each+entry+int64(c.size) {
					t.Errorf("Docker began a new file when %s had %d bytes; Observe says at %d", name, size, each)
				}
			}
		})
	}
}

// rotatedFiles returns the sizes of the log files that a container no longer writes, uncompressed, by their names.
func rotatedFiles(t *testing.T, folder string) map[string]int64 {
	t.Helper()
	files := func(pattern string) []string {
		names, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	dockertest.Eventually(t, "what the local driver wrote is compressed", func() bool { return len(files("local-logs/container.log.[0-9]")) == 0 })
	sizes := map[string]int64{}
	for _, name := range slices.Concat(files("*-json.log.[0-9]"), files("local-logs/container.log.[0-9].gz")) {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var r io.Reader = f
		if strings.HasSuffix(name, ".gz") {
			if r, err = gzip.NewReader(f); err != nil {
				t.Fatal(err)
			}
		}
		if sizes[filepath.Base(name)], err = io.Copy(io.Discard, r); err != nil {
			t.Fatal(err)
		}
	}
	return sizes
}

func dockerBuffers(t *testing.T, d *dockertest.Daemon) {
	const lines = 20000
	for _, c := range []struct {
		name     string
		options  map[string]string
		lossless bool
		buffer   int64
	}{
		{"the writer waits", nil, true, 0},
		{"the writer does not wait", map[string]string{"mode": "non-blocking", "max-buffer-size": "1k"}, false, 1 << 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := d.Run(t, flags("json-file", c.options), "count", strconv.Itoa(lines), "100")
			if _, options := logConfig(t, d, id); !maps.Equal(options, c.options) {
				t.Errorf("Docker: the options are %v, want %v", options, c.options)
			}
			stdout, _ := d.Logs(t, id)
			if got := strings.Count(stdout, "\n"); (got == lines) != c.lossless {
				t.Errorf("Docker: %d lines are left of %d; want all: %v", got, lines, c.lossless)
			}

			to := observe(t, driver("json-file", c.options), scanners.Declared{}).out.To[0]
			if lossless, known := to.Lossless.Get(); !known || lossless != c.lossless {
				t.Errorf("Observe: lossless is %v, %v; want %v", lossless, known, c.lossless)
			}
			if buffer, known := to.Buffer.Get(); known == c.lossless || buffer != c.buffer {
				t.Errorf("Observe: the buffer has %d bytes, %v; want %d", buffer, known, c.buffer)
			}
		})
	}
}

func logConfig(t *testing.T, d *dockertest.Daemon, id string) (driver string, options map[string]string) {
	t.Helper()
	var config struct {
		Type   string
		Config map[string]string
	}
	if err := json.Unmarshal([]byte(d.Docker(t, "inspect", "-f", "{{json .HostConfig.LogConfig}}", id)), &config); err != nil {
		t.Fatal(err)
	}
	return config.Type, config.Config
}

func dockerDefaults(t *testing.T, d *dockertest.Daemon) {
	defaults := map[string]string{"max-size": "10k", "max-file": "3"}
	declared := scanners.Declared{Docker: &scanners.Platform{Driver: evidence.Known("local", here()), Options: values(defaults)}}
	for _, c := range []struct {
		name, driver string
		options      map[string]string
		want         string
		wantOptions  map[string]string
		bytes        int64 // -1 where nothing bounds it
	}{
		{"nothing written", "", nil, "local", defaults, 30_000},
		{"another driver", "json-file", nil, "json-file", nil, -1},
		{"another driver with options", "json-file", map[string]string{"max-size": "20k"}, "json-file", map[string]string{"max-size": "20k"}, 20_000},
		{"the same driver", "local", nil, "local", defaults, 30_000},
		{"the same driver with options", "local", map[string]string{"max-size": "20k"}, "local", map[string]string{"max-size": "20k", "max-file": "3"}, 60_000},
		{"options alone", "", map[string]string{"max-size": "20k"}, "local", map[string]string{"max-size": "20k", "max-file": "3"}, 60_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := d.Docker(t, slices.Concat([]string{"create"}, flags(c.driver, c.options), []string{"writer", "write", accessLog})...)
			if got, options := logConfig(t, d, id); got != c.want || !maps.Equal(options, c.wantOptions) {
				t.Errorf("Docker: the driver is %s with %v, want %s with %v", got, options, c.want, c.wantOptions)
			}

			o := observe(t, driver(c.driver, c.options), declared)
			store := o.store(t, o.out)
			if store.Kind != c.want+" log" {
				t.Errorf("Observe: the output goes to a %s, want a %s log", store.Kind, c.want)
			}
			if n, known := store.Bytes.Get(); store.Bytes.IsMoot() != (c.bytes < 0) || c.bytes >= 0 && (!known || n != c.bytes) {
				t.Errorf("Observe: it holds %d bytes, %v; want %d", n, known, c.bytes)
			}
		})
	}
}

func dockerSyslog(t *testing.T, d *dockertest.Daemon) {
	options := map[string]string{"syslog-address": "tcp://127.0.0.1:5140"}
	server := d.Docker(t, "run", "-d", "--network", "host", "writer", "listen", "127.0.0.1:5140")
	t.Cleanup(func() { d.Docker(t, "rm", "-f", server) })
	dockertest.Eventually(t, "the server listens", func() bool {
		_, stderr := d.Logs(t, server)
		return strings.Contains(stderr, "listening")
	})
	d.Docker(t, "rm", d.Run(t, flags("syslog", options), "write", accessLog))
	dockertest.Eventually(t, "the line is at the server when its container is gone", func() bool {
		stdout, _ := d.Logs(t, server)
		return strings.Contains(stdout, line)
	})

	o := observe(t, driver("syslog", options), scanners.Declared{})
	if extent, known := o.out.To[0].Extent.Get(); !known || extent.Grade != evidence.All {
		t.Errorf("Observe: the driver lets %q through, %v; want %q", extent.Grade, known, evidence.All)
	}
	restsOn(t, o.store(t, o.out), host)
}
