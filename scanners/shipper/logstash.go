package shipper

import (
	"fmt"
	"path"
	"strings"
)

// Outputs of Logstash: https://www.elastic.co/docs/reference/logstash/plugins/output-plugins
var logstashSinks = map[string]sink{
	"stdout": {kind: sinkLocal}, "file": {kind: sinkLocal}, "csv": {kind: sinkLocal}, "null": {kind: sinkLocal},
	"sink": {kind: sinkLocal}, "graphite": {kind: sinkNone}, "statsd": {kind: sinkNone}, "ganglia": {kind: sinkNone},

	"elasticsearch": {keys: []string{"hosts"}, def: "127.0.0.1:9200"}, "opensearch": {keys: []string{"hosts"}, def: "127.0.0.1:9200"},
	"elastic_app_search": {keys: []string{"url"}}, "gelf": {keys: []string{"host"}, port: "port", udp: true},
	"http": {keys: []string{"url"}}, "influxdb": {keys: []string{"host"}, port: "port", def: "localhost:8086"},
	"kafka": {keys: []string{"bootstrap_servers"}, def: "localhost:9092"}, "logstash": {keys: []string{"hosts"}},
	"loki": {keys: []string{"url"}}, "lumberjack": {keys: []string{"hosts"}, port: "port"},
	"mongodb": {keys: []string{"uri"}}, "rabbitmq": {keys: []string{"host"}, port: "port"},
	"redis":  {keys: []string{"host"}, def: "127.0.0.1:6379"},
	"syslog": {keys: []string{"host"}, port: "port", udp: true}, "tcp": {keys: []string{"host"}, port: "port"},
	"udp": {keys: []string{"host"}, port: "port", udp: true}, "websocket": {},

	"cloudwatch": {kind: sinkNone}, "datadog": {kind: sinkCloud}, "google_bigquery": {kind: sinkCloud},
	"google_cloud_storage": {kind: sinkCloud}, "google_pubsub": {kind: sinkCloud}, "loggly": {kind: sinkCloud, keys: []string{"host"}},
	"s3": {kind: sinkCloud, keys: []string{"endpoint"}}, "sqs": {kind: sinkCloud, keys: []string{"endpoint"}},
	"sumologic": {kind: sinkCloud, keys: []string{"url"}}, "datadog_logs": {kind: sinkCloud, keys: []string{"host"}},
	"newrelic": {kind: sinkCloud, keys: []string{"base_uri"}}, "azure_loganalytics": {kind: sinkCloud},
	"microsoft-sentinel-log-analytics-logstash-output-plugin": {kind: sinkCloud},
}

var logstashListeners = map[string]struct {
	port  int
	proto string
}{
	"beats": {5044, "beats"}, "elastic_agent": {5044, "beats"}, "tcp": {0, "tcp"}, "udp": {0, "udp"},
	"syslog": {514, "syslog"}, "gelf": {12201, "gelf"}, "http": {8080, "http"}, "logstash": {9800, "logstash"},
	"lumberjack": {0, "beats"}, "unix": {0, ""},
}

// readLogstash reads https://www.elastic.co/docs/reference/logstash/configuration-file-structure. All files together are
// one pipeline.
func readLogstash(r *reading) error {
	l := &logstash{reading: r}
	if err := r.roots(func(f File) error { return l.file(f.Name, string(f.Text)) }); err != nil {
		return err
	}
	r.feedAll(l.drops)
	l.conditions()
	return nil
}

type logstash struct {
	*reading
	cur   cursor
	name  string
	drops bool
	under []bool // whether each output stands under an if
}

// conditions says of the outputs under an if that they get only some records.
func (l *logstash) conditions() {
	for i := range l.cfg.Outputs {
		if o := &l.cfg.Outputs[i]; i < len(l.under) && l.under[i] && len(o.From) > 0 {
			o.From, o.Part = nil, o.From
		}
	}
}

func (l *logstash) file(name, text string) error {
	if ext := path.Ext(name); ext == ".yml" || ext == ".yaml" {
		return nil // logstash.yml, pipelines.yml: no pipeline
	}
	toks, err := lex(text, "#", "_-.@%:")
	if err != nil {
		return err
	}
	l.cur, l.name = cursor{toks: toks}, name
	for l.cur.more() {
		section := l.cur.next()
		switch section.text {
		case "input", "filter", "output":
		default:
			return fmt.Errorf("line %d: %.40q is no part of a pipeline", section.line, section.text)
		}
		if err := l.cur.want("{"); err != nil {
			return err
		}
		if err := l.body(section.text, false, 0); err != nil {
			return err
		}
	}
	return nil
}

