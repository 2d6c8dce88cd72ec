package ecs

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/scope"
)

const (
	shop   = "aws:111122223333/eu-west-1//ecs/shop"
	web    = shop + "/web/nginx"
	stdout = "/stdout#application"
	group  = "aws:111122223333/eu-west-1//logs/shop"
)

// groups stands for the reader of CloudWatch Logs.
func groups(err error, names ...string) scope.Service {
	return scope.Service{Name: "groups", Region: func(_ context.Context, s *scope.Scope) {
		all := map[string]scope.Group{}
		for _, n := range names {
			all[n] = scope.Group{Created: awstest.Now}
		}
		s.SetGroups(all, err)
	}}
}

// An estate is one cluster, "shop".
type estate struct {
	exec        *types.ExecuteCommandConfiguration
	services    []types.Service
	tasks       []types.Task
	definitions map[string]types.TaskDefinition
	mode        string // of log drivers, as the account has set it
	deny        func(input any) bool

	mu    sync.Mutex
	asked map[string]int
}

const arn = "arn:aws:ecs:eu-west-1:111122223333:"

func (e *estate) answer(_ string, input any) (any, error) {
	e.mu.Lock()
	if e.asked == nil {
		e.asked = map[string]int{}
	}
	e.asked[strings.TrimPrefix(fmt.Sprintf("%T", input), "*ecs.")]++
	e.mu.Unlock()
	if e.deny != nil && e.deny(input) {
		return nil, awstest.Denied()
	}
	switch in := input.(type) {
	case *ecs.ListClustersInput:
		return &ecs.ListClustersOutput{ClusterArns: []string{arn + "cluster/shop"}}, nil
	case *ecs.DescribeClustersInput:
		c := types.Cluster{ClusterArn: aws.String(arn + "cluster/shop"), RunningTasksCount: int32(len(e.tasks))}
		for _, s := range e.services {
			c.RunningTasksCount += s.RunningCount
		}
		if e.exec != nil {
			c.Configuration = &types.ClusterConfiguration{ExecuteCommandConfiguration: e.exec}
		}
		return &ecs.DescribeClustersOutput{Clusters: []types.Cluster{c}}, nil
	case *ecs.ListServicesInput: // in pages of seven
		from := 0
		if in.NextToken != nil {
			from, _ = strconv.Atoi(*in.NextToken)
		}
		out := &ecs.ListServicesOutput{}
		for i := from; i < len(e.services) && i < from+7; i++ {
			out.ServiceArns = append(out.ServiceArns, *e.services[i].ServiceArn)
		}
		if from+7 < len(e.services) {
			out.NextToken = aws.String(fmt.Sprint(from + 7))
		}
		return out, nil
	case *ecs.DescribeServicesInput:
		if len(in.Services) > 10 {
			return nil, awstest.Error("InvalidParameterException")
		}
		out := &ecs.DescribeServicesOutput{}
		for _, s := range e.services {
			if slices.Contains(in.Services, *s.ServiceArn) {
				out.Services = append(out.Services, s)
			}
		}
		return out, nil
	case *ecs.ListTasksInput:
		out := &ecs.ListTasksOutput{}
		for _, t := range e.tasks {
			out.TaskArns = append(out.TaskArns, *t.TaskArn)
		}
		return out, nil
	case *ecs.DescribeTasksInput:
		return &ecs.DescribeTasksOutput{Tasks: e.tasks}, nil
	case *ecs.DescribeTaskDefinitionInput:
		d, ok := e.definitions[lastPart(*in.TaskDefinition)]
		if !ok {
			return nil, awstest.Error("ClientException")
		}
		return &ecs.DescribeTaskDefinitionOutput{TaskDefinition: &d}, nil
	case *ecs.ListAccountSettingsInput:
		out := &ecs.ListAccountSettingsOutput{}
		if e.mode != "" {
			out.Settings = []types.Setting{{Name: types.SettingNameDefaultLogDriverMode, Value: &e.mode}}
		}
		return out, nil
	}
	return nil, nil
}

