package kubernetes

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"lookback/evidence"
)

// apiServerPod is a static pod of which the command begins at line 8: a flag given first stands at line 9.
func apiServerPod(flags ...string) string {
	lines := "apiVersion: v1\nkind: Pod\nmetadata: {name: kube-apiserver, namespace: kube-system}\nspec:\n  containers:\n" +
		"  - name: kube-apiserver\n    command:\n    - kube-apiserver\n"
	for _, f := range flags {
		lines += "    - " + f + "\n"
	}
	return lines + "    image: registry.k8s.io/kube-apiserver:v1.36.0\n    env: [{name: POLICY, value: /etc/p.yaml}]\n" +
		"    volumeMounts:\n    - {name: logs, mountPath: /var/log/kubernetes}\n    - {name: scratch, mountPath: /scratch}\n    - {name: memory, mountPath: /memory}\n" +
		"    - {name: claim, mountPath: /claim}\n    - {name: hook, mountPath: /etc/hook}\n" +
		"  volumes:\n  - {name: logs, hostPath: {path: /var/log/kubernetes}}\n  - {name: scratch, emptyDir: {}}\n  - {name: memory, emptyDir: {medium: Memory}}\n" +
		"  - {name: claim, persistentVolumeClaim: {claimName: c}}\n  - {name: hook, configMap: {name: hook}}\n"
}

// auditOf returns the audit log of the only API server, and the store that it writes to, if any.
func auditOf(t *testing.T, got found) (*evidence.LogSource, *evidence.LogStore) {
	t.Helper()
	var source *evidence.LogSource
	var store *evidence.LogStore
	for _, r := range got.records {
		switch r := r.(type) {
		case *evidence.LogSource:
			if source != nil {
				t.Fatalf("got %q and %q, want one source", source.ID, r.ID)
			}
			source = r
		case *evidence.LogStore:
			store = r
		}
	}
	if source == nil {
		t.Fatal("got no source, want one")
	}
	return source, store
}

func TestAPIServerEnabled(t *testing.T) {
	for _, c := range []struct {
		name  string
		flags []string
		want  string
	}{
		{"nothing", nil, "false at m/api.yaml:8 (kube-apiserver default)"},
		{"a log without a policy", []string{"--audit-log-path=/a.log"}, "false at m/api.yaml:8 (kube-apiserver default)"},
		{"a policy without a log", []string{"--audit-policy-file=/p.yaml"}, "false at m/api.yaml:8 (kube-apiserver default)"},
		{"an empty policy", []string{"--audit-policy-file=", "--audit-log-path=/a.log"}, "false at m/api.yaml:9"},
		{"a policy and a log", []string{"--v=2", "--audit-policy-file=/p.yaml", "--audit-log-path=/a.log"}, "true at m/api.yaml:10"},
		{"a policy and a webhook", []string{"--audit-policy-file=/p.yaml", "--audit-webhook-config-file=/w.yaml"}, "true at m/api.yaml:9"},
		{"values of their own", []string{"--audit-policy-file", "/p.yaml", "--audit-log-path", "/a.log"}, "true at m/api.yaml:10"},
		{"underscores", []string{"--audit_policy_file=/p.yaml", "--audit_log_path=/a.log"}, "true at m/api.yaml:9"},
		{"the last one counts", []string{"--audit-policy-file=/p.yaml", "--audit-log-path=/a.log", "--audit-policy-file="}, "false at m/api.yaml:11"},
		{"a variable that is there", []string{"--audit-policy-file=$(POLICY)", "--audit-log-path=/a.log"}, "true at m/api.yaml:9"},
		{"a policy without a value", []string{"--audit-policy-file=$(NOWHERE)", "--audit-log-path=/a.log"}, "unknown, unresolved at m/api.yaml:9"},
		{"a log without a value", []string{"--audit-policy-file=/p.yaml", "--audit-log-path=$(NOWHERE)"}, "unknown, unresolved at m/api.yaml:10"},
		{"a webhook without a value", []string{"--audit-policy-file=/p.yaml", "--audit-webhook-config-file=$(NOWHERE)"}, "unknown, unresolved at m/api.yaml:10"},
		{"flags in a variable", []string{"$(AUDIT_FLAGS)"}, "unknown, unresolved at m/api.yaml:9"},
		{"a policy, and flags in a variable", []string{"--audit-policy-file=/p.yaml", "$(AUDIT_FLAGS)"}, "unknown, unresolved at m/api.yaml:10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := scanFiles(t, map[string]string{"m/api.yaml": apiServerPod(c.flags...)})
			source, _ := auditOf(t, got)
			equal(t, "enabled", say(source.Enabled), c.want)
			equal(t, "ID", source.ID, "kubernetes:m//kube-apiserver/audit#kubernetes-api")
			equal(t, "covers", fmt.Sprint(source.Covers), "[kubernetes:m//kube-apiserver]")
			server := got.asset(t, "kubernetes:m//kube-apiserver")
			equal(t, "server", server.Kind+" "+server.Name, "Kubernetes API server kube-apiserver")
			equal(t, "looked", say(server.Looked[evidence.KubernetesAPI]), "true at m/api.yaml:6")
			equal(t, "in", say(server.In), "kubernetes:m//kube-system/pod/kube-apiserver at m/api.yaml:6")
			equal(t, "the ordinary container", fmt.Sprint(got.ids()), "[kubernetes:m//kube-system/pod/kube-apiserver/kube-apiserver]")
		})
	}
}

