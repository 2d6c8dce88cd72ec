package aws

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	contacts "github.com/aws/aws-sdk-go-v2/service/account"
	accounttypes "github.com/aws/aws-sdk-go-v2/service/account/types"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	apitypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	api2types "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbv2types "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	firehosetypes "github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/aws-sdk-go-v2/service/guardduty"
	gdtypes "github.com/aws/aws-sdk-go-v2/service/guardduty/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/networkfirewall"
	fwtypes "github.com/aws/aws-sdk-go-v2/service/networkfirewall/types"
	"github.com/aws/aws-sdk-go-v2/service/opensearch"
	estypes "github.com/aws/aws-sdk-go-v2/service/opensearch/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/redshift"
	redshifttypes "github.com/aws/aws-sdk-go-v2/service/redshift/types"
	"github.com/aws/aws-sdk-go-v2/service/route53resolver"
	resolvertypes "github.com/aws/aws-sdk-go-v2/service/route53resolver/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	s3controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	"github.com/aws/aws-sdk-go-v2/service/securitylake"
	laketypes "github.com/aws/aws-sdk-go-v2/service/securitylake/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"
	waftypes "github.com/aws/aws-sdk-go-v2/service/wafv2/types"

	"lookback/scanners/aws/awstest"
)

// An estate is an account that has one of everything that a reader reads. It is healthy, or weak: then most of what can
// be turned off is off, and records are kept a week. Two regions are enabled, of which all but what belongs to the account
// as a whole lies in one.
type estate struct{ weak bool }

// days is how long records are kept, lasting how long those with a good retention of their own are.
func (e estate) days() int32 {
	if e.weak {
		return 7
	}
	return 400
}

func (e estate) on() *bool { return aws.Bool(!e.weak) }

var (
	str  = aws.String
	long = aws.Time(awstest.Now.AddDate(-2, 0, 0)) // before everything that policy asks for
	hour = aws.Time(awstest.Now.Add(-time.Hour))
)

func arnOf(service, resource string) *string {
	return str("arn:aws:" + service + ":" + awstest.Region + ":" + awstest.Account + ":" + resource)
}

func bucketARN(name string) *string { return str("arn:aws:s3:::" + name) }

func groupARN(name string) *string { return arnOf("logs", "log-group:"+name) }

// groups are the log groups; quiet ones received nothing lately.
var groups = []string{
	"/aws/eks/shop/cluster", "/ecs/web", "/aws/lambda/pay", "vpn", "dns", "api", "api2", "firewall", "/aws/rds/instance/users/general",
	"/aws/rds/cluster/orders/postgresql", "search", "trail", "sessions", "quiet",
}

// answer answers any call. What belongs to a region is in one of the two that are enabled.
func (e estate) answer(c awstest.Call) (any, error) {
	if out := e.account(c); out != nil {
		return out, nil
	}
	if c.Op == "SecurityHub.DescribeHub" && (e.weak || c.Region != awstest.Region) {
		return nil, awstest.Error("InvalidAccessException")
	}
	if c.Op == "Organizations.DescribeOrganization" {
		return nil, awstest.Error("AWSOrganizationsNotInUseException")
	}
	if c.Region != awstest.Region {
		return nil, nil
	}
	for _, of := range []func(any) any{e.trails, e.logs, e.buckets, e.network, e.edge, e.compute, e.machines, e.data, e.detection} {
		if out := of(c.Input); out != nil {
			return out, nil
		}
	}
	return nil, nil
}

