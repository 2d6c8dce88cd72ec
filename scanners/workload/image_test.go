package workload

import (
	"path"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLookup(t *testing.T) {
	const digest = "@sha256:9f1c1e0d8f5f1b6a5d3c7e6a0b8c4d2e1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c"
	tests := []struct {
		name, ref string
		want      string // the row's Name and Tag; empty for unknown
	}{
		{"short", "nginx", "nginx"},
		{"with a tag", "nginx:1.29-alpine", "nginx"},
		{"with a digest", "nginx" + digest, "nginx"},
		{"with a tag and a digest", "nginx:1.29" + digest, "nginx"},
		{"library written out", "library/nginx:1.29", "nginx"},
		{"Docker Hub written out", "docker.io/library/nginx", "nginx"},
		{"Docker Hub without library", "docker.io/nginx:1", "nginx"},
		{"Docker Hub by its index", "index.docker.io/library/nginx", "nginx"},
		{"Amazon's mirror of the official images", "public.ecr.aws/docker/library/nginx:stable", "nginx"},
		{"Google's mirror of Docker Hub", "mirror.gcr.io/library/nginx:1", "nginx"},
		{"Google's mirror, not an official image", "mirror.gcr.io/grafana/grafana", "grafana/grafana"},
		{"two parts", "docker.io/grafana/grafana:12.0.0", "grafana/grafana"},
		{"another registry is its home", "quay.io/keycloak/keycloak:26.0", "quay.io/keycloak/keycloak"},
		{"two registries are its home", "keycloak/keycloak", "keycloak/keycloak"},
		{"three parts", "registry.k8s.io/coredns/coredns:v1.12.0", "registry.k8s.io/coredns/coredns"},
		{"the old name of a registry", "k8s.gcr.io/kube-apiserver:v1.22.0", "registry.k8s.io/kube-apiserver"},
		{"the oldest name of a registry", "gcr.io/google_containers/pause:3.0", "registry.k8s.io/pause"},
		{"either edition", "gitlab/gitlab-ee:17.0.0-ee.0", "gitlab/gitlab-[ce]e"},

		{"Apache by tag", "php:8.4-apache-bookworm", "php *apache*"},
		{"Apache by tag alone", "php:apache", "php *apache*"},
		{"FPM by tag", "php:8.4-fpm-alpine", "php *fpm*"},
		{"no server by tag", "php:8.4-cli", ""},
		{"no server by default", "php", ""},
		{"Apache by default", "wordpress", "wordpress [^c]*"},
		{"Apache by default, version given", "wordpress:6.8-php8.3", "wordpress [^c]*"},
		{"FPM rather than the default", "wordpress:6.8-php8.3-fpm", "wordpress *fpm*"},
		{"a tool in another tag", "wordpress:cli-php8.3", ""},
		{"Apache where no tag says so", "nextcloud:31", "nextcloud"},
		{"FPM where no tag is the default", "nextcloud:31-fpm-alpine", "nextcloud *fpm*"},
		{"a digest alone hides the variant", "nextcloud" + digest, ""},
		{"a digest and a tag show the variant", "nextcloud:31-fpm" + digest, "nextcloud *fpm*"},

		{"another vendor's build", "bitnami/nginx:1.29", ""},
		{"another vendor's registry", "cgr.dev/chainguard/nginx", ""},
		{"another vendor's copy of a name in two parts", "ghcr.io/grafana/grafana", ""},
		{"somebody's own", "ghcr.io/acme/nginx", ""},
		{"a private registry", "registry.acme.io/nginx", ""},
		{"a private registry with library", "registry.acme.io/library/nginx", ""},
		{"a registry with a port", "registry.acme.io:5000/nginx:1", ""},
		{"a registry by name and port", "registry:5000/nginx", ""},
		{"localhost", "localhost/nginx", ""},
		{"localhost with a port", "localhost:5000/nginx:1", ""},
		{"distroless", "gcr.io/distroless/static-debian12", ""},
		{"Amazon's registry, not the mirror", "public.ecr.aws/nginx/nginx", ""},
		{"a mirror's name within another", "evil.io/docker.io/library/nginx", ""},
		{"a runtime", "python:3.14", ""},
		{"a longer name", "nginx-exporter", ""},
		{"a part more", "acme/grafana/grafana", ""},

		{"nothing", "", ""},
		{"a tag alone", ":latest", ""},
		{"a digest alone", digest, ""},
		{"an empty tag", "nginx:", ""},
		{"an empty digest", "nginx@", ""},
		{"slashes", "///", ""},
		{"a slash after it", "nginx/", ""},
		{"a registry alone", "docker.io/", ""},
		{"a pattern", "*", ""},
		{"a broken pattern", "[", ""},
		{"not UTF-8", "ngin\xff:\xfe", ""},
		{"control characters", "nginx\x00", ""},
		{"very long", strings.Repeat("a", 1<<20), ""},
		{"a very long tag", "php:apache" + strings.Repeat("a", 1<<20), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			row, ok := Lookup(test.ref)
			if ok != (test.want != "") || title(row) != test.want {
				t.Errorf("Lookup(%.80q) = %q, %v, want %q", test.ref, title(row), ok, test.want)
			}
		})
	}
}

// title names a row: two rows differ in it.
func title(row Image) string {
	return strings.TrimSpace(row.Name + " " + row.Tag)
}

