package lambda

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/scope"
)

const (
	pay  = evidence.ID("aws:111122223333/eu-west-1//lambda/pay")
	role = "arn:aws:iam::111122223333:role/service-role/pay"
)

// groups stands for the reader of CloudWatch Logs.
func groups(err error, names ...string) scope.Service {
	return scope.Service{Name: "groups", Region: func(_ context.Context, s *scope.Scope) {
		all := map[string]scope.Group{}
		for _, n := range names {
			all[n] = scope.Group{Created: awstest.Now}
		}
		s.SetGroups(all, err)
	}}
}

// latest is $LATEST of a function, and changes to it.
func latest(change ...func(*types.FunctionConfiguration)) types.FunctionConfiguration {
	f := types.FunctionConfiguration{
		FunctionName: aws.String("pay"), Version: aws.String("$LATEST"), CodeSha256: aws.String("now"), Role: aws.String(role),
		PackageType: types.PackageTypeZip,
		Environment: &types.EnvironmentResponse{Variables: map[string]string{"TOKEN": "hunter2"}},
	}
	for _, c := range change {
		c(&f)
	}
	return f
}

func version(number, code string) types.FunctionConfiguration {
	return types.FunctionConfiguration{FunctionName: aws.String("pay"), Version: aws.String(number), CodeSha256: aws.String(code), Role: aws.String("another")}
}

// estate answers with functions, and lets roles do what allowed says of an action and a resource.
func estate(allowed func(action, resource string) bool, functions ...types.FunctionConfiguration) awstest.Answer {
	return func(_ string, input any) (any, error) {
		switch in := input.(type) {
		case *lambda.ListFunctionsInput:
			return &lambda.ListFunctionsOutput{Functions: functions}, nil
		case *iam.SimulatePrincipalPolicyInput:
			out := &iam.SimulatePrincipalPolicyOutput{}
			for _, action := range in.ActionNames {
				e := iamtypes.EvaluationResult{EvalActionName: aws.String(action), EvalResourceName: aws.String("*"), EvalDecision: iamtypes.PolicyEvaluationDecisionTypeImplicitDeny}
				for _, r := range in.ResourceArns {
					says := iamtypes.PolicyEvaluationDecisionTypeImplicitDeny
					if allowed(action, r) {
						says = iamtypes.PolicyEvaluationDecisionTypeAllowed
					}
					e.ResourceSpecificResults = append(e.ResourceSpecificResults, iamtypes.ResourceSpecificResult{EvalResourceName: aws.String(r), EvalResourceDecision: says})
				}
				out.EvaluationResults = append(out.EvaluationResults, e)
			}
			return out, nil
		}
		return nil, nil
	}
}

func anything(string, string) bool { return true }

func record[R evidence.Record](t *testing.T, set *evidence.Set, id evidence.ID) R {
	t.Helper()
	for _, r := range set.Records {
		if r, ok := r.(R); ok && r.Self().ID == id {
			return r
		}
	}
	t.Fatalf("no record %s", id)
	panic("unreachable")
}

func has(t *testing.T, lines []string, want string) {
	t.Helper()
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, want) }) {
		t.Errorf("no line with %q in\n%s", want, strings.Join(lines, "\n"))
	}
}

// say writes a fact as its value or its reason, with its note.
func say[T any](v evidence.Value[T]) string {
	out := v.Why().String()
	if is, known := v.Get(); known {
		out = fmt.Sprint(is)
	} else if v.IsMoot() {
		out = "moot"
	}
	if v.At().Note != "" {
		out += ": " + v.At().Note
	}
	return out
}

func TestAFunctionWritesToItsLogGroup(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*types.FunctionConfiguration)
		group  string
	}{
		"by default": {func(*types.FunctionConfiguration) {}, "/aws/lambda/pay"},
		"a configuration without a group": {func(f *types.FunctionConfiguration) {
			f.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatText}
		}, "/aws/lambda/pay"},
		"another group": {func(f *types.FunctionConfiguration) {
			f.LoggingConfig = &types.LoggingConfig{LogGroup: aws.String("shop")}
		}, "shop"},
	} {
		t.Run(name, func(t *testing.T) {
			set := awstest.Scan(t, estate(anything, latest(c.change)), nil, Service(), groups(nil, c.group))
			out := record[*evidence.LogSource](t, set, pay+"#application")
			if want := evidence.ID("aws:111122223333/eu-west-1//logs/" + c.group); len(out.To) != 1 || out.To[0].To != want {
				t.Errorf("to: got %+v, want %s", out.To, want)
			}
			if at := out.Enabled.At(); say(out.Enabled) != "true" || at.Call != "iam:SimulatePrincipalPolicy" || at.Of != "eu-west-1/pay" {
				t.Errorf("enabled: got %s at %+v", say(out.Enabled), at)
			}
			has(t, awstest.Judge(set), "pass recorded-application "+string(pay))
		})
	}
}

