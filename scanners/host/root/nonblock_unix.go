//go:build unix

package root

import "syscall"

// nonblock keeps an open from waiting for the other end of a named pipe, should one have taken the place of a file, and
// O_NOCTTY from making a terminal ours.
const nonblock = syscall.O_NONBLOCK | syscall.O_NOCTTY
