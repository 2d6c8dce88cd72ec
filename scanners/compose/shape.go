package compose

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/format"
	"github.com/compose-spec/compose-go/v2/types"
)

// A shape says what a key of a Compose file may hold. It returns it in a form that compose-go can merge and decode
// without a surprise, or an error.
type shape func(v any) (any, error)

// serviceShapes returns the keys of a service that matter here. The others, and mistakes in them, are none of our
// business: a mistake in "healthcheck:" does not keep anybody from judging where a service logs.
func serviceShapes() map[string]shape {
	return map[string]shape{
		"image":          text1,
		"container_name": text1,
		"hostname":       text1,
		"read_only":      text1,
		"scale":          text1,
		"build":          buildShape,
		"command":        words,
		"entrypoint":     words,
		"logging":        fields(map[string]shape{"driver": text1, "options": pairs}),
		"volumes":        list(volumeShape),
		"volumes_from":   texts,
		"tmpfs":          texts,
		"environment":    pairs,
		"env_file":       envFileShape,
		"label_file":     texts,
		"labels":         pairs,
		"profiles":       texts,
		"configs":        list(either(text1, fields(map[string]shape{"source": text1, "target": text1}))),
		"secrets":        list(either(text1, fields(map[string]shape{"source": text1, "target": text1}))),
		"networks":       networksShape,
		"network_mode":   anyText,
		"ports":          portsShape,
		"deploy":         fields(map[string]shape{"replicas": text1}),
		"extends":        extendsShape,
		"provider":       fields(nil),
	}
}

func volumeShapes() map[string]shape {
	return map[string]shape{"name": text1, "driver": text1, "driver_opts": pairs, "external": externalShape}
}

func fileShapes() map[string]shape {
	return map[string]shape{"name": text1, "file": text1, "content": text1, "environment": text1, "external": externalShape}
}

var errEntries = fmt.Errorf("of more than %d entries, the limit", maxEntries)

func text1(v any) (any, error) {
	if _, ok := v.(string); !ok {
		return nil, errors.New("not a text")
	}
	return v, nil
}

// texts takes one text or a list of them.
func texts(v any) (any, error) {
	if _, ok := v.(string); ok {
		return []any{v}, nil
	}
	return list(text1)(v)
}

func list(item shape) shape {
	return func(v any) (any, error) {
		in, ok := v.([]any)
		if !ok {
			return nil, errors.New("not a list")
		}
		if len(in) > maxEntries {
			return nil, errEntries
		}
		out := make([]any, 0, len(in))
		for _, v := range in {
			if v == nil {
				continue
			}
			v, err := item(v)
			if err != nil {
				return nil, fmt.Errorf("an item is %w", err)
			}
			out = append(out, v)
		}
		return out, nil
	}
}

func either(shapes ...shape) shape {
	return func(v any) (out any, err error) {
		for _, s := range shapes {
			if out, err = s(v); err == nil {
				return out, nil
			}
		}
		return nil, err
	}
}

// fields takes a mapping, and of it the keys that are named.
func fields(of map[string]shape) shape {
	return func(v any) (any, error) {
		in, ok := v.(map[string]any)
		if !ok {
			return nil, errors.New("not a mapping")
		}
		out := make(map[string]any, len(in))
		for _, key := range slices.Sorted(maps.Keys(in)) {
			s, ok := of[key]
			if !ok || in[key] == nil {
				continue
			}
			v, err := s(in[key])
			if err != nil {
				return nil, fmt.Errorf("%s is %w", key, err)
			}
			out[key] = v
		}
		return out, nil
	}
}

// pairs takes "KEY=value" as a list or as a mapping.
func pairs(v any) (any, error) {
	if in, ok := v.(map[string]any); ok {
		if len(in) > maxEntries {
			return nil, errEntries
		}
		for _, key := range slices.Sorted(maps.Keys(in)) {
			if v := in[key]; v != nil {
				if _, err := text1(v); err != nil {
					return nil, fmt.Errorf("%s is %w", key, err)
				}
			}
		}
		return in, nil
	}
	out, err := list(text1)(v)
	if err != nil && !errors.Is(err, errEntries) {
		return nil, errors.New("neither a mapping of texts nor a list of them")
	}
	return out, err
}

// words takes a command line: a list, or a text that is split as a shell would. Unlike a list it may be empty, which is
// not the same as absent: it clears what the image says.
func words(v any) (any, error) {
	s, ok := v.(string)
	if !ok {
		return list(text1)(v)
	}
	if len(s) > 8<<10 {
		return nil, errors.New("too long to be taken apart; write it as a list")
	}
	var cmd types.ShellCommand
	if err := cmd.DecodeMapstructure(s); err != nil {
		return nil, fmt.Errorf("no command line that Docker Compose can take apart: %w", err)
	}
	out := make([]any, len(cmd))
	for i, word := range cmd {
		out[i] = word
	}
	return out, nil
}

