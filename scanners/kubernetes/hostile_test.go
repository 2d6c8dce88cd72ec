package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/tree"
)

// bomb is a document of a pod of which the aliases stand for 10^9 nodes.
func bomb(use string) string {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: Pod\nmetadata: {name: bomb}\nx:\n- &a0 [a, a, a, a, a, a, a, a, a, a]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&b, "- &a%d [%s]\n", i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return b.String() + use
}

func TestHostileInput(t *testing.T) {
	mergeBomb := "apiVersion: v1\nkind: Pod\nmetadata: {name: bomb}\nm0: &m0 {a: b}\n"
	for i := 1; i < 25; i++ {
		mergeBomb += fmt.Sprintf("m%d: &m%d\n  <<: [*m%d, *m%d]\n", i, i, i-1, i-1)
	}
	mergeBomb += "spec:\n  <<: *m24\n  containers: [{name: c, image: nginx}]\n"
	list := "{apiVersion: v1, kind: List, items: []}"
	for range 10 {
		list = "{apiVersion: v1, kind: List, items: [" + list + "]}"
	}
	for _, c := range []struct {
		name, yaml string
		bad        bool
	}{
		{"alias bomb in a pod", bomb("spec: {containers: [{name: c, image: nginx}], y: *a8}\n"), true},
		{"alias bomb as containers", bomb("spec: {containers: *a8}\n"), false},
		{"alias bomb beside what is read", bomb("spec: {containers: [{name: c, image: nginx}]}\n"), false},
		{"bomb of merge keys", mergeBomb, true},
		{"cyclic anchor", "apiVersion: v1\nkind: Pod\nmetadata: {name: w}\nspec: &s\n  containers: [{name: c, image: nginx}]\n  again: *s\n", true},
		{"cyclic list", "apiVersion: v1\nkind: List\nitems: &i\n- {apiVersion: v1, kind: List, items: *i}\n", true},
		{"cyclic merge key", "apiVersion: v1\nkind: Pod\nmetadata: &m\n  <<: *m\nspec: &s\n  <<: [*s, *s]\n  containers: [{name: c, image: nginx}]\n", true},
		{"list of lists", list, true},
		{"deep nesting", "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: c, image: nginx}], x: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}\n", true},
		{"deeper than the parser goes", "apiVersion: v1\nkind: Pod\nx: " + strings.Repeat("[", 20000), true},
		{"endless variables", pod + "    env:\n    - {name: A, value: " + strings.Repeat("x", 2000) + "}\n" + strings.Repeat("    - {name: A, value: $(A)$(A)$(A)$(A)}\n", 300), false},
		{"all sorts of wrong types", "apiVersion: v1\nkind: Pod\nmetadata: [a]\nspec: {initContainers: 3, containers: [{name: [a], image: nginx, command: nginx, args: {a: b}, env: {A: b}, envFrom: [3], volumeMounts: 3, securityContext: yes, restartPolicy: []}], volumes: {v: w}, tolerations: no, nodeSelector: [a]}\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			got := scanFiles(t, map[string]string{"a/w.yaml": c.yaml, "b/w.yaml": strings.Replace(pod, "web", "sound", 1)})
			got.container(t, "kubernetes:b//default/pod/sound/app")
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("it took %s, want a moment", took)
			}
			equal(t, "a gap", len(got.gaps) > 0, c.bad)
			for _, g := range got.gaps {
				if !g.Bad || g.At.File != "a/w.yaml" || g.At.Line == 0 {
					t.Errorf("got the gap %+v, want a bad one with its line in a/w.yaml", g)
				}
			}
		})
	}
}

func TestTooManyKustomizations(t *testing.T) {
	k := func(i int) *file {
		f := newFile(fmt.Sprintf("%d/kustomization.yaml", i))
		f.kustomizations = []*kustomization{{folder: f.folder(), entries: []entry{{name: fmt.Sprintf("../%d", i+1)}}}}
		return f
	}
	var files []*file
	for i := range 3000 {
		files = append(files, k(i))
	}
	got, err := newScan(scanners.Target{}, files).run(context.Background())
	if err != nil || len(got.gaps) != 1 || !got.gaps[0].Bad {
		t.Errorf("got gaps %+v, want a bad one", got.gaps)
	}
}

func TestTooManyVariables(t *testing.T) {
	settings := "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n"
	for i := range 600 {
		settings += fmt.Sprintf("  K%d: v\n", i)
	}
	got := scanFiles(t, map[string]string{"w.yaml": pod + "    envFrom:\n" + strings.Repeat("    - configMapRef: {name: c}\n", 1000) + settings})
	equal(t, "whole", say(got.containers[0].EnvWhole), "unknown, failed at w.yaml:1008 (too many variables)")
}

func TestLeadsOutOfTheTree(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret.txt")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	rel, err := filepath.Rel(dir, outside)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"w.yaml":             mounting(", configMap: {name: c}"),
		"kustomization.yaml": "resources: [w.yaml, ., .., ../..]\nconfigMapGenerator:\n- name: c\n  files: [up=" + filepath.ToSlash(rel) + ", absolute=" + outside + ", link, folder=.]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	c := scanDir(t, dir, scanners.Declared{}).container(t, "kubernetes:.//default/pod/web/app")
	for _, key := range []string{"up", "absolute", "link", "folder"} {
		equal(t, key, say(c.File("/var/log/app/"+key)), "unknown, elsewhere at kustomization.yaml:4")
	}
}

