package checks

import (
	"hash/maphash"
	"strings"

	"lookback/evidence"
)

// Homes say what is judged together. What belongs to no account (a place in a bucket) and is written to from one account alone
// is at home there; anything else, in its own unit. So is every name of no account that has to do with one alone. This is found
// while all records are read once, after which it is settled. What a name has to do with is whatever it covers, watches or
// writes to, or the other way around. Names are hashes: two that are equal by chance share what they have to do with.
type homes struct {
	seed  maphash.Seed
	owner map[uint64]uint64   // the account's unit that a name of no account, or those joined with it, has to do with; 0 for several
	up    map[uint64]uint64   // from a name that was joined with another one
	below map[uint64][]uint64 // the names that were joined, by the one that is up
	moved func(uint64)        // is called with every home to which something came, or that something left
}

// nameOf is what an ID is judged by: its Unit, or, of what belongs to no account, as "aws://s3/NAME/PREFIX", all of it: that is
// free to be judged with an account.
func nameOf(id evidence.ID) (name string, free bool) {
	name = id.Unit()
	if strings.HasSuffix(name, ":") && strings.HasPrefix(string(id[len(name):]), "//") {
		return string(id), true
	}
	return name, false
}

// A name is what nameOf returns, as a hash.
type name struct {
	hash uint64
	free bool
}

func (h *homes) name(id evidence.ID) name {
	text, free := nameOf(id)
	return name{max(1, maphash.String(h.seed, text)), free}
}

func (h *homes) top(hash uint64) uint64 {
	for {
		up, ok := h.up[hash]
		if !ok {
			return hash
		}
		hash = up
	}
}

// home is where a name is at home.
func (h *homes) home(n name) uint64 {
	if !n.free {
		return n.hash
	}
	top := h.top(n.hash)
	switch owner, ok := h.owner[top]; {
	case !ok:
		return top
	case owner == 0:
		return n.hash
	default:
		return owner
	}
}

func (h *homes) of(id evidence.ID) uint64 { return h.home(h.name(id)) }

// apart reports whether two IDs are at home in different places.
func (h *homes) apart(a, b evidence.ID) bool {
	if unit := a.Unit(); unit == b.Unit() && !strings.HasSuffix(unit, ":") {
		return false
	}
	return h.of(a) != h.of(b)
}

// link says that two IDs have to do with each other.
func (h *homes) link(a, b evidence.ID) {
	if unit := a.Unit(); unit == b.Unit() && !strings.HasSuffix(unit, ":") {
		return
	}
	x, y := h.name(a), h.name(b)
	switch {
	case x.free && y.free:
		h.join(h.top(x.hash), h.top(y.hash))
	case x.free:
		h.own(h.top(x.hash), y.hash)
	case y.free:
		h.own(h.top(y.hash), x.hash)
	}
}

// own says that what is joined under a name has to do with an account's unit; 0 for several.
func (h *homes) own(top, unit uint64) {
	was, ok := h.owner[top]
	if ok && (was == 0 || was == unit) {
		return
	}
	if ok {
		h.moved(was)
		unit = 0
	}
	h.owner[top] = unit
	if unit != 0 {
		h.moved(unit)
		return
	}
	h.moved(top)
	for _, name := range h.below[top] {
		h.moved(name)
	}
}

func (h *homes) join(a, b uint64) {
	if a == b {
		return
	}
	if owner, ok := h.owner[a]; ok {
		h.own(b, owner)
	}
	if owner, ok := h.owner[b]; ok {
		h.own(a, owner)
	}
	h.up[b] = a
	h.below[a] = append(append(h.below[a], b), h.below[b]...)
	delete(h.below, b)
	delete(h.owner, b)
	h.moved(h.home(name{a, true}))
}
