package kubernetes

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/shipper"
	"lookback/scanners/workload"
)

// A scan joins what the files say.
type scan struct {
	target         scanners.Target
	files          map[string]*file
	names          []string // of files, in order
	charts         map[string]string
	kustomizations map[string]*kustomization // by folder
	units          map[string][]string       // of a file
	rewritten      map[string][]string       // names of images, by file
	patches        map[string]bool           // files
	artifacts      map[string]bool
	configMaps     map[string][]*configMap
	claims         map[string][]*claim
	volumes        map[string][]*persistentVolume
	classes        map[string][]*storageClass
	byClass        map[string][]*persistentVolume
	services       map[string][]*service // by folder
	policies       []*auditPolicy
	envLeft        int             // how many variables may still be taken from ConfigMaps
	stepsLeft      int             // how many files and folders of kustomizations may still be followed
	collected      map[string]bool // units in which something carries logs away

	found
}

// maxEnv and maxSteps bound what hostile manifests cost: many containers may take in one large ConfigMap, and many
// kustomizations the same files. A real repository stays under a tenth of them.
const (
	maxEnv   = 500_000
	maxSteps = 1_000_000
)

// found is what a scan learned.
type found struct {
	containers []*workload.Container
	records    []evidence.Record
	gaps       []evidence.Gap
	waivers    []evidence.Waiver
	counted    map[string]int
}

// placed is a workload with all the places where it is written.
type placed struct {
	*object
	id          evidence.ID
	units       []string
	also        []*object
	development bool
}

func newScan(t scanners.Target, files []*file) *scan {
	s := &scan{
		target: t, files: map[string]*file{}, charts: map[string]string{}, kustomizations: map[string]*kustomization{},
		units: map[string][]string{}, rewritten: map[string][]string{}, patches: map[string]bool{}, artifacts: map[string]bool{},
		configMaps: map[string][]*configMap{}, claims: map[string][]*claim{}, volumes: map[string][]*persistentVolume{},
		classes: map[string][]*storageClass{}, byClass: map[string][]*persistentVolume{}, services: map[string][]*service{},
		envLeft: maxEnv, stepsLeft: maxSteps, collected: map[string]bool{},
		found: found{counted: map[string]int{}},
	}
	for _, f := range files {
		s.files[f.name] = f
		if f.chart != "" {
			s.charts[f.folder()] = f.chart
		}
	}
	s.names = slices.Sorted(maps.Keys(s.files))
	return s
}

func (s *scan) run(ctx context.Context) (found, error) {
	s.templates()
	s.index()
	s.deployments()
	if err := ctx.Err(); err != nil {
		return found{}, fmt.Errorf("reading Kubernetes manifests: %w", err)
	}
	workloads := s.place()
	for _, f := range s.files {
		f.parts = nil // all of it has been taken out
	}
	for _, w := range workloads {
		if err := ctx.Err(); err != nil {
			return found{}, fmt.Errorf("reading Kubernetes manifests: %w", err)
		}
		s.workload(w)
	}
	// What the containers can still be asked for is in files of ConfigMaps: let go of the rest before they are looked at.
	s.files, s.kustomizations, s.services, s.claims, s.volumes, s.classes, s.byClass = nil, nil, nil, nil, nil, nil, nil
	s.inlineWaivers(workloads)
	s.collectors()
	s.audit(workloads)
	return s.found, nil
}

