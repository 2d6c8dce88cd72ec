// Package windows reads the disk of a Windows machine: what its registry says of its event logs, sensors, clock and dumps,
// and how far back its event logs reach.
package windows

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/root"
	"lookback/scanners/host/scope"
)

const config = "Windows/System32/config/"

// Name is what a machine calls itself; "" where its registry does not tell.
func Name(r *root.Root) string {
	h, f := openHive(r.Fold(), config+"SYSTEM")
	defer f()
	name, _ := controls(h).key("Control", "ComputerName", "ComputerName").text("ComputerName").Get()
	return name
}

// A registry is the hives that are read, and where the questions to them begin.
type registry struct {
	controls key // SYSTEM: the control set that is in use
	software key
	security key
	services map[string]service
	failed   error // why the services cannot be told
}

// Read records what the registry and the event logs of a machine say.
func Read(ctx context.Context, s *scope.Scope) {
	system, f := openHive(s.Root, config+"SYSTEM")
	defer f()
	software, g := openHive(s.Root, config+"SOFTWARE")
	defer g()
	security, k := openHive(s.Root, config+"SECURITY")
	defer k()
	r := &registry{controls: controls(system), software: software.key(), security: security.key()}
	r.services, r.failed = services(r.controls)

	// Without the first two, a sensor may have been missed. Of the third, only the audit policy is asked.
	for _, a := range watched() {
		s.Look(a, evidence.Known(true, system.at("")))
	}
	missed(s, "SYSTEM", cmp.Or(r.controls.err, r.failed), system, watched()...)
	missed(s, "SOFTWARE", r.software.err, software, watched()...)
	missed(s, "SECURITY", r.security.err, security)

	policy := as(r.security.key("Policy", "PolAdtEv").bytes(""), readAuditPolicy)
	if policy.IsMoot() {
		policy = evidence.Unknown[auditPolicy](evidence.Unfamiliar, note(policy.At(), "no audit policy stands there"))
	}
	logs := readLogs(ctx, s, r)
	for _, l := range logs.list {
		s.Record(l.store(s))
	}
	recordLogs(s, r, logs, policy)
	recordSysmon(s, r, logs)
	recordProducts(s, r)
	complete(s)
	s.Record(r.clock(s, policy))
	s.Record(r.memory(s))
}

func watched() []evidence.Activity {
	return []evidence.Activity{evidence.Process, evidence.Login, evidence.System}
}

func missed(s *scope.Scope, name string, err error, h *hive, of ...evidence.Activity) {
	if err != nil {
		s.Missed("the registry hive "+name, err, h.at(""), of...)
	}
}

// controls is the set of SYSTEM that was in use: CurrentControlSet of a machine that runs.
func controls(h *hive) key {
	n := h.key("Select").number("Current")
	current, known := n.Get()
	if !known {
		err := h.err
		if err == nil {
			err = errors.New("it does not say which control set is in use")
		}
		return key{h: h, err: err, path: "Select"}
	}
	k := h.key(fmt.Sprintf("ControlSet%03d", current))
	if k.err == nil && k.node == nil {
		k.err = fmt.Errorf("it has no %s, which is in use", k.path)
	}
	return k
}

// A service is a program or a driver that Windows starts.
type service struct {
	key
	start evidence.Value[int64] // 0 to 2, by itself; 3, when asked; 4, never
}

// off reports whether a service is disabled.
func (v service) off() bool {
	start, known := v.start.Get()
	return known && start == 4
}

func services(controls key) (map[string]service, error) {
	list := controls.key("Services")
	var err error
	out := map[string]service{}
	for _, k := range list.keys(&err) {
		out[strings.ToLower(k.name())] = service{key: k}
	}
	return out, err
}

// service returns a service by its name; not there where nobody could look.
func (r *registry) service(name string) (service, bool) {
	v, ok := r.services[strings.ToLower(name)]
	if ok {
		v.start = v.number("Start")
	}
	return v, ok
}

// exists reports whether something lies under a name. What cannot be told is a gap.
func exists(s *scope.Scope, name string) bool {
	_, err := s.Root.Lstat(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.Missed("whether there is "+name, err, scope.At(name, 0))
	}
	return err == nil
}
