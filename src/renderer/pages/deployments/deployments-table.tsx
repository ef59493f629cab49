import type { Deployment } from '../../../contract/deployment.ts'
import { type Column, ListTable } from '../../components/list-table.tsx'
import { StateDot } from '../../components/state-dot.tsx'
import { plainText } from '../../format/plain-text.ts'
import { deviceNameLabel } from '../../text/device-label.ts'
import { serviceStates } from './service-state.ts'

interface DeploymentsTableProps {
  readonly deployments: readonly Deployment[]
  readonly selectedId: string | null
  readonly onSelect: (id: string) => void
}

const columns: readonly Column<Deployment>[] = [
  {
    key: 'service',
    header: 'Service',
    sort: ({ service }) => service,
    cell: ({ service }) => <strong title={service}>{plainText(service, 40)}</strong>,
  },
  {
    key: 'state',
    header: 'State',
    sort: ({ state }) => state,
    cell: ({ state }) => <StateDot condition={serviceStates[state].condition}>{serviceStates[state].text}</StateDot>,
  },
  {
    key: 'device',
    header: 'Device',
    sort: ({ device }) => device,
    cell: ({ deviceId, device }) => deviceNameLabel(deviceId, device),
  },
  { key: 'model', header: 'Model', priority: 3, sort: ({ model }) => model, cell: ({ model }) => plainText(model, 60) },
  {
    key: 'port',
    header: 'Port',
    align: 'right',
    priority: 3,
    sort: ({ port }) => port,
    cell: ({ port }) => <span className="es-num">{port}</span>,
  },
  {
    key: 'url',
    header: 'Reached at',
    priority: 3,
    cell: ({ localUrl }) => (localUrl ? <span className="es-mono">{localUrl}</span> : <span className="es-dim">not connected</span>),
  },
]

/** Services with their states. */
export function DeploymentsTable({ deployments, selectedId, onSelect }: DeploymentsTableProps) {
  return (
    <ListTable
      label="Deployments"
      columns={columns}
      rows={deployments}
      rowKey={({ id }) => id}
      selectedKey={selectedId}
      onSelect={onSelect}
      rowTestId={({ service }) => `deployment-row-${service}`}
    />
  )
}
