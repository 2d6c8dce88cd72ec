package ecr

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
)

const none = "" // no lifecycle policy

// estate is a registry of one repository, "shop".
func estate(tags types.ImageTagMutability, policy string) awstest.Answer {
	return func(_ string, input any) (any, error) {
		switch input.(type) {
		case *ecr.DescribeRepositoriesInput:
			return &ecr.DescribeRepositoriesOutput{Repositories: []types.Repository{{
				RepositoryName: aws.String("shop"), RegistryId: aws.String(awstest.Account), ImageTagMutability: tags,
			}}}, nil
		case *ecr.GetLifecyclePolicyInput:
			if policy == none {
				return nil, awstest.Error("LifecyclePolicyNotFoundException")
			}
			return &ecr.GetLifecyclePolicyOutput{LifecyclePolicyText: aws.String(policy)}, nil
		}
		return nil, nil
	}
}

func access(t *testing.T, set *evidence.Set) *evidence.Access {
	t.Helper()
	for _, r := range set.Records {
		if a, ok := r.(*evidence.Access); ok {
			return a
		}
	}
	t.Fatal("no access is recorded")
	panic("unreachable")
}

// say writes a fact as "true", "false" or its reason, with its note.
func say(v evidence.Value[bool]) string {
	out := v.Why().String()
	if is, known := v.Get(); known && is {
		out = "true"
	} else if known {
		out = "false"
	}
	if v.At().Note != "" {
		out += ": " + v.At().Note
	}
	return out
}

func TestARuleThatExpiresWhatRanIsNamed(t *testing.T) {
	rule := func(selection, action string) string {
		return `{"rules":[{"rulePriority":1,"selection":{` + selection + `},"action":{` + action + `}}]}`
	}
	expire := `"type":"expire"`
	for name, c := range map[string]struct {
		tags   types.ImageTagMutability
		policy string
		want   string
	}{
		"no policy": {types.ImageTagMutabilityMutable, none, "true: it has no lifecycle policy"},
		"no rules":  {types.ImageTagMutabilityMutable, `{"rules":[]}`, "true"},
		"untagged by age": {
			types.ImageTagMutabilityMutable,
			rule(`"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":14`, expire),
			"false: untagged images expire after 14 days",
		},
		"untagged where tags cannot move": {
			types.ImageTagMutabilityImmutable,
			rule(`"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":1`, expire),
			"true: only untagged images expire, and tags cannot move",
		},
		"untagged where some tags can move": {
			types.ImageTagMutabilityImmutableWithExclusion,
			rule(`"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":1`, expire),
			"false: untagged images expire after 1 day",
		},
		"any by count": {
			types.ImageTagMutabilityImmutable,
			rule(`"tagStatus":"any","countType":"imageCountMoreThan","countNumber":30`, expire),
			"false: images expire once there are more than 30",
		},
		"any since it was pulled": {
			types.ImageTagMutabilityImmutable,
			rule(`"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days","countNumber":90`, expire),
			"false: images expire 90 days after they were last pulled",
		},
		"some tags": {
			types.ImageTagMutabilityMutable,
			rule(`"tagStatus":"tagged","tagPatternList":["dev*"],"countType":"sinceImagePushed","countUnit":"days","countNumber":14`, expire),
			`elsewhere: images tagged "dev*" expire after 14 days; whether what ran has such a tag is not known`,
		},
		"a prefix of tags": {
			types.ImageTagMutabilityMutable,
			rule(`"tagStatus":"tagged","tagPrefixList":["v"],"countType":"imageCountMoreThan","countNumber":5`, expire),
			`elsewhere: images tagged "v*" expire once there are more than 5; whether what ran has such a tag is not known`,
		},
		"every tag": {
			types.ImageTagMutabilityMutable,
			rule(`"tagStatus":"tagged","tagPatternList":["*"],"countType":"imageCountMoreThan","countNumber":5`, expire),
			`false: images tagged "*" expire once there are more than 5`,
		},
		"to the archive": {
			types.ImageTagMutabilityMutable,
			rule(`"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days","countNumber":90`, `"type":"transition","targetStorageClass":"archive"`),
			"true",
		},
		"out of the archive": {
			types.ImageTagMutabilityMutable,
			rule(`"tagStatus":"any","storageClass":"archive","countType":"sinceImageTransitioned","countUnit":"days","countNumber":365`, expire),
			"false: archived images expire 365 days after they were archived",
		},
		"some tags, then any": {
			types.ImageTagMutabilityMutable,
			`{"rules":[{"selection":{"tagStatus":"tagged","tagPrefixList":["v"],"countType":"imageCountMoreThan","countNumber":5},"action":{"type":"expire"}},
			{"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":100},"action":{"type":"expire"}}]}`,
			"false: images expire once there are more than 100",
		},
		"a condition that is new": {
			types.ImageTagMutabilityMutable,
			rule(`"tagStatus":"any","countType":"sinceTheFlood","countNumber":1`, expire),
			"unfamiliar: a rule of its lifecycle policy is not one that we know",
		},
		"an action that is new": {
			types.ImageTagMutabilityMutable,
			rule(`"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1`, `"type":"hide"`),
			"unfamiliar: a rule of its lifecycle policy is not one that we know",
		},
		"not JSON": {types.ImageTagMutabilityMutable, `{"rules":`, "failed: its lifecycle policy could not be read"},
	} {
		t.Run(name, func(t *testing.T) {
			a := access(t, awstest.Scan(t, estate(c.tags, c.policy), nil, Service()))
			if got := say(a.Guarded); got != c.want {
				t.Errorf("guarded:\n got %s\nwant %s", got, c.want)
			}
			if a.Of != "aws:111122223333/eu-west-1//ecr/shop" || a.Means != evidence.MeansImage {
				t.Errorf("got %+v", a)
			}
			if at := a.Guarded.At(); at.Call != "ecr:GetLifecyclePolicy" || at.Of != "eu-west-1/shop" {
				t.Errorf("at: got %+v", at)
			}
		})
	}
}

