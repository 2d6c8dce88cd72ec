package shipper

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// show writes a configuration as a test wants to read it: a line for each thing in it.
func show(c Config) string {
	var b strings.Builder
	kinds := []string{"other", "nothing", "files", "containers", "listen", "journal"}
	for i, in := range c.Inputs {
		fmt.Fprintf(&b, "in %d %s: %s", i, in.Name, kinds[in.Kind])
		if len(in.Paths) > 0 {
			fmt.Fprintf(&b, " %s", strings.Join(in.Paths, " "))
		}
		if in.Kind == Listen {
			fmt.Fprintf(&b, " %s/%d", in.Proto, in.Port)
		}
		if len(in.Exclude) > 0 {
			fmt.Fprintf(&b, " not %s", strings.Join(in.Exclude, " "))
		}
		if len(in.Only) > 0 {
			fmt.Fprintf(&b, " only %s", strings.Join(in.Only, " "))
		}
		fmt.Fprintf(&b, " @%d\n", in.Line)
	}
	for _, o := range c.Outputs {
		fmt.Fprintf(&b, "out %s: %s", o.Name, []string{"unknown", "local", "away"}[o.Reach])
		if o.Host != "" {
			fmt.Fprintf(&b, " %s", o.Host)
		}
		if o.UDP {
			b.WriteString(" udp")
		}
		b.WriteString([]string{"", " memory", " disk"}[o.Buffer])
		if len(o.From) > 0 {
			fmt.Fprintf(&b, " from %v", o.From)
		}
		if len(o.Part) > 0 {
			fmt.Fprintf(&b, " part %v", o.Part)
		}
		fmt.Fprintf(&b, " @%d\n", o.Line)
	}
	for _, i := range c.Includes {
		fmt.Fprintf(&b, "include %s\n", i)
	}
	if c.Open {
		b.WriteString("open\n")
	}
	for _, o := range c.OptOuts {
		fmt.Fprintf(&b, "opt-out %s %s=%s\n", o.On, o.Key, o.Value)
	}
	return b.String()
}

// env is an environment of which everything is known, but for what is written as "?".
func env(pairs ...string) Vars {
	return func(name string) (string, bool) {
		for _, p := range pairs {
			if k, v, _ := strings.Cut(p, "="); k == name {
				return v, v != "?"
			}
		}
		return "", true
	}
}

func product(t testing.TB, image string) *Product {
	t.Helper()
	p, ok := Lookup(image)
	if !ok {
		t.Fatalf("Lookup(%q) knows no shipper", image)
	}
	return p
}

// A readCase is a configuration and what it does.
type readCase struct {
	name  string
	image string
	file  string
	text  string
	more  []File
	vars  Vars
	want  string
}

func (c readCase) run(t *testing.T) {
	t.Helper()
	t.Run(c.name, func(t *testing.T) {
		files := append([]File{{Name: c.file, Text: []byte(c.text)}}, c.more...)
		got, err := product(t, c.image).Read(files, c.vars)
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.TrimLeft(strings.ReplaceAll(c.want, "\t", ""), "\n"); show(got) != want {
			t.Errorf("got\n%s\nwant\n%s", show(got), want)
		}
	})
}

