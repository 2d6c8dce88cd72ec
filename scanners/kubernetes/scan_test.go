package kubernetes

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/tree"
	"lookback/scanners/workload"
)

// scanFiles scans a tree with these files.
func scanFiles(t testing.TB, files map[string]string) found {
	t.Helper()
	return scanDeclared(t, files, scanners.Declared{})
}

func scanDeclared(t testing.TB, files map[string]string, d scanners.Declared) found {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return scanDir(t, dir, d)
}

func scanDir(t testing.TB, dir string, d scanners.Declared) found {
	t.Helper()
	tr, err := tree.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	var s Scanner
	kept, _, err := tree.Collect(context.Background(), tr, tree.Options{Names: s.Names()}, s.Offer)
	if err != nil {
		t.Fatal(err)
	}
	got, err := newScan(scanners.Target{Tree: tr, Declared: d}, keptFiles(kept)).run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// container returns the container with the ID, and fails the test where there is none.
func (f found) container(t testing.TB, id evidence.ID) *workload.Container {
	t.Helper()
	var ids []evidence.ID
	for _, c := range f.containers {
		if c.Asset.ID == id {
			return c
		}
		ids = append(ids, c.Asset.ID)
	}
	t.Fatalf("got containers %q, want %q among them", ids, id)
	return nil
}

// say writes a fact as a sentence, with its place.
func say[T any](v evidence.Value[T]) string {
	at := ""
	if o := v.At(); o.Line > 0 {
		at = fmt.Sprintf(" at %s:%d", o.File, o.Line)
	} else if o.File != "" {
		at = " at " + o.File
	}
	if note := v.At().Note; note != "" {
		at += " (" + note + ")"
	}
	value, known := v.Get()
	switch {
	case v.IsZero():
		return "nobody looked"
	case v.IsMoot():
		return "moot" + at
	case !known:
		return "unknown, " + v.Why().String() + at
	}
	return fmt.Sprint(value) + at
}

// ids lists the containers, in order.
func (f found) ids() []string {
	var ids []string
	for _, c := range f.containers {
		ids = append(ids, string(c.Asset.ID))
	}
	return ids
}

// asset returns the asset with the ID, and fails the test where there is none.
func (f found) asset(t testing.TB, id evidence.ID) *evidence.Asset {
	t.Helper()
	for _, r := range f.records {
		if a, ok := r.(*evidence.Asset); ok && a.ID == id {
			return a
		}
	}
	t.Fatalf("got no asset %q", id)
	return nil
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func sameList(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// pod is a pod with one container, to which a test adds lines of a pod's spec, indented by two.
const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: app\n    image: nginx:1.27\n"

func TestKinds(t *testing.T) {
	template := "template: {metadata: {labels: {app: x}}, spec: {containers: [{name: c, image: nginx}]}}"
	for _, c := range []struct{ name, yaml, want string }{
		{"pod", "apiVersion: v1\nkind: Pod\nmetadata: {name: w}\nspec: {containers: [{name: c, image: nginx}]}", "default/pod/w/c"},
		{"deployment", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: w, namespace: shop}\nspec: {" + template + "}", "shop/deployment/w/c"},
		{"deployment of an old version", "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: w}\nspec: {" + template + "}", "default/deployment/w/c"},
		{"stateful set", "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: w}\nspec: {" + template + "}", "default/statefulset/w/c"},
		{"daemon set", "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: w}\nspec: {" + template + "}", "default/daemonset/w/c"},
		{"replica set", "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: w}\nspec: {" + template + "}", "default/replicaset/w/c"},
		{"replication controller", "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: w}\nspec: {" + template + "}", "default/replicationcontroller/w/c"},
		{"job", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: w}\nspec: {" + template + "}", "default/job/w/c"},
		{"cron job", "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: w}\nspec: {jobTemplate: {spec: {" + template + "}}}", "default/cronjob/w/c"},
		{"pod template", "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: w}\n" + template, "default/podtemplate/w/c"},
		{"deployment config", "apiVersion: apps.openshift.io/v1\nkind: DeploymentConfig\nmetadata: {name: w}\nspec: {" + template + "}", "default/deploymentconfig/w/c"},
		{"generated name", "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: w-}\nspec: {" + template + "}", "default/job/w/c"},
		{"no name", "apiVersion: batch/v1\nkind: Job\nspec: {" + template + "}", "default/job/unnamed/c"},
		{"null name", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: null}\nspec: {" + template + "}", "default/job/unnamed/c"},
		{"number as a name", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: 42}\nspec: {" + template + "}", "default/job/42/c"},
		{"quoted keys and values", "\"apiVersion\": \"apps/v1\"\n'kind': 'Deployment'\nmetadata: {name: w}\nspec: {" + template + "}", "default/deployment/w/c"},
		{"comments, spaces and carriage returns", "kind : Pod # a pod\r\napiVersion:  v1\r\nmetadata:\r\n  name: w\r\nspec: {containers: [{name: c, image: nginx}]}\r\n", "default/pod/w/c"},
		{"flow style", "{apiVersion: v1, kind: Pod, metadata: {name: w}, spec: {containers: [{name: c, image: nginx}]}}", "default/pod/w/c"},
		{"indented as a whole", "  apiVersion: v1\n  kind: Pod\n  metadata: {name: w}\n  spec: {containers: [{name: c, image: nginx}]}\n", "default/pod/w/c"},
		{"tagged kind", "apiVersion: v1\nkind: !!str Pod\nmetadata: {name: w}\nspec: {containers: [{name: c, image: nginx}]}", "default/pod/w/c"},
		{"byte order mark", "\ufeffapiVersion: v1\nkind: Pod\nmetadata: {name: w}\nspec: {containers: [{name: c, image: nginx}]}", "default/pod/w/c"},
		{"content on the marker's line", "--- {apiVersion: v1, kind: Pod, metadata: {name: w}, spec: {containers: [{name: c, image: nginx}]}}", "default/pod/w/c"},
		{"merge key", "apiVersion: v1\nkind: Pod\nmetadata: {name: w}\nspec:\n  <<: {containers: [{name: c, image: nginx}]}", "default/pod/w/c"},
		{"alias", "apiVersion: v1\nkind: Pod\nmetadata: {name: w, annotations: {a: &i nginx}}\nspec: {containers: [{name: c, image: *i}]}", "default/pod/w/c"},
		{"container without a name", "apiVersion: v1\nkind: Pod\nmetadata: {name: w}\nspec: {containers: [{image: nginx}]}", "default/pod/w/container-1"},
		{"two containers of one name", "apiVersion: v1\nkind: Pod\nmetadata: {name: w}\nspec: {containers: [{name: c, image: nginx}, {name: c, image: nginx}]}", "default/pod/w/c,default/pod/w/c-2"},
		{"list", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: w}\n  spec: {containers: [{name: c, image: nginx}]}\n- {apiVersion: v1, kind: Namespace}", "default/pod/w/c"},
		{"list of one kind", "apiVersion: apps/v1\nkind: DeploymentList\nitems:\n- metadata: {name: w}\n  spec: {" + template + "}", "default/deployment/w/c"},
		{"the last of two keys counts", "apiVersion: v1\nkind: Pod\nmetadata: {name: w}\nspec: {containers: [{name: c, image: busybox, name: d, image: nginx}]}", "default/pod/w/d"},
		{"same kind of another group", "apiVersion: serving.knative.dev/v1\nkind: Deployment\nmetadata: {name: w}\nspec: {" + template + "}", ""},
		{"no containers", "apiVersion: v1\nkind: Pod\nmetadata: {name: w}\nspec: {containers: null}", ""},
		{"a part: no image", "apiVersion: v1\nkind: Pod\nmetadata: {name: w}\nspec: {containers: [{name: c}, {name: d, image: nginx}]}", ""},
		{"no kind", "apiVersion: v1\nmetadata: {name: w}", ""},
		{"no version", "kind: Pod\nspec: {containers: [{name: c, image: nginx}]}", ""},
		{"kind further in", "a:\n  kind: Pod\n  apiVersion: v1", ""},
		{"nothing", "", ""},
		{"comments only", "# kind: Pod\n# apiVersion: v1\n", ""},
		{"containers are no list", "apiVersion: v1\nkind: Pod\nmetadata: {name: w}\nspec: {containers: {name: c}}", ""},
		{"containers are no mappings", "apiVersion: v1\nkind: Pod\nmetadata: {name: w}\nspec: {containers: [nginx, 3, null, [a]]}", ""},
		{"null where a mapping is expected", "apiVersion: v1\nkind: Pod\nmetadata: null\nspec: null", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := scanFiles(t, map[string]string{"apps/w.yaml": c.yaml})
			want := []string(nil)
			if c.want != "" {
				for id := range strings.SplitSeq(c.want, ",") {
					want = append(want, "kubernetes:apps//"+id)
				}
			}
			sameList(t, "containers", got.ids(), want...)
			for _, g := range got.gaps {
				t.Errorf("got the gap %+v, want none", g)
			}
		})
	}
}

func TestWorkload(t *testing.T) {
	got := scanFiles(t, map[string]string{"apps/web.yaml": `# a comment
apiVersion: v1
kind: Service
metadata: {name: front}
spec: {selector: {app: web}}
---
apiVersion: v1
kind: Service
metadata: {name: other}
spec: {selector: {app: web, tier: db}}
---
apiVersion: v1
kind: Service
metadata: {name: all}
spec: {}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    metadata:
      labels: {app: web}
      annotations:
        fluentbit.io/exclude: "true"
    spec:
      initContainers:
      - name: wait
        image: busybox:1.36
      - name: ship
        image: fluent/fluent-bit:3.1
        restartPolicy: Always
      containers:
      - name: nginx
        image: nginx:1.27
        command: [nginx]
        args:
        - -g
        - daemon off;
        securityContext: {readOnlyRootFilesystem: true}
`})
	sameList(t, "containers", got.ids(), "kubernetes:apps//default/deployment/web/wait",
		"kubernetes:apps//default/deployment/web/ship", "kubernetes:apps//default/deployment/web/nginx")

	w := got.asset(t, "kubernetes:apps//default/deployment/web")
	equal(t, "kind and name", w.Kind+" "+w.Name, "Deployment web")
	equal(t, "in", say(w.In), "kubernetes:apps//node at apps/web.yaml:17")
	equal(t, "lingers", say(w.Lingers), "moot at apps/web.yaml:17")

	wait, ship := got.containers[0], got.containers[1]
	equal(t, "an init container is brief", wait.Brief, true)
	equal(t, "a sidecar is brief", ship.Brief, false)
	equal(t, "read-only root", say(wait.ReadOnlyRoot), "false at apps/web.yaml:29 (Kubernetes default)")

	c := got.containers[2]
	equal(t, "asset", c.Asset.Kind+" "+c.Asset.Name, "container web/nginx")
	equal(t, "place", say(c.Asset.In), "kubernetes:apps//default/deployment/web at apps/web.yaml:35")
	equal(t, "looked", say(c.Asset.Looked[evidence.Application]), "true at apps/web.yaml:35")
	equal(t, "workload", c.Workload, "Deployment")
	equal(t, "pod", c.Pod, w.ID)
	sameList(t, "units", c.Units, "folder:apps")
	sameList(t, "names", c.Names, "nginx", "front")
	equal(t, "image", say(c.Image), "nginx:1.27 at apps/web.yaml:36")
	equal(t, "args", len(c.Args), 3)
	equal(t, "last argument", say(c.Args[2]), "daemon off; at apps/web.yaml:40")
	equal(t, "annotation", say(c.Annotations["fluentbit.io/exclude"]), "true at apps/web.yaml:26")
	equal(t, "label", say(c.Annotations["app"]), "web at apps/web.yaml:24")
	equal(t, "read-only root", say(c.ReadOnlyRoot), "true at apps/web.yaml:41")
	equal(t, "log", fmt.Sprint(c.Log.Runtime, c.Log.At.Line), "kubelet35")
	equal(t, "every", c.Every == nil, true)
}

func TestCounted(t *testing.T) {
	got := scanFiles(t, map[string]string{
		"a.yaml": "kind: CustomResourceDefinition\napiVersion: apiextensions.k8s.io/v1\nspec: {a: [}\n---\n" + pod + "---\nkind: Secret\napiVersion: v1\n",
		"b.json": `{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"}, {"apiVersion": "v1", "kind": "Secret"}]}`,
	})
	equal(t, "counted", fmt.Sprint(got.counted), "map[CustomResourceDefinition:1 Role:1 Secret:2]")
	equal(t, "line of the second document", got.container(t, "kubernetes:.//default/pod/web/app").Image.At().Line, 11)
	equal(t, "gaps", len(got.gaps), 0)
}

func TestNoKubernetesIsNotKept(t *testing.T) {
	for name, text := range map[string]string{
		"compose.yaml": "services:\n  web:\n    image: nginx\n",
		"values.yaml":  "kind: a\nimage: {{ broken",
		"list.yaml":    "- kind: Pod\n  apiVersion: v1\n",
		"package.json": `{"name": "x", "kind": 3, "list": [true, null, -1.5e3]}`,
		"array.json":   `[{"kind": "Pod", "apiVersion": "v1"}]`,
		"binary.yaml":  "\x7fELF\x00",
		"empty.yaml":   "",
	} {
		if got := new(Scanner).Offer(tree.File{Name: name, Content: []byte(text)}); got != nil {
			t.Errorf("%s: got %+v kept, want nothing", name, got)
		}
	}
	if got := new(Scanner).Offer(tree.File{Name: "x.yaml", Err: os.ErrPermission}); got != nil {
		t.Errorf("a file that was not read: got %+v kept, want nothing", got)
	}
}

func TestJSON(t *testing.T) {
	object := func(name string) string {
		return "{\n\t\"metadata\": {\"kind\": \"no\", \"name\": \"" + name + "\", \"annotations\": {\"a\": \"\\ud83d\\ude00 }{ \\\" \\\\\"}},\n\t\"kind\": \"Pod\",\n" +
			"\t\"apiVersion\": \"v1\",\n\t\"spec\": {\"containers\": [{\"name\": \"c\",\n\t\"image\": \"nginx\"}]}\n}"
	}
	got := scanFiles(t, map[string]string{"pods.json": object("one") + "\n" + object("two") + object("three"), "kinds.yaml": "# first\n" + pod + "---\n" + object("four")})
	equal(t, "gaps", fmt.Sprint(got.gaps), "[]")
	for id, line := range map[evidence.ID]int{"one/c": 6, "two/c": 13, "three/c": 19, "four/c": 15, "web/app": 8} {
		equal(t, string(id), got.container(t, "kubernetes:.//default/pod/"+id).Image.At().Line, line)
	}
}

func TestBrokenFiles(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"a workload that does not parse", "# one\n---\nkind: Pod\napiVersion: v1\nmetadata: {name: w\nspec: 3\n---\n" + pod, "bad apps/w.yaml:"},
		{"a cut JSON object", pod + "---\n" + `{"kind": "Pod", "apiVersion": "v1", "spec": {"containers": [`, "bad apps/w.yaml:"},
		{"invalid UTF-8", pod + "---\nkind: Pod\napiVersion: v1\nmetadata: {name: \"\xff\"}\n", "bad apps/w.yaml:"},
		{"a template of nobody", "kind: Pod\napiVersion: v1\nmetadata:\n{{ toYaml . }}\n---\n" + pod, "unfamiliar the template apps/w.yaml"},
		{"an audit policy that API servers refuse", "kind: Policy\napiVersion: audit.k8s.io/v1\nrules: [{level: Everything}]\n---\n" + pod, "bad apps/w.yaml:3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := scanFiles(t, map[string]string{"apps/w.yaml": c.yaml})
			if len(got.gaps) != 1 {
				t.Fatalf("got gaps %+v, want one", got.gaps)
			}
			g := got.gaps[0]
			said := fmt.Sprintf("%s %s", g.Why, g.Asked)
			if g.Bad {
				said = fmt.Sprintf("bad %s:%d", g.At.File, g.At.Line)
				equal(t, "question", g.Asked, "the file apps/w.yaml")
				if want := fmt.Sprintf("line %d: ", g.At.Line); !strings.HasPrefix(g.Err, want) {
					t.Errorf("got the error %q, want it to begin with %q", g.Err, want)
				}
			}
			if !strings.HasPrefix(said, c.want) {
				t.Errorf("got %q, want %q", said, c.want)
			}
			equal(t, "in", g.In, evidence.ID("kubernetes:apps"))
			sameList(t, "what else is there", got.ids(), "kubernetes:apps//default/pod/web/app")
		})
	}
}

