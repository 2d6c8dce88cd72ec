package windows

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"www.velocidex.com/golang/regparser"

	"lookback/evidence"
	"lookback/scanners/host/root"
	"lookback/scanners/host/scope"
)

// Limits of what a hive may cost. A read is a few bytes: a key among a thousand takes some ten thousand of them.
const (
	maxReads  = 1 << 18 // of one question
	maxHive   = 1 << 24 // of all questions to one hive
	maxValue  = 4 << 20 // bytes of one value: the rules of a large Sysmon configuration have two million
	pageSize  = 1 << 12
	pagesKept = 1 << 11
)

var errTooMuch = errors.New("it takes more reads than a sound hive does")

// A hive is a file of the registry. Regparser, which reads it, was not written for hostile bytes. It is kept in bounds here:
// each call of it goes through [hive.ask], which turns a panic into an error and limits the reads; and what a key promises
// is compared with what came, since the library leaves out what it cannot read.
type hive struct {
	file  string
	reg   *regparser.Registry
	pages *pages
	err   error  // why nothing can be read
	dirty string // what is to be said of all facts
	left  int
}

// openHive opens a hive, until done is called. That it cannot be read is the answer of each question to it.
func openHive(r *root.Root, name string) (h *hive, done func()) {
	h = &hive{file: name, left: maxHive}
	f, err := r.Open(name)
	if err != nil {
		h.err = err
		return h, func() {}
	}
	done = func() { f.Close() }
	info, err := f.Stat()
	if err != nil {
		h.err = err
		return h, done
	}
	h.read(f, info.Size())
	return h, done
}

// read looks at the base block: https://github.com/msuhanov/regf/blob/master/Windows%20registry%20file%20format%20specification.md
func (h *hive) read(f io.ReaderAt, size int64) {
	var base [512]byte
	if _, err := f.ReadAt(base[:], 0); err != nil {
		h.err = err
		return
	}
	u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(base[at:]) }
	sum := uint32(0)
	for at := 0; at < 508; at += 4 {
		sum ^= u32(at)
	}
	switch {
	case string(base[:4]) != "regf":
		h.err = errors.New("not a registry hive")
	case u32(20) != 1 || u32(28) != 0:
		h.err = fmt.Errorf("a hive of version %d.%d, type %d, is not known", u32(20), u32(24), u32(28))
	case 4096+int64(u32(40)) > size:
		h.err = fmt.Errorf("it breaks off: %d bytes, of %d", size, 4096+int64(u32(40)))
	case u32(4) != u32(8) || sum != u32(508):
		h.dirty = "the hive was not closed: what its .LOG1 and .LOG2 add is not in it"
	}
	h.pages = &pages{file: f, kept: map[int64][]byte{}}
	if h.err == nil {
		h.err = h.ask(maxReads, func() (err error) {
			h.reg, err = regparser.NewRegistry(h.pages)
			return err
		})
	}
}

// ask runs a piece of the library.
func (h *hive) ask(reads int, question func() error) (err error) {
	if h.left <= 0 {
		return errTooMuch
	}
	h.pages.left, h.pages.err = min(reads, h.left), nil
	defer func() {
		h.left -= reads - h.pages.left
		if r := recover(); r != nil {
			err = fmt.Errorf("it does not parse: %v", r)
		}
		if h.pages.err != nil {
			err = h.pages.err
		}
	}()
	return question()
}

// at is where something stands.
func (h *hive) at(path string) evidence.Origin {
	at := scope.At(h.file, 0).WithNote(h.dirty)
	at.Of = path
	return at
}

// key returns a key below the root.
func (h *hive) key(path ...string) key {
	k := key{h: h, err: h.err}
	if h.err == nil {
		k.err = h.ask(maxReads, func() error {
			cell := h.reg.Profile.HCELL(h.pages, 0x1000+int64(h.reg.BaseBlock.RootCell()))
			if k.node = cell.KeyNode(); k.node == nil {
				return errors.New("it has no root key")
			}
			return nil
		})
	}
	return k.key(path...)
}

// A key of a hive. The zero node is one that is not there.
type key struct {
	h    *hive
	node *regparser.CM_KEY_NODE
	path string
	err  error // why it cannot be told what is in it
}

