package guardduty

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/guardduty"
	"github.com/aws/aws-sdk-go-v2/service/guardduty/types"
	hub "github.com/aws/aws-sdk-go-v2/service/securityhub"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/awstest/sourcetest"
	"lookback/scanners/aws/securityhub"
)

type estate struct {
	none, noHub bool
	status      types.DetectorStatus
	export      types.PublishingStatus // "" for none
	runtime     bool
	covered     []types.CoverageResource // nil for a machine and a cluster
	denied      string
}

func (e estate) answer(_ string, input any) (any, error) {
	refused := func(op string) bool { return e.denied == op }
	switch in := input.(type) {
	case *guardduty.ListDetectorsInput:
		if refused("list") {
			return nil, awstest.Denied()
		}
		if !e.none {
			return &guardduty.ListDetectorsOutput{DetectorIds: []string{"d1"}}, nil
		}
	case *guardduty.GetDetectorInput:
		if refused("get") {
			return nil, awstest.Denied()
		}
		out := &guardduty.GetDetectorOutput{Status: e.status, CreatedAt: aws.String("2024-01-02T03:04:05.678Z")}
		if e.runtime {
			out.Features = []types.DetectorFeatureConfigurationResult{{Name: types.DetectorFeatureResultRuntimeMonitoring, Status: types.FeatureStatusEnabled}}
		}
		return out, nil
	case *guardduty.ListPublishingDestinationsInput:
		if refused("destinations") {
			return nil, awstest.Denied()
		}
		if e.export != "" {
			return &guardduty.ListPublishingDestinationsOutput{Destinations: []types.Destination{{DestinationId: aws.String("x")}}}, nil
		}
	case *guardduty.DescribePublishingDestinationInput:
		if refused("destination") {
			return nil, awstest.Denied()
		}
		return &guardduty.DescribePublishingDestinationOutput{Status: e.export, DestinationProperties: &types.DestinationProperties{DestinationArn: aws.String("arn:aws:s3:::archive/findings/")}}, nil
	case *guardduty.ListCoverageInput:
		if refused("coverage") {
			return nil, awstest.Denied()
		}
		if e.covered != nil {
			return &guardduty.ListCoverageOutput{Resources: e.covered}, nil
		}
		if in.NextToken == nil {
			return &guardduty.ListCoverageOutput{NextToken: aws.String("more"), Resources: []types.CoverageResource{
				{CoverageStatus: types.CoverageStatusHealthy, ResourceDetails: &types.CoverageResourceDetails{Ec2InstanceDetails: &types.CoverageEc2InstanceDetails{InstanceId: aws.String("i-1")}}},
			}}, nil
		}
		return &guardduty.ListCoverageOutput{Resources: []types.CoverageResource{
			{CoverageStatus: types.CoverageStatusUnhealthy, Issue: aws.String("No agent reporting"), ResourceDetails: &types.CoverageResourceDetails{EksClusterDetails: &types.CoverageEksClusterDetails{ClusterName: aws.String("batch")}}},
			{},
			{AccountId: aws.String("444455556666"), CoverageStatus: types.CoverageStatusHealthy, ResourceDetails: &types.CoverageResourceDetails{EksClusterDetails: &types.CoverageEksClusterDetails{ClusterName: aws.String("batch")}}},
		}}, nil
	case *hub.DescribeHubInput:
		if refused("hub") {
			return nil, awstest.Denied()
		}
		if e.noHub {
			return nil, awstest.Error("InvalidAccessException")
		}
	}
	return nil, nil
}

func (e estate) scan(t *testing.T) *evidence.Set {
	t.Helper()
	return awstest.Scan(t, e.answer, nil, Service(), securityhub.Service())
}

func sources(set *evidence.Set, a evidence.Activity) (out []*evidence.LogSource) {
	for _, r := range set.Records {
		if s, ok := r.(*evidence.LogSource); ok && s.Activity == a {
			out = append(out, s)
		}
	}
	return out
}

