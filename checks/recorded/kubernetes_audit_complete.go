package recorded

import (
	"lookback/checks"
	"lookback/evidence"
)

// KubernetesAuditComplete checks that an audit log holds what an intruder does.
var KubernetesAuditComplete = &checks.Check{
	ID:       "recorded-kubernetes-audit-complete",
	Title:    "The Kubernetes audit log holds shells, tunnels, secret reads and changes of rights",
	Severity: checks.Medium,
	After:    []string{"recorded-kubernetes-audit"},
	Doc: `An audit policy is a list of rules, and the first that matches decides. A rule written to save space ("level: None" for
secrets, for reads, or for whatever no rule names) takes away exactly what an intruder does: exec and attach, port
forwarding, reading secrets, binding roles, asking for tokens.

Cure: record "Metadata" for pods/exec, pods/attach, pods/portforward, secrets, serviceaccounts/token and the kinds of
rbac.authorization.k8s.io before any rule that says None, and end with a rule without conditions.

"Metadata" is enough, and keeps the secrets themselves out of the log.`,
	Judge: checks.About(evidence.KubernetesAPI, kubernetesAuditComplete),
}

var auditParts = []evidence.Part{
	evidence.PartExec, evidence.PartAttach, evidence.PartPortForward,
	evidence.PartSecretReads, evidence.PartRBACChanges, evidence.PartTokenRequests,
}

func kubernetesAuditComplete(_ *checks.View, cluster evidence.Asset, logs []evidence.LogSource) checks.Verdict {
	if len(logs) == 0 {
		return checks.Failed(cluster.Looked[evidence.KubernetesAPI], "%s %q writes no audit log", cluster.Kind, cluster.Name)
	}
	return checks.Worst(auditParts, func(part evidence.Part) checks.Verdict {
		return checks.Best(logs, func(l evidence.LogSource) checks.Verdict {
			extent, known := l.Parts[part].Get()
			switch {
			case checks.Off(l):
				return checks.Failed(l.Enabled, "%s %q writes no audit log", cluster.Kind, cluster.Name)
			case !known && l.Enabled.IsUnknown():
				return checks.NotKnown(l.Enabled)
			case !known:
				return checks.NotKnown(l.Parts[part])
			case extent.Grade == evidence.None:
				return checks.Failed(l.Parts[part], "the audit policy of %q records no %s", cluster.Name, part).As(checks.High)
			case extent.Grade != evidence.All:
				return checks.Failed(l.Parts[part], "the audit policy of %q records %s only in part: %s", cluster.Name, part, extent.But)
			case l.Enabled.IsUnknown():
				return checks.NotKnown(l.Enabled)
			}
			return checks.Passed(l.Parts[part], "the audit policy of %q records %s", cluster.Name, part)
		})
	})
}
