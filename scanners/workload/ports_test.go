package workload

import (
	"testing"

	"lookback/evidence"
)

func TestPortBehind(t *testing.T) {
	whole := evidence.Known(true, evidence.Origin{})
	open := evidence.Unknown[bool](evidence.Unresolved, evidence.Origin{})
	mapped := []Port{{Host: 514, Container: 5514}, {Host: 5140, Container: 24224}}
	for _, c := range []struct {
		name  string
		c     Container
		port  int
		want  int
		known bool
	}{
		{"published as another", Container{Ports: mapped, PortsWhole: whole}, 5140, 24224, true},
		{"the container's own number is not the machine's", Container{Ports: mapped, PortsWhole: whole}, 24224, 0, true},
		{"nothing published", Container{PortsWhole: whole}, 24224, 0, true},
		{"the host's network", Container{HostNetwork: true, PortsWhole: open}, 24224, 24224, true},
		{"an entry without value beside the one that is meant", Container{Ports: mapped, PortsWhole: open}, 514, 5514, true},
		{"an entry without value that may be meant", Container{Ports: mapped, PortsWhole: open}, 24224, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := c.c.behind(c.port)
			if got, known := v.Get(); got != c.want || known != c.known {
				t.Errorf("got %d, known %t; want %d, %t", got, known, c.want, c.known)
			}
			if !c.known && v.Why() != evidence.Unresolved {
				t.Errorf("because %s", v.Why())
			}
		})
	}
}

func TestDefaultPort(t *testing.T) {
	for _, c := range []struct {
		kind, scheme string
		want         int
	}{
		{"fluentd", "tcp", 24224}, {"gelf", "udp", 12201}, {"syslog", "tcp+tls", 514}, {"loki", "https", 443}, {"splunk", "http", 80},
	} {
		if got := defaultPort(c.kind, c.scheme); got != c.want {
			t.Errorf("defaultPort(%q, %q) = %d, want %d", c.kind, c.scheme, got, c.want)
		}
	}
}
