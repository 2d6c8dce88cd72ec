// Package journald reads what systemd's journal keeps: whether it is on the disk, how large it grows, how far back it
// reached at the scan, and whether what it holds can be proved unaltered. The meaning of settings is that of the manual page
// journald.conf(5).
package journald

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"

	"lookback/evidence"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/unit"
)

// Thing is the journal in an ID.
const Thing = "journal"

// maxJournals is how many journal files are looked into: journald keeps 100 unless told otherwise.
const maxJournals = 2048

// maxGaps is how many damaged files are named.
const maxGaps = 8

// A journal is what was found of it.
type journal struct {
	at       evidence.Origin
	enabled  evidence.Value[bool]
	memory   evidence.Value[bool]
	nothing  bool // Storage=none
	kept     evidence.Value[int]
	bytes    evidence.Value[int64]
	lossless evidence.Value[bool]
	extent   evidence.Value[evidence.Extent]
	sealed   evidence.Value[bool]
	oldest   evidence.Value[time.Time]
	newest   evidence.Value[time.Time]
	dropped  evidence.Value[bool]
	to       []evidence.Delivery
	complete evidence.Value[bool]
}

// Read reads the journal of a host.
func Read(_ context.Context, s *scope.Scope) {
	if j := found(s); j != nil {
		observe(s, j)
	}
}

// Enabled says whether systemd's journal runs on a host: it then takes what programs say through syslog.
func Enabled(s *scope.Scope) evidence.Value[bool] {
	if j := found(s); j != nil {
		return j.enabled
	}
	return evidence.Known(false, evidence.Origin{Note: "there is no systemd"})
}

// ForwardsToSyslog says whether the journal hands everything that it takes to a syslog service. What holds by default was
// decided when systemd was built; its vendor writes it into the main file, as a remark.
func ForwardsToSyslog(s *scope.Scope) evidence.Value[bool] {
	c := config(s)
	if c.err != nil {
		return scope.Unknown[bool](c.err, c.at)
	}
	text, at := c.get("ForwardToSyslog", c.remarked["ForwardToSyslog"])
	on, ok := boolean(text)
	if level, written := c.set["MaxLevelSyslog"]; ok && on && written && !enough(level.text) {
		return evidence.Unknown[bool](evidence.Unfamiliar, level.at.WithNote("MaxLevelSyslog holds records back"))
	}
	if !ok {
		return evidence.Unknown[bool](evidence.Elsewhere, at.WithNote("whether the journal forwards to syslog is decided in how systemd was built"))
	}
	return evidence.Known(on, at)
}

// Deliveries returns where what a program says through syslog, or on its standard output as a service, goes in the journal;
// none where there is no journal.
func Deliveries(s *scope.Scope) []evidence.Delivery {
	j := found(s)
	if j == nil {
		return nil
	}
	if on, known := j.enabled.Get(); known && !on {
		return nil
	}
	d := j.delivery(s)
	// LineMax= cuts what services write to their standard output; a datagram of syslog is taken as it comes.
	d.Whole = evidence.Known(true, j.at.WithNote("the journal takes messages of syslog as they come"))
	if !j.enabled.IsUnknown() {
		return []evidence.Delivery{d}
	}
	d.Extent = evidence.Unknown[evidence.Extent](j.enabled.Why(), j.enabled.At())
	return []evidence.Delivery{d}
}

func config(s *scope.Scope) *conf {
	return scope.Memo(s, "journald.conf", func() *conf {
		return read(s, "journald.conf", "Journal", evidence.System, evidence.Login)
	})
}

func found(s *scope.Scope) *journal {
	return scope.Memo(s, "journald", func() *journal {
		c := config(s)
		daemon := ""
		for _, name := range []string{"usr/lib/systemd/systemd-journald", "lib/systemd/systemd-journald"} {
			if daemon == "" && s.Has(name, evidence.System, evidence.Login) {
				daemon = name
			}
		}
		if daemon == "" && !c.there && c.err == nil {
			return nil
		}
		j := &journal{at: c.at}
		if !c.there {
			j.at = scope.At(daemon, 0)
		}
		j.settings(c, s)
		j.files(s)
		j.enabled = enabled(s, j)
		j.copies(s, c)
		return j
	})
}

