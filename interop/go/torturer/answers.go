package main

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/golang/snappy"
)

// What an honest peer says of itself: that it speaks the protocols under attack. A node opens no gossip stream to who does not.
func identity() []byte {
	var out []byte
	for _, id := range []string{string(gossip), string(identify), string(push), string(ping)} {
		out = append(out, field(3, []byte(id))...)
	}
	out = append(out, field(5, []byte("ipfs/0.1.0"))...)
	return append(out, field(6, []byte("torturer"))...)
}

func answerIdentify(t *stream, _ []byte) { answerIdentifyWith(lengthPrefixed(identity()))(t, nil) }

func answerIdentifyWith(answer []byte) func(*stream, []byte) {
	return func(t *stream, _ []byte) {
		go func() { // it waits for credit, which the reader brings
			t.session.reach(layerStream)
			if t.write(answer) == nil {
				t.session.send(data(t.id, flagFIN, nil))
			}
		}()
	}
}

// What the node has said in gossip, by the fields of its RPCs.
type heard struct {
	Messages int64 `json:"messages"`
	IHave    int64 `json:"ihave"`
	IWant    int64 `json:"iwant"` // ids
	Graft    int64 `json:"graft"`
	Prune    int64 `json:"prune"`
	Resets   int64 `json:"resets"` // of our streams
}

func (h *heard) add(o heard) {
	h.Messages += o.Messages
	h.IHave += o.IHave
	h.IWant += o.IWant
	h.Graft += o.Graft
	h.Prune += o.Prune
	h.Resets += o.Resets
}

func (t *stream) hearGossip(payload []byte) {
	t.remainder = append(t.remainder, payload...)
	frames, rest := messages(t.remainder)
	t.session.mutex.Lock()
	defer t.session.mutex.Unlock()
	for _, rpc := range frames {
		fields(rpc, func(number uint64, contents []byte) {
			switch number {
			case published:
				t.session.heard.Messages++
				t.session.ids = append(t.session.ids, idOf(contents))
			case control:
				fields(contents, func(kind uint64, entry []byte) { t.session.heard.count(kind, entry) })
			}
		})
	}
	t.remainder = append([]byte(nil), rest...)
	t.session.changed.Broadcast()
}

func (h *heard) count(kind uint64, entry []byte) {
	switch kind {
	case ihave:
		h.IHave++
	case iwant:
		fields(entry, func(uint64, []byte) { h.IWant++ })
	case graft:
		h.Graft++
	case prune:
		h.Prune++
	}
}

// idOf is op-node's id of a message: of its topic and its contents.
func idOf(message []byte) []byte {
	var topic, contents []byte
	fields(message, func(number uint64, value []byte) {
		switch number {
		case 2:
			contents, _ = snappy.Decode(nil, value)
		case 4:
			topic = value
		}
	})
	hash := sha256.New()
	hash.Write([]byte{1, 0, 0, 0})
	hash.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(topic))))
	hash.Write(topic)
	hash.Write(contents)
	return hash.Sum(nil)[:20]
}

// said is what the node has said on the connection.
func (a *attack) said() heard {
	if a.session != nil {
		a.session.mutex.Lock()
		defer a.session.mutex.Unlock()
	}
	return a.heard
}
