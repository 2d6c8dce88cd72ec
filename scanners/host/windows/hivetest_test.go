package windows

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// A hiveNode is a key of a hive that a test writes.
type hiveNode struct {
	name   string
	values []hiveValue
	below  []*hiveNode
}

type hiveValue struct {
	name string
	data any // uint32, string or []byte
}

// set puts a value under a path such as `ControlSet001\Services\EventLog|Start`; a path without a bar is a key. A channel
// has a slash in its name, as it has in the registry.
func (n *hiveNode) set(path string, data any) {
	keys, value, named := strings.Cut(path, "|")
	for name := range strings.SplitSeq(keys, `\`) {
		i := slices.IndexFunc(n.below, func(k *hiveNode) bool { return strings.EqualFold(k.name, name) })
		if i < 0 {
			i = len(n.below)
			n.below = append(n.below, &hiveNode{name: name})
		}
		n = n.below[i]
	}
	if named {
		n.values = append(n.values, hiveValue{value, data})
	}
}

// values are what a test puts in a hive, by path.
type values map[string]any

// hive writes a hive, as https://github.com/msuhanov/regf describes it.
func (v values) hive(t testing.TB) string {
	t.Helper()
	root := &hiveNode{name: "ROOT"}
	paths := make([]string, 0, len(v))
	for p := range v {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, p := range paths {
		if v[p] != nil {
			root.set(p, v[p])
		}
	}
	w := &hiveWriter{}
	w.Write(make([]byte, 32)) // the header of the bin
	sk := w.cell(slices.Concat([]byte("sk\x00\x00"), u32(32, 32, 1, 20), []byte("\x01\x00\x04\x80"), make([]byte, 16)))
	top := w.key(root, 0xFFFFFFFF, 0x2C, sk)
	for w.Len()%4096 != 0 {
		n := 4096 - w.Len()%4096
		w.Write(slices.Concat(u32(uint32(n)), make([]byte, n-4)))
	}
	bin := w.Bytes()
	copy(bin, slices.Concat([]byte("hbin"), u32(0, uint32(len(bin)))))
	base := make([]byte, 4096)
	copy(base, slices.Concat([]byte("regf"), u32(7, 7, 0, 0x1D5_0000, 1, 5, 0, 1, top, uint32(len(bin)), 1)))
	return string(checked(base)) + string(bin)
}

// checked writes the checksum of a base block.
func checked(base []byte) []byte {
	sum := uint32(0)
	for at := 0; at < 508; at += 4 {
		sum ^= binary.LittleEndian.Uint32(base[at:])
	}
	binary.LittleEndian.PutUint32(base[508:], sum)
	return base
}

type hiveWriter struct{ bytes.Buffer }

// cell writes a cell and returns its offset.
func (w *hiveWriter) cell(data []byte) uint32 {
	at, size := w.Len(), (len(data)+4+7)&^7
	w.Write(slices.Concat(u32(uint32(-size)), data, make([]byte, size-4-len(data))))
	return uint32(at)
}

func (w *hiveWriter) key(n *hiveNode, parent uint32, flags uint16, sk uint32) uint32 {
	at := w.cell(make([]byte, 76+len(n.name)))
	slices.SortFunc(n.below, func(a, b *hiveNode) int { return strings.Compare(strings.ToUpper(a.name), strings.ToUpper(b.name)) })
	var below []uint32
	for _, k := range n.below {
		below = append(below, w.key(k, at, 0x20, sk))
	}
	list := uint32(0xFFFFFFFF)
	if len(below) > 0 {
		list = w.list(n.below, below)
	}
	valueList := uint32(0xFFFFFFFF)
	if len(n.values) > 0 {
		var offsets []byte
		for _, v := range n.values {
			offsets = append(offsets, u32(w.value(v))...)
		}
		valueList = w.cell(offsets)
	}
	nk := slices.Concat([]byte("nk"), u16(flags), make([]byte, 8), u32(0, parent, uint32(len(below)), 0, list, 0xFFFFFFFF),
		u32(uint32(len(n.values)), valueList, sk, 0xFFFFFFFF, 128, 0, 64, 1<<16, 0), u16(uint16(len(n.name))), u16(0), []byte(n.name))
	copy(w.Bytes()[at+4:], nk)
	return at
}

// list writes the list of the keys below one: long ones are split in two levels.
func (w *hiveWriter) list(keys []*hiveNode, at []uint32) uint32 {
	const most = 100
	if len(at) > most {
		var parts []byte
		n := 0
		for i := 0; i < len(at); i += most {
			end := min(i+most, len(at))
			parts = append(parts, u32(w.list(keys[i:end], at[i:end]))...)
			n++
		}
		return w.cell(slices.Concat([]byte("ri"), u16(uint16(n)), parts))
	}
	lf := slices.Concat([]byte("lf"), u16(uint16(len(at))))
	for i, offset := range at {
		hint := make([]byte, 4)
		copy(hint, keys[i].name)
		lf = append(lf, slices.Concat(u32(offset), hint)...)
	}
	return w.cell(lf)
}

func (w *hiveWriter) value(v hiveValue) uint32 {
	var data []byte
	kind := uint32(3)
	switch d := v.data.(type) {
	case uint32:
		kind, data = 4, u32(d)
	case int:
		kind, data = 4, u32(uint32(d))
	case string:
		kind, data = 1, wide(d)
	case []byte:
		data = d
	}
	size, at := uint32(len(data)), uint32(0)
	const segment = 16344
	switch {
	case len(data) <= 4:
		size |= 0x80000000
		at = binary.LittleEndian.Uint32(append(slices.Clone(data), 0, 0, 0, 0))
	case len(data) <= segment:
		at = w.cell(data)
	default:
		var list []byte
		for i := 0; i < len(data); i += segment {
			list = append(list, u32(w.cell(data[i:min(i+segment, len(data))]))...)
		}
		at = w.cell(slices.Concat([]byte("db"), u16(uint16(len(list)/4)), u32(w.cell(list), 0)))
	}
	return w.cell(slices.Concat([]byte("vk"), u16(uint16(len(v.name))), u32(size, at, kind), u16(1), u16(0), []byte(v.name)))
}

func u16(n uint16) []byte { return binary.LittleEndian.AppendUint16(nil, n) }

func u32(n ...uint32) (out []byte) {
	for _, one := range n {
		out = binary.LittleEndian.AppendUint32(out, one)
	}
	return out
}

func u64(n ...uint64) (out []byte) {
	for _, one := range n {
		out = binary.LittleEndian.AppendUint64(out, one)
	}
	return out
}

func wide(s string) (out []byte) {
	for _, c := range append(utf16.Encode([]rune(s)), 0) {
		out = append(out, u16(c)...)
	}
	return out
}
