package aws

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"lookback/scanners/aws/scope"
)

type policy struct {
	Version   string      `json:"Version"`
	Statement []statement `json:"Statement"`
}

type statement struct {
	Sid      string   `json:"Sid"`
	Effect   string   `json:"Effect"`
	Action   []string `json:"Action"`
	Resource string   `json:"Resource"`
}

// Policy returns the IAM policy, as JSON, that allows what a scan calls and nothing more. With a role name it is that of
// who scans an organisation, and allows to assume that role in every account.
func Policy(role string) ([]byte, error) {
	p := policy{Version: "2012-10-17", Statement: []statement{{"Lookback", "Allow", Actions(role != ""), "*"}}}
	if role != "" {
		p.Statement = append(p.Statement, statement{"LookbackAccounts", "Allow", []string{"sts:AssumeRole"}, "arn:*:iam::*:role/" + role})
	}
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the policy: %w", err)
	}
	return append(data, '\n'), nil
}

// Actions returns the IAM actions that a scan of one account needs, or of an organisation, sorted.
func Actions(organization bool) []string {
	var out []string
	for _, c := range Calls() {
		switch {
		case c.Action == "sts:GetCallerIdentity": // allowed to everybody, whatever a policy says
		case strings.HasPrefix(c.Perhaps, "with --") && !organization:
		default:
			out = append(append(out, c.Action), c.With...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Reference is the page that lists the calls of a scan, in Markdown.
func Reference() string {
	var b strings.Builder
	b.WriteString("| calls | once for each | what it fills |\n|---|---|---|\n")
	calls := Calls()
	slices.SortStableFunc(calls, func(a, b scope.Call) int { return cmp.Compare(a.Action, b.Action) })
	seen := map[string]bool{}
	for _, c := range calls {
		line := fmt.Sprintf("| `%s`", strings.Join(append([]string{c.Action}, c.With...), "`, `"))
		if _, name, _ := strings.Cut(c.Action, ":"); name != c.Op {
			line += " (" + c.Op + ")"
		}
		line += " | " + c.Per
		if c.Perhaps != "" {
			line += "; " + c.Perhaps
		}
		line += " | " + c.Fills + " |\n"
		if !seen[line] {
			seen[line] = true
			b.WriteString(line)
		}
	}
	return b.String()
}
