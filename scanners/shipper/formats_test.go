package shipper

import "testing"

func TestFluentBit(t *testing.T) {
	for _, c := range []readCase{
		{
			name: "a daemon set that ships pods to elasticsearch and prints the rest",
			text: `
# the usual
@SET region=eu-west-1
[SERVICE]
    Flush         5
    storage.path  /var/lib/fb
[INPUT]
    Name              tail
    Tag               kube.*
    Path              /var/log/containers/*.log
    Exclude_Path      /var/log/containers/*_kube-system_*.log,/var/log/containers/fluent*.log
    storage.type      filesystem
[INPUT]
    Name              systemd
    Tag               host.*
[INPUT]
    name              cpu
[FILTER]
    Name                kubernetes
    Match               kube.*
    K8S-Logging.Exclude On
[OUTPUT]
    Name            es
    Match           kube.*
    Host            ${ES_HOST}
    Port            9243
    HTTP_User       elastic
    HTTP_Passwd     ${ES_PASSWORD}
[OUTPUT]
    Name            cloudwatch_logs
    Match           host.*
    region          ${region}
[OUTPUT]
    Name            stdout
    Match           *
[OUTPUT]
    Name            my_go_plugin
    Match           *
[OUTPUT]
    Name            prometheus_exporter
    Match           *
`,
			vars: env("ES_HOST=es.example.net", "ES_PASSWORD=?"),
			want: `
			in 0 tail: containers /var/log/containers/*.log not /var/log/containers/*_kube-system_*.log /var/log/containers/fluent*.log @7
			in 1 systemd: journal @13
			in 2 cpu: nothing @16
			out es: away es.example.net:9243 disk from [0] @22
			out cloudwatch_logs: away from [1] @29
			out stdout: local from [0 1 2] @33
			out my_go_plugin: unknown from [0 1 2] @36
			opt-out annotation fluentbit.io/exclude=true
			opt-out annotation fluentbit.io/exclude-*=true
			opt-out annotation fluentbit.io/exclude_stdout=true
			opt-out annotation fluentbit.io/exclude_stderr=true
			opt-out annotation fluentbit.io/exclude_stdout-*=true
			opt-out annotation fluentbit.io/exclude_stderr-*=true
			`,
		},
		{
			name: "a host that no variable tells, and one that is there by default",
			text: "[INPUT]\n  Name forward\n[OUTPUT]\n  Name es\n  Match docker.*\n  Host ${ES_HOST}\n[OUTPUT]\n  Name loki\n  Match *\n",
			want: `
			in 0 forward: listen forward/24224 @1
			out es: unknown part [0] @3
			out loki: local 127.0.0.1:3100 from [0] @7
			`,
		},
		{
			name: "a grep and a new tag on the way",
			text: "[INPUT]\n Name tail\n Path /l\n Tag app\n[FILTER]\n Name grep\n Match app\n Exclude log debug\n[FILTER]\n Name rewrite_tag\n Match app\n Rule $level ^err err.$TAG false\n" +
				"[OUTPUT]\n Name gelf\n Match err.*\n Host g.example.net\n[OUTPUT]\n Name syslog\n Match app\n Host s.example.net\n Mode tls\n",
			want: `
			in 0 tail: files /l @1
			out gelf: away g.example.net:12201 udp part [0] @13
			out syslog: away s.example.net:514 part [0] @17
			`,
		},
		{
			name: "one input and one output need no match, two do",
			text: "[INPUT]\n Name tail\n Path /l\n[OUTPUT]\n Name http\n Host h.example.net\n",
			want: "in 0 tail: files /l @1\nout http: away h.example.net:80 from [0] @4\n",
		},
		{
			name: "files that are included, and one that is missing",
			text: "@INCLUDE in.conf\n@INCLUDE conf.d/*.conf\n[OUTPUT]\n Name null\n Match *\n",
			more: []File{{Name: "/fluent-bit/etc/in.conf", Text: []byte("[INPUT]\n Name syslog\n Mode udp\n Port 1514\n"), Included: true}},
			want: `
			in 0 syslog: listen syslog/1514 @1
			out null: local from [0] @3
			include /fluent-bit/etc/conf.d/*.conf
			`,
		},
		{
			name: "yaml", file: "/etc/fb.yaml",
			text: `
env:
  GW: gw.example.net
pipeline:
  inputs:
    - name: tail
      path: /var/log/pods/*/*/*.log
      tag: kube.*
    - name: opentelemetry
  outputs:
    - name: forward
      match: 'kube.*'
      host: ${GW}
    - name: s3
      match: '*'
      bucket: ${BUCKET}
`,
			want: `
			in 0 tail: containers /var/log/pods/*/*/*.log @6
			in 1 opentelemetry: listen otlp/4318 @9
			out forward: away gw.example.net:24224 from [0] part [1] @11
			out s3: away from [0 1] @14
			`,
		},
	} {
		c.image = "fluent/fluent-bit"
		if c.file == "" {
			c.file = "/fluent-bit/etc/fluent-bit.conf"
		}
		c.run(t)
	}
}

