package ecs

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
	"lookback/scanners/workload"
)

// containers returns the containers of a task definition as workload takes them. It adds to lost those whose output no log
// driver takes that we can follow, with whether that is the whole story, and to made the log groups that a driver makes.
func (w *work) containers(s *scope.Scope, lost map[evidence.ID]evidence.Value[bool], made map[evidence.ID]bool) []*workload.Container {
	def, _ := w.definition.Get()
	var out []*workload.Container
	for i := range def.ContainerDefinitions {
		d := &def.ContainerDefinitions[i]
		name := aws.ToString(d.Name)
		at := w.definition.At()
		at.Of += "/" + name
		c := &workload.Container{
			Asset: evidence.Asset{
				Subject: evidence.Subject{ID: w.id + evidence.ID("/"+name), Kind: "ECS container", Name: w.name + "/" + name, At: at},
				In:      evidence.Known(w.id, at),
			},
			Workload: strings.TrimPrefix(w.kind, "ECS "), Units: w.units(s), Pod: w.id,
			Image:        evidence.Known(aws.ToString(d.Image), at),
			Env:          map[string]evidence.Value[string]{},
			EnvWhole:     evidence.Known(true, at),
			Annotations:  facts(d.DockerLabels, at),
			HostNetwork:  def.NetworkMode == types.NetworkModeHost,
			ReadOnlyRoot: evidence.Known(aws.ToBool(d.ReadonlyRootFilesystem), at),
			Log:          workload.Log{Runtime: workload.Docker, At: at},
		}
		for _, arg := range slices.Concat(d.EntryPoint, d.Command) {
			c.Args = append(c.Args, evidence.Known(arg, at))
		}
		// Values of variables stay here: workload asks them whether they turn a log on.
		for _, v := range d.Environment {
			c.Env[aws.ToString(v.Name)] = evidence.Known(aws.ToString(v.Value), at)
		}
		for _, v := range d.Secrets {
			c.Env[aws.ToString(v.Name)] = evidence.Unknown[string](evidence.Elsewhere, at)
		}
		if len(d.EnvironmentFiles) > 0 {
			c.EnvWhole = evidence.Unknown[bool](evidence.Elsewhere, at)
		}
		c.Mounts = w.mounts(s, &def, d, at)
		c.File = func(p string) evidence.Value[string] { return file(c.Mounts, p, at) }
		if w.every && w.runs == onInstances {
			c.Every = &workload.Every{At: w.at}
			if w.chosen {
				c.Every.Misses = []string{"instances that its placement constraints leave out"}
			}
		}
		w.log(s, d.LogConfiguration, c, lost, made)
		out = append(out, c)
	}
	return out
}

// units are what containers share: their task, and the instances that they run on. No name of a container is one that its
// log driver could resolve.
func (w *work) units(s *scope.Scope) []string {
	units := []string{string(w.id)}
	if w.runs == onInstances || w.runs == onExternal {
		units = append(units, string(w.cluster.machines(s, w.runs).ID))
	}
	return units
}

func facts(m map[string]string, at evidence.Origin) map[string]evidence.Value[string] {
	out := map[string]evidence.Value[string]{}
	for k, v := range m {
		out[k] = evidence.Known(v, at)
	}
	return out
}

// log says what takes a container's output. See LogConfiguration in the API reference of ECS.
func (w *work) log(s *scope.Scope, l *types.LogConfiguration, c *workload.Container, lost map[evidence.ID]evidence.Value[bool], made map[evidence.ID]bool) {
	at := c.Log.At
	switch {
	case l == nil && w.runs == onFargate:
		// "If you're using Fargate, you need to add the required logConfiguration parameters": the developer guide, "Send
		// Amazon ECS logs to CloudWatch". There is no daemon whose files anybody could read.
		lost[c.Asset.ID] = evidence.Known(true, at.WithNote("Fargate keeps no output without a log driver"))
		return
	case l == nil && w.runs == onEither:
		lost[c.Asset.ID] = evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("without a log driver it is up to what it runs on"))
		return
	case l == nil:
		return // Docker's daemon on the instance decides
	case l.LogDriver == types.LogDriverAwsfirelens:
		lost[c.Asset.ID] = evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("FireLens hands it to a router in the same task, whose configuration decides where it goes"))
	}
	c.Log.Driver = evidence.Known(string(l.LogDriver), at)
	c.Log.Options = facts(l.Options, at)
	for _, secret := range l.SecretOptions {
		c.Log.Options[aws.ToString(secret.Name)] = evidence.Unknown[string](evidence.Elsewhere, at)
	}
	defaults := map[string]evidence.Value[string]{
		"mode": w.mode, "max-buffer-size": evidence.Known("10m", at.WithNote("ECS default")),
		"awslogs-region": evidence.Known(s.Region, at.WithNote("the region of its cluster")),
	}
	maps.DeleteFunc(defaults, func(option string, _ evidence.Value[string]) bool { return !c.Log.Options[option].IsZero() })
	maps.Copy(c.Log.Options, defaults)
	if l.LogDriver == types.LogDriverAwslogs && l.Options["awslogs-create-group"] == "true" {
		region, _ := c.Log.Options["awslogs-region"].Get()
		made[evidence.ID("aws:"+s.Account+"/"+region+"//logs/"+l.Options["awslogs-group"])] = true
	}
}

