package scope

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"lookback/evidence"
)

// errNotListed is for a question whose answer another service was to bring.
var errNotListed = errors.New("it was not listed")

// errLeftOut is for a question about a region that the scan was told to leave out.
var errLeftOut = errors.New("the region was not scanned")

// ErrUndeclared refuses a call that no service declares. It is a mistake of ours, which tests find.
var ErrUndeclared = errors.New("the call is not declared")

// errRegionDown is for calls to a region that did not answer before.
var errRegionDown = errors.New("the region does not answer")

// Why says why a call gave nothing: denied, or failed; elsewhere where it was not to be made.
func Why(err error) evidence.Reason {
	if errors.Is(err, errLeftOut) {
		return evidence.Elsewhere
	}
	code := Code(err)
	switch code {
	case "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch",
		"InvalidSignatureException", "RequestExpired", "IncompleteSignature", "AuthFailure":
		return evidence.Failed // the credentials are at fault, not what they may do
	case "UnauthorizedOperation", "AuthorizationError", "AuthorizationErrorException", "NotAuthorized", "NotAuthorizedException",
		"ForbiddenException", "Forbidden":
		return evidence.Denied
	}
	if strings.HasPrefix(code, "AccessDenied") || strings.HasPrefix(code, "Client.UnauthorizedOperation") {
		return evidence.Denied
	}
	if status(err) == http.StatusForbidden && !throttled(code) {
		return evidence.Denied
	}
	return evidence.Failed
}

// Code is the code of the error with which AWS answered, "" where it did not answer.
func Code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// Is reports whether AWS answered with one of some codes: "NoSuchBucketPolicy", which says that there is none.
func Is(err error, codes ...string) bool {
	code := Code(err)
	for _, c := range codes {
		if code == c {
			return true
		}
	}
	return false
}

func throttled(code string) bool {
	switch code {
	case "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException", "RequestLimitExceeded",
		"TooManyRequestsException", "SlowDown", "BandwidthLimitExceeded", "PriorRequestNotComplete", "ProvisionedThroughputExceededException",
		"TransactionInProgressException", "EC2ThrottledException", "LimitExceededException":
		return true
	}
	return false
}

// broken reports whether an error says that the server failed, and not that it answers no.
func broken(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorFault() == smithy.FaultServer || status(err) >= http.StatusInternalServerError
}

// unnamed is the code that the SDK gives to an error that names none.
const unnamed = "UnknownError"

// Brief is an error in a few words, the same in every scan: without request ids and addresses.
func Brief(err error) string {
	var api smithy.APIError
	var lookup *net.DNSError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &api) && api.ErrorCode() != unnamed:
		text := api.ErrorCode()
		if m := api.ErrorMessage(); m != "" && m != text && m != unnamed {
			text += ": " + m
		}
		if len(text) > 200 {
			text = strings.ToValidUTF8(text[:200], "") + "..."
		}
		return text
	case errors.Is(err, errRegionDown):
		return errRegionDown.Error()
	case errors.Is(err, errNotListed):
		return errNotListed.Error()
	case errors.Is(err, errLeftOut):
		return errLeftOut.Error()
	case errors.Is(err, context.Canceled):
		return "the scan was interrupted"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &lookup):
		return "no such host"
	case unreachable(err):
		return "no connection"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the answer broke off"
	case status(err) != 0:
		return fmt.Sprintf("the answer was not understood (HTTP %d)", status(err))
	}
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		text = text[i+2:]
	}
	return text
}

// Unreadable reports whether something answered, in a way that is none of the protocol: a page of HTML, of a proxy or of a
// server that does not know the operation. The same answer would come again.
func Unreadable(err error) bool {
	if unreachable(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.ErrUnexpectedEOF) {
		return false
	}
	if status(err) == 0 || status(err) == http.StatusTooManyRequests || unavailable(err) { // for a moment
		return false
	}
	return Code(err) == ""
}

// unavailable reports whether a server says that nobody is behind it.
func unavailable(err error) bool {
	switch status(err) {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return !throttled(Code(err)) // S3 says SlowDown with 503
	}
	return false
}

// status is the HTTP status of an answer, 0 where there was none.
func status(err error) int {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.Response != nil {
		return response.HTTPStatusCode()
	}
	return 0
}

// unreachable reports whether an error says that nobody answered.
func unreachable(err error) bool {
	var sent *smithyhttp.RequestSendError
	var op *net.OpError
	return errors.As(err, &sent) || errors.As(err, &op)
}

// Unknown is a fact that a call did not give.
func Unknown[T any](err error, at evidence.Origin) evidence.Value[T] {
	why := Why(err)
	if why != evidence.Denied {
		at.Note = Brief(err)
	}
	return evidence.Unknown[T](why, at)
}

// Got is a fact that a call gave, or the reason why it did not.
func Got[T any](v T, err error, at evidence.Origin) evidence.Value[T] {
	if err != nil {
		return Unknown[T](err, at)
	}
	return evidence.Known(v, at)
}
