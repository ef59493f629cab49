import { z } from 'zod'
import type { BackendEvent } from './backend-event.ts'
import type { ErrorReport } from './errors.ts'
import { errorReportSchema } from './job.ts'
import type { ProcedureInput, ProcedureName, ProcedureOutput } from './procedures.ts'

/** Electron main → backend. `id` numbers the request. */
export const backendRequestSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('call'), id: z.int(), name: z.string().max(100), input: z.unknown() }),
  z.object({ kind: z.literal('secret'), id: z.int(), value: z.string().nullable() }),
  z.object({ kind: z.literal('shutdown') }),
])
export type BackendRequest = z.infer<typeof backendRequestSchema>

/** Backend → Electron main. `secret` asks main for something in the OS key store (the answer carries the same id). */
export const backendMessageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  /** The workspace cannot be opened; the process exits. */
  z.object({ kind: z.literal('failed'), error: errorReportSchema }),
  z.object({ kind: z.literal('answer'), id: z.int(), ok: z.literal(true), output: z.unknown() }),
  z.object({ kind: z.literal('refusal'), id: z.int(), error: errorReportSchema }),
  z.object({ kind: z.literal('event'), event: z.unknown() }),
  z.object({
    kind: z.literal('secret'),
    id: z.int(),
    action: z.enum(['get', 'put', 'remove']),
    key: z.string().max(200),
    value: z.string().max(10_000).optional(),
  }),
])
export type BackendMessage = z.infer<typeof backendMessageSchema>

/** Answer to the renderer: errors are sent whole, because Electron would drop an Error's code. */
export type BridgeAnswer<N extends ProcedureName> =
  | { readonly ok: true; readonly output: ProcedureOutput<N> }
  | { readonly ok: false; readonly error: ErrorReport }

/** Kinds of file dialog the window may open. */
export const dialogSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('open-model') }),
  z.object({ kind: z.literal('open-dataset') }),
  /** A folder of images; asked for apart, because not every system has a dialog for both. */
  z.object({ kind: z.literal('open-dataset-folder') }),
  /** A folder to write into; the dialog can make one. */
  z.object({ kind: z.literal('choose-folder') }),
  /** A report that was written as .json. */
  z.object({ kind: z.literal('open-report') }),
  z.object({ kind: z.literal('open-key') }),
  z.object({ kind: z.literal('save-model'), name: z.string().max(200) }),
  /** What a service logged. */
  z.object({ kind: z.literal('save-predictions'), name: z.string().max(200) }),
  /** The ending of `name` is the format that is offered first. */
  z.object({ kind: z.literal('save-report'), name: z.string().max(200) }),
])
export type DialogRequest = z.infer<typeof dialogSchema>

/** What the preload script puts on `window.edgesmith`; all the renderer can reach. */
export interface EdgesmithBridge {
  call<N extends ProcedureName>(name: N, input: ProcedureInput<N>): Promise<BridgeAnswer<N>>
  /** Listens to backend events; returns the function that stops listening. */
  onEvent(listener: (event: BackendEvent) => void): () => void
  /** A path the user chose, or null. */
  chooseFile(request: DialogRequest): Promise<string | null>
  /** Path of a file dropped on the window. */
  pathOfFile(file: unknown): string
  /** Opens a file Edgesmith wrote (a report) with the system's program for it. */
  openFile(path: string): Promise<void>
}
