package shipper

import (
	"path"
	"strings"
)

// Outputs of Beats and of the Elastic Agent: https://www.elastic.co/docs/reference/beats/filebeat/configuring-output
var beatsSinks = map[string]sink{
	"console": {kind: sinkLocal}, "file": {kind: sinkLocal}, "discard": {kind: sinkLocal},
	"elasticsearch":        {keys: []string{"hosts"}, def: "localhost:9200"},
	"logstash":             {keys: []string{"hosts"}, def: "localhost:5044"},
	"remote_elasticsearch": {keys: []string{"hosts"}},
	"kafka":                {keys: []string{"hosts"}}, "redis": {keys: []string{"hosts"}, def: "localhost:6379"},
}

// readBeats reads filebeat.yml and its kin: https://www.elastic.co/docs/reference/beats/filebeat/configuring-howto-filebeat
func readBeats(r *reading) error {
	root := &node{vals: map[string]*node{}}
	var name string
	err := r.roots(func(f File) error {
		n, err := fromYAML(f.Text, func(s string) string { return r.expand(s, dialect{def: ":"}) })
		if err == nil {
			overlay(root, n.dotted(), 0)
			name = f.Name
		}
		return err
	})
	if err != nil {
		return err
	}
	return beatsSettle(r, root, name)
}

func beatsSettle(r *reading, root *node, file string) error {
	some := false
	drops := func(n *node) bool {
		for _, p := range n.at("processors").each() {
			for _, k := range p.keys {
				if k == "drop_event" || k == "script" {
					return true
				}
			}
		}
		return false
	}
	add := func(in Input, n *node) error {
		if off(n.at("enabled").str()) {
			return nil
		}
		in.File, in.Line = file, n.lineOr(0)
		some = some || drops(n) || len(n.at("include_lines").strs())+len(n.at("exclude_lines").strs()) > 0
		_, err := r.input(in)
		return err
	}
	some = drops(root)
	for _, list := range []*node{root.at("filebeat", "inputs"), root.at("filebeat", "prospectors")} {
		for _, n := range list.each() {
			if err := add(beatsInput(n), n); err != nil {
				return err
			}
		}
	}
	auto := root.at("filebeat", "autodiscover")
	for _, p := range auto.at("providers").each() {
		kind := p.at("type").str()
		in := Input{Name: "autodiscover " + kind, Kind: Containers}
		switch kind {
		case "docker":
			in.Paths = []string{dockerFiles}
		case "kubernetes":
			in.Paths = []string{"/var/log/containers/*.log"}
		default:
			in.Kind = Other
		}
		if paths := p.at("hints", "default_config", "paths").strs(); len(paths) > 0 {
			in.Paths = paths
		}
		hints := on(p.at("hints", "enabled").str())
		// With hints and nothing else every container is read, unless its hints say otherwise:
		// https://www.elastic.co/docs/reference/beats/filebeat/configuration-autodiscover-hints
		some = some || !hints || off(p.at("hints", "default_config", "enabled").str())
		if hints {
			r.optOuts(Annotation, Label)
		}
		if err := add(in, p); err != nil {
			return err
		}
	}
	for _, n := range root.at("filebeat", "modules").each() {
		if err := add(Input{Name: "module " + n.at("module").str()}, n); err != nil {
			return err
		}
	}
	for _, k := range []string{"inputs", "modules"} {
		c := root.at("filebeat", "config", k)
		if c == nil || off(c.at("enabled").str()) {
			continue
		}
		for _, p := range c.at("path").strs() {
			files, err := r.include(file, p)
			if err != nil {
				return err
			}
			for _, f := range files {
				n, err := fromYAML(f.Text, func(s string) string { return r.expand(s, dialect{def: ":"}) })
				if err != nil {
					return err
				}
				for _, n := range n.dotted().each() {
					in := beatsInput(n)
					if k == "modules" {
						in = Input{Name: "module " + n.at("module").str()}
					}
					if err := add(in, n); err != nil {
						return err
					}
				}
			}
		}
	}
	if root.at("auditbeat") != nil {
		if err := add(Input{Name: "auditbeat", Kind: Nothing}, root.at("auditbeat")); err != nil {
			return err
		}
	}
	for _, kind := range root.at("output").sortedKeys() {
		n := root.at("output", kind)
		if off(n.at("enabled").str()) {
			continue
		}
		out := beatsOutput(kind, n)
		if root.at("cloud", "id").str() != "" && kind == "elasticsearch" {
			out.Host, out.Reach = "", Away
		}
		out.File, out.Line = file, n.lineOr(0)
		if root.at("queue", "disk") != nil {
			out.Buffer = BufferDisk
		} else if root.at("queue", "mem") != nil {
			out.Buffer = BufferMemory
		}
		if _, err := r.output(out); err != nil {
			return err
		}
	}
	if len(r.cfg.Outputs) == 0 && root.at("cloud", "id").str() != "" {
		if _, err := r.output(Output{Name: "elasticsearch", Reach: Away, File: file, Line: root.at("cloud").lineOr(0)}); err != nil {
			return err
		}
	}
	if root.at("management") != nil && on(root.at("management", "enabled").str()) {
		r.cfg.Open = true
	}
	r.feedAll(some)
	return nil
}

func beatsOutput(kind string, n *node) Output {
	out := Output{Name: kind}
	if to, known := beatsSinks[kind]; known {
		out.Host, out.Reach = to.to(func(key string) []string {
			var hosts []string
			for _, h := range n.at(key).strs() {
				hosts = append(hosts, splitList(strings.Trim(h, "[]"))...)
			}
			return hosts
		})
	}
	return out
}

