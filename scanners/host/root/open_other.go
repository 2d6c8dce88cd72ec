//go:build !linux && unix

package root

import "syscall"

const (
	nonblock = syscall.O_NONBLOCK
	noatime  = 0
)
