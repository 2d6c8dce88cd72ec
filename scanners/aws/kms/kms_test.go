package kms

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/scope"
)

// read asks for keys in the region of the tests.
func read(t *testing.T, answer awstest.Answer, ask func(context.Context, *scope.Scope)) {
	t.Helper()
	s := Service()
	s.Region = ask
	awstest.Scan(t, answer, nil, s)
}

func say(v evidence.Value[bool]) string {
	out := fmt.Sprintf("unknown: %s", v.Why())
	if is, known := v.Get(); known {
		out = fmt.Sprint(is)
	} else if v.IsMoot() {
		out = "moot"
	}
	if note := v.At().Note; note != "" {
		out += " (" + note + ")"
	}
	return out
}

func TestAKeyIsInForceWhileItIsEnabled(t *testing.T) {
	customer, platform := types.KeyManagerTypeCustomer, types.KeyManagerTypeAws
	day := time.Date(2026, 6, 9, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name       string
		key        *types.KeyMetadata
		err        error
		force, own string
	}{
		{"enabled", &types.KeyMetadata{KeyManager: customer, KeyState: types.KeyStateEnabled}, nil, "true", "true"},
		{"disabled", &types.KeyMetadata{KeyManager: customer, KeyState: types.KeyStateDisabled}, nil, "false (the key is disabled)", "true"},
		{"about to go", &types.KeyMetadata{KeyManager: customer, KeyState: types.KeyStatePendingDeletion, DeletionDate: &day}, nil, "false (the key is about to be deleted, on 2026-06-09)", "true"},
		{"about to go with its replicas", &types.KeyMetadata{KeyManager: customer, KeyState: types.KeyStatePendingReplicaDeletion}, nil, "false (the key is about to be deleted)", "true"},
		{"its store is away", &types.KeyMetadata{KeyManager: customer, KeyState: types.KeyStateUnavailable}, nil, "false (the key is unavailable)", "true"},
		{"without material", &types.KeyMetadata{KeyManager: customer, KeyState: types.KeyStatePendingImport}, nil, "false (the key waits for its material)", "true"},
		{"changing", &types.KeyMetadata{KeyManager: customer, KeyState: types.KeyStateUpdating}, nil, "unknown: unfamiliar (the key's state is Updating)", "true"},
		{"of AWS", &types.KeyMetadata{KeyManager: platform, KeyState: types.KeyStateEnabled}, nil, "moot (AWS manages the key)", "false (AWS manages the key)"},
		{"of nobody", &types.KeyMetadata{KeyState: types.KeyStateEnabled}, nil, "true", "unknown: unfamiliar (nobody says who manages the key)"},
		{"gone", nil, awstest.Error("NotFoundException"), "false (the key does not exist)", "true"},
		{"denied", nil, awstest.Denied(), "unknown: denied", "unknown: denied"},
		{"failed", nil, awstest.Error("KMSInternalException"), "unknown: failed (KMSInternalException)", "unknown: failed (KMSInternalException)"},
		{"nothing said", nil, nil, "unknown: failed (the answer is empty)", "unknown: failed (the answer is empty)"},
	} {
		var got Key
		read(t, func(string, any) (any, error) { return &kms.DescribeKeyOutput{KeyMetadata: c.key}, c.err }, func(ctx context.Context, s *scope.Scope) {
			got = Describe(ctx, s, "abcd")
		})
		if force, own := say(got.InForce), say(got.Own); force != c.force || own != c.own {
			t.Errorf("%s: got %s and %s, want %s and %s", c.name, force, own, c.force, c.own)
		}
		if c.name == "denied" {
			if want := (evidence.Origin{Call: "kms:DescribeKey", Of: "eu-west-1/abcd"}); got.InForce.At() != want {
				t.Errorf("got %+v, want %+v", got.InForce.At(), want)
			}
		}
	}
}

func TestAKeyIsAskedForOnceInItsOwnRegion(t *testing.T) {
	const far = "arn:aws:kms:us-east-2:444455556666:key/far"
	var mu sync.Mutex
	asked := map[string]int{}
	read(t, func(region string, input any) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		asked[region+" "+aws.ToString(input.(*kms.DescribeKeyInput).KeyId)]++
		return nil, awstest.Denied()
	}, func(ctx context.Context, s *scope.Scope) {
		for _, key := range []string{far, "alias/logs", far, "alias/logs"} {
			if v := Describe(ctx, s, key).InForce; v.Why() != evidence.Denied {
				t.Errorf("got %+v", v)
			}
		}
		if of := Describe(ctx, s, far).InForce.At().Of; of != "us-east-2/key/far" {
			t.Errorf("got %s", of)
		}
	})
	if len(asked) != 2 || asked["us-east-2 "+far] != 1 || asked["eu-west-1 alias/logs"] != 1 {
		t.Errorf("asked %v", asked)
	}
}

func TestNoKeyIsOneOfAWSAndNobodyIsAsked(t *testing.T) {
	read(t, func(string, any) (any, error) {
		t.Error("asked")
		return nil, nil
	}, func(ctx context.Context, s *scope.Scope) {
		if got := Describe(ctx, s, ""); !got.InForce.IsMoot() || say(got.Own) != "false (AWS owns the key)" {
			t.Errorf("got %+v", got)
		}
	})
}
