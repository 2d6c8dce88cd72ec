package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	ekstypes "github.com/aws/aws-sdk-go-v2/service/eks/types"
	"github.com/aws/aws-sdk-go-v2/service/guardduty"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/scope"
)

// motoAccount is the account of whoever asks moto with a key that it does not know.
const motoAccount = "123456789012"

// A moto is a server that stands in for AWS.
type moto struct {
	*testing.T
	url string
}

// startMoto starts a server of its own for a test.
func startMoto(t *testing.T) moto {
	t.Helper()
	path, err := exec.LookPath("moto_server")
	if err != nil {
		if os.Getenv("LOOKBACK_REQUIRE_MOTO") == "1" {
			t.Fatal("moto_server is not there")
		}
		t.Skip("NOT TESTED against a server: moto_server is not there; pip install 'moto[server]'")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprint(free.Addr().(*net.TCPAddr).Port)
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	server := exec.CommandContext(ctx, path, "-H", "127.0.0.1", "-p", port)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	t.Cleanup(func() { stop(); <-ended })
	m := moto{t, "http://127.0.0.1:" + port}
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if answer, err := http.Get(m.url + "/moto-api/data.json"); err == nil {
			m.ok(answer.Body.Close())
			return m
		}
	}
	t.Fatal("moto_server does not answer")
	return m
}

// config is for calls that make things, in an account and a region.
func (m moto) config(account, region string) aws.Config {
	cfg := aws.Config{Region: region, BaseEndpoint: &m.url, Credentials: credentials.StaticCredentialsProvider{Value: anybody}}
	if account != motoAccount {
		cfg.Credentials = stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), "arn:aws:iam::"+account+":role/"+DefaultRole)
	}
	return cfg
}

// ok ends a test whose estate could not be made.
func (m moto) ok(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

// made is what a call made.
func made[T any](m moto, out T, err error) T {
	m.Helper()
	m.ok(err)
	return out
}

// lacking are operations that moto does not know. What each brings, the readers' own tests hold.
var lacking = []string{
	"ListEventDataStores", "DescribeClientVpnEndpoints", "DescribeAlarms", "ListMetrics", "DescribeInstanceInformation", "DescribeAccountPolicies",
	"/v1/datalakes", "/publishingDestination",
}

// scan scans what is there, through the SDK as it is in use, and holds that it changes nothing.
func (m moto) scan(key aws.Credentials, o Options) *evidence.Set {
	m.Helper()
	w := wire{empty: lacking}
	o.Now = time.Now().UTC()
	o.Regions = []string{"eu-west-1", "us-east-1"} // each region costs moto seconds
	set := run(m.T, opened(m.T, w.tapped(m.T, m.url), key, o))
	w.check(m.T)
	return set
}

// says reports the results that a set lacks. Each is the beginning of a line of [awstest.Judge].
func (m moto) says(set *evidence.Set, want ...string) {
	m.Helper()
	lines := awstest.Judge(set)
	for _, w := range want {
		if slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, w) }) {
			continue
		}
		m.Errorf("want %s", w)
		_, of, _ := strings.Cut(w, " ")
		of, _, _ = strings.Cut(of, ": ")
		for _, line := range lines {
			if _, rest, _ := strings.Cut(line, " "); strings.HasPrefix(rest, of) {
				m.Logf(" got %s", line)
			}
		}
	}
}

// retentions are the days that CloudWatch Logs lets choose; see its PutRetentionPolicy.
var retentions = []int32{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

func (m moto) group(cfg aws.Config, name string, days int32) {
	m.Helper()
	ctx, client := m.Context(), cloudwatchlogs.NewFromConfig(cfg)
	_, err := client.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &name})
	m.ok(err)
	if days > 0 {
		_, err = client.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: &name, RetentionInDays: &days})
		m.ok(err)
	}
}

