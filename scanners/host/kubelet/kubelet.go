// Package kubelet reads what the kubelet of a node keeps of the output of pods, and the pods that it runs from files of the
// host: those are the control plane of a cluster that kubeadm made, and its audit log.
package kubelet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"lookback/evidence"
	"lookback/scanners/host/containerd"
	"lookback/scanners/host/logfile"
	"lookback/scanners/host/scope"
)

// podLogs is where the kubelet keeps the output of pods: podLogsDir of KubeletConfiguration.
const podLogs = "var/log/pods"

// Read reads the kubelet of a host, the output of pods that it keeps, and its static pods.
func Read(ctx context.Context, s *scope.Scope) {
	k3s(s)
	set, ok := readSettings(s)
	kept := readLogs(s)
	if !ok && kept == nil {
		return
	}
	if !ok { // pods run here, and their kubelet is a part of another program
		at := scope.At(podLogs, 0).WithNote("the settings of the kubelet were not found")
		unknown := evidence.Unknown[int64](evidence.Elsewhere, at)
		set = settings{logSize: unknown, logFiles: unknown, dead: unknown, imageHigh: unknown, static: evidence.Unknown[string](evidence.Elsewhere, at), at: at}
	}
	observe(s, set, kept)
	static(ctx, s, set, kept)
}

// k3s names clusters whose API server is a part of another program, with a configuration of its own:
// https://docs.k3s.io/installation/configuration and https://docs.rke2.io/install/configuration.
func k3s(s *scope.Scope) {
	for _, name := range []string{"k3s", "rke2"} {
		if file := "etc/rancher/" + name + "/config.yaml"; s.Has(file) {
			s.Missed("the API server and the kubelet of "+name, errOther, scope.At(file, 0))
		}
	}
}

var errOther = errors.New("the configuration of this distribution is not read")

// A log is the output of one container of a pod as the kubelet keeps it: the files of its last runs, newest first.
type log struct {
	pod, container string // "kube-system_kube-proxy-x2j_UID", "kube-proxy"
	files          []string
	runs           int  // of which there are files
	first          int  // the number of the oldest of them
	most           int  // files of one run
	docker         bool // the files are Docker's, under another name
}

// maxLogs bounds how many containers of pods are looked at: a node runs some hundreds.
const maxLogs = 4096

// readLogs lists the output of pods: /var/log/pods/NAMESPACE_NAME_UID/CONTAINER/RUN.log, with older parts of a run beside
// it, RUN.log.TIME.gz (pkg/kubelet/kuberuntime/helpers.go and logs/container_log_manager.go of
// https://github.com/kubernetes/kubernetes). It is nil where there is no such folder, or where that cannot be told.
func readLogs(s *scope.Scope) []log {
	logs := []log{}
	pods, err := s.Root.ReadDir(podLogs)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		s.Missed("the output of pods", err, scope.At(podLogs, 0))
		if scope.Why(err) == evidence.Elsewhere { // nothing says that there is such a folder
			return nil
		}
	}
	for _, pod := range pods {
		for _, dir := range s.Glob(path.Join(podLogs, escape(pod.Name()), "*")) {
			if len(logs) == maxLogs {
				s.Missed("the output of pods", fmt.Errorf("more than %d containers", maxLogs), scope.At(podLogs, 0))
				return logs
			}
			list, err := s.Root.ReadDir(dir)
			if err != nil {
				continue // a file beside the folders
			}
			l := log{pod: pod.Name(), container: path.Base(dir)}
			l.add(s, dir, list)
			logs = append(logs, l)
		}
	}
	return logs
}

// escape keeps a name from being taken for a pattern.
func escape(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(name)
}

func (l *log) add(s *scope.Scope, dir string, list []fs.DirEntry) {
	runs := map[int][]string{}
	for _, e := range list {
		number, rest, ok := strings.Cut(e.Name(), ".log")
		run, err := strconv.Atoi(number)
		if !ok || err != nil || rest != "" && !strings.HasPrefix(rest, ".") || strings.HasSuffix(rest, ".tmp") {
			continue
		}
		name := path.Join(dir, e.Name())
		if e.Type()&fs.ModeSymlink != 0 {
			to, err := s.Root.Readlink(name)
			l.docker = l.docker || err == nil && strings.HasSuffix(to, "-json.log")
			continue
		}
		runs[run] = append(runs[run], name)
	}
	var numbers []int
	for run, files := range runs {
		slices.SortFunc(files, newestFirst)
		runs[run], l.most = files, max(l.most, len(files))
		numbers = append(numbers, run)
	}
	slices.Sort(numbers)
	for _, run := range slices.Backward(numbers) {
		l.files = append(l.files, runs[run]...)
	}
	if l.runs = len(numbers); l.runs > 0 {
		l.first = numbers[0]
	}
}

// newestFirst puts the file that is written to before those with a time behind its name.
func newestFirst(a, b string) int {
	if an, bn := strings.HasSuffix(a, ".log"), strings.HasSuffix(b, ".log"); an != bn {
		if an {
			return -1
		}
		return 1
	}
	return strings.Compare(b, a)
}

