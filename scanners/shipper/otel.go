package shipper

import "strings"

// Exporters of the OpenTelemetry Collector that take logs:
// https://opentelemetry.io/docs/collector/components/exporter/
var otelSinks = map[string]sink{
	"debug": {kind: sinkLocal}, "logging": {kind: sinkLocal}, "nop": {kind: sinkLocal}, "file": {kind: sinkLocal},

	"otlp": {keys: []string{"endpoint"}}, "otlp_grpc": {keys: []string{"endpoint"}},
	"otlphttp": {keys: []string{"logs_endpoint", "endpoint"}}, "otlp_http": {keys: []string{"logs_endpoint", "endpoint"}},
	"otelarrow": {keys: []string{"endpoint"}}, "loki": {keys: []string{"endpoint"}},
	"elasticsearch": {keys: []string{"endpoints", "endpoint"}}, "opensearch": {keys: []string{"http.endpoint"}},
	"splunk_hec": {keys: []string{"endpoint"}}, "syslog": {keys: []string{"endpoint"}, port: "port"},
	"kafka": {keys: []string{"brokers"}, def: "localhost:9092"}, "clickhouse": {keys: []string{"endpoint"}},
	"influxdb": {keys: []string{"endpoint"}}, "pulsar": {keys: []string{"endpoint"}},
	"rabbitmq": {keys: []string{"connection.endpoint"}}, "doris": {keys: []string{"endpoint"}},
	"sumologic": {kind: sinkCloud, keys: []string{"endpoint"}},

	"awscloudwatchlogs": {kind: sinkCloud, keys: []string{"endpoint"}}, "awskinesis": {kind: sinkCloud, keys: []string{"aws.kinesis_endpoint"}},
	"awss3": {kind: sinkCloud, keys: []string{"s3uploader.endpoint"}}, "azuremonitor": {kind: sinkCloud},
	"azuredataexplorer": {kind: sinkCloud}, "azureblob": {kind: sinkCloud, keys: []string{"url"}},
	"coralogix": {kind: sinkCloud}, "datadog": {kind: sinkCloud, keys: []string{"logs.endpoint"}},
	"googlecloud": {kind: sinkCloud}, "googlecloudpubsub": {kind: sinkCloud}, "googlecloudstorage": {kind: sinkCloud},
	"logzio": {kind: sinkCloud, keys: []string{"endpoint"}}, "mezmo": {kind: sinkCloud, keys: []string{"ingest_url"}},
	"logicmonitor": {kind: sinkCloud, keys: []string{"endpoint"}}, "alibabacloud_logservice": {kind: sinkCloud},
	"tencentcloud_logservice": {kind: sinkCloud}, "dataset": {kind: sinkCloud},
}

// Processors that let every record through: https://opentelemetry.io/docs/collector/components/processor/
var otelPasses = words(`batch memory_limiter attributes resource resourcedetection resourcedetectionprocessor k8sattributes
	transform groupbyattrs cumulativetodelta metricstransform span redaction geoip schema logstransform remotetap
	coralogix sumologic unroll`)

// readOTel reads https://opentelemetry.io/docs/collector/configuration/: what is in a logs pipeline of its service, and
// nothing else, does anything. Several files are merged, the later one wins.
func readOTel(r *reading) error {
	expand := func(s string) string {
		return r.expand(s, dialect{def: ":-", prefix: "env:", bare: true, dollars: true})
	}
	merged := &node{vals: map[string]*node{}}
	files := map[*node]string{}
	err := r.roots(func(f File) error {
		root, err := fromYAML(f.Text, expand)
		if err != nil {
			return err
		}
		for _, section := range []string{"receivers", "exporters", "connectors"} {
			for _, id := range root.at(section).sortedKeys() {
				files[root.at(section, id)] = f.Name
			}
		}
		overlay(merged, root, 0)
		return nil
	})
	if err != nil {
		return err
	}
	return otelSettle(r, merged, files)
}

func overlay(to, from *node, depth int) {
	for _, k := range from.sortedKeys() {
		old, v := to.vals[k], from.vals[k]
		if old != nil && old.vals != nil && v.vals != nil && depth < maxDepth {
			overlay(old, v, depth+1)
			continue
		}
		to.set(k, v)
	}
}

