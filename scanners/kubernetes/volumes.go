package kubernetes

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	"lookback/evidence"
	"lookback/scanners/workload"
)

// A volume is one of a pod's.
type volume struct {
	kind     workload.MountKind
	path     string // of a hostPath
	remote   string // names a share on another machine: "nfs/server/path"
	claim    string
	own      *claim // that a StatefulSet makes
	readOnly bool
	offHost  evidence.Value[bool]
	sources  []source // of Settings
	at       evidence.Origin
}

// A source fills a volume with files.
type source struct {
	configMap string            // "" where it is none, or we cannot read it
	items     map[string]string // from path to key; nil for all, under their own names
	at        evidence.Origin
}

// readVolume reads a volume of a pod: https://kubernetes.io/docs/concepts/storage/volumes/.
func readVolume(f field) volume {
	v := volume{at: f.at}
	switch {
	case f.get("emptyDir").n != nil:
		v.kind = workload.EmptyDir
		if f.get("emptyDir", "medium").text() == "Memory" {
			v.kind = workload.MemoryDir
		}
	case f.get("hostPath").present():
		v.kind, v.path = workload.HostPath, path.Clean("/"+f.get("hostPath", "path").text())
	case f.get("persistentVolumeClaim").present():
		c := f.get("persistentVolumeClaim")
		v.kind, v.claim = workload.Claim, c.get("claimName").text()
		v.readOnly, _ = c.get("readOnly").boolean().Get()
	case f.get("ephemeral").present():
		v.kind = workload.Ephemeral
	case f.get("csi").present():
		v.kind = workload.Ephemeral
		if f.get("csi", "driver").text() == "secrets-store.csi.k8s.io" {
			v.kind, v.sources = workload.Settings, []source{{at: f.at}}
		}
	case f.get("configMap").present():
		v.kind, v.sources = workload.Settings, []source{configMapSource(f.get("configMap"))}
	case f.get("projected").present():
		v.kind = workload.Settings
		for _, s := range f.get("projected", "sources").items() {
			if c := s.get("configMap"); c.present() {
				v.sources = append(v.sources, configMapSource(c))
			} else {
				v.sources = append(v.sources, source{at: s.at})
			}
		}
	case f.get("secret").n != nil, f.get("downwardAPI").n != nil, f.get("image").n != nil:
		v.kind, v.sources = workload.Settings, []source{{at: f.at}}
	case f.get("gitRepo").n != nil:
		v.kind = workload.EmptyDir // filled once, at the start
	default:
		v.other(f)
	}
	return v
}

// other reads volumes of storage elsewhere, and those that we do not know.
func (v *volume) other(f field) {
	var kind string
	f.each(func(key string, value field) {
		if key != "name" && value.n != nil {
			kind = key
		}
	})
	switch {
	case kind == "":
		v.kind = workload.EmptyDir // the API server's default
		return
	case !isRemote(kind):
		v.kind, v.offHost = workload.Plugin, evidence.Unknown[bool](evidence.Unfamiliar, f.at)
		return
	}
	s := f.get(kind)
	v.kind, v.offHost = workload.Remote, evidence.Known(true, s.at)
	v.readOnly, _ = s.get("readOnly").boolean().Get()
	var where []string
	for _, key := range []string{"server", "path", "volumeID", "pdName", "diskName", "shareName", "endpoints", "targetPortal", "iqn", "image", "volumePath"} {
		if text := s.get(key).text(); text != "" {
			where = append(where, strings.Trim(text, "/"))
		}
	}
	if len(where) > 0 {
		v.remote = kind + "/" + strings.Join(where, "/")
	}
}

// isRemote reports whether volumes of a kind lie on another machine.
func isRemote(kind string) bool {
	switch kind {
	case "nfs", "cephfs", "rbd", "iscsi", "fc", "glusterfs", "azureFile", "azureDisk", "awsElasticBlockStore",
		"gcePersistentDisk", "cinder", "vsphereVolume", "portworxVolume", "quobyte", "scaleIO", "storageos", "flocker",
		"photonPersistentDisk":
		return true
	}
	return false
}

func configMapSource(f field) source {
	s := source{configMap: f.get("name").text(), at: f.at}
	if items := f.get("items"); items.present() {
		s.items = map[string]string{}
		for _, i := range items.items() {
			s.items[path.Clean(i.get("path").text())] = i.get("key").text()
		}
	}
	return s
}

// offHost says whether a persistent volume lies on another machine than the one that uses it.
func offHost(spec field) evidence.Value[bool] {
	for _, key := range []string{"hostPath", "local"} {
		if f := spec.get(key); f.present() {
			return evidence.Known(false, f.at)
		}
	}
	if f := spec.get("csi", "driver"); f.present() {
		return provisioned(f.text(), f.at)
	}
	found := evidence.Unknown[bool](evidence.Unfamiliar, spec.at)
	spec.each(func(key string, f field) {
		if isRemote(key) && f.present() {
			found = evidence.Known(true, f.at)
		}
	})
	return found
}

