'use strict'
// Byte oracle: reads {"type", "fields"} lines, answers with the octets that ilp-packet and btp-packet make of them.
const readline = require('readline')
const IlpPacket = require('ilp-packet')
const BtpPacket = require('btp-packet')

const octets = (text) => Buffer.from(text, 'hex')

const serializers = {
  prepare: (f) =>
    IlpPacket.serializeIlpPrepare({
      amount: f.amount,
      expiresAt: new Date(f.expires_at),
      executionCondition: octets(f.execution_condition),
      destination: f.destination,
      data: octets(f.data),
    }),
  fulfill: (f) => IlpPacket.serializeIlpFulfill({ fulfillment: octets(f.fulfillment), data: octets(f.data) }),
  reject: (f) =>
    IlpPacket.serializeIlpReject({
      code: f.code,
      triggeredBy: f.triggered_by,
      message: f.message,
      data: octets(f.data),
    }),
  message: (f) => BtpPacket.serialize({ type: 6, requestId: f.request_id, data: { protocolData: entries(f) } }),
  response: (f) => BtpPacket.serialize({ type: 1, requestId: f.request_id, data: { protocolData: entries(f) } }),
  transfer: (f) =>
    BtpPacket.serialize({ type: 7, requestId: f.request_id, data: { amount: f.amount, protocolData: entries(f) } }),
  error: (f) =>
    BtpPacket.serialize({
      type: 2,
      requestId: f.request_id,
      data: {
        code: f.code,
        name: f.name,
        triggeredAt: new Date(f.triggered_at),
        data: octets(f.data).toString('latin1'),
        protocolData: entries(f),
      },
    }),
}

function entries(fields) {
  return fields.protocol_data.map((entry) => ({
    protocolName: entry.name,
    contentType: entry.content_type,
    data: octets(entry.data),
  }))
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { type, fields } = JSON.parse(line)
  try {
    process.stdout.write(JSON.stringify({ octets: serializers[type](fields).toString('hex') }) + '\n')
  } catch (error) {
    process.stdout.write(JSON.stringify({ error: String(error) }) + '\n')
  }
})
