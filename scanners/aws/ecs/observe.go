package ecs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/aws/scope"
	"lookback/scanners/workload"
)

// A cluster is what ECS says of one.
type cluster struct {
	arn, name string
	at        evidence.Origin
	running   int  // how many tasks run, or are about to; -1 where that is not known
	gone      bool // whether it was deleted since it was listed
	exec      evidence.Value[types.ExecuteCommandConfiguration]
}

// A work is a service, or the tasks of a family that run without one.
type work struct {
	cluster    *cluster
	name, kind string
	id         evidence.ID
	at         evidence.Origin
	shell      bool // whether ECS Exec is turned on
	runs       place
	every      bool   // whether it runs once on each instance
	chosen     bool   // whether placement constraints leave instances out
	arn        string // of its task definition
	tasks      int
	definition evidence.Value[types.TaskDefinition]
	missed     error                  // why the definition could not be had
	mode       evidence.Value[string] // how log drivers deliver where nobody wrote it
}

// A place is what tasks run on.
type place int

const (
	onFargate   place = iota // a machine of AWS's own for each task, of which nothing is left
	onInstances              // instances of the cluster
	onExternal               // machines elsewhere that joined the cluster
	onEither                 // decided as a task starts
)

func (c *cluster) id(s *scope.Scope) evidence.ID { return s.ID("ecs/" + c.name) }

func (c *cluster) asset(s *scope.Scope) *evidence.Asset {
	at := s.At("ecs:ListClusters", c.name)
	return &evidence.Asset{
		Subject: evidence.Subject{ID: c.id(s), Kind: "ECS cluster", Name: c.name, At: at},
		In:      s.In(at), Lasting: true,
	}
}

// machines are the instances that tasks of a cluster run on, as one asset: which of them runs a task changes with each
// deployment. The reader of EC2 records them one by one.
func (c *cluster) machines(s *scope.Scope, on place) *evidence.Asset {
	a := &evidence.Asset{
		Subject: evidence.Subject{ID: c.id(s) + ":instances", Kind: "container instances", Name: "the container instances of " + c.name, At: c.at},
		In:      evidence.Known(c.id(s), c.at), Host: true, Lingers: evidence.Moot[int64](c.at),
	}
	if on == onExternal {
		a.ID, a.Name = c.id(s)+":external", "the external instances of "+c.name
		a.In = evidence.Unknown[evidence.ID](evidence.Elsewhere, c.at.WithNote("they are machines outside of AWS"))
	}
	return a
}

// observe turns what runs in a cluster into records. Containers that share a machine are given together to
// [workload.Observe], which knows images, log drivers and mounts.
func observe(s *scope.Scope, c *cluster, works []*work) {
	k := &sink{s: s, lost: map[evidence.ID]evidence.Value[bool]{}}
	made := map[evidence.ID]bool{} // the log groups that a driver makes
	machines := map[place][]*workload.Container{}
	for _, w := range works {
		asset := &evidence.Asset{
			Subject: evidence.Subject{ID: w.id, Kind: w.kind, Name: w.name, At: w.at},
			In:      evidence.Known(c.id(s), w.at), Lingers: evidence.Moot[int64](w.at),
		}
		switch w.runs {
		case onInstances, onExternal:
			asset.In = evidence.Known(c.machines(s, w.runs).ID, w.at)
		case onEither:
			asset.In = evidence.Unknown[evidence.ID](evidence.Elsewhere, w.at.WithNote("whether it runs on Fargate or on instances is decided as it starts"))
		}
		if w.definition.IsUnknown() {
			asset.Looked = map[evidence.Activity]evidence.Value[bool]{
				evidence.Application: evidence.Unknown[bool](w.definition.Why(), w.definition.At()),
			}
			if w.missed != nil {
				s.Stand("containers of "+w.name+" in "+c.name, w.missed, w.definition.At(), unseen(evidence.MeansImage))
			}
		}
		s.Record(asset)
		containers := w.containers(s, k.lost, made)
		if w.runs == onInstances || w.runs == onExternal {
			machines[w.runs] = append(machines[w.runs], containers...)
			continue
		}
		k.host, k.machines = w.id, nil // a machine of its own, which ends with it
		workload.Observe(containers, scanners.Declared{}, k)
	}
	for _, on := range []place{onInstances, onExternal} {
		k.machines = c.machines(s, on)
		k.host = k.machines.ID
		workload.Observe(machines[on], scanners.Declared{}, k)
	}
	s.After(func(context.Context) {
		for _, r := range k.records {
			if source, ok := r.(*evidence.LogSource); ok {
				for i := range source.To {
					arrives(s, &source.To[i], made)
				}
			}
			s.Record(r)
		}
		for _, w := range works {
			s.Record(w.access(s))
		}
	})
}