func service(name string, launch types.LaunchType, change ...func(*types.Service)) types.Service {
	s := types.Service{
		ServiceName: aws.String(name), ServiceArn: aws.String(arn + "service/shop/" + name),
		TaskDefinition: aws.String(arn + "task-definition/" + name + ":1"), LaunchType: launch, RunningCount: 1,
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

// nginx is a definition of one container, which prints its access log.
func nginx(l *types.LogConfiguration, change ...func(*types.TaskDefinition)) map[string]types.TaskDefinition {
	d := types.TaskDefinition{ContainerDefinitions: []types.ContainerDefinition{{
		Name: aws.String("nginx"), Image: aws.String("nginx:1.29"), LogConfiguration: l,
		Environment: []types.KeyValuePair{{Name: aws.String("TOKEN"), Value: aws.String("hunter2")}},
		Secrets:     []types.Secret{{Name: aws.String("PASSWORD"), ValueFrom: aws.String("arn:hunter3")}},
	}}}
	for _, c := range change {
		c(&d)
	}
	return map[string]types.TaskDefinition{"web:1": d}
}

func awslogs(options ...string) *types.LogConfiguration {
	l := &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{"awslogs-group": "shop", "awslogs-region": "eu-west-1"}}
	for i := 0; i+1 < len(options); i += 2 {
		l.Options[options[i]] = options[i+1]
	}
	return l
}

func (e *estate) scan(t *testing.T, names ...string) *evidence.Set {
	t.Helper()
	return awstest.Scan(t, e.answer, nil, Service(), groups(nil, names...))
}

func record[R evidence.Record](t *testing.T, set *evidence.Set, id evidence.ID) R {
	t.Helper()
	for _, r := range set.Records {
		if r, ok := r.(R); ok && r.Self().ID == id {
			return r
		}
	}
	var ids []string
	for _, r := range set.Records {
		ids = append(ids, fmt.Sprintf("%T %s", r, r.Self().ID))
	}
	t.Fatalf("no record %s in\n%s", id, strings.Join(ids, "\n"))
	panic("unreachable")
}

func has(t *testing.T, lines []string, want string) {
	t.Helper()
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, want) }) {
		t.Errorf("no line with %q in\n%s", want, strings.Join(lines, "\n"))
	}
}

// say writes a fact as its value or its reason, with its note.
func say[T any](v evidence.Value[T]) string {
	out := v.Why().String()
	if is, known := v.Get(); known {
		out = fmt.Sprint(is)
	} else if v.IsMoot() {
		out = "moot"
	}
	if v.At().Note != "" {
		out += ": " + v.At().Note
	}
	return out
}

func TestAwslogsGoesToItsGroup(t *testing.T) {
	for name, launch := range map[string]types.LaunchType{"Fargate": types.LaunchTypeFargate, "instances": types.LaunchTypeEc2} {
		t.Run(name, func(t *testing.T) {
			e := &estate{services: []types.Service{service("web", launch)}, definitions: nginx(awslogs("mode", "blocking"))}
			set := e.scan(t, "shop")
			out := record[*evidence.LogSource](t, set, web+stdout)
			if len(out.To) != 1 || out.To[0].To != group || !out.To[0].Error.IsZero() || say(out.Complete) != "true" {
				t.Errorf("got %+v, complete %s", out.To, say(out.Complete))
			}
			if at := out.To[0].Extent.At(); at.Call != "ecs:DescribeTaskDefinition" || at.Of != "eu-west-1/web:1/nginx" {
				t.Errorf("at: got %+v", at)
			}
			c := record[*evidence.Asset](t, set, web)
			if say(c.In) != shop+"/web" || c.Kind != "ECS container" || say(c.Looked[evidence.Application]) != "true" {
				t.Errorf("got %+v", c)
			}
			lines := awstest.Judge(set)
			has(t, lines, "pass recorded-application "+web)
			has(t, lines, "pass shipped-off-asset "+web+stdout)
			has(t, lines, "pass arriving-lossless "+web+stdout)
			if launch == types.LaunchTypeEc2 {
				has(t, lines, "pass shipped-off-host "+web+stdout)
			} else if slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "fail shipped") }) {
				t.Errorf("got %v", lines)
			}
			for _, r := range set.Records {
				if strings.HasSuffix(string(r.Self().ID), "//host") {
					t.Errorf("a machine of no cluster is recorded: %s", r.Self().ID)
				}
			}
		})
	}
}

func TestAGroupThatIsMissingIsAFailure(t *testing.T) {
	e := &estate{services: []types.Service{service("web", types.LaunchTypeFargate)}, definitions: nginx(awslogs())}
	set := e.scan(t)
	d := record[*evidence.LogSource](t, set, web+stdout).To[0]
	if want := `log group "shop" does not exist`; say(d.Error) != want {
		t.Errorf("error: got %s", say(d.Error))
	}
	lines := awstest.Judge(set)
	has(t, lines, "fail recorded-application "+web)
	for _, l := range lines {
		if strings.HasPrefix(l, "pass") && strings.Contains(l, web+stdout) && !strings.HasPrefix(l, "pass arriving-not-hidden") {
			t.Errorf("got %s", l)
		}
	}

	e.definitions = nginx(awslogs("awslogs-create-group", "true"))
	if d := record[*evidence.LogSource](t, e.scan(t), web+stdout).To[0]; !d.Error.IsZero() {
		t.Errorf("its driver makes it; got %s", say(d.Error))
	}
	e.definitions = nginx(awslogs("awslogs-region", "us-east-1"))
	d = record[*evidence.LogSource](t, e.scan(t), web+stdout).To[0]
	if d.To != "aws:111122223333/us-east-1//logs/shop" || say(d.Error) != "elsewhere: its log group lies in another region" {
		t.Errorf("got %s, %s", d.To, say(d.Error))
	}
	e.definitions = nginx(awslogs())
	set = awstest.Scan(t, e.answer, nil, Service(), groups(awstest.Denied()))
	if d := record[*evidence.LogSource](t, set, web+stdout).To[0]; say(d.Error) != "denied" {
		t.Errorf("groups could not be listed; got %s", say(d.Error))
	}
	lines = awstest.Judge(set)
	has(t, lines, "not-assessed recorded-application "+web)
	has(t, lines, "not-assessed shipped-off-asset "+web+stdout)
}

