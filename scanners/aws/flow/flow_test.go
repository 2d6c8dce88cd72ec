package flow

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"lookback/checks"
	"lookback/checks/recorded"
	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/scope"
)

const vpc1 = evidence.ID("aws:111122223333/eu-west-1//vpc/vpc-1")

var began = time.Date(2026, 5, 20, 0, 0, 0, 0, time.UTC)

// log is a flow log in order, and changes to it.
func log(id, resource string, change ...func(*types.FlowLog)) types.FlowLog {
	l := types.FlowLog{
		FlowLogId: aws.String(id), ResourceId: aws.String(resource), FlowLogStatus: aws.String("ACTIVE"), TrafficType: types.TrafficTypeAll,
		DeliverLogsStatus: aws.String("SUCCESS"), CreationTime: aws.Time(began), LogDestinationType: types.LogDestinationTypeS3,
		LogDestination: aws.String("arn:aws:s3:::archive/net/"),
	}
	for _, c := range change {
		c(&l)
	}
	return l
}

func takes(traffic types.TrafficType) func(*types.FlowLog) {
	return func(l *types.FlowLog) { l.TrafficType = traffic }
}

func fails(why string) func(*types.FlowLog) {
	return func(l *types.FlowLog) {
		l.DeliverLogsStatus = aws.String("FAILED")
		if why != "" {
			l.DeliverLogsErrorMessage = aws.String(why)
		}
	}
}

func subnet(id, vpc string) types.Subnet {
	return types.Subnet{SubnetId: aws.String(id), VpcId: aws.String(vpc)}
}

