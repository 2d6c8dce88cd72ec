package kubernetes

import (
	"path"
	"strings"

	"lookback/evidence"
)

// A kustomization says what is deployed together.
type kustomization struct {
	folder    string
	entries   []entry
	patches   []string // files
	images    []string // names that it rewrites
	generated []*configMap
}

// An entry is a file or a folder that a kustomization takes in.
type entry struct {
	name      string
	component bool // it changes what lies around it
}

func isKustomization(base string) bool {
	return base == "kustomization.yaml" || base == "kustomization.yml" || base == "Kustomization"
}

// kustomization reads a kustomization: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/.
func (r *reader) kustomization(_ []byte, _ int, f field) {
	if len(r.file.kustomizations) > 0 || !f.present() {
		return
	}
	k := &kustomization{folder: r.file.folder()}
	for _, key := range []string{"resources", "bases", "components"} {
		for _, e := range f.get(key).items() {
			k.entries = append(k.entries, entry{e.text(), key == "components"})
		}
	}
	for _, key := range []string{"patches", "patchesStrategicMerge", "patchesJson6902"} {
		for _, p := range f.get(key).items() {
			name := p.get("path").text()
			if name == "" && !strings.Contains(p.text(), "\n") {
				name = p.text()
			}
			if name != "" {
				k.patches = append(k.patches, name)
			}
		}
	}
	for _, i := range f.get("images").items() {
		if name := i.get("name").text(); name != "" {
			k.images = append(k.images, name)
		}
	}
	for _, g := range f.get("configMapGenerator").items() {
		k.generated = append(k.generated, r.generated(k, g))
	}
	r.file.kustomizations = append(r.file.kustomizations, k)
}

// generated reads an entry of configMapGenerator. The hash that the build puts behind its name is left out.
func (r *reader) generated(k *kustomization, g field) *configMap {
	c := &configMap{
		meta: meta{kind: "ConfigMap", name: g.get("name").text(), namespace: g.get("namespace").text(), at: g.at, file: r.file},
		data: map[string]content{}, unit: unitOf(k),
	}
	for _, f := range g.get("literals").items() {
		if key, value, ok := strings.Cut(f.text(), "="); ok {
			c.data[key] = content{value: evidence.Known(strings.Trim(value, `"'`), f.at), at: f.at}
		}
	}
	for _, f := range g.get("files").items() {
		key, name, ok := strings.Cut(f.text(), "=")
		if !ok {
			key, name = path.Base(f.text()), f.text()
		}
		c.data[key] = content{file: path.Join(k.folder, name), at: f.at}
	}
	c.open = g.get("envs").present() || g.get("env").present()
	return c
}

// unitOf names what a kustomization deploys together.
func unitOf(k *kustomization) string { return "kustomization:" + k.folder }

// chart reads the Chart.yaml of a Helm chart.
func (r *reader) chart(_ []byte, _ int, f field) {
	if f.get("apiVersion").text() != "" {
		r.file.chart = f.get("name").text()
	}
}

// skaffold reads which images skaffold builds. Without a tag, their names stand for whatever it built last.
func (r *reader) skaffold(_ []byte, _ int, f field) {
	for _, a := range f.get("build", "artifacts").items() {
		if image := a.get("image").text(); image != "" && imageName(image) == image {
			r.file.artifacts = append(r.file.artifacts, image)
		}
	}
}

// imageName cuts tag and digest off.
func imageName(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	if colon := strings.LastIndexByte(ref, ':'); colon > strings.LastIndexByte(ref, '/') {
		ref = ref[:colon]
	}
	return ref
}

// A reach is what a kustomization takes in, with all the kustomizations below it.
type reach struct {
	files  map[string]bool
	images []string // rewritten in all of it
}

// reachOf follows a kustomization. Remote bases, and what lies outside the tree, are not among the files.
func (s *scan) reachOf(k *kustomization) reach {
	out := reach{files: map[string]bool{}}
	seen := map[string]bool{}
	var follow func(k *kustomization, images bool)
	follow = func(k *kustomization, images bool) {
		if seen[k.folder] || s.stepsLeft < 0 {
			return
		}
		seen[k.folder] = true
		s.stepsLeft -= 1 + len(k.entries) + len(k.patches) + len(k.images)
		if images {
			out.images = append(out.images, k.images...)
		}
		for _, e := range k.entries {
			if e.name == "" || strings.Contains(e.name, "://") || path.IsAbs(e.name) {
				continue
			}
			name := path.Join(k.folder, e.name)
			if below := s.kustomizations[name]; below != nil {
				follow(below, images && e.component)
			} else if s.files[name] != nil {
				out.files[name] = true
			}
		}
		for _, p := range k.patches {
			name := path.Join(k.folder, p)
			if s.files[name] != nil {
				out.files[name] = true
			}
		}
	}
	follow(k, true)
	return out
}

// rewrites reports whether a kustomization gives an image another name, tag or digest.
func rewrites(names []string, image string) bool {
	name := imageName(image)
	for _, n := range names {
		if n == name || n == image {
			return true
		}
	}
	return false
}
