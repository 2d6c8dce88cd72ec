package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lookback/checks"
	"lookback/evidence"
)

// An Unknown is something that nobody could tell, with the checks that it blinds.
type Unknown struct {
	Text     string
	Call     string // that gave no answer, if it is that
	Denied   bool   // because we may not make it
	Checks   []string
	Places   []Place
	Subjects int
	More     int // of these, those that are left out in a large scan
	Gaps     []evidence.Gap
	MoreGaps int // that are left out
}

// A reason is what the results of one Unknown have in common: a call that gave no answer, or else their group.
type reason struct {
	call   string
	denied bool
	group  string
}

func reasonOf(res checks.Result) reason {
	if res.Because != nil {
		if at, why := res.Because.At(), res.Because.Why(); at.Call != "" && (why == evidence.Denied || why == evidence.Failed) {
			return reason{call: at.Call, denied: why == evidence.Denied}
		}
	}
	return reason{group: res.Group}
}

// Refused reports whether a gap is a call that gave no answer: it is told with what else the call blinds.
func Refused(g evidence.Gap) bool {
	return !g.Bad && g.At.Call != "" && (g.Why == evidence.Denied || g.Why == evidence.Failed)
}

// A spread says where a call gave no answer.
type spread struct {
	regions  map[string]bool
	accounts int
	last     string // the account that was counted last; they come in order
}

// spreads holds one for each reason: one of results and one of gaps, which come apart in a large scan.
type spreads map[reason]*[2]spread

func (s spreads) add(k reason, which int, id evidence.ID, of string) {
	if k.call == "" {
		return
	}
	if s[k] == nil {
		s[k] = &[2]spread{{regions: map[string]bool{}}, {regions: map[string]bool{}}}
	}
	w := &s[k][which]
	_, account, _ := strings.Cut(id.Unit(), ":")
	if account != "" && account != w.last {
		w.accounts, w.last = w.accounts+1, account
	}
	region, _, _ := strings.Cut(of, "/")
	if region == "" {
		_, region, _ = strings.Cut(id.Target(), "/")
	}
	if strings.Trim(region, "0123456789") != "" { // else it is an account
		w.regions[region] = true
	}
}

func (s spreads) result(res checks.Result) {
	if Open(res) {
		s.add(reasonOf(res), 0, res.Subject.ID, res.Because.At().Of)
	}
}

func (s spreads) gap(g evidence.Gap) {
	if Refused(g) {
		s.add(reason{call: g.At.Call, denied: g.Why == evidence.Denied}, 1, g.In, g.At.Of)
	}
}

// where says where a call gave no answer: " in eu-west-1", " in 17 regions of 40 accounts"; nothing where nobody knows.
func (s spreads) where(k reason) string {
	w := s[k]
	if w == nil {
		return ""
	}
	regions := maps.Clone(w[0].regions)
	maps.Copy(regions, w[1].regions)
	accounts := max(w[0].accounts, w[1].accounts)
	text := ""
	switch len(regions) {
	case 0:
		if accounts > 1 {
			return fmt.Sprintf(" in %d accounts", accounts)
		}
		return ""
	case 1:
		for name := range regions {
			text = " in " + name
		}
	default:
		text = fmt.Sprintf(" in %d regions", len(regions))
	}
	if accounts > 1 {
		text += fmt.Sprintf(" of %d accounts", accounts)
	}
	return text
}

// Unknowns groups what is not assessed by its reason, whatever the check: the reason that blinds most comes first. One
// call that gave no answer is one reason, wherever that was.
func (r *Report) Unknowns() []Unknown {
	var out []Unknown
	index := map[reason]int{}
	keys := []reason{}
	places := map[spot]int{}
	said := []string{} // why a call failed, in the words of the first that has some
	find := func(k reason, text string) int {
		i, ok := index[k]
		if !ok {
			i = len(out)
			index[k] = i
			keys = append(keys, k)
			out = append(out, Unknown{Text: k.group, Call: k.call, Denied: k.denied})
			said = append(said, text)
		}
		if said[i] == noReason {
			said[i] = text
		}
		return i
	}
	where := r.spreads
	if where == nil {
		where = spreads{}
		for _, id := range slices.SortedFunc(slices.Values(r.Results), func(a, b checks.Result) int { return cmp.Compare(a.Subject.ID, b.Subject.ID) }) {
			where.result(id)
		}
		for _, g := range r.Gaps {
			where.gap(g)
		}
	}
	blinds := func(u *Unknown, check string) {
		if !slices.Contains(u.Checks, check) {
			u.Checks = append(u.Checks, check)
		}
	}
	for _, res := range r.Results {
		if !Open(res) {
			continue
		}
		i := find(reasonOf(res), res.Message)
		blinds(&out[i], res.Check.ID)
		out[i].Places = add(out[i].Places, places, i, Place{Target: res.Subject.ID.Target(), Results: []checks.Result{res}})
		out[i].Subjects++
	}
	for _, rest := range r.Rest {
		if Open(rest.Like) {
			i := find(reasonOf(rest.Like), rest.Like.Message)
			blinds(&out[i], rest.Like.Check.ID)
			out[i].More += rest.Results
			out[i].Subjects += rest.Results
		}
	}
	of := func(g evidence.Gap) *Unknown {
		return &out[find(reason{call: g.At.Call, denied: g.Why == evidence.Denied}, cmp.Or(g.Err, noReason))]
	}
	for _, g := range r.Gaps {
		if Refused(g) {
			u := of(g)
			u.Gaps = append(u.Gaps, g)
		}
	}
	for _, rest := range r.RestGaps {
		if Refused(rest.Like) {
			of(rest.Like).MoreGaps += rest.Gaps
		}
	}
	for i, k := range keys {
		u := &out[i]
		if k.call == "" {
			continue
		}
		var asked []string
		for _, g := range u.Gaps {
			asked = append(asked, g.Asked)
		}
		slices.Sort(asked)
		asked = slices.DeleteFunc(slices.Compact(asked), func(what string) bool { return what == "what "+k.call+" tells" })
		blind := "not known: " + strings.Join(asked, ", ")
		if len(asked) == 0 { // no fact waits for it
			blind = "no check waits for it, and what it alone shows is missing"
		}
		if n := len(u.Checks); n == 1 {
			blind = "1 check not answered"
		} else if n > 1 {
			blind = fmt.Sprintf("%d checks not answered", n)
		}
		if k.denied {
			u.Text = fmt.Sprintf("we may not call %s%s: %s", k.call, where.where(k), blind)
		} else {
			u.Text = fmt.Sprintf("%s failed%s: %s; %s", k.call, where.where(k), said[i], blind)
		}
	}
	slices.SortStableFunc(out, func(a, b Unknown) int { return cmp.Compare(b.Subjects, a.Subjects) })
	return out
}

// noReason is what [checks.NotKnown] says of a failure that nobody explained.
const noReason = "reading it failed"

// Grants lists the actions that whoever scans would have to be allowed, for what is not assessed because of a refusal.
func Grants(of []Unknown) []string {
	var out []string
	for _, u := range of {
		if u.Denied {
			out = append(out, u.Call)
		}
	}
	slices.Sort(out)
	return out
}
