// Command torturer is a peer that knows the protocols and breaks them: it dials a node, goes as far as its case needs (TCP, Noise,
// Yamux, a stream), and then misbehaves until it is thrown out, whereupon it comes back as somebody else, until its time is over. It
// shares no code with what it attacks.
//
//	torturer list
//	torturer CASE ADDRESS [seconds]
//
// The first prints one line of JSON for each case: what a good node does with it. The second prints one line of what happened.
package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	ma "github.com/multiformats/go-multiaddr"

	"opp2p.example/interop/internal/jsonlines"
)

type verdict struct {
	Case        string  `json:"case"`
	Connections int     `json:"connections"`
	Refused     int     `json:"refused"`   // of them, before the case could begin
	ThrownOut   int     `json:"thrownOut"` // of the others, by the node
	Seconds     float64 `json:"seconds"`   // until it was thrown out for the first time, or all of its time
	Reached     string  `json:"reached"`   // the highest layer
	Written     int64   `json:"written"`
	Read        int64   `json:"read"`
	Port        int     `json:"port"` // of the first connection that was not refused
	Heard       heard   `json:"heard"`
	Why         string  `json:"why,omitempty"`
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "list" {
		for _, name := range names() {
			jsonlines.Stdout().Emit(about(name))
		}
		return
	}
	if len(os.Args) < 3 {
		fail(fmt.Errorf("usage: torturer list | torturer CASE ADDRESS [seconds]"))
	}
	one, ok := cases[os.Args[1]]
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
	v, err := torture(one, target, time.Duration(seconds*float64(time.Second)))
	if err != nil {
		fail(err)
	}
	v.Case = os.Args[1]
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

func about(name string) any {
	one := cases[name]
	return struct {
		Case    string `json:"case"`
		Reaches string `json:"reaches"`
		Ends    string `json:"ends"`
		Why     string `json:"why,omitempty"`
		Written int64  `json:"written"`
		Hears   string `json:"hears,omitempty"`
	}{name, one.reaches.String(), one.ends, one.why, one.written, one.hears}
}

// torture runs a case again and again until its time is over.
func torture(one torment, target ma.Multiaddr, lasting time.Duration) (verdict, error) {
	start := time.Now()
	until := start.Add(lasting)
	var v verdict
	var reached layer
	for {
		a := &attack{target: target, until: until}
		if err := a.dial(); err != nil {
			if errors.Is(err, errOver) && v.Connections > 0 {
				return v, nil
			}
			return v, fmt.Errorf("after %d connections: %w", v.Connections, err)
		}
		err := one.run(a)
		if err == nil || errors.Is(err, errOver) || errors.Is(err, errReset) || errors.Is(err, errRefused) {
			err = a.wait()
		}
		a.conn.Close()
		v.Connections++
		v.Written += a.written.Load()
		v.Read += a.read.Load()
		got := layer(a.reached.Load())
		reached = max(reached, got)
		v.Reached = reached.String()
		v.Heard.add(a.said())
		if errors.Is(err, errOver) {
			if v.Seconds == 0 {
				v.Seconds = lasting.Seconds()
			}
			if v.Port == 0 {
				v.Port = a.port()
			}
			return v, nil
		}
		if got < one.reaches {
			v.Refused++
			if v.Why == "" {
				v.Why = err.Error()
			}
			time.Sleep(10 * time.Millisecond)
			continue
		}
		v.ThrownOut++
		if v.ThrownOut == 1 {
			v.Seconds, v.Port, v.Why = time.Since(start).Seconds(), a.port(), err.Error()
		}
	}
}