// access is the shell that a responder could open in a container, and that an intruder could.
func (w *work) access(s *scope.Scope) *evidence.Access {
	return &evidence.Access{
		Subject: evidence.Subject{ID: w.id + ":exec", Kind: "ECS Exec", Name: "ECS Exec into " + w.name, At: w.at},
		Of:      w.id, Means: evidence.MeansShell, Allowed: evidence.Known(w.shell, w.at), Recorded: w.recorded(s),
	}
}

// recorded says whether what is typed into a shell is written down; see ExecuteCommandConfiguration in the API reference.
func (w *work) recorded(s *scope.Scope) evidence.Value[bool] {
	exec, known := w.cluster.exec.Get()
	at := w.cluster.exec.At()
	switch {
	case !w.shell:
		return evidence.Moot[bool](w.at)
	case !known:
		return evidence.Unknown[bool](w.cluster.exec.Why(), at)
	}
	switch exec.Logging {
	case types.ExecuteCommandLoggingNone:
		return evidence.Known(false, at.WithNote("the logging of its cluster's sessions is NONE"))
	case types.ExecuteCommandLoggingOverride:
		var to types.ExecuteCommandLogConfiguration
		if exec.LogConfiguration != nil {
			to = *exec.LogConfiguration
		}
		group := aws.ToString(to.CloudWatchLogGroupName)
		switch {
		case aws.ToString(to.S3BucketName) != "":
			return evidence.Known(true, at)
		case group == "":
			return evidence.Known(false, at.WithNote("the cluster names no place for the logs of its sessions"))
		}
		_, exists := s.Group(group)
		if there, known := exists.Get(); !known {
			return evidence.Unknown[bool](exists.Why(), exists.At())
		} else if !there {
			return evidence.Known(false, exists.At().WithNote(fmt.Sprintf("log group %q does not exist", group)))
		}
		return evidence.Known(true, at)
	case types.ExecuteCommandLoggingDefault, "": // to where the awslogs driver of the task definition sends
		def, known := w.definition.Get()
		at := w.definition.At()
		with := 0
		for _, c := range def.ContainerDefinitions {
			if c.LogConfiguration != nil && c.LogConfiguration.LogDriver == types.LogDriverAwslogs {
				with++
			}
		}
		switch {
		case !known:
			return evidence.Unknown[bool](w.definition.Why(), at)
		case with == 0:
			return evidence.Known(false, at.WithNote("sessions go where the awslogs driver sends, and no container has it"))
		case with < len(def.ContainerDefinitions):
			return evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("sessions go where the awslogs driver sends, and only some of the containers have it"))
		}
		return evidence.Known(true, at)
	}
	return evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("the logging of its cluster's sessions is "+string(exec.Logging)))
}

