package checks

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"lookback/evidence"
)

var here = evidence.Origin{File: "compose.yaml", Line: 7}

func TestSeverityRank(t *testing.T) {
	for s, want := range map[Severity]int{Low: 1, Medium: 2, High: 3, "": 0, "dire": 0} {
		if got := s.Rank(); got != want {
			t.Errorf("rank of %q is %d, want %d", s, got, want)
		}
	}
}

func TestOutcomeString(t *testing.T) {
	for o, want := range map[Outcome]string{
		NotAssessed: "not-assessed", Pass: "pass", Fail: "fail", NotApplicable: "not-applicable", Waived: "waived",
	} {
		if got := o.String(); got != want {
			t.Errorf("outcome %d is %q, want %q", o, got, want)
		}
	}
}

func TestNotKnownSaysWhy(t *testing.T) {
	for name, tt := range map[string]struct {
		fact evidence.Fact
		want string
	}{
		"nobody looked":         {evidence.Value[bool]{}, "nobody looked"},
		"a call denied":         {evidence.Unknown[int](evidence.Denied, evidence.Origin{Call: "s3:GetBucketPolicy", Note: "x"}), "we may not call s3:GetBucketPolicy"},
		"a file denied":         {evidence.Unknown[int](evidence.Denied, here), "we may not read it"},
		"a note":                {evidence.Unknown[int](evidence.Elsewhere, here.WithNote("its console decides")), "its console decides"},
		"a variable":            {evidence.Unknown[int](evidence.Unresolved, here), "a variable has no value"},
		"an unknown image":      {evidence.Unknown[int](evidence.Unfamiliar, here), "it is not one that we know"},
		"decided elsewhere":     {evidence.Unknown[int](evidence.Elsewhere, here), "it is decided outside of what was scanned"},
		"a file that is broken": {evidence.Unknown[int](evidence.Failed, here), "reading it failed"},
	} {
		t.Run(name, func(t *testing.T) {
			v := NotKnown(tt.fact)
			if v.Outcome != NotAssessed || v.Message != tt.want || v.Group != tt.want || v.Because != tt.fact {
				t.Errorf("got %+v, want %q", v, tt.want)
			}
		})
	}
	if v := NotKnown(evidence.Moot[bool](here)); v.Outcome != NotApplicable {
		t.Errorf("a moot fact is %s, want that the question does not apply", v.Outcome)
	}
}

func TestBestAndWorst(t *testing.T) {
	fact := evidence.Known(true, here)
	verdicts := map[string]Verdict{
		"pass":    Passed(fact, "pass"),
		"open":    NotKnown(evidence.Unknown[bool](evidence.Elsewhere, here.WithNote("open"))),
		"fail":    Failed(fact, "fail"),
		"low":     Failed(fact, "low").As(Low),
		"high":    Failed(fact, "high").As(High),
		"medium":  Failed(fact, "medium").As(Medium),
		"unasked": Unasked(),
	}
	for name, tt := range map[string]struct {
		of          []string
		best, worst string
	}{
		"of none the question does not apply":      {nil, "unasked", "unasked"},
		"what does not apply is passed over":       {[]string{"unasked", "fail", "unasked"}, "fail", "fail"},
		"nothing applies":                          {[]string{"unasked", "unasked"}, "unasked", "unasked"},
		"a pass among failures":                    {[]string{"fail", "pass", "open"}, "pass", "fail"},
		"an open one among failures":               {[]string{"fail", "open", "high"}, "open", "high"},
		"an open one before a failure":             {[]string{"open", "fail"}, "open", "fail"},
		"an open one among passes":                 {[]string{"pass", "open", "pass"}, "pass", "open"},
		"failures of every severity":               {[]string{"fail", "high", "low"}, "low", "high"},
		"a failure without a severity is no low":   {[]string{"low", "fail"}, "low", "fail"},
		"of equals the first":                      {[]string{"fail", "fail"}, "fail", "fail"},
		"of one severity the first":                {[]string{"medium", "fail"}, "medium", "medium"},
		"what does not apply after a high failure": {[]string{"high", "unasked"}, "high", "high"},
		"a pass after what does not apply":         {[]string{"unasked", "pass"}, "pass", "pass"},
		"the worst does not depend on the order":   {[]string{"high", "fail", "low"}, "low", "high"},
		"open after a failure leaves the failure":  {[]string{"fail", "open"}, "open", "fail"},
		"a failure after a pass and an open one":   {[]string{"pass", "open", "low"}, "pass", "low"},
	} {
		t.Run(name, func(t *testing.T) {
			ask := func(s string) Verdict { return verdicts[s] }
			if got := Best(tt.of, ask); got != verdicts[tt.best] {
				t.Errorf("the best is %+v, want %s", got, tt.best)
			}
			if got := Worst(tt.of, ask); got != verdicts[tt.worst] {
				t.Errorf("the worst is %+v, want %s", got, tt.worst)
			}
		})
	}
}

