// What every Node peer does alike; the orders and the environment are those of protocol.py.
'use strict'
const fs = require('fs')
const readline = require('readline')

const URL = process.env.PEER_URL
const LOCK = process.env.PEER_LOCK ? Number(process.env.PEER_LOCK) * 1000 : undefined
const CHUNK = 1000
const witness = fs.openSync(process.env.PEER_WITNESS || '/dev/null', 'a', 0o600)
const nanoseconds = () => process.hrtime.bigint()  // CLOCK_MONOTONIC, as Python's time.monotonic_ns()
const note = (text) => fs.writeSync(witness, text)

async function run(data) {
  if (data.id === undefined) {
    note(data.t === undefined ? '.' : `${nanoseconds() - BigInt(data.t)}\n`)
    return
  }
  note(`${data.id} start ${process.pid} ${nanoseconds()}\n`)
  const asked = process.env.PEER_SLEEP
  if (asked === undefined && data.block) {
    const until = Date.now() + data.block * 1000
    while (Date.now() < until);
  } else {
    const seconds = asked === undefined ? data.sleep || 0 : Number(asked)
    if (seconds > 0) await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  }
  note(`${data.id} end ${process.pid} ${nanoseconds()}\n`)
}

// The first tenth (at most 100) opens connections, loads scripts and warms the compiler; it is not timed.
async function add(adder, how, count, limit) {
  const warm = Math.min(100, Math.floor(count / 10))
  for (let n = 0; n < warm; n++) await adder.add({ n })
  const begun = performance.now()
  let done = warm
  while (done < count && performance.now() - begun < limit * 1000) {
    if (how === 'single') {
      await adder.add({ n: done })
      done++
    } else {
      const chunk = []
      for (let n = done; n < Math.min(done + CHUNK, count); n++) chunk.push({ n })
      await adder.addMany(chunk)
      done += chunk.length
    }
  }
  const seconds = (performance.now() - begun) / 1000
  console.log(JSON.stringify({ added: done, timed: done - warm, seconds }))
}

async function feed(adder) {
  console.log(JSON.stringify({ ready: true }))
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const data = JSON.parse(line)
    if (data.t === 0) data.t = Number(nanoseconds())
    try {
      await adder.add(data)
      console.log(JSON.stringify({ ok: true }))
    } catch (error) {
      console.log(JSON.stringify({ error: String(error).slice(0, 200) }))
    }
  }
}

// open(): {add, addMany, close}; work(concurrency): a worker with close(), which SIGTERM calls.
async function main(open, work) {
  const [order, ...given] = process.argv.slice(2)
  if (order === 'work') {
    const worker = work(Number(given[0]))
    process.on('SIGTERM', async () => {
      await worker.close()
      process.exit(0)
    })
    return
  }
  const adder = await open()
  if (order === 'add') await add(adder, given[0], Number(given[1]), Number(given[2]))
  else await feed(adder)
  await adder.close()
  process.exit(0)
}

module.exports = { LOCK, URL, main, run }
