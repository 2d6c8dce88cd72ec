package s3

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	control "github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/kms"
	"lookback/scanners/aws/scope"
	"lookback/scanners/aws/vended"
)

const (
	home     = "aws:111122223333/eu-west-1//"
	unseen   = "aws:111122223333//unseen/buckets" // what stands for the buckets that were not listed
	ownKey   = "arn:aws:kms:eu-west-1:111122223333:key/own"
	awsKey   = "arn:aws:kms:eu-west-1:111122223333:key/aws"
	goingKey = "arn:aws:kms:eu-west-1:111122223333:key/going"
)

// estate answers for two buckets: "data", which logs into "logs" below "access/", and "logs", which takes a trail, too. Where
// nothing was set S3 answers with errors, as it does here.
func estate(region string, input any) (any, error) {
	switch in := input.(type) {
	case *s3.ListBucketsInput:
		return &s3.ListBucketsOutput{Buckets: []types.Bucket{listed("data", "eu-west-1"), listed("logs", "eu-west-1")}}, nil
	case *s3.GetBucketLoggingInput:
		if aws.ToString(in.Bucket) == "data" {
			return &s3.GetBucketLoggingOutput{LoggingEnabled: &types.LoggingEnabled{TargetBucket: aws.String("logs"), TargetPrefix: aws.String("access/")}}, nil
		}
		return &s3.GetBucketLoggingOutput{}, nil
	case *s3.GetBucketLifecycleConfigurationInput:
		return nil, awstest.Error("NoSuchLifecycleConfiguration")
	case *s3.GetObjectLockConfigurationInput:
		return nil, awstest.Error("ObjectLockConfigurationNotFoundError")
	case *s3.GetPublicAccessBlockInput:
		return nil, awstest.Error("NoSuchPublicAccessBlockConfiguration")
	case *s3.GetBucketPolicyStatusInput:
		return nil, awstest.Error("NoSuchBucketPolicy")
	case *s3.GetBucketReplicationInput:
		return nil, awstest.Error("ReplicationConfigurationNotFoundError")
	case *s3.GetBucketEncryptionInput:
		return encryptedWith(types.ServerSideEncryptionAes256, ""), nil
	case *awskms.DescribeKeyInput:
		meta := &kmstypes.KeyMetadata{KeyManager: kmstypes.KeyManagerTypeCustomer, KeyState: kmstypes.KeyStateEnabled}
		switch aws.ToString(in.KeyId) {
		case awsKey:
			meta.KeyManager = kmstypes.KeyManagerTypeAws
		case goingKey:
			meta.KeyState = kmstypes.KeyStatePendingDeletion
		case ownKey:
		default:
			return nil, awstest.Error("NotFoundException")
		}
		return &awskms.DescribeKeyOutput{KeyMetadata: meta}, nil
	}
	return nil, nil
}

func listed(name, region string) types.Bucket {
	b := types.Bucket{Name: aws.String(name)}
	if region != "" {
		b.BucketRegion = aws.String(region)
	}
	return b
}

func encryptedWith(how types.ServerSideEncryption, key string) *s3.GetBucketEncryptionOutput {
	by := &types.ServerSideEncryptionByDefault{SSEAlgorithm: how}
	if key != "" {
		by.KMSMasterKeyID = aws.String(key)
	}
	return &s3.GetBucketEncryptionOutput{ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
		Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: by}},
	}}
}

// but answers as the estate does, except for one kind of call.
func but[I any](answer func(in *I) (any, error)) awstest.Answer {
	return func(region string, input any) (any, error) {
		if in, ok := input.(*I); ok {
			return answer(in)
		}
		return estate(region, input)
	}
}

const trailPlace = "AWSLogs/111122223333/CloudTrail/"

// trails stands for readers that name places in a bucket.
func trails(places ...scope.Place) scope.Service {
	return scope.Service{Name: "trails", Region: func(_ context.Context, s *scope.Scope) {
		s.Listed("trails", nil)
		for _, p := range places {
			at := s.At("cloudtrail:DescribeTrails", "main")
			source := s.Source("cloudtrail/main", evidence.CloudAPI, "trail", "main", at)
			source.Covers = []evidence.ID{s.Home()}
			source.Enabled = evidence.Known(true, at)
			source.To = []evidence.Delivery{evidence.EverythingTo(s.Bucket(p), at)}
			s.Record(source)
		}
	}}
}

func scan(t *testing.T, answer awstest.Answer, places ...scope.Place) *evidence.Set {
	t.Helper()
	if len(places) == 0 {
		places = []scope.Place{{Bucket: "logs", Prefix: trailPlace}}
	}
	return awstest.Scan(t, answer, Read, Service(), kms.Service(), vended.Service(), trails(places...))
}

// store returns the store of a place that a bucket was scanned for.
func store(t *testing.T, set *evidence.Set, id evidence.ID) *evidence.LogStore {
	t.Helper()
	return find[*evidence.LogStore](t, set, id)
}

func find[R evidence.Record](t *testing.T, set *evidence.Set, id evidence.ID) R {
	t.Helper()
	var found []R
	for _, r := range set.Records {
		if is, ok := r.(R); ok && is.Self().ID == id {
			found = append(found, is)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d records %s, want 1", len(found), id)
	}
	return found[0]
}

// say writes a fact for a comparison: its value, "moot", or the reason why it is unknown; then its note.
func say[T any](v evidence.Value[T]) string {
	out := fmt.Sprintf("unknown: %s", v.Why())
	if is, known := v.Get(); known {
		out = fmt.Sprint(is)
	} else if v.IsMoot() {
		out = "moot"
	}
	if note := v.At().Note; note != "" {
		out += " (" + note + ")"
	}
	return out
}

func expect[T any](t *testing.T, what string, v evidence.Value[T], want string) {
	t.Helper()
	if got := say(v); got != want {
		t.Errorf("%s: got %s, want %s", what, got, want)
	}
}

func verdict(set *evidence.Set, outcome, check string, of evidence.ID) bool {
	return slices.ContainsFunc(awstest.Judge(set), func(line string) bool {
		return strings.HasPrefix(line, outcome+" "+check+" "+string(of)+":")
	})
}

func TestABucketIsAnAssetOfItsRegionAndItsAccessLogASourceThatCoversIt(t *testing.T) {
	set := scan(t, estate)
	data := find[*evidence.Asset](t, set, home+"s3/data")
	expect(t, "in", data.In, home+"region")
	expect(t, "looked", data.Looked[evidence.CloudData], "true")
	if data.Kind != "bucket" || data.Name != "data" || !data.Lasting || !slices.Equal(data.Also, []evidence.ID{"aws://s3/data"}) {
		t.Errorf("got %+v", data)
	}
	log := find[*evidence.LogSource](t, set, home+"s3/data/access#cloud-data")
	if !slices.Equal(log.Covers, []evidence.ID{data.ID}) || len(log.To) != 1 || log.To[0].To != "aws://s3/logs/access" {
		t.Errorf("got %+v", log)
	}
	expect(t, "enabled", log.Enabled, "true")
	expect(t, "reads", log.Parts[evidence.PartDataReads], "{all }")
	expect(t, "writes", log.Parts[evidence.PartDataWrites], "{all }")
	expect(t, "every event", log.Parts[evidence.PartEveryEvent], "{some AWS delivers them as best effort}")
	want := evidence.Origin{Call: "s3:GetBucketLogging", Of: "eu-west-1/data"}
	if log.Enabled.At() != want || data.Looked[evidence.CloudData].At() != want {
		t.Errorf("got %+v and %+v, want %+v", log.Enabled.At(), data.Looked[evidence.CloudData].At(), want)
	}
	if !verdict(set, "pass", "recorded-cloud-data", data.ID) || !verdict(set, "fail", "recorded-cloud-data", home+"s3/logs") {
		t.Errorf("got %q", awstest.Judge(set))
	}
}

func TestABucketWithoutAnAccessLogIsNotJudgedWhereTrailsAreNotKnown(t *testing.T) {
	set := awstest.Scan(t, estate, Read, Service(), kms.Service(), vended.Service())
	expect(t, "looked", find[*evidence.Asset](t, set, home+"s3/logs").Looked[evidence.CloudData], "unknown: failed (it was not listed)")
	if !verdict(set, "not-assessed", "recorded-cloud-data", home+"s3/logs") {
		t.Errorf("got %q", awstest.Judge(set))
	}
}

func TestABucketOfAnotherRegionIsAskedThere(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]bool{}
	set := scan(t, func(region string, input any) (any, error) {
		switch in := input.(type) {
		case *s3.ListBucketsInput:
			return &s3.ListBucketsOutput{Buckets: []types.Bucket{listed("far", "ap-south-2")}}, nil
		case *s3.GetBucketLoggingInput:
			mu.Lock()
			defer mu.Unlock()
			asked[region+" "+aws.ToString(in.Bucket)] = true
		}
		return estate(region, input)
	})
	if !reflect.DeepEqual(asked, map[string]bool{"ap-south-2 far": true}) {
		t.Errorf("asked %v", asked)
	}
	far := find[*evidence.Asset](t, set, "aws:111122223333/ap-south-2//s3/far")
	expect(t, "looked", far.Looked[evidence.CloudData], "unknown: failed (it was not listed)")
}

