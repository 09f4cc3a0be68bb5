// The tests that `dial` runs against a peer over one connection, as golibp2p has them.

import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, MAX_STREAMS, newHost } from './host.js'
import { ECHO, HALF_CLOSE, Pattern, PERF, Reader, RESET, RESET_AFTER, send, SINK, u64, write, zeros } from './protocols.js'

const UNKNOWN = '/opp2p-nobody-speaks-this/1.0.0'

async function open (session, protocol) {
  const stream = await session.connection.newStream(protocol, { maxOutboundStreams: MAX_STREAMS })
  return { stream, reader: new Reader(stream) }
}

/** Sends random bytes and expects them back, then the end of the stream. Reads while it writes. */
async function exchange ({ stream, reader }, size) {
  const sent = randomBytes(size)
  const writing = (async () => {
    if (size > 0) await write(stream, sent)
    await stream.close()
  })()
  const [got] = await Promise.all([reader.all(size), writing])
  if (!got.equals(sent)) throw new Error(`${got.byteLength} bytes came back, of which some differ from the ${size} sent`)
}

async function echo (session, size) {
  await exchange(await open(session, ECHO), size)
}

/** Asks half-close for `size` bytes and checks each. */
async function download (session, size) {
  const { stream, reader } = await open(session, HALF_CLOSE)
  await write(stream, u64(size))
  await stream.close()
  const pattern = new Pattern()
  let count = 0
  for await (const chunk of reader) {
    if (!pattern.matches(chunk)) throw new Error(`wrong contents after byte ${count}`)
    count += chunk.byteLength
  }
  if (count !== size) throw new Error(`got ${count} bytes, want ${size}`)
}

async function upload (session, size) {
  const { stream, reader } = await open(session, SINK)
  const digest = createHash('sha256')
  const pattern = new Pattern()
  await send(stream, size, (count) => {
    const chunk = pattern.next(count)
    digest.update(chunk)
    return chunk
  })
  await stream.close()
  const answer = await reader.all(64)
  const want = Buffer.concat([u64(size), digest.digest()])
  if (!answer.equals(want)) throw new Error(`sink answered ${answer.toString('hex')}, want ${want.toString('hex')}`)
}

const seconds = (since) => (performance.now() - since) / 1000

const tests = {
  async identify ({ known }) {
    for (const want of ['/ipfs/id/1.0.0', '/ipfs/ping/1.0.0']) {
      if (!known.protocols.includes(want)) throw new Error(`identify does not name ${want}`)
    }
    if (known.agent_version === '') throw new Error('identify has no agent version')
    if (known.observed_addr === '') throw new Error('identify has no observed address')
    if (known.listen_addrs.length === 0) throw new Error('identify has no listen address')
    if (!known.signed_peer_record) throw new Error('identify has no signed peer record of the peer')
    return { identify: known }
  },

  async ping (session) {
    const millis = []
    for (let i = 0; i < session.count; i++) millis.push(await session.host.services.ping.ping(session.connection.remotePeer))
    return { round_trip_millis: millis }
  },

  async echo (session) {
    const sizes = [0, 1, 65535, 1 << 20]
    for (const size of sizes) await echo(session, size).catch((error) => { throw new Error(`echo of ${size} bytes: ${error.message}`) })
    return { sizes }
  },

  async reset (session) {
    const { stream, reader } = await open(session, RESET)
    await write(stream, Buffer.alloc(4 * RESET_AFTER))
    let ended = true
    await reader.all(0).catch(() => { ended = stream.status !== 'reset' })
    if (ended) throw new Error(`the stream is ${stream.status}, want a reset`)
    // A reset from this side must leave the connection alone as well.
    const mine = await open(session, ECHO)
    await write(mine.stream, Buffer.alloc(RESET_AFTER))
    mine.stream.abort(new Error('reset for the test'))
    await echo(session, 1000)
    return {}
  },

  async 'half-close' (session) {
    // More than any receive window, so that window updates flow on the stream that this side has closed.
    const bytes = 20 << 20
    await download(session, bytes)
    return { bytes }
  },

  /** Opens all streams, each used once so that it is open on both sides, and then finishes them all. */
  async streams (session) {
    const greeting = Buffer.from('open')
    const streams = []
    for (let i = 0; i < session.streams; i++) {
      const one = await open(session, ECHO)
      streams.push(one)
      await write(one.stream, greeting)
      if (!(await one.reader.exactly(greeting.byteLength)).equals(greeting)) throw new Error(`stream ${i}: wrong echo`)
    }
    await Promise.all(streams.map(async (one, i) => exchange(one, 1000 + i)))
    return { streams: streams.length }
  },

  async bulk (session) {
    const start = performance.now()
    await upload(session, session.bytes)
    const middle = performance.now()
    await download(session, session.bytes)
    return { bytes: session.bytes, up_seconds: (middle - start) / 1000, down_seconds: seconds(middle) }
  },

  async perf (session) {
    const start = performance.now()
    const { stream, reader } = await open(session, PERF)
    await write(stream, u64(session.download))
    await send(stream, session.upload, zeros)
    await stream.close()
    let got = 0
    for await (const chunk of reader) got += chunk.byteLength
    if (got !== session.download) throw new Error(`got ${got} bytes, want ${session.download}`)
    return { upload_bytes: session.upload, download_bytes: got, seconds: seconds(start) }
  },

  /** A protocol that the peer does not speak is refused as that, and nothing else is harmed. */
  async unsupported (session) {
    const error = await open(session, UNKNOWN).then(() => null, (error) => error)
    if (error?.name !== 'UnsupportedProtocolError') throw new Error(`${error ?? 'it was taken'}; want that it is unsupported`)
    await echo(session, 1000)
    return {}
  }
}

async function within (limit, promise) {
  const stop = new AbortController()
  const late = sleep(limit * 1000, null, { signal: stop.signal }).then(() => { throw new Error('timed out') })
  return Promise.race([promise, late]).finally(() => { late.catch(() => {}); stop.abort() })
}

/** Connects, and waits until identify has run. */
async function connect (host, address) {
  const identified = new Promise((resolve) => host.addEventListener('peer:identify', ({ detail }) => resolve(describe(detail)), { once: true }))
  const connection = await host.dial(multiaddr(address))
  return { host, connection, known: await identified }
}

/** Answers whether all tests held. */
export async function dial (address, options, emit) {
  const names = options.test === 'all' ? Object.keys(tests) : [options.test]
  const unknown = names.find((name) => tests[name] == null)
  if (unknown != null) throw new Error(`unknown test ${JSON.stringify(unknown)}`)
  const host = await newHost(options)
  const session = { ...options, ...await within(options.timeout, connect(host, address)) }
  let held = true
  for (const name of names) {
    const start = performance.now()
    const line = { test: name, ok: true, seconds: 0 }
    try {
      line.details = await within(options.timeout, tests[name](session))
      const all = host.getConnections(session.connection.remotePeer)
      if (all.length !== 1 || all[0].id !== session.connection.id) throw new Error('the connection to the peer did not last')
    } catch (error) {
      Object.assign(line, { ok: false, error: String(error.message ?? error) })
      held = false
    }
    emit({ ...line, seconds: seconds(start) })
  }
  await host.stop()
  return held
}
