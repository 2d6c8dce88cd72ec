package aws
import ("testing";"fmt";"errors";"github.com/aws/smithy-go";"github.com/aws/aws-sdk-go-v2/service/ec2";"github.com/aws/aws-sdk-go-v2/service/cloudwatch";"github.com/aws/aws-sdk-go-v2/service/securitylake";"github.com/aws/aws-sdk-go-v2/service/cloudtrail"; "github.com/aws/aws-sdk-go-v2/service/ssm";cwt "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types";"lookback/scanners/aws/scope"; smithyhttp "github.com/aws/smithy-go/transport/http")
func TestZZ(t *testing.T){
 t.Setenv("AWS_ENDPOINT_URL","http://127.0.0.1:5599"); t.Setenv("AWS_ACCESS_KEY_ID","a"); t.Setenv("AWS_SECRET_ACCESS_KEY","b")
 s,err:=Open(t.Context(), Options{Attempts: 2}); if err!=nil {t.Fatal(err)}
 p:=func(n string, err error){ var d *smithy.DeserializationError; var r *smithyhttp.ResponseError; st:=0; if errors.As(err,&r){st=r.HTTPStatusCode()}; fmt.Printf("%s: deser=%v status=%d code=%q brief=%q\n   %v\n", n, errors.As(err,&d), st, scope.Code(err), scope.Brief(err), err) }
 _,err=ec2.NewFromConfig(s.base).DescribeClientVpnEndpoints(t.Context(), nil); p("vpn",err)
 _,err=cloudwatch.NewFromConfig(s.base).DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmTypes: []cwt.AlarmType{cwt.AlarmTypeLogAlarm}}); p("alarms",err)
 _,err=cloudwatch.NewFromConfig(s.base).DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{}); p("alarms",err)
 _,err=securitylake.NewFromConfig(s.base).ListDataLakes(t.Context(), nil); p("lake",err)
 _,err=cloudtrail.NewFromConfig(s.base).ListEventDataStores(t.Context(), nil); p("eds",err)
 _,err=ssm.NewFromConfig(s.base).DescribeInstanceInformation(t.Context(), nil); p("ssm",err)
}
