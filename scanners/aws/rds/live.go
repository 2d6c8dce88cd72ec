// Package rds reads what databases log of who connects: RDS, Aurora, DocumentDB and Neptune, which share one API.
package rds

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// The permissions of the calls.
const (
	listInstances         = "rds:DescribeDBInstances"
	listClusters          = "rds:DescribeDBClusters"
	readParameters        = "rds:DescribeDBParameters"
	readClusterParameters = "rds:DescribeDBClusterParameters"
	listOptions           = "rds:DescribeOptionGroups"
)

// Service reads databases.
func Service() scope.Service {
	return scope.Service{
		Name: "rds",
		Calls: []scope.Call{
			{Service: rds.ServiceID, Op: "DescribeDBInstances", Action: listInstances, Per: "region", Fills: "Asset.ID, LogSource.To"},
			{Service: rds.ServiceID, Op: "DescribeDBClusters", Action: listClusters, Per: "region", Fills: "Asset.ID, LogSource.To"},
			{Service: rds.ServiceID, Op: "DescribeDBParameters", Action: readParameters, Per: "parameter group", Fills: "LogSource.Enabled, LogStore.Kept", Perhaps: "for engines whose parameters decide"},
			{Service: rds.ServiceID, Op: "DescribeDBClusterParameters", Action: readClusterParameters, Per: "cluster parameter group", Fills: "LogSource.Enabled, LogStore.Kept"},
			{Service: rds.ServiceID, Op: "DescribeOptionGroups", Action: listOptions, Per: "region", Fills: "LogSource.Enabled, LogStore.Bytes", Perhaps: "where an instance runs MySQL, MariaDB or SQL Server"},
		},
		Region: read,
	}
}

var errNothing = errors.New("the answer is empty")

func read(ctx context.Context, s *scope.Scope) {
	r := reader{s: s, client: rds.NewFromConfig(s.Config)}
	var clusters []types.DBCluster
	for p := rds.NewDescribeDBClustersPaginator(r.client, &rds.DescribeDBClustersInput{}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			s.Blind("database clusters", err, s.At(listClusters, ""), scope.Unseen{Activities: []evidence.Activity{evidence.Database}})
			break
		}
		clusters = append(clusters, page.DBClusters...)
	}
	var instances []types.DBInstance
	members := map[string]types.DBInstance{}
	var rest error // why not all instances were listed
	for p := rds.NewDescribeDBInstancesPaginator(r.client, &rds.DescribeDBInstancesInput{}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			s.Blind("database instances", err, s.At(listInstances, ""), scope.Unseen{Activities: []evidence.Activity{evidence.Database}})
			rest = err
			break
		}
		for _, i := range page.DBInstances {
			if aws.ToString(i.DBClusterIdentifier) != "" { // its cluster is the database
				members[aws.ToString(i.DBInstanceIdentifier)] = i
			} else {
				instances = append(instances, i)
			}
		}
	}
	s.Each(len(clusters), func(i int) { observe(s, r.cluster(ctx, clusters[i], members, rest)) })
	s.Each(len(instances), func(i int) { observe(s, r.instance(ctx, instances[i])) })
}

type reader struct {
	s      *scope.Scope
	client *rds.Client
}

func (r reader) instance(ctx context.Context, i types.DBInstance) database {
	name := aws.ToString(i.DBInstanceIdentifier)
	d := database{
		thing: "rds/instance/" + name, name: name, engine: aws.ToString(i.Engine), family: familyOf(aws.ToString(i.Engine)),
		at: r.s.At(listInstances, name), exports: i.EnabledCloudwatchLogsExports, groups: "/aws/rds/instance/" + name + "/",
	}
	if i.ActivityStreamStatus == types.ActivityStreamStatusStarted {
		d.stream = aws.ToString(i.ActivityStreamKinesisStreamName)
	}
	d.set = r.own(ctx, i, d.asks())
	if d.family == mysql || d.family == sqlServer {
		d.options = r.optionsOf(ctx, i.OptionGroupMemberships)
	}
	return d
}

// own reads the parameters of an instance, as far as they are in force.
func (r reader) own(ctx context.Context, i types.DBInstance, asks []string) settings {
	var group types.DBParameterGroupStatus
	if len(i.DBParameterGroups) > 0 {
		group = i.DBParameterGroups[0]
	}
	return r.parameters(ctx, false, true, aws.ToString(group.DBParameterGroupName), asks).inForce(aws.ToString(group.ParameterApplyStatus))
}

// optionsOf reads the options of the group that is in force: while an instance changes its group, both are listed.
func (r reader) optionsOf(ctx context.Context, groups []types.OptionGroupMembership) evidence.Value[map[string]map[string]string] {
	var waits types.OptionGroupMembership
	for _, g := range groups {
		if applied(aws.ToString(g.Status)) {
			return r.options(ctx, aws.ToString(g.OptionGroupName))
		}
		waits = g
	}
	if len(groups) == 0 {
		return r.options(ctx, "")
	}
	name := aws.ToString(waits.OptionGroupName)
	return evidence.Unknown[map[string]map[string]string](evidence.Elsewhere, r.s.At(listInstances, name).WithNote("its option group is "+aws.ToString(waits.Status)))
}

