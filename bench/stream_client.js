'use strict'
// ilp-protocol-stream's client: pays once to warm up, then again, and says when that began and when it ended.
const { createConnection } = require('ilp-protocol-stream')
const { makePlugin, say, run } = require('../tests/interop/peers/link')

run(async (options) => {
  const connection = await createConnection({
    plugin: makePlugin(options.link),
    destinationAccount: options.address,
    sharedSecret: Buffer.from(options.secret, 'base64'),
    slippage: 0.01,
  })
  const stream = connection.createStream()
  await stream.sendTotal(options.warm_up, { timeout: 120000 })
  say({ event: 'begin' })
  await stream.sendTotal(options.warm_up + options.amount, { timeout: 120000 })
  say({ event: 'paid', delivered: connection.totalDelivered })
  await new Promise((resolve) => setTimeout(resolve, 60000))
})
