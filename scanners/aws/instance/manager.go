package instance

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// A node is what Systems Manager knows of an instance.
type node struct {
	online   bool
	last     time.Time // its last sign of life
	platform types.PlatformType
	at       evidence.Origin
}

func (e *estate) readManaged(ctx context.Context, s *scope.Scope) {
	client := ssm.NewFromConfig(s.Config)
	pages := ssm.NewDescribeInstanceInformationPaginator(client, &ssm.DescribeInstanceInformationInput{MaxResults: aws.Int32(50)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			e.nodesErr = err
			break
		}
		for _, i := range page.InstanceInformationList {
			id := aws.ToString(i.InstanceId)
			e.nodes[id] = node{
				online: i.PingStatus == types.PingStatusOnline, last: aws.ToTime(i.LastPingDateTime), platform: i.PlatformType,
				at: s.At("ssm:DescribeInstanceInformation", id),
			}
		}
	}
	if !slices.ContainsFunc(e.machines, func(m machine) bool { _, managed := e.nodes[m.id]; return m.running && managed }) {
		return
	}
	e.sessions = readSessions(ctx, s, client)
	e.readInventory(ctx, client)
}

// Sessions say whether what is typed in a shell of the Session Manager is written down.
type sessions struct {
	recorded evidence.Value[bool]
	group    string // the log group, where it goes nowhere else
}

// preferences is the document that rules sessions; see the Systems Manager user guide, "Session document schema".
const preferences = "SSM-SessionManagerRunShell"

func readSessions(ctx context.Context, s *scope.Scope, client *ssm.Client) sessions {
	at := s.At("ssm:GetDocument", preferences)
	out, err := client.GetDocument(ctx, &ssm.GetDocumentInput{Name: aws.String(preferences)})
	switch {
	case scope.Is(err, "InvalidDocument"):
		return sessions{recorded: evidence.Known(false, at.WithNote("AWS default: nobody wrote preferences for sessions"))}
	case err != nil:
		return sessions{recorded: scope.Unknown[bool](err, at)}
	}
	var document struct {
		Inputs struct {
			Bucket string `json:"s3BucketName"`
			Group  string `json:"cloudWatchLogGroupName"`
		} `json:"inputs"`
	}
	if err := json.Unmarshal([]byte(aws.ToString(out.Content)), &document); err != nil {
		return sessions{recorded: evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("the preferences for sessions cannot be read"))}
	}
	in := document.Inputs
	if in.Bucket == "" && in.Group == "" {
		return sessions{recorded: evidence.Known(false, at)}
	}
	// The Systems Manager user guide, "Enabling and disabling session logging".
	written := sessions{recorded: evidence.Known(true, at.WithNote("not what goes through port forwarding or SSH"))}
	if in.Bucket == "" {
		written.group = in.Group
	}
	return written
}

// settle takes back that sessions are recorded where the log group does not exist that they go to, or may not.
func (r *sessions) settle(s *scope.Scope) {
	if r.group == "" {
		return
	}
	_, exists := s.Group(r.group)
	switch there, known := exists.Get(); {
	case !known:
		r.recorded = evidence.Unknown[bool](exists.Why(), exists.At())
	case !there:
		r.recorded = evidence.Known(false, exists.At().WithNote("the log group of the sessions does not exist"))
	}
}

// A product is a sensor, and the names under which an inventory of software shows it.
type product struct {
	id, name string
	packages []string
}

// products are sensors that see what runs on a machine. An inventory says that one is installed, which is no proof that it
// records: what is here gives no pass.
func products() []product {
	return []product{
		{"auditd", "auditd", []string{"audit", "auditd"}},
		{"auditbeat", "Auditbeat", []string{"auditbeat"}},
		{"crowdstrike", "CrowdStrike Falcon", []string{"falcon-sensor", "CrowdStrike Windows Sensor", "CrowdStrike Sensor Platform"}},
		{"datadog", "the Datadog agent", []string{"datadog-agent", "Datadog Agent"}},
		{"defender", "Microsoft Defender for Endpoint", []string{"mdatp"}},
		{"elastic", "the Elastic agent", []string{"elastic-agent", "Elastic Agent"}},
		{"falco", "Falco", []string{"falco"}},
		{"guardduty", "the GuardDuty agent", []string{"amazon-guardduty-agent", "Amazon GuardDuty Agent"}},
		{"osquery", "osquery", []string{"osquery"}},
		{"sentinelone", "SentinelOne", []string{"SentinelAgent", "sentinelagent", "Sentinel Agent"}},
		{"sysmon", "Sysmon", []string{"sysmonforlinux", "Sysmon"}},
		{"tetragon", "Tetragon", []string{"tetragon"}},
		{"wazuh", "Wazuh", []string{"wazuh-agent", "Wazuh Agent"}},
	}
}

// anything begins a name of some software on every system: bash, ca-certificates, libc, systemd; Amazon SSM Agent,
// Microsoft Edge. A filter is the only way to ask which instances have an inventory of software: GetInventory returns
// no applications.
func anything() []string {
	return []string{"a", "b", "c", "l", "p", "s", "A", "M", "W"}
}

// readInventory asks which instances have an inventory of their software, and which sensors are in it.
func (e *estate) readInventory(ctx context.Context, client *ssm.Client) {
	e.inventory = map[string]bool{}
	if e.inventoryErr = matching(ctx, client, types.InventoryQueryOperatorTypeBeginWith, anything(), e.inventory); e.inventoryErr != nil || len(e.inventory) == 0 {
		return
	}
	var all []string
	for _, p := range products() {
		all = append(all, p.packages...)
	}
	some := map[string]bool{}
	if e.inventoryErr = matching(ctx, client, types.InventoryQueryOperatorTypeEqual, all, some); e.inventoryErr != nil || len(some) == 0 {
		return
	}
	e.sensors = map[string][]product{}
	for _, p := range products() {
		has := map[string]bool{}
		if e.inventoryErr = matching(ctx, client, types.InventoryQueryOperatorTypeEqual, p.packages, has); e.inventoryErr != nil {
			return
		}
		for id := range has {
			e.sensors[id] = append(e.sensors[id], p)
		}
	}
}

// matching adds the instances in whose inventory is software of some names.
func matching(ctx context.Context, client *ssm.Client, how types.InventoryQueryOperatorType, names []string, into map[string]bool) error {
	pages := ssm.NewGetInventoryPaginator(client, &ssm.GetInventoryInput{
		Filters:    []types.InventoryFilter{{Key: aws.String("AWS:Application.Name"), Type: how, Values: names}},
		MaxResults: aws.Int32(50),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, found := range page.Entities {
			into[aws.ToString(found.Id)] = true
		}
	}
	return nil
}
