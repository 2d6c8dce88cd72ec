package aws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// A Filter says which accounts of an organisation are read.
type Filter struct {
	Organization bool     // all accounts of the caller's organisation
	Role         string   // the name of the role to assume in each
	Units        []string // units of the organisation (OUs), by id, with all below them; none for all
	Accounts     []string // by id; none for all
	Tags         []string // "key=value", or "key" for any value; all have to be there
}

// DefaultRole is the role that AWS makes in every account that an organisation creates. It may do everything; one that may
// do what "lookback permissions aws" prints is better.
const DefaultRole = "OrganizationAccountAccessRole"

// members lists the accounts of the organisation, each with credentials for it. Those that cannot be read are gaps.
func (s *Scan) members(ctx context.Context, own account, partition string, to *evidence.Set) ([]account, error) {
	f := s.options.Filter
	cfg := own.config.Copy()
	cfg.Region = globalRegion(ctx, s.base.Region)
	client := organizations.NewFromConfig(cfg)
	within, err := below(ctx, client, f.Units)
	if err != nil {
		return nil, organizationError(err)
	}
	var out []account
	left := map[string]string{} // accounts that are not read, and why; "" where that is said
	assume := sts.NewFromConfig(s.base)
	role := cmp.Or(f.Role, DefaultRole)
	pages := organizations.NewListAccountsPaginator(client, &organizations.ListAccountsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, organizationError(err)
		}
		for _, a := range page.Accounts {
			one := account{id: aws.ToString(a.Id), name: aws.ToString(a.Name)}
			switch {
			case one.id == "", len(f.Accounts) > 0 && !slices.Contains(f.Accounts, one.id):
				continue
			case len(f.Units) > 0 && !within[one.id]:
				left[one.id] = "it is left out by --ou"
				continue
			}
			if len(f.Tags) > 0 {
				has, err := tagged(ctx, client, one.id, f.Tags)
				if err != nil {
					return nil, organizationError(err)
				}
				if !has {
					left[one.id] = "it is left out by --tag"
					continue
				}
			}
			if state := stateOf(a); state != "ACTIVE" {
				left[one.id] = ""
				to.Gap(evidence.Gap{
					In: scope.AccountID(one.id), Asked: "the account " + assetOf(one, evidence.Origin{}).Name, Why: evidence.Elsewhere,
					Err: "it is " + strings.ToLower(strings.ReplaceAll(state, "_", " ")), At: evidence.Origin{Call: "organizations:ListAccounts", Of: one.id}, Bad: slices.Contains(f.Accounts, one.id),
				})
				continue
			}
			one.config, one.done = own.config, own.done
			if one.id != own.id {
				provider := aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(assume, fmt.Sprintf("arn:%s:iam::%s:role/%s", partition, one.id, role), s.options.external))
				base := s.base.Copy()
				base.Credentials = provider
				one.config, one.lost, one.done = s.guard.Account(base)
			}
			out = append(out, one)
		}
	}
	slices.SortFunc(out, func(a, b account) int { return cmp.Compare(a.id, b.id) })
	for _, id := range f.Accounts {
		why, met := left[id]
		if !met {
			why = "it is no account of the organisation"
		}
		if why != "" && !slices.ContainsFunc(out, func(a account) bool { return a.id == id }) {
			to.Gap(evidence.Gap{
				In: scope.AccountID(id), Asked: "the account " + id, Why: evidence.Failed, Err: why,
				At: evidence.Origin{Call: "organizations:ListAccounts", Of: id}, Bad: true,
			})
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no account of the organisation is left to scan; see --ou, --account and --tag")
	}
	return out, nil
}

// stateOf is the state of an account: newer servers give State, older ones Status.
func stateOf(a types.Account) string {
	return cmp.Or(string(a.State), string(a.Status), "ACTIVE")
}

func organizationError(err error) error {
	switch {
	case scope.Is(err, "AWSOrganizationsNotInUseException"):
		return errors.New("the account is in no organisation; leave out --organization")
	case scope.Why(err) == evidence.Denied:
		return fmt.Errorf("listing the accounts of the organisation: %s; ask from the management account or a delegated administrator, with organizations:ListAccounts", scope.Brief(err))
	}
	return fmt.Errorf("listing the accounts of the organisation: %s", scope.Brief(err))
}

