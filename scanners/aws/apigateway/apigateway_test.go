package apigateway

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	rest "github.com/aws/aws-sdk-go-v2/service/apigateway"
	resttypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/awstest/sourcetest"
)

const group = "arn:aws:logs:eu-west-1:111122223333:log-group:"

func level(text string) resttypes.MethodSetting {
	return resttypes.MethodSetting{LoggingLevel: aws.String(text)}
}

// estate has a REST API with several stages, an HTTP API and a WebSocket API.
func estate(_ string, input any) (any, error) {
	switch in := input.(type) {
	case *rest.GetRestApisInput: // in pages of one
		if in.Position == nil {
			return &rest.GetRestApisOutput{Position: aws.String("next"), Items: []resttypes.RestApi{{Id: aws.String("r1"), Name: aws.String("shop")}}}, nil
		}
		return &rest.GetRestApisOutput{Items: []resttypes.RestApi{{Id: aws.String("r2"), Name: aws.String("bank")}}}, nil
	case *rest.GetStagesInput:
		if *in.RestApiId == "r2" {
			return &rest.GetStagesOutput{Item: []resttypes.Stage{{StageName: aws.String("gone"), AccessLogSettings: &resttypes.AccessLogSettings{DestinationArn: aws.String(group + "gone")}}}}, nil
		}
		return &rest.GetStagesOutput{Item: []resttypes.Stage{
			{StageName: aws.String("prod"), AccessLogSettings: &resttypes.AccessLogSettings{DestinationArn: aws.String(group + "edge")}},
			{StageName: aws.String("dev"), MethodSettings: map[string]resttypes.MethodSetting{"*/*": level("ERROR")}},
			{StageName: aws.String("trace"), MethodSettings: map[string]resttypes.MethodSetting{"*/*": level("INFO"), "health/GET": level("OFF")}},
			{StageName: aws.String("some"), MethodSettings: map[string]resttypes.MethodSetting{"pay/POST": level("INFO")}},
			{StageName: aws.String("stream"), AccessLogSettings: &resttypes.AccessLogSettings{DestinationArn: aws.String("arn:aws:firehose:eu-west-1:111122223333:deliverystream/amazon-apigateway-x")}},
		}}, nil
	case *apigatewayv2.GetApisInput:
		if in.NextToken == nil {
			return &apigatewayv2.GetApisOutput{NextToken: aws.String("n"), Items: []types.Api{{ApiId: aws.String("h1"), Name: aws.String("web"), ProtocolType: types.ProtocolTypeHttp}}}, nil
		}
		return &apigatewayv2.GetApisOutput{Items: []types.Api{{ApiId: aws.String("w1"), Name: aws.String("chat"), ProtocolType: types.ProtocolTypeWebsocket}}}, nil
	case *apigatewayv2.GetStagesInput:
		info := &types.RouteSettings{LoggingLevel: types.LoggingLevelInfo}
		if in.NextToken == nil {
			return &apigatewayv2.GetStagesOutput{NextToken: aws.String("n"), Items: []types.Stage{{StageName: aws.String("$default"), AccessLogSettings: &types.AccessLogSettings{DestinationArn: aws.String(group + "edge:*")}}}}, nil
		}
		return &apigatewayv2.GetStagesOutput{Items: []types.Stage{{StageName: aws.String("beta"), DefaultRouteSettings: info}}}, nil
	}
	return nil, nil
}

