package shipper

import (
	"fmt"
	"path"
	"strings"
)

// Plug-ins of Fluent Bit that listen, with their default ports: https://docs.fluentbit.io/manual/pipeline/inputs
var fluentBitListeners = map[string]struct {
	port  int
	proto string
}{
	"forward": {24224, "forward"}, "http": {9880, "http"}, "tcp": {5170, "tcp"}, "udp": {5170, "udp"},
	"opentelemetry": {4318, "otlp"}, "elasticsearch": {9200, "elasticsearch"}, "splunk": {8088, "splunk"},
	"mqtt": {1883, "mqtt"}, "syslog": {5140, "syslog"},
}

// Inputs of Fluent Bit that read nobody's records.
var fluentBitNothing = words(`cpu mem disk netif proc health dummy random thermal docker docker_events
	node_exporter_metrics process_exporter_metrics windows_exporter_metrics fluentbit_metrics fluentbit_logs
	prometheus_scrape prometheus_remote_write prometheus_textfile statsd collectd nginx_metrics podman_metrics gpu_metrics
	ebpf event_type serial`)

// Outputs of Fluent Bit with the addresses that they have by default: https://docs.fluentbit.io/manual/pipeline/outputs
var fluentBitSinks = map[string]sink{
	"stdout": {kind: sinkLocal}, "null": {kind: sinkLocal}, "file": {kind: sinkLocal}, "exit": {kind: sinkLocal},
	"counter": {kind: sinkLocal}, "flowcounter": {kind: sinkLocal}, "plot": {kind: sinkLocal},
	"vivo_exporter":       {kind: sinkLocal},
	"prometheus_exporter": {kind: sinkNone}, "prometheus_remote_write": {kind: sinkNone},

	"es":            {keys: []string{"host"}, port: "port", def: "127.0.0.1:9200"},
	"opensearch":    {keys: []string{"host"}, port: "port", def: "127.0.0.1:9200"},
	"forward":       {keys: []string{"unix_path", "host"}, port: "port", def: "127.0.0.1:24224"},
	"gelf":          {keys: []string{"host"}, port: "port", def: "127.0.0.1:12201", udp: true},
	"http":          {keys: []string{"host"}, port: "port", def: "127.0.0.1:80"},
	"influxdb":      {keys: []string{"host"}, port: "port", def: "127.0.0.1:8086"},
	"kafka":         {keys: []string{"brokers"}},
	"kafka-rest":    {keys: []string{"host"}, port: "port", def: "127.0.0.1:8082"},
	"loki":          {keys: []string{"host"}, port: "port", def: "127.0.0.1:3100"},
	"nats":          {keys: []string{"host"}, port: "port", def: "127.0.0.1:4222"},
	"opentelemetry": {keys: []string{"host"}, port: "port", def: "127.0.0.1:80"},
	"pgsql":         {keys: []string{"host"}, port: "port", def: "127.0.0.1:5432"},
	"skywalking":    {keys: []string{"host"}, port: "port", def: "127.0.0.1:12800"},
	"splunk":        {keys: []string{"host"}, port: "port", def: "127.0.0.1:8088"},
	"syslog":        {keys: []string{"host"}, port: "port", def: "127.0.0.1:514", udp: true},
	"tcp":           {keys: []string{"host"}, port: "port", def: "127.0.0.1:5170"},
	"udp":           {keys: []string{"host"}, port: "port", def: "127.0.0.1:5170", udp: true},
	"websocket":     {keys: []string{"host"}, port: "port", def: "127.0.0.1:80"},
	"grafana-loki":  {keys: []string{"url"}, def: "http://localhost:3100"}, // Grafana's own plug-in

	"azure": {kind: sinkCloud}, "azure_blob": {kind: sinkCloud, keys: []string{"endpoint"}},
	"azure_kusto":          {kind: sinkCloud, keys: []string{"ingestion_endpoint"}},
	"azure_logs_ingestion": {kind: sinkCloud, keys: []string{"dce_url"}},
	"bigquery":             {kind: sinkCloud}, "chronicle": {kind: sinkCloud},
	"cloudwatch":           {kind: sinkCloud, keys: []string{"endpoint"}},
	"cloudwatch_logs":      {kind: sinkCloud, keys: []string{"endpoint"}},
	"datadog":              {kind: sinkCloud, keys: []string{"host"}, port: "port"},
	"firehose":             {kind: sinkCloud, keys: []string{"endpoint"}},
	"kinesis_firehose":     {kind: sinkCloud, keys: []string{"endpoint"}},
	"kinesis":              {kind: sinkCloud, keys: []string{"endpoint"}},
	"kinesis_streams":      {kind: sinkCloud, keys: []string{"endpoint"}},
	"logdna":               {kind: sinkCloud, keys: []string{"logdna_host"}, port: "logdna_port"},
	"newrelic":             {kind: sinkCloud, keys: []string{"endpoint"}},
	"nrlogs":               {kind: sinkCloud, keys: []string{"base_uri"}},
	"oracle_log_analytics": {kind: sinkCloud},
	"s3":                   {kind: sinkCloud, keys: []string{"endpoint"}},
	"stackdriver":          {kind: sinkCloud},
	"td":                   {kind: sinkCloud},
}

