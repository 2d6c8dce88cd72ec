package kubernetes

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"lookback/evidence"
	"lookback/scanners/workload"
)

// maxConfig is the most bytes of a ConfigMap's data that are kept.
const maxConfig = 256 << 10

// A meta names an object.
type meta struct {
	kind, name string
	namespace  string // as written
	at         evidence.Origin
	file       *file
}

// space returns the namespace, which is "default" when nobody wrote one.
func (m meta) space() string { return cmp.Or(m.namespace, "default") }

// An object is a workload.
type object struct {
	meta
	lingers     evidence.Value[int64]
	containers  []container
	volumes     map[string]volume
	labels      map[string]string
	annotations map[string]evidence.Value[string] // of the pod, and its labels
	misses      []string                          // nodes that it cannot run on
	print       string                            // a hash of what it runs
	waivers     []inlineWaiver
}

type container struct {
	name     string
	at       evidence.Origin
	end      int // its last line
	brief    bool
	image    evidence.Value[string]
	args     []evidence.Value[string] // as written
	env      []envVar
	envFrom  []envFrom
	mounts   []volumeMount
	readOnly evidence.Value[bool]
}

type envVar struct {
	name      string
	value     evidence.Value[string] // the zero Value for one that comes from a ConfigMap
	configMap string
	key       string
	at        evidence.Origin
}

type envFrom struct {
	prefix    string
	configMap string // "" for a Secret
	at        evidence.Origin
}

type volumeMount struct {
	volume, path, subPath string
	readOnly              bool
	at                    evidence.Origin
}

type configMap struct {
	meta
	data map[string]content
	open bool // there may be more in it than is kept here
	// unit is set for one that a kustomization generates.
	unit string
}

// A content is what a file of a ConfigMap holds: a value, or a file in the tree.
type content struct {
	value evidence.Value[string]
	file  string
	at    evidence.Origin
}

type claim struct {
	meta
	class  evidence.Value[string]
	volume string
}

type persistentVolume struct {
	meta
	class   string
	offHost evidence.Value[bool]
}

type storageClass struct {
	meta
	provisioner string
}

type service struct {
	meta
	selector map[string]string
}

type auditPolicy struct {
	meta
	parts map[evidence.Part]evidence.Value[evidence.Extent]
}

// listSuffix ends the kind of a list of objects.
const listSuffix = "List"

// asked reports whether objects of the kind say something about evidence.
func asked(kind, version string) bool {
	group, _, grouped := strings.Cut(version, "/")
	if !grouped {
		group = ""
	}
	switch strings.TrimSuffix(kind, listSuffix) {
	case "Pod", "ReplicationController", "PodTemplate", "ConfigMap", "Service", "PersistentVolumeClaim", "PersistentVolume":
		return group == ""
	case "":
		return kind == listSuffix && group == ""
	case "Deployment", "DaemonSet", "ReplicaSet", "StatefulSet":
		return group == "apps" || group == "extensions"
	case "Job", "CronJob":
		return group == "batch" || group == "extensions"
	case "DeploymentConfig":
		return group == "" || group == "apps.openshift.io"
	case "StorageClass":
		return group == "storage.k8s.io"
	case "Policy":
		return group == "audit.k8s.io"
	}
	return false
}

// object reads one object, or a list of them.
func (r *reader) object(doc []byte, line int, f field) {
	r.one(r.marks(doc, line, f), f, "", "", 0)
}

// one reads an object, whose kind and version a list may have said.
func (r *reader) one(marks []mark, f field, kind, version string, depth int) {
	kind, version = cmp.Or(f.get("kind").text(), kind), cmp.Or(f.get("apiVersion").text(), version)
	if kind == "" || version == "" || r.err != nil {
		return
	}
	if !asked(kind, version) {
		r.count(kind)
		return
	}
	if of, isList := strings.CutSuffix(kind, listSuffix); isList {
		if depth > 5 {
			r.err = errTooMuch
			return
		}
		itemVersion := version
		if of == "" {
			itemVersion = ""
		}
		for _, item := range f.get("items").items() {
			if item.n.Line != f.n.Line {
				item.at.Line = item.n.Line
			}
			r.one(marks, item, of, itemVersion, depth+1)
		}
		return
	}
	m := meta{
		kind: kind, name: f.get("metadata", "name").text(), namespace: f.get("metadata", "namespace").text(),
		at: f.at, file: r.file,
	}
	if m.name == "" {
		m.name = strings.TrimRight(f.get("metadata", "generateName").text(), "-")
	}
	switch kind {
	case "ConfigMap":
		r.configMap(m, f)
	case "PersistentVolumeClaim":
		r.file.claims = append(r.file.claims, readClaim(m, f.get("spec")))
	case "PersistentVolume":
		spec := f.get("spec")
		r.file.volumes = append(r.file.volumes, &persistentVolume{meta: m, class: spec.get("storageClassName").text(), offHost: offHost(spec)})
	case "StorageClass":
		r.file.classes = append(r.file.classes, &storageClass{meta: m, provisioner: f.get("provisioner").text()})
	case "Service":
		r.file.services = append(r.file.services, &service{meta: m, selector: texts(f.get("spec", "selector"))})
	case "Policy":
		p, err := readPolicy(f.node(), r.file.name)
		if err != nil {
			at, text := f.at, fmt.Sprintf("line %d: %v", f.at.Line, err)
			if inner := errors.Unwrap(err); inner != nil {
				if _, scanErr := fmt.Sscanf(inner.Error(), "line %d:", &at.Line); scanErr == nil {
					at.Col, text = 0, inner.Error()
				}
			}
			r.bad(at, text+" (in an audit Policy)")
			return
		}
		r.file.policies = append(r.file.policies, &auditPolicy{meta: m, parts: p.parts()})
	default:
		r.workload(marks, m, f, depth > 0)
	}
}

