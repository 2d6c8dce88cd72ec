package kubernetes

import (
	"fmt"
	"strings"
	"testing"

	"lookback/evidence"
)

// mounting is a pod that mounts one volume, at line 9, which a test writes.
func mounting(volume string) string {
	return pod + "    volumeMounts:\n    - {name: v, mountPath: /var/log/app/}\n  volumes:\n  - {name: v" + volume + "}\n"
}

func TestMounts(t *testing.T) {
	const inPod = "kubernetes:x//default/pod/web/volume/v"
	for _, c := range []struct{ name, volume, want string }{
		{"emptyDir", ", emptyDir: {}", "emptyDir v " + inPod + " rw nobody looked"},
		{"null emptyDir", ", emptyDir: null", "emptyDir v " + inPod + " rw nobody looked"},
		{"emptyDir in memory", ", emptyDir: {medium: Memory}", "in-memory emptyDir v " + inPod + " rw nobody looked"},
		{"nothing written: the default is an emptyDir", "", "emptyDir v " + inPod + " rw nobody looked"},
		{"git repository", ", gitRepo: {repository: x}", "emptyDir v " + inPod + " rw nobody looked"},
		{"hostPath", ", hostPath: {path: /var/log/../log/app}", "hostPath /var/log/app kubernetes:x//node/var/log/app rw nobody looked"},
		{"claim without its record", ", persistentVolumeClaim: {claimName: logs}", "persistent volume claim logs kubernetes:x//default/persistentvolumeclaim/logs rw unknown, elsewhere at x/w.yaml:11"},
		{"read-only claim", ", persistentVolumeClaim: {claimName: logs, readOnly: true}", "persistent volume claim logs kubernetes:x//default/persistentvolumeclaim/logs ro unknown, elsewhere at x/w.yaml:11"},
		{"generic ephemeral", ", ephemeral: {volumeClaimTemplate: {}}", "ephemeral volume v " + inPod + " rw nobody looked"},
		{"inline CSI", ", csi: {driver: inline.storage.example.com}", "ephemeral volume v " + inPod + " rw nobody looked"},
		{"secrets through CSI", ", csi: {driver: secrets-store.csi.k8s.io}", "configuration v " + inPod + " ro nobody looked"},
		{"NFS", ", nfs: {server: nas, path: /logs}", "remote volume v kubernetes:x//remote/nfs/nas/logs rw true at x/w.yaml:11"},
		{"azureFile", ", azureFile: {shareName: logs, readOnly: true}", "remote volume v kubernetes:x//remote/azureFile/logs ro true at x/w.yaml:11"},
		{"share without a name", ", cephfs: {monitors: [a]}", "remote volume v " + inPod + " rw true at x/w.yaml:11"},
		{"secret", ", secret: {secretName: s}", "configuration v " + inPod + " ro nobody looked"},
		{"downward API", ", downwardAPI: {items: []}", "configuration v " + inPod + " ro nobody looked"},
		{"projected", ", projected: {sources: []}", "configuration v " + inPod + " ro nobody looked"},
		{"image", ", image: {reference: a}", "configuration v " + inPod + " ro nobody looked"},
		{"a kind that we do not know", ", flexVolume: {driver: x}", "volume v " + inPod + " rw unknown, unfamiliar at x/w.yaml:11"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := scanFiles(t, map[string]string{"x/w.yaml": mounting(c.volume)}).container(t, "kubernetes:x//default/pod/web/app").Mounts[0]
			access := "rw"
			if m.ReadOnly {
				access = "ro"
			}
			equal(t, "mount", fmt.Sprint(m.Kind, " ", m.Name, " ", m.Volume, " ", access, " ", say(m.OffHost)), c.want)
			equal(t, "path", m.Path, "/var/log/app")
			equal(t, "line", m.At.Line, 9)
		})
	}
}

