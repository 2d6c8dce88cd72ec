package docker

import (
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/scope"
	"lookback/scanners/host/unit"
)

// prunes removes every container that has ended, with its logs:
// https://docs.docker.com/reference/cli/docker/system/prune/.
var prunes = regexp.MustCompile(`\bdocker\s+(system|container)\s+prune\b`)

// maxJobs is how many files of scheduled jobs are looked through.
const maxJobs = 4096

// prune returns where a job that runs on its own removes ended containers; the zero Origin where none was seen.
func prune(s *scope.Scope) (evidence.Origin, bool) {
	var files []string
	for _, pattern := range []string{"etc/crontab", "etc/cron.*/*", "var/spool/cron/*", "var/spool/cron/crontabs/*"} {
		files = append(files, s.Glob(pattern)...)
	}
	for _, dir := range []string{"etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"} {
		for _, timer := range s.Glob(dir + "/*.timer") {
			service := strings.TrimSuffix(path.Base(timer), ".timer") + ".service"
			if on, known := unit.Find(s, path.Base(timer)).Enabled.Get(); known && !on {
				continue
			}
			for _, dir := range []string{"etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"} {
				if name := path.Join(dir, service); !slices.Contains(files, name) && s.Has(name) {
					files = append(files, name)
				}
			}
		}
	}
	for _, file := range files[:min(len(files), maxJobs)] {
		if info, err := s.Root.Stat(file); err == nil && info.IsDir() {
			continue
		}
		data, err := s.Root.Head(file, maxText)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.Missed("the file "+file, err, scope.At(file, 0))
		}
		line := 0
		for text := range strings.Lines(string(data)) {
			line++
			if text = strings.TrimSpace(text); !strings.HasPrefix(text, "#") && prunes.MatchString(text) {
				return scope.At(file, line), true
			}
		}
	}
	return evidence.Origin{}, false
}
