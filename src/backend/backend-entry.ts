// The backend behind the window: a plain Node process that Electron main starts, supervises and talks to over IPC.
import { type BackendMessage, backendRequestSchema } from '../contract/bridge.ts'
import { toErrorReport } from '../contract/errors.ts'
import type { ProcedureInput, ProcedureName } from '../contract/procedures.ts'
import { openBackend } from './backend.ts'
import type { SecretStore } from './secret-store.ts'
import { defaultWorkspace } from './workspace-path.ts'

// Electron's fork sets it even when it was removed from the environment; our own children must be plain Node.
delete process.env.ELECTRON_RUN_AS_NODE

const send = (message: BackendMessage) => {
  if (process.connected) process.send?.(message)
}

/** Answers to `secret` messages that main has not given yet. */
const pendingSecrets = new Map<number, (value: string | null) => void>()
let secretId = 0
const askMain = (action: 'get' | 'put' | 'remove', key: string, value?: string) =>
  new Promise<string | null>((resolve) => {
    const id = ++secretId
    pendingSecrets.set(id, resolve)
    send({ kind: 'secret', id, action, key, ...(value === undefined ? {} : { value }) })
  })
const secrets: SecretStore = {
  get: (key) => askMain('get', key),
  put: async (key, value) => void (await askMain('put', key, value)),
  remove: async (key) => void (await askMain('remove', key)),
}

const backend = await openBackend({ workspace: defaultWorkspace(process.env), secrets, answersQuestions: true }).catch((error: unknown) => {
  process.send?.({ kind: 'failed', error: toErrorReport(error) } satisfies BackendMessage, () => process.exit(1))
  // The process ends in the callback above; nothing below may run.
  return new Promise<never>(() => {})
})
backend.onEvent((event) => send({ kind: 'event', event }))

let closing = false
const shutDown = () => {
  if (closing) return
  closing = true
  backend.close().finally(() => process.exit(0))
}
process.on('disconnect', shutDown)
process.on('SIGTERM', shutDown)
process.on('SIGINT', () => {}) // Ctrl+C in a terminal reaches the whole group; main decides when we end.

process.on('message', (raw) => {
  const request = backendRequestSchema.parse(raw)
  if (request.kind === 'shutdown') return shutDown()
  if (request.kind === 'secret') {
    pendingSecrets.get(request.id)?.(request.value)
    pendingSecrets.delete(request.id)
    return
  }
  const { id, name, input } = request
  backend.call(name as ProcedureName, input as ProcedureInput<ProcedureName>).then(
    (output) => send({ kind: 'answer', id, ok: true, output }),
    (error: unknown) => {
      const report = toErrorReport(error)
      if (report.code === 'INTERNAL') console.error(`${name} failed:`, error)
      send({ kind: 'refusal', id, error: report })
    },
  )
})
send({ kind: 'ready' })
