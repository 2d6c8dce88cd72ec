package ecr

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"lookback/evidence"
	"lookback/scanners/aws/scope"
)

// A repository is what the registry says of how long its images stay.
type repository struct {
	name  string
	at    evidence.Origin
	tags  types.ImageTagMutability
	rules evidence.Value[[]rule] // of its lifecycle policy
}

// A rule of a lifecycle policy; see https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html.
type rule struct {
	Selection struct {
		TagStatus      string   `json:"tagStatus"`
		TagPatternList []string `json:"tagPatternList"`
		TagPrefixList  []string `json:"tagPrefixList"`
		StorageClass   string   `json:"storageClass"`
		CountType      string   `json:"countType"`
		CountUnit      string   `json:"countUnit"`
		CountNumber    int      `json:"countNumber"`
	} `json:"selection"`
	Action struct {
		Type string `json:"type"`
	} `json:"action"`
}

func readRules(text string, at evidence.Origin) evidence.Value[[]rule] {
	var policy struct {
		Rules []rule `json:"rules"`
	}
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return evidence.Unknown[[]rule](evidence.Failed, at.WithNote("its lifecycle policy could not be read"))
	}
	return evidence.Known(policy.Rules, at)
}

// observe turns a repository into records.
func observe(s *scope.Scope, r repository) {
	thing := "ecr/" + r.name
	id := s.ID(thing)
	s.Record(&evidence.Asset{
		Subject: evidence.Subject{ID: id, Kind: "ECR repository", Name: r.name, At: r.at},
		In:      s.In(r.at), Lasting: true,
	})
	s.Record(&evidence.Access{
		Subject: evidence.Subject{ID: s.ID(thing + "/image"), Kind: "image", Name: "the images in " + r.name, At: r.at},
		Of:      id, Means: evidence.MeansImage, Exact: r.exact(), Guarded: r.guarded(),
	})
}

// exact says whether a tag names the same image for good.
func (r repository) exact() evidence.Value[bool] {
	switch r.tags {
	case types.ImageTagMutabilityImmutable:
		return evidence.Known(true, r.at.WithNote("its tags cannot move"))
	case types.ImageTagMutabilityMutable:
		return evidence.Known(false, r.at.WithNote("its tags can move"))
	case types.ImageTagMutabilityMutableWithExclusion, types.ImageTagMutabilityImmutableWithExclusion:
		return evidence.Known(false, r.at.WithNote("some of its tags can move"))
	}
	return evidence.Unknown[bool](evidence.Unfamiliar, r.at.WithNote(fmt.Sprintf("whether its tags can move is %q", r.tags)))
}

// guarded says whether the image that ran stays in the repository: no rule of the policy deletes it. The first rule that may
// delete any image decides, else the first that may and that we cannot tell.
func (r repository) guarded() evidence.Value[bool] {
	rules, known := r.rules.Get()
	if !known {
		return evidence.Unknown[bool](r.rules.Why(), r.rules.At())
	}
	at := r.rules.At()
	stays := evidence.Known(true, at)
	for _, rule := range rules {
		if rule.Action.Type == "transition" { // it goes to the archive, from which it can be restored
			continue
		}
		what, when := rule.images(), rule.when()
		switch {
		case rule.Action.Type != "expire" || when == "" || what == "":
			if !stays.IsUnknown() {
				stays = evidence.Unknown[bool](evidence.Unfamiliar, at.WithNote("a rule of its lifecycle policy is not one that we know"))
			}
		case rule.Selection.TagStatus == "untagged" && r.tags == types.ImageTagMutabilityImmutable:
			// An image keeps its tag where tags cannot move: what ran does not become untagged by the next push.
			if !stays.IsUnknown() {
				stays = evidence.Known(true, at.WithNote("only untagged images expire, and tags cannot move"))
			}
		case rule.Selection.TagStatus == "tagged" && !rule.everyTag():
			if !stays.IsUnknown() {
				stays = evidence.Unknown[bool](evidence.Elsewhere, at.WithNote(what+" "+when+"; whether what ran has such a tag is not known"))
			}
		default:
			return evidence.Known(false, at.WithNote(what+" "+when))
		}
	}
	return stays
}

// images names what a rule selects, for a sentence; "" for a selection that we do not know.
func (r rule) images() string {
	of := ""
	if r.Selection.StorageClass == "archive" {
		of = "archived "
	}
	switch r.Selection.TagStatus {
	case "any":
		return of + "images"
	case "untagged":
		return of + "untagged images"
	case "tagged":
		var tags []string
		for _, p := range r.Selection.TagPatternList {
			tags = append(tags, fmt.Sprintf("%q", p))
		}
		for _, p := range r.Selection.TagPrefixList {
			tags = append(tags, fmt.Sprintf("%q", p+"*"))
		}
		return of + "images tagged " + strings.Join(tags, " and ")
	}
	return ""
}

// everyTag reports whether a rule for tagged images selects all of them. An image must match every pattern of a list.
func (r rule) everyTag() bool {
	other := func(p string) bool { return strings.Trim(p, "*") != "" }
	return !slices.ContainsFunc(r.Selection.TagPatternList, other) && !slices.ContainsFunc(r.Selection.TagPrefixList, other)
}

// when says when a rule deletes, for a sentence; "" for a condition that we do not know.
func (r rule) when() string {
	n := r.Selection.CountNumber
	unit := strings.TrimSuffix(r.Selection.CountUnit, "s")
	if n != 1 {
		unit += "s"
	}
	switch r.Selection.CountType {
	case "imageCountMoreThan":
		return fmt.Sprintf("expire once there are more than %d", n)
	case "sinceImagePushed":
		return fmt.Sprintf("expire after %d %s", n, unit)
	case "sinceImagePulled":
		return fmt.Sprintf("expire %d %s after they were last pulled", n, unit)
	case "sinceImageTransitioned":
		return fmt.Sprintf("expire %d %s after they were archived", n, unit)
	}
	return ""
}
