package elb

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	classic "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	classictypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/awstest/sourcetest"
	"lookback/scanners/aws/scope"
	"lookback/scanners/aws/vended"
)

const arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/"

// estate has a load balancer of each kind. Attributes and listeners are by name.
type estate struct {
	kinds      map[string]types.LoadBalancerTypeEnum
	attributes map[string]map[string]string
	listeners  map[string][]types.ProtocolEnum
	classic    map[string]*classictypes.AccessLog
	order      []string
	delivered  map[string]string // type of log and name, to the ARN of what takes it
}

func (e estate) answer(_ string, input any) (any, error) {
	switch in := input.(type) {
	case *elbv2.DescribeLoadBalancersInput: // in pages of one
		out := &elbv2.DescribeLoadBalancersOutput{}
		for i, name := range e.order {
			if aws.ToString(in.Marker) != "" && *in.Marker != name || in.Marker == nil && i > 0 {
				continue
			}
			out.LoadBalancers = []types.LoadBalancer{{LoadBalancerName: aws.String(name), LoadBalancerArn: aws.String(arn + name), Type: e.kinds[name]}}
			if i+1 < len(e.order) {
				out.NextMarker = aws.String(e.order[i+1])
			}
		}
		return out, nil
	case *elbv2.DescribeLoadBalancerAttributesInput:
		out := &elbv2.DescribeLoadBalancerAttributesOutput{Attributes: []types.LoadBalancerAttribute{{Key: aws.String("deletion_protection.enabled"), Value: aws.String("false")}}}
		for k, v := range e.attributes[(*in.LoadBalancerArn)[len(arn):]] {
			out.Attributes = append(out.Attributes, types.LoadBalancerAttribute{Key: aws.String(k), Value: aws.String(v)})
		}
		return out, nil
	case *elbv2.DescribeListenersInput:
		out := &elbv2.DescribeListenersOutput{}
		for _, p := range e.listeners[(*in.LoadBalancerArn)[len(arn):]] {
			out.Listeners = append(out.Listeners, types.Listener{Protocol: p})
		}
		return out, nil
	case *classic.DescribeLoadBalancersInput:
		out := &classic.DescribeLoadBalancersOutput{}
		for name := range e.classic {
			out.LoadBalancerDescriptions = append(out.LoadBalancerDescriptions, classictypes.LoadBalancerDescription{LoadBalancerName: aws.String(name)})
		}
		return out, nil
	case *classic.DescribeLoadBalancerAttributesInput:
		return &classic.DescribeLoadBalancerAttributesOutput{LoadBalancerAttributes: &classictypes.LoadBalancerAttributes{AccessLog: e.classic[*in.LoadBalancerName]}}, nil
	case *cloudwatchlogs.DescribeDeliverySourcesInput:
		out := &cloudwatchlogs.DescribeDeliverySourcesOutput{}
		for key := range e.delivered {
			kind, name := key[:15], key[16:]
			out.DeliverySources = append(out.DeliverySources, logtypes.DeliverySource{Name: aws.String(key), LogType: aws.String(kind), ResourceArns: []string{arn + name}})
		}
		return out, nil
	case *cloudwatchlogs.DescribeDeliveriesInput:
		out := &cloudwatchlogs.DescribeDeliveriesOutput{}
		for key, to := range e.delivered {
			if to != "" {
				out.Deliveries = append(out.Deliveries, logtypes.Delivery{
					Id: aws.String("d1"), DeliverySourceName: aws.String(key), DeliveryDestinationArn: aws.String("arn:aws:logs:eu-west-1:111122223333:delivery-destination:d"),
				})
			}
		}
		return out, nil
	case *cloudwatchlogs.DescribeDeliveryDestinationsInput:
		out := &cloudwatchlogs.DescribeDeliveryDestinationsOutput{}
		for _, to := range e.delivered {
			out.DeliveryDestinations = append(out.DeliveryDestinations, logtypes.DeliveryDestination{
				Arn:                              aws.String("arn:aws:logs:eu-west-1:111122223333:delivery-destination:d"),
				DeliveryDestinationConfiguration: &logtypes.DeliveryDestinationConfiguration{DestinationResourceArn: aws.String(to)},
			})
		}
		return out, nil
	}
	return nil, nil
}

var logged = map[string]string{"access_logs.s3.enabled": "true", "access_logs.s3.bucket": "logs", "access_logs.s3.prefix": "/web/"}

func all() estate {
	return estate{
		order: []string{"gate", "mix", "plain", "tcp", "web"},
		kinds: map[string]types.LoadBalancerTypeEnum{
			"gate": types.LoadBalancerTypeEnumGateway, "mix": types.LoadBalancerTypeEnumNetwork, "plain": types.LoadBalancerTypeEnumApplication,
			"tcp": types.LoadBalancerTypeEnumNetwork, "web": types.LoadBalancerTypeEnumApplication,
		},
		attributes: map[string]map[string]string{"web": logged, "mix": logged, "tcp": logged},
		listeners: map[string][]types.ProtocolEnum{
			"mix": {types.ProtocolEnumTls, types.ProtocolEnumTcp}, "tcp": {types.ProtocolEnumTcp},
		},
		classic: map[string]*classictypes.AccessLog{"old": {Enabled: true, S3BucketName: aws.String("logs")}},
	}
}

