import { randomBytes } from 'node:crypto'

/** What may go into logs and headers as it is. */
const SANE = /^[\w.:@/+=-]{1,128}$/

/** Makes ids of requests: random for the process, counted within it. A client's own is kept where it can be. */
export function requestIds(): (given: string | undefined) => string {
  const process = randomBytes(6).toString('hex')
  let count = 0
  return (given) => (given !== undefined && SANE.test(given) ? given : `${process}-${(count++).toString(36)}`)
}
