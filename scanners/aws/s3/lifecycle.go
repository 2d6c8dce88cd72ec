package s3

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"lookback/evidence"
)

// Standard retrievals typically finish within 3 to 5 hours from Glacier Flexible Retrieval, and within 12 hours from Glacier
// Deep Archive. (Amazon S3 User Guide, "Understanding archive retrieval options".)
const (
	flexible = 5 * 60 * 60
	deep     = 12 * 60 * 60
)

// tieringRest is how many days Intelligent-Tiering leaves an object at hand that nobody reads, at the least, before it may
// archive it. (SDK, types.Tiering.Days.)
const tieringRest = 90

// yearly finds the year below which AWS puts records: ".../CloudTrail/eu-west-1/2020/05/31/".
var yearly = regexp.MustCompile(`/(20\d\d)(?:/|$)`)

// A hit is what a rule does to a place.
type hit struct {
	days int    // how old a record is then
	sure bool   // false where it cannot be seen whether the records of the place are among what it takes
	note string // what there is to say of it

	rule, what string    // for a sentence: the rule, and what it is for where that is not everything
	until      time.Time // the last records that it takes were written before; zero where it takes new ones too
}

// touch says whether a rule reaches a place, which has the same prefix in each of some spellings, and how surely.
func touch(r types.LifecycleRule, place []string) (h hit, ok bool) {
	prefix, narrow := aws.ToString(r.Prefix), "" //nolint:staticcheck // S3 still answers with the old form
	if f := r.Filter; f != nil {
		if f.Prefix != nil {
			prefix = *f.Prefix
		}
		narrow = narrowed(f.Tag != nil, f.ObjectSizeGreaterThan, f.ObjectSizeLessThan)
		if f.And != nil {
			prefix = aws.ToString(f.And.Prefix)
			narrow = narrowed(len(f.And.Tags) > 0, f.And.ObjectSizeGreaterThan, f.And.ObjectSizeLessThan)
		}
	}
	whole, part := reach(prefix, place)
	if r.Status != types.ExpirationStatusEnabled || !whole && !part {
		return hit{}, false
	}
	h.rule = "a lifecycle rule"
	if id := aws.ToString(r.ID); id != "" {
		h.rule = fmt.Sprintf("the lifecycle rule %q", id)
	}
	switch {
	case narrow != "":
		h.what = narrow
	case part:
		// Below AWSLogs/ lies what AWS writes and nothing else; below a prefix of the owner's own there may be other things.
		h.what, h.sure = fmt.Sprintf("what begins with %q", prefix), ofAWS(place)
		if year := yearly.FindStringSubmatch(prefix); year != nil && h.sure {
			n, _ := strconv.Atoi(year[1])
			h.until = time.Date(n+1, 1, 1, 0, 0, 0, 0, time.UTC)
		}
	default:
		h.sure = true
	}
	return h, true
}

// when says when a rule does something to the records that it takes. On a date it takes all at once, and from then on what
// comes later, too: "The date-based action is not a one-time action." (Amazon S3 User Guide, "Lifecycle rules: Based on a
// specific date".)
func (h hit) when(does string, days *int32, date *time.Time, now time.Time) hit {
	what, when := h.what, fmt.Sprintf("after %d days", aws.ToInt32(days))
	h.days = max(0, int(aws.ToInt32(days)))
	if what == "" {
		what = "everything"
	}
	if date != nil {
		when = "on " + date.UTC().Format(time.DateOnly)
		h.days = max(0, int(date.Sub(now).Hours()/24))
	}
	h.note = fmt.Sprintf("%s %s %s %s", h.rule, does, what, when)
	if !h.until.IsZero() { // what was written since then stays
		h.days = max(h.days, int(now.Sub(h.until).Hours()/24))
	}
	switch {
	case !h.sure:
		h.note += "; whether the records are among it is not known"
	case date != nil && !date.After(now):
		h.note += ", and since then whatever comes"
	case h.what == "" && date == nil:
		h.note = ""
	}
	return h
}

// reach says whether what begins with a prefix is all of a place, or a part of it.
func reach(prefix string, place []string) (whole, part bool) {
	for _, p := range place {
		whole = whole || strings.HasPrefix(p, prefix)
		below, in := strings.CutPrefix(prefix, p)
		part = part || in && (!strings.HasSuffix(p, "AWSLogs/") || ofOrganization(below))
	}
	return whole, part && !whole
}

// ofOrganization reports whether something that begins so, below AWSLogs/, may be of the trail of an organisation: that one
// writes to "organisation/account/CloudTrail/", and who names its place does not know the id of the organisation. Beside it,
// AWS writes other logs of the organisation, and those of single accounts to "account/service/". (CloudTrail user guide,
// "Finding your CloudTrail log files".)
func ofOrganization(below string) bool {
	parts := strings.SplitN(below, "/", 4)
	id := parts[0]
	switch {
	case !strings.HasPrefix(id, "o-") && !(len(parts) == 1 && strings.HasPrefix("o-", id)):
		return false
	case len(parts) < 3:
		return true
	case len(parts) == 3: // the service, or how it begins
		return strings.HasPrefix("CloudTrail", parts[2])
	}
	return parts[2] == "CloudTrail"
}

