package iam

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// ends are the actions that stop records or throw them away: of the trail, of the log group, of the bucket.
var ends = []string{
	"cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:UpdateTrail", "cloudtrail:PutEventSelectors",
	"logs:DeleteLogGroup", "logs:PutRetentionPolicy", "s3:PutLifecycleConfiguration",
}

// An estate is what an account answered: its principals and their policies.
type estate struct {
	users    []types.UserDetail
	roles    []types.RoleDetail
	policies map[string]document               // by ARN
	groups   map[string][]document             // what is written into a group
	attached map[string][]types.AttachedPolicy // what is attached to it
}

func (e *estate) add(page *iam.GetAccountAuthorizationDetailsOutput) {
	e.users = append(e.users, page.UserDetailList...)
	e.roles = append(e.roles, page.RoleDetailList...)
	for _, p := range page.Policies {
		for _, v := range p.PolicyVersionList {
			if v.IsDefaultVersion {
				e.policies[aws.ToString(p.Arn)] = parse(aws.ToString(p.PolicyName), aws.ToString(v.Document))
			}
		}
	}
	for _, g := range page.GroupDetailList {
		name := aws.ToString(g.GroupName)
		e.groups[name] = append(e.groups[name], inline(g.GroupPolicyList)...)
		e.attached[name] = append(e.attached[name], g.AttachedManagedPolicies...)
	}
}

func inline(policies []types.PolicyDetail) (out []document) {
	for _, p := range policies {
		out = append(out, parse(aws.ToString(p.PolicyName), aws.ToString(p.PolicyDocument)))
	}
	return out
}

func (e *estate) managed(attached []types.AttachedPolicy) (out []document) {
	for _, a := range attached {
		p, ok := e.policies[aws.ToString(a.PolicyArn)]
		if !ok {
			p = document{name: aws.ToString(a.PolicyName), err: errMissing}
		}
		out = append(out, p)
	}
	return out
}

// hands returns the users and roles that may do one of the actions, sorted, and the name of a policy that could not be
// read where one would matter. A role of a service (service-linked) is not one that people can take.
func (e *estate) hands() (hands []string, unread string) {
	hands = []string{}
	judge := func(name string, policies []document, boundary *types.AttachedPermissionsBoundary) {
		var limit []document
		if boundary != nil {
			limit = e.managed([]types.AttachedPolicy{{PolicyArn: boundary.PermissionsBoundaryArn, PolicyName: boundary.PermissionsBoundaryArn}})
		}
		for _, p := range slices.Concat(policies, limit) {
			if p.err != nil && (unread == "" || p.name < unread) {
				unread = p.name
			}
		}
		for _, action := range ends {
			allowed, denied := decides(policies, action)
			if boundary != nil {
				within, outside := decides(limit, action)
				allowed, denied = allowed && within, denied || outside
			}
			if allowed && !denied {
				hands = append(hands, name)
				return
			}
		}
	}
	for _, u := range e.users {
		policies := append(inline(u.UserPolicyList), e.managed(u.AttachedManagedPolicies)...)
		for _, g := range u.GroupList {
			policies = slices.Concat(policies, e.groups[g], e.managed(e.attached[g]))
		}
		judge("user/"+aws.ToString(u.UserName), policies, u.PermissionsBoundary)
	}
	for _, r := range e.roles {
		if strings.HasPrefix(aws.ToString(r.Path), "/aws-service-role/") {
			continue
		}
		judge("role/"+aws.ToString(r.RoleName), append(inline(r.RolePolicyList), e.managed(r.AttachedManagedPolicies)...), r.PermissionsBoundary)
	}
	slices.Sort(hands)
	return hands, unread
}
