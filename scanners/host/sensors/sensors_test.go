package sensors

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"lookback/evidence"
	"lookback/scanners/host/hosttest"
	"lookback/scanners/host/scope"
)

const stock = "[Service]\nExecStart=/x\n[Install]\nWantedBy=multi-user.target\n"

// journalled records a journal, as the reader of journald does.
func journalled(_ context.Context, s *scope.Scope) {
	s.Record(s.DiskStore(s.ID("journal"), "journal", "the journal", scope.At("etc/systemd/journald.conf", 0)))
}

// said is what the sources of a set say of processes.
func said(set *evidence.Set) (out []string) {
	for _, r := range set.Records {
		s, ok := r.(*evidence.LogSource)
		if !ok || s.Activity != evidence.Process {
			continue
		}
		line := s.Name
		if on, known := s.Enabled.Get(); known {
			line += fmt.Sprintf(" on=%v", on)
		} else {
			line += " " + s.Enabled.Why().String()
		}
		for _, p := range []evidence.Part{evidence.PartProcessStart, evidence.PartConnections, evidence.PartFileWrites} {
			if e, known := s.Parts[p].Get(); known {
				line += fmt.Sprintf(" %s=%s", p, e.Grade)
			}
		}
		for _, d := range s.To {
			line += " -> " + d.To.Thing()
			if d.To.Thing() == "" {
				line += string(d.To)
			}
		}
		if s.Complete.IsUnknown() {
			line += " or elsewhere"
		}
		out = append(out, line)
	}
	return out
}