func told(sources []*evidence.LogSource) []string {
	set := &evidence.Set{}
	for _, s := range sources {
		s.Parts = nil
		set.Records = append(set.Records, s)
	}
	return sourcetest.Sources(set)
}

func TestWhatNobodyMaySeeMayWatch(t *testing.T) {
	for denied, c := range map[string]struct {
		unseen, call string
		detectors    []string // that were listed
	}{
		"list": {"GuardDuty detectors", "guardduty:ListDetectors eu-west-1", nil},
		"get": {"GuardDuty agents", "guardduty:GetDetector eu-west-1/d1", []string{
			"guardduty#detection: denied (guardduty:GetDetector eu-west-1/d1) -> guardduty/findings",
		}},
	} {
		set := estate{status: "ENABLED", noHub: true, denied: denied}.scan(t)
		thing := "unseen/" + strings.ReplaceAll(c.unseen, " ", "-")
		blind := func(a evidence.Activity) string {
			return fmt.Sprintf("%s#%s: denied (%s) -> %[1]s/records; perhaps elsewhere: denied", thing, a, c.call)
		}
		sourcetest.Want(t, denied+", detection", told(sources(set, evidence.Detection)), append(c.detectors, blind(evidence.Detection))...)
		sourcetest.Want(t, denied+", processes", told(sources(set, evidence.Process)), blind(evidence.Process))
		sourcetest.Want(t, denied+", gaps", sourcetest.Gaps(set), "aws:111122223333/eu-west-1//region: "+c.unseen+": denied")
	}
}

func TestNoRefusedCallMakesAnythingPass(t *testing.T) {
	// Without agents: what they run on is read by others, and not judged without them.
	for _, e := range []estate{{status: "ENABLED", export: "PUBLISHING"}, {status: "ENABLED", noHub: true}, {status: "DISABLED", noHub: true}, {none: true}} {
		sourcetest.DenyEach(t, e.answer, Service(), securityhub.Service())
	}
}

func TestADetectorIsJudged(t *testing.T) {
	for name, test := range map[string]struct {
		e    estate
		want string
	}{
		"on":         {estate{status: "ENABLED"}, "pass watched-detector"},
		"kept":       {estate{status: "ENABLED", noHub: true}, "GuardDuty's store of findings in eu-west-1 promises 90 days; policy asks 365"},
		"suspended":  {estate{status: "DISABLED"}, "fail watched-detector"},
		"none":       {estate{none: true}, "fail watched-detector"},
		"not listed": {estate{denied: "list"}, "not-assessed watched-detector"},
		"not told":   {estate{denied: "get"}, "not-assessed watched-detector"},
	} {
		if got := strings.Join(awstest.Judge(test.e.scan(t)), "\n"); !strings.Contains(got, test.want) {
			t.Errorf("%s: want %s in\n%s", name, test.want, got)
		}
	}
}

func TestTheAgentSaysOnWhichNodesItRuns(t *testing.T) {
	n := aws.Int64
	machine := &types.CoverageResourceDetails{Ec2InstanceDetails: &types.CoverageEc2InstanceDetails{InstanceId: aws.String("i-1")}}
	for name, test := range map[string]struct {
		of   types.CoverageResource
		runs bool
		on   string
	}{
		"a machine":  {types.CoverageResource{CoverageStatus: types.CoverageStatusHealthy, ResourceDetails: machine}, true, "moot"},
		"every node": {cluster(types.CoverageStatusHealthy, n(3), n(3)), true, "all"},
		"some nodes": {cluster(types.CoverageStatusUnhealthy, n(3), n(2)), true, "some 1 of 3 nodes"},
		"no node":    {cluster(types.CoverageStatusUnhealthy, n(3), n(0)), false, "some 3 of 3 nodes"},
		"not said":   {cluster(types.CoverageStatusHealthy, nil, nil), true, "elsewhere"},
	} {
		s := sources(estate{status: "ENABLED", runtime: true, covered: []types.CoverageResource{test.of}}.scan(t), evidence.Process)[0]
		where, on := s.Parts[evidence.PartEveryNode], ""
		switch extent, known := where.Get(); {
		case where.IsMoot():
			on = "moot"
		case !known:
			on = string(where.Why())
		default:
			on = strings.TrimSpace(fmt.Sprintf("%v %s", extent.Grade, extent.But))
		}
		if runs, _ := s.Enabled.Get(); runs != test.runs || on != test.on {
			t.Errorf("%s: got %t on %q, want %t on %q", name, runs, on, test.runs, test.on)
		}
	}
}

