//go:build linux

// Package dockertest starts a real Docker daemon for a test, in namespaces of its own.
package dockertest

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const installDocker = `to install: sh scanners/workload/testdata/docker/install.sh .cache/dockerd; ` +
	`then set LOOKBACK_DOCKERD_DIR to that folder's absolute path, and run as root`

// Folder returns the folder that install.sh filled. Without it, or without the right to start a daemon, the test
// is skipped, and fails where LOOKBACK_REQUIRE_DOCKERD is 1.
func Folder(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("LOOKBACK_DOCKERD_DIR")
	var missing []string
	if folder == "" {
		missing = append(missing, "LOOKBACK_DOCKERD_DIR is not set")
	} else if _, err := os.Stat(filepath.Join(folder, "usr/sbin/dockerd")); err != nil {
		missing = append(missing, err.Error())
	}
	if os.Geteuid() != 0 {
		missing = append(missing, "this is not root")
	}
	for _, program := range []string{"mount", "ip"} {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, err.Error())
		}
	}
	switch {
	case len(missing) == 0:
		return folder
	case os.Getenv("LOOKBACK_REQUIRE_DOCKERD") == "1":
		t.Fatalf("%s; %s", strings.Join(missing, "; "), installDocker)
	default:
		t.Skipf("NOT TESTED AGAINST DOCKER: %s; %s", strings.Join(missing, "; "), installDocker)
	}
	return ""
}

// A Daemon is a Docker daemon of the test's own.
type Daemon struct {
	Data   string // its data root, which shows outside its mount namespace
	client string // the docker program
	env    []string
}

// The daemon lives in namespaces of its own. Its state is in a private /run, so that the machine's is untouched. It is
// not the first process there, because that one must wait for orphans.
const startDaemon = `mount --make-rprivate / && mount -t proc none /proc && mount -t tmpfs none /run && ip link set lo up &&
exec tini -- dockerd --host "unix://$1/docker.sock" --data-root "$1/data" --config-file "$1/daemon.json" --cgroup-parent "$2" \
	--exec-opt native.cgroupdriver=cgroupfs \
	--exec-root /run/docker --pidfile /run/docker.pid --storage-driver vfs \
	--bridge none --iptables=false --ip6tables=false --userland-proxy=false`

// New starts a daemon with a daemon.json and an image named writer. All of it ends with the test, and with the
// test's process when that one is killed.
func New(t *testing.T, folder, config, image string) *Daemon {
	t.Helper()
	dir := t.TempDir()
	d := &Daemon{Data: filepath.Join(dir, "data"), client: filepath.Join(folder, "usr/bin/docker")}
	if _, err := os.Stat(d.client); err != nil {
		if d.client, err = exec.LookPath("docker"); err != nil {
			t.Fatalf("%v; %s", err, installDocker)
		}
	}
	d.env = []string{"DOCKER_HOST=unix://" + dir + "/docker.sock", "DOCKER_CONFIG=" + dir, "HOME=" + dir, "PATH=" + os.Getenv("PATH")}
	if err := os.WriteFile(filepath.Join(dir, "daemon.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })

	group := fmt.Sprintf("/lookback-test-%d-%s", os.Getpid(), filepath.Base(dir))
	cmd := exec.Command("sh", "-c", startDaemon, "sh", dir, group)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = []string{"PATH=" + folder + "/usr/sbin:" + folder + "/usr/bin:" + os.Getenv("PATH"), "LD_LIBRARY_PATH=" + libraries(t, folder)}
	// Killing the first process of a PID namespace kills all of them; their mounts go with the last one.
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting dockerd: %v", err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		removeGroups(t, group)
	})
	for start := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if _, _, err := d.Try(nil, "version"); err == nil {
			break
		}
		select {
		case <-ended:
		default:
			if time.Since(start) < 20*time.Second {
				continue
			}
		}
		said, _ := os.ReadFile(log.Name())
		t.Fatalf("dockerd does not answer:\n%s", said)
	}
	in, err := os.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if _, stderr, err := d.Try(in, "import", "-c", `ENTRYPOINT ["/writer"]`, "-", "writer"); err != nil {
		t.Fatalf("importing the image: %v: %s", err, stderr)
	}
	return d
}