func TestBrokenLine(t *testing.T) {
	got := scanFiles(t, map[string]string{"w.yaml": pod + "---\nkind: Pod\napiVersion: v1\nmetadata:\n  name: w\n bad: 3\n"})
	if len(got.gaps) != 1 || got.gaps[0].At.Line != 13 {
		t.Errorf("got %+v, want one gap at line 13", got.gaps)
	}
}

func TestHelm(t *testing.T) {
	chart := "apiVersion: v2\nname: shop\nversion: 1.0.0\n"
	got := scanFiles(t, map[string]string{
		"charts/shop/Chart.yaml":                  chart,
		"charts/shop/values.yaml":                 "image: x\n",
		"charts/shop/templates/a.yaml":            "kind: Deployment\napiVersion: apps/v1\nmetadata:\n  name: {{ .Release.Name }}\n",
		"charts/shop/templates/b.yaml":            "{{ include \"shop.b\" . }}\n",
		"charts/shop/templates/parses.yaml":       strings.Replace(pod, "nginx:1.27", "'{{ .Values.image }}'", 1),
		"charts/shop/templates/plain/pod.yaml":    pod,
		"charts/shop/ci/pod.yaml":                 strings.Replace(pod, "web", "ci", 1),
		"charts/shop/charts/sub/Chart.yaml":       "apiVersion: v2\nname: sub\n",
		"charts/shop/charts/sub/templates/x.yaml": "kind: Deployment\napiVersion: apps/v1\n{{ end }}\n",
		"templates/b.yaml":                        "{{ include \"other\" . }}\n",
		"plain.yaml":                              strings.Replace(pod, "image:", "env: [{name: TAG, value: '{{.Name}}'}]\n    image:", 1),
	})
	var gaps []string
	for _, g := range got.gaps {
		gaps = append(gaps, fmt.Sprint(g.In, " | ", g.Asked, " | ", g.Why, " | ", g.Err, " | ", g.Bad))
	}
	sameList(t, "gaps", gaps,
		"kubernetes:charts/shop/charts/sub | the Helm chart sub | unfamiliar | render it first: helm template charts/shop/charts/sub | lookback scan - | false",
		"kubernetes:charts/shop | the Helm chart shop | unfamiliar | render it first: helm template charts/shop | lookback scan - | false")
	sameList(t, "containers", got.ids(), "kubernetes:charts/shop/ci//default/pod/ci/app",
		"kubernetes:charts/shop/templates/plain//default/pod/web/app", "kubernetes:.//default/pod/web/app")
	sameList(t, "units", got.containers[1].Units, "chart:charts/shop")
	equal(t, "text that looks like a template", say(got.containers[2].Env["TAG"]), "{{.Name}} at plain.yaml:7")
}