func TestFluentd(t *testing.T) {
	for _, c := range []readCase{
		{
			name: "pods to elasticsearch and a copy to stdout",
			text: `
<source>
  @type tail
  path /var/log/containers/*.log
  exclude_path ["/var/log/containers/fluentd*"]
  tag kubernetes.*
</source>
<source>
  @type forward
  port 24225
</source>
<match fluent.**>
  @type null
</match>
<filter kubernetes.**>
  @type kubernetes_metadata
</filter>
<match kubernetes.**>
  @type copy
  <store>
    @type elasticsearch
    host "#{ENV['ES_HOST']}"
    port "#{ENV['ES_PORT'] || '9200'}"
    password "#{ENV['ES_PASSWORD']}"
    <buffer>
      @type file
      path /buf
    </buffer>
  </store>
  <store>
    @type stdout
  </store>
</match>
<match docker.*>
  @type s3
</match>
<match **> # never gets kubernetes.**
  @type my_plugin
</match>
`,
			vars: env("ES_HOST=es.example.net", "ES_PASSWORD=?"),
			want: `
			in 0 tail: containers /var/log/containers/*.log not /var/log/containers/fluentd* @2
			in 1 forward: listen forward/24225 @8
			out elasticsearch: away es.example.net:9200 disk from [0] part [1] @20
			out stdout: local from [0] part [1] @30
			out s3: away part [1] @34
			out my_plugin: unknown part [1] @37
			`,
		},
		{
			name: "labels, a filter that drops, hosts that nothing tells",
			text: `
<source>
  @type syslog
  port 5140
  tag sys
  @label @MAIN
</source>
<label @MAIN>
  <filter **>
    @type grep
  </filter>
  <match **>
    @type relabel
    @label @OUT
  </match>
</label>
<label @OUT>
  <match **>
    @type forward
    <server>
      host agg.example.net
    </server>
  </match>
</label>
<match **>
  @type http
  endpoint "https://#{Socket.gethostname}/x"
</match>
`,
			want: `
			in 0 syslog: listen syslog/5140 @2
			out forward: away agg.example.net:24224 part [0] @18
			out http: unknown @25
			`,
		},
		{
			name: "exceptions put together on the way, as GKE has it",
			text: "<source>\n@type tail\npath /a.log\ntag raw.k.*\n</source>\n<match raw.k.**>\n@type detect_exceptions\nremove_tag_prefix raw\n</match>\n<match k.**>\n@type google_cloud\n</match>\n",
			want: "in 0 tail: files /a.log @1\nout google_cloud: away from [0] @10\n",
		},
		{
			name: "an include that is there and one that is not",
			text: "@include a.conf\n@include https://example.net/x.conf\n@include b/*.conf\n",
			more: []File{{Name: "/fluentd/etc/a.conf", Text: []byte("<match **>\n@type file\npath /x\n</match>"), Included: true}},
			want: "out file: local @1\ninclude /fluentd/etc/b/*.conf\nopen\n",
		},
		{
			name: "yaml", file: "/fluentd/etc/fluent.yaml",
			text: `
config:
  - source:
      $type: forward
      port: 24224
  - match:
      $tag: "**"
      $type: copy
      store:
        - $type: remote_syslog
          host: logs.example.net
          port: 514
        - $type: "null"
`,
			want: `
			in 0 forward: listen forward/24224 @3
			out remote_syslog: away logs.example.net:514 udp from [0] @10
			out null: local from [0] @13
			`,
		},
	} {
		c.image = "fluent/fluentd"
		if c.file == "" {
			c.file = "/fluentd/etc/fluent.conf"
		}
		c.run(t)
	}
}