func TestMountDetails(t *testing.T) {
	got := scanFiles(t, map[string]string{"w.yaml": pod + `    volumeMounts:
    - {name: host, mountPath: /a, subPath: app}
    - {name: host, mountPath: /b, subPathExpr: $(POD)}
    - {name: host, mountPath: /c, readOnly: true}
    - {name: nobody, mountPath: /d}
    - {name: host}
    - {name: host, mountPath: [/e]}
    - text
  volumes:
  - {name: host, hostPath: {path: /srv}}
  - {hostPath: {path: /nameless}}
`})
	var mounts []string
	for _, m := range got.containers[0].Mounts {
		mounts = append(mounts, fmt.Sprint(m.Path, " ", m.Kind, " ", m.HostPath, " ", m.Volume, " ", m.ReadOnly, " ", say(m.OffHost)))
	}
	sameList(t, "mounts", mounts,
		"/a hostPath /srv/app kubernetes:.//node/srv/app false nobody looked",
		"/b hostPath /srv kubernetes:.//node/srv false nobody looked",
		"/c hostPath /srv kubernetes:.//node/srv true nobody looked",
		"/d volume  kubernetes:.//default/pod/web/volume/nobody false unknown, unresolved at w.yaml:12")
}

func TestClaims(t *testing.T) {
	class := func(name, provisioner string) string {
		return "---\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: " + name + "}\nprovisioner: " + provisioner + "\n"
	}
	claim := func(spec string) string {
		return "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: logs}\nspec: {" + spec + "}\n"
	}
	disk := func(spec string) string {
		return "---\napiVersion: v1\nkind: PersistentVolume\nmetadata: {name: disk}\nspec: {" + spec + "}\n"
	}
	for _, c := range []struct{ name, more, want string }{
		{"class on the node", claim("storageClassName: c") + class("c", "rancher.io/local-path"), "false"},
		{"class far away", claim("storageClassName: c") + class("c", "ebs.csi.aws.com"), "true"},
		{"class of Rook", claim("storageClassName: c") + class("c", "rook-ceph.rbd.csi.ceph.com"), "true"},
		{"class that we do not know", claim("storageClassName: c") + class("c", "example.com/x"), "unknown, elsewhere"},
		{"two classes of one name", claim("storageClassName: c") + class("c", "ebs.csi.aws.com") + class("c", "openebs.io/local"), "unknown, elsewhere"},
		{"class that is not here", claim("storageClassName: gp3"), "unknown, elsewhere"},
		{"the default class", claim(""), "unknown, elsewhere"},
		{"no class", claim("storageClassName: ''"), "unknown, elsewhere"},
		{"null claim", claim("storageClassName: null"), "unknown, elsewhere"},
		{"no provisioner", claim("storageClassName: c") + class("c", "kubernetes.io/no-provisioner"), "false"},
		{"no provisioner, and a share", claim("storageClassName: c") + class("c", "kubernetes.io/no-provisioner") + disk("storageClassName: c, nfs: {server: a, path: /b}"), "true"},
		{"class of volumes alone", claim("storageClassName: manual") + disk("storageClassName: manual, hostPath: {path: /mnt}"), "false"},
		{"named volume on the node", claim("volumeName: disk") + disk("local: {path: /mnt}"), "false"},
		{"named share", claim("volumeName: disk") + disk("nfs: {server: a, path: /b}"), "true"},
		{"named volume of a driver", claim("volumeName: disk") + disk("csi: {driver: efs.csi.aws.com}"), "true"},
		{"named volume that we do not know", claim("volumeName: disk") + disk("capacity: {storage: 1Gi}"), "unknown, unfamiliar"},
		{"named volume that is not here", claim("volumeName: disk"), "unknown, elsewhere"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := scanFiles(t, map[string]string{"w.yaml": mounting(", persistentVolumeClaim: {claimName: logs}") + c.more})
			said, _, _ := strings.Cut(say(got.containers[0].Mounts[0].OffHost), " at ")
			equal(t, "off the host", said, c.want)
		})
	}
}

