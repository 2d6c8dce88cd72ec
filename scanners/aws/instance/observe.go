package instance

import (
	"fmt"
	"time"

	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"lookback/evidence"
	"lookback/scanners/aws/kms"
	"lookback/scanners/aws/scope"
)

// An estate is what a region says of its instances.
type estate struct {
	s          *scope.Scope
	machines   []machine
	volumes    map[string]volume
	volumesErr error
	in         map[string]string // the Auto Scaling group of an instance
	groups     map[string]*group // those whose instances lose a volume with their end
	groupsErr  error
	nodes      map[string]node
	nodesErr   error
	sessions   sessions
	// inventory are the instances whose software is known, sensors what was found in it.
	inventory    map[string]bool
	sensors      map[string][]product
	inventoryErr error
}

// A machine is an instance that was not terminated.
type machine struct {
	id, name string
	running  bool
	started  time.Time
	passing  bool   // its root disk is an instance store
	disks    []disk // on EBS
	at       evidence.Origin
}

// A disk is a volume on an instance.
type disk struct {
	volume string
	kept   evidence.Value[bool] // once its instance is terminated
}

// A volume is one of EBS.
type volume struct {
	encrypted bool
	keyID     string
	key       kms.Key
	at        evidence.Origin
}

// A group is an Auto Scaling group.
type group struct {
	name  string
	hooks []string // that hold a termination
	err   error
	at    evidence.Origin
}

func (e *estate) observe(m machine) {
	s := e.s
	asset := &evidence.Asset{Subject: evidence.Subject{ID: s.ID("instance/" + m.id), Kind: "EC2 instance", Name: m.name, At: m.at}, In: s.In(m.at), Host: true}
	s.Record(asset)
	access := func(means evidence.Means, what string) *evidence.Access {
		return &evidence.Access{
			Subject: evidence.Subject{ID: asset.ID + "/" + evidence.ID(means), Kind: what, Name: "the " + what + " of " + m.name, At: m.at},
			Of:      asset.ID, Means: means,
		}
	}
	copied := access(evidence.MeansDisk, "disk")
	copied.Allowed, copied.Guarded = e.disk(m), e.guarded(m)
	s.Record(copied)
	elsewhere := access(evidence.MeansDiskElsewhere, "disk")
	elsewhere.Allowed = e.elsewhere(m)
	s.Record(elsewhere)
	if !m.running {
		return // it has no memory, and nothing runs on it
	}
	_, managed := e.managed(m)
	shell := access(evidence.MeansShell, "shell")
	shell.Allowed, shell.Recorded = managed, e.sessions.recorded
	if open, known := managed.Get(); known && !open {
		shell.Recorded = evidence.Moot[bool](managed.At())
	} else if !known {
		shell.Recorded = managed
	}
	s.Record(shell)
	memory := access(evidence.MeansMemory, "memory")
	memory.Allowed = e.memory(m)
	s.Record(memory)
	s.Look(asset.ID, evidence.Process, e.looked(m))
	for _, p := range e.sensors[m.id] {
		sensor(s, m, p)
	}
}

// each asks of every volume on an instance, and returns what stops the whole: a no, else what nobody could tell, else a
// yes.
func (e *estate) each(m machine, ask func(disk, volume) evidence.Value[bool]) evidence.Value[bool] {
	if len(m.disks) == 0 {
		return evidence.Known(false, m.at.WithNote("it has no volume of EBS: there is nothing to take a snapshot of"))
	}
	if m.passing {
		return evidence.Known(false, m.at.WithNote("there is no snapshot of its root disk, which is an instance store"))
	}
	var answers []evidence.Value[bool]
	for _, d := range m.disks {
		at := e.s.At("ec2:DescribeVolumes", d.volume)
		v, found := e.volumes[d.volume]
		switch {
		case found:
			answers = append(answers, ask(d, v))
		case e.volumesErr != nil:
			answers = append(answers, scope.Unknown[bool](e.volumesErr, at))
		default:
			answers = append(answers, evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("the volume is not shown to this account")))
		}
	}
	return worst(answers)
}

// worst returns a no, else what nobody could tell, else a yes.
func worst(answers []evidence.Value[bool]) evidence.Value[bool] {
	out := answers[0]
	for _, a := range answers {
		switch is, known := a.Get(); {
		case known && !is:
			return a
		case !known:
			out = a
		}
	}
	return out
}

// disk says whether a snapshot could be taken and read.
func (e *estate) disk(m machine) evidence.Value[bool] {
	return e.each(m, func(d disk, v volume) evidence.Value[bool] {
		if !v.encrypted {
			return evidence.Known(true, v.at)
		}
		in := v.key.InForce
		if in.IsMoot() { // a key that AWS manages stays in force
			return evidence.Known(true, v.at)
		}
		return unreadable(d, in)
	})
}

// unreadable names the volume that a key not in force closes.
func unreadable(d disk, in evidence.Value[bool]) evidence.Value[bool] {
	if readable, known := in.Get(); known && !readable {
		return evidence.Known(false, in.At().WithNote("volume "+d.volume+" cannot be read: "+in.At().Note))
	}
	return in
}

// elsewhere says whether a snapshot could be shared with another account: one under the key that AWS manages cannot; see
// the Amazon EBS user guide, "Share an Amazon EBS snapshot with other AWS accounts".
func (e *estate) elsewhere(m machine) evidence.Value[bool] {
	return e.each(m, func(d disk, v volume) evidence.Value[bool] {
		if !v.encrypted {
			return evidence.Known(true, v.at)
		}
		own := v.key.Own
		if is, known := own.Get(); known && !is {
			return evidence.Known(false, own.At().WithNote(
				"volume "+d.volume+" is encrypted with the key that AWS manages: its snapshot cannot be shared before it was copied under a key of your own"))
		}
		if in := v.key.InForce; !in.IsMoot() && !own.IsUnknown() {
			return unreadable(d, in) // what nobody can read here, nobody can read there
		}
		return own
	})
}