func TestImages(t *testing.T) {
	for _, c := range []struct{ image, want string }{
		{"nginx", "nginx"},
		{"nginx:1.27-alpine", "nginx:1.27-alpine"},
		{"ghcr.io/acme/shop/web:V1.0_x", "ghcr.io/acme/shop/web:V1.0_x"},
		{"localhost:5000/a__b/c-d.e", "localhost:5000/a__b/c-d.e"},
		{"'nginx@sha256:fd8d9aa63ba2f0982b5304e1ee8d3b90a210bc1ffb5314d980eb6962f1a9715d'", "nginx@sha256:fd8d9aa63ba2f0982b5304e1ee8d3b90a210bc1ffb5314d980eb6962f1a9715d"},
		{"<YOUR-IMAGE>", ""},
		{"IMAGE", ""},
		{"$(IMAGE)", ""},
		{"${IMAGE}", ""},
		{"REPLACE_ME", ""},
		{"'{{ image }}'", ""},
		{"REGISTRY/web:1", ""},
		{"nginx:${TAG}", ""},
		{"my image", ""},
		{"[nginx]", ""},
		{"nginx@latest", ""},
		{"123", "123"},
		{"emailservice", ""},
		{"built/tagged:1", "built/tagged:1"},
		{"'emailservice:v1'", "emailservice:v1"},
	} {
		t.Run(c.image, func(t *testing.T) {
			got := scanFiles(t, map[string]string{
				"w.yaml":        strings.Replace(pod, "nginx:1.27", c.image, 1),
				"skaffold.yaml": "apiVersion: skaffold/v3\nkind: Config\nbuild:\n  artifacts:\n  - image: emailservice\n  - image: built/tagged:1\n  - 3\n",
			})
			image := got.container(t, "kubernetes:.//default/pod/web/app").Image
			value, _ := image.Get()
			equal(t, "image", value, c.want)
			equal(t, "line", image.At().Line, 7)
			if c.want == "" && c.image != "[nginx]" {
				equal(t, "why", image.Why(), evidence.Unresolved)
			}
		})
	}
}