func TestLookup(t *testing.T) {
	for _, c := range []struct{ ref, want string }{
		{"fluent/fluent-bit", "Fluent Bit"},
		{"docker.io/fluent/fluent-bit:3.2", "Fluent Bit"},
		{"cr.fluentbit.io/fluent/fluent-bit:3.2@sha256:0123", "Fluent Bit"},
		{"public.ecr.aws/aws-observability/aws-for-fluent-bit:stable", "AWS for Fluent Bit"},
		{"906394416424.dkr.ecr.us-east-1.amazonaws.com/aws-for-fluent-bit:latest", "AWS for Fluent Bit"},
		{"fluent/fluentd:v1.17-1", "Fluentd"},
		{"fluent/fluentd-kubernetes-daemonset:v1-debian-elasticsearch", "Fluentd for Kubernetes"},
		{"timberio/vector:0.40.0-alpine", "Vector"},
		{"docker.elastic.co/beats/filebeat:8.15.0", "Filebeat"},
		{"docker.elastic.co/beats/filebeat-oss:8.15.0", "Filebeat"},
		{"docker.elastic.co/elastic-agent/elastic-agent:9.0.0", "Elastic Agent"},
		{"grafana/promtail:3.0.0", "Promtail"},
		{"grafana/alloy", "Grafana Alloy"},
		{"otel/opentelemetry-collector-contrib:0.110.0", "OpenTelemetry Collector Contrib"},
		{"docker.elastic.co/logstash/logstash:8.15.0", "Logstash"},
		{"library/logstash:7", "Logstash"},
		{"gliderlabs/logspout", "Logspout"},
		{"gcr.io/datadoghq/agent:7", "Datadog Agent"},
		{"quay.io/signalfx/splunk-otel-collector:latest", "Splunk OpenTelemetry Collector"},
		{"balabit/syslog-ng", "syslog-ng"},
		{"rsyslog/syslog_appliance_alpine", "rsyslog"},
		{"mcr.microsoft.com/azuremonitor/containerinsights/ciprod:3.1.22", "Azure Monitor for containers"},
		{"localhost:5000/fluent/fluent-bit", ""}, // somebody's own build
		{"bitnami/fluent-bit:3", ""},
		{"nginx", ""},
		{"", ""},
		{":", ""},
	} {
		got := ""
		if p, ok := Lookup(c.ref); ok {
			got = p.Name
		}
		if got != c.want {
			t.Errorf("Lookup(%q) = %q, want %q", c.ref, got, c.want)
		}
	}
}

func TestProductsHoldTogether(t *testing.T) {
	seen := map[string]string{}
	for _, p := range Products() {
		if p.Source == "" || len(p.Images) == 0 {
			t.Errorf("%s has no source or no image", p.Name)
		}
		for _, image := range p.Images {
			if other := seen[image]; other != "" {
				t.Errorf("%s is %s and %s", image, other, p.Name)
			}
			seen[image] = p.Name
		}
		c, known := p.Default()
		if !known {
			continue
		}
		for _, o := range c.Outputs {
			for _, i := range slices.Concat(o.From, o.Part) {
				if i >= len(c.Inputs) {
					t.Errorf("the default of %s has no input %d", p.Name, i)
				}
			}
		}
	}
}

func TestPlace(t *testing.T) {
	for _, c := range []struct {
		address, host string
		reach         Reach
	}{
		{"logs.example.net", "logs.example.net", Away},
		{"https://logs.example.net:443/_bulk?x=1", "logs.example.net:443", Away},
		{"Logs.Example.Net.", "logs.example.net", Away},
		{"elasticsearch:9200", "elasticsearch:9200", Away},
		{"https://user:secret@logs.example.net", "logs.example.net", Away},
		{"user:secret@logs.example.net:24224", "logs.example.net:24224", Away},
		{"https://user:pa/ss@logs.example.net", "", Unknown},
		{"https://user:123/ss@logs.example.net", "", Unknown},
		{"user:secret", "", Unknown},
		{"https://logs.example.net/path?token=secret", "logs.example.net", Away},
		{"localhost:3100", "localhost:3100", Local},
		{"http://127.0.0.1:3100", "127.0.0.1:3100", Local},
		{"127.1", "", Unknown},
		{"0x7f000001", "", Unknown},
		{"2130706433:80", "", Unknown},
		{"[::1]:514", "[::1]:514", Local},
		{"::1", "::1", Local},
		{"::ffff:127.0.0.1", "127.0.0.1", Local},
		{"[2001:db8::1]:6514", "[2001:db8::1]:6514", Away},
		{"10.0.0.5:514", "10.0.0.5:514", Away},
		{"0.0.0.0:80", "0.0.0.0:80", Local},
		{"host.docker.internal:12201", "host.docker.internal:12201", Local},
		{"unix:///run/fluent.sock", "", Local},
		{"/dev/log", "", Local},
		{"file:///var/log/x", "", Local},
		{unresolved, "", Unknown},
		{"https://" + unresolved + ":9200", "", Unknown},
		{"logs.example.net:" + unresolved, "logs.example.net", Away},
		{"https://ingest." + unresolved + ".signalfx.com/v1", "", Away},
		{unresolved + ".localhost", "", Unknown},
		{unresolved + "@logs.example.net", "logs.example.net", Away},
		{"{{ .Values.host }}", "", Unknown},
		{"<your-host>", "", Unknown},
		{"logs.example.net:99999", "", Unknown},
		{"", "", Unknown},
		{"[", "", Unknown},
		{"@", "", Unknown},
	} {
		if host, reach := place(c.address); host != c.host || reach != c.reach {
			t.Errorf("place(%q) = %q, %d; want %q, %d", c.address, host, reach, c.host, c.reach)
		}
	}
}

