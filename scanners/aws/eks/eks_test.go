package eks

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/scope"
)

// groups stands for the reader of CloudWatch Logs.
func groups(err error, names ...string) scope.Service {
	return scope.Service{Name: "groups", Region: func(_ context.Context, s *scope.Scope) {
		all := map[string]scope.Group{}
		for _, n := range names {
			all[n] = scope.Group{Created: awstest.Now.AddDate(0, 0, -12)}
		}
		s.SetGroups(all, err)
	}}
}

// estate answers for clusters by their log setups.
func estate(clusters map[string][]types.LogSetup) awstest.Answer {
	return func(_ string, input any) (any, error) {
		switch in := input.(type) {
		case *eks.ListClustersInput:
			out := &eks.ListClustersOutput{}
			for name := range clusters {
				out.Clusters = append(out.Clusters, name)
			}
			slices.Sort(out.Clusters)
			if len(out.Clusters) > 1 { // in pages of one
				i := slices.Index(out.Clusters, aws.ToString(in.NextToken)) + 1
				if i+1 < len(out.Clusters) {
					out.NextToken = aws.String(out.Clusters[i])
				}
				out.Clusters = out.Clusters[i : i+1]
			}
			return out, nil
		case *eks.DescribeClusterInput:
			setups, ok := clusters[aws.ToString(in.Name)]
			if !ok {
				return nil, awstest.Error("ResourceNotFoundException")
			}
			c := &types.Cluster{Name: in.Name}
			if setups != nil {
				c.Logging = &types.Logging{ClusterLogging: setups}
			}
			return &eks.DescribeClusterOutput{Cluster: c}, nil
		}
		return nil, nil
	}
}

func setup(on bool, kinds ...types.LogType) types.LogSetup {
	return types.LogSetup{Enabled: aws.Bool(on), Types: kinds}
}

const batch = evidence.ID("aws:111122223333/eu-west-1//eks/batch")

func record[R evidence.Record](t *testing.T, set *evidence.Set, id evidence.ID) R {
	t.Helper()
	for _, r := range set.Records {
		if r, ok := r.(R); ok && r.Self().ID == id {
			return r
		}
	}
	t.Fatalf("no record %s in %v", id, set.Records)
	panic("unreachable")
}

func has(t *testing.T, lines []string, want string) {
	t.Helper()
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, want) }) {
		t.Errorf("no line with %q in\n%s", want, strings.Join(lines, "\n"))
	}
}

func TestAuditAmongTheEnabledTypesPasses(t *testing.T) {
	set := awstest.Scan(t, estate(map[string][]types.LogSetup{"batch": {
		setup(true, types.LogTypeApi, types.LogTypeAudit), setup(false, types.LogTypeScheduler),
	}}), nil, Service(), groups(nil, "/aws/eks/batch/cluster"))
	log := record[*evidence.LogSource](t, set, batch+"#kubernetes-api")
	if on, known := log.Enabled.Get(); !known || !on || log.Enabled.At().Call != "eks:DescribeCluster" || log.Enabled.At().Of != "eu-west-1/batch" {
		t.Errorf("enabled: got %v at %+v", on, log.Enabled.At())
	}
	if len(log.To) != 1 || log.To[0].To != "aws:111122223333/eu-west-1//logs//aws/eks/batch/cluster" || !log.To[0].Error.IsZero() {
		t.Errorf("to: got %+v", log.To)
	}
	if since, known := log.Since.Get(); !known || !since.Equal(time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("since: got %v %v", since, known)
	}
	if every, _ := log.Parts[evidence.PartEveryEvent].Get(); every.Grade != evidence.Some {
		t.Errorf("every event: got %+v, want some: best effort", every)
	}
	lines := awstest.Judge(set)
	has(t, lines, `pass recorded-kubernetes-audit aws:111122223333/eu-west-1//eks/batch: EKS cluster "batch" writes an audit log`)
	has(t, lines, "pass recorded-kubernetes-audit-complete aws:111122223333/eu-west-1//eks/batch")
}