func TestKustomize(t *testing.T) {
	base := map[string]string{
		"base/kustomization.yaml": "resources: [web.yaml, ../other/db.yaml, https://example.com/x.yaml, ../../etc/passwd, /etc/passwd, missing.yaml, ../overlays/prod]\n" +
			"configMapGenerator:\n- name: settings\n  literals: [LEVEL=debug, 'QUOTED=\"x\"', bad]\n  files: [app.conf, my.conf=app.conf, ../../../etc/passwd]\n- name: open\n  envs: [x.env]\n",
		"base/app.conf":   "log = on\n",
		"base/web.yaml":   pod + "    envFrom:\n    - configMapRef: {name: settings}\n    volumeMounts:\n    - {name: v, mountPath: /etc/app}\n  volumes:\n  - name: v\n    configMap: {name: settings, items: [{key: my.conf, path: a/my.conf}, {key: passwd, path: passwd}]}\n",
		"base/alone.yaml": strings.Replace(pod, "web", "alone", 1),
		"other/db.yaml":   strings.ReplaceAll(strings.Replace(pod, "web", "db", 1), "nginx:1.27", "ghcr.io/acme/db:1"),
		"overlays/prod/kustomization.yml": "resources:\n- ../../base\nbases: [../prod]\ncomponents:\n- ../../components/tag\npatches:\n- path: patch.yaml\n- patch: |-\n    kind: Pod\n    apiVersion: v1\n" +
			"patchesStrategicMerge: [more.yaml, \"kind: Pod\\napiVersion: v1\\n\"]\n",
		"overlays/prod/patch.yaml":            strings.Replace(pod, "nginx:1.27", "changed:2", 1),
		"overlays/prod/more.yaml":             strings.Replace(pod, "nginx:1.27", "changed:3", 1),
		"components/tag/Kustomization":        "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nimages:\n- name: ghcr.io/acme/db\n  newTag: TAG\n",
		"components/loose/kustomization.yaml": "kind: Component\nimages: [{name: nginx, newName: x}]\n",
	}
	got := scanFiles(t, base)
	sameList(t, "containers", got.ids(), "kubernetes:base//default/pod/alone/app", "kubernetes:base//default/pod/web/app", "kubernetes:other//default/pod/db/app")
	alone, web, db := got.containers[0], got.containers[1], got.containers[2]
	sameList(t, "units outside a kustomization", alone.Units, "folder:base")
	sameList(t, "units", web.Units, "kustomization:base", "kustomization:overlays/prod")
	sameList(t, "units of a file elsewhere", db.Units, "kustomization:base", "kustomization:overlays/prod")
	equal(t, "image that nobody rewrites", say(web.Image), "nginx:1.27 at base/web.yaml:7")
	equal(t, "image that a component of the overlay rewrites", say(db.Image), "unknown, unresolved at other/db.yaml:7")
	equal(t, "generated literal", say(web.Env["LEVEL"]), "debug at base/kustomization.yaml:4")
	equal(t, "quoted literal", say(web.Env["QUOTED"]), "x at base/kustomization.yaml:4")
	equal(t, "generated file", say(web.File("/etc/app/a/my.conf")), "log = on\n at base/app.conf:1")
	equal(t, "file outside the tree", say(web.File("/etc/app/passwd")), "unknown, elsewhere at base/kustomization.yaml:5")
	equal(t, "gaps", fmt.Sprint(got.gaps), "[]")
}