// bucket makes one that keeps what it holds for some days; locked, nobody can delete it before.
func (m moto) bucket(cfg aws.Config, name string, days int32, locked bool) {
	m.Helper()
	ctx, client := m.Context(), s3.NewFromConfig(cfg)
	in := &s3.CreateBucketInput{Bucket: &name, ObjectLockEnabledForBucket: &locked}
	if cfg.Region != "us-east-1" {
		in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(cfg.Region)}
	}
	_, err := client.CreateBucket(ctx, in)
	m.ok(err)
	_, err = client.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: &name, LifecycleConfiguration: &s3types.BucketLifecycleConfiguration{
		Rules: []s3types.LifecycleRule{{
			ID: aws.String("all"), Status: s3types.ExpirationStatusEnabled, Filter: &s3types.LifecycleRuleFilter{Prefix: aws.String("")},
			Expiration: &s3types.LifecycleExpiration{Days: &days},
		}},
	}})
	m.ok(err)
	if !locked {
		return
	}
	_, err = client.PutObjectLockConfiguration(ctx, &s3.PutObjectLockConfigurationInput{Bucket: &name, ObjectLockConfiguration: &s3types.ObjectLockConfiguration{
		ObjectLockEnabled: s3types.ObjectLockEnabledEnabled,
		Rule:              &s3types.ObjectLockRule{DefaultRetention: &s3types.DefaultRetention{Mode: s3types.ObjectLockRetentionModeCompliance, Days: &days}},
	}})
	m.ok(err)
	_, err = client.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: &name, PublicAccessBlockConfiguration: &s3types.PublicAccessBlockConfiguration{
		BlockPublicAcls: aws.Bool(true), IgnorePublicAcls: aws.Bool(true), BlockPublicPolicy: aws.Bool(true), RestrictPublicBuckets: aws.Bool(true),
	}})
	m.ok(err)
}

// trail makes a trail that runs.
func (m moto) trail(cfg aws.Config, in cloudtrail.CreateTrailInput) {
	m.Helper()
	client := cloudtrail.NewFromConfig(cfg)
	_, err := client.CreateTrail(m.Context(), &in)
	m.ok(err)
	_, err = client.StartLogging(m.Context(), &cloudtrail.StartLoggingInput{Name: in.Name})
	m.ok(err)
}

