//! rust-libp2p's side of bench/compare: `serve` answers echo and perf, the other commands put one kind of load on a peer and print
//! one line of JSON. They take the same words as bench_load and interop/go/benchpeer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{identify, noise, tcp, yamux, Multiaddr, PeerId, Stream, StreamProtocol, Swarm, SwarmBuilder};
use libp2p_stream as stream;
use tokio::io::AsyncReadExt as _;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const ECHO: StreamProtocol = StreamProtocol::new("/echo/1.0.0");
const PERF: StreamProtocol = StreamProtocol::new("/perf/1.0.0");
const CHUNK: usize = 256 * 1024;

struct Words {
    address: Option<Multiaddr>,
    options: HashMap<String, String>,
}

impl Words {
    fn parse(args: &[String]) -> Result<Words, Failure> {
        let mut words = Words { address: None, options: HashMap::new() };
        for arg in args {
            match arg.split_once('=') {
                Some((name, value)) => {
                    words.options.insert(name.into(), value.into());
                }
                None => words.address = Some(arg.parse()?),
            }
        }
        Ok(words)
    }
    fn number(&self, name: &str, otherwise: u64) -> u64 {
        self.options.get(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    }
    fn key(&self) -> Keypair {
        match self.options.get("key").map(String::as_str) {
            Some("secp256k1") => Keypair::generate_secp256k1(),
            _ => Keypair::generate_ed25519(),
        }
    }
    fn target(&self) -> Result<(Multiaddr, PeerId), Failure> {
        let address = self.address.clone().ok_or("an address is missing")?;
        match address.iter().last() {
            Some(Protocol::P2p(peer)) => Ok((address, peer)),
            _ => Err("the address does not end with /p2p/ID".into()),
        }
    }
}

/// What every libp2p host has: streams of one's own, and identify.
#[derive(NetworkBehaviour)]
struct Behaviour {
    streams: stream::Behaviour,
    identify: identify::Behaviour,
}

fn make_swarm(key: Keypair) -> Result<Swarm<Behaviour>, Failure> {
    Ok(SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|key| Behaviour {
            streams: stream::Behaviour::new(),
            identify: identify::Behaviour::new(identify::Config::new("/bench/1.0.0".into(), key.public())),
        })?
        .with_swarm_config(|config| {
            config.with_idle_connection_timeout(Duration::from_secs(600)).with_max_negotiating_inbound_streams(1000)
        })
        .build())
}

async fn send_zeros(to: &mut Stream, mut count: u64) -> Result<(), Failure> {
    let zeros = vec![0u8; CHUNK];
    while count > 0 {
        let part = count.min(CHUNK as u64) as usize;
        to.write_all(&zeros[..part]).await?;
        count -= part as u64;
    }
    to.flush().await?;
    Ok(())
}

async fn discard(from: &mut Stream) -> Result<u64, Failure> {
    let mut buffer = vec![0u8; CHUNK];
    let mut total = 0;
    loop {
        let n = from.read(&mut buffer).await?;
        if n == 0 {
            return Ok(total);
        }
        total += n as u64;
    }
}

async fn serve_echo(mut on: Stream) -> Result<(), Failure> {
    let mut buffer = [0u8; 4096];
    loop {
        let n = on.read(&mut buffer).await?;
        if n == 0 {
            break;
        }
        on.write_all(&buffer[..n]).await?;
        on.flush().await?;
    }
    on.close().await?;
    Ok(())
}

async fn serve_perf(mut on: Stream) -> Result<(), Failure> {
    let mut head = [0u8; 8];
    on.read_exact(&mut head).await?;
    discard(&mut on).await?;
    send_zeros(&mut on, u64::from_be_bytes(head)).await?;
    on.close().await?;
    Ok(())
}

async fn until_input_ends() {
    let mut byte = [0u8; 1];
    while matches!(tokio::io::stdin().read(&mut byte).await, Ok(n) if n > 0) {}
}

async fn serve(words: Words) -> Result<(), Failure> {
    let mut swarm = make_swarm(words.key())?;
    let id = *swarm.local_peer_id();
    let control = swarm.behaviour().streams.new_control();
    let mut echoes = control.clone().accept(ECHO)?;
    let mut perfs = control.clone().accept(PERF)?;
    tokio::spawn(async move {
        while let Some((_, on)) = echoes.next().await {
            tokio::spawn(serve_echo(on));
        }
    });
    tokio::spawn(async move {
        while let Some((_, on)) = perfs.next().await {
            tokio::spawn(serve_perf(on));
        }
    });
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
    tokio::spawn(async move {
        loop {
            if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                println!("{{\"addr\":\"{address}/p2p/{id}\"}}");
            }
        }
    });
    until_input_ends().await;
    Ok(())
}

