// Package kubernetes reads Kubernetes manifests: workloads, what they mount and read, audit policies, and the
// kustomizations and charts that deploy them together.
//
// Most bytes of a real tree are custom resource definitions and the like. A document's kind is found without parsing
// it, and only kinds that say something about evidence are parsed; the others are counted.
//
// Patches of a kustomization hold parts of workloads. They are applied by kustomize and are no workloads here: files
// that a kustomization lists as patches, and workloads with a container that names no image, are passed over. What a
// patch would change is not seen; an image that a kustomization rewrites is unresolved.
package kubernetes

import (
	"bytes"
	"context"
	"path"
	"strings"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/tree"
	"lookback/scanners/workload"
)

// A Scanner reads the Kubernetes manifests of a tree. Its zero value is ready to use.
type Scanner struct {
	counted map[string]int
}

// Counted returns how many objects of each kind Scan saw and did not ask, for they say nothing about evidence.
func (s *Scanner) Counted() map[string]int { return s.counted }

// Names returns the names of files, beside YAML and JSON files, that the scanner wants to see.
func (*Scanner) Names() []string { return []string{"kustomization"} }

// A file is what is kept of one file. What was found in it refers to it by its name, as long as the scan lasts.
type file struct {
	name string
	*parts
}

// parts are what stands in a file; nil once all of it has been taken out.
type parts struct {
	actions        bool // holds the actions of a template: "{{"
	workloads      []*object
	configMaps     []*configMap
	claims         []*claim
	volumes        []*persistentVolume
	classes        []*storageClass
	services       []*service
	policies       []*auditPolicy
	kustomizations []*kustomization
	artifacts      []string // names of images that skaffold builds
	chart          string   // the name of the chart whose Chart.yaml this is
	template       bool     // does not parse, and holds actions
	counted        map[string]int
	gaps           []evidence.Gap
}

func newFile(name string) *file { return &file{name, &parts{}} }

func (f *file) folder() string { return path.Dir(f.name) }

// targetOf returns the target of the manifests in a folder.
func targetOf(folder string) evidence.ID { return evidence.ID("kubernetes:" + folder) }

// Offer keeps what the file says about evidence, and nil where it holds nothing of Kubernetes.
func (*Scanner) Offer(f tree.File) any {
	if f.Err != nil {
		return nil
	}
	r := &reader{file: newFile(f.Name), aliases: maxAliases}
	if tree.Binary(f.Content) {
		// A manifest in UTF-16, or with a zero byte in it, is meant to be read all the same.
		text := bytes.ReplaceAll(f.Content[:min(len(f.Content), 64<<10)], []byte{0}, nil)
		if bytes.Contains(text, []byte("apiVersion:")) && bytes.Contains(text, []byte("kind:")) {
			r.bad(evidence.Origin{File: f.Name}, "not a text in UTF-8")
		}
		return r.kept()
	}
	base := path.Base(f.Name)
	content := bytes.TrimPrefix(f.Content, []byte("\ufeff"))
	switch {
	case isKustomization(base):
		r.parse(content, 0, "Kustomization", r.kustomization)
	case base == "Chart.yaml":
		r.parse(content, 0, "", r.chart)
	default:
		r.manifest(content)
		r.file.actions = bytes.Contains(content, []byte("{{"))
	}
	return r.kept()
}

// kept returns the file, or nil when nothing is in it.
func (r *reader) kept() any {
	f := r.file
	inTemplates := f.actions && strings.Contains("/"+f.name, "/templates/")
	if len(f.workloads)+len(f.configMaps)+len(f.claims)+len(f.volumes)+len(f.classes)+len(f.services)+len(f.policies)+
		len(f.kustomizations)+len(f.artifacts)+len(f.counted)+len(f.gaps) == 0 && f.chart == "" && !f.template && !inTemplates {
		return nil
	}
	return f
}

// Scan turns what Offer kept into records. It takes it apart, to use less memory: the same cannot be scanned twice.
func (s *Scanner) Scan(ctx context.Context, t scanners.Target, kept []any, to scanners.Sink) error {
	found, err := newScan(t, keptFiles(kept)).run(ctx)
	if err != nil {
		return err
	}
	s.counted = found.counted
	for _, g := range found.gaps {
		to.Gap(g)
	}
	for _, w := range found.waivers {
		to.Waiver(w)
	}
	for _, r := range found.records {
		to.Record(r)
	}
	workload.Observe(found.containers, t.Declared, to)
	return nil
}

func keptFiles(kept []any) []*file {
	var files []*file
	for _, k := range kept {
		if f, ok := k.(*file); ok && f != nil {
			files = append(files, f)
		}
	}
	return files
}