func TestAServerThatDoesNotListRegionsIsAskedForEach(t *testing.T) {
	set := scan(t, func(region string, input any) (any, error) {
		switch in := input.(type) {
		case *s3.ListBucketsInput:
			return &s3.ListBucketsOutput{Buckets: []types.Bucket{listed("first", ""), listed("old", ""), listed("new", ""), listed("shut", "")}}, nil
		case *s3.GetBucketLocationInput:
			switch aws.ToString(in.Bucket) {
			case "old":
				return &s3.GetBucketLocationOutput{LocationConstraint: types.BucketLocationConstraintEu}, nil
			case "new":
				return &s3.GetBucketLocationOutput{LocationConstraint: "eu-north-1"}, nil
			case "shut":
				return nil, awstest.Denied()
			}
			return &s3.GetBucketLocationOutput{}, nil
		}
		return estate(region, input)
	})
	find[*evidence.Asset](t, set, "aws:111122223333/us-east-1//s3/first")
	find[*evidence.Asset](t, set, "aws:111122223333/eu-west-1//s3/old")
	find[*evidence.Asset](t, set, "aws:111122223333/eu-north-1//s3/new")
	shut := find[*evidence.Asset](t, set, "aws:111122223333//s3/shut")
	expect(t, "in", shut.In, "unknown: denied")
	expect(t, "looked", shut.Looked[evidence.CloudData], "unknown: denied")
	if at := shut.In.At(); at.Call != "s3:GetBucketLocation" {
		t.Errorf("got %+v", at)
	}
}

func pages(second error) awstest.Answer {
	return but(func(in *s3.ListBucketsInput) (any, error) {
		switch {
		case aws.ToInt32(in.MaxBuckets) != page:
			return nil, fmt.Errorf("asked for %d", aws.ToInt32(in.MaxBuckets))
		case in.ContinuationToken == nil:
			return &s3.ListBucketsOutput{Buckets: []types.Bucket{listed("data", "eu-west-1")}, ContinuationToken: aws.String("next")}, nil
		}
		return &s3.ListBucketsOutput{Buckets: []types.Bucket{listed("logs", "eu-west-1")}}, second
	})
}

func TestBucketsOfAllPagesAreRead(t *testing.T) {
	set := scan(t, pages(nil))
	find[*evidence.Asset](t, set, home+"s3/data")
	find[*evidence.Asset](t, set, home+"s3/logs")
	find[*evidence.LogStore](t, set, "aws://s3/logs/access")
}

func TestWhatWasListedStandsWhenALaterPageFails(t *testing.T) {
	set := scan(t, pages(awstest.Denied()))
	find[*evidence.Asset](t, set, home+"s3/data")
	if len(set.Gaps) != 1 || set.Gaps[0].Asked != "buckets" || set.Gaps[0].Why != evidence.Denied || set.Gaps[0].At.Call != actionList {
		t.Errorf("got %v", set.Gaps)
	}
	rest := find[*evidence.Asset](t, set, unseen)
	expect(t, "looked", rest.Looked[evidence.CloudData], "unknown: denied")
	if !verdict(set, "not-assessed", "recorded-cloud-data", unseen) {
		t.Errorf("judged: %q", awstest.Judge(set))
	}
}

func TestAnAccountWithoutBucketsHasNothingToSay(t *testing.T) {
	set := awstest.Scan(t, func(string, any) (any, error) { return nil, nil }, Read, Service(), kms.Service(), vended.Service())
	if len(set.Records) != 2 || len(set.Gaps) != 0 { // account and region
		t.Errorf("got %v and %v", set.Records, set.Gaps)
	}
}

func TestABucketForWhichNothingWasSetKeepsForeverAndLocksNothing(t *testing.T) {
	set := scan(t, estate)
	s := store(t, set, "aws://s3/logs/AWSLogs/111122223333/CloudTrail")
	if s.Kind != "bucket" || s.Name != "s3://logs/AWSLogs/111122223333/CloudTrail" || len(s.To) != 0 {
		t.Errorf("got %+v", s)
	}
	expect(t, "on", s.On, "[aws:111122223333//account]")
	expect(t, "kept", s.Kept, fmt.Sprintf("%d (AWS default)", evidence.Forever))
	expect(t, "cold after", s.ColdAfter, "moot (AWS default)")
	expect(t, "restore", s.Restore, "moot (AWS default)")
	expect(t, "locked", s.Locked, "0 (no Object Lock)")
	expect(t, "encrypted", s.Encrypted, "false (S3 manages the key)")
	expect(t, "readable", s.Readable, "moot (S3 manages the key)")
	expect(t, "private", s.Private, "true (AWS default)")
	if s.As != "aws://s3/logs" {
		t.Errorf("reading it is recorded as that of %q", s.As)
	}
	expect(t, "complete", s.Complete, "true (AWS default)")
	if at := s.Kept.At(); at.Call != "s3:GetLifecycleConfiguration" || at.Of != "eu-west-1/logs" {
		t.Errorf("got %+v", at)
	}
}