// account answers what belongs to no region.
func (e estate) account(c awstest.Call) any {
	switch in := c.Input.(type) {
	case *ec2.DescribeRegionsInput:
		return &ec2.DescribeRegionsOutput{Regions: []ec2types.Region{
			{RegionName: str("us-east-1"), OptInStatus: str("opt-in-not-required")}, {RegionName: str(awstest.Region), OptInStatus: str("opted-in")},
		}}
	case *contacts.GetAlternateContactInput:
		return &contacts.GetAlternateContactOutput{AlternateContact: &accounttypes.AlternateContact{EmailAddress: str("security@example.com")}}
	case *iam.GetAccountAuthorizationDetailsInput:
		document := `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
		out := &iam.GetAccountAuthorizationDetailsOutput{Policies: []iamtypes.ManagedPolicyDetail{{
			PolicyName: str("admin"), Arn: str("arn:aws:iam::aws:policy/admin"), PolicyVersionList: []iamtypes.PolicyVersion{{IsDefaultVersion: true, Document: &document}},
		}}}
		for _, name := range []string{"ann", "bob", "eve", "joe", "kim", "lee", "max", "pat", "sue", "tom", "una", "vic"} {
			out.UserDetailList = append(out.UserDetailList, iamtypes.UserDetail{UserName: &name, AttachedManagedPolicies: []iamtypes.AttachedPolicy{
				{PolicyName: str("admin"), PolicyArn: str("arn:aws:iam::aws:policy/admin")},
			}})
			if !e.weak {
				break
			}
		}
		return out
	case *iam.SimulatePrincipalPolicyInput:
		out := &iam.SimulatePrincipalPolicyOutput{}
		decision := iamtypes.PolicyEvaluationDecisionTypeAllowed
		if e.weak {
			decision = iamtypes.PolicyEvaluationDecisionTypeImplicitDeny
		}
		for _, action := range in.ActionNames {
			result := iamtypes.EvaluationResult{EvalActionName: &action}
			for _, resource := range in.ResourceArns {
				result.ResourceSpecificResults = append(result.ResourceSpecificResults, iamtypes.ResourceSpecificResult{EvalResourceName: &resource, EvalResourceDecision: decision})
			}
			out.EvaluationResults = append(out.EvaluationResults, result)
		}
		return out
	case *s3.ListBucketsInput:
		return &s3.ListBucketsOutput{Buckets: []s3types.Bucket{
			{Name: str("logs"), BucketRegion: str(awstest.Region)},
			{Name: str("shop"), BucketRegion: str(awstest.Region)},
			{Name: str("old")},
			{Name: str("copies"), BucketRegion: str(awstest.Region)},
		}}
	case *s3.GetBucketLocationInput:
		return &s3.GetBucketLocationOutput{LocationConstraint: s3types.BucketLocationConstraintEu}
	case *cloudfront.ListDistributionsInput:
		return &cloudfront.ListDistributionsOutput{DistributionList: &cftypes.DistributionList{Items: []cftypes.DistributionSummary{{
			Id: str("E1"), ARN: str("arn:aws:cloudfront::" + awstest.Account + ":distribution/E1"), Enabled: aws.Bool(true),
			DefaultCacheBehavior: &cftypes.DefaultCacheBehavior{RealtimeLogConfigArn: str("arn:aws:cloudfront::" + awstest.Account + ":realtime-log-config/fast")},
		}}}}
	case *cloudfront.GetDistributionConfigInput:
		return &cloudfront.GetDistributionConfigOutput{DistributionConfig: &cftypes.DistributionConfig{
			Logging: &cftypes.LoggingConfig{Enabled: e.on(), Bucket: str("logs.s3.amazonaws.com"), Prefix: str("cdn/")},
		}}
	case *cloudfront.ListRealtimeLogConfigsInput:
		return &cloudfront.ListRealtimeLogConfigsOutput{RealtimeLogConfigs: &cftypes.RealtimeLogConfigs{Items: []cftypes.RealtimeLogConfig{{
			ARN: str("arn:aws:cloudfront::" + awstest.Account + ":realtime-log-config/fast"), Name: str("fast"), SamplingRate: aws.Int64(100),
			EndPoints: []cftypes.EndPoint{{KinesisStreamConfig: &cftypes.KinesisStreamConfig{StreamARN: arnOf("kinesis", "stream/cdn")}}},
		}}}}
	case *cloudwatchlogs.DescribeDeliverySourcesInput: // of a distribution, and of a load balancer
		resource := "arn:aws:cloudfront::" + awstest.Account + ":distribution/E1"
		kind := "ACCESS_LOGS"
		if c.Region == awstest.Region {
			resource, kind = *arnOf("elasticloadbalancing", "loadbalancer/app/web/1"), "ALB_CONNECTION_LOGS"
		}
		return &cloudwatchlogs.DescribeDeliverySourcesOutput{DeliverySources: []logtypes.DeliverySource{{Name: str("one"), LogType: &kind, ResourceArns: []string{resource}}}}
	case *cloudwatchlogs.DescribeDeliveriesInput:
		return &cloudwatchlogs.DescribeDeliveriesOutput{Deliveries: []logtypes.Delivery{{
			Id: str("d1"), DeliverySourceName: str("one"), DeliveryDestinationArn: arnOf("logs", "delivery-destination:there"), DeliveryDestinationType: logtypes.DeliveryDestinationTypeS3,
		}}}
	case *cloudwatchlogs.DescribeDeliveryDestinationsInput:
		return &cloudwatchlogs.DescribeDeliveryDestinationsOutput{DeliveryDestinations: []logtypes.DeliveryDestination{{
			Arn: arnOf("logs", "delivery-destination:there"), DeliveryDestinationConfiguration: &logtypes.DeliveryDestinationConfiguration{DestinationResourceArn: bucketARN("logs")},
		}}}
	case *wafv2.ListWebACLsInput:
		if in.Scope == waftypes.ScopeRegional && c.Region == awstest.Region {
			return &wafv2.ListWebACLsOutput{WebACLs: []waftypes.WebACLSummary{{Name: str("wall"), ARN: arnOf("wafv2", "regional/webacl/wall/1")}}}
		}
	case *wafv2.ListLoggingConfigurationsInput:
		if in.LogScope == waftypes.LogScopeCustomer && !e.weak {
			return &wafv2.ListLoggingConfigurationsOutput{LoggingConfigurations: []waftypes.LoggingConfiguration{{
				ResourceArn: arnOf("wafv2", "regional/webacl/wall/1"), LogDestinationConfigs: []string{*bucketARN("logs")}, LogScope: waftypes.LogScopeCustomer,
			}}}
		}
	case *cloudtrail.DescribeTrailsInput: // a trail over all regions is listed in each
		return e.trails(c.Input)
	case *cloudtrail.GetTrailStatusInput, *cloudtrail.GetEventSelectorsInput:
		return e.trails(c.Input)
	case *kms.DescribeKeyInput:
		return &kms.DescribeKeyOutput{KeyMetadata: &kmstypes.KeyMetadata{KeyManager: kmstypes.KeyManagerTypeCustomer, KeyState: kmstypes.KeyStateEnabled}}
	}
	if !strings.HasPrefix(c.Op, "STS.") {
		return nil
	}
	out, _ := world(nil)(c)
	return out
}

func (e estate) trails(input any) any {
	switch input.(type) {
	case *cloudtrail.DescribeTrailsInput:
		return &cloudtrail.DescribeTrailsOutput{TrailList: []trailtypes.Trail{{
			Name: str("main"), TrailARN: arnOf("cloudtrail", "trail/main"), HomeRegion: str(awstest.Region), IsMultiRegionTrail: aws.Bool(true),
			IsOrganizationTrail: aws.Bool(false), IncludeGlobalServiceEvents: aws.Bool(true), LogFileValidationEnabled: e.on(), HasCustomEventSelectors: aws.Bool(true),
			S3BucketName: str("logs"), KmsKeyId: arnOf("kms", "key/logs"), CloudWatchLogsLogGroupArn: str(*groupARN("trail") + ":*"),
		}}}
	case *cloudtrail.GetTrailStatusInput:
		return &cloudtrail.GetTrailStatusOutput{
			IsLogging: e.on(), StartLoggingTime: long, LatestDeliveryTime: hour, LatestCloudWatchLogsDeliveryTime: hour, LatestDigestDeliveryTime: hour,
		}
	case *cloudtrail.GetEventSelectorsInput:
		return &cloudtrail.GetEventSelectorsOutput{EventSelectors: []trailtypes.EventSelector{{
			IncludeManagementEvents: aws.Bool(true), ReadWriteType: trailtypes.ReadWriteTypeAll,
			DataResources: []trailtypes.DataResource{{Type: str("AWS::S3::Object"), Values: []string{"arn:aws:s3"}}},
		}}}
	case *cloudtrail.ListEventDataStoresInput:
		return &cloudtrail.ListEventDataStoresOutput{EventDataStores: []trailtypes.EventDataStore{{Name: str("lake"), EventDataStoreArn: arnOf("cloudtrail", "eventdatastore/1")}}}
	case *cloudtrail.GetEventDataStoreInput:
		status := trailtypes.EventDataStoreStatusEnabled
		if e.weak {
			status = trailtypes.EventDataStoreStatusStoppedIngestion
		}
		field := func(name string, values ...string) trailtypes.AdvancedFieldSelector {
			return trailtypes.AdvancedFieldSelector{Field: &name, Equals: values}
		}
		return &cloudtrail.GetEventDataStoreOutput{
			Name: str("lake"), EventDataStoreArn: arnOf("cloudtrail", "eventdatastore/1"), Status: status, RetentionPeriod: aws.Int32(e.days()),
			CreatedTimestamp: long, KmsKeyId: arnOf("kms", "key/logs"), MultiRegionEnabled: aws.Bool(true),
			AdvancedEventSelectors: []trailtypes.AdvancedEventSelector{{FieldSelectors: []trailtypes.AdvancedFieldSelector{field("eventCategory", "Management")}}},
		}
	}
	return nil
}

func (e estate) logs(input any) any {
	switch in := input.(type) {
	case *cloudwatchlogs.DescribeLogGroupsInput:
		out := &cloudwatchlogs.DescribeLogGroupsOutput{}
		for _, name := range groups {
			out.LogGroups = append(out.LogGroups, logtypes.LogGroup{
				LogGroupName: &name, Arn: groupARN(name), RetentionInDays: aws.Int32(e.days()), KmsKeyId: arnOf("kms", "key/logs"), CreationTime: aws.Int64(long.UnixMilli()),
			})
		}
		return out
	case *cloudwatchlogs.DescribeAccountPoliciesInput:
		return &cloudwatchlogs.DescribeAccountPoliciesOutput{AccountPolicies: []logtypes.AccountPolicy{{
			PolicyName: str("all"), PolicyDocument: str(`{"DestinationArn":"` + *arnOf("firehose", "deliverystream/archive") + `"}`), SelectionCriteria: str(`LogGroupName NOT IN ["quiet"]`),
		}}}
	case *cloudwatchlogs.DescribeSubscriptionFiltersInput:
		return &cloudwatchlogs.DescribeSubscriptionFiltersOutput{SubscriptionFilters: []logtypes.SubscriptionFilter{{
			FilterName: str("own"), LogGroupName: in.LogGroupName, FilterPattern: str(""), DestinationArn: arnOf("firehose", "deliverystream/archive"),
		}}}
	case *cloudwatch.ListMetricsInput:
		out := &cloudwatch.ListMetricsOutput{}
		for _, name := range groups {
			if *in.MetricName == "IncomingLogEvents" && name != "quiet" {
				out.Metrics = append(out.Metrics, cwtypes.Metric{MetricName: in.MetricName, Dimensions: []cwtypes.Dimension{{Name: str("LogGroupName"), Value: &name}}})
			}
		}
		return out
	case *cloudwatchlogs.DescribeMetricFiltersInput:
		pattern := "{ ($.eventName = StopLogging) || ($.eventName = DeleteTrail) || ($.eventName = UpdateTrail) || ($.eventName = PutEventSelectors) }"
		return &cloudwatchlogs.DescribeMetricFiltersOutput{MetricFilters: []logtypes.MetricFilter{{
			FilterName: str("stops"), FilterPattern: &pattern, LogGroupName: str("trail"),
			MetricTransformations: []logtypes.MetricTransformation{{MetricName: str("Stops"), MetricNamespace: str("CIS"), MetricValue: str("1")}},
		}}}
	case *cloudwatch.DescribeAlarmsInput:
		return &cloudwatch.DescribeAlarmsOutput{MetricAlarms: []cwtypes.MetricAlarm{{
			AlarmName: str("stops"), MetricName: str("Stops"), Namespace: str("CIS"), ActionsEnabled: e.on(), AlarmActions: []string{*arnOf("sns", "security")},
			Statistic: cwtypes.StatisticSum, Period: aws.Int32(300), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1),
			ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanOrEqualToThreshold,
		}}}
	case *eventbridge.ListRulesInput:
		return &eventbridge.ListRulesOutput{Rules: []eventtypes.Rule{{
			Name: str("stops"), State: eventtypes.RuleStateEnabled,
			EventPattern: str(`{"source":["aws.cloudtrail"],"detail":{"eventSource":["cloudtrail.amazonaws.com"],"eventName":["StopLogging","DeleteTrail"]}}`),
		}}}
	case *eventbridge.ListTargetsByRuleInput:
		return &eventbridge.ListTargetsByRuleOutput{Targets: []eventtypes.Target{{Arn: arnOf("sns", "security")}}}
	case *sns.ListSubscriptionsByTopicInput:
		arn := *arnOf("sns", "security:1")
		if e.weak {
			arn = "PendingConfirmation"
		}
		return &sns.ListSubscriptionsByTopicOutput{Subscriptions: []snstypes.Subscription{{SubscriptionArn: &arn}}}
	case *firehose.ListDeliveryStreamsInput:
		return &firehose.ListDeliveryStreamsOutput{DeliveryStreamNames: []string{"archive"}, HasMoreDeliveryStreams: aws.Bool(false)}
	case *firehose.DescribeDeliveryStreamInput:
		return &firehose.DescribeDeliveryStreamOutput{DeliveryStreamDescription: &firehosetypes.DeliveryStreamDescription{
			DeliveryStreamStatus: firehosetypes.DeliveryStreamStatusActive,
			Destinations: []firehosetypes.DestinationDescription{{ExtendedS3DestinationDescription: &firehosetypes.ExtendedS3DestinationDescription{
				BucketARN: bucketARN("logs"), Prefix: str("archive/"),
			}}},
		}}
	}
	return nil
}

func (e estate) buckets(input any) any {
	switch in := input.(type) {
	case *s3.GetBucketLoggingInput:
		if *in.Bucket == "old" || e.weak {
			return nil
		}
		return &s3.GetBucketLoggingOutput{LoggingEnabled: &s3types.LoggingEnabled{TargetBucket: str("logs"), TargetPrefix: str("access/")}}
	case *s3.GetBucketLifecycleConfigurationInput:
		return &s3.GetBucketLifecycleConfigurationOutput{Rules: []s3types.LifecycleRule{{
			ID: str("all"), Status: s3types.ExpirationStatusEnabled, Filter: &s3types.LifecycleRuleFilter{Prefix: str("")}, Expiration: &s3types.LifecycleExpiration{Days: aws.Int32(e.days())},
		}}}
	case *s3.GetObjectLockConfigurationInput:
		if e.weak {
			return nil
		}
		return &s3.GetObjectLockConfigurationOutput{ObjectLockConfiguration: &s3types.ObjectLockConfiguration{
			ObjectLockEnabled: s3types.ObjectLockEnabledEnabled,
			Rule:              &s3types.ObjectLockRule{DefaultRetention: &s3types.DefaultRetention{Mode: s3types.ObjectLockRetentionModeCompliance, Days: aws.Int32(e.days())}},
		}}
	case *s3.GetBucketVersioningInput:
		return &s3.GetBucketVersioningOutput{Status: s3types.BucketVersioningStatusEnabled}
	case *s3.GetBucketReplicationInput:
		if *in.Bucket != "logs" {
			return nil
		}
		return &s3.GetBucketReplicationOutput{ReplicationConfiguration: &s3types.ReplicationConfiguration{Rules: []s3types.ReplicationRule{{
			ID: str("copy"), Status: s3types.ReplicationRuleStatusEnabled, Filter: &s3types.ReplicationRuleFilter{Prefix: str("")},
			Destination: &s3types.Destination{Bucket: bucketARN("copies")},
		}}}}
	case *s3.GetPublicAccessBlockInput:
		if *in.Bucket != "copies" || e.weak {
			return nil
		}
		return &s3.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: &s3types.PublicAccessBlockConfiguration{
			BlockPublicAcls: aws.Bool(true), IgnorePublicAcls: aws.Bool(true), BlockPublicPolicy: aws.Bool(true), RestrictPublicBuckets: aws.Bool(true),
		}}
	case *s3control.GetPublicAccessBlockInput:
		return &s3control.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: &s3controltypes.PublicAccessBlockConfiguration{
			IgnorePublicAcls: e.on(), RestrictPublicBuckets: e.on(),
		}}
	case *s3.GetBucketPolicyStatusInput:
		return &s3.GetBucketPolicyStatusOutput{PolicyStatus: &s3types.PolicyStatus{IsPublic: aws.Bool(true)}} // of a healthy account, which blocks that
	case *s3.GetBucketAclInput:
		return &s3.GetBucketAclOutput{Grants: []s3types.Grant{{Grantee: &s3types.Grantee{ID: str("owner"), Type: s3types.TypeCanonicalUser}, Permission: s3types.PermissionFullControl}}}
	case *s3.GetBucketEncryptionInput:
		by := &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: s3types.ServerSideEncryptionAwsKms, KMSMasterKeyID: arnOf("kms", "key/logs")}
		if e.weak {
			by = &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: s3types.ServerSideEncryptionAes256}
		}
		return &s3.GetBucketEncryptionOutput{ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{
			Rules: []s3types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: by}},
		}}
	}
	return nil
}

func (e estate) network(input any) any {
	switch input.(type) {
	case *ec2.DescribeVpcsInput:
		return &ec2.DescribeVpcsOutput{Vpcs: []ec2types.Vpc{{VpcId: str("vpc-1"), OwnerId: str(awstest.Account)}, {VpcId: str("vpc-2"), OwnerId: str(awstest.Account)}}}
	case *ec2.DescribeFlowLogsInput:
		traffic := ec2types.TrafficTypeAll
		if e.weak {
			traffic = ec2types.TrafficTypeReject
		}
		one := func(id, resource string) ec2types.FlowLog {
			return ec2types.FlowLog{
				FlowLogId: &id, ResourceId: &resource, TrafficType: traffic, FlowLogStatus: str("ACTIVE"), DeliverLogsStatus: str("SUCCESS"), CreationTime: long,
				LogDestinationType: ec2types.LogDestinationTypeS3, LogDestination: str(*bucketARN("logs") + "/flow"),
			}
		}
		return &ec2.DescribeFlowLogsOutput{FlowLogs: []ec2types.FlowLog{one("fl-1", "vpc-1"), one("fl-2", "subnet-2"), one("fl-3", "eni-2")}}
	case *ec2.DescribeSubnetsInput:
		return &ec2.DescribeSubnetsOutput{Subnets: []ec2types.Subnet{{SubnetId: str("subnet-1"), VpcId: str("vpc-1")}, {SubnetId: str("subnet-2"), VpcId: str("vpc-2")}}}
	case *ec2.DescribeNetworkInterfacesInput:
		return &ec2.DescribeNetworkInterfacesOutput{NetworkInterfaces: []ec2types.NetworkInterface{{NetworkInterfaceId: str("eni-2"), VpcId: str("vpc-2")}}}
	case *route53resolver.ListResolverQueryLogConfigsInput:
		return &route53resolver.ListResolverQueryLogConfigsOutput{ResolverQueryLogConfigs: []resolvertypes.ResolverQueryLogConfig{{
			Id: str("rqlc-1"), Name: str("names"), Status: resolvertypes.ResolverQueryLogConfigStatusCreated, DestinationArn: groupARN("dns"),
		}}}
	case *route53resolver.ListResolverQueryLogConfigAssociationsInput:
		return &route53resolver.ListResolverQueryLogConfigAssociationsOutput{ResolverQueryLogConfigAssociations: []resolvertypes.ResolverQueryLogConfigAssociation{{
			ResolverQueryLogConfigId: str("rqlc-1"), ResourceId: str("vpc-1"), Status: resolvertypes.ResolverQueryLogConfigAssociationStatusActive, CreationTime: str(long.Format(time.RFC3339)),
		}}}
	case *ec2.DescribeClientVpnEndpointsInput:
		return &ec2.DescribeClientVpnEndpointsOutput{ClientVpnEndpoints: []ec2types.ClientVpnEndpoint{{
			ClientVpnEndpointId: str("cvpn-1"), ConnectionLogOptions: &ec2types.ConnectionLogResponseOptions{Enabled: e.on(), CloudwatchLogGroup: str("vpn")},
		}}}
	case *ec2.DescribeVpnConnectionsInput:
		return &ec2.DescribeVpnConnectionsOutput{VpnConnections: []ec2types.VpnConnection{{
			VpnConnectionId: str("vpn-1"), State: ec2types.VpnStateAvailable, Options: &ec2types.VpnConnectionOptions{TunnelOptions: []ec2types.TunnelOption{{
				OutsideIpAddress: str("192.0.2.1"),
				LogOptions:       &ec2types.VpnTunnelLogOptions{CloudWatchLogOptions: &ec2types.CloudWatchLogOptions{LogEnabled: e.on(), LogGroupArn: groupARN("vpn")}},
			}}},
		}}}
	}
	return nil
}

func (e estate) edge(input any) any {
	access := func(group string) *string {
		if e.weak {
			return nil
		}
		return groupARN(group)
	}
	switch input.(type) {
	case *elasticloadbalancing.DescribeLoadBalancersInput:
		return &elasticloadbalancing.DescribeLoadBalancersOutput{LoadBalancerDescriptions: []elbtypes.LoadBalancerDescription{{LoadBalancerName: str("old")}}}
	case *elasticloadbalancing.DescribeLoadBalancerAttributesInput:
		return &elasticloadbalancing.DescribeLoadBalancerAttributesOutput{LoadBalancerAttributes: &elbtypes.LoadBalancerAttributes{
			AccessLog: &elbtypes.AccessLog{Enabled: !e.weak, S3BucketName: str("logs"), S3BucketPrefix: str("elb")},
		}}
	case *elbv2.DescribeLoadBalancersInput:
		return &elbv2.DescribeLoadBalancersOutput{LoadBalancers: []elbv2types.LoadBalancer{
			{LoadBalancerName: str("web"), LoadBalancerArn: arnOf("elasticloadbalancing", "loadbalancer/app/web/1"), Type: elbv2types.LoadBalancerTypeEnumApplication},
			{LoadBalancerName: str("tcp"), LoadBalancerArn: arnOf("elasticloadbalancing", "loadbalancer/net/tcp/1"), Type: elbv2types.LoadBalancerTypeEnumNetwork},
		}}
	case *elbv2.DescribeLoadBalancerAttributesInput:
		on := "true"
		if e.weak {
			on = "false"
		}
		return &elbv2.DescribeLoadBalancerAttributesOutput{Attributes: []elbv2types.LoadBalancerAttribute{
			{Key: str("access_logs.s3.enabled"), Value: &on}, {Key: str("access_logs.s3.bucket"), Value: str("logs")}, {Key: str("access_logs.s3.prefix"), Value: str("elb")},
		}}
	case *elbv2.DescribeListenersInput:
		return &elbv2.DescribeListenersOutput{Listeners: []elbv2types.Listener{{Protocol: elbv2types.ProtocolEnumTls}}}
	case *apigateway.GetRestApisInput:
		return &apigateway.GetRestApisOutput{Items: []apitypes.RestApi{{Id: str("r1"), Name: str("orders")}}}
	case *apigateway.GetStagesInput:
		out := &apigateway.GetStagesOutput{Item: []apitypes.Stage{{StageName: str("prod"), AccessLogSettings: &apitypes.AccessLogSettings{DestinationArn: access("api")}}}}
		return out
	case *apigatewayv2.GetApisInput:
		return &apigatewayv2.GetApisOutput{Items: []api2types.Api{{ApiId: str("h1"), Name: str("web"), ProtocolType: api2types.ProtocolTypeHttp}}}
	case *apigatewayv2.GetStagesInput:
		return &apigatewayv2.GetStagesOutput{Items: []api2types.Stage{{StageName: str("live"), AccessLogSettings: &api2types.AccessLogSettings{DestinationArn: access("api2")}}}}
	case *networkfirewall.ListFirewallsInput:
		return &networkfirewall.ListFirewallsOutput{Firewalls: []fwtypes.FirewallMetadata{{FirewallName: str("gate"), FirewallArn: arnOf("network-firewall", "firewall/gate")}}}
	case *networkfirewall.DescribeLoggingConfigurationInput:
		if e.weak {
			return nil
		}
		to := map[string]string{"logGroup": "firewall"}
		return &networkfirewall.DescribeLoggingConfigurationOutput{LoggingConfiguration: &fwtypes.LoggingConfiguration{LogDestinationConfigs: []fwtypes.LogDestinationConfig{
			{LogType: fwtypes.LogTypeFlow, LogDestinationType: fwtypes.LogDestinationTypeCloudwatchLogs, LogDestination: to},
			{LogType: fwtypes.LogTypeAlert, LogDestinationType: fwtypes.LogDestinationTypeCloudwatchLogs, LogDestination: to},
		}}}
	}
	return nil
}

func (e estate) compute(input any) any {
	cluster := arnOf("ecs", "cluster/main")
	switch input.(type) {
	case *eks.ListClustersInput:
		return &eks.ListClustersOutput{Clusters: []string{"shop"}}
	case *eks.DescribeClusterInput:
		return &eks.DescribeClusterOutput{Cluster: &ekstypes.Cluster{Name: str("shop"), Logging: &ekstypes.Logging{
			ClusterLogging: []ekstypes.LogSetup{{Enabled: e.on(), Types: []ekstypes.LogType{ekstypes.LogTypeApi, ekstypes.LogTypeAudit}}},
		}}}
	case *ecs.ListClustersInput:
		return &ecs.ListClustersOutput{ClusterArns: []string{*cluster}}
	case *ecs.DescribeClustersInput:
		logging := ecstypes.ExecuteCommandLoggingOverride
		if e.weak {
			logging = ecstypes.ExecuteCommandLoggingNone
		}
		return &ecs.DescribeClustersOutput{Clusters: []ecstypes.Cluster{{ClusterArn: cluster, RunningTasksCount: 3, Configuration: &ecstypes.ClusterConfiguration{
			ExecuteCommandConfiguration: &ecstypes.ExecuteCommandConfiguration{Logging: logging, LogConfiguration: &ecstypes.ExecuteCommandLogConfiguration{S3BucketName: str("logs")}},
		}}}}
	case *ecs.ListServicesInput:
		return &ecs.ListServicesOutput{ServiceArns: []string{*arnOf("ecs", "service/main/web")}}
	case *ecs.DescribeServicesInput:
		return &ecs.DescribeServicesOutput{Services: []ecstypes.Service{{
			ServiceName: str("web"), ServiceArn: arnOf("ecs", "service/main/web"), TaskDefinition: arnOf("ecs", "task-definition/web:3"),
			LaunchType: ecstypes.LaunchTypeFargate, RunningCount: 2, EnableExecuteCommand: !e.weak,
		}}}
	case *ecs.ListTasksInput:
		return &ecs.ListTasksOutput{TaskArns: []string{*arnOf("ecs", "task/main/1")}}
	case *ecs.DescribeTasksInput:
		return &ecs.DescribeTasksOutput{Tasks: []ecstypes.Task{{
			TaskArn: arnOf("ecs", "task/main/1"), TaskDefinitionArn: arnOf("ecs", "task-definition/job:1"), Group: str("family:job"), LaunchType: ecstypes.LaunchTypeFargate,
			EnableExecuteCommand: !e.weak,
		}}}
	case *ecs.DescribeTaskDefinitionInput:
		def := ecstypes.ContainerDefinition{Name: str("app"), Image: str("registry.example/app@sha256:" + strings.Repeat("a", 64)), LogConfiguration: &ecstypes.LogConfiguration{
			LogDriver: ecstypes.LogDriverAwslogs, Options: map[string]string{"awslogs-group": "/ecs/web", "awslogs-region": awstest.Region, "awslogs-stream-prefix": "app"},
		}}
		if e.weak {
			def.LogConfiguration, def.Image = nil, str("app:latest")
		}
		return &ecs.DescribeTaskDefinitionOutput{TaskDefinition: &ecstypes.TaskDefinition{Family: str("web"), ContainerDefinitions: []ecstypes.ContainerDefinition{def}}}
	case *ecs.ListAccountSettingsInput:
		return &ecs.ListAccountSettingsOutput{Settings: []ecstypes.Setting{{Name: ecstypes.SettingNameDefaultLogDriverMode, Value: str("blocking")}}}
	case *lambda.ListFunctionsInput:
		function := func(version, sha string) lambdatypes.FunctionConfiguration {
			return lambdatypes.FunctionConfiguration{FunctionName: str("pay"), Version: &version, CodeSha256: &sha, Role: str("arn:aws:iam::" + awstest.Account + ":role/pay")}
		}
		out := &lambda.ListFunctionsOutput{Functions: []lambdatypes.FunctionConfiguration{function("$LATEST", "x")}}
		if !e.weak {
			out.Functions = append(out.Functions, function("1", "x"))
		}
		return out
	case *ecr.DescribeRepositoriesInput:
		tags := ecrtypes.ImageTagMutabilityImmutable
		if e.weak {
			tags = ecrtypes.ImageTagMutabilityMutable
		}
		return &ecr.DescribeRepositoriesOutput{Repositories: []ecrtypes.Repository{{RepositoryName: str("app"), RegistryId: str(awstest.Account), ImageTagMutability: tags}}}
	case *ecr.GetLifecyclePolicyInput:
		status := "untagged"
		if e.weak {
			status = "any"
		}
		return &ecr.GetLifecyclePolicyOutput{LifecyclePolicyText: str(
			`{"rules":[{"selection":{"tagStatus":"` + status + `","countType":"imageCountMoreThan","countNumber":9},"action":{"type":"expire"}}]}`)}
	}
	return nil
}

func (e estate) machines(input any) any {
	switch in := input.(type) {
	case *ec2.DescribeInstancesInput:
		one := func(id string) ec2types.Instance {
			return ec2types.Instance{
				InstanceId: &id, State: &ec2types.InstanceState{Name: ec2types.InstanceStateNameRunning},
				BlockDeviceMappings: []ec2types.InstanceBlockDeviceMapping{{Ebs: &ec2types.EbsInstanceBlockDevice{VolumeId: str("vol-" + id), DeleteOnTermination: aws.Bool(true)}}},
			}
		}
		return &ec2.DescribeInstancesOutput{Reservations: []ec2types.Reservation{{Instances: []ec2types.Instance{one("i-1"), one("i-2")}}}}
	case *ec2.DescribeVolumesInput:
		out := &ec2.DescribeVolumesOutput{}
		for _, id := range []string{"vol-i-1", "vol-i-2"} {
			out.Volumes = append(out.Volumes, ec2types.Volume{VolumeId: &id, Encrypted: aws.Bool(true), KmsKeyId: arnOf("kms", "key/disks")})
		}
		return out
	case *autoscaling.DescribeAutoScalingGroupsInput:
		return &autoscaling.DescribeAutoScalingGroupsOutput{AutoScalingGroups: []asgtypes.AutoScalingGroup{{
			AutoScalingGroupName: str("fleet"), Instances: []asgtypes.Instance{{InstanceId: str("i-1")}, {InstanceId: str("i-2")}},
		}}}
	case *autoscaling.DescribeLifecycleHooksInput:
		if e.weak {
			return nil
		}
		return &autoscaling.DescribeLifecycleHooksOutput{LifecycleHooks: []asgtypes.LifecycleHook{{
			LifecycleHookName: str("snapshot"), LifecycleTransition: str("autoscaling:EC2_INSTANCE_TERMINATING"),
		}}}
	case *ssm.DescribeInstanceInformationInput:
		out := &ssm.DescribeInstanceInformationOutput{}
		for _, id := range []string{"i-1", "i-2"} {
			out.InstanceInformationList = append(out.InstanceInformationList, ssmtypes.InstanceInformation{
				InstanceId: &id, PingStatus: ssmtypes.PingStatusOnline, LastPingDateTime: hour, PlatformType: ssmtypes.PlatformTypeLinux,
			})
		}
		return out
	case *ssm.GetDocumentInput:
		content := `{"inputs":{"cloudWatchLogGroupName":"sessions"}}`
		if e.weak {
			content = `{"inputs":{}}`
		}
		return &ssm.GetDocumentOutput{Content: &content}
	case *ssm.GetInventoryInput:
		if in.Filters[0].Type == ssmtypes.InventoryQueryOperatorTypeEqual {
			return nil
		}
		return &ssm.GetInventoryOutput{Entities: []ssmtypes.InventoryResultEntity{{Id: str("i-1")}, {Id: str("i-2")}}}
	}
	return nil
}

func (e estate) data(input any) any {
	switch in := input.(type) {
	case *rds.DescribeDBInstancesInput:
		return &rds.DescribeDBInstancesOutput{DBInstances: []rdstypes.DBInstance{
			{
				DBInstanceIdentifier: str("users"), Engine: str("mysql"), EnabledCloudwatchLogsExports: e.exports("general", "audit"),
				DBParameterGroups:      []rdstypes.DBParameterGroupStatus{{DBParameterGroupName: str("mysql")}},
				OptionGroupMemberships: []rdstypes.OptionGroupMembership{{OptionGroupName: str("audit")}},
			},
			{DBInstanceIdentifier: str("orders-1"), DBClusterIdentifier: str("orders"), Engine: str("aurora-postgresql"), DBParameterGroups: []rdstypes.DBParameterGroupStatus{{DBParameterGroupName: str("pg")}}},
		}}
	case *rds.DescribeDBClustersInput:
		return &rds.DescribeDBClustersOutput{DBClusters: []rdstypes.DBCluster{{
			DBClusterIdentifier: str("orders"), Engine: str("aurora-postgresql"), EnabledCloudwatchLogsExports: e.exports("postgresql"), DBClusterParameterGroup: str("pg-cluster"),
			DBClusterMembers: []rdstypes.DBClusterMember{{DBInstanceIdentifier: str("orders-1")}},
		}}}
	case *rds.DescribeDBParametersInput:
		if *in.DBParameterGroupName == "mysql" && !e.weak {
			return &rds.DescribeDBParametersOutput{Parameters: []rdstypes.Parameter{{ParameterName: str("general_log"), ParameterValue: str("1")}, {ParameterName: str("log_output"), ParameterValue: str("FILE")}}}
		}
	case *rds.DescribeDBClusterParametersInput:
		on := map[bool]string{true: "0", false: "1"}[e.weak]
		return &rds.DescribeDBClusterParametersOutput{Parameters: []rdstypes.Parameter{{ParameterName: str("log_connections"), ParameterValue: &on}}}
	case *rds.DescribeOptionGroupsInput:
		return &rds.DescribeOptionGroupsOutput{OptionGroupsList: []rdstypes.OptionGroup{{OptionGroupName: str("audit")}}}
	case *redshift.DescribeClustersInput:
		return &redshift.DescribeClustersOutput{Clusters: []redshifttypes.Cluster{{ClusterIdentifier: str("sums"), ClusterStatus: str("available")}}}
	case *redshift.DescribeLoggingStatusInput:
		return &redshift.DescribeLoggingStatusOutput{
			LoggingEnabled: e.on(), BucketName: str("logs"), S3KeyPrefix: str("redshift/"), LogDestinationType: redshifttypes.LogDestinationTypeS3, LastSuccessfulDeliveryTime: hour,
		}
	case *opensearch.ListDomainNamesInput:
		return &opensearch.ListDomainNamesOutput{DomainNames: []estypes.DomainInfo{{DomainName: str("search")}}}
	case *opensearch.DescribeDomainsInput:
		return &opensearch.DescribeDomainsOutput{DomainStatusList: []estypes.DomainStatus{{
			DomainName: str("search"), LogPublishingOptions: map[string]estypes.LogPublishingOption{"AUDIT_LOGS": {Enabled: e.on(), CloudWatchLogsLogGroupArn: groupARN("search")}},
		}}}
	}
	return nil
}

func (e estate) exports(names ...string) []string {
	if e.weak {
		return nil
	}
	return names
}

func (e estate) detection(input any) any {
	switch input.(type) {
	case *guardduty.ListDetectorsInput:
		return &guardduty.ListDetectorsOutput{DetectorIds: []string{"d1"}}
	case *guardduty.GetDetectorInput:
		status := gdtypes.DetectorStatusEnabled
		if e.weak {
			status = gdtypes.DetectorStatusDisabled
		}
		return &guardduty.GetDetectorOutput{Status: status, CreatedAt: str(long.Format(time.RFC3339)), Features: []gdtypes.DetectorFeatureConfigurationResult{{
			Name: gdtypes.DetectorFeatureResultRuntimeMonitoring, Status: gdtypes.FeatureStatusEnabled,
		}}}
	case *guardduty.GetAdministratorAccountInput: // it is its own
		return &guardduty.GetAdministratorAccountOutput{}
	case *guardduty.ListPublishingDestinationsInput:
		return &guardduty.ListPublishingDestinationsOutput{Destinations: []gdtypes.Destination{{DestinationId: str("p1"), Status: gdtypes.PublishingStatusPublishing}}}
	case *guardduty.DescribePublishingDestinationInput:
		return &guardduty.DescribePublishingDestinationOutput{Status: gdtypes.PublishingStatusPublishing, DestinationProperties: &gdtypes.DestinationProperties{
			DestinationArn: str(*bucketARN("logs") + "/findings"), KmsKeyArn: arnOf("kms", "key/logs"),
		}}
	case *guardduty.ListCoverageInput:
		state := gdtypes.CoverageStatusHealthy
		if e.weak {
			state = gdtypes.CoverageStatusUnhealthy
		}
		one := func(details gdtypes.CoverageResourceDetails) gdtypes.CoverageResource {
			return gdtypes.CoverageResource{CoverageStatus: state, ResourceDetails: &details}
		}
		return &guardduty.ListCoverageOutput{Resources: []gdtypes.CoverageResource{
			one(gdtypes.CoverageResourceDetails{Ec2InstanceDetails: &gdtypes.CoverageEc2InstanceDetails{InstanceId: str("i-1")}}),
			one(gdtypes.CoverageResourceDetails{Ec2InstanceDetails: &gdtypes.CoverageEc2InstanceDetails{InstanceId: str("i-2")}}),
			one(gdtypes.CoverageResourceDetails{EksClusterDetails: &gdtypes.CoverageEksClusterDetails{ClusterName: str("shop")}}),
		}}
	case *securityhub.DescribeHubInput:
		return &securityhub.DescribeHubOutput{HubArn: arnOf("securityhub", "hub/default")}
	case *configservice.DescribeConfigurationRecordersInput:
		return &configservice.DescribeConfigurationRecordersOutput{ConfigurationRecorders: []configtypes.ConfigurationRecorder{{
			Name: str("default"), RecordingGroup: &configtypes.RecordingGroup{AllSupported: true, IncludeGlobalResourceTypes: true},
		}}}
	case *configservice.DescribeConfigurationRecorderStatusInput:
		return &configservice.DescribeConfigurationRecorderStatusOutput{ConfigurationRecordersStatus: []configtypes.ConfigurationRecorderStatus{{
			Name: str("default"), Recording: !e.weak, LastStartTime: long, LastStatus: configtypes.RecorderStatusSuccess,
		}}}
	case *configservice.DescribeDeliveryChannelsInput:
		return &configservice.DescribeDeliveryChannelsOutput{DeliveryChannels: []configtypes.DeliveryChannel{{Name: str("default"), S3BucketName: str("logs")}}}
	case *configservice.DescribeDeliveryChannelStatusInput:
		ok := &configtypes.ConfigExportDeliveryInfo{LastStatus: configtypes.DeliveryStatusSuccess, LastSuccessfulTime: hour}
		return &configservice.DescribeDeliveryChannelStatusOutput{DeliveryChannelsStatus: []configtypes.DeliveryChannelStatus{{Name: str("default"), ConfigHistoryDeliveryInfo: ok}}}
	case *configservice.DescribeRetentionConfigurationsInput:
		return &configservice.DescribeRetentionConfigurationsOutput{RetentionConfigurations: []configtypes.RetentionConfiguration{{Name: str("default"), RetentionPeriodInDays: aws.Int32(e.days())}}}
	case *securitylake.ListDataLakesInput:
		return &securitylake.ListDataLakesOutput{DataLakes: []laketypes.DataLakeResource{{DataLakeArn: arnOf("securitylake", "data-lake/default"), Region: str(awstest.Region), S3BucketArn: bucketARN("logs")}}}
	case *securitylake.ListLogSourcesInput:
		out := &securitylake.ListLogSourcesOutput{}
		if !e.weak {
			out.Sources = []laketypes.LogSource{{Account: str(awstest.Account), Region: str(awstest.Region), Sources: []laketypes.LogSourceResource{
				&laketypes.LogSourceResourceMemberAwsLogSource{Value: laketypes.AwsLogSourceResource{SourceName: laketypes.AwsLogSourceNameRoute53}},
			}}}
		}
		return out
	}
	return nil
}
