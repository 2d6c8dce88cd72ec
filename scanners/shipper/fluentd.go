package shipper

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Outputs of Fluentd, its own and those of its well-known plug-ins: https://docs.fluentd.org/output and
// https://www.fluentd.org/plugins/all
var fluentdSinks = map[string]sink{
	"stdout": {kind: sinkLocal}, "null": {kind: sinkLocal}, "file": {kind: sinkLocal}, "prometheus": {kind: sinkNone},
	"flowcounter": {kind: sinkLocal},

	"elasticsearch":             {keys: []string{"hosts", "host"}, port: "port", def: "localhost:9200"},
	"elasticsearch_dynamic":     {keys: []string{"hosts", "host"}, port: "port", def: "localhost:9200"},
	"elasticsearch_data_stream": {keys: []string{"hosts", "host"}, port: "port", def: "localhost:9200"},
	"opensearch":                {keys: []string{"hosts", "host"}, port: "port", def: "localhost:9200"},
	"opensearch_data_stream":    {keys: []string{"hosts", "host"}, port: "port", def: "localhost:9200"},
	"gelf":                      {keys: []string{"host"}, port: "port", udp: true},
	"http":                      {keys: []string{"endpoint"}},
	"influxdb":                  {keys: []string{"host"}, port: "port", def: "localhost:8086"},
	"kafka":                     {keys: []string{"brokers"}, def: "localhost:9092"},
	"kafka2":                    {keys: []string{"brokers"}, def: "localhost:9092"},
	"kafka_buffered":            {keys: []string{"brokers"}, def: "localhost:9092"},
	"rdkafka":                   {keys: []string{"brokers"}, def: "localhost:9092"},
	"rdkafka2":                  {keys: []string{"brokers"}, def: "localhost:9092"},
	"loki":                      {keys: []string{"url"}, def: "https://logs-prod-us-central1.grafana.net"},
	"mongo":                     {keys: []string{"connection_string", "host"}, port: "port", def: "localhost:27017"},
	"redis":                     {keys: []string{"host"}, port: "port", def: "localhost:6379"},
	"remote_syslog":             {keys: []string{"host"}, port: "port", udp: true},
	"splunk_hec":                {keys: []string{"full_url", "hec_host"}, port: "hec_port"},
	"syslog":                    {keys: []string{"remote_syslog", "host"}, port: "port", udp: true},

	"azure-loganalytics": {kind: sinkCloud}, "azurestorage": {kind: sinkCloud}, "bigquery_insert": {kind: sinkCloud},
	"bigquery_load": {kind: sinkCloud}, "coralogix": {kind: sinkCloud, keys: []string{"endpoint"}},
	"cloudwatch_logs": {kind: sinkCloud, keys: []string{"endpoint"}},
	"datadog":         {kind: sinkCloud, keys: []string{"host"}, port: "port"},
	"gcs":             {kind: sinkCloud}, "google_cloud": {kind: sinkCloud},
	"kinesis_firehose": {kind: sinkCloud, keys: []string{"endpoint"}},
	"kinesis_streams":  {kind: sinkCloud, keys: []string{"endpoint"}},
	"logdna":           {kind: sinkCloud, keys: []string{"ingester_domain"}},
	"loggly":           {kind: sinkCloud, keys: []string{"loggly_url"}},
	"logzio":           {kind: sinkCloud, keys: []string{"endpoint_url"}},
	"logzio_buffered":  {kind: sinkCloud, keys: []string{"endpoint_url"}},
	"newrelic":         {kind: sinkCloud, keys: []string{"base_uri"}},
	"s3":               {kind: sinkCloud, keys: []string{"s3_endpoint"}},
	"sumologic":        {kind: sinkCloud, keys: []string{"endpoint"}},
	"tdlog":            {kind: sinkCloud, keys: []string{"endpoint"}},
}

// Filters of Fluentd that let every record through: https://docs.fluentd.org/filter
var fluentdPasses = words(`record_transformer record_modifier parser geoip stdout kubernetes_metadata concat dedot
	enrich_kubernetes prometheus detect_json flatten_hash tag_normaliser kubernetes_sumologic`)

