package workload

import (
	"maps"
	"net"
	"path"
	"slices"
	"strconv"
	"strings"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/shipper"
)

// A collector is a container with the image of a log shipper, and what is known of its configuration.
type collector struct {
	c       *Container
	product *shipper.Product
	config  shipper.Config
	at      evidence.Origin // where its configuration is, or its image
	// open says why there may be more in its configuration than we saw.
	open evidence.Value[bool]
	// declared is where the owner says that it sends; the zero Value where nobody said.
	declared evidence.Value[[]evidence.ID]
}

// maxConfigFiles bounds how many files of one configuration are read.
const maxConfigFiles = 64

func newCollector(c *Container, p *shipper.Product, d scanners.Declared) *collector {
	k := &collector{c: c, product: p, at: c.Image.At()}
	ref, _ := c.Image.Get()
	for _, s := range d.Shippers { // the most specific pattern comes first
		if matches(s.Image, ref) {
			k.declared = s.To
			break
		}
	}
	var args []string
	for _, a := range c.Args {
		if text, known := a.Get(); known {
			args = append(args, text)
		} else {
			k.unread(a.Why(), a.At(), "a part of its command has no value that we know")
		}
	}
	flags, named, err := p.Flags(args, c.vars)
	if err != nil {
		k.unread(evidence.Failed, c.Image.At(), "its command line could not be read")
	}
	if len(c.Args) > 0 && len(flags.Outputs)+len(flags.Inputs) > 0 {
		k.at = c.Args[0].At()
	}
	if len(named) == 0 {
		named = p.Configs
	}
	files := k.files(named)
	config, err := k.readAll(files)
	if err != nil {
		k.unread(evidence.Failed, k.at, "its configuration could not be read: "+err.Error())
	}
	if config.Open || flags.Open {
		k.unread(evidence.Elsewhere, k.at, "a part of its configuration is kept elsewhere")
	}
	inputs := len(flags.Inputs)
	config.Inputs = append(slices.Clone(flags.Inputs), config.Inputs...)
	for i := range config.Outputs {
		config.Outputs[i].From = shift(config.Outputs[i].From, inputs)
		config.Outputs[i].Part = shift(config.Outputs[i].Part, inputs)
	}
	config.Outputs = append(slices.Clone(flags.Outputs), config.Outputs...)
	config.OptOuts = append(slices.Clone(flags.OptOuts), config.OptOuts...)
	if len(files) == 0 && len(config.Inputs)+len(config.Outputs) == 0 && k.open.IsZero() {
		def, known := p.Default()
		if !known {
			k.unread(evidence.Unfamiliar, c.Image.At(), "what "+p.Name+" does without a configuration is not known")
		}
		config = def
	}
	k.config = config
	return k
}

func shift(list []int, by int) []int {
	out := make([]int, len(list))
	for i, n := range list {
		out[i] = n + by
	}
	return out
}

func (k *collector) unread(why evidence.Reason, at evidence.Origin, note string) {
	if k.open.IsZero() {
		k.open = evidence.Unknown[bool](why, at.WithNote(note))
	}
}

// vars gives the values of a container's environment, as shipper configurations refer to them.
func (c *Container) vars(name string) (string, bool) {
	v, written := c.Env[name]
	if !written {
		whole, known := c.EnvWhole.Get()
		return "", known && whole
	}
	return v.Get()
}

// files reads the configuration files that mounts bring. Where none of the names is mounted, the image's own counts;
// named files that are not there are unread.
func (k *collector) files(names []string) []shipper.File {
	var out []shipper.File
	for _, name := range names {
		f, ok := k.expand(name)
		if ok && len(out) < maxConfigFiles && !slices.ContainsFunc(out, func(o shipper.File) bool { return o.Name == f.Name }) {
			out = append(out, f)
		}
	}
	return out
}

// expand reads a file, a folder, or what a glob matches: the folder's files together.
func (k *collector) expand(name string) (shipper.File, bool) {
	if k.c.File == nil {
		return shipper.File{}, false
	}
	from := path.Clean(name)
	if base := path.Base(name); strings.ContainsAny(base, "*?[") {
		from = path.Dir(name)
		name = path.Join(from, "all"+path.Ext(base))
	}
	v := k.c.File(from)
	text, known := v.Get()
	switch {
	case v.IsUnknown():
		k.unread(v.Why(), v.At(), "its configuration file was not read")
		return shipper.File{}, false
	case !known || text == "":
		return shipper.File{}, false
	}
	k.at = v.At()
	return shipper.File{Name: path.Clean(name), Text: []byte(text)}, true
}

