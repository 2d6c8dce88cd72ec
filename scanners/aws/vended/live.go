// Package vended reads the deliveries of CloudWatch Logs that bring the logs of other services to where their owners want
// them, which the settings of those services do not show: a load balancer whose own access log is off may well be logged.
package vended

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// The permissions of the calls.
const (
	listSources      = "logs:DescribeDeliverySources"
	listDeliveries   = "logs:DescribeDeliveries"
	listDestinations = "logs:DescribeDeliveryDestinations"
)

// Service declares the calls. It reads nothing by itself: other readers ask for what they meet.
func Service() scope.Service {
	call := func(op, action, perhaps string) scope.Call {
		return scope.Call{
			Service: cloudwatchlogs.ServiceID, Op: op, Action: action, Per: "region",
			Fills: "LogSource.Enabled, LogSource.To", Perhaps: perhaps,
		}
	}
	return scope.Service{Name: "vended", Calls: []scope.Call{
		call("DescribeDeliverySources", listSources, "where there is a load balancer, a distribution or a bucket without an access log"),
		call("DescribeDeliveries", listDeliveries, "where logs of some resource may be delivered"),
		call("DescribeDeliveryDestinations", listDestinations, "where logs of some resource are delivered"),
	}}
}

// Delivered is what deliveries bring of one type of log of a resource.
type Delivered struct {
	On evidence.Value[bool]
	To []evidence.Delivery
	// Whole says that To lists them all; unknown where some may be missing.
	Whole evidence.Value[bool]
}

// Of says where one type of log of a resource is delivered to. The types are those that the SDK lists at
// PutDeliverySourceInput.LogType.
func Of(ctx context.Context, s *scope.Scope, resource, logType string) Delivered {
	r := scope.Memo(s, "vended "+s.Region, func() region { return list(ctx, s) })
	out := Delivered{On: r.sourced, Whole: evidence.Known(true, r.sourced.At())}
	if r.sourced.IsUnknown() {
		out.Whole = r.sourced
	}
	for _, source := range r.sources {
		if aws.ToString(source.LogType) != logType || source.Status == types.DeliverySourceStatusInactive || !slices.Contains(source.ResourceArns, resource) {
			continue
		}
		if r.delivered.IsUnknown() {
			out.Whole = r.delivered
		}
		if !out.On.IsUnknown() && !holds(out.On) { // it has a source: its deliveries decide
			out.On = r.delivered
		}
		for _, d := range r.deliveries {
			if aws.ToString(d.DeliverySourceName) != aws.ToString(source.Name) || d.DeliveryDestinationType == types.DeliveryDestinationTypeXray {
				continue
			}
			at := origin(s, listDeliveries, aws.ToString(d.Id))
			if !holds(out.On) {
				out.On = evidence.Known(true, at)
			}
			if to, ok := r.store(s, aws.ToString(d.DeliveryDestinationArn)); ok {
				delivery := evidence.EverythingTo(to, at)
				// The SDK on PutDeliverySourceInput.DeliverySourceConfiguration: {"samplingRate": "50"}.
				if rate := source.DeliverySourceConfiguration["samplingRate"]; rate != "" && rate != "100" {
					delivery.Extent = evidence.Known(evidence.Extent{Grade: evidence.Some, But: "a sample of " + rate + " in 100"}, at)
				}
				out.To = append(out.To, delivery)
			}
		}
	}
	return out
}

// holds reports whether a fact is known to hold.
func holds(v evidence.Value[bool]) bool {
	is, known := v.Get()
	return known && is
}

// A region is all of what is delivered from one.
type region struct {
	sources      []types.DeliverySource
	deliveries   []types.Delivery
	destinations map[string]string // by ARN: the ARN of the log group, the bucket or the stream behind it
	// sourced and delivered are false where the lists are whole: what is not in them is not delivered.
	sourced, delivered evidence.Value[bool]
}

// origin is that of a region, also where the account as a whole is read: the lists are the same.
func origin(s *scope.Scope, action, of string) evidence.Origin {
	return evidence.Origin{Call: action, Of: strings.Trim(s.Region+"/"+of, "/")}
}