func TestTheModeOfALogDriver(t *testing.T) {
	for name, c := range map[string]struct {
		account  string
		log      *types.LogConfiguration
		deny     bool
		lossless string
		buffer   string
	}{
		"nobody wrote it":         {"", awslogs(), false, "false: ECS default since 2025-06-25", "10485760: ECS default"},
		"blocking for the region": {"blocking", awslogs(), false, "true", "moot"},
		"non-blocking for the region": {
			"non-blocking", awslogs("max-buffer-size", "25m"), false, "false: account setting defaultLogDriverMode", "26214400",
		},
		"blocking":            {"non-blocking", awslogs("mode", "blocking"), false, "true", "moot"},
		"non-blocking":        {"blocking", awslogs("mode", "non-blocking", "max-buffer-size", "4m"), false, "false", "4194304"},
		"we may not ask":      {"blocking", awslogs(), true, "denied", "moot"},
		"it is not asked for": {"blocking", awslogs("mode", "blocking"), true, "true", "moot"},
	} {
		t.Run(name, func(t *testing.T) {
			e := &estate{services: []types.Service{service("web", types.LaunchTypeFargate)}, definitions: nginx(c.log), mode: c.account}
			if c.deny {
				e.deny = func(in any) bool { _, ok := in.(*ecs.ListAccountSettingsInput); return ok }
			}
			d := record[*evidence.LogSource](t, e.scan(t, "shop"), web+stdout).To[0]
			if say(d.Lossless) != c.lossless || say(d.Buffer) != c.buffer {
				t.Errorf("got %s, %s; want %s, %s", say(d.Lossless), say(d.Buffer), c.lossless, c.buffer)
			}
		})
	}
}

func TestWithoutALogDriver(t *testing.T) {
	t.Run("Fargate keeps nothing", func(t *testing.T) {
		e := &estate{services: []types.Service{service("web", types.LaunchTypeFargate)}, definitions: nginx(nil)}
		set := e.scan(t)
		out := record[*evidence.LogSource](t, set, web+stdout)
		if len(out.To) != 0 || say(out.Complete) != "true: Fargate keeps no output without a log driver" {
			t.Errorf("got %+v, complete %s", out.To, say(out.Complete))
		}
		has(t, awstest.Judge(set), "fail shipped-off-asset "+web+stdout+": the output of web/nginx goes nowhere")
		has(t, awstest.Judge(set), "fail recorded-application "+web+`: ECS container "web/nginx" throws its output away: Fargate keeps no output`)
	})
	t.Run("an instance keeps it as long as the container", func(t *testing.T) {
		e := &estate{services: []types.Service{service("web", types.LaunchTypeEc2)}, definitions: nginx(nil)}
		has(t, awstest.Judge(e.scan(t)), "fail shipped-off-asset "+web+stdout)
	})
	t.Run("where it runs is decided as it starts", func(t *testing.T) {
		e := &estate{services: []types.Service{service("web", "")}, definitions: nginx(nil)}
		set := e.scan(t)
		if s := record[*evidence.Asset](t, set, shop+"/web"); s.In.Why() != evidence.Elsewhere {
			t.Errorf("in: got %s", say(s.In))
		}
		has(t, awstest.Judge(set), "not-assessed shipped-off-asset "+web+stdout)
	})
}

func TestAFireLensRouterDecidesElsewhere(t *testing.T) {
	e := &estate{
		services:    []types.Service{service("web", types.LaunchTypeFargate)},
		definitions: nginx(&types.LogConfiguration{LogDriver: types.LogDriverAwsfirelens, Options: map[string]string{"Name": "datadog", "apikey": "hunter2"}}),
	}
	set := e.scan(t)
	out := record[*evidence.LogSource](t, set, web+stdout)
	if len(out.To) != 0 || out.Complete.Why() != evidence.Elsewhere || !out.Complete.IsUnknown() {
		t.Errorf("got %+v, complete %s", out.To, say(out.Complete))
	}
	has(t, awstest.Judge(set), "not-assessed shipped-off-asset "+web+stdout)
}

