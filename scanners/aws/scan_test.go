package aws

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/scope"
)

const (
	management = awstest.Account
	shop       = "222222222222"
	bank       = "333333333333"
	closed     = "444444444444"
)

// world answers for an organisation of four accounts, three of which are active, with two regions and one that is not
// enabled. Other answers go first.
func world(first func(awstest.Call) (any, error)) func(awstest.Call) (any, error) {
	return func(c awstest.Call) (any, error) {
		if first != nil {
			if out, err := first(c); out != nil || err != nil {
				return out, err
			}
		}
		switch in := c.Input.(type) {
		case *sts.GetCallerIdentityInput:
			return &sts.GetCallerIdentityOutput{Account: &c.Account, Arn: aws.String("arn:aws:iam::" + c.Account + ":user/scanner")}, nil
		case *sts.AssumeRoleInput:
			arn, _ := scope.ParseARN(aws.ToString(in.RoleArn))
			return &sts.AssumeRoleOutput{Credentials: &ststypes.Credentials{
				AccessKeyId: aws.String(awstest.Key(arn.Account)), SecretAccessKey: aws.String("s"), SessionToken: aws.String("t"),
				Expiration: aws.Time(time.Now().Add(time.Hour)),
			}}, nil
		case *ec2.DescribeRegionsInput:
			region := func(name, status string) ec2types.Region {
				return ec2types.Region{RegionName: &name, OptInStatus: &status}
			}
			return &ec2.DescribeRegionsOutput{Regions: []ec2types.Region{
				region("us-east-1", "opt-in-not-required"), region("eu-west-1", "opted-in"), region("me-south-1", "not-opted-in"),
			}}, nil
		case *organizations.DescribeOrganizationInput:
			return &organizations.DescribeOrganizationOutput{Organization: &orgtypes.Organization{Id: aws.String("o-abc"), MasterAccountId: aws.String(management)}}, nil
		case *organizations.ListDelegatedAdministratorsInput:
			return &organizations.ListDelegatedAdministratorsOutput{DelegatedAdministrators: []orgtypes.DelegatedAdministrator{
				{Id: aws.String(shop), Arn: aws.String("arn:aws:organizations::" + management + ":account/o-abc/" + shop)},
			}}, nil
		case *organizations.ListAccountsInput:
			all := []orgtypes.Account{
				{Id: aws.String(bank), Name: aws.String("bank"), Status: "ACTIVE"},
				{Id: aws.String(management), Name: aws.String("main"), State: "ACTIVE"},
				{Id: aws.String(shop), Name: aws.String("shop"), State: "ACTIVE"},
				{Id: aws.String(closed), Name: aws.String("closed"), Status: "SUSPENDED"},
			}
			if in.NextToken == nil {
				return &organizations.ListAccountsOutput{Accounts: all[:2], NextToken: aws.String("more")}, nil
			}
			return &organizations.ListAccountsOutput{Accounts: all[2:]}, nil
		case *organizations.ListAccountsForParentInput:
			if *in.ParentId == "ou-deep" {
				return &organizations.ListAccountsForParentOutput{Accounts: []orgtypes.Account{{Id: aws.String(shop)}}}, nil
			}
		case *organizations.ListOrganizationalUnitsForParentInput:
			if *in.ParentId == "ou-top" {
				return &organizations.ListOrganizationalUnitsForParentOutput{OrganizationalUnits: []orgtypes.OrganizationalUnit{{Id: aws.String("ou-deep")}, {Id: aws.String("ou-top")}}}, nil
			}
		case *organizations.ListTagsForResourceInput:
			if *in.ResourceId == bank {
				return &organizations.ListTagsForResourceOutput{Tags: []orgtypes.Tag{{Key: aws.String("env"), Value: aws.String("prod")}}}, nil
			}
		}
		return nil, nil
	}
}

// noted is a service that leaves a record of each region and account that it was called for.
var noted = scope.Service{
	Name:  "noted",
	Calls: []scope.Call{{Service: ec2.ServiceID, Op: "DescribeVpcs"}},
	Region: func(ctx context.Context, s *scope.Scope) {
		at := s.At("ec2:DescribeVpcs", "")
		_, err := ec2.NewFromConfig(s.Config).DescribeVpcs(ctx, &ec2.DescribeVpcsInput{})
		s.Look(s.Home(), evidence.NetworkFlow, scope.Got(true, err, at))
	},
	Account: func(_ context.Context, s *scope.Scope) {
		s.Record(s.Store(s.ID("noted"), "note", s.Account, s.At("noted", "")))
	},
}

