package resolver

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53resolver/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// A configuration says where query logs go.
type configuration struct {
	name, destination string // its name and an ARN
	status            types.ResolverQueryLogConfigStatus
	at                evidence.Origin
	shared            types.ShareStatus
	vpcs              int32 // that are associated with it, of any account
}

// unexplained reports whether a configuration that none of the account's VPCs is associated with may be there for a profile.
// One that cannot deliver, or is about to be gone, logs nothing wherever it applies; one that is shared, and that VPCs are
// associated with, is there for those of other accounts.
func (c configuration) unexplained() bool {
	switch c.status {
	case types.ResolverQueryLogConfigStatusFailed, types.ResolverQueryLogConfigStatusDeleting:
		return false
	}
	elsewhere := c.shared == types.ShareStatusSharedByMe || c.shared == types.ShareStatusSharedWithMe
	return !elsewhere || c.vpcs == 0
}

// An association makes a configuration log the queries of a VPC.
type association struct {
	vpc, name string // of the VPC, and of the configuration
	thing     string
	enabled   evidence.Value[bool]
	since     evidence.Value[time.Time]
	to        evidence.ID // "" where it is not known
	failure   evidence.Value[string]
	complete  evidence.Value[bool]
	at        evidence.Origin
}

// associate joins an association with its configuration. Err is why some configurations are not known.
func associate(s *scope.Scope, a types.ResolverQueryLogConfigAssociation, configs map[string]configuration, err error) association {
	id, vpc := aws.ToString(a.ResolverQueryLogConfigId), aws.ToString(a.ResourceId)
	at := s.At("route53resolver:ListResolverQueryLogConfigAssociations", id+"/"+vpc)
	out := association{
		vpc: vpc, name: id, thing: "resolver/" + id + "/" + vpc, at: at,
		enabled: enabled(a, at), since: evidence.Unknown[time.Time](evidence.Unfamiliar, at.WithNote("AWS does not say since when")),
		complete: evidence.Known(true, at),
	}
	if t, bad := time.Parse(time.RFC3339, aws.ToString(a.CreationTime)); bad == nil {
		out.since = evidence.Known(t.UTC(), at)
	}
	c, found := configs[id]
	switch {
	case !found && err != nil:
		out.complete = scope.Unknown[bool](err, s.At("route53resolver:ListResolverQueryLogConfigs", id))
		return out
	case !found:
		out.complete = evidence.Unknown[bool](evidence.Elsewhere, s.At("route53resolver:ListResolverQueryLogConfigs", id).WithNote("its configuration is not shown to this account"))
		return out
	}
	if c.name != "" {
		out.name = c.name
	}
	if out.to = destination(s, c.destination, vpc); out.to == "" {
		out.complete = evidence.Unknown[bool](evidence.Unfamiliar, c.at.WithNote("its destination is of a kind that lookback does not know"))
	}
	switch c.status {
	case types.ResolverQueryLogConfigStatusCreated:
		out.failure = evidence.Known("", c.at)
	case types.ResolverQueryLogConfigStatusFailed:
		// The destination was deleted, or permissions are missing; see the type ResolverQueryLogConfig of the API.
		out.failure = evidence.Known("the Resolver cannot deliver to it", c.at)
	default: // for a moment
		out.failure = evidence.Unknown[string](evidence.Unfamiliar, c.at.WithNote("the configuration is "+strings.ToLower(string(c.status))))
	}
	return out
}

// enabled says whether the queries of a VPC are logged; see the type ResolverQueryLogConfigAssociation of the API.
func enabled(a types.ResolverQueryLogConfigAssociation, at evidence.Origin) evidence.Value[bool] {
	switch a.Status {
	case types.ResolverQueryLogConfigAssociationStatusActive:
		return evidence.Known(true, at)
	case types.ResolverQueryLogConfigAssociationStatusDeleting:
		return evidence.Known(false, at.WithNote("it is being deleted"))
	case types.ResolverQueryLogConfigAssociationStatusFailed:
		switch a.Error {
		case types.ResolverQueryLogConfigAssociationErrorDestinationNotFound, types.ResolverQueryLogConfigAssociationErrorAccessDenied:
			return evidence.Known(false, at.WithNote("its association failed: "+string(a.Error)))
		}
		return evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("its association could not be made, or could not be deleted"))
	}
	return evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("its association is "+strings.ToLower(string(a.Status))))
}

// destination names where query logs of a VPC go. Their place in a bucket is as for other logs that AWS delivers:
// AWSLogs, the account, the kind, the VPC.
func destination(s *scope.Scope, to, vpc string) evidence.ID {
	arn, _ := scope.ParseARN(to)
	switch arn.Service {
	case "s3":
		bucket, prefix, _ := strings.Cut(arn.Resource, "/")
		if prefix = strings.Trim(prefix, "/"); prefix != "" {
			prefix += "/"
		}
		return s.Bucket(scope.Place{Bucket: bucket, Prefix: prefix + "AWSLogs/" + s.Account + "/vpcdnsquerylogs/" + vpc + "/"})
	case "logs":
		return s.GroupID(to)
	case "firehose":
		return evidence.ID("aws:" + arn.Account + "/" + arn.Region + "//firehose/" + arn.Name())
	}
	return ""
}

func observe(s *scope.Scope, a association) {
	source := s.Source(a.thing, evidence.DNS, "DNS query log", a.name, a.at)
	source.Records = "the names that its machines ask for, and the answers"
	source.Covers = []evidence.ID{s.ID("vpc/" + a.vpc)}
	source.Enabled, source.Since, source.Complete = a.enabled, a.since, a.complete
	// The Route 53 developer guide, "Resolver query logging": what is answered from the cache is not logged.
	source.Parts = map[evidence.Part]evidence.Value[evidence.Extent]{
		evidence.PartEveryEvent: evidence.Known(evidence.Extent{
			Grade: evidence.Some, But: "not queries answered from the resolver's cache, nor those to other resolvers",
		}, a.at),
	}
	if a.to != "" {
		d := evidence.EverythingTo(a.to, a.at)
		d.Error = a.failure
		d.Last = evidence.Moot[time.Time](a.at.WithNote("a quiet network asks for nothing"))
		source.To = append(source.To, d)
	}
	s.Record(source)
}
