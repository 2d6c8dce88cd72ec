// Package instance reads the EC2 instances of a region: whether a responder could copy their disks and memory or open a
// shell on them, and which sensors they have. Systems Manager is read here as well: what it says is said of instances.
package instance

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"lookback/evidence"
	"lookback/scanners/aws/kms"
	"lookback/scanners/aws/scope"
)

// Service reads the instances of a region.
func Service() scope.Service {
	const (
		some    = "where there are EC2 instances"
		running = "where EC2 instances run"
		managed = "where EC2 instances run that Systems Manager manages"
	)
	return scope.Service{
		Name: "instance",
		Calls: []scope.Call{
			{Service: ec2.ServiceID, Op: "DescribeInstances", Action: "ec2:DescribeInstances", Per: "region", Fills: "Asset.ID, Asset.Host, Access.Allowed, Access.Guarded"},
			{Service: ec2.ServiceID, Op: "DescribeVolumes", Action: "ec2:DescribeVolumes", Per: "region", Fills: "Access.Allowed", Perhaps: some},
			{
				Service: autoscaling.ServiceID, Op: "DescribeAutoScalingGroups", Action: "autoscaling:DescribeAutoScalingGroups", Per: "region",
				Fills: "Access.Guarded", Perhaps: some,
			},
			{
				Service: autoscaling.ServiceID, Op: "DescribeLifecycleHooks", Action: "autoscaling:DescribeLifecycleHooks", Per: "Auto Scaling group",
				Fills: "Access.Guarded", Perhaps: "where volumes of its instances are deleted with them",
			},
			{
				Service: ssm.ServiceID, Op: "DescribeInstanceInformation", Action: "ssm:DescribeInstanceInformation", Per: "region",
				Fills: "Access.Allowed", Perhaps: running,
			},
			{Service: ssm.ServiceID, Op: "GetDocument", Action: "ssm:GetDocument", Per: "region", Fills: "Access.Recorded", Perhaps: managed},
			{
				Service: ssm.ServiceID, Op: "GetInventory", Action: "ssm:GetInventory", Per: "region, and known sensor where one is installed",
				Fills: "Asset.Looked, LogSource.Enabled", Perhaps: managed,
			},
		},
		Region: read,
	}
}

func read(ctx context.Context, s *scope.Scope) {
	e := &estate{s: s, in: map[string]string{}, volumes: map[string]volume{}, groups: map[string]*group{}, nodes: map[string]node{}}
	client := ec2.NewFromConfig(s.Config)
	if err := e.readMachines(ctx, s, client); err != nil {
		s.Blind("EC2 instances", err, s.At("ec2:DescribeInstances", ""), scope.Unseen{
			Activities: []evidence.Activity{evidence.Process},
			Means:      []evidence.Means{evidence.MeansDisk, evidence.MeansDiskElsewhere, evidence.MeansMemory, evidence.MeansShell},
		})
	}
	if len(e.machines) == 0 {
		return
	}
	reads := []func(){
		func() {
			if slices.ContainsFunc(e.machines, func(m machine) bool { return len(m.disks) > 0 }) {
				e.volumesErr = e.readVolumes(ctx, s, client)
				e.readKeys(ctx, s)
			}
		},
		func() { e.readGroups(ctx, s) },
		func() {
			if slices.ContainsFunc(e.machines, func(m machine) bool { return m.running }) {
				e.readManaged(ctx, s)
			}
		},
	}
	s.Each(len(reads), func(i int) { reads[i]() })
	s.After(func(context.Context) { // a log group of the sessions may not exist
		e.sessions.settle(s)
		for _, m := range e.machines {
			e.observe(m)
		}
	})
}

