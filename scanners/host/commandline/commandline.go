// Package commandline reads the flags that a service is started with, out of its unit and the variables around it.
package commandline

import (
	"maps"
	"path"
	"strings"

	"lookback/scanners/host/scope"
)

// Flags are those of a command, by their names without "-". One that is written without a value is there with "".
type Flags map[string][]string

// Last returns the value of a flag: of one that is written twice, the last. It is "" where the flag is not written.
func (f Flags) Last(names ...string) (value string) {
	for _, name := range names {
		if v := f[name]; len(v) > 0 {
			value = v[len(v)-1]
		}
	}
	return value
}

// Read reads the flags of a command as systemd starts it: "$NAME" stands for the words of a variable, "${NAME}" for its
// text (systemd.service(5), "Command lines"). A variable without a value is nothing.
func Read(command string, env map[string]string) Flags {
	var words []string
	add := func(w string) { words = append(words, strings.Trim(w, `"'`)) }
	for _, w := range strings.Fields(command) {
		if name, ok := strings.CutPrefix(w, "$"); ok {
			for _, w := range strings.Fields(env[strings.Trim(name, "{}")]) {
				add(w)
			}
			continue
		}
		add(w)
	}
	f := Flags{}
	for i := 0; i < len(words); i++ {
		name, value, assigned := strings.Cut(words[i], "=")
		if !strings.HasPrefix(name, "-") {
			continue
		}
		if !assigned && i+1 < len(words) && !strings.HasPrefix(words[i+1], "-") {
			i++
			value = words[i]
		}
		name = strings.TrimLeft(name, "-")
		f[name] = append(f[name], strings.Trim(value, `"'`))
	}
	return f
}

// Env returns the variables of a service: those of Environment= in its unit and drop-ins, then those of files, the last
// of which counts.
func Env(s *scope.Scope, service string, files ...string) map[string]string {
	env := map[string]string{}
	for _, dir := range []string{"lib/systemd/system", "usr/lib/systemd/system", "etc/systemd/system"} {
		for _, name := range append(s.Glob(path.Join(dir, service)), s.Glob(path.Join(dir, service+".d/*.conf"))...) {
			data, _ := s.Root.ReadFile(name) // what cannot be read is a gap since the unit was looked for
			for line := range strings.Lines(string(data)) {
				if text, ok := strings.CutPrefix(strings.TrimSpace(line), "Environment="); ok {
					maps.Copy(env, assignments(strings.Trim(text, `"'`)))
				}
			}
		}
	}
	for _, name := range files {
		data, _ := s.Read(name)
		maps.Copy(env, assignments(string(data)))
	}
	return env
}

// assignments reads lines of a shell: NAME="value".
func assignments(text string) map[string]string {
	env := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		if ok && !strings.HasPrefix(name, "#") {
			env[name] = strings.Trim(value, `"'`)
		}
	}
	return env
}
