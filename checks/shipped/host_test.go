package shipped

import (
	"testing"

	"lookback/checks"
	"lookback/checks/checktest"
)

// TestALogOfAMachineIsAskedOnce holds that what a machine writes for itself, and keeps, fails once: it stays on the machine.
// It cannot outlive what it covers in any other way, and nobody deletes it with a container.
func TestALogOfAMachineIsAskedOnce(t *testing.T) {
	set, err := checktest.Load("host.yaml", []byte(`
- asset: {id: "host:db//", kind: host, name: db, host: true, in: {moot: true}, looked: {system: true}}
- log-store: {id: host:db//journal, kind: journal, name: the journal, on: ["host:db//"], memory: false, kept: 0, bytes: 1000, complete: true}
- log-source: {id: host:db//journald#system, kind: service, name: journald, activity: system, covers: ["host:db//"], enabled: true, hidden: {moot: true}, complete: true, to: [{to: host:db//journal, extent: {grade: all}}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	results := checks.Run(set, []*checks.Check{OffAsset, OffHost, AfterExit}, checks.DefaultPolicy(), nil)
	if len(results.All) != 1 || results.All[0].Check != OffHost || results.All[0].Outcome != checks.Fail || results.All[0].Follows != "" {
		t.Errorf("got %+v", results.All)
	}
}