func TestSameWorkloadInSeveralPlaces(t *testing.T) {
	other := "# generated\nkind: Pod\napiVersion: v1\nspec:\n  containers:\n  - image: \"nginx:1.27\"\n    name: app\nmetadata: {name: web, labels: {release: \"1\"}}\n"
	got := scanFiles(t, map[string]string{
		"a/web.dev.yaml": other, "b/web.yaml": pod, "c/all.yaml": "---\n" + other, "c/all-again.yaml": pod,
		"d/web.yaml": strings.Replace(pod, "1.27", "1.28", 1),
	})
	sameList(t, "containers", got.ids(), "kubernetes:a//default/pod/web/app", "kubernetes:d//default/pod/web/app")
	c := got.containers[0]
	equal(t, "places of the container", fmt.Sprint(c.Asset.Places), "[{b/web.yaml 6 5    } {c/all-again.yaml 6 5    } {c/all.yaml 7 5    }]")
	equal(t, "places of the workload", fmt.Sprint(got.asset(t, c.Pod).Places), "[{b/web.yaml 1 1    } {c/all-again.yaml 1 1    } {c/all.yaml 3 1    }]")
	sameList(t, "units", c.Units, "folder:a", "folder:b", "folder:c")
	equal(t, "development, for it also stands elsewhere", c.Asset.Development, false)
}