func otelSettle(r *reading, root *node, files map[*node]string) error {
	g := newGraph()
	pipelines := root.at("service", "pipelines")
	kind := func(id string) string { t, _, _ := strings.Cut(id, "/"); return strings.TrimSpace(t) }
	var order []string
	sending := map[string][]string{}
	inputs := map[string]bool{}
	for _, name := range pipelines.sortedKeys() {
		p := pipelines.at(name)
		some := false
		for _, proc := range p.at("processors").strs() {
			some = some || !otelPasses[kind(proc)]
		}
		var from []string
		for _, id := range p.at("receivers").strs() {
			from = append(from, "in "+id)
			if root.at("connectors", id) != nil || kind(name) != "logs" || inputs[id] {
				continue
			}
			inputs[id] = true
			n := root.at("receivers", id)
			in := otelInput(kind(id), n)
			in.File, in.Line = files[n], n.lineOr(p.line)
			i, err := r.input(in)
			if err != nil {
				return err
			}
			if err := g.add("in "+id, part{input: i}); err != nil {
				return err
			}
		}
		if err := g.add("pipe "+name, part{input: -1, from: from, some: some, stop: kind(name) != "logs"}); err != nil {
			return err
		}
		for _, id := range p.at("exporters").strs() {
			if root.at("connectors", id) != nil {
				k := kind(id)
				if err := g.add("in "+id, part{input: -1, from: []string{"pipe " + name}, some: k != "forward" && k != "failover"}); err != nil {
					return err
				}
				continue
			}
			if kind(name) != "logs" {
				continue
			}
			if sending[id] == nil {
				order = append(order, id)
			}
			sending[id] = append(sending[id], "pipe "+name)
		}
	}
	for _, id := range order {
		n := root.at("exporters", id)
		to, known := otelSinks[kind(id)]
		out := Output{Name: kind(id), File: files[n], Line: n.lineOr(0)}
		if known {
			out.Host, out.Reach = to.to(func(key string) []string { return n.at(strings.Split(key, ".")...).strs() })
			if n.at("cloudid").str() != "" {
				out.Host, out.Reach = "", Away
			}
			out.UDP = kind(id) == "syslog" && n.at("network").str() == "udp"
		}
		if n.at("sending_queue", "storage").str() != "" {
			out.Buffer = BufferDisk
		}
		out.From, out.Part = g.feeds(sending[id])
		if _, err := r.output(out); err != nil {
			return err
		}
	}
	return nil
}

func otelInput(kind string, n *node) Input {
	in := Input{Name: kind}
	listen := func(proto string, def int, keys ...string) {
		in.Kind, in.Proto, in.Port = Listen, proto, def
		for _, k := range keys {
			if p := port(n.at(strings.Split(k, ".")...).str()); p != 0 {
				in.Port = p
				return
			}
		}
	}
	switch kind {
	case "filelog", "file_log":
		in.Kind, in.Paths, in.Exclude = Files, n.at("include").strs(), n.at("exclude").strs()
	case "journald":
		in.Kind, in.Paths, in.Only = Journal, n.at("directory").strs(), n.at("units").strs()
	case "otlp":
		listen("otlp", 4317, "protocols.grpc.endpoint")
		if n.at("protocols") != nil && n.at("protocols").vals["grpc"] == nil {
			listen("otlp", 4318, "protocols.http.endpoint")
		}
	case "fluentforward", "fluent_forward":
		listen("forward", 0, "endpoint")
		if e := n.at("endpoint").str(); strings.HasPrefix(e, "unix:") {
			in.Paths = []string{strings.TrimPrefix(strings.TrimPrefix(e, "unix:"), "//")}
		}
	case "syslog":
		listen("syslog", 0, "tcp.listen_address", "udp.listen_address")
	case "tcplog":
		listen("tcp", 0, "listen_address")
	case "udplog":
		listen("udp", 0, "listen_address")
	case "splunk_hec", "splunkhec":
		listen("splunk", 8088, "endpoint")
	case "loki":
		listen("http", 3500, "protocols.http.endpoint")
	case "webhookevent":
		listen("http", 8088, "endpoint")
	case "nop", "hostmetrics", "prometheus", "docker_stats", "kubeletstats", "k8s_cluster":
		in.Kind = Nothing
	}
	return in
}

// otelFlags reads --config=file, --config=yaml:text and --config=env:NAME, and --set key=value. See
// https://opentelemetry.io/docs/collector/configuration/#location and the providers of the same page.
func otelFlags(r *reading, args []string) (files []string, err error) {
	merged := &node{vals: map[string]*node{}}
	expand := func(s string) string {
		return r.expand(s, dialect{def: ":-", prefix: "env:", bare: true, dollars: true})
	}
	inline := func(text string) error {
		n, err := fromYAML([]byte(text), expand)
		if err == nil && n != nil && n.vals != nil {
			// "yaml:exporters::debug::verbosity: detailed" writes a path of keys.
			for _, k := range n.keys {
				if strings.Contains(k, "::") {
					r.cfg.Open = true
				}
			}
			overlay(merged, n, 0)
		}
		return err
	}
	for flag, value := range pairs(args, "--config --set --feature-gates") {
		scheme, rest, hasScheme := strings.Cut(value, ":")
		switch {
		case flag == "--set":
			r.cfg.Open = true // it changes one setting of a file that is read elsewhere
		case flag != "--config":
		case !hasScheme || scheme == "file":
			if scheme == "file" {
				value = rest
			}
			files = append(files, value)
		case scheme == "yaml":
			if err := inline(rest); err != nil {
				return nil, err
			}
		case scheme == "env":
			text, known := r.vars(rest)
			if !known {
				r.cfg.Open = true
			} else if err := inline(text); err != nil {
				return nil, err
			}
		default:
			r.cfg.Open = true // http:, s3:, ...
		}
	}
	return files, otelSettle(r, merged, nil)
}