// role makes a role that a service may assume.
func (m moto) role(cfg aws.Config, name string) *string {
	m.Helper()
	out, err := iam.NewFromConfig(cfg).CreateRole(m.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`)})
	return made(m, out, err).Role.Arn
}

// workloads are two of each kind, of which one is recorded.
func (m moto) workloads(cfg aws.Config) {
	m.Helper()
	ctx := m.Context()
	role := m.role(cfg, "worker")
	for name, audit := range map[string]bool{"audited": true, "quiet": false} {
		_, err := eks.NewFromConfig(cfg).CreateCluster(ctx, &eks.CreateClusterInput{
			Name: &name, RoleArn: role, ResourcesVpcConfig: &ekstypes.VpcConfigRequest{},
			Logging: &ekstypes.Logging{ClusterLogging: []ekstypes.LogSetup{{Enabled: &audit, Types: []ekstypes.LogType{ekstypes.LogTypeAudit}}}},
		})
		m.ok(err)
	}
	m.group(cfg, "/aws/eks/audited/cluster", 400)

	containers := ecs.NewFromConfig(cfg)
	_, err := containers.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String("main")})
	m.ok(err)
	for name, logging := range map[string]*ecstypes.LogConfiguration{"silent": nil, "web": {
		LogDriver: ecstypes.LogDriverAwslogs, Options: map[string]string{"awslogs-group": "/ecs/web", "awslogs-region": cfg.Region, "awslogs-stream-prefix": "web"},
	}} {
		_, err = containers.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{Family: &name, ContainerDefinitions: []ecstypes.ContainerDefinition{{
			Name: &name, Image: aws.String("shop/" + name + ":1"), Memory: aws.Int32(64), LogConfiguration: logging,
		}}})
		m.ok(err)
		_, err = containers.CreateService(ctx, &ecs.CreateServiceInput{
			Cluster: aws.String("main"), ServiceName: &name, TaskDefinition: &name, DesiredCount: aws.Int32(1), LaunchType: ecstypes.LaunchTypeFargate,
		})
		m.ok(err)
	}
	m.group(cfg, "/ecs/web", 30)

	_, err = lambda.NewFromConfig(cfg).CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String("pay"), Role: role, Handler: aws.String("f.f"), Runtime: lambdatypes.RuntimePython312, Code: &lambdatypes.FunctionCode{ZipFile: emptyZip},
	})
	m.ok(err)

	for name, exports := range map[string][]string{"users": {"audit"}, "notes": nil} {
		_, err = rds.NewFromConfig(cfg).CreateDBInstance(ctx, &rds.CreateDBInstanceInput{
			DBInstanceIdentifier: &name, Engine: aws.String("mysql"), DBInstanceClass: aws.String("db.t3.micro"), AllocatedStorage: aws.Int32(20),
			MasterUsername: aws.String("root"), MasterUserPassword: aws.String("only-in-a-test"), EnableCloudwatchLogsExports: exports,
		})
		m.ok(err)
	}
}

// emptyZip is an archive in which there is nothing.
var emptyZip = append([]byte("PK\x05\x06"), make([]byte, 18)...)

// sensors turns on GuardDuty and AWS Config.
func (m moto) sensors(cfg aws.Config, bucket string) {
	m.Helper()
	ctx := m.Context()
	_, err := guardduty.NewFromConfig(cfg).CreateDetector(ctx, &guardduty.CreateDetectorInput{Enable: aws.Bool(true)})
	m.ok(err)
	client, name := configservice.NewFromConfig(cfg), aws.String("default")
	_, err = client.PutConfigurationRecorder(ctx, &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &configtypes.ConfigurationRecorder{
		Name: name, RoleARN: aws.String("arn:aws:iam::" + motoAccount + ":role/config"),
		RecordingGroup: &configtypes.RecordingGroup{AllSupported: true, IncludeGlobalResourceTypes: true},
	}})
	m.ok(err)
	_, err = client.PutDeliveryChannel(ctx, &configservice.PutDeliveryChannelInput{DeliveryChannel: &configtypes.DeliveryChannel{Name: name, S3BucketName: &bucket}})
	m.ok(err)
	_, err = client.StartConfigurationRecorder(ctx, &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: name})
	m.ok(err)
}

// flows turns on flow logs of the VPC that each region has.
func (m moto) flows(cfg aws.Config, bucket string) string {
	m.Helper()
	client := ec2.NewFromConfig(cfg)
	out, err := client.DescribeVpcs(m.Context(), &ec2.DescribeVpcsInput{})
	vpc := *made(m, out, err).Vpcs[0].VpcId
	logs, err := client.CreateFlowLogs(m.Context(), &ec2.CreateFlowLogsInput{
		ResourceIds: []string{vpc}, ResourceType: ec2types.FlowLogsResourceTypeVpc, TrafficType: ec2types.TrafficTypeAll,
		LogDestinationType: ec2types.LogDestinationTypeS3, LogDestination: aws.String("arn:aws:s3:::" + bucket),
	})
	if failed := made(m, logs, err).Unsuccessful; len(failed) > 0 {
		m.Fatal(*failed[0].Error.Message)
	}
	return vpc
}

func TestAnAccountOnAServer(t *testing.T) {
	m := startMoto(t)
	west, east := m.config(motoAccount, "eu-west-1"), m.config(motoAccount, "us-east-1")
	m.bucket(west, "safe", 400, true)
	m.bucket(west, "brief", 30, false)
	_, err := cloudtrail.NewFromConfig(west).CreateTrail(t.Context(), &cloudtrail.CreateTrailInput{Name: aws.String("stopped"), S3BucketName: aws.String("brief")})
	m.ok(err)
	m.trail(east, cloudtrail.CreateTrailInput{Name: aws.String("east"), S3BucketName: aws.String("safe"), EnableLogFileValidation: aws.Bool(true)})
	_, err = cloudtrail.NewFromConfig(east).PutEventSelectors(t.Context(), &cloudtrail.PutEventSelectorsInput{
		TrailName: aws.String("east"), EventSelectors: []trailtypes.EventSelector{{IncludeManagementEvents: aws.Bool(true), ReadWriteType: trailtypes.ReadWriteTypeWriteOnly}},
	})
	m.ok(err)
	m.workloads(west)
	m.sensors(west, "safe")
	vpc := m.flows(west, "brief")
	for _, days := range append(retentions, 0) {
		m.group(west, fmt.Sprintf("kept/%d", days), days)
	}

	set := m.scan(anybody, Options{})
	const in = "aws:" + motoAccount + "/eu-west-1//"
	const there = "aws:" + motoAccount + "/us-east-1//"
	m.says(set,
		"fail recorded-cloud-api "+in+"region: trail \"stopped\" is off",
		"pass recorded-cloud-api "+there+"region: trail \"east\" records calls",
		"fail recorded-cloud-api-complete "+there+"region:",
		"pass sealed-validated "+there+"cloudtrail/east#cloud-api:",
		"pass retained-long-enough aws://s3/safe/AWSLogs/"+motoAccount+"/CloudTrail:",
		"pass sealed-locked aws://s3/safe/AWSLogs/"+motoAccount+"/CloudTrail: nobody can delete records",
		"pass sealed-private aws://s3/safe/AWSLogs/"+motoAccount+"/CloudTrail:",
		"fail retained-long-enough aws://s3/brief/AWSLogs/"+motoAccount+"/vpcflowlogs/eu-west-1: ",
		"fail sealed-locked aws://s3/brief/AWSLogs/"+motoAccount+"/vpcflowlogs/eu-west-1:",
		"fail recorded-cloud-data "+in+"s3/safe:",
		"pass recorded-kubernetes-audit "+in+"eks/audited:",
		"fail recorded-kubernetes-audit "+in+"eks/quiet:",
		"pass retained-long-enough "+in+"logs//aws/eks/audited/cluster:",
		"pass recorded-network-flow "+in+"vpc/"+vpc+":",
		"fail recorded-network-flow "+there+"vpc/",
		"fail recorded-dns "+in+"vpc/"+vpc+":",
		"pass shipped-off-asset "+in+"ecs/main/web/web/stdout#application: the output of web/web goes to /ecs/web",
		"fail shipped-off-asset "+in+"ecs/main/silent/silent/stdout#application:",
		"fail retained-long-enough "+in+"logs//ecs/web:",
		"not-assessed recorded-application "+in+"lambda/pay: the answer was not understood (HTTP 500)", // moto does not simulate policies
		"fail acquirable-code "+in+"lambda/pay/code:",
		"fail recorded-database "+in+"rds/instance/notes:",
		"pass watched-detector "+in+"region:",
		"fail watched-detector "+there+"region:",
		"pass recorded-configuration "+in+"region:",
		"fail recorded-configuration "+there+"region:",
		"fail acquirable-contact aws:"+motoAccount+"//contact/security:",
	)
	for _, days := range retentions {
		verdict := "fail"
		if days >= 365 {
			verdict = "pass"
		}
		m.says(set, fmt.Sprintf("%s retained-long-enough %slogs/kept/%d:", verdict, in, days))
	}
	m.says(set, "pass retained-long-enough "+in+"logs/kept/0: log group \"kept/0\" keeps records until somebody deletes them")
	if got := gaps(set); len(got) != 1 || !strings.Contains(got[0], "left out by --region") {
		t.Errorf("gaps: %q", got)
	}
}

// TestAnOrganisationOnAServer: its trail is made in the account that manages it, or in one to which that was delegated, and
// fills a bucket of a third.
func TestAnOrganisationOnAServer(t *testing.T) {
	for name, delegated := range map[string]bool{"by the management account": false, "by a delegated administrator": true} {
		t.Run(name, func(t *testing.T) {
			m := startMoto(t)
			client := organizations.NewFromConfig(m.config(motoAccount, "us-east-1"))
			_, err := client.CreateOrganization(t.Context(), &organizations.CreateOrganizationInput{})
			m.ok(err)
			account := func(name string) string {
				out, err := client.CreateAccount(t.Context(), &organizations.CreateAccountInput{AccountName: &name, Email: aws.String(name + "@example.com")})
				return *made(m, out, err).CreateAccountStatus.AccountId
			}
			audit, archive, shop, gone := account("audit"), account("archive"), account("shop"), account("gone")
			_, err = client.CloseAccount(t.Context(), &organizations.CloseAccountInput{AccountId: &gone})
			m.ok(err)
			m.bucket(m.config(archive, "eu-west-1"), "central", 400, true)
			owner := motoAccount
			if delegated {
				owner = audit
			}
			m.trail(m.config(owner, "us-east-1"), cloudtrail.CreateTrailInput{
				Name: aws.String("all"), S3BucketName: aws.String("central"), IsMultiRegionTrail: aws.Bool(true), IsOrganizationTrail: aws.Bool(true), EnableLogFileValidation: aws.Bool(true),
			})

			set := m.scan(anybody, Options{Filter: Filter{Organization: true}})
			for _, id := range []string{motoAccount, audit, archive, shop} {
				for _, region := range []string{"eu-west-1", "us-east-1"} {
					m.says(set, "pass recorded-cloud-api aws:"+id+"/"+region+"//region: organisation trail \"all\" records calls")
				}
			}
			m.says(set, "pass retained-long-enough aws://s3/central/AWSLogs", "pass sealed-locked aws://s3/central/AWSLogs", "pass sealed-out-of-reach aws://s3/central/AWSLogs")
			if got := gaps(set); !slices.ContainsFunc(got, func(g string) bool {
				return strings.HasPrefix(g, string(scope.AccountID(gone))+": the account "+gone+" (gone): elsewhere: it is ")
			}) {
				t.Errorf("the account that is closed is not named: %q", got)
			}
		})
	}
}

// TestWhatAServerDeniesIsNotAssessed scans with the policy that we print, without a few actions of it, as a server's own IAM
// understands it.
func TestWhatAServerDeniesIsNotAssessed(t *testing.T) {
	m := startMoto(t)
	cfg := m.config(motoAccount, "us-east-1")
	m.bucket(cfg, "logs", 400, true)
	m.trail(cfg, cloudtrail.CreateTrailInput{Name: aws.String("main"), S3BucketName: aws.String("logs"), IsMultiRegionTrail: aws.Bool(true)})
	vpc := m.flows(cfg, "logs")
	key := m.key(cfg, "s3:GetLifecycleConfiguration", "ec2:DescribeFlowLogs")
	answer, err := http.Post(m.url+"/moto-api/reset-auth", "text/plain", strings.NewReader("0"))
	m.ok(err)
	m.ok(answer.Body.Close())

	set := m.scan(key, Options{})
	const in = "aws:" + motoAccount + "/us-east-1//"
	m.says(set,
		"pass recorded-cloud-api "+in+"region: trail \"main\" records calls",
		"not-assessed recorded-network-flow "+in+"vpc/"+vpc+": we may not call ec2:DescribeFlowLogs",
		"not-assessed retained-long-enough aws://s3/logs/AWSLogs/"+motoAccount+"/CloudTrail: we may not call s3:GetLifecycleConfiguration",
		"pass sealed-locked aws://s3/logs/AWSLogs/"+motoAccount+"/CloudTrail:",
	)
}

// key is that of a user who has the policy that we print, but for some actions.
func (m moto) key(cfg aws.Config, without ...string) aws.Credentials {
	m.Helper()
	printed, err := Policy("")
	var p policy
	if err := json.Unmarshal(made(m, printed, err), &p); err != nil {
		m.Fatal(err)
	}
	p.Statement[0].Action = append(p.Statement[0].Action, "s3:ListBucket") // moto asks for it where it does not know the action
	p.Statement[0].Action = slices.DeleteFunc(p.Statement[0].Action, func(a string) bool { return slices.Contains(without, a) })
	document, err := json.Marshal(p)
	ctx, client, name := m.Context(), iam.NewFromConfig(cfg), aws.String("scanner")
	m.ok(err)
	_, err = client.CreateUser(ctx, &iam.CreateUserInput{UserName: name})
	m.ok(err)
	_, err = client.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name, PolicyName: name, PolicyDocument: aws.String(string(document))})
	m.ok(err)
	out, err := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
	k := made(m, out, err).AccessKey
	return aws.Credentials{AccessKeyID: *k.AccessKeyId, SecretAccessKey: *k.SecretAccessKey}
}
