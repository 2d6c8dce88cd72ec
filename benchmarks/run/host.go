//go:build linux || darwin

package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// hostFiles are a machine with the journal, rsyslog, logrotate and auditd, as far as a scan looks at them.
var hostFiles = map[string]string{
	"etc/hostname":                          "web-1\n",
	"usr/sbin/rsyslogd":                     "",
	"usr/sbin/auditd":                       "",
	"usr/sbin/logrotate":                    "",
	"etc/cron.daily/logrotate":              "/usr/sbin/logrotate /etc/logrotate.conf\n",
	"etc/logrotate.conf":                    "weekly\nrotate 4\n/var/log/syslog /var/log/auth.log {\n}\n",
	"etc/rsyslog.conf":                      "module(load=\"imuxsock\")\nauth,authpriv.* /var/log/auth.log\n*.* /var/log/syslog\n",
	"etc/audit/auditd.conf":                 "log_file = /var/log/audit/audit.log\nmax_log_file = 8\nnum_logs = 5\nmax_log_file_action = rotate\n",
	"etc/audit/audit.rules":                 "-a always,exit -F arch=b64 -S execve -k exec\n",
	"usr/lib/systemd/systemd-journald":      "",
	"usr/lib/systemd/system/x.service":      "[Service]\nExecStart=/usr/bin/true\n",
	"usr/lib/systemd/system/auditd.service": "[Service]\nExecStart=/usr/sbin/auditd\n[Install]\nWantedBy=multi-user.target\n",
	"etc/systemd/system/multi-user.target.wants/auditd.service": "[Unit]\n",
}

// hostLogs are the logs that grow: a third of the bytes each.
var hostLogs = map[string]string{
	"var/log/syslog":          "%s web-1 app[12]: request %d took a moment, and nothing went wrong with it at all\n",
	"var/log/auth.log":        "%s web-1 sshd[12]: Accepted publickey for alice from 192.0.2.7 port %d ssh2\n",
	"var/log/audit/audit.log": "type=SYSCALL msg=audit(1780000000.123:456): %s arch=c000003e syscall=59 success=yes exit=%d\n",
}

// writeHost makes the disk of a machine whose logs are of a size.
func writeHost(dir string, bytes int64) error {
	for name, text := range hostFiles {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			return err
		}
	}
	for name, format := range hostLogs {
		if err := writeLog(filepath.Join(dir, name), format, bytes/int64(len(hostLogs))); err != nil {
			return err
		}
	}
	return nil
}

func writeLog(at, format string, bytes int64) error {
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	f, err := os.Create(at)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for n, left := 0, bytes; left > 0; n++ {
		written, err := fmt.Fprintf(w, format, start.Add(time.Duration(n)*time.Second).Format(time.RFC3339), n)
		if err != nil {
			f.Close()
			return err
		}
		left -= int64(written)
	}
	if err := w.Flush(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// hostRaces compare scans of disks with reading files of theirs: all of them, and of a whole system what lies where settings
// and logs do.
func hostRaces(bin, dir string, sizes map[string]string, runs int, system string) []race {
	scan := func(at string) program {
		return program{"lookback", []string{filepath.Join(bin, "lookback"), "scan", "-o", filepath.Join(dir, "results.json"), "host:" + at}, []int{0, 1}}
	}
	read := func(name, script, at string) program {
		return program{name, []string{"sh", "-c", "cd \"$1\" && " + script, "sh", at}, []int{0}}
	}
	const all = "find . -type f -exec cat {} + >/dev/null"
	var out []race
	for _, name := range []string{"host", "host-large"} {
		at := filepath.Join(dir, name)
		out = append(out, race{"Disk of a host, " + sizes[name], runs, []program{scan(at), read("find, cat", all, at)}})
	}
	if system != "" {
		const places = "find etc boot var/log var/lib/docker lib/systemd usr/lib/systemd/system var/spool/cron -type f -exec cat {} + >/dev/null 2>&1; true"
		out = append(out, race{"Disk of a whole system", runs, []program{
			scan(system), read("find, cat of settings and logs", places, system), read("find, every name", "find . >/dev/null", system),
		}})
	}
	return out
}
