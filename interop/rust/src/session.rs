//! A swarm that is connected to one peer, driven by a task of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use libp2p::core::PeerRecord;
use libp2p::swarm::SwarmEvent;
use libp2p::{identify, ping, Multiaddr, PeerId, Stream, StreamProtocol};
use libp2p_stream as stream;
use serde_json::{json, Value};
use tokio::sync::{mpsc, watch, Notify};

use crate::host::{make_swarm, BehaviourEvent, Settings};
use crate::{Failure, Words};

pub struct Session {
    control: stream::Control,
    target: PeerId,
    opened: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
    identified: watch::Receiver<Option<identify::Info>>,
    pings: mpsc::Receiver<Result<Duration, ping::Failure>>,
    close: Arc<Notify>,
    driver: tokio::task::JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Session {
    pub async fn connect(words: &Words, settings: Settings) -> Result<Session, Failure> {
        let (address, target) = words.target()?;
        let mut swarm = make_swarm(words, settings)?;
        let control = swarm.behaviour().streams.new_control();
        swarm.dial(address)?;
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::ConnectionEstablished { .. } => break,
                SwarmEvent::OutgoingConnectionError { error, .. } => return Err(error.into()),
                _ => {}
            }
        }
        let (opened, closed) = (Arc::new(AtomicUsize::new(1)), Arc::new(AtomicUsize::new(0)));
        let (tell_info, identified) = watch::channel(None);
        let (tell_ping, pings) = mpsc::channel(16);
        let counts = (opened.clone(), closed.clone());
        let close = Arc::new(Notify::new());
        let closing = close.clone();
        let driver = tokio::spawn(async move {
            loop {
                let event = tokio::select! {
                    event = swarm.select_next_some() => event,
                    _ = closing.notified() => {
                        let _ = swarm.disconnect_peer_id(target);
                        while !matches!(swarm.select_next_some().await, SwarmEvent::ConnectionClosed { .. }) {}
                        return;
                    }
                };
                match event {
                    SwarmEvent::ConnectionEstablished { .. } => drop(counts.0.fetch_add(1, Ordering::Relaxed)),
                    SwarmEvent::ConnectionClosed { .. } => drop(counts.1.fetch_add(1, Ordering::Relaxed)),
                    SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received { info, .. })) => {
                        tell_info.send_replace(Some(info));
                    }
                    // Pings that nobody waits for are dropped.
                    SwarmEvent::Behaviour(BehaviourEvent::Ping(event)) => drop(tell_ping.try_send(event.result)),
                    _ => {}
                }
            }
        });
        Ok(Session { control, target, opened, closed, identified, pings, close, driver })
    }

    /// Ends the connection in order.
    pub async fn close(mut self) -> Result<(), Failure> {
        self.close.notify_one();
        Ok((&mut self.driver).await?)
    }

    pub fn opener(&self) -> Opener {
        Opener { control: self.control.clone(), target: self.target }
    }

    pub async fn open(&self, protocol: StreamProtocol) -> Result<Stream, stream::OpenStreamError> {
        self.opener().open(protocol).await
    }

    /// What identify has told, as soon as it has.
    pub async fn identified(&mut self) -> Result<Value, Failure> {
        let info = self.identified.wait_for(Option::is_some).await?;
        Ok(describe(&self.target, info.as_ref().expect("it is there")))
    }

    /// The next ping that is answered from now on.
    pub async fn ping(&mut self) -> Result<Duration, Failure> {
        while self.pings.try_recv().is_ok() {}
        Ok(self.pings.recv().await.ok_or("the swarm has ended")??)
    }

    /// Makes sure that no test hides a lost connection behind a new one.
    pub fn still_one_connection(&self) -> Result<(), Failure> {
        match (self.opened.load(Ordering::Relaxed), self.closed.load(Ordering::Relaxed)) {
            (1, 0) => Ok(()),
            (opened, closed) => {
                Err(format!("{opened} connections to the peer, of which {closed} have ended; want one").into())
            }
        }
    }
}

/// Opens streams beside others.
#[derive(Clone)]
pub struct Opener {
    control: stream::Control,
    target: PeerId,
}

impl Opener {
    pub async fn open(&self, protocol: StreamProtocol) -> Result<Stream, stream::OpenStreamError> {
        self.control.clone().open_stream(self.target, protocol).await
    }
}

fn texts(addresses: &[Multiaddr]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}

/// What identify told about a peer, as golibp2p prints it.
pub fn describe(peer: &PeerId, info: &identify::Info) -> Value {
    let record = info.signed_peer_record.clone().and_then(|envelope| PeerRecord::from_signed_envelope(envelope).ok());
    let mut protocols: Vec<_> = info.protocols.iter().map(ToString::to_string).collect();
    protocols.sort();
    json!({
        "peer": peer.to_string(),
        "agent_version": info.agent_version,
        "protocol_version": info.protocol_version,
        "protocols": protocols,
        "listen_addrs": texts(&info.listen_addrs),
        "observed_addr": info.observed_addr.to_string(),
        "signed_peer_record": record.as_ref().is_some_and(|record| record.peer_id() == *peer),
        "record_addrs": record.map(|record| texts(record.addresses())).unwrap_or_default(),
    })
}