// below returns the accounts of units of the organisation and of all units below them.
func below(ctx context.Context, client *organizations.Client, units []string) (map[string]bool, error) {
	out, seen := map[string]bool{}, map[string]bool{}
	for len(units) > 0 {
		unit := units[0]
		units = units[1:]
		if seen[unit] {
			continue
		}
		seen[unit] = true
		accounts := organizations.NewListAccountsForParentPaginator(client, &organizations.ListAccountsForParentInput{ParentId: aws.String(unit)})
		for accounts.HasMorePages() {
			page, err := accounts.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, a := range page.Accounts {
				out[aws.ToString(a.Id)] = true
			}
		}
		deeper := organizations.NewListOrganizationalUnitsForParentPaginator(client, &organizations.ListOrganizationalUnitsForParentInput{ParentId: aws.String(unit)})
		for deeper.HasMorePages() {
			page, err := deeper.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, u := range page.OrganizationalUnits {
				units = append(units, aws.ToString(u.Id))
			}
		}
	}
	return out, nil
}

func tagged(ctx context.Context, client *organizations.Client, id string, tags []string) (bool, error) {
	has := map[string]string{}
	pages := organizations.NewListTagsForResourcePaginator(client, &organizations.ListTagsForResourceInput{ResourceId: aws.String(id)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, err
		}
		for _, t := range page.Tags {
			has[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
	}
	for _, want := range tags {
		key, value, named := strings.Cut(want, "=")
		if got, ok := has[key]; !ok || named && got != value {
			return false, nil
		}
	}
	return true, nil
}

// organization says which account manages the organisation of an account, and records the organisation.
func (s *Scan) organization(ctx context.Context, base scope.Scope, all *scope.Scan) evidence.Value[string] {
	at := evidence.Origin{Call: "organizations:DescribeOrganization", Of: base.Account}
	out, err := organizations.NewFromConfig(base.Config).DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	switch {
	case scope.Is(err, "AWSOrganizationsNotInUseException"):
		return evidence.Moot[string](at)
	case err != nil:
		return scope.Unknown[string](err, at)
	case out.Organization == nil || out.Organization.MasterAccountId == nil:
		return evidence.Unknown[string](evidence.Failed, at.WithNote("the answer names no management account"))
	}
	management := *out.Organization.MasterAccountId
	id := scope.OrganizationID(management)
	all.NewAccount(base).Whole().Shared(&evidence.Asset{
		Subject: evidence.Subject{ID: id, Kind: "organisation", Name: cmp.Or(aws.ToString(out.Organization.Id), management), At: at},
		In:      evidence.Moot[evidence.ID](at), Lasting: true,
	}, management)
	return evidence.Known(management, at)
}

// A lake is the account that may keep a Security Lake of its organisation, and that organisation.
type lake struct {
	account evidence.Value[string] // moot where there is none
	of      evidence.ID
}

// lakeOf asks who it is. It is for who may ask: the management account, or a delegated administrator of anything.
func lakeOf(ctx context.Context, who account) lake {
	at := evidence.Origin{Call: "organizations:ListDelegatedAdministrators", Of: who.id}
	out, err := organizations.NewFromConfig(who.config).ListDelegatedAdministrators(ctx, &organizations.ListDelegatedAdministratorsInput{
		ServicePrincipal: aws.String("securitylake.amazonaws.com"), // "The delegated administrator is the same in all Regions": its user guide
	})
	switch {
	case scope.Is(err, "AWSOrganizationsNotInUseException"):
		return lake{account: evidence.Moot[string](at)}
	case err != nil:
		return lake{account: scope.Unknown[string](err, at)}
	}
	for _, a := range out.DelegatedAdministrators {
		if arn, ok := scope.ParseARN(aws.ToString(a.Arn)); ok && a.Id != nil { // arn:aws:organizations::management:account/o-x/id
			return lake{account: evidence.Known(*a.Id, at), of: scope.OrganizationID(arn.Account)}
		}
	}
	return lake{account: evidence.Moot[string](at)}
}

// within is what holds an account: its organisation, or nothing.
func within(organization evidence.Value[string]) evidence.Value[evidence.ID] {
	management, known := organization.Get()
	switch {
	case known:
		return evidence.Known(scope.OrganizationID(management), organization.At())
	case organization.IsMoot():
		return evidence.Moot[evidence.ID](organization.At())
	}
	return evidence.Unknown[evidence.ID](organization.Why(), organization.At())
}