// dropped says whether the kubelet has thrown away output of a container whose pod is still there: an earlier run, or the
// beginning of one.
func (l log) dropped(set settings) evidence.Value[bool] {
	files, known := set.logFiles.Get()
	switch {
	case l.first > 0:
		return evidence.Known(true, scope.At(l.files[len(l.files)-1], 0))
	case !known:
		return evidence.Unknown[bool](set.logFiles.Why(), set.logFiles.At())
	}
	return evidence.Known(l.most > 0 && int64(l.most) >= files, set.logFiles.At())
}

// observe is the only place that knows what the kubelet's settings mean for pods whose manifests are not on the host.
func observe(s *scope.Scope, set settings, logs []log) {
	at := set.at
	pods := &evidence.Asset{
		Subject: evidence.Subject{ID: s.ID("pods"), Kind: "pods", Name: "the pods of this node", At: at},
		In:      s.In(at), Lingers: lingers(set),
	}
	store := s.DiskStore(s.ID("pods/stdout"), "kubelet's log files", "the kubelet's log files", at)
	store.On = evidence.Known([]evidence.ID{pods.ID}, at.WithNote("the kubelet removes them with their pod"))
	bound(store, set)
	reach(s, store, set, logs)
	out := s.Source("pods/stdout", evidence.Application, "standard output", "the output of the pods of this node", at)
	out.Covers, out.Records, out.Enabled, out.Parts = []evidence.ID{pods.ID}, "their output", evidence.Moot[bool](at), nil
	d := evidence.EverythingTo(store.ID, at)
	d.Lossless = evidence.Known(true, at)
	if strings.Contains(set.runtime, "containerd") {
		d.Whole = containerd.Uncut(s)
	}
	out.To = []evidence.Delivery{d}
	out.Complete = evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("whether a collector of the cluster takes the output away is decided in the cluster; scan its manifests"))
	if slices.ContainsFunc(logs, func(l log) bool { return l.docker }) {
		note := at.WithNote("Docker keeps the output of these pods; its own limits count")
		store.Kept, store.Bytes = evidence.Unknown[int](evidence.Elsewhere, note), evidence.Unknown[int64](evidence.Elsewhere, note)
	}
	s.Record(pods)
	s.Record(out)
	s.Record(store)
}

// bound says what bounds the log files of one container.
func bound(store *evidence.LogStore, set settings) {
	size, known := set.logSize.Get()
	files, also := set.logFiles.Get()
	store.Kept = evidence.Known(0, set.logSize.At())
	switch {
	case !known:
		store.Kept = evidence.Unknown[int](set.logSize.Why(), set.logSize.At())
		store.Bytes = evidence.Unknown[int64](set.logSize.Why(), set.logSize.At())
	case !also:
		store.Bytes = evidence.Unknown[int64](set.logFiles.Why(), set.logFiles.At())
	default:
		store.Bytes = evidence.Known(size*min(max(files, 1), 1<<20), set.logSize.At())
	}
}

// lingers says how long a pod can be looked at after it ended. Its object decides, which is in the cluster; on the node
// there is one ended container of each, unless that is turned off:
// https://kubernetes.io/docs/concepts/architecture/garbage-collection/#containers-images.
func lingers(set settings) evidence.Value[int64] {
	dead, known := set.dead.Get()
	if known && dead == 0 {
		return evidence.Known(int64(0), set.dead.At().WithNote("the kubelet keeps no container that has ended"))
	}
	note := "how long a pod that ended stays is decided in the cluster"
	if high, ok := set.imageHigh.Get(); ok && known {
		note += fmt.Sprintf("; of each container %d that ended is kept with it, and images that nothing uses go when the disk is %d %% full", dead, high)
	}
	return evidence.Unknown[int64](evidence.Elsewhere, set.dead.At().WithNote(note))
}

// reach says since when nothing that was seen is missing: the latest beginning of what has been cut off, or else the
// earliest of all.
func reach(s *scope.Scope, store *evidence.LogStore, set settings, logs []log) {
	nothing := evidence.Unknown[time.Time](evidence.Elsewhere, evidence.Origin{File: podLogs, Note: "nothing is written there yet"})
	store.Oldest, store.Newest = nothing, nothing
	store.Dropped = evidence.Known(false, set.logFiles.At())
	for _, l := range logs {
		if len(l.files) == 0 {
			continue
		}
		lost := l.dropped(set)
		cut, known := lost.Get()
		was, _ := store.Dropped.Get()
		span := logfile.Measure(s, l.files)
		if last, ok := span.Newest.Get(); ok {
			if t, had := store.Newest.Get(); !had || last.After(t) {
				store.Newest = span.Newest
			}
		}
		begin, ok := span.Oldest.Get()
		have, had := store.Oldest.Get()
		switch {
		case !known && !was:
			store.Dropped = lost
		case cut && !was:
			store.Dropped, store.Oldest = lost, span.Oldest
			continue
		}
		if ok && (!had || cut && begin.After(have) || !cut && !was && begin.Before(have)) {
			store.Oldest = span.Oldest
		}
	}
}
