package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

var (
	place = Origin{File: "apps/shop/compose.yaml", Line: 12, Col: 5}
	call  = Origin{Call: "s3:GetLifecycleConfiguration"}
)

func TestID(t *testing.T) {
	for id, want := range map[ID][2]string{
		"compose:apps/shop//web/stdout#application": {"compose:apps/shop", "web/stdout#application"},
		"syslog:logs.example.net//":                 {"syslog:logs.example.net", ""},
		"archive":                                   {"archive", ""},
		"a//b//c":                                   {"a", "b//c"},
		"":                                          {"", ""},
	} {
		if got := [2]string{id.Target(), id.Thing()}; got != want {
			t.Errorf("%q is %q, want %q", id, got, want)
		}
	}
}

func TestOrigin(t *testing.T) {
	def := place.WithNote(NoteDockerDefault)
	if !place.Written() || def.Written() || def.Line != place.Line || place.Note != "" {
		t.Errorf("got %+v and %+v", place, def)
	}
}

func TestTheZeroValueIsUnknown(t *testing.T) {
	var v Value[bool]
	if got, known := v.Get(); got || known || !v.IsUnknown() || v.IsMoot() || !v.IsZero() || v.Why() != NobodyLooked || v.At() != (Origin{}) {
		t.Errorf("the zero Value is %+v", v)
	}
	if v.Why().String() != "nobody looked" || Denied.String() != "denied" {
		t.Errorf("reasons are %q and %q", v.Why(), Denied)
	}
}

// codec checks that a fact comes back as it was, alone and as a field that is left out when it is zero.
func codec[T any](t *testing.T, name string, v Value[T]) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		type record struct {
			Fact Value[T] `json:"fact,omitzero"`
		}
		text, err := json.Marshal(record{v})
		if err != nil {
			t.Fatal(err)
		}
		var back record
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !reflect.DeepEqual(back.Fact, v) {
			t.Errorf("%s came back as %#v, want %#v", text, back.Fact, v)
		}
		if again, err := json.Marshal(back); err != nil || !bytes.Equal(again, text) {
			t.Errorf("written again it is %s (%v), want %s", again, err, text)
		}
		if v.IsZero() != (string(text) == "{}") {
			t.Errorf("it is written as %s", text)
		}
	})
}

func TestCodecs(t *testing.T) {
	codec(t, "a known empty list", Known([]ID{}, place))
	codec(t, "a known list", Known([]ID{"a//b", "c//d"}, place))
	codec(t, "a known list that is nil", Known[[]ID](nil, place))
	codec(t, "a known empty string", Known("", place))
	codec(t, "a string of all sorts", Known("<a>&\u2028\"\\\x00é😀", place))
	codec(t, "false", Known(false, place))
	codec(t, "zero", Known(0, place))
	codec(t, "a large number", Known(int64(1)<<62+1, place))
	codec(t, "forever", Known(Forever, place))
	codec(t, "an empty ID", Known(ID(""), Origin{}))
	codec(t, "an extent", Known(Extent{Grade: Some, But: "not user:bob@acme.com"}, place))
	codec(t, "an empty extent", Known(Extent{}, place))
	codec(t, "a hiding", Known(HiddenNothing, place))
	codec(t, "an empty map", Known(map[string]string{}, place))
	codec(t, "an origin that is a call", Known(true, call))
	codec(t, "an origin with a note", Known(true, place.WithNote(NoteDeclared)))
	codec(t, "moot", Moot[[]ID](place))
	codec(t, "moot without an origin", Moot[bool](Origin{}))
	codec(t, "the zero Value", Value[[]ID]{})
	codec(t, "nobody looked here", Unknown[[]ID](NobodyLooked, place))
	for _, why := range []Reason{Denied, Failed, Unresolved, Unfamiliar, Elsewhere} {
		codec(t, string(why), Unknown[[]ID](why, call))
		codec(t, string(why)+" without an origin", Unknown[bool](why, Origin{}))
	}
}

func TestAFactIsOneOfThree(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":               `{}`,
		"only an origin":        `{"at":{"file":"x"}}`,
		"known and unknown":     `{"value":true,"unknown":"denied"}`,
		"known and moot":        `{"value":true,"moot":true}`,
		"unknown and moot":      `{"unknown":"","moot":true}`,
		"not moot":              `{"moot":false}`,
		"a reason that is none": `{"unknown":"tired"}`,
		"a field that is none":  `{"value":true,"vlaue":false}`,
		"another type":          `{"value":"true"}`,
		"no object":             `true`,
		"a list":                `[]`,
	} {
		t.Run(name, func(t *testing.T) {
			var v Value[bool]
			if err := json.Unmarshal([]byte(text), &v); err == nil {
				t.Errorf("%s is read as %+v", text, v)
			}
		})
	}
}

func TestAValueThatJSONCannotHold(t *testing.T) {
	if text, err := json.Marshal(Known(func() {}, place)); err == nil {
		t.Errorf("written as %s", text)
	}
}

