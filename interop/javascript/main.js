// jslibp2p is a js-libp2p peer for the interop tests. `listen` serves a few small protocols; `dial` runs one test, or all, against a
// listener and says with its exit code whether all of it held; `gossip` is a GossipSub peer. interop/README.md describes them; they take the same words as golibp2p.

import { parseArgs } from 'node:util'
import { gossip } from './gossip.js'
import { describe, newHost } from './host.js'
import { serve } from './protocols.js'
import { dial } from './tests.js'

const OPTIONS = {
  listen: { type: 'string', default: '/ip4/127.0.0.1/tcp/0' },
  key: { type: 'string', default: 'ed25519' },
  security: { type: 'string', default: 'noise' },
  signatures: { type: 'string', default: 'signed' },
  test: { type: 'string', default: '' },
  bytes: { type: 'string', default: '100000000' },
  'upload-bytes': { type: 'string', default: '10000000' },
  'download-bytes': { type: 'string', default: '10000000' },
  streams: { type: 'string', default: '400' },
  count: { type: 'string', default: '5' },
  timeout: { type: 'string', default: '120' }
}

/** One JSON object a line, flushed at once. A pipe is written to at once too. */
const emit = (line) => process.stdout.write(JSON.stringify(line) + '\n')

function reportPeers (host) {
  host.addEventListener('connection:open', ({ detail }) => emit({
    event: 'connected',
    peer: detail.remotePeer.toString(),
    direction: detail.direction === 'inbound' ? 'Inbound' : 'Outbound',
    security: detail.encryption,
    muxer: detail.multiplexer
  }))
  host.addEventListener('connection:close', ({ detail }) => emit({ event: 'disconnected', peer: detail.remotePeer.toString() }))
  host.addEventListener('peer:identify', ({ detail }) => emit({ event: 'identified', ...describe(detail) }))
}

/** Serves the test protocols until the input ends or a SIGTERM or SIGINT comes. */
async function listen (options) {
  const host = await newHost(options)
  reportPeers(host)
  await serve(host)
  emit({ addr: String(host.getMultiaddrs()[0]) })
  await new Promise((resolve) => {
    process.stdin.on('end', resolve).on('error', resolve).resume()
    process.on('SIGTERM', resolve).on('SIGINT', resolve)
  })
  await host.stop()
  return true
}

async function main () {
  const { values, positionals: [command, address] } = parseArgs({ options: OPTIONS, allowPositionals: true })
  if (command === 'listen') return listen({ listen: values.listen, key: values.key, security: values.security })
  if (command === 'gossip') {
    return gossip({ listen: values.listen, key: values.key, security: values.security, signatures: values.signatures }, emit)
  }
  if (command !== 'dial' || address == null) throw new Error('usage: jslibp2p listen [options] | jslibp2p gossip [options] | jslibp2p dial ADDR --test NAME [options]')
  const number = (name) => {
    if (!/^\d+$/.test(values[name])) throw new Error(`--${name} wants a number, not ${JSON.stringify(values[name])}`)
    return Number(values[name])
  }
  return dial(address, {
    key: values.key,
    security: values.security,
    test: values.test,
    bytes: number('bytes'),
    upload: number('upload-bytes'),
    download: number('download-bytes'),
    streams: number('streams'),
    count: number('count'),
    timeout: number('timeout')
  }, emit)
}

main().then((held) => process.exit(held ? 0 : 1), (error) => {
  process.stderr.write(`jslibp2p: ${error.message}\n`)
  process.exit(1)
})