var fluentdListeners = map[string]struct {
	port  int
	proto string
}{
	"forward": {24224, "forward"}, "syslog": {5140, "syslog"}, "tcp": {5170, "tcp"}, "udp": {5160, "udp"},
	"http": {9880, "http"}, "gelf": {12201, "gelf"}, "unix": {0, "forward"}, "secure_forward": {24284, "forward"},
	"beats": {5044, "beats"}, "opentelemetry": {4318, "otlp"},
}

// A directive is "<name arg> ... </name>".
type directive struct {
	name, arg string
	props     map[string][]string
	inner     []*directive
	file      string
	line      int
}

func (d *directive) one(key string) string {
	if v := d.props[key]; len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

func (d *directive) plugin() string {
	if t := d.one("@type"); t != "" {
		return t
	}
	return d.one("type") // as it was written before version 0.12
}

type fluentd struct {
	*reading
	root  *directive
	count int
	steps int
}

func readFluentd(r *reading) error {
	f := &fluentd{reading: r, root: &directive{}}
	if err := r.roots(func(file File) error {
		switch path.Ext(file.Name) {
		case ".yaml", ".yml":
			return f.yaml(file)
		}
		return f.parse(file, []*directive{f.root}, 0)
	}); err != nil {
		return err
	}
	return f.settle()
}

// parse reads the format of https://docs.fluentd.org/configuration/config-file
func (f *fluentd) parse(file File, open []*directive, depth int) error {
	if depth > 10 {
		return fmt.Errorf("including %s: %w", file.Name, ErrTooLarge)
	}
	base := len(open)
	no := 0
	for line := range strings.Lines(string(file.Text)) {
		no++
		line = strings.TrimSpace(line)
		top := open[len(open)-1]
		switch {
		case line == "" || line[0] == '#':
		case strings.HasPrefix(line, "</"):
			if len(open) == base {
				return fmt.Errorf("line %d: %.40q closes nothing", no, line)
			}
			open = open[:len(open)-1]
		case line[0] == '<':
			head, _, closed := strings.Cut(line[1:], ">")
			if !closed {
				return fmt.Errorf("line %d: a directive does not close", no)
			}
			name, arg, _ := strings.Cut(strings.TrimSpace(head), " ")
			if f.count++; f.count > 8*maxParts || len(open) > maxDepth {
				return fmt.Errorf("line %d: %w", no, ErrTooLarge)
			}
			d := &directive{name: name, arg: f.ruby(strings.TrimSpace(arg)), props: map[string][]string{}, file: file.Name, line: no}
			top.inner = append(top.inner, d)
			open = append(open, d)
		default:
			key, value := line, ""
			if cut := strings.IndexAny(line, " \t"); cut >= 0 {
				key, value = line[:cut], strings.TrimSpace(line[cut:])
			}
			if key == "@include" || key == "include" && len(open) == 1 {
				files, err := f.include(file.Name, f.ruby(value))
				if err != nil {
					return err
				}
				for _, inner := range files {
					if err := f.parse(inner, slices.Clone(open), depth+1); err != nil {
						return err
					}
				}
				continue
			}
			if top.props != nil {
				top.props[key] = append(top.props[key], f.ruby(value))
			}
		}
	}
	if len(open) > base {
		return fmt.Errorf("<%.40s> of line %d does not close", open[len(open)-1].name, open[len(open)-1].line)
	}
	return nil
}

// yaml reads the other format of Fluentd: https://docs.fluentd.org/configuration/config-file-yaml
func (f *fluentd) yaml(file File) error {
	root, err := fromYAML(file.Text, f.ruby)
	if err != nil {
		return err
	}
	f.root.inner = append(f.root.inner, f.sections(root.at("config"), file, 0)...)
	return nil
}

func (f *fluentd) sections(list *node, file File, depth int) []*directive {
	var out []*directive
	if list == nil || depth > maxDepth {
		return nil
	}
	for _, item := range list.each() {
		for _, name := range item.keys {
			v := item.vals[name]
			if f.count++; v.vals == nil || f.count > 8*maxParts {
				f.cfg.Open = f.cfg.Open || strings.Contains(name, "include")
				continue
			}
			d := &directive{name: name, props: map[string][]string{}, file: file.Name, line: v.line}
			for _, k := range v.keys {
				switch inner := v.vals[k]; {
				case k == "$tag" || k == "$name" || k == "$arg":
					d.arg = strings.Join(inner.strs(), " ")
				case k == "$type":
					d.props["@type"] = inner.strs()
				case k == "$label":
					d.props["@label"] = inner.strs()
				case k == "config":
					d.inner = append(d.inner, f.sections(inner, file, depth+1)...)
				case inner.vals != nil:
					d.inner = append(d.inner, f.sections(&node{vals: map[string]*node{k: inner}, keys: []string{k}}, file, depth+1)...)
				case len(inner.items) > 0 && inner.items[0].vals != nil:
					for _, one := range inner.items {
						d.inner = append(d.inner, f.sections(&node{vals: map[string]*node{k: one}, keys: []string{k}}, file, depth+1)...)
					}
				default:
					d.props[k] = []string{strings.Join(inner.strs(), ",")}
				}
			}
			out = append(out, d)
		}
	}
	return out
}

// ruby reads a value: quotes, and the embedded Ruby that stands for a variable. Other Ruby is unresolved. See
// https://docs.fluentd.org/configuration/config-file, "Embedding Ruby expressions".
func (f *fluentd) ruby(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return s[1 : len(s)-1]
	}
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	} else if cut := strings.Index(s, " #"); cut >= 0 && !strings.Contains(s, "#{") {
		s = strings.TrimSpace(s[:cut])
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "#{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		expr, after, closed := strings.Cut(rest, "}")
		if !closed {
			return b.String() + unresolved
		}
		b.WriteString(f.expr(strings.TrimSpace(expr)))
		s = after
	}
}

