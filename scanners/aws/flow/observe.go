package flow

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// An estate is what a region says of its networks.
type estate struct {
	networks    []network
	networksErr error
	logs        []flowLog
	logsErr     error
	// subnets are all subnets by their VPC; interfaces are those that have a flow log.
	subnets, interfaces       map[string][]string
	subnetsErr, interfacesErr error
}

// A network is a VPC.
type network struct {
	id, name, owner string
	used            evidence.Value[bool] // whether anything is in it; asked only where nothing of it has a flow log
	at              evidence.Origin
}

// A flowLog is one flow log, of a VPC or of something in one.
type flowLog struct {
	id, name, resource string
	traffic            types.TrafficType
	enabled            evidence.Value[bool]
	since              evidence.Value[time.Time]
	failure            evidence.Value[string] // of its delivery
	to                 evidence.ID            // "" where it is not known
	nameless           bool                   // its format leaves out an address: see the Amazon VPC user guide, "Flow log records"
	at                 evidence.Origin
}

// on returns what has a flow log of all that begins with a prefix, in order.
func (e estate) on(prefix string) []string {
	ids := map[string]bool{}
	for _, l := range e.logs {
		if strings.HasPrefix(l.resource, prefix) {
			ids[l.resource] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// bare returns the VPCs of an account of which nothing has a flow log, as far as that is known.
func (e estate) bare(account string) (out []*network) {
	if e.logsErr != nil || e.subnetsErr != nil || e.interfacesErr != nil {
		return nil
	}
	logged := map[string]bool{}
	for _, l := range e.logs {
		logged[l.resource] = true
	}
	has := func(id string) bool { return logged[id] }
	for i := range e.networks {
		n := &e.networks[i]
		if !n.shared(account) && !has(n.id) && !slices.ContainsFunc(e.subnets[n.id], has) && !slices.ContainsFunc(e.interfaces[n.id], has) {
			out = append(out, n)
		}
	}
	return out
}

// shared reports whether a VPC is another account's.
func (n network) shared(account string) bool { return n.owner != "" && n.owner != account }

func observe(s *scope.Scope, e estate) {
	listed, gateways := map[string]bool{}, map[string]bool{}
	for _, n := range e.networks {
		listed[n.id] = true
		n.observe(s, e)
	}
	for _, l := range e.logs {
		switch kind, _, _ := strings.Cut(l.resource, "-"); {
		case kind == "subnet" || kind == "eni": // below
		case kind != "vpc":
			l.gateway(s, gateways)
		case listed[l.resource] || e.networksErr != nil: // else its VPC is gone
			source := s.Source("flow/"+l.id, evidence.NetworkFlow, "flow log", l.name, l.at)
			source.Covers, source.Enabled, source.Since = []evidence.ID{s.ID("vpc/" + l.resource)}, l.enabled, l.since
			source.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{
				evidence.PartAccepted: l.extent(accepted()), evidence.PartRejected: l.extent(rejected()),
			}
			l.deliver(source)
			record(s, source, l.at)
		}
	}
	e.inside(s, "subnet", e.subnets, e.subnetsErr)
	e.inside(s, "network interface", e.interfaces, e.interfacesErr)
}

func (n network) observe(s *scope.Scope, e estate) {
	asset := &evidence.Asset{Subject: evidence.Subject{ID: s.ID("vpc/" + n.id), Kind: "VPC", Name: n.name, At: n.at}, In: s.In(n.at), Lasting: true}
	at := s.At("ec2:DescribeFlowLogs", n.id)
	whole := scope.Got(true, e.logsErr, at)
	switch {
	case e.logsErr != nil:
	case e.subnetsErr != nil: // then a flow log of a subnet may belong to this VPC
		whole = scope.Unknown[bool](e.subnetsErr, s.At("ec2:DescribeSubnets", n.id))
	case e.interfacesErr != nil:
		whole = scope.Unknown[bool](e.interfacesErr, s.At("ec2:DescribeNetworkInterfaces", n.id))
	}
	shared := n.shared(s.Account)
	if shared {
		// A participant of a shared VPC does not see the flow logs of its owner; see the Amazon VPC user guide, "Share your
		// VPC subnets with other accounts".
		whole = evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("the VPC is shared by account "+n.owner+", which sees its flow logs"))
		asset.In = evidence.Known(evidence.ID("aws:"+n.owner+"/"+s.Region+"//vpc/"+n.id), n.at)
	}
	asset.Looked = map[evidence.Activity]evidence.Value[bool]{evidence.NetworkFlow: whole}
	s.Record(asset)
	n.lacks(s)
	s.After(func(context.Context) {
		at := s.At("route53resolver:ListResolverQueryLogConfigAssociations", n.id)
		whole := scope.Got(true, s.WasListed(s.Region, "resolver query logs"), at)
		if shared {
			whole = evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("the VPC is shared by account "+n.owner+", which sees its query logs"))
		}
		s.Look(asset.ID, evidence.DNS, whole)
	})
}

// lacks records that a VPC has no flow log, where nothing is in it, or nobody could tell. Of a VPC in use, that the flow logs
// were listed says enough.
func (n network) lacks(s *scope.Scope) {
	in, known := n.used.Get()
	if n.used.IsZero() || in {
		return
	}
	source := s.Source("flow/"+n.id, evidence.NetworkFlow, "flow log", n.name, n.at)
	source.Records, source.Covers = "who talked to whom, and how much", []evidence.ID{s.ID("vpc/" + n.id)}
	source.Enabled = evidence.Known(false, s.At("ec2:DescribeFlowLogs", n.id))
	traffic := evidence.Moot[evidence.Extent](n.used.At().WithNote("no network interface is in it"))
	if !known {
		traffic = evidence.Unknown[evidence.Extent](n.used.Why(), n.used.At())
	}
	source.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{evidence.PartAccepted: traffic, evidence.PartRejected: traffic}
	s.Record(source)
}

// gateway records a flow log of a transit gateway, of an attachment to one or of a regional NAT gateway: it is named, and
// where it goes is judged. Whether each gateway has one, no check asks.
func (l flowLog) gateway(s *scope.Scope, seen map[string]bool) {
	kind := "NAT gateway"
	if strings.HasPrefix(l.resource, "tgw-") {
		kind = "transit gateway"
	}
	asset := &evidence.Asset{
		Subject: evidence.Subject{ID: s.ID("gateway/" + l.resource), Kind: kind, Name: l.resource, At: l.at}, In: s.In(l.at), Lasting: true,
	}
	if !seen[l.resource] {
		seen[l.resource] = true
		s.Record(asset)
	}
	source := s.Source("flow/"+l.id, evidence.NetworkFlow, "flow log", l.name, l.at)
	source.Covers, source.Enabled, source.Since = []evidence.ID{asset.ID}, l.enabled, l.since
	l.deliver(source)
	record(s, source, l.at)
}

// deliver adds where a flow log sends all of its records.
func (l flowLog) deliver(source *evidence.LogSource) {
	if l.to == "" {
		source.Complete = evidence.Unknown[bool](evidence.Unfamiliar, l.at.WithNote("its destination is of a kind that lookback does not know"))
		return
	}
	source.To = append(source.To, delivery(l.to, l.failure, l.at))
}

func delivery(to evidence.ID, failure evidence.Value[string], at evidence.Origin) evidence.Delivery {
	d := evidence.EverythingTo(to, at)
	d.Error = failure
	d.Last = evidence.Moot[time.Time](at.WithNote("a quiet network writes nothing"))
	return d
}

// inside records, for each VPC, one source that stands for all flow logs of a kind of thing within it: only together can
// they cover the VPC. Of is what there is of that kind.
func (e estate) inside(s *scope.Scope, kind string, of map[string][]string, err error) {
	for _, n := range e.networks {
		all := of[n.id]
		var logs []flowLog
		for _, l := range e.logs {
			if slices.Contains(all, l.resource) {
				logs = append(logs, l)
			}
		}
		if len(logs) == 0 {
			continue
		}
		t := together{kind: kind, logs: logs, of: all, err: err}
		t.observe(s, n)
	}
}

// together are the flow logs of several things of a kind in one VPC.
type together struct {
	kind string
	logs []flowLog
	of   []string // all things of the kind; for network interfaces those that have a flow log
	err  error    // what kept the rest of them away
}

func (t together) observe(s *scope.Scope, n network) {
	at := t.logs[0].at
	source := s.Source("flow/"+n.id+"/"+strings.ReplaceAll(t.kind, " ", "-")+"s", evidence.NetworkFlow, "flow logs of "+t.kind+"s", n.name, at)
	source.Covers = []evidence.ID{s.ID("vpc/" + n.id)}
	source.Enabled, source.Since = t.logs[0].enabled, t.logs[0].since
	byStore := map[evidence.ID][]flowLog{}
	for _, l := range t.logs {
		if source.Enabled.IsUnknown() {
			source.Enabled = l.enabled
		}
		source.Since = later(source.Since, l.since)
		byStore[l.to] = append(byStore[l.to], l)
	}
	source.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{
		evidence.PartAccepted: t.extent(t.logs, accepted(), at), evidence.PartRejected: t.extent(t.logs, rejected(), at),
	}
	for _, to := range slices.Sorted(maps.Keys(byStore)) {
		logs := byStore[to]
		if to == "" {
			logs[0].deliver(source)
			continue
		}
		d := delivery(to, failures(logs), logs[0].at)
		d.Extent = t.share(logs)
		source.To = append(source.To, d)
	}
	record(s, source, at)
}

// share says how much of what all the logs record some of them do.
func (t together) share(some []flowLog) evidence.Value[evidence.Extent] {
	at := some[0].at
	for _, traffic := range [][]types.TrafficType{accepted(), rejected()} {
		part, known := t.extent(some, traffic, at).Get()
		whole, also := t.extent(t.logs, traffic, at).Get()
		if len(some) < len(t.logs) && (!known || !also || part != whole) {
			var of []string
			for _, l := range some {
				of = append(of, l.resource)
			}
			slices.Sort(of)
			return evidence.Known(evidence.Extent{Grade: evidence.Some, But: "only that of " + list(slices.Compact(of), t.kind)}, at)
		}
	}
	return evidence.Everything(at)
}

// list names a few things, or says how many they are.
func list(ids []string, kind string) string {
	if len(ids) > 3 {
		return fmt.Sprintf("%d %ss", len(ids), kind)
	}
	return strings.Join(ids, ", ")
}

// extent says how much of the VPC some of the logs cover, for some kinds of traffic.
func (t together) extent(logs []flowLog, traffic []types.TrafficType, at evidence.Origin) evidence.Value[evidence.Extent] {
	covered := map[string]bool{}
	var doubt evidence.Value[evidence.Extent]
	for _, l := range logs {
		extent := l.extent(traffic)
		takes, known := extent.Get()
		on, sure := l.enabled.Get()
		switch {
		case !known:
			doubt = extent
		case !sure:
			doubt = evidence.Unknown[evidence.Extent](l.enabled.Why(), l.enabled.At())
		case on && takes.Grade == evidence.All:
			covered[l.resource] = true
		}
	}
	ids := slices.Sorted(maps.Keys(covered))
	subnets := t.kind == "subnet"
	switch {
	case subnets && t.err == nil && len(ids) == len(t.of):
		return evidence.Everything(at)
	case !doubt.IsZero():
		return doubt
	case len(ids) == 0:
		return evidence.Nothing(at)
	case subnets && t.err != nil:
		return scope.Unknown[evidence.Extent](t.err, evidence.Origin{Call: "ec2:DescribeSubnets", Of: at.Of})
	}
	but := "only " + list(ids, t.kind)
	if subnets {
		but = "only " + strings.TrimSuffix(list(ids, t.kind), " subnets") + fmt.Sprintf(" of %d subnets", len(t.of))
	}
	return evidence.Known(evidence.Extent{Grade: evidence.Some, But: but}, at)
}

// failures joins what is wrong with the deliveries of several logs.
func failures(logs []flowLog) evidence.Value[string] {
	out := logs[0].failure
	for _, l := range logs {
		switch said, known := l.failure.Get(); {
		case known && said != "":
			return evidence.Known(l.resource+": "+said, l.failure.At())
		case !known:
			out = l.failure
		}
	}
	return out
}

func later(a, b evidence.Value[time.Time]) evidence.Value[time.Time] {
	x, known := a.Get()
	y, also := b.Get()
	if known && (!also || y.After(x)) {
		return b
	}
	return a
}

// record adds what every flow log leaves out.
func record(s *scope.Scope, source *evidence.LogSource, at evidence.Origin) {
	source.Records = "who talked to whom, and how much"
	if source.Parts == nil {
		source.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{}
	}
	// The Amazon VPC user guide, "Flow log limitations".
	source.Parts[evidence.PartEveryEvent] = evidence.Known(evidence.Extent{
		Grade: evidence.Some,
		But:   "not traffic to the resolver of AWS, instance metadata, time service, DHCP and the router of the VPC; AWS may skip records",
	}, at)
	s.Record(source)
}

func accepted() []types.TrafficType {
	return []types.TrafficType{types.TrafficTypeAccept, types.TrafficTypeAll}
}

func rejected() []types.TrafficType {
	return []types.TrafficType{types.TrafficTypeReject, types.TrafficTypeAll}
}

// extent says whether a flow log of a whole VPC takes some kinds of traffic.
func (l flowLog) extent(traffic []types.TrafficType) evidence.Value[evidence.Extent] {
	switch {
	case slices.Contains(traffic, l.traffic) && l.nameless:
		return evidence.Known(evidence.Extent{Grade: evidence.Some, But: "its format leaves out who talked to whom"}, l.at)
	case slices.Contains(traffic, l.traffic):
		return evidence.Everything(l.at)
	case slices.Contains(l.traffic.Values(), l.traffic):
		return evidence.Nothing(l.at)
	}
	return evidence.Unknown[evidence.Extent](evidence.Unfamiliar, l.at.WithNote("its kind of traffic is "+string(l.traffic)))
}
