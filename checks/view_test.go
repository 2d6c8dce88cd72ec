package checks

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"lookback/evidence"
)

func say[T comparable](v evidence.Value[T]) string {
	switch value, known := v.Get(); {
	case known:
		return fmt.Sprint(value)
	case v.IsMoot():
		return "moot"
	}
	return v.Why().String()
}

// scene is a machine with a pod of two containers, things at places that nobody saw, and a circle.
func scene(more ...evidence.Record) *evidence.Set {
	in := func(id evidence.ID, why evidence.Reason) *evidence.Asset {
		a := asset(id, "")
		a.In = evidence.Unknown[evidence.ID](why, here)
		return a
	}
	alias := asset("k:x//pod", "k:x//node")
	alias.Also = []evidence.ID{"k:x//also-pod"}
	return set(append([]evidence.Record{
		host("k:x//node"), alias, asset("k:x//pod/a", "k:x//also-pod"), asset("k:x//pod/b", "k:x//pod"),
		asset("k:x//other", "k:x//node"), host("k:x//node-2"), asset("k:x//away", "k:x//node-2"),
		in("k:x//claim", evidence.Elsewhere), in("k:x//denied", evidence.Denied), in("k:x//blank", evidence.NobodyLooked),
		asset("k:x//remote-volume", ""), asset("k:x//one", "k:x//two"), asset("k:x//two", "k:x//one"),
	}, more...)...)
}

