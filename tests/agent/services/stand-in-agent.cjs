// Stands in for the agent where only `serve FOLDER` matters: answers every request with its process id, a short while after it came.
// `behaviour.json` in the folder says how it fails.
const { readFileSync, renameSync, rmSync, writeFileSync } = require('node:fs')
const { createServer } = require('node:net')
const { join } = require('node:path')

const folder = process.argv[3]
const behaviour = (() => {
  try {
    return JSON.parse(readFileSync(join(folder, 'behaviour.json'), 'utf8'))
  } catch {
    return {}
  }
})()
if (behaviour.exitCode !== undefined) process.exit(behaviour.exitCode)

/** The first process of a service that shall take for ever to start; it leaves a file that says so. */
const hangs = (() => {
  if (!behaviour.firstHangs) return false
  try {
    writeFileSync(join(folder, 'hangs'), '', { flag: 'wx' })
    return true
  } catch {
    return false
  }
})()

const statePath = join(folder, 'state.json')
const server = createServer((socket) => {
  socket.on('error', () => {})
  socket.once('data', (request) => {
    if (String(request).startsWith('GET /crash')) process.exit(9)
    const body = String(process.pid)
    setTimeout(() => socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`), 5)
  })
})
function serve() {
  server.listen({ fd: Number(process.env.EDGESMITH_LISTEN_FD) }, () => {
    const state = { pid: process.pid, port: server.address().port, startedAt: new Date().toISOString() }
    writeFileSync(`${statePath}.part`, JSON.stringify(state))
    renameSync(`${statePath}.part`, statePath)
    process.stdout.write(`serving ${behaviour.words ?? ''}\n`)
  })
}
if (hangs) setInterval(() => {}, 1000)
else setTimeout(serve, behaviour.readyMs ?? 0)
process.on('SIGTERM', () => {
  server.close(() => {
    try {
      if (JSON.parse(readFileSync(statePath, 'utf8')).pid === process.pid) rmSync(statePath)
    } catch {
      // Written by a successor meanwhile.
    }
    process.exit(0)
  })
})
