package windows

import (
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/scope"
)

// clock reads the Windows Time service. Its values are those of
// https://learn.microsoft.com/windows-server/networking/windows-time-service/windows-time-service-tools-and-settings; the
// policy "Configure Windows NTP Client" comes first.
func (r *registry) clock(s *scope.Scope, policy evidence.Value[auditPolicy]) *evidence.Clock {
	k := r.controls.key("Services", "W32Time")
	at := k.h.at(k.path)
	c := &evidence.Clock{
		Subject: evidence.Subject{ID: s.ID("clock"), Kind: "clock", Name: "the clock of " + s.Name, At: at},
		Of:      s.Host(), Synchronised: scope.NotRunning[bool](at),
		Sources: r.timeSources(k),
	}
	change := audited(policy, securityStateChange)
	switch is, known := change.Get(); {
	case !known:
		c.Guarded = evidence.Unknown[bool](change.Why(), change.At())
	case is&auditSuccess == 0:
		c.Guarded = evidence.Known(false, change.At().WithNote("a change of the time is not recorded"))
	default:
		c.Guarded = evidence.Unknown[bool](evidence.Unfamiliar, note(change.At(), "who holds the right to change the time was not read"))
	}
	return c
}

// others keep the clock in place of the Windows Time service.
var others = []string{"NTP", "ntpd", "chrony", "VMTools", "VBoxService"}

func (r *registry) timeSources(k key) evidence.Value[[]evidence.TimeSource] {
	p := r.software.key("Policies", "Microsoft", "W32Time", "Parameters")
	unknown := func(why evidence.Reason, at evidence.Origin) evidence.Value[[]evidence.TimeSource] {
		return evidence.Unknown[[]evidence.TimeSource](why, at)
	}
	start := k.number("Start")
	n, known := start.Get()
	if off := known && n == 4; off || start.IsMoot() {
		for _, name := range others {
			if v, ok := r.service(name); ok && !v.off() {
				return unknown(evidence.Unfamiliar, note(v.h.at(v.path), "it may keep the clock: the Windows Time service is off"))
			}
		}
		return evidence.Known([]evidence.TimeSource{}, note(start.At(), "the Windows Time service is disabled"))
	}
	if !known {
		return unknown(start.Why(), start.At())
	}
	sources := []evidence.TimeSource{}
	guest := r.hyperV()
	provides := set(or(k.key("TimeProviders", "VMICTimeProvider").number("Enabled"), 0, "there is none"))
	if on, _ := provides.Get(); on && guest {
		sources = append(sources, evidence.TimeSource{Address: "Hyper-V", Platform: true})
	}
	from := first(p.text("Type"), k.key("Parameters").text("Type"))
	mode, known := from.Get()
	if !known {
		if from.IsMoot() {
			return unknown(evidence.Unfamiliar, note(from.At(), "from whom it takes the time is not set"))
		}
		return unknown(from.Why(), from.At())
	}
	client := first(r.software.key("Policies", "Microsoft", "W32Time", "TimeProviders", "NtpClient").number("Enabled"),
		k.key("TimeProviders", "NtpClient").number("Enabled"))
	if on, known := client.Get(); known && on == 0 {
		return evidence.Known(sources, note(client.At(), "its NTP client is disabled"))
	}
	switch strings.ToUpper(mode) {
	case "NOSYNC":
		return evidence.Known(sources, note(from.At(), "it takes the time from nobody (NoSync)"))
	case "NTP":
		list := first(p.text("NtpServer"), k.key("Parameters").text("NtpServer"))
		text, known := list.Get()
		if !known && !list.IsMoot() {
			return unknown(list.Why(), list.At())
		}
		for _, one := range strings.Fields(text) {
			if address, _, _ := strings.Cut(one, ","); address != "" { // "time.windows.com,0x9": the rest are flags
				sources = append(sources, evidence.TimeSource{Address: address})
			}
		}
		return evidence.Known(sources, list.At())
	case "NT5DS", "ALLSYNC":
		return unknown(evidence.Elsewhere, note(from.At(), "the controllers of its domain give it the time ("+mode+")"))
	}
	return unknown(evidence.Unfamiliar, note(from.At(), "it takes the time by "+mode))
}

// hyperV reports whether the machine was a guest of Hyper-V when it last started. Each Windows has the provider of its time.
func (r *registry) hyperV() bool {
	k := r.controls.key("Control", "SystemInformation")
	maker, _ := k.text("SystemManufacturer").Get()
	model, _ := k.text("SystemProductName").Get()
	return maker == "Microsoft Corporation" && model == "Virtual Machine"
}
