// Command torturer is a peer that knows the protocols and breaks them: it dials a node, goes as far as its case needs (TCP, Noise,
// Yamux, a stream), and then misbehaves until it is thrown out or its time is over. It shares no code with what it attacks.
//
//	torturer list
//	torturer CASE ADDRESS [seconds]
//
// It prints one line: what it wrote and read, whether the node ended the connection and after how long.
package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"opp2p.example/interop/internal/jsonlines"
)

// attack is one run of a case. Everything that goes over the wire is counted.
type attack struct {
	target  ma.Multiaddr
	conn    net.Conn // TCP
	until   time.Time
	written atomic.Int64
	read    atomic.Int64
}

type verdict struct {
	Case    string  `json:"case"`
	Written int64   `json:"written"`
	Read    int64   `json:"read"`
	Closed  bool    `json:"closed"`  // by the node
	Seconds float64 `json:"seconds"` // until then, or all of its time
	Why     string  `json:"why,omitempty"`
}

var errOver = errors.New("the time is over")

func main() {
	if len(os.Args) == 2 && os.Args[1] == "list" {
		for _, name := range names() {
			fmt.Println(name)
		}
		return
	}
	if len(os.Args) < 3 {
		fail(fmt.Errorf("usage: torturer list | torturer CASE ADDRESS [seconds]"))
	}
	run, ok := cases[os.Args[1]]
	if !ok {
		fail(fmt.Errorf("there is no case %q", os.Args[1]))
	}
	seconds := 2.0
	if len(os.Args) > 3 {
		value, err := strconv.ParseFloat(os.Args[3], 64)
		if err != nil {
			fail(err)
		}
		seconds = value
	}
	target, err := ma.NewMultiaddr(os.Args[2])
	if err != nil {
		fail(err)
	}
	a := &attack{target: target, until: time.Now().Add(time.Duration(seconds * float64(time.Second)))}
	start := time.Now()
	if err := a.dial(); err != nil {
		fail(err)
	}
	err = run(a)
	if err == nil || errors.Is(err, errOver) {
		err = a.wait()
	}
	a.conn.Close()
	v := verdict{Case: os.Args[1], Written: a.written.Load(), Read: a.read.Load(), Closed: !errors.Is(err, errOver),
		Seconds: time.Since(start).Seconds()}
	if v.Closed {
		v.Why = err.Error()
	}
	jsonlines.Stdout().Emit(v)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "torturer:", err)
	os.Exit(1)
}

func names() []string {
	var out []string
	for name := range cases {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

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

func (a *attack) dial() error {
	conn, err := manet.Dial(withoutPeer(a.target))
	if err != nil {
		return err
	}
	conn.SetDeadline(a.until)
	a.conn = counted{conn, a}
	return nil
}

// wait reads whatever comes until the node ends the connection or the time is over.
func (a *attack) wait() error {
	buffer := make([]byte, 64<<10)
	for {
		if _, err := a.conn.Read(buffer); err != nil {
			return err
		}
	}
}

// drain throws away what comes, in the background.
func (a *attack) drain(from io.Reader) {
	go io.Copy(io.Discard, from)
}

func (a *attack) over() bool { return time.Now().After(a.until) }

// again repeats a step until it fails or the time is over.
func (a *attack) again(step func(i int) error) error {
	for i := 0; !a.over(); i++ {
		if err := step(i); err != nil {
			return err
		}
	}
	return errOver
}

// slowly does one step in each pause.
func (a *attack) slowly(pause time.Duration, step func(i int) error) error {
	return a.again(func(i int) error {
		time.Sleep(pause)
		return step(i)
	})
}

func noise(size int) []byte {
	out := make([]byte, size)
	rand.Read(out)
	return out
}
