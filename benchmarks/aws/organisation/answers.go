package organisation

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// An answer is what goes over the wire.
type answer struct {
	status int // 0 for 200
	kind   string
	body   []byte
}

// Pages as AWS gives them at most.
const (
	groupsAPage   = 50
	accountsAPage = 20
	metricsAPage  = 500
)

// Account is the number of the account with an index. The first manages the organisation.
func Account(i int) string { return strconv.Itoa(100_000_000_001 + i) }

func (s *Server) management() string { return Account(0) }

// centralBucket takes the logs of all accounts.
func (s *Server) centralBucket() string { return "central-logs-" + s.management() }

// bucket is the name of a bucket of an account. The first takes the access logs of every second one.
func bucket(account string, i int) string { return fmt.Sprintf("data-%s-%04d", account, i) }

// bucketRegion spreads the buckets of an account: half of them lie in one region.
func (s *Server) bucketRegion(i int) string {
	if i%2 == 0 {
		return s.regions[0]
	}
	return s.regions[i/2%len(s.regions)]
}

// groupName is the name of a log group: first those of the clusters.
func (s *Server) groupName(i int) string {
	if i < s.estate.Clusters {
		return "/aws/eks/" + clusterName(i) + "/cluster"
	}
	return fmt.Sprintf("/services/checkout-and-payments/%04d", i)
}

func clusterName(i int) string { return fmt.Sprintf("cluster-%d", i) }

// Of the log groups of a region, six in ten received records lately, and one in a hundred forwards them.
func receives(i int) bool { return i%10 < 6 }
func forwards(i int) bool { return i%100 == 1 }

type object = map[string]any