func TestARoleThatMayNotWriteLosesTheOutput(t *testing.T) {
	for name, c := range map[string]struct {
		allowed func(action, resource string) bool
		want    string
	}{
		"nothing is allowed": {func(string, string) bool { return false }, "false: its role may not logs:CreateLogStream"},
		"no events":          {func(a, _ string) bool { return a != "logs:PutLogEvents" }, "false: its role may not logs:PutLogEvents"},
		"the group of another": {
			func(_, r string) bool { return strings.Contains(r, ":log-group:/aws/lambda/other") },
			"false: its role may not logs:CreateLogStream",
		},
		"its streams": {func(_, r string) bool { return strings.Contains(r, ":log-group:/aws/lambda/pay:") }, "true"},
		"its group by name for one, streams for the other": {func(a, r string) bool {
			return (a == "logs:PutLogEvents") == strings.Contains(r, ":log-stream:")
		}, "true"},
		"events on its group, and not on its streams": {func(a, r string) bool {
			return a != "logs:PutLogEvents" || strings.HasSuffix(r, ":log-group:/aws/lambda/pay")
		}, "false: its role may not logs:PutLogEvents"},
		"all but to make a group": {func(a, _ string) bool { return a != "logs:CreateLogGroup" }, "true"},
	} {
		t.Run(name, func(t *testing.T) {
			set := awstest.Scan(t, estate(c.allowed, latest()), nil, Service(), groups(nil, "/aws/lambda/pay"))
			out := record[*evidence.LogSource](t, set, pay+"#application")
			if got := say(out.Enabled); got != c.want {
				t.Errorf("enabled: got %s, want %s", got, c.want)
			}
			verdict := "fail"
			if c.want == "true" {
				verdict = "pass"
			}
			has(t, awstest.Judge(set), verdict+" recorded-application "+string(pay))
		})
	}
}

func TestARoleIsAskedAboutOnceForAllItsFunctions(t *testing.T) {
	asked := 0
	var functions []types.FunctionConfiguration
	for i := range 3 {
		functions = append(functions, latest(func(f *types.FunctionConfiguration) { f.FunctionName = aws.String(fmt.Sprint("f", i)) }))
	}
	answer := estate(func(_, r string) bool { return !strings.Contains(r, "/f1") }, functions...)
	set := awstest.Scan(t, func(r string, input any) (any, error) {
		if _, ok := input.(*iam.SimulatePrincipalPolicyInput); ok {
			asked++
		}
		return answer(r, input)
	}, nil, Service(), groups(nil))
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	for i, want := range []string{"true", "false: its role may not logs:CreateLogStream", "true"} {
		out := record[*evidence.LogSource](t, set, evidence.ID(fmt.Sprintf("aws:111122223333/eu-west-1//lambda/f%d#application", i)))
		if got := say(out.Enabled); got != want {
			t.Errorf("f%d: got %s, want %s", i, got, want)
		}
	}
}

func TestWhatASimulationDoesNotSayIsUnknown(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(*iam.SimulatePrincipalPolicyInput) (any, error)
		want   string
	}{
		"denied":      {func(*iam.SimulatePrincipalPolicyInput) (any, error) { return nil, awstest.Denied() }, "denied"},
		"it fails":    {func(*iam.SimulatePrincipalPolicyInput) (any, error) { return nil, awstest.Error("NotImplemented") }, "failed: NotImplemented"},
		"empty":       {func(*iam.SimulatePrincipalPolicyInput) (any, error) { return nil, nil }, "failed: the answer does not say whether it may logs:CreateLogStream"},
		"nobody left": {func(*iam.SimulatePrincipalPolicyInput) (any, error) { return nil, awstest.Error("NoSuchEntity") }, "false: its role does not exist"},
		"a condition": {func(in *iam.SimulatePrincipalPolicyInput) (any, error) {
			return &iam.SimulatePrincipalPolicyOutput{EvaluationResults: []iamtypes.EvaluationResult{{
				EvalActionName: aws.String("logs:CreateLogStream"),
				ResourceSpecificResults: []iamtypes.ResourceSpecificResult{{
					EvalResourceName: aws.String(in.ResourceArns[0]), EvalResourceDecision: iamtypes.PolicyEvaluationDecisionTypeImplicitDeny,
					MissingContextValues: []string{"aws:SourceVpc"},
				}},
			}}}, nil
		}, "elsewhere: whether it may logs:CreateLogStream hangs on conditions of its policies"},
	} {
		t.Run(name, func(t *testing.T) {
			set := awstest.Scan(t, func(r string, input any) (any, error) {
				if in, ok := input.(*iam.SimulatePrincipalPolicyInput); ok {
					return c.answer(in)
				}
				return estate(anything, latest())(r, input)
			}, nil, Service(), groups(nil, "/aws/lambda/pay"))
			if got := say(record[*evidence.LogSource](t, set, pay+"#application").Enabled); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if name != "nobody left" {
				has(t, awstest.Judge(set), "not-assessed recorded-application "+string(pay))
			}
		})
	}
}

