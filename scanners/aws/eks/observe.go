package eks

import (
	"context"
	"fmt"
	"time"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// A cluster is what its configuration says of its audit log.
type cluster struct {
	name  string
	at    evidence.Origin
	audit evidence.Value[bool] // whether the API server's audit log goes to CloudWatch Logs
}

// policyNote names where AWS writes which requests are audited: its owner cannot change it. In the policy that the page
// prints, no rule of level None matches these requests, and the last rule takes what no other one names. See
// https://docs.aws.amazon.com/eks/latest/best-practices/auditing-and-logging.html.
const policyNote = `the audit policy of EKS, as its best practices guide prints it under "Auditing and logging"`

// audited are the parts that the audit policy of EKS records.
var audited = [...]evidence.Part{
	evidence.PartExec, evidence.PartAttach, evidence.PartPortForward,
	evidence.PartSecretReads, evidence.PartRBACChanges, evidence.PartTokenRequests,
}

// observe turns a cluster into records. Its API endpoint gives no other name for it: manifests do not say which cluster
// they are for, and name none.
func observe(s *scope.Scope, c cluster) {
	thing := "eks/" + c.name
	asset := &evidence.Asset{
		Subject: evidence.Subject{ID: s.ID(thing), Kind: "EKS cluster", Name: c.name, At: c.at},
		In:      s.In(c.at), Lasting: true,
		Looked: map[evidence.Activity]evidence.Value[bool]{evidence.KubernetesAPI: evidence.Known(true, c.at)},
	}
	on, known := c.audit.Get()
	if !known {
		asset.Looked[evidence.KubernetesAPI] = evidence.Unknown[bool](c.audit.Why(), c.audit.At())
		s.Record(asset)
		return
	}
	s.Record(asset)
	log := s.Source(thing, evidence.KubernetesAPI, "audit log", "the audit log of "+c.name, c.at)
	log.Records, log.Covers, log.Enabled = "requests to the API server", []evidence.ID{asset.ID}, c.audit
	if !on {
		s.Record(log)
		return
	}
	log.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{
		// "log delivery is best effort": the EKS user guide, "Send control plane logs to CloudWatch Logs".
		evidence.PartEveryEvent: evidence.Known(evidence.Extent{Grade: evidence.Some, But: "AWS delivers them as best effort"}, c.at),
	}
	for _, part := range audited {
		log.Parts[part] = evidence.Everything(c.at.WithNote(policyNote))
	}
	group := "/aws/eks/" + c.name + "/cluster"
	s.After(func(context.Context) {
		to := evidence.EverythingTo(s.GroupID(group), c.at)
		created, exists := s.Group(group)
		there, known := exists.Get()
		switch {
		case !known:
			log.Since = evidence.Unknown[time.Time](exists.Why(), exists.At())
			to.Error = evidence.Unknown[string](exists.Why(), exists.At())
		case !there:
			log.Since = evidence.Unknown[time.Time](evidence.Elsewhere, exists.At().WithNote("its log group does not exist"))
			to.Error = evidence.Known(fmt.Sprintf("log group %q does not exist", group), exists.At())
		case created.Created.IsZero():
			log.Since = evidence.Unknown[time.Time](evidence.Elsewhere, exists.At().WithNote("when it was turned on is not said"))
		default:
			log.Since = evidence.Known(created.Created, exists.At().WithNote("at the earliest: its log group was made then"))
		}
		log.To = []evidence.Delivery{to}
		s.Record(log)
	})
}