func (s *Server) answer(c call) answer {
	var out any
	switch c.service + ":" + c.operation {
	case "sts:GetCallerIdentity":
		return result(c, "<Account>%s</Account><Arn>arn:aws:iam::%[1]s:user/scanner</Arn><UserId>AIDAEXAMPLE</UserId>", c.account)
	case "sts:AssumeRole":
		parts := append(strings.Split(c.form.Get("RoleArn"), ":"), "", "", "", "", "")
		return result(c, "<Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>%s</Expiration></Credentials>",
			Key(parts[4]), s.now.Add(24*time.Hour).UTC().Format(time.RFC3339))
	case "iam:GetAccountAuthorizationDetails":
		return iamDetails(c)
	case "ec2:DescribeRegions":
		var b strings.Builder
		for _, r := range s.regions {
			fmt.Fprintf(&b, "<item><regionName>%s</regionName><optInStatus>opt-in-not-required</optInStatus></item>", r)
		}
		return result(c, "<regionInfo>%s</regionInfo>", b.String())
	case "ec2:DescribeVpcs":
		return result(c, "<vpcSet><item><vpcId>%s</vpcId><ownerId>%s</ownerId><state>available</state></item></vpcSet>", vpc(c), c.account)
	case "ec2:DescribeFlowLogs":
		return result(c, "<flowLogSet><item><flowLogId>fl-%s</flowLogId><flowLogStatus>ACTIVE</flowLogStatus><resourceId>%s</resourceId><trafficType>ALL</trafficType>"+
			"<logDestinationType>s3</logDestinationType><logDestination>arn:aws:s3:::%s/flow</logDestination><deliverLogsStatus>SUCCESS</deliverLogsStatus>"+
			"<creationTime>%s</creationTime></item></flowLogSet>", c.account, vpc(c), s.centralBucket(), s.now.AddDate(-2, 0, 0).UTC().Format(time.RFC3339))
	case "organizations:DescribeOrganization":
		out = object{"Organization": object{"Id": "o-simulated1", "MasterAccountId": s.management(), "FeatureSet": "ALL"}}
	case "organizations:ListAccounts":
		out = s.accounts(c)
	case "cloudtrail:DescribeTrails":
		out = object{"trailList": []object{{
			"Name": "organisation", "TrailARN": "arn:aws:cloudtrail:" + s.regions[0] + ":" + s.management() + ":trail/organisation", "HomeRegion": s.regions[0],
			"S3BucketName": s.centralBucket(), "S3KeyPrefix": "trail", "IsMultiRegionTrail": true, "IsOrganizationTrail": true,
			"IncludeGlobalServiceEvents": true, "LogFileValidationEnabled": true, "HasCustomEventSelectors": false,
			"KmsKeyId": "arn:aws:kms:" + s.regions[0] + ":" + s.management() + ":key/trail",
		}}}
	case "cloudtrail:GetTrailStatus":
		lately := s.now.Add(-5 * time.Minute).Unix()
		out = object{"IsLogging": true, "StartLoggingTime": s.now.AddDate(-2, 0, 0).Unix(), "LatestDeliveryTime": lately, "LatestDigestDeliveryTime": lately}
	case "cloudtrail:GetEventSelectors":
		out = object{"EventSelectors": []object{{"ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": []object{}}}}
	case "kms:DescribeKey":
		out = object{"KeyMetadata": object{"KeyId": "key", "KeyManager": "CUSTOMER", "KeyState": "Enabled", "Enabled": true}}
	case "config:DescribeConfigurationRecorders":
		out = object{"ConfigurationRecorders": []object{{"name": "default", "recordingGroup": object{"allSupported": true, "includeGlobalResourceTypes": true}}}}
	case "config:DescribeConfigurationRecorderStatus":
		out = object{"ConfigurationRecordersStatus": []object{{"name": "default", "recording": true, "lastStatus": "SUCCESS", "lastStartTime": s.now.AddDate(-1, 0, 0).Unix()}}}
	case "config:DescribeDeliveryChannels":
		out = object{"DeliveryChannels": []object{{"name": "default", "s3BucketName": s.centralBucket(), "s3KeyPrefix": "config"}}}
	case "config:DescribeDeliveryChannelStatus":
		out = object{"DeliveryChannelsStatus": []object{{"name": "default", "configHistoryDeliveryInfo": object{"lastStatus": "SUCCESS", "lastSuccessfulTime": s.now.Add(-time.Hour).Unix()}}}}
	case "guardduty:GET /detector":
		out = object{"detectorIds": []string{"d0"}}
	case "guardduty:GET /detector/*":
		out = object{"status": "ENABLED", "createdAt": s.now.AddDate(-1, 0, 0).UTC().Format(time.RFC3339), "serviceRole": "role", "features": []object{{"name": "CLOUD_TRAIL", "status": "ENABLED"}}}
	case "eks:GET /clusters":
		names := []string{}
		for i := range s.estate.Clusters {
			names = append(names, clusterName(i))
		}
		out = object{"clusters": names}
	case "eks:GET /clusters/*":
		out = object{"cluster": object{"name": c.path[1], "status": "ACTIVE", "logging": object{"clusterLogging": []object{{"types": []string{"api", "audit"}, "enabled": true}}}}}
	case "logs:DescribeLogGroups":
		return s.groups(c)
	case "logs:DescribeSubscriptionFilters":
		out = object{"subscriptionFilters": []object{{"filterName": "central", "filterPattern": "", "destinationArn": "arn:aws:firehose:" + c.region + ":" + c.account + ":deliverystream/central"}}}
	case "monitoring:ListMetrics":
		return s.metrics(c)
	}
	switch {
	case out != nil:
		body, err := json.Marshal(out)
		if err != nil {
			return answer{status: http.StatusInternalServerError}
		}
		return answer{body: body}
	case c.service == "s3":
		return s.storage(c)
	}
	return nothing(c)
}

// nothing is the answer of an account in which there is nothing.
func nothing(c call) answer {
	switch c.protocol {
	case query, ec2Query:
		return result(c, "")
	case restXML:
		return answer{body: []byte("<Nothing></Nothing>")}
	case cborRPC:
		return answer{body: cbor.Encode(cbor.Map{})}
	}
	return answer{body: []byte("{}")}
}

// result is an answer in one of the query protocols.
func result(c call, format string, args ...any) answer {
	body := fmt.Sprintf(format, args...)
	if c.protocol == query {
		body = fmt.Sprintf("<%[1]sResult>%[2]s</%[1]sResult>", c.operation, body)
	}
	return answer{body: fmt.Appendf(nil, "<%[1]sResponse>%[2]s</%[1]sResponse>", c.operation, body)}
}

