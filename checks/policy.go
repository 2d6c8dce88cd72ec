package checks

import "time"

// A Policy holds the numbers that an owner decides. No check has one of its own.
type Policy struct {
	Retain        int           // days that records are kept; PCI DSS 4.0.1, 10.5.1 asks for 12 months
	Searchable    int           // days of them that are at hand; PCI DSS 4.0.1, 10.5.1 asks for 3 months
	RestoreWithin time.Duration // how long getting a record back may take while it still counts as at hand
	FinishedStays time.Duration // how long a finished job can be looked at, at least
	Buffer        int64         // bytes; the least buffer that makes dropping records when it is full unlikely
	Fresh         time.Duration // how long ago records last arrived, at most, where they are due
	TimeSources   []string      // the servers that clocks are to take the time from; of none nobody is asked
	Hands         int           // how many users, roles and groups may stop, shorten or delete records
}

// DefaultPolicy returns what holds where nobody decided.
func DefaultPolicy() Policy {
	return Policy{Retain: 365, Searchable: 90, RestoreWithin: time.Hour, FinishedStays: 24 * time.Hour, Buffer: 25_000_000, Fresh: 24 * time.Hour, Hands: 10}
}
