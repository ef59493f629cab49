import type { Deployment } from '../../../contract/deployment.ts'
import { type Column, ListTable } from '../../components/list-table.tsx'
import { StateDot } from '../../components/state-dot.tsx'
import { plainText } from '../../format/plain-text.ts'
import { deviceNameLabel } from '../../text/device-label.ts'
import { DriftCell, RequestsCell, WeightsCell } from './live-cells.tsx'
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
    priority: 2,
    sort: ({ device }) => device,
    cell: ({ deviceId, device }) => plainText(deviceNameLabel(deviceId, device), 30),
  },
  { key: 'model', header: 'Model', priority: 3, sort: ({ model }) => model, cell: ({ model }) => plainText(model, 40) },
  {
    key: 'weights',
    header: 'Weights',
    align: 'right',
    priority: 3,
    cell: (deployment) => <WeightsCell deployment={deployment} />,
  },
  { key: 'requests', header: 'Requests', align: 'right', cell: (deployment) => <RequestsCell deployment={deployment} /> },
  { key: 'drift', header: 'Drift', priority: 2, cell: (deployment) => <DriftCell deployment={deployment} /> },
]

/** Services with their states, and what those that are reached measure. */
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
