// Package s3 reads buckets: who records what is read from them, and, of those that take logs, how long they keep them, who
// could delete them, and who could read them.
package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"

	"lookback/evidence"
	"lookback/scanners/aws/kms"
	"lookback/scanners/aws/scope"
	"lookback/scanners/aws/vended"
)

// The actions that calls need; facts name them as where they come from.
const (
	actionList        = "s3:ListAllMyBuckets"
	actionLocation    = "s3:GetBucketLocation"
	actionLogging     = "s3:GetBucketLogging"
	actionLifecycle   = "s3:GetLifecycleConfiguration"
	actionLock        = "s3:GetBucketObjectLockConfiguration"
	actionVersioning  = "s3:GetBucketVersioning"
	actionBlock       = "s3:GetBucketPublicAccessBlock"
	actionPolicy      = "s3:GetBucketPolicyStatus"
	actionACL         = "s3:GetBucketAcl"
	actionEncryption  = "s3:GetEncryptionConfiguration"
	actionReplication = "s3:GetReplicationConfiguration"
)

// Service lists the buckets of an account. [Read] reads those that take logs.
func Service() scope.Service {
	call := func(op, action, per, fills, perhaps string) scope.Call {
		return scope.Call{Service: s3.ServiceID, Op: op, Action: action, Per: per, Fills: fills, Perhaps: perhaps}
	}
	const each, logs = "bucket", "bucket that takes logs"
	return scope.Service{
		Name: "s3",
		Calls: []scope.Call{
			call("ListBuckets", actionList, "account", "Asset.ID, Asset.In", ""),
			call("GetBucketLocation", actionLocation, each, "Asset.In", "only where the list of buckets does not say the region, as servers other than those of AWS do"),
			call("GetBucketLogging", actionLogging, each, "LogSource.Enabled, LogSource.Parts, LogSource.To, Asset.Looked", ""),
			call("GetBucketLifecycleConfiguration", actionLifecycle, logs, "LogStore.Kept, LogStore.ColdAfter, LogStore.Restore", ""),
			call("GetObjectLockConfiguration", actionLock, logs, "LogStore.Locked", ""),
			call("GetBucketVersioning", actionVersioning, logs, "LogStore.Locked", ""),
			call("GetPublicAccessBlock", actionBlock, logs, "LogStore.Private", ""),
			call("GetBucketPolicyStatus", actionPolicy, logs, "LogStore.Private", "only where the bucket's public access block does not settle it"),
			call("GetBucketAcl", actionACL, logs, "LogStore.Private", "only where the bucket's public access block does not settle it"),
			{
				Service: s3control.ServiceID, Op: "GetPublicAccessBlock", Action: actionAccountBlock, Per: "account", Fills: "LogStore.Private",
				Perhaps: "only where a bucket that takes logs would be public by itself",
			},
			call("GetBucketEncryption", actionEncryption, logs, "LogStore.Encrypted, LogStore.Readable", ""),
			call("GetBucketReplication", actionReplication, logs, "LogStore.To, LogStore.Complete", ""),
		},
		Account: account,
	}
}

// page is how many buckets are listed in one answer: the most that S3 gives.
const page = 10000

var errNothing = errors.New("the answer is empty")

// open returns a client. A server that stands in for S3 has seldom a name for each bucket.
func open(cfg aws.Config) *s3.Client {
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil })
}

func account(ctx context.Context, s *scope.Scope) {
	client := open(s.Config)
	found, err := list(ctx, client)
	if err != nil {
		s.Blind("buckets", err, s.At(actionList, ""), scope.Unseen{Activities: []evidence.Activity{evidence.CloudData}, Store: true})
	}
	buckets := make([]bucket, len(found))
	s.Each(len(found), func(i int) { buckets[i] = look(ctx, s, client, found[i]) })
	own, have := map[string]string{}, map[string]string{}
	for _, b := range buckets {
		region, _ := b.region.Get()
		own[b.name] = cmp.Or(region, s.Region) // where it is not known, one is asked that may be wrong, and refuses
		have[b.name] = region
		observeBucket(s, b)
	}
	s.OwnBuckets(own)
	scope.Memo(s, ownedKey, func() owned { return owned{have, err} })
	s.After(func(context.Context) {
		for _, b := range buckets {
			s.Look(b.id(s), evidence.CloudData, b.looked(s))
		}
	})
}

// owned are the buckets that an account has, as it listed them.
type owned struct {
	regions map[string]string
	err     error
}

const ownedKey = "buckets of the account"

var errUnread = errors.New("buckets were not read")

// Owned returns the regions of the buckets that the account has, by name: "" where a region is not known. It is for functions
// that run After all services were read. An error is why the list may not be whole.
func Owned(s *scope.Scope) (regions map[string]string, err error) {
	o := scope.Memo(s, ownedKey, func() owned { return owned{err: errUnread} })
	return o.regions, o.err
}

// list returns what it learned until a page failed, too.
func list(ctx context.Context, client *s3.Client) ([]types.Bucket, error) {
	var all []types.Bucket
	pages := s3.NewListBucketsPaginator(client, &s3.ListBucketsInput{MaxBuckets: aws.Int32(page)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			return all, err
		}
		all = append(all, out.Buckets...)
	}
	return all, nil
}