// settings reads what is configured. A value that journald does not take is left out by it, with a line in its log: the
// default holds.
func (j *journal) settings(c *conf, s *scope.Scope) {
	const dir = "var/log/journal"
	if c.err != nil {
		at := j.at.WithNote("a file of its configuration could not be read")
		j.memory, j.kept, j.bytes = scope.Unknown[bool](c.err, at), scope.Unknown[int](c.err, at), scope.Unknown[int64](c.err, at)
		j.lossless, j.sealed = scope.Unknown[bool](c.err, at), scope.Unknown[bool](c.err, at)
		j.extent = scope.Unknown[evidence.Extent](c.err, at)
		return
	}
	storage, at := c.get("Storage", "auto")
	switch storage {
	case "volatile":
		j.memory = evidence.Known(true, at)
	case "persistent":
		j.memory = evidence.Known(false, at)
	case "none":
		j.memory, j.nothing = evidence.Known(true, at), true
	default:
		info, err := s.Root.Stat(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir():
			j.memory = evidence.Known(true, at.WithNote("Storage=auto, and there is no folder /"+dir))
		case err != nil:
			j.memory = scope.Unknown[bool](err, scope.At(dir, 0))
		default:
			j.memory = evidence.Known(false, scope.At(dir, 0).WithNote("Storage=auto, and the folder is there"))
		}
	}
	if m, known := j.memory.Get(); known && !m {
		j.memory = s.Memory(dir, j.memory.At())
	}
	of := "System"
	if m, known := j.memory.Get(); known && m {
		of = "Runtime"
	}
	use, at := c.get(of+"MaxUse", "")
	if n, err := size(use); err == nil && use != "" && n > 0 {
		j.bytes = evidence.Known(n, at)
	} else {
		j.bytes = evidence.Known(int64(4<<30), at.WithNote("default: a tenth of the file system, and 4 GiB at most"))
	}
	// MaxRetentionSec is the longest that a record stays, and no promise: the bytes may run out before.
	_, at = c.get("MaxRetentionSec", "")
	j.kept = evidence.Known(0, at.WithNote("bytes bound it"))
	j.rate(c)
	level, at := c.get("MaxLevelStore", "debug")
	j.extent = evidence.Everything(at)
	switch {
	case j.nothing:
		_, at := c.get("Storage", "")
		j.extent = evidence.Known(evidence.Extent{Grade: evidence.None, But: "Storage=none"}, at)
	case !enough(level):
		j.extent = evidence.Known(evidence.Extent{Grade: evidence.Some, But: "nothing below the level " + level}, at)
	}
	seal, at := c.get("Seal", "yes")
	j.sealed = evidence.Known(true, at)
	if on, ok := boolean(seal); ok && !on {
		j.sealed = evidence.Known(false, at)
	}
}

// rate says whether a flood makes the journal drop records. Its limit is per service, and grows with the free space.
func (j *journal) rate(c *conf) {
	every, at := c.get("RateLimitIntervalSec", "")
	if every == "" {
		every, at = c.get("RateLimitInterval", "30s") // its name before 2017
	}
	burst, burstAt := c.get("RateLimitBurst", "10000")
	interval, err := Span(every)
	if err != nil {
		interval, every = 30*time.Second, "30s"
	}
	switch {
	case interval == 0:
		j.lossless = evidence.Known(true, at)
	case strings.Trim(burst, "0") == "":
		j.lossless = evidence.Known(true, burstAt)
	default:
		if burstAt.Written() {
			at = burstAt
		}
		j.lossless = evidence.Known(false, at.WithNote(fmt.Sprintf("a service that writes more than some %s records in %s loses the rest", burst, every)))
	}
}

// enough reports whether a level lets all through that an investigation asks for: sessions are logged as "info".
func enough(level string) bool {
	return !slices.Contains([]string{"emerg", "alert", "crit", "err", "warning", "notice", "0", "1", "2", "3", "4", "5"}, level)
}

var machine = regexp.MustCompile(`^[0-9a-f]{32}$`)

