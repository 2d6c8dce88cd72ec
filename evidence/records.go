package evidence

import "time"

// A Record is one thing that a scanner found: an [Asset], a [LogSource], a [LogStore], an [Access], an
// [Alarm] or a [Clock].
type Record interface {
	Self() Subject
}

// A Subject is what a record is about, in the words of a report.
type Subject struct {
	ID   ID     `json:"id"`
	Kind string `json:"kind"` // a noun: "container", "named volume"
	Name string `json:"name"` // as the owner wrote it
	At   Origin `json:"at"`   // where it is declared
}

// Self returns s, so that every type that embeds a Subject is a Record.
func (s Subject) Self() Subject { return s }

// An Asset is something that an investigator would ask about: a container of a workload (never a replica), a host, a
// cluster, a volume.
type Asset struct {
	Subject
	// In is what holds it. Unknown (elsewhere, unfamiliar or unresolved) means a separate thing at a place that we could
	// not see: it does not end with the assets around it, but it may lie on the same host. Where the look was denied,
	// failed or never taken, it may lie within anything. Moot means that nothing holds it.
	In Value[ID] `json:"in,omitzero"`
	// Host marks a machine: what it holds shares its disk and its fate.
	Host bool `json:"host,omitempty"`
	// Lasting marks what is there as long as its owner is: a region, an account, a network. Records need not outlive it.
	Lasting bool `json:"lasting,omitempty"`
	// Looked says, per activity, whether every source of it on this asset is in the set.
	Looked map[Activity]Value[bool] `json:"looked,omitempty"`
	// Alarmed says whether every alarm that tells when its records are stopped or altered is in the set.
	Alarmed Value[bool] `json:"alarmed,omitzero"`
	// Hands lists who may stop, shorten or delete its records: users, roles and groups, by name.
	Hands Value[[]string] `json:"hands,omitzero"`
	// Lingers is how many seconds it can be looked at after it ended; moot where it does not end by itself.
	Lingers Value[int64] `json:"lingers,omitzero"`
	// Development marks what never runs in production: a test file, a service of a profile that is off by default.
	Development bool `json:"development,omitempty"`
	// Also lists other names of the same thing.
	Also []ID `json:"also,omitempty"`
	// Places lists where else the same workload is written.
	Places []Origin `json:"places,omitempty"`
}

// A LogSource is a place where one activity is, or ought to be, written down: a container's standard output, a log
// file, an audit log, a sensor.
type LogSource struct {
	Subject
	Activity Activity `json:"activity"`
	// Records is what it writes down, for a sentence: "its output", "the access log".
	Records string `json:"records,omitempty"`
	// Covers lists the assets whose activity it records, with all that lies within them.
	Covers []ID `json:"covers,omitempty"`
	// Enabled says whether it writes anything that an investigation needs; moot where there is nothing to turn on.
	Enabled Value[bool] `json:"enabled,omitzero"`
	// Since is when it began to write without a pause. Where no scanner puts the question it bounds nothing.
	Since Value[time.Time] `json:"since,omitzero"`
	// Fixed says whether nobody, the administrator included, can stop or weaken the recording without a restart.
	Fixed Value[bool] `json:"fixed,omitzero"`
	// Floor marks what the platform keeps by itself, whatever its owner does.
	Floor bool `json:"floor,omitempty"`
	// Hidden says what a mount does to it; [HiddenNot] where nothing stands in its way.
	Hidden Value[Hiding] `json:"hidden,omitzero"`
	// Parts says how much of each part it records. A part that is missing here is unknown.
	Parts map[Part]Value[Extent] `json:"parts,omitempty"`
	// To lists the stores that it delivers to.
	To []Delivery `json:"to,omitempty"`
	// Complete says whether To is the whole list: nothing else takes the records away.
	Complete Value[bool] `json:"complete,omitzero"`
}

// A Hiding says what becomes of a log source under a mount.
type Hiding string

