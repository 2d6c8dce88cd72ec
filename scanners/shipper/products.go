package shipper

import (
	"slices"
	"strings"
)

// https://docs.fluentbit.io/manual/pipeline/filters/kubernetes, "Kubernetes pod annotations": honoured where
// K8S-Logging.Exclude is on.
var fluentBitOptOuts = []OptOut{
	{On: Annotation, Key: "fluentbit.io/exclude", Value: "true"},
	{On: Annotation, Key: "fluentbit.io/exclude-*", Value: "true"},
	{On: Annotation, Key: "fluentbit.io/exclude_stdout", Value: "true", Stream: "stdout"},
	{On: Annotation, Key: "fluentbit.io/exclude_stderr", Value: "true", Stream: "stderr"},
	{On: Annotation, Key: "fluentbit.io/exclude_stdout-*", Value: "true", Stream: "stdout"},
	{On: Annotation, Key: "fluentbit.io/exclude_stderr-*", Value: "true", Stream: "stderr"},
}

// products is the table of what we know.
var products = []Product{
	{
		Name: "Fluent Bit",
		Images: []string{
			"fluent/fluent-bit", "cr.fluentbit.io/fluent/fluent-bit", "ghcr.io/fluent/fluent-bit",
			"grafana/fluent-bit-plugin-loki", "ghcr.io/fluent/fluent-operator/fluent-bit", "kubesphere/fluent-bit",
		},
		Configs:     []string{"/fluent-bit/etc/fluent-bit.conf"},
		ConfigFlags: []string{"-c", "--config"},
		OptOuts:     fluentBitOptOuts,
		Source:      "https://docs.fluentbit.io/manual/administration/configuring-fluent-bit",
		read:        readFluentBit, flags: fluentBitFlags,
		// https://github.com/fluent/fluent-bit/blob/master/conf/fluent-bit.conf
		defaults: []Config{{
			Inputs:  []Input{{Name: "cpu", Kind: Nothing}},
			Outputs: []Output{{Name: "stdout", Reach: Local, From: []int{0}}},
		}},
	},
	{
		// Its image writes to CloudWatch in us-east-1 unless told otherwise, and FireLens writes a configuration of its
		// own: https://github.com/aws/aws-for-fluent-bit
		Name:        "AWS for Fluent Bit",
		Images:      []string{"amazon/aws-for-fluent-bit", "public.ecr.aws/aws-observability/aws-for-fluent-bit", "*.dkr.ecr.*.amazonaws.com/aws-for-fluent-bit"},
		Configs:     []string{"/fluent-bit/etc/fluent-bit.conf"},
		ConfigFlags: []string{"-c", "--config"},
		OptOuts:     fluentBitOptOuts,
		Source:      "https://github.com/aws/aws-for-fluent-bit",
		read:        readFluentBit, flags: fluentBitFlags,
		defaults: []Config{{
			Inputs:  []Input{{Name: "forward", Kind: Listen, Port: 24224, Proto: "forward"}},
			Outputs: []Output{{Name: "cloudwatch", Reach: Away, From: []int{0}}},
		}},
	},
	{
		Name:        "Fluentd",
		Images:      []string{"fluent/fluentd", "fluentd", "ghcr.io/fluent/fluentd", "ghcr.io/fluent/fluent-operator/fluentd", "kubesphere/fluentd"},
		Configs:     []string{"/fluentd/etc/fluent.conf"},
		ConfigFlags: []string{"-c", "--config"},
		Source:      "https://github.com/fluent/fluentd-docker-image",
		read:        readFluentd, flags: fluentdFlags,
		// https://github.com/fluent/fluentd-docker-image, README, "Default configurations are to"
		defaults: []Config{{
			Inputs:  []Input{{Name: "forward", Kind: Listen, Port: 24224, Proto: "forward"}},
			Outputs: []Output{{Name: "file", Reach: Local, From: []int{0}}},
		}},
	},
	{
		// Which output it has, and what it needs of the environment, differs from tag to tag: its default is not known.
		Name:        "Fluentd for Kubernetes",
		Images:      []string{"fluent/fluentd-kubernetes-daemonset"},
		Configs:     []string{"/fluentd/etc/fluent.conf"},
		ConfigFlags: []string{"-c", "--config"},
		Source:      "https://github.com/fluent/fluentd-kubernetes-daemonset",
		read:        readFluentd, flags: fluentdFlags,
	},
	{
		// An operator writes its configuration: https://kube-logging.dev/docs/
		Name: "Logging operator",
		Images: []string{
			"banzaicloud/fluentd", "banzaicloud/logging-operator", "ghcr.io/banzaicloud/fluentd",
			"ghcr.io/kube-logging/fluentd", "ghcr.io/kube-logging/logging-operator", "ghcr.io/kube-logging/logging-operator/*",
		},
		Source: "https://kube-logging.dev/docs/",
	},
	{
		Name:   "Vector",
		Images: []string{"timberio/vector", "ghcr.io/vectordotdev/vector"},
		// Older versions look for vector.toml: https://github.com/timberio/vector/pull/900
		Configs:     []string{"/etc/vector/vector.yaml", "/etc/vector/vector.toml"},
		ConfigFlags: []string{"-c", "--config", "--config-toml", "--config-yaml", "--config-json", "-C", "--config-dir"},
		ConfigEnv:   []string{"VECTOR_CONFIG", "VECTOR_CONFIG_TOML", "VECTOR_CONFIG_YAML", "VECTOR_CONFIG_JSON", "VECTOR_CONFIG_DIR"},
		// https://vector.dev/docs/reference/configuration/sources/kubernetes_logs/#pod-exclusion
		OptOuts: []OptOut{{On: PodLabel, Key: "vector.dev/exclude", Value: "true"}},
		Source:  "https://vector.dev/docs/reference/cli/",
		read:    readVector, flags: vectorFlags,
		// https://github.com/vectordotdev/vector/blob/master/config/vector.yaml
		defaults: []Config{{
			Inputs:  []Input{{Name: "demo_logs", Kind: Nothing}},
			Outputs: []Output{{Name: "console", Reach: Local, From: []int{0}}},
		}},
	},
	{
		Name: "Filebeat",
		Images: []string{
			"docker.elastic.co/beats/filebeat", "docker.elastic.co/beats/filebeat-*", "docker.elastic.co/beats-ci/filebeat*",
			"elastic/filebeat", "elastic/filebeat-*",
		},
		Configs:     []string{"/usr/share/filebeat/filebeat.yml"},
		ConfigFlags: []string{"-c", "--c"},
		// https://www.elastic.co/docs/reference/beats/filebeat/configuration-autodiscover-hints: honoured where hints
		// are enabled.
		OptOuts: []OptOut{
			{On: Annotation, Key: "co.elastic.logs/enabled", Value: "false"},
			{On: Annotation, Key: "co.elastic.logs.*/enabled", Value: "false"},
			{On: Label, Key: "co.elastic.logs/enabled", Value: "false"},
		},
		Source: "https://www.elastic.co/docs/reference/beats/filebeat/running-on-docker",
		read:   readBeats, flags: beatsFlags, root: "/usr/share/filebeat",
		// https://github.com/elastic/beats/blob/main/filebeat/filebeat.docker.yml: no inputs; every module is off.
		defaults: []Config{{Outputs: []Output{{Name: "elasticsearch", Host: "elasticsearch:9200", Reach: Away}}}},
	},
	{
		// It reads the kernel's audit records, and no logs of anybody.
		Name:        "Auditbeat",
		Images:      []string{"docker.elastic.co/beats/auditbeat", "docker.elastic.co/beats/auditbeat-*", "elastic/auditbeat"},
		Configs:     []string{"/usr/share/auditbeat/auditbeat.yml"},
		ConfigFlags: []string{"-c", "--c"},
		Source:      "https://www.elastic.co/docs/reference/beats/auditbeat/running-on-docker",
		read:        readBeats, flags: beatsFlags, root: "/usr/share/auditbeat",
	},
	{
		Name: "Elastic Agent",
		Images: []string{
			"docker.elastic.co/beats/elastic-agent", "docker.elastic.co/beats/elastic-agent-*", "docker.elastic.co/elastic-agent/elastic-agent",
			"docker.elastic.co/elastic-agent/elastic-agent-*", "elastic/elastic-agent",
		},
		Configs:     []string{"/usr/share/elastic-agent/elastic-agent.yml"},
		ConfigFlags: []string{"-c", "--c"},
		Source:      "https://www.elastic.co/docs/reference/fleet/agent-environment-variables",
		read:        readAgent, flags: agentFlags, root: "/usr/share/elastic-agent",
	},
	{
		Name:        "Promtail",
		Images:      []string{"grafana/promtail"},
		Configs:     []string{"/etc/promtail/config.yml"},
		ConfigFlags: []string{"-config.file", "--config.file"},
		Source:      "https://grafana.com/docs/loki/latest/send-data/promtail/configuration/",
		read:        readPromtail, flags: promtailFlags,
		// https://github.com/grafana/loki/blob/main/clients/cmd/promtail/promtail-docker-config.yaml
		defaults: []Config{{
			Inputs:  []Input{{Name: "static", Kind: Files, Paths: []string{"/var/log/*log"}}},
			Outputs: []Output{{Name: "loki", Host: "loki:3100", Reach: Away, From: []int{0}}},
		}},
	},
	{
		Name:    "Grafana Alloy",
		Images:  []string{"grafana/alloy"},
		Configs: []string{"/etc/alloy/config.alloy"},
		Source:  "https://grafana.com/docs/alloy/latest/reference/cli/run/",
		read:    readAlloy, flags: alloyFlags,
		// https://github.com/grafana/alloy/blob/main/example-config.alloy holds its own logging only.
		defaults: []Config{{}},
	},
	{
		Name: "OpenTelemetry Collector",
		Images: []string{
			"otel/opentelemetry-collector", "ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector",
		},
		Configs:     []string{"/etc/otelcol/config.yaml"},
		ConfigFlags: []string{"--config"},
		Source:      "https://opentelemetry.io/docs/collector/configuration/",
		read:        readOTel, flags: otelFlags,
	},
	{
		Name: "OpenTelemetry Collector Contrib",
		Images: []string{
			"otel/opentelemetry-collector-contrib", "ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-contrib",
		},
		Configs:     []string{"/etc/otelcol-contrib/config.yaml"},
		ConfigFlags: []string{"--config"},
		Source:      "https://opentelemetry.io/docs/collector/configuration/",
		read:        readOTel, flags: otelFlags,
		// https://github.com/open-telemetry/opentelemetry-collector-releases/blob/main/distributions/otelcol-contrib/config.yaml
		defaults: []Config{{
			Inputs:  []Input{{Name: "otlp", Kind: Listen, Port: 4317, Proto: "otlp"}},
			Outputs: []Output{{Name: "debug", Reach: Local, From: []int{0}}},
		}},
	},
	{
		Name: "OpenTelemetry Collector for Kubernetes",
		Images: []string{
			"otel/opentelemetry-collector-k8s", "ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-k8s",
		},
		Configs:     []string{"/etc/otelcol-k8s/config.yaml"},
		ConfigFlags: []string{"--config"},
		Source:      "https://opentelemetry.io/docs/collector/configuration/",
		read:        readOTel, flags: otelFlags,
	},
	{
		// Which configuration in its image it takes, and where that sends, its environment decides.
		Name:        "Splunk OpenTelemetry Collector",
		Images:      []string{"quay.io/signalfx/splunk-otel-collector", "signalfx/splunk-otel-collector", "splunk/splunk-otel-collector"},
		Configs:     []string{"/etc/otel/collector/gateway_config.yaml"},
		ConfigFlags: []string{"--config"},
		ConfigEnv:   []string{"SPLUNK_CONFIG"},
		Source:      "https://github.com/signalfx/splunk-otel-collector",
		read:        readOTel, flags: otelFlags,
	},
	{
		Name:        "Logstash",
		Images:      []string{"docker.elastic.co/logstash/logstash", "docker.elastic.co/logstash/logstash-*", "logstash", "elastic/logstash"},
		Configs:     []string{"/usr/share/logstash/pipeline/"},
		ConfigFlags: []string{"-f", "--path.config"},
		Source:      "https://www.elastic.co/docs/reference/logstash/docker-config",
		read:        readLogstash, flags: logstashFlags,
		// https://github.com/elastic/logstash/blob/main/docker/data/logstash/pipeline/default.conf
		defaults: []Config{{
			Inputs:  []Input{{Name: "beats", Kind: Listen, Port: 5044, Proto: "beats"}},
			Outputs: []Output{{Name: "stdout", Reach: Local, From: []int{0}}},
		}},
	},
	{
		Name:        "rsyslog",
		Images:      []string{"rsyslog/*", "ghcr.io/rsyslog/*"},
		Configs:     []string{"/etc/rsyslog.conf"},
		ConfigFlags: []string{"-f"},
		Source:      "https://www.rsyslog.com/doc/",
		read:        readRsyslog,
	},
	{
		Name:        "syslog-ng",
		Images:      []string{"balabit/syslog-ng", "ghcr.io/axoflow/axosyslog", "axoflow/axosyslog"},
		Configs:     []string{"/etc/syslog-ng/syslog-ng.conf"},
		ConfigFlags: []string{"-f", "--cfgfile"},
		Source:      "https://github.com/balabit/syslog-ng-docker",
		read:        readSyslogNG,
		// https://github.com/balabit/syslog-ng-docker/blob/master/syslog-ng/syslog-ng.conf: it listens, and keeps what
		// comes in a file or a pipe of its own, according to the version.
		defaults: []Config{{
			Inputs:  []Input{{Name: "default-network-drivers", Kind: Listen, Port: 514, Proto: "syslog"}},
			Outputs: []Output{{Name: "file", Reach: Local, From: []int{0}}},
		}},
	},
	{
		Name:   "Logspout",
		Images: []string{"gliderlabs/logspout", "progrium/logspout"},
		// https://github.com/gliderlabs/logspout, "Ignoring specific containers". EXCLUDE_LABEL of its environment names
		// a label too.
		OptOuts: []OptOut{{On: Env, Key: "LOGSPOUT", Value: "ignore"}},
		Source:  "https://github.com/gliderlabs/logspout",
		flags:   logspoutFlags,
		// https://github.com/gliderlabs/logspout, "Inspect log streams using curl": without a route nothing is sent.
		defaults: []Config{{
			Inputs:  []Input{{Name: "docker", Kind: Containers, Paths: []string{dockerSocket}}},
			OptOuts: []OptOut{{On: Env, Key: "LOGSPOUT", Value: "ignore"}},
		}},
	},
	{
		Name: "Datadog Agent",
		Images: []string{
			"datadog/agent", "gcr.io/datadoghq/agent", "public.ecr.aws/datadog/agent", "eu.gcr.io/datadoghq/agent", "asia.gcr.io/datadoghq/agent",
			"datadoghq.azurecr.io/agent", "registry.datadoghq.com/agent",
		},
		// https://docs.datadoghq.com/containers/guide/container-discovery-management/, "Pod exclude configuration"
		OptOuts: []OptOut{
			{On: Annotation, Key: "ad.datadoghq.com/exclude", Value: "true"},
			{On: Annotation, Key: "ad.datadoghq.com/logs_exclude", Value: "true"},
			{On: Annotation, Key: "ad.datadoghq.com/*.exclude", Value: "true"},
			{On: Annotation, Key: "ad.datadoghq.com/*.logs_exclude", Value: "true"},
		},
		Source: "https://docs.datadoghq.com/containers/docker/log/",
		flags:  datadogFlags,
		// The same page: logs are off until DD_LOGS_ENABLED.
		defaults: []Config{{}},
	},
	{
		Name:    "New Relic Fluent Bit",
		Images:  []string{"newrelic/newrelic-fluentbit-output"},
		OptOuts: fluentBitOptOuts,
		Source:  "https://github.com/newrelic/helm-charts/tree/master/charts/newrelic-logging",
		read:    readFluentBit, flags: fluentBitFlags,
		Configs: []string{"/fluent-bit/etc/fluent-bit.conf"}, ConfigFlags: []string{"-c", "--config"},
	},
	{
		// It collects logs as its configuration asks; what we know is where they would go.
		Name:    "CloudWatch agent",
		Images:  []string{"amazon/cloudwatch-agent", "public.ecr.aws/cloudwatch-agent/cloudwatch-agent"},
		Configs: []string{"/etc/cwagentconfig/"},
		Source:  "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html",
		read:    readCloudWatch,
	},
	{
		// Configured from the cluster's add-on and a ConfigMap; it ships to a Log Analytics workspace:
		Name:   "Azure Monitor for containers",
		Images: []string{"mcr.microsoft.com/azuremonitor/containerinsights/ciprod"},
		Source: "https://learn.microsoft.com/azure/azure-monitor/containers/container-insights-overview",
	},
	{
		Name:   "GKE logging agent",
		Images: []string{"gke.gcr.io/fluent-bit", "gke.gcr.io/fluent-bit-gke-exporter", "gcr.io/gke-release/fluent-bit"},
		Source: "https://cloud.google.com/kubernetes-engine/docs/concepts/about-logs",
	},
}

