package json

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"lookback/checks"
	"lookback/evidence"
	"lookback/report"
)

// Bounds of what Keys reads: bytes, and how deep what it passes over may lie.
const (
	maxBytes = 512 << 20
	maxDepth = 100
)

var errNotResults = errors.New("it is no results.json")

// Keys reads an earlier results.json and returns what failed then: the keys, as [report.Key] makes them, of results that
// failed or were waived. A file of more than 512 MiB is refused.
func Keys(r io.Reader) (map[string]bool, error) {
	return keys(r, maxBytes)
}

func keys(r io.Reader, most int64) (map[string]bool, error) {
	limited := &io.LimitedReader{R: r, N: most + 1}
	b := baseline{dec: json.NewDecoder(limited), keys: map[string]bool{}}
	err := b.read()
	switch {
	case limited.N <= 0:
		return nil, fmt.Errorf("it is larger than %d bytes", most)
	case err != nil:
		return nil, err
	}
	return b.keys, nil
}

type baseline struct {
	dec  *json.Decoder
	keys map[string]bool
}

func (b *baseline) read() error {
	if err := b.want('{'); err != nil {
		return err
	}
	name, err := b.dec.Token()
	if err != nil || name != "schema" {
		return errNotResults
	}
	format, err := b.dec.Token()
	if err != nil {
		return err
	}
	if format != Schema {
		return fmt.Errorf("%.60q is not a format that this version reads; it reads %q", fmt.Sprint(format), Schema)
	}
	found := false
	for b.dec.More() {
		name, err := b.dec.Token()
		if err != nil {
			return err
		}
		if name != "results" {
			if err := b.pass(); err != nil {
				return err
			}
			continue
		}
		found = true
		if err := b.results(); err != nil {
			return err
		}
	}
	if err := b.want('}'); err != nil {
		return err
	}
	if !found {
		return errNotResults
	}
	if _, err := b.dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more after the end")
	}
	return nil
}

func (b *baseline) results() error {
	if err := b.want('['); err != nil {
		return err
	}
	for n := 1; b.dec.More(); n++ {
		var res struct {
			Check   string
			Outcome string
			Subject struct{ ID evidence.ID }
		}
		if err := b.dec.Decode(&res); err != nil {
			return fmt.Errorf("result %d: %w", n, err)
		}
		if res.Check == "" || res.Outcome == "" || res.Subject.ID == "" {
			return fmt.Errorf("result %d lacks its check, outcome or subject", n)
		}
		if res.Outcome == checks.Fail.String() || res.Outcome == checks.Waived.String() {
			b.keys[report.Key(res.Check, res.Subject.ID)] = true
		}
	}
	return b.want(']')
}

// pass goes over one value without keeping it.
func (b *baseline) pass() error {
	for depth := 0; ; {
		token, err := b.dec.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth > maxDepth {
			return fmt.Errorf("it is nested more than %d deep", maxDepth)
		}
		if depth == 0 {
			return nil
		}
	}
}

func (b *baseline) want(d json.Delim) error {
	token, err := b.dec.Token()
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	if token != d {
		return errNotResults
	}
	return nil
}
