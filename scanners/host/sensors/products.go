package sensors

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"lookback/evidence"
	"lookback/scanners/host/scope"
)

// products is read, never written.
var products = []sensor{
	{
		name: "Falco", units: []string{"falco-modern-bpf.service", "falco-bpf.service", "falco-kmod.service", "falco-custom.service", "falco.service"}, read: falco,
		source: "https://falco.org/docs/setup/packages/",
	},
	{name: "Tetragon", units: []string{"tetragon.service"}, read: tetragon, source: "https://tetragon.io/docs/installation/package/"},
	{name: "Tracee", units: []string{"tracee.service"}, read: opaque("its policies decide what it writes"), source: "https://aquasecurity.github.io/tracee/"},
	{name: "osquery", units: []string{"osqueryd.service", "orbit.service"}, read: osquery, source: "https://osquery.readthedocs.io/en/stable/deployment/process-auditing/"},
	{
		name: "Wazuh", units: []string{"wazuh-agent.service"}, read: opaque("it forwards what others write, and watches files by its manager's configuration"),
		source: "https://documentation.wazuh.com/current/user-manual/capabilities/index.html",
	},
	{name: "Auditbeat", units: []string{"auditbeat.service"}, read: opaque("its modules decide what it writes"), source: "https://www.elastic.co/docs/reference/beats/auditbeat/"},
	{name: "Elastic Agent", units: []string{"elastic-agent.service", "ElasticEndpoint.service"}, source: "https://www.elastic.co/docs/reference/fleet/"},
	{name: "Datadog Agent", units: []string{"datadog-agent.service"}, read: datadog, source: "https://docs.datadoghq.com/security/workload_protection/setup/agent/linux/"},
	{name: "Microsoft Defender for Endpoint", units: []string{"mdatp.service"}, source: "https://learn.microsoft.com/defender-endpoint/linux-resources"},
	// The units of the following are known from secondary sources: that one is there is said, that none is fails nobody by
	// itself, and what it records stays open.
	{name: "CrowdStrike Falcon", units: []string{"falcon-sensor.service"}},
	{name: "SentinelOne", units: []string{"sentinelone.service"}},
	{name: "VMware Carbon Black", units: []string{"cbagentd.service", "cbdaemon.service"}},
	{name: "Sysdig", units: []string{"dragent.service", "sysdig-host-shield.service"}},
	{name: "Aqua", units: []string{"aqua-enforcer.service", "slk.service"}},
	{name: "Prisma Cloud Defender", units: []string{"twistlock-defender.service", "twistlock-defender-server.service"}},
	{name: "Cortex XDR", units: []string{"traps_pmd.service"}},
	{name: "Trend Micro Deep Security", units: []string{"ds_agent.service"}},
	{name: "Sophos", units: []string{"sophos-spl.service"}},
	{name: "Cybereason", units: []string{"cybereason-sensor.service"}},
}

// opaque is for a sensor whose configuration we cannot read.
func opaque(why string) func(*scope.Scope, *found) {
	return func(_ *scope.Scope, f *found) {
		at := f.state.At.WithNote(f.name + " is installed; " + why)
		f.on, f.whole = evidence.Unknown[bool](evidence.Unfamiliar, at), evidence.Unknown[bool](evidence.Unfamiliar, at)
	}
}

