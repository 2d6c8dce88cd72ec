package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
)

type state uint8

const (
	unknown state = iota
	known
	moot
)

// A Value is one thing that a scanner looked for: known, with where it was seen; unknown, with why; or moot, when the
// question has no meaning for the thing at hand. The zero Value is unknown: nobody looked.
type Value[T any] struct {
	state state
	value T
	why   Reason
	at    Origin
}

// Known returns a fact that was seen at a place.
func Known[T any](v T, at Origin) Value[T] { return Value[T]{state: known, value: v, at: at} }

// Unknown returns a fact that somebody looked for at a place and did not get, with the reason.
func Unknown[T any](why Reason, at Origin) Value[T] { return Value[T]{why: why, at: at} }

// Moot returns the answer to a question that has no meaning here: a log group has no digests to validate.
func Moot[T any](at Origin) Value[T] { return Value[T]{state: moot, at: at} }

// Get returns the value, and whether it is known. It is the only way in.
func (v Value[T]) Get() (value T, ok bool) { return v.value, v.state == known }

// IsMoot reports whether the question has no meaning here.
func (v Value[T]) IsMoot() bool { return v.state == moot }

// IsUnknown reports whether the fact is unknown, which a moot one is not.
func (v Value[T]) IsUnknown() bool { return v.state == unknown }

// Why returns the reason of an unknown fact.
func (v Value[T]) Why() Reason { return v.why }

// At returns where the fact was seen or looked for.
func (v Value[T]) At() Origin { return v.at }

// IsZero reports whether nobody looked.
func (v Value[T]) IsZero() bool {
	return v.state == unknown && v.why == NobodyLooked && v.at == Origin{}
}

// A Fact is what a verdict cites: a [Value] of any type.
type Fact interface {
	IsUnknown() bool
	IsMoot() bool
	Why() Reason
	At() Origin
}

// valueJSON is how a Value is written. Exactly one of Value, Unknown and Moot is there.
type valueJSON struct {
	Value   json.RawMessage `json:"value,omitempty"`
	Unknown *Reason         `json:"unknown,omitempty"`
	Moot    bool            `json:"moot,omitempty"`
	At      *Origin         `json:"at,omitempty"`
}

// MarshalJSON writes {"value": v, "at": {...}}, {"unknown": "denied", "at": {...}} or {"moot": true, "at": {...}}.
func (v Value[T]) MarshalJSON() ([]byte, error) {
	var out valueJSON
	switch v.state {
	case known:
		raw, err := json.Marshal(v.value)
		if err != nil {
			return nil, err
		}
		out.Value = raw
	case moot:
		out.Moot = true
	default:
		out.Unknown = &v.why
	}
	if (v.at != Origin{}) {
		out.At = &v.at
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes, and nothing else.
func (v *Value[T]) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var in valueJSON
	if err := dec.Decode(&in); err != nil {
		return fmt.Errorf("reading a fact: %w", err)
	}
	*v = Value[T]{}
	if in.At != nil {
		v.at = *in.At
	}
	switch {
	case in.Value != nil && in.Unknown == nil && !in.Moot:
		v.state = known
		return json.Unmarshal(in.Value, &v.value)
	case in.Moot && in.Unknown == nil && in.Value == nil:
		v.state = moot
	case in.Unknown != nil && !in.Moot && in.Value == nil:
		if !in.Unknown.valid() {
			return fmt.Errorf("reading a fact: %q is not a reason", *in.Unknown)
		}
		v.why = *in.Unknown
	default:
		return fmt.Errorf("reading a fact: want one of value, unknown and moot in %.80q", data)
	}
	return nil
}
