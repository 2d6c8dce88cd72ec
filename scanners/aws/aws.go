// Package aws reads AWS accounts: one, or all of an organisation, in every region that is enabled.
//
// It finds the accounts and regions; each service is read by the folder below that has its name. Everything that it calls
// is declared, and nothing else is let through.
package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyauth "github.com/aws/smithy-go/auth"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"lookback/evidence"
	"lookback/scanners/aws/s3"
	"lookback/scanners/aws/scope"
	"lookback/scanners/aws/securitylake"
)

// Options say what is read, and as whom.
type Options struct {
	Profile    string // of the shared configuration; "" for the default chain
	Role       string // the ARN of a role to assume first; "" for none
	ExternalID string // for Role, and for the role in each account
	Regions    []string
	Filter     Filter // of the accounts of an organisation; the zero Filter reads the caller's own account alone

	Now      time.Time // the start of the scan
	Attempts int       // of each call that fails; 0 for 8
}

// A Scan reads accounts. Its counters may be read while it runs.
type Scan struct {
	options  Options
	services []scope.Service
	guard    *scope.Guard
	base     aws.Config
	wrong    atomic.Pointer[noRegionError] // what was asked for and is not there

	// Accounts is how many accounts are to be read, Done how many are; Regions counts regions that were read.
	Accounts, Done, Regions atomic.Int64
}

// Accounts are read together, few at a time so as to bound memory: the calls of three large ones fill what may be in flight. Of
// many accounts what is left of each takes the room of the third one.
const (
	atATime      = 3
	manyAccounts = 100
	// atMost is for small accounts that leave room, as those do that wait for the limits on calls; small is how many records
	// such an account has. That there is room is looked for every so often: by then, an account that was begun has its calls
	// under way.
	atMost    = 8
	small     = 4000
	lookEvery = 250 * time.Millisecond
)

// Open finds credentials. Its errors say what to do.
func Open(ctx context.Context, o Options) (*Scan, error) {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 2*scope.InFlight, scope.InFlight
	}).WithDialerOptions(withDialTime)
	attempts := o.Attempts
	if attempts == 0 {
		attempts = 8
	}
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithSharedConfigProfile(o.Profile),
		config.WithHTTPClient(client),
		config.WithLogger(logging.Nop{}), // what a reader has to know is in the report
		config.WithRetryer(func() aws.Retryer {
			return retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
				o.StandardOptions = append(o.StandardOptions, func(o *retry.StandardOptions) {
					o.MaxAttempts = attempts
					o.Retryables = append([]retry.IsErrorRetryable{unreadable{}}, o.Retryables...)
					o.RateLimiter = unlimited{} // the guard limits; a bucket of retries would give up when throttled for long
				})
			})
		}),
	)
	var missing config.SharedConfigProfileNotExistError
	if errors.As(err, &missing) {
		return nil, fmt.Errorf("there is no AWS profile %q; \"aws configure list-profiles\" lists those there are", missing.Profile)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	cfg.APIOptions = append(cfg.APIOptions, understood)
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	if o.Role != "" {
		cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), o.Role, o.external))
	}
	wait, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if _, err := cfg.Credentials.Retrieve(wait); err != nil {
		return nil, o.credentials(err)
	}
	return newScan(cfg, o), nil
}

func newScan(cfg aws.Config, o Options) *Scan {
	return &Scan{options: o, services: Services(), guard: scope.NewGuard(Calls()), base: cfg}
}

func (o Options) external(a *stscreds.AssumeRoleOptions) {
	a.RoleSessionName = "lookback"
	if o.ExternalID != "" {
		a.ExternalID = aws.String(o.ExternalID)
	}
}

// credentials says why there are none, and the cure.
func (o Options) credentials(err error) error {
	of, login := o.login()
	var expired *ssocreds.InvalidTokenError
	refused := o.refused(err)
	switch {
	case errors.As(err, &expired):
		return fmt.Errorf("the sign-in%s has expired; run %q", of, login)
	case refused != nil:
		return refused
	case o.Role != "" && scope.Code(err) != "":
		return fmt.Errorf("assuming the role %s: %s; the caller needs sts:AssumeRole on it, and its trust policy has to name the caller", o.Role, scope.Brief(err))
	case o.Profile != "":
		return fmt.Errorf("no AWS credentials%s; run %q, or name another profile: %s", of, login, scope.Brief(err))
	}
	return fmt.Errorf("no AWS credentials; set AWS_PROFILE or AWS_ACCESS_KEY_ID, run %q, or give --profile", login)
}