func TestClaimsOfStatefulSets(t *testing.T) {
	got := scanFiles(t, map[string]string{"w.yaml": `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  template:
    spec:
      containers:
      - {name: c, image: postgres, volumeMounts: [{name: data, mountPath: /data}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {storageClassName: local}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: local}
provisioner: openebs.io/local
`})
	m := got.containers[0].Mounts[0]
	equal(t, "mount", fmt.Sprint(m.Kind, " ", m.Volume, " ", say(m.OffHost)), "persistent volume claim kubernetes:.//shop/persistentvolumeclaim/data-db false at w.yaml:13")
}

func TestFiles(t *testing.T) {
	settings := "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  a.conf: one\n  b.conf: two\n  null.conf: null\nbinaryData: {z.bin: AAAA}\n"
	for _, c := range []struct{ name, mounts, volumes, file, want string }{
		{"whole ConfigMap", "{name: v, mountPath: /etc/app}", "{name: v, configMap: {name: c}}", "/etc/app/a.conf", "one at w.yaml:17"},
		{"its folder", "{name: v, mountPath: /etc/app}", "{name: v, configMap: {name: c, items: [{key: a.conf, path: a}, {key: b.conf, path: b}]}}", "/etc/app", "one\ntwo at w.yaml:17"},
		{"its folder, with one that we cannot read", "{name: v, mountPath: /etc/app}", "{name: v, configMap: {name: c}}", "/etc/app/", "unknown, unfamiliar at w.yaml:20"},
		{"not in it", "{name: v, mountPath: /etc/app}", "{name: v, configMap: {name: c}}", "/etc/app/c.conf", " at w.yaml:9 (not in what is mounted)"},
		{"null value", "{name: v, mountPath: /etc/app}", "{name: v, configMap: {name: c}}", "/etc/app/null.conf", " at w.yaml:19"},
		{"item under another name", "{name: v, mountPath: /etc/app}", "{name: v, configMap: {name: c, items: [{key: b.conf, path: sub/x}]}}", "/etc/app/sub/x", "two at w.yaml:18"},
		{"item that is not there", "{name: v, mountPath: /etc/app}", "{name: v, configMap: {name: c, items: [{key: none, path: x}]}}", "/etc/app/x", "unknown, elsewhere at w.yaml:11"},
		{"sub-path", "{name: v, mountPath: /etc/app/app.conf, subPath: b.conf}", "{name: v, configMap: {name: c}}", "/etc/app/app.conf", "two at w.yaml:18"},
		{"folder of a sub-path", "{name: v, mountPath: /etc/app/app.conf, subPath: b.conf}", "{name: v, configMap: {name: c}}", "/etc/app", "two at w.yaml:18"},
		{"beside a sub-path", "{name: v, mountPath: /etc/app/app.conf, subPath: b.conf}", "{name: v, configMap: {name: c}}", "/etc/app/other.conf", "moot at w.yaml:6"},
		{"projected", "{name: v, mountPath: /etc/app}", "{name: v, projected: {sources: [{configMap: {name: c}}]}}", "/etc/app/a.conf", "one at w.yaml:17"},
		{"projected with a secret", "{name: v, mountPath: /etc/app}", "{name: v, projected: {sources: [{configMap: {name: c}}, {secret: {name: s}}]}}", "/etc/app/a.conf", "unknown, elsewhere at w.yaml:11"},
		{"ConfigMap elsewhere", "{name: v, mountPath: /etc/app}", "{name: v, configMap: {name: d}}", "/etc/app/a.conf", "unknown, elsewhere at w.yaml:11"},
		{"secret", "{name: v, mountPath: /etc/app}", "{name: v, secret: {secretName: c}}", "/etc/app/a.conf", "unknown, elsewhere at w.yaml:11"},
		{"volume", "{name: v, mountPath: /etc/app}", "{name: v, emptyDir: {}}", "/etc/app/a.conf", "unknown, elsewhere at w.yaml:9"},
		{"nothing mounted", "{name: v, mountPath: /etc/application}", "{name: v, configMap: {name: c}}", "/etc/app", "moot at w.yaml:6"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := scanFiles(t, map[string]string{"w.yaml": pod + "    volumeMounts:\n    - " + c.mounts + "\n  volumes:\n  - " + c.volumes + "\n" + settings})
			equal(t, c.file, say(got.container(t, "kubernetes:.//default/pod/web/app").File(c.file)), c.want)
		})
	}
}