func TestOtherDriversOfAnInstance(t *testing.T) {
	for name, c := range map[string]struct {
		log  types.LogConfiguration
		to   evidence.ID
		want string
	}{
		"json-file": {types.LogConfiguration{LogDriver: types.LogDriverJsonFile}, web + "/stdout", "fail shipped-off-asset "},
		"journald":  {types.LogConfiguration{LogDriver: types.LogDriverJournald}, shop + ":instances/journal", "fail shipped-off-host "},
		"syslog to another machine": {
			types.LogConfiguration{LogDriver: types.LogDriverSyslog, Options: map[string]string{"syslog-address": "tcp://logs.example.net:514"}},
			"syslog:logs.example.net:514//", "pass shipped-off-host ",
		},
		"splunk with an address that is a secret": {
			types.LogConfiguration{LogDriver: types.LogDriverSplunk, SecretOptions: []types.Secret{{Name: aws.String("splunk-url"), ValueFrom: aws.String("arn:x")}}},
			web + "/stdout", "pass shipped-off-asset ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := &estate{services: []types.Service{service("web", types.LaunchTypeEc2)}, definitions: nginx(&c.log)}
			set := e.scan(t)
			if got := record[*evidence.LogSource](t, set, web+stdout).To[0].To; got != c.to {
				t.Errorf("to: got %s, want %s", got, c.to)
			}
			has(t, awstest.Judge(set), c.want+web+stdout)
			if m := record[*evidence.Asset](t, set, shop+":instances"); !m.Host || say(m.In) != shop {
				t.Errorf("machines: got %+v", m)
			}
		})
	}
}

func TestFilesRestOnTheirVolume(t *testing.T) {
	for name, c := range map[string]struct {
		launch types.LaunchType
		volume *types.Volume
		want   string
	}{
		"nothing is mounted": {types.LaunchTypeFargate, nil, "fail shipped-off-asset "},
		"EFS": {types.LaunchTypeFargate, &types.Volume{
			EfsVolumeConfiguration: &types.EFSVolumeConfiguration{FileSystemId: aws.String("fs-1")},
		}, "pass shipped-off-asset "},
		"a folder of the task":     {types.LaunchTypeFargate, &types.Volume{}, "fail shipped-off-asset "},
		"a folder of the instance": {types.LaunchTypeEc2, &types.Volume{Host: &types.HostVolumeProperties{SourcePath: aws.String("/data")}}, "pass shipped-off-asset "},
		"which is on the instance": {types.LaunchTypeEc2, &types.Volume{Host: &types.HostVolumeProperties{SourcePath: aws.String("/data")}}, "fail shipped-off-host "},
		"a volume that is shared":  {types.LaunchTypeEc2, &types.Volume{DockerVolumeConfiguration: &types.DockerVolumeConfiguration{Scope: types.ScopeShared}}, "pass shipped-off-asset "},
		"a volume of the task":     {types.LaunchTypeEc2, &types.Volume{DockerVolumeConfiguration: &types.DockerVolumeConfiguration{Scope: types.ScopeTask}}, "fail shipped-off-asset "},
	} {
		t.Run(name, func(t *testing.T) {
			e := &estate{services: []types.Service{service("web", c.launch)}, definitions: nginx(awslogs(), func(d *types.TaskDefinition) {
				n := &d.ContainerDefinitions[0]
				n.Image = aws.String("neo4j:5")
				if c.volume != nil {
					c.volume.Name = aws.String("home")
					d.Volumes = []types.Volume{*c.volume}
					n.MountPoints = []types.MountPoint{{SourceVolume: aws.String("home"), ContainerPath: aws.String("/logs")}}
				}
			})}
			has(t, awstest.Judge(e.scan(t, "shop")), c.want+web+"/file/logs")
		})
	}
}