// readAll reads a configuration and the files that it includes.
func (k *collector) readAll(files []shipper.File) (shipper.Config, error) {
	if len(files) == 0 {
		return shipper.Config{}, nil
	}
	for range 4 {
		config, err := k.product.Read(files, k.c.vars)
		if err != nil || len(config.Includes) == 0 {
			return config, err
		}
		more := len(files)
		for _, name := range config.Includes {
			f, ok := k.expand(name)
			f.Included = true
			if ok && len(files) < maxConfigFiles && !slices.ContainsFunc(files, func(o shipper.File) bool { return o.Name == f.Name }) {
				files = append(files, f)
			}
		}
		if len(files) == more {
			if !slices.ContainsFunc(config.Includes, func(s string) bool { return !strings.ContainsAny(s, "*?[") }) {
				return config, nil // globs that match nothing take nothing in
			}
			config.Open = true
			return config, nil
		}
	}
	return shipper.Config{Open: true}, nil
}

// sends is what becomes of the records of one input of a collector, or of all that it reads when the input is not known
// (-1): deliveries to where its outputs lead. None means that it keeps them, which is as if it did not collect.
func (o *observer) sends(k *collector, input int) []evidence.Delivery {
	if !k.declared.IsZero() {
		to, known := k.declared.Get()
		if !known {
			return []evidence.Delivery{o.maybe(k, k.declared.Why(), k.declared.At())}
		}
		var out []evidence.Delivery
		for _, id := range to {
			out = append(out, evidence.Delivery{To: id, Extent: evidence.Everything(k.declared.At()), Lossless: evidence.Moot[bool](k.at)})
		}
		return out
	}
	var out []evidence.Delivery
	doubt := k.open
	for _, output := range k.config.Outputs {
		from, part := input < 0 || slices.Contains(output.From, input), slices.Contains(output.Part, input)
		if !from && !part {
			continue
		}
		at := k.at
		if output.Line > 0 && k.at.File != "" && output.File != "" {
			at.Line, at.Col = k.at.Line+output.Line-1, 0
		}
		switch {
		case output.Reach == shipper.Local:
		case output.Reach == shipper.Unknown:
			doubt = evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("where the output "+output.Name+" of "+k.product.Name+" leads is not known"))
		case part:
			doubt = evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("a filter decides what "+k.product.Name+" sends on"))
		default:
			out = append(out, o.away(k, output, at))
		}
	}
	if len(out) == 0 && !doubt.IsZero() {
		out = append(out, o.maybe(k, doubt.Why(), doubt.At()))
	}
	return out
}

// maybe is a delivery of which nobody could tell whether it takes place.
func (o *observer) maybe(k *collector, why evidence.Reason, at evidence.Origin) evidence.Delivery {
	return evidence.Delivery{
		To: k.c.Asset.ID + "/sends", Extent: evidence.Unknown[evidence.Extent](why, at), Lossless: evidence.Moot[bool](at),
	}
}

// away is a delivery to another machine, or to a neighbour.
func (o *observer) away(k *collector, output shipper.Output, at evidence.Origin) evidence.Delivery {
	d := evidence.Delivery{Extent: evidence.Everything(at), Lossless: evidence.Moot[bool](at)}
	if beside := o.neighbour(k.c, output.Host); beside != nil {
		on := beside.Asset.ID
		if beside.keepsData() {
			on = beside.hostID()
		}
		d.To = o.store(evidence.LogStore{
			Subject: evidence.Subject{ID: beside.Asset.ID + "/received", Kind: "log server", Name: beside.Asset.Name + ", a neighbour", At: beside.Asset.At},
			On:      evidence.Known([]evidence.ID{on}, at), Memory: evidence.Known(false, at),
			Kept: evidence.Unknown[int](evidence.Elsewhere, at), Bytes: evidence.Unknown[int64](evidence.Elsewhere, at),
			ColdAfter: evidence.Moot[int](at), Lingers: evidence.Moot[int64](at), Complete: evidence.Known(true, at),
			To: o.passedOn(k, beside),
		}).ID
		return d
	}
	host := output.Host
	if host == "" {
		host = k.product.Name
	}
	d.To = evidence.ID(output.Name + ":" + host + "//")
	return d
}