func TestVector(t *testing.T) {
	toml := `
# an agent
[sources.pods]
type = "kubernetes_logs"
exclude_paths_glob_patterns = ["**/istio-proxy/**"]

[sources."host.files"]
type = "file"
include = ["/var/log/*.log", "${DIR:-/srv}/x.log"]

[sources.own]
type = "internal_metrics"

[transforms.parse]
type = "remap"
inputs = ["pods"]
source = '''
. = parse_json!(.message) # "not a string
'''

[transforms.errors]
type = "filter"
inputs = ["parse", "host.*"]
condition = '.level == "error"'

[sinks.es]
type = "elasticsearch"
inputs = ["parse"]
endpoints = ["https://user:${PASS}@es.example.net:9200"]
  [sinks.es.buffer]
  type = "disk"
  max_size = 500_000_000

[sinks.pager]
type = "http"
inputs = ["errors"]
uri = "https://${HOOK}/x"

[sinks.out]
type = "console"
inputs = ["*"]

[sinks.new]
type = "brand_new"
inputs = ["host.files"]

[sinks.prom]
type = "prometheus_exporter"
inputs = ["own"]
`
	for _, c := range []readCase{
		{
			name: "toml", file: "/etc/vector/vector.toml", text: toml, vars: env("PASS=?", "HOOK=?"),
			want: `
			in 0 file: files /var/log/*.log /srv/x.log @7
			in 1 internal_metrics: nothing @11
			in 2 kubernetes_logs: containers /var/log/pods/*/*/*.log not **/istio-proxy/** @3
			out elasticsearch: away es.example.net:9200 disk from [2] @26
			out brand_new: unknown from [0] @43
			out console: local from [0 1 2] @39
			out http: unknown part [0 2] @34
			opt-out pod label vector.dev/exclude=true
			`,
		},
		{
			name: "yaml with routes", file: "/etc/vector/vector.yaml",
			text: `
sources:
  docker: {type: docker_logs, include_containers: [web]}
  sys: {type: socket, mode: udp, address: "0.0.0.0:12201", decoding: {codec: gelf}}
transforms:
  split: {type: route, inputs: [docker, sys], route: {err: '.level == "error"'}}
sinks:
  gw: {type: socket, mode: udp, address: "gw.example.net:514", inputs: [split.err]}
  s3: {type: aws_s3, inputs: [docker, sys], endpoint: "http://minio:9000", buffer: {type: memory}}
  here: {type: loki, inputs: [sys], endpoint: "http://localhost:3100"}
`,
			want: `
			in 0 docker_logs: containers /var/run/docker.sock only web @3
			in 1 socket: listen gelf/12201 @4
			out socket: away gw.example.net:514 udp part [0 1] @8
			out aws_s3: away minio:9000 memory from [0 1] @9
			out loki: local localhost:3100 from [1] @10
			`,
		},
		{
			name: "json, and parts in two files", file: "/etc/vector/a.json",
			text: "{\n\t\"sources\": {\"j\": {\"type\": \"journald\"}}\n}",
			more: []File{{Name: "/etc/vector/b.yaml", Text: []byte("sinks: {x: {type: papertrail, inputs: [j], endpoint: logs.papertrailapp.com:1234}}")}},
			want: "in 0 journald: journal @2\nout papertrail: away logs.papertrailapp.com:1234 from [0] @1\n",
		},
		{
			name: "a provider somewhere else", file: "/etc/vector/vector.yaml",
			text: "provider: {type: http, url: https://conf.example.net}\n", want: "open\n",
		},
	} {
		c.image = "timberio/vector"
		c.run(t)
	}
}

func TestBeats(t *testing.T) {
	for _, c := range []readCase{
		{
			name: "dotted and nested keys, hints, a disk queue",
			text: `
filebeat.autodiscover:
  providers:
    - type: docker
      hints.enabled: true
filebeat.inputs:
- type: filestream
  enabled: false
  paths: [/never]
- type: filestream
  id: x
  paths:
    - /var/log/nginx/*.log
- type: syslog
  protocol.udp:
    host: "0.0.0.0:9000"
queue.disk:
  max_size: 1GB
output:
  elasticsearch:
    hosts: ['${ELASTICSEARCH_HOSTS:elasticsearch:9200}']
    password: ${PW}
`,
			vars: env("PW=?"),
			want: `
			in 0 filestream: files /var/log/nginx/*.log @10
			in 1 syslog: listen syslog/9000 @14
			in 2 autodiscover docker: containers /var/lib/docker/containers/*/*.log @4
			out elasticsearch: away elasticsearch:9200 disk from [0 1 2] @20
			opt-out annotation co.elastic.logs/enabled=false
			opt-out annotation co.elastic.logs.*/enabled=false
			opt-out label co.elastic.logs/enabled=false
			`,
		},
		{
			name: "containers of some names only, an output on this machine, modules elsewhere",
			text: `
filebeat.inputs:
- type: container
  paths: ['/var/lib/docker/containers/*/*.log']
filebeat.config.modules:
  path: ${path.config}/modules.d/*.yml
processors:
- drop_event:
    when.regexp.message: "^DBG"
output.logstash:
  hosts: ["localhost:5044"]
`,
			want: `
			in 0 container: containers /var/lib/docker/containers/*/*.log @3
			out logstash: local localhost:5044 part [0] @10
			include /usr/share/filebeat/modules.d/*.yml
			`,
		},
		{
			name: "hosts that nothing tells", text: "output.kafka.hosts: '${BROKERS}'\noutput.novel: {}\n",
			want: "out kafka: unknown @1\nout novel: unknown @2\n",
		},
		{
			name: "elastic cloud", text: "cloud.id: 'x:abc'\n", want: "out elasticsearch: away @1\n",
		},
		{
			name: "modules that are there", text: "filebeat.config.modules.path: /m/*.yml\noutput.console.pretty: true\n",
			more: []File{{Name: "/m/nginx.yml", Text: []byte("- module: nginx\n  access.enabled: true\n"), Included: true}},
			want: "in 0 module nginx: other @1\nout console: local from [0] @2\n",
		},
	} {
		c.image, c.file = "docker.elastic.co/beats/filebeat", "/usr/share/filebeat/filebeat.yml"
		c.run(t)
	}
	readCase{
		name: "an elastic agent that stands alone", image: "docker.elastic.co/beats/elastic-agent", file: "elastic-agent.yml",
		text: `
outputs:
  default:
    type: elasticsearch
    hosts: ["https://es.example.net"]
inputs:
  - type: filestream
    streams:
      - paths: [/var/log/containers/*.log]
  - type: system/metrics
`,
		want: `
		in 0 filestream: containers /var/log/containers/*.log @7
		in 1 system/metrics: nothing @10
		out elasticsearch: away es.example.net part [0 1] @3
		`,
	}.run(t)
}

