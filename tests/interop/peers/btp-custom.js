'use strict'
// A settlement plugin as their makers write them: ilp-plugin-btp with sub-protocols of its own and money by Transfer.
// Reads a command per line: {"message": {name: data}} or {"money": amount}; says what was answered and what came in.
const readline = require('readline')
const crypto = require('crypto')
const BtpPacket = require('btp-packet')
const PluginBtp = require('ilp-plugin-btp')
const { say, run } = require('./link')

class Plugin extends PluginBtp {
  constructor(options) {
    super(options)
    this.total = 0n
  }

  async _handleData(from, packet) {
    const { ilp, protocolMap } = this.protocolDataToIlpAndCustom(packet.data)
    if (ilp) return super._handleData(from, packet)
    say({ event: 'message', protocolMap })
    if (protocolMap.refuse) {
      const error = new Error('no such thing')
      error.name = protocolMap.refuse
      throw error
    }
    return this.ilpAndCustomToProtocolData({ protocolMap: { claim: { accepted: true }, note: 'thanks' } })
  }

  async _handleMoney(from, packet) {
    const { protocolMap } = this.protocolDataToIlpAndCustom(packet.data)
    if (protocolMap.claim.worth !== packet.data.amount) {
      const error = new Error('the claim is not worth that')
      error.name = 'InvalidFieldsError'
      throw error
    }
    this.total += BigInt(packet.data.amount)
    say({ event: 'money', amount: packet.data.amount, total: this.total })
    return this.ilpAndCustomToProtocolData({ protocolMap: { claim: { total: this.total.toString() } } })
  }

  call(type, data) {
    return this._call('', { type, requestId: crypto.randomBytes(4).readUInt32BE(0), data })
  }

  async sendMoney(amount) {
    const { protocolData } = { protocolData: this.ilpAndCustomToProtocolData({ protocolMap: { claim: { worth: amount } } }) }
    return this.call(BtpPacket.TYPE_TRANSFER, { amount, protocolData })
  }
}

run(async (options) => {
  const plugin = new Plugin(options.link.btp ? { server: options.link.btp } : { listener: options.link.btpListen })
  plugin.registerDataHandler(async (data) => data)
  const connecting = plugin.connect()
  if (options.link.btpListen) say({ event: 'listening' })
  await connecting
  say({ event: 'ready' })
  readline.createInterface({ input: process.stdin }).on('line', async (line) => {
    const command = JSON.parse(line)
    try {
      const answer = command.money
        ? await plugin.sendMoney(command.money)
        : await plugin.call(BtpPacket.TYPE_MESSAGE, {
            protocolData: plugin.ilpAndCustomToProtocolData({
              protocolMap: Object.fromEntries(
                Object.entries(command.message).map(([name, data]) => [name, data.hex ? Buffer.from(data.hex, 'hex') : data])
              ),
            }),
          })
      const entries = answer.protocolData.map((entry) => ({
        name: entry.protocolName,
        contentType: entry.contentType,
        hex: entry.data.toString('hex'),
      }))
      say({ event: 'answer', entries })
    } catch (error) {
      const { code, name } = JSON.parse(error.message)
      say({ event: 'refused', code, name })
    }
  })
})
