package windows

import (
	"slices"
	"testing"

	"lookback/scanners/host/sysmon"
)

// A testGroup is an element of a Sysmon configuration that a test writes.
type testGroup struct {
	event    uint32
	excludes bool
	rules    int
}

// rulesBlob writes rules as RuleBuilder of SysmonCommon's xml.cpp does: a header, each group before its rules, each aligned
// to eight bytes.
func rulesBlob(groups ...testGroup) []byte {
	blob := u32(16<<16, uint32(len(groups)), 24, 4<<16|81, 24, 0)
	before := 0
	for _, g := range groups {
		at := len(blob)
		if before > 0 {
			copy(blob[before+12:], u32(uint32(at)))
		}
		before = at
		byDefault, first := uint32(1), uint32(0)
		if g.excludes {
			byDefault = 0
		}
		if g.rules > 0 {
			first = uint32(at + 24)
		}
		blob = append(blob, u32(g.event, byDefault, 0, 0, uint32(g.rules), first)...)
		for i := range g.rules {
			filter := make([]byte, 544) // 4 + 512 + 5 * 4, and the text "x"
			if i < g.rules-1 {
				copy(filter[520:], u32(uint32(len(blob)+544)))
			}
			copy(filter[524:], u32(4))
			filter[536] = 'x'
			blob = append(blob, filter...)
		}
	}
	return blob
}

func TestTheGroupsOfTheRulesOfSysmon(t *testing.T) {
	got, err := readRules(rulesBlob(testGroup{1, true, 3}, testGroup{3, false, 2}, testGroup{12, true, 1}, testGroup{11, false, 0}, testGroup{26, true, 0}))
	want := []sysmon.Filter{
		{Class: sysmon.ProcessCreate, Exclude: true, Rules: 3},
		{Class: sysmon.NetworkConnect, Rules: 2},
		{Class: sysmon.FileCreate},
		{Class: sysmon.FileDeleteDetected, Exclude: true},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRulesOfAnotherLayoutAreNotRead(t *testing.T) {
	good := rulesBlob(testGroup{1, true, 2}, testGroup{3, false, 1})
	changed := func(at int, to uint32) []byte {
		data := append([]byte{}, good...)
		copy(data[at:], u32(to))
		return data
	}
	for name, data := range map[string][]byte{
		"empty":                      nil,
		"of version 1.1":             u32(1<<16|1, 1, 16, 3<<16|40, 1, 0, 0, 0),
		"a group outside":            changed(16, 1<<20),
		"a group in the header":      changed(16, 8),
		"a chain that bites itself":  changed(24+12, 24),
		"fewer groups":               changed(4, 3),
		"more groups":                changed(4, 1),
		"an event that is not there": changed(24, 4096),
		"a default that is not one":  changed(28, 2),
		"rules that are nowhere":     changed(44, 0),
		"cut":                        good[:30],
	} {
		if r, err := readRules(data); err == nil {
			t.Errorf("%s: %v", name, r)
		}
	}
}

func FuzzRules(f *testing.F) {
	f.Add(rulesBlob(testGroup{1, true, 1}, testGroup{3, false, 0}))
	f.Fuzz(func(_ *testing.T, data []byte) {
		filters, err := readRules(data)
		if err == nil {
			sysmon.Evaluate(filters, sysmon.Windows)
		}
	})
}
