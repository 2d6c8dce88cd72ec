package scanners

import (
	"slices"
	"strings"

	"lookback/evidence"
)

// KindContainerOutput is the Kind of the log source by which the evidence of a real platform says what becomes of the
// output of containers that say nothing about it themselves. A Docker host's ("host:NODE//docker/output#application")
// covers an asset that stands for any container of the daemon and lies on the host; a cluster's
// ("kubernetes:NAME//output#application") covers the cluster.
const KindContainerOutput = "container output"

// An Outlet is where a daemon brings the output of a container by default.
type Outlet struct {
	By    evidence.Delivery
	Store *evidence.LogStore // nil for a store that was not scanned
	Rests Rests
}

// Rests says what an outlet's store ends with.
type Rests uint8

// The places.
const (
	Away        Rests = iota // none of the others
	InContainer              // with the container
	OnHost                   // with the machine
)

// Answer takes from the saved evidence of a real daemon or cluster what manifests leave open. What the owner declared
// gives way to what was seen.
func (d *Declared) Answer(with *evidence.Set) {
	stores := map[evidence.ID]*evidence.LogStore{}
	assets := map[evidence.ID]*evidence.Asset{}
	for _, r := range with.Records {
		switch r := r.(type) {
		case *evidence.LogStore:
			stores[r.ID] = r
		case *evidence.Asset:
			assets[r.ID] = r
		}
	}
	for _, r := range with.Records {
		s, ok := r.(*evidence.LogSource)
		if !ok || s.Kind != KindContainerOutput {
			continue
		}
		var outlets []Outlet
		var copies []evidence.Delivery
		for _, by := range s.To {
			store := stores[by.To]
			outlets = append(outlets, Outlet{By: by, Store: store, Rests: rests(store, s.Covers, assets)})
			if store == nil {
				copies = append(copies, by)
			} else {
				copies = append(copies, store.To...)
			}
		}
		if strings.HasPrefix(string(s.ID), "host:") {
			d.Docker = &Platform{Outlets: outlets}
			continue
		}
		to := evidence.Known(copies, s.At)
		if s.Complete.IsUnknown() {
			to = evidence.Unknown[[]evidence.Delivery](s.Complete.Why(), s.Complete.At())
		}
		d.Kubernetes = &Platform{To: to}
	}
}

func rests(store *evidence.LogStore, covers []evidence.ID, assets map[evidence.ID]*evidence.Asset) Rests {
	if store == nil {
		return Away
	}
	on, _ := store.On.Get()
	for _, id := range covers {
		if slices.Contains(on, id) {
			return InContainer
		}
		if a := assets[id]; a != nil {
			if host, known := a.In.Get(); known && slices.Contains(on, host) {
				return OnHost
			}
		}
	}
	return Away
}