// templates takes the templates of charts out of the files and names each chart once.
func (s *scan) templates() {
	named := map[string]bool{}
	for _, name := range s.names {
		f := s.files[name]
		folder, chart := s.chartOf(f.folder())
		in := chart != "" && strings.HasPrefix(name, path.Join(folder, "templates")+"/")
		switch {
		case f.actions && in:
			delete(s.files, name)
			if !named[folder] {
				named[folder] = true
				s.gaps = append(s.gaps, evidence.Gap{
					In: targetOf(folder), Asked: "the Helm chart " + chart, Why: evidence.Unfamiliar,
					Err: "render it first: helm template " + cmp.Or(folder, ".") + " | lookback scan -", At: evidence.Origin{File: path.Join(folder, "Chart.yaml")},
				})
			}
			continue
		case f.template:
			s.gaps = append(s.gaps, evidence.Gap{
				In: targetOf(f.folder()), Asked: "the template " + name, Why: evidence.Unfamiliar,
				Err: "render it first, then scan what comes out", At: evidence.Origin{File: name},
			})
		}
		s.gaps = append(s.gaps, f.gaps...)
		for kind, n := range f.counted {
			s.counted[kind] += n
		}
	}
	s.names = slices.Sorted(maps.Keys(s.files))
}

// chartOf returns the nearest chart from a folder upwards.
func (s *scan) chartOf(folder string) (at, name string) {
	for {
		if name := s.charts[folder]; name != "" {
			return folder, name
		}
		if folder == "." || folder == "/" {
			return "", ""
		}
		folder = path.Dir(folder)
	}
}

func (s *scan) index() {
	for _, name := range s.names {
		f := s.files[name]
		for _, k := range f.kustomizations {
			if s.kustomizations[k.folder] == nil {
				s.kustomizations[k.folder] = k
				for _, c := range k.generated {
					s.configMaps[c.name] = append(s.configMaps[c.name], c)
				}
			}
		}
		for _, a := range f.artifacts {
			s.artifacts[a] = true
		}
		for _, c := range f.configMaps {
			s.configMaps[c.name] = append(s.configMaps[c.name], c)
		}
		for _, c := range f.claims {
			s.claims[c.name] = append(s.claims[c.name], c)
		}
		for _, v := range f.volumes {
			s.volumes[v.name] = append(s.volumes[v.name], v)
			if v.class != "" {
				s.byClass[v.class] = append(s.byClass[v.class], v)
			}
		}
		for _, c := range f.classes {
			s.classes[c.name] = append(s.classes[c.name], c)
		}
		for _, v := range f.services {
			s.services[f.folder()] = append(s.services[f.folder()], v)
		}
		s.policies = append(s.policies, f.policies...)
	}
}

// deployments finds out which files are deployed together.
func (s *scan) deployments() {
	for _, folder := range slices.Sorted(maps.Keys(s.kustomizations)) {
		k := s.kustomizations[folder]
		reached := s.reachOf(k)
		for name := range reached.files {
			s.units[name] = append(s.units[name], unitOf(k))
			s.rewritten[name] = append(s.rewritten[name], reached.images...)
		}
		for _, p := range k.patches {
			s.patches[path.Join(folder, p)] = true
		}
	}
	if s.stepsLeft < 0 {
		s.gaps = append(s.gaps, evidence.Gap{
			In: targetOf("."), Asked: "what the kustomizations deploy together", Why: evidence.Failed,
			Err: fmt.Sprintf("more than %d steps from one to another", maxSteps), Bad: true,
		})
	}
	for _, name := range s.names {
		if len(s.units[name]) > 0 {
			continue
		}
		folder := s.files[name].folder()
		s.units[name] = []string{"folder:" + folder}
		if at, chart := s.chartOf(folder); chart != "" {
			s.units[name] = []string{"chart:" + at}
		}
	}
}

// sees reports whether w and another object are deployed together, in one namespace as far as is written.
func (w *placed) sees(s *scan, m meta, unit string) bool {
	if m.namespace != "" && w.namespace != "" && m.namespace != w.namespace {
		return false
	}
	if m.file.folder() == w.file.folder() || slices.Contains(w.units, unit) {
		return true
	}
	return slices.ContainsFunc(s.units[m.file.name], func(u string) bool { return slices.Contains(w.units, u) })
}

func (w *object) thing() string {
	return strings.ToLower(w.kind) + "/" + w.name
}