// keepsData reports whether a container has a place for data that outlives it.
func (c *Container) keepsData() bool {
	return slices.ContainsFunc(c.Mounts, func(m Mount) bool {
		switch m.Kind {
		case NamedVolume, Remote, Plugin, Claim, Bind, HostPath:
			return !m.ReadOnly && path.Ext(m.Path) == "" // no file, which is configuration
		}
		return false
	})
}

// passedOn is where a neighbour that is itself a collector sends what it is sent.
func (o *observer) passedOn(from *collector, beside *Container) []evidence.Delivery {
	for _, k := range o.collectors {
		if k.c != beside || k == from {
			continue
		}
		for i, in := range k.config.Inputs {
			if in.Kind == shipper.Listen {
				return o.outward(k, i)
			}
		}
		if !k.declared.IsZero() {
			return o.sends(k, -1)
		}
	}
	return nil
}

// outward is what a collector sends to other machines: neighbours of a neighbour are not followed, so that a circle of
// collectors ends.
func (o *observer) outward(k *collector, input int) []evidence.Delivery {
	copied := *k
	copied.config.Outputs = nil
	for _, out := range k.config.Outputs {
		if o.neighbour(k.c, out.Host) == nil {
			copied.config.Outputs = append(copied.config.Outputs, out)
		}
	}
	return o.sends(&copied, input)
}

func shareUnit(a, b *Container) bool {
	return slices.ContainsFunc(a.Units, func(u string) bool { return slices.Contains(b.Units, u) })
}

// Folders and sockets of a machine by which a collector comes to the output of every container on it.
var (
	podFolders    = []string{"/var/log/pods", "/var/log/containers", "/var/lib/docker/containers"}
	dockerFolders = []string{"/var/lib/docker/containers"}
	dockerSockets = []string{"/var/run/docker.sock", "/run/docker.sock"}
)

// sees reports whether a collector has mounted any of the given paths of its machine.
func (k *collector) sees(paths ...string) bool {
	for _, m := range k.c.Mounts {
		if m.Kind != Bind && m.Kind != HostPath {
			continue
		}
		for _, p := range paths {
			if m.HostPath != "" && Within(p, path.Clean(m.HostPath)) {
				return true
			}
		}
	}
	return false
}

// reads returns the inputs of a collector that fit; -1 stands for those of a configuration that we could not read, or that
// only its owner knows.
func (k *collector) reads(fits func(shipper.Input) bool) []int {
	var out []int
	for i, in := range k.config.Inputs {
		if fits(in) {
			out = append(out, i)
		}
	}
	if len(out) == 0 && (!k.open.IsZero() || !k.declared.IsZero() && len(k.config.Inputs) == 0) {
		out = append(out, -1)
	}
	return out
}

// ofMachine reports whether an input reads the files in which an engine keeps the output of containers: by its kind, or by
// a path below a mount of their folder.
func (k *collector) ofMachine(in shipper.Input, folders []string) bool {
	if in.Kind == shipper.Containers {
		return true
	}
	return in.Kind == shipper.Files && slices.ContainsFunc(k.c.Mounts, func(m Mount) bool {
		return m.HostPath != "" &&
			slices.ContainsFunc(folders, func(f string) bool { return Within(path.Clean(m.HostPath), f) || Within(f, path.Clean(m.HostPath)) }) &&
			slices.ContainsFunc(in.Paths, func(glob string) bool { return globWithin(glob, m.Path) })
	})
}

