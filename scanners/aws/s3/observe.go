package s3

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"lookback/evidence"
	"lookback/scanners/aws/kms"
	"lookback/scanners/aws/scope"
	"lookback/scanners/aws/vended"
)

// A bucket is any of an account's.
type bucket struct {
	name    string
	region  evidence.Value[string]
	logging evidence.Value[*types.LoggingEnabled] // server access logging; nil where it is off
	vended  vended.Delivered                      // the same, by CloudWatch Logs; zero where logging is on
}

// id names a bucket in its region; in its account where the region is not known.
func (b bucket) id(s *scope.Scope) evidence.ID {
	target := "aws:" + s.Account
	if region, known := b.region.Get(); known {
		target += "/" + region
	}
	return evidence.ID(target + "//s3/" + b.name)
}

// observeBucket records a bucket, and its server access log where it has one.
func observeBucket(s *scope.Scope, b bucket) {
	id, at := b.id(s), b.region.At()
	in := evidence.Unknown[evidence.ID](b.region.Why(), at)
	if region, known := b.region.Get(); known {
		in = evidence.Known(scope.RegionID(s.Account, region), at)
	}
	s.Record(&evidence.Asset{
		Subject: evidence.Subject{ID: id, Kind: "bucket", Name: b.name, At: s.At(actionList, b.name)},
		In:      in, Lasting: true, Also: []evidence.ID{scope.PlaceID(b.name, "")},
	})
	logging, _ := b.logging.Get()
	by, _ := b.vended.On.Get()
	if logging == nil && !by && !b.vended.On.IsUnknown() {
		return
	}
	at = b.logging.At()
	if logging == nil {
		at = b.vended.On.At()
	}
	all := evidence.Everything(at)
	source := s.Source("s3/"+b.name+"/access", evidence.CloudData, "server access log", b.name, at)
	source.ID = id + "/access#" + evidence.ID(evidence.CloudData)
	source.Records = "requests for its objects"
	source.Covers = []evidence.ID{id}
	source.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{
		evidence.PartDataReads:  all,
		evidence.PartDataWrites: all,
		// Amazon S3 User Guide, "Logging requests with server access logging": "Best-effort server log delivery".
		evidence.PartEveryEvent: evidence.Known(evidence.Extent{Grade: evidence.Some, But: "AWS delivers them as best effort"}, at),
	}
	if logging == nil {
		source.Enabled, source.To, source.Complete = b.vended.On, b.vended.To, b.vended.Whole
	} else {
		source.Enabled = evidence.Known(true, at)
		source.To = []evidence.Delivery{evidence.EverythingTo(s.Bucket(scope.Place{
			Bucket: aws.ToString(logging.TargetBucket), Prefix: aws.ToString(logging.TargetPrefix),
		}), at)}
	}
	s.Record(source)
}

// looked says whether every source of what happens to a bucket's objects is in the evidence: its access log, and the trails
// of its region. It runs when all services were read.
func (b bucket) looked(s *scope.Scope) evidence.Value[bool] {
	if b.logging.IsUnknown() {
		return evidence.Unknown[bool](b.logging.Why(), b.logging.At())
	}
	region, _ := b.region.Get()
	if err := s.WasListed(region, "trails"); err != nil {
		return scope.Unknown[bool](err, evidence.Origin{Call: "cloudtrail:DescribeTrails", Of: region})
	}
	return evidence.Known(true, b.logging.At())
}

// settings are what a bucket that takes logs says of itself. Where nothing was set, a setting is known and its zero value.
type settings struct {
	gone        bool // the bucket was deleted
	lifecycle   evidence.Value[[]types.LifecycleRule]
	lock        evidence.Value[types.ObjectLockConfiguration]
	versioning  evidence.Value[versioning]
	block       evidence.Value[types.PublicAccessBlockConfiguration]
	public      evidence.Value[bool]          // AWS calls its policy public; not asked where block settles it
	grants      evidence.Value[[]types.Grant] // not asked where block settles it
	account     func() evidence.Value[types.PublicAccessBlockConfiguration]
	encryption  evidence.Value[types.ServerSideEncryptionByDefault]
	replication evidence.Value[[]types.ReplicationRule]
	key         func(string) kms.Key
}

type versioning struct{ on, mfa bool }