func TestAlternativesInOneFolder(t *testing.T) {
	one, two, three := pod, strings.Replace(pod, "1.27", "1.28", 1), strings.Replace(pod, "1.27", "1.29", 1)
	got := scanFiles(t, map[string]string{"x/a.yaml": one, "x/b.yaml": two + "---\n" + three, "x/c.yaml": three})
	sameList(t, "containers", got.ids(), "kubernetes:x//default/pod/web/app", "kubernetes:x/b.yaml//default/pod/web/app", "kubernetes:x/b.yaml:2//default/pod/web/app")
	equal(t, "places", len(got.containers[2].Asset.Places), 1)
}

func TestDevelopment(t *testing.T) {
	got := scanDeclared(t, map[string]string{
		"a/web.test.yaml": pod, "b/web.yaml": strings.Replace(pod, "1.27", "1.28", 1), "e2e/web.yaml": strings.Replace(pod, "1.27", "1.29", 1), "c/scratch.yaml": strings.Replace(pod, "1.27", "1.30", 1),
	}, scanners.Declared{Development: []string{"e2e/**", "scratch.*"}})
	for id, want := range map[evidence.ID]bool{"a": true, "b": false, "e2e": true, "c": true} {
		equal(t, string(id), got.container(t, "kubernetes:"+id+"//default/pod/web/app").Asset.Development, want)
	}
}

func TestLingers(t *testing.T) {
	job := func(meta, spec string) string {
		return "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: w\n" + meta + "spec:\n  template: {spec: {containers: [{name: c, image: nginx}]}}\n" + spec
	}
	cron := func(spec, jobSpec string) string {
		return "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: w\nspec:\n" + spec + "  jobTemplate:\n    spec:\n      template: {spec: {containers: [{name: c, image: nginx}]}}\n" + jobSpec
	}
	for _, c := range []struct{ name, yaml, want string }{
		{"job without a limit", job("", ""), "moot at w.yaml:5 (Kubernetes default)"},
		{"job with a limit", job("", "  ttlSecondsAfterFinished: 100\n"), "100 at w.yaml:7"},
		{"job with a limit of nothing", job("", "  ttlSecondsAfterFinished: 0\n"), "0 at w.yaml:7"},
		{"variable", job("", "  ttlSecondsAfterFinished: ${TTL}\n"), "unknown, unresolved at w.yaml:7"},
		{"no number", job("", "  ttlSecondsAfterFinished: soon\n"), "unknown, failed at w.yaml:7"},
		{"mapping for a number", job("", "  ttlSecondsAfterFinished: {a: b}\n"), "unknown, failed at w.yaml:7"},
		{"hook deleted after success", job("  annotations: {helm.sh/hook-delete-policy: 'before-hook-creation, hook-succeeded'}\n", ""), "0 at w.yaml:5"},
		{"hook deleted after failure by Argo CD", job("  annotations: {argocd.argoproj.io/hook-delete-policy: HookFailed}\n", "  ttlSecondsAfterFinished: 100\n"), "0 at w.yaml:5"},
		{"hook kept until the next run", job("  annotations: {helm.sh/hook-delete-policy: before-hook-creation}\n", ""), "moot at w.yaml:6 (Kubernetes default)"},
		{"cron job", cron("", ""), "moot at w.yaml:7 (Kubernetes default)"},
		{"cron job that keeps no failure", cron("  failedJobsHistoryLimit: 0\n", "      ttlSecondsAfterFinished: 100\n"), "0 at w.yaml:6"},
		{"cron job that keeps failures", cron("  failedJobsHistoryLimit: 2\n", ""), "moot at w.yaml:8 (Kubernetes default)"},
		{"cron job with a limit", cron("", "      ttlSecondsAfterFinished: 60\n"), "60 at w.yaml:9"},
		{"cron job with a variable", cron("  failedJobsHistoryLimit: ${N}\n", ""), "unknown, unresolved at w.yaml:6"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := scanFiles(t, map[string]string{"w.yaml": c.yaml})
			if len(got.containers) != 1 {
				t.Fatalf("got %q, want one container", got.ids())
			}
			equal(t, "lingers", say(got.asset(t, got.containers[0].Pod).Lingers), c.want)
			equal(t, "the container's own", got.containers[0].Asset.Lingers.IsMoot(), true)
		})
	}
}

