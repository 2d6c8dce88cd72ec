package arriving

import (
	"cmp"

	"lookback/checks"
	"lookback/evidence"
)

// Lossless checks that records are not dropped on the way.
var Lossless = &checks.Check{
	ID:       "arriving-lossless",
	Title:    "No record is dropped on the way when there are many",
	Severity: checks.Medium,
	After:    []string{"recorded-application"},
	Doc: `An intruder is loud: scans, password guessing and exploits write thousands of lines a second. A log driver in
non-blocking mode drops what its buffer cannot hold (1 MB unless set), UDP loses packets without a word, and an audit
webhook in batch mode drops events when its buffer is full, so that the gap falls on the minutes that matter.

Cure, Linux: in rsyslog a queue on disk for what goes out, and TCP with TLS; journald's RateLimitBurst= high enough
for a flood; for auditd "disk_full_action" and "disk_error_action" that do not stop recording, and no rate limit ("-r
0").
Cure, Docker: leave "mode" out (blocking), or give it a "max-buffer-size" of 25 MB or more.
Cure, syslog: tcp+tls:// in place of udp://. A container does not start while its TCP server is down.
Cure, kube-apiserver: write to a file too (--audit-log-path), which waits; or --audit-webhook-mode=blocking.

Some guides ask for non-blocking mode, so that a slow server cannot stall the application; a large buffer serves both.`,
	Judge: checks.Each(lossless),
}

func lossless(v *checks.View, s evidence.LogSource) checks.Verdict {
	remains := checks.Remains(v, s)
	if kept, known := remains.Get(); checks.Lost(s) || known && !kept { // what ends with its container is lost anyway
		return checks.Unasked()
	}
	verdict := checks.Best(s.To, func(d evidence.Delivery) checks.Verdict {
		safe, known := d.Lossless.Get()
		extent, sent := d.Extent.Get()
		switch {
		case d.Lossless.IsMoot(), sent && extent.Grade == evidence.None:
			return checks.Unasked()
		case !sent:
			return checks.NotKnown(d.Extent)
		case !known:
			return checks.NotKnown(d.Lossless)
		case safe:
			return checks.Passed(d.Lossless, "%s waits when its store is slow", s.Name)
		case d.Buffer.IsMoot():
			return checks.Failed(d.Lossless, "%s goes by a way that loses records silently: %s", s.Name, cmp.Or(d.Lossless.At().Note, "UDP, or batches that may be dropped")).As(checks.Low)
		}
		buffer, known := d.Buffer.Get()
		if !known {
			return checks.NotKnown(d.Buffer)
		}
		fail := checks.Failed(d.Lossless, "%s is dropped when a buffer of %s is full", s.Name, checks.Size(buffer))
		if buffer >= v.Policy.Buffer {
			return fail.As(checks.Low)
		}
		return fail
	})
	if verdict.Outcome == checks.Fail && remains.IsUnknown() {
		verdict = checks.NotKnown(remains)
	}
	return checks.Decided(verdict, s)
}
