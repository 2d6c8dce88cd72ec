// Package ecs reads the services and tasks of Elastic Container Service: where their containers' output goes, and whether a
// responder can open a shell in them.
package ecs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// Service reads the clusters of a region and what runs in them.
func Service() scope.Service {
	where := "where there are ECS clusters"
	return scope.Service{
		Name: "ecs",
		Calls: []scope.Call{
			{Service: ecs.ServiceID, Op: "ListClusters", Action: "ecs:ListClusters", Per: "region", Fills: "Asset.Looked"},
			{Service: ecs.ServiceID, Op: "DescribeClusters", Action: "ecs:DescribeClusters", Per: "100 ECS clusters", Fills: "Access.Recorded", Perhaps: where},
			{Service: ecs.ServiceID, Op: "ListServices", Action: "ecs:ListServices", Per: "ECS cluster", Fills: "Asset.Looked", Perhaps: where},
			{Service: ecs.ServiceID, Op: "DescribeServices", Action: "ecs:DescribeServices", Per: "10 ECS services", Fills: "Asset.In, Access.Allowed", Perhaps: "where there are ECS services"},
			{Service: ecs.ServiceID, Op: "ListTasks", Action: "ecs:ListTasks", Per: "ECS cluster", Fills: "Asset.Looked", Perhaps: "where more tasks run than those of services"},
			{Service: ecs.ServiceID, Op: "DescribeTasks", Action: "ecs:DescribeTasks", Per: "100 ECS tasks", Fills: "Asset.In, Access.Allowed", Perhaps: "where more tasks run than those of services"},
			{
				Service: ecs.ServiceID, Op: "DescribeTaskDefinition", Action: "ecs:DescribeTaskDefinition", Per: "task definition in use",
				Fills: "LogSource.To, LogSource.Enabled, Access.Exact", Perhaps: "where ECS runs something",
			},
			{Service: ecs.ServiceID, Op: "ListAccountSettings", Action: "ecs:ListAccountSettings", Per: "region", Fills: "Delivery.Lossless", Perhaps: "where ECS runs something"},
		},
		Region: read,
	}
}

var (
	errNothing = errors.New("the answer is empty")
	errLeftOut = errors.New("the answer does not mention it")
)

// What ECS says of what is gone. A cluster or a service that was deleted may still be listed and described for a while, as
// inactive; see the fields Status of both in the SDK.
const (
	noCluster = "ClusterNotFoundException"
	missing   = "MISSING"
	inactive  = "INACTIVE"
)

// left says why an answer does not describe something that was asked for; nil where it is gone. Names are those behind the
// last slash of ARNs, of which there are longer and shorter ones of the same thing.
func left(arn string, failures []types.Failure) error {
	for _, f := range failures {
		switch {
		case lastPart(aws.ToString(f.Arn)) != lastPart(arn):
		case aws.ToString(f.Reason) == missing:
			return nil
		default:
			return fmt.Errorf("the answer names a failure, %q", aws.ToString(f.Reason))
		}
	}
	return errLeftOut
}

// absent says why an answer does not describe all that was asked for and is not gone; nil where it does.
func absent(asked []string, described map[string]bool, failures []types.Failure) error {
	for _, arn := range asked {
		if described[lastPart(arn)] {
			continue
		}
		if err := left(arn, failures); err != nil {
			return err
		}
	}
	return nil
}

// A reader reads one region.
type reader struct {
	s      *scope.Scope
	client *ecs.Client
}

func read(ctx context.Context, s *scope.Scope) {
	r := reader{s, ecs.NewFromConfig(s.Config)}
	clusters := r.clusters(ctx)
	s.Each(len(clusters), func(i int) {
		c := clusters[i]
		works := r.services(ctx, c)
		works = append(works, r.tasks(ctx, c, works)...)
		if c.gone {
			return
		}
		s.Record(c.asset(s))
		s.Each(len(works), func(i int) { works[i].read(ctx, r) })
		slices.SortFunc(works, func(a, b *work) int { return cmp.Compare(a.id, b.id) })
		observe(s, c, works)
	})
}