// falco writes what its rules find suspicious. Its outputs are switched one by one: falco.yaml of its package has standard
// output and syslog on, files and HTTP off.
func falco(s *scope.Scope, f *found) {
	c, ok := f.config(s, "etc/falco/falco.yaml")
	if !ok {
		return
	}
	// "config_files" of its falco.yaml names the folder; its files hold before the main one, the last by name before all.
	for _, name := range s.Glob("etc/falco/config.d/*.yaml", f.of...) {
		o, ok := f.config(s, name)
		if !ok {
			return
		}
		c.over = append([]settings{o}, c.over...)
	}
	at := scope.At(c.name, 0)
	f.what, f.on, f.whole = "what its rules find suspicious", evidence.Known(true, at), evidence.Known(true, at)
	f.of = []evidence.Activity{evidence.Process, evidence.Detection}
	for _, part := range []evidence.Part{evidence.PartProcessStart, evidence.PartConnections, evidence.PartFileWrites} {
		f.parts[part] = some("only what a rule finds suspicious", at)
	}
	kind, from := c.get("engine", "kind")
	if _, said, ok := strings.Cut(f.state.Exec, "engine.kind="); ok { // -o on its command line comes first
		kind, _, _ = strings.Cut(said, " ")
		from = f.state.At
	}
	outputs := 0
	if on, at := c.yes(true, "stdout_output", "enabled"); on {
		outputs++
		f.to = append(f.to, journal(s, at)...)
	}
	if on, _ := c.yes(true, "syslog_output", "enabled"); on {
		outputs++
		f.to = append(f.to, toSyslog(s, "falco")...)
	}
	if on, at := c.yes(false, "file_output", "enabled"); on {
		outputs++
		if name, _ := c.get("file_output", "filename"); strings.HasPrefix(name, "/") {
			f.to = append(f.to, file(s, name, 0, at))
		}
	}
	if on, at := c.yes(false, "http_output", "enabled"); on {
		outputs++
		url, _ := c.get("http_output", "url")
		f.to = append(f.to, evidence.EverythingTo(evidence.ID("http:"+address(url)+"//"), at))
	}
	for _, other := range []string{"program_output", "grpc_output"} {
		if on, at := c.yes(false, other, "enabled"); on {
			outputs++
			f.whole = evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("what becomes of "+other+" is not known"))
		}
	}
	switch {
	case kind == "nodriver":
		f.on = evidence.Known(false, from.WithNote("it has no driver (engine.kind nodriver): of this machine it sees nothing"))
	case outputs == 0:
		f.on = evidence.Known(false, at.WithNote("all its outputs are off: what it finds is kept nowhere"))
	}
}

// address is the host of a URL, with its port, without user, password and path.
func address(url string) string {
	if _, rest, ok := strings.Cut(url, "://"); ok {
		url = rest
	}
	url, _, _ = strings.Cut(url, "/")
	return url[strings.LastIndexByte(url, '@')+1:]
}

// tetragon records every program that starts and ends, and the rest by policies: its package exports to a file of 10 MB
// with five older ones, which its settings, a file each, may change.
func tetragon(s *scope.Scope, f *found) {
	at := f.state.At
	setting := func(name, byDefault string) string {
		for _, dir := range []string{"etc/tetragon/tetragon.conf.d/", "usr/local/lib/tetragon/tetragon.conf.d/", "usr/lib/tetragon/tetragon.conf.d/"} {
			data, err := s.Read(dir+name, f.of...)
			if err != nil {
				f.on, f.whole = scope.Unknown[bool](err, scope.At(dir+name, 0)), scope.Unknown[bool](err, scope.At(dir+name, 0))
			}
			if data != nil {
				at = scope.At(dir+name, 1)
				return strings.TrimSpace(string(data))
			}
		}
		return byDefault
	}
	f.what = "every program that starts and ends"
	name := setting("export-filename", "")
	export := at
	if name == "" {
		export = f.state.At
	}
	size, _ := strconv.ParseInt(setting("export-file-max-size-mb", "10"), 10, 32)
	backups, _ := strconv.ParseInt(setting("export-file-max-backups", "5"), 10, 32)
	allow, deny := setting("export-allowlist", ""), setting("export-denylist", "")
	if f.on.Why() != evidence.NobodyLooked {
		return
	}
	f.on, f.whole = evidence.Known(true, export), evidence.Known(true, export)
	if name == "" {
		f.on = evidence.Known(false, f.state.At.WithNote("no export-filename is set: its events are kept nowhere"))
	} else {
		f.to = append(f.to, file(s, name, max(0, size)*(max(0, backups)+1)<<20, export))
	}
	f.parts[evidence.PartProcessStart], f.parts[evidence.PartProcessEnd] = exported(allow, deny, "PROCESS_EXEC", export), exported(allow, deny, "PROCESS_EXIT", export)
	policies := s.Glob("etc/tetragon/tetragon.tp.d/*.yaml", f.of...)
	for _, part := range []evidence.Part{evidence.PartConnections, evidence.PartFileWrites} {
		f.parts[part] = evidence.Nothing(scope.At("etc/tetragon/tetragon.tp.d", 0).WithNote("no tracing policy"))
		if len(policies) > 0 {
			f.parts[part] = evidence.Unknown[evidence.Extent](evidence.Unfamiliar, scope.At(policies[0], 0).WithNote("what its tracing policies record is not read"))
		}
	}
}

