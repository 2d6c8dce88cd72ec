package windows

import (
	"slices"
	"strings"
	"testing"
)

// counts are how many settings each category of the audit policy has: of Windows 7, 8.1 (Server 2012 R2), 10 at first, and
// 10 from 1607 on with all that came after.
var counts = map[string][]int{
	"Windows 7":    {5, 9, 12, 3, 4, 6, 6, 4, 4},
	"Windows 8.1":  {5, 10, 14, 3, 5, 6, 6, 4, 4},
	"Windows 1507": {5, 11, 14, 3, 5, 6, 6, 4, 4},
	"Windows 1607": {5, 11, 14, 3, 6, 6, 6, 4, 4},
}

// auditData writes an audit policy.
func auditData(counts []int, set map[auditSetting]uint16) []byte {
	var settings, end []byte
	for c, n := range counts {
		for i := range n {
			is := uint16(0)
			for s, value := range set {
				if s.category == c && s.place == i {
					is = value
				}
			}
			settings = append(settings, u16(is)...)
		}
		end = append(end, u16(uint16(n))...)
	}
	settings = append(settings, 0, 0)
	return slices.Concat([]byte("\x00\x01\x00\x00\x09\x00\x00\x00"), u32(uint32(12+len(settings))), settings, end)
}

// The lengths, and the places of settings, that RegRipper's auditpol.pl has for each version.
func TestTheAuditPolicyOfEachVersion(t *testing.T) {
	for name, c := range map[string]struct{ length, end, logon, process, policy, users int }{
		"Windows 7":    {138, 0x78, 0x16, 0x46, 0x4e, 0x5a},
		"Windows 8.1":  {0x92, 0x80, 0x16, 0x4c, 0x56, 0x62},
		"Windows 1507": {148, 0x82, 0x16, 0x4e, 0x58, 0x64},
		"Windows 1607": {0x96, 0x84, 0x16, 0x4e, 0x5a, 0x66},
	} {
		data := auditData(counts[name], nil)
		if len(data) != c.length || int(data[8]) != c.end {
			t.Errorf("%s: %d bytes, the end at %#x", name, len(data), data[8])
			continue
		}
		data[c.logon], data[c.process], data[c.policy], data[c.users] = 3, 1, 2, 3
		p, err := readAuditPolicy(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for s, want := range map[auditSetting]uint16{logon: 3, processCreation: 1, policyChange: 2, userAccounts: 3, groups: 0, securityStateChange: 0} {
			if got, err := p.get(s); got != want || err != nil {
				t.Errorf("%s: %s is %d, %v", name, s.name, got, err)
			}
		}
	}
}

func TestAnAuditPolicyOfAnotherLayoutIsNotRead(t *testing.T) {
	good := auditData(counts["Windows 1607"], nil)
	changed := func(at int, to byte) []byte {
		data := slices.Clone(good)
		data[at] = to
		return data
	}
	for name, data := range map[string][]byte{
		"empty":               nil,
		"short":               good[:40],
		"seven categories":    changed(4, 7),
		"another end":         changed(8, 0x80),
		"too many settings":   changed(len(good)-2, 200),
		"too few settings":    changed(len(good)-2, 1),
		"of the time of XP":   []byte(strings.Repeat("\x01\x00\x00\x00", 11)),
		"the end at the head": changed(8, 0),
	} {
		if p, err := readAuditPolicy(data); err == nil {
			t.Errorf("%s: %v", name, p)
		}
	}
	p, _ := readAuditPolicy(changed(0x16, 9))
	if _, err := p.get(logon); err == nil {
		t.Error("a setting of 9 is read")
	}
}

func FuzzAuditPolicy(f *testing.F) {
	f.Add(auditData(counts["Windows 7"], nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := readAuditPolicy(data)
		if is, _ := p.get(connections); err != nil && is != 0 {
			t.Errorf("%d of what is not read", is)
		}
	})
}
