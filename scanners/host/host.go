// Package host reads a machine as an examiner would find it: the one that we run on, or the disk of another one. Each subject
// (the journal, a sensor, Docker) lies in a folder of its own.
package host

import (
	"bytes"
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
	// Taken are names of hosts that were scanned before. A host of the same name is told apart by the folder of its image.
	Taken map[string]bool
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
	disks, memory := mounts(r)
	if !live && !ofWindows {
		// Never empty in a system. That of Flatcar has its /usr, that of Bottlerocket its /etc and /var from elsewhere, as no fstab says.
		for _, dir := range []string{"/etc", "/usr", "/var"} {
			if there, _ := r.Exists(dir); there {
				disks = append(disks, dir)
			}
		}
		r = r.Without(disks)
	}
	s := scope.New(r, free(name(r, ofWindows), folder(at), o.Taken), set)
	s.Live, s.Windows, s.Now, s.Declared, s.InMemory = live, ofWindows, o.Now, o.Declared, memory
	for _, read := range readers(ofWindows) {
		if ctx.Err() != nil {
			break
		}
		read(ctx, s)
	}
	if ctx.Err() != nil {
		cut(s)
	}
	return errors.Join(settle(set), ctx.Err())
}

// cut leaves open what a scan did not come to: what is recorded of the activities of a host, who takes records away, and who
// else writes to a place that keeps them, which is only as good for its writers as for the worst of them.
func cut(s *scope.Scope) {
	err, at := errors.New("the scan was cut short"), evidence.Origin{Note: "the scan was cut short"}
	s.Missed("the rest of the host", err, at, evidence.Process, evidence.FileChange, evidence.Login, evidence.System)
	open := scope.Unknown[bool](err, at)
	for _, source := range s.Sources() {
		source.Complete = open
		for i := range source.To {
			source.To[i].Extent = scope.Unknown[evidence.Extent](err, at)
		}
	}
	for _, store := range s.Stores() {
		store.Complete = open
	}
}

// settle makes a set what it will be when it was saved and is read again. Names of files may hold bytes that are no text,
// which JSON does not keep: they become U+FFFD now, and not only then.
func settle(set *evidence.Set) error {
	var b bytes.Buffer
	if err := evidence.Write(&b, set); err != nil || !bytes.Contains(b.Bytes(), []byte(`\ufffd`)) {
		return err
	}
	again, err := evidence.Read(&b)
	if err != nil {
		return err
	}
	set.Records, set.Gaps = again.Records, again.Gaps
	return nil
}

// system tells Windows from Linux, and both from a folder that holds no system.
func system(r *root.Root, at string) (ofWindows bool, err error) {
	if ok, _ := r.Fold().Exists("Windows/System32/config"); ok {
		return true, nil
	}
	for _, dir := range []string{"etc", "var/log"} {
		if ok, err := r.Exists(dir); ok || errors.Is(err, fs.ErrPermission) {
			return false, nil
		}
	}
	return false, fmt.Errorf("no system in %s: neither /etc and /var/log nor \\Windows\\System32\\config; name the folder in which the system's partition is mounted", at)
}

var hostname = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$`)

// name is what a host calls itself; "" where it does not say so, or what it says is no name.
func name(r *root.Root, ofWindows bool) string {
	own := ""
	if ofWindows {
		own = windows.Name(r)
	} else if data, err := r.Head("etc/hostname", 512); err == nil {
		own, _, _ = strings.Cut(strings.TrimSpace(string(data)), "\n")
	}
	if !hostname.MatchString(own) {
		return ""
	}
	return own
}

// folder is the name of the folder that an image lies in, or of its tar, where it can be the name of a host.
func folder(at string) string {
	abs, err := filepath.Abs(at)
	if base := strings.TrimSuffix(filepath.Base(abs), ".tar"); err == nil && hostname.MatchString(base) {
		return base
	}
	return "image"
}

// free is the name of a host in all IDs: its own, else that of its folder, and both where its own is taken.
func free(own, folder string, taken map[string]bool) string {
	name := own
	if own == "" {
		name = folder
	} else if taken[own] {
		name = own + "-" + folder
	}
	first := name
	for n := 2; taken[name]; n++ {
		name = fmt.Sprintf("%s-%d", first, n)
	}
	return name
}