// arrives says of a delivery to a log group whether the group exists.
func arrives(s *scope.Scope, d *evidence.Delivery, made map[evidence.ID]bool) {
	_, isGroup := strings.CutPrefix(d.To.Thing(), "logs/")
	group, here := strings.CutPrefix(string(d.To), string(s.GroupID("")))
	switch {
	case !isGroup || made[d.To]:
		return
	case !here:
		at := d.Extent.At().WithNote("its log group lies in another region")
		d.Error, d.Extent = evidence.Unknown[string](evidence.Elsewhere, at), evidence.Unknown[evidence.Extent](evidence.Elsewhere, at)
		return
	}
	_, exists := s.Group(group)
	there, known := exists.Get()
	switch missing := fmt.Sprintf("log group %q does not exist", group); {
	case !known:
		d.Error, d.Extent = evidence.Unknown[string](exists.Why(), exists.At()), evidence.Unknown[evidence.Extent](exists.Why(), exists.At())
	case !there:
		d.Error = evidence.Known(missing, exists.At())
		d.Extent = evidence.Known(evidence.Extent{Grade: evidence.None, But: missing}, exists.At())
	}
}

// A sink takes what the containers of one machine mean, and puts it where it belongs in AWS: workload knows neither the
// account of a log group nor which machine it is.
type sink struct {
	s        *scope.Scope
	host     evidence.ID     // what stands for the machine
	machines *evidence.Asset // the machine, where it is one that is known
	lost     map[evidence.ID]evidence.Value[bool]
	records  []evidence.Record
}

// Gap passes a gap on.
func (k *sink) Gap(g evidence.Gap) { k.s.Gap(g) }

// Waiver is never called: nobody waives anything in AWS.
func (k *sink) Waiver(evidence.Waiver) {}

// Record puts a record where it belongs.
func (k *sink) Record(r evidence.Record) {
	switch r := r.(type) {
	case *evidence.Asset:
		if r.ID == k.s.ID("host") {
			if k.machines == nil {
				return
			}
			k.machines.Looked = r.Looked
			k.records = append(k.records, k.machines)
			return
		}
		r.In = k.lies(r.In)
	case *evidence.LogSource:
		k.all(r.Covers)
		r.To = k.deliveries(r.To)
		for _, id := range r.Covers {
			whole, lost := k.lost[id]
			with := len(r.To)
			r.To = slices.DeleteFunc(r.To, func(d evidence.Delivery) bool { return lost && d.To == id+"/stdout" })
			if len(r.To) < with {
				r.Complete = whole
			}
		}
	case *evidence.LogStore:
		if _, lost := k.lost[evidence.ID(strings.TrimSuffix(string(r.ID), "/stdout"))]; lost {
			return
		}
		r.ID = k.moved(r.ID)
		if on, known := r.On.Get(); known {
			on = slices.Clone(on)
			k.all(on)
			r.On = evidence.Known(on, r.On.At())
		}
		r.To = k.deliveries(r.To)
	}
	k.records = append(k.records, r)
}

func (k *sink) lies(in evidence.Value[evidence.ID]) evidence.Value[evidence.ID] {
	if id, known := in.Get(); known {
		return evidence.Known(k.moved(id), in.At())
	}
	return in
}

func (k *sink) all(ids []evidence.ID) {
	for i := range ids {
		ids[i] = k.moved(ids[i])
	}
}

// deliveries returns a copy: sources of one container share theirs.
func (k *sink) deliveries(to []evidence.Delivery) []evidence.Delivery {
	to = slices.Clone(to)
	for i := range to {
		to[i].To = k.moved(to[i].To)
	}
	return to
}

// moved names a machine, what lies on it, and a log group of CloudWatch Logs.
func (k *sink) moved(id evidence.ID) evidence.ID {
	host := k.s.ID("host")
	rest, on := strings.CutPrefix(string(id), string(host))
	if on && (rest == "" || rest[0] == '/') {
		return k.host + evidence.ID(rest)
	}
	if rest, group := strings.CutPrefix(string(id), "aws:/"); group {
		return evidence.ID("aws:" + k.s.Account + "/" + rest)
	}
	return id
}
