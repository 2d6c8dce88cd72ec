package firewall

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/networkfirewall"
	"github.com/aws/aws-sdk-go-v2/service/networkfirewall/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/awstest/sourcetest"
)

func log(kind types.LogType, to types.LogDestinationType, where map[string]string) types.LogDestinationConfig {
	return types.LogDestinationConfig{LogType: kind, LogDestinationType: to, LogDestination: where}
}

var firewalls = map[string]*types.LoggingConfiguration{
	"never": nil,
	"off":   {},
	"alert": {LogDestinationConfigs: []types.LogDestinationConfig{log(types.LogTypeAlert, types.LogDestinationTypeCloudwatchLogs, map[string]string{"logGroup": "alerts"})}},
	"full": {LogDestinationConfigs: []types.LogDestinationConfig{
		log(types.LogTypeAlert, types.LogDestinationTypeKinesisDataFirehose, map[string]string{"deliveryStream": "alerts"}),
		log(types.LogTypeFlow, types.LogDestinationTypeS3, map[string]string{"bucketName": "flows", "prefix": "fw"}),
	}},
}

func estate(_ string, input any) (any, error) {
	switch in := input.(type) {
	case *networkfirewall.ListFirewallsInput: // in pages of two
		names, next := []string{"alert", "full"}, aws.String("more")
		if in.NextToken != nil {
			names, next = []string{"never", "off"}, nil
		}
		out := &networkfirewall.ListFirewallsOutput{NextToken: next}
		for _, n := range names {
			out.Firewalls = append(out.Firewalls, types.FirewallMetadata{FirewallName: aws.String(n), FirewallArn: aws.String("arn:" + n)})
		}
		return out, nil
	case *networkfirewall.DescribeLoggingConfigurationInput:
		return &networkfirewall.DescribeLoggingConfigurationOutput{LoggingConfiguration: firewalls[strings.TrimPrefix(*in.FirewallArn, "arn:")]}, nil
	}
	return nil, nil
}

func TestEachTypeOfLogHoldsAPartOfTheTraffic(t *testing.T) {
	set := awstest.Scan(t, estate, nil, Service(), sourcetest.Groups("other"))
	const at = " (network-firewall:DescribeLoggingConfiguration eu-west-1/"
	const alerts = "; every-event some: alerts alone: what a rule drops, rejects or alerts on"
	sourcetest.Want(t, "sources", sourcetest.Sources(set),
		"firewall/alert/alert#edge: on"+at+"alert) -> logs/alerts (the log group does not exist)"+alerts,
		"firewall/full/alert#edge: on"+at+"full) -> firehose/alerts"+alerts,
		"firewall/full/flow#edge: on"+at+"full) -> s3/flows/fw/AWSLogs/111122223333/network-firewall/flow/eu-west-1/full; every-event some: only what is forwarded to the stateful engine",
		"firewall/never#edge: off"+at+"never, AWS default)",
		"firewall/off#edge: off"+at+"off)",
	)
	sourcetest.Want(t, "verdicts", sourcetest.Edge(set),
		`fail firewall/alert: alert log "alert" records only a part of what comes through network firewall "alert": alerts alone: what a rule drops, rejects or alerts on`,
		`pass firewall/full: flow log "full" records what comes through network firewall "full"`,
		`fail firewall/never: network firewall "never" does not record what comes through it`,
		`fail firewall/off: network firewall "off" does not record what comes through it`,
	)
	if full := sourcetest.Record[*evidence.Asset](t, set, "firewall/full"); full.Kind != "network firewall" || !full.Lasting {
		t.Errorf("the asset is %+v", full)
	}
}

func TestARefusedCallLeavesTheQuestionOpen(t *testing.T) {
	set := awstest.Scan(t, func(region string, input any) (any, error) {
		if _, ok := input.(*networkfirewall.DescribeLoggingConfigurationInput); ok {
			return nil, awstest.Denied()
		}
		if in, ok := input.(*networkfirewall.ListFirewallsInput); ok && in.NextToken != nil {
			return nil, awstest.Denied()
		}
		return estate(region, input)
	}, nil, Service())
	const denied = "#edge: denied (network-firewall:DescribeLoggingConfiguration eu-west-1/"
	sourcetest.Want(t, "sources", sourcetest.Sources(set),
		"firewall/alert"+denied+"alert)",
		"firewall/full"+denied+"full)",
		"unseen/network-firewall:DescribeLoggingConfiguration#edge: denied (network-firewall:DescribeLoggingConfiguration eu-west-1) -> unseen/network-firewall:DescribeLoggingConfiguration; perhaps elsewhere: denied",
		"unseen/network-firewalls#edge: denied (network-firewall:ListFirewalls eu-west-1) -> unseen/network-firewalls/records; perhaps elsewhere: denied",
	)
	sourcetest.Want(t, "gaps", sourcetest.Gaps(set), "aws:111122223333/eu-west-1//region: network firewalls: denied")
	sourcetest.DenyEach(t, estate, Service())
}

func TestAFirewallThatIsGoneMeanwhileIsNotThere(t *testing.T) {
	set := awstest.Scan(t, func(region string, input any) (any, error) {
		if _, ok := input.(*networkfirewall.DescribeLoggingConfigurationInput); ok {
			return nil, awstest.Error("ResourceNotFoundException")
		}
		return estate(region, input)
	}, nil, Service())
	if len(set.Records) != 2 || len(set.Gaps) != 0 {
		t.Errorf("it wrote %v, %v", set.Records, set.Gaps)
	}
}

func TestAnEmptyAccountHasNoFirewalls(t *testing.T) {
	set := awstest.Scan(t, func(string, any) (any, error) { return nil, nil }, nil, Service())
	if len(set.Records) != 2 || len(set.Gaps) != 0 {
		t.Errorf("it wrote %v, %v", set.Records, set.Gaps)
	}
}