// The ways of hiding. The list is closed.
const (
	HiddenNot      Hiding = "not"           // nothing stands in the way
	HiddenDiverted Hiding = "diverted"      // the output lies in the mount and no longer reaches the driver
	HiddenNothing  Hiding = "keeps-nothing" // a volume that was filled with links: nothing is ever written to it
)

// A Delivery carries records of a source, or of a store, to a store.
type Delivery struct {
	To       ID            `json:"to"`
	Extent   Value[Extent] `json:"extent,omitzero"`   // what a filter lets through; {None} for a driver that drops all
	Lossless Value[bool]   `json:"lossless,omitzero"` // never drops records when a buffer is full or a packet is lost
	Whole    Value[bool]   `json:"whole,omitzero"`    // the longest records arrive uncut
	// Encrypted says whether nobody on the way can read the records, or add some.
	Encrypted Value[bool]  `json:"encrypted,omitzero"`
	Buffer    Value[int64] `json:"buffer,omitzero"` // bytes held back while the store is slow; moot where nothing is
	// Last is when records last arrived, the zero time where none ever did; moot where quiet is normal.
	Last Value[time.Time] `json:"last,omitzero"`
	// Error is what the last attempt to deliver said; "" when it worked.
	Error Value[string] `json:"error,omitzero"`
	// Validated says whether what arrives can be proved unaltered: a trail writes digests.
	Validated Value[bool] `json:"validated,omitzero"`
}

// EverythingTo is a delivery of everything to a store, with no buffer of ours to fill and nothing held back.
func EverythingTo(store ID, at Origin) Delivery {
	return Delivery{To: store, Extent: Everything(at), Lossless: Moot[bool](at), Buffer: Moot[int64](at)}
}

// A LogStore is the largest place with one retention: a container's log files, a volume, a server that takes logs.
type LogStore struct {
	Subject
	// On lists what it rests on and ends with. A store of another target that nobody scanned rests on that target.
	On Value[[]ID] `json:"on,omitzero"`
	// Memory says whether it is held in memory: gone with the first restart.
	Memory Value[bool] `json:"memory,omitzero"`
	// Kept is how many days it keeps records: 0 when only bytes bound it, [Forever] when nothing does.
	Kept Value[int] `json:"kept,omitzero"`
	// Bytes is the most that it holds before it throws away the oldest; moot where bytes do not bound it.
	Bytes Value[int64] `json:"bytes,omitzero"`
	// Oldest and Newest are the times of the oldest and the newest record that were seen in it: how far back it reached
	// at the scan. Only a scanner that looks into stores puts the question.
	Oldest Value[time.Time] `json:"oldest,omitzero"`
	Newest Value[time.Time] `json:"newest,omitzero"`
	// Dropped says whether it has already thrown records away to make room.
	Dropped Value[bool] `json:"dropped,omitzero"`
	// ColdAfter is after how many days getting a record back takes longer than asking for it; moot where never.
	ColdAfter Value[int] `json:"cold_after,omitzero"`
	// Restore is how many seconds it takes to get a cold record back; moot where none goes cold.
	Restore Value[int64] `json:"restore,omitzero"`
	// Lingers is how many seconds it stays once the asset that fills it has ended; moot where it stays.
	Lingers Value[int64] `json:"lingers,omitzero"`
	// Locked is how many days nobody, the owner included, can delete or alter a record; 0 where nothing stops them.
	Locked Value[int] `json:"locked,omitzero"`
	// Encrypted says whether it is encrypted with a key that its owner controls.
	Encrypted Value[bool] `json:"encrypted,omitzero"`
	// Readable says whether every key that its records are encrypted with is in force: neither disabled nor about to be
	// deleted; moot where its owner has no key to lose.
	Readable Value[bool] `json:"readable,omitzero"`
	// Private says whether strangers are kept from reading it.
	Private Value[bool] `json:"private,omitzero"`
	// As is the asset under which reading it is itself written down: a bucket is one, as other buckets are.
	As ID `json:"as,omitempty"`
	// To lists its copies.
	To []Delivery `json:"to,omitempty"`
	// Complete says whether To is the whole list.
	Complete Value[bool] `json:"complete,omitzero"`
}

