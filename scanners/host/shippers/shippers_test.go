package shippers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"lookback/evidence"
	"lookback/scanners/host/hosttest"
	"lookback/scanners/host/scope"
	"lookback/scanners/shipper"
)

// logs records the stores that other readers would have found.
func logs(_ context.Context, s *scope.Scope) {
	for _, thing := range []string{"journal", "var/log/auth.log", "var/log/audit/audit.log", "docker/web/stdout"} {
		store := s.DiskStore(s.ID(thing), "log file", thing, scope.At(thing, 0))
		store.Kept, store.Bytes = evidence.Known(0, store.At), evidence.Known[int64](1<<20, store.At)
		s.Record(store)
	}
}

const enabled = "[Service]\nExecStart=%s\n[Install]\nWantedBy=multi-user.target\n"

// said is what became of the stores: "var/log/auth.log -> es:logs:9200//".
func said(set *evidence.Set) (out []string) {
	for _, r := range set.Records {
		store, ok := r.(*evidence.LogStore)
		if !ok {
			continue
		}
		for _, d := range store.To {
			line := fmt.Sprintf("%s -> %s", store.ID.Thing(), d.To)
			if lossless, known := d.Lossless.Get(); known {
				line += fmt.Sprintf(" lossless=%v", lossless)
			}
			if e, known := d.Error.Get(); known {
				line += " " + e
			}
			out = append(out, line)
		}
		if store.Complete.IsUnknown() {
			out = append(out, fmt.Sprintf("%s perhaps (%s: %s)", store.ID.Thing(), store.Complete.Why(), store.Complete.At().Note))
		}
	}
	return out
}