func (f *fluentd) expr(e string) string {
	var name, rest string
	switch {
	case strings.HasPrefix(e, "ENV["):
		inner, after, ok := strings.Cut(e[len("ENV["):], "]")
		if !ok {
			return unresolved
		}
		name, rest = inner, strings.TrimSpace(after)
	case strings.HasPrefix(e, "ENV.fetch(") && strings.HasSuffix(e, ")"):
		inner, def, ok := strings.Cut(e[len("ENV.fetch("):len(e)-1], ",")
		name = inner
		if ok {
			rest = "|| " + strings.TrimSpace(def)
		}
	default:
		return unresolved
	}
	v := f.value(strings.Trim(strings.TrimSpace(name), `"'`))
	if rest == "" || v != "" {
		if rest != "" && !strings.HasPrefix(rest, "||") {
			return unresolved
		}
		return v
	}
	def, isOr := strings.CutPrefix(rest, "||")
	def = strings.TrimSpace(def)
	switch {
	case !isOr:
		return unresolved
	case def == "use_default" || def == "use_nil":
		return ""
	case len(def) >= 2 && (def[0] == '\'' || def[0] == '"') && def[len(def)-1] == def[0]:
		return def[1 : len(def)-1]
	}
	return unresolved
}

// A record is what the routing knows of the records of one input at one point.
type record struct {
	input int
	tag   string
	some  bool // some of them were dropped or went elsewhere, or may have
}

func (f *fluentd) settle() error {
	labels := map[string][]*directive{"": nil}
	outputs := map[*directive]int{}
	var sources []*directive
	for _, d := range f.root.inner {
		switch d.name {
		case "source":
			sources = append(sources, d)
		case "label":
			labels[d.arg] = append(labels[d.arg], d.inner...)
		case "match", "filter":
			labels[""] = append(labels[""], d)
		case "worker":
			for _, inner := range d.inner {
				switch inner.name {
				case "source":
					sources = append(sources, inner)
				case "label":
					labels[inner.arg] = append(labels[inner.arg], inner.inner...)
				default:
					labels[""] = append(labels[""], inner)
				}
			}
		}
	}
	patterns := map[*directive]pattern{}
	for _, list := range labels {
		for _, d := range list {
			arg := d.arg
			if arg == "" {
				arg = "**"
			}
			p, err := fluentdPattern(arg)
			if err != nil {
				return fmt.Errorf("%s line %d: %w", d.file, d.line, err)
			}
			patterns[d] = p
		}
	}
	// Outputs are listed in the order in which they are written.
	var list func(ds []*directive) error
	list = func(ds []*directive) error {
		for _, d := range ds {
			switch d.name {
			case "label", "worker":
				if d.arg == "@FLUENT_LOG" || d.arg == "@ERROR" {
					continue
				}
				if err := list(d.inner); err != nil {
					return err
				}
			case "match", "store":
				if strings.HasPrefix(d.arg, "fluent.") {
					continue // Fluentd's own messages
				}
				switch d.plugin() {
				case "copy", "roundrobin":
					if err := list(d.inner); err != nil {
						return err
					}
				case "relabel", "rewrite_tag_filter", "detect_exceptions", "retag":
				default:
					out, none := f.sink(d)
					if none {
						continue
					}
					if _, err := f.output(out); err != nil {
						return err
					}
					outputs[d] = len(f.cfg.Outputs) - 1
				}
			}
		}
		return nil
	}
	if err := list(f.root.inner); err != nil {
		return err
	}
	for _, d := range sources {
		in, tag := f.source(d)
		i, err := f.input(in)
		if err != nil {
			return err
		}
		if err := f.flow(record{input: i, tag: tag}, labels, d.one("@label"), 0, patterns, outputs, 0); err != nil {
			return err
		}
	}
	return nil
}

