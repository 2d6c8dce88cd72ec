package windows

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/sysmon"
)

// A monitor is what was found out about Sysmon. Its driver and its service may have been given other names ("-d" of its
// command line). What a driver has under Parameters gives it away: the values that dumpConfiguration.c of
// https://github.com/Sysinternals/SysmonCommon reads; its service names the driver there. The optional feature of
// Windows 11 and Server 2025 is looked for in no other way: under which names it is installed is not published.
type monitor struct {
	driver, service evidence.Value[int64] // how they start; moot where there is none
	rules           evidence.Value[[]sysmon.Filter]
	network         evidence.Value[bool] // the switch -n
	at              evidence.Origin
}

func recordSysmon(s *scope.Scope, r *registry, all logs) {
	m := r.monitor()
	for _, a := range []evidence.Activity{evidence.Process, evidence.FileChange} {
		if src := m.observe(s, a, all.get(logSysmon)); src != nil {
			s.Record(src)
		}
	}
}

func (r *registry) monitor() (out monitor) {
	nowhere := r.controls.h.at(r.controls.path + `\Services`)
	out = monitor{
		driver: evidence.Moot[int64](nowhere), service: evidence.Moot[int64](nowhere), at: nowhere,
		rules: evidence.Unknown[[]sysmon.Filter](evidence.Unfamiliar, note(nowhere, "no driver has rules of Sysmon")),
	}
	if r.failed != nil {
		out.driver = scope.Unknown[int64](r.failed, nowhere)
		return out
	}
	driver := ""
	var parameters key
	for _, name := range slices.Sorted(maps.Keys(r.services)) {
		v, _ := r.service(name)
		p := v.key.key("Parameters")
		_, rules := p.bytes("Rules").Get()
		_, hashes := p.number("HashingAlgorithm").Get()
		if name == "sysmondrv" || rules && hashes {
			driver, parameters, out.driver, out.at = name, p, v.start, v.h.at(v.path)
			break
		}
		if p.err != nil {
			out.driver = scope.Unknown[int64](p.err, v.h.at(p.path))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.services)) {
		v, _ := r.service(name)
		names := driver != ""
		if of, _ := v.key.key("Parameters").text("DriverName").Get(); !strings.EqualFold(of, driver) {
			names = false
		}
		if names || name == "sysmon" || name == "sysmon64" || name == "sysmon64a" {
			out.service = v.start
			break
		}
	}
	if driver == "" {
		return out
	}
	blob := parameters.bytes("Rules")
	out.rules = as(blob, readRules)
	if blob.IsMoot() {
		out.rules = evidence.Known([]sysmon.Filter{}, note(blob.At(), "no rules are installed"))
	}
	say := []string{"the driver " + driver}
	if data, known := blob.Get(); known {
		say = append(say, fmt.Sprintf("rules of %d bytes", len(data)))
	}
	for _, name := range []string{"ConfigFile", "ConfigHash"} {
		if text, known := parameters.text(name).Get(); known && text != "" {
			say = append(say, text)
		}
	}
	out.at = note(out.at, strings.Join(say, ", "))
	out.network = as(or(parameters.number("Options"), 0, "the default of Sysmon"), func(n int64) (bool, error) { return n&1 != 0, nil })
	return out
}

// observe is the only place that knows what the settings of Sysmon mean; nil where it is known that there is none.
func (m monitor) observe(s *scope.Scope, a evidence.Activity, l *log) *evidence.LogSource {
	if m.driver.IsMoot() && m.service.IsMoot() && l == nil {
		return nil
	}
	src := s.Source("sysmon", a, kindSensor, "Sysmon", m.at)
	src.Records = "what Sysmon sees"
	src.Enabled = m.enabled(l)
	if l != nil {
		of := l.source(s, a, "")
		src.To, src.Complete = of.To, of.Complete
	} else {
		src.Complete = evidence.Unknown[bool](evidence.Elsewhere, note(m.at, "its channel is not registered"))
	}
	for p, v := range m.parts() {
		if a == evidence.Process || slices.Contains([]evidence.Part{evidence.PartFileWrites, evidence.PartFileDeletes, evidence.PartFileTimes}, p) {
			src.Parts[p] = v
		}
	}
	src.Parts[evidence.PartEveryNode] = evidence.Moot[evidence.Extent](m.at)
	return src
}

