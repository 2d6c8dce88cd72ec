// Package elb reads what load balancers log: application, network and classic ones. A gateway load balancer writes no log.
package elb

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	classic "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
	"lookback/scanners/aws/vended"
)

// The permissions of the calls.
const (
	listBalancers  = "elasticloadbalancing:DescribeLoadBalancers"
	readAttributes = "elasticloadbalancing:DescribeLoadBalancerAttributes"
	listListeners  = "elasticloadbalancing:DescribeListeners"
)

// Service reads load balancers.
func Service() scope.Service {
	return scope.Service{
		Name: "elb",
		Calls: []scope.Call{
			{Service: classic.ServiceID, Op: "DescribeLoadBalancers", Action: listBalancers, Per: "region", Fills: "Asset.ID"},
			{Service: classic.ServiceID, Op: "DescribeLoadBalancerAttributes", Action: readAttributes, Per: "classic load balancer", Fills: "LogSource.Enabled, LogSource.To"},
			{Service: elbv2.ServiceID, Op: "DescribeLoadBalancers", Action: listBalancers, Per: "region", Fills: "Asset.ID"},
			{Service: elbv2.ServiceID, Op: "DescribeLoadBalancerAttributes", Action: readAttributes, Per: "application or network load balancer", Fills: "LogSource.Enabled, LogSource.To"},
			{Service: elbv2.ServiceID, Op: "DescribeListeners", Action: listListeners, Per: "network load balancer", Fills: "LogSource.Enabled, LogSource.Parts"},
		},
		Region: read,
	}
}

var errNothing = errors.New("the answer is empty")

// gone is what both services say of a load balancer that was deleted since it was listed.
const gone = "LoadBalancerNotFound"

func read(ctx context.Context, s *scope.Scope) {
	readClassic(ctx, s)
	client := elbv2.NewFromConfig(s.Config)
	at := s.At(listBalancers, "")
	var found []types.LoadBalancer
	for p := elbv2.NewDescribeLoadBalancersPaginator(client, &elbv2.DescribeLoadBalancersInput{}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			s.Blind("application and network load balancers", err, at, scope.Unseen{Activities: []evidence.Activity{evidence.Edge}})
			break
		}
		for _, lb := range page.LoadBalancers {
			if lb.Type != types.LoadBalancerTypeEnumGateway {
				found = append(found, lb)
			}
		}
	}
	s.Each(len(found), func(i int) {
		lb := found[i]
		name, arn := aws.ToString(lb.LoadBalancerName), aws.ToString(lb.LoadBalancerArn)
		b := balancer{
			thing: "elb/" + name, kind: string(lb.Type) + " load balancer", name: name, at: s.At(listBalancers, name),
			tls: evidence.Moot[evidence.Extent](at),
		}
		at := s.At(readAttributes, name)
		out, err := client.DescribeLoadBalancerAttributes(ctx, &elbv2.DescribeLoadBalancerAttributesInput{LoadBalancerArn: lb.LoadBalancerArn})
		if err == nil && len(out.Attributes) == 0 {
			err = errNothing
		}
		if scope.Is(err, gone) {
			return
		}
		set := map[string]string{}
		if err == nil {
			for _, a := range out.Attributes {
				set[aws.ToString(a.Key)] = aws.ToString(a.Value)
			}
		}
		b.access = attribute(set, "access_logs.s3.", err, at)
		if lb.Type == types.LoadBalancerTypeEnumNetwork {
			if b.tls, err = encrypted(ctx, client, arn, s.At(listListeners, name)); scope.Is(err, gone) {
				return
			}
			b.vended = vended.Of(ctx, s, arn, "NLB_ACCESS_LOGS")
		} else {
			b.connections = attribute(set, "connection_logs.s3.", err, at)
			b.vended = vended.Of(ctx, s, arn, "ALB_ACCESS_LOGS")
			b.vendedConnections = vended.Of(ctx, s, arn, "ALB_CONNECTION_LOGS")
		}
		observe(s, b)
	})
}

// attribute reads one of the logs from the attributes of a load balancer: "The default is false", the SDK on each of them.
func attribute(set map[string]string, prefix string, err error, at evidence.Origin) log {
	if _, written := set[prefix+"enabled"]; !written {
		at = at.WithNote("AWS default")
	}
	return log{
		on:     scope.Got(set[prefix+"enabled"] == "true", err, at),
		bucket: set[prefix+"bucket"], prefix: set[prefix+"prefix"],
	}
}

// encrypted says how much of what comes through a network load balancer comes over TLS.
func encrypted(ctx context.Context, client *elbv2.Client, arn string, at evidence.Origin) (evidence.Value[evidence.Extent], error) {
	var tls, other bool
	for p := elbv2.NewDescribeListenersPaginator(client, &elbv2.DescribeListenersInput{LoadBalancerArn: &arn}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			return scope.Unknown[evidence.Extent](err, at), err
		}
		for _, l := range page.Listeners {
			if l.Protocol == types.ProtocolEnumTls {
				tls = true
			} else {
				other = true
			}
		}
	}
	switch {
	case !tls:
		return evidence.Nothing(at), nil
	case other:
		return evidence.Known(evidence.Extent{Grade: evidence.Some, But: "its TLS listeners alone"}, at), nil
	}
	return evidence.Everything(at), nil
}

func readClassic(ctx context.Context, s *scope.Scope) {
	client := classic.NewFromConfig(s.Config)
	var names []string
	for p := classic.NewDescribeLoadBalancersPaginator(client, &classic.DescribeLoadBalancersInput{}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			s.Blind("classic load balancers", err, s.At(listBalancers, ""), scope.Unseen{Activities: []evidence.Activity{evidence.Edge}})
			break
		}
		for _, lb := range page.LoadBalancerDescriptions {
			names = append(names, aws.ToString(lb.LoadBalancerName))
		}
	}
	s.Each(len(names), func(i int) {
		name := names[i]
		at := s.At(readAttributes, name)
		out, err := client.DescribeLoadBalancerAttributes(ctx, &classic.DescribeLoadBalancerAttributesInput{LoadBalancerName: &name})
		if err == nil && (out.LoadBalancerAttributes == nil || out.LoadBalancerAttributes.AccessLog == nil) {
			err = errNothing
		}
		if scope.Is(err, gone) {
			return
		}
		b := balancer{
			thing: "elb-classic/" + name, kind: "classic load balancer", name: name, at: s.At(listBalancers, name),
			access: log{on: scope.Unknown[bool](err, at)},
			tls:    evidence.Moot[evidence.Extent](at),
			vended: vended.Delivered{On: evidence.Moot[bool](at), Whole: evidence.Moot[bool](at)},
		}
		if err == nil {
			set := out.LoadBalancerAttributes.AccessLog
			b.access = log{on: evidence.Known(set.Enabled, at), bucket: aws.ToString(set.S3BucketName), prefix: aws.ToString(set.S3BucketPrefix)}
		}
		observe(s, b)
	})
}
