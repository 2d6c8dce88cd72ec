// Package kms tells whether the keys are in force that logs are encrypted with. What is encrypted with a key that is
// disabled cannot be read, and what is encrypted with a deleted one never again.
package kms

import (
	"context"
	"errors"

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
	// InForce says whether what it encrypts can be read; moot for a key that its owner cannot lose: AWS manages it.
	InForce evidence.Value[bool]
	// Own says whether the owner controls it: it is not one that AWS manages for them.
	Own evidence.Value[bool]
}

var errNothing = errors.New("the answer is empty")

// Describe asks for a key, by its ARN, its id or an alias, once an account. No key at all is one of AWS.
func Describe(ctx context.Context, s *scope.Scope, key string) Key {
	if key == "" {
		at := s.At("kms:DescribeKey", "").WithNote("AWS owns the key")
		return Key{evidence.Moot[bool](at), evidence.Known(false, at)}
	}
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

func observe(k types.KeyMetadata, at evidence.Origin) Key {
	if k.KeyManager == types.KeyManagerTypeAws {
		at.Note = "AWS manages the key"
		return Key{evidence.Moot[bool](at), evidence.Known(false, at)}
	}
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
	case types.KeyStateUnavailable:
		in = evidence.Known(false, at.WithNote("the key is unavailable"))
	case types.KeyStatePendingImport:
		in = evidence.Known(false, at.WithNote("the key waits for its material"))
	default: // Creating, Updating: for a moment
		in = evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("the key's state is "+string(k.KeyState)))
	}
	own := evidence.Known(true, at)
	if k.KeyManager != types.KeyManagerTypeCustomer {
		own = evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("nobody says who manages the key"))
	}
	return Key{in, own}
}

// name is the part of a key's ARN that tells it apart.
func name(key string) string {
	if a, ok := scope.ParseARN(key); ok {
		return a.Resource
	}
	return key
}
