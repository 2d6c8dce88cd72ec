//go:build unix

package root

import (
	"io/fs"
	"syscall"
)

// Owner returns the number of the user that a file of a Linux system belongs to.
func Owner(info fs.FileInfo) (uid int, known bool) {
	switch sys := info.Sys().(type) {
	case *syscall.Stat_t:
		return int(sys.Uid), true
	case owner:
		return int(sys), true
	}
	return 0, false
}
