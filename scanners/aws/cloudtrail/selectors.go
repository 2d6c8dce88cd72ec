package cloudtrail

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"lookback/evidence"
)

// A selection is which events a trail, or an event data store, takes.
type selection struct {
	reads, writes evidence.Value[evidence.Extent] // of management events
	global        evidence.Value[evidence.Extent] // of management events of services that belong to no region
	// objects are what each selector takes of the events of objects in buckets: an event is taken that one of them takes.
	objects []objects
	// open is why that is not known; zero where it is.
	open  evidence.Value[evidence.Extent]
	kinds []string // the types of resource of which data events are taken
	at    evidence.Origin
}

// access is how much of reads and writes is taken.
type access struct {
	reads, writes evidence.Value[evidence.Extent]
}

// s3Object is the type of resource that an object of a general purpose bucket is.
const s3Object = "AWS::S3::Object"

// unselected is a selection that is not known.
func unselected(why evidence.Value[bool]) selection {
	open := evidence.Unknown[evidence.Extent](why.Why(), why.At())
	return selection{reads: open, writes: open, global: open, open: open, at: why.At()}
}

// everyCall is what a trail takes for which nobody chose: all management events and no data events. See the SDK's doc of
// PutEventSelectors.
func everyCall(at evidence.Origin) selection {
	all := evidence.Everything(at.WithNote("AWS default"))
	return selection{reads: all, writes: all, global: all, at: at}
}

// calls reports whether management events may be taken.
func (s selection) calls() bool {
	return grade(s.reads) != evidence.None || grade(s.writes) != evidence.None
}

// selected puts selectors together: an event is taken that one of them takes.
func selected(basic []types.EventSelector, advanced []types.AdvancedEventSelector, at evidence.Origin) selection {
	none := evidence.Nothing(at)
	out := selection{reads: none, writes: none, global: none, at: at}
	for _, b := range basic {
		out.addBasic(b, at)
	}
	for _, a := range advanced {
		out.addAdvanced(a, at)
	}
	slices.Sort(out.kinds)
	out.kinds = slices.Compact(out.kinds)
	return out
}

func (s *selection) addBasic(b types.EventSelector, at evidence.Origin) {
	// What is not said of them is the default: the SDK's doc of EventSelector.
	f := filter{reads: b.ReadWriteType != types.ReadWriteTypeWriteOnly, writes: b.ReadWriteType != types.ReadWriteTypeReadOnly}
	if b.ReadWriteType != "" && !slices.Contains(b.ReadWriteType.Values(), b.ReadWriteType) {
		f.doubt = "it takes events of the type " + string(b.ReadWriteType)
	}
	if b.IncludeManagementEvents == nil || *b.IncludeManagementEvents {
		management := f
		for _, source := range b.ExcludeManagementEventSources {
			management.but = append(management.but, "not "+source)
		}
		s.addManagement(management, at)
	}
	for _, r := range b.DataResources {
		s.kinds = append(s.kinds, aws.ToString(r.Type))
		if aws.ToString(r.Type) == s3Object {
			s.objects = append(s.objects, objects{filter: f, named: types.AdvancedFieldSelector{StartsWith: r.Values}, whole: true})
		}
	}
}

func (s *selection) addAdvanced(a types.AdvancedEventSelector, at evidence.Origin) {
	f := filter{reads: true, writes: true}
	var category, kinds []string
	byName := false
	for _, field := range a.FieldSelectors {
		switch aws.ToString(field.Field) {
		case "eventCategory":
			category = field.Equals
		case "resources.type":
			kinds = field.Equals
		}
	}
	var names []types.AdvancedFieldSelector
	for _, field := range a.FieldSelectors {
		switch name := aws.ToString(field.Field); name {
		case "eventCategory", "resources.type":
		case "readOnly":
			f.reads, f.writes = slices.Contains(field.Equals, "true"), slices.Contains(field.Equals, "false")
			if !f.reads && !f.writes {
				f.reads, f.writes = true, true
				f.doubt = "it has a filter on readOnly that we do not know"
			}
		case "resources.ARN":
			names = append(names, field)
		case "eventSource":
			if !slices.Contains(kinds, s3Object) || !slices.Contains(field.Equals, "s3.amazonaws.com") { // which all of its events come from
				f.narrow("", field)
			}
		case "eventName":
			names := len(field.Equals)+len(field.StartsWith)+len(field.EndsWith) > 0
			f.narrow(name+" ", field)
			if names && slices.Contains(category, "Management") && f.doubt == "" {
				byName = true
			}
		case "eventType", "sessionCredentialFromConsole", "userIdentity.arn":
			f.narrow(name+" ", field)
		default:
			f.doubt = "it has a filter on " + name + ", which we do not know"
		}
	}
	if byName && f.reads && f.writes { // which of the two the events are that it names is not said
		f.doubt = "it takes some events by name: " + strings.Join(f.but, ", ")
	}
	switch {
	case slices.Contains(category, "Management"):
		s.addManagement(f, at)
	case slices.Contains(category, "Data"):
		s.kinds = append(s.kinds, kinds...)
		if slices.Contains(kinds, s3Object) {
			s.addObjects(f, names)
		}
	}
}

