package root

import "io/fs"

// Owner returns the number of the user that a file of a Linux system belongs to.
func Owner(info fs.FileInfo) (uid int, known bool) {
	o, known := info.Sys().(owner)
	return int(o), known
}
