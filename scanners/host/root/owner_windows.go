package root

import (
	"archive/tar"
	"io/fs"
)

// Owner returns the number of the user that a file of a Linux system belongs to.
func Owner(info fs.FileInfo) (uid int, known bool) {
	if h, ok := info.Sys().(*tar.Header); ok {
		return h.Uid, true
	}
	return 0, false
}
