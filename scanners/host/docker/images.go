package docker

import (
	"encoding/json"
	"path"
	"slices"
	"strings"

	"lookback/evidence"
	"lookback/scanners/host/scope"
)

// images is Docker's list of the images on the host: image/DRIVER/repositories.json, image/store.go of moby. Where Docker
// keeps its images in containerd there is none.
type images struct {
	at   evidence.Origin
	refs map[string][]string // of an image's ID, in order
}

func readImages(s *scope.Scope, root string) images {
	i := images{refs: map[string][]string{}}
	for _, file := range s.Glob(path.Join(root, "image/*/repositories.json")) {
		i.at = scope.At(file, 0)
		data, err := s.Read(file)
		var written struct{ Repositories map[string]map[string]string }
		if err == nil {
			if err = json.Unmarshal(data, &written); err != nil {
				s.Missed("the file "+i.at.File, err, i.at)
			}
		}
		for _, refs := range written.Repositories {
			for ref, id := range refs {
				i.refs[id] = append(i.refs[id], ref)
			}
		}
	}
	for _, refs := range i.refs {
		slices.Sort(refs)
	}
	return i
}

// name returns the name of the image of a container: of one that was started by its ID, a name that the image has.
func (i images) name(c config, at evidence.Origin) evidence.Value[string] {
	if ref := c.Config.Image; ref != "" && !isID(ref, c.Image) {
		return evidence.Known(ref, at)
	}
	if refs := i.refs[c.Image]; len(refs) > 0 {
		return evidence.Known(refs[0], i.at)
	}
	return evidence.Unknown[string](evidence.Unfamiliar, at.WithNote("the image has no name"))
}

// exact says whether an image can be had again just as it ran: the digest by which its registry knows it is in the list. One
// that was built or imported here has none. The zero Value is for an image that is not in the list.
func (i images) exact(id string) evidence.Value[bool] {
	refs := i.refs[id]
	switch {
	case len(refs) == 0:
		return evidence.Value[bool]{}
	case slices.ContainsFunc(refs, func(ref string) bool { return strings.Contains(ref, "@sha256:") }):
		return evidence.Known(true, i.at)
	}
	return evidence.Moot[bool](i.at.WithNote("built or imported on this machine"))
}

// isID reports whether a reference is the ID of an image, or the twelve digits of it that Docker shows.
func isID(ref, id string) bool {
	digits := strings.TrimPrefix(ref, "sha256:")
	return len(digits) >= 12 && strings.HasPrefix(strings.TrimPrefix(id, "sha256:"), digits)
}
