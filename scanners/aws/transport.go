package aws

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"lookback/scanners/aws/scope"
)

// dialTime is how long a region may take to answer at all.
const dialTime = 5 * time.Second

func withDialTime(d *net.Dialer) { d.Timeout = dialTime }

// unreadable keeps the SDK from asking again where the answer was none of the protocol, or nobody was reached for long enough.
type unreadable struct{}

func (unreadable) IsErrorRetryable(err error) aws.Ternary {
	var unreached *scope.Unreached
	if scope.Unreadable(err) || errors.As(err, &unreached) {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

// unlimited is a rate limiter for retries that never refuses one: how many there are is bounded per call.
type unlimited struct{}

func (unlimited) GetToken(context.Context, uint) (func() error, error) {
	return func() error { return nil }, nil
}

func (unlimited) AddTokens(uint) error { return nil }

// errForeign is for an answer that says that all is well, in a way that is none of the protocol: the page of a proxy, or of a
// network that asks to sign in first. The SDK takes some of these for the answer that there is nothing.
var errForeign = errors.New("the answer is none of AWS")

// understood refuses such answers before they are decoded.
func understood(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("lookback.understood", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, meta, err := next.HandleDeserialize(ctx, in)
		request, sent := in.Request.(*smithyhttp.Request)
		response, came := out.RawResponse.(*smithyhttp.Response)
		if err == nil && sent && came && response.StatusCode < http.StatusMultipleChoices && foreign(request.Header, response.Response) {
			err = &smithy.DeserializationError{Err: errForeign}
		}
		return out, meta, err
	}), middleware.After)
}

// looked is how much of an answer is looked at to tell what it is.
const looked = 4096

// foreign reports whether the body of an answer cannot be one to a request with these headers. It leaves the body as it was.
func foreign(asked http.Header, answer *http.Response) bool {
	if answer.Body == nil || answer.Header.Get("Content-Encoding") != "" {
		return false
	}
	body := bufio.NewReaderSize(answer.Body, looked)
	start, err := body.Peek(looked)
	answer.Body = struct {
		io.Reader
		io.Closer
	}{body, answer.Body}
	if err != nil && !errors.Is(err, io.EOF) { // the reader of the whole will meet it again
		return false
	}
	start = bytes.TrimSpace(bytes.TrimPrefix(start, []byte("\xef\xbb\xbf")))
	first := byte(0)
	if len(start) > 0 {
		first = start[0]
	}
	form := strings.HasPrefix(asked.Get("Content-Type"), "application/x-www-form-urlencoded")
	switch {
	case asked.Get("Smithy-Protocol") != "": // CBOR: an output without members is an empty map
		return first == 0
	case asked.Get("X-Amz-Target") != "": // JSON: an output without members is {}
		return first != '{'
	case form && first != '<': // XML
		return true
	case first == '<':
		root := rootOf(start)
		return strings.EqualFold(root, "html") || form && root != "" && !strings.HasSuffix(root, "Response")
	case first == 0: // some outputs have no body, and AWS gives every answer an id
		return answer.Header.Get("X-Amzn-Requestid") == "" && answer.Header.Get("X-Amz-Request-Id") == ""
	}
	return first != '{' && first != '['
}

// rootOf is the name of the element that a document consists of, "" where its start does not tell.
func rootOf(start []byte) string {
	d := xml.NewDecoder(bytes.NewReader(start))
	d.Strict = false
	for {
		switch t, err := d.RawToken(); t := t.(type) {
		case xml.StartElement:
			return t.Name.Local
		case xml.Directive:
			if text := strings.Fields(strings.ToLower(string(t))); len(text) > 1 && text[0] == "doctype" {
				return text[1]
			}
		default:
			if err != nil {
				return ""
			}
		}
	}
}
