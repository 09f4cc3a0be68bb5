package main

import (
	"crypto/rand"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// layer is how far an attack has come.
type layer int32

const (
	layerTCP layer = iota
	layerNoise
	layerYamux
	layerStream // the node speaks the protocol with us
)

var layerNames = []string{"tcp", "noise", "yamux", "stream"}

func (l layer) String() string { return layerNames[l] }

// attack is one connection of a case. Everything that goes over the wire is counted.
type attack struct {
	target  ma.Multiaddr
	conn    net.Conn // TCP
	until   time.Time
	number  int // of the identity, among those that play the case together
	turn    int // how many connections it has had before
	written atomic.Int64
	read    atomic.Int64
	reached atomic.Int32
	key     crypto.PrivKey // once it is secured
	session *session       // that reads what comes, if one does
	heard   heard          // under the session's mutex
	ids     [][]byte       // of the messages that were heard; likewise
}

var (
	errOver    = errors.New("the time is over")
	errLeaving = errors.New("the identity has done what it came for") // and another one comes
)

func (a *attack) reach(now layer) {
	for {
		was := a.reached.Load()
		if int32(now) <= was || a.reached.CompareAndSwap(was, int32(now)) {
			return
		}
	}
}

func (a *attack) port() int { return a.conn.LocalAddr().(*net.TCPAddr).Port }

// counted counts what goes over a connection, and ends its writing when the time is over.
type counted struct {
	net.Conn
	attack *attack
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.attack.written.Add(int64(n))
	return n, over(err)
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.attack.read.Add(int64(n))
	return n, over(err)
}

// A deadline is our own end; everything else is the node's doing.
func over(err error) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return errOver
	}
	return err
}

// Where attacks on loopback come from: not the address of honest peers, which a node may tell apart from them.
var source = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}

func (a *attack) dial() error {
	transport, _ := peer.SplitAddr(a.target)
	network, address, err := manet.DialArgs(transport)
	if err != nil {
		return err
	}
	dialer := net.Dialer{Deadline: a.until}
	if manet.IsIPLoopback(transport) {
		dialer.LocalAddr = source
	}
	conn, err := dialer.Dial(network, address)
	if err != nil {
		return over(err)
	}
	conn.SetDeadline(a.until)
	a.conn = counted{conn, a}
	return nil
}

// wait reads whatever comes until the node ends the connection or the time is over.
func (a *attack) wait() error {
	if s := a.session; s != nil {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		return s.wait(func() bool { return false })
	}
	buffer := make([]byte, 64<<10)
	for {
		if _, err := a.conn.Read(buffer); err != nil {
			return err
		}
	}
}

// drain throws away what comes, in the background.
func drain(from io.Reader) { go io.Copy(io.Discard, from) }

func (a *attack) over() bool { return time.Now().After(a.until) }

func (a *attack) raw(bytes []byte) error {
	_, err := a.conn.Write(bytes)
	return err
}

// again repeats a step until it fails or the time is over.
func (a *attack) again(step func(i int) error) error {
	for i := 0; !a.over(); i++ {
		if err := step(i); err != nil {
			return err
		}
	}
	return errOver
}

// slowly does one step now and one after each pause.
func (a *attack) slowly(pause time.Duration, step func(i int) error) error {
	return a.again(func(i int) error {
		if i > 0 {
			time.Sleep(min(pause, time.Until(a.until)))
		}
		return step(i)
	})
}

func noise(size int) []byte {
	out := make([]byte, size)
	rand.Read(out)
	return out
}