func TestPromtail(t *testing.T) {
	for _, c := range []readCase{
		{
			name: "files, docker and two clients",
			text: `
clients:
  - url: https://user:${TOKEN}@logs.grafana.example/loki/api/v1/push
  - url: http://127.0.0.1:3100/loki/api/v1/push
  - url: ${OTHER}
scrape_configs:
- job_name: system
  static_configs:
  - targets: [localhost]
    labels: {job: varlogs, __path__: /var/log/*.log}
- job_name: docker
  docker_sd_configs:
  - host: unix:///var/run/docker.sock
    filters: [{name: name, values: [web]}]
- job_name: sys
  syslog: {listen_address: "0.0.0.0:1514"}
- journal: {path: /var/log/journal}
`,
			vars: env("TOKEN=?", "OTHER=?"),
			want: `
			in 0 static: files /var/log/*.log @7
			in 1 docker_sd: containers /var/run/docker.sock only web @12
			in 2 syslog: listen syslog/1514 @16
			in 3 journal: journal /var/log/journal @17
			out loki: away logs.grafana.example from [0 1 2 3] @3
			out loki: local 127.0.0.1:3100 from [0 1 2 3] @4
			out loki: unknown from [0 1 2 3] @5
			`,
		},
		{
			name: "pods, some of them dropped",
			text: `
client: {url: "http://loki:3100/loki/api/v1/push"}
scrape_configs:
- kubernetes_sd_configs: [{role: pod}]
  pipeline_stages:
  - cri: {}
  - match: {selector: '{app="x"}', action: drop}
  relabel_configs:
  - replacement: /var/log/pods/*$1/*.log
    target_label: __path__
`,
			want: `
			in 0 kubernetes_sd: containers /var/log/pods/*/*.log @4
			out loki: away loki:3100 part [0] @2
			`,
		},
	} {
		c.image, c.file = "grafana/promtail", "/etc/promtail/config.yml"
		c.run(t)
	}
}