// parts grades the rules as the reader of a configuration does.
func (m monitor) parts() map[evidence.Part]evidence.Value[evidence.Extent] {
	filters, known := m.rules.Get()
	if !known { // the basic parts are asked for in any case
		out := map[evidence.Part]evidence.Value[evidence.Extent]{}
		for _, p := range []evidence.Part{evidence.PartProcessStart, evidence.PartConnections, evidence.PartFileWrites} {
			out[p] = evidence.Unknown[evidence.Extent](m.rules.Why(), m.rules.At())
		}
		return out
	}
	c := sysmon.Evaluate(filters, sysmon.Windows)
	if on, _ := m.network.Get(); on && c.Of[sysmon.NetworkConnect].Default {
		c.Of[sysmon.NetworkConnect] = sysmon.Setting{Extent: wholly(true)}
	}
	parts := c.Parts(func(sysmon.Setting) evidence.Origin { return m.rules.At() })
	for p, v := range parts {
		extent, _ := v.Get()
		at := m.rules.At()
		if v.At().Note != "" {
			at = note(at, v.At().Note)
		}
		parts[p] = evidence.Known(extent, at)
	}
	return parts
}

func (m monitor) enabled(l *log) evidence.Value[bool] {
	for _, start := range []evidence.Value[int64]{m.driver, m.service} {
		if n, known := start.Get(); known && n == 4 {
			return evidence.Known(false, note(start.At(), "it is disabled"))
		}
	}
	if n, known := m.service.Get(); known && n == 3 { // Sysmon installs it to start by itself
		return evidence.Unknown[bool](evidence.Elsewhere, note(m.service.At(), "its service starts when something asks for it, and not by itself"))
	}
	if l != nil {
		if on, known := l.on.Get(); !known || !on {
			return l.on
		}
	}
	switch {
	case m.driver.IsUnknown():
		return evidence.Unknown[bool](m.driver.Why(), m.driver.At())
	case m.driver.IsMoot() && m.service.IsMoot():
		return evidence.Unknown[bool](evidence.Unfamiliar, note(l.at, "its channel is registered, and no driver has its rules"))
	case m.driver.IsMoot():
		return evidence.Unknown[bool](evidence.Unfamiliar, note(m.service.At(), "its service is there, and no driver has its rules"))
	case m.service.IsMoot():
		return evidence.Unknown[bool](evidence.Unfamiliar, note(m.driver.At(), "its driver is there, and no service names it"))
	case m.service.IsUnknown():
		return evidence.Unknown[bool](m.service.Why(), m.service.At())
	case l == nil:
		return evidence.Unknown[bool](evidence.Unfamiliar, note(m.at, "its channel is not registered"))
	}
	return evidence.Known(true, m.at)
}

// complete says of each sensor what it does with the parts that others name. The logs of Windows record nothing of them.
func complete(s *scope.Scope) {
	var sensors []*evidence.LogSource
	parts := map[evidence.Part]bool{evidence.PartProcessStart: true, evidence.PartConnections: true, evidence.PartFileWrites: true}
	for _, src := range s.Sources() {
		if src.Activity != evidence.Process {
			continue
		}
		sensors = append(sensors, src)
		for p := range src.Parts {
			parts[p] = parts[p] || p != evidence.PartEveryNode && p != evidence.PartEveryEvent
		}
	}
	for _, src := range sensors {
		rest := evidence.Known(wholly(false), src.At)
		if src.Kind == kindSensor {
			start := src.Parts[evidence.PartProcessStart]
			if _, known := start.Get(); !known {
				rest = evidence.Unknown[evidence.Extent](evidence.Elsewhere, note(src.At, "its own settings decide what it records"))
			}
		}
		for p, asked := range parts {
			if _, ok := src.Parts[p]; asked && !ok {
				src.Parts[p] = rest
			}
		}
	}
}

// kindSensor is what sensors are called. What they record, they may say elsewhere.
const kindSensor = "sensor"

// A product is a sensor of a vendor whose settings are elsewhere: in its console, or in files of its own.
type product struct {
	name     string
	services []string
}

// products is read, never written. The names of services are those that several public lists of endpoint products have in
// common. Nothing is concluded from them but that a product is there, or disabled.
var products = []product{
	{"CrowdStrike Falcon", []string{"CSFalconService"}},
	{"SentinelOne", []string{"SentinelAgent"}},
	{"VMware Carbon Black", []string{"CbDefense", "CarbonBlack"}},
	{"Elastic Agent", []string{"Elastic Agent"}},
	{"Wazuh", []string{"WazuhSvc", "OssecSvc"}},
	{"osquery", []string{"osqueryd"}},
	{"Auditbeat", []string{"auditbeat"}},
	{"Cortex XDR", []string{"cyserver", "CortexXDR"}},
	{"Cybereason", []string{"CybereasonActiveProbe"}},
	{"Sophos", []string{"Sophos Endpoint Defense Service", "SntpService"}},
	{"Trellix HX", []string{"xagt"}},
	{"Trend Micro Deep Security", []string{"ds_agent"}},
	// Each Windows has the service Sense. It records once a machine was taken into an account, which
	// https://learn.microsoft.com/defender-endpoint/troubleshoot-onboarding tells by the value OnboardingState.
	{"Microsoft Defender for Endpoint", []string{"Sense"}},
}