// key returns a key within. Names are told apart without their case.
func (k key) key(path ...string) key {
	for _, name := range path {
		next := key{h: k.h, err: k.err, path: strings.TrimPrefix(k.path+`\`+name, `\`)}
		for _, child := range k.keys(&next.err) {
			if strings.EqualFold(child.name(), name) {
				next.node = child.node
				break
			}
		}
		k = next
	}
	return k
}

// name is the last element of the path.
func (k key) name() string { return k.path[strings.LastIndexByte(k.path, '\\')+1:] }

// there says whether there is such a key.
func (k key) there() evidence.Value[bool] {
	if k.err != nil {
		return scope.Unknown[bool](k.err, k.h.at(k.path))
	}
	return evidence.Known(k.node != nil, k.h.at(k.path))
}

// keys lists what lies right below.
func (k key) keys(failed *error) (out []key) {
	if k.err != nil {
		*failed = k.err
		return nil
	}
	if k.node == nil {
		return nil
	}
	err := k.h.ask(maxReads, func() error {
		nodes := k.node.Subkeys()
		if want := k.node.SubKeyCounts()[0]; len(nodes) != int(want) {
			return fmt.Errorf("%d keys can be read below %q, of %d", len(nodes), k.path, want)
		}
		for _, n := range nodes {
			name := n.Name()
			if name == "" || len(name) != int(n.NameLength()) || 0x1000+4+int64(n.Parent()) != k.node.Offset {
				return fmt.Errorf("a key below %q cannot be read", k.path)
			}
			out = append(out, key{h: k.h, node: n, path: strings.TrimPrefix(k.path+`\`+strings.ToValidUTF8(name, "\uFFFD"), `\`)})
		}
		return nil
	})
	if err != nil {
		*failed = err
		return nil
	}
	return out
}

// value returns what stands under a name; moot where nothing does.
func (k key) value(name string) evidence.Value[regparser.ValueData] {
	at := k.h.at(strings.TrimPrefix(k.path+`\`+name, `\`))
	if k.err != nil {
		return scope.Unknown[regparser.ValueData](k.err, at)
	}
	var found *regparser.CM_KEY_VALUE
	if k.node != nil {
		err := k.h.ask(maxReads, func() error {
			values := k.node.Values()
			if want := k.node.ValueList().Count(); len(values) != int(want) {
				return fmt.Errorf("%d values can be read of %q, of %d", len(values), k.path, want)
			}
			for _, v := range values {
				if strings.EqualFold(v.ValueName(), name) {
					found = v
					return nil
				}
			}
			return nil
		})
		if err != nil {
			return scope.Unknown[regparser.ValueData](err, at)
		}
	}
	if found == nil {
		return evidence.Moot[regparser.ValueData](at)
	}
	var data regparser.ValueData
	err := k.h.ask(maxReads+maxValue, func() error {
		size := found.DataSize()
		if size > maxValue {
			return fmt.Errorf("the value %q has %d bytes", name, size)
		}
		data = *found.ValueData()
		if int64(len(data.Data)) < size {
			return fmt.Errorf("the value %q breaks off", name)
		}
		data.Data = data.Data[:size]
		return data.Error
	})
	if err != nil {
		return scope.Unknown[regparser.ValueData](err, at)
	}
	return evidence.Known(data, at)
}

// number returns a value that is a number, or a text that reads as one: policies have both. It is moot where there is none.
func (k key) number(name string) evidence.Value[int64] {
	return as(k.value(name), func(d regparser.ValueData) (int64, error) {
		switch d.Type {
		case regparser.REG_DWORD, regparser.REG_DWORD_BIG_ENDIAN, regparser.REG_QWORD:
			return int64(d.Uint64), nil
		case regparser.REG_SZ, regparser.REG_EXPAND_SZ:
			return strconv.ParseInt(strings.TrimSpace(until0(d.String)), 10, 64)
		}
		return 0, errors.New("not a number")
	})
}

// text returns a value that is a text; moot where there is none.
func (k key) text(name string) evidence.Value[string] {
	return as(k.value(name), func(d regparser.ValueData) (string, error) {
		if d.Type != regparser.REG_SZ && d.Type != regparser.REG_EXPAND_SZ {
			return "", errors.New("not a text")
		}
		return until0(d.String), nil
	})
}

// bytes returns a value as it is; moot where there is none.
func (k key) bytes(name string) evidence.Value[[]byte] {
	return as(k.value(name), func(d regparser.ValueData) ([]byte, error) { return d.Data, nil })
}

func until0(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	return s
}

// as reads a value as one of another type. What it cannot be read as is unfamiliar.
func as[A, B any](v evidence.Value[A], read func(A) (B, error)) evidence.Value[B] {
	a, known := v.Get()
	switch {
	case v.IsMoot():
		return evidence.Moot[B](v.At())
	case !known:
		return evidence.Unknown[B](v.Why(), v.At())
	}
	b, err := read(a)
	if err != nil {
		return evidence.Unknown[B](evidence.Unfamiliar, note(v.At(), err.Error()))
	}
	return evidence.Known(b, v.At())
}

// first is the first of several values that is there: a policy, what is set by hand, a default.
func first[T any](values ...evidence.Value[T]) evidence.Value[T] {
	for _, v := range values[:len(values)-1] {
		if !v.IsMoot() {
			return v
		}
	}
	return values[len(values)-1]
}

// or gives a value that is not there its default.
func or[T any](v evidence.Value[T], otherwise T, why string) evidence.Value[T] {
	if v.IsMoot() {
		return evidence.Known(otherwise, note(v.At(), why))
	}
	return v
}

// note adds a word to an origin.
func note(at evidence.Origin, text string) evidence.Origin {
	if at.Note != "" {
		text += "; " + at.Note
	}
	return at.WithNote(text)
}

// pages reads a file by pages and keeps some, for the library asks for a few bytes at a time. Once its reads are spent, or
// the file fails, the file is at its end for the library, which stops there.
type pages struct {
	file io.ReaderAt
	kept map[int64][]byte
	left int
	err  error
}

func (p *pages) ReadAt(to []byte, at int64) (n int, err error) {
	if p.left--; p.left < 0 && p.err == nil {
		p.err = errTooMuch
	}
	for n < len(to) && p.err == nil && at >= 0 {
		page := p.page((at + int64(n)) / pageSize)
		within := int((at + int64(n)) % pageSize)
		if within >= len(page) {
			return n, io.EOF
		}
		n += copy(to[n:], page[within:])
	}
	if n < len(to) {
		return n, io.EOF
	}
	return n, nil
}

func (p *pages) page(number int64) []byte {
	if page, ok := p.kept[number]; ok {
		return page
	}
	page := make([]byte, pageSize)
	n, err := p.file.ReadAt(page, number*pageSize)
	if err != nil && !errors.Is(err, io.EOF) {
		p.err = err
		return nil
	}
	if len(p.kept) == pagesKept {
		clear(p.kept)
	}
	p.kept[number] = page[:n]
	return page[:n]
}
