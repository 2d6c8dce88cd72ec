//go:build !unix

package tree

// nonblock is nothing where named pipes are not in the file system.
const nonblock = 0
