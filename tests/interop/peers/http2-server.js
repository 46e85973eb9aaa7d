'use strict'
// Node's own HTTP/2 server, in TLS: fulfills each Prepare, and says at the end of a line of input what it has seen.
const fs = require('fs')
const http2 = require('http2')
const readline = require('readline')
const IlpPacket = require('ilp-packet')
const { say, run } = require('./link')

run(async (options) => {
  const seen = { sessions: 0, packets: 0, amount: 0n, refused: 0, open: 0, openMost: 0 }
  const server = http2.createSecureServer({
    key: fs.readFileSync(options.key),
    cert: fs.readFileSync(options.cert),
    settings: { maxConcurrentStreams: options.streamsMax },
  })
  server.on('session', () => { seen.sessions += 1 })
  server.on('stream', (stream, headers) => {
    seen.open += 1
    seen.openMost = Math.max(seen.openMost, seen.open)
    stream.on('close', () => { seen.open -= 1 })
    const parts = []
    stream.on('data', (part) => parts.push(part))
    stream.on('end', () => setTimeout(() => {
      if (headers.authorization !== 'Bearer ' + options.token) {
        seen.refused += 1
        stream.respond({ ':status': 401 }, { endStream: true })
        return
      }
      const prepare = IlpPacket.deserializeIlpPrepare(Buffer.concat(parts))
      seen.packets += 1
      seen.amount += BigInt(prepare.amount)
      stream.respond({ ':status': 200, 'content-type': 'application/octet-stream' })
      stream.end(IlpPacket.serializeIlpFulfill({ fulfillment: Buffer.alloc(32), data: prepare.data }))
    }, options.delay))
  })
  readline.createInterface({ input: process.stdin }).on('line', () => say({ event: 'seen', ...seen }))
  server.listen(options.port, '127.0.0.1', () => say({ event: 'ready' }))
})
