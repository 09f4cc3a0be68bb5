//! The protocols of the tests; interop/README.md says what each side does.

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::{Stream, StreamProtocol};
use sha2::{Digest, Sha256};

use crate::Failure;

pub const ECHO: StreamProtocol = StreamProtocol::new("/echo/1.0.0");
pub const SINK: StreamProtocol = StreamProtocol::new("/sink/1.0.0");
pub const RESET: StreamProtocol = StreamProtocol::new("/reset/1.0.0");
pub const HALF_CLOSE: StreamProtocol = StreamProtocol::new("/half-close/1.0.0");
pub const PERF: StreamProtocol = StreamProtocol::new("/perf/1.0.0");

/// How much the reset protocol reads before it resets.
pub const RESET_AFTER: usize = 1024;
/// Bounds what half-close and perf write for one request.
const MAX_ANSWER: u64 = 1 << 32;
const CHUNK: usize = 256 * 1024;

pub const SERVED: [StreamProtocol; 5] = [ECHO, SINK, RESET, HALF_CLOSE, PERF];

/// A stream whose server fails is dropped without being closed: that resets it.
pub async fn serve(stream: Stream, name: StreamProtocol) -> Result<(), Failure> {
    match name {
        _ if name == ECHO => serve_echo(stream).await,
        _ if name == SINK => serve_sink(stream).await,
        _ if name == RESET => serve_reset(stream).await,
        _ if name == HALF_CLOSE => serve_half_close(stream).await,
        _ if name == PERF => serve_perf(stream).await,
        _ => Err(format!("nobody serves {name}").into()),
    }
}

async fn serve_echo(mut stream: Stream) -> Result<(), Failure> {
    let mut buffer = [0u8; 4096];
    loop {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            break;
        }
        stream.write_all(&buffer[..n]).await?;
        stream.flush().await?;
    }
    Ok(stream.close().await?)
}

async fn serve_sink(mut stream: Stream) -> Result<(), Failure> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0u8; CHUNK];
    let mut count = 0u64;
    loop {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            break;
        }
        digest.update(&buffer[..n]);
        count += n as u64;
    }
    stream.write_all(&count.to_be_bytes()).await?;
    stream.write_all(&digest.finalize()).await?;
    Ok(stream.close().await?)
}

async fn serve_reset(mut stream: Stream) -> Result<(), Failure> {
    stream.read_exact(&mut [0u8; RESET_AFTER]).await?;
    Ok(())
}

async fn serve_half_close(mut stream: Stream) -> Result<(), Failure> {
    let mut request = Vec::new();
    (&mut stream).take(9).read_to_end(&mut request).await?;
    let size = u64::from_be_bytes(request.as_slice().try_into()?);
    if size > MAX_ANSWER {
        return Err("too much is asked for".into());
    }
    send_pattern(&mut stream, size, |_| ()).await?;
    Ok(stream.close().await?)
}

async fn serve_perf(mut stream: Stream) -> Result<(), Failure> {
    let mut size = [0u8; 8];
    stream.read_exact(&mut size).await?;
    discard(&mut stream).await?;
    let size = u64::from_be_bytes(size);
    if size > MAX_ANSWER {
        return Err("too much is asked for".into());
    }
    send_zeros(&mut stream, size).await?;
    Ok(stream.close().await?)
}

/// The endless bytes 0, 1, … 250, 0, 1, …: a period that is prime to every buffer size.
#[derive(Default)]
pub struct Pattern(u8);

impl Pattern {
    pub fn fill(&mut self, to: &mut [u8]) {
        for byte in to {
            *byte = self.0;
            self.0 = (self.0 + 1) % 251;
        }
    }

    /// Whether these are its next bytes.
    pub fn matches(&mut self, bytes: &[u8]) -> bool {
        bytes.iter().all(|byte| {
            let same = *byte == self.0;
            self.0 = (self.0 + 1) % 251;
            same
        })
    }
}

/// `seen` gets every chunk before it is sent.
pub async fn send_pattern(to: &mut Stream, mut count: u64, mut seen: impl FnMut(&[u8])) -> Result<(), Failure> {
    let mut pattern = Pattern::default();
    let mut buffer = vec![0u8; CHUNK];
    while count > 0 {
        let part = &mut buffer[..count.min(CHUNK as u64) as usize];
        pattern.fill(part);
        seen(part);
        to.write_all(part).await?;
        count -= part.len() as u64;
    }
    Ok(())
}

pub async fn send_zeros(to: &mut Stream, mut count: u64) -> Result<(), Failure> {
    let zeros = vec![0u8; CHUNK];
    while count > 0 {
        let part = count.min(CHUNK as u64) as usize;
        to.write_all(&zeros[..part]).await?;
        count -= part as u64;
    }
    Ok(to.flush().await?)
}

pub async fn discard(from: &mut Stream) -> Result<u64, Failure> {
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

/// Asks the perf protocol for `down` bytes and sends it `up`.
pub async fn perf(stream: &mut Stream, up: u64, down: u64) -> Result<(), Failure> {
    stream.write_all(&down.to_be_bytes()).await?;
    send_zeros(stream, up).await?;
    stream.close().await?;
    let got = discard(stream).await?;
    if got != down {
        return Err(format!("got {got} bytes, want {down}").into());
    }
    Ok(())
}
