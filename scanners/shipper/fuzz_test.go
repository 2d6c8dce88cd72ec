package shipper

import (
	"slices"
	"strings"
	"testing"
)

// fuzz reads whatever text as the configuration of an image, once with every variable known and once with none.
func fuzz(f *testing.F, image string, names []string, seeds ...string) {
	p := product(f, image)
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range names {
			for _, vars := range []Vars{nil, env("A=b.example.net")} {
				files := []File{{Name: name, Text: []byte(text)}, {Name: "/etc/x/inc.conf", Text: []byte(text), Included: true}}
				c, err := p.Read(files, vars)
				if err != nil {
					continue
				}
				sane(t, c)
			}
		}
		if c, _, err := p.Flags(strings.Fields(text), nil); err == nil {
			sane(t, c)
		}
	})
}

func sane(t *testing.T, c Config) {
	t.Helper()
	for _, o := range c.Outputs {
		if strings.ContainsAny(o.Host, "@/?# \x00") {
			t.Errorf("output %q has the host %q", o.Name, o.Host)
		}
		if o.Reach == Unknown && o.Host != "" {
			t.Errorf("output %q is at %q, and unknown", o.Name, o.Host)
		}
		for _, i := range slices.Concat(o.From, o.Part) {
			if i < 0 || i >= len(c.Inputs) {
				t.Errorf("output %q takes input %d of %d", o.Name, i, len(c.Inputs))
			}
		}
		for _, i := range o.Part {
			if slices.Contains(o.From, i) {
				t.Errorf("output %q takes all and a part of input %d", o.Name, i)
			}
		}
	}
	for _, in := range c.Inputs {
		if strings.Contains(in.Name+strings.Join(slices.Concat(in.Paths, in.Exclude, in.Only), ""), unresolved) {
			t.Errorf("input %q holds what is unresolved", in.Name)
		}
	}
}

func FuzzFluentBit(f *testing.F) {
	fuzz(f, "fluent/fluent-bit", []string{"/etc/x/a.conf", "/etc/x/a.yaml"},
		"@SET A=b\n@INCLUDE inc.conf\n[INPUT]\n Name tail\n Path /l/*.log\n Tag k.*\n[FILTER]\n Name rewrite_tag\n Match k.*\n Rule a b c.$TAG x\n[OUTPUT]\n Name es\n Match k.*\n Host ${A}\n",
		"env: {A: b}\npipeline:\n  inputs: [{name: tail, path: /l}]\n  outputs: [{name: forward, match: '*', host: x}]\n",
		"-i tail -p path=/l -o forward://h:1 -m * -c x")
}

func FuzzFluentd(f *testing.F) {
	fuzz(f, "fluent/fluentd", []string{"/etc/x/a.conf", "/etc/x/a.yaml"},
		"@include inc.conf\n<source>\n@type tail\npath /l\ntag a.*\n@label @X\n</source>\n<label @X>\n<match {a,b}.**>\n@type copy\n<store>\n@type elasticsearch\nhost \"#{ENV['A'] || 'x'}\"\n</store>\n</match>\n</label>",
		"<source>\n@type forward\n</source>\n<match **>\n@type rewrite_tag_filter\n<rule>\nkey a\ntag b.$1\n</rule>\n</match>\n<match b.**>\n@type relabel\n@label @Y\n</match>",
		"config:\n- source: {$type: forward}\n- match: {$tag: '**', $type: forward, server: [{host: x}]}\n")
}

func FuzzVector(f *testing.F) {
	fuzz(f, "timberio/vector", []string{"/etc/x/a.toml", "/etc/x/a.yaml"},
		"[sources.a]\ntype = \"file\"\ninclude = [\"/l\"]\n[transforms.b]\ntype = 'filter'\ninputs = ['a']\n[sinks.c]\ntype = \"http\"\ninputs = [\"b\", \"a*\"]\nuri = \"https://${A:-x}\"\n",
		"sources: {a: {type: docker_logs}}\nsinks: {b: {type: socket, address: '${A}', inputs: [a]}}\n", "a = [[[[1]]]]\n[a.b.c]\n'x' = '''\n'''\n")
}