// read scans a world and returns all of what it handed on.
func read(t *testing.T, cfg aws.Config, o Options, services ...scope.Service) (*evidence.Set, error) {
	t.Helper()
	o.Now = awstest.Now
	s := newScan(cfg, o)
	s.services = services
	var calls []scope.Call
	for _, service := range services {
		calls = append(calls, service.Calls...)
	}
	s.guard = scope.NewGuard(append(calls, own...))
	set := &evidence.Set{Started: awstest.Now, Ended: awstest.Now}
	err := s.Run(t.Context(), func(part *evidence.Set) error {
		set.Records = append(set.Records, part.Records...)
		set.Gaps = append(set.Gaps, part.Gaps...)
		return nil
	})
	set.Sort()
	return set, err
}

func assets(set *evidence.Set) (ids []string) {
	for _, r := range set.Records {
		if a, ok := r.(*evidence.Asset); ok {
			ids = append(ids, string(a.ID))
		}
	}
	return ids
}

func gaps(set *evidence.Set) (out []string) {
	for _, g := range set.Gaps {
		out = append(out, string(g.In)+": "+g.Asked+": "+g.Why.String()+": "+g.Err)
	}
	return out
}

func want(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func TestAnAccountIsReadInEveryRegionThatIsEnabled(t *testing.T) {
	set, err := read(t, awstest.Config(world(nil)), Options{}, noted)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "assets", assets(set), []string{
		"aws:111122223333//account", "aws:111122223333//organization", "aws:111122223333/eu-west-1//region", "aws:111122223333/us-east-1//region",
	})
	want(t, "gaps", gaps(set), nil)
}

func TestRegionsLeftOutAreNamed(t *testing.T) {
	set, err := read(t, awstest.Config(world(nil)), Options{Regions: []string{"eu-west-1"}}, noted)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "assets", assets(set), []string{"aws:111122223333//account", "aws:111122223333//organization", "aws:111122223333/eu-west-1//region"})
	want(t, "gaps", gaps(set), []string{"aws:111122223333//account: 1 other region: elsewhere: left out by --region: us-east-1"})
}

func TestARegionThatIsNotThereIsAnErrorAndOneThatIsOffIsNamed(t *testing.T) {
	_, err := read(t, awstest.Config(world(nil)), Options{Regions: []string{"eu-west-1", "eu-wset-1"}}, noted)
	if err == nil || !strings.Contains(err.Error(), "--region eu-wset-1: there is no such region") {
		t.Errorf("got %v", err)
	}
	_, err = read(t, awstest.Config(world(nil)), Options{Regions: []string{"me-south-1"}}, noted)
	if err == nil || err.Error() != "--region me-south-1: it is not enabled for the account; enable it, or name another one" {
		t.Errorf("got %v", err)
	}
	_, err = read(t, awstest.Config(world(nil)), Options{Regions: []string{"me-south-1"}, Filter: Filter{Organization: true}}, noted)
	if err != nil {
		t.Errorf("another account may have it: %v", err)
	}
	set, err := read(t, awstest.Config(world(nil)), Options{Regions: []string{"eu-west-1", "me-south-1"}}, noted)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "gaps", gaps(set), []string{
		"aws:111122223333//account: 1 other region: elsewhere: left out by --region: us-east-1",
		"aws:111122223333//account: the region me-south-1: elsewhere: it is not enabled for the account",
	})
}

func TestWithoutItsRegionsNothingOfAnAccountIsAssumed(t *testing.T) {
	denied := func(c awstest.Call) (any, error) {
		if c.Op == "EC2.DescribeRegions" {
			return nil, awstest.Error("UnauthorizedOperation")
		}
		return nil, nil
	}
	set, err := read(t, awstest.Config(world(denied)), Options{}, noted)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "gaps", gaps(set), []string{"aws:111122223333//account: the regions of the account: denied: "})
	for _, line := range awstest.Judge(set) {
		if !strings.HasPrefix(line, "not-assessed") {
			t.Errorf("judged: %s", line)
		}
	}
}