// An Access is a way for a responder to acquire evidence of an asset.
type Access struct {
	Subject
	Of    ID    `json:"of"`
	Means Means `json:"means"`
	// Exact says whether what would be acquired is exactly what ran: an image pinned by its digest.
	Exact Value[bool] `json:"exact,omitzero"`
	// Allowed says whether a responder could do it today.
	Allowed Value[bool] `json:"allowed,omitzero"`
	// Recorded says whether doing it is itself written down: the commands of a session, who opened it.
	Recorded Value[bool] `json:"recorded,omitzero"`
	// Guarded says whether what would be acquired outlasts the end of its asset: a disk that is kept when its machine is
	// terminated, an image that its registry does not expire.
	Guarded Value[bool] `json:"guarded,omitzero"`
}

// Means is how evidence is acquired.
type Means string

// The means. The list is closed.
const (
	MeansImage         Means = "image"          // the container image that ran
	MeansDisk          Means = "disk"           // a copy of the disk
	MeansDiskElsewhere Means = "disk-elsewhere" // a copy of the disk in another account, out of an intruder's reach
	MeansMemory        Means = "memory"         // a copy of the memory
	MeansShell         Means = "shell"          // a shell, or commands, on the running machine
	MeansCode          Means = "code"           // the code of a function as it ran
	MeansContact       Means = "contact"        // a person whom the platform calls
)

// An Alarm tells somebody when records are stopped, altered or deleted.
type Alarm struct {
	Subject
	On      []ID        `json:"on,omitempty"` // the assets whose records it watches over, with all that lies within them
	Enabled Value[bool] `json:"enabled,omitzero"`
	Reaches Value[bool] `json:"reaches,omitzero"` // whether somebody, or something, is told
}

// A Clock is what an asset tells the time by, which stands in all its records.
type Clock struct {
	Subject
	Of ID `json:"of"` // the asset whose clock it is
	// Synchronised says whether it agreed with its source when it was scanned: a disk image cannot tell.
	Synchronised Value[bool] `json:"synchronised,omitzero"`
	// Sources lists where it is configured to take the time from; empty where that is nowhere.
	Sources Value[[]TimeSource] `json:"sources,omitzero"`
	// Guarded says whether only an administrator may change where it takes the time from, and a change of the time is
	// itself written down.
	Guarded Value[bool] `json:"guarded,omitzero"`
}

// A TimeSource is a server, or a device, that a clock takes the time from.
type TimeSource struct {
	Address string `json:"address"` // as it is written: "ntp.corp.example", "/dev/ptp0"
	// Platform marks what the cloud or the hypervisor provides to each of its machines.
	Platform bool `json:"platform,omitempty"`
	// Several marks a name that stands for several servers, as a pool does.
	Several bool `json:"several,omitempty"`
}

// A Gap is a question that nobody could answer, in In and in all that lies within it: a file that does not parse, a
// call denied, the retention of a store that was not scanned.
type Gap struct {
	In    ID     `json:"in"`
	Asked string `json:"asked"` // "retention of logs.example.net"
	Why   Reason `json:"why"`
	Err   string `json:"err,omitempty"` // for a reader: "line 3: did not find expected key"
	At    Origin `json:"at,omitzero"`
	// Bad marks input that ought to have been read and could not be: the scan exits 2.
	Bad bool `json:"bad,omitempty"`
}

// A Waiver says that an owner accepts a failure.
type Waiver struct {
	Check   string `json:"check"`           // a check's ID, or a glob over it
	Subject string `json:"subject"`         // a glob over subject IDs, and all that lies below what it matches; "*" matches any run of characters
	Reason  string `json:"reason"`          // why it is accepted
	Who     string `json:"who,omitempty"`   // who accepted it
	Until   string `json:"until,omitempty"` // the last day on which it holds: "2027-01-31"; "" is for good
	At      Origin `json:"at"`              // where it is written
}
