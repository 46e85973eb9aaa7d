'use strict'
// ilp-protocol-stream's server behind a link: says its address and secret, then its total after each money event.
const { createServer } = require('ilp-protocol-stream')
const { makePlugin, say, run } = require('./link')

run(async (options) => {
  const plugin = makePlugin(options.link)
  const server = await createServer({ plugin })
  let total = 0n
  server.on('connection', (connection) => {
    connection.on('stream', (stream) => {
      stream.setReceiveMax('18446744073709551615')
      stream.on('money', (amount) => {
        total += BigInt(amount)
        say({ event: 'money', total: total })
      })
    })
  })
  const { destinationAccount, sharedSecret } = server.generateAddressAndSecret()
  say({
    event: 'ready',
    address: destinationAccount,
    secret: sharedSecret.toString('base64'),
    asset: { code: server.assetCode, scale: server.assetScale },
  })
})
