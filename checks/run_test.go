package checks

import (
	"slices"
	"strings"
	"testing"
	"time"

	"lookback/evidence"
)

// now is the end of the scans below.
var now = time.Date(2026, 6, 1, 23, 30, 0, 0, time.UTC)

func source(id evidence.ID, covers ...evidence.ID) *evidence.LogSource {
	return &evidence.LogSource{
		Subject: evidence.Subject{ID: id, Name: string(id)}, Activity: evidence.Application, Covers: covers,
		Hidden: evidence.Known(evidence.HiddenNot, here), Complete: evidence.Known(true, here),
	}
}

func asset(id, in evidence.ID) *evidence.Asset {
	a := &evidence.Asset{Subject: evidence.Subject{ID: id, Name: string(id), At: here}, In: evidence.Moot[evidence.ID](here)}
	if in != "" {
		a.In = evidence.Known(in, here)
	}
	return a
}

func host(id evidence.ID) *evidence.Asset {
	h := asset(id, "")
	h.Host = true
	return h
}

func store(id evidence.ID, on ...evidence.ID) *evidence.LogStore {
	return &evidence.LogStore{Subject: evidence.Subject{ID: id, Name: string(id), At: here}, On: evidence.Known(on, here)}
}

func to(ids ...evidence.ID) []evidence.Delivery {
	var out []evidence.Delivery
	for _, id := range ids {
		out = append(out, evidence.Delivery{To: id, Extent: evidence.Known(evidence.Extent{Grade: evidence.All}, here)})
	}
	return out
}

func set(rs ...evidence.Record) *evidence.Set {
	return &evidence.Set{Started: now, Ended: now, Records: rs}
}

// failing is a check that fails every source, with what it says set by the test.
func failing(id string, judge func(*View, evidence.LogSource) Verdict, after ...string) *Check {
	if judge == nil {
		judge = func(_ *View, s evidence.LogSource) Verdict {
			return Failed(evidence.Known(false, s.At), "%s is bad", s.Name)
		}
	}
	return &Check{ID: id, Severity: Medium, After: after, Judge: Each(judge)}
}

func TestThirdLaw(t *testing.T) {
	denied := evidence.Unknown[bool](evidence.Denied, evidence.Origin{Call: "s3:GetBucketPolicy"})
	seen := evidence.Known(true, here)
	for name, tt := range map[string]struct {
		verdict Verdict
		want    Outcome
		message string
	}{
		"a pass with a fact":               {Passed(seen, "fine"), Pass, "fine"},
		"a failure with a fact":            {Failed(seen, "bad"), Fail, "bad"},
		"a pass with a moot fact":          {Passed(evidence.Moot[bool](here), "fine"), Pass, "fine"},
		"a pass of what is unknown":        {Passed(denied, "fine"), NotAssessed, "we may not call s3:GetBucketPolicy"},
		"a failure of what is unknown":     {Failed(denied, "bad"), NotAssessed, "we may not call s3:GetBucketPolicy"},
		"a pass of what nobody looked for": {Passed(evidence.Value[bool]{}, "fine"), NotAssessed, "nobody looked"},
		"a pass that cites nothing":        {Passed(nil, "fine"), NotAssessed, "nobody looked"},
		"a failure that cites nothing":     {Failed(nil, "bad"), NotAssessed, "nobody looked"},
		"an empty verdict":                 {Verdict{}, NotAssessed, "nobody looked"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Run(set(source("a")), []*Check{failing("shipped-x", func(*View, evidence.LogSource) Verdict { return tt.verdict })}, Policy{}, nil)
			if len(got.All) != 1 {
				t.Fatalf("got %d results", len(got.All))
			}
			r := got.All[0]
			if r.Outcome != tt.want || r.Message != tt.message || r.Because == nil || r.Severity != Medium {
				t.Errorf("got %s %q because of %v at %s, want %s %q", r.Outcome, r.Message, r.Because, r.Severity, tt.want, tt.message)
			}
		})
	}
}

func TestWhatDoesNotApplyIsCounted(t *testing.T) {
	got := Run(set(source("a"), source("b"), store("c")), []*Check{failing("shipped-x", func(*View, evidence.LogSource) Verdict { return Unasked() })}, Policy{}, nil)
	if len(got.All) != 0 || got.Unasked["shipped-x"] != 2 {
		t.Errorf("got %d results and %d unasked, want none and 2", len(got.All), got.Unasked["shipped-x"])
	}
}

func TestASeverityOfItsOwn(t *testing.T) {
	loud := func(_ *View, s evidence.LogSource) Verdict {
		return Failed(evidence.Known(false, here), "bad").As(High)
	}
	if r := Run(set(source("a")), []*Check{failing("shipped-x", loud)}, Policy{}, nil).All[0]; r.Severity != High {
		t.Errorf("got %s, want high", r.Severity)
	}
}

