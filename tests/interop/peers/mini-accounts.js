'use strict'
// ilp-plugin-mini-accounts as a server: fulfills packets of its children, and sends them packets on request.
const readline = require('readline')
const IlpPacket = require('ilp-packet')
const Plugin = require('ilp-plugin-mini-accounts')
const { say, run } = require('./link')

run(async (options) => {
  const plugin = new Plugin({
    wsOpts: { host: '127.0.0.1', port: options.port },
    debugHostIldcpInfo: { clientAddress: options.address, assetCode: 'USD', assetScale: 9 },
  })
  plugin.registerDataHandler(async (data) => {
    const prepare = IlpPacket.deserializeIlpPrepare(data)
    say({ event: 'prepare', amount: prepare.amount, destination: prepare.destination })
    return IlpPacket.serializeIlpFulfill({ fulfillment: Buffer.alloc(32), data: prepare.data })
  })
  await plugin.connect()
  say({ event: 'ready' })
  readline.createInterface({ input: process.stdin }).on('line', async (line) => {
    const reply = await plugin.sendData(Buffer.from(line, 'hex'))
    say({ event: 'reply', octets: reply.toString('hex') })
  })
})
