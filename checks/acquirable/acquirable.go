package acquirable

import (
	"cmp"

	"lookback/checks"
	"lookback/evidence"
)

// ways are the words for whether a responder has something.
type ways struct {
	no, many, yes string // "%s cannot be copied", with the reason behind it; its plural; "%s can be copied"
	of            string // the kind of thing that has the access's name, where it is not the access: "account"
}

// has asks of every access by one means whether a fact holds. Of a kind of which no scanner asks that, nothing is asked.
func has(means evidence.Means, fact func(evidence.Access) evidence.Value[bool], say ways) checks.Judge {
	return checks.Each(func(_ *checks.View, a evidence.Access) checks.Verdict {
		holds := fact(a)
		is, known := holds.Get()
		thing := a.Subject
		thing.Kind = cmp.Or(say.of, thing.Kind)
		name := checks.Named(thing)
		switch {
		case a.Means != means || holds.IsZero():
			return checks.Unasked()
		case !known:
			return checks.NotKnown(holds)
		case !is:
			return checks.Failed(holds, say.no+"%s", name, checks.Why(holds)).Many(say.many)
		}
		return checks.Passed(holds, say.yes, name)
	})
}

func allowed(a evidence.Access) evidence.Value[bool] { return a.Allowed }

func guarded(a evidence.Access) evidence.Value[bool] { return a.Guarded }

// recorded asks nothing of what cannot be opened.
func recorded(a evidence.Access) evidence.Value[bool] {
	open, known := a.Allowed.Get()
	switch {
	case known && !open:
		return evidence.Moot[bool](a.Allowed.At())
	case !known && !a.Allowed.IsZero():
		return a.Allowed
	}
	return a.Recorded
}
