// Command writer is all that runs in the containers of the test against a real Docker daemon.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"strings"
)

func main() {
	log.SetFlags(0)
	if err := run(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "write":
		return write(args[1])
	case len(args) == 3 && args[0] == "count":
		return count(args[1], args[2])
	case len(args) == 2 && args[0] == "listen":
		return listen(args[1])
	}
	return errors.New("usage: writer write FILE | count LINES BYTES | listen ADDRESS")
}

// write writes a line to a file as a web server does, then says on standard error what the file is.
func write(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(f, "GET /login"); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	is, err := os.Lstat(name)
	if err != nil {
		return err
	}
	if is.Mode()&os.ModeSymlink != 0 {
		log.Print("links")
		return nil
	}
	log.Print("a file")
	return nil
}

// count writes numbered lines of a size to standard output.
func count(lines, size string) error {
	n, err := strconv.Atoi(lines)
	if err != nil {
		return err
	}
	width, err := strconv.Atoi(size)
	if err != nil {
		return err
	}
	rest := strings.Repeat("x", max(0, width-len("0000000 \n")))
	out := bufio.NewWriter(os.Stdout)
	for i := range n {
		fmt.Fprintf(out, "%07d %s\n", i, rest)
	}
	return out.Flush()
}

// listen prints what one client sends.
func listen(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	log.Print("listening")
	c, err := l.Accept()
	if err != nil {
		return err
	}
	_, err = io.Copy(os.Stdout, c)
	return err
}
