package shipper

import "strings"

// readPromtail reads https://grafana.com/docs/loki/latest/send-data/promtail/configuration/
func readPromtail(r *reading) error {
	some := false
	err := r.roots(func(f File) error {
		root, err := fromYAML(f.Text, func(s string) string { return r.expand(s, dialect{def: ":"}) })
		if err != nil {
			return err
		}
		clients := root.at("clients").each()
		if c := root.at("client"); c.at("url") != nil {
			clients = append(clients, c)
		}
		for _, c := range clients {
			host, reach := place(c.at("url").str())
			if _, err := r.output(Output{Name: "loki", Host: host, Reach: reach, File: f.Name, Line: c.line}); err != nil {
				return err
			}
		}
		for _, s := range root.at("scrape_configs").each() {
			some = some || promtailDrops(s.at("pipeline_stages"), 0)
			for _, rule := range s.at("relabel_configs").each() {
				if a := rule.at("action").str(); a == "drop" || a == "keep" {
					some = true
				}
			}
			for _, in := range promtailInputs(s) {
				in.File = f.Name
				if in.Line == 0 {
					in.Line = s.line
				}
				if _, err := r.input(in); err != nil {
					return err
				}
			}
		}
		return nil
	})
	r.feedAll(some)
	return err
}

func promtailDrops(stages *node, depth int) bool {
	if depth > 8 {
		return true
	}
	for _, stage := range stages.each() {
		for _, k := range stage.keys {
			switch v := stage.vals[k]; k {
			case "drop", "sampling", "limit":
				return true
			case "match":
				if v.at("action").str() == "drop" || promtailDrops(v.at("stages"), depth+1) {
					return true
				}
			}
		}
	}
	return false
}

func promtailInputs(s *node) []Input {
	var out []Input
	var globs []string
	for _, sc := range s.at("static_configs").each() {
		if p := sc.at("labels", "__path__").str(); p != "" {
			globs = append(globs, p)
		}
		if p := sc.at("labels", "__path_exclude__").str(); p != "" {
			out = append(out, Input{Name: "static", Kind: Files, Paths: globs, Exclude: []string{p}, Line: sc.line})
			globs = nil
		}
	}
	if len(globs) > 0 {
		out = append(out, Input{Name: "static", Kind: Files, Paths: globs})
	}
	for _, k := range s.keys {
		v := s.vals[k]
		in := Input{Name: strings.TrimSuffix(k, "_configs"), Line: v.line}
		switch k {
		case "kubernetes_sd_configs":
			in.Kind, in.Paths = Containers, []string{podFiles}
			for _, rule := range s.at("relabel_configs").each() {
				if rule.at("target_label").str() == "__path__" {
					if p := rule.at("replacement").str(); strings.HasPrefix(p, "/") {
						// "/var/log/pods/*$1/*.log": what stands for $1 is found at run time.
						in.Paths = []string{strings.ReplaceAll(strings.ReplaceAll(p, "*$1", "*"), "$1", "*")}
					}
				}
			}
		case "docker_sd_configs":
			in.Kind, in.Paths = Containers, []string{dockerSocket}
			for _, d := range v.each() {
				if h := d.at("host").str(); h != "" {
					in.Paths = []string{strings.TrimPrefix(h, "unix://")}
				}
				for _, filter := range d.at("filters").each() {
					in.Only = append(in.Only, filter.at("values").strs()...)
				}
			}
		case "journal":
			in.Kind, in.Paths = Journal, v.at("path").strs()
		case "syslog":
			in.Kind, in.Proto, in.Port = Listen, "syslog", port(v.at("listen_address").str())
		case "gelf":
			in.Kind, in.Proto, in.Port = Listen, "gelf", 12201
			if p := port(v.at("listen_address").str()); p != 0 {
				in.Port = p
			}
		case "loki_push_api":
			in.Kind, in.Proto, in.Port = Listen, "http", port(v.at("server", "http_listen_port").str())
		case "file_sd_configs", "consul_sd_configs", "consulagent_sd_configs", "windows_events", "kafka", "cloudflare",
			"gcplog", "azure_event_hubs", "heroku_drain":
		default:
			continue
		}
		out = append(out, in)
	}
	return out
}

// promtailFlags reads -config.file and -client.url, with one dash or two.
func promtailFlags(r *reading, args []string) (files []string, err error) {
	for _, url := range flagValues(args, []string{"-client.url"}, true) {
		host, reach := place(r.expand(url, dialect{def: ":"}))
		if _, err := r.output(Output{Name: "loki", Host: host, Reach: reach}); err != nil {
			return nil, err
		}
	}
	return flagValues(args, []string{"-config.file"}, true), nil
}