func TestAlloy(t *testing.T) {
	for _, c := range []readCase{
		{
			name: "files through a process, docker straight, three ends",
			text: `
// what we read
local.file_match "logs" {
	path_targets = [
		{"__path__" = "/var/log/*.log", "job" = "x"},
		{__path__ = "/srv/" + sys.env("APP") + "/*.log"},
	]
}
loki.source.file "files" {
	targets    = local.file_match.logs.targets
	forward_to = [loki.process.drop.receiver]
}
loki.process "drop" {
	stage.drop { expression = "debug" }
	forward_to = [loki.write.away.receiver]
}
discovery.docker "c" { host = "unix:///var/run/docker.sock" }
loki.source.docker "c" {
	host       = "unix:///var/run/docker.sock"
	targets    = discovery.docker.c.targets
	forward_to = [loki.write.away.receiver, loki.echo.here.receiver]
}
loki.write "away" {
	endpoint {
		url = "https://" + sys.env("LOKI") + "/loki/api/v1/push"
		basic_auth { password = sys.env("PW") }
	}
	endpoint { url = sys.env("SECOND") }
}
loki.echo "here" { }
prometheus.remote_write "m" { endpoint { url = "http://prom:9090" } }
`,
			vars: env("LOKI=loki.example.net", "APP=shop", "SECOND=?"),
			want: `
			in 0 loki.source.file: files /var/log/*.log /srv/shop/*.log @9
			in 1 loki.source.docker: containers /var/run/docker.sock @18
			out loki.write: away loki.example.net from [1] part [0] @24
			out loki.write: unknown from [1] part [0] @28
			out loki.echo: local from [1] @30
			`,
		},
		{
			name: "pods of a cluster, otlp, an import",
			text: `
import.git "x" { repository = "https://git.example.net/x.git" }
discovery.kubernetes "pods" {
	role = "pod"
}
discovery.relabel "pods" {
	targets = discovery.kubernetes.pods.targets
	rule { action = "keep" }
}
loki.source.kubernetes "pods" {
	targets    = discovery.relabel.pods.output
	forward_to = [loki.write.a.receiver]
}
otelcol.receiver.otlp "o" {
	grpc { endpoint = "0.0.0.0:4317" }
	output { logs = [otelcol.processor.batch.b.input] }
}
otelcol.processor.batch "b" {
	output { logs = [otelcol.exporter.otlp.far.input] }
}
otelcol.exporter.otlp "far" {
	client { endpoint = "otlp.example.net:4317" }
}
loki.write "a" {
	endpoint { url = format("http://%s", "x") }
}
`,
			want: `
			in 0 loki.source.kubernetes: containers @10
			in 1 otelcol.receiver.otlp: listen otlp/4317 @14
			out otelcol.exporter.otlp: away otlp.example.net:4317 from [1] @22
			out loki.write: unknown from [0] @25
			open
			`,
		},
	} {
		c.image, c.file = "grafana/alloy", "/etc/alloy/config.alloy"
		c.run(t)
	}
}

func TestOTel(t *testing.T) {
	for _, c := range []readCase{
		{
			name: "only what is in a logs pipeline",
			text: `
receivers:
  filelog:
    include: [/var/log/pods/*/*/*.log]
    exclude: [/var/log/pods/kube-system_*/*/*.log]
  otlp:
    protocols:
      grpc: {endpoint: 0.0.0.0:4317}
  syslog/unused: {tcp: {listen_address: "0.0.0.0:514"}}
  hostmetrics: {}
exporters:
  otlphttp: {endpoint: "https://${env:GATEWAY}:4318", headers: {authorization: "Bearer ${env:TOKEN}"}, sending_queue: {storage: file_storage}}
  debug:
  splunk_hec: {endpoint: "https://splunk.example.net:8088/services/collector"}
  elasticsearch/unused: {endpoint: "https://es.example.net"}
  own: {endpoint: x.example.net}
service:
  pipelines:
    logs:
      receivers: [filelog, otlp]
      processors: [memory_limiter, batch]
      exporters: [otlphttp, debug]
    logs/errors:
      receivers: [otlp]
      processors: [filter/errors]
      exporters: [splunk_hec, own]
    metrics:
      receivers: [hostmetrics]
      exporters: [elasticsearch/unused]
`,
			vars: env("GATEWAY=gw.example.net", "TOKEN=?"),
			want: `
			in 0 filelog: containers /var/log/pods/*/*/*.log not /var/log/pods/kube-system_*/*/*.log @3
			in 1 otlp: listen otlp/4317 @6
			out otlphttp: away gw.example.net:4318 disk from [0 1] @12
			out debug: local from [0 1] @13
			out splunk_hec: away splunk.example.net:8088 part [1] @14
			out own: unknown part [1] @16
			`,
		},
		{
			name: "a connector between pipelines, an address that nothing tells",
			text: `
receivers: {fluentforward: {endpoint: 0.0.0.0:8006}}
connectors: {forward: {}, routing: {}}
exporters: {loki: {endpoint: "${LOKI}"}, awscloudwatchlogs: {region: "${REGION}"}}
service:
  pipelines:
    logs/in: {receivers: [fluentforward], exporters: [forward, routing]}
    logs/a: {receivers: [forward], exporters: [awscloudwatchlogs]}
    logs/b: {receivers: [routing], exporters: [loki]}
`,
			want: `
			in 0 fluentforward: listen forward/8006 @2
			out awscloudwatchlogs: away from [0] @4
			out loki: unknown part [0] @4
			`,
		},
	} {
		c.image, c.file = "otel/opentelemetry-collector-contrib", "/etc/otelcol-contrib/config.yaml"
		c.run(t)
	}
}

