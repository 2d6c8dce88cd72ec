package guardduty

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/guardduty"
	"github.com/aws/aws-sdk-go-v2/service/guardduty/types"
	hub "github.com/aws/aws-sdk-go-v2/service/securityhub"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/securityhub"
)

type estate struct {
	none, noHub bool
	status      types.DetectorStatus
	export      types.PublishingStatus // "" for none
	runtime     bool
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
		if in.NextToken == nil {
			return &guardduty.ListCoverageOutput{NextToken: aws.String("more"), Resources: []types.CoverageResource{
				{CoverageStatus: types.CoverageStatusHealthy, ResourceDetails: &types.CoverageResourceDetails{Ec2InstanceDetails: &types.CoverageEc2InstanceDetails{InstanceId: aws.String("i-1")}}},
			}}, nil
		}
		return &guardduty.ListCoverageOutput{Resources: []types.CoverageResource{
			{CoverageStatus: types.CoverageStatusUnhealthy, Issue: aws.String("No agent reporting"), ResourceDetails: &types.CoverageResourceDetails{EksClusterDetails: &types.CoverageEksClusterDetails{ClusterName: aws.String("batch")}}},
			{},
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

func TestADetectorIsJudged(t *testing.T) {
	for name, test := range map[string]struct {
		e    estate
		want string
	}{
		"on":         {estate{status: "ENABLED"}, "pass watched-detector"},
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
	denied := sources(estate{status: "ENABLED", runtime: true, denied: "coverage"}.scan(t), evidence.Process)
	if len(denied) != 1 || denied[0].Enabled.Why() != evidence.Denied {
		t.Errorf("refused: %+v", denied)
	}
	if off := sources(estate{status: "ENABLED"}.scan(t), evidence.Process); len(off) != 0 {
		t.Errorf("off: %+v", off)
	}
}
