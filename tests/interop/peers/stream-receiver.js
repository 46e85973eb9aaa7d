'use strict'
// The stateless stream-receiver (the version named by options.package) behind a link. Says its total after each packet.
const crypto = require('crypto')
const { deserializeIlpPrepare, serializeIlpReply, isFulfill } = require('ilp-packet')
const ILDCP = require('ilp-protocol-ildcp')
const { makePlugin, say, run } = require('./link')

run(async (options) => {
  const { StreamServer } = require(options.package)
  const plugin = makePlugin(options.link)
  await plugin.connect()
  const address = options.address || (await ILDCP.fetch(plugin.sendData.bind(plugin))).clientAddress
  const server = new StreamServer({ serverSecret: crypto.randomBytes(32), serverAddress: address })
  let total = 0n
  plugin.registerDataHandler(async (data) => {
    const prepare = deserializeIlpPrepare(data)
    const moneyOrReply = server.createReply(prepare)
    if (isFulfill(moneyOrReply) || !moneyOrReply.accept) return serializeIlpReply(moneyOrReply)
    total += BigInt(prepare.amount)
    moneyOrReply.setTotalReceived(total.toString())
    const reply = moneyOrReply.accept()
    say({ event: 'money', total: total })
    return serializeIlpReply(reply)
  })
  const credentials = server.generateCredentials(options.asset ? { asset: options.asset } : {})
  say({ event: 'ready', address: credentials.ilpAddress, secret: credentials.sharedSecret.toString('base64') })
})
