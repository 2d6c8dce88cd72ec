package alarm

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// An answer says whether a pattern matches an event of which we know a part.
type answer int8

const (
	no answer = iota
	maybe
	yes
)

func sure(b bool) answer {
	if b {
		return yes
	}
	return no
}

func (a answer) not() answer { return yes - a }

// watched are the calls that stop a trail for good: whoever makes one of them switches the record of all others off.
var watched = [...]string{"StopLogging", "DeleteTrail"}

// A call is what CloudTrail writes down of a successful call of which we know the name and the service alone. Its fields
// are those of the CloudTrail user guide, "CloudTrail record contents".
type call struct{ name, source string }

// field returns what we know of a field: its value, that it is there, or that it is not.
func (c call) field(path string) (value string, known, there bool) {
	switch path {
	case "eventName":
		return c.name, true, true
	case "eventSource":
		return c.source, true, true
	case "eventType":
		return "AwsApiCall", true, true
	case "eventCategory":
		return "Management", true, true
	case "readOnly":
		return "false", true, true
	case "managementEvent":
		return "true", true, true
	}
	top, _, _ := strings.Cut(path, ".")
	top, _, _ = strings.Cut(top, "[")
	switch top {
	case "userIdentity", "sourceIPAddress", "userAgent", "awsRegion", "eventTime", "eventVersion", "eventID", "eventContext",
		"requestID", "requestParameters", "responseElements", "additionalEventData", "apiVersion", "recipientAccountId",
		"resources", "sharedEventID", "vpcEndpointId", "vpcEndpointAccountId", "addendum", "sessionCredentialFromConsole",
		"edgeDeviceDetails", "tlsDetails", "*", "":
		return "", false, true
	}
	return "", false, false // an error's code, or a field of another kind of log
}

// mentions reports whether a text speaks of the calls that we look for, or of calls by their name.
func mentions(text string) bool {
	for _, name := range watched {
		if strings.Contains(text, name) {
			return true
		}
	}
	return strings.Contains(text, "eventName")
}

// told says which of the watched calls a pattern matches: the best answer, and the calls that it leaves out. A pattern
// that may match, and does not speak of calls, is about something else.
func told(text string, match func(call) answer) (best answer, missing []string) {
	for _, name := range watched {
		a := match(call{name, "cloudtrail.amazonaws.com"})
		best = max(best, a)
		if a == no {
			missing = append(missing, name)
		}
	}
	if best == maybe && !mentions(text) {
		best = no
	}
	return best, missing
}

// toldByFilter is told for the pattern of a metric filter. One that counts ordinary calls as well says nothing of ours.
func toldByFilter(pattern string) (answer, []string) {
	if filterMatches(pattern, call{"RunInstances", "ec2.amazonaws.com"}) == yes {
		return no, nil
	}
	return told(pattern, func(c call) answer { return filterMatches(pattern, c) })
}

// toldByRule is told for the pattern of an event rule. A rule that passes on every call passes on ours.
func toldByRule(pattern, account, region string) (answer, []string) {
	var p map[string]any
	if len(pattern) > longest || json.Unmarshal([]byte(pattern), &p) != nil {
		return told(pattern, func(call) answer { return maybe })
	}
	return told(pattern, func(c call) answer { return event{c, account, region}.object(p, "") })
}

// longest is the length of a pattern that we read; AWS allows 1,024 characters in a filter, 4,096 in a rule.
const longest = 16 << 10

// filterMatches says whether a filter pattern matches a call; see the CloudWatch Logs user guide, "Filter pattern syntax
// for metric filters, subscription filters, filter log events, and Live Tail".
func filterMatches(pattern string, c call) answer {
	pattern = strings.TrimSpace(pattern)
	switch {
	case pattern == "":
		return yes
	case len(pattern) > longest:
		return maybe
	case pattern[0] == '{':
		p := parser{tokens: tokens(pattern), call: c}
		if !p.take("{") {
			return maybe
		}
		a := p.or()
		if !p.take("}") || len(p.tokens) > 0 || p.bad {
			return maybe
		}
		return a
	case pattern[0] == '[' || pattern[0] == '%':
		return maybe
	}
	return termsMatch(pattern, c)
}

// termsMatch is for patterns of words: all of them must be there, or one of those with a question mark.
func termsMatch(pattern string, c call) answer {
	record := fmt.Sprintf(`"eventSource":"%s","eventName":"%s"`, c.source, c.name)
	all, one, choices := yes, no, false
	for _, t := range tokens(pattern) {
		term := strings.TrimLeft(t, "?-")
		has := maybe
		if term = strings.Trim(term, `"`); strings.Contains(record, term) {
			has = yes
		}
		switch t[0] {
		case '?':
			one, choices = max(one, has), true
		case '-':
			all = min(all, has.not())
		default:
			all = min(all, has)
		}
	}
	if choices {
		return min(all, one)
	}
	return all
}

// A parser evaluates a pattern for JSON while it reads it.
type parser struct {
	tokens []string
	call   call
	bad    bool
}

