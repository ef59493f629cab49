import { plainText } from '../format/plain-text.ts'

/** A node or tensor of a graph and what it is, in one cell that may become narrow. */
export function NodeName({ name, op }: { name: string; op: string }) {
  return (
    <>
      <span className="es-mono es-wrap">{plainText(name, 120)}</span> <span className="es-dim">{plainText(op, 40)}</span>
    </>
  )
}
