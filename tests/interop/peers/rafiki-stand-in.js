'use strict'
// A stand-in for a Rafiki backend: Rafiki itself is on no registry. What it is made of is what Rafiki is made of (koa,
// raw-body, ilp-packet, the stateless stream-receiver, @interledger/pay); what it checks of a request, and what it does
// with its peers and its auto-peering port, was written after what Rafiki does.
const crypto = require('crypto')
const Koa = require('koa')
const getRawBody = require('raw-body')
const Pay = require('@interledger/pay')
const { StreamServer } = require('stream-receiver-alpha')
const { deserializeIlpPrepare, serializeIlpReply, isFulfill, Errors, errorToIlpReject } = require('ilp-packet')
const { say, run } = require('./link')

run(async (options) => {
  const ownAddress = options.address
  const connectorUrl = `http://127.0.0.1:${options.connectorPort}`
  const assets = options.assets
  const peers = []
  const streamServer = new StreamServer({ serverSecret: crypto.randomBytes(32), serverAddress: ownAddress })
  let total = 0n

  // ------------------------------------------------ the connector's port: one path, the token says who it is

  const connector = new Koa()
  connector.silent = true
  connector.use(async (ctx, next) => {
    const parts = (ctx.request.header.authorization || '').split(' ')
    const token = parts.length === 2 && /^Bearer$/i.test(parts[0]) ? parts[1] : undefined
    ctx.assert(token, 401, 'Bearer token required in Authorization header')
    ctx.state.peer = peers.find((peer) => peer.incoming === token)
    ctx.assert(ctx.state.peer, 401, 'Access Denied - Invalid Token')
    await next()
  })
  connector.use(async (ctx) => {
    ctx.assert(ctx.request.type === 'application/octet-stream', 400, 'Expected Content-Type of application/octet-stream')
    ctx.assert(ctx.request.header['content-type'] === 'application/octet-stream', 400, 'parameters')
    const prepare = deserializeIlpPrepare(await getRawBody(ctx.req))
    ctx.body = serializeIlpReply(answer(prepare))
  })

  function answer(prepare) {
    const reply = prepare.destination.startsWith(ownAddress + '.') && streamServer.createReply(prepare)
    if (!reply) return errorToIlpReject(ownAddress, new Errors.UnreachableError('unknown destination account'))
    if (isFulfill(reply) || !reply.accept) return reply
    total += BigInt(prepare.amount)
    reply.setTotalReceived(total.toString())
    const fulfill = reply.accept()
    say({ event: 'money', total })
    return fulfill
  }

  // ------------------------------------------------ the auto-peering port

  const autoPeering = new Koa()
  autoPeering.silent = true
  autoPeering.use(async (ctx) => {
    ctx.assert(ctx.method === 'POST' && ctx.path === '/', 404)
    ctx.assert(ctx.is('application/json'), 400)
    const asked = JSON.parse((await getRawBody(ctx.req)).toString())
    const known = assets.some(({ code, scale }) => code === asked.asset.code && scale === asked.asset.scale)
    if (!known) return refuse(ctx, 404, 'UnknownAsset', 'Unknown asset')
    if (!/^https?:\/\//.test(asked.ilpConnectorUrl)) {
      return refuse(ctx, 400, 'InvalidPeerIlpConfiguration', "Requested peer's ILP configuration is misconfigured")
    }
    const outgoing = crypto.randomUUID()
    keep({ address: asked.staticIlpAddress, url: asked.ilpConnectorUrl, incoming: asked.httpToken, outgoing }, asked)
    ctx.body = {
      ilpConnectorUrl: connectorUrl,
      staticIlpAddress: ownAddress,
      httpToken: outgoing,
      name: 'Rafiki stand-in',
      tenantId: '438fa74a-fa7d-4317-9ced-dde32ece1787',
    }
  })

  function refuse(ctx, code, type, message) {
    ctx.status = code
    ctx.body = { error: { code, message, type } }
  }

  function keep(peer, asked) {
    const index = peers.findIndex((other) => other.address === peer.address)
    if (index >= 0) peers[index] = peer
    else peers.push(peer)
    say({ event: 'peer', address: peer.address, updated: index >= 0, asked: { ...asked, httpToken: undefined } })
  }

  // ------------------------------------------------ as a client

  async function initiate({ peerUrl, asset }) {
    const outgoing = crypto.randomUUID()
    const asked = {
      ilpConnectorUrl: connectorUrl,
      staticIlpAddress: ownAddress,
      asset,
      httpToken: outgoing,
      maxPacketAmount: Number(undefined),
      name: 'Rafiki stand-in',
    }
    const response = await fetch(peerUrl, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/plain, */*' },
      body: JSON.stringify(asked),
    })
    const details = await response.json()
    if (response.status !== 200) return say({ event: 'refused', status: response.status, error: details.error })
    keep({ address: details.staticIlpAddress, url: details.ilpConnectorUrl, incoming: details.httpToken, outgoing }, asked)
  }

  async function sendData(data) {
    const prepare = deserializeIlpPrepare(data)
    const peer = peers.find(({ address }) => (prepare.destination + '.').startsWith(address + '.'))
    const response = await fetch(peer.url, {
      method: 'POST',
      headers: { Authorization: `Bearer ${peer.outgoing}`, 'Content-Type': 'application/octet-stream' },
      body: data,
    })
    if (response.status !== 200) throw new Error(`the peer answers HTTP ${response.status}`)
    return Buffer.from(await response.arrayBuffer())
  }

  async function pay({ address, secret, asset, amount }) {
    const plugin = { connect: async () => {}, disconnect: async () => {}, isConnected: () => true, sendData }
    plugin.registerDataHandler = plugin.deregisterDataHandler = () => {}
    const destination = await Pay.setupPayment({
      plugin,
      destinationAddress: address,
      sharedSecret: Buffer.from(secret, 'base64'),
    })
    const quote = await Pay.startQuote({ plugin, destination, sourceAsset: asset, amountToSend: amount, slippage: 0.01 })
    const receipt = await Pay.pay({ plugin, destination, quote })
    say({ event: 'paid', sent: receipt.amountSent, delivered: receipt.amountDelivered, error: receipt.error || null })
    await Pay.closeConnection(plugin, destination)
  }

  await new Promise((resolve) => connector.listen(options.connectorPort, '127.0.0.1', resolve))
  await new Promise((resolve) => autoPeering.listen(options.autoPeeringPort, '127.0.0.1', resolve))
  const credentials = streamServer.generateCredentials({ asset: assets[0] })
  say({ event: 'ready', address: credentials.ilpAddress, secret: credentials.sharedSecret.toString('base64') })

  require('readline')
    .createInterface({ input: process.stdin })
    .on('line', (line) => {
      const { command, ...rest } = JSON.parse(line)
      const doing = { initiate, pay }[command](rest)
      doing.catch((error) => say({ event: 'error', error: String(error.stack || error) }))
    })
})
