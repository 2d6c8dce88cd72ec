package json

import (
	"strings"
	"testing"
)

func TestKeysBound(t *testing.T) {
	in := `{"schema": "lookback-results/1", "results": []}`
	if _, err := keys(strings.NewReader(in), int64(len(in))); err != nil {
		t.Errorf("a file of just the size: %v", err)
	}
	_, err := keys(strings.NewReader(in+" "), int64(len(in)))
	if err == nil || !strings.Contains(err.Error(), "it is larger than 47 bytes") {
		t.Errorf("got %v, want an error that says that it is too large", err)
	}
}