func TestSeveralPlacesOfABucketAskOnce(t *testing.T) {
	var mu sync.Mutex
	calls := map[string]int{}
	set := scan(t, func(region string, input any) (any, error) {
		mu.Lock()
		calls[fmt.Sprintf("%T", input)]++
		mu.Unlock()
		return estate(region, input)
	}, scope.Place{Bucket: "logs", Prefix: trailPlace}, scope.Place{Bucket: "logs", Prefix: "elb"}, scope.Place{Bucket: "logs", Prefix: "elb/"},
		scope.Place{Bucket: "logs", Prefix: "elb/", Key: ownKey}, scope.Place{Bucket: "logs", Prefix: "waf", Key: "own"}, scope.Place{Bucket: "logs"})
	for _, id := range []evidence.ID{"aws://s3/logs/AWSLogs/111122223333/CloudTrail", "aws://s3/logs/elb", "aws://s3/logs/waf", "aws://s3/logs/access", "aws://s3/logs"} {
		store(t, set, id)
	}
	for call, n := range calls {
		want := 1
		if call == "*s3.GetBucketLoggingInput" {
			want = 2 // of each bucket
		}
		if n != want {
			t.Errorf("%s was called %d times, want %d", call, n, want)
		}
	}
	if len(calls) != 12 {
		t.Errorf("%d kinds of calls: %v", len(calls), calls)
	}
}

func TestEachDeniedCallIsAnUnknownFactAndWinsNothing(t *testing.T) {
	compliant := func(region string, input any) (any, error) {
		switch input.(type) {
		case *s3.GetBucketLifecycleConfigurationInput:
			return &s3.GetBucketLifecycleConfigurationOutput{Rules: []types.LifecycleRule{expires(400)}}, nil
		case *s3.GetBucketEncryptionInput:
			return encryptedWith(types.ServerSideEncryptionAwsKms, ownKey), nil
		case *s3.GetBucketLoggingInput:
			return &s3.GetBucketLoggingOutput{LoggingEnabled: &types.LoggingEnabled{TargetBucket: aws.String("logs")}}, nil
		}
		return estate(region, input)
	}
	passes := func(set *evidence.Set) map[string]bool {
		out := map[string]bool{}
		for _, line := range awstest.Judge(set) {
			if line, ok := strings.CutPrefix(line, "pass "); ok {
				subject, _, _ := strings.Cut(line, ": ")
				out[subject] = true
			}
		}
		return out
	}
	all := passes(scan(t, compliant))
	s := func(set *evidence.Set) *evidence.LogStore {
		return store(t, set, "aws://s3/logs/AWSLogs/111122223333/CloudTrail")
	}
	for _, c := range []struct {
		input any
		fact  func(*evidence.Set) evidence.Fact
		call  string
	}{
		{&s3.GetBucketLifecycleConfigurationInput{}, func(set *evidence.Set) evidence.Fact { return s(set).Kept }, actionLifecycle},
		{&s3.GetBucketLifecycleConfigurationInput{}, func(set *evidence.Set) evidence.Fact { return s(set).ColdAfter }, actionLifecycle},
		{&s3.GetBucketLifecycleConfigurationInput{}, func(set *evidence.Set) evidence.Fact { return s(set).Restore }, actionLifecycle},
		{&s3.GetObjectLockConfigurationInput{}, func(set *evidence.Set) evidence.Fact { return s(set).Locked }, actionLock},
		{&s3.GetBucketPolicyStatusInput{}, func(set *evidence.Set) evidence.Fact { return s(set).Private }, actionPolicy},
		{&s3.GetBucketAclInput{}, func(set *evidence.Set) evidence.Fact { return s(set).Private }, actionACL},
		{&s3.GetBucketEncryptionInput{}, func(set *evidence.Set) evidence.Fact { return s(set).Encrypted }, actionEncryption},
		{&s3.GetBucketEncryptionInput{}, func(set *evidence.Set) evidence.Fact { return s(set).Readable }, actionEncryption},
		{&awskms.DescribeKeyInput{}, func(set *evidence.Set) evidence.Fact { return s(set).Readable }, "kms:DescribeKey"},
		{&s3.GetBucketLoggingInput{}, func(set *evidence.Set) evidence.Fact {
			return find[*evidence.Asset](t, set, home+"s3/data").Looked[evidence.CloudData]
		}, actionLogging},
		{&s3.GetBucketReplicationInput{}, func(set *evidence.Set) evidence.Fact { return s(set).Complete }, actionReplication},
		{&s3.ListBucketsInput{}, func(set *evidence.Set) evidence.Fact {
			return find[*evidence.Asset](t, set, unseen).Looked[evidence.CloudData]
		}, actionList},
		{&s3.GetPublicAccessBlockInput{}, nil, actionBlock}, // policy and list say it, too
		{&s3.GetBucketVersioningInput{}, nil, actionVersioning},
	} {
		set := scan(t, func(region string, input any) (any, error) {
			if reflect.TypeOf(input) == reflect.TypeOf(c.input) {
				return nil, awstest.Denied()
			}
			return compliant(region, input)
		})
		if c.fact != nil {
			if f := c.fact(set); !f.IsUnknown() || f.Why() != evidence.Denied || f.At().Call != c.call {
				t.Errorf("%s denied: got %+v", c.call, f)
			}
		}
		for subject := range passes(set) {
			if !all[subject] {
				t.Errorf("%s denied wins %s", c.call, subject)
			}
		}
	}
}

func TestVersionsThatNobodyMaySeeAreAGap(t *testing.T) {
	account := scope.NewScan().NewAccount(scope.Scope{Account: awstest.Account})
	in := account.InRegion(awstest.Region)
	observe(scope.Bucket{Name: "logs", Places: []scope.Place{{Bucket: "logs"}}, In: in}, settings{
		versioning: evidence.Unknown[versioning](evidence.Denied, in.At(actionVersioning, "logs")),
	})
	set := account.Take()
	if len(set.Gaps) != 1 || set.Gaps[0].Why != evidence.Denied || set.Gaps[0].At.Call != actionVersioning || set.Gaps[0].In != home+"s3/logs" {
		t.Errorf("got %+v", set.Gaps)
	}
}

func TestADeletedBucketKeepsNothing(t *testing.T) {
	s := store(t, scan(t, func(region string, input any) (any, error) {
		if _, ok := input.(*s3.GetBucketVersioningInput); ok {
			return nil, awstest.Error("NoSuchBucket")
		}
		return estate(region, input)
	}), "aws://s3/logs/access")
	expect(t, "kept", s.Kept, "0 (the bucket does not exist)")
	if !s.Private.IsZero() || !s.Locked.IsZero() {
		t.Errorf("got %+v", s)
	}
}

func TestABucketElsewhereThanItWasListedSaysSo(t *testing.T) {
	set := scan(t, func(region string, input any) (any, error) {
		if _, ok := input.(*s3.GetBucketLifecycleConfigurationInput); ok {
			return nil, awstest.Error("PermanentRedirect")
		}
		return estate(region, input)
	})
	expect(t, "kept", store(t, set, "aws://s3/logs/access").Kept, "unknown: failed (PermanentRedirect)")
}