// refused says why AWS does not take the credentials that there are, and the cure; nil where they are not at fault.
func (o Options) refused(err error) error {
	of, login := o.login()
	switch code := scope.Code(err); code {
	case "ExpiredToken", "ExpiredTokenException":
		return fmt.Errorf("the AWS credentials%s have expired (%s); run %q, or set new ones", of, code, login)
	case "InvalidClientTokenId", "UnrecognizedClientException":
		return fmt.Errorf("AWS does not know the access key%s (%s): it was deleted or turned off, its session token is missing, or the region of the profile is not enabled; run %q, or set another one", of, code, login)
	case "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "RequestExpired":
		return fmt.Errorf("AWS does not take the signature%s (%s); check the secret access key, and that the clock is right", of, code)
	}
	return nil
}

// login says of which credentials an error is, and how to get new ones.
func (o Options) login() (of, command string) {
	if o.Profile == "" {
		return "", "aws sso login"
	}
	return fmt.Sprintf(" for profile %q", o.Profile), "aws sso login --profile " + o.Profile
}

// Made is how many requests were sent.
func (s *Scan) Made() int64 { return s.guard.Made() }

// Throttled is how many of them were turned away for coming too fast.
func (s *Scan) Throttled() int64 { return s.guard.Throttled() }

// Counts says how often each action was called.
func (s *Scan) Counts() []scope.Count { return s.guard.Counts() }

// An account is one to be read.
type account struct {
	id, name string
	config   aws.Config
	lost     func() map[scope.Loss]error
	done     func() // to be called when it was read
	err      error  // why there are no credentials for it
}

// Run reads all accounts and hands on the evidence of each when it is complete, in any order, one at a time; at last that
// of what belongs to no single account. After an interrupt, accounts that were not read are gaps.
func (s *Scan) Run(ctx context.Context, part func(*evidence.Set) error) error {
	cfg, lost, done := s.guard.Account(s.base)
	me, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		if refused := s.options.refused(err); refused != nil {
			return refused
		}
		return fmt.Errorf("asking AWS who we are: %s", scope.Brief(err))
	}
	arn, ok := scope.ParseARN(aws.ToString(me.Arn))
	if !ok {
		return fmt.Errorf("asking AWS who we are: %q is no name of a caller", aws.ToString(me.Arn))
	}
	all := scope.NewScan()
	whole := scope.Scope{Partition: arn.Partition, Region: globalRegion(ctx, s.base.Region), Now: s.options.Now}
	own := account{id: aws.ToString(me.Account), config: cfg, lost: lost, done: done}
	accounts := []account{own}
	rest := &evidence.Set{}
	if s.options.Filter.Organization {
		accounts, err = s.members(ctx, own, arn.Partition, rest)
		if err != nil {
			return err
		}
	}
	s.Accounts.Store(int64(len(accounts)))
	for _, a := range accounts {
		whole.Accounts = append(whole.Accounts, a.id)
	}
	lakes := sync.OnceValue(func() lake { return lakeOf(ctx, own) })
	var mu sync.Mutex
	var failed error
	var read, records, waiting atomic.Int64 // accounts that were read, what they had, and those not handed on
	hand := func(set *evidence.Set) {
		records.Add(int64(len(set.Records)))
		read.Add(1)
		waiting.Add(1)
		defer waiting.Add(-1)
		mu.Lock()
		defer mu.Unlock()
		if failed == nil {
			failed = part(set)
		}
	}
	few := atATime
	if len(accounts) > manyAccounts {
		few--
	}
	slots := make(chan struct{}, atMost)
	var wg sync.WaitGroup
	for _, a := range accounts {
		slots <- struct{}{}
		for len(slots) > few && (records.Load() >= small*read.Load() || waiting.Load() > 0 || !s.guard.Idle()) && ctx.Err() == nil {
			time.Sleep(lookEvery)
		}
		wg.Go(func() {
			defer func() { <-slots }()
			defer s.Done.Add(1)
			base := whole
			base.Account, base.Config = a.id, a.config.Copy()
			base.Config.Region = base.Region
			hand(s.account(ctx, all, base, a, lakes))
			a.done()
		})
	}
	wg.Wait()
	for buckets, take := all.Buckets(); len(buckets) > 0; buckets, take = all.Buckets() {
		var readers sync.WaitGroup
		busy := make(chan struct{}, scope.InFlight)
		for _, b := range buckets {
			busy <- struct{}{}
			readers.Go(func() {
				defer func() { <-busy }()
				s3.Read(ctx, b)
			})
		}
		readers.Wait()
		taken := take()
		rest.Records = append(rest.Records, taken.Records...)
		rest.Gaps = append(rest.Gaps, taken.Gaps...)
	}
	rest.Records = append(rest.Records, all.Shared()...)
	for _, a := range accounts { // what their buckets did not answer
		unsaid(rest, a)
	}
	rest.Sort()
	hand(rest)
	if failed != nil {
		return failed
	}
	if wrong := s.wrong.Load(); wrong != nil {
		return wrong
	}
	return ctx.Err()
}