func TestLogstash(t *testing.T) {
	for _, c := range []readCase{
		{
			name: "beats and gelf to elasticsearch, errors to a pager",
			text: `
# a pipeline
input {
  beats { port => 5044 }
  gelf { }
  file { path => ["/var/log/app/*.log", "/srv/a.log"] exclude => "*.gz" codec => json { charset => "UTF-8" } }
}
filter {
  if [message] =~ /^{"a":/ { json { source => "message" } }
}
output {
  elasticsearch {
    hosts => ["https://${ES_HOST:es.example.net}:9200"]
    user => "elastic"  password => "${PW}"
  }
  if "error" in [tags] {
    http { url => "https://pager.example.net/x?key=secret" }
  } else {
    stdout { codec => rubydebug }
  }
  newthing { }
}
`,
			vars: env("PW=?"),
			want: `
			in 0 beats: listen beats/5044 @4
			in 1 gelf: listen gelf/12201 @5
			in 2 file: files /var/log/app/*.log /srv/a.log not *.gz @6
			out elasticsearch: away es.example.net:9200 from [0 1 2] @12
			out http: away pager.example.net part [0 1 2] @17
			out stdout: local part [0 1 2] @19
			out newthing: unknown from [0 1 2] @21
			`,
		},
		{
			name: "a drop, and a host that nothing tells",
			text: `input { syslog { port => 5514 } } filter { if [a] == 1 { drop { } } } output { syslog { host => "${H}" port => 514 } }`,
			want: "in 0 syslog: listen syslog/5514 @1\nout syslog: unknown udp part [0] @1\n",
		},
	} {
		c.image, c.file = "logstash", "/usr/share/logstash/pipeline/logstash.conf"
		c.run(t)
	}
}

func TestRsyslog(t *testing.T) {
	for _, c := range []readCase{
		{
			name: "the old style",
			text: `
$ModLoad imudp   # sockets
$UDPServerRun 514
$ModLoad imtcp
$InputTCPServerRun 1514
$IncludeConfig /etc/rsyslog.d/*.conf
auth,authpriv.*          /var/log/auth.log
*.*;auth,authpriv.none   -/var/log/syslog
*.emerg                  :omusrmsg:*
$ActionQueueFileName fwd
*.*                      @@logs.example.net:6514
auth.*                   @10.0.0.5
*.*                      :omrelp:relay.example.net:2514;RSYSLOG_Format
*.*                      ^/usr/bin/program
`,
			want: `
			in 0 imudp: listen syslog/514 @3
			in 1 imtcp: listen syslog/1514 @5
			out omfile: local part [0 1] @7
			out omfile: local part [0 1] @8
			out omusrmsg: local part [0 1] @9
			out omfwd: away logs.example.net:6514 disk from [0 1] @11
			out omfwd: away 10.0.0.5 udp part [0 1] @12
			out omrelp: away relay.example.net:2514 from [0 1] @13
			out : unknown from [0 1] @14
			include /etc/rsyslog.d/*.conf
			`,
		},
		{
			name: "the new style",
			text: `
module(load="imfile")   # files
module(load="imuxsock")
input(type="imfile"
      File="/var/log/app/*.log"
      Tag="app")
input(type="imtcp" port="514")
action(type="omfwd" target="logs.example.net" port="6514"
       protocol="tcp" queue.type="LinkedList" queue.filename="q")
if $programname == 'x' then {
    action(type="omelasticsearch" server="es.example.net")
    stop
}
action(type="omfwd" target=` + "`echo $TARGET`" + `)
*.* action(type="omnovel" server="x.example.net")
`,
			vars: env("TARGET=?"),
			want: `
			in 0 imuxsock: listen /dev/log syslog/0 @3
			in 1 imfile: files /var/log/app/*.log @4
			in 2 imtcp: listen syslog/514 @7
			out omfwd: away logs.example.net:6514 disk from [0 1 2] @8
			out omelasticsearch: away es.example.net:9200 part [0 1 2] @11
			out omfwd: unknown udp part [0 1 2] @14
			out omnovel: unknown part [0 1 2] @15
			`,
		},
		{
			name: "an include that is there", text: `include(file="/etc/rsyslog.d/*.conf")`,
			more: []File{{Name: "/etc/rsyslog.d/50.conf", Text: []byte("*.* @localhost:514\n"), Included: true}},
			want: "out omfwd: local localhost:514 udp @1\n",
		},
	} {
		c.image, c.file = "rsyslog/rsyslog", "/etc/rsyslog.conf"
		c.run(t)
	}
}