func TestResultsAreInOrderOfChapterCheckAndSubject(t *testing.T) {
	all := []*Check{failing("shipped-b", nil), failing("retained-a", nil), failing("recorded-z", nil), failing("shipped-a", nil)}
	var got []string
	for _, r := range Run(set(source("2"), source("1")), all, Policy{}, nil).All {
		got = append(got, r.Check.ID+" "+string(r.Subject.ID))
	}
	want := []string{"recorded-z 1", "recorded-z 2", "shipped-a 1", "shipped-a 2", "shipped-b 1", "shipped-b 2", "retained-a 1", "retained-a 2"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestConsequences(t *testing.T) {
	web, other := asset("web", ""), asset("other", "")
	out, file := source("web/stdout", "web"), source("web/file", "web")
	out.To = to("journal")
	judgeAsset := func(_ *View, a evidence.Asset) Verdict { return Failed(evidence.Known(false, here), "bad %s", a.Name) }
	onlyOut := func(_ *View, s evidence.LogSource) Verdict {
		if s.ID == "web/stdout" {
			return Failed(evidence.Known(false, here), "bad")
		}
		return Passed(evidence.Known(true, here), "fine")
	}
	judgeStore := func(_ *View, s evidence.LogStore) Verdict { return Failed(evidence.Known(false, here), "bad") }
	for name, tt := range map[string]struct {
		checks []*Check
		id     evidence.ID // of the subject whose failure the last check reports
		want   string
	}{
		"of a failure of the same source": {
			[]*Check{failing("recorded-x", onlyOut), failing("shipped-x", nil, "recorded-y", "recorded-x")}, "web/stdout", "recorded-x",
		},
		"not of a failure of another source": {
			[]*Check{failing("recorded-x", onlyOut), failing("shipped-x", nil, "recorded-x")}, "web/file", "",
		},
		"of a failure of what the source covers, for a reason that lies in the source": {
			[]*Check{{ID: "recorded-x", Judge: Each(judgeAsset)}, failing("shipped-x", nil, "recorded-x")}, "web/stdout", "recorded-x",
		},
		"not of a failure of what the source covers, for another source's reason": {
			[]*Check{{ID: "recorded-x", Judge: Each(judgeAsset)}, failing("shipped-x", nil, "recorded-x")}, "web/file", "",
		},
		"of a failure of a source that writes to the store": {
			[]*Check{failing("shipped-x", onlyOut), {ID: "retained-x", After: []string{"shipped-x"}, Judge: Each(judgeStore)}}, "journal", "shipped-x",
		},
		"of a failure of what a source of the store covers": {
			[]*Check{{ID: "recorded-x", Judge: Each(judgeAsset)}, {ID: "retained-x", After: []string{"recorded-x"}, Judge: Each(judgeStore)}}, "journal", "recorded-x",
		},
		"not of a pass": {
			[]*Check{failing("recorded-x", func(*View, evidence.LogSource) Verdict { return Passed(evidence.Known(true, here), "fine") }), failing("shipped-x", nil, "recorded-x")}, "web/stdout", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := Run(set(web, other, out, file, store("journal", "host")), tt.checks, Policy{}, nil)
			for _, r := range got.All {
				if r.Check == tt.checks[len(tt.checks)-1] && r.Subject.ID == tt.id {
					if r.Follows != tt.want {
						t.Errorf("it follows %q, want %q", r.Follows, tt.want)
					}
					return
				}
			}
			t.Errorf("no result of %s", tt.id)
		})
	}
}

func TestAPassFollowsNothing(t *testing.T) {
	pass := func(*View, evidence.LogSource) Verdict { return Passed(evidence.Known(true, here), "fine") }
	got := Run(set(source("a")), []*Check{failing("recorded-x", nil), failing("shipped-x", pass, "recorded-x")}, Policy{}, nil)
	if r := got.All[1]; r.Follows != "" {
		t.Errorf("a pass follows %q", r.Follows)
	}
}

func TestWaivers(t *testing.T) {
	for name, tt := range map[string]struct {
		waiver evidence.Waiver
		want   string // of the sources a and b: W waived, F failed; then I idle, X expired
	}{
		"one subject":                     {evidence.Waiver{Check: "shipped-x", Subject: "compose:shop//a"}, "WF"},
		"a glob of subjects":              {evidence.Waiver{Check: "shipped-x", Subject: "compose:*"}, "WW"},
		"a glob of checks":                {evidence.Waiver{Check: "shipped-*", Subject: "*//b"}, "FW"},
		"everything":                      {evidence.Waiver{Check: "*", Subject: "*"}, "WW"},
		"it holds on its last day":        {evidence.Waiver{Check: "*", Subject: "*", Until: "2026-06-01"}, "WW"},
		"it holds until later":            {evidence.Waiver{Check: "*", Subject: "*", Until: "2027-01-31"}, "WW"},
		"it has expired on the day after": {evidence.Waiver{Check: "*", Subject: "*", Until: "2026-05-31"}, "FFX"},
		"another check":                   {evidence.Waiver{Check: "sealed-x", Subject: "*"}, "FFI"},
		"another subject":                 {evidence.Waiver{Check: "shipped-x", Subject: "compose:shop//c"}, "FFI"},
		"what passes needs no waiver":     {evidence.Waiver{Check: "recorded-x", Subject: "*"}, "FFI"},
	} {
		t.Run(name, func(t *testing.T) {
			pass := func(*View, evidence.LogSource) Verdict { return Passed(evidence.Known(true, here), "fine") }
			all := []*Check{failing("recorded-x", pass), failing("shipped-x", nil)}
			s := set(source("compose:shop//a"), source("compose:shop//b"))
			for _, where := range []string{"in the evidence", "in the configuration"} {
				var given []evidence.Waiver
				s.Waivers = []evidence.Waiver{tt.waiver}
				if where == "in the configuration" {
					s.Waivers, given = nil, s.Waivers
				}
				results := Run(s, all, Policy{}, given)
				got := ""
				for _, r := range results.All {
					switch {
					case r.Outcome == Waived && r.Waiver != nil:
						got += "W"
					case r.Outcome == Fail && r.Waiver == nil:
						got += "F"
					}
				}
				got += strings.Repeat("I", len(results.Idle)) + strings.Repeat("X", len(results.Expired))
				if got != tt.want {
					t.Errorf("%s: got %s, want %s", where, got, tt.want)
				}
			}
		})
	}
}

func TestTheSecondOfTwoWaiversIsNotIdle(t *testing.T) {
	w := evidence.Waiver{Check: "*", Subject: "*"}
	got := Run(set(source("a")), []*Check{failing("shipped-x", nil)}, Policy{}, []evidence.Waiver{w, w})
	if len(got.Idle) != 0 {
		t.Errorf("%d waivers are idle, want none", len(got.Idle))
	}
}

func TestGlob(t *testing.T) {
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{"a", "a", true},
		{"a", "ab", false},
		{"a", "b", false},
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "compose:shop//web/stdout", true},
		{"compose:*//web*", "compose:apps/shop//web/stdout", true},
		{"compose:*//db*", "compose:apps/shop//web/stdout", false},
		{"*stdout", "web/stdout", true},
		{"*stdout", "web/stdout#x", false},
		{"a*a", "a", false},
		{"a*b*c", "aXbYbZc", true},
		{"a*b*c", "aXc", false},
		{"**", "x", true},
	} {
		if got := Glob(tt.pattern, tt.s); got != tt.want {
			t.Errorf("%q matches %q: %v, want %v", tt.pattern, tt.s, got, tt.want)
		}
	}
}