// place gives every workload its ID, and puts those together that are the same in several places.
func (s *scan) place() []*placed {
	var all []*placed
	same := map[string]*placed{}
	taken := map[evidence.ID]bool{}
	for _, name := range s.names {
		if s.patches[name] {
			continue
		}
		f := s.files[name]
		development := s.target.Declared.IsDevelopment(name)
		for _, w := range f.workloads {
			thing := w.space() + "/" + w.thing()
			key := thing + "\x00" + w.print
			for i := range w.containers {
				c := &w.containers[i]
				image, known := c.image.Get()
				if known && (rewrites(s.rewritten[name], image) || s.artifacts[image]) {
					c.image = evidence.Unknown[string](evidence.Unresolved, c.image.At())
				}
				_, known = c.image.Get()
				key += fmt.Sprint(known)
			}
			if p := same[key]; p != nil {
				p.also = append(p.also, w)
				p.units = append(p.units, s.units[name]...)
				p.development = p.development && development
				continue
			}
			id := targetOf(f.folder()) + "//" + evidence.ID(thing)
			for n := 1; taken[id]; n++ {
				id = targetOf(name)
				if n > 1 {
					id += evidence.ID(fmt.Sprintf(":%d", n))
				}
				id += "//" + evidence.ID(thing)
			}
			taken[id] = true
			p := &placed{object: w, id: id, units: slices.Clone(s.units[name]), development: development}
			same[key] = p
			all = append(all, p)
		}
	}
	for _, p := range all {
		slices.Sort(p.units)
		p.units = slices.Compact(p.units)
	}
	return all
}

// nodeOf is the node that a workload runs on. Its record is written with those of the containers.
func nodeOf(id evidence.ID) evidence.ID { return evidence.ID(id.Target() + "//node") }

// workload yields the records of a workload and its containers.
func (s *scan) workload(w *placed) {
	asset := &evidence.Asset{
		Subject: evidence.Subject{ID: w.id, Kind: w.kind, Name: w.name, At: w.at}, In: evidence.Known(nodeOf(w.id), w.at),
		Lingers: w.lingers, Development: w.development,
	}
	for _, o := range w.also {
		asset.Places = append(asset.Places, o.at)
	}
	s.records = append(s.records, asset)

	services := s.serving(w)
	w.labels = nil // nobody else asks
	for i := range w.containers {
		c := &w.containers[i]
		out := &workload.Container{
			Asset: evidence.Asset{
				Subject: evidence.Subject{ID: w.id + "/" + evidence.ID(c.name), Kind: "container", Name: w.name + "/" + c.name, At: c.at},
				In:      evidence.Known(w.id, c.at),
				Looked:  map[evidence.Activity]evidence.Value[bool]{evidence.Application: evidence.Known(true, c.at)},
				Lingers: evidence.Moot[int64](c.at), Development: w.development,
			},
			Workload: w.kind, Units: w.units, Pod: w.id, Names: append([]string{c.name}, services...), Image: c.image,
			Annotations: w.annotations, Mounts: s.mounts(w, c), File: s.reading(w, c), ReadOnlyRoot: c.readOnly,
			Log: workload.Log{Runtime: workload.Kubelet, At: c.at}, Brief: c.brief, Misses: w.misses, AutoRemove: evidence.Moot[bool](c.at),
		}
		out.Env, out.EnvWhole = s.env(w, c)
		c.env, c.envFrom = nil, nil // they are in it
		for _, a := range c.args {
			out.Args = append(out.Args, expand(a, out.Env))
		}
		for _, o := range w.also {
			out.Asset.Places = append(out.Asset.Places, o.containers[i].at)
		}
		if w.kind == "DaemonSet" {
			out.Every = &workload.Every{Misses: w.misses, At: w.at}
		}
		s.containers = append(s.containers, out)
	}
}

// serving names the Services that lead to a workload.
func (s *scan) serving(w *placed) []string {
	var names []string
	for _, v := range s.services[w.file.folder()] {
		leads := len(v.selector) > 0 && v.space() == w.space() && v.name != ""
		for key, value := range v.selector {
			leads = leads && w.labels[key] == value
		}
		if leads {
			names = append(names, v.name)
		}
	}
	return names
}