func expires(days int32) types.LifecycleRule {
	return types.LifecycleRule{Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{}, Expiration: &types.LifecycleExpiration{Days: aws.Int32(days)}}
}

func below(prefix string, r types.LifecycleRule) types.LifecycleRule {
	r.Filter = &types.LifecycleRuleFilter{Prefix: aws.String(prefix)}
	return r
}

func moves(days int32, class types.TransitionStorageClass) types.LifecycleRule {
	return types.LifecycleRule{Status: types.ExpirationStatusEnabled, Transitions: []types.Transition{{Days: aws.Int32(days), StorageClass: class}}}
}

func on(date string, r types.LifecycleRule) types.LifecycleRule {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(err)
	}
	if r.Expiration != nil {
		r.Expiration = &types.LifecycleExpiration{Date: &day}
	}
	for i := range r.Transitions {
		r.Transitions[i].Days, r.Transitions[i].Date = nil, &day
	}
	return r
}

func named(id string, r types.LifecycleRule) types.LifecycleRule {
	r.ID = aws.String(id)
	return r
}

func disabled(r types.LifecycleRule) types.LifecycleRule {
	r.Status = types.ExpirationStatusDisabled
	return r
}

func tagged(prefix string, r types.LifecycleRule) types.LifecycleRule {
	r.Filter = &types.LifecycleRuleFilter{And: &types.LifecycleRuleAndOperator{
		Prefix: aws.String(prefix), Tags: []types.Tag{{Key: aws.String("class"), Value: aws.String("short")}},
	}}
	return r
}

func TestExpirationDecidesHowLongAPlaceKeeps(t *testing.T) {
	forever := fmt.Sprint(evidence.Forever)
	old := expires(30)
	old.Filter, old.Prefix = nil, aws.String("AWSLogs/") //nolint:staticcheck // the old form is what is tested
	big := expires(7)
	big.Filter.ObjectSizeGreaterThan = aws.Int64(1 << 20)
	notEmpty := expires(7)
	notEmpty.Filter.ObjectSizeGreaterThan = aws.Int64(0)
	notTiny := tagged("AWSLogs/", expires(7))
	notTiny.Filter.And.Tags, notTiny.Filter.And.ObjectSizeGreaterThan = nil, aws.Int64(tiny-1)
	between := tagged("AWSLogs/", expires(7))
	between.Filter.And.Tags, between.Filter.And.ObjectSizeGreaterThan, between.Filter.And.ObjectSizeLessThan = nil, aws.Int64(1), aws.Int64(1000)
	oneTag := expires(7)
	oneTag.Filter.Tag = &types.Tag{Key: aws.String("k"), Value: aws.String("v")}
	markers := expires(1)
	markers.Expiration = &types.LifecycleExpiration{ExpiredObjectDeleteMarker: aws.Bool(true)}
	versions := types.LifecycleRule{Status: types.ExpirationStatusEnabled, NoncurrentVersionExpiration: &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(7)}}
	for _, c := range []struct {
		name  string
		place string
		rules []types.LifecycleRule
		want  string
	}{
		{"no rule", trailPlace, nil, forever},
		{"a rule for the bucket", trailPlace, []types.LifecycleRule{expires(90)}, "90"},
		{"a rule in the old form", trailPlace, []types.LifecycleRule{old}, "30"},
		{"a rule that is off", trailPlace, []types.LifecycleRule{disabled(expires(7))}, forever},
		{"a rule for the place", trailPlace, []types.LifecycleRule{below("AWSLogs/", expires(400))}, "400"},
		{"a rule for another place", trailPlace, []types.LifecycleRule{below("tmp/", expires(1))}, forever},
		{"a rule for what has a similar name", trailPlace, []types.LifecycleRule{below("AWSLogs/111122223333/CloudTrail-Digest/", expires(1))}, forever},
		{"the least of several", trailPlace, []types.LifecycleRule{expires(400), below("AWSLogs/", expires(30)), expires(90)}, "30"},
		{"a rule for a year that is past", trailPlace, []types.LifecycleRule{below(trailPlace+"eu-west-1/2020/", expires(7))}, `1977 (a lifecycle rule deletes what begins with "AWSLogs/111122223333/CloudTrail/eu-west-1/2020/" after 7 days)`},
		{"a rule for a part of what AWS writes", trailPlace, []types.LifecycleRule{named("west", below(trailPlace+"eu-west-1/", expires(7)))}, `7 (the lifecycle rule "west" deletes what begins with "AWSLogs/111122223333/CloudTrail/eu-west-1/" after 7 days)`},
		{"a rule for something below the owner's own prefix", "", []types.LifecycleRule{named("athena", below("results/", expires(7))), expires(400)}, `unknown: unfamiliar (the lifecycle rule "athena" deletes what begins with "results/" after 7 days; whether the records are among it is not known)`},
		{"the same where all goes sooner", "", []types.LifecycleRule{below("results/", expires(7)), expires(3)}, "3"},
		{"a rule by one tag", trailPlace, []types.LifecycleRule{oneTag}, "unknown: unfamiliar (a lifecycle rule deletes objects with certain tags after 7 days; whether the records are among it is not known)"},
		{"a rule by tags and the prefix", trailPlace, []types.LifecycleRule{tagged("AWSLogs/", expires(7))}, "unknown: unfamiliar (a lifecycle rule deletes objects with certain tags after 7 days; whether the records are among it is not known)"},
		{"a rule by tags elsewhere", trailPlace, []types.LifecycleRule{tagged("tmp/", expires(7))}, forever},
		{"a rule by size", trailPlace, []types.LifecycleRule{big}, "unknown: unfamiliar (a lifecycle rule deletes objects of a certain size after 7 days; whether the records are among it is not known)"},
		{"a rule for what is not empty", trailPlace, []types.LifecycleRule{notEmpty}, "7"},
		{"a rule for what is not tiny", trailPlace, []types.LifecycleRule{notTiny}, "7"},
		{"a rule for what is neither tiny nor large", trailPlace, []types.LifecycleRule{between}, "unknown: unfamiliar (a lifecycle rule deletes objects of a certain size after 7 days; whether the records are among it is not known)"},
		{"a date to come", trailPlace, []types.LifecycleRule{on("2026-06-11", expires(0))}, "9 (a lifecycle rule deletes everything on 2026-06-11)"},
		{"a date that is past", trailPlace, []types.LifecycleRule{on("2020-01-01", expires(0))}, "0 (a lifecycle rule deletes everything on 2020-01-01, and since then whatever comes)"},
		{"a rule that tidies up delete markers", trailPlace, []types.LifecycleRule{markers}, forever},
		{"a rule for old versions", trailPlace, []types.LifecycleRule{versions}, forever},
	} {
		set := scan(t, but(func(*s3.GetBucketLifecycleConfigurationInput) (any, error) {
			return &s3.GetBucketLifecycleConfigurationOutput{Rules: c.rules}, nil
		}), scope.Place{Bucket: "logs", Prefix: c.place})
		s := store(t, set, scope.PlaceID("logs", c.place))
		expect(t, c.name, s.Kept, c.want)
		expect(t, c.name+", cold after", s.ColdAfter, "moot")
		if long, _ := s.Kept.Get(); c.want == "30" && verdict(set, "pass", "retained-long-enough", s.ID) {
			t.Errorf("%s: %d days pass", c.name, long)
		}
	}
}