// files reads how far the journal files reach, and whether there is a key that seals them.
func (j *journal) files(s *scope.Scope) {
	memory, known := j.memory.Get()
	top := "var/log/journal"
	if memory {
		top = "run/log/journal"
	}
	at := scope.At(top, 0)
	j.oldest = evidence.Unknown[time.Time](evidence.Elsewhere, at.WithNote("there is no journal file"))
	if known && memory && !s.Live {
		j.oldest = scope.NotRunning[time.Time](at)
	}
	j.newest = j.oldest
	j.dropped = evidence.Unknown[bool](j.oldest.Why(), j.oldest.At())
	folders, err := machines(s, top)
	if err != nil {
		s.Missed("the files of the journal", err, at)
		j.oldest, j.newest, j.dropped = scope.Unknown[time.Time](err, at), scope.Unknown[time.Time](err, at), scope.Unknown[bool](err, at)
		if on, _ := j.sealed.Get(); on {
			j.sealed = scope.Unknown[bool](err, at)
		}
		return
	}
	if on, _ := j.sealed.Get(); on {
		j.sealed = evidence.Known(false, j.sealed.At().WithNote("there are no sealing keys: journalctl --setup-keys was not run"))
		for _, dir := range folders {
			if key := path.Join(dir, "fss"); !memory && s.Has(key) {
				j.sealed = evidence.Known(true, scope.At(key, 0))
			}
		}
	}
	var first, last seen
	var sum int64
	var trouble error
	count, broken := 0, 0
	for _, dir := range folders {
		list, err := s.Root.ReadDir(dir)
		if err != nil {
			s.Missed("the files of the journal", err, scope.At(dir, 0))
			trouble = cmp.Or(trouble, err)
			continue
		}
		for _, e := range list {
			ext := path.Ext(e.Name())
			if ext != ".journal" && ext != ".journal~" || !e.Type().IsRegular() {
				continue
			}
			if count++; count > maxJournals {
				trouble = fmt.Errorf("more than %d journal files", maxJournals)
				s.Missed("the files of the journal", trouble, scope.At(dir, 0))
				break
			}
			name := path.Join(dir, e.Name())
			info, err := s.Root.Stat(name)
			if err != nil {
				continue // gone since it was listed
			}
			sum += info.Size()
			data, err := s.Root.Head(name, headerSize)
			var h header
			if err == nil {
				h, err = parse(data, info.Size(), s.Now)
			}
			if err != nil {
				if broken++; broken <= maxGaps {
					s.Missed("the journal file "+name, err, scope.At(name, 0))
				}
				trouble = cmp.Or(trouble, err)
				continue
			}
			if h.entries == 0 {
				continue
			}
			if first.name == "" || h.first.Before(first.first) || h.first.Equal(first.first) && h.firstNo < first.firstNo {
				first = seen{h, name}
			}
			if last.name == "" || h.last.After(last.last) {
				last = seen{h, name}
			}
		}
	}
	switch {
	case first.name == "" && trouble != nil:
		j.oldest, j.newest, j.dropped = scope.Unknown[time.Time](trouble, at), scope.Unknown[time.Time](trouble, at), scope.Unknown[bool](trouble, at)
	case first.name != "":
		days := int(last.last.Sub(first.first).Hours() / 24)
		note := fmt.Sprintf("%d days in %s", days, units.BytesSize(float64(sum)))
		j.oldest = evidence.Known(first.first, scope.At(first.name, 0).WithNote(note))
		j.newest = evidence.Known(last.last, scope.At(last.name, 0).WithNote(note))
		// The first record of a journal is number 1: where the oldest one that is left is not, files were thrown away.
		j.dropped = evidence.Known(first.firstNo > 1, scope.At(first.name, 0).WithNote(fmt.Sprintf("its oldest record is number %d", first.firstNo)))
	}
}

// A seen header is that of a file.
type seen struct {
	header
	name string
}

// machines lists the folders of journal files: that of the machine's own ID, where it has one.
func machines(s *scope.Scope, top string) ([]string, error) {
	list, err := s.Root.ReadDir(top)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	own := ""
	if data, err := s.Root.Head("etc/machine-id", 64); err == nil {
		own = strings.TrimSpace(string(data))
	}
	if _, err := hex.DecodeString(own); err != nil || !machine.MatchString(own) {
		own = ""
	}
	var all []string
	for _, e := range list {
		if machine.MatchString(e.Name()) && e.IsDir() {
			if e.Name() == own {
				return []string{path.Join(top, own)}, nil
			}
			all = append(all, path.Join(top, e.Name()))
		}
	}
	return all, err
}

