//go:build linux

package docker_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lookback/evidence"
	"lookback/scanners/host/docker"
	"lookback/scanners/host/hosttest"
	"lookback/scanners/host/root"
	"lookback/scanners/host/scope"
	"lookback/scanners/workload/dockertest"
)

// TestDocker holds what is read of a data root against what "docker inspect" says of the same containers.
func TestDocker(t *testing.T) {
	folder := dockertest.Folder(t)
	d := dockertest.New(t, folder, `{"log-driver": "local", "log-opts": {"max-size": "10k", "max-file": "2"}}`, dockertest.WriterImage(t))
	d.Docker(t, "volume", "create", "--opt", "type=tmpfs", "--opt", "device=tmpfs", "memory")
	written := []string{"count", "1000", "100"}
	names := map[string][]string{
		"default":   nil,
		"unbounded": {"--log-driver", "json-file"},
		"limited":   {"--log-driver", "json-file", "--log-opt", "max-size=20k", "--log-opt", "max-file=3"},
		"nothing":   {"--log-driver", "none"},
		"mounts":    {"-v", "logs:/var/log/app", "-v", "/srv", "-v", "memory:/memory", "-v", "/tmp:/host:ro", "--tmpfs", "/scratch"},
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		d.Run(t, append([]string{"--name", name}, names[name]...), written...)
	}
	// They are not started: there is no journal here, nobody listens, and what is started with --rm is gone.
	for name, args := range map[string][]string{
		"journal": {"--log-driver", "journald"},
		"syslog":  {"--log-driver", "syslog", "--log-opt", "syslog-address=tcp+tls://logs.example.net:6514"},
		"removed": {"--rm"},
	} {
		d.Docker(t, slices.Concat([]string{"create", "--name", name}, args, []string{"writer"}, written)...)
	}

	// The host's file system, as its image would have it. The daemon was configured anew after the containers were made.
	top := filepath.Dir(d.Data)
	file := filepath.Join(top, "etc/docker/daemon.json")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(`{"data-root": "/data", "log-driver": "gelf", "log-opts": {"gelf-address": "tcp://192.0.2.7:12201"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	before := fingerprint(t, d.Data)
	r, err := root.Open(top)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	set := hosttest.Run(t, r, func(s *scope.Scope) { s.Now = time.Now() }, docker.Read)
	if after := fingerprint(t, d.Data); after != before {
		t.Errorf("the scan changed the data root:\n%s\n%s", before, after)
	}
	if len(set.Gaps) > 0 {
		t.Error(hosttest.Dump(set))
	}

	for name, want := range map[string]struct {
		kind, to string
		bytes    int64 // 0 where nothing bounds it, or nothing was seen of it
		exited   bool
		dropped  bool
	}{
		"default":   {"local log", "host:web-1//docker/containers/default/stdout", 20_000, true, true},
		"mounts":    {"local log", "host:web-1//docker/containers/mounts/stdout", 20_000, true, true},
		"removed":   {"local log", "host:web-1//docker/containers/removed/stdout", 20_000, false, false},
		"unbounded": {"json-file log", "host:web-1//docker/containers/unbounded/stdout", 0, true, false},
		"limited":   {"json-file log", "host:web-1//docker/containers/limited/stdout", 60_000, true, true},
		"nothing":   {"", "host:web-1//docker/containers/nothing/stdout", 0, true, false},
		"journal":   {"journald log", "host:web-1//journal", 0, false, false},
		"syslog":    {"", "syslog:logs.example.net:6514//", 0, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			var inspected struct {
				HostConfig struct {
					LogConfig struct {
						Type   string
						Config map[string]string
					}
					AutoRemove bool
				}
				State struct {
					Status                string
					StartedAt, FinishedAt time.Time
				}
				Mounts []struct{ Destination, Type, Name string }
			}
			if err := json.Unmarshal([]byte(d.Docker(t, "inspect", "-f", "{{json .}}", name)), &inspected); err != nil {
				t.Fatal(err)
			}
			web := evidence.ID("host:web-1//docker/containers/" + name)
			a := hosttest.Record[*evidence.Asset](t, set, web)
			if exited := a.Kind == "exited container"; exited != want.exited || exited != (inspected.State.Status == "exited") {
				t.Errorf("we say %s, Docker says %s", a.Kind, inspected.State.Status)
			}
			if _, gone := a.Lingers.Get(); gone != inspected.HostConfig.AutoRemove || gone != (name == "removed") {
				t.Errorf("it lingers %v; Docker says --rm %v", a.Lingers, inspected.HostConfig.AutoRemove)
			}
			out := hosttest.Record[*evidence.LogSource](t, set, web+"/stdout#application")
			if len(out.To) != 1 || string(out.To[0].To) != want.to {
				t.Fatalf("it goes to %v, want %s; Docker says %v", out.To, want.to, inspected.HostConfig.LogConfig)
			}
			if extent, _ := out.To[0].Extent.Get(); (extent.Grade == evidence.None) != (inspected.HostConfig.LogConfig.Type == "none") {
				t.Errorf("the driver lets through %q", extent.Grade)
			}
			if want.exited {
				if there, known := hosttest.Record[*evidence.Access](t, set, web+"/layer").Allowed.Get(); !there || !known {
					t.Error("what it wrote is not found")
				}
			}
			if want.kind == "" {
				return
			}
			store := hosttest.Record[*evidence.LogStore](t, set, out.To[0].To)
			if !strings.HasPrefix(store.Kind, inspected.HostConfig.LogConfig.Type) || store.Kind != want.kind {
				t.Errorf("it is a %s, want a %s; Docker says %s", store.Kind, want.kind, inspected.HostConfig.LogConfig.Type)
			}
			if n, _ := store.Bytes.Get(); n != want.bytes {
				t.Errorf("it holds %d bytes, want %d; Docker says %v", n, want.bytes, inspected.HostConfig.LogConfig.Config)
			}
			if dropped, _ := store.Dropped.Get(); dropped != want.dropped {
				t.Errorf("dropped is %v", dropped)
			}
			oldest, seen := store.Oldest.Get()
			newest, also := store.Newest.Get()
			if ran := inspected.State; seen != want.exited || also != want.exited {
				t.Errorf("it reaches from %v to %v", store.Oldest, store.Newest)
			} else if seen && (oldest.Before(ran.StartedAt.Add(-time.Second)) || newest.Before(oldest) || newest.After(ran.FinishedAt.Add(time.Second))) {
				t.Errorf("it reaches from %s to %s; Docker says that it ran from %s to %s", oldest, newest, ran.StartedAt, ran.FinishedAt)
			}
			if !seen {
				return
			}
			line, _, _ := strings.Cut(d.Docker(t, "logs", "-t", name), " ")
			if first, err := time.Parse(time.RFC3339Nano, line); err != nil || !first.Equal(oldest) {
				t.Errorf("the oldest is of %s; Docker's first line is of %s", oldest.Format(time.RFC3339Nano), line)
			}
		})
	}
	fresh := hosttest.Record[*evidence.LogSource](t, set, "host:web-1//docker/output#application")
	if len(fresh.To) != 1 || fresh.To[0].To != "gelf:192.0.2.7:12201//" {
		t.Errorf("new containers log to %v", fresh.To)
	}
	app := hosttest.Record[*evidence.LogSource](t, set, "host:web-1//docker/containers/mounts/file/var/log/app#application")
	if app.To[0].To != "host:web-1//docker/volume/logs" {
		t.Errorf("the log folder comes to %s", app.To[0].To)
	}
}

// TestDebiansDockerLeavesTheDefault reads the files that Debian's docker.io package brings.
func TestDebiansDockerLeavesTheDefault(t *testing.T) {
	r, err := root.Open(dockertest.Folder(t))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	set := hosttest.Run(t, r, nil, docker.Read)
	if at := hosttest.Record[*evidence.LogSource](t, set, "host:web-1//docker/output#application").Complete.At(); at.Note != evidence.NoteDockerDefault || len(set.Gaps) > 0 {
		t.Errorf("cited %v in\n%s", at, hosttest.Dump(set))
	}
}

// fingerprint says what a scan could change in a folder.
func fingerprint(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.Walk(filepath.Join(dir, "containers"), func(name string, info os.FileInfo, err error) error {
		if err == nil {
			fmt.Fprintln(&b, name, info.Mode(), info.Size(), info.ModTime())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