func TestWhatSensorsRecord(t *testing.T) {
	falcoYAML := "stdout_output:\n  enabled: false\nsyslog_output:\n  enabled: false\nfile_output:\n  enabled: true\n  keep_alive: false\n  filename: /var/log/falco.log\nhttp_output:\n  enabled: true\n  url: https://me:secret@falcosidekick.example.net:2801/x\n"
	osqueryConf := "{\n// comment\n\"options\": {\"disable_audit\": \"false\", \"logger_path\": \"/var/log/osquery\"}, \"schedule\": {\"p\": {\"query\": \"SELECT * FROM process_events;\", \"interval\": 60}}}"
	for name, test := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"none": {map[string]string{"etc/hostname": "x"}, nil},
		"Falco as its package sets it": {
			hosttest.Service("falco-modern-bpf.service", "/x", map[string]string{"etc/falco/falco.yaml": "stdout_output: {enabled: true}\nsyslog_output: {enabled: false}\n"}),
			[]string{"Falco on=true process-create=some connections=some file-writes=some -> journal"},
		},
		"Falco with a file and a server": {
			hosttest.Service("falco-modern-bpf.service", "/x", map[string]string{"etc/falco/falco.yaml": falcoYAML}),
			[]string{"Falco on=true process-create=some connections=some file-writes=some -> var/log/falco.log -> http:falcosidekick.example.net:2801//"},
		},
		"Falco with all outputs off": {
			hosttest.Service("falco-modern-bpf.service", "/x", map[string]string{"etc/falco/falco.yaml": "stdout_output: {enabled: false}\nsyslog_output: {enabled: false}\n"}),
			[]string{"Falco on=false process-create=some connections=some file-writes=some"},
		},
		"Falco whose outputs another file turns off": {
			hosttest.Service("falco-modern-bpf.service", "/x", map[string]string{
				"etc/falco/falco.yaml": "stdout_output: {enabled: true}\nsyslog_output: {enabled: true}\n", "etc/falco/config.d/a.yaml": "stdout_output: {enabled: false}\nsyslog_output: {enabled: false}\n",
				"etc/falco/config.d/b.yaml": "stdout_output: {enabled: true}\n",
			}),
			[]string{"Falco on=true process-create=some connections=some file-writes=some -> journal"},
		},
		"Falco without a driver": {
			hosttest.Service("falco-custom.service", "/x", map[string]string{"etc/falco/falco.yaml": "engine: {kind: nodriver}\nsyslog_output: {enabled: false}\n"}),
			[]string{"Falco on=false process-create=some connections=some file-writes=some -> journal"},
		},
		"Falco that runs as the second of its units": {
			hosttest.Service("falco-kmod.service", "/x", map[string]string{"usr/lib/systemd/system/falco-modern-bpf.service": stock, "etc/falco/falco.yaml": "syslog_output: {enabled: false}\n"}),
			[]string{"Falco on=true process-create=some connections=some file-writes=some -> journal"},
		},
		"Tetragon that leaves machines out": {
			hosttest.Service("tetragon.service", "/x", map[string]string{
				"etc/tetragon/tetragon.conf.d/export-filename": "/t.log", "etc/tetragon/tetragon.conf.d/export-denylist": "{\"health_check\":true}\n{\"namespace\":[\"\", \"kube-system\"]}\n",
			}),
			[]string{"Tetragon on=true process-create=some connections=none file-writes=none -> t.log"},
		},
		"Tetragon that exports programs among others": {
			hosttest.Service("tetragon.service", "/x", map[string]string{
				"etc/tetragon/tetragon.conf.d/export-filename": "/t.log", "etc/tetragon/tetragon.conf.d/export-allowlist": "{\"event_set\":[\"PROCESS_EXEC\", \"PROCESS_EXIT\"]}\n",
				"etc/tetragon/tetragon.conf.d/export-denylist": "{\"health_check\":true}\n",
			}),
			[]string{"Tetragon on=true process-create=all connections=none file-writes=none -> t.log"},
		},
		"Tetragon that exports no programs": {
			hosttest.Service("tetragon.service", "/x", map[string]string{
				"etc/tetragon/tetragon.conf.d/export-filename": "/t.log", "etc/tetragon/tetragon.conf.d/export-allowlist": "{\"event_set\":[\"PROCESS_KPROBE\"]}\n",
			}),
			[]string{"Tetragon on=true process-create=none connections=none file-writes=none -> t.log"},
		},
		"osquery that asks for sockets that nobody records": {
			hosttest.Service("osqueryd.service", "/x", map[string]string{
				"etc/osquery/osquery.flags": "--disable_audit=false\n", "etc/osquery/osquery.conf": "{\"schedule\": {\"p\": {\"query\": \"SELECT * FROM process_events;\"}, \"q\": {\"query\": \"SELECT * FROM socket_events;\"}}}",
			}),
			[]string{"osquery on=true process-create=all connections=none -> var/log/osquery/osqueryd.results.log"},
		},
		"osquery that records sockets": {
			hosttest.Service("osqueryd.service", "/x", map[string]string{
				"etc/osquery/osquery.flags": "--disable_audit=false\n--audit_allow_sockets\n", "etc/osquery/osquery.conf": "{\"schedule\": {\"p\": {\"query\": \"SELECT * FROM process_events;\"}, \"q\": {\"query\": \"select * from socket_events\"}}}",
			}),
			[]string{"osquery on=true process-create=all connections=all -> var/log/osquery/osqueryd.results.log"},
		},
		"osquery whose question is for another publisher": {
			hosttest.Service("osqueryd.service", "/x", map[string]string{
				"etc/osquery/osquery.flags": "--disable_audit=false\n", "etc/osquery/osquery.conf": "{\"schedule\": {\"p\": {\"query\": \"SELECT * FROM bpf_process_events;\"}}}",
			}),
			[]string{"osquery on=false process-create=all connections=none -> var/log/osquery/osqueryd.results.log"},
		},
		"Falco with a broken configuration": {
			hosttest.Service("falco-modern-bpf.service", "/x", map[string]string{"etc/falco/falco.yaml": "a: [\n"}), []string{"Falco failed or elsewhere"},
		},
		"Tetragon that exports to a file": {
			hosttest.Service("tetragon.service", "/x", map[string]string{"usr/local/lib/tetragon/tetragon.conf.d/export-filename": "/var/log/tetragon/tetragon.log\n"}),
			[]string{"Tetragon on=true process-create=all connections=none file-writes=none -> var/log/tetragon/tetragon.log"},
		},
		"Tetragon that exports nothing": {
			hosttest.Service("tetragon.service", "/x", nil), []string{"Tetragon on=false process-create=all connections=none file-writes=none"},
		},
		"Tetragon with policies": {
			hosttest.Service("tetragon.service", "/x", map[string]string{"etc/tetragon/tetragon.conf.d/export-filename": "/t.log", "etc/tetragon/tetragon.tp.d/a.yaml": "kind: TracingPolicy\n"}),
			[]string{"Tetragon on=true process-create=all -> t.log"},
		},
		"osquery that answers questions": {
			hosttest.Service("osqueryd.service", "/x", map[string]string{"etc/osquery/osquery.conf": "{\"schedule\": {\"p\": {\"query\": \"SELECT * FROM processes;\"}}}"}),
			[]string{"osquery on=false process-create=all connections=none -> var/log/osquery/osqueryd.results.log"},
		},
		"osquery that records program starts": {
			hosttest.Service("osqueryd.service", "/x", map[string]string{"etc/osquery/osquery.conf": osqueryConf}),
			[]string{"osquery on=true process-create=all connections=none -> var/log/osquery/osqueryd.results.log"},
		},
		"osquery that a server manages": {
			hosttest.Service("osqueryd.service", "/x", map[string]string{"etc/osquery/osquery.flags": "--config_plugin=tls\n--tls_hostname=x\n"}),
			[]string{"osquery elsewhere or elsewhere"},
		},
		"the Datadog agent as installed":          {hosttest.Service("datadog-agent.service", "/x", nil), []string{"Datadog Agent on=false"}},
		"the Datadog agent with runtime security": {hosttest.Service("datadog-agent.service", "/x", map[string]string{"etc/datadog-agent/system-probe.yaml": "runtime_security_config:\n  enabled: true\n"}), []string{"Datadog Agent on=true process-create=some connections=some file-writes=some or elsewhere"}},
		"a vendor's agent is present, which is not recording": {
			hosttest.Service("falcon-sensor.service", "/x", nil), []string{"CrowdStrike Falcon elsewhere or elsewhere"},
		},
		"a vendor's agent that does not start": {
			map[string]string{"usr/lib/systemd/system/mdatp.service": stock}, []string{"Microsoft Defender for Endpoint on=false or elsewhere"},
		},
		"two sensors": {
			hosttest.Service("falcon-sensor.service", "/x", hosttest.Service("datadog-agent.service", "/x", nil)), []string{"CrowdStrike Falcon elsewhere or elsewhere", "Datadog Agent on=false"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := said(hosttest.Scan(t, test.files, journalled, Read))
			if !slices.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

func TestASensorThatDoesNotRunRecordsNothing(t *testing.T) {
	files := hosttest.Service("falcon-sensor.service", "/x", map[string]string{"sys/fs/cgroup/cgroup.controllers": "cpu", "sys/fs/cgroup/system.slice/x.service/cgroup.procs": "1\n"})
	set := hosttest.Run(t, hosttest.Image(t, files), func(s *scope.Scope) { s.Live = true }, Read)
	if got := said(set); len(got) != 1 || !strings.HasPrefix(got[0], "CrowdStrike Falcon on=false") {
		t.Errorf("got %q", got)
	}
}

func TestASensorThatRunsThoughNothingStartsItRecords(t *testing.T) {
	files := map[string]string{
		"usr/lib/systemd/system/tetragon.service": stock, "etc/tetragon/tetragon.conf.d/export-filename": "/t.log",
		"sys/fs/cgroup/cgroup.controllers": "cpu", "sys/fs/cgroup/system.slice/tetragon.service/cgroup.events": "populated 1\nfrozen 0\n",
	}
	set := hosttest.Run(t, hosttest.Image(t, files), func(s *scope.Scope) { s.Live = true }, Read)
	if got := said(set); len(got) != 1 || !strings.HasPrefix(got[0], "Tetragon on=true") {
		t.Errorf("got %q", got)
	}
}

func TestAHostWithoutASensorFailsAndOneWithAVendorsIsNotAssessed(t *testing.T) {
	for want, files := range map[string]map[string]string{
		"fail watched-processes host:web-1//host: no sensor watches": {"etc/hostname": "x"},
		"not-assessed watched-processes host:web-1//host: ":          hosttest.Service("sentinelone.service", "/x", nil),
	} {
		lines := hosttest.Judge(hosttest.Scan(t, files, Read))
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, want) }) {
			t.Errorf("no line %q in\n%s", want, strings.Join(lines, "\n"))
		}
	}
}