// logspoutFlags reads its routes: https://github.com/gliderlabs/logspout, "Route all container output to remote syslog".
func logspoutFlags(r *reading, args []string) (files []string, err error) {
	var routes []string
	for _, a := range args {
		if strings.Contains(a, "://") {
			routes = append(routes, splitList(a)...)
		}
	}
	uris, known := r.vars("ROUTE_URIS")
	routes = append(routes, splitList(uris)...)
	if !known {
		r.cfg.Open = r.cfg.Open || len(routes) == 0
	}
	socket := dockerSocket
	if h, known := r.vars("DOCKER_HOST"); known && h != "" {
		socket = strings.TrimPrefix(h, "unix://")
	}
	if _, err := r.input(Input{Name: "docker", Kind: Containers, Paths: []string{socket}}); err != nil {
		return nil, err
	}
	r.optOuts(Env)
	if label, known := r.vars("EXCLUDE_LABEL"); known && label != "" {
		key, value, hasValue := strings.Cut(label, ":")
		if !hasValue {
			value = "true"
		}
		r.cfg.OptOuts = append(r.cfg.OptOuts, OptOut{On: Label, Key: key, Value: value})
	}
	filtered := map[int]bool{}
	for _, route := range routes {
		scheme, _, _ := strings.Cut(route, "://")
		adapter, transport, _ := strings.Cut(scheme, "+")
		out := Output{Name: adapter}
		switch adapter {
		case "syslog", "raw", "logstash", "gelf", "kafka", "http", "https", "redis", "multiline", "udp", "tcp", "tls", "json":
			out.Host, out.Reach = place(route)
			// syslog:// goes over UDP unless "+tcp" or "+tls" is written.
			out.UDP = out.Reach != Local && (transport == "udp" || transport == "" && (adapter == "syslog" || adapter == "raw" || adapter == "udp" || adapter == "logstash" || adapter == "gelf"))
		}
		if _, err := r.output(out); err != nil {
			return nil, err
		}
		if _, query, ok := strings.Cut(route, "?"); ok && strings.Contains(query, "filter.") {
			filtered[len(r.cfg.Outputs)-1] = true
		}
	}
	r.feedAll(false)
	for i := range filtered {
		o := &r.cfg.Outputs[i]
		o.From, o.Part = nil, o.From
	}
	return nil, nil
}

