//! The tests that `dial` runs against a peer over one connection, as golibp2p has them.

use std::time::{Duration, Instant};

use futures::future::try_join_all;
use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::{Stream, StreamProtocol};
use libp2p_stream::OpenStreamError;
use serde_json::{json, Value};
use sha2::{Digest, Sha256};

use crate::host::Settings;
use crate::protocols::{self, Pattern, ECHO, HALF_CLOSE, PERF, RESET, RESET_AFTER, SINK};
use crate::session::Session;
use crate::{emit, Failure, Words};

const ALL: [&str; 9] = ["identify", "ping", "echo", "reset", "half-close", "streams", "bulk", "perf", "unsupported"];
const UNKNOWN: StreamProtocol = StreamProtocol::new("/opp2p-nobody-speaks-this/1.0.0");

pub async fn dial(words: Words) -> Result<(), Failure> {
    let wanted = words.text("test", "");
    let names = if wanted == "all" { ALL.to_vec() } else { vec![wanted.as_str()] };
    let limit = Duration::from_secs(words.number("timeout", 120)?);
    let settings = Settings { serves: false, pings: Some(Duration::from_millis(50)) };
    let mut session = tokio::time::timeout(limit, Session::connect(&words, settings)).await??;
    let mut failed = 0;
    for name in names {
        let start = Instant::now();
        let outcome =
            tokio::time::timeout(limit, run(name, &mut session, &words)).await.unwrap_or_else(|late| Err(late.into()));
        let mut line = json!({"test": name, "ok": outcome.is_ok(), "seconds": start.elapsed().as_secs_f64()});
        match outcome {
            Ok(details) => line["details"] = details,
            Err(error) => {
                failed += 1;
                line["error"] = json!(error.to_string());
            }
        }
        emit(line);
    }
    tokio::time::timeout(limit, session.close()).await??;
    if failed > 0 {
        return Err(format!("{failed} tests failed").into());
    }
    Ok(())
}

async fn run(name: &str, session: &mut Session, words: &Words) -> Result<Value, Failure> {
    let details = match name {
        "identify" => identify(session).await,
        "ping" => ping(session, words.number("count", 5)?).await,
        "echo" => echoes(session).await,
        "reset" => reset(session).await,
        "half-close" => half_close(session).await,
        "streams" => streams(session, words.number("streams", 400)?).await,
        "bulk" => bulk(session, words.number("bytes", 100_000_000)?).await,
        "perf" => {
            perf(session, words.number("upload-bytes", 10_000_000)?, words.number("download-bytes", 10_000_000)?).await
        }
        "unsupported" => unsupported(session).await,
        _ => Err(format!("unknown test {name:?}").into()),
    }?;
    session.still_one_connection()?;
    Ok(details)
}

