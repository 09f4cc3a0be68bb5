// Command torturer is a peer that knows the protocols and breaks them: it dials a node, goes as far as its case needs (TCP, Noise,
// Yamux, a stream), and then misbehaves until it is thrown out, whereupon it comes back as somebody else, until its time is over. It
// shares no code with what it attacks. A case may be played by many identities at once, each with a connection of its own;
// `first` is the number of the first of them, where several processes play a case together.
//
//	torturer list
//	torturer CASE ADDRESS [seconds [identities [first]]]
//	torturer bridge FORM FROM TO [seconds]
//
// The first prints one line of JSON for each case: what a good node does with it. The second prints one line of what happened. The
// third passes every block that one node gossips to another one, in another encoding (bridge.go), and prints how many.
package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	ma "github.com/multiformats/go-multiaddr"

	"opp2p.example/interop/internal/jsonlines"
)

type verdict struct {
	Case        string  `json:"case"`
	Identities  int     `json:"identities"` // at a time
	Connections int     `json:"connections"`
	Refused     int     `json:"refused"`   // of them, before the case could begin
	Held        int     `json:"held"`      // of them, that were open when the time was over
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
	if len(os.Args) >= 5 && os.Args[1] == "bridge" {
		if err := bridge(os.Args[2], os.Args[3], os.Args[4], seconds(5, 10)); err != nil {
			fail(err)
		}
		return
	}
	if len(os.Args) < 3 {
		fail(fmt.Errorf("usage: torturer list | torturer CASE ADDRESS [seconds [identities [first]]] | torturer bridge FORM FROM TO [seconds]"))
	}
	one, ok := cases[os.Args[1]]
	if !ok {
		fail(fmt.Errorf("there is no case %q", os.Args[1]))
	}
	target, err := ma.NewMultiaddr(os.Args[2])
	if err != nil {
		fail(err)
	}
	if len(os.Args) > 4 {
		one.identities, err = strconv.Atoi(os.Args[4])
		if err != nil {
			fail(err)
		}
	}
	first := 0
	if len(os.Args) > 5 {
		first, err = strconv.Atoi(os.Args[5])
		if err != nil {
			fail(err)
		}
	}
	v, err := tortureTogether(one, target, seconds(3, 2), first)
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

// seconds is the argument at a place, or what it is without one.
func seconds(place int, usual float64) time.Duration {
	value := usual
	if len(os.Args) > place {
		var err error
		if value, err = strconv.ParseFloat(os.Args[place], 64); err != nil {
			fail(err)
		}
	}
	return time.Duration(value * float64(time.Second))
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
		Memory  int    `json:"memory,omitempty"`
		Blocks  int    `json:"blocksMs,omitempty"`
		Shared  bool   `json:"shared,omitempty"` // it is after what all peers share
	}{name, one.reaches.String(), one.ends, one.why, one.written, one.hears, one.memory, one.blocksMs, isShared(name)}
}

// tortureTogether has all identities of a case play it at once, and adds up what happened to them.
func tortureTogether(one torment, target ma.Multiaddr, lasting time.Duration, first int) (verdict, error) {
	count := max(one.identities, 1)
	verdicts, errs := make([]verdict, count), make([]error, count)
	var all sync.WaitGroup
	for i := range count {
		all.Go(func() { verdicts[i], errs[i] = torture(one, target, lasting, first+i) })
	}
	all.Wait()
	sum := verdict{Identities: count, Reached: layerTCP.String()}
	for _, v := range verdicts {
		sum.add(v)
	}
	if sum.Connections == 0 {
		return sum, errors.Join(errs...)
	}
	return sum, nil
}

func (v *verdict) add(o verdict) {
	if v.Port == 0 || v.ThrownOut == 0 && o.ThrownOut > 0 {
		v.Port, v.Seconds, v.Why = o.Port, o.Seconds, o.Why
	}
	v.Connections += o.Connections
	v.Refused += o.Refused
	v.Held += o.Held
	v.ThrownOut += o.ThrownOut
	v.Written += o.Written
	v.Read += o.Read
	v.Heard.add(o.Heard)
	if slices.Index(layerNames, o.Reached) > slices.Index(layerNames, v.Reached) {
		v.Reached = o.Reached
	}
}

// torture runs a case again and again until its time is over.
func torture(one torment, target ma.Multiaddr, lasting time.Duration, number int) (verdict, error) {
	start := time.Now()
	until := start.Add(lasting)
	var v verdict
	var reached layer
	for {
		a := &attack{target: target, until: until, number: number, turn: v.Connections}
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
			if got >= one.reaches {
				v.Held = 1
			}
			return v, nil
		}
		if errors.Is(err, errLeaving) {
			continue
		}
		if got < one.reaches {
			v.Refused++
			if v.Why == "" {
				v.Why = err.Error()
			}
			time.Sleep(max(one.patience, 10*time.Millisecond))
			continue
		}
		v.ThrownOut++
		if v.ThrownOut == 1 {
			v.Seconds, v.Port, v.Why = time.Since(start).Seconds(), a.port(), err.Error()
		}
	}
}