// texts returns a mapping of scalars.
func texts(f field) map[string]string {
	m := map[string]string{}
	f.each(func(key string, v field) { m[key] = v.text() })
	return m
}

func (r *reader) configMap(m meta, f field) {
	c := &configMap{meta: m, data: map[string]content{}}
	size := 0
	f.get("data").each(func(key string, v field) {
		if n := v.node(); n != nil && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			v.at.Line, v.at.Col = v.at.Line+1, 0 // the text begins below its "|"
		}
		value := v.value()
		text, _ := value.Get()
		size += len(key) + len(text)
		if value.IsZero() {
			value = evidence.Known("", v.at)
		}
		c.data[key] = content{value: value, at: v.at}
	})
	if size > maxConfig {
		c.data, c.open = nil, true
	}
	f.get("binaryData").each(func(key string, v field) {
		if c.data != nil {
			c.data[key] = content{value: evidence.Unknown[string](evidence.Unfamiliar, v.at), at: v.at}
		}
	})
	r.file.configMaps = append(r.file.configMaps, c)
}

func readClaim(m meta, spec field) *claim {
	return &claim{meta: m, class: spec.get("storageClassName").value(), volume: spec.get("volumeName").text()}
}

// workload reads an object that runs containers. One that names an image for none of its containers, or not for all,
// is a part of one.
func (r *reader) workload(marks []mark, m meta, f field, listed bool) {
	w := &object{meta: m, lingers: lingers(m.kind, f)}
	if w.name == "" {
		w.name = "unnamed"
	}
	template := f.get("spec", "template")
	switch m.kind {
	case "Pod":
		template = f
	case "PodTemplate":
		template = f.get("template")
	case "CronJob":
		template = f.get("spec", "jobTemplate", "spec", "template")
	}
	pod := template.get("spec")
	if !r.containers(w, pod) || r.err != nil {
		return
	}
	w.labels = texts(template.get("metadata", "labels"))
	w.annotations = map[string]evidence.Value[string]{}
	for _, key := range []string{"labels", "annotations"} {
		template.get("metadata", key).each(func(key string, v field) {
			if value := v.value(); !value.IsZero() {
				w.annotations[key] = value
			}
		})
	}
	w.volumes = map[string]volume{}
	for _, v := range pod.get("volumes").items() {
		if name := v.get("name").text(); name != "" {
			w.volumes[name] = readVolume(v)
		}
	}
	for _, c := range f.get("spec", "volumeClaimTemplates").items() {
		name := c.get("metadata", "name").text()
		if name == "" || m.kind != "StatefulSet" {
			continue
		}
		// The claims are named after the template and the set: "data-db-0".
		own := meta{kind: "PersistentVolumeClaim", name: name + "-" + w.name, namespace: m.namespace, at: c.at, file: r.file}
		w.volumes[name] = volume{kind: workload.Claim, claim: own.name, own: readClaim(own, c.get("spec")), at: c.at}
	}
	w.misses = misses(pod)
	w.print = r.fingerprint(pod, template.get("metadata", "annotations")) + fmt.Sprint(w.lingers.Get())
	w.waivers = r.waivers(marks, f, w, listed)
	if r.err == nil {
		r.file.workloads = append(r.file.workloads, w)
	}
}

