package opensearch

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/opensearch"
	"github.com/aws/aws-sdk-go-v2/service/opensearch/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/awstest/sourcetest"
)

var names = []string{"audited", "b", "c", "d", "gone", "slow"}

func estate(_ string, input any) (any, error) {
	switch in := input.(type) {
	case *opensearch.ListDomainNamesInput:
		out := &opensearch.ListDomainNamesOutput{}
		for _, n := range names {
			out.DomainNames = append(out.DomainNames, types.DomainInfo{DomainName: aws.String(n)})
		}
		return out, nil
	case *opensearch.DescribeDomainsInput:
		if len(in.DomainNames) > 5 {
			return nil, awstest.Error("ValidationException")
		}
		out := &opensearch.DescribeDomainsOutput{}
		for _, n := range in.DomainNames {
			d := types.DomainStatus{DomainName: aws.String(n), Deleted: aws.Bool(n == "gone")}
			on := types.LogPublishingOption{Enabled: aws.Bool(true), CloudWatchLogsLogGroupArn: aws.String("arn:aws:logs:eu-west-1:111122223333:log-group:audit")}
			switch n {
			case "audited":
				d.LogPublishingOptions = map[string]types.LogPublishingOption{"AUDIT_LOGS": on}
			case "slow":
				d.LogPublishingOptions = map[string]types.LogPublishingOption{"SEARCH_SLOW_LOGS": on}
			}
			out.DomainStatusList = append(out.DomainStatusList, d)
		}
		slices.Reverse(out.DomainStatusList)
		return out, nil
	}
	return nil, nil
}

func TestAPublishedAuditLogMayStillBeOffInside(t *testing.T) {
	set := awstest.Scan(t, estate, nil, Service(), sourcetest.Groups())
	const at = "#database: off (es:DescribeDomains eu-west-1/"
	sourcetest.Want(t, "sources", sourcetest.Sources(set),
		"opensearch/audited#database: elsewhere (es:DescribeDomains eu-west-1/audited, it is published, but whether it is written is set inside, in OpenSearch Dashboards) -> logs/audit (the log group does not exist)",
		"opensearch/b"+at+"b)", "opensearch/c"+at+"c)", "opensearch/d"+at+"d)", "opensearch/slow"+at+"slow)",
	)
	if d := sourcetest.Record[*evidence.Asset](t, set, "opensearch/slow"); d.Kind != "OpenSearch domain" || !d.Lasting {
		t.Errorf("the asset is %+v", d)
	}
	if !slices.Contains(awstest.Judge(set), `fail recorded-database aws:111122223333/eu-west-1//opensearch/slow: database "slow" does not write its audit log`) {
		t.Errorf("judged: %q", awstest.Judge(set))
	}
}

func TestARefusedCallLeavesTheQuestionOpen(t *testing.T) {
	set := awstest.Scan(t, func(region string, input any) (any, error) {
		if _, ok := input.(*opensearch.DescribeDomainsInput); ok {
			return nil, awstest.Denied()
		}
		return estate(region, input)
	}, nil, Service())
	var want []string
	for _, n := range names {
		want = append(want, "opensearch/"+n+"#database: denied (es:DescribeDomains eu-west-1/"+n+")")
	}
	const unseen = "unseen/es:DescribeDomains"
	want = append(want, unseen+"#database: denied (es:DescribeDomains eu-west-1) -> "+unseen+"; perhaps elsewhere: denied")
	sourcetest.Want(t, "sources", sourcetest.Sources(set), want...)
	set = awstest.Scan(t, func(region string, input any) (any, error) {
		if _, ok := input.(*opensearch.ListDomainNamesInput); ok {
			return nil, awstest.Denied()
		}
		return estate(region, input)
	}, nil, Service())
	sourcetest.Want(t, "domains refused", sourcetest.Sources(set),
		"unseen/OpenSearch-domains#database: denied (es:ListDomainNames eu-west-1) -> unseen/OpenSearch-domains/records; perhaps elsewhere: denied",
	)
	sourcetest.Want(t, "gaps", sourcetest.Gaps(set), "aws:111122223333/eu-west-1//region: OpenSearch domains: denied")
	sourcetest.DenyEach(t, estate, Service())
}

func TestAnEmptyAccountHasNoDomains(t *testing.T) {
	set := awstest.Scan(t, func(string, any) (any, error) { return nil, nil }, nil, Service())
	if len(set.Records) != 2 || len(set.Gaps) != 0 {
		t.Errorf("it wrote %v, %v", set.Records, set.Gaps)
	}
}
