package scope

import (
	"slices"
	"strings"

	"lookback/evidence"
)

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

// led returns what stands for the stores that sources go to and that nobody could name, because a call failed. Else they
// would not be asked about at all, and what is asked about less looks better.
func led(records []evidence.Record) (out []evidence.Record) {
	made := map[evidence.ID]bool{}
	once := func(r evidence.Record) {
		if id := r.Self().ID; !made[id] {
			made[id] = true
			out = append(out, r)
		}
	}
	for _, r := range records {
		from, ok := r.(*evidence.LogSource)
		if !ok || strings.HasPrefix(from.ID.Thing(), "unseen/") {
			continue
		}
		fact := from.Complete
		if from.Enabled.IsUnknown() && len(from.To) == 0 {
			fact = from.Enabled
		}
		why := fact.Why()
		if why != evidence.Denied && why != evidence.Failed {
			continue
		}
		_, region, _ := strings.Cut(from.ID.Target(), "/")
		at := evidence.Origin{Call: fact.At().Call, Of: region, Note: fact.At().Note}
		account, _, _ := strings.Cut(strings.TrimPrefix(from.ID.Target(), "aws:"), "/")
		in := &Scope{Account: account}
		name := "what " + at.Call + " would name"
		id := evidence.ID(from.ID.Target() + "//unseen/" + at.Call)
		store := in.Store(id, "unseen stores", name, at)
		store.Kept, store.Locked, store.Complete = evidence.Unknown[int](why, at), evidence.Unknown[int](why, at), evidence.Unknown[bool](why, at)
		once(store)
		to := evidence.EverythingTo(id, at)
		to.Extent, to.Error = evidence.Unknown[evidence.Extent](why, at), evidence.Unknown[string](why, at)
		source := in.Source("", from.Activity, "unseen stores", name, at)
		source.ID = id + evidence.ID("#"+string(from.Activity))
		source.Enabled, source.Complete, source.To = store.Complete, store.Complete, []evidence.Delivery{to}
		once(source)
	}
	return out
}

// Unseen says what would be asked of the things in a list that could not be had.
type Unseen struct {
	// Activities are those that logs of the things would record.
	Activities []evidence.Activity
	// On is what holds the things, where it is recorded and asked about them itself: a region. Else a thing of its own stands
	// for them.
	On evidence.ID
	// Means are the ways in which a responder would acquire evidence of them.
	Means []evidence.Means
	// Store says that they keep records themselves.
	Store bool
}

// Blind records that a list could not be had: a gap, and what stands for the things that would be in it. See [Scope.Stand].
func (s *Scope) Blind(asked string, err error, at evidence.Origin, of Unseen) {
	s.Missed(s.Home(), asked, err, at)
	s.Stand(asked, err, at, of)
}

// Stand records what stands for things that nobody could see: of which every fact that a reader would have brought is
// unknown. Without them a check would take a list that was refused for an empty one, and what is asked about less would
// look better.
func (s *Scope) Stand(asked string, err error, at evidence.Origin, of Unseen) {
	Memo(s, "unseen "+string(s.ID(asked)), func() bool { s.stand(asked, err, at, of); return true })
}

func (s *Scope) stand(asked string, err error, at evidence.Origin, of Unseen) {
	thing := "unseen/" + strings.ReplaceAll(asked, " ", "-")
	where := s.Region
	if s.Global {
		where = s.Account
	}
	self := evidence.Subject{ID: s.ID(thing), Kind: asked, Name: "the " + asked + " of " + where, At: at}
	no := Unknown[bool](err, at)
	has := func(a evidence.Activity) bool { return slices.Contains(of.Activities, a) }
	covers := of.On
	if covers == "" {
		covers = self.ID
		asset := &evidence.Asset{
			Subject: self, In: Unknown[evidence.ID](err, at), Lasting: !has(evidence.Application) && !has(evidence.Process), Host: has(evidence.Process),
			Looked: map[evidence.Activity]evidence.Value[bool]{},
		}
		for _, a := range of.Activities {
			asset.Looked[a] = no
		}
		s.Record(asset)
	}
	store := s.Store(self.ID+"/records", asked, self.Name, at)
	store.Kept, store.Locked = Unknown[int](err, at), Unknown[int](err, at)
	store.ColdAfter, store.Restore = Unknown[int](err, at), Unknown[int64](err, at)
	store.Complete = no
	if of.Store {
		store.Encrypted, store.Readable, store.Private = no, no, no
	}
	if of.Store || len(of.Activities) > 0 {
		s.Record(store)
	}
	for _, a := range of.Activities {
		source := s.Source(thing, a, asked, self.Name, at)
		source.Covers, source.Enabled, source.Complete = []evidence.ID{covers}, no, no
		to := evidence.EverythingTo(store.ID, at)
		to.Extent, to.Error = Unknown[evidence.Extent](err, at), Unknown[string](err, at)
		if a == evidence.Application {
			to.Lossless = no
		}
		if a == evidence.CloudAPI {
			to.Validated = no
		}
		source.To = []evidence.Delivery{to}
		s.Record(source)
	}
	for _, m := range of.Means {
		access := &evidence.Access{
			Subject: evidence.Subject{ID: self.ID + "/" + evidence.ID(m), Kind: asked, Name: self.Name, At: at}, Of: covers, Means: m,
		}
		if m == evidence.MeansImage {
			access.Exact, access.Guarded = no, no
		} else {
			access.Allowed = no
		}
		if m == evidence.MeansDisk {
			access.Guarded = no
		}
		if m == evidence.MeansShell {
			access.Recorded = no
		}
		s.Record(access)
	}
}
