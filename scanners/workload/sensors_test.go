package workload

import (
	"path"
	"slices"
	"strings"
	"testing"

	"lookback/evidence"
)

func TestLookupSensor(t *testing.T) {
	for _, c := range []struct{ name, ref, want string }{
		{"Docker Hub, no tag", "falcosecurity/falco", "Falco"},
		{"Docker Hub by name", "docker.io/falcosecurity/falco:0.44.1", "Falco"},
		{"tag and digest", "quay.io/cilium/tetragon:v1.7.0@sha256:" + strings.Repeat("a", 64), "Tetragon"},
		{"digest alone", "aquasec/tracee@sha256:" + strings.Repeat("a", 64), "Tracee"},
		{"the chart's host shield", "quay.io/sysdig/agent-slim:14.2.3", "Sysdig"},
		{"a folder for each cloud", "registry.crowdstrike.com/falcon-sensor/us-1/release/falcon-sensor:7.20", "CrowdStrike Falcon"},
		{"a regional registry", "eu.gcr.io/datadoghq/agent:7", "Datadog Agent"},
		{"an access token in the path", "registry-auth.twistlock.com/tw_abc/twistlock/defender:defender_34", "Prisma Cloud Defender"},
		{"an image with a suffix", "docker.elastic.co/beats/auditbeat-wolfi:9.0.0", "Auditbeat"},
		{"its driver loader watches nothing", "falcosecurity/falco-driver-loader:0.44.1", ""},
		{"its operator watches nothing", "quay.io/cilium/tetragon-operator:v1.7.0", ""},
		{"another registry", "registry.example.com/falcosecurity/falco", ""},
		{"another registry with a port", "localhost:5000/falco", ""},
		{"another repository on the vendor's registry", "registry.datadoghq.com/cluster-agent:7", ""},
		{"a pattern's characters", "registry.crowdstrike.com/falcon-sensor/*/x", ""},
		{"nothing", "", ""},
		{"only signs", ":@/", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := LookupSensor(c.ref)
			if got.Product != c.want || ok != (c.want != "") {
				t.Errorf("LookupSensor(%q) = %q, %v; want %q", c.ref, got.Product, ok, c.want)
			}
		})
	}
}

func TestSensorsTable(t *testing.T) {
	parts := []evidence.Part{evidence.PartProcessStart, evidence.PartConnections, evidence.PartFileWrites}
	owner := map[string]string{}
	for _, s := range sensors {
		t.Run(s.Product, func(t *testing.T) {
			if s.Product == "" || len(s.Images) == 0 {
				t.Error("a row needs a product and an image")
			}
			if !strings.HasPrefix(s.Source, "https://") {
				t.Errorf("source %q is no address", s.Source)
			}
			if doubt := s.Doubt&DoubtRecords != 0; doubt != (len(s.Records) == 0) {
				t.Errorf("doubt about records is %v, and %d parts are graded", doubt, len(s.Records))
			}
			for part, grade := range s.Records {
				if !slices.Contains(parts, part) {
					t.Errorf("%q is not a part that sensors record", part)
				}
				if !slices.Contains([]evidence.Grade{evidence.None, evidence.Some, evidence.All}, grade) {
					t.Errorf("%q is no grade", grade)
				}
			}
			for _, image := range s.Images {
				if _, err := path.Match(image, "x"); err != nil {
					t.Errorf("pattern %q: %v", image, err)
				}
				if strings.HasPrefix(image, "docker.io/") {
					t.Errorf("pattern %q: references lose docker.io/ before they are matched", image)
				}
				if got, ok := LookupSensor(image); !ok || got.Product != s.Product {
					t.Errorf("pattern %q finds %q", image, got.Product)
				}
				if other, taken := owner[image]; taken {
					t.Errorf("pattern %q is also one of %s", image, other)
				}
				owner[image] = s.Product
			}
			if s.Log != nil && len(s.Log.On) == 0 && !s.Log.Running {
				t.Error("nothing turns its log on")
			}
		})
	}
}

