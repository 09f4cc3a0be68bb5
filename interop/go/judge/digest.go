package main

import "encoding/binary"

// digest is FNV-1a over a canonical form of what was read: numbers as 8 bytes little-endian, bytes with their length in front, what may be
// absent behind a byte that says whether it is there. The C++ side has the same.
type digest struct {
	sum  uint64
	keep bool
	kept []byte
	more []byte // goes behind the digest
}

func (d *digest) reset() { d.sum = 14695981039346656037 }

func (d *digest) raw(b []byte) {
	for _, c := range b {
		d.sum = (d.sum ^ uint64(c)) * 1099511628211
	}
	if d.keep {
		d.kept = append(d.kept, b...)
	}
}

func (d *digest) number(v uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	d.raw(b[:])
}

func (d *digest) flag(v bool) {
	if v {
		d.raw([]byte{1})
	} else {
		d.raw([]byte{0})
	}
}

func (d *digest) bytes(b []byte) {
	d.number(uint64(len(b)))
	d.raw(b)
}

func (d *digest) optional(b []byte) {
	d.flag(b != nil)
	if b != nil {
		d.bytes(b)
	}
}

func (d *digest) optionalText(s *string) {
	d.flag(s != nil)
	if s != nil {
		d.bytes([]byte(*s))
	}
}

func (d *digest) optionalFlag(v *bool) {
	d.flag(v != nil)
	if v != nil {
		d.flag(*v)
	}
}

func (d *digest) detail() []byte {
	return append(binary.LittleEndian.AppendUint64(nil, d.sum), d.more...)
}