// collected is what collectors of the container's unit make of the kubelet's files. A workload that opts out of one that
// honours it is delivered nothing.
func (o *observer) collected(c *Container) (copies []evidence.Delivery, optedOut bool) {
	for _, k := range o.collectors {
		if !shareUnit(k.c, c) || k.c.Log.Runtime != Kubelet || !k.sees(podFolders...) {
			continue
		}
		for _, i := range k.reads(func(in shipper.Input) bool { return k.ofMachine(in, podFolders) }) {
			if at, out := k.leavesOut(c); out {
				return []evidence.Delivery{{
					To: k.c.Asset.ID + "/sends", Lossless: evidence.Moot[bool](at),
					Extent: evidence.Known(evidence.Extent{Grade: evidence.None, But: "it opts out of " + k.product.Name}, at),
				}}, true
			}
			for _, d := range o.sends(k, i) {
				switch {
				case k.c.Every == nil:
					d.Extent = evidence.Unknown[evidence.Extent](evidence.Elsewhere, k.c.Asset.At.WithNote(k.product.Name+" does not run on every node"))
				case len(k.misses(c)) > 0:
					d.Extent = evidence.Unknown[evidence.Extent](evidence.Elsewhere, k.c.Every.At.WithNote(k.product.Name+" does not run on "+strings.Join(k.misses(c), ", ")))
				case excludes(k, i):
					d.Extent = evidence.Unknown[evidence.Extent](evidence.Unfamiliar, k.at.WithNote(k.product.Name+" leaves some containers out"))
				}
				copies = append(copies, d)
			}
		}
	}
	return copies, false
}

// misses names the nodes on which a container may run and the collector does not.
func (k *collector) misses(c *Container) []string {
	return slices.DeleteFunc(slices.Clone(k.c.Every.Misses), func(node string) bool { return slices.Contains(c.Misses, node) })
}

func excludes(k *collector, input int) bool {
	return input >= 0 && len(k.config.Inputs[input].Exclude)+len(k.config.Inputs[input].Only) > 0
}

// leavesOut reports whether a container carries a mark by which the collector passes it over.
func (k *collector) leavesOut(c *Container) (evidence.Origin, bool) {
	name := path.Base(c.Asset.Name)
	for _, o := range k.config.OptOuts {
		marks := c.Annotations
		if o.On == shipper.Env {
			marks = c.Env
		}
		for _, key := range slices.Sorted(maps.Keys(marks)) {
			v := marks[key]
			if value, known := v.Get(); known && o.Says(key, value, name) && o.Stream != "stderr" {
				return v.At(), true
			}
		}
	}
	return evidence.Origin{}, false
}

// collectedDocker is what collectors of the project make of Docker's own log files. Those of the driver "local" have a
// format that only Docker reads: they are had through its socket alone.
func (o *observer) collectedDocker(c *Container, driver string, at evidence.Origin) []evidence.Delivery {
	var out []evidence.Delivery
	for _, k := range o.collectors {
		if !shareUnit(k.c, c) || k.c.Log.Runtime != Docker {
			continue
		}
		if !k.sees(dockerSockets...) && (driver == "local" || !k.sees(dockerFolders...)) {
			continue
		}
		for _, i := range k.reads(func(in shipper.Input) bool { return k.ofMachine(in, dockerFolders) }) {
			if at, left := k.leavesOut(c); left {
				out = append(out, evidence.Delivery{
					To: k.c.Asset.ID + "/sends", Lossless: evidence.Moot[bool](at),
					Extent: evidence.Known(evidence.Extent{Grade: evidence.None, But: "it opts out of " + k.product.Name}, at),
				})
				continue
			}
			for _, d := range o.sends(k, i) {
				if excludes(k, i) {
					d.Extent = evidence.Unknown[evidence.Extent](evidence.Unfamiliar, k.at.WithNote(k.product.Name+" leaves some containers out"))
				}
				out = append(out, d)
			}
		}
	}
	if at.Note == evidence.NoteDockerDefault || at.Note == evidence.NoteDeclared {
		out = append(out, o.platformTo()...)
	}
	return out
}

// journalled is what collectors of the project make of the host's journal.
func (o *observer) journalled(c *Container) []evidence.Delivery {
	var out []evidence.Delivery
	for _, k := range o.collectors {
		if !shareUnit(k.c, c) || !k.sees("/var/log/journal") && !k.sees("/run/log/journal") {
			continue
		}
		for _, i := range k.reads(func(in shipper.Input) bool { return in.Kind == shipper.Journal }) {
			out = append(out, o.sends(k, i)...)
		}
	}
	return out
}