func TestVersionsOfWhatExpiredArePromisedByNobody(t *testing.T) {
	older := func(days int32, r types.LifecycleRule) types.LifecycleRule {
		r.NoncurrentVersionExpiration = &types.NoncurrentVersionExpiration{NoncurrentDays: &days}
		return r
	}
	for _, c := range []struct {
		name  string
		rules []types.LifecycleRule
		want  string
	}{
		{"nothing expires", nil, fmt.Sprint(evidence.Forever)},
		{"versions stay", []types.LifecycleRule{expires(30)}, "30 (versioning keeps older versions, which whoever may delete a version can remove)"},
		{"versions end", []types.LifecycleRule{older(365, expires(30)), below("tmp/", older(1, expires(1)))}, "30 (versioning keeps older versions 365 days more, which whoever may delete a version can remove)"},
		{
			"a rule that has something to say",
			[]types.LifecycleRule{on("2026-06-11", expires(0))},
			"9 (a lifecycle rule deletes everything on 2026-06-11; versioning keeps older versions, which whoever may delete a version can remove)",
		},
		{"by tags", []types.LifecycleRule{tagged("", expires(7))}, "unknown: unfamiliar (a lifecycle rule deletes objects with certain tags after 7 days; whether the records are among it is not known)"},
	} {
		set := scan(t, func(region string, input any) (any, error) {
			switch input.(type) {
			case *s3.GetBucketVersioningInput:
				return &s3.GetBucketVersioningOutput{Status: types.BucketVersioningStatusEnabled}, nil
			case *s3.GetBucketLifecycleConfigurationInput:
				return &s3.GetBucketLifecycleConfigurationOutput{Rules: c.rules}, nil
			}
			return estate(region, input)
		})
		expect(t, c.name, store(t, set, "aws://s3/logs/AWSLogs/111122223333/CloudTrail").Kept, c.want)
	}
}

func TestTransitionsDecideWhenRecordsGoCold(t *testing.T) {
	hour := int64(3600)
	for _, c := range []struct {
		name        string
		rules       []types.LifecycleRule
		after, back string
	}{
		{"flexible retrieval", []types.LifecycleRule{moves(30, types.TransitionStorageClassGlacier)}, "30", fmt.Sprint(5 * hour)},
		{"deep archive", []types.LifecycleRule{moves(60, types.TransitionStorageClassDeepArchive)}, "60", fmt.Sprint(12 * hour)},
		{"instant retrieval", []types.LifecycleRule{moves(30, types.TransitionStorageClassGlacierIr)}, "moot", "moot"},
		{"infrequent access", []types.LifecycleRule{moves(30, types.TransitionStorageClassStandardIa), moves(60, types.TransitionStorageClassOnezoneIa)}, "moot", "moot"},
		{"the earliest of several", []types.LifecycleRule{moves(180, types.TransitionStorageClassDeepArchive), moves(90, types.TransitionStorageClassGlacier)}, "90", fmt.Sprint(5 * hour)},
		{"two on the same day", []types.LifecycleRule{moves(90, types.TransitionStorageClassGlacier), moves(90, types.TransitionStorageClassDeepArchive)}, "90", fmt.Sprint(12 * hour)},
		{"intelligent tiering", []types.LifecycleRule{moves(0, types.TransitionStorageClassIntelligentTiering)}, "90", "unknown: elsewhere (Intelligent-Tiering may archive what nobody reads)"},
		{"a class of tomorrow", []types.LifecycleRule{moves(10, "PAPER")}, "10", "unknown: unfamiliar (we do not know the storage class PAPER)"},
		{"deleted before", []types.LifecycleRule{moves(90, types.TransitionStorageClassGlacier), expires(90)}, "moot", "moot"},
		{"elsewhere", []types.LifecycleRule{below("tmp/", moves(1, types.TransitionStorageClassGlacier))}, "moot", "moot"},
		{"off", []types.LifecycleRule{disabled(moves(1, types.TransitionStorageClassGlacier))}, "moot", "moot"},
		{
			"by tags",
			[]types.LifecycleRule{tagged("", moves(1, types.TransitionStorageClassGlacier)), moves(90, types.TransitionStorageClassGlacier)},
			"1 (a lifecycle rule moves objects with certain tags after 1 days; whether the records are among it is not known)",
			"unknown: unfamiliar (a lifecycle rule moves objects with certain tags after 1 days; whether the records are among it is not known)",
		},
		{"on a date", []types.LifecycleRule{on("2026-06-11", moves(0, types.TransitionStorageClassGlacier))}, "9 (a lifecycle rule moves everything on 2026-06-11)", fmt.Sprint(5 * hour)},
	} {
		set := scan(t, but(func(*s3.GetBucketLifecycleConfigurationInput) (any, error) {
			return &s3.GetBucketLifecycleConfigurationOutput{Rules: c.rules}, nil
		}))
		s := store(t, set, "aws://s3/logs/AWSLogs/111122223333/CloudTrail")
		expect(t, c.name+": cold after", s.ColdAfter, c.after)
		expect(t, c.name+": restore", s.Restore, c.back)
	}
}

func TestALockOutlastsALifecycleRule(t *testing.T) {
	for _, c := range []struct {
		name    string
		mode    types.ObjectLockRetentionMode
		expires int32
		want    string
	}{
		{"compliance", types.ObjectLockRetentionModeCompliance, 30, "400 (Object Lock keeps what a lifecycle rule expires earlier)"},
		{"governance", types.ObjectLockRetentionModeGovernance, 30, "400 (Object Lock keeps what a lifecycle rule expires earlier)"},
		{"a rule that waits longer", types.ObjectLockRetentionModeCompliance, 500, "500"},
	} {
		set := scan(t, func(region string, input any) (any, error) {
			switch input.(type) {
			case *s3.GetObjectLockConfigurationInput:
				return &s3.GetObjectLockConfigurationOutput{ObjectLockConfiguration: &types.ObjectLockConfiguration{
					ObjectLockEnabled: types.ObjectLockEnabledEnabled,
					Rule:              &types.ObjectLockRule{DefaultRetention: &types.DefaultRetention{Mode: c.mode, Days: aws.Int32(400)}},
				}}, nil
			case *s3.GetBucketLifecycleConfigurationInput:
				return &s3.GetBucketLifecycleConfigurationOutput{Rules: []types.LifecycleRule{{
					ID: aws.String("old"), Status: types.ExpirationStatusEnabled,
					Filter: &types.LifecycleRuleFilter{Prefix: aws.String("")}, Expiration: &types.LifecycleExpiration{Days: &c.expires},
				}}}, nil
			}
			return estate(region, input)
		})
		expect(t, c.name, store(t, set, "aws://s3/logs/access").Kept, c.want)
	}
}

