package cloudtrail

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"lookback/evidence"
	"lookback/scanners/aws/s3"
	"lookback/scanners/aws/scope"
)

// A trail is what its description, its status and its selectors say.
type trail struct {
	name         string
	at           evidence.Origin
	organization bool // it records all accounts of an organisation
	everywhere   bool // it records all regions
	global       evidence.Value[bool]

	logging   evidence.Value[bool]
	since     evidence.Value[time.Time]
	selection selection

	bucket, prefix, key, group string
	toBucket, toGroup          arrival
	validated                  evidence.Value[bool]
}

// An arrival is how the last delivery to a place went.
type arrival struct {
	last   evidence.Value[time.Time]
	failed evidence.Value[string]
}

// A dataStore is what an event data store of CloudTrail Lake says of itself.
type dataStore struct {
	name                     string
	at                       evidence.Origin
	organization, everywhere bool
	unseen                   bool // it may record all accounts of an organisation
	collecting               evidence.Value[bool]
	since                    evidence.Value[time.Time]
	kept                     evidence.Value[int]
	encrypted, readable      evidence.Value[bool]
	selection                selection
}

// observeTrail turns a trail into records. S is where it was seen, home where it is at home.
func observeTrail(s, home *scope.Scope, t trail) {
	w := writer{kind: "trail", name: t.name, thing: "cloudtrail/" + t.name, at: t.at, runs: t.logging, since: t.since, everywhere: t.everywhere}
	if t.organization {
		w.kind = "organisation trail"
	}
	w.to = t.deliveries(home)
	switch {
	case !t.everywhere: // an organisation's too: it records that region of each account
		w.home, w.record = homeOf(s, s.Account, home.Region), s.Record
		w.covers = []evidence.ID{w.home.Home()}
	case t.organization:
		w.home, w.covers = home, within(s, home)
		owner := home.Account
		if t.told() { // a delegated administrator sees as much as the owner, and more than other members
			owner = s.Account
		}
		w.several, w.record = true, func(r evidence.Record) { s.Shared(r, owner) }
	default:
		w.home, w.covers, w.record = home, []evidence.ID{s.AccountID()}, s.Record
	}
	if t.selection.calls() { // else it is there for something else, and no trail of calls that is off
		w.api(t.selection, globalCalls(s.Partition, home.Region, t))
	}
	w.data(s, t.selection)
}

// told reports whether the trail's status and its selectors were both to be had.
func (t trail) told() bool {
	for _, why := range []evidence.Reason{t.logging.Why(), t.selection.reads.Why()} {
		if why == evidence.Denied || why == evidence.Failed {
			return false
		}
	}
	return t.toBucket.last.Why() != evidence.Elsewhere
}

// observeStore turns an event data store into sources and the store that it is.
func observeStore(s, home *scope.Scope, d dataStore) {
	thing := "cloudtrail/event-data-store/" + d.name
	w := writer{kind: "event data store", name: d.name, thing: thing, at: d.at, runs: d.collecting, since: d.since, everywhere: d.everywhere, home: home, record: s.Record}
	w.to = []evidence.Delivery{evidence.EverythingTo(home.ID(thing), d.at)}
	switch {
	case !d.everywhere:
		w.covers = []evidence.ID{s.Home()}
	case d.unseen:
		w.covers = []evidence.ID{scope.OrganizationID(home.Account), s.AccountID()}
		w.several, w.record = true, func(r evidence.Record) { s.Shared(r, home.Account) }
	case d.organization:
		w.covers = within(s, home)
		w.several, w.record = true, func(r evidence.Record) { s.Shared(r, home.Account) }
	default:
		w.covers = []evidence.ID{s.AccountID()}
	}
	calls := d.selection.calls()
	if !calls && !d.selection.data() {
		return // it is for something else: settings of resources, insights
	}
	if calls {
		w.api(d.selection, d.selection.global)
	}
	w.data(s, d.selection)
	store := home.Store(home.ID(thing), w.kind, d.name, d.at)
	store.On = evidence.Known([]evidence.ID{scope.AccountID(home.Account)}, d.at)
	store.Kept, store.Encrypted, store.Readable = d.kept, d.encrypted, d.readable
	// Whoever may update it can shorten the time that it keeps events; protection against termination does not stop that.
	store.Locked = evidence.Known(0, d.at)
	w.record(store)
}

