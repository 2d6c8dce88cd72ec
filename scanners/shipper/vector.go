package shipper

import (
	"fmt"
	"path"
	"strings"
)

// Sinks of Vector: https://vector.dev/docs/reference/configuration/sinks/
var vectorSinks = map[string]sink{
	"console": {kind: sinkLocal}, "blackhole": {kind: sinkLocal}, "file": {kind: sinkLocal},
	"prometheus_exporter": {kind: sinkNone}, "prometheus_remote_write": {kind: sinkNone}, "statsd": {kind: sinkNone},
	"influxdb_metrics": {kind: sinkNone}, "aws_cloudwatch_metrics": {kind: sinkNone}, "datadog_metrics": {kind: sinkNone},
	"datadog_traces": {kind: sinkNone}, "gcp_stackdriver_metrics": {kind: sinkNone}, "greptimedb_metrics": {kind: sinkNone},
	"greptimedb": {kind: sinkNone}, "sematext_metrics": {kind: sinkNone}, "humio_metrics": {kind: sinkNone},

	"amqp": {keys: []string{"connection_string"}}, "clickhouse": {keys: []string{"endpoint"}},
	"databend": {keys: []string{"endpoint"}}, "doris": {keys: []string{"endpoints"}},
	"elasticsearch":   {keys: []string{"endpoints", "endpoint"}},
	"greptimedb_logs": {keys: []string{"endpoint"}}, "http": {keys: []string{"uri"}},
	"influxdb_logs": {keys: []string{"endpoint"}}, "kafka": {keys: []string{"bootstrap_servers"}},
	"loki": {keys: []string{"endpoint"}}, "mqtt": {keys: []string{"host"}, port: "port"},
	"nats": {keys: []string{"url"}}, "opentelemetry": {keys: []string{"protocol.uri"}},
	"papertrail": {keys: []string{"endpoint"}}, "postgres": {keys: []string{"endpoint"}},
	"pulsar": {keys: []string{"endpoint"}}, "redis": {keys: []string{"endpoint", "url"}},
	"socket": {keys: []string{"address", "path"}}, "splunk_hec": {keys: []string{"endpoint"}},
	"splunk_hec_logs": {keys: []string{"endpoint"}}, "vector": {keys: []string{"address"}},
	"webhdfs": {keys: []string{"endpoint"}}, "websocket": {keys: []string{"uri"}},

	"appsignal": {kind: sinkCloud, keys: []string{"endpoint"}}, "axiom": {kind: sinkCloud, keys: []string{"url"}},
	"aws_cloudwatch_logs":  {kind: sinkCloud, keys: []string{"endpoint"}},
	"aws_kinesis_firehose": {kind: sinkCloud, keys: []string{"endpoint"}},
	"aws_kinesis_streams":  {kind: sinkCloud, keys: []string{"endpoint"}},
	"aws_s3":               {kind: sinkCloud, keys: []string{"endpoint"}},
	"aws_sns":              {kind: sinkCloud, keys: []string{"endpoint"}}, "aws_sqs": {kind: sinkCloud, keys: []string{"endpoint"}},
	"azure_blob": {kind: sinkCloud}, "azure_monitor_logs": {kind: sinkCloud, keys: []string{"host"}},
	"datadog_events": {kind: sinkNone}, "datadog_logs": {kind: sinkCloud, keys: []string{"endpoint"}},
	"gcp_chronicle_unstructured": {kind: sinkCloud, keys: []string{"endpoint"}},
	"gcp_cloud_storage":          {kind: sinkCloud, keys: []string{"endpoint"}},
	"gcp_pubsub":                 {kind: sinkCloud, keys: []string{"endpoint"}},
	"gcp_stackdriver_logs":       {kind: sinkCloud, keys: []string{"endpoint"}},
	"honeycomb":                  {kind: sinkCloud, keys: []string{"endpoint"}},
	"humio_logs":                 {kind: sinkCloud, keys: []string{"endpoint"}}, "keep": {kind: sinkCloud, keys: []string{"endpoint"}},
	"logdna": {kind: sinkCloud, keys: []string{"endpoint"}}, "mezmo": {kind: sinkCloud, keys: []string{"endpoint"}},
	"new_relic": {kind: sinkCloud}, "new_relic_logs": {kind: sinkCloud},
	"sematext_logs": {kind: sinkCloud, keys: []string{"endpoint"}},
}