// enabled says whether the journal records. It has no switch but its mask: it runs where systemd does.
func enabled(s *scope.Scope, j *journal) evidence.Value[bool] {
	u := unit.Find(s, "systemd-journald.service", evidence.System, evidence.Login)
	if masked, known := u.Masked.Get(); known && masked {
		return evidence.Known(false, u.Masked.At())
	}
	if j.nothing {
		return evidence.Known(false, j.memory.At())
	}
	if s.Live {
		return u.Running
	}
	if met, known := u.Met.Get(); !known || !met {
		return u.Met
	}
	for _, name := range []string{"sbin/init", "usr/sbin/init"} {
		switch to, err := s.Root.Resolve(name); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return scope.Unknown[bool](err, scope.At(name, 0))
		default:
			at := scope.At(name, 0)
			if path.Base(to) != "systemd" {
				at.Note = "the machine starts " + path.Base(to)
			}
			return evidence.Known(path.Base(to) == "systemd", at)
		}
	}
	if _, known := j.newest.Get(); known {
		return evidence.Known(true, j.newest.At())
	}
	return evidence.Unknown[bool](evidence.Elsewhere, j.at.WithNote("nothing that we see starts systemd"))
}

var address = regexp.MustCompile(`^[A-Za-z0-9.:_\[\]-]{1,255}$`)

// copies finds what takes the journal away that is a part of systemd: systemd-journal-upload, and ForwardToSocket. Other
// shippers add themselves.
func (j *journal) copies(s *scope.Scope, c *conf) {
	j.complete = evidence.Known(true, j.at)
	if c.err != nil {
		j.complete = scope.Unknown[bool](c.err, j.at)
	}
	if socket, ok := c.set["ForwardToSocket"]; ok && address.MatchString(socket.text) && !strings.HasPrefix(socket.text, "vsock") {
		j.to = append(j.to, evidence.EverythingTo(evidence.ID("journald:"+socket.text+"//"), socket.at))
	}
	upload := unit.Find(s, "systemd-journal-upload.service")
	installed, known := upload.Installed.Get()
	on, sure := upload.Enabled.Get()
	if known && !installed || sure && !on {
		return
	}
	server := read(s, "journal-upload.conf", "Upload")
	url, at := server.get("URL", "")
	_, host, ok := strings.Cut(url, "://")
	if !ok {
		host = url
	}
	host, _, _ = strings.Cut(host, "/")
	host = host[strings.LastIndexByte(host, '@')+1:]
	switch {
	case server.err != nil:
		j.complete = scope.Unknown[bool](server.err, at)
	case url == "": // it refuses to start
	case !address.MatchString(host):
		j.complete = evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("where systemd-journal-upload sends is not an address that we read"))
	default:
		if !strings.Contains(host, ":") {
			host += ":19532" // systemd-journal-upload(8)
		}
		d := evidence.EverythingTo(evidence.ID("journal-upload:"+strings.ToLower(host)+"//"), at)
		d.Lossless = evidence.Known(true, at.WithNote("it sends what the journal holds, and remembers where it was"))
		if !sure {
			d.Extent = evidence.Unknown[evidence.Extent](upload.Enabled.Why(), upload.Enabled.At())
		}
		j.to = append(j.to, d)
	}
}

func (j *journal) delivery(s *scope.Scope) evidence.Delivery {
	d := evidence.EverythingTo(s.ID(Thing), j.at)
	d.Extent, d.Lossless, d.Validated = j.extent, j.lossless, j.sealed
	return d
}

// observe turns what was found into records: the one place that knows what the journal holds.
func observe(s *scope.Scope, j *journal) {
	store := s.DiskStore(s.ID(Thing), "journal", "the systemd journal", j.at)
	store.Memory = j.memory
	store.Kept, store.Bytes = j.kept, j.bytes
	store.Oldest, store.Newest, store.Dropped = j.oldest, j.newest, j.dropped
	store.To, store.Complete = j.to, j.complete
	s.Record(store)

	system := s.Source("journald", evidence.System, "journal", scope.Of("the systemd journal", evidence.System), j.at)
	system.Records = "messages of the kernel and of services"
	system.Parts[evidence.PartLogControl] = evidence.Known(evidence.Extent{Grade: evidence.Some, But: "services that start and stop, not files that are deleted or settings that change"}, j.at)
	login := s.Source("journald", evidence.Login, "journal", scope.Of("the systemd journal", evidence.Login), j.at)
	login.Records = "what sshd, login, sudo and su say through syslog"
	login.Parts[evidence.PartLogons] = evidence.Everything(j.at)
	for _, source := range []*evidence.LogSource{system, login} {
		source.Enabled = j.enabled
		source.To = []evidence.Delivery{j.delivery(s)}
		s.Record(source)
	}
}
