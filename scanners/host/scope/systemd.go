package scope

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"

	"lookback/evidence"
)

// maxDropIns is how many drop-ins of one file are read.
const maxDropIns = 512

// systemd lists where its configuration lies, the first before the others: journald.conf(5), "Configuration directories and
// precedence".
var systemd = []string{"etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd", "lib/systemd"}

// Systemd lists the files that make up a configuration of systemd's ("journald.conf"), in the order in which they count: the
// main file of the first folder that has one, "" where none does, and the drop-ins by name. Of drop-ins of one name the first
// folder's holds, and a link to /dev/null there hides the others. What cannot be listed is a gap, and an error.
func (s *Scope) Systemd(name string, of ...evidence.Activity) (main string, dropIns []string, err error) {
	for _, dir := range systemd {
		file := path.Join(dir, name)
		there, e := s.Root.Exists(file)
		if e != nil {
			s.Missed("whether there is "+file, e, At(file, 0), of...)
			err = cmp.Or(err, e)
		}
		if there {
			main = file
			break
		}
	}
	first := map[string]string{}
	for _, dir := range systemd {
		files, e := s.Root.Glob(path.Join(dir, name+".d/*.conf"))
		if e != nil {
			s.Missed("the drop-ins of "+name, e, At(dir, 0), of...)
			err = cmp.Or(err, e)
		}
		for _, file := range files {
			if _, taken := first[path.Base(file)]; !taken {
				first[path.Base(file)] = file
			}
		}
	}
	for _, base := range slices.Sorted(maps.Keys(first)) {
		if to, err := s.Root.Readlink(first[base]); err != nil || to != "/dev/null" {
			dropIns = append(dropIns, first[base])
		}
	}
	if len(dropIns) > maxDropIns {
		err = fmt.Errorf("more than %d drop-ins", maxDropIns)
		s.Missed("the drop-ins of "+name, err, At(main, 0), of...)
		dropIns = dropIns[:maxDropIns]
	}
	return main, dropIns, err
}