func TestOptOutSays(t *testing.T) {
	p := product(t, "datadog/agent")
	says := func(key, value string) bool {
		return slices.ContainsFunc(p.OptOuts, func(o OptOut) bool { return o.Says(key, value, "web") })
	}
	for _, c := range []struct {
		key, value string
		want       bool
	}{
		{"ad.datadoghq.com/logs_exclude", "true", true},
		{"ad.datadoghq.com/web.logs_exclude", "True", true},
		{"ad.datadoghq.com/db.logs_exclude", "true", false},
		{"ad.datadoghq.com/logs_exclude", "false", false},
		{"ad.datadoghq.com/metrics_exclude", "true", false},
	} {
		if got := says(c.key, c.value); got != c.want {
			t.Errorf("%s: %s leaves web out: %v, want %v", c.key, c.value, got, c.want)
		}
	}
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		style, match, tag string
		covers, touches   bool
	}{
		{"bit", "*", "kube.*", true, true},
		{"bit", "kube.*", "kube.*", true, true},
		{"bit", "kube.*", "kube.var.log.*", true, true},
		{"bit", "kube.var.*", "kube.*", false, true},
		{"bit", "host.*", "kube.*", false, false},
		{"bit", "app", "app", true, true},
		{"bit", "app", "apps", false, false},
		{"bit", "app", "*", false, true},
		{"d", "**", "*", true, true},
		{"d", "docker.**", "docker.*", true, true},
		{"d", "docker.**", "docker", true, true},
		{"d", "docker.*", "docker.*", false, true},
		{"d", "docker.*", "docker.web", true, true},
		{"d", "docker.*", "docker.web.1", false, false},
		{"d", "{app,web}.**", "web.x", true, true},
		{"d", "app web", "web", true, true},
		{"d", "**.error", "a.b.error", true, true},
		{"d", "fluent.**", "docker.*", false, false},
		{"d", "a." + unresolved, "a.b", false, true},
	} {
		read := fluentBitPattern
		if c.style == "d" {
			read = fluentdPattern
		}
		p, err := read(c.match)
		if err != nil {
			t.Fatal(err)
		}
		if p.covers(c.tag) != c.covers || p.touches(c.tag) != c.touches {
			t.Errorf("%s %q over %q: covers %v, touches %v; want %v, %v", c.style, c.match, c.tag, p.covers(c.tag), p.touches(c.tag), c.covers, c.touches)
		}
	}
}

func TestVariables(t *testing.T) {
	vars := env("HOST=h.example.net", "SECRET=?", "EMPTY=")
	for _, c := range []struct{ image, text, want string }{
		{"timberio/vector", "https://${HOST}:1", "https://h.example.net:1"},
		{"timberio/vector", "$HOST and $$HOST", "h.example.net and $HOST"},
		{"timberio/vector", "${EMPTY:-x} ${EMPTY-y} ${HOST:?no}", "x y h.example.net"},
		{"timberio/vector", "${EMPTY:?no} ${SECRET:-x} ${SECRET", "\x00 \x00 \x00"},
		{"timberio/vector", "${EMPTY:-${HOST}}", "\x00}"},
		{"timberio/vector", "^a$ 5$", "^a$ 5$"},
	} {
		r := newReading(product(t, c.image), nil, vars)
		if got := r.expand(c.text, dialect{def: ":-", bare: true, dollars: true}); got != c.want {
			t.Errorf("%q becomes %q, want %q", c.text, got, c.want)
		}
	}
}

