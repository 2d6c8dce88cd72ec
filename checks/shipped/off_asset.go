package shipped

import (
	"lookback/checks"
	"lookback/evidence"
)

// OffAsset checks that records outlive the container that wrote them.
var OffAsset = &checks.Check{
	ID:       "shipped-off-asset",
	Title:    "The records outlive the container that wrote them",
	Severity: checks.Medium,
	After:    []string{"recorded-application"},
	Doc: `Containers are replaced many times a day, and their log files are deleted with them: the json-file and local drivers of
Docker keep output as long as the container is there, the kubelet's files go with the pod, and so does what was written
inside the container or into an emptyDir. If the service is replaced before anyone looks, nothing shows what ran.

Cure, Compose: a log driver that sends output away (syslog over TLS, fluentd, gelf, awslogs, ...), or at least journald;
a named volume over the folder for images that log to files. The line can stand once, as an x-logging anchor.
Cure, a Docker daemon that ships by default: say so under "platform:" in lookback.yaml, or scan it (--with).
Cure, Linux: "log-driver" in /etc/docker/daemon.json (journald, syslog over TLS, ...), which holds for containers that
are made from then on; or a shipper that reads /var/lib/docker/containers.
Cure, Kubernetes: a collector on every node; for files inside the container a claim, or a sidecar that prints them.
Cure, AWS: a "logConfiguration" for the container in the task definition: "awslogs", or "awsfirelens" with a router that
sends away.

Do not put a volume on /var/log of an image that logs to standard output: see arriving-not-hidden.

Other tools: a writable volume below /var trips KICS b7652612 in Kubernetes, a bind mount from there KICS 1c1325ff in
Compose: "# kics-scan ignore-line" above the line. A collector's hostPath trips Trivy AVD-KSV-0023, and AVD-KSV-0121
where it is /var/lib/docker itself (ids in .trivyignore); its Docker socket trips kube-linter's docker-sock (annotation
ignore-check.kube-linter.io/docker-sock: "reads container logs").`,
	Judge: checks.Each(offAsset),
}

func offAsset(v *checks.View, s evidence.LogSource) checks.Verdict {
	if checks.Lost(s) || !v.CanEnd(s) {
		return checks.Unasked()
	}
	if len(s.To) == 0 {
		return checks.Decided(checks.Failed(s.Complete, "%s goes nowhere", s.Name), s)
	}
	best := checks.Best(v.Reached(s), func(r checks.Reached) checks.Verdict {
		if a := checks.Arrives(r); a.Outcome != checks.Pass {
			return a
		}
		lives, known := v.Outlives(r.Store, s).Get()
		switch on := checks.Cite(v, r, r.Store.On); {
		case !known:
			return checks.NotKnown(v.Outlives(r.Store, s))
		case lives:
			return checks.Passed(on, "%s goes to %s", s.Name, r.Store.Name)
		case on.At().Note == evidence.NoteDockerDefault:
			return checks.Failed(on, "%s is left to the daemon; Docker's own default keeps it only as long as the container", s.Name).
				Many("%d services leave the log driver to the daemon; Docker's own default keeps their output only as long as the container")
		default:
			fail := checks.Failed(on, "%s is kept in %s, which ends with it", s.Name, r.Store.Name)
			if memory, _ := r.Store.Memory.Get(); memory && checks.True(s.Enabled) && r.Store.Memory.At().Written() {
				return fail.As(checks.High)
			}
			return fail
		}
	})
	if best.Outcome == checks.Fail {
		for _, r := range v.Reached(s) {
			if e, known := r.By.Extent.Get(); known && e.Grade == evidence.None {
				return checks.Failed(r.By.Extent, "%s ends with it: %s", s.Name, e.But).As(checks.High)
			}
		}
	}
	return checks.Decided(best, s)
}