func TestALevelThatDropsMostLinesIsPartial(t *testing.T) {
	for level, want := range map[types.ApplicationLogLevel]string{
		"": "{all }", types.ApplicationLogLevelDebug: "{all }", types.ApplicationLogLevelInfo: "{all }",
		types.ApplicationLogLevelWarn:  "{some only lines of level WARN and above}",
		types.ApplicationLogLevelError: "{some only lines of level ERROR and above}",
		types.ApplicationLogLevelFatal: "{some only lines of level FATAL and above}",
	} {
		set := awstest.Scan(t, estate(anything, latest(func(f *types.FunctionConfiguration) {
			f.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatJson, ApplicationLogLevel: level}
		})), nil, Service(), groups(nil, "/aws/lambda/pay"))
		if got := say(record[*evidence.LogSource](t, set, pay+"#application").To[0].Extent); got != want {
			t.Errorf("%s: got %s, want %s", level, got, want)
		}
	}
}

func TestWhatLambdaItselfWritesHasALevelToo(t *testing.T) {
	const system = "not when an invocation began and ended: Lambda itself writes only lines of level WARN"
	for _, test := range []struct {
		level  types.ApplicationLogLevel
		system types.SystemLogLevel
		want   string
	}{
		{"", types.SystemLogLevelWarn, "{some " + system + "}"},
		{types.ApplicationLogLevelError, types.SystemLogLevelWarn, "{some only lines of level ERROR and above; " + system + "}"},
		{types.ApplicationLogLevelInfo, types.SystemLogLevelInfo, "{all }"},
		{"", types.SystemLogLevelDebug, "{all }"},
	} {
		set := awstest.Scan(t, estate(anything, latest(func(f *types.FunctionConfiguration) {
			f.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatJson, ApplicationLogLevel: test.level, SystemLogLevel: test.system}
		})), nil, Service(), groups(nil, "/aws/lambda/pay"))
		if got := say(record[*evidence.LogSource](t, set, pay+"#application").To[0].Extent); got != test.want {
			t.Errorf("%s, %s: got %s, want %s", test.level, test.system, got, test.want)
		}
	}
}

func TestAFunctionWithoutALogGroupHasNotRunYet(t *testing.T) {
	const group = evidence.ID("aws:111122223333/eu-west-1//logs//aws/lambda/pay")
	t.Run("its role may make the group", func(t *testing.T) {
		set := awstest.Scan(t, estate(anything, latest()), nil, Service(), groups(nil))
		store := record[*evidence.LogStore](t, set, group)
		if want := `elsewhere: log group "/aws/lambda/pay" does not exist: the function has not run yet, or its output is lost`; say(store.Kept) != want {
			t.Errorf("kept: got %s, want %s", say(store.Kept), want)
		}
		for _, line := range awstest.Judge(set) {
			if strings.HasPrefix(line, "fail") && strings.Contains(line, "//lambda/pay#") || strings.HasPrefix(line, "pass retained") {
				t.Errorf("got %s", line)
			}
		}
	})
	t.Run("its role may not", func(t *testing.T) {
		set := awstest.Scan(t, estate(func(a, _ string) bool { return a != "logs:CreateLogGroup" }, latest()), nil, Service(), groups(nil))
		if got := say(record[*evidence.LogSource](t, set, pay+"#application").Enabled); got != "false: its role may not logs:CreateLogGroup" {
			t.Errorf("enabled: got %s", got)
		}
	})
	t.Run("its role may not, and groups could not be listed", func(t *testing.T) {
		set := awstest.Scan(t, estate(func(a, _ string) bool { return a != "logs:CreateLogGroup" }, latest()), nil, Service(), groups(awstest.Denied()))
		if got := say(record[*evidence.LogSource](t, set, pay+"#application").Enabled); got != "denied" {
			t.Errorf("enabled: got %s", got)
		}
	})
	t.Run("two functions of one group", func(t *testing.T) {
		other := latest(func(f *types.FunctionConfiguration) {
			f.FunctionName, f.LoggingConfig = aws.String("other"), &types.LoggingConfig{LogGroup: aws.String("/aws/lambda/pay")}
		})
		set := awstest.Scan(t, estate(anything, latest(), other), nil, Service(), groups(nil))
		stores := 0
		for _, r := range set.Records {
			if r.Self().ID == group {
				stores++
			}
		}
		if stores != 1 {
			t.Errorf("got %d stores", stores)
		}
	})
	t.Run("groups could not be listed", func(t *testing.T) {
		set := awstest.Scan(t, estate(anything, latest()), nil, Service(), groups(awstest.Denied()))
		for _, r := range set.Records {
			if r.Self().ID == group {
				t.Error("a store is recorded that nobody saw missing")
			}
		}
	})
}