// datadogFlags reads the environment of Datadog's Agent: https://docs.datadoghq.com/containers/docker/log/
func datadogFlags(r *reading, _ []string) (files []string, err error) {
	enabled, known := r.vars("DD_LOGS_ENABLED")
	if !known {
		r.cfg.Open = true // set elsewhere, or in datadog.yaml
		return nil, nil
	}
	if !on(enabled) {
		return nil, nil
	}
	all, known := r.vars("DD_LOGS_CONFIG_CONTAINER_COLLECT_ALL")
	only, _ := r.vars("DD_CONTAINER_INCLUDE_LOGS")
	exclude, _ := r.vars("DD_CONTAINER_EXCLUDE_LOGS")
	include, _ := r.vars("DD_CONTAINER_INCLUDE")
	excludeAll, _ := r.vars("DD_CONTAINER_EXCLUDE")
	in := Input{
		Name: "containers", Kind: Containers, Paths: []string{dockerSocket, podFiles},
		Only: append(strings.Fields(only), strings.Fields(include)...), Exclude: append(strings.Fields(exclude), strings.Fields(excludeAll)...),
	}
	if _, err := r.input(in); err != nil {
		return nil, err
	}
	r.optOuts(Annotation)
	out := Output{Name: "datadog", Reach: Away}
	for _, name := range []string{"DD_LOGS_CONFIG_LOGS_DD_URL", "DD_OBSERVABILITY_PIPELINES_WORKER_LOGS_URL", "DD_SITE"} {
		v, known := r.vars(name)
		if !known && name != "DD_SITE" || v == "" {
			continue
		}
		if name == "DD_SITE" {
			v = "agent-http-intake.logs." + v
		}
		out.Host, out.Reach = place(v)
		break
	}
	if _, err := r.output(out); err != nil {
		return nil, err
	}
	// Without "collect all" only containers whose labels or annotations ask for it are read.
	r.feedAll(!known || !on(all))
	return nil, nil
}