// Filters of Fluent Bit that let every record through: https://docs.fluentbit.io/manual/pipeline/filters
var fluentBitPasses = words(`kubernetes modify nest record_modifier parser multiline aws ecs geoip2 expect stdout
	type_converter checklist sysinfo content_modifier alter_size`)

// A stanza is one plug-in of a Fluent Bit configuration.
type stanza struct {
	kind  string // "input", "filter", "output"
	props map[string][]string
	file  string
	line  int
}

func (s *stanza) get(key string) []string { return s.props[strings.ToLower(key)] }

func (s *stanza) one(key string) string {
	if v := s.get(key); len(v) > 0 {
		return v[0]
	}
	return ""
}

func (s *stanza) set(key, value string) {
	key = strings.ToLower(key)
	s.props[key] = append(s.props[key], value)
}

func newStanza(kind, file string, line int) *stanza {
	return &stanza{kind: kind, props: map[string][]string{}, file: file, line: line}
}

type fluentBit struct {
	*reading
	set     map[string]string // @SET, and env: of YAML
	stanzas []*stanza
}

func readFluentBit(r *reading) error {
	f := &fluentBit{reading: r, set: map[string]string{}}
	vars := r.vars
	r.vars = func(name string) (string, bool) {
		if v, ok := f.set[name]; ok {
			return v, true
		}
		return vars(name)
	}
	if err := r.roots(func(file File) error { return f.file(file, 0) }); err != nil {
		return err
	}
	return f.settle()
}

func (f *fluentBit) file(file File, depth int) error {
	if depth > 10 {
		return fmt.Errorf("including %s: %w", file.Name, ErrTooLarge)
	}
	switch path.Ext(file.Name) {
	case ".yaml", ".yml":
		return f.yaml(file, depth)
	}
	return f.classic(file, depth)
}

// classic reads the format of https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/classic-mode
func (f *fluentBit) classic(file File, depth int) error {
	var cur *stanza
	no := 0
	for line := range strings.Lines(string(file.Text)) {
		no++
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '@':
			command, rest, _ := strings.Cut(line, " ")
			rest = strings.TrimSpace(rest)
			switch strings.ToUpper(command) {
			case "@INCLUDE":
				files, err := f.include(file.Name, f.expand(rest, dialect{}))
				if err != nil {
					return err
				}
				for _, inner := range files {
					if err := f.file(inner, depth+1); err != nil {
						return err
					}
				}
				cur = nil
			case "@SET":
				name, value, _ := strings.Cut(rest, "=")
				f.set[strings.TrimSpace(name)] = f.expand(strings.TrimSpace(value), dialect{})
			}
		case line[0] == '[':
			name, _, closed := strings.Cut(line[1:], "]")
			if !closed {
				return fmt.Errorf("line %d: a section does not close", no)
			}
			cur = nil
			switch kind := strings.ToLower(strings.TrimSpace(name)); kind {
			case "input", "output", "filter":
				cur = newStanza(kind, file.Name, no)
				f.stanzas = append(f.stanzas, cur)
			case "custom":
				f.cfg.Open = true // a plug-in that makes further inputs and outputs by itself
			}
		case cur != nil:
			key, value := line, ""
			if cut := strings.IndexAny(line, " \t"); cut >= 0 {
				key, value = line[:cut], strings.TrimSpace(line[cut:])
			}
			cur.set(key, f.expand(value, dialect{}))
		}
	}
	return nil
}