func TestCodeIsKeptByAPublishedVersion(t *testing.T) {
	for name, c := range map[string]struct {
		all  []types.FunctionConfiguration
		want string
	}{
		"none": {[]types.FunctionConfiguration{latest()}, "false: no version of it is published: the next update overwrites its code"},
		"the code of today": {
			[]types.FunctionConfiguration{latest(), version("1", "before"), version("2", "now")},
			"true",
		},
		"older code alone": {
			[]types.FunctionConfiguration{version("1", "before"), latest()},
			"elsewhere: no published version holds the code of $LATEST; which of them is called is decided elsewhere",
		},
		"on managed instances, no number": {
			[]types.FunctionConfiguration{latest(), version("$LATEST.PUBLISHED", "now")},
			"false: no version of it is published: the next update overwrites its code",
		},
		"on managed instances, a number for what will run": {
			[]types.FunctionConfiguration{latest(), version("$LATEST.PUBLISHED", "before"), version("2", "now")},
			"elsewhere: no published version holds the code of $LATEST; which of them is called is decided elsewhere",
		},
		"on managed instances, a number for what runs": {
			[]types.FunctionConfiguration{version("$LATEST.PUBLISHED", "before"), version("1", "before"), latest()},
			"true",
		},
	} {
		t.Run(name, func(t *testing.T) {
			set := awstest.Scan(t, estate(anything, c.all...), nil, Service(), groups(nil))
			a := record[*evidence.Access](t, set, pay+"/code")
			if got := say(a.Allowed); got != c.want || a.Of != pay || a.Means != evidence.MeansCode {
				t.Errorf("got %s of %s, want %s", got, a.Of, c.want)
			}
		})
	}
	t.Run("an image is not asked for its code", func(t *testing.T) {
		set := awstest.Scan(t, estate(anything, latest(func(f *types.FunctionConfiguration) { f.PackageType = types.PackageTypeImage })), nil, Service(), groups(nil))
		for _, r := range set.Records {
			if a, ok := r.(*evidence.Access); ok {
				t.Errorf("got %+v", a)
			}
		}
	})
}

func TestPagesAreReadUntilOneFails(t *testing.T) {
	pages := func(last error) awstest.Answer {
		return func(r string, input any) (any, error) {
			in, ok := input.(*lambda.ListFunctionsInput)
			switch {
			case !ok:
				return estate(anything)(r, input)
			case in.FunctionVersion != types.FunctionVersionAll:
				return nil, errors.New("versions are not asked for")
			case in.Marker == nil:
				return &lambda.ListFunctionsOutput{Functions: []types.FunctionConfiguration{latest()}, NextMarker: aws.String("2")}, nil
			case last != nil:
				return nil, last
			}
			return &lambda.ListFunctionsOutput{Functions: []types.FunctionConfiguration{version("1", "now")}}, nil
		}
	}
	set := awstest.Scan(t, pages(nil), nil, Service(), groups(nil))
	if got := say(record[*evidence.Access](t, set, pay+"/code").Allowed); got != "true" {
		t.Errorf("got %s", got)
	}
	set = awstest.Scan(t, pages(awstest.Denied()), nil, Service(), groups(nil))
	if got := say(record[*evidence.Access](t, set, pay+"/code").Allowed); got != "denied" {
		t.Errorf("got %s, want denied: a version may be on the page that did not come", got)
	}
	if len(set.Gaps) != 1 || set.Gaps[0].Why != evidence.Denied {
		t.Errorf("gaps: got %+v", set.Gaps)
	}
	const rest = " aws:111122223333/eu-west-1//unseen/Lambda-functions"
	for _, check := range []string{"recorded-application" + rest, "acquirable-code" + rest + "/code", "retained-long-enough" + rest + "/records"} {
		has(t, awstest.Judge(set), "not-assessed "+check+": we may not call lambda:ListFunctions")
	}
}

func TestNoValueOfAVariableIsKept(t *testing.T) {
	set := awstest.Scan(t, estate(anything, latest()), nil, Service(), groups(nil))
	var out strings.Builder
	if err := evidence.Write(&out, set); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "hunter2") {
		t.Error("a secret is in the evidence")
	}
}

func TestAnAccountWithoutFunctionsHasNoRecords(t *testing.T) {
	set := awstest.Scan(t, func(string, any) (any, error) { return nil, nil }, nil, Service(), groups(nil))
	if len(set.Records) != 2 || len(set.Gaps) != 0 { // the account and the region
		t.Errorf("got %d records, gaps %v", len(set.Records), set.Gaps)
	}
}
