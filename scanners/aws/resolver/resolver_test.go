package resolver

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/route53resolver"
	"github.com/aws/aws-sdk-go-v2/service/route53resolver/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/flow"
)

type (
	configs      = route53resolver.ListResolverQueryLogConfigsInput
	associations = route53resolver.ListResolverQueryLogConfigAssociationsInput
)

func config(change ...func(*types.ResolverQueryLogConfig)) types.ResolverQueryLogConfig {
	c := types.ResolverQueryLogConfig{
		Id: aws.String("rqlc-1"), Name: aws.String("names"), Status: types.ResolverQueryLogConfigStatusCreated, ShareStatus: types.ShareStatusNotShared,
		DestinationArn: aws.String("arn:aws:logs:eu-west-1:111122223333:log-group:names:*"),
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

func to(arn string) func(*types.ResolverQueryLogConfig) {
	return func(c *types.ResolverQueryLogConfig) { c.DestinationArn = aws.String(arn) }
}

func of(vpc string, change ...func(*types.ResolverQueryLogConfigAssociation)) types.ResolverQueryLogConfigAssociation {
	a := types.ResolverQueryLogConfigAssociation{
		ResolverQueryLogConfigId: aws.String("rqlc-1"), ResourceId: aws.String(vpc), Status: types.ResolverQueryLogConfigAssociationStatusActive,
		Error: types.ResolverQueryLogConfigAssociationErrorNone, CreationTime: aws.String("2026-05-20T10:00:00.123Z"),
	}
	for _, f := range change {
		f(&a)
	}
	return a
}

// region answers with two VPCs, a configuration if it has an id, and associations.
func region(c types.ResolverQueryLogConfig, some ...types.ResolverQueryLogConfigAssociation) awstest.Answer {
	return func(_ string, input any) (any, error) {
		switch input.(type) {
		case *ec2.DescribeVpcsInput:
			return &ec2.DescribeVpcsOutput{Vpcs: []ec2types.Vpc{{VpcId: aws.String("vpc-1")}, {VpcId: aws.String("vpc-2")}}}, nil
		case *configs:
			if c.Id != nil {
				return &route53resolver.ListResolverQueryLogConfigsOutput{ResolverQueryLogConfigs: []types.ResolverQueryLogConfig{c}}, nil
			}
		case *associations:
			return &route53resolver.ListResolverQueryLogConfigAssociationsOutput{ResolverQueryLogConfigAssociations: some}, nil
		}
		return nil, nil
	}
}

func without[I any](answer awstest.Answer) awstest.Answer {
	return func(where string, input any) (any, error) {
		if _, is := input.(I); is {
			return nil, awstest.Denied()
		}
		return answer(where, input)
	}
}

func scan(t *testing.T, answer awstest.Answer) *evidence.Set {
	t.Helper()
	return awstest.Scan(t, answer, nil, flow.Service(), Service())
}

// wants holds the verdicts on the names asked for in vpc-1 and vpc-2.
func wants(t *testing.T, set *evidence.Set, want ...string) {
	t.Helper()
	var got []string
	for _, line := range awstest.Judge(set) {
		if strings.Contains(line, " recorded-dns ") {
			got = append(got, line)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i, w := range want {
		outcome, text, _ := strings.Cut(w, " ")
		if !strings.HasPrefix(got[i], outcome+" ") || !strings.Contains(got[i], text) {
			t.Errorf("got  %s\nwant %s", got[i], w)
		}
	}
}

func source(t *testing.T, set *evidence.Set) *evidence.LogSource {
	t.Helper()
	for _, r := range set.Records {
		if s, ok := r.(*evidence.LogSource); ok && s.ID == "aws:111122223333/eu-west-1//resolver/rqlc-1/vpc-1#dns" {
			return s
		}
	}
	t.Fatal("the query log of vpc-1 is not recorded")
	return nil
}

func TestOneVPCOfTwoLogsItsQueries(t *testing.T) {
	set := scan(t, region(config(), of("vpc-1")))
	wants(t, set, "pass names", "fail are not recorded")
	s := source(t, set)
	if at := s.Enabled.At(); at.Call != "route53resolver:ListResolverQueryLogConfigAssociations" || at.Of != "eu-west-1/rqlc-1/vpc-1" {
		t.Errorf("seen at %v", at)
	}
	if since, _ := s.Since.Get(); !since.Equal(time.Date(2026, 5, 20, 10, 0, 0, 123e6, time.UTC)) {
		t.Errorf("since %v", since)
	}
	if len(s.To) != 1 || s.To[0].To != "aws:111122223333/eu-west-1//logs/names" {
		t.Errorf("to %v", s.To)
	}
	if wrong, known := s.To[0].Error.Get(); !known || wrong != "" {
		t.Errorf("the delivery says %q", wrong)
	}
}

func TestWithoutAConfigurationNothingIsRecorded(t *testing.T) {
	wants(t, scan(t, region(types.ResolverQueryLogConfig{})), "fail vpc-1", "fail vpc-2")
}

func TestWhereQueryLogsGo(t *testing.T) {
	for arn, want := range map[string]evidence.ID{
		"arn:aws:s3:::archive":                                         "aws://s3/archive/AWSLogs/111122223333/vpcdnsquerylogs/vpc-1",
		"arn:aws:s3:::archive/names":                                   "aws://s3/archive/names/AWSLogs/111122223333/vpcdnsquerylogs/vpc-1",
		"arn:aws:firehose:eu-west-1:999988887777:deliverystream/names": "aws:999988887777/eu-west-1//firehose/names",
	} {
		if s := source(t, scan(t, region(config(to(arn)), of("vpc-1")))); len(s.To) != 1 || s.To[0].To != want {
			t.Errorf("%s is %v, want %s", arn, s.To, want)
		}
	}
	if s := source(t, scan(t, region(config(to("arn:aws:new:::x")), of("vpc-1")))); len(s.To) != 0 || !s.Complete.IsUnknown() {
		t.Errorf("what is not known is %v, %v", s.To, s.Complete)
	}
}

func TestAConfigurationThatCannotDeliver(t *testing.T) {
	s := source(t, scan(t, region(config(func(c *types.ResolverQueryLogConfig) { c.Status = types.ResolverQueryLogConfigStatusFailed }), of("vpc-1"))))
	if wrong, known := s.To[0].Error.Get(); !known || wrong == "" {
		t.Error("the delivery works")
	}
	s = source(t, scan(t, region(config(func(c *types.ResolverQueryLogConfig) { c.Status = types.ResolverQueryLogConfigStatusCreating }), of("vpc-1"))))
	if !s.To[0].Error.IsUnknown() {
		t.Error("a configuration that is being made delivers")
	}
}

func TestWhatStatesOfAnAssociationMean(t *testing.T) {
	for name, test := range map[string]struct {
		status types.ResolverQueryLogConfigAssociationStatus
		err    types.ResolverQueryLogConfigAssociationError
		want   string
	}{
		"its destination is gone":  {types.ResolverQueryLogConfigAssociationStatusFailed, types.ResolverQueryLogConfigAssociationErrorDestinationNotFound, "fail vpc-1"},
		"it could not be deleted":  {types.ResolverQueryLogConfigAssociationStatusFailed, types.ResolverQueryLogConfigAssociationErrorInternalServiceError, "not-assessed vpc-1"},
		"it is being made":         {types.ResolverQueryLogConfigAssociationStatusCreating, "", "not-assessed vpc-1"},
		"it is being deleted":      {types.ResolverQueryLogConfigAssociationStatusDeleting, "", "fail vpc-1"},
		"it is in a state unknown": {"NEW", "", "not-assessed vpc-1"},
	} {
		t.Run(name, func(t *testing.T) {
			set := scan(t, region(config(), of("vpc-1", func(a *types.ResolverQueryLogConfigAssociation) {
				a.Status, a.Error, a.CreationTime = test.status, test.err, aws.String("1589900000")
			})))
			wants(t, set, test.want, "fail vpc-2")
			if !source(t, set).Since.IsUnknown() {
				t.Error("a time of another form was read")
			}
		})
	}
}

func TestAConfigurationWithoutAVPCMayBelongToAProfile(t *testing.T) {
	const why = "not-assessed no VPC is known to have the query log configuration names; a Route 53 profile, which is not read, may apply it"
	wants(t, scan(t, region(config())), why, why)
	wants(t, scan(t, region(config(), of("rp-4987774726example"))), why, why)
	wants(t, scan(t, region(config(), of("vpc-1"), of("rp-4987774726example"))), "pass vpc-1", why)
	for _, shared := range []types.ShareStatus{types.ShareStatusSharedByMe, types.ShareStatusSharedWithMe} {
		wants(t, scan(t, region(config(func(c *types.ResolverQueryLogConfig) { c.ShareStatus = shared }))), why, why)
	}
	wants(t, scan(t, region(config(func(c *types.ResolverQueryLogConfig) { c.AssociationCount = 1 }))), why, why)
}

func TestAConfigurationThatIsThereForOthersLeavesNothingOpen(t *testing.T) {
	for name, change := range map[string]func(*types.ResolverQueryLogConfig){
		"it cannot deliver":  func(c *types.ResolverQueryLogConfig) { c.Status = types.ResolverQueryLogConfigStatusFailed },
		"it is being erased": func(c *types.ResolverQueryLogConfig) { c.Status = types.ResolverQueryLogConfigStatusDeleting },
		"it is shared with others, who use it": func(c *types.ResolverQueryLogConfig) {
			c.ShareStatus, c.AssociationCount = types.ShareStatusSharedByMe, 2
		},
		"others share it, and use it": func(c *types.ResolverQueryLogConfig) {
			c.ShareStatus, c.AssociationCount = types.ShareStatusSharedWithMe, 2
		},
	} {
		t.Run(name, func(t *testing.T) {
			wants(t, scan(t, region(config(change))), "fail vpc-1", "fail vpc-2")
		})
	}
}

func TestWhatIsDeniedIsNotAbsent(t *testing.T) {
	set := scan(t, without[*associations](region(config(), of("vpc-1"))))
	wants(t, set, "not-assessed vpc-1", "not-assessed vpc-2")
	if len(set.Gaps) != 1 || set.Gaps[0].Why != evidence.Denied || set.Gaps[0].At.Call != "route53resolver:ListResolverQueryLogConfigAssociations" {
		t.Errorf("gaps: %v", set.Gaps)
	}
	set = scan(t, without[*configs](region(config(), of("vpc-1"))))
	wants(t, set, "pass vpc-1", "not-assessed vpc-2")
	if s := source(t, set); len(s.To) != 0 || s.Complete.Why() != evidence.Denied || len(set.Gaps) != 1 {
		t.Errorf("to %v, complete %v, gaps %v", s.To, s.Complete, set.Gaps)
	}
}

func TestAConfigurationOfAnotherAccountThatIsNotShown(t *testing.T) {
	set := scan(t, region(types.ResolverQueryLogConfig{}, of("vpc-1")))
	wants(t, set, "pass rqlc-1", "fail vpc-2")
	if s := source(t, set); s.Complete.Why() != evidence.Elsewhere {
		t.Errorf("complete: %v", s.Complete)
	}
}

func TestSeveralPagesAreRead(t *testing.T) {
	for _, broken := range []bool{false, true} {
		set := scan(t, func(where string, input any) (any, error) {
			in, is := input.(*associations)
			switch {
			case !is:
				return region(config())(where, input)
			case in.NextToken == nil:
				return &route53resolver.ListResolverQueryLogConfigAssociationsOutput{
					ResolverQueryLogConfigAssociations: []types.ResolverQueryLogConfigAssociation{of("vpc-1")}, NextToken: aws.String("2"),
				}, nil
			case broken:
				return nil, awstest.Error("InternalServiceErrorException")
			}
			return &route53resolver.ListResolverQueryLogConfigAssociationsOutput{ResolverQueryLogConfigAssociations: []types.ResolverQueryLogConfigAssociation{of("vpc-2")}}, nil
		})
		if broken {
			wants(t, set, "pass vpc-1", "not-assessed vpc-2")
		} else {
			wants(t, set, "pass vpc-1", "pass vpc-2")
		}
	}
}
