import { readFileSync } from 'node:fs'
import ssh2, { type AuthContext, type Connection } from 'ssh2'

/** An SSH server for ways to log in that OpenSSH offers only as root or with PAM. It runs no commands. */
export interface LoginServer {
  readonly port: number
  /** What clients tried, in order. */
  readonly attempts: string[]
  /** Ends all connections. */
  hangUp(): void
  stop(): Promise<void>
}

/**
 * @param hostKeyPath private key of the host
 * @param accept takes an attempt, refuses it with the methods it would take instead
 */
export async function startLoginServer(hostKeyPath: string, accept: (attempt: AuthContext) => boolean | string[]): Promise<LoginServer> {
  const attempts: string[] = []
  const connections = new Set<Connection>()
  const server = new ssh2.Server({ hostKeys: [readFileSync(hostKeyPath)] }, (connection) => {
    connections.add(connection)
    connection.on('error', () => undefined)
    connection.on('close', () => connections.delete(connection))
    connection.on('authentication', (attempt) => {
      attempts.push(attempt.method)
      const verdict = accept(attempt)
      if (verdict === true) attempt.accept()
      else if (verdict !== false) attempt.reject(verdict as ('password' | 'keyboard-interactive' | 'publickey')[])
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  const hangUp = () => {
    for (const connection of connections) connection.end()
  }
  return {
    port: address.port,
    attempts,
    hangUp,
    stop: async () => {
      hangUp()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