// sink keeps what it is given.
type sink struct {
	records map[string]int
	gaps    []evidence.Gap
	waivers []evidence.Waiver
}

func (s *sink) Record(r evidence.Record) { s.records[fmt.Sprintf("%T %s", r, r.Self().ID)]++ }
func (s *sink) Gap(g evidence.Gap)       { s.gaps = append(s.gaps, g) }
func (s *sink) Waiver(w evidence.Waiver) { s.waivers = append(s.waivers, w) }

func TestScan(t *testing.T) {
	var s Scanner
	kept := []any{
		s.Offer(tree.File{Name: "a.yaml", Content: []byte(apiServerPod("--audit-policy-file=/p", "--audit-log-path=/l") + "# lookback:waive x y\n---\nkind: Role\napiVersion: v1\n")}),
		s.Offer(tree.File{Name: "b.yaml", Content: []byte("kind: Pod\napiVersion: v1\nspec: [\n")}),
		nil,
	}
	to := &sink{records: map[string]int{}}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Scan(cancelled, scanners.Target{}, kept, to); !errors.Is(err, context.Canceled) {
		t.Errorf("got the error %v, want that the context was cancelled", err)
	}
	if err := s.Scan(context.Background(), scanners.Target{}, kept, to); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"*evidence.Asset kubernetes:.//node", "*evidence.Asset kubernetes:.//kube-system/pod/kube-apiserver",
		"*evidence.Asset kubernetes:.//kube-system/pod/kube-apiserver/kube-apiserver", "*evidence.Asset kubernetes:.//kube-apiserver",
		"*evidence.LogSource kubernetes:.//kube-apiserver/audit#kubernetes-api", "*evidence.LogStore kubernetes:.//kube-apiserver/audit-log",
	} {
		if to.records[want] != 1 {
			t.Errorf("got %s %d times, want once", want, to.records[want])
		}
	}
	for r, n := range to.records {
		if n != 1 {
			t.Errorf("got %s %d times, want once", r, n)
		}
	}
	equal(t, "gaps", len(to.gaps), 1)
	equal(t, "waivers", len(to.waivers), 1)
	equal(t, "counted", fmt.Sprint(s.Counted()), "map[Role:1]")
}

func TestOfferDoesNotHoldOnToContent(t *testing.T) {
	content := []byte("kind: Role\napiVersion: rbac.authorization.k8s.io/v1\n---\n" + apiServerPod("--audit-policy-file=/p"))
	var s Scanner
	kept := s.Offer(tree.File{Name: "a.yaml", Content: content})
	for i := range content {
		content[i] = 'x'
	}
	got, err := newScan(scanners.Target{}, keptFiles([]any{kept})).run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	sameList(t, "containers", got.ids(), "kubernetes:.//kube-system/pod/kube-apiserver/kube-apiserver")
	equal(t, "counted", fmt.Sprint(got.counted), "map[Role:1]")
}

func FuzzOffer(f *testing.F) {
	for _, seed := range []string{
		pod, "---\n" + pod + "---\n{}", `{"kind": "Pod", "apiVersion": "v1", "spec": {"containers": [{"image": "x"}]}}{}`,
		apiServerPod("--audit-policy-file=$(POLICY)", "--audit-log-path", "/a"), mounting(", nfs: {server: a}"),
		"resources: [w.yaml, .]\nimages: [{name: nginx, newTag: x}]\nconfigMapGenerator: [{name: c, files: [a=b], literals: [c=d]}]\n",
		"kind: List\napiVersion: v1\nitems: &a [{kind: List, apiVersion: v1, items: *a}]", "{{ if }}\nkind: Pod\napiVersion: v1\n",
		"apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n", "kind: !!str Pod\napiVersion: v1\n<<: &a {<<: *a}\n",
		"apiVersion: skaffold/v3\nkind: Config\nbuild: {artifacts: [{image: a}]}\n", "\xef\xbb\xbf{kind: Pod, apiVersion: v1}", bomb("spec: *a8\n"),
		pod + "    # lookback:waive a b\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		var s Scanner
		var kept []any
		for _, name := range []string{"a/Chart.yaml", "a/kustomization.yaml", "a/templates/x.yaml", "a/w.yaml"} {
			kept = append(kept, s.Offer(tree.File{Name: name, Content: content}))
		}
		got, err := newScan(scanners.Target{Tree: tree.OpenStdin(strings.NewReader(""))}, keptFiles(kept)).run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Count(string(content), "\n") + strings.Count(string(content), "\r") + 1
		lines += strings.Count(string(content), "\u0085") + strings.Count(string(content), "\u2028") + strings.Count(string(content), "\u2029")
		seen := map[evidence.ID]bool{}
		for _, c := range got.containers {
			if seen[c.Asset.ID] {
				t.Errorf("two containers are called %q", c.Asset.ID)
			}
			seen[c.Asset.ID] = true
			if at := c.Asset.At; at.Line < 1 || at.Line > lines {
				t.Errorf("container %q stands at line %d of %d", c.Asset.ID, at.Line, lines)
			}
			c.File("/etc")
		}
		for _, g := range got.gaps {
			if g.At.Line > lines+1 {
				t.Errorf("gap %+v is beyond the last line, %d", g, lines)
			}
		}
	})
}

var _ scanners.Scanner = (*Scanner)(nil)