// containers reads the containers of a pod, and reports whether each names an image.
func (r *reader) containers(w *object, pod field) bool {
	seen := map[string]bool{}
	for _, list := range []string{"initContainers", "containers"} {
		for i, f := range pod.get(list).items() {
			if n := f.node(); n == nil || len(n.Content) == 0 {
				continue
			}
			c := readContainer(f)
			if c.image.IsZero() {
				return false
			}
			if c.name == "" || seen[c.name] {
				c.name = fmt.Sprintf("%s-%d", cmp.Or(c.name, strings.TrimSuffix(list, "s")), i+1)
			}
			seen[c.name] = true
			// A sidecar is an init container that goes on running.
			c.brief = list == "initContainers" && f.get("restartPolicy").text() != "Always"
			w.containers = append(w.containers, c)
		}
	}
	return len(w.containers) > 0
}

func readContainer(f field) container {
	c := container{name: f.get("name").text(), at: f.at, end: lastLine(f.n), image: readImage(f.get("image"))}
	for _, list := range []string{"command", "args"} {
		for _, a := range f.get(list).items() {
			if v := a.value(); !v.IsZero() {
				c.args = append(c.args, v)
			}
		}
	}
	for _, e := range f.get("env").items() {
		name := e.get("name")
		v := envVar{name: name.text(), value: e.get("value").value(), at: name.at}
		switch from := e.get("valueFrom"); {
		case v.name == "":
			continue
		case from.get("configMapKeyRef").present():
			ref := from.get("configMapKeyRef")
			v.configMap, v.key, v.at = ref.get("name").text(), ref.get("key").text(), ref.at
		case from.present():
			v.value = evidence.Unknown[string](evidence.Elsewhere, from.at)
		case v.value.IsZero():
			v.value = evidence.Known("", v.at)
		}
		c.env = append(c.env, v)
	}
	for _, e := range f.get("envFrom").items() {
		c.envFrom = append(c.envFrom, envFrom{e.get("prefix").text(), e.get("configMapRef", "name").text(), e.at})
	}
	for _, m := range f.get("volumeMounts").items() {
		name, at := m.get("name").text(), m.get("mountPath")
		if at.text() == "" {
			continue
		}
		ro, _ := m.get("readOnly").boolean().Get()
		c.mounts = append(c.mounts, volumeMount{
			volume: name, path: path.Clean("/" + at.text()), readOnly: ro, at: at.at,
			subPath: cmp.Or(m.get("subPath").text(), m.get("subPathExpr").text()),
		})
	}
	c.readOnly = f.get("securityContext", "readOnlyRootFilesystem").boolean()
	if c.readOnly.IsZero() {
		c.readOnly = evidence.Known(false, f.at.WithNote("Kubernetes default"))
	}
	return c
}

// reference is the form of an image reference: https://pkg.go.dev/github.com/distribution/reference. A registry in
// upper case is taken for a placeholder.
var reference = regexp.MustCompile(`^(?:[a-z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]+)?/)?` +
	`[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*` +
	`(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,})?$`)

// readImage returns an image reference: the zero Value where none is written, unresolved for a placeholder.
func readImage(f field) evidence.Value[string] {
	v := f.value()
	text, known := v.Get()
	text = strings.TrimSpace(text)
	switch {
	case !known:
		return v
	case text == "":
		return evidence.Value[string]{}
	case len(text) > 1024 || !reference.MatchString(text):
		return evidence.Unknown[string](evidence.Unresolved, f.at)
	}
	return evidence.Known(text, f.at)
}

// lingers says how long a workload can be looked at after it ended. What runs on has no end, and a finished Job stays
// until somebody deletes it:
// https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/.
func lingers(kind string, f field) evidence.Value[int64] {
	if at, ok := deletedByHook(f.get("metadata", "annotations")); ok {
		return evidence.Known[int64](0, at)
	}
	var job field
	switch kind {
	case "Job":
		job = f.get("spec")
	case "CronJob":
		history := f.get("spec", "failedJobsHistoryLimit").number()
		if limit, known := history.Get(); known && limit == 0 {
			return evidence.Known[int64](0, history.At())
		}
		job = f.get("spec", "jobTemplate", "spec")
		if at, ok := deletedByHook(f.get("spec", "jobTemplate", "metadata", "annotations")); ok {
			return evidence.Known[int64](0, at)
		}
		if ttl := job.get("ttlSecondsAfterFinished").number(); ttl.IsZero() && !history.IsZero() && history.IsUnknown() {
			return evidence.Unknown[int64](history.Why(), history.At())
		}
	default:
		return evidence.Moot[int64](f.at)
	}
	if ttl := job.get("ttlSecondsAfterFinished").number(); !ttl.IsZero() {
		return ttl
	}
	return evidence.Moot[int64](job.at.WithNote("Kubernetes default"))
}

