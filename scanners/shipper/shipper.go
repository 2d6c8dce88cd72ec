// Package shipper knows log shippers: which container images they are, where they look for their configuration, and
// what a configuration reads and where it sends.
//
// It does no I/O: text in, structure out. What it does not understand is never silence and never a destination: an
// output that it does not know is there with the reach [Unknown], a file that a configuration takes in and that was not
// handed over is in [Config.Includes], and a configuration that is partly kept elsewhere is [Config.Open].
package shipper

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// MaxBytes is the largest configuration that Read takes, all its files together; a larger one is an error.
const MaxBytes = 1 << 20

// A Product is a log shipper.
type Product struct {
	// Name is what people call it: "Fluent Bit".
	Name string
	// Images lists path.Match patterns over an image reference without tag and digest. The registry is part of it where
	// it is not Docker Hub.
	Images []string
	// Configs lists the paths in its container where it looks for its configuration when no flag names another. Where
	// there are several, its version decides which one it takes. A path that ends in "/" is a folder: all of it is read.
	Configs []string
	// ConfigFlags lists the flags, and ConfigEnv the environment variables, that name another file or folder.
	ConfigFlags []string
	ConfigEnv   []string
	// OptOuts lists the marks by which a workload may leave itself out of its collection. Whether a mark is honoured
	// depends on the configuration: see [Config.OptOuts].
	OptOuts []OptOut
	// Source is the address of the documentation that this row was read from.
	Source string

	read     func(*reading) error
	flags    func(*reading, []string) ([]string, error)
	defaults []Config // one element where the configuration in the image is known
	root     string   // "${path.config}" of Beats
}

// An OptOut is a mark on a workload that asks a shipper to leave its records alone.
type OptOut struct {
	On Mark
	// Key is the name of the mark. "*" stands for the name of the container.
	Key string
	// Value is what the mark must say, in any case of letters.
	Value string
	// Stream is the one stream that it leaves out, "stdout" or "stderr"; empty for all.
	Stream string
}

// A Mark is what an opt-out is written on.
type Mark string

// The marks.
const (
	Annotation Mark = "annotation" // of a pod
	PodLabel   Mark = "pod label"
	Label      Mark = "label" // of a container, as Docker knows it
	Env        Mark = "env"   // a variable in the container's own environment
)

// Says reports whether a mark of the given name and value leaves a container out.
func (o OptOut) Says(key, value, container string) bool {
	return key == strings.ReplaceAll(o.Key, "*", container) && strings.EqualFold(strings.TrimSpace(value), o.Value)
}

// Lookup returns the shipper that an image reference names. Its tag and digest, and a written "docker.io/" or
// "library/", make no difference.
func Lookup(ref string) (*Product, bool) {
	ref, _, _ = strings.Cut(strings.TrimSpace(ref), "@")
	if colon := strings.LastIndexByte(ref, ':'); colon > strings.LastIndexByte(ref, '/') {
		ref = ref[:colon]
	}
	for _, prefix := range []string{"docker.io/", "index.docker.io/", "registry-1.docker.io/"} {
		ref = strings.TrimPrefix(ref, prefix)
	}
	ref = strings.TrimPrefix(ref, "library/")
	for i := range products {
		for _, pattern := range products[i].Images {
			if ok, _ := path.Match(pattern, ref); ok {
				p := products[i]
				return &p, true
			}
		}
	}
	return nil, false
}

// A Config is what a shipper does with records. Metrics and traces are left out of it.
type Config struct {
	Inputs  []Input
	Outputs []Output
	// Includes lists files that it takes in and that were not handed over, as paths or globs. Until they are, there may
	// be more inputs and outputs than are listed.
	Includes []string
	// Open says that a part of it lies where no file can tell: a server that manages it, a program that is run for it.
	Open bool
	// OptOuts lists the marks that it honours.
	OptOuts []OptOut
}

// An InputKind says what kind of thing an input reads.
type InputKind uint8

// The kinds of input.
const (
	Other      InputKind = iota // a plug-in that we do not know, or one that reads none of what follows: a queue, an API
	Nothing                     // no records of anybody else: metrics, samples, its own messages
	Files                       // the files of Paths
	Containers                  // the output of containers: their files or their engine's socket, in Paths; without, the cluster's API
	Listen                      // what is sent to Port, or to the socket in Paths
	Journal                     // systemd's journal
)

// An Input says what is read.
type Input struct {
	Name string // the plug-in
	Kind InputKind
	// Paths lists globs in the shipper's own file system. An unresolved part of one is "?*".
	Paths []string
	Port  int    // 0 when it is not known, or for a socket
	Proto string // forward, syslog, gelf, http, otlp, tcp, udp, beats, ...; "" where unknown
	// Exclude lists what is left out, and Only what alone is taken: paths, names, images, namespaces, as written.
	Exclude []string
	Only    []string
	// Disk says that what it has read is buffered on disk.
	Disk bool
	File string
	Line int // from 1; 0 where the format does not tell
}

