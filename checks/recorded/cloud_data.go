package recorded

import (
	"lookback/checks"
	"lookback/evidence"
)

// CloudData checks that it is recorded who reads and changes stored objects.
var CloudData = &checks.Check{
	ID:       "recorded-cloud-data",
	Title:    "It is written down who reads and changes stored objects",
	Severity: checks.Medium,
	Doc: `After a theft of data the first question is which objects were read. A record of calls that manage the account does not
say: reading an object is no management call. Without a record of data every object of a bucket counts as stolen.

Cure, AWS: data events of S3 for reads and writes in a trail ("AWS::S3::Object"), at least of the buckets that hold what
must not get out; or server access logs of the bucket, which cost less and come as best effort.`,
	Judge: checks.About(evidence.CloudData, cloudData),
}

var cloudDataParts = []evidence.Part{evidence.PartDataReads, evidence.PartDataWrites}

func cloudData(_ *checks.View, bucket evidence.Asset, sources []evidence.LogSource) checks.Verdict {
	name := checks.Named(bucket.Subject)
	nobody := func(because evidence.Fact) checks.Verdict {
		return checks.Failed(because, "%s: nobody writes down who reads or changes its objects", name).
			Many("%d buckets: nobody writes down who reads or changes their objects")
	}
	if len(sources) == 0 {
		return nobody(bucket.Looked[evidence.CloudData])
	}
	return checks.Worst(cloudDataParts, func(part evidence.Part) checks.Verdict {
		what := map[evidence.Part]string{evidence.PartDataReads: "reads", evidence.PartDataWrites: "writes"}[part]
		return checks.Best(sources, func(s evidence.LogSource) checks.Verdict {
			extent, known := s.Parts[part].Get()
			switch {
			case checks.Off(s):
				return nobody(s.Enabled)
			case s.Enabled.IsUnknown():
				return checks.NotKnown(s.Enabled)
			case !known:
				return checks.NotKnown(s.Parts[part])
			case extent.Grade == evidence.None:
				return checks.Failed(s.Parts[part], "%s: %s of its objects are not written down", name, what)
			case extent.Grade != evidence.All:
				return checks.Failed(s.Parts[part], "%s: %s of its objects are written down only in part: %s", name, what, extent.But)
			}
			return checks.Passed(s.Parts[part], "%s records %s of the objects in %s", checks.Named(s.Subject), what, name)
		})
	})
}
