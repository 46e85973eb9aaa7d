'use strict'
// A plugin from a description: {"btp": "btp+ws://user:token@host:port/path"} or {"http": {"port", "url", "token" or "auth", "http2"}}
const util = require('util')

function makePlugin(link) {
  if (link.btp) {
    const PluginBtp = require('ilp-plugin-btp')
    return new PluginBtp({ server: link.btp })
  }
  if (link.btpListen) {
    const PluginBtp = require('ilp-plugin-btp')
    return new PluginBtp({ listener: link.btpListen })
  }
  const PluginHttp = require('ilp-plugin-http')
  // `auth`: its own names for how it shows who it is, such as {"jwtSecret": "..."} or {"secret": "..."}
  const auth = link.http.auth || { staticToken: link.http.token }
  return new PluginHttp({
    multi: false,
    incoming: { port: link.http.port, ...auth },
    outgoing: { url: link.http.url, ...auth, http2: link.http.http2 === true },
  })
}

function say(document) {
  const text = JSON.stringify(document, (key, value) => (typeof value === 'bigint' ? value.toString() : value))
  process.stdout.write(text + '\n')
}

function run(main) {
  const options = JSON.parse(process.argv[2])
  process.on('unhandledRejection', (error) => {
    say({ event: 'error', error: util.inspect(error) })
    process.exit(1)
  })
  main(options).catch((error) => {
    say({ event: 'error', error: util.inspect(error) })
    process.exit(1)
  })
}

module.exports = { makePlugin, say, run }