func (p *parser) next() string {
	if len(p.tokens) == 0 {
		p.bad = true
		return ""
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

func (p *parser) take(t string) bool {
	if len(p.tokens) == 0 || p.tokens[0] != t {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *parser) or() answer {
	a := p.and()
	for p.take("||") {
		a = max(a, p.and())
	}
	return a
}

func (p *parser) and() answer {
	a := p.one()
	for p.take("&&") {
		a = min(a, p.one())
	}
	return a
}

func (p *parser) one() answer {
	if p.take("(") {
		a := p.or()
		p.bad = p.bad || !p.take(")")
		return a
	}
	selector, ok := strings.CutPrefix(p.next(), "$.")
	if !ok {
		p.bad = true
		return maybe
	}
	value, known, there := p.call.field(selector)
	switch op := p.next(); op {
	case "NOT": // EXISTS
		p.bad = p.bad || !p.take("EXISTS")
		switch {
		case !there:
			return yes
		case known:
			return no
		}
		return maybe
	case "IS":
		what := strings.ToLower(p.next())
		switch {
		case known:
			return sure(value == what)
		case !there && what != "null":
			return no
		}
		return maybe
	case "=", "!=":
		a := maybe
		switch want := p.next(); {
		case known:
			a = equals(value, want)
		case !there && op == "=":
			return no
		}
		if op == "!=" {
			a = a.not()
		}
		return a
	case "<", ">", "<=", ">=":
		p.next()
		if !there {
			return no
		}
		return maybe
	}
	p.bad = true
	return maybe
}

// equals compares a value with one of a pattern: in quotes or not, with asterisks, or a regular expression between
// percent signs.
func equals(value, want string) answer {
	if len(want) > 1 && want[0] == '%' && want[len(want)-1] == '%' {
		re, err := regexp.Compile(want[1 : len(want)-1])
		if err != nil {
			return maybe
		}
		return sure(re.MatchString(value))
	}
	return sure(wildcard(strings.Trim(want, `"`), value))
}

// wildcard compares with a text in which an asterisk stands for any characters.
func wildcard(want, value string) bool {
	parts := strings.Split(want, "*")
	if len(parts) == 1 {
		return want == value
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(value) < len(first)+len(last) || !strings.HasPrefix(value, first) || !strings.HasSuffix(value, last) {
		return false
	}
	value = value[len(first) : len(value)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(value, part)
		if !found {
			return false
		}
		value = after
	}
	return true
}

// tokens splits a pattern: signs, words, texts in quotes, and expressions between percent signs.
func tokens(pattern string) []string {
	var out []string
	for i := 0; i < len(pattern); {
		c := pattern[i]
		n := 1
		switch rest := pattern[i:]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case strings.HasPrefix(rest, "&&"), strings.HasPrefix(rest, "||"), strings.HasPrefix(rest, "!="),
			strings.HasPrefix(rest, "<="), strings.HasPrefix(rest, ">="):
			n = 2
		case strings.IndexByte("{}()=<>", c) >= 0:
		default:
			n = word(rest)
		}
		out = append(out, pattern[i:i+n])
		i += n
	}
	return out
}

// word is how long the word, or the text in quotes, is with which s begins.
func word(s string) int {
	open := strings.TrimLeft(s, "?-")
	if sign := len(s) - len(open); open != "" && (open[0] == '"' || open[0] == '%') {
		if end := strings.IndexByte(open[1:], open[0]); end >= 0 {
			return sign + end + 2
		}
		return len(s)
	}
	if end := strings.IndexAny(s[1:], " \t\r\n{}()=<>&|!"); end >= 0 {
		return end + 1
	}
	return len(s)
}

// An event is how CloudTrail hands a call to EventBridge; see the EventBridge user guide, "AWS service events delivered
// via AWS CloudTrail".
type event struct {
	call
	account, region string
}

func (e event) field(path string) (value string, known, there bool) {
	if inner, ok := strings.CutPrefix(path, "detail."); ok {
		return e.call.field(inner)
	}
	switch path {
	case "source":
		return "aws.cloudtrail", true, true
	case "detail-type":
		return "AWS API Call via CloudTrail", true, true
	case "account":
		return e.account, true, true
	case "region":
		return e.region, true, true
	case "version":
		return "0", true, true
	case "id", "time", "resources":
		return "", false, true
	}
	return "", false, false
}

// object says whether an event pattern matches: all fields must; see the EventBridge user guide, "Comparison operators
// for use in event patterns".
func (e event) object(pattern map[string]any, path string) answer {
	a := yes
	for key, want := range pattern {
		switch want := want.(type) {
		case map[string]any:
			a = min(a, e.object(want, path+key+"."))
		case []any:
			allowed := no
			for _, one := range want {
				if inner, ok := one.(map[string]any); ok && key == "$or" {
					allowed = max(allowed, e.object(inner, path))
				} else {
					allowed = max(allowed, e.leaf(one, path+key))
				}
			}
			a = min(a, allowed)
		default:
			a = min(a, maybe)
		}
	}
	return a
}

// leaf compares one field with one of the values that a pattern allows.
func (e event) leaf(want any, path string) answer {
	value, known, there := e.field(path)
	operators, ok := want.(map[string]any)
	if !ok {
		switch {
		case known:
			return sure(fmt.Sprint(want) == value)
		case !there:
			return no
		}
		return maybe
	}
	a := yes
	for operator, operand := range operators {
		text, isText := operand.(string)
		one := maybe
		switch {
		case operator == "exists":
			if wanted, ok := operand.(bool); ok && (known || !there) {
				one = sure(wanted == there)
			}
		case !there:
			one = no
		case !known:
		case operator == "prefix" && isText:
			one = sure(strings.HasPrefix(value, text))
		case operator == "suffix" && isText:
			one = sure(strings.HasSuffix(value, text))
		case operator == "wildcard" && isText:
			one = sure(wildcard(text, value))
		case operator == "equals-ignore-case" && isText:
			one = sure(strings.EqualFold(text, value))
		case operator == "anything-but":
			one = e.but(operand, path).not()
		}
		a = min(a, one)
	}
	return a
}

// but says whether a field is one of those that "anything-but" turns away.
func (e event) but(operand any, path string) answer {
	list, ok := operand.([]any)
	if !ok {
		list = []any{operand}
	}
	a := no
	for _, one := range list {
		a = max(a, e.leaf(one, path))
	}
	return a
}
