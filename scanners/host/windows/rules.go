package windows

import (
	"encoding/binary"
	"errors"
	"fmt"

	"lookback/scanners/host/sysmon"
)

// classes are the elements of a configuration by the number of their event:
// https://learn.microsoft.com/sysinternals/downloads/sysmon, "Events". Others are not asked for.
var classes = map[uint32]sysmon.Class{
	1:  sysmon.ProcessCreate,
	2:  sysmon.FileCreateTime,
	3:  sysmon.NetworkConnect,
	5:  sysmon.ProcessTerminate,
	6:  sysmon.DriverLoad,
	9:  sysmon.RawAccessRead,
	10: sysmon.ProcessAccess,
	11: sysmon.FileCreate,
	23: sysmon.FileDelete,
	26: sysmon.FileDeleteDetected,
}

// readRules reads the groups of the value Rules of Sysmon's driver: elements such as <ProcessCreate onmatch="exclude">. Its structures are those of
// https://github.com/Sysinternals/SysmonCommon (MIT), manifest.tt, "Rules structures", as rules.c walks over them; xml.cpp
// writes them. A header of 24 bytes is followed by chained groups; the rules of a group are not looked into. Rules of before
// Sysmon 11 have other structures, and are not read.
func readRules(data []byte) ([]sysmon.Filter, error) {
	const header, group = 24, 24
	u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(data[at:]) }
	if len(data) < header || u32(8) != header {
		return nil, fmt.Errorf("rules of %d bytes, of a layout that is not known", len(data))
	}
	var filters []sysmon.Filter
	count, seen := u32(4), uint32(0)
	if uint64(count) > uint64(len(data)/group) {
		return nil, fmt.Errorf("%d groups of rules in %d bytes", count, len(data))
	}
	for at := u32(16); at != 0; at = u32(int(at) + 12) {
		if uint64(at)+group > uint64(len(data)) || at < header {
			return nil, errors.New("a group of rules lies outside of them")
		}
		if seen++; seen > count {
			return nil, fmt.Errorf("more groups of rules than the %d that there are", count)
		}
		event, byDefault, combine, n, first := u32(int(at)), u32(int(at)+4), u32(int(at)+8), u32(int(at)+16), u32(int(at)+20)
		// What is done with an event that no rule matches: 0, log it (onmatch="exclude"), 1, leave it out.
		if event > 255 || byDefault > 1 || combine > 1 || (n == 0) != (first == 0) || uint64(n) > uint64(len(data)) {
			return nil, errors.New("a group of rules is of a layout that is not known")
		}
		if class, asked := classes[event]; asked {
			filters = append(filters, sysmon.Filter{Class: class, Exclude: byDefault == 0, Rules: int(n)})
		}
	}
	if seen != count {
		return nil, fmt.Errorf("%d groups of rules, of %d", seen, count)
	}
	return filters, nil
}
