import type { PortForward } from '../../contract/device-link.ts'
import { CopyValue } from '../components/copy-value.tsx'
import tableClasses from '../components/plain-table.module.css'
import { plainText } from '../format/plain-text.ts'
import { forwardAddress, forwardKey } from './forward-address.ts'
import classes from './port-table.module.css'

interface PortTableProps {
  readonly forwards: readonly PortForward[]
  /** Names of devices by their id; left out where all are of one device. */
  readonly deviceNames?: ReadonlyMap<string, string>
}

/** Ports of this computer that lead to devices, with the address to use. */
export function PortTable({ forwards, deviceNames }: PortTableProps) {
  return (
    <table className={tableClasses.table}>
      <thead>
        <tr>
          {deviceNames ? <th scope="col">Device</th> : null}
          <th scope="col">Device port</th>
          <th scope="col">Address here</th>
          <th scope="col">What listens there</th>
        </tr>
      </thead>
      <tbody>
        {forwards.map((forward) => (
          <tr key={forwardKey(forward)} data-testid={`port-${forward.devicePort}`} data-local-port={forward.localPort}>
            {deviceNames ? <td className="es-wrap">{plainText(deviceNames.get(forward.deviceId) ?? 'removed device', 60)}</td> : null}
            <td className="es-num">{forward.devicePort}</td>
            <td>
              <span className={classes.address}>
                <code>{forwardAddress(forward)}</code>
                <CopyValue value={forwardAddress(forward)} what="address" />
              </span>
            </td>
            <td className="es-wrap">{plainText(forward.what, 120)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