func (s *selection) addManagement(f filter, at evidence.Origin) {
	a := f.access(at)
	s.reads, s.writes = either(s.reads, a.reads), either(s.writes, a.writes)
	f.but = slices.DeleteFunc(slices.Clone(f.but), func(left string) bool { // those that a trail can leave out belong to a region
		return left == "not kms.amazonaws.com" || left == "not rdsdata.amazonaws.com"
	})
	a = f.access(at)
	s.global = either(s.global, either(a.reads, a.writes))
}

func (s *selection) addObjects(f filter, names []types.AdvancedFieldSelector) {
	one := objects{filter: f}
	for i, field := range names {
		var words filter
		words.narrow("", field)
		switch {
		case words.doubt != "":
			one.doubt = words.doubt
		case i > 0:
			one.doubt = "it takes objects by name, in several filters"
		}
		one.named = field
	}
	s.objects = append(s.objects, one)
}

// A filter is what one selector takes of the events that it is about.
type filter struct {
	reads, writes bool
	but           []string // what it leaves out, in words
	doubt         string   // what in it we do not understand
}

// narrow adds a condition on a field, in words.
func (f *filter) narrow(name string, field types.AdvancedFieldSelector) {
	var only []string
	n := len(f.but)
	only = append(only, field.Equals...)
	for _, v := range field.StartsWith {
		only = append(only, v+"...")
	}
	for _, v := range field.EndsWith {
		only = append(only, "..."+v)
	}
	if len(only) > 0 {
		f.but = append(f.but, "only "+name+strings.Join(only, " or "))
	}
	for _, v := range field.NotEquals {
		f.but = append(f.but, "not "+name+v)
	}
	for _, v := range field.NotStartsWith {
		f.but = append(f.but, "not "+name+v+"...")
	}
	for _, v := range field.NotEndsWith {
		f.but = append(f.but, "not "+name+"..."+v)
	}
	if len(f.but) == n {
		f.doubt = "it has a filter on " + aws.ToString(field.Field) + " that we do not know"
	}
}

func (f filter) access(at evidence.Origin) access {
	extent := evidence.Everything(at)
	if len(f.but) > 0 {
		extent = evidence.Known(evidence.Extent{Grade: evidence.Some, But: strings.Join(f.but, ", ")}, at)
	}
	if f.doubt != "" {
		extent = evidence.Unknown[evidence.Extent](evidence.Unfamiliar, at.WithNote(f.doubt))
	}
	none := evidence.Nothing(at)
	out := access{none, none}
	if f.reads {
		out.reads = extent
	}
	if f.writes {
		out.writes = extent
	}
	return out
}

// either is how much two selectors take together.
func either(a, b evidence.Value[evidence.Extent]) evidence.Value[evidence.Extent] {
	x, y := grade(a), grade(b)
	switch {
	case x == evidence.All, y == evidence.None:
		return a
	case y == evidence.All, x == evidence.None:
		return b
	case x == "":
		return a
	case y == "":
		return b
	}
	one, _ := a.Get()
	other, _ := b.Get()
	if one == other {
		return a
	}
	return evidence.Unknown[evidence.Extent](evidence.Unfamiliar, a.At().WithNote("it has several filters: "+one.But+"; "+other.But))
}

// grade is how much is known to be taken, "" where that is not known.
func grade(v evidence.Value[evidence.Extent]) evidence.Grade {
	extent, _ := v.Get()
	return extent.Grade
}

// anything says whether anything is taken: unknown where that hangs on what is not known.
func anything(of ...evidence.Value[evidence.Extent]) evidence.Value[bool] {
	out := evidence.Known(false, of[0].At())
	for _, v := range of {
		switch grade(v) {
		case evidence.Some, evidence.All:
			return evidence.Known(true, v.At())
		case "":
			out = evidence.Unknown[bool](v.Why(), v.At())
		}
	}
	return out
}
