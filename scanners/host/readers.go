package host

import (
	"context"

	"lookback/scanners/host/auditd"
	"lookback/scanners/host/clock"
	"lookback/scanners/host/containerd"
	"lookback/scanners/host/docker"
	"lookback/scanners/host/journald"
	"lookback/scanners/host/kubelet"
	"lookback/scanners/host/login"
	"lookback/scanners/host/memory"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/sensors"
	"lookback/scanners/host/shippers"
	"lookback/scanners/host/syslog"
	"lookback/scanners/host/sysmon"
	"lookback/scanners/host/windows"
)

// readers lists what is read of a host, in this order: a store comes before what refers to it, and shippers, which take
// away what the others write, come last.
func readers(ofWindows bool) []func(context.Context, *scope.Scope) {
	if ofWindows {
		return []func(context.Context, *scope.Scope){windows.Read}
	}
	return []func(context.Context, *scope.Scope){
		journald.Read, syslog.Read, login.Read, auditd.Read, sysmon.Read, sensors.Read, clock.Read,
		docker.Read, containerd.Read, kubelet.Read, memory.Read, shippers.Read,
	}
}
