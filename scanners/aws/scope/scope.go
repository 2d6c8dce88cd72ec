// Package scope is what the reader of one AWS service sees: an account, a region of it, the calls that it may make, and
// where to put what it finds.
//
// Each service lies in a folder of its own and has one [Service] value. It may only make calls that it declares: the
// permissions, the table of calls and the tests are made from that declaration.
package scope

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"lookback/evidence"
)

// A Service reads one AWS service.
type Service struct {
	Name  string // its folder: "cloudtrail"
	Calls []Call
	// Region is called once for each region, Account once for each account; at least one of them is there. What belongs to
	// no region (IAM, CloudFront, the list of buckets) is read by Account.
	Region, Account func(context.Context, *Scope)
}

// A Call is one operation that a service may call.
type Call struct {
	Service string // the SDK's ServiceID: cloudtrail.ServiceID
	Op      string // the SDK's name: "DescribeTrails"
	Action  string // the IAM action that it needs: "cloudtrail:DescribeTrails"
	Per     string // what it is called once for: "region", "account", "trail", "bucket that takes logs"; a list says nothing of pages
	Fills   string // the fields that it fills, as checks know them: "LogSource.Enabled, Delivery.Error"
	// With are further actions that the call needs, such as the one to decrypt.
	With []string
	// Perhaps says when the call is not made, where an estate can be without it: "only for trails of this account".
	Perhaps string
}

// A Scope is an account, and a region of it, to be read. It may be used by several goroutines.
type Scope struct {
	Partition string // "aws", "aws-cn", "aws-us-gov"
	Account   string // "111122223333"
	Region    string // "eu-west-1"; for what belongs to no region, the one in which the partition answers for it
	// Global says that the account as a whole is read, and not a region of it.
	Global bool
	// Organization is the account that manages the organisation; unknown where we may not ask, moot where there is none.
	Organization evidence.Value[string]
	// Lake is the account that may take the logs of all accounts of the organisation into its Security Lake; moot where there
	// is none.
	Lake evidence.Value[string]
	// Unread are the regions of the account that the scan was told to leave out.
	Unread []string
	// Accounts are those that the scan reads.
	Accounts []string
	// Now is the start of the scan.
	Now time.Time
	// Config is for the SDK's clients: cloudtrail.NewFromConfig(s.Config). Its calls are counted, limited and confined to
	// what was declared.
	Config aws.Config

	account *Account
	region  *region
}

// AccountID is the ID of an account as an asset.
func AccountID(account string) evidence.ID { return evidence.ID("aws:" + account + "//account") }

// RegionID is the ID of a region of an account as an asset.
func RegionID(account, region string) evidence.ID {
	return evidence.ID("aws:" + account + "/" + region + "//region")
}

// OrganizationID is the ID of an organisation as an asset, by the account that manages it: an organisation's trail names
// that account, and no other name, wherever it is seen.
func OrganizationID(management string) evidence.ID {
	return evidence.ID("aws:" + management + "//organization")
}

// AccountID is the ID of the account that is read, as an asset.
func (s *Scope) AccountID() evidence.ID { return AccountID(s.Account) }

// Home is the ID of what holds the things that are read here, as an asset: the region, or the account for what belongs to
// no region.
func (s *Scope) Home() evidence.ID {
	if s.Global {
		return AccountID(s.Account)
	}
	return RegionID(s.Account, s.Region)
}

// ID names a thing of the region, or of the account for what belongs to no region: "aws:111122223333/eu-west-1//eks/batch".
func (s *Scope) ID(thing string) evidence.ID {
	target := s.Account
	if !s.Global {
		target += "/" + s.Region
	}
	return evidence.ID("aws:" + target + "//" + thing)
}

// SourceID names a log source: a thing, and its activity.
func (s *Scope) SourceID(thing string, a evidence.Activity) evidence.ID {
	return s.ID(thing) + evidence.ID("#"+string(a))
}

// In is the fact that a thing lies in this region, or in this account.
func (s *Scope) In(at evidence.Origin) evidence.Value[evidence.ID] {
	return evidence.Known(s.Home(), at)
}

// At is the origin of what a call said of a thing: the action, and "us-east-1/main". Of may be empty, for the region.
func (s *Scope) At(action, of string) evidence.Origin {
	where := s.Region
	if s.Global {
		where = s.Account
	}
	if of != "" {
		where += "/" + of
	}
	return evidence.Origin{Call: action, Of: where}
}

// GroupID is the ID of a log group of CloudWatch Logs as a store, by its ARN, with or without ":*" at the end, or by its
// name in this region.
func (s *Scope) GroupID(group string) evidence.ID {
	if a, ok := ParseARN(group); ok {
		name := strings.TrimSuffix(strings.TrimPrefix(a.Resource, "log-group:"), ":*")
		return evidence.ID("aws:" + a.Account + "/" + a.Region + "//logs/" + name)
	}
	return evidence.ID("aws:" + s.Account + "/" + s.Region + "//logs/" + group)
}

// Within is the scope of a region, for a reader of the account as a whole.
func (s *Scope) Within(region string) *Scope { return s.account.InRegion(region) }

// Record adds a record of this account.
func (s *Scope) Record(r evidence.Record) { s.account.record(r) }