// whole is a set with everything in it.
func whole() *Set {
	at := place
	return &Set{
		Tool: "lookback 0.1.0", Started: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), Ended: time.Date(2026, 6, 1, 12, 0, 3, 0, time.UTC),
		Targets: []string{"apps/shop"},
		Records: []Record{
			&Asset{
				Subject: Subject{ID: "compose:shop//web", Kind: "service", Name: "<web> & co", At: at}, In: Known[ID]("compose:shop//host", at),
				Host: true, Looked: map[Activity]Value[bool]{Application: Known(true, at), Database: {}, DNS: Unknown[bool](Denied, call)},
				Lingers: Moot[int64](at), Development: true, Also: []ID{"x"}, Places: []Origin{at},
			},
			&Access{Subject: Subject{ID: "compose:shop//web/image", Kind: "image", At: at}, Of: "compose:shop//web", Means: MeansImage, Exact: Known(false, at)},
			&LogStore{
				Subject: Subject{ID: "compose:shop//web/stdout"}, On: Known([]ID{}, at), Memory: Known(false, at), Kept: Known(0, at),
				Bytes: Unknown[int64](Unresolved, at), Oldest: Known(time.Date(2026, 5, 20, 8, 0, 0, 0, time.UTC), at), Newest: Unknown[time.Time](Failed, at),
				Dropped: Known(true, at), ColdAfter: Moot[int](at), To: []Delivery{{To: "syslog:x//"}}, Complete: Known(false, at),
			},
			&LogSource{
				Subject: Subject{ID: "compose:shop//web/stdout#application"}, Activity: Application, Records: "its output", Covers: []ID{"compose:shop//web"},
				Enabled: Known(true, at), Fixed: Known(false, at), Hidden: Known(HiddenNot, at), Parts: map[Part]Value[Extent]{PartExec: Known(Extent{Grade: All}, at), PartAttach: {}},
				To: []Delivery{{To: "compose:shop//web/stdout", Extent: Known(Extent{}, at), Lossless: Known(false, at), Whole: Known(true, at), Encrypted: Known(false, at), Buffer: Known(int64(0), at)}},
			},
			&Clock{
				Subject: Subject{ID: "host:db//clock", Kind: "clock", Name: "db", At: at}, Of: "host:db//", Synchronised: Unknown[bool](Elsewhere, at),
				Sources: Known([]TimeSource{{Address: "<ntp>.corp.example"}, {Address: "/dev/ptp0", Platform: true}}, at), Guarded: Known(false, at),
			},
		},
		With:    []Record{&Asset{Subject: Subject{ID: "docker:prod//host"}}},
		Gaps:    []Gap{{In: "compose:shop//web", Asked: "retention of x", Why: Elsewhere, At: at}, {In: "x", Asked: "a file", Why: Failed, Err: "line 3", Bad: true}},
		Waivers: []Waiver{{Check: "*", Subject: "*", Reason: "a cache", Who: "ann", Until: "2027-01-31", At: at}},
	}
}

func written(t testing.TB, s *Set) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSavedEvidenceComesBack(t *testing.T) {
	want := whole()
	want.Sort()
	text := written(t, want)
	got, err := Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if again := written(t, got); !bytes.Equal(again, text) {
		t.Errorf("written again it is\n%s\nwant\n%s", again, text)
	}
	want.Partial = true
	if got, err := Read(bytes.NewReader(written(t, want))); err != nil || !got.Partial {
		t.Errorf("a partial set came back as %+v, %v", got, err)
	}
}