func TestAnOrganisationIsReadAccountByAccount(t *testing.T) {
	denied := func(c awstest.Call) (any, error) {
		if in, ok := c.Input.(*sts.AssumeRoleInput); ok && strings.Contains(*in.RoleArn, bank) {
			return nil, awstest.Error("AccessDenied")
		}
		return nil, nil
	}
	set, err := read(t, awstest.Config(world(denied)), Options{Filter: Filter{Organization: true}}, noted)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "assets", assets(set), []string{
		"aws:111122223333//account", "aws:111122223333//organization", "aws:111122223333/eu-west-1//region", "aws:111122223333/us-east-1//region",
		"aws:222222222222//account", "aws:222222222222/eu-west-1//region", "aws:222222222222/us-east-1//region",
		"aws:333333333333//account",
	})
	want(t, "gaps", gaps(set), []string{
		"aws:333333333333//account: the account 333333333333 (bank): denied: AccessDenied",
		"aws:444444444444//account: the account 444444444444 (closed): elsewhere: it is suspended",
	})
}

func TestAccountsAreChosenByUnitIdAndTag(t *testing.T) {
	for name, test := range map[string]struct {
		filter Filter
		want   []string
	}{
		"a unit and what lies below it": {Filter{Units: []string{"ou-top"}}, []string{shop}},
		"ids":                           {Filter{Accounts: []string{shop, bank}}, []string{shop, bank}},
		"a tag with its value":          {Filter{Tags: []string{"env=prod"}}, []string{bank}},
		"a tag":                         {Filter{Tags: []string{"env"}}, []string{bank}},
		"another value":                 {Filter{Tags: []string{"env=test"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			test.filter.Organization = true
			set, err := read(t, awstest.Config(world(nil)), Options{Filter: test.filter}, noted)
			if (err != nil) != (test.want == nil) {
				t.Fatal(err)
			}
			var got []string
			for _, id := range assets(set) {
				if id, ok := strings.CutSuffix(id, "//account"); ok {
					got = append(got, strings.TrimPrefix(id, "aws:"))
				}
			}
			want(t, "accounts", got, test.want)
		})
	}
}

func TestAnAccountThatIsNamedAndNotReadSaysWhyOnce(t *testing.T) {
	set, err := read(t, awstest.Config(world(nil)), Options{Filter: Filter{
		Organization: true, Units: []string{"ou-top"}, Accounts: []string{shop, bank, "999999999999"},
	}}, noted)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "outside the unit", gaps(set), []string{
		"aws:333333333333//account: the account 333333333333: failed: it is left out by --ou",
		"aws:999999999999//account: the account 999999999999: failed: it is no account of the organisation",
	})
	set, err = read(t, awstest.Config(world(nil)), Options{Filter: Filter{
		Organization: true, Tags: []string{"env"}, Accounts: []string{shop, bank},
	}}, noted)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "without the tag", gaps(set), []string{"aws:222222222222//account: the account 222222222222: failed: it is left out by --tag"})
	set, err = read(t, awstest.Config(world(nil)), Options{Filter: Filter{Organization: true, Accounts: []string{shop, closed}}}, noted)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "suspended", gaps(set), []string{"aws:444444444444//account: the account 444444444444 (closed): elsewhere: it is suspended"})
	if !set.Gaps[0].Bad {
		t.Error("it was named, and is not read: the scan has to exit 2")
	}
}

func TestARegionThatIsDownIsUnknownAndNotWaitedForAgain(t *testing.T) {
	var mu sync.Mutex
	asked := 0
	down := func(c awstest.Call) (any, error) {
		if c.Op == "EC2.DescribeVpcs" && c.Region == "us-east-1" {
			mu.Lock()
			defer mu.Unlock()
			asked++
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
		}
		return nil, nil
	}
	twice := noted
	twice.Region = func(ctx context.Context, s *scope.Scope) {
		noted.Region(ctx, s)
		noted.Region(ctx, s)
	}
	set, err := read(t, awstest.Config(world(down)), Options{}, twice)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range set.Records {
		a, ok := r.(*evidence.Asset)
		if !ok || a.Kind != "region" {
			continue
		}
		looked := a.Looked[evidence.NetworkFlow]
		if isUp := a.Name == "eu-west-1"; isUp == looked.IsUnknown() || !isUp && looked.Why() != evidence.Failed {
			t.Errorf("%s: looked is unknown %v, because %s", a.Name, looked.IsUnknown(), looked.Why())
		}
	}
	if asked != 1 {
		t.Errorf("the region that is down was asked %d times", asked)
	}
}