func TestAuditThatIsOffFails(t *testing.T) {
	for name, setups := range map[string][]types.LogSetup{
		"nothing is written":              nil,
		"other types alone":               {setup(true, types.LogTypeApi, types.LogTypeAuthenticator)},
		"audit is among those turned off": {setup(true, types.LogTypeApi), setup(false, types.LogTypeAudit)},
		"types that we do not know":       {setup(true, "dataPlane", types.LogTypeApi)},
	} {
		t.Run(name, func(t *testing.T) {
			set := awstest.Scan(t, estate(map[string][]types.LogSetup{"batch": setups}), nil, Service(), groups(nil))
			log := record[*evidence.LogSource](t, set, batch+"#kubernetes-api")
			if on, known := log.Enabled.Get(); !known || on || log.Enabled.At().Note == "" {
				t.Errorf("enabled: got %v %v, want known false with a note", on, known)
			}
			has(t, awstest.Judge(set), `fail recorded-kubernetes-audit aws:111122223333/eu-west-1//eks/batch: EKS cluster "batch" writes no audit log`)
		})
	}
}

func TestAuditInWhicheverSetupPasses(t *testing.T) {
	for name, setups := range map[string][]types.LogSetup{
		"a setup for each type":           {setup(true, types.LogTypeApi), setup(false, types.LogTypeScheduler), setup(true, types.LogTypeAudit)},
		"among types that we do not know": {setup(true, "dataPlane", types.LogTypeAudit), setup(false, "insights")},
		"said twice":                      {setup(true, types.LogTypeAudit), setup(true, types.LogTypeAudit, types.LogTypeApi)},
	} {
		t.Run(name, func(t *testing.T) {
			set := awstest.Scan(t, estate(map[string][]types.LogSetup{"batch": setups}), nil, Service(), groups(nil, "/aws/eks/batch/cluster"))
			has(t, awstest.Judge(set), "pass recorded-kubernetes-audit "+string(batch))
		})
	}
}

func TestAnAnswerThatDoesNotSayWhetherAuditIsOnIsNone(t *testing.T) {
	for name, setups := range map[string][]types.LogSetup{
		"enabled is not said": {{Types: []types.LogType{types.LogTypeAudit}}},
		"on and off":          {setup(true, types.LogTypeAudit), setup(false, types.LogTypeAudit)},
	} {
		t.Run(name, func(t *testing.T) {
			set := awstest.Scan(t, estate(map[string][]types.LogSetup{"batch": setups}), nil, Service(), groups(nil, "/aws/eks/batch/cluster"))
			has(t, awstest.Judge(set), "not-assessed recorded-kubernetes-audit "+string(batch)+": the answer does not say whether the audit log is on")
		})
	}
}

func TestALogGroupThatIsGoneIsADeliveryThatFails(t *testing.T) {
	set := awstest.Scan(t, estate(map[string][]types.LogSetup{"batch": {setup(true, types.LogTypeAudit)}}), nil, Service(), groups(nil))
	log := record[*evidence.LogSource](t, set, batch+"#kubernetes-api")
	if wrong, _ := log.To[0].Error.Get(); wrong != `log group "/aws/eks/batch/cluster" does not exist` {
		t.Errorf("error: got %q", wrong)
	}
	if !log.Since.IsUnknown() || log.Since.IsZero() {
		t.Errorf("since: got %+v, want unknown", log.Since)
	}
	has(t, awstest.Judge(set), "fail arriving-recently "+string(batch))
}

func TestLogGroupsThatCouldNotBeListedSayNothing(t *testing.T) {
	set := awstest.Scan(t, estate(map[string][]types.LogSetup{"batch": {setup(true, types.LogTypeAudit)}}), nil, Service(), groups(awstest.Denied()))
	log := record[*evidence.LogSource](t, set, batch+"#kubernetes-api")
	if log.To[0].Error.Why() != evidence.Denied || log.Since.Why() != evidence.Denied {
		t.Errorf("got error %v, since %v; want denied", log.To[0].Error.Why(), log.Since.Why())
	}
	has(t, awstest.Judge(set), "not-assessed arriving-recently "+string(batch)+"#kubernetes-api: we may not call logs:DescribeLogGroups")
}

func TestEveryPageIsRead(t *testing.T) {
	set := awstest.Scan(t, estate(map[string][]types.LogSetup{"a": nil, "b": nil, "c": nil}), nil, Service(), groups(nil))
	for _, name := range []string{"a", "b", "c"} {
		record[*evidence.Asset](t, set, evidence.ID("aws:111122223333/eu-west-1//eks/"+name))
	}
}

func TestAnAccountWithoutClustersHasNoRecords(t *testing.T) {
	set := awstest.Scan(t, func(string, any) (any, error) { return nil, nil }, nil, Service(), groups(nil))
	if len(set.Records) != 2 || len(set.Gaps) != 0 { // the account and the region
		t.Errorf("got %d records, gaps %v", len(set.Records), set.Gaps)
	}
}