// region answers with one VPC of three subnets, and the flow logs named.
func region(logs ...types.FlowLog) awstest.Answer {
	return func(_ string, input any) (any, error) {
		switch in := input.(type) {
		case *ec2.DescribeVpcsInput:
			return &ec2.DescribeVpcsOutput{Vpcs: []types.Vpc{{
				VpcId: aws.String("vpc-1"), OwnerId: aws.String(awstest.Account), Tags: []types.Tag{{Key: aws.String("Name"), Value: aws.String("shop")}},
			}}}, nil
		case *ec2.DescribeFlowLogsInput:
			return &ec2.DescribeFlowLogsOutput{FlowLogs: logs}, nil
		case *ec2.DescribeSubnetsInput:
			return &ec2.DescribeSubnetsOutput{Subnets: []types.Subnet{subnet("subnet-a", "vpc-1"), subnet("subnet-b", "vpc-1"), subnet("subnet-c", "vpc-1")}}, nil
		case *ec2.DescribeNetworkInterfacesInput:
			var out []types.NetworkInterface
			if aws.ToString(in.Filters[0].Name) == "vpc-id" {
				return &ec2.DescribeNetworkInterfacesOutput{NetworkInterfaces: []types.NetworkInterface{{NetworkInterfaceId: aws.String("eni-1")}}}, nil
			}
			for _, id := range in.Filters[0].Values {
				out = append(out, types.NetworkInterface{NetworkInterfaceId: aws.String(id), VpcId: aws.String("vpc-1")})
			}
			return &ec2.DescribeNetworkInterfacesOutput{NetworkInterfaces: out}, nil
		}
		return nil, nil
	}
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

// verdicts are the lines of a check.
func verdicts(set *evidence.Set, check string) []string {
	var out []string
	for _, line := range awstest.Judge(set) {
		if strings.Contains(line, " "+check+" ") {
			out = append(out, line)
		}
	}
	return out
}

func wants(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d lines, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i := range want {
		if !strings.HasPrefix(got[i], strings.Fields(want[i])[0]+" ") || !strings.Contains(got[i], strings.SplitN(want[i], " ", 2)[1]) {
			t.Errorf("got  %s\nwant %s", got[i], want[i])
		}
	}
}

func find[R evidence.Record](set *evidence.Set, id evidence.ID) (out R, ok bool) {
	for _, r := range set.Records {
		if one, is := r.(R); is && r.Self().ID == id {
			return one, true
		}
	}
	return out, false
}

func source(t *testing.T, set *evidence.Set, thing string) *evidence.LogSource {
	t.Helper()
	s, ok := find[*evidence.LogSource](set, evidence.ID("aws:111122223333/eu-west-1//"+thing+"#network-flow"))
	if !ok {
		t.Fatalf("%s is not recorded: %v", thing, set.Records)
	}
	return s
}

func TestAFormatWithoutAddressesDoesNotSayWhoTalkedToWhom(t *testing.T) {
	format := func(text string) func(*types.FlowLog) {
		return func(l *types.FlowLog) { l.LogFormat = aws.String(text) }
	}
	for text, want := range map[string]string{
		"${version} ${srcaddr} ${dstaddr} ${action}":      "pass records the traffic of",
		"${pkt-srcaddr} ${pkt-dstaddr} ${flow-direction}": "pass records the traffic of",
		"${interface-id} ${bytes} ${action}":              "fail recorded only in part: its format leaves out who talked to whom",
		"${srcaddr} ${bytes}":                             "fail recorded only in part: its format leaves out who talked to whom",
	} {
		set := awstest.Scan(t, region(log("fl-1", "vpc-1", format(text))), nil, Service())
		wants(t, verdicts(set, "recorded-network-flow"), want)
	}
}

func TestAFlowLogOfAVPCRecordsAllOfIt(t *testing.T) {
	set := awstest.Scan(t, region(log("fl-1", "vpc-1")), nil, Service())
	wants(t, verdicts(set, "recorded-network-flow"), `pass records the traffic of VPC "shop"`)
	s := source(t, set, "flow/fl-1")
	if on, known := s.Enabled.Get(); !on || !known || s.Enabled.At().Call != "ec2:DescribeFlowLogs" || s.Enabled.At().Of != "eu-west-1/fl-1" {
		t.Errorf("enabled: %v at %v", on, s.Enabled.At())
	}
	if since, _ := s.Since.Get(); !since.Equal(began) {
		t.Errorf("since %v", since)
	}
	if len(s.To) != 1 || s.To[0].To != "aws://s3/archive/net/AWSLogs/111122223333/vpcflowlogs/eu-west-1" || !s.To[0].Last.IsMoot() {
		t.Errorf("it goes to %v", s.To)
	}
	if every, _ := s.Parts[evidence.PartEveryEvent].Get(); every.Grade != evidence.Some {
		t.Errorf("of every event it records %v", every)
	}
}

func TestWhereAFlowLogGoes(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*types.FlowLog)
		want   evidence.ID
	}{
		"a bucket": {
			func(l *types.FlowLog) { l.LogDestination = aws.String("arn:aws:s3:::archive") },
			"aws://s3/archive/AWSLogs/111122223333/vpcflowlogs/eu-west-1",
		},
		"a bucket with Hive prefixes": {
			func(l *types.FlowLog) {
				l.DestinationOptions = &types.DestinationOptionsResponse{HiveCompatiblePartitions: aws.Bool(true)}
			},
			"aws://s3/archive/net/AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=eu-west-1",
		},
		"a log group by name": {
			func(l *types.FlowLog) { l.LogDestination, l.LogGroupName = nil, aws.String("flows") },
			"aws:111122223333/eu-west-1//logs/flows",
		},
		"a log group of another account": {
			func(l *types.FlowLog) {
				l.LogDestination = aws.String("arn:aws:logs:eu-west-1:999988887777:log-group:flows")
			},
			"aws:999988887777/eu-west-1//logs/flows",
		},
		"Firehose": {
			func(l *types.FlowLog) {
				l.LogDestination = aws.String("arn:aws:firehose:eu-west-1:999988887777:deliverystream/flows")
			},
			"aws:999988887777/eu-west-1//firehose/flows",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := source(t, awstest.Scan(t, region(log("fl-1", "vpc-1", test.change)), nil, Service()), "flow/fl-1")
			if len(s.To) != 1 || s.To[0].To != test.want {
				t.Errorf("got %v, want %s", s.To, test.want)
			}
		})
	}
}

func TestADestinationThatIsNotKnownIsNotNone(t *testing.T) {
	s := source(t, awstest.Scan(t, region(log("fl-1", "vpc-1", func(l *types.FlowLog) { l.LogDestination = nil })), nil, Service()), "flow/fl-1")
	if len(s.To) != 0 || !s.Complete.IsUnknown() {
		t.Errorf("to %v, complete %v", s.To, s.Complete)
	}
}

