package shipper

import (
	"net/netip"
	"strconv"
	"strings"
)

// place returns the host that an address or URL names and how far away it is. Users, passwords, paths and queries never
// become part of the host: what does not look like one is unknown.
func place(address string) (host string, reach Reach) {
	s := strings.Trim(strings.TrimSpace(address), `"'`)
	if s == "" {
		return "", Unknown
	}
	scheme, rest, hasScheme := strings.Cut(s, "://")
	if hasScheme {
		switch strings.ToLower(scheme) {
		case "unix", "unixgram", "file", "npipe":
			return "", Local
		}
		s = rest
	}
	s = strings.TrimPrefix(s, "//")
	for _, local := range []string{"/", "unix:", "unixgram:", "npipe:", `\\.\`} {
		if strings.HasPrefix(s, local) {
			return "", Local
		}
	}
	authority := s
	if end := strings.IndexAny(s, "/?#"); end >= 0 {
		authority = s[:end]
		if strings.Contains(s[end:], "@") {
			return "", Unknown // a password with a slash in it would end up in the host
		}
	}
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		authority = authority[at+1:]
	}
	return hostPort(authority)
}

// hostPort is place for "host", "host:port", "[v6]" and "[v6]:port".
func hostPort(s string) (host string, reach Reach) {
	name, port := s, ""
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", Unknown
		}
		name, port = s[1:end], strings.TrimPrefix(s[end+1:], ":")
	} else if strings.Count(s, ":") == 1 {
		name, port, _ = strings.Cut(s, ":")
	}
	if port != "" && !strings.Contains(port, unresolved) {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", Unknown
		}
	} else {
		port = ""
	}
	if cut := strings.LastIndex(name, unresolved); cut >= 0 {
		// "${TENANT}.logs.example.net" is somewhere else whatever the tenant is.
		suffix := name[cut+len(unresolved):]
		if strings.HasPrefix(suffix, ".") && strings.Contains(suffix[1:], ".") && validName(suffix[1:]) && !loopback(suffix[1:]) {
			return "", Away
		}
		return "", Unknown
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if addr, err := netip.ParseAddr(name); err == nil {
		addr = addr.Unmap()
		reach = Away
		if addr.IsLoopback() || addr.IsUnspecified() {
			reach = Local
		}
		if port == "" {
			return addr.WithZone("").String(), reach
		}
		return "" + netip.AddrPortFrom(addr.WithZone(""), portOf(port)).String(), reach
	}
	if !validName(name) {
		return "", Unknown
	}
	reach = Away
	if loopback(name) {
		reach = Local
	}
	if port != "" {
		name += ":" + port
	}
	return name, reach
}

// loopback reports whether a name means the machine itself. Docker's and Podman's names for it are among them: what is
// sent there does not leave the machine.
func loopback(name string) bool {
	switch name {
	case "localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback", "host.docker.internal",
		"gateway.docker.internal", "docker.for.mac.localhost", "docker.for.win.localhost", "host.containers.internal":
		return true
	}
	return strings.HasSuffix(name, ".localhost")
}

// validName reports whether s is a host name whose last label is no number: "127.1" and "0x7f000001" are loopback
// addresses to many resolvers.
func validName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c != '.' && c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	last := strings.ToLower(s[strings.LastIndexByte(s, '.')+1:])
	if last == "" {
		return false
	}
	_, err := strconv.ParseUint(last, 0, 64)
	return err != nil
}

func portOf(s string) uint16 {
	n, _ := strconv.ParseUint(s, 10, 16)
	return uint16(n)
}

// port reads the port of "24224", ":24224", "0.0.0.0:24224" or "tcp://0.0.0.0:24224"; 0 when there is none.
func port(s string) int {
	s = strings.Trim(strings.TrimSpace(s), `"'`)
	if colon := strings.LastIndexByte(s, ':'); colon >= 0 {
		s = s[colon+1:]
	}
	s, _, _ = strings.Cut(s, "/")
	return int(portOf(s))
}

// places is place for a list of which any one is enough: the furthest counts.
func places(addresses []string) (host string, reach Reach) {
	for i, a := range addresses {
		h, r := place(a)
		switch {
		case i == 0, r == Away && reach != Away:
			host, reach = h, r
		case r == Unknown && reach == Local:
			host, reach = "", Unknown
		}
	}
	return host, reach
}

// join puts a host and a port that are written apart together.
func join(host, port string) string {
	if host == "" || port == "" || strings.Contains(host, "://") || strings.HasPrefix(host, "/") || strings.Contains(port, unresolved) {
		return host
	}
	if strings.Count(host, ":") > 1 && !strings.HasPrefix(host, "[") {
		return "[" + host + "]:" + port
	}
	if strings.HasPrefix(host, "[") && strings.Contains(host, "]:") || strings.Count(host, ":") == 1 {
		return host
	}
	return host + ":" + port
}

// A sink is how a plug-in that sends records finds its destination.
type sink struct {
	kind sinkKind
	keys []string // the settings that may hold the address, the first that is set counts
	port string   // the setting that holds the port where it is not part of the address
	def  string   // the address when none is set; "" where there is no default
	udp  bool     // the plug-in speaks UDP unless it is told otherwise
}

type sinkKind uint8

const (
	sinkNet   sinkKind = iota // to the address in keys
	sinkLocal                 // stays here
	sinkCloud                 // to a vendor's service, unless one of keys names another address
	sinkNone                  // carries no logs: metrics, traces
)

// to returns where a plug-in sends, from its settings.
func (s sink) to(get func(key string) []string) (host string, reach Reach) {
	if s.kind == sinkLocal {
		return "", Local
	}
	var addresses []string
	for _, key := range s.keys {
		if addresses = get(key); len(addresses) > 0 {
			break
		}
	}
	if len(addresses) == 0 {
		if s.kind == sinkCloud {
			return "", Away
		}
		if s.def == "" {
			return "", Unknown
		}
		addresses = []string{s.def}
	}
	var all []string
	for _, a := range addresses {
		a = strings.TrimSpace(a)
		if s.port != "" {
			if p := get(s.port); len(p) > 0 {
				a = join(a, strings.TrimSpace(p[0]))
			} else if _, defPort, ok := strings.Cut(s.def, ":"); ok && !strings.Contains(defPort, ":") {
				a = join(a, defPort)
			}
		}
		all = append(all, a)
	}
	return places(all)
}