func TestATagThatCannotMoveIsExact(t *testing.T) {
	for tags, want := range map[types.ImageTagMutability]string{
		types.ImageTagMutabilityImmutable:              "true: its tags cannot move",
		types.ImageTagMutabilityMutable:                "false: its tags can move",
		types.ImageTagMutabilityMutableWithExclusion:   "false: some of its tags can move",
		types.ImageTagMutabilityImmutableWithExclusion: "false: some of its tags can move",
		"": `unfamiliar: whether its tags can move is ""`,
	} {
		if got := say(access(t, awstest.Scan(t, estate(tags, none), nil, Service())).Exact); got != want {
			t.Errorf("%s: got %s, want %s", tags, got, want)
		}
	}
}

func TestEveryPageOfRepositoriesIsRead(t *testing.T) {
	set := awstest.Scan(t, func(r string, input any) (any, error) {
		in, ok := input.(*ecr.DescribeRepositoriesInput)
		if !ok {
			return estate("", none)(r, input)
		}
		if in.NextToken == nil {
			return &ecr.DescribeRepositoriesOutput{Repositories: []types.Repository{{RepositoryName: aws.String("a")}}, NextToken: aws.String("2")}, nil
		}
		return &ecr.DescribeRepositoriesOutput{Repositories: []types.Repository{{RepositoryName: aws.String("b/c")}}}, nil
	}, nil, Service())
	var names []string
	for _, r := range set.Records {
		if a, ok := r.(*evidence.Asset); ok && a.Kind == "ECR repository" {
			names = append(names, string(a.ID))
		}
	}
	if want := []string{"aws:111122223333/eu-west-1//ecr/a", "aws:111122223333/eu-west-1//ecr/b/c"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

func TestWhatIsDeniedIsUnknown(t *testing.T) {
	whole := estate(types.ImageTagMutabilityMutable, none)
	t.Run("the list", func(t *testing.T) {
		set := awstest.Scan(t, func(r string, input any) (any, error) {
			if _, ok := input.(*ecr.DescribeRepositoriesInput); ok {
				return nil, awstest.Denied()
			}
			return whole(r, input)
		}, nil, Service())
		if len(set.Gaps) != 1 || set.Gaps[0].Why != evidence.Denied || set.Gaps[0].At.Call != "ecr:DescribeRepositories" {
			t.Errorf("gaps: got %+v", set.Gaps)
		}
	})
	t.Run("a policy", func(t *testing.T) {
		set := awstest.Scan(t, func(r string, input any) (any, error) {
			if _, ok := input.(*ecr.GetLifecyclePolicyInput); ok {
				return nil, awstest.Denied()
			}
			return whole(r, input)
		}, nil, Service())
		if got := say(access(t, set).Guarded); got != "denied" {
			t.Errorf("guarded: got %s", got)
		}
	})
	t.Run("a repository that was deleted meanwhile", func(t *testing.T) {
		set := awstest.Scan(t, func(r string, input any) (any, error) {
			if _, ok := input.(*ecr.GetLifecyclePolicyInput); ok {
				return nil, awstest.Error("RepositoryNotFoundException")
			}
			return whole(r, input)
		}, nil, Service())
		if len(set.Records) != 2 || len(set.Gaps) != 0 { // the account and the region
			t.Errorf("got %d records, gaps %v", len(set.Records), set.Gaps)
		}
	})
}