func TestWhatShippersTakeAway(t *testing.T) {
	filebeat := "filebeat.inputs:\n- type: filestream\n  paths: [/var/log/*.log]\noutput.elasticsearch:\n  hosts: [\"https://es.example.net:9200\"]\n"
	everything := func(why string) (out []string) {
		for _, thing := range []string{"docker/web/stdout", "journal", "var/log/audit/audit.log", "var/log/auth.log"} {
			out = append(out, thing+" perhaps "+why)
		}
		return out
	}
	for name, test := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"none": {map[string]string{"etc/hostname": "x"}, nil},
		"Filebeat takes the files of its inputs": {
			hosttest.Service("filebeat.service", "/usr/share/filebeat/bin/filebeat --environment systemd", map[string]string{"etc/filebeat/filebeat.yml": filebeat}),
			[]string{"var/log/auth.log -> elasticsearch:es.example.net:9200//"},
		},
		"an agent that is not enabled takes nothing": {
			map[string]string{"usr/lib/systemd/system/filebeat.service": fmt.Sprintf(enabled, "/x"), "etc/filebeat/filebeat.yml": filebeat}, nil,
		},
		"an output on the machine takes nothing away": {
			hosttest.Service("vector.service", "/usr/bin/vector", map[string]string{"etc/vector/vector.yaml": "sources: {j: {type: journald}}\nsinks: {c: {type: console, inputs: [j], encoding: {codec: json}}}\n"}), nil,
		},
		"Vector takes the journal, and keeps a queue on the disk": {
			hosttest.Service("vector.service", "/usr/bin/vector", map[string]string{"etc/vector/vector.yaml": "sources: {j: {type: journald}}\nsinks: {h: {type: http, uri: \"https://in.example.net\", inputs: [j], encoding: {codec: json}, buffer: {type: disk, max_size: 1000000000}}}\n"}),
			[]string{"journal -> http:in.example.net// lossless=true"},
		},
		"Splunk takes a folder": {
			hosttest.Service("SplunkForwarder.service", "/opt/splunkforwarder/bin/splunk _internal_launch_under_systemd", map[string]string{
				"opt/splunkforwarder/etc/system/local/inputs.conf":  "[monitor:///var/log/audit]\nindex = os\n[monitor:///var/log/auth.log]\ndisabled = 1\n",
				"opt/splunkforwarder/etc/system/local/outputs.conf": "[tcpout:main]\nserver = splunk.example.net:9997, b:9997\n",
			}),
			[]string{"var/log/audit/audit.log -> splunk:splunk.example.net:9997// lossless=false"},
		},
		"the journal is uploaded": {
			hosttest.Service("systemd-journal-upload.service", "/usr/lib/systemd/systemd-journal-upload --save-state", map[string]string{"etc/systemd/journal-upload.conf": "[Upload]\nURL=https://me:secret@logs.example.net:19532/x\n"}),
			[]string{"journal -> journal-remote:logs.example.net:19532// lossless=true"},
		},
		"an agent that is managed elsewhere may take anything": {
			hosttest.Service("azuremonitoragent.service", "/opt/microsoft/azuremonitoragent/bin/mdsd", nil),
			everything("(elsewhere: what Azure Monitor Agent takes away is decided where it is managed)"),
		},
		"a configuration that is not there": {
			hosttest.Service("filebeat.service", "/usr/share/filebeat/bin/filebeat", nil),
			everything("(elsewhere: the configuration of Filebeat is not where its package puts it)"),
		},
		"a configuration that does not parse": {
			hosttest.Service("filebeat.service", "/usr/share/filebeat/bin/filebeat", map[string]string{"etc/filebeat/filebeat.yml": "a: [\n"}),
			everything("(failed: )"),
		},
		"the file that the unit names counts": {
			hosttest.Service("promtail.service", "/usr/bin/promtail -config.file=/etc/other.yml", map[string]string{
				"etc/promtail/config.yml": "bad: [",
				"etc/other.yml":           "clients:\n- url: https://loki.example.net/push\nscrape_configs:\n- job_name: a\n  static_configs:\n  - labels: {__path__: /var/log/*.log}\n",
			}),
			[]string{"var/log/auth.log -> loki:loki.example.net//"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := said(hosttest.Scan(t, test.files, logs, Read))
			if !slices.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

func TestAnAgentThatDoesNotRunDeliversNothing(t *testing.T) {
	files := hosttest.Service("systemd-journal-upload.service", "/x", map[string]string{
		"etc/systemd/journal-upload.conf": "[Upload]\nURL=logs.example.net\n", "sys/fs/cgroup/cgroup.controllers": "cpu", "sys/fs/cgroup/system.slice/x.service/cgroup.procs": "1\n",
	})
	set := hosttest.Run(t, hosttest.Image(t, files), func(s *scope.Scope) { s.Live = true }, logs, Read)
	if got := said(set); len(got) != 1 || !strings.HasSuffix(got[0], "systemd-journal-upload does not run") {
		t.Errorf("got %q", got)
	}
}

func TestEveryProductHasASourceAndAParser(t *testing.T) {
	for _, p := range products {
		_, known := find(p.name)
		if p.source == "" || len(p.units) == 0 || !p.remote && (len(p.configs) == 0 || !known && p.name != splunk && p.name != journalUpload) {
			t.Errorf("%s: incomplete", p.name)
		}
	}
}

func TestGlobsOfInputs(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"/var/log/*.log", "/var/log/auth.log", true},
		{"/var/log/*.log", "/var/log/audit/audit.log", false},
		{"/var/log/**", "/var/log/audit/audit.log", true},
		{"/var/log/**", "/srv/a.log", false},
		{"/var/log/**/*.log", "/var/log/audit/audit.log", true},
		{"/srv/**/*", "/var/log/x", false},
		{"[", "[", false},
	} {
		if got := match(test.pattern, test.name); got != test.want {
			t.Errorf("%s %s: %v", test.pattern, test.name, got)
		}
	}
	if !reads(shipper.Input{Kind: shipper.Containers}, &evidence.LogStore{Subject: evidence.Subject{ID: "host:a//docker/containers/x/stdout"}}) {
		t.Error("the output of containers is not read")
	}
}