func beatsInput(n *node) Input {
	kind := n.at("type").str()
	in := Input{Name: kind}
	switch kind {
	case "log", "filestream", "logfile", "":
		in.Kind, in.Paths = Files, n.at("paths").strs()
		in.Exclude = append(n.at("exclude_files").strs(), n.at("prospector", "scanner", "exclude_files").strs()...)
	case "container":
		in.Kind, in.Paths = Containers, n.at("paths").strs()
		in.Exclude = n.at("exclude_files").strs()
	case "docker":
		in.Kind, in.Paths = Containers, []string{dockerFiles}
		if p := n.at("containers", "path").str(); p != "" {
			in.Paths = []string{path.Join(p, "*/*.log")}
		}
		if ids := n.at("containers", "ids").strs(); len(ids) > 0 && ids[0] != "*" {
			in.Only = ids
		}
	case "journald", "winlog":
		in.Kind, in.Paths = Journal, n.at("paths").strs()
		if kind == "winlog" {
			in.Kind = Other
		}
	case "syslog":
		in.Kind, in.Proto = Listen, "syslog"
		for _, p := range n.at("protocol").sortedKeys() {
			in.Port = port(n.at("protocol", p, "host").str())
		}
	case "tcp", "udp", "http_endpoint":
		in.Kind, in.Proto, in.Port = Listen, strings.TrimSuffix(kind, "_endpoint"), port(n.at("host").str())
		if p := n.at("listen_port").str(); p != "" {
			in.Port = port(p)
		}
	case "unix":
		in.Kind, in.Paths = Listen, n.at("path").strs()
	case "stdin":
	default:
		if strings.HasSuffix(kind, "/metrics") {
			in.Kind = Nothing
		}
	}
	return in
}

// beatsFlags reads -c files and -E settings: https://www.elastic.co/docs/reference/beats/filebeat/command-line-options
func beatsFlags(r *reading, args []string) (files []string, err error) {
	root := &node{vals: map[string]*node{}}
	for flag, value := range pairs(args, "-c --c -E --E -path.config --path.config -M --M --modules -d") {
		switch strings.TrimPrefix(flag, "-") {
		case "c", "-c":
			if !path.IsAbs(value) {
				value = path.Join(r.p.root, value)
			}
			files = append(files, value)
		case "E", "-E":
			key, v, ok := strings.Cut(value, "=")
			if !ok {
				continue
			}
			n, err := fromYAML([]byte(v), func(s string) string { return r.expand(s, dialect{def: ":"}) })
			if err != nil || n == nil {
				n = &node{text: v}
			}
			overlay(root, (&node{vals: map[string]*node{key: n}, keys: []string{key}}).dotted(), 0)
		}
	}
	return files, beatsSettle(r, root, "")
}

// readAgent reads the file of an Elastic Agent that no Fleet manages:
// https://www.elastic.co/docs/reference/fleet/elastic-agent-configuration
func readAgent(r *reading) error {
	err := r.roots(func(f File) error {
		root, err := fromYAML(f.Text, func(s string) string { return r.expand(s, dialect{def: ":"}) })
		if err != nil {
			return err
		}
		root = root.dotted()
		r.cfg.Open = r.cfg.Open || on(root.at("fleet", "enabled").str())
		for _, n := range root.at("inputs").each() {
			if off(n.at("enabled").str()) {
				continue
			}
			streams := n.at("streams").each()
			if len(streams) == 0 {
				streams = []*node{n}
			}
			for _, s := range streams {
				kind := n.at("type").str()
				in := beatsInput(s)
				if kind != "filestream" && kind != "logfile" && kind != "log" {
					in = beatsInput(n)
					in.Paths = append(in.Paths, s.at("paths").strs()...)
				}
				in.Name, in.File, in.Line = kind, f.Name, n.line
				if _, err := r.input(in); err != nil {
					return err
				}
			}
		}
		for _, id := range root.at("outputs").sortedKeys() {
			n := root.at("outputs", id)
			out := beatsOutput(n.at("type").str(), n)
			out.File, out.Line = f.Name, n.line
			if _, err := r.output(out); err != nil {
				return err
			}
		}
		return nil
	})
	r.feedAll(true) // integrations choose their output and drop what they like
	return err
}

// agentFlags reads the environment of an Elastic Agent's container. Fleet decides what it reads and where it sends:
// https://www.elastic.co/docs/reference/fleet/agent-environment-variables
func agentFlags(r *reading, args []string) (files []string, err error) {
	for flag, value := range pairs(args, "-c --c --config --path.config") {
		if flag == "-c" || flag == "--c" {
			files = append(files, value)
		}
	}
	url, known := r.vars("FLEET_URL")
	enroll, enrollKnown := r.vars("FLEET_ENROLL")
	token, tokenKnown := r.vars("FLEET_ENROLLMENT_TOKEN")
	if known && url == "" && enroll == "" && token == "" {
		if !enrollKnown || !tokenKnown {
			r.cfg.Open = true
		}
		return files, nil
	}
	r.cfg.Open = true
	if url != "" {
		host, reach := place(url)
		_, err = r.output(Output{Name: "fleet", Host: host, Reach: reach})
	} else {
		_, err = r.output(Output{Name: "fleet"})
	}
	return files, err
}