func TestSurvives(t *testing.T) {
	v := NewView(scene(), Policy{})
	for name, tt := range map[string]struct {
		on    []evidence.ID
		asset evidence.ID
		want  string
	}{
		"a store inside the asset":                             {[]evidence.ID{"k:x//pod/a"}, "k:x//pod/a", "false"},
		"a store inside what the asset holds":                  {[]evidence.ID{"k:x//pod/a"}, "k:x//pod", "false"},
		"a store in a container, and its machine":              {[]evidence.ID{"k:x//pod/a"}, "k:x//node", "false"},
		"a store in the other container of the pod":            {[]evidence.ID{"k:x//pod/b"}, "k:x//pod/a", "true"},
		"a store on the machine, and a container":              {[]evidence.ID{"k:x//node"}, "k:x//pod/a", "true"},
		"a store on another machine":                           {[]evidence.ID{"k:x//away"}, "k:x//node", "true"},
		"the asset goes by another name":                       {[]evidence.ID{"k:x//pod/a"}, "k:x//also-pod", "false"},
		"one of two things that it rests on ends":              {[]evidence.ID{"k:x//node-2", "k:x//pod"}, "k:x//pod", "false"},
		"a store that rests on nothing that ends":              {nil, "k:x//pod", "true"},
		"a claim outlives a pod":                               {[]evidence.ID{"k:x//claim"}, "k:x//pod", "true"},
		"a claim may lie on the machine":                       {[]evidence.ID{"k:x//claim"}, "k:x//node", "elsewhere"},
		"a volume that nothing holds":                          {[]evidence.ID{"k:x//remote-volume"}, "k:x//node", "true"},
		"what holds it may not be asked: it may be the pod":    {[]evidence.ID{"k:x//denied"}, "k:x//pod", "denied"},
		"nobody asked what holds it: it may be the pod":        {[]evidence.ID{"k:x//blank"}, "k:x//pod", "nobody looked"},
		"it lies within itself":                                {[]evidence.ID{"k:x//one"}, "k:x//pod", "failed"},
		"another target that nobody scanned, and a pod":        {[]evidence.ID{"syslog:logs.example.net"}, "k:x//pod", "true"},
		"another target that nobody scanned, and a machine":    {[]evidence.ID{"syslog:logs.example.net"}, "k:x//node", "true"},
		"a thing of another target":                            {[]evidence.ID{"aws:1//bucket"}, "k:x//node", "true"},
		"a thing of the same target that has no record":        {[]evidence.ID{"k:x//ghost"}, "k:x//node", "elsewhere"},
		"a thing of the same target without record, and a pod": {[]evidence.ID{"k:x//ghost"}, "k:x//pod", "elsewhere"},
		"the whole of the same target":                         {[]evidence.ID{"k:x"}, "k:x//pod", "true"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := say(v.Survives(*store("s", tt.on...), tt.asset)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	unknown := evidence.LogStore{On: evidence.Unknown[[]evidence.ID](evidence.Unfamiliar, here)}
	if got := say(v.Survives(unknown, "k:x//pod")); got != "unfamiliar" {
		t.Errorf("of a store that rests on who knows what: got %s, want unfamiliar", got)
	}
}

func TestStands(t *testing.T) {
	account := asset("aws:1//account", "")
	account.Lasting = true
	v := NewView(scene(account), Policy{})
	for name, tt := range map[string]struct {
		on   evidence.Value[[]evidence.ID]
		want string
	}{
		"an account":                    {evidence.Known([]evidence.ID{"aws:1//account"}, here), "true"},
		"an account and a machine":      {evidence.Known([]evidence.ID{"aws:1//account", "k:x//node"}, here), "false"},
		"a machine":                     {evidence.Known([]evidence.ID{"k:x//node"}, here), "false"},
		"an account that has no record": {evidence.Known([]evidence.ID{"aws:2//account"}, here), "false"},
		"nothing":                       {evidence.Known([]evidence.ID{}, here), "false"},
		"nobody looked":                 {evidence.Value[[]evidence.ID]{}, "moot"},
		"moot":                          {evidence.Moot[[]evidence.ID](here), "moot"},
		"a driver that we do not know":  {evidence.Unknown[[]evidence.ID](evidence.Unfamiliar, here), "moot"},
		"nobody may look":               {evidence.Unknown[[]evidence.ID](evidence.Denied, here), "denied"},
		"nobody could look":             {evidence.Unknown[[]evidence.ID](evidence.Failed, here), "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := say(v.Stands(evidence.LogStore{On: tt.on})); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestApart(t *testing.T) {
	lasting := func(id evidence.ID, in evidence.Value[evidence.ID]) *evidence.Asset {
		a := asset(id, "")
		a.In, a.Lasting = in, true
		return a
	}
	organisation, denied := evidence.Known[evidence.ID]("aws:1//organization", here), evidence.Unknown[evidence.ID](evidence.Denied, here)
	cluster := lasting("aws:2/eu-west-1//eks/prod", evidence.Known[evidence.ID]("aws:2//account", here))
	cluster.Also = []evidence.ID{"kubernetes:prod//cluster"}
	v := NewView(scene(
		lasting("aws:1//organization", evidence.Moot[evidence.ID](here)),
		lasting("aws:1//account", organisation), lasting("aws:2//account", organisation), lasting("aws:3//account", denied),
		lasting("aws:2/eu-west-1//region", evidence.Known[evidence.ID]("aws:2//account", here)),
		cluster, asset("kubernetes:prod//pod", "kubernetes:prod//cluster"),
	), Policy{})
	for name, tt := range map[string]struct {
		covers []evidence.ID
		on     evidence.ID
		want   string
	}{
		"a region, and its account":                          {[]evidence.ID{"aws:2/eu-west-1//region"}, "aws:2//account", "false"},
		"a region, and another account":                      {[]evidence.ID{"aws:2/eu-west-1//region"}, "aws:1//account", "true"},
		"a region, and what lies in another region":          {[]evidence.ID{"aws:2/eu-west-1//region"}, "aws:2/us-east-1//domain", "false"},
		"an organisation, and one of its accounts":           {[]evidence.ID{"aws:1//organization"}, "aws:2//account", "true"},
		"an organisation, and the account that manages it":   {[]evidence.ID{"aws:1//organization"}, "aws:1//account", "false"},
		"an account whose organisation nobody may see":       {[]evidence.ID{"aws:3//account"}, "aws:2//account", "true"},
		"of two accounts, one holds the store":               {[]evidence.ID{"aws:1//account", "aws:2//account"}, "aws:2//account", "false"},
		"a pod of a cluster, and the account of the cluster": {[]evidence.ID{"kubernetes:prod//pod"}, "aws:2//account", "false"},
		"a pod of a cluster, and another account":            {[]evidence.ID{"kubernetes:prod//pod"}, "aws:1//account", "true"},
		"a pod at a place that we could not see":             {[]evidence.ID{"k:x//denied"}, "aws:1//account", "denied"},
		"the same, beside what holds the store":              {[]evidence.ID{"k:x//denied", "aws:1//account"}, "aws:1//account", "false"},
		"nothing covered":                                    {nil, "aws:1//account", "nobody looked"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := say(v.Apart(*store("x", tt.on), *source("s", tt.covers...))); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	unknown := evidence.LogStore{On: evidence.Unknown[[]evidence.ID](evidence.Failed, here)}
	if got := say(v.Apart(unknown, *source("s", "aws:1//account"))); got != "failed" {
		t.Errorf("of a store that rests on who knows what: got %s", got)
	}
}

func TestOutlivesAndLeaves(t *testing.T) {
	v := NewView(scene(), Policy{})
	for name, tt := range map[string]struct {
		covers           []evidence.ID
		on               evidence.ID
		outlives, leaves string
	}{
		"a file in the container":                      {[]evidence.ID{"k:x//pod/a"}, "k:x//pod/a", "false", "false"},
		"an emptyDir ends with the pod":                {[]evidence.ID{"k:x//pod/a"}, "k:x//pod", "false", "false"},
		"a hostPath outlives the pod, not the machine": {[]evidence.ID{"k:x//pod/a"}, "k:x//node", "true", "false"},
		"a claim":                            {[]evidence.ID{"k:x//pod/a"}, "k:x//claim", "true", "elsewhere"},
		"a remote volume":                    {[]evidence.ID{"k:x//pod/a"}, "k:x//remote-volume", "true", "true"},
		"a log server":                       {[]evidence.ID{"k:x//pod/a"}, "syslog:logs.example.net", "true", "true"},
		"the machine's own source":           {[]evidence.ID{"k:x//node"}, "k:x//node", "true", "false"},
		"of two assets, one holds the store": {[]evidence.ID{"k:x//other", "k:x//pod/a"}, "k:x//pod", "false", "false"},
		"of two machines, the store lies on the second": {[]evidence.ID{"k:x//pod/a", "k:x//away"}, "k:x//node-2", "true", "false"},
		"nothing covered":       {nil, "k:x//node", "true", "moot"},
		"no machine of its own": {[]evidence.ID{"k:x//remote-volume"}, "aws:1//bucket", "true", "moot"},
		"a place that we may not see: the store may share it": {[]evidence.ID{"k:x//denied"}, "k:x//pod", "denied", "denied"},
		"a place that we may not see, and a machine":          {[]evidence.ID{"k:x//denied"}, "k:x//node", "true", "denied"},
		"a place that we may not see, and a log server":       {[]evidence.ID{"k:x//denied"}, "syslog:logs.example.net", "true", "denied"},
	} {
		t.Run(name, func(t *testing.T) {
			s := source("s", tt.covers...)
			if got := say(v.Outlives(*store("x", tt.on), *s)); got != tt.outlives {
				t.Errorf("outlives: got %s, want %s", got, tt.outlives)
			}
			if got := say(v.Leaves(*store("x", tt.on), *s)); got != tt.leaves {
				t.Errorf("leaves: got %s, want %s", got, tt.leaves)
			}
		})
	}
}

func TestWhatCanEnd(t *testing.T) {
	v := NewView(scene(), Policy{})
	for name, tt := range map[string]struct {
		covers          []evidence.ID
		ends, onMachine bool
	}{
		"a container":         {[]evidence.ID{"k:x//pod/a"}, true, true},
		"a machine":           {[]evidence.ID{"k:x//node"}, false, true},
		"nothing":             {nil, false, false},
		"an account":          {[]evidence.ID{"k:x//remote-volume"}, true, false},
		"who knows where":     {[]evidence.ID{"k:x//denied"}, true, true},
		"a machine and a pod": {[]evidence.ID{"k:x//node", "k:x//pod"}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := *source("s", tt.covers...)
			if v.CanEnd(s) != tt.ends || v.OnMachine(s) != tt.onMachine {
				t.Errorf("can end %v, on a machine %v; want %v, %v", v.CanEnd(s), v.OnMachine(s), tt.ends, tt.onMachine)
			}
		})
	}
}

func TestStaysAndFleeting(t *testing.T) {
	lingers := func(id, in evidence.ID, seconds evidence.Value[int64]) *evidence.Asset {
		a := asset(id, in)
		a.Lingers = seconds
		return a
	}
	known := func(n int64) evidence.Value[int64] { return evidence.Known(n, here) }
	moot, denied := evidence.Moot[int64](here), evidence.Unknown[int64](evidence.Denied, here)
	adrift := lingers("adrift", "", moot)
	adrift.In = evidence.Unknown[evidence.ID](evidence.Failed, here)
	v := NewView(set(
		host("node"), lingers("deployment", "node", moot), lingers("hour", "node", known(3600)), lingers("day", "node", known(86400)),
		lingers("hour/main", "hour", moot), lingers("hidden", "node", denied), adrift,
	), Policy{})
	for name, tt := range map[string]struct {
		covers []evidence.ID
		want   string
	}{
		"a deployment does not go":          {[]evidence.ID{"deployment"}, "moot"},
		"a container goes with its job":     {[]evidence.ID{"hour/main"}, "3600"},
		"the least of two, in either order": {[]evidence.ID{"day", "hour"}, "3600"},
		"the least of two, the other way":   {[]evidence.ID{"hour", "day"}, "3600"},
		"one of them is not known":          {[]evidence.ID{"hour", "hidden"}, "denied"},
		"what is not known stays so":        {[]evidence.ID{"hidden", "hour"}, "denied"},
		"beside a deployment":               {[]evidence.ID{"hour", "deployment"}, "3600"},
		"what holds it is not known":        {[]evidence.ID{"adrift"}, "failed"},
		"a machine is no end":               {[]evidence.ID{"node"}, "moot"},
		"nothing":                           {nil, "moot"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := say(v.Stays(*source("s", tt.covers...))); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	stays, anonymous, asked := store("stays"), store("anonymous"), store("asked")
	stays.Lingers, anonymous.Lingers, asked.Lingers = moot, known(0), denied
	v = NewView(set(stays, anonymous, asked), Policy{})
	for name, tt := range map[string]struct {
		to   []evidence.ID
		want string
	}{
		"it stays":                  {[]evidence.ID{"stays"}, "moot"},
		"one of two goes":           {[]evidence.ID{"stays", "anonymous"}, "0"},
		"one of three is not known": {[]evidence.ID{"anonymous", "asked", "stays"}, "denied"},
		"nobody scanned it":         {[]evidence.ID{"syslog:x//"}, "moot"},
	} {
		t.Run(name, func(t *testing.T) {
			s := source("s")
			s.To = to(tt.to...)
			if got := say(v.Fleeting(*s)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestSourcesOfAnAssetAndItsHolders(t *testing.T) {
	own, agent, byAlias, dns := source("own", "k:x//pod/a"), source("agent", "k:x//node"), source("by-alias", "k:x//also-pod"), source("dns", "k:x//pod/a")
	dns.Activity = evidence.DNS
	v := NewView(scene(own, agent, byAlias, dns, source("stranger", "k:x//other")), Policy{})
	var got []string
	for _, s := range v.Sources("k:x//pod/a", evidence.Application) {
		got = append(got, string(s.ID))
	}
	if want := []string{"own", "by-alias", "agent"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := v.Sources("k:x//one", evidence.Application); got != nil {
		t.Errorf("of a circle: got %v", got)
	}
}

func TestAboutAsksWhereSomebodyLooked(t *testing.T) {
	looked := func(id evidence.ID, whole evidence.Value[bool]) *evidence.Asset {
		a := asset(id, "")
		a.Looked = map[evidence.Activity]evidence.Value[bool]{evidence.Application: whole}
		return a
	}
	denied := evidence.Unknown[bool](evidence.Denied, here)
	adrift := looked("adrift", evidence.Known(true, here))
	adrift.In = evidence.Unknown[evidence.ID](evidence.Denied, here)
	pass, fail := Passed(evidence.Known(true, here), "fine"), Failed(evidence.Known(false, here), "bad")
	for name, tt := range map[string]struct {
		asset  *evidence.Asset
		answer Verdict
		want   string
	}{
		"nobody looked":                              {asset("web", ""), fail, "not asked"},
		"a failure of the whole":                     {looked("web", evidence.Known(true, here)), fail, "fail"},
		"a pass of the whole":                        {looked("web", evidence.Known(true, here)), pass, "pass"},
		"no question of the whole":                   {looked("web", evidence.Known(true, here)), Unasked(), "not-applicable"},
		"a pass of what was seen is enough":          {looked("web", denied), pass, "pass"},
		"a failure of what was seen":                 {looked("web", denied), fail, "not-assessed"},
		"a failure of what is known to be a part":    {looked("web", evidence.Known(false, here)), fail, "not-assessed"},
		"no question of what was seen":               {looked("web", denied), Unasked(), "not-assessed"},
		"a failure where the holder may not be seen": {adrift, fail, "not-assessed"},
		"a pass where the holder may not be seen":    {adrift, pass, "pass"},
	} {
		t.Run(name, func(t *testing.T) {
			got := "not asked"
			ask := func(*View, evidence.Asset, []evidence.LogSource) Verdict { return tt.answer }
			About(evidence.Application, ask)(NewView(set(tt.asset), Policy{}), func(_ evidence.Subject, v Verdict) { got = v.Outcome.String() })
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestReached(t *testing.T) {
	deliver := func(id evidence.ID, e evidence.Value[evidence.Extent]) evidence.Delivery {
		return evidence.Delivery{To: id, Extent: e}
	}
	all, none := evidence.Known(evidence.Extent{Grade: evidence.All}, here), evidence.Known(evidence.Extent{Grade: evidence.None}, here)
	filter := evidence.Unknown[evidence.Extent](evidence.Unfamiliar, here)
	chain := func(id evidence.ID, to ...evidence.Delivery) *evidence.LogStore {
		s := store(id)
		s.To = to
		return s
	}
	for name, tt := range map[string]struct {
		stores []*evidence.LogStore
		to     []evidence.Delivery
		want   string
	}{
		"nothing":                       {nil, nil, ""},
		"one that nobody scanned":       {nil, to("syslog:x//"), "syslog:x// unscanned all"},
		"a copy of a copy":              {[]*evidence.LogStore{chain("a", to("b")...), chain("b", to("c")...), chain("c")}, to("a"), "a all, b all, c all"},
		"a circle":                      {[]*evidence.LogStore{chain("a", to("b")...), chain("b", to("a")...)}, to("a"), "a all, b all"},
		"a store that copies to itself": {[]*evidence.LogStore{chain("a", to("a")...)}, to("a"), "a all"},
		"a filter on the way narrows all that follows": {[]*evidence.LogStore{chain("a", deliver("b", filter)), chain("b", to("c")...), chain("c")}, to("a"), "a all, b unfamiliar, c unfamiliar"},
		"the first filter counts":                      {[]*evidence.LogStore{chain("a", deliver("b", filter)), chain("b", deliver("c", none)), chain("c")}, to("a"), "a all, b unfamiliar, c unfamiliar"},
		"a better way beside a filter":                 {[]*evidence.LogStore{chain("a"), chain("b")}, []evidence.Delivery{deliver("b", filter), deliver("b", all), deliver("b", all)}, "b unfamiliar, b all"},
		"a circle with a filter":                       {[]*evidence.LogStore{chain("a", deliver("b", filter)), chain("b", to("a")...)}, to("a"), "a all, b unfamiliar, a unfamiliar"},
	} {
		t.Run(name, func(t *testing.T) {
			s := source("s")
			s.To = tt.to
			rs := []evidence.Record{s}
			for _, st := range tt.stores {
				rs = append(rs, st)
			}
			v := NewView(set(rs...), Policy{})
			var got []string
			for _, r := range v.Reached(*s) {
				text := string(r.Store.ID)
				if !r.Scanned {
					text += " unscanned"
				}
				e, known := r.By.Extent.Get()
				if !known {
					e.Grade = evidence.Grade(r.By.Extent.Why())
				}
				got = append(got, text+" "+string(e.Grade))
				if w := v.Writers(r.Store.ID); len(w) != 1 || w[0].ID != "s" {
					t.Errorf("%d writers of %s, want the source once", len(w), r.Store.ID)
				}
			}
			if strings.Join(got, ", ") != tt.want {
				t.Errorf("got %q, want %q", strings.Join(got, ", "), tt.want)
			}
		})
	}
}

// TestReachedEndsSoon follows stores that all copy to one another: the ways through them are many, the answer is not.
func TestReachedEndsSoon(t *testing.T) {
	var ids []evidence.ID
	for i := range 60 {
		ids = append(ids, evidence.ID(fmt.Sprint("store-", i)))
	}
	var rs []evidence.Record
	for _, id := range ids {
		s := store(id)
		s.To = to(ids...)
		rs = append(rs, s)
	}
	s := source("s")
	s.To = to(ids...)
	if got := len(NewView(set(append(rs, s)...), Policy{}).Reached(*s)); got != len(ids) {
		t.Errorf("reached %d stores, want %d", got, len(ids))
	}
}

func TestStoreThatNobodyScanned(t *testing.T) {
	v := NewView(set(), Policy{})
	for id, want := range map[evidence.ID]string{
		"aws:1/eu-west-1//logs/payments": "logs/payments",
		"syslog:logs.example.net//":      "logs.example.net (syslog)",
		"archive":                        "archive",
		"unix:":                          "unix:",
	} {
		s, scanned := v.Store(id)
		if scanned || s.Name != want {
			t.Errorf("%s is %q, scanned %v; want %q", id, s.Name, scanned, want)
		}
		if on, known := s.On.Get(); !known || len(on) != 1 || string(on[0]) != id.Target() {
			t.Errorf("%s rests on %v, want its target", id, on)
		}
		if s.Kept.Why() != evidence.Elsewhere || s.Bytes.Why() != evidence.Elsewhere || s.ColdAfter.Why() != evidence.Elsewhere || s.Memory.Why() != evidence.Elsewhere || s.Locked.Why() != evidence.Elsewhere {
			t.Errorf("what is not known of %s is not elsewhere", id)
		}
	}
}

func TestDevelopment(t *testing.T) {
	dev, prod := asset("dev", ""), asset("prod", "")
	dev.Development = true
	only, both, none := source("only", "dev"), source("both", "dev", "prod"), source("none")
	only.To, both.To = to("d", "shared"), to("shared")
	devStore, shared, unused := store("d"), store("shared"), store("unused")
	v := NewView(set(dev, prod, only, both, none, devStore, shared, unused), Policy{})
	for name, tt := range map[string]struct {
		of   evidence.Record
		want bool
	}{
		"an asset of development":              {dev, true},
		"an asset of production":               {prod, false},
		"a source of development":              {only, true},
		"a source of both":                     {both, false},
		"a source of nothing":                  {none, false},
		"a store that development alone fills": {devStore, true},
		"a store that production fills too":    {shared, false},
		"a store that nothing fills":           {unused, false},
		"an image of development":              {&evidence.Access{Of: "dev"}, true},
		"a clock of development":               {&evidence.Clock{Of: "dev"}, true},
		"a clock of production":                {&evidence.Clock{Of: "prod"}, false},
		"an image of what nobody recorded":     {&evidence.Access{Of: "ghost"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := v.Development(tt.of); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestRecordsOfOtherPlacesJoinAndAreNotJudged(t *testing.T) {
	s := set(source("compose:shop//web/stdout#application"))
	s.With = []evidence.Record{source("docker:prod//daemon#application"), store("docker:prod//journal", "docker:prod//host")}
	if got := Run(s, []*Check{failing("shipped-x", nil)}, Policy{}, nil).All; len(got) != 1 {
		t.Errorf("judged %d sources, want the one of this place", len(got))
	}
	if _, scanned := NewView(s, Policy{}).Store("docker:prod//journal"); !scanned {
		t.Error("a store of the other place is not joined")
	}
}
