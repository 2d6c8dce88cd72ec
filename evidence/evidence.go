// Package evidence is the vocabulary that scanners and checks share: what an investigator could still see, how far
// back, and where each answer was seen.
//
// Scanners write records; checks read them. A record is made of facts, and a fact that nobody looked for is unknown:
// the zero [Value] is never false, empty or zero.
package evidence

import "strings"

// An ID names one thing for good, in two halves: "target//thing". The target is the place that a scan was given
// ("compose:apps/shop", "kubernetes:overlays/prod", "aws:111122223333/eu-west-1"), the thing is what stands in it
// ("web/stdout#application"). It holds no absolute path, no line and no generated name. The ID of a [LogSource] ends in
// "#" and its activity.
type ID string

// Target returns the half before "//", or the whole ID where there is none.
func (id ID) Target() string {
	target, _, _ := strings.Cut(string(id), "//")
	return target
}

// Thing returns the half after "//".
func (id ID) Thing() string {
	_, thing, _ := strings.Cut(string(id), "//")
	return thing
}

// An Origin says where a fact was seen: a place in a file, or an API call. The zero Origin says nothing.
type Origin struct {
	File string `json:"file,omitempty"` // from the repository's root, with forward slashes; never absolute
	Line int    `json:"line,omitempty"` // from 1; 0 is the whole file
	Col  int    `json:"col,omitempty"`  // in characters, from 1
	Call string `json:"call,omitempty"` // the permission that the call needs: "s3:GetLifecycleConfiguration"
	Of   string `json:"of,omitempty"`   // what the call was about: "us-east-1/main"
	Note string `json:"note,omitempty"` // "Docker default" when nobody wrote it down, [NoteDeclared] when the owner said so
	// Fix is the edit that would set the fact right, where the scanner knows it: "add --accesslog to its command". No
	// check reads it; a report may.
	Fix string `json:"fix,omitempty"`
}

// Notes that checks know.
const (
	NoteDeclared      = "declared"       // the owner stated the fact in lookback.yaml
	NoteDockerDefault = "Docker default" // nobody wrote it, and Docker's own default holds unless the daemon says otherwise
)

// Written reports whether somebody wrote the fact down in what was scanned: it is neither a default nor declared.
func (o Origin) Written() bool { return o.Note == "" }

// WithNote returns the origin of a fact that stands at o only by default, or that needs a word of explanation.
func (o Origin) WithNote(note string) Origin {
	o.Note = note
	return o
}

// A Reason says why a fact is unknown. The zero Reason is that nobody looked.
type Reason string

// The reasons. The list is closed.
const (
	NobodyLooked Reason = ""
	Denied       Reason = "denied"     // the call was refused: a permission is missing
	Failed       Reason = "failed"     // the call or the file failed: an error, a time limit, a syntax error
	Unresolved   Reason = "unresolved" // a variable without a value
	Unfamiliar   Reason = "unfamiliar" // an image, a filter or a plug-in that we do not know
	Elsewhere    Reason = "elsewhere"  // decided outside what was scanned
)

func (r Reason) valid() bool {
	switch r {
	case NobodyLooked, Denied, Failed, Unresolved, Unfamiliar, Elsewhere:
		return true
	}
	return false
}

// String returns the reason in words.
func (r Reason) String() string {
	if r == NobodyLooked {
		return "nobody looked"
	}
	return string(r)
}

// An Activity is a kind of thing that happens, which records let an investigator reconstruct.
type Activity string

// The activities. The list is closed.
const (
	CloudAPI      Activity = "cloud-api"      // calls that manage a cloud account
	CloudData     Activity = "cloud-data"     // reads and writes of stored objects
	KubernetesAPI Activity = "kubernetes-api" // requests to a Kubernetes API server
	Login         Activity = "login"          // who came in, and who was turned away
	Process       Activity = "process"        // programs started, files opened, sockets used, as a sensor sees them
	NetworkFlow   Activity = "network-flow"   // who talked to whom, how much
	DNS           Activity = "dns"            // names asked for
	Edge          Activity = "edge"           // load balancer, gateway, CDN, WAF, VPN
	FileChange    Activity = "file-change"    // files written, changed, deleted
	Application   Activity = "application"    // what the program itself reports
	System        Activity = "system"         // kernel, services, scheduled jobs
	Database      Activity = "database"       // connections and statements
	Configuration Activity = "configuration"  // how settings changed over time
	Detection     Activity = "detection"      // what a detector reported
)

