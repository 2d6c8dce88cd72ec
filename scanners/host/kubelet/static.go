package kubelet

import (
	"compress/gzip"
	"context"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/host/adopt"
	"lookback/scanners/host/logfile"
	"lookback/scanners/host/scope"
	"lookback/scanners/kubernetes"
	"lookback/scanners/tree"
)

// rke2 is where RKE2 has its static pods: https://docs.rke2.io/architecture.
const rke2 = "var/lib/rancher/rke2/agent/pod-manifests"

// maxManifests bounds how many files of static pods are read: a control plane has four.
const maxManifests = 256

// static reads the pods that the kubelet runs from files, as the manifests that they are. They become things of the host,
// "host:NAME//pods/kube-system/pod/etcd", so that those of several hosts stay apart.
func static(ctx context.Context, s *scope.Scope, set settings, logs []log) {
	dirs := []string{rke2}
	if dir, known := set.static.Get(); !known || dir != "" {
		if !known {
			dir = manifests
		}
		dirs = append(dirs, strings.TrimPrefix(path.Clean("/"+dir), "/"))
	}
	for _, dir := range dirs {
		list, err := s.Root.ReadDir(dir)
		if err != nil {
			if s.Has(dir) || scope.Why(err) == evidence.Denied {
				s.Missed("the static pods", err, scope.At(dir, 0), evidence.KubernetesAPI)
			}
			continue
		}
		scanner := &kubernetes.Scanner{}
		var kept []any
		var pods []pod
		for _, e := range list[:min(len(list), maxManifests)] {
			name := path.Join(dir, e.Name())
			if strings.HasPrefix(e.Name(), ".") || e.IsDir() { // the kubelet passes these over, too
				continue
			}
			data, err := s.Read(name, evidence.KubernetesAPI)
			if err != nil || data == nil {
				continue
			}
			if k := scanner.Offer(tree.File{Name: name, Content: data}); k != nil {
				kept = append(kept, k)
			}
			pods = append(pods, readPod(data))
		}
		for _, name := range policies(pods) {
			data, err := s.Read(name)
			if err != nil || data == nil {
				continue
			}
			if k := scanner.Offer(tree.File{Name: name, Content: data}); k != nil {
				kept = append(kept, k)
			}
		}
		if len(kept) == 0 {
			continue
		}
		o := &onHost{Scope: s, dir: dir, set: set, logs: logs, pods: pods}
		sink := adopt.Sink{Scope: s, Name: o.name, Keep: o.keep, Of: []evidence.Activity{evidence.KubernetesAPI}}
		nothing := tree.OpenStdin(strings.NewReader("")) // what a manifest names beside it is not looked for
		if err := scanner.Scan(ctx, scanners.Target{Tree: nothing, Declared: s.Declared}, kept, sink); err != nil {
			s.Missed("the static pods", err, scope.At(dir, 0), evidence.KubernetesAPI)
		}
	}
}

// onHost turns records of manifests into those of the host.
type onHost struct {
	*scope.Scope
	dir  string
	set  settings
	logs []log
	pods []pod
}

// name is what an ID of the manifests becomes on the host.
func (o *onHost) name(id evidence.ID) evidence.ID {
	folder, ok := strings.CutPrefix(id.Target(), "kubernetes:"+o.dir)
	if !ok {
		return id
	}
	thing := id.Thing()
	switch file, logged := strings.CutSuffix(thing, "/audit-log"); {
	case thing == "node":
		return o.Host()
	case logged && o.auditLog() != "":
		return o.ID(o.auditLog())
	case logged, strings.HasPrefix(file, "kube-apiserver"):
		return o.ID(thing)
	case strings.HasPrefix(thing, "node/"): // a folder of the host
		return o.ID(strings.TrimPrefix(thing, "node/"))
	}
	return o.ID("pods/" + strings.TrimPrefix(folder+"/", "/") + thing)
}

// auditLog is where the file of the API server's audit log lies on the host; "" where it does not.
func (o *onHost) auditLog() string {
	for _, p := range o.pods {
		if file := p.onHost(p.flag("--audit-log-path")); file != "" {
			return file
		}
	}
	return ""
}

// policies are the files on the host that hold the audit policies of API servers.
func policies(pods []pod) (files []string) {
	for _, p := range pods {
		if file := p.onHost(p.flag("--audit-policy-file")); file != "" && !slices.Contains(files, file) {
			files = append(files, file)
		}
	}
	return files
}

// keep adds what was seen on the host to what the manifests say.
func (o *onHost) keep(r evidence.Record) bool {
	switch r := r.(type) {
	case *evidence.Asset:
		return r.ID != o.Host()
	case *evidence.LogStore:
		switch {
		case r.Kind == "kubelet's log file":
			bound(r, o.set)
			reach(o.Scope, r, o.set, o.logsOf(r.ID))
		case o.auditLog() != "" && r.ID == o.ID(o.auditLog()):
			o.audited(r)
		}
	}
	return true
}

