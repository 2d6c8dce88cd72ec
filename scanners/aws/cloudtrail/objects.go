package cloudtrail

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"lookback/evidence"
)

// Objects are what one selector takes of the events of objects in buckets.
type objects struct {
	filter
	// named is the condition on their names: "arn:aws:s3:::BUCKET/KEY". What it selects, one of its values has to match; what
	// it leaves out, none may; both hold. See the CloudTrail user guide, "How CloudTrail evaluates multiple conditions for a
	// field".
	named types.AdvancedFieldSelector
	// whole says that a bucket is named in full, with a slash at its end: whether a part of its name is enough, AWS does not
	// say of basic selectors.
	whole bool
}

// unnamed stands for every bucket that no selector names: no bucket can have this name.
const unnamed = "*"

// prefix is what the names of all objects in a bucket begin with.
func prefix(partition, bucket string) string { return "arn:" + partition + ":s3:::" + bucket + "/" }

// of says how much is taken of what happens to the objects of a bucket.
func (s selection) of(partition, bucket string) access {
	if !s.open.IsZero() {
		return access{s.open, s.open}
	}
	none := evidence.Nothing(s.at)
	out := access{none, none}
	for _, o := range s.objects {
		a := o.of(prefix(partition, bucket), s.at)
		out = access{either(out.reads, a.reads), either(out.writes, a.writes)}
	}
	return out
}

func (o objects) of(bucket string, at evidence.Origin) access {
	but, doubt, some := o.within(bucket)
	if !some {
		return filter{}.access(at)
	}
	f := o.filter
	f.but = append(slices.Clone(f.but), but...)
	if f.doubt == "" {
		f.doubt = doubt
	}
	return f.access(at)
}

// within says what is taken of a bucket by the names of its objects: what of it is left out, in words; why that is not
// known; and whether anything is taken.
func (o objects) within(bucket string) (but []string, doubt string, some bool) {
	var only, left []string
	all := false
	take := func(what string, ends func(string) bool, begins string) {
		without, none := o.left(bucket, begins, ends)
		if none {
			return
		}
		some = true
		left = append(left, without...)
		if what == "" {
			all = true
		} else {
			only = append(only, what)
		}
	}
	n := o.named
	if len(n.Equals)+len(n.StartsWith)+len(n.EndsWith) == 0 {
		take("", nil, bucket)
	}
	for _, v := range n.StartsWith {
		key, inside := strings.CutPrefix(v, bucket)
		switch {
		case inside && key != "":
			take(key+"...", nil, v)
		case !strings.HasPrefix(bucket, v):
		case o.whole && !inside && partial(v):
			doubt, some = "it takes objects by name: only "+v+"...", true
		default:
			take("", nil, bucket)
		}
	}
	for _, v := range n.Equals {
		key, inside := strings.CutPrefix(v, bucket)
		switch {
		case inside && key != "":
			take(key, func(end string) bool { return strings.HasSuffix(v, end) }, v)
		case v+"/" == bucket || v == bucket: // no object has this name: somebody meant the bucket
			doubt, some = "it takes objects by name: only "+v, true
		}
	}
	for _, v := range n.EndsWith {
		take("..."+v, func(end string) bool { return strings.HasSuffix(v, end) }, bucket)
	}
	for _, v := range n.NotEquals {
		if v == bucket || v+"/" == bucket {
			doubt = "it takes objects by name: not " + v
		}
	}
	if !all && len(only) > 0 {
		but = append(but, "only "+strings.Join(only, " or "))
	}
	slices.Sort(left)
	return append(but, slices.Compact(left)...), doubt, some
}

// left says what is left out of the objects whose names begin in some way, and whether none of them is left. Ends tells how
// they are known to end; it may be nil.
func (o objects) left(bucket, begins string, ends func(string) bool) (left []string, none bool) {
	for _, v := range o.named.NotStartsWith {
		if strings.HasPrefix(begins, v) {
			return nil, true
		}
		if strings.HasPrefix(v, begins) {
			left = append(left, "not "+strings.TrimPrefix(v, bucket)+"...")
		}
	}
	for _, v := range o.named.NotEquals {
		switch {
		case v == begins && begins != bucket: // that one alone, or all that begin like it
			if ends != nil {
				return nil, true
			}
			left = append(left, "not "+strings.TrimPrefix(v, bucket))
		case strings.HasPrefix(v, begins) && v != bucket:
			left = append(left, "not "+strings.TrimPrefix(v, bucket))
		}
	}
	for _, v := range o.named.NotEndsWith {
		if ends != nil && ends(v) {
			return nil, true
		}
		left = append(left, "not ..."+v)
	}
	return left, false
}

// buckets returns every bucket that a selector names, and every part of a name, which stands for any number of buckets; in
// order.
func (s selection) buckets() (names, parts []string) {
	for _, o := range s.objects {
		n := o.named
		for _, v := range slices.Concat(n.Equals, n.StartsWith, n.NotEquals, n.NotStartsWith) {
			_, rest, _ := strings.Cut(v, ":::")
			bucket, _, _ := strings.Cut(rest, "/")
			switch {
			case bucket == "":
			case partial(v):
				parts = append(parts, bucket)
			default:
				names = append(names, bucket)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), parts
}

// partial reports whether a name ends within that of a bucket.
func partial(arn string) bool {
	_, rest, _ := strings.Cut(arn, ":::")
	return rest != "" && !strings.Contains(rest, "/")
}

// data reports whether events of objects may be taken.
func (s selection) data() bool { return !s.open.IsZero() || len(s.objects) > 0 }

// words says by which names objects are taken.
func (s selection) words() string {
	var f filter
	for _, o := range s.objects {
		f.narrow("", o.named)
	}
	return "it takes objects by name: " + strings.Join(f.but, ", ")
}

// nothing reports whether none of both is taken.
func (a access) nothing() bool {
	return grade(a.reads) == evidence.None && grade(a.writes) == evidence.None
}

// adds reports whether what is taken of a bucket goes beyond what is taken of every one, and never falls short of it.
func (a access) adds(to access) bool {
	return either(to.reads, a.reads) == a.reads && either(to.writes, a.writes) == a.writes
}