func TestReadCutFiles(t *testing.T) {
	s := whole()
	s.Sort()
	text := written(t, s)
	lines := bytes.SplitAfter(text, []byte("\n"))
	header := len(lines[0])
	for cut := header; cut < len(text)-1; cut += 7 {
		got, err := Read(bytes.NewReader(text[:cut]))
		if err != nil {
			t.Fatalf("cut after %d bytes: %v", cut, err)
		}
		if !got.Partial || !got.Ended.Equal(s.Started) {
			t.Fatalf("cut after %d bytes it is partial %v and ends %s", cut, got.Partial, got.Ended)
		}
	}
	if got, err := Read(bytes.NewReader(text[:len(text)-1])); err != nil || got.Partial {
		t.Errorf("without the last newline: %v, partial %v", err, got != nil && got.Partial)
	}
	for cut := range header - 1 {
		if _, err := Read(bytes.NewReader(text[:cut])); !errors.Is(err, ErrNotEvidence) {
			t.Fatalf("cut after %d bytes of the header: %v", cut, err)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	const (
		header = `{"header":{"schema":"lookback-evidence/1","tool":"t","started":"2026-06-01T12:00:00Z","targets":[]}}` + "\n"
		asset  = `{"asset":{"id":"a","kind":"","name":"","at":{}}}` + "\n"
		end    = `{"end":{"ended":"2026-06-01T12:00:00Z"}}` + "\n"
	)
	for name, tt := range map[string]struct{ text, want string }{
		"an empty file":              {"", "not saved evidence"},
		"a Compose file":             {"services:\n  web: {}\n", "not saved evidence"},
		"other JSON":                 {"{}\n", "not saved evidence"},
		"a report of another tool":   {`{"version": "2.1.0"}` + "\n", "not saved evidence"},
		"another version":            {strings.Replace(header, "/1", "/9", 1) + end, `"lookback-evidence/9" is not a format that this version reads; it reads "lookback-evidence/1"`},
		"garbage in the middle":      {header + asset + "garbage\n" + end, "line 3: invalid character"},
		"a cut line in the middle":   {header + asset[:20] + "\n" + end, "line 2"},
		"an empty line":              {header + "\n" + end, "line 2"},
		"a field that is none":       {header + `{"asset":{"id":"a","nme":"x","at":{}}}` + "\n" + end, `line 2: json: unknown field "nme"`},
		"a record that is none":      {header + `{"hour":{"id":"a"}}` + "\n" + end, `line 2: json: unknown field "hour"`},
		"a line that holds nothing":  {header + "{}\n" + end, "line 2 holds nothing"},
		"a second header":            {header + header + end, "line 2 holds nothing"},
		"two records in one line":    {header + `{"asset":{"id":"a","at":{}},"gap":{"in":"x","asked":"y","why":""}}` + "\n" + end, "line 2 holds several records"},
		"two values in one line":     {header + strings.TrimSpace(asset) + "{}\n" + end, "line 2: more than one value"},
		"a fact that is broken":      {header + `{"asset":{"id":"a","at":{},"in":{"unknown":"tired"}}}` + "\n" + end, `"tired" is not a reason`},
		"more after the end":         {header + end + asset, "line 3: more after the end"},
		"an end after the end":       {header + end + end, "line 3: more after the end"},
		"a line of nine megabytes":   {header + strings.Repeat(" ", 9<<20) + "\n" + end, "line 2: bufio.Scanner: token too long"},
		"nine megabytes without end": {strings.Repeat("x", 9<<20), "line 1: bufio.Scanner: token too long"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(strings.NewReader(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

type brokenPipe struct{ after int }

func (b *brokenPipe) Write(p []byte) (int, error) {
	if b.after -= len(p); b.after < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

func TestWriteSaysWhatItWasDoing(t *testing.T) {
	large := whole()
	for range 500 {
		large.Record(&Asset{Subject: Subject{ID: "compose:shop//web", Name: strings.Repeat("x", 100)}})
	}
	for name, s := range map[string]*Set{"at the end": whole(), "on the way": large} {
		if err := Write(&brokenPipe{}, s); !errors.Is(err, io.ErrClosedPipe) || !strings.HasPrefix(err.Error(), "saving evidence: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestSortDoesNotDependOnTheOrder(t *testing.T) {
	base := whole()
	for _, line := range []int{3, 1, 2} {
		at := Origin{File: "x.yaml", Line: line}
		base.Record(&LogStore{Subject: Subject{ID: "twice", At: at}})
		base.Record(&LogSource{Subject: Subject{ID: "twice", At: at}})
		base.Gap(Gap{In: "x", Asked: "y", At: at})
		base.Gap(Gap{In: "x", Asked: "y", At: at, Why: Denied})
		base.Waiver(Waiver{Check: "c", Subject: "s", At: at})
		base.Waiver(Waiver{Check: "c", Subject: "s", Reason: "another", At: at})
	}
	base.With = append(base.With, &Asset{Subject: Subject{ID: "docker:a//host"}})
	base.Sort()
	want := written(t, base)
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := *base
		s.Records, s.With = shuffled(r, base.Records), shuffled(r, base.With)
		s.Gaps, s.Waivers = shuffled(r, append(base.Gaps[:len(base.Gaps):len(base.Gaps)], base.Gaps...)), shuffled(r, base.Waivers) // gaps are found twice
		s.Sort()
		if got := written(t, &s); !bytes.Equal(got, want) {
			t.Fatalf("shuffle %d gives\n%s\nwant\n%s", seed, got, want)
		}
	}
}

func shuffled[T any](r *rand.Rand, of []T) []T {
	out := make([]T, len(of))
	for i, j := range r.Perm(len(of)) {
		out[i] = of[j]
	}
	return out
}

// FuzzRead wants that whatever can be read is written the same way for good.
func FuzzRead(f *testing.F) {
	s := whole()
	s.Sort()
	text := written(f, s)
	f.Add(text)
	f.Add(text[:len(text)/2])
	f.Add([]byte(`{"header":{"schema":"lookback-evidence/1"}}` + "\n" + `{"log_store":{"id":"` + "\xff" + `","at":{},"on":{"value":null}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		one, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		first := written(t, one)
		two, err := Read(bytes.NewReader(first))
		if err != nil {
			t.Fatalf("what was written is not read: %v\n%s", err, first)
		}
		if second := written(t, two); !bytes.Equal(first, second) {
			t.Fatalf("written again it differs:\n%s\n%s", first, second)
		}
	})
}
