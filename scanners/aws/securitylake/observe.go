package securitylake

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/securitylake/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// meaning says which activity a source of Security Lake records, and which parts of it. Security Lake takes management
// events both of reads and of writes, and a VPC's flow logs both accepted and rejected: its user guide, "Collecting data
// from AWS services".
var meaning = map[types.AwsLogSourceName]struct {
	activity evidence.Activity
	parts    []evidence.Part
}{
	types.AwsLogSourceNameCloudTrailMgmt: {evidence.CloudAPI, []evidence.Part{evidence.PartReads, evidence.PartWrites}},
	types.AwsLogSourceNameS3Data:         {evidence.CloudData, []evidence.Part{evidence.PartDataReads, evidence.PartDataWrites}},
	types.AwsLogSourceNameVpcFlow:        {evidence.NetworkFlow, []evidence.Part{evidence.PartAccepted, evidence.PartRejected}},
	types.AwsLogSourceNameRoute53:        {evidence.DNS, nil},
	types.AwsLogSourceNameEksAudit:       {evidence.KubernetesAPI, nil},
}

// observe records what the lake takes from the region.
func observe(s *scope.Scope, l lake) {
	at := s.At(sources, "")
	store := s.Bucket(scope.Place{Bucket: l.bucket, Key: l.key})
	enabled := evidence.Known(true, at)
	if l.status != types.DataLakeStatusCompleted && l.status != "" { // it takes nothing before it is there
		enabled = evidence.Unknown[bool](evidence.Unfamiliar, s.At(lakes, "").WithNote("the creation of the data lake is "+strings.ToLower(string(l.status))))
	}
	for _, name := range l.taken {
		m, ok := meaning[name]
		if !ok {
			continue
		}
		source := s.Source("securitylake/"+string(name), m.activity, "source of Security Lake", "Security Lake's "+string(name), at)
		source.Covers, source.Enabled = []evidence.ID{s.Home()}, enabled
		source.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{}
		for _, p := range m.parts {
			source.Parts[p] = evidence.Known(evidence.Extent{Grade: evidence.All}, at)
		}
		source.To = []evidence.Delivery{scope.To(store, s.At(lakes, ""))}
		s.Record(source)
	}
}

// unknown records that Security Lake may take what nothing else does: nobody could look.
func unknown(s *scope.Scope, err error, at evidence.Origin) {
	for _, m := range meaning {
		source := s.Source("securitylake", m.activity, "source of Security Lake", "Security Lake in "+s.Region, at)
		source.Covers, source.Enabled, source.Complete = []evidence.ID{s.Home()}, scope.Unknown[bool](err, at), scope.Unknown[bool](err, at)
		s.Record(source)
	}
}