func TestEnvironment(t *testing.T) {
	got := scanFiles(t, map[string]string{
		"w.yaml": pod + `    args: ["--a=$(A)", "$(UNSET)", "sh $(date)", "$$(A)", "$(SECRET)", "5$", "${A}", null]
    env:
    - {name: A, value: one}
    - {name: B, value: "$(A)-$(LEVEL)"}
    - {name: EMPTY}
    - {name: SECRET, valueFrom: {secretKeyRef: {name: s, key: k}}}
    - {name: FROM, valueFrom: {configMapKeyRef: {name: settings, key: LEVEL}}}
    - {name: GONE, valueFrom: {configMapKeyRef: {name: settings, key: none}}}
    - {name: FAR, valueFrom: {configMapKeyRef: {name: nowhere, key: LEVEL}}}
    - {name: NUMBER, value: 3}
    - {value: nameless}
    - text
    envFrom:
    - configMapRef: {name: settings}
    - {prefix: P_, configMapRef: {name: settings}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data:
  LEVEL: debug
`,
		"secret.yaml": strings.Replace(pod, "web", "secret", 1) + "    envFrom: [{secretRef: {name: s}}]\n",
		"far.yaml":    strings.Replace(pod, "web", "far", 1) + "    envFrom: [{configMapRef: {name: nowhere}}]\n",
	})
	c := got.container(t, "kubernetes:.//default/pod/web/app")
	for name, want := range map[string]string{
		"A": "one at w.yaml:10", "B": "one-debug at w.yaml:11", "EMPTY": " at w.yaml:12", "SECRET": "unknown, elsewhere at w.yaml:13",
		"FROM": "debug at w.yaml:28", "GONE": "unknown, elsewhere at w.yaml:15", "FAR": "unknown, elsewhere at w.yaml:16",
		"NUMBER": "3 at w.yaml:17", "LEVEL": "debug at w.yaml:28", "P_LEVEL": "debug at w.yaml:28",
	} {
		equal(t, name, say(c.Env[name]), want)
	}
	equal(t, "number of variables", len(c.Env), 10)
	equal(t, "whole", say(c.EnvWhole), "true at w.yaml:6")
	var args []string
	for _, a := range c.Args {
		args = append(args, say(a))
	}
	sameList(t, "args", args, "--a=one at w.yaml:8", "unknown, unresolved at w.yaml:8", "sh $(date) at w.yaml:8", "$(A) at w.yaml:8",
		"unknown, elsewhere at w.yaml:8", "5$ at w.yaml:8", "${A} at w.yaml:8")
	equal(t, "whole with a secret", say(got.container(t, "kubernetes:.//default/pod/secret/app").EnvWhole), "unknown, elsewhere at secret.yaml:8")
	equal(t, "whole with a ConfigMap elsewhere", say(got.container(t, "kubernetes:.//default/pod/far/app").EnvWhole), "unknown, elsewhere at far.yaml:8")
}

func TestEveryNode(t *testing.T) {
	daemons := func(spec string) string {
		return "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: w}\nspec:\n  template:\n    spec:\n      containers: [{name: c, image: falcosecurity/falco}]\n" + spec
	}
	for _, c := range []struct{ name, spec, want string }{
		{"everywhere", "      tolerations: [{operator: Exists}]\n", "[]"},
		{
			"some", "      nodeSelector: {disk: ssd}\n      affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}\n",
			"[control-plane nodes tainted nodes nodes without label disk=ssd nodes outside its required affinity]",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			every := scanFiles(t, map[string]string{"w.yaml": daemons(c.spec)}).containers[0].Every
			equal(t, "misses", fmt.Sprint(every.Misses), c.want)
			equal(t, "line", every.At.Line, 1)
		})
	}
}

