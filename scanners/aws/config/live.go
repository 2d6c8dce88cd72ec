// Package config reads whether AWS Config writes down how settings change.
package config

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

const (
	recorders = "config:DescribeConfigurationRecorders"
	statuses  = "config:DescribeConfigurationRecorderStatus"
	channels  = "config:DescribeDeliveryChannels"
	delivered = "config:DescribeDeliveryChannelStatus"
	retention = "config:DescribeRetentionConfigurations"
)

// Service reads the configuration recorder of each region.
func Service() scope.Service {
	const ifAny = "where there is a recorder"
	call := func(op, action, fills, perhaps string) scope.Call {
		return scope.Call{Service: configservice.ServiceID, Op: op, Action: action, Per: "region", Fills: fills, Perhaps: perhaps}
	}
	return scope.Service{
		Name: "config",
		Calls: []scope.Call{
			call("DescribeConfigurationRecorders", recorders, "Asset.Looked, LogSource.Parts", ""),
			call("DescribeConfigurationRecorderStatus", statuses, "LogSource.Enabled, LogSource.Since, Delivery.Error", ifAny),
			call("DescribeDeliveryChannels", channels, "LogSource.To", ifAny),
			call("DescribeDeliveryChannelStatus", delivered, "Delivery.Error, Delivery.Last", ifAny),
			call("DescribeRetentionConfigurations", retention, "LogStore.Kept", ifAny),
		},
		Region: read,
	}
}

func read(ctx context.Context, s *scope.Scope) {
	client := configservice.NewFromConfig(s.Config)
	at := s.At(recorders, "")
	out, err := client.DescribeConfigurationRecorders(ctx, &configservice.DescribeConfigurationRecordersInput{})
	s.Look(s.Home(), evidence.Configuration, scope.Got(true, err, at))
	if err != nil {
		s.Blind("configuration recorders", err, at, scope.Unseen{Activities: []evidence.Activity{evidence.Configuration}, On: s.Home()})
		identitiesOf(s).add(s.Region, scope.Unknown[bool](err, at))
	}
	if err != nil || len(out.ConfigurationRecorders) == 0 {
		return
	}
	r := recorder{statuses: map[string]types.ConfigurationRecorderStatus{}}
	for _, one := range out.ConfigurationRecorders {
		if aws.ToString(one.ServicePrincipal) == "" { // one that a service made for itself writes only what that service needs
			r.recorders = append(r.recorders, one)
		}
	}
	status, err := client.DescribeConfigurationRecorderStatus(ctx, &configservice.DescribeConfigurationRecorderStatusInput{})
	if r.statusErr = err; err == nil {
		for _, one := range status.ConfigurationRecordersStatus {
			r.statuses[aws.ToString(one.Name)] = one
		}
	}
	channel, err := client.DescribeDeliveryChannels(ctx, &configservice.DescribeDeliveryChannelsInput{})
	if r.channelErr = err; err == nil {
		r.channels = channel.DeliveryChannels
	}
	last, err := client.DescribeDeliveryChannelStatus(ctx, &configservice.DescribeDeliveryChannelStatusInput{})
	if r.deliveredErr = err; err == nil {
		r.delivered = last.DeliveryChannelsStatus
	}
	keep, err := client.DescribeRetentionConfigurations(ctx, &configservice.DescribeRetentionConfigurationsInput{})
	keptAt := s.At(retention, "")
	switch {
	case err != nil:
		r.kept = scope.Unknown[int](err, keptAt)
	case len(keep.RetentionConfigurations) == 0:
		r.kept = evidence.Known(defaultKept, keptAt.WithNote("AWS default"))
	case keep.RetentionConfigurations[0].RetentionPeriodInDays == nil:
		r.kept = evidence.Unknown[int](evidence.Failed, keptAt.WithNote("the answer does not say"))
	default:
		r.kept = evidence.Known(int(aws.ToInt32(keep.RetentionConfigurations[0].RetentionPeriodInDays)), keptAt)
	}
	identitiesOf(s).add(s.Region, r.identities(s))
	s.After(func(context.Context) { observe(s, r) })
}