func (r reader) cluster(ctx context.Context, c types.DBCluster, members map[string]types.DBInstance, rest error) database {
	name := aws.ToString(c.DBClusterIdentifier)
	d := database{
		cluster: true, thing: "rds/cluster/" + name, name: name, engine: aws.ToString(c.Engine), family: familyOf(aws.ToString(c.Engine)),
		at: r.s.At(listClusters, name), exports: c.EnabledCloudwatchLogsExports, groups: "/aws/rds/cluster/" + name + "/",
		options: evidence.Moot[map[string]map[string]string](r.s.At(listClusters, name)),
	}
	switch d.family {
	case docDB:
		d.groups = "/aws/docdb/" + name + "/"
	case neptune:
		d.groups = "/aws/neptune/" + name + "/"
	}
	if c.ActivityStreamStatus == types.ActivityStreamStatusStarted {
		d.stream = aws.ToString(c.ActivityStreamKinesisStreamName)
	}
	asks := d.asks()
	d.set = r.parameters(ctx, true, d.family != docDB && d.family != neptune, aws.ToString(c.DBClusterParameterGroup), asks)
	for _, m := range c.DBClusterMembers {
		d.set = d.set.inForce(aws.ToString(m.DBClusterParameterGroupStatus))
	}
	if d.engine != "aurora-postgresql" && d.family != auroraMySQL {
		return d
	}
	// What the parameter group of an instance sets goes before what that of its cluster sets: the Aurora user guide,
	// "Parameter groups for Amazon Aurora".
	d.members = map[string]settings{}
	for _, m := range c.DBClusterMembers {
		id := aws.ToString(m.DBInstanceIdentifier)
		own := settings{}
		i, listed := members[id]
		if listed && len(i.DBParameterGroups) > 0 {
			own = r.own(ctx, i, asks)
		} else {
			for _, p := range asks {
				own[p] = scope.Unknown[string](cmp.Or(rest, errNothing), r.s.At(listInstances, id))
			}
		}
		for _, p := range asks {
			if v, known := own[p].Get(); known && v == "" {
				own[p] = d.set[p]
			}
		}
		d.members[id] = own
	}
	return d
}

// parameters reads some parameters of a group: "" where nobody set one and the engine has no value of its own for it.
func (r reader) parameters(ctx context.Context, cluster, filtered bool, group string, asks []string) settings {
	if len(asks) == 0 {
		return nil
	}
	type answer struct {
		values map[string]string
		err    error
	}
	action := readParameters
	if cluster {
		action = readClusterParameters
	}
	got := scope.Memo(r.s, strings.Join(append([]string{action, r.s.Region, group}, asks...), " "), func() answer {
		a := answer{values: map[string]string{}}
		take := func(ps []types.Parameter) {
			for _, p := range ps {
				a.values[aws.ToString(p.ParameterName)] = strings.ToLower(strings.TrimSpace(aws.ToString(p.ParameterValue)))
			}
		}
		// "The only supported filter is parameter-name": the SDK. DocumentDB and Neptune have none, and few parameters.
		var filters []types.Filter
		if filtered {
			filters = []types.Filter{{Name: aws.String("parameter-name"), Values: asks}}
		}
		switch {
		case group == "":
			a.err = errNothing
		case cluster:
			for p := rds.NewDescribeDBClusterParametersPaginator(r.client, &rds.DescribeDBClusterParametersInput{DBClusterParameterGroupName: &group, Filters: filters}); a.err == nil && p.HasMorePages(); {
				page, err := p.NextPage(ctx)
				if a.err = err; err == nil {
					take(page.Parameters)
				}
			}
		default:
			for p := rds.NewDescribeDBParametersPaginator(r.client, &rds.DescribeDBParametersInput{DBParameterGroupName: &group, Filters: filters}); a.err == nil && p.HasMorePages(); {
				page, err := p.NextPage(ctx)
				if a.err = err; err == nil {
					take(page.Parameters)
				}
			}
		}
		return a
	})
	out := settings{}
	for _, name := range asks {
		at := r.s.At(action, group+"/"+name)
		switch v, found := got.values[name]; {
		case !found && got.err != nil:
			out[name] = scope.Unknown[string](got.err, at)
		case v == "":
			out[name] = evidence.Known("", at.WithNote("engine default"))
		default:
			out[name] = evidence.Known(v, at)
		}
	}
	return out
}

// options reads the options of a group, with what is set for each. A default group has none: options are added to groups
// of the owner's.
func (r reader) options(ctx context.Context, group string) evidence.Value[map[string]map[string]string] {
	at := r.s.At(listOptions, group)
	if strings.HasPrefix(group, "default:") {
		return evidence.Known(map[string]map[string]string{}, at.WithNote("engine default"))
	}
	type answer struct {
		groups map[string]map[string]map[string]string
		err    error
	}
	got := scope.Memo(r.s, listOptions+" "+r.s.Region, func() answer {
		a := answer{groups: map[string]map[string]map[string]string{}}
		for p := rds.NewDescribeOptionGroupsPaginator(r.client, &rds.DescribeOptionGroupsInput{}); p.HasMorePages(); {
			page, err := p.NextPage(ctx)
			if err != nil {
				a.err = err
				break
			}
			for _, g := range page.OptionGroupsList {
				options := map[string]map[string]string{}
				for _, o := range g.Options {
					set := map[string]string{}
					for _, one := range o.OptionSettings {
						set[aws.ToString(one.Name)] = cmp.Or(aws.ToString(one.Value), aws.ToString(one.DefaultValue))
					}
					options[aws.ToString(o.OptionName)] = set
				}
				a.groups[aws.ToString(g.OptionGroupName)] = options
			}
		}
		return a
	})
	if options, found := got.groups[group]; found {
		return evidence.Known(options, at)
	}
	return scope.Unknown[map[string]map[string]string](cmp.Or(got.err, errNothing), at)
}
