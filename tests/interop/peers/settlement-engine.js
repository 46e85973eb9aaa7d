'use strict'
// A live engine on ilp-settlement-core. Its ledger is standard output: each payment is an event; a line on standard input
// is money that came in, or a message for the peer's engine.
const { startServer } = require('ilp-settlement-core')
const { BigNumber } = require('bignumber.js')
const readline = require('readline')

const options = JSON.parse(process.argv[2])
const say = (event, more = {}) => console.log(JSON.stringify({ event, ...more }))

let services
const createEngine = async found => {
  services = found
  return {
    async setupAccount (account) { say('account', { account }) },
    async closeAccount (account) { say('closed', { account }) },
    async settle (account, amount) {
      // It pays whole cents; the library keeps the rest for the next time.
      const paid = amount.decimalPlaces(2, BigNumber.ROUND_DOWN)
      if (!paid.isZero()) say('paid', { account, amount: paid.toFixed() })
      return paid
    },
    async handleMessage (account, message) {
      say('message', { account, message })
      return { answer: message.ask }
    }
  }
}

startServer(createEngine, undefined, { connectorUrl: options.connectorUrl, port: options.port })
  .then(() => say('ready'))
  .catch(error => say('error', { error: error.message }))

readline.createInterface({ input: process.stdin }).on('line', async line => {
  const { account, credit, id, ask } = JSON.parse(line)
  try {
    if (credit !== undefined) {
      await services.creditSettlement(account, new BigNumber(credit), id)
      say('credited', { account, credit })
    } else {
      say('answer', { answer: await services.sendMessage(account, { ask }) })
    }
  } catch (error) {
    say('failed', { why: error.message })
  }
})