// A Reach says how far away an output brings records.
type Reach uint8

// The reaches.
const (
	// Unknown is an output that we do not know, or one whose address we could not resolve.
	Unknown Reach = iota
	// Local is this machine: its loopback, a socket, a file, standard output, nothing at all.
	Local
	// Away is an address or a cloud service. A host without a dot may be a container beside this one: the caller, who
	// knows its neighbours, decides.
	Away
)

// A Buffer says where records wait while an output is slow.
type Buffer uint8

// The buffers.
const (
	BufferUnknown Buffer = iota
	BufferMemory
	BufferDisk
)

// An Output says where records go.
type Output struct {
	Name string // the plug-in
	// Host is a name or an address, with its port where one is written; empty when unknown or none. It never holds a
	// user or a password.
	Host   string
	Reach  Reach
	UDP    bool
	Buffer Buffer
	// From lists, by index, the inputs of which it gets every record; Part those of which it gets some, or may get some:
	// a filter drops records on the way, or a tag that the sender chooses decides.
	From []int
	Part []int
	File string
	Line int
}

// A File is one file of a configuration.
type File struct {
	Name string // its path in the shipper's container
	Text []byte
	// Included marks a file that is read only where another one includes it.
	Included bool
}

// ErrTooLarge is the error for a configuration beyond [MaxBytes], or with more parts than any real one has.
var ErrTooLarge = errors.New("too large")

// Vars gives the value of a variable of the shipper's environment. A variable that is known to be unset is ("", true):
// defaults that the text gives for it then hold. Not known is ("", false): what depends on it is unresolved.
type Vars func(name string) (value string, known bool)

// Read reads the configuration of p: every file that is not Included, in order. Included files are read where one of
// the others takes them in. A caller without them finds their names in [Config.Includes] and may call again.
func (p *Product) Read(files []File, vars Vars) (Config, error) {
	if p.read == nil {
		return Config{Open: true}, nil
	}
	r := newReading(p, files, vars)
	total := 0
	for _, f := range files {
		if total += len(f.Text); total > MaxBytes {
			return Config{}, fmt.Errorf("reading %s: %w", f.Name, ErrTooLarge)
		}
	}
	if err := p.read(r); err != nil {
		return Config{}, err
	}
	return r.done(), nil
}

// Flags reads what the command line and the environment of p say by themselves, and which configuration files or
// folders they name instead of p's own. A program name in front of the flags makes no difference. Where neither the
// flags nor the files of [Product.Configs] say anything, [Product.Default] holds.
func (p *Product) Flags(args []string, vars Vars) (c Config, files []string, err error) {
	r := newReading(p, nil, vars)
	total := 0
	for _, a := range args {
		if total += len(a) + 1; total > MaxBytes {
			return Config{}, nil, fmt.Errorf("reading the flags of %s: %w", p.Name, ErrTooLarge)
		}
	}
	if p.flags != nil {
		if files, err = p.flags(r, args); err != nil {
			return Config{}, nil, fmt.Errorf("reading the flags of %s: %w", p.Name, err)
		}
	} else {
		files = flagValues(args, p.ConfigFlags, false)
	}
	for _, name := range p.ConfigEnv {
		if v, known := r.vars(name); known && v != "" {
			files = append(files, splitList(v)...)
		}
	}
	return r.done(), files, nil
}

// Default is what p does when nobody configured anything: the configuration in its image. It is not known where we
// could not see that file, or where it differs from image to image.
func (p *Product) Default() (c Config, known bool) {
	if len(p.defaults) == 0 {
		return Config{}, false
	}
	d := p.defaults[0]
	d.Inputs, d.Outputs = slices.Clone(d.Inputs), slices.Clone(d.Outputs)
	return d, true
}

// Limits that no real configuration reaches.
const (
	maxParts    = 512 // inputs, outputs and filters, each
	maxIncludes = 256
	maxDepth    = 64
)

// A reading is one call of Read or Flags.
type reading struct {
	p        *Product
	files    []File
	vars     Vars
	cfg      Config
	included int
	bytes    int
}

func newReading(p *Product, files []File, vars Vars) *reading {
	if vars == nil {
		vars = func(string) (string, bool) { return "", false }
	}
	return &reading{p: p, files: files, vars: vars}
}

// roots calls read for each file that no other one needs to include.
func (r *reading) roots(read func(File) error) error {
	for _, f := range r.files {
		if f.Included {
			continue
		}
		if err := read(f); err != nil {
			return fmt.Errorf("reading %s: %w", f.Name, err)
		}
	}
	return nil
}