// deliveries stands for the reader of CloudFront, which declares the calls for them.
func deliveries() scope.Service { return vended.Service() }

func scan(t *testing.T, answer awstest.Answer, more ...scope.Service) *evidence.Set {
	t.Helper()
	return awstest.Scan(t, answer, nil, append(more, Service(), deliveries())...)
}

func TestEachKindOfLoadBalancerLogsInItsOwnWay(t *testing.T) {
	set := scan(t, all().answer)
	sourcetest.Want(t, "sources", sourcetest.Sources(set),
		"elb-classic/old#edge: on (elasticloadbalancing:DescribeLoadBalancerAttributes eu-west-1/old) -> s3/logs/AWSLogs/111122223333/elasticloadbalancing/eu-west-1; every-event some: AWS delivers them as best effort",
		"elb/mix#edge: on (elasticloadbalancing:DescribeLoadBalancerAttributes eu-west-1/mix) -> s3/logs/web/AWSLogs/111122223333/elasticloadbalancing/eu-west-1; every-event some: its TLS listeners alone; AWS delivers them as best effort",
		"elb/plain#edge: off (elasticloadbalancing:DescribeLoadBalancerAttributes eu-west-1/plain, AWS default); every-event some: AWS delivers them as best effort",
		"elb/web#edge: on (elasticloadbalancing:DescribeLoadBalancerAttributes eu-west-1/web) -> s3/logs/web/AWSLogs/111122223333/elasticloadbalancing/eu-west-1; every-event some: AWS delivers them as best effort",
	)
	sourcetest.Want(t, "gaps", sourcetest.Gaps(set))
	web := sourcetest.Record[*evidence.Asset](t, set, "elb/web")
	if web.Kind != "application load balancer" || web.Name != "web" || !web.Lasting {
		t.Errorf("the asset is %+v", web)
	}
}

func TestANetworkLoadBalancerWithoutTLSHasNoLogAndIsNotAsked(t *testing.T) {
	e := all()
	e.order = []string{"tcp"}
	e.classic = nil
	if set := scan(t, e.answer); len(set.Records) != 2 { // the account and the region
		t.Errorf("it wrote %d records", len(set.Records))
	}
}

func TestALoadBalancerThatIsGoneMeanwhileIsNotThere(t *testing.T) {
	e := all()
	set := scan(t, func(region string, input any) (any, error) {
		switch input.(type) {
		case *elbv2.DescribeLoadBalancerAttributesInput, *elbv2.DescribeListenersInput, *classic.DescribeLoadBalancerAttributesInput:
			return nil, awstest.Error("LoadBalancerNotFound")
		}
		return e.answer(region, input)
	})
	sourcetest.Want(t, "sources", sourcetest.Sources(set))
	if len(set.Records) != 2 { // the account and the region
		t.Errorf("it wrote %d records", len(set.Records))
	}
	set = scan(t, func(region string, input any) (any, error) {
		if _, ok := input.(*elbv2.DescribeListenersInput); ok { // a network load balancer that went a moment later
			return nil, awstest.Error("LoadBalancerNotFound")
		}
		return e.answer(region, input)
	})
	if len(sourcetest.Sources(set)) != 3 { // old, plain and web
		t.Errorf("got %v", sourcetest.Sources(set))
	}
}

func TestALogDeliveredByCloudWatchLogsCountsToo(t *testing.T) {
	e := all()
	e.order, e.classic = []string{"plain"}, nil
	e.delivered = map[string]string{"ALB_ACCESS_LOGS:plain": "arn:aws:logs:eu-west-1:111122223333:log-group:edge:*"}
	sourcetest.Want(t, "sources", sourcetest.Sources(scan(t, e.answer, sourcetest.Groups("edge"))),
		"elb/plain#edge: on (logs:DescribeDeliveries eu-west-1/d1) -> logs/edge; every-event some: AWS delivers them as best effort",
	)
	sourcetest.Want(t, "a group that is gone", sourcetest.Sources(scan(t, e.answer, sourcetest.Groups())),
		"elb/plain#edge: on (logs:DescribeDeliveries eu-west-1/d1) -> logs/edge (the log group does not exist); every-event some: AWS delivers them as best effort",
	)
	e.delivered = map[string]string{"ALB_ACCESS_LOGS:plain": ""}
	sourcetest.Want(t, "a source without a delivery", sourcetest.Sources(scan(t, e.answer)),
		"elb/plain#edge: off (elasticloadbalancing:DescribeLoadBalancerAttributes eu-west-1/plain, AWS default); every-event some: AWS delivers them as best effort",
	)
}

