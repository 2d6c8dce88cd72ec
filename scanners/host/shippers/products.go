package shippers

// A product is a log shipper as packages install it on a host.
type product struct {
	name  string   // as lookback/scanners/shipper knows it, so that its configuration can be read; else any name
	units []string // it runs as the first of them that is there
	// configs lists where packages put its configuration: the first that is there counts. A glob takes all that match.
	configs []string
	// remote says that its configuration is kept by a service elsewhere, whatever the files say.
	remote bool
	source string // the documentation that the row was read from
}

// products is read, never written.
var products = []product{
	{
		name: "Fluent Bit", units: []string{"fluent-bit.service", "td-agent-bit.service"}, configs: []string{"etc/fluent-bit/fluent-bit.yaml", "etc/fluent-bit/fluent-bit.conf", "etc/td-agent-bit/td-agent-bit.conf"},
		source: "https://docs.fluentbit.io/manual/installation/downloads/linux",
	},
	{
		name: "Fluentd", units: []string{"fluentd.service", "td-agent.service"}, configs: []string{"etc/fluent/fluentd.conf", "etc/td-agent/td-agent.conf"},
		source: "https://docs.fluentd.org/installation/install-fluent-package",
	},
	{
		name: "Vector", units: []string{"vector.service"}, configs: []string{"etc/vector/vector.yaml", "etc/vector/vector.toml"},
		source: "https://vector.dev/docs/reference/configuration/",
	},
	{
		name: "Filebeat", units: []string{"filebeat.service"}, configs: []string{"etc/filebeat/filebeat.yml"},
		source: "https://www.elastic.co/docs/reference/beats/filebeat/directory-layout",
	},
	{
		name: "Elastic Agent", units: []string{"elastic-agent.service"}, configs: []string{"etc/elastic-agent/elastic-agent.yml", "opt/Elastic/Agent/elastic-agent.yml"},
		source: "https://www.elastic.co/docs/reference/fleet/installation-layout",
	},
	{
		name: "Promtail", units: []string{"promtail.service"}, configs: []string{"etc/promtail/config.yml"},
		source: "https://grafana.com/docs/loki/latest/send-data/promtail/installation/",
	},
	{
		name: "Grafana Alloy", units: []string{"alloy.service"}, configs: []string{"etc/alloy/config.alloy"},
		source: "https://grafana.com/docs/alloy/latest/configure/linux/",
	},
	{
		name: "OpenTelemetry Collector Contrib", units: []string{"otelcol-contrib.service"}, configs: []string{"etc/otelcol-contrib/config.yaml"},
		source: "https://opentelemetry.io/docs/collector/installation/",
	},
	{
		name: "OpenTelemetry Collector", units: []string{"otelcol.service"}, configs: []string{"etc/otelcol/config.yaml"},
		source: "https://opentelemetry.io/docs/collector/installation/",
	},
	{
		name: "Splunk OpenTelemetry Collector", units: []string{"splunk-otel-collector.service"}, configs: []string{"etc/otel/collector/agent_config.yaml"},
		source: "https://docs.splunk.com/observability/en/gdi/opentelemetry/collector-linux/install-linux.html",
	},
	{
		name: "Logstash", units: []string{"logstash.service"}, configs: []string{"etc/logstash/conf.d/*.conf"},
		source: "https://www.elastic.co/docs/reference/logstash/dir-layout",
	},
	{
		name: "CloudWatch agent", units: []string{"amazon-cloudwatch-agent.service"}, configs: []string{"opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.d/*", "opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json"},
		source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/troubleshooting-CloudWatch-Agent.html",
	},
	{
		name: splunk, units: []string{"SplunkForwarder.service", "splunk.service"}, configs: []string{"opt/splunkforwarder/etc/system/local/*.conf"},
		source: "https://docs.splunk.com/Documentation/Forwarder/latest/Forwarder/Configuretheuniversalforwarder",
	},
	{
		name: journalUpload, units: []string{"systemd-journal-upload.service"}, configs: []string{"etc/systemd/journal-upload.conf"},
		source: "https://www.freedesktop.org/software/systemd/man/latest/journal-upload.conf.html",
	},
	{name: "Datadog Agent", units: []string{"datadog-agent.service"}, remote: true, source: "https://docs.datadoghq.com/agent/"},
	{
		name: "Azure Monitor Agent", units: []string{"azuremonitoragent.service"}, remote: true,
		source: "https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-overview",
	},
	{
		name: "Ops Agent", units: []string{"google-cloud-ops-agent.service", "google-cloud-ops-agent-fluent-bit.service"}, remote: true,
		source: "https://cloud.google.com/stackdriver/docs/solutions/agents/ops-agent",
	},
	{name: "NXLog", units: []string{"nxlog.service"}, remote: true, source: "https://docs.nxlog.co/"},
	{name: "Wazuh agent", units: []string{"wazuh-agent.service"}, remote: true, source: "https://documentation.wazuh.com/current/user-manual/agent/index.html"},
}

// Names of products whose configuration is read here.
const (
	splunk        = "Splunk universal forwarder"
	journalUpload = "systemd-journal-upload"
)