// exported says how much of a kind of event leaves Tetragon: its filters are JSON objects, one a line, of which one must allow
// an event and none deny it; the page "Export filtering" of its documentation.
func exported(allow, deny, event string, at evidence.Origin) evidence.Value[evidence.Extent] {
	type filter = map[string]any
	read := func(text string) (list []filter, ok bool) {
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			var one filter
			if json.Unmarshal([]byte(line), &one) != nil {
				return nil, false
			}
			list = append(list, one)
		}
		return list, true
	}
	of := func(one filter) bool { // whether it is about the kind at all
		set, there := one["event_set"].([]any)
		return !there || slices.Contains(set, any(event))
	}
	allows, ok1 := read(allow)
	denies, ok2 := read(deny)
	if !ok1 || !ok2 {
		return evidence.Unknown[evidence.Extent](evidence.Unfamiliar, at.WithNote("its export filters are not understood"))
	}
	grade := evidence.Everything(at)
	if len(allows) > 0 {
		grade = evidence.Nothing(at.WithNote("export-allowlist does not name " + event))
	}
	for _, one := range allows {
		if _, set := one["event_set"]; of(one) {
			if len(one) == 1 && set {
				grade = evidence.Everything(at)
				break
			}
			grade = some("only what export-allowlist names", at)
		}
	}
	for _, one := range denies {
		_, set := one["event_set"]
		_, health := one["health_check"]
		switch e, _ := grade.Get(); {
		case !of(one) || len(one) == 1 && health || e.Grade == evidence.None:
		case len(one) == 1 && set:
			return evidence.Nothing(at.WithNote("export-denylist names " + event))
		default:
			grade = some("not what export-denylist names", at)
		}
	}
	return grade
}

