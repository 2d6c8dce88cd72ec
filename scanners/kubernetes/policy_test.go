package kubernetes

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"lookback/evidence"
)

// policyParts are the parts that a policy grades, in the order of the tables below.
var policyParts = []evidence.Part{
	evidence.PartExec, evidence.PartAttach, evidence.PartPortForward,
	evidence.PartSecretReads, evidence.PartRBACChanges, evidence.PartTokenRequests,
}

func parsePolicy(t *testing.T, text, file string) (policy, error) {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return readPolicy(&doc, file)
}

// show writes an extent as a table does: "line:grade but".
func show(v evidence.Value[evidence.Extent]) string {
	e, ok := v.Get()
	if !ok {
		return "unknown"
	}
	return strings.TrimSpace(fmt.Sprintf("%d:%s %s", v.At().Line, e.Grade, e.But))
}

func TestPolicyFiles(t *testing.T) {
	all := func(line int) []string { return slices.Repeat([]string{fmt.Sprintf("%d:all", line)}, len(policyParts)) }
	none := func(line int) []string {
		return slices.Repeat([]string{fmt.Sprintf("%d:none", line)}, len(policyParts))
	}
	cases := []struct {
		file string
		want []string // in the order of policyParts
	}{
		{"metadata-for-all", all(5)},
		{"gce-style", []string{"83:all", "83:all", "83:all", "76:all", "90:all", "76:all"}},
		{"eks-like", []string{"40:all", "40:all", "40:all", "31:all", "46:all", "31:all"}},
		{"documentation", []string{"41:all", "41:all", "41:all", "37:all", "45:all", "41:all"}},
		{"none-first", none(5)},
		{"only-secrets", []string{"2:none", "2:none", "2:none", "5:all", "2:none", "2:none"}},
		{"controllers-left-out", []string{
			"16:all", "16:all", "16:all",
			"5:some not user:system:serviceaccount:kube-system:generic-garbage-collector; group:system:nodes (verb:get); " +
				"not user:system:serviceaccount:kube-system:generic-garbage-collector (verb:list, verb:watch)",
			"16:all", "16:all",
		}},
		{"one-namespace", []string{
			"7:some only namespace:payments", "7:some only namespace:payments", "7:some only namespace:payments",
			"7:some only namespace:payments",
			"7:some only namespace:payments (roles, rolebindings); not clusterroles, clusterrolebindings",
			"7:some only namespace:payments",
		}},
		{"quiet-namespace", []string{
			"5:some not namespace:kube-system", "5:some not namespace:kube-system", "5:some not namespace:kube-system",
			"5:some not namespace:kube-system",
			"5:some not namespace:kube-system (roles, rolebindings)",
			"5:some not namespace:kube-system",
		}},
		{"named-secrets", []string{
			"13:all", "13:all", "13:all",
			"5:some not name:vault-unseal",
			"5:some not name:admin (verb:update, verb:patch, verb:delete of clusterroles)",
			"13:all",
		}},
		{"writes-only", []string{
			"2:some not verb:get", "2:some not verb:get", "2:some not verb:get",
			"2:none", "2:some not verb:deletecollection", "5:all",
		}},
		{"merged", []string{
			"5:some not user:robot (verb:get)", "5:some not user:robot (verb:get)", "5:some not user:robot (verb:get)",
			"5:some not user:robot (verb:get); not group:robot (verb:watch)", "15:all", "15:all",
		}},
		{"no-stage-left", []string{
			"6:all", "6:all", "6:all", "6:some not verb:get, verb:list", "6:none", "6:none",
		}},
	}
	if files, err := filepath.Glob("testdata/policy/*.yaml"); err != nil || len(files) != len(cases) {
		t.Errorf("%d files and %d cases (%v)", len(files), len(cases), err)
	}
	for _, c := range cases {
		t.Run(c.file, func(t *testing.T) {
			file := "testdata/policy/" + c.file + ".yaml"
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p, err := parsePolicy(t, string(text), file)
			if err != nil {
				t.Fatal(err)
			}
			got := p.parts()
			if len(got) != len(policyParts) {
				t.Errorf("%d parts, want %d", len(got), len(policyParts))
			}
			for i, part := range policyParts {
				if s := show(got[part]); s != c.want[i] {
					t.Errorf("%s of %s\n got %s\nwant %s", part, file, s, c.want[i])
				}
				if at := got[part].At(); at.File != file || at.Col == 0 {
					t.Errorf("%s is at %+v, want a column of %s", part, at, file)
				}
			}
		})
	}
}