func TestMany(t *testing.T) {
	v := Failed(evidence.Known(true, here), "%s is named by a tag", "nginx").Many("%d images are named by a tag")
	if v.Message != "nginx is named by a tag" || v.Group != "%d images are named by a tag" || !v.Plural {
		t.Errorf("got %+v", v)
	}
}

func TestSize(t *testing.T) {
	for bytes, want := range map[int64]string{
		0: "0 bytes", 999: "999 bytes", 1000: "1 kB", 1_000_000: "1 MB", 1_000_000_000: "1 GB", 1 << 20: "1 MiB", 3 << 30: "3 GiB", 25_000_000: "25 MB", 5_000_000_000: "5 GB",
	} {
		if got := Size(bytes); got != want {
			t.Errorf("%d is %q, want %q", bytes, got, want)
		}
	}
}

func TestSpan(t *testing.T) {
	for seconds, want := range map[int64]string{
		0: "0 seconds", 1: "1 second", 90: "90 seconds", 60: "1 minute", 600: "10 minutes", 3600: "1 hour", 86400: "1 day",
		172800: "2 days", -5: "-5 seconds",
	} {
		if got := Span(seconds); got != want {
			t.Errorf("%d is %q, want %q", seconds, got, want)
		}
	}
}

func TestDefaultPolicy(t *testing.T) {
	// PCI DSS 4.0.1, 10.5.1: twelve months, of which three are at hand.
	want := Policy{Retain: 365, Searchable: 90, RestoreWithin: time.Hour, FinishedStays: 24 * time.Hour, Buffer: 25_000_000, Fresh: 24 * time.Hour, Hands: 10}
	if got := DefaultPolicy(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestCures(t *testing.T) {
	c := Check{Doc: "A story: it ends badly.\n\nCure, Compose: name a driver\nthat keeps it.\nCure: look twice.\n\nOther tools: they complain.\nCured hams are: no cure.\n"}
	want := []Cure{{"Compose", "name a driver that keeps it."}, {"", "look twice."}}
	if got := c.Cures(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := (&Check{Doc: "A story without a cure."}).Cures(); got != nil {
		t.Errorf("got %q, want none", got)
	}
}

func TestChapter(t *testing.T) {
	if got := (&Check{ID: "shipped-off-asset"}).Chapter(); got != "shipped" {
		t.Errorf("got %q", got)
	}
}

func TestDays(t *testing.T) {
	for n, want := range map[int]string{0: "no time", 1: "1 day", 90: "90 days", evidence.Forever: "until somebody deletes them"} {
		if got := Days(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}

func TestNamed(t *testing.T) {
	for want, s := range map[string]evidence.Subject{
		`log group "payments"`:   {Kind: "log group", Name: "payments"},
		"the kubelet's log file": {Kind: "kubelet's log file", Name: "the kubelet's log file"},
		"/var/log/audit.log":     {Kind: "audit log", Name: "/var/log/audit.log"},
		"journal":                {Name: "journal"},
	} {
		if got := Named(s); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
