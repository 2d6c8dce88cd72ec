package scope

import "lookback/evidence"

// Source returns a log source of a service that AWS runs: nothing can hide what it writes, and its deliveries are all
// that there are.
func (s *Scope) Source(thing string, a evidence.Activity, kind, name string, at evidence.Origin) *evidence.LogSource {
	return &evidence.LogSource{
		Subject:  evidence.Subject{ID: s.SourceID(thing, a), Kind: kind, Name: name, At: at},
		Activity: a,
		Hidden:   evidence.Moot[evidence.Hiding](at),
		Complete: evidence.Known(true, at),
	}
}

// To returns a delivery of everything to a store, by a service of AWS that has no buffer of ours to fill.
func To(store evidence.ID, at evidence.Origin) evidence.Delivery {
	return evidence.Delivery{
		To:       store,
		Extent:   evidence.Known(evidence.Extent{Grade: evidence.All}, at),
		Lossless: evidence.Moot[bool](at),
		Buffer:   evidence.Moot[int64](at),
	}
}

// Store returns a store that AWS keeps for this account: neither bytes nor the end of an asset bound it. How long it keeps
// what it holds is left to the caller.
func (s *Scope) Store(id evidence.ID, kind, name string, at evidence.Origin) *evidence.LogStore {
	return &evidence.LogStore{
		Subject:   evidence.Subject{ID: id, Kind: kind, Name: name, At: at},
		On:        evidence.Known([]evidence.ID{s.AccountID()}, at),
		Memory:    evidence.Known(false, at),
		Bytes:     evidence.Moot[int64](at),
		ColdAfter: evidence.Moot[int](at),
		Restore:   evidence.Moot[int64](at),
		Lingers:   evidence.Moot[int64](at),
		Complete:  evidence.Known(true, at),
	}
}
