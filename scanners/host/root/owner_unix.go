//go:build unix

package root

import (
	"archive/tar"
	"io/fs"
	"syscall"
)

// Owner returns the number of the user that a file of a Linux system belongs to.
func Owner(info fs.FileInfo) (uid int, known bool) {
	switch sys := info.Sys().(type) {
	case *syscall.Stat_t:
		return int(sys.Uid), true
	case *tar.Header:
		return sys.Uid, true
	}
	return 0, false
}
