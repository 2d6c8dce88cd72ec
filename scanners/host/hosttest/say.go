package hosttest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"lookback/evidence"
)

// Record returns the one record of a type and an ID.
func Record[R evidence.Record](t *testing.T, set *evidence.Set, id evidence.ID) R {
	t.Helper()
	for _, r := range set.Records {
		if r, ok := r.(R); ok && r.Self().ID == id {
			return r
		}
	}
	var none R
	t.Fatalf("no %T %s in:\n%s", none, id, Dump(set))
	return none
}

// Dump lists what is in a set, for a test that fails.
func Dump(set *evidence.Set) string {
	var b strings.Builder
	for _, r := range set.Records {
		fmt.Fprintf(&b, "%T %s\n", r, r.Self().ID)
	}
	for _, g := range set.Gaps {
		fmt.Fprintf(&b, "gap %s: %s\n", g.Asked, g.Err)
	}
	return b.String()
}

// Say is a fact in a word: "true", "moot", "denied", and "unasked" where no reader put the question.
func Say[T any](v evidence.Value[T]) string {
	got, known := v.Get()
	switch {
	case v.IsZero():
		return "unasked"
	case v.IsMoot():
		return "moot"
	case !known:
		return v.Why().String()
	}
	return fmt.Sprint(got)
}

// Gzip packs a text as logrotate does.
func Gzip(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text)) // a buffer takes everything
	_ = w.Close()
	return b.String()
}
