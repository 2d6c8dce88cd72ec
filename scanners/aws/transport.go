package aws

import (
	"context"
	"net"
	"time"
)

// dialTime is how long a region may take to answer at all.
const dialTime = 5 * time.Second

func withDialTime(d *net.Dialer) { d.Timeout = dialTime }

// unlimited is a rate limiter for retries that never refuses one: how many there are is bounded per call.
type unlimited struct{}

func (unlimited) GetToken(context.Context, uint) (func() error, error) {
	return func() error { return nil }, nil
}

func (unlimited) AddTokens(uint) error { return nil }