// clusters returns the clusters of the region, and how each of them records the shells that are opened in it.
func (r reader) clusters(ctx context.Context) []*cluster {
	var arns []string
	pages := ecs.NewListClustersPaginator(r.client, &ecs.ListClustersInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			r.s.Blind("ECS clusters", err, r.s.At("ecs:ListClusters", ""), unseen(evidence.MeansShell, evidence.MeansImage))
			break
		}
		arns = append(arns, page.ClusterArns...)
	}
	var out []*cluster
	for some := range slices.Chunk(arns, 100) {
		described, err := r.client.DescribeClusters(ctx, &ecs.DescribeClustersInput{
			Clusters: some, Include: []types.ClusterField{types.ClusterFieldConfigurations},
		})
		if err != nil {
			described = &ecs.DescribeClustersOutput{}
		}
		for _, arn := range some {
			c := &cluster{arn: arn, name: lastPart(arn), running: -1}
			c.at = r.s.At("ecs:DescribeClusters", c.name)
			i := slices.IndexFunc(described.Clusters, func(d types.Cluster) bool { return lastPart(aws.ToString(d.ClusterArn)) == c.name })
			why := err
			if err == nil && i < 0 {
				why = left(arn, described.Failures)
			}
			switch {
			case why != nil:
				c.exec = scope.Unknown[types.ExecuteCommandConfiguration](why, c.at)
			case i < 0 || aws.ToString(described.Clusters[i].Status) == inactive:
				continue // it was deleted since it was listed
			default:
				d := described.Clusters[i]
				c.running = int(d.RunningTasksCount + d.PendingTasksCount)
				var exec types.ExecuteCommandConfiguration
				if d.Configuration != nil && d.Configuration.ExecuteCommandConfiguration != nil {
					exec = *d.Configuration.ExecuteCommandConfiguration
				}
				c.exec = evidence.Known(exec, c.at)
			}
			out = append(out, c)
		}
	}
	return out
}

// missed says that something that runs in a cluster could not be listed, or that the cluster is gone.
func (r reader) missed(c *cluster, what string, err error, at evidence.Origin) {
	if c.gone = c.gone || scope.Is(err, noCluster); c.gone {
		return
	}
	r.s.Missed(c.id(r.s), what, err, at)
	r.s.Stand(what+" in "+c.name, err, at, unseen(evidence.MeansShell, evidence.MeansImage))
}

// unseen is what would be asked of what runs in a cluster.
func unseen(means ...evidence.Means) scope.Unseen {
	return scope.Unseen{Activities: []evidence.Activity{evidence.Application}, Means: means}
}

func (r reader) services(ctx context.Context, c *cluster) []*work {
	var arns []string
	pages := ecs.NewListServicesPaginator(r.client, &ecs.ListServicesInput{Cluster: aws.String(c.arn), MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			r.missed(c, "ECS services", err, r.s.At("ecs:ListServices", c.name))
			c.running = -1
			break
		}
		arns = append(arns, page.ServiceArns...)
	}
	var out []*work
	for some := range slices.Chunk(arns, 10) {
		described, err := r.client.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(c.arn), Services: some})
		if err != nil {
			r.missed(c, "ECS services", err, r.s.At("ecs:DescribeServices", c.name))
			c.running = -1
			continue
		}
		there := map[string]bool{}
		for _, d := range described.Services {
			there[lastPart(aws.ToString(d.ServiceArn))] = true
		}
		if err := absent(some, there, described.Failures); err != nil {
			r.missed(c, "ECS services", err, r.s.At("ecs:DescribeServices", c.name))
			c.running = -1
		}
		for _, d := range described.Services {
			if aws.ToString(d.Status) == inactive {
				continue // it was deleted since it was listed
			}
			name := aws.ToString(d.ServiceName)
			w := &work{
				cluster: c, name: name, kind: "ECS service", id: r.s.ID("ecs/" + c.name + "/" + name),
				at: r.s.At("ecs:DescribeServices", c.name+"/"+name), shell: d.EnableExecuteCommand,
				runs: placed(d.LaunchType, d.CapacityProviderStrategy), every: d.SchedulingStrategy == types.SchedulingStrategyDaemon,
				chosen: len(d.PlacementConstraints) > 0, arn: aws.ToString(d.TaskDefinition), tasks: int(d.RunningCount + d.PendingCount),
			}
			for _, set := range d.TaskSets { // a service that another tool deploys names its definition there
				if aws.ToString(set.Status) == "PRIMARY" && w.arn == "" {
					w.arn, w.runs = aws.ToString(set.TaskDefinition), placed(set.LaunchType, set.CapacityProviderStrategy)
				}
			}
			out = append(out, w)
		}
	}
	return out
}