func TestInlineWaivers(t *testing.T) {
	got := scanFiles(t, map[string]string{"w.yaml": `apiVersion: v1
kind: Pod
metadata:
  name: web # lookback:waive shipped-* agreed until the move
spec:
  containers:
  # lookback:waive recorded-application a toy

  - name: app
    image: nginx
  - name: admin
    image: nginx # lookback:waive shipped-off-host it is small
    # lookback:waive retained-by-time
    args: ["# lookback:waive all of it"]
    command:
    - |
      # lookback:waive none a string
---
apiVersion: v1
kind: Pod
metadata: {name: web-admin}
spec: {containers: [{name: app, image: busybox}]} # lookback:waive a b
`})
	var waivers []string
	for _, w := range got.waivers {
		waivers = append(waivers, fmt.Sprintf("%d %s %s: %s", w.At.Line, w.Check, w.Subject, w.Reason))
	}
	sameList(t, "waivers", waivers,
		"4 shipped-* kubernetes:.//default/pod/web: agreed until the move",
		"7 recorded-application kubernetes:.//default/pod/web/app: a toy",
		"12 shipped-off-host kubernetes:.//default/pod/web/admin: it is small",
		"22 a kubernetes:.//default/pod/web-admin/app: b")
	listed := scanFiles(t, map[string]string{"w.yaml": "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: one} # lookback:waive a b\n" +
		"  spec: {containers: [{name: c, image: x}]}\n# lookback:waive c d\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: two}\n  spec: {containers: [{name: c, image: x}]}\n"})
	waivers = nil
	for _, w := range listed.waivers {
		waivers = append(waivers, fmt.Sprintf("%d %s %s", w.At.Line, w.Check, w.Subject))
	}
	sameList(t, "waivers in a list", waivers, "6 a kubernetes:.//default/pod/one", "8 c kubernetes:.//default/pod/two")
	if len(got.gaps) != 1 || got.gaps[0].Err != "line 13: a waiver needs a reason" || !got.gaps[0].Bad {
		t.Errorf("got gaps %+v, want one for line 13", got.gaps)
	}
}

func TestReadOnlyRoot(t *testing.T) {
	for value, want := range map[string]string{
		"true": "true at w.yaml:9", "false": "false at w.yaml:9", "${RO}": "unknown, unresolved at w.yaml:9",
		"maybe": "unknown, failed at w.yaml:9", "[a]": "unknown, failed at w.yaml:9", "null": "false at w.yaml:6 (Kubernetes default)",
	} {
		got := scanFiles(t, map[string]string{"w.yaml": pod + "    securityContext:\n      readOnlyRootFilesystem: " + value + "\n"})
		equal(t, value, say(got.containers[0].ReadOnlyRoot), want)
	}
}

func TestMergedLabels(t *testing.T) {
	got := scanFiles(t, map[string]string{"w.yaml": "apiVersion: v1\nkind: Pod\nx: &common {app: web, tier: front}\ny: &more {tier: back, zone: a}\n" +
		"metadata:\n  name: web\n  labels:\n    <<: [*common, *more]\n    app: own\nspec: {containers: [{name: c, image: nginx}]}\n"})
	c := got.containers[0]
	for key, want := range map[string]string{"app": "own at w.yaml:9", "tier": "front at w.yaml:3", "zone": "a at w.yaml:4"} {
		equal(t, key, say(c.Annotations[key]), want)
	}
}

func TestHookOfACronJobsJobs(t *testing.T) {
	got := scanFiles(t, map[string]string{"w.yaml": "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: w}\nspec:\n  jobTemplate:\n    metadata:\n      annotations:\n" +
		"        helm.sh/hook-delete-policy: hook-failed\n    spec: {template: {spec: {containers: [{name: c, image: nginx}]}}}\n"})
	equal(t, "lingers", say(got.asset(t, "kubernetes:.//default/cronjob/w").Lingers), "0 at w.yaml:8")
}

func TestTextThatIsNone(t *testing.T) {
	for name, content := range map[string]string{
		"a zero byte": "apiVersion: v1\nkind: Pod\nmetadata: {name: a\x00}\n",
		"UTF-16":      "\xff\xfea\x00p\x00i\x00V\x00e\x00r\x00s\x00i\x00o\x00n\x00:\x00 \x00v\x001\x00\n\x00k\x00i\x00n\x00d\x00:\x00 \x00P\x00o\x00d\x00",
	} {
		t.Run(name, func(t *testing.T) {
			got := scanFiles(t, map[string]string{"pod.yaml": content})
			if len(got.gaps) != 1 || !got.gaps[0].Bad || got.gaps[0].At.File != "pod.yaml" {
				t.Errorf("got %v, want one gap for what cannot be read", got.gaps)
			}
		})
	}
}
