// Package securitylake reads what Security Lake takes from an account, and how long it keeps it.
package securitylake

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securitylake"
	"github.com/aws/aws-sdk-go-v2/service/securitylake/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

const (
	lakes   = "securitylake:ListDataLakes"
	sources = "securitylake:ListLogSources"
)

// Service reads the data lake of each region.
func Service() scope.Service {
	return scope.Service{
		Name: "securitylake",
		Calls: []scope.Call{
			{Service: securitylake.ServiceID, Op: "ListDataLakes", Action: lakes, Per: "region", Fills: "LogSource.To"},
			{Service: securitylake.ServiceID, Op: "ListLogSources", Action: sources, Per: "region", Fills: "LogSource.Enabled", Perhaps: "where there is a data lake"},
		},
		Region: read,
	}
}

// A lake is what a region answered.
type lake struct {
	bucket, key string
	status      types.DataLakeStatus                // of its creation
	taken       map[string][]types.AwsLogSourceName // by account
}

func read(ctx context.Context, s *scope.Scope) {
	client := securitylake.NewFromConfig(s.Config)
	at := s.At(lakes, "")
	out, err := client.ListDataLakes(ctx, &securitylake.ListDataLakesInput{Regions: []string{s.Region}})
	if scope.Is(err, "ResourceNotFoundException") { // it was never turned on
		out, err = &securitylake.ListDataLakesOutput{}, nil
	}
	if err != nil {
		open(s, "securitylake", scope.Unknown[bool](err, at), append(others(s), s.Account), nil)
		return
	}
	taken := map[types.AwsLogSourceName]bool{} // of this account
	for _, l := range out.DataLakes {
		arn, ok := scope.ParseARN(aws.ToString(l.S3BucketArn))
		if !ok || aws.ToString(l.Region) != "" && aws.ToString(l.Region) != s.Region {
			continue
		}
		bucket, _, _ := strings.Cut(arn.Resource, "/")
		one := lake{bucket: bucket, status: l.CreateStatus}
		// S3_MANAGED_KEY stands for no key of the owner's.
		if e := l.EncryptionConfiguration; e != nil && aws.ToString(e.KmsKeyId) != "S3_MANAGED_KEY" {
			one.key = aws.ToString(e.KmsKeyId)
		}
		var err error
		if one.taken, err = logSources(ctx, s, client); err != nil {
			open(s, "securitylake", scope.Unknown[bool](err, s.At(sources, "")), append(others(s), s.Account), nil)
			observe(s, one)
			return
		}
		for _, name := range one.taken[s.Account] {
			taken[name] = true
		}
		observe(s, one)
		if more := others(s); len(more) > 0 && !slices.ContainsFunc(more, func(account string) bool { return len(one.taken[account]) > 0 }) {
			// That the list holds the accounts of the organisation where none is asked for, no page promises.
			why := evidence.Unknown[bool](evidence.Unfamiliar, s.At(sources, "").WithNote("Security Lake names no other account of the organisation"))
			open(s, "securitylake/members", why, more, nil)
		}
	}
	if why, is := elsewhere(s); is {
		open(s, "securitylake", why, []string{s.Account}, taken)
	}
}

// logSources lists what the lake of a region takes, by account: of this one alone, or for the account that keeps the lake of an
// organisation, of all.
func logSources(ctx context.Context, s *scope.Scope, client *securitylake.Client) (map[string][]types.AwsLogSourceName, error) {
	in := &securitylake.ListLogSourcesInput{Regions: []string{s.Region}}
	if !keeper(s) {
		in.Accounts = []string{s.Account}
	}
	taken := map[string][]types.AwsLogSourceName{}
	for pages := securitylake.NewListLogSourcesPaginator(client, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return taken, err
		}
		for _, from := range page.Sources {
			account := aws.ToString(from.Account)
			if aws.ToString(from.Region) != s.Region || account != s.Account && !keeper(s) {
				continue
			}
			for _, r := range from.Sources {
				if a, ok := r.(*types.LogSourceResourceMemberAwsLogSource); ok {
					taken[account] = append(taken[account], a.Value.SourceName)
				}
			}
		}
	}
	return taken, nil
}

// keeper reports whether an account keeps the lake of its organisation.
func keeper(s *scope.Scope) bool {
	account, known := s.Lake.Get()
	return known && account == s.Account
}

// others are the other accounts of the scan, for the one that keeps the lake of all.
func others(s *scope.Scope) []string {
	if !keeper(s) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(s.Accounts), func(account string) bool { return account == s.Account })
}

// elsewhere says why the lake of an organisation may take what is not seen from this account: "The delegated administrator
// can collect logs and events across the organization", the user guide, "Managing multiple accounts".
func elsewhere(s *scope.Scope) (why evidence.Value[bool], may bool) {
	account, known := s.Lake.Get()
	switch {
	case s.Organization.IsMoot(), s.Lake.IsMoot(), keeper(s), known && slices.Contains(s.Accounts, account): // which tells of this one too
		return why, false
	case known:
		return evidence.Unknown[bool](evidence.Elsewhere, s.Lake.At().WithNote("the Security Lake of account "+account+", which was not scanned, may take it")), true
	}
	return evidence.Unknown[bool](s.Lake.Why(), s.Lake.At()), true
}
