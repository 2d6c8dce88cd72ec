// Package adopt takes over what another scanner finds in files of a host: its records become records of the host.
package adopt

import (
	"errors"

	"lookback/evidence"
	"lookback/scanners/host/scope"
)

// A Sink gives what it takes to the scope of a host. Waivers are left out: whoever owns the machine writes them, and an
// intruder may.
type Sink struct {
	Scope *scope.Scope
	// Name says what an ID becomes on the host.
	Name func(evidence.ID) evidence.ID
	// Keep changes a record whose IDs are the host's already, and says whether it is kept.
	Keep func(evidence.Record) bool
	// Of are the activities whose sources a gap may hide.
	Of []evidence.Activity
}

// Record takes a record.
func (k Sink) Record(r evidence.Record) {
	k.rename(r)
	if k.Keep(r) {
		k.Scope.Record(r)
	}
}

// Gap takes a gap.
func (k Sink) Gap(g evidence.Gap) { k.Scope.Missed(g.Asked, errors.New(g.Err), g.At, k.Of...) }

// Waiver takes a waiver, and drops it.
func (k Sink) Waiver(evidence.Waiver) {}

// rename gives every ID in a record its new name.
func (k Sink) rename(r evidence.Record) {
	switch r := r.(type) {
	case *evidence.Asset:
		r.ID = k.Name(r.ID)
		if in, known := r.In.Get(); known {
			r.In = evidence.Known(k.Name(in), r.In.At())
		}
	case *evidence.LogSource:
		r.ID, r.Covers, r.To = k.Name(r.ID), k.ids(r.Covers), k.deliveries(r.To)
	case *evidence.LogStore:
		r.ID, r.To = k.Name(r.ID), k.deliveries(r.To)
		if on, known := r.On.Get(); known {
			r.On = evidence.Known(k.ids(on), r.On.At())
		}
	case *evidence.Access:
		r.ID, r.Of = k.Name(r.ID), k.Name(r.Of)
	}
}

func (k Sink) ids(ids []evidence.ID) []evidence.ID {
	out := make([]evidence.ID, len(ids))
	for i, id := range ids {
		out[i] = k.Name(id)
	}
	return out
}

// deliveries are copied: several records may share a list.
func (k Sink) deliveries(to []evidence.Delivery) []evidence.Delivery {
	out := make([]evidence.Delivery, len(to))
	for i, d := range to {
		d.To = k.Name(d.To)
		out[i] = d
	}
	return out
}