// env returns the variables of a container, and whether they are all.
func (s *scan) env(w *placed, c *container) (map[string]evidence.Value[string], evidence.Value[bool]) {
	env := map[string]evidence.Value[string]{}
	whole := evidence.Known(true, c.at)
	for _, from := range c.envFrom {
		found, ok := (*configMap)(nil), false
		if from.configMap != "" {
			found, ok = s.configMapOf(w, from.configMap)
		}
		if !ok || found.open {
			whole = evidence.Unknown[bool](evidence.Elsewhere, from.at)
		}
		if ok {
			if s.envLeft -= len(found.data); s.envLeft < 0 {
				whole = evidence.Unknown[bool](evidence.Failed, from.at.WithNote("too many variables"))
				continue
			}
			for key := range found.data {
				env[from.prefix+key] = s.dataOf(found, key, from.at)
			}
		}
	}
	for _, v := range c.env {
		value := v.value
		if v.configMap != "" {
			value = evidence.Unknown[string](evidence.Elsewhere, v.at)
			if found, ok := s.configMapOf(w, v.configMap); ok {
				value = s.dataOf(found, v.key, v.at)
			}
		} else {
			value = expand(value, env)
		}
		env[v.name] = value
	}
	return env, whole
}

// maxExpanded is the most bytes that variables may add to a value: variables of variables could make it endless.
const maxExpanded = 2 << 10

// expand puts variables into a value: https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/.
// A variable that is not there stays as it is written; in text with spaces it is taken for a shell's own, elsewhere for
// a placeholder.
func expand(v evidence.Value[string], env map[string]evidence.Value[string]) evidence.Value[string] {
	text, known := v.Get()
	if !known || !strings.Contains(text, "$") {
		return v
	}
	var out strings.Builder
	for text != "" {
		before, rest, ok := strings.Cut(text, "$")
		out.WriteString(before)
		if !ok {
			break
		}
		text = rest
		name, after, closed := strings.Cut(strings.TrimPrefix(rest, "("), ")")
		switch {
		case strings.HasPrefix(rest, "$"):
			out.WriteByte('$')
			text = rest[1:]
		case !strings.HasPrefix(rest, "(") || !closed || !isVariable(name):
			out.WriteByte('$')
		default:
			value, there := env[name]
			put, known := value.Get()
			full, _ := v.Get()
			switch {
			case !there && strings.ContainsAny(full, " \t\n"):
				put = "$(" + name + ")"
			case !there:
				return evidence.Unknown[string](evidence.Unresolved, v.At())
			case !known:
				return evidence.Unknown[string](cmp.Or(value.Why(), evidence.Unresolved), v.At())
			}
			if out.Len()+len(put) > len(full)+maxExpanded {
				return evidence.Unknown[string](evidence.Unfamiliar, v.At())
			}
			out.WriteString(put)
			text = after
		}
	}
	return evidence.Known(out.String(), v.At())
}

func isVariable(name string) bool {
	for i, c := range name {
		if c != '_' && c != '-' && c != '.' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// inlineWaivers gives every waiver its subject: the container or the workload, with all that lies in it.
func (s *scan) inlineWaivers(workloads []*placed) {
	add := func(w *placed, o *object) {
		for _, v := range o.waivers {
			id := w.id
			if v.container != "" {
				id += "/" + evidence.ID(v.container)
			}
			s.waivers = append(s.waivers, evidence.Waiver{Check: v.check, Subject: string(id), Reason: v.reason, At: v.at})
		}
	}
	for _, w := range workloads {
		add(w, w.object)
		for _, o := range w.also {
			add(w, o)
		}
	}
}

// collectors notes the units in which something carries logs away.
func (s *scan) collectors() {
	for _, c := range s.containers {
		image, known := c.Image.Get()
		if !known {
			continue
		}
		if _, ok := shipper.Lookup(image); ok {
			for _, u := range c.Units {
				s.collected[u] = true
			}
		}
	}
}