// listening is what collectors of the project that listen where a log driver points make of what they are sent. The
// driver runs in Docker itself: where it points at the machine, it comes to a collector by a published port alone.
func (o *observer) listening(c *Container, kind, scheme, server string, beside *Container) []evidence.Delivery {
	_, written, _ := net.SplitHostPort(server)
	number, _ := strconv.Atoi(written)
	proto := map[string]string{"fluentd": "forward", "syslog": "syslog", "gelf": "gelf", "loki": "loki", "splunk": "splunk_hec"}[kind]
	machine := beside == nil && scheme != "unix" && scheme != "unixgram"
	if machine && written == "" {
		number = defaultPort(kind, scheme)
	}
	var out []evidence.Delivery
	for _, k := range o.collectors {
		if !shareUnit(k.c, c) || beside != nil && k.c != beside {
			continue
		}
		port := evidence.Known(number, k.at)
		if machine {
			port = k.c.behind(number)
		}
		inside, known := port.Get()
		if machine && known && inside == 0 {
			continue
		}
		fits := func(in shipper.Input) bool {
			return !known || in.Port == inside && inside > 0 || in.Port == 0 && in.Proto == proto
		}
		for _, i := range k.reads(func(in shipper.Input) bool { return in.Kind == shipper.Listen && fits(in) }) {
			for _, d := range o.sends(k, i) {
				if !known {
					d.Extent = evidence.Unknown[evidence.Extent](port.Why(), port.At())
				}
				out = append(out, d)
			}
		}
	}
	return out
}

// defaultPort is where a log driver sends whose address names no port.
func defaultPort(kind, scheme string) int {
	switch {
	case kind == "fluentd":
		return 24224
	case kind == "gelf":
		return 12201
	case kind == "syslog":
		return 514
	case scheme == "https":
		return 443
	}
	return 80
}

// behind is the port of a container that one of its machine leads to; 0 where it leads elsewhere.
func (c *Container) behind(port int) evidence.Value[int] {
	if c.HostNetwork {
		return evidence.Known(port, c.Asset.At)
	}
	for _, p := range c.Ports {
		if p.Host == port {
			return evidence.Known(p.Container, c.PortsWhole.At())
		}
	}
	if _, known := c.PortsWhole.Get(); !known {
		return evidence.Unknown[int](c.PortsWhole.Why(), c.PortsWhole.At().WithNote("which ports "+c.Asset.Name+" publishes is not known"))
	}
	return evidence.Known(0, c.PortsWhole.At())
}

// tailed is what collectors that share a volume make of the files in it.
func (o *observer) tailed(c *Container, m Mount) []evidence.Delivery {
	var out []evidence.Delivery
	for _, k := range o.collectors {
		if k.c == c || !shareUnit(k.c, c) {
			continue
		}
		for _, shared := range k.c.Mounts {
			inside, ok := shared.shows(m)
			if !ok {
				continue
			}
			fits := func(in shipper.Input) bool {
				return in.Kind == shipper.Files && slices.ContainsFunc(in.Paths, func(glob string) bool { return globWithin(glob, inside) })
			}
			for _, i := range k.reads(fits) {
				out = append(out, o.sends(k, i)...)
			}
		}
	}
	return out
}

// shows returns the folder in which a mount shows what another one writes: the same volume, or a folder of the machine
// that lies in this one's.
func (m Mount) shows(other Mount) (folder string, ok bool) {
	if m.Volume == other.Volume {
		return m.Path, true
	}
	if m.HostPath == "" || other.HostPath == "" || !Within(path.Clean(other.HostPath), path.Clean(m.HostPath)) {
		return "", false
	}
	return path.Join(m.Path, strings.TrimPrefix(path.Clean(other.HostPath), path.Clean(m.HostPath))), true
}

// globWithin reports whether a glob of file names lies in a folder, or reaches into it.
func globWithin(glob, folder string) bool {
	fixed := glob
	if i := strings.IndexAny(glob, "*?[{"); i >= 0 {
		fixed = path.Dir(glob[:i] + "x")
		return Within(fixed, folder) || Within(folder, fixed)
	}
	return Within(fixed, folder)
}