func TestTheOrderOfAnswersDoesNotMatter(t *testing.T) {
	slow := func(awstest.Call) (any, error) {
		time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
		return nil, nil
	}
	var first []byte
	for range 5 {
		set, err := read(t, awstest.Config(world(slow)), Options{Filter: Filter{Organization: true}}, noted)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := evidence.Write(&got, set); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got.Bytes()
		}
		if !bytes.Equal(first, got.Bytes()) {
			t.Fatal("two scans of the same accounts differ")
		}
	}
}

func TestACallThatNobodyDeclaredIsNotMade(t *testing.T) {
	var made atomic.Bool
	cfg := awstest.Config(world(func(c awstest.Call) (any, error) {
		if c.Op == "EC2.DeleteVpc" {
			made.Store(true)
		}
		return nil, nil
	}))
	var err error
	service := scope.Service{Name: "wild", Account: func(ctx context.Context, s *scope.Scope) {
		_, err = ec2.NewFromConfig(s.Config).DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: aws.String("vpc-1")})
	}}
	if _, err := read(t, cfg, Options{}, service); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, scope.ErrUndeclared) || made.Load() {
		t.Errorf("made %v, %v", made.Load(), err)
	}
}

// readsOnly reports whether an operation has the name of one that changes nothing.
func readsOnly(op string) bool {
	return slices.ContainsFunc([]string{"Describe", "Get", "List", "Lookup", "Simulate", "BatchGet", "Search"}, func(verb string) bool { return strings.HasPrefix(op, verb) })
}

// TestOnlyCallsThatReadAreDeclared holds that a scan changes nothing: what is not declared is not sent.
func TestOnlyCallsThatReadAreDeclared(t *testing.T) {
	for _, c := range Calls() {
		if !readsOnly(c.Op) {
			t.Errorf("%s %s may change something", c.Service, c.Op)
		}
		if c.Action == "" || c.Per == "" || c.Fills == "" {
			t.Errorf("%s %s says not what it needs, how often it is called or what it fills", c.Service, c.Op)
		}
	}
}

func TestAnInterruptedScanHandsOnWhatItHas(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cfg := awstest.Config(world(func(c awstest.Call) (any, error) {
		if c.Account == bank {
			cancel()
			return nil, ctx.Err()
		}
		return nil, nil
	}))
	s := newScan(cfg, Options{Now: awstest.Now, Filter: Filter{Organization: true}})
	parts := 0
	err := s.Run(ctx, func(*evidence.Set) error { parts++; return nil })
	if !errors.Is(err, context.Canceled) || parts != 4 {
		t.Errorf("%d parts, %v", parts, err)
	}
}

func TestMissingCredentialsNameTheCure(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", "testdata/none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "testdata/none")
	_, err := Open(t.Context(), Options{})
	if err == nil || !strings.Contains(err.Error(), `no AWS credentials; set AWS_PROFILE`) {
		t.Errorf("without credentials: %v", err)
	}
	_, err = Open(t.Context(), Options{Profile: "audit"})
	if err == nil || !strings.Contains(err.Error(), `there is no AWS profile "audit"`) {
		t.Errorf("with a profile that is not there: %v", err)
	}
}

func TestCredentialsThatAWSDoesNotTakeSayTheCure(t *testing.T) {
	for code, want := range map[string]string{
		"ExpiredToken":          `the AWS credentials for profile "audit" have expired (ExpiredToken); run "aws sso login --profile audit", or set new ones`,
		"InvalidClientTokenId":  `AWS does not know the access key for profile "audit" (InvalidClientTokenId): it was deleted or turned off, its session token is missing, or the region of the profile is not enabled; run "aws sso login --profile audit", or set another one`,
		"SignatureDoesNotMatch": `AWS does not take the signature for profile "audit" (SignatureDoesNotMatch); check the secret access key, and that the clock is right`,
		"InternalFailure":       "asking AWS who we are: InternalFailure",
	} {
		refused := func(c awstest.Call) (any, error) { return nil, awstest.Error(code) }
		_, err := read(t, awstest.Config(world(refused)), Options{Profile: "audit"}, noted)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", code, err, want)
		}
		if of := (Options{Profile: "audit", Role: "arn:aws:iam::111122223333:role/audit"}).credentials(awstest.Error(code)); code != "InternalFailure" && of.Error() != want {
			t.Errorf("%s of a role: got %v, want %s", code, of, want)
		}
	}
}
