//! rustpartial is a rust-libp2p gossipsub 0.50 peer for the interop test of partial messages (gossipsub v1.3). It takes the words of
//! interop/go/partial, where the message, its parts and its metadata are described, and prints the same lines.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use futures::StreamExt;
use libp2p::swarm::SwarmEvent;
use libp2p::{noise, tcp, yamux, Multiaddr, PeerId, Swarm, SwarmBuilder};
use libp2p_gossipsub::partial_messages::{Metadata, Partial, PartialAction, PartialError};
use libp2p_gossipsub::{
    Behaviour, ConfigBuilder, Event, IdentTopic, MessageAuthenticity, MessageId, PublishError, ValidationMode,
};
use serde_json::{json, Value};
use tokio::io::{AsyncBufReadExt, BufReader};

const TOPIC: &str = "parts";
const PARTS: u8 = 8;
const PART_SIZE: usize = 2000;
const IDLE: Duration = Duration::from_secs(600);

type Failure = Box<dyn Error + Send + Sync>;

/// Metadata: the parts that a peer has; it wants the others.
#[derive(Debug)]
struct Bitmap([u8; 1]);

impl Metadata for Bitmap {
    fn as_slice(&self) -> &[u8] {
        &self.0
    }
    fn update(&mut self, data: &[u8]) -> Result<bool, PartialError> {
        let [theirs] = data else { return Err(PartialError::InvalidFormat) };
        let before = self.0[0];
        self.0[0] |= theirs;
        Ok(self.0[0] != before)
    }
}

struct Parts {
    group: Vec<u8>,
    have: u8,
}

impl Partial for Parts {
    fn group_id(&self) -> Vec<u8> {
        self.group.clone()
    }
    fn metadata(&self) -> Box<dyn Metadata> {
        Box::new(Bitmap([self.have]))
    }
    fn partial_action_from_metadata(&self, _: PeerId, metadata: Option<&[u8]>) -> Result<PartialAction, PartialError> {
        let Some(metadata) = metadata else { return Ok(PartialAction { need: false, send: None }) };
        let [theirs] = metadata else { return Err(PartialError::InvalidFormat) };
        let lacks = self.have & !theirs;
        let send: Option<(Vec<u8>, Box<dyn Metadata>)> =
            (lacks != 0).then(|| (encode(lacks), Box::new(Bitmap([theirs | lacks])) as Box<dyn Metadata>));
        Ok(PartialAction { need: theirs & !self.have != 0, send })
    }
}

fn encode(bitmap: u8) -> Vec<u8> {
    let mut out = vec![bitmap];
    for part in 0..PARTS {
        if bitmap >> part & 1 != 0 {
            out.extend(std::iter::repeat_n(part + 1, PART_SIZE));
        }
    }
    out
}

fn emit(line: Value) {
    println!("{line}");
}

struct Node {
    swarm: Swarm<Behaviour>,
    begin: u8,
    groups: HashMap<Vec<u8>, u8>,
}

impl Node {
    fn publish(&mut self, group: Vec<u8>) {
        let have = *self.groups.entry(group.clone()).or_insert(self.begin);
        match self.swarm.behaviour_mut().publish_partial(IdentTopic::new(TOPIC).hash(), Parts { group, have }) {
            Ok(()) | Err(PublishError::NoPeersSubscribedToTopic) => {}
            Err(error) => emit(json!({"event": "error", "error": error.to_string()})),
        }
    }

    fn on_partial(&mut self, from: PeerId, group: Vec<u8>, message: Option<Vec<u8>>, metadata: Option<Vec<u8>>) {
        let message = message.unwrap_or_default();
        let got = message.first().copied().unwrap_or(0);
        if !message.is_empty() && message != encode(got) {
            self.swarm.behaviour_mut().report_invalid_partial(from, &IdentTopic::new(TOPIC).hash());
            return emit(json!({"event": "error", "error": "a partial message is not what its bitmap says"}));
        }
        let have = self.groups.entry(group.clone()).or_insert(self.begin);
        let before = *have;
        *have |= got;
        let whole = *have == 0xff && before != 0xff;
        let name = String::from_utf8_lossy(&group).into_owned();
        let has = metadata.unwrap_or_default().first().copied().unwrap_or(0);
        emit(json!({"event": "partial", "from": from.to_string(), "group": name, "parts": got, "has": has}));
        if whole {
            emit(json!({"event": "complete", "group": name}));
        }
        self.publish(group);
    }

    fn on_event(&mut self, event: SwarmEvent<Event>) {
        match event {
            SwarmEvent::NewListenAddr { address, .. } => {
                emit(json!({"addr": format!("{address}/p2p/{}", self.swarm.local_peer_id())}));
            }
            SwarmEvent::Behaviour(Event::Partial { peer_id, group_id, message, metadata, .. }) => {
                self.on_partial(peer_id, group_id, message, metadata);
            }
            SwarmEvent::Behaviour(Event::Message { propagation_source, message, .. }) => {
                let text = String::from_utf8_lossy(&message.data).into_owned();
                emit(json!({"event": "message", "from": propagation_source.to_string(), "text": text}));
            }
            _ => {}
        }
    }

    fn on_command(&mut self, line: &str) -> Result<(), Failure> {
        let command: Value = serde_json::from_str(line)?;
        if let Some(group) = command["group"].as_str() {
            self.publish(group.as_bytes().to_vec());
        } else if let Some(text) = command["whole"].as_str() {
            // There may be nobody to send it to: who takes parts is not sent it.
            match self.swarm.behaviour_mut().publish(IdentTopic::new(TOPIC), text.as_bytes()) {
                Ok(_) | Err(PublishError::NoPeersSubscribedToTopic) => {}
                Err(error) => return Err(error.into()),
            }
        } else {
            let topic = IdentTopic::new(TOPIC).hash();
            let count = self.swarm.behaviour().all_peers().filter(|(_, topics)| topics.contains(&&topic)).count();
            emit(json!({"event": "peers", "count": count}));
        }
        Ok(())
    }
}

fn behaviour(requests: bool) -> Result<Behaviour, Failure> {
    let config = ConfigBuilder::default()
        .validation_mode(ValidationMode::Anonymous)
        .message_id_fn(|message| MessageId::new(&message.data))
        .build()?;
    let mut gossip = Behaviour::new(MessageAuthenticity::Anonymous, config)?;
    gossip.enable_partials_for_topic(IdentTopic::new(TOPIC).hash(), requests);
    gossip.subscribe(&IdentTopic::new(TOPIC))?;
    Ok(gossip)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().collect();
    let after = |name: &str| words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
    let requests = !words.iter().any(|word| word == "--supports");
    let begin = after("--have").map_or(Ok(0), |text| text.parse())?;
    let mut swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|_| behaviour(requests))?
        .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE))
        .build();
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
    if let Some(address) = after("--dial") {
        swarm.dial(address.parse::<Multiaddr>()?)?;
    }
    let mut node = Node { swarm, begin, groups: HashMap::new() };
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        tokio::select! {
            event = node.swarm.select_next_some() => node.on_event(event),
            line = lines.next_line() => match line? {
                Some(line) => node.on_command(&line)?,
                None => return Ok(()),
            },
        }
    }
}
