//! A GossipSub peer that is driven by commands, a JSON object a line on stdin. interop/README.md describes them; golibp2p and jslibp2p
//! take the same.

use std::collections::HashMap;
use std::io::BufRead;
use std::time::Duration;

use futures::StreamExt;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{ConnectionId, NetworkBehaviour, SwarmEvent};
use libp2p::{identify, Multiaddr, PeerId, Swarm, SwarmBuilder};
use libp2p_gossipsub as gossipsub;
use prometheus_client::registry::Registry;
use serde_json::{json, Value};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::host::{identify_config, make_key, make_transport, IDLE};
use crate::{emit, Failure, Words};

const MAX_MESSAGE: usize = 8 << 20;
/// How long a message may wait for its peer: two cores are shared by twenty peers.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(NetworkBehaviour)]
struct Behaviour {
    gossip: gossipsub::Behaviour,
    identify: identify::Behaviour,
}

struct GossipPeer {
    swarm: Swarm<Behaviour>,
    measures: Registry,
    signed: bool,
    dials: HashMap<ConnectionId, ()>,
    delivered: u64,
}

/// The names that Go's and JavaScript's GossipSub give a signed message; the digest of the data is that of an unsigned one.
fn message_id(message: &gossipsub::Message) -> gossipsub::MessageId {
    match (&message.source, message.sequence_number) {
        (Some(source), Some(number)) => [source.to_bytes(), number.to_be_bytes().to_vec()].concat().into(),
        _ => Sha256::digest(&message.data).to_vec().into(),
    }
}

fn describe_message(event: &str, topic: &str, author: String, data: &[u8]) -> Value {
    let digest: String = Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"event": event, "topic": topic, "author": author, "bytes": data.len(), "digest": digest})
}

