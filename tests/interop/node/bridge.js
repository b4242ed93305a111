// Bull's side of a test: one command a line on stdin, one reply or event a line on stdout, both JSON.
// Ends when stdin does.
'use strict'

const readline = require('node:readline')
const Bull = require('bull')

const url = process.argv[2]
const queues = new Map()
const running = new Map() // job id -> { job, settle } of what a processor was asked about, or getNextJob gave
const servers = []

const say = (message) => process.stdout.write(JSON.stringify(message) + '\n')

const plain = (value) => {
  if (value === undefined) return null
  if (Array.isArray(value)) return value.map(plain)
  return value && typeof value.toJSON === 'function' ? value.toJSON() : value
}

const open = (name, options = {}) => {
  if (!queues.has(name)) {
    const queue = new Bull(name, url, options)
    queue.on('error', (error) => say({ event: 'error', queue: name, args: [String(error)] }))
    queues.set(name, queue)
  }
  return queues.get(name)
}

const found = async (queue, id) => {
  const job = await open(queue).getJob(id)
  if (!job) throw new Error(`there is no job ${id}`)
  return job
}

// Bull tells nobody when Redis has confirmed a subscription, but keeps the promise of it.
const subscribed = async (queue, channel) => {
  await queue.isReady()
  while (!queue.registeredEvents[channel]) await new Promise(setImmediate)
  await queue.registeredEvents[channel]
}

const held = (id) => {
  if (!running.has(id)) throw new Error(`job ${id} is not running here`)
  return running.get(id)
}

// What processors do. `ask` lets the test decide; the others need nobody.
const processors = {
  echo: async (job) => ({ by: 'node', data: job.data }),
  fail: async (job) => {
    throw new Error(`node refuses ${job.id} at ${job.attemptsMade}`)
  },
  // Does what the job's data say for this attempt.
  plan: async (job) => {
    const step = job.data.plan[job.attemptsMade]
    if (step.log) await job.log(step.log)
    if (step.progress) await job.progress(step.progress)
    if (step.error) throw new Error(step.error)
    return step.value
  },
  ask: (job) =>
    new Promise((resolve, reject) => {
      const settle = (value, error) => (error === undefined ? resolve(value) : reject(new Error(error)))
      running.set(job.id, { job, settle })
      say({ event: 'processing', args: [plain(job)] })
    }),
}

const operations = {
  open: async ({ queue, options }) => {
    await open(queue, options).isReady()
  },
  queue: async ({ queue, method, args }) => plain(await open(queue)[method](...args)),
  job: async ({ queue, job, method, args }) => plain(await (await found(queue, job))[method](...args)),
  listen: async ({ queue, events }) => {
    for (const event of events) {
      open(queue).on(event, (...args) => say({ event, queue, args: plain(args) }))
      if (event.startsWith('global:')) await subscribed(open(queue), event.replace('global:', ''))
    }
  },
  process: async ({ queue, name, concurrency, how }) => {
    // The promise of process() only ends with the queue.
    open(queue).process(name, concurrency, processors[how]).catch((error) => say({ event: 'error', args: [String(error)] }))
    await open(queue).isReady()
  },
  settle: async ({ job, value, error }) => {
    held(job).settle(value, error)
    running.delete(job)
  },
  running: async ({ job, method, args }) => plain(await held(job).job[method](...args)),
  take: async ({ queue }) => {
    const job = await open(queue).getNextJob()
    if (job) running.set(job.id, { job })
    return plain(job)
  },
  finish: async ({ job, value, error }) => {
    const taken = held(job).job
    running.delete(job)
    if (error === undefined) await taken.moveToCompleted(value, false, true)
    else await taken.moveToFailed(new Error(error), false, true)
  },
  board: async ({ queues: names }) => {
    const { board } = require('./board.js')
    const server = await board(names.map((name) => open(name)))
    servers.push(server)
    return server.address().port
  },
}

const answer = async (line) => {
  const { id, op, ...args } = JSON.parse(line)
  try {
    say({ id, value: plain(await operations[op](args)) })
  } catch (error) {
    say({ id, error: error.message })
  }
}

const input = readline.createInterface({ input: process.stdin })
input.on('line', answer)
input.on('close', () => process.exit(0))
