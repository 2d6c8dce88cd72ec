package report

import (
	"fmt"
	"slices"
	"strings"

	"lookback/checks"
	"lookback/evidence"
)

// Cite returns where the fact was seen that decided a result, or else where its subject is declared.
func Cite(r checks.Result) evidence.Origin {
	if r.Because != nil {
		if at := r.Because.At(); at.File != "" || at.Call != "" {
			return at
		}
	}
	return r.Subject.At
}

// Where writes a place, fit for a reader: "compose.yaml:12:5", or the call; empty where it is neither.
func Where(at evidence.Origin) string {
	switch {
	case at.File == "" && at.Of != "":
		return Clean(at.Call + " " + at.Of)
	case at.File == "":
		return Clean(at.Call)
	case at.Line <= 0:
		return Clean(at.File)
	case at.Col <= 0:
		return fmt.Sprintf("%s:%d", Clean(at.File), at.Line)
	}
	return fmt.Sprintf("%s:%d:%d", Clean(at.File), at.Line, at.Col)
}

// At is an origin as a report names it, for something of a target. Of several hosts a place names which: the files of one are
// called like those of another.
func (r *Report) At(of evidence.ID, at evidence.Origin) evidence.Origin {
	if host, ok := strings.CutPrefix(of.Target(), "host:"); ok && len(r.Hosts) > 1 && at.Call == "" {
		at.File = strings.TrimSuffix(host+"/"+at.File, "/")
	}
	return at
}

// Cite is where the fact was seen that decided a result, as a report names it.
func (r *Report) Cite(res checks.Result) evidence.Origin { return r.At(res.Subject.ID, Cite(res)) }

// name notes which host or which account something is of.
func (r *Report) name(id evidence.ID) {
	names, name := &r.Hosts, ""
	if host, ok := strings.CutPrefix(id.Target(), "host:"); ok {
		name = host
	} else if account, ok := strings.CutPrefix(id.Unit(), "aws:"); ok {
		names, name = &r.Accounts, account
	}
	if i, found := slices.BinarySearch(*names, name); name != "" && !found {
		*names = slices.Insert(*names, i, name)
	}
}

// mostNamed is how many hosts, and accounts, are named one by one.
const mostNamed = 3

// Of names what a report is of: "host web-1", "accounts 111122223333 and 444455556666", "57 accounts"; empty where its targets
// say it themselves.
func (r *Report) Of() string {
	var of []string
	for _, names := range []struct {
		kind string
		of   []string
	}{{"account", r.Accounts}, {"host", r.Hosts}} {
		switch n := len(names.of); {
		case n == 0:
		case n == 1:
			of = append(of, names.kind+" "+names.of[0])
		case n <= mostNamed:
			of = append(of, fmt.Sprintf("%ss %s and %s", names.kind, strings.Join(names.of[:n-1], ", "), names.of[n-1]))
		default:
			of = append(of, fmt.Sprintf("%d %ss", n, names.kind))
		}
	}
	return strings.Join(of, ", ")
}
