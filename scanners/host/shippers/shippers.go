// Package shippers reads what log shippers take away from a host: which of its logs, and where to.
package shippers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/syslog"
	"lookback/scanners/host/unit"
	"lookback/scanners/shipper"
)

// maxFiles is how many files of one configuration are read.
const maxFiles = 200

// An agent is a shipper that starts with the host.
type agent struct {
	product
	running evidence.Value[bool]
	at      evidence.Origin
	config  shipper.Config
	open    evidence.Value[bool] // unknown, with why, where not all of what it reads and where it sends could be learned
}

// Read adds to each store of the host where its records are taken. It goes after all other readers.
func Read(_ context.Context, s *scope.Scope) {
	syslog.Copy(s)
	for _, p := range products {
		for _, name := range p.units {
			u := unit.Find(s, name)
			if there, _ := u.Installed.Get(); !there {
				continue
			}
			on, known := u.Enabled.Get()
			a := agent{product: p, running: u.Running, at: u.At}
			switch {
			case known && !on:
			case !known:
				a.open = u.Enabled
				observe(s, a)
			default:
				a.read(s, u.Exec)
				observe(s, a)
			}
			break
		}
	}
}

// observe is the only place that knows what it means: copies of the stores that an agent reads.
func observe(s *scope.Scope, a agent) {
	for _, store := range s.Stores() {
		doubt := a.open
		for i, in := range a.config.Inputs {
			if !reads(in, store) {
				continue
			}
			for _, out := range a.config.Outputs {
				at := a.place(out.File, out.Line)
				switch whole, part := slices.Contains(out.From, i), slices.Contains(out.Part, i); {
				case !whole && !part, out.Reach == shipper.Local:
				case out.Reach == shipper.Unknown:
					doubt = evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("where the output "+out.Name+" of "+a.name+" leads is not known"))
				case part:
					doubt = evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("a filter decides what "+a.name+" sends on"))
				default:
					store.To = append(store.To, a.delivery(in, out, at))
				}
			}
		}
		if !doubt.IsZero() && !store.Complete.IsUnknown() {
			store.Complete = doubt
		}
	}
}

// delivery is to where an output leads. The ID is that of a server which nobody scanned.
func (a agent) delivery(in shipper.Input, out shipper.Output, at evidence.Origin) evidence.Delivery {
	host := out.Host
	if host == "" {
		host = a.name
	}
	d := evidence.EverythingTo(evidence.ID(out.Name+":"+host+"//"), at)
	switch {
	case in.Disk || out.Buffer == shipper.BufferDisk:
		d.Lossless = evidence.Known(true, at)
	case out.UDP:
		d.Lossless = evidence.Known(false, at.WithNote("UDP loses what the network drops"))
	case out.Buffer == shipper.BufferMemory:
		d.Lossless = evidence.Known(false, at.WithNote(a.name+" buffers in memory"))
	}
	if runs, known := a.running.Get(); known && !runs {
		d.Error = evidence.Known(a.name+" does not run", a.at)
	}
	return d
}

// reads reports whether an input reads a store of the host.
func reads(in shipper.Input, store *evidence.LogStore) bool {
	thing := store.ID.Thing()
	left := func(name string) bool {
		return slices.ContainsFunc(in.Exclude, func(p string) bool { return match(p, name) })
	}
	switch in.Kind {
	case shipper.Journal:
		return thing == "journal" && len(in.Only) == 0
	case shipper.Files:
		return slices.ContainsFunc(in.Paths, func(p string) bool { return match(p, "/"+thing) }) && !left("/"+thing)
	case shipper.Containers:
		return (strings.HasPrefix(thing, "docker/") || strings.HasPrefix(thing, "pods/")) && strings.HasSuffix(thing, "/stdout") && len(in.Only)+len(in.Exclude) == 0
	}
	return false
}

// match is a glob over a path, of which "**" takes any number of folders.
func match(pattern, name string) bool {
	if before, after, deep := strings.Cut(pattern, "**"); deep {
		if !strings.HasPrefix(name, before) {
			return false
		}
		ok, _ := path.Match(strings.TrimPrefix(after, "/"), path.Base(name))
		return ok || after == ""
	}
	ok, _ := path.Match(pattern, name)
	return ok
}

func (a agent) place(file string, line int) evidence.Origin {
	if file == "" {
		return a.at
	}
	return scope.At(file, line)
}

// read reads the configuration that the command of the agent's unit names, else the one that its package brings.
func (a *agent) read(s *scope.Scope, exec string) {
	if a.remote {
		a.open = evidence.Unknown[bool](evidence.Elsewhere, a.at.WithNote("what "+a.name+" takes away is decided where it is managed"))
		return
	}
	known, ok := find(a.name)
	names := a.configs
	if ok {
		if _, files, err := known.Flags(strings.Fields(exec), none); err == nil && len(files) > 0 && !strings.Contains(exec, "$") {
			names = files
		}
	}
	files, err := a.files(s, names, true)
	switch {
	case err != nil:
		a.open = scope.Unknown[bool](err, a.at)
		return
	case len(files) == 0:
		a.open = evidence.Unknown[bool](evidence.Elsewhere, a.at.WithNote("the configuration of "+a.name+" is not where its package puts it"))
		return
	}
	a.at = scope.At(files[0].Name, 0)
	switch {
	case a.name == splunk:
		a.config = forwarder(files)
	case a.name == journalUpload:
		a.config = upload(files)
	default:
		a.parse(s, known, files)
	}
}