// flow follows the records of an input through the filters and matches of a label.
func (f *fluentd) flow(rec record, labels map[string][]*directive, label string, from int, patterns map[*directive]pattern, outputs map[*directive]int, depth int) error {
	if depth > 16 {
		return nil // a loop: Fluentd would not end either
	}
	for n, d := range labels[label] {
		if n < from {
			continue
		}
		if f.steps++; f.steps > 1_000_000 {
			return fmt.Errorf("routing: %w", ErrTooLarge)
		}
		p := patterns[d]
		if !p.touches(rec.tag) {
			continue
		}
		if d.name == "filter" {
			rec.some = rec.some || !fluentdPasses[d.plugin()]
			continue
		}
		if d.name != "match" {
			continue
		}
		all := p.covers(rec.tag)
		taken := rec
		taken.some = rec.some || !all
		if err := f.deliver(taken, d, labels, label, n, patterns, outputs, depth); err != nil {
			return err
		}
		if all {
			return nil // the first match that fits takes the record
		}
		rec.some = true
	}
	return nil
}

func (f *fluentd) deliver(rec record, d *directive, labels map[string][]*directive, label string, n int, patterns map[*directive]pattern, outputs map[*directive]int, depth int) error {
	switch d.plugin() {
	case "copy", "roundrobin":
		rec.some = rec.some || d.plugin() == "roundrobin"
		for _, store := range d.inner {
			if store.name == "store" {
				if err := f.deliver(rec, store, labels, label, n, patterns, outputs, depth+1); err != nil {
					return err
				}
			}
		}
	case "relabel":
		return f.flow(rec, labels, d.one("@label"), 0, patterns, outputs, depth+1)
	case "detect_exceptions":
		// It sends the records on under their tag without a prefix: https://github.com/GoogleCloudPlatform/fluent-plugin-detect-exceptions
		if prefix := d.one("remove_tag_prefix"); prefix != "" {
			rec.tag = strings.TrimPrefix(strings.TrimPrefix(rec.tag, prefix), ".")
			return f.flow(rec, labels, label, 0, patterns, outputs, depth+1)
		}
		return f.flow(rec, labels, label, n+1, patterns, outputs, depth+1)
	case "rewrite_tag_filter", "retag":
		next := label
		if l := d.one("@label"); l != "" {
			next = l
		}
		rec.some = true
		for _, rule := range d.inner {
			tag := rule.one("tag")
			if cut := strings.IndexAny(tag, "$"+unresolved); cut >= 0 {
				tag = tag[:cut] + anything
			}
			rec.tag = tag
			if rule.name != "rule" || tag == "" {
				continue
			}
			if err := f.flow(rec, labels, next, 0, patterns, outputs, depth+1); err != nil {
				return err
			}
		}
		if len(d.inner) == 0 { // "rewriterule1 key regexp tag", as it was written before
			rec.tag = anything
			return f.flow(rec, labels, next, n+1, patterns, outputs, depth+1)
		}
	default:
		if i, ok := outputs[d]; ok {
			o := &f.cfg.Outputs[i]
			list := &o.From
			if rec.some {
				list = &o.Part
			}
			if !slices.Contains(o.From, rec.input) && !slices.Contains(*list, rec.input) {
				*list = append(*list, rec.input)
			}
		}
	}
	return nil
}