// Shared adds a record that several accounts see, such as the trail of an organisation: each would write it. Owner is the
// account that it belongs to; what that one says goes before what others do.
func (s *Scope) Shared(r evidence.Record, owner string) {
	s.account.mu.Lock()
	s.account.shared = append(s.account.shared, r)
	s.account.mu.Unlock()
	s.account.scan.share(r, owner, s.Account)
}

// Look says whether every source of an activity on an asset is in the set. Several services may say so of one asset,
// which one of them records.
func (s *Scope) Look(asset evidence.ID, a evidence.Activity, whole evidence.Value[bool]) {
	s.account.look(asset, func(r *evidence.Asset) {
		if r.Looked == nil {
			r.Looked = map[evidence.Activity]evidence.Value[bool]{}
		}
		r.Looked[a] = whole
	})
}

// Tell changes an asset of this account that another service records: the account, a region.
func (s *Scope) Tell(asset evidence.ID, change func(*evidence.Asset)) { s.account.look(asset, change) }

// Missed adds a gap: what could not even be listed in a thing, because a call failed.
func (s *Scope) Missed(in evidence.ID, asked string, err error, at evidence.Origin) {
	g := evidence.Gap{In: in, Asked: asked, Why: Why(err), At: at}
	if g.Why != evidence.Denied {
		g.Err = Brief(err)
	}
	s.account.gap(g)
}

// Gap adds a gap that no failed call explains.
func (s *Scope) Gap(g evidence.Gap) { s.account.gap(g) }

// Each calls do for 0 to n-1, several at a time, and returns when all are done.
func (s *Scope) Each(n int, do func(i int)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, InFlight) // how many calls are in flight is bounded elsewhere; this bounds goroutines
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			do(i)
		})
	}
	wg.Wait()
}

// After calls do once every service of the account was read: for facts that join two services.
func (s *Scope) After(do func(context.Context)) { s.account.later(do) }

// A Group is what other services ask about a log group.
type Group struct{ Created time.Time }

// SetGroups says which log groups the region has. It is called once, by the reader of CloudWatch Logs; an error is why
// they could not be listed.
func (s *Scope) SetGroups(groups map[string]Group, err error) {
	s.region.groups = groups
	s.Listed("log groups", err)
}

// Group says whether a log group of this region exists, by name. It is for functions that run After.
func (s *Scope) Group(name string) (Group, evidence.Value[bool]) {
	at := s.At("logs:DescribeLogGroups", name)
	if err := s.WasListed(s.Region, "log groups"); err != nil {
		return Group{}, Unknown[bool](err, at)
	}
	g, ok := s.region.groups[name]
	return g, evidence.Known(ok, at)
}

// Listed says whether something of this region could be listed, for readers of other services: "trails". An error is why
// not.
func (s *Scope) Listed(what string, err error) {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	s.region.listed[what] = err
}

// WasListed returns why something of a region was not listed; nil where it was. It is for functions that run After.
func (s *Scope) WasListed(region, what string) error {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	if r := s.account.areas[region]; r != nil {
		if err, said := r.listed[what]; said {
			return err
		}
	}
	if slices.Contains(s.Unread, region) {
		return errLeftOut
	}
	return errNotListed
}

// Memo returns what make returns, which is called once an account for a key, whoever asks.
func Memo[T any](s *Scope, key string, make func() T) T {
	once, _ := s.account.memo.LoadOrStore(key, sync.OnceValue(func() any { return make() }))
	return once.(func() any)().(T)
}

// A Place is a part of a bucket that takes logs. Buckets are read when all accounts are: a trail names a bucket without
// saying whose it is.
type Place struct {
	Bucket string
	Prefix string // of the objects' keys, as far as it is known: "logs/AWSLogs/111122223333/CloudTrail/"
	// Key is the key that what arrives is encrypted with, where the sender says so: an ARN, an alias, an id. KeyAccount and
	// KeyRegion are for an id.
	Key, KeyAccount, KeyRegion string
}

// Bucket names a part of a bucket that takes logs, and has it read at the end of the scan if its owner is scanned.
// The ID has no account in it: who names a bucket does not know whose it is.
func (s *Scope) Bucket(p Place) evidence.ID {
	if p.Key != "" && p.KeyAccount == "" {
		p.KeyAccount, p.KeyRegion = s.Account, s.Region
	}
	s.account.scan.place(p)
	return PlaceID(p.Bucket, p.Prefix)
}

// PlaceID is the ID of a part of a bucket as a store.
func PlaceID(bucket, prefix string) evidence.ID {
	id := "aws://s3/" + bucket
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		id += "/" + prefix
	}
	return evidence.ID(id)
}

// OwnBuckets says which buckets the account has, by region. It is called once, by the reader of S3.
func (s *Scope) OwnBuckets(regions map[string]string) { s.account.scan.own(s.account, regions) }

// An ARN is the name of a resource: "arn:aws:logs:eu-west-1:111122223333:log-group:x".
type ARN struct{ Partition, Service, Region, Account, Resource string }

// ParseARN splits a name. It takes what AWS gives, and reports whether it has the parts of one.
func ParseARN(s string) (ARN, bool) {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" {
		return ARN{}, false
	}
	return ARN{p[1], p[2], p[3], p[4], p[5]}, true
}

// Name is the last part of a resource: "main" of "trail/main".
func (a ARN) Name() string {
	return a.Resource[strings.LastIndexAny(a.Resource, "/:")+1:]
}

func (a ARN) String() string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", a.Partition, a.Service, a.Region, a.Account, a.Resource)
}
