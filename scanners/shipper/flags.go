package shipper

import (
	"iter"
	"slices"
	"strings"
)

// pairs goes through a command line: each flag with its value, which stands behind "=" or is the next argument, and each
// other argument with the empty flag. valued lists the flags that take a value.
func pairs(args []string, valued string) iter.Seq2[string, string] {
	takes := words(valued)
	return func(yield func(string, string) bool) {
		for i := 0; i < len(args); i++ {
			a := args[i]
			if !strings.HasPrefix(a, "-") || a == "-" {
				if !yield("", a) {
					return
				}
				continue
			}
			flag, value, written := strings.Cut(a, "=")
			switch {
			case takes[flag] && !written && i+1 < len(args):
				i++
				value = args[i]
			case !takes[flag] && short(a, takes):
				flag, value = a[:2], a[2:] // -ppath=/var/log
			}
			if !yield(flag, value) {
				return
			}
		}
	}
}

// short reports whether a is a one-letter flag with its value right behind it.
func short(a string, takes map[string]bool) bool {
	return len(a) > 2 && a[1] != '-' && takes[a[:2]]
}

// flagValues returns the values of some flags. Where both is set, "-config.file" may be written with two dashes too.
func flagValues(args, flags []string, both bool) []string {
	all := slices.Clone(flags)
	if both {
		for _, f := range flags {
			all = append(all, "-"+f)
		}
	}
	var out []string
	for flag, value := range pairs(args, strings.Join(all, " ")) {
		if value != "" && slices.Contains(all, flag) {
			out = append(out, value)
		}
	}
	return out
}