/// Connects and keeps the swarm going until it is dropped with its task.
struct Session {
    control: stream::Control,
    target: PeerId,
    driver: tokio::task::JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

async fn connect(words: &Words) -> Result<Session, Failure> {
    let (address, target) = words.target()?;
    let mut swarm = make_swarm(words.key())?;
    let control = swarm.behaviour().streams.new_control();
    swarm.dial(address)?;
    loop {
        match swarm.select_next_some().await {
            SwarmEvent::ConnectionEstablished { .. } => break,
            SwarmEvent::OutgoingConnectionError { error, .. } => return Err(error.into()),
            _ => {}
        }
    }
    let driver = tokio::spawn(async move {
        loop {
            swarm.select_next_some().await;
        }
    });
    Ok(Session { control, target, driver })
}

fn cpu_seconds() -> f64 {
    let mut usage = unsafe { std::mem::zeroed::<libc::rusage>() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let of = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 * 1e-6;
    of(usage.ru_utime) + of(usage.ru_stime)
}

async fn perf_stream(mut control: stream::Control, target: PeerId, up: u64, down: u64) -> Result<(), Failure> {
    let mut on = control.open_stream(target, PERF).await?;
    on.write_all(&down.to_be_bytes()).await?;
    send_zeros(&mut on, up).await?;
    on.close().await?;
    let got = discard(&mut on).await?;
    if got != down {
        return Err(format!("got {got} bytes, want {down}").into());
    }
    Ok(())
}

async fn perf(words: Words) -> Result<(), Failure> {
    let session = connect(&words).await?;
    let streams = words.number("streams", 1);
    let (up, down) = (words.number("up", 0) / streams, words.number("down", 0) / streams);
    let (cpu, start) = (cpu_seconds(), Instant::now());
    let running: Vec<_> =
        (0..streams).map(|_| tokio::spawn(perf_stream(session.control.clone(), session.target, up, down))).collect();
    for one in running {
        one.await??;
    }
    println!("{{\"seconds\":{},\"cpu_seconds\":{}}}", start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    Ok(())
}

async fn echo_once(mut control: stream::Control, target: PeerId) -> Result<(), Failure> {
    let mut on = control.open_stream(target, ECHO).await?;
    let mut buffer = [1u8; 32];
    on.write_all(&buffer).await?;
    on.close().await?;
    on.read_exact(&mut buffer).await?;
    Ok(())
}

/// Has `in_flight` workers do `count` pieces of work, and prints how long they took.
async fn run_all<W, F>(count: u64, in_flight: u64, work: W) -> Result<(), Failure>
where
    W: Fn() -> F + Send + Sync + 'static,
    F: std::future::Future<Output = Result<(), Failure>> + Send,
{
    let left = Arc::new(AtomicI64::new(count as i64));
    let times = Arc::new(Mutex::new(Vec::new()));
    let work = Arc::new(work);
    let start = Instant::now();
    let workers: Vec<_> = (0..in_flight)
        .map(|_| {
            let (left, times, work) = (left.clone(), times.clone(), work.clone());
            tokio::spawn(async move {
                while left.fetch_sub(1, Ordering::Relaxed) > 0 {
                    let begin = Instant::now();
                    work().await?;
                    times.lock().unwrap().push(begin.elapsed().as_secs_f64());
                }
                Ok::<(), Failure>(())
            })
        })
        .collect();
    for worker in workers {
        worker.await??;
    }
    let took = start.elapsed().as_secs_f64();
    let mut times = times.lock().unwrap().clone();
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[(part * (times.len() - 1) as f64) as usize] * 1e6;
    println!(
        "{{\"count\":{},\"per_second\":{},\"p50_us\":{},\"p99_us\":{}}}",
        times.len(),
        times.len() as f64 / took,
        at(0.5),
        at(0.99)
    );
    Ok(())
}

async fn echo(words: Words) -> Result<(), Failure> {
    let session = connect(&words).await?;
    let (control, target) = (session.control.clone(), session.target);
    run_all(words.number("count", 2000), words.number("in-flight", 1), move || echo_once(control.clone(), target)).await
}

async fn dials(words: Words) -> Result<(), Failure> {
    let (count, in_flight) = (words.number("count", 500), words.number("in-flight", 4));
    let words = Arc::new(words);
    // A connection that is opened beside others sometimes ends at once, whoever serves it: it counts with its repetition.
    run_all(count, in_flight, move || {
        let words = words.clone();
        async move {
            for _ in 0..5 {
                let session = connect(&words).await?;
                if echo_once(session.control.clone(), session.target).await.is_ok() {
                    return Ok(());
                }
            }
            Err("five connections in a row have ended at once".into())
        }
    })
    .await
}

async fn idle(words: Words) -> Result<(), Failure> {
    let count = words.number("count", 1000);
    let mut sessions = Vec::new();
    for _ in 0..count {
        sessions.push(connect(&words).await?);
    }
    println!("{{\"connected\":{count}}}");
    until_input_ends().await;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let command = args.first().map(String::as_str).unwrap_or("");
    let words = Words::parse(args.get(1..).unwrap_or(&[]))?;
    match command {
        "serve" => serve(words).await,
        "perf" => perf(words).await,
        "echo" => echo(words).await,
        "dials" => dials(words).await,
        "idle" => idle(words).await,
        _ => Err("usage: rustbench serve | perf|echo|dials|idle ADDRESS [name=value…]".into()),
    }
}