// logsOf are the log files of a container of a static pod: "pods/kube-system/pod/etcd/etcd/stdout" is the output of the
// container etcd of a pod that the kubelet calls "etcd-NODE".
func (o *onHost) logsOf(id evidence.ID) (out []log) {
	words := strings.Split(strings.TrimPrefix(id.Thing(), "pods/"), "/")
	if len(words) != 5 {
		return nil
	}
	for _, l := range o.logs {
		if l.container == words[3] && strings.HasPrefix(l.pod, words[0]+"_"+words[2]+"-") {
			out = append(out, l)
		}
	}
	return out
}

// audited measures the audit log. Its older parts have the time behind their name, audit-2026-01-02T15-04-05.000.log:
// https://pkg.go.dev/gopkg.in/natefinch/lumberjack.v2.
func (o *onHost) audited(store *evidence.LogStore) {
	store.Name = "/" + o.auditLog()
	store.Locked = o.DiskStore(store.ID, "", "", store.At).Locked
	files := logfile.Series(o.Scope, o.auditLog())
	if len(files) == 0 {
		nothing := evidence.Unknown[time.Time](evidence.Elsewhere, scope.At(o.auditLog(), 0).WithNote("nothing is written there yet"))
		store.Oldest, store.Newest = nothing, nothing
		return
	}
	store.Oldest, store.Newest = o.event(files[len(files)-1], false), o.event(files[0], true)
}

// received is the time of an event: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/.
var received = regexp.MustCompile(`"requestReceivedTimestamp":"([^"]{1,40})"`)

// window is how many bytes of an audit log are looked through for a time: an event with its request is some kilobytes.
const window = 256 << 10

// event returns the time of the first, or the last, event in a file.
func (o *onHost) event(name string, last bool) evidence.Value[time.Time] {
	at := scope.At(name, 0)
	read := o.Root.Head
	if last {
		read = o.Root.Tail
	}
	data, err := read(name, window)
	if err == nil && strings.HasSuffix(name, ".gz") && !last {
		data, err = o.unpack(name)
	}
	if err != nil {
		return scope.Unknown[time.Time](err, at)
	}
	found := received.FindAllSubmatch(data, -1)
	if last {
		slices.Reverse(found)
	}
	for _, m := range found {
		if t, err := time.Parse(time.RFC3339Nano, string(m[1])); err == nil && !t.After(o.Now.Add(48*time.Hour)) {
			return evidence.Known(t, at)
		}
	}
	return evidence.Unknown[time.Time](evidence.Unfamiliar, at.WithNote("no event with a time is in it"))
}

func (o *onHost) unpack(name string) ([]byte, error) {
	f, err := o.Root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, window))
}

// A pod is what is asked of a manifest, to know which files of the host its flags name.
type pod struct {
	Spec struct {
		Containers []struct {
			Command, Args []string
			VolumeMounts  []struct {
				Name      string
				MountPath string `yaml:"mountPath"`
				SubPath   string `yaml:"subPath"`
			} `yaml:"volumeMounts"`
		}
		Volumes []struct {
			Name     string
			HostPath struct{ Path string } `yaml:"hostPath"`
		}
	}
}

// readPod reads a manifest as far as it can: what is wrong with it is found by the scanner of manifests.
func readPod(data []byte) (p pod) {
	root, err := parse(data)
	if err != nil || root == nil {
		return pod{}
	}
	decode(root, &p)
	return p
}

func decode(root *yaml.Node, p *pod) {
	defer func() { _ = recover() }() // the parser gives up on some input
	_ = root.Decode(p)
}

// flag returns the value of a flag, as kube-apiserver takes it.
func (p pod) flag(name string) (value string) {
	for _, c := range p.Spec.Containers {
		words := slices.Concat(c.Command, c.Args)
		for i, w := range words {
			if key, v, ok := strings.Cut(w, "="); ok && key == name {
				value = v
			} else if w == name && i+1 < len(words) {
				value = words[i+1]
			}
		}
	}
	return value
}

// onHost returns where a file in a container lies on the host; "" where it does not.
func (p pod) onHost(file string) string {
	if file == "" || file == "-" {
		return ""
	}
	file = path.Clean("/" + file)
	found, length := "", -1
	for _, c := range p.Spec.Containers {
		for _, m := range c.VolumeMounts {
			over := path.Clean("/" + m.MountPath)
			rest, within := strings.CutPrefix(file, strings.TrimSuffix(over, "/")+"/")
			if file == over {
				rest, within = "", true
			}
			if !within || len(over) <= length {
				continue
			}
			found, length = "", len(over)
			for _, v := range p.Spec.Volumes {
				if v.Name == m.Name && v.HostPath.Path != "" {
					found = strings.TrimPrefix(path.Join("/", v.HostPath.Path, m.SubPath, rest), "/")
				}
			}
		}
	}
	return found
}