// globalRegion is the region that answers for what belongs to none, in the partition that a region lies in: the one for
// which the SDK signs calls to Organizations, which is such a service in every partition.
func globalRegion(ctx context.Context, region string) string {
	to, err := organizations.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, organizations.EndpointParameters{Region: &region})
	if err != nil {
		return region
	}
	schemes, _ := smithyauth.GetAuthOptions(&to.Properties)
	for _, scheme := range schemes {
		if global, ok := smithyhttp.GetSigV4SigningRegion(&scheme.SignerProperties); ok && global != "" {
			return global
		}
	}
	return region
}

// account reads one account.
func (s *Scan) account(ctx context.Context, all *scope.Scan, base scope.Scope, a account, lakes func() lake) *evidence.Set {
	at := evidence.Origin{Call: "sts:AssumeRole", Of: a.id}
	if a.err == nil {
		a.err = ctx.Err()
	}
	if a.err == nil {
		_, a.err = a.config.Credentials.Retrieve(ctx)
	}
	if a.err != nil {
		collect := all.NewAccount(base)
		if s.options.Filter.Organization {
			unreadLake(collect.Whole(), lakes(), scope.Unknown[bool](a.err, at))
		}
		set := collect.Take()
		blind := blindAccount(a, scope.Unknown[bool](a.err, at))
		set.Record(blind)
		set.Gap(evidence.Gap{In: blind.ID, Asked: "the account " + blind.Name, Why: scope.Why(a.err), Err: scope.Brief(a.err), At: at})
		return set
	}
	var regions, left, off []string
	var err error
	var first sync.WaitGroup
	first.Go(func() { regions, left, off, err = s.regions(ctx, base.Config) })
	base.Organization = s.organization(ctx, base, all)
	switch management, known := base.Organization.Get(); {
	case s.options.Filter.Organization, known && management == a.id:
		base.Lake = lakes().account
	case known:
		base.Lake = evidence.Unknown[string](evidence.Elsewhere, base.Organization.At().WithNote("the Security Lake of the organisation, of which its management account can tell, may take it"))
	case base.Organization.IsMoot():
		base.Lake = base.Organization
	default:
		base.Lake = evidence.Unknown[string](base.Organization.Why(), base.Organization.At())
	}
	first.Wait()
	base.Unread = left
	collect := all.NewAccount(base)
	global := collect.Whole()
	asset := assetOf(a, global.At("sts:GetCallerIdentity", ""))
	asset.In = within(base.Organization)
	regionsAt := global.At("ec2:DescribeRegions", "")
	if err != nil {
		blind := blindAccount(a, scope.Unknown[bool](err, regionsAt))
		blind.In = asset.In
		asset = blind
		global.Missed(asset.ID, "the regions of the account", err, regionsAt)
		if s.options.Filter.Organization {
			unreadLake(global, lakes(), scope.Unknown[bool](err, regionsAt))
		}
	}
	global.Record(asset)
	var wrong *noRegionError
	if errors.As(err, &wrong) {
		s.wrong.Store(wrong)
	}
	for _, name := range off {
		global.Gap(evidence.Gap{In: asset.ID, Asked: "the region " + name, Why: evidence.Elsewhere, Err: "it is not enabled for the account", At: regionsAt})
	}
	if len(left) > 0 {
		global.Gap(evidence.Gap{
			In: asset.ID, Asked: others(len(left)), Why: evidence.Elsewhere,
			Err: "left out by --region: " + strings.Join(left, ", "), At: regionsAt,
		})
	}
	var wg sync.WaitGroup
	for _, service := range s.services {
		if service.Account != nil {
			wg.Go(func() { service.Account(ctx, global) })
		}
	}
	for _, name := range regions {
		region := collect.InRegion(name)
		region.Record(&evidence.Asset{
			Subject: evidence.Subject{ID: region.Home(), Kind: "region", Name: name, At: regionsAt},
			In:      evidence.Known(region.AccountID(), regionsAt), Lasting: true,
		})
		var services sync.WaitGroup
		for _, service := range s.services {
			if service.Region != nil {
				services.Go(func() { service.Region(ctx, region) })
			}
		}
		wg.Go(func() {
			services.Wait()
			s.Regions.Add(1)
		})
	}
	wg.Wait()
	collect.RunAfter(ctx)
	shared := collect.Shared()
	set := collect.Take()
	unsaid(set, a, shared...)
	set.Sort()
	return set
}