func TestRecordsByDefault(t *testing.T) {
	for _, c := range []struct {
		name, ref string
		part      evidence.Part
		want      evidence.Grade
	}{
		{"Falco alerts on what is suspicious", "falcosecurity/falco", evidence.PartProcessStart, evidence.Some},
		{"Tetragon's chart leaves out the host", "quay.io/cilium/tetragon", evidence.PartProcessStart, evidence.Some},
		{"Tetragon has no policy for connections", "quay.io/cilium/tetragon", evidence.PartConnections, evidence.None},
		{"KubeArmor's file visibility varies", "kubearmor/kubearmor", evidence.PartFileWrites, ""},
		{"CrowdStrike does not say in public", "falcon-node-sensor", evidence.PartProcessStart, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, ok := LookupSensor(c.ref)
			if got := s.Records[c.part]; !ok || got != c.want {
				t.Errorf("%s of %s is %q, want %q", c.part, c.ref, got, c.want)
			}
		})
	}
}

func TestDatadogIsOffUntilAsked(t *testing.T) {
	s, _ := LookupSensor("gcr.io/datadoghq/agent:7")
	if s.Log == nil || !slices.ContainsFunc(s.Log.On, func(w Switch) bool {
		return w.Env == "DD_RUNTIME_SECURITY_CONFIG_ENABLED" && slices.Contains(w.Values, "true")
	}) {
		t.Errorf("log is %+v, want the variable that turns it on", s.Log)
	}
}

func TestLeavesOut(t *testing.T) {
	everything := []Toleration{{Operator: "Exists"}}
	for _, c := range []struct {
		name        string
		tolerations []Toleration
		selector    map[string]string
		affinity    bool
		want        []string
	}{
		{"tolerates everything", everything, nil, false, nil},
		{"no toleration", nil, nil, false, []string{"control-plane nodes", "tainted nodes"}},
		{
			"both effects, any key",
			[]Toleration{{Operator: "Exists", Effect: "NoSchedule"}, {Operator: "Exists", Effect: "NoExecute"}},
			nil, false, nil,
		},
		{
			"one effect, any key",
			[]Toleration{{Operator: "Exists", Effect: "NoSchedule"}},
			nil, false,
			[]string{"tainted nodes"},
		},
		{
			"the other effect, any key",
			[]Toleration{{Operator: "Exists", Effect: "NoExecute"}},
			nil, false,
			[]string{"control-plane nodes", "tainted nodes"},
		},
		{
			"the control plane by key",
			[]Toleration{{Key: controlPlane, Operator: "Exists", Effect: "NoSchedule"}},
			nil, false,
			[]string{"tainted nodes"},
		},
		{
			"the control plane by its empty value",
			[]Toleration{{Key: controlPlane}},
			nil, false,
			[]string{"tainted nodes"},
		},
		{
			"the control plane with a value that it has not",
			[]Toleration{{Key: controlPlane, Operator: "Equal", Value: "true"}},
			nil, false,
			[]string{"control-plane nodes", "tainted nodes"},
		},
		{
			"the control plane for another effect",
			[]Toleration{{Key: controlPlane, Operator: "Exists", Effect: "NoExecute"}},
			nil, false,
			[]string{"control-plane nodes", "tainted nodes"},
		},
		{
			"the old name of the control plane",
			[]Toleration{{Key: "node-role.kubernetes.io/master", Operator: "Exists"}},
			nil, false,
			[]string{"control-plane nodes", "tainted nodes"},
		},
		{
			"no key and no operator tolerates nothing",
			[]Toleration{{}},
			nil, false,
			[]string{"control-plane nodes", "tainted nodes"},
		},
		{"only Linux", everything, map[string]string{"kubernetes.io/os": "linux", "beta.kubernetes.io/os": "linux"}, false, nil},
		{
			"labels, in order",
			everything,
			map[string]string{"gpu": "true", "kubernetes.io/os": "linux", "disk": "ssd"},
			false,
			[]string{"nodes without label disk=ssd", "nodes without label gpu=true"},
		},
		{"required affinity", everything, nil, true, []string{"nodes outside its required affinity"}},
		{
			"all at once",
			nil,
			map[string]string{"gpu": "true"},
			true,
			[]string{"control-plane nodes", "tainted nodes", "nodes without label gpu=true", "nodes outside its required affinity"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := LeavesOut(c.tolerations, c.selector, c.affinity); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