func TestWhichConfigMap(t *testing.T) {
	settings := func(meta, value string) string {
		return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c" + meta + "}\ndata: {a: " + value + "}\n"
	}
	w := strings.Replace(mounting(", configMap: {name: c}"), "{name: web}", "{name: web, namespace: shop}", 1)
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"of another folder", map[string]string{"b/c.yaml": settings("", "far")}, "unknown, elsewhere"},
		{"of another namespace", map[string]string{"a/c.yaml": settings(", namespace: blog", "far")}, "unknown, elsewhere"},
		{"of no namespace", map[string]string{"a/c.yaml": settings("", "near")}, "near"},
		{"of the same kustomization", map[string]string{"b/c.yaml": settings("", "far"), "kustomization.yaml": "resources: [a/w.yaml, b/c.yaml]"}, "far"},
		{"of the same chart", map[string]string{"b/c.yaml": settings("", "far"), "Chart.yaml": "apiVersion: v2\nname: x\n"}, "far"},
		{"in the folder, and in another", map[string]string{"a/c.yaml": settings("", "near"), "b/c.yaml": settings("", "far"), "kustomization.yaml": "resources: [a/w.yaml, a/c.yaml, b/c.yaml]"}, "near"},
		{"two that may be meant", map[string]string{"b/c.yaml": settings("", "far"), "d/c.yaml": settings("", "far"), "kustomization.yaml": "resources: [a/w.yaml, d/c.yaml, b/c.yaml]"}, "unknown, elsewhere"},
		{"too large", map[string]string{"a/c.yaml": settings("", strings.Repeat("x", maxConfig))}, "unknown, elsewhere"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.files["a/w.yaml"] = w
			got := scanFiles(t, c.files).container(t, evidence.ID("kubernetes:a//shop/pod/web/app")).File("/var/log/app/a")
			said, _, _ := strings.Cut(say(got), " at ")
			equal(t, "file", said, c.want)
		})
	}
}

func TestGeneratedFileTooLarge(t *testing.T) {
	got := scanFiles(t, map[string]string{
		"w.yaml": mounting(", configMap: {name: c}"), "large.txt": strings.Repeat("x", maxConfig+1),
		"kustomization.yaml": "resources: [w.yaml]\nconfigMapGenerator:\n- {name: c, files: [large.txt]}\n- {name: o, envs: [a.env]}\n",
	})
	equal(t, "file", say(got.containers[0].File("/var/log/app/large.txt")), "unknown, unfamiliar at kustomization.yaml:3")
}

func TestClaimOfAnotherFolder(t *testing.T) {
	claim := "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: logs}\nspec: {storageClassName: c}\n"
	class := "---\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: c}\nprovisioner: ebs.csi.aws.com\n"
	files := map[string]string{"a/w.yaml": mounting(", persistentVolumeClaim: {claimName: logs}"), "b/c.yaml": claim + class}
	equal(t, "of nobody knows whom", say(scanFiles(t, files).containers[0].Mounts[0].OffHost), "unknown, elsewhere at a/w.yaml:11")
	files["kustomization.yaml"] = "resources: [a/w.yaml, b/c.yaml]"
	equal(t, "deployed together", say(scanFiles(t, files).containers[0].Mounts[0].OffHost), "true at b/c.yaml:6")
}