func TestECSExecAndWhetherItIsRecorded(t *testing.T) {
	on := func(s *types.Service) { s.EnableExecuteCommand = true }
	override := func(l types.ExecuteCommandLogConfiguration) *types.ExecuteCommandConfiguration {
		return &types.ExecuteCommandConfiguration{Logging: types.ExecuteCommandLoggingOverride, LogConfiguration: &l}
	}
	for name, c := range map[string]struct {
		exec     *types.ExecuteCommandConfiguration
		log      *types.LogConfiguration
		service  func(*types.Service)
		allowed  string
		recorded string
	}{
		"off":                            {nil, awslogs(), func(*types.Service) {}, "false", "moot"},
		"default, with awslogs":          {nil, awslogs(), on, "true", "true"},
		"default, with nothing":          {nil, nil, on, "true", "false: sessions go where the awslogs driver sends, and no container has it"},
		"default, written":               {&types.ExecuteCommandConfiguration{Logging: types.ExecuteCommandLoggingDefault}, awslogs(), on, "true", "true"},
		"none":                           {&types.ExecuteCommandConfiguration{Logging: types.ExecuteCommandLoggingNone}, awslogs(), on, "true", "false: the logging of its cluster's sessions is NONE"},
		"a bucket":                       {override(types.ExecuteCommandLogConfiguration{S3BucketName: aws.String("b")}), nil, on, "true", "true"},
		"a group":                        {override(types.ExecuteCommandLogConfiguration{CloudWatchLogGroupName: aws.String("shop")}), nil, on, "true", "true"},
		"a group that does not exist":    {override(types.ExecuteCommandLogConfiguration{CloudWatchLogGroupName: aws.String("gone")}), nil, on, "true", `false: log group "gone" does not exist`},
		"override to nowhere":            {override(types.ExecuteCommandLogConfiguration{}), awslogs(), on, "true", "false: the cluster names no place for the logs of its sessions"},
		"override without configuration": {&types.ExecuteCommandConfiguration{Logging: types.ExecuteCommandLoggingOverride}, awslogs(), on, "true", "false: the cluster names no place for the logs of its sessions"},
		"a setting that is new":          {&types.ExecuteCommandConfiguration{Logging: "SHOUT"}, awslogs(), on, "true", "unfamiliar: the logging of its cluster's sessions is SHOUT"},
	} {
		t.Run(name, func(t *testing.T) {
			e := &estate{exec: c.exec, services: []types.Service{service("web", types.LaunchTypeFargate, c.service)}, definitions: nginx(c.log)}
			a := record[*evidence.Access](t, e.scan(t, "shop"), shop+"/web:exec")
			if say(a.Allowed) != c.allowed || say(a.Recorded) != c.recorded || a.Of != shop+"/web" || a.Means != evidence.MeansShell {
				t.Errorf("got %s, %s of %s", say(a.Allowed), say(a.Recorded), a.Of)
			}
			if at := a.Allowed.At(); at.Call != "ecs:DescribeServices" || at.Of != "eu-west-1/shop/web" {
				t.Errorf("at: got %+v", at)
			}
		})
	}
	t.Run("some of the containers", func(t *testing.T) {
		e := &estate{services: []types.Service{service("web", types.LaunchTypeFargate, on)}, definitions: nginx(awslogs(), func(d *types.TaskDefinition) {
			d.ContainerDefinitions = append(d.ContainerDefinitions, types.ContainerDefinition{Name: aws.String("app"), Image: aws.String("app")})
		})}
		if a := record[*evidence.Access](t, e.scan(t, "shop"), shop+"/web:exec"); a.Recorded.Why() != evidence.Elsewhere {
			t.Errorf("got %s", say(a.Recorded))
		}
	})
}

func TestTasksWithoutAServiceAreGroupedByFamily(t *testing.T) {
	task := func(id, group, definition string, exec bool) types.Task {
		return types.Task{
			TaskArn: aws.String(arn + "task/shop/" + id), Group: aws.String(group), TaskDefinitionArn: aws.String(arn + "task-definition/" + definition),
			LaunchType: types.LaunchTypeFargate, EnableExecuteCommand: exec,
		}
	}
	definitions := nginx(awslogs())
	definitions["job:10"] = definitions["web:1"]
	e := &estate{
		services: []types.Service{service("web", types.LaunchTypeFargate)}, definitions: definitions,
		tasks: []types.Task{
			task("1", "family:job", "job:9", true), task("2", "family:job", "job:10", false), task("3", "service:web", "web:1", false),
		},
	}
	set := e.scan(t, "shop")
	job := record[*evidence.Asset](t, set, shop+"/task:job")
	if job.Kind != "ECS task" || say(job.In) != shop {
		t.Errorf("got %+v", job)
	}
	record[*evidence.LogSource](t, set, shop+"/task:job/nginx"+stdout)
	if a := record[*evidence.Access](t, set, shop+"/task:job:exec"); say(a.Allowed) != "false" {
		t.Errorf("not all tasks can be entered; got %s", say(a.Allowed))
	}

	e.tasks, e.asked = nil, nil
	e.scan(t, "shop")
	if e.asked["ListTasksInput"] != 0 {
		t.Error("tasks are asked for where services have all of them")
	}
}

func TestWhereAServiceRuns(t *testing.T) {
	providers := func(names ...string) (out []types.CapacityProviderStrategyItem) {
		for _, n := range names {
			out = append(out, types.CapacityProviderStrategyItem{CapacityProvider: aws.String(n)})
		}
		return out
	}
	for _, c := range []struct {
		launch   types.LaunchType
		strategy []types.CapacityProviderStrategyItem
		want     place
	}{
		{types.LaunchTypeFargate, nil, onFargate},
		{types.LaunchTypeEc2, nil, onInstances},
		{types.LaunchTypeManagedInstances, nil, onInstances},
		{types.LaunchTypeExternal, nil, onExternal},
		{"", providers("FARGATE", "FARGATE_SPOT"), onFargate},
		{"", providers("mine"), onInstances},
		{"", providers("mine", "FARGATE"), onEither},
		{"", nil, onEither},
	} {
		if got := placed(c.launch, c.strategy); got != c.want {
			t.Errorf("%s %v: got %d, want %d", c.launch, c.strategy, got, c.want)
		}
	}
}

