package instance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/kms"
	"lookback/scanners/aws/scope"
)

const (
	web = evidence.ID("aws:111122223333/eu-west-1//instance/i-1")
	key = "arn:aws:kms:eu-west-1:111122223333:key/1"
)

// A region is what the answers of a test hold. The zero one has no instance.
type region struct {
	instances []types.Instance
	volumes   []types.Volume
	key       kmstypes.KeyMetadata
	groups    []astypes.AutoScalingGroup
	hooks     []astypes.LifecycleHook
	nodes     []ssmtypes.InstanceInformation
	document  string              // "" for none
	software  map[string][]string // by instance
}

// good is a region with one instance of which everything can be had, and changes to it.
func good(change ...func(*region)) region {
	r := region{
		instances: []types.Instance{{
			InstanceId: aws.String("i-1"), State: &types.InstanceState{Name: types.InstanceStateNameRunning},
			Tags:                []types.Tag{{Key: aws.String("Name"), Value: aws.String("web")}},
			BlockDeviceMappings: []types.InstanceBlockDeviceMapping{mapping("vol-1", false)},
		}},
		volumes:  []types.Volume{volumeOf("vol-1", key), volumeOf("vol-9", "arn:aws:kms:eu-west-1:111122223333:key/of-no-instance")},
		key:      kmstypes.KeyMetadata{KeyId: aws.String("1"), KeyState: kmstypes.KeyStateEnabled, KeyManager: kmstypes.KeyManagerTypeCustomer},
		nodes:    []ssmtypes.InstanceInformation{nodeOf("i-1")},
		document: `{"inputs": {"s3BucketName": "sessions", "cloudWatchStreamingEnabled": true}}`,
		software: map[string][]string{"i-1": {"bash", "sysmonforlinux"}},
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

func mapping(volume string, deleted bool) types.InstanceBlockDeviceMapping {
	return types.InstanceBlockDeviceMapping{Ebs: &types.EbsInstanceBlockDevice{VolumeId: aws.String(volume), DeleteOnTermination: aws.Bool(deleted)}}
}

func volumeOf(id, key string) types.Volume {
	v := types.Volume{VolumeId: aws.String(id), Encrypted: aws.Bool(key != "")}
	if key != "" {
		v.KmsKeyId = aws.String(key)
	}
	return v
}

func nodeOf(id string) ssmtypes.InstanceInformation {
	return ssmtypes.InstanceInformation{InstanceId: aws.String(id), PingStatus: ssmtypes.PingStatusOnline, PlatformType: ssmtypes.PlatformTypeLinux}
}

// dies makes the volume end with its instance, in an Auto Scaling group if it has a name.
func dies(group string) func(*region) {
	return func(r *region) {
		r.instances[0].BlockDeviceMappings = []types.InstanceBlockDeviceMapping{mapping("vol-1", true)}
		if group != "" {
			r.groups = []astypes.AutoScalingGroup{
				{AutoScalingGroupName: aws.String(group), Instances: []astypes.Instance{{InstanceId: aws.String("i-1")}}},
				{AutoScalingGroupName: aws.String("of nobody")},
			}
		}
	}
}

func hooked(transition string) func(*region) {
	return func(r *region) {
		r.hooks = []astypes.LifecycleHook{{LifecycleHookName: aws.String("snapshot"), LifecycleTransition: aws.String("autoscaling:EC2_INSTANCE_" + transition)}}
	}
}

func (r region) answer(_ string, input any) (any, error) {
	switch in := input.(type) {
	case *ec2.DescribeInstancesInput:
		return &ec2.DescribeInstancesOutput{Reservations: []types.Reservation{{Instances: r.instances}}}, nil
	case *ec2.DescribeVolumesInput:
		return &ec2.DescribeVolumesOutput{Volumes: r.volumes}, nil
	case *awskms.DescribeKeyInput:
		return &awskms.DescribeKeyOutput{KeyMetadata: &r.key}, nil
	case *autoscaling.DescribeAutoScalingGroupsInput:
		return &autoscaling.DescribeAutoScalingGroupsOutput{AutoScalingGroups: r.groups}, nil
	case *autoscaling.DescribeLifecycleHooksInput:
		return &autoscaling.DescribeLifecycleHooksOutput{LifecycleHooks: r.hooks}, nil
	case *ssm.DescribeInstanceInformationInput:
		return &ssm.DescribeInstanceInformationOutput{InstanceInformationList: r.nodes}, nil
	case *ssm.GetDocumentInput:
		if r.document == "" {
			return nil, awstest.Error("InvalidDocument")
		}
		return &ssm.GetDocumentOutput{Content: aws.String(r.document)}, nil
	case *ssm.GetInventoryInput:
		return r.inventory(in.Filters[0]), nil
	}
	return nil, nil
}

// inventory returns the instances that have software which a filter takes. As the service does, it returns no software.
func (r region) inventory(f ssmtypes.InventoryFilter) *ssm.GetInventoryOutput {
	out := &ssm.GetInventoryOutput{}
	for id, names := range r.software {
		if slices.ContainsFunc(names, func(name string) bool {
			return slices.ContainsFunc(f.Values, func(v string) bool {
				return name == v || f.Type == ssmtypes.InventoryQueryOperatorTypeBeginWith && strings.HasPrefix(name, v)
			})
		}) {
			out.Entities = append(out.Entities, ssmtypes.InventoryResultEntity{Id: aws.String(id)})
		}
	}
	return out
}

// without refuses the calls of one type of input.
func without[I any](answer awstest.Answer) awstest.Answer {
	return func(where string, input any) (any, error) {
		if _, is := input.(I); is {
			return nil, awstest.Denied()
		}
		return answer(where, input)
	}
}

func scan(t *testing.T, answer awstest.Answer, more ...scope.Service) *evidence.Set {
	t.Helper()
	return awstest.Scan(t, answer, nil, append(more, Service(), kms.Service())...)
}

// outcomes are what checks say of the instance, by check: "pass".
func outcomes(set *evidence.Set) map[string]string {
	out := map[string]string{}
	for _, line := range awstest.Judge(set) {
		words := strings.SplitN(line, " ", 3)
		out[words[1]] = words[0]
	}
	return out
}

func access(t *testing.T, set *evidence.Set, means evidence.Means) *evidence.Access {
	t.Helper()
	for _, r := range set.Records {
		if a, ok := r.(*evidence.Access); ok && a.Of == web && a.Means == means {
			return a
		}
	}
	t.Fatalf("%s of the instance is not recorded", means)
	return nil
}

func asset(t *testing.T, set *evidence.Set) *evidence.Asset {
	t.Helper()
	for _, r := range set.Records {
		if a, ok := r.(*evidence.Asset); ok && a.ID == web {
			return a
		}
	}
	t.Fatal("the instance is not recorded")
	return nil
}

// is holds a fact: "true", "false", "moot" or why it is unknown; and a word of its note.
func is(t *testing.T, what string, v evidence.Value[bool], want, note string) {
	t.Helper()
	got := v.Why().String()
	if b, known := v.Get(); known {
		got = fmt.Sprint(b)
	} else if v.IsMoot() {
		got = "moot"
	}
	if got != want || !strings.Contains(v.At().Note, note) {
		t.Errorf("%s: got %s (%s), want %s (%s)", what, got, v.At().Note, want, note)
	}
}

func TestAnInstanceOfWhichEverythingCanBeHad(t *testing.T) {
	set := scan(t, good().answer)
	got := outcomes(set)
	for _, check := range []string{"disk", "disk-elsewhere", "memory", "shell", "session-recorded", "deletion-guard"} {
		if got["acquirable-"+check] != "pass" {
			t.Errorf("acquirable-%s: %s", check, got["acquirable-"+check])
		}
	}
	if got["watched-processes"] != "not-assessed" || got["watched-event-classes"] != "not-assessed" || got["watched-every-node"] != "" {
		t.Errorf("an installed sensor: %v", got)
	}
	if a := asset(t, set); !a.Host || a.Lasting || a.Name != "web" {
		t.Errorf("%v", a)
	}
	if at := access(t, set, evidence.MeansShell).Allowed.At(); at.Call != "ssm:DescribeInstanceInformation" || at.Of != "eu-west-1/i-1" {
		t.Errorf("the shell was seen at %v", at)
	}
	is(t, "sensors", asset(t, set).Looked[evidence.Process], "true", "")
}

func TestKeysDecideWhereADiskMayGo(t *testing.T) {
	for name, test := range map[string]struct {
		change          func(*region)
		disk, elsewhere string
		note            string
	}{
		"not encrypted":                                   {func(r *region) { r.volumes = []types.Volume{volumeOf("vol-1", "")} }, "true", "true", ""},
		"the key of AWS":                                  {func(r *region) { r.key.KeyManager = kmstypes.KeyManagerTypeAws }, "true", "false", "the key that AWS manages"},
		"a key about to be deleted":                       {func(r *region) { r.key.KeyState = kmstypes.KeyStatePendingDeletion }, "false", "false", "about to be deleted"},
		"a key that is not named":                         {func(r *region) { r.volumes[0].KmsKeyId = nil }, "unfamiliar", "unfamiliar", "does not name its key"},
		"a volume that is not shown":                      {func(r *region) { r.volumes = nil }, "elsewhere", "elsewhere", "not shown"},
		"instance store":                                  {func(r *region) { r.instances[0].BlockDeviceMappings = []types.InstanceBlockDeviceMapping{{}} }, "false", "false", "nothing to take a snapshot of"},
		"a root disk in the instance store, and a volume": {func(r *region) { r.instances[0].RootDeviceType = types.DeviceTypeInstanceStore }, "false", "false", "there is no snapshot of its root disk"},
		"one of two volumes is not seen": {func(r *region) {
			r.instances[0].BlockDeviceMappings = append(r.instances[0].BlockDeviceMappings, mapping("vol-2", false))
		}, "elsewhere", "elsewhere", ""},
	} {
		t.Run(name, func(t *testing.T) {
			set := scan(t, good(test.change).answer)
			is(t, "disk", access(t, set, evidence.MeansDisk).Allowed, test.disk, "")
			is(t, "disk elsewhere", access(t, set, evidence.MeansDiskElsewhere).Allowed, test.elsewhere, test.note)
			if name == "instance store" {
				is(t, "guard", access(t, set, evidence.MeansDisk).Guarded, "moot", "")
			}
		})
	}
}

func TestWhatGuardsADisk(t *testing.T) {
	for name, test := range map[string]struct {
		change     []func(*region)
		want, note string
	}{
		"kept":                      {nil, "true", ""},
		"deleted with its instance": {[]func(*region){dies("")}, "false", "volume vol-1 is deleted with it"},
		"in a group":                {[]func(*region){dies("web")}, "false", `"web" ends it without a lifecycle hook`},
		"in a group that waits":     {[]func(*region){dies("web"), hooked("TERMINATING")}, "true", `"snapshot" waits`},
		"a hook for another moment": {[]func(*region){dies("web"), hooked("LAUNCHING")}, "false", ""},
		"nobody says":               {[]func(*region){func(r *region) { r.instances[0].BlockDeviceMappings[0].Ebs.DeleteOnTermination = nil }}, "unfamiliar", "vol-1"},
		"nobody says, in a group": {[]func(*region){dies("web"), func(r *region) {
			r.instances[0].BlockDeviceMappings[0].Ebs.DeleteOnTermination = nil
		}}, "unfamiliar", "vol-1"},
		"one of two is kept": {[]func(*region){dies(""), func(r *region) {
			r.instances[0].BlockDeviceMappings = append(r.instances[0].BlockDeviceMappings, mapping("vol-2", false))
		}}, "false", "vol-1"},
	} {
		t.Run(name, func(t *testing.T) {
			is(t, "guard", access(t, scan(t, good(test.change...).answer), evidence.MeansDisk).Guarded, test.want, test.note)
		})
	}
}

func TestSystemsManagerDecidesOverShellAndMemory(t *testing.T) {
	for name, test := range map[string]struct {
		change                  func(*region)
		shell, memory, recorded string
		note                    string
	}{
		"not managed": {func(r *region) { r.nodes = nil }, "false", "false", "moot", "does not manage it"},
		"its agent is silent": {func(r *region) {
			r.nodes[0].PingStatus, r.nodes[0].LastPingDateTime = ssmtypes.PingStatusConnectionLost, aws.Time(time.Date(2026, 5, 1, 8, 30, 0, 0, time.UTC))
		}, "false", "false", "moot", "since 2026-05-01 08:30"},
		"just started": {func(r *region) { r.nodes, r.instances[0].LaunchTime = nil, aws.Time(awstest.Now.Add(-3*time.Minute)) }, "elsewhere", "elsewhere", "elsewhere", "started at 11:57"},
		"just started once more": {func(r *region) {
			r.nodes[0].PingStatus, r.instances[0].LaunchTime = ssmtypes.PingStatusConnectionLost, aws.Time(awstest.Now.Add(-3*time.Minute))
		}, "elsewhere", "elsewhere", "elsewhere", "started at 11:57"},
		"just started, and it spoke": {func(r *region) { r.instances[0].LaunchTime = aws.Time(awstest.Now.Add(-3 * time.Minute)) }, "true", "true", "true", ""},
		"started long ago":           {func(r *region) { r.nodes, r.instances[0].LaunchTime = nil, aws.Time(awstest.Now.Add(-time.Hour)) }, "false", "false", "moot", "does not manage it"},
		"its agent never spoke":      {func(r *region) { r.nodes[0].PingStatus = ssmtypes.PingStatusInactive }, "false", "false", "moot", "does not answer"},
		"a Mac":                      {func(r *region) { r.nodes[0].PlatformType = ssmtypes.PlatformTypeMacos }, "true", "unfamiliar", "true", ""},
	} {
		t.Run(name, func(t *testing.T) {
			set := scan(t, good(test.change).answer)
			is(t, "shell", access(t, set, evidence.MeansShell).Allowed, test.shell, test.note)
			is(t, "memory", access(t, set, evidence.MeansMemory).Allowed, test.memory, "")
			is(t, "sessions", access(t, set, evidence.MeansShell).Recorded, test.recorded, "")
		})
	}
}

func TestWhetherSessionsAreRecorded(t *testing.T) {
	groups := func(names ...string) scope.Service {
		return scope.Service{Name: "groups", Region: func(_ context.Context, s *scope.Scope) {
			all := map[string]scope.Group{}
			for _, n := range names {
				all[n] = scope.Group{}
			}
			s.SetGroups(all, nil)
		}}
	}
	const group = `{"inputs": {"s3BucketName": "", "cloudWatchLogGroupName": "sessions"}}`
	for name, test := range map[string]struct {
		document   string
		groups     scope.Service
		want, note string
	}{
		"to a bucket":                   {good().document, groups(), "true", "not what goes through port forwarding"},
		"to a log group":                {group, groups("sessions"), "true", ""},
		"to a log group that is gone":   {group, groups(), "false", "does not exist"},
		"to a log group nobody saw":     {group, scope.Service{Name: "none", Region: func(context.Context, *scope.Scope) {}}, "failed", ""},
		"to a log group, and a bucket":  {`{"inputs": {"s3BucketName": "b", "cloudWatchLogGroupName": "sessions"}}`, groups(), "true", ""},
		"nowhere":                       {`{"inputs": {"kmsKeyId": "k", "runAsEnabled": true}}`, groups(), "false", ""},
		"no preferences":                {"", groups(), "false", "AWS default"},
		"preferences of another format": {"inputs:", groups(), "unfamiliar", "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			set := scan(t, good(func(r *region) { r.document = test.document }).answer, test.groups)
			is(t, "sessions", access(t, set, evidence.MeansShell).Recorded, test.want, test.note)
		})
	}
}

func TestSensorsAreLookedForInTheInventory(t *testing.T) {
	for name, test := range map[string]struct {
		change             func(*region)
		looked, note, want string
	}{
		"none that is known": {func(r *region) { r.software["i-1"] = []string{"bash"} }, "true", "no sensor that lookback knows", "fail"},
		"no inventory":       {func(r *region) { r.software = nil }, "elsewhere", "no inventory", "not-assessed"},
		"not managed":        {func(r *region) { r.nodes = nil }, "elsewhere", "no inventory", "not-assessed"},
		"Windows": {func(r *region) {
			r.software["i-1"] = []string{"Amazon SSM Agent"}
			r.nodes[0].PlatformType = ssmtypes.PlatformTypeWindows
		}, "elsewhere", "on Windows", "not-assessed"},
		"Windows with a sensor": {func(r *region) {
			r.software["i-1"] = []string{"Amazon SSM Agent", "CrowdStrike Windows Sensor"}
			r.nodes[0].PlatformType = ssmtypes.PlatformTypeWindows
		}, "elsewhere", "on Windows", "not-assessed"},
	} {
		t.Run(name, func(t *testing.T) {
			set := scan(t, good(test.change).answer)
			is(t, "sensors", asset(t, set).Looked[evidence.Process], test.looked, test.note)
			if got := outcomes(set)["watched-processes"]; got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestEachSensorIsASource(t *testing.T) {
	var ids []string
	for _, r := range scan(t, good(func(r *region) { r.software["i-1"] = []string{"bash", "auditd", "falcon-sensor"} }).answer).Records {
		if s, ok := r.(*evidence.LogSource); ok {
			ids = append(ids, string(s.ID))
			if s.Enabled.Why() != evidence.Elsewhere || !strings.Contains(s.Enabled.At().Note, "decided on the machine") || !slices.Contains(s.Covers, web) {
				t.Errorf("%v", s)
			}
		}
	}
	if want := []string{string(web) + "/auditd#process", string(web) + "/crowdstrike#process"}; !slices.Equal(ids, want) {
		t.Errorf("got %v, want %v", ids, want)
	}
}

func TestAStoppedInstanceHasADiskAlone(t *testing.T) {
	set := scan(t, good(func(r *region) { r.instances[0].State.Name = types.InstanceStateNameStopped }).answer)
	access(t, set, evidence.MeansDisk)
	for _, r := range set.Records {
		if a, ok := r.(*evidence.Access); ok && (a.Means == evidence.MeansShell || a.Means == evidence.MeansMemory) {
			t.Errorf("%v", a)
		}
	}
	if _, looked := asset(t, set).Looked[evidence.Process]; looked {
		t.Error("it is asked for sensors")
	}
}

func TestATerminatedInstanceIsNotThere(t *testing.T) {
	set := scan(t, good(func(r *region) { r.instances[0].State.Name = types.InstanceStateNameTerminated }).answer)
	if len(set.Records) != 2 {
		t.Errorf("%v", set.Records)
	}
}

func TestAnEmptyRegionIsAskedOneThing(t *testing.T) {
	calls := 0
	scan(t, func(string, any) (any, error) {
		calls++
		return nil, nil
	})
	if calls != 1 {
		t.Errorf("%d calls", calls)
	}
}

func TestWhatIsDeniedWinsNoPass(t *testing.T) {
	for name, change := range map[string][]func(*region){
		"good": nil,
		"bad": {dies("web"), func(r *region) {
			r.key.KeyState, r.key.KeyManager = kmstypes.KeyStateDisabled, kmstypes.KeyManagerTypeAws
			r.document, r.software = "", map[string][]string{"i-1": {"bash"}}
		}},
		"hooked": {dies("web"), hooked("TERMINATING"), func(r *region) { r.nodes = nil }},
	} {
		answer := good(change...).answer
		all := outcomes(scan(t, answer))
		for call, test := range map[string]struct {
			denied awstest.Answer
			blinds string
		}{
			"ec2:DescribeVolumes":                   {without[*ec2.DescribeVolumesInput](answer), "acquirable-disk"},
			"kms:DescribeKey":                       {without[*awskms.DescribeKeyInput](answer), "acquirable-disk-elsewhere"},
			"autoscaling:DescribeAutoScalingGroups": {without[*autoscaling.DescribeAutoScalingGroupsInput](answer), "acquirable-deletion-guard"},
			"autoscaling:DescribeLifecycleHooks":    {without[*autoscaling.DescribeLifecycleHooksInput](answer), "acquirable-deletion-guard"},
			"ssm:DescribeInstanceInformation":       {without[*ssm.DescribeInstanceInformationInput](answer), "acquirable-shell"},
			"ssm:GetDocument":                       {without[*ssm.GetDocumentInput](answer), "acquirable-session-recorded"},
			"ssm:GetInventory":                      {without[*ssm.GetInventoryInput](answer), "watched-processes"},
		} {
			t.Run(name+" "+call, func(t *testing.T) {
				got := outcomes(scan(t, test.denied))
				for check, was := range all {
					if got[check] != was && got[check] != "not-assessed" && was != "not-assessed" {
						t.Errorf("%s was %s, and is %q", check, was, got[check])
					}
				}
				for check, now := range got {
					if now == "pass" && all[check] != "pass" {
						t.Errorf("%s was %q, and passes", check, all[check])
					}
				}
				if name == "bad" && (all[test.blinds] == "not-assessed" || got[test.blinds] != "not-assessed") {
					t.Errorf("%s was %s, and is %s", test.blinds, all[test.blinds], got[test.blinds])
				}
			})
		}
	}
}

func TestInstancesThatCannotBeListedAreAGap(t *testing.T) {
	set := scan(t, without[*ec2.DescribeInstancesInput](good().answer))
	if len(set.Gaps) != 1 || set.Gaps[0].Why != evidence.Denied || set.Gaps[0].At.Call != "ec2:DescribeInstances" {
		t.Errorf("gaps: %v", set.Gaps)
	}
}

func TestWhatCameBeforeAPageFailedIsKept(t *testing.T) {
	set := scan(t, func(where string, input any) (any, error) {
		switch in := input.(type) {
		case *ec2.DescribeInstancesInput:
			if in.NextToken != nil {
				return nil, awstest.Error("InternalError")
			}
			return &ec2.DescribeInstancesOutput{Reservations: []types.Reservation{{Instances: good().instances}}, NextToken: aws.String("2")}, nil
		case *ssm.DescribeInstanceInformationInput:
			if in.NextToken != nil {
				return nil, awstest.Error("InternalServerError")
			}
			return &ssm.DescribeInstanceInformationOutput{InstanceInformationList: []ssmtypes.InstanceInformation{nodeOf("i-1")}, NextToken: aws.String("2")}, nil
		}
		return good().answer(where, input)
	})
	if len(set.Gaps) != 1 || set.Gaps[0].Why != evidence.Failed {
		t.Errorf("gaps: %v", set.Gaps)
	}
	is(t, "shell", access(t, set, evidence.MeansShell).Allowed, "true", "")
}

func TestSeveralPagesAreRead(t *testing.T) {
	set := scan(t, func(where string, input any) (any, error) {
		switch in := input.(type) {
		case *ec2.DescribeVolumesInput:
			if in.NextToken == nil {
				return &ec2.DescribeVolumesOutput{NextToken: aws.String("2")}, nil
			}
		case *ssm.DescribeInstanceInformationInput:
			if in.NextToken == nil {
				return &ssm.DescribeInstanceInformationOutput{NextToken: aws.String("2")}, nil
			}
		case *ssm.GetInventoryInput:
			if in.NextToken == nil {
				return &ssm.GetInventoryOutput{NextToken: aws.String("2")}, nil
			}
		case *autoscaling.DescribeAutoScalingGroupsInput:
			if in.NextToken == nil {
				return &autoscaling.DescribeAutoScalingGroupsOutput{NextToken: aws.String("2")}, nil
			}
		}
		return good(dies("web"), hooked("TERMINATING")).answer(where, input)
	})
	is(t, "disk", access(t, set, evidence.MeansDisk).Allowed, "true", "")
	is(t, "guard", access(t, set, evidence.MeansDisk).Guarded, "true", "snapshot")
	is(t, "shell", access(t, set, evidence.MeansShell).Allowed, "true", "")
	is(t, "sensors", asset(t, set).Looked[evidence.Process], "true", "")
}