func (f *fluentd) sink(d *directive) (out Output, none bool) {
	name := d.plugin()
	out = Output{Name: name, File: d.file, Line: d.line}
	for _, b := range d.inner {
		if b.name != "buffer" {
			continue
		}
		switch b.plugin() {
		case "file", "file_single":
			out.Buffer = BufferDisk
		case "memory":
			out.Buffer = BufferMemory
		}
	}
	if d.one("buffer_type") == "file" {
		out.Buffer = BufferDisk
	}
	if name == "forward" { // https://docs.fluentd.org/output/forward
		var hosts []string
		for _, s := range d.inner {
			if s.name == "server" {
				p := s.one("port")
				if p == "" {
					p = "24224"
				}
				hosts = append(hosts, join(s.one("host"), p))
			}
			if s.name == "service_discovery" {
				hosts = append(hosts, unresolved)
			}
		}
		out.Host, out.Reach = places(hosts)
		return out, false
	}
	to, known := fluentdSinks[name]
	if !known {
		return out, false
	}
	if to.kind == sinkNone {
		return out, true
	}
	out.Host, out.Reach = to.to(func(key string) []string {
		if key == "hosts" || key == "brokers" {
			return splitList(d.one(key))
		}
		if v := d.one(key); v != "" {
			return []string{v}
		}
		return nil
	})
	if d.one("cloud_id") != "" {
		out.Host, out.Reach = "", Away
	}
	out.UDP = to.udp && out.Reach != Local
	if p := d.one("protocol"); p != "" && to.udp {
		out.UDP = strings.EqualFold(p, "udp")
	}
	return out, false
}

// source reads an input and the tag of its records: https://docs.fluentd.org/input
func (f *fluentd) source(d *directive) (in Input, tag string) {
	name := d.plugin()
	in = Input{Name: name, File: d.file, Line: d.line}
	tag = d.one("tag")
	listener, listens := fluentdListeners[name]
	switch {
	case name == "tail":
		in.Kind = Files
		in.Paths, in.Exclude = rubyList(d.one("path")), rubyList(d.one("exclude_path"))
	case name == "systemd":
		in.Kind, in.Paths = Journal, []string{"/var/log/journal"}
		if p := d.one("path"); p != "" {
			in.Paths = []string{p}
		}
		if m := d.one("matches"); m != "" {
			in.Only = []string{m}
		}
	case listens:
		in.Kind, in.Port, in.Proto = Listen, listener.port, listener.proto
		if p := d.one("port"); p != "" {
			in.Port = port(p)
		}
		if p := d.one("path"); name == "unix" && p != "" {
			in.Paths = []string{p}
		}
		switch name {
		case "forward", "unix", "secure_forward", "http", "opentelemetry":
			if tag == "" {
				tag = anything // the sender's
			}
		case "syslog":
			tag += "." + anything // facility and priority
		}
	case name == "dummy" || name == "sample" || name == "monitor_agent" || strings.HasPrefix(name, "prometheus"):
		in.Kind = Nothing
	}
	if tag == "" || strings.Contains(tag, unresolved) {
		tag = anything
	}
	return in, tag
}

// rubyList reads "a,b" and ["a","b"].
func rubyList(s string) []string {
	list := splitList(strings.Trim(s, "[]"))
	for i := range list {
		list[i] = strings.Trim(list[i], `"' `)
	}
	return list
}

// fluentdFlags reads "-c file": https://docs.fluentd.org/deployment/command-line-option. The images add to it what
// FLUENTD_CONF and FLUENTD_OPT say.
func fluentdFlags(r *reading, args []string) (files []string, err error) {
	if opt, known := r.vars("FLUENTD_OPT"); known {
		args = append(slices.Clone(args), strings.Fields(opt)...)
	}
	for flag, value := range pairs(args, "-c --config -i --inline-config -p -I -r -d -o") {
		switch flag {
		case "-c", "--config":
			files = append(files, value)
		case "-i", "--inline-config":
			r.cfg.Open = true
		}
	}
	if conf, known := r.vars("FLUENTD_CONF"); len(files) == 0 && known && conf != "" {
		// https://github.com/fluent/fluentd-docker-image: its start script reads /fluentd/etc/$FLUENTD_CONF.
		files = append(files, path.Join("/fluentd/etc", conf))
	}
	return files, nil
}