// TestPolicyRules tries one rule of matching at a time, on one part. The rules start at line 4.
func TestPolicyRules(t *testing.T) {
	for _, c := range []struct {
		name  string
		rules string
		part  evidence.Part
		want  string
	}{
		{"all resources of the group", `{level: Metadata, resources: [{group: ""}]}`, evidence.PartExec, "4:all"},
		{"all resources of all groups", `{level: Metadata, resources: [{group: "*"}]}`, evidence.PartRBACChanges, "4:all"},
		{"a star for the resource", `{level: Metadata, resources: [{resources: ["*"]}]}`, evidence.PartExec, "4:all"},
		{"every subresource of pods", `{level: Metadata, resources: [{resources: ["pods/*"]}]}`, evidence.PartExec, "4:all"},
		{"every exec", `{level: Metadata, resources: [{resources: ["*/exec"]}]}`, evidence.PartExec, "4:all"},
		{"pods without subresources", `{level: Metadata, resources: [{resources: [pods]}]}`, evidence.PartExec, "1:none"},
		{"a resource of another group", `{level: Metadata, resources: [{group: apps, resources: ["*"]}]}`, evidence.PartExec, "1:none"},
		{"a star of both halves holds nothing", `{level: Metadata, resources: [{resources: ["*/*"]}]}`, evidence.PartExec, "1:none"},
		{"secrets by their subresources", `{level: Metadata, resources: [{resources: ["secrets/*"]}]}`, evidence.PartSecretReads, "4:all"},
		{"service accounts without tokens", `{level: Metadata, resources: [{resources: [serviceaccounts]}]}`, evidence.PartTokenRequests, "1:none"},
		{"URLs say nothing about resources", `{level: Metadata, nonResourceURLs: ["*"]}`, evidence.PartExec, "1:none"},
		{"everybody who is authenticated", `{level: Metadata, userGroups: [dev, "system:authenticated"]}`, evidence.PartExec, "4:all"},
		{"some users only", `{level: Metadata, users: [eve]}`, evidence.PartExec, "1:some only user:eve"},
		{"a user who is in a group", `{level: Metadata, users: [eve], userGroups: [dev]}`, evidence.PartExec, "1:some only user:eve in group:dev"},
		{"many users", `{level: Metadata, users: [a, b, c, d, e, f]}`, evidence.PartExec, "1:some only user:a, user:b, user:c, user:d and 2 more"},
		{
			"a name twice is one name",
			`{level: Metadata, users: [a, a]}`, evidence.PartExec, "1:some only user:a",
		},
		{
			"an exception that was decided before",
			`{level: Metadata, users: [eve]}, {level: None, users: [eve]}, {level: Metadata}`, evidence.PartExec, "4:all",
		},
		{
			"an exception within what was decided before",
			`{level: Metadata, namespaces: [shop]}, {level: None, users: [eve], namespaces: [shop]}, {level: Metadata}`,
			evidence.PartExec, "4:all",
		},
		{
			"an exception that two rules decided before",
			`{level: Request, users: [eve]}, {level: Request, namespaces: [shop]}, ` +
				`{level: None, users: [eve, bob], namespaces: [shop, till]}, {level: Metadata}`,
			evidence.PartExec, "4:some not user:bob in namespace:till",
		},
		{
			"an exception that none decided before, for its group is another's",
			`{level: Metadata, users: [eve], userGroups: [ops]}, {level: None, users: [eve]}, {level: Metadata}`,
			evidence.PartExec, "4:some not user:eve",
		},
		{
			"what comes after the rule for all is never reached",
			`{level: Metadata}, {level: None}`, evidence.PartExec, "4:all",
		},
		{
			"cluster roles have no namespace",
			`{level: None, namespaces: [""]}, {level: Metadata}`, evidence.PartRBACChanges, "4:some not clusterroles, clusterrolebindings",
		},
		{
			"pods have one",
			`{level: None, namespaces: [""]}, {level: Metadata}`, evidence.PartExec, "4:all",
		},
		{
			"lists across all namespaces have none",
			`{level: None, namespaces: [""]}, {level: Metadata}`, evidence.PartSecretReads, `4:some not namespace:"" (verb:list, verb:watch)`,
		},
		{
			"a role is created without a name",
			`{level: None, resources: [{group: "*", resources: [roles], resourceNames: [""]}]}, {level: Metadata}`,
			evidence.PartRBACChanges, "4:some not verb:create, verb:deletecollection of roles",
		},
		{
			"a pod in which a command runs has a name",
			`{level: None, resources: [{resources: ["pods/exec"], resourceNames: [""]}]}, {level: Metadata}`,
			evidence.PartExec, "4:all",
		},
		{
			"one entry with a name and one without",
			`{level: None, resources: [{resources: [secrets], resourceNames: [a]}, {resources: [secrets]}]}, {level: Metadata}`,
			evidence.PartSecretReads, "4:none",
		},
		{
			"no stage of a short request",
			`{level: Metadata, omitStages: [RequestReceived, ResponseComplete]}`, evidence.PartTokenRequests, "4:none",
		},
		{
			"no stage at all",
			`{level: Metadata, omitStages: [RequestReceived, ResponseStarted, ResponseComplete, Panic]}`, evidence.PartExec, "4:none",
		},
		{
			"panics alone are not enough",
			`{level: Metadata, omitStages: [RequestReceived, ResponseStarted, ResponseComplete]}`, evidence.PartExec, "4:none",
		},
		{
			"the start of a shell is enough",
			`{level: Metadata, omitStages: [RequestReceived, ResponseComplete]}`, evidence.PartExec, "4:all",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := parsePolicy(t, "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n  ["+c.rules+"]\n", "p.yaml")
			if err != nil {
				t.Fatal(err)
			}
			if got := show(p.parts()[c.part]); got != c.want {
				t.Errorf("%s: got %s, want %s", c.part, got, c.want)
			}
		})
	}
}

