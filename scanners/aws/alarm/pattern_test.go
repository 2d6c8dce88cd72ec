package alarm

import (
	"slices"
	"testing"
)

// cis is the pattern of the CIS AWS Foundations Benchmark for changes of CloudTrail's configuration.
const cis = `{ ($.eventName = CreateTrail) || ($.eventName = UpdateTrail) || ($.eventName = DeleteTrail) || ($.eventName = StartLogging) || ($.eventName = StopLogging) }`

func TestAFilterIsHeldAgainstTheCallsThatStopATrail(t *testing.T) {
	for _, c := range []struct {
		pattern string
		want    answer
		missing []string
	}{
		{cis, yes, nil},
		{`{($.eventName=StopLogging)||($.eventName=DeleteTrail)}`, yes, nil},
		{`{ $.eventName = "StopLogging" }`, yes, []string{"DeleteTrail"}},
		{`{ $.eventName = StopLogging }`, yes, []string{"DeleteTrail"}},
		{`{ $.eventName = Stop* || $.eventName = *Trail }`, yes, nil},
		{`{ $.eventName = %^(Stop|Delete)% }`, yes, nil},
		{`{ ($.eventSource = "cloudtrail.amazonaws.com") && ($.readOnly IS FALSE) }`, yes, nil},
		{`{ ($.eventSource = cloudtrail.amazonaws.com) && ($.eventName != "Describe*") && ($.errorCode NOT EXISTS) }`, yes, nil},
		{`{ ($.eventName = StopLogging) && ($.userIdentity.type != "AWSService") }`, maybe, []string{"DeleteTrail"}},
		{`{ ($.eventName = StopLogging) && ($.requestParameters.n > 3) }`, maybe, []string{"DeleteTrail"}},
		{`?StopLogging ?DeleteTrail`, yes, nil},
		{`"StopLogging"`, yes, nil},
		{`cloudtrail.amazonaws.com -Describe`, no, nil}, // it speaks of no calls, and may be about anything

		{`{ ($.eventName = ConsoleLogin) && ($.additionalEventData.MFAUsed != "Yes") }`, no, nil},
		{`{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }`, no, nil},
		{`{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }`, no, nil},
		{`{ ($.eventSource = config.amazonaws.com) && (($.eventName=StopConfigurationRecorder)||($.eventName=DeleteDeliveryChannel)) }`, no, nil},
		{`{ $.level = "ERROR" }`, no, nil},
		{`{ $.latency > 100 }`, no, nil},
		{`ERROR`, no, nil},
		{``, no, nil},
		{`{ $.eventName = * }`, no, nil}, // every call: it says nothing of ours
		{`[ip, user, name=StopLogging]`, maybe, nil},
		{`{ $.eventName = StopLogging`, maybe, nil},
		{`{ $.eventName ~ StopLogging }`, maybe, nil},
		{`{ $.eventName = %[% }`, maybe, nil},
		{`{ StopLogging }`, maybe, nil},
		{`{`, no, nil},
		{`{ ($.level = "a") `, no, nil},
	} {
		got, missing := toldByFilter(c.pattern)
		if got != c.want || got == yes && !slices.Equal(missing, c.missing) {
			t.Errorf("%s\n\tgot %d and without %v, want %d and %v", c.pattern, got, missing, c.want, c.missing)
		}
	}
}

func TestARuleIsHeldAgainstTheCallsThatStopATrail(t *testing.T) {
	for _, c := range []struct {
		pattern string
		want    answer
		missing []string
	}{
		{`{"source":["aws.cloudtrail"],"detail-type":["AWS API Call via CloudTrail"],"detail":{"eventSource":["cloudtrail.amazonaws.com"],"eventName":["StopLogging","DeleteTrail"]}}`, yes, nil},
		{`{"detail":{"eventName":["StopLogging"]}}`, yes, []string{"DeleteTrail"}},
		{`{"source":["aws.cloudtrail"]}`, yes, nil},
		{`{"detail-type":["AWS API Call via CloudTrail"]}`, yes, nil},
		{`{"source":[{"prefix":""}]}`, yes, nil},
		{`{"account":["111122223333"]}`, yes, nil},
		{`{"source":["aws.cloudtrail"],"detail":{"eventName":[{"prefix":"Stop"},{"suffix":"Trail"}]}}`, yes, nil},
		{`{"source":["aws.cloudtrail"],"detail":{"eventName":[{"anything-but":["LookupEvents"]}]}}`, yes, nil},
		{`{"source":["aws.cloudtrail"],"detail":{"eventName":[{"anything-but":{"prefix":"Stop"}}]}}`, yes, []string{"StopLogging"}},
		{`{"source":["aws.cloudtrail"],"detail":{"errorCode":[{"exists":false}],"readOnly":[false]}}`, yes, nil},
		{`{"$or":[{"source":["aws.s3"]},{"detail":{"eventName":[{"wildcard":"*Logging"},{"equals-ignore-case":"deletetrail"}]}}]}`, yes, nil},

		{`{"detail":{"eventName":["StopLogging"],"userIdentity":{"type":["Root"]}}}`, maybe, nil},
		{`{"detail":{"eventName":["StopLogging"],"userIdentity":[{"exists":true}]}}`, maybe, nil},
		{`{"detail":{"eventName":[{"cidr":"10.0.0.0/8"}]}}`, maybe, nil},
		{`{"detail":{"eventName":"StopLogging"}}`, maybe, nil},
		{`{"detail":{"eventName":["StopLogging"]`, maybe, nil},

		{`{"source":["aws.ec2"]}`, no, nil},
		{`{"source":["aws.cloudtrail"],"region":["us-west-2"]}`, no, nil},
		{`{"detail-type":["AWS Console Sign In via CloudTrail"]}`, no, nil},
		{`{"detail":{"userIdentity":{"type":["Root"]}}}`, no, nil},
		{`{"source":["aws.guardduty"],"detail":{"severity":[{"numeric":[">=",7]}]}}`, no, nil},
		{`{"detail":{"eventName":["RunInstances"]}}`, no, nil},
		{`{"detail":{"errorCode":["AccessDenied"]}}`, no, nil},
		{`{"detail":{"errorCode":[{"exists":true}]}}`, no, nil},
		{`{"detail":{"state":[{"prefix":"x"}]}}`, no, nil},
		{`{"resources":["x"]}`, no, nil},
		{`{"source":[]}`, no, nil},
		{`not JSON`, no, nil},
	} {
		got, missing := toldByRule(c.pattern, "111122223333", "eu-west-1")
		if got != c.want || got == yes && !slices.Equal(missing, c.missing) {
			t.Errorf("%s\n\tgot %d and without %v, want %d and %v", c.pattern, got, missing, c.want, c.missing)
		}
	}
}

func FuzzPatterns(f *testing.F) {
	for _, p := range []string{cis, `?a -"b" %c%`, `{ $.a IS NULL }`, `{ $.a NOT EXISTS }`, `[a, b]`, `{"$or":[{"a":[{"anything-but":{"prefix":1}}]}]}`, `?`, `-"`, `{ $.`} {
		f.Add(p)
	}
	f.Fuzz(func(_ *testing.T, p string) {
		toldByFilter(p)
		toldByRule(p, "1", "r")
	})
}
