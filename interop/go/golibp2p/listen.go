package main

import (
	"flag"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"

	"opp2p.example/interop/internal/jsonlines"
)

// runListen serves the test protocols until stdin ends or a SIGTERM or SIGINT comes.
func runListen(args []string) error {
	set := flag.NewFlagSet("listen", flag.ExitOnError)
	options := hostFlags(set)
	set.StringVar(&options.listen, "listen", "/ip4/127.0.0.1/tcp/0", "multiaddr to listen on")
	quiet := set.Bool("quiet", false, "print the address only")
	set.Parse(args)

	h, err := newHost(options)
	if err != nil {
		return err
	}
	defer h.Close()
	registerProtocols(h)
	out := jsonlines.Stdout()
	if !*quiet {
		if err := reportPeers(h, out); err != nil {
			return err
		}
	}
	out.Emit(map[string]string{"addr": h.Addrs()[0].String() + "/p2p/" + h.ID().String()})

	done := make(chan os.Signal, 1)
	signal.Notify(done, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		done <- syscall.SIGTERM
	}()
	<-done
	return nil
}

type connectionLine struct {
	Event     string `json:"event"` // connected, disconnected
	Peer      string `json:"peer"`
	Direction string `json:"direction,omitempty"`
	Security  string `json:"security,omitempty"`
	Muxer     string `json:"muxer,omitempty"`
	EarlyMux  bool   `json:"early_muxer"`
}

// reportPeers emits a line for every connection that comes or goes and for every peer that has been identified.
func reportPeers(h host.Host, out *jsonlines.Writer) error {
	h.Network().Notify(&network.NotifyBundle{
		ConnectedF: func(_ network.Network, c network.Conn) {
			state := c.ConnState()
			out.Emit(connectionLine{"connected", c.RemotePeer().String(), c.Stat().Direction.String(),
				string(state.Security), string(state.StreamMultiplexer), state.UsedEarlyMuxerNegotiation})
		},
		DisconnectedF: func(_ network.Network, c network.Conn) {
			out.Emit(connectionLine{Event: "disconnected", Peer: c.RemotePeer().String()})
		},
	})
	identified, err := h.EventBus().Subscribe(new(event.EvtPeerIdentificationCompleted))
	if err != nil {
		return err
	}
	go func() {
		for e := range identified.Out() {
			line := describeIdentify(e.(event.EvtPeerIdentificationCompleted))
			line.Event = "identified"
			out.Emit(line)
		}
	}()
	return nil
}
