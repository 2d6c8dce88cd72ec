// Package apigateway reads what the stages of APIs log: REST, HTTP and WebSocket APIs.
package apigateway

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	rest "github.com/aws/aws-sdk-go-v2/service/apigateway"
	resttypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// get is the permission of every call that reads.
const get = "apigateway:GET"

// gone is what both services say of an API that was deleted since it was listed.
const gone = "NotFoundException"

// Service reads API Gateway.
func Service() scope.Service {
	return scope.Service{
		Name: "apigateway",
		Calls: []scope.Call{
			{Service: rest.ServiceID, Op: "GetRestApis", Action: get, Per: "region", Fills: "Asset.Name"},
			{Service: rest.ServiceID, Op: "GetStages", Action: get, Per: "REST API", Fills: "LogSource.Enabled, LogSource.To"},
			{Service: apigatewayv2.ServiceID, Op: "GetApis", Action: get, Per: "region", Fills: "Asset.Name"},
			{Service: apigatewayv2.ServiceID, Op: "GetStages", Action: get, Per: "HTTP or WebSocket API", Fills: "LogSource.Enabled, LogSource.To"},
		},
		Region: func(ctx context.Context, s *scope.Scope) {
			readREST(ctx, s)
			readV2(ctx, s)
		},
	}
}

// missed names an API whose stages could not be listed.
func missed(s *scope.Scope, id, name string, err error, at evidence.Origin) {
	s.Blind(fmt.Sprintf("stages of API %s (%s)", name, id), err, at, scope.Unseen{Activities: []evidence.Activity{evidence.Edge}})
}

func readREST(ctx context.Context, s *scope.Scope) {
	client := rest.NewFromConfig(s.Config)
	var apis []resttypes.RestApi
	for p := rest.NewGetRestApisPaginator(client, &rest.GetRestApisInput{Limit: aws.Int32(500)}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			s.Blind("REST APIs", err, s.At(get, "restapis"), scope.Unseen{Activities: []evidence.Activity{evidence.Edge}})
			break
		}
		apis = append(apis, page.Items...)
	}
	s.Each(len(apis), func(i int) {
		id, name := aws.ToString(apis[i].Id), aws.ToString(apis[i].Name)
		out, err := client.GetStages(ctx, &rest.GetStagesInput{RestApiId: &id})
		if scope.Is(err, gone) {
			return
		}
		if err != nil {
			missed(s, id, name, err, s.At(get, "restapis/"+id+"/stages"))
			return
		}
		for _, st := range out.Item {
			stageName := aws.ToString(st.StageName)
			one := stage{
				api: id, apiName: name, name: stageName, at: s.At(get, "restapis/"+id+"/stages/"+stageName),
				levels: map[string]string{},
				// The log group is named in the developer guide, "Set up CloudWatch logging for REST APIs".
				executionGroup: "API-Gateway-Execution-Logs_" + id + "/" + stageName,
			}
			if st.AccessLogSettings != nil {
				one.access = aws.ToString(st.AccessLogSettings.DestinationArn)
			}
			for method, setting := range st.MethodSettings {
				one.levels[method] = aws.ToString(setting.LoggingLevel)
			}
			observe(s, one)
		}
	})
}

func readV2(ctx context.Context, s *scope.Scope) {
	client := apigatewayv2.NewFromConfig(s.Config)
	var apis []types.Api
	var token *string
	for {
		page, err := client.GetApis(ctx, &apigatewayv2.GetApisInput{NextToken: token})
		if err != nil {
			s.Blind("HTTP and WebSocket APIs", err, s.At(get, "apis"), scope.Unseen{Activities: []evidence.Activity{evidence.Edge}})
			break
		}
		apis = append(apis, page.Items...)
		if last(&token, page.NextToken) {
			break
		}
	}
	s.Each(len(apis), func(i int) { readV2Stages(ctx, s, client, apis[i]) })
}

func readV2Stages(ctx context.Context, s *scope.Scope, client *apigatewayv2.Client, api types.Api) {
	id, name := aws.ToString(api.ApiId), aws.ToString(api.Name)
	var token *string
	for {
		page, err := client.GetStages(ctx, &apigatewayv2.GetStagesInput{ApiId: &id, NextToken: token})
		if scope.Is(err, gone) {
			return
		}
		if err != nil {
			missed(s, id, name, err, s.At(get, "apis/"+id+"/stages"))
			return
		}
		for _, st := range page.Items {
			stageName := aws.ToString(st.StageName)
			one := stage{
				api: id, apiName: name, name: stageName, at: s.At(get, "apis/"+id+"/stages/"+stageName),
				levels: map[string]string{}, executionGroup: "/aws/apigateway/" + id + "/" + stageName,
			}
			if st.AccessLogSettings != nil {
				one.access = aws.ToString(st.AccessLogSettings.DestinationArn)
			}
			if api.ProtocolType == types.ProtocolTypeWebsocket { // HTTP APIs have no execution log
				if st.DefaultRouteSettings != nil {
					one.levels[everyMethod] = string(st.DefaultRouteSettings.LoggingLevel)
				}
				for route, setting := range st.RouteSettings {
					one.levels[route] = string(setting.LoggingLevel)
				}
			}
			observe(s, one)
		}
		if last(&token, page.NextToken) {
			return
		}
	}
}

// last moves on to the next page, and reports whether there is none.
func last(token **string, next *string) bool {
	if aws.ToString(next) == "" || aws.ToString(next) == aws.ToString(*token) {
		return true
	}
	*token = next
	return false
}
