package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"lookback/report"
	"lookback/report/html"
	"lookback/report/json"
	"lookback/report/sarif"
	"lookback/report/text"
)

// formats lists the renderers by the ending of the file that they write.
var formats = []struct {
	name, suffix, what string
	render             report.Renderer
}{
	{"text", ".txt", "what the terminal shows, without colour", text.Render},
	{"html", ".html", "one page for auditors, without scripts or network", html.Render},
	{"sarif", ".sarif", "SARIF 2.1.0, for code scanning", sarif.Render},
	{"json", ".json", "every result, for programs and for --baseline", json.Render},
}

// An output is one report to write: "report.html", "-", or "sarif:-".
type output struct {
	path   string // "-" for standard output
	name   string // of the format; empty for the terminal's
	render report.Renderer
}

func parseOutput(arg string) (output, error) {
	name, path, named := strings.Cut(arg, ":")
	for _, f := range formats {
		if named && f.name == name && path != "" {
			return output{path, f.name, f.render}, nil
		}
	}
	if arg == "-" {
		return output{path: "-"}, nil
	}
	for _, f := range formats {
		if strings.EqualFold(filepath.Ext(arg), f.suffix) {
			return output{arg, f.name, f.render}, nil
		}
	}
	return output{}, fmt.Errorf("-o %s: the ending names no format; use .html, .sarif, .json or .txt, or write the format in front, as in sarif:%s", arg, arg)
}

// distinct says which place two flags name: one report would take the place of the other, or of the evidence.
func distinct(outputs []output, save string) error {
	taken := map[string]bool{}
	for _, o := range append([]output{{path: save}}, outputs...) {
		place := o.path
		if place == "" {
			continue
		}
		if place != "-" {
			if info, err := os.Stat(place); err == nil && !info.Mode().IsRegular() {
				continue // a device or a pipe takes both
			}
			if abs, err := filepath.Abs(place); err == nil {
				place = abs
			}
		}
		if taken[place] {
			return fmt.Errorf("-o %s: another report or the saved evidence goes there too; name two files", o.path)
		}
		taken[place] = true
	}
	return nil
}

// writable says which place no file can be written to, so that a scan does not end there.
func writable(outputs []output, save string) error {
	for _, o := range append([]output{{path: save}}, outputs...) {
		if o.path == "" || o.path == "-" {
			continue
		}
		if info, err := os.Stat(o.path); err == nil && info.IsDir() {
			return fmt.Errorf("writing %s: it is a folder; name a file in it", o.path)
		}
		dir := filepath.Dir(o.path)
		if info, err := os.Stat(dir); err != nil {
			return fmt.Errorf("writing %s: the folder %s: %w; make it first", o.path, dir, cause(err))
		} else if !info.IsDir() {
			return fmt.Errorf("writing %s: %s is no folder", o.path, dir)
		}
	}
	return nil
}

// writeFile writes to a file whole or not at all: what was there stays until all of it is written. Devices and pipes are
// written to as they are.
func writeFile(path string, write func(io.Writer) error) (err error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("writing %s: %w", path, cause(err))
		}
		if err := errors.Join(write(f), f.Close()); err != nil {
			return fmt.Errorf("writing %s: %w", path, cause(err))
		}
		return nil
	}
	// Who may read it, the umask says, or the mode of what was there.
	f, err := os.OpenFile(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, cause(err))
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if info, err := os.Stat(path); err == nil {
		if err := f.Chmod(info.Mode().Perm()); err != nil {
			return errors.Join(fmt.Errorf("writing %s: %w", path, cause(err)), f.Close())
		}
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", path, cause(err))
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("writing %s: %w", path, cause(err))
	}
	return nil
}

// cause takes the path and the call out of an error of the file system: our own sentence names the file.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Err
	}
	return err
}