func TestManyServicesTakeFewCalls(t *testing.T) {
	e := &estate{definitions: nginx(awslogs())}
	for i := range 25 {
		e.services = append(e.services, service(fmt.Sprint("s", i), types.LaunchTypeFargate, func(s *types.Service) {
			s.TaskDefinition = aws.String(arn + "task-definition/web:1")
		}))
	}
	set := e.scan(t, "shop")
	for i := range 25 {
		record[*evidence.LogSource](t, set, evidence.ID(fmt.Sprintf("%s/s%d/nginx%s", shop, i, stdout)))
	}
	want := map[string]int{
		"ListClustersInput": 1, "DescribeClustersInput": 1, "ListServicesInput": 4, "DescribeServicesInput": 3, "DescribeTaskDefinitionInput": 1, "ListAccountSettingsInput": 1,
	}
	for call, n := range want {
		if e.asked[call] != n {
			t.Errorf("%s: called %d times, want %d", call, e.asked[call], n)
		}
	}
}

func TestASensorOnEveryInstanceWatchesThem(t *testing.T) {
	e := &estate{
		services: []types.Service{service("web", types.LaunchTypeEc2, func(s *types.Service) { s.SchedulingStrategy = types.SchedulingStrategyDaemon })},
		definitions: nginx(awslogs(), func(d *types.TaskDefinition) {
			d.ContainerDefinitions[0].Image = aws.String("falcosecurity/falco:0.41.0")
		}),
	}
	set := e.scan(t, "shop")
	sensor := record[*evidence.LogSource](t, set, web+"/events#process")
	if !slices.Equal(sensor.Covers, []evidence.ID{shop + ":instances"}) || len(sensor.To) != 1 || sensor.To[0].To != group {
		t.Errorf("got %+v", sensor)
	}
	if m := record[*evidence.Asset](t, set, shop+":instances"); say(m.Looked[evidence.Process]) != "true" {
		t.Errorf("looked: got %+v", m.Looked)
	}
}

func TestADatabaseLosesItsRecordsWithItsOutput(t *testing.T) {
	e := &estate{services: []types.Service{service("web", types.LaunchTypeFargate)}, definitions: nginx(nil, func(d *types.TaskDefinition) {
		d.ContainerDefinitions[0].Image = aws.String("postgres:17")
	})}
	set := e.scan(t)
	for _, id := range []evidence.ID{web + stdout, web + "/connections#database"} {
		if out := record[*evidence.LogSource](t, set, id); len(out.To) != 0 || say(out.Complete) != "true: Fargate keeps no output without a log driver" {
			t.Errorf("%s: got %+v, complete %s", id, out.To, say(out.Complete))
		}
	}
}

func TestNoSecretIsKept(t *testing.T) {
	for _, log := range []*types.LogConfiguration{
		awslogs(),
		{LogDriver: types.LogDriverSplunk, Options: map[string]string{"splunk-token": "hunter4", "splunk-url": "https://u:hunter5@splunk.example.net:8088"}},
		{LogDriver: types.LogDriverAwsfirelens, Options: map[string]string{"apikey": "hunter6"}},
	} {
		e := &estate{services: []types.Service{service("web", types.LaunchTypeFargate)}, definitions: nginx(log)}
		var out strings.Builder
		if err := evidence.Write(&out, e.scan(t, "shop")); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "hunter") {
			t.Errorf("%s: a secret is in the evidence:\n%s", log.LogDriver, out.String())
		}
	}
}

