// Package workload knows what a container means for evidence, whoever runs it: where its image writes, what its log
// driver and its mounts make of that, and who carries it away.
package workload

import (
	"path"
	"slices"
	"strings"
)

// An Image says where a container image writes its records, and which it leaves unwritten until asked. The table is in
// images.go.
type Image struct {
	// Name is the repository: on Docker Hub without registry and "library/" ("nginx", "jenkins/jenkins"), elsewhere with
	// its registry ("quay.io/keycloak/keycloak"). It is a path.Match pattern.
	Name string
	// Tag is a path.Match pattern that the tag must match: "*-apache*". Empty matches every tag.
	Tag string
	// Linked lists the folders in which links to standard output were made when the image was built. A mount that
	// Docker does not fill from the image hides them.
	Linked []string
	// Files lists the folders or files into which it writes records that do not also reach standard output.
	Files []string
	// Volumes lists the VOLUME lines of its Dockerfile: what is mounted there by nobody lies in an anonymous volume.
	Volumes []string
	// Database marks an image whose records of connections are asked for by a check of their own.
	Database bool
	// Quiet marks an image that has nothing to turn on: redis, memcached.
	Quiet bool
	// Log is the record that it does not write until asked; nil where it records by itself.
	Log *Setting
	// Source is the address of what was read to fill this row. Doubt is what could not be confirmed there: facts that
	// rest on it are not assessed.
	Source string
	Doubt  Doubt
}

// Doubt lists which fields of a row could not be confirmed in the vendor's own documentation or source.
type Doubt uint8

// The doubts.
const (
	DoubtFiles   Doubt = 1 << iota // whether Files is right
	DoubtLog                       // whether Log is right
	DoubtStdout                    // whether standard output holds records
	DoubtRecords                   // of a sensor: nothing public says what it records by default
)

// A Setting is a record that an image does not write until something turns it on.
type Setting struct {
	// What it is, for a sentence: "the access log", "a log of connections".
	What string
	// On lists what turns it on; any one is enough.
	On []Switch
	// Files lists the configuration files in the container that may turn it on, each a file or a folder.
	Files []string
	// Running says that the running system can turn it on too (vault audit enable): where no switch is seen, no manifest
	// can tell.
	Running bool
	// Paid says that it needs a subscription, so that leaving it off is no omission of whoever wrote the manifest.
	Paid bool
}

// A Switch is one way to turn a Setting on. Exactly one of Flag, Env and Line is set. Flags and keys are compared
// without regard to case, and "-" and "_" in them are one.
type Switch struct {
	// Flag is a command-line flag, without its value: "--accesslog", "-c log_connections", "--general-log".
	Flag string
	// Env is the name of an environment variable.
	Env string
	// Line is the key of a line of a configuration file, "log_connections"; dots stand for YAML, TOML or JSON nesting,
	// with whatever keys lie between, or are part of the key.
	Line string
	// Values lists what the value must be, in lower case; empty accepts anything but off, false, no, 0 and none.
	Values []string
	// Bare says that the flag, or the key, alone turns it on, without a value.
	Bare bool
}

// longest is more than any valid reference has: 255 for the name, 128 for the tag, and a digest.
const longest = 1024

// A mirror serves the same images as another registry under addresses that begin with From.
type mirror struct{ From, To string }

// mirrors lists the other addresses of Docker Hub, which has no address of its own here, and of the Kubernetes
// project's registry.
var mirrors = []mirror{
	{"docker.io/", ""},
	{"index.docker.io/", ""},
	{"registry-1.docker.io/", ""},
	{"registry.hub.docker.com/", ""},
	{"mirror.gcr.io/", ""},         // a cache of Docker Hub
	{"public.ecr.aws/docker/", ""}, // the official images, below library/
	{"k8s.gcr.io/", "registry.k8s.io/"},
	{"gcr.io/google-containers/", "registry.k8s.io/"},
	{"gcr.io/google_containers/", "registry.k8s.io/"},
}

// Images returns the table.
func Images() []Image { return slices.Clone(images) }

// String names the doubts.
func (d Doubt) String() string {
	var out []string
	for i, name := range []string{"files", "log", "stdout", "records"} {
		if d&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return strings.Join(out, ", ")
}

// Lookup returns what is known of the image that a reference names ("docker.io/library/nginx:1.29@sha256:..."): the
// first row whose Name and Tag match. An image of the same name in a registry that is not known to mirror its home is
// somebody else's build, hence unknown. A reference without a tag means "latest"; with a digest alone it may be any
// variant, so that an image whose variants differ is unknown then. The slices of the row are not to be changed.
func Lookup(ref string) (Image, bool) {
	name, tag, pinned := split(ref)
	if name == "" {
		return Image{}, false
	}
	if tag == "" && !pinned {
		tag = "latest"
	}
	for _, row := range images {
		if !fits(row.Name, name) {
			continue
		}
		if row.Tag == "" || fits(row.Tag, tag) {
			return row, true
		}
		if tag == "" {
			return Image{}, false
		}
	}
	return Image{}, false
}

// split takes a reference apart into the name as [Image] has it, the tag, and whether a digest pins it. The name is
// empty when the reference is not one.
func split(ref string) (name, tag string, pinned bool) {
	if len(ref) > longest {
		return "", "", false
	}
	name, digest, pinned := strings.Cut(ref, "@")
	if pinned && digest == "" {
		return "", "", false
	}
	// After the last slash a colon begins the tag; before it, a registry's port.
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		name, tag = name[:colon], name[colon+1:]
		if tag == "" {
			return "", "", false
		}
	}
	for _, m := range mirrors {
		if rest, ok := strings.CutPrefix(name, m.From); ok {
			name = m.To + rest
			break
		}
	}
	return strings.TrimPrefix(name, "library/"), tag, pinned
}

// fits reports whether s fits a pattern of the table; a test keeps these well-formed.
func fits(pattern, s string) bool {
	ok, err := path.Match(pattern, s)
	return ok && err == nil
}