// yaml reads the format of https://docs.fluentbit.io/manual/administration/configuring-fluent-bit/yaml
func (f *fluentBit) yaml(file File, depth int) error {
	// Variables may be set below their use: env is read first.
	plain, err := fromYAML(file.Text, func(s string) string { return s })
	if err != nil {
		return err
	}
	for _, name := range plain.at("env").sortedKeys() {
		f.set[name] = f.expand(plain.at("env", name).str(), dialect{})
	}
	root, err := fromYAML(file.Text, func(s string) string { return f.expand(s, dialect{}) })
	if err != nil {
		return err
	}
	if root.at("customs") != nil {
		f.cfg.Open = true
	}
	for _, pattern := range root.at("includes").strs() {
		files, err := f.include(file.Name, pattern)
		if err != nil {
			return err
		}
		for _, inner := range files {
			if err := f.file(inner, depth+1); err != nil {
				return err
			}
		}
	}
	for key, kind := range map[string]string{"inputs": "input", "filters": "filter", "outputs": "output"} {
		for _, item := range root.at("pipeline", key).each() {
			s := newStanza(kind, file.Name, item.line)
			for _, k := range item.keys {
				v := item.vals[k]
				if list := v.strs(); len(list) > 0 {
					s.props[strings.ToLower(k)] = list
				} else if v.vals != nil || v.items != nil {
					s.set(k, unresolved) // processors, routes: there, not read
				}
			}
			f.stanzas = append(f.stanzas, s)
		}
	}
	return nil
}

func (n *node) sortedKeys() []string {
	if n == nil {
		return nil
	}
	return n.keys
}

// settle makes inputs and outputs of the stanzas and finds out which feeds which.
func (f *fluentBit) settle() error {
	type drop struct {
		pattern
		renamed []string // tags that it gives records instead
	}
	var tags []string
	var feeding []bool // whether a conditional route or processor may keep records of the input back
	var drops []drop
	for _, s := range f.stanzas {
		name := strings.ToLower(s.one("name"))
		switch s.kind {
		case "input":
			i, err := f.input(fluentBitInput(name, s))
			if err != nil {
				return err
			}
			tag := s.one("tag")
			if _, listens := fluentBitListeners[name]; tag == "" {
				tag = name + "." + anything
				if listens && name != "syslog" && name != "tcp" && name != "udp" {
					tag = s.one("tag_prefix") + anything
				}
			}
			tags = append(tags, strings.ReplaceAll(tag, unresolved, anything))
			feeding = append(feeding, s.one("routes") != "" || s.one("processors") != "")
			f.cfg.Inputs[i].Disk = strings.EqualFold(s.one("storage.type"), "filesystem")
		case "filter":
			if name == "kubernetes" && on(s.one("k8s-logging.exclude")) {
				f.optOuts(Annotation)
			}
			if fluentBitPasses[name] {
				continue
			}
			if len(drops) >= maxParts {
				return fmt.Errorf("%d filters: %w", len(drops), ErrTooLarge)
			}
			p, err := s.match()
			if err != nil {
				return err
			}
			d := drop{pattern: p}
			if name == "rewrite_tag" {
				for _, rule := range s.get("rule") {
					if fields := strings.Fields(rule); len(fields) >= 3 {
						tag, _, _ := strings.Cut(fields[2], "$")
						d.renamed = append(d.renamed, strings.ReplaceAll(tag, unresolved, anything)+anything)
					}
				}
			}
			drops = append(drops, d)
		}
	}
	for _, s := range f.stanzas {
		if s.kind != "output" {
			continue
		}
		name := strings.ToLower(s.one("name"))
		to, known := fluentBitSinks[name]
		if to.kind == sinkNone && known {
			continue
		}
		out := Output{Name: name, File: s.file, Line: s.line}
		if known {
			get := func(key string) []string {
				if key == "brokers" {
					return splitList(s.one(key))
				}
				return s.get(key)
			}
			out.Host, out.Reach = to.to(get)
			out.UDP = to.udp && out.Reach != Local
			if mode := s.one("mode"); mode != "" && (name == "gelf" || name == "syslog") {
				out.UDP = strings.EqualFold(mode, "udp")
			}
			switch {
			case s.one("upstream") != "" && name != "syslog":
				out.Host, out.Reach = "", Unknown // the addresses are in a file of their own
			case s.one("cloud_id") != "":
				out.Host, out.Reach = "", Away
			}
		} else {
			out.Name = name
		}
		// One input and one output need no tags: https://docs.fluentbit.io/manual/concepts/data-pipeline/router
		if len(f.stanzas) == 2 && len(tags) == 1 && s.one("match") == "" {
			s.set("match", "*")
		}
		p, err := s.match()
		if err != nil {
			return err
		}
		matches := len(s.get("match")) > 0 || len(s.get("match_regex")) > 0
		for i, tag := range tags {
			all, some := matches && p.covers(tag), matches && p.touches(tag)
			for _, d := range drops {
				if !d.touches(tag) {
					continue
				}
				all, some = false, all || some
				for _, renamed := range d.renamed {
					some = some || p.touches(renamed)
				}
			}
			switch {
			case all && !feeding[i]:
				out.From = append(out.From, i)
			case all || some || feeding[i]:
				out.Part = append(out.Part, i)
			}
		}
		if _, err := f.output(out); err != nil {
			return err
		}
	}
	return nil
}

