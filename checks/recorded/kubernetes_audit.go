package recorded

import (
	"lookback/checks"
	"lookback/evidence"
)

// KubernetesAudit checks that a cluster writes an audit log.
var KubernetesAudit = &checks.Check{
	ID:       "recorded-kubernetes-audit",
	Title:    "The Kubernetes API server writes an audit log",
	Severity: checks.High,
	Doc: `The audit log is the only record of who asked the cluster to do what: which token read the secrets, who opened a shell
in which pod, who made themselves cluster-admin. Without a policy file the API server records nothing, even when a log
path is set; without a path or a webhook it records to nowhere.

Cure, AWS: turn on the control plane log "audit" of the EKS cluster; it goes to CloudWatch Logs.
Cure, a self-run control plane: give kube-apiserver --audit-policy-file and --audit-log-path (or
--audit-webhook-config-file), and mount both into the static pod.

Other tools: the hostPath volumes for it trip Trivy AVD-KSV-0023 (put the id in .trivyignore), and KICS b7652612 where a
folder below /etc or /var is mounted writable ("# kics-scan ignore-line" above the mountPath).`,
	Judge: checks.About(evidence.KubernetesAPI, kubernetesAudit),
}

func kubernetesAudit(_ *checks.View, cluster evidence.Asset, logs []evidence.LogSource) checks.Verdict {
	if len(logs) == 0 {
		return checks.Failed(cluster.Looked[evidence.KubernetesAPI], "%s %q writes no audit log", cluster.Kind, cluster.Name)
	}
	return checks.Best(logs, func(l evidence.LogSource) checks.Verdict {
		on, known := l.Enabled.Get()
		switch {
		case !known: // moot for a policy file alone, without the server that reads it
			return checks.NotKnown(l.Enabled)
		case !on:
			return checks.Failed(l.Enabled, "%s %q writes no audit log", cluster.Kind, cluster.Name)
		}
		return checks.Passed(l.Enabled, "%s %q writes an audit log", cluster.Kind, cluster.Name)
	})
}
