package config

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// identityRegion is the region that is asked, in the partition "aws", whether changes of identities are written down: that is
// where their calls are recorded. The recorder of any region may do it.
const identityRegion = "us-east-1"

// writesIdentities says whether a recorder is told to write down how IAM users, groups, roles and customer managed policies
// change: "all supported" types are without them unless IncludeGlobalResourceTypes says so, and by default it does not. See
// the API's reference, RecordingGroup.
func writesIdentities(g *types.RecordingGroup) bool {
	isIdentity := func(t types.ResourceType) bool { return strings.HasPrefix(string(t), "AWS::IAM::") }
	switch {
	case g == nil:
		return false
	case g.AllSupported:
		return g.IncludeGlobalResourceTypes
	case g.ExclusionByResourceTypes != nil && len(g.ExclusionByResourceTypes.ResourceTypes) > 0:
		return !slices.ContainsFunc(g.ExclusionByResourceTypes.ResourceTypes, isIdentity)
	}
	return slices.ContainsFunc(g.ResourceTypes, isIdentity)
}

// identities says whether a recorder of the region writes them down.
func (r recorder) identities(s *scope.Scope) evidence.Value[bool] {
	written := evidence.Known(false, s.At(recorders, ""))
	for _, one := range r.recorders {
		name := aws.ToString(one.Name)
		switch status, ok := r.statuses[name]; {
		case !writesIdentities(one.RecordingGroup):
		case r.statusErr != nil:
			written = scope.Unknown[bool](r.statusErr, s.At(statuses, name))
		case ok && status.Recording:
			return evidence.Known(true, s.At(recorders, name))
		}
	}
	return written
}

// identities collects, of the regions of an account, where changes of identities are written down.
type identities struct {
	mu      sync.Mutex
	written map[string]evidence.Value[bool]
}

func identitiesOf(s *scope.Scope) *identities {
	return scope.Memo(s, "recorders of identities", func() *identities { return &identities{written: map[string]evidence.Value[bool]{}} })
}

func (i *identities) add(region string, written evidence.Value[bool]) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.written[region] = written
}

// somewhere says whether any region of the account writes them down. It is for functions that run After.
func (i *identities) somewhere(s *scope.Scope) evidence.Value[bool] {
	at := s.At(recorders, "")
	no := evidence.Known(false, at)
	if len(s.Unread) > 0 {
		no = evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("IAM may be recorded in a region that was not scanned"))
	}
	for _, region := range slices.Sorted(maps.Keys(i.written)) {
		w := i.written[region]
		if yes, known := w.Get(); !known {
			no = w
		} else if yes {
			return w
		}
	}
	return no
}
