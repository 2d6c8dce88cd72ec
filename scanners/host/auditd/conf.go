package auditd

import (
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/scope"
)

// A value is a word of a configuration, in small letters, and where it stands.
type value struct {
	text string
	raw  string // as it was written
	at   evidence.Origin
}

// settings reads "key = value" lines: auditd.conf(5), auditd-plugins(5), audisp-remote.conf(5). Keys and values are the same
// in capital letters. The last one of a key holds.
func settings(file string, text []byte) map[string]value {
	out := map[string]value{}
	no := 0
	for l := range strings.Lines(string(text)) {
		no++
		key, raw, ok := strings.Cut(l, "=")
		key = strings.ToLower(strings.TrimSpace(key))
		if !ok || key == "" || key[0] == '#' || len(out) > 1000 {
			continue
		}
		raw = strings.TrimSpace(raw)
		out[key] = value{text: strings.ToLower(raw), raw: raw, at: scope.At(file, no)}
	}
	return out
}

// broken is the first line of auditd.conf, from 1, that keeps auditd from starting; 0 for none. A name, "=" and a value stand
// apart: nv_split and load_config in auditd-config.c.
func broken(text []byte) int {
	no := 0
	for l := range strings.Lines(string(text)) {
		no++
		words := strings.Fields(l)
		if len(words) > 0 && words[0][0] != '#' && (len(words) < 3 || words[1] != "=") {
			return no
		}
	}
	return 0
}
