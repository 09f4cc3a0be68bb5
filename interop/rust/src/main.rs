//! rustlibp2p is a rust-libp2p peer: `listen`, `dial` and `gossip` are for the interop tests, the other commands put one kind of load on a peer for
//! bench/compare. interop/README.md describes them; they take the same words as golibp2p.

mod cpu;
mod gossip;
mod host;
mod load;
mod protocols;
mod serving;
mod session;
mod tests;

use std::collections::HashMap;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use futures::StreamExt;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::SwarmEvent;
use libp2p::{identify, ping, Multiaddr, PeerId};
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::signal::unix::{signal, SignalKind};

use host::{BehaviourEvent, Settings};

pub type Failure = Box<dyn Error + Send + Sync>;

/// What stands behind the command: `--name value`, `name=value`, `--quiet`, and the address.
pub struct Words {
    address: Option<Multiaddr>,
    options: HashMap<String, String>,
}

impl Words {
    fn parse(args: &[String]) -> Result<Words, Failure> {
        let mut words = Words { address: None, options: HashMap::new() };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if arg == "--quiet" {
                words.options.insert("quiet".into(), String::new());
            } else if let Some(name) = arg.strip_prefix("--") {
                let value = args.next().ok_or_else(|| format!("{arg} wants a value"))?;
                words.options.insert(name.into(), value.clone());
            } else if let Some((name, value)) = arg.split_once('=') {
                words.options.insert(name.into(), value.into());
            } else {
                words.address = Some(arg.parse()?);
            }
        }
        Ok(words)
    }

    pub fn text(&self, name: &str, otherwise: &str) -> String {
        self.options.get(name).cloned().unwrap_or_else(|| otherwise.into())
    }

    pub fn number(&self, name: &str, otherwise: u64) -> Result<u64, Failure> {
        match self.options.get(name) {
            Some(text) => text.parse().map_err(|_| format!("{name} wants a number, not {text:?}").into()),
            None => Ok(otherwise),
        }
    }

    pub fn target(&self) -> Result<(Multiaddr, PeerId), Failure> {
        let address = self.address.clone().ok_or("an address is missing")?;
        match address.iter().last() {
            Some(Protocol::P2p(peer)) => Ok((address, peer)),
            _ => Err("the address does not end with /p2p/ID".into()),
        }
    }
}

/// One JSON object a line, flushed at once.
pub fn emit(line: serde_json::Value) {
    println!("{line}");
}

/// A driver ends a program by the end of its input or by a signal.
pub async fn until_told_to_end() {
    let mut stdin = tokio::io::stdin();
    let mut buffer = [0u8; 256];
    let input_ends = async { while matches!(stdin.read(&mut buffer).await, Ok(n) if n > 0) {} };
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be waited for");
    tokio::select! {
        _ = input_ends => {}
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

fn report(event: SwarmEvent<BehaviourEvent>) {
    match event {
        SwarmEvent::ConnectionEstablished { peer_id, endpoint, .. } => emit(json!({
            "event": "connected", "peer": peer_id.to_string(), "direction": if endpoint.is_dialer() { "Outbound" } else { "Inbound" }})),
        SwarmEvent::ConnectionClosed { peer_id, cause, .. } => emit(json!({
            "event": "disconnected", "peer": peer_id.to_string(), "why": cause.map(|why| why.to_string())})),
        SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. })) => {
            let mut line = session::describe(&peer_id, &info);
            line["event"] = json!("identified");
            emit(line);
        }
        SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event { peer, result, .. })) => emit(json!({
            "event": "ping", "peer": peer.to_string(), "ok": result.is_ok(), "error": result.err().map(|error| error.to_string())})),
        _ => {}
    }
}

async fn listen(words: Words) -> Result<(), Failure> {
    let quiet = words.options.contains_key("quiet");
    let mut swarm =
        host::make_swarm(&words, Settings { serves: true, pings: (!quiet).then_some(Duration::from_secs(15)) })?;
    let id = *swarm.local_peer_id();
    swarm.listen_on(words.text("listen", "/ip4/127.0.0.1/tcp/0").parse()?)?;
    let driver = tokio::spawn(async move {
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { address, .. } => emit(json!({"addr": format!("{address}/p2p/{id}")})),
                event if !quiet => report(event),
                _ => {}
            }
        }
    });
    until_told_to_end().await;
    driver.abort();
    Ok(())
}

const USAGE: &str = "usage: rustlibp2p listen [--listen ADDR] [--security noise|plaintext] [--key ed25519|secp256k1] [--quiet]
       rustlibp2p dial ADDR --test NAME|all [--security …] [--bytes N] [--upload-bytes N] [--download-bytes N] [--streams N] [--count N] [--timeout S]
       rustlibp2p gossip [--listen ADDR] [--signatures signed|unsigned] [--security …] [--key …]
       rustlibp2p perf|echo|dials|idle ADDR [name=value…]";

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = async {
        let words = Words::parse(args.get(1..).unwrap_or(&[]))?;
        match args.first().map(String::as_str).unwrap_or("") {
            "listen" => listen(words).await,
            "dial" => tests::dial(words).await,
            "gossip" => gossip::run(words).await,
            "perf" => load::perf(words).await,
            "echo" => load::echo(words).await,
            "dials" => load::dials(words).await,
            "idle" => load::idle(words).await,
            _ => Err(USAGE.into()),
        }
    };
    match done.await {
        // The runtime would wait for its thread that reads the standard input.
        Ok(()) => std::process::exit(0),
        Err(error) => {
            eprintln!("rustlibp2p: {error}");
            std::process::exit(1)
        }
    }
}