// unreadLake says that an account could not be read, where it keeps the Security Lake of the organisation.
func unreadLake(s *scope.Scope, of lake, why evidence.Value[bool]) {
	if account, known := of.account.Get(); known && account == s.Account {
		securitylake.Unread(s, of.of, why)
	}
}

func assetOf(a account, at evidence.Origin) *evidence.Asset {
	name := a.id
	if a.name != "" {
		name += " (" + a.name + ")"
	}
	return &evidence.Asset{Subject: evidence.Subject{ID: scope.AccountID(a.id), Kind: "account", Name: name, At: at}, Lasting: true}
}

// blindAccount stands for an account of which nothing could be read: everything that would be asked of what is in it is
// open.
func blindAccount(a account, why evidence.Value[bool]) *evidence.Asset {
	asset := assetOf(a, why.At())
	asset.In = evidence.Unknown[evidence.ID](why.Why(), why.At())
	asset.Looked = map[evidence.Activity]evidence.Value[bool]{}
	for _, activity := range []evidence.Activity{
		evidence.CloudAPI, evidence.CloudData, evidence.KubernetesAPI, evidence.NetworkFlow, evidence.DNS, evidence.Edge,
		evidence.Application, evidence.Database, evidence.Configuration, evidence.Detection, evidence.Process,
	} {
		asset.Looked[activity] = why
	}
	asset.Alarmed = why
	asset.Hands = evidence.Unknown[[]string](why.Why(), why.At())
	return asset
}

// regions returns the regions that are enabled for an account and asked for, those that were left out, and those that were
// asked for and are off.
func (s *Scan) regions(ctx context.Context, cfg aws.Config) (read, left, off []string, err error) {
	cfg.Region = s.base.Region
	out, err := ec2.NewFromConfig(cfg).DescribeRegions(ctx, &ec2.DescribeRegionsInput{AllRegions: aws.Bool(true)})
	if err != nil {
		if len(s.options.Regions) > 0 { // named by the caller, who knows
			return slices.Sorted(slices.Values(s.options.Regions)), nil, nil, nil
		}
		return nil, nil, nil, err
	}
	var closed []string
	for _, r := range out.Regions {
		name := aws.ToString(r.RegionName)
		switch {
		case name == "":
		case aws.ToString(r.OptInStatus) == "not-opted-in": // nothing can run there
			closed = append(closed, name)
		case len(s.options.Regions) > 0 && !slices.Contains(s.options.Regions, name):
			left = append(left, name)
		default:
			read = append(read, name)
		}
	}
	slices.Sort(read)
	slices.Sort(left)
	for _, name := range s.options.Regions {
		switch {
		case slices.Contains(closed, name):
			off = append(off, name)
		case !slices.Contains(read, name):
			return nil, nil, nil, &noRegionError{name, "there is no such region; \"aws ec2 describe-regions --all-regions\" lists those there are"}
		}
	}
	if len(read) == 0 && len(off) > 0 && !s.options.Filter.Organization {
		return nil, nil, nil, &noRegionError{strings.Join(off, ","), "it is not enabled for the account; enable it, or name another one"}
	}
	return read, left, off, nil
}

// A noRegionError is for a region that --region names and that does not exist, or cannot be read.
type noRegionError struct{ name, why string }

func (e *noRegionError) Error() string {
	return fmt.Sprintf("--region %s: %s", e.name, e.why)
}

func others(n int) string {
	if n == 1 {
		return "1 other region"
	}
	return fmt.Sprintf("%d other regions", n)
}