// deletedByHook reports whether Helm or Argo CD deletes the object once it has ended. With "before-hook-creation",
// Helm's own default, it stays until the next run.
func deletedByHook(annotations field) (evidence.Origin, bool) {
	for _, key := range []string{"helm.sh/hook-delete-policy", "argocd.argoproj.io/hook-delete-policy"} {
		f := annotations.get(key)
		for policy := range strings.SplitSeq(f.text(), ",") {
			switch strings.TrimSpace(policy) {
			case "hook-succeeded", "hook-failed", "HookSucceeded", "HookFailed":
				return f.at, true
			}
		}
	}
	return evidence.Origin{}, false
}

// misses says which nodes the pods of a workload cannot run on.
func misses(pod field) []string {
	var tolerations []workload.Toleration
	for _, t := range pod.get("tolerations").items() {
		tolerations = append(tolerations, workload.Toleration{
			Key: t.get("key").text(), Operator: t.get("operator").text(), Value: t.get("value").text(), Effect: t.get("effect").text(),
		})
	}
	affinity := pod.get("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
	return workload.LeavesOut(tolerations, texts(pod.get("nodeSelector")), affinity.present())
}

// waiverMark begins an inline waiver.
const waiverMark = "lookback:waive"

// An inlineWaiver is a waiver in a comment of a workload.
type inlineWaiver struct {
	check, reason string
	container     string // "" for the whole workload
	at            evidence.Origin
}

// A mark is an inline waiver where it stands.
type mark struct {
	text string // the check and the reason
	at   evidence.Origin
	of   int // the line that it speaks of
}

// marks returns the waivers in the comments of a document. A comment speaks of the line that it stands on, or of the
// next line with something else in it.
func (r *reader) marks(doc []byte, line int, root field) []mark {
	if !bytes.Contains(doc, []byte(waiverMark)) {
		return nil
	}
	comments := map[string]bool{}
	collectComments(root.n, comments)
	var found []mark
	lines := bytes.Split(doc, []byte("\n"))
	for i, text := range lines {
		before, after, ok := bytes.Cut(text, []byte(waiverMark))
		if !ok || !bytes.HasSuffix(bytes.TrimRight(before, " \t"), []byte("#")) {
			continue
		}
		if !comments[waiverMark+strings.TrimRight(string(after), " \t\r")] {
			continue // text that looks like one, in a string
		}
		of := i
		if len(bytes.TrimSpace(before)) == 1 {
			for of++; of < len(lines) && isComment(lines[of]); of++ {
			}
		}
		found = append(found, mark{
			text: strings.TrimSpace(string(after)), of: line + of + 1,
			at: evidence.Origin{File: r.file.name, Line: line + i + 1, Col: bytes.IndexByte(text, '#') + 1},
		})
	}
	return found
}

// waivers returns those of the document's waivers that speak of a workload. Of a list, only what lies within its item.
func (r *reader) waivers(marks []mark, f field, w *object, listed bool) []inlineWaiver {
	if len(marks) == 0 {
		return nil
	}
	var found []inlineWaiver
	first, last := f.n.Line, lastLine(f.n)
	for _, m := range marks {
		if listed && (m.of > last || m.of < first) {
			continue
		}
		check, reason, _ := strings.Cut(m.text, " ")
		if strings.TrimSpace(reason) == "" {
			r.file.gaps = append(r.file.gaps, evidence.Gap{
				In: targetOf(r.file.folder()), Asked: strings.TrimSpace("the waiver " + check), Why: evidence.Failed,
				Err: fmt.Sprintf("line %d: a waiver needs a reason", m.at.Line), At: m.at, Bad: true,
			})
			continue
		}
		waiver := inlineWaiver{check: check, reason: strings.TrimSpace(reason), at: m.at}
		for _, c := range w.containers {
			if c.at.Line <= m.of && m.of <= c.end {
				waiver.container = c.name
			}
		}
		found = append(found, waiver)
	}
	return found
}

func isComment(line []byte) bool {
	line = bytes.TrimSpace(line)
	return len(line) == 0 || line[0] == '#'
}

// collectComments gathers the waivers among the comments of a document.
func collectComments(n *yaml.Node, into map[string]bool) {
	for _, text := range []string{n.HeadComment, n.LineComment, n.FootComment} {
		for line := range strings.Lines(text) {
			if _, after, ok := strings.Cut(line, waiverMark); ok {
				into[waiverMark+strings.TrimRight(after, " \t\r\n")] = true
			}
		}
	}
	for _, c := range n.Content {
		collectComments(c, into)
	}
}

// lastLine returns the last line on which something of a node stands, without what its aliases lead to.
func lastLine(n *yaml.Node) int {
	last := n.Line
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		last += strings.Count(n.Value, "\n")
	}
	for _, c := range n.Content {
		last = max(last, lastLine(c))
	}
	return last
}
