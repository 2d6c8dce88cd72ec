package vpn

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"lookback/evidence"
	"lookback/scanners/aws/awstest"
	"lookback/scanners/aws/scope"
)

func endpointOf(l *types.ConnectionLogResponseOptions) types.ClientVpnEndpoint {
	return types.ClientVpnEndpoint{
		ClientVpnEndpointId: aws.String("cvpn-1"), Tags: []types.Tag{{Key: aws.String("Name"), Value: aws.String("staff")}},
		Status: &types.ClientVpnEndpointStatus{Code: types.ClientVpnEndpointStatusCodeAvailable}, ConnectionLogOptions: l,
	}
}

func tunnel(address, group string) types.TunnelOption {
	o := types.TunnelOption{OutsideIpAddress: aws.String(address), PreSharedKey: aws.String("hunter2")}
	if group != "" {
		o.LogOptions = &types.VpnTunnelLogOptions{CloudWatchLogOptions: &types.CloudWatchLogOptions{LogEnabled: aws.Bool(true), LogGroupArn: aws.String(group)}}
	}
	return o
}

func connectionOf(tunnels ...types.TunnelOption) types.VpnConnection {
	return types.VpnConnection{
		VpnConnectionId: aws.String("vpn-1"), State: types.VpnStateAvailable, CustomerGatewayConfiguration: aws.String("<psk>hunter2</psk>"),
		Options: &types.VpnConnectionOptions{TunnelOptions: tunnels},
	}
}

func region(endpoints []types.ClientVpnEndpoint, connections ...types.VpnConnection) awstest.Answer {
	return func(_ string, input any) (any, error) {
		switch input.(type) {
		case *ec2.DescribeClientVpnEndpointsInput:
			return &ec2.DescribeClientVpnEndpointsOutput{ClientVpnEndpoints: endpoints}, nil
		case *ec2.DescribeVpnConnectionsInput:
			return &ec2.DescribeVpnConnectionsOutput{VpnConnections: connections}, nil
		}
		return nil, nil
	}
}

// groups stands for the reader of CloudWatch Logs.
func groups(names ...string) scope.Service {
	return scope.Service{Name: "groups", Region: func(_ context.Context, s *scope.Scope) {
		all := map[string]scope.Group{}
		for _, n := range names {
			all[n] = scope.Group{}
		}
		s.SetGroups(all, nil)
	}}
}

func verdicts(set *evidence.Set, check string) []string {
	var out []string
	for _, line := range awstest.Judge(set) {
		if strings.Contains(line, " "+check+" ") {
			out = append(out, line)
		}
	}
	return out
}

func wants(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i, w := range want {
		outcome, text, _ := strings.Cut(w, " ")
		if !strings.HasPrefix(got[i], outcome+" ") || !strings.Contains(got[i], text) {
			t.Errorf("got  %s\nwant %s", got[i], w)
		}
	}
}

func sourceOf(t *testing.T, set *evidence.Set, thing string) *evidence.LogSource {
	t.Helper()
	for _, r := range set.Records {
		if s, ok := r.(*evidence.LogSource); ok && s.ID == evidence.ID("aws:111122223333/eu-west-1//"+thing+"#edge") {
			return s
		}
	}
	t.Fatalf("%s is not recorded", thing)
	return nil
}

func TestAClientVPNEndpointThatLogs(t *testing.T) {
	on := &types.ConnectionLogResponseOptions{Enabled: aws.Bool(true), CloudwatchLogGroup: aws.String("staff")}
	set := awstest.Scan(t, region([]types.ClientVpnEndpoint{endpointOf(on)}), nil, Service(), groups("staff"))
	wants(t, verdicts(set, "recorded-edge"), `pass Client VPN endpoint "staff"`)
	s := sourceOf(t, set, "client-vpn/cvpn-1")
	if len(s.To) != 1 || s.To[0].To != "aws:111122223333/eu-west-1//logs/staff" || !s.To[0].Error.IsZero() {
		t.Errorf("to %v", s.To)
	}
	set = awstest.Scan(t, region([]types.ClientVpnEndpoint{endpointOf(on)}), nil, Service(), groups())
	wants(t, verdicts(set, "arriving-recently"), "fail its log group does not exist")
}

func TestLogGroupsThatCouldNotBeListedLeaveTheDeliveryOpen(t *testing.T) {
	on := &types.ConnectionLogResponseOptions{Enabled: aws.Bool(true), CloudwatchLogGroup: aws.String("staff")}
	refused := scope.Service{Name: "groups", Region: func(_ context.Context, s *scope.Scope) { s.SetGroups(nil, awstest.Denied()) }}
	set := awstest.Scan(t, region([]types.ClientVpnEndpoint{endpointOf(on)}), nil, Service(), refused)
	wants(t, verdicts(set, "arriving-recently"), "not-assessed we may not call logs:DescribeLogGroups")
}

