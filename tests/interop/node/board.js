// Bull Board with its HTTP API, on a free port of the loopback.
'use strict'

const express = require('express')
const { createBullBoard } = require('@bull-board/api')
const { BullAdapter } = require('@bull-board/api/bullAdapter')
const { ExpressAdapter } = require('@bull-board/express')

exports.board = (queues) => {
  const serverAdapter = new ExpressAdapter()
  createBullBoard({ queues: queues.map((queue) => new BullAdapter(queue)), serverAdapter })
  const app = express()
  app.use('/', serverAdapter.getRouter())
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve(server))
  })
}
