//! The swarm of every command: TCP, Noise or plaintext, Yamux or Mplex with their defaults; identify, ping, and streams of one's own.

use std::time::Duration;

use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::NetworkBehaviour;
use libp2p::{identify, noise, ping, plaintext, tcp, yamux, PeerId, Swarm, SwarmBuilder, Transport};
use libp2p_mplex as mplex;
use libp2p_stream as stream;

use crate::{serving, Failure, Words};

const AGENT: &str = "opp2p-interop-rustlibp2p";
pub const IDLE: Duration = Duration::from_secs(600);

pub struct Settings {
    /// Whether it speaks the test protocols.
    pub serves: bool,
    /// How often it pings its peers; None: it neither pings nor answers.
    pub pings: Option<Duration>,
}

#[derive(NetworkBehaviour)]
pub struct Behaviour {
    pub streams: stream::Behaviour, // its own ones
    pub serving: Toggle<serving::Behaviour>,
    pub identify: identify::Behaviour,
    pub ping: Toggle<ping::Behaviour>,
}

pub fn make_key(words: &Words) -> Result<Keypair, Failure> {
    match words.text("key", "ed25519").as_str() {
        "ed25519" => Ok(Keypair::generate_ed25519()),
        "secp256k1" => Ok(Keypair::generate_secp256k1()),
        other => Err(format!("unknown key type {other:?}").into()),
    }
}

pub fn make_transport(words: &Words, key: &Keypair) -> Result<Boxed<(PeerId, StreamMuxerBox)>, Failure> {
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true)).upgrade(Version::V1Lazy);
    // Each secured transport has a type of its own.
    macro_rules! multiplexed {
        ($secured:expr) => {
            match words.text("mux", "yamux").as_str() {
                "yamux" => Ok($secured.multiplex(yamux::Config::default()).boxed()),
                "mplex" => Ok($secured.multiplex(mplex::Config::default()).boxed()),
                other => Err(format!("unknown muxer {other:?}").into()),
            }
        };
    }
    match words.text("security", "noise").as_str() {
        "noise" => multiplexed!(tcp.authenticate(noise::Config::new(key)?)),
        "plaintext" => multiplexed!(tcp.authenticate(plaintext::Config::new(key))),
        other => Err(format!("unknown security {other:?}").into()),
    }
}

/// Without a signed record: identify of libp2p 0.57 signs, and takes, records of a domain that only Rust uses.
pub fn identify_config(key: &Keypair) -> identify::Config {
    identify::Config::new("/opp2p-interop/1.0.0".into(), key.public()).with_agent_version(AGENT.into())
}

pub fn make_swarm(words: &Words, settings: Settings) -> Result<Swarm<Behaviour>, Failure> {
    let ping = settings.pings.map(|interval| ping::Behaviour::new(ping::Config::new().with_interval(interval)));
    Ok(SwarmBuilder::with_existing_identity(make_key(words)?)
        .with_tokio()
        .with_other_transport(|key| make_transport(words, key))?
        .with_behaviour(|key| Behaviour {
            streams: stream::Behaviour::new(),
            serving: settings.serves.then_some(serving::Behaviour).into(),
            identify: identify::Behaviour::new(identify_config(key)),
            ping: ping.into(),
        })?
        .with_swarm_config(|config| {
            config.with_idle_connection_timeout(IDLE).with_max_negotiating_inbound_streams(1000)
        })
        .build())
}
