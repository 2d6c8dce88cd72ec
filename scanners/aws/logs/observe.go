package logs

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"lookback/evidence"
	"lookback/scanners/aws/kms"
	"lookback/scanners/aws/scope"
)

// A group is a log group, as AWS answered.
type group struct {
	name      string
	at        evidence.Origin
	class     types.LogGroupClass
	days      *int32 // nil where nothing expires
	byPolicy  bool   // a policy for all groups says the number of days
	protected bool   // from being deleted
	key       *kms.Key
	filters   []filter
	asked     evidence.Value[bool] // whether filters are all that the group has
	policy    policy
}

// A filter forwards records of a group to a destination.
type filter struct {
	to      string // an ARN
	pattern string // of the records that it forwards; all of them where it is empty
	fields  string // a further condition
	at      evidence.Origin
}

// A policy is the subscription filter of all groups of a region.
type policy struct {
	name    string // empty where there is none
	filter  filter
	except  []string // groups that it leaves alone
	strange bool     // it is written in a way that we do not know
	at      evidence.Origin
	asked   evidence.Value[bool]
}

// parse reads a policy; see PutAccountPolicy, policyDocument and selectionCriteria.
func (p *policy) parse(document, selection string) {
	var doc struct{ DestinationArn, FilterPattern string }
	p.strange = json.Unmarshal([]byte(document), &doc) != nil || doc.DestinationArn == ""
	p.filter = filter{to: doc.DestinationArn, pattern: doc.FilterPattern, at: p.at}
	if selection = strings.TrimSpace(selection); selection != "" {
		list, ok := strings.CutPrefix(strings.Join(strings.Fields(selection), " "), "LogGroupName NOT IN ")
		p.strange = p.strange || !ok || json.Unmarshal([]byte(list), &p.except) != nil
	}
}

// observe is the one place that knows what the settings of a log group mean.
func (g group) observe(s *scope.Scope) *evidence.LogStore {
	store := s.Store(s.GroupID(g.name), "log group", g.name, g.at)
	store.Kept = g.kept()
	// No setting keeps the owner, or who acts in their name, from a shorter retention, which deletes what is older.
	note := "a log group cannot be locked"
	if g.protected {
		note = "deletion protection keeps the group, and not its records from a shorter retention"
	}
	store.Locked = evidence.Known(0, g.at.WithNote(note))
	if g.key != nil {
		store.Encrypted, store.Readable = g.key.Own, g.key.InForce
	} else {
		store.Encrypted = evidence.Known(false, g.at.WithNote("AWS default"))
		store.Readable = evidence.Moot[bool](g.at.WithNote("AWS default"))
	}
	slices.SortStableFunc(g.filters, func(a, b filter) int {
		return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.pattern, b.pattern), cmp.Compare(a.fields, b.fields))
	})
	for _, f := range g.filters {
		store.To = append(store.To, f.delivery(s))
	}
	store.Complete = g.asked
	switch applies := !slices.Contains(g.policy.except, g.name); {
	case g.policy.asked.IsUnknown():
		store.Complete = g.policy.asked
	case g.policy.name == "" || !applies:
	case g.policy.strange:
		store.Complete = evidence.Unknown[bool](evidence.Unfamiliar, g.policy.at.WithNote("the account's subscription filter "+strconv.Quote(g.policy.name)+" is not one that we can follow"))
	default:
		store.To = append(store.To, g.policy.filter.delivery(s))
	}
	return store
}

func (g group) kept() evidence.Value[int] {
	switch {
	case g.days != nil && *g.days <= 0:
		return evidence.Unknown[int](evidence.Unfamiliar, g.at.WithNote("its retention is not a number of days"))
	case g.class == types.LogGroupClassDelivery:
		// "Log events in log groups in the Delivery class are kept in CloudWatch Logs for only one day": the SDK on
		// LogGroup.LogGroupClass. All other classes can be queried as long as they keep.
		return evidence.Known(1, g.at.WithNote("the class DELIVERY keeps records one day, and only hands them on"))
	case g.days != nil:
		return evidence.Known(int(*g.days), g.at)
	case g.byPolicy:
		return evidence.Known(evidence.Forever, g.at)
	}
	return evidence.Known(evidence.Forever, g.at.WithNote("AWS default"))
}

// delivery is what a filter does.
func (f filter) delivery(s *scope.Scope) evidence.Delivery {
	d := evidence.EverythingTo(destination(s, f.to), f.at)
	only := strings.TrimSpace(f.pattern)
	if only == "" {
		only = strings.TrimSpace(f.fields)
	}
	if only != "" {
		d.Extent = evidence.Known(evidence.Extent{Grade: evidence.Some, But: "only what matches " + brief(only)}, f.at)
	}
	return d
}

// destination names the store behind an ARN: a delivery stream, a data stream, a function, a destination in another
// account, a bucket.
func destination(s *scope.Scope, to string) evidence.ID {
	arn, ok := scope.ParseARN(to)
	switch {
	case !ok:
		return s.ID("destination/" + to)
	case arn.Service == "s3":
		bucket, prefix, _ := strings.Cut(arn.Resource, "/")
		return s.Bucket(scope.Place{Bucket: bucket, Prefix: prefix})
	}
	kind, name := arn.Service, arn.Name()
	switch {
	case arn.Service == "lambda": // function:NAME, or function:NAME:VERSION; it is a stop on the way to somewhere
		kind = "function"
		name, _, _ = strings.Cut(strings.TrimPrefix(arn.Resource, "function:"), ":")
	case arn.Service == "logs":
		kind = "destination"
	}
	return evidence.ID("aws:" + arn.Account + "/" + arn.Region + "//" + kind + "/" + name)
}

// brief cuts a filter that is too long for a sentence.
func brief(s string) string {
	if r := []rune(s); len(r) > 100 {
		return string(r[:100]) + "..."
	}
	return s
}
