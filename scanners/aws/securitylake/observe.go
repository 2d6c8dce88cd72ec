package securitylake

import (
	"maps"
	"slices"
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
	record := func(name types.AwsLogSourceName, thing, of string, covers []evidence.ID) {
		m, ok := meaning[name]
		if !ok || len(covers) == 0 {
			return
		}
		source := s.Source(thing, m.activity, "source of Security Lake", "Security Lake's "+string(name)+of, at)
		source.Covers, source.Enabled = covers, enabled
		source.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{}
		for _, p := range m.parts {
			source.Parts[p] = evidence.Everything(at)
		}
		source.To = []evidence.Delivery{evidence.EverythingTo(store, s.At(lakes, ""))}
		s.Record(source)
	}
	for _, name := range l.taken[s.Account] {
		record(name, "securitylake/"+string(name), "", []evidence.ID{s.Home()})
	}
	more := map[types.AwsLogSourceName][]evidence.ID{}
	for _, account := range others(s) {
		for _, name := range l.taken[account] {
			more[name] = append(more[name], scope.RegionID(account, s.Region))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(more)) {
		record(name, "securitylake/"+string(name)+"/members", " of other accounts", more[name])
	}
}

// open records that Security Lake may take what nothing else does from the region of some accounts: nobody could look. It
// leaves out what is taken for certain.
func open(s *scope.Scope, thing string, why evidence.Value[bool], accounts []string, taken map[types.AwsLogSourceName]bool) {
	var covers []evidence.ID
	for _, account := range accounts {
		covers = append(covers, scope.RegionID(account, s.Region))
	}
	for name, m := range meaning {
		if !taken[name] {
			s.Record(unread(s, thing, "Security Lake in "+s.Region, m.activity, why, covers))
		}
	}
}

func unread(s *scope.Scope, thing, name string, a evidence.Activity, why evidence.Value[bool], covers []evidence.ID) *evidence.LogSource {
	source := s.Source(thing, a, "source of Security Lake", name, why.At())
	source.Covers, source.Enabled, source.Complete = covers, why, why
	return source
}

// Unread records that the account which keeps the lake of an organisation could not be read: it may take the logs of each
// account in it.
func Unread(s *scope.Scope, organization evidence.ID, why evidence.Value[bool]) {
	for _, m := range meaning {
		s.Record(unread(s, "securitylake", "the Security Lake of account "+s.Account, m.activity, why, []evidence.ID{organization}))
	}
}