// osquery answers questions; events it records when its audit publisher is on and a query of the schedule reads them. Flags
// stand in osquery.flags, or under "options". Defaults: --disable_events=false, --disable_audit=true (man osqueryd, and
// "Process auditing" of its documentation).
func osquery(s *scope.Scope, f *found) {
	if strings.HasSuffix(f.state.At.File, "orbit.service") {
		opaque("Fleet decides what it asks")(s, f)
		return
	}
	const conf, flagfile = "etc/osquery/osquery.conf", "etc/osquery/osquery.flags"
	options := map[string]string{}
	var parsed struct {
		Options  map[string]any `json:"options"`
		Schedule map[string]struct {
			Query string `json:"query"`
		} `json:"schedule"`
		Packs map[string]any `json:"packs"`
	}
	data, err := s.Read(conf, f.of...)
	if err == nil && data != nil {
		if err = json.Unmarshal(withoutComments(data), &parsed); err != nil {
			s.Missed("the file "+conf, err, scope.At(conf, 0), f.of...)
		}
	}
	flags, bad := s.Read(flagfile, f.of...)
	if err == nil {
		err = bad
	}
	if err != nil {
		f.on, f.whole = scope.Unknown[bool](err, scope.At(conf, 0)), scope.Unknown[bool](err, scope.At(conf, 0))
		return
	}
	for k, v := range parsed.Options {
		options[k] = fmt.Sprint(v)
	}
	for line := range strings.Lines(string(flags)) {
		if k, v, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "--"), "="); ok {
			options[k] = v
		} else if k := strings.TrimPrefix(strings.TrimSpace(line), "--"); k != "" && k[0] != '#' { // gflags: a name alone is true
			options[k] = "true"
		}
	}
	at := scope.At(conf, 0)
	if plugin := options["config_plugin"]; plugin != "" && plugin != "filesystem" {
		f.on = evidence.Unknown[bool](evidence.Elsewhere, scope.At(flagfile, 0).WithNote("its configuration comes from a server"))
		f.whole = f.on
		return
	}
	audit := options["disable_audit"] == "false" && options["disable_events"] != "true" && options["audit_allow_process_events"] != "false"
	bpf := options["enable_bpf_events"] == "true" && options["disable_events"] != "true"
	asks := func(tables ...string) bool {
		for _, q := range parsed.Schedule {
			for _, t := range tables {
				if slices.Contains(strings.FieldsFunc(strings.ToLower(q.Query), func(r rune) bool { return r != '_' && !unicode.IsLetter(r) }), t) {
					return true
				}
			}
		}
		return false
	}
	// The audit publisher asks for sockets only where it is told to: --audit_allow_sockets=false by default.
	connects := audit && options["audit_allow_sockets"] == "true" && asks("socket_events") || bpf && asks("bpf_socket_events")
	starts := audit && asks("process_events") || bpf && asks("bpf_process_events")
	f.what = "the programs that start"
	f.on, f.whole = evidence.Known(starts, at), evidence.Known(true, at)
	switch {
	case !starts && (audit || bpf) && len(parsed.Packs) > 0:
		f.on = evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("a pack of queries may ask for its events"))
	case !starts && len(s.Glob("etc/osquery/osquery.conf.d/*.conf", f.of...)) > 0:
		f.on = evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("a file of osquery.conf.d may ask for its events"))
	case !starts:
		f.on = evidence.Known(false, at.WithNote("it answers questions, and records no events: its audit publisher is off, or no query reads process_events"))
	}
	f.parts[evidence.PartProcessStart] = evidence.Everything(at)
	f.parts[evidence.PartConnections] = evidence.Nothing(at)
	if connects {
		f.parts[evidence.PartConnections] = evidence.Everything(at)
	}
	f.parts[evidence.PartFileWrites] = evidence.Unknown[evidence.Extent](evidence.Unfamiliar, at.WithNote("which folders its file events watch is not read"))
	switch plugin := options["logger_plugin"]; plugin {
	case "", "filesystem":
		dir := options["logger_path"]
		if dir == "" {
			dir = "/var/log/osquery"
		}
		f.to = append(f.to, file(s, strings.TrimSuffix(dir, "/")+"/osqueryd.results.log", 0, at))
	case "syslog":
		f.to = append(f.to, toSyslog(s, "osqueryd")...)
	default:
		f.whole = evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("its logger "+strconv.Quote(plugin)+" takes the records away"))
	}
}

// withoutComments takes out what osquery allows in its JSON beyond the standard: lines that begin with "//" or "#".
func withoutComments(data []byte) []byte {
	var out []byte
	for line := range strings.Lines(string(data)) {
		if text := strings.TrimSpace(line); strings.HasPrefix(text, "//") || strings.HasPrefix(text, "#") {
			line = "\n"
		}
		out = append(out, line...)
	}
	return out
}

// datadog records what happens when its runtime security is on; as installed it is off.
func datadog(s *scope.Scope, f *found) {
	c, ok := f.config(s, "etc/datadog-agent/system-probe.yaml")
	if !ok {
		return
	}
	on, at := c.yes(false, "runtime_security_config", "enabled")
	if !on {
		f.on = evidence.Known(false, at.WithNote("the agent is installed, and its runtime security is off"))
		f.whole = evidence.Known(true, at)
		return
	}
	f.on = evidence.Known(true, at)
	f.whole = evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("its records go to Datadog"))
	for _, part := range []evidence.Part{evidence.PartProcessStart, evidence.PartConnections, evidence.PartFileWrites} {
		f.parts[part] = some("only what its rules find suspicious", at)
	}
}