async fn identify(session: &mut Session) -> Result<Value, Failure> {
    let known = session.identified().await?;
    let speaks = |name: &str| known["protocols"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    if !speaks("/ipfs/id/1.0.0") || !speaks("/ipfs/ping/1.0.0") {
        return Err("identify does not name identify and ping".into());
    }
    if known["agent_version"] == "" {
        return Err("identify has no agent version".into());
    }
    if known["observed_addr"] == "" {
        return Err("identify has no observed address".into());
    }
    if known["listen_addrs"].as_array().is_none_or(Vec::is_empty) {
        return Err("identify has no listen address".into());
    }
    // Whatever the peer signs, identify of libp2p 0.57 knows only records of a domain that other implementations do not use.
    Ok(json!({"identify": known}))
}

async fn ping(session: &mut Session, count: u64) -> Result<Value, Failure> {
    let mut micros = Vec::new();
    for _ in 0..count {
        micros.push(session.ping().await?.as_micros() as u64);
    }
    Ok(json!({"round_trip_micros": micros}))
}

async fn echoes(session: &Session) -> Result<Value, Failure> {
    let sizes = [0, 1, 65535, 1 << 20];
    for size in sizes {
        echo(session, size).await.map_err(|error| format!("echo of {size} bytes: {error}"))?;
    }
    Ok(json!({"sizes": sizes}))
}

async fn echo(session: &Session, size: usize) -> Result<(), Failure> {
    exchange(session.open(ECHO).await?, size).await
}

/// Sends random bytes and expects them back, then the end of the stream.
async fn exchange(stream: Stream, size: usize) -> Result<(), Failure> {
    let mut sent = vec![0u8; size];
    getrandom::fill(&mut sent)?;
    let (mut reader, mut writer) = stream.split();
    let write = async {
        writer.write_all(&sent).await?;
        writer.close().await
    };
    let read = async {
        let mut got = Vec::with_capacity(size);
        reader.read_to_end(&mut got).await?;
        Ok(got)
    };
    let (_, got) = futures::future::try_join(write, read).await?;
    if got != sent {
        return Err(format!("{} bytes came back, of which some differ from the {size} sent", got.len()).into());
    }
    Ok(())
}

async fn reset(session: &Session) -> Result<Value, Failure> {
    let mut stream = session.open(RESET).await?;
    stream.write_all(&[0; 4 * RESET_AFTER]).await?;
    stream.flush().await?;
    let mut rest = Vec::new();
    // Yamux of Rust tells a reset as an end. But an end leaves its own direction open, a reset does not.
    let read = stream.read_to_end(&mut rest).await;
    if read.is_ok() && (!rest.is_empty() || stream.write_all(&[0]).await.is_ok()) {
        return Err(format!("read {} bytes and then an end, want a reset", rest.len()).into());
    }
    // A reset from this side must leave the connection alone as well.
    let mut mine = session.open(ECHO).await?;
    mine.write_all(&[0; RESET_AFTER]).await?;
    mine.flush().await?;
    drop(mine);
    echo(session, 1000).await?;
    Ok(json!({}))
}

async fn half_close(session: &Session) -> Result<Value, Failure> {
    // More than any receive window, so that window updates flow on the stream that this side has closed.
    const SIZE: u64 = 20 << 20;
    download(session, SIZE).await?;
    Ok(json!({"bytes": SIZE}))
}

/// Asks half-close for `size` bytes and checks each.
async fn download(session: &Session, size: u64) -> Result<(), Failure> {
    let mut stream = session.open(HALF_CLOSE).await?;
    stream.write_all(&size.to_be_bytes()).await?;
    stream.close().await?;
    let mut pattern = Pattern::default();
    let mut buffer = vec![0u8; 64 << 10];
    let mut count = 0u64;
    loop {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            break;
        }
        if !pattern.matches(&buffer[..n]) {
            return Err(format!("wrong contents after byte {count}").into());
        }
        count += n as u64;
    }
    if count != size {
        return Err(format!("got {count} bytes, want {size}").into());
    }
    Ok(())
}

async fn upload(session: &Session, size: u64) -> Result<(), Failure> {
    let mut stream = session.open(SINK).await?;
    let mut digest = Sha256::new();
    protocols::send_pattern(&mut stream, size, |chunk| digest.update(chunk)).await?;
    stream.close().await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let want = [&size.to_be_bytes()[..], digest.finalize().as_slice()].concat();
    if answer != want {
        return Err(format!("sink answered {answer:02x?}, want {want:02x?}").into());
    }
    Ok(())
}

async fn bulk(session: &Session, size: u64) -> Result<Value, Failure> {
    let start = Instant::now();
    upload(session, size).await.map_err(|error| format!("up: {error}"))?;
    let up = start.elapsed().as_secs_f64();
    let start = Instant::now();
    download(session, size).await.map_err(|error| format!("down: {error}"))?;
    Ok(json!({"bytes": size, "up_seconds": up, "down_seconds": start.elapsed().as_secs_f64()}))
}

/// Opens all streams, each used once so that it is open on both sides, and then finishes them all.
async fn streams(session: &Session, count: u64) -> Result<Value, Failure> {
    const GREETING: &[u8] = b"open";
    let mut streams = Vec::new();
    for i in 0..count {
        let greet = async {
            let mut stream = session.open(ECHO).await?;
            stream.write_all(GREETING).await?;
            stream.flush().await?;
            let mut back = [0u8; GREETING.len()];
            stream.read_exact(&mut back).await?;
            if back != GREETING {
                return Err("wrong echo".into());
            }
            Ok::<_, Failure>(stream)
        };
        streams.push(greet.await.map_err(|error| format!("stream {i}: {error}"))?);
    }
    try_join_all(streams.into_iter().enumerate().map(|(i, stream)| exchange(stream, 1000 + i))).await?;
    Ok(json!({"streams": count}))
}

async fn perf(session: &Session, up: u64, down: u64) -> Result<Value, Failure> {
    let start = Instant::now();
    protocols::perf(&mut session.open(PERF).await?, up, down).await?;
    Ok(json!({"upload_bytes": up, "download_bytes": down, "seconds": start.elapsed().as_secs_f64()}))
}

/// A protocol that the peer does not speak is refused as that, and nothing else is harmed.
async fn unsupported(session: &Session) -> Result<Value, Failure> {
    match session.open(UNKNOWN).await {
        Err(OpenStreamError::UnsupportedProtocol(_)) => {}
        Err(error) => return Err(format!("{error}; want that it is unsupported").into()),
        Ok(_) => return Err("a protocol that nobody speaks was taken".into()),
    }
    echo(session, 1000).await?;
    Ok(json!({}))
}
