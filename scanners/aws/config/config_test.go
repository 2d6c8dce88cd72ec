package config

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
)

// a recorder that works, with what a test changes of it.
type estate struct {
	group     *types.RecordingGroup
	recording bool
	status    types.RecorderStatus
	delivery  types.DeliveryStatus
	denied    string // the operation that is refused
	none      bool
}

func (e estate) answer(_ string, input any) (any, error) {
	refuse := func(op string) bool { return e.denied == op }
	name := aws.String("default")
	switch input.(type) {
	case *configservice.DescribeConfigurationRecordersInput:
		switch {
		case refuse("recorders"):
			return nil, awstest.Denied()
		case e.none:
			return nil, nil
		}
		return &configservice.DescribeConfigurationRecordersOutput{ConfigurationRecorders: []types.ConfigurationRecorder{
			{Name: name, RecordingGroup: e.group}, {Name: aws.String("of a service"), ServicePrincipal: aws.String("x.amazonaws.com")},
		}}, nil
	case *configservice.DescribeConfigurationRecorderStatusInput:
		if refuse("statuses") {
			return nil, awstest.Denied()
		}
		return &configservice.DescribeConfigurationRecorderStatusOutput{ConfigurationRecordersStatus: []types.ConfigurationRecorderStatus{
			{Name: name, Recording: e.recording, LastStatus: e.status, LastErrorCode: aws.String("AccessDenied"), LastStartTime: aws.Time(awstest.Now.AddDate(-2, 0, 0))},
		}}, nil
	case *configservice.DescribeDeliveryChannelsInput:
		if refuse("channels") {
			return nil, awstest.Denied()
		}
		return &configservice.DescribeDeliveryChannelsOutput{DeliveryChannels: []types.DeliveryChannel{{Name: name, S3BucketName: aws.String("archive"), S3KeyPrefix: aws.String("cfg")}}}, nil
	case *configservice.DescribeDeliveryChannelStatusInput:
		if refuse("delivered") {
			return nil, awstest.Denied()
		}
		return &configservice.DescribeDeliveryChannelStatusOutput{DeliveryChannelsStatus: []types.DeliveryChannelStatus{{
			Name: name, ConfigHistoryDeliveryInfo: &types.ConfigExportDeliveryInfo{LastStatus: e.delivery, LastErrorCode: aws.String("NoSuchBucket")},
		}}}, nil
	case *configservice.DescribeRetentionConfigurationsInput:
		if refuse("retention") {
			return nil, awstest.Denied()
		}
	}
	return nil, nil
}

func (e estate) source(t *testing.T) (*evidence.LogSource, *evidence.LogStore, *evidence.Set) {
	t.Helper()
	set := awstest.Scan(t, e.answer, nil, Service())
	var source *evidence.LogSource
	var store *evidence.LogStore
	for _, r := range set.Records {
		switch r := r.(type) {
		case *evidence.LogSource:
			source = r
		case *evidence.LogStore:
			store = r
		}
	}
	return source, store, set
}

func TestARecorderThatWorks(t *testing.T) {
	source, store, _ := estate{recording: true, status: types.RecorderStatusSuccess, delivery: types.DeliveryStatusSuccess}.source(t)
	if on, _ := source.Enabled.Get(); !on {
		t.Error("it is not enabled")
	}
	if since, _ := source.Since.Get(); !since.Equal(awstest.Now.AddDate(-2, 0, 0)) {
		t.Errorf("since %s", since.Format(time.RFC3339))
	}
	if e, _ := source.Parts[evidence.PartEveryKind].Get(); e.Grade != evidence.All {
		t.Errorf("kinds: %+v", e)
	}
	if len(source.To) != 2 || source.To[1].To != "aws://s3/archive/cfg/AWSLogs/111122223333/Config" {
		t.Errorf("delivers to %+v", source.To)
	}
	for _, d := range source.To {
		if text, known := d.Error.Get(); !known || text != "" {
			t.Errorf("%s: error %q, known %v", d.To, text, known)
		}
	}
	if kept, _ := store.Kept.Get(); kept != 2557 || store.Kept.At().Note != "AWS default" {
		t.Errorf("kept %d, %+v", kept, store.Kept.At())
	}
}

