// Node's Bull 4.
'use strict'
const Bull = require('bull')
const { LOCK, URL, main, run } = require('./protocol.cjs')

const options = process.env.PEER_PRIORITY ? { priority: 5 } : {}
const open = (settings) => new Bull('bench', URL, { settings })

async function openAdder() {
  const queue = open({})
  await queue.isReady()
  return {
    add: (data) => queue.add('x', data, options),
    addMany: (many) => queue.addBulk(many.map((data) => ({ name: 'x', data, opts: options }))),
    close: () => queue.close(),
  }
}

function work(concurrency) {
  const queue = open(LOCK ? { lockDuration: LOCK, stalledInterval: LOCK } : {})
  queue.on('error', (error) => console.error(error.message))
  queue.process('x', concurrency, (job) => run(job.data)).catch((error) => console.error(error.message))
  return queue
}

main(openAdder, work)