func (a *agent) parse(s *scope.Scope, p shipper.Product, files []shipper.File) {
	for range 4 {
		config, err := p.Read(files, none)
		if err != nil {
			s.Missed("the configuration of "+a.name, err, a.at)
			a.open = scope.Unknown[bool](err, a.at)
			return
		}
		a.config = config
		more, err := a.files(s, config.Includes, false)
		if err != nil {
			a.open = scope.Unknown[bool](err, a.at)
			return
		}
		fresh := 0
		for _, f := range more {
			f.Included = true
			if len(files) < maxFiles && !slices.ContainsFunc(files, func(o shipper.File) bool { return o.Name == f.Name }) {
				files = append(files, f)
				fresh++
			}
		}
		if fresh == 0 {
			break
		}
	}
	if a.config.Open || slices.ContainsFunc(a.config.Includes, func(n string) bool { return !strings.ContainsAny(n, "*?[") }) {
		a.open = evidence.Unknown[bool](evidence.Elsewhere, a.at.WithNote("a part of the configuration of "+a.name+" is kept elsewhere"))
	}
}

// files reads what several names lead to, or the first that leads to anything; of a glob, or of a folder, all that it holds.
func (a *agent) files(s *scope.Scope, names []string, first bool) (out []shipper.File, err error) {
	for _, name := range names {
		found := []string{name}
		if info, err := s.Root.Stat(name); err == nil && info.IsDir() {
			name = path.Join(name, "*")
		}
		if strings.ContainsAny(name, "*?[") {
			if found, err = s.Root.Glob(name); err != nil {
				return nil, err
			}
		}
		for _, one := range found {
			if len(out) >= maxFiles {
				return out, errors.New("too many files")
			}
			if info, err := s.Root.Stat(one); err == nil && info.IsDir() {
				continue
			}
			text, err := s.Root.ReadFile(one)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				s.Missed(fmt.Sprintf("the file %s of %s", one, a.name), err, scope.At(one, 0))
				return nil, err
			}
			out = append(out, shipper.File{Name: "/" + strings.TrimPrefix(one, "/"), Text: text})
		}
		if first && len(out) > 0 {
			return out, nil
		}
	}
	return out, nil
}

// find returns the shipper of a name.
func find(name string) (shipper.Product, bool) {
	for _, p := range shipper.Products() {
		if p.Name == name {
			return p, true
		}
	}
	return shipper.Product{}, false
}

// none is the environment of a unit that sets no variables that we read.
func none(string) (string, bool) { return "", false }

// forwarder reads inputs.conf and outputs.conf of a Splunk forwarder: "[monitor:///var/log]" reads a file or a folder,
// "[tcpout:GROUP]" with "server = host:port" sends everything. Source: the specifications of both files by Splunk.
func forwarder(files []shipper.File) (c shipper.Config) {
	out := shipper.Output{Name: "splunk", Reach: shipper.Away, Buffer: shipper.BufferMemory}
	stanzas(files, func(f shipper.File, line int, section, key, value string) {
		switch {
		case key == "" && strings.HasPrefix(section, "monitor://"):
			name := strings.TrimPrefix(section, "monitor://")
			c.Inputs = append(c.Inputs, shipper.Input{Name: section, Kind: shipper.Files, Paths: []string{name, path.Join(name, "**")}, File: f.Name, Line: line})
		case key == "disabled" && (value == "1" || strings.EqualFold(value, "true")) && len(c.Inputs) > 0 && c.Inputs[len(c.Inputs)-1].Name == section:
			c.Inputs = c.Inputs[:len(c.Inputs)-1]
		case strings.HasPrefix(section, "tcpout") && key == "server":
			host, _, _ := strings.Cut(value, ",")
			out.Host, out.File, out.Line = strings.TrimSpace(host), f.Name, line
		case strings.HasPrefix(section, "tcpout") && key == "useACK" && strings.EqualFold(value, "true"):
			out.Buffer = shipper.BufferUnknown
		}
	})
	return sendAll(c, out)
}

// upload reads journal-upload.conf: "URL=" takes the whole journal. What was not sent stays in the journal, and is sent
// later.
func upload(files []shipper.File) (c shipper.Config) {
	out := shipper.Output{Name: "journal-remote", Reach: shipper.Away, Buffer: shipper.BufferDisk}
	c.Inputs = []shipper.Input{{Name: "journal", Kind: shipper.Journal}}
	stanzas(files, func(f shipper.File, line int, section, key, value string) {
		if section == "Upload" && key == "URL" {
			_, host, found := strings.Cut(value, "://")
			if !found {
				host = value
			}
			host, _, _ = strings.Cut(host, "/")
			if i := strings.LastIndexByte(host, '@'); i >= 0 {
				host = host[i+1:]
			}
			out.Host, out.File, out.Line = host, f.Name, line
		}
	})
	return sendAll(c, out)
}

// sendAll makes an output take all inputs; without an address it leads nowhere that we know.
func sendAll(c shipper.Config, out shipper.Output) shipper.Config {
	if out.Host == "" {
		out.Reach = shipper.Unknown
	}
	for i := range c.Inputs {
		out.From = append(out.From, i)
	}
	c.Outputs = []shipper.Output{out}
	return c
}

// stanzas hands on the settings of files of the kind "[section]", "key = value", and each section itself with an empty key.
func stanzas(files []shipper.File, f func(file shipper.File, line int, section, key, value string)) {
	for _, file := range files {
		section, n := "", 0
		for raw := range bytes.Lines(file.Text) {
			n++
			line := strings.TrimSpace(string(raw))
			if line == "" || line[0] == '#' || line[0] == ';' {
				continue
			}
			if line[0] == '[' {
				section = strings.Trim(line, "[] ")
				f(file, n, section, "", "")
				continue
			}
			if key, value, ok := strings.Cut(line, "="); ok {
				f(file, n, section, strings.TrimSpace(key), strings.TrimSpace(value))
			}
		}
	}
}