// include finds the files that match a pattern written in the file from. What is not there is listed in Includes.
func (r *reading) include(from, pattern string) ([]File, error) {
	pattern = strings.TrimSpace(pattern)
	if pattern == "" {
		return nil, nil
	}
	if strings.Contains(pattern, unresolved) || strings.Contains(pattern, "://") {
		r.cfg.Open = true
		return nil, nil
	}
	if !path.IsAbs(pattern) {
		pattern = path.Join(path.Dir(from), pattern)
	}
	var found []File
	for _, f := range r.files {
		if ok, _ := path.Match(pattern, f.Name); ok && f.Name != from {
			if r.included++; r.included > maxIncludes {
				return nil, fmt.Errorf("including %s: %w", pattern, ErrTooLarge)
			}
			if r.bytes += len(f.Text); r.bytes > 4*MaxBytes {
				return nil, fmt.Errorf("including %s: %w", pattern, ErrTooLarge)
			}
			found = append(found, f)
		}
	}
	if len(found) == 0 && len(r.cfg.Includes) < maxIncludes && !slices.Contains(r.cfg.Includes, pattern) {
		r.cfg.Includes = append(r.cfg.Includes, pattern)
	}
	return found, nil
}

func (r *reading) input(in Input) (int, error) {
	if len(r.cfg.Inputs) >= maxParts {
		return 0, fmt.Errorf("%d inputs: %w", maxParts, ErrTooLarge)
	}
	for i, p := range in.Paths {
		in.Paths[i] = strings.ReplaceAll(p, unresolved, "?*")
	}
	if in.Kind == Files && slices.ContainsFunc(in.Paths, ofContainers) {
		in.Kind = Containers
	}
	in.Exclude, in.Only = clean(in.Exclude), clean(in.Only)
	in.Name, in.Proto = strings.ReplaceAll(in.Name, unresolved, ""), strings.ReplaceAll(in.Proto, unresolved, "")
	r.cfg.Inputs = append(r.cfg.Inputs, in)
	return len(r.cfg.Inputs) - 1, nil
}

func (r *reading) output(out Output) (*Output, error) {
	if len(r.cfg.Outputs) >= maxParts {
		return nil, fmt.Errorf("%d outputs: %w", maxParts, ErrTooLarge)
	}
	out.Name = strings.ReplaceAll(out.Name, unresolved, "")
	r.cfg.Outputs = append(r.cfg.Outputs, out)
	return &r.cfg.Outputs[len(r.cfg.Outputs)-1], nil
}

// optOuts says that the marks of p's table that are on one of the given things are honoured.
func (r *reading) optOuts(on ...Mark) {
	for _, o := range r.p.OptOuts {
		if slices.Contains(on, o.On) && !slices.Contains(r.cfg.OptOuts, o) {
			r.cfg.OptOuts = append(r.cfg.OptOuts, o)
		}
	}
}

// feedAll makes every output take every input, or a part of every one.
func (r *reading) feedAll(part bool) {
	var all []int
	for i := range r.cfg.Inputs {
		all = append(all, i)
	}
	for i := range r.cfg.Outputs {
		if o := &r.cfg.Outputs[i]; part {
			o.Part = slices.Clone(all)
		} else {
			o.From = slices.Clone(all)
		}
	}
}

// done finishes a configuration. Records that some inputs buffer on disk wait there for every output.
func (r *reading) done() Config {
	c := r.cfg
	for i := range c.Outputs {
		o := &c.Outputs[i]
		feeds := slices.Concat(o.From, o.Part)
		if o.Buffer == BufferUnknown && len(feeds) > 0 &&
			!slices.ContainsFunc(feeds, func(in int) bool { return !c.Inputs[in].Disk }) {
			o.Buffer = BufferDisk
		}
	}
	return c
}

// ofContainers reports whether a glob lies in a folder where container engines keep output.
func ofContainers(glob string) bool {
	for _, dir := range []string{"/var/log/containers", "/var/log/pods", "/var/lib/docker/containers"} {
		// The node's root is often mounted below another folder: /hostfs/var/log/pods.
		if strings.Contains(glob, dir+"/") || strings.HasSuffix(glob, dir) {
			return true
		}
	}
	return false
}

// Sockets and files of container engines.
const (
	dockerSocket = "/var/run/docker.sock"
	podFiles     = "/var/log/pods/*/*/*.log"
	dockerFiles  = "/var/lib/docker/containers/*/*.log"
)

func clean(list []string) []string {
	var out []string
	for _, s := range list {
		if s = strings.TrimSpace(strings.ReplaceAll(s, unresolved, "?*")); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// splitList cuts a list at its commas.
func splitList(s string) []string {
	var out []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
