// Package lambda reads functions: where their output goes, whether their role may write it, and whether the code that ran is
// kept.
package lambda

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// Service reads the functions of a region.
func Service() scope.Service {
	return scope.Service{
		Name: "lambda",
		Calls: []scope.Call{
			{Service: lambda.ServiceID, Op: "ListFunctions", Action: "lambda:ListFunctions", Per: "region", Fills: "LogSource.To, Delivery.Extent, Access.Allowed"},
			{
				Service: iam.ServiceID, Op: "SimulatePrincipalPolicy", Action: "iam:SimulatePrincipalPolicy", Per: "role of Lambda functions, in a region",
				Fills: "LogSource.Enabled", Perhaps: "where there are Lambda functions",
			},
		},
		Region: read,
	}
}

func read(ctx context.Context, s *scope.Scope) {
	at := s.At("lambda:ListFunctions", "")
	found := map[string]*function{}
	var missed error // what kept the rest of the list away
	// Versions come with the same list, fifty entries a page, so that nobody need be asked for those of each function.
	pages := lambda.NewListFunctionsPaginator(lambda.NewFromConfig(s.Config), &lambda.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			s.Blind("Lambda functions", err, at, scope.Unseen{
				Activities: []evidence.Activity{evidence.Application}, Means: []evidence.Means{evidence.MeansCode},
			})
			missed = err
			break
		}
		for _, c := range page.Functions {
			add(s, found, c)
		}
	}
	byRole := map[string][]*function{}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if f := found[name]; f.latest { // else its versions alone were on the pages that came
			f.missed = missed
			byRole[f.role] = append(byRole[f.role], f)
		}
	}
	roles := slices.Sorted(maps.Keys(byRole))
	s.Each(len(roles), func(i int) {
		mayWrite(ctx, s, byRole[roles[i]])
		for _, f := range byRole[roles[i]] {
			observe(s, f)
		}
	})
}

// add takes an entry of the list: a function, or a version of one.
func add(s *scope.Scope, found map[string]*function, c types.FunctionConfiguration) {
	name := aws.ToString(c.FunctionName)
	f := found[name]
	if f == nil {
		f = &function{name: name, at: s.At("lambda:ListFunctions", name), versions: map[string]bool{}}
		found[name] = f
	}
	switch v := aws.ToString(c.Version); v {
	case "$LATEST", "":
	case "$LATEST.PUBLISHED":
		// A function on managed instances runs this version, and publishing it again replaces its code: the Lambda developer
		// guide, "$LATEST.PUBLISHED version in Lambda Managed Instances".
		f.published = aws.ToString(c.CodeSha256)
		return
	default:
		f.versions[aws.ToString(c.CodeSha256)] = true
		return
	}
	f.latest, f.code, f.image, f.role = true, aws.ToString(c.CodeSha256), c.PackageType == types.PackageTypeImage, aws.ToString(c.Role)
	f.group = "/aws/lambda/" + name
	if l := c.LoggingConfig; l != nil {
		f.level, f.system = l.ApplicationLogLevel, l.SystemLogLevel
		if group := aws.ToString(l.LogGroup); group != "" {
			f.group = group
		}
	}
}

// toWrite and toCreate are the permissions that a role needs; see the Lambda developer guide, "Sending Lambda function logs
// to CloudWatch Logs".
func toWrite() []string { return []string{"logs:CreateLogStream", "logs:PutLogEvents"} }

func toCreate() []string { return []string{"logs:CreateLogGroup"} }

// atOnce is how many log groups one question about a role names.
const atOnce = 50

// mayWrite asks what a role may do with the log groups of its functions.
func mayWrite(ctx context.Context, s *scope.Scope, functions []*function) {
	role := functions[0].role
	name := role
	if arn, ok := scope.ParseARN(role); ok {
		name = arn.Name()
	}
	at := s.At("iam:SimulatePrincipalPolicy", name)
	client := iam.NewFromConfig(s.Config)
	for some := range slices.Chunk(functions, atOnce) {
		allowed, err := simulate(ctx, client, role, resources(s, some))
		for _, f := range some {
			switch {
			case scope.Is(err, "NoSuchEntity"):
				f.writes = evidence.Known(false, at.WithNote("its role does not exist"))
				f.creates = f.writes
			case err != nil:
				f.writes, f.creates = scope.Unknown[bool](err, at), scope.Unknown[bool](err, at)
			default:
				f.writes = allowed.each(s, toWrite(), f.group, at)
				f.creates = allowed.each(s, toCreate(), f.group, at)
			}
		}
	}
}

func resources(s *scope.Scope, functions []*function) []string {
	var arns []string
	for _, f := range functions {
		arns = append(arns, groupARNs(s, f.group)...)
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

// groupARNs are a log group and a stream in it, as policies name them: some statements end in the name of the group, some in
// ":*". What is allowed for either is taken as allowed, but for events: the resource of PutLogEvents is a stream, and the SDK
// says of LogGroup.Arn that the form with ":*" is the one for policies.
func groupARNs(s *scope.Scope, group string) []string {
	arn := fmt.Sprintf("arn:%s:logs:%s:%s:log-group:%s", s.Partition, s.Region, s.Account, group)
	return []string{arn, arn + ":log-stream:x"}
}

// A decision says what policies say of an action on a resource.
type decision struct{ action, resource string }

type decisions map[decision]iamtypes.ResourceSpecificResult

func simulate(ctx context.Context, client *iam.Client, role string, resources []string) (decisions, error) {
	out := decisions{}
	pages := iam.NewSimulatePrincipalPolicyPaginator(client, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: aws.String(role), ActionNames: slices.Concat(toWrite(), toCreate()), ResourceArns: resources,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, e := range page.EvaluationResults {
			for _, r := range e.ResourceSpecificResults {
				out[decision{aws.ToString(e.EvalActionName), aws.ToString(r.EvalResourceName)}] = r
			}
		}
	}
	return out, nil
}

// each says whether every action is allowed on a log group.
func (d decisions) each(s *scope.Scope, actions []string, group string, at evidence.Origin) evidence.Value[bool] {
	for _, action := range actions {
		resources := groupARNs(s, group)
		if action == "logs:PutLogEvents" { // what is allowed on the group alone does not reach its streams
			resources = resources[1:]
		}
		allowed, answered, open := false, false, false
		for _, resource := range resources {
			r, ok := d[decision{action, resource}]
			answered = answered || ok
			allowed = allowed || r.EvalResourceDecision == iamtypes.PolicyEvaluationDecisionTypeAllowed
			open = open || len(r.MissingContextValues) > 0
		}
		switch {
		case allowed:
		case !answered:
			return evidence.Unknown[bool](evidence.Failed, at.WithNote("the answer does not say whether it may "+action))
		case open:
			return evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("whether it may "+action+" hangs on conditions of its policies"))
		default:
			return evidence.Known(false, at.WithNote("its role may not "+action))
		}
	}
	return evidence.Known(true, at)
}
