package clock

import "syscall"

// As in adjtimex(2).
const (
	staUnsync = 0x40
	timeError = 5
)

// kernel reports whether the kernel holds its clock to be synchronised. It changes nothing.
func kernel() (bool, error) {
	var t syscall.Timex
	state, err := syscall.Adjtimex(&t)
	return err == nil && state != timeError && t.Status&staUnsync == 0, err
}