func cluster(status types.CoverageStatus, nodes, covered *int64) types.CoverageResource {
	return types.CoverageResource{CoverageStatus: status, ResourceDetails: &types.CoverageResourceDetails{
		EksClusterDetails: &types.CoverageEksClusterDetails{ClusterName: aws.String("batch"), CompatibleNodes: nodes, CoveredNodes: covered},
	}}
}

func TestFindingsGoWhereTheyAreSent(t *testing.T) {
	for name, test := range map[string]struct {
		e    estate
		want []string
	}{
		"nowhere else": {estate{status: "ENABLED", noHub: true}, []string{"aws:111122223333/eu-west-1//guardduty/findings"}},
		"to the hub":   {estate{status: "ENABLED"}, []string{"aws:111122223333/eu-west-1//guardduty/findings", "aws:111122223333/eu-west-1//securityhub/findings"}},
		"to a bucket": {estate{status: "ENABLED", noHub: true, export: "PUBLISHING"}, []string{
			"aws:111122223333/eu-west-1//guardduty/findings", "aws://s3/archive/findings",
		}},
	} {
		source := sources(test.e.scan(t), evidence.Detection)[0]
		var got []string
		for _, d := range source.To {
			got = append(got, string(d.To))
		}
		if strings.Join(got, " ") != strings.Join(test.want, " ") {
			t.Errorf("%s: got %q", name, got)
		}
		if whole, _ := source.Complete.Get(); !whole {
			t.Errorf("%s: the list of places is not complete", name)
		}
	}
	broken := sources(estate{status: "ENABLED", noHub: true, export: "UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY"}.scan(t), evidence.Detection)[0]
	if text, _ := broken.To[1].Error.Get(); !strings.Contains(text, "cannot publish") {
		t.Errorf("an export that is broken says %q", text)
	}
	for _, denied := range []string{"destinations", "destination", "hub"} {
		source := sources(estate{status: "ENABLED", noHub: true, export: "PUBLISHING", denied: denied}.scan(t), evidence.Detection)[0]
		if source.Complete.Why() != evidence.Denied {
			t.Errorf("%s is refused, and the list of places is %s", denied, source.Complete.Why())
		}
	}
}

func TestTheAgentRunsWhereItIsHealthy(t *testing.T) {
	got := map[evidence.ID]bool{}
	for _, s := range sources(estate{status: "ENABLED", runtime: true}.scan(t), evidence.Process) {
		got[s.Covers[0]], _ = s.Enabled.Get()
	}
	if len(got) != 2 || !got["aws:111122223333/eu-west-1//instance/i-1"] || got["aws:111122223333/eu-west-1//eks/batch"] {
		t.Errorf("got %v", got)
	}
	refused := sources(estate{status: "ENABLED", runtime: true, denied: "coverage"}.scan(t), evidence.Process)
	sourcetest.Want(t, "refused", told(refused), // and what stands for where they would report to
		"guardduty/runtime#process: denied (guardduty:ListCoverage eu-west-1/d1)",
		"unseen/guardduty:ListCoverage#process: denied (guardduty:ListCoverage eu-west-1) -> unseen/guardduty:ListCoverage; perhaps elsewhere: denied",
	)
	if off := sources(estate{status: "ENABLED"}.scan(t), evidence.Process); len(off) != 0 {
		t.Errorf("off: %+v", off)
	}
}