func TestWhatRunsAPIServer(t *testing.T) {
	for _, c := range []struct{ name, container, want string }{
		{"by image", "image: registry.k8s.io/kube-apiserver:v1, args: [--audit-policy-file=/p, --audit-log-path=/l]", "true at w.yaml:5"},
		{"by path", "image: mine, command: [/usr/local/bin/kube-apiserver, --audit-policy-file=/p, --audit-log-path=/l]", "true at w.yaml:5"},
		{"in a script", "image: mine, command: [/bin/sh, -c, 'exec /usr/local/bin/kube-apiserver --audit-policy-file=/p --audit-log-path=\"/l\" 1>>/x 2>&1']", "true at w.yaml:5"},
		{"something else", "image: mine, command: [kube-proxy, --audit-policy-file=/p]", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := scanFiles(t, map[string]string{"w.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: w}\nspec: {containers: [\n  {name: c, " + c.container + "}]}\n"})
			if c.want == "" {
				for _, r := range got.records {
					if s, ok := r.(*evidence.LogSource); ok {
						t.Errorf("got the source %q, want none", s.ID)
					}
				}
				return
			}
			source, store := auditOf(t, got)
			equal(t, "enabled", say(source.Enabled), c.want)
			equal(t, "log file", store.Name, "/l")
		})
	}
}

