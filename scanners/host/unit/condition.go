package unit

import (
	"errors"
	"io/fs"
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/scope"
)

// maxConditions is the most conditions of one unit that are read.
const maxConditions = 256

// A condition keeps a unit from starting where it does not hold: systemd.unit(5), "Conditions and Asserts".
type condition struct{ key, value, file string }

// kind is what an empty value takes back, and what one of those with a "|" is enough of.
func (c condition) kind() string {
	for _, kind := range []string{"Condition", "Assert"} {
		if strings.HasPrefix(c.key, kind) {
			return kind
		}
	}
	return c.key
}

// met says whether a unit that would start does, with its conditions.
func (f *finder) met(u unit, on evidence.Value[bool]) evidence.Value[bool] {
	if starts, known := on.Get(); known && !starts {
		return on
	}
	enough := map[string]evidence.Value[bool]{} // by kind, of those of which one is enough
	for _, c := range u.asked {
		v := f.holds(c)
		is, known := v.Get()
		if strings.HasPrefix(c.value, "|") {
			had, sure := enough[c.kind()].Get()
			if known && is || !known && !(sure && had) || enough[c.kind()].IsZero() {
				enough[c.kind()] = v
			}
			continue
		}
		on = both(on, v)
	}
	for _, kind := range []string{"Condition", "Assert"} {
		if v, ok := enough[kind]; ok {
			on = both(on, v)
		}
	}
	return on
}

// both is true where both are: what is false goes before what is unknown.
func both(on, v evidence.Value[bool]) evidence.Value[bool] {
	is, known := v.Get()
	was, sure := on.Get()
	if known && is || sure && !was || !known && !sure {
		return on
	}
	return v
}

// holds says whether a condition holds. Of what a disk does not tell, a vendor's unit is taken at its word: the machine is one
// of those that it was made for. What somebody else wrote is there to turn something off.
func (f *finder) holds(c condition) evidence.Value[bool] {
	name, not := strings.CutPrefix(strings.TrimLeft(strings.TrimPrefix(c.value, "|"), " "), "!")
	name = strings.TrimSpace(name)
	at := scope.At(c.file, 0).WithNote(c.key + "=" + c.value + " does not hold")
	info, err := f.Root.Stat(name)
	is, told := false, !strings.Contains(name, "%")
	switch _, test, _ := strings.Cut(c.key, c.kind()); test {
	case "PathExists":
		is = err == nil
	case "PathExistsGlob":
		var found []string
		found, err = f.Root.Glob(name)
		is = len(found) > 0
	case "PathIsDirectory":
		is = err == nil && info.IsDir()
	case "PathIsSymbolicLink":
		info, err = f.Root.Lstat(name)
		is = err == nil && info.Mode()&fs.ModeSymlink != 0
	case "DirectoryNotEmpty":
		var list []fs.DirEntry
		if err == nil && info.IsDir() {
			list, err = f.Root.ReadDir(name)
		}
		is = len(list) > 0
	case "FileNotEmpty":
		is = err == nil && info.Mode().IsRegular() && info.Size() > 0
	case "FileIsExecutable":
		is = err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
	default:
		told = false
	}
	for _, dir := range []string{"/run/", "/proc/", "/sys/", "/dev/", "/tmp/", "/var/run/"} {
		told = told && (f.Live || !strings.HasPrefix(name+"/", dir))
	}
	real, _ := f.Root.Resolve(c.file)
	vendors := strings.HasPrefix(real, "usr/lib/") || strings.HasPrefix(real, "lib/")
	switch {
	case told && err != nil && !errors.Is(err, fs.ErrNotExist):
		return scope.Unknown[bool](err, scope.At(name, 0))
	case told:
		return evidence.Known(is != not, at)
	case vendors:
		return evidence.Known(true, at)
	}
	return evidence.Unknown[bool](evidence.Elsewhere, at.WithNote(c.key+"="+c.value+": a disk does not tell whether that holds"))
}