func TestWhatIsDeniedIsNotAssessed(t *testing.T) {
	on := func(s *types.Service) { s.EnableExecuteCommand = true }
	whole := func() *estate {
		return &estate{
			services: []types.Service{service("web", types.LaunchTypeFargate, on)}, definitions: nginx(awslogs("mode", "blocking")),
			tasks: []types.Task{{
				TaskArn: aws.String(arn + "task/shop/1"), Group: aws.String("family:web"), TaskDefinitionArn: aws.String(arn + "task-definition/web:1"),
				LaunchType: types.LaunchTypeFargate,
			}},
		}
	}
	passes := func(lines []string) (out []string) {
		for _, l := range lines {
			if strings.HasPrefix(l, "pass") {
				check, _, _ := strings.Cut(l, ": ")
				out = append(out, check)
			}
		}
		return out
	}
	const unseen = "aws:111122223333/eu-west-1//unseen/ECS-"
	before := passes(awstest.Judge(whole().scan(t, "shop")))
	for call, c := range map[string]struct {
		denied func(any) bool
		want   string // a line; of the access otherwise
		gap    bool
	}{
		"ecs:ListClusters":     {func(in any) bool { _, ok := in.(*ecs.ListClustersInput); return ok }, "not-assessed recorded-application " + unseen + "clusters: we may not call ecs:ListClusters", true},
		"ecs:ListServices":     {func(in any) bool { _, ok := in.(*ecs.ListServicesInput); return ok }, "not-assessed recorded-application " + unseen + "services-in-shop: we may not call ecs:ListServices", true},
		"ecs:DescribeServices": {func(in any) bool { _, ok := in.(*ecs.DescribeServicesInput); return ok }, "not-assessed recorded-application " + unseen + "services-in-shop: we may not call ecs:DescribeServices", true},
		"ecs:ListTasks":        {func(in any) bool { _, ok := in.(*ecs.ListTasksInput); return ok }, "not-assessed recorded-application " + unseen + "tasks-in-shop: we may not call ecs:ListTasks", true},
		"ecs:DescribeTasks":    {func(in any) bool { _, ok := in.(*ecs.DescribeTasksInput); return ok }, "not-assessed recorded-application " + unseen + "tasks-in-shop: we may not call ecs:DescribeTasks", true},
		"ecs:DescribeTaskDefinition": {
			func(in any) bool { _, ok := in.(*ecs.DescribeTaskDefinitionInput); return ok },
			"not-assessed recorded-application " + shop + "/web: we may not call ecs:DescribeTaskDefinition", false,
		},
		"ecs:DescribeClusters":    {func(in any) bool { _, ok := in.(*ecs.DescribeClustersInput); return ok }, "", false},
		"ecs:ListAccountSettings": {func(in any) bool { _, ok := in.(*ecs.ListAccountSettingsInput); return ok }, "", false},
	} {
		t.Run(call, func(t *testing.T) {
			e := whole()
			e.deny = c.denied
			set := e.scan(t, "shop")
			lines := awstest.Judge(set)
			if c.want != "" {
				has(t, lines, c.want)
			}
			if gap := len(set.Gaps) == 1 && set.Gaps[0].Why == evidence.Denied && set.Gaps[0].At.Call == call; gap != c.gap {
				t.Errorf("gaps: got %+v", set.Gaps)
			}
			for _, p := range passes(lines) {
				if !slices.Contains(before, p) {
					t.Errorf("a pass is new: %s", p)
				}
			}
			if call == "ecs:DescribeClusters" {
				if a := record[*evidence.Access](t, set, shop+"/web:exec"); say(a.Recorded) != "denied" {
					t.Errorf("recorded: got %s", say(a.Recorded))
				}
				record[*evidence.Asset](t, set, shop+"/task:web") // tasks are asked for where nobody said how many run
			}
		})
	}
}

func TestWhatIsGoneMeanwhileIsNotThere(t *testing.T) {
	for name, gone := range map[string]func(input any) (any, error){
		"the cluster is missing": func(input any) (any, error) {
			switch input.(type) {
			case *ecs.DescribeClustersInput:
				return &ecs.DescribeClustersOutput{Failures: []types.Failure{{Arn: aws.String(arn + "cluster/shop"), Reason: aws.String("MISSING")}}}, nil
			case *ecs.ListServicesInput, *ecs.ListTasksInput:
				return nil, awstest.Error("ClusterNotFoundException")
			}
			return nil, nil
		},
		"the cluster was deleted": func(input any) (any, error) {
			if _, ok := input.(*ecs.DescribeClustersInput); ok {
				return &ecs.DescribeClustersOutput{Clusters: []types.Cluster{{ClusterArn: aws.String(arn + "cluster/shop"), Status: aws.String("INACTIVE")}}}, nil
			}
			return nil, nil
		},
		"the cluster goes before its services are listed": func(input any) (any, error) {
			switch input.(type) {
			case *ecs.ListServicesInput, *ecs.ListTasksInput:
				return nil, awstest.Error("ClusterNotFoundException")
			}
			return nil, nil
		},
		"the service is missing": func(input any) (any, error) {
			if _, ok := input.(*ecs.DescribeServicesInput); ok {
				return &ecs.DescribeServicesOutput{Failures: []types.Failure{{Arn: aws.String(arn + "service/shop/web"), Reason: aws.String("MISSING")}}}, nil
			}
			return nil, nil
		},
		"the service was deleted": func(input any) (any, error) {
			if _, ok := input.(*ecs.DescribeServicesInput); ok {
				return &ecs.DescribeServicesOutput{Services: []types.Service{service("web", types.LaunchTypeFargate, func(s *types.Service) {
					s.Status, s.RunningCount = aws.String("INACTIVE"), 0
				})}}, nil
			}
			return nil, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := &estate{services: []types.Service{service("web", types.LaunchTypeFargate)}, definitions: nginx(awslogs())}
			set := awstest.Scan(t, func(region string, input any) (any, error) {
				if out, err := gone(input); out != nil || err != nil {
					return out, err
				}
				return e.answer(region, input)
			}, nil, Service(), groups(nil, "shop"))
			if lines := awstest.Judge(set); len(set.Gaps) != 0 || len(lines) != 0 {
				t.Errorf("got %v, %s", set.Gaps, strings.Join(lines, "\n"))
			}
			want := 2 // the account and the region
			if strings.HasPrefix(name, "the service") {
				want = 3 // and the cluster
			}
			if len(set.Records) != want {
				t.Errorf("got %d records, want %d", len(set.Records), want)
			}
		})
	}
}