func TestPolicyThatMatchesNothingSaysSo(t *testing.T) {
	p, err := parsePolicy(t, "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata, users: [eve]}, {level: None}]\n", "p.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if at := p.parts()[evidence.PartExec].At(); !at.Written() || at.Line != 3 {
		t.Errorf("a rule decided, and the origin is %+v", at)
	}
	p.rules = p.rules[:1]
	if at := p.parts()[evidence.PartExec].At(); at.Written() || at.Line != 1 {
		t.Errorf("no rule decided, and the origin is %+v", at)
	}
}

func TestPolicyErrors(t *testing.T) {
	const head = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n"
	for _, c := range []struct{ name, text, want string }{
		{"null", "~", `line 1: apiVersion "" is no version`},
		{"a list", "- a", "line 1: want a mapping"},
		{"another version", "apiVersion: audit.k8s.io/v2\nkind: Policy\nrules: [{level: None}]", `apiVersion "audit.k8s.io/v2"`},
		{"another kind", "apiVersion: audit.k8s.io/v1\nkind: PolicyList\nrules: [{level: None}]", `kind "PolicyList" is not Policy`},
		{"no rules", "apiVersion: audit.k8s.io/v1\nkind: Policy", "line 1: no rules"},
		{"empty rules", head + "  []", "line 1: no rules"},
		{"rules of no list", head + "  level: None", "line 4: want a list"},
		{"a rule that is text", head + "  - None", "line 4: want a mapping"},
		{"a rule that is null", head + "  - ~", "line 4: a rule without a level"},
		{"no level", head + "  - users: [a]", "line 4: a rule without a level"},
		{"an unknown level", head + "  - users: [a]\n    level: metadata", `line 5: level "metadata" is none of`},
		{"a level that is a number", head + "  - level: 1", "line 4: want a string"},
		{"users of no list", head + "  - level: None\n    users: eve", "line 5: want a list"},
		{"a user that is a list", head + "  - level: None\n    users: [[eve]]", "line 5: want a string"},
		{"a user that is a number", head + "  - level: None\n    users: [7]", "line 5: want a string"},
		{"an unknown stage", head + "  - level: None\n    omitStages: [Never]", `line 5: omitStages: "Never" is no stage`},
		{"an unknown stage of the policy", "omitStages: [Never]\n" + head + "  - level: None", `line 1: omitStages: "Never"`},
		{"a URL without a slash", head + "  - level: None\n    nonResourceURLs: [healthz]", `"healthz" is no path`},
		{"a URL that is empty", head + `  - {level: None, nonResourceURLs: [""]}`, `"" is no path`},
		{"a star within a URL", head + `  - {level: None, nonResourceURLs: ["/a*/b"]}`, `"/a*/b" is no path`},
		{"URLs and resources", head + `  - {level: None, nonResourceURLs: ["*"], namespaces: [a]}`, "both nonResourceURLs and resources"},
		{"a group with its version", head + `  - {level: None, resources: [{group: apps/v1}]}`, `"apps/v1" is no API group`},
		{"a group that is too long", head + `  - {level: None, resources: [{group: ` + strings.Repeat("a", 254) + `}]}`, "is no API group"},
		{"names without resources", head + `  - {level: None, resources: [{resourceNames: [a]}]}`, "resourceNames without resources"},
		{"a key that is a list", head + "  - {level: None, ? [a] : b}", "want a string as key"},
		{
			"the first of several merged mappings",
			head + "  - {<<: [{level: One, users: [a]}, {level: Two}]}", `level "One" is none of`,
		},
		{"a mapping merged with itself", head + "  - &r {level: None, <<: *r}", "more than 5000 values"},
		{"too many values", head + "  - {level: None, users: [" + strings.Repeat("a, ", 5001) + "]}", "more than 5000 values"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parsePolicy(t, c.text, "p.yaml")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
	for name, node := range map[string]*yaml.Node{"no node": nil, "no content": {Kind: yaml.DocumentNode}, "the zero node": {}} {
		if _, err := readPolicy(node, "p.yaml"); err == nil {
			t.Errorf("%s is no policy", name)
		}
	}
}

func TestPolicyOfTheGreatestSizeIsQuick(t *testing.T) {
	var b strings.Builder
	b.WriteString("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n")
	for i := range 500 { // of nine values each
		fmt.Fprintf(&b, "- {level: Metadata, users: [u%d], namespaces: [a]}\n", i)
	}
	p, err := parsePolicy(t, b.String(), "p.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const want = "1:some only user:u0 in namespace:a; user:u1 in namespace:a; user:u2 in namespace:a; user:u3 in namespace:a and 496 more"
	start := time.Now()
	if got := show(p.parts()[evidence.PartExec]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}

func FuzzPolicy(f *testing.F) {
	files, err := filepath.Glob("testdata/policy/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var doc yaml.Node
		if err := yaml.Unmarshal(text, &doc); err != nil {
			return
		}
		p, err := readPolicy(&doc, "p.yaml")
		if err != nil {
			return
		}
		for part, v := range p.parts() {
			e, ok := v.Get()
			if !ok || (e.Grade == evidence.Some) == (e.But == "") {
				t.Errorf("%s is %+v", part, e)
			}
			if v.At().File != "p.yaml" || v.At().Line == 0 {
				t.Errorf("%s is at %+v", part, v.At())
			}
		}
	})
}
