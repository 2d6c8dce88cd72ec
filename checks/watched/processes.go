package watched

import (
	"lookback/checks"
	"lookback/evidence"
)

// Processes checks that a sensor records what runs.
var Processes = &checks.Check{
	ID:       "watched-processes",
	Title:    "A sensor records what runs on the nodes",
	Severity: checks.Medium,
	Doc: `An audit log shows that somebody opened a shell; only a sensor on the node (Falco, Tetragon, Sysmon, an EDR agent)
shows what was typed in it. Some agents are installed everywhere and record nothing, because their chart leaves runtime
security off: the Datadog agent is one.

Cure, Linux: a sensor that records: auditd with a rule for execve, Sysmon, Tetragon, or an EDR agent.
Cure, Windows: Sysmon (a feature of Windows 11 and Server 2025), an EDR agent, or the audit policy "Process Creation"
with command lines.
Cure, AWS: mend the agent where GuardDuty says that it does not report (its version, the VPC endpoint, the role), or put
a sensor of your own on the machine.
Cure, Compose: turn on what the message names.
Cure, Kubernetes: turn on what the message names. Manifests without any sensor are not asked: only the cluster can
answer for them.

Other tools: a sensor needs the node. It trips Trivy AVD-KSV-0017 (privileged), AVD-KSV-0023 and AVD-KSV-0121 (hostPath;
ids in .trivyignore), KICS dd29336b ("# kics-scan ignore-line" above "privileged: true"), and kube-linter's
privileged-container, host-pid and sensitive-host-mounts (annotations ignore-check.kube-linter.io/NAME: "sensor").`,
	Judge: checks.About(evidence.Process, processes),
}

func processes(_ *checks.View, nodes evidence.Asset, sensors []evidence.LogSource) checks.Verdict {
	if len(sensors) == 0 {
		return checks.Failed(nodes.Looked[evidence.Process], "no sensor watches %s", checks.Named(nodes.Subject)).
			Many("no sensor watches %d machines and clusters")
	}
	return checks.Best(sensors, func(s evidence.LogSource) checks.Verdict {
		on, known := s.Enabled.Get()
		switch {
		case !known:
			return checks.NotKnown(s.Enabled)
		case !on && s.Enabled.At().Call != "": // a service says so of an agent that it waits for
			return checks.Failed(s.Enabled, "%s does not report from %s%s", s.Name, checks.Named(nodes.Subject), checks.Why(s.Enabled))
		case !on:
			return checks.Failed(s.Enabled, "%s is there, and %s is off", s.Name, s.Records)
		}
		if starts, named := s.Parts[evidence.PartProcessStart]; named {
			switch extent, known := starts.Get(); {
			case !known:
				return checks.NotKnown(starts)
			case extent.Grade == evidence.None:
				return checks.Failed(starts, "%s does not record programs that start", s.Name)
			}
		}
		return checks.Passed(s.Enabled, "%s watches %s", s.Name, checks.Named(nodes.Subject))
	})
}
