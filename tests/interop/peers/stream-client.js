'use strict'
// ilp-protocol-stream's client behind a link: sends an amount to an address and says what was sent and delivered.
const { createConnection } = require('ilp-protocol-stream')
const { makePlugin, say, run } = require('./link')

run(async (options) => {
  const connection = await createConnection({
    plugin: makePlugin(options.link),
    destinationAccount: options.address,
    sharedSecret: Buffer.from(options.secret, 'base64'),
    slippage: options.slippage === undefined ? 0.01 : options.slippage,
  })
  const stream = connection.createStream()
  await stream.sendTotal(options.amount, { timeout: 30000 })
  say({ event: 'paid', sent: connection.totalSent, delivered: connection.totalDelivered })
  await connection.end().catch(() => {})
  process.exit(0)
})