func TestAVPCWithoutAFlowLogFails(t *testing.T) {
	set := awstest.Scan(t, region(), nil, Service())
	wants(t, verdicts(set, "recorded-network-flow"), `fail the traffic of VPC "shop" is not recorded`)
	vpc, _ := find[*evidence.Asset](set, vpc1)
	if at := vpc.Looked[evidence.NetworkFlow].At(); at.Call != "ec2:DescribeFlowLogs" || !vpc.Lasting {
		t.Errorf("seen at %v, lasting %v", at, vpc.Lasting)
	}
}

func TestAVPCThatNothingIsInFailsLessLoudly(t *testing.T) {
	asked := 0
	set := awstest.Scan(t, func(where string, input any) (any, error) {
		in, ok := input.(*ec2.DescribeNetworkInterfacesInput)
		if !ok {
			return region()(where, input)
		}
		asked++
		if aws.ToInt32(in.MaxResults) != 5 || aws.ToString(in.Filters[0].Name) != "vpc-id" || in.Filters[0].Values[0] != "vpc-1" {
			t.Errorf("asked for %v", in)
		}
		if in.NextToken == nil { // a page may be empty although others follow
			return &ec2.DescribeNetworkInterfacesOutput{NextToken: aws.String("2")}, nil
		}
		return &ec2.DescribeNetworkInterfacesOutput{}, nil
	}, nil, Service())
	wants(t, verdicts(set, "recorded-network-flow"), `fail no flow log records VPC "shop", and nothing is in it today`)
	for _, r := range checks.Run(set, []*checks.Check{recorded.NetworkFlow}, checks.DefaultPolicy(), nil).All {
		if at := r.Because.At(); r.Severity != checks.Low || at.Call != "ec2:DescribeNetworkInterfaces" || at.Of != "eu-west-1/vpc-1" {
			t.Errorf("%s at %v", r.Severity, at)
		}
	}
	for _, line := range awstest.Judge(set) { // what is not there delivers nothing, and nothing is asked of its store
		if strings.Contains(line, "flow/vpc-1#network-flow") {
			t.Error(line)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

func TestWhetherAnythingIsInAVPCIsAskedOnlyWhereItHasNoFlowLog(t *testing.T) {
	for name, answer := range map[string]awstest.Answer{
		"of the VPC":            region(log("fl-1", "vpc-1")),
		"of a subnet":           region(log("fl-1", "subnet-a")),
		"of an interface":       region(log("fl-1", "eni-1")),
		"the list was refused":  without[*ec2.DescribeFlowLogsInput](region()),
		"of a subnet, refused":  without[*ec2.DescribeSubnetsInput](region(log("fl-1", "subnet-a"))),
		"no VPC could be found": without[*ec2.DescribeVpcsInput](region()),
	} {
		t.Run(name, func(t *testing.T) {
			awstest.Scan(t, func(where string, input any) (any, error) {
				if in, ok := input.(*ec2.DescribeNetworkInterfacesInput); ok && aws.ToString(in.Filters[0].Name) == "vpc-id" {
					t.Error("it is asked")
				}
				return answer(where, input)
			}, nil, Service())
		})
	}
}

func TestAVPCOfWhichNobodyKnowsWhetherAnythingIsInItFailsAsOneInUse(t *testing.T) {
	set := awstest.Scan(t, without[*ec2.DescribeNetworkInterfacesInput](region()), nil, Service())
	wants(t, verdicts(set, "recorded-network-flow"), `fail the traffic of VPC "shop" is not recorded`)
	if part := source(t, set, "flow/vpc-1").Parts[evidence.PartAccepted]; part.Why() != evidence.Denied || part.At().Call != "ec2:DescribeNetworkInterfaces" {
		t.Errorf("%v at %v", part.Why(), part.At())
	}
}

// Another scanner passes this one: it looks at whether there is a flow log.
func TestAFlowLogThatFailsAndTakesRejectedTrafficAloneDoesNotPass(t *testing.T) {
	for _, why := range []string{"Access error", ""} {
		set := awstest.Scan(t, region(log("fl-1", "vpc-1", takes(types.TrafficTypeReject), fails(why))), nil, Service())
		wants(t, verdicts(set, "recorded-network-flow"), `fail no traffic that was let through is recorded`)
		if said, known := source(t, set, "flow/fl-1").To[0].Error.Get(); !known || said == "" || why != "" && said != why {
			t.Errorf("the delivery says %q", said)
		}
	}
}

func TestTwoFlowLogsTogetherTakeBothKindsOfTraffic(t *testing.T) {
	set := awstest.Scan(t, region(log("fl-1", "vpc-1", takes(types.TrafficTypeReject)), log("fl-2", "vpc-1", takes(types.TrafficTypeAccept))), nil, Service())
	wants(t, verdicts(set, "recorded-network-flow"), `pass records the traffic of`)
}

func TestAFlowLogOfOneSubnetOfThreeIsAPart(t *testing.T) {
	set := awstest.Scan(t, region(log("fl-1", "subnet-a")), nil, Service())
	wants(t, verdicts(set, "recorded-network-flow"), `fail recorded only in part: only subnet-a of 3 subnets`)
}

func TestFlowLogsOfAllSubnetsAreAll(t *testing.T) {
	set := awstest.Scan(t, region(
		log("fl-1", "subnet-a"), log("fl-2", "subnet-b"),
		log("fl-3", "subnet-c", func(l *types.FlowLog) {
			l.LogDestination, l.CreationTime = aws.String("arn:aws:s3:::other"), aws.Time(began.Add(time.Hour))
		}, fails("Access error")),
	), nil, Service())
	wants(t, verdicts(set, "recorded-network-flow"), `pass records the traffic of`)
	s := source(t, set, "flow/vpc-1/subnets")
	if since, _ := s.Since.Get(); !since.Equal(began.Add(time.Hour)) {
		t.Errorf("all of them since %v", since)
	}
	if len(s.To) != 2 {
		t.Fatalf("to %v", s.To)
	}
	for i, want := range []evidence.Extent{{Grade: evidence.Some, But: "only that of subnet-a, subnet-b"}, {Grade: evidence.Some, But: "only that of subnet-c"}} {
		if got, _ := s.To[i].Extent.Get(); got != want {
			t.Errorf("%s gets %v, want %v", s.To[i].To, got, want)
		}
	}
	if said, known := s.To[0].Error.Get(); !known || said != "" {
		t.Errorf("the first delivery says %q", said)
	}
	if said, _ := s.To[1].Error.Get(); said != "subnet-c: Access error" {
		t.Errorf("the second delivery says %q", said)
	}
}

func TestFlowLogsToTwoStoresBringAllToEach(t *testing.T) {
	other := func(l *types.FlowLog) { l.LogDestination = aws.String("arn:aws:s3:::other") }
	s := source(t, awstest.Scan(t, region(
		log("fl-1", "subnet-a"), log("fl-2", "subnet-b"), log("fl-3", "subnet-a", other), log("fl-4", "subnet-b", other),
	), nil, Service()), "flow/vpc-1/subnets")
	for _, d := range s.To {
		if got, _ := d.Extent.Get(); got.Grade != evidence.All {
			t.Errorf("%s gets %v", d.To, got)
		}
	}
	if got, _ := s.Parts[evidence.PartAccepted].Get(); got != (evidence.Extent{Grade: evidence.Some, But: "only subnet-a, subnet-b of 3 subnets"}) {
		t.Errorf("they record %v", got)
	}
}

func TestManyNetworkInterfacesAreCounted(t *testing.T) {
	s := source(t, awstest.Scan(t, region(log("fl-1", "eni-1"), log("fl-2", "eni-2"), log("fl-3", "eni-3"), log("fl-4", "eni-4")), nil, Service()), "flow/vpc-1/network-interfaces")
	if got, _ := s.Parts[evidence.PartRejected].Get(); got.But != "only 4 network interfaces" {
		t.Errorf("they record %v", got)
	}
}

func TestSubnetsThatTakeOnlyWhatIsTurnedAway(t *testing.T) {
	set := awstest.Scan(t, region(
		log("fl-1", "subnet-a", takes(types.TrafficTypeReject)), log("fl-2", "subnet-b", takes(types.TrafficTypeReject)), log("fl-3", "subnet-c", takes(types.TrafficTypeReject)),
	), nil, Service())
	wants(t, verdicts(set, "recorded-network-flow"), `fail no traffic that was let through`)
}

func TestAFlowLogOfANetworkInterfaceIsAPart(t *testing.T) {
	set := awstest.Scan(t, region(log("fl-1", "eni-1")), nil, Service())
	wants(t, verdicts(set, "recorded-network-flow"), `fail recorded only in part: only eni-1`)
	source(t, set, "flow/vpc-1/network-interfaces")
}

func TestATransitGatewayIsNamed(t *testing.T) {
	set := awstest.Scan(t, region(log("fl-1", "tgw-1"), log("fl-2", "tgw-1"), log("fl-3", "nat-1"), log("fl-4", "vpc-gone")), nil, Service())
	n := 0
	for _, r := range set.Records {
		if strings.Contains(string(r.Self().ID), "gateway/tgw-1") {
			n++
		}
	}
	if n != 1 || slices.Contains(source(t, set, "flow/fl-1").Covers, vpc1) {
		t.Errorf("%d records of the gateway", n)
	}
	if _, ok := find[*evidence.LogSource](set, "aws:111122223333/eu-west-1//flow/fl-4#network-flow"); ok {
		t.Error("a VPC that is gone has a source")
	}
}

func TestWhatIsDeniedIsNotAbsent(t *testing.T) {
	for name, test := range map[string]struct {
		answer awstest.Answer
		call   string
	}{
		"flow logs":          {without[*ec2.DescribeFlowLogsInput](region(log("fl-1", "vpc-1"))), "ec2:DescribeFlowLogs"},
		"subnets":            {without[*ec2.DescribeSubnetsInput](region(log("fl-1", "subnet-a"))), "ec2:DescribeSubnets"},
		"network interfaces": {without[*ec2.DescribeNetworkInterfacesInput](region(log("fl-1", "eni-1"))), "ec2:DescribeNetworkInterfaces"},
	} {
		t.Run(name, func(t *testing.T) {
			set := awstest.Scan(t, test.answer, nil, Service())
			wants(t, verdicts(set, "recorded-network-flow"), "not-assessed "+string(vpc1))
			vpc, _ := find[*evidence.Asset](set, vpc1)
			if v := vpc.Looked[evidence.NetworkFlow]; v.Why() != evidence.Denied || v.At().Call != test.call {
				t.Errorf("looked: %v at %v", v.Why(), v.At())
			}
		})
	}
	t.Run("VPCs", func(t *testing.T) {
		set := awstest.Scan(t, without[*ec2.DescribeVpcsInput](region(log("fl-1", "vpc-1"))), nil, Service())
		if len(set.Gaps) != 1 || set.Gaps[0].Why != evidence.Denied || set.Gaps[0].At.Call != "ec2:DescribeVpcs" {
			t.Errorf("gaps: %v", set.Gaps)
		}
		source(t, set, "flow/fl-1")
		wants(t, verdicts(set, "recorded-network-flow"), "not-assessed aws:111122223333/eu-west-1//unseen/VPCs: we may not call ec2:DescribeVpcs")
	})
}

func TestWhatCameBeforeAPageFailedIsKept(t *testing.T) {
	set := awstest.Scan(t, func(_ string, input any) (any, error) {
		switch in := input.(type) {
		case *ec2.DescribeVpcsInput:
			return &ec2.DescribeVpcsOutput{Vpcs: []types.Vpc{{VpcId: aws.String("vpc-1")}, {VpcId: aws.String("vpc-2")}}}, nil
		case *ec2.DescribeFlowLogsInput:
			if in.NextToken != nil {
				return nil, awstest.Error("InternalError")
			}
			return &ec2.DescribeFlowLogsOutput{FlowLogs: []types.FlowLog{log("fl-1", "vpc-1")}, NextToken: aws.String("2")}, nil
		}
		return nil, nil
	}, nil, Service())
	wants(t, verdicts(set, "recorded-network-flow"), "pass records the traffic of", "not-assessed vpc/vpc-2")
}

func TestSeveralPagesAreRead(t *testing.T) {
	set := awstest.Scan(t, func(_ string, input any) (any, error) {
		switch in := input.(type) {
		case *ec2.DescribeVpcsInput:
			if in.NextToken == nil {
				return &ec2.DescribeVpcsOutput{Vpcs: []types.Vpc{{VpcId: aws.String("vpc-1")}}, NextToken: aws.String("2")}, nil
			}
			return &ec2.DescribeVpcsOutput{Vpcs: []types.Vpc{{VpcId: aws.String("vpc-2")}}}, nil
		case *ec2.DescribeFlowLogsInput:
			if in.NextToken == nil {
				return &ec2.DescribeFlowLogsOutput{FlowLogs: []types.FlowLog{log("fl-1", "vpc-1")}, NextToken: aws.String("2")}, nil
			}
			return &ec2.DescribeFlowLogsOutput{FlowLogs: []types.FlowLog{log("fl-2", "vpc-2")}}, nil
		}
		return nil, nil
	}, nil, Service())
	wants(t, verdicts(set, "recorded-network-flow"), "pass fl-1", "pass fl-2")
}

func TestAVPCOfAnotherAccountIsJudgedThere(t *testing.T) {
	set := awstest.Scan(t, func(_ string, input any) (any, error) {
		if _, ok := input.(*ec2.DescribeVpcsInput); ok {
			return &ec2.DescribeVpcsOutput{Vpcs: []types.Vpc{{VpcId: aws.String("vpc-1"), OwnerId: aws.String("999988887777")}}}, nil
		}
		return nil, nil
	}, nil, Service())
	wants(t, verdicts(set, "recorded-network-flow"), "not-assessed account 999988887777")
	wants(t, verdicts(set, "recorded-dns"), "not-assessed account 999988887777")
	vpc, _ := find[*evidence.Asset](set, vpc1)
	if in, _ := vpc.In.Get(); in != "aws:999988887777/eu-west-1//vpc/vpc-1" {
		t.Errorf("it lies in %s", in)
	}
}

func TestWhatAWSDoesNotSayIsUnknown(t *testing.T) {
	set := awstest.Scan(t, region(
		types.FlowLog{FlowLogId: aws.String("fl-0"), ResourceId: aws.String("vpc-1"), LogDestination: aws.String("arn:aws:s3:::b")},
		types.FlowLog{}, types.FlowLog{FlowLogId: aws.String("fl-1"), ResourceId: aws.String("subnet-a")},
	), nil, Service())
	s := source(t, set, "flow/fl-0")
	if !s.Enabled.IsUnknown() || !s.Since.IsUnknown() || !s.To[0].Error.IsUnknown() {
		t.Errorf("%v", s)
	}
	if part := source(t, set, "flow/vpc-1/subnets").Parts[evidence.PartAccepted]; !part.IsUnknown() {
		t.Errorf("the subnets' logs take %v", part)
	}
	wants(t, verdicts(set, "recorded-network-flow"), "not-assessed vpc-1")
}

func TestNamesAreAskedForOnlyWhereTheResolversReaderAnswered(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"answered": {nil, `fail the names asked for in VPC "shop" are not recorded`},
		"denied":   {awstest.Denied(), "not-assessed shop"},
		"profile":  {errors.New("a profile may apply it"), "not-assessed profile"},
	} {
		t.Run(name, func(t *testing.T) {
			names := scope.Service{Name: "names", Region: func(_ context.Context, s *scope.Scope) { s.Listed("resolver query logs", test.err) }}
			got := verdicts(awstest.Scan(t, region(), nil, Service(), names), "recorded-dns")
			if name == "denied" {
				test.want = "not-assessed vpc-1"
			}
			wants(t, got, test.want)
		})
	}
}

func TestAnEmptyRegionHasNothing(t *testing.T) {
	set := awstest.Scan(t, func(string, any) (any, error) { return nil, nil }, nil, Service())
	if len(set.Records) != 2 || len(set.Gaps) != 0 {
		t.Errorf("%v %v", set.Records, set.Gaps)
	}
}