// A writer writes the log sources of one trail or event data store.
type writer struct {
	home              *scope.Scope
	kind, name, thing string
	at                evidence.Origin
	runs              evidence.Value[bool]
	since             evidence.Value[time.Time]
	to                []evidence.Delivery
	covers            []evidence.ID
	everywhere        bool // it records all regions
	several           bool // it records several accounts
	record            func(evidence.Record)
}

func (w writer) source(thing string, a evidence.Activity, takes evidence.Value[bool]) *evidence.LogSource {
	l := w.home.Source(thing, a, w.kind, w.name, w.at)
	l.Enabled, l.Since, l.To, l.Covers = both(w.runs, takes), w.since, w.to, w.covers
	if len(w.to) == 0 {
		l.Complete = evidence.Unknown[bool](evidence.Failed, w.at.WithNote("the answer does not say where it delivers"))
	}
	return l
}

// api writes the source of the calls that manage an account.
func (w writer) api(calls selection, global evidence.Value[evidence.Extent]) {
	l := w.source(w.thing, evidence.CloudAPI, anything(calls.reads, calls.writes))
	l.Records = "management events"
	l.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{
		evidence.PartReads: calls.reads, evidence.PartWrites: calls.writes, evidence.PartGlobal: global,
	}
	w.record(l)
}

// data writes the sources of what happens to objects. Where nothing is taken there is none: that trails were listed says so.
// Which buckets there are is known once all services were read.
func (w writer) data(s *scope.Scope, takes selection) {
	if !takes.data() {
		return
	}
	s.After(func(context.Context) {
		have, err := s3.Owned(s)
		usual := takes.of(s.Partition, unnamed)
		names, parts := takes.buckets()
		less := len(parts) > 0 || slices.ContainsFunc(names, func(name string) bool { return !takes.of(s.Partition, name).adds(usual) })
		// Where less is taken of some buckets than of the others, no source can cover them all: each bucket is named.
		switch {
		case !less:
			shares := []share{{access: usual}}
			for _, name := range names {
				if a := takes.of(s.Partition, name); a != usual {
					shares = put(shares, w.ours(s, a, name, have, err), name)
				}
			}
			w.shares(takes, shares)
		case err != nil:
			w.shares(takes, w.unlisted(s, takes, names, parts, err))
		case w.several: // the buckets of other accounts are not known here
			w.shares(takes, w.unlisted(s, takes, names, parts, nil))
			one := w
			one.home, one.thing, one.record = homeOf(s, s.Account, w.home.Region), w.thing+"/buckets", s.Record
			one.shares(takes, one.listed(s, takes, nil, have))
		default:
			w.shares(takes, w.listed(s, takes, names, have))
		}
	})
}

// A share is buckets of which the same is taken; without any it stands for every one.
type share struct {
	access
	buckets []string
}

func put(shares []share, a access, bucket string) []share {
	i := slices.IndexFunc(shares, func(o share) bool { return o.access == a && len(o.buckets) > 0 })
	if i < 0 {
		return append(shares, share{a, []string{bucket}})
	}
	shares[i].buckets = append(shares[i].buckets, bucket)
	return shares
}

// listed says what is taken of each bucket that the account has, and of those that a selector names.
func (w writer) listed(s *scope.Scope, takes selection, names []string, have map[string]string) []share {
	var out []share
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if w.everywhere || have[name] == w.home.Region {
			out = put(out, takes.of(s.Partition, name), name)
		}
	}
	for _, name := range names {
		if _, is := have[name]; !is {
			out = put(out, w.ours(s, takes.of(s.Partition, name), name, have, nil), name)
		}
	}
	return out
}