func FuzzBeats(f *testing.F) {
	fuzz(f, "docker.elastic.co/beats/filebeat", []string{"/etc/x/a.yml"},
		"filebeat.inputs: [{type: log, paths: [/l]}]\nfilebeat.config.inputs.path: /etc/x/*.conf\noutput.elasticsearch.hosts: '${A:x}'\n",
		"filebeat.autodiscover.providers: [{type: kubernetes, hints.enabled: true}]\na: &a [1]\nb: *a\n", "-E output.logstash.hosts=[x] -c y")
}

func FuzzAgent(f *testing.F) {
	fuzz(f, "docker.elastic.co/beats/elastic-agent", []string{"/etc/x/a.yml"},
		"inputs: [{type: filestream, streams: [{paths: [/l]}]}]\noutputs: {default: {type: elasticsearch, hosts: ['${A}']}}\n")
}

func FuzzPromtail(f *testing.F) {
	fuzz(f, "grafana/promtail", []string{"/etc/x/a.yml"},
		"clients: [{url: 'http://u:p@${A}/x'}]\nscrape_configs:\n- static_configs: [{labels: {__path__: /l}}]\n  pipeline_stages: [{match: {stages: [{drop: {}}]}}]\n- docker_sd_configs: [{host: 'unix:///s'}]\n")
}

func FuzzAlloy(f *testing.F) {
	fuzz(f, "grafana/alloy", []string{"/etc/x/a.alloy"},
		"loki.source.file \"a\" {\n targets = [{\"__path__\" = \"/l\"}]\n forward_to = [loki.write.b.receiver]\n}\nloki.write \"b\" {\n endpoint { url = \"http://\" + sys.env(\"A\") + f(g(1)) }\n}\n// c\n/* d */")
}

func FuzzOTel(f *testing.F) {
	fuzz(f, "otel/opentelemetry-collector-contrib", []string{"/etc/x/a.yaml"},
		"receivers: {otlp: {}}\nconnectors: {forward: {}}\nexporters: {otlp: {endpoint: '${env:A:-x}'}}\nservice: {pipelines: {logs: {receivers: [otlp], exporters: [otlp, forward]}, logs/b: {receivers: [forward], exporters: [otlp]}}}\n",
		"--config=yaml:a::b:c --set x=y")
}

func FuzzLogstash(f *testing.F) {
	fuzz(f, "logstash", []string{"/etc/x/a.conf"},
		"input { beats { port => 5044 codec => json { a => [1, {b => \"c\"}] } } }\nfilter { if [a] =~ /x{/ { drop {} } }\noutput { if [a] { http { url => '${A}' } } else { stdout {} } }", "-e input{stdin{}} -f x")
}

func FuzzRsyslog(f *testing.F) {
	fuzz(f, "rsyslog/rsyslog", []string{"/etc/x/a.conf"},
		"$IncludeConfig /etc/x/*.conf\n*.* @@h:1\nif $x == 'y' then { action(type=\"omfwd\" target=\"h\") stop }\n", "input(type=\"imfile\"\n file=\"/l\")\n*.* action(type=\"omkafka\" broker=[\"a\",\"b\"]) \\\n & @x\n:msg, contains, \"a\" ~\n")
}

func FuzzSyslogNG(f *testing.F) {
	fuzz(f, "balabit/syslog-ng", []string{"/etc/x/a.conf"},
		"@version: 4\n@define x y\n@include \"inc.conf\"\nsource s { network(port(1)); };\ndestination d { tcp(\"`x`\" port(2)); };\nlog { source(s); if (a) { destination(d); } else { destination { file(\"/x\"); }; }; };\nfilter f { not (a) };")
}

func FuzzPlace(f *testing.F) {
	for _, s := range []string{"https://u:p@h:1/x", "[::1%eth0]:1", "unix:/x", "h:" + unresolved} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, reach := place(s)
		sane(t, Config{Outputs: []Output{{Host: host, Reach: reach}}})
	})
}
