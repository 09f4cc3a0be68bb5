//! rust-libp2p's side of the rows "gossip" of bench/compare: GossipSub nodes in one process, each connected to each over TCP on loopback,
//! with Noise and Yamux. interop/README.md describes it; it takes the same words as the Go program of that name.
//!
//!     gossipload nodes=2 publishers=1 size=1024 count=20000 window=64 paced=1000 interval-us=1000

#[path = "../cpu.rs"]
mod cpu;

use std::collections::HashMap;
use std::error::Error;
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use futures::StreamExt;
use libp2p::swarm::SwarmEvent;
use libp2p::{noise, tcp, yamux, Multiaddr, Swarm, SwarmBuilder};
use libp2p_gossipsub::{self as gossipsub, IdentTopic, MessageAuthenticity, MessageId, PublishError, ValidationMode};
use serde_json::{json, Value};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use cpu::cpu_seconds;

type Failure = Box<dyn Error + Send + Sync>;

const TOPIC: &str = "/opp2p/bench";
const NUMBER_BYTES: usize = 8;
const WARM_UPS: u64 = 1 << 62; // numbers from here on are not measured
const STALLED: Duration = Duration::from_secs(2);

/// One measurement: every message that it publishes has to reach all other nodes.
struct Part {
    first: u64,
    sent: Vec<AtomicI64>,    // nanoseconds since the beginning
    missing: Vec<AtomicI32>, // nodes that have not got it
    last: AtomicI64,
    arrived: AtomicU64,
    times: Mutex<Vec<Vec<i64>>>, // those of each node, when it ends
    complete: mpsc::UnboundedSender<()>,
}

struct Shared {
    begin: Instant,
    warm: AtomicU64,
    running: RwLock<Option<Arc<Part>>>,
}

impl Shared {
    fn now(&self) -> i64 {
        self.begin.elapsed().as_nanos() as i64
    }
}

enum Order {
    Publish(Vec<u8>),
    Dial(Multiaddr),
    HandIn(Arc<Part>), // the times of a part
}

fn message_id(message: &gossipsub::Message) -> MessageId {
    MessageId::from(Sha256::digest(&message.data)[..20].to_vec())
}

fn make_swarm() -> Result<Swarm<gossipsub::Behaviour>, Failure> {
    Ok(SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|_| {
            let config = gossipsub::ConfigBuilder::default()
                .mesh_n(8)
                .mesh_n_low(6)
                .mesh_n_high(12)
                .gossip_lazy(6)
                .heartbeat_interval(Duration::from_millis(500))
                .flood_publish(false)
                .validation_mode(ValidationMode::Anonymous)
                .message_id_fn(message_id)
                .max_transmit_size(10 << 20)
                .build()
                .expect("the settings agree");
            gossipsub::Behaviour::new(MessageAuthenticity::Anonymous, config).expect("the settings agree")
        })?
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(600)))
        .build())
}

/// Runs one node until its orders end.
async fn run(
    mut swarm: Swarm<gossipsub::Behaviour>,
    mut orders: mpsc::UnboundedReceiver<Order>,
    shared: Arc<Shared>,
    at: usize,
) {
    let topic = IdentTopic::new(TOPIC);
    let mut times = Vec::new();
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                None => return,
                Some(Order::Dial(address)) => swarm.dial(address).expect("an address can be dialled"),
                Some(Order::HandIn(part)) => part.times.lock().unwrap()[at] = std::mem::take(&mut times),
                Some(Order::Publish(data)) => match swarm.behaviour_mut().publish(topic.clone(), data) {
                    Ok(_) | Err(PublishError::NoPeersSubscribedToTopic) | Err(PublishError::AllQueuesFull(_)) => {}
                    Err(error) => panic!("cannot publish: {error}"),
                },
            },
            event = swarm.select_next_some() => {
                if let SwarmEvent::Behaviour(gossipsub::Event::Message { message, .. }) = event {
                    received(&message.data, &shared, &mut times);
                }
            }
        }
    }
}

fn received(data: &[u8], shared: &Shared, times: &mut Vec<i64>) {
    let number = u64::from_le_bytes(data[..NUMBER_BYTES].try_into().expect("a message begins with its number"));
    if number >= WARM_UPS {
        shared.warm.fetch_add(1, Ordering::Relaxed);
        return;
    }
    let running = shared.running.read().unwrap();
    let Some(part) = running.as_ref() else { return };
    let index = number.wrapping_sub(part.first) as usize;
    if index >= part.sent.len() {
        return;
    }
    let now = shared.now();
    times.push(now - part.sent[index].load(Ordering::Acquire));
    if part.missing[index].fetch_sub(1, Ordering::AcqRel) == 1 {
        part.last.store(now, Ordering::Release);
        part.arrived.fetch_add(1, Ordering::AcqRel);
        let _ = part.complete.send(());
    }
}

struct Bench {
    nodes: Vec<mpsc::UnboundedSender<Order>>,
    shared: Arc<Shared>,
    publishers: u64,
    size: usize,
    next: u64,
}

