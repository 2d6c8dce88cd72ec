package aws

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"lookback/checks"
	"lookback/checks/all"
	"lookback/evidence"
	"lookback/report"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/scope"
)

// A judgement is what all checks say of a set.
type judgement struct {
	outcomes map[string]checks.Outcome // by check and subject
	stores   map[string]bool           // those about a store, or what a source hands to one
	score    report.Score
}

func judge(set *evidence.Set) judgement {
	r := report.New(set, report.Options{Checks: all.All(), Policy: checks.DefaultPolicy()})
	j := judgement{map[string]checks.Outcome{}, map[string]bool{}, r.Score}
	about := map[evidence.ID]bool{}
	for _, one := range set.Records {
		switch one.(type) {
		case *evidence.LogStore, *evidence.LogSource:
			about[one.Self().ID] = true
		}
	}
	for _, one := range r.Results {
		key := report.Key(one.Check.ID, one.Subject.ID)
		j.outcomes[key], j.stores[key] = one.Outcome, about[one.Subject.ID]
	}
	return j
}

// TestEachCallThatFailsMakesNothingBetter takes away one call after the other, refused, broken or throttled, from an account
// in which most is well and from one in which most is not.
func TestEachCallThatFailsMakesNothingBetter(t *testing.T) {
	faults := map[string]error{
		"denied":    awstest.Denied(),
		"broken":    &smithy.GenericAPIError{Code: "InternalFailure", Message: "InternalFailure", Fault: smithy.FaultServer},
		"throttled": awstest.Error("ThrottlingException"), // for ever
	}
	for name, e := range map[string]estate{"healthy": {}, "weak": {weak: true}} {
		before := judge(whole(t, e.answer, Filter{}))
		within := judge(whole(t, organised(e), Filter{}))
		for what, fault := range faults {
			for _, call := range Calls() {
				if call.Service == "STS" || strings.HasPrefix(call.Perhaps, "with --") { // without them there is no scan at all
					continue
				}
				t.Run(name+"/"+what+"/"+call.Service+"."+call.Op, func(t *testing.T) {
					t.Parallel()
					before, answer := before, e.answer
					if call.Op == "ListDelegatedAdministrators" { // which an account in no organisation is not asked for
						before, answer = within, organised(e)
					}
					set := whole(t, func(c awstest.Call) (any, error) {
						if c.Op == call.Service+"."+call.Op {
							return nil, fault
						}
						return answer(c)
					}, Filter{})
					notBetter(t, before, judge(set))
					if !names(t, set, call) {
						t.Errorf("no unknown fact and no gap names %s", call.Action)
					}
				})
			}
		}
	}
}

// TestWhatFailsInAWSIsMendedInAWS holds that a check that fails there says what to do there.
func TestWhatFailsInAWSIsMendedInAWS(t *testing.T) {
	told := map[string]bool{}
	for _, e := range []estate{{}, {weak: true}} {
		for _, r := range report.New(whole(t, e.answer, Filter{}), report.Options{Checks: all.All(), Policy: checks.DefaultPolicy()}).Results {
			fits := func(c checks.Cure) bool { return c.For == "" || c.For == "AWS" }
			if r.Outcome == checks.Fail && !told[r.Check.ID] && !slices.ContainsFunc(r.Check.Cures(), fits) {
				told[r.Check.ID] = true
				t.Errorf("%s fails of %s, and no cure is one for AWS", r.Check.ID, r.Subject.ID)
			}
		}
	}
}

func notBetter(t *testing.T, before, after judgement) {
	t.Helper()
	for key, outcome := range after.outcomes {
		was, asked := before.outcomes[key]
		switch {
		case asked && was == outcome:
		case outcome == checks.Pass:
			t.Errorf("new pass: %s", key)
		case outcome == checks.Fail && !after.stores[key]: // of a store that is no longer known to take nothing, it is true
			t.Errorf("new failure: %s", key)
		}
	}
	if after.score.Ready > before.score.Ready {
		t.Errorf("the score rises from %v to %v", before.score.Ready, after.score.Ready)
	}
}

// names reports whether the evidence says that a call was missed.
func names(t *testing.T, set *evidence.Set, call scope.Call) bool {
	t.Helper()
	for _, g := range set.Gaps {
		if g.At.Call == call.Action {
			return true
		}
	}
	for line := range strings.Lines(written(t, set)) {
		for _, part := range strings.Split(line, `"unknown":`)[1:] {
			if strings.Contains(part, fmt.Sprintf(`"call":%q`, call.Action)) {
				return true
			}
		}
	}
	return false
}