// readCloudWatch reads the logs section of
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html
func readCloudWatch(r *reading) error {
	err := r.roots(func(f File) error {
		root, err := fromYAML(f.Text, func(s string) string { return s })
		if err != nil {
			return err
		}
		logs := root.at("logs")
		if logs == nil {
			return nil
		}
		for _, n := range logs.at("logs_collected", "files", "collect_list").each() {
			in := Input{Name: "files", Kind: Files, Paths: n.at("file_path").strs(), File: f.Name, Line: n.line}
			if b := n.at("blacklist").str(); b != "" {
				in.Exclude = []string{b}
			}
			if _, err := r.input(in); err != nil {
				return err
			}
		}
		// metrics_collected sends metrics in the form of logs, and no logs of anybody.
		out := Output{Name: "cloudwatch_logs", Reach: Away, File: f.Name, Line: logs.line}
		if e := logs.at("endpoint_override").str(); e != "" {
			out.Host, out.Reach = place(e)
		}
		_, err = r.output(out)
		return err
	})
	r.feedAll(false)
	return err
}

// Products returns every shipper that is known, sorted by name.
func Products() []Product {
	list := slices.Clone(products)
	slices.SortFunc(list, func(a, b Product) int { return strings.Compare(a.Name, b.Name) })
	return list
}