func libraries(t *testing.T, folder string) string {
	t.Helper()
	var found []string
	for _, glob := range []string{"lib/*-linux-gnu*", "usr/lib/*-linux-gnu*"} {
		dirs, err := filepath.Glob(filepath.Join(folder, glob))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, dirs...)
	}
	return strings.Join(found, ":")
}

// removeGroups removes the control groups that the daemon left, in every hierarchy.
func removeGroups(t *testing.T, group string) {
	t.Helper()
	var left []string
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/*"} {
		tops, err := filepath.Glob(root + group)
		if err != nil {
			t.Fatal(err)
		}
		for _, top := range tops {
			if err := filepath.WalkDir(top, func(p string, e fs.DirEntry, err error) error {
				if err == nil && e.IsDir() {
					left = append(left, p)
				}
				return err
			}); err != nil {
				t.Error(err)
			}
		}
	}
	for _, dir := range slices.Backward(left) {
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	}
}

// Try runs the client for half a minute at most.
func (d *Daemon) Try(stdin io.Reader, args ...string) (stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, d.client, args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = d.env, stdin, &out, &said
	err = cmd.Run()
	return out.String(), said.String(), err
}

// Docker runs the client and returns what it prints.
func (d *Daemon) Docker(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, err := d.Try(nil, args...)
	if err != nil {
		t.Fatalf("docker %s: %v: %s", strings.Join(args, " "), err, stderr)
	}
	return strings.TrimSpace(stdout)
}

// Run runs the writer to its end and returns the container's ID: options come before the image, the rest behind it.
func (d *Daemon) Run(t *testing.T, options []string, args ...string) string {
	t.Helper()
	id := d.Docker(t, slices.Concat([]string{"run", "-d", "--network", "none"}, options, []string{"writer"}, args)...)
	if status := d.Docker(t, "wait", id); status != "0" {
		_, stderr := d.Logs(t, id)
		t.Fatalf("the writer ended with %s: %s", status, stderr)
	}
	return id
}

// Logs returns what the daemon still has of what a container wrote.
func (d *Daemon) Logs(t *testing.T, id string) (stdout, stderr string) {
	t.Helper()
	stdout, stderr, err := d.Try(nil, "logs", id)
	if err != nil {
		t.Fatalf("docker logs: %v: %s", err, stderr)
	}
	return stdout, stderr
}

// Eventually waits until something holds.
func Eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for start := time.Now(); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Since(start) > 10*time.Second {
			t.Fatalf("%s: not after 10 seconds", what)
		}
	}
}

// WriterImage builds the writer and an image of it with the links that nginx has, and returns the image's file.
func WriterImage(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "writer")
	build := exec.Command("go", "build", "-o", program, "lookback/scanners/workload/testdata/docker/writer")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the writer: %v: %s", err, out)
	}
	binary, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	var image bytes.Buffer
	w := tar.NewWriter(&image)
	for _, h := range []tar.Header{
		{Typeflag: tar.TypeReg, Name: "writer", Mode: 0o755, Size: int64(len(binary))},
		{Typeflag: tar.TypeDir, Name: "var/log/nginx/", Mode: 0o755},
		{Typeflag: tar.TypeSymlink, Name: "var/log/nginx/access.log", Linkname: "/dev/stdout"},
		{Typeflag: tar.TypeSymlink, Name: "var/log/nginx/error.log", Linkname: "/dev/stderr"},
	} {
		err = errors.Join(err, w.WriteHeader(&h))
		if h.Typeflag == tar.TypeReg {
			_, wrote := w.Write(binary)
			err = errors.Join(err, wrote)
		}
	}
	file := filepath.Join(dir, "image.tar")
	if err := errors.Join(err, w.Close(), os.WriteFile(file, image.Bytes(), 0o600)); err != nil {
		t.Fatalf("writing the image: %v", err)
	}
	return file
}
