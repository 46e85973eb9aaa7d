'use strict'
// @interledger/pay behind a link: quotes and pays an address, and says what was sent and delivered.
const Pay = require('@interledger/pay')
const { makePlugin, say, run } = require('./link')

run(async (options) => {
  const plugin = makePlugin(options.link)
  await plugin.connect()
  const destination = await Pay.setupPayment({
    plugin,
    destinationAddress: options.address,
    sharedSecret: Buffer.from(options.secret, 'base64'),
  })
  const quote = await Pay.startQuote({
    plugin,
    destination,
    sourceAsset: options.asset,
    amountToSend: options.amount,
    prices: options.prices,
    slippage: options.slippage === undefined ? 0.01 : options.slippage,
  })
  const receipt = await Pay.pay({ plugin, destination, quote })
  say({
    event: 'paid',
    sent: receipt.amountSent,
    delivered: receipt.amountDelivered,
    error: receipt.error || null,
    asset: destination.destinationAsset,
  })
  await Pay.closeConnection(plugin, destination)
  process.exit(0)
})
