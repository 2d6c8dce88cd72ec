package kubelet_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"lookback/evidence"
	"lookback/scanners/host/hosttest"
	"lookback/scanners/host/kubelet"
)

// What kubeadm writes on a node, shortened: its drop-in of kubelet.service, its flags and its configuration.
const (
	dropIn = `[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`
	service    = "[Service]\nExecStart=/usr/bin/kubelet\n[Install]\nWantedBy=multi-user.target\n"
	kubeadmEnv = `KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix:///run/containerd/containerd.sock --pod-infra-container-image=registry.k8s.io/pause:3.9"` + "\n"
	config     = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: systemd
imageMinimumGCAge: 0s
staticPodPath: /etc/kubernetes/manifests
`
)

func node(more map[string]string) map[string]string {
	files := map[string]string{
		"usr/lib/systemd/system/kubelet.service":                   service,
		"usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf": dropIn,
		"var/lib/kubelet/kubeadm-flags.env":                        kubeadmEnv,
		"var/lib/kubelet/config.yaml":                              config,
	}
	maps.Copy(files, more)
	return files
}

// apiServer is the manifest that kubeadm writes for a kube-apiserver, shortened, with more flags and mounts.
func apiServer(flags ...string) string {
	var more strings.Builder
	for _, f := range flags {
		more.WriteString("    - " + f + "\n")
	}
	return `apiVersion: v1
kind: Pod
metadata:
  labels: {component: kube-apiserver, tier: control-plane}
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - command:
    - kube-apiserver
    - --advertise-address=192.0.2.10
` + more.String() + `    image: registry.k8s.io/kube-apiserver:v1.34.1
    name: kube-apiserver
    volumeMounts:
    - {mountPath: /etc/kubernetes/pki, name: k8s-certs, readOnly: true}
    - {mountPath: /etc/kubernetes/audit-policy.yaml, name: policy, readOnly: true}
    - {mountPath: /var/log/kubernetes/audit, name: audit}
  hostNetwork: true
  volumes:
  - {hostPath: {path: /etc/kubernetes/pki, type: DirectoryOrCreate}, name: k8s-certs}
  - {hostPath: {path: /etc/kubernetes/policies/strict.yaml, type: File}, name: policy}
  - {hostPath: {path: /var/log/kube-audit, type: DirectoryOrCreate}, name: audit}
`
}

func want(t *testing.T, set *evidence.Set, words ...string) {
	t.Helper()
	got := hosttest.Judge(set)
	for _, w := range words {
		if !slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, w) }) {
			t.Errorf("no verdict says %q in:\n%s", w, strings.Join(got, "\n"))
		}
	}
}

func day(v evidence.Value[time.Time]) string {
	if t, known := v.Get(); known {
		return t.UTC().Format(time.DateOnly)
	}
	return v.Why().String()
}

func TestAHostWithoutAKubeletHasNoPods(t *testing.T) {
	set := hosttest.Scan(t, map[string]string{"etc/hostname": ""}, kubelet.Read)
	if len(set.Records) != 1 || len(set.Gaps) != 0 {
		t.Errorf("got\n%s", hosttest.Dump(set))
	}
}

func TestLogsOfPodsAreBoundByBytes(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		bytes int64 // 0 where it is not known
		at    string
		why   evidence.Reason
	}{
		"by default":    {node(nil), 50 << 20, "var/lib/kubelet/config.yaml:0 kubelet default", ""},
		"written":       {node(map[string]string{"var/lib/kubelet/config.yaml": config + "containerLogMaxSize: 100Mi\ncontainerLogMaxFiles: 3\n"}), 300 << 20, "var/lib/kubelet/config.yaml:6 ", ""},
		"by flags":      {node(map[string]string{"etc/default/kubelet": "KUBELET_EXTRA_ARGS=--container-log-max-size=1Gi --container-log-max-files=2\n"}), 2 << 30, "usr/lib/systemd/system/kubelet.service:0 ", ""},
		"without units": {map[string]string{"var/lib/kubelet/config.yaml": config}, 50 << 20, "var/lib/kubelet/config.yaml:0 kubelet default", ""},
		"nonsense":      {node(map[string]string{"var/lib/kubelet/config.yaml": "containerLogMaxSize: lots\n"}), 0, "var/lib/kubelet/config.yaml:1 not a number that we read", evidence.Unfamiliar},
		"broken":        {node(map[string]string{"var/lib/kubelet/config.yaml": "containerLogMaxSize: [\n"}), 0, "var/lib/kubelet/config.yaml:0 ", evidence.Failed},
		"unreadable":    {node(map[string]string{"var/lib/kubelet/config.yaml": "-> config.yaml"}), 0, "var/lib/kubelet/config.yaml:0 ", evidence.Failed},
		"k3s":           {map[string]string{"var/log/pods/default_web_1/web/0.log": ""}, 0, "var/log/pods:0 the settings of the kubelet were not found", evidence.Elsewhere},
	} {
		t.Run(name, func(t *testing.T) {
			set := hosttest.Scan(t, c.files, kubelet.Read)
			store := hosttest.Record[*evidence.LogStore](t, set, "host:web-1//pods/stdout")
			n, known := store.Bytes.Get()
			at := store.Bytes.At()
			if n != c.bytes || known != (c.why == "") || store.Bytes.Why() != c.why || fmt.Sprintf("%s:%d %s", at.File, at.Line, at.Note) != c.at {
				t.Errorf("got %v", store.Bytes)
			}
			if gap := c.why == evidence.Failed; gap != (len(set.Gaps) > 0) {
				t.Errorf("got\n%s", hosttest.Dump(set))
			}
			want(t, set, "not-assessed shipped-off-asset host:web-1//pods/stdout#application")
		})
	}
}

func TestLongLinesOfPodsArrive(t *testing.T) {
	set := hosttest.Scan(t, node(nil), kubelet.Read)
	if whole, known := hosttest.Record[*evidence.LogSource](t, set, "host:web-1//pods/stdout#application").To[0].Whole.Get(); !whole || !known {
		t.Error("containerd splits long lines, and keeps all of them")
	}
}

func TestLogsOfPodsReachBackToWhereNothingIsMissing(t *testing.T) {
	line := func(day string) string { return "2026-" + day + "T10:00:00.123456789Z stdout F GET /\n" }
	for name, c := range map[string]struct {
		files          map[string]string
		oldest, newest string
		dropped        bool
	}{
		"nothing":          {map[string]string{"var/log/pods/": ""}, "elsewhere", "elsewhere", false},
		"nothing was lost": {map[string]string{"var/log/pods/a_b_1/c/0.log": line("05-03"), "var/log/pods/a_d_2/c/0.log": line("05-01") + line("05-09")}, "2026-05-01", "2026-05-09", false},
		"an earlier run":   {map[string]string{"var/log/pods/a_b_1/c/2.log": line("05-03"), "var/log/pods/a_b_1/c/3.log": line("05-04"), "var/log/pods/a_d_2/c/0.log": line("05-01")}, "2026-05-03", "2026-05-04", true},
		"two that lost":    {map[string]string{"var/log/pods/a_b_1/c/2.log": line("05-03"), "var/log/pods/a_d_2/c/1.log": line("05-06"), "var/log/pods/a_e_3/c/0.log": line("05-01")}, "2026-05-06", "2026-05-06", true},
		"rotated":          {map[string]string{"var/log/pods/a_b_1/c/0.log": line("05-08"), "var/log/pods/a_b_1/c/0.log.20260507-100000": line("05-06")}, "2026-05-06", "2026-05-08", false},
		"rotated to the end": {map[string]string{
			"var/log/pods/a_b_1/c/0.log": line("05-08"), "var/log/pods/a_b_1/c/0.log.20260507-100000": line("05-06"), "var/log/pods/a_b_1/c/0.log.20260506-100000": line("05-05"),
			"var/log/pods/a_b_1/c/0.log.20260505-100000": line("05-04"), "var/log/pods/a_b_1/c/0.log.20260504-100000": line("05-03"), "var/log/pods/a_d_2/c/0.log": line("05-01"),
			"var/log/pods/a_b_1/c/0.log.20260503-100000.tmp": line("01-01"), "var/log/pods/a_b_1/c/x.log": line("01-01"), "var/log/pods/a_b_1/file": "",
		}, "2026-05-03", "2026-05-08", true},
	} {
		t.Run(name, func(t *testing.T) {
			store := hosttest.Record[*evidence.LogStore](t, hosttest.Scan(t, node(c.files), kubelet.Read), "host:web-1//pods/stdout")
			if dropped, _ := store.Dropped.Get(); day(store.Oldest) != c.oldest || day(store.Newest) != c.newest || dropped != c.dropped {
				t.Errorf("it reaches from %s to %s, dropped %v", day(store.Oldest), day(store.Newest), dropped)
			}
		})
	}
	set := hosttest.Scan(t, node(map[string]string{"var/log/pods/a_b_1/c/0.log": "-> /var/lib/docker/containers/1/1-json.log"}), kubelet.Read)
	if store := hosttest.Record[*evidence.LogStore](t, set, "host:web-1//pods/stdout"); !strings.HasPrefix(store.Bytes.At().Note, "Docker keeps") {
		t.Errorf("Docker's own limits count, got %v", store.Bytes)
	}
}

func TestThePodsOfAControlPlaneAreThoseOfTheHost(t *testing.T) {
	set := hosttest.Scan(t, node(map[string]string{
		"etc/kubernetes/manifests/kube-apiserver.yaml":                                 apiServer(),
		"etc/kubernetes/manifests/.kube-apiserver.yaml.swp":                            "{",
		"var/log/pods/kube-system_kube-apiserver-cp1_0ab/kube-apiserver/0.log":         "2026-05-03T10:00:00.1Z stderr F x\n",
		"var/log/pods/kube-system_kube-apiserver-proxy-cp1_0ac/kube-apiserver-x/0.log": "2026-05-01T10:00:00.1Z stderr F x\n",
	}), kubelet.Read)
	const server = "host:web-1//pods/kube-system/pod/kube-apiserver"
	if in, _ := hosttest.Record[*evidence.Asset](t, set, server).In.Get(); in != "host:web-1//host" {
		t.Errorf("it lies in %q", in)
	}
	store := hosttest.Record[*evidence.LogStore](t, set, server+"/kube-apiserver/stdout")
	if day(store.Oldest) != "2026-05-03" {
		t.Errorf("its output reaches back to %s", day(store.Oldest))
	}
	want(t, set, "fail recorded-kubernetes-audit host:web-1//kube-apiserver: ")
	for _, r := range set.Records {
		if strings.HasPrefix(string(r.Self().ID), "kubernetes:") {
			t.Errorf("%s is no ID of a host", r.Self().ID)
		}
	}
	if len(set.Gaps) != 0 {
		t.Errorf("got\n%s", hosttest.Dump(set))
	}
}

func TestTheAuditLogOfAControlPlaneIsMeasured(t *testing.T) {
	event := func(day string) string {
		return `{"kind":"Event","level":"Metadata","auditID":"x","requestReceivedTimestamp":"2026-` + day + `T10:00:00.000001Z","stageTimestamp":"2026-` + day + `T10:00:01.000001Z"}` + "\n"
	}
	set := hosttest.Scan(t, node(map[string]string{
		"etc/kubernetes/manifests/kube-apiserver.yaml": apiServer("--audit-policy-file=/etc/kubernetes/audit-policy.yaml",
			"--audit-log-path=/var/log/kubernetes/audit/audit.log", "--audit-log-maxage=30"),
		"etc/kubernetes/policies/strict.yaml":                      "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n",
		"var/log/kube-audit/audit.log":                             event("05-30") + event("05-31"),
		"var/log/kube-audit/audit-2026-05-20T10-00-00.000.log":     event("05-11") + event("05-20"),
		"var/log/kube-audit/audit-2026-05-10T10-00-00.000.log":     event("05-02") + event("05-10"),
		"var/log/kube-audit/audit-2026-05-10T10-00-00.000.log.bak": event("01-01"),
	}), kubelet.Read)
	store := hosttest.Record[*evidence.LogStore](t, set, "host:web-1//var/log/kube-audit/audit.log")
	if got := day(store.Oldest) + " " + day(store.Newest); got != "2026-05-02 2026-05-31" {
		t.Errorf("it reaches from %s", got)
	}
	if kept, _ := store.Kept.Get(); kept != 30 {
		t.Errorf("it keeps %d days", kept)
	}
	if on, _ := store.On.Get(); !slices.Equal(on, []evidence.ID{"host:web-1//host"}) {
		t.Errorf("it rests on %q", on)
	}
	want(t, set, "pass recorded-kubernetes-audit host:web-1//kube-apiserver: ",
		"pass recorded-kubernetes-audit-complete host:web-1//kube-apiserver: ",
		"fail retained-long-enough host:web-1//var/log/kube-audit/audit.log: ",
		"fail shipped-off-host host:web-1//kube-apiserver/audit#kubernetes-api: ")
	if len(set.Gaps) != 0 {
		t.Errorf("got\n%s", hosttest.Dump(set))
	}
}

func TestAStaticPodThatCannotBeReadIsNotAssessed(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"broken":     {"etc/kubernetes/manifests/kube-apiserver.yaml": "apiVersion: v1\nkind: Pod\nspec: [\n"},
		"unreadable": {"etc/kubernetes/manifests/kube-apiserver.yaml": "-> kube-apiserver.yaml"},
		"a file":     {"etc/kubernetes/manifests": ""},
	} {
		t.Run(name, func(t *testing.T) {
			set := hosttest.Scan(t, node(files), kubelet.Read)
			if len(set.Gaps) == 0 {
				t.Errorf("got\n%s", hosttest.Dump(set))
			}
			want(t, set, "not-assessed recorded-kubernetes-audit host:web-1//host: ")
			for _, line := range hosttest.Judge(set) {
				if strings.Contains(line, "recorded-kubernetes-audit") && !strings.HasPrefix(line, "not-assessed") {
					t.Error(line)
				}
			}
		})
	}
	set := hosttest.Scan(t, map[string]string{"etc/rancher/k3s/config.yaml": ""}, kubelet.Read)
	if len(set.Gaps) != 1 {
		t.Errorf("got\n%s", hosttest.Dump(set))
	}
}

func TestTwoAPIServersAreToldApart(t *testing.T) {
	set := hosttest.Scan(t, node(map[string]string{
		"etc/kubernetes/manifests/a.yaml": apiServer("--audit-policy-file=/etc/kubernetes/audit-policy.yaml", "--audit-log-path=/var/log/kubernetes/audit/audit.log"),
		"etc/kubernetes/manifests/b.yaml": strings.Replace(apiServer(), "name: kube-apiserver\n  namespace", "name: kube-apiserver-b\n  namespace", 1),
	}), kubelet.Read)
	hosttest.Record[*evidence.Asset](t, set, "host:web-1//kube-apiserver")
	hosttest.Record[*evidence.Asset](t, set, "host:web-1//kube-apiserver:2")
}

func TestWhatIsNoStaticPodIsPassedOver(t *testing.T) {
	set := hosttest.Scan(t, node(map[string]string{
		"etc/kubernetes/manifests/kustomization.yaml": "resources: [pod.yaml]\nconfigMapGenerator: [{name: conf, files: [nginx.conf=/etc/shadow]}]\n",
		"etc/kubernetes/manifests/pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{name: web, image: \"traefik:3\", volumeMounts: [{name: c, mountPath: /etc/traefik}]}]\n" +
			"  volumes: [{name: c, configMap: {name: conf}}]\n",
		"etc/kubernetes/manifests/README":  "put static pods here",
		"etc/kubernetes/manifests/old/x":   "",
		"etc/kubernetes/manifests/x.yaml":  "-> ../../shadow",
		"etc/shadow":                       "root:$6$secret:1::::::\n",
		"etc/kubernetes/manifests/nothing": "",
	}), kubelet.Read)
	hosttest.Record[*evidence.Asset](t, set, "host:web-1//pods/default/pod/web/web")
	for _, r := range set.Records {
		if strings.Contains(fmt.Sprintf("%+v", r), "secret:1") {
			t.Errorf("%s holds what is in /etc/shadow", r.Self().ID)
		}
	}
}
