package root

import "syscall"

const (
	nonblock = syscall.O_NONBLOCK
	noatime  = syscall.O_NOATIME
)