func TestAClientVPNEndpointThatDoesNotLog(t *testing.T) {
	for _, off := range []*types.ConnectionLogResponseOptions{nil, {Enabled: aws.Bool(false)}} {
		set := awstest.Scan(t, region([]types.ClientVpnEndpoint{endpointOf(off)}), nil, Service())
		wants(t, verdicts(set, "recorded-edge"), "fail does not record")
		if at := sourceOf(t, set, "client-vpn/cvpn-1").Enabled.At(); at.Call != "ec2:DescribeClientVpnEndpoints" || at.Of != "eu-west-1/cvpn-1" {
			t.Errorf("seen at %v", at)
		}
	}
}

func TestAConnectionLogsForEachTunnel(t *testing.T) {
	const group = "arn:aws:logs:eu-west-1:111122223333:log-group:tunnels"
	for name, test := range map[string]struct {
		tunnels []types.TunnelOption
		want    string
		every   evidence.Extent
	}{
		"both": {[]types.TunnelOption{tunnel("192.0.2.1", group), tunnel("192.0.2.2", group)}, "pass vpn-1", evidence.Extent{Grade: evidence.All}},
		"one":  {[]types.TunnelOption{tunnel("192.0.2.1", group), tunnel("192.0.2.2", "")}, "fail vpn-1", evidence.Extent{Grade: evidence.Some, But: "only tunnel 192.0.2.1 of 2 tunnels"}},
		"none": {[]types.TunnelOption{tunnel("192.0.2.1", ""), tunnel("192.0.2.2", "")}, "fail vpn-1", evidence.Extent{}},
	} {
		t.Run(name, func(t *testing.T) {
			set := awstest.Scan(t, region(nil, connectionOf(test.tunnels...)), nil, Service(), groups("tunnels"))
			wants(t, verdicts(set, "recorded-edge"), test.want)
			s := sourceOf(t, set, "vpn/vpn-1")
			if every, _ := s.Parts[evidence.PartEveryEvent].Get(); every != test.every {
				t.Errorf("it records %v", every)
			}
			if len(s.To) > 1 {
				t.Errorf("one log group is %v", s.To)
			}
		})
	}
}

func TestAConnectionWhoseTunnelsAreNotNamed(t *testing.T) {
	c := connectionOf()
	c.Options = nil
	wants(t, verdicts(awstest.Scan(t, region(nil, c), nil, Service()), "recorded-edge"), "not-assessed vpn-1")
}

func TestALogGroupThatIsNotNamed(t *testing.T) {
	on := &types.ConnectionLogResponseOptions{Enabled: aws.Bool(true)}
	s := sourceOf(t, awstest.Scan(t, region([]types.ClientVpnEndpoint{endpointOf(on)}), nil, Service()), "client-vpn/cvpn-1")
	if len(s.To) != 0 || !s.Complete.IsUnknown() {
		t.Errorf("to %v, complete %v", s.To, s.Complete)
	}
}

func TestWhatIsDeletedIsNotThere(t *testing.T) {
	gone, closed := connectionOf(), endpointOf(nil)
	gone.State, closed.Status.Code = types.VpnStateDeleted, types.ClientVpnEndpointStatusCodeDeleting
	if set := awstest.Scan(t, region([]types.ClientVpnEndpoint{closed}, gone), nil, Service()); len(set.Records) != 2 {
		t.Errorf("%v", set.Records)
	}
}

func TestKeysOfTunnelsAreNotKept(t *testing.T) {
	set := awstest.Scan(t, region(nil, connectionOf(tunnel("192.0.2.1", ""))), nil, Service())
	data, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "hunter2") {
		t.Error("a key is in the evidence")
	}
}

func TestWhatIsDeniedIsAGap(t *testing.T) {
	set := awstest.Scan(t, func(string, any) (any, error) { return nil, awstest.Denied() }, nil, Service())
	var calls []string
	for _, g := range set.Gaps {
		if g.Why == evidence.Denied {
			calls = append(calls, g.At.Call)
		}
	}
	if strings.Join(calls, " ") != "ec2:DescribeClientVpnEndpoints ec2:DescribeVpnConnections" {
		t.Errorf("gaps: %v", set.Gaps)
	}
}

func TestSeveralPagesAreRead(t *testing.T) {
	set := awstest.Scan(t, func(_ string, input any) (any, error) {
		in, is := input.(*ec2.DescribeClientVpnEndpointsInput)
		switch {
		case !is:
			return nil, nil
		case in.NextToken == nil:
			return &ec2.DescribeClientVpnEndpointsOutput{ClientVpnEndpoints: []types.ClientVpnEndpoint{endpointOf(nil)}, NextToken: aws.String("2")}, nil
		}
		second := endpointOf(nil)
		second.ClientVpnEndpointId = aws.String("cvpn-2")
		return &ec2.DescribeClientVpnEndpointsOutput{ClientVpnEndpoints: []types.ClientVpnEndpoint{second}}, nil
	}, nil, Service())
	wants(t, verdicts(set, "recorded-edge"), "fail cvpn-1", "fail cvpn-2")
}
