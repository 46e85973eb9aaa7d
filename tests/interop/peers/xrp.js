'use strict'
// npm's three XRP plugins: asym-client ("client"), asym-server ("server") and paychan, on a simulated ledger. Each
// tells its address and waits for money on it; then lines of JSON say what it sends.
const readline = require('readline')
const { deriveAddress, deriveKeypair, generateSeed } = require('ripple-keypairs')
const { say, run } = require('./link')

class Store {
  constructor() { this.values = new Map() }
  async get(key) { return this.values.get(key) }
  async put(key, value) { this.values.set(key, value) }
  async del(key) { this.values.delete(key) }
  async close() {}
}

function make(options, secret, address) {
  const common = { xrpServer: options.xrpServer, secret, address, currencyScale: options.scale, claimInterval: 1e6 }
  if (options.kind === 'client') {
    const Client = require('ilp-plugin-xrp-asym-client')
    return new Client({ ...common, server: options.btp, outgoingChannelAmountXRP: '10', store: new Store() })
  }
  if (options.kind === 'server') {
    // Without its native part the library gives arrays where the plugin wants buffers.
    const sodium = require('sodium-universal')
    sodium.sodium_malloc = (size) => Buffer.alloc(size)
    const Server = require('ilp-plugin-xrp-asym-server')
    return new Server({
      ...common,
      wsOpts: { host: '127.0.0.1', port: options.port },
      debugHostIldcpInfo: { clientAddress: options.address, assetCode: 'XRP', assetScale: options.scale },
      bandwidth: '1000000000',
      _store: new Store(),
    })
  }
  const Paychan = require('ilp-plugin-xrp-paychan')
  return new Paychan({ ...common, server: options.btp, _store: new Store() })
}

run(async (options) => {
  const secret = options.secret || generateSeed()
  const address = deriveAddress(deriveKeypair(secret).publicKey)
  say({ event: 'address', address })
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  await lines.next() // it has money now
  const plugin = make(options, secret, address)
  plugin.registerDataHandler(async () => { throw new Error('no packets here') })
  if (plugin.registerMoneyHandler) plugin.registerMoneyHandler(async (amount) => say({ event: 'money', amount }))
  if (options.kind === 'server') {
    const handle = plugin._handleClaim.bind(plugin)
    plugin._handleClaim = (account, claim) => {
      handle(account, claim)
      say({ event: 'claim', amount: account.getIncomingClaim().amount })
    }
  }
  await plugin.connect()
  say({ event: 'ready' })
  for (;;) {
    const { value, done } = await lines.next()
    if (done) break
    const command = JSON.parse(value)
    try {
      if (command.send) await plugin.sendMoney(command.send)
      if (command.settle) {
        await plugin.sendAdminInfo({ command: 'settle', account: command.account, amount: command.settle })
      }
      if (command.raw) {
        // a claim that the plugin itself would not make
        const BtpPacket = require('btp-packet')
        await plugin._call(null, {
          type: BtpPacket.TYPE_TRANSFER,
          requestId: Math.floor(Math.random() * 2 ** 31),
          data: {
            amount: '1',
            protocolData: [
              { protocolName: 'claim', contentType: BtpPacket.MIME_APPLICATION_JSON, data: Buffer.from(command.raw) },
            ],
          },
        })
      }
      if (command.disconnect) await plugin.disconnect()
      say({ event: 'done' })
    } catch (error) {
      say({ event: 'refused', error: String(error.message || error), btp: error.btpErrorData })
    }
  }
})
