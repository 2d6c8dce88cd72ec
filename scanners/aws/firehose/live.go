// Package firehose reads Firehose streams: stops on the way of records to where they are kept.
package firehose

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"

	"lookback/scanners/aws/scope"
)

const (
	actionList     = "firehose:ListDeliveryStreams"
	actionDescribe = "firehose:DescribeDeliveryStream"
)

// Service reads the streams of a region.
func Service() scope.Service {
	return scope.Service{
		Name: "firehose",
		Calls: []scope.Call{
			{Service: firehose.ServiceID, Op: "ListDeliveryStreams", Action: actionList, Per: "region", Fills: "LogStore.ID"},
			{Service: firehose.ServiceID, Op: "DescribeDeliveryStream", Action: actionDescribe, Per: "stream", Fills: "LogStore.To, LogStore.Kept, LogStore.Complete, Delivery.Extent"},
		},
		Region: region,
	}
}

// page is how many streams are listed in one answer: the most that Firehose gives.
const page = 10000

var errNothing = errors.New("the answer is empty")

func region(ctx context.Context, s *scope.Scope) {
	client := firehose.NewFromConfig(s.Config)
	names, err := list(ctx, client)
	if err != nil {
		s.Blind("Firehose streams", err, s.At(actionList, ""), scope.Unseen{Store: true})
	}
	s.Each(len(names), func(i int) {
		out, err := client.DescribeDeliveryStream(ctx, &firehose.DescribeDeliveryStreamInput{DeliveryStreamName: aws.String(names[i])})
		var described types.DeliveryStreamDescription
		switch {
		case scope.Is(err, "ResourceNotFoundException"):
			return // it was deleted since it was listed
		case err != nil:
		case out.DeliveryStreamDescription == nil:
			err = errNothing
		default:
			described = *out.DeliveryStreamDescription
		}
		observe(s, names[i], scope.Got(described, err, s.At(actionDescribe, names[i])))
	})
}

// list returns what it learned until a page failed, too. The SDK has no pages for it.
func list(ctx context.Context, client *firehose.Client) ([]string, error) {
	var all []string
	in := &firehose.ListDeliveryStreamsInput{Limit: aws.Int32(page)}
	for {
		out, err := client.ListDeliveryStreams(ctx, in)
		if err != nil {
			return all, err
		}
		all = append(all, out.DeliveryStreamNames...)
		if !aws.ToBool(out.HasMoreDeliveryStreams) || len(out.DeliveryStreamNames) == 0 {
			return all, nil
		}
		in.ExclusiveStartDeliveryStreamName = aws.String(all[len(all)-1])
	}
}
