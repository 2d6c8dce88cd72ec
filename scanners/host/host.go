// Package host reads a machine as an examiner would find it: the one that we run on, or the disk of another one. Each subject
// (the journal, a sensor, Docker) lies in a folder of its own.
package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"lookback/evidence"
	"lookback/scanners"
	"lookback/scanners/host/root"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/windows"
)

// Options say what to read.
type Options struct {
	// Path is a folder in which an image is mounted, or a tar of one; "" is this machine.
	Path string
	// Now is the start of the scan.
	Now time.Time
	// Declared is what the owner said in lookback.yaml.
	Declared scanners.Declared
}

// Scan reads a host into a set. What cannot be read is a gap; an error is for a path that cannot be opened or holds no
// system, and for a context that was cancelled, after which the set holds what was learned until then.
func Scan(ctx context.Context, o Options, set *evidence.Set) error {
	live := o.Path == ""
	at := o.Path
	if live {
		if runtime.GOOS != "linux" {
			return fmt.Errorf("a running %s machine cannot be read yet; mount its disk and name it: host:/mnt/image", runtime.GOOS)
		}
		at = "/"
	}
	r, err := root.Open(at)
	if err != nil {
		return fmt.Errorf("opening %s: %s", at, scope.Brief(err))
	}
	defer r.Close()
	ofWindows, err := system(r, at)
	if err != nil {
		return err
	}
	if ofWindows {
		r = r.Fold()
	}
	s := scope.New(r, name(r, ofWindows, at), set)
	s.Live, s.Windows, s.Now, s.Declared = live, ofWindows, o.Now, o.Declared
	for _, read := range readers(ofWindows) {
		if err := ctx.Err(); err != nil {
			return err
		}
		read(ctx, s)
	}
	return ctx.Err()
}

// system tells Windows from Linux, and both from a folder that holds no system.
func system(r *root.Root, path string) (ofWindows bool, err error) {
	if ok, _ := r.Fold().Exists("Windows/System32/config"); ok {
		return true, nil
	}
	for _, dir := range []string{"etc", "var/log"} {
		if ok, err := r.Exists(dir); ok || errors.Is(err, fs.ErrPermission) {
			return false, nil
		}
	}
	return false, fmt.Errorf("no system in %s: neither /etc and /var/log nor \\Windows\\System32\\config; name the folder in which the system's partition is mounted", path)
}

var hostname = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$`)

// name is what a host calls itself; else the name of the folder or of the tar.
func name(r *root.Root, ofWindows bool, path string) string {
	own := ""
	if ofWindows {
		own = windows.Name(r)
	} else if data, err := r.Head("etc/hostname", 512); err == nil {
		own, _, _ = strings.Cut(strings.TrimSpace(string(data)), "\n")
	}
	if hostname.MatchString(own) {
		return own
	}
	abs, err := filepath.Abs(path)
	if base := strings.TrimSuffix(filepath.Base(abs), ".tar"); err == nil && hostname.MatchString(base) {
		return base
	}
	return "image"
}