// ofAWS reports whether a place is one that AWS lays out by itself.
func ofAWS(place []string) bool {
	for _, p := range place {
		if !strings.HasPrefix(p, "AWSLogs/") && !strings.Contains(p, "/AWSLogs/") {
			return false
		}
	}
	return true
}

// tiny is less than any file of records has: the lines of one, or the header of a compressed one and a record. Rules say
// "larger than 0 bytes" to move what is smaller than 128 KB, too. (Amazon S3 User Guide, "Transitioning objects using Amazon
// S3 Lifecycle".)
const tiny = 128

func narrowed(tags bool, above, below *int64) string {
	switch {
	case tags:
		return "objects with certain tags"
	case aws.ToInt64(above) >= tiny || below != nil:
		return "objects of a certain size"
	}
	return ""
}

// kept says how many days a place keeps records. What a versioned bucket still has of an expired object is no promise:
// whoever may delete a version ends it.
func kept(rules evidence.Value[[]types.LifecycleRule], place []string, now time.Time) evidence.Value[int] {
	all, known := rules.Get()
	if !known {
		return evidence.Unknown[int](rules.Why(), rules.At())
	}
	sure, perhaps := hit{days: evidence.Forever}, hit{days: evidence.Forever}
	for _, r := range all {
		h, ok := touch(r, place)
		if e := r.Expiration; !ok || e == nil || e.Days == nil && e.Date == nil { // the rest tidies up delete markers
			continue
		}
		if h = h.when("deletes", r.Expiration.Days, r.Expiration.Date, now); h.sure {
			sure = lesser(sure, h)
		} else {
			perhaps = lesser(perhaps, h)
		}
	}
	if perhaps.days < sure.days {
		return evidence.Unknown[int](evidence.Unfamiliar, rules.At().WithNote(perhaps.note))
	}
	return evidence.Known(sure.days, noted(rules.At(), sure.note))
}

// beyond says how many days a place keeps versions that are no longer the current one, and whether it ends them at all.
func beyond(rules evidence.Value[[]types.LifecycleRule], place []string) (days int, ends bool) {
	all, _ := rules.Get()
	for _, r := range all {
		e := r.NoncurrentVersionExpiration
		if h, ok := touch(r, place); !ok || !h.sure || e == nil || e.NoncurrentDays == nil {
			continue
		}
		if more := int(*e.NoncurrentDays); !ends || more < days {
			days, ends = more, true
		}
	}
	return days, ends
}

func lesser(a, b hit) hit {
	if b.days < a.days {
		return b
	}
	return a
}

// noted keeps the note that is there where there is nothing to say.
func noted(at evidence.Origin, note string) evidence.Origin {
	if note == "" {
		return at
	}
	return at.WithNote(note)
}

// cold says after how many days records of a place go cold, and how long it takes then to get them back: the earliest of
// all transitions. What may go cold, and may not, has a time to get back that nobody knows.
func cold(rules evidence.Value[[]types.LifecycleRule], place []string, keeps evidence.Value[int], now time.Time) (evidence.Value[int], evidence.Value[int64]) {
	all, known := rules.Get()
	if !known {
		return evidence.Unknown[int](rules.Why(), rules.At()), evidence.Unknown[int64](rules.Why(), rules.At())
	}
	end, ends := keeps.Get()
	after, restore := evidence.Moot[int](rules.At()), evidence.Moot[int64](rules.At())
	for _, r := range all {
		h, ok := touch(r, place)
		if !ok {
			continue
		}
		for _, t := range r.Transitions {
			rest, back, goes := archived(t.StorageClass, rules.At())
			h := h.when("moves", t.Days, t.Date, now)
			h.days += rest
			if !goes || ends && h.days >= end { // it is deleted first
				continue
			}
			if !h.sure {
				back = evidence.Unknown[int64](evidence.Unfamiliar, rules.At().WithNote(h.note))
			}
			if first, had := after.Get(); !had || h.days < first || h.days == first && slower(back, restore) {
				after, restore = evidence.Known(h.days, noted(rules.At(), h.note)), back
			}
		}
	}
	return after, restore
}

// slower reports whether one time to get back is longer than another. One that is known goes before one that is not: it
// holds for certain.
func slower(a, b evidence.Value[int64]) bool {
	m, aKnown := a.Get()
	n, bKnown := b.Get()
	return aKnown && (!bKnown || m > n)
}

// archived says whether what goes to a storage class is no longer at hand, after how many days there, and how many seconds
// it takes to get it back.
func archived(class types.TransitionStorageClass, at evidence.Origin) (rest int, back evidence.Value[int64], goes bool) {
	switch class {
	case types.TransitionStorageClassStandardIa, types.TransitionStorageClassOnezoneIa, types.TransitionStorageClassGlacierIr:
		return 0, back, false // at hand, at a price
	case types.TransitionStorageClassGlacier:
		return 0, evidence.Known[int64](flexible, at), true
	case types.TransitionStorageClassDeepArchive:
		return 0, evidence.Known[int64](deep, at), true
	case types.TransitionStorageClassIntelligentTiering:
		return tieringRest, evidence.Unknown[int64](evidence.Elsewhere, at.WithNote("Intelligent-Tiering may archive what nobody reads")), true
	}
	return 0, evidence.Unknown[int64](evidence.Unfamiliar, at.WithNote("we do not know the storage class "+string(class))), true
}