func (e *estate) readMachines(ctx context.Context, s *scope.Scope, client *ec2.Client) error {
	pages := ec2.NewDescribeInstancesPaginator(client, &ec2.DescribeInstancesInput{MaxResults: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, r := range page.Reservations {
			for _, i := range r.Instances {
				if i.State != nil && (i.State.Name == types.InstanceStateNameTerminated || i.State.Name == types.InstanceStateNameShuttingDown) {
					continue // it stays in the list for an hour
				}
				e.machines = append(e.machines, describe(s, i))
			}
		}
	}
	return nil
}

func describe(s *scope.Scope, i types.Instance) machine {
	id := aws.ToString(i.InstanceId)
	m := machine{id: id, name: named(i.Tags, id), at: s.At("ec2:DescribeInstances", id)}
	m.running = i.State == nil || i.State.Name == types.InstanceStateNameRunning || i.State.Name == types.InstanceStateNamePending
	m.started, m.passing = aws.ToTime(i.LaunchTime), i.RootDeviceType == types.DeviceTypeInstanceStore
	for _, b := range i.BlockDeviceMappings {
		if b.Ebs == nil {
			continue
		}
		d := disk{volume: aws.ToString(b.Ebs.VolumeId)}
		if b.Ebs.DeleteOnTermination != nil {
			d.kept = evidence.Known(true, m.at)
			if *b.Ebs.DeleteOnTermination {
				d.kept = evidence.Known(false, m.at.WithNote("volume "+d.volume+" is deleted with it"))
			}
		} else {
			d.kept = evidence.Unknown[bool](evidence.Unfamiliar, m.at.WithNote("AWS does not say whether volume "+d.volume+" is deleted with it"))
		}
		m.disks = append(m.disks, d)
	}
	return m
}

func (e *estate) readVolumes(ctx context.Context, s *scope.Scope, client *ec2.Client) error {
	used := map[string]bool{}
	for _, m := range e.machines {
		for _, d := range m.disks {
			used[d.volume] = true
		}
	}
	pages := ec2.NewDescribeVolumesPaginator(client, &ec2.DescribeVolumesInput{MaxResults: aws.Int32(500)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, v := range page.Volumes {
			id := aws.ToString(v.VolumeId)
			if !used[id] {
				continue
			}
			e.volumes[id] = volume{encrypted: aws.ToBool(v.Encrypted), keyID: aws.ToString(v.KmsKeyId), at: s.At("ec2:DescribeVolumes", id)}
		}
	}
	return nil
}

// readKeys asks for the key of each encrypted volume: each key is asked for once.
func (e *estate) readKeys(ctx context.Context, s *scope.Scope) {
	used := map[string]kms.Key{}
	var ids []string
	for _, v := range e.volumes {
		if _, seen := used[v.keyID]; v.encrypted && v.keyID != "" && !seen {
			used[v.keyID] = kms.Key{}
			ids = append(ids, v.keyID)
		}
	}
	slices.Sort(ids)
	keys := make([]kms.Key, len(ids))
	s.Each(len(ids), func(i int) { keys[i] = kms.Describe(ctx, s, ids[i]) })
	for i, id := range ids {
		used[id] = keys[i]
	}
	for id, v := range e.volumes {
		v.key = used[v.keyID]
		if v.keyID == "" {
			none := evidence.Unknown[bool](evidence.Unfamiliar, v.at.WithNote("AWS does not name its key"))
			v.key = kms.Key{InForce: none, Own: none}
		}
		e.volumes[id] = v
	}
}

func (e *estate) readGroups(ctx context.Context, s *scope.Scope) {
	client := autoscaling.NewFromConfig(s.Config)
	pages := autoscaling.NewDescribeAutoScalingGroupsPaginator(client, &autoscaling.DescribeAutoScalingGroupsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			e.groupsErr = err
			break
		}
		for _, g := range page.AutoScalingGroups {
			for _, i := range g.Instances {
				e.in[aws.ToString(i.InstanceId)] = aws.ToString(g.AutoScalingGroupName)
			}
		}
	}
	var ask []*group
	for _, m := range e.machines {
		name := e.in[m.id]
		if kept, _ := m.keeps().Get(); kept || len(m.disks) == 0 || name == "" || e.groups[name] != nil {
			continue
		}
		g := &group{name: name, at: s.At("autoscaling:DescribeLifecycleHooks", name)}
		e.groups[name] = g
		ask = append(ask, g)
	}
	s.Each(len(ask), func(i int) {
		g := ask[i]
		out, err := client.DescribeLifecycleHooks(ctx, &autoscaling.DescribeLifecycleHooksInput{AutoScalingGroupName: aws.String(g.name)})
		if err != nil {
			g.err = err
			return
		}
		for _, h := range out.LifecycleHooks {
			if aws.ToString(h.LifecycleTransition) == "autoscaling:EC2_INSTANCE_TERMINATING" {
				g.hooks = append(g.hooks, aws.ToString(h.LifecycleHookName))
			}
		}
		slices.SortFunc(g.hooks, strings.Compare)
	})
}

func named(tags []types.Tag, id string) string {
	for _, t := range tags {
		if aws.ToString(t.Key) == "Name" && aws.ToString(t.Value) != "" {
			return aws.ToString(t.Value)
		}
	}
	return id
}