// provisioned says whether the volumes of a provisioner, or of a CSI driver, lie on another machine.
func provisioned(by string, at evidence.Origin) evidence.Value[bool] {
	switch by {
	case "kubernetes.io/no-provisioner", "kubernetes.io/host-path", "rancher.io/local-path", "microk8s.io/hostpath",
		"k8s.io/minikube-hostpath", "docker.io/hostpath", "openebs.io/local", "hostpath.csi.k8s.io", "topolvm.io",
		"topolvm.cybozu.com", "local.csi.openebs.io", "zfs.csi.openebs.io":
		return evidence.Known(false, at)
	case "ebs.csi.aws.com", "ebs.csi.eks.amazonaws.com", "efs.csi.aws.com", "fsx.csi.aws.com", "pd.csi.storage.gke.io",
		"filestore.csi.storage.gke.io", "disk.csi.azure.com", "file.csi.azure.com", "blob.csi.azure.com",
		"nfs.csi.k8s.io", "smb.csi.k8s.io", "cinder.csi.openstack.org", "rbd.csi.ceph.com", "cephfs.csi.ceph.com",
		"dobs.csi.digitalocean.com", "linodebs.csi.linode.com", "csi.hetzner.cloud", "csi.vsphere.vmware.com",
		"diskplugin.csi.alibabacloud.com", "csi.trident.netapp.io",
		"kubernetes.io/aws-ebs", "kubernetes.io/gce-pd", "kubernetes.io/azure-disk", "kubernetes.io/azure-file",
		"kubernetes.io/cinder", "kubernetes.io/glusterfs", "kubernetes.io/rbd", "kubernetes.io/vsphere-volume",
		"kubernetes.io/portworx-volume", "kubernetes.io/quobyte", "kubernetes.io/scaleio", "kubernetes.io/storageos":
		return evidence.Known(true, at)
	}
	// Rook puts its own namespace in front of the drivers of Ceph.
	if strings.HasSuffix(by, ".rbd.csi.ceph.com") || strings.HasSuffix(by, ".cephfs.csi.ceph.com") {
		return evidence.Known(true, at)
	}
	return evidence.Unknown[bool](evidence.Elsewhere, at)
}

// claimOffHost says whether what a claim of w brings lies on another machine.
func (s *scan) claimOffHost(w *placed, v volume) evidence.Value[bool] {
	unknown := evidence.Unknown[bool](evidence.Elsewhere, v.at)
	c := v.own
	if c == nil {
		var found []*claim
		for _, candidate := range s.claims[v.claim] {
			if w.sees(s, candidate.meta, "") {
				found = append(found, candidate)
			}
		}
		if len(found) == 0 {
			return unknown
		}
		c = nearest(w, found, func(c *claim) meta { return c.meta })
	}
	unknown = evidence.Unknown[bool](evidence.Elsewhere, c.at)
	if c.volume != "" {
		return agreed(unknown, s.volumes[c.volume], func(p *persistentVolume) evidence.Value[bool] { return p.offHost })
	}
	class, known := c.class.Get()
	if !known || class == "" {
		return unknown // the cluster's default class, or whatever volume fits
	}
	if classes := s.classes[class]; len(classes) > 0 {
		return agreed(unknown, classes, func(c *storageClass) evidence.Value[bool] {
			if c.provisioner == "kubernetes.io/no-provisioner" {
				return agreed(provisioned(c.provisioner, c.at), s.byClass[class], func(p *persistentVolume) evidence.Value[bool] { return p.offHost })
			}
			return provisioned(c.provisioner, c.at)
		})
	}
	return agreed(unknown, s.byClass[class], func(p *persistentVolume) evidence.Value[bool] { return p.offHost })
}

// agreed returns what all say, and otherwise where none or not all say it.
func agreed[T any](otherwise evidence.Value[bool], of []T, say func(T) evidence.Value[bool]) evidence.Value[bool] {
	var first evidence.Value[bool]
	for i, t := range of {
		v := say(t)
		if i == 0 {
			first = v
		}
		a, known := v.Get()
		if b, _ := first.Get(); !known || a != b {
			return evidence.Unknown[bool](cmp.Or(v.Why(), evidence.Elsewhere), v.At())
		}
	}
	if len(of) == 0 {
		return otherwise
	}
	return first
}

// nearest prefers what lies in the folder of w.
func nearest[T any](w *placed, of []T, metaOf func(T) meta) T {
	for _, t := range of {
		if metaOf(t).file.folder() == w.file.folder() {
			return t
		}
	}
	return of[0]
}

