// A GossipSub peer that is driven by commands, a JSON object a line on stdin. interop/README.md describes them; golibp2p and
// rustlibp2p take the same.

import { createHash, randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { gossipsub } from '@libp2p/gossipsub'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { newHost } from './host.js'

const MAX_MESSAGE = 8 << 20
const POLICIES = { signed: 'StrictSign', unsigned: 'StrictNoSign' }

/** What the router measures, by name; labels are summed. */
class Measures {
  values = new Map()

  #metric (name) {
    const add = (by) => this.values.set(name, (this.values.get(name) ?? 0) + by)
    return {
      // inc(), inc(by), inc(labels) and inc(labels, by)
      inc: (first, second) => add(typeof first === 'number' ? first : (second ?? 1)),
      set: () => {},
      observe: () => {},
      reset: () => {},
      startTimer: () => () => 0,
      addCollect: () => {}
    }
  }

  gauge ({ name }) { return this.#metric(name) }
  histogram ({ name }) { return this.#metric(name) }
  avgMinMax ({ name }) { return this.#metric(name) }

  of (name) { return this.values.get(`gossipsub_${name}`) ?? 0 }
}

function describeMessage (event, topic, author, data) {
  return { event, topic, author, bytes: data.length, digest: createHash('sha256').update(data).digest('hex') }
}

class GossipPeer {
  constructor (host, measures, signed, emit) {
    this.host = host
    this.measures = measures
    this.signed = signed
    this.emit = emit
    host.services.pubsub.addEventListener('message', ({ detail }) => {
      emit(describeMessage('message', detail.topic, detail.from?.toString() ?? '', detail.data))
    })
  }

  get pubsub () { return this.host.services.pubsub }

  stats () {
    const topics = Object.fromEntries(this.pubsub.getTopics().map((topic) => [topic, this.pubsub.getSubscribers(topic).length]))
    return {
      event: 'stats',
      topics,
      delivered: this.measures.of('accepted_messages_total'),
      duplicates: this.measures.of('duplicate_received_total'),
      idontwant_sent: this.measures.of('rpc_sent_idontwant_total'),
      idontwant_received: this.measures.of('idontwant_rcv_msgids_total')
    }
  }

  async publish (topic, bytes) {
    const data = randomBytes(bytes)
    await this.pubsub.publish(topic, data)
    this.emit(describeMessage('published', topic, this.signed ? this.host.peerId.toString() : '', data))
  }

  /** The name of the command, after it was done. */
  async run (command) {
    if (command.connect != null) {
      await this.host.dial(multiaddr(command.connect), { signal: AbortSignal.timeout(30_000) })
      return 'connect'
    }
    if (command.disconnect != null) {
      await this.host.hangUp(peerIdFromString(command.disconnect))
      return 'disconnect'
    }
    if (command.join != null) {
      this.pubsub.subscribe(command.join)
      return 'join'
    }
    if (command.leave != null) {
      this.pubsub.unsubscribe(command.leave)
      return 'leave'
    }
    if (command.publish != null) {
      await this.publish(command.publish, command.bytes)
      return 'publish'
    }
    throw new Error(`no command in ${JSON.stringify(command).slice(0, 100)}`)
  }
}

/** Runs commands, one after the other, until the input ends or says quit. */
export async function gossip ({ listen, key, security, signatures }, emit) {
  if (POLICIES[signatures] == null) throw new Error(`--signatures is signed or unsigned, not ${JSON.stringify(signatures)}`)
  const measures = new Measures()
  const pubsub = gossipsub({
    globalSignaturePolicy: POLICIES[signatures],
    allowPublishToZeroTopicPeers: true,
    maxInboundDataLength: MAX_MESSAGE,
    maxOutboundBufferSize: 8 * MAX_MESSAGE,
    // It scores by default, and then more than ten peers of one address cost; all peers of the tests are on loopback.
    scoreParams: { IPColocationFactorWhitelist: new Set(['127.0.0.1']) },
    metricsRegister: measures,
    metricsTopicStrToLabel: new Map()
  })
  const host = await newHost({ key, security, listen, services: { pubsub } })
  const peer = new GossipPeer(host, measures, signatures === 'signed', emit)
  emit({ addr: String(host.getMultiaddrs()[0]) })
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line)
    if (command.quit) break
    if (command.stats) {
      emit(peer.stats())
      continue
    }
    try {
      emit({ event: 'result', command: await peer.run(command), ok: true })
    } catch (error) {
      emit({ event: 'result', command: Object.keys(command)[0], ok: false, error: error.message })
    }
  }
  await host.stop()
  return true
}
