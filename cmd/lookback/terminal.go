package main

import (
	"os"
	"strconv"

	"golang.org/x/term"
)

// A screen is what standard output and standard error are connected to.
type screen struct {
	out, err bool // whether each is a terminal
	width    int  // columns of it; 0 when it is none
}

func terminal() screen {
	s := screen{out: term.IsTerminal(int(os.Stdout.Fd())), err: term.IsTerminal(int(os.Stderr.Fd()))}
	if s.out {
		s.width = 100
		if w, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && w > 0 {
			s.width = w
		}
		if w, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && w > 0 {
			s.width = w
		}
	}
	return s
}