// observe records a store for each place of a bucket. Several places are one store where they differ in nothing but slashes
// at the ends of their prefixes, and in keys.
func observe(b scope.Bucket, s settings) {
	stores := map[evidence.ID][]scope.Place{}
	var order []evidence.ID
	for _, p := range b.Places {
		id := scope.PlaceID(p.Bucket, p.Prefix)
		if stores[id] == nil {
			order = append(order, id)
		}
		stores[id] = append(stores[id], p)
	}
	for _, id := range order {
		b.In.Record(s.store(b, id, stores[id]))
	}
	if s.versioning.IsUnknown() && !s.gone {
		b.In.Gap(evidence.Gap{
			In: b.In.ID("s3/" + b.Name), Asked: "versions of what the bucket holds",
			Why: s.versioning.Why(), Err: s.versioning.At().Note, At: s.versioning.At(),
		})
	}
}

func (s settings) store(b scope.Bucket, id evidence.ID, places []scope.Place) *evidence.LogStore {
	store := b.In.Store(id, "bucket", "s3://"+strings.TrimPrefix(string(id), string(scope.PlaceID("", ""))), b.In.At(actionList, b.Name))
	if s.gone {
		store.Kept = evidence.Known(0, s.lifecycle.At().WithNote("the bucket does not exist"))
		return store
	}
	var prefixes []string
	for _, p := range places {
		prefixes = append(prefixes, p.Prefix)
	}
	store.Kept = s.atLeast(s.versioned(kept(s.lifecycle, prefixes, b.In.Now), prefixes))
	store.ColdAfter, store.Restore = cold(s.lifecycle, prefixes, store.Kept, b.In.Now)
	store.Locked = s.locked()
	store.Encrypted, store.Readable = s.sealed(b.In.Partition, places)
	store.Private = s.private()
	store.As = scope.PlaceID(b.Name, "")
	store.To = s.copies(b.In, places, prefixes)
	store.Complete = evidence.Known(true, s.replication.At())
	if s.replication.IsUnknown() {
		store.Complete = evidence.Unknown[bool](s.replication.Why(), s.replication.At())
	}
	return store
}

// locked says how many days nobody can delete a record. In governance mode whoever has s3:BypassGovernanceRetention can.
func (s settings) locked() evidence.Value[int] {
	lock, known := s.lock.Get()
	at := s.lock.At()
	if !known {
		return evidence.Unknown[int](s.lock.Why(), at)
	}
	none := func(why string) evidence.Value[int] {
		switch v, _ := s.versioning.Get(); {
		case v.on && v.mfa:
			why += "; versioning is on, with MFA delete"
		case v.on:
			why += "; versioning is on, and whoever may delete a version can"
		}
		return evidence.Known(0, at.WithNote(why))
	}
	if lock.ObjectLockEnabled != types.ObjectLockEnabledEnabled {
		return none("no Object Lock")
	}
	if lock.Rule == nil || lock.Rule.DefaultRetention == nil {
		return none("Object Lock has no default retention")
	}
	by := lock.Rule.DefaultRetention
	switch {
	case by.Mode == types.ObjectLockRetentionModeCompliance:
		return evidence.Known(retention(*by), at)
	case by.Mode == types.ObjectLockRetentionModeGovernance:
		return none("governance mode: who has s3:BypassGovernanceRetention can delete")
	case by.Mode == "" && by.DefaultEventHold == nil:
		return none("Object Lock has no default retention")
	}
	return evidence.Unknown[int](evidence.Unfamiliar, at.WithNote("an Object Lock of a kind that we do not know"))
}

// versioned says of what is kept for a time what becomes of it then, where a bucket has versions: to expire an object is to
// cover it with a delete marker. (Amazon S3 User Guide, "Expiring objects".)
func (s settings) versioned(kept evidence.Value[int], place []string) evidence.Value[int] {
	days, known := kept.Get()
	if v, _ := s.versioning.Get(); !v.on || !known || days == evidence.Forever {
		return kept
	}
	note := "; versioning keeps older versions"
	if more, ends := beyond(s.lifecycle, place); ends {
		note = fmt.Sprintf("; versioning keeps older versions %d days more", more)
	}
	at := kept.At()
	return evidence.Known(days, at.WithNote(strings.TrimPrefix(at.Note+note+", which whoever may delete a version can remove", "; ")))
}

// atLeast is how long records are kept where a lifecycle rule expires them earlier than Object Lock lets go of them: in
// either mode "a locked version of an object can't be deleted by an S3 Lifecycle expiration policy". (Amazon S3 User Guide,
// "Object Lock considerations".)
func (s settings) atLeast(kept evidence.Value[int]) evidence.Value[int] {
	lock, _ := s.lock.Get()
	if lock.ObjectLockEnabled != types.ObjectLockEnabledEnabled || lock.Rule == nil || lock.Rule.DefaultRetention == nil {
		return kept
	}
	held := retention(*lock.Rule.DefaultRetention)
	if days, known := kept.Get(); !known || days == evidence.Forever || days >= held {
		return kept
	}
	return evidence.Known(held, s.lock.At().WithNote("Object Lock keeps what a lifecycle rule expires earlier"))
}