// mounts returns what a container mounts.
func (s *scan) mounts(w *placed, c *container) []workload.Mount {
	var mounts []workload.Mount
	for _, m := range c.mounts {
		v, declared := w.volumes[m.volume]
		if !declared {
			v = volume{kind: workload.Plugin, offHost: evidence.Unknown[bool](evidence.Unresolved, m.at)}
		}
		mount := workload.Mount{
			Path: m.path, Kind: v.kind, Name: m.volume, ReadOnly: m.readOnly || v.readOnly || v.kind == workload.Settings,
			Volume: w.id + "/volume/" + evidence.ID(m.volume), OffHost: v.offHost, At: m.at,
		}
		folder := targetOf(w.file.folder())
		switch {
		case v.kind == workload.HostPath:
			mount.HostPath, mount.Name = v.path, v.path
			if m.subPath != "" && !strings.Contains(m.subPath, "$(") {
				mount.HostPath = path.Join(v.path, path.Clean("/"+m.subPath))
			}
			mount.Volume = folder + "//node" + evidence.ID(mount.HostPath)
		case v.kind == workload.Claim:
			mount.Name = v.claim
			mount.Volume = folder + "//" + evidence.ID(w.space()+"/persistentvolumeclaim/"+v.claim)
			mount.OffHost = s.claimOffHost(w, v)
		case v.remote != "":
			mount.Volume = folder + "//remote/" + evidence.ID(v.remote)
		}
		mounts = append(mounts, mount)
	}
	return mounts
}

// reading returns how to read a file of a container.
func (s *scan) reading(w *placed, c *container) func(string) evidence.Value[string] {
	return func(name string) evidence.Value[string] {
		name = path.Clean("/" + name)
		var cover *volumeMount
		var parts []evidence.Value[string]
		for i, m := range c.mounts {
			switch {
			case workload.Within(name, m.path):
				if cover == nil || len(m.path) >= len(cover.path) {
					cover = &c.mounts[i]
				}
			case workload.Within(m.path, name): // one of the files of a folder
				parts = append(parts, s.fileIn(w, m, "."))
			}
		}
		if cover != nil {
			parts = append([]evidence.Value[string]{s.fileIn(w, *cover, strings.TrimPrefix(strings.TrimPrefix(name, cover.path), "/"))}, parts...)
		}
		if len(parts) == 0 {
			return evidence.Moot[string](c.at)
		}
		return join(parts)
	}
}

// join puts the files of a folder together. It is unknown when one of them is.
func join(parts []evidence.Value[string]) evidence.Value[string] {
	var text []string
	at := parts[0].At()
	for _, p := range parts {
		t, known := p.Get()
		if !known {
			return p
		}
		if t != "" {
			text = append(text, t)
			if len(text) == 1 {
				at = p.At()
			}
		}
	}
	return evidence.Known(strings.Join(text, "\n"), at)
}

// fileIn returns what a mount brings at a path below it, which may be a folder. It is known and empty where the mount
// is known to bring nothing there.
func (s *scan) fileIn(w *placed, m volumeMount, below string) evidence.Value[string] {
	v, declared := w.volumes[m.volume]
	if !declared || v.kind != workload.Settings || strings.Contains(m.subPath, "$(") {
		return evidence.Unknown[string](evidence.Elsewhere, m.at)
	}
	name := path.Join(m.subPath, below)
	var parts []evidence.Value[string]
	for _, src := range v.sources {
		if src.configMap == "" {
			return evidence.Unknown[string](evidence.Elsewhere, src.at)
		}
		found, ok := s.configMapOf(w, src.configMap)
		if !ok {
			return evidence.Unknown[string](evidence.Elsewhere, src.at)
		}
		items := src.items
		if items == nil {
			if found.open {
				return evidence.Unknown[string](evidence.Elsewhere, found.at)
			}
			items = make(map[string]string, len(found.data))
			for key := range found.data {
				items[key] = key
			}
		}
		for _, p := range slices.Sorted(maps.Keys(items)) {
			if name == "." || name == "" || workload.Within(p, name) {
				parts = append(parts, s.dataOf(found, items[p], src.at))
			}
		}
	}
	if len(parts) == 0 {
		return evidence.Known("", m.at.WithNote("not in what is mounted"))
	}
	return join(parts)
}

// configMapOf returns the ConfigMap that w means by a name; false when it is not in the tree, or several could be meant.
func (s *scan) configMapOf(w *placed, name string) (*configMap, bool) {
	var found []*configMap
	for _, c := range s.configMaps[name] {
		if w.sees(s, c.meta, c.unit) {
			found = append(found, c)
		}
	}
	var here []*configMap
	for _, c := range found {
		if c.file.folder() == w.file.folder() {
			here = append(here, c)
		}
	}
	if len(here) == 1 {
		return here[0], true
	}
	if len(found) != 1 {
		return nil, false
	}
	return found[0], true
}

// dataOf returns the value of a key of a ConfigMap.
func (s *scan) dataOf(c *configMap, key string, at evidence.Origin) evidence.Value[string] {
	d, ok := c.data[key]
	switch {
	case !ok:
		return evidence.Unknown[string](evidence.Elsewhere, at)
	case d.file == "":
		return d.value
	}
	text, err := s.target.Tree.ReadFile(d.file)
	switch {
	case err != nil:
		return evidence.Unknown[string](evidence.Elsewhere, d.at)
	case len(text) > maxConfig:
		return evidence.Unknown[string](evidence.Unfamiliar, d.at)
	}
	return evidence.Known(string(text), evidence.Origin{File: d.file, Line: 1, Col: 1})
}
