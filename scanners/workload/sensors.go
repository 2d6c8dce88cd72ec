package workload

import (
	"maps"
	"slices"

	"lookback/evidence"
)

// sensors is the table of sensors. It is read, never written.
//
// Sysmon for Linux is not in it: Microsoft publishes packages, and no image.
var sensors = []Sensor{
	{
		// The rules that are on by default alert on what is suspicious: a shell in a container, a link over a sensitive
		// file, a log that is emptied, a connection to the API server. Nothing else is written.
		Product: "Falco",
		Images: []string{
			"falcosecurity/falco", "falcosecurity/falco-no-driver", "falcosecurity/falco-debian",
			"public.ecr.aws/falcosecurity/falco", "public.ecr.aws/falcosecurity/falco-no-driver",
		},
		Records: map[evidence.Part]evidence.Grade{
			evidence.PartProcessStart: evidence.Some,
			evidence.PartConnections:  evidence.Some,
			evidence.PartFileWrites:   evidence.Some,
		},
		Keeps: KeepsStdout,
		Ships: []Switch{
			{Flag: "-o http_output.enabled", Values: []string{"true"}},
			{Line: "http_output.enabled", Values: []string{"true"}},
		},
		Source: "https://falco.org/docs/reference/rules/default-rules/",
	},
	{
		// Every program that starts is seen, but the chart's exportDenyList keeps those of the host, of kube-system and
		// of health checks out of the export. Connections and files need a TracingPolicy, and the chart brings none.
		Product: "Tetragon",
		Images:  []string{"quay.io/cilium/tetragon", "quay.io/cilium/tetragon-ci", "cilium/tetragon"},
		Records: map[evidence.Part]evidence.Grade{
			evidence.PartProcessStart: evidence.Some,
			evidence.PartConnections:  evidence.None,
			evidence.PartFileWrites:   evidence.None,
		},
		Keeps:  KeepsStdout, // of its sidecar export-stdout; the files beside it hold 60 MB in all
		Source: "https://github.com/cilium/tetragon/blob/main/install/kubernetes/tetragon/values.yaml",
	},
	{
		// The chart's default policy names signatures of attacks: a dropped executable, a hidden file, a standard output
		// that is a socket. Program starts as such are not among them.
		Product: "Tracee",
		Images:  []string{"aquasec/tracee"},
		Records: map[evidence.Part]evidence.Grade{
			evidence.PartProcessStart: evidence.Some,
			evidence.PartConnections:  evidence.Some,
			evidence.PartFileWrites:   evidence.Some,
		},
		Keeps:  KeepsStdout,
		Source: "https://github.com/aquasecurity/tracee/blob/main/deploy/helm/tracee/templates/default-policy.yaml",
	},
	{
		// Its operator's defaultVisibility is "process,network", of containers and not of hosts. The records go to
		// whoever is connected to its relay, and to the relay's standard output only when that is turned on.
		Product: "KubeArmor",
		Images:  []string{"kubearmor/kubearmor"},
		Records: map[evidence.Part]evidence.Grade{
			evidence.PartProcessStart: evidence.Some,
			evidence.PartConnections:  evidence.Some,
		},
		Keeps:  KeepsUnknown,
		Source: "https://github.com/kubearmor/KubeArmor/blob/main/deployments/helm/KubeArmorOperator/values.yaml",
	},
	{
		// With it on, the agent sends what matches a rule. The switch may stand in the file instead.
		Product: "Datadog Agent",
		Images: []string{
			"datadog/agent", "gcr.io/datadoghq/agent", "*.gcr.io/datadoghq/agent", "public.ecr.aws/datadog/agent",
			"registry.datadoghq.com/agent", "datadoghq.azurecr.io/agent",
		},
		Log: &Setting{
			What: "Workload Protection",
			On: []Switch{
				{Env: "DD_RUNTIME_SECURITY_CONFIG_ENABLED", Values: []string{"true", "1"}},
				{Line: "runtime_security_config.enabled", Values: []string{"true"}},
			},
			Files: []string{"/etc/datadog-agent/system-probe.yaml", "/etc/datadog-agent/security-agent.yaml"},
		},
		Records: map[evidence.Part]evidence.Grade{evidence.PartProcessStart: evidence.Some},
		Keeps:   KeepsVendor,
		Source:  "https://docs.datadoghq.com/security/workload_protection/setup/agent/docker",
	},
	{
		// It has no events of processes until the audit or the eBPF publisher is on, and writes only what a scheduled
		// query asks for.
		Product: "osquery",
		Images:  []string{"osquery/osquery"},
		Log: &Setting{
			What: "the process events",
			On: []Switch{
				{Flag: "--disable_audit", Values: []string{"false"}},
				{Flag: "--enable_bpf_events", Values: []string{"true"}, Bare: true},
			},
			Files: []string{"/etc/osquery"},
		},
		Keeps:  KeepsUnknown,
		Source: "https://osquery.readthedocs.io/en/stable/deployment/process-auditing/",
		Doubt:  DoubtRecords,
	},
	{
		// Gadgets record while somebody runs them, or as gadget instances that the manifest need not name.
		Product: "Inspektor Gadget",
		Images:  []string{"ghcr.io/inspektor-gadget/inspektor-gadget"},
		Log:     &Setting{What: "a gadget", Running: true},
		Keeps:   KeepsUnknown,
		Source:  "https://github.com/inspektor-gadget/inspektor-gadget/blob/main/charts/gadget/templates/gadgetinstances.yaml",
		Doubt:   DoubtRecords,
	},
	{
		// Policies in Sysdig's console decide; the chart leaves the Activity Audit off.
		Product: "Sysdig",
		Images: []string{
			"quay.io/sysdig/agent", "quay.io/sysdig/agent-slim", "quay.io/sysdig/host-shield", "sysdig/agent",
		},
		Keeps:  KeepsVendor,
		Source: "https://github.com/sysdiglabs/charts/blob/main/charts/shield/values.yaml",
		Doubt:  DoubtRecords,
	},
	{
		Product: "CrowdStrike Falcon",
		Images: []string{
			"registry.crowdstrike.com/falcon-sensor/release/falcon-sensor",
			"registry.crowdstrike.com/falcon-sensor/*/release/falcon-sensor",
			"falcon-node-sensor",
		},
		Keeps:  KeepsVendor,
		Source: "https://github.com/CrowdStrike/falcon-helm/tree/main/helm-charts/falcon-sensor",
		Doubt:  DoubtRecords,
	},
	{
		Product: "Microsoft Defender for Containers",
		Images: []string{
			"mcr.microsoft.com/azuredefender/stable/low-level-collector",
			"mcr.microsoft.com/azuredefender/stable/security-publisher",
		},
		Keeps:  KeepsVendor,
		Source: "https://learn.microsoft.com/azure/defender-for-cloud/defender-for-containers-architecture",
		Doubt:  DoubtRecords,
	},
	{
		Product: "Carbon Black Container",
		Images:  []string{"cbartifactory/runtime-kubernetes-sensor", "cbartifactory/cndr"},
		Keeps:   KeepsVendor,
		Source:  "https://github.com/octarinesec/octarine-operator",
		Doubt:   DoubtRecords,
	},
	{
		Product: "SentinelOne",
		Images:  []string{"containers.sentinelone.net/cws-agent/s1agent", "containers.*.s1gov.net/cws-agent/s1agent"},
		Keeps:   KeepsVendor,
		Source:  "https://github.com/Sentinel-One/helm-charts",
		Doubt:   DoubtRecords,
	},
	{
		Product: "Aqua Enforcer",
		Images:  []string{"registry.aquasec.com/enforcer"},
		Keeps:   KeepsVendor,
		Source:  "https://github.com/aquasecurity/aqua-helm/tree/master/enforcer",
		Doubt:   DoubtRecords,
	},
	{
		Product: "Prisma Cloud Defender",
		Images: []string{
			"registry.twistlock.com/twistlock/defender", "registry-auth.twistlock.com/tw_*/twistlock/defender",
			"twistlock/defender",
		},
		Keeps:  KeepsVendor,
		Source: "https://docs.prismacloud.io/en/compute-edition",
		Doubt:  DoubtRecords,
	},
	{
		// Its default file integrity check looks at /etc and the binary folders, every 12 hours: in a container, at the
		// container's own, unless its configuration names the mounted host.
		Product: "Wazuh",
		Images:  []string{"wazuh/wazuh-agent"},
		Keeps:   KeepsVendor,
		Source:  "https://documentation.wazuh.com/current/user-manual/capabilities/file-integrity/index.html",
		Doubt:   DoubtRecords,
	},
	{
		// Whether Elastic Defend or the auditd integration is in its policy stands in Fleet, or in its configuration.
		Product: "Elastic Agent",
		Images: []string{
			"docker.elastic.co/elastic-agent/elastic-agent*", "docker.elastic.co/beats/elastic-agent*",
			"elastic/elastic-agent",
		},
		Keeps:  KeepsUnknown,
		Source: "https://www.elastic.co/docs/reference/fleet/running-on-kubernetes-managed-by-fleet",
		Doubt:  DoubtRecords,
	},
	{
		Product: "Auditbeat",
		Images:  []string{"docker.elastic.co/beats/auditbeat*", "elastic/auditbeat"},
		Keeps:   KeepsUnknown,
		Source:  "https://www.elastic.co/docs/reference/beats/auditbeat/running-on-kubernetes",
		Doubt:   DoubtRecords,
	},
}

