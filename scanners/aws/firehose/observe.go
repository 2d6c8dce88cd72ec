package firehose

import (
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// A destination is where a stream takes records.
type destination struct {
	to         evidence.ID
	extent     evidence.Extent
	processing *types.ProcessingConfiguration // what it does to them on the way; nil for copies of what came in
}

// observe records a stream as a store that keeps nothing by itself: what counts is where it takes the records.
func observe(s *scope.Scope, name string, described evidence.Value[types.DeliveryStreamDescription]) {
	at := described.At()
	store := s.Store(s.ID("firehose/"+name), "Firehose stream", name, at)
	stream, known := described.Get()
	var to []destination
	for _, d := range stream.Destinations {
		to = append(to, destinations(s, d)...)
	}
	switch {
	case !known:
		store.Kept = evidence.Unknown[int](described.Why(), at)
		store.Complete = evidence.Unknown[bool](described.Why(), at)
	case len(to) == 0 || aws.ToBool(stream.HasMoreDestinations):
		note := at.WithNote("it sends to a kind of destination that we do not know")
		store.Kept = evidence.Unknown[int](evidence.Unfamiliar, note)
		store.Complete = evidence.Unknown[bool](evidence.Unfamiliar, note)
	default:
		store.Kept = evidence.Known(0, at.WithNote("it passes records on"))
	}
	for _, d := range to {
		delivery := evidence.EverythingTo(d.to, at)
		delivery.Extent = extent(stream.DeliveryStreamStatus, d, at)
		store.To = append(store.To, delivery)
	}
	s.Record(store)
}

// extent says how much of what comes in gets to a destination.
func extent(status types.DeliveryStreamStatus, d destination, at evidence.Origin) evidence.Value[evidence.Extent] {
	switch {
	case status == types.DeliveryStreamStatusCreatingFailed:
		return evidence.Known(evidence.Extent{Grade: evidence.None, But: "the stream could not be created"}, at)
	case status == types.DeliveryStreamStatusDeleting: // it "doesn't make any guarantees": the SDK on DeleteDeliveryStream
		return evidence.Known(evidence.Extent{Grade: evidence.None, But: "the stream is being deleted"}, at)
	case status == types.DeliveryStreamStatusDeletingFailed:
		return evidence.Unknown[evidence.Extent](evidence.Unfamiliar, at.WithNote("somebody deleted the stream, which failed: whether it still delivers is not said"))
	case d.processing != nil && aws.ToBool(d.processing.Enabled) && slices.ContainsFunc(d.processing.Processors, func(p types.Processor) bool {
		return p.Type == types.ProcessorTypeLambda
	}):
		return evidence.Unknown[evidence.Extent](evidence.Unfamiliar, at.WithNote("a function of the owner's changes the records on the way, and may drop some"))
	}
	return evidence.Known(d.extent, at)
}

// destinations reads one destination, which may have a bucket beside it: for all that comes in, or for what the other one
// did not take.
func destinations(s *scope.Scope, d types.DestinationDescription) []destination {
	all := evidence.Extent{Grade: evidence.All}
	switch {
	case d.ExtendedS3DestinationDescription != nil:
		x := d.ExtendedS3DestinationDescription
		out := bucket(s, x.BucketARN, x.Prefix, x.EncryptionConfiguration, all, x.ProcessingConfiguration)
		if b := x.S3BackupDescription; b != nil && x.S3BackupMode == types.S3BackupModeEnabled {
			out = append(out, beside(s, b, all)...)
		}
		return out
	case d.S3DestinationDescription != nil:
		return beside(s, d.S3DestinationDescription, all)
	case d.RedshiftDestinationDescription != nil: // it copies from a bucket, where all of it stays
		x := d.RedshiftDestinationDescription
		host, _, _ := strings.Cut(strings.TrimPrefix(aws.ToString(x.ClusterJDBCURL), "jdbc:redshift://"), ":")
		out := []destination{{elsewhere("redshift", host), all, x.ProcessingConfiguration}}
		if b := x.S3DestinationDescription; b != nil {
			out = append(out, bucket(s, b.BucketARN, b.Prefix, b.EncryptionConfiguration, all, x.ProcessingConfiguration)...)
		}
		if b := x.S3BackupDescription; b != nil && x.S3BackupMode == types.RedshiftS3BackupModeEnabled {
			out = append(out, beside(s, b, all)...)
		}
		return out
	case d.SplunkDestinationDescription != nil:
		x := d.SplunkDestinationDescription
		return append([]destination{{elsewhere("splunk", aws.ToString(x.HECEndpoint)), all, x.ProcessingConfiguration}},
			beside(s, x.S3DestinationDescription, backup(x.S3BackupMode == types.SplunkS3BackupModeAllEvents, "Splunk"))...)
	case d.HttpEndpointDestinationDescription != nil:
		x := d.HttpEndpointDestinationDescription
		address := ""
		if x.EndpointConfiguration != nil {
			address = aws.ToString(x.EndpointConfiguration.Url)
		}
		return append([]destination{{elsewhere("http", address), all, x.ProcessingConfiguration}},
			beside(s, x.S3DestinationDescription, backup(x.S3BackupMode == types.HttpEndpointS3BackupModeAllData, "the endpoint"))...)
	case d.AmazonopensearchserviceDestinationDescription != nil:
		x := d.AmazonopensearchserviceDestinationDescription
		return append([]destination{{search(x.DomainARN, x.ClusterEndpoint), all, x.ProcessingConfiguration}},
			beside(s, x.S3DestinationDescription, backup(x.S3BackupMode == types.AmazonopensearchserviceS3BackupModeAllDocuments, "OpenSearch"))...)
	case d.ElasticsearchDestinationDescription != nil:
		x := d.ElasticsearchDestinationDescription
		return append([]destination{{search(x.DomainARN, x.ClusterEndpoint), all, x.ProcessingConfiguration}},
			beside(s, x.S3DestinationDescription, backup(x.S3BackupMode == types.ElasticsearchS3BackupModeAllDocuments, "OpenSearch"))...)
	case d.AmazonOpenSearchServerlessDestinationDescription != nil:
		x := d.AmazonOpenSearchServerlessDestinationDescription
		return append([]destination{{elsewhere("opensearch", aws.ToString(x.CollectionEndpoint)), all, x.ProcessingConfiguration}},
			beside(s, x.S3DestinationDescription, backup(x.S3BackupMode == types.AmazonOpenSearchServerlessS3BackupModeAllDocuments, "OpenSearch"))...)
	case d.SnowflakeDestinationDescription != nil:
		x := d.SnowflakeDestinationDescription
		return append([]destination{{elsewhere("snowflake", aws.ToString(x.AccountUrl)), all, x.ProcessingConfiguration}},
			beside(s, x.S3DestinationDescription, backup(x.S3BackupMode == types.SnowflakeS3BackupModeAllData, "Snowflake"))...)
	case d.IcebergDestinationDescription != nil:
		x := d.IcebergDestinationDescription
		return append([]destination{{s.ID("iceberg"), all, x.ProcessingConfiguration}},
			beside(s, x.S3DestinationDescription, backup(false, "Iceberg"))...)
	}
	return nil
}

// backup is what a bucket beside another destination gets.
func backup(everything bool, destination string) evidence.Extent {
	if everything {
		return evidence.Extent{Grade: evidence.All}
	}
	return evidence.Extent{Grade: evidence.Some, But: "only what " + destination + " did not take"}
}

// beside is a bucket that takes records as they came in.
func beside(s *scope.Scope, b *types.S3DestinationDescription, extent evidence.Extent) []destination {
	if b == nil {
		return nil
	}
	return bucket(s, b.BucketARN, b.Prefix, b.EncryptionConfiguration, extent, nil)
}

func bucket(s *scope.Scope, arn, prefix *string, encryption *types.EncryptionConfiguration, extent evidence.Extent, processing *types.ProcessingConfiguration) []destination {
	a, ok := scope.ParseARN(aws.ToString(arn))
	if !ok {
		return nil
	}
	place := scope.Place{Bucket: a.Resource}
	// What follows an expression differs from object to object. (Firehose developer guide, "Custom prefixes for Amazon S3
	// objects": "!{namespace:value}".)
	place.Prefix, _, _ = strings.Cut(aws.ToString(prefix), "!{")
	if encryption != nil && encryption.KMSEncryptionConfig != nil {
		place.Key = aws.ToString(encryption.KMSEncryptionConfig.AWSKMSKeyARN)
	}
	return []destination{{s.Bucket(place), extent, processing}}
}

// elsewhere names a server that is not scanned, by its address.
func elsewhere(kind, address string) evidence.ID {
	host := address
	if u, err := url.Parse(address); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	return evidence.ID(kind + ":" + host + "//")
}

// search names an OpenSearch domain.
func search(domain, endpoint *string) evidence.ID {
	if a, ok := scope.ParseARN(aws.ToString(domain)); ok {
		return evidence.ID("aws:" + a.Account + "/" + a.Region + "//opensearch/" + a.Name())
	}
	return elsewhere("opensearch", aws.ToString(endpoint))
}