impl Bench {
    async fn start(count: usize, publishers: u64, size: usize) -> Result<Bench, Failure> {
        let shared = Arc::new(Shared { begin: Instant::now(), warm: AtomicU64::new(0), running: RwLock::new(None) });
        let mut bench = Bench { nodes: Vec::new(), shared, publishers, size, next: 0 };
        let mut addresses = Vec::new();
        for at in 0..count {
            let mut swarm = make_swarm()?;
            swarm.behaviour_mut().subscribe(&IdentTopic::new(TOPIC))?;
            swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
            let address = loop {
                if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                    break address;
                }
            };
            let (orders, taken) = mpsc::unbounded_channel();
            tokio::spawn(run(swarm, taken, bench.shared.clone(), at));
            for other in &addresses {
                orders.send(Order::Dial(Multiaddr::clone(other)))?;
            }
            addresses.push(address);
            bench.nodes.push(orders);
        }
        Ok(bench)
    }

    fn publish(&self, number: u64) -> Result<(), Failure> {
        let mut data = vec![0; self.size];
        data[..NUMBER_BYTES].copy_from_slice(&number.to_le_bytes());
        Ok(self.nodes[(number % self.publishers) as usize].send(Order::Publish(data))?)
    }

    /// Waits for meshes: until ten messages in a row have reached all.
    async fn warm_up(&self) -> Result<(), Failure> {
        let mut good = 0;
        for number in 0..100 {
            let warm = || self.shared.warm.load(Ordering::Relaxed);
            let all = warm() + self.nodes.len() as u64 - 1;
            self.publish(WARM_UPS + number)?;
            for _ in 0..100 {
                if warm() >= all {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            good = if warm() >= all { good + 1 } else { 0 };
            if good == 10 {
                tokio::time::sleep(Duration::from_secs(2)).await;
                return Ok(());
            }
        }
        Err("the nodes do not find together".into())
    }

    /// Publishes `count` messages: with `window` of them under way, or one each `interval`.
    async fn measure(&mut self, name: &str, count: usize, window: usize, interval: Duration) -> Result<Value, Failure> {
        let others = self.nodes.len() as i32 - 1;
        let (complete, mut completed) = mpsc::unbounded_channel();
        let part = Arc::new(Part {
            first: self.next,
            sent: (0..count).map(|_| AtomicI64::new(0)).collect(),
            missing: (0..count).map(|_| AtomicI32::new(others)).collect(),
            last: AtomicI64::new(0),
            arrived: AtomicU64::new(0),
            times: Mutex::new(vec![Vec::new(); self.nodes.len()]),
            complete,
        });
        self.next += count as u64;
        *self.shared.running.write().unwrap() = Some(part.clone());
        let cpu = cpu_seconds();
        let started = self.shared.now();
        let mut free = window;
        for sent in 0..count {
            if !interval.is_zero() {
                let due = self.shared.begin + Duration::from_nanos(started as u64) + interval * sent as u32;
                tokio::time::sleep_until(due.into()).await;
            } else if free == 0 {
                // Those that are under way for so long are lost.
                free = if tokio::time::timeout(STALLED, completed.recv()).await.is_ok() { 1 } else { window };
            }
            free = free.saturating_sub(1);
            part.sent[sent].store(self.shared.now(), Ordering::Release);
            self.publish(part.first + sent as u64)?;
        }
        let mut last = (Instant::now(), 0);
        loop {
            let arrived = part.arrived.load(Ordering::Acquire);
            if arrived == count as u64 || last.0.elapsed() > STALLED {
                break;
            }
            if arrived != last.1 {
                last = (Instant::now(), arrived);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let arrived = part.arrived.load(Ordering::Acquire);
        let took = (part.last.load(Ordering::Acquire) - started) as f64 * 1e-9;
        *self.shared.running.write().unwrap() = None;
        let cpu = cpu_seconds() - cpu;
        for node in &self.nodes {
            node.send(Order::HandIn(part.clone()))?;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        let mut times: Vec<i64> = part.times.lock().unwrap().iter().flatten().copied().collect();
        times.sort_unstable();
        let at = |share: f64| {
            if times.is_empty() {
                0.0
            } else {
                times[(share * (times.len() - 1) as f64) as usize] as f64 * 1e-3
            }
        };
        Ok(json!({"part": name, "count": count, "lost": count as u64 - arrived, "per_second": arrived as f64 / took,
            "cpu_seconds": cpu, "p50_us": at(0.5), "p99_us": at(0.99)}))
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut words = HashMap::new();
    for word in std::env::args().skip(1) {
        let (name, value) = word.split_once('=').ok_or_else(|| format!("{word} is not name=value"))?;
        words.insert(name.to_owned(), value.parse::<usize>()?);
    }
    let number = |name: &str, otherwise: usize| words.get(name).copied().unwrap_or(otherwise);
    let mut bench =
        Bench::start(number("nodes", 2), number("publishers", 1) as u64, number("size", 1024).max(NUMBER_BYTES))
            .await?;
    bench.warm_up().await?;
    if number("count", 0) > 0 {
        println!("{}", bench.measure("saturation", number("count", 0), number("window", 64), Duration::ZERO).await?);
    }
    if number("paced", 0) > 0 {
        let interval = Duration::from_micros(number("interval-us", 1000) as u64);
        println!("{}", bench.measure("paced", number("paced", 0), 0, interval).await?);
    }
    // The runtime would wait for the nodes.
    std::process::exit(0)
}
