//go:build !unix

package root

// nonblock is for systems whose named pipes do not lie in folders.
const nonblock = 0