func TestOnlyComplianceModeLocks(t *testing.T) {
	retention := func(r *types.DefaultRetention) *types.ObjectLockConfiguration {
		return &types.ObjectLockConfiguration{ObjectLockEnabled: types.ObjectLockEnabledEnabled, Rule: &types.ObjectLockRule{DefaultRetention: r}}
	}
	for _, c := range []struct {
		name     string
		lock     *types.ObjectLockConfiguration
		versions s3.GetBucketVersioningOutput
		want     string
	}{
		{"no configuration", nil, s3.GetBucketVersioningOutput{}, "0 (no Object Lock)"},
		{"compliance in days", retention(&types.DefaultRetention{Mode: types.ObjectLockRetentionModeCompliance, Days: aws.Int32(400)}), s3.GetBucketVersioningOutput{}, "400"},
		{"compliance in years", retention(&types.DefaultRetention{Mode: types.ObjectLockRetentionModeCompliance, Years: aws.Int32(7)}), s3.GetBucketVersioningOutput{}, "2555"},
		{"governance", retention(&types.DefaultRetention{Mode: types.ObjectLockRetentionModeGovernance, Days: aws.Int32(400)}), s3.GetBucketVersioningOutput{}, "0 (governance mode: who has s3:BypassGovernanceRetention can delete)"},
		{"no default", &types.ObjectLockConfiguration{ObjectLockEnabled: types.ObjectLockEnabledEnabled}, s3.GetBucketVersioningOutput{}, "0 (Object Lock has no default retention)"},
		{"an empty default", retention(&types.DefaultRetention{}), s3.GetBucketVersioningOutput{}, "0 (Object Lock has no default retention)"},
		{"a default hold", retention(&types.DefaultRetention{DefaultEventHold: &types.EventHoldDuration{Days: aws.Int32(9)}}), s3.GetBucketVersioningOutput{}, "unknown: unfamiliar (an Object Lock of a kind that we do not know)"},
		{"versions", nil, s3.GetBucketVersioningOutput{Status: types.BucketVersioningStatusEnabled}, "0 (no Object Lock; versioning is on, and whoever may delete a version can)"},
		{"versions and MFA delete", nil, s3.GetBucketVersioningOutput{Status: types.BucketVersioningStatusEnabled, MFADelete: types.MFADeleteStatusEnabled}, "0 (no Object Lock; versioning is on, with MFA delete)"},
	} {
		set := scan(t, func(region string, input any) (any, error) {
			switch input.(type) {
			case *s3.GetObjectLockConfigurationInput:
				return &s3.GetObjectLockConfigurationOutput{ObjectLockConfiguration: c.lock}, nil
			case *s3.GetBucketVersioningInput:
				return &c.versions, nil
			}
			return estate(region, input)
		})
		expect(t, c.name, store(t, set, "aws://s3/logs/access").Locked, c.want)
	}
}

func TestStrangersComeInByPolicyOrByList(t *testing.T) {
	group := func(name string) *types.Grantee {
		return &types.Grantee{Type: types.TypeGroup, URI: aws.String("http://acs.amazonaws.com/groups/" + name)}
	}
	owner := types.Grant{Grantee: &types.Grantee{Type: types.TypeCanonicalUser, ID: aws.String("me")}, Permission: types.PermissionFullControl}
	delivery := types.Grant{Grantee: group("s3/LogDelivery"), Permission: types.PermissionWrite}
	all := types.Grant{Grantee: group("global/AllUsers"), Permission: types.PermissionRead}
	users := types.Grant{Grantee: group("global/AuthenticatedUsers"), Permission: types.PermissionWrite}
	for _, c := range []struct {
		name   string
		block  *types.PublicAccessBlockConfiguration
		policy policy
		grants []types.Grant
		want   string
	}{
		{"nothing set", nil, policy{}, []types.Grant{owner, delivery, {}}, "true (AWS default)"},
		{"a policy that is not public", nil, policy{public: aws.Bool(false)}, nil, "true"},
		{"a public policy", nil, policy{public: aws.Bool(true)}, nil, "false (its policy lets strangers in)"},
		{"a public policy that the bucket blocks", &types.PublicAccessBlockConfiguration{RestrictPublicBuckets: aws.Bool(true)}, policy{public: aws.Bool(true)}, nil, "true"},
		{"a public policy, and only new ones are blocked", &types.PublicAccessBlockConfiguration{BlockPublicPolicy: aws.Bool(true)}, policy{public: aws.Bool(true)}, nil, "false (its policy lets strangers in)"},
		{"a list for all", nil, policy{}, []types.Grant{owner, all}, "false (its access control list lets strangers in)"},
		{"a list for every AWS user", nil, policy{}, []types.Grant{users}, "false (its access control list lets strangers in)"},
		{"a list for all that the bucket ignores", &types.PublicAccessBlockConfiguration{IgnorePublicAcls: aws.Bool(true)}, policy{}, []types.Grant{all}, "true (AWS default)"},
		{"a server that does not know policies' status", nil, policy{empty: true}, nil, "unknown: failed (the answer is empty)"},
		{"the same, with a list for all", nil, policy{empty: true}, []types.Grant{all}, "false (its access control list lets strangers in)"},
		{"a public policy, and the block not known", &types.PublicAccessBlockConfiguration{}, policy{public: aws.Bool(true), blockDenied: true}, nil, "unknown: denied"},
		{"a public policy that the account blocks", nil, policy{public: aws.Bool(true), account: &control.PublicAccessBlockConfiguration{RestrictPublicBuckets: aws.Bool(true)}}, nil, "true (the account blocks public access; its policy alone lets strangers in)"},
		{"a list for all that the account ignores", nil, policy{public: aws.Bool(true), account: &control.PublicAccessBlockConfiguration{IgnorePublicAcls: aws.Bool(true), RestrictPublicBuckets: aws.Bool(true)}}, []types.Grant{all}, "true (the account blocks public access; its policy alone lets strangers in)"},
		{"a public policy, and the account ignores lists", nil, policy{public: aws.Bool(true), account: &control.PublicAccessBlockConfiguration{IgnorePublicAcls: aws.Bool(true)}}, nil, "false (its policy lets strangers in)"},
		{"a public policy, and the account's block not known", nil, policy{public: aws.Bool(true), accountDenied: true}, nil, "unknown: denied"},
		{"a private policy, and the block not known", nil, policy{public: aws.Bool(false), blockDenied: true}, nil, "true"},
	} {
		calls := 0
		set := scan(t, func(region string, input any) (any, error) {
			switch input.(type) {
			case *s3.GetPublicAccessBlockInput:
				switch {
				case c.policy.blockDenied:
					return nil, awstest.Denied()
				case c.block != nil:
					return &s3.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: c.block}, nil
				}
			case *s3control.GetPublicAccessBlockInput:
				switch {
				case c.policy.accountDenied:
					return nil, awstest.Denied()
				case c.policy.account != nil:
					return &s3control.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: c.policy.account}, nil
				}
				return nil, awstest.Error("NoSuchPublicAccessBlockConfiguration")
			case *s3.GetBucketPolicyStatusInput:
				calls++
				if c.policy.empty {
					return &s3.GetBucketPolicyStatusOutput{}, nil
				}
				if c.policy.public != nil {
					return &s3.GetBucketPolicyStatusOutput{PolicyStatus: &types.PolicyStatus{IsPublic: c.policy.public}}, nil
				}
			case *s3.GetBucketAclInput:
				return &s3.GetBucketAclOutput{Grants: c.grants}, nil
			}
			return estate(region, input)
		})
		expect(t, c.name, store(t, set, "aws://s3/logs/access").Private, c.want)
		if blocked := c.block != nil && aws.ToBool(c.block.RestrictPublicBuckets); blocked != (calls == 0) {
			t.Errorf("%s: %d calls", c.name, calls)
		}
	}
}

