package workload

import "lookback/evidence"

// A Container is one container of a workload as its manifest describes it. A scanner fills it; [Observe] says what it
// means.
type Container struct {
	// Asset is the container itself: its In is the host that it runs on.
	Asset evidence.Asset
	// Workload says in a word what manages it, for a sentence: "service", "Deployment", "Job".
	Workload string
	// Units names what it is deployed with: the Compose project; each kustomization that lists its file; else the chart
	// or the folder. Containers that share a unit run in the same place.
	Units []string
	// Pod is what it shares volumes and the network with: the pod template's ID; in Compose, where volumes are shared
	// by the project, the target.
	Pod evidence.ID
	// Names are those by which others of its unit reach it: the service, its aliases, container_name.
	Names []string
	// Image is the reference as written, after interpolation; unresolved for a placeholder; elsewhere for one that is
	// built from a Dockerfile ("build:") and has no name that is known.
	Image evidence.Value[string]
	// BuiltAs is the name that is written for an image that is built from source.
	BuiltAs string
	// Args is the entrypoint and the command as far as they are written, in order. Unresolved parts are unknown.
	Args []evidence.Value[string]
	// Env holds the variables that are written; a variable without a value is unknown, unresolved.
	Env map[string]evidence.Value[string]
	// EnvWhole says whether Env is all of them; unknown when a file or a secret that was not read may hold more.
	EnvWhole evidence.Value[bool]
	// Annotations are the pod's annotations and labels, and the labels of a Compose service.
	Annotations map[string]evidence.Value[string]
	Mounts      []Mount
	// Ports are those of its machine by which it is reached, as a Compose service publishes them.
	Ports []Port
	// PortsWhole says whether Ports is all of them; unknown where an entry has a variable without a value or is not read.
	PortsWhole evidence.Value[bool]
	// HostNetwork says that it listens on its machine itself: each port leads to the same one.
	HostNetwork bool
	// File returns the content of a file in the container, or of all files of a folder, one behind the other: known where
	// mounts bring it and we read it (and empty where the mount there brings no such file); unknown where a mount covers
	// the path and we cannot read it; moot where no mount covers it, so that the image's own counts.
	File func(path string) evidence.Value[string]
	// ReadOnlyRoot says whether the container cannot write to its own file system.
	ReadOnlyRoot evidence.Value[bool]
	Log          Log
	// Misses names the nodes that it cannot run on, in words: what a collector misses there is no loss of its records.
	Misses []string
	// Told lists folders of which its scanner writes log sources itself.
	Told []string
	// Every is set for a container that runs once on every node.
	Every *Every
	// Brief marks one that ends before the work begins: an init container without restartPolicy Always.
	Brief bool
	// AutoRemove says that what is left of it is removed as soon as it ends.
	AutoRemove evidence.Value[bool]
}

// A Port of a machine leads to one of a container.
type Port struct{ Host, Container int }

// Every says which nodes the pods of a DaemonSet miss, in words.
type Every struct {
	Misses []string // "control-plane nodes"; nil when it runs on all of them
	At     evidence.Origin
}

// A Log is how the runtime treats a container's standard output.
type Log struct {
	Runtime Runtime
	// Driver is Docker's log driver; the zero Value where nobody wrote one. Its origin is the driver's line.
	Driver  evidence.Value[string]
	Options map[string]evidence.Value[string]
	// At is where it is written, or the nearest place above it.
	At evidence.Origin
}

// A Runtime runs containers.
type Runtime string

// The runtimes.
const (
	Docker  Runtime = "Docker"
	Kubelet Runtime = "kubelet"
)

// A Mount puts something over a path of a container.
type Mount struct {
	Path string // in the container, clean, absolute
	Kind MountKind
	// Volume is what is mounted: mounts of the same Volume see the same files. It is the ID of what the records rest on.
	Volume evidence.ID
	Name   string // as the owner calls it: the volume's name, the host's path
	// HostPath is the path on the host of a Bind or HostPath mount, as written (a Compose path made absolute only where
	// it was written so); otherwise empty.
	HostPath string
	ReadOnly bool
	// NoCopy marks a Docker volume that is not filled from the image.
	NoCopy bool
	// OffHost says whether the volume lies on another machine; asked of Claim, Plugin and Remote alone.
	OffHost evidence.Value[bool]
	At      evidence.Origin
}

// A MountKind is a kind of volume.
type MountKind string

// The kinds of mounts. The list is closed.
const (
	NamedVolume     MountKind = "named volume"       // Docker's local driver
	AnonymousVolume MountKind = "anonymous volume"   // a volume without a name
	Bind            MountKind = "bind mount"         // a folder or file of the host, in Compose
	Tmpfs           MountKind = "tmpfs"              // memory, also driver_opts: {type: tmpfs}
	Remote          MountKind = "remote volume"      // NFS, CIFS and the like
	Plugin          MountKind = "volume"             // a plug-in or an external volume: somewhere
	HostPath        MountKind = "hostPath"           // a folder or file of the node
	EmptyDir        MountKind = "emptyDir"           // ends with the pod, on disk
	MemoryDir       MountKind = "in-memory emptyDir" // ends with the pod, in memory
	Ephemeral       MountKind = "ephemeral volume"   // generic ephemeral or inline CSI: ends with the pod
	Claim           MountKind = "persistent volume claim"
	Settings        MountKind = "configuration" // ConfigMap, Secret, projected, Compose config or secret
)