func TestAPIServerStore(t *testing.T) {
	for _, c := range []struct {
		name                    string
		flags                   []string
		on, kept, bytes, memory string
	}{
		{"nothing bounds it", []string{"/var/log/kubernetes/audit.log"}, "[kubernetes:m//node] at m/api.yaml:14", "2147483647 at m/api.yaml:8 (kube-apiserver default)", "moot at m/api.yaml:8 (kube-apiserver default)", "false"},
		{"days", []string{"/a.log", "--audit-log-maxage=30"}, "[kubernetes:m//kube-system/pod/kube-apiserver] at m/api.yaml:10", "30 at m/api.yaml:11", "moot at m/api.yaml:8 (kube-apiserver default)", "false"},
		{"no days", []string{"/a.log", "--audit-log-maxage=0"}, "[kubernetes:m//kube-system/pod/kube-apiserver] at m/api.yaml:10", "2147483647 at m/api.yaml:11", "moot at m/api.yaml:8 (kube-apiserver default)", "false"},
		{"bytes alone", []string{"/scratch/a.log", "--audit-log-maxsize=100", "--audit-log-maxbackup", "10"}, "[kubernetes:m//kube-system/pod/kube-apiserver] at m/api.yaml:18", "0 at m/api.yaml:11", "1048576000 at m/api.yaml:11", "false"},
		{"days and bytes", []string{"/memory/a.log", "--audit-log-maxsize=1", "--audit-log-maxbackup=2", "--audit-log-maxage=7"}, "[kubernetes:m//kube-system/pod/kube-apiserver] at m/api.yaml:19", "7 at m/api.yaml:13", "2097152 at m/api.yaml:11", "true"},
		{"size without a number of backups", []string{"/claim/a.log", "--audit-log-maxsize=1"}, "unknown, elsewhere at m/api.yaml:18", "2147483647 at m/api.yaml:8 (kube-apiserver default)", "moot at m/api.yaml:8 (kube-apiserver default)", "false"},
		{"a variable for days", []string{"/a.log", "--audit-log-maxage=$(DAYS)"}, "[kubernetes:m//kube-system/pod/kube-apiserver] at m/api.yaml:10", "unknown, unresolved at m/api.yaml:11", "moot at m/api.yaml:8 (kube-apiserver default)", "false"},
		{"a variable for bytes", []string{"/a.log", "--audit-log-maxsize=$(MB)", "--audit-log-maxbackup=3"}, "[kubernetes:m//kube-system/pod/kube-apiserver] at m/api.yaml:10", "unknown, unresolved at m/api.yaml:11", "unknown, unresolved at m/api.yaml:11", "false"},
		{"a variable for backups", []string{"/a.log", "--audit-log-maxsize=3", "--audit-log-maxbackup=$(N)"}, "[kubernetes:m//kube-system/pod/kube-apiserver] at m/api.yaml:10", "unknown, unresolved at m/api.yaml:12", "unknown, unresolved at m/api.yaml:12", "false"},
		{"no number", []string{"/a.log", "--audit-log-maxage=month"}, "[kubernetes:m//kube-system/pod/kube-apiserver] at m/api.yaml:10", "unknown, failed at m/api.yaml:11", "moot at m/api.yaml:8 (kube-apiserver default)", "false"},
		{"more than fits", []string{"/a.log", "--audit-log-maxage=9000000000000", "--audit-log-maxsize=9000000000000000000", "--audit-log-maxbackup=9000000000000000000"}, "[kubernetes:m//kube-system/pod/kube-apiserver] at m/api.yaml:10", "2147483647 at m/api.yaml:11", "1152921504606846976 at m/api.yaml:12", "false"},
	} {
		t.Run(c.name, func(t *testing.T) {
			flags := append([]string{"--audit-policy-file=/p.yaml", "--audit-log-path=" + c.flags[0]}, c.flags[1:]...)
			source, store := auditOf(t, scanFiles(t, map[string]string{"m/api.yaml": apiServerPod(flags...)}))
			equal(t, "on", say(store.On), c.on)
			equal(t, "kept", say(store.Kept), c.kept)
			equal(t, "bytes", say(store.Bytes), c.bytes)
			memory, _ := store.Memory.Get()
			equal(t, "memory", fmt.Sprint(memory), c.memory)
			equal(t, "store", string(store.ID)+" "+store.Kind, "kubernetes:m//kube-apiserver/audit-log audit log file")
			equal(t, "delivery", fmt.Sprint(len(source.To), " ", source.To[0].To), "1 kubernetes:m//kube-apiserver/audit-log")
			equal(t, "complete", say(source.Complete), "true at m/api.yaml:6")
		})
	}
}