func TestSyslogNG(t *testing.T) {
	for _, c := range []readCase{
		{
			name: "sources, destinations and the ways between them",
			text: `
@version: 4.2
@include "scl.conf"
@include "conf.d/*.conf"
@define server logs.example.net
options { keep-hostname(yes); };
source s_local { system(); internal(); };
source s_net { network(transport("tcp") port(601)); };
source s_file { file("/var/log/app.log" flags(no-parse)); };
destination d_far { network("` + "`server`" + `" port(6514) transport("tls") disk-buffer(reliable(yes))); };
destination d_udp { udp("10.0.0.5" port(514)); };
destination d_here { file("/var/log/all.log"); };
destination d_new { novel("x.example.net"); };
destination d_env { http(url("https://` + "`HOOK`" + `/x")); };
filter f_auth { facility(auth, authpriv); };
log { source(s_net); source(s_file); destination(d_far); };
log { source(s_local); filter(f_auth); destination(d_udp); };
log { source(s_net); destination(d_here); destination(d_new); destination(d_env); };
log { source { tcp(port(1514)); }; destination { syslog("relay" port(601)); }; };
`,
			vars: env("HOOK=?"),
			want: `
			in 0 system: journal @7
			in 1 internal: nothing @7
			in 2 network: listen syslog/601 @8
			in 3 file: files /var/log/app.log @9
			in 4 tcp: listen syslog/1514 @19
			out network: away logs.example.net:6514 disk from [2 3] @10
			out udp: away 10.0.0.5:514 udp part [0 1] @11
			out file: local from [2] @12
			out novel: unknown from [2] @13
			out http: unknown from [2] @14
			out syslog: away relay:601 from [4] @19
			include /etc/syslog-ng/conf.d/*.conf
			`,
		},
	} {
		c.image, c.file = "balabit/syslog-ng", "/etc/syslog-ng/syslog-ng.conf"
		c.run(t)
	}
}

func TestSyslogNGConditions(t *testing.T) {
	for _, c := range []readCase{
		{
			name: "branches, logs within logs, a channel",
			text: `
source a { udp(); unix-dgram("/dev/log"); };
source b { channel { source { tcp(); }; }; };
log {
  source(a);
  if (program("x")) { destination(d1); } else { destination { loggly(token("secret")); }; };
  log { filter { level(err); }; destination(d2); };
  parser { json-parser(); };
};
destination d1 { mongodb(); };
destination d2 { elasticsearch-http(url("https://u:p@es.example.net:9200/_bulk") index("x")); };
`,
			want: `
			in 0 udp: listen syslog/514 @2
			in 1 unix-dgram: listen /dev/log syslog/0 @2
			out loggly: away part [0 1] @6
			out mongodb: local 127.0.0.1:27017 part [0 1] @10
			out elasticsearch-http: away es.example.net:9200 part [0 1] @11
			open
			`,
		},
	} {
		c.image, c.file = "balabit/syslog-ng", "/etc/syslog-ng/syslog-ng.conf"
		c.run(t)
	}
}

func TestFluentdRewrites(t *testing.T) {
	for _, c := range []readCase{
		{
			name: "a tag that a rule rewrites",
			text: `
<worker 0>
<source>
  @type unix
  path /run/fluent.sock
  tag app
</source>
</worker>
<match app>
  @type rewrite_tag_filter
  <rule>
    key level
    pattern /err/
    tag error.$1
  </rule>
</match>
<match error.**>
  @type loki
  url "#{ENV.fetch('LOKI', 'http://loki.example.net')}"
</match>
<match other.**>
  @type gelf
  host 10.0.0.1
  port 12201
</match>
<match **>
  @type roundrobin
  <store>
    @type "#{ENV['PLUGIN']}"
  </store>
</match>
`,
			vars: env("PLUGIN=?"),
			want: `
			in 0 unix: listen /run/fluent.sock forward/0 @3
			out loki: away loki.example.net part [0] @17
			out gelf: away 10.0.0.1:12201 udp @21
			out : unknown @28
			`,
		},
	} {
		c.image, c.file = "fluent/fluentd", "/fluentd/etc/fluent.conf"
		c.run(t)
	}
}