func TestTheAccessLogOfAStageDecides(t *testing.T) {
	set := awstest.Scan(t, estate, nil, Service(), sourcetest.Groups("edge"))
	const but = "; every-event some: how the API handled them, not always who asked"
	sourcetest.Want(t, "sources", sourcetest.Sources(set),
		"apigateway/h1/$default#edge: on (apigateway:GET eu-west-1/apis/h1/stages/$default) -> logs/edge",
		"apigateway/h1/beta#edge: off (apigateway:GET eu-west-1/apis/h1/stages/beta)",
		"apigateway/r1/dev#edge: off (apigateway:GET eu-west-1/restapis/r1/stages/dev)",
		"apigateway/r1/prod#edge: on (apigateway:GET eu-west-1/restapis/r1/stages/prod) -> logs/edge",
		"apigateway/r1/some#edge: off (apigateway:GET eu-west-1/restapis/r1/stages/some)",
		"apigateway/r1/some/execution#edge: on (apigateway:GET eu-west-1/restapis/r1/stages/some) -> logs/API-Gateway-Execution-Logs_r1/some"+but+"; only pay/POST",
		"apigateway/r1/stream#edge: on (apigateway:GET eu-west-1/restapis/r1/stages/stream) -> firehose/amazon-apigateway-x",
		"apigateway/r1/trace#edge: off (apigateway:GET eu-west-1/restapis/r1/stages/trace)",
		"apigateway/r1/trace/execution#edge: on (apigateway:GET eu-west-1/restapis/r1/stages/trace) -> logs/API-Gateway-Execution-Logs_r1/trace"+but+"; not health/GET",
		"apigateway/r2/gone#edge: on (apigateway:GET eu-west-1/restapis/r2/stages/gone) -> logs/gone (the log group does not exist)",
		"apigateway/w1/$default#edge: on (apigateway:GET eu-west-1/apis/w1/stages/$default) -> logs/edge",
		"apigateway/w1/beta#edge: off (apigateway:GET eu-west-1/apis/w1/stages/beta)",
		"apigateway/w1/beta/execution#edge: on (apigateway:GET eu-west-1/apis/w1/stages/beta) -> logs//aws/apigateway/w1/beta"+but,
	)
	for _, want := range []string{
		`pass apigateway/r1/prod: access log "shop/prod" records what comes through API stage "shop/prod"`,
		`fail apigateway/r1/trace: execution log "shop/trace" records only a part of what comes through API stage "shop/trace": how the API handled them, not always who asked; not health/GET`,
		`fail apigateway/r1/dev: API stage "shop/dev" does not record what comes through it`,
	} {
		if got := sourcetest.Edge(set); !slices.Contains(got, want) {
			t.Errorf("want %s in %q", want, got)
		}
	}
	prod := sourcetest.Record[*evidence.Asset](t, set, "apigateway/r1/prod")
	if prod.Kind != "API stage" || prod.Name != "shop/prod" || !prod.Lasting {
		t.Errorf("the asset is %+v", prod)
	}
}

func TestStagesThatCannotBeListedAreNamed(t *testing.T) {
	set := awstest.Scan(t, func(region string, input any) (any, error) {
		if _, ok := input.(*rest.GetStagesInput); ok {
			return nil, awstest.Denied()
		}
		if in, ok := input.(*apigatewayv2.GetApisInput); ok && in.NextToken != nil {
			return nil, awstest.Error("TooManyRequestsException")
		}
		return estate(region, input)
	}, nil, Service())
	sourcetest.Want(t, "gaps", sourcetest.Gaps(set),
		"aws:111122223333/eu-west-1//region: HTTP and WebSocket APIs: failed",
		"aws:111122223333/eu-west-1//region: stages of API bank (r2): denied",
		"aws:111122223333/eu-west-1//region: stages of API shop (r1): denied",
	)
	const elsewhere = "; perhaps elsewhere: "
	sourcetest.Want(t, "sources", sourcetest.Sources(set), // the HTTP API is on the first page
		"apigateway/h1/$default#edge: on (apigateway:GET eu-west-1/apis/h1/stages/$default) -> logs/edge",
		"apigateway/h1/beta#edge: off (apigateway:GET eu-west-1/apis/h1/stages/beta)",
		"unseen/HTTP-and-WebSocket-APIs#edge: failed (apigateway:GET eu-west-1/apis, TooManyRequestsException) -> unseen/HTTP-and-WebSocket-APIs/records"+elsewhere+"failed",
		"unseen/stages-of-API-bank-(r2)#edge: denied (apigateway:GET eu-west-1/restapis/r2/stages) -> unseen/stages-of-API-bank-(r2)/records"+elsewhere+"denied",
		"unseen/stages-of-API-shop-(r1)#edge: denied (apigateway:GET eu-west-1/restapis/r1/stages) -> unseen/stages-of-API-shop-(r1)/records"+elsewhere+"denied",
	)
}

func TestAnAPIThatIsGoneMeanwhileIsNotThere(t *testing.T) {
	set := awstest.Scan(t, func(region string, input any) (any, error) {
		switch input.(type) {
		case *rest.GetStagesInput, *apigatewayv2.GetStagesInput:
			return nil, awstest.Error("NotFoundException")
		}
		return estate(region, input)
	}, nil, Service())
	if len(set.Records) != 2 || len(set.Gaps) != 0 {
		t.Errorf("it wrote %v, %v", set.Records, set.Gaps)
	}
}

func TestARefusedCallPassesNothing(t *testing.T) {
	sourcetest.DenyEach(t, estate, Service())
}

func TestAnEmptyAccountHasNoAPIs(t *testing.T) {
	set := awstest.Scan(t, func(string, any) (any, error) { return nil, nil }, nil, Service())
	if len(set.Records) != 2 || len(set.Gaps) != 0 {
		t.Errorf("it wrote %v, %v", set.Records, set.Gaps)
	}
}
