import { once } from 'node:events'
import { connect } from 'node:net'

/** A client with one connection, which sends one request after the other. */
export interface OneConnection {
  /** Sends a request made by {@link requestBytes} and waits for the whole answer. Rejects unless it is 200. */
  ask(request: Buffer): Promise<void>
  end(): void
}

/** A request with everything made beforehand. */
export function requestBytes(path: string, token: string, json?: string): Buffer {
  const head = [`${json === undefined ? 'GET' : 'POST'} ${path} HTTP/1.1`, 'host: 127.0.0.1', `authorization: Bearer ${token}`]
  if (json !== undefined) head.push('content-type: application/json', `content-length: ${Buffer.byteLength(json)}`)
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${json ?? ''}`)
}

/** Reads of an answer only what tells its end: `node:http` takes about as long for an answer as the server that is measured. */
export async function openConnection(port: number): Promise<OneConnection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  let received = ''
  let waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void } | null = null
  socket.setEncoding('latin1')
  socket.on('data', (text: string) => {
    received += text
    const headEnd = received.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const length = /\r\ncontent-length: *(\d+)/i.exec(received)?.[1]
    if (length === undefined || received.length < headEnd + 4 + Number(length)) return
    if (received.startsWith('HTTP/1.1 200 ')) waiting?.resolve()
    else waiting?.reject(new Error(`unexpected answer: ${received}`))
    received = ''
  })
  socket.on('error', (error) => waiting?.reject(error))
  socket.on('close', () => waiting?.reject(new Error('the server closed the connection')))
  const ask = (request: Buffer) =>
    new Promise<void>((resolve, reject) => {
      waiting = { resolve, reject }
      socket.write(request)
    })
  return { ask, end: () => socket.destroy() }
}
