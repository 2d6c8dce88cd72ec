// Package securitylake reads what Security Lake takes from an account, and how long it keeps it.
package securitylake

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/securitylake"
	"github.com/aws/aws-sdk-go-v2/service/securitylake/types"

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
	status      types.DataLakeStatus // of its creation
	taken       []types.AwsLogSourceName
}

func read(ctx context.Context, s *scope.Scope) {
	client := securitylake.NewFromConfig(s.Config)
	at := s.At(lakes, "")
	out, err := client.ListDataLakes(ctx, &securitylake.ListDataLakesInput{Regions: []string{s.Region}})
	switch {
	case scope.Is(err, "ResourceNotFoundException"): // it was never turned on
		return
	case err != nil:
		unknown(s, err, at)
		return
	}
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
		pages := securitylake.NewListLogSourcesPaginator(client, &securitylake.ListLogSourcesInput{Accounts: []string{s.Account}, Regions: []string{s.Region}})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				unknown(s, err, s.At(sources, ""))
				break
			}
			for _, from := range page.Sources {
				if aws.ToString(from.Account) != s.Account || aws.ToString(from.Region) != s.Region {
					continue
				}
				for _, r := range from.Sources {
					if a, ok := r.(*types.LogSourceResourceMemberAwsLogSource); ok {
						one.taken = append(one.taken, a.Value.SourceName)
					}
				}
			}
		}
		observe(s, one)
	}
}