// Transforms of Vector that let every record through, as far as their type tells. A remap that aborts is found by its
// text. https://vector.dev/docs/reference/configuration/transforms/
var vectorPasses = words(`remap window add_fields add_tags remove_fields rename_fields json_parser regex_parser
	grok_parser coercer concat merge ansi_stripper geoip aws_ec2_metadata split tokenizer key_value_parser logfmt_parser`)

var vectorListeners = map[string]string{
	"datadog_agent": "datadog", "fluent": "forward", "http": "http", "http_server": "http", "heroku_logs": "http",
	"logplex": "http", "logstash": "beats", "opentelemetry": "otlp", "socket": "", "splunk_hec": "splunk",
	"syslog": "syslog", "vector": "vector", "aws_kinesis_firehose": "http", "websocket": "http", "dnstap": "dnstap",
}

// readVector reads https://vector.dev/docs/reference/configuration/: all files together are one configuration.
func readVector(r *reading) error {
	g := newGraph()
	type found struct {
		id   string
		n    *node
		file string
	}
	var sinks []found
	var ids []string
	expand := func(s string) string {
		return r.expand(s, dialect{def: ":-", bare: true, dollars: true})
	}
	err := r.roots(func(f File) error {
		var root *node
		var err error
		switch path.Ext(f.Name) {
		case ".yaml", ".yml", ".json":
			root, err = fromYAML(f.Text, expand)
		default:
			root, err = fromTOML(f.Text, expand)
		}
		if err != nil {
			return err
		}
		r.cfg.Open = r.cfg.Open || root.at("provider") != nil
		for _, id := range root.at("sources").sortedKeys() {
			n := root.at("sources", id)
			in := vectorInput(n)
			in.File, in.Line = f.Name, n.line
			i, err := r.input(in)
			if err != nil {
				return err
			}
			if in.Name == "kubernetes_logs" {
				r.optOuts(PodLabel)
			}
			// A selector leaves pods out, or takes only some; which ones, only the running cluster knows.
			some := n.at("extra_label_selector").str()+n.at("extra_field_selector").str()+n.at("extra_namespace_label_selector").str()+n.at("include_labels").str() != "" ||
				len(n.at("include_labels").strs()) > 0
			if err := g.add(id, part{input: i, some: some}); err != nil {
				return err
			}
			ids = append(ids, id)
			if in.Name == "opentelemetry" || in.Name == "datadog_agent" { // outputs of their own: otel.logs
				if err := g.add(id+".logs", part{input: i}); err != nil {
					return err
				}
			}
		}
		for _, id := range root.at("transforms").sortedKeys() {
			n := root.at("transforms", id)
			t := n.at("type").str()
			p := part{input: -1, from: n.at("inputs").strs(), some: !vectorPasses[t], stop: t == "log_to_metric"}
			if t == "remap" {
				src := n.at("source").str()
				p.some = strings.Contains(src, "abort") || n.at("file").str() != "" || on(n.at("drop_on_error").str())
			}
			if err := g.add(id, p); err != nil {
				return err
			}
			ids = append(ids, id)
			var routes []string
			switch t {
			case "route", "swimlanes":
				routes = append(append(routes, n.at("route").sortedKeys()...), "_unmatched")
			case "exclusive_route":
				for _, one := range n.at("routes").each() {
					routes = append(routes, one.at("name").str())
				}
				routes = append(routes, "_unmatched")
			case "remap":
				routes = []string{"dropped"}
			}
			for _, name := range routes {
				if err := g.add(id+"."+name, part{input: -1, from: []string{id}, some: true}); err != nil {
					return err
				}
			}
		}
		for _, id := range root.at("sinks").sortedKeys() {
			sinks = append(sinks, found{id, root.at("sinks", id), f.Name})
		}
		return nil
	})
	if err != nil {
		return err
	}
	steps := 0
	globs := func(list []string) ([]string, error) {
		var out []string
		for _, name := range list {
			if !strings.ContainsAny(name, "*?[") {
				out = append(out, name)
				continue
			}
			for _, id := range ids {
				if steps++; steps > 4*maxEdges {
					return nil, fmt.Errorf("inputs of sinks: %w", ErrTooLarge)
				}
				if ok, _ := path.Match(name, id); ok {
					out = append(out, id)
				}
			}
		}
		return out, nil
	}
	for _, id := range ids {
		if p := g.parts[id]; p.input < 0 {
			if p.from, err = globs(p.from); err != nil {
				return err
			}
		}
	}
	for _, s := range sinks {
		name := s.n.at("type").str()
		to, known := vectorSinks[name]
		if known && to.kind == sinkNone {
			continue
		}
		out := Output{Name: name, File: s.file, Line: s.n.line}
		if known {
			out.Host, out.Reach = to.to(func(key string) []string {
				n := s.n.at(strings.Split(key, ".")...)
				if key == "bootstrap_servers" {
					return splitList(n.str())
				}
				return n.strs()
			})
			out.UDP = name == "socket" && s.n.at("mode").str() == "udp"
		}
		switch s.n.at("buffer", "type").str() {
		case "disk":
			out.Buffer = BufferDisk
		case "memory":
			out.Buffer = BufferMemory
		}
		from, err := globs(s.n.at("inputs").strs())
		if err != nil {
			return err
		}
		out.From, out.Part = g.feeds(from)
		if _, err := r.output(out); err != nil {
			return err
		}
	}
	return nil
}