func changed(t *testing.T, e estate, answer func(input any) (any, error)) *evidence.Set {
	t.Helper()
	return awstest.Scan(t, func(region string, input any) (any, error) {
		if out, err := answer(input); out != nil || err != nil {
			return out, err
		}
		return e.answer(region, input)
	}, nil, Service(), securityhub.Service())
}

func verdictOnKeeping(set *evidence.Set) string {
	for _, line := range awstest.Judge(set) {
		if strings.Contains(line, " watched-detections-kept ") {
			return line
		}
	}
	return ""
}

func TestTheAdministratorOfAMemberMayExportItsFindings(t *testing.T) {
	on := estate{status: "ENABLED", noHub: true}
	for name, c := range map[string]struct {
		answer func(any) (any, error)
		want   string
	}{
		"nobody's member": {func(any) (any, error) { return nil, nil }, "fail "},
		"a member": {func(in any) (any, error) {
			if _, ok := in.(*guardduty.GetAdministratorAccountInput); ok {
				return &guardduty.GetAdministratorAccountOutput{Administrator: &types.Administrator{AccountId: aws.String("444455556666"), RelationshipStatus: aws.String("Enabled")}}, nil
			}
			return nil, nil
		}, "not-assessed "},
		"no longer a member": {func(in any) (any, error) {
			if _, ok := in.(*guardduty.GetAdministratorAccountInput); ok {
				return &guardduty.GetAdministratorAccountOutput{Administrator: &types.Administrator{AccountId: aws.String("444455556666"), RelationshipStatus: aws.String("Resigned")}}, nil
			}
			return nil, nil
		}, "fail "},
		"a member, who is not told how": {func(in any) (any, error) {
			if _, ok := in.(*guardduty.GetAdministratorAccountInput); ok {
				return &guardduty.GetAdministratorAccountOutput{Administrator: &types.Administrator{AccountId: aws.String("444455556666")}}, nil
			}
			return nil, nil
		}, "not-assessed "},
		"an administrator without a name": {func(in any) (any, error) {
			if _, ok := in.(*guardduty.GetAdministratorAccountInput); ok {
				return &guardduty.GetAdministratorAccountOutput{Administrator: &types.Administrator{}}, nil
			}
			return nil, nil
		}, "fail "},
		"nobody may ask": {func(in any) (any, error) {
			if _, ok := in.(*guardduty.GetAdministratorAccountInput); ok {
				return nil, awstest.Denied()
			}
			return nil, nil
		}, "not-assessed "},
	} {
		if got := verdictOnKeeping(changed(t, on, c.answer)); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got %q, want %s", name, got, c.want)
		}
	}
}

func TestADetectorThatSaysNothingIsNotOff(t *testing.T) {
	set := changed(t, estate{noHub: true}, func(in any) (any, error) {
		if _, ok := in.(*guardduty.GetDetectorInput); ok {
			return &guardduty.GetDetectorOutput{}, nil
		}
		return nil, nil
	})
	source := sources(set, evidence.Detection)[0]
	if !source.Enabled.IsUnknown() || source.Since.IsZero() || !source.Since.IsUnknown() {
		t.Errorf("enabled %+v, since %+v", source.Enabled, source.Since)
	}
}

func TestAnExportThatNamesNoPlaceIsNotSaidToWork(t *testing.T) {
	set := changed(t, estate{status: "ENABLED", noHub: true, export: "PUBLISHING"}, func(in any) (any, error) {
		if _, ok := in.(*guardduty.DescribePublishingDestinationInput); ok {
			return &guardduty.DescribePublishingDestinationOutput{}, nil
		}
		return nil, nil
	})
	source := sources(set, evidence.Detection)[0]
	if source.Complete.Why() != evidence.Unfamiliar {
		t.Errorf("complete: %+v", source.Complete)
	}
}