// tasks returns what runs in a cluster without a service, by family. It is asked only where more runs than services say.
func (r reader) tasks(ctx context.Context, c *cluster, services []*work) []*work {
	if c.gone {
		return nil
	}
	ofServices := 0
	for _, w := range services {
		ofServices += w.tasks
	}
	if c.running == ofServices {
		return nil
	}
	var arns []string
	pages := ecs.NewListTasksPaginator(r.client, &ecs.ListTasksInput{Cluster: aws.String(c.arn), DesiredStatus: types.DesiredStatusRunning})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			r.missed(c, "ECS tasks", err, r.s.At("ecs:ListTasks", c.name))
			break
		}
		arns = append(arns, page.TaskArns...)
	}
	families := map[string]*work{}
	for some := range slices.Chunk(arns, 100) {
		described, err := r.client.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: aws.String(c.arn), Tasks: some})
		if err != nil {
			r.missed(c, "ECS tasks", err, r.s.At("ecs:DescribeTasks", c.name))
			continue
		}
		there := map[string]bool{}
		for _, t := range described.Tasks {
			there[lastPart(aws.ToString(t.TaskArn))] = true
		}
		if err := absent(some, there, described.Failures); err != nil {
			r.missed(c, "ECS tasks", err, r.s.At("ecs:DescribeTasks", c.name))
		}
		for _, t := range described.Tasks {
			if strings.HasPrefix(aws.ToString(t.Group), "service:") {
				continue
			}
			definition := aws.ToString(t.TaskDefinitionArn)
			family, _, _ := strings.Cut(lastPart(definition), ":")
			runs := placed(t.LaunchType, nil)
			if provider := aws.ToString(t.CapacityProviderName); t.LaunchType == "" && provider != "" {
				runs = placed("", []types.CapacityProviderStrategyItem{{CapacityProvider: &provider}})
			}
			w := families[family]
			if w == nil {
				w = &work{
					cluster: c, name: family, kind: "ECS task", id: r.s.ID("ecs/" + c.name + "/task:" + family), // no service has a colon in its name
					at: r.s.At("ecs:DescribeTasks", c.name+"/"+family), shell: true, runs: runs,
				}
				families[family] = w
			}
			w.arn = newest(w.arn, definition)
			w.shell = w.shell && t.EnableExecuteCommand
			if w.runs != runs {
				w.runs = onEither
			}
		}
	}
	return slices.Collect(maps.Values(families))
}

// newest is the later revision of a task definition.
func newest(a, b string) string {
	if len(a) > len(b) || len(a) == len(b) && a > b {
		return a
	}
	return b
}

// placed says what a service or a task runs on.
func placed(launch types.LaunchType, strategy []types.CapacityProviderStrategyItem) place {
	switch launch {
	case types.LaunchTypeFargate:
		return onFargate
	case types.LaunchTypeEc2, types.LaunchTypeManagedInstances:
		return onInstances
	case types.LaunchTypeExternal:
		return onExternal
	}
	fargate := 0
	for _, item := range strategy {
		if strings.HasPrefix(aws.ToString(item.CapacityProvider), "FARGATE") { // FARGATE and FARGATE_SPOT; no other name begins so
			fargate++
		}
	}
	switch {
	case len(strategy) == 0 || fargate > 0 && fargate < len(strategy):
		return onEither
	case fargate > 0:
		return onFargate
	}
	return onInstances
}

// read fills what the task definition says.
func (w *work) read(ctx context.Context, r reader) {
	at := r.s.At("ecs:DescribeTaskDefinition", lastPart(w.arn))
	if w.arn == "" {
		w.definition = evidence.Unknown[types.TaskDefinition](evidence.Elsewhere, w.at.WithNote("it names no task definition"))
		return
	}
	type answer struct {
		definition types.TaskDefinition
		err        error
	}
	got := scope.Memo(r.s, "ecs task definition "+w.arn, func() answer {
		out, err := r.client.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(w.arn)})
		switch {
		case err != nil:
			return answer{err: err}
		case out.TaskDefinition == nil:
			return answer{err: errNothing}
		}
		return answer{definition: *out.TaskDefinition}
	})
	w.definition, w.missed = scope.Got(got.definition, got.err, at), got.err
	w.mode = scope.Memo(r.s, "ecs log driver mode "+r.s.Region, func() evidence.Value[string] { return r.mode(ctx) })
}

// mode is how log drivers deliver where nobody wrote it: an account setting. Since 2025-06-25 it is non-blocking unless the
// owner said otherwise; see LogConfiguration in the API reference of ECS.
func (r reader) mode(ctx context.Context) evidence.Value[string] {
	at := r.s.At("ecs:ListAccountSettings", string(types.SettingNameDefaultLogDriverMode))
	out, err := r.client.ListAccountSettings(ctx, &ecs.ListAccountSettingsInput{Name: types.SettingNameDefaultLogDriverMode, EffectiveSettings: true})
	if err != nil {
		return scope.Unknown[string](err, at)
	}
	for _, setting := range out.Settings {
		if setting.Name == types.SettingNameDefaultLogDriverMode && aws.ToString(setting.Value) != "" {
			return evidence.Known(aws.ToString(setting.Value), at.WithNote("account setting defaultLogDriverMode"))
		}
	}
	return evidence.Known("non-blocking", at.WithNote("ECS default since 2025-06-25"))
}

// lastPart is the part of an ARN behind the last slash: "web:3" of a task definition.
func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
