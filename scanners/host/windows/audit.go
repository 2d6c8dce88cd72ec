package windows

import (
	"encoding/binary"
	"errors"
	"fmt"

	"lookback/evidence"
)

// The audit policy that is in force stands in SECURITY\Policy\PolAdtEv, whose layout Microsoft does not publish. Two
// readers of it were compared: RegRipper's auditpol.pl, which has a table of places for each version from Windows 7 to 11,
// and dissect.target's auditpol.py, which takes the number of settings of each category from the end. Where both agree for
// each version, and with the order of https://learn.microsoft.com/windows/win32/secauthz/auditing-constants, it is used:
//
//	offset 4   the number of categories, 9
//	offset 8   where the end begins
//	offset 12  16 bits for each setting: 1 success, 2 failure
//	the end    16 bits for each category: how many settings it has
type auditPolicy [][]uint16

// Categories, in the order in which they stand.
const (
	auditSystem = iota
	auditLogon
	auditObject
	_ // privilege use
	auditTracking
	auditPolicyChange
	auditAccounts
	_ // directory service access
	_ // account logon
	auditCategories
)

// Settings whose place is the same in each version.
var (
	securityStateChange = auditSetting{auditSystem, 0, "Security State Change"}          // 4616, the time was changed
	logon               = auditSetting{auditLogon, 0, "Logon"}                           // 4624 and 4625
	fileSystem          = auditSetting{auditObject, 0, "File System"}                    // 4663
	processCreation     = auditSetting{auditTracking, 0, "Process Creation"}             // 4688
	processTermination  = auditSetting{auditTracking, 1, "Process Termination"}          // 4689
	policyChange        = auditSetting{auditPolicyChange, 0, "Audit Policy Change"}      // 4719
	userAccounts        = auditSetting{auditAccounts, 0, "User Account Management"}      // 4720 and on
	groups              = auditSetting{auditAccounts, 2, "Security Group Management"}    // 4728 and on
	connections         = auditSetting{auditObject, 10, "Filtering Platform Connection"} // 5156: see connectionsToo
	connectionsToo      = auditSetting{auditObject, 9, "Filtering Platform Connection"}  // where RegRipper has it on the first Windows 10
)

type auditSetting struct {
	category, place int
	name            string
}

func readAuditPolicy(data []byte) (auditPolicy, error) {
	u16 := func(at int) int { return int(binary.LittleEndian.Uint16(data[at:])) }
	if len(data) < 12 || u16(4) != auditCategories {
		return nil, fmt.Errorf("an audit policy of %d bytes is not of a layout that is known", len(data))
	}
	end := u16(8)
	if end+2*auditCategories != len(data) || end < 12 {
		return nil, fmt.Errorf("an audit policy of %d bytes, whose end is at %d, is not of a layout that is known", len(data), end)
	}
	var p auditPolicy
	at := 12
	for c := range auditCategories {
		n := u16(end + 2*c)
		if at+2*n > end {
			return nil, errors.New("the categories of the audit policy have more settings than there are")
		}
		settings := make([]uint16, n)
		for i := range settings {
			settings[i] = uint16(u16(at + 2*i))
		}
		p, at = append(p, settings), at+2*n
	}
	if end-at > 2 {
		return nil, errors.New("the categories of the audit policy have fewer settings than there are")
	}
	return p, nil
}

// Whether success or failure is audited.
const (
	auditSuccess = 1
	auditFailure = 2
)

func (p auditPolicy) get(s auditSetting) (uint16, error) {
	if s.category >= len(p) || s.place >= len(p[s.category]) || p[s.category][s.place] > auditSuccess|auditFailure {
		return 0, fmt.Errorf("the audit policy has no setting %q that can be read", s.name)
	}
	return p[s.category][s.place], nil
}

// audited says whether success and failure of something are written to the Security log.
func audited(policy evidence.Value[auditPolicy], s auditSetting) evidence.Value[uint16] {
	v := as(policy, func(p auditPolicy) (uint16, error) { return p.get(s) })
	if is, known := v.Get(); known {
		say := [...]string{"nothing", "success", "failure", "success and failure"}[is]
		return evidence.Known(is, note(v.At(), fmt.Sprintf("the audit policy %q: %s", s.name, say)))
	}
	return v
}