func TestListeners(t *testing.T) {
	for _, c := range []readCase{
		{
			name: "filebeat", image: "docker.elastic.co/beats/filebeat", file: "f.yml",
			text: "filebeat.inputs: [{type: docker, containers: {path: /d, ids: [a]}}, {type: tcp, host: 'localhost:9000'}, {type: unix, path: /s}, {type: journald}, {type: http_endpoint, listen_port: 8080}, {type: aws-s3}]",
			want: `
			in 0 docker: containers /d/*/*.log only a @1
			in 1 tcp: listen tcp/9000 @1
			in 2 unix: listen /s /0 @1
			in 3 journald: journal @1
			in 4 http_endpoint: listen http/8080 @1
			in 5 aws-s3: other @1
			`,
		},
		{
			name: "a collector", image: "otel/opentelemetry-collector", file: "c.yaml",
			text: "receivers: {syslog: {udp: {listen_address: '0.0.0.0:514'}}, tcplog: {listen_address: ':1'}, udplog: {listen_address: ':2'}, journald: {units: [ssh]}, splunk_hec: {}, loki: {}, fluentforward: {endpoint: 'unix:///s'}, otlp: {protocols: {http: {}}}, novel: {}}\n" +
				"service: {pipelines: {logs: {receivers: [syslog, tcplog, udplog, journald, splunk_hec, loki, fluentforward, otlp, novel, missing]}}}",
			want: `
			in 0 syslog: listen syslog/514 @1
			in 1 tcplog: listen tcp/1 @1
			in 2 udplog: listen udp/2 @1
			in 3 journald: journal only ssh @1
			in 4 splunk_hec: listen splunk/8088 @1
			in 5 loki: listen http/3500 @1
			in 6 fluentforward: listen /s forward/0 @1
			in 7 otlp: listen otlp/4318 @1
			in 8 novel: other @1
			in 9 missing: other @2
			`,
		},
		{
			name: "alloy", image: "grafana/alloy", file: "c.alloy",
			text: "loki.source.journal \"j\" { path = \"/j\" }\nloki.source.syslog \"s\" {\n listener { address = \"0.0.0.0:51893\" }\n}\nloki.source.api \"a\" {\n http { listen_port = 9999 }\n}\nloki.source.file \"x\" { targets = local.missing.y.targets }\nloki.process \"p\" {\n stage.match {\n  selector = \"x\"\n  stage.drop { }\n }\n}\n",
			want: `
			in 0 loki.source.journal: journal /j @1
			in 1 loki.source.syslog: listen syslog/51893 @2
			in 2 loki.source.api: listen http/9999 @5
			in 3 loki.source.file: files ?* @8
			`,
		},
	} {
		c.run(t)
	}
}

// What cannot be read is an error, never an empty configuration.
func TestBroken(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e]\n"
	for _, c := range []struct{ name, image, file, text string }{
		{"a section that does not close", "fluent/fluent-bit", "f.conf", "[INPUT\n"},
		{"yaml that is none", "fluent/fluent-bit", "f.yaml", "pipeline: ["},
		{"aliases of aliases", "fluent/fluent-bit", "f.yaml", bomb},
		{"a file that includes itself by another", "fluent/fluent-bit", "/x/f.conf", "@INCLUDE inc.conf\n"},
		{"a directive that does not close", "fluent/fluentd", "f.conf", "<match **>\n@type stdout\n"},
		{"a directive that was never open", "fluent/fluentd", "f.conf", "</match>\n"},
		{"toml that is none", "timberio/vector", "v.toml", "[sources"},
		{"toml that nests without end", "timberio/vector", "v.toml", "a = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["},
		{"an alias of itself", "docker.elastic.co/beats/filebeat", "f.yml", "a: &a [*a]\n"},
		{"a block that does not close", "grafana/alloy", "c.alloy", "loki.write \"x\" {\n"},
		{"an expression that does not end", "grafana/alloy", "c.alloy", "a = [\n"},
		{"a brace too many", "grafana/alloy", "c.alloy", "}\n"},
		{"a pipeline that does not close", "logstash", "l.conf", "output { stdout { }"},
		{"what is no pipeline", "logstash", "l.conf", "hello {}"},
		{"an action that does not close", "rsyslog/rsyslog", "r.conf", "action(type=\"omfwd\"\n"},
		{"a line without end", "rsyslog/rsyslog", "r.conf", string(make([]byte, maxLine+1))},
		{"a destination that does not close", "balabit/syslog-ng", "s.conf", "destination d { tcp(\"x\"\n"},
		{"a string that does not end", "balabit/syslog-ng", "s.conf", "source s { file(\"x); };"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := []File{{Name: c.file, Text: []byte(c.text)}, {Name: "/x/inc.conf", Text: []byte("@INCLUDE inc2.conf\n"), Included: true}, {Name: "/x/inc2.conf", Text: []byte("@INCLUDE inc.conf\n"), Included: true}}
			if got, err := product(t, c.image).Read(files, nil); err == nil {
				t.Errorf("no error, and\n%s", show(got))
			}
		})
	}
}

func TestCloudWatchAgent(t *testing.T) {
	readCase{
		name: "files to CloudWatch", image: "amazon/cloudwatch-agent", file: "/etc/cwagentconfig/cwagentconfig.json",
		text: `{"logs": {"logs_collected": {"files": {"collect_list": [{"file_path": "/var/log/app/*.log", "log_group_name": "app"}]}}}}`,
		want: "in 0 files: files /var/log/app/*.log @1\nout cloudwatch_logs: away from [0] @1\n",
	}.run(t)
}