func TestWhatARecorderLeavesOutIsSaid(t *testing.T) {
	for name, test := range map[string]struct {
		group *types.RecordingGroup
		want  evidence.Extent
	}{
		"only some kinds": {
			&types.RecordingGroup{ResourceTypes: []types.ResourceType{types.ResourceTypeBucket}}, evidence.Extent{Grade: evidence.Some, But: "only AWS::S3::Bucket"},
		},
		"all but some": {
			&types.RecordingGroup{
				RecordingStrategy:        &types.RecordingStrategy{UseOnly: types.RecordingStrategyTypeExclusionByResourceTypes},
				ExclusionByResourceTypes: &types.ExclusionByResourceTypes{ResourceTypes: []types.ResourceType{types.ResourceTypeTrail}},
			}, evidence.Extent{Grade: evidence.Some, But: "not AWS::CloudTrail::Trail"},
		},
		"none": {&types.RecordingGroup{}, evidence.Extent{Grade: evidence.None, But: "of no kind of resource"}},
		"all":  {&types.RecordingGroup{AllSupported: true}, evidence.Extent{Grade: evidence.All}},
	} {
		source, _, _ := estate{recording: true, group: test.group}.source(t)
		if got, _ := source.Parts[evidence.PartEveryKind].Get(); got != test.want {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}

func TestARecorderThatFailsSaysSo(t *testing.T) {
	source, _, _ := estate{recording: true, status: types.RecorderStatusFailure, delivery: types.DeliveryStatusFailure}.source(t)
	for i, want := range []string{"AccessDenied", "NoSuchBucket"} {
		if got, _ := source.To[i].Error.Get(); got != want {
			t.Errorf("delivery %d: %q, want %q", i, got, want)
		}
	}
}

func TestNoRecorderIsAFactAndARefusalIsNone(t *testing.T) {
	for name, test := range map[string]struct {
		e    estate
		want string
	}{
		"none":   {estate{none: true}, "fail recorded-configuration"},
		"off":    {estate{}, "fail recorded-configuration"},
		"denied": {estate{denied: "recorders"}, "not-assessed recorded-configuration"},
		"status": {estate{denied: "statuses", recording: true}, "not-assessed recorded-configuration"},
		"on":     {estate{recording: true, status: types.RecorderStatusSuccess}, "pass recorded-configuration"},
	} {
		_, _, set := test.e.source(t)
		if got := strings.Join(awstest.Judge(set), "\n"); !strings.Contains(got, test.want) {
			t.Errorf("%s: want %s in\n%s", name, test.want, got)
		}
	}
}

func TestEachRefusedCallIsNamed(t *testing.T) {
	for denied, action := range map[string]string{"statuses": statuses, "channels": channels, "delivered": delivered, "retention": retention} {
		_, _, set := estate{denied: denied, recording: true, status: types.RecorderStatusSuccess}.source(t)
		named := false
		for _, r := range set.Records {
			switch r := r.(type) {
			case *evidence.LogSource:
				for _, f := range []evidence.Fact{r.Enabled, r.Complete, r.To[0].Error, r.To[len(r.To)-1].Error} {
					named = named || f.Why() == evidence.Denied && f.At().Call == action
				}
			case *evidence.LogStore:
				named = named || r.Kept.Why() == evidence.Denied && r.Kept.At().Call == action
			}
		}
		if !named {
			t.Errorf("%s is refused, and no fact says so", action)
		}
	}
}

// changed answers as the estate does, with what a test changes of the answers.
func changed(t *testing.T, e estate, change func(output any)) (*evidence.LogSource, *evidence.LogStore, []string) {
	t.Helper()
	set := awstest.Scan(t, func(region string, input any) (any, error) {
		out, err := e.answer(region, input)
		if _, ok := input.(*configservice.DescribeRetentionConfigurationsInput); ok && out == nil {
			out = &configservice.DescribeRetentionConfigurationsOutput{}
		}
		change(out)
		return out, err
	}, nil, Service())
	var source *evidence.LogSource
	var store *evidence.LogStore
	for _, r := range set.Records {
		switch r := r.(type) {
		case *evidence.LogSource:
			source = r
		case *evidence.LogStore:
			if strings.HasSuffix(string(r.ID), "config/history") {
				store = r
			}
		}
	}
	return source, store, awstest.Judge(set)
}

func verdict(lines []string, check string) string {
	for _, line := range lines {
		if strings.Contains(line, " "+check+" ") {
			return line
		}
	}
	return ""
}

// AWS answers in capitals, whatever the SDK's constants say.
func TestAStatusIsReadWhateverItsCase(t *testing.T) {
	for _, c := range []struct{ recorder, channel, want string }{
		{"SUCCESS", "SUCCESS", "pass "},
		{"Success", "Success", "pass "},
		{"SUCCESS", "FAILURE", "fail "},
		{"FAILURE", "SUCCESS", "fail "},
		{"Failure", "Success", "fail "},
		{"SUCCESS", "NOT_APPLICABLE", "pass "},
		{"PENDING", "SUCCESS", "not-assessed "},
		{"SUCCESS", "", "not-assessed "},
		{"", "SUCCESS", "not-assessed "},
		{"SUCCESS", "RESTING", "not-assessed "},
	} {
		_, _, lines := changed(t, estate{recording: true, status: types.RecorderStatus(c.recorder), delivery: types.DeliveryStatus(c.channel)}, func(any) {})
		if got := verdict(lines, "arriving-recently"); !strings.HasPrefix(got, c.want) {
			t.Errorf("recorder %q, channel %q: got %q, want %s", c.recorder, c.channel, got, c.want)
		}
	}
}

func TestNoStatusIsNoDelivery(t *testing.T) {
	works := estate{recording: true, status: "SUCCESS", delivery: "SUCCESS"}
	for name, change := range map[string]func(any){
		"no status of the recorder": func(out any) {
			if o, ok := out.(*configservice.DescribeConfigurationRecorderStatusOutput); ok {
				o.ConfigurationRecordersStatus = nil
			}
		},
		"no status of the channel": func(out any) {
			if o, ok := out.(*configservice.DescribeDeliveryChannelStatusOutput); ok {
				o.DeliveryChannelsStatus = nil
			}
		},
		"a channel that never delivered": func(out any) {
			if o, ok := out.(*configservice.DescribeDeliveryChannelStatusOutput); ok {
				o.DeliveryChannelsStatus[0].ConfigHistoryDeliveryInfo = nil
			}
		},
	} {
		_, _, lines := changed(t, works, change)
		if got := verdict(lines, "arriving-recently"); !strings.HasPrefix(got, "not-assessed ") {
			t.Errorf("%s: got %q", name, got)
		}
	}
	_, _, lines := changed(t, works, func(out any) {
		if o, ok := out.(*configservice.DescribeDeliveryChannelStatusOutput); ok {
			o.DeliveryChannelsStatus[0].ConfigHistoryDeliveryInfo = nil
			o.DeliveryChannelsStatus[0].ConfigSnapshotDeliveryInfo = &types.ConfigExportDeliveryInfo{LastStatus: "FAILURE", LastErrorCode: aws.String("NoSuchBucket")}
		}
	})
	if got := verdict(lines, "arriving-recently"); !strings.HasSuffix(got, "fails: NoSuchBucket") {
		t.Errorf("a snapshot that fails: got %q", got)
	}
}

func TestWhatIsNotSaidIsNotZero(t *testing.T) {
	source, store, _ := changed(t, estate{recording: true, status: "SUCCESS", delivery: "SUCCESS"}, func(out any) {
		switch o := out.(type) {
		case *configservice.DescribeConfigurationRecorderStatusOutput:
			o.ConfigurationRecordersStatus[0].LastStartTime = nil
		case *configservice.DescribeRetentionConfigurationsOutput:
			o.RetentionConfigurations = []types.RetentionConfiguration{{}}
		}
	})
	if source.Since.IsZero() || !source.Since.IsUnknown() {
		t.Errorf("since: %+v", source.Since)
	}
	if !store.Kept.IsUnknown() {
		t.Errorf("kept: %+v", store.Kept)
	}
}

func TestOneStateADayIsNotEveryChange(t *testing.T) {
	for frequency, want := range map[types.RecordingFrequency]evidence.Grade{"DAILY": evidence.Some, "CONTINUOUS": ""} {
		source, _, _ := changed(t, estate{recording: true, status: "SUCCESS"}, func(out any) {
			if o, ok := out.(*configservice.DescribeConfigurationRecordersOutput); ok {
				o.ConfigurationRecorders[0].RecordingMode = &types.RecordingMode{RecordingFrequency: frequency}
			}
		})
		if got, _ := source.Parts[evidence.PartEveryEvent].Get(); got.Grade != want {
			t.Errorf("%s: got %+v", frequency, got)
		}
	}
}

func TestIdentitiesAreRecordedInOneRegionOrInNone(t *testing.T) {
	all, with := &types.RecordingGroup{AllSupported: true}, &types.RecordingGroup{AllSupported: true, IncludeGlobalResourceTypes: true}
	without := &types.RecordingGroup{
		RecordingStrategy:        &types.RecordingStrategy{UseOnly: types.RecordingStrategyTypeExclusionByResourceTypes},
		ExclusionByResourceTypes: &types.ExclusionByResourceTypes{ResourceTypes: []types.ResourceType{types.ResourceTypeRole}},
	}
	only := &types.RecordingGroup{ResourceTypes: []types.ResourceType{types.ResourceTypeUser}}
	but := *without
	but.ExclusionByResourceTypes = &types.ExclusionByResourceTypes{ResourceTypes: []types.ResourceType{types.ResourceTypeTrail}}
	on := func(g *types.RecordingGroup) estate {
		return estate{recording: true, status: types.RecorderStatusSuccess, group: g}
	}
	for name, test := range map[string]struct {
		global, other estate
		want          string
	}{
		"nowhere":               {on(all), on(all), "fail recorded-configuration aws:111122223333/us-east-1//"},
		"excluded elsewhere":    {on(all), on(without), "fail recorded-configuration aws:111122223333/us-east-1//"},
		"without a group":       {on(nil), on(nil), "fail recorded-configuration aws:111122223333/us-east-1//"},
		"there":                 {on(with), on(all), "pass recorded-configuration aws:111122223333/us-east-1//"},
		"elsewhere":             {on(all), on(with), "pass recorded-configuration aws:111122223333/us-east-1//"},
		"by name elsewhere":     {on(all), on(only), "pass recorded-configuration aws:111122223333/us-east-1//"},
		"not excluded":          {on(all), on(&but), "pass recorded-configuration aws:111122223333/us-east-1//"},
		"off elsewhere":         {on(all), estate{group: with}, "fail recorded-configuration aws:111122223333/us-east-1//"},
		"refused elsewhere":     {on(all), estate{denied: "recorders"}, "not-assessed recorded-configuration aws:111122223333/us-east-1//"},
		"not told whether on":   {on(all), estate{group: with, denied: "statuses"}, "not-assessed recorded-configuration aws:111122223333/us-east-1//"},
		"no recorder elsewhere": {on(all), estate{none: true}, "fail recorded-configuration aws:111122223333/us-east-1//"},
	} {
		t.Run(name, func(t *testing.T) {
			set := awstest.ScanRegions(t, []string{"us-east-1", awstest.Region}, func(region string, input any) (any, error) {
				if region == "us-east-1" {
					return test.global.answer(region, input)
				}
				return test.other.answer(region, input)
			}, nil, Service())
			if got := strings.Join(awstest.Judge(set), "\n"); !strings.Contains(got, test.want) {
				t.Errorf("want %s in\n%s", test.want, got)
			}
		})
	}
}
