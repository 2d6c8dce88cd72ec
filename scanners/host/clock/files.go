package clock

import (
	"path"
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/scope"
)

// maxFiles is how many files of one service are read.
const maxFiles = 200

// lines hands the words of each line of a file that says something to f. A file that is not there has none.
func (c *settings) lines(s *scope.Scope, name, comment string, f func(words []string, at evidence.Origin)) {
	if len(c.files) >= maxFiles {
		return
	}
	data, err := s.Root.ReadFile(name)
	if absent(err) {
		return
	}
	if err != nil {
		s.Missed("the file "+name, err, scope.At(name, 0))
		c.missed = err
		return
	}
	c.files = append(c.files, name)
	if c.at.File == "" {
		c.at = scope.At(name, 0)
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		if i := strings.IndexAny(line, comment); i == 0 || i > 0 && strings.TrimSpace(line[:i]) == "" {
			continue
		}
		if words := strings.Fields(line); len(words) > 0 {
			f(words, scope.At(name, n))
		}
	}
}

// there reports whether something lies under a name, or may: to read it then says what is wrong with it.
func there(s *scope.Scope, name string) bool {
	ok, err := s.Root.Exists(name)
	return ok || err != nil
}

func (c *settings) add(source evidence.TimeSource, at evidence.Origin) {
	if len(c.sources) == 0 {
		c.at = at
	}
	c.sources = append(c.sources, source)
}

// server is a source by its address: some are the platform's own, and reached by its machines alone.
//
// Source: "Amazon Time Sync Service" in the EC2 user guide (169.254.169.123, fd00:ec2::123); "Configure NTP on a VM" of
// Compute Engine (metadata.google.internal, 169.254.169.254).
func server(address string, several bool) evidence.TimeSource {
	address = strings.Trim(address, `"`)
	platform := false
	switch strings.TrimSuffix(strings.ToLower(address), ".") {
	case "169.254.169.123", "fd00:ec2::123", "metadata.google.internal", "metadata", "169.254.169.254":
		platform = true
	}
	return evidence.TimeSource{Address: address, Platform: platform, Several: several}
}

// chrony reads chrony.conf: server, pool and peer, reference clocks, and what it includes. Source: man chrony.conf.
func chrony(s *scope.Scope) settings {
	c := settings{at: scope.At("etc/chrony", 0).WithNote("no server is configured")}
	main := "etc/chrony/chrony.conf"
	if !there(s, main) {
		main = "etc/chrony.conf"
	}
	read := map[string]bool{}
	var file func(name string)
	file = func(name string) {
		if read[name] {
			return
		}
		read[name] = true
		c.lines(s, name, "!;#%", func(words []string, at evidence.Origin) {
			if len(words) < 2 {
				return
			}
			switch of := words[1:]; strings.ToLower(words[0]) {
			case "server", "peer":
				c.add(server(of[0], false), at)
			case "pool":
				c.add(server(of[0], true), at)
			case "refclock":
				c.add(refclock(of), at)
			case "include":
				for _, one := range s.Glob(of[0]) {
					file(one)
				}
			case "confdir":
				folders(s, of, ".conf", file)
			case "sourcedir":
				folders(s, of, ".sources", file)
			}
		})
	}
	file(main)
	return c
}

// refclock is a clock of the machine itself. A PTP hardware clock that Hyper-V or KVM offers follows the host's; another
// one may be a card, or nothing that keeps the time.
func refclock(words []string) evidence.TimeSource {
	address := strings.Join(words[:min(2, len(words))], " ")
	platform := strings.EqualFold(words[0], "PHC") && len(words) > 1 && strings.HasPrefix(words[1], "/dev/ptp")
	return evidence.TimeSource{Address: address, Platform: platform}
}

func folders(s *scope.Scope, dirs []string, suffix string, file func(string)) {
	for _, dir := range dirs {
		for _, one := range s.Glob(path.Join(dir, "*"+suffix)) {
			file(one)
		}
	}
}

// timesyncd reads timesyncd.conf and its drop-ins: NTP=, else FallbackNTP=, else what the distribution built in. Source:
// man timesyncd.conf; a later file adds to a list, and an empty value empties it.
func timesyncd(s *scope.Scope) settings {
	c := settings{at: scope.At("etc/systemd/timesyncd.conf", 0)}
	var ntp, fallback []string
	var ntpAt, fallbackAt evidence.Origin
	fallbackSet := false
	main, dropIns, err := s.Systemd("timesyncd.conf")
	c.missed = err
	if main != "" {
		dropIns = append([]string{main}, dropIns...)
	}
	for _, name := range dropIns {
		section := ""
		c.lines(s, name, "#;", func(words []string, at evidence.Origin) {
			line := strings.Join(words, " ")
			if strings.HasPrefix(line, "[") {
				section = line
				return
			}
			key, value, ok := strings.Cut(line, "=")
			if !ok || section != "[Time]" {
				return
			}
			switch strings.TrimSpace(key) {
			case "NTP":
				ntp, ntpAt = merged(ntp, value), at
			case "FallbackNTP":
				fallback, fallbackAt, fallbackSet = merged(fallback, value), at, true
			}
		})
	}
	switch {
	case len(ntp) > 0:
		for _, one := range ntp {
			c.add(server(one, false), ntpAt)
		}
	case fallbackSet:
		for _, one := range fallback {
			c.add(server(one, false), fallbackAt)
		}
	default:
		// What is built in differs by distribution; the commented line of its configuration names it.
		c.add(evidence.TimeSource{Address: "the distribution's own servers", Several: true}, c.at.WithNote("systemd-timesyncd default"))
	}
	return c
}

func merged(list []string, value string) []string {
	if strings.TrimSpace(value) == "" {
		return nil
	}
	return append(list, strings.Fields(value)...)
}

// ntpd reads the configuration of ntpd and of NTPsec: server, pool and peer. Source: man ntp.conf.
func ntpd(s *scope.Scope) settings {
	c := settings{at: scope.At("etc/ntp.conf", 0).WithNote("no server is configured")}
	names := []string{"etc/ntpsec/ntp.conf", "etc/ntp.conf"}
	if there(s, names[0]) {
		names = append(names[:1], s.Glob("etc/ntpsec/ntp.d/*.conf")...)
	}
	for _, name := range names {
		c.lines(s, name, "#", func(words []string, at evidence.Origin) {
			if len(words) < 2 || strings.HasPrefix(words[1], "127.127.") { // a reference clock, which may be the machine's own
				return
			}
			address := words[1]
			if (address == "-4" || address == "-6") && len(words) > 2 {
				address = words[2]
			}
			switch words[0] {
			case "server", "peer":
				c.add(server(address, false), at)
			case "pool":
				c.add(server(address, true), at)
			}
		})
	}
	return c
}

// openntpd reads ntpd.conf: "servers" stands for all addresses of a name. Source: man ntpd.conf of OpenBSD.
func openntpd(s *scope.Scope) settings {
	c := settings{at: scope.At("etc/openntpd/ntpd.conf", 0).WithNote("no server is configured")}
	c.lines(s, "etc/openntpd/ntpd.conf", "#", func(words []string, at evidence.Origin) {
		if len(words) < 2 {
			return
		}
		switch words[0] {
		case "server":
			c.add(server(words[1], false), at)
		case "servers":
			c.add(server(words[1], true), at)
		}
	})
	return c
}
