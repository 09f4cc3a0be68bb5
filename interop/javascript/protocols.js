// The protocols of the tests, and how their streams are read and written; interop/README.md says what each side does.

import { createHash } from 'node:crypto'
import { MAX_STREAMS } from './host.js'

export const ECHO = '/echo/1.0.0'
export const SINK = '/sink/1.0.0'
export const RESET = '/reset/1.0.0'
export const HALF_CLOSE = '/half-close/1.0.0'
export const PERF = '/perf/1.0.0'

export const RESET_AFTER = 1024 // how much the reset protocol reads before it resets
const MAX_ANSWER = 2 ** 32 // bounds what half-close and perf write for one request
const CHUNK = 64 * 1024
const MAX_QUEUED = 1 << 20 // bytes that are read ahead

/** Reads a stream from its construction on, so that nothing that comes meanwhile is missed; the stream is paused when much lies there. */
export class Reader {
  #stream
  #chunks = []
  #queued = 0
  #wake = () => {}

  constructor (stream) {
    this.#stream = stream
    stream.addEventListener('message', ({ data }) => {
      this.#chunks.push(data.subarray())
      this.#queued += data.byteLength
      if (this.#queued > MAX_QUEUED && stream.readStatus === 'readable') stream.pause()
      this.#wake()
    })
    for (const event of ['end', 'close']) stream.addEventListener(event, () => this.#wake())
  }

  /** The next bytes, or null at the end; throws when the stream was reset. */
  async read () {
    while (true) {
      const chunk = this.#chunks.shift()
      if (chunk != null) {
        this.#queued -= chunk.byteLength
        if (this.#queued <= MAX_QUEUED && this.#stream.readStatus === 'paused') this.#stream.resume()
        return chunk
      }
      if (this.#stream.status === 'reset' || this.#stream.status === 'aborted') throw new Error(`the stream was ${this.#stream.status}`)
      // The negotiation of the protocol may have met the end before it gave back what it had read too much.
      const ended = this.#stream.readableEnded || this.#stream.status === 'closed'
      if (ended && this.#stream.readBufferLength === 0) return null
      await new Promise((resolve) => { this.#wake = resolve })
    }
  }

  async * [Symbol.asyncIterator] () {
    for (let chunk = await this.read(); chunk != null; chunk = await this.read()) yield chunk
  }

  /** Everything to the end, at most `limit` bytes. */
  async all (limit) {
    const chunks = []
    let count = 0
    for await (const chunk of this) {
      count += chunk.byteLength
      if (count > limit) throw new Error(`more than ${limit} bytes came`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  }

  /** `count` bytes; what came behind them is read next. */
  async exactly (count) {
    let got = Buffer.alloc(0)
    while (got.byteLength < count) {
      const chunk = await this.read()
      if (chunk == null) throw new Error(`the stream ended after ${got.byteLength} of ${count} bytes`)
      got = Buffer.concat([got, chunk])
    }
    if (got.byteLength > count) {
      this.#chunks.unshift(got.subarray(count))
      this.#queued += got.byteLength - count
    }
    return got.subarray(0, count)
  }
}

export async function write (stream, bytes) {
  if (!stream.send(bytes)) await stream.onDrain()
}

/** The endless bytes 0, 1, … 250, 0, 1, …: a period that is prime to every buffer size. */
export class Pattern {
  static #PERIOD = 251
  static #ROLL = Buffer.from(Uint8Array.from({ length: CHUNK + 251 }, (_, i) => i % 251))
  #at = 0

  next (count) {
    const bytes = Pattern.#ROLL.subarray(this.#at, this.#at + count)
    this.#at = (this.#at + count) % Pattern.#PERIOD
    return bytes
  }

  /** Whether these are its next bytes. */
  matches (bytes) {
    for (let from = 0; from < bytes.byteLength; from += CHUNK) {
      const part = bytes.subarray(from, from + CHUNK)
      if (this.next(part.byteLength).compare(part) !== 0) return false
    }
    return true
  }
}

/** Writes `size` bytes; `next(count)` gives the next of them. */
export async function send (stream, size, next) {
  if (size > MAX_ANSWER) throw new Error(`${size} bytes are too many`)
  for (let left = size; left > 0;) {
    const chunk = next(Math.min(left, CHUNK))
    await write(stream, chunk)
    left -= chunk.byteLength
  }
}

const ZEROS = Buffer.alloc(CHUNK)
export const zeros = (count) => ZEROS.subarray(0, count)

export function u64 (value) {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

async function serveEcho (stream, reader) {
  for await (const chunk of reader) await write(stream, chunk)
}

async function serveSink (stream, reader) {
  const digest = createHash('sha256')
  let count = 0
  for await (const chunk of reader) {
    digest.update(chunk)
    count += chunk.byteLength
  }
  await write(stream, Buffer.concat([u64(count), digest.digest()]))
}

async function serveReset (stream, reader) {
  await reader.exactly(RESET_AFTER)
  throw new Error('enough was read')
}

async function serveHalfClose (stream, reader) {
  const request = await reader.all(8)
  const pattern = new Pattern()
  await send(stream, Number(request.readBigUInt64BE()), (count) => pattern.next(count))
}

async function servePerf (stream, reader) {
  const size = Number((await reader.exactly(8)).readBigUInt64BE())
  for await (const _ of reader) ; // its contents do not matter
  await send(stream, size, zeros)
}

/** A stream whose server fails is reset. */
export async function serve (host) {
  const servers = { [ECHO]: serveEcho, [SINK]: serveSink, [RESET]: serveReset, [HALF_CLOSE]: serveHalfClose, [PERF]: servePerf }
  for (const [protocol, server] of Object.entries(servers)) {
    await host.handle(protocol, (stream) => {
      server(stream, new Reader(stream)).then(async () => stream.close()).catch((error) => stream.abort(error))
    }, { maxInboundStreams: MAX_STREAMS, maxOutboundStreams: MAX_STREAMS })
  }
}