func vectorInput(n *node) Input {
	name := n.at("type").str()
	in := Input{Name: name}
	proto, listens := vectorListeners[name]
	switch {
	case name == "kubernetes_logs":
		// https://vector.dev/docs/reference/configuration/sources/kubernetes_logs/
		in.Kind, in.Paths = Containers, []string{podFiles}
		in.Exclude = n.at("exclude_paths_glob_patterns").strs()
		in.Only = n.at("include_paths_glob_patterns").strs()
	case name == "docker_logs":
		in.Kind, in.Paths = Containers, []string{dockerSocket}
		in.Exclude = n.at("exclude_containers").strs()
		in.Only = append(n.at("include_containers").strs(), n.at("include_images").strs()...)
		if h := n.at("docker_host").str(); h != "" {
			in.Paths = []string{strings.TrimPrefix(h, "unix://")}
		}
	case name == "file":
		in.Kind, in.Paths, in.Exclude = Files, n.at("include").strs(), n.at("exclude").strs()
	case name == "journald":
		in.Kind, in.Only, in.Exclude = Journal, n.at("include_units").strs(), n.at("exclude_units").strs()
	case listens:
		in.Kind, in.Proto, in.Port = Listen, proto, port(n.at("address").str())
		if name == "fluent" && in.Port == 0 {
			in.Port = 24224
		}
		if name == "opentelemetry" {
			in.Port = port(n.at("grpc", "address").str())
		}
		if mode := n.at("mode").str(); strings.HasPrefix(mode, "unix") {
			in.Port, in.Paths = 0, n.at("path").strs()
		} else if name == "socket" {
			in.Proto = mode
			if codec := n.at("decoding", "codec").str(); codec == "gelf" || codec == "syslog" {
				in.Proto = codec
			}
		}
	case name == "internal_logs" || name == "demo_logs" || strings.HasSuffix(name, "_metrics") || strings.HasPrefix(name, "prometheus"):
		in.Kind = Nothing
	}
	return in
}

// vectorFlags reads https://vector.dev/docs/reference/cli/: -c and its kin, and -C for folders.
func vectorFlags(r *reading, args []string) (files []string, err error) {
	for flag, value := range pairs(args, "-c --config --config-toml --config-yaml --config-json -C --config-dir -t --threads") {
		switch flag {
		case "-c", "--config", "--config-toml", "--config-yaml", "--config-json":
			files = append(files, splitList(value)...)
		case "-C", "--config-dir":
			for _, dir := range splitList(value) {
				files = append(files, strings.TrimSuffix(dir, "/")+"/")
			}
		}
	}
	return files, nil
}