func TestImages(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range images {
		t.Run(title(row), func(t *testing.T) {
			if seen[title(row)] {
				t.Error("a second row of this name and tag")
			}
			seen[title(row)] = true
			if _, err := path.Match(row.Name, ""); err != nil || row.Name == "" {
				t.Errorf("bad name %q: %v", row.Name, err)
			}
			if _, err := path.Match(row.Tag, ""); err != nil {
				t.Errorf("bad tag %q: %v", row.Tag, err)
			}
			if !strings.HasPrefix(row.Source, "https://") {
				t.Errorf("source %q is no https address", row.Source)
			}
			if row.Doubt&^(DoubtFiles|DoubtLog|DoubtStdout) != 0 {
				t.Errorf("doubt %b is not about an image", row.Doubt)
			}
			if row.Quiet && (row.Log != nil || row.Database) {
				t.Error("a quiet image with something to turn on")
			}
			for _, p := range slices.Concat(row.Linked, row.Files, row.Volumes) {
				checkPath(t, p)
			}
			for _, p := range row.Files {
				if slices.Contains(row.Linked, p) {
					t.Errorf("%s holds links and files", p)
				}
			}
			if row.Log != nil {
				checkSetting(t, row.Log)
			}
		})
	}
}

func checkPath(t *testing.T, p string) {
	t.Helper()
	if !path.IsAbs(p) || path.Clean(p) != p {
		t.Errorf("%q is not a clean absolute path", p)
	}
}

func checkSetting(t *testing.T, s *Setting) {
	t.Helper()
	if s.What == "" {
		t.Error("a setting without a name")
	}
	if len(s.On) == 0 && !s.Running {
		t.Errorf("nothing turns on %s", s.What)
	}
	lines, seen := false, map[string]bool{}
	for _, w := range s.On {
		set := 0
		for _, field := range []string{w.Flag, w.Env, w.Line} {
			if field != "" {
				set++
			}
		}
		if set != 1 {
			t.Errorf("switch %+v has not exactly one of flag, env and line", w)
		}
		if w.Flag != "" && !strings.HasPrefix(w.Flag, "-") {
			t.Errorf("flag %q does not begin with a dash", w.Flag)
		}
		if key := strings.ToLower(strings.ReplaceAll(w.Flag+w.Line, "_", "-")); key != "" {
			if seen[key] {
				t.Errorf("%q is there twice, but for its spelling", key)
			}
			seen[key] = true
		}
		for _, v := range w.Values {
			if v != strings.ToLower(v) {
				t.Errorf("value %q of %+v is not in lower case", v, w)
			}
		}
		lines = lines || w.Line != ""
	}
	if lines != (len(s.Files) > 0) {
		t.Errorf("%s has lines without files, or files without lines", s.What)
	}
	for _, p := range s.Files {
		checkPath(t, p)
	}
}

// No row stands in the shadow of an earlier one.
func TestImagesAreReachable(t *testing.T) {
	example := strings.NewReplacer("[^c]", "6", "[ce]", "c", "*", "1")
	for _, row := range images {
		t.Run(title(row), func(t *testing.T) {
			ref := example.Replace(row.Name)
			if row.Tag != "" {
				ref += ":" + example.Replace(row.Tag)
			}
			got, ok := Lookup(ref)
			if !ok || title(got) != title(row) {
				t.Errorf("Lookup(%q) = %q, %v", ref, title(got), ok)
			}
		})
	}
}

// What a check fails somebody over must have been read: these rows have a default that is off, and no doubt.
func TestLookupAsksForWhatIsOffByDefault(t *testing.T) {
	for _, ref := range []string{
		"traefik", "haproxy", "caddy", "postgres", "mysql", "mariadb", "cassandra", "elasticsearch", "kibana", "coredns/coredns",
	} {
		t.Run(ref, func(t *testing.T) {
			row, ok := Lookup(ref)
			if !ok || row.Log == nil || row.Doubt&DoubtLog != 0 || row.Log.Running {
				t.Errorf("Lookup(%q) = %+v, %v, want a setting without doubt", ref, row, ok)
			}
		})
	}
	for _, ref := range []string{"hashicorp/vault", "keycloak/keycloak", "minio/minio", "jenkins/jenkins", "varnish"} {
		t.Run(ref, func(t *testing.T) {
			row, ok := Lookup(ref)
			if !ok || row.Log == nil || !row.Log.Running {
				t.Errorf("Lookup(%q) = %+v, %v, want a setting of the running system", ref, row, ok)
			}
		})
	}
}

func FuzzLookup(f *testing.F) {
	for _, seed := range []string{
		"nginx", "docker.io/library/php:8-apache", "a.io:1/b@sha256:c", "wordpress@sha256:d", ":", "@", "/", "[", "\xff", "k8s.gcr.io/",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, ref string) {
		row, ok := Lookup(ref)
		if !ok {
			if row.Name != "" {
				t.Fatalf("Lookup(%q) = %q, false", ref, row.Name)
			}
			return
		}
		if len(ref) > longest {
			t.Fatalf("Lookup knows a reference of %d bytes", len(ref))
		}
		// A name that is known is one that a registry accepts.
		if name, _, _ := split(ref); !utf8.ValidString(name) || strings.ContainsAny(name, " @:\x00") {
			t.Fatalf("Lookup(%q) knows the name %q", ref, name)
		}
		// Docker Hub written out is the same image, unless the name has a registry already.
		if !strings.ContainsAny(row.Name, ".") && !strings.Contains(ref, ".") {
			if again, ok := Lookup("docker.io/" + ref); !ok || title(again) != title(row) {
				t.Fatalf("Lookup(%q) = %q, with docker.io/ %q", ref, title(row), title(again))
			}
		}
	})
}
