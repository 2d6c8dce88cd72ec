package host

import (
	"path"
	"slices"
	"strings"

	"lookback/scanners/host/root"
)

// maxMounts is the most lines of fstab that are read.
const maxMounts = 1024

// mounts lists where a machine mounts file systems: fstab(5). Those that are mounted by hand are left out; those in memory are
// told apart, with their lines.
func mounts(r *root.Root) (disks []string, memory map[string]int) {
	memory = map[string]int{}
	data, err := r.ReadFile("etc/fstab")
	if err != nil {
		return nil, memory
	}
	no := 0
	for line := range strings.Lines(string(data)) {
		no++
		f := strings.Fields(line)
		if len(f) < 4 || f[0][0] == '#' || !strings.HasPrefix(f[1], "/") || no > maxMounts || slices.Contains(strings.Split(f[3], ","), "noauto") {
			continue
		}
		switch f[2] {
		case "tmpfs", "ramfs":
			memory[strings.Trim(path.Clean(f[1]), "/")] = no
		case "proc", "sysfs", "devpts", "cgroup2", "none":
		default:
			disks = append(disks, f[1])
		}
	}
	return disks, memory
}