// retention is how many days a default retention lasts.
func retention(by types.DefaultRetention) int {
	return int(aws.ToInt32(by.Days)) + 365*int(aws.ToInt32(by.Years))
}

// sealed says whether what arrives at some places is encrypted with a key of the owner's, and whether the keys are in force.
func (s settings) sealed(partition string, places []scope.Place) (encrypted, readable evidence.Value[bool]) {
	var own, force []evidence.Value[bool]
	for _, p := range places {
		key := s.ofBucket
		if p.Key != "" {
			key = func() kms.Key { return s.key(keyName(partition, p)) }
		}
		k := key()
		own, force = append(own, k.Own), append(force, k.InForce)
	}
	return worst(own), worst(force)
}

// ofBucket is the key that S3 encrypts with where the sender says nothing.
func (s settings) ofBucket() kms.Key {
	by, known := s.encryption.Get()
	at := s.encryption.At()
	if !known {
		return kms.Key{InForce: evidence.Unknown[bool](s.encryption.Why(), at), Own: evidence.Unknown[bool](s.encryption.Why(), at)}
	}
	switch by.SSEAlgorithm {
	case "", types.ServerSideEncryptionAes256: // every bucket has at least this; see the SDK's page of GetBucketEncryption
		at.Note = "S3 manages the key"
	case types.ServerSideEncryptionAwsKms, types.ServerSideEncryptionAwsKmsDsse:
		if key := aws.ToString(by.KMSMasterKeyID); key != "" {
			return s.key(key)
		}
		at.Note = "AWS manages the key" // aws/s3; see the SDK's types.ServerSideEncryptionByDefault
	default:
		unknown := evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("we do not know the encryption "+string(by.SSEAlgorithm)))
		return kms.Key{InForce: unknown, Own: unknown}
	}
	return kms.Key{InForce: evidence.Moot[bool](at), Own: evidence.Known(false, at)}
}

// keyName is the ARN of the key that a sender encrypts with.
func keyName(partition string, p scope.Place) string {
	if strings.HasPrefix(p.Key, "arn:") {
		return p.Key
	}
	resource := p.Key
	if !strings.HasPrefix(resource, "alias/") && !strings.HasPrefix(resource, "key/") {
		resource = "key/" + resource
	}
	return scope.ARN{Partition: partition, Service: "kms", Region: p.KeyRegion, Account: p.KeyAccount, Resource: resource}.String()
}

// worst is what holds of all: a no, else what nobody could tell, else a yes; moot where it is of all.
func worst(facts []evidence.Value[bool]) evidence.Value[bool] {
	rank := func(v evidence.Value[bool]) int {
		is, known := v.Get()
		switch {
		case known && !is:
			return 3
		case v.IsUnknown():
			return 2
		case known:
			return 1
		}
		return 0
	}
	return slices.MaxFunc(facts, func(a, b evidence.Value[bool]) int { return rank(a) - rank(b) })
}

// private says whether strangers are kept out: by the public access block of the bucket or of the account, or because neither
// its policy nor its access control list lets them in.
func (s settings) private() evidence.Value[bool] {
	block, blockKnown := s.block.Get()
	open := func(blocks func(types.PublicAccessBlockConfiguration) *bool, in evidence.Value[bool], what string) evidence.Value[bool] {
		lets, known := in.Get()
		switch {
		case aws.ToBool(blocks(block)):
			return evidence.Known(true, s.block.At())
		case !known:
			return evidence.Unknown[bool](in.Why(), in.At())
		case !lets:
			return evidence.Known(true, in.At())
		case !blockKnown:
			return evidence.Unknown[bool](s.block.Why(), s.block.At())
		}
		account := s.account()
		switch all, known := account.Get(); {
		case !known:
			return evidence.Unknown[bool](account.Why(), account.At())
		case aws.ToBool(blocks(all)):
			return evidence.Known(true, account.At().WithNote("the account blocks public access; "+what+" alone lets strangers in"))
		}
		return evidence.Known(false, in.At().WithNote(what+" lets strangers in"))
	}
	return worst([]evidence.Value[bool]{
		open(func(b types.PublicAccessBlockConfiguration) *bool { return b.RestrictPublicBuckets }, s.public, "its policy"),
		open(func(b types.PublicAccessBlockConfiguration) *bool { return b.IgnorePublicAcls }, s.granted(), "its access control list"),
	})
}

