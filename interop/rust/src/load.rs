//! rust-libp2p's side of bench/compare: each command puts one kind of load on a peer and prints one line of JSON.

use std::future::Future;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use futures::{AsyncReadExt, AsyncWriteExt};
use serde_json::json;

use crate::cpu::cpu_seconds;
use crate::host::Settings;
use crate::protocols::{self, ECHO, PERF};
use crate::session::{Opener, Session};
use crate::{emit, until_told_to_end, Failure, Words};

async fn connect(words: &Words) -> Result<Session, Failure> {
    Session::connect(words, Settings { serves: false, pings: None }).await
}

pub async fn perf(words: Words) -> Result<(), Failure> {
    let session = connect(&words).await?;
    let streams = words.number("streams", 1)?;
    let (up, down) = (words.number("up", 0)? / streams, words.number("down", 0)? / streams);
    let (cpu, start) = (cpu_seconds(), Instant::now());
    let running: Vec<_> = (0..streams)
        .map(|_| {
            let opener = session.opener();
            tokio::spawn(async move { protocols::perf(&mut opener.open(PERF).await?, up, down).await })
        })
        .collect();
    for one in running {
        one.await??;
    }
    emit(json!({"seconds": start.elapsed().as_secs_f64(), "cpu_seconds": cpu_seconds() - cpu}));
    Ok(())
}

async fn echo_once(opener: Opener) -> Result<(), Failure> {
    let mut stream = opener.open(ECHO).await?;
    let mut buffer = [1u8; 32];
    stream.write_all(&buffer).await?;
    stream.close().await?;
    stream.read_exact(&mut buffer).await?;
    Ok(())
}

/// Has `in_flight` workers do `count` pieces of work, and prints how long they took.
async fn run_all<W, F>(count: u64, in_flight: u64, work: W) -> Result<(), Failure>
where
    W: Fn() -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Failure>> + Send,
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
    emit(json!({"count": times.len(), "per_second": times.len() as f64 / took, "p50_us": at(0.5), "p99_us": at(0.99)}));
    Ok(())
}

pub async fn echo(words: Words) -> Result<(), Failure> {
    let session = connect(&words).await?;
    let opener = session.opener();
    run_all(words.number("count", 2000)?, words.number("in-flight", 1)?, move || echo_once(opener.clone())).await
}

pub async fn dials(words: Words) -> Result<(), Failure> {
    let (count, in_flight) = (words.number("count", 500)?, words.number("in-flight", 4)?);
    let words = Arc::new(words);
    // A connection that is opened beside others sometimes ends at once, whoever serves it: it counts with its repetition.
    run_all(count, in_flight, move || {
        let words = words.clone();
        async move {
            for _ in 0..5 {
                let session = connect(&words).await?;
                if echo_once(session.opener()).await.is_ok() {
                    return Ok(());
                }
            }
            Err("five connections in a row have ended at once".into())
        }
    })
    .await
}

pub async fn idle(words: Words) -> Result<(), Failure> {
    let count = words.number("count", 1000)?;
    let mut sessions = Vec::new();
    for _ in 0..count {
        sessions.push(connect(&words).await?);
    }
    emit(json!({"connected": count}));
    until_told_to_end().await;
    Ok(())
}
