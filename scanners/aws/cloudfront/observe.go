package cloudfront

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
	"lookback/scanners/aws/vended"
)

// A distribution is what is set for the logs of one.
type distribution struct {
	id, name string
	at       evidence.Origin
	standard log
	vended   vended.Delivered
	realtime *realtime // nil where there is none
}

// A log is the standard one, which goes to a bucket.
type log struct {
	on             evidence.Value[bool]
	bucket, prefix string // "name.s3.amazonaws.com", "prefix/"
}

// A realtime is what a distribution logs in real time.
type realtime struct {
	at      evidence.Origin
	configs []types.RealtimeLogConfig
	all     bool  // every cache behavior has one
	unseen  error // why one that is in force was not listed
}

// bestEffort: "CloudFront delivers access logs on a best-effort basis", its developer guide, "Access logs (standard logs)".
const bestEffort = "AWS delivers them as best effort"

// observe turns a distribution into records.
func observe(s *scope.Scope, d distribution) {
	thing := "cloudfront/" + d.id
	asset := &evidence.Asset{
		Subject: evidence.Subject{ID: s.ID(thing), Kind: "CloudFront distribution", Name: d.name, At: d.at},
		In:      s.In(d.at), Lasting: true,
		Looked: map[evidence.Activity]evidence.Value[bool]{evidence.Edge: evidence.Known(true, d.at)},
	}
	s.Record(asset)

	l := s.Source(thing, evidence.Edge, "access log", d.name, d.at)
	l.Records, l.Covers = "requests", []evidence.ID{asset.ID}
	l.Enabled = vended.Either(d.standard.on, d.vended.On)
	l.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{
		evidence.PartEveryEvent: evidence.Known(evidence.Extent{Grade: evidence.Some, But: bestEffort}, l.Enabled.At()),
		evidence.PartTraffic:    evidence.Everything(l.Enabled.At()),
	}
	if on, _ := d.standard.on.Get(); on {
		if bucket, ok := bucketOf(d.standard.bucket); ok {
			l.To = append(l.To, evidence.EverythingTo(s.Bucket(scope.Place{Bucket: bucket, Prefix: d.standard.prefix}), d.standard.on.At()))
		}
	}
	l.To = append(l.To, d.vended.To...)
	for _, fact := range []evidence.Value[bool]{d.standard.on, d.vended.Whole} {
		if fact.IsUnknown() {
			l.Complete = evidence.Unknown[bool](fact.Why(), fact.At())
		}
	}
	s.Record(l)

	if d.realtime == nil {
		return
	}
	at := d.realtime.at
	l = s.Source(thing+"/real-time", evidence.Edge, "real-time log", d.name, at)
	l.Records, l.Covers, l.Enabled = "requests", []evidence.ID{asset.ID}, evidence.Known(true, at)
	var but []string
	if !d.realtime.all {
		but = append(but, "not of every path")
	}
	for _, c := range d.realtime.configs {
		if rate := aws.ToInt64(c.SamplingRate); rate < 100 {
			but = append(but, fmt.Sprintf("%d in 100 requests", rate))
		}
		for _, e := range c.EndPoints {
			if e.KinesisStreamConfig == nil {
				continue
			}
			if to, ok := vended.Store(s, aws.ToString(e.KinesisStreamConfig.StreamARN), ""); ok {
				l.To = append(l.To, evidence.EverythingTo(to, s.At(listRealtime, aws.ToString(c.Name))))
			}
		}
	}
	if err := d.realtime.unseen; err != nil {
		l.Complete = scope.Unknown[bool](err, s.At(listRealtime, ""))
	}
	traffic := evidence.Everything(at)
	switch err := d.realtime.unseen; {
	case len(but) > 0:
		traffic = evidence.Known(evidence.Extent{Grade: evidence.Some, But: strings.Join(but, "; ")}, at)
	case err != nil: // it may be a sample
		traffic = scope.Unknown[evidence.Extent](err, s.At(listRealtime, ""))
	}
	l.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{
		evidence.PartEveryEvent: evidence.Known(evidence.Extent{Grade: evidence.Some, But: strings.Join(append([]string{bestEffort}, but...), "; ")}, at),
		evidence.PartTraffic:    traffic,
	}
	s.Record(l)
}

// bucketOf takes the name of a bucket out of its address: "logs.s3.amazonaws.com", "logs.s3.eu-west-1.amazonaws.com".
func bucketOf(address string) (string, bool) {
	if !strings.Contains(address, ".amazonaws.com") {
		return address, address != ""
	}
	i := strings.LastIndex(address, ".s3")
	if i <= 0 {
		return "", false
	}
	return address[:i], true
}