// granted says whether an access control list is public: any grant to one of two groups makes it so. (Amazon S3 User Guide,
// "Blocking public access to your Amazon S3 storage": the meaning of "public".)
func (s settings) granted() evidence.Value[bool] {
	grants, known := s.grants.Get()
	if !known {
		return evidence.Unknown[bool](s.grants.Why(), s.grants.At())
	}
	return evidence.Known(slices.ContainsFunc(grants, func(g types.Grant) bool {
		if g.Grantee == nil {
			return false
		}
		group := aws.ToString(g.Grantee.URI)
		return strings.HasSuffix(group, "/groups/global/AllUsers") || strings.HasSuffix(group, "/groups/global/AuthenticatedUsers")
	}), s.grants.At())
}

// accessRecorded says whether reading a bucket is written down. That server access logging is off does not say no: a trail
// copies are the buckets to which S3 copies what arrives.
func (s settings) copies(in *scope.Scope, places []scope.Place, prefixes []string) []evidence.Delivery {
	rules, _ := s.replication.Get()
	var out []evidence.Delivery
	for _, r := range rules {
		if r.Status != types.ReplicationRuleStatusEnabled || r.Destination == nil {
			continue
		}
		arn, ok := scope.ParseARN(aws.ToString(r.Destination.Bucket))
		extent := s.copied(r, places, prefixes)
		if !ok || extent.IsMoot() {
			continue
		}
		to := scope.Place{Bucket: arn.Resource, Prefix: prefixes[0]}
		if e := r.Destination.EncryptionConfiguration; e != nil {
			to.Key = aws.ToString(e.ReplicaKmsKeyID)
		}
		at := s.replication.At()
		if owner := aws.ToString(r.Destination.Account); owner != "" && owner != in.Account {
			at.Note = "in account " + owner
		}
		d := evidence.EverythingTo(in.Bucket(to), at)
		d.Extent = extent
		out = append(out, d)
	}
	return out
}

// copied says how much of what arrives a rule copies; moot where it is for other things.
func (s settings) copied(r types.ReplicationRule, places []scope.Place, prefixes []string) evidence.Value[evidence.Extent] {
	at := s.replication.At()
	prefix, tagged := aws.ToString(r.Prefix), false //nolint:staticcheck // S3 still answers with the old form
	if f := r.Filter; f != nil {
		switch {
		case f.And != nil:
			prefix, tagged = aws.ToString(f.And.Prefix), len(f.And.Tags) > 0
		default:
			if f.Prefix != nil {
				prefix = *f.Prefix
			}
			tagged = f.Tag != nil
		}
	}
	whole, part := reach(prefix, prefixes)
	withKey := s.withKey(places)
	uses, known := withKey.Get()
	switch {
	case !whole && !part:
		return evidence.Moot[evidence.Extent](at)
	case tagged:
		return evidence.Unknown[evidence.Extent](evidence.Unfamiliar, at.WithNote("replication is for objects with certain tags"))
	case copiesKMS(r) || known && !uses:
	case !known:
		return evidence.Unknown[evidence.Extent](withKey.Why(), withKey.At())
	default:
		// Amazon S3 User Guide, "Replicating encrypted objects": by default S3 does not replicate what is encrypted with KMS.
		return evidence.Known(evidence.Extent{Grade: evidence.None, But: "what is encrypted with a KMS key is not replicated"}, at)
	}
	if !whole {
		return evidence.Known(evidence.Extent{Grade: evidence.Some, But: fmt.Sprintf("only what begins with %q", prefix)}, at)
	}
	return evidence.Everything(at)
}

func copiesKMS(r types.ReplicationRule) bool {
	c := r.SourceSelectionCriteria
	return c != nil && c.SseKmsEncryptedObjects != nil && c.SseKmsEncryptedObjects.Status == types.SseKmsEncryptedObjectsStatusEnabled
}

// withKey says whether KMS encrypts what arrives.
func (s settings) withKey(places []scope.Place) evidence.Value[bool] {
	by, known := s.encryption.Get()
	switch {
	case slices.ContainsFunc(places, func(p scope.Place) bool { return p.Key != "" }):
		return evidence.Known(true, s.encryption.At())
	case !known:
		return evidence.Unknown[bool](s.encryption.Why(), s.encryption.At())
	}
	return evidence.Known(strings.HasPrefix(string(by.SSEAlgorithm), "aws:kms"), s.encryption.At())
}