// Sensors returns the table.
func Sensors() []Sensor { return slices.Clone(sensors) }

// LookupSensor returns the sensor that an image reference names, whatever its tag and digest. A copy in a registry that
// is not known to mirror its home is somebody else's build, hence unknown. The row is not to be changed.
func LookupSensor(ref string) (Sensor, bool) {
	name, _, _ := split(ref)
	if name == "" {
		return Sensor{}, false
	}
	for _, s := range sensors {
		if slices.ContainsFunc(s.Images, func(pattern string) bool { return fits(pattern, name) }) {
			return s, true
		}
	}
	return Sensor{}, false
}

// A Toleration lets a pod run on nodes with a taint, in the words of a pod's specification.
type Toleration struct{ Key, Operator, Value, Effect string }

// controlPlane is the key of the taint, with no value and the effect NoSchedule, that kubeadm and others put on the
// nodes of the control plane. Before Kubernetes 1.24 it ended in "master".
const controlPlane = "node-role.kubernetes.io/control-plane"

// LeavesOut names the nodes that a DaemonSet with these settings does not run on, as far as a manifest tells; none
// where it runs everywhere. What every DaemonSet tolerates by itself (not ready, unreachable, short of memory, disk or
// PIDs, unschedulable) leaves nothing out. A node selector on the operating system leaves out the others; it is not
// counted, for a sensor is made for one. "tainted nodes" are those with a taint of the owner's own: whether there are
// any, only the cluster can say.
// See https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations.
func LeavesOut(tolerations []Toleration, nodeSelector map[string]string, requiredAffinity bool) []string {
	var missed []string
	if !slices.ContainsFunc(tolerations, func(t Toleration) bool { return t.tolerates(controlPlane, "NoSchedule") }) {
		missed = append(missed, "control-plane nodes")
	}
	for _, effect := range []string{"NoSchedule", "NoExecute"} {
		if !slices.ContainsFunc(tolerations, func(t Toleration) bool { return t.tolerates("", effect) }) {
			missed = append(missed, "tainted nodes")
			break
		}
	}
	for _, key := range slices.Sorted(maps.Keys(nodeSelector)) {
		if key != "kubernetes.io/os" && key != "beta.kubernetes.io/os" {
			missed = append(missed, "nodes without label "+key+"="+nodeSelector[key])
		}
	}
	if requiredAffinity {
		missed = append(missed, "nodes outside its required affinity")
	}
	return missed
}

// tolerates reports whether t lets a pod stay on a node with a taint that has this key and effect, and no value. Of an
// empty key it reports whether t tolerates all keys.
func (t Toleration) tolerates(key, effect string) bool {
	switch {
	case t.Effect != "" && t.Effect != effect:
		return false
	case t.Key == "":
		return t.Operator == "Exists"
	case t.Key != key:
		return false
	}
	return t.Operator == "Exists" || (t.Operator == "" || t.Operator == "Equal") && t.Value == ""
}