// look asks what has to be asked of every bucket.
func look(ctx context.Context, s *scope.Scope, client *s3.Client, listed types.Bucket) bucket {
	b := bucket{name: aws.ToString(listed.Name)}
	if region := aws.ToString(listed.BucketRegion); region != "" {
		b.region = evidence.Known(region, s.At(actionList, b.name))
	} else {
		out, err := client.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: aws.String(b.name)})
		if err == nil {
			region = located(out.LocationConstraint, s.Region)
		}
		b.region = scope.Got(region, err, s.At(actionLocation, b.name))
	}
	region, known := b.region.Get()
	if !known {
		b.logging = evidence.Unknown[*types.LoggingEnabled](b.region.Why(), b.region.At())
		return b
	}
	out, err := client.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: aws.String(b.name)}, func(o *s3.Options) { o.Region = region })
	var logging *types.LoggingEnabled
	if err == nil {
		logging = out.LoggingEnabled
	}
	b.logging = scope.Got(logging, err, evidence.Origin{Call: actionLogging, Of: region + "/" + b.name})
	if logging == nil { // CloudWatch Logs may deliver it all the same, which the bucket does not show
		b.vended = vended.Of(ctx, s.Within(region), fmt.Sprintf("arn:%s:s3:::%s", s.Partition, b.name), "S3_SERVER_ACCESS_LOGS")
	}
	return b
}

// located is the region that GetBucketLocation names: none for the first one, and "EU" for what was made long ago.
func located(answer types.BucketLocationConstraint, first string) string {
	switch answer {
	case "":
		return first
	case types.BucketLocationConstraintEu:
		return "eu-west-1"
	}
	return string(answer)
}

// Read reads a bucket that takes logs, and records a store for each of its places.
func Read(ctx context.Context, b scope.Bucket) {
	client := open(b.In.Config)
	name := aws.String(b.Name)
	var gone atomic.Bool
	at := func(action string) evidence.Origin { return b.In.At(action, b.Name) }
	failed := func(err error) error {
		if scope.Is(err, "NoSuchBucket") {
			gone.Store(true)
		}
		return err
	}
	var s settings
	asks := []func(){
		func() {
			s.lifecycle = ask(at(actionLifecycle), func() ([]types.LifecycleRule, error) {
				out, err := client.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: name})
				if err != nil {
					return nil, failed(err)
				}
				return out.Rules, nil
			}, "NoSuchLifecycleConfiguration")
		},
		func() {
			s.lock = ask(at(actionLock), func() (types.ObjectLockConfiguration, error) {
				out, err := client.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: name})
				if err != nil || out.ObjectLockConfiguration == nil {
					return types.ObjectLockConfiguration{}, failed(err)
				}
				return *out.ObjectLockConfiguration, nil
			}, "ObjectLockConfigurationNotFoundError")
		},
		func() {
			s.versioning = ask(at(actionVersioning), func() (versioning, error) {
				out, err := client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: name})
				if err != nil {
					return versioning{}, failed(err)
				}
				return versioning{out.Status == types.BucketVersioningStatusEnabled, out.MFADelete == types.MFADeleteStatusEnabled}, nil
			})
		},
		func() {
			s.block = ask(at(actionBlock), func() (types.PublicAccessBlockConfiguration, error) {
				out, err := client.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: name})
				if err != nil || out.PublicAccessBlockConfiguration == nil {
					return types.PublicAccessBlockConfiguration{}, failed(err)
				}
				return *out.PublicAccessBlockConfiguration, nil
			}, "NoSuchPublicAccessBlockConfiguration")
			block, _ := s.block.Get()
			if !aws.ToBool(block.RestrictPublicBuckets) {
				s.public = ask(at(actionPolicy), func() (bool, error) {
					out, err := client.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: name})
					if err == nil && (out.PolicyStatus == nil || out.PolicyStatus.IsPublic == nil) {
						err = errNothing // a server that does not know the question
					}
					if err != nil {
						return false, failed(err)
					}
					return *out.PolicyStatus.IsPublic, nil
				}, "NoSuchBucketPolicy")
			}
			if !aws.ToBool(block.IgnorePublicAcls) {
				s.grants = ask(at(actionACL), func() ([]types.Grant, error) {
					out, err := client.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: name})
					if err != nil {
						return nil, failed(err)
					}
					return out.Grants, nil
				})
			}
		},
		func() {
			s.encryption = ask(at(actionEncryption), func() (types.ServerSideEncryptionByDefault, error) {
				out, err := client.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: name})
				if err != nil {
					return types.ServerSideEncryptionByDefault{}, failed(err)
				}
				if c := out.ServerSideEncryptionConfiguration; c != nil {
					for _, r := range c.Rules {
						if r.ApplyServerSideEncryptionByDefault != nil {
							return *r.ApplyServerSideEncryptionByDefault, nil
						}
					}
				}
				return types.ServerSideEncryptionByDefault{}, nil
			}, "ServerSideEncryptionConfigurationNotFoundError")
		},
		func() {
			s.replication = ask(at(actionReplication), func() ([]types.ReplicationRule, error) {
				out, err := client.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: name})
				if err != nil || out.ReplicationConfiguration == nil {
					return nil, failed(err)
				}
				return out.ReplicationConfiguration.Rules, nil
			}, "ReplicationConfigurationNotFoundError")
		},
	}
	b.In.Each(len(asks), func(i int) { asks[i]() })
	s.gone = gone.Load()
	s.account = func() evidence.Value[types.PublicAccessBlockConfiguration] { return accountBlock(ctx, b.In) }
	s.key = func(key string) kms.Key { return kms.Describe(ctx, b.In, key) }
	observe(b, s)
}

// ask makes a call that answers one question. None are the codes with which S3 says that nothing was set: the answer is
// then the zero value.
func ask[T any](at evidence.Origin, call func() (T, error), none ...string) evidence.Value[T] {
	v, err := call()
	if scope.Is(err, none...) {
		var nothing T
		return evidence.Known(nothing, at.WithNote("AWS default"))
	}
	return scope.Got(v, err, at)
}