// body reads plug-ins and branches up to the closing brace.
func (l *logstash) body(section string, under bool, depth int) error {
	if depth > maxDepth {
		return ErrTooLarge
	}
	for {
		if l.cur.accept("}") {
			return nil
		}
		if !l.cur.more() {
			return fmt.Errorf("%s does not close", section)
		}
		t := l.cur.next()
		if t.is("if") || t.is("else") {
			for l.cur.more() && !l.cur.peek().is("{") {
				l.cur.next()
			}
			if err := l.cur.want("{"); err != nil {
				return err
			}
			if err := l.body(section, true, depth+1); err != nil {
				return err
			}
			continue
		}
		settings, err := l.settings(0)
		if err != nil {
			return err
		}
		if err := l.plugin(section, t, settings, under); err != nil {
			return err
		}
	}
}

// settings reads "{ key => value ... }".
func (l *logstash) settings(depth int) (*node, error) {
	n := &node{vals: map[string]*node{}, line: l.cur.peek().line}
	if err := l.cur.want("{"); err != nil {
		return nil, err
	}
	for !l.cur.accept("}") {
		if l.cur.accept(",") {
			continue
		}
		key := l.cur.next()
		if err := l.cur.want("=>"); err != nil {
			return nil, err
		}
		v, err := l.val(depth + 1)
		if err != nil {
			return nil, err
		}
		n.set(key.text, v)
	}
	return n, nil
}

func (l *logstash) val(depth int) (*node, error) {
	if depth > maxDepth {
		return nil, ErrTooLarge
	}
	t := l.cur.peek()
	switch {
	case !l.cur.more():
		return nil, fmt.Errorf("the text ends in the middle of a setting")
	case t.is("["):
		l.cur.next()
		n := &node{line: t.line}
		for !l.cur.accept("]") {
			if l.cur.accept(",") {
				continue
			}
			item, err := l.val(depth + 1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
		return n, nil
	case t.is("{"):
		return l.settings(depth)
	}
	l.cur.next()
	if l.cur.peek().is("{") { // codec => json { ... }
		if _, err := l.settings(depth); err != nil {
			return nil, err
		}
	}
	return &node{text: l.expand(t.text, dialect{def: ":"}), line: t.line}, nil
}

func (l *logstash) plugin(section string, name token, n *node, under bool) error {
	switch section {
	case "filter":
		l.drops = l.drops || name.text == "drop" || name.text == "ruby" || name.text == "throttle" || name.text == "aggregate"
	case "input":
		in := Input{Name: name.text, File: l.name, Line: name.line}
		listener, listens := logstashListeners[name.text]
		switch {
		case name.text == "file":
			in.Kind, in.Paths, in.Exclude = Files, n.at("path").strs(), n.at("exclude").strs()
		case listens:
			in.Kind, in.Port, in.Proto = Listen, listener.port, listener.proto
			if p := n.at("port").str(); p != "" {
				in.Port = port(p)
			}
			if p := n.at("path").str(); name.text == "unix" && p != "" {
				in.Paths = []string{p}
			}
		case name.text == "generator" || name.text == "heartbeat" || name.text == "stdin":
			in.Kind = Nothing
		}
		_, err := l.input(in)
		return err
	case "output":
		to, known := logstashSinks[name.text]
		if known && to.kind == sinkNone {
			return nil
		}
		out := Output{Name: name.text, File: l.name, Line: name.line}
		if known {
			out.Host, out.Reach = to.to(func(key string) []string {
				if key == "bootstrap_servers" {
					return splitList(n.at(key).str())
				}
				return n.at(key).strs()
			})
			if n.at("cloud_id").str() != "" {
				out.Host, out.Reach = "", Away
			}
			out.UDP = to.udp && out.Reach != Local
			if p := n.at("protocol").str(); p != "" && to.udp {
				out.UDP = strings.EqualFold(p, "udp")
			}
		}
		if _, err := l.output(out); err != nil {
			return err
		}
		for len(l.under) < len(l.cfg.Outputs)-1 {
			l.under = append(l.under, false)
		}
		l.under = append(l.under, under)
	}
	return nil
}

// logstashFlags reads -f files and folders, and the pipeline of -e or CONFIG_STRING:
// https://www.elastic.co/docs/reference/logstash/running-logstash-command-line
func logstashFlags(r *reading, args []string) (files []string, err error) {
	l := &logstash{reading: r}
	text, _ := r.vars("CONFIG_STRING")
	for flag, value := range pairs(args, "-f --path.config -e --config.string --path.settings -w -b -l --path.logs --path.data -n --pipeline.id") {
		switch flag {
		case "-f", "--path.config":
			files = append(files, value)
		case "-e", "--config.string":
			text = value
		}
	}
	if text != "" {
		if err := l.file("", text); err != nil {
			return nil, err
		}
	}
	r.feedAll(l.drops)
	l.conditions()
	return files, nil
}
