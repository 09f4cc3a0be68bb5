package main

import (
	"io"
	"net"
	"sync"
	"time"
)

// quiet is how long a side must not write to count as done; the sides compute for microseconds between writes.
const quiet = 60 * time.Millisecond

// wire is a connection whose far end is this program: what is written is collected, what is to be read is delivered.
// So both directions can be ordered, and every run gives the same recording.
type wire struct {
	mu      sync.Mutex
	arrived sync.Cond
	in, out []byte
	closed  bool
	last    time.Time
}

func newWire() *wire {
	w := &wire{last: time.Now()}
	w.arrived.L = &w.mu
	return w
}

func (w *wire) Read(to []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.in) == 0 {
		if w.closed {
			return 0, io.EOF
		}
		w.arrived.Wait()
	}
	n := copy(to, w.in)
	w.in = w.in[n:]
	w.last = time.Now()
	return n, nil
}

func (w *wire) Write(data []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 0, io.ErrClosedPipe
	}
	w.out = append(w.out, data...)
	w.last = time.Now()
	return len(data), nil
}

func (w *wire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.arrived.Broadcast()
	return nil
}

func (w *wire) deliver(data []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.in = append(w.in, data...)
	w.last = time.Now()
	w.arrived.Broadcast()
}

// settle waits until the side is done and takes what it wrote.
func (w *wire) settle() []byte {
	w.mu.Lock()
	w.last = time.Now()
	w.mu.Unlock()
	for {
		w.mu.Lock()
		if time.Since(w.last) >= quiet {
			out := w.out
			w.out = nil
			w.mu.Unlock()
			return out
		}
		w.mu.Unlock()
		time.Sleep(quiet / 10)
	}
}

func (w *wire) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (w *wire) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }
