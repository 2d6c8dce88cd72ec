package aws

import (
	"context"
	"net"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"lookback/scanners/aws/scope"
)

// dialTime is how long a region may take to answer at all.
const dialTime = 5 * time.Second

func withDialTime(d *net.Dialer) { d.Timeout = dialTime }

// unreadable keeps the SDK from asking again where the answer was none of the protocol.
type unreadable struct{}

func (unreadable) IsErrorRetryable(err error) aws.Ternary {
	if scope.Unreadable(err) {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

// unlimited is a rate limiter for retries that never refuses one: how many there are is bounded per call.
type unlimited struct{}

func (unlimited) GetToken(context.Context, uint) (func() error, error) {
	return func() error { return nil }, nil
}

func (unlimited) AddTokens(uint) error { return nil }