func list(ctx context.Context, s *scope.Scope) region {
	cfg := s.Config.Copy()
	cfg.Region = s.Region // what belongs to no region is delivered from the one that answers for it
	client := cloudwatchlogs.NewFromConfig(cfg)
	r := region{destinations: map[string]string{}}
	whole := func(action string, err error) evidence.Value[bool] {
		if err != nil {
			s.Missed(scope.RegionID(s.Account, s.Region), "deliveries of logs by CloudWatch Logs", err, origin(s, action, ""))
		}
		return scope.Got(false, err, origin(s, action, ""))
	}

	sources := cloudwatchlogs.NewDescribeDeliverySourcesPaginator(client, &cloudwatchlogs.DescribeDeliverySourcesInput{})
	r.sourced = whole(listSources, each(sources.HasMorePages, func() error {
		page, err := sources.NextPage(ctx)
		if err == nil {
			r.sources = append(r.sources, page.DeliverySources...)
		}
		return err
	}))
	if len(r.sources) == 0 {
		return r
	}
	deliveries := cloudwatchlogs.NewDescribeDeliveriesPaginator(client, &cloudwatchlogs.DescribeDeliveriesInput{})
	r.delivered = whole(listDeliveries, each(deliveries.HasMorePages, func() error {
		page, err := deliveries.NextPage(ctx)
		if err == nil {
			r.deliveries = append(r.deliveries, page.Deliveries...)
		}
		return err
	}))
	if len(r.deliveries) == 0 {
		return r
	}
	slices.SortFunc(r.deliveries, func(a, b types.Delivery) int { return strings.Compare(aws.ToString(a.Id), aws.ToString(b.Id)) })
	destinations := cloudwatchlogs.NewDescribeDeliveryDestinationsPaginator(client, &cloudwatchlogs.DescribeDeliveryDestinationsInput{})
	whole(listDestinations, each(destinations.HasMorePages, func() error {
		page, err := destinations.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, d := range page.DeliveryDestinations {
			if d.DeliveryDestinationConfiguration != nil {
				r.destinations[aws.ToString(d.Arn)] = aws.ToString(d.DeliveryDestinationConfiguration.DestinationResourceArn)
			}
		}
		return nil
	}))
	return r
}

// each takes page after page until there is none, or one cannot be had.
func each(more func() bool, next func() error) error {
	for more() {
		if err := next(); err != nil {
			return err
		}
	}
	return nil
}

// store names what lies behind a destination. One of another account is not listed, and stands for what lies behind it.
func (r region) store(s *scope.Scope, destination string) (evidence.ID, bool) {
	if to, ok := Store(s, r.destinations[destination], ""); ok {
		return to, true
	}
	a, ok := scope.ParseARN(destination)
	return evidence.ID("aws:" + a.Account + "/" + a.Region + "//delivery-destination/" + a.Name()), ok
}

// Store names the log group, the stream, or the part of a bucket that an ARN stands for, and has buckets read. In a bucket,
// below is where the service writes under the prefix that the owner chose.
func Store(s *scope.Scope, arn, below string) (evidence.ID, bool) {
	a, ok := scope.ParseARN(arn)
	switch {
	case !ok:
		return "", false
	case a.Service == "s3":
		bucket, prefix, _ := strings.Cut(a.Resource, "/")
		return s.Bucket(scope.Place{Bucket: bucket, Prefix: Under(prefix, below)}), true
	case a.Service == "logs":
		return s.GroupID(arn), true
	}
	return evidence.ID("aws:" + a.Account + "/" + a.Region + "//" + a.Service + "/" + a.Name()), true
}

// Under joins the prefix that an owner chose and what a service writes below it.
func Under(prefix, below string) string {
	if prefix = strings.Trim(prefix, "/"); prefix == "" || below == "" {
		return prefix + below
	}
	return prefix + "/" + below
}

// Groups has a source say, once the log groups of its region are listed, which of those that it delivers to are gone. It
// is for services that write to a group which their owner made.
func Groups(s *scope.Scope, l *evidence.LogSource) {
	if s.Global {
		return
	}
	own := string(s.ID("logs/"))
	for i := range l.To {
		name, ok := strings.CutPrefix(string(l.To[i].To), own)
		if !ok {
			continue
		}
		s.After(func(context.Context) {
			_, there := s.Group(name)
			exists, ok := there.Get()
			switch {
			case !ok:
				l.To[i].Error = evidence.Unknown[string](there.Why(), there.At())
			case !exists:
				l.To[i].Error = evidence.Known("the log group does not exist", there.At())
			}
		})
	}
}

// Either holds where one of two facts does, and does not where neither does.
func Either(a, b evidence.Value[bool]) evidence.Value[bool] {
	switch {
	case holds(a):
		return a
	case holds(b), a.IsMoot(), b.IsUnknown() && !a.IsUnknown():
		return b
	}
	return a
}