func TestTooLarge(t *testing.T) {
	for _, image := range []string{"fluent/fluent-bit", "fluent/fluentd", "timberio/vector", "docker.elastic.co/beats/filebeat", "grafana/alloy", "rsyslog/x"} {
		_, err := product(t, image).Read([]File{{Name: "x.conf", Text: make([]byte, MaxBytes+1)}}, nil)
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: reading more than MaxBytes gives %v, want ErrTooLarge", image, err)
		}
	}
}

func TestFlags(t *testing.T) {
	for _, c := range []struct {
		name, image string
		args        []string
		vars        Vars
		files       string
		want        string
	}{
		{
			name: "a whole pipeline on the command line of fluent-bit", image: "fluent/fluent-bit",
			args: strings.Fields("/fluent-bit/bin/fluent-bit -i tail -p path=/logs/*.log -p exclude_path=/logs/debug.log -t app -o forward -p host=logs.example.net -p port=24224 -m app"),
			want: `
			in 0 tail: files /logs/*.log not /logs/debug.log @0
			out forward: away logs.example.net:24224 from [0] @0
			`,
		},
		{
			name: "an address as the output of fluent-bit", image: "fluent/fluent-bit",
			args: []string{"-iforward", "--output=forward://10.1.2.3:24224"},
			want: `
			in 0 forward: listen forward/24224 @0
			out forward: away 10.1.2.3:24224 from [0] @0
			`,
		},
		{
			name: "fluent-bit with a configuration", image: "fluent/fluent-bit",
			args: []string{"--config=/etc/fb/main.yaml"}, files: "/etc/fb/main.yaml",
		},
		{
			name: "fluentd's images name a file in the environment", image: "fluent/fluentd",
			vars: env("FLUENTD_CONF=custom.conf"), files: "/fluentd/etc/custom.conf",
		},
		{
			name: "vector with a folder", image: "timberio/vector",
			args: []string{"-c", "/a.yaml,/b.toml", "-C", "/etc/vector.d"}, vars: env(), files: "/a.yaml /b.toml /etc/vector.d/",
		},
		{
			name: "vector by its environment", image: "timberio/vector", vars: env("VECTOR_CONFIG=/x.toml"), files: "/x.toml",
		},
		{
			name: "settings on filebeat's command line", image: "docker.elastic.co/beats/filebeat",
			args: []string{"filebeat", "-e", "-E", `output.elasticsearch.hosts=["es.example.net:9200"]`, "-c", "fb.yml"}, vars: env(),
			files: "/usr/share/filebeat/fb.yml",
			want:  "out elasticsearch: away es.example.net:9200 @1\n",
		},
		{
			name: "promtail's client", image: "grafana/promtail",
			args: []string{"-config.file=/p.yml", "-client.url=https://u:p@loki.example.net/loki/api/v1/push"}, files: "/p.yml",
			want: "out loki: away loki.example.net @0\n",
		},
		{
			name: "alloy runs a folder", image: "grafana/alloy",
			args: []string{"run", "--server.http.listen-addr=0.0.0.0:12345", "--storage.path", "/data", "/etc/alloy"}, files: "/etc/alloy",
		},
		{
			name: "a collector configured on its command line", image: "otel/opentelemetry-collector-contrib",
			args: []string{"--config=yaml:{receivers: {filelog: {include: [/l/*.log]}}, exporters: {otlp: {endpoint: \"${env:GW}:4317\"}}, service: {pipelines: {logs: {receivers: [filelog], exporters: [otlp]}}}}"},
			vars: env("GW=gw.example.net"),
			want: `
			in 0 filelog: files /l/*.log @1
			out otlp: away gw.example.net:4317 from [0] @1
			`,
		},
		{
			name: "logstash's pipeline in the environment", image: "logstash",
			vars: env("CONFIG_STRING=input { beats { port => 5044 } } output { tcp { host => 'logs.example.net' port => 6514 } }"),
			want: `
			in 0 beats: listen beats/5044 @1
			out tcp: away logs.example.net:6514 from [0] @1
			`,
		},
		{
			name: "logspout over tls and udp", image: "gliderlabs/logspout",
			args: []string{"syslog+tls://logs.example.net:6514"}, vars: env("ROUTE_URIS=syslog://10.0.0.9:514?filter.name=*_db", "EXCLUDE_LABEL=logspout.exclude"),
			want: `
			in 0 docker: containers /var/run/docker.sock @0
			out syslog: away logs.example.net:6514 from [0] @0
			out syslog: away 10.0.0.9:514 udp part [0] @0
			opt-out env LOGSPOUT=ignore
			opt-out label logspout.exclude=true
			`,
		},
		{
			name: "logspout with an adapter that we do not know", image: "gliderlabs/logspout", args: []string{"loki://x:1"}, vars: env(),
			want: `
			in 0 docker: containers /var/run/docker.sock @0
			out loki: unknown from [0] @0
			opt-out env LOGSPOUT=ignore
			`,
		},
		{
			name: "datadog collects all", image: "datadog/agent",
			vars: env("DD_API_KEY=?", "DD_LOGS_ENABLED=true", "DD_LOGS_CONFIG_CONTAINER_COLLECT_ALL=true", "DD_SITE=datadoghq.eu", "DD_CONTAINER_EXCLUDE_LOGS=name:datadog-agent"),
			want: `
			in 0 containers: containers /var/run/docker.sock /var/log/pods/*/*/*.log not name:datadog-agent @0
			out datadog: away agent-http-intake.logs.datadoghq.eu from [0] @0
			opt-out annotation ad.datadoghq.com/exclude=true
			opt-out annotation ad.datadoghq.com/logs_exclude=true
			opt-out annotation ad.datadoghq.com/*.exclude=true
			opt-out annotation ad.datadoghq.com/*.logs_exclude=true
			`,
		},
		{
			name: "datadog collects what asks for it", image: "datadog/agent", vars: env("DD_LOGS_ENABLED=true"),
			want: `
			in 0 containers: containers /var/run/docker.sock /var/log/pods/*/*/*.log @0
			out datadog: away part [0] @0
			opt-out annotation ad.datadoghq.com/exclude=true
			opt-out annotation ad.datadoghq.com/logs_exclude=true
			opt-out annotation ad.datadoghq.com/*.exclude=true
			opt-out annotation ad.datadoghq.com/*.logs_exclude=true
			`,
		},
		{name: "datadog without logs", image: "datadog/agent", vars: env("DD_API_KEY=x")},
		{name: "datadog with an environment that we cannot see", image: "datadog/agent", want: "open\n"},
		{
			name: "an agent that fleet manages", image: "docker.elastic.co/elastic-agent/elastic-agent",
			vars: env("FLEET_ENROLL=1", "FLEET_URL=https://fleet.example.net:8220", "FLEET_ENROLLMENT_TOKEN=?"),
			want: "out fleet: away fleet.example.net:8220 @0\nopen\n",
		},
		{name: "an agent that stands alone", image: "docker.elastic.co/elastic-agent/elastic-agent", vars: env()},
		{name: "rsyslog has no flags but its file", image: "rsyslog/x", args: []string{"rsyslogd", "-n", "-f", "/r.conf"}, files: "/r.conf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, files, err := product(t, c.image).Flags(c.args, c.vars)
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.TrimLeft(strings.ReplaceAll(c.want, "\t", ""), "\n"); show(got) != want {
				t.Errorf("got\n%s\nwant\n%s", show(got), want)
			}
			if strings.Join(files, " ") != c.files {
				t.Errorf("files %q, want %q", files, c.files)
			}
		})
	}
}