// unlisted says what is taken where nobody knows which buckets there are: of those that a selector names, it is known.
func (w writer) unlisted(s *scope.Scope, takes selection, names, parts []string, err error) []share {
	every := takes.of(s.Partition, unnamed)
	why := evidence.Unknown[evidence.Extent](evidence.Unfamiliar, takes.at.WithNote(takes.words()))
	if err != nil {
		why = unlisted(s, err)
	}
	for _, part := range parts {
		a := takes.of(s.Partition, part)
		every.reads, every.writes = either(every.reads, a.reads), either(every.writes, a.writes)
	}
	var out []share
	for _, name := range names {
		out = put(out, w.ours(s, takes.of(s.Partition, name), name, nil, err), name)
	}
	if grade(every.reads) != evidence.None {
		every.reads = why
	}
	if grade(every.writes) != evidence.None {
		every.writes = why
	}
	return append([]share{{access: every}}, out...)
}

func unlisted(s *scope.Scope, err error) evidence.Value[evidence.Extent] {
	return scope.Unknown[evidence.Extent](err, evidence.Origin{Call: "s3:ListAllMyBuckets", Of: s.Account})
}

// ours takes down what is known of a bucket that is another account's: of that a trail has what is done from its own account
// alone. See the SDK's doc of DataResource.
func (w writer) ours(s *scope.Scope, a access, bucket string, have map[string]string, err error) access {
	if _, is := have[bucket]; is || w.several {
		return a
	}
	part := func(v evidence.Value[evidence.Extent]) evidence.Value[evidence.Extent] {
		extent, known := v.Get()
		switch {
		case !known || extent.Grade == evidence.None:
			return v
		case err != nil:
			return unlisted(s, err)
		}
		extent.Grade, extent.But = evidence.Some, strings.TrimPrefix(extent.But+", only what account "+s.Account+" does", ", ")
		return evidence.Known(extent, v.At())
	}
	return access{part(a.reads), part(a.writes)}
}

// shares writes a source for each set of buckets of which something is taken.
func (w writer) shares(takes selection, of []share) {
	of = slices.DeleteFunc(of, func(o share) bool { return o.nothing() })
	for i, part := range of {
		thing := w.thing
		if i > 0 {
			thing = fmt.Sprintf("%s/%d", w.thing, i+1)
		}
		l := w.source(thing, evidence.CloudData, anything(part.reads, part.writes))
		l.Records = "data events"
		if len(takes.kinds) > 0 {
			l.Records += " of " + strings.Join(takes.kinds, ", ")
		}
		l.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{evidence.PartDataReads: part.reads, evidence.PartDataWrites: part.writes}
		if !takes.open.IsZero() { // it may take none at all, of which nothing arrives
			l.To = unproved(l.To, takes.open)
		}
		if len(part.buckets) > 0 {
			l.Covers = nil
			for _, name := range part.buckets {
				l.Covers = append(l.Covers, w.bucket(name))
			}
		}
		w.record(l)
	}
}

// unproved is deliveries of which nobody knows whether anything is handed to them: how the trail's other records fare says
// nothing of these.
func unproved(to []evidence.Delivery, open evidence.Value[evidence.Extent]) []evidence.Delivery {
	to = slices.Clone(to)
	for i := range to {
		to[i].Last = evidence.Unknown[time.Time](open.Why(), open.At())
		to[i].Error = evidence.Unknown[string](open.Why(), open.At())
		to[i].Validated = evidence.Unknown[bool](open.Why(), open.At())
	}
	return to
}

// bucket is a bucket as an asset. One that is named by what records a single region is recorded only if it lies there.
func (w writer) bucket(name string) evidence.ID {
	if w.everywhere {
		return scope.PlaceID(name, "")
	}
	return w.home.ID("s3/" + name)
}

// within is what the trail, or event data store, of an organisation covers. That an account sees it proves that it is in
// that organisation, also where it may not ask. The account itself is not named: who the organisation's trail is kept from is
// the organisation, and not whichever of its accounts was read.
func within(s, home *scope.Scope) []evidence.ID {
	organization := scope.OrganizationID(home.Account)
	// A trail that a delegated administrator made may bear the name of that account.
	if management, known := s.Organization.Get(); known {
		organization = scope.OrganizationID(management)
	}
	at := home.At(describeTrails, "").WithNote("it sees the trail of that organisation")
	s.Tell(s.AccountID(), func(a *evidence.Asset) {
		if _, known := a.In.Get(); !known {
			a.In = evidence.Known(organization, at)
		}
	})
	if _, known := s.Organization.Get(); !known {
		s.Shared(&evidence.Asset{
			Subject: evidence.Subject{ID: organization, Kind: "organisation", Name: home.Account, At: at},
			In:      evidence.Moot[evidence.ID](at), Lasting: true,
		}, home.Account)
	}
	return []evidence.ID{organization}
}

