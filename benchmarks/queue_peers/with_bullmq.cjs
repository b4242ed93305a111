// Node's BullMQ.
'use strict'
const { Queue, Worker } = require('bullmq')
const Redis = require('ioredis')
const { LOCK, URL, main, run } = require('./protocol.cjs')

const connect = () => new Redis(URL, { maxRetriesPerRequest: null })

async function openAdder() {
  const connection = connect()
  const queue = new Queue('bench', { connection })
  await queue.waitUntilReady()
  return {
    add: (data) => queue.add('x', data),
    addMany: (many) => queue.addBulk(many.map((data) => ({ name: 'x', data }))),
    close: () => queue.close(),
  }
}

function work(concurrency) {
  const lock = LOCK ? { lockDuration: LOCK, stalledInterval: LOCK } : {}
  const worker = new Worker('bench', (job) => run(job.data), { connection: connect(), concurrency, ...lock })
  worker.on('error', (error) => console.error(error.message))
  return worker
}

main(openAdder, work)
