'use strict'
// ilp-protocol-stream's server: takes all money, says only its address and secret.
const { createServer } = require('ilp-protocol-stream')
const { makePlugin, say, run } = require('../tests/interop/peers/link')

run(async (options) => {
  const server = await createServer({ plugin: makePlugin(options.link) })
  server.on('connection', (connection) => {
    connection.on('stream', (stream) => stream.setReceiveMax('18446744073709551615'))
  })
  const { destinationAccount, sharedSecret } = server.generateAddressAndSecret()
  say({ event: 'ready', address: destinationAccount, secret: sharedSecret.toString('base64') })
})