func TestWhatAnAnswerLeavesOutIsNotAssessed(t *testing.T) {
	for name, partial := range map[string]func(input any) any{
		"a service is refused": func(input any) any {
			if _, ok := input.(*ecs.DescribeServicesInput); ok {
				return &ecs.DescribeServicesOutput{Failures: []types.Failure{{Arn: aws.String(arn + "service/shop/web"), Reason: aws.String("INTERNAL")}}}
			}
			return nil
		},
		"a service is left out": func(input any) any {
			if _, ok := input.(*ecs.DescribeServicesInput); ok {
				return &ecs.DescribeServicesOutput{}
			}
			return nil
		},
		"a task is refused": func(input any) any {
			switch input.(type) {
			case *ecs.DescribeServicesInput:
				return &ecs.DescribeServicesOutput{Failures: []types.Failure{{Arn: aws.String(arn + "service/shop/web"), Reason: aws.String("MISSING")}}}
			case *ecs.ListTasksInput:
				return &ecs.ListTasksOutput{TaskArns: []string{arn + "task/shop/1"}}
			case *ecs.DescribeTasksInput:
				return &ecs.DescribeTasksOutput{Failures: []types.Failure{{Arn: aws.String(arn + "task/shop/1"), Reason: aws.String("INTERNAL")}}}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := &estate{services: []types.Service{service("web", types.LaunchTypeFargate)}, definitions: nginx(awslogs())}
			set := awstest.Scan(t, func(region string, input any) (any, error) {
				if out := partial(input); out != nil {
					return out, nil
				}
				return e.answer(region, input)
			}, nil, Service(), groups(nil, "shop"))
			what, call := "services", "ecs:DescribeServices"
			if name == "a task is refused" {
				what, call = "tasks", "ecs:DescribeTasks"
			}
			has(t, awstest.Judge(set), "not-assessed recorded-application aws:111122223333/eu-west-1//unseen/ECS-"+what+"-in-shop: ")
			if len(set.Gaps) != 1 || set.Gaps[0].Why != evidence.Failed || set.Gaps[0].At.Call != call || set.Gaps[0].In != shop {
				t.Errorf("gaps: %v", set.Gaps)
			}
		})
	}
}

func TestWhatAnAnswerHoldsIsReadThoughItLeavesSomeOut(t *testing.T) {
	e := &estate{services: []types.Service{service("web", types.LaunchTypeFargate), service("api", types.LaunchTypeFargate)}, definitions: nginx(awslogs())}
	set := awstest.Scan(t, func(region string, input any) (any, error) {
		switch in := input.(type) {
		case *ecs.DescribeClustersInput:
			return &ecs.DescribeClustersOutput{Failures: []types.Failure{{Arn: aws.String(in.Clusters[0]), Reason: aws.String("INTERNAL")}}}, nil
		case *ecs.DescribeServicesInput:
			return &ecs.DescribeServicesOutput{
				Services: []types.Service{service("web", types.LaunchTypeFargate, func(s *types.Service) { s.EnableExecuteCommand = true })},
				Failures: []types.Failure{{Arn: aws.String(arn + "service/api"), Reason: aws.String("INTERNAL")}}, // an ARN without the cluster
			}, nil
		}
		return e.answer(region, input)
	}, nil, Service(), groups(nil, "shop"))
	const why = `the answer names a failure, "INTERNAL"`
	if a := record[*evidence.Access](t, set, shop+"/web:exec"); say(a.Recorded) != "failed: "+why {
		t.Errorf("recorded: got %s", say(a.Recorded))
	}
	record[*evidence.LogSource](t, set, web+stdout)
	if len(set.Gaps) != 1 || set.Gaps[0].Asked != "ECS services" || set.Gaps[0].Err != why {
		t.Errorf("gaps: %v", set.Gaps)
	}
}

func TestAnAccountWithoutClustersHasNoRecords(t *testing.T) {
	set := awstest.Scan(t, func(string, any) (any, error) { return nil, nil }, nil, Service(), groups(nil))
	if len(set.Records) != 2 || len(set.Gaps) != 0 { // the account and the region
		t.Errorf("got %d records, gaps %v", len(set.Records), set.Gaps)
	}
}

func TestADefinitionFullOfNothingIsNoPanic(t *testing.T) {
	e := &estate{services: []types.Service{{}, service("web", types.LaunchTypeEc2)}, definitions: map[string]types.TaskDefinition{"web:1": {
		ContainerDefinitions: []types.ContainerDefinition{{
			LogConfiguration: &types.LogConfiguration{}, MountPoints: []types.MountPoint{{}}, VolumesFrom: []types.VolumeFrom{{}},
			Environment: []types.KeyValuePair{{}}, Secrets: []types.Secret{{}}, LinuxParameters: &types.LinuxParameters{Tmpfs: []types.Tmpfs{{}}},
		}},
	}}}
	e.services[0].ServiceArn = aws.String("x")
	e.scan(t)
}