// throttle is the answer to a call that comes too fast, in the form of the protocol.
func throttle(c call) answer {
	const text = "Rate exceeded"
	switch c.protocol {
	case query:
		return answer{http.StatusBadRequest, "", []byte("<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>" + text + "</Message></Error></ErrorResponse>")}
	case ec2Query:
		return answer{http.StatusServiceUnavailable, "", []byte("<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>" + text + "</Message></Error></Errors></Response>")}
	case restXML:
		return answer{http.StatusServiceUnavailable, "", []byte("<Error><Code>SlowDown</Code><Message>" + text + "</Message></Error>")}
	case cborRPC:
		return answer{http.StatusBadRequest, "", cbor.Encode(cbor.Map{"__type": cbor.String("com.amazonaws.cloudwatch#ThrottlingException"), "message": cbor.String(text)})}
	case restJSON:
		return answer{http.StatusTooManyRequests, "ThrottlingException", []byte(`{"message":"` + text + `"}`)}
	}
	return answer{http.StatusBadRequest, "", []byte(`{"__type":"ThrottlingException","message":"` + text + `"}`)}
}

// page returns where a page begins and ends, and the token of the next one.
func page(token string, all, size int) (from, to int, next string) {
	from, _ = strconv.Atoi(token) // the first page has none
	from = min(max(from, 0), all)
	to = min(from+size, all)
	if to < all {
		next = strconv.Itoa(to)
	}
	return from, to, next
}

func vpc(c call) string { return "vpc-" + c.account + "-" + c.region }

func (s *Server) accounts(c call) object {
	var in struct{ NextToken string }
	_ = json.Unmarshal(c.body, &in) // the first page has no token
	from, to, next := page(in.NextToken, s.estate.Accounts, accountsAPage)
	out := object{}
	list := []object{}
	for i := from; i < to; i++ {
		list = append(list, object{"Id": Account(i), "Name": fmt.Sprintf("account-%04d", i), "State": "ACTIVE", "Status": "ACTIVE"})
	}
	if out["Accounts"] = list; next != "" {
		out["NextToken"] = next
	}
	return out
}

func (s *Server) groups(c call) answer {
	var in struct {
		NextToken string `json:"nextToken"`
	}
	_ = json.Unmarshal(c.body, &in) // the first page has no token
	from, to, next := page(in.NextToken, s.estate.Groups, groupsAPage)
	created := s.now.AddDate(-2, 0, 0).UnixMilli()
	days := []int{0, 30, 90, 365, 400}
	body := []byte(`{"logGroups":[`)
	for i := from; i < to; i++ {
		if i > from {
			body = append(body, ',')
		}
		name := s.groupName(i)
		body = fmt.Appendf(body, `{"logGroupName":%q,"arn":"arn:aws:logs:%s:%s:log-group:%s:*","creationTime":%d,"metricFilterCount":0,"storedBytes":1048576,"logGroupClass":"STANDARD"`,
			name, c.region, c.account, name, created)
		if d := days[i%len(days)]; d > 0 {
			body = fmt.Appendf(body, `,"retentionInDays":%d`, d)
		}
		if i%10 == 0 {
			body = fmt.Appendf(body, `,"kmsKeyId":"arn:aws:kms:%s:%s:key/logs"`, c.region, c.account)
		}
		body = append(body, '}')
	}
	body = append(body, ']')
	if next != "" {
		body = fmt.Appendf(body, `,"nextToken":%q`, next)
	}
	return answer{body: append(body, '}')}
}