func TestStoresThatNobodyScannedAreNamedOnce(t *testing.T) {
	a, b, dropped, filtered := source("a", "web"), source("b", "web"), source("c", "web"), source("d", "web")
	a.To, b.To = to("syslog:logs.example.net//"), to("syslog:logs.example.net//", "volume", "inside")
	dropped.To = []evidence.Delivery{{To: "none:x//", Extent: evidence.Known(evidence.Extent{Grade: evidence.None}, here)}}
	filtered.To = []evidence.Delivery{{To: "maybe:x//", Extent: evidence.Unknown[evidence.Extent](evidence.Unfamiliar, here)}}
	volume, inside, unused := store("volume", "host"), store("inside", "web"), store("unused", "host")
	for _, s := range []*evidence.LogStore{volume, inside, unused} {
		s.Kept = evidence.Unknown[int](evidence.Elsewhere, here)
	}
	got := Run(set(host("host"), asset("web", "host"), a, b, dropped, filtered, volume, inside, unused), nil, Policy{}, nil).Gaps
	var asked []string
	for _, g := range got {
		asked = append(asked, g.Asked)
		if g.Why != evidence.Elsewhere || g.At != here {
			t.Errorf("gap %+v has no place or reason", g)
		}
	}
	if want := []string{"retention of logs.example.net (syslog)", "retention of volume"}; !slices.Equal(asked, want) {
		t.Errorf("got %q, want %q", asked, want)
	}
}

func TestDevelopmentMarksResults(t *testing.T) {
	test := asset("compose:test//web", "")
	test.Development = true
	got := Run(set(test, source("a", "compose:test//web"), source("b", "compose:shop//web")), []*Check{failing("shipped-x", nil)}, Policy{}, nil)
	if !got.All[0].Development || got.All[1].Development {
		t.Errorf("got %v and %v, want that the first alone is development", got.All[0].Development, got.All[1].Development)
	}
}