func TestAClusterThatWasDeletedMeanwhileIsNone(t *testing.T) {
	set := awstest.Scan(t, func(_ string, input any) (any, error) {
		if _, ok := input.(*eks.ListClustersInput); ok {
			return &eks.ListClustersOutput{Clusters: []string{"gone"}}, nil
		}
		return nil, awstest.Error("ResourceNotFoundException")
	}, nil, Service(), groups(nil))
	if len(set.Records) != 2 || len(set.Gaps) != 0 {
		t.Errorf("got %d records, gaps %v", len(set.Records), set.Gaps)
	}
}

func TestAClusterThatIsBeingDeletedIsNone(t *testing.T) {
	set := awstest.Scan(t, func(region string, input any) (any, error) {
		if in, ok := input.(*eks.DescribeClusterInput); ok {
			return &eks.DescribeClusterOutput{Cluster: &types.Cluster{Name: in.Name, Status: types.ClusterStatusDeleting}}, nil
		}
		return estate(map[string][]types.LogSetup{"batch": nil})(region, input)
	}, nil, Service())
	if len(set.Records) != 2 || len(set.Gaps) != 0 {
		t.Errorf("it wrote %v, %v", set.Records, set.Gaps)
	}
}

func TestWhatIsDeniedIsNotAssessed(t *testing.T) {
	whole := estate(map[string][]types.LogSetup{"batch": {setup(true, types.LogTypeAudit)}, "other": nil})
	t.Run("the list", func(t *testing.T) {
		set := awstest.Scan(t, func(r string, input any) (any, error) {
			if _, ok := input.(*eks.ListClustersInput); ok {
				return nil, awstest.Denied()
			}
			return whole(r, input)
		}, nil, Service(), groups(nil))
		if len(set.Gaps) != 1 || set.Gaps[0].Why != evidence.Denied || set.Gaps[0].At.Call != "eks:ListClusters" {
			t.Errorf("gaps: got %+v", set.Gaps)
		}
		has(t, awstest.Judge(set), "not-assessed recorded-kubernetes-audit aws:111122223333/eu-west-1//unseen/EKS-clusters: we may not call eks:ListClusters")
	})
	t.Run("a later page", func(t *testing.T) {
		set := awstest.Scan(t, func(r string, input any) (any, error) {
			if in, ok := input.(*eks.ListClustersInput); ok && in.NextToken != nil {
				return nil, errors.New("connection reset")
			}
			return whole(r, input)
		}, nil, Service(), groups(nil, "/aws/eks/batch/cluster"))
		record[*evidence.Asset](t, set, batch)
		if len(set.Gaps) != 1 || set.Gaps[0].Why != evidence.Failed {
			t.Errorf("gaps: got %+v", set.Gaps)
		}
	})
	t.Run("a cluster", func(t *testing.T) {
		set := awstest.Scan(t, func(r string, input any) (any, error) {
			if in, ok := input.(*eks.DescribeClusterInput); ok && aws.ToString(in.Name) == "batch" {
				return nil, awstest.Denied()
			}
			return whole(r, input)
		}, nil, Service(), groups(nil))
		if c := record[*evidence.Asset](t, set, batch); c.Looked[evidence.KubernetesAPI].Why() != evidence.Denied {
			t.Errorf("looked: got %+v", c.Looked)
		}
		lines := awstest.Judge(set)
		has(t, lines, "not-assessed recorded-kubernetes-audit "+string(batch)+": we may not call eks:DescribeCluster")
		has(t, lines, "fail recorded-kubernetes-audit aws:111122223333/eu-west-1//eks/other")
	})
	t.Run("an empty answer", func(t *testing.T) {
		set := awstest.Scan(t, func(r string, input any) (any, error) {
			if _, ok := input.(*eks.DescribeClusterInput); ok {
				return &eks.DescribeClusterOutput{}, nil
			}
			return whole(r, input)
		}, nil, Service(), groups(nil))
		lines := awstest.Judge(set)
		has(t, lines, "not-assessed recorded-kubernetes-audit "+string(batch))
		has(t, lines, "not-assessed retained-long-enough aws:111122223333/eu-west-1//unseen/audit-log-of-EKS-cluster-batch") // what stands for its log
	})
}
