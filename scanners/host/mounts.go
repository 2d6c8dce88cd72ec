package host

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/root"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/unit"
)

// maxMounts is the most lines of fstab that are read.
const maxMounts = 1024

// kernels are mounts that every system has and in which no log lies, by the names that systemd.mount(5) asks for. Not
// to look at them saves a stock system from being searched for links twice.
var kernels = regexp.MustCompile(`^(dev|proc|sys)[-.]`)

// mounts lists where a machine mounts file systems: fstab(5), and mount units, which mean the same: systemd.mount(5). Those that
// are mounted by hand are left out; those in memory are told apart.
func mounts(r *root.Root) (disks []string, memory map[string]evidence.Value[bool]) {
	memory = map[string]evidence.Value[bool]{}
	add := func(where, kind string, at evidence.Origin, mounted evidence.Value[bool]) {
		where = path.Clean(where)
		switch at = at.WithNote(where + " lies in memory"); {
		case slices.Contains([]string{"proc", "sysfs", "devpts", "cgroup2", "none"}, kind):
		case kind != "tmpfs" && kind != "ramfs":
			disks = append(disks, where)
		case mounted.IsUnknown():
			memory[strings.Trim(where, "/")] = evidence.Unknown[bool](mounted.Why(), mounted.At())
		default:
			memory[strings.Trim(where, "/")] = evidence.Known(true, at)
		}
	}
	// The gaps of this look are those of the readers that come after it.
	s := scope.New(r, "", &evidence.Set{})
	for _, name := range unit.Names(s, ".mount") {
		if kernels.MatchString(name) {
			continue
		}
		u := unit.Find(s, name)
		masked, known := u.Masked.Get()
		if known && masked || !strings.HasPrefix(u.Where, "/") {
			continue
		}
		mounted := u.Enabled
		if on, _ := mounted.Get(); !on { // RequiresMountsFor= needs no link: systemd-journal-flush asks for /var/log/journal
			mounted = evidence.Unknown[bool](evidence.Elsewhere, u.At.WithNote("no link mounts "+u.Where+" in memory; a unit that needs the folder does"))
		}
		add(u.Where, u.Type, u.At, mounted)
	}
	data, _ := r.ReadFile("etc/fstab")
	no := 0
	for line := range strings.Lines(string(data)) {
		no++
		f := strings.Fields(line)
		if len(f) < 4 || f[0][0] == '#' || !strings.HasPrefix(f[1], "/") || no > maxMounts || slices.Contains(strings.Split(f[3], ","), "noauto") {
			continue
		}
		at := scope.At("etc/fstab", no)
		add(f[1], f[2], at, evidence.Known(true, at))
	}
	return disks, memory
}
