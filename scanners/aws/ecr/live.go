// Package ecr reads the repositories of Elastic Container Registry: whether they still have the image that ran. Pushes and
// pulls are management events of CloudTrail, whose reader says whether those are recorded.
package ecr

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// Service reads the repositories of a region.
func Service() scope.Service {
	return scope.Service{
		Name: "ecr",
		Calls: []scope.Call{
			{Service: ecr.ServiceID, Op: "DescribeRepositories", Action: "ecr:DescribeRepositories", Per: "region", Fills: "Access.Exact"},
			{
				Service: ecr.ServiceID, Op: "GetLifecyclePolicy", Action: "ecr:GetLifecyclePolicy", Per: "ECR repository",
				Fills: "Access.Guarded", Perhaps: "where there are ECR repositories",
			},
		},
		Region: read,
	}
}

func read(ctx context.Context, s *scope.Scope) {
	client := ecr.NewFromConfig(s.Config)
	var found []types.Repository
	pages := ecr.NewDescribeRepositoriesPaginator(client, &ecr.DescribeRepositoriesInput{MaxResults: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			s.Blind("ECR repositories", err, s.At("ecr:DescribeRepositories", ""), scope.Unseen{Means: []evidence.Means{evidence.MeansImage}})
			break
		}
		found = append(found, page.Repositories...)
	}
	s.Each(len(found), func(i int) {
		r := repository{
			name: aws.ToString(found[i].RepositoryName),
			tags: found[i].ImageTagMutability,
		}
		r.at = s.At("ecr:DescribeRepositories", r.name)
		at := s.At("ecr:GetLifecyclePolicy", r.name)
		out, err := client.GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{RepositoryName: found[i].RepositoryName, RegistryId: found[i].RegistryId})
		switch {
		case scope.Is(err, "RepositoryNotFoundException"):
			return // it was deleted since it was listed
		case scope.Is(err, "LifecyclePolicyNotFoundException"):
			r.rules = evidence.Known([]rule(nil), at.WithNote("it has no lifecycle policy"))
		case err != nil:
			r.rules = scope.Unknown[[]rule](err, at)
		default:
			r.rules = readRules(aws.ToString(out.LifecyclePolicyText), at)
		}
		observe(s, r)
	})
}