// policy is what is said of a policy.
type policy struct {
	public             *bool
	empty, blockDenied bool
	account            *control.PublicAccessBlockConfiguration // nil for none
	accountDenied      bool
}

func TestKeysAreThoseOfTheSenderOrElseOfTheBucket(t *testing.T) {
	kmsBucket := func(key string) *s3.GetBucketEncryptionOutput {
		return encryptedWith(types.ServerSideEncryptionAwsKms, key)
	}
	plain := encryptedWith(types.ServerSideEncryptionAes256, "")
	at := func(keys ...string) []scope.Place {
		var out []scope.Place
		for _, k := range keys {
			out = append(out, scope.Place{Bucket: "logs", Prefix: "p", Key: k})
		}
		return out
	}
	for _, c := range []struct {
		name           string
		bucket         *s3.GetBucketEncryptionOutput
		places         []scope.Place
		encrypted, use string
	}{
		{"S3's key", plain, at(""), "false (S3 manages the key)", "moot (S3 manages the key)"},
		{"nothing said", &s3.GetBucketEncryptionOutput{}, at(""), "false (S3 manages the key)", "moot (S3 manages the key)"},
		{"the bucket's own key", kmsBucket(ownKey), at(""), "true", "true"},
		{"two layers", encryptedWith(types.ServerSideEncryptionAwsKmsDsse, ownKey), at(""), "true", "true"},
		{"aws/s3", kmsBucket(""), at(""), "false (AWS manages the key)", "moot (AWS manages the key)"},
		{"aws/s3 by its name", kmsBucket(awsKey), at(""), "false (AWS manages the key)", "moot (AWS manages the key)"},
		{"a key that is being deleted", kmsBucket(goingKey), at(""), "true", "false (the key is about to be deleted)"},
		{"a key that is gone", kmsBucket("gone"), at(""), "true", "false (the key does not exist)"},
		{"the sender's key", plain, at(ownKey), "true", "true"},
		{"the sender's key, by its id", plain, at("own"), "true", "true"},
		{"the sender's key goes before the bucket's", kmsBucket(goingKey), at(ownKey), "true", "true"},
		{"two senders, one with a key", plain, at("", ownKey), "false (S3 manages the key)", "true"},
		{"two senders, one key being deleted", plain, at(goingKey, ownKey), "true", "false (the key is about to be deleted)"},
		{"an encryption of tomorrow", encryptedWith("quantum", ""), at(""), "unknown: unfamiliar (we do not know the encryption quantum)", "unknown: unfamiliar (we do not know the encryption quantum)"},
	} {
		set := scan(t, but(func(*s3.GetBucketEncryptionInput) (any, error) { return c.bucket, nil }), c.places...)
		s := store(t, set, "aws://s3/logs/p")
		expect(t, c.name+": encrypted", s.Encrypted, c.encrypted)
		expect(t, c.name+": readable", s.Readable, c.use)
	}
	old := store(t, scan(t, but(func(*s3.GetBucketEncryptionInput) (any, error) {
		return nil, awstest.Error("ServerSideEncryptionConfigurationNotFoundError")
	})), "aws://s3/logs/access")
	expect(t, "no configuration", old.Encrypted, "false (S3 manages the key)")
}

func TestASendersKeyIsNamedByItsARN(t *testing.T) {
	for key, want := range map[string]string{
		ownKey:       ownKey,
		"abcd":       "arn:aws-cn:kms:cn-north-1:222233334444:key/abcd",
		"key/abcd":   "arn:aws-cn:kms:cn-north-1:222233334444:key/abcd",
		"alias/logs": "arn:aws-cn:kms:cn-north-1:222233334444:alias/logs",
	} {
		if got := keyName("aws-cn", scope.Place{Key: key, KeyAccount: "222233334444", KeyRegion: "cn-north-1"}); got != want {
			t.Errorf("%s: got %s, want %s", key, got, want)
		}
	}
}

func TestAServerAccessLogSaysWhoReads(t *testing.T) {
	set := scan(t, but(func(*s3.GetBucketLoggingInput) (any, error) {
		return &s3.GetBucketLoggingOutput{LoggingEnabled: &types.LoggingEnabled{TargetBucket: aws.String("logs"), TargetPrefix: aws.String("self/")}}, nil
	}))
	if store(t, set, "aws://s3/logs/self").As != "aws://s3/logs" {
		t.Error("reading the store is not recorded as that of its bucket")
	}
}

