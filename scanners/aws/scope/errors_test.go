package scope

import (
	"errors"
	"net/http"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"lookback/evidence"
)

func TestWhyACallGaveNothing(t *testing.T) {
	answer := func(status int, err error) error {
		return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: err}
	}
	code := func(code string) error { return &smithy.GenericAPIError{Code: code} }
	for _, c := range []struct {
		name string
		err  error
		want evidence.Reason
	}{
		{"a code that denies", answer(http.StatusBadRequest, code("AccessDeniedException")), evidence.Denied},
		{"403 and a code that we do not know", answer(http.StatusForbidden, code("Nope")), evidence.Denied},
		{"403 and no code", answer(http.StatusForbidden, errors.New("no body")), evidence.Denied},
		{"403 for credentials that are no more", answer(http.StatusForbidden, code("ExpiredToken")), evidence.Failed},
		{"403 for coming too fast", answer(http.StatusForbidden, code("RequestLimitExceeded")), evidence.Failed},
		{"500 and no code", answer(http.StatusInternalServerError, errors.New("no body")), evidence.Failed},
		{"no answer", errors.New("connection refused"), evidence.Failed},
	} {
		if got := Why(c.err); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}