// A Part is a slice of what a log source sees. A part that no scanner named is unknown, never "all there".
type Part string

// The parts. The list is closed.
const (
	PartExec          Part = "exec"           // commands run in a container through the API server
	PartAttach        Part = "attach"         // attaching to a running container
	PartPortForward   Part = "portforward"    // tunnels into a pod
	PartSecretReads   Part = "secret-reads"   // get, list and watch of secrets
	PartRBACChanges   Part = "rbac-changes"   // roles and bindings created, changed, deleted
	PartTokenRequests Part = "token-requests" // tokens issued for service accounts
	PartProcessStart  Part = "process-create" // programs started, with their arguments
	PartConnections   Part = "connections"    // network connections opened
	PartFileWrites    Part = "file-writes"    // files created and changed
	PartEveryNode     Part = "every-node"     // the sensor runs on every node of the cluster
	PartReads         Part = "reads"          // calls that only look
	PartWrites        Part = "writes"         // calls that change something
	PartGlobal        Part = "global"         // calls of services that belong to no region
	PartDataReads     Part = "data-reads"     // stored objects read
	PartDataWrites    Part = "data-writes"    // stored objects written and deleted
	PartAccepted      Part = "accepted"       // traffic that was let through
	PartRejected      Part = "rejected"       // traffic that was turned away
	PartEveryKind     Part = "every-kind"     // every kind of resource
	PartEveryEvent    Part = "every-event"    // none is left out, or lost by a service that promises best effort alone
	PartTraffic       Part = "traffic"        // what comes through a door, as far as the platform can log it: no filter, sample or lesser log is chosen

	PartProcessEnd       Part = "process-end"       // programs that ended
	PartFileDeletes      Part = "file-deletes"      // files deleted
	PartFileTimes        Part = "file-times"        // timestamps of files set back
	PartRawReads         Part = "raw-disk-reads"    // the disk read past the file system
	PartDriverLoads      Part = "driver-loads"      // drivers and kernel modules loaded
	PartEBPFLoads        Part = "ebpf-loads"        // programs loaded into the kernel's eBPF machine
	PartProcessAccess    Part = "process-access"    // one program opens or traces another
	PartScripts          Part = "scripts"           // the text of scripts as they run: PowerShell script blocks
	PartIdentityFiles    Part = "identity-files"    // users, passwords and who may act as administrator: shadow, sudoers, SAM
	PartTimeChanges      Part = "time-changes"      // the clock set
	PartContainerRuntime Part = "container-runtime" // what runs containers: its programs, sockets and configuration
	PartLogons           Part = "logons"            // sessions begun and refused
	PartLogControl       Part = "log-control"       // recording started, stopped, cleared, configured anew
)

// A Grade says how much is there.
type Grade string

// The grades. The list is closed.
const (
	None Grade = "none"
	Some Grade = "some"
	All  Grade = "all"
)

// An Extent grades how much is there and says in the owner's words what is not: {Some, "not user:bob@acme.com"}.
type Extent struct {
	Grade Grade  `json:"grade"`
	But   string `json:"but,omitempty"`
}

// Everything is the fact that nothing is left out.
func Everything(at Origin) Value[Extent] { return Known(Extent{Grade: All}, at) }

// Nothing is the fact that all is left out.
func Nothing(at Origin) Value[Extent] { return Known(Extent{Grade: None}, at) }

// Forever is the number of days of a store that keeps its records until somebody deletes them.
const Forever = 1<<31 - 1
