package config

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
)

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
