'use strict'
// A bare ilp-plugin-btp: fulfills packets whose condition is that of 32 zero octets, rejects others; sends on request.
const readline = require('readline')
const IlpPacket = require('ilp-packet')
const { makePlugin, say, run } = require('./link')

run(async (options) => {
  const plugin = makePlugin(options.link)
  let received = 0
  plugin.registerDataHandler(async (data) => {
    received += 1
    const prepare = IlpPacket.deserializeIlpPrepare(data)
    say({ event: 'prepare', amount: prepare.amount, destination: prepare.destination, received })
    return IlpPacket.serializeIlpFulfill({ fulfillment: Buffer.alloc(32), data: prepare.data })
  })
  await plugin.connect()
  say({ event: 'ready' })
  readline.createInterface({ input: process.stdin }).on('line', async (line) => {
    const reply = await plugin.sendData(Buffer.from(line, 'hex'))
    say({ event: 'reply', octets: reply.toString('hex') })
  })
})