// keeps says whether every volume outlasts the instance.
func (m machine) keeps() evidence.Value[bool] {
	if len(m.disks) == 0 {
		return evidence.Moot[bool](m.at)
	}
	var kept []evidence.Value[bool]
	for _, d := range m.disks {
		kept = append(kept, d.kept)
	}
	return worst(kept)
}

// guarded says whether the disks outlast the end of the instance, or something waits for a responder before it ends.
// Termination protection is not asked for: it takes a call for each instance, and whoever may terminate may mostly lift it.
func (e *estate) guarded(m machine) evidence.Value[bool] {
	keeps := m.keeps()
	kept, known := keeps.Get()
	if keeps.IsMoot() || kept {
		return keeps
	}
	g := e.groups[e.in[m.id]]
	switch {
	case g == nil && e.groupsErr != nil:
		return scope.Unknown[bool](e.groupsErr, e.s.At("autoscaling:DescribeAutoScalingGroups", m.id))
	case g == nil:
		return keeps
	case g.err != nil:
		return scope.Unknown[bool](g.err, g.at)
	case len(g.hooks) > 0:
		return evidence.Known(true, g.at.WithNote(fmt.Sprintf("lifecycle hook %q waits when the Auto Scaling group terminates it; nothing waits for another hand", g.hooks[0])))
	case known:
		return evidence.Known(false, g.at.WithNote(fmt.Sprintf("%s, and Auto Scaling group %q ends it without a lifecycle hook", keeps.At().Note, g.name)))
	}
	return keeps
}

// settles is how long the agent of an instance that was just started may take until Systems Manager hears of it.
const settles = 10 * time.Minute

// managed says whether the agent of Systems Manager answers.
func (e *estate) managed(m machine) (node, evidence.Value[bool]) {
	at := e.s.At("ssm:DescribeInstanceInformation", m.id)
	n, found := e.nodes[m.id]
	switch {
	case found && n.online:
		return n, evidence.Known(true, n.at)
	case !found && e.nodesErr != nil:
		return n, scope.Unknown[bool](e.nodesErr, at)
	case e.s.Now.Sub(m.started) < settles:
		return n, evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("it was started at "+m.started.UTC().Format("15:04")+", and its agent may not have answered yet"))
	case found && n.last.IsZero():
		return n, evidence.Known(false, n.at.WithNote("its agent does not answer"))
	case found:
		return n, evidence.Known(false, n.at.WithNote("its agent does not answer since "+n.last.UTC().Format("2006-01-02 15:04")))
	}
	return n, evidence.Known(false, at.WithNote("Systems Manager does not manage it"))
}

// memory says whether Systems Manager lets a responder start a tool that copies the memory. Whether that tool fits the
// kernel, only a trial can say.
func (e *estate) memory(m machine) evidence.Value[bool] {
	n, allowed := e.managed(m)
	if online, known := allowed.Get(); !known || !online {
		return allowed
	}
	switch n.platform {
	case ssmtypes.PlatformTypeLinux, ssmtypes.PlatformTypeWindows:
		return evidence.Known(true, n.at.WithNote("Run Command can start a tool that copies it"))
	}
	return evidence.Unknown[bool](evidence.Unfamiliar, n.at.WithNote("its platform is "+string(n.platform)))
}

// looked says whether every sensor of an instance is in the set.
func (e *estate) looked(m machine) evidence.Value[bool] {
	at := e.s.At("ssm:GetInventory", m.id)
	_, managed := e.nodes[m.id]
	switch {
	case !managed && e.nodesErr != nil:
		return scope.Unknown[bool](e.nodesErr, e.s.At("ssm:DescribeInstanceInformation", m.id))
	case managed && e.inventoryErr != nil:
		return scope.Unknown[bool](e.inventoryErr, at)
	case !e.inventory[m.id]:
		return evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("there is no inventory of its software"))
	case e.nodes[m.id].platform != ssmtypes.PlatformTypeLinux:
		// Sysmon on Windows is a program that registers itself as a service, or a feature of the system: no package.
		return evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("on Windows an inventory of software does not show every sensor"))
	}
	if len(e.sensors[m.id]) > 0 {
		return evidence.Known(true, at)
	}
	return evidence.Known(true, at.WithNote("no sensor that lookback knows is in the inventory of its software"))
}

// sensor records one that is installed. Whether it runs, what it records and where to, is decided on the machine.
func sensor(s *scope.Scope, m machine, p product) {
	at := s.At("ssm:GetInventory", m.id)
	elsewhere := at.WithNote(p.name + " is installed; whether it records is decided on the machine")
	source := s.Source("instance/"+m.id+"/"+p.id, evidence.Process, "sensor", p.name, at)
	source.Records, source.Covers = "what runs", []evidence.ID{s.ID("instance/" + m.id)}
	source.Enabled = evidence.Unknown[bool](evidence.Elsewhere, elsewhere)
	source.Complete = evidence.Unknown[bool](evidence.Elsewhere, elsewhere)
	source.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{evidence.PartEveryNode: evidence.Moot[evidence.Extent](at)}
	for _, part := range []evidence.Part{evidence.PartProcessStart, evidence.PartConnections, evidence.PartFileWrites} {
		source.Parts[part] = evidence.Unknown[evidence.Extent](evidence.Elsewhere, elsewhere)
	}
	s.Record(source)
}