// both is whether a trail runs and takes anything.
func both(runs, takes evidence.Value[bool]) evidence.Value[bool] {
	if on, known := takes.Get(); known && !on {
		return takes
	}
	if on, known := runs.Get(); !known || !on {
		return runs
	}
	return takes
}

// globalRegion is where calls of global services are recorded, in the partition "aws".
const globalRegion = "us-east-1"

// globalCalls says whether calls of services that belong to no region are recorded. Since November 2021 those of IAM, STS
// and CloudFront are recorded in us-east-1, and reach a trail of one other region no more; see the CloudTrail user guide,
// "Using the update-trail command". Such a trail is not asked.
func globalCalls(partition, region string, t trail) evidence.Value[evidence.Extent] {
	if partition == "aws" && !t.everywhere && region != globalRegion {
		return evidence.Moot[evidence.Extent](t.global.At().WithNote("they are recorded in " + globalRegion))
	}
	on, known := t.global.Get()
	switch {
	case !known:
		return evidence.Unknown[evidence.Extent](t.global.Why(), t.global.At())
	case !on:
		return evidence.Nothing(t.global.At())
	}
	return t.selection.global
}

// deliveries are where a trail sends what it records.
func (t trail) deliveries(home *scope.Scope) []evidence.Delivery {
	var out []evidence.Delivery
	add := func(store evidence.ID, a arrival, validated evidence.Value[bool]) {
		d := evidence.EverythingTo(store, t.at)
		d.Last, d.Error, d.Validated = a.last, a.failed, validated
		if grade(t.selection.reads) == evidence.None && grade(t.selection.writes) == evidence.None && !a.last.IsUnknown() {
			d.Last = evidence.Moot[time.Time](a.last.At().WithNote("it takes data events alone: quiet is normal"))
		}
		out = append(out, d)
	}
	if t.bucket != "" {
		// "[prefix/]AWSLogs/[organisation/]account/CloudTrail/": the CloudTrail user guide, "Finding your CloudTrail log
		// files". The id of the organisation is not known here.
		prefix := t.prefix
		if prefix != "" && !strings.HasSuffix(prefix, "/") {
			prefix += "/"
		}
		prefix += "AWSLogs/"
		if !t.organization {
			prefix += home.Account + "/CloudTrail/"
		}
		add(home.Bucket(scope.Place{Bucket: t.bucket, Prefix: prefix, Key: t.key}), t.toBucket, t.validated)
	}
	if t.group != "" {
		add(home.GroupID(t.group), t.toGroup, evidence.Moot[bool](t.at))
	}
	return out
}

// observeHistory records what AWS keeps by itself of each region: "a viewable, searchable, downloadable, and immutable
// record of the past 90 days of management events"; see the CloudTrail user guide, "Working with CloudTrail Event
// history". It tells no data events.
func observeHistory(s *scope.Scope) {
	const thing, kind, days = "event-history", "event history", 90
	at := s.At("ec2:DescribeRegions", "").WithNote("AWS keeps it by default")
	name := "the event history of " + s.Region
	all := evidence.Everything(at)
	l := s.Source(thing, evidence.CloudAPI, kind, name, at)
	l.Records, l.Covers, l.Enabled, l.Floor = "management events", []evidence.ID{s.Home()}, evidence.Known(true, at), true
	l.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{evidence.PartReads: all, evidence.PartWrites: all}
	switch { // it has the calls of global services where they happen; see globalCalls
	case s.Partition != "aws":
	case s.Region == globalRegion:
		l.Parts[evidence.PartGlobal] = all
	default:
		l.Parts[evidence.PartGlobal] = evidence.Moot[evidence.Extent](at)
	}
	store := s.Store(s.ID("cloudtrail/"+thing), kind, name, at)
	store.Kept, store.Locked = evidence.Known(days, at), evidence.Known(days, at)
	l.To = []evidence.Delivery{evidence.EverythingTo(store.ID, at)}
	s.Record(l)
	s.Record(store)
}
