// The js-libp2p host of all commands: TCP, Noise or plaintext, and Yamux with their defaults, identify and ping.

import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { plaintext } from '@libp2p/plaintext'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'

const AGENT = 'opp2p-interop-jslibp2p'
export const MAX_STREAMS = 2000 // of one protocol on one connection

/** A host that listens at `listen`, or nowhere without it, with `services` besides identify and ping. */
export async function newHost ({ key = 'ed25519', security = 'noise', listen, services = {} }) {
  const types = { ed25519: 'Ed25519', secp256k1: 'secp256k1' }
  if (types[key] == null) throw new Error(`unknown key type ${JSON.stringify(key)}`)
  const securities = { noise, plaintext }
  if (securities[security] == null) throw new Error(`unknown security ${JSON.stringify(security)}`)
  return createLibp2p({
    privateKey: await generateKeyPair(types[key]),
    nodeInfo: { userAgent: AGENT },
    addresses: { listen: listen == null ? [] : [listen] },
    transports: [tcp()],
    connectionEncrypters: [securities[security]()],
    streamMuxers: [yamux({ maxInboundStreams: MAX_STREAMS, maxOutboundStreams: MAX_STREAMS })],
    // Tests connect more often than five times a second.
    connectionManager: { inboundConnectionThreshold: Infinity },
    services: { identify: identify(), ping: ping(), ...services }
  })
}

/** What identify told about a peer, as golibp2p prints it. */
export function describe (known) {
  return {
    peer: known.peerId.toString(),
    agent_version: known.agentVersion ?? '',
    protocol_version: known.protocolVersion ?? '',
    protocols: known.protocols.toSorted(),
    listen_addrs: known.listenAddrs.map(String),
    observed_addr: known.observedAddr?.toString() ?? '',
    signed_peer_record: known.signedPeerRecord != null, // it was checked to be of the peer
    record_addrs: (known.signedPeerRecord?.addresses ?? []).map(String)
  }
}