// match reads which tags a filter or an output takes.
func (s *stanza) match() (pattern, error) {
	m := s.one("match")
	if m == "" || strings.Contains(m, unresolved) {
		return pattern{}, nil // touches everything, covers nothing
	}
	p, err := fluentBitPattern(m)
	if err != nil {
		return pattern{}, fmt.Errorf("line %d: %w", s.line, err)
	}
	return p, nil
}

func fluentBitInput(name string, s *stanza) Input {
	in := Input{Name: name, File: s.file, Line: s.line}
	listener, listens := fluentBitListeners[name]
	switch {
	case name == "tail":
		in.Kind = Files
		for _, p := range s.get("path") {
			in.Paths = append(in.Paths, splitList(p)...)
		}
		in.Exclude = splitList(s.one("exclude_path"))
	case name == "head":
		in.Kind, in.Paths = Files, s.get("file")
	case name == "systemd":
		in.Kind, in.Paths = Journal, s.get("path")
		in.Only = s.get("systemd_filter")
	case listens:
		in.Kind, in.Port, in.Proto = Listen, listener.port, listener.proto
		if p := s.one("port"); p != "" {
			in.Port = port(p)
		}
		if p := s.one("unix_path"); p != "" {
			in.Port, in.Paths = 0, []string{p}
		}
		// A syslog input listens on a socket unless its mode says otherwise.
		if name == "syslog" && !strings.EqualFold(s.one("mode"), "tcp") && !strings.EqualFold(s.one("mode"), "udp") {
			in.Port, in.Paths = 0, s.get("path")
		}
	case fluentBitNothing[name]:
		in.Kind = Nothing
	}
	return in
}

// words makes a set of the words of a text.
func words(s string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(s) {
		set[w] = true
	}
	return set
}

// fluentBitFlags reads "-i tail -p path=/var/log/*.log -t app -o forward -m '*' -p host=logs.example.net", and
// "-o forward://host:port". See https://docs.fluentbit.io/manual/administration/configuring-fluent-bit
func fluentBitFlags(r *reading, args []string) (files []string, err error) {
	f := &fluentBit{reading: r, set: map[string]string{}}
	var cur *stanza
	kinds := map[string]string{
		"-i": "input", "--input": "input", "-o": "output", "--output": "output", "-F": "filter", "--filter": "filter",
	}
	for flag, value := range pairs(args, "-i --input -o --output -F --filter -p --prop -t --tag -m --match -c --config -R --parser -e --plugin") {
		value = r.expand(value, dialect{})
		switch flag {
		case "-i", "--input", "-o", "--output", "-F", "--filter":
			cur = newStanza(kinds[flag], "", 0)
			f.stanzas = append(f.stanzas, cur)
			name, address, isURL := strings.Cut(value, "://")
			cur.set("name", name)
			if isURL {
				address, _, _ = strings.Cut(address, "/")
				host, p := address, ""
				if colon := strings.LastIndexByte(address, ':'); colon >= 0 && !strings.HasSuffix(address, "]") {
					host, p = address[:colon], address[colon+1:]
				}
				cur.set("host", host)
				if p != "" {
					cur.set("port", p)
				}
			}
		case "-p", "--prop":
			if key, v, ok := strings.Cut(value, "="); ok && cur != nil {
				cur.set(strings.TrimSpace(key), strings.TrimSpace(v))
			}
		case "-t", "--tag":
			if cur != nil {
				cur.set("tag", value)
			}
		case "-m", "--match":
			if cur != nil {
				cur.set("match", value)
			}
		case "-c", "--config":
			files = append(files, value)
		}
	}
	return files, f.settle()
}