func recordProducts(s *scope.Scope, r *registry) {
	for _, p := range products {
		for _, name := range p.services {
			v, ok := r.service(name)
			if !ok {
				continue
			}
			onboarded := evidence.Known(true, v.start.At())
			if name == "Sense" {
				onboarded = set(or(r.software.key("Microsoft", "Windows Advanced Threat Protection", "Status").number("OnboardingState"), 0, "never set"))
			}
			if is, known := onboarded.Get(); known && !is {
				continue
			}
			s.Record(p.observe(s, v, onboarded))
			break
		}
	}
}

func (p product) observe(s *scope.Scope, v service, onboarded evidence.Value[bool]) *evidence.LogSource {
	at := v.h.at(v.path)
	src := s.Source("sensor/"+strings.ReplaceAll(p.name, " ", "-"), evidence.Process, kindSensor, p.name, at)
	src.Records = "what it watches"
	src.Parts[evidence.PartEveryNode] = evidence.Moot[evidence.Extent](at)
	src.Complete = evidence.Unknown[bool](evidence.Elsewhere, note(at, "its own settings decide where its records go"))
	start, known := v.start.Get()
	switch {
	case known && start == 4:
		src.Enabled = evidence.Known(false, note(v.start.At(), "its service is disabled"))
	case v.start.IsUnknown() || onboarded.IsUnknown():
		why := cmp.Or(v.start.Why(), onboarded.Why())
		src.Enabled = evidence.Unknown[bool](why, v.start.At())
	case known && start <= 2:
		src.Enabled = evidence.Unknown[bool](evidence.Elsewhere, note(at, "it starts by itself; its own settings decide what it records"))
	default:
		src.Enabled = evidence.Unknown[bool](evidence.Elsewhere, note(at, "it is there; its own settings decide what it records"))
	}
	return src
}

// shippers is read, never written: services that may take event logs away. What stands here makes a fact unknown, and
// decides none.
var shippers = []string{
	"winlogbeat", "filebeat", "Elastic Agent", "SplunkForwarder", "Splunkd", "nxlog", "AzureMonitorAgent", "HealthService",
	"AmazonCloudWatchAgent", "fluent-bit", "fluentbit", "fluentdwinsvc", "td-agent", "vector", "otelcol", "otelcol-contrib",
	"splunk-otel-collector", "Alloy", "promtail", "datadogagent", "WazuhSvc", "OssecSvc", "Snare", "newrelic-infra",
	"GoogleCloudOpsAgent", "google-cloud-ops-agent", "StackdriverLogging", "Cribl", "Cribl Edge", "logstash", "rsyslog", "SolarWinds",
	"syslog-ng Agent", "QRadar WinCollect", "WinCollect", "scwx", "ir_agent", "Sumo-Collector", "sumo-collector", "Bindplane Agent",
}

// extensions are folders of agents that have no service of their own.
var extensions = []string{
	"Packages/Plugins/Microsoft.Azure.Monitor.AzureMonitorWindowsAgent",
}

// shippers says whether nothing takes the event logs away.
func (r *registry) shippers(s *scope.Scope) evidence.Value[bool] {
	for _, name := range shippers {
		if v, ok := r.service(name); ok && !v.off() {
			return evidence.Unknown[bool](evidence.Elsewhere, note(v.h.at(v.path), name+" may take the records away"))
		}
	}
	for _, name := range extensions {
		if exists(s, name) {
			return evidence.Unknown[bool](evidence.Elsewhere, scope.At(name, 0).WithNote("it may take the records away"))
		}
	}
	// Windows Event Forwarding: https://learn.microsoft.com/windows/security/threat-protection/use-windows-event-forwarding-to-assist-in-intrusion-detection
	k := r.software.key("Policies", "Microsoft", "Windows", "EventLog", "EventForwarding", "SubscriptionManager")
	for n := 1; n <= 8; n++ {
		to := k.text(fmt.Sprint(n))
		if address, known := to.Get(); known {
			return evidence.Unknown[bool](evidence.Elsewhere, note(to.At(), "forwarded to "+address+", as that collector asks"))
		}
		if to.IsUnknown() {
			return evidence.Unknown[bool](to.Why(), to.At())
		}
	}
	if r.failed != nil {
		return scope.Unknown[bool](r.failed, r.controls.h.at(r.controls.path+`\Services`))
	}
	return evidence.Known(true, r.controls.h.at(r.controls.path+`\Services`))
}
