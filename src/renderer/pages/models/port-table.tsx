import type { PortDescription } from '../../../contract/model.ts'
import tableClasses from '../../components/plain-table.module.css'
import { plainText } from '../../format/plain-text.ts'
import { formatShape } from '../../format/shapes.ts'

interface PortTableProps {
  readonly inputs: readonly PortDescription[]
  readonly outputs: readonly PortDescription[]
}

/** Inputs and outputs of a model with their types and shapes. */
export function PortTable({ inputs, outputs }: PortTableProps) {
  const ports = [...inputs.map((port) => ({ way: 'in', port })), ...outputs.map((port) => ({ way: 'out', port }))]
  return (
    <table className={tableClasses.table}>
      <thead>
        <tr>
          <th scope="col">Way</th>
          <th scope="col">Name</th>
          <th scope="col">Type</th>
          <th scope="col">Shape</th>
        </tr>
      </thead>
      <tbody>
        {ports.map(({ way, port }) => (
          <tr key={`${way} ${port.name}`}>
            <td className="es-dim">{way}</td>
            <td className="es-mono es-wrap">{plainText(port.name, 120)}</td>
            <td>{plainText(port.type, 40)}</td>
            <td className="es-num">{formatShape(port.shape)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