func TestReplicationIsACopyAsFarAsItGoes(t *testing.T) {
	to := func(r types.ReplicationRule) types.ReplicationRule {
		r.Status = types.ReplicationRuleStatusEnabled
		if r.Destination == nil {
			r.Destination = &types.Destination{Bucket: aws.String("arn:aws:s3:::vault"), Account: aws.String("444455556666")}
		}
		return r
	}
	off := to(types.ReplicationRule{})
	off.Status = types.ReplicationRuleStatusDisabled
	withKMS := &types.SourceSelectionCriteria{SseKmsEncryptedObjects: &types.SseKmsEncryptedObjects{Status: types.SseKmsEncryptedObjectsStatusEnabled}}
	filter := func(prefix string) *types.ReplicationRuleFilter {
		return &types.ReplicationRuleFilter{Prefix: aws.String(prefix)}
	}
	tags := &types.ReplicationRuleFilter{And: &types.ReplicationRuleAndOperator{Prefix: aws.String(""), Tags: []types.Tag{{}}}}
	tag := &types.ReplicationRuleFilter{Tag: &types.Tag{}}
	for _, c := range []struct {
		name string
		rule types.ReplicationRule
		key  string
		want string // of the delivery; "" for none
	}{
		{"everything", to(types.ReplicationRule{}), "", "{all }"},
		{"everything, in the old form", to(types.ReplicationRule{Prefix: aws.String("")}), "", "{all }"}, //nolint:staticcheck // the old form is what is tested
		{"the place", to(types.ReplicationRule{Filter: filter("AWSLogs/")}), "", "{all }"},
		{"another place", to(types.ReplicationRule{Filter: filter("tmp/")}), "", ""},
		{"a part", to(types.ReplicationRule{Filter: filter(trailPlace + "eu-west-1/")}), "", `{some only what begins with "AWSLogs/111122223333/CloudTrail/eu-west-1/"}`},
		{"by tags", to(types.ReplicationRule{Filter: tags}), "", "unknown: unfamiliar (replication is for objects with certain tags)"},
		{"by a tag", to(types.ReplicationRule{Filter: tag}), "", "unknown: unfamiliar (replication is for objects with certain tags)"},
		{"off", off, "", ""},
		{"no destination", types.ReplicationRule{Status: types.ReplicationRuleStatusEnabled}, "", ""},
		{"a destination without a name", to(types.ReplicationRule{Destination: &types.Destination{}}), "", ""},
		{"a key, and KMS is left out", to(types.ReplicationRule{}), ownKey, "{none what is encrypted with a KMS key is not replicated}"},
		{"a key, and KMS is taken along", to(types.ReplicationRule{SourceSelectionCriteria: withKMS}), ownKey, "{all }"},
	} {
		set := scan(t, but(func(*s3.GetBucketReplicationInput) (any, error) {
			return &s3.GetBucketReplicationOutput{ReplicationConfiguration: &types.ReplicationConfiguration{Rules: []types.ReplicationRule{c.rule}}}, nil
		}), scope.Place{Bucket: "logs", Prefix: trailPlace, Key: c.key})
		s := store(t, set, "aws://s3/logs/AWSLogs/111122223333/CloudTrail")
		expect(t, c.name+": complete", s.Complete, "true")
		if c.want == "" {
			if len(s.To) != 0 {
				t.Errorf("%s: got %+v", c.name, s.To)
			}
			continue
		}
		if len(s.To) != 1 || s.To[0].To != "aws://s3/vault/AWSLogs/111122223333/CloudTrail" || s.To[0].Lossless.At().Note != "in account 444455556666" {
			t.Errorf("%s: got %+v", c.name, s.To)
			continue
		}
		expect(t, c.name, s.To[0].Extent, c.want)
	}
	unknown := store(t, scan(t, func(region string, input any) (any, error) {
		switch input.(type) {
		case *s3.GetBucketReplicationInput:
			return &s3.GetBucketReplicationOutput{ReplicationConfiguration: &types.ReplicationConfiguration{Rules: []types.ReplicationRule{to(types.ReplicationRule{
				Destination: &types.Destination{Bucket: aws.String("arn:aws:s3:::vault"), EncryptionConfiguration: &types.EncryptionConfiguration{ReplicaKmsKeyID: aws.String(ownKey)}},
			})}}}, nil
		case *s3.GetBucketEncryptionInput:
			return nil, awstest.Denied()
		}
		return estate(region, input)
	}), "aws://s3/logs/access")
	expect(t, "encryption denied", unknown.To[0].Extent, "unknown: denied")
}

func TestAServerThatStandsInForS3IsAskedByPath(t *testing.T) {
	for endpoint, want := range map[string]bool{"": false, "http://localhost:5000": true} {
		cfg := aws.Config{Region: "eu-west-1"}
		if endpoint != "" {
			cfg.BaseEndpoint = aws.String(endpoint)
		}
		if got := open(cfg).Options().UsePathStyle; got != want {
			t.Errorf("%q: got %v", endpoint, got)
		}
	}
}

// The trail of an organisation shares a bucket with what AWS writes of single accounts.
func TestRulesForOtherLogsAreNotOnesForTheTrailOfAnOrganisation(t *testing.T) {
	forever := fmt.Sprint(evidence.Forever)
	for _, c := range []struct{ place, prefix, want string }{
		{"AWSLogs/", "AWSLogs/111122223333/elasticloadbalancing/", forever},
		{"AWSLogs/", "AWSLogs/111122223333/vpcflowlogs/", forever},
		{"AWSLogs/", "AWSLogs/1", forever},
		{"AWSLogs/", "AWSLogs/aws-account-id=111122223333/", forever},
		{"AWSLogs/", "AWSLogs/o-abcdef/111122223333/Config/", forever},
		{"AWSLogs/", "AWSLogs/o-abcdef/111122223333/CloudTrail-Digest/", forever},
		{"AWSLogs/", "AWSLogs/o-abcdef/111122223333/CloudTrail-Insight/", forever},
		{"AWSLogs/", "AWSLogs/o-abcdef/111122223333/CloudTrail/", "30"},
		{"AWSLogs/", "AWSLogs/o-abcdef/111122223333/CloudTrail", "30"},
		{"AWSLogs/", "AWSLogs/o-abcdef/111122223333/C", "30"},
		{"AWSLogs/", "AWSLogs/o-abcdef/111122223333/", "30"},
		{"AWSLogs/", "AWSLogs/o-abcdef/", "30"},
		{"AWSLogs/", "AWSLogs/o", "30"},
		{"AWSLogs/", "AWSLogs/", "30"},
		{"AWSLogs/", "AWSLogs", "30"},
		{"audit/AWSLogs/", "audit/AWSLogs/111122223333/Config/", forever},
		{"audit/AWSLogs/", "audit/AWSLogs/o-abcdef/111122223333/CloudTrail/eu-west-1/", "30"},
	} {
		set := scan(t, but(func(*s3.GetBucketLifecycleConfigurationInput) (any, error) {
			return &s3.GetBucketLifecycleConfigurationOutput{Rules: []types.LifecycleRule{below(c.prefix, expires(30))}}, nil
		}), scope.Place{Bucket: "logs", Prefix: c.place})
		kept, _ := store(t, set, scope.PlaceID("logs", c.place)).Kept.Get()
		if fmt.Sprint(kept) != c.want {
			t.Errorf("%s in %s: kept %d, want %s", c.prefix, c.place, kept, c.want)
		}
	}
}

func TestOtherReadersHearWhichBucketsThereAre(t *testing.T) {
	for name, test := range map[string]struct {
		services []scope.Service
		answer   awstest.Answer
		want     string
	}{
		"listed":      {[]scope.Service{Service(), vended.Service()}, estate, "map[data:eu-west-1 logs:eu-west-1] <nil>"},
		"nobody read": {nil, estate, "map[] buckets were not read"},
		"a second page is refused": {[]scope.Service{Service(), vended.Service()}, func(region string, input any) (any, error) {
			if in, ok := input.(*s3.ListBucketsInput); ok {
				if in.ContinuationToken != nil {
					return nil, awstest.Error("SlowDown")
				}
				return &s3.ListBucketsOutput{Buckets: []types.Bucket{listed("data", "eu-west-1")}, ContinuationToken: aws.String("2")}, nil
			}
			return estate(region, input)
		}, "map[data:eu-west-1] SlowDown"},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			asks := scope.Service{Name: "asks", Region: func(_ context.Context, s *scope.Scope) {
				s.After(func(context.Context) {
					regions, err := Owned(s)
					if err != nil {
						got = fmt.Sprint(regions, " ", scope.Brief(err))
					} else {
						got = fmt.Sprint(regions, " <nil>")
					}
				})
			}}
			awstest.Scan(t, test.answer, nil, append(test.services, asks)...)
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestABucketWhoseRegionIsRefusedIsAskedAllTheSame(t *testing.T) {
	set := scan(t, func(region string, input any) (any, error) {
		switch input.(type) {
		case *s3.ListBucketsInput:
			return &s3.ListBucketsOutput{Buckets: []types.Bucket{listed("logs", "")}}, nil
		case *s3.GetBucketLocationInput:
			return nil, awstest.Denied()
		}
		return estate(region, input)
	})
	store(t, set, scope.PlaceID("logs", trailPlace)) // else nothing is asked of it, and the score rises
}
