// Package kms tells whether the keys are in force that logs are encrypted with. What is encrypted with a key that is
// disabled cannot be read, and what is encrypted with a deleted one never again.
package kms

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// Service declares the call. It reads nothing by itself: other readers ask for the keys that they meet.
func Service() scope.Service {
	return scope.Service{
		Name: "kms",
		Calls: []scope.Call{{
			Service: kms.ServiceID, Op: "DescribeKey", Action: "kms:DescribeKey", Per: "key that encrypts logs",
			Fills: "LogStore.Readable, LogStore.Encrypted", Perhaps: "where a key of the owner's encrypts logs",
		}},
	}
}

// A Key is what we know of one.
type Key struct {
	// InForce says whether what it encrypts can be read.
	InForce evidence.Value[bool]
	// Own says whether the owner controls it: it is not one that AWS manages for them.
	Own evidence.Value[bool]
}

// Describe asks for a key, by its ARN, its id or an alias, once an account.
func Describe(ctx context.Context, s *scope.Scope, key string) Key {
	arn, isARN := scope.ParseARN(key)
	region := s.Region
	if isARN {
		region = arn.Region
	}
	return scope.Memo(s, "kms "+region+" "+key, func() Key {
		cfg := s.Config.Copy()
		cfg.Region = region
		at := evidence.Origin{Call: "kms:DescribeKey", Of: region + "/" + name(key)}
		out, err := kms.NewFromConfig(cfg).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(key)})
		if scope.Is(err, "NotFoundException") {
			return Key{evidence.Known(false, at.WithNote("the key does not exist")), evidence.Known(true, at)}
		}
		if err == nil && out.KeyMetadata == nil {
			err = errNothing
		}
		if err != nil {
			return Key{scope.Unknown[bool](err, at), scope.Unknown[bool](err, at)}
		}
		return observe(*out.KeyMetadata, at)
	})
}

// InForce says whether what a key encrypts can be read.
func InForce(ctx context.Context, s *scope.Scope, key string) evidence.Value[bool] {
	return Describe(ctx, s, key).InForce
}

func observe(k types.KeyMetadata, at evidence.Origin) Key {
	var in evidence.Value[bool]
	switch k.KeyState {
	case types.KeyStateEnabled:
		in = evidence.Known(true, at)
	case types.KeyStatePendingDeletion, types.KeyStatePendingReplicaDeletion:
		note := "the key is about to be deleted"
		if k.DeletionDate != nil {
			note += ", on " + k.DeletionDate.UTC().Format("2006-01-02")
		}
		in = evidence.Known(false, at.WithNote(note))
	case types.KeyStateDisabled:
		in = evidence.Known(false, at.WithNote("the key is disabled"))
	case types.KeyStateUnavailable, types.KeyStatePendingImport:
		in = evidence.Known(false, at.WithNote("the key is "+strings.ToLower(string(k.KeyState))))
	default: // Creating, Updating: for a moment
		in = evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("the key's state is "+string(k.KeyState)))
	}
	return Key{in, evidence.Known(k.KeyManager == types.KeyManagerTypeCustomer, at)}
}

// name is the part of a key's ARN that tells it apart.
func name(key string) string {
	if a, ok := scope.ParseARN(key); ok {
		return a.Resource
	}
	return key
}