// metrics lists what CloudWatch Logs says of its groups.
func (s *Server) metrics(c call) answer {
	var token, metric string
	if v, err := cbor.Decode(c.body); err == nil {
		in, _ := v.(cbor.Map)
		t, _ := in["NextToken"].(cbor.String)
		m, _ := in["MetricName"].(cbor.String)
		token, metric = string(t), string(m)
	}
	var all []cbor.Value
	dimension := func(name, value string) cbor.Value {
		return cbor.Map{"Name": cbor.String(name), "Value": cbor.String(value)}
	}
	for i := range s.estate.Groups {
		dimensions := cbor.List{dimension("LogGroupName", s.groupName(i))}
		switch {
		case metric == "ForwardedLogEvents" && forwards(i):
			dimensions = append(dimensions, dimension("FilterName", "central"), dimension("DestinationType", "Firehose"))
		case metric == "IncomingLogEvents" && receives(i):
		default:
			continue
		}
		all = append(all, cbor.Map{"Namespace": cbor.String("AWS/Logs"), "MetricName": cbor.String(metric), "Dimensions": dimensions})
	}
	from, to, next := page(token, len(all), metricsAPage)
	out := cbor.Map{"Metrics": cbor.List(all[from:to])}
	if next != "" {
		out["NextToken"] = cbor.String(next)
	}
	return answer{body: cbor.Encode(out)}
}

// storage answers for S3.
func (s *Server) storage(c call) answer {
	if len(c.path) == 0 {
		var b strings.Builder
		b.WriteString("<ListAllMyBucketsResult><Buckets>")
		one := func(name, region string) {
			fmt.Fprintf(&b, "<Bucket><Name>%s</Name><CreationDate>2024-01-01T00:00:00Z</CreationDate><BucketRegion>%s</BucketRegion></Bucket>", name, region)
		}
		if c.account == s.management() {
			one(s.centralBucket(), s.regions[0])
		}
		for i := range s.estate.Buckets {
			one(bucket(c.account, i), s.bucketRegion(i))
		}
		b.WriteString("</Buckets></ListAllMyBucketsResult>")
		return answer{body: []byte(b.String())}
	}
	name := c.path[0]
	switch strings.TrimPrefix(c.operation, "GET ?") {
	case "logging":
		if i, err := strconv.Atoi(name[max(0, len(name)-4):]); err == nil && i%2 == 0 && name != s.centralBucket() {
			return answer{body: []byte("<BucketLoggingStatus><LoggingEnabled><TargetBucket>" + bucket(c.account, 0) + "</TargetBucket><TargetPrefix>access/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>")}
		}
		return answer{body: []byte("<BucketLoggingStatus></BucketLoggingStatus>")}
	case "lifecycle":
		return answer{body: []byte("<LifecycleConfiguration><Rule><ID>old</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>" +
			"<Transition><Days>90</Days><StorageClass>GLACIER</StorageClass></Transition><Expiration><Days>400</Days></Expiration></Rule></LifecycleConfiguration>")}
	case "object-lock":
		if name == s.centralBucket() {
			return answer{body: []byte("<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Days>365</Days></DefaultRetention></Rule></ObjectLockConfiguration>")}
		}
		return answer{http.StatusNotFound, "", []byte("<Error><Code>ObjectLockConfigurationNotFoundError</Code><Message>none</Message></Error>")}
	case "versioning":
		return answer{body: []byte("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")}
	case "publicAccessBlock":
		return answer{body: []byte("<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>")}
	case "encryption":
		return answer{body: []byte("<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>")}
	case "replication":
		return answer{http.StatusNotFound, "", []byte("<Error><Code>ReplicationConfigurationNotFoundError</Code><Message>none</Message></Error>")}
	}
	return nothing(c)
}

// iamDetails are 200 roles on two pages.
func iamDetails(c call) answer {
	const roles, aPage = 200, 100
	from, to, next := page(c.form.Get("Marker"), roles, aPage)
	document := url.QueryEscape(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","logs:PutLogEvents"],"Resource":"*"}]}`)
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "<member><RoleName>role-%03d</RoleName><Arn>arn:aws:iam::%s:role/role-%03d</Arn><RolePolicyList><member><PolicyName>own</PolicyName><PolicyDocument>%s</PolicyDocument></member></RolePolicyList></member>",
			i, c.account, i, document)
	}
	return result(c, "<RoleDetailList>%s</RoleDetailList><IsTruncated>%t</IsTruncated><Marker>%s</Marker>", b.String(), next != "", next)
}