func TestAPIServerDeliveries(t *testing.T) {
	hook := "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: hook, namespace: kube-system}\ndata:\n  a.yaml: |\n    clusters: [{name: x, cluster: {server: 'https://siem.example.com:8443/k8s'}}]\n  b.yaml: '{'\n"
	for _, c := range []struct {
		name     string
		flags    []string
		want     []string
		complete string
	}{
		{"log", []string{"--audit-log-path=/a.log"}, []string{"kubernetes:m//kube-apiserver/audit-log true at m/api.yaml:8 (kube-apiserver default)"}, "true at m/api.yaml:6"},
		{"log in batches", []string{"--audit-log-path=/a.log", "--audit-log-mode=batch"}, []string{"kubernetes:m//kube-apiserver/audit-log false at m/api.yaml:11"}, "true at m/api.yaml:6"},
		{"log, strictly", []string{"--audit-log-path=/a.log", "--audit-log-mode=blocking-strict"}, []string{"kubernetes:m//kube-apiserver/audit-log true at m/api.yaml:11"}, "true at m/api.yaml:6"},
		{"log in a mode that we do not know", []string{"--audit-log-path=/a.log", "--audit-log-mode=fast"}, []string{"kubernetes:m//kube-apiserver/audit-log unknown, failed at m/api.yaml:11"}, "true at m/api.yaml:6"},
		{"log in a mode without a value", []string{"--audit-log-path=/a.log", "--audit-log-mode=$(MODE)"}, []string{"kubernetes:m//kube-apiserver/audit-log unknown, unresolved at m/api.yaml:11"}, "true at m/api.yaml:6"},
		{"standard output", []string{"--audit-log-path=-"}, nil, "unknown, elsewhere at m/api.yaml:10 (written to standard output)"},
		{"a log without a value", []string{"--audit-log-path=$(X)"}, nil, "unknown, unresolved at m/api.yaml:10"},
		{"webhook", []string{"--audit-webhook-config-file=/etc/hook/a.yaml"}, []string{"webhook:siem.example.com:8443//audit-webhook false at m/api.yaml:8 (kube-apiserver default)"}, "true at m/api.yaml:6"},
		{"webhook that holds requests back", []string{"--audit-webhook-config-file=/etc/hook/a.yaml", "--audit-webhook-mode=blocking"}, []string{"webhook:siem.example.com:8443//audit-webhook true at m/api.yaml:11"}, "true at m/api.yaml:6"},
		{"webhook of a broken file", []string{"--audit-webhook-config-file=/etc/hook/b.yaml"}, []string{"webhook:unknown//audit-webhook false at m/api.yaml:8 (kube-apiserver default)"}, "true at m/api.yaml:6"},
		{"webhook of a file elsewhere", []string{"--audit-webhook-config-file=/etc/kubernetes/hook.yaml"}, []string{"webhook:unknown//audit-webhook false at m/api.yaml:8 (kube-apiserver default)"}, "true at m/api.yaml:6"},
		{"a webhook without a value", []string{"--audit-webhook-config-file=$(X)"}, nil, "unknown, unresolved at m/api.yaml:10"},
		{"both", []string{"--audit-log-path=/a.log", "--audit-webhook-config-file=/x"}, []string{
			"kubernetes:m//kube-apiserver/audit-log true at m/api.yaml:8 (kube-apiserver default)",
			"webhook:unknown//audit-webhook false at m/api.yaml:8 (kube-apiserver default)",
		}, "true at m/api.yaml:6"},
	} {
		t.Run(c.name, func(t *testing.T) {
			source, _ := auditOf(t, scanFiles(t, map[string]string{"m/api.yaml": apiServerPod(append([]string{"--audit-policy-file=/p.yaml"}, c.flags...)...) + hook}))
			var to []string
			for _, d := range source.To {
				to = append(to, fmt.Sprint(d.To, " ", say(d.Lossless)))
			}
			sameList(t, "deliveries", to, c.want...)
			equal(t, "complete", say(source.Complete), c.complete)
		})
	}
}