func TestWithoutTheListOfDeliveriesNobodyKnowsThatALogIsOff(t *testing.T) {
	e := all()
	e.order, e.classic = []string{"plain", "web"}, nil
	set := scan(t, func(region string, input any) (any, error) {
		if _, ok := input.(*cloudwatchlogs.DescribeDeliverySourcesInput); ok {
			return nil, awstest.Denied()
		}
		return e.answer(region, input)
	})
	sourcetest.Want(t, "sources", sourcetest.Sources(set),
		"elb/plain#edge: denied (logs:DescribeDeliverySources eu-west-1); every-event some: AWS delivers them as best effort; perhaps elsewhere: denied",
		"elb/plain/connections#edge: denied (logs:DescribeDeliverySources eu-west-1); every-event some: connections alone, not the requests; AWS delivers them as best effort; perhaps elsewhere: denied",
		"elb/web#edge: on (elasticloadbalancing:DescribeLoadBalancerAttributes eu-west-1/web) -> s3/logs/web/AWSLogs/111122223333/elasticloadbalancing/eu-west-1; every-event some: AWS delivers them as best effort; perhaps elsewhere: denied",
		"elb/web/connections#edge: denied (logs:DescribeDeliverySources eu-west-1); every-event some: connections alone, not the requests; AWS delivers them as best effort; perhaps elsewhere: denied",
		"unseen/logs:DescribeDeliverySources#edge: denied (logs:DescribeDeliverySources eu-west-1) -> unseen/logs:DescribeDeliverySources; perhaps elsewhere: denied",
	)
	sourcetest.Want(t, "gaps", sourcetest.Gaps(set), "aws:111122223333/eu-west-1//region: deliveries of logs by CloudWatch Logs: denied")
}

func TestAConnectionLogStandsBesideTheAccessLog(t *testing.T) {
	e := all()
	e.order, e.classic = []string{"plain"}, nil
	e.attributes["plain"] = map[string]string{"connection_logs.s3.enabled": "true", "connection_logs.s3.bucket": "conns"}
	sourcetest.Want(t, "sources", sourcetest.Sources(scan(t, e.answer)),
		"elb/plain#edge: off (elasticloadbalancing:DescribeLoadBalancerAttributes eu-west-1/plain, AWS default); every-event some: AWS delivers them as best effort",
		"elb/plain/connections#edge: on (elasticloadbalancing:DescribeLoadBalancerAttributes eu-west-1/plain) -> s3/conns/AWSLogs/111122223333/elasticloadbalancing/eu-west-1; every-event some: connections alone, not the requests; AWS delivers them as best effort",
	)
}

func TestOnlyALogOfRequestsRecordsWhatComesThrough(t *testing.T) {
	e := all()
	e.order = append(e.order, "met")
	e.kinds["met"] = types.LoadBalancerTypeEnumApplication
	e.attributes["met"] = map[string]string{"connection_logs.s3.enabled": "true", "connection_logs.s3.bucket": "conns"}
	sourcetest.Want(t, "verdicts", sourcetest.Edge(scan(t, e.answer)),
		`pass elb-classic/old: access log "old" records what comes through classic load balancer "old"`,
		`fail elb/met: connection log "met" records only a part of what comes through application load balancer "met": connections alone, not the requests`,
		`pass elb/mix: access log "mix" records what comes through network load balancer "mix"`,
		`fail elb/plain: application load balancer "plain" does not record what comes through it`,
		`pass elb/web: access log "web" records what comes through application load balancer "web"`,
	)
}

func TestWhatOnePageSaidStandsWhenTheNextFails(t *testing.T) {
	e := all()
	e.order, e.classic = []string{"web", "plain"}, nil
	set := scan(t, func(region string, input any) (any, error) {
		if in, ok := input.(*elbv2.DescribeLoadBalancersInput); ok && in.Marker != nil {
			return nil, awstest.Error("InternalFailure")
		}
		return e.answer(region, input)
	})
	sourcetest.Want(t, "sources", sourcetest.Sources(set),
		"elb/web#edge: on (elasticloadbalancing:DescribeLoadBalancerAttributes eu-west-1/web) -> s3/logs/web/AWSLogs/111122223333/elasticloadbalancing/eu-west-1; every-event some: AWS delivers them as best effort",
		"unseen/application-and-network-load-balancers#edge: failed (elasticloadbalancing:DescribeLoadBalancers eu-west-1, InternalFailure) -> unseen/application-and-network-load-balancers/records; perhaps elsewhere: failed",
	)
	sourcetest.Want(t, "gaps", sourcetest.Gaps(set), "aws:111122223333/eu-west-1//region: application and network load balancers: failed")
}

func TestARefusedCallPassesNothing(t *testing.T) {
	e := all()
	e.delivered = map[string]string{"ALB_ACCESS_LOGS:plain": "arn:aws:logs:eu-west-1:111122223333:log-group:edge:*"}
	sourcetest.DenyEach(t, e.answer, Service(), deliveries())
}

func TestAnEmptyAccountHasNoLoadBalancers(t *testing.T) {
	set := scan(t, func(string, any) (any, error) { return nil, nil })
	if len(set.Records) != 2 || len(set.Gaps) != 0 {
		t.Errorf("it wrote %v, %v", set.Records, set.Gaps)
	}
}
