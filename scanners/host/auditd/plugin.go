package auditd

import (
	"path"
	"strconv"
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/syslog"
)

// plugins reads what takes records beside the file: auditd-plugins(5). A plug-in that is not known leaves a doubt whether
// what was found is all.
func (d *daemon) plugins(s *scope.Scope) (to []evidence.Delivery, doubt evidence.Value[bool]) {
	dir := "etc/audit/plugins.d"
	if v := d.conf["plugin_dir"]; v.raw != "" {
		dir = strings.TrimPrefix(path.Clean("/"+v.raw), "/")
	}
	// Before version 3 a dispatcher of its own had them.
	for _, file := range append(s.Glob(dir+"/*.conf"), s.Glob("etc/audisp/plugins.d/*.conf")...) {
		data, err := s.Read(file)
		if err != nil {
			doubt = scope.Unknown[bool](err, scope.At(file, 0))
			continue
		}
		p := settings(file, data)
		if p["active"].text != "yes" {
			continue
		}
		switch program := path.Base(p["path"].raw); program {
		case "audisp-remote":
			by, err := remote(s)
			if err != nil {
				doubt = scope.Unknown[bool](err, p["path"].at)
			} else if by.To != "" {
				to = append(to, by)
			}
		case "audisp-syslog", "builtin_syslog":
			to = append(to, syslog.Routes(s, facility(p["args"].raw), "audisp-syslog")...)
		case "sedispatch": // of setroubleshoot: it hands denials of SELinux to a service of the same machine
		case "laurel":
			to = append(to, d.laurel(s, p))
		default:
			doubt = evidence.Unknown[bool](evidence.Unfamiliar, p["path"].at.WithNote("what the plug-in "+program+" does with records is not known"))
		}
	}
	return to, doubt
}

// remote reads where audisp-remote sends records: audisp-remote.conf(5).
func remote(s *scope.Scope) (evidence.Delivery, error) {
	file := "etc/audit/audisp-remote.conf"
	data, err := s.Read(file)
	if err == nil && data == nil {
		file = "etc/audisp/audisp-remote.conf"
		data, err = s.Read(file)
	}
	if err != nil {
		return evidence.Delivery{}, err
	}
	c := settings(file, data)
	server := c["remote_server"]
	if server.text == "" {
		return evidence.Delivery{}, nil
	}
	if port, err := strconv.Atoi(c["port"].text); err == nil {
		server.text += ":" + strconv.Itoa(port)
	}
	by := evidence.EverythingTo(evidence.ID("auditd:"+server.text+"//"), server.at)
	by.Lossless = evidence.Known(false, c["mode"].at.WithNote("without mode = forward nothing waits on disk while the server is away"))
	if c["mode"].text == "forward" {
		by.Lossless = evidence.Known(true, c["mode"].at)
	}
	return by, nil
}

// facility is that of the arguments of audisp-syslog, "LOG_INFO LOG_LOCAL6"; user by default.
func facility(args string) string {
	for _, word := range strings.Fields(args) {
		switch name := strings.ToLower(strings.TrimPrefix(word, "LOG_")); {
		case strings.HasPrefix(name, "local"), name == "auth", name == "authpriv", name == "daemon", name == "syslog", name == "user":
			return name
		}
	}
	return "user"
}

// laurel is a plug-in that writes events as JSON, one a line, into files of its own: its README and etc/laurel/config.toml.
func (d *daemon) laurel(s *scope.Scope, p map[string]value) evidence.Delivery {
	file := "etc/laurel/config.toml"
	for _, word := range strings.Fields(p["args"].raw) {
		if strings.HasSuffix(word, ".toml") {
			file = strings.TrimPrefix(path.Clean("/"+word), "/")
		}
	}
	data, _ := s.Read(file) // what cannot be read is a gap by now
	section, dir, name, at := "", "/var/log/laurel", "audit.log", scope.At(file, 0)
	size, generations := int64(0), int64(0)
	for _, l := range split(file, data) {
		if strings.HasPrefix(l.text, "[") {
			section = l.text
		}
		key, raw, _ := strings.Cut(l.text, "=")
		raw, _, _ = strings.Cut(raw, "#")
		raw = strings.Trim(strings.TrimSpace(raw), `"'`)
		switch section + strings.TrimSpace(key) {
		case "directory":
			dir = raw
		case "[auditlog]file":
			name, at = raw, l.at()
		case "[auditlog]size":
			size, _ = strconv.ParseInt(strings.ReplaceAll(raw, "_", ""), 10, 40)
		case "[auditlog]generations":
			generations, _ = strconv.ParseInt(raw, 10, 16)
		}
	}
	where := strings.TrimPrefix(path.Join("/", dir, name), "/")
	store := s.DiskStore(s.ID(where), "log files", "/"+where, at)
	store.Kept = evidence.Known(0, at)
	store.Bytes = evidence.Unknown[int64](evidence.Elsewhere, at.WithNote("its configuration does not say"))
	if size > 0 && generations > 0 {
		store.Bytes = evidence.Known(size*(generations+1), at)
	}
	s.Record(store)
	return evidence.EverythingTo(store.ID, p["path"].at)
}