// mounts returns what is mounted into a container.
func (w *work) mounts(s *scope.Scope, def *types.TaskDefinition, d *types.ContainerDefinition, at evidence.Origin) []workload.Mount {
	var out []workload.Mount
	for _, m := range d.MountPoints {
		out = append(out, w.mount(s, def, m, at))
	}
	for _, from := range d.VolumesFrom {
		for _, other := range def.ContainerDefinitions {
			if aws.ToString(other.Name) == aws.ToString(from.SourceContainer) {
				for _, m := range other.MountPoints {
					out = append(out, w.mount(s, def, m, at))
				}
			}
		}
	}
	if d.LinuxParameters != nil {
		for _, t := range d.LinuxParameters.Tmpfs {
			p := clean(aws.ToString(t.ContainerPath))
			out = append(out, workload.Mount{
				Path: p, Kind: workload.Tmpfs, Volume: w.id + evidence.ID("/"+aws.ToString(d.Name)+"/tmpfs"+p), At: at,
			})
		}
	}
	return out
}

// mount says what a volume rests on: the task, its machine, or another one. See Volume in the API reference of ECS.
func (w *work) mount(s *scope.Scope, def *types.TaskDefinition, p types.MountPoint, at evidence.Origin) workload.Mount {
	name := aws.ToString(p.SourceVolume)
	m := workload.Mount{
		Path: clean(aws.ToString(p.ContainerPath)), ReadOnly: aws.ToBool(p.ReadOnly), Name: name, At: at,
		Kind: workload.Plugin, Volume: w.id + evidence.ID("/volume:"+name),
	}
	i := slices.IndexFunc(def.Volumes, func(v types.Volume) bool { return aws.ToString(v.Name) == name })
	if i < 0 {
		m.OffHost = evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("the task definition names no such volume"))
		return m
	}
	away := evidence.Known(true, at)
	switch v := def.Volumes[i]; {
	case v.EfsVolumeConfiguration != nil:
		m.Kind, m.OffHost, m.Volume = workload.Remote, away, s.ID("efs/"+aws.ToString(v.EfsVolumeConfiguration.FileSystemId))
	case v.FsxWindowsFileServerVolumeConfiguration != nil:
		m.Kind, m.OffHost, m.Volume = workload.Remote, away, s.ID("fsx/"+aws.ToString(v.FsxWindowsFileServerVolumeConfiguration.FileSystemId))
	case v.S3filesVolumeConfiguration != nil:
		m.Kind, m.OffHost = workload.Remote, away
	case aws.ToBool(v.ConfiguredAtLaunch):
		m.OffHost = evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("the volume is configured when the task is launched"))
	case v.DockerVolumeConfiguration != nil:
		docker := v.DockerVolumeConfiguration
		driver := aws.ToString(docker.Driver)
		switch {
		case docker.Scope != types.ScopeShared: // the default: destroyed when the task stops
			m.Kind = workload.Ephemeral
		case (driver == "" || driver == "local") && len(docker.DriverOpts) == 0:
			m.Kind, m.Volume = workload.NamedVolume, w.machine(s)+evidence.ID("/volume:"+name)
		default:
			m.OffHost = evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("the volume driver decides where it lies"))
		}
	case v.Host != nil && aws.ToString(v.Host.SourcePath) != "":
		m.Kind, m.HostPath = workload.Bind, aws.ToString(v.Host.SourcePath)
		m.Name, m.Volume = m.HostPath, w.machine(s)+evidence.ID(clean(m.HostPath))
	default: // a folder that ends with the task
		m.Kind = workload.Ephemeral
	}
	return m
}

// machine stands for what the containers run on.
func (w *work) machine(s *scope.Scope) evidence.ID {
	if w.runs == onInstances || w.runs == onExternal {
		return w.cluster.machines(s, w.runs).ID
	}
	return w.id
}

// clean takes Windows paths as they are.
func clean(p string) string {
	if strings.HasPrefix(p, "/") {
		return path.Clean(p)
	}
	return p
}

// file is what a container would read at a path; nothing of a volume was read.
func file(mounts []workload.Mount, p string, at evidence.Origin) evidence.Value[string] {
	for _, m := range mounts {
		if workload.Within(p, m.Path) || workload.Within(m.Path, p) {
			return evidence.Unknown[string](evidence.Elsewhere, at.WithNote("it lies in the volume "+m.Name))
		}
	}
	return evidence.Moot[string](at)
}