func volumeShape(v any) (any, error) {
	if s, ok := v.(string); ok {
		if _, err := format.ParseVolume(s); err != nil {
			return nil, fmt.Errorf("no volume: %s", written(err.Error()))
		}
		return s, nil
	}
	v, err := fields(map[string]shape{
		"type": text1, "source": text1, "target": text1, "read_only": text1, "volume": fields(map[string]shape{"nocopy": text1}),
	})(v)
	if err != nil {
		return nil, err
	}
	m := v.(map[string]any)
	if m["target"] == nil {
		return nil, errors.New("a volume without a target")
	}
	return castBools(m, "read_only", "volume.nocopy"), nil
}

func envFileShape(v any) (any, error) {
	item := either(text1, fields(map[string]shape{"path": text1, "required": text1, "format": text1}))
	if _, ok := v.([]any); !ok {
		v = []any{v}
	}
	out, err := list(item)(v)
	if err != nil {
		return nil, err
	}
	for _, v := range out.([]any) {
		if m, ok := v.(map[string]any); ok {
			if m["path"] == nil {
				return nil, errors.New("an env file without a path")
			}
			castBools(m, "required")
		}
	}
	return out, nil
}

func networksShape(v any) (any, error) {
	in, ok := v.(map[string]any)
	if !ok {
		return texts(v)
	}
	if len(in) > maxEntries {
		return nil, errEntries
	}
	out := make(map[string]any, len(in))
	for _, name := range slices.Sorted(maps.Keys(in)) {
		m, ok := in[name].(map[string]any)
		if !ok {
			out[name] = nil
			continue
		}
		v, err := fields(map[string]shape{"aliases": texts})(m)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = v
	}
	return out, nil
}

// notRead stands for what cannot be read of the keys that are judged no mistake here.
const notRead = "?"

func anyText(v any) (any, error) {
	if _, ok := v.(string); !ok {
		return notRead, nil
	}
	return v, nil
}

// portsShape brings every entry into the short syntax: "24224:24224/udp". It takes whatever is written.
func portsShape(v any) (any, error) {
	in, ok := v.([]any)
	if !ok || len(in) > maxEntries {
		return []any{notRead}, nil
	}
	out := make([]any, len(in))
	for i, v := range in {
		out[i] = notRead
		switch v := v.(type) {
		case string:
			out[i] = v
		case map[string]any:
			published, _ := v["published"].(string)
			target, _ := v["target"].(string)
			out[i] = published + ":" + target
		}
	}
	return out, nil
}

func buildShape(v any) (any, error) {
	if s, ok := v.(string); ok {
		v = map[string]any{"context": s}
	}
	return fields(map[string]shape{
		"context": text1, "dockerfile": text1, "dockerfile_inline": text1, "target": text1, "args": pairs,
	})(v)
}

func extendsShape(v any) (any, error) {
	if s, ok := v.(string); ok {
		v = map[string]any{"service": s}
	}
	out, err := fields(map[string]shape{"service": text1, "file": text1})(v)
	if err == nil && out.(map[string]any)["service"] == nil {
		err = errors.New("without a service")
	}
	return out, err
}

// externalShape also takes the older {external: {name: data}}.
func externalShape(v any) (any, error) {
	if _, ok := v.(map[string]any); ok {
		return true, nil
	}
	s, ok := v.(string)
	if !ok {
		return nil, errors.New("neither true nor false")
	}
	b, known := truth(s)
	return b || !known, nil // a variable: at least somebody thought of it as made elsewhere
}

// truth reads what YAML and Docker Compose take for true and false.
func truth(s string) (value, known bool) {
	switch strings.ToLower(s) {
	case "true", "yes", "y", "on":
		return true, true
	case "false", "no", "n", "off":
		return false, true
	}
	return false, false
}

// castBools turns texts into true and false, in place, and drops what is neither.
func castBools(m map[string]any, keys ...string) map[string]any {
	for _, key := range keys {
		in := m
		if outer, inner, nested := strings.Cut(key, "."); nested {
			in, _ = m[outer].(map[string]any)
			key = inner
		}
		s, ok := in[key].(string)
		if !ok {
			continue
		}
		delete(in, key)
		if b, known := truth(s); known {
			in[key] = b
		}
	}
	return m
}
