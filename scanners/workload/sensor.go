package workload

import "lookback/evidence"

// A Sensor is a product that watches what happens on a node or in a container. The table is in sensors.go.
type Sensor struct {
	// Product is its name, for a sentence: "Falco".
	Product string
	// Images lists the repositories of the container that watches, as path.Match patterns, with the registry where it
	// is not Docker Hub: "falcosecurity/falco", "quay.io/cilium/tetragon".
	Images []string
	// Log is what must be turned on before it records anything; nil where it records by itself.
	Log *Setting
	// Records lists what it records of processes, connections and files once it runs with its own defaults. A part
	// that is missing here is unknown.
	Records map[evidence.Part]evidence.Grade
	// Keeps says where its records go by its own defaults.
	Keeps Keeps
	// Ships lists what makes it send its records off the node; any one is enough.
	Ships []Switch
	// Source is the address of what was read to fill this row. Doubt is what could not be confirmed there.
	Source string
	Doubt  Doubt
}

// Keeps says where a sensor's records go.
type Keeps uint8

// The places.
const (
	KeepsStdout  Keeps = iota // its own standard output: whoever collects that has them
	KeepsFile                 // files on the node
	KeepsVendor               // its vendor's or the owner's server
	KeepsUnknown              // decided by its configuration
)
