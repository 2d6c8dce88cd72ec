package iam

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
)

// A document is a policy: the part of it that says which actions are allowed and denied.
type document struct {
	name       string
	statements []statement
	err        error
}

type statement struct {
	Effect      string
	Action      list
	NotAction   list
	Resource    list
	NotResource list
	Condition   json.RawMessage
}

// A list is one string or several.
type list []string

func (l *list) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, (*[]string)(l))
	}
	var one string
	if err := json.Unmarshal(data, &one); err != nil {
		return err
	}
	*l = list{one}
	return nil
}

// parse reads a policy as IAM gives it: JSON, percent-encoded.
func parse(name, text string) document {
	d := document{name: name}
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain
	}
	var p struct{ Statement json.RawMessage }
	if d.err = json.Unmarshal([]byte(text), &p); d.err != nil {
		return d
	}
	if len(p.Statement) == 0 {
		d.err = errors.New("it has no statement")
		return d
	}
	if p.Statement[0] == '[' {
		d.err = json.Unmarshal(p.Statement, &d.statements)
		return d
	}
	var one statement
	d.err = json.Unmarshal(p.Statement, &one)
	d.statements = []statement{one}
	return d
}

// decides says whether policies allow an action somewhere, and whether they deny it everywhere: without a condition and
// on all resources.
func decides(policies []document, action string) (allowed, denied bool) {
	service, _, _ := strings.Cut(action, ":")
	for _, p := range policies {
		for _, st := range p.statements {
			named := st.Action.match(action)
			if len(st.NotAction) > 0 {
				named = !st.NotAction.match(action)
			}
			if !named {
				continue
			}
			switch st.Effect {
			case "Allow":
				allowed = allowed || st.touches(service)
			case "Deny":
				all := len(st.NotResource) == 0 && (len(st.Resource) == 0 || st.Resource.match("*"))
				denied = denied || all && len(st.Condition) == 0
			}
		}
	}
	return allowed, denied
}

// touches reports whether a statement is about anything of a service.
func (s statement) touches(service string) bool {
	if len(s.NotResource) > 0 || len(s.Resource) == 0 {
		return true
	}
	for _, r := range s.Resource {
		parts := strings.SplitN(r, ":", 6)
		switch {
		case len(parts) < 3: // an asterisk stands for the rest: "*", "arn:*"
			if strings.HasSuffix(r, "*") {
				return true
			}
		case service == "s3" && len(parts) == 6 && strings.Contains(parts[5], "/"): // objects, and no bucket
		case wild(parts[2], service):
			return true
		}
	}
	return false
}

func (l list) match(s string) bool {
	for _, pattern := range l {
		if wild(pattern, s) {
			return true
		}
	}
	return false
}

// wild reports whether a name matches a pattern of IAM, in which * is any run of characters and ? is one, whatever the case.
func wild(pattern, name string) bool {
	pattern, name = strings.ToLower(pattern), strings.ToLower(name)
	star, mark, p, n := -1, 0, 0, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p++
			n++
		case star >= 0:
			mark++
			p, n = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// errMissing is for a policy that is attached and that was not among those listed.
var errMissing = errors.New("it was not listed")
