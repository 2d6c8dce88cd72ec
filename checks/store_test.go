package checks

import (
	"testing"

	"lookback/evidence"
)

func TestLostAndOff(t *testing.T) {
	for hiding, want := range map[evidence.Hiding]bool{evidence.HiddenNot: false, evidence.HiddenDiverted: true, evidence.HiddenNothing: true} {
		if got := Lost(evidence.LogSource{Hidden: evidence.Known(hiding, here)}); got != want {
			t.Errorf("lost where hidden is %s: %v, want %v", hiding, got, want)
		}
	}
	if Lost(evidence.LogSource{}) || Off(evidence.LogSource{}) {
		t.Error("what nobody looked at is neither lost nor off")
	}
	if Off(evidence.LogSource{Enabled: evidence.Known(true, here)}) || !Off(evidence.LogSource{Enabled: evidence.Known(false, here)}) {
		t.Error("off is what is known to be not enabled")
	}
}

func TestArrives(t *testing.T) {
	for name, tt := range map[string]struct {
		extent evidence.Value[evidence.Extent]
		want   Outcome
	}{
		"all":                  {evidence.Known(evidence.Extent{Grade: evidence.All}, here), Pass},
		"some":                 {evidence.Known(evidence.Extent{Grade: evidence.Some, But: "errors"}, here), Fail},
		"none":                 {evidence.Known(evidence.Extent{Grade: evidence.None}, here), Fail},
		"a grade that is none": {evidence.Known(evidence.Extent{}, here), Fail},
		"not known":            {evidence.Unknown[evidence.Extent](evidence.Unfamiliar, here), NotAssessed},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Arrives(Reached{By: evidence.Delivery{Extent: tt.extent}}); got.Outcome != tt.want {
				t.Errorf("got %s, want %s", got.Outcome, tt.want)
			}
		})
	}
}

func TestArrivesSaysWhatIsMissing(t *testing.T) {
	for grade, want := range map[evidence.Grade]string{
		evidence.None: "nothing comes to the server", evidence.Some: "not everything comes to the server: only errors",
	} {
		extent := evidence.Known(evidence.Extent{Grade: grade, But: "only errors"}, here)
		r := Reached{Store: evidence.LogStore{Subject: evidence.Subject{Name: "the server"}}, By: evidence.Delivery{Extent: extent}}
		if got := Arrives(r).Message; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDecided(t *testing.T) {
	pass, fail := Passed(evidence.Known(true, here), "fine"), Failed(evidence.Known(false, here), "bad")
	seen := func() *evidence.LogSource { return source("s") }
	off, open, part, hiding := seen(), seen(), seen(), seen()
	off.Enabled = evidence.Known(false, here)
	open.Complete = evidence.Unknown[bool](evidence.Elsewhere, here)
	part.Complete = evidence.Known(false, here)
	hiding.Hidden = evidence.Unknown[evidence.Hiding](evidence.Unfamiliar, here)
	for name, tt := range map[string]struct {
		verdict Verdict
		source  *evidence.LogSource
		want    Outcome
	}{
		"a pass":                                       {pass, seen(), Pass},
		"a failure":                                    {fail, seen(), Fail},
		"a failure of what writes nothing":             {fail, off, NotApplicable},
		"a pass of what writes nothing":                {pass, off, Pass},
		"a failure where more may take it":             {fail, open, NotAssessed},
		"a pass where more may take it":                {pass, open, Pass},
		"a failure where more is known to take it":     {fail, part, NotAssessed},
		"a pass where a mount may divert it":           {pass, hiding, NotAssessed},
		"a failure where a mount may divert it":        {fail, hiding, Fail},
		"what does not apply, though more may take it": {Unasked(), open, NotApplicable},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Decided(tt.verdict, *tt.source); got.Outcome != tt.want {
				t.Errorf("got %s, want %s", got.Outcome, tt.want)
			}
		})
	}
}

func TestCite(t *testing.T) {
	fact, extent := evidence.Known(true, here), evidence.Known(evidence.Extent{Grade: evidence.All}, here)
	by := evidence.Delivery{To: "compose:shop//volume/logs", Extent: extent}
	store := evidence.LogStore{Subject: evidence.Subject{ID: by.To}}
	one := &evidence.LogSource{Subject: evidence.Subject{ID: "compose:shop//one#application"}, To: []evidence.Delivery{by}}
	two := &evidence.LogSource{Subject: evidence.Subject{ID: "compose:shop//two#application"}, To: []evidence.Delivery{by}}
	alone := NewView(&evidence.Set{Records: []evidence.Record{one, &store}}, DefaultPolicy())
	shared := NewView(&evidence.Set{Records: []evidence.Record{one, two, &store}}, DefaultPolicy())
	if Cite(alone, Reached{Store: store, Scanned: true, By: by}, fact) != evidence.Fact(fact) {
		t.Error("of a store that was scanned, the fact is cited")
	}
	if Cite(shared, Reached{Store: store, Scanned: true, By: by}, fact) != evidence.Fact(extent) {
		t.Error("of a store that others write to as well, the source's own delivery is cited")
	}
	if Cite(alone, Reached{By: by}, fact) != evidence.Fact(extent) {
		t.Error("of a store that nobody scanned, the delivery is cited")
	}
}

func TestWhy(t *testing.T) {
	if got := Why(evidence.Known(false, here)) + Why(evidence.Known(false, here.WithNote("the key is disabled"))); got != ": the key is disabled" {
		t.Errorf("got %q", got)
	}
}