impl GossipPeer {
    fn new(words: &Words) -> Result<GossipPeer, Failure> {
        let signed = match words.text("signatures", "signed").as_str() {
            "signed" => true,
            "unsigned" => false,
            other => return Err(format!("--signatures is signed or unsigned, not {other:?}").into()),
        };
        let config = gossipsub::ConfigBuilder::default()
            .max_transmit_size(MAX_MESSAGE)
            .publish_queue_duration(PATIENCE)
            .forward_queue_duration(PATIENCE)
            .heartbeat_initial_delay(Duration::from_millis(100))
            .flood_publish(false)
            .validation_mode(if signed {
                gossipsub::ValidationMode::Strict
            } else {
                gossipsub::ValidationMode::Anonymous
            })
            .message_id_fn(message_id)
            .build()?;
        let mut measures = Registry::default();
        let swarm = SwarmBuilder::with_existing_identity(make_key(words)?)
            .with_tokio()
            .with_other_transport(|key| make_transport(words, key))?
            .with_behaviour(|key| {
                let authenticity = if signed {
                    gossipsub::MessageAuthenticity::Signed(key.clone())
                } else {
                    gossipsub::MessageAuthenticity::Anonymous
                };
                let gossip = gossipsub::Behaviour::new(authenticity, config)?
                    .with_metrics(&mut measures, gossipsub::MetricsConfig::default());
                Ok(Behaviour { gossip, identify: identify::Behaviour::new(identify_config(key)) })
            })?
            .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE))
            .build();
        Ok(GossipPeer { swarm, measures, signed, dials: HashMap::new(), delivered: 0 })
    }

    /// The count that the router's metrics give under a name.
    fn measure(&self, name: &str) -> u64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.measures).expect("a String can be written to");
        let of_name = |line: &&str| line.split([' ', '{']).next() == Some(name);
        text.lines().filter(of_name).filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }

    fn stats(&self) -> Value {
        let gossip = &self.swarm.behaviour().gossip;
        let topics: HashMap<String, usize> = gossip
            .topics()
            .map(|topic| (topic.to_string(), gossip.all_peers().filter(|(_, theirs)| theirs.contains(&topic)).count()))
            .collect();
        json!({"event": "stats", "topics": topics, "delivered": self.delivered,
               "idontwant_received": self.measure("idontwant_msgs_ids_total")})
    }

    /// What the answer to a dial will be told by, or the answer of another command.
    fn run(&mut self, command: &Value) -> Result<(&'static str, bool), Failure> {
        let text = |name: &str| command.get(name).and_then(Value::as_str);
        if let Some(address) = text("connect") {
            let address: Multiaddr = address.parse()?;
            let Some(Protocol::P2p(_)) = address.iter().last() else {
                return Err("the address does not end with /p2p/ID".into());
            };
            let dial = DialOpts::from(address);
            self.dials.insert(dial.connection_id(), ());
            self.swarm.dial(dial)?;
            return Ok(("connect", false));
        }
        if let Some(peer) = text("disconnect") {
            let peer: PeerId = peer.parse()?;
            return match self.swarm.disconnect_peer_id(peer) {
                Ok(()) => Ok(("disconnect", true)),
                Err(()) => Err("not connected".into()),
            };
        }
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        if let Some(topic) = text("join") {
            gossip.subscribe(&gossipsub::IdentTopic::new(topic))?;
            return Ok(("join", true));
        }
        if let Some(topic) = text("leave") {
            if !gossip.unsubscribe(&gossipsub::IdentTopic::new(topic)) {
                return Err(format!("{topic} is not joined").into());
            }
            return Ok(("leave", true));
        }
        if let Some(topic) = text("publish") {
            let size = command.get("bytes").and_then(Value::as_u64).ok_or("bytes is missing")?;
            let mut data = vec![0; size as usize];
            getrandom::fill(&mut data).map_err(|error| error.to_string())?;
            gossip.publish(gossipsub::IdentTopic::new(topic), data.clone())?;
            let author = if self.signed { self.swarm.local_peer_id().to_string() } else { String::new() };
            emit(describe_message("published", topic, author, &data));
            return Ok(("publish", true));
        }
        Err(format!("no command in {command}").into())
    }

    fn on_command(&mut self, line: &str) -> bool {
        let command: Value = serde_json::from_str(line).unwrap_or_default();
        if command["quit"] == true {
            return false;
        }
        if command["stats"] == true {
            emit(self.stats());
            return true;
        }
        let name = command.as_object().and_then(|fields| fields.keys().next().cloned()).unwrap_or_default();
        match self.run(&command) {
            Ok((name, true)) => emit(json!({"event": "result", "command": name, "ok": true})),
            Ok((_, false)) => {}
            Err(error) => emit(json!({"event": "result", "command": name, "ok": false, "error": error.to_string()})),
        }
        true
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::NewListenAddr { address, .. } => {
                emit(json!({"addr": format!("{address}/p2p/{}", self.swarm.local_peer_id())}))
            }
            SwarmEvent::ConnectionEstablished { connection_id, .. } => {
                if self.dials.remove(&connection_id).is_some() {
                    emit(json!({"event": "result", "command": "connect", "ok": true}));
                }
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                if self.dials.remove(&connection_id).is_some() {
                    emit(json!({"event": "result", "command": "connect", "ok": false, "error": error.to_string()}));
                }
            }
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(gossipsub::Event::Message { message, .. })) => {
                self.delivered += 1;
                let author = message.source.map(|peer| peer.to_string()).unwrap_or_default();
                emit(describe_message("message", message.topic.as_str(), author, &message.data));
            }
            _ => {}
        }
    }
}

/// Runs commands, one after the other, until the input ends or says quit.
pub async fn run(words: Words) -> Result<(), Failure> {
    let mut peer = GossipPeer::new(&words)?;
    peer.swarm.listen_on(words.text("listen", "/ip4/127.0.0.1/tcp/0").parse()?)?;
    let (tell, mut lines) = mpsc::channel(64);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if tell.blocking_send(line).is_err() {
                return;
            }
        }
    });
    loop {
        tokio::select! {
            event = peer.swarm.select_next_some() => peer.on_event(event),
            line = lines.recv() => match line {
                Some(line) if peer.on_command(&line) => {}
                _ => return Ok(()),
            },
        }
    }
}
