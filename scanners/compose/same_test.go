package compose

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// TestAsDockerComposeLoads holds what we make of a project against what Docker Compose's own loader makes of it, which
// knows no places and reads whatever it is told to.
func TestAsDockerComposeLoads(t *testing.T) {
	for _, name := range []string{"override", "overlay", "names", "extends", "include", "anchors", "compose-file-variable", "build", "volumes", "merge", "nested-resets"} {
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join("testdata", name+".txtar"))
			if err != nil {
				t.Fatal(err)
			}
			archive, _, _ := strings.Cut(string(raw), "-- want --\n")
			dir := t.TempDir()
			unpack(t, archive, dir)
			found, _ := projects(t, dir)
			compared := 0
			for _, p := range found {
				if len(p.services) == 0 {
					continue
				}
				details := types.ConfigDetails{WorkingDir: filepath.Join(dir, p.dir), Environment: types.Mapping(maps.Clone(p.vars))}
				for _, f := range p.files {
					details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: filepath.Join(dir, f)})
				}
				theirs, err := loader.LoadWithContext(context.Background(), details, func(o *loader.Options) {
					o.SetProjectName("x", true)
					o.SkipConsistencyCheck, o.SkipNormalization, o.ResolvePaths = true, true, true
					o.Profiles = []string{"*"}
				})
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range p.services {
					their, ok := theirs.Services[s.name]
					if !ok {
						t.Errorf("%s: they have no service %q", p.target, s.name)
						continue
					}
					env := map[string]*string{}
					for key, v := range s.c.Env {
						if value, known := v.Get(); known {
							env[key] = &value
						}
					}
					s.Environment = env
					compared++
					if got, want := summary(s.config, details.WorkingDir), summary(asConfig(their), details.WorkingDir); got != want {
						t.Errorf("%s, service %q:\n%s", p.target, s.name, diff(want, got))
					}
				}
			}
			if compared == 0 {
				t.Error("nothing was compared")
			}
		})
	}
}

// asConfig takes what the summary shows.
func asConfig(s types.ServiceConfig) config {
	return config{
		Image: s.Image, Command: s.Command, Entrypoint: s.Entrypoint, Hostname: s.Hostname, Labels: s.Labels, Profiles: s.Profiles,
		Tmpfs: s.Tmpfs, Logging: s.Logging, Environment: s.Environment, Volumes: s.Volumes,
	}
}

func summary(s config, dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "image %s\ncommand %q\nentrypoint %q\nhostname %s\nlabels %v\nprofiles %q\ntmpfs %q\n", s.Image, s.Command, s.Entrypoint, s.Hostname, s.Labels, s.Profiles, s.Tmpfs)
	if s.Logging != nil {
		fmt.Fprintf(&b, "logging %s %v\n", s.Logging.Driver, s.Logging.Options)
	}
	for _, key := range slices.Sorted(maps.Keys(s.Environment)) {
		if v := s.Environment[key]; v != nil {
			fmt.Fprintf(&b, "env %s=%s\n", key, *v)
		}
	}
	for _, v := range s.Volumes {
		source := v.Source
		if v.Type == types.VolumeTypeBind {
			if strings.HasPrefix(source, "~") || filepath.Base(source) == "data" && strings.HasPrefix(source, os.Getenv("HOME")) {
				source = "home"
			} else if !path.IsAbs(source) {
				source = path.Join(dir, source)
			}
		}
		fmt.Fprintf(&b, "volume %s %s %s %t\n", v.Type, source, path.Clean(v.Target), v.ReadOnly)
	}
	return b.String()
}