func TestAPIServerBesideShipper(t *testing.T) {
	shipper := strings.Replace(strings.Replace(pod, "web", "ship", 1), "nginx:1.27", "fluent/fluent-bit:3.1", 1)
	api := apiServerPod("--audit-policy-file=/p.yaml", "--audit-log-path=/a.log")
	for folder, want := range map[string]string{"m": "unknown, elsewhere at m/api.yaml:6 (a log shipper runs beside it)", "n": "true at m/api.yaml:6"} {
		source, store := auditOf(t, scanFiles(t, map[string]string{"m/api.yaml": api, folder + "/ship.yaml": shipper}))
		equal(t, "source", say(source.Complete), want)
		_, known := store.Complete.Get()
		equal(t, "store", known, folder == "n")
	}
}

func TestAuditPolicies(t *testing.T) {
	all, none := "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n", "# off\n---\napiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None}]\n"
	api := apiServerPod("--audit-policy-file=/etc/kubernetes/audit.yaml", "--audit-log-path=/a.log")
	for _, c := range []struct {
		name  string
		files map[string]string
		id    evidence.ID
		want  string
	}{
		{"none", map[string]string{"m/api.yaml": api}, "kubernetes:m//kube-apiserver/audit#kubernetes-api", "unknown, elsewhere at m/api.yaml:9"},
		{"one", map[string]string{"m/api.yaml": api, "p/any.yaml": all}, "kubernetes:m//kube-apiserver/audit#kubernetes-api", "all at p/any.yaml:3"},
		{"several, one of that name", map[string]string{"m/api.yaml": api, "p/any.yaml": all, "p/audit.yaml": none}, "kubernetes:m//kube-apiserver/audit#kubernetes-api", "none at p/audit.yaml:5"},
		{"several, two of that name", map[string]string{"m/api.yaml": api, "q/audit.yaml": all, "p/audit.yaml": none}, "kubernetes:m//kube-apiserver/audit#kubernetes-api", "unknown, elsewhere at m/api.yaml:9"},
		{"one, and an API server that names none", map[string]string{"m/api.yaml": apiServerPod(), "p/any.yaml": all}, "kubernetes:m//kube-apiserver/audit#kubernetes-api", "unknown, elsewhere at m/api.yaml:8 (kube-apiserver default)"},
		{"one alone", map[string]string{"p/any.yaml": all}, "kubernetes:p//audit-policy/any.yaml#kubernetes-api", "all at p/any.yaml:3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			source, _ := auditOf(t, scanFiles(t, c.files))
			equal(t, "ID", source.ID, c.id)
			exec := source.Parts[evidence.PartExec]
			extent, known := exec.Get()
			said := say(exec)
			if known {
				said = fmt.Sprintf("%s at %s:%d", extent.Grade, exec.At().File, exec.At().Line)
			}
			equal(t, "commands in containers", said, c.want)
			equal(t, "alone", source.Enabled.IsMoot(), len(c.files) == 1 && strings.Contains(string(c.id), "policy"))
		})
	}
}

func TestSeveralAPIServersAndPolicies(t *testing.T) {
	got := scanFiles(t, map[string]string{
		"a.yaml": apiServerPod("--audit-policy-file=/p.yaml") + "---\n" + strings.Replace(apiServerPod(), "name: kube-apiserver,", "name: other,", 1),
	})
	var ids []string
	for _, r := range got.records {
		if s, ok := r.(*evidence.LogSource); ok {
			ids = append(ids, string(s.ID))
		}
	}
	sameList(t, "sources", ids, "kubernetes:.//kube-apiserver/audit#kubernetes-api", "kubernetes:.//kube-apiserver:2/audit#kubernetes-api")

	policy := "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n"
	got = scanFiles(t, map[string]string{"p.yaml": policy + "---\n" + policy})
	ids = nil
	for _, r := range got.records {
		ids = append(ids, string(r.Self().ID))
	}
	slices.Sort(ids)
	sameList(t, "policies", ids, "kubernetes:.//audit-policy/p.yaml", "kubernetes:.//audit-policy/p.yaml#kubernetes-api",
		"kubernetes:.//audit-policy/p.yaml:2", "kubernetes:.//audit-policy/p.yaml:2#kubernetes-api")
}
